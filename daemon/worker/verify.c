/*
 * Workers run this: is the artifact a sound database?  The process has no
 * file system, no network and an unprivileged uid by the time SQLite parses
 * the first byte; it owns one descriptor that it can only read.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/compat.h"
#include "common/drop.h"
#include "common/filesystem.h"
#include "common/log.h"
#include "common/procs.h"
#include "common/sandbox.h"
#include "common/util.h"
#include "daemon/worker/count.h"
#include "daemon/worker/hasher.h"
#include "daemon/worker/indexes.h"
#include "daemon/worker/shares.h"
#include "daemon/worker/untrusted.h"
#include "daemon/worker/verify.h"
#include "daemon/worker/vfs_fd.h"
#include "daemon/worker/worker.h"
#include "proto/sqlite_format.h"

#define HEAP_BYTES	(256 * 1024 * 1024)
#define LOW_PRIORITY	10
#define SHARED_BYTES	(8 * 1024 * 1024)	/* less is quick anyway */

struct verify {
	const struct m_w_verify	*order;
	struct m_w_verified	*result;
	sqlite3			*db;
	struct indexes		*indexes;	/* level full, or NULL */
	struct shares		*shares;	/* level quick, or NULL */
	uint64_t		 size;
	uint64_t		 end_us;	/* 0: no deadline */
};

static int
verdict(struct verify *v, enum verdict what, const char *text)
{
	v->result->verdict = what;
	strlcpy(v->result->text, text, sizeof(v->result->text));
	return (0);
}

int
verify_confine(uint32_t uid, uint32_t gid32, struct m_error *e)
{
	gid_t	gid = gid32;

	caps_last();
	if (geteuid() == 0 && (uid == 0 || setgroups(1, &gid) == -1 ||
	    setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || setresuid(0, 0, 0) != -1))
		return (fail(e, E_WORKER_FAILED,
		    "cannot become uid %u for the check", (unsigned)uid));
	procs_die_with_parent(SIGTERM);
	drop_harden();
	if (sandbox_enter(SANDBOX_CHECK, NULL, 0, NULL) == -1)
		return (fail(e, E_WORKER_FAILED,
		    "cannot confine the worker: %s", strerror(errno)));
	return (0);
}

static int
on_progress(void *arg)
{
	struct verify	*v = arg;
	uint64_t	 done = vfs_fd_bytes_read();

	worker_progress("verify", done < v->size ? done : v->size, v->size);
	return (worker_stopping() ||
	    (v->end_us != 0 && util_monotonic_us() > v->end_us));
}

/*
 * H6: a schema that this SQLite can't read is not damage.  SQLite reports
 * both with the same code, and says the difference in words.
 */
static int
schema_is_foreign(const char *text)
{
	const char	*extra;

	if (strncmp(text, "malformed database schema", 25) != 0 ||
	    (extra = strstr(text, " - ")) == NULL)
		return (0);
	return (strstr(extra, "invalid rootpage") == NULL &&
	    strstr(extra, "orphan index") == NULL);
}

static int
sqlite_failed(struct verify *v, int rc)
{
	const char	*text = sqlite3_errmsg(v->db);

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
		return (verdict(v, schema_is_foreign(text) ?
		    VERDICT_UNKNOWN : VERDICT_DAMAGED, text));
	case SQLITE_NOTADB:
		return (verdict(v, VERDICT_DAMAGED, text));
	case SQLITE_INTERRUPT:
		return (verdict(v, VERDICT_UNKNOWN,
		    "the check took longer than it may"));
	default:
		return (verdict(v, VERDICT_UNKNOWN, text));
	}
}

/* A NULL where the schema wants none: content, not structure. */
static int
is_content(const char *row)
{
	return (strncmp(row, "NULL value in ", 14) == 0);
}

static void
pragma(struct verify *v, const char *sql)
{
	sqlite3_stmt	*st = NULL;
	const char	*row;
	int		 rc;

	rc = sqlite3_prepare_v2(v->db, sql, -1, &st, NULL);
	v->result->verdict = VERDICT_SOUND;
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		if ((rc = sqlite3_step(st)) != SQLITE_ROW)
			break;
		row = (const char *)sqlite3_column_text(st, 0);
		if (row == NULL || strcmp(row, "ok") == 0 || is_content(row))
			continue;
		verdict(v, VERDICT_DAMAGED, row);
		break;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		sqlite_failed(v, rc);
	sqlite3_finalize(st);
}

/* The indexes that could not be proven otherwise, by SQLite itself. */
static void
check_left(struct verify *v)
{
	const char	*name;
	char		*sql;
	size_t		 i;

	if (indexes_whole(v->indexes)) {
		pragma(v, "PRAGMA integrity_check(100)");
		return;
	}
	for (i = 0; v->result->verdict == VERDICT_SOUND &&
	    (name = indexes_left(v->indexes, i)) != NULL; i++) {
		sql = sqlite3_mprintf("PRAGMA integrity_check(\"%w\")", name);
		if (sql == NULL)
			verdict(v, VERDICT_UNKNOWN, "out of memory");
		else
			pragma(v, sql);
		sqlite3_free(sql);
	}
}

/* What is not proven by tables is looked at as a whole. */
static void
check_quick(struct verify *v)
{
	int	proven;

	proven = v->shares == NULL ? 0 :
	    shares_finish(v->shares, on_progress, v);
	if (proven == -1)
		sqlite_failed(v, SQLITE_INTERRUPT);
	else if (proven)
		v->result->verdict = VERDICT_SOUND;
	else
		pragma(v, "PRAGMA quick_check(100)");
}

/*
 * In full: what integrity_check finds beyond quick_check is that each
 * index has the entries of its table's rows, in their order (indexes.h).
 */
static void
check(struct verify *v)
{
	if (v->order->level != VERIFY_FULL) {
		check_quick(v);
		return;
	}
	if (v->indexes == NULL) {
		pragma(v, "PRAGMA integrity_check(100)");
		return;
	}
	pragma(v, "PRAGMA quick_check(100)");
	if (v->result->verdict != VERDICT_SOUND)
		return;
	if (indexes_finish(v->indexes, v->db, on_progress, v) == -1)
		sqlite_failed(v, SQLITE_INTERRUPT);
	else
		check_left(v);
}

/* What there is, told beside the verdict, and never a part of it. */
static void
counted(struct verify *v)
{
	struct count	c;

	memset(&c, 0, sizeof(c));
	c.db = v->db;
	c.result = v->result;
	c.size = v->size;
	c.end_us = util_monotonic_us() +
	    (uint64_t)v->order->count_s * 1000000;
	if (v->order->flags & VERIFY_ROWS)
		count_rows(&c);
	if (v->order->flags & VERIFY_REFERENCES)
		count_references(&c);
}

/* What the header says must be what was captured (design.md 3.5). */
static int
header_matches(struct verify *v, int fd)
{
	uint8_t		h[SQLITE_HEADER_BYTES];
	uint32_t	page_size;

	if (v->size == 0)
		return (1);
	if (pread(fd, h, sizeof(h), 0) != sizeof(h) || !sqlite_is_header(h)) {
		verdict(v, VERDICT_DAMAGED, "the header is not that of a "
		    "database");
		return (0);
	}
	page_size = sqlite_page_size(h);
	if (!(v->order->flags & VERIFY_EXPECT) ||
	    (v->size / page_size == v->order->expect_pages &&
	    sqlite_get32(h + SQLITE_CHANGE_COUNTER_AT) ==
	    v->order->expect_change_counter))
		return (1);
	verdict(v, VERDICT_DAMAGED, "page count and change counter are not "
	    "those that were captured");
	return (0);
}

static void
judge(struct verify *v, int fd)
{
	uint64_t	start_us = util_monotonic_us();

	if ((v->order->flags & VERIFY_EXPECT) &&
	    v->size != v->order->expect_size)
		verdict(v, VERDICT_DAMAGED,
		    "the size is not the one that was captured");
	else if (header_matches(v, fd) && v->order->level != VERIFY_NONE) {
		sqlite3_hard_heap_limit64(HEAP_BYTES);
		if (untrusted_open(fd, &v->db, on_progress, v) == 0) {
			check(v);
			indexes_free(v->indexes);
			v->indexes = NULL;
			shares_free(v->shares);
			v->shares = NULL;
			if (v->result->verdict == VERDICT_SOUND)
				counted(v);
		} else
			verdict(v, VERDICT_UNKNOWN, "SQLite does not start");
		sqlite3_close(v->db);
	}
	v->result->check_us = util_monotonic_us() - start_us;
	worker_spent(PHASE_VERIFY, v->result->check_us);
}

int
verify_run(const struct m_w_verify *order, int fd,
    struct m_w_verified *result, struct m_error *error)
{
	struct verify	 v;
	struct stat	 st;
	struct hasher	*h;

	memset(&v, 0, sizeof(v));
	v.order = order;
	v.result = result;
	if (order->deadline_s != 0)
		v.end_us = util_monotonic_us() +
		    (uint64_t)order->deadline_s * 1000000;
	if (fstat(fd, &st) == -1)
		return (fail(error, E_IO_ERROR, "cannot read the copy: %s",
		    strerror(errno)));
	v.size = result->size = (uint64_t)st.st_size;
	result->broken = -1;
	if (order->flags & VERIFY_LOW)
		(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY);
	if (sqlite3_initialize() != SQLITE_OK ||
	    verify_confine(order->uid, order->gid, error) == -1)
		return (error->code == 0 ? fail(error, E_WORKER_FAILED,
		    "SQLite does not start") : -1);
	worker_progress("verify", 0, v.size);
	/* The hash that counts: nobody can write any more (H14). */
	if ((h = hasher_start(fd)) == NULL)
		return (fail(error, E_WORKER_FAILED, "cannot start a thread"));
	if (order->level == VERIFY_FULL)
		v.indexes = indexes_start(fd);
	else if (order->level == VERIFY_QUICK &&
	    (order->flags & VERIFY_SHARED) && v.size >= SHARED_BYTES)
		v.shares = shares_start(fd, v.size);
	drop_limits(DROP_FORK);		/* those were the last */
	hasher_advance(h, v.size);
	judge(&v, fd);
	indexes_free(v.indexes);
	shares_free(v.shares);
	if (hasher_finish(h, v.size, result->checksum) == -1)
		return (fail(error, E_IO_ERROR, "cannot read the copy: %s",
		    strerror(errno)));
	if (order->flags & VERIFY_FORGET)
		filesystem_forget(fd, 0, 0);
	if (worker_stopping())
		return (fail(error, E_SHUTTING_DOWN,
		    "the check was given up because the daemon ends"));
	return (0);
}
