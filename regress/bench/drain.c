/*
 * drain PORT PATH: asks a server on 127.0.0.1 for PATH and has the kernel
 * drop what comes, so that the server's rate is measured and not a client's.
 * Prints bytes and microseconds; its status is 1 unless all came with 200.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define HEAD_BYTES	16384
#define CHUNK_BYTES	(1 << 20)

static int64_t
now_us(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (ts.tv_sec * 1000000LL + ts.tv_nsec / 1000);
}

static int
ask(uint16_t port, const char *path)
{
	struct sockaddr_in	 sin;
	char			*text;
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		fatal("port %u", port);
	text = xasprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
	    "Connection: close\r\n\r\n", path, port);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) !=
	    (ssize_t)strlen(text))
		fatal("send");
	free(text);
	return (fd);
}

/* Reads the head; the length of the body that is not read yet. */
static int64_t
head(int fd, int64_t *length)
{
	static char	 buf[HEAD_BYTES + 1];
	const char	*p;
	char		*end;
	size_t		 have = 0;
	ssize_t		 n;

	do {
		n = recv(fd, buf + have, HEAD_BYTES - have, 0);
		if (n <= 0)
			fatalx("no answer");
		have += n;
		buf[have] = '\0';
	} while ((end = strstr(buf, "\r\n\r\n")) == NULL);
	*end = '\0';
	if (strncmp(buf, "HTTP/1.1 200 ", 13) != 0)
		fatalx("the answer is %.40s", buf);
	p = strcasestr(buf, "\r\ncontent-length:");
	if (p == NULL)
		fatalx("no length is said");
	*length = strtoll(p + 17, NULL, 10);
	return (*length - (int64_t)(buf + have - (end + 4)));
}

int
main(int argc, char **argv)
{
	int64_t	start, length, left;
	ssize_t	n;
	int	fd;

	log_init("drain", 1, 0);
	if (argc != 3) {
		fprintf(stderr, "usage: drain port path\n");
		return (1);
	}
	start = now_us();
	fd = ask(tool_number(argv[1], 1, 65535), argv[2]);
	for (left = head(fd, &length); left > 0; left -= n) {
		n = recv(fd, NULL, left < CHUNK_BYTES ? left : CHUNK_BYTES,
		    MSG_TRUNC);
		if (n <= 0)
			fatalx("%lld bytes are missing", (long long)left);
	}
	printf("%lld %lld\n", (long long)length, (long long)(now_us() - start));
	close(fd);
	return (0);
}
