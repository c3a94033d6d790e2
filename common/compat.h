/*
 * What OpenBSD has in its libc: from libbsd elsewhere.  The two strnvis()
 * of this world differ in the order of their arguments, so that nobody
 * calls it but cb_strvis().
 */
#ifndef COMMON_COMPAT_H
#define COMMON_COMPAT_H

#ifdef __OpenBSD__
#include <sys/queue.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#else
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/unistd.h>
#endif

#include <stddef.h>

#ifndef nitems
#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/*
 * Writes src to dst with every control character and every byte that is
 * not ASCII escaped as vis(3) does with VIS_CSTYLE; always terminated.
 * size is that of dst in bytes.
 */
void	cb_strvis(char *dst, size_t size, const char *src);

#endif
