/*
 * A SQLite VFS over descriptors (H15): a worker can't reopen what it was
 * passed, so SQLite reads and writes it with pread and pwrite.  No locks:
 * nobody else has the file.  It has no journal, no WAL and no other files:
 * write with journal_mode=off.
 */
#ifndef WORKER_VFS_FD_H
#define WORKER_VFS_FD_H

#include <sqlite3.h>
#include <stdint.h>

#define VFS_FD_NAME	"cbfd"
#define VFS_FD_FILE	"fd/%d"		/* how a descriptor is named to SQLite */
/* An empty file that is thrown away when it is not finished: its journal is
 * one that keeps nothing.  VACUUM INTO wants one and cannot be told. */
#define VFS_FD_NEW	"fd/%d,new"

/* Makes the VFS known to SQLite, once.  SQLITE_OK or an error. */
int	vfs_fd_register(void);

/*
 * Opens descriptor fd (which stays the caller's) as a database, for reading
 * or also for writing.  A header that says WAL is shown as 1/1, because
 * there is no WAL here.  SQLITE_OK and *db to be closed by the caller, or
 * an error (*db may have to be closed all the same, as for sqlite3_open).
 */
int	vfs_fd_open(int fd, int writable, sqlite3 **db);

/* Bytes that SQLite has read through this VFS so far: a measure of how far
 * a check is. */
uint64_t	vfs_fd_bytes_read(void);

/* Has cb called (with arg) before every so many reads: SQLite counts the
 * rows of a table in one step of its own, and cannot be stopped in it but
 * by sqlite3_interrupt(), which cb may call.  NULL: no more. */
void	vfs_fd_watch(void (*cb)(void *), void *arg);

/* Which pages of a database are read, and nothing but pages of it.  It is
 * shown as one without free pages. */
struct vfs_fd_pages {
	uint8_t		*read;		/* a bit for each; page 1 is the
					 * lowest of the first byte */
	uint32_t	 n;		/* pages */
	uint32_t	 page_size;	/* bytes */
	int		 hide_first;	/* page 1 is shown without what is
					 * behind its 100 bytes of header */
	int		 odd;		/* set: it was not only pages */
};

/* What db reads from here on is noted in p; NULL: no more.  0, or -1 when
 * it is no database of this VFS. */
int	vfs_fd_note(sqlite3 *db, struct vfs_fd_pages *p);

#endif
