/*
 * The engine runs this: a download of what is not here as an image.  What
 * only a remote has is fetched into a temporary file and settled; what is
 * compressed is unpacked, unless its bytes were asked for; all of it is
 * checked by a worker without rights (H16) before a client gets a byte.  A
 * temporary file loses its name at once; the descriptor keeps it alive.
 * When the client goes away, nobody waits for it, and a remote must not
 * fill the disk for nobody: the transfer is given up.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/reading.h"

struct fetching {
	LIST_ENTRY(fetching) entry;
	struct job	*job;
	uint64_t	 conn;		/* the client's, 0: it went away */
	struct reading	*reading;	/* NULL: none runs */
	struct place	 places[PLACES_MAX];
	size_t		 n;		/* remotes that have it */
	int		 asked;		/* they were */
	struct engine	*engine;
	struct m_backup	 backup;	/* what the answer says */
	int		 raw;		/* as it is stored */
	uint32_t	 form;		/* of what is stored; FORM_* */
	char		 checksum[CHECKSUM_BYTES];	/* what it must have;
					 * "": nobody knows */
	int		 fd;		/* settled, for the client */
};
static LIST_HEAD(, fetching) fetchings = LIST_HEAD_INITIALIZER(fetchings);

/* It has its answer; the job is remembered for an hour. */
static void
leave(struct fetching *f)
{
	if (f->job != NULL)
		LIST_REMOVE(f, entry);
	f->job = NULL;
}

static void
release(struct job *j)
{
	struct fetching	*f = j->data;

	leave(f);
	if (f->fd != -1)
		close(f->fd);
	free(f);
}

static void
fetch_failed(struct job *j, enum err code, const char *text)
{
	struct fetching	*f = j->data;
	struct m_error	 error;

	leave(f);
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
	memset(&error, 0, sizeof(error));
	error.code = code;
	strlcpy(error.text, text, sizeof(error.text));
	if (f->conn != 0)
		reply_error(f->engine, j->request, code, f->backup.id, text);
	job_failed(j, &error);
}

static void
fetch_abandoned(struct job *j)
{
	fetch_failed(j, E_REQUEST_TIMEOUT, "the client went away before the "
	    "backup was there");
}

static int	elsewhere(struct job *, const char *why);

/* Are these bytes that no check of a database could be made of? */
static int
sealed(const struct fetching *f)
{
	return (f->raw && f->form != 0);
}

static void
on_verified(void *arg, const struct task_result *r)
{
	struct job		*j = arg;
	struct fetching		*f = j->data;
	struct m_w_verified	 v;
	struct m_error		 error;
	char			 text[TEXT_BYTES];

	if (f->conn == 0) {
		fetch_abandoned(j);
		return;
	}
	if (verify_result(r, f->fd, &v, &error) == -1) {
		fetch_failed(j, error.code, error.text);
		return;
	}
	if (f->checksum[0] != '\0' && strcmp(v.checksum, f->checksum) != 0) {
		if (!elsewhere(j, "its checksum differs"))
			fetch_failed(j, E_INVALID_BACKUP, "the backup is not "
			    "what was stored: its checksum differs");
		return;
	}
	if (f->checksum[0] == '\0' && !sealed(f) &&
	    v.verdict == VERDICT_DAMAGED) {
		snprintf(text, sizeof(text), "what the remote sent is not a "
		    "sound database: %.300s", v.text);
		fetch_failed(j, E_INVALID_BACKUP, text);
		return;
	}
	/* An empty file is a sound database, and no answer that one got. */
	if (f->checksum[0] == '\0' && v.size == 0) {
		fetch_failed(j, E_INVALID_BACKUP, "what the remote sent is "
		    "empty");
		return;
	}
	f->backup.file_size = (int64_t)v.size;
	strlcpy(f->backup.checksum, v.checksum, sizeof(f->backup.checksum));
	strlcpy(f->backup.form, f->raw ? form_name(f->form) : FORM_PLAIN,
	    sizeof(f->backup.form));
	chan_send(f->engine->front.chan, MSG_REP_DOWNLOAD, j->request,
	    &f->backup, sizeof(f->backup), f->fd);
	f->fd = -1;
	leave(f);
	job_done(j);
}

/* f->fd is what the client gets, if it is what it should be. */
static void
verify(struct job *j)
{
	struct fetching		*f = j->data;
	struct m_w_verify	 o;

	job_phase(j, "verify", 0, 0);
	memset(&o, 0, sizeof(o));
	o.level = f->checksum[0] != '\0' || sealed(f) ? VERIFY_NONE :
	    VERIFY_QUICK;
	if (verify_start(f->engine, &o, task_copy(f->fd), NULL, on_verified,
	    j) == -1)
		fetch_failed(j, E_BUSY, task_refusal());
}

static void
on_image(void *arg, const struct image_result *r)
{
	struct job	*j = arg;
	struct fetching	*f = j->data;

	if (r->error.code != E_NONE) {
		if (!elsewhere(j, r->error.text))
			fetch_failed(j, r->error.code, r->error.text);
	} else {
		f->fd = r->fd;
		verify(j);
	}
}

static void
on_progress(void *arg, const struct m_w_progress *p)
{
	job_progress(arg, p);
}

/* The stored bytes are here, settled. */
static void
open_image(struct job *j)
{
	struct fetching		*f = j->data;
	struct image_order	 o;

	if (f->raw) {
		if (f->form == FORM_UNKNOWN)
			f->form = image_form(f->fd);
		verify(j);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.fd = f->fd;
	f->fd = -1;
	o.form = f->form;
	o.size = f->checksum[0] != '\0' ? f->backup.file_size : -1;
	o.id = (int64_t)j->id;
	o.progress = on_progress;
	o.done = on_image;
	o.arg = j;
	image_open(f->engine, &o);
}

static void
on_read(void *arg, const struct reading_result *r)
{
	struct job		*j = arg;
	struct fetching		*f = j->data;

	f->reading = NULL;
	f->fd = r->fd;
	if (f->conn == 0)
		fetch_abandoned(j);
	else if (r->code != E_NONE)
		fetch_failed(j, r->code, r->text);
	else {
		strlcpy(f->backup.served_by, r->remote->name,
		    sizeof(f->backup.served_by));
		open_image(j);
	}
}

static void
read_back(struct job *j)
{
	struct fetching		*f = j->data;
	struct reading_order	 o;

	f->asked = 1;
	job_phase(j, "fetch", 0, 0);
	memset(&o, 0, sizeof(o));
	o.backup = &f->backup;
	o.places = f->places;
	o.n = f->n;
	o.id = (int64_t)j->id;
	o.done = on_read;
	o.arg = j;
	f->reading = reading_start(f->engine, &o);
}

/* What is here is no good: 1 when remotes are asked instead. */
static int
elsewhere(struct job *j, const char *why)
{
	struct fetching		*f = j->data;
	struct forms_copy	 c;

	if (f->asked || f->n == 0 || f->conn == 0)
		return (0);
	log_warnx("backup %lld as it is stored here: %s; its remotes are "
	    "asked", (long long)f->backup.id, why);
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
	forms_at_remote(&f->backup, &c);
	f->form = c.form;
	if (f->raw)
		strlcpy(f->checksum, c.checksum, sizeof(f->checksum));
	read_back(j);
	return (1);
}

static void
run(struct job *j)
{
	struct fetching	*f = j->data;

	if (f->fd != -1)		/* it is here */
		open_image(j);
	else
		read_back(j);
}

/* What is known of it, before anything is done. */
static void
facts(struct fetching *f, const struct fetch_order *o)
{
	struct forms_copy	c;

	if (o->known == NULL) {
		strlcpy(f->backup.name, o->remote_id, sizeof(f->backup.name));
		strlcpy(f->backup.remote_id, o->remote_id,
		    sizeof(f->backup.remote_id));
		strlcpy(f->backup.status, "completed",
		    sizeof(f->backup.status));
		f->form = FORM_UNKNOWN;
		return;
	}
	f->backup = *o->known;
	strlcpy(f->backup.served_by, PLACE_LOCAL,
	    sizeof(f->backup.served_by));
	if (o->fd != -1)
		forms_at_local(o->known, &c);
	else
		forms_at_remote(o->known, &c);
	f->form = c.form;
	strlcpy(f->checksum, o->raw ? c.checksum : o->known->checksum,
	    sizeof(f->checksum));
}

void
fetch_request(struct engine *e, const struct fetch_order *o)
{
	struct fetching	*f;
	struct job	*j;

	f = xcalloc(1, sizeof(*f));
	f->engine = e;
	f->fd = o->fd;
	f->raw = o->raw;
	if (o->known != NULL)
		f->n = places_of(e, o->known, f->places);
	else {
		f->n = 1;
		f->places[0].remote = o->remote;
		strlcpy(f->places[0].remote_id, o->remote_id,
		    sizeof(f->places[0].remote_id));
	}
	facts(f, o);
	if ((f->form & FORM_AGE) && !f->raw) {
		reply_error(e, o->request, E_IDENTITY_NEEDED, f->backup.id,
		    "the backup is encrypted, and a download takes no "
		    "identity");
		if (f->fd != -1)
			close(f->fd);
		free(f);
		return;
	}
	if ((j = job_new(e, "fetch", NULL, run, release, f)) == NULL) {
		if (f->fd != -1)
			close(f->fd);
		free(f);
		reply_error(e, o->request, E_BUSY, 0, "too many jobs wait");
		return;
	}
	j->request = o->request;
	j->backup_id = f->backup.id;	/* nobody deletes it meanwhile */
	f->job = j;
	f->conn = o->conn;
	LIST_INSERT_HEAD(&fetchings, f, entry);
}

void
fetch_conn_closed(struct engine *e, uint64_t conn)
{
	struct fetching	*f, *next;

	(void)e;
	for (f = LIST_FIRST(&fetchings); f != NULL; f = next) {
		next = LIST_NEXT(f, entry);
		if (f->conn != conn)
			continue;
		f->conn = 0;
		if (f->job->state == JOB_QUEUED)
			fetch_abandoned(f->job);
		else if (f->reading != NULL)
			reading_cancel(f->reading);
	}
}
