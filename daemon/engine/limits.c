/*
 * The engine runs this: who was refused too often in a minute.  It owns a
 * table of fixed size; when that is full, whose minute began first is
 * forgotten.  Somebody is a uid of this machine, or an address: of IPv6
 * the first half, which is one customer's.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/limits.h"

#define ENTRIES		1024
#define WINDOW_US	UINT64_C(60000000)

struct entry {
	struct limit_key key;
	uint64_t	 begin_us;	/* 0: free */
	uint32_t	 failures;
};

static struct entry	table[ENTRIES];

static int
running(const struct entry *t, uint64_t now_us)
{
	return (t->begin_us != 0 && now_us - t->begin_us < WINDOW_US);
}

/* Whose window runs; or NULL, and in *room where it may begin. */
static struct entry *
find(const struct limit_key *key, uint64_t now_us, struct entry **room)
{
	struct entry	*t, *oldest = &table[0];

	for (t = table; t < table + ENTRIES; t++) {
		if (running(t, now_us) &&
		    memcmp(&t->key, key, sizeof(*key)) == 0)
			return (t);
		if (t->begin_us < oldest->begin_us)
			oldest = t;
	}
	*room = oldest;
	return (NULL);
}

uint32_t
limit_wait_s(const struct limit_key *key, uint64_t now_us)
{
	struct entry	*t, *room;
	uint64_t	 left_us;

	if ((t = find(key, now_us, &room)) == NULL ||
	    t->failures < LIMIT_FAILURES)
		return (0);
	left_us = WINDOW_US - (now_us - t->begin_us);
	return ((uint32_t)((left_us + 999999) / 1000000));
}

uint32_t
limit_failed(const struct limit_key *key, uint64_t now_us)
{
	struct entry	*t, *room;

	if ((t = find(key, now_us, &room)) == NULL) {
		t = room;
		t->key = *key;
		t->begin_us = now_us;
		t->failures = 0;
	}
	if (t->failures < UINT32_MAX)
		t->failures++;
	return (t->failures);
}
