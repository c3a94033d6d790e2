/*
 * Small things that several programs need: memory that does not fail,
 * clocks, times as text, hexadecimal.
 */
#ifndef COMMON_UTIL_H
#define COMMON_UTIL_H

#include <stddef.h>
#include <stdint.h>

/* As malloc(3), calloc(3), strdup(3), asprintf(3); fatal without memory.
 * The caller frees the result. */
void	*xcalloc(size_t n, size_t size);
void	*xmalloc(size_t size);
void	*xreallocarray(void *p, size_t n, size_t size);
char	*xstrdup(const char *);
char	*xasprintf(const char *, ...)
	    __attribute__((__format__ (printf, 1, 2)));

uint64_t util_monotonic_us(void);	/* CLOCK_MONOTONIC, microseconds */
int64_t	 util_now_ms(void);		/* wall clock, ms since the epoch */

/*
 * RFC 3339 in UTC with milliseconds, "2026-11-22T21:30:00.000Z".
 * dst must have TIME_TEXT_BYTES.  A time of 0 gives "".
 */
#define TIME_TEXT_BYTES	32
void	util_time_text(char *dst, int64_t ms);

/* "20261122T213000Z", for file names; dst has TIME_TEXT_BYTES. */
void	util_time_compact(char *dst, int64_t ms);

/*
 * Reads an RFC 3339 time ("2026-11-22T21:30:00.123+01:00").
 * Returns 0 and *ms, or -1 when text is not one.
 */
int	util_time_parse(const char *text, int64_t *ms);

/* dst must have 2 * n + 1 bytes. */
void	util_hex(char *dst, const uint8_t *src, size_t n);

/* Copies src to the array dst; 0, or -1 when it did not fit (dst then
 * holds what did). */
#define util_copy(dst, src)	\
	(strlcpy((dst), (src), sizeof(dst)) >= sizeof(dst) ? -1 : 0)

/* 1 when text is valid UTF-8 (RFC 3629: no surrogates, no overlong form). */
int	util_utf8_valid(const char *text, size_t n);

/* "1.5 GB" and the like, decimal units; dst has 16 bytes. */
void	util_size_text(char dst[16], uint64_t bytes);

#endif
