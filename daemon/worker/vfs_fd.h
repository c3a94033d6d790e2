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

#endif
