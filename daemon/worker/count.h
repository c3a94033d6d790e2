/*
 * How many rows the tables of an image have: what a drill compares.
 */
#ifndef WORKER_COUNT_H
#define WORKER_COUNT_H

#include <sqlite3.h>
#include <stdint.h>

#include "proto/msg.h"

struct count {
	sqlite3			*db;	/* open, by vfs_fd, authorized */
	struct m_w_verified	*result;
	uint64_t		 size;	/* of the image, bytes */
	uint64_t		 end_us;	/* all must be counted by then */
	const char		*phase;
	int			 late;	/* it was not */
};

/*
 * Tells the engine the rows of each ordinary table (not of virtual ones,
 * whose content lies in others, nor of SQLite's own); result->tables is how
 * many.  What can't be counted, or is more than TABLES_MAX, or not done in
 * time, is left out: VERIFIED_PARTIAL.
 */
void	count_rows(struct count *);

/* result->broken: foreign keys that lead nowhere, -1 when not all could be
 * looked at. */
void	count_references(struct count *);

#endif
