/*
 * The front runs this.  It owns the call that tells about the licence.
 * Its bytes are asked of the engine anew each time, so that a new file,
 * or the day it expires, shows at once; once, at start, front asks on its
 * own account, and the engine is told what a valid licence says.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/license.h"

/* 1 and *l; 0 when none is configured. */
static int
license_take(const struct m_license *m, struct license *l)
{
	if (m->license_size > LICENSE_BYTES ||
	    m->key_size > LICENSE_KEY_BYTES || !msg_text_ok(m->text))
		fatalx("engine sent a licence that is none");
	if (m->license_size == 0 && m->text[0] == '\0')
		return (0);
	if (m->license_size > 0 && m->key_size > 0) {
		license_read(m->license, m->license_size, m->key,
		    m->key_size, util_now_ms(), l);
		return (1);
	}
	memset(l, 0, sizeof(*l));
	strlcpy(l->features, "[]", sizeof(l->features));
	snprintf(l->reason, sizeof(l->reason), "%s cannot be read: %.400s.",
	    m->license_size == 0 ? "The licence" : "The public key",
	    m->text[0] != '\0' ? m->text : "it is empty");
	return (1);
}

static void
on_license(struct conn *c, const struct msg *m)
{
	struct license	 l;
	struct answer	 a;
	struct json	*j;
	char		 text[TEXT_BYTES + 64];
	int		 has = license_take(m->data, &l);

	if (!has)
		strlcpy(text, "No licence is configured.",
		    sizeof(text));
	else if (l.valid)
		strlcpy(text, "The licence is valid.", sizeof(text));
	else
		snprintf(text, sizeof(text), "The licence is not valid. %s",
		    l.reason);
	j = answer_begin(&a, text);
	json_license(j, "data", has ? &l : NULL);
	answer_send(&a, c, 200);
}

void
api_license_info(struct conn *c)
{
	struct m_req_database	req;

	memset(&req, 0, sizeof(req));
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_LICENSE, &req, sizeof(req), MSG_NONE,
	    MSG_REP_LICENSE, on_license);
}

static void
on_own_license(struct conn *c, const struct msg *m)
{
	const struct m_error	*e = m->data;
	struct m_license_ids	 ids;
	struct license		 l;

	(void)c;			/* nobody's */
	if (m->type == MSG_REP_ERROR) {
		log_warnx("licence: %s", e->text);
		return;
	}
	if (!license_take(m->data, &l))
		return;
	if (!l.valid) {
		log_warnx("the licence is not valid: %s", l.reason);
		return;
	}
	if (l.user.kind == USER_NONE)
		return;
	memset(&ids, 0, sizeof(ids));
	ids.user = l.user;
	strlcpy(ids.device_id, l.device_id, sizeof(ids.device_id));
	chan_send(front.engine, MSG_LICENSE_IDS, 0, &ids, sizeof(ids), -1);
}

void
api_license_start(void)
{
	struct m_req_database	req;

	memset(&req, 0, sizeof(req));	/* connection 0: front itself */
	link_engine(NULL, MSG_REQ_LICENSE, &req, sizeof(req), MSG_NONE,
	    MSG_REP_LICENSE, on_own_license);
}
