/*
 * The engine runs this at start and when the configuration is read anew:
 * opens what front listens on, so that
 * front never needs the right to.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <arpa/inet.h>

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define BACKLOG	4096		/* the kernel takes less if it wants */

static int
tcp_open(const struct conf_listen *l)
{
	struct addrinfo	hints, *ai;
	char		port[8];
	int		fd, on = 1, saved;

	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
	hints.ai_socktype = SOCK_STREAM;
	snprintf(port, sizeof(port), "%u", l->port);
	if (getaddrinfo(l->address, port, &hints, &ai) != 0) {
		errno = EADDRNOTAVAIL;
		return (-1);
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || (ai->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
	    sizeof(on)) == -1) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, BACKLOG) == -1)) {
		saved = errno;
		close(fd);
		errno = saved;
		fd = -1;
	}
	freeaddrinfo(ai);
	return (fd);
}

/* A socket that nobody answers on is left from a crash, and goes. */
static void
unlink_stale(const struct sockaddr_un *sun)
{
	struct stat	st;
	int		fd;

	if (lstat(sun->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == -1 &&
	    errno == ECONNREFUSED)
		(void)unlink(sun->sun_path);
	close(fd);
}

/*
 * The socket gets its group when it is made, so that root needs no right
 * to give files away; another user may give what is his to his groups.
 */
static int
bind_grouped(int fd, const struct sockaddr_un *sun, const struct group *gr)
{
	gid_t	own = getegid();
	mode_t	old;
	int	r;

	if (gr != NULL && geteuid() == 0 && setegid(gr->gr_gid) == -1)
		return (-1);
	old = umask(0177);
	r = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));
	(void)umask(old);
	if (gr != NULL && geteuid() == 0 && setegid(own) == -1)
		fatal("setegid");
	if (r == 0 && gr != NULL && geteuid() != 0)
		r = chown(sun->sun_path, (uid_t)-1, gr->gr_gid);
	return (r);
}

/* -1: errno says why; -2: there is no such group. */
static int
unix_open(const struct conf_listen *l)
{
	struct sockaddr_un	 sun;
	struct group		*gr = NULL;
	int			 fd, r;

	if (l->group != NULL && (gr = getgrnam(l->group)) == NULL)
		return (-2);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (util_copy(sun.sun_path, l->path) == -1) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	unlink_stale(&sun);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	if (bind_grouped(fd, &sun, gr) == -1 ||
	    chmod(l->path, l->mode) == -1 || listen(fd, BACKLOG) == -1) {
		r = errno;
		close(fd);
		errno = r;
		return (-1);
	}
	return (fd);
}

int
listener_open(struct conf_listen *l, char *why, size_t size)
{
	l->fd = l->kind == LISTEN_UNIX ? unix_open(l) : tcp_open(l);
	if (l->fd >= 0)
		return (0);
	if (l->fd == -2)
		snprintf(why, size, "listen on socket %s: there is no group "
		    "\"%s\"", l->path, l->group);
	else if (l->kind == LISTEN_UNIX)
		snprintf(why, size, "listen on socket %s: %s", l->path,
		    strerror(errno));
	else
		snprintf(why, size, "listen on %s port %u: %s", l->address,
		    l->port, strerror(errno));
	/* This machine may have no such address; nobody asked for it. */
	if (l->is_default && errno == EADDRINUSE)
		l->is_default = 0;
	if (l->is_default)
		log_warnx("%s", why);
	l->fd = -1;
	return (-1);
}

void
listeners_open(struct conf *conf)
{
	struct conf_listen	*l;
	char			 why[PATH_BYTES + TEXT_BYTES];
	size_t			 n = 0;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (listener_open(l, why, sizeof(why)) == 0)
			n++;
		else if (!l->is_default)
			fatalx("%s", why);
	}
	if (n == 0)
		fatalx("there is nothing to listen on");
}

void
listeners_close(struct conf *conf)
{
	struct conf_listen	*l;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (l->fd != -1)
			close(l->fd);
		l->fd = -1;
	}
}

/* Its own end's address and port: 0, or -1 when it has none. */
static int
own_end(int sock, char address[INET6_ADDRSTRLEN], uint16_t *port)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in	 in;
	struct sockaddr_in6	 in6;
	const void		*bytes;
	socklen_t		 n = sizeof(ss);

	if (getsockname(sock, (struct sockaddr *)&ss, &n) == -1)
		return (-1);
	if (ss.ss_family == AF_INET) {
		memcpy(&in, &ss, sizeof(in));
		bytes = &in.sin_addr;
		*port = ntohs(in.sin_port);
	} else if (ss.ss_family == AF_INET6) {
		memcpy(&in6, &ss, sizeof(in6));
		bytes = &in6.sin6_addr;
		*port = ntohs(in6.sin6_port);
	} else
		return (-1);
	return (inet_ntop(ss.ss_family, bytes, address, INET6_ADDRSTRLEN) ==
	    NULL ? -1 : 0);
}

/* The TLS listener at this address, or NULL; one that listens on all
 * addresses is at this one too. */
static const struct conf_listen *
tls_listener(const struct conf *conf, const char *address, uint16_t port)
{
	const struct conf_listen	*l;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (l->kind == LISTEN_TCP && l->port == port &&
		    l->tls_certificate != NULL &&
		    (strcmp(l->address, address) == 0 ||
		    strcmp(l->address, strchr(address, ':') != NULL ? "::" :
		    "0.0.0.0") == 0))
			return (l);
	}
	return (NULL);
}

int
listeners_client_ca(const struct conf *conf, int sock)
{
	const struct conf_listen	*l;
	char				 address[INET6_ADDRSTRLEN];
	uint16_t			 port;

	if (own_end(sock, address, &port) == -1)
		return (0);
	l = tls_listener(conf, address, port);
	return (l != NULL && l->tls_client_ca != NULL);
}

int
listeners_uid_counts(const struct conf *conf, int sock)
{
	struct sockaddr_storage		 ss;
	socklen_t			 n = sizeof(ss);
	char				 address[INET6_ADDRSTRLEN];
	uint16_t			 port;

	if (getsockname(sock, (struct sockaddr *)&ss, &n) == -1)
		return (0);
	if (ss.ss_family == AF_UNIX)
		return (1);
	if (own_end(sock, address, &port) == -1 || (strncmp(address, "127.",
	    4) != 0 && strcmp(address, "::1") != 0))
		return (0);
	return (tls_listener(conf, address, port) == NULL);
}
