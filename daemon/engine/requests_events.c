/*
 * The engine runs this: what front asks about what happens, for its
 * clients and for itself.  The rules are those of requests.c.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"
#include "daemon/engine/requests.h"

void
requests_job(struct engine *e, const struct msg *msg)
{
	struct m_req_job	 m;
	struct m_job		 told;
	struct job		*j;

	memcpy(&m, msg->data, sizeof(m));
	j = job_by_id(e, m.job);
	if (!requests_allowed(e, msg, &m.asker, RIGHT_READ, j == NULL ?
	    DATABASE_ANY : j->database == NULL ? NULL : j->database->name, 0))
		return;
	if (j == NULL) {
		reply_error(e, msg->id, E_JOB_NOT_FOUND, 0,
		    "there is no job of that id");
		return;
	}
	job_describe(j, &told);
	chan_send(e->front.chan, MSG_REP_JOB, msg->id, &told, sizeof(told),
	    -1);
}

void
requests_jobs(struct engine *e, const struct msg *msg)
{
	struct m_req_jobs	m;
	struct names		names;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database) ||
	    (m.flags & ~(uint32_t)(JOBS_MOVED | JOBS_UNENDED)) != 0)
		requests_impossible(msg);
	if (!requests_seen(e, msg, &m.asker, m.database, &names))
		return;
	jobs_request(e, msg->id, &m, &names);
	free(names.list);
}

void
requests_events(struct engine *e, const struct msg *msg)
{
	struct m_req_events	m;
	struct names		names;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database) || m.limit < 1 ||
	    m.limit > LIST_PAGE_ROWS || m.after < 0 ||
	    (m.flags & ~(uint32_t)EVENTS_NEWEST) != 0)
		requests_impossible(msg);
	if (!requests_seen(e, msg, &m.asker, m.database, &names))
		return;
	events_request(e, msg->id, &m, &names);
	free(names.list);
}

void
requests_acknowledge(struct engine *e, const struct msg *msg)
{
	struct m_req_acknowledge	m;
	struct who			who;

	memcpy(&m, msg->data, sizeof(m));
	if (!msg_text_ok(m.database) || !msg_text_ok(m.kind))
		requests_impossible(msg);
	if (!requests_allowed(e, msg, &m.asker, RIGHT_DELETE,
	    m.database[0] == '\0' ? NULL : m.database, 0))
		return;
	if (m.kind[0] != '\0' && !alarm_kind_known(m.kind)) {
		reply_error(e, msg->id, E_INVALID_PARAMETER, 0,
		    "there is no alarm of that kind");
		return;
	}
	rights_who(e, &m.asker, &who);
	acknowledge_request(e, msg->id, &m, &who);
}

void
requests_watch(struct engine *e, const struct msg *msg)
{
	struct m_watch	m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.on > 1)
		requests_impossible(msg);
	watch_set(e, (int)m.on);
}
