/*
 * Damages a database in one of the ways that a stranger would try, chosen
 * by a seed: mutate FROM TO SEED.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "proto/sqlite_format.h"

#define BYTES_MAX	(16 * 1024 * 1024)
#define FREELIST_AT	32

static uint8_t	*db;
static size_t	 size, page;
static uint64_t	 state;

static uint32_t
chance(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return ((uint32_t)(state >> 33) % n);
}

static uint32_t
pages(void)
{
	return (size < page ? 1 : (uint32_t)(size / page));
}

static void
put32(size_t at, uint32_t v)
{
	size_t	i;

	for (i = 0; i < 4 && at + i < size; i++)
		db[at + i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t
odd_number(void)
{
	static const uint32_t	odd[] = { 0, 1, 2, 0x7fffffff, 0x80000000,
				    0xffffffff, 0x40000000 };

	return (chance(2) ? odd[chance(nitems(odd))] : chance(64));
}

static void
bytes(size_t from, size_t n, int times)
{
	while (times-- > 0 && n > 0)
		db[from + chance((uint32_t)n)] = (uint8_t)chance(256);
}

static void
in_header(void)
{
	bytes(16, 84, 1 + (int)chance(4));
}

static void
in_sizes(void)
{
	put32(SQLITE_PAGE_COUNT_AT, odd_number());
	if (chance(2))
		memcpy(db + SQLITE_VALID_FOR_AT,
		    db + SQLITE_CHANGE_COUNTER_AT, 4);
}

static void
in_freelist(void)
{
	put32(FREELIST_AT, chance(2) ? 1 + chance(8) : odd_number());
	put32(FREELIST_AT + 4, odd_number());
}

/* The header of a b-tree page, and its pointers to cells. */
static void
in_btree(void)
{
	size_t	n = chance(pages());

	bytes(n * page + (n == 0 ? 100 : 0), 40, 1 + (int)chance(6));
}

/* Right children and overflow pages name any page, in circles too. */
static void
in_pointers(void)
{
	int	i;

	for (i = 0; i < 4; i++) {
		size_t	n = chance(pages());

		put32(n * page + (n == 0 ? 108 : 8),
		    chance(2) ? chance(pages()) + 1 :
		    odd_number());
		put32((n + 1) * page - 4 - chance(64), odd_number());
	}
}

static void
in_schema(void)
{
	static const char *const	words[] = { "CREATE ", "TABLE",
	    "VIRTUAL", "TRIGGER", "((((((", "''", "\0\0\0", "load_extension(",
	    "AS (", "\xff\xfe", "PRAGMA", "-- " };
	const char	*w = words[chance(nitems(words))];
	size_t		 n = strlen(w), first = page < size ? page : size;

	if (first > 200 + n)
		memcpy(db + 108 + chance((uint32_t)(first - 108 - n)), w, n);
}

static void
anywhere(void)
{
	bytes(100, size - 100, 1 + (int)chance(64));
}

static void
cut(void)
{
	size = 100 + chance((uint32_t)(size - 100));
}

static void
page_over_page(void)
{
	memmove(db + chance(pages()) * page,
	    db + chance(pages()) * page, page);
}

static void	(*const ways[])(void) = { in_header, in_sizes, in_freelist,
	    in_btree, in_btree, in_pointers, in_schema, in_schema, anywhere,
	    cut, page_over_page };

int
main(int argc, char *argv[])
{
	ssize_t	n;
	int	fd, i;

	log_init("mutate", 1, 0);
	if (argc != 4)
		fatalx("usage: mutate FROM TO SEED");
	db = xcalloc(1, BYTES_MAX);
	if ((fd = open(argv[1], O_RDONLY)) == -1 ||
	    (n = read(fd, db, BYTES_MAX)) < 512)
		fatal("%s", argv[1]);
	close(fd);
	size = (size_t)n;
	page = sqlite_page_size(db);
	if (page == 0)
		fatalx("%s is no database", argv[1]);
	state = strtoull(argv[3], NULL, 10) * 7919 + 1;
	for (i = 0; i < 8; i++)
		(void)chance(2);
	for (i = 1 + (int)chance(3); i > 0; i--)
		ways[chance(nitems(ways))]();
	if ((fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644)) == -1 ||
	    write(fd, db, size) != (ssize_t)size || close(fd) == -1)
		fatal("%s", argv[2]);
	free(db);
	return (0);
}
