/*
 * The bank's command line, and all of it but the load (bank_run.c).
 *
 *	bank DB [-m mode] [-n accounts] [-s page size] [-z MB of ballast]
 *	    [-r tx/s] [-b busy ms] [-t seconds] [-w writers]
 *	    [-c autocheckpoint] [-e encoding] [-a auto_vacuum] [-l log]
 *	    init|run|sum|check
 *
 * init makes DB; run moves money until SIGTERM, SIGINT or -t; sum looks at
 * a live one; check opens a backup as a file that nobody else touches, and
 * its status is 1 when money is missing or the b-trees are damaged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/bank.h"
#include "regress/tools/tool.h"

#define BALANCE		1000

static int
bank_init(const struct bank *b)
{
	sqlite3	*db;

	if (access(b->path, F_OK) == 0)
		fatalx("%s is there already", b->path);
	db = tool_open(b->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	tool_exec(db, "PRAGMA page_size=%d; PRAGMA encoding=%Q; "
	    "PRAGMA auto_vacuum=%s; PRAGMA journal_mode=%s",
	    b->page_size, b->encoding, b->vacuum,
	    b->mode != NULL ? b->mode : "delete");
	tool_exec(db, "BEGIN;"
	    "CREATE TABLE accounts(id INTEGER PRIMARY KEY,"
	    " balance INTEGER NOT NULL);"
	    "CREATE TABLE state(n INTEGER NOT NULL, total INTEGER NOT NULL);"
	    "CREATE TABLE ballast(id INTEGER PRIMARY KEY, k INTEGER, data);"
	    "CREATE INDEX ballast_k ON ballast(k);"
	    "INSERT INTO state VALUES(0, %d * %d)", b->accounts, BALANCE);
	tool_exec(db, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL"
	    " SELECT n + 1 FROM i WHERE n < %d)"
	    " INSERT INTO accounts SELECT n, %d FROM i",
	    b->accounts, BALANCE);
	/* A few blobs even without ballast: run wants some to change. */
	tool_exec(db, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL"
	    " SELECT n + 1 FROM i WHERE n < %lld)"
	    " INSERT INTO ballast SELECT n, random(), randomblob(%d) FROM i;"
	    "COMMIT", b->ballast_mb * 1048576LL / BALLAST_BYTES + 8,
	    BALLAST_BYTES);
	tool_close(db);
	return (0);
}

static int64_t
print_sum(sqlite3 *db)
{
	int64_t	sum, want;

	tool_exec(db, "BEGIN");
	sum = tool_int(db, "SELECT sum(balance) FROM accounts");
	want = tool_int(db, "SELECT total FROM state");
	printf("sum=%lld expected=%lld n=%lld", (long long)sum,
	    (long long)want, (long long)tool_int(db, "SELECT n FROM state"));
	tool_exec(db, "COMMIT");
	return (sum == want ? 0 : -1);
}

static int
bank_sum(const struct bank *b)
{
	sqlite3	*db;
	int	 failed;

	db = tool_open(b->path, SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(db, b->busy_ms);
	failed = print_sum(db) == -1;
	printf("\n");
	tool_close(db);
	return (failed);
}

/* file: needs these escaped. */
static char *
immutable_uri(const char *path)
{
	static const char	digits[] = "0123456789ABCDEF";
	char			*uri, *p;

	uri = xmalloc(3 * strlen(path) + 32);
	p = uri + sprintf(uri, "file:");
	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) == NULL) {
			*p++ = *path;
			continue;
		}
		*p++ = '%';
		*p++ = digits[*path >> 4];
		*p++ = digits[*path & 15];
	}
	strcpy(p, "?immutable=1");
	return (uri);
}

static int
bank_check(const struct bank *b)
{
	sqlite3	*db;
	char	*uri, *verdict;
	int	 failed;

	uri = immutable_uri(b->path);
	db = tool_open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	free(uri);
	verdict = tool_text(db, "PRAGMA integrity_check(1)");
	failed = strcmp(verdict, "ok") != 0;
	if (print_sum(db) == -1)
		failed = 1;
	printf(" integrity=%s\n", verdict);
	sqlite3_free(verdict);
	tool_close(db);
	return (failed);
}

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: bank db [-m mode] [-n accounts] "
	    "[-s page_size] [-z ballast_mb]\n\t[-r tx_per_s] [-b busy_ms] "
	    "[-t seconds] [-w writers] [-c autocheckpoint]\n\t"
	    "[-e encoding] [-a auto_vacuum] [-l log] "
	    "init|run|sum|check\n");
	exit(1);
}

static int
bank_option(struct bank *b, int ch, const char *arg)
{
	const struct {
		int		 ch;
		int		*n;
		const char	**text;
		int64_t		 least;
	} options[] = {
		{ 'a', NULL, &b->vacuum, 0 },
		{ 'b', &b->busy_ms, NULL, 0 },
		{ 'c', &b->autocheckpoint, NULL, 0 },
		{ 'e', NULL, &b->encoding, 0 },
		{ 'l', NULL, &b->log, 0 },
		{ 'm', NULL, &b->mode, 0 },
		{ 'n', &b->accounts, NULL, 2 },
		{ 'r', &b->rate, NULL, 0 },
		{ 's', &b->page_size, NULL, 512 },
		{ 't', &b->seconds, NULL, 0 },
		{ 'w', &b->writers, NULL, 1 },
		{ 'z', &b->ballast_mb, NULL, 0 }
	};
	size_t	i;

	for (i = 0; i < nitems(options); i++) {
		if (options[i].ch != ch)
			continue;
		if (options[i].text != NULL)
			*options[i].text = arg;
		else
			*options[i].n = tool_number(arg, options[i].least,
			    INT32_MAX);
		return (0);
	}
	return (-1);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char	*word;
		int		(*run)(const struct bank *);
	} verbs[] = {
		{ "check", bank_check },
		{ "init", bank_init },
		{ "run", bank_run },
		{ "sum", bank_sum }
	};
	struct bank	b = { .encoding = "UTF-8", .vacuum = "none",
	    .accounts = 1000, .page_size = 4096, .busy_ms = 5000,
	    .writers = 1, .autocheckpoint = -1 };
	size_t		i;
	int		ch;

	log_init("bank", 1, 0);
	/* glibc's getopt puts the words behind the options. */
	while ((ch = getopt(argc, argv, "a:b:c:e:l:m:n:r:s:t:w:z:")) != -1)
		if (bank_option(&b, ch, optarg) == -1)
			usage();
	if (argc - optind != 2)
		usage();
	b.path = argv[optind];
	for (i = 0; i < nitems(verbs); i++)
		if (strcmp(verbs[i].word, argv[optind + 1]) == 0)
			return (verbs[i].run(&b));
	usage();
}
