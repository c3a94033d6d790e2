/*
 * What the tools share.  They are for tests, so whatever fails ends them
 * with a sentence and status 1.
 */
#ifndef REGRESS_TOOLS_TOOL_H
#define REGRESS_TOOLS_TOOL_H

#include <sys/types.h>

#include <stdint.h>

#include <sqlite3.h>

/* sqlite3_open_v2 with these flags; the caller closes with tool_close. */
sqlite3	*tool_open(const char *path, int flags);
void	 tool_close(sqlite3 *);

/* Runs statements; the format is sqlite3_mprintf's (%Q, %w). */
void	tool_exec(sqlite3 *, const char *, ...);

/* As above, and gives the first column of the first row (0 without one). */
int64_t	tool_int(sqlite3 *, const char *, ...);
/* A text, to be freed with sqlite3_free; fatal without a row. */
char	*tool_text(sqlite3 *, const char *, ...);

sqlite3_stmt *tool_prepare(sqlite3 *, const char *);

/* Fatal: what, and SQLite's message. */
void	tool_fail(sqlite3 *, const char *what)
	    __attribute__((__noreturn__));

/* Fatal unless all of it is read or written. */
void	tool_pread(int fd, void *, size_t, off_t);
void	tool_pwrite(int fd, const void *, size_t, off_t);
int	tool_open_file(const char *path, int flags);

/* A number from the command line, or fatal. */
int64_t	tool_number(const char *text, int64_t least, int64_t most);

/* Big-endian, as SQLite's files have it. */
uint32_t tool_get32(const uint8_t *);
void	 tool_put32(uint8_t *, uint32_t);

#endif
