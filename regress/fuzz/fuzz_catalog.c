/*
 * A catalog that was damaged: opening it either works, or says in a
 * sentence why not, and then has not changed a byte.  The header's magic
 * and our application id are made right unless the first byte says no.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "daemon/engine/catalog_int.h"

#define BYTES_MAX	(1024 * 1024)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char	dir[64], path[96];

static void
folder_remove(void)
{
	char	name[128];
	size_t	i;
	static const char *const suffixes[] = { "", "-wal", "-shm",
	    "-journal", ".new" };

	for (i = 0; i < nitems(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(dir);
}

static void
folder_make(void)
{
	strlcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" :
	    "/tmp/fuzz.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/catalog.sqlite", dir);
	(void)atexit(folder_remove);
	log_init("fuzz", 1, 0);
	umask(077);
}

static void
write_file(const uint8_t *data, size_t n)
{
	int	fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, data, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* The application must find what it refused as it was. */
static void
same(const uint8_t *data, size_t n)
{
	static uint8_t	now[BYTES_MAX + 1];
	ssize_t		got;
	int		fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		__builtin_trap();
	got = read(fd, now, sizeof(now));
	close(fd);
	if (got != (ssize_t)n || memcmp(now, data, n) != 0)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t	 copy[BYTES_MAX];
	static const uint8_t id[4] = { 'C', 'B', 'k', 'd' };
	struct catalog	*c;
	char		 uuid[UUID_BYTES], err[TEXT_BYTES];

	if (size < 1 || size - 1 > sizeof(copy))
		return (0);
	if (dir[0] == '\0')
		folder_make();
	memcpy(copy, data + 1, size - 1);
	if (!(data[0] & 1) && size > 100) {
		memcpy(copy, "SQLite format 3", 16);
		memcpy(copy + 68, id, sizeof(id));
	}
	write_file(copy, size - 1);
	err[0] = '\0';
	if ((c = catalog_open(path, uuid, err)) != NULL) {
		if (memchr(uuid, '\0', sizeof(uuid)) == NULL)
			__builtin_trap();
		catalog_close(c);
	} else {
		if (err[0] == '\0' || memchr(err, '\0', sizeof(err)) == NULL)
			__builtin_trap();
		if (size > 1)
			same(copy, size - 1);
	}
	folder_remove();
	if (mkdir(dir, 0700) == -1)
		abort();
	return (0);
}
