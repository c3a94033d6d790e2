/*
 * What the servers of the rest protocol answer, in all the shapes that are
 * deployed, read leniently and believed not at all: whatever is given out
 * here is bounded, and ids are checked.
 */
#ifndef NETWORK_ANSWER_H
#define NETWORK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define ANSWER_BYTES_MAX	(4 * 1024 * 1024)	/* create, health */
#define ANSWER_LIST_BYTES_MAX	(64 * 1024 * 1024)
#define ANSWER_LIST_ROWS_MAX	100000

/*
 * May this text be a remote's id of a backup?  1 to 255 bytes of UTF-8, no
 * controls, and neither "." nor "..", which would be another path.
 */
int	answer_id_ok(const char *id);

/*
 * The id of a new backup.  NULL and id filled, or why there is none: a
 * static text that goes on "the answer ...".
 */
const char	*answer_id(const char *text, size_t n,
		    char id[REMOTE_ID_BYTES]);

/*
 * The sentence in which the server says what went wrong, cleaned and cut
 * to size bytes; 0 and "" when it says none.
 */
int	answer_message(const char *text, size_t n, char *dst, size_t size);

/* An entry of a list; "" or -1 or 0 where it does not tell. */
struct answer_row {
	char		 id[REMOTE_ID_BYTES];	/* answer_id_ok */
	const char	*name;		/* as sent: to be cleaned; valid */
	const char	*description;	/* until the next row is asked for */
	int64_t		 size;		/* bytes, -1: not told */
	int64_t		 created_ms;
	int64_t		 uploaded_ms;
};

struct answer_list;

/*
 * Reads a list.  text must stay as long as the result, which the caller
 * frees.  NULL and *why (as answer_id's) when it is none.
 */
struct answer_list	*answer_list_open(const char *text, size_t n,
			    const char **why);
void			 answer_list_free(struct answer_list *);

/* 1 and the next entry that makes sense, or 0 at the end. */
int	 answer_list_next(struct answer_list *, struct answer_row *);
uint32_t answer_list_skipped(const struct answer_list *);

#endif
