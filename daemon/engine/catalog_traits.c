/*
 * What the catalog knows of the data in backups, to compare one with the
 * one before.  Run by the engine.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

static int
traits_take(struct catalog *c, sqlite3_stmt *st, struct catalog_traits *f)
{
	int	found;

	memset(f, 0, sizeof(*f));
	if ((found = catalog_row(c, st))) {
		f->id = sqlite3_column_int64(st, 0);
		f->size = sqlite3_column_int64(st, 1);
		f->dev = (uint64_t)sqlite3_column_int64(st, 2);
		f->ino = (uint64_t)sqlite3_column_int64(st, 3);
		f->application_id = (uint32_t)sqlite3_column_int64(st, 4);
		f->change_counter = (uint32_t)sqlite3_column_int64(st, 5);
		catalog_column(f->verdict, sizeof(f->verdict), st, 6);
		/* NULL: nobody counted. */
		f->tables = sqlite3_column_type(st, 7) == SQLITE_NULL ? -1 :
		    sqlite3_column_int64(st, 7);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_traits(struct catalog *c, int64_t id, struct catalog_traits *f)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_TRAITS);
	catalog_int(c, st, 1, id);
	return (traits_take(c, st, f));
}

int
catalog_traits_before(struct catalog *c, int64_t id, const char *database,
    struct catalog_traits *f)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_TRAITS_BEFORE);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, database);
	return (traits_take(c, st, f));
}

int64_t
catalog_tables_gone(struct catalog *c, int64_t old_id, int64_t new_id,
    char *name, size_t size)
{
	sqlite3_stmt	*st;
	int64_t		 n = 0;

	name[0] = '\0';
	st = catalog_stmt(c, SQL_TABLES_GONE);
	catalog_int(c, st, 1, old_id);
	catalog_int(c, st, 2, new_id);
	if (catalog_row(c, st)) {
		n = sqlite3_column_int64(st, 0);
		catalog_column(name, size, st, 1);
	}
	(void)sqlite3_reset(st);
	return (n);
}

void
catalog_expect_anew(struct catalog *c, const char *database)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_EXPECT);
	catalog_text(c, st, 1, database);
	(void)catalog_run(c, st);
}
