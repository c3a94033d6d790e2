/*
 * When backups are due: over years, in zones whose clocks change.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/schedule_time.h"
#include "regress/unit/unit.h"

#define UUID	"0f8fad5b-d9cb-469f-a165-70867728950e"
#define HOUR	(3600 * 1000LL)
#define DAY	(24 * HOUR)

static void
zone(const char *name)
{
	if (setenv("TZ", name, 1) == -1)
		abort();
	tzset();
}

static int64_t
at(const char *text)
{
	int64_t	ms;

	if (util_time_parse(text, &ms) == -1)
		abort();
	return (ms);
}

static const char *
text(int64_t ms)
{
	static char	buf[4][TIME_TEXT_BYTES];
	static int	n;

	n = (n + 1) % 4;
	util_time_text(buf[n], ms);
	return (buf[n]);
}

static struct conf_schedule
daily(int hour, int minute, uint32_t weekdays)
{
	struct conf_schedule	s = { 0, (uint32_t)(hour * 60 + minute),
				    weekdays };

	return (s);
}

/* The next slot after a time is a certain time. */
static void
next_is(const char *name, struct conf_schedule s, const char *after,
    const char *wanted)
{
	int64_t	got;

	zone(name);
	got = schedule_next(&s, at(after));
	ok(got == at(wanted), "%s: after %s comes %s (%s)", name, after,
	    wanted, text(got));
	ok(schedule_last(&s, got) == got && schedule_last(&s, got - 1) < got,
	    "and it is the last one then, not before");
}

/*
 * Through `days` days in small steps: each local day has one slot, whose
 * clock shows the time, or a later one where the time is left out; the
 * day before it did not.
 */
static void
years(const char *name, struct conf_schedule s, const char *from, int days)
{
	int64_t		t, last = 0, step, end, first;
	int		runs = 0, wrong = 0, odd = 0;
	struct tm	tm;
	time_t		tt;

	zone(name);
	t = first = schedule_next(&s, at(from));
	end = t + days * DAY;
	for (; t < end; t = schedule_next(&s, t)) {
		runs++;
		tt = (time_t)(t / 1000);
		(void)localtime_r(&tt, &tm);
		if ((uint32_t)(tm.tm_hour * 60 + tm.tm_min) != s.minute)
			odd++;
		step = t - last;
		if (last != 0 && (step < 22 * HOUR || step > 26 * HOUR))
			wrong++;
		last = t;
		if (schedule_last(&s, t) != t)
			wrong++;
		if (schedule_last(&s, t + 21 * HOUR) != t)
			wrong++;
	}
	ok(runs == days || runs == days + 1, "%s: %d runs in %d days", name,
	    runs, days);
	ok(wrong == 0, "each a day after the other");
	printf("# %d on the moment of a change\n", odd);
	ok(odd <= days / 365 + 2, "and at its time, but where there is none");
}

static void
changes_test(void)
{
	struct conf_schedule	half3 = daily(2, 30, 0x7f);

	/* Forward at 02:00 (01:00 UTC): 02:30 does not come. */
	next_is("Europe/Berlin", half3, "2027-03-27T12:00:00Z",
	    "2027-03-28T01:00:00Z");
	next_is("Europe/Berlin", half3, "2027-03-28T01:00:00Z",
	    "2027-03-29T00:30:00Z");
	/* Back at 03:00: 02:30 comes twice, once counts. */
	next_is("Europe/Berlin", half3, "2027-10-30T12:00:00Z",
	    "2027-10-31T00:30:00Z");
	next_is("Europe/Berlin", half3, "2027-10-31T00:30:00Z",
	    "2027-11-01T01:30:00Z");
	next_is("America/New_York", half3, "2027-03-13T12:00:00Z",
	    "2027-03-14T07:00:00Z");
	next_is("America/New_York", daily(1, 30, 0x7f),
	    "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z");
	/* Clocks that change by half an hour, at two. */
	next_is("Australia/Lord_Howe", daily(2, 15, 0x7f),
	    "2027-10-02T00:00:00Z", "2027-10-02T15:30:00Z");
	/* At midnight the day begins at one. */
	next_is("America/Santiago", daily(0, 0, 0x7f),
	    "2027-09-04T12:00:00Z", "2027-09-05T04:00:00Z");
	/* A Friday that Samoa left out. */
	next_is("Pacific/Apia", daily(4, 0, 1 << 5),
	    "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z");
	next_is("Pacific/Apia", daily(4, 0, 1 << 6),
	    "2011-12-30T10:00:00Z", "2011-12-30T14:00:00Z");
	next_is("UTC", daily(4, 0, 1 << 0), "2026-11-23T00:00:00Z",
	    "2026-11-29T04:00:00Z");
	next_is("UTC", daily(4, 0, 1 << 0), "2026-11-29T04:00:00Z",
	    "2026-12-06T04:00:00Z");
	next_is("Asia/Kathmandu", daily(23, 59, 0x3e),
	    "2026-11-27T18:14:00Z", "2026-11-30T18:14:00Z");
}

static void
every_test(void)
{
	struct conf_schedule	s = { 15 * 60 * 1000, 0, 0 };
	int64_t			t = at("2026-11-23T10:07:00Z");

	ok(schedule_next(&s, t) == at("2026-11-23T10:15:00Z"),
	    "every 15m: at the quarter");
	ok(schedule_next(&s, at("2026-11-23T10:15:00Z")) ==
	    at("2026-11-23T10:30:00Z"), "and strictly after");
	ok(schedule_last(&s, t) == at("2026-11-23T10:00:00Z"),
	    "the last one is the quarter before");
}

static void
jitter_test(void)
{
	struct conf_database	d;
	struct conf_schedule	s = { 15 * 60 * 1000, 0, 0 };
	char			name[32];
	int64_t			j, most = 0, sum = 0;
	int			i, same = 1, low = 0;

	memset(&d, 0, sizeof(d));
	d.name = name;
	d.jitter_ms = CONF_JITTER_DEFAULT;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "tenant-%d", i);
		j = schedule_jitter_ms(&d, &s, UUID);
		same = same && j == schedule_jitter_ms(&d, &s, UUID);
		most = j > most ? j : most;
		low += j < 9000;
		sum += j;
	}
	ok(same, "the jitter of a database is always the same");
	ok(most <= 90000 && most > 85000, "a tenth of the interval at most");
	ok(sum / 1000 > 42000 && sum / 1000 < 48000 && low > 70 && low < 130,
	    "and evenly spread (mean %lld, %d of the first tenth)",
	    (long long)sum / 1000, low);
	j = schedule_jitter_ms(&d, &s, UUID);
	ok(j != schedule_jitter_ms(&d, &s,
	    "1f8fad5b-d9cb-469f-a165-70867728950e"),
	    "another machine has another");
	d.jitter_ms = 0;
	ok(schedule_jitter_ms(&d, &s, UUID) == 0, "jitter 0 is none");
	d.jitter_ms = 30 * 60 * 1000;
	ok(schedule_jitter_ms(&d, &s, UUID) < 15 * 60 * 1000,
	    "less than the interval");
	s = daily(3, 30, 0x7f);
	d.jitter_ms = CONF_JITTER_DEFAULT;
	ok(schedule_jitter_ms(&d, &s, UUID) <= 5 * 60 * 1000,
	    "five minutes at most");
}

/* The machine is off now and then; a run takes a while. */
static void
due_test(void)
{
	struct conf_database	d;
	int64_t			now, next, slot, ran = 0;
	int			runs = 0, twice = 0;

	zone("Europe/Berlin");
	memset(&d, 0, sizeof(d));
	d.name = xstrdup("shop");
	d.nschedules = 2;
	d.schedules[0] = daily(3, 30, 0x7f);
	d.schedules[1] = daily(4, 0, 1);
	now = at("2026-11-23T00:00:00Z");
	ok((slot = schedule_due(&d, UUID, 0, now, &next)) ==
	    at("2026-11-22T03:00:00Z"), "the newest of both: Sunday's");
	ok(next == at("2026-11-23T02:30:00Z"), "then Monday's");
	ok(schedule_due(&d, UUID, slot, now, &next) == 0, "not twice");
	ok(schedule_due(&d, UUID, at("2026-01-01T02:30:00Z"), now, &next) ==
	    slot, "what was missed for months is due once");
	ran = slot;
	while (now < at("2028-11-23T00:00:00Z")) {
		now += 7 * 60 * 1000;
		if ((slot = schedule_due(&d, UUID, ran, now, &next)) == 0)
			continue;
		runs++;
		twice += slot <= ran;
		ran = slot;
	}
	ok(runs == 731 + 104 + 0 || runs == 731 + 105, "two years of both: "
	    "%d runs", runs);
	ok(twice == 0, "each slot once");
	free(d.name);
}

int
main(void)
{
	every_test();
	changes_test();
	years("UTC", daily(3, 30, 0x7f), "2020-01-01T00:00:00Z", 3650);
	years("Europe/Berlin", daily(2, 30, 0x7f), "2020-01-01T00:00:00Z",
	    3650);
	years("America/New_York", daily(2, 0, 0x7f), "2020-01-01T00:00:00Z",
	    3650);
	years("Australia/Lord_Howe", daily(2, 15, 0x7f),
	    "2020-01-01T00:00:00Z", 3650);
	years("Africa/Casablanca", daily(2, 30, 0x7f),
	    "2020-01-01T00:00:00Z", 2000);
	jitter_test();
	due_test();
	return (tap_end());
}
