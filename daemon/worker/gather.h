/*
 * A VFS over "unix" for the connection of a restore.  SQLite writes each
 * frame of a -wal as two small writes; while a transaction is gathered,
 * frames that follow one another go to the file as one write of up to
 * 124 KiB.
 *
 * Nobody else can tell: whatever SQLite does that others could see, or that
 * depends on what is in the file (a lock, an unlock, a barrier or a mapping
 * of the wal-index; a sync, a truncation, a question for the size, a read of
 * what is gathered; a write elsewhere in the file) finds the file as it
 * would be without this.  With the frame that commits, gathering ends: that
 * one, and all that follows, is written at once.
 *
 * A write that fails is the error of the next write, sync, read, truncation
 * or question, and of all of them until the write lock is let go: the
 * transaction can't be committed.  What was gathered is dropped then, and
 * never written later.
 */
#ifndef WORKER_GATHER_H
#define WORKER_GATHER_H

#include <stddef.h>
#include <stdint.h>

#define GATHER_VFS	"gather"

/*
 * Registers it, over the VFS of that name, which must stay.  A process has
 * one, with one database; a second call does nothing.  A SQLite code.
 */
int	gather_register(const char *over);

/*
 * The transaction that follows is gathered, of a database with pages of
 * that many bytes.  0, or -1 without memory: then it is just not gathered.
 */
int	gather_begin(size_t page_size);

/*
 * From here on, cb is called when the -wal has been written to, and is not
 * to touch the database; bytes: so far from its beginning.  NULL: nobody.
 */
void	gather_watch(void (*cb)(void *, uint64_t bytes), void *arg);

/* The transaction has ended, or its lock was let go: memory is given back. */
void	gather_end(void);

#endif
