/*
 * The engine runs this: what is to be brought to each remote, and when.
 * It owns the state of transfers; the queue itself is the catalog's table
 * copies.  One upload at a time to each remote, the oldest backup first.
 * When one fails, the remote is left alone for a pause that doubles, with
 * jitter, across restarts; a backup that fails again and again where the
 * remote does answer lets the others pass.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/events.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/forms.h"
#include "daemon/engine/remote_int.h"
#include "daemon/engine/remote_s3.h"

#define STARVED_MS	5000	/* until a file may be opened again */
#define RESUME_MAX_MS	(25 * 3600 * (int64_t)1000)

/* A backup lets others pass when it has failed so often: three times when
 * the remote answered or took bytes, else rather the way there is cut. */
#define BLAME_MAX	24
#define BLAME_ANSWERED	8
#define BLAME_UNANSWERED 1

struct fetch {
	TAILQ_ENTRY(fetch) entry;
	uint64_t	 transfer;
	fetch_cb	*done;
	void		*arg;
};
static TAILQ_HEAD(, fetch) fetches = TAILQ_HEAD_INITIALIZER(fetches);

static void	remote_next(struct remote *);

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	remote_next(arg);
}

static void
send_conf(struct engine *e, const struct conf_remote *c)
{
	struct m_net_remote	m;

	memset(&m, 0, sizeof(m));
	m.index = c->index;
	m.kind = c->kind;
	m.timeout_ms = c->timeout_ms;
	m.upload_limit = c->upload_limit;
	strlcpy(m.name, c->name, sizeof(m.name));
	strlcpy(m.url, c->url, sizeof(m.url));
	if (c->api_key != NULL)
		strlcpy(m.api_key, c->api_key, sizeof(m.api_key));
	chan_send(e->network.chan, MSG_NET_REMOTE, 0, &m, sizeof(m), -1);
	explicit_bzero(&m, sizeof(m));
	if (c->kind == REMOTE_S3)
		s3_conf_send(e, c);
}

/* Where the pauses were when we ended. */
static void
resume(struct remote *r)
{
	struct engine		*e = r->engine;
	struct catalog_copy	 copy;
	int64_t			 most_ms;

	if (!catalog_copy_head(e->catalog, r->conf->name, INT64_MAX, &copy) ||
	    copy.attempts == 0)
		return;
	r->failures = copy.attempts;
	r->resume_ms = copy.next_attempt_ms;
	strlcpy(r->error, "the remote did not take a backup and is left "
	    "alone for a while", sizeof(r->error));
	most_ms = util_now_ms() + (int64_t)r->conf->retry_max_ms;
	if (r->resume_ms <= most_ms)
		return;
	/* The pauses were made shorter, or the clock was set back. */
	r->resume_ms = most_ms;
	catalog_copies_wait(e->catalog, r->conf->name, "", most_ms);
}

static void
remote_new(struct engine *e, struct conf_remote *c)
{
	struct remote	*r;

	send_conf(e, c);
	r = xcalloc(1, sizeof(*r));
	r->engine = e;
	r->conf = c;
	if ((r->timer = evtimer_new(e->base, on_timer, r)) == NULL)
		fatalx("evtimer_new");
	resume(r);
	TAILQ_INSERT_TAIL(&e->remotes, r, entry);
}

/* Nobody waits any longer for what it does not have yet. */
static void
remote_release(struct engine *e, const struct conf_remote *c)
{
	struct catalog_copy	 copy;
	struct job		*j, *next;
	char			 remote_id[REMOTE_ID_BYTES];

	for (j = TAILQ_FIRST(&e->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->state != JOB_RUNNING || strcmp(j->phase, "upload") != 0 ||
		    !catalog_copy_get(e->catalog, j->backup_id, c->name,
		    &copy, remote_id) || strcmp(copy.state, "pending") != 0)
			continue;
		catalog_copy_retry(e->catalog, j->backup_id, c->name,
		    util_now_ms(), "the remote was taken out of the "
		    "configuration");
		create_upload_ended(e, j->backup_id);
	}
}

void
remote_changed(struct engine *e, struct conf_remote *c)
{
	struct remote	*r;
	struct m_empty	 none = { 0 };

	expire_remote_changed(e, c);
	if (c->retired) {
		chan_send(e->network.chan, MSG_NET_FORGET, c->index, &none,
		    sizeof(none), -1);
		remote_release(e, c);
		return;
	}
	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (r->conf == c)
			break;
	}
	if (r == NULL) {
		remote_new(e, c);
		return;
	}
	send_conf(e, c);
	/* What was wrong may have been put right. */
	r->failures = 0;
	r->resume_ms = 0;
	catalog_copies_wait(e->catalog, c->name, "", util_now_ms());
}

void
remotes_init(struct engine *e)
{
	struct conf_remote	*c;
	struct m_empty		 none = { 0 };

	TAILQ_INIT(&e->remotes);
	catalog_copies_reset(e->catalog);
	TAILQ_FOREACH(c, &e->conf->remotes, entry)
		remote_new(e, c);
	chan_send(e->network.chan, MSG_NET_START, 0, &none, sizeof(none), -1);
	recover_init(e);
	remotes_kick(e);
}

void
remotes_free(struct engine *e)
{
	struct remote	*r;
	struct fetch	*f;

	while ((r = TAILQ_FIRST(&e->remotes)) != NULL) {
		TAILQ_REMOVE(&e->remotes, r, entry);
		event_free(r->timer);
		free(r);
	}
	readings_free();
	confirm_free();
	while ((f = TAILQ_FIRST(&fetches)) != NULL) {
		TAILQ_REMOVE(&fetches, f, entry);
		free(f);
	}
	remote_costs_free();
}

void
remotes_kick(struct engine *e)
{
	struct remote	*r;
	struct timeval	 now = { 0, 0 };

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (r->transfer == 0)
			event_add(r->timer, &now);
	}
}

/* ---- uploads ---- */

/* Doubles with each failure; a quarter of it is chance, so that many
 * daemons do not come back at the same moment. */
static int64_t
pause_ms(const struct remote *r, uint32_t failures)
{
	uint64_t	ms = r->conf->retry_min_ms;
	uint32_t	i;

	for (i = 1; i < failures && ms < r->conf->retry_max_ms; i++)
		ms *= 2;
	if (ms > r->conf->retry_max_ms)
		ms = r->conf->retry_max_ms;
	return ((int64_t)(ms - ms / 4 +
	    arc4random_uniform((uint32_t)(ms / 4) + 1)));
}

/* The mark by which an upload is found whose answer was lost (D18): our
 * id, and the installation's, because several may share a user. */
static void
mark_make(const struct engine *e, int64_t id, char *dst, size_t size)
{
	snprintf(dst, size, "[cloudbackupd:%lld@%.8s]", (long long)id,
	    store_uuid(e->store));
}

void
remote_send(struct remote *r, const struct m_backup *b, uint64_t size,
    const char *form, uint32_t flags, int fd)
{
	struct engine		*e = r->engine;
	struct conf_database	*d = conf_database(e->conf, b->database);
	struct m_net_upload	 m;

	memset(&m, 0, sizeof(m));
	m.remote = r->conf->index;
	m.size = size;
	strlcpy(m.form, form, sizeof(m.form));
	m.flags = flags;
	strlcpy(m.user_id, b->user.id, sizeof(m.user_id));
	if (d != NULL && d->device_id != NULL)
		strlcpy(m.device_id, d->device_id, sizeof(m.device_id));
	strlcpy(m.name, b->name, sizeof(m.name));
	strlcpy(m.description, b->description, sizeof(m.description));
	mark_make(e, b->id, m.mark, sizeof(m.mark));
	r->moved = 0;
	r->place_turn = r->conf->place_turn;
	r->begun_us = util_monotonic_us();
	r->transfer = ++e->next_transfer;
	if (r->conf->kind == REMOTE_S3)
		s3_upload_fill(e, r->conf, b, r->transfer, &m);
	chan_send(e->network.chan, MSG_NET_UPLOAD, r->transfer, &m, sizeof(m),
	    fd);
	log_debug("backup %lld to %s: attempt %u", (long long)b->id,
	    r->conf->name, r->attempts);
}

/* It will not get there. */
static void
upload_lost(struct engine *e, int64_t id, const char *place, const char *why)
{
	struct event_about	about = { "", place, id };
	struct m_backup		b;

	if (catalog_get(e->catalog, id, &b) == 1)
		about.database = b.database;
	events_add(e, EVENT_FAILED, &about, "backup %lld will not get to %s: "
	    "%s", (long long)id, place, why);
}

static void
wait_until(struct remote *r, int64_t at_ms, int64_t now_ms)
{
	struct timeval	tv;
	int64_t		wait_ms = at_ms - now_ms;

	/* The wall clock may jump: look at least once a minute. */
	if (wait_ms > 60000)
		wait_ms = 60000;
	if (wait_ms < 1)
		wait_ms = 1;
	clock_wait(&tv, wait_ms);
	event_add(r->timer, &tv);
}

static void
upload_begin(struct remote *r, const struct catalog_copy *copy)
{
	struct engine	*e = r->engine;
	struct m_backup	 b;
	char		 err[TEXT_BYTES], form[FORM_BYTES];
	uint64_t	 size;
	int		 fd;

	if (catalog_get(e->catalog, copy->backup_id, &b) != 1)
		fatalx("backup %lld has no row", (long long)copy->backup_id);
	fd = forms_open_for_remote(e, &b, &size, form, err);
	if (fd == -1 && store_starved()) {
		log_warnx("backup %lld cannot be sent to %s now: %s",
		    (long long)b.id, r->conf->name, err);
		wait_until(r, util_now_ms() + STARVED_MS, util_now_ms());
		return;
	}
	r->backup_id = copy->backup_id;
	r->attempts = copy->attempts + 1;
	catalog_copy_begin(e->catalog, b.id, r->conf->name);
	if (fd == -1) {
		log_warnx("backup %lld cannot be sent to %s: %s",
		    (long long)b.id, r->conf->name, err);
		catalog_copy_failed(e->catalog, b.id, r->conf->name, err);
		forms_remote_settle(e, b.id);
		upload_lost(e, b.id, r->conf->name, err);
		create_upload_ended(e, b.id);
		remotes_kick(e);
		return;
	}
	remote_send(r, &b, size, form, r->attempts > 1 ? UPLOAD_LOOK_FIRST : 0,
	    fd);
}

/* No remote may need the local copy any more. */
static void
uploaded_kick(struct engine *e, int64_t id)
{
	struct m_backup	b;

	if (catalog_get(e->catalog, id, &b) == 1)
		expire_kick(e, b.database);
}

static void
remote_next(struct remote *r)
{
	struct catalog_copy	copy;
	int64_t			now_ms = util_now_ms();

	if (r->transfer != 0 || r->engine->stopping || r->conf->retired)
		return;
	/* A clock that was set back must not mean a pause for years. */
	if (r->resume_ms - now_ms > RESUME_MAX_MS)
		r->resume_ms = 0;
	if (r->resume_ms > now_ms)
		wait_until(r, r->resume_ms, now_ms);
	else if (catalog_copy_head(r->engine->catalog, r->conf->name, now_ms,
	    &copy))
		upload_begin(r, &copy);
	else if (copy.next_attempt_ms != 0)
		wait_until(r, copy.next_attempt_ms, now_ms);
}

int
remote_waits(struct engine *e, const char *place, int64_t id)
{
	const struct remote	*r;

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (strcmp(r->conf->name, place) == 0)
			return (r->resume_ms > util_now_ms() &&
			    !(r->transfer != 0 && r->backup_id == id));
	}
	return (0);
}

/* Whoever waits for it is told so at once.  cut: nothing of it answers, so
 * that those which let others pass were not at fault. */
static void
remote_away(struct remote *r, int cut)
{
	catalog_copies_wait(r->engine->catalog, r->conf->name, r->error,
	    cut ? r->resume_ms : INT64_MAX);
	create_remote_away(r->engine);
}

void
remote_planned(struct engine *e, int64_t id, const char *place)
{
	const struct remote	*r;

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (strcmp(r->conf->name, place) == 0 &&
		    remote_waits(e, place, id))
			catalog_copies_wait(e->catalog, place, r->error,
			    INT64_MAX);
	}
}

static void
upload_done(struct remote *r, const struct m_net_uploaded *m)
{
	struct engine	*e = r->engine;
	int64_t		 id = r->backup_id;
	const char	*place = r->conf->name;
	uint64_t	 us = util_monotonic_us() - r->begun_us;
	char		 remote_id[REMOTE_ID_BYTES];

	strlcpy(remote_id, m->remote_id, sizeof(remote_id));
	if (r->conf->kind == REMOTE_S3)
		s3_id_of_key(remote_id, m->remote_id);
	r->failures = 0;
	r->resume_ms = 0;
	if (r->head_id == id)
		r->blame = 0;
	catalog_copy_done(e->catalog, id, place, remote_id, us);
	create_uploaded(e, id, us);
	if (m->flags & (CONFIRMED_SIZE | CONFIRMED_HASH))
		catalog_copy_confirmed(e->catalog, id, place,
		    m->flags & CONFIRMED_HASH ? "hash" : "size");
	log_info("backup %lld is at %s as %s%s", (long long)id, place,
	    remote_id, m->flags & CONFIRMED_HASH ? ", hash confirmed" :
	    m->flags & CONFIRMED_SIZE ? ", size confirmed" :
	    ", not confirmed");
	create_completed(e, id);
	confirm_uploaded(e, r->conf, id);
	drills_kick(e);
}

static void
upload_refused(struct remote *r, const struct m_net_uploaded *m)
{
	struct engine	*e = r->engine;

	/* It is there, and answers. */
	r->failures = 0;
	r->resume_ms = 0;
	catalog_copy_failed(e->catalog, r->backup_id, r->conf->name,
	    m->reason);
	log_warnx("backup %lld was refused by %s: %s",
	    (long long)r->backup_id, r->conf->name, m->reason);
	upload_lost(e, r->backup_id, r->conf->name, m->reason);
}

/* Whose fault is it?  1 when the backup lets others pass. */
static int
blamed(struct remote *r, const struct m_net_uploaded *m)
{
	if (r->head_id != r->backup_id)
		r->blame = 0;
	r->head_id = r->backup_id;
	r->blame += m->outcome == NET_LOCAL ? BLAME_MAX :
	    m->http_status != 0 || r->moved ? BLAME_ANSWERED :
	    BLAME_UNANSWERED;
	if (r->blame < BLAME_MAX)
		return (0);
	r->blame = 0;
	return (1);
}

static void
upload_failed(struct remote *r, const struct m_net_uploaded *m)
{
	struct engine	*e = r->engine;
	int64_t		 now_ms = util_now_ms(), next_ms, wait_ms;
	int		 passes = blamed(r, m);

	wait_ms = pause_ms(r, ++r->failures);
	if (wait_ms < (int64_t)m->retry_after_s * 1000)
		wait_ms = (int64_t)m->retry_after_s * 1000;
	r->resume_ms = m->outcome == NET_LOCAL ? 0 : now_ms + wait_ms;
	next_ms = now_ms + wait_ms;
	if (passes && catalog_copy_others(e->catalog, r->backup_id,
	    r->conf->name))
		next_ms += wait_ms;	/* the others are tried before it */
	catalog_copy_retry(e->catalog, r->backup_id, r->conf->name, next_ms,
	    m->reason);
	log_warnx("backup %lld did not get to %s, again in %lld s: %s",
	    (long long)r->backup_id, r->conf->name,
	    (long long)(next_ms - now_ms + 999) / 1000, m->reason);
	strlcpy(r->error, m->reason, sizeof(r->error));
	if (r->resume_ms != 0)
		remote_away(r, m->http_status == 0 && !passes);
}

/* Wherever it got to, a reload has put another place there since: that has
 * still to get it. */
static void
upload_astray(struct remote *r)
{
	struct engine	*e = r->engine;
	int64_t		 id = r->backup_id;

	catalog_copy_retry(e->catalog, id, r->conf->name, util_now_ms(),
	    "the remote became another place while it was being sent");
	catalog_parts_set(e->catalog, id, r->conf->name, "", 0);
	log_info("backup %lld is sent again: %s became another place",
	    (long long)id, r->conf->name);
	create_upload_ended(e, id);
	remotes_kick(e);
}

static void
on_uploaded(struct engine *e, struct remote *r, const struct m_net_uploaded *m)
{
	int64_t	id = r->backup_id;

	r->transfer = 0;
	if (r->early != EARLY_NONE) {
		remote_early_ended(r, m);
		return;
	}
	if (r->place_turn != r->conf->place_turn) {
		upload_astray(r);
		return;
	}
	switch (m->outcome) {
	case NET_OK:
		upload_done(r, m);
		break;
	case NET_REFUSED:
		upload_refused(r, m);
		break;
	default:
		upload_failed(r, m);
	}
	forms_remote_settle(e, id);
	if (r->conf->kind == REMOTE_S3)
		s3_uploaded(e, r->conf, id, m);
	create_upload_ended(e, id);
	if (m->outcome == NET_OK || m->outcome == NET_REFUSED)
		uploaded_kick(e, id);
	remotes_kick(e);
}

static struct remote *
remote_of(struct engine *e, uint64_t transfer)
{
	struct remote	*r;

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (transfer != 0 && r->transfer == transfer)
			return (r);
	}
	return (NULL);
}

/* It goes into the catalog, to clients, and back to the remote. */
static int
remote_id_ok(const char *id)
{
	const char	*p;

	for (p = id; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return (0);
	}
	return (p != id && util_utf8_valid(id, (size_t)(p - id)));
}

static void
message_uploaded(struct engine *e, const struct msg *msg)
{
	struct m_net_uploaded	 m;
	struct remote		*r;

	memcpy(&m, msg->data, sizeof(m));
	r = remote_of(e, msg->id);
	if (r == NULL || m.outcome > NET_CANCELLED ||
	    !msg_text_ok(m.remote_id) || !msg_text_ok(m.reason) ||
	    (m.flags & ~(uint32_t)(CONFIRMED_SIZE | CONFIRMED_HASH |
	    UPLOAD_GONE)) != 0 ||
	    (m.outcome == NET_OK && !remote_id_ok(m.remote_id)))
		fatalx("network: impossible NET_UPLOADED");
	on_uploaded(e, r, &m);
}

static void
message_multipart(struct engine *e, const struct msg *msg)
{
	struct m_net_multipart	 m;
	struct remote		*r;

	memcpy(&m, msg->data, sizeof(m));
	r = remote_of(e, msg->id);
	if (r != NULL && r->place_turn != r->conf->place_turn)
		return;
	if (r == NULL || r->conf->kind != REMOTE_S3 ||
	    !msg_text_ok(m.upload_id) || m.part_size > INT64_MAX)
		fatalx("network: impossible NET_MULTIPART");
	s3_multipart(e, r->conf, r->backup_id, &m);
}

/* What stays there after all is for the bucket's own rules. */
static void
message_aborted(const struct msg *msg)
{
	struct m_net_done	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.outcome > NET_CANCELLED || !msg_text_ok(m.reason))
		fatalx("network: impossible NET_ABORTED");
	if (m.outcome != NET_OK)
		log_warnx("the parts of an upload that was given up may "
		    "still be there: %s", m.reason);
}

static void
message_progress(struct engine *e, const struct msg *msg)
{
	struct m_net_progress	 m;
	struct remote		*r;

	memcpy(&m, msg->data, sizeof(m));
	if ((r = remote_of(e, msg->id)) == NULL)
		return;
	r->moved |= m.bytes_done != 0;
	create_upload_progress(e, r->backup_id, m.bytes_done, m.bytes_total);
}

/* ---- fetches ---- */

/* As much as the disk can give; of what is known, what was uploaded. */
static uint64_t
fetch_max(struct engine *e, const struct m_backup *b)
{
	uint64_t		max = store_free_bytes(e->store);
	struct forms_copy	c;

	max = max > e->conf->reserve ? max - e->conf->reserve : 0;
	forms_at_remote(b, &c);
	if (c.size >= 0 && (uint64_t)c.size < max)
		max = (uint64_t)c.size;
	return (max);
}

static int
is_s3(const struct engine *e, uint32_t remote)
{
	const struct conf_remote	*c;

	TAILQ_FOREACH(c, &e->conf->remotes, entry)
		if (c->index == remote)
			return (c->kind == REMOTE_S3);
	return (0);
}

/* What only a remote vouches for is asked of the one whose id it can be:
 * those of a bucket have a colon. */
const struct conf_remote *
remote_of_stranger(const struct engine *e, const char *remote_id)
{
	const struct conf_remote	*c;
	uint32_t			 kind;

	kind = strchr(remote_id, ':') != NULL ? REMOTE_S3 : REMOTE_REST;
	TAILQ_FOREACH(c, &e->conf->remotes, entry)
		if (c->kind == kind)
			return (c);
	return (TAILQ_FIRST(&e->conf->remotes));
}

uint64_t
remote_fetch(struct engine *e, uint32_t remote, const char *remote_id, int fd,
    const struct m_backup *b, fetch_cb *done, void *arg)
{
	struct m_net_fetch	 m;
	struct fetch		*f;
	int			 own;

	/* A copy of the descriptor: the caller settles the file later. */
	if ((own = task_copy(fd)) == -1)
		return (0);
	f = xcalloc(1, sizeof(*f));
	f->transfer = ++e->next_transfer;
	f->done = done;
	f->arg = arg;
	TAILQ_INSERT_TAIL(&fetches, f, entry);
	memset(&m, 0, sizeof(m));
	m.remote = remote;
	m.size_max = fetch_max(e, b);
	strlcpy(m.remote_id, remote_id, sizeof(m.remote_id));
	if (is_s3(e, remote))
		s3_key_of_id(m.remote_id, remote_id);
	chan_send(e->network.chan, MSG_NET_FETCH, f->transfer, &m, sizeof(m),
	    own);
	return (f->transfer);
}

static struct fetch *
fetch_of(uint64_t transfer)
{
	struct fetch	*f;

	TAILQ_FOREACH(f, &fetches, entry) {
		if (f->transfer == transfer)
			return (f);
	}
	return (NULL);
}

void
remote_fetch_cancel(struct engine *e, uint64_t transfer)
{
	struct m_empty	none = { 0 };

	if (fetch_of(transfer) != NULL)
		chan_send(e->network.chan, MSG_NET_CANCEL, transfer, &none,
		    sizeof(none), -1);
}

static enum err
fetch_error(const struct m_net_fetched *m)
{
	switch (m->outcome) {
	case NET_OK:
		return (E_NONE);
	case NET_AWAY:
		return (E_REMOTE_UNAVAILABLE);
	case NET_TIMED_OUT:
		return (E_REMOTE_TIMEOUT);
	case NET_REFUSED:
		return (m->http_status == 404 ? E_BACKUP_NOT_FOUND :
		    E_REMOTE_REFUSED);
	case NET_LOCAL:
		return (E_INSUFFICIENT_SPACE);
	default:
		return (E_REMOTE_ERROR);
	}
}

static void
message_fetched(struct engine *e, const struct msg *msg)
{
	struct m_net_fetched	 m;
	struct fetch_result	 r;
	struct fetch		*f;

	(void)e;
	memcpy(&m, msg->data, sizeof(m));
	f = fetch_of(msg->id);
	if (f == NULL || m.outcome > NET_CANCELLED || !msg_text_ok(m.reason))
		fatalx("network: impossible NET_FETCHED");
	memset(&r, 0, sizeof(r));
	r.code = fetch_error(&m);
	r.size = m.size;
	strlcpy(r.text, m.reason, sizeof(r.text));
	TAILQ_REMOVE(&fetches, f, entry);
	f->done(f->arg, &r);
	free(f);
}

void
remotes_message(struct chan *c, const struct msg *m, void *arg)
{
	struct engine	*e = arg;

	(void)c;
	switch (m->type) {
	case MSG_NET_UPLOADED:
		message_uploaded(e, m);
		break;
	case MSG_NET_ABORTED:
		message_aborted(m);
		break;
	case MSG_NET_MULTIPART:
		message_multipart(e, m);
		break;
	case MSG_NET_PROGRESS:
		message_progress(e, m);
		break;
	case MSG_NET_FETCHED:
		message_fetched(e, m);
		break;
	case MSG_NET_DELETED:
		expire_deleted(e, m);
		break;
	case MSG_NET_HOOKED:
		if (!hooks_message(e, m))
			fatalx("network: impossible NET_HOOKED");
		break;
	default:
		if (recover_message(e, m) || remote_test_message(e, m) ||
		    remote_costs_message(m))
			break;
		fatalx("network: unexpected %s", msg_desc(m->type)->name);
	}
}
