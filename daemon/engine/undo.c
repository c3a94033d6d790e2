/*
 * The engine runs this: taking back the last restore of a database.  It
 * owns nothing: an undo is a restore of the safety backup, with a safety
 * backup of its own, so that it can be undone as well.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/engine/engine.h"
#include "daemon/engine/restore.h"

void
undo_request(struct engine *e, uint64_t request, const struct m_req_undo *m,
    const struct conf_database *d)
{
	struct m_req_restore	req;
	struct catalog_restore	last;
	struct m_backup		b;
	char			text[TEXT_BYTES];

	if (!catalog_restore_last(e->catalog, d->name, &last))
		snprintf(text, sizeof(text), "nothing was restored into %s "
		    "yet", d->name);
	else if (last.safety_id == 0)
		snprintf(text, sizeof(text), "the last restore into %s "
		    "replaced nothing: there was no database before",
		    d->name);
	else if (catalog_get(e->catalog, last.safety_id, &b) != 1)
		snprintf(text, sizeof(text), "what the last restore into %s "
		    "replaced was backup %lld, which is gone", d->name,
		    (long long)last.safety_id);
	else {
		memset(&req, 0, sizeof(req));
		req.asker = m->asker;
		req.flags = m->flags;
		req.ref = REF_LOCAL;
		req.local_id = last.safety_id;
		strlcpy(req.database, d->name, sizeof(req.database));
		restore_begin(e, request, &req, &last);
		explicit_bzero(&req.asker, sizeof(req.asker));
		return;
	}
	reply_error(e, request, E_NOTHING_TO_UNDO, 0, text);
}
