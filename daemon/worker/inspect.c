/*
 * Workers run this: facts about the live database file, without SQLite and
 * without changing anything.  Locks are read with the engine's rights,
 * content with the owner's.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/look.h"
#include "daemon/worker/wal.h"
#include "daemon/worker/worker.h"

#define SHM_WRITE	120
#define SHM_RECOVER	122

static int
fd_read(void *arg, void *buf, size_t n, uint64_t off)
{
	return (pread(*(int *)arg, buf, n, (off_t)off) == (ssize_t)n ? 0 : -1);
}

static int
overlaps(const struct procs_lock *k, uint64_t first, uint64_t n)
{
	return (!k->waiting && k->first < first + n && k->last >= first);
}

/* D1: what would block a restore, on the database itself. */
static int
blocks_rollback(const struct procs_lock *k, void *arg)
{
	(void)arg;
	return (overlaps(k, SQLITE_PENDING_BYTE, 2 + SQLITE_SHARED_BYTES));
}

static int
blocks_wal(const struct procs_lock *k, void *arg)
{
	(void)arg;
	return (k->write &&
	    overlaps(k, SQLITE_SHARED_FIRST, SQLITE_SHARED_BYTES));
}

static int
blocks_shm(const struct procs_lock *k, void *arg)
{
	(void)arg;
	return (k->write && (overlaps(k, SHM_WRITE, 1) ||
	    overlaps(k, SHM_RECOVER, 1)));
}

static int
is_locked(const struct look *l)
{
	struct stat	shm;
	int		fd, r;

	if ((fd = procs_locks_open()) == -1)
		return (0);
	r = procs_locks(fd, l->st.st_dev, l->st.st_ino,
	    l->wal_mode ? blocks_wal : blocks_rollback, NULL);
	if (r != 1 && l->wal_mode && look_stat_beside(l, "-shm", &shm) == 0)
		r = procs_locks(fd, shm.st_dev, shm.st_ino, blocks_shm, NULL);
	close(fd);
	return (r == 1);
}

static int64_t
ms_of(const struct timespec *ts)
{
	return ((int64_t)ts->tv_sec * 1000 + ts->tv_nsec / 1000000);
}

/* Header fields, from where the newest version of page 1 is. */
static void
from_page1(struct m_file_info *r, const uint8_t *h)
{
	r->flags |= FILE_DATABASE;
	r->page_size = sqlite_page_size(h);
	r->schema_cookie = sqlite_get32(h + SQLITE_SCHEMA_COOKIE_AT);
	r->user_version = sqlite_get32(h + SQLITE_USER_VERSION_AT);
	r->application_id = sqlite_get32(h + SQLITE_APPLICATION_ID_AT);
	strlcpy(r->encoding,
	    sqlite_encoding_name(sqlite_get32(h + SQLITE_ENCODING_AT)),
	    sizeof(r->encoding));
	r->page_count = sqlite_get32(h + SQLITE_PAGE_COUNT_AT);
	if (r->page_count == 0)
		r->page_count = r->size / r->page_size;
}

static void
content(const struct look *l, int wal_fd, struct m_file_info *r)
{
	struct wal	w;
	uint8_t		h[SQLITE_HEADER_BYTES];
	uint32_t	frame;

	strlcpy(r->journal_mode, l->wal_mode ? "wal" : "delete",
	    sizeof(r->journal_mode));
	if (l->header_bytes < sizeof(h) || !sqlite_is_header(l->header))
		return;
	from_page1(r, l->header);
	if (!l->wal_mode || wal_fd == -1)
		return;
	if (wal_scan(&w, fd_read, &wal_fd, (uint64_t)l->wal_size) == WAL_OK &&
	    w.frames > 0) {
		if ((frame = wal_find(&w, 1)) != 0 &&
		    wal_page(&w, frame, h, sizeof(h)) == 0 &&
		    sqlite_is_header(h))
			from_page1(r, h);
		r->page_count = w.pages;
	}
	wal_free(&w);
}

static void
access_flags(const struct look *l, struct m_file_info *r)
{
	struct statvfs	v;
	uint64_t	free_bytes;

	if (faccessat(l->dir, l->name, R_OK, AT_EACCESS) == 0)
		r->flags |= FILE_READABLE;
	if (faccessat(l->dir, l->name, W_OK, AT_EACCESS) == 0)
		r->flags |= FILE_WRITABLE;
	/* A restore into a WAL database needs its whole size once more. */
	if (fstatvfs(l->dir, &v) == -1)
		return;
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	if ((r->flags & (FILE_WRITABLE | FILE_LOCKED)) == FILE_WRITABLE &&
	    free_bytes > r->size)
		r->flags |= FILE_ACCESSIBLE;
}

int
inspect_run(const struct m_w_inspect *order, struct m_file_info *r,
    struct m_error *error)
{
	struct look	l;
	int		wal_fd = -1, rv;

	strlcpy(r->path, order->look.path, sizeof(r->path));
	if (look_open(&order->look, &l, error) == -1) {
		/* That it is not there is a fact, not a failure. */
		return (error->code == E_DATABASE_NOT_FOUND ? 0 : -1);
	}
	r->flags = FILE_EXISTS;
	r->size = (uint64_t)l.st.st_size;
	r->uid = (uint32_t)l.st.st_uid;
	r->modified_ms = ms_of(&l.st.st_mtim);
	r->created_ms = filesystem_birth_ms(l.dir, l.name);
	r->wal_size = (uint64_t)l.wal_size;
	if (is_locked(&l))
		r->flags |= FILE_LOCKED;
	if (l.had_wal)
		wal_fd = look_beside(&l, "-wal", O_RDONLY);
	if ((rv = look_confine(&l, error)) == 0) {
		access_flags(&l, r);
		content(&l, wal_fd, r);
	}
	if (wal_fd != -1)
		close(wal_fd);
	look_free(&l);
	return (rv);
}
