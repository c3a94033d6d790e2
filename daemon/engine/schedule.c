/*
 * The engine runs this: backups that nobody asks for.  It owns a timer for
 * each database that has a schedule, which sleeps until the next run is
 * due, and the line of those that are due: first come, first served, so
 * that none starves, and no more at once than there may be jobs.
 *
 * A run first asks whether there is anything to copy.  For which slot it
 * was is written down when it has ended: one that a crash cut short is run
 * again, and what was missed while the machine was off runs once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/schedule_time.h"

#define RETRY_MIN_MS	(60 * 1000)
#define RETRY_MAX_MS	(6 * 3600 * 1000)
/* A clock that is set wakes nobody: look at it now and then. */
#define CLOCK_LOOK_MS	(10 * 60 * 1000)
/* A run is this much before its slot only when the clock went back. */
#define CLOCK_BACK_MS	(3600 * 1000)

enum run { RUN_NONE, RUN_WAITS, RUN_LOOKS, RUN_COPIES };

struct scheduled {
	TAILQ_ENTRY(scheduled) entry;	/* of the line, when it waits */
	struct engine	*engine;
	struct conf_database *database;
	struct event	*timer;
	enum run	 run;
	int64_t		 ran_slot_ms;	/* the last one that is through */
	int64_t		 slot_ms;	/* of the run under way */
	int64_t		 next_ms;	/* when the next is due */
	int64_t		 retry_ms;	/* the last failed: again then; or 0 */
	uint32_t	 failures;	/* in a row */
	int		 late;		/* that was said */
	struct job	*job;		/* that copies */
};

struct scheduler {
	TAILQ_HEAD(, scheduled) line;
	uint32_t	 running;
	struct event	*clock_timer;
};

static void	next_of_line(struct engine *);
static void	arm(struct scheduled *);

/* ---- the end of a run ---- */

/* Those that another try may help before the next slot. */
static int
may_pass(uint32_t code)
{
	static const enum err	passing[] = {
		E_DATABASE_LOCKED, E_LOCK_LIMIT, E_HOT_JOURNAL, E_BUSY,
		E_WORKER_FAILED, E_IO_ERROR, E_INSUFFICIENT_SPACE
	};
	size_t			i;

	for (i = 0; i < nitems(passing); i++) {
		if (passing[i] == code)
			return (1);
	}
	return (0);
}

static void
retry_plan(struct scheduled *s, const struct m_error *error)
{
	int64_t	pause_ms = RETRY_MIN_MS;
	uint32_t i;

	s->retry_ms = 0;
	if (error == NULL) {
		s->failures = 0;
		return;
	}
	if (!may_pass(error->code))
		return;
	for (i = 0; i < s->failures && pause_ms < RETRY_MAX_MS; i++)
		pause_ms *= 2;
	s->failures++;
	s->retry_ms = util_now_ms() + pause_ms;
}

static void
run_leave(struct scheduled *s)
{
	if (s->run == RUN_WAITS)
		TAILQ_REMOVE(&s->engine->scheduler->line, s, entry);
	else if (s->run != RUN_NONE)
		s->engine->scheduler->running--;
	s->run = RUN_NONE;
	s->job = NULL;
	s->late = 0;
}

static void
run_end(struct scheduled *s, const struct m_error *error, const char *result)
{
	struct engine	*e = s->engine;
	char		 text[TEXT_BYTES];

	run_leave(s);
	/* Not through: it is run at the next start. */
	if (e->stopping)
		return;
	if (error != NULL) {
		snprintf(text, sizeof(text), "failed: %.480s", error->text);
		result = text;
	}
	if (error == NULL && result != NULL &&
	    strcmp(result, "unchanged") == 0)
		catalog_database_unchanged(e->catalog, s->database->name,
		    s->slot_ms, util_now_ms());
	else
		catalog_database_ran(e->catalog, s->database->name,
		    s->slot_ms, util_now_ms(), result);
	s->ran_slot_ms = s->slot_ms;
	retry_plan(s, error);
	arm(s);
	next_of_line(e);
}

/*
 * Has it not changed for longer than it should?  What was acknowledged may
 * stand for as long again.
 */
static void
stale_check(struct scheduled *s)
{
	const struct conf_database	*d = s->database;
	struct catalog_database		 c;
	int64_t				 since_ms, days;

	if (d->expect_change_ms == 0 ||
	    !catalog_database(s->engine->catalog, d->name, &c) ||
	    c.changed_ms == 0)
		return;
	since_ms = catalog_acknowledged(s->engine->catalog, d->name,
	    alarm_kind_name(ALARM_STALE));
	if (c.changed_ms > since_ms)
		since_ms = c.changed_ms;
	if (util_now_ms() - since_ms < (int64_t)d->expect_change_ms)
		return;
	days = (util_now_ms() - c.changed_ms) / 86400000;
	alarm_raise(s->engine, ALARM_STALE, d->name, "the database %s has not "
	    "changed for %lld hours (%lld days); it is expected to, and "
	    "something may have stopped writing to it", d->name,
	    (long long)(util_now_ms() - c.changed_ms) / 3600000,
	    (long long)days);
}

/* ---- a run ---- */

static void
on_created(void *arg, const struct m_error *error)
{
	run_end(arg, error, "completed");
}

static void
copy(struct scheduled *s)
{
	struct m_error	error;

	s->run = RUN_COPIES;
	s->job = create_scheduled(s->engine, s->database, on_created, s);
	if (s->job != NULL)
		return;
	memset(&error, 0, sizeof(error));
	error.code = E_INSUFFICIENT_SPACE;
	strlcpy(error.text, "the backup directory is full, or too many jobs "
	    "wait", sizeof(error.text));
	run_end(s, &error, NULL);
}

/* There is nothing to copy, and no backup to show for it: an event does. */
static void
unseen(struct scheduled *s, const struct m_error *error)
{
	struct event_about	about = { s->database->name, "", 0 };

	log_warnx("scheduled backup of %s failed: %s", s->database->name,
	    error->text);
	if (!s->engine->stopping)
		events_add(s->engine, EVENT_FAILED, &about,
		    "the scheduled backup of %s failed: %s",
		    s->database->name, error->text);
	run_end(s, error, NULL);
}

static void
on_looked(void *arg, enum unchanged what, const struct m_error *error)
{
	struct scheduled	*s = arg;

	switch (what) {
	case DATABASE_UNCHANGED:
		log_debug("%s has not changed", s->database->name);
		stale_check(s);
		run_end(s, NULL, "unchanged");
		break;
	case DATABASE_CHANGED:
		copy(s);
		break;
	case DATABASE_UNSEEN:
		unseen(s, error);
		break;
	}
}

static void
begin(struct scheduled *s)
{
	s->run = RUN_LOOKS;
	s->engine->scheduler->running++;
	if (unchanged_look(s->engine, s->database, on_looked, s) == -1)
		copy(s);		/* too many workers: it waits there */
}

static void
next_of_line(struct engine *e)
{
	struct scheduler	*sc = e->scheduler;
	struct scheduled	*s;

	while (!e->stopping && sc->running < e->jobs_max &&
	    (s = TAILQ_FIRST(&sc->line)) != NULL) {
		TAILQ_REMOVE(&sc->line, s, entry);
		begin(s);
	}
}

/* ---- when ---- */

/* The clock was ahead when it last ran: what it says now counts. */
static void
clock_back(struct scheduled *s, int64_t now_ms)
{
	int64_t	next_ms;

	if (s->ran_slot_ms <= now_ms + CLOCK_BACK_MS)
		return;
	log_warnx("the last run of %s was for a time that is still to come: "
	    "the clock was set back", s->database->name);
	s->ran_slot_ms = schedule_due(s->database,
	    store_uuid(s->engine->store), 0, now_ms, &next_ms);
}

static void
too_late(struct scheduled *s)
{
	struct event_about	about = { s->database->name, "", 0 };

	if (s->late)
		return;
	s->late = 1;
	log_warnx("the backup of %s that was due could not begin yet",
	    s->database->name);
	events_add(s->engine, EVENT_LATE, &about, "the scheduled backup of "
	    "%s was due, and has not begun by the time of the next one",
	    s->database->name);
}

/* Into the line if one is due, and to sleep until the next will be. */
static void
arm(struct scheduled *s)
{
	struct conf_database	*d = s->database;
	struct timeval		 tv;
	int64_t			 now_ms = util_now_ms(), slot_ms, wake_ms;

	if (d->nschedules == 0 || d->gone || d->is_glob) {
		s->next_ms = 0;
		event_del(s->timer);
		return;
	}
	clock_back(s, now_ms);
	slot_ms = schedule_due(d, store_uuid(s->engine->store),
	    s->ran_slot_ms, now_ms, &s->next_ms);
	if (slot_ms == 0 && s->retry_ms != 0 && s->retry_ms <= now_ms)
		slot_ms = s->ran_slot_ms;
	if (slot_ms != 0 && s->run == RUN_NONE) {
		s->slot_ms = slot_ms;
		s->retry_ms = 0;
		s->run = RUN_WAITS;
		TAILQ_INSERT_TAIL(&s->engine->scheduler->line, s, entry);
	} else if (slot_ms > s->slot_ms && (s->run == RUN_WAITS ||
	    (s->job != NULL && s->job->state == JOB_QUEUED)))
		too_late(s);
	wake_ms = s->next_ms;
	if (s->retry_ms != 0 && s->retry_ms < wake_ms)
		wake_ms = s->retry_ms;
	clock_wait(&tv, wake_ms - now_ms);
	event_add(s->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct scheduled	*s = arg;

	(void)fd;
	(void)what;
	if (s->engine->stopping)
		return;
	arm(s);
	next_of_line(s->engine);
}

static void
on_clock(evutil_socket_t fd, short what, void *arg)
{
	struct engine		*e = arg;
	struct conf_database	*d;
	struct timeval		 tv;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (d->scheduled != NULL && !e->stopping)
			arm(d->scheduled);
	}
	next_of_line(e);
	clock_wait(&tv, CLOCK_LOOK_MS);
	event_add(e->scheduler->clock_timer, &tv);
}

/* ---- databases ---- */

static void
scheduled_new(struct engine *e, struct conf_database *d)
{
	struct scheduled	*s;
	struct catalog_database	 c;

	s = xcalloc(1, sizeof(*s));
	s->engine = e;
	s->database = d;
	if ((s->timer = evtimer_new(e->base, on_timer, s)) == NULL)
		fatalx("evtimer_new");
	if (catalog_database(e->catalog, d->name, &c))
		s->ran_slot_ms = c.slot_ms;
	d->scheduled = s;
}

void
schedule_database(struct engine *e, struct conf_database *d)
{
	if (d->is_glob || d->retired) {
		if (d->scheduled == NULL)
			return;
		if (d->scheduled->run == RUN_WAITS)
			run_leave(d->scheduled);
		event_del(d->scheduled->timer);
		d->scheduled->next_ms = 0;
		return;
	}
	if (d->scheduled == NULL)
		scheduled_new(e, d);
	if (d->gone && d->scheduled->run == RUN_WAITS)
		run_leave(d->scheduled);
	arm(d->scheduled);
	next_of_line(e);
}

void
schedule_init(struct engine *e)
{
	struct conf_database	*d;
	struct timeval		 tv;

	e->scheduler = xcalloc(1, sizeof(*e->scheduler));
	TAILQ_INIT(&e->scheduler->line);
	e->scheduler->clock_timer = evtimer_new(e->base, on_clock, e);
	if (e->scheduler->clock_timer == NULL)
		fatalx("evtimer_new");
	catalog_begin(e->catalog);
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (!d->is_glob && d->glob == NULL)
			catalog_database_seen(e->catalog, d->name, d->path,
			    "");
	}
	catalog_commit(e->catalog);
	TAILQ_FOREACH(d, &e->conf->databases, entry)
		schedule_database(e, d);
	clock_wait(&tv, CLOCK_LOOK_MS);
	event_add(e->scheduler->clock_timer, &tv);
}

static void
scheduled_free(struct conf_database *d)
{
	if (d->scheduled == NULL)
		return;
	event_free(d->scheduled->timer);
	free(d->scheduled);
	d->scheduled = NULL;
}

void
schedule_free(struct engine *e)
{
	struct conf_database	*d;

	TAILQ_FOREACH(d, &e->conf->databases, entry)
		scheduled_free(d);
	TAILQ_FOREACH(d, &e->conf->retired, entry)
		scheduled_free(d);
	event_free(e->scheduler->clock_timer);
	free(e->scheduler);
	e->scheduler = NULL;
}

int64_t
schedule_next_run(const struct conf_database *d)
{
	if (d->scheduled == NULL || d->scheduled->next_ms == INT64_MAX)
		return (0);
	return (d->scheduled->next_ms);
}

int
schedule_running(const struct conf_database *d)
{
	return (d->scheduled != NULL && d->scheduled->run > RUN_WAITS);
}
