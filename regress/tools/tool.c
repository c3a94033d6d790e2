/*
 * Shared by the tools of this folder: SQLite and files with every failure
 * fatal.  Owns nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "regress/tools/tool.h"

void
tool_fail(sqlite3 *db, const char *what)
{
	fatalx("%s: %s", what, sqlite3_errmsg(db));
}

sqlite3 *
tool_open(const char *path, int flags)
{
	sqlite3	*db;

	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
		tool_fail(db, path);
	return (db);
}

void
tool_close(sqlite3 *db)
{
	if (sqlite3_close(db) != SQLITE_OK)
		tool_fail(db, "close");
}

static char *
tool_sql(const char *fmt, va_list ap)
{
	char	*sql;

	sql = sqlite3_vmprintf(fmt, ap);
	if (sql == NULL)
		fatalx("no memory");
	return (sql);
}

void
tool_exec(sqlite3 *db, const char *fmt, ...)
{
	va_list	 ap;
	char	*sql;

	va_start(ap, fmt);
	sql = tool_sql(fmt, ap);
	va_end(ap);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		tool_fail(db, sql);
	sqlite3_free(sql);
}

sqlite3_stmt *
tool_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt	*stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		tool_fail(db, sql);
	return (stmt);
}

int64_t
tool_int(sqlite3 *db, const char *fmt, ...)
{
	sqlite3_stmt	*stmt;
	va_list		 ap;
	int64_t		 n = 0;
	char		*sql;
	int		 rc;

	va_start(ap, fmt);
	sql = tool_sql(fmt, ap);
	va_end(ap);
	stmt = tool_prepare(db, sql);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	else if (rc != SQLITE_DONE)
		tool_fail(db, sql);
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return (n);
}

char *
tool_text(sqlite3 *db, const char *fmt, ...)
{
	sqlite3_stmt	*stmt;
	va_list		 ap;
	char		*sql, *text;

	va_start(ap, fmt);
	sql = tool_sql(fmt, ap);
	va_end(ap);
	stmt = tool_prepare(db, sql);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		tool_fail(db, sql);
	text = sqlite3_mprintf("%s", sqlite3_column_text(stmt, 0));
	if (text == NULL)
		fatalx("no memory");
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return (text);
}

int
tool_open_file(const char *path, int flags)
{
	int	fd;

	fd = open(path, flags | O_CLOEXEC, 0644);
	if (fd == -1)
		fatal("%s", path);
	return (fd);
}

void
tool_pread(int fd, void *dst, size_t size, off_t at)
{
	ssize_t	n;

	n = pread(fd, dst, size, at);
	if (n == -1)
		fatal("read");
	if ((size_t)n != size)
		fatalx("read: the file ends before offset %lld",
		    (long long)(at + size));
}

void
tool_pwrite(int fd, const void *src, size_t size, off_t at)
{
	ssize_t	n;

	n = pwrite(fd, src, size, at);
	if (n == -1)
		fatal("write");
	if ((size_t)n != size)
		fatalx("write: the disk took %zd of %zu bytes", n, size);
}

int64_t
tool_number(const char *text, int64_t least, int64_t most)
{
	const char	*error;
	int64_t		 n;

	n = strtonum(text, least, most, &error);
	if (error != NULL)
		fatalx("%s is %s", text, error);
	return (n);
}

uint32_t
tool_get32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]);
}

void
tool_put32(uint8_t *p, uint32_t n)
{
	p[0] = n >> 24;
	p[1] = n >> 16;
	p[2] = n >> 8;
	p[3] = n;
}
