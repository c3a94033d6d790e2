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

/* The first `bytes` of the file may be read; never less than before. */
void		 hasher_advance(struct hasher *, uint64_t bytes);

/*
 * What the file holds from that offset on is not what it was when it was
 * allowed to be read.  Called after the change; costs at most the bytes
 * behind the offset, and nothing when they were not read yet.
 */
void		 hasher_changed(struct hasher *, uint64_t offset);

/*
 * The file is `bytes` long: waits, writes "sha256:..." to checksum, and
 * frees the hasher.  0, or -1 with errno when the file could not be read.
 */
int		 hasher_finish(struct hasher *, uint64_t bytes,
		    char checksum[CHECKSUM_BYTES]);
void		 hasher_abandon(struct hasher *);

#endif
