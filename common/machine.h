/*
 * What names this machine: one file per system, machine_SYSTEM.c.
 */
#ifndef COMMON_MACHINE_H
#define COMMON_MACHINE_H

#include <stddef.h>

/*
 * An id that stays the same over restarts: machine-id(5), or the host's
 * name where there is none.  dst always gets a text of at least one
 * character; size is at least 64 bytes.
 */
void	machine_id(char *dst, size_t size);

#endif
