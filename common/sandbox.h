/*
 * Confinement by the kernel: one file per system, sandbox_SYSTEM.c.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stddef.h>

#define SANDBOX_READ	0x01		/* read files */
#define SANDBOX_WRITE	0x02		/* write, make and remove files */

struct sandbox_path {
	int	fd;			/* of a file or directory; O_PATH will do */
	int	rights;			/* SANDBOX_* */
};

/*
 * From here on this process can name only files below the n paths, with
 * their rights, and (where the system can) reach no network.  Descriptors
 * that are open stay usable.  1: in force; 0: this system can't; -1: it
 * can, but failed (errno).  There is no way back.
 */
int	sandbox_files(const struct sandbox_path *paths, size_t n);

#endif
