/*
 * The engine runs this: the safety backup of a restore.  It gets its name
 * under the write lock of the worker, so that a crash from then on leaves
 * it (the sweeper adopts it).  The worker has closed it by then, so that
 * nobody can write to it any more, and its proof goes beside the writing
 * (H11, H14); the catalog hears of it after that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/restore.h"
#include "proto/form.h"

#define PROOFS_MAX	2		/* a worker may have been killed */

static void	prove(struct job *);

static off_t
raw_size(struct job *j, enum w_file_kind kind)
{
	struct restoring	*r = j->data;
	char			 err[TEXT_BYTES];
	off_t			 size;
	int			 fd;

	if ((fd = store_reopen(j->engine->store, &r->kept[kind], err)) == -1) {
		log_warnx("%s", err);
		return (-1);
	}
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	return (size);
}

/* What stood beside a database that could not be read. */
static int
raw_publish(struct job *j, enum w_file_kind kind, const char *suffix)
{
	struct restoring	*r = j->data;
	char			 err[TEXT_BYTES], path[ARTIFACT_BYTES];
	off_t			 size;

	if ((size = raw_size(j, kind)) < 1)
		return (size == 0 ? 0 : -1);
	if (store_publish_raw(j->engine->store, &r->kept[kind], r->safety_id,
	    r->safety_created_ms, suffix, err) == -1) {
		log_warnx("%s", err);
		return (-1);
	}
	store_final_path(j->engine->store, j->database->name, r->safety_id,
	    r->safety_created_ms, FORM_PLAIN, path);
	log_info("what stood beside %s is kept as %s%s", j->database->name,
	    path, suffix);
	return (0);
}

static int
raws_publish(struct job *j)
{
	return (raw_publish(j, W_FILE_RAW_WAL, "-wal.raw") == -1 ||
	    raw_publish(j, W_FILE_RAW_JOURNAL, "-journal.raw") == -1 ? -1 :
	    0);
}

static void
row_insert(struct job *j)
{
	struct restoring	*r = j->data;
	struct catalog_new	 row;
	char			 name[NAME_BYTES];

	memset(&row, 0, sizeof(row));
	if (r->backup.id != 0)
		snprintf(name, sizeof(name), "Before the restore of backup "
		    "%lld", (long long)r->backup.id);
	else
		snprintf(name, sizeof(name), "Before the restore of %.200s",
		    r->remote_id);
	row.database = j->database->name;
	row.name = name;
	row.description = "";
	row.type = "system";
	row.user = j->database->user;
	r->safety_created_ms = row.created_ms = util_now_ms();
	r->safety_id = catalog_insert(j->engine->catalog, &row);
}

/* Only a -wal or a journal stood there, without its database. */
static int
leftovers_publish(struct job *j)
{
	struct restoring	*r = j->data;
	int			 rv;

	if (raw_size(j, W_FILE_RAW_WAL) == 0 &&
	    raw_size(j, W_FILE_RAW_JOURNAL) == 0)
		return (0);
	row_insert(j);
	rv = raws_publish(j);
	catalog_failed(j->engine->catalog, r->safety_id,
	    "there was no database, only what stood beside it: that is kept "
	    "under this name with .raw at its end", VERDICT_NONE, NULL);
	r->safety_id = 0;
	return (rv);
}

int
restore_safety_publish(struct job *j)
{
	struct restoring	*r = j->data;
	struct engine		*e = j->engine;
	char			 err[TEXT_BYTES];

	/* mode 0: there was no database. */
	if (r->safety.mode == 0 && r->safety.size == 0)
		return (leftovers_publish(j));
	row_insert(j);
	if (store_publish(e->store, &r->kept[W_FILE_SAFETY], r->safety_id,
	    r->safety_created_ms, FORM_PLAIN, err) == -1) {
		log_warnx("%s", err);
		catalog_failed(e->catalog, r->safety_id, err, VERDICT_NONE,
		    NULL);
		r->safety_id = 0;
		return (-1);
	}
	r->restore_id = catalog_restore_begin(e->catalog, j->database->name,
	    r->backup.id, r->safety_id);
	return (raws_publish(j));
}

/* Proven or not, the restore itself has ended: its answer. */
static void
answer(struct job *j)
{
	struct restoring	*r = j->data;

	if (r->error.code != E_NONE)
		restore_fail(j, &r->error);
	else
		restore_finish(j);
}

static void
safety_damaged(struct job *j, const char *why)
{
	struct restoring	*r = j->data;
	char			 path[ARTIFACT_BYTES], text[TEXT_BYTES];

	store_final_path(j->engine->store, j->database->name, r->safety_id,
	    r->safety_created_ms, FORM_PLAIN, path);
	snprintf(text, sizeof(text), "what was replaced is kept, but it is "
	    "not a sound database: %.300s", why);
	catalog_failed(j->engine->catalog, r->safety_id, text,
	    VERDICT_DAMAGED, path);
	log_warnx("%s", text);
	answer(j);
}

/*
 * Nobody could say whether it is sound.  A row without a file leaves the
 * file to be adopted, and by that checked again, at the next start.
 */
static void
safety_unproven(struct job *j, const char *why)
{
	struct restoring	*r = j->data;
	char			 text[TEXT_BYTES];

	if (!j->engine->stopping && r->safety_proofs < PROOFS_MAX) {
		prove(j);
		return;
	}
	snprintf(text, sizeof(text), "what was replaced is kept, but could "
	    "not be checked (%.300s); it gets an entry of its own when the "
	    "daemon starts again", why);
	catalog_failed(j->engine->catalog, r->safety_id, text, VERDICT_NONE,
	    NULL);
	log_warnx("%s", text);
	answer(j);
}

/* Both have ended, the writing and the proof. */
static void
conclude(struct job *j)
{
	struct restoring	*r = j->data;
	struct engine		*e = j->engine;
	char			 path[ARTIFACT_BYTES];

	store_final_path(e->store, j->database->name, r->safety_id,
	    r->safety_created_ms, FORM_PLAIN, path);
	r->safety.size = r->proof.size;
	strlcpy(r->safety.checksum, r->proof.checksum,
	    sizeof(r->safety.checksum));
	catalog_proven(e->catalog, r->safety_id, path, &r->safety, &r->proof,
	    NULL);
	if (r->proof.verdict == VERDICT_DAMAGED) {
		safety_damaged(j, r->proof.text);
		return;
	}
	catalog_published(e->catalog, r->safety_id);
	answer(j);
}

static void
on_progress(void *arg, const struct m_w_progress *p)
{
	job_spent(arg, &p->spent);
}

static void
on_verified(void *arg, const struct task_result *t)
{
	struct job		*j = arg;
	struct restoring	*r = j->data;
	struct m_error		 error;

	r->proving = 0;
	if (verify_result(t, -1, &r->proof, &error) == 0)
		r->proven = 1;
	if (!r->ended)
		return;
	if (r->proven)
		conclude(j);
	else
		safety_unproven(j, error.text);
}

static int
check(struct job *j, char *err)
{
	struct restoring	*r = j->data;
	struct engine		*e = j->engine;
	struct m_w_verify	 o;
	int			 fd;

	if (e->stopping) {		/* a check may take minutes */
		strlcpy(err, "the daemon was about to end", TEXT_BYTES);
		return (-1);
	}
	if ((fd = store_settle(e->store, &r->kept[W_FILE_SAFETY], err)) == -1)
		return (-1);
	memset(&o, 0, sizeof(o));
	o.level = VERIFY_QUICK;
	/* Applications wait for who holds the lock, nobody for the check. */
	o.flags = r->ended ? 0 : VERIFY_LOW;
	if (verify_start(e, &o, fd, on_progress, on_verified, j) == -1) {
		strlcpy(err, task_refusal(), TEXT_BYTES);
		return (-1);
	}
	r->proving = 1;
	return (0);
}

static void
prove(struct job *j)
{
	struct restoring	*r = j->data;
	char			 err[TEXT_BYTES];

	r->safety_proofs++;
	if (check(j, err) == -1)
		safety_unproven(j, err);
}

void
restore_safety_ahead(struct job *j)
{
	struct restoring	*r = j->data;
	char			 err[TEXT_BYTES];

	if (r->safety_id != 0 && check(j, err) == -1)
		log_debug("safety backup %lld is checked later: %s",
		    (long long)r->safety_id, err);
}

void
restore_safety_end(struct job *j, const struct m_error *error)
{
	struct restoring	*r = j->data;

	r->ended = 1;
	if (error != NULL)
		r->error = *error;
	job_phase(j, "safety", 0, r->safety.size);
	if (r->proven)
		conclude(j);
	else if (!r->proving)
		prove(j);
}

/* What undo needs to know. */
static void
remember(struct job *j)
{
	struct restoring	*r = j->data;
	struct engine		*e = j->engine;
	struct event_about	 about = { j->database->name, "",
				    r->backup.id };

	catalog_together(e->catalog);
	if (r->restore_id == 0)		/* there was nothing before */
		r->restore_id = catalog_restore_begin(e->catalog,
		    j->database->name, r->backup.id, 0);
	catalog_restore_done(e->catalog, r->restore_id, r->restored_ms);
	if (r->undoes.id != 0)
		catalog_restore_undone(e->catalog, r->undoes.id,
		    r->restored_ms);
	catalog_together_end(e->catalog);
	events_add(e, EVENT_RESTORED, &about, "Backup %lld was restored into "
	    "%s%s; what was there before is backup %lld.",
	    (long long)r->backup.id, j->database->name, r->undoes.id != 0 ?
	    ", to undo the last restore" : "", (long long)r->safety_id);
	alarms_expect_anew(e, j->database->name);
	expire_kick(e, j->database->name);
}

void
restore_finish(struct job *j)
{
	struct restoring	*r = j->data;
	struct m_restored	 m;

	remember(j);
	memset(&m, 0, sizeof(m));
	m.backup_id = r->backup.id;
	m.safety_backup_id = j->safety_backup_id = r->safety_id;
	m.restored_ms = r->restored_ms;
	m.size = r->size;
	m.duration_us = util_monotonic_us() - r->started_us;
	m.lock_held_us = r->done.lock_held_us;
	m.undone_id = r->undoes.backup_id;
	m.undone_ms = r->undoes.at_ms;
	strlcpy(m.method, r->done.method == RESTORE_LIVE ? "live" : "replace",
	    sizeof(m.method));
	strlcpy(m.checksum, r->checksum, sizeof(m.checksum));
	strlcpy(m.remote_id, r->remote_id, sizeof(m.remote_id));
	strlcpy(m.database, j->database->name, sizeof(m.database));
	strlcpy(m.served_by, r->served_by, sizeof(m.served_by));
	log_info("restored backup %lld into %s: method=%s size=%llu "
	    "safety=%lld duration_ms=%llu lock_held_ms=%llu",
	    (long long)r->backup.id, j->database->name, m.method,
	    (unsigned long long)m.size, (long long)m.safety_backup_id,
	    (unsigned long long)m.duration_us / 1000,
	    (unsigned long long)m.lock_held_us / 1000);
	if (j->request != 0)
		chan_send(j->engine->front.chan, MSG_REP_RESTORED, j->request,
		    &m, sizeof(m), -1);
	j->request = 0;
	restore_clean(j);
	job_phase(j, "done", r->size, r->size);
	job_done(j);
}
