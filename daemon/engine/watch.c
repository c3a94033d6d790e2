/*
 * The engine runs this: whoever follows what happens, through front.  Front
 * is told that there is something new, no more, and asks for it, so that a
 * client who reads slowly makes nothing pile up; and whether he may see it
 * is decided anew each time.  Front is told only while somebody follows,
 * and of jobs at most twice a second.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"
#include "daemon/engine/expire.h"

#define JOBS_MS		500
#define SCAN_EVENTS	2000		/* looked at for one page */

/* ---- telling front ---- */

static void
tell(struct engine *e, uint32_t what)
{
	struct m_news	m = { what, 0 };

	if (e->watched && e->front.chan != NULL)
		chan_send(e->front.chan, MSG_EVENT, 0, &m, sizeof(m), -1);
}

static void
on_jobs(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell(arg, TOLD_JOBS);
}

void
watch_set(struct engine *e, int on)
{
	if (e->watch_timer == NULL && (e->watch_timer = evtimer_new(e->base,
	    on_jobs, e)) == NULL)
		fatalx("evtimer_new");
	e->watched = on;
	if (!on)
		event_del(e->watch_timer);
	else if (e->stopping)
		tell(e, TOLD_STOP);
}

void
watch_event(struct engine *e)
{
	tell(e, TOLD_EVENTS);
}

void
watch_job(struct job *j)
{
	struct engine	*e = j->engine;
	struct timeval	 tv = { 0, JOBS_MS * 1000 };

	j->move = ++e->moves;
	if (e->watched && !event_pending(e->watch_timer, EV_TIMEOUT, NULL))
		event_add(e->watch_timer, &tv);
}

void
watch_stop(struct engine *e)
{
	tell(e, TOLD_STOP);
}

void
watch_free(struct engine *e)
{
	if (e->watch_timer != NULL)
		event_free(e->watch_timer);
	e->watch_timer = NULL;
}

/* ---- what may be seen ---- */

/* What belongs to no database is for those who may see all. */
static int
may_see(const struct names *names, const char *wanted, const char *database)
{
	size_t	i;

	if (wanted[0] != '\0')
		return (strcmp(wanted, database) == 0);
	if (names->all)
		return (1);
	for (i = 0; i < names->n; i++) {
		if (strcmp(names->list[i], database) == 0)
			return (1);
	}
	return (0);
}

struct page {
	struct engine		*engine;
	uint64_t		 request;
	const struct m_req_events *req;
	const struct names	*names;
	int64_t			 last;
	uint32_t		 seen, sent;
};

static void
event_send(const struct m_event *ev, void *arg)
{
	struct page	*p = arg;

	p->seen++;
	if (p->sent == p->req->limit)
		return;			/* the next page begins with it */
	p->last = ev->id;
	if (!may_see(p->names, p->req->database, ev->database))
		return;
	chan_send(p->engine->front.chan, MSG_REP_EVENT, p->request, ev,
	    sizeof(*ev), -1);
	p->sent++;
}

void
events_request(struct engine *e, uint64_t request,
    const struct m_req_events *m, const struct names *names)
{
	struct m_events_end	end;
	struct page		p;
	uint32_t		most;
	int64_t			newest = catalog_events_newest(e->catalog);

	memset(&p, 0, sizeof(p));
	p.engine = e;
	p.request = request;
	p.req = m;
	p.names = names;
	/* An id that a lost catalog gave says nothing of this one. */
	p.last = m->after > newest ? newest : m->after;
	if (m->flags & EVENTS_NEWEST)
		p.last = newest;
	/* Where all may be seen, none is looked at in vain. */
	most = names->all && m->database[0] == '\0' ? m->limit : SCAN_EVENTS;
	(void)catalog_events(e->catalog, p.last, most, event_send, &p);
	memset(&end, 0, sizeof(end));
	end.last = p.last;
	end.rows = p.sent;
	end.more = p.seen == most || p.sent == m->limit;
	chan_send(e->front.chan, MSG_REP_EVENTS_END, request, &end,
	    sizeof(end), -1);
}

/* ---- jobs ---- */

static uint64_t
number_of(const struct job *j, uint32_t flags)
{
	return (flags & JOBS_MOVED ? j->move : j->id);
}

static int
by_move(const void *a, const void *b)
{
	const struct job	*x = *(struct job *const *)a;
	const struct job	*y = *(struct job *const *)b;

	return (x->move < y->move ? -1 : x->move > y->move);
}

static int
wanted(const struct job *j, const struct m_req_jobs *m,
    const struct names *names)
{
	if (number_of(j, m->flags) <= m->after)
		return (0);
	if ((m->flags & JOBS_UNENDED) && (j->state == JOB_DONE ||
	    j->state == JOB_FAILED))
		return (0);
	return (may_see(names, m->database, j->database == NULL ? "" :
	    j->database->name));
}

void
jobs_request(struct engine *e, uint64_t request, const struct m_req_jobs *m,
    const struct names *names)
{
	struct m_jobs_end	 end;
	struct m_job		 told;
	struct job		*j, **list;
	size_t			 i, n = 0, all = 0;

	TAILQ_FOREACH(j, &e->jobs, entry)
		all++;
	list = xcalloc(all + 1, sizeof(*list));
	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (wanted(j, m, names))
			list[n++] = j;
	}
	if (m->flags & JOBS_MOVED)
		qsort(list, n, sizeof(*list), by_move);
	memset(&end, 0, sizeof(end));
	end.last = m->flags & JOBS_MOVED ? e->moves : m->after;
	end.more = n > LIST_PAGE_ROWS;
	for (i = 0; i < n && i < LIST_PAGE_ROWS; i++) {
		job_describe(list[i], &told);
		chan_send(e->front.chan, MSG_REP_JOB_ROW, request, &told,
		    sizeof(told), -1);
		end.rows++;
		if (end.more || !(m->flags & JOBS_MOVED))
			end.last = number_of(list[i], m->flags);
	}
	free(list);
	chan_send(e->front.chan, MSG_REP_JOBS_END, request, &end,
	    sizeof(end), -1);
}

/* ---- acknowledgement ---- */

struct acknowledging {
	struct engine	*engine;
	const struct m_req_acknowledge *req;
	const struct who *who;
	uint32_t	 n;
};

static void
acknowledge(const struct catalog_alarm *a, void *arg)
{
	struct acknowledging	*k = arg;
	struct event_about	 about = { a->database, "", 0 };

	if (k->req->kind[0] != '\0' && strcmp(k->req->kind, a->kind) != 0)
		return;
	if (!catalog_alarm_acknowledge(k->engine->catalog, a->id,
	    k->who->name, util_now_ms()))
		return;
	k->n++;
	events_add(k->engine, EVENT_ACKNOWLEDGED, &about, "%s: acknowledged "
	    "by %s: %.300s", a->kind, k->who->name, a->text);
}

void
acknowledge_request(struct engine *e, uint64_t request,
    const struct m_req_acknowledge *m, const struct who *who)
{
	struct acknowledging	k = { e, m, who, 0 };
	struct m_acknowledged	told;

	catalog_alarms_each(e->catalog, m->database, acknowledge, &k);
	if (k.n > 0)
		expire_all(e);
	memset(&told, 0, sizeof(told));
	told.alarms = k.n;
	if (m->kind[0] == '\0')
		told.failures = (uint32_t)catalog_troubles_clear(e->catalog,
		    m->database);
	audit_write(e->catalog, e->to_stderr, who, "acknowledge",
	    m->database[0] == '\0' ? "all" : m->database, 0, "done");
	chan_send(e->front.chan, MSG_REP_ACKNOWLEDGED, request, &told,
	    sizeof(told), -1);
}
