/*
 * The engine runs this: what front asks for its clients.  A message that
 * is no truth front could tell (a text without end, a number out of range,
 * a connection that is none) is fatal; what a client asked for wrongly gets
 * an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/reload.h"
#include "daemon/engine/remote_s3.h"
#include "daemon/engine/requests.h"
#include "proto/form.h"

void
reply_error(struct engine *e, uint64_t request, enum err code,
    int64_t backup_id, const char *text)
{
	struct m_error	m;

	memset(&m, 0, sizeof(m));
	m.code = code;
	m.backup_id = backup_id;
	strlcpy(m.text, text, sizeof(m.text));
	chan_send(e->front.chan, MSG_REP_ERROR, request, &m, sizeof(m), -1);
}

void
requests_impossible(const struct msg *m)
{
	fatalx("front: impossible %s", msg_desc(m->type)->name);
}

static int
user_ok(const struct m_user *u)
{
	return (u->kind <= USER_NUMBER && msg_text_ok(u->id));
}

static const char	*action_of(uint32_t type);

static void
reply_refused(struct engine *e, uint64_t request, const struct m_asker *a,
    enum err code, int64_t backup_id, uint32_t wait_s)
{
	struct m_error	m;

	memset(&m, 0, sizeof(m));
	m.code = code;
	m.backup_id = backup_id;
	m.retry_after_s = wait_s;
	if (code == E_UNAUTHORIZED)
		strlcpy(m.text, "the token is not valid: it is not known, "
		    "has expired or was revoked", sizeof(m.text));
	else if (code == E_TOO_MANY_REQUESTS)
		snprintf(m.text, sizeof(m.text), "too many requests were "
		    "refused; wait %u seconds", wait_s);
	else
		snprintf(m.text, sizeof(m.text), "this %s has no right to do "
		    "that", a->flags & ASKER_TOKEN ? "token" : "user");
	chan_send(e->front.chan, MSG_REP_ERROR, request, &m, sizeof(m), -1);
}

int
requests_allowed(struct engine *e, const struct msg *msg,
    const struct m_asker *a, uint32_t right, const char *database,
    int64_t backup_id)
{
	enum err	code;
	uint32_t	wait_s;

	code = rights_ask(e, a, right, database, action_of(msg->type),
	    backup_id, &wait_s);
	if (code == E_NONE)
		return (1);
	reply_refused(e, msg->id, a, code, 0, wait_s);
	return (0);
}

int
request_allowed(struct engine *e, const struct msg *msg,
    const struct m_asker *a, uint32_t right)
{
	return (requests_allowed(e, msg, a, right, NULL, 0));
}

/* The database of that name if he may, or NULL after the answer. */
static struct conf_database *
database_allowed(struct engine *e, const struct msg *msg,
    const struct m_asker *a, uint32_t right, const char *name)
{
	struct conf_database	*d = conf_database(e->conf, name);

	if (!requests_allowed(e, msg, a, right, d != NULL ? d->name :
	    DATABASE_ANY, 0))
		return (NULL);
	if (d == NULL)
		reply_error(e, msg->id, E_DATABASE_UNKNOWN, 0,
		    "no database of that name is configured");
	else if (d->is_glob) {
		reply_error(e, msg->id, E_DATABASE_UNKNOWN, 0, "that is the "
		    "name of a pattern; each file that it finds has its own, "
		    "which GET /api/cloud-backup/status tells");
		return (NULL);
	}
	return (d);
}

/*
 * The backup that is meant: 1 and *b, or 0 when the catalog does not know
 * it.  Of which database it is decides who may have it.
 */
static int
backup_find(struct engine *e, uint32_t ref, int64_t id,
    const char *remote_id, struct m_backup *b)
{
	const struct conf_remote	*r;

	if (ref == REF_LOCAL)
		return (catalog_get(e->catalog, id, b));
	TAILQ_FOREACH(r, &e->conf->remotes, entry) {
		id = catalog_by_remote(e->catalog, r->name, remote_id);
		if (id != 0 && catalog_get(e->catalog, id, b) == 1)
			return (1);
	}
	return (0);
}

/* Nobody knows whose it would be: with a local id there is none; what only
 * a remote may have is for those with a right on all. */
static const char *
place_unknown(uint32_t ref)
{
	return (ref == REF_LOCAL ? DATABASE_ANY : NULL);
}

static void
on_may(struct engine *e, const struct msg *msg)
{
	struct m_req_may	m;
	struct m_empty		none = { 0 };

	memcpy(&m, msg->data, sizeof(m));
	if (m.right == 0 || (m.right & ~(uint32_t)RIGHTS_ALL) != 0)
		requests_impossible(msg);
	if (requests_allowed(e, msg, &m.asker, m.right, DATABASE_ANY, 0))
		chan_send(e->front.chan, MSG_REP_MAY, msg->id, &none,
		    sizeof(none), -1);
}

static void
on_conn_open(struct engine *e, const struct msg *msg)
{
	rights_open(e, msg->id, msg->fd);
}

static void
on_conn_close(struct engine *e, const struct msg *msg)
{
	rights_close(e, msg->id);
	fetch_conn_closed(e, msg->id);
}

static void
on_create(struct engine *e, const struct msg *msg)
{
	struct m_req_create	 m;
	struct conf_database	*d;

	memcpy(&m, msg->data, sizeof(m));
	if (!user_ok(&m.user) || !msg_text_ok(m.database) ||
	    !msg_text_ok(m.name) || !msg_text_ok(m.description))
		requests_impossible(msg);
	d = database_allowed(e, msg, &m.asker, RIGHT_BACKUP, m.database);
	if (d == NULL)
		return;
	if (e->stopping) {
		reply_error(e, msg->id, E_SHUTTING_DOWN, 0,
		    "the daemon is about to end");
		return;
	}
	create_request(e, msg->id, &m, d);
}

struct listing {
	struct engine	*engine;
	uint64_t	 request;
};

static void
send_row(const struct m_backup *b, void *arg)
{
	struct listing	*l = arg;

	chan_send(l->engine->front.chan, MSG_REP_LIST_ROW, l->request, b,
	    sizeof(*b), -1);
}

int
requests_seen(struct engine *e, const struct msg *msg, const struct m_asker *a,
    const char *database, struct names *names)
{
	memset(names, 0, sizeof(*names));
	if (!requests_allowed(e, msg, a, RIGHT_READ, database[0] == '\0' ?
	    DATABASE_ANY : database, 0))
		return (0);
	names->all = rights_has(e, a, RIGHT_READ, NULL);
	if (!names->all && database[0] == '\0')
		rights_names(e, a, RIGHT_READ, names);
	return (1);
}

static void
totals(struct engine *e, const struct names *names, const struct m_user *user,
    const char *database, struct m_stats *s)
{
	if (names->all || database[0] != '\0')
		catalog_stats(e->catalog, user, database, s);
	else
		visible_stats(e, names, user, s);
}

static void
on_list(struct engine *e, const struct msg *msg)
{
	struct m_req_list	m;
	struct m_list_end	end;
	struct m_stats		s;
	struct listing		l = { e, msg->id };
	struct names		names;
	int			more;

	memcpy(&m, msg->data, sizeof(m));
	if (!user_ok(&m.user) || !msg_text_ok(m.database) || m.limit < 1 ||
	    m.limit > LIST_PAGE_ROWS)
		requests_impossible(msg);
	if (!requests_seen(e, msg, &m.asker, m.database, &names))
		return;
	memset(&end, 0, sizeof(end));
	end.whole = names.all;
	end.empty = catalog_is_empty(e->catalog) != 0;
	if (names.all || m.database[0] != '\0')
		end.rows = catalog_list(e->catalog, &m.user, m.database,
		    m.before_ms, m.before_id, m.limit, &more, send_row, &l);
	else
		end.rows = visible_list(e, &names, &m, &more, send_row, &l);
	end.more = more ? 1 : 0;
	if (m.want_total) {
		totals(e, &names, &m.user, m.database, &s);
		end.total = s.backups;
	}
	free(names.list);
	chan_send(e->front.chan, MSG_REP_LIST_END, msg->id, &end, sizeof(end),
	    -1);
}

static void
on_stats(struct engine *e, const struct msg *msg)
{
	struct m_req_stats	m;
	struct m_stats		s;
	struct names		names;

	memcpy(&m, msg->data, sizeof(m));
	if (!user_ok(&m.user) || !msg_text_ok(m.database))
		requests_impossible(msg);
	if (!requests_seen(e, msg, &m.asker, m.database, &names))
		return;
	totals(e, &names, &m.user, m.database, &s);
	free(names.list);
	chan_send(e->front.chan, MSG_REP_STATS, msg->id, &s, sizeof(s), -1);
}

static void
on_status(struct engine *e, const struct msg *msg)
{
	struct m_req_status	m;
	struct names		names;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database))
		requests_impossible(msg);
	if (m.database[0] != '\0' && database_allowed(e, msg, &m.asker,
	    RIGHT_READ, m.database) == NULL)
		return;
	if (!requests_seen(e, msg, &m.asker, m.database, &names))
		return;
	status_request(e, msg->id, &m, &names);
	free(names.list);
}

static void
on_file_info(struct engine *e, const struct msg *msg)
{
	struct m_req_database	 m;
	struct conf_database	*d;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database))
		requests_impossible(msg);
	d = database_allowed(e, msg, &m.asker, RIGHT_READ, m.database);
	if (d != NULL)
		file_info_request(e, msg->id, d);
}

/* ---- download ---- */

/* As it is stored, or an image anyway: no worker need touch it. */
static void
download_send(struct engine *e, const struct fetch_order *o)
{
	struct m_backup	b = *o->known;

	strlcpy(b.served_by, PLACE_LOCAL, sizeof(b.served_by));
	if (o->raw) {
		b.file_size = b.stored_size;
		strlcpy(b.checksum, b.stored_checksum, sizeof(b.checksum));
	}
	chan_send(e->front.chan, MSG_REP_DOWNLOAD, o->request, &b, sizeof(b),
	    o->fd);
}

static void
download_local(struct engine *e, struct fetch_order *o)
{
	const struct m_backup	*b = o->known;
	struct place		 places[PLACES_MAX];
	char			 err[TEXT_BYTES];

	strlcpy(err, "the backup has no file here", sizeof(err));
	if (b->file_path[0] != '\0' &&
	    (o->fd = store_open_file(e->store, b->file_path,
	    b->stored_size, err)) == -1 && store_starved()) {
		reply_error(e, o->request, E_BUSY, b->id, err);
		return;
	}
	if (o->fd != -1 && (o->raw || strcmp(b->form, FORM_PLAIN) == 0))
		download_send(e, o);
	else if (o->fd != -1 || places_of(e, b, places) > 0)
		fetch_request(e, o);
	else
		reply_error(e, o->request, strcmp(b->status, "failed") == 0 ||
		    strcmp(b->status, "completed") == 0 ?
		    E_INVALID_BACKUP : E_BACKUP_NOT_FOUND, b->id, err);
}

static void
download_remote(struct engine *e, struct fetch_order *o)
{
	if ((o->remote = remote_of_stranger(e, o->remote_id)) == NULL) {
		reply_error(e, o->request, E_BACKUP_NOT_FOUND, 0,
		    "there is no backup of that id, and no remote to ask");
		return;
	}
	fetch_request(e, o);
}

static void
on_download(struct engine *e, const struct msg *msg)
{
	struct m_req_backup	m;
	struct m_backup		b;
	struct fetch_order	o;
	int			found;

	memcpy(&m, msg->data, sizeof(m));
	if (m.ref > REF_REMOTE || (m.flags & ~(uint32_t)BACKUP_RAW) != 0 ||
	    !msg_text_ok(m.remote_id) || !msg_text_ok(m.database))
		requests_impossible(msg);
	found = backup_find(e, m.ref, m.local_id, m.remote_id, &b);
	if (!requests_allowed(e, msg, &m.asker, RIGHT_DOWNLOAD, found ?
	    b.database : place_unknown(m.ref), found ? b.id : 0))
		return;
	memset(&o, 0, sizeof(o));
	o.request = msg->id;
	o.conn = m.asker.conn;
	o.remote_id = m.remote_id;
	o.fd = -1;
	o.known = found ? &b : NULL;
	o.raw = (m.flags & BACKUP_RAW) != 0;
	if (found)
		download_local(e, &o);
	else if (m.ref == REF_REMOTE)
		download_remote(e, &o);
	else
		reply_error(e, msg->id, E_BACKUP_NOT_FOUND, 0,
		    "there is no backup of that id");
}

/* It may hold an identity, a secret. */
static void
restore(struct engine *e, const struct msg *msg,
    const struct m_req_restore *m)
{
	struct m_backup	b;
	int		found;

	/* Out of one database and into the other: a right on both. */
	found = backup_find(e, m->ref, m->local_id, m->remote_id, &b);
	if (!requests_allowed(e, msg, &m->asker, RIGHT_RESTORE, found ?
	    b.database : place_unknown(m->ref), found ? b.id : 0))
		return;
	if (m->database[0] != '\0' && !requests_allowed(e, msg, &m->asker,
	    RIGHT_RESTORE, m->database, found ? b.id : 0))
		return;
	if (e->stopping) {
		reply_error(e, msg->id, E_SHUTTING_DOWN, 0,
		    "the daemon is about to end");
		return;
	}
	restore_request(e, msg->id, m);
}

static void
on_restore(struct engine *e, const struct msg *msg)
{
	struct m_req_restore	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.ref > REF_REMOTE || !user_ok(&m.user) ||
	    !msg_text_ok(m.remote_id) || !msg_text_ok(m.database) ||
	    !msg_text_ok(m.identity) || !msg_text_ok(m.identity_file))
		requests_impossible(msg);
	restore(e, msg, &m);
	explicit_bzero(&m, sizeof(m));
	chan_wipe(e->front.chan);
}

/* ---- one backup's life ---- */

/* The backup of the catalog that is meant, if he may; 0 after the answer. */
static int
backup_allowed(struct engine *e, const struct msg *msg,
    const struct m_asker *a, uint32_t right, uint32_t ref, int64_t id,
    const char *remote_id, struct m_backup *b)
{
	int	found;

	found = backup_find(e, ref, id, remote_id, b);
	if (!requests_allowed(e, msg, a, right, found ? b->database :
	    place_unknown(ref), found ? b->id : 0))
		return (0);
	if (!found)
		reply_error(e, msg->id, E_BACKUP_NOT_FOUND, 0,
		    "the catalog has no backup of that id");
	return (found);
}

static void
on_backup(struct engine *e, const struct msg *msg)
{
	struct m_req_backup	m;
	struct m_backup		b;

	memcpy(&m, msg->data, sizeof(m));
	if (m.ref > REF_REMOTE || !msg_text_ok(m.remote_id) ||
	    !msg_text_ok(m.database))
		requests_impossible(msg);
	if (backup_allowed(e, msg, &m.asker, RIGHT_READ, m.ref, m.local_id,
	    m.remote_id, &b))
		detail_request(e, msg->id, &b);
}

/* Both change one backup: the message, checked. */
static int
change(struct engine *e, const struct msg *msg, struct m_req_change *m,
    int pins, struct m_backup *b)
{
	memcpy(m, msg->data, sizeof(*m));
	if (m->ref > REF_REMOTE || !msg_text_ok(m->remote_id))
		requests_impossible(msg);
	/* A pin only keeps; to take it off lets a backup go. */
	return (backup_allowed(e, msg, &m->asker, pins &&
	    (m->flags & CHANGE_PIN) ? RIGHT_BACKUP : RIGHT_DELETE, m->ref,
	    m->local_id, m->remote_id, b));
}

static void
on_delete(struct engine *e, const struct msg *msg)
{
	struct m_req_change	m;
	struct m_backup		b;

	if (change(e, msg, &m, 0, &b))
		delete_request(e, msg->id, &b, &m.asker,
		    (m.flags & CHANGE_FORCE) != 0);
}

static void
on_pin(struct engine *e, const struct msg *msg)
{
	struct m_req_change	m;
	struct m_backup		b;

	if (change(e, msg, &m, 1, &b))
		pin_request(e, msg->id, &b, &m.asker,
		    (m.flags & CHANGE_PIN) != 0);
}

static void
on_verify(struct engine *e, const struct msg *msg)
{
	struct m_req_verify	m;
	struct m_backup		b;

	memcpy(&m, msg->data, sizeof(m));
	if (m.ref > REF_REMOTE || !msg_text_ok(m.remote_id))
		requests_impossible(msg);
	if (backup_allowed(e, msg, &m.asker, RIGHT_BACKUP, m.ref, m.local_id,
	    m.remote_id, &b))
		verify_request(e, msg->id, &m, &b);
}

/* Every database that is configured, or those that he may delete from. */
static void
expire_names(struct engine *e, const struct m_asker *a, struct names *names)
{
	const struct conf_database	*d;
	size_t				 n = 0;

	memset(names, 0, sizeof(*names));
	if (!rights_has(e, a, RIGHT_DELETE, NULL)) {
		rights_names(e, a, RIGHT_DELETE, names);
		return;
	}
	TAILQ_FOREACH(d, &e->conf->databases, entry)
		n++;
	names->list = xreallocarray(NULL, n + 1, sizeof(*names->list));
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (!d->is_glob)
			strlcpy(names->list[names->n++], d->name,
			    sizeof(names->list[0]));
	}
}

static void
on_expire(struct engine *e, const struct msg *msg)
{
	struct m_req_expire	 m;
	struct conf_database	*d;
	struct names		 names;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database))
		requests_impossible(msg);
	if (m.database[0] != '\0') {
		d = database_allowed(e, msg, &m.asker, RIGHT_DELETE,
		    m.database);
		if (d == NULL)
			return;
		memset(&names, 0, sizeof(names));
		names.list = xreallocarray(NULL, 1, sizeof(*names.list));
		names.n = 1;
		strlcpy(names.list[0], d->name, sizeof(names.list[0]));
	} else {
		if (!requests_allowed(e, msg, &m.asker, RIGHT_DELETE,
		    DATABASE_ANY, 0))
			return;
		expire_names(e, &m.asker, &names);
	}
	if (!(m.flags & EXPIRE_DRY))
		audit_now(e, &m.asker, "expire", m.database, 0);
	expire_request(e, msg->id, (m.flags & EXPIRE_DRY) != 0, &names);
}

static void
on_undo(struct engine *e, const struct msg *msg)
{
	struct m_req_undo	 m;
	struct conf_database	*d;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database))
		requests_impossible(msg);
	d = database_allowed(e, msg, &m.asker, RIGHT_RESTORE, m.database);
	if (d == NULL)
		return;
	if (e->stopping)
		reply_error(e, msg->id, E_SHUTTING_DOWN, 0,
		    "the daemon is about to end");
	else
		undo_request(e, msg->id, &m, d);
}

static void
on_locks(struct engine *e, const struct msg *msg)
{
	struct m_req_database	 m;
	struct conf_database	*d;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database))
		requests_impossible(msg);
	d = database_allowed(e, msg, &m.asker, RIGHT_READ, m.database);
	if (d != NULL)
		locks_request(e, msg->id, d);
}

/* Connection 0 is front itself, which asks once at start. */
static void
on_license(struct engine *e, const struct msg *msg)
{
	struct m_req_database	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.asker.conn == 0 ||
	    requests_allowed(e, msg, &m.asker, RIGHT_READ, DATABASE_ANY, 0))
		license_request(e, msg->id);
}

static void
on_license_ids(struct engine *e, const struct msg *msg)
{
	struct m_license_ids	m;

	memcpy(&m, msg->data, sizeof(m));
	if (!user_ok(&m.user) || m.user.kind == USER_NONE ||
	    !msg_text_ok(m.device_id) || e->license_ids_due == 0)
		requests_impossible(msg);
	e->license_ids_due--;
	e->license_ids = m;
	identity_set(e->conf, &m);
}

static void
on_refused(struct engine *e, const struct msg *msg)
{
	struct m_refused	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.code == E_NONE || m.code >= E_COUNT)
		requests_impossible(msg);
	rights_refused(e, msg->id, m.code);
}

static const struct {
	enum msg_type	type;
	void		(*handle)(struct engine *, const struct msg *);
	const char	*action;	/* for the audit log */
} handlers[] = {
	{ MSG_CONN_OPEN,	on_conn_open,	NULL },
	{ MSG_CONN_CLOSE,	on_conn_close,	NULL },
	{ MSG_REQ_MAY,		on_may,		"health" },
	{ MSG_REQ_CREATE,	on_create,	"create" },
	{ MSG_REQ_LIST,		on_list,	"list" },
	{ MSG_REQ_KNOWN,	request_known,	"list" },
	{ MSG_REQ_STATS,	on_stats,	"stats" },
	{ MSG_REQ_STATUS,	on_status,	"status" },
	{ MSG_REQ_FILE_INFO,	on_file_info,	"file-info" },
	{ MSG_REQ_DOWNLOAD,	on_download,	"download" },
	{ MSG_REQ_JOB,		requests_job,		"job" },
	{ MSG_REQ_JOBS,		requests_jobs,	"jobs" },
	{ MSG_REQ_EVENTS,	requests_events,	"events" },
	{ MSG_REQ_ACKNOWLEDGE,	requests_acknowledge,	"acknowledge" },
	{ MSG_WATCH,	requests_watch,	NULL },
	{ MSG_REQ_RESTORE,	on_restore,	"restore" },
	{ MSG_REQ_LOCKS,	on_locks,	"check-locks" },
	{ MSG_REQ_REFRESH,	request_refresh, "refresh" },
	{ MSG_REQ_REMOTE_TEST,	request_remote_test, "remote-test" },
	{ MSG_REQ_LICENSE,	on_license,	"license-info" },
	{ MSG_REQ_BACKUP,	on_backup,	"backup" },
	{ MSG_REQ_DELETE,	on_delete,	"delete" },
	{ MSG_REQ_PIN,		on_pin,		"pin" },
	{ MSG_REQ_EXPIRE,	on_expire,	"expire" },
	{ MSG_REQ_VERIFY,	on_verify,	"verify" },
	{ MSG_REQ_UNDO,		on_undo,	"undo" },
	{ MSG_REQ_RELOAD,	reload_request,	"reload" },
	{ MSG_REQ_METRICS,	control_metrics, "metrics" },
	{ MSG_REQ_LOG,		control_log,	"log" },
	{ MSG_REFUSED,	on_refused,	NULL },
	{ MSG_LICENSE_IDS,	on_license_ids,	NULL },
};

static const char *
action_of(uint32_t type)
{
	size_t	i;

	for (i = 0; i < nitems(handlers); i++) {
		if (handlers[i].type == type)
			return (handlers[i].action);
	}
	return ("ask");
}

void
requests_message(struct chan *c, const struct msg *m, void *arg)
{
	size_t	i;

	(void)c;
	for (i = 0; i < nitems(handlers); i++) {
		if (handlers[i].type == m->type) {
			handlers[i].handle(arg, m);
			return;
		}
	}
	fatalx("front: unexpected %s", msg_desc(m->type)->name);
}
