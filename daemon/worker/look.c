/*
 * Workers run this with the engine's rights, before anything of the
 * database is parsed; the looker with the right to read.  It owns the O_PATH descriptor of the database's
 * directory.  It must not follow a link, wait on a FIFO or a lease, or read
 * more than a header.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/util.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

static int
refused(const struct m_look *m, const struct stat *st, size_t which)
{
	return (m->refused_ino[which] != 0 &&
	    st->st_dev == (dev_t)m->refused_dev[which] &&
	    st->st_ino == (ino_t)m->refused_ino[which]);
}

static int
walk_failed(const struct look *l, const char *name, struct m_error *e)
{
	struct stat	st;

	if (errno == ENOENT)
		return (fail(e, E_DATABASE_NOT_FOUND,
		    "the database %s does not exist: there is no \"%s\"",
		    l->path, name));
	if ((errno == ELOOP || errno == ENOTDIR) &&
	    fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		return (fail(e, E_UNSAFE_PATH,
		    "\"%s\" in the path of the database %s is a symbolic link "
		    "now and was none when the daemon started", name,
		    l->path));
	if (errno == ENOTDIR)
		return (fail(e, E_DATABASE_NOT_FOUND,
		    "\"%s\" in the path of the database %s is not a directory",
		    name, l->path));
	return (fail(e, errno == EACCES ? E_PERMISSION_DENIED : E_IO_ERROR,
	    "cannot look at \"%s\" in the path of the database %s: %s", name,
	    l->path, strerror(errno)));
}

/* One step down: l->dir becomes the directory `name` in it. */
static int
step_down(const struct m_look *m, struct look *l, const char *name,
    struct m_error *e)
{
	struct stat	st;
	int		fd;

	fd = openat(l->dir, name,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (walk_failed(l, name, e));
	close(l->dir);
	l->dir = fd;
	if (fstat(fd, &st) == -1)
		return (walk_failed(l, name, e));
	if (refused(m, &st, 0))
		return (fail(e, E_UNSAFE_PATH,
		    "%s lies in the backup directory: a backup is not backed "
		    "up", l->path));
	return (0);
}

static int
walk(const struct m_look *m, struct look *l, struct m_error *e)
{
	char	parts[PATH_BYTES], *p, *name, *next;

	if (l->path[0] != '/')
		return (fail(e, E_UNSAFE_PATH, "%s is not an absolute path",
		    l->path));
	if ((l->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (fail(e, E_IO_ERROR, "cannot open /: %s",
		    strerror(errno)));
	for (p = l->path + strlen(l->path) - 1; p > l->path && *p == '/'; p--)
		*p = '\0';
	strlcpy(parts, l->path, sizeof(parts));
	p = parts;
	name = NULL;
	while ((next = strsep(&p, "/")) != NULL) {
		if (next[0] == '\0')
			continue;
		if (strcmp(next, ".") == 0 || strcmp(next, "..") == 0)
			return (fail(e, E_UNSAFE_PATH,
			    "%s has \".\" or \"..\" in it", l->path));
		if (name != NULL && step_down(m, l, name, e) == -1)
			return (-1);
		name = next;
	}
	if (name == NULL)
		return (fail(e, E_UNSAFE_PATH, "%s is a directory", l->path));
	l->name = l->path + (name - parts);
	return (0);
}

static int
look_at_file(const struct m_look *m, struct look *l, int fd, struct m_error *e)
{
	struct statvfs	 vfs;
	const char	*why;
	size_t		 i;

	if (fstat(fd, &l->st) == -1 || fstatvfs(fd, &vfs) == -1)
		return (walk_failed(l, l->name, e));
	if (S_ISLNK(l->st.st_mode)) {
		errno = ELOOP;
		return (walk_failed(l, l->name, e));
	}
	if (!S_ISREG(l->st.st_mode))
		return (fail(e, E_UNSAFE_PATH, "%s is not a regular file",
		    l->path));
	if (refused(m, &l->st, 1))
		return (fail(e, E_UNSAFE_PATH,
		    "%s is the daemon's own catalog", l->path));
	if (l->st.st_nlink > 1)
		return (fail(e, E_DATABASE_ALIASED,
		    "%s has %ju names (hard links); SQLite keeps a -wal beside "
		    "each, so that rows would be missed", l->path,
		    (uintmax_t)l->st.st_nlink));
	for (i = 0; i < nitems(m->uids_refused); i++) {
		if (l->st.st_uid == m->uids_refused[i])
			return (fail(e, E_UNSAFE_PATH,
			    "%s belongs to uid %u, which runs a part of this "
			    "daemon or is nobody; give it an owner of its own",
			    l->path, (unsigned)l->st.st_uid));
	}
	if (!l->unsafe_ok && (why = filesystem_unsafe(fd, l->path)) != NULL)
		return (fail(e, E_UNSAFE_PATH, "%s lies on %s", l->path, why));
	l->read_only_fs = (vfs.f_flag & ST_RDONLY) != 0;
	return (0);
}

/* Only if it is still a regular file: an open can't block then. */
int
look_beside(const struct look *l, const char *suffix, int flags)
{
	char		name[NAME_MAX + 16];
	struct stat	st;
	int		fd;

	if (strlcpy(name, l->name, sizeof(name)) >= sizeof(name) ||
	    strlcat(name, suffix, sizeof(name)) >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	fd = openat(l->dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return (-1);
	}
	return (fd);
}

int
look_stat_beside(const struct look *l, const char *suffix, struct stat *st)
{
	char	name[NAME_MAX + 16];

	if (strlcpy(name, l->name, sizeof(name)) >= sizeof(name) ||
	    strlcat(name, suffix, sizeof(name)) >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (fstatat(l->dir, name, st, AT_SYMLINK_NOFOLLOW));
}

static int
read_header(struct look *l, struct m_error *e)
{
	ssize_t	n;
	int	fd;

	if ((fd = look_beside(l, "", O_RDONLY)) == -1)
		return (fail(e, errno == EACCES ? E_PERMISSION_DENIED :
		    E_IO_ERROR, "cannot read %s: %s", l->path,
		    strerror(errno)));
	n = pread(fd, l->header, sizeof(l->header), 0);
	close(fd);	/* no lock of ours is on it yet */
	if (n == -1)
		return (fail(e, E_IO_ERROR, "cannot read %s: %s", l->path,
		    strerror(errno)));
	l->header_bytes = (size_t)n;
	l->wal_mode = n == SQLITE_HEADER_BYTES &&
	    sqlite_is_header(l->header) &&
	    l->header[SQLITE_READ_VERSION_AT] == 2;
	return (0);
}

/*
 * Something else in the place of a -wal, -shm or -journal would make SQLite
 * wait (a FIFO) or read what is not its own.
 */
static int
look_at_neighbour(struct look *l, const char *suffix, int *had,
    struct stat *st, struct m_error *e)
{
	*had = look_stat_beside(l, suffix, st) == 0;
	if (!*had || S_ISREG(st->st_mode))
		return (0);
	return (fail(e, E_UNSAFE_PATH,
	    "%s%s, which SQLite would use, is not a regular file", l->path,
	    suffix));
}

static int
look_at_neighbours(struct look *l, struct m_error *e)
{
	struct stat	st;

	if (look_at_neighbour(l, "-shm", &l->had_shm, &st, e) == -1 ||
	    look_at_neighbour(l, "-journal", &l->had_journal, &st, e) == -1 ||
	    look_at_neighbour(l, "-wal", &l->had_wal, &st, e) == -1)
		return (-1);
	l->wal_size = l->had_wal ? st.st_size : 0;
	return (0);
}

int
look_directory(const struct m_look *m, struct look *l, struct m_error *e)
{
	memset(l, 0, sizeof(*l));
	l->dir = -1;
	l->unsafe_ok = (m->flags & LOOK_UNSAFE_FILESYSTEM) != 0;
	if (!msg_text_ok(m->path))
		return (fail(e, E_UNSAFE_PATH, "the path has no end"));
	strlcpy(l->path, m->path, sizeof(l->path));
	if (walk(m, l, e) == 0 && fstat(l->dir, &l->dir_st) == 0)
		return (0);
	look_free(l);
	return (-1);
}

int
look_open(const struct m_look *m, struct look *l, struct m_error *e)
{
	int	fd, r;

	if (look_directory(m, l, e) == -1)
		return (-1);
	/* O_PATH first: a FIFO or a lease can't stop us here. */
	fd = openat(l->dir, l->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		walk_failed(l, l->name, e);
		goto bad;
	}
	r = look_at_file(m, l, fd, e);
	close(fd);
	if (r == -1 || read_header(l, e) == -1)
		goto bad;
	l->uid = l->st.st_uid;
	if (look_at_neighbours(l, e) == -1)
		goto bad;
	return (0);
 bad:
	look_free(l);
	return (-1);
}

void
look_free(struct look *l)
{
	if (l->dir != -1)
		close(l->dir);
	l->dir = -1;
}
