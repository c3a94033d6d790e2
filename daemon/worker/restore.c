/*
 * Workers run this: an image back into the live database, in one SQLite
 * transaction, while the applications that use it go on (design.md section
 * 4).  It owns the one connection.  Until the last step commits, a crash
 * or an error leaves the old content.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/behind.h"
#include "daemon/worker/gather.h"
#include "daemon/worker/restore.h"
#include "daemon/worker/vfs_fd.h"
#include "daemon/worker/worker.h"

#define STEP_PAGES	1000
#define RAW_BYTES	(256 * 1024)

/* SQLite before these can corrupt a WAL database when it checkpoints while
 * others are connected (H8). */
static int
checkpoint_is_safe(void)
{
	int	v = sqlite3_libversion_number();

	return (v >= 3051003 || (v >= 3050007 && v < 3051000) ||
	    (v >= 3044006 && v < 3045000));
}

/* ---- what is there now is kept ---- */

int
restore_keep_raw(struct restore *r, const char *suffix, int out)
{
	static char	buf[RAW_BYTES];
	ssize_t		n;
	off_t		off = 0;
	int		fd;

	if (ftruncate(out, 0) == -1)
		return (capture_write_failed(&r->c, errno));
	if ((fd = look_beside(&r->c.look, suffix, O_RDONLY)) == -1)
		return (errno == ENOENT ? 0 : fail(r->error, E_IO_ERROR,
		    "cannot read %s%s: %s", r->c.look.path, suffix,
		    strerror(errno)));
	while ((n = pread(fd, buf, sizeof(buf), off)) > 0) {
		if (pwrite(out, buf, (size_t)n, off) != n) {
			close(fd);
			return (capture_write_failed(&r->c, errno));
		}
		off += n;
		worker_progress("safety", (uint64_t)off,
		    (uint64_t)r->c.look.st.st_size);
	}
	close(fd);
	if (n == -1)
		return (fail(r->error, E_IO_ERROR, "cannot read %s%s: %s",
		    r->c.look.path, suffix, strerror(errno)));
	if (fsync(out) == -1)
		return (capture_write_failed(&r->c, errno));
	if (suffix[0] == '\0')
		r->kept.size = (uint64_t)off;
	return (0);
}

int
restore_keep_all(struct restore *r)
{
	if (restore_keep_raw(r, "", r->c.out) == -1 ||
	    restore_keep_raw(r, "-wal", worker_file(W_FILE_RAW_WAL)) == -1 ||
	    restore_keep_raw(r, "-journal",
	    worker_file(W_FILE_RAW_JOURNAL)) == -1)
		return (-1);
	return (0);
}

/*
 * The main file while the lock is held: through SQLite's handle, because
 * closing another descriptor of it would drop the lock.
 */
static int
keep_main_locked(struct restore *r)
{
	static char	 buf[RAW_BYTES];
	sqlite3_file	*f = r->c.main_file;
	sqlite3_int64	 size, off, n;

	if (ftruncate(r->c.out, 0) == -1)
		return (capture_write_failed(&r->c, errno));
	if (f->pMethods->xFileSize(f, &size) != SQLITE_OK)
		return (fail(r->error, E_IO_ERROR, "cannot read %s",
		    r->c.look.path));
	for (off = 0; off < size; off += n) {
		n = size - off < RAW_BYTES ? size - off : RAW_BYTES;
		if (f->pMethods->xRead(f, buf, (int)n, off) != SQLITE_OK)
			return (fail(r->error, E_IO_ERROR, "cannot read %s",
			    r->c.look.path));
		if (pwrite(r->c.out, buf, (size_t)n, off) != (ssize_t)n)
			return (capture_write_failed(&r->c, errno));
	}
	r->kept.size = (uint64_t)size;
	return (0);
}

static int
given_up(struct restore *r)
{
	return (fail(r->error, E_SHUTTING_DOWN,
	    "the restore was given up because the daemon ends"));
}

/* Before that no write lock is taken, and nothing is written where the
 * database is. */
static int
await_sound(struct restore *r)
{
	return (worker_sound("safety", r->kept.size) == -1 ? given_up(r) : 0);
}

int
restore_kept(struct restore *r)
{
	worker_file_close(W_FILE_SAFETY);
	r->c.out = -1;
	return (worker_safety(&r->kept) == -1 ? given_up(r) : 0);
}

/* A copy of what is there, into the safety artifact: first without the
 * write lock, then (update) under it, where little differs (H11). */
static int
keep(struct restore *r, int update)
{
	enum copy_result	cr;
	int			tries;

	r->c.update = update;
	for (tries = 0; tries < 3; tries++) {
		if ((cr = copy_raw(&r->c)) == COPY_OK)
			return (0);
		if (cr == COPY_FAILED)
			return (-1);
		if (cr == COPY_FALLBACK)
			break;
	}
	if (!update)
		/* Only a first draft: what counts is done under the lock. */
		return (0);
	return (fail(r->error, E_DATABASE_DAMAGED, "what %s holds now cannot "
	    "be kept exactly (%s), so it is not replaced", r->c.look.path,
	    r->kept.fallback[0] != '\0' ? r->kept.fallback :
	    "the checksums of the WAL do not reach the last commit"));
}

static int
keep_ahead(struct restore *r)
{
	uint64_t	start_us = util_monotonic_us();
	int		rv;

	worker_progress("safety", 0, 0);
	rv = keep(r, 0);
	if (sqlite3_exec(r->c.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK &&
	    rv == 0)
		rv = capture_sqlite_failed(&r->c,
		    sqlite3_extended_errcode(r->c.db));
	/* Here, so that little is left to be written under the lock. */
	if (rv == 0 && fdatasync(r->c.out) == -1)
		rv = capture_write_failed(&r->c, errno);
	(void)worker_lap(PHASE_SAFETY, start_us);
	return (rv);
}

/* Under the write lock: exact, on disk, and known to the engine. */
static int
keep_exactly(struct restore *r)
{
	uint64_t	start_us = util_monotonic_us();
	int		rv;

	if (capture_handles(&r->c) == -1 || (r->unreadable ?
	    keep_main_locked(r) == -1 || restore_keep_raw(r, "-wal",
	    worker_file(W_FILE_RAW_WAL)) == -1 : keep(r, 1) == -1))
		return (-1);
	if (fsync(r->c.out) == -1)
		return (capture_write_failed(&r->c, errno));
	rv = capture_facts(&r->c) == -1 ? -1 : restore_kept(r);
	(void)worker_lap(PHASE_SAFETY, start_us);
	return (rv);
}

/* ---- may it go on? ---- */

static int
source_open(struct restore *r)
{
	struct stat	st;
	ssize_t		n;

	r->source = worker_file(W_FILE_SOURCE);
	r->c.out = worker_file(W_FILE_SAFETY);
	if (r->source == -1 || r->c.out == -1 ||
	    worker_file(W_FILE_RAW_WAL) == -1 ||
	    worker_file(W_FILE_RAW_JOURNAL) == -1)
		return (fail(r->error, E_WORKER_FAILED,
		    "a descriptor is missing"));
	if (fstat(r->source, &st) == -1)
		return (fail(r->error, E_IO_ERROR, "the image: %s",
		    strerror(errno)));
	r->source_size = (uint64_t)st.st_size;
	n = pread(r->source, r->header, sizeof(r->header), 0);
	if (r->source_size == 0)
		return (0);
	if (n != sizeof(r->header) || !sqlite_is_header(r->header))
		return (fail(r->error, E_INVALID_BACKUP,
		    "the backup is not a database"));
	return (0);
}

/* The disk (design.md 4.6): before anything is begun. */
static int
space_check(struct restore *r)
{
	struct look	*l = &r->c.look;
	struct statvfs	 v;
	uint64_t	 free_bytes, need, live = (uint64_t)l->st.st_size;

	if (fstatvfs(l->dir, &v) == -1)
		return (fail(r->error, E_IO_ERROR, "%s: %s", l->path,
		    strerror(errno)));
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	/* The -wal takes the whole image; a rollback journal the pages that
	 * are replaced, and the file may grow. */
	need = r->source_size;
	if (!l->wal_mode && !r->missing)
		need = (live < r->source_size ? r->source_size - live : 0) +
		    live;
	need += r->order->reserve;
	/* The safety backup may lie on the same disk. */
	if (r->c.same_fs)
		need += (uint64_t)l->st.st_blocks * 512 +
		    (uint64_t)l->wal_size;
	if (free_bytes >= need)
		return (0);
	return (fail(r->error, E_INSUFFICIENT_SPACE,
	    "the file system of %s has %ju bytes free, the restore wants %ju: "
	    "%ju are missing; nothing was changed", l->path,
	    (uintmax_t)free_bytes, (uintmax_t)need,
	    (uintmax_t)(need - free_bytes)));
}

/* Facts section 1: readers that are connected would fail for ever. */
static int
encoding_check(struct restore *r)
{
	uint32_t	now, then;

	if (r->unreadable || r->c.look.header_bytes < SQLITE_HEADER_BYTES ||
	    r->source_size == 0)
		return (0);
	now = sqlite_get32(r->c.look.header + SQLITE_ENCODING_AT);
	then = sqlite_get32(r->header + SQLITE_ENCODING_AT);
	if (now == then || now == 0 || then == 0 ||
	    (r->order->flags & W_RESTORE_FORCE))
		return (0);
	return (fail(r->error, E_FORCE_REQUIRED,
	    "the backup is in %s, the database %s in %s: applications that "
	    "are connected would fail until they open it again",
	    sqlite_encoding_name(then), r->c.look.path,
	    sqlite_encoding_name(now)));
}

static int
found_opener(pid_t pid, int fd, void *arg)
{
	(void)fd;
	*(pid_t *)arg = pid;
	return (1);
}

/* H12: only with force. */
static int
unreadable_check(struct restore *r)
{
	struct look	*l = &r->c.look;

	if (l->header_bytes == 0 || (l->header_bytes ==
	    SQLITE_HEADER_BYTES && sqlite_is_header(l->header)))
		return (0);
	if (!(r->order->flags & W_RESTORE_FORCE))
		return (fail(r->error, E_FORCE_REQUIRED,
		    "%s is not a database as it is now, or it is encrypted: "
		    "a restore would overwrite that", l->path));
	r->unreadable = 1;
	return (0);
}

/*
 * What goes another way than a live database waits before it looks who has
 * it open, which decides how (H13).
 */
static int
other_check(struct restore *r)
{
	struct look	*l = &r->c.look;
	pid_t		 pid;
	int		 incomplete, found;

	if (!r->missing && !r->unreadable)
		return (0);
	if (await_sound(r) == -1 || restore_same_check(r, 0) == -1)
		return (-1);
	if (!r->unreadable)
		return (0);
	found = procs_openers(l->st.st_dev, l->st.st_ino, found_opener, &pid,
	    &incomplete);
	r->opened = found != 0 || incomplete;
	return (0);
}

/* ---- the transaction ---- */

static int
backup_failed(struct restore *r, int rc)
{
	if (rc == SQLITE_FULL)
		return (fail(r->error, E_INSUFFICIENT_SPACE,
		    "the disk of %s is full; the old content stands",
		    r->c.look.path));
	if (rc == SQLITE_READONLY)
		return (fail(r->error, E_PERMISSION_DENIED,
		    "%s may not be written to, or its page size changed just "
		    "now; the old content stands", r->c.look.path));
	return (capture_sqlite_failed(&r->c, rc));
}

static int
steps(struct restore *r, sqlite3_backup *b)
{
	uint64_t	page_size = sqlite_page_size(r->header);
	int		rc;

	do {
		if (worker_stopping())
			return (fail(r->error, E_SHUTTING_DOWN,
			    "the restore was given up because the daemon ends; "
			    "the old content stands"));
		rc = sqlite3_backup_step(b, STEP_PAGES);
		worker_progress("restore", (uint64_t)
		    (sqlite3_backup_pagecount(b) -
		    sqlite3_backup_remaining(b)) * page_size,
		    r->source_size);
	} while (rc == SQLITE_OK);
	return (rc == SQLITE_DONE ? 0 : backup_failed(r, rc));
}

static void
on_written(void *arg, uint64_t bytes)
{
	behind_advance(arg, bytes);
}

/*
 * The -wal goes to the disk while it is written, so that the sync of the
 * commit has little left to wait for.  A descriptor of its own for that
 * drops no lock when it is closed: SQLite locks the database and the -shm.
 */
static struct behind *
trail(struct restore *r, int *fd)
{
	struct behind	*b;

	*fd = r->c.wal ? look_beside(&r->c.look, "-wal", O_RDONLY) : -1;
	if (*fd == -1 || (b = behind_start(*fd)) == NULL)
		return (NULL);
	gather_watch(on_written, b);
	return (b);
}

/* What the disk did not take, SQLite's own descriptor was told, too. */
static void
trail_end(struct behind *b, int fd)
{
	gather_watch(NULL, NULL);
	if (b != NULL)
		(void)behind_end(b);
	if (fd != -1)
		close(fd);
}

static int
write_image(struct restore *r, sqlite3_backup *b)
{
	struct behind	*behind;
	int		 fd, rv;

	(void)gather_begin(sqlite_page_size(r->header));
	behind = trail(r, &fd);
	rv = steps(r, b);
	trail_end(behind, fd);
	return (rv);
}

/*
 * All of it while the lock of step 0 is held.  first: called under it,
 * before a page is written.
 */
static int
backup_into(struct restore *r, sqlite3 *from, int (*first)(struct restore *))
{
	sqlite3_backup	*b;
	uint64_t	 start_us, write_us;
	int		 rc, rv;

	if ((b = sqlite3_backup_init(r->c.db, "main", from, "main")) == NULL)
		return (capture_sqlite_failed(&r->c,
		    sqlite3_extended_errcode(r->c.db)));
	r->c.began_us = start_us = util_monotonic_us();
	worker_progress("lock", 0, 0);
	rc = sqlite3_backup_step(b, 0);
	r->c.began_us = worker_lap(PHASE_LOCK_WAIT, start_us);
	r->result->lock_wait_us += r->c.began_us - start_us;
	write_us = start_us = r->c.began_us;
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		rv = backup_failed(r, rc);
	else if (first != NULL && first(r) == -1)
		rv = -1;
	else {
		write_us = util_monotonic_us();
		rv = write_image(r, b);
	}
	rc = sqlite3_backup_finish(b);
	gather_end();
	if (rv == 0 && rc != SQLITE_OK)
		rv = backup_failed(r, rc);
	if (write_us != start_us)
		(void)worker_lap(PHASE_TRANSACTION, write_us);
	r->result->lock_held_us += worker_lap(PHASE_LOCK_HELD, start_us) -
	    start_us;
	return (rv);
}

/*
 * H12: RESET_DATABASE makes the schema cookie 1, and who has cached a
 * schema of that cookie would write into the wrong table.  So an empty
 * database goes in first, and gets a cookie by chance, from which the real
 * one continues.
 */
static int
reset_unreadable(struct restore *r)
{
	sqlite3	*empty = NULL;
	char	 sql[96];
	int	 rv = -1;

	snprintf(sql, sizeof(sql), "PRAGMA page_size=%u;"
	    "PRAGMA user_version=1", sqlite_page_size(r->header));
	if (sqlite3_open(":memory:", &empty) != SQLITE_OK ||
	    sqlite3_exec(empty, sql, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_db_config(r->c.db, SQLITE_DBCONFIG_RESET_DATABASE, 1,
	    NULL) != SQLITE_OK)
		fail(r->error, E_WORKER_FAILED, "SQLite does not start");
	else
		rv = backup_into(r, empty, keep_exactly);
	sqlite3_close(empty);
	if (rv == -1)
		return (-1);
	snprintf(sql, sizeof(sql), "PRAGMA schema_version=%u",
	    arc4random_uniform(0x3fffffff) + 0x1000);
	if (sqlite3_db_config(r->c.db, SQLITE_DBCONFIG_RESET_DATABASE, 0,
	    NULL) != SQLITE_OK || sqlite3_db_config(r->c.db,
	    SQLITE_DBCONFIG_DEFENSIVE, 0, NULL) != SQLITE_OK ||
	    sqlite3_exec(r->c.db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return (capture_sqlite_failed(&r->c,
		    sqlite3_extended_errcode(r->c.db)));
	return (0);
}

static int
page_size_check(struct restore *r)
{
	uint32_t	then = sqlite_page_size(r->header);

	if (!r->c.wal || r->source_size == 0 || r->kept.page_size == 0 ||
	    r->kept.page_size == then)
		return (0);
	return (fail(r->error, E_BUSY, "the page size of %s is %u bytes, the "
	    "image was prepared for %u: it changed just now",
	    r->c.look.path, r->kept.page_size, then));
}

/* Beside the check of the image: all that wants no write lock. */
static int
prepare(struct restore *r)
{
	if (r->unreadable)
		return (0);
	if (capture_begin(&r->c) == -1 || page_size_check(r) == -1 ||
	    keep_ahead(r) == -1)
		return (-1);
	return (await_sound(r));
}

static int
live(struct restore *r)
{
	sqlite3	*image = NULL;
	int	 rv = -1;

	if (prepare(r) == -1)
		return (-1);
	if (vfs_fd_open(r->source, 0, &image) != SQLITE_OK)
		fail(r->error, E_WORKER_FAILED, "the image cannot be opened");
	else if (r->unreadable)
		rv = reset_unreadable(r) == -1 ? -1 :
		    backup_into(r, image, NULL);
	else
		rv = backup_into(r, image, keep_exactly);
	sqlite3_close(image);
	if (rv == 0 && r->c.wal && checkpoint_is_safe())
		(void)sqlite3_wal_checkpoint_v2(r->c.db, "main",
		    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	r->result->method = RESTORE_LIVE;
	r->result->size = r->source_size;
	return (rv);
}

/* ---- the whole ---- */

static int
look(struct restore *r)
{
	struct capture	*c = &r->c;

	if (look_open(&r->order->look, &c->look, r->error) == 0)
		return (unreadable_check(r));
	if (r->error->code != E_DATABASE_NOT_FOUND)
		return (-1);
	r->missing = 1;
	return (look_directory(&r->order->look, &c->look, r->error));
}

static int
run(struct restore *r)
{
	struct capture	*c = &r->c;
	struct stat	 st;
	int		 recover = 0;

	if (source_open(r) == -1 || look(r) == -1)
		return (-1);
	c->same_fs = fstat(c->out, &st) == 0 &&
	    st.st_dev == c->look.dir_st.st_dev;
	if (space_check(r) == -1 || encoding_check(r) == -1 ||
	    other_check(r) == -1)
		return (-1);
	if (r->missing || (r->unreadable && !r->opened))
		return (replace_run(r));
	/* A journal that would be rolled back over garbage is kept first. */
	if (r->unreadable ? restore_keep_all(r) == -1 :
	    look_journal(&c->look, r->order->lock_timeout_ms, &recover,
	    r->error) == -1)
		return (-1);
	c->locks = procs_locks_open();
	if (gather_register("unix") != SQLITE_OK)
		return (fail(r->error, E_WORKER_FAILED,
		    "SQLite does not start"));
	if (look_confine(&c->look, r->error) == -1 ||
	    capture_open(c, recover, 1) == -1)
		return (-1);
	return (live(r));
}

int
restore_run(const struct m_w_restore *order, struct m_w_restored *result,
    struct m_error *error)
{
	struct restore	r;
	int		rv;

	memset(&r, 0, sizeof(r));
	r.order = order;
	r.result = result;
	r.error = error;
	r.safety_order.lock_timeout_ms = order->lock_timeout_ms;
	r.safety_order.lock_limit_ms = UINT32_MAX;
	r.safety_order.reserve = order->reserve;
	r.c.order = &r.safety_order;
	r.c.result = &r.kept;
	r.c.error = error;
	r.c.keep_parts = 1;
	r.c.vfs = GATHER_VFS;
	r.c.locks = r.c.look.dir = r.c.out = -1;
	worker_progress("look", 0, 0);
	rv = run(&r);
	capture_end(&r.c);
	if (r.c.locks != -1)
		close(r.c.locks);
	look_free(&r.c.look);
	free(r.c.parts);
	return (rv);
}
