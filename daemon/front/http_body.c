/*
 * The front process runs this: the decoder of chunked request bodies.  It
 * owns nothing but the caller's struct, and holds no byte back: what is not
 * body is consumed or refused.  How large a body may be is the server's to
 * say.
 */
#include <string.h>

#include "daemon/front/http.h"
#include "daemon/front/http_char.h"

#define CHUNK_DIGITS_MAX	15	/* the size then fits 60 bits */
#define CHUNK_TRAILER_MAX	4096	/* bytes */

enum chunk_state {
	CHUNK_SIZE,			/* a zeroed decoder starts here */
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER,			/* where a trailer line begins */
	CHUNK_TRAILER_NAME,
	CHUNK_TRAILER_VALUE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
	CHUNK_DONE,
	CHUNK_BAD
};

static int
expect(struct http_chunked *c, unsigned char got, unsigned char wanted,
    enum chunk_state next)
{
	if (got != wanted)
		return (-1);
	c->state = next;
	return (0);
}

static int
size_byte(struct http_chunked *c, unsigned char b)
{
	int	v;

	if ((v = char_hex(b)) == -1)
		return (c->digits == 0 ? -1 :
		    expect(c, b, '\r', CHUNK_SIZE_LF));
	if (c->digits == CHUNK_DIGITS_MAX)
		return (-1);
	c->digits++;
	c->left = c->left << 4 | (uint64_t)v;
	return (0);
}

static int
trailer_byte(struct http_chunked *c, unsigned char b)
{
	if (c->trailer_bytes++ == CHUNK_TRAILER_MAX)
		return (-1);
	switch (c->state) {
	case CHUNK_TRAILER:
		c->state = b == '\r' ? CHUNK_END_LF : CHUNK_TRAILER_NAME;
		return (b == '\r' || char_token(b) ? 0 : -1);
	case CHUNK_TRAILER_NAME:
		return (char_token(b) ? 0 :
		    expect(c, b, ':', CHUNK_TRAILER_VALUE));
	case CHUNK_TRAILER_VALUE:
		return (!char_control(b) || b == '\t' ? 0 :
		    expect(c, b, '\r', CHUNK_TRAILER_LF));
	case CHUNK_TRAILER_LF:
		return (expect(c, b, '\n', CHUNK_TRAILER));
	default:
		return (expect(c, b, '\n', CHUNK_DONE));
	}
}

/* One byte that is not body. */
static int
frame_byte(struct http_chunked *c, unsigned char b)
{
	switch (c->state) {
	case CHUNK_SIZE:
		return (size_byte(c, b));
	case CHUNK_SIZE_LF:
		c->digits = 0;
		return (expect(c, b, '\n',
		    c->left == 0 ? CHUNK_TRAILER : CHUNK_DATA));
	case CHUNK_DATA_CR:
		return (expect(c, b, '\r', CHUNK_DATA_LF));
	case CHUNK_DATA_LF:
		return (expect(c, b, '\n', CHUNK_SIZE));
	case CHUNK_BAD:
		return (-1);
	default:
		return (trailer_byte(c, b));
	}
}

/* Copies what there is and what fits of the current chunk. */
static size_t
data_copy(struct http_chunked *c, const char *in, size_t in_n, char *out,
    size_t room)
{
	size_t	n;

	n = in_n < room ? in_n : room;
	if (n > c->left)
		n = (size_t)c->left;
	if (n != 0)
		memcpy(out, in, n);
	c->left -= n;
	if (c->left == 0)
		c->state = CHUNK_DATA_CR;
	return (n);
}

int
http_chunked_feed(struct http_chunked *c, const char **in, size_t *in_n,
    char *out, size_t out_size, size_t *out_n)
{
	size_t	n;

	*out_n = 0;
	while (*in_n != 0 && c->state != CHUNK_DONE) {
		if (c->state == CHUNK_DATA) {
			n = data_copy(c, *in, *in_n, out + *out_n,
			    out_size - *out_n);
			if (n == 0)
				return (0);
			*out_n += n;
		} else if (frame_byte(c, (unsigned char)**in) == -1) {
			c->state = CHUNK_BAD;
			return (-1);
		} else
			n = 1;
		*in += n;
		*in_n -= n;
	}
	if (c->state == CHUNK_BAD)
		return (-1);
	return (c->state == CHUNK_DONE);
}
