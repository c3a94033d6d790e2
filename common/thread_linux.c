/*
 * Workers run this.  On Linux each thread has a priority of its own, and 0
 * is the one that asks (setpriority(2), C library/kernel differences).  The
 * length of a turn can be asked for since Linux 6.12; before, sched_setattr
 * takes it and does nothing.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/sched.h>
#include <linux/sched/types.h>

#include <string.h>
#include <unistd.h>

#include "common/thread.h"

#define NICE		10
#define TURN_NS		100000000	/* the longest that may be asked for */

void
thread_give_way(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE);
}

void
thread_long_turns(int on)
{
	struct sched_attr	attr;

	memset(&attr, 0, sizeof(attr));
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) == -1 ||
	    (attr.sched_policy != SCHED_NORMAL &&
	    attr.sched_policy != SCHED_BATCH))
		return;
	attr.sched_runtime = on ? TURN_NS : 0;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
