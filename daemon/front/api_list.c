/*
 * The front runs this.  It owns a list that is being answered: what only
 * the remote has (packed, in memory) merged by time with the rows of the
 * local catalog, which pass through one by one and are never held.
 *
 * The engine is always asked first, since only it knows whether the client
 * may see a list at all; then the remote; then, for each entry of the
 * remote, the engine whether its catalog knows it; then the local rows
 * page by page, as the client takes them.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/remote_rows.h"
#include "daemon/front/request.h"

#define LIMIT_MAX	1000
#define KNOWN_WINDOW	64		/* questions under way */
#define CURSOR_BYTES	(2 * REMOTE_ID_BYTES + 32)
#define PART_BYTES	(16 * 1024)

/*
 * The order of a list: newest first; of the same time, local entries come
 * before those of the remote; then by id, descending.  A cursor is the
 * last entry given: "l<ms>.<id>" or "r<ms>.<remote id in hexadecimal>".
 */
struct cursor {
	char		kind;		/* 'l', 'r'; 0: from the newest */
	int64_t		ms;
	int64_t		id;
	char		remote_id[REMOTE_ID_BYTES];
};

struct list {
	struct m_req_list req;		/* of the next page */
	struct m_user	 remote_user;
	struct cursor	 last;		/* given last, or where to begin */
	uint32_t	 limit;		/* 0: all */
	uint32_t	 given;
	uint64_t	 total;		/* of the local catalog */
	int		 refresh;	/* asked for by the client */
	int		 remote_asked, remote_came;
	uint32_t	 remote_index;	/* of the one that was asked */
	char		 remote_name[REMOTE_NAME_BYTES];
	char		 remote_error[TEXT_BYTES];
	struct remote_rows *remote;
	size_t		 next;		/* of remote, to be given */
	uint8_t		*answered;	/* for each of remote */
	size_t		 asked, known;
	uint64_t	 known_id;	/* of the questions to the engine */
	int		 begun;		/* the answer's head is out */
	int		 more;		/* there are entries behind the limit */
	int		 page_more;	/* of the local catalog */
	uint32_t	 page_rows;
	struct evbuffer	*part;
	struct json	 json;
};

static void	list_page(struct conn *);
static void	list_remote_done(struct conn *);
static void	list_ask_remote(struct conn *);

static void
list_free(void *arg)
{
	struct list	*l = arg;

	remote_rows_free(l->remote);
	free(l->answered);
	if (l->part != NULL)
		evbuffer_free(l->part);
	free(l);
}

/* ---- cursors ---- */

static void
cursor_text(char dst[CURSOR_BYTES], const struct cursor *c)
{
	int	n;

	n = snprintf(dst, CURSOR_BYTES, "%c%" PRId64 ".", c->kind, c->ms);
	if (c->kind == 'l')
		snprintf(dst + n, CURSOR_BYTES - (size_t)n, "%" PRId64, c->id);
	else
		util_hex(dst + n, (const uint8_t *)c->remote_id,
		    strlen(c->remote_id));
}

static int
hex_text(const char *p, char *dst, size_t size)
{
	static const char	digits[] = "0123456789abcdef";
	const char		*high, *low;
	size_t			 n = 0;

	for (; *p != '\0'; p += 2) {
		if ((high = strchr(digits, p[0])) == NULL || p[1] == '\0' ||
		    (low = strchr(digits, p[1])) == NULL || n + 1 >= size)
			return (-1);
		dst[n] = (char)((high - digits) << 4 | (low - digits));
		if (dst[n++] == '\0')
			return (-1);
	}
	dst[n] = '\0';
	return (n > 0 ? 0 : -1);
}

/* Reads what cursor_text wrote; strange text is refused, not guessed. */
static int
cursor_parse(const char *text, struct cursor *c)
{
	const char	*error;
	char		 ms[32], *dot;
	size_t		 n;

	memset(c, 0, sizeof(*c));
	if (text[0] == '\0')
		return (0);
	if ((text[0] != 'l' && text[0] != 'r') ||
	    (dot = strchr(text, '.')) == NULL)
		return (-1);
	n = (size_t)(dot - text - 1);
	if (n >= sizeof(ms))
		return (-1);
	memcpy(ms, text + 1, n);
	ms[n] = '\0';
	if (isspace((unsigned char)ms[0]) ||
	    isspace((unsigned char)dot[1]))
		return (-1);
	c->kind = text[0];
	c->ms = strtonum(ms, INT64_MIN, INT64_MAX, &error);
	if (error != NULL)
		return (-1);
	if (c->kind == 'r')
		return (hex_text(dot + 1, c->remote_id, sizeof(c->remote_id)));
	c->id = strtonum(dot + 1, 1, INT64_MAX, &error);
	return (error == NULL ? 0 : -1);
}

/* Where the local catalog goes on behind the cursor. */
static void
cursor_to_page(const struct cursor *c, struct m_req_list *req)
{
	if (c->kind == 'l' && c->ms != 0) {
		req->before_ms = c->ms;
		req->before_id = c->id;
	} else if (c->kind != 0) {
		/* 0 would mean the newest; nothing local is that old. */
		req->before_ms = c->kind == 'r' && c->ms > 0 ? c->ms : 1;
		req->before_id = 0;
	}
}

/* ---- the answer ---- */

static const char *
list_source(const struct list *l)
{
	if (!l->remote_came)
		return ("local");
	return (l->total == 0 ? "remote" : "merged");
}

/* What stands beside the entries; for the Node server's clients, who find
 * them at data.data, inside as well. */
static void
list_facts(struct list *l)
{
	char	text[CURSOR_BYTES];

	json_uint(&l->json, "total", l->total + (l->remote == NULL ? 0 :
	    remote_rows_count(l->remote)));
	json_text(&l->json, "source", list_source(l));
	if (l->more) {
		cursor_text(text, &l->last);
		json_text(&l->json, "next", text);
	}
	if (l->remote_error[0] != '\0')
		json_text(&l->json, "remote_error", l->remote_error);
}

/* The head and what comes before the entries; 0 when that is all. */
static int
list_begin(struct conn *c)
{
	struct list	*l = c->req->api;

	if (l->begun)
		return (1);
	l->begun = 1;
	if (!reply_stream(c, 200, REPLY_JSON))
		return (0);
	json_init(&l->json, l->part, front.compat_node);
	json_success(&l->json, "Backups, newest first.");
	if (l->json.camel)
		json_object(&l->json, "data");
	json_array(&l->json, "data");
	return (1);
}

static void
list_flush(struct conn *c, size_t at_least)
{
	struct list	*l = c->req->api;

	if (evbuffer_get_length(l->part) >= at_least)
		reply_part(c, l->part);
}

static void
list_end(struct conn *c)
{
	struct list	*l = c->req->api;

	json_close(&l->json, ']');
	if (l->json.camel) {
		list_facts(l);
		json_close(&l->json, '}');
	}
	list_facts(l);
	json_close(&l->json, '}');
	list_flush(c, 0);
	reply_end(c);
}

static int
list_full(const struct list *l)
{
	return (l->limit != 0 && l->given == l->limit);
}

static int
list_remote_left(const struct list *l)
{
	return (l->remote != NULL && l->next < remote_rows_count(l->remote));
}

/* Gives the remote's entries that are newer than ms (or, with all, as many
 * as the output has room for). */
static void
list_give_remote(struct conn *c, int64_t ms, int all)
{
	struct list		*l = c->req->api;
	struct evbuffer		*out = bufferevent_get_output(c->bev);
	struct remote_row	 row;

	while (list_remote_left(l) && !list_full(l)) {
		remote_rows_get(l->remote, l->next, &row);
		if (!all && row.created_ms <= ms)
			return;
		if (all && evbuffer_get_length(out) > STREAM_LOW)
			return;
		json_remote(&l->json, &row, &l->remote_user,
		    l->remote_name);
		list_flush(c, PART_BYTES);
		l->last.kind = 'r';
		l->last.ms = row.created_ms;
		util_copy(l->last.remote_id, row.remote_id);
		l->next++;
		l->given++;
	}
}

/* The local catalog is at its end: the rest is the remote's. */
static void
list_give_rest(struct conn *c)
{
	struct list	*l = c->req->api;

	list_give_remote(c, 0, 1);
	if (!list_full(l) && list_remote_left(l)) {
		list_flush(c, 1);
		c->more = list_give_rest;
		return;
	}
	l->more = l->more || list_remote_left(l);
	list_end(c);
}

static void
list_row(struct conn *c, const struct m_backup *b)
{
	struct list	*l = c->req->api;

	api_backup_check(b);
	if (++l->page_rows > l->req.limit || (l->req.before_ms != 0 &&
	    (b->created_ms > l->req.before_ms ||
	    (b->created_ms == l->req.before_ms &&
	    b->id >= l->req.before_id))))
		fatalx("engine lists out of order");
	l->req.before_ms = b->created_ms;
	l->req.before_id = b->id;
	if (!list_begin(c))
		return;
	list_give_remote(c, b->created_ms, 0);
	if (list_full(l)) {
		l->more = 1;
		return;
	}
	json_backup(&l->json, NULL, b);
	list_flush(c, PART_BYTES);
	l->last.kind = 'l';
	l->last.ms = b->created_ms;
	l->last.id = b->id;
	l->given++;
}

static void
on_page(struct conn *c, const struct msg *m)
{
	const struct m_list_end	*end = m->data;
	struct list		*l = c->req->api;

	if (m->type == MSG_REP_LIST_ROW) {
		list_row(c, m->data);
		return;
	}
	if (end->rows != l->page_rows || (end->more && end->rows == 0))
		fatalx("engine miscounts a list");
	if (l->req.want_total)
		l->total = end->total;
	l->req.want_total = 0;
	if (!list_begin(c))
		return;
	list_flush(c, 1);
	if (list_full(l)) {
		l->more = l->more || end->more || list_remote_left(l);
		list_end(c);
	} else if (!end->more)
		list_give_rest(c);
	else if (evbuffer_get_length(bufferevent_get_output(c->bev)) >
	    STREAM_LOW)
		c->more = list_page;
	else
		list_page(c);
}

/* Asks for the next page of the local catalog. */
static void
list_page(struct conn *c)
{
	struct list	*l = c->req->api;

	c->more = NULL;
	l->req.limit = LIST_PAGE_ROWS;
	if (l->limit != 0 && l->limit - l->given < LIST_PAGE_ROWS)
		l->req.limit = l->limit - l->given;
	l->page_rows = 0;
	link_engine(c, MSG_REQ_LIST, &l->req, sizeof(l->req),
	    MSG_REP_LIST_ROW, MSG_REP_LIST_END, on_page);
}

/* ---- the remote ---- */

/* A remote does not say of which database a backup is, so that a list of
 * one database is the catalog's alone; a bucket's is the catalog's, too. */
static int
asks_remote(const struct list *l)
{
	return (front.conf.remotes > 0 && l->req.database[0] == '\0' &&
	    !(front.conf.flags & FRONT_S3_FIRST) &&
	    l->remote_user.kind != USER_NONE);
}


static void
list_ask_known(struct conn *c)
{
	struct list		*l = c->req->api;
	struct remote_row	 row;
	struct m_req_known	 req;

	while (l->asked < remote_rows_count(l->remote) &&
	    l->asked - l->known < KNOWN_WINDOW) {
		memset(&req, 0, sizeof(req));
		req.remote = l->remote_index;
		req.asker = l->req.asker;
		remote_rows_get(l->remote, l->asked, &row);
		req.seq = (uint32_t)l->asked++;
		util_copy(req.remote_id, row.remote_id);
		link_engine_again(l->known_id, MSG_REQ_KNOWN, &req,
		    sizeof(req));
	}
}

static void
on_known(struct conn *c, const struct msg *m)
{
	const struct m_known	*k = m->data;
	struct list		*l = c->req->api;

	if (k->seq >= l->asked || l->answered[k->seq])
		fatalx("engine answers an entry that was not asked for");
	l->answered[k->seq] = 1;
	l->known++;
	if (k->local_id != 0)
		remote_rows_drop(l->remote, k->seq);
	if (l->known < remote_rows_count(l->remote)) {
		list_ask_known(c);
		return;
	}
	link_forget(c, l->known_id);
	list_remote_done(c);
}

/* What only the remote has is known; begin to answer. */
static void
list_remote_done(struct conn *c)
{
	struct list	*l = c->req->api;

	free(l->answered);
	l->answered = NULL;
	remote_rows_sort(l->remote);
	if (l->last.kind == 'r')
		l->next = remote_rows_seek(l->remote, l->last.ms,
		    l->last.remote_id);
	else if (l->last.kind == 'l')
		l->next = remote_rows_seek(l->remote, l->last.ms, NULL);
	list_page(c);
}

/* The remote's list has come, or never will. */
static void
list_remote_end(struct conn *c)
{
	struct list		*l = c->req->api;
	struct m_req_known	 req;
	struct remote_row	 row;
	size_t			 n;

	if (!l->remote_came) {
		remote_rows_free(l->remote);
		l->remote = NULL;
		list_page(c);
		return;
	}
	if ((n = remote_rows_count(l->remote)) == 0) {
		list_remote_done(c);
		return;
	}
	l->answered = xcalloc(n, 1);
	memset(&req, 0, sizeof(req));
	req.remote = l->remote_index;
	req.asker = l->req.asker;
	remote_rows_get(l->remote, 0, &row);
	util_copy(req.remote_id, row.remote_id);
	l->asked = 1;
	l->known_id = link_engine(c, MSG_REQ_KNOWN, &req, sizeof(req),
	    MSG_REP_KNOWN, MSG_NONE, on_known);
	list_ask_known(c);
}

static void
on_remote_row(struct list *l, const struct m_remote_row *row)
{
	/* Without an id there is nothing that could be done with it. */
	if (row->remote_id[0] != '\0' &&
	    remote_rows_add(l->remote, row) == -1)
		strlcpy(l->remote_error, "The remote lists more backups than "
		    "can be shown; some are left out.",
		    sizeof(l->remote_error));
}

static void
on_remote(struct conn *c, const struct msg *m)
{
	const struct m_remote_row	*row = m == NULL ? NULL : m->data;
	const struct m_remote_end	*end = m == NULL ? NULL : m->data;
	struct list			*l = c->req->api;

	if (m != NULL && m->type == MSG_TELL_ROW) {
		on_remote_row(l, row);
		return;
	}
	if (m != NULL && end->outcome == NET_OK)
		l->remote_came = 1;
	else
		strlcpy(l->remote_error, m != NULL && end->reason[0] != '\0' ?
		    end->reason : "The remote server cannot be asked.",
		    sizeof(l->remote_error));
	list_remote_end(c);
}

/* The engine has looked through the buckets; what it told is theirs. */
static void
on_refreshed(struct conn *c, const struct msg *m)
{
	const struct m_remote_end	*end = m->data;
	struct list			*l = c->req->api;

	if (m->type == MSG_REP_REFRESH_ROW) {
		on_remote_row(l, m->data);
		return;
	}
	/* What it has found is in the catalog now. */
	l->req.want_total = 1;
	if (end->outcome == NET_OK)
		l->remote_came = 1;
	else
		strlcpy(l->remote_error, end->reason, sizeof(l->remote_error));
	if (asks_remote(l))
		list_ask_remote(c);
	else
		list_remote_done(c);
}

static void
list_refresh(struct conn *c)
{
	struct list		*l = c->req->api;
	struct m_req_refresh	 req;

	memset(&req, 0, sizeof(req));
	link_asker(c, &req.asker);
	req.user = l->req.user;
	l->remote = remote_rows_new();
	link_engine(c, MSG_REQ_REFRESH, &req, sizeof(req),
	    MSG_REP_REFRESH_ROW, MSG_REP_REFRESH_END, on_refreshed);
}

/* The client may see the list, and how long the local one is is known. */
static void
on_allowed(struct conn *c, const struct msg *m)
{
	const struct m_list_end	*end = m->data;
	struct list		*l = c->req->api;

	if (m->type == MSG_REP_LIST_ROW)
		return;			/* it will come again */
	l->total = end->total;
	l->req.want_total = 0;
	/* Nobody knows of which database a remote's entry is. */
	if (!end->whole) {
		list_page(c);
		return;
	}
	/* To list a bucket costs: only when the catalog has nothing (D6). */
	if ((front.conf.flags & FRONT_S3) && (l->refresh || end->empty) &&
	    l->last.kind == 0)
		list_refresh(c);
	else if (asks_remote(l))
		list_ask_remote(c);
	else
		list_page(c);
}

static void
list_ask_remote(struct conn *c)
{
	struct list	*l = c->req->api;
	struct m_ask	 ask;

	if (!front_has_remote()) {	/* it went meanwhile */
		on_remote(c, NULL);
		return;
	}
	memset(&ask, 0, sizeof(ask));
	/* Another may be the first one when this has answered. */
	l->remote_index = ask.remote = front.conf.remote;
	util_copy(l->remote_name, front.conf.remote_name);
	strlcpy(ask.user_id, l->remote_user.id, sizeof(ask.user_id));
	if (l->remote == NULL)
		l->remote = remote_rows_new();
	link_network(c, MSG_ASK_LIST, &ask, sizeof(ask), MSG_TELL_ROW,
	    MSG_TELL_LIST_END, on_remote);
}

/* ---- the request ---- */

static int
list_wants_refresh(struct conn *c, struct list *l)
{
	char	text[8];

	if (api_query(c, "refresh", text, sizeof(text)) == -1)
		return (-1);
	l->refresh = strcmp(text, "1") == 0;
	if (l->refresh || text[0] == '\0' || strcmp(text, "0") == 0)
		return (0);
	reply_error(c, E_INVALID_PARAMETER,
	    "\"refresh\" must be 0 or 1.");
	return (-1);
}

static int
list_limit(struct conn *c, struct list *l)
{
	const char	*error;
	char		 text[16];

	if (api_query(c, "limit", text, sizeof(text)) == -1)
		return (-1);
	if (text[0] == '\0')
		return (0);
	l->limit = (uint32_t)strtonum(text, 1, LIMIT_MAX, &error);
	if (error == NULL && isdigit((unsigned char)text[0]))
		return (0);
	reply_error(c, E_INVALID_PARAMETER,
	    "\"limit\" must be a number from 1 to %d.", LIMIT_MAX);
	return (-1);
}

static int
list_cursor(struct conn *c, struct list *l)
{
	char	text[CURSOR_BYTES];

	if (api_query(c, "before", text, sizeof(text)) == -1)
		return (-1);
	if (cursor_parse(text, &l->last) == 0) {
		cursor_to_page(&l->last, &l->req);
		return (0);
	}
	reply_error(c, E_INVALID_PARAMETER, "\"before\" is not a value that "
	    "\"next\" of an earlier answer had.");
	return (-1);
}

void
api_list(struct conn *c)
{
	struct list	*l;

	l = xcalloc(1, sizeof(*l));
	c->req->api = l;
	c->req->api_free = list_free;
	if (api_user(c, c->req->arg, &l->req.user) == -1 ||
	    api_query(c, "database", l->req.database,
	    sizeof(l->req.database)) == -1 ||
	    list_limit(c, l) == -1 || list_cursor(c, l) == -1 ||
	    list_wants_refresh(c, l) == -1)
		return;
	if ((l->part = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	link_asker(c, &l->req.asker);
	l->req.want_total = 1;
	l->remote_user = l->req.user.kind != USER_NONE ? l->req.user :
	    front.conf.user;
	if (!asks_remote(l) && !(front.conf.flags & FRONT_S3)) {
		list_page(c);
		return;
	}
	l->req.limit = 1;
	link_engine(c, MSG_REQ_LIST, &l->req, sizeof(l->req),
	    MSG_REP_LIST_ROW, MSG_REP_LIST_END, on_allowed);
}
