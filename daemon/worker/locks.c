/*
 * Workers run this with the engine's rights: who has the database open, and
 * which of SQLite's locks he holds (design.md section 5).  It reads /proc
 * and the wal-index; it takes no lock, and SQLite is not in this process.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/worker/locks.h"
#include "daemon/worker/worker.h"
#include "proto/sqlite_format.h"

#define HOLDERS_MAX	10000
#define PASSES		3		/* over the table of locks */
#define MARKS		5		/* READ0 to READ4 */
#define MARKS_AT	100		/* in the wal-index, 4 bytes each */

/* Which bytes are which lock: of the database, of the -shm. */
struct lock_name {
	uint64_t	 first, last;
	const char	*name;
	int		 write_only;	/* named so only if it is exclusive */
};

static const struct lock_name	db_locks[] = {
	{ SQLITE_PENDING_BYTE, SQLITE_PENDING_BYTE, "PENDING", 0 },
	{ SQLITE_RESERVED_BYTE, SQLITE_RESERVED_BYTE, "RESERVED", 0 },
	{ SQLITE_SHARED_FIRST, SQLITE_SHARED_FIRST + SQLITE_SHARED_BYTES - 1,
	    "EXCLUSIVE", 1 },
	{ SQLITE_SHARED_FIRST, SQLITE_SHARED_FIRST + SQLITE_SHARED_BYTES - 1,
	    "SHARED", 0 },
};

static const struct lock_name	shm_locks[] = {
	{ 120, 120, "WRITE", 0 },
	{ 121, 121, "CHECKPOINT", 0 },
	{ 122, 122, "RECOVER", 0 },
	{ 123, 123, "READ0", 0 },
	{ 124, 124, "READ1", 0 },
	{ 125, 125, "READ2", 0 },
	{ 126, 126, "READ3", 0 },
	{ 127, 127, "READ4", 0 },
	{ 128, 128, "DMS", 0 },
};

struct search {
	struct locks		*out;
	const struct lock_name	*names;
	size_t			 nnames;
	int			 wal;		/* of a WAL database's file */
	dev_t			 dev;		/* the file that is looked at */
	ino_t			 ino;
	const uint32_t		*marks;	/* aReadMark, or NULL */
	uint32_t		 mx_frame;
};

static struct m_lock_row *
holder(struct locks *l, pid_t pid)
{
	struct m_lock_row	*row;
	size_t			 i;

	for (i = 0; i < l->n; i++) {
		if (l->rows[i].pid == (int32_t)pid)
			return (&l->rows[i]);
	}
	if (l->n == HOLDERS_MAX)
		return (NULL);
	if (l->n == l->size) {
		l->size = l->size == 0 ? 64 : l->size * 2;
		l->rows = xreallocarray(l->rows, l->size, sizeof(*l->rows));
	}
	row = &l->rows[l->n++];
	memset(row, 0, sizeof(*row));
	row->pid = (int32_t)pid;
	row->uid = UINT32_MAX;
	row->held_ms = row->frames_pinned = -1;
	return (row);
}

static void
name_add(struct m_lock_row *row, const char *name)
{
	const char	*p;
	size_t		 n = strlen(name);

	for (p = row->locks; (p = strstr(p, name)) != NULL; p += n) {
		if ((p == row->locks || p[-1] == ',') &&
		    (p[n] == '\0' || p[n] == ','))
			return;
	}
	if (row->locks[0] != '\0')
		strlcat(row->locks, ",", sizeof(row->locks));
	strlcat(row->locks, name, sizeof(row->locks));
}

/* A reader keeps a checkpoint from what lies behind its mark. */
static void
pins(const struct search *s, size_t k, struct m_lock_row *row)
{
	int64_t	n;

	if (s->marks == NULL)
		return;
	n = k == 0 ? (int64_t)s->mx_frame :
	    s->marks[k] == UINT32_MAX || s->marks[k] > s->mx_frame ? 0 :
	    (int64_t)(s->mx_frame - s->marks[k]);
	if (n > row->frames_pinned)
		row->frames_pinned = n;
}

/* D1: what would block a restore now. */
static int
blocks(const struct search *s, const struct lock_name *n, int write)
{
	if (s->names == shm_locks)
		return (write && (n->first == 120 || n->first == 122));
	if (s->wal)
		return (write && n->first == SQLITE_SHARED_FIRST);
	return (1);
}

static void
lock_names(struct search *s, const struct procs_lock *k,
    struct m_lock_row *row)
{
	const struct lock_name	*n;
	size_t			 i;

	for (i = 0; i < s->nnames; i++) {
		n = &s->names[i];
		if (k->first > n->last || k->last < n->first ||
		    (n->write_only && !k->write) ||
		    (!n->write_only && k->write &&
		    strcmp(n->name, "SHARED") == 0))
			continue;
		name_add(row, n->name);
		if (blocks(s, n, k->write))
			s->out->held = 1;
		if (n->first >= 123 && n->first <= 127 &&
		    s->names == shm_locks)
			pins(s, (size_t)(n->first - 123), row);
		if (k->write)
			row->mode = HOLDER_WRITE;
		else if (row->mode == HOLDER_OPEN && n->first != 128 &&
		    !(s->wal && s->names == db_locks))
			row->mode = HOLDER_READ;
	}
}

static int
on_lock(const struct procs_lock *k, void *arg)
{
	struct search		*s = arg;
	struct m_lock_row	*row;

	/* Who owns an open-file-description lock, its descriptors tell. */
	if (k->waiting || k->pid == -1 || k->pid == getpid())
		return (0);
	if ((row = holder(s->out, k->pid)) != NULL)
		lock_names(s, k, row);
	return (0);
}

static int
on_opener(pid_t pid, int fd, void *arg)
{
	struct search		*s = arg;

	if (holder(s->out, pid) == NULL)
		return (0);
	(void)procs_locks_ofd(pid, fd, s->dev, s->ino, on_lock, s);
	return (0);
}

static void
search_file(struct search *s, int locks_fd, const struct stat *st)
{
	int	incomplete, i, r = locks_fd == -1 ? -1 : 0;

	s->dev = st->st_dev;
	s->ino = st->st_ino;
	/* The kernel gives it in parts, by position: when somebody unlocks
	 * between two, a lock that stands is passed over. */
	for (i = 0; r != -1 && i < PASSES; i++)
		r = procs_locks(locks_fd, s->dev, s->ino, on_lock, s);
	if (r == -1)
		s->out->incomplete = 1;
	if (procs_openers(s->dev, s->ino, on_opener, s, &incomplete) == -1 ||
	    incomplete)
		s->out->incomplete = 1;
}

/* The marks of readers, in the byte order of this machine. */
static int
marks_read(const struct look *l, uint32_t marks[MARKS], uint32_t *mx_frame)
{
	uint8_t	b[MARKS_AT + MARKS * 4];
	int	fd, r = -1;

	if ((fd = look_beside(l, "-shm", O_RDONLY)) == -1)
		return (-1);
	if (pread(fd, b, sizeof(b), 0) == sizeof(b)) {
		memcpy(mx_frame, b + WALINDEX_MX_FRAME_AT, sizeof(*mx_frame));
		memcpy(marks, b + MARKS_AT, MARKS * 4);
		r = 0;
	}
	close(fd);
	return (r);
}

static void
describe(struct m_lock_row *row)
{
	struct passwd	*pw;
	uid_t		 uid;

	if (row->pid <= 0 || procs_describe(row->pid, row->command,
	    sizeof(row->command), &uid) == -1)
		return;
	row->uid = uid;
	if ((pw = getpwuid(uid)) != NULL)
		strlcpy(row->user, pw->pw_name, sizeof(row->user));
}

void
locks_find(const struct look *l, struct locks *out)
{
	struct search	s;
	struct stat	st;
	uint32_t	marks[MARKS];
	size_t		i;
	int		fd;

	memset(out, 0, sizeof(*out));
	memset(&s, 0, sizeof(s));
	s.out = out;
	s.wal = l->wal_mode;
	s.names = db_locks;
	s.nnames = nitems(db_locks);
	fd = procs_locks_open();
	search_file(&s, fd, &l->st);
	if (look_stat_beside(l, "-shm", &st) == 0) {
		if (marks_read(l, marks, &s.mx_frame) == 0)
			s.marks = marks;
		s.names = shm_locks;
		s.nnames = nitems(shm_locks);
		search_file(&s, fd, &st);
	}
	if (fd != -1)
		close(fd);
	for (i = 0; i < out->n; i++)
		describe(&out->rows[i]);
}

void
locks_free(struct locks *l)
{
	free(l->rows);
	memset(l, 0, sizeof(*l));
}

/* 0 when a restore could proceed now, else -1 and why not. */
static int
accessible(const struct look *l, const struct locks *k, struct m_error *e)
{
	struct statvfs	 v;
	uint64_t	 free_bytes, need = (uint64_t)l->st.st_size;
	size_t		 i;

	for (i = 0; i < k->n; i++) {
		if (k->held && k->rows[i].mode != HOLDER_OPEN)
			return (fail(e, E_DATABASE_LOCKED,
			    "%s is locked by process %d (%s, user %s): %s",
			    l->path, k->rows[i].pid, k->rows[i].command,
			    k->rows[i].user, k->rows[i].locks));
	}
	if (k->held)
		return (fail(e, E_DATABASE_LOCKED, "%s is locked", l->path));
	if (l->read_only_fs || (geteuid() != 0 &&
	    faccessat(l->dir, l->name, W_OK, AT_EACCESS) == -1) ||
	    (l->st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0)
		return (fail(e, E_PERMISSION_DENIED,
		    "%s may not be written to", l->path));
	/* A restore into a WAL database needs its whole size once more. */
	if (fstatvfs(l->dir, &v) == -1)
		return (fail(e, E_IO_ERROR, "%s: %s", l->path,
		    strerror(errno)));
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	if (free_bytes >= need)
		return (0);
	return (fail(e, E_INSUFFICIENT_SPACE,
	    "the file system of %s has %ju bytes free, a restore of the same "
	    "size wants %ju", l->path, (uintmax_t)free_bytes,
	    (uintmax_t)need));
}

int
locks_run(const struct m_w_inspect *order, struct m_locks_end *r,
    struct m_error *error)
{
	struct look	l;
	struct locks	k;
	struct m_error	why;
	size_t		i;

	if (look_open(&order->look, &l, error) == -1) {
		if (error->code != E_DATABASE_NOT_FOUND)
			return (-1);
		/* Nobody is in the way of what is not there: a restore
		 * would make it anew. */
		r->flags = LOCKS_ACCESSIBLE;
		strlcpy(r->text, error->text, sizeof(r->text));
		return (0);
	}
	locks_find(&l, &k);
	r->flags = LOCKS_EXISTS;
	if (k.held)
		r->flags |= LOCKS_HELD;
	if (k.incomplete)
		r->flags |= LOCKS_INCOMPLETE;
	if (accessible(&l, &k, &why) == 0)
		r->flags |= LOCKS_ACCESSIBLE;
	else
		strlcpy(r->text, why.text, sizeof(r->text));
	for (i = 0; i < k.n; i++)
		worker_lock_row(&k.rows[i]);
	r->rows = (uint32_t)k.n;
	locks_free(&k);
	look_free(&l);
	return (0);
}
