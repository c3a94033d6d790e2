/*
 * The catalog: rows and their copies, lists and totals and what they cost.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/unit/catalog_lib.h"
#include "regress/unit/unit.h"

#define MANY_ROWS	100000

static const struct m_user	nobody;

static void
test_new(void)
{
	struct catalog	*c;
	struct stat	 sb;
	char		 err[TEXT_BYTES], uuid[UUID_BYTES];

	c = catalog_open(in_dir("new"), uuid, err);
	ok(c != NULL && uuid[0] == '\0', "a new catalog has no UUID yet");
	catalog_set_uuid(c, UUID_TEXT);
	ok(stat(in_dir("new"), &sb) == 0 && (sb.st_mode & 07777) == 0600,
	    "it is ours alone");
	ok(stat(in_dir("new-wal"), &sb) == 0 &&
	    (sb.st_mode & 07777) == 0600, "and so is its WAL");
	ok(number(c, "PRAGMA user_version") == catalog_schema_version() &&
	    number(c, "PRAGMA application_id") == CATALOG_APPLICATION_ID &&
	    number(c, "PRAGMA synchronous") == 2 &&
	    number(c, "PRAGMA foreign_keys") == 1,
	    "version, application id, FULL, foreign keys");
	ok(number(c, "SELECT type = 'table' FROM sqlite_schema"
	    " WHERE name = 'cloud_backups'") == 1 &&
	    number(c, "SELECT count(*) FROM"
	    " pragma_table_info('cloud_backups') WHERE name IN ('id',"
	    " 'user_id', 'backup_name', 'description', 'file_path',"
	    " 'file_size', 'backup_type', 'status', 'remote_backup_id',"
	    " 'checksum', 'created_at', 'updated_at', 'uploaded_at')") == 13,
	    "cloud_backups is a table and has the columns of the API");
	catalog_close(c);
	ok(stat(in_dir("new.new"), &sb) == -1, "nothing is left over");
	c = catalog_open(in_dir("new"), uuid, err);
	ok(c != NULL && strcmp(uuid, UUID_TEXT) == 0,
	    "opened again it has its UUID");
	catalog_close(c);
}

static void
test_life(void)
{
	struct catalog	*c;
	struct m_backup	 b;
	int64_t		 id, other;

	c = open_it("life");
	ok(!catalog_get(c, 1, &b), "there is no first row yet");
	id = begin(c, "shop", user(USER_NUMBER, "42"), 1763847000123);
	ok(catalog_get(c, id, &b) && strcmp(b.status, "pending") == 0 &&
	    b.locations[0] == '\0', "a row begins pending, nowhere");
	ok(strcmp(b.name, "Backup_20251122_213000") == 0 &&
	    b.user.kind == USER_NUMBER && strcmp(b.user.id, "42") == 0 &&
	    strcmp(b.description, "said") == 0, "default name, user, words");
	ok(number(c, "SELECT created_at = '2025-11-22T21:30:00.123Z'"
	    " AND uploaded_at IS NULL AND checksum IS NULL"
	    " AND remote_backup_id IS NULL FROM cloud_backups") == 1,
	    "times as RFC 3339, and NULL for what is not there");
	prove(c, id, "/b/shop/20251122T213000Z-1.sqlite", 4096);
	ok(catalog_get(c, id, &b) && strcmp(b.status, "pending") == 0 &&
	    b.file_size == 4096 && strcmp(b.verdict, "sound") == 0 &&
	    strcmp(b.checksum, "sha256:00") == 0 && b.lock_held_us == 777,
	    "proven, and still pending");
	ok(number(c, "SELECT application_id = 4294967295 AND live_uid = 33"
	    " AND live_mtime_ns = 1234567890123456789"
	    " AND journal_mode = 'wal' AND encoding = 'UTF-8'"
	    " AND capture_method = 'raw' FROM cloud_backups") == 1,
	    "what was captured is kept");
	ok(number(c, "SELECT proven AND size = 4096 AND hash = 'sha256:00'"
	    " FROM copies") == 1, "and the copy's own size and hash");
	catalog_published(c, id);
	ok(catalog_get(c, id, &b) && strcmp(b.status, "completed") == 0 &&
	    strcmp(b.locations, "local") == 0 && b.updated_ms >=
	    b.created_ms, "published: completed, local");
	ok(catalog_by_file(c, "shop", "20251122T213000Z-1.sqlite") == id &&
	    catalog_by_file(c, "other", "20251122T213000Z-1.sqlite") == 0 &&
	    catalog_by_file(c, "shop", "") == 0, "found by its file");
	catalog_set_directory(c, "/b");
	catalog_set_directory(c, "/elsewhere");
	ok(catalog_get(c, id, &b) && strcmp(b.file_path,
	    "/elsewhere/shop/20251122T213000Z-1.sqlite") == 0,
	    "a directory that moved takes the paths along");

	other = begin(c, "shop", nobody, 0);
	prove(c, other, "/elsewhere/shop/x", 10);
	catalog_failed(c, other, "The source is damaged.", VERDICT_DAMAGED,
	    "/elsewhere/shop/x");
	ok(other == id + 1 && catalog_get(c, other, &b) &&
	    strcmp(b.status, "failed") == 0 && b.file_size == 10 &&
	    strcmp(b.reason, "The source is damaged.") == 0 &&
	    strcmp(b.verdict, "damaged") == 0 && b.file_path[0] == '/',
	    "a damaged source: failed, with its file");
	catalog_failed(c, other, "No.", VERDICT_NONE, NULL);
	ok(catalog_get(c, other, &b) && b.file_size == 0 &&
	    b.file_path[0] == '\0' && strcmp(b.verdict, "damaged") == 0,
	    "without a file it has no size");
	catalog_missing(c, id);
	ok(catalog_get(c, id, &b) && strcmp(b.status, "failed") == 0 &&
	    strstr(b.reason, "gone") != NULL && b.locations[0] == '\0',
	    "a file that is gone");
	catalog_close(c);
}

static void
test_ids(void)
{
	struct catalog_new	 n;
	struct catalog		*c;
	int64_t			 a, b;

	c = open_it("ids");
	memset(&n, 0, sizeof(n));
	n.database = "shop";
	n.type = "auto";
	n.name = "mine";
	n.id = 700;
	a = catalog_insert(c, &n);
	b = catalog_insert(c, &n);
	ok(a == 700 && b == 701, "an adopted id, and the next where it is "
	    "taken");
	(void)run(c, "DELETE FROM cloud_backups WHERE id = 701");
	ok(begin(c, "shop", nobody, 0) == 702, "ids never come again");
	ok(number(c, "SELECT count(*) FROM copies") == 2,
	    "a row takes its copies along");
	ok(sqlite3_exec(c->db, "UPDATE cloud_backups SET status = 'fine'",
	    NULL, NULL, NULL) == SQLITE_CONSTRAINT &&
	    sqlite3_exec(c->db, "UPDATE cloud_backups SET backup_type = 'x'",
	    NULL, NULL, NULL) == SQLITE_CONSTRAINT,
	    "status and type are held to their words");
	catalog_close(c);
}

static const char *const states[] = { NULL, "pending", "uploading",
    "completed", "failed", "missing" };

/* What a row must say of its copies, from the sentence of the contract. */
static const char *
model(const char *local, const char *hq, const char *off)
{
	int	there;

#define any(state)	((hq != NULL && strcmp(hq, state) == 0) ||	\
			(off != NULL && strcmp(off, state) == 0))
	there = any("completed");
	if (strcmp(local, "pending") == 0)
		return ("pending");
	if (strcmp(local, "completed") != 0 && !there)
		return ("failed");
	if (any("failed"))
		return ("failed");
	if (any("uploading"))
		return ("uploading");
	if (any("pending"))
		return ("pending");
	return ("completed");
#undef any
}

static void
set_copy(struct catalog *c, int64_t id, const char *place, const char *state)
{
	char	*sql;

	if (state == NULL)
		sql = xasprintf("DELETE FROM copies WHERE backup_id = %lld "
		    "AND place = '%s'", (long long)id, place);
	else
		sql = xasprintf("INSERT INTO copies (backup_id, place, state,"
		    " reason, created_ms, updated_ms) VALUES (%lld, '%s',"
		    " '%s', '%s %s', 1, 1) ON CONFLICT DO UPDATE SET"
		    " state = excluded.state, reason = excluded.reason",
		    (long long)id, place, state, place, state);
	(void)run(c, sql);
	free(sql);
}

static int
check_combination(struct catalog *c, int64_t id, const char *local,
    const char *hq, const char *off)
{
	struct m_backup	 b;
	const char	*status;
	char		 where[LOCATIONS_BYTES];
	int		 good;

	status = model(local, hq, off);
	snprintf(where, sizeof(where), "%s%s%s",
	    strcmp(local, "completed") == 0 ? ",local" : "",
	    hq != NULL && strcmp(hq, "completed") == 0 ? ",hq" : "",
	    off != NULL && strcmp(off, "completed") == 0 ? ",off" : "");
	good = catalog_get(c, id, &b) && strcmp(b.status, status) == 0 &&
	    strcmp(b.locations, where[0] == ',' ? where + 1 : "") == 0 &&
	    (strcmp(status, "completed") == 0) == (b.reason[0] == '\0');
	if (good && strcmp(status, "uploading") == 0)
		good = strstr(b.reason, "uploading") != NULL;
	if (!good)
		printf("# %s/%s/%s: %s (%s) at \"%s\", wanted %s at "
		    "\"%s\"\n", local, hq == NULL ? "-" : hq,
		    off == NULL ? "-" : off, b.status, b.reason,
		    b.locations, status, where);
	return (good);
}

static void
test_derived(void)
{
	struct catalog	*c;
	int64_t		 id;
	size_t		 i, j, k;
	int		 bad, n;

	c = open_it("derived");
	id = begin(c, "shop", nobody, 1);
	bad = n = 0;
	(void)run(c, "BEGIN");
	for (i = 1; i < nitems(states); i++)
		for (j = 0; j < nitems(states) - 1; j++)
			for (k = 0; k < nitems(states) - 1; k++) {
				if (strcmp(states[i], "uploading") == 0)
					continue;
				set_copy(c, id, "local", states[i]);
				set_copy(c, id, "hq", states[j]);
				set_copy(c, id, "off", states[k]);
				n++;
				bad += !check_combination(c, id, states[i],
				    states[j], states[k]);
			}
	(void)run(c, "COMMIT");
	ok(bad == 0, "status, locations and reason follow from the copies "
	    "(%d combinations)", n);
	catalog_close(c);
}

static void
test_queue(void)
{
	struct catalog_copy	 q;
	struct m_backup		 b;
	struct catalog		*c;
	char			 remote_id[REMOTE_ID_BYTES];
	int64_t			 a, z, now;

	c = open_it("queue");
	a = begin(c, "shop", nobody, 1);
	z = begin(c, "shop", nobody, 2);
	now = util_now_ms();
	ok(!catalog_copy_due(c, "hq", now, &q) && q.next_attempt_ms == 0,
	    "nothing is due");
	catalog_copy_add(c, a, "hq");
	ok(!catalog_copy_due(c, "hq", now + 1000, &q) &&
	    q.next_attempt_ms == 0, "nor what is not published");
	ok(!catalog_attempted(c, a), "and it has not been tried");
	catalog_published(c, a);
	catalog_published(c, z);
	catalog_copy_add(c, z, "hq");
	catalog_copy_add(c, z, "off");
	ok(catalog_copy_due(c, "hq", now + 1000, &q) && q.backup_id == a &&
	    q.attempts == 0 && strcmp(q.place, "hq") == 0 &&
	    strcmp(q.state, "pending") == 0, "the oldest is due first");
	catalog_copy_begin(c, a, "hq");
	ok(catalog_get(c, a, &b) && strcmp(b.status, "uploading") == 0 &&
	    !catalog_attempted(c, a), "it goes on");
	catalog_copy_retry(c, a, "hq", now + 60000, "hq is away");
	ok(catalog_get(c, a, &b) && strcmp(b.status, "pending") == 0 &&
	    strcmp(b.reason, "hq is away") == 0 && catalog_attempted(c, a),
	    "hq is away: pending, tried once");
	ok(catalog_copy_due(c, "hq", now + 1000, &q) && q.backup_id == z,
	    "the next one is due");
	catalog_copy_begin(c, z, "hq");
	catalog_copy_done(c, z, "hq", "remote-7", 1700);
	ok(catalog_get(c, z, &b) && strcmp(b.remote_id, "remote-7") == 0 &&
	    b.uploaded_ms >= now && strcmp(b.status, "pending") == 0 &&
	    strcmp(b.locations, "local,hq") == 0 &&
	    number(c, "SELECT uploaded_at LIKE '20%Z' FROM cloud_backups"
	    " WHERE id = 2") == 1, "done at hq, still pending elsewhere");
	ok(catalog_by_remote(c, "hq", "remote-7") == z &&
	    catalog_by_remote(c, "off", "remote-7") == 0 &&
	    catalog_by_remote(c, "hq", "") == 0, "found by the remote's id");
	catalog_copy_begin(c, z, "off");
	catalog_copy_failed(c, z, "off", "off refused it");
	ok(catalog_get(c, z, &b) && strcmp(b.status, "failed") == 0 &&
	    strcmp(b.reason, "off refused it") == 0,
	    "refused for good: failed, and why");
	catalog_copy_add(c, z, "off");
	ok(catalog_copy_get(c, z, "off", &q, remote_id) && q.attempts == 1 &&
	    strcmp(q.state, "pending") == 0, "asked for again: pending");
	ok(!catalog_copy_due(c, "hq", now + 1000, &q) &&
	    q.next_attempt_ms == now + 60000, "when the next one is due");
	ok(catalog_copy_due(c, "hq", now + 60000, &q) && q.backup_id == a &&
	    q.attempts == 1, "and then it is");
	catalog_copy_begin(c, a, "hq");
	catalog_copies_reset(c);
	ok(catalog_copy_due(c, "hq", util_now_ms(), &q) &&
	    q.backup_id == a && q.attempts == 2,
	    "cut short: due at once, its attempts kept");
	ok(catalog_copy_get(c, z, "hq", &q, remote_id) &&
	    strcmp(remote_id, "remote-7") == 0 &&
	    !catalog_copy_get(c, z, "none", &q, remote_id),
	    "a copy by backup and place");
	catalog_missing(c, z);
	ok(catalog_get(c, z, &b) && strcmp(b.status, "pending") == 0 &&
	    strcmp(b.locations, "hq") == 0,
	    "gone here, but hq has it: not failed");
	catalog_close(c);
}

struct seen {
	int64_t	ids[64];
	int	n;
};

static void
see(const struct m_backup *b, void *arg)
{
	struct seen	*s = arg;

	if (s->n < (int)nitems(s->ids))
		s->ids[s->n] = b->id;
	s->n++;
}

static void
publish_row(int64_t id, const char *database, const char *file_path,
    int64_t file_size, int proven, void *arg)
{
	struct catalog	*c = arg;

	(void)database;
	(void)file_path;
	(void)file_size;
	(void)proven;
	catalog_published(c, id);
}

static void
test_lists(void)
{
	struct catalog	*c;
	struct m_user	 n42, t42;
	struct m_stats	 st;
	struct seen	 s;
	int		 i, more;

	c = open_it("lists");
	n42 = user(USER_NUMBER, "42");
	t42 = user(USER_TEXT, "42");
	/* Five share a time, so that the id must decide. */
	for (i = 1; i <= 10; i++)
		(void)begin(c, i % 2 ? "shop" : "blog",
		    i % 5 == 0 ? nobody : i % 3 ? n42 : t42,
		    i <= 5 ? 1000 : 1000 + i);
	memset(&s, 0, sizeof(s));
	ok(catalog_list(c, &nobody, "", 0, 0, 4, &more, see, &s) == 4 &&
	    more && s.ids[0] == 10 && s.ids[3] == 7, "the newest four");
	ok(catalog_list(c, &nobody, "", 1007, 7, 4, &more, see, &s) == 4 &&
	    more && s.ids[4] == 6 && s.ids[5] == 5 && s.ids[7] == 3,
	    "the next four, across equal times");
	ok(catalog_list(c, &nobody, "", 1000, 3, 4, &more, see, &s) == 2 &&
	    !more && s.ids[9] == 1 && s.n == 10, "and the last two");
	memset(&s, 0, sizeof(s));
	ok(catalog_list(c, &n42, "", 0, 0, 50, &more, see, &s) == 8 &&
	    !more, "42 and \"42\" are one user");
	ok(catalog_list(c, &t42, "shop", 0, 0, 50, &more, see, &s) == 4 &&
	    catalog_list(c, &nobody, "blog", 0, 0, 50, &more, see, &s) == 5,
	    "by user and database, by database");
	ok(catalog_each_local(c, 0, 0, publish_row, c) == 10 &&
	    catalog_each_local(c, 0, 0, publish_row, c) == 0 &&
	    catalog_each_local(c, 1, 8, publish_row, c) == 2,
	    "pending rows one by one, while they change");
	catalog_stats(c, &t42, "", &st);
	ok(st.backups == 8 && st.completed == 8 && st.failed == 0 &&
	    st.last_ms == 1009, "totals of a user");
	catalog_stats(c, &nobody, "shop", &st);
	ok(st.backups == 5 && st.last_ms == 1009, "of a database");
	catalog_stats(c, &t42, "none", &st);
	ok(st.backups == 0 && st.last_ms == 0, "of nothing");
	catalog_close(c);
}

/* What the trigger keeps is what counting gives. */
static void
test_totals(void)
{
	struct catalog	*c;
	struct m_user	 u[3];
	int64_t		 id;
	int		 i;

	c = open_it("totals");
	u[0] = nobody;
	u[1] = user(USER_NUMBER, "1");
	u[2] = user(USER_TEXT, "two");
	for (i = 0; i < 60; i++) {
		id = begin(c, i % 4 ? "shop" : "blog", u[i % 3], i + 1);
		if (i % 7 != 0)
			prove(c, id, "/b/shop/x", (uint64_t)i * 1000);
		if (i % 5 == 0)
			catalog_failed(c, id, "No.", VERDICT_NONE, NULL);
		else if (i % 5 < 4)
			catalog_published(c, id);
	}
	(void)run(c, "DELETE FROM cloud_backups WHERE id % 11 = 3");
	(void)run(c, "DELETE FROM cloud_backups WHERE user_id = 'two'"
	    " AND database = 'blog'");
	ok(number(c, "SELECT count(*) FROM (SELECT * FROM totals EXCEPT"
	    " SELECT user_id, database, count(*), sum(file_size),"
	    " sum(status = 'completed'), sum(status = 'failed')"
	    " FROM cloud_backups GROUP BY 1, 2)") == 0 &&
	    number(c, "SELECT count(*) FROM totals") == 5,
	    "totals equal what counting gives, after deletes too");
	ok(number(c, "SELECT count(*) FROM (SELECT * FROM totals_databases"
	    " EXCEPT SELECT database, count(*), sum(file_size),"
	    " sum(status = 'completed'), sum(status = 'failed')"
	    " FROM cloud_backups GROUP BY 1)") == 0 &&
	    number(c, "SELECT count(*) FROM totals_databases") == 2 &&
	    number(c, "SELECT count(*) FROM (SELECT * FROM totals_all"
	    " EXCEPT SELECT 1, count(*), sum(file_size),"
	    " sum(status = 'completed'), sum(status = 'failed')"
	    " FROM cloud_backups)") == 0, "and so do their sums");
	(void)run(c, "DELETE FROM cloud_backups WHERE database = 'blog'");
	ok(number(c, "SELECT count(*) FROM totals_databases") == 1 &&
	    number(c, "SELECT backups FROM totals_all") ==
	    number(c, "SELECT count(*) FROM cloud_backups"),
	    "a database without backups leaves the sums");
	catalog_close(c);
}

static int
plan_uses(struct catalog *c, enum catalog_sql which, const char *index)
{
	sqlite3_stmt	*st;
	char		*sql;
	const char	*line;
	int		 found, worse;

	found = worse = 0;
	sql = xasprintf("EXPLAIN QUERY PLAN %s",
	    sqlite3_sql(catalog_stmt(c, which)));
	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK)
		return (0);
	while (sqlite3_step(st) == SQLITE_ROW) {
		line = (const char *)sqlite3_column_text(st, 3);
		if (strstr(line, index) != NULL &&
		    (strncmp(line, "SEARCH", 6) == 0 ||
		    strstr(line, "SCAN cloud_backups USING COVERING") ==
		    line))
			found = 1;
		if (strstr(line, "TEMP B-TREE") != NULL ||
		    (strncmp(line, "SCAN", 4) == 0 &&
		    strstr(line, "USING") == NULL &&
		    strcmp(line, "SCAN totals_all") != 0))
			worse = 1;
		if (worse)
			printf("# %s\n", line);
	}
	sqlite3_finalize(st);
	free(sql);
	return (found && !worse);
}

static void
test_plans(struct catalog *c)
{
	static const struct {
		enum catalog_sql	 which;
		const char		*index;
	} plans[] = {
		{ SQL_LIST, "cloud_backups_time" },
		{ SQL_LIST_USER, "cloud_backups_user" },
		{ SQL_LIST_DATABASE, "cloud_backups_database" },
		{ SQL_LIST_BOTH, "cloud_backups_both" },
		{ SQL_STATS, "cloud_backups_time" },
		{ SQL_STATS_USER, "cloud_backups_user" },
		{ SQL_STATS_DATABASE, "cloud_backups_database" },
		{ SQL_STATS_BOTH, "cloud_backups_both" },
		{ SQL_BY_FILE, "cloud_backups_file" },
		{ SQL_BY_REMOTE, "copies_remote" },
		{ SQL_COPY_DUE, "copies_due" },
		{ SQL_EACH_PENDING, "copies_due" },
		{ SQL_EACH_COMPLETED, "PRIMARY KEY" },
	};
	size_t	i;

	for (i = 0; i < nitems(plans); i++)
		ok(plan_uses(c, plans[i].which, plans[i].index),
		    "statement %d goes by %s", (int)plans[i].which,
		    plans[i].index);
}

static void
test_many(void)
{
	struct catalog		*c;
	struct catalog_copy	 q;
	struct m_stats		 st;
	struct m_user		 u;
	struct seen		 s;
	uint64_t		 fill_us, list_us, one_us, stats_us, status_us, t;
	struct m_status_database status;
	int			 i, more;

	c = open_it("many");
	t = util_monotonic_us();
	(void)run(c, "BEGIN;"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 100000) INSERT INTO cloud_backups (user_id,"
	    " backup_name, created_at, updated_at, database, created_ms,"
	    " updated_ms, file_size, file_name) SELECT i % 50, 'Backup_' || i,"
	    " '', '', 'db' || (i % 7), i, i, 4096, i || '.sqlite'"
	    " FROM n;"
	    "INSERT INTO copies (backup_id, place, state, created_ms,"
	    " updated_ms) SELECT id, 'local', 'completed', 1, 1"
	    " FROM cloud_backups; UPDATE cloud_backups SET verdict = 'sound',"
	    " captured_ms = 1; COMMIT");
	fill_us = util_monotonic_us() - t;
	u = user(USER_TEXT, "17");
	memset(&s, 0, sizeof(s));
	t = util_monotonic_us();
	for (i = 0; i < 100; i++) {
		(void)catalog_list(c, &nobody, "", 50000, 1, 100, &more, see,
		    &s);
		(void)catalog_list(c, &u, "", 50000, 1, 100, &more, see, &s);
		(void)catalog_list(c, &u, "db3", 50000, 1, 100, &more, see,
		    &s);
		(void)catalog_list(c, &nobody, "db3", 50000, 1, 100, &more,
		    see, &s);
	}
	list_us = (util_monotonic_us() - t) / 400;
	t = util_monotonic_us();
	for (i = 0; i < 100; i++) {
		catalog_stats(c, &u, "db3", &st);
		catalog_stats(c, &nobody, "", &st);
	}
	stats_us = (util_monotonic_us() - t) / 200;
	t = util_monotonic_us();
	for (i = 0; i < 100; i++) {
		memset(&status, 0, sizeof(status));
		catalog_status_database(c, "db3", &status);
	}
	status_us = (util_monotonic_us() - t) / 100;
	ok(status.last_id == status.proven_id && status.last_id > 99990 &&
	    status.pending == 0 && status_us < 2000,
	    "the status of a database, in %llu us",
	    (unsigned long long)status_us);
	ok(s.n == 40000 && st.backups == MANY_ROWS &&
	    st.completed == MANY_ROWS && st.last_ms == MANY_ROWS &&
	    st.bytes == 4096ULL * MANY_ROWS, "%d rows", MANY_ROWS);
	t = util_monotonic_us();
	(void)begin(c, "db3", u, 200000);
	(void)catalog_copy_due(c, "hq", 1, &q);
	one_us = util_monotonic_us() - t;
	printf("# filled in %llu ms; a page of 100 %llu us; stats %llu us; "
	    "a new row %llu us\n", (unsigned long long)fill_us / 1000,
	    (unsigned long long)list_us, (unsigned long long)stats_us,
	    (unsigned long long)one_us);
	ok(list_us < 10000 && stats_us < 2000,
	    "a page and the totals cost the same as with few rows");
	test_plans(c);
	catalog_close(c);
	t = util_monotonic_us();
	c = open_it("many");
	printf("# opened, with its check, in %llu ms\n",
	    (unsigned long long)(util_monotonic_us() - t) / 1000);
	catalog_close(c);
}

int
main(void)
{
	dir_make("catalog_test");
	test_new();
	test_life();
	test_ids();
	test_derived();
	test_queue();
	test_lists();
	test_totals();
	test_many();
	dir_remove();
	return (tap_end());
}
