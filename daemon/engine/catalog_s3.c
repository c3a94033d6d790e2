/*
 * What the catalog knows of backups in buckets: uploads in parts that have
 * begun, what manifests say, and rows that are made of manifests.  Run by
 * the engine.  Owns nothing of its own; a copy's state is changed in
 * catalog_copies.c.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

void
catalog_parts_set(struct catalog *c, int64_t id, const char *place,
    const char *upload_id, uint64_t part_size)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_PARTS_SET);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_text(c, st, 3, upload_id);
	catalog_int(c, st, 4, (int64_t)part_size);
	(void)catalog_run(c, st);
}

void
catalog_parts_get(struct catalog *c, int64_t id, const char *place,
    char upload_id[UPLOAD_ID_BYTES], uint64_t *part_size)
{
	sqlite3_stmt	*st;

	upload_id[0] = '\0';
	*part_size = 0;
	st = catalog_stmt(c, SQL_PARTS_GET);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	if (catalog_row(c, st)) {
		catalog_column(upload_id, UPLOAD_ID_BYTES, st, 0);
		*part_size = (uint64_t)sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_reset(st);
}

void
catalog_copy_confirmed(struct catalog *c, int64_t id, const char *place,
    const char *how)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_COPY_CONFIRMED);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, util_now_ms());
	catalog_text(c, st, 4, how);
	(void)catalog_run(c, st);
}

int
catalog_facts(struct catalog *c, int64_t id, struct m_manifest *m)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_FACTS);
	catalog_int(c, st, 1, id);
	if ((found = catalog_row(c, st))) {
		m->page_size = (uint32_t)sqlite3_column_int64(st, 0);
		m->page_count = (uint64_t)sqlite3_column_int64(st, 1);
		m->uid = (uint32_t)sqlite3_column_int64(st, 2);
		m->gid = (uint32_t)sqlite3_column_int64(st, 3);
		m->mode = (uint32_t)sqlite3_column_int64(st, 4);
		m->application_id = (uint32_t)sqlite3_column_int64(st, 5);
		m->user_version = (uint32_t)sqlite3_column_int64(st, 6);
		catalog_column(m->journal_mode, sizeof(m->journal_mode), st,
		    7);
	}
	(void)sqlite3_reset(st);
	return (found);
}

int
catalog_is_empty(struct catalog *c)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_ANY);
	found = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (!found);
}

/* Is the row of this id the backup that m tells of? */
static int
row_matches(struct catalog *c, const struct m_manifest *m)
{
	struct m_backup	b;

	return (catalog_get(c, m->id, &b) && b.created_ms == m->created_ms &&
	    strcmp(b.database, m->database) == 0 &&
	    strcmp(b.checksum, m->checksum) == 0);
}

static int64_t
recover_row(struct catalog *c, const struct m_manifest *m)
{
	sqlite3_stmt	*st;
	struct m_backup	 taken;
	const char	*texts[] = {
		m->user.kind == USER_NONE ? "" : m->user.id, m->database,
		m->name, m->description, m->type, m->checksum, m->verdict,
		m->journal_mode, m->form, m->stored_checksum
	};
	const int64_t	 numbers[] = {
		m->user.kind, m->created_ms, util_now_ms(), m->named,
		(int64_t)m->size, m->page_size, (int64_t)m->page_count,
		m->uid, m->gid, m->mode, m->application_id, m->user_version,
		(int64_t)m->stored_size
	};
	size_t		 i;

	st = catalog_stmt(c, SQL_RECOVER_ROW);
	for (i = 0; i < nitems(texts); i++)
		catalog_text(c, st, (int)i + 1, texts[i]);
	for (i = 0; i < nitems(numbers); i++)
		catalog_int(c, st, (int)(nitems(texts) + i) + 1, numbers[i]);
	if (!catalog_get(c, m->id, &taken))
		catalog_int(c, st, (int)(nitems(texts) + nitems(numbers)) + 1,
		    m->id);
	/* catalog_get() used another statement: what is bound stays. */
	(void)catalog_run(c, st);
	return (sqlite3_last_insert_rowid(c->db));
}

int64_t
catalog_recover(struct catalog *c, const struct m_manifest *m,
    const char *place, const char *remote_id)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	if (catalog_by_remote(c, place, remote_id) != 0)
		return (0);
	id = row_matches(c, m) ? m->id : recover_row(c, m);
	st = catalog_stmt(c, SQL_RECOVER_COPY);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, place);
	catalog_int(c, st, 3, util_now_ms());
	catalog_text(c, st, 4, remote_id);
	catalog_int(c, st, 5, (int64_t)m->stored_size);
	catalog_text(c, st, 6, m->stored_checksum);
	catalog_int(c, st, 7, m->created_ms);
	return (catalog_run(c, st) > 0 ? id : 0);
}
