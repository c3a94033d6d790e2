/*
 * What the two ways to restore share.
 */
#ifndef WORKER_RESTORE_H
#define WORKER_RESTORE_H

#include "daemon/worker/capture.h"
#include "proto/msg.h"

struct restore {
	const struct m_w_restore *order;
	struct m_w_restored	*result;
	struct m_error		*error;
	struct m_w_capture	 safety_order;	/* how c copies */
	struct m_w_captured	 kept;		/* what c copied */
	struct capture		 c;		/* the live database */
	int			 source;	/* the image */
	uint64_t		 source_size;	/* bytes */
	uint8_t			 header[SQLITE_HEADER_BYTES];	/* its */
	int			 missing;	/* there is no live file */
	int			 unreadable;	/* SQLite can't read it */
	int			 opened;	/* somebody has it open, or that
						 * cannot be excluded (H13) */
};

/*
 * Copies a file beside the database byte by byte to out (emptied first).
 * A file that is not there leaves out empty.  0, or -1 and *error.
 */
int	restore_keep_raw(struct restore *, const char *suffix, int out);

/* H12: main file, -wal and -journal as they are. */
int	restore_keep_all(struct restore *);

/*
 * What is there is kept whole: closes it, so that the engine can prove it
 * meanwhile, and waits for the engine's word.  0, or -1 and *error.
 */
int	restore_kept(struct restore *);

/*
 * How a database that is missing, or can't be read, is restored was decided
 * by a look at it, and others do not wait meanwhile: 0 when it is still
 * missing or still none that SQLite can read (exactly: and nobody has
 * written to it), or -1 and *error.
 */
int	restore_same_check(struct restore *, int exactly);

/* Publishes the image under the database's name, by rename; nobody has it
 * open.  0, or -1 and *error: then the old name stands as it was. */
int	replace_run(struct restore *);

#endif
