/*
 * SHA-256 of a file that is still being written: a thread of the worker
 * reads behind the writer, out of the page cache, so that neither the
 * writer nor a lock that it holds ever waits for the hash.
 */
#ifndef WORKER_HASHER_H
#define WORKER_HASHER_H

#include <stdint.h>

#include "proto/msg.h"

struct hasher;

/* fd stays the caller's and is only pread.  NULL without memory or a
 * thread. */
struct hasher	*hasher_start(int fd);

/* The first `bytes` of the file will not change any more. */
void		 hasher_advance(struct hasher *, uint64_t bytes);

/*
 * The file is `bytes` long: waits, writes "sha256:..." to checksum, and
 * frees the hasher.  0, or -1 with errno when the file could not be read.
 */
int		 hasher_finish(struct hasher *, uint64_t bytes,
		    char checksum[CHECKSUM_BYTES]);
void		 hasher_abandon(struct hasher *);

#endif
