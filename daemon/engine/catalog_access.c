/*
 * Who may ask, and who did: the catalog's tokens and its audit log.  Run by
 * the engine, and by `cloudbackupd -T` beside it.  Holds hashes only: no
 * token can be read out of it.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

#define AUDIT_REFUSED_ROWS	100000	/* of these rows, those refused go */
#define AUDIT_TRIM_EVERY	1000	/* rows */
#define TOKEN_GONE_MS		(INT64_C(90) * 24 * 3600 * 1000)
#define TOKEN_USED_MS		60000	/* told no more often */

static void
token_get(sqlite3_stmt *st, struct catalog_token *t)
{
	const void	*hash;

	memset(t, 0, sizeof(*t));
	t->id = sqlite3_column_int64(st, 0);
	catalog_column(t->name, sizeof(t->name), st, 1);
	hash = sqlite3_column_blob(st, 2);
	if (hash != NULL && sqlite3_column_bytes(st, 2) == TOKEN_HASH_BYTES)
		memcpy(t->hash, hash, sizeof(t->hash));
	else
		t->broken = 1;
	catalog_column(t->rights, sizeof(t->rights), st, 3);
	t->created_ms = sqlite3_column_int64(st, 4);
	t->expires_ms = sqlite3_column_int64(st, 5);
	t->revoked_ms = sqlite3_column_int64(st, 6);
	t->last_used_ms = sqlite3_column_int64(st, 7);
}

void
catalog_tokens(struct catalog *c, catalog_token_cb *cb, void *arg)
{
	struct catalog_token	 t;
	sqlite3_stmt		*st;

	st = catalog_stmt(c, SQL_TOKENS);
	while (catalog_row(c, st)) {
		token_get(st, &t);
		cb(&t, arg);
	}
}

int
catalog_token_add(struct catalog *c, const struct catalog_token *t)
{
	sqlite3_stmt	*st;
	int		 taken;

	catalog_begin(c);
	st = catalog_stmt(c, SQL_TOKENS_TIDY);
	catalog_int(c, st, 1, t->created_ms - TOKEN_GONE_MS);
	(void)catalog_run(c, st);
	st = catalog_stmt(c, SQL_TOKEN_TAKEN);
	catalog_text(c, st, 1, t->name);
	catalog_int(c, st, 2, t->created_ms);
	taken = catalog_row(c, st);
	(void)sqlite3_reset(st);
	if (!taken) {
		/* One that expired makes room for the next of its name. */
		(void)catalog_token_revoke(c, t->name, t->created_ms);
		st = catalog_stmt(c, SQL_TOKEN_ADD);
		catalog_text(c, st, 1, t->name);
		catalog_blob(c, st, 2, t->hash, sizeof(t->hash));
		catalog_text(c, st, 3, t->rights);
		catalog_int(c, st, 4, t->created_ms);
		catalog_int(c, st, 5, t->expires_ms);
		(void)catalog_run(c, st);
	}
	catalog_commit(c);
	return (taken ? -1 : 0);
}

int
catalog_token_revoke(struct catalog *c, const char *name, int64_t now_ms)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_TOKEN_REVOKE);
	catalog_text(c, st, 1, name);
	catalog_int(c, st, 2, now_ms);
	return (catalog_run(c, st) > 0);
}

void
catalog_token_used(struct catalog *c, const struct catalog_token *t,
    int64_t now_ms)
{
	sqlite3_stmt	*st;

	/* Not a write to the disk for each request. */
	if (now_ms - t->last_used_ms < TOKEN_USED_MS &&
	    now_ms >= t->last_used_ms)
		return;
	st = catalog_stmt(c, SQL_TOKEN_USED);
	catalog_int(c, st, 1, t->id);
	catalog_int(c, st, 2, now_ms);
	(void)catalog_try(c, st);
}

void
catalog_audit(struct catalog *c, const struct catalog_audit *a)
{
	sqlite3_stmt	*st;
	int64_t		 id;

	st = catalog_stmt(c, SQL_AUDIT_ADD);
	catalog_int(c, st, 1, a->at_ms);
	catalog_text(c, st, 2, a->who);
	if (a->uid != -1)
		catalog_int(c, st, 3, a->uid);
	catalog_text(c, st, 4, a->address);
	catalog_text(c, st, 5, a->action);
	catalog_text(c, st, 6, a->database);
	if (a->backup_id != 0)
		catalog_int(c, st, 7, a->backup_id);
	catalog_text(c, st, 8, a->result);
	/* A full disk must not end the daemon: the log has it as well. */
	if (catalog_try(c, st) == -1)
		return;
	id = sqlite3_last_insert_rowid(c->db);
	/* Whoever is refused must not fill the disk; changes stay. */
	if (id % AUDIT_TRIM_EVERY == 0 && id > AUDIT_REFUSED_ROWS) {
		st = catalog_stmt(c, SQL_AUDIT_TRIM);
		catalog_int(c, st, 1, id - AUDIT_REFUSED_ROWS);
		(void)catalog_run(c, st);
	}
}
