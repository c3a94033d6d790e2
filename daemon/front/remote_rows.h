/*
 * What the remote listed, packed: one allocation of texts, one of entries.
 */
#ifndef FRONT_REMOTE_ROWS_H
#define FRONT_REMOTE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define REMOTE_ROWS_MAX		100000
#define REMOTE_BYTES_MAX	(64 * 1024 * 1024)	/* of all lists at once */

struct remote_row {
	int64_t		 size;		/* -1: not told */
	int64_t		 created_ms;	/* 0: not told */
	int64_t		 uploaded_ms;
	const char	*remote_id;
	const char	*name;
	const char	*description;
};

struct remote_rows;

struct remote_rows *remote_rows_new(void);
void	remote_rows_free(struct remote_rows *);
/* 0, or -1 when there is no room for more. */
int	remote_rows_add(struct remote_rows *, const struct m_remote_row *);
size_t	remote_rows_count(const struct remote_rows *);
/* *row is good until the next call that changes the list. */
void	remote_rows_get(const struct remote_rows *, size_t, struct remote_row *);
/* Marks an entry; remote_rows_sort leaves the marked ones out and orders
 * the rest: newest first, then by id, descending. */
void	remote_rows_drop(struct remote_rows *, size_t);
void	remote_rows_sort(struct remote_rows *);
/* How many of a sorted list come before or at (ms, id) in that order; with
 * id NULL: all that are newer than ms. */
size_t	remote_rows_seek(const struct remote_rows *, int64_t ms,
	    const char *id);

#endif
