/*
 * TAP for unit programs: ok(test, "what", ...) counts and prints; the
 * program ends with `return (tap_end());`.
 */
#ifndef REGRESS_UNIT_H
#define REGRESS_UNIT_H

#include <stdio.h>

static int	tap_count, tap_failed;

#define ok(test, ...) do {						\
	int	ok_ = (test) ? 1 : 0;					\
									\
	tap_count++;							\
	if (!ok_)							\
		tap_failed++;						\
	printf("%sok %d - ", ok_ ? "" : "not ", tap_count);		\
	printf(__VA_ARGS__);						\
	printf("\n");							\
	if (!ok_)							\
		printf("# at %s:%d: %s\n", __FILE__, __LINE__, #test);	\
	fflush(stdout);							\
} while (0)

static inline int
tap_end(void)
{
	printf("1..%d\n", tap_count);
	return (tap_failed != 0);
}

#endif
