/*
 * SQLite over descriptors that can't be opened again (H15): the file has no
 * name any more, or belongs to somebody else.
 */
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/vfs_fd.h"
#include "regress/unit/unit.h"

#define NOBODY	65534

/* A file without a name, or with one that is to be unlinked. */
static int
file_new(void)
{
	char	path[] = "/tmp/vfs_fd_test.XXXXXX";
	int	fd;

	if ((fd = mkstemp(path)) == -1 || unlink(path) == -1)
		fatal("%s", path);
	return (fd);
}

static int
sql(sqlite3 *db, const char *text)
{
	return (sqlite3_exec(db, text, NULL, NULL, NULL));
}

static int64_t
number(sqlite3 *db, const char *text)
{
	sqlite3_stmt	*s;
	int64_t		 n = -1;

	if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK)
		return (-1);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return (n);
}

static int
is_sound(sqlite3 *db)
{
	sqlite3_stmt	*s;
	int		 sound;

	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s,
	    NULL) != SQLITE_OK)
		return (0);
	sound = sqlite3_step(s) == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
	sqlite3_finalize(s);
	return (sound);
}

static sqlite3_file *
handle(sqlite3 *db)
{
	sqlite3_file	*f = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER,
	    &f) != SQLITE_OK || f == NULL)
		fatalx("no file handle");
	return (f);
}

#define ROWS	"WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1" \
		" FROM i WHERE n < 3000) "

/* 3000 rows into fd, by the VFS. */
static void
fill(int fd)
{
	sqlite3	*db;

	if (vfs_fd_open(fd, 1, &db) != SQLITE_OK ||
	    sql(db, "PRAGMA journal_mode=off; PRAGMA page_size=1024;"
	    "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
	    "CREATE INDEX t_b ON t(b)") != SQLITE_OK ||
	    sql(db, ROWS "INSERT INTO t SELECT n, randomblob(200) FROM i") !=
	    SQLITE_OK)
		fatalx("fill: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
test_write_and_read(void)
{
	sqlite3		*db;
	struct stat	 st;
	uint64_t	 before;
	int		 fd = file_new();

	fill(fd);
	ok(fstat(fd, &st) == 0 && st.st_size > 600000 &&
	    st.st_size % 1024 == 0 && st.st_nlink == 0,
	    "a file without a name is written");
	before = vfs_fd_bytes_read();
	ok(vfs_fd_open(fd, 0, &db) == SQLITE_OK && is_sound(db) &&
	    number(db, "SELECT count(*) FROM t") == 3000,
	    "and read again");
	ok(vfs_fd_bytes_read() - before >= 600000,
	    "what is read is counted: %ju",
	    (uintmax_t)(vfs_fd_bytes_read() - before));
	ok(sql(db, "DELETE FROM t") == SQLITE_READONLY,
	    "a database opened for reading is not written to");
	ok(sqlite3_close(db) == SQLITE_OK && fcntl(fd, F_GETFD) != -1,
	    "the descriptor stays the caller's");
	ok(lseek(fd, 0, SEEK_CUR) == 0, "its offset was never moved");

	if (vfs_fd_open(fd, 1, &db) != SQLITE_OK ||
	    sql(db, "PRAGMA journal_mode=off; DELETE FROM t WHERE a > 100;"
	    "VACUUM") != SQLITE_OK)
		printf("# %s\n", sqlite3_errmsg(db));
	ok(number(db, "SELECT count(*) FROM t") == 100 && is_sound(db) &&
	    fstat(fd, &st) == 0 && st.st_size < 100000,
	    "VACUUM makes it shorter: %jd bytes", (intmax_t)st.st_size);
	sqlite3_close(db);
	close(fd);
}

static void
test_two(void)
{
	sqlite3	*a = NULL, *b = NULL;
	int	 one = file_new(), two = file_new();

	fill(one);
	fill(two);
	ok(vfs_fd_open(one, 1, &a) == SQLITE_OK &&
	    vfs_fd_open(two, 0, &b) == SQLITE_OK &&
	    sql(a, "PRAGMA journal_mode=off; DELETE FROM t") == SQLITE_OK &&
	    number(a, "SELECT count(*) FROM t") == 0 &&
	    number(b, "SELECT count(*) FROM t") == 3000,
	    "two descriptors are two databases");
	sqlite3_close(a);
	sqlite3_close(b);
	close(one);
	close(two);
}

static void
test_backup(void)
{
	sqlite3		*from, *to;
	sqlite3_backup	*b;
	int		 fd = file_new(), rc = SQLITE_ERROR;

	/* What stood there before is longer than what comes. */
	if (ftruncate(fd, 5000000) == -1 || ftruncate(fd, 0) == -1)
		fatal("ftruncate");
	if (sqlite3_open(":memory:", &from) != SQLITE_OK || sql(from,
	    "PRAGMA page_size=8192; CREATE TABLE t(a, b);"
	    ROWS "INSERT INTO t SELECT n, randomblob(300) FROM i") !=
	    SQLITE_OK)
		fatalx("%s", sqlite3_errmsg(from));
	if (vfs_fd_open(fd, 1, &to) != SQLITE_OK || sql(to,
	    "PRAGMA journal_mode=off") != SQLITE_OK)
		fatalx("%s", sqlite3_errmsg(to));
	if ((b = sqlite3_backup_init(to, "main", from, "main")) != NULL) {
		while ((rc = sqlite3_backup_step(b, 10)) == SQLITE_OK)
			;
		sqlite3_backup_finish(b);
	}
	ok(rc == SQLITE_DONE && number(to, "SELECT count(*) FROM t") == 3000 &&
	    number(to, "PRAGMA page_size") == 8192 && is_sound(to),
	    "SQLite's backup into it");
	sqlite3_close(to);
	sqlite3_close(from);
	close(fd);
}

/* A file of ours that is 0600, used by somebody who could not open it. */
static void
test_foreign(void)
{
	char	 path[32];
	sqlite3	*db;
	pid_t	 pid;
	int	 fd = file_new(), status;

	fill(fd);
	if (geteuid() != 0) {
		printf("# not root: nobody else to be\n");
		close(fd);
		return;
	}
	if ((pid = fork()) == -1)
		fatal("fork");
	if (pid == 0) {
		if (setgroups(0, NULL) == -1 || setgid(NOBODY) == -1 ||
		    setuid(NOBODY) == -1)
			_exit(2);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (open(path, O_RDONLY) != -1 || errno != EACCES)
			_exit(3);
		_exit(vfs_fd_open(fd, 0, &db) != SQLITE_OK ||
		    !is_sound(db) ||
		    number(db, "SELECT count(*) FROM t") != 3000);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0,
	    "who may not open the file again reads it all the same");
	close(fd);
}

static void
test_wal_header(void)
{
	static const uint8_t	wal[2] = { 2, 2 };
	uint8_t			got[4];
	sqlite3			*db;
	sqlite3_file		*f;
	int			 fd = file_new();

	fill(fd);
	if (pwrite(fd, wal, 2, 18) != 2)
		fatal("pwrite");
	ok(vfs_fd_open(fd, 0, &db) == SQLITE_OK && is_sound(db) &&
	    number(db, "SELECT count(*) FROM t") == 3000,
	    "a header that says WAL asks for no WAL");
	f = handle(db);
	ok(f->pMethods->xRead(f, got, 1, 19) == SQLITE_OK && got[0] == 1 &&
	    f->pMethods->xRead(f, got, 2, 17) == SQLITE_OK && got[1] == 1 &&
	    f->pMethods->xRead(f, got, 4, 16) == SQLITE_OK && got[2] == 1 &&
	    got[3] == 1, "in whatever pieces it is read");
	sqlite3_close(db);
	ok(pread(fd, got, 2, 18) == 2 && got[0] == 2 && got[1] == 2,
	    "the file itself is not changed");
	close(fd);
}

static void
test_short(void)
{
	sqlite3		*db;
	sqlite3_file	*f;
	uint8_t		 got[64];
	struct stat	 st;
	size_t		 i;
	int		 fd = file_new(), zero = 1, cut, n;

	fill(fd);
	if (fstat(fd, &st) == -1 || vfs_fd_open(fd, 0, &db) != SQLITE_OK)
		fatal("open");
	f = handle(db);
	memset(got, 0xff, sizeof(got));
	ok(f->pMethods->xRead(f, got, sizeof(got), st.st_size - 10) ==
	    SQLITE_IOERR_SHORT_READ, "a read across the end is short");
	for (i = 10; i < sizeof(got); i++)
		zero &= got[i] == 0;
	ok(zero, "and the rest is zeros, as SQLite wants it");
	ok(f->pMethods->xRead(f, got, sizeof(got), st.st_size + 4096) ==
	    SQLITE_IOERR_SHORT_READ && got[0] == 0, "beyond the end as well");
	sqlite3_close(db);

	/* Cut anywhere: an error or damage, never an end of us. */
	for (cut = 0, n = 0; cut < 60; cut++) {
		if (ftruncate(fd, st.st_size * (59 - cut) / 59 + cut % 3) ==
		    -1 || vfs_fd_open(fd, 0, &db) != SQLITE_OK)
			fatal("cut");
		n += !is_sound(db);
		sqlite3_close(db);
	}
	ok(n >= 57, "cut files are not sound: %d of 60", n);
	close(fd);
	ok(vfs_fd_open(fd, 0, &db) != SQLITE_OK ||
	    number(db, "SELECT count(*) FROM sqlite_schema") == -1,
	    "a descriptor that is closed is an error");
	sqlite3_close(db);
}

/* Writes that fail are said to, with what SQLite makes of each. */
static void
test_full(void)
{
	struct rlimit	 limit = { 200000, 200000 }, old;
	sqlite3		*db;
	sqlite3_file	*f;
	char		 page[4096];
	int		 fd, ro;

	memset(page, 1, sizeof(page));
	fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	if (fd != -1 && vfs_fd_open(fd, 1, &db) == SQLITE_OK) {
		f = handle(db);
		ok(f->pMethods->xWrite(f, page, sizeof(page), 0) ==
		    SQLITE_FULL, "a full disk is SQLITE_FULL");
		sqlite3_close(db);
	}
	close(fd);

	fd = file_new();
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		fatal("getrlimit");
	limit.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1 ||
	    vfs_fd_open(fd, 1, &db) != SQLITE_OK)
		fatal("setrlimit");
	ok(sql(db, "PRAGMA journal_mode=off; CREATE TABLE t(a);"
	    ROWS "INSERT INTO t SELECT randomblob(500) FROM i") != SQLITE_OK,
	    "a limit of file sizes is an error: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
	if (setrlimit(RLIMIT_FSIZE, &old) == -1)
		fatal("setrlimit");
	close(fd);

	fd = file_new();
	fill(fd);
	snprintf(page, sizeof(page), "/proc/self/fd/%d", fd);
	if ((ro = open(page, O_RDONLY | O_CLOEXEC)) == -1) {
		close(fd);
		return;			/* no /proc */
	}
	ok(vfs_fd_open(ro, 1, &db) == SQLITE_OK && sql(db,
	    "PRAGMA journal_mode=off; DELETE FROM t") != SQLITE_OK,
	    "a descriptor that can only be read: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
	ok(vfs_fd_open(fd, 0, &db) == SQLITE_OK && is_sound(db) &&
	    number(db, "SELECT count(*) FROM t") == 3000,
	    "and the file is as it was");
	sqlite3_close(db);
	close(ro);
	close(fd);
}

/* There is nothing but the descriptor. */
static void
test_alone(void)
{
	sqlite3	*db;
	int	 fd = file_new();

	fill(fd);
	if (vfs_fd_open(fd, 1, &db) != SQLITE_OK)
		fatalx("open");
	ok(sql(db, "ATTACH '/etc/passwd' AS other") != SQLITE_OK &&
	    sql(db, "ATTACH 'file:/etc/passwd' AS other") != SQLITE_OK,
	    "no path can be opened through it");
	ok(sql(db, "PRAGMA journal_mode=delete; DELETE FROM t WHERE a = 1") !=
	    SQLITE_OK, "a journal cannot be made");
	ok(sql(db, "PRAGMA journal_mode=wal") == SQLITE_OK &&
	    sql(db, "PRAGMA journal_mode=off; DELETE FROM t WHERE a = 1") ==
	    SQLITE_OK && number(db, "SELECT count(*) FROM t") == 2999,
	    "nor a WAL: without either it is written");
	sqlite3_close(db);
	close(fd);
}

int
main(void)
{
	log_init("vfs_fd_test", 1, 0);
	test_write_and_read();
	test_two();
	test_backup();
	test_foreign();
	test_wal_header();
	test_short();
	test_full();
	test_alone();
	return (tap_end());
}
