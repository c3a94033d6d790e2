/*
 * Workers run this, before they confine themselves, and the engine to
 * find its programs: proc(5).
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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
#include "common/log.h"
#include "common/procs.h"

#define LINE_BYTES	256
#define READ_BYTES	16384

int
procs_locks_open(void)
{
	return (open("/proc/locks", O_RDONLY | O_CLOEXEC));
}

/*
 * "1: POSIX  ADVISORY  WRITE 1234 fd:01:5678 1073741824 1073742335", a
 * waiter has "->" behind the number.
 */
static int
lock_parse(const char *line, dev_t dev, ino_t ino, struct procs_lock *l)
{
	char		kind[16], access[16], last[32];
	unsigned int	major_, minor_;
	uint64_t	inode;
	const char	*p;
	int		pid;

	if ((p = strchr(line, ':')) == NULL)
		return (0);
	p++;
	while (*p == ' ')
		p++;
	if ((l->waiting = strncmp(p, "->", 2) == 0))
		p += 2;
	if (sscanf(p, "%15s %*s %15s %d %x:%x:%" SCNu64 " %" SCNu64 " %31s",
	    kind, access, &pid, &major_, &minor_, &inode, &l->first,
	    last) != 8)
		return (0);
	if ((strcmp(kind, "POSIX") != 0 && strcmp(kind, "OFDLCK") != 0) ||
	    inode != ino || makedev(major_, minor_) != dev)
		return (0);
	l->pid = pid;
	l->write = strcmp(access, "WRITE") == 0;
	l->last = strcmp(last, "EOF") == 0 ? UINT64_MAX :
	    strtoull(last, NULL, 10);
	return (1);
}

int
procs_locks(int fd, dev_t dev, ino_t ino, procs_lock_cb *cb, void *arg)
{
	struct procs_lock	l;
	char			buf[READ_BYTES + 1], *line, *end;
	size_t			have = 0;
	ssize_t			n;
	int			r;

	if (lseek(fd, 0, SEEK_SET) == -1)
		return (-1);
	while ((n = read(fd, buf + have, READ_BYTES - have)) > 0) {
		have += (size_t)n;
		buf[have] = '\0';
		for (line = buf; (end = strchr(line, '\n')) != NULL;
		    line = end + 1) {
			*end = '\0';
			if (lock_parse(line, dev, ino, &l) &&
			    (r = cb(&l, arg)) != 0)
				return (r);
		}
		have -= (size_t)(line - buf);
		if (have > LINE_BYTES * 4)
			return (-1);
		memmove(buf, line, have);
	}
	return (n == 0 ? 0 : -1);
}

/* What a scan of all descriptors looks for. */
struct wanted {
	dev_t		 dev;
	ino_t		 ino;
	const char	*deleted;	/* "PATH (deleted)", or NULL */
	procs_opener_cb	*cb;
	void		*arg;
	int		*incomplete;
};

/* 1 when descriptor `name` of the folder dirfd is it. */
static int
is_wanted(int dirfd, const char *name, const struct wanted *w)
{
	struct stat	st;
	char		target[PATH_MAX];
	ssize_t		n;

	/* Sockets, pipes and the like need no stat. */
	if ((n = readlinkat(dirfd, name, target, sizeof(target))) < 1 ||
	    target[0] != '/')
		return (0);
	if (w->deleted != NULL)
		return ((size_t)n == strlen(w->deleted) &&
		    memcmp(target, w->deleted, (size_t)n) == 0);
	if (n >= 5 && memcmp(target, "/dev/", 5) == 0)
		return (0);
	return (fstatat(dirfd, name, &st, 0) == 0 && st.st_dev == w->dev &&
	    st.st_ino == w->ino);
}

static int
openers_of_process(int proc, const char *pid_text, const struct wanted *w)
{
	struct dirent	*e;
	char		 path[64];
	DIR		*dir;
	int		 fd, r = 0;

	snprintf(path, sizeof(path), "%.20s/fd", pid_text);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		if (errno != ENOENT && errno != ESRCH)
			*w->incomplete = 1;
		return (0);
	}
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		*w->incomplete = 1;
		return (0);
	}
	errno = 0;
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.' &&
		    is_wanted(fd, e->d_name, w))
			r = w->cb((pid_t)atoi(pid_text), atoi(e->d_name),
			    w->arg);
		errno = 0;
	}
	if (r == 0 && errno != 0 && errno != ENOENT && errno != ESRCH)
		*w->incomplete = 1;
	closedir(dir);
	return (r);
}

static int
scan(const struct wanted *w)
{
	struct dirent	*e;
	DIR		*dir;
	int		 r = 0;

	*w->incomplete = 0;
	if ((dir = opendir("/proc")) == NULL)
		return (-1);
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    (pid_t)atoi(e->d_name) == getpid())
			continue;
		r = openers_of_process(dirfd(dir), e->d_name, w);
	}
	closedir(dir);
	return (r);
}

int
procs_openers(dev_t dev, ino_t ino, procs_opener_cb *cb, void *arg,
    int *incomplete)
{
	struct wanted	w = { dev, ino, NULL, cb, arg, incomplete };

	return (scan(&w));
}

int
procs_openers_deleted(const char *path, procs_opener_cb *cb, void *arg,
    int *incomplete)
{
	struct wanted	w = { 0, 0, NULL, cb, arg, incomplete };
	char		deleted[PATH_MAX + 16];

	snprintf(deleted, sizeof(deleted), "%s (deleted)", path);
	w.deleted = deleted;
	return (scan(&w));
}

int
procs_locks_ofd(pid_t pid, int fd, dev_t dev, ino_t ino, procs_lock_cb *cb,
    void *arg)
{
	struct procs_lock	l;
	char			path[64], line[LINE_BYTES];
	FILE			*f;
	int			r = 0;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	while (r == 0 && fgets(line, sizeof(line), f) != NULL) {
		/* "lock:\t1: OFDLCK ADVISORY READ -1 fd:01:56 0 EOF" */
		if (strncmp(line, "lock:\t", 6) != 0 ||
		    strstr(line, "OFDLCK") == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (lock_parse(line + 6, dev, ino, &l)) {
			l.pid = pid;
			r = cb(&l, arg);
		}
	}
	fclose(f);
	return (r);
}

int
procs_describe(pid_t pid, char *command, size_t size, uid_t *uid)
{
	struct stat	st;
	char		path[64];
	FILE		*f;

	command[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st) == -1)
		return (-1);
	*uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	if (fgets(command, (int)size, f) == NULL)
		command[0] = '\0';
	command[strcspn(command, "\n")] = '\0';
	fclose(f);
	return (0);
}

void
procs_die_with_parent(int sig)
{
	if (prctl(PR_SET_PDEATHSIG, sig) == -1)
		fatal("prctl(PR_SET_PDEATHSIG)");
}

int
procs_memory_own(pid_t pid, uint64_t *bytes)
{
	char			 path[64];
	unsigned long long	 resident, shared;
	FILE			*f;
	int			 n;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	n = fscanf(f, "%*u %llu %llu", &resident, &shared);
	fclose(f);
	if (n != 2 || shared > resident)
		return (-1);
	*bytes = (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
	return (0);
}

/* Another user's, which keeps its maps to itself, tells what is its own. */
int
procs_memory(pid_t pid, uint64_t *bytes)
{
	char			 path[64], line[128];
	unsigned long long	 kib = 0;
	FILE			*f;
	int			 found = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if ((f = fopen(path, "re")) != NULL) {
		while (!found && fgets(line, sizeof(line), f) != NULL)
			found = sscanf(line, "Pss: %llu kB", &kib) == 1;
		fclose(f);
	}
	if (!found)
		return (procs_memory_own(pid, bytes));
	*bytes = kib * 1024;
	return (0);
}

int
procs_self_path(char *dst, size_t size)
{
	ssize_t	n;

	n = readlink("/proc/self/exe", dst, size - 1);
	if (n < 1 || (size_t)n == size - 1)
		return (-1);
	dst[n] = '\0';
	return (0);
}
