/*
 * mkdb's kinds that leave something beside the database: journals, a WAL,
 * a super-journal, and a journal that nobody honest wrote.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/mkdb.h"
#include "regress/tools/tool.h"

#define JOURNAL_SECTOR		512
#define LOCK_BYTE		0x40000000
#define WAL_HEADER_BYTES	32
#define WAL_FRAME_BYTES		24	/* before each frame's page */

static const uint8_t journal_magic[8] = {
	0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7
};

static off_t
size_of(const char *file, const char *suffix)
{
	struct stat	st;
	char		path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", file, suffix);
	if (stat(path, &st) == -1)
		fatal("%s", path);
	return (st.st_size);
}

/* A small cache makes SQLite sync the journal and write into the file. */
static void
spill_and_die(char **argv)
{
	sqlite3	*db;

	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	tool_exec(db, "PRAGMA journal_mode=delete; PRAGMA cache_size=10;"
	    "BEGIN; UPDATE t SET v = 'new', pad = randomblob(400)");
	mkdb_die();
}

void
mkdb_hotjournal(int argc, char **argv)
{
	(void)argc;
	tool_close(mkdb_new(argv[0], 2000));
	mkdb_killed(spill_and_die, argv);
	if (size_of(argv[0], "-journal") <= JOURNAL_SECTOR)
		fatalx("%s-journal is empty", argv[0]);
}

static void
commit_and_die(char **argv)
{
	sqlite3	*db;
	int	 i, rows = 200;

	if (argv[1] != NULL)
		rows = tool_number(argv[1], 1, 1000000);
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	tool_exec(db, "PRAGMA wal_autocheckpoint=0");
	for (i = 0; i < rows; i++)
		tool_exec(db, "INSERT INTO t(v, pad)"
		    " VALUES('new', randomblob(400))");
	mkdb_die();
}

void
mkdb_hotwal(int argc, char **argv)
{
	sqlite3	*db;

	(void)argc;
	db = mkdb_new(argv[0], 200);
	tool_exec(db, "PRAGMA journal_mode=wal");
	tool_close(db);
	mkdb_killed(commit_and_die, argv);
	if (size_of(argv[0], "-wal") <= WAL_HEADER_BYTES)
		fatalx("%s-wal is empty", argv[0]);
}

static int	(*delete_before)(sqlite3_vfs *, const char *, int);
static int	 die_after;

/* A commit over several files is decided when its super-journal goes. */
static int
delete_and_die(sqlite3_vfs *vfs, const char *path, int sync)
{
	const char	*base;

	base = strrchr(path, '/');
	if (strstr(base == NULL ? path : base, "-mj") == NULL)
		return (delete_before(vfs, path, sync));
	if (die_after && delete_before(vfs, path, sync) != SQLITE_OK)
		fatalx("%s cannot be deleted", path);
	mkdb_die();
}

static void
commit_two_and_die(char **argv)
{
	static sqlite3_vfs	 vfs;
	sqlite3			*db;

	vfs = *sqlite3_vfs_find(NULL);
	vfs.zName = "mortal";
	delete_before = vfs.xDelete;
	vfs.xDelete = delete_and_die;
	die_after = argv[2] != NULL;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		fatalx("the VFS is not taken");
	db = tool_open(argv[0], SQLITE_OPEN_READWRITE);
	tool_exec(db, "ATTACH %Q AS other; BEGIN; UPDATE main.t SET v='new';"
	    "UPDATE other.t SET v='new'; COMMIT", argv[1]);
}

/*
 * before: neither transaction counts, both journals are hot.  after: both
 * count, and the journals that were left are stale.
 */
void
mkdb_superjournal(int argc, char **argv)
{
	char	*args[4] = { argv[0], argv[1], NULL, NULL };
	int	 after = 0;

	if (argc == 3 && strcmp(argv[2], "after") == 0)
		after = 1;
	else if (argc == 3 && strcmp(argv[2], "before") != 0)
		fatalx("%s is neither before nor after", argv[2]);
	if (after)
		args[2] = argv[2];
	tool_close(mkdb_new(argv[0], 50));
	tool_close(mkdb_new(argv[1], 50));
	mkdb_killed(commit_two_and_die, args);
	if (size_of(argv[0], "-journal") <= JOURNAL_SECTOR ||
	    size_of(argv[1], "-journal") <= JOURNAL_SECTOR)
		fatalx("a journal is empty");
}

/* The record at a journal's end that names its super-journal. */
static size_t
journal_tail(uint8_t *dst, uint32_t page_size, const char *name)
{
	size_t		n = strlen(name), i;
	uint32_t	sum = 0;

	/* SQLite adds them up as chars, with their sign. */
	for (i = 0; i < n; i++)
		sum += (uint32_t)(int32_t)(signed char)name[i];
	tool_put32(dst, LOCK_BYTE / page_size + 1);
	memcpy(dst + 4, name, n);
	tool_put32(dst + 4 + n, n);
	tool_put32(dst + 8 + n, sum);
	memcpy(dst + 12 + n, journal_magic, sizeof(journal_magic));
	return (n + 20);
}

void
mkdb_planted(int argc, char **argv)
{
	uint8_t		 journal[JOURNAL_SECTOR + PATH_MAX + 20];
	char		 path[PATH_MAX];
	sqlite3		*db;
	uint32_t	 page_size;
	size_t		 n;
	int		 fd;

	(void)argc;
	if (strlen(argv[1]) >= PATH_MAX)
		fatalx("the target's name is too long");
	db = mkdb_new(argv[0], 50);
	page_size = tool_int(db, "PRAGMA page_size");
	memset(journal, 0, JOURNAL_SECTOR);
	memcpy(journal, journal_magic, sizeof(journal_magic));
	/* No records, nonce 0; the size it is now: nothing to roll back. */
	tool_put32(journal + 16, tool_int(db, "PRAGMA page_count"));
	tool_put32(journal + 20, JOURNAL_SECTOR);
	tool_put32(journal + 24, page_size);
	tool_close(db);
	n = JOURNAL_SECTOR;
	n += journal_tail(journal + n, page_size, argv[1]);
	snprintf(path, sizeof(path), "%s-journal", argv[0]);
	fd = tool_open_file(path, O_WRONLY | O_CREAT | O_EXCL);
	tool_pwrite(fd, journal, n, 0);
	if (close(fd) == -1)
		fatal("%s", path);
}

void
mkdb_rotframe(int argc, char **argv)
{
	uint8_t	header[WAL_HEADER_BYTES], byte;
	char	path[PATH_MAX];
	off_t	at;
	int64_t	page_size;
	int	fd;

	(void)argc;
	snprintf(path, sizeof(path), "%s-wal", argv[0]);
	fd = tool_open_file(path, O_RDWR);
	tool_pread(fd, header, sizeof(header), 0);
	page_size = tool_get32(header + 8);
	at = WAL_HEADER_BYTES + (tool_number(argv[1], 1, INT32_MAX) - 1) *
	    (WAL_FRAME_BYTES + page_size) + WAL_FRAME_BYTES + page_size / 2;
	tool_pread(fd, &byte, 1, at);
	byte ^= 0x10;
	tool_pwrite(fd, &byte, 1, at);
	if (close(fd) == -1)
		fatal("%s", path);
}
