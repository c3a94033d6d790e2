/*
 * Threads that give way, as the kernel tells of them.  Before Linux 6.12
 * turns cannot be made longer, and nothing changes.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/thread.h"
#include "regress/unit/unit.h"

#define PROBE_NS	50000000

/* As in sched_setattr(2); the kernel's header and the C library's do not
 * like each other. */
struct sched_turn {
	uint32_t	size, policy;
	uint64_t	flags;
	int32_t		nice;
	uint32_t	priority;
	uint64_t	runtime_ns, deadline, period;
};

struct seen {
	int		nice;
	uint64_t	inherited_ns;
	uint64_t	short_ns;
};

static uint64_t
turn_ns(void)
{
	struct sched_turn	attr;

	memset(&attr, 0, sizeof(attr));
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) == -1)
		return (0);
	return (attr.runtime_ns);
}

/* Does this kernel do it, where this test runs? */
static int
can_be_long(void)
{
	struct sched_turn	attr;
	uint64_t		was_ns = turn_ns();
	int			can;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.nice = getpriority(PRIO_PROCESS, 0);
	attr.runtime_ns = PROBE_NS;
	can = was_ns != 0 && syscall(SYS_sched_setattr, 0, &attr, 0) == 0 &&
	    turn_ns() == PROBE_NS;
	attr.runtime_ns = 0;
	return (can && syscall(SYS_sched_setattr, 0, &attr, 0) == 0 &&
	    turn_ns() == was_ns);
}

static void *
look(void *arg)
{
	struct seen	*seen = arg;

	thread_give_way();
	seen->nice = getpriority(PRIO_PROCESS, 0);
	seen->inherited_ns = turn_ns();
	thread_long_turns(0);
	seen->short_ns = turn_ns();
	return (NULL);
}

int
main(void)
{
	struct seen	seen;
	pthread_t	thread;
	uint64_t	usual_ns = turn_ns();
	int		nice = getpriority(PRIO_PROCESS, 0);
	int		can = can_be_long();

	memset(&seen, 0, sizeof(seen));
	thread_long_turns(1);
	ok(!can || turn_ns() > usual_ns, "turns are longer");
	ok(pthread_create(&thread, NULL, look, &seen) == 0 &&
	    pthread_join(thread, NULL) == 0, "a thread");
	ok(seen.nice > nice || nice >= 10, "gives way");
	ok(seen.inherited_ns == turn_ns(), "inherits the length of a turn");
	ok(seen.short_ns == usual_ns, "and can have the usual one");
	ok(getpriority(PRIO_PROCESS, 0) == nice &&
	    (!can || turn_ns() > usual_ns),
	    "which the one that started it does not notice");
	return (tap_end());
}
