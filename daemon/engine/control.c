/*
 * The engine runs this: what the administrator tells the running daemon,
 * and the audit log hears of.  It owns nothing.
 */
#include <string.h>

#include "common/log.h"
#include "daemon/engine/lookers.h"
#include "daemon/engine/metrics.h"

void
reply_told(struct engine *e, uint64_t request, const char *text)
{
	struct m_told	m;

	memset(&m, 0, sizeof(m));
	strlcpy(m.text, text, sizeof(m.text));
	chan_send(e->front.chan, MSG_REP_TOLD, request, &m, sizeof(m), -1);
}

void
control_audit(struct engine *e, const struct m_asker *a, const char *action,
    const char *result)
{
	static const struct who	by_signal = { 0, "signal", "local" };
	struct who		who = by_signal;

	if (a != NULL)
		rights_who(e, a, &who);
	audit_write(e->catalog, e->to_stderr, &who, action, "", 0, result);
}

int
control_admin(struct engine *e, const struct msg *msg, struct m_req_admin *m)
{
	memcpy(m, msg->data, sizeof(*m));
	if (m->level >= LOG_LEVELS)
		fatalx("front: impossible %s", msg_desc(msg->type)->name);
	return (request_allowed(e, msg, &m->asker, RIGHTS_ALL));
}

void
control_log(struct engine *e, const struct msg *msg)
{
	struct m_req_admin	m;
	struct m_log		l;
	int			verbose;

	if (!control_admin(e, msg, &m))
		return;
	memset(&l, 0, sizeof(l));
	l.level = m.level;
	verbose = m.level == LOG_VERBOSE;
	e->verbose = verbose;
	log_set_verbose(verbose);
	lookers_changed(e);
	chan_send(e->front.chan, MSG_FRONT_LOG, 0, &l, sizeof(l), -1);
	chan_send(e->network.chan, MSG_NET_LOG, 0, &l, sizeof(l), -1);
	control_audit(e, &m.asker, "log", verbose ? "verbose" : "brief");
	reply_told(e, msg->id, verbose ? "The log is verbose now." :
	    "The log is brief now.");
}

void
control_metrics(struct engine *e, const struct msg *msg)
{
	struct m_req_admin	m;

	memcpy(&m, msg->data, sizeof(m));
	if (request_allowed(e, msg, &m.asker, RIGHT_READ))
		metrics_request(e, msg->id);
}
