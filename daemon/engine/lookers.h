/*
 * Processes that stay for a while, and look at databases one after the
 * other: whether anything was written.
 */
#ifndef ENGINE_LOOKERS_H
#define ENGINE_LOOKERS_H

#include "daemon/engine/engine.h"

/* ok: signature is what the files have now; otherwise error says why. */
struct look_result {
	int			 ok;
	struct m_signature	 signature;
	struct m_error		 error;
};
typedef void	looked_cb(void *arg, const struct look_result *);

void	lookers_init(struct engine *);
void	lookers_free(struct engine *);

/*
 * Has this looked at; look is copied.  done is called once, within 15
 * seconds of its turn, never from within this.  0, or -1 when the daemon
 * ends, too many wait, too many hang, or none can be started.
 */
int	lookers_look(struct engine *, const struct m_look *look,
	    looked_cb *done, void *arg);

/* What they were told at their start has changed: none of those that are
 * there gets another look. */
void	lookers_changed(struct engine *);

/* The daemon is about to end; and the last word to those that did not. */
void	lookers_stop(struct engine *);
void	lookers_kill(struct engine *);

/* Has every one ended? */
int	lookers_gone(const struct engine *);

/* A child ended: 1 when it was one of them. */
int	lookers_reaped(struct engine *, pid_t, int status);

/* Bytes of memory that are their own. */
uint64_t lookers_memory(const struct engine *);

#endif
