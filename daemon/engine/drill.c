/*
 * The engine runs this: one drill.  It owns what was read back until it is
 * judged.  It must not disturb: one runs at a time, the worker has a low
 * priority, and the disk's reserve is left alone.
 *
 * The image must have the hash that was taken at capture; so what else is
 * looked at (integrity, rows, references) is what the application had
 * then, and foreign keys that were broken then are told, not held against
 * the backup.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lease.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/expire.h"

#define COUNT_S		600

struct drill {
	struct m_backup	 backup;
	struct place	 places[PLACES_MAX];
	size_t		 n;
	const char	*place;
	int		 fd;		/* of the stored form; -1 */
	uint64_t	 started_us;
	struct tables	 tables;	/* of the image */
	int		 partial;	/* of those */
	int64_t		 compared;	/* tables that are as at capture */
	char		 differs[TEXT_BYTES];	/* one that is not, or "" */
	struct drilled	 told;
	drilled_cb	*done;
	void		*arg;
};

static void
release(struct job *j)
{
	struct drill	*d = j->data;

	if (d->fd != -1)
		close(d->fd);
	tables_free(&d->tables);
	free(d);
}

/* ---- endings ---- */

static void
tell(struct job *j)
{
	struct drill	*d = j->data;
	drilled_cb	*done = d->done;

	d->done = NULL;
	if (done != NULL)
		done(d->arg, &d->told);
	if (j->request != 0 && d->told.undone)
		reply_error(j->engine, j->request, d->told.error.code,
		    d->backup.id, d->told.error.text);
	else if (j->request != 0)
		chan_send(j->engine->front.chan, MSG_REP_DRILLED, j->request,
		    &d->told.facts, sizeof(d->told.facts), -1);
	j->request = 0;
}

static void
undone(struct job *j, enum err code, const char *text)
{
	struct drill	*d = j->data;

	d->told.undone = 1;
	d->told.error.code = code;
	d->told.error.backup_id = d->backup.id;
	strlcpy(d->told.error.text, text, sizeof(d->told.error.text));
	tell(j);
	job_failed(j, &d->told.error);
}

static void
write_down(struct job *j, const char *result)
{
	struct drill		*d = j->data;
	struct m_drilled	*f = &d->told.facts;
	struct catalog_drill	 row;

	f->duration_ms = (int64_t)((util_monotonic_us() - d->started_us) /
	    1000);
	f->tables = (int64_t)d->tables.n;
	f->rows = tables_rows(&d->tables);
	strlcpy(f->place, d->place, sizeof(f->place));
	strlcpy(f->result, result, sizeof(f->result));
	memset(&row, 0, sizeof(row));
	row.backup_id = d->backup.id;
	row.database = f->database;
	row.place = f->place;
	row.started_ms = f->started_ms;
	row.duration_ms = f->duration_ms;
	row.result = f->result;
	row.tables = f->tables;
	row.rows = f->rows;
	row.text = f->text;
	catalog_drill_add(j->engine->catalog, &row);
}

static void
judged(struct job *j, const char *result, const char *fmt, ...)
    __attribute__((__format__ (printf, 3, 4)));

static void
judged(struct job *j, const char *result, const char *fmt, ...)
{
	struct drill		*d = j->data;
	struct m_drilled	*f = &d->told.facts;
	struct event_about	 about = { f->database, d->place,
				    d->backup.id };
	int			 failed = strcmp(result, "failed") == 0;
	va_list			 ap;

	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	write_down(j, result);
	log_info("drill of backup %" PRId64 " from %s %s in %" PRId64
	    " ms: %s", d->backup.id, d->place, result, f->duration_ms,
	    f->text);
	events_add(j->engine, failed ? EVENT_DRILL_FAILED : EVENT_DRILLED,
	    &about, "The drill of backup %" PRId64 " from %s %s: %.350s",
	    d->backup.id, d->place, result, f->text);
	if (failed)
		alarm_raise(j->engine, ALARM_DRILL, f->database, "backup %"
		    PRId64 " could not be had again from %s: %.350s",
		    d->backup.id, d->place, f->text);
	expire_kick(j->engine, f->database);
	tell(j);
	if (!failed) {
		job_done(j);
		return;
	}
	d->told.error.code = E_INVALID_BACKUP;
	strlcpy(d->told.error.text, f->text, sizeof(d->told.error.text));
	job_failed(j, &d->told.error);
}

/* Does this say something of the backup, or only of this moment? */
static int
is_verdict(enum err code)
{
	switch (code) {
	case E_INVALID_BACKUP:
	case E_BACKUP_NOT_FOUND:
	case E_REMOTE_ERROR:
	case E_REMOTE_REFUSED:
	case E_IDENTITY_NEEDED:
	case E_IDENTITY_WRONG:
	case E_NOT_A_DATABASE:
		return (1);
	default:
		return (0);
	}
}

static void
error(struct job *j, enum err code, const char *text)
{
	if (is_verdict(code))
		judged(j, "failed", "%s", text);
	else
		undone(j, code, text);
}

/* ---- the image ---- */

static void
compare(const char *name, int64_t rows, void *arg)
{
	struct drill	*d = arg;
	int64_t		 now = tables_find(&d->tables, name);

	if (now == rows) {
		d->compared++;
		return;
	}
	if (d->differs[0] != '\0' || (now == -1 && d->partial))
		return;
	if (now == -1)
		snprintf(d->differs, sizeof(d->differs), "the table \"%.200s\""
		    " is not there", name);
	else
		snprintf(d->differs, sizeof(d->differs), "the table \"%.200s\""
		    " has %" PRId64 " rows, and had %" PRId64 " at capture",
		    name, now, rows);
}

static void
judge(struct job *j, const struct m_w_verified *v)
{
	struct drill	*d = j->data;
	char		 broken[128] = "", partial[64] = "";

	if (v->verdict == VERDICT_DAMAGED) {
		judged(j, "failed", "it is damaged: %.300s", v->text);
		return;
	}
	d->partial = (v->flags & VERIFIED_PARTIAL) != 0;
	catalog_contents(j->engine->catalog, d->backup.id, compare, d);
	if (v->verdict == VERDICT_UNKNOWN) {
		judged(j, "partial", "its bytes are those that were captured, "
		    "but nobody can judge them: %.300s", v->text);
		return;
	}
	if (d->differs[0] != '\0') {
		judged(j, "failed", "%s", d->differs);
		return;
	}
	if (v->broken > 0)
		snprintf(broken, sizeof(broken), "; %" PRId64 " foreign keys "
		    "lead nowhere, as they did in the database", v->broken);
	if (d->partial)
		strlcpy(partial, ", of which not all were counted",
		    sizeof(partial));
	judged(j, "passed", "it is sound; %zu tables with %" PRId64 " rows, "
	    "%" PRId64 " of them compared with the capture%s%s",
	    d->tables.n, tables_rows(&d->tables), d->compared, partial,
	    broken);
}

static void
on_table(void *arg, struct task *t, const struct msg *m)
{
	struct job	*j = arg;
	struct drill	*d = j->data;

	verify_table(&d->tables, t, m);
}

static void
on_progress(void *arg, const struct m_w_progress *p)
{
	job_progress(arg, p);
}

static void
on_verified(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct drill		*d = j->data;
	struct m_w_verified	 v;
	struct m_error		 e;

	if (verify_result(t, -1, &v, &e) == -1)
		undone(j, e.code, e.text);
	else if (d->backup.checksum[0] != '\0' &&
	    strcmp(v.checksum, d->backup.checksum) != 0)
		judged(j, "failed", "it is not what was captured: its "
		    "checksum differs");
	else
		judge(j, &v);
}

static void
on_image(void *arg, const struct image_result *r)
{
	static const struct verify_told	 told = { on_progress, on_table,
					    on_verified };
	struct job			*j = arg;
	struct drill			*d = j->data;
	struct m_w_verify		 o;

	if (r->error.code != E_NONE) {
		error(j, r->error.code, r->error.text);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.level = VERIFY_FULL;
	o.flags = VERIFY_ROWS | VERIFY_REFERENCES | VERIFY_LOW;
	o.count_s = COUNT_S;
	job_phase(j, "verify", 0, (uint64_t)d->backup.file_size);
	if (verify_counted(j->engine, &o, r->fd, &told, j) == -1)
		undone(j, E_BUSY, task_refusal());
}

/* ---- what is encrypted, and nobody here can open ---- */

static void
on_hashed(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct drill		*d = j->data;
	struct forms_copy	 c;
	struct m_w_verified	 v;
	struct m_error		 e;

	if (d->n > 0)
		forms_at_remote(&d->backup, &c);
	else
		forms_at_local(&d->backup, &c);
	if (verify_result(t, -1, &v, &e) == -1)
		undone(j, e.code, e.text);
	else if (strcmp(v.checksum, c.checksum) != 0)
		judged(j, "failed", "it is not what was stored: its checksum "
		    "differs");
	else
		judged(j, "partial", "what came back is byte for byte what "
		    "was stored; it is encrypted, and no identity is "
		    "configured by which it could be opened");
}

static void
hash_only(struct job *j)
{
	struct drill		*d = j->data;
	struct m_w_verify	 o;
	int			 fd = d->fd;

	memset(&o, 0, sizeof(o));
	o.level = VERIFY_NONE;
	o.flags = VERIFY_LOW;
	d->fd = -1;
	if (verify_start(j->engine, &o, fd, on_progress, on_hashed, j) == -1)
		undone(j, E_BUSY, task_refusal());
}

/* d->fd is what is stored at d->place. */
static void
open_image(struct job *j, const struct forms_copy *c)
{
	struct drill			*d = j->data;
	const struct conf_database	*db = j->database;
	struct image_order		 o;
	char				 identity[IDENTITY_BYTES] = "";
	char				 err[TEXT_BYTES];

	if (c->form != FORM_UNKNOWN && (c->form & FORM_AGE) &&
	    (db == NULL || db->identity_file == NULL)) {
		hash_only(j);
		return;
	}
	if (db != NULL && db->identity_file != NULL &&
	    identity_load(db->identity_file, identity, err) == -1) {
		undone(j, E_IO_ERROR, err);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.fd = d->fd;
	d->fd = -1;
	o.form = c->form;
	o.size = d->backup.checksum[0] != '\0' ? d->backup.file_size : -1;
	o.id = (int64_t)j->id;
	o.identity = identity;
	o.progress = on_progress;
	o.done = on_image;
	o.arg = j;
	image_open(j->engine, &o);
	explicit_bzero(identity, sizeof(identity));
}

/* ---- where it comes from ---- */

static void
on_read(void *arg, const struct reading_result *r)
{
	struct job		*j = arg;
	struct drill		*d = j->data;
	struct forms_copy	 c;

	d->place = r->remote->name;
	if (r->code != E_NONE) {
		error(j, r->code, r->text);
		return;
	}
	d->fd = r->fd;
	forms_at_remote(&d->backup, &c);
	open_image(j, &c);
}

static void
from_remote(struct job *j)
{
	struct drill		*d = j->data;
	struct reading_order	 o;

	memset(&o, 0, sizeof(o));
	o.backup = &d->backup;
	o.places = d->places;
	o.n = d->n;
	o.away_only = 1;
	o.id = (int64_t)j->id;
	o.done = on_read;
	o.arg = j;
	job_phase(j, "fetch", 0, 0);
	(void)reading_start(j->engine, &o);
}

static void
from_here(struct job *j)
{
	struct drill		*d = j->data;
	struct forms_copy	 c;
	char			 err[TEXT_BYTES];

	if (d->backup.file_path[0] == '\0') {
		judged(j, "failed", "neither this machine nor a remote has "
		    "its file");
		return;
	}
	d->fd = store_open_file(j->engine->store, d->backup.file_path,
	    d->backup.stored_size, err);
	if (d->fd == -1 && store_starved())
		undone(j, E_BUSY, err);
	else if (d->fd == -1)
		judged(j, "failed", "%s", err);
	else if (lease_read_held(d->fd) != 1)
		undone(j, E_IO_ERROR, "the backup's file is being written");
	else {
		forms_at_local(&d->backup, &c);
		open_image(j, &c);
	}
}

static void
run(struct job *j)
{
	struct drill	*d = j->data;

	d->started_us = util_monotonic_us();
	d->told.facts.started_ms = util_now_ms();
	/* It may have gone meanwhile. */
	if (catalog_get(j->engine->catalog, d->backup.id, &d->backup) != 1) {
		undone(j, E_BACKUP_NOT_FOUND, "the backup was deleted");
		return;
	}
	d->n = places_of(j->engine, &d->backup, d->places);
	if (d->n > 0)
		from_remote(j);
	else
		from_here(j);
}

struct job *
drill_begin(struct engine *e, const struct m_backup *b, drilled_cb *done,
    void *arg)
{
	struct drill	*d;
	struct job	*j;

	d = xcalloc(1, sizeof(*d));
	d->backup = *b;
	d->fd = -1;
	d->place = PLACE_LOCAL;
	d->done = done;
	d->arg = arg;
	d->told.facts.backup_id = b->id;
	strlcpy(d->told.facts.database, b->database,
	    sizeof(d->told.facts.database));
	if ((j = job_new(e, "drill", conf_database(e->conf, b->database), run,
	    release, d)) == NULL) {
		free(d);
		return (NULL);
	}
	j->background = 1;
	j->backup_id = b->id;
	return (j);
}
