/*
 * The engine runs this: what the catalog knows for GET /metrics.  Each
 * question is answered from the head of an index, or from a sum that
 * triggers keep.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

/* The first column of the only row; 0 when there is none. */
static int64_t
number(struct catalog *c, enum catalog_sql sql, const char *name)
{
	sqlite3_stmt	*st;
	int64_t		 v;

	st = catalog_stmt(c, sql);
	catalog_text(c, st, 1, name);
	v = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (v);
}

void
catalog_metrics(struct catalog *c, struct catalog_metrics *m)
{
	sqlite3_stmt	*st;

	m->proven_ms = number(c, SQL_METRIC_PROVEN, m->database);
	m->lock_held_us = number(c, SQL_METRIC_LOCK, m->database);
	m->alarms = number(c, SQL_METRIC_ALARMS, m->database);
	st = catalog_stmt(c, SQL_METRIC_DRILL);
	catalog_text(c, st, 1, m->database);
	if (catalog_row(c, st)) {
		m->drill_ms = sqlite3_column_int64(st, 0);
		m->drill_duration_ms = sqlite3_column_int64(st, 1);
		m->drill_passed = sqlite3_column_int(st, 2);
	}
	(void)sqlite3_reset(st);
}

void
catalog_metrics_totals(struct catalog *c,
    void (*cb)(const char *, const struct m_stats *, void *), void *arg)
{
	sqlite3_stmt	*st;
	struct m_stats	 t;
	char		 name[DATABASE_BYTES];

	memset(&t, 0, sizeof(t));
	st = catalog_stmt(c, SQL_METRIC_TOTALS);
	while (catalog_row(c, st)) {
		catalog_column(name, sizeof(name), st, 0);
		t.backups = (uint64_t)sqlite3_column_int64(st, 1);
		t.bytes = (uint64_t)sqlite3_column_int64(st, 2);
		t.failed = (uint64_t)sqlite3_column_int64(st, 3);
		cb(name, &t, arg);
	}
	(void)sqlite3_reset(st);
}

void
catalog_metrics_queue(struct catalog *c, const char *place,
    struct catalog_queue *q)
{
	sqlite3_stmt	*st;

	memset(q, 0, sizeof(*q));
	st = catalog_stmt(c, SQL_METRIC_QUEUE);
	catalog_text(c, st, 1, place);
	if (catalog_row(c, st)) {
		q->pending = sqlite3_column_int64(st, 0);
		q->bytes = sqlite3_column_int64(st, 1);
		q->oldest_ms = sqlite3_column_int64(st, 2);
	}
	(void)sqlite3_reset(st);
}
