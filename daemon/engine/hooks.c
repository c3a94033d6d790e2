/*
 * The engine runs this: events for webhooks, and the heartbeat.  The queue
 * of a hook is the catalog's list of events from where the hook is; so a
 * crash loses none, and an event without its place in a queue cannot be.
 * Each hook gets its events in order, one at a time; what does not arrive
 * is tried again after a pause that doubles.  What was sent and not yet
 * written down when the machine stopped is sent again: the id tells.
 */
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"
#include "daemon/engine/hook_body.h"

#define TIMEOUT_MS	30000
#define RETRY_MIN_MS	1000
#define RETRY_MAX_MS	(3600 * 1000)
#define AGE_MAX_MS	(INT64_C(7) * 86400 * 1000)
#define WAITING_MAX	10000		/* events, of all kinds */
#define PAGE		20		/* looked at for one that is due */
#define LOOK_MS		60000		/* the wall clock may jump */
#define LABEL_BYTES	300
#define KEY_BYTES	80
#define HOST_BYTES	256

struct hook {
	TAILQ_ENTRY(hook) entry;
	struct engine	*engine;
	const struct conf_notify *conf;
	struct event	*timer;		/* the next attempt, or heartbeat */
	int		 gone;		/* from the configuration */
	uint64_t	 transfer;	/* that runs; 0: none */
	int64_t		 event_id;	/* that it carries */
	struct catalog_hook at;
	char		 key[KEY_BYTES];	/* in the catalog */
	char		 label[LABEL_BYTES];	/* for people: no secret */
};
static TAILQ_HEAD(, hook) hooks = TAILQ_HEAD_INITIALIZER(hooks);

static const struct {
	enum event_kind	kind;
	uint32_t	events;		/* NOTIFY_* */
} kinds[] = {
	{ EVENT_COMPLETED,	NOTIFY_SUCCESS },
	{ EVENT_RESTORED,	NOTIFY_SUCCESS },
	{ EVENT_EXPIRED,	NOTIFY_SUCCESS },
	{ EVENT_DRILLED,	NOTIFY_SUCCESS },
	{ EVENT_FAILED,		NOTIFY_FAILURE },
	{ EVENT_LATE,		NOTIFY_FAILURE },
	{ EVENT_DROPPED,	NOTIFY_FAILURE },
	{ EVENT_DRILL_FAILED,	NOTIFY_FAILURE },
	{ EVENT_ALARM,		NOTIFY_FAILURE },
	{ EVENT_ACKNOWLEDGED,	NOTIFY_FAILURE },
};

static int
concerns(const struct hook *h, const char *kind)
{
	size_t	i;

	for (i = 0; i < nitems(kinds); i++) {
		if (strcmp(event_kind_name(kinds[i].kind), kind) == 0)
			return ((h->conf->events & kinds[i].events) != 0);
	}
	return (0);
}

/* ---- the place in the queue ---- */

static void
save(struct hook *h)
{
	/* Without it the same event is sent again after a crash. */
	if (catalog_hook_set(h->engine->catalog, h->key, &h->at) == -1)
		log_debug("the disk is too full to write down how far %s is",
		    h->label);
}

static void
done_with(struct hook *h, int64_t id)
{
	h->at.last_id = id;
	h->at.attempts = 0;
	h->at.next_attempt_ms = 0;
	save(h);
}

struct search {
	struct hook	*hook;
	struct m_event	 found;
	uint32_t	 seen;
};

static void
on_event(const struct m_event *ev, void *arg)
{
	struct search	*s = arg;

	s->seen++;
	if (s->found.id == 0 && concerns(s->hook, ev->kind))
		s->found = *ev;
}

/* 1 and the next event for the hook, or 0: it has had them all. */
static int
next_event(struct hook *h, struct m_event *ev)
{
	struct search	s;
	int64_t		last;

	do {
		memset(&s, 0, sizeof(s));
		s.hook = h;
		last = catalog_events(h->engine->catalog, h->at.last_id, PAGE,
		    on_event, &s);
		if (s.found.id != 0) {
			*ev = s.found;
			return (1);
		}
		h->at.last_id = last;
	} while (s.seen == PAGE);
	return (0);
}

/* The same, but those that have waited too long, or behind too many, go:
 * and the log says so. */
static int
next_fresh(struct hook *h, struct m_event *ev)
{
	int64_t		newest = catalog_events_newest(h->engine->catalog);
	int64_t		old_ms = util_now_ms() - AGE_MAX_MS;
	uint32_t	dropped = 0;
	int		found;

	while ((found = next_event(h, ev)) && (ev->at_ms < old_ms ||
	    ev->id <= newest - WAITING_MAX)) {
		h->at.last_id = ev->id;
		dropped++;
	}
	if (dropped > 0) {
		log_warnx("%s did not take its events: %u of them, up to "
		    "number %lld, are not sent there any more", h->label,
		    dropped, (long long)h->at.last_id);
		done_with(h, h->at.last_id);
	}
	return (found);
}

/* ---- sending ---- */

static void
post(struct hook *h, const struct m_event *ev)
{
	struct engine		*e = h->engine;
	struct m_net_hook	 m;
	char			 host[HOST_BYTES];

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	memset(&m, 0, sizeof(m));
	m.timeout_ms = TIMEOUT_MS;
	m.size = (uint32_t)hook_body(m.body, ev, host, store_uuid(e->store));
	strlcpy(m.url, h->conf->url, sizeof(m.url));
	strlcpy(m.event, ev->kind, sizeof(m.event));
	h->transfer = ++e->next_transfer;
	h->event_id = ev->id;
	chan_send(e->network.chan, MSG_NET_HOOK, h->transfer, &m, sizeof(m),
	    -1);
	explicit_bzero(&m, sizeof(m));
}

static void
again(struct hook *h, int64_t wait_ms)
{
	struct timeval	tv;

	if (wait_ms > LOOK_MS)
		wait_ms = LOOK_MS;
	if (wait_ms < 0)
		wait_ms = 0;
	tv.tv_sec = (time_t)(wait_ms / 1000);
	tv.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000;
	event_add(h->timer, &tv);
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct hook	*h = arg;
	struct m_event	 ev;
	int64_t		 now_ms = util_now_ms();

	(void)fd;
	(void)what;
	if (h->transfer != 0 || h->engine->stopping || h->gone)
		return;
	if (!next_fresh(h, &ev))
		return;
	if (h->at.next_attempt_ms > now_ms &&
	    h->at.next_attempt_ms - now_ms <= RETRY_MAX_MS) {
		again(h, h->at.next_attempt_ms - now_ms);
		return;
	}
	h->at.attempts++;
	post(h, &ev);
}

/* As long as nothing is late, has failed or is alarming. */
static void
on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	struct hook	*h = arg;
	struct m_event	 ev;
	struct timeval	 tv;

	(void)fd;
	(void)what;
	if (h->gone)
		return;
	tv.tv_sec = (time_t)(h->conf->every_ms / 1000);
	tv.tv_usec = (suseconds_t)(h->conf->every_ms % 1000) * 1000;
	event_add(h->timer, &tv);
	if (h->transfer != 0 || h->engine->stopping ||
	    catalog_troubled(h->engine->catalog))
		return;
	memset(&ev, 0, sizeof(ev));
	ev.at_ms = util_now_ms();
	strlcpy(ev.kind, "heartbeat", sizeof(ev.kind));
	strlcpy(ev.text, "Nothing is late, has failed or is alarming.",
	    sizeof(ev.text));
	post(h, &ev);
}

/* Doubles with each attempt; a quarter of it is chance. */
static int64_t
pause_ms(const struct hook *h, uint32_t retry_after_s)
{
	int64_t		ms = RETRY_MIN_MS;
	uint32_t	i;

	for (i = 1; i < h->at.attempts && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	if (ms < (int64_t)retry_after_s * 1000)
		ms = (int64_t)retry_after_s * 1000;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	return (ms - ms / 4 + arc4random_uniform((uint32_t)(ms / 4) + 1));
}

static void
sent(struct hook *h, const struct m_net_hooked *m)
{
	int64_t	wait_ms;

	switch (m->outcome) {
	case NET_OK:
		log_debug("event %lld was taken by %s",
		    (long long)h->event_id, h->label);
		done_with(h, h->event_id);
		break;
	case NET_REFUSED:
		log_warnx("event %lld is not sent to %s again: %s",
		    (long long)h->event_id, h->label, m->reason);
		done_with(h, h->event_id);
		break;
	default:
		wait_ms = pause_ms(h, m->retry_after_s);
		h->at.next_attempt_ms = util_now_ms() + wait_ms;
		log_warnx("event %lld did not get to %s, again in %lld s: %s",
		    (long long)h->event_id, h->label,
		    (long long)(wait_ms + 999) / 1000, m->reason);
		save(h);
		again(h, wait_ms);
		return;
	}
	again(h, 0);
}

int
hooks_message(struct engine *e, const struct msg *msg)
{
	struct m_net_hooked	 m;
	struct hook		*h;

	(void)e;
	memcpy(&m, msg->data, sizeof(m));
	TAILQ_FOREACH(h, &hooks, entry) {
		if (h->transfer != 0 && h->transfer == msg->id)
			break;
	}
	if (h == NULL || m.outcome > NET_CANCELLED || !msg_text_ok(m.reason))
		return (0);
	h->transfer = 0;
	if (h->conf->events & NOTIFY_HEARTBEAT) {
		if (m.outcome != NET_OK)
			log_warnx("the heartbeat did not get to %s: %s",
			    h->label, m.reason);
	} else
		sent(h, &m);
	return (1);
}

void
hooks_event(struct engine *e)
{
	struct hook	*h;

	(void)e;
	TAILQ_FOREACH(h, &hooks, entry) {
		if (!(h->conf->events & NOTIFY_HEARTBEAT) &&
		    h->transfer == 0)
			again(h, 0);
	}
}

/* ---- start and end ---- */

/* What the catalog calls it: the URL itself may be a secret. */
static void
key_make(struct hook *h)
{
	uint8_t		digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX	ctx;
	uint32_t	events = h->conf->events;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)h->conf->url,
	    strlen(h->conf->url));
	SHA256Update(&ctx, (const uint8_t *)&events, sizeof(events));
	SHA256Final(digest, &ctx);
	util_hex(h->key, digest, sizeof(digest));
}

static int
configured(const char *key)
{
	const struct hook	*h;

	TAILQ_FOREACH(h, &hooks, entry) {
		if (!h->gone && strcmp(h->key, key) == 0)
			return (1);
	}
	return (0);
}

static void
forget_others(struct catalog *c)
{
	char	key[KEY_BYTES] = "", next[KEY_BYTES];

	while (catalog_hook_next(c, key, next, sizeof(next))) {
		if (!configured(next))
			catalog_hook_delete(c, next);
		strlcpy(key, next, sizeof(key));
	}
}

static void
hook_new(struct engine *e, const struct conf_notify *conf)
{
	struct hook	*h;
	int		 heartbeat = (conf->events & NOTIFY_HEARTBEAT) != 0;

	h = xcalloc(1, sizeof(*h));
	h->engine = e;
	h->conf = conf;
	hook_label(h->label, sizeof(h->label), conf->url);
	key_make(h);
	if (configured(h->key)) {	/* the same line twice */
		free(h);
		return;
	}
	if ((h->timer = evtimer_new(e->base, heartbeat ? on_heartbeat :
	    on_due, h)) == NULL)
		fatalx("evtimer_new");
	TAILQ_INSERT_TAIL(&hooks, h, entry);
	/* A new one wants what is to come, not all that was. */
	if (!heartbeat && !catalog_hook_get(e->catalog, h->key, &h->at))
		done_with(h, catalog_events_newest(e->catalog));
	again(h, 0);
}

/* The same URL for the same events, whichever configuration said so. */
static struct hook *
hook_like(const struct conf_notify *conf)
{
	struct hook	*h;

	TAILQ_FOREACH(h, &hooks, entry) {
		if (h->conf->events == conf->events &&
		    strcmp(h->conf->url, conf->url) == 0)
			break;
	}
	return (h);
}

void
hooks_changed(struct engine *e)
{
	const struct conf_notify	*conf;
	struct hook			*h;

	TAILQ_FOREACH(h, &hooks, entry)
		h->gone = 1;
	TAILQ_FOREACH(conf, &e->conf->notifies, entry) {
		if ((h = hook_like(conf)) == NULL) {
			hook_new(e, conf);
			continue;
		}
		h->conf = conf;
		h->gone = 0;
		if (h->transfer == 0)
			again(h, 0);
	}
	forget_others(e->catalog);
}

void
hooks_init(struct engine *e)
{
	const struct conf_notify	*conf;

	TAILQ_FOREACH(conf, &e->conf->notifies, entry)
		hook_new(e, conf);
	forget_others(e->catalog);
}

void
hooks_free(struct engine *e)
{
	struct hook	*h;

	(void)e;
	while ((h = TAILQ_FIRST(&hooks)) != NULL) {
		TAILQ_REMOVE(&hooks, h, entry);
		event_free(h->timer);
		free(h);
	}
}
