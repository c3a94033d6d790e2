/*
 * The configuration, read anew while the daemon runs.
 */
#ifndef ENGINE_RELOAD_H
#define ENGINE_RELOAD_H

#include <stdint.h>

#include "daemon/engine/engine.h"

/* By SIGHUP.  What is wrong, or what has changed, is in the log. */
void	reload_signal(struct engine *);

/* REQ_RELOAD: answers with the same. */
void	reload_request(struct engine *, const struct msg *);

/* How many of each have changed, and a text for the answer. */
struct tally {
	uint32_t	n[3];		/* added, changed, removed */
};

/* ---- reload_listen.c ---- */

/*
 * Opens what next has and the engine has not, into next's listeners: 0, or
 * -1 and why; then nothing has changed.
 */
int	reload_listen_open(struct engine *, struct conf *next, char *why,
	    size_t size);

/* Makes next's listeners ours; those that did not change stay as they are.
 * A sentence about what wants a restart, or "". */
void	reload_listen_take(struct engine *, struct conf *next,
	    struct tally *, char *note, size_t size);

#endif
