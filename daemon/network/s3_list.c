/*
 * The network process runs this: what a bucket has, by its manifests.  The
 * listing is read page by page and never kept; each manifest in it is
 * fetched, several at once, and told as one row.
 *
 * A key sorts before the same key with ".json" behind it, and all that
 * sorts between them begins with it.  So a stack of the keys that the
 * current one begins with is all that must be kept to know whether a
 * manifest's object is there, and how large.
 */
#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/s3.h"
#include "daemon/network/text.h"

#define TRIES		3
#define PAGE_BYTES_MAX	(8 * 1024 * 1024)
#define PAGES_MAX	10000		/* of 1000 keys */
#define FETCHES		8		/* at once */
#define STACK_MAX	64
#define WAIT_MS		10
#define MANIFEST	".json"

struct seen {
	char		*key;
	int64_t		 size;
};

struct fetch {
	struct task		*task;
	struct s3_request	*r;	/* NULL: free */
	char			 key[REMOTE_ID_BYTES];
	int64_t			 size;	/* of the object, -1: not there */
};

struct listing {
	struct s3_state		 base;
	struct s3_request	*r;	/* the page that is read */
	struct s3_page		 page;
	struct seen		 stack[STACK_MAX];
	size_t			 depth;
	struct fetch		 fetches[FETCHES];
	struct event		*wait;
	int			 opened, pages;
	struct s3_row		 row;
};

static void	go_on(struct task *);

static void
listing_stop(struct task *t)
{
	struct listing	*l = t->state;
	size_t		 i;

	s3_request_free(l->r);
	for (i = 0; i < nitems(l->fetches); i++)
		s3_request_free(l->fetches[i].r);
	for (i = 0; i < l->depth; i++)
		free(l->stack[i].key);
	event_free(l->wait);
	free(l);
}

/* ---- one manifest ---- */

/* For front, which shows what there is; the user is the one asked for. */
static void
tell_front(struct task *t, const struct m_manifest *m)
{
	const char		*user = t->u.ask->user_id;
	struct m_remote_row	 row;

	if (user[0] != '\0' && strcmp(user, m->user.id) != 0)
		return;
	memset(&row, 0, sizeof(row));
	row.size = m->size > INT64_MAX ? -1 : (int64_t)m->size;
	row.created_ms = m->created_ms;
	(void)strlcpy(row.remote_id, m->key, sizeof(row.remote_id));
	text_clean(row.name, sizeof(row.name), m->name, strlen(m->name));
	text_clean(row.description, sizeof(row.description), m->description,
	    strlen(m->description));
	chan_send(t->chan, MSG_TELL_ROW, t->id, &row, sizeof(row), -1);
	t->rows++;
}

static void
on_manifest(struct s3_request *r, void *arg)
{
	struct fetch		*f = arg;
	struct task		*t = f->task;
	struct m_manifest	 m;
	struct result		 end = r->result;

	/* It may have been deleted since it was listed. */
	if (end.outcome != NET_OK && end.http_status != 404 &&
	    end.outcome != NET_GARBAGE) {
		task_finish(t, &end, NULL, 0);
		return;
	}
	if (end.outcome == NET_OK && s3_manifest_parse(r->x->text,
	    r->x->text_bytes, &m) == 0) {
		(void)strlcpy(m.key, f->key, sizeof(m.key));
		m.object_size = f->size;
		if (t->kind == TASK_LIST)
			tell_front(t, &m);
		else
			task_manifest_row(t, &m);
	} else if (end.http_status != 404)
		t->skipped++;
	s3_request_free(f->r);
	f->r = NULL;
	go_on(t);
}

/* ---- the listing ---- */

static void
push(struct listing *l, const char *key, int64_t size)
{
	struct seen	*s;

	/* Deeper than any of ours: the oldest is the least likely. */
	if (l->depth == STACK_MAX) {
		free(l->stack[0].key);
		memmove(l->stack, l->stack + 1,
		    (STACK_MAX - 1) * sizeof(*l->stack));
		l->depth--;
	}
	s = &l->stack[l->depth++];
	s->key = xstrdup(key);
	s->size = size;
}

static void
pop_others(struct listing *l, const char *key)
{
	struct seen	*s;

	while (l->depth > 0) {
		s = &l->stack[l->depth - 1];
		if (strncmp(s->key, key, strlen(s->key)) == 0)
			return;
		free(s->key);
		l->depth--;
	}
}

static struct fetch *
free_fetch(struct listing *l)
{
	size_t	i;

	for (i = 0; i < nitems(l->fetches); i++) {
		if (l->fetches[i].r == NULL)
			return (&l->fetches[i]);
	}
	return (NULL);
}

static int
busy(struct listing *l)
{
	size_t	i;

	for (i = 0; i < nitems(l->fetches); i++) {
		if (l->fetches[i].r != NULL)
			return (1);
	}
	return (0);
}

static void
fetch_manifest(struct task *t, struct fetch *f, const char *key, size_t n)
{
	struct listing	*l = t->state;
	char		*full;
	size_t		 i;

	f->task = t;
	f->size = -1;
	memcpy(f->key, key, n);
	f->key[n] = '\0';
	for (i = 0; i < l->depth; i++) {
		if (strcmp(l->stack[i].key, f->key) == 0)
			f->size = l->stack[i].size;
	}
	full = xasprintf("%s%s", f->key, MANIFEST);
	f->r = s3_request_new(t->remote, REQUEST_GET, "GET", full);
	f->r->text_max = MANIFEST_BYTES;
	f->r->tries = TRIES;
	free(full);
	s3_request_start(f->r, NULL, on_manifest, f);
}

/* One key of the listing, with a place for its manifest if it is one. */
static void
read_key(struct task *t, struct fetch *f, const struct s3_row *row)
{
	struct listing	*l = t->state;
	const char	*prefix = t->remote->s3->conf.prefix, *key;
	size_t		 n = strlen(prefix);

	if (strncmp(row->key, prefix, n) != 0)
		return;			/* not what was asked for */
	key = row->key + n;
	pop_others(l, key);
	if (!text_ends(key, MANIFEST))
		push(l, key, row->size);
	else if ((n = strlen(key) - strlen(MANIFEST)) > 0 &&
	    n < REMOTE_ID_BYTES - strlen(MANIFEST) && s3_key_ok(key))
		fetch_manifest(t, f, key, n);
	else
		t->skipped++;
}

static void	ask_page(struct task *, const char *token);

static void
on_page(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct listing	*l = t->state;
	struct result	 end = r->result;

	if (end.outcome == NET_OK && (s3_xml_page(S3_OBJECTS, r->x->text,
	    r->x->text_bytes, &l->page) == -1 || ++l->pages > PAGES_MAX))
		result_set(&end, NET_GARBAGE, "%s answered %u, but not with a "
		    "listing", t->remote->host, end.http_status);
	if (end.outcome != NET_OK) {
		task_finish(t, &end, NULL, 0);
		return;
	}
	l->opened = 1;
	go_on(t);
}

static void
ask_page(struct task *t, const char *token)
{
	struct listing	*l = t->state;
	char		*prefix;

	l->opened = 0;
	prefix = s3_full_key(t->remote, t->kind == TASK_CATALOG ?
	    t->u.catalog->prefix : "");
	s3_request_free(l->r);
	l->r = s3_request_new(t->remote, REQUEST_LIST, "GET", NULL);
	l->r->tries = TRIES;
	l->r->text_max = PAGE_BYTES_MAX;
	s3_request_query(l->r, "list-type", "2");
	s3_request_query(l->r, "prefix", prefix);
	if (token[0] != '\0')
		s3_request_query(l->r, "continuation-token", token);
	free(prefix);
	s3_request_start(l->r, NULL, on_page, t);
}

static void
on_wait(evutil_socket_t s, short what, void *arg)
{
	(void)s;
	(void)what;
	go_on(arg);
}

/* As far as there is room: for fetches, and for rows on their way. */
static void
go_on(struct task *t)
{
	struct listing	*l = t->state;
	struct timeval	 tv = { 0, WAIT_MS * 1000 };
	struct fetch	*f;
	char		 token[S3_TOKEN_BYTES];

	if (!l->opened)
		return;			/* the next page is on its way */
	if (task_full(t)) {
		if (event_add(l->wait, &tv) == -1)
			fatalx("event_add");
		return;
	}
	while ((f = free_fetch(l)) != NULL) {
		if (!s3_xml_next(&l->page, &l->row))
			break;
		read_key(t, f, &l->row);
	}
	if (f == NULL)
		return;
	if (l->page.truncated) {
		(void)strlcpy(token, l->page.next, sizeof(token));
		ask_page(t, token);
	} else if (!busy(l)) {
		l->opened = 0;
		event_del(l->wait);
		task_finish(t, &l->r->result, NULL, 0);
	}
}

void
s3_catalog(struct task *t)
{
	struct listing	*l;

	if (t->remote->s3->host[0] == '\0') {
		task_finish_with(t, NET_REFUSED, "the endpoint of this remote "
		    "cannot be used; correct it in the configuration");
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->base.stop = listing_stop;
	t->state = l;
	if ((l->wait = event_new(curl_loop_base(), -1, 0, on_wait, t)) == NULL)
		fatalx("event_new");
	ask_page(t, "");
}
