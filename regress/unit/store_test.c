/*
 * The backup directory: whose it must be, what identifies it, how an
 * artifact gets its name, who can still write to it, and what a crash may
 * leave.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/lease.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"
#include "proto/errors.h"
#include "regress/unit/unit.h"

#define CREATED_MS	1763847000000	/* 20251122T213000Z */
#define NAME(id)	"20251122T213000Z-" id ".sqlite"

static char	top[PATH_BYTES - 256];
static char	err[TEXT_BYTES];

static int
remove_one(const char *path, const struct stat *sb, int flag,
    struct FTW *ftw)
{
	(void)sb;
	(void)flag;
	(void)ftw;
	return (remove(path));
}

static const char *
at(const char *name)
{
	static char	path[4][PATH_BYTES];
	static int	i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", top, name);
	return (path[i]);
}

static int
there(const char *name)
{
	struct stat	sb;

	return (lstat(at(name), &sb) == 0);
}

static void
write_file(const char *name, const char *text)
{
	FILE	*f;

	f = fopen(at(name), "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0 ||
	    chmod(at(name), 0600) == -1)
		fatal("%s", at(name));
}

static void
make_dir(const char *name, mode_t mode)
{
	if (mkdir(at(name), mode) == -1 || chmod(at(name), mode) == -1)
		fatal("%s", at(name));
}

static struct store *
open_store(const char *name)
{
	struct store	*s;

	err[0] = '\0';
	if ((s = store_open(at(name), err)) == NULL)
		fatalx("%s: %s", name, err);
	return (s);
}

static void
refused(const char *name, const char *says, const char *what)
{
	struct store	*s;

	err[0] = '\0';
	s = store_open(at(name), err);
	ok(s == NULL && strstr(err, says) != NULL, "refused: %s", what);
	if (s != NULL || strstr(err, says) == NULL)
		printf("# %s\n", err);
	store_close(s);
}

static void
test_new(void)
{
	struct store	*s;
	struct stat	 sb;
	uint64_t	 dev[2], ino[2];
	char		 first[UUID_BYTES];

	s = open_store("a/b/new");
	ok(strcmp(store_path(s), at("a/b/new")) == 0 &&
	    stat(at("a/b"), &sb) == 0 && (sb.st_mode & 07777) == 0700,
	    "the directory and its parents are made");
	strlcpy(first, store_uuid(s), sizeof(first));
	ok(strlen(first) == 36 && first[14] == '4' &&
	    strchr("89ab", first[19]) != NULL, "a random UUID: %s", first);
	ok(stat(at("a/b/new/" STORE_ID_FILE), &sb) == 0 &&
	    sb.st_size == 37 && (sb.st_mode & 07777) == 0600,
	    "in its file");
	store_identity(s, dev, ino);
	ok(stat(at("a/b/new"), &sb) == 0 && ino[0] == sb.st_ino &&
	    dev[0] == sb.st_dev && stat(at("a/b/new/" CATALOG_NAME),
	    &sb) == 0 && ino[1] == sb.st_ino, "who we are");
	ok(store_free_bytes(s) > 0, "free space");
	refused("a/b/new", "another cloudbackupd", "a second daemon");
	store_close(s);
	s = open_store("a/b/new");
	ok(strcmp(first, store_uuid(s)) == 0, "the same one again");
	store_close(s);
}

static void
test_directory(void)
{
	struct store	*s;

	make_dir("real", 0755);
	if (symlink("real", at("link")) == -1)
		fatal("symlink");
	s = open_store("link");
	ok(strcmp(store_path(s), at("real")) == 0,
	    "configured through a link: resolved once");
	store_close(s);
	s = open_store("real/./deep//er");
	ok(strcmp(store_path(s), at("real/deep/er")) == 0,
	    "odd but harmless spellings");
	store_close(s);
	refused("real/none/../x", "..", "a way back that can't be walked");
	ok(store_open("relative", err) == NULL &&
	    strstr(err, "absolute") != NULL, "refused: a relative path");
	write_file("file", "");
	refused("file", "", "a file");
	if (symlink("nowhere", at("dangling")) == -1)
		fatal("symlink");
	refused("dangling", "", "a link to nowhere");
	make_dir("group", 0775);
	make_dir("group/store", 0700);
	refused("group/store", "chmod go-w", "an ancestor of the group's");
	refused("group", "chmod go-w", "a directory of the group's");
	make_dir("sticky", 01777);
	refused("sticky", "chmod go-w", "sticky itself");
	s = open_store("sticky/store");
	ok(s != NULL, "below a sticky directory is fine");
	store_close(s);
	if (geteuid() != 0) {
		ok(1, "# SKIP not root: another owner");
		return;
	}
	make_dir("other", 0755);
	make_dir("other/store", 0700);
	if (chown(at("other"), 12345, 12345) == -1)
		fatal("chown");
	refused("other/store", "12345", "an ancestor of somebody else");
}

static void
count(const struct store_orphan *o, void *arg)
{
	int	*n = arg;

	(*n)++;
	if (*n == 1)
		ok(o->id == 17 && o->created_ms == CREATED_MS &&
		    o->size == 5 && strcmp(o->database, "shop") == 0 &&
		    strcmp(strrchr(o->file_path, '/'), "/" NAME("17")) == 0,
		    "what an orphan's name tells");
}

static void
test_identity(void)
{
	struct store	*s;
	char		 first[UUID_BYTES];
	int		 n;

	s = open_store("id");
	strlcpy(first, store_uuid(s), sizeof(first));
	store_close(s);

	/* A lost catalog. */
	make_dir("id/shop", 0700);
	write_file("id/shop/" NAME("17"), "12345");
	if (unlink(at("id/" CATALOG_NAME)) == -1)
		fatal("unlink");
	s = open_store("id");
	ok(strcmp(first, store_uuid(s)) == 0,
	    "a lost catalog: a new one of the same UUID");
	n = 0;
	store_sweep(s, count, &n);
	ok(n == 1 && there("id/shop/" NAME("17")),
	    "and what is there is told to adopt");
	store_close(s);
	write_file("id/" CATALOG_NAME, "");
	s = open_store("id");
	ok(strcmp(first, store_uuid(s)) == 0, "an empty catalog: the same");
	store_close(s);

	/* Ids that do not match. */
	write_file("id/" STORE_ID_FILE,
	    "0f8fad5b-d9cb-469f-a165-70867728950e\n");
	refused("id", first, "another directory's id");
	if (unlink(at("id/" STORE_ID_FILE)) == -1)
		fatal("unlink");
	refused("id", "echo", "a catalog without the id");
	ok(!there("id/" STORE_ID_FILE), "nothing is written then");
	write_file("id/" STORE_ID_FILE, "what?\n");
	refused("id", "UUID", "an id that is none");
	if (unlink(at("id/" STORE_ID_FILE)) == -1 ||
	    unlink(at("id/" CATALOG_NAME)) == -1)
		fatal("unlink");
	refused("id", "/proc/sys/kernel/random/uuid",
	    "backups with neither");
	ok(!there("id/" CATALOG_NAME), "no catalog is made then");

	/* A crash between the two while they were made. */
	write_file("id/" STORE_ID_FILE, first);
	s = open_store("id");
	ok(strcmp(first, store_uuid(s)) == 0, "an id without its newline");
	store_close(s);
	write_file("id/" CATALOG_NAME, "not a database at all");
	refused("id", "move it aside", "a catalog that is none");
}

static void
put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fatal("write");
}

static void
test_artifact(void)
{
	struct artifact	 a, b;
	struct store	*s;
	struct stat	 sb;
	char		 path[ARTIFACT_BYTES];
	uint32_t	 code;
	int		 fd, other;

	s = open_store("art");
	ok(store_create(s, "shop", 7, &a, &code, err) == 0 && a.fd != -1 &&
	    stat(at("art/shop"), &sb) == 0 && (sb.st_mode & 07777) == 0700,
	    "a folder for the database");
	ok(fstat(a.fd, &sb) == 0 && (sb.st_mode & 07777) == 0600 &&
	    store_is_temporary(a.temporary), "a file of ours: %s",
	    a.temporary);
	put(a.fd, "hello");
	fd = store_settle(s, &a, err);
	ok(fd != -1 && a.fd == -1 &&
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY,
	    "settled: for reading only");
	other = store_reopen(s, &a, err);
	ok(other != -1 && lseek(fd, 3, SEEK_SET) == 3 &&
	    lseek(other, 0, SEEK_CUR) == 0, "an own open for another");
	close(fd);
	close(other);
	store_final_path(s, "shop", 7, CREATED_MS, "sqlite", path);
	ok(strcmp(path, at("art/shop/" NAME("7"))) == 0,
	    "the name that it will have");
	ok(store_publish(s, &a, 7, CREATED_MS, "sqlite", err) == 0 &&
	    stat(path, &sb) == 0 && sb.st_nlink == 1 &&
	    strcmp(a.name, NAME("7")) == 0 && a.temporary[0] == '\0',
	    "published");
	other = store_reopen(s, &a, err);
	ok(other != -1, "opened again by its name");
	close(other);
	store_discard(s, &a);
	ok(there("art/shop/" NAME("7")), "what has its name stays");

	(void)store_create(s, "shop", 7, &b, &code, err);
	ok(store_publish(s, &b, 7, CREATED_MS, "sqlite", err) == -1 &&
	    strstr(err, strerror(EEXIST)) != NULL,
	    "a name that is taken is not taken over");
	ok(stat(path, &sb) == 0 && sb.st_size == 5, "nor its content");
	strlcpy(path, "art/shop/", sizeof(path));
	strlcat(path, b.temporary, sizeof(path));
	ok(there(path), "the file waits under its temporary name");
	store_discard(s, &b);
	ok(!there(path) && b.fd == -1, "discarded: gone");
	ok(store_create(s, "../x", 1, &b, &code, err) == -1 &&
	    store_create(s, ".hidden", 1, &b, &code, err) == -1 &&
	    store_create(s, "", 1, &b, &code, err) == -1 &&
	    code == E_IO_ERROR, "names that can't be a folder's");
	store_close(s);
}

static void
test_open_file(void)
{
	struct store	*s;
	char		 path[PATH_BYTES];
	int		 fd;

	s = open_store("art");
	strlcpy(path, at("art/shop/" NAME("7")), sizeof(path));
	fd = store_open_file(s, path, 5, err);
	ok(fd != -1 && (fcntl(fd, F_GETFL) &
	    (O_ACCMODE | O_NONBLOCK)) == O_RDONLY, "opened by its path");
	close(fd);
	ok(store_open_file(s, path, 6, err) == -1 &&
	    strstr(err, "5 bytes") != NULL, "not with another size");
	ok(store_open_file(s, "/etc/passwd", -1, err) == -1 &&
	    store_open_file(s, at("art/" CATALOG_NAME), -1, err) == -1 &&
	    store_open_file(s, at("art/shop/../" CATALOG_NAME), -1,
	    err) == -1 && store_open_file(s, at("art/../art/x"), -1,
	    err) == -1 && store_open_file(s, at("art/shop/"), -1,
	    err) == -1 && store_open_file(s, at("artx/shop/x"), -1,
	    err) == -1, "nothing outside, nor the catalog");
	if (symlink("/etc/passwd", at("art/shop/" NAME("8"))) == -1 ||
	    mkfifo(at("art/shop/" NAME("9")), 0600) == -1)
		fatal("symlink");
	ok(store_open_file(s, at("art/shop/" NAME("8")), -1, err) == -1,
	    "no link");
	ok(store_open_file(s, at("art/shop/" NAME("9")), -1, err) == -1 &&
	    strstr(err, "regular") != NULL, "no pipe, and without waiting");
	store_close(s);
}

static void
test_folder(void)
{
	struct artifact	 a;
	struct store	*s;
	uint32_t	 code;

	s = open_store("art");
	make_dir("elsewhere", 0700);
	if (symlink(at("elsewhere"), at("art/planted")) == -1)
		fatal("symlink");
	ok(store_create(s, "planted", 1, &a, &code, err) == -1 &&
	    a.fd == -1, "a link as a folder is refused");
	make_dir("art/wide", 0770);
	ok(store_create(s, "wide", 1, &a, &code, err) == -1 &&
	    strstr(err, "chmod") != NULL, "a folder that the group can "
	    "write is refused");
	store_close(s);
}

enum holder { HOLD_FD, HOLD_MMAP };

/* Keeps the artifact writable in a child until hold is closed. */
static pid_t
hold(const struct artifact *a, enum holder how, int hold_fd[2])
{
	char	 c;
	pid_t	 pid;

	if (pipe(hold_fd) == -1 || (pid = fork()) == -1)
		fatal("fork");
	if (pid != 0) {
		close(hold_fd[0]);
		return (pid);
	}
	close(hold_fd[1]);
	if (how == HOLD_MMAP) {
		if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    a->fd, 0) == MAP_FAILED)
			fatal("mmap");
		close(a->fd);
	}
	_exit(read(hold_fd[0], &c, 1) == -1);
}

static void
test_settle(void)
{
	static const char *const what[] = {
		[HOLD_FD] = "a descriptor",
		[HOLD_MMAP] = "a mapping"
	};
	struct artifact	 a;
	struct store	*s;
	uint64_t	 t;
	uint32_t	 code;
	pid_t		 pid;
	int		 fd, how, p[2];

	s = open_store("art");
	for (how = HOLD_FD; how <= HOLD_MMAP; how++) {
		(void)store_create(s, "shop", 20, &a, &code, err);
		if (ftruncate(a.fd, 4096) == -1)
			fatal("ftruncate");
		pid = hold(&a, how, p);
		/* The child may not have mapped it yet; it holds the
		 * descriptor until then. */
		t = util_monotonic_us();
		fd = store_settle(s, &a, err);
		t = util_monotonic_us() - t;
		ok(fd == -1 && t >= 900000 && t < 3000000 &&
		    strstr(err, "can still write") != NULL,
		    "%s in a child: not settled after %llu ms", what[how],
		    (unsigned long long)t / 1000);
		close(p[1]);
		(void)waitpid(pid, NULL, 0);
		fd = store_settle(s, &a, err);
		ok(fd != -1, "and settled when the child is gone");
		close(fd);
		store_discard(s, &a);
	}
	(void)store_create(s, "shop", 21, &a, &code, err);
	pid = hold(&a, HOLD_FD, p);
	(void)kill(pid, SIGKILL);
	fd = store_settle(s, &a, err);
	ok(fd != -1, "a child that was just killed is waited for");
	(void)waitpid(pid, NULL, 0);
	close(p[1]);
	close(fd);
	store_discard(s, &a);
	store_close(s);
}

/* The lease itself, where a test machine has it: another file system. */
static void
test_lease(void)
{
	char	path[] = "/dev/shm/cbd-lease.XXXXXX";
	int	busy, fd, rfd;

	if ((fd = mkstemp(path)) == -1) {
		ok(1, "# SKIP no /dev/shm");
		return;
	}
	rfd = open(path, O_RDONLY);
	busy = lease_read_held(rfd);
	close(fd);
	ok(busy == 0 && lease_read_held(rfd) == 1, "leases on tmpfs");
	close(rfd);
	(void)unlink(path);
	rfd = open("/dev/null", O_RDONLY);
	ok(lease_read_held(rfd) == -1, "none where there are none");
	close(rfd);
}

/* Both layers in the test's directory; containers run on these. */
static void
test_overlay(void)
{
	struct store	*s;
	char		*command;
	int		 rc;

	make_dir("lower", 0755);
	make_dir("upper", 0755);
	make_dir("work", 0755);
	make_dir("over", 0755);
	command = xasprintf("cd %s && mount -t overlay -o lowerdir=lower,"
	    "upperdir=upper,workdir=work overlay over 2>/dev/null", top);
	rc = system(command);
	free(command);
	if (rc != 0) {
		ok(1, "# SKIP can't mount an overlay");
		return;
	}
	err[0] = '\0';
	s = store_open(at("over/store"), err);
	ok(s != NULL, "a store on an overlay");
	store_close(s);
	command = xasprintf("umount %s/over", top);
	if (system(command) != 0)
		printf("# can't unmount %s/over\n", top);
	free(command);
}

static void
test_names(void)
{
	static const char *const bad[] = { "20251122T213000Z-.sqlite",
	    "20251122T213000Z-0.sqlite", "20251122T213000Z-1.sqlite.gz",
	    "20251322T213000Z-1.sqlite", "2025112T213000Z-1.sqlite",
	    "20251122T213000-1.sqlite", "20251122T213000Z-1x.sqlite",
	    "20251122T213000Z-1234567890123456.sqlite", "x", "",
	    "20251122T213000Z--1.sqlite", ".sqlite",
	    "20251122T213000Z-1.sqlite.age.zst", "20251122T213000Z-1.zst",
	    "20251122T213000Z-1.", "20251122T213000Z-1",
	    "20251122T213000Z-1.remote.sqlite.zst" };
	static const char *const bad_remote[] = {
	    "20251122T213000Z-1.sqlite.zst", "20251122T213000Z-1.remote.",
	    "20251122T213000Z-1.remote.sqlite.gz", "remote.sqlite",
	    "20251122T213000Z-1.remote.remote.sqlite" };
	static const char *const bad_tmp[] = { ".tmp-", ".tmp-1-",
	    ".tmp-1-0123456789abcde", ".tmp-1-0123456789abcdef0",
	    ".tmp-1-0123456789ABCDEF", ".tmp--0123456789abcdef",
	    "tmp-1-0123456789abcdef", ".tmp-x-0123456789abcdef",
	    ".tmp-1-0123456789abcdef.sqlite" };
	char	form[FORM_BYTES];
	int64_t	ms, id;
	size_t	i, wrong;

	wrong = 0;
	for (i = 0; i < nitems(bad); i++)
		wrong += (size_t)store_is_artifact(bad[i], &id, &ms, form);
	for (i = 0; i < nitems(bad_tmp); i++)
		wrong += (size_t)store_is_temporary(bad_tmp[i]);
	ok(wrong == 0, "names that are not ours");
	for (i = 0; i < nitems(bad_remote); i++)
		wrong += (size_t)store_is_remote(bad_remote[i]);
	ok(wrong == 0, "nor for remotes");
	ok(store_is_artifact(NAME("9") ".zst.age", &id, &ms, form) &&
	    id == 9 && strcmp(form, "sqlite.zst.age") == 0 &&
	    store_is_remote("20251122T213000Z-1.remote.sqlite.age"),
	    "the forms");
	ok(store_is_artifact(NAME("123456789012345"), &id, &ms, form) &&
	    id == 123456789012345 && ms == CREATED_MS &&
	    store_is_temporary(".tmp-0-0123456789abcdef"),
	    "and such that are");
}

static int64_t
row(struct store *s, const char *database, const char *name, uint64_t size,
    enum verdict verdict)
{
	struct catalog_new	n;
	struct m_w_captured	w;
	struct m_w_verified	v;
	char			path[ARTIFACT_BYTES];
	int64_t			id;

	memset(&n, 0, sizeof(n));
	n.database = database;
	n.type = "manual";
	id = catalog_insert(store_catalog(s), &n);
	if (name == NULL)
		return (id);
	memset(&w, 0, sizeof(w));
	memset(&v, 0, sizeof(v));
	w.size = size;
	v.verdict = verdict;
	snprintf(path, sizeof(path), "%s/%s/%s", store_path(s), database,
	    name);
	catalog_proven(store_catalog(s), id, path, &w, &v, NULL);
	return (id);
}

static int
is(struct store *s, int64_t id, const char *status, int has_file)
{
	struct m_backup	b;

	if (!catalog_get(store_catalog(s), id, &b))
		return (0);
	if (strcmp(b.status, status) == 0 &&
	    (b.file_path[0] != '\0') == has_file)
		return (1);
	printf("# %lld: %s \"%s\" %s\n", (long long)id, b.status, b.reason,
	    b.file_path);
	return (0);
}

static void
count_only(const struct store_orphan *o, void *arg)
{
	int	*n = arg;

	(*n)++;
	printf("# orphan %s\n", strrchr(o->file_path, '/'));
}

static void
test_sweep(void)
{
	struct store	*s;
	int64_t		 id[9];
	int		 n;

	s = open_store("sweep");
	make_dir("sweep/shop", 0700);
	/* In the order of a backup's life, cut at each step. */
	id[0] = row(s, "shop", NULL, 0, VERDICT_NONE);
	write_file("sweep/shop/.tmp-1-0123456789abcdef", "half");
	id[1] = row(s, "shop", NAME("2"), 5, VERDICT_SOUND);
	write_file("sweep/shop/.tmp-2-0123456789abcdef", "12345");
	id[2] = row(s, "shop", NAME("3"), 5, VERDICT_SOUND);
	write_file("sweep/shop/" NAME("3"), "12345");
	if (link(at("sweep/shop/" NAME("3")),
	    at("sweep/shop/.tmp-3-0123456789abcdef")) == -1)
		fatal("link");
	id[3] = row(s, "shop", NAME("4"), 5, VERDICT_UNKNOWN);
	write_file("sweep/shop/" NAME("4"), "12345");
	/* Not what was proven; a damaged source; one whose file goes. */
	id[4] = row(s, "shop", NAME("5"), 5, VERDICT_SOUND);
	write_file("sweep/shop/" NAME("5"), "123");
	id[5] = row(s, "shop", NAME("6"), 5, VERDICT_DAMAGED);
	write_file("sweep/shop/" NAME("6"), "12345");
	id[6] = row(s, "shop", NAME("7"), 5, VERDICT_SOUND);
	write_file("sweep/shop/" NAME("7"), "12345");
	catalog_published(store_catalog(s), id[6]);
	id[7] = row(s, "shop", NAME("8"), 5, VERDICT_SOUND);
	catalog_published(store_catalog(s), id[7]);
	id[8] = row(s, "away", NAME("9"), 5, VERDICT_SOUND);
	catalog_published(store_catalog(s), id[8]);
	/* What is nobody's, and what is not ours to touch. */
	write_file("sweep/shop/" NAME("90"), "12345");
	write_file("sweep/shop/notes.txt", "mine");
	write_file("sweep/.tmp-0-0123456789abcdef", "");
	write_file("sweep/.tmp-mine", "");
	make_dir("sweep/shop/.tmp-9-0123456789abcdef", 0700);
	make_dir("outside", 0700);
	write_file("outside/.tmp-1-0123456789abcdef", "");
	write_file("outside/" NAME("91"), "12345");
	if (symlink(at("outside"), at("sweep/linked")) == -1)
		fatal("symlink");

	n = 0;
	store_sweep(s, count_only, &n);
	ok(is(s, id[0], "failed", 0) && is(s, id[1], "failed", 0),
	    "cut short before it had its name: failed");
	ok(is(s, id[2], "completed", 1) && is(s, id[3], "completed", 1),
	    "cut short after: completed");
	ok(is(s, id[4], "failed", 1) && is(s, id[5], "failed", 1) &&
	    there("sweep/shop/" NAME("5")) && there("sweep/shop/" NAME("6")),
	    "what is not proven fails and keeps its file");
	ok(is(s, id[6], "completed", 1), "what is complete stays so");
	ok(is(s, id[7], "failed", 1) && is(s, id[8], "failed", 1),
	    "a file, a folder that is gone: missing");
	ok(n == 1, "one artifact is nobody's");
	ok(!there("sweep/.tmp-0-0123456789abcdef") &&
	    !there("sweep/shop/.tmp-1-0123456789abcdef") &&
	    !there("sweep/shop/.tmp-2-0123456789abcdef") &&
	    !there("sweep/shop/.tmp-3-0123456789abcdef"),
	    "temporary names of ours are gone");
	ok(there("sweep/shop/" NAME("3")) && there("sweep/shop/" NAME("90")) &&
	    there("sweep/shop/notes.txt") && there("sweep/.tmp-mine") &&
	    there("sweep/shop/.tmp-9-0123456789abcdef") &&
	    there("outside/.tmp-1-0123456789abcdef") &&
	    there("outside/" NAME("91")), "and nothing else is");

	write_file("sweep/shop/" NAME("8"), "12345");
	make_dir("sweep/away", 0700);
	write_file("sweep/away/" NAME("9"), "1234");
	store_sweep(s, count_only, &n);
	ok(is(s, id[7], "completed", 1), "a file that came back");
	ok(is(s, id[8], "failed", 1), "but not with another size");
	ok(n == 2, "what is not adopted is told again");
	store_close(s);
}

/* The catalog goes to a place that another program moved: paths follow. */
static void
test_moved(void)
{
	struct store	*s;
	int64_t		 id;
	struct m_backup	 b;

	s = open_store("before");
	make_dir("before/shop", 0700);
	id = row(s, "shop", NAME("1"), 5, VERDICT_SOUND);
	write_file("before/shop/" NAME("1"), "12345");
	catalog_published(store_catalog(s), id);
	store_close(s);
	if (rename(at("before"), at("after")) == -1)
		fatal("rename");
	s = open_store("after");
	ok(catalog_get(store_catalog(s), id, &b) &&
	    strcmp(b.file_path, at("after/shop/" NAME("1"))) == 0,
	    "a directory that was moved is used where it is");
	store_close(s);
}

static void
test_no_space(void)
{
	struct artifact	 a;
	struct store	*s;
	uint32_t	 code;

	if (geteuid() != 0 || mkdir(at("small"), 0700) == -1 ||
	    system("exec 2>/dev/null; command -v mount >/dev/null") != 0) {
		ok(1, "# SKIP not root: a full disk");
		return;
	}
	/* So few inodes that the catalog fits and little more. */
	snprintf(err, sizeof(err), "mount -t tmpfs -o mode=700,size=2m,"
	    "nr_inodes=8 tmpfs %s 2>/dev/null", at("small"));
	if (system(err) != 0) {
		ok(1, "# SKIP can't mount: a full disk");
		return;
	}
	s = open_store("small");
	code = E_NONE;
	while (store_create(s, "shop", 1, &a, &code, err) == 0)
		close(a.fd);
	ok(code == E_INSUFFICIENT_SPACE && a.fd == -1 &&
	    strstr(err, strerror(ENOSPC)) != NULL, "a full disk: %s", err);
	store_close(s);
	snprintf(err, sizeof(err), "umount %s", at("small"));
	if (system(err) != 0)
		printf("# can't unmount %s\n", at("small"));
}

int
main(void)
{
	char	made[] = "/tmp/cbd-store.XXXXXX", real[PATH_MAX];

	log_init("store_test", 1, 0);
	(void)umask(022);
	if (mkdtemp(made) == NULL || realpath(made, real) == NULL ||
	    util_copy(top, real) == -1)
		fatal("mkdtemp");
	test_names();
	test_lease();
	test_overlay();
	test_new();
	test_directory();
	test_identity();
	test_artifact();
	test_open_file();
	test_folder();
	test_settle();
	test_sweep();
	test_moved();
	test_no_space();
	(void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return (tap_end());
}
