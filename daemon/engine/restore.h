/*
 * What restore.c, restore_write.c and safety.c share: one restore.
 */
#ifndef ENGINE_RESTORE_H
#define ENGINE_RESTORE_H

#include "daemon/engine/reading.h"
#include "proto/sqlite_format.h"

struct restoring {
	struct m_backup	 backup;	/* id 0: only a remote has it */
	char		 remote_id[REMOTE_ID_BYTES];	/* or "" */
	struct place	 places[PLACES_MAX];
	size_t		 n;		/* remotes that have it */
	char		 served_by[REMOTE_NAME_BYTES];
	int		 force;
	char		 identity[IDENTITY_BYTES];	/* "": none; wiped when
					 * it was used */
	int		 asked;		/* remotes were */
	int		 image;		/* descriptor, settled, reading only */
	uint32_t	 path_turn;	/* of the database, when asked for */
	struct m_file_info live;	/* before */
	char		 checksum[CHECKSUM_BYTES];	/* of the image */
	uint64_t	 size;		/* of the image, bytes */

	int		 checking;	/* a worker looks at the image */
	int		 sound;		/* it did: it may be written */
	int		 elsewhere;	/* it is not what was stored, and the
					 * remotes are asked next */
	struct m_error	 unsound;	/* why not sound */
	struct task	*writer;	/* or NULL */
	struct m_error	 early;		/* how the writer ended that did not
					 * wait for the check */

	struct artifact	 kept[W_FILE_KINDS];	/* by kind; fd -1: none */
	int		 safety_told;	/* W_SAFETY came */
	struct m_w_captured safety;	/* what it said */
	int64_t		 safety_id;	/* its row, 0: there was nothing */
	int64_t		 safety_created_ms;
	int		 safety_proofs;	/* how often it was tried */
	int		 proving;	/* a worker checks it now */
	struct m_w_verified proof;	/* what that found, once */
	int		 proven;	/* this is 1 */
	int		 ended;		/* the worker that writes has */

	int64_t		 restore_id;	/* in the catalog's restores */
	struct catalog_restore undoes;	/* id 0: it is no undo */

	struct m_w_restored done;
	int64_t		 restored_ms;
	uint64_t	 started_us;
	struct m_error	 error;		/* told after the safety's proof */
};

/* Answers the client; the job is done, or failed. */
void	restore_finish(struct job *);
void	restore_fail(struct job *, const struct m_error *);

/* The same for what a worker says: with who holds the lock, if it is that. */
void	restore_fail_task(struct job *, const struct m_error *);

/* Has the database another path than when this was asked for?  Then it must
 * not be written to.  0, or -1 and *error. */
int	restore_path_check(struct job *, struct m_error *error);

/* Starts a worker for the restore, with its patience; progress may be left
 * NULL.  NULL when too many run. */
struct task *restore_task(struct job *, struct task_order *);

/*
 * The check of the image, or a writer that had begun meanwhile, has ended:
 * what comes next, once it is known of both.
 */
void	restore_go_on(struct job *);

/*
 * Begins a restore; undoes: the one that is taken back by it, or NULL.
 * Answers the request, now or later.
 */
void	restore_begin(struct engine *, uint64_t request,
	    const struct m_req_restore *, const struct catalog_restore *undoes);

/* What is left of files that have no name of their own goes. */
void	restore_clean(struct job *);

/* ---- restore_write.c: the worker that keeps and writes ---- */

/*
 * Begins it beside the check of the image, whose word it waits for before
 * it takes the write lock.  Where that can't be it begins later.
 */
void	restore_write_ahead(struct job *);

/* The image is sound: restore_write_go tells the one that has begun. */
void	restore_write(struct job *);
void	restore_write_go(struct job *);

/* A file for what is kept of that kind.  0, or -1 and *error. */
int	restore_artifact(struct job *, enum w_file_kind, struct m_error *);

/* ---- identity.c ---- */

/*
 * The identity of the request, or of the file that it names, or of the one
 * that is configured for the database, to r->identity.  A file can be named
 * by those who could read it themselves.  0, or -1 after the answer.
 */
int	restore_identity(struct engine *, uint64_t request,
	    const struct m_req_restore *, const struct conf_database *,
	    struct restoring *);

/* ---- safety.c: what is replaced is kept ---- */

/*
 * The worker has kept what was there: a row, and names for the artifacts,
 * before a page is written.  0, or -1: it must not go on.
 */
int	restore_safety_publish(struct job *);

/*
 * The kept copy is published: its check begins beside the writing.  What
 * can't be begun or ended now is left to restore_safety_end.
 */
void	restore_safety_ahead(struct job *);

/*
 * The worker has ended: the client is answered as soon as the kept copy is
 * settled and checked like any other.  error: the restore failed with it,
 * or NULL.
 */
void	restore_safety_end(struct job *, const struct m_error *error);

#endif
