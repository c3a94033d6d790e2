/*
 * Drills: is a backup one from which this database could be had again?
 */
#ifndef ENGINE_DRILL_H
#define ENGINE_DRILL_H

#include "daemon/engine/reading.h"

/* ---- drill.c: one ---- */

/*
 * How it ended.  undone: it could not be made (a remote is away, the disk
 * is full), which says nothing of the backup; error says why.
 */
struct drilled {
	int		 undone;
	struct m_error	 error;
	struct m_drilled facts;
};
typedef void	drilled_cb(void *arg, const struct drilled *);

/*
 * A job that fetches the backup from where it would be fetched after the
 * loss of this machine, makes the image of it and checks that, behind all
 * other jobs.  What comes of it is written down before done (or NULL) is
 * called, once, and a request of the job's answered.  NULL when too many
 * jobs wait.
 */
struct job	*drill_begin(struct engine *, const struct m_backup *,
		    drilled_cb *done, void *arg);

/* ---- drills.c: when ---- */

void	drills_init(struct engine *);
void	drills_free(struct engine *);

/* A backup was completed: one may be due. */
void	drills_kick(struct engine *);

/* POST /verify. */
void	verify_request(struct engine *, uint64_t request,
	    const struct m_req_verify *, const struct m_backup *);

#endif
