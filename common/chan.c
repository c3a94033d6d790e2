/*
 * Every program runs this.  A channel owns its socket, the messages that
 * wait to be sent with their descriptors, and the descriptors that arrived
 * ahead of their messages.
 *
 * A descriptor goes with the first byte of its message, in a sendmsg of
 * its own, so that the reader can pair them in order.  The reader never
 * calls recvmsg without a free descriptor at hand: the kernel would drop
 * what it cannot install (unix(7), MSG_CTRUNC).
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"

#define CHAN_MAGIC	0x43424431	/* "CBD1" */
#define CHAN_FD		0x01
#define IN_BYTES	(64 * 1024)
#define FDS_AHEAD	128
#define PAYLOAD_MAX	16384
#define SEND_MESSAGES	16		/* in one sendmsg at most */

struct wire {				/* the header of each message */
	uint32_t	magic;
	uint32_t	type;
	uint32_t	size;		/* of the payload */
	uint32_t	flags;
	uint64_t	id;
};

struct out {
	STAILQ_ENTRY(out) entry;
	size_t		 size, sent;
	int		 fd;
	unsigned char	 bytes[];
};

union fd_control {
	struct cmsghdr	align;
	char		bytes[CMSG_SPACE(sizeof(int))];
};

union fds_control {
	struct cmsghdr	align;
	char		bytes[CMSG_SPACE(sizeof(int) * 16)];
};

struct chan {
	int		 sock;
	enum role	 me, peer;
	STAILQ_HEAD(, out) outq;
	size_t		 queued;
	unsigned char	 in[IN_BYTES];
	size_t		 in_start, in_end;
	int		 fds[FDS_AHEAD];
	size_t		 nfds;
	union {
		uint64_t	align;
		unsigned char	bytes[PAYLOAD_MAX];
	}		 payload;
	char		 error[128];
	struct chan_hooks hooks;
};

struct chan *
chan_new(int s, enum role me, enum role peer)
{
	struct chan	*c;
	int		 flags;

	if ((flags = fcntl(s, F_GETFL)) == -1 ||
	    fcntl(s, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("channel to %s: fcntl", role_name(peer));
	c = xcalloc(1, sizeof(*c));
	c->sock = s;
	c->me = me;
	c->peer = peer;
	STAILQ_INIT(&c->outq);
	return (c);
}

void
chan_free(struct chan *c)
{
	struct out	*o;
	size_t		 i;

	if (c == NULL)
		return;
	if (c->hooks.released != NULL)
		c->hooks.released(c->hooks.arg);
	while ((o = STAILQ_FIRST(&c->outq)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->outq, entry);
		if (o->fd != -1)
			close(o->fd);
		freezero(o, sizeof(*o) + o->size);
	}
	for (i = 0; i < c->nfds; i++)
		close(c->fds[i]);
	close(c->sock);
	freezero(c, sizeof(*c));	/* secrets pass through */
}

int
chan_socket(const struct chan *c)
{
	return (c->sock);
}

void
chan_hook(struct chan *c, const struct chan_hooks *hooks)
{
	c->hooks = *hooks;
}

void *
chan_hooks_arg(const struct chan *c)
{
	return (c->hooks.arg);
}

size_t
chan_queued(const struct chan *c)
{
	return (c->queued);
}

const char *
chan_error(const struct chan *c)
{
	return (c->error[0] != '\0' ? c->error : "closed");
}

static int
chan_broken(struct chan *c, uint32_t type, const char *why)
{
	const struct msg_desc	*d = msg_desc(type);

	snprintf(c->error, sizeof(c->error), "%s sent a bad message (%s, %u): %s",
	    role_name(c->peer), d == NULL ? "?" : d->name, type, why);
	return (-1);
}

void
chan_send(struct chan *c, enum msg_type type, uint64_t id,
    const void *payload, size_t size, int fd)
{
	struct wire	 w;
	struct out	*o;
	const char	*why;

	if ((why = msg_check(type, c->me, c->peer, size, fd != -1)) != NULL)
		fatalx("sending message %d to %s: %s", (int)type,
		    role_name(c->peer), why);
	memset(&w, 0, sizeof(w));
	w.magic = CHAN_MAGIC;
	w.type = type;
	w.size = (uint32_t)size;
	w.flags = fd != -1 ? CHAN_FD : 0;
	w.id = id;
	o = xmalloc(sizeof(*o) + sizeof(w) + size);
	o->size = sizeof(w) + size;
	o->sent = 0;
	o->fd = fd;
	memcpy(o->bytes, &w, sizeof(w));
	memcpy(o->bytes + sizeof(w), payload, size);
	STAILQ_INSERT_TAIL(&c->outq, o, entry);
	c->queued += o->size;
	if (c->hooks.queued != NULL)
		c->hooks.queued(c->hooks.arg);
}

/* The first message alone, if it has a descriptor; else as many as follow
 * and have none. */
static ssize_t
send_some(struct chan *c)
{
	struct iovec		 iov[SEND_MESSAGES];
	struct msghdr		 m;
	union fd_control	 control;
	struct cmsghdr		*h;
	struct out		*o, *first = STAILQ_FIRST(&c->outq);
	size_t			 n = 0;

	STAILQ_FOREACH(o, &c->outq, entry) {
		if (n == SEND_MESSAGES || (n > 0 &&
		    (o->fd != -1 || first->fd != -1)))
			break;
		iov[n].iov_base = o->bytes + o->sent;
		iov[n++].iov_len = o->size - o->sent;
	}
	memset(&m, 0, sizeof(m));
	m.msg_iov = iov;
	m.msg_iovlen = n;
	if (first->fd != -1) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &first->fd, sizeof(int));
	}
	return (sendmsg(c->sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* The kernel took n bytes; 1 when that was all of the last message. */
static int
sent(struct chan *c, size_t n)
{
	struct out	*o;
	size_t		 part;

	while (n > 0) {
		o = STAILQ_FIRST(&c->outq);
		if (o->fd != -1) {	/* went with the first byte */
			close(o->fd);
			o->fd = -1;
		}
		part = o->size - o->sent < n ? o->size - o->sent : n;
		o->sent += part;
		c->queued -= part;
		n -= part;
		if (o->sent < o->size)
			return (0);
		STAILQ_REMOVE_HEAD(&c->outq, entry);
		freezero(o, sizeof(*o) + o->size);
	}
	return (1);
}

int
chan_write(struct chan *c)
{
	ssize_t	n;

	while (!STAILQ_EMPTY(&c->outq)) {
		if ((n = send_some(c)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN || errno == ENOBUFS ||
			    errno == ETOOMANYREFS)
				return (0);
			return (-1);
		}
		if (!sent(c, (size_t)n))
			return (0);
	}
	return (1);
}

/* Is there room for the descriptors that one recvmsg may bring? */
static int
descriptor_free(const struct chan *c)
{
	int	fd;

	if (c->nfds + 16 > FDS_AHEAD)
		return (0);
	if ((fd = fcntl(c->sock, F_DUPFD_CLOEXEC, 0)) == -1)
		return (0);
	close(fd);
	return (1);
}

static int
take_descriptors(struct chan *c, struct msghdr *m)
{
	struct cmsghdr	*h;
	size_t		 n, i;

	for (h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++)
			memcpy(&c->fds[c->nfds++],
			    CMSG_DATA(h) + i * sizeof(int), sizeof(int));
	}
	if (m->msg_flags & MSG_CTRUNC) {
		errno = EMFILE;
		return (chan_broken(c, 0, "a descriptor was lost in transit"));
	}
	return (0);
}

int
chan_read(struct chan *c)
{
	struct iovec		iov;
	struct msghdr		m;
	union fds_control	control;
	ssize_t			n;

	if (!descriptor_free(c))
		return (-2);
	if (c->in_start > 0) {
		memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
		c->in_end -= c->in_start;
		c->in_start = 0;
	}
	if (c->in_end == sizeof(c->in))
		return (1);		/* chan_get empties it */
	memset(&m, 0, sizeof(m));
	iov.iov_base = c->in + c->in_end;
	iov.iov_len = sizeof(c->in) - c->in_end;
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	m.msg_control = control.bytes;
	m.msg_controllen = sizeof(control.bytes);
	if ((n = recvmsg(c->sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) == -1)
		return (errno == EAGAIN || errno == EINTR ? 0 : -1);
	if (take_descriptors(c, &m) == -1)
		return (-1);
	if (n == 0) {
		errno = 0;
		return (-1);
	}
	c->in_end += (size_t)n;
	return (1);
}

/*
 * The next message is not whole yet.  It can have brought one descriptor,
 * with its first byte: more would pile up until nothing can be read.
 */
static int
incomplete(struct chan *c, size_t have)
{
	if (c->nfds > (have > 0 ? 1 : 0))
		return (chan_broken(c, 0, "descriptor that no message has"));
	return (0);
}

int
chan_get(struct chan *c, struct msg *m)
{
	struct wire	 w;
	const char	*why;
	size_t		 have = c->in_end - c->in_start;

	if (c->error[0] != '\0')
		return (-1);
	if (have < sizeof(w))
		return (incomplete(c, have));
	memcpy(&w, c->in + c->in_start, sizeof(w));
	if (w.magic != CHAN_MAGIC || w.size > PAYLOAD_MAX ||
	    (w.flags & ~(uint32_t)CHAN_FD) != 0)
		return (chan_broken(c, w.type, "no header of ours"));
	/* Checked before the payload is there: half a message is not
	 * waited for when it could never be right. */
	if ((why = msg_check(w.type, c->peer, c->me, w.size,
	    (w.flags & CHAN_FD) != 0)) != NULL)
		return (chan_broken(c, w.type, why));
	if (have < sizeof(w) + w.size)
		return (incomplete(c, have));
	m->fd = -1;
	if (w.flags & CHAN_FD) {
		if (c->nfds == 0)
			return (chan_broken(c, w.type, "descriptor missing"));
		m->fd = c->fds[0];
		memmove(c->fds, c->fds + 1, --c->nfds * sizeof(c->fds[0]));
	}
	memcpy(c->payload.bytes, c->in + c->in_start + sizeof(w), w.size);
	m->type = w.type;
	m->id = w.id;
	m->data = c->payload.bytes;
	c->in_start += sizeof(w) + w.size;
	if (c->in_start == c->in_end && c->nfds > 0) {
		if (m->fd != -1)
			close(m->fd);
		return (chan_broken(c, w.type, "descriptor that no message has"));
	}
	return (1);
}

void
chan_wipe(struct chan *c)
{
	explicit_bzero(c->payload.bytes, sizeof(c->payload.bytes));
	explicit_bzero(c->in, c->in_start);
	explicit_bzero(c->in + c->in_end, sizeof(c->in) - c->in_end);
}

static int
wait_for(struct chan *c, short events, int timeout_ms)
{
	struct pollfd	pfd;

	pfd.fd = c->sock;
	pfd.events = events;
	return (poll(&pfd, 1, timeout_ms));
}

int
chan_wait(struct chan *c, struct msg *m, int timeout_ms)
{
	uint64_t	end_us = 0;
	int		r, left = timeout_ms;

	if (timeout_ms >= 0)
		end_us = util_monotonic_us() + (uint64_t)timeout_ms * 1000;
	for (;;) {
		if ((r = chan_get(c, m)) != 0)
			return (r);
		if (timeout_ms >= 0) {
			uint64_t now = util_monotonic_us();

			left = now >= end_us ? 0 : (int)((end_us - now) / 1000) + 1;
		}
		if ((r = wait_for(c, POLLIN, left)) == 0)
			return (0);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1 || chan_read(c) == -1)
			return (-1);
	}
}

int
chan_drain(struct chan *c)
{
	int	r;

	while ((r = chan_write(c)) == 0) {
		if (wait_for(c, POLLOUT, -1) == -1 && errno != EINTR)
			return (-1);
	}
	return (r == 1 ? 0 : -1);
}
