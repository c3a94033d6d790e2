/*
 * A real little server of the remote's protocol, for tests: loopback only,
 * one thread for each connection, uploads of any size in constant memory.
 * Owns the listening socket and the folder given with -d; does wrong what
 * it is told to do wrong (fault.h).
 *
 *	remote -p PORT -d DIR [-Sv] [-k APIKEY] [-s SHAPE] [-F fault]...
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

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
#include "regress/remote/request.h"
#include "regress/remote/store.h"

static struct server	server;

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: remote -p port -d dir [-Sv] [-k apikey] "
	    "[-s shape] [-F fault]...\n");
	exit(1);
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	int			s, on = 1;

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s == -1 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1)
		fatal("socket");
	if (bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&sin, &len) == -1)
		fatal("port %u", port);
	printf("listening on 127.0.0.1 port %u\n", ntohs(sin.sin_port));
	fflush(stdout);
	return (s);
}

static void *
serve(void *arg)
{
	struct conn	*c = arg;

	request_serve(c, &server);
	conn_free(c);
	return (NULL);
}

static void
accept_one(int s)
{
	pthread_t	thread;
	struct conn	*c;
	int		fd, error;

	fd = accept4(s, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EINTR || errno == ECONNABORTED)
			return;
		fatal("accept");
	}
	c = conn_new(fd);
	error = pthread_create(&thread, NULL, serve, c);
	if (error == 0)
		error = pthread_detach(thread);
	if (error != 0)
		fatalx("a thread: %s", strerror(error));
}

static void
add_or_exit(const char *line)
{
	const char	*error;

	error = fault_add(line);
	if (error != NULL)
		fatalx("%s: %s", line, error);
}

int
main(int argc, char **argv)
{
	const char	*error = "", *dir = NULL;
	char		*line;
	int		 ch, s, hash = 0;
	uint16_t	 port = 0;

	log_init("remote", 1, 0);
	while ((ch = getopt(argc, argv, "F:Sd:k:p:s:v")) != -1) {
		switch (ch) {
		case 'F':
			add_or_exit(optarg);
			break;
		case 'S':
			hash = 1;
			break;
		case 'd':
			dir = optarg;
			break;
		case 'k':
			server.api_key = optarg;
			break;
		case 'p':
			port = strtonum(optarg, 0, UINT16_MAX, &error);
			if (error != NULL)
				fatalx("port %s is %s", optarg, error);
			break;
		case 's':
			line = xasprintf("shape %s", optarg);
			add_or_exit(line);
			free(line);
			break;
		case 'v':
			server.verbose = 1;
			break;
		default:
			usage();
		}
	}
	/* error is still "" when no port was given. */
	if (argc != optind || dir == NULL || error != NULL)
		usage();
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	line = xasprintf("%s/fault", dir);
	fault_init(line);
	store_init(dir, hash);
	answer_verbose(server.verbose);
	s = listen_on(port);
	for (;;)
		accept_one(s);
}
