/*
 * Workers run this: the proof of indexes.h.  It owns a thread with its own
 * connection, the plan, and the sums.  Each scan, of a table or of an
 * index, is done by whichever thread comes to it first; the mutex guards
 * which that is, and nothing else: a sum has one writer, and is read when
 * both have ended.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/indexes.h"
#include "daemon/worker/indexes_plan.h"
#include "daemon/worker/untrusted.h"
#include "daemon/worker/vfs_fd.h"
#include "proto/sqlite_format.h"

#define UTF8		1
#define TICK_NS		20000000

struct indexes {
	pthread_t	 thread;
	int		 joined;
	pthread_mutex_t	 mutex;
	int		 planned;	/* and this is what comes next: */
	size_t		 table;
	size_t		 index;		/* 0: its rows, else index - 1 */
	atomic_int	 ended;		/* the thread has */
	atomic_int	 give_up;
	int		 fd;
	uint64_t	 seed;		/* of the hash */
	struct plan	 plan;
};

/* ---- a scan ---- */

static void
sum_add(struct sum *s, const struct index_key *k, uint64_t seed)
{
	XXH128_hash_t	h = XXH3_128bits_withSeed(k->bytes, k->size, seed);

	s->n++;
	s->low += h.low64;
	s->high += h.high64;
}

/* -1: it is left to SQLite, whatever the reason. */
static int
scan_rows(struct indexes *ix, struct table *t, sqlite3 *db)
{
	struct index_key	 key;
	struct index		*x;
	sqlite3_stmt		*st = NULL;
	size_t			 i;
	int			 rc;

	if (sqlite3_prepare_v2(db, t->sql, -1, &st, NULL) != SQLITE_OK)
		return (-1);
	memset(&key, 0, sizeof(key));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		for (i = 0; i < t->n; i++) {
			x = &t->indexes[i];
			if (index_key_take(&key, st, x->first,
			    x->order.n) == -1)
				goto out;
			sum_add(&x->rows, &key, ix->seed);
		}
	}
 out:
	index_key_free(&key);
	sqlite3_finalize(st);
	return (rc == SQLITE_DONE ? 0 : -1);
}

static int
scan_entries(struct indexes *ix, struct index *x, sqlite3 *db)
{
	struct index_key	 key[2];
	sqlite3_stmt		*st = NULL;
	int			 rc, now = 0;

	if (sqlite3_prepare_v2(db, x->sql, -1, &st, NULL) != SQLITE_OK)
		return (-1);
	memset(key, 0, sizeof(key));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (index_key_take(&key[now], st, 0, x->order.n) == -1 ||
		    (x->entries.n > 0 && !index_key_follows(&key[!now],
		    &key[now], &x->order, x->unique)))
			break;
		sum_add(&x->entries, &key[now], ix->seed);
		now = !now;
	}
	index_key_free(&key[0]);
	index_key_free(&key[1]);
	sqlite3_finalize(st);
	return (rc == SQLITE_DONE ? 0 : -1);
}

/* ---- two threads ---- */

/* What is to be scanned next: 1, or 0 when there is nothing more. */
static int
next(struct indexes *ix, size_t *table, size_t *index)
{
	struct plan	*p = &ix->plan;
	int		 more = 0;

	pthread_mutex_lock(&ix->mutex);
	while (ix->planned && !p->whole && ix->table < p->n && !more) {
		*table = ix->table;
		*index = ix->index++;
		more = !p->tables[*table].left &&
		    *index <= p->tables[*table].n;
		if (!more) {
			ix->table++;
			ix->index = 0;
		}
	}
	pthread_mutex_unlock(&ix->mutex);
	return (more);
}

static void
leave(struct indexes *ix, struct table *t)
{
	pthread_mutex_lock(&ix->mutex);
	t->left = 1;
	pthread_mutex_unlock(&ix->mutex);
}

static void
work(struct indexes *ix, sqlite3 *db)
{
	struct table	*t;
	size_t		 table, index;
	int		 rv;

	while (!ix->give_up && next(ix, &table, &index)) {
		t = &ix->plan.tables[table];
		rv = index == 0 ? scan_rows(ix, t, db) :
		    scan_entries(ix, &t->indexes[index - 1], db);
		if (rv == -1)
			leave(ix, t);
	}
}

static int
on_progress(void *arg)
{
	struct indexes	*ix = arg;

	return (ix->give_up);
}

static void
plan(struct indexes *ix, sqlite3 *db)
{
	struct plan	p;
	uint8_t		h[SQLITE_HEADER_BYTES];

	memset(&p, 0, sizeof(p));
	if (db == NULL || pread(ix->fd, h, sizeof(h), 0) != sizeof(h) ||
	    sqlite_get32(h + SQLITE_ENCODING_AT) != UTF8)
		p.whole = 1;
	else
		plan_make(&p, db);
	pthread_mutex_lock(&ix->mutex);
	ix->plan = p;
	ix->planned = 1;
	pthread_mutex_unlock(&ix->mutex);
}

static void *
run(void *arg)
{
	struct indexes	*ix = arg;
	sqlite3		*db = NULL;

	if (untrusted_open(ix->fd, &db, on_progress, ix) == 0) {
		plan(ix, db);
		work(ix, db);
	} else
		plan(ix, NULL);
	sqlite3_close(db);
	ix->ended = 1;
	return (NULL);
}

struct indexes *
indexes_start(int fd)
{
	struct indexes	*ix;

	/* The name is given once, and not by two threads at a time. */
	if (sqlite3_threadsafe() == 0 || vfs_fd_register() != SQLITE_OK)
		return (NULL);
	ix = xcalloc(1, sizeof(*ix));
	ix->fd = fd;
	arc4random_buf(&ix->seed, sizeof(ix->seed));
	if (pthread_mutex_init(&ix->mutex, NULL) != 0) {
		free(ix);
		return (NULL);
	}
	if (pthread_create(&ix->thread, NULL, run, ix) != 0) {
		pthread_mutex_destroy(&ix->mutex);
		free(ix);
		return (NULL);
	}
	return (ix);
}

static void
join(struct indexes *ix)
{
	if (!ix->joined)
		pthread_join(ix->thread, NULL);
	ix->joined = 1;
}

/* ---- the result ---- */

static int
is_left(const struct table *t)
{
	const struct index	*x;
	size_t			 i;

	for (i = 0; i < t->n; i++) {
		x = &t->indexes[i];
		if (x->rows.n != x->entries.n || x->rows.low !=
		    x->entries.low || x->rows.high != x->entries.high)
			return (1);
	}
	return (t->left);
}

int
indexes_finish(struct indexes *ix, sqlite3 *db, int (*tick)(void *),
    void *arg)
{
	const struct timespec	pause = { 0, TICK_NS };

	work(ix, db);
	while (!ix->ended) {
		if (tick(arg))
			ix->give_up = 1;
		(void)nanosleep(&pause, NULL);
	}
	join(ix);
	return (ix->give_up || tick(arg) ? -1 : 0);
}

int
indexes_whole(const struct indexes *ix)
{
	return (ix->plan.whole);
}

const char *
indexes_left(const struct indexes *ix, size_t i)
{
	const struct plan	*p = &ix->plan;
	size_t			 at;

	for (at = 0; at < p->n; at++) {
		if (is_left(&p->tables[at]) && i-- == 0)
			return (p->tables[at].name);
	}
	return (NULL);
}

void
indexes_free(struct indexes *ix)
{
	if (ix == NULL)
		return;
	ix->give_up = 1;
	join(ix);
	plan_free(&ix->plan);
	pthread_mutex_destroy(&ix->mutex);
	free(ix);
}
