/*
 * sink PORT: a server on 127.0.0.1 that takes uploads as fast as anything
 * can (the kernel drops the bytes unread) and answers as the rest protocol
 * wants it: POST has a new id, GET lists the last upload with its size.
 *
 * Both sides of a comparison send to it.  A thread for each connection;
 * whatever is not HTTP as curl writes it ends the connection.  The file
 * must be the last part of a form.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define HEAD_BYTES	65536
#define CHUNK_BYTES	(1 << 20)

struct client {
	int	 fd;
	size_t	 have;			/* bytes in buf */
	char	 buf[HEAD_BYTES + 1];
};

/* The last upload; all threads'. */
static struct {
	pthread_mutex_t	mutex;
	uint64_t	id;
	int64_t		size;
} last = { PTHREAD_MUTEX_INITIALIZER, 0, 0 };

static int
more(struct client *c)
{
	ssize_t	n;

	if (c->have == HEAD_BYTES)
		return (0);
	n = recv(c->fd, c->buf + c->have, HEAD_BYTES - c->have, 0);
	if (n <= 0)
		return (0);
	c->have += n;
	c->buf[c->have] = '\0';
	return (1);
}

static void
forget(struct client *c, size_t n)
{
	c->have -= n;
	memmove(c->buf, c->buf + n, c->have + 1);
}

static int
say(struct client *c, const char *text)
{
	size_t	n = strlen(text);

	return (send(c->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n);
}

static int
answer(struct client *c, const char *body)
{
	char	*text;
	int	 ok;

	text = xasprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json"
	    "\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	ok = say(c, text);
	free(text);
	return (ok);
}

/* The value of a field of the head, or NULL. */
static const char *
field(const char *head, const char *name)
{
	const char	*p;
	size_t		 n = strlen(name);

	for (p = strstr(head, "\r\n"); p != NULL; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return (p + n + 1 + strspn(p + n + 1, " "));
	}
	return (NULL);
}

/* Bytes before the file in the form, which is read as far as that. */
static int64_t
form_head(struct client *c)
{
	char	*p;

	for (;;) {
		p = strstr(c->buf, "name=\"databaseFile\"");
		if (p != NULL && (p = strstr(p, "\r\n\r\n")) != NULL)
			return (p + 4 - c->buf);
		if (!more(c))
			return (-1);
	}
}

static int
skip(struct client *c, int64_t left)
{
	ssize_t	n;

	if ((uint64_t)left < c->have) {
		forget(c, left);
		return (1);
	}
	left -= c->have;
	forget(c, c->have);
	while (left > 0) {
		n = recv(c->fd, NULL, left < CHUNK_BYTES ? left : CHUNK_BYTES,
		    MSG_TRUNC);
		if (n <= 0)
			return (0);
		left -= n;
	}
	return (1);
}

static int
take_upload(struct client *c, int64_t length, size_t boundary_bytes)
{
	char	*body;
	int64_t	 size = length;
	int	 ok;

	if (boundary_bytes > 0) {
		if ((size = form_head(c)) == -1)
			return (0);
		/* Behind the file: CRLF "--" boundary "--" CRLF. */
		size = length - size - (int64_t)boundary_bytes - 8;
	}
	if (!skip(c, length))
		return (0);
	pthread_mutex_lock(&last.mutex);
	last.id++;
	last.size = size;
	body = xasprintf("{\"backupId\":\"up-%llu\",\"size\":%lld}",
	    (unsigned long long)last.id, (long long)size);
	pthread_mutex_unlock(&last.mutex);
	ok = answer(c, body);
	free(body);
	return (ok);
}

static int
list(struct client *c)
{
	char	*body;
	int	 ok;

	pthread_mutex_lock(&last.mutex);
	if (last.id == 0)
		body = xstrdup("{\"backups\":[]}");
	else
		body = xasprintf("{\"backups\":[{\"backupId\":\"up-%llu\","
		    "\"size\":%lld}]}", (unsigned long long)last.id,
		    (long long)last.size);
	pthread_mutex_unlock(&last.mutex);
	ok = answer(c, body);
	free(body);
	return (ok);
}

static int
one_request(struct client *c)
{
	const char	*p;
	char		*end;
	int64_t		 length = -1;
	size_t		 boundary_bytes = 0;
	int		 is_get, expects;

	while ((end = strstr(c->buf, "\r\n\r\n")) == NULL)
		if (!more(c))
			return (0);
	end[2] = '\0';
	is_get = strncmp(c->buf, "GET ", 4) == 0;
	expects = field(c->buf, "expect") != NULL;
	if ((p = field(c->buf, "content-length")) != NULL)
		length = strtoll(p, NULL, 10);
	if ((p = field(c->buf, "content-type")) != NULL &&
	    (p = strstr(p, "boundary=")) != NULL)
		boundary_bytes = strcspn(p + 9, "\r;");
	forget(c, end + 4 - c->buf);
	if (is_get)
		return (list(c));
	if (length < 0)
		return (0);
	if (expects && !say(c, "HTTP/1.1 100 Continue\r\n\r\n"))
		return (0);
	return (take_upload(c, length, boundary_bytes));
}

static void *
serve(void *arg)
{
	struct client	*c = arg;

	while (one_request(c))
		;
	close(c->fd);
	free(c);
	return (NULL);
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in	sin;
	int			fd, one = 1;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 64) == -1)
		fatal("port %u", port);
	return (fd);
}

int
main(int argc, char **argv)
{
	struct client	*c;
	pthread_t	 thread;
	int		 fd, s, one = 1;

	log_init("sink", 1, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: sink port\n");
		return (1);
	}
	s = listen_on(tool_number(argv[1], 1, 65535));
	for (;;) {
		fd = accept(s, NULL, NULL);
		if (fd == -1) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			fatal("accept");
		}
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one)) == -1)
			log_warn("TCP_NODELAY");
		c = xcalloc(1, sizeof(*c));
		c->fd = fd;
		if (pthread_create(&thread, NULL, serve, c) != 0)
			fatalx("no thread");
		pthread_detach(thread);
	}
}
