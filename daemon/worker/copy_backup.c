/*
 * Workers run this while a read transaction stands on the same connection,
 * so that no commit makes it begin again: SQLite's backup API into the
 * artifact.  Slower than copy_raw, and never wrong where SQLite is not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/worker/capture.h"
#include "daemon/worker/vfs_fd.h"
#include "daemon/worker/worker.h"

#define STEP_PAGES	1024

static int
target_open(struct capture *c, sqlite3 **target)
{
	if (vfs_fd_open(c->out, 1, target) == SQLITE_OK &&
	    sqlite3_exec(*target, "PRAGMA journal_mode=off;"
	    "PRAGMA synchronous=off; PRAGMA cache_size=200;"
	    "PRAGMA locking_mode=exclusive", NULL, NULL, NULL) == SQLITE_OK)
		return (0);
	return (fail(c->error, E_WORKER_FAILED, "cannot open the artifact: %s",
	    *target == NULL ? "out of memory" : sqlite3_errmsg(*target)));
}

static int
steps(struct capture *c, sqlite3_backup *b)
{
	uint64_t	total;
	uint64_t	at_us;
	int		rc, page_size = (int)c->result->page_size;

	do {
		/* It writes, too; what took longer can't be told apart. */
		at_us = util_monotonic_us();
		rc = sqlite3_backup_step(b, STEP_PAGES);
		(void)worker_lap(PHASE_READ, at_us);
		total = (uint64_t)sqlite3_backup_pagecount(b) *
		    (uint64_t)page_size;
		if (c->order->size_limit != 0 &&
		    total > c->order->size_limit)
			return (fail(c->error, E_SIZE_LIMIT,
			    "%s has %ju bytes, its size limit is %ju",
			    c->look.path, (uintmax_t)total,
			    (uintmax_t)c->order->size_limit));
		if (rc == SQLITE_OK && capture_go_on(c, total -
		    (uint64_t)sqlite3_backup_remaining(b) *
		    (uint64_t)page_size, total) == -1)
			return (-1);
	} while (rc == SQLITE_OK);
	if (rc == SQLITE_DONE)
		return (0);
	if (rc == SQLITE_FULL)
		return (capture_write_failed(c, ENOSPC));
	if (rc == SQLITE_NOTADB)
		return (fail(c->error, E_NOT_A_DATABASE,
		    "%s is not a database, or it is encrypted",
		    c->look.path));
	return (fail(c->error, rc == SQLITE_CORRUPT ? E_DATABASE_DAMAGED :
	    E_IO_ERROR, "cannot copy %s: %s", c->look.path,
	    sqlite3_errstr(rc)));
}

enum copy_result
copy_backup(struct capture *c)
{
	sqlite3_backup	*b;
	sqlite3		*target = NULL;
	off_t		 size;
	int		 r = -1;

	c->result->method = CAPTURE_BACKUP;
	if (ftruncate(c->out, 0) == -1) {
		capture_write_failed(c, errno);
		return (COPY_FAILED);
	}
	if (target_open(c, &target) == 0) {
		b = sqlite3_backup_init(target, "main", c->db, "main");
		if (b == NULL)
			fail(c->error, E_IO_ERROR, "cannot copy %s: %s",
			    c->look.path, sqlite3_errmsg(target));
		else {
			r = steps(c, b);
			if (sqlite3_backup_finish(b) != SQLITE_OK && r == 0)
				r = fail(c->error, E_IO_ERROR,
				    "cannot copy %s: %s", c->look.path,
				    sqlite3_errmsg(target));
		}
	}
	sqlite3_close(target);
	/* As in copy_raw: no -wal belongs to the copy. */
	size = r == 0 ? lseek(c->out, 0, SEEK_END) : 0;
	if (r == 0 && size >= SQLITE_HEADER_BYTES &&
	    pwrite(c->out, "\1\1", 2, SQLITE_WRITE_VERSION_AT) != 2)
		r = capture_write_failed(c, errno);
	c->result->size = (uint64_t)size;
	return (r == 0 ? COPY_OK : COPY_FAILED);
}
