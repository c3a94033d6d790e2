/*
 * How many rows each table of an image has, as a worker counts them.
 */
#ifndef ENGINE_TABLES_H
#define ENGINE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

struct table {
	char		*name;
	int64_t		 rows;
};

struct tables {
	struct table	*list;
	size_t		 n;
};

/* One more, of a W_TABLE: 0, or -1 when that may not be believed. */
int	tables_add(struct tables *, const struct m_w_table *);
void	tables_free(struct tables *);
int64_t	tables_rows(const struct tables *);	/* of all */

/* By name; the rows, or -1. */
int64_t	tables_find(const struct tables *, const char *name);

#endif
