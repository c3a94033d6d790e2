/*
 * mkdb's kinds that are odd in themselves: schemas that only their maker
 * understands, a damaged b-tree, and databases that somebody holds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/mkdb.h"
#include "regress/tools/tool.h"

/* What an SQLite to come may understand. */
void
mkdb_newsyntax(int argc, char **argv)
{
	sqlite3	*db;

	(void)argc;
	db = mkdb_new(argv[0], 200);
	tool_exec(db, "CREATE TABLE future(a INTEGER PRIMARY KEY, b TEXT);"
	    "INSERT INTO future VALUES(1, 'one'), (2, 'two');"
	    "PRAGMA writable_schema=ON;"
	    "UPDATE sqlite_schema SET sql = 'CREATE TABLE future("
	    "a INTEGER PRIMARY KEY, b TEXT) APPEND ONLY'"
	    " WHERE name = 'future'");
	tool_close(db);
}

static void
app_fold(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	sqlite3_result_int(ctx, sqlite3_value_bytes(argv[0]) % 7);
}

static int
app_order(void *arg, int na, const void *a, int nb, const void *b)
{
	int	n;

	(void)arg;
	/* Backwards, so that a guess at the order is wrong. */
	n = strncasecmp(b, a, na < nb ? na : nb);
	return (n != 0 ? n : nb - na);
}

void
mkdb_appfunc(int argc, char **argv)
{
	const char	*which = argc == 2 ? argv[1] : "";
	sqlite3		*db;

	if (argc == 2 && strcmp(which, "function") != 0 &&
	    strcmp(which, "collation") != 0)
		fatalx("%s is neither function nor collation", which);
	db = mkdb_new(argv[0], 200);
	tool_exec(db, "CREATE TABLE titles(id INTEGER PRIMARY KEY, "
	    "title TEXT); INSERT INTO titles"
	    " SELECT id, 'Title ' || (id * 7919 %% 1000) FROM t");
	if (strcmp(which, "collation") != 0) {
		if (sqlite3_create_function(db, "app_fold", 1, SQLITE_UTF8 |
		    SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, app_fold,
		    NULL, NULL) != SQLITE_OK)
			tool_fail(db, "app_fold");
		tool_exec(db, "CREATE INDEX titles_fold"
		    " ON titles(app_fold(title), id)");
	}
	if (strcmp(which, "function") != 0) {
		if (sqlite3_create_collation(db, "app_order", SQLITE_UTF8,
		    NULL, app_order) != SQLITE_OK)
			tool_fail(db, "app_order");
		tool_exec(db, "CREATE INDEX titles_order"
		    " ON titles(title COLLATE app_order)");
	}
	tool_close(db);
}

/* The header stands; the root page of table t does not. */
void
mkdb_damaged(int argc, char **argv)
{
	uint8_t		*page;
	sqlite3		*db;
	int64_t		 page_size, root;
	int		 fd;

	(void)argc;
	db = mkdb_new(argv[0], 2000);
	page_size = tool_int(db, "PRAGMA page_size");
	root = tool_int(db,
	    "SELECT rootpage FROM sqlite_schema WHERE name = 't'");
	tool_close(db);
	page = xmalloc(page_size);
	memset(page, 0xab, page_size);
	fd = tool_open_file(argv[0], O_WRONLY);
	tool_pwrite(fd, page, page_size, (root - 1) * page_size);
	if (close(fd) == -1)
		fatal("%s", argv[0]);
	free(page);
}

/*
 * wal: the journal mode that the kind needs; -1 either.  In WAL mode
 * BEGIN EXCLUSIVE is only the write lock, so the whole file is asked for.
 */
static const struct {
	const char	*kind;
	int		 wal;
	const char	*sql;
	const char	*sql_wal;
} locks[] = {
	{ "exclusive", -1, "BEGIN EXCLUSIVE",
	    "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE" },
	{ "immediate", -1, "BEGIN IMMEDIATE", "BEGIN IMMEDIATE" },
	{ "shared", -1, "BEGIN; SELECT count(*) FROM sqlite_schema",
	    "BEGIN; SELECT count(*) FROM sqlite_schema" },
	{ "walread", 1, "", "BEGIN; SELECT count(*) FROM sqlite_schema" },
	{ "walwrite", 1, "", "BEGIN IMMEDIATE;"
	    "CREATE TABLE mkdb_locker(a); INSERT INTO mkdb_locker"
	    " VALUES(zeroblob(100000))" }
};

void
mkdb_locker(int argc, char **argv)
{
	sqlite3	*db;
	char	*mode;
	size_t	 i;
	int	 seconds, wal;

	(void)argc;
	seconds = tool_number(argv[2], 0, 86400);
	for (i = 0; i < nitems(locks); i++)
		if (strcmp(locks[i].kind, argv[1]) == 0)
			break;
	if (i == nitems(locks))
		fatalx("there is no lock \"%s\"", argv[1]);
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(db, 5000);
	mode = tool_text(db, "PRAGMA journal_mode");
	wal = strcmp(mode, "wal") == 0;
	sqlite3_free(mode);
	if (locks[i].wal == 1 && !wal)
		fatalx("%s is not in WAL mode", argv[0]);
	/* The query has opened the -shm, which locking_mode wants unopened. */
	tool_close(db);
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(db, 5000);
	tool_exec(db, "%s", wal ? locks[i].sql_wal : locks[i].sql);
	printf("held\n");
	fflush(stdout);
	sleep(seconds);
	/* What was written is rolled back with the connection. */
	tool_close(db);
}
