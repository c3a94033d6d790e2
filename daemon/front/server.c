/*
 * The front runs this.  It owns the listening sockets, which the engine
 * opened, and the decision to accept.  As long as limit.c wants to know
 * who comes it goes on; without a free descriptor one that is kept for
 * that moment is given up to turn a client away, and accepting pauses, so
 * that the loop never spins.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/front/front.h"

#define PAUSE_MS	100
#define BATCH		8		/* accepted before others get a turn */
#define CAP_DEFAULT	512
#define FDS_RESERVED	64		/* not for connections */
#define FDS_EACH	3		/* socket, its copy in transit, a file */

struct listener {
	int		 fd;		/* ours if there is an event */
	enum listen_kind kind;
	int		 tls;
	struct event	*event;
};

static struct listener	 listeners[LISTENERS_MAX];
static int		 reserve = -1;
static int		 waiting;	/* not accepting: full, or paused */
static struct event	*again;

static void	on_accept(evutil_socket_t, short, void *);

void
server_listen(uint64_t id, const struct m_front_listen *m, int fd)
{
	struct listener	*l;
	int		 flags;

	if (m->kind != LISTEN_TCP && m->kind != LISTEN_UNIX)
		fatalx("a listener of unknown kind");
	if (id >= LISTENERS_MAX || listeners[id].event != NULL)
		fatalx("a listener of an impossible number");
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		fatal("fcntl of a listener");
	if ((m->flags & LISTEN_TLS) && !tls_ready(id)) {
		if (!front.running)
			fatalx("a TLS listener without a certificate");
		log_warnx("listener %llu is not there: no certificate for it "
		    "is any good", (unsigned long long)id);
		close(fd);
		return;
	}
	l = &listeners[id];
	l->tls = (m->flags & LISTEN_TLS) != 0;
	l->fd = fd;
	l->kind = (enum listen_kind)m->kind;
	l->event = event_new(front.base, fd, EV_READ | EV_PERSIST, on_accept,
	    l);
	if (l->event == NULL)
		fatalx("event_new");
	if (front.running && !waiting && event_add(l->event, NULL) == -1)
		fatalx("event_add");
}

void
server_unlisten(uint64_t id)
{
	struct listener	*l;

	if (id >= LISTENERS_MAX)
		fatalx("a listener of an impossible number");
	l = &listeners[id];
	if (l->event != NULL) {
		event_free(l->event);
		l->event = NULL;
		close(l->fd);
	}
	tls_forget(id);
	conn_unlisten(id);
}

static void
server_accepting(int on)
{
	static size_t	turn;
	struct listener	*l;
	size_t		 i;

	waiting = !on;
	/* The first takes most: not always the same. */
	turn++;
	for (i = 0; i < LISTENERS_MAX; i++) {
		l = &listeners[(turn + i) % LISTENERS_MAX];
		if (l->event == NULL)
			continue;
		if ((on ? event_add(l->event, NULL) : event_del(l->event)) ==
		    -1)
			fatalx("event_add");
	}
}

void
server_room(void)
{
	if (waiting && limit_may_accept() && !evtimer_pending(again, NULL))
		server_accepting(1);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (reserve == -1)
		reserve = fcntl(chan_socket(front.engine), F_DUPFD_CLOEXEC, 0);
	server_room();
}

static void
server_pause(void)
{
	static const struct timeval	tv = { 0, PAUSE_MS * 1000 };

	server_accepting(0);
	if (event_add(again, &tv) == -1)
		fatalx("event_add");
}

/* No descriptor is free.  Somebody idle goes; if nobody is, the client at
 * the head of the queue is turned away rather than left hanging. */
static void
server_exhausted(struct listener *l)
{
	int	fd;

	log_warn("cannot accept");
	if (!limit_evict() && reserve != -1) {
		close(reserve);
		if ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) != -1)
			close(fd);
		reserve = fcntl(chan_socket(front.engine), F_DUPFD_CLOEXEC, 0);
	}
	server_pause();
}

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct listener	*l = arg;
	int		 fd, i;

	(void)what;
	for (i = 0; i < BATCH; i++) {
		if (!limit_may_accept()) {
			server_accepting(0);
			return;
		}
		fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				server_exhausted(l);
			return;		/* empty, or the client is gone */
		}
		conn_new(fd, l->kind, (size_t)(l - listeners), l->tls);
	}
}

/* As many as are wanted, and as the limit on descriptors allows. */
static size_t
server_cap(uint32_t wanted, rlim_t limit)
{
	size_t	n = wanted == 0 ? CAP_DEFAULT : wanted;

	if (limit == RLIM_INFINITY || limit >= FDS_RESERVED + n * FDS_EACH)
		return (n);
	if (limit < FDS_RESERVED + 2 * FDS_EACH)
		return (2);
	return ((size_t)(limit - FDS_RESERVED) / FDS_EACH);
}

void
server_limit(uint32_t connections_max)
{
	struct rlimit	rl;
	size_t		cap;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	cap = server_cap(connections_max, rl.rlim_cur);
	limit_init(cap);
	log_debug("at most %zu connections", cap);
	server_room();
}

void
server_start(uint32_t connections_max)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("setrlimit");
	if ((again = evtimer_new(front.base, on_again, NULL)) == NULL)
		fatalx("evtimer_new");
	reserve = fcntl(chan_socket(front.engine), F_DUPFD_CLOEXEC, 0);
	if (reserve == -1)
		fatal("no descriptor to keep in reserve");
	server_limit(connections_max);
	server_accepting(1);
}
