/*
 * The engine runs this: is the wall clock to be believed?  It owns what was
 * last seen of it, which the catalog keeps across restarts.  A clock that
 * is far ahead of where it should be stops all expiry (H22); one that is
 * set back does no harm, because ages count between backups.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/expire.h"

#define DAY_MS		((int64_t)24 * 3600 * 1000)
#define JUMP_MS		(2 * DAY_MS)	/* while we run */
#define AWAY_MS		(30 * DAY_MS)	/* the machine may have been off */
#define NOTE_MS		(3600 * 1000)	/* how often it is written down */

/* With the time that a machine sleeps, unlike the monotonic clock. */
static int64_t
elapsed_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("clock_gettime");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
alarm_clock(struct engine *e, int64_t seen_ms, int64_t now_ms)
{
	char	seen[TIME_TEXT_BYTES], now[TIME_TEXT_BYTES];

	util_time_text(seen, seen_ms);
	util_time_text(now, now_ms);
	alarm_raise(e, ALARM_CLOCK, "", "The clock shows %s, though it "
	    "should be little later than %s: set it right, or acknowledge "
	    "that it is; until then no backup expires.", now, seen);
}

void
clock_watch(struct engine *e)
{
	static int64_t	seen_ms, seen_at_ms, noted_ms;
	int64_t		now_ms = util_now_ms(), at_ms = elapsed_ms();
	int64_t		passed_ms;

	if (seen_at_ms == 0) {		/* this process has just begun */
		seen_ms = catalog_clock(e->catalog);
		if (seen_ms != 0 && now_ms - seen_ms > AWAY_MS)
			alarm_clock(e, seen_ms, now_ms);
	} else {
		passed_ms = (int64_t)((double)(at_ms - seen_at_ms) *
		    clock_speed());
		if (now_ms - seen_ms - passed_ms > JUMP_MS)
			alarm_clock(e, seen_ms + passed_ms, now_ms);
	}
	seen_ms = now_ms;
	seen_at_ms = at_ms;
	if (now_ms - noted_ms > NOTE_MS || now_ms < noted_ms) {
		catalog_clock_set(e->catalog, now_ms);
		noted_ms = now_ms;
	}
}
