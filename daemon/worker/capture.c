/*
 * Workers run this: one capture (design.md section 3).  It owns the one
 * SQLite connection of the process, and must hold its read transaction no
 * longer than the copy takes.  It never opens with CREATE, never changes
 * the journal mode, never checkpoints while somebody else is connected.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/procs.h"
#include "common/thread.h"
#include "common/util.h"
#include "daemon/worker/behind.h"
#include "daemon/worker/capture.h"
#include "daemon/worker/worker.h"

#define COPY_TRIES	3
#define SPACE_EVERY	(64 * 1024 * 1024)	/* bytes between two looks */
#define BUSY_SLEEP_US	10000
#define AHEAD_BYTES	(8 * 1024 * 1024)	/* less is quick anyway */

/* ---- limits while the lock is held ---- */

int
capture_write_failed(struct capture *c, int error)
{
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return (fail(c->error, E_INSUFFICIENT_SPACE,
		    "the backup directory is full: the copy of %s does not "
		    "fit", c->look.path));
	return (fail(c->error, E_IO_ERROR,
	    "cannot write to the backup directory: %s", strerror(error)));
}

/* H10: what is left on the live database's own file system. */
static int
space_check(struct capture *c, uint64_t need)
{
	struct statvfs	v;
	uint64_t	free_bytes, reserve;

	if (fstatvfs(c->out, &v) == -1)
		return (capture_write_failed(c, errno));
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	reserve = c->same_fs ? c->order->reserve : 0;
	if (free_bytes >= need && free_bytes - need >= reserve)
		return (0);
	return (fail(c->error, E_INSUFFICIENT_SPACE,
	    "the backup directory has %ju bytes free, a copy of %s wants %ju "
	    "and %ju in reserve", (uintmax_t)free_bytes, c->look.path,
	    (uintmax_t)need, (uintmax_t)reserve));
}

int
capture_go_on(struct capture *c, uint64_t done, uint64_t total)
{
	uint64_t	held_ms;

	worker_progress(c->began_us == 0 ? "ahead" : "copy", done, total);
	if (worker_stopping())
		return (fail(c->error, E_SHUTTING_DOWN,
		    "the backup was given up because the daemon ends"));
	held_ms = c->began_us == 0 ? 0 :
	    (util_monotonic_us() - c->began_us) / 1000;
	if (held_ms > c->order->lock_limit_ms)
		return (fail(c->error, E_LOCK_LIMIT,
		    "copying %s took longer than the lock limit of %u ms "
		    "(%ju of %ju bytes were done)", c->look.path,
		    c->order->lock_limit_ms, (uintmax_t)done,
		    (uintmax_t)total));
	if (c->same_fs && done / SPACE_EVERY !=
	    (done + 1024 * 1024) / SPACE_EVERY)
		return (space_check(c, 0));
	return (0);
}

/* ---- opening ---- */

static int
on_busy(void *arg, int count)
{
	struct capture	*c = arg;
	uint64_t	 waited_ms;

	(void)count;
	waited_ms = (util_monotonic_us() - c->began_us) / 1000;
	if (worker_stopping() || waited_ms >= c->order->lock_timeout_ms)
		return (0);
	worker_progress("lock", 0, 0);
	usleep(BUSY_SLEEP_US);
	return (1);
}

int
capture_sqlite_failed(struct capture *c, int rc)
{
	const char	*path = c->look.path;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return (fail(c->error, E_DATABASE_LOCKED,
		    "%s is locked by another process, for longer than %u ms",
		    path, c->order->lock_timeout_ms));
	case SQLITE_NOTADB:
		return (fail(c->error, E_NOT_A_DATABASE,
		    "%s is not a SQLite database, or it is encrypted", path));
	case SQLITE_CORRUPT:
		return (fail(c->error, E_DATABASE_DAMAGED,
		    "%s is damaged: %s", path, sqlite3_errmsg(c->db)));
	case SQLITE_READONLY:
		return (fail(c->error, rc == SQLITE_READONLY_ROLLBACK ?
		    E_HOT_JOURNAL : E_PERMISSION_DENIED,
		    "%s cannot be read as it is: a transaction was cut short, "
		    "and it may not be written to", path));
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return (fail(c->error, E_PERMISSION_DENIED,
		    "%s, or what SQLite keeps beside it, cannot be opened "
		    "by its owner (uid %u)", path, (unsigned)geteuid()));
	default:
		return (fail(c->error, E_IO_ERROR, "cannot read %s: %s",
		    path, sqlite3_errmsg(c->db)));
	}
}

/*
 * How to open it.  A rollback-mode database is only read: then SQLite can
 * not roll back a journal that appeared after we looked.  A WAL database
 * must be writable, for the -shm.  On a file system that is mounted
 * read-only nothing can be made, and nobody writes.
 */
static int
open_flags(struct capture *c, int write, const char **query)
{
	*query = "";
	if (c->look.read_only_fs) {
		*query = "?immutable=1";
		return (SQLITE_OPEN_READONLY);
	}
	return (c->look.wal_mode || write ? SQLITE_OPEN_READWRITE :
	    SQLITE_OPEN_READONLY);
}

/* A path as a file: URI, with what is special there escaped. */
static void
uri_make(char *dst, size_t size, const char *path, const char *query)
{
	static const char	hex[] = "0123456789ABCDEF";
	size_t			n;

	n = strlcpy(dst, "file:", size);
	for (; *path != '\0' && n + 4 < size; path++) {
		if (strchr("%?#", *path) != NULL) {
			dst[n++] = '%';
			dst[n++] = hex[(unsigned char)*path >> 4];
			dst[n++] = hex[(unsigned char)*path & 15];
		} else
			dst[n++] = *path;
	}
	dst[n] = '\0';
	strlcat(dst, query, size);
}

int
capture_open(struct capture *c, int recover, int writable)
{
	const char	*query;
	char		 uri[PATH_BYTES * 3 + 32];
	int		 flags, rc;

	if (c->look.read_only_fs && c->look.wal_size > 0)
		return (fail(c->error, E_PERMISSION_DENIED,
		    "%s is on a file system that is mounted read-only, and "
		    "part of it is still in its -wal", c->look.path));
	flags = open_flags(c, recover || writable, &query);
	uri_make(uri, sizeof(uri), c->look.path, query);
	rc = sqlite3_open_v2(uri, &c->db, flags | SQLITE_OPEN_URI |
	    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, c->vfs == NULL ?
	    "unix" : c->vfs);
	if (rc != SQLITE_OK)
		return (capture_sqlite_failed(c, rc));
	sqlite3_extended_result_codes(c->db, 1);
	if (sqlite3_busy_handler(c->db, on_busy, c) != SQLITE_OK ||
	    sqlite3_wal_autocheckpoint(c->db, 0) != SQLITE_OK ||
	    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1,
	    NULL) != SQLITE_OK ||
	    sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL) != SQLITE_OK)
		return (capture_sqlite_failed(c, sqlite3_errcode(c->db)));
	return (0);
}

int
capture_handles(struct capture *c)
{
	uint8_t	header[SQLITE_HEADER_BYTES];

	if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER,
	    &c->main_file) != SQLITE_OK ||
	    sqlite3_file_control(c->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &c->wal_file) != SQLITE_OK || c->main_file == NULL ||
	    c->main_file->pMethods == NULL)
		return (fail(c->error, E_WORKER_FAILED,
		    "SQLite does not give its file handles"));
	memset(header, 0, sizeof(header));
	(void)c->main_file->pMethods->xRead(c->main_file, header,
	    sizeof(header), 0);	/* an empty file: short, and zeroed */
	if (sqlite_is_header(header))
		c->result->page_size = sqlite_page_size(header);
	c->wal = header[SQLITE_READ_VERSION_AT] == 2 &&
	    !c->look.read_only_fs;
	return (0);
}

/*
 * H6: schema_version reads the header and parses nothing, and by that
 * takes the lock.
 */
int
capture_begin(struct capture *c)
{
	int	rc;

	c->began_us = util_monotonic_us();
	rc = sqlite3_exec(c->db, "BEGIN; PRAGMA schema_version", NULL, NULL,
	    NULL);
	c->result->lock_wait_us = util_monotonic_us() - c->began_us;
	worker_spent(PHASE_LOCK_WAIT, c->result->lock_wait_us);
	if (rc != SQLITE_OK)
		return (capture_sqlite_failed(c, rc));
	c->began_us = util_monotonic_us();
	if (capture_handles(c) == -1)
		return (-1);
	return (c->wal ? shm_is_shared(c) : 0);
}

static int
copy(struct capture *c)
{
	enum copy_result	r = COPY_FALLBACK;
	int			tries;

	if (c->order->method == CAPTURE_RAW) {
		c->result->method = CAPTURE_RAW;
		for (tries = 0; tries < COPY_TRIES; tries++) {
			if ((r = copy_raw(c)) != COPY_AGAIN)
				break;
			c->result->restarts++;
			/* The hash of what was there is void. */
			hasher_abandon(c->hasher);
			if ((c->hasher = hasher_start(c->out)) == NULL)
				return (fail(c->error, E_WORKER_FAILED,
				    "cannot start a thread"));
		}
		if (r == COPY_AGAIN) {
			strlcpy(c->result->fallback, "the checksums of the "
			    "WAL do not reach the last commit",
			    sizeof(c->result->fallback));
			r = COPY_FALLBACK;
		}
		if (r == COPY_FALLBACK) {
			hasher_abandon(c->hasher);
			if ((c->hasher = hasher_start(c->out)) == NULL)
				return (fail(c->error, E_WORKER_FAILED,
				    "cannot start a thread"));
		}
	}
	if (r == COPY_FALLBACK) {
		c->result->wal_frames = 0;
		r = copy_backup(c);
	}
	return (r == COPY_OK ? 0 : -1);
}

void
capture_end(struct capture *c)
{
	if (c->db == NULL)
		return;
	if (!sqlite3_get_autocommit(c->db)) {
		(void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
		c->result->lock_held_us = util_monotonic_us() - c->began_us;
		worker_spent(PHASE_LOCK_HELD, c->result->lock_held_us);
	}
	/* As any last closer does, SQLite checkpoints if nobody else is
	 * connected, and only then (H8). */
	if (sqlite3_close(c->db) != SQLITE_OK)
		worker_warn(E_WORKER_FAILED, "%s: the connection did not close",
		    c->look.path);
	c->db = NULL;
	shm_tidy(c);
}

/* ---- after the lock ---- */

static void
facts_from_header(struct capture *c, const uint8_t *h)
{
	struct m_w_captured	*r = c->result;

	r->page_size = sqlite_page_size(h);
	r->page_count = r->page_size == 0 ? 0 : r->size / r->page_size;
	r->change_counter = sqlite_get32(h + SQLITE_CHANGE_COUNTER_AT);
	r->schema_cookie = sqlite_get32(h + SQLITE_SCHEMA_COOKIE_AT);
	r->user_version = sqlite_get32(h + SQLITE_USER_VERSION_AT);
	r->application_id = sqlite_get32(h + SQLITE_APPLICATION_ID_AT);
	strlcpy(r->encoding,
	    sqlite_encoding_name(sqlite_get32(h + SQLITE_ENCODING_AT)),
	    sizeof(r->encoding));
}

int
capture_facts(struct capture *c)
{
	struct m_w_captured	*r = c->result;
	uint8_t			 h[SQLITE_HEADER_BYTES];

	r->dev = (uint64_t)c->look.st.st_dev;
	r->ino = (uint64_t)c->look.st.st_ino;
	r->mtime_ns = (int64_t)c->look.st.st_mtim.tv_sec * 1000000000 +
	    c->look.st.st_mtim.tv_nsec;
	r->uid = c->look.st.st_uid;
	r->gid = c->look.st.st_gid;
	r->mode = c->look.st.st_mode & 07777;
	strlcpy(r->journal_mode, c->wal || c->look.wal_mode ? "wal" :
	    "delete", sizeof(r->journal_mode));
	if (r->size == 0) {
		strlcpy(r->encoding, "UTF-8", sizeof(r->encoding));
		return (0);
	}
	if (pread(c->out, h, sizeof(h), 0) != sizeof(h))
		return (capture_write_failed(c, errno));
	facts_from_header(c, h);
	return (0);
}

static int
sync_artifact(struct capture *c)
{
	uint64_t	start_us = util_monotonic_us();
	int		error;

	worker_progress("sync", c->result->size, c->result->size);
	if ((error = behind_rest(c->out, c->result->size)) != 0)
		return (capture_write_failed(c, error));
	if (fsync(c->out) == -1)
		return (capture_write_failed(c, errno));
	c->result->sync_us = util_monotonic_us() - start_us;
	worker_spent(PHASE_FSYNC, c->result->sync_us);
	return (0);
}

static int
settle(struct capture *c)
{
	struct hasher	*h = c->hasher;

	if (!c->result->gentle)
		hasher_advance(h, c->result->size);
	if (!(c->order->flags & CAPTURE_SCRATCH) && sync_artifact(c) == -1)
		return (-1);
	c->hasher = NULL;
	if (hasher_finish(h, c->result->size, c->result->checksum) == -1)
		return (fail(c->error, E_IO_ERROR,
		    "cannot read the copy back: %s", strerror(errno)));
	if (c->order->flags & CAPTURE_FORGET)
		filesystem_forget(c->out, 0, 0);
	return (capture_facts(c));
}

static int
prepare(struct capture *c)
{
	struct stat	st;
	uint64_t	need;
	int		recover;

	if (look_open(&c->order->look, &c->look, c->error) == -1)
		return (-1);
	if (fstat(c->out, &st) == -1)
		return (capture_write_failed(c, errno));
	c->same_fs = st.st_dev == c->look.st.st_dev;
	/* A sparse file needs no more than it occupies. */
	need = (uint64_t)c->look.st.st_blocks * 512;
	if (need > (uint64_t)c->look.st.st_size)
		need = (uint64_t)c->look.st.st_size;
	need += (uint64_t)c->look.wal_size;
	if (space_check(c, need) == -1 ||
	    look_journal(&c->look, c->order->lock_timeout_ms, &recover,
	    c->error) == -1)
		return (-1);
	c->locks = procs_locks_open();
	if (look_confine(&c->look, c->error) == -1)
		return (-1);
	/* Before any lock: what is written from here on makes the next look
	 * see a change, whether or not it is in this copy. */
	signature_take(&c->look, &c->result->signature);
	return (capture_open(c, recover, 0));
}

struct gentle {
	int		(*run)(struct capture *);
	struct capture	*capture;
	int		 result;
};

static void *
gentle_run(void *arg)
{
	struct gentle	*g = arg;

	thread_give_way();
	g->result = g->run(g->capture);
	return (NULL);
}

/* Nobody waits for what is done without the lock: in a thread that gives
 * way, because this one could not stop giving way. */
static int
gently(int (*run)(struct capture *), struct capture *c)
{
	struct gentle	g = { run, c, -1 };
	pthread_t	thread;

	if (pthread_create(&thread, NULL, gentle_run, &g) != 0)
		return (fail(c->error, E_WORKER_FAILED,
		    "cannot start a thread"));
	pthread_join(thread, NULL);
	return (g.result);
}

/*
 * A transaction of nothing makes SQLite open the log, and recover it where
 * nobody has done that: under locks, for which nobody is to wait while a
 * thread gives way.  0, 1 when it cannot, which the capture will tell, or -1
 * and *error.
 */
static int
open_log(struct capture *c)
{
	int	rc;

	if (capture_handles(c) == -1)
		return (-1);
	if (!c->wal)
		return (0);
	rc = sqlite3_exec(c->db, "BEGIN; PRAGMA schema_version; COMMIT",
	    NULL, NULL, NULL);
	if (!sqlite3_get_autocommit(c->db))
		(void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return (rc == SQLITE_OK ? capture_handles(c) : 1);
}

/*
 * A large database is copied ahead without the lock, so that what is done
 * under it is reading, and writing the few parts that changed.
 */
static int
ahead(struct capture *c)
{
	int	r;

	if (c->order->method != CAPTURE_RAW ||
	    c->look.st.st_size < AHEAD_BYTES)
		return (0);
	if ((c->hasher = hasher_start(c->out)) == NULL)
		return (fail(c->error, E_WORKER_FAILED,
		    "cannot start a thread"));
	if ((r = open_log(c)) != 0)
		return (r == 1 ? 0 : -1);
	if (gently(copy_ahead, c) == -1)
		return (-1);
	c->update = 1;
	return (0);
}

int
capture_run(const struct m_w_capture *order, int artifact,
    struct m_w_captured *result, struct m_error *error)
{
	struct capture	c;
	int		r = -1;

	memset(&c, 0, sizeof(c));
	c.order = order;
	c.result = result;
	c.error = error;
	c.out = artifact;
	c.locks = -1;
	c.look.dir = -1;
	worker_progress("look", 0, 0);
	if (prepare(&c) == 0 && ahead(&c) == 0 && capture_begin(&c) == 0) {
		if (c.hasher == NULL &&
		    (c.hasher = hasher_start(artifact)) == NULL)
			fail(error, E_WORKER_FAILED, "cannot start a thread");
		else
			r = copy(&c);
	}
	capture_end(&c);
	if (r == 0)
		r = settle(&c);
	hasher_abandon(c.hasher);
	if (c.locks != -1)
		close(c.locks);
	look_free(&c.look);
	free(c.parts);
	return (r);
}
