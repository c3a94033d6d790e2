/*
 * The front runs this: GET /status, which is streamed as the engine tells
 * it, a page of databases at a time, and never held.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"

#define PART_BYTES	(16 * 1024)

/* What the answer is at; they come in this order. */
enum section { IN_NOTHING, IN_DATABASES, IN_ALARMS, IN_REMOTES };

struct status {
	struct m_req_status req;
	enum section	 section;
	int		 in_database;	/* whose alarms are still to come */
	struct evbuffer	*part;
	struct json	 json;
};

static void	status_page(struct conn *);

static void
status_free(void *arg)
{
	struct status	*s = arg;

	if (s->part != NULL)
		evbuffer_free(s->part);
	free(s);
}

/* ---- what the engine tells is looked at ---- */

static void
row_check(const struct m_status_row *r)
{
	const struct m_status_database	*d = &r->u.database;
	int				 fits = 0;

	switch (r->kind) {
	case STATUS_DATABASE:
		fits = msg_text_ok(d->database) && msg_text_ok(d->path) &&
		    msg_text_ok(d->last_result) &&
		    msg_text_ok(d->drill_result);
		break;
	case STATUS_ALARM:
	case STATUS_ALARM_OF_ALL:
		fits = msg_text_ok(r->u.alarm.kind) &&
		    msg_text_ok(r->u.alarm.text);
		break;
	case STATUS_REMOTE:
		fits = msg_text_ok(r->u.remote.name) &&
		    msg_text_ok(r->u.remote.last_error) &&
		    r->u.remote.kind <= REMOTE_S3;
		break;
	}
	if (!fits)
		fatalx("engine sent a status that is none");
}

/* ---- the answer ---- */

static void
database_end(struct status *s)
{
	if (!s->in_database)
		return;
	json_close(&s->json, ']');
	json_close(&s->json, '}');
	s->in_database = 0;
}

/* From one section to a later one; each is there, be it empty. */
static void
section_enter(struct status *s, enum section section)
{
	static const char *const	names[] = { NULL, "databases",
					    "alarms", "remotes" };

	database_end(s);
	if (section < s->section)
		fatalx("engine tells the status out of order");
	while (s->section < section) {
		if (s->section != IN_NOTHING)
			json_close(&s->json, ']');
		json_array(&s->json, names[++s->section]);
	}
}

static int
status_begin(struct conn *c)
{
	struct status	*s = c->req->api;

	if (s->section != IN_NOTHING)
		return (1);
	if (!reply_stream(c, 200, REPLY_JSON))
		return (0);
	json_init(&s->json, s->part, front.compat_node);
	json_success(&s->json, "How everything is.");
	json_object(&s->json, "data");
	section_enter(s, IN_DATABASES);
	return (1);
}

static void
on_row(struct conn *c, const struct m_status_row *r)
{
	struct status	*s = c->req->api;

	row_check(r);
	if (!status_begin(c))
		return;
	switch (r->kind) {
	case STATUS_DATABASE:
		section_enter(s, IN_DATABASES);
		json_status(&s->json, &r->u.database);
		s->in_database = 1;
		break;
	case STATUS_ALARM:
		if (!s->in_database)
			fatalx("engine tells the alarm of no database");
		json_status_alarm(&s->json, &r->u.alarm);
		break;
	case STATUS_ALARM_OF_ALL:
		section_enter(s, IN_ALARMS);
		json_status_alarm(&s->json, &r->u.alarm);
		break;
	case STATUS_REMOTE:
		section_enter(s, IN_REMOTES);
		json_status_remote(&s->json, &r->u.remote);
		break;
	}
	if (evbuffer_get_length(s->part) >= PART_BYTES)
		reply_part(c, s->part);
}

static void
status_end(struct conn *c, const struct m_status_end *end)
{
	struct status	*s = c->req->api;
	struct json	*j = &s->json;

	section_enter(s, IN_REMOTES);
	json_close(j, ']');
	json_text(j, "version", VERSION);
	json_time(j, "started_at", end->started_ms);
	json_time(j, "now", end->now_ms);
	json_uint(j, "jobs_running", end->jobs_running);
	json_uint(j, "jobs_queued", end->jobs_queued);
	json_close(j, '}');
	json_close(j, '}');
	reply_part(c, s->part);
	reply_end(c);
}

static void
on_page(struct conn *c, const struct msg *m)
{
	const struct m_status_end	*end = m->data;
	struct status			*s = c->req->api;

	if (m->type == MSG_REP_STATUS_ROW) {
		on_row(c, m->data);
		return;
	}
	if (end->next != 0 && end->next <= s->req.first)
		fatalx("engine goes round in circles");
	if (!status_begin(c))
		return;
	if (end->next == 0) {
		status_end(c, end);
		return;
	}
	s->req.first = end->next;
	if (evbuffer_get_length(s->part) > 0)
		reply_part(c, s->part);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) > STREAM_LOW)
		c->more = status_page;
	else
		status_page(c);
}

static void
status_page(struct conn *c)
{
	struct status	*s = c->req->api;

	c->more = NULL;
	link_engine(c, MSG_REQ_STATUS, &s->req, sizeof(s->req),
	    MSG_REP_STATUS_ROW, MSG_REP_STATUS_END, on_page);
}

void
api_status(struct conn *c)
{
	struct status	*s;

	s = xcalloc(1, sizeof(*s));
	c->req->api = s;
	c->req->api_free = status_free;
	if (api_query(c, "database", s->req.database,
	    sizeof(s->req.database)) == -1)
		return;
	if ((s->part = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	link_asker(c, &s->req.asker);
	status_page(c);
}
