/*
 * The network process runs this: an object in parts, several at once.
 * What an earlier try has left is compared part by part with the MD5 of
 * our own bytes, and only what differs is sent.  What fails for good is
 * taken back; what may work later stays, and the engine knows its id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3.h"

#define TRIES		3
#define LIST_BYTES_MAX	(4 * 1024 * 1024)
#define PAGES_MAX	64

struct part {
	char		 etag[S3_ETAG_BYTES];	/* at the server, or "" */
	int64_t		 size;		/* there; bytes */
	int		 done;
};

struct slot {
	struct s3_parts	*all;
	uint32_t	 number;	/* from 1; 0: free */
	int		 tries;
	struct s3_hash	*hash;
	struct s3_request *r;
};

struct s3_parts {
	struct task	*task;
	s3_parts_cb	*done;
	char		 upload_id[UPLOAD_ID_BYTES];
	uint64_t	 part_size, done_bytes;
	uint32_t	 count, next;
	struct part	*parts;
	struct slot	 slots[S3_PARALLEL_MAX];
	struct s3_request *r;		/* of the whole: list, create ... */
	struct result	 end;		/* why it is given up */
	char		(*sweep)[UPLOAD_ID_BYTES];	/* to be aborted */
	size_t		 nsweep;
	int		 pages;
	int		 ending;	/* refused for good */
};

static void	fill_slots(struct s3_parts *);

static void
slot_free(struct slot *s)
{
	s3_request_free(s->r);
	s3_hash_free(s->hash);
	s->r = NULL;
	s->hash = NULL;
	s->number = 0;
}

static void
stop_slots(struct s3_parts *p)
{
	size_t	i;

	for (i = 0; i < nitems(p->slots); i++)
		slot_free(&p->slots[i]);
}

void
s3_parts_free(struct s3_parts *p)
{
	if (p == NULL)
		return;
	stop_slots(p);
	s3_request_free(p->r);
	free(p->sweep);
	free(p->parts);
	free(p);
}

static struct s3_request *
new_request(struct s3_parts *p, enum net_request kind, const char *method,
    const char *key)
{
	s3_request_free(p->r);
	p->r = s3_request_new(p->task->remote, kind, method, key);
	p->r->tries = TRIES;
	return (p->r);
}

static uint64_t
size_of(const struct s3_parts *p, uint32_t number)
{
	uint64_t	from = (number - 1) * p->part_size;
	uint64_t	left = p->task->u.upload->size - from;

	return (left < p->part_size ? left : p->part_size);
}

/* ---- the end ---- */

static void
on_aborted(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;

	if (r->result.outcome == NET_OK || s3_judge_gone(r))
		p->task->confirmed |= UPLOAD_GONE;
	else
		log_warnx("%s keeps parts of %s: %s", p->task->remote->host,
		    p->task->u.upload->key, r->result.reason);
	p->done(p->task, &p->end);
}

/* Ends it with p->end, when what is there has been taken back. */
static void
take_back(struct s3_parts *p)
{
	struct s3_request	*r;

	r = new_request(p, REQUEST_DELETE, "DELETE", p->task->u.upload->key);
	s3_request_query(r, "uploadId", p->upload_id);
	s3_request_start(r, NULL, on_aborted, p);
}

/* Parts that are on their way would arrive after all was taken back. */
static void
drain(struct s3_parts *p)
{
	size_t	i;
	int	busy = 0;

	for (i = 0; i < nitems(p->slots); i++) {
		if (p->slots[i].r == NULL)
			slot_free(&p->slots[i]);
		busy |= p->slots[i].number != 0;
	}
	if (!busy)
		take_back(p);
}

/* No slot is the cause any more: that is freed, and its result copied. */
static void
give_up(struct s3_parts *p, const struct result *result, const char *code)
{
	p->end = *result;
	if (strcmp(code, "NoSuchUpload") == 0) {
		p->task->confirmed |= UPLOAD_GONE;
		if (p->end.outcome == NET_REFUSED)
			p->end.outcome = NET_AWAY;
	} else if (p->end.outcome == NET_REFUSED && p->upload_id[0] != '\0') {
		p->ending = 1;
		drain(p);
		return;
	}
	stop_slots(p);
	p->done(p->task, &p->end);
}

/* ---- the last request ---- */

static char *
completion(const struct s3_parts *p, size_t *bytes)
{
	size_t		 size = 128 + (size_t)p->count * (S3_ETAG_BYTES + 96);
	size_t		 used = 0;
	uint32_t	 i;
	char		*text;

	text = xmalloc(size);
	used += (size_t)snprintf(text, size, "<CompleteMultipartUpload>");
	for (i = 0; i < p->count; i++)
		used += (size_t)snprintf(text + used, size - used, "<Part>"
		    "<PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>",
		    i + 1, p->parts[i].etag);
	used += (size_t)snprintf(text + used, size - used,
	    "</CompleteMultipartUpload>");
	*bytes = used;
	return (text);
}

static int
conditional(const struct s3_parts *p)
{
	const struct s3	*s = p->task->remote->s3;

	return ((s->conf.flags & S3_CONDITIONAL) && !s->unconditional);
}

static void	complete(struct s3_parts *);

static void
on_completed(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;
	uint32_t	 status = r->result.http_status;

	if (r->result.outcome == NET_OK &&
	    !s3_xml_completed(r->x->text, r->x->text_bytes))
		result_set(&r->result, NET_GARBAGE, "%s answered %u, but not "
		    "that the upload is complete", p->task->remote->host,
		    status);
	if (r->result.outcome == NET_OK) {
		p->task->confirmed |= UPLOAD_GONE;
		p->end = r->result;
		p->done(p->task, &p->end);
	} else if (strcmp(r->error.code, "NoSuchUpload") == 0) {
		/* Completed already, and that answer was lost? */
		p->task->confirmed |= UPLOAD_GONE;
		p->end = r->result;
		p->end.http_status = 412;
		p->done(p->task, &p->end);
	} else if ((status == 501 || status == 400) && conditional(p)) {
		p->task->remote->s3->unconditional = 1;
		complete(p);
	} else if (strncmp(r->error.code, "InvalidPart", 11) == 0) {
		/* It lost some: everything again, the next time. */
		p->end = r->result;
		p->end.outcome = NET_AWAY;
		take_back(p);
	} else
		give_up(p, &r->result, r->error.code);
}

static void
complete(struct s3_parts *p)
{
	struct s3_request	*r;
	size_t			 n;
	char			*text;

	r = new_request(p, REQUEST_POST, "POST", p->task->u.upload->key);
	s3_request_query(r, "uploadId", p->upload_id);
	s3_request_header(r, "content-type", "application/xml");
	if (conditional(p))
		s3_request_header(r, "if-none-match", "*");
	text = completion(p, &n);
	s3_request_body(r, text, n);
	free(text);
	s3_request_start(r, NULL, on_completed, p);
}

/* ---- parts ---- */

static void
on_progress(struct s3_request *r, void *arg)
{
	const struct slot	*s = arg;
	const struct s3_parts	*p = s->all;
	uint64_t		 bytes = p->done_bytes;
	size_t			 i;

	(void)r;
	for (i = 0; i < nitems(p->slots); i++) {
		if (p->slots[i].r != NULL && p->slots[i].r->x != NULL)
			bytes += p->slots[i].r->x->offset;
	}
	task_progress(p->task, bytes);
}

static void
part_done(struct slot *s, const char *etag)
{
	struct s3_parts	*p = s->all;
	struct part	*part = &p->parts[s->number - 1];

	(void)strlcpy(part->etag, etag, sizeof(part->etag));
	part->done = 1;
	p->done_bytes += size_of(p, s->number);
	slot_free(s);
	task_progress(p->task, p->done_bytes);
	fill_slots(p);
}

/* It is given back in XML. */
static int
etag_ok(const char *etag)
{
	return (etag[0] != '\0' && etag[strspn(etag, "abcdefghijklmnopqrstuvw"
	    "xyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=.:")] == '\0');
}

/* By what one of the slots met, which is freed. */
static void
slot_failed(struct slot *s, const struct result *r, const char *code)
{
	struct s3_parts	*p = s->all;
	struct result	 end = *r;
	char		 word[sizeof(s->r->error.code)];

	(void)strlcpy(word, code, sizeof(word));
	slot_free(s);
	give_up(p, &end, word);
}

static void	send_part(struct slot *);

static void
on_part(struct s3_request *r, void *arg)
{
	struct slot	*s = arg;
	struct s3_parts	*p = s->all;
	char		 etag[S3_ETAG_BYTES], md5[2 * MD5_BYTES + 1];
	int		 kms;

	if (p->ending) {
		slot_free(s);
		drain(p);
		return;
	}
	if (r->result.outcome != NET_OK) {
		slot_failed(s, &r->result, r->error.code);
		return;
	}
	s3_request_etag(r, etag);
	util_hex(md5, s->hash->md5, MD5_BYTES);
	kms = strncmp(s3_request_answer(r, "x-amz-server-side-encryption"),
	    "aws:kms", 7) == 0;
	if (etag_ok(etag) && (kms || strlen(etag) != 2 * MD5_BYTES ||
	    strcasecmp(etag, md5) == 0))
		part_done(s, etag);
	else if (++s->tries < TRIES)
		send_part(s);
	else {
		result_set(&r->result, NET_GARBAGE, "%s answers with the "
		    "checksum of other bytes than were sent",
		    p->task->remote->host);
		slot_failed(s, &r->result, "");
	}
}

static void
send_part(struct slot *s)
{
	struct s3_parts	*p = s->all;
	char		 text[25], number[12];
	uint64_t	 limit = p->task->remote->conf.upload_limit;

	s3_request_free(s->r);
	s->r = s3_request_new(p->task->remote, REQUEST_PUT, "PUT",
	    p->task->u.upload->key);
	(void)snprintf(number, sizeof(number), "%u", s->number);
	s3_request_query(s->r, "partNumber", number);
	s3_request_query(s->r, "uploadId", p->upload_id);
	sign_base64(text, s->hash->md5);
	s3_request_header(s->r, "content-md5", text);
	s3_request_file(s->r, p->task->fd, (s->number - 1) * p->part_size,
	    size_of(p, s->number), s->hash->sha256);
	s->r->tries = TRIES;
	s->r->limit = limit / p->task->remote->s3->conf.parallel;
	if (limit != 0 && s->r->limit == 0)
		s->r->limit = 1;
	s3_request_start(s->r, on_progress, on_part, s);
}

static void
on_hashed(struct s3_hash *h, void *arg)
{
	struct slot		*s = arg;
	struct s3_parts		*p = s->all;
	const struct part	*part = &p->parts[s->number - 1];
	struct result		 r;
	char			 md5[2 * MD5_BYTES + 1], etag[S3_ETAG_BYTES];

	if (h->error != 0) {
		memset(&r, 0, sizeof(r));
		result_set(&r, NET_LOCAL, "cannot read the backup's file: %s",
		    h->error == -1 ? "it is shorter than recorded" :
		    strerror(h->error));
		slot_failed(s, &r, "");
		return;
	}
	util_hex(md5, h->md5, MD5_BYTES);
	if (part->size == (int64_t)size_of(p, s->number) &&
	    strcasecmp(part->etag, md5) == 0) {
		(void)strlcpy(etag, part->etag, sizeof(etag));
		part_done(s, etag);	/* there since an earlier try */
	} else
		send_part(s);
}

static void
fill_slots(struct s3_parts *p)
{
	uint32_t	i, busy = 0;
	struct slot	*s;

	for (i = 0; i < p->task->remote->s3->conf.parallel; i++) {
		s = &p->slots[i];
		if (s->number == 0 && p->next <= p->count) {
			s->all = p;
			s->number = p->next++;
			s->tries = 0;
			s->hash = s3_hash_start(p->task->fd,
			    (s->number - 1) * p->part_size,
			    size_of(p, s->number), on_hashed, s);
		}
		busy += s->number != 0;
	}
	if (busy == 0)
		complete(p);
}

/* ---- the beginning ---- */

static void
on_created(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;

	if (r->result.outcome == NET_OK && s3_xml_upload_id(r->x->text,
	    r->x->text_bytes, p->upload_id) == -1)
		result_set(&r->result, NET_GARBAGE, "%s answered %u, but "
		    "named no upload", p->task->remote->host,
		    r->result.http_status);
	if (r->result.outcome != NET_OK) {
		give_up(p, &r->result, "");
		return;
	}
	task_multipart(p->task, p->upload_id, p->part_size);
	fill_slots(p);
}

static void
create(struct s3_parts *p)
{
	struct s3_request	*r;

	p->upload_id[0] = '\0';
	memset(p->parts, 0, p->count * sizeof(*p->parts));
	r = new_request(p, REQUEST_POST, "POST", p->task->u.upload->key);
	/* Twice would leave an upload that nobody knows. */
	r->tries = 1;
	s3_request_query(r, "uploads", "");
	s3_put_headers(r, p->task->u.upload, 0);
	s3_request_body(r, "", 0);
	s3_request_start(r, NULL, on_created, p);
}

/* Uploads of this key whose id never reached the engine. */
static void
on_swept(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;

	if (r != NULL && r->result.outcome != NET_OK &&
	    r->result.http_status != 404) {
		give_up(p, &r->result, "");
		return;
	}
	if (p->nsweep == 0) {
		create(p);
		return;
	}
	p->nsweep--;
	r = new_request(p, REQUEST_DELETE, "DELETE", p->task->u.upload->key);
	s3_request_query(r, "uploadId", p->sweep[p->nsweep]);
	s3_request_start(r, NULL, on_swept, p);
}

static void
on_uploads(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;
	struct s3_page	 page;
	struct s3_row	 row;
	char		*key;

	/* Servers without that list, or that do not show it to us. */
	if (r->result.outcome == NET_REFUSED || (r->result.outcome == NET_OK &&
	    s3_xml_page(S3_UPLOADS, r->x->text, r->x->text_bytes, &page) ==
	    -1)) {
		create(p);
		return;
	}
	if (r->result.outcome != NET_OK) {
		give_up(p, &r->result, "");
		return;
	}
	key = s3_full_key(p->task->remote, p->task->u.upload->key);
	while (s3_xml_next(&page, &row)) {
		if (strcmp(row.key, key) != 0 || row.upload_id[0] == '\0')
			continue;
		p->sweep = xreallocarray(p->sweep, p->nsweep + 1,
		    sizeof(*p->sweep));
		memcpy(p->sweep[p->nsweep++], row.upload_id,
		    sizeof(row.upload_id));
	}
	free(key);
	on_swept(NULL, p);
}

static void
find_uploads(struct s3_parts *p)
{
	struct s3_request	*r;
	char			*key;

	key = s3_full_key(p->task->remote, p->task->u.upload->key);
	r = new_request(p, REQUEST_LIST, "GET", NULL);
	s3_request_query(r, "uploads", "");
	s3_request_query(r, "prefix", key);
	r->text_max = LIST_BYTES_MAX;
	free(key);
	s3_request_start(r, NULL, on_uploads, p);
}

static void	list_parts(struct s3_parts *, const char *marker);

static void
on_listed(struct s3_request *r, void *arg)
{
	struct s3_parts	*p = arg;
	struct s3_page	 page;
	struct s3_row	 row;

	if (strcmp(r->error.code, "NoSuchUpload") == 0) {
		p->task->confirmed |= UPLOAD_GONE;
		find_uploads(p);
		return;
	}
	if (r->result.outcome == NET_OK && (s3_xml_page(S3_PARTS, r->x->text,
	    r->x->text_bytes, &page) == -1 || ++p->pages > PAGES_MAX))
		result_set(&r->result, NET_GARBAGE, "%s answered %u, but not "
		    "with a list of parts", p->task->remote->host,
		    r->result.http_status);
	if (r->result.outcome != NET_OK) {
		give_up(p, &r->result, r->error.code);
		return;
	}
	while (s3_xml_next(&page, &row)) {
		if (row.number == 0 || row.number > p->count ||
		    !etag_ok(row.etag))
			continue;
		(void)strlcpy(p->parts[row.number - 1].etag, row.etag,
		    S3_ETAG_BYTES);
		p->parts[row.number - 1].size = row.size;
	}
	if (page.truncated)
		list_parts(p, page.next);
	else
		fill_slots(p);
}

static void
list_parts(struct s3_parts *p, const char *marker)
{
	struct s3_request	*r;
	char			 copy[S3_TOKEN_BYTES];

	(void)strlcpy(copy, marker, sizeof(copy));
	r = new_request(p, REQUEST_LIST, "GET", p->task->u.upload->key);
	s3_request_query(r, "uploadId", p->upload_id);
	if (copy[0] != '\0')
		s3_request_query(r, "part-number-marker", copy);
	r->text_max = LIST_BYTES_MAX;
	s3_request_start(r, NULL, on_listed, p);
}

struct s3_parts *
s3_parts_start(struct task *t, uint64_t part_size, s3_parts_cb *done)
{
	const struct m_net_upload	*u = t->u.upload;
	struct s3_parts			*p;

	p = xcalloc(1, sizeof(*p));
	p->task = t;
	p->done = done;
	p->part_size = part_size;
	p->count = (uint32_t)((u->size + part_size - 1) / part_size);
	p->next = 1;
	p->parts = xcalloc(p->count, sizeof(*p->parts));
	if (u->upload_id[0] != '\0' && u->part_size == part_size) {
		(void)strlcpy(p->upload_id, u->upload_id,
		    sizeof(p->upload_id));
		list_parts(p, "");
	} else if (u->flags & UPLOAD_LOOK_FIRST)
		find_uploads(p);
	else
		create(p);
	return (p);
}
