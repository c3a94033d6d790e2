/*
 * The catalog's part in how backups go: what there is of a database at a
 * place, the marks of what is being deleted, and the restores that can be
 * undone.  Run by the engine.  Decides nothing, and deletes no file.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

#define REFUSED_MS	86400000	/* as SQL_DOOMED has it */

static void
kept_get(sqlite3_stmt *st, struct catalog_kept *k)
{
	char	word[WORD_BYTES];

	memset(k, 0, sizeof(*k));
	k->id = sqlite3_column_int64(st, 0);
	k->created_ms = sqlite3_column_int64(st, 1);
	catalog_column(word, sizeof(word), st, 2);
	k->sound = strcmp(word, "sound") == 0;
	k->unjudged = strcmp(word, "unknown") == 0;
	k->damaged = strcmp(word, "damaged") == 0;
	catalog_column(word, sizeof(word), st, 3);
	k->completed = strcmp(word, "completed") == 0;
	k->pinned = sqlite3_column_int(st, 4);
	k->named = sqlite3_column_int(st, 5);
	k->safety = sqlite3_column_int(st, 6);
	catalog_column(k->waits, sizeof(k->waits), st, 7);
	k->size = sqlite3_column_int64(st, 8);
}

size_t
catalog_history(struct catalog *c, const char *database, const char *place,
    int safeties, int64_t before_id, struct catalog_kept *list, size_t max)
{
	sqlite3_stmt	*st;
	size_t		 n = 0;

	st = catalog_stmt(c, safeties ? SQL_SAFETIES : SQL_HISTORY);
	catalog_text(c, st, 1, database);
	if (!safeties)
		catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, before_id);
	catalog_int(c, st, 4, (int64_t)max);
	while (n < max && catalog_row(c, st))
		kept_get(st, &list[n++]);
	(void)sqlite3_reset(st);
	return (n);
}

size_t
catalog_waiting(struct catalog *c, const char *database,
    struct catalog_kept **list)
{
	sqlite3_stmt	*st;
	size_t		 n = 0, room = 0;

	*list = NULL;
	st = catalog_stmt(c, SQL_WAITING);
	catalog_text(c, st, 1, database);
	while (catalog_row(c, st)) {
		if (n == room) {
			room = room == 0 ? 64 : room * 2;
			*list = xreallocarray(*list, room, sizeof(**list));
		}
		kept_get(st, &(*list)[n]);
		(*list)[n++].uploading = sqlite3_column_int(st, 9);
	}
	(void)sqlite3_reset(st);
	return (n);
}

int64_t
catalog_newest_proven(struct catalog *c, const char *database)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, SQL_NEWEST_PROVEN);
	catalog_text(c, st, 1, database);
	id = catalog_row(c, st) ? sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_reset(st);
	return (id);
}

int
catalog_doom(struct catalog *c, int64_t id, const char *place,
    int64_t doomed_ms, const char *why)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_DOOM);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, doomed_ms);
	catalog_text(c, st, 4, why);
	return (catalog_run(c, st) > 0);
}

void
catalog_doom_off(struct catalog *c, int64_t id, const char *place)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_DOOM_OFF);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	(void)catalog_run(c, st);
}

int
catalog_spare(struct catalog *c, int64_t id, const char *place)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_SPARE);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	found = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_doomed_next(struct catalog *c, const char *place, int64_t before_id,
    struct catalog_doomed *d)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(d, 0, sizeof(*d));
	st = catalog_stmt(c, SQL_DOOMED);
	catalog_text(c, st, 1, place);
	catalog_int(c, st, 2, before_id);
	catalog_int(c, st, 3, util_now_ms());
	if ((found = catalog_row(c, st))) {
		d->id = sqlite3_column_int64(st, 0);
		catalog_column(d->database, sizeof(d->database), st, 1);
		catalog_column(d->file_path, sizeof(d->file_path), st, 2);
		d->created_ms = sqlite3_column_int64(st, 3);
		d->size = sqlite3_column_int64(st, 4);
		catalog_column(d->why, sizeof(d->why), st, 5);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_doomed_get(struct catalog *c, const char *place, int64_t id,
    struct catalog_doomed *d)
{
	return (catalog_doomed_next(c, place, id + 1, d) && d->id == id);
}

int
catalog_doomed_refused(struct catalog *c, int64_t id, const char *place,
    const char *why)
{
	sqlite3_stmt	*st;
	int		 is_new;

	catalog_begin(c);
	st = catalog_stmt(c, SQL_DOOMED_WHY);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_text(c, st, 3, why);
	is_new = catalog_run(c, st) > 0;
	st = catalog_stmt(c, SQL_DOOMED_LATER);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, util_now_ms() + REFUSED_MS);
	(void)catalog_run(c, st);
	catalog_commit(c);
	return (is_new);
}

/* Parameter 1 is the id, 2 a time or nothing. */
static int
run_id(struct catalog *c, enum catalog_sql which, int64_t id, int64_t ms)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, which);
	catalog_int(c, st, 1, id);
	if (sqlite3_bind_parameter_count(st) > 1)
		catalog_int(c, st, 2, ms);
	return (catalog_run(c, st));
}

int
catalog_copy_removed(struct catalog *c, int64_t id, const char *place)
{
	sqlite3_stmt	*st;
	int		 gone;

	catalog_begin(c);
	st = catalog_stmt(c, SQL_COPY_REMOVE);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	(void)catalog_run(c, st);
	if (strcmp(place, PLACE_LOCAL) == 0) {
		(void)run_id(c, SQL_FILE_GONE, id, util_now_ms());
		catalog_unsent_fail(c, id, "The local copy was deleted "
		    "before this one was sent.");
	}
	gone = run_id(c, SQL_ROW_REMOVE, id, 0) > 0;
	if (gone)
		(void)run_id(c, SQL_RESTORES_TRIM, id, 0);
	catalog_commit(c);
	return (gone);
}

int
catalog_pin(struct catalog *c, int64_t id, int64_t pinned_ms)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_PIN);
	catalog_int(c, st, 1, id);
	catalog_int(c, st, 2, pinned_ms);
	catalog_int(c, st, 3, util_now_ms());
	return (catalog_run(c, st) > 0);
}

void
catalog_copies_of(struct catalog *c, int64_t id, catalog_copy_cb *cb,
    void *arg)
{
	struct m_copy	 m;
	sqlite3_stmt	*st;
	int64_t		 doomed_ms;

	st = catalog_stmt(c, SQL_COPIES_OF);
	catalog_int(c, st, 1, id);
	while (catalog_row(c, st)) {
		memset(&m, 0, sizeof(m));
		catalog_column(m.place, sizeof(m.place), st, 0);
		catalog_column(m.state, sizeof(m.state), st, 1);
		m.size = sqlite3_column_int64(st, 2);
		catalog_column(m.checksum, sizeof(m.checksum), st, 3);
		catalog_column(m.confirmed, sizeof(m.confirmed), st, 4);
		m.confirmed_ms = sqlite3_column_int64(st, 5);
		m.attempts = (uint32_t)sqlite3_column_int64(st, 6);
		m.next_attempt_ms = sqlite3_column_int64(st, 7);
		catalog_column(m.reason, sizeof(m.reason), st, 8);
		m.completed_ms = sqlite3_column_int64(st, 9);
		doomed_ms = sqlite3_column_int64(st, 10);
		m.flags = doomed_ms > 0 ? COPY_EXPIRING :
		    doomed_ms < 0 ? COPY_RETIRED : 0;
		catalog_column(m.remote_id, sizeof(m.remote_id), st, 11);
		m.upload_us = (uint64_t)sqlite3_column_int64(st, 12);
		cb(&m, arg);
	}
	(void)sqlite3_reset(st);
}

void
catalog_detail(struct catalog *c, int64_t id, struct m_detail *m)
{
	sqlite3_stmt	*st;

	m->tables = -1;
	st = catalog_stmt(c, SQL_TABLES);
	catalog_int(c, st, 1, id);
	if (catalog_row(c, st) && sqlite3_column_type(st, 0) != SQLITE_NULL)
		m->tables = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	st = catalog_stmt(c, SQL_DRILL_LAST);
	catalog_int(c, st, 1, id);
	if (catalog_row(c, st)) {
		m->drill_ms = sqlite3_column_int64(st, 0);
		m->drill_duration_ms = sqlite3_column_int64(st, 1);
		catalog_column(m->drill_place, sizeof(m->drill_place), st, 2);
		catalog_column(m->drill_result, sizeof(m->drill_result), st,
		    3);
		catalog_column(m->drill_text, sizeof(m->drill_text), st, 4);
	}
	(void)sqlite3_reset(st);
	catalog_phases_get(c, id, &m->spent);
}

void
catalog_together(struct catalog *c)
{
	catalog_begin(c);
}

void
catalog_together_end(struct catalog *c)
{
	catalog_commit(c);
}

/* ---- restores ---- */

int64_t
catalog_restore_begin(struct catalog *c, const char *database,
    int64_t backup_id, int64_t safety_id)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_RESTORE_BEGIN);
	catalog_text(c, st, 1, database);
	catalog_int(c, st, 2, backup_id);
	catalog_int(c, st, 3, safety_id);
	(void)catalog_run(c, st);
	return (sqlite3_last_insert_rowid(c->db));
}

void
catalog_restore_done(struct catalog *c, int64_t restore, int64_t at_ms)
{
	(void)run_id(c, SQL_RESTORE_DONE, restore, at_ms);
}

void
catalog_restore_undone(struct catalog *c, int64_t restore, int64_t at_ms)
{
	(void)run_id(c, SQL_RESTORE_UNDONE, restore, at_ms);
}

int
catalog_restore_last(struct catalog *c, const char *database,
    struct catalog_restore *r)
{
	sqlite3_stmt	*st;
	int		 found;

	memset(r, 0, sizeof(*r));
	st = catalog_stmt(c, SQL_RESTORE_LAST);
	catalog_text(c, st, 1, database);
	if ((found = catalog_row(c, st))) {
		r->id = sqlite3_column_int64(st, 0);
		r->backup_id = sqlite3_column_int64(st, 1);
		r->safety_id = sqlite3_column_int64(st, 2);
		r->at_ms = sqlite3_column_int64(st, 3);
	}
	(void)sqlite3_reset(st);
	return (found);
}
