/*
 * The front runs this.  It owns the streams of events (text/event-stream).
 * The engine tells only that there is something new; each stream then asks
 * for it, one question at a time, and only while the client takes what it
 * got: so that nothing piles up for one who reads slowly, and the engine
 * decides anew each time what he may see.  While nothing happens a comment
 * tells both ends that the other is still there.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"

#define STREAMS_MAX	32		/* at once */
#define HEARTBEAT_S	15
#define RETRY_AFTER_S	30
#define TYPE		"text/event-stream"

struct stream {
	TAILQ_ENTRY(stream) entry;
	struct conn	*conn;
	struct m_req_events events;	/* the next question */
	struct m_req_jobs jobs;
	int		 begun;
	uint64_t	 asked;		/* the question under way; 0: none */
	uint32_t	 due;		/* TOLD_*: to be asked for */
	struct evbuffer	*part;
};
static TAILQ_HEAD(, stream) streams = TAILQ_HEAD_INITIALIZER(streams);
static size_t		nstreams;
static struct event	*heartbeat;

static void	stream_pump(struct conn *);

/* ---- who follows ---- */

static void
watch(int on)
{
	struct m_watch	m = { on ? 1 : 0, 0 };

	chan_send(front.engine, MSG_WATCH, 0, &m, sizeof(m), -1);
}

static void
stream_free(void *arg)
{
	struct stream	*s = arg;

	TAILQ_REMOVE(&streams, s, entry);
	if (--nstreams == 0) {
		event_del(heartbeat);
		watch(0);
	}
	evbuffer_free(s->part);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void
on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	struct stream	*s, *next;

	(void)fd;
	(void)what;
	(void)arg;
	for (s = TAILQ_FIRST(&streams); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		if (!s->begun || s->conn->complete || evbuffer_get_length(
		    bufferevent_get_output(s->conn->bev)) > 0)
			continue;
		evbuffer_add_printf(s->part, ":\n\n");
		reply_part(s->conn, s->part);
	}
}

/* Whoever may ask everything is not shut out by the others. */
static int
stream_room(const struct conn *c)
{
	size_t	most = front.conf.connections_max / 4;

	if (most > STREAMS_MAX)
		most = STREAMS_MAX;
	if (c->rank < RANK_ADMIN)
		most -= most / 4;
	return (nstreams < (most < 1 ? 1 : most));
}

static struct stream *
stream_new(struct conn *c)
{
	struct timeval	 tv = { HEARTBEAT_S, 0 };
	struct stream	*s;

	if (heartbeat == NULL && (heartbeat = event_new(front.base, -1,
	    EV_PERSIST, on_heartbeat, NULL)) == NULL)
		fatalx("event_new");
	s = xcalloc(1, sizeof(*s));
	s->conn = c;
	if ((s->part = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	TAILQ_INSERT_TAIL(&streams, s, entry);
	if (nstreams++ == 0) {
		if (event_add(heartbeat, &tv) == -1)
			fatalx("event_add");
		watch(1);
	}
	c->req->api = s;
	c->req->api_free = stream_free;
	return (s);
}

/* ---- what the client gets ---- */

/* The head; 0 when that is all. */
static int
stream_begin(struct conn *c)
{
	struct stream	*s = c->req->api;

	if (s->begun)
		return (1);
	s->begun = 1;
	c->close_after = 1;
	c->follows = 1;
	/* Proxies hold such answers back, unless they are told. */
	reply_field(c, "X-Accel-Buffering", "no");
	if (!reply_stream(c, 200, TYPE))
		return (0);
	evbuffer_add_printf(s->part, ": events of cloudbackupd\n\n");
	return (1);
}

static void
stream_end(struct conn *c, const char *why)
{
	struct stream	*s = c->req->api;

	evbuffer_add_printf(s->part, ": %s\n\n", why);
	reply_part(c, s->part);
	reply_end(c);
}

static void
stream_event(struct conn *c, const struct m_event *ev)
{
	struct stream	*s = c->req->api;
	struct json	 j;

	api_event_check(ev);
	if (!stream_begin(c))
		return;
	evbuffer_add_printf(s->part, "id: %lld\nevent: %s\ndata: ",
	    (long long)ev->id, ev->kind);
	json_init(&j, s->part, front.compat_node);
	json_event(&j, NULL, ev);
	evbuffer_add_printf(s->part, "\n\n");
}

static void
stream_job(struct conn *c, const struct m_job *job)
{
	struct stream	*s = c->req->api;
	struct json	 j;

	api_job_check(job);
	evbuffer_add_printf(s->part, "event: progress\ndata: ");
	json_init(&j, s->part, front.compat_node);
	json_job(&j, NULL, job);
	evbuffer_add_printf(s->part, "\n\n");
}

/* ---- asking ---- */

/* He may not see it, or not any more. */
static void
stream_refused(struct conn *c, const struct m_error *e)
{
	struct stream	*s = c->req->api;

	if (s->begun)
		stream_end(c, "refused");
	else
		reply_engine_error(c, e);
}

static void
on_events(struct conn *c, const struct msg *m)
{
	const struct m_events_end	*end = m->data;
	struct stream			*s = c->req->api;

	if (c->complete)		/* HEAD */
		return;
	if (m->type == MSG_REP_EVENT) {
		stream_event(c, m->data);
		return;
	}
	s->asked = 0;
	if (m->type == MSG_REP_ERROR) {
		stream_refused(c, m->data);
		return;
	}
	if (!stream_begin(c))
		return;
	s->events.after = end->last;
	s->events.flags = 0;
	if (end->more)
		s->due |= TOLD_EVENTS;
	reply_part(c, s->part);
	stream_pump(c);
}

static void
on_jobs(struct conn *c, const struct msg *m)
{
	const struct m_jobs_end	*end = m->data;
	struct stream		*s = c->req->api;

	if (c->complete)
		return;
	if (m->type == MSG_REP_JOB_ROW) {
		stream_job(c, m->data);
		return;
	}
	s->asked = 0;
	if (m->type == MSG_REP_ERROR) {
		stream_refused(c, m->data);
		return;
	}
	s->jobs.after = end->last;
	if (end->more)
		s->due |= TOLD_JOBS;
	else
		s->jobs.flags &= ~(uint32_t)JOBS_UNENDED;
	reply_part(c, s->part);
	stream_pump(c);
}

/* Asks for what is due, when the client has taken what he got. */
static void
stream_pump(struct conn *c)
{
	struct stream	*s = c->req->api;

	c->more = NULL;
	if (s->asked != 0 || s->due == 0)
		return;
	if (s->begun && evbuffer_get_length(
	    bufferevent_get_output(c->bev)) > STREAM_LOW) {
		c->more = stream_pump;
		return;
	}
	if (s->due & TOLD_EVENTS) {
		s->due &= ~(uint32_t)TOLD_EVENTS;
		s->asked = link_engine(c, MSG_REQ_EVENTS, &s->events,
		    sizeof(s->events), MSG_REP_EVENT, MSG_REP_EVENTS_END,
		    on_events);
	} else {
		s->due &= ~(uint32_t)TOLD_JOBS;
		s->asked = link_engine(c, MSG_REQ_JOBS, &s->jobs,
		    sizeof(s->jobs), MSG_REP_JOB_ROW, MSG_REP_JOBS_END,
		    on_jobs);
	}
	link_errors(s->asked);
}

void
stream_told(const struct m_news *told)
{
	struct stream	*s, *next;

	for (s = TAILQ_FIRST(&streams); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		if (s->conn->complete)
			continue;
		if ((told->what & TOLD_STOP) && s->begun) {
			stream_end(s->conn, "the daemon ends");
			continue;
		}
		s->due |= told->what & (TOLD_EVENTS | TOLD_JOBS);
		stream_pump(s->conn);
	}
}

/* ---- the request ---- */

/* Where to go on: what a client says that was here before counts most. */
static int
stream_after(struct conn *c, struct stream *s)
{
	const struct http_field	*f;
	const char		*error;
	char			 text[32];
	int64_t			 after = 0;
	int			 r;

	if ((r = api_number(c, "after", 0, INT64_MAX, &after)) == -1)
		return (-1);
	if ((f = http_field(&c->req->h, "Last-Event-ID")) != NULL &&
	    f->value.n > 0) {
		r = 1;
		error = "too long";
		text[0] = '\0';
		if (f->value.n < sizeof(text)) {
			memcpy(text, f->value.at, f->value.n);
			text[f->value.n] = '\0';
			after = strtonum(text, 0, INT64_MAX, &error);
		}
		if (error != NULL || !isdigit((unsigned char)text[0])) {
			reply_error(c, E_INVALID_PARAMETER, "Last-Event-ID "
			    "is not the id of an event.");
			return (-1);
		}
	}
	s->events.after = after;
	s->events.flags = r == 1 ? 0 : EVENTS_NEWEST;
	return (0);
}

void
stream_start(struct conn *c)
{
	struct stream	*s;

	if (!stream_room(c)) {
		reply_field(c, "Retry-After", "%d", RETRY_AFTER_S);
		reply_error(c, E_BUSY, "As many as may follow the events do "
		    "so already.");
		return;
	}
	s = stream_new(c);
	if (api_query(c, "database", s->events.database,
	    sizeof(s->events.database)) == -1 || stream_after(c, s) == -1)
		return;
	link_asker(c, &s->events.asker);
	s->events.limit = LIST_PAGE_ROWS;
	s->jobs.asker = s->events.asker;
	util_copy(s->jobs.database, s->events.database);
	s->jobs.flags = JOBS_MOVED | JOBS_UNENDED;
	s->due = TOLD_EVENTS | TOLD_JOBS;
	stream_pump(c);
}
