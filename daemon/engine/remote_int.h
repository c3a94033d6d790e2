/*
 * What the files about remotes share: one remote, and its one upload.
 */
#ifndef ENGINE_REMOTE_INT_H
#define ENGINE_REMOTE_INT_H

#include "daemon/engine/engine.h"

enum early {
	EARLY_NONE,			/* an upload as any other */
	EARLY_HELD,			/* its end is held back */
	EARLY_DROPPED			/* it comes to nothing; its end is
					 * still to be told */
};

struct remote {
	TAILQ_ENTRY(remote) entry;
	struct engine	*engine;
	struct conf_remote *conf;
	struct event	*timer;		/* the next attempt is due */
	uint64_t	 transfer;	/* that runs; 0: none */
	int64_t		 backup_id;
	enum early	 early;		/* whether that is proven */
	uint32_t	 place_turn;	/* of conf, when it was sent */
	uint32_t	 attempts;
	uint32_t	 failures;	/* one after the other */
	int64_t		 resume_ms;	/* left alone until then; 0 */
	int64_t		 head_id;	/* that failed last */
	uint32_t	 blame;		/* how likely that is its own fault */
	int		 moved;		/* bytes of this attempt */
	uint64_t	 begun_us;	/* when it began */
	char		 error[TEXT_BYTES];	/* why it is left alone */
};

/*
 * Sends size bytes of fd, which becomes network's, as backup b in this
 * form; flags are UPLOAD_*.  The remote's backup_id and attempts are set.
 */
void	remote_send(struct remote *, const struct m_backup *b, uint64_t size,
	    const char *form, uint32_t flags, int fd);

/* An upload that was begun early has ended before it was proven. */
void	remote_early_ended(struct remote *, const struct m_net_uploaded *);

#endif
