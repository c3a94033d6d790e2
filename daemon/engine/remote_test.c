/*
 * The engine runs this: a remote that is tried step by step, because
 * somebody asked.  Network does it; what it says is handed on.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/remote_s3.h"

struct testing {
	TAILQ_ENTRY(testing) entry;
	uint64_t	 transfer, request;
	const struct conf_remote *remote;
};
static TAILQ_HEAD(, testing) testings = TAILQ_HEAD_INITIALIZER(testings);

void
remote_test_request(struct engine *e, uint64_t request,
    const struct conf_remote *c)
{
	struct conf_database	*d = conf_database(e->conf, "");
	struct testing		*t;
	struct m_net_test	 m;

	t = xcalloc(1, sizeof(*t));
	t->transfer = ++e->next_transfer;
	t->request = request;
	t->remote = c;
	TAILQ_INSERT_TAIL(&testings, t, entry);
	memset(&m, 0, sizeof(m));
	m.remote = c->index;
	if (d != NULL)
		strlcpy(m.user_id, d->user.id, sizeof(m.user_id));
	chan_send(e->network.chan, MSG_NET_TEST, t->transfer, &m, sizeof(m),
	    -1);
}

static void
on_test(struct engine *e, const struct msg *msg)
{
	struct testing		*t;
	struct m_net_test_row	 row;
	struct m_net_done	 end;

	TAILQ_FOREACH(t, &testings, entry)
		if (t->transfer == msg->id)
			break;
	if (t == NULL)
		fatalx("network: %s that nobody asked for",
		    msg_desc(msg->type)->name);
	if (msg->type == MSG_NET_TEST_ROW) {
		memcpy(&row, msg->data, sizeof(row));
		if (!msg_text_ok(row.step) || !msg_text_ok(row.text))
			fatalx("network: impossible NET_TEST_ROW");
		chan_send(e->front.chan, MSG_REP_TEST_ROW, t->request, &row,
		    sizeof(row), -1);
		return;
	}
	memcpy(&end, msg->data, sizeof(end));
	if (end.outcome > NET_CANCELLED || !msg_text_ok(end.reason))
		fatalx("network: impossible NET_TEST_END");
	chan_send(e->front.chan, MSG_REP_TEST_END, t->request, &end,
	    sizeof(end), -1);
	TAILQ_REMOVE(&testings, t, entry);
	free(t);
}

int
remote_test_message(struct engine *e, const struct msg *msg)
{
	switch (msg->type) {
	case MSG_NET_TEST_ROW:
	case MSG_NET_TEST_END:
		on_test(e, msg);
		return (1);
	default:
		return (0);
	}
}
