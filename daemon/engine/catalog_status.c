/*
 * How everything is, as far as the catalog knows: the newest backup of a
 * database, what waits, what is wrong.  Run by the engine.  Only reads, and
 * each by an index, however many rows there are.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

static sqlite3_stmt *
about(struct catalog *c, enum catalog_sql which, const char *name)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, which);
	catalog_text(c, st, 1, name);
	return (st);
}

/* The newest backup, made by whomever, and how it went. */
static void
last_get(struct catalog *c, const char *name, struct m_status_database *s)
{
	sqlite3_stmt	*st;
	char		 status[WORD_BYTES], reason[TEXT_BYTES];

	st = about(c, SQL_STATUS_LAST, name);
	if (catalog_row(c, st)) {
		s->last_id = sqlite3_column_int64(st, 0);
		s->last_ms = sqlite3_column_int64(st, 1);
		catalog_column(status, sizeof(status), st, 2);
		catalog_column(reason, sizeof(reason), st, 3);
		snprintf(s->last_result, sizeof(s->last_result), "%s%s%.480s",
		    status, reason[0] != '\0' ? ": " : "", reason);
	}
	(void)sqlite3_reset(st);
}

static void
proven_get(struct catalog *c, const char *name, struct m_status_database *s)
{
	sqlite3_stmt	*st;

	st = about(c, SQL_STATUS_PROVEN, name);
	if (catalog_row(c, st)) {
		s->proven_id = sqlite3_column_int64(st, 0);
		s->proven_ms = sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_reset(st);
}

static void
waiting_get(struct catalog *c, const char *name, struct m_status_database *s)
{
	sqlite3_stmt	*st;

	st = about(c, SQL_STATUS_WAITING, name);
	if (catalog_row(c, st)) {
		s->pending = (uint64_t)sqlite3_column_int64(st, 0);
		s->pending_bytes = (uint64_t)sqlite3_column_int64(st, 1);
		s->pending_ms = sqlite3_column_int64(st, 2);
	}
	(void)sqlite3_reset(st);
}

static void
drill_get(struct catalog *c, const char *name, struct m_status_database *s)
{
	sqlite3_stmt	*st;

	st = about(c, SQL_STATUS_DRILL, name);
	if (catalog_row(c, st)) {
		s->drill_ms = sqlite3_column_int64(st, 0);
		s->drill_duration_ms = sqlite3_column_int64(st, 1);
		catalog_column(s->drill_result, sizeof(s->drill_result), st,
		    2);
	}
	(void)sqlite3_reset(st);
}

void
catalog_status_database(struct catalog *c, const char *name,
    struct m_status_database *s)
{
	struct catalog_database	d;

	last_get(c, name, s);
	proven_get(c, name, s);
	waiting_get(c, name, s);
	drill_get(c, name, s);
	if (!catalog_database(c, name, &d))
		return;
	s->unchanged_ms = d.unchanged_ms;
	/* A run that found nothing to do, or nothing to look at. */
	if (d.ran_ms > s->last_ms && d.result[0] != '\0')
		strlcpy(s->last_result, d.result, sizeof(s->last_result));
}

void
catalog_status_remote(struct catalog *c, const char *place,
    struct m_status_remote *s)
{
	sqlite3_stmt	*st;

	st = about(c, SQL_STATUS_REMOTE, place);
	if (catalog_row(c, st)) {
		s->pending = (uint64_t)sqlite3_column_int64(st, 0);
		s->next_attempt_ms = sqlite3_column_int64(st, 1);
		s->uploading = (uint64_t)sqlite3_column_int64(st, 2);
	}
	(void)sqlite3_reset(st);
	st = about(c, SQL_STATUS_REMOTE_ERROR, place);
	if (catalog_row(c, st))
		catalog_column(s->last_error, sizeof(s->last_error), st, 0);
	(void)sqlite3_reset(st);
}

void
catalog_status_alarms(struct catalog *c, const char *database,
    catalog_alarm_cb *cb, void *arg)
{
	struct m_status_alarm	 a;
	sqlite3_stmt		*st;

	st = about(c, SQL_STATUS_ALARMS, database);
	while (catalog_row(c, st)) {
		memset(&a, 0, sizeof(a));
		a.raised_ms = sqlite3_column_int64(st, 0);
		catalog_column(a.kind, sizeof(a.kind), st, 1);
		catalog_column(a.text, sizeof(a.text), st, 2);
		cb(&a, arg);
	}
	(void)sqlite3_reset(st);
}
