/*
 * load DB [-r per second] [-t seconds] [-s off|normal|full] [-o file]
 *     write|read|hold|open|grow
 *
 * The bench's load on a live database:
 *	write	small commits, paced or as fast as it goes
 *	read	short queries, likewise
 *	hold	one read transaction for -t seconds, and its times
 *	open	a connection that does nothing, until SIGTERM
 *	grow	commits until the -wal has -w megabytes, and leaves it so
 *
 * What happened goes to -o as pairs of 64 bits, start and duration in ns of
 * CLOCK_MONOTONIC.  When paced, a commit starts when it was due, so that one
 * stall is seen by all that it delays.
 */
#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define BUSY_MS		60000
#define SECOND_NS	1000000000LL

struct load {
	const char	*path, *sync, *out;
	int64_t		 rate;		/* per second; 0: as it goes */
	int64_t		 seconds;	/* 0: until SIGTERM */
	int64_t		 milliseconds;	/* of hold */
	int64_t		 wal_mb;
	sqlite3		*db;
	uint64_t	 random;
	int64_t		 highest;	/* receipt */
	int64_t		(*times)[2];
	size_t		 count, room;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t
now_ns(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (ts.tv_sec * SECOND_NS + ts.tv_nsec);
}

static void
sleep_until(int64_t when_ns)
{
	struct timespec	ts = { when_ns / SECOND_NS, when_ns % SECOND_NS };

	while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
	    NULL) != 0)
		;
}

static void
record(struct load *l, int64_t start_ns, int64_t end_ns)
{
	if (l->count == l->room) {
		l->room = l->room == 0 ? 65536 : 2 * l->room;
		l->times = realloc(l->times, l->room * sizeof(*l->times));
		if (l->times == NULL)
			fatalx("no memory");
	}
	l->times[l->count][0] = start_ns;
	l->times[l->count++][1] = end_ns - start_ns;
}

/* The file appears whole. */
static void
save(const struct load *l)
{
	char	*part;
	FILE	*f;

	if (l->out == NULL)
		return;
	part = xasprintf("%s.part", l->out);
	f = fopen(part, "w");
	if (f == NULL || fwrite(l->times, sizeof(*l->times), l->count, f) !=
	    l->count || fclose(f) != 0 || rename(part, l->out) == -1)
		fatal("%s", l->out);
	free(part);
}

static uint64_t
any(struct load *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return (l->random);
}

static void
once(struct load *l, sqlite3_stmt *stmt)
{
	int	rc;

	do {
		rc = sqlite3_step(stmt);
	} while (rc == SQLITE_ROW);
	if (rc != SQLITE_DONE)
		tool_fail(l->db, sqlite3_sql(stmt));
	sqlite3_reset(stmt);
}

/* Each with its first parameter bound to a number; paced by the schedule. */
static void
repeat(struct load *l, sqlite3_stmt *stmt, int (*enough)(struct load *))
{
	int64_t	begin = now_ns(), start, n;

	for (n = 0; !stop && !enough(l); n++) {
		if (l->rate > 0) {
			start = begin + n * SECOND_NS / l->rate;
			sleep_until(start);
			if (stop)
				break;
		} else
			start = now_ns();
		if (l->seconds > 0 && start - begin > l->seconds * SECOND_NS)
			break;
		sqlite3_bind_int64(stmt, 1, 1 + any(l) % l->highest);
		once(l, stmt);
		record(l, start, now_ns());
	}
}

static int
never(struct load *l)
{
	(void)l;
	return (0);
}

static int
wal_is_big(struct load *l)
{
	struct stat	 sb;
	char		*wal;
	int		 big;

	wal = xasprintf("%s-wal", l->path);
	big = stat(wal, &sb) == 0 && sb.st_size >= l->wal_mb * 1000000;
	free(wal);
	return (big);
}

static void
load_write(struct load *l)
{
	sqlite3_stmt	*stmt;

	stmt = tool_prepare(l->db, "INSERT INTO ticks (at, amount, note)"
	    " VALUES (datetime('now'), ?, 'what a till writes for a line')");
	repeat(l, stmt, never);
	sqlite3_finalize(stmt);
}

static void
load_read(struct load *l)
{
	sqlite3_stmt	*stmt;

	stmt = tool_prepare(l->db, "SELECT sum(pieces * price) FROM lines"
	    " WHERE receipt = ?");
	repeat(l, stmt, never);
	sqlite3_finalize(stmt);
}

static void
load_hold(struct load *l)
{
	int64_t	start;

	start = now_ns();
	tool_exec(l->db, "BEGIN; SELECT 1 FROM articles LIMIT 1");
	sleep_until(start + l->milliseconds * 1000000);
	tool_exec(l->db, "COMMIT");
	printf("%lld %lld\n", (long long)start, (long long)now_ns());
}

static void
load_open(struct load *l)
{
	(void)tool_int(l->db, "SELECT count(*) FROM (SELECT 1 FROM articles"
	    " LIMIT 1)");
	printf("open\n");
	fflush(stdout);
	while (!stop)
		pause();
}

/* Changes pages all over the database, as months of trade do. */
static void
load_grow(struct load *l)
{
	sqlite3_stmt	*stmt;

	tool_exec(l->db, "PRAGMA wal_autocheckpoint = 0");
	if (sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL) != SQLITE_OK)
		tool_fail(l->db, "no checkpoint on close");
	stmt = tool_prepare(l->db, "UPDATE lines SET pieces = pieces % 9 + 1"
	    " WHERE receipt BETWEEN ?1 AND ?1 + 50");
	repeat(l, stmt, wal_is_big);
	sqlite3_finalize(stmt);
}

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: load db [-r per_second] [-t seconds] "
	    "[-m milliseconds]\n\t[-s off|normal|full] [-w megabytes] "
	    "[-o file] write|read|hold|open|grow\n");
	exit(1);
}

static void
options(struct load *l, int argc, char **argv)
{
	int	ch;

	while ((ch = getopt(argc, argv, "m:o:r:s:t:w:")) != -1) {
		switch (ch) {
		case 'm':
			l->milliseconds = tool_number(optarg, 1, 3600000);
			break;
		case 'o':
			l->out = optarg;
			break;
		case 'r':
			l->rate = tool_number(optarg, 0, 1000000);
			break;
		case 's':
			l->sync = optarg;
			break;
		case 't':
			l->seconds = tool_number(optarg, 0, 86400);
			break;
		case 'w':
			l->wal_mb = tool_number(optarg, 1, 100000);
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2)
		usage();
	l->path = argv[optind];
}

int
main(int argc, char **argv)
{
	static const struct {
		const char	*word;
		void		(*run)(struct load *);
	} verbs[] = {
		{ "grow", load_grow },
		{ "hold", load_hold },
		{ "open", load_open },
		{ "read", load_read },
		{ "write", load_write }
	};
	struct load	l = { .sync = "full", .random = 88172645463325252ULL,
	    .milliseconds = 1000, .wal_mb = 100 };
	size_t		i;

	log_init("load", 1, 0);
	options(&l, argc, argv);
	for (i = 0; i < nitems(verbs) &&
	    strcmp(verbs[i].word, argv[optind + 1]) != 0; i++)
		;
	if (i == nitems(verbs))
		usage();
	if (signal(SIGTERM, on_signal) == SIG_ERR ||
	    signal(SIGINT, on_signal) == SIG_ERR)
		fatal("signal");
	l.db = tool_open(l.path, SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(l.db, BUSY_MS);
	tool_exec(l.db, "PRAGMA synchronous = %w", l.sync);
	l.highest = tool_int(l.db, "SELECT max(receipt) FROM receipts");
	if (l.highest < 1)
		fatalx("%s is not one of the bench", l.path);
	verbs[i].run(&l);
	save(&l);
	tool_close(l.db);
	free(l.times);
	return (0);
}
