/*
 * The engine runs this: taking one backup, from the request to the proof,
 * and the answer; create_publish.c does what is between.  It owns the row
 * of the catalog and the artifact until they are published.  The order is
 * that of design.md 3 and D4: row, capture, settle, check and the form that
 * is kept at once, the form for remotes, proof in the row, name, completed,
 * remotes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/create.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/events.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/metrics.h"

#define LOOK_PATIENCE_MS	30000	/* and the lock timeout */
#define COUNT_S			60	/* counting rows, at most */
#define PATIENCE_MS		600000	/* fsync of a large file, one b-tree */

/* The schedule waits for what is here, not for remotes. */
void
create_tell(struct create *c, const struct m_error *error)
{
	create_cb	*ended = c->ended;

	c->ended = NULL;
	if (ended != NULL)
		ended(c->arg, error);
}

static void
create_release(struct job *j)
{
	struct create	*c = j->data;

	tables_free(&c->tables);
	free(c);
}

/* ---- endings ---- */

void
create_fail(struct job *j, const struct m_error *error, enum verdict verdict,
    const char *keep_file)
{
	struct create		*c = j->data;
	struct engine		*e = j->engine;
	struct event_about	 about = { j->database->name, "",
				    j->backup_id };

	remotes_early_drop(e, j->backup_id);
	create_discard(j);
	if (j->backup_id != 0) {
		catalog_failed(e->catalog, j->backup_id, error->text, verdict,
		    keep_file);
		catalog_phases_set(e->catalog, j->backup_id, &j->spent);
	}
	if (j->request != 0)
		reply_error(e, j->request, error->code, j->backup_id,
		    error->text);
	j->request = 0;
	events_add(e, EVENT_FAILED, &about, "the backup of %s failed: %s",
	    j->database->name, error->text);
	job_failed(j, error);
	create_tell(c, error);
}

void
create_fail_text(struct job *j, enum err code, const char *text)
{
	struct m_error	error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	strlcpy(error.text, text, sizeof(error.text));
	create_fail(j, &error, VERDICT_NONE, NULL);
}

void
create_completed(struct engine *e, int64_t backup_id)
{
	struct event_about	about = { "", "", backup_id };
	struct m_backup		b;
	char			size[16];

	if (catalog_get(e->catalog, backup_id, &b) != 1 ||
	    strcmp(b.status, "completed") != 0)
		return;
	about.database = b.database;
	util_size_text(size, (uint64_t)b.file_size);
	events_add(e, EVENT_COMPLETED, &about, "backup %lld of %s is "
	    "complete: %s, at %s", (long long)b.id, b.database, size,
	    b.locations);
}

void
create_finish(struct job *j)
{
	struct engine	*e = j->engine;
	struct m_backup	 b;

	if (catalog_get(e->catalog, j->backup_id, &b) != 1)
		fatalx("backup %lld has no row", (long long)j->backup_id);
	log_info("backup %lld of %s taken: status=%s size=%lld "
	    "lock_held_ms=%llu%s%s", (long long)b.id, b.database, b.status,
	    (long long)b.file_size, (unsigned long long)b.lock_held_us / 1000,
	    b.reason[0] == '\0' ? "" : " reason=", b.reason);
	/* What goes to remotes is told when it is there. */
	if (TAILQ_EMPTY(&j->database->targets))
		create_completed(e, b.id);
	if (j->request != 0)
		chan_send(e->front.chan, MSG_REP_BACKUP, j->request, &b,
		    sizeof(b), -1);
	j->request = 0;
	job_phase(j, "done", (uint64_t)b.file_size, (uint64_t)b.file_size);
	job_done(j);
	drills_kick(e);
}

/* ---- remotes ---- */

/* Has each remote been tried, or is it not going to be for a while? */
static int
told_all(struct job *j)
{
	const struct conf_target	*t;
	struct catalog_copy		 copy;
	char				 id[REMOTE_ID_BYTES];
	struct engine			*e = j->engine;

	if (catalog_attempted(e->catalog, j->backup_id))
		return (1);
	TAILQ_FOREACH(t, &j->database->targets, entry) {
		if (catalog_copy_get(e->catalog, j->backup_id,
		    t->remote->name, &copy, id) &&
		    ((strcmp(copy.state, "uploading") == 0 &&
		    copy.attempts < 2) ||
		    (strcmp(copy.state, "pending") == 0 &&
		    copy.attempts == 0 && !remote_waits(e, t->remote->name,
		    j->backup_id))))
			return (0);
	}
	return (1);
}

/* backup_id 0: whichever. */
static void
uploads_tell(struct engine *e, int64_t backup_id)
{
	struct job	*j, *next;

	for (j = TAILQ_FIRST(&e->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->state == JOB_RUNNING && j->run != NULL &&
		    strcmp(j->kind, "create") == 0 &&
		    (backup_id == 0 || j->backup_id == backup_id) &&
		    strcmp(j->phase, "upload") == 0 && told_all(j))
			create_finish(j);
	}
}

void
create_upload_ended(struct engine *e, int64_t backup_id)
{
	uploads_tell(e, backup_id);
}

void
create_remote_away(struct engine *e)
{
	uploads_tell(e, 0);
}

void
create_uploaded(struct engine *e, int64_t backup_id, uint64_t us)
{
	struct job	*j;

	metrics_phase(PHASE_UPLOAD, us, 1);
	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (j->backup_id == backup_id &&
		    strcmp(j->kind, "create") == 0 &&
		    j->spent.us[PHASE_UPLOAD] < us)
			j->spent.us[PHASE_UPLOAD] = us;
	}
}

void
create_upload_progress(struct engine *e, int64_t backup_id, uint64_t done,
    uint64_t total)
{
	struct job	*j;

	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (j->state == JOB_RUNNING && j->backup_id == backup_id &&
		    strcmp(j->phase, "upload") == 0)
			job_phase(j, "upload", done, total);
	}
}

/* ---- the check ---- */

/* Is the image read again when it is proven? */
static int
read_again(const struct conf_database *d)
{
	return (!TAILQ_EMPTY(&d->targets) || forms_of(&d->local) != 0);
}

static void
task_progress(void *arg, const struct m_w_progress *p)
{
	job_progress(arg, p);
}

static int
check_failed(struct create *c, enum err code, const char *text)
{
	c->check_error.code = code;
	strlcpy(c->check_error.text, text, sizeof(c->check_error.text));
	return (-1);
}

/* 0, or -1 and c->check_error. */
static int
check_result(struct create *c, const struct task_result *r)
{
	struct m_w_verified	*v = &c->verified;

	if (verify_result(r, -1, v, &c->check_error) == -1)
		return (-1);
	if (v->size != c->captured.size)
		return (check_failed(c, E_WORKER_FAILED,
		    "the check gave an impossible answer"));
	if (strcmp(v->checksum, c->captured.checksum) != 0)
		return (check_failed(c, E_INVALID_BACKUP, "the copy does not "
		    "read back as it was written: its checksum differs"));
	return (0);
}

static void
on_verified(void *arg, const struct task_result *r)
{
	struct job	*j = arg;
	struct create	*c = j->data;

	c->checking = 0;
	if (check_result(c, r) == 0 && c->verified.verdict == VERDICT_SOUND)
		catalog_contents_set(j->engine->catalog, j->backup_id,
		    &c->tables, (c->verified.flags & VERIFIED_PARTIAL) == 0);
	create_publish(j);
}

static void
on_table(void *arg, struct task *t, const struct msg *m)
{
	struct job	*j = arg;
	struct create	*c = j->data;

	verify_table(&c->tables, t, m);
}

/* Only as it is: what is packed for remotes is packed when it is proven. */
static int
send_early(struct job *j)
{
	struct create	*c = j->data;

	if (forms_of(&j->database->local) != 0 ||
	    forms_of(&j->database->remote) != 0)
		return (0);
	return (remotes_early(j->engine, j->database, j->backup_id,
	    &c->artifact, c->captured.size));
}

static void
verify(struct job *j, int fd)
{
	static const struct verify_told	 told = { task_progress,
					    on_table, on_verified };
	struct create		*c = j->data;
	struct m_w_verify	 o;

	if (j->engine->stopping) {	/* a check may take minutes */
		close(fd);
		create_fail_text(j, E_SHUTTING_DOWN,
		    "the backup was given up because the daemon ends");
		return;
	}
	memset(&o, 0, sizeof(o));
	o.level = j->database->verify;
	o.flags = VERIFY_EXPECT | VERIFY_ROWS | VERIFY_LOW;
	o.count_s = COUNT_S;
	o.expect_size = c->captured.size;
	o.expect_pages = c->captured.page_count;
	o.expect_change_counter = c->captured.change_counter;
	if (!read_again(j->database) || send_early(j) > 0)
		o.flags |= VERIFY_FORGET;
	job_phase(j, "verify", 0, c->captured.size);
	if (verify_counted(j->engine, &o, fd, &told, j) == -1) {
		create_fail_text(j, E_BUSY, task_refusal());
		return;
	}
	c->checking = 1;
	create_pack(j);
}

/* ---- the capture ---- */

static void
on_holders(void *arg, const struct m_error *error)
{
	create_fail(arg, error, VERDICT_NONE, NULL);
}

/* What must wait for a remote has to fit below the spool limit, as long as
 * it is not compressed later. */
static uint64_t
size_limit(const struct conf_database *d)
{
	if (d->spool_limit == 0 || TAILQ_EMPTY(&d->targets) ||
	    d->local.compress != 0 ||
	    (d->size_limit != 0 && d->size_limit <= d->spool_limit))
		return (d->size_limit);
	return (d->spool_limit);
}

static void
on_captured(void *arg, const struct task_result *r)
{
	struct job		*j = arg;
	struct create		*c = j->data;
	struct engine		*e = j->engine;
	struct m_error		 error;
	int			 fd;

	if (!r->ok && r->error.code == E_DATABASE_LOCKED) {
		holders_add(e, j->database, &r->error, on_holders, j);
		return;
	}
	if (!r->ok && r->error.code == E_SIZE_LIMIT &&
	    size_limit(j->database) != j->database->size_limit) {
		error = r->error;
		snprintf(error.text, sizeof(error.text), "the database %s is "
		    "larger than its whole spool limit of %llu bytes: a "
		    "backup could never wait for a remote", j->database->name,
		    (unsigned long long)j->database->spool_limit);
		create_fail(j, &error, VERDICT_NONE, NULL);
		return;
	}
	if (!r->ok || r->type != MSG_W_CAPTURED) {
		create_fail(j, &r->error, VERDICT_NONE, NULL);
		return;
	}
	memcpy(&c->captured, r->data, sizeof(c->captured));
	if (!told_captured(&c->captured)) {
		create_fail_text(j, E_WORKER_FAILED,
		    "the capture gave an impossible answer");
		return;
	}
	owner_told(j->database, c->path_turn, c->captured.uid);
	if (c->captured.fallback[0] != '\0')
		log_warnx("backup of %s by SQLite's backup API: %s",
		    j->database->name, c->captured.fallback);
	if (c->captured.gentle)
		log_debug("job %ju: somebody commits to %s, which was copied "
		    "by one thread at a time", (uintmax_t)j->id,
		    j->database->name);
	memset(&error, 0, sizeof(error));
	if ((fd = store_settle(e->store, &c->artifact, error.text)) == -1) {
		error.code = E_INVALID_BACKUP;
		create_fail(j, &error, VERDICT_NONE, NULL);
		return;
	}
	if (!told_size(fd, c->captured.size)) {
		close(fd);
		create_fail_text(j, E_WORKER_FAILED, "the copy has not the "
		    "size that the capture gave");
		return;
	}
	if (j->database->verify != VERIFY_NONE) {
		verify(j, fd);
		return;
	}
	close(fd);
	strlcpy(c->verified.checksum, c->captured.checksum,
	    sizeof(c->verified.checksum));
	create_pack(j);
}

static void
capture(struct job *j)
{
	struct create		*c = j->data;
	struct engine		*e = j->engine;
	struct conf_database	*d = j->database;
	struct m_w_capture	 o;
	struct task_order	 t;

	memset(&o, 0, sizeof(o));
	look_fill(e, d, &o.look);
	c->path_turn = d->path_turn;
	o.method = d->capture;
	o.lock_timeout_ms = d->lock_timeout_ms;
	o.lock_limit_ms = d->lock_limit_ms;
	o.size_limit = size_limit(d);
	o.reserve = e->conf->reserve;
	if (d->verify == VERIFY_NONE && !read_again(d))
		o.flags |= CAPTURE_FORGET;
	if (forms_of(&d->local) != 0 && (TAILQ_EMPTY(&d->targets) ||
	    forms_of(&d->remote) != 0))
		o.flags |= CAPTURE_SCRATCH;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_CAPTURE;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = c->artifact.fd;
	c->artifact.fd = -1;	/* only the worker has it now */
	t.what = "capture";
	t.look_patience_ms = LOOK_PATIENCE_MS + d->lock_timeout_ms;
	t.patience_ms = PATIENCE_MS;
	t.progress = task_progress;
	t.done = on_captured;
	t.arg = j;
	if (task_start(e, &t) == NULL)
		create_fail_text(j, E_BUSY, task_refusal());
}

static void
create_run(struct job *j)
{
	struct create		*c = j->data;
	struct engine		*e = j->engine;
	struct catalog_new	 row;
	struct m_error		 error;

	memset(&row, 0, sizeof(row));
	c->created_ms = row.created_ms = util_now_ms();
	row.database = j->database->name;
	row.name = c->request.name;
	row.description = c->request.description;
	row.type = c->ended != NULL ? "auto" : "manual";
	row.user = c->request.user.kind != USER_NONE ? c->request.user :
	    j->database->user;
	spool_make_room(e, j->database);
	j->backup_id = catalog_insert(e->catalog, &row);
	memset(&error, 0, sizeof(error));
	if (store_create(e->store, j->database->name, j->backup_id,
	    &c->artifact, &error.code, error.text) == -1) {
		create_fail(j, &error, VERDICT_NONE, NULL);
		return;
	}
	c->has_artifact = 1;
	job_phase(j, "look", 0, 0);
	capture(j);
}

void
create_request(struct engine *e, uint64_t request,
    const struct m_req_create *m, struct conf_database *d)
{
	struct create	*c;
	struct job	*j;
	struct m_job	 told;

	if (store_full(e->store)) {
		reply_error(e, request, E_INSUFFICIENT_SPACE, 0,
		    "the backup directory is full: not even the catalog can "
		    "be written any more");
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->request = *m;
	c->artifact.fd = c->local.artifact.fd = c->remote.artifact.fd = -1;
	j = job_new(e, "create", d, create_run, create_release, c);
	if (j == NULL) {
		free(c);
		reply_error(e, request, E_BUSY, 0, "too many jobs wait");
		return;
	}
	audit_begin(j, &m->asker);
	explicit_bzero(&c->request.asker, sizeof(c->request.asker));
	if (m->flags & CREATE_ASYNC) {
		job_describe(j, &told);
		chan_send(e->front.chan, MSG_REP_JOB, request, &told,
		    sizeof(told), -1);
	} else
		j->request = request;
}

struct job *
create_scheduled(struct engine *e, struct conf_database *d, create_cb *ended,
    void *arg)
{
	struct create	*c;
	struct job	*j;

	if (store_full(e->store))
		return (NULL);
	c = xcalloc(1, sizeof(*c));
	c->artifact.fd = c->local.artifact.fd = c->remote.artifact.fd = -1;
	c->ended = ended;
	c->arg = arg;
	j = job_new(e, "create", d, create_run, create_release, c);
	if (j == NULL)
		free(c);
	return (j);
}
