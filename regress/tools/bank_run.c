/*
 * The bank's load: writer processes that move money in short transactions
 * and measure how long each takes.  Each writer owns one connection; what
 * they measure meets in shared memory, which the parent reads when all
 * have ended.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/bank.h"
#include "regress/tools/tool.h"

/* Latencies fall into buckets of 1/16 of a power of two. */
#define SUB_BITS	4
#define BUCKETS		(64 << SUB_BITS)

#define REAP_US		10000

struct tally {
	uint64_t	tx;
	uint64_t	busy;
	uint64_t	max_us;
	uint64_t	bucket[BUCKETS];
};

enum step { BEGIN, TAKE, GIVE, COUNT, GROW, DROP, ADD, COMMIT, STEPS };

static const char *const step_sql[STEPS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[TAKE] = "UPDATE accounts SET balance = balance - ?1 WHERE id = ?2",
	[GIVE] = "UPDATE accounts SET balance = balance + ?1 WHERE id = ?2",
	[COUNT] = "UPDATE state SET n = n + 1 RETURNING n",
	[GROW] = "UPDATE ballast SET data = randomblob(?1), k = random()"
	    " WHERE id = ?2",
	[DROP] = "DELETE FROM ballast WHERE id = ?2",
	[ADD] = "INSERT OR REPLACE INTO ballast"
	    " VALUES(?2, random(), randomblob(?1))",
	[COMMIT] = "COMMIT"
};

struct writer {
	const struct bank	*bank;
	struct tally		*tally;
	sqlite3			*db;
	sqlite3_stmt		*stmt[STEPS];
	int			 log_fd;
	int64_t			 n;	/* the last transaction's number */
	int64_t			 accounts;
	int64_t			 blobs;
};

static volatile sig_atomic_t	stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static int
bucket_of(uint64_t us)
{
	int	top;

	if (us < 1 << SUB_BITS)
		return (us);
	top = 63 - __builtin_clzll(us);
	return ((top - SUB_BITS + 1) << SUB_BITS |
	    (us >> (top - SUB_BITS) & ((1 << SUB_BITS) - 1)));
}

/* The upper end of a bucket. */
static uint64_t
bucket_us(int i)
{
	int	shift;

	if (i < 1 << SUB_BITS)
		return (i);
	shift = (i >> SUB_BITS) - 1;
	return ((((uint64_t)i & ((1 << SUB_BITS) - 1)) +
	    (1 << SUB_BITS) + 1) << shift);
}

static uint64_t
percentile(const struct tally *t, double part)
{
	uint64_t	seen = 0, want = t->tx * part;
	int		i;

	for (i = 0; i < BUCKETS; i++) {
		seen += t->bucket[i];
		if (seen > want)
			return (bucket_us(i) < t->max_us ? bucket_us(i) :
			    t->max_us);
	}
	return (t->max_us);
}

/* 0, or -1 when somebody else is in the way; anything else is fatal. */
static int
step(struct writer *w, enum step what, int64_t amount, int64_t id)
{
	sqlite3_stmt	*s = w->stmt[what];
	int		 rc;

	if (sqlite3_bind_parameter_count(s) >= 2) {
		sqlite3_bind_int64(s, 1, amount);
		sqlite3_bind_int64(s, 2, id);
	}
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (what == COUNT)
			w->n = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (rc == SQLITE_DONE)
		return (0);
	rc &= 0xff;
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED ||
	    rc == SQLITE_PROTOCOL)
		return (-1);
	tool_fail(w->db, step_sql[what]);
}

/* Sometimes a blob changes its size, goes or comes, so that pages move. */
static int
stir(struct writer *w)
{
	static const enum step	 what[] = { GROW, GROW, DROP, ADD };
	int64_t			 id, size;

	if (arc4random_uniform(4) != 0)
		return (0);
	id = 1 + arc4random_uniform(w->blobs);
	size = arc4random_uniform(2 * BALLAST_BYTES);
	return (step(w, what[arc4random_uniform(nitems(what))], size, id));
}

static int
transfer(struct writer *w)
{
	int64_t	amount, from, to;

	amount = 1 + arc4random_uniform(100);
	from = 1 + arc4random_uniform(w->accounts);
	to = 1 + arc4random_uniform(w->accounts);
	if (step(w, BEGIN, 0, 0) == 0 &&
	    step(w, TAKE, amount, from) == 0 &&
	    step(w, GIVE, amount, to) == 0 &&
	    step(w, COUNT, 0, 0) == 0 &&
	    stir(w) == 0 && step(w, COMMIT, 0, 0) == 0)
		return (0);
	if (!sqlite3_get_autocommit(w->db))
		tool_exec(w->db, "ROLLBACK");
	return (-1);
}

static void
acknowledge(struct writer *w)
{
	char	line[32];
	int	n;

	if (w->log_fd == -1)
		return;
	n = snprintf(line, sizeof(line), "%lld\n", (long long)w->n);
	if (write(w->log_fd, line, n) != n)
		fatal("%s", w->bank->log);
}

static void
sleep_until(uint64_t when_us)
{
	struct timespec	ts;

	ts.tv_sec = when_us / 1000000;
	ts.tv_nsec = when_us % 1000000 * 1000;
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* The time of one transaction is from the first attempt to the commit. */
static void
write_loop(struct writer *w)
{
	const struct bank	*b = w->bank;
	uint64_t		 start, now, us, end = UINT64_MAX, due, gap = 0;

	due = util_monotonic_us();
	if (b->seconds > 0)
		end = due + b->seconds * 1000000ULL;
	if (b->rate > 0)
		gap = 1000000ULL * b->writers / b->rate;
	while (!stopping && (start = util_monotonic_us()) < end) {
		if (start < due) {
			sleep_until(due < end ? due : end);
			continue;
		}
		due = start > due + 1000000 ? start + gap : due + gap;
		while (transfer(w) == -1) {
			w->tally->busy++;
			if (stopping || util_monotonic_us() >= end)
				return;
		}
		now = util_monotonic_us();
		acknowledge(w);
		us = now - start;
		w->tally->tx++;
		w->tally->bucket[bucket_of(us)]++;
		if (us > w->tally->max_us)
			w->tally->max_us = us;
	}
}

static void __attribute__((__noreturn__))
writer_main(const struct bank *b, struct tally *tally, pid_t parent)
{
	struct writer	w = { .bank = b, .tally = tally, .log_fd = -1 };
	int		i;

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		fatal("prctl");
	if (getppid() != parent)
		_exit(1);
	if (b->log != NULL)
		w.log_fd = tool_open_file(b->log, O_WRONLY | O_CREAT |
		    O_APPEND);
	w.db = tool_open(b->path, SQLITE_OPEN_READWRITE);
	sqlite3_busy_timeout(w.db, b->busy_ms);
	if (b->mode != NULL)
		tool_exec(w.db, "PRAGMA journal_mode=%s", b->mode);
	if (b->autocheckpoint != -1)
		tool_exec(w.db, "PRAGMA wal_autocheckpoint=%d",
		    b->autocheckpoint);
	w.accounts = tool_int(w.db, "SELECT max(id) FROM accounts");
	w.blobs = 8 + tool_int(w.db, "SELECT max(id) FROM ballast");
	for (i = 0; i < STEPS; i++)
		w.stmt[i] = tool_prepare(w.db, step_sql[i]);
	write_loop(&w);
	for (i = 0; i < STEPS; i++)
		sqlite3_finalize(w.stmt[i]);
	tool_close(w.db);
	_exit(0);
}

static int
reap(pid_t *pid, int n)
{
	pid_t	child;
	int	i, status, left = n, failed = 0, told = 0;

	while (left > 0) {
		if (stopping && !told) {
			for (i = 0; i < n; i++)
				if (pid[i] != -1)
					kill(pid[i], SIGTERM);
			told = 1;
		}
		child = waitpid(-1, &status, WNOHANG);
		if (child == -1 && errno != EINTR)
			fatal("wait");
		if (child <= 0) {
			/* A signal between the test above and a wait that
			 * blocks would be lost. */
			sleep_until(util_monotonic_us() + REAP_US);
			continue;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed = 1;
		for (i = 0; i < n; i++)
			if (pid[i] == child)
				pid[i] = -1;
		left--;
	}
	return (failed);
}

static void
add_up(struct tally *sum, const struct tally *one)
{
	int	i;

	sum->tx += one->tx;
	sum->busy += one->busy;
	if (one->max_us > sum->max_us)
		sum->max_us = one->max_us;
	for (i = 0; i < BUCKETS; i++)
		sum->bucket[i] += one->bucket[i];
}

int
bank_run(const struct bank *b)
{
	struct sigaction	sa = { .sa_handler = stop };
	struct tally		*shared, sum;
	pid_t			*pid, self = getpid();
	int			 i, failed;

	/* No SA_RESTART: wait and the pauses are to be interrupted. */
	if (sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		fatal("sigaction");
	shared = mmap(NULL, sizeof(*shared) * b->writers, PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fatal("mmap");
	pid = xcalloc(b->writers, sizeof(*pid));
	for (i = 0; i < b->writers; i++) {
		pid[i] = fork();
		if (pid[i] == -1)
			fatal("fork");
		if (pid[i] == 0)
			writer_main(b, &shared[i], self);
	}
	failed = reap(pid, b->writers);
	memset(&sum, 0, sizeof(sum));
	for (i = 0; i < b->writers; i++)
		add_up(&sum, &shared[i]);
	printf("tx=%llu busy=%llu p50_us=%llu p99_us=%llu max_us=%llu\n",
	    (unsigned long long)sum.tx, (unsigned long long)sum.busy,
	    (unsigned long long)percentile(&sum, 0.50),
	    (unsigned long long)percentile(&sum, 0.99),
	    (unsigned long long)sum.max_us);
	free(pid);
	munmap(shared, sizeof(*shared) * b->writers);
	return (failed);
}
