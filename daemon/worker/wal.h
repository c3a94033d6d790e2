/*
 * Reading a write-ahead log: which frames are committed, and which frame
 * holds the newest version of a page (file format, section 4).
 */
#ifndef WORKER_WAL_H
#define WORKER_WAL_H

#include <stddef.h>
#include <stdint.h>

#include "proto/sqlite_format.h"

/* How the log is read: n bytes at off into buf.  0, or -1 (an error, or
 * fewer bytes there). */
typedef int	wal_read(void *arg, void *buf, size_t n, uint64_t off);

struct wal {
	wal_read	*read;
	void		*arg;
	uint8_t		 header[WAL_HEADER_BYTES];
	uint32_t	 page_size;	/* bytes */
	uint32_t	 frames;	/* committed ones: what counts */
	uint32_t	 pages;		/* of the database at the last commit */
	uint32_t	*slots;		/* page -> frame, open addressing */
	uint32_t	 nslots;	/* a power of two, or 0 */
};

enum wal_result {
	WAL_OK,
	WAL_NO_HEADER,			/* none, or its checksum is wrong */
	WAL_TOO_LARGE,			/* more frames than we map */
	WAL_NO_MEMORY
};

/*
 * Scans the first `size` bytes: follows salts and checksums as far as they
 * hold, and keeps what is committed.  The caller compares w->frames with
 * the mark that it must reach (H5).  Call wal_free in any case.
 */
enum wal_result	wal_scan(struct wal *w, wal_read *, void *arg, uint64_t size);
void		wal_free(struct wal *);

/* The frame (1, 2 ...) that holds page pgno (1, 2 ...), or 0. */
uint32_t	wal_find(const struct wal *, uint32_t pgno);

/* Reads n bytes of the page in a frame, from the page's start.  0 or -1. */
int		wal_page(const struct wal *, uint32_t frame, void *buf,
		    size_t n);

/* Reads the header again: 1 it is still the same, 0 the log began anew. */
int		wal_unchanged(const struct wal *);

#endif
