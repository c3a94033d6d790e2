/*
 * Every process runs this: Landlock (landlock(7)), then the list of calls
 * (seccomp_linux.c).  Debian 12's headers know ABI 2 only, so that the
 * constants of later ones stand here; what the running kernel does not
 * know is masked out.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "common/seccomp_linux.h"

#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_READ_DIR	(1ULL << 3)
#define FS_REMOVE_FILE	(1ULL << 5)
#define FS_MAKE_REG	(1ULL << 8)
#define FS_ABI1		((1ULL << 13) - 1)
#define FS_REFER	(1ULL << 13)	/* ABI 2 */
#define FS_TRUNCATE	(1ULL << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */
#define NET_BIND	(1ULL << 0)	/* ABI 4: of TCP */
#define NET_CONNECT	(1ULL << 1)
#define SCOPE_ALL	3ULL		/* ABI 6: abstract sockets, signals */

#define RULE_PATH	1

struct ruleset {
	uint64_t	fs, net, scoped;
};

struct path_rule {
	uint64_t	access;
	int32_t		fd;
} __attribute__((packed));

/* What TCP each may not do; the engine is not held by Landlock, because
 * what it opens is named by its configuration. */
static const struct {
	int		used;
	uint64_t	net;
} landlock[SANDBOX_STEPS] = {
	[SANDBOX_FRONT] = { 1, NET_BIND | NET_CONNECT },
	[SANDBOX_NETWORK] = { 1, NET_BIND },
	[SANDBOX_OWNER] = { 1, NET_BIND | NET_CONNECT },
	[SANDBOX_CHECK] = { 1, NET_BIND | NET_CONNECT },
	[SANDBOX_LOOKER] = { 1, NET_BIND | NET_CONNECT },
};

/* 0 when the kernel was built or started without it, or a container's
 * filter does not let us ask (EPERM: nothing else gives that here). */
static int
landlock_abi(void)
{
	int	abi;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1);
	if (abi == -1 && (errno == ENOSYS || errno == EOPNOTSUPP ||
	    errno == EPERM))
		return (0);
	return (abi);
}

static int
ruleset_new(int abi, uint64_t net, struct ruleset *r)
{
	size_t	size = sizeof(r->fs);

	r->fs = FS_ABI1;
	r->net = r->scoped = 0;
	if (abi >= 2)
		r->fs |= FS_REFER;
	if (abi >= 3)
		r->fs |= FS_TRUNCATE;
	if (abi >= 4) {
		r->net = net;
		size += sizeof(r->net);
	}
	if (abi >= 5)
		r->fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		r->scoped = SCOPE_ALL;
		size += sizeof(r->scoped);
	}
	return ((int)syscall(SYS_landlock_create_ruleset, r, size, 0));
}

static int
rule_add(int ruleset, const struct ruleset *r, const struct sandbox_path *p)
{
	struct path_rule	rule;
	struct stat		st;

	rule.fd = p->fd;
	rule.access = 0;
	if (p->rights & SANDBOX_READ)
		rule.access |= FS_READ_FILE | FS_READ_DIR;
	if (p->rights & SANDBOX_WRITE)
		rule.access |= FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG |
		    FS_TRUNCATE;
	if (fstat(p->fd, &st) == -1)
		return (-1);
	if (!S_ISDIR(st.st_mode))
		rule.access &= FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
	rule.access &= r->fs;
	return ((int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule,
	    0));
}

static int
landlock_enter(int abi, uint64_t net, const struct sandbox_path *paths,
    size_t n)
{
	struct ruleset	r;
	size_t		i;
	int		fd, rv = -1, saved;

	if ((fd = ruleset_new(abi, net, &r)) == -1)
		return (-1);
	for (i = 0; i < n; i++) {
		if (rule_add(fd, &r, &paths[i]) == -1)
			goto out;
	}
	rv = (int)syscall(SYS_landlock_restrict_self, fd, 0);
 out:
	saved = errno;
	close(fd);
	errno = saved;
	return (rv);
}

int
sandbox_system(enum sandbox_step step, int log_only,
    const struct sandbox_path *paths, size_t n, struct sandbox_state *s)
{
	int	abi, r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	sandbox_tell(s, ", no new privileges");
	s->wanted = SANDBOX_CALLS;
	if (landlock[step].used) {
		s->wanted |= SANDBOX_FILES;
		if ((abi = landlock_abi()) == -1 || (abi > 0 &&
		    landlock_enter(abi, landlock[step].net, paths, n) == -1))
			return (-1);
		if (abi > 0) {
			s->layers |= SANDBOX_FILES;
			sandbox_tell(s, ", landlock abi %d", abi);
		} else
			sandbox_tell(s, ", no landlock");
	}
	if ((r = seccomp_enter(step, log_only, s)) == -1)
		return (-1);
	if (r == 1)
		s->layers |= SANDBOX_CALLS;
	else
		sandbox_tell(s, ", no seccomp");
	return (0);
}
