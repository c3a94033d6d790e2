/*
 * The engine runs this: facts about a live database, which a worker looks
 * at.  It owns the question until the worker has answered.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define FILE_INFO_PATIENCE_MS	15000

struct inspection {
	struct engine	*engine;
	struct conf_database *database;
	uint32_t	 path_turn;	/* of it, when asked */
	uint64_t	 request;
};

static void
on_inspected(void *arg, const struct task_result *r)
{
	struct inspection	*i = arg;
	struct m_file_info	 m;

	if (!r->ok || r->type != MSG_W_INSPECTED) {
		reply_error(i->engine, i->request, r->error.code, 0,
		    r->error.text);
		free(i);
		return;
	}
	memcpy(&m, r->data, sizeof(m));
	if (told_inspected(&m)) {
		owner_inspected(i->database, i->path_turn, &m);
		chan_send(i->engine->front.chan, MSG_REP_FILE_INFO,
		    i->request, &m, sizeof(m), -1);
	} else
		reply_error(i->engine, i->request, E_WORKER_FAILED, 0,
		    "the worker gave an impossible answer");
	free(i);
}

void
file_info_request(struct engine *e, uint64_t request, struct conf_database *d)
{
	struct m_w_inspect	 o;
	struct inspection	*i;
	struct task_order	 t;

	i = xcalloc(1, sizeof(*i));
	i->engine = e;
	i->database = d;
	i->path_turn = d->path_turn;
	i->request = request;
	memset(&o, 0, sizeof(o));
	look_fill(e, d, &o.look);
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_INSPECT;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.what = "inspect";
	t.look_patience_ms = t.patience_ms = FILE_INFO_PATIENCE_MS;
	t.done = on_inspected;
	t.arg = i;
	if (task_start(e, &t) == NULL) {
		free(i);
		reply_error(e, request, E_BUSY, 0, task_refusal());
	}
}
