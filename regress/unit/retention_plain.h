/*
 * A second, plain implementation of retention, to compare with: slow, with
 * texts for buckets, straight from what the manual says.
 */
#ifndef REGRESS_UNIT_RETENTION_PLAIN_H
#define REGRESS_UNIT_RETENTION_PLAIN_H

#include "daemon/engine/conf.h"
#include "daemon/engine/retention.h"

/* Does list[i] stay?  In any order; nothing is changed. */
int	plain_stays(const struct conf_keep *, uint64_t safety_ms,
	    int64_t now_ms, const struct retained *list, size_t n, size_t i);

#endif
