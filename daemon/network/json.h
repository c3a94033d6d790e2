/*
 * JSON as slices of its text: nothing is built, so that a hostile answer
 * costs no more memory than its own bytes (json-c takes some 300 bytes for
 * each "{}").  json_check first; the others rely on it.
 */
#ifndef NETWORK_JSON_H
#define NETWORK_JSON_H

#include <stddef.h>

#define JSON_DEPTH_MAX	16

struct slice {
	const char	*s;		/* NULL: there is none */
	size_t		 n;		/* bytes */
};

/*
 * text must be one value (RFC 8259) and nothing else, at most
 * JSON_DEPTH_MAX deep; a byte order mark before it is forgiven.  0 and
 * the value in *value, or -1.
 */
int	json_check(const char *text, size_t n, struct slice *value);

/* '{', '[', '"', 't', 'f', 'n', or '0' for a number; 0 for none. */
int	json_kind(const struct slice *);

/*
 * The values of the members called names[0] to names[n - 1] of an object,
 * in one pass; the first of several wins.  found[i].s is NULL where there
 * is none, and everywhere when it is no object.
 */
void	json_members(const struct slice *object, const char *const *names,
	    struct slice *found, size_t n);

/*
 * Walks an array: *rest begins as the array and shrinks.  1 and the next
 * element, or 0 at the end.
 */
int	json_next(struct slice *rest, struct slice *element);

#endif
