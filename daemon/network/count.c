/*
 * The network process runs this: what remotes have cost, told as metrics,
 * and to the engine.  What is counted is each remote's own.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/network/count.h"
#include "daemon/network/remote.h"
#include "proto/metrics.h"

static const char *const	kinds[REQUEST_KINDS] = {
	[REQUEST_PUT] = "put",
	[REQUEST_GET] = "get",
	[REQUEST_HEAD] = "head",
	[REQUEST_LIST] = "list",
	[REQUEST_DELETE] = "delete",
	[REQUEST_POST] = "post",
};

static struct chan	*engine;

struct telling {
	void	(*cb)(const struct m_metric *, void *);
	void	*arg;
};

static void
tell(const struct telling *t, enum metric metric, const struct remote *r,
    const char *label, uint64_t value)
{
	struct m_metric	m;

	memset(&m, 0, sizeof(m));
	m.metric = metric;
	m.value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	strlcpy(m.labels[0], r->conf.name, sizeof(m.labels[0]));
	strlcpy(m.labels[1], label, sizeof(m.labels[1]));
	t->cb(&m, t->arg);
}

static void
requests(const struct remote *r, void *arg)
{
	size_t	i;

	for (i = 0; i < REQUEST_KINDS; i++)
		tell(arg, METRIC_REMOTE_REQUESTS, r, kinds[i],
		    r->costs.requests[i]);
}

static void
bytes(const struct remote *r, void *arg)
{
	tell(arg, METRIC_REMOTE_BYTES, r, "sent", r->costs.bytes_up);
	tell(arg, METRIC_REMOTE_BYTES, r, "received", r->costs.bytes_down);
}

void
count_each(void (*cb)(const struct m_metric *, void *), void *arg)
{
	struct telling	t = { cb, arg };

	remote_each(requests, &t);
	remote_each(bytes, &t);
}

void
count_open(struct chan *c)
{
	engine = c;
}

void
count_tell(uint32_t index, int always)
{
	struct remote	*r = remote_find(index);

	if (r == NULL)
		return;
	r->costs.remote = index;
	if (!always && memcmp(&r->costs, &r->costs_told,
	    sizeof(r->costs)) == 0)
		return;
	r->costs_told = r->costs;
	chan_send(engine, MSG_NET_COSTS, 0, &r->costs, sizeof(r->costs), -1);
}
