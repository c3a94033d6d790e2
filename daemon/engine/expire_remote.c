/*
 * The engine runs this: the deletion of marked copies at remotes that can.
 * It owns which deletion is under way; the queue is the marks in the
 * catalog.  A key is deleted only if it is the one that this catalog has
 * written down, of an upload of its own or a manifest whose MAC held, and
 * tells of this backup's database and time (H21).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/expire.h"

#define PAUSE_MS	(15 * 60 * 1000)

struct deletion {
	TAILQ_ENTRY(deletion) entry;
	struct engine	*engine;
	const struct conf_remote *remote;
	struct event	*timer;
	uint64_t	 transfer;	/* that runs; 0: none */
	int64_t		 before_id;	/* those from here on were tried */
	char		 told[TEXT_BYTES];	/* refused, and why: last */
	uint32_t	 n;
	struct catalog_doomed list[DELETE_KEYS_MAX];	/* that run */
};
static TAILQ_HEAD(, deletion) deletions = TAILQ_HEAD_INITIALIZER(deletions);

/* The object's key, or -1: it can be none of ours.  The number in it is
 * another one than the backup's where that was taken when it was recovered
 * from its manifest. */
static int
key_make(struct deletion *r, const struct catalog_doomed *d,
    char key[REMOTE_ID_BYTES])
{
	struct catalog_copy	copy;
	char			time[TIME_TEXT_BYTES], ours[REMOTE_ID_BYTES];
	char			*p;
	size_t			n;

	if (!catalog_copy_get(r->engine->catalog, d->id, r->remote->name,
	    &copy, key))
		return (-1);
	if ((p = strchr(key, ':')) != NULL)	/* as clients see it */
		*p = '/';
	util_time_compact(time, d->created_ms);
	snprintf(ours, sizeof(ours), "%s/%s-", d->database, time);
	if (strncmp(key, ours, strlen(ours)) != 0)
		return (-1);
	p = key + strlen(ours);
	n = strspn(p, "0123456789");
	return (n > 0 && p[n] == '.' && strchr(p, '/') == NULL ? 0 : -1);
}

static void
deletion_next(struct deletion *r)
{
	struct catalog_doomed	*d;
	struct m_net_delete	 m;
	char			 key[REMOTE_ID_BYTES];
	size_t			 used = 0;

	if (r->transfer != 0 || r->engine->stopping ||
	    r->remote->retired || !expire_can_delete(r->remote))
		return;
	memset(&m, 0, sizeof(m));
	m.remote = r->remote->index;
	r->n = 0;
	while (r->n < DELETE_KEYS_MAX && used + sizeof(key) < sizeof(m.keys)) {
		d = &r->list[r->n];
		if (!catalog_doomed_next(r->engine->catalog, r->remote->name,
		    r->before_id, d))
			break;
		r->before_id = d->id;
		if (!expire_may_go(r->engine, d, r->remote->name))
			continue;
		if (key_make(r, d, key) == -1) {
			log_warnx("backup %lld is not deleted at %s: \"%s\" "
			    "is not its name there", (long long)d->id,
			    r->remote->name, key);
			continue;
		}
		used += strlcpy(m.keys + used, key, sizeof(m.keys) - used) +
		    1;
		r->n++;
	}
	if ((m.count = r->n) == 0)
		return;
	r->transfer = ++r->engine->next_transfer;
	chan_send(r->engine->network.chan, MSG_NET_DELETE, r->transfer, &m,
	    sizeof(m), -1);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct deletion	*r = arg;

	(void)fd;
	(void)what;
	deletion_next(r);
}

static void
deleted(struct deletion *r, const struct catalog_doomed *d)
{
	struct event_about	about = { d->database, r->remote->name,
				    d->id };
	int			gone;

	gone = catalog_copy_removed(r->engine->catalog, d->id,
	    r->remote->name);
	log_info("backup %lld of %s deleted at %s: why=\"%s\"",
	    (long long)d->id, d->database, r->remote->name, d->why);
	events_add(r->engine, EVENT_EXPIRED, &about, "The copy of backup "
	    "%lld at %s was deleted: %s.%s", (long long)d->id,
	    r->remote->name, d->why, gone ? " It was the only one." : "");
}

/* It stays, and is tried again in a day: what refuses may be a lock that
 * ends.  Said once for all that are refused for the same reason. */
static void
refused(struct deletion *r, const struct catalog_doomed *d,
    const char *reason)
{
	struct event_about	about = { d->database, r->remote->name,
				    d->id };
	int			is_new;

	is_new = catalog_doomed_refused(r->engine->catalog, d->id,
	    r->remote->name, reason);
	if (!is_new || strcmp(r->told, reason) == 0)
		return;
	strlcpy(r->told, reason, sizeof(r->told));
	log_warnx("backup %lld could not be deleted at %s: %s",
	    (long long)d->id, r->remote->name, reason);
	events_add(r->engine, EVENT_EXPIRED, &about, "The copy of backup "
	    "%lld at %s should go (%s), but is refused: %.300s.  What else "
	    "is refused for this reason is not told again.", (long long)d->id,
	    r->remote->name, d->why, reason);
}

void
expire_deleted(struct engine *e, const struct msg *msg)
{
	struct m_net_deleted	 m;
	struct deletion		*r;
	struct timeval		 tv;
	uint32_t		 i, failed = 0;

	memcpy(&m, msg->data, sizeof(m));
	TAILQ_FOREACH(r, &deletions, entry) {
		if (r->transfer != 0 && r->transfer == msg->id)
			break;
	}
	if (r == NULL || m.count != r->n || !msg_text_ok(m.reason))
		fatalx("network: impossible NET_DELETED");
	r->transfer = 0;
	for (i = 0; i < m.count; i++) {
		if (m.outcome[i] > NET_CANCELLED)
			fatalx("network: impossible NET_DELETED");
		if (m.outcome[i] == NET_OK)
			deleted(r, &r->list[i]);
		else if (m.outcome[i] == NET_REFUSED)
			refused(r, &r->list[i], m.reason);
		else
			failed++;
	}
	if (failed == 0) {
		deletion_next(r);
		return;
	}
	log_warnx("%u of %u copies could not be deleted at %s: %s", failed,
	    m.count, r->remote->name, m.reason);
	/* They stay marked. */
	r->before_id = INT64_MAX;
	clock_wait(&tv, m.retry_after_s * 1000LL > PAUSE_MS ?
	    m.retry_after_s * 1000LL : PAUSE_MS);
	event_add(r->timer, &tv);
	(void)e;
}

int
expire_remote_deletes(int64_t backup_id)
{
	const struct deletion	*r;
	uint32_t		 i;

	TAILQ_FOREACH(r, &deletions, entry) {
		for (i = 0; r->transfer != 0 && i < r->n; i++) {
			if (r->list[i].id == backup_id)
				return (1);
		}
	}
	return (0);
}

void
expire_remotes_kick(struct engine *e)
{
	struct deletion	*r;

	(void)e;
	TAILQ_FOREACH(r, &deletions, entry) {
		if (r->transfer != 0 || evtimer_pending(r->timer, NULL))
			continue;
		r->before_id = INT64_MAX;
		deletion_next(r);
	}
}

void
expire_remote_changed(struct engine *e, const struct conf_remote *c)
{
	struct deletion	*r;

	TAILQ_FOREACH(r, &deletions, entry) {
		if (r->remote == c)
			return;		/* it asks each time */
	}
	if (c->retired || !expire_can_delete(c))
		return;
	r = xcalloc(1, sizeof(*r));
	r->engine = e;
	r->remote = c;
	if ((r->timer = evtimer_new(e->base, on_timer, r)) == NULL)
		fatalx("evtimer_new");
	TAILQ_INSERT_TAIL(&deletions, r, entry);
}

void
expire_remotes_init(struct engine *e)
{
	const struct conf_remote	*c;

	TAILQ_FOREACH(c, &e->conf->remotes, entry)
		expire_remote_changed(e, c);
}

void
expire_remotes_free(void)
{
	struct deletion	*r;

	while ((r = TAILQ_FIRST(&deletions)) != NULL) {
		TAILQ_REMOVE(&deletions, r, entry);
		event_free(r->timer);
		free(r);
	}
}
