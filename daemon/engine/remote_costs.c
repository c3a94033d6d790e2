/*
 * The engine runs this: what each remote has cost, as network said last.
 * Nothing is asked for: network tells it whenever it has asked a remote
 * for something, and an idle remote costs nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/remote_s3.h"

struct cost {
	TAILQ_ENTRY(cost) entry;
	struct m_net_costs costs;
};
static TAILQ_HEAD(, cost) costs = TAILQ_HEAD_INITIALIZER(costs);

static struct cost *
cost_of(uint32_t remote)
{
	struct cost	*c;

	TAILQ_FOREACH(c, &costs, entry)
		if (c->costs.remote == remote)
			return (c);
	return (NULL);
}

void
remote_costs(const struct conf_remote *r, struct m_net_costs *m)
{
	const struct cost	*c = cost_of(r->index);

	memset(m, 0, sizeof(*m));
	if (c != NULL)
		*m = c->costs;
}

int
remote_costs_message(const struct msg *msg)
{
	struct m_net_costs	 m;
	struct cost		*c;

	if (msg->type != MSG_NET_COSTS)
		return (0);
	memcpy(&m, msg->data, sizeof(m));
	if ((c = cost_of(m.remote)) == NULL) {
		c = xcalloc(1, sizeof(*c));
		TAILQ_INSERT_TAIL(&costs, c, entry);
	}
	c->costs = m;
	return (1);
}

void
remote_costs_free(void)
{
	struct cost	*c;

	while ((c = TAILQ_FIRST(&costs)) != NULL) {
		TAILQ_REMOVE(&costs, c, entry);
		free(c);
	}
}
