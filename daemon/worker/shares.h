/*
 * A quick check of an image by two threads, table by table.  What
 * quick_check finds in a table and its indexes, quick_check(TABLE) finds,
 * too.  What it finds beyond: a page that is used twice, or never, or a
 * free list that is wrong.  That is proven by the pages that each of these
 * checks has read: those of the tables, of the schema and of the free list
 * must be all pages of the file, and none of them twice.
 *
 * It only ever says that all is well.  Whatever is not, or is unusual, is
 * left to SQLite's own check of the whole.
 */
#ifndef WORKER_SHARES_H
#define WORKER_SHARES_H

#include <stdint.h>

struct shares;

/*
 * Starts the second thread, which waits for the rest.  fd: the image, which
 * nobody writes to, so many bytes; stays the caller's.  NULL without memory
 * or a thread.
 */
struct shares	*shares_start(int fd, uint64_t size);

/*
 * Does it.  tick(arg): called often by this thread; other than 0 ends it.
 * 1: what quick_check looks for is not there; 0: not proven; -1: ended.
 */
int		 shares_finish(struct shares *, int (*tick)(void *), void *);

/* NULL is nothing. */
void		 shares_free(struct shares *);

#endif
