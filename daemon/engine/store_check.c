/*
 * What the store must know before it trusts a directory: whose it is, who
 * else can write there, whether leases work, and which names in it are
 * ours.  Run by the engine.  Follows no links but those that BACKUP_DIR
 * was configured through, once.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/lease.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"
#include "proto/form.h"

/* A directory that may be passed through need not be readable. */
#ifdef O_PATH
#define PASS_FLAGS	(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
#define PASS_FLAGS	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#endif
#define OPEN_FLAGS	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

#define TEMPORARY_PREFIX	".tmp-"
#define RANDOM_DIGITS		16

static int
check_owner(int fd, int above, const char *path, char *err)
{
	struct stat	sb;

	if (fstat(fd, &sb) == -1) {
		snprintf(err, TEXT_BYTES, "%.300s: %s", path,
		    strerror(errno));
		return (-1);
	}
	if (sb.st_uid != 0 && sb.st_uid != geteuid()) {
		snprintf(err, TEXT_BYTES, "the directory %.300s belongs to "
		    "uid %u, who could replace the backups: it must belong "
		    "to root or to uid %u, as whom the daemon runs", path,
		    (unsigned int)sb.st_uid, (unsigned int)geteuid());
		errno = EPERM;
		return (-1);
	}
	if ((sb.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    !(above && (sb.st_mode & S_ISVTX) != 0)) {
		snprintf(err, TEXT_BYTES, "others than its owner can write "
		    "to the directory %.200s and could replace the backups: "
		    "run chmod go-w %.200s", path, path);
		errno = EPERM;
		return (-1);
	}
	return (0);
}

/*
 * The part of path that exists, without links, goes to resolved; *rest is
 * what has to be made.
 */
static int
resolve(const char *path, char *resolved, const char **rest, char *err)
{
	char	*buf, *slash;
	int	 rc;

	buf = xstrdup(path);
	rc = -1;
	for (;;) {
		if (realpath(buf[0] == '\0' ? "/" : buf, resolved) != NULL) {
			rc = 0;
			break;
		}
		if (errno != ENOENT || (slash = strrchr(buf, '/')) == NULL)
			break;
		*slash = '\0';
	}
	if (rc == -1)
		snprintf(err, TEXT_BYTES, "cannot use %.300s as the backup "
		    "directory: %s", path, strerror(errno));
	*rest = path + strlen(buf);
	free(buf);
	return (rc);
}

static void
sync_parent(int fd)
{
	int	r;

	/* What can't be read can't be synced; it still is there, and the
	 * file system orders the rest. */
	r = openat(fd, ".", OPEN_FLAGS);
	if (r != -1) {
		(void)fsync(r);
		close(r);
	}
}

/* Goes from *fd to the directory name in it, which may have to be made. */
static int
step(int *fd, const char *name, int last, const char *path, char *err)
{
	int	 flags, next;

	flags = last ? OPEN_FLAGS : PASS_FLAGS;
	next = openat(*fd, name, flags);
	if (next == -1 && errno == ENOENT) {
		if (mkdirat(*fd, name, 0700) == -1 && errno != EEXIST) {
			snprintf(err, TEXT_BYTES, "cannot make the directory "
			    "%.300s: %s", path, strerror(errno));
			return (-1);
		}
		sync_parent(*fd);
		next = openat(*fd, name, flags);
	}
	if (next == -1) {
		snprintf(err, TEXT_BYTES, "cannot open the directory "
		    "%.300s: %s", path, strerror(errno));
		return (-1);
	}
	close(*fd);
	*fd = next;
	return (check_owner(next, !last, path, err));
}

/* Walks to whole, which begins with '/', and checks each directory. */
static int
walk(const char *whole, char *err)
{
	char	*path, *p, *end;
	int	 fd, last;
	char	 c;

	if ((fd = open("/", PASS_FLAGS)) == -1) {
		snprintf(err, TEXT_BYTES, "cannot open /: %s",
		    strerror(errno));
		return (-1);
	}
	if (check_owner(fd, 1, "/", err) == -1) {
		close(fd);
		return (-1);
	}
	path = xstrdup(whole);
	for (p = path + 1; *p != '\0'; p = c == '\0' ? end : end + 1) {
		end = p + strcspn(p, "/");
		c = *end;
		last = c == '\0';
		*end = '\0';
		if (step(&fd, p, last, path, err) == -1) {
			close(fd);
			free(path);
			return (-1);
		}
		*end = c;
	}
	free(path);
	return (fd);
}

/* Appends the components of rest to dst, without "." and empty ones. */
static int
append(char *dst, size_t size, const char *rest)
{
	size_t	n;

	if (strcmp(dst, "/") == 0)
		dst[0] = '\0';
	for (; *rest != '\0'; rest += n) {
		rest += strspn(rest, "/");
		n = strcspn(rest, "/");
		if (n == 0 || (n == 1 && rest[0] == '.'))
			continue;
		if (n == 2 && rest[0] == '.' && rest[1] == '.')
			return (-1);
		if (strlen(dst) + n + 2 > size)
			return (-1);
		strlcat(dst, "/", size);
		strlcat(dst, rest, strlen(dst) + n + 1);
	}
	return (0);
}

int
store_check_path(const char *path, char *resolved, char *err)
{
	const char	*rest;

	if (path[0] != '/') {
		snprintf(err, TEXT_BYTES, "the backup directory %.300s must "
		    "be an absolute path", path);
		return (-1);
	}
	if (resolve(path, resolved, &rest, err) == -1)
		return (-1);
	if (append(resolved, STORE_PATH_MAX, rest) == -1 ||
	    strlen(resolved) >= STORE_PATH_MAX || resolved[0] == '\0') {
		snprintf(err, TEXT_BYTES, "the backup directory %.300s is "
		    "not one that can be used: its path has a '..', is "
		    "longer than %d bytes, or is /", path,
		    STORE_PATH_MAX - 1);
		return (-1);
	}
	return (walk(resolved, err));
}

int
store_check_folder(const struct store *s, const char *database, int make,
    char *err)
{
	char	*path;
	int	 fd, saved;

	if (database[0] == '\0' || strchr(database, '/') != NULL ||
	    (database[0] == '.' && strcmp(database, STORE_SCRATCH) != 0)) {
		snprintf(err, TEXT_BYTES, "\"%.64s\" can't be the name of a "
		    "folder", database);
		errno = EINVAL;
		return (-1);
	}
	path = xasprintf("%s/%s", s->path, database);
	fd = openat(s->fd, database, OPEN_FLAGS);
	if (fd == -1 && errno == ENOENT && make) {
		if (mkdirat(s->fd, database, 0700) == 0 && fsync(s->fd) == 0)
			fd = openat(s->fd, database, OPEN_FLAGS);
	}
	if (fd == -1) {
		saved = errno;
		snprintf(err, TEXT_BYTES, "cannot %s the folder %.300s: %s",
		    make ? "make" : "open", path, strerror(errno));
		errno = saved;
	} else if (check_owner(fd, 0, path, err) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		fd = -1;
	}
	saved = errno;
	free(path);
	errno = saved;
	return (fd);
}

int
store_check_leases(const struct store *s, char *err)
{
	char	name[64];
	int	busy, fd, idle, rfd;

	busy = idle = -1;
	if ((fd = store_temporary(s->fd, 0, name)) == -1) {
		snprintf(err, TEXT_BYTES, "cannot write to the backup "
		    "directory %.300s: %s", s->path, strerror(errno));
		return (-1);
	}
	rfd = openat(s->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (rfd != -1)
		busy = lease_read_held(rfd);
	close(fd);
	if (rfd != -1) {
		idle = lease_read_held(rfd);
		close(rfd);
	}
	if (unlinkat(s->fd, name, 0) == -1) {
		snprintf(err, TEXT_BYTES, "cannot remove %.300s/%s: %s",
		    s->path, name, strerror(errno));
		return (-1);
	}
	if (busy == 0 && idle == 1)
		return (0);
	snprintf(err, TEXT_BYTES, "the file system of the backup directory "
	    "%.300s does not know leases, without which nobody can prove "
	    "that a backup stays as it is: use a local file system (ext4, "
	    "XFS, btrfs, ZFS)", s->path);
	return (-1);
}

int
store_temporary(int dir, int64_t id, char name[64])
{
	uint8_t	bytes[RANDOM_DIGITS / 2];
	char	random[RANDOM_DIGITS + 1];

	arc4random_buf(bytes, sizeof(bytes));
	util_hex(random, bytes, sizeof(bytes));
	snprintf(name, 64, TEMPORARY_PREFIX "%" PRId64 "-%s", id, random);
	return (openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600));
}

int
store_is_temporary(const char *name)
{
	const char	*p;
	size_t		 n;

	n = strlen(TEMPORARY_PREFIX);
	if (strncmp(name, TEMPORARY_PREFIX, n) != 0)
		return (0);
	p = name + n;
	n = strspn(p, "0123456789");
	if (n == 0 || n > 19 || p[n] != '-')
		return (0);
	p += n + 1;
	return (strlen(p) == RANDOM_DIGITS &&
	    strspn(p, "0123456789abcdef") == RANDOM_DIGITS);
}

/* "20261122T213000Z-17.": what stands behind it, or NULL. */
static const char *
name_begins(const char *name, int64_t *id, int64_t *created_ms)
{
	char		 text[TIME_TEXT_BYTES], digits[STORE_ID_DIGITS + 1];
	const char	*err, *p;
	size_t		 n;

	if (strspn(name, "0123456789") != 8 || name[8] != 'T' ||
	    strspn(name + 9, "0123456789") != 6 || name[15] != 'Z' ||
	    name[16] != '-')
		return (NULL);
	p = name + 17;
	n = strspn(p, "0123456789");
	if (n == 0 || n > STORE_ID_DIGITS || p[n] != '.')
		return (NULL);
	memcpy(digits, p, n);
	digits[n] = '\0';
	*id = strtonum(digits, 1, LLONG_MAX, &err);
	if (err != NULL)
		return (NULL);
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", name,
	    name + 4, name + 6, name + 9, name + 11, name + 13);
	return (util_time_parse(text, created_ms) == 0 ? p + n + 1 : NULL);
}

int
store_is_artifact(const char *name, int64_t *id, int64_t *created_ms,
    char *form)
{
	const char	*p;

	if ((p = name_begins(name, id, created_ms)) == NULL ||
	    form_parse(p) == FORM_UNKNOWN)
		return (0);
	strlcpy(form, p, FORM_BYTES);
	return (1);
}

int
store_is_remote(const char *name)
{
	const char	*p;
	int64_t		 id, created_ms;
	size_t		 n = strlen(STORE_REMOTE);

	p = name_begins(name, &id, &created_ms);
	return (p != NULL && strncmp(p, STORE_REMOTE, n) == 0 &&
	    form_parse(p + n) != FORM_UNKNOWN);
}

int
store_each_entry(int dir, store_entry_cb *cb, void *arg)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, rc, saved;

	/* An own description: the position is of this walk alone. */
	if ((fd = openat(dir, ".", OPEN_FLAGS)) == -1)
		return (-1);
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	rc = 0;
	while (rc == 0) {
		errno = 0;
		if ((e = readdir(d)) == NULL) {
			rc = errno == 0 ? 0 : -1;
			break;
		}
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			rc = cb(dir, e->d_name, arg);
	}
	saved = errno;
	closedir(d);
	errno = saved;
	return (rc);
}

static int
is_artifact(int dir, const char *name, void *arg)
{
	int64_t	created_ms, id;
	char	form[FORM_BYTES];

	(void)dir;
	(void)arg;
	return (store_is_artifact(name, &id, &created_ms, form));
}

static int
holds_artifacts(int dir, const char *name, void *arg)
{
	int	fd, rc;

	(void)arg;
	if (name[0] == '.')
		return (0);
	if ((fd = openat(dir, name, OPEN_FLAGS)) == -1)
		/* Files, links; what is a folder must be readable. */
		return (errno == ENOTDIR || errno == ELOOP ? 0 : -1);
	rc = store_each_entry(fd, is_artifact, NULL);
	close(fd);
	return (rc);
}

int
store_has_artifacts(const struct store *s)
{
	return (store_each_entry(s->fd, holds_artifacts, NULL));
}
