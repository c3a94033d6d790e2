/*
 * The front runs this.  It owns the calls about one backup: all that is
 * known of it, its end, its pin.  The copies are held until the backup
 * itself has come, because it is written before them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/request.h"

#define COPIES_MAX	1024		/* places; nobody has so many */

struct copies {
	struct m_copy	*list;
	size_t		 n, room;
};

static void
copies_free(void *arg)
{
	struct copies	*l = arg;

	free(l->list);
	free(l);
}

static void
copy_add(struct copies *l, const struct m_copy *m)
{
	if (!msg_text_ok(m->place) || !msg_text_ok(m->state) ||
	    !msg_text_ok(m->confirmed) || !msg_text_ok(m->checksum) ||
	    !msg_text_ok(m->remote_id) || !msg_text_ok(m->reason) ||
	    l->n == COPIES_MAX)
		fatalx("engine sent a copy that is none");
	if (l->n == l->room) {
		l->room = l->room == 0 ? 4 : l->room * 2;
		l->list = xreallocarray(l->list, l->room, sizeof(*l->list));
	}
	l->list[l->n++] = *m;
}

static void
json_copy(struct json *j, const struct m_copy *m)
{
	json_object(j, NULL);
	json_text(j, "place", m->place);
	json_text(j, "state", m->state);
	json_text_or_null(j, "remote_id", m->remote_id);
	if (m->size > 0)
		json_int(j, "size", m->size);
	else
		json_null(j, "size");
	json_text_or_null(j, "checksum", m->checksum);
	json_text_or_null(j, "confirmed", m->confirmed);
	json_time(j, "confirmed_at", m->confirmed_ms);
	json_time(j, "completed_at", m->completed_ms);
	if (m->upload_us != 0)
		json_ms(j, "upload_ms", m->upload_us);
	else
		json_null(j, "upload_ms");
	json_uint(j, "attempts", m->attempts);
	json_time(j, "next_attempt_at", strcmp(m->state, "pending") == 0 ?
	    m->next_attempt_ms : 0);
	json_text_or_null(j, "reason", m->reason);
	json_bool(j, "expiring", m->flags & COPY_EXPIRING);
	json_bool(j, "retired", m->flags & COPY_RETIRED);
	json_close(j, '}');
}

static void
json_drill(struct json *j, const struct m_detail *d)
{
	if (d->drill_ms == 0) {
		json_null(j, "drill");
		return;
	}
	json_object(j, "drill");
	json_time(j, "at", d->drill_ms);
	json_text(j, "place", d->drill_place);
	json_text(j, "result", d->drill_result);
	json_int(j, "duration_ms", d->drill_duration_ms);
	json_text_or_null(j, "text", d->drill_text);
	json_close(j, '}');
}

static void
on_detail(struct conn *c, const struct msg *m)
{
	const struct m_detail	*d = m->data;
	struct copies		*l = c->req->api;
	struct answer		 a;
	struct json		*j;
	size_t			 i;

	if (m->type == MSG_REP_COPY) {
		copy_add(l, m->data);
		return;
	}
	api_backup_check(&d->backup);
	if (!msg_text_ok(d->drill_place) || !msg_text_ok(d->drill_result) ||
	    !msg_text_ok(d->drill_text))
		fatalx("engine sent a drill that is none");
	j = answer_begin(&a, "The backup, and where it is.");
	json_backup_open(j, "data", &d->backup);
	if (d->tables < 0)
		json_null(j, "tables");
	else
		json_int(j, "tables", d->tables);
	json_phases(j, &d->spent);
	json_array(j, "copies");
	for (i = 0; i < l->n; i++)
		json_copy(j, &l->list[i]);
	json_close(j, ']');
	json_drill(j, d);
	json_close(j, '}');
	answer_send(&a, c, 200);
}

void
api_backup(struct conn *c)
{
	struct m_req_backup	req;
	struct copies		*l;

	memset(&req, 0, sizeof(req));
	if (api_reference(c, &req.ref, &req.local_id, req.remote_id) == -1)
		return;
	l = xcalloc(1, sizeof(*l));
	c->req->api = l;
	c->req->api_free = copies_free;
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_BACKUP, &req, sizeof(req), MSG_REP_COPY,
	    MSG_REP_DETAIL, on_detail);
}

/* ---- delete ---- */

static void
json_names(struct json *j, const char *key, const char *places)
{
	char	text[LOCATIONS_BYTES], *p, *name;

	strlcpy(text, places, sizeof(text));
	json_array(j, key);
	for (p = text; (name = strsep(&p, ",")) != NULL; ) {
		if (name[0] != '\0')
			json_text(j, NULL, name);
	}
	json_close(j, ']');
}

static void
on_deleted(struct conn *c, const struct msg *m)
{
	const struct m_deleted	*d = m->data;
	struct answer		 a;
	struct json		*j;
	char			 text[2 * TEXT_BYTES];

	if (!msg_text_ok(d->database) || !msg_text_ok(d->deleted) ||
	    !msg_text_ok(d->deleting) || !msg_text_ok(d->stays))
		fatalx("engine deleted what is none");
	if (d->stays[0] != '\0')
		snprintf(text, sizeof(text), "The backup was deleted, but "
		    "not at %s, where nothing can be deleted from here.",
		    d->stays);
	else if (d->deleting[0] != '\0')
		snprintf(text, sizeof(text), "The backup is being deleted "
		    "at %s.", d->deleting);
	else
		strlcpy(text, "The backup was deleted.", sizeof(text));
	j = answer_begin(&a, text);
	json_object(j, "data");
	json_int(j, "backup_id", d->backup_id);
	json_text(j, "database", d->database);
	json_names(j, "deleted", d->deleted);
	json_names(j, "deleting", d->deleting);
	json_names(j, "stays", d->stays);
	json_close(j, '}');
	answer_send(&a, c, 200);
}

/* Which backup, and what the body says: 0, or -1 after the answer. */
static int
change_take(struct conn *c, struct m_req_change *req)
{
	struct refusal	refusal;

	memset(req, 0, sizeof(*req));
	if (api_reference(c, &req->ref, &req->local_id,
	    req->remote_id) == -1)
		return (-1);
	if (request_change(c->req->body, c->req->body_n, req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return (-1);
	}
	link_asker(c, &req->asker);
	return (0);
}

void
api_delete(struct conn *c)
{
	struct m_req_change	req;

	if (change_take(c, &req) == 0)
		link_engine(c, MSG_REQ_DELETE, &req, sizeof(req), MSG_NONE,
		    MSG_REP_DELETED, on_deleted);
}

/* ---- pin, unpin ---- */

static void
on_pinned(struct conn *c, const struct msg *m)
{
	const struct m_backup	*b = m->data;
	struct answer		 a;
	struct json		*j;

	api_backup_check(b);
	j = answer_begin(&a, b->pinned_ms != 0 ?
	    "The backup is pinned: no rule lets it go." :
	    "The backup is not pinned: it goes by the rules.");
	json_backup(j, "data", b);
	answer_send(&a, c, 200);
}

static void
pin(struct conn *c, uint32_t flag)
{
	struct m_req_change	req;

	if (change_take(c, &req) == -1)
		return;
	req.flags = flag;
	link_engine(c, MSG_REQ_PIN, &req, sizeof(req), MSG_NONE,
	    MSG_REP_BACKUP, on_pinned);
}

void
api_pin(struct conn *c)
{
	pin(c, CHANGE_PIN);
}

void
api_unpin(struct conn *c)
{
	pin(c, 0);
}
