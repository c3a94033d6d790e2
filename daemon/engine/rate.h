/*
 * How fast bytes go by, over the last few seconds.  Nothing here looks at
 * a clock.
 */
#ifndef ENGINE_RATE_H
#define ENGINE_RATE_H

#include <stdint.h>

#define RATE_SAMPLES	16

struct rate {
	struct {
		uint64_t	at_us, bytes;
	}		 sample[RATE_SAMPLES];	/* a ring */
	uint32_t	 next, n;
};

void	 rate_reset(struct rate *);

/* So many bytes have gone by in all; fewer than before begin anew. */
void	 rate_add(struct rate *, uint64_t now_us, uint64_t bytes);

/* Bytes per second; 0: not known, or nothing moves. */
uint64_t rate_per_s(const struct rate *, uint64_t now_us);

/* Seconds until all have gone by at that rate, -1: not known. */
int64_t	 rate_eta_s(uint64_t rate, uint64_t done, uint64_t total);

#endif
