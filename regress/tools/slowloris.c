/*
 * Many slow clients, from one process, against this machine only: each
 * connects, says a little, and then a byte every second.  Whoever is hung
 * up on comes again, up to a rate, until the time is over.
 *
 *	slowloris [-bs] [-n clients] [-r reconnects] [-t seconds] [-u uid]
 *	    port | /socket
 *
 * -b: the slow part is a body, after a head that is whole; -s: nothing is
 * said at first, not even a handshake of TLS.  Prints "clients N" when all
 * have tried once, and at the end how many connections were made and how
 * many were hung up on.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"

#define CLIENTS_MAX	50000
#define FDS_OTHER	16
#define SECOND		UINT64_C(1000000)	/* in microseconds */

static const char	head[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
			    "X: ";
static const char	body[] = "POST /api/cloud-backup/create HTTP/1.1\r\n"
			    "Host: localhost\r\nContent-Type: "
			    "application/json\r\nContent-Length: 60000\r\n"
			    "\r\n{\"backup_name\":\"";

static union {
	struct sockaddr		any;
	struct sockaddr_in	in;
	struct sockaddr_un	un;
}			target;
static socklen_t	target_n;
static int		ep;
static const char	*first = head;
static int		*clients;	/* sockets, -1: none */
static uint64_t		made, hung_up, refused;

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: slowloris [-bs] [-n clients] [-r reconnects] "
	    "[-t seconds] [-u uid] port | /socket\n");
	exit(1);
}

static long long
number(const char *text, long long most)
{
	const char	*why;
	long long	 n = strtonum(text, 1, most, &why);

	if (why != NULL)
		errx(1, "\"%s\" is %s", text, why);
	return (n);
}

static void
target_set(const char *text)
{
	memset(&target, 0, sizeof(target));
	if (text[0] == '/') {
		target.un.sun_family = AF_UNIX;
		if (util_copy(target.un.sun_path, text) == -1)
			errx(1, "%s: too long", text);
		target_n = sizeof(target.un);
		return;
	}
	target.in.sin_family = AF_INET;
	target.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.in.sin_port = htons((uint16_t)number(text, 65535));
	target_n = sizeof(target.in);
}

static void
client_begin(size_t i)
{
	struct epoll_event	e;
	int			s;

	s = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (s == -1)
		err(1, "socket");
	if (connect(s, &target.any, target_n) == -1 && errno != EINPROGRESS) {
		refused++;		/* a full queue, or no port is free */
		close(s);
		return;
	}
	memset(&e, 0, sizeof(e));
	e.events = EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET;
	e.data.u64 = i;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, s, &e) == -1)
		err(1, "epoll_ctl");
	clients[i] = s;
}

static void
client_end(size_t i)
{
	close(clients[i]);
	clients[i] = -1;
	hung_up++;
}

static void
client_event(size_t i, uint32_t events)
{
	char	buf[512];

	if (clients[i] == -1)
		return;
	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
		client_end(i);
	else if (events & EPOLLIN) {
		if (recv(clients[i], buf, sizeof(buf), 0) <= 0 &&
		    errno != EAGAIN)
			client_end(i);
	} else if (events & EPOLLOUT) {
		made++;
		if (*first != '\0' && send(clients[i], first, strlen(first), MSG_NOSIGNAL) == -1)
			client_end(i);
	}
}

static void
events_take(int wait_ms)
{
	struct epoll_event	e[256];
	int			i, n;

	if ((n = epoll_wait(ep, e, 256, wait_ms)) == -1 && errno != EINTR)
		err(1, "epoll_wait");
	for (i = 0; i < n; i++)
		client_event((size_t)e[i].data.u64, e[i].events);
}

/* A byte from each; then those that are gone come again. */
static void
second_pass(size_t n, uint64_t *again, size_t *from)
{
	size_t	i, at;

	for (i = 0; i < n; i++) {
		if (clients[i] != -1 && send(clients[i], "a", 1,
		    MSG_NOSIGNAL | MSG_DONTWAIT) == -1 && errno != EAGAIN &&
		    errno != ENOTCONN)
			client_end(i);
	}
	for (i = 0; i < n && *again > 0; i++) {
		at = (*from + i) % n;
		if (clients[at] != -1)
			continue;
		client_begin(at);
		(*again)--;
		events_take(0);
	}
	*from = (*from + i) % n;
}

static void
run(size_t n, uint64_t reconnects, uint64_t seconds)
{
	uint64_t	end_us = util_monotonic_us() + seconds * SECOND;
	uint64_t	next_us = 0, now_us, again;
	size_t		i, from = 0;

	for (i = 0; i < n; i++) {
		client_begin(i);
		events_take(0);
	}
	printf("clients %zu\n", n);
	fflush(stdout);
	while ((now_us = util_monotonic_us()) < end_us) {
		if (now_us >= next_us) {
			again = reconnects;
			second_pass(n, &again, &from);
			next_us = now_us + SECOND;
		}
		events_take(20);
	}
	printf("made %ju hung-up %ju refused %ju\n", (uintmax_t)made,
	    (uintmax_t)hung_up, (uintmax_t)refused);
}

/* As many as asked for, or as descriptors allow. */
static size_t
clients_new(size_t n)
{
	struct rlimit	rl;
	size_t		i;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	if (rl.rlim_cur < n + FDS_OTHER)
		n = (size_t)rl.rlim_cur - FDS_OTHER;
	clients = xcalloc(n, sizeof(*clients));
	for (i = 0; i < n; i++)
		clients[i] = -1;
	return (n);
}

int
main(int argc, char *argv[])
{
	uint64_t	reconnects = 2000, seconds = 10;
	size_t		n = 1000;
	uid_t		uid = 0;
	int		ch;

	while ((ch = getopt(argc, argv, "bn:r:st:u:")) != -1) {
		switch (ch) {
		case 'b':
			first = body;
			break;
		case 'n':
			n = (size_t)number(optarg, CLIENTS_MAX);
			break;
		case 'r':
			reconnects = (uint64_t)number(optarg, 100000);
			break;
		case 's':
			first = "";
			break;
		case 't':
			seconds = (uint64_t)number(optarg, 600);
			break;
		case 'u':
			uid = (uid_t)number(optarg, UINT32_MAX - 1);
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	target_set(argv[optind]);
	n = clients_new(n);
	if (uid != 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1))
		err(1, "uid %u", (unsigned int)uid);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	run(n, reconnects, seconds);
	return (0);
}
