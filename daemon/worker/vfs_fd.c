/*
 * Workers run this.  It owns nothing: descriptors belong to the caller,
 * who names them to SQLite as "fd/NUMBER".
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/worker/vfs_fd.h"
#include "proto/sqlite_format.h"

#define WATCH_READS	64

static _Atomic uint64_t	bytes_read;		/* by all threads */
static void	(*watch)(void *);
static void	*watch_arg;
static unsigned	reads;

struct fd_file {
	sqlite3_file	 base;
	int		 fd;
	struct vfs_fd_pages *pages;	/* or NULL */
};

static int
fd_of(sqlite3_file *f)
{
	return (((struct fd_file *)f)->fd);
}

static int
x_close(sqlite3_file *f)
{
	f->pMethods = NULL;
	return (SQLITE_OK);
}

/* Bytes 18 and 19 are shown as 1: see vfs_fd_open. */
static void
mask_versions(uint8_t *buf, int n, sqlite3_int64 off)
{
	sqlite3_int64	at;

	for (at = SQLITE_WRITE_VERSION_AT; at <= SQLITE_READ_VERSION_AT; at++) {
		if (at >= off && at < off + n && buf[at - off] == 2)
			buf[at - off] = 1;
	}
}

/* The header may be read by itself. */
static void
note(struct vfs_fd_pages *p, uint8_t *buf, int n, sqlite3_int64 off)
{
	sqlite3_int64	page = off / p->page_size;

	if (off + n <= SQLITE_HEADER_BYTES)
		return;
	if ((uint32_t)n != p->page_size || off % n != 0 || page >= p->n) {
		p->odd = 1;
		return;
	}
	p->read[page / 8] |= (uint8_t)(1U << page % 8);
	if (page != 0)
		return;
	memset(buf + SQLITE_FREE_TRUNK_AT, 0, 8);
	if (p->hide_first)
		memset(buf + SQLITE_HEADER_BYTES, 0,
		    (size_t)n - SQLITE_HEADER_BYTES);
}

static int
x_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
	uint8_t	*p = buf;
	ssize_t	 r;
	int	 have = 0;

	while (have < n) {
		r = pread(fd_of(f), p + have, (size_t)(n - have), off + have);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return (SQLITE_IOERR_READ);
		if (r == 0)
			break;
		have += (int)r;
	}
	bytes_read += (uint64_t)have;
	if (watch != NULL && ++reads % WATCH_READS == 0)
		watch(watch_arg);
	if (off < SQLITE_HEADER_BYTES)
		mask_versions(p, have, off);
	if (((struct fd_file *)f)->pages != NULL)
		note(((struct fd_file *)f)->pages, p, n, off);
	if (have == n)
		return (SQLITE_OK);
	memset(p + have, 0, (size_t)(n - have));
	return (SQLITE_IOERR_SHORT_READ);
}

static int
x_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
	const char	*p = buf;
	ssize_t		 r;
	int		 done = 0;

	while (done < n) {
		r = pwrite(fd_of(f), p + done, (size_t)(n - done), off + done);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return (errno == ENOSPC || errno == EDQUOT ?
			    SQLITE_FULL : SQLITE_IOERR_WRITE);
		done += (int)r;
	}
	return (SQLITE_OK);
}

static int
x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return (ftruncate(fd_of(f), size) == -1 ? SQLITE_IOERR_TRUNCATE :
	    SQLITE_OK);
}

static int
x_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	return (fsync(fd_of(f)) == -1 ? SQLITE_IOERR_FSYNC : SQLITE_OK);
}

static int
x_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct stat	st;

	if (fstat(fd_of(f), &st) == -1)
		return (SQLITE_IOERR_FSTAT);
	*size = st.st_size;
	return (SQLITE_OK);
}

static int
x_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return (SQLITE_OK);
}

static int
x_reserved(sqlite3_file *f, int *result)
{
	(void)f;
	*result = 0;
	return (SQLITE_OK);
}

static int
x_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return (SQLITE_NOTFOUND);
}

static int
x_sector(sqlite3_file *f)
{
	(void)f;
	return (4096);
}

static int
x_device(sqlite3_file *f)
{
	(void)f;
	return (0);
}

static const sqlite3_io_methods	fd_methods = {
	.iVersion = 1,
	.xClose = x_close,
	.xRead = x_read,
	.xWrite = x_write,
	.xTruncate = x_truncate,
	.xSync = x_sync,
	.xFileSize = x_size,
	.xLock = x_lock,
	.xUnlock = x_lock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_device,
};

/* ---- the journal of a new file ---- */

#define NEW_JOURNAL	",new-journal"

static int
is_new_journal(const char *name)
{
	size_t	n = strlen(name), end = strlen(NEW_JOURNAL);

	return (n > end && strcmp(name + n - end, NEW_JOURNAL) == 0);
}

static int
nothing_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
	(void)f;
	(void)off;
	memset(buf, 0, (size_t)n);
	return (SQLITE_IOERR_SHORT_READ);
}

static int
nothing_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
	(void)f;
	(void)buf;
	(void)n;
	(void)off;
	return (SQLITE_OK);
}

static int
nothing_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f;
	(void)size;
	return (SQLITE_OK);
}

static int
nothing_size(sqlite3_file *f, sqlite3_int64 *size)
{
	(void)f;
	*size = 0;
	return (SQLITE_OK);
}

static const sqlite3_io_methods	nothing_methods = {
	.iVersion = 1,
	.xClose = x_close,
	.xRead = nothing_read,
	.xWrite = nothing_write,
	.xTruncate = nothing_truncate,
	.xSync = x_lock,
	.xFileSize = nothing_size,
	.xLock = x_lock,
	.xUnlock = x_lock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_device,
};

/* ---- the VFS ---- */

static int
x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
    int *out_flags)
{
	struct fd_file	*file = (struct fd_file *)f;
	int		 fd;

	(void)vfs;
	f->pMethods = NULL;
	if (name != NULL && (flags & SQLITE_OPEN_MAIN_JOURNAL) &&
	    is_new_journal(name)) {
		f->pMethods = &nothing_methods;
		return (SQLITE_OK);
	}
	if (name == NULL || (flags & SQLITE_OPEN_MAIN_DB) == 0 ||
	    sscanf(name, "fd/%d", &fd) != 1)
		return (SQLITE_CANTOPEN);
	file->fd = fd;
	file->pages = NULL;
	f->pMethods = &fd_methods;
	if (out_flags != NULL)
		*out_flags = flags;
	return (SQLITE_OK);
}

static int
x_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)sync;
	return (is_new_journal(name) ? SQLITE_OK :
	    SQLITE_IOERR_DELETE_NOENT);
}

/* There is nothing but the descriptor: no journal, no WAL. */
static int
x_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*result = 0;
	return (SQLITE_OK);
}

static int
x_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	sqlite3_snprintf(n, out, "%s", name);
	return (SQLITE_OK);
}

int
vfs_fd_register(void)
{
	static sqlite3_vfs	 vfs;
	sqlite3_vfs		*unix_vfs;

	if (vfs.zName != NULL)
		return (SQLITE_OK);
	if ((unix_vfs = sqlite3_vfs_find(NULL)) == NULL)
		return (SQLITE_ERROR);
	vfs = *unix_vfs;		/* its clock, sleep and randomness */
	vfs.pNext = NULL;
	vfs.zName = VFS_FD_NAME;
	vfs.szOsFile = sizeof(struct fd_file);
	vfs.xOpen = x_open;
	vfs.xDelete = x_delete;
	vfs.xAccess = x_access;
	vfs.xFullPathname = x_full_path;
	return (sqlite3_vfs_register(&vfs, 0));
}

int
vfs_fd_open(int fd, int writable, sqlite3 **db)
{
	char	uri[64];
	int	rc;

	*db = NULL;
	if ((rc = vfs_fd_register()) != SQLITE_OK)
		return (rc);
	snprintf(uri, sizeof(uri), VFS_FD_FILE, fd);
	return (sqlite3_open_v2(uri, db, SQLITE_OPEN_NOMUTEX |
	    (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY),
	    VFS_FD_NAME));
}

int
vfs_fd_note(sqlite3 *db, struct vfs_fd_pages *p)
{
	sqlite3_file	*f = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
	    &f) != SQLITE_OK || f == NULL || f->pMethods != &fd_methods)
		return (-1);
	((struct fd_file *)f)->pages = p;
	return (0);
}

uint64_t
vfs_fd_bytes_read(void)
{
	return (bytes_read);
}

void
vfs_fd_watch(void (*cb)(void *), void *arg)
{
	watch = cb;
	watch_arg = arg;
}
