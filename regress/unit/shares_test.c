/*
 * A quick check in two threads, table by table: it must never find sound
 * what SQLite's own check of the whole finds damaged.  Known damage that no
 * check of one table sees, and pointers that are changed by chance.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/shares.h"
#include "daemon/worker/untrusted.h"
#include "proto/sqlite_format.h"
#include "regress/unit/unit.h"

#define PATH		"/tmp/shares_test.XXXXXX"
#define PAGE_BYTES	4096
#define CHANGES		600

static int	stopped;

static const struct {
	const char	*what, *sql;
	int		 proven;
} cases[] = {
	{ "tables and indexes", "", 1 },
	{ "no free page", "VACUUM", 1 },
	{ "no rowids, overflow", "CREATE TABLE z(a PRIMARY KEY, b) WITHOUT "
	    "ROWID; INSERT INTO z SELECT x, hex(zeroblob(9000)) FROM t", 1 },
	{ "an empty table, a sequence, statistics", "CREATE TABLE z(a "
	    "INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE", 1 },
	{ "a schema of many pages", "CREATE VIEW v1 AS SELECT 1 AS a "
	    "/* x */; PRAGMA writable_schema=ON; UPDATE sqlite_master SET "
	    "sql = replace(sql, 'x', hex(zeroblob(20000)))  WHERE name = "
	    "'v1'", 1 },
	{ "odd names", "CREATE TABLE \"a\"\"b c\"(\"d e\" UNIQUE)", 1 },
	{ "a name that is a number", "CREATE TABLE \"1\"(a)", 0 },
	{ "a virtual table", "CREATE VIRTUAL TABLE z USING fts5(a)", 0 },
	{ "a vacuum of its own", "PRAGMA auto_vacuum=full; VACUUM", 0 },
	{ "small pages", "PRAGMA page_size=1024; VACUUM", 0 },
	{ "a NULL that may not be", "PRAGMA writable_schema=ON; UPDATE "
	    "sqlite_master SET sql = replace(sql, 'n', 'n NOT NULL') WHERE "
	    "name = 'w'", 0 },
	{ "two tables, one root", "PRAGMA writable_schema=ON; UPDATE "
	    "sqlite_master SET rootpage = (SELECT rootpage FROM "
	    "sqlite_master WHERE name = 't') WHERE name = 'w'", 0 },
	{ "a table that is another, too", "PRAGMA writable_schema=ON; INSERT "
	    "INTO sqlite_master SELECT type, 't2', 't2', rootpage, 'CREATE "
	    "TABLE t2(x INTEGER PRIMARY KEY, y)' FROM sqlite_master WHERE "
	    "name = 't'", 0 },
	{ "two indexes, one root", "PRAGMA writable_schema=ON; UPDATE "
	    "sqlite_master SET rootpage = (SELECT rootpage FROM "
	    "sqlite_master WHERE name = 'ty') WHERE name = 'wx'", 0 },
	{ "one whose type is in capitals", "PRAGMA writable_schema=ON; INSERT "
	    "INTO sqlite_master SELECT 'TABLE', 't2', 't2', rootpage, "
	    "'CREATE TABLE t2(x INTEGER PRIMARY KEY, y)' FROM sqlite_master "
	    "WHERE name = 't'", 0 },
	{ "one whose type is a blob", "PRAGMA writable_schema=ON; INSERT "
	    "INTO sqlite_master SELECT x'7461626c65', 't2', 't2', rootpage, "
	    "'CREATE TABLE t2(x INTEGER PRIMARY KEY, y)' FROM sqlite_master "
	    "WHERE name = 't'", 0 },
	{ "one whose type goes on behind a NUL", "PRAGMA writable_schema=ON; "
	    "INSERT INTO sqlite_master SELECT 'table' || char(0) || 'x', "
	    "'t2', 't2', rootpage, 'CREATE TABLE t2(x INTEGER PRIMARY KEY, "
	    "y)' FROM sqlite_master WHERE name = 't'", 0 },
	{ "one that an index on the schema does not have", "CREATE INDEX gi "
	    "ON g(y); PRAGMA writable_schema=ON; INSERT INTO sqlite_master "
	    "SELECT type, 't2', 't2', rootpage, 'CREATE TABLE t2(x INTEGER "
	    "PRIMARY KEY, y)' FROM sqlite_master WHERE name = 't'; UPDATE "
	    "sqlite_master SET name = 'mi', tbl_name = 'sqlite_master', sql "
	    "= 'CREATE INDEX mi ON sqlite_master(type)' WHERE name = 'gi'",
	    0 },
	{ "a table that is gone, and its pages not", "PRAGMA "
	    "writable_schema=ON; DELETE FROM sqlite_master WHERE name = 'u'",
	    0 },
};

/* ---- databases ---- */

static void
make(const char *path, const char *sql)
{
	sqlite3	*db;
	char	*why = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db,
	    "PRAGMA page_size=4096; CREATE TABLE t(x INTEGER PRIMARY KEY, y);"
	    "CREATE TABLE u(x); CREATE TABLE w(x, n); CREATE INDEX ty ON "
	    "t(y); CREATE INDEX wx ON w(x); WITH RECURSIVE c(i) AS (SELECT 1 "
	    "UNION ALL SELECT i + 1 FROM c WHERE i < 300) INSERT INTO t "
	    "SELECT i, hex(zeroblob(i * 7919 % 1000)) FROM c; INSERT INTO u "
	    "SELECT hex(zeroblob(x)) FROM t; INSERT INTO w SELECT y || x, "
	    "NULL FROM t; CREATE TABLE g AS SELECT y FROM t; DELETE FROM g; "
	    "INSERT INTO u VALUES(hex(zeroblob(9000)))", NULL, NULL,
	    &why) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fatalx("%s: %s", sql, why);
	sqlite3_close(db);
}

static int
made(const char *sql)
{
	char	path[] = PATH;
	int	fd;

	if ((fd = mkstemp(path)) == -1)
		fatal("%s", path);
	make(path, sql);
	if (unlink(path) == -1)
		fatal("%s", path);
	return (fd);
}

static uint64_t
size_of(int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		fatal("fstat");
	return ((uint64_t)st.st_size);
}

static void
get(int fd, void *buf, size_t n, uint64_t at)
{
	if (pread(fd, buf, n, (off_t)at) != (ssize_t)n)
		fatal("pread");
}

static void
put(int fd, uint32_t value, uint64_t at)
{
	uint8_t	b[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
		    (uint8_t)(value >> 8), (uint8_t)value };

	if (pwrite(fd, b, sizeof(b), (off_t)at) != sizeof(b))
		fatal("pwrite");
}

/* ---- verdicts ---- */

static int
tick(void *arg)
{
	(void)arg;
	return (stopped);
}

static int
shared(int fd)
{
	struct shares	*s;
	int		 rv;

	if ((s = shares_start(fd, size_of(fd))) == NULL)
		fatalx("cannot begin");
	rv = shares_finish(s, tick, NULL);
	shares_free(s);
	return (rv);
}

/* What SQLite finds: 1, it is sound. */
static int
whole(int fd)
{
	sqlite3_stmt	*st = NULL;
	sqlite3		*db = NULL;
	int		 rv;

	if (untrusted_open(fd, &db, tick, NULL) == -1)
		fatalx("cannot open");
	rv = sqlite3_prepare_v2(db, "PRAGMA quick_check", -1, &st,
	    NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0 &&
	    sqlite3_step(st) == SQLITE_DONE;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return (rv);
}

static void
try(const char *what, const char *sql, int proven)
{
	int	fd = made(sql), is = shared(fd), all = whole(fd);

	ok(is == proven && (all || !is), "%s: %s", what,
	    proven ? "proven" : "not proven");
	close(fd);
}

/* ---- what is written over ---- */

enum where { AT_ABSOLUTE, AT_TRUNK };

static const struct {
	const char	*what;
	enum where	 where;
	uint32_t	 at, value;
} patches[] = {
	{ "a free page too few", AT_ABSOLUTE, SQLITE_FREE_COUNT_AT, 1 },
	{ "a free page too many", AT_ABSOLUTE, SQLITE_FREE_COUNT_AT, 9999 },
	{ "no free page", AT_ABSOLUTE, SQLITE_FREE_COUNT_AT, 0 },
	{ "a vacuum in steps of no vacuum", AT_ABSOLUTE,
	    SQLITE_INCR_VACUUM_AT, 1 },
	{ "a free list that begins with the schema", AT_ABSOLUTE,
	    SQLITE_FREE_TRUNK_AT, 1 },
	{ "one that begins with a table", AT_ABSOLUTE, SQLITE_FREE_TRUNK_AT,
	    2 },
	{ "one that begins behind the end", AT_ABSOLUTE,
	    SQLITE_FREE_TRUNK_AT, 99999 },
	{ "a free page that is a table's", AT_TRUNK, 8, 3 },
	{ "a free page that is the schema", AT_TRUNK, 8, 1 },
	{ "a trunk of free pages that goes on in itself", AT_TRUNK, 0, 0 },
	{ "one that has more than it can", AT_TRUNK, 4, 4000 },
};

static void
patch(size_t i)
{
	uint8_t		h[SQLITE_HEADER_BYTES];
	uint32_t	trunk;
	int		fd = made(""), is;

	get(fd, h, sizeof(h), 0);
	trunk = sqlite_get32(h + SQLITE_FREE_TRUNK_AT);
	if (patches[i].where == AT_ABSOLUTE)
		put(fd, patches[i].value, patches[i].at);
	else
		put(fd, patches[i].at == 0 ? trunk : patches[i].value,
		    (uint64_t)(trunk - 1) * PAGE_BYTES + patches[i].at);
	is = shared(fd);
	ok(trunk != 0 && is == 0 && !whole(fd), "%s: not proven",
	    patches[i].what);
	close(fd);
}

/* A table whose root has one child: the schema's page. */
static void
page_one(void)
{
	static const uint8_t	root[] = { 5, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0,
				    1 };
	sqlite3_stmt		*st = NULL;
	sqlite3			*db = NULL;
	int64_t			 page = 0;
	int			 fd = made("CREATE TABLE k(x)"), is;

	if (untrusted_open(fd, &db, tick, NULL) == 0 &&
	    sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_master WHERE "
	    "name = 'k'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		page = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	ok(shared(fd) == 1 && pwrite(fd, root, sizeof(root),
	    (page - 1) * PAGE_BYTES) == sizeof(root), "a table of page %d",
	    (int)page);
	is = shared(fd);
	ok(is == 0 && !whole(fd), "whose child is page 1: not proven");
	close(fd);
}

/* Where a page has a pointer to another, or any place of it. */
static uint64_t
pointer(int fd, uint32_t page)
{
	uint8_t		b[PAGE_BYTES];
	uint64_t	at = (uint64_t)(page - 1) * PAGE_BYTES;
	uint32_t	head = page == 1 ? SQLITE_HEADER_BYTES : 0, n, cell;

	get(fd, b, sizeof(b), at);
	if (b[head] != 2 && b[head] != 5)
		return (at + (b[head] == 10 || b[head] == 13 ?
		    arc4random_uniform(PAGE_BYTES - 4) : 0));
	n = (uint32_t)b[head + 3] << 8 | b[head + 4];
	if ((cell = arc4random_uniform(n + 1)) == n)
		return (at + head + 8);
	cell = head + 12 + 2 * cell;
	return (at + ((uint32_t)b[cell] << 8 | b[cell + 1]));
}

/* One pointer leads elsewhere, often to page 1. */
static void
by_chance(void)
{
	uint8_t		was[4];
	uint32_t	pages, value;
	uint64_t	at;
	int		fd = made("DELETE FROM u WHERE rowid % 7 = 0"), i;
	int		sound = 0, proven = 0, wrong = 0;

	pages = (uint32_t)(size_of(fd) / PAGE_BYTES);
	for (i = 0; i < CHANGES; i++) {
		do
			at = pointer(fd, arc4random_uniform(pages) + 1);
		while (at < SQLITE_HEADER_BYTES);
		value = arc4random_uniform(4) == 0 ? 1 :
		    arc4random_uniform(pages + 1);
		get(fd, was, sizeof(was), at);
		put(fd, value, at);
		if (whole(fd))
			sound++;
		else if (shared(fd) != 0) {
			printf("# %u at %ju\n", value, (uintmax_t)at);
			wrong++;
		} else
			proven++;
		put(fd, sqlite_get32(was), at);
	}
	ok(wrong == 0, "of %d changes that do damage none is proven sound "
	    "(%d); %d do none", proven + wrong, wrong, sound);
	ok(proven > CHANGES / 4, "and they are many");
	ok(shared(fd) == 1 && whole(fd), "without a change it is sound");
	close(fd);
}

int
main(void)
{
	size_t	i;
	int	fd;

	for (i = 0; i < nitems(cases); i++)
		try(cases[i].what, cases[i].sql, cases[i].proven);
	for (i = 0; i < nitems(patches); i++)
		patch(i);
	page_one();
	by_chance();
	fd = made("");
	stopped = 1;
	ok(shared(fd) == -1, "given up");
	shares_free(shares_start(fd, size_of(fd)));
	close(fd);
	return (tap_end());
}
