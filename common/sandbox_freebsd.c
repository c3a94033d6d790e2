/*
 * Every process runs this on FreeBSD: Capsicum for those that name no file
 * and make no connection, front and the worker's check.  Untested: written
 * from the manuals.
 */
#include <sys/capsicum.h>

#include <errno.h>

#include "common/sandbox.h"

int
sandbox_system(enum sandbox_step step, int log_only,
    const struct sandbox_path *paths, size_t n, struct sandbox_state *state)
{
	(void)paths;
	(void)n;
	state->wanted = SANDBOX_FILES | SANDBOX_CALLS;
	if (log_only || (step != SANDBOX_FRONT && step != SANDBOX_CHECK))
		return (0);
	if (cap_enter() == -1)
		return (errno == ENOSYS ? 0 : -1);
	state->layers = state->wanted;
	sandbox_tell(state, ", capability mode");
	return (0);
}
