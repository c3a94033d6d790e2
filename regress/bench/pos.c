/*
 * pos FILE MB wal|delete: makes the database of a shop, of about MB million
 * bytes, for the bench.  The same arguments make the same content.
 *
 * Text, integers and dates; lines of receipts are most of it, and every
 * table but one has indexes besides its key, as a till's database has.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define BATCH		2000		/* receipts in a transaction */
#define SORT_MB		2000		/* from here on, indexes come last */
#define TABLES_PERCENT	56		/* of such a database */
#define EPOCH_S		1609459200	/* the shop opened */

static const char schema[] =
    "CREATE TABLE articles (article INTEGER PRIMARY KEY,"
    " ean TEXT NOT NULL UNIQUE, title TEXT NOT NULL, section TEXT,"
    " price INTEGER NOT NULL, stock INTEGER NOT NULL, text TEXT);"
    "CREATE TABLE members (member INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " mail TEXT, street TEXT, town TEXT, points INTEGER);"
    "CREATE TABLE receipts (receipt INTEGER PRIMARY KEY,"
    " token TEXT NOT NULL, sold_at TEXT NOT NULL, till INTEGER NOT NULL,"
    " clerk TEXT, member INTEGER REFERENCES members, total INTEGER NOT NULL,"
    " paid_by TEXT);"
    "CREATE TABLE lines (line INTEGER PRIMARY KEY,"
    " receipt INTEGER NOT NULL REFERENCES receipts,"
    " article INTEGER NOT NULL REFERENCES articles,"
    " pieces INTEGER NOT NULL, price INTEGER NOT NULL, title TEXT);"
    "CREATE TABLE ticks (tick INTEGER PRIMARY KEY, at TEXT, amount INTEGER,"
    " note TEXT);";

static const char indexes[] =
    "CREATE INDEX members_mail ON members (mail);"
    "CREATE INDEX receipts_token ON receipts (token);"
    "CREATE INDEX receipts_sold ON receipts (sold_at, till);"
    "CREATE INDEX lines_receipt ON lines (receipt);"
    "CREATE INDEX lines_article ON lines (article, receipt);";

static const char *const words[] = {
	"apple", "barley", "basil", "bottle", "brown", "butter", "candle",
	"cheese", "cherry", "cotton", "crate", "cream", "dark", "dozen",
	"flour", "fresh", "ginger", "glass", "green", "honey", "large",
	"lemon", "linen", "maple", "mint", "olive", "onion", "paper",
	"pepper", "plum", "rye", "salt", "small", "smoked", "spoon", "tea",
	"tin", "walnut", "white", "wool"
};

static const char *const names[] = {
	"Adele", "Boris", "Chen", "Dana", "Emil", "Fatma", "Goran", "Hana",
	"Ines", "Jakob", "Kofi", "Lena", "Marta", "Nils", "Olga", "Pavel",
	"Rania", "Sven", "Tomas", "Vera"
};

static const char *const payments[] = { "card", "card", "cash", "voucher" };

struct shop {
	sqlite3		*db;
	sqlite3_stmt	*receipt, *line;
	const char	*path;
	char		**titles;
	uint64_t	 random;
	int64_t		 articles, members, receipts, lines;
};

static uint64_t
any(struct shop *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (s->random);
}

#define PICK(s, list)	((list)[any(s) % nitems(list)])

static void
some_words(struct shop *s, int count, char *dst, size_t size)
{
	size_t	n = 0;
	int	i;

	for (i = 0; i < count; i++)
		n += snprintf(dst + n, size - n, "%s%s", i > 0 ? " " : "",
		    PICK(s, words));
}

static void
text(sqlite3_stmt *stmt, int column, const char *value)
{
	if (sqlite3_bind_text(stmt, column, value, -1, SQLITE_TRANSIENT) !=
	    SQLITE_OK)
		fatalx("no memory");
}

static void
run(struct shop *s, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		tool_fail(s->db, "insert");
	sqlite3_reset(stmt);
}

static void
add_articles(struct shop *s)
{
	sqlite3_stmt	*stmt;
	char		 buf[256];
	int64_t		 i;

	stmt = tool_prepare(s->db,
	    "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?)");
	s->titles = xcalloc(s->articles, sizeof(*s->titles));
	for (i = 0; i < s->articles; i++) {
		sqlite3_bind_int64(stmt, 1, i + 1);
		snprintf(buf, sizeof(buf), "%013lld",
		    (long long)(4000000000000 + i * 7919));
		text(stmt, 2, buf);
		some_words(s, 3, buf, sizeof(buf));
		s->titles[i] = xstrdup(buf);
		text(stmt, 3, buf);
		text(stmt, 4, PICK(s, words));
		sqlite3_bind_int64(stmt, 5, 20 + any(s) % 9000);
		sqlite3_bind_int64(stmt, 6, any(s) % 400);
		some_words(s, 10, buf, sizeof(buf));
		text(stmt, 7, buf);
		run(s, stmt);
	}
	sqlite3_finalize(stmt);
}

static void
add_members(struct shop *s)
{
	sqlite3_stmt	*stmt;
	char		 buf[256];
	int64_t		 i;

	stmt = tool_prepare(s->db,
	    "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)");
	for (i = 0; i < s->members; i++) {
		sqlite3_bind_int64(stmt, 1, i + 1);
		snprintf(buf, sizeof(buf), "%s %s", PICK(s, names),
		    PICK(s, names));
		text(stmt, 2, buf);
		snprintf(buf, sizeof(buf), "%s%llu@mail.example",
		    PICK(s, words), (unsigned long long)(any(s) % 1000000));
		text(stmt, 3, buf);
		snprintf(buf, sizeof(buf), "%s lane %d", PICK(s, words),
		    (int)(any(s) % 200));
		text(stmt, 4, buf);
		text(stmt, 5, PICK(s, names));
		sqlite3_bind_int64(stmt, 6, any(s) % 5000);
		run(s, stmt);
	}
	sqlite3_finalize(stmt);
}

static void
add_line(struct shop *s, int64_t receipt)
{
	int64_t	article;

	/* Some sell more than others. */
	article = any(s) % (1 + any(s) % s->articles);
	sqlite3_bind_int64(s->line, 1, ++s->lines);
	sqlite3_bind_int64(s->line, 2, receipt);
	sqlite3_bind_int64(s->line, 3, article + 1);
	sqlite3_bind_int64(s->line, 4, 1 + any(s) % 5);
	sqlite3_bind_int64(s->line, 5, 20 + article * 31 % 9000);
	text(s->line, 6, s->titles[article]);
	run(s, s->line);
}

static void
add_receipt(struct shop *s)
{
	char		buf[64];
	time_t		at;
	struct tm	tm;
	int		i;

	sqlite3_bind_int64(s->receipt, 1, ++s->receipts);
	snprintf(buf, sizeof(buf), "%016llx%016llx",
	    (unsigned long long)any(s), (unsigned long long)any(s));
	text(s->receipt, 2, buf);
	at = EPOCH_S + s->receipts * 41;
	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		fatalx("no such time");
	text(s->receipt, 3, buf);
	sqlite3_bind_int64(s->receipt, 4, 1 + any(s) % 9);
	text(s->receipt, 5, PICK(s, names));
	if (any(s) % 3 == 0)
		sqlite3_bind_int64(s->receipt, 6, 1 + any(s) % s->members);
	else
		sqlite3_bind_null(s->receipt, 6);
	sqlite3_bind_int64(s->receipt, 7, any(s) % 20000);
	text(s->receipt, 8, PICK(s, payments));
	run(s, s->receipt);
	for (i = any(s) % 6; i >= 0; i--)
		add_line(s, s->receipts);
}

static void
fill(struct shop *s, int64_t bytes)
{
	struct stat	sb;
	int		i;

	tool_exec(s->db, "BEGIN");
	add_articles(s);
	add_members(s);
	tool_exec(s->db, "COMMIT");
	s->receipt = tool_prepare(s->db,
	    "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	s->line = tool_prepare(s->db,
	    "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)");
	do {
		tool_exec(s->db, "BEGIN");
		for (i = 0; i < BATCH; i++)
			add_receipt(s);
		tool_exec(s->db, "COMMIT");
		if (stat(s->path, &sb) == -1)
			fatal("%s", s->path);
	} while (sb.st_size < bytes);
	sqlite3_finalize(s->receipt);
	sqlite3_finalize(s->line);
	for (i = 0; i < s->articles; i++)
		free(s->titles[i]);
	free(s->titles);
}

int
main(int argc, char **argv)
{
	struct shop	s = { .random = 88172645463325252ULL };
	int64_t		mb;

	log_init("pos", 1, 0);
	if (argc != 4 || (strcmp(argv[3], "wal") != 0 &&
	    strcmp(argv[3], "delete") != 0)) {
		fprintf(stderr, "usage: pos file megabytes wal|delete\n");
		return (1);
	}
	s.path = argv[1];
	mb = tool_number(argv[2], 1, 100000);
	s.articles = 200 + mb * 20;
	s.members = 200 + mb * 80;
	if (access(s.path, F_OK) == 0)
		fatalx("%s is there already", s.path);
	s.db = tool_open(s.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	/* Whoever kills this removes what it made so far. */
	tool_exec(s.db, "PRAGMA page_size = 4096; PRAGMA journal_mode = off;"
	    "PRAGMA synchronous = off; PRAGMA cache_size = -400000");
	tool_exec(s.db, schema);
	/* As a till would have it; but what memory cannot hold, sorted. */
	if (mb < SORT_MB)
		tool_exec(s.db, indexes);
	fill(&s, mb < SORT_MB ? mb * 1000000 : mb * TABLES_PERCENT * 10000);
	if (mb >= SORT_MB)
		tool_exec(s.db, indexes);
	tool_exec(s.db, "PRAGMA journal_mode = %s", argv[3]);
	tool_close(s.db);
	return (0);
}
