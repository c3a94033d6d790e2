/*
 * Reading a backup back from the remotes that have it.
 */
#ifndef ENGINE_READING_H
#define ENGINE_READING_H

#include "daemon/engine/forms.h"

#define PLACES_MAX	16

struct place {
	const struct conf_remote *remote;
	char		 remote_id[REMOTE_ID_BYTES];
};

/* ---- places.c ---- */

/*
 * The remotes that have it, in the order in which they are asked: that of
 * its database's `to', then the others as they are configured.  How many.
 */
size_t	places_of(struct engine *, const struct m_backup *,
	    struct place places[PLACES_MAX]);

/* ---- reading.c ---- */

struct reading;

struct reading_result {
	enum err	 code;		/* E_NONE: */
	int		 fd;		/* the bytes as they are stored there,
					 * settled, for reading; the callee's */
	const struct conf_remote *remote;	/* that served, or was the
					 * last to fail */
	char		 text[TEXT_BYTES];
};

struct reading_order {
	const struct m_backup *backup;	/* its row, or one without id */
	const struct place *places;	/* asked one after the other */
	size_t		 n;		/* at least one */
	int		 away_only;	/* what comes and is wrong is not
					 * asked for elsewhere */
	int64_t		 id;		/* of the job, for the scratch file */
	void		(*progress)(void *arg, const struct m_w_progress *);
	void		(*done)(void *arg, const struct reading_result *);
	void		*arg;
};

/*
 * Fetches what one remote has, and proves that it is what was sent there
 * (where that is known: H14, H16), or goes on to the next.  done is called
 * once, never from within reading_start; the reading is gone then.
 */
struct reading	*reading_start(struct engine *, const struct reading_order *);

/* Nobody waits for it any more: it ends soon, with E_REQUEST_TIMEOUT. */
void	reading_cancel(struct reading *);

/* The engine ends: all are forgotten, and nobody is told. */
void	readings_free(void);

#endif
