/*
 * lockwatch DB wal|delete: how long anybody keeps a read lock of a database,
 * as somebody outside sees it.  Until SIGTERM; then prints the longest time
 * and the sum of all in microseconds.
 *
 * It asks the kernel who would be in the way (F_GETLK) and takes no lock
 * itself, so that what it measures is not changed by it.  Nothing else in
 * this process may open the database: closing would drop its locks.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

/* Where SQLite has its locks: facts of its file formats. */
#define SHARED_FIRST	0x40000002
#define SHARED_BYTES	510
#define WAL_READ_FIRST	123		/* of the -shm: READ0 to READ4 */
#define WAL_READ_BYTES	5

#define PAUSE_NS	100000

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t
now_us(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return (ts.tv_sec * 1000000LL + ts.tv_nsec / 1000);
}

static int
held(int fd, int wal)
{
	struct flock	fl;

	memset(&fl, 0, sizeof(fl));
	fl.l_type = F_WRLCK;
	fl.l_whence = SEEK_SET;
	fl.l_start = wal ? WAL_READ_FIRST : SHARED_FIRST;
	fl.l_len = wal ? WAL_READ_BYTES : SHARED_BYTES;
	if (fcntl(fd, F_GETLK, &fl) == -1)
		fatal("fcntl");
	return (fl.l_type != F_UNLCK);
}

int
main(int argc, char **argv)
{
	const struct timespec	 pause_ts = { 0, PAUSE_NS };
	int64_t			 since = 0, now, longest = 0, sum = 0;
	char			*path;
	int			 fd, wal;

	log_init("lockwatch", 1, 0);
	if (argc != 3) {
		fprintf(stderr, "usage: lockwatch db wal|delete\n");
		return (1);
	}
	wal = strcmp(argv[2], "wal") == 0;
	path = xasprintf("%s%s", argv[1], wal ? "-shm" : "");
	if (signal(SIGTERM, on_signal) == SIG_ERR)
		fatal("signal");
	/* A write lock can be asked for only where one may write. */
	fd = tool_open_file(path, O_RDWR);
	free(path);
	printf("watching\n");
	fflush(stdout);
	for (;;) {
		now = now_us();
		if (!stop && held(fd, wal)) {
			if (since == 0)
				since = now;
		} else if (since != 0) {
			sum += now - since;
			if (now - since > longest)
				longest = now - since;
			since = 0;
		}
		if (stop)
			break;
		nanosleep(&pause_ts, NULL);
	}
	printf("%lld %lld\n", (long long)longest, (long long)sum);
	close(fd);
	return (0);
}
