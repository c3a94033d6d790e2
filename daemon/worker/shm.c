/*
 * Workers run this: what stands beside a WAL database.  It must not leave
 * a file that was not there, nor take one away that somebody uses.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/capture.h"
#include "daemon/worker/worker.h"

#define HOLDERS_MAX	1024
#define WAIT_US		500000
#define PAUSE_NS	20000000L

struct holders {
	pid_t	pid[HOLDERS_MAX];
	size_t	n;
};

static int
add_shared(const struct procs_lock *k, void *arg)
{
	struct holders	*h = arg;

	if (!k->waiting && k->last >= SQLITE_SHARED_FIRST &&
	    k->first < SQLITE_SHARED_FIRST + SQLITE_SHARED_BYTES &&
	    h->n < HOLDERS_MAX)
		h->pid[h->n++] = k->pid;
	return (0);
}

static int
add_dms(const struct procs_lock *k, void *arg)
{
	struct holders	*h = arg;

	if (!k->waiting && k->first <= SHM_LOCK_DMS &&
	    k->last >= SHM_LOCK_DMS && h->n < HOLDERS_MAX)
		h->pid[h->n++] = k->pid;
	return (0);
}

static int
holds(const struct holders *h, pid_t pid)
{
	size_t	i;

	for (i = 0; i < h->n; i++) {
		if (h->pid[i] == pid)
			return (1);
	}
	return (0);
}

/*
 * The first holder of SHARED who does not use our -shm; 0 if none.  *seen
 * is 0 when this system does not show even our own locks by this file's
 * number.
 */
static pid_t
stranger(struct capture *c, int *seen)
{
	struct holders	shared = { .n = 0 }, dms = { .n = 0 };
	struct stat	shm;
	size_t		i;

	*seen = 0;
	if (look_stat_beside(&c->look, "-shm", &shm) == -1 ||
	    procs_locks(c->locks, c->look.st.st_dev, c->look.st.st_ino,
	    add_shared, &shared) == -1 ||
	    procs_locks(c->locks, shm.st_dev, shm.st_ino, add_dms,
	    &dms) == -1)
		return (0);
	*seen = holds(&shared, getpid()) && holds(&dms, getpid());
	for (i = 0; i < shared.n; i++) {
		if (!holds(&dms, shared.pid[i]))
			return (shared.pid[i]);
	}
	return (0);
}

int
shm_is_shared(struct capture *c)
{
	struct timespec	pause = { 0, PAUSE_NS };
	uint64_t	end_us = util_monotonic_us() + WAIT_US;
	pid_t		pid;
	int		seen;

	if (c->look.unsafe_ok)
		return (0);
	/* Who is just opening it has the one lock before the other. */
	for (;;) {
		pid = c->locks == -1 ? 0 : stranger(c, &seen);
		if (c->locks == -1 || !seen) {
			worker_warn(E_DATABASE_ALIASED,
			    "%s: this system does not list the locks on it; "
			    "whether it is used under another name was not "
			    "checked", c->look.path);
			return (0);
		}
		if (pid == 0)
			return (0);
		if (util_monotonic_us() > end_us)
			break;
		nanosleep(&pause, NULL);
	}
	return (fail(c->error, E_DATABASE_ALIASED,
	    "process %d uses %s under another name, with a -wal of its own "
	    "(a bind mount?): what it wrote would be missed", (int)pid,
	    c->look.path));
}

/* A file that we made and others use must be theirs as well. */
static void
share(struct capture *c, int fd, const struct stat *st)
{
	mode_t	mode = c->look.st.st_mode & 07777;

	if (st->st_uid == geteuid() && st->st_gid != c->look.st.st_gid &&
	    fchown(fd, (uid_t)-1, c->look.st.st_gid) == -1)
		worker_warn(E_PERMISSION_DENIED,
		    "%s: cannot give what stands beside it to its group: %s",
		    c->look.path, strerror(errno));
	if (st->st_uid == geteuid() && (st->st_mode & 07777) != mode &&
	    fchmod(fd, mode) == -1)
		worker_warn(E_PERMISSION_DENIED,
		    "%s: cannot set the mode of what stands beside it: %s",
		    c->look.path, strerror(errno));
}

static void
unlink_beside(struct capture *c, const char *suffix)
{
	char	name[NAME_MAX + 16];

	strlcpy(name, c->look.name, sizeof(name));
	strlcat(name, suffix, sizeof(name));
	if (unlinkat(c->look.dir, name, 0) == -1 && errno != ENOENT)
		worker_warn(E_PERMISSION_DENIED,
		    "%s was made beside the database and cannot be removed: "
		    "%s", name, strerror(errno));
}

/*
 * The -shm for writing: a lock wants that.  SQLite gives it the database's
 * mode; where that is read-only, what we made is still ours to change.
 */
static int
shm_open_rw(struct capture *c)
{
	struct stat	st;
	int		fd, ro;

	fd = look_beside(&c->look, "-shm", O_RDWR);
	if (fd != -1 || errno != EACCES ||
	    (ro = look_beside(&c->look, "-shm", O_RDONLY)) == -1)
		return (fd);
	if (fstat(ro, &st) == 0 && st.st_uid == geteuid() &&
	    fchmod(ro, (st.st_mode & 07777) | S_IWUSR) == 0)
		fd = look_beside(&c->look, "-shm", O_RDWR);
	close(ro);
	return (fd);
}

/*
 * A connection that may only read can't remove what it made.  Whoever
 * opens a WAL database needs the DMS lock on the -shm: while we hold it
 * alone, nobody is or can get connected, and what we made can go.
 */
void
shm_tidy(struct capture *c)
{
	struct flock	fl;
	struct stat	shm, wal;
	int		fd;

	if (!c->wal || c->look.had_shm || (fd = shm_open_rw(c)) == -1)
		return;
	memset(&fl, 0, sizeof(fl));
	fl.l_type = F_WRLCK;
	fl.l_whence = SEEK_SET;
	fl.l_start = SHM_LOCK_DMS;
	fl.l_len = 1;
	if (fstat(fd, &shm) == 0 && fcntl(fd, F_SETLK, &fl) == 0) {
		if (!c->look.had_wal &&
		    look_stat_beside(&c->look, "-wal", &wal) == 0 &&
		    wal.st_size == 0)
			unlink_beside(c, "-wal");
		unlink_beside(c, "-shm");
		/* Held until this process ends: somebody may have opened
		 * the -shm just before it lost its name, and must find it
		 * locked, or two would each have their own. */
		return;
	}
	share(c, fd, &shm);
	close(fd);
	if (!c->look.had_wal &&
	    (fd = look_beside(&c->look, "-wal", O_RDWR)) != -1) {
		if (fstat(fd, &wal) == 0)
			share(c, fd, &wal);
		close(fd);
	}
}
