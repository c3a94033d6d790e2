/*
 * A request's JSON body, and what is taken from it.  Nothing here knows of
 * connections, so that it can be tested and fuzzed alone.
 */
#ifndef FRONT_REQUEST_H
#define FRONT_REQUEST_H

#include <stddef.h>

#include "proto/errors.h"
#include "proto/msg.h"

#define BODY_DEPTH	8		/* nested arrays and objects */

/* Why a body was refused: for the client. */
struct refusal {
	enum err	code;
	char		text[TEXT_BYTES];
};

/*
 * Is text one JSON value by RFC 8259, in UTF-8, no deeper than depth?
 * Refused too: a NUL (also escaped) and half a surrogate pair, which text
 * in C and UTF-8 cannot hold.  Returns the number of members in all of its
 * objects, or -1 and *why, a static text.
 */
long	body_check(const char *text, size_t n, int depth, const char **why);

/*
 * The body of `create`.  text may be NULL with n 0: an empty object.
 * Fills user, database, name and description of *req.  0, or -1 and
 * *refusal.
 */
int	request_create(const char *text, size_t n, struct m_req_create *req,
	    struct refusal *);

/*
 * A user id from a path or a query: digits in their shortest form are a
 * number, all else is text.  0, or -1: empty, too long or not printable.
 */
int	request_user(const char *text, struct m_user *);

#endif
