/*
 * The engine runs this: which backups stay.  It owns nothing and asks
 * nobody; what is proven, pinned or in use is told to it, and so is the
 * time, so that tests run years in seconds.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compat.h"
#include "daemon/engine/conf.h"
#include "daemon/engine/retention.h"

#define DAY_S	86400

/* The same number for all times of one bucket; later buckets, larger. */
struct buckets {
	int64_t	hour, day, week, month, year;
};

static const char *const	texts[RETAIN_WHYS] = {
	[KEEP_ALL] = "everything is kept",
	[KEEP_NO_PROOF] = "no proven backup is there to count from",
	[KEEP_NEWEST_PROVEN] = "it is the newest proven backup",
	[KEEP_IN_USE] = "a job uses it",
	[KEEP_WAITS] = "a remote has still to get it",
	[KEEP_PINNED] = "it is pinned",
	[KEEP_NAMED] = "it was made by hand, with a name",
	[KEEP_UNJUDGED] = "nobody could judge whether it is sound",
	[KEEP_FUTURE] = "its time lies in the future",
	[KEEP_UNDO] = "the last restore can be undone with it",
	[KEEP_SAFETY] = "it is a safety backup, and not old enough",
	[KEEP_FAILED] = "it failed, and is not old enough",
	[KEEP_WITHIN] = "it is recent enough",
	[KEEP_LAST] = "it is one of the newest",
	[KEEP_HOURLY] = "it is the newest of its hour",
	[KEEP_DAILY] = "it is the newest of its day",
	[KEEP_WEEKLY] = "it is the newest of its week",
	[KEEP_MONTHLY] = "it is the newest of its month",
	[KEEP_YEARLY] = "it is the newest of its year",
	[DROP_RULES] = "no keep rule holds it",
	[DROP_SAFETY] = "it is a safety backup, older than \"keep safety\"",
	[DROP_FAILED] = "it failed, more than 7 days ago",
};

const char *
retention_text(enum retain_why why)
{
	return (texts[why]);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return (a >= 0 ? a / b : -((-a + b - 1) / b));
}

static void
buckets_of(int64_t ms, struct buckets *b)
{
	struct tm	tm;
	time_t		t = (time_t)floor_div(ms, 1000);
	int64_t		local_s;

	memset(&tm, 0, sizeof(tm));
	if (localtime_r(&t, &tm) == NULL)
		(void)gmtime_r(&t, &tm);
	b->year = tm.tm_year;
	b->month = (int64_t)tm.tm_year * 12 + tm.tm_mon;
	local_s = (int64_t)t + tm.tm_gmtoff;
	b->day = floor_div(local_s, DAY_S);
	b->week = floor_div(b->day + 3, 7);	/* from Monday on */
	b->hour = floor_div(local_s, 3600);
}

static int
newer_first(const void *va, const void *vb)
{
	const struct retained	*a = va, *b = vb;

	if (a->created_ms != b->created_ms)
		return (a->created_ms < b->created_ms ? 1 : -1);
	return (a->id < b->id ? 1 : a->id > b->id ? -1 : 0);
}

/* May it fill a place in a rule? */
static int
counts(const struct retained *r, int64_t now_ms)
{
	return ((r->flags & (RETAIN_PROVEN | RETAIN_SAFETY)) ==
	    RETAIN_PROVEN && r->created_ms <= now_ms + RETAIN_FUTURE_MS);
}

/* One rule's places: a bucket that is not the last one takes one. */
struct places {
	int64_t		last;
	uint32_t	left;
	int		begun;
};

static int
place_take(struct places *p, int64_t bucket)
{
	/* A clock that is set back at midnight makes a day twice. */
	if (p->begun && p->last <= bucket)
		return (0);
	p->begun = 1;
	p->last = bucket;
	if (p->left == 0)
		return (0);
	p->left--;
	return (1);
}

/*
 * From the newest on, each takes what places there are in every rule; the
 * first that held it is the reason.
 */
static void
rules_apply(const struct conf_keep *k, int64_t now_ms, int64_t newest_ms,
    struct retained *list, size_t n)
{
	struct places	hour, day, week, month, year;
	struct buckets	b;
	uint32_t	last = k->last;
	enum retain_why	why;
	size_t		i;

	memset(&hour, 0, sizeof(hour));
	day = week = month = year = hour;
	hour.left = k->hourly;
	day.left = k->daily;
	week.left = k->weekly;
	month.left = k->monthly;
	year.left = k->yearly;
	for (i = 0; i < n; i++) {
		if (!counts(&list[i], now_ms))
			continue;
		buckets_of(list[i].created_ms, &b);
		why = DROP_RULES;
		if (place_take(&year, b.year))
			why = KEEP_YEARLY;
		if (place_take(&month, b.month))
			why = KEEP_MONTHLY;
		if (place_take(&week, b.week))
			why = KEEP_WEEKLY;
		if (place_take(&day, b.day))
			why = KEEP_DAILY;
		if (place_take(&hour, b.hour))
			why = KEEP_HOURLY;
		if (last > 0) {
			last--;
			why = KEEP_LAST;
		}
		/* Not "newest - within": that may be before all times. */
		if (k->within_ms > 0 && (list[i].created_ms >= newest_ms ||
		    (uint64_t)(newest_ms - list[i].created_ms) <=
		    k->within_ms))
			why = KEEP_WITHIN;
		list[i].why = why;
	}
}

/* What comes before all rules, or stands outside of them. */
static enum retain_why
exempt(const struct retained *r, int rules, uint64_t safety_ms,
    int64_t now_ms, int64_t newest_ms)
{
	int64_t	age_ms = newest_ms - r->created_ms;

	if (r->flags & RETAIN_IN_USE)
		return (KEEP_IN_USE);
	if (r->flags & RETAIN_WAITS)
		return (KEEP_WAITS);
	if (r->flags & RETAIN_PINNED)
		return (KEEP_PINNED);
	if (r->created_ms > now_ms + RETAIN_FUTURE_MS)
		return (KEEP_FUTURE);
	if (r->flags & RETAIN_SAFETY) {
		if (r->flags & RETAIN_UNDO)
			return (KEEP_UNDO);
		return (age_ms <= 0 || (uint64_t)age_ms <= safety_ms ?
		    KEEP_SAFETY : DROP_SAFETY);
	}
	if (r->flags & RETAIN_UNJUDGED)
		return (KEEP_UNJUDGED);
	if (!(r->flags & RETAIN_PROVEN))
		return (!rules ? KEEP_ALL : age_ms <= RETAIN_FAILED_MS ?
		    KEEP_FAILED : DROP_FAILED);
	return (r->flags & RETAIN_NAMED ? KEEP_NAMED : KEEP_ALL);
}

void
retention_decide(const struct conf_keep *k, uint64_t safety_ms,
    int64_t now_ms, struct retained *list, size_t n)
{
	enum retain_why	why;
	size_t		i, newest = n, any = n;

	if (n > 0)			/* list may be NULL then */
		qsort(list, n, sizeof(*list), newer_first);
	for (i = 0; i < n; i++) {
		list[i].why = KEEP_NO_PROOF;
		if (any == n && (list[i].flags & RETAIN_PROVEN) &&
		    list[i].created_ms <= now_ms + RETAIN_FUTURE_MS)
			any = i;
		if (newest == n && counts(&list[i], now_ms))
			newest = i;
	}
	if (any == n)
		return;
	if (k->set && newest != n)
		rules_apply(k, now_ms, list[newest].created_ms, list, n);
	for (i = 0; i < n; i++) {
		why = exempt(&list[i], k->set, safety_ms, now_ms,
		    list[any].created_ms);
		if (why != KEEP_ALL || !k->set)
			list[i].why = why;
		/* Whatever the rules say, one that can be restored stays. */
		if (RETAIN_DROPPED(list[i].why) && (i == newest || i == any))
			list[i].why = KEEP_NEWEST_PROVEN;
	}
}
