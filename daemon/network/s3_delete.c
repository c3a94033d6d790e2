/*
 * The network process runs this: objects deleted, each with its manifest,
 * and uploads in parts taken back.  Many at once in one request; where a
 * server does not know that, one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3.h"

#define TRIES		3
#define ANSWER_BYTES_MAX	(1024 * 1024)
#define MANIFEST	".json"

struct deletion {
	struct s3_state		 base;
	struct s3_request	*r;
	const char		*keys[DELETE_KEYS_MAX];
	uint32_t		 next;	/* one by one: twice for each key */
	/* All together: what the answer has named; bit 0 the object, bit 1
	 * its manifest. */
	uint8_t			 named[DELETE_KEYS_MAX];
};

static void	delete_next(struct task *);

static void
delete_stop(struct task *t)
{
	struct deletion	*d = t->state;

	s3_request_free(d->r);
	free(d);
}

static struct s3_request *
new_request(struct task *t, enum net_request kind, const char *method,
    const char *key)
{
	struct deletion	*d = t->state;

	s3_request_free(d->r);
	d->r = s3_request_new(t->remote, kind, method, key);
	d->r->tries = TRIES;
	d->r->deletes = 1;
	return (d->r);
}

/* What became of one of a key's two objects; the worst counts. */
static void
note(struct task *t, uint32_t i, const struct result *r)
{
	struct m_net_deleted	*m = t->deleted;

	if (r->outcome == NET_OK || m->outcome[i] == NET_REFUSED)
		return;
	m->outcome[i] = r->outcome;
	if (m->reason[0] == '\0')
		(void)strlcpy(m->reason, r->reason, sizeof(m->reason));
}

/* The task's own result is that of the worst key. */
static void
finish(struct task *t, struct result *r)
{
	const struct m_net_deleted	*m = t->deleted;
	uint32_t			 i;

	for (i = 0; i < m->count && r->outcome == NET_OK; i++) {
		if (m->outcome[i] != NET_OK)
			result_set(r, m->outcome[i], "%s", m->reason);
	}
	task_finish(t, r, NULL, 0);
}

/* ---- one by one ---- */

static void
on_deleted(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct deletion	*d = t->state;

	if (s3_judge_gone(r))
		result_set(&r->result, NET_OK, "%s", "");
	note(t, d->next / 2, &r->result);
	/* When the server is away, the others need not be tried. */
	if (r->result.outcome != NET_OK && r->result.outcome != NET_REFUSED) {
		while (++d->next < 2 * t->deleted->count)
			note(t, d->next / 2, &r->result);
		finish(t, &r->result);
	} else if (++d->next == 2 * t->deleted->count)
		finish(t, &r->result);
	else
		delete_next(t);
}

static void
delete_next(struct task *t)
{
	struct deletion	*d = t->state;
	char		*key;

	/* The manifest first: what is left without one is no backup. */
	key = xasprintf("%s%s", d->keys[d->next / 2],
	    d->next % 2 == 0 ? MANIFEST : "");
	s3_request_start(new_request(t, REQUEST_DELETE, "DELETE", key), NULL,
	    on_deleted, t);
	free(key);
}

/* ---- all together ---- */

static void
put_escaped(FILE *f, const char *s)
{
	static const char *const	entities[] = { ['&'] = "&amp;",
					    ['<'] = "&lt;", ['>'] = "&gt;",
					    ['"'] = "&quot;" };
	size_t				c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c < nitems(entities) && entities[c] != NULL)
			(void)fputs(entities[c], f);
		else
			(void)putc(*s, f);
	}
}

/* The caller frees it. */
static char *
delete_body(struct task *t)
{
	struct deletion	*d = t->state;
	FILE		*f;
	char		*text;
	size_t		 n;
	uint32_t	 i;

	if ((f = open_memstream(&text, &n)) == NULL)
		fatal("open_memstream");
	(void)fputs("<Delete>", f);
	for (i = 0; i < 2 * t->deleted->count; i++) {
		(void)fputs("<Object><Key>", f);
		put_escaped(f, t->remote->s3->conf.prefix);
		put_escaped(f, d->keys[i / 2]);
		(void)fprintf(f, "%s</Key></Object>", i % 2 == 0 ? MANIFEST :
		    "");
	}
	(void)fputs("</Delete>", f);
	/* Failures before show here: the text is in memory. */
	if (fclose(f) == EOF)
		fatal("open_memstream");
	return (text);
}

/* Which key, and which of its two objects, the answer means. */
static int
find_key(struct task *t, const char *full, uint32_t *i, uint8_t *bit)
{
	struct deletion	*d = t->state;
	const char	*prefix = t->remote->s3->conf.prefix, *key;
	size_t		 n = strlen(prefix), len;

	if (strncmp(full, prefix, n) != 0)
		return (0);
	key = full + n;
	for (*i = 0; *i < t->deleted->count; (*i)++) {
		len = strlen(d->keys[*i]);
		if (strncmp(key, d->keys[*i], len) != 0)
			continue;
		*bit = key[len] == '\0' ? 1 : 2;
		if (key[len] == '\0' || strcmp(key + len, MANIFEST) == 0)
			return (1);
	}
	return (0);
}

static void
note_error(struct task *t, uint32_t i, const struct s3_row *row)
{
	struct result	r;

	memset(&r, 0, sizeof(r));
	if (strcmp(row->code, "NoSuchKey") == 0 ||
	    strcmp(row->code, "NoSuchVersion") == 0)
		return;
	if (strcmp(row->code, "AccessDenied") == 0)
		result_set(&r, NET_REFUSED, "%s does not allow it to this "
		    "access key, which needs s3:DeleteObject, or the object "
		    "is locked", t->remote->host);
	else
		result_set(&r, NET_AWAY, "%s could not delete it: %s",
		    t->remote->host, row->code);
	note(t, i, &r);
}

/* Every key must be named: silence is no proof. */
static void
read_answer(struct task *t, struct s3_request *r, struct s3_page *page)
{
	struct deletion	*d = t->state;
	struct result	 missing;
	struct s3_row	 row;
	uint32_t	 i;
	uint8_t		 bit;

	while (s3_xml_next(page, &row)) {
		if (!find_key(t, row.key, &i, &bit))
			continue;
		d->named[i] |= bit;
		if (row.code[0] != '\0')
			note_error(t, i, &row);
	}
	memset(&missing, 0, sizeof(missing));
	result_set(&missing, NET_GARBAGE, "%s does not say what became of "
	    "it", t->remote->host);
	for (i = 0; i < t->deleted->count; i++) {
		if (d->named[i] != 3)
			note(t, i, &missing);
	}
	finish(t, &r->result);
}

static void
on_batch(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct s3_page	 page;
	uint32_t	 i, status = r->result.http_status;

	if (r->result.outcome == NET_OK) {
		if (s3_xml_page(S3_DELETED, r->x->text, r->x->text_bytes,
		    &page) == 0) {
			read_answer(t, r, &page);
			return;
		}
		result_set(&r->result, NET_GARBAGE, "%s answered %u, but not "
		    "what was deleted", t->remote->host, status);
	}
	if (status == 400 || status == 405 || status == 501) {
		delete_next(t);
		return;
	}
	for (i = 0; i < t->deleted->count; i++)
		note(t, i, &r->result);
	finish(t, &r->result);
}

static void
delete_batch(struct task *t)
{
	struct s3_request	*r;
	uint8_t			 md5[MD5_BYTES];
	char			*body, text[25];

	r = new_request(t, REQUEST_POST, "POST", NULL);
	body = delete_body(t);
	sign_md5(md5, body, strlen(body));
	sign_base64(text, md5);
	s3_request_query(r, "delete", "");
	s3_request_header(r, "content-md5", text);
	s3_request_header(r, "content-type", "application/xml");
	s3_request_body(r, body, strlen(body));
	r->text_max = ANSWER_BYTES_MAX;
	free(body);
	s3_request_start(r, NULL, on_batch, t);
}

void
s3_delete(struct task *t)
{
	const struct m_net_delete	*m = t->u.delete;
	const char			*p = m->keys;
	struct deletion			*d;
	uint32_t			 i;

	if (t->remote->s3->conf.flags & S3_NO_DELETE) {
		task_finish_with(t, NET_REFUSED, "the configuration says that "
		    "this host may not delete there");
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->base.stop = delete_stop;
	t->state = d;
	for (i = 0; i < m->count; i++, p += strlen(p) + 1)
		d->keys[i] = p;
	for (i = 0; i < m->count; i++) {
		if (t->remote->s3->host[0] == '\0' || !s3_key_ok(d->keys[i])) {
			task_finish_with(t, NET_REFUSED, "there is no key "
			    "that a backup in a bucket has");
			return;
		}
	}
	t->deleted = xcalloc(1, sizeof(*t->deleted));
	t->deleted->count = m->count;
	if (m->count == 1)
		delete_next(t);
	else
		delete_batch(t);
}

/* ---- uploads in parts ---- */

static void
on_aborted(struct s3_request *r, void *arg)
{
	if (s3_judge_gone(r))
		result_set(&r->result, NET_OK, "%s", "");
	task_finish(arg, &r->result, NULL, 0);
}

void
s3_abort(struct task *t)
{
	const struct m_net_abort	*a = t->u.abort;
	struct s3_request		*r;

	if (t->remote->s3->host[0] == '\0' || !s3_key_ok(a->key)) {
		task_finish_with(t, NET_REFUSED, "this is no key that a "
		    "backup in a bucket has");
		return;
	}
	t->state = xcalloc(1, sizeof(struct deletion));
	((struct deletion *)t->state)->base.stop = delete_stop;
	r = new_request(t, REQUEST_DELETE, "DELETE", a->key);
	r->deletes = 0;		/* who may write may take back, too */
	s3_request_query(r, "uploadId", a->upload_id);
	s3_request_start(r, NULL, on_aborted, t);
}
