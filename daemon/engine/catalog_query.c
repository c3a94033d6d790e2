/*
 * What is asked of the catalog: one row, lists, totals, and the rows that
 * the sweep at start looks at.  Run by the engine.  Only reads.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

#define EACH_ROWS	500

static void
row_get(sqlite3_stmt *st, struct m_backup *b)
{
	char	*comma;

	memset(b, 0, sizeof(*b));
	b->id = sqlite3_column_int64(st, 0);
	b->file_size = sqlite3_column_int64(st, 1);
	b->created_ms = sqlite3_column_int64(st, 2);
	b->updated_ms = sqlite3_column_int64(st, 3);
	b->uploaded_ms = sqlite3_column_int64(st, 4);
	b->lock_held_us = (uint64_t)sqlite3_column_int64(st, 5);
	b->user.kind = (uint32_t)sqlite3_column_int(st, 6);
	catalog_column(b->user.id, sizeof(b->user.id), st, 7);
	catalog_column(b->database, sizeof(b->database), st, 8);
	catalog_column(b->name, sizeof(b->name), st, 9);
	catalog_column(b->description, sizeof(b->description), st, 10);
	catalog_column(b->file_path, sizeof(b->file_path), st, 11);
	catalog_column(b->type, sizeof(b->type), st, 12);
	catalog_column(b->status, sizeof(b->status), st, 13);
	catalog_column(b->verdict, sizeof(b->verdict), st, 14);
	catalog_column(b->remote_id, sizeof(b->remote_id), st, 15);
	catalog_column(b->checksum, sizeof(b->checksum), st, 16);
	catalog_column(b->locations, sizeof(b->locations), st, 17);
	catalog_column(b->reason, sizeof(b->reason), st, 18);
	b->captured_ms = sqlite3_column_int64(st, 19);
	b->proven_ms = sqlite3_column_int64(st, 20);
	b->pinned_ms = sqlite3_column_int64(st, 21);
	b->flags = sqlite3_column_int(st, 22) ? BACKUP_NAMED : 0;
	catalog_column(b->form, sizeof(b->form), st, 23);
	b->stored_size = sqlite3_column_int64(st, 24);
	catalog_column(b->stored_checksum, sizeof(b->stored_checksum), st, 25);
	b->flags |= sqlite3_column_int(st, 26) ? BACKUP_DOOMED : 0;
	b->remote_size = sqlite3_column_int64(st, 27);
	catalog_column(b->remote_form, sizeof(b->remote_form), st, 28);
	catalog_column(b->remote_checksum, sizeof(b->remote_checksum), st,
	    29);
	/* More places than fit: whole names only. */
	if ((size_t)sqlite3_column_bytes(st, 17) >= sizeof(b->locations) &&
	    (comma = strrchr(b->locations, ',')) != NULL)
		memset(comma, 0, (size_t)(b->locations +
		    sizeof(b->locations) - comma));
}

int
catalog_get(struct catalog *c, int64_t id, struct m_backup *b)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_GET);
	catalog_int(c, st, 1, id);
	if ((found = catalog_row(c, st)))
		row_get(st, b);
	(void)sqlite3_reset(st);
	return (found);
}

static int64_t
find_id(struct catalog *c, enum catalog_sql which, const char *a,
    const char *b)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, which);
	catalog_text(c, st, 1, a);
	catalog_text(c, st, 2, b);
	id = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (id);
}

int64_t
catalog_by_file(struct catalog *c, const char *database,
    const char *file_name)
{
	return (find_id(c, SQL_BY_FILE, database, file_name));
}

int
catalog_origin(struct catalog *c, int64_t id, struct catalog_origin *o)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(o, 0, sizeof(*o));
	st = catalog_stmt(c, SQL_ORIGIN);
	catalog_int(c, st, 1, id);
	if ((found = catalog_row(c, st))) {
		o->uid = (uint32_t)sqlite3_column_int64(st, 0);
		o->gid = (uint32_t)sqlite3_column_int64(st, 1);
		o->mode = (uint32_t)sqlite3_column_int64(st, 2);
		o->wal = sqlite3_column_int(st, 3);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int64_t
catalog_by_remote(struct catalog *c, const char *place,
    const char *remote_id)
{
	return (find_id(c, SQL_BY_REMOTE, place, remote_id));
}

/* The variant of a statement for a filter, with the filter bound. */
static sqlite3_stmt *
filtered(struct catalog *c, enum catalog_sql base, const struct m_user *user,
    const char *database)
{
	sqlite3_stmt	*st;
	int		 filter;

	filter = 0;
	if (user->kind != USER_NONE)
		filter |= FILTER_USER;
	if (database[0] != '\0')
		filter |= FILTER_DATABASE;
	st = catalog_stmt(c, base + (unsigned int)filter);
	if (filter & FILTER_USER)
		catalog_text(c, st, 4, user->id);
	if (filter & FILTER_DATABASE)
		catalog_text(c, st, 5, database);
	return (st);
}

uint32_t
catalog_list(struct catalog *c, const struct m_user *user,
    const char *database, int64_t before_ms, int64_t before_id,
    uint32_t limit, int *more, catalog_row_cb *cb, void *arg)
{
	struct m_backup	 b;
	sqlite3_stmt	*st;
	uint32_t	 n;

	st = filtered(c, SQL_LIST, user, database);
	catalog_int(c, st, 1, before_ms == 0 ? INT64_MAX : before_ms);
	catalog_int(c, st, 2, before_ms == 0 ? INT64_MAX : before_id);
	catalog_int(c, st, 3, (int64_t)limit + 1);
	*more = 0;
	for (n = 0; catalog_row(c, st); n++) {
		if (n == limit) {
			*more = 1;
			break;
		}
		row_get(st, &b);
		cb(&b, arg);
	}
	(void)sqlite3_reset(st);
	return (n);
}

void
catalog_stats(struct catalog *c, const struct m_user *user,
    const char *database, struct m_stats *s)
{
	sqlite3_stmt	*st;

	memset(s, 0, sizeof(*s));
	st = filtered(c, SQL_STATS, user, database);
	if (catalog_row(c, st)) {
		s->backups = (uint64_t)sqlite3_column_int64(st, 0);
		s->bytes = (uint64_t)sqlite3_column_int64(st, 1);
		s->completed = (uint64_t)sqlite3_column_int64(st, 2);
		s->failed = (uint64_t)sqlite3_column_int64(st, 3);
		s->last_ms = sqlite3_column_int64(st, 4);
	}
	(void)sqlite3_reset(st);
}

struct local {
	int64_t	id;
	int64_t	file_size;
	int	proven;
	char	database[DATABASE_BYTES];
	char	file_path[ARTIFACT_BYTES];
};

int
catalog_each_local(struct catalog *c, int completed, int64_t after_id,
    catalog_local_cb *cb, void *arg)
{
	struct local	*l, *rows;
	sqlite3_stmt	*st;
	int		 i, n;

	/* All are read before the first is told: cb may write. */
	rows = xcalloc(EACH_ROWS, sizeof(*rows));
	st = catalog_stmt(c, completed ? SQL_EACH_COMPLETED :
	    SQL_EACH_PENDING);
	catalog_int(c, st, 1, after_id);
	catalog_int(c, st, 2, EACH_ROWS);
	for (n = 0; n < EACH_ROWS && catalog_row(c, st); n++) {
		l = &rows[n];
		l->id = sqlite3_column_int64(st, 0);
		catalog_column(l->database, sizeof(l->database), st, 1);
		catalog_column(l->file_path, sizeof(l->file_path), st, 2);
		l->file_size = sqlite3_column_int64(st, 3);
		l->proven = sqlite3_column_int(st, 4);
	}
	(void)sqlite3_reset(st);
	for (i = 0; i < n; i++) {
		l = &rows[i];
		cb(l->id, l->database, l->file_path, l->file_size, l->proven,
		    arg);
	}
	free(rows);
	return (n);
}
