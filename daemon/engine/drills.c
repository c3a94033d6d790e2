/*
 * The engine runs this: which database's drill is due, and those that
 * somebody asks for.  It owns one timer; when the last one was is the
 * catalog's, across restarts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/drill.h"

#define LOOK_MS		60000		/* the wall clock may jump */
#define RETRY_MIN_MS	60000
#define RETRY_MAX_MS	3600000

/* ---- by the clock ---- */

static void
on_drilled(void *arg, const struct drilled *d)
{
	struct engine		*e = arg;
	struct conf_database	*db;
	struct event_about	 about;
	int64_t			 wait_ms = RETRY_MIN_MS;
	uint32_t		 i;

	e->drilling = 0;
	drills_kick(e);
	if ((db = conf_database(e->conf, d->facts.database)) == NULL)
		return;
	if (!d->undone) {
		db->drill_tries = 0;
		db->drill_retry_ms = 0;
		return;
	}
	for (i = 0; i < db->drill_tries && wait_ms < RETRY_MAX_MS; i++)
		wait_ms *= 2;
	db->drill_retry_ms = util_now_ms() + (wait_ms < RETRY_MAX_MS ?
	    wait_ms : RETRY_MAX_MS);
	if (db->drill_tries++ > 0 || e->stopping)
		return;
	about.database = db->name;
	about.place = d->facts.place;
	about.backup_id = d->facts.backup_id;
	events_add(e, EVENT_LATE, &about, "The drill of %s could not be made "
	    "yet: %.400s", db->name, d->error.text);
}

/* When it is due; a last one in the future was by another clock. */
static int64_t
due_ms(struct engine *e, const struct conf_database *d, int64_t now_ms)
{
	int64_t	at_ms, last_ms;

	last_ms = catalog_drill_last(e->catalog, d->name);
	if (last_ms > now_ms)
		last_ms = now_ms;
	at_ms = last_ms + (int64_t)d->drill_ms;
	return (at_ms > d->drill_retry_ms ? at_ms : d->drill_retry_ms);
}

static int
begin(struct engine *e, const struct conf_database *d)
{
	struct m_backup	b;
	int64_t		id;

	if ((id = catalog_drill_choose(e->catalog, d->name)) == 0 ||
	    catalog_get(e->catalog, id, &b) != 1 ||
	    drill_begin(e, &b, on_drilled, e) == NULL)
		return (0);
	e->drilling = 1;
	return (1);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct engine		*e = arg;
	struct conf_database	*d;
	struct timeval		 tv;
	int64_t			 now_ms = util_now_ms(), at_ms;
	int64_t			 wait_ms = LOOK_MS;
	int			 any = 0;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (e->drilling || e->stopping)
			return;		/* its end looks again */
		if (d->drill_ms == 0 || d->is_glob)
			continue;
		any = 1;
		if ((at_ms = due_ms(e, d, now_ms)) <= now_ms) {
			if (begin(e, d))
				return;
		} else if (at_ms - now_ms < wait_ms)
			wait_ms = at_ms - now_ms;
	}
	if (!any)
		return;
	clock_wait(&tv, wait_ms);
	event_add(e->drills_timer, &tv);
}

void
drills_kick(struct engine *e)
{
	struct timeval	now = { 0, 0 };

	if (e->drills_timer != NULL && !e->drilling)
		event_add(e->drills_timer, &now);
}

void
drills_init(struct engine *e)
{
	if ((e->drills_timer = evtimer_new(e->base, on_timer, e)) == NULL)
		fatalx("evtimer_new");
	drills_kick(e);
}

void
drills_free(struct engine *e)
{
	event_free(e->drills_timer);
	e->drills_timer = NULL;
}

/* ---- by hand ---- */

void
verify_request(struct engine *e, uint64_t request,
    const struct m_req_verify *m, const struct m_backup *b)
{
	struct job	*j;
	struct m_job	 told;

	if (b->checksum[0] == '\0') {
		reply_error(e, request, E_INVALID_BACKUP, b->id,
		    "the backup was never completed: there is nothing to "
		    "verify");
		return;
	}
	if ((j = drill_begin(e, b, NULL, NULL)) == NULL) {
		reply_error(e, request, E_BUSY, 0, "too many jobs wait");
		return;
	}
	audit_begin(j, &m->asker);
	if (m->flags & VERIFY_ASYNC) {
		job_describe(j, &told);
		chan_send(e->front.chan, MSG_REP_JOB, request, &told,
		    sizeof(told), -1);
	} else
		j->request = request;
}
