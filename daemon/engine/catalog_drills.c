/*
 * What is known of a backup's content, and of its proofs after the first:
 * rows per table, drills.  Run by the engine.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

void
catalog_contents_set(struct catalog *c, int64_t id, const struct tables *t,
    int whole)
{
	sqlite3_stmt	*st;
	size_t		 i;

	catalog_begin(c);
	if (whole) {
		st = catalog_stmt(c, SQL_CONTENTS_TABLES);
		catalog_int(c, st, 1, id);
		catalog_int(c, st, 2, (int64_t)t->n);
		(void)catalog_run(c, st);
	}
	for (i = 0; i < t->n; i++) {
		st = catalog_stmt(c, SQL_CONTENTS_ADD);
		catalog_int(c, st, 1, id);
		catalog_text(c, st, 2, t->list[i].name);
		catalog_int(c, st, 3, t->list[i].rows);
		(void)catalog_run(c, st);
	}
	catalog_commit(c);
}

void
catalog_contents(struct catalog *c, int64_t id, catalog_table_cb *cb,
    void *arg)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_CONTENTS);
	catalog_int(c, st, 1, id);
	while (catalog_row(c, st))
		cb((const char *)sqlite3_column_text(st, 0),
		    sqlite3_column_int64(st, 1), arg);
	(void)sqlite3_reset(st);
}

void
catalog_drill_add(struct catalog *c, const struct catalog_drill *d)
{
	sqlite3_stmt	*st;

	catalog_begin(c);
	st = catalog_stmt(c, SQL_DRILL_ADD);
	catalog_int(c, st, 1, d->backup_id);
	catalog_text(c, st, 2, d->database);
	catalog_text(c, st, 3, d->place);
	catalog_int(c, st, 4, d->started_ms);
	catalog_int(c, st, 5, d->duration_ms);
	catalog_text(c, st, 6, d->result);
	catalog_int(c, st, 7, d->tables);
	catalog_int(c, st, 8, d->rows);
	catalog_text(c, st, 9, d->text);
	(void)catalog_run(c, st);
	st = catalog_stmt(c, SQL_DRILL_DATABASE);
	catalog_text(c, st, 1, d->database);
	catalog_int(c, st, 2, d->started_ms);
	(void)catalog_run(c, st);
	catalog_commit(c);
}

int64_t
catalog_drill_last(struct catalog *c, const char *database)
{
	sqlite3_stmt	*st;
	int64_t		 ms;

	st = catalog_stmt(c, SQL_DRILL_TIME);
	catalog_text(c, st, 1, database);
	ms = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (ms);
}

int64_t
catalog_drill_choose(struct catalog *c, const char *database)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, SQL_DRILL_CHOOSE);
	catalog_text(c, st, 1, database);
	id = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (id);
}
