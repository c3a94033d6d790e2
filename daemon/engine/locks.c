/*
 * The engine runs this: who is in the way of a database.  The looking is a
 * worker's; here rows become messages for front, or words in an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define PATIENCE_MS	15000

struct locking {
	struct engine	*engine;
	uint64_t	 request;	/* of front; 0: for an error */
	struct m_error	 error;		/* the sentence so far */
	int		 named;		/* holders in it */
	holders_cb	*done;
	void		*arg;
};

void
look_fill(const struct engine *e, const struct conf_database *d,
    struct m_look *l)
{
	*l = e->look;
	strlcpy(l->path, d->resolved != NULL ? d->resolved : d->path,
	    sizeof(l->path));
	if (d->unsafe_filesystem)
		l->flags |= LOOK_UNSAFE_FILESYSTEM;
}

static void
row_name(struct locking *l, const struct m_lock_row *r)
{
	size_t	n = strlen(l->error.text);

	if (r->mode == HOLDER_OPEN || l->named >= 4)
		return;
	snprintf(l->error.text + n, sizeof(l->error.text) - n,
	    "%s process %d (%s, user %s) holds %s",
	    l->named++ == 0 ? ":" : ",", r->pid,
	    r->command[0] != '\0' ? r->command : "?",
	    r->user[0] != '\0' ? r->user : "?", r->locks);
}

static void
on_row(void *arg, struct task *t, const struct msg *m)
{
	struct locking		*l = arg;
	struct m_lock_row	 r;

	(void)t;
	memcpy(&r, m->data, sizeof(r));
	if (m->type != MSG_W_LOCK_ROW || !told_lock_row(&r))
		return;
	if (l->request == 0)
		row_name(l, &r);
	else
		chan_send(l->engine->front.chan, MSG_REP_LOCK_ROW, l->request,
		    &r, sizeof(r), -1);
}

static void
on_done(void *arg, const struct task_result *r)
{
	struct locking		*l = arg;
	struct m_locks_end	 end;

	if (l->request == 0)
		l->done(l->arg, &l->error);
	else if (!r->ok || r->type != MSG_W_LOCKED)
		reply_error(l->engine, l->request, r->error.code, 0,
		    r->error.text);
	else {
		memcpy(&end, r->data, sizeof(end));
		if (msg_text_ok(end.text))
			chan_send(l->engine->front.chan, MSG_REP_LOCKS_END,
			    l->request, &end, sizeof(end), -1);
		else
			reply_error(l->engine, l->request, E_WORKER_FAILED, 0,
			    "the worker gave an impossible answer");
	}
	free(l);
}

static int
look(struct locking *l, const struct conf_database *d)
{
	struct m_w_inspect	o;
	struct task_order	t;

	memset(&o, 0, sizeof(o));
	look_fill(l->engine, d, &o.look);
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_LOCKS;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.what = "lock inspection";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.event = on_row;
	t.done = on_done;
	t.arg = l;
	return (task_start(l->engine, &t) == NULL ? -1 : 0);
}

void
locks_request(struct engine *e, uint64_t request,
    const struct conf_database *d)
{
	struct locking	*l;

	l = xcalloc(1, sizeof(*l));
	l->engine = e;
	l->request = request;
	if (look(l, d) == -1) {
		free(l);
		reply_error(e, request, E_BUSY, 0, task_refusal());
	}
}

void
holders_add(struct engine *e, const struct conf_database *d,
    const struct m_error *error, holders_cb *done, void *arg)
{
	struct locking	*l;

	l = xcalloc(1, sizeof(*l));
	l->engine = e;
	l->error = *error;
	l->done = done;
	l->arg = arg;
	if (look(l, d) == -1) {
		done(arg, error);
		free(l);
	}
}
