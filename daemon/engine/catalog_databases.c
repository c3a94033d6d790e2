/*
 * What the catalog remembers of each database: its last run, and what its
 * files looked like when they were last captured.  Run by the engine.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

static sqlite3_stmt *
of_name(struct catalog *c, enum catalog_sql which, const char *name)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, which);
	catalog_text(c, st, 1, name);
	return (st);
}

int
catalog_database(struct catalog *c, const char *name,
    struct catalog_database *d)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(d, 0, sizeof(*d));
	st = of_name(c, SQL_DATABASE_GET, name);
	if ((found = catalog_row(c, st))) {
		catalog_column(d->name, sizeof(d->name), st, 0);
		catalog_column(d->path, sizeof(d->path), st, 1);
		catalog_column(d->block, sizeof(d->block), st, 2);
		d->slot_ms = sqlite3_column_int64(st, 3);
		d->ran_ms = sqlite3_column_int64(st, 4);
		catalog_column(d->result, sizeof(d->result), st, 5);
		d->signature_id = sqlite3_column_int64(st, 6);
		d->unchanged_ms = sqlite3_column_int64(st, 7);
		d->changed_ms = sqlite3_column_int64(st, 8);
	}
	(void)sqlite3_reset(st);
	return (found);
}

void
catalog_database_seen(struct catalog *c, const char *name, const char *path,
    const char *block)
{
	sqlite3_stmt	*st;

	st = of_name(c, SQL_DATABASE_SEEN, name);
	catalog_text(c, st, 2, path);
	catalog_text(c, st, 3, block);
	(void)catalog_run(c, st);
}

void
catalog_database_ran(struct catalog *c, const char *name, int64_t slot_ms,
    int64_t now_ms, const char *result)
{
	sqlite3_stmt	*st;

	st = of_name(c, SQL_DATABASE_RAN, name);
	catalog_int(c, st, 2, slot_ms);
	catalog_int(c, st, 3, now_ms);
	catalog_text(c, st, 4, result);
	(void)catalog_run(c, st);
}

void
catalog_database_unchanged(struct catalog *c, const char *name,
    int64_t slot_ms, int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = of_name(c, SQL_DATABASE_UNCHANGED, name);
	catalog_int(c, st, 2, slot_ms);
	catalog_int(c, st, 3, now_ms);
	/* Where it is lost, somebody looks once more. */
	catalog_set_sync(c, 0);
	(void)catalog_try(c, st);
	catalog_set_sync(c, 1);
}

void
catalog_database_captured(struct catalog *c, const char *name,
    int64_t backup_id, const struct m_signature *s, int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = of_name(c, SQL_DATABASE_CAPTURED, name);
	if (s != NULL)
		catalog_blob(c, st, 2, s, sizeof(*s));
	catalog_int(c, st, 3, s != NULL ? backup_id : 0);
	catalog_int(c, st, 4, now_ms);
	(void)catalog_run(c, st);
}

void
catalog_database_changed(struct catalog *c, const char *name, int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = of_name(c, SQL_DATABASE_CHANGED, name);
	catalog_int(c, st, 2, now_ms);
	(void)catalog_run(c, st);
}

int
catalog_database_signature(struct catalog *c, const char *name,
    struct m_signature *s, int64_t *backup_id)
{
	sqlite3_stmt	*st;
	int		 found = 0;

	st = of_name(c, SQL_DATABASE_SIGNATURE, name);
	if (catalog_row(c, st) && sqlite3_column_bytes(st, 0) == sizeof(*s)) {
		memcpy(s, sqlite3_column_blob(st, 0), sizeof(*s));
		*backup_id = sqlite3_column_int64(st, 1);
		found = s->version == SIGNATURE_VERSION;
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_database_stands(struct catalog *c, const char *name,
    int64_t backup_id, int unverified_counts)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_DATABASE_STANDS);
	catalog_int(c, st, 1, backup_id);
	catalog_text(c, st, 2, name);
	catalog_int(c, st, 3, unverified_counts);
	found = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_database_by_path(struct catalog *c, const char *block,
    const char *path, char *name)
{
	sqlite3_stmt	*st;
	int		 found;

	st = of_name(c, SQL_DATABASE_BY_PATH, block);
	catalog_text(c, st, 2, path);
	if ((found = catalog_row(c, st)))
		catalog_column(name, DATABASE_BYTES, st, 0);
	(void)sqlite3_reset(st);
	return (found);
}

void
catalog_databases_of(struct catalog *c, const char *block,
    catalog_database_cb *cb, void *arg)
{
	sqlite3_stmt	*st;
	char		 name[DATABASE_BYTES], path[PATH_BYTES];

	st = of_name(c, SQL_DATABASES_OF, block);
	while (catalog_row(c, st)) {
		catalog_column(name, sizeof(name), st, 0);
		catalog_column(path, sizeof(path), st, 1);
		cb(name, path, arg);
	}
	(void)sqlite3_reset(st);
}

int64_t
catalog_acknowledged(struct catalog *c, const char *database,
    const char *kind)
{
	sqlite3_stmt	*st;
	int64_t		 ms;

	st = of_name(c, SQL_ACKNOWLEDGED, database);
	catalog_text(c, st, 2, kind);
	ms = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (ms);
}
