/*
 * What the kernel tells of other processes: who has a file open, who holds
 * which lock on it.  One file per system, procs_SYSTEM.c.  Only workers
 * ask about others, with a deadline: /proc can block (H18).
 */
#ifndef COMMON_PROCS_H
#define COMMON_PROCS_H

#include <sys/types.h>

#include <stdint.h>

struct procs_lock {
	pid_t		pid;		/* -1: an open-file-description lock,
					 * 0: a process of another namespace */
	int		write;		/* 1 exclusive, 0 shared */
	int		waiting;	/* 1: waits for it */
	uint64_t	first, last;	/* bytes, inclusive */
};

/* Called for each; a result other than 0 ends the search, and is its
 * result. */
typedef int	procs_lock_cb(const struct procs_lock *, void *arg);
typedef int	procs_opener_cb(pid_t pid, int fd, void *arg);

/*
 * A table of all file locks that can be read again and again, also after
 * the sandbox.  procs_locks_open: a descriptor for the caller to close, or
 * -1.  procs_locks: the locks on one file; 0, what cb said, or -1.
 */
int	procs_locks_open(void);
int	procs_locks(int fd, dev_t dev, ino_t ino, procs_lock_cb *, void *arg);

/*
 * Everybody who has this file open, this process left out.  *incomplete
 * is 1 when some process could not be looked into.  0, what cb said, or
 * -1 with errno.
 */
int	procs_openers(dev_t dev, ino_t ino, procs_opener_cb *, void *arg,
	    int *incomplete);

/*
 * Everybody who has an unlinked file open that was at this path: the system
 * calls it "PATH (deleted)" (H13).  As procs_openers.
 */
int	procs_openers_deleted(const char *path, procs_opener_cb *, void *arg,
	    int *incomplete);

/*
 * The open-file-description locks that process pid holds through its
 * descriptor fd: /proc/locks does not name their owners.  cb gets them
 * with that pid.
 */
int	procs_locks_ofd(pid_t pid, int fd, dev_t dev, ino_t ino,
	    procs_lock_cb *, void *arg);

/* The name of a process's program and its effective uid; 0, or -1 when it
 * is gone or hidden. */
int	procs_describe(pid_t pid, char *command, size_t size, uid_t *uid);

/*
 * This process gets signal sig when its parent ends; it must not have
 * ended before (the caller compares getppid()).
 */
void	procs_die_with_parent(int sig);

/*
 * Memory of a process in bytes: with its share of what others use too, and
 * what is its own alone (which is asked for without waiting for anything
 * that the process waits for).  0, or -1 when the system does not tell.
 */
int	procs_memory(pid_t, uint64_t *bytes);
int	procs_memory_own(pid_t, uint64_t *bytes);

/* The path of this program's own file; 0, or -1 when the system does not
 * tell or it does not fit. */
int	procs_self_path(char *dst, size_t size);

#endif
