/*
 * Front and network run this, once, at their start.  It owns nothing.  The
 * order matters: look the user up while /etc/passwd is in sight, chroot,
 * groups before the uid, and then try to get back.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/drop.h"
#include "common/log.h"

static void
enter_root(const char *root)
{
	if (chdir(root) == -1)
		fatal("chdir to %s", root);
	if (chroot(".") == -1)
		fatal("chroot to %s", root);
	if (chdir("/") == -1)
		fatal("chdir to / inside %s", root);
}

/* Whoever still has a way to root would get it here. */
static void
prove_dropped(uid_t uid, gid_t gid)
{
	uid_t	ru, eu, su;
	gid_t	rg, eg, sg, groups[2];

	if (getresuid(&ru, &eu, &su) == -1 || getresgid(&rg, &eg, &sg) == -1)
		fatal("getresuid");
	if (ru != uid || eu != uid || su != uid ||
	    rg != gid || eg != gid || sg != gid)
		fatalx("uid or gid is not what was set");
	if (getgroups(2, groups) != 1 || groups[0] != gid)
		fatalx("supplementary groups were not dropped");
	if (setresuid((uid_t)-1, 0, (uid_t)-1) != -1 || setuid(0) != -1 ||
	    setresgid((gid_t)-1, 0, (gid_t)-1) != -1)
		fatalx("root could be regained");
	/* Needs a capability, not the uid. */
	if (chroot("/") != -1)
		fatalx("capabilities were not dropped");
}

void
drop_privileges(const char *user, const char *root)
{
	struct passwd	*pw;
	uid_t		 uid;
	gid_t		 gid;

	if ((pw = getpwnam(user)) == NULL)
		fatalx("there is no user %s", user);
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	if (uid == 0 || gid == 0)
		fatalx("user %s has root's uid or group", user);
	if (root != NULL)
		enter_root(root);
	caps_last();
	if (setgroups(1, &gid) == -1)
		fatal("setgroups");
	if (setresgid(gid, gid, gid) == -1)
		fatal("setresgid to %u", (unsigned int)gid);
	if (setresuid(uid, uid, uid) == -1)
		fatal("setresuid to %u", (unsigned int)uid);
	prove_dropped(uid, gid);
}

static const struct rlimit	none = { 0, 0 };

void
drop_limits(int what)
{
	struct stat	st;

	if ((what & DROP_FORK) && setrlimit(RLIMIT_NPROC, &none) == -1)
		fatal("setrlimit of processes");
	if ((what & DROP_FILES) &&
	    !(fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode)) &&
	    setrlimit(RLIMIT_FSIZE, &none) == -1)
		fatal("setrlimit of file sizes");
}

void
drop_harden(void)
{
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("setrlimit of core dumps");
	harden_process();
}
