/*
 * The clock of everything that goes by the wall clock (schedules, pauses,
 * retention), and waiting for a time on it.
 *
 * A build for tests (make CLOCK=1) follows, in the process that has it in
 * its environment, the file CLOCK_FILE: "REAL CLOCK SPEED", three numbers
 * that say that when it was REAL (ms since the epoch) the clock showed
 * CLOCK, and runs SPEED times as fast since.  In any other build there is
 * no such file.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <sys/time.h>

#include <stdint.h>

/*
 * For a timer: how long to wait for ms to pass on the clock (0 when it is
 * negative).  A test's clock may jump meanwhile, so that a timer fires
 * early there: whoever is woken looks at util_now_ms(), and waits again if
 * it is too early.
 */
void	clock_wait(struct timeval *, int64_t ms);

/* How many ms of it pass in one of the machine's; 1 but in tests, where it
 * is the fastest that it was so far. */
double	clock_speed(void);

#ifdef TEST_CLOCK
int64_t	clock_test_ms(int64_t real_ms);
#endif

#endif
