/*
 * System calls on Linux, for sandbox_linux.c only.
 */
#ifndef COMMON_SECCOMP_LINUX_H
#define COMMON_SECCOMP_LINUX_H

#include "common/sandbox.h"

/*
 * The list of this step is in force from here on, for all threads that are
 * made later.  log_only: what it forbids is logged, and works.  1 and a
 * text in state; 0 when this kernel or machine has no such filter; -1 with
 * errno.  No new privileges must have been given up.
 */
int	seccomp_enter(enum sandbox_step, int log_only,
	    struct sandbox_state *state);

#endif
