/*
 * The engine runs this: the order to check an artifact, the same for a
 * backup that was just taken, one that was fetched, one that was found and
 * one that was kept.  The worker that gets it has no file system, no
 * network, and a uid that nobody has (H16).
 */
#include <string.h>

#include "common/log.h"
#include "daemon/engine/engine.h"

#define PATIENCE_MS	600000	/* one b-tree of a large file */

int
verify_counted(struct engine *e, struct m_w_verify *o, int fd,
    const struct verify_told *told, void *arg)
{
	struct task_order	t;

	if (fd == -1)
		return (-1);
	o->uid = e->verify_uid;
	o->gid = e->verify_gid;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_VERIFY;
	t.data = o;
	t.size = sizeof(*o);
	t.fd = fd;
	t.what = "verify";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.progress = told->progress;
	t.event = told->event;
	t.done = told->done;
	t.arg = arg;
	return (task_start(e, &t) == NULL ? -1 : 0);
}

int
verify_start(struct engine *e, struct m_w_verify *o, int fd,
    void (*progress)(void *, const struct m_w_progress *),
    void (*done)(void *, const struct task_result *), void *arg)
{
	struct verify_told	told = { progress, NULL, done };

	return (verify_counted(e, o, fd, &told, arg));
}

void
verify_table(struct tables *tables, struct task *t, const struct msg *msg)
{
	struct m_w_table	m;

	memcpy(&m, msg->data, sizeof(m));
	if (tables_add(tables, &m) == -1) {
		log_warnx("the check told of a table that cannot be");
		tasks_stop_one(t);
	}
}

int
verify_result(const struct task_result *r, int image,
    struct m_w_verified *v, struct m_error *error)
{
	if (!r->ok || r->type != MSG_W_VERIFIED) {
		*error = r->error;
		return (-1);
	}
	memcpy(v, r->data, sizeof(*v));
	if (told_verified(v, image))
		return (0);
	memset(error, 0, sizeof(*error));
	error->code = E_WORKER_FAILED;
	strlcpy(error->text, "the check gave an impossible answer",
	    sizeof(error->text));
	return (-1);
}
