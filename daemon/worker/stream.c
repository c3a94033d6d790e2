/*
 * Workers run this: the two ends of a stream, both files.  It owns neither
 * of them.  Nothing is believed of what it reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/stream.h"
#include "daemon/worker/worker.h"

#define BLOCK_BYTES	(128 * 1024)

static int
file_write(const struct stream_file *f, const uint8_t *p, size_t n,
    struct m_error *e)
{
	uint64_t	at = f->size, start_us = util_monotonic_us();
	ssize_t		w;

	while (n > 0) {
		w = pwrite(f->fd, p, n, (off_t)at);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1 && (errno == ENOSPC || errno == EDQUOT))
			return (fail(e, E_INSUFFICIENT_SPACE,
			    "the backup directory is full: %s",
			    strerror(errno)));
		if (w == -1)
			return (fail(e, E_IO_ERROR, "cannot write to the "
			    "backup directory: %s", strerror(errno)));
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	(void)worker_lap(PHASE_WRITE, start_us);
	return (0);
}

static int
file_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct stream_file	*f = (struct stream_file *)s;

	if (n > f->size_max - f->size)
		return (fail(e, f->code, "%s", f->what));
	if (f->fd != -1 && file_write(f, p, n, e) == -1)
		return (-1);
	f->size += n;
	if (f->wrote != NULL)
		f->wrote(f->arg, p, n);
	return (0);
}

static int
file_end(struct stream *s, struct m_error *e)
{
	struct stream_file	*f = (struct stream_file *)s;
	uint64_t		 start_us = util_monotonic_us();

	if (f->fd != -1 && fdatasync(f->fd) == -1)
		return (fail(e, errno == ENOSPC || errno == EDQUOT ?
		    E_INSUFFICIENT_SPACE : E_IO_ERROR,
		    "cannot write to the backup directory: %s",
		    strerror(errno)));
	(void)worker_lap(PHASE_FSYNC, start_us);
	return (0);
}

void
stream_file_init(struct stream_file *f, int fd)
{
	memset(f, 0, sizeof(*f));
	f->stream.put = file_put;
	f->stream.end = file_end;
	f->fd = fd;
	f->size_max = UINT64_MAX;
}

static int
pump_block(int fd, uint8_t *block, uint64_t at, size_t want,
    struct m_error *e)
{
	ssize_t	n;
	size_t	done = 0;
	uint64_t start_us = util_monotonic_us();

	while (done < want) {
		n = pread(fd, block + done, want - done, (off_t)(at + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (fail(e, E_IO_ERROR, "cannot read the backup: "
			    "%s", n == 0 ? "it has become shorter" :
			    strerror(errno)));
		done += (size_t)n;
	}
	(void)worker_lap(PHASE_READ, start_us);
	return (0);
}

/* What is measured where the files are. */
static uint64_t
files_us(void)
{
	return (worker_spent_us(PHASE_READ) + worker_spent_us(PHASE_WRITE) +
	    worker_spent_us(PHASE_FSYNC));
}

int
stream_pump(int fd, uint64_t size, const char *phase, enum phase own,
    struct stream *s, struct m_error *e)
{
	uint8_t		*block = xmalloc(BLOCK_BYTES);
	uint64_t	 at = 0, files = files_us(), start_us;
	size_t		 n;
	int		 rv = 0;

	worker_progress(phase, 0, size);
	start_us = util_monotonic_us();
	while (rv == 0 && at < size) {
		n = size - at < BLOCK_BYTES ? (size_t)(size - at) :
		    BLOCK_BYTES;
		if (worker_stopping())
			rv = fail(e, E_SHUTTING_DOWN, "the work was given up "
			    "because the daemon ends");
		else if ((rv = pump_block(fd, block, at, n, e)) == 0)
			rv = s->put(s, block, n, e);
		at += n;
		worker_progress(phase, at, size);
	}
	if (rv == 0)
		rv = s->end(s, e);
	worker_spent(own, util_monotonic_us() - start_us -
	    (files_us() - files));
	freezero(block, BLOCK_BYTES);
	return (rv);
}
