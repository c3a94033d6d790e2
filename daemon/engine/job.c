/*
 * The engine runs this: what clients wait for.  A job owns its place in
 * the queue and what its kind hangs on it (data).  Jobs of one database
 * run one after the other, in order; of all databases only so many at a
 * time.  Those that wait for a remote stand in nobody's way.  A job that
 * ended is remembered for an hour.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/metrics.h"

#define REMEMBER_MS	(3600 * 1000)
#define REMEMBER_MAX	1000
#define QUEUE_MAX	10000
#define FETCHES_MAX	4		/* a remote can make each endless */
#define SPENT_MAX_US	(UINT64_C(1000) * 3600 * 1000000)

static const char *const	states[] = {
	[JOB_QUEUED] = "queued",
	[JOB_RUNNING] = "running",
	[JOB_DONE] = "done",
	[JOB_FAILED] = "failed",
};

/* The clock of the engine measures these; workers measure the others. */
static const struct {
	const char	*name;		/* as job_phase has it */
	enum phase	 phase;
} clocked[] = {
	{ "look", PHASE_LOOK }, { "fetch", PHASE_FETCH },
	{ "convert", PHASE_CONVERT },
};

static int
ended(const struct job *j)
{
	return (j->state == JOB_DONE || j->state == JOB_FAILED);
}

static void
job_free(struct job *j)
{
	TAILQ_REMOVE(&j->engine->jobs, j, entry);
	if (j->release != NULL)
		j->release(j);
	free(j);
}

/* It waits for a remote, which may take minutes and no processor. */
static int
in_transfer(const struct job *j)
{
	return (strcmp(j->phase, "upload") == 0 ||
	    strcmp(j->phase, "fetch") == 0);
}

int
jobs_running(const struct engine *e)
{
	const struct job	*j;
	int			 n = 0;

	TAILQ_FOREACH(j, &e->jobs, entry)
		n += j->state == JOB_RUNNING && !in_transfer(j);
	return (n);
}

/* One look at the queue, from its head. */
struct turn {
	uint64_t	number;
	int		running, fetches, background;
};

/*
 * Is an earlier job of the same database still to end?  One that uploads
 * is through with the database; fetches have none, and are counted.
 */
static int
must_wait(const struct turn *t, const struct job *j)
{
	if (j->background)
		return (t->background > 0);
	if (j->database != NULL && j->database->jobs_turn == t->number)
		return (1);
	return (strcmp(j->kind, "fetch") == 0 && t->fetches >= FETCHES_MAX);
}

/* Those behind it see that it is there. */
static void
turn_count(struct turn *t, const struct job *j)
{
	if (ended(j))
		return;
	if (j->background) {
		t->background++;
		return;
	}
	if (j->database != NULL && strcmp(j->phase, "upload") != 0)
		j->database->jobs_turn = t->number;
	t->fetches += strcmp(j->kind, "fetch") == 0;
}

/* Old ones go; the newest thousand that ended stay for an hour. */
static void
forget(struct engine *e)
{
	struct job	*j, *next;
	int64_t		 limit_ms = util_now_ms() - REMEMBER_MS;
	int		 n = 0;

	TAILQ_FOREACH(j, &e->jobs, entry)
		n += ended(j);
	for (j = TAILQ_FIRST(&e->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (ended(j) && (j->finished_ms < limit_ms ||
		    n > REMEMBER_MAX)) {
			job_free(j);
			n--;
		}
	}
}

void
jobs_kick(struct engine *e)
{
	struct timeval	now = { 0, 0 };

	event_add(e->jobs_timer, &now);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	static uint64_t	 turns;
	struct engine	*e = arg;
	struct turn	 t = { ++turns, 0, 0, 0 };
	struct job	*j, *next;

	(void)fd;
	(void)what;
	forget(e);
	t.running = jobs_running(e);
	for (j = TAILQ_FIRST(&e->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (t.running >= (int)e->jobs_max || e->stopping ||
		    flow_full(e))
			break;
		if (j->state == JOB_QUEUED && !must_wait(&t, j)) {
			j->state = JOB_RUNNING;
			j->started_ms = util_now_ms();
			watch_job(j);
			j->run(j);
			t.running += !ended(j) && !in_transfer(j);
		}
		turn_count(&t, j);
	}
}

void
jobs_init(struct engine *e)
{
	TAILQ_INIT(&e->jobs);
	if ((e->jobs_timer = evtimer_new(e->base, on_turn, e)) == NULL)
		fatalx("evtimer_new");
}

void
jobs_free(struct engine *e)
{
	struct job	*j;

	while ((j = TAILQ_FIRST(&e->jobs)) != NULL)
		job_free(j);
	event_free(e->jobs_timer);
}

struct job *
job_new(struct engine *e, const char *kind, struct conf_database *database,
    void (*run)(struct job *), void (*release)(struct job *), void *data)
{
	struct job	*j;
	int		 n = 0;

	TAILQ_FOREACH(j, &e->jobs, entry)
		n += !ended(j);
	if (n >= QUEUE_MAX)
		return (NULL);
	j = xcalloc(1, sizeof(*j));
	j->engine = e;
	j->id = ++e->next_job;
	j->kind = kind;
	j->database = database;
	j->run = run;
	j->release = release;
	j->data = data;
	TAILQ_INSERT_TAIL(&e->jobs, j, entry);
	watch_job(j);
	jobs_kick(e);
	return (j);
}

struct job *
job_by_id(struct engine *e, uint64_t id)
{
	struct job	*j;

	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (j->id == id)
			return (j);
	}
	return (NULL);
}

/* A worker may lie, but not make the sum run over. */
static void
spent_add(struct job *j, enum phase phase, uint64_t us)
{
	uint64_t	*sum = &j->spent.us[phase];

	if (us == 0 || us > SPENT_MAX_US - *sum)
		return;
	metrics_phase(phase, us, *sum == 0);
	*sum += us;
}

void
job_spent(struct job *j, const struct m_phases *m)
{
	size_t	i;

	for (i = 0; i < PHASE_COUNT; i++)
		spent_add(j, (enum phase)i, m->us[i]);
}

void
job_progress(struct job *j, const struct m_w_progress *p)
{
	job_spent(j, &p->spent);
	job_phase(j, p->phase, p->bytes_done, p->bytes_total);
}

/* Its phase is over: how long it was. */
static void
phase_leave(struct job *j)
{
	uint64_t	now_us = util_monotonic_us();
	size_t		i;

	for (i = 0; i < nitems(clocked); i++) {
		if (strcmp(j->phase, clocked[i].name) == 0)
			spent_add(j, clocked[i].phase,
			    now_us - j->phase_us);
	}
	j->phase_us = now_us;
}

void
job_phase(struct job *j, const char *phase, uint64_t done, uint64_t total)
{
	int	changed = strcmp(j->phase, phase) != 0;

	if (changed) {
		phase_leave(j);
		rate_reset(&j->rate);
	}
	rate_add(&j->rate, util_monotonic_us(), done);
	watch_job(j);
	strlcpy(j->phase, phase, sizeof(j->phase));
	j->bytes_done = done;
	j->bytes_total = total;
	if (changed && in_transfer(j))
		jobs_kick(j->engine);
}

static void
job_end(struct job *j, enum job_state state)
{
	struct engine	*e = j->engine;

	phase_leave(j);
	j->state = state;
	j->finished_ms = util_now_ms();
	watch_job(j);
	jobs_kick(e);
	engine_stop_check(e);
}

void
job_done(struct job *j)
{
	log_debug("job %ju %s done", (uintmax_t)j->id, j->kind);
	audit_end(j, "done");
	job_end(j, JOB_DONE);
}

void
job_failed(struct job *j, const struct m_error *error)
{
	char	result[64];

	j->error = *error;
	log_warnx("%s of %s failed: %s (%s)", j->kind, j->database == NULL ?
	    "a backup" : j->database->name, error->text,
	    err_desc(error->code)->token);
	snprintf(result, sizeof(result), "failed: %s",
	    err_desc(error->code)->token);
	audit_end(j, result);
	job_end(j, JOB_FAILED);
}

void
job_describe(const struct job *j, struct m_job *m)
{
	memset(m, 0, sizeof(*m));
	m->id = j->id;
	m->bytes_done = j->bytes_done;
	m->bytes_total = j->bytes_total;
	m->backup_id = j->backup_id;
	m->safety_backup_id = j->safety_backup_id;
	m->started_ms = j->started_ms;
	m->finished_ms = j->finished_ms;
	m->eta_s = -1;
	m->spent = j->spent;
	if (j->state == JOB_RUNNING) {
		m->rate = rate_per_s(&j->rate, util_monotonic_us());
		m->eta_s = rate_eta_s(m->rate, j->bytes_done,
		    j->bytes_total);
	}
	strlcpy(m->kind, j->kind, sizeof(m->kind));
	strlcpy(m->state, states[j->state], sizeof(m->state));
	strlcpy(m->phase, j->phase, sizeof(m->phase));
	if (j->database != NULL)
		strlcpy(m->database, j->database->name, sizeof(m->database));
	if (j->state == JOB_FAILED) {
		m->error = j->error.code;
		strlcpy(m->error_text, j->error.text, sizeof(m->error_text));
	}
}
