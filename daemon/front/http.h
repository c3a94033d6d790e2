/*
 * A strict parser of HTTP/1.1 requests (RFC 9110, 9112): it refuses rather
 * than guesses.  It allocates nothing, keeps no state between calls but
 * what the caller passes, and never reads past the length it is given; so
 * that it can be fuzzed alone.  The server around it is server.c.
 */
#ifndef FRONT_HTTP_H
#define FRONT_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX		16384	/* bytes of request line and fields */
#define HTTP_TARGET_MAX		4096	/* bytes of the request target */
#define HTTP_FIELDS_MAX		64
#define HTTP_PATH_MAX		1024	/* bytes of a decoded path */

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
	HTTP_OTHER			/* a token that is none of these: 501 */
};

struct http_slice {
	const char	*at;		/* into the caller's buffer; no NUL */
	size_t		 n;
};

struct http_field {
	struct http_slice name;		/* as it came */
	struct http_slice value;	/* white space around it removed */
};

struct http_request {
	enum http_method method;
	struct http_slice target;	/* origin-form, or absolute-form's rest;
					 * "*" only with OPTIONS */
	struct http_slice authority;	/* of an absolute-form target; else n 0 */
	int		 minor;		/* HTTP/1.minor: 0 or 1 */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t		 nfields;
	struct http_slice host;		/* the Host field: host [":" port] */
	int64_t		 content_length;	/* -1: none */
	int		 chunked;	/* Transfer-Encoding: chunked */
	int		 keep_alive;	/* the connection may be used again */
	int		 expect_continue;	/* and a body is announced */
	size_t		 head_bytes;	/* how much of the buffer the head took */
};

/*
 * Parses a request head from buf[0..n).  Returns 1 and fills *r when a
 * whole head is there; 0 when more is needed; -1 when it is refused: then
 * *status is the HTTP status to answer with (400, 405 is not decided here,
 * 414, 417, 431, 501, 505) and *why a static sentence for a person; on 0
 * and 1 neither is touched.  The verdict does not depend on the pieces in
 * which the head came: the first call that returns other than 0 says what
 * every later one would.  r points into buf, which must stay as it is
 * while r is used.
 *
 * A bare LF, a NUL or other control, white space before a colon, obs-fold,
 * a missing or second Host, both Content-Length and Transfer-Encoding, a
 * second Content-Length (even if equal), signs or spaces in it, a coding
 * other than exactly "chunked", HTTP/1.0 with Transfer-Encoding, a version
 * other than 1.0 and 1.1, a target with controls, spaces, '#' or bytes
 * >= 0x80: all are refused; and a Host that is not a name, an IPv4 address
 * or an IPv6 one in brackets, with or without a port, or not that of an
 * absolute-form target.  Such a target is "http://host[:port]/path" without
 * userinfo; "http://host" has the target "/".  Field values may have bytes
 * >= 0x80.  HTTP/1.0 needs no Host: then host.n is 0.  Empty lines before
 * the request line: at most one CRLF is passed over (RFC 9112, 2.2).
 */
int	http_parse_head(const char *buf, size_t n, struct http_request *r,
	    int *status, const char **why);

/* The first field of that name (compared without case), or NULL.
 * http_field_count counts them. */
const struct http_field *http_field(const struct http_request *,
	    const char *name);
size_t	http_field_count(const struct http_request *, const char *name);

/* 1 when the comma separated list in a field's value has this token,
 * compared without case (parameters behind ';' are not looked at, and a
 * comma between quotes is none). */
int	http_list_has(const struct http_slice *value, const char *token);

/* Compare a slice with text: exactly, and without case. */
int	http_slice_is(const struct http_slice *, const char *text);
int	http_slice_is_nocase(const struct http_slice *, const char *text);

/*
 * The decoder of a chunked body (RFC 9112, 7.1).  Zero it, then feed.
 * *in advances over what was consumed; body bytes are copied to out (at
 * most out_size, *out_n tells how many).  1: the body is complete (a
 * trailer section was read and dropped); 0: feed more, or out is full;
 * -1: malformed.  Extensions are refused, sizes of more than 15 digits
 * too; a trailer has at most 4096 bytes, its last empty line counted.
 * After 1 or -1 it goes on returning that.  *in stops behind the body's
 * last byte: what follows is the next request.
 */
struct http_chunked {
	int		 state;
	uint64_t	 left;		/* bytes of the current chunk */
	size_t		 digits;	/* of its size, so far */
	size_t		 trailer_bytes;
};
int	http_chunked_feed(struct http_chunked *, const char **in, size_t *in_n,
	    char *out, size_t out_size, size_t *out_n);

/*
 * Splits a target into path and query and decodes the path to dst
 * (HTTP_PATH_MAX bytes, NUL at the end; *query stays encoded).  0, or -1
 * and "": not starting with '/', a bad or cut %XX, an encoded '/' (%2F) or
 * control character, a segment that decodes to "." or "..", an empty one
 * that is not the last, bytes that are not UTF-8, or too long.
 */
int	http_split_target(const struct http_slice *target, char *dst,
	    size_t dst_size, struct http_slice *query);

/*
 * The value of a query parameter, percent-decoded ('+' is a space), in
 * dst, with a NUL.  1 found, 0 not there, -1 malformed (anywhere in the
 * query: a bad %XX, or a control character in it), given twice, not UTF-8
 * or too long; dst is "" then.  "a" and "a=" both have the value "".
 */
int	http_query(const struct http_slice *query, const char *name,
	    char *dst, size_t dst_size);

/*
 * A Range field over a representation of size bytes (RFC 9110, 14).  Only
 * one range of the unit "bytes" is served.  1: *first and *last (inclusive)
 * are what to send; 0: ignore the field and send all (another unit, several
 * ranges, malformed, or the last bytes of nothing); -1: 416.
 */
int	http_range(const struct http_slice *value, uint64_t size,
	    uint64_t *first, uint64_t *last);

/* 1 when an If-None-Match (or If-Match) list names the entity tag, which
 * is given with its quotes; weak comparison; "*" matches.  A list that is
 * malformed anywhere names nothing. */
int	http_etag_listed(const struct http_slice *value, const char *etag);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7) of ms since the epoch;
 * times before 1970 and after 9999 are moved to the nearest in between. */
void	http_date(char dst[32], int64_t ms);

const char	*http_reason(int status);	/* "Not Found" */
const char	*http_method_name(enum http_method);

#endif
