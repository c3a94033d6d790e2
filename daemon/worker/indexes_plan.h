/*
 * What indexes.c shares with indexes_plan.c: the tables of an image, their
 * indexes, and what was found of them.
 */
#ifndef WORKER_INDEXES_PLAN_H
#define WORKER_INDEXES_PLAN_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/index_key.h"

struct sum {				/* of entries, in any order */
	uint64_t	n, low, high;
};

struct index {
	char		*sql;		/* its entries, in its order */
	int		 first;		/* its columns in the table's sql */
	int		 unique;
	struct index_order order;
	struct sum	 rows, entries;
};

struct table {
	char		*name;
	char		*sql;		/* its rows, with all its indexes' */
	struct index	*indexes;
	size_t		 n;
	int		 left;		/* to SQLite; set by any thread */
};

struct plan {
	struct table	*tables;
	size_t		 n;
	int		 whole;		/* nothing can be done by table */
};

/* Reads the schema.  What it can't tell is left to SQLite. */
void	plan_make(struct plan *, sqlite3 *);
void	plan_free(struct plan *);

#endif
