/*
 * How a catalog is opened or made.  Run by the engine at start.  Must not
 * change a file that is not a catalog of ours, is newer, or is damaged,
 * and deletes nothing.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

#define HEADER_BYTES		100
#define APPLICATION_ID_AT	68
#define CHECK_US		1000000	/* for how long at most */
#define CHECK_STEPS		10000	/* of SQLite's, between two looks */

static int
aside(char *err, const char *path, const char *what)
{
	snprintf(err, TEXT_BYTES, "%.200s %.120s: move it aside (with its "
	    "-wal, if there is one) and start again; the backups will be "
	    "adopted into a new catalog", path, what);
	return (-1);
}

static int
failed(char *err, const char *path, sqlite3 *db)
{
	int	rc;

	rc = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db);
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return (aside(err, path, "is damaged"));
	if (rc == SQLITE_BUSY)
		snprintf(err, TEXT_BYTES, "the catalog %.200s is locked by "
		    "another program: end that program and start again",
		    path);
	else
		snprintf(err, TEXT_BYTES, "cannot open the catalog %.200s: "
		    "%.160s", path,
		    db == NULL ? "no memory" : sqlite3_errmsg(db));
	return (-1);
}

/* The one integer or text that a pragma gives; 0, or -1 (errcode). */
static int
pragma(sqlite3 *db, const char *sql, char *text, size_t size)
{
	sqlite3_stmt	*st;
	const char	*p;
	int		 rc;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return (-1);
	rc = sqlite3_step(st);
	p = NULL;
	if (rc == SQLITE_ROW)
		p = (const char *)sqlite3_column_text(st, 0);
	strlcpy(text, p == NULL ? "" : p, size);
	return (sqlite3_finalize(st) == SQLITE_OK && p != NULL ? 0 : -1);
}

static sqlite3 *
connect(const char *path, char *err)
{
	sqlite3	*db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK) {
		(void)failed(err, path, db);
		(void)sqlite3_close(db);
		return (NULL);
	}
	if (sqlite3_busy_timeout(db, CATALOG_BUSY_MS) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL) != SQLITE_OK) {
		(void)failed(err, path, db);
		(void)sqlite3_close(db);
		return (NULL);
	}
	return (db);
}

/* Makes the name of a file in the same directory survive. */
static int
sync_directory(const char *path, char *err)
{
	char	*dir, *slash;
	int	 fd, rc;

	dir = xstrdup(path);
	if ((slash = strrchr(dir, '/')) == NULL)
		strlcpy(dir, ".", strlen(dir) + 1);
	else
		slash[slash == dir ? 1 : 0] = '\0';
	rc = -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		rc = fsync(fd);
	if (rc == -1)
		snprintf(err, TEXT_BYTES, "cannot sync %.300s: %s", dir,
		    strerror(errno));
	if (fd != -1)
		close(fd);
	free(dir);
	return (rc);
}

/*
 * What an earlier catalog left must not be replayed into a new one; it
 * may be worth something to a person, so it is not deleted.
 */
static int
move_leftover(const char *path, const char *suffix, char *err)
{
	struct stat	 sb;
	char		*from, *to;
	int		 rc;

	from = xasprintf("%s%s", path, suffix);
	to = xasprintf("%s.lost-%" PRId64, from, util_now_ms());
	rc = 0;
	if (lstat(from, &sb) == 0) {
		if ((rc = rename(from, to)) == 0)
			log_warnx("%s belongs to a catalog that is gone: "
			    "renamed to %s", from, to);
	} else if (errno != ENOENT)
		rc = -1;
	if (rc == -1)
		snprintf(err, TEXT_BYTES, "cannot move %.300s aside: %s",
		    from, strerror(errno));
	free(from);
	free(to);
	return (rc);
}

/* An empty file for SQLite to fill: it would make one that others read. */
static int
make_file(const char *path, char *err)
{
	int	fd;

	if (unlink(path) == -1 && errno != ENOENT)
		goto bad;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		goto bad;
	close(fd);
	return (0);
bad:
	snprintf(err, TEXT_BYTES, "cannot make the catalog %.300s: %s", path,
	    strerror(errno));
	return (-1);
}

static int
fill(const char *path, char *err)
{
	sqlite3	*db;
	char	*sql;
	int	 rc;

	if ((db = connect(path, err)) == NULL)
		return (-1);
	sql = xasprintf("PRAGMA synchronous = FULL;"
	    "PRAGMA application_id = %d;", CATALOG_APPLICATION_ID);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	free(sql);
	if (rc != SQLITE_OK)
		rc = failed(err, path, db);
	else if (catalog_schema_migrate(db, 0) != SQLITE_OK)
		rc = failed(err, path, db);
	if (sqlite3_close(db) != SQLITE_OK && rc == 0)
		rc = failed(err, path, db);
	return (rc);
}

/*
 * A new catalog is complete before it gets its name: whatever has the
 * name and is not empty can be judged by its header alone.
 */
static int
create(const char *path, char *err)
{
	char	*new, *journal;
	int	 rc;

	new = xasprintf("%s.new", path);
	journal = xasprintf("%s-journal", new);
	rc = -1;
	if (unlink(journal) == -1 && errno != ENOENT)
		snprintf(err, TEXT_BYTES, "cannot remove %.300s: %s",
		    journal, strerror(errno));
	else if (move_leftover(path, "-wal", err) == 0 &&
	    move_leftover(path, "-journal", err) == 0 &&
	    make_file(new, err) == 0 && fill(new, err) == 0) {
		if (rename(new, path) == -1)
			snprintf(err, TEXT_BYTES, "cannot rename %.300s: %s",
			    new, strerror(errno));
		else
			rc = sync_directory(path, err);
	}
	free(new);
	free(journal);
	return (rc);
}

/*
 * Judges the file before SQLite may touch it.  The descriptor is closed
 * before SQLite takes any lock, which closing would drop (H20).
 * 1 a catalog of ours by its header, 0 nothing is there, -1 anything else.
 */
static int
judge(const char *path, char *err)
{
	uint8_t		h[HEADER_BYTES];
	struct stat	sb;
	ssize_t		n;
	uint32_t	id;
	int		fd;

	if (lstat(path, &sb) == -1) {
		if (errno == ENOENT)
			return (0);
		snprintf(err, TEXT_BYTES, "cannot look at the catalog "
		    "%.300s: %s", path, strerror(errno));
		return (-1);
	}
	if (!S_ISREG(sb.st_mode))
		return (aside(err, path, "is not a regular file"));
	if ((sb.st_uid != 0 && sb.st_uid != geteuid()) ||
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(err, TEXT_BYTES, "the catalog %.300s can be written "
		    "by others than its daemon: check what is in it, then "
		    "chown it to the daemon's user and chmod 600 it", path);
		return (-1);
	}
	if (sb.st_size == 0)
		return (0);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = -1;
	if (fd != -1)
		n = pread(fd, h, sizeof(h), 0);
	if (n == -1)
		snprintf(err, TEXT_BYTES, "cannot read the catalog %.300s: "
		    "%s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	if (n == -1)
		return (-1);
	if (n < HEADER_BYTES || memcmp(h, "SQLite format 3", 16) != 0)
		return (aside(err, path, "is damaged, or not a database"));
	id = (uint32_t)h[APPLICATION_ID_AT] << 24 |
	    (uint32_t)h[APPLICATION_ID_AT + 1] << 16 |
	    (uint32_t)h[APPLICATION_ID_AT + 2] << 8 | h[APPLICATION_ID_AT + 3];
	if (id != CATALOG_APPLICATION_ID)
		return (aside(err, path,
		    "is a database, but not a catalog of cloudbackupd"));
	return (1);
}

static int
check_is_late(void *until_us)
{
	return (util_monotonic_us() > *(uint64_t *)until_us);
}

/* A small catalog is looked at as a whole; a large one must not keep the
 * backups waiting.  "ok" or what is wrong in text; 0, or -1 (errcode). */
static int
check(sqlite3 *db, const char *path, char *text, size_t size)
{
	uint64_t	until_us = util_monotonic_us() + CHECK_US;
	int		rc;

	sqlite3_progress_handler(db, CHECK_STEPS, check_is_late, &until_us);
	rc = pragma(db, "PRAGMA quick_check(1)", text, size);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	if (rc == 0 || sqlite3_errcode(db) != SQLITE_INTERRUPT)
		return (rc);
	log_info("the catalog %s is large: only as much of it as takes a "
	    "second was checked", path);
	strlcpy(text, "ok", size);
	return (0);
}

/* Version and soundness; changes nothing.  The version, or -1. */
static int
examine(sqlite3 *db, const char *path, char *err)
{
	char		 text[240], why[120], *line;
	const char	*end;
	int		 version;

	/* Until it is accepted, closing must not checkpoint. */
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL) != SQLITE_OK ||
	    pragma(db, "PRAGMA user_version", text, sizeof(text)) == -1)
		return (failed(err, path, db));
	version = (int)strtonum(text, 0, INT32_MAX, &end);
	if (end == NULL && version > catalog_schema_version()) {
		snprintf(err, TEXT_BYTES, "the catalog %.200s has version "
		    "%d, and this program knows versions up to %d: install "
		    "the newer program again", path, version,
		    catalog_schema_version());
		return (-1);
	}
	if (end != NULL || version < 1)
		return (aside(err, path, "is damaged (no version)"));
	if (check(db, path, text, sizeof(text)) == -1)
		return (failed(err, path, db));
	if (strcmp(text, "ok") != 0) {
		/* The first line only says which database it looked at. */
		line = strchr(text, '\n') == NULL ? text :
		    strchr(text, '\n') + 1;
		line[strcspn(line, "\n")] = '\0';
		snprintf(why, sizeof(why), "is damaged (%.100s)", line);
		return (aside(err, path, why));
	}
	return (version);
}

/* The mode is written to the file: at last, so that a catalog that cannot
 * be brought to today's schema is left as it was. */
static int
configure(sqlite3 *db, const char *path, int version, char *err)
{
	char	text[16];

	if (sqlite3_exec(db, "PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON;", NULL, NULL, NULL) != SQLITE_OK ||
	    catalog_schema_migrate(db, version) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
	    NULL) != SQLITE_OK ||
	    pragma(db, "PRAGMA journal_mode = WAL", text,
	    sizeof(text)) == -1)
		return (failed(err, path, db));
	if (strcmp(text, "wal") != 0) {
		snprintf(err, TEXT_BYTES, "the catalog %.300s can't be used "
		    "in WAL mode on its file system", path);
		return (-1);
	}
	return (0);
}

sqlite3 *
catalog_open_database(const char *path, char *err)
{
	sqlite3	*db;
	int	 rc, version;

	if ((rc = judge(path, err)) == -1)
		return (NULL);
	if (rc == 0 && create(path, err) == -1)
		return (NULL);
	if ((db = connect(path, err)) == NULL)
		return (NULL);
	if ((version = examine(db, path, err)) == -1 ||
	    configure(db, path, version, err) == -1) {
		(void)sqlite3_close(db);
		return (NULL);
	}
	return (db);
}
