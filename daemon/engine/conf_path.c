/*
 * The engine runs this once, before anything is dropped.  A child follows
 * the links of the configured paths, as the engine itself must never touch
 * a path that may lie on a file system that hangs.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"

#define DEADLINE_US	(5 * 1000 * 1000)
#define REAP_TRIES	50		/* of 10 ms */

/* What the child says of one path; length bytes of it follow. */
struct answer {
	uint32_t	index;		/* of the database */
	uint32_t	length;		/* 0: could not be resolved */
	uint32_t	exposed;	/* so many bytes of it name a directory
					 * that others may write to; 0: none */
};

/* The caller frees; NULL when there is no such path. */
static char *
path_resolve(const char *path)
{
	char	*real, *directory, *result = NULL;
	size_t	 n;

	if ((real = realpath(path, NULL)) != NULL || errno != ENOENT)
		return (real);
	/* A database may be missing, to be restored. */
	n = (size_t)(strrchr(path, '/') - path);
	directory = n == 0 ? xstrdup("/") : strndup(path, n);
	if (directory == NULL)
		return (NULL);
	if ((real = realpath(directory, NULL)) != NULL)
		result = xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real,
		    path + n);
	free(real);
	free(directory);
	return (result);
}

/*
 * May others than root, the database's owner and its group put another file
 * where this directory has one?  Where it is sticky they can't.
 */
static int
is_exposed(const char *directory, const struct stat *db)
{
	struct stat	st;

	if (lstat(directory, &st) == -1 || (st.st_mode & S_ISVTX))
		return (0);
	return ((st.st_mode & S_IWOTH) ||
	    ((st.st_mode & S_IWGRP) && st.st_gid != 0 &&
	    st.st_gid != db->st_gid) ||
	    (st.st_uid != 0 && st.st_uid != db->st_uid));
}

static uint32_t
path_exposed(char *path)
{
	struct stat	 db;
	char		*slash;
	int		 r;

	if (lstat(path, &db) == -1) {
		db.st_uid = geteuid();
		db.st_gid = getegid();
	}
	if (is_exposed("/", &db))
		return (1);
	for (slash = strchr(path + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = is_exposed(path, &db);
		*slash = '/';
		if (r)
			return ((uint32_t)(slash - path));
	}
	return (0);
}

static int
write_all(int fd, const void *data, size_t n)
{
	const char	*p = data;
	ssize_t		 done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return (-1);
		p += done;
		n -= (size_t)done;
	}
	return (0);
}

static void __attribute__((__noreturn__))
resolve_child(const struct conf *conf, int fd)
{
	const struct conf_database	*db;
	struct answer			 a = { 0, 0, 0 };
	char				*real;

	TAILQ_FOREACH(db, &conf->databases, entry) {
		real = path_resolve(db->path);
		a.length = real == NULL || strlen(real) >= PATH_BYTES ? 0 :
		    (uint32_t)strlen(real);
		a.exposed = a.length == 0 ? 0 : path_exposed(real);
		if (write_all(fd, &a, sizeof(a)) == -1 ||
		    write_all(fd, real, a.length) == -1)
			_exit(1);
		free(real);
		a.index++;
	}
	_exit(0);
}

/* Exactly n bytes before the deadline: 0, else -1. */
static int
read_until(int fd, void *data, size_t n, uint64_t deadline_us)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	char		*p = data;
	uint64_t	 now;
	ssize_t		 got;
	int		 r;

	while (n > 0) {
		if ((now = util_monotonic_us()) >= deadline_us)
			return (-1);
		r = poll(&pfd, 1, (int)((deadline_us - now) / 1000) + 1);
		if (r == 0 || (r == -1 && errno == EINTR))
			continue;
		if (r == -1)
			return (-1);
		got = read(fd, p, n);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return (-1);
		p += got;
		n -= (size_t)got;
	}
	return (0);
}

/* One answer for each database; -1 when they did not all come. */
static int
resolve_collect(struct conf *conf, int fd)
{
	struct conf_database	*db;
	struct answer		 a;
	uint64_t		 deadline_us;
	uint32_t		 index = 0;
	char			 path[PATH_BYTES];

	deadline_us = util_monotonic_us() + DEADLINE_US;
	TAILQ_FOREACH(db, &conf->databases, entry) {
		if (read_until(fd, &a, sizeof(a), deadline_us) == -1 ||
		    a.index != index++ || a.length >= sizeof(path) ||
		    a.exposed > a.length ||
		    read_until(fd, path, a.length, deadline_us) == -1) {
			log_warnx("the links in the path of database %s could "
			    "not be followed in 5 s; it and those behind it "
			    "are used as configured", db->name);
			return (-1);
		}
		path[a.length] = '\0';
		if (a.length == 0)
			continue;
		free(db->resolved);
		db->resolved = xstrdup(path);
		path[a.exposed] = '\0';
		free(db->exposed);
		db->exposed = a.exposed == 0 ? NULL : xstrdup(path);
	}
	return (0);
}

/* A child in an uninterruptible wait does not even die: not for ever. */
static void
resolve_reap(pid_t pid)
{
	const struct timespec	 pause = { 0, 10 * 1000 * 1000 };
	pid_t			 r;
	int			 i, status;

	for (i = 0; i < REAP_TRIES; i++) {
		r = waitpid(pid, &status, WNOHANG);
		if (r == pid || (r == -1 && errno != EINTR))
			return;
		(void)nanosleep(&pause, NULL);
	}
	log_warnx("process %ld, which follows links, hangs in the kernel",
	    (long)pid);
}

static void
resolve_fork(struct conf *conf)
{
	int	fds[2];
	pid_t	pid;

	if (pipe2(fds, O_CLOEXEC) == -1) {
		log_warn("paths stay as configured: pipe");
		return;
	}
	switch (pid = fork()) {
	case -1:
		log_warn("paths stay as configured: fork");
		(void)close(fds[1]);
		break;
	case 0:
		(void)close(fds[0]);
		resolve_child(conf, fds[1]);
	default:
		(void)close(fds[1]);
		if (resolve_collect(conf, fds[0]) == -1)
			(void)kill(pid, SIGKILL);
		resolve_reap(pid);
		break;
	}
	(void)close(fds[0]);
}

void
conf_resolve(struct conf *conf)
{
	struct conf_database	*db;

	resolve_fork(conf);
	TAILQ_FOREACH(db, &conf->databases, entry)
		if (db->resolved == NULL)
			db->resolved = xstrdup(db->path);
}
