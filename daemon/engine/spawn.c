/*
 * The engine runs this: forks and executes our other programs.  Exec gives
 * each a fresh address layout and none of the engine's memory.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/procs.h"
#include "common/sandbox.h"
#include "common/try.h"
#include "daemon/engine/engine.h"

#define FIRST_FD	3
#define FDS_MAX		4
#define SPARE		12	/* a channel, its files, and for what comes
				 * by the channels meanwhile */

static const char *const	programs[] = {
	"cloudbackupd-front",
	"cloudbackupd-network",
	"cloudbackupd-worker",
	"cloudbackupd-looker",
};

/*
 * D7: the helpers are in the compiled-in libexec, or beside our executable
 * when that lies in a folder "build" or "build-...".
 */
static const char *
program_dir(void)
{
	static char	 dir[PATH_MAX - 64];
	char		*slash, *base;

	if (dir[0] != '\0')
		return (dir);
	if (procs_self_path(dir, sizeof(dir)) == 0 &&
	    (slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		base = strrchr(dir, '/');
		base = base == NULL ? dir : base + 1;
		if (strcmp(base, "build") == 0 ||
		    strncmp(base, "build-", 6) == 0)
			return (dir);
	}
	strlcpy(dir, LIBEXECDIR, sizeof(dir));
	return (dir);
}

void
spawn_check(void)
{
	char	path[PATH_MAX];
	size_t	i;

	for (i = 0; i < nitems(programs); i++) {
		snprintf(path, sizeof(path), "%s/%s", program_dir(),
		    programs[i]);
		if (access(path, X_OK) == -1)
			fatal("%s", path);
	}
}

int
spawn_pair(int sv[2])
{
	return (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
}

int
spawn_spare(void)
{
	int	fds[SPARE], i, n, saved;

	for (n = 0; n < SPARE; n++) {
		if ((fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) == -1)
			break;
	}
	saved = errno;
	for (i = 0; i < n; i++)
		close(fds[i]);
	errno = saved;
	return (n == SPARE ? 0 : -1);
}

static int
is_in(const int *fds, size_t n, int fd)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		if (fds[i] == fd)
			return (1);
	}
	return (0);
}

/* In the child: fds become 3, 4 ...; nothing else stays. */
static void
place_descriptors(const int *fds, size_t n)
{
	int	moved[FDS_MAX];
	size_t	i;
	int	fd;

	/* Room for the copies, where the engine has none left. */
	for (fd = FIRST_FD + FDS_MAX; fd < FIRST_FD + 3 * FDS_MAX; fd++) {
		if (!is_in(fds, n, fd))
			(void)close(fd);
	}
	/* Out of the way first, so that none is overwritten. */
	for (i = 0; i < n; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD, FIRST_FD + FDS_MAX);
		if (moved[i] == -1)
			_exit(127);
	}
	for (i = 0; i < n; i++) {
		if (dup2(moved[i], FIRST_FD + (int)i) == -1)
			_exit(127);
	}
	closefrom(FIRST_FD + (int)n);
}

static void
signals_default(void)
{
	sigset_t	none;
	int		sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	/* As in main(): they inherit it, and the limit. */
	(void)signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * In the child: as many descriptors as it can have use for.  Front has
 * two for a connection, when it sends a file.
 */
static void
limit_descriptors(const struct engine *e, const char *program)
{
	struct rlimit	lim;
	rlim_t		want = 256;

	if (strcmp(program, "cloudbackupd-front") == 0)
		want += 3 * (rlim_t)e->conf->connections_max;
	if (getrlimit(RLIMIT_NOFILE, &lim) == -1)
		_exit(127);
	if (lim.rlim_max == RLIM_INFINITY || lim.rlim_max > want)
		lim.rlim_max = want;
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) == -1)
		_exit(127);
}

/* Whether what they write to standard error goes to the journal. */
static char *
journal_variable(char *dst, size_t size)
{
	const char	*value = getenv("JOURNAL_STREAM");

	if (value == NULL || snprintf(dst, size, "JOURNAL_STREAM=%s",
	    value) >= (int)size)
		return (NULL);
	return (dst);
}

pid_t
spawn_program(const struct engine *e, const char *program, const int *fds,
    size_t n, const char *user, const char *root)
{
	char		 path[PATH_MAX];
	const char	*argv[16];
	char		 journal[64], *envp[3];
	size_t		 a = 0;
	pid_t		 pid;
	int		 saved;

	snprintf(path, sizeof(path), "%s/%s", program_dir(), program);
	argv[a++] = program;
	if (e->to_stderr)
		argv[a++] = "-d";
	if (e->verbose)
		argv[a++] = "-v";
	argv[a++] = "-s";
	argv[a++] = sandbox_mode_name(e->conf->sandbox);
	TRY_PASS(argv, a);
	if (user != NULL) {
		argv[a++] = "-u";
		argv[a++] = user;
		argv[a++] = "-r";
		argv[a++] = root;
	}
	argv[a] = NULL;
	envp[0] = (char *)(uintptr_t)"PATH=/usr/bin:/bin";
	envp[1] = journal_variable(journal, sizeof(journal));
	envp[2] = NULL;
	if ((pid = fork()) == -1) {
		saved = errno;
		log_warn("cannot start %s", program);
		errno = saved;
		return (-1);
	}
	if (pid == 0) {
		signals_default();
		place_descriptors(fds, n);
		limit_descriptors(e, program);
		execve(path, (char *const *)(uintptr_t)argv, envp);
		_exit(127);
	}
	log_debug("%s started (pid %d)", program, (int)pid);
	return (pid);
}
