/*
 * The front runs this.  It owns the call that applies the rules of
 * retention, or says what they would do: rows that are written as they
 * come, since there may be thousands.
 */
#include <event2/buffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/request.h"

struct expiring {
	struct m_req_expire req;
	uint32_t	 rows;
	struct evbuffer	*list;		/* the elements, until the end */
	struct json	 json;
};

static void
expiring_free(void *arg)
{
	struct expiring	*x = arg;

	evbuffer_free(x->list);
	free(x);
}

static void
row_add(struct expiring *x, const struct m_expire_row *r)
{
	struct json	*j = &x->json;

	if (!msg_text_ok(r->database) || !msg_text_ok(r->place) ||
	    !msg_text_ok(r->why) || ++x->rows > EXPIRE_ROWS_MAX)
		fatalx("engine sent an expiry that is none");
	json_object(j, NULL);
	json_int(j, "backup_id", r->backup_id);
	json_text(j, "database", r->database);
	json_text(j, "place", r->place);
	json_time(j, "created_at", r->created_ms);
	json_int(j, "size", r->size);
	json_text(j, "why", r->why);
	json_close(j, '}');
}

static void
message_make(const struct expiring *x, const struct m_expire_end *end,
    char *dst, size_t size)
{
	char	bytes[16];

	util_size_text(bytes, end->bytes);
	if (end->total == 0)
		strlcpy(dst, "No copy is to go.", size);
	else
		snprintf(dst, size, "%llu %s (%s) %s.",
		    (unsigned long long)end->total, end->total == 1 ?
		    "copy" : "copies", bytes, x->req.flags & EXPIRE_DRY ?
		    "would go" : end->total == 1 ? "goes" : "go");
	if (end->frozen[0] != '\0') {
		strlcat(dst, " Expiry is frozen: ", size);
		strlcat(dst, end->frozen, size);
	}
}

static void
on_expire(struct conn *c, const struct msg *m)
{
	const struct m_expire_end	*end = m->data;
	struct expiring			*x = c->req->api;
	struct answer			 a;
	struct json			*j;
	char				 text[2 * TEXT_BYTES];

	if (m->type == MSG_REP_EXPIRE_ROW) {
		row_add(x, m->data);
		return;
	}
	if (!msg_text_ok(end->frozen) || end->rows != x->rows)
		fatalx("engine sent an end of expiry that is none");
	message_make(x, end, text, sizeof(text));
	json_close(&x->json, ']');
	j = answer_begin(&a, text);
	json_uint(j, "total", end->total);
	json_uint(j, "bytes", end->bytes);
	json_bool(j, "dry_run", x->req.flags & EXPIRE_DRY);
	json_text_or_null(j, "frozen", end->frozen);
	json_buffer(j, "data", x->list);
	answer_send(&a, c, 200);
}

/* The body may name the database, and so may the query. */
static int
expire_take(struct conn *c, struct m_req_expire *req)
{
	struct refusal	refusal;
	char		dry[8];

	if (request_expire(c->req->body, c->req->body_n, req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return (-1);
	}
	if (api_query(c, "dry_run", dry, sizeof(dry)) == -1 ||
	    api_database(c, req->database) == -1)
		return (-1);
	if (strcmp(dry, "1") == 0 || strcmp(dry, "true") == 0)
		req->flags |= EXPIRE_DRY;
	else if (dry[0] != '\0' && strcmp(dry, "0") != 0 &&
	    strcmp(dry, "false") != 0) {
		reply_error(c, E_INVALID_PARAMETER,
		    "\"dry_run\" must be 1 or 0.");
		return (-1);
	}
	return (0);
}

void
api_expire(struct conn *c)
{
	struct expiring	*x;

	x = xcalloc(1, sizeof(*x));
	if ((x->list = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	c->req->api = x;
	c->req->api_free = expiring_free;
	if (expire_take(c, &x->req) == -1)
		return;
	json_init(&x->json, x->list, front.compat_node);
	json_array(&x->json, NULL);
	link_asker(c, &x->req.asker);
	link_engine(c, MSG_REQ_EXPIRE, &x->req, sizeof(x->req),
	    MSG_REP_EXPIRE_ROW, MSG_REP_EXPIRE_END, on_expire);
}
