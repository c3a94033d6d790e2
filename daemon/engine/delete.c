/*
 * The engine runs this: what a client asks about one backup, and does to
 * it: its places, its end, its pin.  It owns nothing but the order: marks
 * first, then deletion, then the rows.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/remote_s3.h"
#include "daemon/engine/forms.h"

/* ---- GET /backup/ID ---- */

struct telling {
	struct engine	*engine;
	uint64_t	 request;
};

static void
tell_copy(const struct m_copy *m, void *arg)
{
	struct telling	*t = arg;

	chan_send(t->engine->front.chan, MSG_REP_COPY, t->request, m,
	    sizeof(*m), -1);
}

void
detail_request(struct engine *e, uint64_t request, const struct m_backup *b)
{
	struct telling	t = { e, request };
	struct m_detail	m;

	memset(&m, 0, sizeof(m));
	m.backup = *b;
	catalog_copies_of(e->catalog, b->id, tell_copy, &t);
	catalog_detail(e->catalog, b->id, &m);
	chan_send(e->front.chan, MSG_REP_DETAIL, request, &m, sizeof(m), -1);
}

/* ---- DELETE /backup/ID ---- */

/* Every copy, and what is to be done about it. */
struct deleting {
	struct engine		*engine;
	const struct m_backup	*backup;
	struct m_deleted	 told;
	char			 unsent[LOCATIONS_BYTES];
	char			 uploading[REMOTE_NAME_BYTES];
};

static void
place_add(char dst[LOCATIONS_BYTES], const char *place)
{
	if (dst[0] != '\0')
		strlcat(dst, ",", LOCATIONS_BYTES);
	strlcat(dst, place, LOCATIONS_BYTES);
}

static void
sort_copy(const struct m_copy *m, void *arg)
{
	struct deleting			*d = arg;
	const struct conf_remote	*r;

	if (strcmp(m->place, PLACE_LOCAL) == 0) {
		place_add(d->told.deleted, m->place);
		return;
	}
	if (strcmp(m->state, "uploading") == 0)
		strlcpy(d->uploading, m->place, sizeof(d->uploading));
	if (strcmp(m->state, "completed") != 0) {
		place_add(d->unsent, m->place);
		return;
	}
	r = conf_remote(d->engine->conf, m->place);
	place_add(r != NULL && expire_can_delete(r) ? d->told.deleting :
	    d->told.stays, m->place);
}

/* May it go?  0, or -1 after the answer. */
static int
delete_check(struct engine *e, uint64_t request, const struct deleting *d,
    int force)
{
	const struct m_backup	*b = d->backup;
	const struct job	*j;
	char			 text[TEXT_BYTES];

	if (b->pinned_ms != 0) {
		reply_error(e, request, E_BACKUP_PINNED, b->id,
		    "the backup is pinned");
		return (-1);
	}
	if ((j = expire_user(e, b->id)) != NULL || d->uploading[0] != '\0') {
		if (j != NULL)
			snprintf(text, sizeof(text), "job %llu (%s) uses the "
			    "backup", (unsigned long long)j->id, j->kind);
		else
			snprintf(text, sizeof(text), "the backup is being "
			    "sent to %s", d->uploading);
		reply_error(e, request, E_BACKUP_IN_USE, b->id, text);
		return (-1);
	}
	if (!force && catalog_newest_proven(e->catalog, b->database) ==
	    b->id) {
		snprintf(text, sizeof(text), "this is the last proven backup "
		    "of %s", b->database);
		reply_error(e, request, E_FORCE_REQUIRED, b->id, text);
		return (-1);
	}
	return (0);
}

/* places: "hq,offsite" */
static void
each_place(struct deleting *d, const char *places, int64_t doomed_ms,
    const char *why)
{
	const struct conf_remote	*remote;
	char				 text[LOCATIONS_BYTES], *next, *place;

	strlcpy(text, places, sizeof(text));
	for (next = text; (place = strsep(&next, ",")) != NULL; ) {
		if (place[0] == '\0')
			continue;
		if (doomed_ms == 0 && (remote = conf_remote(d->engine->conf,
		    place)) != NULL && remote->kind == REMOTE_S3)
			s3_give_up(d->engine, remote, d->backup);
		if (doomed_ms == 0)
			(void)catalog_copy_removed(d->engine->catalog,
			    d->backup->id, place);
		else
			(void)catalog_doom(d->engine->catalog, d->backup->id,
			    place, doomed_ms, why);
	}
}

void
delete_request(struct engine *e, uint64_t request, const struct m_backup *b,
    const struct m_asker *a, int force)
{
	struct deleting		 d;
	struct catalog_doomed	 local;
	static const char	 why[] = EXPIRE_BY_HAND;

	memset(&d, 0, sizeof(d));
	d.engine = e;
	d.backup = b;
	d.told.backup_id = b->id;
	strlcpy(d.told.database, b->database, sizeof(d.told.database));
	catalog_copies_of(e->catalog, b->id, sort_copy, &d);
	if (delete_check(e, request, &d, force) == -1)
		return;
	/* What was never sent need not be any more; after a crash here it is
	 * a backup that waits for nobody. */
	each_place(&d, d.unsent, 0, NULL);
	forms_remote_settle(e, b->id);
	catalog_together(e->catalog);
	each_place(&d, d.told.deleted, util_now_ms(), why);
	each_place(&d, d.told.deleting, util_now_ms(), why);
	each_place(&d, d.told.stays, -1, why);
	catalog_together_end(e->catalog);
	if (catalog_doomed_get(e->catalog, PLACE_LOCAL, b->id, &local) &&
	    expire_delete_local(e, &local) == -1) {
		memset(d.told.deleted, 0, sizeof(d.told.deleted));
		place_add(d.told.deleting, PLACE_LOCAL);
	}
	audit_now(e, a, "delete", b->database, b->id);
	expire_remotes_kick(e);
	chan_send(e->front.chan, MSG_REP_DELETED, request, &d.told,
	    sizeof(d.told), -1);
	expire_kick(e, b->database);
}

/* ---- POST /pin/ID, /unpin/ID ---- */

void
pin_request(struct engine *e, uint64_t request, const struct m_backup *b,
    const struct m_asker *a, int pin)
{
	struct m_backup	now;

	if (pin && expire_remote_deletes(b->id)) {
		reply_error(e, request, E_BACKUP_IN_USE, b->id, "a remote is "
		    "just deleting its copy; ask again in a moment");
		return;
	}
	/* The first pin's time stays. */
	if (pin != (b->pinned_ms != 0)) {
		(void)catalog_pin(e->catalog, b->id, pin ? util_now_ms() : 0);
		audit_now(e, a, pin ? "pin" : "unpin", b->database, b->id);
	}
	if (catalog_get(e->catalog, b->id, &now) != 1)
		fatalx("backup %lld has no row", (long long)b->id);
	chan_send(e->front.chan, MSG_REP_BACKUP, request, &now, sizeof(now),
	    -1);
	if (!pin)
		expire_kick(e, b->database);
}
