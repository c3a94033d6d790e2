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

struct json_object;

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
 * The same (with BODY_DEPTH), and one object with no key twice in it or in
 * what it holds.  The caller puts the result.  NULL and *why, a static
 * text.
 */
struct json_object	*body_object(const char *text, size_t n,
	    const char **why);

enum param_kind {
	PARAM_LINE,		/* text without control characters */
	PARAM_TEXT,		/* the same, but lines and tabs are fine */
	PARAM_SECRET,		/* a text; the object's copy is wiped */
	PARAM_USER,		/* an integer or a line, into a struct m_user */
	PARAM_FLAG		/* true sets bit in an uint32_t */
};

/* A member of an object, and the field of a struct that it goes into. */
struct param {
	const char	*snake, *camel;	/* camel NULL: one spelling only */
	enum param_kind	 kind;
	size_t		 offset, size;	/* of the field, bytes */
	uint32_t	 bit;		/* PARAM_FLAG */
};

/* Takes n members out of the object; one that is not there, or null,
 * leaves its field alone.  0, or -1 and *refusal. */
int	params_take(const struct param *, size_t n, struct json_object *,
	    void *dst, struct refusal *);

/*
 * The body of `create`.  text may be NULL with n 0: an empty object.
 * Fills user, database, name and description of *req.  0, or -1 and
 * *refusal.
 */
int	request_create(const char *text, size_t n, struct m_req_create *req,
	    struct refusal *);

/* The same of `restore`: user, database, identity, identity_file, and
 * RESTORE_FORCE in flags.  The caller wipes text and *req. */
int	request_restore(const char *text, size_t n, struct m_req_restore *req,
	    struct refusal *);

/* The bodies of what changes one backup (CHANGE_FORCE), of `expire`
 * (database, EXPIRE_DRY) and of `undo` (database, RESTORE_FORCE). */
int	request_change(const char *text, size_t n, struct m_req_change *req,
	    struct refusal *);
int	request_expire(const char *text, size_t n, struct m_req_expire *req,
	    struct refusal *);
int	request_undo(const char *text, size_t n, struct m_req_undo *req,
	    struct refusal *);
/* The same of `log`: the level.  `reload` takes no member. */
int	request_log(const char *text, size_t n, struct m_req_admin *req,
	    struct refusal *);
int	request_empty(const char *text, size_t n, struct refusal *);
/* The same of `acknowledge`: database and kind. */
int	request_acknowledge(const char *text, size_t n,
	    struct m_req_acknowledge *req, struct refusal *);

/*
 * A user id from a path or a query: digits in their shortest form are a
 * number, all else is text.  0, or -1: empty, too long or not printable.
 */
int	request_user(const char *text, struct m_user *);

#endif
