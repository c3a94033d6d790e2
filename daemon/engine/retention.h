/*
 * Which backups stay: a pure function of the rules, the history and the
 * time.  Nothing here touches a file or the catalog.
 */
#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H

#include <stddef.h>
#include <stdint.h>

struct conf_keep;

/* What is known of a backup at the place that is decided about. */
#define RETAIN_PROVEN		0x01	/* it could be restored from there */
#define RETAIN_UNJUDGED		0x02	/* nobody could tell (H6) */
#define RETAIN_PINNED		0x04
#define RETAIN_NAMED		0x08	/* by hand, and those are kept */
#define RETAIN_IN_USE		0x10	/* a job has it */
#define RETAIN_WAITS		0x20	/* a remote still needs it */
#define RETAIN_SAFETY		0x40	/* what a restore replaced */
#define RETAIN_UNDO		0x80	/* the newest that undo could need */

/* Without proof it fills no place in a rule, and stays this long. */
#define RETAIN_FAILED_MS	((int64_t)7 * 24 * 3600 * 1000)
/* From this far beyond now on a time is no time. */
#define RETAIN_FUTURE_MS	((int64_t)24 * 3600 * 1000)

enum retain_why {
	/* kept */
	KEEP_ALL,			/* there are no rules */
	KEEP_NO_PROOF,			/* and no proven one to count from */
	KEEP_NEWEST_PROVEN,
	KEEP_IN_USE,
	KEEP_WAITS,
	KEEP_PINNED,
	KEEP_NAMED,
	KEEP_UNJUDGED,
	KEEP_FUTURE,
	KEEP_UNDO,
	KEEP_SAFETY,
	KEEP_FAILED,
	KEEP_WITHIN,
	KEEP_LAST,
	KEEP_HOURLY,
	KEEP_DAILY,
	KEEP_WEEKLY,
	KEEP_MONTHLY,
	KEEP_YEARLY,
	/* gone */
	DROP_RULES,			/* no rule holds it */
	DROP_SAFETY,			/* old enough */
	DROP_FAILED,
	RETAIN_WHYS
};
#define RETAIN_DROPPED(why)	((why) >= DROP_RULES)

struct retained {
	int64_t		id;
	int64_t		created_ms;
	int64_t		size;		/* not looked at */
	uint32_t	flags;		/* RETAIN_* */
	enum retain_why	why;		/* the decision */
};

/*
 * Decides about n backups of one database at one place, and sorts them
 * newest first.  Buckets (hours, days ...) are those of local time, and
 * only such count as hold a proven backup; the newest in each stays.  Ages
 * count from the newest proven backup that is not from the future, so that
 * a machine that was off, or a clock that jumps, makes nothing old.
 * safety_ms: how long safety backups stay.  Deciding each day, and dropping
 * what it says, comes to the same as deciding once.
 */
void	retention_decide(const struct conf_keep *, uint64_t safety_ms,
	    int64_t now_ms, struct retained *, size_t n);

/* A sentence's end: "it is one of the newest 10", "no keep rule holds it".
 * Static. */
const char	*retention_text(enum retain_why);

#endif
