/*
 * What happened, written down: events for whoever watches, and alarms,
 * which freeze the expiry of a database until somebody acknowledges them.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include <stdint.h>

struct engine;

enum event_kind {
	EVENT_COMPLETED,		/* a backup is where it should be */
	EVENT_FAILED,			/* backup, restore, upload for good */
	EVENT_LATE,			/* one was due and did not begin */
	EVENT_RESTORED,
	EVENT_EXPIRED,			/* deleted by rule or by hand */
	EVENT_DROPPED,			/* an unsent one, for want of room */
	EVENT_DRILLED,
	EVENT_DRILL_FAILED,
	EVENT_ALARM,
	EVENT_ACKNOWLEDGED,
	EVENT_KINDS
};

enum alarm_kind {
	ALARM_REPLACED,			/* another file is at the path */
	ALARM_APPLICATION,		/* of another application */
	ALARM_SHRUNK,			/* by more than half */
	ALARM_TABLES,			/* some vanished */
	ALARM_STALE,			/* not changed for too long */
	ALARM_UNJUDGED,			/* H6: nobody can judge it */
	ALARM_DRILL,			/* a drill failed */
	ALARM_CLOCK,			/* H22: the clock jumped ahead */
	ALARM_KINDS
};

struct event_about {
	const char	*database;	/* or "" */
	const char	*place;		/* a remote's name, or "" */
	int64_t		 backup_id;	/* 0: none */
};

/* "completed", "drill_failed"; "replaced". */
const char	*event_kind_name(enum event_kind);
const char	*alarm_kind_name(enum alarm_kind);
int		 alarm_kind_known(const char *name);

/* An event more: into the catalog, the log, and to whoever waits for it.
 * text: a sentence, without secrets. */
void	events_add(struct engine *, enum event_kind,
	    const struct event_about *, const char *text, ...)
	    __attribute__((__format__ (printf, 4, 5)));

/* database "": of the whole installation.  Nothing happens while the same
 * alarm stands already; otherwise an event says it. */
void	alarm_raise(struct engine *, enum alarm_kind, const char *database,
	    const char *text, ...) __attribute__((__format__ (printf, 4, 5)));

/* Takes name and password out of every URL in a text. */
void	events_hide_login(char *text);

/* ---- alarms.c: about the data itself ---- */

/* A backup was proven: is its data like that of the one before? */
void	alarms_compare(struct engine *, int64_t backup_id,
	    const char *database);

/* A restore has put other data into the database, and that is well. */
void	alarms_expect_anew(struct engine *, const char *database);

/* ---- events.c ---- */

/* Is expiry frozen for a database?  Then why (TEXT_BYTES) has a sentence. */
int	alarm_stands(struct engine *, const char *database, char *why);

#endif
