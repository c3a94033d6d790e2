/*
 * Workers run this behind a check that found the image sound.  It owns the
 * statements by which rows are counted; what they meet is no damage, only
 * something that is not known.  It must not outlast its time.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/count.h"
#include "daemon/worker/vfs_fd.h"
#include "daemon/worker/worker.h"

#define PROGRESS_OPS	20000		/* virtual machine steps */

/* A virtual table has no root; SQLite's own begin so. */
#define TABLES_SQL							\
	"SELECT name FROM sqlite_master WHERE type = 'table'"		\
	" AND rootpage > 0 AND substr(name, 1, 7) <> 'sqlite_'"

/* Called while SQLite reads, also within one step of it. */
static void
on_read(void *arg)
{
	struct count	*c = arg;

	worker_progress(c->phase, 0, c->size);
	if (!worker_stopping() && util_monotonic_us() <= c->end_us)
		return;
	c->late = 1;
	sqlite3_interrupt(c->db);
}

static int
on_ops(void *arg)
{
	struct count	*c = arg;

	on_read(c);
	return (c->late);
}

static void
begin(struct count *c, const char *phase)
{
	c->phase = phase;
	worker_progress(phase, 0, c->size);
	vfs_fd_watch(on_read, c);
	sqlite3_progress_handler(c->db, PROGRESS_OPS, on_ops, c);
}

static void
end(struct count *c, sqlite3_stmt *st)
{
	sqlite3_finalize(st);
	sqlite3_progress_handler(c->db, 0, NULL, NULL);
	vfs_fd_watch(NULL, NULL);
}

static int
over(struct count *c)
{
	if (worker_stopping() || util_monotonic_us() > c->end_us)
		c->late = 1;
	return (c->late);
}

/* The rows of one table; -1 when they can't be counted. */
static int64_t
rows_of(struct count *c, const char *name)
{
	sqlite3_stmt	*st = NULL;
	int64_t		 rows = -1;
	char		*sql;

	sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", name);
	if (sql == NULL)
		return (-1);
	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		rows = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_free(sql);
	return (rows < 0 ? -1 : rows);
}

static void
table(struct count *c, const char *name, int size)
{
	struct m_w_table	row;

	memset(&row, 0, sizeof(row));
	row.rows = -1;
	if (c->result->tables < TABLES_MAX && name != NULL && size > 0 &&
	    (size_t)size < sizeof(row.name) && strlen(name) == (size_t)size &&
	    util_utf8_valid(name, (size_t)size))
		row.rows = rows_of(c, name);
	if (row.rows == -1) {
		c->result->flags |= VERIFIED_PARTIAL;
		return;
	}
	memcpy(row.name, name, (size_t)size);
	worker_table(&row);
	c->result->tables++;
}

void
count_rows(struct count *c)
{
	sqlite3_stmt	*st = NULL;
	const char	*name;
	int		 rc;

	begin(c, "count");
	rc = sqlite3_prepare_v2(c->db, TABLES_SQL, -1, &st, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if (over(c) || (rc = sqlite3_step(st)) != SQLITE_ROW)
			break;
		name = (const char *)sqlite3_column_text(st, 0);
		table(c, name, sqlite3_column_bytes(st, 0));
	}
	if (c->late || rc != SQLITE_DONE)
		c->result->flags |= VERIFIED_PARTIAL;
	end(c, st);
}

void
count_references(struct count *c)
{
	sqlite3_stmt	*st = NULL;
	int64_t		 n = 0;
	int		 rc;

	begin(c, "references");
	rc = sqlite3_prepare_v2(c->db, "PRAGMA foreign_key_check", -1, &st,
	    NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if (over(c) || (rc = sqlite3_step(st)) != SQLITE_ROW)
			break;
		n++;
	}
	if (!c->late && rc == SQLITE_DONE)
		c->result->broken = n;
	end(c, st);
}
