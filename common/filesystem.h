/*
 * What kind of file system a file lies on, and what else only its system
 * knows of a file: one file per system, filesystem_SYSTEM.c.
 */
#ifndef COMMON_FILESYSTEM_H
#define COMMON_FILESYSTEM_H

#include <stdint.h>

/*
 * Why locks on this file cannot be trusted (H3): a network or FUSE file
 * system, or a path below an overlay's upper or lower directory.  NULL when
 * they can be, else a static text that fits "the database lies on ...".
 * fd may be O_PATH; path is absolute and without links.
 */
const char	*filesystem_unsafe(int fd, const char *path);

/*
 * For one that asks that often: from here on this process keeps the table
 * of what is mounted open, and reads it again only when it has changed.
 */
void		 filesystem_watch(void);

/* When the file `name` in directory dir was made, ms since the epoch; 0
 * when the file system does not tell.  Links are not followed. */
int64_t		 filesystem_birth_ms(int dir, const char *name);

/*
 * These bytes of a file that is being written may go to the disk now, so
 * that the fsync(2) at the end has little left to do.  Waits for nothing;
 * a hint, which may have no effect.
 */
void		 filesystem_write_soon(int fd, uint64_t offset, uint64_t bytes);

/*
 * Waits until what was handed over of these bytes is on the disk, which
 * says nothing of the disk's own cache; a hint, too.  0, or the errno with
 * which something of this file could not be written: the system tells that
 * once for an open file, so no fsync(2) behind this tells it again.
 */
int		 filesystem_write_wait(int fd, uint64_t offset, uint64_t bytes);

/*
 * Nobody will read these bytes of a file soon (bytes 0: to its end): the
 * memory that holds them is better used for what applications read.  What
 * is not on the disk yet stays.
 */
void		 filesystem_forget(int fd, uint64_t offset, uint64_t bytes);

#endif
