/*
 * The front runs this.  It owns the questions that connections have put to
 * the engine and to the network process: their numbers are made here,
 * never taken from a client, and never used twice.  An answer to a
 * question that nobody waits for any more is dropped with its descriptor;
 * an answer that cannot be one ends the front, when it is the engine's, or
 * the channel, when it is the network's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"
#include "proto/metrics.h"

#define BUCKETS	1024			/* a power of two */

struct pending {
	LIST_ENTRY(pending) hash, of_conn;
	uint64_t	 id;
	struct conn	*conn;
	enum role	 peer;
	enum msg_type	 row, last;
	int		 errors;	/* are cb's too */
	answer_cb	*cb;
};

static struct pending_list	bucket[BUCKETS];
static uint64_t			next_id = 1;

static struct pending *
pending_find(uint64_t id)
{
	struct pending	*p;

	LIST_FOREACH(p, &bucket[id & (BUCKETS - 1)], hash) {
		if (p->id == id)
			return (p);
	}
	return (NULL);
}

static void
pending_free(struct pending *p)
{
	LIST_REMOVE(p, hash);
	if (p->conn != NULL)
		LIST_REMOVE(p, of_conn);
	free(p);
}

static uint64_t
pending_new(struct conn *c, enum role peer, enum msg_type row,
    enum msg_type last, answer_cb *cb)
{
	struct pending	*p;

	p = xcalloc(1, sizeof(*p));
	p->id = next_id++;
	p->conn = c;
	p->peer = peer;
	p->row = row;
	p->last = last;
	p->cb = cb;
	LIST_INSERT_HEAD(&bucket[p->id & (BUCKETS - 1)], p, hash);
	if (c != NULL)
		LIST_INSERT_HEAD(&c->pending, p, of_conn);
	else
		p->errors = 1;
	return (p->id);
}

uint64_t
link_engine(struct conn *c, enum msg_type type, const void *data, size_t n,
    enum msg_type row, enum msg_type last, answer_cb *cb)
{
	uint64_t	id = pending_new(c, ROLE_ENGINE, row, last, cb);

	chan_send(front.engine, type, id, data, n, -1);
	return (id);
}

void
link_errors(uint64_t id)
{
	struct pending	*p;

	if ((p = pending_find(id)) != NULL)
		p->errors = 1;
}

void
link_engine_again(uint64_t id, enum msg_type type, const void *data, size_t n)
{
	chan_send(front.engine, type, id, data, n, -1);
}

uint64_t
link_network(struct conn *c, enum msg_type type, const void *data, size_t n,
    enum msg_type row, enum msg_type last, answer_cb *cb)
{
	uint64_t	id = pending_new(c, ROLE_NETWORK, row, last, cb);

	chan_send(front.network, type, id, data, n, -1);
	return (id);
}

static void
pending_cancel(struct pending *p)
{
	struct m_empty	none;

	if (p->peer == ROLE_NETWORK && front.network != NULL) {
		memset(&none, 0, sizeof(none));
		chan_send(front.network, MSG_ASK_CANCEL, p->id, &none,
		    sizeof(none), -1);
	}
	pending_free(p);
}

void
link_forget(struct conn *c, uint64_t id)
{
	struct pending	*p;

	if ((p = pending_find(id)) != NULL && p->conn == c)
		pending_cancel(p);
}

void
link_forget_all(struct conn *c)
{
	struct pending	*p;

	while ((p = LIST_FIRST(&c->pending)) != NULL)
		pending_cancel(p);
}

void
link_asker(const struct conn *c, struct m_asker *a)
{
	const char	*why;

	memset(a, 0, sizeof(*a));
	a->conn = c->id;
	if (guard_forwarded(&c->req->h))
		a->flags |= ASKER_FORWARDED;
	if (bearer_token(&c->req->h, a->token, &why) != 0)
		a->flags |= ASKER_TOKEN;
	(void)util_copy(a->certificate, c->certificate);
}

/* Gives m to who waits for it; NULL, or why nobody could. */
static const char *
deliver(struct pending *p, const struct msg *m)
{
	struct conn	*c = p->conn;
	answer_cb	*cb = p->cb;

	if (m->type != p->row && m->type != p->last)
		return ("an answer to another question");
	if (m->type == p->last)
		pending_free(p);
	cb(c, m);
	if (c != NULL)
		output_push(c);
	return (NULL);
}

static void
failed(struct pending *p, const struct msg *m)
{
	struct conn	*c = p->conn;
	answer_cb	*cb = p->errors ? p->cb : NULL;

	pending_free(p);
	if (cb != NULL)
		cb(c, m);
	else
		reply_engine_error(c, m->data);
	if (c != NULL)
		output_push(c);
}

static void
drop(const struct msg *m)
{
	if (m->fd != -1)
		close(m->fd);
}

void
link_from_engine(const struct msg *m)
{
	const struct m_error	*e = m->data;
	struct pending		*p;
	const char		*why = NULL;

	if (m->id == 0 || m->id >= next_id)
		fatalx("engine answers question %llu, which was never asked",
		    (unsigned long long)m->id);
	if (m->type == MSG_REP_ERROR && (!msg_text_ok(e->text) ||
	    e->code == E_NONE || e->code >= E_COUNT))
		fatalx("engine sent an error that is none");
	if ((p = pending_find(m->id)) == NULL) {
		drop(m);
		return;
	}
	if (p->peer != ROLE_ENGINE)
		fatalx("engine answers a question to the network");
	if (m->type == MSG_REP_ERROR)
		failed(p, m);
	else if ((why = deliver(p, m)) != NULL)
		fatalx("engine gave %s (%s)", why, msg_desc(m->type)->name);
}

static const char *
network_text_check(const struct msg *m)
{
	const struct m_health		*h = m->data;
	const struct m_remote_row	*r = m->data;
	const struct m_remote_end	*e = m->data;

	if (m->type == MSG_TELL_HEALTH && !msg_text_ok(h->reason))
		return ("text without an end");
	if (m->type == MSG_TELL_LIST_END && !msg_text_ok(e->reason))
		return ("text without an end");
	if (m->type == MSG_TELL_METRIC && !metric_ok(m->data, ROLE_NETWORK))
		return ("a metric that is none");
	if (m->type == MSG_TELL_ROW && (!msg_text_ok(r->remote_id) ||
	    !msg_text_ok(r->name) || !msg_text_ok(r->description)))
		return ("text without an end");
	return (NULL);
}

int
link_from_network(const struct msg *m, const char **why)
{
	struct pending	*p;

	*why = NULL;
	if (m->id == 0 || m->id >= next_id)
		*why = "an answer to what was never asked";
	else if ((*why = network_text_check(m)) == NULL &&
	    (p = pending_find(m->id)) != NULL) {
		if (p->peer != ROLE_NETWORK)
			*why = "an answer to a question to the engine";
		else
			*why = deliver(p, m);
	}
	return (*why == NULL ? 0 : -1);
}

void
link_network_lost(void)
{
	struct pending	*p;
	struct conn	*c;
	answer_cb	*cb;
	size_t		 i;

again:
	for (i = 0; i < BUCKETS; i++) {
		LIST_FOREACH(p, &bucket[i], hash) {
			if (p->peer != ROLE_NETWORK)
				continue;
			c = p->conn;
			cb = p->cb;
			pending_free(p);
			cb(c, NULL);
			goto again;	/* cb may ask, or end others */
		}
	}
}
