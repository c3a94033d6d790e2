/*
 * The catalog's unit programs share this; see the header.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/unit/catalog_lib.h"

static char	dir[64];

static int
remove_one(const char *path, const struct stat *sb, int flag,
    struct FTW *ftw)
{
	(void)sb;
	(void)flag;
	(void)ftw;
	return (remove(path));
}

const char *
in_dir(const char *name)
{
	static char	path[4][PATH_BYTES];
	static int	i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return (path[i]);
}

struct catalog *
open_it(const char *name)
{
	struct catalog	*c;
	char		 err[TEXT_BYTES], uuid[UUID_BYTES];

	if ((c = catalog_open(in_dir(name), uuid, err)) == NULL) {
		printf("# %s\n", err);
		exit(1);
	}
	if (uuid[0] == '\0')
		catalog_set_uuid(c, UUID_TEXT);
	return (c);
}

/* The first column of the first row, by the catalog's own connection. */
int64_t
number(struct catalog *c, const char *sql)
{
	sqlite3_stmt	*st;
	int64_t		 v;

	v = -1;
	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	else
		printf("# %s: %s\n", sql, sqlite3_errmsg(c->db));
	sqlite3_finalize(st);
	return (v);
}

int
run(struct catalog *c, const char *sql)
{
	char	*why;
	int	 rc;

	why = NULL;
	rc = sqlite3_exec(c->db, sql, NULL, NULL, &why);
	if (rc != SQLITE_OK)
		printf("# %s\n", why);
	sqlite3_free(why);
	return (rc);
}

struct m_user
user(uint32_t kind, const char *id)
{
	struct m_user	u;

	memset(&u, 0, sizeof(u));
	u.kind = kind;
	(void)util_copy(u.id, id);
	return (u);
}

int64_t
begin(struct catalog *c, const char *database, struct m_user u, int64_t ms)
{
	struct catalog_new	n;

	memset(&n, 0, sizeof(n));
	n.database = database;
	n.name = "";
	n.description = "said";
	n.type = "manual";
	n.user = u;
	n.created_ms = ms;
	return (catalog_insert(c, &n));
}

void
prove(struct catalog *c, int64_t id, const char *path, uint64_t size)
{
	struct m_w_captured	w;
	struct m_w_verified	v;

	memset(&w, 0, sizeof(w));
	memset(&v, 0, sizeof(v));
	w.size = size;
	w.lock_held_us = 777;
	w.mtime_ns = 1234567890123456789;
	w.application_id = UINT32_MAX;
	w.uid = 33;
	(void)util_copy(w.journal_mode, "wal");
	(void)util_copy(w.encoding, "UTF-8");
	v.verdict = VERDICT_SOUND;
	(void)util_copy(v.checksum, "sha256:00");
	catalog_proven(c, id, path, &w, &v, NULL);
}

void
dir_make(const char *program)
{
	log_init(program, 1, 0);
	strlcpy(dir, "/tmp/cbd-catalog.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		fatal("mkdtemp");
}

void
dir_remove(void)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
