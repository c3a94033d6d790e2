/*
 * For seccomp_linux.c: calls that not every architecture has, or that are
 * younger than the headers may be.
 */
#ifndef COMMON_SECCOMP_CALLS_LINUX_H
#define COMMON_SECCOMP_CALLS_LINUX_H

#include <sys/syscall.h>

#define NO_CALL		(-1)

/* Of the first architectures: younger ones have the call with "at". */
#ifndef SYS_access
#define SYS_access	NO_CALL
#endif
#ifndef SYS_chmod
#define SYS_chmod	NO_CALL
#endif
#ifndef SYS_chown
#define SYS_chown	NO_CALL
#endif
#ifndef SYS_epoll_wait
#define SYS_epoll_wait	NO_CALL
#endif
#ifndef SYS_fork
#define SYS_fork	NO_CALL
#endif
#ifndef SYS_futimesat
#define SYS_futimesat	NO_CALL
#endif
#ifndef SYS_ioperm
#define SYS_ioperm	NO_CALL
#endif
#ifndef SYS_iopl
#define SYS_iopl	NO_CALL
#endif
#ifndef SYS_lchown
#define SYS_lchown	NO_CALL
#endif
#ifndef SYS_lookup_dcookie
#define SYS_lookup_dcookie	NO_CALL
#endif
#ifndef SYS_lstat
#define SYS_lstat	NO_CALL
#endif
#ifndef SYS_mkdir
#define SYS_mkdir	NO_CALL
#endif
#ifndef SYS_mknod
#define SYS_mknod	NO_CALL
#endif
#ifndef SYS_modify_ldt
#define SYS_modify_ldt	NO_CALL
#endif
#ifndef SYS_open
#define SYS_open	NO_CALL
#endif
#ifndef SYS_poll
#define SYS_poll	NO_CALL
#endif
#ifndef SYS_readlink
#define SYS_readlink	NO_CALL
#endif
#ifndef SYS_stat
#define SYS_stat	NO_CALL
#endif
#ifndef SYS_sync_file_range
#ifdef SYS_sync_file_range2
#define SYS_sync_file_range	SYS_sync_file_range2
#else
#define SYS_sync_file_range	NO_CALL
#endif
#endif
#ifndef SYS_symlink
#define SYS_symlink	NO_CALL
#endif
#ifndef SYS_time
#define SYS_time	NO_CALL
#endif
#ifndef SYS_utime
#define SYS_utime	NO_CALL
#endif
#ifndef SYS_utimes
#define SYS_utimes	NO_CALL
#endif
#ifndef SYS_vfork
#define SYS_vfork	NO_CALL
#endif

/* These have one number everywhere. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd	438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2	439
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise	440
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2	441
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr	442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd	443
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

#endif
