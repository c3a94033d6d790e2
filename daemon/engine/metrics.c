/*
 * The engine runs this: what it measures.  It owns the time that jobs have
 * spent in each phase; the rest is read where it is kept, when somebody
 * asks, at a cost that does not grow with the number of backups.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/engine/lookers.h"
#include "daemon/engine/metrics.h"
#include "proto/metrics.h"

static struct {
	uint64_t	us, jobs;
} phases[PHASE_COUNT];

static int64_t	start_ms, config_ms;
static uint64_t	reloads_failed;

struct scrape {
	struct engine	*engine;
	uint64_t	 request;
	int64_t		 now_ms;
	struct catalog_metrics *list;	/* by name */
	size_t		 n;
};

void
metrics_phase(enum phase phase, uint64_t us, int first)
{
	phases[phase].us += us;
	phases[phase].jobs += first != 0;
}

void
metrics_reloaded(int ok)
{
	if (start_ms == 0)
		start_ms = util_now_ms();
	if (ok)
		config_ms = util_now_ms();
	else
		reloads_failed++;
}

static void
tell(const struct scrape *s, enum metric metric, const char *label,
    int64_t value)
{
	struct m_metric	m;

	memset(&m, 0, sizeof(m));
	m.metric = metric;
	m.value = value < 0 ? 0 : value;	/* a clock that was set */
	strlcpy(m.labels[0], label, sizeof(m.labels[0]));
	chan_send(s->engine->front.chan, MSG_REP_METRIC, s->request, &m,
	    sizeof(m), -1);
}

/* ---- databases ---- */

static int
by_name(const void *a, const void *b)
{
	const struct catalog_metrics	*x = a, *y = b;

	return (strcmp(x->database, y->database));
}

static void
on_total(const char *database, const struct m_stats *t, void *arg)
{
	struct scrape		*s = arg;
	struct catalog_metrics	*d, key;

	memset(&key, 0, sizeof(key));
	strlcpy(key.database, database, sizeof(key.database));
	d = s->n == 0 ? NULL : bsearch(&key, s->list, s->n, sizeof(*d),
	    by_name);
	if (d != NULL)
		d->totals = *t;
}

static void
databases_gather(struct scrape *s)
{
	const struct conf_database	*d;

	TAILQ_FOREACH(d, &s->engine->conf->databases, entry) {
		if (d->is_glob)
			continue;
		s->list = xreallocarray(s->list, s->n + 1, sizeof(*s->list));
		memset(&s->list[s->n], 0, sizeof(*s->list));
		strlcpy(s->list[s->n].database, d->name,
		    sizeof(s->list->database));
		catalog_metrics(s->engine->catalog, &s->list[s->n++]);
	}
	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), by_name);
	catalog_metrics_totals(s->engine->catalog, on_total, s);
}

/* The value for one database; -1: it has none. */
static int64_t
value_of(const struct scrape *s, const struct catalog_metrics *d,
    enum metric metric)
{
	switch (metric) {
	case METRIC_LAST_PROVEN:
		return (d->proven_ms > 0 ? d->proven_ms : -1);
	case METRIC_LAST_PROVEN_AGE:
		return (d->proven_ms == 0 ? -1 : d->proven_ms > s->now_ms ?
		    0 : s->now_ms - d->proven_ms);
	case METRIC_BACKUPS:
		return ((int64_t)d->totals.backups);
	case METRIC_BACKUP_BYTES:
		return ((int64_t)d->totals.bytes);
	case METRIC_FAILED_BACKUPS:
		return ((int64_t)d->totals.failed);
	case METRIC_LOCK_HELD:
		return (d->lock_held_us);
	case METRIC_DRILL_TIME:
		return (d->drill_ms > 0 ? d->drill_ms : -1);
	case METRIC_DRILL_SUCCESS:
		return (d->drill_ms > 0 ? d->drill_passed : -1);
	case METRIC_DRILL_DURATION:
		return (d->drill_ms > 0 ? d->drill_duration_ms : -1);
	default:
		return (d->alarms);
	}
}

static void
databases_tell(const struct scrape *s)
{
	struct catalog_metrics	all;
	uint32_t		m;
	int64_t			v;
	size_t			i;

	for (m = METRIC_LAST_PROVEN; m <= METRIC_ALARMS; m++) {
		for (i = 0; i < s->n; i++) {
			v = value_of(s, &s->list[i], (enum metric)m);
			if (v >= 0)
				tell(s, (enum metric)m, s->list[i].database,
				    v);
		}
	}
	memset(&all, 0, sizeof(all));
	catalog_metrics(s->engine->catalog, &all);
	tell(s, METRIC_ALARMS, "", all.alarms);
}

/* ---- jobs, remotes, memory ---- */

static void
jobs_tell(const struct scrape *s)
{
	const struct job	*j;
	int64_t			 queued = 0, running = 0;

	TAILQ_FOREACH(j, &s->engine->jobs, entry) {
		queued += j->state == JOB_QUEUED;
		running += j->state == JOB_RUNNING;
	}
	tell(s, METRIC_JOBS, "queued", queued);
	tell(s, METRIC_JOBS, "running", running);
}

static void
phases_tell(const struct scrape *s)
{
	size_t	i;

	for (i = 0; i < PHASE_COUNT; i++)
		tell(s, METRIC_PHASE_SUM, phase_key((enum phase)i),
		    (int64_t)phases[i].us);
	for (i = 0; i < PHASE_COUNT; i++)
		tell(s, METRIC_PHASE_COUNT, phase_key((enum phase)i),
		    (int64_t)phases[i].jobs);
}

static void
queues_tell(const struct scrape *s)
{
	const struct conf_remote	*r;
	struct catalog_queue		 q;
	uint32_t			 m;

	for (m = METRIC_QUEUE_PENDING; m <= METRIC_QUEUE_OLDEST; m++) {
		TAILQ_FOREACH(r, &s->engine->conf->remotes, entry) {
			catalog_metrics_queue(s->engine->catalog, r->name,
			    &q);
			tell(s, (enum metric)m, r->name,
			    m == METRIC_QUEUE_PENDING ? q.pending :
			    m == METRIC_QUEUE_BYTES ? q.bytes :
			    q.oldest_ms == 0 ? 0 : s->now_ms - q.oldest_ms);
		}
	}
}

static void
memory_tell(const struct scrape *s)
{
	const struct engine	*e = s->engine;
	uint64_t		 bytes;

	if (procs_memory(getpid(), &bytes) == 0)
		tell(s, METRIC_PROCESS_PSS, "engine", (int64_t)bytes);
	if (e->front.pid != 0 && procs_memory(e->front.pid, &bytes) == 0)
		tell(s, METRIC_PROCESS_PSS, "front", (int64_t)bytes);
	if (e->network.pid != 0 && procs_memory(e->network.pid, &bytes) == 0)
		tell(s, METRIC_PROCESS_PSS, "network", (int64_t)bytes);
	tell(s, METRIC_PROCESS_PSS, "workers",
	    (int64_t)(tasks_memory(s->engine) + lookers_memory(e)));
}

void
metrics_request(struct engine *e, uint64_t request)
{
	struct scrape	s = { e, request, util_now_ms(), NULL, 0 };
	struct m_empty	none = { 0 };

	tell(&s, METRIC_BUILD_INFO, VERSION, 1);
	tell(&s, METRIC_START_TIME, "", start_ms);
	tell(&s, METRIC_CONFIG_TIME, "", config_ms);
	tell(&s, METRIC_RELOADS_FAILED, "", (int64_t)reloads_failed);
	jobs_tell(&s);
	databases_gather(&s);
	databases_tell(&s);
	free(s.list);
	phases_tell(&s);
	queues_tell(&s);
	memory_tell(&s);
	chan_send(e->front.chan, MSG_REP_METRICS_END, request, &none,
	    sizeof(none), -1);
}
