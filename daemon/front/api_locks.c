/*
 * The front runs this.  It owns the rows of who has a database, while they
 * come in, and the two calls that are answered from them: check-locks and
 * check-accessibility (D1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"

#define ROWS_MAX	4096		/* of one answer; 1.5 MB */

/* Until the request ends. */
struct holders {
	char			 database[DATABASE_BYTES];	/* as asked */
	struct m_lock_row	*rows;
	size_t			 n, size;
	int			 left_out;	/* there were more */
};

static void
holders_free(void *arg)
{
	struct holders	*h = arg;

	free(h->rows);
	free(h);
}

static void
holders_add(struct holders *h, const struct m_lock_row *r)
{
	if (!msg_text_ok(r->command) || !msg_text_ok(r->user) ||
	    !msg_text_ok(r->locks) || r->mode > HOLDER_WRITE)
		fatalx("engine sent a lock that is none");
	if (h->n == ROWS_MAX) {
		h->left_out = 1;
		return;
	}
	if (h->n == h->size) {
		h->size = h->size == 0 ? 16 : h->size * 2;
		h->rows = xreallocarray(h->rows, h->size, sizeof(*h->rows));
	}
	h->rows[h->n++] = *r;
}

static const struct m_locks_end *
end_of(const struct msg *m)
{
	const struct m_locks_end	*end = m->data;

	if (!msg_text_ok(end->text))
		fatalx("engine sent an end of locks that is none");
	return (end);
}

/* Asks for the rows; cb gets them, their end and, if errors, REP_ERROR. */
static void
holders_ask(struct conn *c, answer_cb *cb, int errors)
{
	struct m_req_database	 req;
	struct holders		*h;
	uint64_t		 id;

	memset(&req, 0, sizeof(req));
	if (api_query(c, "database", req.database, sizeof(req.database)) == -1)
		return;
	h = xcalloc(1, sizeof(*h));
	strlcpy(h->database, req.database, sizeof(h->database));
	c->req->api = h;
	c->req->api_free = holders_free;
	link_asker(c, &req.asker);
	id = link_engine(c, MSG_REQ_LOCKS, &req, sizeof(req),
	    MSG_REP_LOCK_ROW, MSG_REP_LOCKS_END, cb);
	if (errors)
		link_errors(id);
}

static void
json_holders(struct json *j, const struct holders *h, int with_openers)
{
	size_t	i;

	for (i = 0; i < h->n; i++) {
		if (with_openers || h->rows[i].mode != HOLDER_OPEN)
			json_holder(j, &h->rows[i]);
	}
}

static int
complete(const struct holders *h, const struct m_locks_end *end)
{
	return (!(end->flags & LOCKS_INCOMPLETE) && !h->left_out);
}

/* ---- check-locks ---- */

static void
holder_name(char *dst, size_t size, const struct m_lock_row *r)
{
	const char	*command = r->command[0] == '\0' ? "unknown command" :
			    r->command;
	const char	*user = r->user[0] == '\0' ? "unknown" : r->user;

	if (r->pid > 0)
		snprintf(dst, size, "process %d (%s, user %s) holds %s",
		    (int)r->pid, command, user, r->locks);
	else
		snprintf(dst, size, "a process that cannot be seen from here "
		    "holds %s", r->locks);
}

/* Who is in the way: the first writer, or the first reader if there is no
 * writer, and how many more there are. */
static void
locked_message(const struct holders *h, char *dst, size_t size)
{
	const struct m_lock_row	*first = NULL;
	char			 name[TEXT_BYTES];
	size_t			 i, n = 0;

	for (i = 0; i < h->n; i++) {
		if (h->rows[i].mode == HOLDER_OPEN)
			continue;
		n++;
		if (first == NULL || h->rows[i].mode > first->mode)
			first = &h->rows[i];
	}
	if (first == NULL) {
		snprintf(dst, size, "The database is locked.");
		return;
	}
	holder_name(name, sizeof(name), first);
	if (n == 1)
		snprintf(dst, size, "The database is locked: %s.", name);
	else
		snprintf(dst, size, "The database is locked: %s, and %zu more "
		    "hold locks.", name, n - 1);
}

static void
locks_message(const struct holders *h, const struct m_locks_end *end,
    char *dst, size_t size)
{
	if (!(end->flags & LOCKS_EXISTS))
		strlcpy(dst, "The database's file does not exist.", size);
	else if (end->flags & LOCKS_HELD)
		locked_message(h, dst, size);
	else if (h->n == 0)
		strlcpy(dst, "Nobody has the database open.", size);
	else
		snprintf(dst, size, "No lock is in the way of a restore; %zu "
		    "process%s the database open.", h->n,
		    h->n == 1 ? " has" : "es have");
	if (!complete(h, end))
		strlcat(dst, " Not all processes could be looked into.", size);
}

static void
on_locks(struct conn *c, const struct msg *m)
{
	const struct m_locks_end	*end;
	struct holders			*h = c->req->api;
	struct answer			 a;
	struct json			*j;
	char				 text[TEXT_BYTES * 2];

	if (m->type == MSG_REP_LOCK_ROW) {
		holders_add(h, m->data);
		return;
	}
	end = end_of(m);
	locks_message(h, end, text, sizeof(text));
	j = answer_begin(&a, text);
	json_object(j, "data");
	json_bool(j, "has_locks", end->flags & LOCKS_EXISTS &&
	    end->flags & LOCKS_HELD);
	json_text(j, "message", text);
	json_array(j, "processes");
	json_holders(j, h, 1);
	json_close(j, ']');
	json_bool(j, "complete", complete(h, end));
	json_close(j, '}');
	answer_send(&a, c, 200);
}

void
api_check_locks(struct conn *c)
{
	holders_ask(c, on_locks, 0);
}

/* ---- check-accessibility ---- */

static void
accessibility_reply(struct conn *c, int accessible, const char *message,
    int name_holders)
{
	const struct holders	*h = c->req->api;
	struct answer		 a;
	struct json		*j;

	j = answer_begin(&a, message);
	json_object(j, "data");
	json_bool(j, "accessible", accessible);
	json_text(j, "message", message);
	json_text_or_null(j, "database", h->database);
	json_array(j, "processes");
	if (name_holders)
		json_holders(j, h, 0);
	json_close(j, ']');
	json_close(j, '}');
	answer_send(&a, c, 200);
}

/* What is wrong with the question, not with the database (D2: that is an
 * answer, with 200). */
static int
asker_error(uint32_t code)
{
	return (code == E_FORBIDDEN || code == E_UNAUTHORIZED ||
	    code == E_TOO_MANY_REQUESTS || code == E_DATABASE_UNKNOWN ||
	    code == E_INVALID_PARAMETER || code == E_BAD_REQUEST);
}

static void
on_accessibility(struct conn *c, const struct msg *m)
{
	const struct m_locks_end	*end;
	const struct m_error		*e = m->data;
	struct holders			*h = c->req->api;
	char				 text[TEXT_BYTES + 64];

	if (m->type == MSG_REP_LOCK_ROW) {
		holders_add(h, m->data);
		return;
	}
	if (m->type == MSG_REP_ERROR) {
		if (asker_error(e->code))
			reply_engine_error(c, e);
		else {
			snprintf(text, sizeof(text),
			    "No restore could proceed now: %s", e->text);
			accessibility_reply(c, 0, text, 0);
		}
		return;
	}
	end = end_of(m);
	if (end->flags & LOCKS_ACCESSIBLE)
		strlcpy(text, end->flags & LOCKS_EXISTS ?
		    "A restore could proceed now." : "The database does not "
		    "exist; a restore would make it anew.", sizeof(text));
	else if (end->text[0] != '\0')
		snprintf(text, sizeof(text),
		    "No restore could proceed now: %s", end->text);
	else
		snprintf(text, sizeof(text), "No restore could proceed now: "
		    "the database %s.", !(end->flags & LOCKS_EXISTS) ?
		    "does not exist" : end->flags & LOCKS_HELD ? "is locked" :
		    "cannot be written to");
	accessibility_reply(c, (end->flags & LOCKS_ACCESSIBLE) != 0, text,
	    (end->flags & LOCKS_HELD) != 0);
}

void
api_check_accessibility(struct conn *c)
{
	holders_ask(c, on_accessibility, 1);
}
