/*
 * What the parts of a capture share: one database, one transaction, one
 * artifact.
 */
#ifndef WORKER_CAPTURE_H
#define WORKER_CAPTURE_H

#include <sqlite3.h>
#include <stdint.h>

#include "daemon/worker/hasher.h"
#include "daemon/worker/look.h"
#include "proto/msg.h"

struct capture {
	const struct m_w_capture *order;
	struct m_w_captured	*result;
	struct m_error		*error;
	struct look		 look;
	int			 out;		/* the artifact; not ours */
	int			 locks;		/* of procs_locks_open */
	int			 same_fs;	/* database's is the artifact's */
	sqlite3			*db;
	sqlite3_file		*main_file;	/* SQLite's own handles */
	sqlite3_file		*wal_file;
	int			 wal;		/* it is in WAL mode */
	uint64_t		 began_us;	/* the lock is held since */
	struct hasher		*hasher;	/* or NULL: no hash is wanted */
	const char		*vfs;		/* to open it by; NULL: "unix" */
	int			 update;	/* the artifact holds an older
						 * state: write what differs */
	int			 keep_parts;	/* there will be an update */
	uint64_t		*parts;		/* hash of each 64 KiB of the
						 * artifact, for the update */
	size_t			 nparts;
};

enum copy_result {
	COPY_OK,
	COPY_AGAIN,			/* the log began anew: once more */
	COPY_FALLBACK,			/* reason in result->fallback */
	COPY_FAILED			/* *error is filled */
};

/*
 * Opens the database of c->look; writable: also where reading would do.
 * recover: its journal is to be rolled back.  0, or -1 and *error.
 */
int	capture_open(struct capture *, int recover, int writable);

/* Begins the read transaction and gets SQLite's file handles (again). */
int	capture_begin(struct capture *);
int	capture_handles(struct capture *);

/* Ends the transaction and closes. */
void	capture_end(struct capture *);

/* What SQLite's result rc means for this database; -1. */
int	capture_sqlite_failed(struct capture *, int rc);

/* Facts about the image in the artifact and about the live file. */
int	capture_facts(struct capture *);

/*
 * A first draft of a large database into the artifact, without any lock:
 * what changes meanwhile is torn, and put right by copy_raw, which under
 * the lock only has to read.  0, or -1 and *error.
 */
int	copy_ahead(struct capture *);

/* Both write the image to the artifact while the transaction stands. */
enum copy_result copy_raw(struct capture *);
enum copy_result copy_backup(struct capture *);

/*
 * May the copy go on?  0, or -1 and *error: told to stop, the lock limit
 * is reached, or the disk is about to be full (looked at now and then).
 */
int	capture_go_on(struct capture *, uint64_t done, uint64_t total);

/* A failed write of the artifact, as an error; -1. */
int	capture_write_failed(struct capture *, int error);

/*
 * H4: everybody who holds SHARED on the database must be a user of the
 * -shm beside our path.  0, or -1 and *error.
 */
int	shm_is_shared(struct capture *);

/* H7: after closing, no file is left that was not there, and what others
 * use of ours is such that they can. */
void	shm_tidy(struct capture *);

#endif
