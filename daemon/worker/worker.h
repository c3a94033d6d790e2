/*
 * What the parts of a worker share.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdint.h>

#include "proto/errors.h"
#include "proto/msg.h"

/*
 * Fails the job: fills *e and returns -1, so that a caller can
 * `return (fail(...))`.
 */
int	fail(struct m_error *e, enum err code, const char *fmt, ...)
	    __attribute__((__format__ (printf, 3, 4)));

/* 1 once the engine asked us to stop or has ended. */
int	worker_stopping(void);

/* Tells the engine how far we are; cheap, sends at most ten a second
 * unless the phase is a new one. */
void	worker_progress(const char *phase, uint64_t done, uint64_t total);

/*
 * So many microseconds were spent in the phase; the engine is told with the
 * next progress, or the answer.  Of any thread.  Around large blocks only:
 * nobody measures pages.
 */
void	worker_spent(enum phase, uint64_t us);
/* The same of the time since since_us (util_monotonic_us); the time now. */
uint64_t worker_lap(enum phase, uint64_t since_us);
/* All that was spent in it so far, microseconds. */
uint64_t worker_spent_us(enum phase);

/* A warning for the log and the job, not a failure. */
void	worker_warn(enum err code, const char *fmt, ...)
	    __attribute__((__format__ (printf, 2, 3)));

/* The orders.  Each sends its own result and returns 0, or fails with -1
 * and *e. */
int	capture_run(const struct m_w_capture *, int artifact,
	    struct m_w_captured *, struct m_error *);
int	verify_run(const struct m_w_verify *, int artifact,
	    struct m_w_verified *, struct m_error *);
int	inspect_run(const struct m_w_inspect *, struct m_file_info *,
	    struct m_error *);
int	locks_run(const struct m_w_inspect *, struct m_locks_end *,
	    struct m_error *);
int	glob_run(const struct m_w_inspect *, struct m_w_globbed *,
	    struct m_error *);
int	convert_run(const struct m_w_convert *, struct m_w_converted *,
	    struct m_error *);
int	pack_run(const struct m_w_pack *, struct m_w_packed *,
	    struct m_error *);
int	unpack_run(const struct m_w_unpack *, struct m_w_unpacked *,
	    struct m_error *);
int	restore_run(const struct m_w_restore *, struct m_w_restored *,
	    struct m_error *);

/* The descriptor of that kind (enum w_file_kind) that came before the
 * order, or -1. */
int	worker_file(int kind);

/* From here on there is none of that kind. */
void	worker_file_close(int kind);

/* One row of the answer to a W_VERIFY that counts. */
void	worker_table(const struct m_w_table *row);

/* One row of the answer to W_LOCKS. */
void	worker_lock_row(const struct m_lock_row *);

/* Some of the answer to W_GLOB. */
void	worker_names(const struct m_w_names *);

/*
 * Waits for the engine's word that the image is sound; meanwhile told as
 * the phase, with all its bytes done.  0, or -1 when it ends or asks us to
 * stop.
 */
int	worker_sound(const char *phase, uint64_t bytes);

/*
 * Tells the engine that what is there now has been kept, and waits for its
 * word to go on.  0, or -1 when it ends or asks us to stop.
 */
int	worker_safety(const struct m_w_captured *);

#endif
