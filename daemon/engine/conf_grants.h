/*
 * What somebody may do: rights (RIGHT_* of proto/msg.h), each on one
 * database or on all.  Of the configuration's "allow" and of tokens.
 */
#ifndef ENGINE_CONF_GRANTS_H
#define ENGINE_CONF_GRANTS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define RIGHTS_ALL	(RIGHT_READ | RIGHT_BACKUP | RIGHT_DOWNLOAD | \
			    RIGHT_RESTORE | RIGHT_DELETE)
#define GRANTS_MAX	64		/* databases named, and one for all */
#define GRANTS_TEXT	1024		/* bytes of the written form */

/* In place of a database's name: one of them, no matter which. */
#define DATABASE_ANY	"*"

struct grant {
	uint32_t	rights;
	char		database[DATABASE_BYTES];	/* "": all */
};

struct grants {
	struct grant	list[GRANTS_MAX];
	size_t		n;
};

/* "read" to RIGHT_READ, "all" to all of them; 0: there is no such right. */
uint32_t grants_right(const char *word);

/* Adds; 0, or -1 when there is no room for one more database. */
int	grants_add(struct grants *, uint32_t rights, const char *database);

/* The rights on a database; NULL: those on all, DATABASE_ANY: those that
 * hold for at least one. */
uint32_t grants_mask(const struct grants *, const char *database);

/*
 * The written form, "read,backup@shop": 0, or -1 and why (a sentence's
 * end, why_size bytes).  grants_text writes it; dst has GRANTS_TEXT, and
 * the result is -1 when it does not fit.
 */
int	grants_parse(struct grants *, const char *text, char *why,
	    size_t why_size);
int	grants_text(const struct grants *, char *dst);

/* "read, backup": dst has 64 bytes. */
void	grants_words(uint32_t rights, const char *between, char *dst);

#endif
