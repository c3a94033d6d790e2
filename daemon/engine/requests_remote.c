/*
 * The engine runs this: what front asks about remotes.  As in requests.c,
 * a message that is no truth front could tell is fatal.
 */
#include <string.h>

#include "common/log.h"
#include "daemon/engine/remote_s3.h"

static void
impossible(const struct msg *m)
{
	fatalx("front: impossible %s", msg_desc(m->type)->name);
}

/* One that a reload took away may have been asked before. */
static const struct conf_remote *
remote_by_index(const struct engine *e, uint32_t index)
{
	const struct conf_remote	*r;

	TAILQ_FOREACH(r, &e->conf->remotes, entry) {
		if (r->index == index)
			return (r);
	}
	TAILQ_FOREACH(r, &e->conf->retired_remotes, entry) {
		if (r->index == index)
			return (r);
	}
	return (NULL);
}

void
request_known(struct engine *e, const struct msg *msg)
{
	struct m_req_known		 m;
	struct m_known			 k;
	const struct conf_remote	*r;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.remote_id) ||
	    (r = remote_by_index(e, m.remote)) == NULL)
		impossible(msg);
	if (!request_allowed(e, msg, &m.asker, RIGHT_READ))
		return;
	memset(&k, 0, sizeof(k));
	k.seq = m.seq;
	k.local_id = catalog_by_remote(e->catalog, r->name, m.remote_id);
	chan_send(e->front.chan, MSG_REP_KNOWN, msg->id, &k, sizeof(k), -1);
}

/* Entries that the catalog does not know may be of any database. */
void
request_refresh(struct engine *e, const struct msg *msg)
{
	struct m_req_refresh	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.user.kind > USER_NUMBER || !msg_text_ok(m.user.id))
		impossible(msg);
	if (request_allowed(e, msg, &m.asker, RIGHT_READ))
		recover_request(e, msg->id, &m.user);
}

void
request_remote_test(struct engine *e, const struct msg *msg)
{
	struct m_req_remote		 m;
	const struct conf_remote	*r;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.name) || m.name[0] == '\0')
		impossible(msg);
	if (!request_allowed(e, msg, &m.asker, RIGHT_BACKUP))
		return;
	if ((r = conf_remote(e->conf, m.name)) == NULL)
		reply_error(e, msg->id, E_REMOTE_UNKNOWN, 0,
		    "no remote of that name is configured");
	else
		remote_test_request(e, msg->id, r);
}
