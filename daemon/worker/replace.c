/*
 * Workers run this: a database that is not there any more, or that SQLite
 * cannot read and nobody has open, gets its content by rename.  Never an
 * optimisation: with the file open, a rename would split the database in
 * two (facts section 1, E8).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/restore.h"
#include "daemon/worker/worker.h"

#define BLOCK_BYTES	(256 * 1024)
#define STAGE_SUFFIX	".cloudbackupd-restore"

static int
found_opener(pid_t pid, int fd, void *arg)
{
	(void)fd;
	*(pid_t *)arg = pid;
	return (1);
}

/*
 * H13: an unlinked file may still be in use, and a scan that could not see
 * everybody proves nothing.
 */
static int
deleted_check(struct restore *r)
{
	pid_t	pid = 0;
	int	found, incomplete;

	found = procs_openers_deleted(r->c.look.path, found_opener, &pid,
	    &incomplete);
	if (found == 1)
		return (fail(r->error, E_DATABASE_OPEN,
		    "%s was removed, but process %d still has it open",
		    r->c.look.path, (int)pid));
	if ((found == -1 || incomplete) &&
	    !(r->order->flags & W_RESTORE_FORCE))
		return (fail(r->error, E_FORCE_REQUIRED,
		    "%s is not there, and not every process can be looked "
		    "into: one of another user may still have it open",
		    r->c.look.path));
	return (0);
}

/* D15: whose a database that is gone was. */
static int
missing_prepare(struct restore *r)
{
	struct look	*l = &r->c.look;
	const char	*why;
	size_t		 i;

	for (i = 0; i < nitems(r->order->look.uids_refused); i++) {
		if (geteuid() == 0 &&
		    r->order->uid == r->order->look.uids_refused[i])
			return (fail(r->error, E_UNSAFE_PATH,
			    "%s belonged to uid %u, which runs a part of this "
			    "daemon or is nobody", l->path, r->order->uid));
	}
	if (!l->unsafe_ok && (why = filesystem_unsafe(l->dir,
	    l->path)) != NULL)
		return (fail(r->error, E_UNSAFE_PATH, "%s would lie on %s",
		    l->path, why));
	l->uid = geteuid() == 0 ? r->order->uid : geteuid();
	l->st.st_uid = l->uid;
	l->st.st_gid = r->order->gid;
	l->st.st_mode = S_IFREG | (r->order->mode & 07777);
	return (deleted_check(r));
}

static int
io_failed(struct restore *r, const char *what)
{
	return (fail(r->error, errno == ENOSPC || errno == EDQUOT ?
	    E_INSUFFICIENT_SPACE : errno == EACCES || errno == EPERM ?
	    E_PERMISSION_DENIED : E_IO_ERROR,
	    "cannot %s %s: %s; what was there stands", what, r->c.look.path,
	    strerror(errno)));
}

/*
 * The header of the new file: its journal mode is that of the captured
 * database, and a schema cookie and change counter by chance keep anybody
 * from taking the content for one that he knows.
 */
static void
header_patch(struct restore *r, uint8_t *h)
{
	uint8_t	mode = r->order->flags & W_RESTORE_WAL ? 2 : 1;

	h[SQLITE_WRITE_VERSION_AT] = h[SQLITE_READ_VERSION_AT] = mode;
	arc4random_buf(h + SQLITE_CHANGE_COUNTER_AT, 4);
	memcpy(h + SQLITE_VALID_FOR_AT, h + SQLITE_CHANGE_COUNTER_AT, 4);
	arc4random_buf(h + SQLITE_SCHEMA_COOKIE_AT, 4);
	h[SQLITE_SCHEMA_COOKIE_AT] &= 0x3f;	/* it is a positive number */
	h[SQLITE_SCHEMA_COOKIE_AT + 3] |= 2;	/* and not 0 or 1 */
}

static int
is_hole(const uint8_t *p, size_t n)
{
	return (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int
content_write(struct restore *r, int fd)
{
	static uint8_t	buf[BLOCK_BYTES];
	uint64_t	off;
	ssize_t		n;

	if (ftruncate(fd, (off_t)r->source_size) == -1)
		return (io_failed(r, "write"));
	for (off = 0; off < r->source_size; off += (uint64_t)n) {
		worker_progress("restore", off, r->source_size);
		if (worker_stopping())
			return (fail(r->error, E_SHUTTING_DOWN, "the restore "
			    "was given up because the daemon ends"));
		n = pread(r->source, buf, sizeof(buf), (off_t)off);
		if (n <= 0)
			return (fail(r->error, E_IO_ERROR,
			    "cannot read the backup"));
		if (off == 0)
			header_patch(r, buf);
		if (!is_hole(buf, (size_t)n) &&
		    pwrite(fd, buf, (size_t)n, (off_t)off) != n)
			return (io_failed(r, "write"));
	}
	return (0);
}

static int
stage(struct restore *r, const char *name)
{
	struct look	*l = &r->c.look;
	int		 fd, rv;

	if (unlinkat(l->dir, name, 0) == -1 && errno != ENOENT)
		return (io_failed(r, "prepare"));
	fd = openat(l->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return (io_failed(r, "create"));
	rv = content_write(r, fd);
	if (rv == 0 && ((l->st.st_gid != getegid() &&
	    fchown(fd, (uid_t)-1, l->st.st_gid) == -1) ||
	    fchmod(fd, l->st.st_mode & 07777) == -1 || fsync(fd) == -1))
		rv = io_failed(r, "write");
	close(fd);
	return (rv);
}

static int
directory_sync(struct restore *r)
{
	int	fd, rv;

	fd = openat(r->c.look.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (io_failed(r, "open the directory of"));
	rv = fsync(fd);
	close(fd);
	return (rv == -1 ? io_failed(r, "write the directory of") : 0);
}

/* What stood beside the old content must not be beside the new. */
static int
neighbours_remove(struct restore *r)
{
	static const char *const	suffix[] = { "-wal", "-shm",
					    "-journal" };
	char				name[NAME_MAX + 16];
	size_t				i;

	for (i = 0; i < nitems(suffix); i++) {
		snprintf(name, sizeof(name), "%.*s%s", NAME_MAX,
		    r->c.look.name, suffix[i]);
		if (unlinkat(r->c.look.dir, name, 0) == -1 && errno != ENOENT)
			return (io_failed(r, "remove what is beside"));
	}
	return (directory_sync(r));
}

/* link(2) does not replace a file that appeared meanwhile. */
static int
name_give(struct restore *r, const char *staged)
{
	struct look	*l = &r->c.look;

	if (!r->missing)
		return (renameat(l->dir, staged, l->dir, l->name) == -1 ?
		    io_failed(r, "replace") : 0);
	if (linkat(l->dir, staged, l->dir, l->name, 0) == -1)
		return (io_failed(r, "create"));
	return (unlinkat(l->dir, staged, 0) == -1 ?
	    io_failed(r, "rename") : 0);
}

/* Kept before it goes: also a -wal that has lost its database. */
static int
keep_old(struct restore *r)
{
	uint64_t	start_us = util_monotonic_us();
	int		rv;

	if (!r->missing) {
		if (restore_keep_all(r) == -1)
			return (-1);
		r->kept.uid = r->c.look.st.st_uid;
		r->kept.gid = r->c.look.st.st_gid;
		r->kept.mode = r->c.look.st.st_mode & 07777;
	} else if (restore_keep_raw(r, "-wal",
	    worker_file(W_FILE_RAW_WAL)) == -1 || restore_keep_raw(r,
	    "-journal", worker_file(W_FILE_RAW_JOURNAL)) == -1)
		return (-1);
	rv = restore_kept(r);
	(void)worker_lap(PHASE_SAFETY, start_us);
	return (rv);
}

static int
time_equal(const struct timespec *a, const struct timespec *b)
{
	return (a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec);
}

static int
is_same_file(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && time_equal(&a->st_mtim,
	    &b->st_mtim) && time_equal(&a->st_ctim, &b->st_ctim));
}

/* Before SQLite has it open: closing it here would drop its locks. */
static int
still_unreadable(const struct look *l)
{
	uint8_t	h[SQLITE_HEADER_BYTES];
	ssize_t	n;
	int	fd;

	if ((fd = look_beside(l, "", O_RDONLY)) == -1)
		return (0);
	n = pread(fd, h, sizeof(h), 0);
	close(fd);
	return (n > 0 && (n < (ssize_t)sizeof(h) || !sqlite_is_header(h)));
}

int
restore_same_check(struct restore *r, int exactly)
{
	struct look	*l = &r->c.look;
	struct stat	 st;
	int		 there;

	there = look_stat_beside(l, "", &st) == 0;
	if (r->missing ? !there && errno == ENOENT : there &&
	    (exactly ? is_same_file(&st, &l->st) : still_unreadable(l)))
		return (0);
	return (fail(r->error, E_BUSY, "%s %s while the restore was made "
	    "ready; it was not touched", r->c.look.path, r->missing ?
	    "was made" : "changed"));
}

int
replace_run(struct restore *r)
{
	struct look	*l = &r->c.look;
	char		 staged[NAME_MAX + 32];
	uint64_t	 start_us;
	int		 rv;

	if ((r->missing && missing_prepare(r) == -1) ||
	    look_confine(l, r->error) == -1)
		return (-1);
	if ((size_t)snprintf(staged, sizeof(staged), ".%.200s%s", l->name,
	    STAGE_SUFFIX) >= sizeof(staged))
		return (fail(r->error, E_UNSAFE_PATH, "%s is too long",
		    l->path));
	start_us = util_monotonic_us();
	rv = stage(r, staged);
	(void)worker_lap(PHASE_TRANSACTION, start_us);
	if (rv == 0 && (keep_old(r) == -1 || restore_same_check(r, 1) == -1 ||
	    neighbours_remove(r) == -1 || name_give(r, staged) == -1 || directory_sync(r) == -1))
		rv = -1;
	if (rv == -1)
		(void)unlinkat(l->dir, staged, 0);
	r->result->method = RESTORE_REPLACE;
	r->result->size = r->source_size;
	return (rv);
}
