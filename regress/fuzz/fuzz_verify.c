/*
 * An image of arbitrary bytes, checked as a worker does: SQLite parses it
 * through our VFS, with our limits.  What it finds damaged, the check that
 * two threads share must not find sound.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "daemon/worker/verify.c"

#define SECONDS	5

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
share(struct verify *v, int fd)
{
	if ((v->shares = shares_start(fd, v->size)) != NULL &&
	    shares_finish(v->shares, on_progress, v) == 1)
		__builtin_trap();
	shares_free(v->shares);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct m_w_verify	order;
	struct m_w_verified	result;
	struct verify		v;
	int			fd;

	if (size < 1)
		return (0);
	memset(&order, 0, sizeof(order));
	memset(&result, 0, sizeof(result));
	memset(&v, 0, sizeof(v));
	order.level = data[0] & 1 ? VERIFY_FULL : VERIFY_QUICK;
	order.flags = data[0] & 2 ? VERIFY_ROWS | VERIFY_REFERENCES : 0;
	order.count_s = 1;
	v.order = &order;
	v.result = &result;
	v.size = size - 1;
	v.end_us = util_monotonic_us() + SECONDS * 1000000;
	if ((fd = memfd_create("fuzz", MFD_CLOEXEC)) == -1 ||
	    write(fd, data + 1, size - 1) != (ssize_t)size - 1)
		__builtin_trap();
	if (order.level == VERIFY_FULL && (data[0] & 4))
		v.indexes = indexes_start(fd);
	judge(&v, fd);
	indexes_free(v.indexes);
	if (result.verdict == VERDICT_DAMAGED)
		share(&v, fd);
	close(fd);
	if (!msg_text_ok(result.text) || result.verdict > VERDICT_UNKNOWN)
		__builtin_trap();
	return (0);
}
