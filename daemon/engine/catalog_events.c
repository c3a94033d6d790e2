/*
 * The catalog's events and alarms.  Run by the engine.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

#define EVENTS_KEPT	100000

int64_t
catalog_event_add(struct catalog *c, const struct catalog_event *ev)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, SQL_EVENT_ADD);
	catalog_int(c, st, 1, ev->at_ms);
	catalog_text(c, st, 2, ev->kind);
	catalog_text(c, st, 3, ev->about.database);
	catalog_int(c, st, 4, ev->about.backup_id);
	catalog_text(c, st, 5, ev->about.place);
	catalog_text(c, st, 6, ev->text);
	if (catalog_try(c, st) == -1)
		return (0);
	id = sqlite3_last_insert_rowid(c->db);
	if (id % 1000 == 0) {
		st = catalog_stmt(c, SQL_EVENTS_TRIM);
		catalog_int(c, st, 1, id - EVENTS_KEPT);
		(void)catalog_run(c, st);
	}
	return (id);
}

int64_t
catalog_events(struct catalog *c, int64_t after, uint32_t limit,
    catalog_event_cb *cb, void *arg)
{
	sqlite3_stmt	*st;
	struct m_event	 ev;

	st = catalog_stmt(c, SQL_EVENTS_AFTER);
	catalog_int(c, st, 1, after);
	catalog_int(c, st, 2, limit);
	while (catalog_row(c, st)) {
		memset(&ev, 0, sizeof(ev));
		ev.id = after = sqlite3_column_int64(st, 0);
		ev.at_ms = sqlite3_column_int64(st, 1);
		ev.backup_id = sqlite3_column_int64(st, 2);
		catalog_column(ev.kind, sizeof(ev.kind), st, 3);
		catalog_column(ev.database, sizeof(ev.database), st, 4);
		catalog_column(ev.place, sizeof(ev.place), st, 5);
		catalog_column(ev.text, sizeof(ev.text), st, 6);
		cb(&ev, arg);
	}
	return (after);
}

/* The first column of a statement's only row, 0 if there is none. */
static int64_t
one_number(struct catalog *c, sqlite3_stmt *st)
{
	int64_t	n = 0;

	if (catalog_row(c, st))
		n = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return (n);
}

int64_t
catalog_events_newest(struct catalog *c)
{
	return (one_number(c, catalog_stmt(c, SQL_EVENTS_NEWEST)));
}

/* ---- webhooks ---- */

int
catalog_hook_get(struct catalog *c, const char *hook, struct catalog_hook *h)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(h, 0, sizeof(*h));
	st = catalog_stmt(c, SQL_HOOK_GET);
	catalog_text(c, st, 1, hook);
	if ((found = catalog_row(c, st))) {
		h->last_id = sqlite3_column_int64(st, 0);
		h->attempts = (uint32_t)sqlite3_column_int64(st, 1);
		h->next_attempt_ms = sqlite3_column_int64(st, 2);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_hook_set(struct catalog *c, const char *hook,
    const struct catalog_hook *h)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_HOOK_SET);
	catalog_text(c, st, 1, hook);
	catalog_int(c, st, 2, h->last_id);
	catalog_int(c, st, 3, h->attempts);
	catalog_int(c, st, 4, h->next_attempt_ms);
	return (catalog_try(c, st) == -1 ? -1 : 0);
}

int
catalog_hook_next(struct catalog *c, const char *after, char *hook,
    size_t size)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_HOOK_NAMES);
	catalog_text(c, st, 1, after);
	if ((found = catalog_row(c, st)))
		catalog_column(hook, size, st, 0);
	(void)sqlite3_reset(st);
	return (found);
}

void
catalog_hook_delete(struct catalog *c, const char *hook)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_HOOK_DELETE);
	catalog_text(c, st, 1, hook);
	(void)catalog_try(c, st);
}

int
catalog_troubled(struct catalog *c)
{
	return (one_number(c, catalog_stmt(c, SQL_TROUBLED)) != 0);
}

int
catalog_troubles_clear(struct catalog *c, const char *database)
{
	sqlite3_stmt	*st;
	int		 n;

	st = catalog_stmt(c, SQL_TROUBLES_CLEAR);
	catalog_text(c, st, 1, database);
	n = catalog_try(c, st);
	return (n < 0 ? 0 : n);
}

/* ---- alarms ---- */

int
catalog_alarm_raise(struct catalog *c, const char *database,
    const char *kind, const char *text, int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_ALARM_RAISE);
	catalog_text(c, st, 1, database);
	catalog_text(c, st, 2, kind);
	catalog_text(c, st, 3, text);
	catalog_int(c, st, 4, now_ms);
	return (catalog_try(c, st) > 0);
}

int
catalog_alarm_first(struct catalog *c, const char *database, char *why)
{
	char		 kind[WORD_BYTES], text[TEXT_BYTES];
	sqlite3_stmt	*st;
	int		 found;

	why[0] = '\0';
	st = catalog_stmt(c, SQL_ALARM_FIRST);
	catalog_text(c, st, 1, database);
	if ((found = catalog_row(c, st))) {
		catalog_column(kind, sizeof(kind), st, 0);
		catalog_column(text, sizeof(text), st, 1);
		(void)snprintf(why, TEXT_BYTES, "%s: %.480s", kind, text);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_alarm_next(struct catalog *c, const char *database, int64_t after,
    struct catalog_alarm *a)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(a, 0, sizeof(*a));
	st = catalog_stmt(c, SQL_ALARMS);
	catalog_int(c, st, 1, after);
	catalog_text(c, st, 2, database);
	if ((found = catalog_row(c, st))) {
		a->id = sqlite3_column_int64(st, 0);
		catalog_column(a->database, sizeof(a->database), st, 1);
		catalog_column(a->kind, sizeof(a->kind), st, 2);
		catalog_column(a->text, sizeof(a->text), st, 3);
		a->raised_ms = sqlite3_column_int64(st, 4);
	}
	(void)sqlite3_reset(st);
	return (found);
}

void
catalog_alarms_each(struct catalog *c, const char *database,
    catalog_standing_cb *cb, void *arg)
{
	struct catalog_alarm	a;
	int64_t			after = 0;

	while (catalog_alarm_next(c, database, after, &a)) {
		after = a.id;
		cb(&a, arg);
	}
}

int
catalog_alarm_acknowledge(struct catalog *c, int64_t id, const char *by,
    int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_ALARM_ACKNOWLEDGE);
	catalog_int(c, st, 1, id);
	catalog_int(c, st, 2, now_ms);
	catalog_text(c, st, 3, by);
	return (catalog_try(c, st) > 0);
}
