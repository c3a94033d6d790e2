/*
 * Workers run this while a read transaction stands: the main file in large
 * reads through SQLite's own handle, and over it the newest committed
 * frames of the WAL (design.md section 3, facts section 2 say why that is
 * one consistent state).  It must not open or close the database by any
 * other descriptor: that would drop SQLite's locks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/behind.h"
#include "daemon/worker/capture.h"
#include "daemon/worker/wal.h"
#include "daemon/worker/worker.h"

#define BLOCK_BYTES	(1024 * 1024)	/* a multiple of all page sizes */
#define AHEAD_BYTES	(256 * 1024)	/* and this; the kernel lets nobody
					 * in while it copies a block */
#define PART_BYTES	65536		/* and of this */
#define ALIGN_BYTES	4096		/* as malloc(3) aligns it, a read takes
					 * half as long again */
#define HEADER_TRIES	100

struct source {
	struct wal	 wal;
	uint32_t	 page_size;	/* bytes */
	uint64_t	 pages;
	uint64_t	 main_size;	/* bytes of the main file */
	uint8_t		*block;
};

static int
file_read(void *arg, void *buf, size_t n, uint64_t off)
{
	sqlite3_file	*f = arg;

	return (f->pMethods->xRead(f, buf, (int)n, (sqlite3_int64)off) ==
	    SQLITE_OK ? 0 : -1);
}

static enum copy_result
fall_back(struct capture *c, const char *why)
{
	strlcpy(c->result->fallback, why, sizeof(c->result->fallback));
	return (COPY_FALLBACK);
}

/* The wal-index's first region, by the mapping that SQLite has already. */
static volatile uint8_t *
wal_index(struct capture *c)
{
	sqlite3_file	*f = c->main_file;
	volatile void	*region;

	if (f->pMethods->iVersion < 2 ||
	    f->pMethods->xShmMap(f, 0, WALINDEX_REGION_BYTES, 0,
	    &region) != SQLITE_OK)
		return (NULL);
	return (region);
}

/*
 * The last valid frame, as the wal-index says now: at or after our mark.
 * Its header stands twice, because a writer may be at work (walformat,
 * section 2.1).
 */
static int
wal_mark(struct capture *c, uint32_t *mark)
{
	sqlite3_file		*f = c->main_file;
	volatile uint8_t	*p;
	uint8_t			 a[WALINDEX_HEADER_BYTES];
	uint8_t			 b[WALINDEX_HEADER_BYTES];
	int			 tries;
	size_t			 i;

	if ((p = wal_index(c)) == NULL)
		return (-1);
	for (tries = 0; tries < HEADER_TRIES; tries++) {
		for (i = 0; i < sizeof(a); i++)
			a[i] = p[i];
		f->pMethods->xShmBarrier(f);
		for (i = 0; i < sizeof(b); i++)
			b[i] = p[WALINDEX_HEADER_BYTES + i];
		if (memcmp(a, b, sizeof(a)) == 0) {
			memcpy(mark, a + WALINDEX_MX_FRAME_AT, sizeof(*mark));
			return (0);
		}
		usleep(100);
	}
	return (-1);
}

/* The frames to lay over the main file; COPY_OK also when there are none. */
static enum copy_result
source_wal(struct capture *c, struct source *s)
{
	sqlite3_int64	size = 0;
	uint32_t	mark;
	enum wal_result	r;

	if (wal_mark(c, &mark) == -1)
		return (fall_back(c, "the wal-index could not be read"));
	if (mark == 0)
		return (COPY_OK);	/* all is in the main file, and our
					 * READ0 lock keeps it there */
	if (c->wal_file == NULL || c->wal_file->pMethods == NULL ||
	    c->wal_file->pMethods->xFileSize(c->wal_file,
	    &size) != SQLITE_OK)
		return (fall_back(c, "the WAL could not be read"));
	r = wal_scan(&s->wal, file_read, c->wal_file, (uint64_t)size);
	if (r == WAL_TOO_LARGE || r == WAL_NO_MEMORY)
		return (fall_back(c, "the WAL has too many frames"));
	/* H5: committed rows end here, whatever the checksums say. */
	if (r == WAL_NO_HEADER || s->wal.frames < mark)
		return (COPY_AGAIN);
	if (s->wal.page_size != s->page_size)
		return (fall_back(c, "the WAL has another page size"));
	s->pages = s->wal.pages;
	c->result->wal_frames = s->wal.frames;
	return (COPY_OK);
}

/* How large the image is, by the header (file format, section 1.3.8). */
static enum copy_result
source_main(struct capture *c, struct source *s)
{
	uint8_t		h[SQLITE_HEADER_BYTES];
	sqlite3_int64	size = 0;
	uint64_t	by_size;

	if (c->main_file->pMethods->xFileSize(c->main_file,
	    &size) != SQLITE_OK)
		return (fall_back(c, "the size could not be read"));
	s->main_size = (uint64_t)size;
	if (size == 0)
		return (COPY_OK);
	if (file_read(c->main_file, h, sizeof(h), 0) == -1 ||
	    !sqlite_is_header(h))
		return (fall_back(c, "the header could not be read"));
	s->page_size = sqlite_page_size(h);
	by_size = (s->main_size + s->page_size - 1) / s->page_size;
	s->pages = sqlite_get32(h + SQLITE_PAGE_COUNT_AT);
	if (s->pages == 0 || s->pages > by_size ||
	    memcmp(h + SQLITE_CHANGE_COUNTER_AT, h + SQLITE_VALID_FOR_AT,
	    4) != 0)
		s->pages = by_size;
	return (COPY_OK);
}

/*
 * The pages of one block from the log.  A page that neither the log nor
 * the main file has is a contradiction: -1.
 */
static int
overlay(const struct source *s, uint64_t off, size_t n)
{
	uint32_t	frame, pgno;
	size_t		at;

	for (at = 0; at < n; at += s->page_size) {
		pgno = (uint32_t)((off + at) / s->page_size) + 1;
		if ((frame = wal_find(&s->wal, pgno)) != 0) {
			if (wal_page(&s->wal, frame, s->block + at,
			    s->page_size) == -1)
				return (-1);
		} else if (off + at + s->page_size > s->main_size &&
		    s->wal.frames > 0 &&
		    off + at != SQLITE_LOCK_PAGE_AT)
			return (-1);
		if (off + at == SQLITE_LOCK_PAGE_AT)
			memset(s->block + at, 0, s->page_size);
	}
	return (0);
}

static int
is_hole(const uint8_t *p, size_t n)
{
	return (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int
part_write(int fd, const uint8_t *p, size_t n, uint64_t off)
{
	ssize_t	w;

	while (n > 0) {
		w = pwrite(fd, p, n, (off_t)off);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return (-1);
		p += w;
		off += (uint64_t)w;
		n -= (size_t)w;
	}
	return (0);
}

/*
 * Room for the hashes of an image of that many bytes.  What the artifact
 * held behind its end is cut off, and so no longer known.
 */
static int
parts_room(struct capture *c, uint64_t bytes)
{
	uint64_t	*p;
	size_t		 n = (size_t)((bytes + PART_BYTES - 1) / PART_BYTES);
	size_t		 i;

	for (i = (size_t)(bytes / PART_BYTES); i < c->nparts; i++)
		c->parts[i] = 0;
	if (!c->keep_parts || n <= c->nparts)
		return (0);
	if ((p = reallocarray(c->parts, n, sizeof(*p))) == NULL)
		return (-1);
	memset(p + c->nparts, 0, (n - c->nparts) * sizeof(*p));
	c->parts = p;
	c->nparts = n;
	return (0);
}

/*
 * Writes a block in parts of 64 KiB.  What is all zero is left out of a
 * new file: holes stay holes (H10).  In an update, what has the hash of
 * what is there is not written again.
 */
static int
block_write(struct capture *c, const uint8_t *p, size_t n, uint64_t off)
{
	uint64_t	hash = 0;
	size_t		part, i;

	for (; n > 0; p += part, off += part, n -= part) {
		part = n < PART_BYTES ? n : PART_BYTES;
		if (c->keep_parts) {
			i = (size_t)(off / PART_BYTES);
			hash = XXH3_64bits(p, part);
			if (c->update && c->parts[i] == hash)
				continue;
			c->parts[i] = hash;
		}
		if (!c->update && is_hole(p, part))
			continue;
		if (part_write(c->out, p, part, off) == -1)
			return (-1);
		if (c->update && c->hasher != NULL)
			hasher_changed(c->hasher, off);
	}
	return (0);
}

/* A copy of a WAL database must not ask for a -wal. */
static void
header_plain(uint8_t *h)
{
	if (sqlite_is_header(h))
		h[SQLITE_WRITE_VERSION_AT] = h[SQLITE_READ_VERSION_AT] = 1;
}

static enum copy_result
copy_block(struct capture *c, const struct source *s, uint64_t off, size_t n)
{
	uint64_t	at_us = util_monotonic_us();
	int		rc;

	rc = c->main_file->pMethods->xRead(c->main_file, s->block, (int)n,
	    (sqlite3_int64)off);
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
		fail(c->error, E_IO_ERROR, "cannot read %s: disk error %d",
		    c->look.path, rc);
		return (COPY_FAILED);
	}
	if (overlay(s, off, n) == -1)
		return (fall_back(c, "the WAL and the main file do not fit"));
	at_us = worker_lap(PHASE_READ, at_us);
	if (off == 0)
		header_plain(s->block);
	if (block_write(c, s->block, n, off) == -1) {
		capture_write_failed(c, errno);
		return (COPY_FAILED);
	}
	(void)worker_lap(PHASE_WRITE, at_us);
	return (COPY_OK);
}

static enum copy_result
copy_blocks(struct capture *c, const struct source *s)
{
	uint64_t	off, total = s->pages * s->page_size;
	enum copy_result r;
	size_t		n;

	/* Its whole length at once: what is not written is a hole. */
	if ((!c->update && ftruncate(c->out, 0) == -1) ||
	    ftruncate(c->out, (off_t)total) == -1) {
		capture_write_failed(c, errno);
		return (COPY_FAILED);
	}
	for (off = 0; off < total; off += n) {
		n = total - off < BLOCK_BYTES ? (size_t)(total - off) :
		    BLOCK_BYTES;
		if (capture_go_on(c, off, total) == -1)
			return (COPY_FAILED);
		if ((r = copy_block(c, s, off, n)) != COPY_OK)
			return (r);
		if (c->hasher != NULL && !c->result->gentle)
			hasher_advance(c->hasher, off + n);
	}
	/* Under READ0 the log may have begun anew while we read it. */
	if (s->wal.frames > 0 && !wal_unchanged(&s->wal))
		return (COPY_AGAIN);
	return (COPY_OK);
}

enum copy_result
copy_raw(struct capture *c)
{
	struct source	 s;
	enum copy_result r;

	memset(&s, 0, sizeof(s));
	r = source_main(c, &s);
	if (r == COPY_OK && s.pages > 0 && c->wal)
		r = source_wal(c, &s);
	if (r == COPY_OK && (c->order->size_limit != 0 &&
	    s.pages * s.page_size > c->order->size_limit)) {
		fail(c->error, E_SIZE_LIMIT,
		    "%s has %ju bytes, its size limit is %ju", c->look.path,
		    (uintmax_t)(s.pages * s.page_size),
		    (uintmax_t)c->order->size_limit);
		r = COPY_FAILED;
	}
	if (r == COPY_OK) {
		if ((s.block = aligned_alloc(ALIGN_BYTES,
		    BLOCK_BYTES)) == NULL ||
		    parts_room(c, s.pages * s.page_size) == -1) {
			fail(c->error, E_WORKER_FAILED, "out of memory");
			r = COPY_FAILED;
		} else
			r = copy_blocks(c, &s);
	}
	c->result->size = s.pages * s.page_size;
	free(s.block);
	wal_free(&s.wal);
	return (r);
}

/* ---- ahead of the lock: nothing that is read here is believed ---- */

/*
 * What the log has now, laid over the draft, need not be laid over it
 * under the lock.
 */
static void
ahead_wal(struct capture *c, struct source *s)
{
	if (c->wal && source_wal(c, s) != COPY_OK) {
		wal_free(&s->wal);
		memset(&s->wal, 0, sizeof(s->wal));
	}
	c->result->wal_frames = 0;
}

/*
 * What every commit changes: the header of the wal-index, or the change
 * counter (file format, section 1.3).  It is only compared with itself,
 * so one that is being written may be read.
 */
static void
commits_look(struct capture *c, uint8_t seen[WALINDEX_HEADER_BYTES])
{
	volatile uint8_t	*p;
	size_t			 i;

	memset(seen, 0, WALINDEX_HEADER_BYTES);
	if (!c->wal)
		(void)file_read(c->main_file, seen, 4,
		    SQLITE_CHANGE_COUNTER_AT);
	else if ((p = wal_index(c)) != NULL)
		for (i = 0; i < WALINDEX_HEADER_BYTES; i++)
			seen[i] = p[i];
}

/*
 * Has somebody committed since?  Then he has a processor for himself from
 * now on, and hardly waits for the disk behind us: nothing is hashed before
 * all is copied, most of which hash his commits would make void, and nobody
 * but us brings the copy to the disk.
 */
static void
ahead_gently(struct capture *c, const uint8_t before[WALINDEX_HEADER_BYTES],
    struct behind *b)
{
	uint8_t	now[WALINDEX_HEADER_BYTES];

	if (c->result->gentle)
		return;
	commits_look(c, now);
	if (memcmp(before, now, sizeof(now)) == 0)
		return;
	c->result->gentle = 1;
	if (b != NULL)
		behind_alone(b);
}

/* 0, 1 when the rest is not worth it, or -1 and *error. */
static int
ahead_block(struct capture *c, const struct source *s, struct behind *b,
    uint64_t off, size_t n)
{
	uint64_t	at_us = util_monotonic_us();
	int		rc;

	rc = c->main_file->pMethods->xRead(c->main_file, s->block, (int)n,
	    (sqlite3_int64)off);
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return (fail(c->error, E_IO_ERROR,
		    "cannot read %s: disk error %d", c->look.path, rc));
	if (overlay(s, off, n) == -1)
		return (1);
	at_us = worker_lap(PHASE_READ, at_us);
	if (off == 0)
		header_plain(s->block);
	if (block_write(c, s->block, n, off) == -1)
		return (capture_write_failed(c, errno));
	at_us = worker_lap(PHASE_WRITE, at_us);
	if (c->hasher != NULL && !c->result->gentle)
		hasher_advance(c->hasher, off + n);
	if (b != NULL)
		behind_advance(b, off + n);
	(void)worker_lap(PHASE_FSYNC, at_us);
	return (0);
}

static int
ahead_blocks(struct capture *c, struct source *s)
{
	struct behind	*b = NULL;
	uint64_t	 off, total;
	uint8_t		 commits[WALINDEX_HEADER_BYTES];
	size_t		 n;
	int		 error, rv = 0;

	commits_look(c, commits);
	total = s->pages * s->page_size;
	if (ftruncate(c->out, (off_t)total) == -1)
		return (capture_write_failed(c, errno));
	if ((s->block = aligned_alloc(ALIGN_BYTES, AHEAD_BYTES)) == NULL ||
	    parts_room(c, total) == -1 ||
	    (!(c->order->flags & CAPTURE_SCRATCH) &&
	    (b = behind_start(c->out)) == NULL))
		return (fail(c->error, E_WORKER_FAILED, "no memory, or no "
		    "thread"));
	for (off = 0; rv == 0 && off < total; off += n) {
		n = total - off < AHEAD_BYTES ? (size_t)(total - off) :
		    AHEAD_BYTES;
		ahead_gently(c, commits, b);
		if ((rv = capture_go_on(c, off, total)) == 0)
			rv = ahead_block(c, s, b, off, n);
	}
	/* Under the lock the processor is wanted for other things. */
	if (b != NULL && (error = behind_end(b)) != 0 && rv != -1)
		rv = capture_write_failed(c, error);
	return (rv);
}

int
copy_ahead(struct capture *c)
{
	struct source	s;
	int		rv = 0;

	memset(&s, 0, sizeof(s));
	c->keep_parts = 1;
	if (source_main(c, &s) == COPY_OK && s.pages > 0) {
		ahead_wal(c, &s);
		rv = ahead_blocks(c, &s);
	}
	c->result->fallback[0] = '\0';
	free(s.block);
	wal_free(&s.wal);
	return (rv == -1 ? -1 : 0);
}
