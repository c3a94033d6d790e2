/*
 * What PRAGMA integrity_check finds beyond quick_check, in one pass over
 * each table and each index: that an index has an entry for each row of its
 * table and no other.  Both are hashed, each entry for itself, with a key
 * that nobody knows, and the sums are equal; that the entries stand in
 * their order (and are unique) is what makes each of them be found.
 * SQLite instead looks each row up in each index, in places that are far
 * apart.  It is a second thread that does it, while quick_check runs.
 *
 * Only tables with rowids whose indexes are plain (of columns, all rows,
 * UTF-8, BINARY or NOCASE) are proven so.  All others, and each that does
 * not fit, are left to SQLite: nothing is called damaged here.
 */
#ifndef WORKER_INDEXES_H
#define WORKER_INDEXES_H

#include <sqlite3.h>
#include <stddef.h>

struct indexes;

/* Begins.  fd stays the caller's and is only pread.  NULL when there can be
 * no thread. */
struct indexes	*indexes_start(int fd);

/*
 * Helps, with a connection of untrusted_open, until all is done.  tick is
 * called now and then; 1 gives it all up.  0, or -1 when it was given up.
 */
int		 indexes_finish(struct indexes *, sqlite3 *db,
		    int (*tick)(void *), void *arg);

/* After that: 1 when the whole database is left to SQLite, as before. */
int		 indexes_whole(const struct indexes *);

/* The i-th table that is left to SQLite, which takes the name as that of a
 * table; NULL: there are no more. */
const char	*indexes_left(const struct indexes *, size_t i);

void		 indexes_free(struct indexes *);	/* NULL is fine */

#endif
