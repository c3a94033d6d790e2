/*
 * The parts of SQLite's file formats that we read ourselves: "Database
 * File Format" (sqlite.org/fileformat2.html), sections 1.3 (header), 3
 * (rollback journal), 4 (WAL), and "WAL-mode File Format" (walformat.html)
 * section 2.1 (wal-index header).
 */
#ifndef PROTO_SQLITE_FORMAT_H
#define PROTO_SQLITE_FORMAT_H

#include <stdint.h>
#include <string.h>

#define SQLITE_MAGIC		"SQLite format 3"	/* with its NUL */
#define SQLITE_HEADER_BYTES	100
#define SQLITE_PAGE_SIZE_AT	16	/* 2 bytes; 1 means 65536 */
#define SQLITE_WRITE_VERSION_AT	18	/* 1 rollback journal, 2 WAL */
#define SQLITE_READ_VERSION_AT	19
#define SQLITE_RESERVED_AT	20	/* bytes at the end of each page */
#define SQLITE_CHANGE_COUNTER_AT 24
#define SQLITE_PAGE_COUNT_AT	28
#define SQLITE_FREE_TRUNK_AT	32	/* the first page of the free list */
#define SQLITE_FREE_COUNT_AT	36	/* pages of it */
#define SQLITE_SCHEMA_COOKIE_AT	40
#define SQLITE_AUTO_VACUUM_AT	52	/* 0: none */
#define SQLITE_ENCODING_AT	56
#define SQLITE_USER_VERSION_AT	60
#define SQLITE_INCR_VACUUM_AT	64	/* 0: none in steps */
#define SQLITE_APPLICATION_ID_AT 68
#define SQLITE_VALID_FOR_AT	92	/* change counter of the page count */

#define SQLITE_LOCK_PAGE_AT	0x40000000	/* that page is never used */
#define SQLITE_PENDING_BYTE	0x40000000
#define SQLITE_RESERVED_BYTE	0x40000001
#define SQLITE_SHARED_FIRST	0x40000002
#define SQLITE_SHARED_BYTES	510

#define WAL_HEADER_BYTES	32
#define WAL_FRAME_BYTES		24	/* the header of a frame */
#define WAL_FRAME_COMMIT_AT	4	/* not 0: the last of a transaction */
#define WAL_MAGIC_LE		0x377f0682	/* little-endian checksums */
#define WAL_MAGIC_BE		0x377f0683

#define WALINDEX_MX_FRAME_AT	16	/* native byte order */
#define WALINDEX_PAGES_AT	20
#define WALINDEX_HEADER_BYTES	48	/* twice, then the marks */
#define WALINDEX_REGION_BYTES	32768

#define SHM_LOCK_DMS		128	/* held by every connection */

static inline uint32_t
sqlite_get32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3]);
}

/* The page size of a database header, or 0 when there can be none. */
static inline uint32_t
sqlite_page_size(const uint8_t *header)
{
	uint32_t	n;

	n = (uint32_t)header[SQLITE_PAGE_SIZE_AT] << 8 |
	    (uint32_t)header[SQLITE_PAGE_SIZE_AT + 1];
	if (n == 1)
		return (65536);
	return (n >= 512 && (n & (n - 1)) == 0 ? n : 0);
}

static inline int
sqlite_is_header(const uint8_t *header)
{
	return (memcmp(header, SQLITE_MAGIC, sizeof(SQLITE_MAGIC)) == 0 &&
	    sqlite_page_size(header) != 0);
}

static inline const char *
sqlite_encoding_name(uint32_t encoding)
{
	switch (encoding) {
	case 2:
		return ("UTF-16le");
	case 3:
		return ("UTF-16be");
	default:
		return ("UTF-8");
	}
}

#endif
