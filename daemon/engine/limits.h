/*
 * A limit on failures: ten in the minute that begins with the first, for
 * each uid or address.
 */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include <stdint.h>

#define LIMIT_FAILURES	10

enum limit_kind { LIMIT_UID, LIMIT_V4, LIMIT_V6, LIMIT_OTHER };

/* Zero it first: it is compared as bytes. */
struct limit_key {
	uint32_t	kind;		/* enum limit_kind */
	uint8_t		value[8];	/* the uid, or the address */
};

/* How many seconds this one has to wait; 0: none.  Times are
 * util_monotonic_us()'s. */
uint32_t limit_wait_s(const struct limit_key *, uint64_t now_us);

/* One more failure; how many there were in this minute. */
uint32_t limit_failed(const struct limit_key *, uint64_t now_us);

#endif
