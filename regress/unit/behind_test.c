/*
 * Writing behind, over a disk that writes down what it is asked: each step
 * is handed over once and in order, the disk never has more of them than it
 * may, whoever writes alone does it all himself, and an error is not lost.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "common/filesystem.h"
#include "common/thread.h"
#include "daemon/worker/behind.h"
#include "regress/unit/unit.h"

#define STEP		(1024 * 1024)
#define DEPTH		(2 * STEP)
#define MANY		(64 * STEP)
#define FD		7

static uint64_t		 soon, waited;	/* bytes asked for, so far */
static int		 odd;		/* not in order, or another file */
static int		 deep;		/* more with the disk than it may */
static uint64_t		 bad_at = UINT64_MAX;
static pthread_t	 by;		/* who asked last */

/* ---- the disk, and what a thread is ---- */

void
filesystem_write_soon(int fd, uint64_t offset, uint64_t bytes)
{
	if (fd != FD || offset != soon || bytes != STEP)
		odd = 1;
	soon = offset + bytes;
	if (soon - waited > DEPTH + STEP)
		deep = 1;
	by = pthread_self();
}

int
filesystem_write_wait(int fd, uint64_t offset, uint64_t bytes)
{
	if (fd != FD || offset != waited || bytes != STEP)
		odd = 1;
	waited = offset + bytes;
	return (offset == bad_at ? EIO : 0);
}

void
thread_give_way(void)
{
}

void
thread_long_turns(int on)
{
	(void)on;
}

/* ---- */

static struct behind *
begin(void)
{
	soon = waited = 0;
	odd = deep = 0;
	return (behind_start(FD));
}

/* Was all of it asked for, as it should be? */
static int
handed(uint64_t bytes)
{
	return (!odd && !deep && soon == bytes && waited == bytes - DEPTH);
}

static void
rest(void)
{
	soon = waited = 0;
	odd = deep = 0;
	ok(behind_rest(FD, MANY) == 0 && handed(MANY),
	    "the rest, by the caller");
	bad_at = MANY / 2;
	soon = waited = 0;
	ok(behind_rest(FD, MANY) == EIO, "an error ends it");
	bad_at = UINT64_MAX;
}

static void
threaded(void)
{
	struct behind	*b = begin();
	uint64_t	 at;

	/* Before it waits for the thread, 128 MiB may be missing. */
	for (at = STEP; at <= 4 * (uint64_t)MANY; at += STEP / 4)
		behind_advance(b, at);
	ok(behind_end(b) == 0 && !odd && !deep && soon >= 2 * (uint64_t)MANY,
	    "a thread follows, %ju MiB", (uintmax_t)(soon / STEP));
	ok(!pthread_equal(by, pthread_self()), "and it is another one");
}

static void
alone(void)
{
	struct behind	*b = begin();
	uint64_t	 at, was;
	int		 calls;

	for (at = STEP / 4; at <= MANY / 2; at += STEP / 4)
		behind_advance(b, at);
	behind_alone(b);
	behind_alone(b);		/* said twice, it is once */
	was = soon;
	behind_advance(b, MANY / 2);
	ok(soon - was <= 4 * STEP, "alone, it never does much at once");
	for (calls = 0; calls < MANY / STEP / 4; calls++)
		behind_advance(b, MANY / 2);
	ok(handed(MANY / 2), "and catches up with what the thread left");
	for (; at <= MANY; at += STEP / 4) {
		behind_advance(b, at);
		if (soon != at / STEP * STEP ||
		    !pthread_equal(by, pthread_self()))
			break;
	}
	ok(at > MANY && handed(MANY), "and the rest as soon as it is written");
	ok(behind_end(b) == 0, "without an error");
}

static void
errors(int is_alone)
{
	struct behind	*b = begin();
	uint64_t	 at;

	bad_at = 3 * STEP;
	if (is_alone)
		behind_alone(b);
	for (at = STEP; at <= 4 * (uint64_t)MANY; at += STEP)
		behind_advance(b, at);
	ok(behind_end(b) == EIO, "an error is told at the end, %s",
	    is_alone ? "alone" : "by the thread");
	bad_at = UINT64_MAX;
}

int
main(void)
{
	rest();
	threaded();
	alone();
	errors(0);
	errors(1);
	return (tap_end());
}
