/*
 * The catalog's rows: how a backup begins, is proven, completed or fails.
 * Run by the engine.  Owns the only connection to the catalog; must not
 * set what the triggers derive from the copies (catalog_schema.c).
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

#define META_UUID	"uuid"
#define META_DIRECTORY	"directory"
#define META_CLOCK	"clock"

static const char *const verdict_words[] = {
	[VERDICT_NONE] = "",
	[VERDICT_SOUND] = "sound",
	[VERDICT_DAMAGED] = "damaged",
	[VERDICT_UNKNOWN] = "unknown",
};

static const char *const method_words[] = {
	[CAPTURE_RAW] = "raw",
	[CAPTURE_BACKUP] = "backup",
};

static const char *
word(const char *const *words, size_t n, uint32_t i)
{
	return (i < n ? words[i] : "");
}

static void
meta_get(struct catalog *c, const char *key, char *dst, size_t size)
{
	sqlite3_stmt	*st;

	dst[0] = '\0';
	st = catalog_stmt(c, SQL_META_GET);
	catalog_text(c, st, 1, key);
	if (catalog_row(c, st))
		catalog_column(dst, size, st, 0);
	(void)sqlite3_reset(st);
}

static void
meta_set(struct catalog *c, const char *key, const char *value)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_META_SET);
	catalog_text(c, st, 1, key);
	catalog_text(c, st, 2, value);
	(void)catalog_run(c, st);
}

struct catalog *
catalog_open(const char *path, char *uuid, char *err)
{
	struct catalog	*c;
	sqlite3		*db;

	if ((db = catalog_open_database(path, err)) == NULL)
		return (NULL);
	c = xcalloc(1, sizeof(*c));
	c->db = db;
	c->path = xstrdup(path);
	meta_get(c, META_UUID, uuid, UUID_BYTES);
	return (c);
}

void
catalog_set_uuid(struct catalog *c, const char *uuid)
{
	meta_set(c, META_UUID, uuid);
}

void
catalog_set_directory(struct catalog *c, const char *dir)
{
	sqlite3_stmt	*st;
	char		 old[PATH_BYTES];

	meta_get(c, META_DIRECTORY, old, sizeof(old));
	if (strcmp(old, dir) == 0)
		return;
	if (old[0] != '\0')
		log_info("the backup directory moved from %s to %s", old,
		    dir);
	catalog_begin(c);
	st = catalog_stmt(c, SQL_MOVED);
	catalog_text(c, st, 1, dir);
	(void)catalog_run(c, st);
	meta_set(c, META_DIRECTORY, dir);
	catalog_commit(c);
}

int64_t
catalog_clock(struct catalog *c)
{
	const char	*error;
	char		 text[32];
	int64_t		 ms;

	meta_get(c, META_CLOCK, text, sizeof(text));
	ms = strtonum(text, 0, INT64_MAX, &error);
	return (error == NULL ? ms : 0);
}

void
catalog_clock_set(struct catalog *c, int64_t now_ms)
{
	char	text[32];

	snprintf(text, sizeof(text), "%lld", (long long)now_ms);
	meta_set(c, META_CLOCK, text);
}

void
catalog_close(struct catalog *c)
{
	size_t	i;

	if (c == NULL)
		return;
	for (i = 0; i < nitems(c->stmt); i++)
		(void)sqlite3_finalize(c->stmt[i]);
	if (sqlite3_close(c->db) != SQLITE_OK)
		log_warnx("closing the catalog %s: %s", c->path,
		    sqlite3_errmsg(c->db));
	free(c->path);
	free(c);
}

static int
taken(struct catalog *c, int64_t id)
{
	sqlite3_stmt	*st;
	int		 found;

	st = catalog_stmt(c, SQL_TAKEN);
	catalog_int(c, st, 1, id);
	found = catalog_row(c, st);
	(void)sqlite3_reset(st);
	return (found);
}

int64_t
catalog_insert(struct catalog *c, const struct catalog_new *n)
{
	char		 name[NAME_BYTES], time[TIME_TEXT_BYTES];
	sqlite3_stmt	*st;
	int64_t		 created, id, now;

	now = util_now_ms();
	created = n->created_ms == 0 ? now : n->created_ms;
	util_time_compact(time, created);
	snprintf(name, sizeof(name), "Backup_%.8s_%.6s", time, time + 9);

	catalog_begin(c);
	st = catalog_stmt(c, SQL_INSERT);
	if (n->id > 0 && !taken(c, n->id))
		catalog_int(c, st, 1, n->id);
	catalog_text(c, st, 2, n->user.kind == USER_NONE ? "" : n->user.id);
	catalog_int(c, st, 3, n->user.kind);
	catalog_text(c, st, 4, n->database);
	catalog_text(c, st, 5,
	    n->name == NULL || n->name[0] == '\0' ? name : n->name);
	catalog_text(c, st, 6, n->description);
	catalog_text(c, st, 7, n->type);
	catalog_int(c, st, 8, created);
	catalog_int(c, st, 9, now);
	catalog_int(c, st, 10, n->name != NULL && n->name[0] != '\0' &&
	    strcmp(n->type, "manual") == 0);
	(void)catalog_run(c, st);
	id = sqlite3_last_insert_rowid(c->db);

	st = catalog_stmt(c, SQL_LOCAL_ADD);
	catalog_int(c, st, 1, id);
	catalog_int(c, st, 2, now);
	(void)catalog_run(c, st);
	catalog_commit(c);
	return (id);
}

static const char *
last_component(const char *path)
{
	const char	*slash;

	slash = strrchr(path, '/');
	return (slash == NULL ? path : slash + 1);
}

/* A row that is not there can only be a bug of ours; it is no reason to
 * stop the daemon. */
static void
expect_row(int changes, int64_t id, const char *what)
{
	if (changes == 0)
		log_warnx("no backup %lld to be %s in the catalog",
		    (long long)id, what);
}

static void
bind_captured(struct catalog *c, sqlite3_stmt *st,
    const struct m_w_captured *w)
{
	const int64_t	numbers[] = {
		(int64_t)w->lock_wait_us, (int64_t)w->lock_held_us,
		(int64_t)w->sync_us
	}, facts[] = {
		w->page_size, (int64_t)w->page_count, w->change_counter,
		w->schema_cookie, w->user_version, w->application_id
	}, live[] = {
		w->uid, w->gid, w->mode, (int64_t)w->dev, (int64_t)w->ino,
		w->mtime_ns
	};
	size_t		i;

	catalog_text(c, st, 8, word(method_words, nitems(method_words),
	    w->method));
	catalog_text(c, st, 9, w->fallback);
	for (i = 0; i < nitems(numbers); i++)
		catalog_int(c, st, 10 + (int)i, numbers[i]);
	for (i = 0; i < nitems(facts); i++)
		catalog_int(c, st, 14 + (int)i, facts[i]);
	catalog_text(c, st, 20, w->journal_mode);
	catalog_text(c, st, 21, w->encoding);
	for (i = 0; i < nitems(live); i++)
		catalog_int(c, st, 22 + (int)i, live[i]);
}

void
catalog_proven(struct catalog *c, int64_t id, const char *file_path,
    const struct m_w_captured *w, const struct m_w_verified *v,
    const struct m_phases *spent)
{
	sqlite3_stmt	*st;
	const char	*checksum;

	checksum = v->checksum[0] != '\0' ? v->checksum : w->checksum;
	catalog_begin(c);
	st = catalog_stmt(c, SQL_PROVEN);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, file_path);
	catalog_text(c, st, 3, last_component(file_path));
	catalog_int(c, st, 4, (int64_t)w->size);
	catalog_text(c, st, 5, checksum);
	catalog_text(c, st, 6, word(verdict_words, nitems(verdict_words),
	    v->verdict));
	catalog_text(c, st, 7, v->text);
	bind_captured(c, st, w);
	catalog_int(c, st, 13, (int64_t)v->check_us);
	catalog_int(c, st, 28, util_now_ms());
	expect_row(catalog_run(c, st), id, "proven");
	if (spent != NULL)
		catalog_phases_set(c, id, spent);

	st = catalog_stmt(c, SQL_LOCAL_PROVEN);
	catalog_int(c, st, 1, id);
	catalog_int(c, st, 2, v->verdict != VERDICT_DAMAGED);
	catalog_int(c, st, 3, (int64_t)w->size);
	catalog_text(c, st, 4, checksum);
	catalog_int(c, st, 5, util_now_ms());
	(void)catalog_run(c, st);
	catalog_commit(c);
}

static int
local_state(struct catalog *c, int64_t id, const char *state,
    const char *reason)
{
	sqlite3_stmt	*st;

	st = catalog_stmt(c, SQL_LOCAL_STATE);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, state);
	catalog_text(c, st, 3, reason);
	catalog_int(c, st, 4, util_now_ms());
	return (catalog_run(c, st));
}

void
catalog_published(struct catalog *c, int64_t id)
{
	expect_row(local_state(c, id, "completed", ""), id, "completed");
}

void
catalog_failed(struct catalog *c, int64_t id, const char *reason,
    enum verdict verdict, const char *keep_file)
{
	sqlite3_stmt	*st;

	if (keep_file == NULL)
		keep_file = "";
	catalog_begin(c);
	st = catalog_stmt(c, SQL_FAILED);
	catalog_int(c, st, 1, id);
	catalog_text(c, st, 2, word(verdict_words, nitems(verdict_words),
	    verdict));
	catalog_text(c, st, 3, keep_file);
	catalog_text(c, st, 4, last_component(keep_file));
	expect_row(catalog_run(c, st), id, "failed");
	(void)local_state(c, id, "failed", reason);
	catalog_unsent_fail(c, id, "The backup itself failed.");
	catalog_commit(c);
}

void
catalog_missing(struct catalog *c, int64_t id)
{
	expect_row(local_state(c, id, "missing",
	    "The file is gone from the backup directory."), id, "missing");
}
