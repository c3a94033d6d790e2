/*
 * Workers run this.  On Linux each thread has a priority of its own, and 0
 * is the one that asks (setpriority(2), C library/kernel differences).
 */
#include <sys/resource.h>

#include "common/thread.h"

#define NICE	10

void
thread_give_way(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE);
}
