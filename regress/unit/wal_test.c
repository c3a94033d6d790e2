/*
 * Reading a write-ahead log: logs are put together here, by the format's
 * description and not by the code under test, and one is SQLite's own.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/wal.h"
#include "regress/unit/unit.h"

#define PAGES_MAX	4096

struct image {
	uint8_t		*bytes;
	size_t		 size;		/* bytes */
	size_t		 room;
	uint32_t	 page_size;
	int		 big;		/* byte order of the checksums */
	uint32_t	 a, b;		/* of the last frame */
	uint64_t	 fail_at;	/* reads beyond fail; 0: none does */
};

static void
put32(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

static void
sum(struct image *m, const uint8_t *p, size_t n)
{
	uint32_t	w[2];
	size_t		i, k;

	for (i = 0; i < n; i += 8) {
		for (k = 0; k < 2; k++) {
			const uint8_t *q = p + i + 4 * k;

			w[k] = m->big ?
			    (uint32_t)q[0] << 24 | (uint32_t)q[1] << 16 |
			    (uint32_t)q[2] << 8 | q[3] :
			    (uint32_t)q[3] << 24 | (uint32_t)q[2] << 16 |
			    (uint32_t)q[1] << 8 | q[0];
		}
		m->a += w[0] + m->b;
		m->b += w[1] + m->a;
	}
}

static uint8_t *
grow(struct image *m, size_t n)
{
	uint8_t	*p;

	if (m->size + n > m->room) {
		m->room = (m->size + n) * 2;
		m->bytes = xreallocarray(m->bytes, m->room, 1);
	}
	p = m->bytes + m->size;
	memset(p, 0, n);
	m->size += n;
	return (p);
}

static void
image_begin(struct image *m, uint32_t page_size, int big)
{
	uint8_t	*h;

	memset(m, 0, sizeof(*m));
	m->page_size = page_size;
	m->big = big;
	h = grow(m, WAL_HEADER_BYTES);
	put32(h, big ? 0x377f0683 : 0x377f0682);
	put32(h + 4, 3007000);
	put32(h + 8, page_size);
	put32(h + 12, 7);
	put32(h + 16, 0x01020304);	/* salts */
	put32(h + 20, 0xfffefdfc);
	sum(m, h, 24);
	put32(h + 24, m->a);
	put32(h + 28, m->b);
}

/* What page pgno holds in frame number frame. */
static void
content(uint8_t *p, size_t n, uint32_t pgno, uint32_t frame)
{
	size_t	i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(pgno * 31 + frame * 7 + i);
	put32(p, pgno);
	put32(p + 4, frame);
}

/* commit: the database's size in pages, or 0. */
static void
image_add(struct image *m, uint32_t pgno, uint32_t commit)
{
	uint32_t	 frame;
	uint8_t		*f;

	frame = (uint32_t)((m->size - WAL_HEADER_BYTES) /
	    (WAL_FRAME_BYTES + m->page_size)) + 1;
	f = grow(m, WAL_FRAME_BYTES + m->page_size);
	put32(f, pgno);
	put32(f + 4, commit);
	memcpy(f + 8, m->bytes + 16, 8);
	content(f + WAL_FRAME_BYTES, m->page_size, pgno, frame);
	sum(m, f, 8);
	sum(m, f + WAL_FRAME_BYTES, m->page_size);
	put32(f + 16, m->a);
	put32(f + 20, m->b);
}

static uint8_t *
frame_at(struct image *m, uint32_t frame)
{
	return (m->bytes + WAL_HEADER_BYTES + (size_t)(frame - 1) *
	    (WAL_FRAME_BYTES + m->page_size));
}

static int
image_read(void *arg, void *buf, size_t n, uint64_t off)
{
	struct image	*m = arg;

	if (m->fail_at != 0 && off + n > m->fail_at)
		return (-1);
	if (off > m->size || n > m->size - off)
		return (-1);
	memcpy(buf, m->bytes + off, n);
	return (0);
}

static enum wal_result
scan(struct wal *w, struct image *m)
{
	return (wal_scan(w, image_read, m, m->size));
}

/* Does frame hold what content() made of it? */
static int
page_is(struct wal *w, uint32_t frame, uint32_t pgno)
{
	uint8_t	*got, *want;
	int	 same;

	got = xmalloc(w->page_size);
	want = xmalloc(w->page_size);
	content(want, w->page_size, pgno, frame);
	same = frame != 0 && wal_page(w, frame, got, w->page_size) == 0 &&
	    memcmp(got, want, w->page_size) == 0;
	free(got);
	free(want);
	return (same);
}

/* Four frames, of which three are committed: 2, 3, then 2 again. */
static void
small(struct image *m, uint32_t page_size, int big)
{
	image_begin(m, page_size, big);
	image_add(m, 2, 0);
	image_add(m, 3, 3);
	image_add(m, 2, 5);
	image_add(m, 4, 0);
}

static void
test_shapes(void)
{
	struct image	m;
	struct wal	w;
	uint32_t	size;
	int		big;

	for (size = 512; size <= 65536; size *= 2) {
		for (big = 0; big < 2; big++) {
			small(&m, size, big);
			ok(scan(&w, &m) == WAL_OK && w.frames == 3 &&
			    w.pages == 5 && w.page_size == size &&
			    page_is(&w, wal_find(&w, 2), 2) &&
			    wal_find(&w, 2) == 3 && wal_find(&w, 3) == 2 &&
			    wal_find(&w, 4) == 0 && wal_find(&w, 1) == 0,
			    "pages of %u bytes, %s-endian checksums",
			    (unsigned)size, big ? "big" : "little");
			wal_free(&w);
			free(m.bytes);
		}
	}
}

/* How many frames count after one byte was changed. */
static uint32_t
frames_with(size_t at)
{
	struct image	m;
	struct wal	w;
	uint32_t	n;

	small(&m, 1024, 0);
	m.bytes[at] ^= 0x40;
	n = scan(&w, &m) == WAL_OK ? w.frames : UINT32_MAX;
	wal_free(&w);
	free(m.bytes);
	return (n);
}

static void
test_chain(void)
{
	size_t	frame = WAL_FRAME_BYTES + 1024, first = WAL_HEADER_BYTES, i;
	int	all = 1;

	ok(frames_with(first + frame + 8) == 0, "another salt ends the chain");
	ok(frames_with(first + 2 * frame + 13) == 2, "so does the second salt");
	ok(frames_with(first + 2 * frame + 500) == 2,
	    "a rotten byte of a page ends it");
	ok(frames_with(first + 2 * frame + 3) == 2,
	    "a rotten page number as well");
	ok(frames_with(first + 2 * frame + 7) == 2,
	    "and a rotten commit mark");
	ok(frames_with(first + 3 * frame + 100) == 3,
	    "what is not committed may be rotten");
	ok(frames_with(first + 30) == 0, "the first frame: nothing counts");
	for (i = 0; i < WAL_HEADER_BYTES; i++) {
		/* The last salt is covered by the header's own sum too. */
		if (frames_with(i) != UINT32_MAX)
			all = 0;
	}
	ok(all, "any rotten byte of the header: there is no log");
}

static void
test_restart(void)
{
	struct image	m, old;
	struct wal	w;

	/* A log that began anew over an older, longer one. */
	small(&old, 512, 1);
	image_add(&old, 9, 9);
	image_begin(&m, 512, 1);
	put32(m.bytes + 16, 0x01020305);
	m.a = m.b = 0;
	sum(&m, m.bytes, 24);
	put32(m.bytes + 24, m.a);
	put32(m.bytes + 28, m.b);
	image_add(&m, 7, 7);
	memcpy(grow(&m, old.size - m.size), old.bytes + m.size,
	    old.size - m.size);
	ok(scan(&w, &m) == WAL_OK && w.frames == 1 && w.pages == 7 &&
	    wal_find(&w, 7) == 1 && wal_find(&w, 2) == 0 &&
	    wal_find(&w, 9) == 0, "frames of an older log do not count");
	ok(wal_unchanged(&w) == 1, "the header is still the same");
	put32(m.bytes + 16, 0x01020306);
	ok(wal_unchanged(&w) == 0, "and then it is not");
	m.fail_at = 1;
	ok(wal_unchanged(&w) == 0, "nor when it cannot be read");
	wal_free(&w);
	free(m.bytes);
	free(old.bytes);
}

static void
test_cut(void)
{
	struct image	m;
	struct wal	w;
	size_t		n, frame = WAL_FRAME_BYTES + 512;
	uint32_t	want;
	int		all = 1, none = 1;

	small(&m, 512, 0);
	for (n = 0; n <= m.size; n++) {
		want = n < WAL_HEADER_BYTES ? 0 :
		    (uint32_t)((n - WAL_HEADER_BYTES) / frame);
		want = want >= 3 ? 3 : want == 2 ? 2 : 0;
		if (wal_scan(&w, image_read, &m, n) != (n <
		    WAL_HEADER_BYTES ? WAL_NO_HEADER : WAL_OK) ||
		    (n >= WAL_HEADER_BYTES && w.frames != want))
			all = 0;
		wal_free(&w);
	}
	ok(all, "cut at any byte: whole committed frames before it count");
	/* The file became shorter after its size was asked. */
	for (n = 1; n < m.size; n++) {
		m.fail_at = n;
		if (scan(&w, &m) == WAL_OK && w.frames * frame +
		    WAL_HEADER_BYTES > n)
			none = 0;
		wal_free(&w);
	}
	ok(none, "what cannot be read does not count");
	m.fail_at = 0;
	ok(wal_scan(&w, image_read, &m, m.size + 5 * frame) == WAL_OK &&
	    w.frames <= 3, "a size that is not there");
	wal_free(&w);
	free(m.bytes);
}

static void
test_odd(void)
{
	struct image	m;
	struct wal	w;
	uint8_t		byte;

	image_begin(&m, 512, 0);
	ok(scan(&w, &m) == WAL_OK && w.frames == 0 && wal_find(&w, 1) == 0,
	    "no frames");
	wal_free(&w);
	image_add(&m, 1, 0);
	ok(scan(&w, &m) == WAL_OK && w.frames == 0 && wal_find(&w, 1) == 0,
	    "none of them committed");
	wal_free(&w);
	image_add(&m, 0, 1);
	ok(scan(&w, &m) == WAL_OK && w.frames == 0, "page 0 ends the chain");
	wal_free(&w);
	free(m.bytes);

	image_begin(&m, 512, 0);
	image_add(&m, UINT32_MAX, UINT32_MAX);
	ok(scan(&w, &m) == WAL_OK && w.frames == 1 &&
	    wal_find(&w, UINT32_MAX) == 1 && w.pages == UINT32_MAX,
	    "the largest page number");
	m.bytes[frame_at(&m, 1) - m.bytes + WAL_FRAME_BYTES] = 0x5a;
	ok(wal_page(&w, 1, &byte, 1) == 0 && byte == 0x5a,
	    "the beginning of a page alone");
	ok(wal_page(&w, 2, &byte, 1) == -1, "a frame that is not there");
	wal_free(&w);
	free(m.bytes);

	image_begin(&m, 513, 0);
	ok(scan(&w, &m) == WAL_NO_HEADER, "a page size of 513");
	wal_free(&w);
	free(m.bytes);
	image_begin(&m, 131072, 0);
	ok(scan(&w, &m) == WAL_NO_HEADER, "a page size of 128 KiB");
	wal_free(&w);
	free(m.bytes);
	image_begin(&m, 0, 0);
	ok(scan(&w, &m) == WAL_NO_HEADER, "a page size of 0");
	wal_free(&w);
	free(m.bytes);
}

/* Thousands of frames in any order, against an array. */
static void
test_many(void)
{
	struct image	m;
	struct wal	w;
	uint32_t	last[PAGES_MAX + 1], committed[PAGES_MAX + 1];
	uint32_t	i, pgno, n = 0;
	int		same = 1;

	memset(last, 0, sizeof(last));
	memset(committed, 0, sizeof(committed));
	image_begin(&m, 512, 0);
	for (i = 1; i <= 20000; i++) {
		pgno = 1 + arc4random_uniform(PAGES_MAX);
		image_add(&m, pgno, i % 50 == 0 ? PAGES_MAX : 0);
		last[pgno] = i;
		if (i % 50 == 0 && i <= 19900) {
			memcpy(committed, last, sizeof(last));
			n = i;
		}
	}
	/* The last commit is rotten. */
	frame_at(&m, 19950)[WAL_FRAME_BYTES + 100] ^= 1;
	ok(scan(&w, &m) == WAL_OK && w.frames == n && n == 19900,
	    "20000 frames: %u count", (unsigned)w.frames);
	for (pgno = 0; pgno <= PAGES_MAX; pgno++) {
		if (wal_find(&w, pgno) != committed[pgno])
			same = 0;
	}
	ok(same, "the newest committed frame of each page is found");
	ok(wal_find(&w, PAGES_MAX + 1) == 0 && wal_find(&w, UINT32_MAX) == 0,
	    "and none of others");
	wal_free(&w);
	ok(wal_find(&w, 1) == 0, "after wal_free nothing is");
	free(m.bytes);
}

/* ---- SQLite's own ---- */

static int
fd_read(void *arg, void *buf, size_t n, uint64_t off)
{
	return (pread(*(int *)arg, buf, n, (off_t)off) == (ssize_t)n ? 0 :
	    -1);
}

static void
sql(sqlite3 *db, const char *text)
{
	char	*e = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &e) != SQLITE_OK)
		fatalx("%s: %s", text, e);
}

/* Main file and log together must be what a checkpoint makes of them. */
static int
same_as_checkpoint(sqlite3 *db, struct wal *w, int main_fd)
{
	uint8_t		*before, *page;
	uint32_t	 pgno, frame;
	struct stat	 st;
	size_t		 size = w->page_size;
	int		 same = 1;

	before = xcalloc(w->pages, size);
	for (pgno = 1; pgno <= w->pages; pgno++) {
		page = before + (pgno - 1) * size;
		if ((frame = wal_find(w, pgno)) != 0)
			same &= wal_page(w, frame, page, size) == 0;
		else
			same &= pread(main_fd, page, size, (off_t)((pgno - 1) *
			    size)) == (ssize_t)size;
	}
	sql(db, "PRAGMA wal_checkpoint(PASSIVE)");
	page = xmalloc(size);
	for (pgno = 1; pgno <= w->pages; pgno++) {
		same &= pread(main_fd, page, size, (off_t)((pgno - 1) *
		    size)) == (ssize_t)size && memcmp(page, before +
		    (pgno - 1) * size, size) == 0;
	}
	same &= fstat(main_fd, &st) == 0 &&
	    (uint64_t)st.st_size == (uint64_t)w->pages * size;
	free(page);
	free(before);
	return (same);
}

static void
test_sqlite(void)
{
	char		 dir[] = "/tmp/wal_test.XXXXXX", path[64], log[80];
	sqlite3		*db;
	struct stat	 st;
	struct wal	 w;
	int		 fd, main_fd;

	if (mkdtemp(dir) == NULL)
		fatal("mkdtemp");
	snprintf(path, sizeof(path), "%s/a.db", dir);
	snprintf(log, sizeof(log), "%s-wal", path);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		fatalx("cannot open %s", path);
	sql(db, "PRAGMA page_size=2048; PRAGMA journal_mode=wal;"
	    "PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a, b)");
	sql(db, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1"
	    " FROM i WHERE n < 500) INSERT INTO t SELECT n, randomblob(900)"
	    " FROM i; PRAGMA wal_checkpoint(TRUNCATE)");
	sql(db, "UPDATE t SET b = randomblob(800) WHERE a % 3 = 0");
	sql(db, "INSERT INTO t SELECT a + 1000, b FROM t WHERE a % 5 = 0");
	/* Our own descriptors are closed after SQLite's: no lock is lost. */
	if ((fd = open(log, O_RDONLY)) == -1 ||
	    (main_fd = open(path, O_RDONLY)) == -1 || fstat(fd, &st) == -1)
		fatal("open");
	ok(wal_scan(&w, fd_read, &fd, (uint64_t)st.st_size) == WAL_OK &&
	    w.page_size == 2048 && w.frames == ((uint64_t)st.st_size -
	    WAL_HEADER_BYTES) / (2048 + WAL_FRAME_BYTES) && w.frames > 100,
	    "SQLite's log: all of its %u frames", (unsigned)w.frames);
	ok(same_as_checkpoint(db, &w, main_fd),
	    "laid over the file it is what a checkpoint makes");
	sql(db, "UPDATE t SET b = 1 WHERE a = 1");
	ok(wal_unchanged(&w) == 0, "a commit after that begins the log anew");
	wal_free(&w);
	sqlite3_close(db);
	close(fd);
	close(main_fd);
	if (unlink(path) == -1 || rmdir(dir) == -1)
		fatal("%s", dir);
}

/* ---- too many frames: made as they are read ---- */

static int
endless_read(void *arg, void *buf, size_t n, uint64_t off)
{
	struct image	*m = arg;
	uint8_t		*f = buf;
	size_t		 frame = WAL_FRAME_BYTES + m->page_size;

	if (off == 0)
		return (image_read(m, buf, n, off));
	for (; n >= frame; n -= frame, f += frame) {
		memset(f, 0, frame);
		put32(f, 1);
		put32(f + 4, 1);
		memcpy(f + 8, m->bytes + 16, 8);
		sum(m, f, 8);
		sum(m, f + WAL_FRAME_BYTES, m->page_size);
		put32(f + 16, m->a);
		put32(f + 20, m->b);
	}
	return (0);
}

static void
test_endless(void)
{
	struct image	m;
	struct wal	w;

	if (getenv("CHECK_LONG") == NULL)
		return;
	image_begin(&m, 512, 0);
	ok(wal_scan(&w, endless_read, &m, (uint64_t)1 << 40) ==
	    WAL_TOO_LARGE, "more frames than are mapped");
	wal_free(&w);
	free(m.bytes);
}

int
main(void)
{
	log_init("wal_test", 1, 0);
	test_shapes();
	test_chain();
	test_restart();
	test_cut();
	test_odd();
	test_many();
	test_sqlite();
	test_endless();
	return (tap_end());
}
