/*
 * Tokens and rights: what is written, made, compared; the limit on
 * failures; and a catalog of version 1 that becomes one of version 2.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/limits.h"
#include "daemon/engine/token.h"
#include "regress/unit/unit.h"

#define V1	"regress/unit/catalog_v1.sql"
#define NOW	INT64_C(1800000000000)
#define DAY	(INT64_C(24) * 3600 * 1000)
#define SECOND	UINT64_C(1000000)

static char	dir[64];

static const char *
in_dir(const char *name)
{
	static char	path[2][128];
	static int	i;

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return (path[i]);
}

/* ---- rights as text ---- */

static void
test_rights(void)
{
	static const struct {
		const char	*text, *back;
	} good[] = {
		{ "read", "read" },
		{ "read,backup@shop,restore@shop",
		    "read,backup@shop,restore@shop" },
		{ "restore@a,read,download@a", "download@a,restore@a,read" },
		{ "read,backup,download,restore,delete", "all" },
		{ "read,backup,download,restore",
		    "read,backup,download,restore" },
		{ "all@shop", "all@shop" },
		{ "read,read,read", "read" },
	};
	static const char *const bad[] = {
		"", ",", "read,", "write", "Read", "read@", "read@a b",
		"read@../x", "read@a@b", "read @a", "@a", "readread",
		"backupdownloadrestore", "read@*", "*"
	};
	struct grants	g;
	char		text[GRANTS_TEXT], why[CONF_WHY_BYTES];
	char		many[GRANTS_TEXT + 100] = "";
	size_t		i;

	for (i = 0; i < nitems(good); i++) {
		ok(grants_parse(&g, good[i].text, why, sizeof(why)) == 0 &&
		    grants_text(&g, text) == 0 &&
		    strcmp(text, good[i].back) == 0, "\"%s\"", good[i].text);
	}
	for (i = 0; i < nitems(bad); i++) {
		why[0] = '\0';
		ok(grants_parse(&g, bad[i], why, sizeof(why)) == -1 &&
		    why[0] != '\0', "not \"%s\"", bad[i]);
	}
	for (i = 0; i <= GRANTS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "%sread@d%zu", i == 0 ? "" : ",", i);
	ok(grants_parse(&g, many, why, sizeof(why)) == -1,
	    "not more databases than there is room for");
	memset(many, 'a', sizeof(many) - 1);
	ok(grants_parse(&g, many, why, sizeof(why)) == -1, "nor a long text");

	(void)grants_parse(&g, "read,backup@shop,restore@app", why,
	    sizeof(why));
	ok(grants_mask(&g, NULL) == RIGHT_READ, "on all");
	ok(grants_mask(&g, "shop") == (RIGHT_READ | RIGHT_BACKUP), "on one");
	ok(grants_mask(&g, "other") == RIGHT_READ, "on another");
	ok(grants_mask(&g, "") == RIGHT_READ, "on a name that is empty");
	ok(grants_mask(&g, DATABASE_ANY) == (RIGHT_READ | RIGHT_BACKUP |
	    RIGHT_RESTORE), "on any");
	(void)grants_parse(&g, "read@shop", why, sizeof(why));
	ok(grants_mask(&g, NULL) == 0 && grants_mask(&g, "") == 0 &&
	    grants_mask(&g, "shop2") == 0 && grants_mask(&g, "sho") == 0,
	    "a right on one is none on all or on what is named alike");
}

/* ---- tokens ---- */

static void
test_new(void)
{
	char	token[TOKEN_BYTES], other[TOKEN_BYTES];
	uint8_t	a[TOKEN_HASH_BYTES], b[TOKEN_HASH_BYTES];
	int	seen[128] = { 0 }, i, k, kinds = 0;

	for (i = 0; i < 200; i++) {
		token_new(token);
		for (k = 4; token[k] != '\0'; k++)
			seen[(unsigned char)token[k] & 127] = 1;
	}
	for (i = 0; i < 128; i++)
		kinds += seen[i];
	token_new(other);
	ok(strlen(token) == 47 && strncmp(token, "cbd_", 4) == 0 &&
	    strspn(token + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
	    "qrstuvwxyz0123456789-_") == 43, "its form");
	ok(kinds == 64, "every letter of the alphabet comes (%d)", kinds);
	ok(strcmp(token, other) != 0, "two are not the same");
	token_hash("abc", a);
	ok(a[0] == 0xba && a[1] == 0x78 && a[31] == 0xad,
	    "SHA-256 (FIPS 180-4's example)");
	token_hash("abc", b);
	ok(token_same(a, b), "the same are the same");
	for (i = 0, k = 0; i < TOKEN_HASH_BYTES * 8; i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		k += token_same(a, b);
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ok(k == 0, "one bit makes another");
}

static void
test_parse(void)
{
	static const struct {
		const char	*spec, *name, *rights;
		int64_t		 expires_ms;
	} good[] = {
		{ "web:read", "web", "read", NOW + 365 * DAY },
		{ "web:read:30d", "web", "read", NOW + 30 * DAY },
		{ "w.e-b_1:all@x,read:1s", "w.e-b_1", "read,all@x",
		    NOW + 1000 },
		{ "web:read,backup:never", "web", "read,backup", 0 },
	};
	static const char *const bad[] = {
		"", ":", "web", "web:", ":read", "web:read:", "web:read:0s",
		"web:read:-1d", "web:read:30", "web:read:5000d",
		"web:read:30d:x", "we b:read", "web/:read", ".web:read",
		"web:none", "web:read,:1d", "web:read:neverr"
	};
	struct catalog_token	t;
	char			why[CONF_WHY_BYTES], longest[200];
	size_t			i;

	for (i = 0; i < nitems(good); i++)
		ok(token_parse(good[i].spec, NULL, NOW, &t, why) == 0 &&
		    strcmp(t.name, good[i].name) == 0 &&
		    t.expires_ms == good[i].expires_ms &&
		    t.created_ms == NOW, "-T %s", good[i].spec);
	for (i = 0; i < nitems(bad); i++)
		ok(token_parse(bad[i], NULL, NOW, &t, why) == -1,
		    "not -T \"%s\"", bad[i]);
	memset(longest, 'n', sizeof(longest));
	strlcpy(longest + 64, ":read", sizeof(longest) - 64);
	ok(token_parse(longest, NULL, NOW, &t, why) == -1,
	    "nor a name of 64 letters");
	ok(token_parse(longest + 1, NULL, NOW, &t, why) == 0,
	    "but one of 63");
}

static struct catalog *
catalog(const char *name)
{
	struct catalog	*c;
	char		 uuid[UUID_BYTES], err[TEXT_BYTES];

	if ((c = catalog_open(in_dir(name), uuid, err)) == NULL) {
		printf("# %s\n", err);
		exit(1);
	}
	return (c);
}

static void
add(struct catalog *c, const char *name, int64_t now_ms, int64_t expires_ms,
    char *token, int wanted)
{
	struct catalog_token	t;

	memset(&t, 0, sizeof(t));
	(void)util_copy(t.name, name);
	(void)util_copy(t.rights, "read");
	t.created_ms = now_ms;
	t.expires_ms = expires_ms;
	token_new(token);
	token_hash(token, t.hash);
	ok(catalog_token_add(c, &t) == wanted, "add %s: %d", name, wanted);
}

static void
test_catalog(void)
{
	struct catalog		*c = catalog("tokens.sqlite");
	struct catalog_token	 t;
	char			 a[TOKEN_BYTES], b[TOKEN_BYTES];
	char			 d[TOKEN_BYTES];

	ok(!token_find(c, "cbd_x", &t), "none is found where none is");
	add(c, "a", NOW, NOW + DAY, a, 0);
	add(c, "b", NOW, 0, b, 0);
	ok(token_find(c, a, &t) && strcmp(t.name, "a") == 0 &&
	    strcmp(t.rights, "read") == 0, "found by what it is");
	ok(!token_find(c, "", &t), "nothing is no token");
	ok(token_find(c, a, &t) && token_dead(&t, NOW + DAY - 1) == NULL,
	    "good until it expires");
	ok(token_dead(&t, NOW + DAY) != NULL, "and no longer");
	ok(token_find(c, b, &t) && token_dead(&t, INT64_MAX) == NULL,
	    "never is never");
	add(c, "a", NOW + DAY - 1, 0, d, -1);
	ok(!token_find(c, d, &t), "what was refused is not there");
	add(c, "a", NOW + DAY, 0, d, 0);
	ok(token_find(c, a, &t) && token_dead(&t, NOW) != NULL,
	    "the one before it is revoked");
	ok(catalog_token_revoke(c, "b", NOW) == 1 &&
	    catalog_token_revoke(c, "b", NOW) == 0 &&
	    catalog_token_revoke(c, "none", NOW) == 0, "revoked once");
	ok(token_find(c, b, &t) && token_dead(&t, NOW) != NULL,
	    "and known as that");
	(void)token_find(c, d, &t);
	catalog_token_used(c, &t, NOW);
	(void)token_find(c, d, &t);
	ok(t.last_used_ms == NOW, "when it was used");
	catalog_token_used(c, &t, NOW + 59999);
	(void)token_find(c, d, &t);
	ok(t.last_used_ms == NOW, "is not written more often than");
	catalog_token_used(c, &t, NOW + 60000);
	(void)token_find(c, d, &t);
	ok(t.last_used_ms == NOW + 60000, "once a minute");
	add(c, "late", NOW + 100 * DAY, 0, d, 0);
	ok(!token_find(c, b, &t), "long revoked is forgotten");
	catalog_close(c);
}

/* ---- the audit log ---- */

static int64_t
number(struct catalog *c, const char *sql)
{
	sqlite3_stmt	*st;
	int64_t		 v = -1;

	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	else
		printf("# %s: %s\n", sql, sqlite3_errmsg(c->db));
	sqlite3_finalize(st);
	return (v);
}

static void
test_audit(void)
{
	struct catalog		*c = catalog("audit.sqlite");
	struct catalog_audit	 a;
	int			 i;

	memset(&a, 0, sizeof(a));
	a.at_ms = NOW;
	a.uid = -1;
	a.who = a.address = a.action = a.database = "x";
	a.result = "done";
	catalog_audit(c, &a);
	a.uid = UINT32_MAX;
	a.backup_id = 7;
	a.result = "refused: FORBIDDEN";
	catalog_audit(c, &a);
	ok(number(c, "SELECT count(*) FROM audit WHERE uid IS NULL"
	    " AND backup_id IS NULL") == 1, "what is not known is NULL");
	ok(number(c, "SELECT uid FROM audit WHERE backup_id = 7") ==
	    UINT32_MAX, "a large uid");
	/* As if very many had come since. */
	ok(sqlite3_exec(c->db, "INSERT INTO audit (id, at_ms, at, who,"
	    " address, action, database, result)"
	    " VALUES (199990, 1, '', '', '', '', '', 'refused: x')",
	    NULL, NULL, NULL) == SQLITE_OK, "many rows later");
	for (i = 0; i < 10; i++)
		catalog_audit(c, &a);
	ok(number(c, "SELECT count(*) FROM audit WHERE id < 3"
	    " AND result = 'done'") == 1, "a change stays for ever");
	ok(number(c, "SELECT count(*) FROM audit WHERE id < 3") == 1,
	    "a refusal of long ago goes");
	ok(number(c, "SELECT count(*) FROM audit WHERE id > 100000") == 11,
	    "a newer one stays");
	catalog_close(c);
}

/* ---- a catalog of version 1 ---- */

static int
make_v1(const char *path)
{
	struct conf_text	 text;
	sqlite3			*db;
	char			 why[CONF_WHY_BYTES], *error = NULL;
	int			 rc;

	if (conf_file_read(V1, 0, CONF_BYTES_MAX, &text, why) == -1) {
		printf("# %s %s\n", V1, why);
		return (-1);
	}
	rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, text.data, NULL, NULL, &error);
	if (rc != SQLITE_OK)
		printf("# %s\n", error);
	sqlite3_free(error);
	sqlite3_close(db);
	conf_text_free(&text);
	return (rc == SQLITE_OK && chmod(path, 0600) == 0 ? 0 : -1);
}

static void
test_v1(void)
{
	struct catalog	*c;
	struct m_backup	 b;
	struct catalog_token t;
	char		 token[TOKEN_BYTES];
	int		 i;

	ok(make_v1(in_dir("v1.sqlite")) == 0, "a catalog of version 1");
	for (i = 0; i < 2; i++) {
		c = catalog("v1.sqlite");
		ok(number(c, "PRAGMA user_version") ==
		    catalog_schema_version() && catalog_schema_version() >= 2,
		    "it has this version");
		ok(number(c, "SELECT count(*) FROM cloud_backups") == 2 &&
		    number(c, "SELECT sum(backups) FROM totals") == 2 &&
		    catalog_get(c, 1, &b) == 1 &&
		    strcmp(b.status, "completed") == 0,
		    "what was in it is in it");
		if (i == 0)
			add(c, "first", NOW, 0, token, 0);
		ok(token_find(c, token, &t), "and it keeps tokens");
		catalog_close(c);
	}
}

/* ---- failures ---- */

static void
test_limits(void)
{
	struct limit_key	a, b, k;
	uint64_t		now = 1000 * SECOND;
	uint32_t		i;

	memset(&a, 0, sizeof(a));
	a.kind = LIMIT_UID;
	a.value[0] = 1;
	b = a;
	b.kind = LIMIT_V4;
	ok(limit_wait_s(&a, now) == 0, "nobody waits at first");
	for (i = 1; i < LIMIT_FAILURES; i++)
		(void)limit_failed(&a, now);
	ok(limit_wait_s(&a, now) == 0, "nor after nine failures");
	ok(limit_failed(&a, now) == LIMIT_FAILURES, "ten");
	ok(limit_wait_s(&a, now) == 60, "then he waits");
	ok(limit_wait_s(&b, now) == 0, "and nobody else");
	ok(limit_wait_s(&a, now + 59 * SECOND) == 1 &&
	    limit_wait_s(&a, now + 60 * SECOND - 1) == 1,
	    "to the end of the minute");
	ok(limit_wait_s(&a, now + 60 * SECOND) == 0, "and no longer");
	ok(limit_failed(&a, now + 60 * SECOND) == 1, "a new minute");
	now += 200 * SECOND;
	for (i = 0; i < LIMIT_FAILURES; i++)
		(void)limit_failed(&a, now);
	memset(&k, 0, sizeof(k));
	k.kind = LIMIT_V6;
	for (i = 1; i < 1000; i++) {
		memcpy(k.value, &i, sizeof(i));
		(void)limit_failed(&k, now + i);
	}
	ok(limit_wait_s(&a, now + 1000) > 0, "a thousand others fit");
	for (; i < 100000; i++) {
		memcpy(k.value, &i, sizeof(i));
		(void)limit_failed(&k, now + i);
	}
	ok(limit_failed(&k, now + i) == 2,
	    "many more take the places of the first");
}

int
main(void)
{
	char	command[128];

	log_init("token_test", 1, 0);
	strlcpy(dir, "/tmp/cbd-token.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return (1);
	test_rights();
	test_new();
	test_parse();
	test_catalog();
	test_audit();
	test_v1();
	test_limits();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		return (1);
	return (tap_end());
}
