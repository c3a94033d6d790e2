/*
 * The test server's connections, one thread each.  Owns a socket and a
 * window of fixed size; knows nothing of files or of what is asked.
 */
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "regress/remote/conn.h"

#define LINGER_MS		2000
#define SEND_BYTES		(4 * 1024 * 1024)
#define SLOW_WINDOW_BYTES	16384

struct conn *
conn_new(int s)
{
	struct conn	*c;
	int		 on = 1;

	c = xcalloc(1, sizeof(*c));
	c->window = xmalloc(CONN_WINDOW_BYTES);
	c->s = s;
	c->reset_after = UINT64_MAX;
	(void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return (c);
}

void
conn_free(struct conn *c)
{
	if (c->s != -1)
		close(c->s);
	free(c->window);
	free(c);
}

/* The size of the next piece: a tenth of a second's worth when slow. */
static size_t
conn_piece(const struct conn *c, uint64_t left, size_t most)
{
	uint64_t	n = most;

	if (c->slow != 0 && n > c->slow / 10 + 1)
		n = c->slow / 10 + 1;
	return (left < n ? left : n);
}

static void
conn_pace(const struct conn *c, size_t n)
{
	struct timespec	ts;
	uint64_t	us;

	if (c->slow == 0)
		return;
	us = n * 1000000ULL / c->slow;
	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

static void
conn_compact(struct conn *c)
{
	if (c->start == 0)
		return;
	memmove(c->window, c->window + c->start, c->end - c->start);
	c->end -= c->start;
	c->start = 0;
}

static ssize_t
conn_receive(struct conn *c, size_t want, int flags)
{
	ssize_t	n;

	do {
		n = recv(c->s, c->window + c->end, want, flags);
	} while (n == -1 && errno == EINTR);
	if (n > 0)
		c->end += n;
	else
		c->broken = 1;
	return (n);
}

int
conn_head(struct conn *c, char **head)
{
	char	*stop;
	ssize_t	 n;

	c->body_left = c->body_got = 0;
	c->reset_after = UINT64_MAX;
	c->slow = 0;
	conn_compact(c);
	for (;;) {
		/* RFC 9112, 2.2: empty lines before a request are nothing. */
		while (c->end - c->start >= 2 &&
		    memcmp(c->window + c->start, "\r\n", 2) == 0)
			c->start += 2;
		stop = memmem(c->window + c->start, c->end - c->start,
		    "\r\n\r\n", 4);
		if (stop != NULL)
			break;
		if (c->end - c->start >= CONN_HEAD_BYTES)
			return (-1);
		n = conn_receive(c, CONN_HEAD_BYTES, 0);
		if (n <= 0)
			return (n == 0 && c->end == c->start ? 0 : -1);
	}
	*stop = '\0';
	*head = c->window + c->start;
	/* A NUL would hide the lines behind it. */
	if (strlen(*head) != (size_t)(stop - *head))
		return (-1);
	c->start = stop + 4 - c->window;
	return (1);
}

const char *
conn_body(const struct conn *c, size_t *size)
{
	*size = c->end - c->start;
	if (*size > c->body_left)
		*size = c->body_left;
	return (c->window + c->start);
}

void
conn_take(struct conn *c, size_t n)
{
	c->start += n;
	c->body_left -= n;
}

int
conn_more(struct conn *c)
{
	size_t		have, want;
	uint64_t	left;
	ssize_t		n;
	int		small = SLOW_WINDOW_BYTES;

	conn_body(c, &have);
	left = c->body_left - have;
	if (left == 0)
		return (0);
	conn_compact(c);
	want = CONN_WINDOW_BYTES - c->end;
	if (want == 0)
		return (0);
	if (c->slow != 0)
		(void)setsockopt(c->s, SOL_SOCKET, SO_RCVBUF, &small,
		    sizeof(small));
	want = conn_piece(c, left, want);
	/* Few large pieces: each becomes one write to the disk. */
	n = conn_receive(c, want, MSG_WAITALL);
	if (n <= 0)
		return (-1);
	c->body_got += n;
	if (c->body_got >= c->reset_after) {
		conn_reset(c);
		return (-1);
	}
	conn_pace(c, n);
	return (1);
}

int
conn_discard(struct conn *c)
{
	size_t	n;
	int	more;

	do {
		conn_body(c, &n);
		conn_take(c, n);
		more = conn_more(c);
	} while (more == 1);
	return (more);
}

int
conn_send(struct conn *c, const void *data, size_t size)
{
	const char	*p = data;
	ssize_t		 n;

	while (size > 0) {
		n = send(c->s, p, conn_piece(c, size, SEND_BYTES),
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			c->broken = 1;
			return (-1);
		}
		p += n;
		size -= n;
		conn_pace(c, n);
	}
	return (0);
}

int
conn_sendfile(struct conn *c, int fd, uint64_t size)
{
	off_t	at = 0;
	ssize_t	n;

	while (size > 0) {
		n = sendfile(c->s, fd, &at, conn_piece(c, size, SEND_BYTES));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			c->broken = 1;
			return (-1);
		}
		size -= n;
		conn_pace(c, n);
	}
	return (0);
}

void
conn_reset(struct conn *c)
{
	struct linger	now = { .l_onoff = 1, .l_linger = 0 };

	c->broken = 1;
	if (c->s == -1)
		return;
	(void)setsockopt(c->s, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->s);
	c->s = -1;
}

void
conn_hang(struct conn *c)
{
	struct pollfd	pfd = { .fd = c->s, .events = POLLRDHUP };

	c->broken = 1;
	while (poll(&pfd, 1, -1) == -1 && errno == EINTR)
		;
}

void
conn_linger(struct conn *c)
{
	struct pollfd	pfd = { .fd = c->s, .events = POLLIN };
	uint64_t	until;

	c->broken = 1;
	if (c->s == -1 || shutdown(c->s, SHUT_WR) == -1)
		return;
	until = util_monotonic_us() + LINGER_MS * 1000;
	while (util_monotonic_us() < until && poll(&pfd, 1, 100) >= 0) {
		if (pfd.revents == 0)
			continue;
		if (recv(c->s, c->window, CONN_WINDOW_BYTES, 0) <= 0)
			return;
	}
}
