/*
 * Workers run this: which files a pattern names.  It becomes the owner of
 * the directory and sees nothing else.  It must not open what it finds, nor
 * name what lies in the backup directory (H20).
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

/* SQLite's own, beside a database. */
static int
is_side_file(const char *name)
{
	static const char *const	suffixes[] = { "-wal", "-shm",
					    "-journal" };
	size_t				i, n = strlen(name), k;

	for (i = 0; i < nitems(suffixes); i++) {
		k = strlen(suffixes[i]);
		if (n > k && strcmp(name + n - k, suffixes[i]) == 0)
			return (1);
	}
	return (0);
}

/* Does it match, and is it a file that can be backed up at all? */
static int
wanted(const struct m_look *order, const struct look *l, int dir,
    const char *name, struct stat *st)
{
	if (strlen(name) >= FILE_NAME_BYTES || is_side_file(name) ||
	    fnmatch(l->name, name, FNM_PERIOD) != 0 ||
	    fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return (0);
	return (S_ISREG(st->st_mode) && (order->refused_ino[1] == 0 ||
	    st->st_dev != (dev_t)order->refused_dev[1] ||
	    st->st_ino != (ino_t)order->refused_ino[1]));
}

static void
names_flush(struct m_w_names *names)
{
	if (names->n > 0)
		worker_names(names);
	memset(names, 0, sizeof(*names));
}

static void
names_read(const struct m_look *order, const struct look *l, DIR *dir,
    struct m_w_globbed *r)
{
	struct m_w_names	 names;
	struct dirent		*d;
	struct stat		 st;

	memset(&names, 0, sizeof(names));
	while ((d = readdir(dir)) != NULL && !worker_stopping()) {
		if (!wanted(order, l, dirfd(dir), d->d_name, &st))
			continue;
		if (r->names == GLOB_MAX) {
			r->more = 1;
			break;
		}
		r->names++;
		names.uid[names.n] = (uint32_t)st.st_uid;
		strlcpy(names.name[names.n++], d->d_name, FILE_NAME_BYTES);
		if (names.n == NAMES_MAX)
			names_flush(&names);
	}
	names_flush(&names);
}

/* H23: not as those who must own nothing. */
static int
owner_fits(const struct m_look *order, const struct look *l,
    struct m_error *e)
{
	size_t	i;

	for (i = 0; geteuid() == 0 && i < nitems(order->uids_refused); i++) {
		if (l->dir_st.st_uid == order->uids_refused[i])
			return (fail(e, E_UNSAFE_PATH, "the directory of %s "
			    "belongs to uid %u, which runs a part of this "
			    "daemon or is nobody", l->path,
			    (unsigned)l->dir_st.st_uid));
	}
	return (0);
}

static int
names_of(const struct m_look *order, struct look *l, struct m_w_globbed *r,
    struct m_error *e)
{
	DIR	*dir;
	int	 fd;

	/* O_PATH can't be read. */
	fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return (fail(e, E_IO_ERROR, "cannot read the directory of "
		    "%s: %s", l->path, strerror(errno)));
	}
	l->st = l->dir_st;
	l->uid = l->dir_st.st_uid;
	if (look_confine(l, e) == -1) {
		(void)closedir(dir);
		return (-1);
	}
	names_read(order, l, dir, r);
	(void)closedir(dir);
	return (0);
}

int
glob_run(const struct m_w_inspect *order, struct m_w_globbed *r,
    struct m_error *error)
{
	struct look	l;
	int		rv = -1;

	if (look_directory(&order->look, &l, error) == -1)
		return (-1);
	if (owner_fits(&order->look, &l, error) == 0)
		rv = names_of(&order->look, &l, r, error);
	look_free(&l);
	return (rv);
}
