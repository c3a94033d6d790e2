/*
 * Workers run this: Landlock (landlock(7)).  Debian 12's headers know ABI
 * 2 only, so that the constants of later ones stand here; what the running
 * kernel does not know is masked out.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "common/sandbox.h"

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
#define NET_ALL		3ULL		/* ABI 4: bind, connect */
#define SCOPE_ALL	3ULL		/* ABI 6: abstract sockets, signals */

#define RULE_PATH	1

struct ruleset {
	uint64_t	fs, net, scoped;
};

struct path_rule {
	uint64_t	access;
	int32_t		fd;
} __attribute__((packed));

static int
landlock_abi(void)
{
	return ((int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1));
}

static int
ruleset_new(int abi, struct ruleset *r)
{
	size_t	size = sizeof(r->fs);

	r->fs = FS_ABI1;
	r->net = r->scoped = 0;
	if (abi >= 2)
		r->fs |= FS_REFER;
	if (abi >= 3)
		r->fs |= FS_TRUNCATE;
	if (abi >= 4) {
		r->net = NET_ALL;
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

int
sandbox_files(const struct sandbox_path *paths, size_t n)
{
	struct ruleset	r;
	size_t		i;
	int		abi, fd, rv = -1, saved;

	if ((abi = landlock_abi()) < 1)
		return (0);
	if ((fd = ruleset_new(abi, &r)) == -1)
		return (-1);
	for (i = 0; i < n; i++) {
		if (rule_add(fd, &r, &paths[i]) == -1)
			goto out;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == 0)
		rv = 1;
 out:
	saved = errno;
	close(fd);
	errno = saved;
	return (rv);
}
