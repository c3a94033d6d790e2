/*
 * How a worker confines itself before it parses what nobody vouches for.
 */
#ifndef WORKER_VERIFY_H
#define WORKER_VERIFY_H

#include <stdint.h>

#include "proto/msg.h"

/* Becomes uid and gid (when root), without file system and network; 0, or
 * -1 and *e. */
int	verify_confine(uint32_t uid, uint32_t gid, struct m_error *e);

#endif
