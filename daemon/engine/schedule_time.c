/*
 * The engine runs this: the arithmetic of schedules.  It owns nothing, and
 * must not ask what time it is.
 *
 * "every" counts from the epoch, so that a restart moves nothing.  "at" is
 * local time (D16): a slot is the first moment at which a local clock of
 * that day shows its time or a later one.  So a time that is skipped when
 * clocks go forward falls on the moment of the change, and of one that is
 * shown twice only the first counts.
 */
#include <string.h>
#include <time.h>

#include "daemon/engine/schedule_time.h"

#define DAY_S		86400
#define DAY_MS		((int64_t)DAY_S * 1000)
#define WEEK_DAYS	7
/* Days to look at: a week, and a day that a zone has left out. */
#define DAYS		(WEEK_DAYS + 3)
#define JITTER_MAX_MS	(5 * 60 * 1000)
/* Local clocks differ from UTC by less. */
#define OFFSET_MAX_S	(16 * 3600)

/* What local clocks show at t, as if that were UTC. */
static int64_t
local_at(int64_t t)
{
	struct tm	tm;
	time_t		tt = (time_t)t;

	if (localtime_r(&tt, &tm) == NULL)
		return (t);
	return ((int64_t)timegm(&tm));
}

static int64_t
offset_at(int64_t t)
{
	return (local_at(t) - t);
}

/* Between two moments with different offsets: the first with the later. */
static int64_t
change_between(int64_t low, int64_t high)
{
	int64_t	after = offset_at(high), middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (offset_at(middle) == after)
			high = middle;
		else
			low = middle;
	}
	return (high);
}

/* When local clocks first show `local` (seconds, as if it were UTC). */
static int64_t
first_shown(int64_t local)
{
	int64_t	low = local - OFFSET_MAX_S, high = local + OFFSET_MAX_S;
	int64_t	before = offset_at(low), after = offset_at(high);

	if (local_at(local - before) == local)
		return (local - before);
	if (local_at(local - after) == local)
		return (local - after);
	return (change_between(low, high));
}

/* The slot of a day, which is counted from the epoch in local time; -1
 * when this weekday has none. */
static int64_t
slot_of_day(const struct conf_schedule *s, int64_t day)
{
	/* The epoch was a Thursday. */
	int64_t	weekday = ((day + 4) % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS;

	if (!(s->weekdays & (1U << weekday)))
		return (-1);
	return (first_shown(day * DAY_S + (int64_t)s->minute * 60) * 1000);
}

static int64_t
local_day(int64_t ms)
{
	int64_t	s = local_at(ms / 1000);

	return (s / DAY_S - (s % DAY_S < 0));
}

int64_t
schedule_next(const struct conf_schedule *s, int64_t after_ms)
{
	int64_t	day, end, slot;

	if (s->every_ms != 0)
		return ((after_ms / (int64_t)s->every_ms + 1) *
		    (int64_t)s->every_ms);
	day = local_day(after_ms) - 2;
	for (end = day + DAYS + 3; day < end; day++) {
		if ((slot = slot_of_day(s, day)) > after_ms)
			return (slot);
	}
	return (INT64_MAX);		/* no weekday at all */
}

int64_t
schedule_last(const struct conf_schedule *s, int64_t now_ms)
{
	int64_t	day, end, slot;

	if (s->every_ms != 0)
		return (now_ms / (int64_t)s->every_ms * (int64_t)s->every_ms);
	day = local_day(now_ms) + 2;
	for (end = day - DAYS - 3; day > end; day--) {
		slot = slot_of_day(s, day);
		if (slot != -1 && slot <= now_ms)
			return (slot);
	}
	return (0);
}

int64_t
schedule_interval_ms(const struct conf_schedule *s)
{
	uint32_t	days = s->weekdays;

	if (s->every_ms != 0)
		return ((int64_t)s->every_ms);
	/* One day alone comes once a week; several may be neighbours. */
	return ((days & (days - 1)) == 0 ? WEEK_DAYS * DAY_MS : DAY_MS);
}

/* FNV-1a, and its bits mixed: names often differ in one letter. */
static uint64_t
mix(uint64_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	h ^= h >> 32;
	return (h * 0x9e3779b97f4a7c15ULL);
}

int64_t
schedule_jitter_ms(const struct conf_database *d,
    const struct conf_schedule *s, const char *uuid)
{
	uint64_t	most = d->jitter_ms;
	uint64_t	interval = (uint64_t)schedule_interval_ms(s);
	uint64_t	h;

	if (most == CONF_JITTER_DEFAULT)
		most = interval / 10 < JITTER_MAX_MS ? interval / 10 :
		    JITTER_MAX_MS;
	if (most >= interval)
		most = interval - 1;
	h = mix(mix(0xcbf29ce484222325ULL, uuid), d->name);
	return ((int64_t)((h >> 16) % (most + 1)));
}

int64_t
schedule_due(const struct conf_database *d, const char *uuid,
    int64_t ran_slot_ms, int64_t now_ms, int64_t *next_ms)
{
	const struct conf_schedule	*s;
	int64_t				 jitter, slot, next, due = 0;
	uint32_t			 i;

	*next_ms = INT64_MAX;
	for (i = 0; i < d->nschedules; i++) {
		s = &d->schedules[i];
		jitter = schedule_jitter_ms(d, s, uuid);
		slot = schedule_last(s, now_ms - jitter);
		if (slot > due)
			due = slot;
		next = schedule_next(s, now_ms - jitter);
		if (next != INT64_MAX && next + jitter < *next_ms)
			*next_ms = next + jitter;
	}
	return (due > ran_slot_ms ? due : 0);
}
