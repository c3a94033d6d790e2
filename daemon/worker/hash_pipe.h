/*
 * SHA-256 of bytes that are in no file: a thread of the worker hashes what
 * whoever makes them hands over, while the next ones are made.
 */
#ifndef WORKER_HASH_PIPE_H
#define WORKER_HASH_PIPE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

struct hash_pipe;

/* NULL without memory or a thread. */
struct hash_pipe *hash_pipe_start(void);

/* Copies the bytes; waits while the thread is behind. */
void		 hash_pipe_put(struct hash_pipe *, const uint8_t *, size_t n);

/* Those were all: "sha256:..." to checksum.  Ends the thread and frees it,
 * wiped.  0, or -1 when it could not be computed. */
int		 hash_pipe_finish(struct hash_pipe *,
		    char checksum[CHECKSUM_BYTES]);
void		 hash_pipe_abandon(struct hash_pipe *);	/* NULL is fine */

#endif
