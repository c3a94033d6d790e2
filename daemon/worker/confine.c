/*
 * Workers run this once: from the engine's rights to those of the
 * database's owner, in its directory and nowhere else (H1, H7, H23).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/compat.h"
#include "common/drop.h"
#include "common/log.h"
#include "common/procs.h"
#include "common/sandbox.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

#define GROUPS_MAX	256
#define GID_NOBODY	65534

struct owner {
	gid_t	gid;
	gid_t	groups[GROUPS_MAX];
	int	ngroups;
};

static int
is_member(const struct owner *o, gid_t gid)
{
	int	i;

	for (i = 0; i < o->ngroups; i++) {
		if (o->groups[i] == gid)
			return (1);
	}
	return (0);
}

static void
owner_groups(const struct look *l, struct owner *o)
{
	struct passwd	*pw;

	o->ngroups = 0;
	o->gid = GID_NOBODY;
	if (geteuid() != 0) {
		o->gid = getegid();
		if ((o->ngroups = getgroups(GROUPS_MAX, o->groups)) == -1)
			o->ngroups = 0;
		if (o->ngroups < GROUPS_MAX)
			o->groups[o->ngroups++] = o->gid;
		return;
	}
	if ((pw = getpwuid(l->uid)) == NULL)
		return;
	o->gid = pw->pw_gid;
	o->ngroups = GROUPS_MAX;
	if (getgrouplist(pw->pw_name, pw->pw_gid, o->groups,
	    &o->ngroups) == -1)
		o->ngroups = 0;
}

/*
 * A -wal or -shm that we make must be one that the application can open:
 * it gets our group, and the database's mode.  That matters when the group
 * may do more than everybody.
 */
static int
group_matters(const struct look *l)
{
	mode_t	group = (l->st.st_mode >> 3) & 07, other = l->st.st_mode & 07;

	return ((group & ~other) != 0);
}

/* H7: the file's group, if its owner is a member. */
static int
choose_group(const struct look *l, struct owner *o, struct m_error *e)
{
	owner_groups(l, o);
	if (o->gid == l->st.st_gid)
		return (0);
	if (geteuid() == 0 && (is_member(o, l->st.st_gid) || l->uid == 0)) {
		o->gid = l->st.st_gid;
		return (0);
	}
	if (!group_matters(l) || !l->wal_mode ||
	    ((l->dir_st.st_mode & S_ISGID) &&
	    l->dir_st.st_gid == l->st.st_gid))
		return (0);
	return (fail(e, E_PERMISSION_DENIED,
	    "%s belongs to group %u, of which its owner (uid %u) is no "
	    "member: a -wal file made here would be one that the group can't "
	    "open", l->path, (unsigned)l->st.st_gid, (unsigned)l->uid));
}

static int
become_owner(const struct look *l, const struct owner *o, struct m_error *e)
{
	if (geteuid() != 0)
		return (0);
	caps_last();
	if (setgroups((size_t)o->ngroups, o->groups) == -1 ||
	    setresgid(o->gid, o->gid, o->gid) == -1 ||
	    setresuid(l->uid, l->uid, l->uid) == -1)
		return (fail(e, E_WORKER_FAILED,
		    "cannot become uid %u, the owner of %s: %s",
		    (unsigned)l->uid, l->path, strerror(errno)));
	if (l->uid == 0)
		caps_root_owner();
	else if (setresuid(0, 0, 0) != -1)
		fatalx("got root back");
	return (0);
}

/* May another uid than the owner's (and root) put files there? */
static int
others_may_write(const struct look *l)
{
	return ((l->dir_st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (l->dir_st.st_uid != l->uid && l->dir_st.st_uid != 0));
}

static int
confine(const struct look *l, struct m_error *e)
{
	struct sandbox_path	p[2];
	char			dir[PATH_BYTES];
	size_t			n = 0;
	int			r, fd;

	strlcpy(dir, l->path, sizeof(dir));
	dir[l->name - l->path] = '\0';
	p[n].fd = l->dir;
	p[n].path = dir;
	p[n++].rights = SANDBOX_READ | SANDBOX_WRITE;
	/* SQLite wants random bytes for the names of temporary files. */
	if ((fd = open("/dev/urandom", O_PATH | O_CLOEXEC)) != -1) {
		p[n].fd = fd;
		p[n].path = "/dev/urandom";
		p[n++].rights = SANDBOX_READ;
	}
	r = sandbox_enter(SANDBOX_OWNER, p, n, NULL);
	if (fd != -1)
		close(fd);
	if (r == -1)
		return (fail(e, E_WORKER_FAILED,
		    "cannot confine the worker: %s", strerror(errno)));
	if (!(r & SANDBOX_FILES) && (geteuid() == 0 || others_may_write(l)))
		return (fail(e, E_UNSAFE_PATH,
		    "this kernel cannot confine a process to a directory "
		    "(Landlock), and %s lies where that is needed: %s",
		    l->path, geteuid() == 0 ? "it belongs to root" :
		    "others may write to its directory"));
	return (0);
}

int
look_confine(const struct look *l, struct m_error *e)
{
	struct owner	o;

	if (choose_group(l, &o, e) == -1 || become_owner(l, &o, e) == -1)
		return (-1);
	/* Changing the uid reset both. */
	procs_die_with_parent(SIGTERM);
	drop_harden();
	return (confine(l, e));
}
