/*
 * Bytes on their way through a worker: each stage takes them, changes
 * them, and gives them to the next one.
 */
#ifndef WORKER_STREAM_H
#define WORKER_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "proto/errors.h"
#include "proto/msg.h"

/*
 * put takes all of n bytes; end: these were the last, and whatever was held
 * back goes to the next stage, which is ended, too.  0, or -1 and *e: then
 * neither is called again.
 */
struct stream {
	int	(*put)(struct stream *, const uint8_t *, size_t n,
		    struct m_error *e);
	int	(*end)(struct stream *, struct m_error *e);
};

/* The last stage: a file, from its beginning, or nothing but the count. */
struct stream_file {
	struct stream	 stream;	/* first */
	int		 fd;		/* the caller's; -1: none */
	uint64_t	 size;		/* bytes that came */
	uint64_t	 size_max;	/* more is an error: */
	enum err	 code;		/* this one, */
	const char	*what;		/* with this sentence */
	void		(*wrote)(void *arg, const uint8_t *, size_t n);
	void		*arg;		/* wrote is called after each write */
};
void	stream_file_init(struct stream_file *, int fd);

/* Reads fd from 0 to size, tells progress as `phase`, and ends s. 0, or -1
 * and *e.  The time that is neither reading nor writing was spent in own. */
int	stream_pump(int fd, uint64_t size, const char *phase, enum phase own,
	    struct stream *s, struct m_error *e);

/* ---- zstd_stream.c ---- */

#define ZSTD_MAGIC		0xfd2fb528U	/* little-endian, in front */

/* One frame with its size and a checksum; threads: 0 or how many.  free it
 * with zstd_free.  NULL and *e. */
struct stream	*zstd_pack(int level, int threads, uint64_t size,
		    struct stream *next, struct m_error *e);
/* Any number of frames, and nothing else. */
struct stream	*zstd_unpack(struct stream *next, struct m_error *e);
void		 zstd_free(struct stream *);	/* NULL is fine */

#endif
