/*
 * Tests of which backups stay: random histories against a plain
 * implementation, and what must hold whatever the rules are.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compat.h"
#include "regress/unit/retention_plain.h"
#include "unit.h"

#define HISTORIES	1200		/* in each zone */
#define N_MAX		160
#define HOUR_MS		((int64_t)3600 * 1000)
#define DAY_MS		(24 * HOUR_MS)
#define START_MS	1600000000000		/* September 2020 */

static uint64_t	seed = 88172645463325252;

/* The same numbers at each run. */
static uint32_t
chance(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((uint32_t)(seed >> 33) % below);
}

static struct conf_keep
rules_random(void)
{
	struct conf_keep	k;

	memset(&k, 0, sizeof(k));
	k.set = chance(20) != 0;
	k.last = chance(3) ? chance(12) : 0;
	k.hourly = chance(3) ? chance(30) : 0;
	k.daily = chance(3) ? chance(10) : 0;
	k.weekly = chance(3) ? chance(6) : 0;
	k.monthly = chance(3) ? chance(14) : 0;
	k.yearly = chance(3) ? chance(5) : 0;
	k.within_ms = chance(3) ? 0 : (uint64_t)chance(20) * (uint64_t)DAY_MS;
	return (k);
}

/* Every few minutes to every few weeks; few: marks are rare. */
static size_t
history_random(struct retained *list, int64_t *now_ms, int few)
{
	static const uint32_t	marks[] = { RETAIN_PINNED, RETAIN_NAMED,
				    RETAIN_IN_USE, RETAIN_WAITS,
				    RETAIN_SAFETY,
				    RETAIN_SAFETY | RETAIN_UNDO };
	static const int64_t	steps[] = { HOUR_MS / 4, HOUR_MS, DAY_MS,
				    7 * DAY_MS, 40 * DAY_MS };
	int64_t			ms = START_MS + chance(900) * DAY_MS, step;
	size_t			n = chance(N_MAX) + 1, i;

	step = steps[chance(nitems(steps))];
	for (i = 0; i < n; i++) {
		list[i].id = (int64_t)i + 1;
		list[i].created_ms = ms;
		list[i].flags = chance(8) ? RETAIN_PROVEN :
		    chance(3) ? 0 : RETAIN_UNJUDGED;
		if (chance(few ? 40 : 4) == 0)
			list[i].flags |= marks[chance(nitems(marks))];
		if (chance(12) != 0)	/* else two of the same moment */
			ms += (int64_t)chance(1000) * step / 500;
	}
	*now_ms = chance(10) ? ms + chance(100) * HOUR_MS :
	    START_MS + chance(1000) * DAY_MS;	/* the clock went wrong */
	return (n);
}

static void
shuffle(struct retained *list, size_t n)
{
	struct retained	t;
	size_t		i, k;

	for (i = n; i > 1; i--) {
		k = chance((uint32_t)i);
		t = list[k];
		list[k] = list[i - 1];
		list[i - 1] = t;
	}
}

static int
must_stay(const struct retained *r)
{
	if (r->flags & (RETAIN_PINNED | RETAIN_IN_USE | RETAIN_WAITS))
		return (1);
	if (r->flags & RETAIN_SAFETY)
		return ((r->flags & RETAIN_UNDO) != 0);
	return ((r->flags & RETAIN_UNJUDGED) ||
	    ((r->flags & RETAIN_NAMED) && (r->flags & RETAIN_PROVEN)));
}

/* Did anything go that must never, or the newest that is proven? */
static int
lost(const struct retained *list, size_t n, int64_t now_ms)
{
	size_t	i;
	int	newest = 1;

	for (i = 0; i < n; i++) {
		if (RETAIN_DROPPED(list[i].why) && must_stay(&list[i]))
			return (1);
		if (!(list[i].flags & RETAIN_PROVEN) ||
		    list[i].created_ms > now_ms + RETAIN_FUTURE_MS)
			continue;
		if (newest && RETAIN_DROPPED(list[i].why))
			return (1);
		newest = 0;
	}
	return (0);
}

static void
test_random(const char *zone)
{
	struct retained	 list[N_MAX];
	struct conf_keep k;
	uint64_t	 safety_ms;
	int64_t		 now_ms;
	size_t		 n, i;
	int		 h, wrong = 0, drops = 0, bad = 0;

	setenv("TZ", zone, 1);
	tzset();
	for (h = 0; h < HISTORIES; h++) {
		n = history_random(list, &now_ms, h % 2);
		k = rules_random();
		safety_ms = (uint64_t)chance(60) * (uint64_t)DAY_MS;
		shuffle(list, n);
		retention_decide(&k, safety_ms, now_ms, list, n);
		for (i = 0; i < n; i++) {
			drops += RETAIN_DROPPED(list[i].why);
			wrong += plain_stays(&k, safety_ms, now_ms, list, n,
			    i) == RETAIN_DROPPED(list[i].why);
			wrong += i > 0 && list[i].created_ms >
			    list[i - 1].created_ms;
		}
		bad += lost(list, n, now_ms);
	}
	ok(wrong == 0, "%s: %d histories as the plain rules say (%d dropped)",
	    zone, HISTORIES, drops);
	ok(bad == 0, "%s: nothing went that must stay", zone);
}

static size_t
without_dropped(struct retained *list, size_t n)
{
	size_t	i, kept = 0;

	for (i = 0; i < n; i++) {
		if (!RETAIN_DROPPED(list[i].why))
			list[kept++] = list[i];
	}
	return (kept);
}

static int
same(const struct retained *a, size_t na, const struct retained *b,
    size_t nb)
{
	size_t	i;

	if (na != nb)
		return (0);
	for (i = 0; i < na; i++) {
		if (a[i].id != b[i].id)
			return (0);
	}
	return (1);
}

/* As backups come, after each one; then all in one go. */
static void
test_often(void)
{
	struct retained	 all[N_MAX], list[N_MAX], again[N_MAX];
	struct conf_keep k;
	int64_t		 end_ms;
	size_t		 n, i, have;
	int		 h, wrong = 0, twice = 0;

	for (h = 0; h < HISTORIES; h++) {
		n = history_random(all, &end_ms, 1);
		k = rules_random();
		for (i = 0; i < n; i++)		/* marks that stay as they are */
			all[i].flags &= RETAIN_PROVEN | RETAIN_PINNED |
			    RETAIN_NAMED | RETAIN_UNJUDGED | RETAIN_SAFETY;
		have = 0;
		for (i = 0; i < n; i++) {
			list[have++] = all[i];
			retention_decide(&k, (uint64_t)(9 * DAY_MS),
			    all[i].created_ms, list, have);
			have = without_dropped(list, have);
		}
		retention_decide(&k, (uint64_t)(9 * DAY_MS),
		    all[n - 1].created_ms, all, n);
		n = without_dropped(all, n);
		wrong += !same(all, n, list, have);
		memcpy(again, all, sizeof(all));
		retention_decide(&k, (uint64_t)(9 * DAY_MS), end_ms +
		    (int64_t)400 * DAY_MS, again, n);
		twice += !same(all, n, again, without_dropped(again, n));
	}
	ok(wrong == 0, "after each backup is the same as once (%d)", wrong);
	ok(twice == 0, "once more, a year later, drops nothing more");
}

/* A quarter of an hour apart, for three years. */
static void
test_years(void)
{
	static struct retained	list[400];
	struct conf_keep	k;
	int64_t			ms, end_ms;
	size_t			n = 0, most = 0;

	memset(&k, 0, sizeof(k));
	k.set = 1;
	k.last = 10;
	k.hourly = 24;
	k.daily = 7;
	k.weekly = 4;
	k.monthly = 12;
	k.yearly = 5;
	k.within_ms = (uint64_t)(48 * HOUR_MS);
	end_ms = START_MS + (int64_t)3 * 365 * DAY_MS;
	for (ms = START_MS; ms < end_ms; ms += HOUR_MS / 4) {
		list[n].id = ms;
		list[n].created_ms = ms;
		list[n++].flags = RETAIN_PROVEN;
		retention_decide(&k, 0, ms, list, n);
		n = without_dropped(list, n);
		most = n > most ? n : most;
	}
	ok(n > 200 && most < 225, "three years at a quarter of an hour: "
	    "%zu stay, never more than %zu", n, most);
}

/* H22: the clock jumps to 2099, a backup is taken, and it jumps back. */
static void
test_clock(void)
{
	struct retained	 list[50];
	struct conf_keep k;
	int64_t		 now_ms = START_MS, far_ms = 4080000000000;
	size_t		 i, dropped = 0;

	memset(&k, 0, sizeof(k));
	k.set = 1;
	k.within_ms = (uint64_t)(3 * DAY_MS);
	for (i = 0; i < 50; i++) {
		list[i].id = (int64_t)i;
		list[i].created_ms = now_ms + (int64_t)i * HOUR_MS;
		list[i].flags = RETAIN_PROVEN;
	}
	retention_decide(&k, 0, far_ms, list, 50);
	for (i = 0; i < 50; i++)
		dropped += RETAIN_DROPPED(list[i].why);
	ok(dropped == 0, "in 2099, without a backup since, nothing goes");
	list[49].created_ms = far_ms;	/* sorted: the oldest */
	retention_decide(&k, 0, now_ms + 50 * HOUR_MS, list, 50);
	ok(list[0].created_ms == far_ms && list[0].why == KEEP_FUTURE,
	    "one of 2099 stays, and is not counted from");
	for (i = 0; i < 50; i++)
		dropped += RETAIN_DROPPED(list[i].why);
	ok(dropped == 0, "and nothing goes for it");
}

int
main(void)
{
	static const char *const	zones[] = { "UTC", "Europe/Berlin",
					    "America/St_Johns",
					    "Pacific/Kiritimati" };
	size_t				i;

	for (i = 0; i < nitems(zones); i++)
		test_random(zones[i]);
	test_often();
	test_years();
	test_clock();
	for (i = 0; i < RETAIN_WHYS; i++) {
		if (retention_text((enum retain_why)i) == NULL)
			break;
	}
	ok(i == RETAIN_WHYS, "each decision has a reason");
	return (tap_end());
}
