/*
 * The engine runs this: what front is told of the configuration, at start
 * and when it has changed.  It owns the numbers of listeners: a listener's
 * is its place in front's table, and free again when it is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define SLOTS	16			/* front's LISTENERS_MAX */

void
front_conf_send(struct engine *e)
{
	const struct conf_remote	*r, *first;
	const struct conf_database	*d = TAILQ_FIRST(&e->conf->databases);
	const struct conf_origin	*o;
	struct m_front_conf		 m;
	struct m_front_origin		 origin;

	memset(&m, 0, sizeof(m));
	if (e->conf->compat_node)
		m.flags |= FRONT_COMPAT_NODE;
	if (e->conf->log_access)
		m.flags |= FRONT_ACCESS_LOG;
	first = TAILQ_FIRST(&e->conf->remotes);
	TAILQ_FOREACH(r, &e->conf->remotes, entry) {
		m.remotes++;
		if (r->kind == REMOTE_S3)
			m.flags |= r == first ? FRONT_S3 | FRONT_S3_FIRST :
			    FRONT_S3;
	}
	m.connections_max = e->conf->connections_max;
	if (d != NULL)
		m.user = d->user;
	if (first != NULL) {
		m.remote = first->index;
		strlcpy(m.remote_url, first->url, sizeof(m.remote_url));
		strlcpy(m.remote_name, first->name, sizeof(m.remote_name));
	}
	/* Each time it looks at the licence anew. */
	e->license_ids_due++;
	chan_send(e->front.chan, MSG_FRONT_CONF, 0, &m, sizeof(m), -1);
	TAILQ_FOREACH(o, &e->conf->origins, entry) {
		memset(&origin, 0, sizeof(origin));
		strlcpy(origin.origin, o->origin, sizeof(origin.origin));
		chan_send(e->front.chan, MSG_FRONT_ORIGIN, 0, &origin,
		    sizeof(origin), -1);
	}
}

static int
slot_used(const struct engine *e, uint32_t slot)
{
	const struct conf_listen	*l;

	TAILQ_FOREACH(l, &e->conf->listens, entry) {
		if (l->fd != -1 && l->sent && l->slot == slot)
			return (1);
	}
	return (0);
}

void
front_listen_send(struct engine *e, struct conf_listen *l)
{
	struct m_front_listen	m;
	int			fd;

	for (l->slot = 0; l->slot < SLOTS && slot_used(e, l->slot); l->slot++)
		;
	if (l->slot == SLOTS)
		fatalx("more than %d listeners", SLOTS);
	if (l->tls_certificate != NULL)
		tls_send(e, l->slot, l);
	if ((fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0)) == -1)
		fatal("dup of a listener");
	memset(&m, 0, sizeof(m));
	m.kind = l->kind;
	m.port = l->port;
	m.flags = l->tls_certificate != NULL ? LISTEN_TLS : 0;
	l->sent = 1;
	chan_send(e->front.chan, MSG_FRONT_LISTEN, l->slot, &m, sizeof(m),
	    fd);
}

void
front_listen_end(struct engine *e, struct conf_listen *l)
{
	struct m_empty	none = { 0 };

	if (!l->sent)
		return;
	l->sent = 0;
	tls_forget(e, l);
	chan_send(e->front.chan, MSG_FRONT_UNLISTEN, l->slot, &none,
	    sizeof(none), -1);
}

void
front_start(struct engine *e)
{
	struct conf_listen	*l;
	struct m_empty		 none = { 0 };

	front_conf_send(e);
	TAILQ_FOREACH(l, &e->conf->listens, entry) {
		if (l->fd != -1)
			front_listen_send(e, l);
	}
	chan_send(e->front.chan, MSG_FRONT_START, 0, &none, sizeof(none), -1);
	tls_watch(e);
}
