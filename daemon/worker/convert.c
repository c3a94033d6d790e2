/*
 * Workers run this: an image with another page size (facts section 1: a
 * WAL database takes only its own).  Content that nobody vouches for is
 * parsed, so the process has no file system and an unprivileged uid.
 */
#include <sys/stat.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/drop.h"
#include "daemon/worker/vfs_fd.h"
#include "daemon/worker/verify.h"
#include "daemon/worker/worker.h"

static int
convert(sqlite3 *db, const struct m_w_convert *o, int target,
    struct m_error *e)
{
	char	sql[128];
	int	rc;

	/* VACUUM INTO keeps rowids, plain VACUUM would not. */
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%u;"
	    "VACUUM INTO '" VFS_FD_NEW "'", o->page_size, target);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_FULL)
		return (fail(e, E_INSUFFICIENT_SPACE,
		    "the backup directory is full: the image with pages of "
		    "%u bytes does not fit", o->page_size));
	if (rc != SQLITE_OK)
		return (fail(e, E_INVALID_BACKUP,
		    "the image cannot be given pages of %u bytes: %s",
		    o->page_size, sqlite3_errmsg(db)));
	return (0);
}

int
convert_run(const struct m_w_convert *o, struct m_w_converted *r,
    struct m_error *e)
{
	struct stat	 st;
	sqlite3		*db = NULL;
	int		 source = worker_file(W_FILE_SOURCE);
	int		 target = worker_file(W_FILE_TARGET), rv = -1;

	if (source == -1 || target == -1)
		return (fail(e, E_WORKER_FAILED, "a descriptor is missing"));
	if (sqlite3_initialize() != SQLITE_OK ||
	    verify_confine(o->uid, o->gid, e) == -1)
		return (e->code == 0 ? fail(e, E_WORKER_FAILED,
		    "SQLite does not start") : -1);
	drop_limits(DROP_FORK);
	worker_progress("convert", 0, 0);
	if (vfs_fd_open(source, 0, &db) != SQLITE_OK)
		fail(e, E_INVALID_BACKUP, "the image cannot be opened");
	else
		rv = convert(db, o, target, e);
	sqlite3_close(db);
	if (rv == 0 && (fsync(target) == -1 || fstat(target, &st) == -1))
		rv = fail(e, E_IO_ERROR, "the converted image: %s",
		    strerror(errno));
	if (rv == 0)
		/* NOLINTNEXTLINE: rv is 0 only after fstat */
		r->size = (uint64_t)st.st_size;
	return (rv);
}
