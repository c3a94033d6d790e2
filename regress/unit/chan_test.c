/*
 * The channel: descriptors and messages stay together under load and when
 * descriptors run out, and what is not as it should be is refused with a
 * reason.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/unit/unit.h"

#define LOAD		20000		/* messages, every third with one */
#define SCARCE		600

/* The header as proto/msg.md has it. */
struct wire {
	uint32_t	magic;
	uint32_t	type;
	uint32_t	size;
	uint32_t	flags;
	uint64_t	id;
};
#define MAGIC		0x43424431
#define WITH_FD		1

static const struct m_empty	empty;

static void
pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		fatal("socketpair");
}

static int
open_descriptors(void)
{
	DIR	*d;
	int	 n = 0;

	if ((d = opendir("/proc/self/fd")) == NULL)
		return (0);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return (n);
}

/* A descriptor that says its number when read. */
static int
numbered(uint64_t n)
{
	int	fd;

	if ((fd = memfd_create("n", MFD_CLOEXEC)) == -1 ||
	    pwrite(fd, &n, sizeof(n), 0) != sizeof(n))
		fatal("memfd");
	return (fd);
}

static int
is_numbered(int fd, uint64_t n)
{
	uint64_t	got;

	return (fd != -1 && pread(fd, &got, sizeof(got), 0) == sizeof(got) &&
	    got == n && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
}

/* ---- load ---- */

/* The engine's end: n messages, every third with its descriptor. */
static void __attribute__((__noreturn__))
sender(int sock, uint64_t n)
{
	struct chan		*c = chan_new(sock, ROLE_ENGINE, ROLE_NETWORK);
	struct m_net_fetch	 fetch;
	struct msg		 m;
	uint64_t		 i;

	memset(&fetch, 0, sizeof(fetch));
	for (i = 0; i < n; i++) {
		if (i % 3 == 0) {
			fetch.size_max = i;
			chan_send(c, MSG_NET_FETCH, i, &fetch, sizeof(fetch),
			    numbered(i));
		} else
			chan_send(c, MSG_NET_CANCEL, i, &empty, sizeof(empty),
			    -1);
		/* In heaps, so that several meet in the kernel. */
		if (i % 17 == 0 && chan_drain(c) == -1)
			_exit(2);
	}
	if (chan_drain(c) == -1)
		_exit(2);
	/* The other end says that it has all. */
	if (chan_wait(c, &m, 60000) != 1 || m.type != MSG_NET_PROGRESS)
		_exit(3);
	chan_free(c);
	_exit(0);
}

static pid_t
start_sender(int sv[2], uint64_t n)
{
	pid_t	pid;

	pair(sv);
	if ((pid = fork()) == -1)
		fatal("fork");
	if (pid == 0) {
		close(sv[1]);
		sender(sv[0], n);
	}
	close(sv[0]);
	return (pid);
}

/* Is m the i-th message, with the descriptor that is its own? */
static int
is_message(const struct msg *m, uint64_t i)
{
	struct m_net_fetch	fetch;

	if (m->id != i)
		return (0);
	if (i % 3 != 0)
		return (m->type == MSG_NET_CANCEL && m->fd == -1);
	memcpy(&fetch, m->data, sizeof(fetch));
	return (m->type == MSG_NET_FETCH && fetch.size_max == i &&
	    is_numbered(m->fd, i));
}

static void
finish(struct chan *c, pid_t pid, const char *what)
{
	struct m_net_progress	p = { 0, 0 };
	int			status;

	chan_send(c, MSG_NET_PROGRESS, 0, &p, sizeof(p), -1);
	ok(chan_drain(c) == 0 && waitpid(pid, &status, 0) == pid &&
	    status == 0, "%s: the sender has sent all", what);
	chan_free(c);
}

static void
test_load(void)
{
	struct chan	*c;
	struct msg	 m;
	uint64_t	 i, wrong = 0, start_us = util_monotonic_us();
	pid_t		 pid;
	int		 sv[2], before = open_descriptors();

	pid = start_sender(sv, LOAD);
	c = chan_new(sv[1], ROLE_NETWORK, ROLE_ENGINE);
	for (i = 0; i < LOAD; i++) {
		if (chan_wait(c, &m, 30000) != 1)
			break;
		wrong += !is_message(&m, i);
		if (m.fd != -1)
			close(m.fd);
	}
	ok(i == LOAD && wrong == 0, "%ju messages, each with its own "
	    "descriptor: %ju ms", (uintmax_t)i,
	    (uintmax_t)(util_monotonic_us() - start_us) / 1000);
	finish(c, pid, "load");
	ok(open_descriptors() == before, "and none is left");
}

/* The receiver may have a few descriptors and keeps them for a while. */
static void
test_scarce(void)
{
	struct rlimit	 limit, old;
	struct chan	*c;
	struct msg	 m;
	uint64_t	 i = 0, wrong = 0, pauses = 0, first = 0;
	pid_t		 pid;
	int		 sv[2], kept[16], nkept = 0, r, k;

	pid = start_sender(sv, SCARCE);
	c = chan_new(sv[1], ROLE_NETWORK, ROLE_ENGINE);
	if (getrlimit(RLIMIT_NOFILE, &old) == -1)
		fatal("getrlimit");
	limit = old;
	limit.rlim_cur = (rlim_t)sv[1] + 4;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("setrlimit");
	while (i < SCARCE) {
		if ((r = chan_get(c, &m)) == 1) {
			wrong += !is_message(&m, i++);
			if (m.fd != -1)
				kept[nkept++] = m.fd;
			continue;
		}
		if (r == -1)
			break;
		if ((r = chan_read(c)) == -1)
			break;
		if (r == -2) {
			pauses++;
			/* Each is still the one it was. */
			for (k = 0; k < nkept; k++) {
				wrong += pread(kept[k], &first, sizeof(first),
				    0) != sizeof(first) || first % 3 != 0;
				close(kept[k]);
			}
			nkept = 0;
		} else if (r == 0)
			usleep(100);
	}
	if (setrlimit(RLIMIT_NOFILE, &old) == -1)
		fatal("setrlimit");
	while (nkept > 0)
		close(kept[--nkept]);
	ok(i == SCARCE && wrong == 0 && pauses > 0, "descriptors run out "
	    "%ju times: %ju of %d messages, none lost or mixed up",
	    (uintmax_t)pauses, (uintmax_t)i, SCARCE);
	finish(c, pid, "scarce");
}

/* ---- what is refused ---- */

/* n descriptors with the first byte, if any. */
static void
send_raw(int sock, const void *bytes, size_t size, const int *fds, size_t n)
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(sizeof(int) * 64)];
	}		 control;
	struct iovec	 iov;
	struct msghdr	 m;
	struct cmsghdr	*h;

	memset(&m, 0, sizeof(m));
	iov.iov_base = (void *)(uintptr_t)bytes;
	iov.iov_len = size;
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	if (n > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * n);
	}
	if (sendmsg(sock, &m, MSG_NOSIGNAL) != (ssize_t)size)
		fatal("sendmsg");
}

/* What chan_get says of what the engine sent to network. */
static const char *
told(int sock, int *result)
{
	static char	 text[256];
	struct chan	*c = chan_new(sock, ROLE_NETWORK, ROLE_ENGINE);
	struct msg	 m;
	int		 n = 0, r;

	/* 1: a message; the last one's result counts. */
	for (;;) {
		while ((r = chan_get(c, &m)) == 1) {
			n++;
			if (m.fd != -1)
				close(m.fd);
		}
		if (r == -1 || chan_read(c) != 1)
			break;
	}
	strlcpy(text, chan_error(c), sizeof(text));
	if (chan_get(c, &m) == 1)
		strlcpy(text, "a channel that failed gave a message",
		    sizeof(text));
	chan_free(c);
	*result = n;
	return (text);
}

#define FETCH	sizeof(struct m_net_fetch)

static const struct {
	const char	*what;
	struct wire	 w;
	size_t		 bytes;		/* of payload sent */
	size_t		 fds;
	const char	*why;		/* part of the reason */
} bad[] = {
	{ "another magic", { MAGIC + 1, MSG_NET_CANCEL, 4, 0, 0 }, 4, 0,
	    "no header of ours" },
	{ "unknown flags", { MAGIC, MSG_NET_CANCEL, 4, 2, 0 }, 4, 0,
	    "no header of ours" },
	{ "an enormous size", { MAGIC, MSG_NET_FETCH, 0xfffffff0, WITH_FD,
	    0 }, 0, 1, "no header of ours" },
	{ "type 0", { MAGIC, 0, 4, 0, 0 }, 4, 0, "unknown message" },
	{ "a type that is none", { MAGIC, MSG_COUNT, 4, 0, 0 }, 4, 0,
	    "unknown message" },
	{ "a huge type", { MAGIC, 0xffffffff, 4, 0, 0 }, 4, 0,
	    "unknown message" },
	{ "the wrong direction", { MAGIC, MSG_NET_PROGRESS,
	    sizeof(struct m_net_progress), 0, 0 },
	    sizeof(struct m_net_progress), 0, "wrong direction" },
	{ "somebody else's message", { MAGIC, MSG_CONN_RIGHTS,
	    sizeof(struct m_conn_rights), 0, 0 },
	    sizeof(struct m_conn_rights), 0, "wrong direction" },
	{ "too long", { MAGIC, MSG_NET_CANCEL, 5, 0, 0 }, 5, 0,
	    "wrong length" },
	{ "too short", { MAGIC, MSG_NET_CANCEL, 3, 0, 0 }, 3, 0,
	    "wrong length" },
	{ "empty", { MAGIC, MSG_NET_CANCEL, 0, 0, 0 }, 0, 0,
	    "wrong length" },
	{ "a header alone, and wrong", { MAGIC, MSG_NET_CANCEL, 1000, 0, 0 },
	    0, 0, "wrong length" },
	{ "no descriptor where one belongs", { MAGIC, MSG_NET_FETCH, FETCH,
	    0, 0 }, FETCH, 0, "without its descriptor" },
	{ "a descriptor that is promised and missing", { MAGIC,
	    MSG_NET_FETCH, FETCH, WITH_FD, 0 }, FETCH, 0,
	    "descriptor missing" },
	{ "a descriptor where none belongs", { MAGIC, MSG_NET_CANCEL, 4,
	    WITH_FD, 0 }, 4, 1, "descriptor too many" },
	{ "a descriptor that is not told of", { MAGIC, MSG_NET_CANCEL, 4, 0,
	    0 }, 4, 1, "descriptor that no message has" },
	{ "two descriptors", { MAGIC, MSG_NET_FETCH, FETCH, WITH_FD, 0 },
	    FETCH, 2, "descriptor that no message has" },
	{ "more descriptors than there is room for", { MAGIC, MSG_NET_FETCH,
	    FETCH, WITH_FD, 0 }, FETCH, 40, "lost in transit" },
};

static void
test_bad(void)
{
	uint8_t		 bytes[sizeof(struct wire) + 4096];
	const char	*why;
	size_t		 i, k;
	int		 sv[2], fds[64], n, before = open_descriptors();

	for (k = 0; k < nitems(fds); k++)
		fds[k] = numbered(k);
	for (i = 0; i < nitems(bad); i++) {
		pair(sv);
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, &bad[i].w, sizeof(bad[i].w));
		send_raw(sv[0], bytes, sizeof(bad[i].w) + bad[i].bytes, fds,
		    bad[i].fds);
		why = told(sv[1], &n);
		ok(n == 0 && strstr(why, bad[i].why) != NULL &&
		    strncmp(why, "engine sent", 11) == 0, "%s: %s",
		    bad[i].what, why);
		close(sv[0]);
	}
	for (k = 0; k < nitems(fds); k++)
		close(fds[k]);
	ok(open_descriptors() == before, "no descriptor is left of all that");
}

/* Descriptors with bytes that never become a message. */
static void
test_flood(void)
{
	struct wire	 w = { MAGIC, MSG_NET_FETCH, FETCH, WITH_FD, 0 };
	struct chan	*c;
	struct msg	 m;
	int		 sv[2], fd, i, r = 0, before = open_descriptors();

	pair(sv);
	c = chan_new(sv[1], ROLE_NETWORK, ROLE_ENGINE);
	fd = numbered(1);
	for (i = 0; i < (int)sizeof(w) && r == 0; i++) {
		send_raw(sv[0], (const uint8_t *)&w + i, 1, &fd, 1);
		if (chan_read(c) != 1)
			break;
		r = chan_get(c, &m);
	}
	ok(r == -1 && strstr(chan_error(c), "descriptor") != NULL,
	    "a descriptor with each byte: %s", chan_error(c));
	chan_free(c);
	close(sv[0]);
	close(fd);
	ok(open_descriptors() == before, "and none is left");
}

/* ---- pieces and ends ---- */

static void
test_pieces(void)
{
	struct {
		struct wire		w;
		struct m_net_fetch	f;
	}		 wire;
	struct chan	*c;
	struct msg	 m;
	size_t		 i;
	int		 sv[2], fd = numbered(77), early = 0, r = 0;

	memset(&wire, 0, sizeof(wire));
	wire.w.magic = MAGIC;
	wire.w.type = MSG_NET_FETCH;
	wire.w.size = FETCH;
	wire.w.flags = WITH_FD;
	wire.w.id = 0x123456789abcdef0;
	strlcpy(wire.f.remote_id, "piecemeal", sizeof(wire.f.remote_id));
	pair(sv);
	c = chan_new(sv[1], ROLE_NETWORK, ROLE_ENGINE);
	for (i = 0; i < sizeof(wire); i++) {
		early += r;
		send_raw(sv[0], (const uint8_t *)&wire + i, 1, &fd, i == 0);
		if (chan_read(c) != 1)
			break;
		r = chan_get(c, &m);
	}
	ok(early == 0 && r == 1 && m.id == 0x123456789abcdef0 &&
	    strcmp(((const struct m_net_fetch *)m.data)->remote_id,
	    "piecemeal") == 0 && is_numbered(m.fd, 77),
	    "a message that comes byte by byte");
	close(m.fd);
	ok(chan_wait(c, &m, 20) == 0, "chan_wait ends after its time");
	/* Messages that came before the end count. */
	send_raw(sv[0], &wire, sizeof(wire), &fd, 1);
	send_raw(sv[0], &wire, sizeof(wire) / 2, &fd, 1);
	close(sv[0]);
	r = chan_wait(c, &m, 1000);
	ok(r == 1 && is_numbered(m.fd, 77), "what came before the end");
	if (r == 1)
		close(m.fd);
	ok(chan_wait(c, &m, 1000) == -1 &&
	    strcmp(chan_error(c), "closed") == 0, "then it is closed");
	chan_send(c, MSG_NET_PROGRESS, 0, &(struct m_net_progress){ 0, 0 },
	    sizeof(struct m_net_progress), -1);
	ok(chan_drain(c) == -1, "nothing can be sent to who has gone");
	chan_free(c);
	close(fd);
}

/* A full socket: nothing is lost, and the queue tells how much waits. */
static void
test_full(void)
{
	struct chan		*a, *b;
	struct m_net_fetch	 f;
	struct msg		 m;
	uint64_t		 i, n = 4000, got = 0, wrong = 0;
	int			 sv[2], r, before = open_descriptors();

	pair(sv);
	a = chan_new(sv[0], ROLE_ENGINE, ROLE_NETWORK);
	b = chan_new(sv[1], ROLE_NETWORK, ROLE_ENGINE);
	memset(&f, 0, sizeof(f));
	for (i = 0; i < n; i++) {
		f.size_max = i;
		/* Few descriptors may be in flight or open at once. */
		chan_send(a, MSG_NET_FETCH, i, &f, sizeof(f),
		    i % 40 == 0 ? numbered(i) : dup(0));
		if (i % 200 == 199)
			break;
	}
	n = i + 1;
	ok(chan_queued(a) == n * (sizeof(struct wire) + sizeof(f)),
	    "what waits is counted: %zu bytes", chan_queued(a));
	while (got < n) {
		if ((r = chan_write(a)) == -1)
			break;
		if ((r = chan_read(b)) == -1)
			break;
		while ((r = chan_get(b, &m)) == 1) {
			wrong += m.id != got ||
			    (got % 40 == 0 && !is_numbered(m.fd, got));
			close(m.fd);
			got++;
		}
		if (r == -1)
			break;
	}
	ok(got == n && wrong == 0 && chan_queued(a) == 0,
	    "all of %ju arrive", (uintmax_t)n);
	/* Never sent: their descriptors are closed with the channel. */
	for (i = 0; i < 10; i++)
		chan_send(a, MSG_NET_FETCH, i, &f, sizeof(f), dup(0));
	chan_free(a);
	chan_free(b);
	ok(open_descriptors() == before, "no descriptor is left");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	log_init("chan_test", 1, 0);
	test_load();
	test_scarce();
	test_bad();
	test_flood();
	test_pieces();
	test_full();
	return (tap_end());
}
