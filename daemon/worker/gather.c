/*
 * Workers run this: the -wal of a restore in large writes (gather.h says
 * what must not change by it).  It owns the buffer.  It must not write when
 * SQLite does not hold the write lock: by then another process's frames may
 * stand there.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker/gather.h"
#include "proto/sqlite_format.h"

#define BUFFER_BYTES	(124 * 1024)	/* SQLite's unix VFS writes no more
					 * than 128 KiB - 1 at once */
#define WRITE_LOCK	0		/* in the -shm: walformat 2.3 */

struct file {
	sqlite3_file	 base;
	sqlite3_file	*real;		/* behind this */
};

/* The one database of the process. */
static struct {
	sqlite3_file	*wal;		/* that of the VFS below, or NULL */
	uint8_t		*buffer;	/* NULL: nothing is gathered */
	size_t		 filled;
	sqlite3_int64	 at;		/* where in the file it belongs */
	size_t		 frame_bytes;
	int		 through;	/* written at once, from here on */
	int		 error;		/* of the write that failed, at `at` */
} g;

static sqlite3_vfs	*below;
static void		(*watch)(void *, uint64_t);
static void		*watch_arg;

static sqlite3_file *
real(sqlite3_file *f)
{
	return (((struct file *)f)->real);
}

/* ---- what is gathered ---- */

/* What came before is in the file now, or the error stays. */
static int
flush(void)
{
	size_t	n = g.filled;

	g.filled = 0;
	if (n == 0 || g.error != SQLITE_OK)
		return (g.error);
	g.error = g.wal->pMethods->xWrite(g.wal, g.buffer, (int)n, g.at);
	if (g.error == SQLITE_OK && watch != NULL)
		watch(watch_arg, (uint64_t)g.at + n);
	return (g.error);
}

/* Is it the head of a frame that ends a transaction? */
static int
commits(const uint8_t *p, size_t n, sqlite3_int64 off)
{
	return (n >= WAL_FRAME_BYTES && off >= WAL_HEADER_BYTES &&
	    (size_t)(off - WAL_HEADER_BYTES) % g.frame_bytes == 0 &&
	    sqlite_get32(p + WAL_FRAME_COMMIT_AT) != 0);
}

static int
write_now(const void *buf, int n, sqlite3_int64 off)
{
	if (flush() != SQLITE_OK)
		return (g.error);
	g.at = off;
	g.error = g.wal->pMethods->xWrite(g.wal, buf, n, off);
	return (g.error);
}

static int
wal_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
	if (g.buffer == NULL)
		return (real(f)->pMethods->xWrite(real(f), buf, n, off));
	if (commits(buf, (size_t)n, off))
		g.through = 1;
	if (g.through || off < WAL_HEADER_BYTES || n > BUFFER_BYTES)
		return (write_now(buf, n, off));
	if ((off != g.at + (sqlite3_int64)g.filled ||
	    g.filled + (size_t)n > BUFFER_BYTES || g.error != SQLITE_OK) &&
	    flush() != SQLITE_OK)
		return (g.error);
	if (g.filled == 0)
		g.at = off;
	memcpy(g.buffer + g.filled, buf, (size_t)n);
	g.filled += (size_t)n;
	return (SQLITE_OK);
}

/* After an error nothing stands where the lost write belonged, or behind. */
static int
wal_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
	if (off + n > g.at && (g.error != SQLITE_OK ||
	    off < g.at + (sqlite3_int64)g.filled) && flush() != SQLITE_OK)
		return (g.error);
	return (real(f)->pMethods->xRead(real(f), buf, n, off));
}

static int
wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (flush() != SQLITE_OK)
		return (g.error);
	return (real(f)->pMethods->xTruncate(real(f), size));
}

static int
wal_sync(sqlite3_file *f, int flags)
{
	if (flush() != SQLITE_OK)
		return (g.error);
	return (real(f)->pMethods->xSync(real(f), flags));
}

static int
wal_size(sqlite3_file *f, sqlite3_int64 *size)
{
	if (flush() != SQLITE_OK)
		return (g.error);
	return (real(f)->pMethods->xFileSize(real(f), size));
}

/* Nobody has the lock for it any more: what is left is dropped. */
static int
wal_close(sqlite3_file *f)
{
	g.filled = 0;
	g.wal = NULL;
	f->pMethods = NULL;
	return (real(f)->pMethods->xClose(real(f)));
}

/* ---- the database, through which SQLite tells others ---- */

static int
main_shm_map(sqlite3_file *f, int region, int size, int extend,
    void volatile **p)
{
	(void)flush();
	return (real(f)->pMethods->xShmMap(real(f), region, size, extend, p));
}

static int
main_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	int	rc;

	(void)flush();
	rc = real(f)->pMethods->xShmLock(real(f), at, n, flags);
	if ((flags & SQLITE_SHM_UNLOCK) && at == WRITE_LOCK) {
		g.through = 1;
		g.error = SQLITE_OK;
	}
	return (rc);
}

/* It cannot say that this failed; whatever follows it does. */
static void
main_shm_barrier(sqlite3_file *f)
{
	(void)flush();
	real(f)->pMethods->xShmBarrier(real(f));
}

static int
main_shm_unmap(sqlite3_file *f, int delete)
{
	(void)flush();
	return (real(f)->pMethods->xShmUnmap(real(f), delete));
}

/* ---- the rest goes through as it is ---- */

static int
x_close(sqlite3_file *f)
{
	f->pMethods = NULL;
	return (real(f)->pMethods->xClose(real(f)));
}

static int
x_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
	return (real(f)->pMethods->xRead(real(f), buf, n, off));
}

static int
x_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
	return (real(f)->pMethods->xWrite(real(f), buf, n, off));
}

static int
x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return (real(f)->pMethods->xTruncate(real(f), size));
}

static int
x_sync(sqlite3_file *f, int flags)
{
	return (real(f)->pMethods->xSync(real(f), flags));
}

static int
x_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return (real(f)->pMethods->xFileSize(real(f), size));
}

static int
x_lock(sqlite3_file *f, int level)
{
	return (real(f)->pMethods->xLock(real(f), level));
}

static int
x_unlock(sqlite3_file *f, int level)
{
	return (real(f)->pMethods->xUnlock(real(f), level));
}

static int
x_reserved(sqlite3_file *f, int *result)
{
	return (real(f)->pMethods->xCheckReservedLock(real(f), result));
}

static int
x_control(sqlite3_file *f, int op, void *arg)
{
	return (real(f)->pMethods->xFileControl(real(f), op, arg));
}

static int
x_sector(sqlite3_file *f)
{
	return (real(f)->pMethods->xSectorSize(real(f)));
}

static int
x_device(sqlite3_file *f)
{
	return (real(f)->pMethods->xDeviceCharacteristics(real(f)));
}

static const sqlite3_io_methods	wal_methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = x_lock,
	.xUnlock = x_unlock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_device,
};

/* Without xFetch: what is mapped would not be seen to be read. */
static const sqlite3_io_methods	main_methods = {
	.iVersion = 2,
	.xClose = x_close,
	.xRead = x_read,
	.xWrite = x_write,
	.xTruncate = x_truncate,
	.xSync = x_sync,
	.xFileSize = x_size,
	.xLock = x_lock,
	.xUnlock = x_unlock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_device,
	.xShmMap = main_shm_map,
	.xShmLock = main_shm_lock,
	.xShmBarrier = main_shm_barrier,
	.xShmUnmap = main_shm_unmap,
};

/* ---- the VFS ---- */

/* A journal, or what is temporary, is none of ours. */
static int
x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
    int *out_flags)
{
	struct file	*file = (struct file *)f;
	int		 is_wal = (flags & SQLITE_OPEN_WAL) && g.wal == NULL;
	int		 rc;

	(void)vfs;
	if (!is_wal && !(flags & SQLITE_OPEN_MAIN_DB))
		return (below->xOpen(below, name, f, flags, out_flags));
	f->pMethods = NULL;
	file->real = (sqlite3_file *)(file + 1);
	file->real->pMethods = NULL;
	rc = below->xOpen(below, name, file->real, flags, out_flags);
	if (file->real->pMethods == NULL)
		return (rc);
	if (rc != SQLITE_OK) {
		(void)file->real->pMethods->xClose(file->real);
		return (rc);
	}
	f->pMethods = is_wal ? &wal_methods : &main_methods;
	if (is_wal)
		g.wal = file->real;
	return (SQLITE_OK);
}

int
gather_register(const char *over)
{
	static sqlite3_vfs	vfs;

	if (vfs.zName != NULL)
		return (SQLITE_OK);
	if ((below = sqlite3_vfs_find(over)) == NULL)
		return (SQLITE_ERROR);
	vfs = *below;
	vfs.pNext = NULL;
	vfs.zName = GATHER_VFS;
	vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
	vfs.xOpen = x_open;
	return (sqlite3_vfs_register(&vfs, 0));
}

int
gather_begin(size_t page_size)
{
	if ((g.buffer = malloc(BUFFER_BYTES)) == NULL)
		return (-1);
	g.frame_bytes = WAL_FRAME_BYTES + page_size;
	g.filled = 0;
	g.at = 0;
	g.through = 0;
	g.error = SQLITE_OK;
	return (0);
}

void
gather_watch(void (*cb)(void *, uint64_t), void *arg)
{
	watch = cb;
	watch_arg = arg;
}

void
gather_end(void)
{
	free(g.buffer);
	g.buffer = NULL;
	g.filled = 0;
	g.error = SQLITE_OK;
}
