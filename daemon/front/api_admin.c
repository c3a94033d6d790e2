/*
 * The front runs this.  It owns the calls by which the administrator tells
 * the running daemon something: to read its configuration anew, to log
 * more or less.  The engine decides and does it.
 */
#include <string.h>

#include "common/log.h"
#include "daemon/front/api.h"
#include "daemon/front/request.h"

static void
on_told(struct conn *c, const struct msg *m)
{
	const struct m_told	*t = m->data;
	struct answer		 a;

	if (!msg_text_ok(t->text))
		fatalx("engine sent a sentence without end");
	(void)answer_begin(&a, t->text);
	answer_send(&a, c, 200);
}

static void
admin_ask(struct conn *c, enum msg_type type, struct m_req_admin *req)
{
	link_asker(c, &req->asker);
	link_engine(c, type, req, sizeof(*req), MSG_NONE, MSG_REP_TOLD,
	    on_told);
}

void
api_reload(struct conn *c)
{
	struct m_req_admin	req;
	struct refusal		refusal;

	memset(&req, 0, sizeof(req));
	if (request_empty(c->req->body, c->req->body_n, &refusal) == -1)
		reply_error(c, refusal.code, "%s", refusal.text);
	else
		admin_ask(c, MSG_REQ_RELOAD, &req);
}

void
api_log(struct conn *c)
{
	struct m_req_admin	req;
	struct refusal		refusal;

	memset(&req, 0, sizeof(req));
	if (request_log(c->req->body, c->req->body_n, &req, &refusal) == -1)
		reply_error(c, refusal.code, "%s", refusal.text);
	else
		admin_ask(c, MSG_REQ_LOG, &req);
}
