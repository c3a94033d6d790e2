/*
 * A channel that gets arbitrary bytes.  The input is a list of pieces, each
 * with a byte before it that tells how long it is and how many descriptors
 * go with it, or that a whole right header is put before it.
 */
#include <sys/socket.h>

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/log.h"

#define MAGIC		0x43424431
#define PIECE_MAX	8192

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static volatile unsigned char	sink;	/* so that payloads are read */

struct wire {
	uint32_t	magic;
	uint32_t	type;
	uint32_t	size;
	uint32_t	flags;
	uint64_t	id;
};

static int
send_piece(int sock, const void *bytes, size_t size, unsigned nfds)
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(sizeof(int) * 4)];
	}		 control;
	struct iovec	 iov;
	struct msghdr	 m;
	struct cmsghdr	*h;
	int		 fds[4] = { 0, 0, 0, 0 };

	memset(&m, 0, sizeof(m));
	iov.iov_base = (void *)(uintptr_t)bytes;
	iov.iov_len = size;
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * nfds);
	}
	return (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)size ? 0 : -1);
}

/* 0 to go on, -1 the channel is broken. */
static int
take(struct chan *c, enum role from, enum role to)
{
	const struct msg_desc	*d;
	const unsigned char	*p;
	struct msg		 m;
	size_t			 i;
	int			 r;

	if (chan_read(c) == -1)
		return (-1);
	while ((r = chan_get(c, &m)) == 1) {
		if ((d = msg_desc(m.type)) == NULL || d->from != from ||
		    d->to != to || (m.fd != -1) != (d->fd != 0))
			abort();
		p = m.data;
		for (i = 0; i < d->size; i++)
			sink ^= p[i];
		if (m.fd != -1 && close(m.fd) == -1)
			abort();
	}
	/* Once broken, always broken, and with a reason. */
	if (r == -1 && (chan_get(c, &m) != -1 || chan_error(c)[0] == '\0'))
		abort();
	return (r);
}

/* A header that fits the byte's type, so that payloads are reached too. */
static size_t
right_header(uint8_t which, uint8_t *dst)
{
	const struct msg_desc	*d;
	struct wire		 w;

	memset(&w, 0, sizeof(w));
	w.magic = MAGIC;
	w.type = 1 + which % (MSG_COUNT - 1);
	d = msg_desc(w.type);
	w.size = (uint32_t)d->size;
	w.flags = (uint32_t)d->fd;
	memcpy(dst, &w, sizeof(w));
	return (sizeof(w));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum role	roles[][2] = {
		{ ROLE_FRONT, ROLE_ENGINE }, { ROLE_ENGINE, ROLE_FRONT },
		{ ROLE_NETWORK, ROLE_ENGINE }, { ROLE_ENGINE, ROLE_NETWORK },
		{ ROLE_WORKER, ROLE_ENGINE }, { ROLE_ENGINE, ROLE_WORKER },
		{ ROLE_FRONT, ROLE_NETWORK }, { ROLE_NETWORK, ROLE_FRONT },
	};
	struct chan	*c;
	uint8_t		 piece[sizeof(struct wire) + PIECE_MAX], how;
	size_t		 n, have;
	int		 sv[2], which;

	if (size < 1)
		return (0);
	signal(SIGPIPE, SIG_IGN);
	which = data[0] % 8;
	data++, size--;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		abort();
	c = chan_new(sv[1], roles[which][1], roles[which][0]);
	while (size > 2) {
		how = data[0];
		have = how & 0x80 ? right_header(data[1], piece) : 0;
		n = (size_t)data[1] * (how & 0x40 ? 32 : 1);
		data += 2, size -= 2;
		if (how & 0x20)		/* all of a right payload, zeros */
			memset(piece + have, 0, PIECE_MAX);
		if (n > size)
			n = size;
		memcpy(piece + have, data, n);
		data += n, size -= n;
		if (have > 0 && (how & 0x20)) {
			struct wire w;

			memcpy(&w, piece, sizeof(w));
			n = w.size < PIECE_MAX ? w.size : PIECE_MAX;
		}
		if (have + n == 0)
			continue;
		if (send_piece(sv[0], piece, have + n, how & 3) == -1 ||
		    take(c, roles[which][0], roles[which][1]) == -1)
			break;
	}
	close(sv[0]);
	while (take(c, roles[which][0], roles[which][1]) != -1)
		;
	chan_free(c);
	return (0);
}
