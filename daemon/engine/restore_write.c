/*
 * The engine runs this: the worker of a restore that keeps what is there
 * and writes the image over it.  It owns the files that this worker fills
 * until they have a name.  The worker begins while another one still checks
 * the image; it must not hear that it may write before that is sound, nor
 * go on before what it keeps is published (H11).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/restore.h"

static const enum w_file_kind	kinds[] = { W_FILE_SAFETY, W_FILE_RAW_WAL,
				    W_FILE_RAW_JOURNAL };

int
restore_artifact(struct job *j, enum w_file_kind kind, struct m_error *error)
{
	struct restoring	*r = j->data;

	memset(error, 0, sizeof(*error));
	return (store_create(j->engine->store, j->database->name,
	    (int64_t)j->id, &r->kept[kind], &error->code, error->text));
}

static void
discard(struct job *j)
{
	struct restoring	*r = j->data;
	size_t			 i;

	for (i = 0; i < nitems(kinds); i++)
		store_discard(j->engine->store, &r->kept[kinds[i]]);
}

/* What is told is what the check does, until that has ended. */
static void
on_progress(void *arg, const struct m_w_progress *p)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;

	if (r->sound)
		job_progress(j, p);
	else
		job_spent(j, &p->spent);
}

static void
lie(struct m_error *error)
{
	memset(error, 0, sizeof(*error));
	error->code = E_WORKER_FAILED;
	strlcpy(error->text, "the restore gave an impossible answer",
	    sizeof(error->text));
}

static void
on_restored(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;
	struct m_error		 error = t->error;

	r->writer = NULL;
	if (t->ok) {
		memcpy(&r->done, t->data, sizeof(r->done));
		if (r->done.method > RESTORE_REPLACE || !r->safety_told)
			lie(&error);
	}
	if (!r->sound) {
		discard(j);
		r->early = error;
		restore_go_on(j);
	} else if (error.code != E_NONE && r->safety_id == 0)
		restore_fail_task(j, &error);
	else if (error.code != E_NONE)
		/* It stays: a backup like any other. */
		restore_safety_end(j, &error);
	else {
		r->restored_ms = util_now_ms();
		if (r->safety_id != 0)
			restore_safety_end(j, NULL);
		else
			restore_finish(j);
	}
}

static void
on_event(void *arg, struct task *t, const struct msg *m)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;

	if (m->type != MSG_W_SAFETY || r->safety_told)
		return;
	if (!r->sound)
		log_warnx("the restore worker did not wait for the check");
	else {
		r->safety_told = 1;
		memcpy(&r->safety, m->data, sizeof(r->safety));
		if (!told_kept(&r->safety))
			log_warnx("the restore worker told the impossible of "
			    "what it kept");
		else if (restore_safety_publish(j) == 0) {
			task_tell(t, MSG_W_GO);
			restore_safety_ahead(j);
			return;
		}
	}
	/* Without our word it gives up, and says so. */
	tasks_stop_one(t);
}

static void
order_fill(struct job *j, struct m_w_restore *o)
{
	struct restoring	*r = j->data;
	struct catalog_origin	 origin;

	memset(o, 0, sizeof(*o));
	look_fill(j->engine, j->database, &o->look);
	o->flags = r->force ? W_RESTORE_FORCE : 0;
	o->lock_timeout_ms = j->database->lock_timeout_ms;
	o->reserve = j->engine->conf->reserve;
	o->uid = (uint32_t)geteuid();
	o->gid = (uint32_t)getegid();
	o->mode = 0600;
	if (r->backup.id != 0 && catalog_origin(j->engine->catalog,
	    r->backup.id, &origin) && origin.mode != 0) {
		o->uid = origin.uid;
		o->gid = origin.gid;
		o->mode = origin.mode;
		o->flags |= origin.wal ? W_RESTORE_WAL : 0;
	}
}

/* 0, or -1 and *error, with nothing left. */
static int
begin(struct job *j, struct m_error *error)
{
	struct restoring	*r = j->data;
	struct m_w_restore	 o;
	struct task_order	 t;
	int			 files[W_FILE_KINDS] = { -1, -1, -1, -1, -1 };
	size_t			 i;

	if (restore_path_check(j, error) == -1)
		return (-1);
	for (i = 0; i < nitems(kinds); i++) {
		if (restore_artifact(j, kinds[i], error) == -1) {
			discard(j);
			return (-1);
		}
		files[kinds[i]] = r->kept[kinds[i]].fd;
	}
	files[W_FILE_SOURCE] = r->image;
	order_fill(j, &o);
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_RESTORE;
	t.data = &o;
	t.size = sizeof(o);
	t.files = files;
	t.what = "restore";
	t.progress = on_progress;
	t.event = on_event;
	t.done = on_restored;
	r->writer = restore_task(j, &t);
	/* Only the worker has the writable ones from here on. */
	for (i = 0; i < nitems(kinds); i++) {
		close(r->kept[kinds[i]].fd);
		r->kept[kinds[i]].fd = -1;
	}
	if (r->writer != NULL)
		return (0);
	discard(j);
	error->code = E_BUSY;
	strlcpy(error->text, task_refusal(), sizeof(error->text));
	return (-1);
}

void
restore_write_ahead(struct job *j)
{
	struct m_error	error;

	if (begin(j, &error) == -1)
		log_debug("what %s holds is copied later: %s",
		    j->database->name, error.text);
}

void
restore_write_go(struct job *j)
{
	struct restoring	*r = j->data;

	task_tell(r->writer, MSG_W_SOUND);
}

void
restore_write(struct job *j)
{
	struct m_error	error;

	if (begin(j, &error) == -1)
		restore_fail(j, &error);
	else
		restore_write_go(j);
}
