/*
 * What a worker reads of a database before SQLite does: the header and the
 * first page in the log, and the tail of a journal.  The first byte says
 * which; the journal's checksum is made right, or no name would get far.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The functions are static. */
#include "daemon/worker/inspect.c"
#include "daemon/worker/journal.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A worker becomes the owner here; there is none. */
int
look_confine(const struct look *l, struct m_error *e)
{
	(void)l;
	(void)e;
	return (0);
}

static int
file_of(const uint8_t *bytes, size_t n)
{
	int	fd;

	if ((fd = memfd_create("fuzz", MFD_CLOEXEC)) == -1 ||
	    write(fd, bytes, n) != (ssize_t)n)
		__builtin_trap();
	return (fd);
}

static void
header(const uint8_t *bytes, size_t n)
{
	struct m_file_info	r;
	struct look		l;
	int			fd;

	memset(&r, 0, sizeof(r));
	memset(&l, 0, sizeof(l));
	l.header_bytes = n < sizeof(l.header) ? n : sizeof(l.header);
	memcpy(l.header, bytes, l.header_bytes);
	n -= l.header_bytes;
	l.wal_mode = l.header_bytes == sizeof(l.header) &&
	    l.header[SQLITE_READ_VERSION_AT] == 2;
	l.wal_size = (off_t)n;
	r.size = (uint64_t)n * 1000;
	fd = file_of(bytes + l.header_bytes, n);
	content(&l, fd, &r);
	if (!msg_text_ok(r.journal_mode) || !msg_text_ok(r.encoding) ||
	    ((r.flags & FILE_DATABASE) && (r.page_size < 512 ||
	    r.page_size > 65536)))
		__builtin_trap();
	close(fd);
}

static void
tail(uint8_t *bytes, size_t n, int right)
{
	char		name[NAME_MAX_BYTES + 1];
	struct m_error	e;
	struct look	l;
	uint32_t	length, sum = 0, i;
	int		fd;

	if (right && n > TAIL_BYTES) {
		memcpy(bytes + n - sizeof(magic), magic, sizeof(magic));
		length = sqlite_get32(bytes + n - TAIL_BYTES);
		if (length > n - TAIL_BYTES)
			length = (uint32_t)(n - TAIL_BYTES);
		for (i = 0; i < length; i++)
			sum += (uint32_t)(int8_t)bytes[n - TAIL_BYTES -
			    length + i];
		for (i = 0; i < 4; i++) {
			bytes[n - TAIL_BYTES + i] =
			    (uint8_t)(length >> (24 - 8 * i));
			bytes[n - 12 + i] = (uint8_t)(sum >> (24 - 8 * i));
		}
	}
	fd = file_of(bytes, n);
	if (super_journal(fd, (off_t)n, name)) {
		if (memchr(name, '\0', sizeof(name)) == NULL)
			__builtin_trap();
		memset(&l, 0, sizeof(l));
		strlcpy(l.path, "/nowhere/app.db", sizeof(l.path));
		l.name = l.path + strlen("/nowhere/");
		l.dir = -1;
		if (super_check(&l, name, &e) == 0)
			__builtin_trap();
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t	copy[1024 * 1024];

	if (size < 1 || size > sizeof(copy))
		return (0);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 2)
		header(copy, size - 1);
	else
		tail(copy, size - 1, data[0] & 1);
	return (0);
}
