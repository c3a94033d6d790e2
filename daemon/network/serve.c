/*
 * The network process runs this.  It owns the two channels.  A message
 * that makes no sense is a bug or an attack: the process ends, and the
 * engine starts another.
 */
#include <event2/event.h>

#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/log.h"
#include "daemon/network/remote.h"
#include "daemon/network/serve.h"
#include "daemon/network/task.h"
#include "proto/form.h"

static struct event_base	*base;
static struct chan		*engine, *front;
static int			 started;

static void
must(const struct msg *m, int ok)
{
	if (!ok)
		fatalx("message %s makes no sense", msg_desc(m->type)->name);
}

static struct remote *
must_remote(const struct msg *m, uint32_t index)
{
	struct remote	*r;

	if ((r = remote_find(index)) == NULL)
		fatalx("message %s names remote number %u, which is not "
		    "configured", msg_desc(m->type)->name, index);
	return (r);
}

static void
net_remote(struct chan *c, const struct msg *m)
{
	(void)c;
	must(m, !started);
	remote_add(m->data);
}

static void
on_front(struct chan *c, const struct msg *m, void *arg);

static void
net_start(struct chan *c, const struct msg *m)
{
	(void)c;
	must(m, !started);
	started = 1;
	chan_attach(front, base, on_front, NULL);
}

static void
net_upload(struct chan *c, const struct msg *m)
{
	const struct m_net_upload	*u = m->data;

	must(m, started && msg_text_ok(u->user_id) &&
	    msg_text_ok(u->form) && form_parse(u->form) != FORM_UNKNOWN &&
	    msg_text_ok(u->device_id) && msg_text_ok(u->name) &&
	    msg_text_ok(u->description) && msg_text_ok(u->mark) &&
	    u->size <= INT64_MAX && (u->flags & ~UPLOAD_LOOK_FIRST) == 0 &&
	    (u->mark[0] != '\0' || !(u->flags & UPLOAD_LOOK_FIRST)) &&
	    !task_exists(c, m->id));
	task_add(TASK_UPLOAD, c, m->id, must_remote(m, u->remote), u, m->fd);
}

static void
net_fetch(struct chan *c, const struct msg *m)
{
	const struct m_net_fetch	*f = m->data;

	must(m, started && msg_text_ok(f->remote_id) &&
	    f->size_max <= INT64_MAX && !task_exists(c, m->id));
	task_add(TASK_FETCH, c, m->id, must_remote(m, f->remote), f, m->fd);
}

static void
ask(struct chan *c, const struct msg *m)
{
	const struct m_ask	*a = m->data;

	must(m, msg_text_ok(a->user_id) && !task_exists(c, m->id));
	task_add(m->type == MSG_ASK_LIST ? TASK_LIST : TASK_HEALTH, c, m->id,
	    must_remote(m, a->remote), a, -1);
}

static void
cancel(struct chan *c, const struct msg *m)
{
	task_cancel(c, m->id);
}

static const struct handler {
	enum msg_type	 type;
	void		(*handle)(struct chan *, const struct msg *);
} handlers[] = {
	{ MSG_NET_REMOTE,	net_remote },
	{ MSG_NET_START,	net_start },
	{ MSG_NET_UPLOAD,	net_upload },
	{ MSG_NET_FETCH,	net_fetch },
	{ MSG_NET_CANCEL,	cancel },
	{ MSG_ASK_HEALTH,	ask },
	{ MSG_ASK_LIST,		ask },
	{ MSG_ASK_CANCEL,	cancel }
};

static void
dispatch(struct chan *c, const struct msg *m, const char *peer)
{
	const struct handler	*h;

	if (m == NULL) {
		if (strcmp(chan_error(c), "closed") != 0)
			fatalx("%s", chan_error(c));
		log_debug("%s has ended", peer);
		event_base_loopbreak(base);
		return;
	}
	/* chan_get has checked that the peer may send this. */
	for (h = handlers; h < handlers + nitems(handlers); h++) {
		if (h->type == (enum msg_type)m->type) {
			h->handle(c, m);
			return;
		}
	}
	fatalx("%s sent a message that nothing is done with", peer);
}

static void
on_engine(struct chan *c, const struct msg *m, void *arg)
{
	(void)arg;
	dispatch(c, m, "engine");
}

static void
on_front(struct chan *c, const struct msg *m, void *arg)
{
	(void)arg;
	dispatch(c, m, "front");
}

void
serve_open(struct event_base *b, int engine_socket, int front_socket)
{
	base = b;
	engine = chan_new(engine_socket, ROLE_NETWORK, ROLE_ENGINE);
	front = chan_new(front_socket, ROLE_NETWORK, ROLE_FRONT);
	chan_attach(engine, base, on_engine, NULL);
}

void
serve_close(void)
{
	chan_free(engine);
	chan_free(front);
}
