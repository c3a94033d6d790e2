/*
 * A build for tests (make TRY=1) in which a process, on order, tries what
 * it must not be able to do, as soon as it has confined itself.  In any
 * other build this is empty, and the option unknown.
 */
#ifndef COMMON_TRY_H
#define COMMON_TRY_H

#ifdef TRY_WALLS

#include "common/sandbox.h"

#define TRY_OPTION	"X:"
#define TRY_CASE	case 'X':					\
				try_set(optarg);			\
				break;
#define TRY_PASS(argv, n) do {						\
	if (try_order() != NULL) {					\
		(argv)[(n)++] = "-X";					\
		(argv)[(n)++] = try_order();				\
	}								\
} while (0)

/* "STEP:NAME,NAME": what the process of that step tries; for all of ours,
 * which pass it on. */
void		 try_set(const char *order);
const char	*try_order(void);

/* "try STEP NAME: refused (why)" or "...: POSSIBLE", to standard error. */
void		 try_walls(enum sandbox_step);

#else

#define TRY_OPTION	""
#define TRY_CASE
#define TRY_PASS(argv, n)	((void)0)

#endif
#endif
