/*
 * Webhooks: requests whose answer counts by its status alone.
 */
#ifndef NETWORK_HOOK_H
#define NETWORK_HOOK_H

#include "common/chan.h"
#include "proto/msg.h"

/* The answer goes to c with id, which no other hook that runs has. */
void	hook_post(struct chan *c, uint64_t id, const struct m_net_hook *);
int	hook_exists(uint64_t id);
void	hook_close(void);		/* drops all, tells nobody */

#endif
