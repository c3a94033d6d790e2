/*
 * Readers that stay connected while a database is restored under them.
 *
 *	reader DB [-c connections] [-t seconds] [-b busy ms] [-p pause ms]
 *
 * Each connection is a process of its own.  It reads a bank again and
 * again, in a transaction, by statements that it prepared once, and tells
 * each state that differs from its last one, one line each:
 *
 *	state PID SUM EXPECTED N USER_VERSION
 *	error PID SQLITE'S MESSAGE
 *	end PID READS
 *
 * It goes on after an error.  All end by SIGTERM, SIGINT or -t; the status
 * is 1 when some sum was not the expected one.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define LINE_BYTES	512

struct options {
	const char	*path;
	int		 connections;
	int		 seconds;	/* 0: until a signal */
	int		 busy_ms;
	int		 pause_ms;
};

enum part { BEGIN, SUM, STATE, USER_VERSION, COMMIT, PARTS };

static const char *const	part_sql[PARTS] = {
	[BEGIN] = "BEGIN",
	[SUM] = "SELECT sum(balance) FROM accounts",
	[STATE] = "SELECT total, n FROM state",
	[USER_VERSION] = "PRAGMA user_version",
	[COMMIT] = "COMMIT"
};

struct state {
	int64_t	sum, total, n, version;
};

struct reader {
	sqlite3		*db;
	sqlite3_stmt	*stmt[PARTS];
	struct state	 last;
	char		 failed[LINE_BYTES];	/* the last error, or "" */
	uint64_t	 reads;
	int		 torn;
};

static volatile sig_atomic_t	stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static void	say(const char *, ...)
		    __attribute__((__format__ (printf, 1, 2)));

/* One write a line, so that the processes' lines do not mix. */
static void
say(const char *fmt, ...)
{
	va_list	ap;
	char	line[LINE_BYTES + 64];
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		fatalx("a line is too long");
	if (write(STDOUT_FILENO, line, n) != n)
		fatal("write");
}

/* Columns of the first row; -1 and a message when SQLite has none. */
static int
ask(struct reader *r, enum part what, int64_t *a, int64_t *b)
{
	sqlite3_stmt	*s = r->stmt[what];
	int		 rc;

	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && a != NULL) {
		*a = sqlite3_column_int64(s, 0);
		if (b != NULL)
			*b = sqlite3_column_int64(s, 1);
		rc = sqlite3_step(s);
	}
	if (rc == SQLITE_DONE) {
		sqlite3_reset(s);
		return (0);
	}
	/* Told once until something else happens. */
	if (strcmp(r->failed, sqlite3_errmsg(r->db)) != 0) {
		strlcpy(r->failed, sqlite3_errmsg(r->db), sizeof(r->failed));
		say("error %d %s\n", (int)getpid(), r->failed);
	}
	sqlite3_reset(s);
	return (-1);
}

static void
read_once(struct reader *r)
{
	struct state	s = { 0, 0, 0, 0 };

	if (ask(r, BEGIN, NULL, NULL) == -1 ||
	    ask(r, SUM, &s.sum, NULL) == -1 ||
	    ask(r, STATE, &s.total, &s.n) == -1 ||
	    ask(r, USER_VERSION, &s.version, NULL) == -1 ||
	    ask(r, COMMIT, NULL, NULL) == -1) {
		if (!sqlite3_get_autocommit(r->db))
			tool_exec(r->db, "ROLLBACK");
		return;
	}
	r->reads++;
	r->failed[0] = '\0';
	if (memcmp(&s, &r->last, sizeof(s)) == 0)
		return;
	r->last = s;
	if (s.sum != s.total)
		r->torn = 1;
	say("state %d %lld %lld %lld %lld\n", (int)getpid(), (long long)s.sum,
	    (long long)s.total, (long long)s.n, (long long)s.version);
}

static void __attribute__((__noreturn__))
reader_main(const struct options *o, pid_t parent)
{
	struct reader	r;
	struct timespec	pause = { 0, o->pause_ms * 1000000L };
	uint64_t	end = UINT64_MAX;
	int		i;

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		fatal("prctl");
	if (getppid() != parent)
		_exit(1);
	memset(&r, 0, sizeof(r));
	r.db = tool_open(o->path, SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(r.db, o->busy_ms);
	for (i = 0; i < PARTS; i++)
		r.stmt[i] = tool_prepare(r.db, part_sql[i]);
	if (o->seconds > 0)
		end = util_monotonic_us() + o->seconds * 1000000ULL;
	while (!stopping && util_monotonic_us() < end) {
		read_once(&r);
		(void)nanosleep(&pause, NULL);
	}
	say("end %d %llu\n", (int)getpid(), (unsigned long long)r.reads);
	for (i = 0; i < PARTS; i++)
		sqlite3_finalize(r.stmt[i]);
	tool_close(r.db);
	_exit(r.torn);
}

/* SIGTERM and SIGINT go on to the readers. */
static int
reap(const pid_t *pid, int n)
{
	struct timespec	pause = { 0, 10000000 };
	int		i, status, left = n, failed = 0, told = 0;
	pid_t		child;

	while (left > 0) {
		for (i = 0; stopping && !told && i < n; i++)
			kill(pid[i], SIGTERM);
		told = stopping;
		child = waitpid(-1, &status, WNOHANG);
		if (child == -1 && errno != EINTR)
			fatal("wait");
		if (child <= 0) {
			(void)nanosleep(&pause, NULL);
			continue;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed = 1;
		left--;
	}
	return (failed);
}

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: reader db [-b busy_ms] [-c connections] "
	    "[-p pause_ms] [-t seconds]\n");
	exit(1);
}

static void
options_read(struct options *o, int argc, char **argv)
{
	int	ch;

	while ((ch = getopt(argc, argv, "b:c:p:t:")) != -1) {
		switch (ch) {
		case 'b':
			o->busy_ms = tool_number(optarg, 0, 86400000);
			break;
		case 'c':
			o->connections = tool_number(optarg, 1, 1000);
			break;
		case 'p':
			o->pause_ms = tool_number(optarg, 0, 999);
			break;
		case 't':
			o->seconds = tool_number(optarg, 0, 86400);
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 1)
		usage();
	o->path = argv[optind];
}

int
main(int argc, char **argv)
{
	struct options		 o = { NULL, 1, 0, 30000, 5 };
	struct sigaction	 sa = { .sa_handler = stop };
	pid_t			*pid, self = getpid();
	int			 i, failed;

	log_init("reader", 1, 0);
	options_read(&o, argc, argv);
	if (sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		fatal("sigaction");
	pid = xcalloc(o.connections, sizeof(*pid));
	for (i = 0; i < o.connections; i++) {
		if ((pid[i] = fork()) == -1)
			fatal("fork");
		if (pid[i] == 0)
			reader_main(&o, self);
	}
	failed = reap(pid, o.connections);
	free(pid);
	return (failed);
}
