/*
 * The front runs this.  It owns the way of an answer's bytes into the
 * kernel.  They are written at once, when the handlers have returned: the
 * loop is asked to wait for room only when the kernel has none.  With TLS
 * the bufferevent does all of that.
 */
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>

#include "common/log.h"
#include "common/sendfile.h"
#include "common/util.h"
#include "daemon/front/front.h"

#define WRITE_MAX	(256 * 1024)	/* bytes in one call */
#define PROGRESS_BYTES	(16 * 1024)	/* in WRITE_US, or he is too slow */

static struct conn_list		due = TAILQ_HEAD_INITIALIZER(due);
static struct event		*flusher;

int
output_waiting(void)
{
	const struct conn	*c;

	TAILQ_FOREACH(c, &conns, entry) {
		if (c->state == CONN_WRITE && evbuffer_get_length(
		    bufferevent_get_output(c->bev)) > 0)
			return (1);
	}
	return (0);
}

static void
output_moved(struct conn *c, size_t n, size_t left)
{
	c->moved += n;
	c->sent += n;
	/* Who has taken all there is has not been slow. */
	if (c->moved < PROGRESS_BYTES && left > 0)
		return;
	c->moved = 0;
	c->progress_us = util_monotonic_us();
}

static void
on_output_moved(struct evbuffer *out, const struct evbuffer_cb_info *info,
    void *arg)
{
	output_moved(arg, info->n_deleted, evbuffer_get_length(out));
}

ssize_t
output_send_file(struct conn *c, int fd, off_t at, size_t size)
{
	ssize_t	n;

	if (evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
		return (0);
	n = sendfile_some(c->fd, fd, at, size);
	if (n == -1)
		return (errno == EAGAIN || errno == EINTR ? 0 : -1);
	output_moved(c, (size_t)n, size - (size_t)n);
	return (n);
}

/* What is in the output, as much of it as the kernel takes: 0, or -1 when
 * the client is gone. */
static int
output_write(struct conn *c, struct evbuffer *out)
{
	int	n;

	if (evbuffer_get_length(out) == 0)
		return (0);
	/* The bufferevent keeps all others from its buffer. */
	evbuffer_unfreeze(out, 1);
	n = evbuffer_write_atmost(out, c->fd, WRITE_MAX);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return (-1);
	evbuffer_freeze(out, 1);
	return (0);
}

static void
output_flush(struct conn *c)
{
	struct evbuffer	*out = bufferevent_get_output(c->bev);

	output_forget(c);
	if (output_write(c, out) == -1) {
		conn_close(c);
		return;
	}
	if (evbuffer_get_length(out) > 0 ||
	    (c->state == CONN_WRITE && !c->complete)) {
		if (bufferevent_enable(c->bev, EV_WRITE) == -1)
			conn_close(c);
	} else if (c->state == CONN_WRITE)
		conn_answered(c);
}

void
output_push(struct conn *c)
{
	if (c->state != CONN_DEAD && c->flushing)
		output_flush(c);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval	 at_once = { 0, 0 };
	struct conn		*c, *last = TAILQ_LAST(&due, conn_list);

	(void)fd;
	(void)what;
	(void)arg;
	while ((c = TAILQ_FIRST(&due)) != NULL) {
		output_flush(c);
		if (c == last)
			break;
	}
	/* Who sent many requests at once lets others have a turn. */
	if (!TAILQ_EMPTY(&due) && event_add(flusher, &at_once) == -1)
		fatalx("event_add");
}

void
output_soon(struct conn *c)
{
	if (c->tls || c->flushing)
		return;
	c->flushing = 1;
	TAILQ_INSERT_TAIL(&due, c, flush);
	event_active(flusher, EV_TIMEOUT, 1);
}

void
output_forget(struct conn *c)
{
	if (c->flushing)
		TAILQ_REMOVE(&due, c, flush);
	c->flushing = 0;
}

void
output_idle(struct conn *c)
{
	if (!c->tls && bufferevent_disable(c->bev, EV_WRITE) == -1)
		fatalx("bufferevent_disable");
}

void
output_init(struct conn *c)
{
	if (flusher == NULL && (flusher = event_new(front.base, -1, 0,
	    on_flush, NULL)) == NULL)
		fatalx("event_new");
	bufferevent_set_max_single_write(c->bev, WRITE_MAX);
	if (evbuffer_add_cb(bufferevent_get_output(c->bev), on_output_moved,
	    c) == NULL)
		fatalx("no memory for a connection");
	output_idle(c);
}
