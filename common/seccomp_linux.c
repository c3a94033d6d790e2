/*
 * Every process runs this on Linux: the system calls of each step, as a
 * filter (seccomp(2)).  Front, the looker and the worker's check are simple
 * enough for a list of what they need; anything else ends them.  The others
 * depend on libraries that change, so they are refused what is obviously
 * foreign.
 *
 * The engine's filter is inherited by what it starts, so it must not
 * forbid what they do before they have filters of their own.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/seccomp_linux.h"
#include "common/seccomp_calls_linux.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH	AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH	AUDIT_ARCH_RISCV64
#else
#define ARCH	0			/* no filter on this machine */
#endif

#define X32_BIT		0x40000000U	/* another table, on x86-64 */
#define INSNS_MAX	1024

/* What is done with a call. */
#define ALLOW		SECCOMP_RET_ALLOW
#define KILL		SECCOMP_RET_KILL_PROCESS
#define REFUSE(e)	(SECCOMP_RET_ERRNO | (e))

enum test {
	ALWAYS,
	HAS,				/* any of the bits of value */
	EQUAL,				/* the value */
	SELF				/* this process's id */
};

struct rule {
	int		call;
	uint32_t	action;
	enum test	test;
	unsigned int	arg;		/* its low 32 bits are looked at */
	uint32_t	value;
};

struct list {
	const struct rule	*rules;
	size_t			 n;
	const int		*calls;	/* all with the same action */
	size_t			 ncalls;
	uint32_t		 action;
};

/* ---- lists that kill ---- */

/* Memory, time, signals, the end: what any program does. */
static const int any_calls[] = {
	SYS_futex, SYS_clock_gettime, SYS_gettimeofday, SYS_time,
	SYS_clock_nanosleep, SYS_nanosleep, SYS_restart_syscall,
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mmap, SYS_mprotect,
	SYS_getrandom, SYS_getpid, SYS_gettid, SYS_sched_yield,
	SYS_sched_getaffinity, SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_sigaltstack, SYS_exit, SYS_exit_group,
	SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	/* Descriptors that are open. */
	SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek,
};

/* What libraries try, and do without. */
static const int tried_calls[] = {
	SYS_open, SYS_openat, SYS_access, SYS_faccessat, SYS_faccessat2,
	SYS_readlink, SYS_readlinkat, SYS_stat, SYS_lstat, SYS_statx,
	SYS_socket, SYS_connect, SYS_uname, SYS_sysinfo, SYS_getrusage,
	SYS_getcwd,
};

static const struct rule any_rules[] = {
	{ SYS_mmap, REFUSE(EACCES), HAS, 2, PROT_EXEC },
	{ SYS_mprotect, REFUSE(EACCES), HAS, 2, PROT_EXEC },
	{ SYS_tgkill, ALLOW, SELF, 0, 0 },	/* abort() */
	{ SYS_prlimit64, ALLOW, EQUAL, 0, 0 },	/* its own */
	{ SYS_ioctl, ALLOW, EQUAL, 1, FIONREAD },	/* libevent */
	{ SYS_ioctl, REFUSE(ENOTTY), ALWAYS, 0, 0 },
};

static const int front_calls[] = {
	SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_epoll_ctl,
	SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_recvmsg, SYS_sendmsg,
	SYS_recvfrom, SYS_sendto, SYS_sendfile, SYS_pread64, SYS_accept4,
	SYS_accept, SYS_shutdown, SYS_getsockopt, SYS_setsockopt,
	SYS_getsockname, SYS_getpeername, SYS_fcntl, SYS_fadvise64,
	SYS_poll, SYS_ppoll, SYS_dup,
};

static const int check_calls[] = {
	SYS_pread64, SYS_pwrite64, SYS_read, SYS_write, SYS_recvmsg,
	SYS_sendmsg, SYS_poll, SYS_ppoll, SYS_fcntl, SYS_ftruncate,
	SYS_fsync, SYS_fdatasync, SYS_fallocate, SYS_fadvise64,
	SYS_sync_file_range,
	/* The thread that computes the hash. */
	SYS_set_robust_list, SYS_rseq, SYS_setpriority,
	/* The C library's syslog. */
	SYS_sendto,
};

/* It opens, for reading and no more. */
static const struct rule looker_rules[] = {
	{ SYS_openat, REFUSE(EACCES), HAS, 2, O_WRONLY | O_RDWR | O_CREAT |
	    O_TRUNC },
	{ SYS_openat, ALLOW, ALWAYS, 0, 0 },
};

static const int looker_calls[] = {
	SYS_read, SYS_pread64, SYS_write, SYS_fstatfs, SYS_poll, SYS_ppoll,
	SYS_recvmsg, SYS_sendmsg, SYS_fcntl,
	/* The C library's syslog. */
	SYS_sendto,
};

/* Threads only: no process, and no other namespace. */
static const struct rule thread_rules[] = {
	{ SYS_clone, ALLOW, HAS, 0, CLONE_THREAD },
	/* Its flags are out of sight; the C library falls back to clone. */
	{ SYS_clone3, REFUSE(ENOSYS), ALWAYS, 0, 0 },
	/* How long its turns are; of itself only. */
	{ SYS_sched_getattr, ALLOW, EQUAL, 0, 0 },
	{ SYS_sched_setattr, ALLOW, EQUAL, 0, 0 },
};

/* ---- lists that refuse ---- */

/* Of the machine's administrator, of debuggers, and of exploits. */
static const int foreign_calls[] = {
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise, SYS_pidfd_getfd, SYS_kcmp,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_kexec_load, SYS_kexec_file_load, SYS_reboot,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree,
	SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
	SYS_mount_setattr, SYS_swapon, SYS_swapoff, SYS_acct,
	SYS_quotactl, SYS_quotactl_fd,
	SYS_setns, SYS_unshare, SYS_personality,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_sethostname, SYS_setdomainname, SYS_syslog, SYS_vhangup,
	SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_lookup_dcookie,
	SYS_move_pages, SYS_migrate_pages, SYS_mknod, SYS_mknodat,
};

/* Of those who start others, which network and worker don't. */
static const int parent_calls[] = {
	SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_chroot,
	SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
	SYS_pidfd_open, SYS_pidfd_send_signal,
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
	SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
	SYS_listen, SYS_accept, SYS_accept4,
};

static const struct rule child_rules[] = {
	{ SYS_clone, ALLOW, HAS, 0, CLONE_THREAD },
	{ SYS_clone, REFUSE(EPERM), ALWAYS, 0, 0 },
	{ SYS_clone3, REFUSE(ENOSYS), ALWAYS, 0, 0 },
	{ SYS_tgkill, ALLOW, SELF, 0, 0 },
	{ SYS_tgkill, REFUSE(EPERM), ALWAYS, 0, 0 },
	{ SYS_mmap, REFUSE(EPERM), HAS, 2, PROT_EXEC },
	{ SYS_mprotect, REFUSE(EPERM), HAS, 2, PROT_EXEC },
	{ SYS_pkey_mprotect, REFUSE(EPERM), HAS, 2, PROT_EXEC },
};

/* No keys into the terminal of who started us with -d. */
static const struct rule terminal_rules[] = {
	{ SYS_ioctl, REFUSE(EPERM), EQUAL, 1, TIOCSTI },
	{ SYS_ioctl, REFUSE(EPERM), EQUAL, 1, TIOCLINUX },
};

/* The same, but libraries of the resolver are loaded when it wants them. */
static const struct rule network_rules[] = {
	{ SYS_clone, ALLOW, HAS, 0, CLONE_THREAD },
	{ SYS_clone, REFUSE(EPERM), ALWAYS, 0, 0 },
	{ SYS_clone3, REFUSE(ENOSYS), ALWAYS, 0, 0 },
	{ SYS_tgkill, ALLOW, SELF, 0, 0 },
	{ SYS_tgkill, REFUSE(EPERM), ALWAYS, 0, 0 },
	{ SYS_socket, ALLOW, EQUAL, 0, AF_INET },
	{ SYS_socket, ALLOW, EQUAL, 0, AF_INET6 },
	{ SYS_socket, ALLOW, EQUAL, 0, AF_UNIX },
	{ SYS_socket, ALLOW, EQUAL, 0, AF_NETLINK },
	{ SYS_socket, REFUSE(EPERM), ALWAYS, 0, 0 },
};

/*
 * A worker has its channel, and its database's directory.  Landlock does
 * not know of modes and owners: SQLite changes them by descriptor.
 */
static const int owner_calls[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind,
	SYS_chmod, SYS_fchmodat, SYS_fchmodat2, SYS_chown, SYS_lchown,
	SYS_fchownat, SYS_utime, SYS_utimes, SYS_futimesat, SYS_utimensat,
	SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr,
	SYS_symlink, SYS_symlinkat, SYS_mkdir, SYS_mkdirat, SYS_chdir,
	SYS_fchdir,
};

/* ---- which list for whom ---- */

#define RULES(r)	r, nitems(r), NULL, 0, 0
#define CALLS(c, act)	NULL, 0, c, nitems(c), act

static const struct profile {
	struct list	lists[6];
	uint32_t	others;		/* done with all other calls */
} profiles[SANDBOX_STEPS] = {
	[SANDBOX_ENGINE] = { {
		{ CALLS(foreign_calls, REFUSE(EPERM)) },
	}, ALLOW },
	[SANDBOX_FRONT] = { {
		{ RULES(any_rules) },
		{ CALLS(front_calls, ALLOW) },
		{ CALLS(any_calls, ALLOW) },
		{ CALLS(tried_calls, REFUSE(EACCES)) },
	}, KILL },
	[SANDBOX_NETWORK] = { {
		{ RULES(network_rules) },
		{ RULES(terminal_rules) },
		{ CALLS(foreign_calls, REFUSE(EPERM)) },
		{ CALLS(parent_calls, REFUSE(EPERM)) },
	}, ALLOW },
	[SANDBOX_OWNER] = { {
		{ RULES(child_rules) },
		{ RULES(terminal_rules) },
		{ CALLS(foreign_calls, REFUSE(EPERM)) },
		{ CALLS(parent_calls, REFUSE(EPERM)) },
		{ CALLS(owner_calls, REFUSE(EPERM)) },
	}, ALLOW },
	[SANDBOX_CHECK] = { {
		{ RULES(any_rules) },
		{ RULES(thread_rules) },
		{ CALLS(check_calls, ALLOW) },
		{ CALLS(any_calls, ALLOW) },
		{ CALLS(tried_calls, REFUSE(EACCES)) },
	}, KILL },
	[SANDBOX_LOOKER] = { {
		{ RULES(any_rules) },
		{ RULES(looker_rules) },
		{ CALLS(looker_calls, ALLOW) },
		{ CALLS(any_calls, ALLOW) },
		{ CALLS(tried_calls, REFUSE(EACCES)) },
	}, KILL },
};

/* ---- the filter ---- */

struct filter {
	struct sock_filter	insns[INSNS_MAX];
	size_t			n;
	int			log_only;
	uint32_t		others;
	unsigned int		calls;	/* that are not done as others */
};

#define DATA(field)	(uint32_t)offsetof(struct seccomp_data, field)

static void
emit(struct filter *f, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter	insn = { code, jt, jf, k };

	/* One too many is seen by the caller. */
	if (f->n < nitems(f->insns))
		f->insns[f->n] = insn;
	f->n++;
}

static void
load(struct filter *f, uint32_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void
give(struct filter *f, uint32_t action)
{
	if (f->log_only && action != ALLOW)
		action = SECCOMP_RET_LOG;
	emit(f, BPF_RET | BPF_K, action, 0, 0);
}

/* The number of the call is loaded, before and after. */
static void
add_rule(struct filter *f, const struct rule *r)
{
	uint32_t	low = DATA(args) + r->arg * 8;

	if (r->call == NO_CALL)
		return;
	f->calls += (r->action == ALLOW) != (f->others == ALLOW);
	if (r->test == ALWAYS) {
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 1);
		give(f, r->action);
		return;
	}
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 4);
	load(f, low);			/* all of these are little-endian */
	emit(f, BPF_JMP | (r->test == HAS ? BPF_JSET : BPF_JEQ) | BPF_K,
	    r->test == SELF ? (uint32_t)getpid() : r->value, 0, 1);
	give(f, r->action);
	load(f, DATA(nr));
}

static void
add_list(struct filter *f, const struct list *l)
{
	struct rule	r = { 0, l->action, ALWAYS, 0, 0 };
	size_t		i;

	for (i = 0; i < l->n; i++)
		add_rule(f, &l->rules[i]);
	for (i = 0; i < l->ncalls; i++) {
		r.call = l->calls[i];
		add_rule(f, &r);
	}
}

static void
build(struct filter *f, const struct profile *p)
{
	size_t	i;

	/* Numbers of another table would be other calls. */
	load(f, DATA(arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit(f, BPF_RET | BPF_K, KILL, 0, 0);
	load(f, DATA(nr));
	emit(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	emit(f, BPF_RET | BPF_K, KILL, 0, 0);
	for (i = 0; i < nitems(p->lists); i++)
		add_list(f, &p->lists[i]);
	give(f, p->others);
}

static int
kernel_can_log(void)
{
	uint32_t	action = SECCOMP_RET_LOG;

	return (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
	    &action) == 0);
}

int
seccomp_enter(enum sandbox_step step, int log_only, struct sandbox_state *s)
{
	static struct filter	 f;
	const struct profile	*p = &profiles[step];
	struct sock_fprog	 prog;

	f.n = f.calls = 0;
	f.others = p->others;
	f.log_only = log_only;
	if (ARCH == 0 || (log_only && !kernel_can_log()))
		return (0);
	build(&f, p);
	if (f.n > nitems(f.insns)) {
		errno = E2BIG;
		return (-1);
	}
	prog.len = (unsigned short)f.n;
	prog.filter = f.insns;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == -1)
		/* EINVAL: the kernel was built without filters. */
		return (errno == ENOSYS || errno == EINVAL ? 0 : -1);
	sandbox_tell(s, ", seccomp %u calls (%s)", f.calls, log_only ? "log" :
	    p->others == KILL ? "kill others" : "refused");
	return (1);
}
