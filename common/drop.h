/*
 * Giving up root for good.  Front and network do it once, after their last
 * privileged act and before they read a stranger's byte.
 */
#ifndef COMMON_DROP_H
#define COMMON_DROP_H

/*
 * Becomes user, with that user's group and no other, inside root (a
 * directory, made the file system's root; NULL: no chroot).  Proves that
 * there is no way back.  For a process that runs as root; whatever fails
 * is fatal.  What must be read from outside of root is read before.
 */
void	drop_privileges(const char *user, const char *root);

/*
 * What this process never does, by setrlimit; after drop_privileges.
 * Failure is fatal.
 */
#define DROP_FORK	0x01	/* make processes or threads */
#define DROP_FILES	0x02	/* make a file longer; standard error may be
				 * one */
void	drop_limits(int what);

/*
 * No core dumps, no tracing by others of the same uid, no new privileges
 * by exec; for root and ordinary users alike.  After drop_privileges,
 * because a change of uid resets some of it.  Failure is fatal.
 */
void	drop_harden(void);

/* What only this system has of it: one file per system, harden_SYSTEM.c. */
void	harden_process(void);

#endif
