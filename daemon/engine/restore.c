/*
 * The engine runs this: putting a backup back, from the request to the
 * answer (design.md section 4).  It owns the descriptors of the image and
 * the artifacts of what is kept.  The order: image, a look at the live
 * database, proof of the image, its page size; beside the proof, unless the
 * page size must change, one worker copies what is there.  It gets our word
 * when the image is sound, and again when what it keeps has its name, and
 * then writes; beside that, the proof of what was kept.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lease.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"
#include "daemon/engine/restore.h"

#define LOOK_PATIENCE_MS	30000
#define PATIENCE_MS		600000

static void	image_fetch(struct job *);
static void	look(struct job *);
static void	convert(struct job *);
static void	image(struct job *, uint32_t form);

/* ---- endings ---- */

void
restore_clean(struct job *j)
{
	struct restoring	*r = j->data;
	size_t			 i;

	explicit_bzero(r->identity, sizeof(r->identity));
	if (r->image != -1)
		close(r->image);
	r->image = -1;
	for (i = 0; i < W_FILE_KINDS; i++)
		store_discard(j->engine->store, &r->kept[i]);
}

static void
release(struct job *j)
{
	restore_clean(j);
	freezero(j->data, sizeof(struct restoring));
}

void
restore_fail(struct job *j, const struct m_error *error)
{
	struct engine		*e = j->engine;
	struct event_about	 about = { j->database->name, "",
				    j->backup_id };

	if (j->request != 0)
		reply_error(e, j->request, error->code, j->backup_id,
		    error->text);
	j->request = 0;
	restore_clean(j);
	events_add(e, EVENT_FAILED, &about, "the restore of backup %lld into "
	    "%s failed: %s", (long long)j->backup_id, j->database->name,
	    error->text);
	job_failed(j, error);
}

static void
fail_text(struct job *j, enum err code, const char *text)
{
	struct m_error	error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	strlcpy(error.text, text, sizeof(error.text));
	restore_fail(j, &error);
}

static void
on_holders(void *arg, const struct m_error *error)
{
	restore_fail(arg, error);
}

void
restore_fail_task(struct job *j, const struct m_error *error)
{
	if (error->code == E_DATABASE_LOCKED)
		holders_add(j->engine, j->database, error, on_holders, j);
	else
		restore_fail(j, error);
}

int
restore_path_check(struct job *j, struct m_error *error)
{
	struct restoring	*r = j->data;

	if (r->path_turn == j->database->path_turn)
		return (0);
	memset(error, 0, sizeof(*error));
	error->code = E_BUSY;
	snprintf(error->text, sizeof(error->text), "%s was given another path "
	    "since the restore was asked for; nothing was changed",
	    j->database->name);
	return (-1);
}

static void
on_task_progress(void *arg, const struct m_w_progress *p)
{
	job_progress(arg, p);
}

struct task *
restore_task(struct job *j, struct task_order *t)
{
	t->fd = -1;
	t->look_patience_ms = LOOK_PATIENCE_MS + j->database->lock_timeout_ms;
	t->patience_ms = PATIENCE_MS;
	if (t->progress == NULL)
		t->progress = on_task_progress;
	t->arg = j;
	return (task_start(j->engine, t));
}

/* ---- the image ---- */

static int	elsewhere(struct job *, const char *why);

static void
on_image(void *arg, const struct image_result *i)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;

	if (i->error.code != E_NONE) {
		if (elsewhere(j, i->error.text))
			image_fetch(j);
		else
			restore_fail(j, &i->error);
		return;
	}
	r->image = i->fd;
	look(j);
}

/* What was found is in this form; the identity has then served. */
static void
image(struct job *j, uint32_t form)
{
	struct restoring	*r = j->data;
	struct image_order	 o;

	memset(&o, 0, sizeof(o));
	o.fd = r->image;
	r->image = -1;
	o.form = form;
	o.size = r->backup.checksum[0] != '\0' ? r->backup.file_size : -1;
	o.id = (int64_t)j->id;
	o.identity = r->identity;
	o.progress = on_task_progress;
	o.done = on_image;
	o.arg = j;
	image_open(j->engine, &o);
}

static void
on_read(void *arg, const struct reading_result *result)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;
	struct forms_copy	 c;

	if (result->code != E_NONE) {
		fail_text(j, result->code, result->text);
		return;
	}
	r->image = result->fd;
	strlcpy(r->served_by, result->remote->name, sizeof(r->served_by));
	forms_at_remote(&r->backup, &c);
	image(j, c.form);
}

static void
image_fetch(struct job *j)
{
	struct restoring	*r = j->data;
	struct reading_order	 o;
	struct forms_copy	 c;

	forms_at_remote(&r->backup, &c);
	if ((c.form & FORM_AGE) && r->identity[0] == '\0') {
		/* Nothing is fetched that could not be opened. */
		fail_text(j, E_IDENTITY_NEEDED, "the backup is encrypted, "
		    "and no identity was given");
		return;
	}
	job_phase(j, "fetch", 0, 0);
	memset(&o, 0, sizeof(o));
	o.backup = &r->backup;
	o.places = r->places;
	o.n = r->n;
	o.id = (int64_t)j->id;
	o.progress = on_task_progress;
	o.done = on_read;
	o.arg = j;
	r->asked = 1;
	(void)reading_start(j->engine, &o);
}

/* What is here is no good: 1 when remotes are to be asked instead. */
static int
elsewhere(struct job *j, const char *why)
{
	struct restoring	*r = j->data;

	if (r->asked || r->n == 0)
		return (0);
	log_warnx("backup %lld as it is stored here: %s; its remotes are "
	    "asked", (long long)r->backup.id, why);
	return (1);
}

/* H14: nobody can write to it while it is hashed and restored.  -1: it is
 * not there, or no good; 1: the job has failed. */
static int
image_local(struct job *j)
{
	struct restoring	*r = j->data;
	char			 err[TEXT_BYTES];

	if (r->backup.file_path[0] == '\0')
		return (-1);
	r->image = store_open_file(j->engine->store, r->backup.file_path,
	    r->backup.stored_size, err);
	if (r->image == -1 && store_starved()) {
		fail_text(j, E_BUSY, err);
		return (1);
	}
	if (r->image == -1)
		return (-1);
	if (lease_read_held(r->image) == 1)
		return (0);
	close(r->image);
	r->image = -1;
	return (-1);
}

static void
run(struct job *j)
{
	struct restoring	*r = j->data;
	struct forms_copy	 c;
	int			 here;

	here = r->backup.id != 0 ? image_local(j) : -1;
	if (here == 1)
		return;
	if (here == 0) {
		strlcpy(r->served_by, PLACE_LOCAL, sizeof(r->served_by));
		forms_at_local(&r->backup, &c);
		image(j, c.form);
	} else if (r->n > 0)
		image_fetch(j);
	else
		fail_text(j, E_INVALID_BACKUP, "the backup's file is not "
		    "there, and no remote has it");
}

/* ---- the live database, as it is ---- */

/* Is the image what was stored, and sound?  Otherwise r->unsound. */
static void
judge(struct job *j, const struct task_result *t)
{
	struct restoring	*r = j->data;
	struct m_w_verified	 v;
	struct m_error		*e = &r->unsound;

	memset(e, 0, sizeof(*e));
	if (verify_result(t, r->image, &v, e) == -1)
		return;
	e->code = E_INVALID_BACKUP;
	if (r->backup.checksum[0] != '\0' &&
	    strcmp(v.checksum, r->backup.checksum) != 0) {
		r->elsewhere = elsewhere(j, "its checksum differs");
		strlcpy(e->text, "the backup is not what was stored: its "
		    "checksum differs; nothing was changed", sizeof(e->text));
		return;
	}
	if (v.verdict == VERDICT_DAMAGED && !r->force) {
		snprintf(e->text, sizeof(e->text), "the backup is damaged: "
		    "%.300s; nothing was changed", v.text);
		return;
	}
	e->code = E_NONE;
	r->sound = 1;
	strlcpy(r->checksum, v.checksum, sizeof(r->checksum));
	r->size = v.size;
}

static void
on_verified(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;

	r->checking = 0;
	judge(j, t);
	restore_go_on(j);
}

void
restore_go_on(struct job *j)
{
	struct restoring	*r = j->data;

	if (r->checking)
		return;		/* what it finds comes first */
	if (r->sound) {
		if (r->early.code != E_NONE)
			restore_fail_task(j, &r->early);
		else if (r->writer != NULL)
			restore_write_go(j);
		else
			convert(j);
	} else if (r->writer != NULL)
		tasks_stop_one(r->writer);	/* then we are here again */
	else if (r->elsewhere) {
		memset(&r->early, 0, sizeof(r->early));
		r->elsewhere = 0;
		close(r->image);
		r->image = -1;
		image_fetch(j);
	} else
		restore_fail(j, &r->unsound);
}

/* Does the image have another page size than the live WAL database? */
static int
must_convert(const struct restoring *r)
{
	uint8_t	h[SQLITE_HEADER_BYTES];

	return ((r->live.flags & FILE_DATABASE) &&
	    strcmp(r->live.journal_mode, "wal") == 0 &&
	    pread(r->image, h, sizeof(h), 0) == sizeof(h) &&
	    sqlite_page_size(h) != r->live.page_size);
}

static void
on_looked(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;
	struct m_w_verify	 o;

	if (!t->ok || t->type != MSG_W_INSPECTED) {
		restore_fail_task(j, &t->error);
		return;
	}
	memcpy(&r->live, t->data, sizeof(r->live));
	if (!told_inspected(&r->live)) {
		fail_text(j, E_WORKER_FAILED, "impossible answer");
		return;
	}
	owner_inspected(j->database, r->path_turn, &r->live);
	memset(&o, 0, sizeof(o));
	/* D5: what only a remote vouches for is looked at in full. */
	o.level = r->backup.checksum[0] == '\0' ? VERIFY_FULL :
	    j->database->verify == VERIFY_FULL ? VERIFY_FULL : VERIFY_QUICK;
	/* What SQLite found sound, and has its checksum still. */
	if (strcmp(r->backup.verdict, "sound") == 0)
		o.flags = VERIFY_SHARED;
	if (verify_start(j->engine, &o, task_copy(r->image), on_task_progress,
	    on_verified, j) == -1) {
		fail_text(j, E_BUSY, task_refusal());
		return;
	}
	r->checking = 1;
	if (!must_convert(r))
		restore_write_ahead(j);
}

static void
look(struct job *j)
{
	struct m_w_inspect	o;
	struct m_error		error;
	struct task_order	t;

	if (restore_path_check(j, &error) == -1) {
		restore_fail(j, &error);
		return;
	}
	memset(&o, 0, sizeof(o));
	look_fill(j->engine, j->database, &o.look);
	job_phase(j, "look", 0, 0);
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_INSPECT;
	t.data = &o;
	t.size = sizeof(o);
	t.what = "inspect";
	t.done = on_looked;
	if (restore_task(j, &t) == NULL)
		fail_text(j, E_BUSY, task_refusal());
}

/* ---- the page size ---- */

static void
on_converted(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;
	struct m_error		 error;
	int			 fd;

	if (!t->ok || t->type != MSG_W_CONVERTED) {
		restore_fail_task(j, &t->error);
		return;
	}
	memset(&error, 0, sizeof(error));
	fd = store_settle(j->engine->store, &r->kept[W_FILE_TARGET],
	    error.text);
	if (fd == -1) {
		error.code = E_IO_ERROR;
		restore_fail(j, &error);
		return;
	}
	close(r->image);
	r->image = fd;
	store_discard(j->engine->store, &r->kept[W_FILE_TARGET]);
	restore_write(j);
}

static void
convert(struct job *j)
{
	struct restoring	*r = j->data;
	struct m_error		 error;
	struct m_w_convert	 o;
	struct task_order	 t;
	int			 files[W_FILE_KINDS] = { -1, -1, -1, -1, -1 };

	if (!must_convert(r)) {
		restore_write(j);
		return;
	}
	if (restore_artifact(j, W_FILE_TARGET, &error) == -1) {
		restore_fail(j, &error);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.uid = j->engine->verify_uid;
	o.gid = j->engine->verify_gid;
	o.page_size = r->live.page_size;
	files[W_FILE_SOURCE] = r->image;
	files[W_FILE_TARGET] = r->kept[W_FILE_TARGET].fd;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_CONVERT;
	t.data = &o;
	t.size = sizeof(o);
	t.files = files;
	t.what = "convert";
	t.done = on_converted;
	if (restore_task(j, &t) == NULL)
		fail_text(j, E_BUSY, task_refusal());
	else
		job_phase(j, "convert", 0, r->size);
}

/* ---- the request ---- */

/* Which backup is meant; 0, or -1 after the answer. */
static int
resolve(struct engine *e, uint64_t request, const struct m_req_restore *m,
    struct restoring *r)
{
	const struct conf_remote	*c;
	int64_t				 id = m->local_id;

	if (m->ref == REF_REMOTE) {
		id = 0;
		TAILQ_FOREACH(c, &e->conf->remotes, entry) {
			if ((id = catalog_by_remote(e->catalog, c->name,
			    m->remote_id)) != 0)
				break;
		}
	}
	if ((id != 0 || m->ref == REF_LOCAL) &&
	    catalog_get(e->catalog, id, &r->backup) == 1) {
		if ((r->n = places_of(e, &r->backup, r->places)) > 0)
			strlcpy(r->remote_id, r->places[0].remote_id,
			    sizeof(r->remote_id));
		return (0);
	}
	if (m->ref == REF_LOCAL || TAILQ_EMPTY(&e->conf->remotes)) {
		reply_error(e, request, E_BACKUP_NOT_FOUND, 0,
		    "there is no backup of that id");
		return (-1);
	}
	if (!r->force) {
		reply_error(e, request, E_FORCE_REQUIRED, 0, "the catalog "
		    "does not know this backup: nothing proves that the "
		    "remote gives back what this machine stored there "
		    "(unauthenticated)");
		return (-1);
	}
	strlcpy(r->remote_id, m->remote_id, sizeof(r->remote_id));
	r->n = 1;
	r->places[0].remote = remote_of_stranger(e, m->remote_id);
	strlcpy(r->places[0].remote_id, m->remote_id,
	    sizeof(r->places[0].remote_id));
	return (0);
}

/* Which database it goes into; NULL after the answer. */
static struct conf_database *
target(struct engine *e, uint64_t request, const struct m_req_restore *m,
    const struct restoring *r)
{
	struct conf_database	*d, *own;
	char			 text[TEXT_BYTES];

	own = r->backup.database[0] == '\0' ? NULL :
	    conf_database(e->conf, r->backup.database);
	d = m->database[0] != '\0' ? conf_database(e->conf, m->database) :
	    r->backup.id == 0 ? conf_database(e->conf, "") : own;
	if (d == NULL || d->is_glob) {
		reply_error(e, request, E_DATABASE_UNKNOWN, r->backup.id,
		    m->database[0] != '\0' ?
		    "no database of that name is configured" :
		    "the backup is of a database that is not configured any "
		    "more; name the one that it shall go into");
		return (NULL);
	}
	if (r->backup.id != 0 && d != own && !r->force) {
		snprintf(text, sizeof(text), "the backup is of the database "
		    "\"%s\", not of \"%s\"", r->backup.database, d->name);
		reply_error(e, request, E_FORCE_REQUIRED, r->backup.id, text);
		return (NULL);
	}
	return (d);
}

/* May it be restored at all?  0, or -1 after the answer. */
static int
state_check(struct engine *e, uint64_t request, const struct restoring *r,
    const struct conf_database *d)
{
	struct job	*j;

	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (j->database == d && strcmp(j->kind, "restore") == 0 &&
		    j->state != JOB_DONE && j->state != JOB_FAILED) {
			reply_error(e, request, E_RESTORE_RUNNING, 0,
			    "another restore of this database runs");
			return (-1);
		}
	}
	/* One that was adopted encrypted is complete without a checksum. */
	if (r->backup.id == 0 || r->backup.checksum[0] != '\0' ||
	    strcmp(r->backup.status, "completed") == 0)
		return (0);
	reply_error(e, request, E_INVALID_BACKUP, r->backup.id,
	    strcmp(r->backup.status, "pending") == 0 ?
	    "the backup is not completed yet" :
	    "the backup was never completed: there is nothing to restore");
	return (-1);
}

void
restore_request(struct engine *e, uint64_t request,
    const struct m_req_restore *m)
{
	restore_begin(e, request, m, NULL);
}

void
restore_begin(struct engine *e, uint64_t request,
    const struct m_req_restore *m, const struct catalog_restore *undoes)
{
	struct conf_database	*d;
	struct restoring	*r;
	struct job		*j;
	struct m_job		 told;
	size_t			 i;

	if (store_full(e->store)) {
		reply_error(e, request, E_INSUFFICIENT_SPACE, 0,
		    "the backup directory is full: not even the catalog can "
		    "be written any more");
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->image = -1;
	for (i = 0; i < W_FILE_KINDS; i++)
		r->kept[i].fd = -1;
	r->force = (m->flags & RESTORE_FORCE) != 0;
	r->started_us = util_monotonic_us();
	if (undoes != NULL)
		r->undoes = *undoes;
	if (resolve(e, request, m, r) == -1 ||
	    (d = target(e, request, m, r)) == NULL ||
	    state_check(e, request, r, d) == -1 ||
	    restore_identity(e, request, m, d, r) == -1) {
		freezero(r, sizeof(*r));
		return;
	}
	if ((j = job_new(e, "restore", d, run, release, r)) == NULL) {
		freezero(r, sizeof(*r));
		reply_error(e, request, E_BUSY, 0, "too many jobs wait");
		return;
	}
	j->backup_id = r->backup.id;
	r->path_turn = d->path_turn;
	audit_begin(j, &m->asker);
	log_info("restore of backup %lld%s%s into %s asked for",
	    (long long)r->backup.id, r->backup.id == 0 ? " remote=" : "",
	    r->backup.id == 0 ? r->remote_id : "", d->name);
	if (m->flags & RESTORE_ASYNC) {
		job_describe(j, &told);
		chan_send(e->front.chan, MSG_REP_JOB, request, &told,
		    sizeof(told), -1);
	} else
		j->request = request;
}
