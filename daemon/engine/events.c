/*
 * The engine runs this.  It owns what is written down of events and
 * alarms, and sees to it that no secret is in it; whoever wants to know of
 * them asks the catalog, and is told here that there is something new.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"

#define SECRET_LEAST	4	/* bytes; less would hide words */

static const char *const	event_names[EVENT_KINDS] = {
	[EVENT_COMPLETED] = "completed",
	[EVENT_FAILED] = "failed",
	[EVENT_LATE] = "late",
	[EVENT_RESTORED] = "restored",
	[EVENT_EXPIRED] = "expired",
	[EVENT_DROPPED] = "dropped",
	[EVENT_DRILLED] = "drilled",
	[EVENT_DRILL_FAILED] = "drill_failed",
	[EVENT_ALARM] = "alarm",
	[EVENT_ACKNOWLEDGED] = "acknowledged",
};

static const char *const	alarm_names[ALARM_KINDS] = {
	[ALARM_REPLACED] = "replaced",
	[ALARM_APPLICATION] = "application",
	[ALARM_SHRUNK] = "shrunk",
	[ALARM_TABLES] = "tables",
	[ALARM_STALE] = "stale",
	[ALARM_UNJUDGED] = "unjudged",
	[ALARM_DRILL] = "drill",
	[ALARM_CLOCK] = "clock",
};

const char *
event_kind_name(enum event_kind kind)
{
	return (event_names[kind]);
}

const char *
alarm_kind_name(enum alarm_kind kind)
{
	return (alarm_names[kind]);
}

/* What may be in a sentence of ours or of a remote, and must not go out:
 * each secret of the configuration, and what stands before the host in a
 * URL. */
static void
secret_hide(char *text, const char *secret)
{
	size_t	 n = secret == NULL ? 0 : strlen(secret);
	char	*p;

	if (n < SECRET_LEAST)
		return;
	for (p = text; (p = strstr(p, secret)) != NULL; p += n)
		memset(p, '*', n);
}

void
events_hide_login(char *text)
{
	char	*host = text, *p, *at, *end;

	while ((host = strstr(host, "://")) != NULL) {
		host += 3;
		end = host + strcspn(host, "/?# \t\n\"'<>");
		for (at = NULL, p = host; p < end; p++) {
			if (*p == '@')
				at = p;
		}
		if (at != NULL)
			memmove(host, at + 1, strlen(at + 1) + 1);
	}
}

static void
secrets_hide(const struct engine *e, char *text)
{
	const struct conf_remote	*r;
	const struct conf_notify	*n;

	TAILQ_FOREACH(r, &e->conf->remotes, entry) {
		secret_hide(text, r->api_key);
		if (r->s3 == NULL)
			continue;
		secret_hide(text, r->s3->secret_key);
		secret_hide(text, r->s3->session_token);
		secret_hide(text, r->s3->delete_secret_key);
	}
	TAILQ_FOREACH(n, &e->conf->notifies, entry)
		secret_hide(text, n->url);
	events_hide_login(text);
}

static void
added(struct engine *e, const char *kind, const char *database,
    const char *text)
{
	log_debug("event: %s database=%s: %s", kind, database, text);
	watch_event(e);
	hooks_event(e);
}

void
events_add(struct engine *e, enum event_kind kind,
    const struct event_about *about, const char *fmt, ...)
{
	struct catalog_event	ev;
	char			text[TEXT_BYTES];
	va_list			ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	secrets_hide(e, text);
	memset(&ev, 0, sizeof(ev));
	ev.at_ms = util_now_ms();
	ev.kind = event_names[kind];
	ev.about = *about;
	ev.text = text;
	if (catalog_event_add(e->catalog, &ev) == 0) {
		log_warnx("the disk is too full to write down the event %s "
		    "database=%s: %s", ev.kind, about->database, text);
		return;
	}
	added(e, ev.kind, about->database, text);
}

void
alarm_raise(struct engine *e, enum alarm_kind kind, const char *database,
    const char *fmt, ...)
{
	char	text[TEXT_BYTES];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	secrets_hide(e, text);
	if (!catalog_alarm_raise(e->catalog, database, alarm_names[kind],
	    text, util_now_ms()))
		return;
	log_warnx("alarm %s database=%s: %s", alarm_names[kind], database,
	    text);
	added(e, event_names[EVENT_ALARM], database, text);
}

int
alarm_kind_known(const char *name)
{
	size_t	i;

	for (i = 0; i < nitems(alarm_names); i++) {
		if (strcmp(alarm_names[i], name) == 0)
			return (1);
	}
	return (0);
}

int
alarm_stands(struct engine *e, const char *database, char *why)
{
	return (catalog_alarm_first(e->catalog, database, why));
}
