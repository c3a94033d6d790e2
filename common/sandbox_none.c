/*
 * Every process runs this on a system whose means of confinement we don't
 * know.  Users, groups and chroot hold; `sandbox required` refuses to run.
 */
#include "common/sandbox.h"

int
sandbox_system(enum sandbox_step step, int log_only,
    const struct sandbox_path *paths, size_t n, struct sandbox_state *state)
{
	(void)step;
	(void)log_only;
	(void)paths;
	(void)n;
	state->wanted = SANDBOX_FILES | SANDBOX_CALLS;
	sandbox_tell(state, ", no sandbox on this system");
	return (0);
}
