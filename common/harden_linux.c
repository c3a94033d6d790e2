/*
 * Front and network run this on Linux, by drop_harden().  It owns nothing.
 */
#include <sys/prctl.h>

#include "common/drop.h"
#include "common/log.h"

void
harden_process(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("prctl PR_SET_NO_NEW_PRIVS");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("prctl PR_SET_DUMPABLE");
}
