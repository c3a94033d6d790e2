/*
 * The engine, and the others before they become another user, run this on
 * Linux: capabilities(7), by system calls, so that no library is needed.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/compat.h"
#include "common/log.h"

#define BIT(c)	(1ULL << (c))
#define ENGINE	0x01		/* uses it itself, or hands it on */
#define OWNER	0x02		/* a worker that stays root */

static const struct {
	unsigned int	 number;
	int		 who;
	const char	*name, *reason;
} table[] = {
	{ CAP_DAC_OVERRIDE, ENGINE | OWNER, "CAP_DAC_OVERRIDE",
	    "write where root has no permission by the file's mode" },
	{ CAP_DAC_READ_SEARCH, ENGINE, "CAP_DAC_READ_SEARCH",
	    "reach databases in other users' directories" },
	{ CAP_FOWNER, ENGINE, "CAP_FOWNER",
	    "use a backup directory that belongs to another user" },
	{ CAP_LEASE, ENGINE, "CAP_LEASE",
	    "see whether somebody still writes to another user's file" },
	{ CAP_NET_BIND_SERVICE, ENGINE, "CAP_NET_BIND_SERVICE",
	    "listen on a port below 1024" },
	{ CAP_KILL, ENGINE, "CAP_KILL",
	    "end a worker that has become another user" },
	{ CAP_SETUID, ENGINE, "CAP_SETUID", "let the others become users" },
	{ CAP_SETGID, ENGINE, "CAP_SETGID", "let the others become groups" },
	{ CAP_SYS_CHROOT, ENGINE, "CAP_SYS_CHROOT",
	    "give front and network roots of their own" },
	{ CAP_SYS_PTRACE, ENGINE, "CAP_SYS_PTRACE",
	    "see which processes of others have a database open" },
	{ CAP_SETPCAP, ENGINE, "CAP_SETPCAP",
	    "take from the others what they could regain" },
};

static int
caps_get(uint64_t *permitted)
{
	struct __user_cap_header_struct	h;
	struct __user_cap_data_struct	d[_LINUX_CAPABILITY_U32S_3];

	memset(&h, 0, sizeof(h));
	h.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &h, d) == -1)
		return (-1);
	*permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	return (0);
}

/* Permitted and effective; none is inheritable. */
static int
caps_set(uint64_t set)
{
	struct __user_cap_header_struct	h;
	struct __user_cap_data_struct	d[_LINUX_CAPABILITY_U32S_3];

	memset(&h, 0, sizeof(h));
	memset(d, 0, sizeof(d));
	h.version = _LINUX_CAPABILITY_VERSION_3;
	d[0].permitted = d[0].effective = (uint32_t)set;
	d[1].permitted = d[1].effective = (uint32_t)(set >> 32);
	return ((int)syscall(SYS_capset, &h, d));
}

/* All but those of keep leave the bounding set, for good. */
static void
bounding_keep(uint64_t keep)
{
	unsigned long	c;
	int		r;

	for (c = 0; c < 64; c++) {
		if ((r = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) == -1)
			break;		/* the kernel knows no more */
		if (r == 1 && !(keep & BIT(c)) &&
		    prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1)
			fatal("drop capability %lu", c);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		fatal("clear the ambient capabilities");
}

static void
reduce(int who, uint64_t bounding, int tell)
{
	uint64_t	have, keep = 0;
	size_t		i;

	if (geteuid() != 0)
		return;
	if (caps_get(&have) == -1)
		fatal("capget");
	for (i = 0; i < nitems(table); i++) {
		if (!(table[i].who & who))
			continue;
		keep |= BIT(table[i].number);
		if (tell && !(have & BIT(table[i].number)))
			log_info("root lacks %s here, so it cannot %s",
			    table[i].name, table[i].reason);
	}
	/* Without it nothing can be taken out, nor can anything be got
	 * back by those who give no new privileges to programs. */
	if (have & BIT(CAP_SETPCAP))
		bounding_keep(bounding & keep);
	if (caps_set(have & keep) == -1)
		fatal("capset");
}

void
caps_engine(void)
{
	reduce(ENGINE, ~0ULL, 1);
}

void
caps_last(void)
{
	uint64_t	have;

	if (geteuid() != 0)
		return;
	if (caps_get(&have) == -1)
		fatal("capget");
	if (have & BIT(CAP_SETPCAP))
		bounding_keep(0);
}

void
caps_root_owner(void)
{
	reduce(OWNER, 0, 0);
}

void
caps_reader(uid_t uid, gid_t gid)
{
	uint64_t	have, keep;

	if (geteuid() != 0)
		return;
	if (caps_get(&have) == -1)
		fatal("capget");
	if (have & BIT(CAP_SETPCAP))
		bounding_keep(0);
	/* What containers leave root includes the lesser. */
	if ((keep = have & BIT(CAP_DAC_READ_SEARCH)) == 0)
		keep = have & BIT(CAP_DAC_OVERRIDE);
	if (keep != 0 && (uid == 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
	    setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1))
		fatal("become uid %u", (unsigned int)uid);
	if (caps_set(keep) == -1)
		fatal("capset");
	if (keep != 0 && setresuid(0, 0, 0) != -1)
		fatalx("got root back");
}
