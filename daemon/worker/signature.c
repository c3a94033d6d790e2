/*
 * Workers and the looker run this: what tells, without reading the
 * database, whether it has changed (H9).  It must not open the database's own file, as closing
 * it would drop the locks of this process on it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

#define SECOND_NS	1000000000LL
/* Clocks of file systems tick slowly: in seconds, or in two of them. */
#define MARGIN_NS	(2 * SECOND_NS)
#define WAL_PAGE_SIZE_AT	8

static int64_t
ns_of(const struct timespec *ts)
{
	return ((int64_t)ts->tv_sec * SECOND_NS + ts->tv_nsec);
}

/* The header of the last frame that is whole. */
static int
last_frame(int fd, struct m_signature *s)
{
	uint64_t	page, frame, n;

	page = sqlite_get32(s->wal_header + WAL_PAGE_SIZE_AT);
	if (page == 0 || s->wal_size < SIGNATURE_HEADER)
		return (0);
	frame = page + SIGNATURE_FRAME;
	if ((n = (s->wal_size - SIGNATURE_HEADER) / frame) == 0)
		return (0);
	return (pread(fd, s->wal_frame, SIGNATURE_FRAME,
	    (off_t)(SIGNATURE_HEADER + (n - 1) * frame)) == SIGNATURE_FRAME ?
	    0 : -1);
}

static int
wal_sign(const struct look *l, struct m_signature *s)
{
	struct stat	st;
	ssize_t		n;
	int		fd, r = -1;

	if ((fd = look_beside(l, "-wal", O_RDONLY)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (fstat(fd, &st) == 0) {
		s->wal_ino = (uint64_t)st.st_ino;
		s->wal_size = (uint64_t)st.st_size;
		s->wal_mtime_ns = ns_of(&st.st_mtim);
		s->wal_ctime_ns = ns_of(&st.st_ctim);
		n = pread(fd, s->wal_header, SIGNATURE_HEADER, 0);
		if (n == SIGNATURE_HEADER)
			r = last_frame(fd, s);
		else if (n >= 0 && s->wal_size < SIGNATURE_HEADER)
			r = 0;
	}
	close(fd);
	return (r);
}

static int
is_stable(const struct m_signature *s, int64_t now_ns)
{
	int64_t	limit = now_ns - MARGIN_NS;

	return (s->mtime_ns < limit && s->ctime_ns < limit &&
	    s->wal_mtime_ns < limit && s->wal_ctime_ns < limit);
}

void
signature_take(const struct look *l, struct m_signature *s)
{
	struct timespec	now;
	struct stat	st;

	memset(s, 0, sizeof(*s));
	s->version = SIGNATURE_VERSION;
	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		fatal("clock_gettime");
	if (look_stat_beside(l, "", &st) == -1 || !S_ISREG(st.st_mode))
		return;
	s->dev = (uint64_t)st.st_dev;
	s->ino = (uint64_t)st.st_ino;
	s->size = (uint64_t)st.st_size;
	/* Times repeat themselves when a clock is set back. */
	if (l->header_bytes == SQLITE_HEADER_BYTES)
		s->change_counter = sqlite_get32(l->header +
		    SQLITE_CHANGE_COUNTER_AT);
	s->mtime_ns = ns_of(&st.st_mtim);
	s->ctime_ns = ns_of(&st.st_ctim);
	if (wal_sign(l, s) == 0 && is_stable(s, ns_of(&now)))
		s->flags |= SIGNATURE_STABLE;
}
