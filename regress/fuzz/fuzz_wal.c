/*
 * A write-ahead log of arbitrary bytes.  The first byte tells how much of
 * it is made right before it is read, since no fuzzer guesses checksums:
 * the header, and the first so many frames.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker/wal.h"

#define PROBES	64

struct image {
	const uint8_t	*bytes;
	size_t		 size;
	size_t		 cut;		/* reads beyond fail */
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
image_read(void *arg, void *buf, size_t n, uint64_t off)
{
	const struct image	*m = arg;

	if (off > m->cut || n > m->cut - off)
		return (-1);
	memcpy(buf, m->bytes + off, n);
	return (0);
}

static uint32_t
word(const uint8_t *p, int big)
{
	return (big ? sqlite_get32(p) : (uint32_t)p[3] << 24 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]);
}

static void
put32(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

static void
sum(uint32_t s[2], const uint8_t *p, size_t n, int big)
{
	size_t	i;

	for (i = 0; i + 8 <= n; i += 8) {
		s[0] += word(p + i, big) + s[1];
		s[1] += word(p + i + 4, big) + s[0];
	}
}

static void
make_right(uint8_t *p, size_t size, unsigned frames)
{
	uint32_t	s[2] = { 0, 0 }, page_size;
	size_t		at;
	int		big;

	if (size < WAL_HEADER_BYTES)
		return;
	big = p[0] & 1;
	put32(p, big ? WAL_MAGIC_BE : WAL_MAGIC_LE);
	page_size = 512u << (p[9] & 7);
	put32(p + 8, page_size);
	sum(s, p, 24, big);
	put32(p + 24, s[0]);
	put32(p + 28, s[1]);
	for (at = WAL_HEADER_BYTES; frames > 0 &&
	    at + WAL_FRAME_BYTES + page_size <= size;
	    at += WAL_FRAME_BYTES + page_size, frames--) {
		memcpy(p + at + 8, p + 16, 8);
		sum(s, p + at, 8, big);
		sum(s, p + at + WAL_FRAME_BYTES, page_size, big);
		put32(p + at + 16, s[0]);
		put32(p + at + 20, s[1]);
	}
}

/* What was found must be there, and be that page. */
static void
look(const struct wal *w, const struct image *m, uint32_t pgno)
{
	uint8_t		 page[65536];
	uint32_t	 frame;
	size_t		 at;

	if ((frame = wal_find(w, pgno)) == 0)
		return;
	at = WAL_HEADER_BYTES + (size_t)(frame - 1) *
	    (WAL_FRAME_BYTES + w->page_size);
	if (frame > w->frames || sqlite_get32(m->bytes + at) != pgno ||
	    wal_page(w, frame, page, w->page_size) == -1 ||
	    memcmp(page, m->bytes + at + WAL_FRAME_BYTES, w->page_size) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image	m;
	struct wal	w;
	uint8_t		*bytes;
	uint32_t	i;
	size_t		at;

	if (size < 3)
		return (0);
	if ((bytes = malloc(size)) == NULL)
		return (0);
	memcpy(bytes, data + 2, size - 2);
	if (data[0] > 0)
		make_right(bytes, size - 2, data[0] - 1);
	m.bytes = bytes;
	m.size = size - 2;
	m.cut = m.size * (data[1] == 0 ? 255u : data[1]) / 255;
	if (wal_scan(&w, image_read, &m, m.size) == WAL_OK) {
		if (w.frames > 0 && WAL_HEADER_BYTES + (uint64_t)w.frames *
		    (WAL_FRAME_BYTES + w.page_size) > m.cut)
			abort();
		for (i = 1; i <= w.frames && i <= PROBES; i++) {
			at = WAL_HEADER_BYTES + (size_t)(i - 1) *
			    (WAL_FRAME_BYTES + w.page_size);
			/* Each page that a frame has can be found. */
			if (wal_find(&w, sqlite_get32(bytes + at)) < i)
				abort();
			look(&w, &m, sqlite_get32(bytes + at));
		}
		for (i = 0; i < PROBES; i++)
			look(&w, &m, i);
		look(&w, &m, UINT32_MAX);
		if (wal_unchanged(&w) != 1)
			abort();
	}
	wal_free(&w);
	free(bytes);
	return (0);
}
