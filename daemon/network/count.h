/*
 * What each remote has cost, for GET /metrics and GET /status.
 */
#ifndef NETWORK_COUNT_H
#define NETWORK_COUNT_H

#include "common/chan.h"
#include "proto/msg.h"

/* Whom it is told to. */
void	count_open(struct chan *engine);

/* NET_COSTS of the remote that has this number; nothing if there is none,
 * nor, unless always, when the engine knows all of it. */
void	count_tell(uint32_t remote, int always);

/* Calls cb with each value, in the order of proto/metrics.def. */
void	count_each(void (*cb)(const struct m_metric *, void *arg),
	    void *arg);

#endif
