/*
 * What the files of requests share, and nobody else includes.
 */
#ifndef ENGINE_REQUESTS_H
#define ENGINE_REQUESTS_H

#include "daemon/engine/engine.h"

/* Fatal: no front of ours would send this. */
void	requests_impossible(const struct msg *);

/*
 * May he?  1, or 0 after the answer was sent.  database NULL: a right on
 * all; DATABASE_ANY: on one, no matter which.
 */
int	requests_allowed(struct engine *, const struct msg *,
	    const struct m_asker *, uint32_t right, const char *database,
	    int64_t backup_id);

/*
 * May he read this database, or ("") any?  1, and in *names which; 0 after
 * the answer.  The caller frees names->list.
 */
int	requests_seen(struct engine *, const struct msg *,
	    const struct m_asker *, const char *database, struct names *);

/* ---- requests_events.c ---- */

void	requests_job(struct engine *, const struct msg *);
void	requests_jobs(struct engine *, const struct msg *);
void	requests_events(struct engine *, const struct msg *);
void	requests_acknowledge(struct engine *, const struct msg *);
void	requests_watch(struct engine *, const struct msg *);

#endif
