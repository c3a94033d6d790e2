/*
 * One entry of an index as bytes: to be hashed, and compared in the order
 * of the index.
 */
#ifndef WORKER_INDEX_KEY_H
#define WORKER_INDEX_KEY_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_VALUES	32		/* of one entry, with the rowid */

/* How the values of an entry are ordered. */
struct index_order {
	int	n;			/* values */
	int	nkey;			/* of them declared: unique together */
	uint8_t	descending[INDEX_VALUES];
	uint8_t	nocase[INDEX_VALUES];	/* 1: NOCASE, 0: BINARY */
};

struct index_key {			/* all 0 at first */
	uint8_t	*bytes;
	size_t	 size, room;
};

/* n columns of the row from `first` on.  0, or -1 without memory. */
int	index_key_take(struct index_key *, sqlite3_stmt *, int first, int n);

/*
 * Does b come right behind a: greater, and, where unique is 1, with other
 * declared values, or a NULL among them?
 */
int	index_key_follows(const struct index_key *a,
	    const struct index_key *b, const struct index_order *, int unique);
void	index_key_free(struct index_key *);

#endif
