/*
 * The front runs this.  It owns the calls that put a backup back.  Whether
 * it may be done, and how, is the engine's to say.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "daemon/front/api.h"
#include "daemon/front/request.h"

static void
restored_check(const struct m_restored *r)
{
	if (!msg_text_ok(r->method) || !msg_text_ok(r->checksum) ||
	    !msg_text_ok(r->remote_id) || !msg_text_ok(r->database) ||
	    !msg_text_ok(r->served_by) ||
	    r->backup_id < 0 || r->safety_backup_id < 0)
		fatalx("engine sent a restore that is none");
}

static void
on_restored(struct conn *c, const struct msg *m)
{
	const struct m_restored	*r = m->data;
	struct answer		 a;
	struct json		*j;
	char			 text[TEXT_BYTES], kept[128];

	restored_check(r);
	strlcpy(kept, "There was nothing before that could be kept.",
	    sizeof(kept));
	if (r->safety_backup_id != 0)
		snprintf(kept, sizeof(kept), "What was there before is kept "
		    "as backup %lld.", (long long)r->safety_backup_id);
	snprintf(text, sizeof(text), "%s%s. %s", r->undone_ms != 0 ?
	    "What the last restore replaced was put back" :
	    "The backup was restored", strcmp(r->method, "live") == 0 ?
	    " under the applications that have the database open" :
	    " as a new database file", kept);
	j = answer_begin(&a, text);
	json_restored(j, "data", r);
	answer_send(&a, c, 200);
}

static void
on_restore_job(struct conn *c, const struct msg *m)
{
	api_job_begun(c, m->data, "The restore was begun.");
}

/* The body's database counts; the query may say it too, as it does in a
 * download, and must not be passed over where so much depends on it. */
int
api_database(struct conn *c, char *name)
{
	char	database[DATABASE_BYTES];

	if (api_query(c, "database", database, sizeof(database)) == -1)
		return (-1);
	if (name[0] == '\0')
		strlcpy(name, database, DATABASE_BYTES);
	else if (database[0] != '\0' && strcmp(name, database) != 0) {
		reply_error(c, E_INVALID_PARAMETER, "The body and the query "
		    "name different databases.");
		return (-1);
	}
	return (0);
}

/* What the request says; 0, or -1 after the answer. */
static int
restore_read(struct conn *c, struct m_req_restore *req)
{
	struct refusal	refusal;

	if (api_reference(c, &req->ref, &req->local_id, req->remote_id) == -1)
		return (-1);
	if (request_restore(c->req->body, c->req->body_n, req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return (-1);
	}
	return (api_database(c, req->database));
}

void
api_restore(struct conn *c)
{
	struct m_req_restore	req;
	int			async = api_prefers_async(&c->req->h);

	memset(&req, 0, sizeof(req));
	if (restore_read(c, &req) == 0) {
		link_asker(c, &req.asker);
		if (async)
			req.flags |= RESTORE_ASYNC;
		link_engine(c, MSG_REQ_RESTORE, &req, sizeof(req), MSG_NONE,
		    async ? MSG_REP_JOB : MSG_REP_RESTORED,
		    async ? on_restore_job : on_restored);
	}
	explicit_bzero(&req, sizeof(req));	/* an identity */
}

void
api_undo(struct conn *c)
{
	struct m_req_undo	req;
	struct refusal		refusal;
	int			async = api_prefers_async(&c->req->h);

	memset(&req, 0, sizeof(req));
	if (request_undo(c->req->body, c->req->body_n, &req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return;
	}
	if (api_database(c, req.database) == -1)
		return;
	link_asker(c, &req.asker);
	if (async)
		req.flags |= RESTORE_ASYNC;
	link_engine(c, MSG_REQ_UNDO, &req, sizeof(req), MSG_NONE,
	    async ? MSG_REP_JOB : MSG_REP_RESTORED,
	    async ? on_restore_job : on_restored);
}
