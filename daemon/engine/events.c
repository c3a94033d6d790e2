/*
 * The engine runs this.  It owns what is written down of events and
 * alarms; whoever wants to know of them asks the catalog.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"

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

static void
add(struct engine *e, enum event_kind kind, const struct event_about *about,
    const char *text)
{
	struct catalog_event	ev;

	memset(&ev, 0, sizeof(ev));
	ev.at_ms = util_now_ms();
	ev.kind = event_names[kind];
	ev.about = *about;
	ev.text = text;
	(void)catalog_event_add(e->catalog, &ev);
	log_debug("event: %s database=%s: %s", ev.kind, about->database,
	    text);
}

void
events_add(struct engine *e, enum event_kind kind,
    const struct event_about *about, const char *fmt, ...)
{
	char	text[TEXT_BYTES];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(e, kind, about, text);
}

void
alarm_raise(struct engine *e, enum alarm_kind kind, const char *database,
    const char *fmt, ...)
{
	struct event_about	about = { database, "", 0 };
	char			text[TEXT_BYTES];
	va_list			ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!catalog_alarm_raise(e->catalog, database, alarm_names[kind],
	    text, util_now_ms()))
		return;
	log_warnx("alarm %s database=%s: %s", alarm_names[kind], database,
	    text);
	add(e, EVENT_ALARM, &about, text);
}

int
alarm_stands(struct engine *e, const char *database, char *why)
{
	return (catalog_alarm_first(e->catalog, database, why));
}
