/*
 * Engine, front and network run this: a channel driven by libevent.  It
 * owns the two events of the channel and a timer for the pause when this
 * process has no descriptor to spare.
 */
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/util.h"

#define PAUSE_MS	5		/* no free descriptor: try again then */
#define BATCH		64		/* messages before others get a turn */

struct attached {
	struct chan	*chan;
	struct event	*rd, *wr, *again;
	chan_cb		*cb;
	void		*arg;
	int		 paused, ended, dead;	/* ended: no more to read */
	int		*freed;		/* set when cb freed the channel */
	chan_drained_cb	*drained;	/* NULL: nobody wants to know */
	void		*drained_arg;
	size_t		 low;		/* bytes */
};

static void
on_queued(void *arg)
{
	struct attached	*a = arg;

	if (!a->dead)
		event_add(a->wr, NULL);
}

static void
on_released(void *arg)
{
	struct attached	*a = arg;

	if (a->freed != NULL)
		*a->freed = 1;
	event_free(a->rd);
	event_free(a->wr);
	event_free(a->again);
	free(a);
}

static void
died(struct attached *a)
{
	a->dead = 1;
	event_del(a->rd);
	event_del(a->wr);
	event_del(a->again);
	a->cb(a->chan, NULL, a->arg);	/* may free a */
}

static void
look_again(struct attached *a, int ms)
{
	struct timeval	tv = { 0, ms * 1000 };

	event_add(a->again, &tv);
}

/* Hands out what is complete; 0 when the channel died or was freed. */
static int
dispatch(struct attached *a)
{
	struct msg	m;
	int		i, r, freed = 0;

	for (i = 0; i < BATCH && !a->paused; i++) {
		if ((r = chan_get(a->chan, &m)) == 0 && !a->ended)
			return (1);
		if (r != 1) {
			died(a);
			return (0);
		}
		/* cppcheck-suppress autoVariables ; taken back below */
		a->freed = &freed;
		a->cb(a->chan, &m, a->arg);
		if (freed)
			return (0);
		a->freed = NULL;
		if (a->dead)
			return (0);
	}
	if (!a->paused)
		look_again(a, 0);	/* there may be more in the buffer */
	return (1);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct attached	*a = arg;

	(void)fd;
	(void)what;
	if (dispatch(a) && !a->paused && !a->ended)
		event_add(a->rd, NULL);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct attached	*a = arg;
	int		 r;

	(void)fd;
	(void)what;
	switch (r = chan_read(a->chan)) {
	case -1:
		/* What came before the end still counts. */
		a->ended = 1;
		event_del(a->rd);
		dispatch(a);
		break;
	case -2:
		event_del(a->rd);
		look_again(a, PAUSE_MS);
		break;
	default:
		if (r == 1)
			dispatch(a);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct attached	*a = arg;
	chan_drained_cb	*cb = a->drained;

	(void)fd;
	(void)what;
	switch (chan_write(a->chan)) {
	case 1:
		event_del(a->wr);
		break;
	case -1:
		/* The reading side tells the end, after what it still has. */
		event_del(a->wr);
		chan_resume(a->chan);
		return;
	}
	if (cb != NULL && chan_queued(a->chan) <= a->low) {
		a->drained = NULL;
		cb(a->chan, a->drained_arg);
	}
}

void
chan_attach(struct chan *c, struct event_base *base, chan_cb *cb, void *arg)
{
	struct attached		*a;
	struct chan_hooks	 hooks;

	a = xcalloc(1, sizeof(*a));
	a->chan = c;
	a->cb = cb;
	a->arg = arg;
	a->rd = event_new(base, chan_socket(c), EV_READ | EV_PERSIST,
	    on_readable, a);
	a->wr = event_new(base, chan_socket(c), EV_WRITE | EV_PERSIST,
	    on_writable, a);
	a->again = event_new(base, -1, 0, on_again, a);
	if (a->rd == NULL || a->wr == NULL || a->again == NULL)
		fatalx("event_new");
	hooks.queued = on_queued;
	hooks.released = on_released;
	hooks.arg = a;
	chan_hook(c, &hooks);
	event_add(a->rd, NULL);
	if (chan_queued(c) > 0)
		event_add(a->wr, NULL);
}

void
chan_look(struct chan *c)
{
	struct attached	*a = chan_hooks_arg(c);

	if (!a->dead && !a->ended)
		on_readable(-1, EV_READ, a);
}

void
chan_pause(struct chan *c)
{
	struct attached	*a = chan_hooks_arg(c);

	a->paused = 1;
	event_del(a->rd);
}

void
chan_resume(struct chan *c)
{
	struct attached	*a = chan_hooks_arg(c);

	if (!a->paused || a->dead)
		return;
	a->paused = 0;
	look_again(a, 0);	/* the buffer first, then the socket */
}

void
chan_when_drained(struct chan *c, size_t low, chan_drained_cb *cb, void *arg)
{
	struct attached	*a = chan_hooks_arg(c);

	a->drained = cb;
	a->drained_arg = arg;
	a->low = low;
}
