/*
 * The engine runs this: who is at the other end of each connection, and
 * what he may do (H17, D10).  Front passes the accepted socket; the kernel
 * is asked here, at once, and the socket closed.  Front never says who
 * somebody is.
 */
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/peer.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define RIGHTS_ALL	(RIGHT_READ | RIGHT_BACKUP | RIGHT_DOWNLOAD | \
			    RIGHT_RESTORE)
#define CONNS_SPARE	64	/* opened by front, not yet closed for us */

struct conn {
	TAILQ_ENTRY(conn) entry;
	uint64_t	id;
	uid_t		uid;
	int		known;
};

static struct conn *
conn_by_id(struct engine *e, uint64_t id)
{
	struct conn	*c;

	/* The newest ask most. */
	TAILQ_FOREACH_REVERSE(c, &e->conns, conn_list, entry) {
		if (c->id == id)
			return (c);
	}
	return (NULL);
}

/* root, and the user who started the daemon, may do everything. */
static uint32_t
rights_of(const struct conn *c)
{
	return (c->known && (c->uid == 0 || c->uid == geteuid()) ?
	    RIGHTS_ALL : 0);
}

void
rights_open(struct engine *e, uint64_t id, int sock)
{
	struct m_conn_rights	 m = { 0 };
	struct conn		*c;

	if (conn_by_id(e, id) != NULL)
		fatalx("front: connection %ju twice", (uintmax_t)id);
	if (e->nconns >= e->conf->connections_max + CONNS_SPARE)
		fatalx("front: more connections than it may have");
	c = xcalloc(1, sizeof(*c));
	c->id = id;
	c->known = listeners_uid_counts(e->conf, sock) &&
	    peer_uid(sock, &c->uid) == 0;
	close(sock);
	TAILQ_INSERT_TAIL(&e->conns, c, entry);
	e->nconns++;
	m.rights = rights_of(c);
	m.uid = c->known ? c->uid : UINT32_MAX;
	chan_send(e->front.chan, MSG_CONN_RIGHTS, id, &m, sizeof(m), -1);
}

void
rights_close(struct engine *e, uint64_t id)
{
	struct conn	*c;

	if ((c = conn_by_id(e, id)) == NULL)
		fatalx("front: closes connection %ju, which is none",
		    (uintmax_t)id);
	TAILQ_REMOVE(&e->conns, c, entry);
	e->nconns--;
	free(c);
}

void
rights_free(struct engine *e)
{
	struct conn	*c;

	while ((c = TAILQ_FIRST(&e->conns)) != NULL) {
		TAILQ_REMOVE(&e->conns, c, entry);
		free(c);
	}
	e->nconns = 0;
}

int
rights_ask(struct engine *e, const struct m_asker *a, uint32_t right,
    const struct conf_database *d)
{
	struct conn	*c;

	(void)d;		/* rights by database need tokens */
	if ((c = conn_by_id(e, a->conn)) == NULL)
		fatalx("front: request of connection %ju, which is none",
		    (uintmax_t)a->conn);
	/* H24: what a proxy forwards is not the proxy's own wish. */
	if (a->flags & ASKER_FORWARDED)
		return (0);
	return ((rights_of(c) & right) == right);
}
