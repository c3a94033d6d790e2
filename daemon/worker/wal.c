/*
 * Workers run this.  It owns the map from pages to frames; it reads the
 * log through whatever the caller gives it (SQLite's own handle while a
 * transaction stands, so that no lock is lost by a close).
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/worker/wal.h"

#define BATCH_BYTES	(512 * 1024)
#define FRAMES_MAX	(16u * 1024 * 1024)	/* 64 GB of 4 KiB pages */

struct sums {
	uint32_t	a, b;
};

static uint32_t
word(const uint8_t *p, int big)
{
	return (big ? sqlite_get32(p) : (uint32_t)p[3] << 24 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[0]);
}

/* Section 4.2; n is a multiple of 8. */
static void
checksum(struct sums *s, const uint8_t *p, size_t n, int big)
{
	size_t	i;

	for (i = 0; i < n; i += 8) {
		s->a += word(p + i, big) + s->b;
		s->b += word(p + i + 4, big) + s->a;
	}
}

static int
header_ok(struct wal *w, struct sums *s, int *big)
{
	uint32_t	m = sqlite_get32(w->header);

	if (m != WAL_MAGIC_LE && m != WAL_MAGIC_BE)
		return (0);
	*big = m == WAL_MAGIC_BE;
	w->page_size = sqlite_get32(w->header + 8);
	if (w->page_size < 512 || w->page_size > 65536 ||
	    (w->page_size & (w->page_size - 1)) != 0)
		return (0);
	s->a = s->b = 0;
	checksum(s, w->header, 24, *big);
	return (s->a == sqlite_get32(w->header + 24) &&
	    s->b == sqlite_get32(w->header + 28));
}

/* Does this frame continue the chain? */
static int
frame_ok(const struct wal *w, const uint8_t *f, struct sums *s, int big)
{
	if (sqlite_get32(f) == 0 || memcmp(f + 8, w->header + 16, 8) != 0)
		return (0);
	checksum(s, f, 8, big);
	checksum(s, f + WAL_FRAME_BYTES, w->page_size, big);
	return (s->a == sqlite_get32(f + 16) && s->b == sqlite_get32(f + 20));
}

struct scan {
	uint32_t	*pages;		/* of each frame of the chain */
	uint32_t	 n, size;
	struct sums	 sums;
	int		 big;
};

static int
scan_add(struct scan *s, uint32_t pgno)
{
	uint32_t	*p;

	if (s->n == s->size) {
		s->size = s->size == 0 ? 1024 : s->size * 2;
		if ((p = reallocarray(s->pages, s->size, sizeof(*p))) == NULL)
			return (-1);
		s->pages = p;
	}
	s->pages[s->n++] = pgno;
	return (0);
}

/* Frames [first, first + n) in buf; 0 to go on, 1 the chain ends here. */
static int
scan_batch(struct wal *w, struct scan *s, const uint8_t *buf, uint32_t n,
    enum wal_result *result)
{
	size_t		 frame_bytes = WAL_FRAME_BYTES + w->page_size;
	const uint8_t	*f = buf;
	uint32_t	 i;

	for (i = 0; i < n; i++, f += frame_bytes) {
		if (!frame_ok(w, f, &s->sums, s->big))
			return (1);
		if (s->n == FRAMES_MAX) {
			*result = WAL_TOO_LARGE;
			return (1);
		}
		if (scan_add(s, sqlite_get32(f)) == -1) {
			*result = WAL_NO_MEMORY;
			return (1);
		}
		if (sqlite_get32(f + 4) != 0) {
			w->frames = s->n;
			w->pages = sqlite_get32(f + 4);
		}
	}
	return (0);
}

static uint32_t
slot_of(const struct wal *w, uint32_t pgno)
{
	return ((pgno * 2654435761u) & (w->nslots - 1));
}

/* Later frames replace earlier ones.  Two words a slot. */
static int
map_build(struct wal *w, const uint32_t *pages)
{
	uint32_t	i, k;

	for (w->nslots = 64; w->nslots < w->frames * 2u; w->nslots *= 2)
		;
	if ((w->slots = calloc(w->nslots, 2 * sizeof(*w->slots))) == NULL)
		return (-1);
	for (i = 0; i < w->frames; i++) {
		/* NOLINTNEXTLINE: there are pages when there are frames */
		for (k = slot_of(w, pages[i]); w->slots[2 * k] != 0 &&
		    w->slots[2 * k] != pages[i]; k = (k + 1) & (w->nslots - 1))
			;
		w->slots[2 * k] = pages[i];
		w->slots[2 * k + 1] = i + 1;
	}
	return (0);
}

static enum wal_result
scan_frames(struct wal *w, struct scan *s, uint64_t size)
{
	size_t		 frame_bytes = WAL_FRAME_BYTES + w->page_size;
	uint64_t	 total, first = 0;
	uint32_t	 batch, n;
	uint8_t		*buf;
	enum wal_result	 result = WAL_OK;

	total = (size - WAL_HEADER_BYTES) / frame_bytes;
	batch = (uint32_t)(BATCH_BYTES / frame_bytes);
	if (batch == 0)
		batch = 1;
	if ((buf = malloc(batch * frame_bytes)) == NULL)
		return (WAL_NO_MEMORY);
	while (first < total) {
		n = total - first < batch ? (uint32_t)(total - first) : batch;
		if (w->read(w->arg, buf, n * frame_bytes,
		    WAL_HEADER_BYTES + first * frame_bytes) == -1)
			break;		/* it was cut: the chain ends */
		if (scan_batch(w, s, buf, n, &result) != 0)
			break;
		first += n;
	}
	free(buf);
	return (result);
}

enum wal_result
wal_scan(struct wal *w, wal_read *rd, void *arg, uint64_t size)
{
	struct scan	s;
	enum wal_result	result;

	memset(w, 0, sizeof(*w));
	memset(&s, 0, sizeof(s));
	w->read = rd;
	w->arg = arg;
	if (size < WAL_HEADER_BYTES ||
	    rd(arg, w->header, WAL_HEADER_BYTES, 0) == -1 ||
	    !header_ok(w, &s.sums, &s.big))
		return (WAL_NO_HEADER);
	result = scan_frames(w, &s, size);
	if (result == WAL_OK && w->frames > 0 && map_build(w, s.pages) == -1)
		result = WAL_NO_MEMORY;
	free(s.pages);
	return (result);
}

void
wal_free(struct wal *w)
{
	free(w->slots);
	w->slots = NULL;
	w->nslots = 0;
}

uint32_t
wal_find(const struct wal *w, uint32_t pgno)
{
	uint32_t	k;

	if (w->nslots == 0)
		return (0);
	for (k = slot_of(w, pgno); w->slots[2 * k] != 0;
	    k = (k + 1) & (w->nslots - 1)) {
		if (w->slots[2 * k] == pgno)
			return (w->slots[2 * k + 1]);
	}
	return (0);
}

int
wal_page(const struct wal *w, uint32_t frame, void *buf, size_t n)
{
	return (w->read(w->arg, buf, n, WAL_HEADER_BYTES +
	    (uint64_t)(frame - 1) * (WAL_FRAME_BYTES + w->page_size) +
	    WAL_FRAME_BYTES));
}

int
wal_unchanged(const struct wal *w)
{
	uint8_t	now[WAL_HEADER_BYTES];

	return (w->read(w->arg, now, sizeof(now), 0) == 0 &&
	    memcmp(now, w->header, sizeof(now)) == 0);
}
