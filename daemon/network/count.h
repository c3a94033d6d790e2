/*
 * What each remote has cost, for GET /metrics.
 */
#ifndef NETWORK_COUNT_H
#define NETWORK_COUNT_H

#include "proto/msg.h"

/* Calls cb with each value, in the order of proto/metrics.def. */
void	count_each(void (*cb)(const struct m_metric *, void *arg),
	    void *arg);

#endif
