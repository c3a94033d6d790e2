/*
 * The front runs this.  It owns the call that proves a backup anew, from
 * where it would be fetched.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "daemon/front/api.h"

static void
drilled_check(const struct m_drilled *d)
{
	if (!msg_text_ok(d->database) || !msg_text_ok(d->place) ||
	    !msg_text_ok(d->result) || !msg_text_ok(d->text) ||
	    d->backup_id <= 0 || d->duration_ms < 0 || d->tables < 0 ||
	    d->rows < 0)
		fatalx("engine sent a drill that is none");
}

static void
on_drilled(struct conn *c, const struct msg *m)
{
	const struct m_drilled	*d = m->data;
	struct answer		 a;
	struct json		*j;
	char			 text[TEXT_BYTES + 128];

	drilled_check(d);
	snprintf(text, sizeof(text), "The backup was had again from %s and "
	    "%s: %s.", d->place, strcmp(d->result, "failed") == 0 ?
	    "failed the proof" : strcmp(d->result, "passed") == 0 ?
	    "passed the proof" : "passed a part of the proof", d->text);
	j = answer_begin(&a, text);
	json_object(j, "data");
	json_int(j, "backup_id", d->backup_id);
	json_text(j, "database", d->database);
	json_text(j, "place", d->place);
	json_text(j, "result", d->result);
	json_time(j, "started_at", d->started_ms);
	json_int(j, "duration_ms", d->duration_ms);
	json_int(j, "tables", d->tables);
	json_int(j, "rows", d->rows);
	json_text(j, "text", d->text);
	json_close(j, '}');
	answer_send(&a, c, 200);
}

static void
on_verify_job(struct conn *c, const struct msg *m)
{
	api_job_begun(c, m->data, "The proof was begun.");
}

void
api_verify(struct conn *c)
{
	struct m_req_verify	req;
	int			async = api_prefers_async(&c->req->h);

	memset(&req, 0, sizeof(req));
	if (api_reference(c, &req.ref, &req.local_id, req.remote_id) == -1)
		return;
	link_asker(c, &req.asker);
	if (async)
		req.flags |= VERIFY_ASYNC;
	link_engine(c, MSG_REQ_VERIFY, &req, sizeof(req), MSG_NONE,
	    async ? MSG_REP_JOB : MSG_REP_DRILLED,
	    async ? on_verify_job : on_drilled);
}
