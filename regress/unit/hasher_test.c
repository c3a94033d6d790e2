/*
 * The hash that follows a file: it is that of what the file holds in the
 * end, whatever was changed, cut or added while it was computed.
 */
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/hasher.h"
#include "daemon/worker/worker.h"
#include "regress/unit/unit.h"

#define STEP		(1024 * 1024)
#define FILE_BYTES	(40 * 1024 * 1024)	/* some marks */
#define PART		65536

static uint8_t	*image;		/* what the file holds */
static int	 fd;
static uint64_t	 busy_us;

void
worker_spent(enum phase phase, uint64_t us)
{
	if (phase == PHASE_HASH)
		busy_us += us;
}

static void
put(uint64_t at, size_t n)
{
	if (pwrite(fd, image + at, n, (off_t)at) != (ssize_t)n)
		fatal("pwrite");
}

static void
change(struct hasher *h, uint64_t at, size_t n)
{
	arc4random_buf(image + at, n);
	put(at, n);
	hasher_changed(h, at);
}

/* Is what h says that of the first n bytes? */
static int
holds(struct hasher *h, size_t n)
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	unsigned int	size;
	char		want[CHECKSUM_BYTES], got[CHECKSUM_BYTES];

	strlcpy(want, "sha256:", sizeof(want));
	if (EVP_Digest(image, n, digest, &size, EVP_sha256(), NULL) != 1)
		fatalx("EVP_Digest");
	util_hex(want + strlen(want), digest, size);
	return (hasher_finish(h, n, got) == 0 && strcmp(want, got) == 0);
}

static struct hasher *
all_read(size_t n)
{
	struct hasher	*h;
	size_t		 at;

	if ((h = hasher_start(fd)) == NULL)
		fatalx("no thread");
	for (at = 0; at < n; at += STEP)
		hasher_advance(h, at + STEP < n ? at + STEP : n);
	return (h);
}

static void
simple(void)
{
	static const size_t	sizes[] = { 0, 1, PART, 3 * STEP + 17,
				    FILE_BYTES };
	size_t			i;

	for (i = 0; i < nitems(sizes); i++)
		ok(holds(all_read(sizes[i]), sizes[i]), "%zu bytes",
		    sizes[i]);
}

static void
changed(void)
{
	struct hasher	*h;

	h = all_read(FILE_BYTES);
	change(h, 0, 100);
	ok(holds(h, FILE_BYTES), "the first page changed");
	h = all_read(FILE_BYTES);
	usleep(200000);
	change(h, FILE_BYTES - 1, 1);
	ok(holds(h, FILE_BYTES), "the last byte changed, after it was read");
	h = all_read(FILE_BYTES);
	usleep(200000);
	ok(holds(h, FILE_BYTES / 2 + 5), "it was cut");
	h = all_read(FILE_BYTES / 2);
	usleep(100000);
	change(h, STEP, PART);
	hasher_advance(h, FILE_BYTES);
	ok(holds(h, FILE_BYTES), "it grew, and changed before that");
}

/* As a capture does: from the start to the end, what differs. */
static void
random_passes(void)
{
	struct hasher	*h;
	uint64_t	 at;
	int		 i, good = 0;

	for (i = 0; i < 20; i++) {
		h = all_read(FILE_BYTES);
		usleep(arc4random_uniform(80000));
		for (at = arc4random_uniform(FILE_BYTES / 4);
		    at < FILE_BYTES - PART;
		    at += 1 + arc4random_uniform(FILE_BYTES / 3))
			change(h, at, 1 + arc4random_uniform(PART));
		good += holds(h, FILE_BYTES);
	}
	ok(good == 20, "%d of 20 passes of random changes", good);
}

/* It tells how long it hashed, not how long it waited. */
static void
times(void)
{
	struct hasher	*h;
	uint64_t	 start_us = util_monotonic_us(), wall_us;

	busy_us = 0;
	if ((h = hasher_start(fd)) == NULL)
		fatalx("no thread");
	usleep(200000);
	ok(holds(h, FILE_BYTES), "a hash that has waited");
	wall_us = util_monotonic_us() - start_us;
	ok(busy_us > 1000 && busy_us < wall_us - 150000,
	    "was busy for %ju of %ju us", (uintmax_t)busy_us,
	    (uintmax_t)wall_us);
}

int
main(void)
{
	char	path[] = "/tmp/hasher_test.XXXXXX";

	log_init("hasher_test", 1, 0);
	if ((fd = mkstemp(path)) == -1 || unlink(path) == -1)
		fatal("%s", path);
	image = xmalloc(FILE_BYTES);
	arc4random_buf(image, FILE_BYTES);
	put(0, FILE_BYTES);
	simple();
	changed();
	random_passes();
	times();
	free(image);
	close(fd);
	return (tap_end());
}
