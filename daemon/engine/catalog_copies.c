/*
 * The copies of backups at remotes: the queue of uploads.  Run by the
 * engine.  Owns the rows of copies whose place is not local; the triggers
 * carry what changes here to the backup's row.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

/* Parameters 1 to 3 are the same in all that write. */
static sqlite3_stmt *
copy_stmt(struct catalog *c, enum catalog_sql which, int64_t id,
    const char *place)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, which);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, util_now_ms());
	return (st);
}

void
catalog_copy_add(struct catalog *c, int64_t id, const char *place)
{
	(void)catalog_run(c, copy_stmt(c, SQL_COPY_ADD, id, place));
}

void
catalog_copy_begin(struct catalog *c, int64_t id, const char *place)
{
	(void)catalog_run(c, copy_stmt(c, SQL_COPY_BEGIN, id, place));
}

void
catalog_copy_done(struct catalog *c, int64_t id, const char *place,
    const char *remote_id, uint64_t upload_us)
{
	sqlite3_stmt	*st;

	st = copy_stmt(c, SQL_COPY_DONE, id, place);
	catalog_text(c, st, 4, remote_id);
	catalog_int(c, st, 5, (int64_t)upload_us);
	(void)catalog_run(c, st);
}

void
catalog_copy_retry(struct catalog *c, int64_t id, const char *place,
    int64_t next_attempt_ms, const char *reason)
{
	sqlite3_stmt	*st;

	st = copy_stmt(c, SQL_COPY_RETRY, id, place);
	catalog_text(c, st, 4, reason);
	catalog_int(c, st, 5, next_attempt_ms);
	(void)catalog_run(c, st);
}

void
catalog_copy_failed(struct catalog *c, int64_t id, const char *place,
    const char *reason)
{
	sqlite3_stmt	*st;

	st = copy_stmt(c, SQL_COPY_FAILED, id, place);
	catalog_text(c, st, 4, reason);
	(void)catalog_run(c, st);
}

void
catalog_unsent_fail(struct catalog *c, int64_t id, const char *reason)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_UNSENT_FAIL);
	catalog_int(c, st, 1, id);
	catalog_int(c, st, 2, util_now_ms());
	catalog_text(c, st, 3, reason);
	(void)catalog_run(c, st);
}

void
catalog_copies_reset(struct catalog *c)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_COPIES_RESET);
	catalog_int(c, st, 1, util_now_ms());
	(void)catalog_run(c, st);
}

static void
copy_get(sqlite3_stmt *st, struct catalog_copy *copy)
{
	copy->backup_id = sqlite3_column_int64(st, 0);
	catalog_column(copy->place, sizeof(copy->place), st, 1);
	catalog_column(copy->state, sizeof(copy->state), st, 2);
	copy->attempts = (uint32_t)sqlite3_column_int64(st, 3);
	copy->next_attempt_ms = sqlite3_column_int64(st, 4);
}

int
catalog_copy_due(struct catalog *c, const char *place, int64_t now_ms,
    struct catalog_copy *copy)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(copy, 0, sizeof(*copy));
	st = catalog_stmt(c, SQL_COPY_DUE);
	catalog_text(c, st, 1, place);
	if ((found = catalog_row(c, st)))
		copy_get(st, copy);
	(void)sqlite3_reset(st);
	return (found && copy->next_attempt_ms <= now_ms);
}

int
catalog_copy_head(struct catalog *c, const char *place, int64_t now_ms,
    struct catalog_copy *copy)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_COPY_HEAD);
	catalog_text(c, st, 1, place);
	catalog_int(c, st, 2, now_ms);
	if ((found = catalog_row(c, st)))
		copy_get(st, copy);
	(void)sqlite3_reset(st);
	return (found || catalog_copy_due(c, place, now_ms, copy));
}

int
catalog_copy_others(struct catalog *c, int64_t id, const char *place)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_COPY_OTHERS);
	catalog_text(c, st, 1, place);
	catalog_int(c, st, 2, id);
	found = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (found);
}

void
catalog_copies_wait(struct catalog *c, const char *place, const char *reason,
    int64_t next_attempt_ms)
{
	sqlite3_stmt	*st;

	catalog_begin(c);
	st = catalog_stmt(c, SQL_COPIES_WAIT);
	catalog_text(c, st, 1, place);
	catalog_text(c, st, 2, reason);
	(void)catalog_run(c, st);
	st = catalog_stmt(c, SQL_COPIES_DUE);
	catalog_text(c, st, 1, place);
	catalog_int(c, st, 2, next_attempt_ms);
	(void)catalog_run(c, st);
	catalog_commit(c);
}

int
catalog_copy_get(struct catalog *c, int64_t id, const char *place,
    struct catalog_copy *copy, char *remote_id)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(copy, 0, sizeof(*copy));
	remote_id[0] = '\0';
	st = catalog_stmt(c, SQL_COPY_GET);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	if ((found = catalog_row(c, st))) {
		copy_get(st, copy);
		catalog_column(remote_id, REMOTE_ID_BYTES, st, 5);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_attempted(struct catalog *c, int64_t id)
{
	sqlite3_stmt	*st;
	int		 waits;

	st = catalog_stmt(c, SQL_ATTEMPTED);
	catalog_int(c, st, 1, id);
	waits = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (!waits);
}
