/*
 * The engine runs this: a backup that only a remote has, for a download.
 * It is fetched into a temporary file, settled, and checked by a worker
 * without rights (H16) before a client gets a byte.  The temporary file
 * loses its name at once; the descriptor keeps it alive.  When the client
 * goes away, nobody waits for it, and a remote must not fill the disk for
 * nobody: the transfer is given up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

struct fetching {
	LIST_ENTRY(fetching) entry;
	struct job	*job;
	uint64_t	 conn;		/* the client's, 0: it went away */
	uint64_t	 transfer;	/* 0: not begun */
	struct engine	*engine;
	struct artifact	 artifact;
	struct m_backup	 backup;	/* what the answer says */
	int		 known;		/* the catalog has its checksum */
	int		 fd;		/* settled, for the client */
	char		 remote_id[REMOTE_ID_BYTES];
	uint32_t	 remote;
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
	store_discard(f->engine->store, &f->artifact);
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
	if (f->known && strcmp(v.checksum, f->backup.checksum) != 0) {
		fetch_failed(j, E_INVALID_BACKUP, "what the remote sent is "
		    "not what was uploaded: its checksum differs");
		return;
	}
	if (!f->known && v.verdict == VERDICT_DAMAGED) {
		snprintf(text, sizeof(text), "what the remote sent is not a "
		    "sound database: %.300s", v.text);
		fetch_failed(j, E_INVALID_BACKUP, text);
		return;
	}
	/* An empty file is a sound database, and no answer that one got. */
	if (!f->known && v.size == 0) {
		fetch_failed(j, E_INVALID_BACKUP, "what the remote sent is "
		    "empty");
		return;
	}
	store_discard(f->engine->store, &f->artifact);
	f->backup.file_size = (int64_t)v.size;
	strlcpy(f->backup.checksum, v.checksum, sizeof(f->backup.checksum));
	chan_send(f->engine->front.chan, MSG_REP_DOWNLOAD, j->request,
	    &f->backup, sizeof(f->backup), f->fd);
	f->fd = -1;
	leave(f);
	job_done(j);
}

static void
on_fetched(void *arg, const struct fetch_result *r)
{
	struct job		*j = arg;
	struct fetching		*f = j->data;
	struct engine		*e = f->engine;
	struct m_w_verify	 o;
	char			 err[TEXT_BYTES];
	int			 fd;

	if (f->conn == 0) {
		fetch_abandoned(j);
		return;
	}
	if (r->code != E_NONE) {
		fetch_failed(j, r->code, r->text);
		return;
	}
	if ((f->fd = store_settle(e->store, &f->artifact, err)) == -1 ||
	    (fd = store_reopen(e->store, &f->artifact, err)) == -1) {
		fetch_failed(j, E_IO_ERROR, err);
		return;
	}
	store_discard(e->store, &f->artifact);	/* the descriptors stay */
	job_phase(j, "verify", 0, r->size);
	memset(&o, 0, sizeof(o));
	o.level = f->known ? VERIFY_NONE : VERIFY_QUICK;
	if (verify_start(e, &o, fd, NULL, on_verified, j) == -1)
		fetch_failed(j, E_BUSY, "too many workers run");
}

static void
run(struct job *j)
{
	struct fetching	*f = j->data;
	struct engine	*e = f->engine;
	uint32_t	 code = E_IO_ERROR;
	char		 err[TEXT_BYTES];

	if (store_create(e->store, STORE_SCRATCH, (int64_t)j->id, &f->artifact,
	    &code, err) == -1) {
		fetch_failed(j, code, err);
		return;
	}
	job_phase(j, "fetch", 0, 0);
	f->transfer = remote_fetch(e, f->remote, f->remote_id,
	    f->artifact.fd, &f->backup, on_fetched, j);
}

void
fetch_request(struct engine *e, uint64_t request, uint64_t conn,
    uint32_t remote, const char *remote_id, const struct m_backup *known)
{
	struct fetching	*f;
	struct job	*j;

	f = xcalloc(1, sizeof(*f));
	f->engine = e;
	f->fd = -1;
	f->artifact.fd = -1;
	f->remote = remote;
	strlcpy(f->remote_id, remote_id, sizeof(f->remote_id));
	if (known != NULL) {
		f->backup = *known;
		f->known = known->checksum[0] != '\0';
	} else {
		strlcpy(f->backup.name, remote_id, sizeof(f->backup.name));
		strlcpy(f->backup.remote_id, remote_id,
		    sizeof(f->backup.remote_id));
		strlcpy(f->backup.status, "completed",
		    sizeof(f->backup.status));
	}
	if ((j = job_new(e, "fetch", NULL, run, release, f)) == NULL) {
		free(f);
		reply_error(e, request, E_BUSY, 0, "too many jobs wait");
		return;
	}
	j->request = request;
	f->job = j;
	f->conn = conn;
	LIST_INSERT_HEAD(&fetchings, f, entry);
}

void
fetch_conn_closed(struct engine *e, uint64_t conn)
{
	struct fetching	*f, *next;

	for (f = LIST_FIRST(&fetchings); f != NULL; f = next) {
		next = LIST_NEXT(f, entry);
		if (f->conn != conn)
			continue;
		f->conn = 0;
		if (f->job->state == JOB_QUEUED)
			fetch_abandoned(f->job);
		else
			remote_fetch_cancel(e, f->transfer);
	}
}
