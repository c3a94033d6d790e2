/*
 * The engine runs this: from an image that is captured and proven to a
 * backup that has its name and a completed row.  Before that it is
 * compressed and encrypted as configured.  What remotes get gets its name
 * first, then the artifact: so a crash leaves a backup with all that its
 * remotes wait for, or none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/create.h"
#include "daemon/engine/events.h"
#include "daemon/engine/expire.h"

void
create_discard(struct job *j)
{
	struct create	*c = j->data;
	struct store	*s = j->engine->store;

	if (c->has_artifact)
		store_discard(s, &c->artifact);
	c->has_artifact = 0;
	if (c->local.size != 0)
		store_discard(s, &c->local.artifact);
	if (c->remote.size != 0)
		store_discard(s, &c->remote.artifact);
	c->local.size = c->remote.size = 0;
}

/* ---- what came of it ---- */

static uint32_t
local_form(const struct create *c)
{
	return (c->local.size != 0 ? c->local.form : 0);
}

static uint32_t
remote_form(const struct create *c)
{
	if (c->remote_image)
		return (0);
	return (c->remote.size != 0 ? c->remote.form : local_form(c));
}

/* By what was made, not by what it was to be: a reload may have been
 * between the two. */
static int
remote_differs(const struct create *c, const struct conf_database *d)
{
	uint32_t	form = local_form(c);

	return (form != forms_of(&d->remote) || ((form & FORM_ZSTD) != 0 &&
	    d->local.compress != d->remote.compress));
}

/* ---- remotes ---- */

/*
 * Written down before the file gets its name: a crash right after that
 * finds a backup that is complete here, and must know where else it goes.
 * None is due before the local copy is completed.
 */
static void
plan_copies(struct job *j)
{
	struct create		*c = j->data;
	struct conf_target	*t;

	TAILQ_FOREACH(t, &j->database->targets, entry) {
		catalog_copy_add(j->engine->catalog, j->backup_id,
		    t->remote->name);
		if (c->remote_error[0] != '\0')
			catalog_copy_failed(j->engine->catalog, j->backup_id,
			    t->remote->name, c->remote_error);
	}
}

/* image: that is what they get. */
static void
to_remotes(struct job *j, int image)
{
	struct create		*c = j->data;
	struct conf_target	*t;

	if (TAILQ_EMPTY(&j->database->targets) ||
	    c->remote_error[0] != '\0') {
		remotes_early_drop(j->engine, j->backup_id);
		create_finish(j);
		return;
	}
	/* What went early was, and a reload may have forbidden that since. */
	if (image)
		remotes_early_go(j->engine, j->database, j->backup_id);
	remotes_early_drop(j->engine, j->backup_id);
	TAILQ_FOREACH(t, &j->database->targets, entry)
		remote_planned(j->engine, j->backup_id, t->remote->name);
	job_phase(j, "upload", 0, c->captured.size);
	remotes_kick(j->engine);
	create_upload_ended(j->engine, j->backup_id);
}

/* ---- names ---- */

/* What the row says of the bytes that are kept. */
static void
stored(struct job *j)
{
	struct create		*c = j->data;
	struct catalog_stored	 s;

	if (c->local.size == 0)
		return;			/* the image: catalog_proven did */
	s.form = form_name(c->local.form);
	s.size = c->local.size;
	s.checksum = c->local.checksum;
	catalog_stored(j->engine->catalog, j->backup_id, &s);
}

/* They get nothing, and never what was not meant for them. */
static void
remote_nothing(struct job *j)
{
	struct catalog_stored	s = { NULL, 0, "" };

	s.form = form_name(forms_of(&j->database->remote));
	if (remote_differs(j->data, j->database))
		catalog_remote_form(j->engine->catalog, j->backup_id, &s, "");
}

/* The row first, so that the sweep at start knows whose the file is. */
static int
name_remote(struct job *j, char *err)
{
	struct create		*c = j->data;
	struct engine		*e = j->engine;
	struct catalog_stored	 s;
	struct artifact		*a;
	char			 name[NAME_BYTES];

	if (c->remote_error[0] != '\0') {
		remote_nothing(j);
		return (0);
	}
	if (c->remote_image) {
		a = &c->artifact;
		s.form = FORM_PLAIN;
		s.size = c->captured.size;
		s.checksum = c->verified.checksum;
	} else if (c->remote.size != 0) {
		a = &c->remote.artifact;
		s.form = form_name(c->remote.form);
		s.size = c->remote.size;
		s.checksum = c->remote.checksum;
	} else
		return (0);
	store_remote_name(name, j->backup_id, c->created_ms, s.form);
	catalog_remote_form(e->catalog, j->backup_id, &s, name);
	return (store_publish_remote(e->store, a, j->backup_id,
	    c->created_ms, s.form, err));
}

static const char *
kept_form(const struct create *c)
{
	return (form_name(local_form(c)));
}

static int
name_local(struct job *j, char *err)
{
	struct create	*c = j->data;

	return (store_publish(j->engine->store, c->local.size != 0 ?
	    &c->local.artifact : &c->artifact, j->backup_id, c->created_ms,
	    kept_form(c), err));
}

/* A faithful copy of a damaged database: kept, but no backup. */
static void
keep_damaged(struct job *j, const char *path)
{
	struct create	*c = j->data;
	struct m_error	 error;

	memset(&error, 0, sizeof(error));
	error.code = E_DATABASE_DAMAGED;
	snprintf(error.text, sizeof(error.text), "the database %s is "
	    "damaged: %.300s; the copy is kept as backup %lld",
	    j->database->name, c->verified.text, (long long)j->backup_id);
	if (name_local(j, error.text) == -1) {
		error.code = E_IO_ERROR;
		create_fail(j, &error, VERDICT_DAMAGED, NULL);
		return;
	}
	catalog_proven(j->engine->catalog, j->backup_id, path, &c->captured,
	    &c->verified, &j->spent);
	stored(j);
	create_fail(j, &error, VERDICT_DAMAGED, path);
}

/* The bytes that lie here while remotes wait for them. */
static uint64_t
waiting_size(const struct create *c)
{
	uint64_t	size = c->local.size != 0 ? c->local.size :
			    c->captured.size;

	return (size + (c->remote_image ? c->captured.size :
	    c->remote.size));
}

/* 0; or -1: it can never be sent, and has failed. */
static int
admit(struct job *j)
{
	struct create	*c = j->data;
	struct m_error	 error;

	memset(&error, 0, sizeof(error));
	switch (spool_admit(j->engine, j->database, waiting_size(c),
	    error.text)) {
	case 0:
		return (0);
	case 1:
		strlcpy(c->remote_error, "not queued: what is being sent "
		    "uses up the spool limit", sizeof(c->remote_error));
		spool_refused(j->engine, j->database, j->backup_id);
		return (0);
	default:
		error.code = E_SIZE_LIMIT;
		create_fail(j, &error, VERDICT_NONE, NULL);
		return (-1);
	}
}

static void
name_all(struct job *j)
{
	struct create	*c = j->data;
	struct engine	*e = j->engine;
	struct m_error	 error;
	char		 path[ARTIFACT_BYTES];
	int		 image = remote_form(c) == 0;

	memset(&error, 0, sizeof(error));
	store_final_path(e->store, j->database->name, j->backup_id,
	    c->created_ms, kept_form(c), path);
	if (c->verified.verdict == VERDICT_DAMAGED) {
		keep_damaged(j, path);
		return;
	}
	catalog_proven(e->catalog, j->backup_id, path, &c->captured,
	    &c->verified, &j->spent);
	stored(j);
	/* An alarm must stand before it is completed, or a crash between
	 * the two lets older ones go for it; and before anything is given
	 * up to make room for it. */
	alarms_compare(e, j->backup_id, j->database->name);
	if (admit(j) == -1)
		return;
	if (name_remote(j, error.text) == -1) {
		error.code = E_IO_ERROR;
		create_fail(j, &error, VERDICT_NONE, NULL);
		return;
	}
	plan_copies(j);
	if (name_local(j, error.text) == -1) {
		error.code = E_IO_ERROR;
		create_fail(j, &error, VERDICT_NONE, NULL);
		forms_remote_settle(e, j->backup_id);
		return;
	}
	catalog_published(e->catalog, j->backup_id);
	create_discard(j);
	unchanged_captured(e, j->database, j->backup_id,
	    &c->captured.signature);
	create_tell(c, NULL);
	expire_kick(e, j->database->name);
	to_remotes(j, image);
}

/* ---- forms ---- */

/* What is told as the job's progress is the check's while that runs. */
static void
on_progress(void *arg, const struct m_w_progress *p)
{
	struct job	*j = arg;
	struct create	*c = j->data;

	if (c->checking)
		job_spent(j, &p->spent);
	else
		job_progress(j, p);
}

static int
forms_differ(const struct conf_database *d)
{
	return (d->local.compress != d->remote.compress ||
	    !d->local.encrypt != !d->remote.encrypt);
}

/* Starts one of the two: done is called with what came of it. */
static void
pack_form(struct job *j, const struct conf_forms *forms,
    void (*done)(void *, const struct packed *, const struct m_error *))
{
	struct create		*c = j->data;
	struct pack_order	 o;
	struct m_error		 error;

	memset(&o, 0, sizeof(o));
	o.database = j->database;
	o.forms = forms;
	o.id = j->backup_id;
	o.size = c->captured.size;
	o.checksum = c->captured.checksum;
	o.prove = j->database->verify != VERIFY_NONE;
	o.sent = !TAILQ_EMPTY(&j->database->targets) &&
	    (forms == &j->database->remote || !forms_differ(j->database));
	o.progress = on_progress;
	o.done = done;
	o.arg = j;
	memset(&error, 0, sizeof(error));
	if ((o.image = store_reopen(j->engine->store, &c->artifact,
	    error.text)) == -1) {
		error.code = E_IO_ERROR;
		done(j, NULL, &error);
		return;
	}
	if (!c->checking)
		job_phase(j, "pack", 0, o.size);
	pack_start(j->engine, &o);
}

/* Without it the backup stands, but its remotes get nothing: unencrypted
 * it must not go there. */
static void
on_remote_packed(void *arg, const struct packed *p,
    const struct m_error *error)
{
	struct job	*j = arg;
	struct create	*c = j->data;

	if (error == NULL)
		c->remote = *p;
	else {
		snprintf(c->remote_error, sizeof(c->remote_error), "it could "
		    "not be packed for the remote: %.400s", error->text);
		log_warnx("backup %lld: %s", (long long)j->backup_id,
		    c->remote_error);
	}
	name_all(j);
}

static void
pack_remote(struct job *j)
{
	struct create		*c = j->data;
	struct conf_database	*d = j->database;

	if (c->verified.verdict == VERDICT_DAMAGED ||
	    TAILQ_EMPTY(&d->targets) || !remote_differs(c, d)) {
		name_all(j);
		return;
	}
	c->remote_image = forms_of(&d->remote) == 0;
	if (c->remote_image)
		name_all(j);
	else
		pack_form(j, &d->remote, on_remote_packed);
}

static void
on_local_packed(void *arg, const struct packed *p,
    const struct m_error *error)
{
	struct job	*j = arg;
	struct create	*c = j->data;

	c->packing = 0;
	if (error == NULL)
		c->local = *p;
	else
		c->pack_error = *error;
	create_publish(j);
}

void
create_pack(struct job *j)
{
	struct create	*c = j->data;

	if (forms_of(&j->database->local) == 0) {
		create_publish(j);
		return;
	}
	c->packing = 1;
	pack_form(j, &j->database->local, on_local_packed);
}

void
create_publish(struct job *j)
{
	struct create	*c = j->data;

	if (c->checking || c->packing)
		return;
	if (c->check_error.code != E_NONE)
		create_fail(j, &c->check_error, VERDICT_NONE, NULL);
	else if (c->pack_error.code != E_NONE)
		create_fail(j, &c->pack_error, VERDICT_NONE, NULL);
	else
		pack_remote(j);
}
