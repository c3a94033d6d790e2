/*
 * The front runs this.  It owns the bytes of a request's body while they
 * arrive, BODY_MAX at most; it decides what may be sent from the head
 * alone, so that most refusals need no reading.
 */
#include <event2/buffer.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/body.h"
#include "daemon/front/front.h"

#define STALL_US	UINT64_C(30000000)	/* no byte for that long */
#define WHOLE_US	UINT64_C(120000000)	/* for all of it */

int
body_announced(const struct request *r)
{
	return (r->h.chunked || r->h.content_length > 0);
}

static int
type_is_json(const struct http_request *h)
{
	const struct http_field	*f;
	struct http_slice	 type;
	const char		*semicolon;

	if (http_field_count(h, "Content-Type") != 1 ||
	    http_field(h, "Content-Encoding") != NULL)
		return (0);
	f = http_field(h, "Content-Type");
	type = f->value;
	if ((semicolon = memchr(type.at, ';', type.n)) != NULL)
		type.n = (size_t)(semicolon - type.at);
	while (type.n > 0 && (type.at[type.n - 1] == ' ' ||
	    type.at[type.n - 1] == '\t'))
		type.n--;
	return (http_slice_is_nocase(&type, "application/json"));
}

static int
refuse(enum err *code, const char **why, enum err e, const char *text)
{
	*code = e;
	*why = text;
	return (-1);
}

/* An empty chunked body may have any type, so that chunks are looked at
 * when they are whole. */
static int
type_check(const struct request *r, enum err *code, const char **why)
{
	if (type_is_json(&r->h))
		return (0);
	return (refuse(code, why, E_UNSUPPORTED_MEDIA_TYPE,
	    "The body is not application/json."));
}

int
body_decide(const struct request *r, enum err *code, const char **why)
{
	if (!body_announced(r))
		return (0);
	if (!(r->route->flags & ROUTE_BODY))
		return (refuse(code, why, E_BAD_REQUEST,
		    "This call takes no body."));
	if (r->h.content_length > BODY_MAX)
		return (refuse(code, why, E_PAYLOAD_TOO_LARGE,
		    "The body is larger than 64 KiB."));
	return (r->h.chunked ? 0 : type_check(r, code, why));
}

void
body_begin(struct request *r)
{
	size_t	room = r->h.chunked ? BODY_MAX + 1 :
		    (size_t)r->h.content_length;

	r->body = xmalloc(room);
	r->body_end_us = util_monotonic_us() + WHOLE_US;
}

uint64_t
body_wait_us(const struct conn *c)
{
	uint64_t	now_us = util_monotonic_us();
	uint64_t	left_us = 0;

	if (c->req->body_end_us > now_us)
		left_us = c->req->body_end_us - now_us;
	return (left_us < STALL_US ? left_us : STALL_US);
}

static int
read_chunks(struct request *r, struct evbuffer *in, enum err *code,
    const char **why)
{
	const char	*p, *start;
	size_t		 n = evbuffer_get_length(in), left = n, got = 0;
	int		 result;

	if ((p = (const char *)evbuffer_pullup(in, -1)) == NULL && n > 0)
		fatalx("no memory for a body");
	start = p;
	result = http_chunked_feed(&r->chunked, &p, &left, r->body + r->body_n,
	    BODY_MAX + 1 - r->body_n, &got);
	if (start != NULL)
		explicit_bzero((void *)(uintptr_t)start, n - left);
	evbuffer_drain(in, n - left);
	r->body_n += got;
	if (result == -1)
		return (refuse(code, why, E_BAD_REQUEST,
		    "The body's chunks are malformed."));
	if (r->body_n > BODY_MAX)
		return (refuse(code, why, E_PAYLOAD_TOO_LARGE,
		    "The body is larger than 64 KiB."));
	if (result == 1 && r->body_n > 0 && type_check(r, code, why) == -1)
		return (-1);
	return (result);
}

/* What was copied is wiped: a restore's body may hold a secret. */
static void
take(struct request *r, struct evbuffer *in)
{
	unsigned char	*p;
	size_t		 n = evbuffer_get_length(in), left;

	left = (size_t)r->h.content_length - r->body_n;
	if (n > left)
		n = left;
	if (n == 0)
		return;
	if ((p = evbuffer_pullup(in, (ev_ssize_t)n)) == NULL)
		fatalx("no memory for a body");
	memcpy(r->body + r->body_n, p, n);
	explicit_bzero(p, n);
	if (evbuffer_drain(in, n) == -1)
		fatalx("evbuffer_drain");
	r->body_n += n;
}

int
body_read(struct conn *c, struct evbuffer *in, enum err *code,
    const char **why)
{
	struct request	*r = c->req;

	if (r->h.chunked) {
		if (evbuffer_get_length(in) == 0)
			return (0);
		return (read_chunks(r, in, code, why));
	}
	take(r, in);
	return (r->body_n == (size_t)r->h.content_length);
}
