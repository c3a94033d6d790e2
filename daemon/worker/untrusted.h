/*
 * SQLite on content that nobody vouches for.
 */
#ifndef WORKER_UNTRUSTED_H
#define WORKER_UNTRUSTED_H

#include <sqlite3.h>

/*
 * A connection to fd, which stays the caller's, by vfs_fd; it can read, and
 * do nothing that the content might ask for.  on_progress as for
 * sqlite3_progress_handler.  0, or -1; *db is to be closed in any case.
 */
int	untrusted_open(int fd, sqlite3 **db, int (*on_progress)(void *),
	    void *arg);

#endif
