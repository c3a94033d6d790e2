/*
 * The front runs this.  It owns the steps of a remote's test while they
 * come in, and the call that is answered from them.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"

#define STEPS_MAX	32

struct steps {
	struct m_net_test_row	 rows[STEPS_MAX];
	size_t			 n;
	char			 remote[REMOTE_NAME_BYTES];
};

static void
steps_add(struct steps *s, const struct m_net_test_row *row)
{
	if (!msg_text_ok(row->step) || !msg_text_ok(row->text) ||
	    s->n == STEPS_MAX)
		fatalx("engine sent a step of a test that is none");
	s->rows[s->n++] = *row;
}

static void
json_step(struct json *j, const struct m_net_test_row *row)
{
	json_object(j, NULL);
	json_text(j, "step", row->step);
	json_bool(j, "ok", row->ok != 0);
	if (row->http_status != 0)
		json_uint(j, "http_status", row->http_status);
	else
		json_null(j, "http_status");
	json_text(j, "text", row->text);
	json_close(j, '}');
}

static void
on_test(struct conn *c, const struct msg *m)
{
	const struct m_net_done	*end = m->data;
	struct steps		*s = c->req->api;
	struct answer		 a;
	struct json		*j;
	size_t			 i;
	int			 good;

	if (m->type == MSG_REP_TEST_ROW) {
		steps_add(s, m->data);
		return;
	}
	if (!msg_text_ok(end->reason))
		fatalx("engine sent an end of a test that is none");
	/* Not all steps are needed: network knows which. */
	good = end->outcome == NET_OK;
	j = answer_begin(&a, good ? "The remote can do all that is needed." :
	    end->reason[0] != '\0' ? end->reason :
	    "The remote cannot do all that is needed; see the steps.");
	json_object(j, "data");
	json_text(j, "remote", s->remote);
	json_bool(j, "ok", good);
	json_array(j, "steps");
	for (i = 0; i < s->n; i++)
		json_step(j, &s->rows[i]);
	json_close(j, ']');
	json_close(j, '}');
	answer_send(&a, c, 200);
}

void
api_remote_test(struct conn *c)
{
	struct m_req_remote	 req;
	struct steps		*s;

	memset(&req, 0, sizeof(req));
	if (strlcpy(req.name, c->req->arg, sizeof(req.name)) >=
	    sizeof(req.name) || req.name[0] == '\0') {
		reply_error(c, E_REMOTE_UNKNOWN,
		    "No remote of that name is configured.");
		return;
	}
	s = xcalloc(1, sizeof(*s));
	c->req->api = s;
	c->req->api_free = free;
	strlcpy(s->remote, req.name, sizeof(s->remote));
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_REMOTE_TEST, &req, sizeof(req),
	    MSG_REP_TEST_ROW, MSG_REP_TEST_END, on_test);
}
