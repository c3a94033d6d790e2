/*
 * The catalog's knowledge of forms: how a backup's bytes are kept here, and
 * how remotes get them.  Run by the engine.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

/* Parameters 1 to 4 are the same in all. */
static sqlite3_stmt *
stored_stmt(struct catalog *c, enum catalog_sql which, int64_t id,
    const struct catalog_stored *s)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, which);
	catalog_int(c, st, 1, id);
	if (which != SQL_STORED_COPY)
		catalog_text(c, st, 2, s->form);
	catalog_int(c, st, 3, (int64_t)s->size);
	catalog_text(c, st, 4, s->checksum);
	return (st);
}

void
catalog_stored(struct catalog *c, int64_t id, const struct catalog_stored *s)
{
	catalog_begin(c);
	(void)catalog_run(c, stored_stmt(c, SQL_STORED, id, s));
	(void)catalog_run(c, stored_stmt(c, SQL_STORED_COPY, id, s));
	catalog_commit(c);
}

void
catalog_remote_form(struct catalog *c, int64_t id,
    const struct catalog_stored *s, const char *file)
{
	sqlite3_stmt	*st;

	st = stored_stmt(c, SQL_REMOTE_FORM, id, s);
	catalog_text(c, st, 5, file);
	(void)catalog_run(c, st);
}

int
catalog_remote_file(struct catalog *c, int64_t id, char *name)
{
	sqlite3_stmt	*st;

	name[0] = '\0';
	st = catalog_stmt(c, SQL_REMOTE_FILE);
	catalog_int(c, st, 1, id);
	if (catalog_row(c, st))
		catalog_column(name, NAME_BYTES, st, 0);
	(void)sqlite3_reset(st);
	return (name[0] != '\0');
}

void
catalog_remote_gone(struct catalog *c, int64_t id)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_REMOTE_GONE);
	catalog_int(c, st, 1, id);
	(void)catalog_run(c, st);
}

int
catalog_remote_waits(struct catalog *c, int64_t id)
{
	sqlite3_stmt	*st;
	int		 waits;

	st = catalog_stmt(c, SQL_REMOTE_WAITS);
	catalog_int(c, st, 1, id);
	waits = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (waits);
}

int64_t
catalog_by_remote_file(struct catalog *c, const char *database,
    const char *name)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, SQL_BY_REMOTE_FILE);
	catalog_text(c, st, 1, database);
	catalog_text(c, st, 2, name);
	id = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (id);
}
