/*
 * The catalog's file: which are refused, leftovers, crashes, a full disk.
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/unit/catalog_lib.h"
#include "regress/unit/unit.h"

static const struct m_user	nobody;

static void
write_file(const char *path, const void *data, size_t size)
{
	FILE	*f;

	f = fopen(path, "w");
	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		fatal("%s", path);
	if (chmod(path, 0600) == -1)
		fatal("%s", path);
}

static char *
read_file(const char *path, size_t *size)
{
	struct stat	 sb;
	char		*buf;
	FILE		*f;

	if (stat(path, &sb) == -1 || (f = fopen(path, "r")) == NULL)
		fatal("%s", path);
	*size = (size_t)sb.st_size;
	buf = xmalloc(*size + 1);
	if (fread(buf, 1, *size, f) != *size)
		fatal("%s", path);
	fclose(f);
	return (buf);
}

/* Refused, with this in the sentence, and the same bytes as before. */
static void
refused(const char *name, const char *says, const char *what)
{
	struct catalog	*c;
	char		*after, *before, err[TEXT_BYTES], uuid[UUID_BYTES];
	size_t		 n, m;
	int		 same;

	before = read_file(in_dir(name), &n);
	err[0] = '\0';
	c = catalog_open(in_dir(name), uuid, err);
	after = read_file(in_dir(name), &m);
	same = n == m && memcmp(before, after, n) == 0;
	ok(c == NULL && strstr(err, says) != NULL && same, "%s is refused "
	    "and stays as it is", what);
	if (c != NULL || strstr(err, says) == NULL)
		printf("# %s\n", err);
	catalog_close(c);
	free(before);
	free(after);
}

static void
test_refused(void)
{
	struct catalog	*c;
	char		*image, sql[64];
	size_t		 i, n;
	sqlite3		*db;

	write_file(in_dir("text"), "hello, world\n", 13);
	refused("text", "move it aside", "a text");
	image = xcalloc(1, 8192);
	write_file(in_dir("zeros"), image, 8192);
	refused("zeros", "not a database", "a file of zeros");
	free(image);
	(void)sqlite3_open(in_dir("foreign"), &db);
	(void)sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL);
	(void)sqlite3_close(db);
	refused("foreign", "not a catalog", "somebody else's database");

	/* By its header a catalog of before, and none of its tables. */
	(void)sqlite3_open(in_dir("older"), &db);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d;"
	    "PRAGMA user_version = 2", CATALOG_APPLICATION_ID);
	(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	if (chmod(in_dir("older"), 0600) == -1)
		fatal("chmod");
	refused("older", "no such table", "what cannot be brought up to date");

	c = open_it("newer");
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d",
	    catalog_schema_version() + 1);
	(void)run(c, sql);
	catalog_close(c);
	refused("newer", "newer program", "a newer catalog");

	c = open_it("rotten");
	for (i = 0; i < 200; i++)
		(void)begin(c, "shop", nobody, 0);
	catalog_close(c);
	image = read_file(in_dir("rotten"), &n);
	/* Each page's header but the first's. */
	for (i = 4096; i + 4096 <= n; i += 4096)
		memset(image + i, 0xa5, 64);
	write_file(in_dir("rotten"), image, n);
	refused("rotten", "damaged", "a rotten catalog");
	memset(image + 4096, 0, n - 4096);
	write_file(in_dir("rotten"), image, n / 2);
	refused("rotten", "damaged", "a truncated catalog");
	free(image);

	catalog_close(open_it("linked-to"));
	if (symlink("linked-to", in_dir("link")) == -1)
		fatal("symlink");
	refused("link", "not a regular file", "a link");
	catalog_close(open_it("open"));
	if (chmod(in_dir("open"), 0660) == -1)
		fatal("chmod");
	refused("open", "chmod 600", "a catalog that others can write");
}

static void
test_leftovers(void)
{
	struct catalog	*c;
	struct stat	 sb;

	write_file(in_dir("empty"), "", 0);
	write_file(in_dir("empty-wal"), "not one", 7);
	write_file(in_dir("empty.new"), "cut short", 9);
	write_file(in_dir("empty.new-journal"), "this too", 8);
	c = open_it("empty");
	ok(begin(c, "shop", nobody, 0) == 1, "an empty file becomes a "
	    "catalog");
	ok(stat(in_dir("empty.new"), &sb) == -1 &&
	    stat(in_dir("empty.new-journal"), &sb) == -1,
	    "what an earlier try left is gone");
	catalog_close(c);
	ok(stat(in_dir("empty-wal"), &sb) == -1,
	    "an older WAL is not taken for its own");
}

/* The rest of the administrators' world: sqlite3 catalog.sqlite. */
static void
test_shell(void)
{
	struct catalog	*c;
	sqlite3		*db;
	int		 read_ok, write_ok;

	c = open_it("shell");
	(void)begin(c, "shop", nobody, 0);
	(void)sqlite3_open(in_dir("shell"), &db);
	read_ok = sqlite3_exec(db, "SELECT * FROM cloud_backups", NULL, NULL,
	    NULL);
	write_ok = sqlite3_exec(db, "UPDATE cloud_backups SET description ="
	    " 'by hand'", NULL, NULL, NULL);
	ok(read_ok == SQLITE_OK && write_ok == SQLITE_OK,
	    "another program can read and write meanwhile");
	(void)sqlite3_close(db);
	catalog_published(c, 1);
	ok(number(c, "SELECT description = 'by hand' AND status ="
	    " 'completed' FROM cloud_backups") == 1, "and we go on");
	catalog_close(c);
}

static void
test_crash(void)
{
	struct catalog	*c;
	struct m_backup	 b;
	pid_t		 pid;
	int		 i, status;

	if ((pid = fork()) == 0) {
		c = open_it("crash");
		for (i = 0; i < 5; i++)
			(void)begin(c, "shop", nobody, 0);
		raise(SIGKILL);
	}
	(void)waitpid(pid, &status, 0);
	c = open_it("crash");
	ok(WIFSIGNALED(status) && catalog_get(c, 5, &b) &&
	    strcmp(b.status, "pending") == 0 &&
	    number(c, "PRAGMA integrity_check") == 0,
	    "what was written before kill -9 is there");
	catalog_close(c);
}

/* Ends the process with a sentence, instead of going on. */
static void
test_full(void)
{
	struct catalog	*c;
	char		*said;
	size_t		 n;
	pid_t		 pid;
	int		 fd, i, status;

	catalog_close(open_it("full"));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		fd = open(in_dir("said"), O_WRONLY | O_CREAT, 0600);
		(void)dup2(fd, 2);
		(void)dup2(fd, 1);
		c = open_it("full");
		(void)run(c, "PRAGMA max_page_count = 1");
		for (i = 0; i < 5000; i++)
			(void)begin(c, "shop", nobody, 0);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	said = read_file(in_dir("said"), &n);
	said[n] = '\0';
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
	    strstr(said, in_dir("full")) != NULL &&
	    strstr(said, "free space") != NULL,
	    "a full disk ends the daemon, and it says what to do");
	if (strstr(said, "free space") == NULL)
		printf("# %s\n", said);
	free(said);
}

int
main(void)
{
	dir_make("catalog_file_test");
	test_refused();
	test_leftovers();
	test_shell();
	test_crash();
	test_full();
	dir_remove();
	return (tap_end());
}
