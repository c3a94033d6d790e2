/*
 * Workers run this: the check of shares.h.  It owns a thread, a connection
 * for each of the two, and what is known of each page.  A connection shows
 * which pages it reads; so that it reads all that a check needs, its cache
 * is emptied before each.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/shares.h"
#include "daemon/worker/untrusted.h"
#include "daemon/worker/vfs_fd.h"
#include "proto/sqlite_format.h"

#define PAGES_MAX	(64 * 1024 * 1024)
#define PAGE_MIN	4096		/* see is_empty() */
#define TABLES_MAX	1000
#define PARTIAL_CHECK	3033000		/* quick_check of one table */
#define TICK_NS		20000000
#define SCHEMA		"sqlite_master"

struct shares {
	pthread_t	  thread;
	pthread_mutex_t	  mutex;	/* of what follows */
	pthread_cond_t	  ready;
	int		  planned;
	char		**names;	/* of tables; the schema's first */
	size_t		  n;
	size_t		  next;
	uint8_t		 *used;		/* a bit for each page */

	atomic_int	  ended;	/* the thread has */
	atomic_int	  give_up;	/* also: it is not proven */
	int		  joined;
	int		  fd;
	uint64_t	  size;		/* of the image, bytes */
	uint32_t	  page_size;	/* bytes */
	uint32_t	  pages;
};

static size_t
bitmap_bytes(const struct shares *s)
{
	return ((s->pages + 7) / 8);
}

/* ---- pages that no table has ---- */

/* 0, or -1: it is used already, or can't be. */
static int
use(struct shares *s, uint32_t page)
{
	uint8_t	bit;

	if (page < 2 || page > s->pages)
		return (-1);
	page--;
	bit = (uint8_t)(1U << page % 8);
	if (s->used[page / 8] & bit)
		return (-1);
	s->used[page / 8] |= bit;
	return (0);
}

/* File format, section 1.5.  *n: pages of the list; less those of it. */
static int
free_trunk(struct shares *s, uint8_t *buf, uint32_t usable, uint32_t page,
    uint32_t *n)
{
	uint32_t	i, leaves;

	if (*n == 0 || use(s, page) == -1 || pread(s->fd, buf, s->page_size,
	    (off_t)(page - 1) * s->page_size) != (ssize_t)s->page_size)
		return (-1);
	leaves = sqlite_get32(buf + 4);
	if (leaves > usable / 4 - 2 || leaves > *n - 1)
		return (-1);
	for (i = 0; i < leaves; i++) {
		if (use(s, sqlite_get32(buf + 8 + 4 * i)) == -1)
			return (-1);
	}
	*n -= leaves + 1;
	return (0);
}

static int
free_list(struct shares *s, const uint8_t *h)
{
	uint32_t	 page = sqlite_get32(h + SQLITE_FREE_TRUNK_AT);
	uint32_t	 n = sqlite_get32(h + SQLITE_FREE_COUNT_AT);
	uint8_t		*buf;
	int		 rv = 0;

	if ((buf = malloc(s->page_size)) == NULL)
		return (-1);
	while (page != 0 && (rv = free_trunk(s, buf, s->page_size -
	    h[SQLITE_RESERVED_AT], page, &n)) == 0)
		page = sqlite_get32(buf);
	free(buf);
	return (rv == 0 && n == 0 ? 0 : -1);
}

/* ---- the plan ---- */

static int
name_add(struct shares *s, const char *name)
{
	char	**p;

	/* The pragma takes what begins like a number for one. */
	if (name == NULL || name[0] == '\0' || s->n > TABLES_MAX ||
	    strchr("+-0123456789", name[0]) != NULL ||
	    (p = reallocarray(s->names, s->n + 1, sizeof(*p))) == NULL)
		return (-1);
	s->names = p;
	if ((p[s->n] = strdup(name)) == NULL)
		return (-1);
	s->n++;
	return (0);
}

/*
 * What SQLite may load as a table, and not only what is called one: it
 * compares types without case, up to a NUL, and an index on the schema
 * itself need not have all rows.  A virtual table has no root.
 */
static int
names_take(struct shares *s, sqlite3 *db)
{
	sqlite3_stmt	*st = NULL;
	const char	*name;
	int		 rc = SQLITE_OK, rv;

	if (sqlite3_prepare_v2(db, "SELECT name, rootpage FROM main." SCHEMA
	    " NOT INDEXED WHERE type IS NOT 'index' AND type IS NOT 'view'"
	    " AND type IS NOT 'trigger'", -1, &st, NULL) != SQLITE_OK)
		return (-1);
	rv = name_add(s, SCHEMA);
	while (rv == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(st, 0);
		rv = sqlite3_column_int(st, 1) == 0 || name == NULL ||
		    strlen(name) != (size_t)sqlite3_column_bytes(st, 0) ? -1 :
		    name_add(s, name);
	}
	sqlite3_finalize(st);
	return (rv == 0 && rc == SQLITE_DONE ? 0 : -1);
}

/* 0, or -1: it is left to SQLite. */
static int
plan(struct shares *s, sqlite3 *db)
{
	uint8_t		h[SQLITE_HEADER_BYTES];
	uint64_t	pages;

	if (sqlite3_libversion_number() < PARTIAL_CHECK ||
	    pread(s->fd, h, sizeof(h), 0) != sizeof(h) ||
	    !sqlite_is_header(h) || sqlite_get32(h + SQLITE_AUTO_VACUUM_AT) ||
	    sqlite_get32(h + SQLITE_INCR_VACUUM_AT))
		return (-1);
	s->page_size = sqlite_page_size(h);
	if (s->page_size < PAGE_MIN || s->size % s->page_size != 0)
		return (-1);
	pages = s->size / s->page_size;
	if (pages > PAGES_MAX || sqlite_get32(h + SQLITE_PAGE_COUNT_AT) !=
	    pages || memcmp(h + SQLITE_CHANGE_COUNTER_AT,
	    h + SQLITE_VALID_FOR_AT, 4) != 0)
		return (-1);
	s->pages = (uint32_t)pages;
	if ((s->used = calloc(1, bitmap_bytes(s))) == NULL)
		return (-1);
	if (s->size > SQLITE_LOCK_PAGE_AT &&
	    use(s, SQLITE_LOCK_PAGE_AT / s->page_size + 1) == -1)
		return (-1);
	return (free_list(s, h) == -1 || names_take(s, db) == -1 ? -1 : 0);
}

/* ---- one table ---- */

static int
cache_bytes(sqlite3 *db)
{
	int	now = -1, most = 0;

	if (sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &now, &most,
	    0) != SQLITE_OK)
		return (-1);
	return (now);
}

/*
 * No page is left in the cache.  It is as large as it was before the first
 * was read; a page of another size than SQLite expects makes it another,
 * but none makes it so with a page in it, if it is not smaller.
 */
static int
is_empty(sqlite3 *db, int empty_bytes)
{
	(void)sqlite3_db_release_memory(db);
	return (empty_bytes != -1 && cache_bytes(db) == empty_bytes);
}

static int
is_sound(sqlite3 *db, const char *name)
{
	sqlite3_stmt	*st = NULL;
	const char	*row;
	char		*sql;
	int		 ok = 0;

	/* Without "main." the cache of the temporary one would count. */
	if ((sql = sqlite3_mprintf("PRAGMA main.quick_check(\"%w\")",
	    name)) == NULL)
		return (0);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		row = (const char *)sqlite3_column_text(st, 0);
		ok = row != NULL && strcmp(row, "ok") == 0 &&
		    sqlite3_step(st) == SQLITE_DONE;
	}
	sqlite3_finalize(st);
	sqlite3_free(sql);
	return (ok);
}

/* What was read is used, and was not before. */
static int
merge(struct shares *s, const uint8_t *read)
{
	size_t	i, n = bitmap_bytes(s);
	int	twice = 0;

	pthread_mutex_lock(&s->mutex);
	for (i = 0; i < n; i++) {
		twice |= s->used[i] & read[i];
		s->used[i] |= read[i];
	}
	pthread_mutex_unlock(&s->mutex);
	return (twice ? -1 : 0);
}

/*
 * Page 1 is read by each transaction.  Only the check of the schema is
 * shown the b-tree in it: a table that has it as a page of its own, too,
 * finds none there.
 */
static int
table_check(struct shares *s, sqlite3 *db, int empty_bytes, size_t i,
    uint8_t *read)
{
	struct vfs_fd_pages	p;
	int			ok;

	if (!is_empty(db, empty_bytes))
		return (-1);
	memset(read, 0, bitmap_bytes(s));
	memset(&p, 0, sizeof(p));
	p.read = read;
	p.n = s->pages;
	p.page_size = s->page_size;
	p.hide_first = i != 0;
	if (vfs_fd_note(db, &p) == -1)
		return (-1);
	ok = is_sound(db, s->names[i]);
	(void)vfs_fd_note(db, NULL);
	if (i == 0)
		ok &= read[0] & 1;
	else
		read[0] &= 0xfe;
	return (ok && !p.odd ? merge(s, read) : -1);
}

/* ---- two threads ---- */

/* Which is next; -1 when there is none. */
static int
next(struct shares *s)
{
	int	i = -1;

	pthread_mutex_lock(&s->mutex);
	while (!s->planned && !s->give_up)
		pthread_cond_wait(&s->ready, &s->mutex);
	if (!s->give_up && s->next < s->n)
		i = (int)s->next++;
	pthread_mutex_unlock(&s->mutex);
	return (i);
}

/* empty_bytes: its cache before it has read anything. */
static void
work(struct shares *s, sqlite3 *db, int empty_bytes)
{
	uint8_t	*read = NULL;
	int	 i;

	/* The schema is read now, and not within a check. */
	if (sqlite3_exec(db, "SELECT 1 FROM main." SCHEMA, NULL, NULL,
	    NULL) != SQLITE_OK)
		s->give_up = 1;
	while ((i = next(s)) != -1) {
		if ((read == NULL &&
		    (read = malloc(bitmap_bytes(s))) == NULL) ||
		    table_check(s, db, empty_bytes, (size_t)i, read) == -1)
			s->give_up = 1;
	}
	free(read);
}

static int
on_progress(void *arg)
{
	struct shares	*s = arg;

	return (s->give_up);
}

static void *
run(void *arg)
{
	struct shares	*s = arg;
	sqlite3		*db = NULL;

	if (untrusted_open(s->fd, &db, on_progress, s) == 0)
		work(s, db, cache_bytes(db));
	else
		s->give_up = 1;
	sqlite3_close(db);
	s->ended = 1;
	return (NULL);
}

struct shares *
shares_start(int fd, uint64_t size)
{
	struct shares	*s;

	/* The name is given once, and not by two threads at a time. */
	if (sqlite3_threadsafe() == 0 || vfs_fd_register() != SQLITE_OK)
		return (NULL);
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->size = size;
	if (pthread_mutex_init(&s->mutex, NULL) != 0 ||
	    pthread_cond_init(&s->ready, NULL) != 0 ||
	    pthread_create(&s->thread, NULL, run, s) != 0) {
		pthread_mutex_destroy(&s->mutex);
		pthread_cond_destroy(&s->ready);
		free(s);
		return (NULL);
	}
	return (s);
}

/* give_up is told to one who waits for the plan, too. */
static void
planned(struct shares *s, int rv)
{
	pthread_mutex_lock(&s->mutex);
	if (rv == -1)
		s->give_up = 1;
	s->planned = 1;
	pthread_cond_broadcast(&s->ready);
	pthread_mutex_unlock(&s->mutex);
}

static void
join(struct shares *s)
{
	if (!s->joined)
		pthread_join(s->thread, NULL);
	s->joined = 1;
}

/* ---- the result ---- */

static int
all_used(const struct shares *s)
{
	uint32_t	i;

	for (i = 0; i < s->pages; i++) {
		if ((s->used[i / 8] & 1U << i % 8) == 0)
			return (0);
	}
	return (1);
}

int
shares_finish(struct shares *s, int (*tick)(void *), void *arg)
{
	const struct timespec	pause = { 0, TICK_NS };
	sqlite3			*db = NULL;
	int			 empty_bytes, rv = -1;

	if (untrusted_open(s->fd, &db, tick, arg) == 0) {
		empty_bytes = cache_bytes(db);
		rv = plan(s, db);
		planned(s, rv);
		work(s, db, empty_bytes);
	} else
		planned(s, -1);
	sqlite3_close(db);
	while (!s->ended) {
		if (tick(arg))
			s->give_up = 1;
		(void)nanosleep(&pause, NULL);
	}
	join(s);
	if (tick(arg))
		return (-1);
	return (!s->give_up && all_used(s));
}

void
shares_free(struct shares *s)
{
	size_t	i;

	if (s == NULL)
		return;
	planned(s, -1);
	join(s);
	for (i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	free(s->used);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->ready);
	free(s);
}
