/*
 * The engine runs this: back-pressure on front.  What front asks makes
 * answers that wait in the engine until front reads them; a front in the
 * wrong hands asks and does not read.  Beyond a limit it is not heard, and
 * no job begins whose answer would wait too.
 */
#include <stdlib.h>

#include "common/log.h"
#include "daemon/engine/engine.h"

#define HIGH_BYTES	(4 * 1024 * 1024)
#define LOW_BYTES	(1024 * 1024)
#define PATIENCE_S	60

static void
on_drained(struct chan *c, void *arg)
{
	struct engine	*e = arg;

	event_del(e->front_timer);
	e->front_full = 0;
	chan_resume(c);
	jobs_kick(e);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	log_warnx("front has not read its answers for %d seconds; stopping",
	    PATIENCE_S);
	e->failed = 1;
	engine_stop(e);
}

int
flow_full(struct engine *e)
{
	struct timeval	tv = { PATIENCE_S, 0 };

	if (e->front_full)
		return (1);
	if (chan_queued(e->front.chan) < HIGH_BYTES)
		return (0);
	if (e->front_timer == NULL && (e->front_timer = evtimer_new(e->base,
	    on_patience, e)) == NULL)
		fatalx("evtimer_new");
	log_debug("front reads slower than it asks: it has to wait");
	e->front_full = 1;
	chan_pause(e->front.chan);
	chan_when_drained(e->front.chan, LOW_BYTES, on_drained, e);
	event_add(e->front_timer, &tv);
	return (1);
}

void
flow_free(struct engine *e)
{
	if (e->front_timer != NULL)
		event_free(e->front_timer);
	e->front_timer = NULL;
}
