/*
 * The catalog's events and alarms.  Run by the engine.
 */
#include <stdio.h>

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
	(void)catalog_run(c, st);
	id = sqlite3_last_insert_rowid(c->db);
	if (id % 1000 == 0) {
		st = catalog_stmt(c, SQL_EVENTS_TRIM);
		catalog_int(c, st, 1, id - EVENTS_KEPT);
		(void)catalog_run(c, st);
	}
	return (id);
}

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
	return (catalog_run(c, st) > 0);
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
