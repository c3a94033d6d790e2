/*
 * Every program runs this: the places where libbsd and OpenBSD's libc
 * call the same thing by another name.
 */
#ifndef __OpenBSD__
#define LIBBSD_OPENBSD_VIS
#include <bsd/vis.h>
#else
#include <vis.h>
#endif

#include "common/compat.h"

void
cb_strvis(char *dst, size_t size, const char *src)
{
	(void)strnvis(dst, src, size, VIS_CSTYLE | VIS_NL | VIS_TAB |
	    VIS_NOSLASH);
}
