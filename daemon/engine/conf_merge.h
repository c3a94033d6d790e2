/*
 * A configuration that was read anew, taken into the one that holds.
 */
#ifndef ENGINE_CONF_MERGE_H
#define ENGINE_CONF_MERGE_H

#include <stdint.h>

#include "daemon/engine/conf.h"

/* One thing that is other than before. */
enum merge_how { MERGE_ADDED, MERGE_CHANGED, MERGE_REMOVED };

struct merge_told {
	void	(*remote)(struct conf_remote *, enum merge_how, void *arg);
	void	(*database)(struct conf_database *, enum merge_how,
		    int other_path, void *arg);
	void	*arg;
};

/*
 * Remotes and databases of `from` into `to`: what has the same name stays
 * where it is and gets other contents, what is new moves, what is gone is
 * retired, which keeps its memory until conf_free, as somebody may still
 * use it.  The callbacks come when all is in its place.  What was in their
 * place is in `from` then.
 */
void	conf_merge(struct conf *to, struct conf *from,
	    const struct merge_told *);

#endif
