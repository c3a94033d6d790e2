/*
 * From a file to a socket within the kernel: one file per system,
 * sendfile_SYSTEM.c.
 */
#ifndef COMMON_SENDFILE_H
#define COMMON_SENDFILE_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Sends up to `size` bytes of fd, from `at` on, to a socket that does not
 * block: how many the kernel took, or -1 and errno.  0: the file ends
 * there.  Neither descriptor's offset moves.  What was taken may still be
 * the file's own memory, so that a later change of the file shows.
 */
ssize_t	sendfile_some(int sock, int fd, off_t at, size_t size);

#endif
