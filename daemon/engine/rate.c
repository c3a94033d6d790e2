/*
 * The engine runs this: a sliding rate.  It owns nothing; time is a
 * parameter.
 */
#include <string.h>

#include "daemon/engine/rate.h"

#define STEP_US		UINT64_C(500000)	/* between two samples */
#define WINDOW_US	UINT64_C(6000000)
#define ETA_MAX_S	(INT64_C(366) * 86400)

void
rate_reset(struct rate *r)
{
	memset(r, 0, sizeof(*r));
}

static uint32_t
newest(const struct rate *r)
{
	return ((r->next + RATE_SAMPLES - 1) % RATE_SAMPLES);
}

void
rate_add(struct rate *r, uint64_t now_us, uint64_t bytes)
{
	uint32_t	last = newest(r), before;

	if (r->n > 0 && (bytes < r->sample[last].bytes ||
	    now_us < r->sample[last].at_us))
		rate_reset(r);
	/* The newest moves on until it is a step away from the one before. */
	if (r->n > 1) {
		before = (last + RATE_SAMPLES - 1) % RATE_SAMPLES;
		if (now_us - r->sample[before].at_us < STEP_US) {
			r->sample[last].at_us = now_us;
			r->sample[last].bytes = bytes;
			return;
		}
	}
	r->sample[r->next].at_us = now_us;
	r->sample[r->next].bytes = bytes;
	r->next = (r->next + 1) % RATE_SAMPLES;
	if (r->n < RATE_SAMPLES)
		r->n++;
}

uint64_t
rate_per_s(const struct rate *r, uint64_t now_us)
{
	uint32_t	i, at, last = newest(r);
	uint64_t	span_us;

	if (r->n < 2 || now_us < r->sample[last].at_us)
		return (0);
	/* The oldest that is within the window; pauses count. */
	for (i = r->n; i > 1; i--) {
		at = (r->next + RATE_SAMPLES - i) % RATE_SAMPLES;
		span_us = now_us - r->sample[at].at_us;
		if (span_us > WINDOW_US || span_us == 0)
			continue;
		return ((uint64_t)((double)(r->sample[last].bytes -
		    r->sample[at].bytes) * 1e6 / (double)span_us));
	}
	return (0);
}

int64_t
rate_eta_s(uint64_t rate, uint64_t done, uint64_t total)
{
	uint64_t	left_s;

	if (rate == 0 || total == 0 || done > total)
		return (-1);
	left_s = (total - done + rate - 1) / rate;
	return (left_s > (uint64_t)ETA_MAX_S ? -1 : (int64_t)left_s);
}
