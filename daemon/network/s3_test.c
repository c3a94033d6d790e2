/*
 * The network process runs this: each thing that a bucket must let us do,
 * tried with a small object of its own, and told in a sentence.  What it
 * has made it deletes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/network/s3.h"

#define BYTES		1024
#define RANGE_FROM	100
#define RANGE_BYTES	100

struct test {
	struct s3_state		 base;
	struct s3_request	*r;
	size_t			 step;
	int			 stored;	/* the object is there */
	int			 deleted;	/* how many */
	struct result		 worst;
	struct result		 kept;		/* while an upload is aborted */
	char			 bytes[BYTES];
	char			 hash[SIGN_HASH_BYTES];
	char			 key[64], parts_key[64];
	char			 upload_id[UPLOAD_ID_BYTES];
};

static void	next_step(struct task *);
static void	on_step(struct s3_request *, void *);

static void
test_stop(struct task *t)
{
	struct test	*s = t->state;

	s3_request_free(s->r);
	free(s);
}

static struct s3_request *
new_request(struct task *t, enum net_request kind, const char *method,
    const char *key)
{
	struct test	*s = t->state;

	s3_request_free(s->r);
	s->r = s3_request_new(t->remote, kind, method, key);
	return (s->r);
}

static void
wrong(struct s3_request *r, const char *what)
{
	result_set(&r->result, NET_GARBAGE, "%s answered %u, but %s",
	    r->remote->host, r->result.http_status, what);
}

/* ---- put, get, range, head ---- */

static void
put(struct task *t, s3_request_cb *done, int conditional)
{
	struct test		*s = t->state;
	struct s3_request	*r;
	struct m_net_upload	 u;
	uint8_t			 md5[MD5_BYTES];
	char			 text[25];

	memset(&u, 0, sizeof(u));
	(void)strlcpy(u.sha256, s->hash, sizeof(u.sha256));
	r = new_request(t, REQUEST_PUT, "PUT", s->key);
	/* As a manifest goes: to where it can be read at once.  No lock,
	 * or it could not be deleted. */
	s3_put_encryption(r);
	s3_request_header(r, "x-amz-meta-sha256", s->hash);
	sign_md5(md5, s->bytes, BYTES);
	sign_base64(text, md5);
	s3_request_header(r, "content-md5", text);
	if (conditional)
		s3_request_header(r, "if-none-match", "*");
	s3_request_body(r, s->bytes, BYTES);
	s3_request_start(r, NULL, done, t);
}

static void
start_put(struct task *t)
{
	put(t, on_step, 0);
}

static void
check_put(struct task *t, struct s3_request *r)
{
	struct test	*s = t->state;

	(void)r;
	s->stored = 1;
}

static void
start_get(struct task *t)
{
	struct test	*s = t->state;

	s3_request_start(new_request(t, REQUEST_GET, "GET", s->key), NULL,
	    on_step, t);
}

static void
check_get(struct task *t, struct s3_request *r)
{
	const struct test	*s = t->state;

	if (r->x->text_bytes != BYTES ||
	    memcmp(r->x->text, s->bytes, BYTES) != 0)
		wrong(r, "not with the bytes that were put there");
}

static void
start_range(struct task *t)
{
	struct test		*s = t->state;
	struct s3_request	*r;
	char			 text[48];

	r = new_request(t, REQUEST_GET, "GET", s->key);
	(void)snprintf(text, sizeof(text), "bytes=%d-%d", RANGE_FROM,
	    RANGE_FROM + RANGE_BYTES - 1);
	s3_request_header(r, "range", text);
	s3_request_start(r, NULL, on_step, t);
}

static void
check_range(struct task *t, struct s3_request *r)
{
	const struct test	*s = t->state;

	if (r->result.http_status != 206 ||
	    r->x->text_bytes != RANGE_BYTES ||
	    memcmp(r->x->text, s->bytes + RANGE_FROM, RANGE_BYTES) != 0)
		wrong(r, "not with the part of the object that was asked for");
}

static void
start_head(struct task *t)
{
	struct test	*s = t->state;

	s3_request_start(new_request(t, REQUEST_HEAD, "HEAD", s->key), NULL,
	    on_step, t);
}

static void
check_head(struct task *t, struct s3_request *r)
{
	const struct test	*s = t->state;

	if (strcmp(s3_request_answer(r, "content-length"), "1024") != 0)
		wrong(r, "with another size");
	else if (strcmp(s3_request_answer(r, "x-amz-meta-sha256"), s->hash) !=
	    0)
		wrong(r, "without the metadata that was put there");
}

/* ---- two hosts with one prefix ---- */

static void
on_conditional(struct s3_request *r, void *arg)
{
	struct task	*t = arg;

	uint32_t	 status = r->result.http_status;

	if (status == 412)
		result_set(&r->result, NET_OK, "%s", "");
	else if (status == 501 || status == 400)
		result_set(&r->result, NET_REFUSED, "%s does not know "
		    "If-None-Match: see to it that no two hosts have the same "
		    "prefix", r->remote->host);
	else if (r->result.outcome == NET_OK)
		wrong(r, "wrote over an object in spite of If-None-Match: two "
		    "hosts with one prefix would not be kept apart by it");
	on_step(r, t);
}

static void
start_conditional(struct task *t)
{
	put(t, on_conditional, 1);
}

/* ---- list ---- */

static void
start_list(struct task *t)
{
	struct test		*s = t->state;
	struct s3_request	*r;
	char			*prefix;

	r = new_request(t, REQUEST_LIST, "GET", NULL);
	prefix = s3_full_key(t->remote, s->key);
	s3_request_query(r, "list-type", "2");
	s3_request_query(r, "prefix", prefix);
	free(prefix);
	s3_request_start(r, NULL, on_step, t);
}

static void
check_list(struct task *t, struct s3_request *r)
{
	const struct test	*s = t->state;
	struct s3_page		 page;
	struct s3_row		 row;
	char			*key;
	int			 found = 0;

	if (s3_xml_page(S3_OBJECTS, r->x->text, r->x->text_bytes, &page) ==
	    -1) {
		wrong(r, "not with a listing");
		return;
	}
	key = s3_full_key(t->remote, s->key);
	while (s3_xml_next(&page, &row))
		found |= strcmp(row.key, key) == 0 && row.size == BYTES;
	free(key);
	if (s->stored && !found)
		wrong(r, "the object just put there is not in the listing");
}

/* ---- multipart ---- */

static void
on_cleaned(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct test	*s = t->state;

	r->result = s->kept;
	on_step(r, t);
}

/* It failed half way: no parts are left behind. */
static void
clean_up(struct task *t, struct s3_request *failed)
{
	struct test		*s = t->state;
	struct s3_request	*r;

	s->kept = failed->result;
	r = new_request(t, REQUEST_DELETE, "DELETE", s->parts_key);
	s3_request_query(r, "uploadId", s->upload_id);
	s3_request_start(r, NULL, on_cleaned, t);
}

static void
on_complete(struct s3_request *r, void *arg)
{
	struct task	*t = arg;

	if (r->result.outcome == NET_OK &&
	    !s3_xml_completed(r->x->text, r->x->text_bytes))
		wrong(r, "not that the upload is complete");
	if (r->result.outcome != NET_OK)
		clean_up(t, r);
	else
		on_step(r, t);
}

static void
on_part(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct test	*s = t->state;
	char		 etag[S3_ETAG_BYTES], *text;

	s3_request_etag(r, etag);
	if (r->result.outcome == NET_OK && (etag[0] == '\0' ||
	    strpbrk(etag, "<&>") != NULL))
		wrong(r, "named no checksum of the part");
	if (r->result.outcome != NET_OK) {
		clean_up(t, r);
		return;
	}
	text = xasprintf("<CompleteMultipartUpload><Part><PartNumber>1"
	    "</PartNumber><ETag>\"%s\"</ETag></Part>"
	    "</CompleteMultipartUpload>", etag);
	r = new_request(t, REQUEST_POST, "POST", s->parts_key);
	s3_request_query(r, "uploadId", s->upload_id);
	s3_request_header(r, "content-type", "application/xml");
	s3_request_body(r, text, strlen(text));
	free(text);
	s3_request_start(r, NULL, on_complete, t);
}

static void
on_create(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct test	*s = t->state;

	if (r->result.outcome == NET_OK && s3_xml_upload_id(r->x->text,
	    r->x->text_bytes, s->upload_id) == -1)
		wrong(r, "named no upload");
	if (r->result.outcome != NET_OK) {
		on_step(r, t);
		return;
	}
	r = new_request(t, REQUEST_PUT, "PUT", s->parts_key);
	s3_request_query(r, "partNumber", "1");
	s3_request_query(r, "uploadId", s->upload_id);
	s3_request_body(r, s->bytes, BYTES);
	s3_request_start(r, NULL, on_part, t);
}

static void
start_multipart(struct task *t)
{
	struct test		*s = t->state;
	struct s3_request	*r;

	r = new_request(t, REQUEST_POST, "POST", s->parts_key);
	s3_request_query(r, "uploads", "");
	s3_put_encryption(r);
	s3_request_body(r, "", 0);
	s3_request_start(r, NULL, on_create, t);
}

/* ---- delete ---- */

static void
on_delete(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct test	*s = t->state;

	if (s3_judge_gone(r))
		result_set(&r->result, NET_OK, "%s", "");
	if (r->result.outcome != NET_OK || ++s->deleted == 2) {
		on_step(r, t);
		return;
	}
	r = new_request(t, REQUEST_DELETE, "DELETE", s->parts_key);
	r->deletes = 1;
	s3_request_start(r, NULL, on_delete, t);
}

static void
start_delete(struct task *t)
{
	struct test		*s = t->state;
	struct s3_request	*r;

	r = new_request(t, REQUEST_DELETE, "DELETE", s->key);
	r->deletes = 1;
	s3_request_start(r, NULL, on_delete, t);
}

/* ---- one after the other ---- */

static const struct step {
	const char	*name;
	void		(*start)(struct task *);
	void		(*check)(struct task *, struct s3_request *);
	int		 needs_object;
	int		 spare;		/* many servers lack it, and do */
	const char	*good;
} steps[] = {
	{ "put", start_put, check_put, 0, 0, "objects can be written" },
	{ "get", start_get, check_get, 1, 0, "objects can be read" },
	{ "range", start_range, check_range, 1, 0,
	    "a download that breaks can go on" },
	{ "head", start_head, check_head, 1, 0,
	    "what is stored can be confirmed by size and checksum" },
	{ "conditional", start_conditional, NULL, 1, 1,
	    "two hosts with one prefix cannot write over each other" },
	{ "list", start_list, check_list, 0, 0,
	    "a lost catalog can be rebuilt from the bucket" },
	{ "multipart", start_multipart, NULL, 0, 0,
	    "large backups can be sent in parts" },
	{ "delete", start_delete, NULL, 0, 0,
	    "backups that have expired can be deleted" }
};

/* A region that is only right because the server told is worth a row. */
static void
finish(struct task *t)
{
	struct test		*s = t->state;
	const struct s3		*s3 = t->remote->s3;
	struct result		 r;

	memset(&r, 0, sizeof(r));
	if (strcmp(s3->region, s3->conf.region) != 0) {
		result_set(&r, NET_REFUSED, "the bucket is in region %s, not "
		    "%s; correct the configuration", s3->region,
		    s3->conf.region);
		task_test_row(t, "region", &r, "");
		if (s->worst.outcome == NET_OK)
			s->worst = r;
	}
	memset(&r, 0, sizeof(r));
	if (s3->clock_s != 0) {
		result_set(&r, NET_AWAY, "the clocks of this machine and of "
		    "the server are %lld seconds apart; correct the one that "
		    "is wrong", (long long)llabs(s3->clock_s));
		task_test_row(t, "clock", &r, "");
		if (s->worst.outcome == NET_OK)
			s->worst = r;
	}
	r = s->worst;
	task_finish(t, &r, NULL, 0);
}

static void
on_step(struct s3_request *r, void *arg)
{
	struct task		*t = arg;
	struct test		*s = t->state;
	const struct step	*step = &steps[s->step];

	if (r->result.outcome == NET_OK && step->check != NULL)
		step->check(t, r);
	if (r->result.outcome != NET_OK && s->worst.outcome == NET_OK &&
	    !step->spare)
		s->worst = r->result;
	task_test_row(t, step->name, &r->result, step->good);
	s->step++;
	next_step(t);
}

static void
next_step(struct task *t)
{
	struct test		*s = t->state;
	const struct step	*step;
	struct result		 r;

	for (; s->step < nitems(steps); s->step++) {
		step = &steps[s->step];
		memset(&r, 0, sizeof(r));
		if (step->needs_object && !s->stored) {
			result_set(&r, NET_REFUSED, "not tried, because "
			    "nothing could be written");
			task_test_row(t, step->name, &r, "");
		} else if (step->start == start_delete &&
		    (t->remote->s3->conf.flags & S3_NO_DELETE)) {
			task_test_row(t, step->name, &r, "not tried: the "
			    "configuration says that this host may not "
			    "delete; the test's own objects stay");
		} else {
			step->start(t);
			return;
		}
	}
	finish(t);
}

void
s3_test(struct task *t)
{
	struct test	*s;
	uint8_t		 name[8];
	char		 hex[2 * sizeof(name) + 1];

	if (t->remote->s3->host[0] == '\0') {
		task_finish_with(t, NET_REFUSED, "the endpoint of this remote "
		    "cannot be used; correct it in the configuration");
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->base.stop = test_stop;
	t->state = s;
	arc4random_buf(name, sizeof(name));
	util_hex(hex, name, sizeof(name));
	(void)snprintf(s->key, sizeof(s->key), "cloudbackupd-test-%s", hex);
	(void)snprintf(s->parts_key, sizeof(s->parts_key),
	    "cloudbackupd-test-%s-parts", hex);
	arc4random_buf(s->bytes, sizeof(s->bytes));
	sign_hash(s->hash, s->bytes, sizeof(s->bytes));
	next_step(t);
}
