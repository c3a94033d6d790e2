/*
 * The network process runs this: a backup from an S3 server to a file.
 * When the connection breaks, it goes on from where that was, as long as
 * the object is still the same by its ETag.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/s3.h"

#define BROKEN_MAX	20		/* in all */
#define STUCK_MAX	3		/* in a row, without a byte */
#define PAUSE_MS	250

struct get {
	struct s3_state		 base;
	struct s3_request	*r;
	struct event		*pause;
	uint64_t		 have;	/* bytes in the file */
	char			 etag[S3_ETAG_BYTES];
	int			 broken, stuck;
};

static void	ask(struct task *);

static void
get_stop(struct task *t)
{
	struct get	*g = t->state;

	s3_request_free(g->r);
	event_free(g->pause);
	free(g);
}

static void
on_progress(struct s3_request *r, void *arg)
{
	task_progress(arg, r->x->from + r->x->offset);
}

static void
on_pause(evutil_socket_t s, short what, void *arg)
{
	(void)s;
	(void)what;
	ask(arg);
}

/* Is it worth asking for the rest?  Waits, then, and does. */
static int
go_on(struct task *t, struct s3_request *r, uint64_t now_have)
{
	struct get	*g = t->state;
	struct timeval	 tv = { 0, 0 };
	int		 changed = r->result.http_status == 412;

	if (r->result.outcome != NET_AWAY && r->result.outcome !=
	    NET_TIMED_OUT && !changed && r->result.http_status != 416)
		return (0);
	if (r->result.retry_after_s != 0 || ++g->broken > BROKEN_MAX)
		return (0);
	g->stuck = now_have > g->have ? 0 : g->stuck + 1;
	if (g->stuck > STUCK_MAX)
		return (0);
	g->have = now_have;
	if (changed || r->result.http_status == 416) {
		/* Another object by now: all of it. */
		g->have = 0;
		g->etag[0] = '\0';
	}
	tv.tv_usec = PAUSE_MS * 1000 << g->stuck;
	tv.tv_sec = tv.tv_usec / 1000000;
	tv.tv_usec %= 1000000;
	if (event_add(g->pause, &tv) == -1)
		fatalx("event_add");
	return (1);
}

/* A 206 must be of the place that was asked for. */
static int
range_fits(struct s3_request *r)
{
	char	want[48];

	if (r->result.http_status != 206)
		return (1);
	(void)snprintf(want, sizeof(want), "bytes %llu-",
	    (unsigned long long)r->x->from);
	return (strncmp(s3_request_answer(r, "content-range"), want,
	    strlen(want)) == 0);
}

static void
on_answer(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct get	*g = t->state;
	uint64_t	 have = r->x->from + r->x->offset;

	if (r->result.http_status == 200)
		s3_request_etag(r, g->etag);
	if (!range_fits(r)) {
		result_set(&r->result, NET_GARBAGE, "%s sends another part of "
		    "the backup than was asked for", t->remote->host);
		task_finish(t, &r->result, NULL, g->have);
		return;
	}
	if (r->result.outcome != NET_OK) {
		if (!go_on(t, r, have))
			task_finish(t, &r->result, NULL, have);
		return;
	}
	if (ftruncate(t->fd, (off_t)have) == -1)
		task_finish_errno(t, "cannot write the backup's file");
	else
		task_finish(t, &r->result, NULL, have);
}

static void
ask(struct task *t)
{
	const struct m_net_fetch	*f = t->u.fetch;
	struct get			*g = t->state;
	char				 text[S3_ETAG_BYTES + 48];

	s3_request_free(g->r);
	g->r = s3_request_new(t->remote, REQUEST_GET, "GET", f->remote_id);
	/* Without an ETag nothing says that it is the same. */
	if (g->etag[0] == '\0')
		g->have = 0;
	if (g->have > 0) {
		(void)snprintf(text, sizeof(text), "bytes=%llu-",
		    (unsigned long long)g->have);
		s3_request_header(g->r, "range", text);
		(void)snprintf(text, sizeof(text), "\"%s\"", g->etag);
		s3_request_header(g->r, "if-match", text);
	}
	s3_request_receive(g->r, t->fd, g->have, f->size_max);
	s3_request_start(g->r, on_progress, on_answer, t);
}

void
s3_get(struct task *t)
{
	struct get	*g;

	if (t->remote->s3->host[0] == '\0' ||
	    !s3_key_ok(t->u.fetch->remote_id)) {
		task_finish_with(t, NET_REFUSED, "this is no key that a "
		    "backup in a bucket has");
		return;
	}
	if (ftruncate(t->fd, 0) == -1) {
		task_finish_errno(t, "cannot write the backup's file");
		return;
	}
	g = xcalloc(1, sizeof(*g));
	g->base.stop = get_stop;
	t->state = g;
	if ((g->pause = event_new(curl_loop_base(), -1, 0, on_pause, t)) ==
	    NULL)
		fatalx("event_new");
	ask(t);
}
