/*
 * Every process runs this on OpenBSD: unveil(2) and pledge(2).  Untested:
 * written from the manuals.
 */
#include <unistd.h>

#include "common/sandbox.h"

static const char *const	promises[SANDBOX_STEPS] = {
	[SANDBOX_ENGINE] = "stdio rpath wpath cpath fattr chown flock getpw "
	    "inet unix recvfd sendfd proc exec id",
	[SANDBOX_FRONT] = "stdio inet unix recvfd sendfd",
	[SANDBOX_NETWORK] = "stdio rpath inet dns recvfd sendfd",
	[SANDBOX_OWNER] = "stdio rpath wpath cpath fattr flock recvfd",
	[SANDBOX_CHECK] = "stdio recvfd",
	[SANDBOX_LOOKER] = "stdio rpath",
};

static const char *
permissions(int rights)
{
	return (rights & SANDBOX_WRITE ? "rwc" : "r");
}

int
sandbox_system(enum sandbox_step step, int log_only,
    const struct sandbox_path *paths, size_t n, struct sandbox_state *state)
{
	size_t	i;

	state->wanted = SANDBOX_FILES | SANDBOX_CALLS;
	/* pledge has no mode that only logs. */
	if (log_only)
		return (0);
	for (i = 0; i < n; i++) {
		if (unveil(paths[i].path, permissions(paths[i].rights)) == -1)
			return (-1);
	}
	/* Without rpath no name works, and the engine needs all of them. */
	if (n > 0 && unveil(NULL, NULL) == -1)
		return (-1);
	if (pledge(promises[step], step == SANDBOX_ENGINE ? NULL : "") == -1)
		return (-1);
	state->layers = state->wanted;
	sandbox_tell(state, ", pledge \"%s\"%s", promises[step],
	    n > 0 ? ", unveil" : "");
	return (0);
}
