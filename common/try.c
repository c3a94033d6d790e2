/*
 * Every process of a build for tests (make TRY=1) runs this: it tries to
 * get through its own walls, and says how that went.  regress/t/
 * walls_try.t reads it.  A try that ends the process says nothing more.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/try.h"

#define NEAR		20		/* siblings have ids near ours */
#define ABSTRACT	"cloudbackupd-try"	/* the engine listens there */
#define PORT		9

static const char	*order;

static const char *const	steps[SANDBOX_STEPS] = {
	[SANDBOX_ENGINE] = "engine",
	[SANDBOX_FRONT] = "front",
	[SANDBOX_NETWORK] = "network",
	[SANDBOX_OWNER] = "owner",
	[SANDBOX_CHECK] = "check",
	[SANDBOX_LOOKER] = "looker",
};

void
try_set(const char *o)
{
	order = o;
}

const char *
try_order(void)
{
	return (order);
}

/* Each returns -1 and errno when there is a wall. */

static int
try_open(void)
{
	return (open("/etc/passwd", O_RDONLY));
}

static int
try_others(void)
{
	return (open("/tmp", O_RDONLY | O_DIRECTORY));
}

static int
try_create(void)
{
	if (open("/tmp/cloudbackupd-try", O_WRONLY | O_CREAT, 0600) != -1)
		return (0);
	return (open("/cloudbackupd-try", O_WRONLY | O_CREAT, 0600));
}

static int
try_write(void)
{
	return (open("/etc/hosts", O_WRONLY));
}

static int
reach(int fd, const struct sockaddr *sa, socklen_t n)
{
	if (fd == -1)
		return (-1);
	/* Nobody may be there: then it was possible. */
	return (connect(fd, sa, n) == -1 && errno != ECONNREFUSED &&
	    errno != EINPROGRESS ? -1 : 0);
}

static int
reach_inet(int type)
{
	struct sockaddr_in	sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(PORT);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return (reach(socket(AF_INET, type, 0), (struct sockaddr *)&sin,
	    sizeof(sin)));
}

static int
try_tcp(void)
{
	return (reach_inet(SOCK_STREAM));
}

static int
try_udp(void)
{
	return (reach_inet(SOCK_DGRAM));
}

static int
try_unix(void)
{
	struct sockaddr_un	sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, "/dev/log", sizeof(sun.sun_path));
	return (reach(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&sun,
	    sizeof(sun)));
}

static socklen_t
abstract(struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path + 1, ABSTRACT, strlen(ABSTRACT));
	return ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(ABSTRACT)));
}

static int
try_abstract(void)
{
	struct sockaddr_un	sun;
	socklen_t		n = abstract(&sun);

	return (reach(socket(AF_UNIX, SOCK_STREAM, 0),
	    (struct sockaddr *)&sun, n));
}

static int
try_listen(void)
{
	struct sockaddr_in	sin;
	int			fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(21999);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return (-1);
	return (listen(fd, 1));
}

static int
try_packet(void)
{
	return (socket(AF_PACKET, SOCK_RAW, 0));
}

/* No program of that name: who gets to hear it could have run one. */
static int
try_exec(void)
{
	static char	*argv[] = { NULL };

	(void)execve("/nonexistent", argv, argv);
	return (errno == ENOENT ? 0 : -1);
}

static int
try_fork(void)
{
	pid_t	pid;

	if ((pid = fork()) == 0)
		_exit(0);
	return (pid == -1 ? -1 : 0);
}

static int
try_root(void)
{
	return (setresuid(0, 0, 0));
}

static int
try_kill(void)
{
	pid_t	pid, self = getpid();

	for (pid = self - NEAR; pid < self + NEAR; pid++) {
		if (pid > 1 && pid != self && kill(pid, 0) == 0)
			return (0);
	}
	return (kill(getppid(), 0));
}

static int
try_ptrace(void)
{
	pid_t	pid, self = getpid();

	for (pid = self - NEAR; pid < self + NEAR; pid++) {
		if (pid > 1 && pid != self &&
		    ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
			return (0);
	}
	return ((int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int
try_memory(void)
{
	char		c;
	struct iovec	here = { &c, 1 }, there = { &order, 1 };

	return (process_vm_readv(getppid(), &here, 1, &there, 1, 0) == -1 &&
	    errno != EFAULT ? -1 : 0);
}

static int
call(long nr, long a, long b)
{
	return (syscall(nr, a, b, 0L, 0L, 0L) == -1 && (errno == EPERM ||
	    errno == EACCES) ? -1 : 0);
}

static int
try_module(void)
{
	return (call(SYS_init_module, 0, 0));
}

static int
try_bpf(void)
{
	return (call(SYS_bpf, 0, 0));
}

static int
try_uring(void)
{
	return (call(SYS_io_uring_setup, 1, 0));
}

static int
try_keyctl(void)
{
	return (call(SYS_keyctl, 0, -3));
}

static int
try_userfault(void)
{
	return (call(SYS_userfaultfd, 1, 0));
}

static int
try_handle(void)
{
	return (call(SYS_open_by_handle_at, AT_FDCWD, 0));
}

static int
try_mount(void)
{
	return (mount("none", "/", "tmpfs", 0, NULL));
}

static int
try_chroot(void)
{
	return (chroot("/"));
}

static int
try_unshare(void)
{
	return (unshare(CLONE_NEWUSER));
}

static int
try_mmap(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
try_mprotect(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	return (mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
try_chmod(void)
{
	return (chmod("/tmp", 01777));
}

static int
try_chown(void)
{
	return (chown("/tmp", 0, 0));
}

static const struct {
	const char	*name;
	int		(*run)(void);
} tries[] = {
	{ "open", try_open },
	{ "others", try_others },
	{ "create", try_create },
	{ "write", try_write },
	{ "tcp", try_tcp },
	{ "udp", try_udp },
	{ "unix", try_unix },
	{ "abstract", try_abstract },
	{ "listen", try_listen },
	{ "packet", try_packet },
	{ "exec", try_exec },
	{ "fork", try_fork },
	{ "root", try_root },
	{ "kill", try_kill },
	{ "ptrace", try_ptrace },
	{ "memory", try_memory },
	{ "module", try_module },
	{ "bpf", try_bpf },
	{ "uring", try_uring },
	{ "keyctl", try_keyctl },
	{ "userfault", try_userfault },
	{ "handle", try_handle },
	{ "mount", try_mount },
	{ "chroot", try_chroot },
	{ "unshare", try_unshare },
	{ "mmap", try_mmap },
	{ "mprotect", try_mprotect },
	{ "chmod", try_chmod },
	{ "chown", try_chown },
};

static void
try_one(const char *step, const char *name)
{
	size_t	i;

	for (i = 0; i < nitems(tries); i++) {
		if (strcmp(tries[i].name, name) != 0)
			continue;
		if (tries[i].run() == -1)
			dprintf(STDERR_FILENO, "try %s %s: refused (%s)\n",
			    step, name, strerror(errno));
		else
			dprintf(STDERR_FILENO, "try %s %s: POSSIBLE\n", step,
			    name);
		return;
	}
	dprintf(STDERR_FILENO, "try %s %s: unknown\n", step, name);
}

/* Somebody for the others to talk to. */
static void
engine_listen(void)
{
	struct sockaddr_un	sun;
	socklen_t		n = abstract(&sun);
	int			fd;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, n) == -1 ||
	    listen(fd, 5) == -1)
		dprintf(STDERR_FILENO, "try: nobody listens\n");
}

void
try_walls(enum sandbox_step step)
{
	char	copy[512], *p = copy, *name;
	size_t	n = strlen(steps[step]);

	if (order == NULL)
		return;
	if (step == SANDBOX_ENGINE)
		engine_listen();
	if (strncmp(order, steps[step], n) != 0 || order[n] != ':')
		return;
	strlcpy(copy, order + n + 1, sizeof(copy));
	while ((name = strsep(&p, ",")) != NULL)
		try_one(steps[step], name);
}
