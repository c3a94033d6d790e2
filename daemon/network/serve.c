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
#include "daemon/network/count.h"
#include "daemon/network/hook.h"
#include "daemon/network/remote.h"
#include "daemon/network/serve.h"
#include "daemon/network/task.h"
#include "proto/form.h"
#include "daemon/network/text.h"

static struct event_base	*base;
static struct chan		*engine, *front;
static int			 started;
static struct m_net_manifest	 manifest;	/* waits for its upload */
static uint64_t			 manifest_id;
static int			 manifest_waits;

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

	/* Whoever asks may not have heard yet that it is gone. */
	if ((r = remote_find(index)) == NULL &&
	    (r = remote_forgotten(index)) == NULL)
		fatalx("message %s names remote number %u, which is not "
		    "configured", msg_desc(m->type)->name, index);
	return (r);
}

static void
net_remote(struct chan *c, const struct msg *m)
{
	remote_add(m->data);
	chan_wipe(c);
}

static void
net_s3(struct chan *c, const struct msg *m)
{
	remote_add_s3(m->data);
	chan_wipe(c);
}

static void
net_forget(struct chan *c, const struct msg *m)
{
	(void)c;
	must(m, started && m->id <= UINT32_MAX);
	remote_forget((uint32_t)m->id);
}

static void
net_log(struct chan *c, const struct msg *m)
{
	const struct m_log	*l = m->data;

	(void)c;
	must(m, l->level < LOG_LEVELS);
	log_set_verbose(l->level == LOG_VERBOSE);
}

static void
on_front(struct chan *c, const struct msg *m, void *arg);

static void
net_start(struct chan *c, const struct msg *m)
{
	(void)c;
	must(m, !started);
	remote_start();
	started = 1;
	chan_attach(front, base, on_front, NULL);
}

static void
net_manifest(struct chan *c, const struct msg *m)
{
	const struct m_net_manifest	*n = m->data;

	(void)c;
	must(m, started && !manifest_waits && n->size > 0 &&
	    n->size <= MANIFEST_BYTES);
	manifest = *n;
	manifest_id = m->id;
	manifest_waits = 1;
}

static void
net_upload(struct chan *c, const struct msg *m)
{
	const struct m_net_upload	*u = m->data;

	must(m, started && msg_text_ok(u->user_id) &&
	    msg_text_ok(u->form) && form_parse(u->form) != FORM_UNKNOWN &&
	    msg_text_ok(u->device_id) && msg_text_ok(u->name) &&
	    msg_text_ok(u->description) && msg_text_ok(u->mark) &&
	    u->size <= INT64_MAX && (u->flags & ~(uint32_t)(UPLOAD_LOOK_FIRST |
	    UPLOAD_HOLD)) == 0 &&
	    (!(u->flags & UPLOAD_HOLD) || u->key[0] == '\0') &&
	    (u->mark[0] != '\0' || u->key[0] != '\0' ||
	    !(u->flags & UPLOAD_LOOK_FIRST)) &&
	    msg_text_ok(u->key) && msg_text_ok(u->sha256) &&
	    msg_text_ok(u->upload_id) &&
	    (!manifest_waits || manifest_id == m->id) &&
	    !task_exists(c, m->id));
	task_add(TASK_UPLOAD, c, m->id, must_remote(m, u->remote), u, m->fd);
	if (manifest_waits)
		task_manifest(c, m->id, &manifest);
	manifest_waits = 0;
}

static void
net_abort(struct chan *c, const struct msg *m)
{
	const struct m_net_abort	*a = m->data;

	must(m, started && msg_text_ok(a->key) && msg_text_ok(a->upload_id) &&
	    a->upload_id[0] != '\0' && !task_exists(c, m->id));
	task_add(TASK_ABORT, c, m->id, must_remote(m, a->remote), a, -1);
}

static void
net_delete(struct chan *c, const struct msg *m)
{
	const struct m_net_delete	*d = m->data;
	const char			*p = d->keys, *end;
	uint32_t			 i;

	must(m, started && d->count >= 1 && d->count <= DELETE_KEYS_MAX &&
	    !task_exists(c, m->id));
	for (i = 0; i < d->count; i++) {
		end = memchr(p, '\0', (size_t)(d->keys + KEYS_BYTES - p));
		must(m, end != NULL && end - p < REMOTE_ID_BYTES);
		p = end + 1;
	}
	task_add(TASK_DELETE, c, m->id, must_remote(m, d->remote), d, -1);
}

static void
net_list(struct chan *c, const struct msg *m)
{
	const struct m_net_list	*l = m->data;

	must(m, started && msg_text_ok(l->prefix) && !task_exists(c, m->id));
	task_add(TASK_CATALOG, c, m->id, must_remote(m, l->remote), l, -1);
}

static void
net_test(struct chan *c, const struct msg *m)
{
	const struct m_net_test	*t = m->data;

	must(m, started && msg_text_ok(t->user_id) && !task_exists(c, m->id));
	task_add(TASK_TEST, c, m->id, must_remote(m, t->remote), t, -1);
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
net_hook(struct chan *c, const struct msg *m)
{
	const struct m_net_hook	*h = m->data;

	must(m, started && h->timeout_ms > 0 && h->timeout_ms <= INT32_MAX &&
	    h->size < HOOK_BODY_BYTES && msg_text_ok(h->url) &&
	    msg_text_ok(h->event) && text_plain(h->event, strlen(h->event)) &&
	    !hook_exists(m->id));
	hook_post(c, m->id, h);
	chan_wipe(c);
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
net_go(struct chan *c, const struct msg *m)
{
	task_go(c, m->id);
}

static void
cancel(struct chan *c, const struct msg *m)
{
	task_cancel(c, m->id);
}

static void
metric_send(const struct m_metric *m, void *arg)
{
	const struct msg	*asked = arg;

	chan_send(front, MSG_TELL_METRIC, asked->id, m, sizeof(*m), -1);
}

static void
ask_metrics(struct chan *c, const struct msg *m)
{
	struct msg	asked = *m;
	struct m_empty	none = { 0 };

	count_each(metric_send, &asked);
	chan_send(c, MSG_TELL_METRICS_END, m->id, &none, sizeof(none), -1);
}

static const struct handler {
	enum msg_type	 type;
	void		(*handle)(struct chan *, const struct msg *);
} handlers[] = {
	{ MSG_NET_REMOTE,	net_remote },
	{ MSG_NET_S3,		net_s3 },
	{ MSG_NET_START,	net_start },
	{ MSG_NET_MANIFEST,	net_manifest },
	{ MSG_NET_FORGET,	net_forget },
	{ MSG_NET_LOG,		net_log },
	{ MSG_NET_UPLOAD,	net_upload },
	{ MSG_NET_FETCH,	net_fetch },
	{ MSG_NET_ABORT,	net_abort },
	{ MSG_NET_DELETE,	net_delete },
	{ MSG_NET_LIST,		net_list },
	{ MSG_NET_TEST,		net_test },
	{ MSG_NET_HOOK,		net_hook },
	{ MSG_NET_GO,		net_go },
	{ MSG_NET_CANCEL,	cancel },
	{ MSG_ASK_HEALTH,	ask },
	{ MSG_ASK_LIST,		ask },
	{ MSG_ASK_METRICS,	ask_metrics },
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
	count_open(engine);
}

void
serve_close(void)
{
	chan_free(engine);
	chan_free(front);
}
