/*
 * The front runs this.  It owns the calls about what happened and what
 * goes on: pages of events, the jobs that are known, acknowledgement.  A
 * list passes through page by page, as the client takes it.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/request.h"

#define LIMIT_MAX	1000
#define LIMIT_DEFAULT	100

/* A list that is being answered; one of the two questions. */
struct pages {
	struct m_req_events events;
	struct m_req_jobs jobs;
	int		 begun;
	uint32_t	 left;		/* events, to be given yet */
	int		 more;
	struct evbuffer	*part;
	struct json	 json;
};

static void	events_page(struct conn *);
static void	jobs_page(struct conn *);

static void
pages_free(void *arg)
{
	struct pages	*p = arg;

	if (p->part != NULL)
		evbuffer_free(p->part);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

static struct pages *
pages_new(struct conn *c)
{
	struct pages	*p;

	p = xcalloc(1, sizeof(*p));
	if ((p->part = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	c->req->api = p;
	c->req->api_free = pages_free;
	return (p);
}

/* The head and what comes before the entries; 0 when that is all. */
static int
pages_begin(struct conn *c, const char *message)
{
	struct pages	*p = c->req->api;

	if (p->begun)
		return (1);
	p->begun = 1;
	if (!reply_stream(c, 200, REPLY_JSON))
		return (0);
	json_init(&p->json, p->part, front.compat_node);
	json_success(&p->json, message);
	json_array(&p->json, "data");
	return (1);
}

/* A page has come: the next one, as soon as there is room for it. */
static void
pages_next(struct conn *c, void (*page)(struct conn *))
{
	struct pages	*p = c->req->api;

	reply_part(c, p->part);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) > STREAM_LOW)
		c->more = page;
	else
		page(c);
}

static void
pages_end(struct conn *c)
{
	struct pages	*p = c->req->api;

	json_close(&p->json, '}');
	reply_part(c, p->part);
	reply_end(c);
}

/* ---- events ---- */

void
api_event_check(const struct m_event *ev)
{
	if (!msg_text_ok(ev->kind) || !msg_text_ok(ev->database) ||
	    !msg_text_ok(ev->place) || !msg_text_ok(ev->text) || ev->id < 1 ||
	    ev->backup_id < 0)
		fatalx("engine sent an event that is none");
}

static void
on_events(struct conn *c, const struct msg *m)
{
	const struct m_events_end	*end = m->data;
	struct pages			*p = c->req->api;

	if (m->type == MSG_REP_EVENT) {
		api_event_check(m->data);
		if (p->left == 0)
			fatalx("engine sent more events than were asked for");
		p->left--;
		if (pages_begin(c, "Events, oldest first."))
			json_event(&p->json, NULL, m->data);
		return;
	}
	if (!pages_begin(c, "Events, oldest first."))
		return;
	/* Where nothing is left out the caller goes on for ever. */
	p->more = end->more;
	if (end->more && end->last <= p->events.after)
		fatalx("engine lists events in circles");
	p->events.after = end->last;
	if (p->more && p->left > 0) {
		pages_next(c, events_page);
		return;
	}
	json_close(&p->json, ']');
	json_int(&p->json, "next", p->events.after);
	json_bool(&p->json, "more", p->more);
	pages_end(c);
}

static void
events_page(struct conn *c)
{
	struct pages	*p = c->req->api;

	c->more = NULL;
	p->events.limit = p->left < LIST_PAGE_ROWS ? p->left :
	    LIST_PAGE_ROWS;
	link_engine(c, MSG_REQ_EVENTS, &p->events, sizeof(p->events),
	    MSG_REP_EVENT, MSG_REP_EVENTS_END, on_events);
}

int
api_number(struct conn *c, const char *name, int64_t least, int64_t most,
    int64_t *v)
{
	const char	*error;
	char		 text[32];

	if (api_query(c, name, text, sizeof(text)) == -1)
		return (-1);
	if (text[0] == '\0')
		return (0);
	*v = strtonum(text, least, most, &error);
	if (error == NULL && isdigit((unsigned char)text[0]))
		return (1);
	reply_error(c, E_INVALID_PARAMETER, "\"%s\" must be a number from "
	    "%lld to %lld.", name, (long long)least, (long long)most);
	return (-1);
}

static int
wants_stream(const struct http_request *h)
{
	size_t	i;

	for (i = 0; i < h->nfields; i++) {
		if (http_slice_is_nocase(&h->fields[i].name, "Accept") &&
		    http_list_has(&h->fields[i].value, "text/event-stream"))
			return (1);
	}
	return (0);
}

void
api_events(struct conn *c)
{
	struct pages	*p;
	int64_t		 after = 0, limit = LIMIT_DEFAULT, stream = 0;

	if (api_number(c, "stream", 0, 1, &stream) == -1)
		return;
	if (stream || wants_stream(&c->req->h)) {
		stream_start(c);
		return;
	}
	p = pages_new(c);
	if (api_query(c, "database", p->events.database,
	    sizeof(p->events.database)) == -1 ||
	    api_number(c, "after", 0, INT64_MAX, &after) == -1 ||
	    api_number(c, "limit", 1, LIMIT_MAX, &limit) == -1)
		return;
	link_asker(c, &p->events.asker);
	p->events.after = after;
	p->left = (uint32_t)limit;
	events_page(c);
}

/* ---- jobs ---- */

static void
on_jobs(struct conn *c, const struct msg *m)
{
	const struct m_jobs_end	*end = m->data;
	struct pages		*p = c->req->api;

	if (m->type == MSG_REP_JOB_ROW) {
		api_job_check(m->data);
		if (pages_begin(c, "Jobs, in the order they were asked for."))
			json_job(&p->json, NULL, m->data);
		return;
	}
	if (!pages_begin(c, "Jobs, in the order they were asked for."))
		return;
	if (end->more && end->last <= p->jobs.after)
		fatalx("engine lists jobs in circles");
	p->jobs.after = end->last;
	if (end->more) {
		pages_next(c, jobs_page);
		return;
	}
	json_close(&p->json, ']');
	pages_end(c);
}

static void
jobs_page(struct conn *c)
{
	struct pages	*p = c->req->api;

	c->more = NULL;
	link_engine(c, MSG_REQ_JOBS, &p->jobs, sizeof(p->jobs),
	    MSG_REP_JOB_ROW, MSG_REP_JOBS_END, on_jobs);
}

void
api_jobs(struct conn *c)
{
	struct pages	*p;

	if (c->req->arg != NULL) {
		api_job(c);
		return;
	}
	p = pages_new(c);
	if (api_query(c, "database", p->jobs.database,
	    sizeof(p->jobs.database)) == -1)
		return;
	link_asker(c, &p->jobs.asker);
	jobs_page(c);
}

/* ---- acknowledgement ---- */

static void
on_acknowledged(struct conn *c, const struct msg *m)
{
	const struct m_acknowledged	*k = m->data;
	struct answer			 a;
	struct json			*j;

	j = answer_begin(&a, k->alarms == 0 && k->failures == 0 ?
	    "There was nothing to acknowledge." : k->alarms == 0 ?
	    "The failures are acknowledged." :
	    "The alarms are acknowledged.");
	json_object(j, "data");
	json_uint(j, "alarms", k->alarms);
	json_uint(j, "failures", k->failures);
	json_close(j, '}');
	answer_send(&a, c, 200);
}

void
api_acknowledge(struct conn *c)
{
	struct m_req_acknowledge	req;
	struct refusal			refusal;

	memset(&req, 0, sizeof(req));
	if (request_acknowledge(c->req->body, c->req->body_n, &req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return;
	}
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_ACKNOWLEDGE, &req, sizeof(req), MSG_NONE,
	    MSG_REP_ACKNOWLEDGED, on_acknowledged);
}
