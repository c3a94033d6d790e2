/*
 * Many processes that have a database open and locked for reading, for
 * tests of lock inspection.
 *
 *	openers DB N SECONDS [posix|ofd]
 *
 * posix: SQLite with a read transaction; ofd: an open-file-description
 * lock on the SHARED bytes, as no SQLite takes it but others may.  Prints
 * "held" and the processes' ids when all hold theirs; all end after
 * SECONDS or with this one.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/tool.h"

#define SHARED_FIRST	0x40000002
#define SHARED_BYTES	510

static void
hold_posix(const char *path)
{
	sqlite3	*db;

	db = tool_open(path, SQLITE_OPEN_READONLY);
	sqlite3_busy_timeout(db, 5000);
	tool_exec(db, "BEGIN");
	(void)tool_int(db, "SELECT count(*) FROM sqlite_schema");
}

static void
hold_ofd(const char *path)
{
	struct flock	fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
	    .l_start = SHARED_FIRST, .l_len = SHARED_BYTES };
	int		fd;

	fd = tool_open_file(path, O_RDWR);
	if (fcntl(fd, F_OFD_SETLK, &fl) == -1)
		fatal("%s: lock", path);
}

static pid_t
opener(void (*hold)(const char *), const char *path, int ready)
{
	pid_t	pid, parent = getpid();

	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid > 0)
		return (pid);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		fatal("prctl");
	if (getppid() != parent)
		_exit(1);
	hold(path);
	if (write(ready, "", 1) != 1)
		fatal("pipe");
	close(ready);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	void	(*hold)(const char *) = hold_posix;
	pid_t	*pid;
	char	 byte;
	int	 ready[2], i, n, seconds;

	log_init("openers", 1, 0);
	if (argc == 5 && strcmp(argv[4], "ofd") == 0)
		hold = hold_ofd;
	else if (argc != 4 && (argc != 5 || strcmp(argv[4], "posix") != 0)) {
		fprintf(stderr, "usage: openers db n seconds [posix|ofd]\n");
		return (1);
	}
	n = tool_number(argv[2], 1, 10000);
	seconds = tool_number(argv[3], 0, 86400);
	if (pipe(ready) == -1)
		fatal("pipe");
	pid = xcalloc(n, sizeof(*pid));
	for (i = 0; i < n; i++)
		pid[i] = opener(hold, argv[1], ready[1]);
	close(ready[1]);
	for (i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			fatalx("opener %d of %d did not get its lock", i + 1,
			    n);
	printf("held");
	for (i = 0; i < n; i++)
		printf(" %d", (int)pid[i]);
	printf("\n");
	fflush(stdout);
	sleep(seconds);
	for (i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < n; i++)
		(void)waitpid(pid[i], NULL, 0);
	free(pid);
	return (0);
}
