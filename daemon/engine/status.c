/*
 * The engine runs this: the answer to GET /status, a page of databases at a
 * time.  It only reads.
 */
#include <string.h>

#include "common/util.h"
#include "daemon/engine/remote_s3.h"

struct telling {
	struct engine	*engine;
	uint64_t	 request;
	enum status_row	 alarms;	/* of one, or of all */
};

static void
row_send(struct telling *t, struct m_status_row *row, enum status_row kind)
{
	row->kind = kind;
	chan_send(t->engine->front.chan, MSG_REP_STATUS_ROW, t->request, row,
	    sizeof(*row), -1);
}

static void
on_alarm(const struct m_status_alarm *a, void *arg)
{
	struct telling		*t = arg;
	struct m_status_row	 row;

	memset(&row, 0, sizeof(row));
	row.u.alarm = *a;
	row_send(t, &row, t->alarms);
}

static void
database_tell(struct telling *t, const struct conf_database *d)
{
	struct m_status_row		 row;
	struct m_status_database	*s = &row.u.database;

	memset(&row, 0, sizeof(row));
	strlcpy(s->database, d->name, sizeof(s->database));
	strlcpy(s->path, d->path, sizeof(s->path));
	if (d->gone)
		s->flags |= STATUS_GONE;
	if (schedule_running(d))
		s->flags |= STATUS_RUNNING;
	s->next_run_ms = schedule_next_run(d);
	catalog_status_database(t->engine->catalog, d->name, s);
	if (s->proven_id != 0 && util_now_ms() > s->proven_ms)
		s->proven_age_s = (util_now_ms() - s->proven_ms) / 1000;
	row_send(t, &row, STATUS_DATABASE);
	t->alarms = STATUS_ALARM;
	catalog_status_alarms(t->engine->catalog, d->name, on_alarm, t);
}

static void
remotes_tell(struct telling *t)
{
	const struct conf_remote	*r;
	struct m_status_row		 row;
	struct m_status_remote		*s = &row.u.remote;

	TAILQ_FOREACH(r, &t->engine->conf->remotes, entry) {
		memset(&row, 0, sizeof(row));
		s->kind = r->kind;
		strlcpy(s->name, r->name, sizeof(s->name));
		catalog_status_remote(t->engine->catalog, r->name, s);
		remote_costs(r, &s->costs);
		row_send(t, &row, STATUS_REMOTE);
	}
}

static int
is_seen(const struct m_req_status *m, const struct names *names,
    const struct conf_database *d)
{
	size_t	i;

	if (d->is_glob)
		return (0);
	if (m->database[0] != '\0')
		return (strcmp(d->name, m->database) == 0);
	for (i = 0; !names->all && i < names->n; i++) {
		if (strcmp(names->list[i], d->name) == 0)
			return (1);
	}
	return (names->all);
}

/* Where the next page begins, or 0 after the last. */
static uint32_t
page_tell(struct telling *t, const struct m_req_status *m,
    const struct names *names)
{
	const struct conf_database	*d;
	uint32_t			 place = 0, told = 0;

	TAILQ_FOREACH(d, &t->engine->conf->databases, entry) {
		if (place++ < m->first || !is_seen(m, names, d))
			continue;
		if (told++ == STATUS_PAGE_DATABASES)
			return (place - 1);
		database_tell(t, d);
	}
	return (0);
}

static void
jobs_count(const struct engine *e, struct m_status_end *end)
{
	const struct job	*j;

	TAILQ_FOREACH(j, &e->jobs, entry) {
		end->jobs_running += j->state == JOB_RUNNING;
		end->jobs_queued += j->state == JOB_QUEUED;
	}
}

void
status_request(struct engine *e, uint64_t request,
    const struct m_req_status *m, const struct names *names)
{
	struct telling		t = { e, request, STATUS_ALARM_OF_ALL };
	struct m_status_end	end;

	memset(&end, 0, sizeof(end));
	end.next = page_tell(&t, m, names);
	if (end.next == 0 && names->all) {
		t.alarms = STATUS_ALARM_OF_ALL;
		catalog_status_alarms(e->catalog, "", on_alarm, &t);
		remotes_tell(&t);
	}
	jobs_count(e, &end);
	end.started_ms = e->started_ms;
	end.now_ms = util_now_ms();
	chan_send(e->front.chan, MSG_REP_STATUS_END, request, &end,
	    sizeof(end), -1);
}
