/*
 * mkdb's kind "big": a valid database of many gigabytes that takes next to
 * no disk.  Nearly all of its pages are on the free list, whose leaves
 * SQLite never reads, so they can be holes; only the trunk pages, one of a
 * thousand, are written.  The last trunk in the file is the first on the
 * list, so the rows that are added afterwards lie at the file's end, far
 * beyond the lock page at 1 GiB.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "regress/tools/mkdb.h"
#include "regress/tools/tool.h"

#define LOCK_BYTE		0x40000000	/* its page is never used */
#define HEADER_PAGES		28		/* offsets in the header */
#define HEADER_TRUNK		32
#define HEADER_FREE		36
#define GIB			1073741824.0

struct freelist {
	int		 fd;
	uint32_t	 page_size;
	uint32_t	 lock_page;
	uint32_t	 first;		/* trunk: head of the list */
	uint32_t	 pages;		/* on it */
};

/* Puts the free pages from first on, as many as a trunk holds and below
 * end, on the list's front; returns the page behind them. */
static uint32_t
freelist_add(struct freelist *f, uint32_t first, uint32_t end)
{
	uint8_t		*trunk;
	uint32_t	 page, n = 0, most;

	/* SQLite leaves the last six entries of a trunk alone. */
	most = f->page_size / 4 - 8;
	trunk = xcalloc(1, f->page_size);
	if (first == f->lock_page)
		first++;
	for (page = first + 1; page < end && n < most; page++)
		if (page != f->lock_page)
			tool_put32(trunk + 8 + 4 * n++, page);
	tool_put32(trunk, f->first);
	tool_put32(trunk + 4, n);
	tool_pwrite(f->fd, trunk, f->page_size,
	    (off_t)(first - 1) * f->page_size);
	free(trunk);
	f->first = first;
	f->pages += n + 1;
	return (page);
}

static void
grow(const char *file, double gib)
{
	struct freelist	f = { .first = 0 };
	uint8_t		header[100];
	double		want;
	uint32_t	page, end;

	f.fd = tool_open_file(file, O_RDWR);
	tool_pread(f.fd, header, sizeof(header), 0);
	f.page_size = (uint32_t)header[16] << 8 | header[17];
	if (f.page_size == 1)
		f.page_size = 65536;
	f.lock_page = LOCK_BYTE / f.page_size + 1;
	page = tool_get32(header + HEADER_PAGES) + 1;
	want = gib * GIB / f.page_size + 2;
	if (want > UINT32_MAX - 2 || want < page)
		fatalx("%g GiB is no size for pages of %u", gib, f.page_size);
	end = want;
	/* The last page of a file is not the lock page. */
	if (end - 1 == f.lock_page)
		end++;
	if (ftruncate(f.fd, (off_t)(end - 1) * f.page_size) == -1)
		fatal("%s", file);
	while (page < end)
		page = freelist_add(&f, page, end);
	tool_put32(header + HEADER_PAGES, end - 1);
	tool_put32(header + HEADER_TRUNK, f.first);
	tool_put32(header + HEADER_FREE, f.pages);
	tool_pwrite(f.fd, header, sizeof(header), 0);
	if (close(f.fd) == -1)
		fatal("%s", file);
}

void
mkdb_big(int argc, char **argv)
{
	sqlite3	*db;
	double	 gib;
	char	*end;
	int	 i, wal = 0, page_size = 4096;

	gib = strtod(argv[1], &end);
	if (end == argv[1] || *end != '\0' || !(gib > 0))
		fatalx("%s is no size in GiB", argv[1]);
	for (i = 2; i < argc; i++) {
		if (strcmp(argv[i], "wal") == 0)
			wal = 1;
		else
			page_size = tool_number(argv[i], 512, 65536);
	}
	if (access(argv[0], F_OK) == 0)
		fatalx("%s is there already", argv[0]);
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	tool_exec(db, "PRAGMA page_size=%d; CREATE TABLE t(id INTEGER"
	    " PRIMARY KEY, v TEXT, pad BLOB); INSERT INTO t VALUES"
	    "(1, 'first', randomblob(100000))", page_size);
	tool_close(db);
	grow(argv[0], gib);
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	if (wal)
		tool_exec(db, "PRAGMA journal_mode=wal");
	tool_exec(db, "INSERT INTO t VALUES(2, 'last', randomblob(3000000))");
	tool_close(db);
}
