/*
 * The front runs this.  It owns the form of an answer: status line, header
 * fields, and how the end of the body is told.  It writes into the
 * connection's output buffer only; conn.c sends it and sees to time-outs.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdarg.h>
#include <stdio.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"
#include "daemon/front/json_out.h"

/* How the body's end is told, beside a size in bytes. */
#define BODY_NONE	(-1)		/* no body by definition: 204, 304 */
#define BODY_STREAM	(-2)

void
reply_field(struct conn *c, const char *name, const char *fmt, ...)
{
	va_list	ap;

	if (c->fields == NULL && (c->fields = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	va_start(ap, fmt);
	if (evbuffer_add_printf(c->fields, "%s: ", name) == -1 ||
	    evbuffer_add_vprintf(c->fields, fmt, ap) == -1 ||
	    evbuffer_add_printf(c->fields, "\r\n") == -1)
		fatalx("no memory for an answer");
	va_end(ap);
}

static void
reply_head(struct conn *c, int status, const char *type, int64_t length)
{
	struct evbuffer	*out = bufferevent_get_output(c->bev);
	char		 date[32];

	if (c->eof)
		c->close_after = 1;
	/* HTTP/1.0 knows no chunks: the end of the connection is the end. */
	c->chunked = length == BODY_STREAM && c->req != NULL &&
	    c->req->h.minor >= 1;
	if (length == BODY_STREAM && !c->chunked)
		c->close_after = 1;
	c->status = status;
	http_date(date, util_now_ms());
	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n"
	    "Server: cloudbackupd\r\nX-Content-Type-Options: nosniff\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Security-Policy: default-src 'none'\r\n"
	    "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n%s",
	    status, http_reason(status), date, c->tls ?
	    "Strict-Transport-Security: max-age=31536000\r\n" : "");
	if (c->fields != NULL) {
		evbuffer_add_buffer(out, c->fields);
		evbuffer_free(c->fields);
		c->fields = NULL;
	}
	if (type != NULL)
		evbuffer_add_printf(out, "Content-Type: %s\r\n", type);
	if (length >= 0)
		evbuffer_add_printf(out, "Content-Length: %lld\r\n",
		    (long long)length);
	if (c->chunked)
		evbuffer_add_printf(out, "Transfer-Encoding: chunked\r\n");
	if (evbuffer_add_printf(out, "Connection: %s\r\n\r\n",
	    c->close_after ? "close" : "keep-alive") == -1)
		fatalx("no memory for an answer");
	conn_writing(c);
}

void
reply_whole(struct conn *c, int status, struct evbuffer *body)
{
	if (body == NULL)
		reply_head(c, status, NULL, BODY_NONE);
	else {
		reply_head(c, status, REPLY_JSON,
		    (int64_t)evbuffer_get_length(body));
		if (conn_head_only(c))
			evbuffer_drain(body, evbuffer_get_length(body));
		else
			evbuffer_add_buffer(bufferevent_get_output(c->bev),
			    body);
	}
	conn_complete(c);
}

/* What a client that asks for too much is told about it (RFC 6750, 3). */
static void
reply_challenge(struct conn *c, enum err code)
{
	if (code == E_UNAUTHORIZED)
		reply_field(c, "WWW-Authenticate", "Bearer "
		    "realm=\"cloudbackupd\", error=\"invalid_token\"");
	else if (code == E_FORBIDDEN && c->req != NULL &&
	    http_field(&c->req->h, "Authorization") != NULL)
		reply_field(c, "WWW-Authenticate", "Bearer "
		    "realm=\"cloudbackupd\", error=\"insufficient_scope\"");
}

static void
reply_failure(struct conn *c, enum err code, const char *text,
    int64_t backup_id)
{
	struct evbuffer	*body;
	struct json	 j;

	reply_challenge(c, code);
	if ((body = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	json_init(&j, body, front.compat_node);
	json_error(&j, code, text, backup_id);
	reply_whole(c, err_desc(code)->status, body);
	evbuffer_free(body);
}

void
reply_error(struct conn *c, enum err code, const char *fmt, ...)
{
	char	text[TEXT_BYTES];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_failure(c, code, text, 0);
}

void
reply_engine_error(struct conn *c, const struct m_error *e)
{
	if (c->state == CONN_WRITE) {
		/* Too late for a status: an answer without its end tells. */
		log_warnx("connection %llu: answer broken off: %s",
		    (unsigned long long)c->id, e->text);
		conn_close(c);
		return;
	}
	if (e->retry_after_s != 0)
		reply_field(c, "Retry-After", "%u", e->retry_after_s);
	reply_failure(c, (enum err)e->code, e->text, e->backup_id);
}

int
reply_sized(struct conn *c, int status, const char *type, uint64_t size)
{
	reply_head(c, status, type, (int64_t)size);
	if (size > 0 && !conn_head_only(c))
		return (1);
	conn_complete(c);
	return (0);
}

int
reply_stream(struct conn *c, int status, const char *type)
{
	reply_head(c, status, type, BODY_STREAM);
	if (!conn_head_only(c))
		return (1);
	conn_complete(c);
	return (0);
}

void
reply_part(struct conn *c, struct evbuffer *part)
{
	struct evbuffer	*out = bufferevent_get_output(c->bev);
	size_t		 n = evbuffer_get_length(part);

	if (n == 0)			/* would be the last chunk */
		return;
	if (c->chunked)
		evbuffer_add_printf(out, "%zx\r\n", n);
	if (evbuffer_add_buffer(out, part) == -1)
		fatalx("no memory for an answer");
	if (c->chunked)
		evbuffer_add(out, "\r\n", 2);
}

void
reply_end(struct conn *c)
{
	if (c->chunked)
		evbuffer_add(bufferevent_get_output(c->bev), "0\r\n\r\n", 5);
	conn_complete(c);
}
