/*
 * Workers run this with the engine's rights, before SQLite sees the
 * database: is there a rollback journal that SQLite would roll back, and
 * may it?  Rolling back is a write to the application's database, and
 * deletes the file that the journal names as its super-journal.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

#define TAIL_BYTES	16		/* length, checksum, magic */
#define NAME_MAX_BYTES	4096
#define POLL_MS		20

static const uint8_t	magic[8] = {
	0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7
};

enum journal_state {
	JOURNAL_NONE,			/* none, or finished */
	JOURNAL_LIVE,			/* its writer is at work */
	JOURNAL_HOT			/* its writer is gone */
};

/*
 * The super-journal's name at the end of a journal ("The Rollback
 * Journal", file format section 3): name, its length, the sum of its
 * bytes, the magic.  1 and name, or 0 when there is none.
 */
static int
super_journal(int fd, off_t size, char name[NAME_MAX_BYTES + 1])
{
	uint8_t		tail[TAIL_BYTES];
	uint32_t	length, sum, i;

	if (size < TAIL_BYTES ||
	    pread(fd, tail, sizeof(tail), size - TAIL_BYTES) != TAIL_BYTES ||
	    memcmp(tail + 8, magic, sizeof(magic)) != 0)
		return (0);
	length = sqlite_get32(tail);
	sum = sqlite_get32(tail + 4);
	if (length == 0 || length > NAME_MAX_BYTES ||
	    (off_t)length > size - TAIL_BYTES ||
	    pread(fd, name, length, size - TAIL_BYTES - (off_t)length) !=
	    (ssize_t)length)
		return (0);
	for (i = 0; i < length; i++)
		sum -= (uint32_t)(int8_t)name[i];
	name[length] = '\0';
	return (sum == 0);
}

/* SQLite names a super-journal DB-mjXXXXXX9XX; anything else is planted. */
static int
is_super_name(const char *name)
{
	size_t	n = strlen(name);

	return (n > 12 && name[0] == '/' &&
	    strncmp(name + n - 12, "-mj", 3) == 0 &&
	    strspn(name + n - 9, "0123456789ABCDEF") == 9 &&
	    name[n - 3] == '9');
}

/*
 * SQLite will read the super-journal and, at the end, delete it: it must be
 * in the only directory that this worker may go to.  Found out before the
 * journal is touched, since SQLite would first roll back and then fail.
 */
static int
super_check(const struct look *l, const char *name, struct m_error *e)
{
	const char	*base;
	size_t		 n = (size_t)(l->name - l->path);
	struct stat	 st;

	if (!is_super_name(name))
		return (fail(e, E_HOT_JOURNAL,
		    "the journal beside %s names \"%s\", which is no journal "
		    "of SQLite's, as part of its transaction; it was not "
		    "touched", l->path, name));
	base = strrchr(name, '/') + 1;	/* it begins with one */
	if ((size_t)(base - name) != n || strncmp(name, l->path, n) != 0)
		return (fail(e, E_HOT_JOURNAL,
		    "a transaction over several databases was cut short at "
		    "%s, and its super-journal %s is in another directory; "
		    "nothing was touched", l->path, name));
	if (fstatat(l->dir, base, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return (fail(e, E_HOT_JOURNAL,
		    "a transaction over several databases was cut short at "
		    "%s, and its super-journal %s is not there; nothing was "
		    "touched", l->path, name));
	return (0);
}

static int
is_reserved(const struct procs_lock *k, void *arg)
{
	(void)arg;
	return (k->write && !k->waiting && k->first <= SQLITE_RESERVED_BYTE &&
	    k->last >= SQLITE_RESERVED_BYTE);
}

/* Does anybody hold RESERVED?  Then the journal is his, and not hot. */
static int
writer_lives(const struct look *l)
{
	struct flock	fl;
	int		fd, r, found = 0;

	if ((fd = look_beside(l, "", O_RDONLY)) != -1) {
		memset(&fl, 0, sizeof(fl));
		fl.l_type = F_WRLCK;
		fl.l_whence = SEEK_SET;
		fl.l_start = SQLITE_RESERVED_BYTE;
		fl.l_len = 1;
		found = fcntl(fd, F_GETLK, &fl) == 0 && fl.l_type == F_WRLCK;
		close(fd);
	}
	if (!found && (fd = procs_locks_open()) != -1) {
		r = procs_locks(fd, l->st.st_dev, l->st.st_ino, is_reserved,
		    NULL);
		found = r == 1;
		close(fd);
	}
	return (found);
}

static enum journal_state
journal_state(const struct look *l, int *fdp, struct stat *st)
{
	uint8_t	first = 0;
	int	fd;

	*fdp = -1;
	if ((fd = look_beside(l, "-journal", O_RDONLY)) == -1)
		return (JOURNAL_NONE);
	/* A first byte of 0 is how PERSIST mode ends a transaction. */
	if (fstat(fd, st) == -1 || st->st_size == 0 ||
	    pread(fd, &first, 1, 0) != 1 || first == 0) {
		close(fd);
		return (JOURNAL_NONE);
	}
	if (writer_lives(l)) {
		close(fd);
		return (JOURNAL_LIVE);
	}
	*fdp = fd;
	return (JOURNAL_HOT);
}

static int
found_opener(pid_t pid, int fd, void *arg)
{
	(void)fd;
	*(pid_t *)arg = pid;
	return (1);
}

/* H3: a lock that we can't see may stand behind an open file. */
static int
nobody_has_it(const struct look *l, const struct stat *journal,
    struct m_error *e)
{
	struct stat	st;
	pid_t		pid = 0;
	int		part, incomplete, r;

	if (look_stat_beside(l, ".lock", &st) == 0)
		return (fail(e, E_HOT_JOURNAL,
		    "a transaction of %s was cut short or still runs: its "
		    "journal and a dotfile lock (%s.lock) are there",
		    l->path, l->path));
	r = procs_openers(l->st.st_dev, l->st.st_ino, found_opener, &pid,
	    &incomplete);
	if (r == 0) {
		r = procs_openers(journal->st_dev, journal->st_ino,
		    found_opener, &pid, &part);
		incomplete |= part;
	}
	if (r == 1)
		return (fail(e, E_HOT_JOURNAL,
		    "a transaction of %s was cut short, and process %d has "
		    "the database open; it will roll back when it reads next",
		    l->path, (int)pid));
	/* Nobody else can write to what only its owner may. */
	if (r == -1 || (incomplete && (geteuid() == 0 ||
	    (l->st.st_mode & (S_IWGRP | S_IWOTH)) != 0)))
		return (fail(e, E_HOT_JOURNAL,
		    "a transaction of %s was cut short, and it cannot be seen "
		    "whether another process has the database open", l->path));
	return (0);
}

int
look_journal(struct look *l, uint32_t timeout_ms, int *recover,
    struct m_error *e)
{
	struct timespec	 pause = { 0, POLL_MS * 1000000L };
	struct stat	 st;
	uint64_t	 end_us;
	char		 name[NAME_MAX_BYTES + 1];
	int		 fd, tries = 0, r = 0;

	*recover = 0;
	end_us = util_monotonic_us() + (uint64_t)timeout_ms * 1000;
	for (;;) {
		if (journal_state(l, &fd, &st) != JOURNAL_HOT)
			return (0);
		/* A writer that just ended looks the same for a moment, and
		 * so does one that unlinks its journal after its lock. */
		r = nobody_has_it(l, &st, e);
		if (r == 0 && super_journal(fd, st.st_size, name))
			r = super_check(l, name, e);
		close(fd);
		if (r == 0 && ++tries >= 3)
			break;
		/* What takes long to be seen is still looked at thrice. */
		if ((r != 0 && util_monotonic_us() >= end_us) ||
		    worker_stopping())
			return (r);
		nanosleep(&pause, NULL);
	}
	*recover = 1;
	return (0);
}
