/*
 * The network process runs this: how a backup gets to an S3 server.  The
 * object first, whole or in parts (s3_parts.c); then what the server says
 * of it; the manifest last, without which it is no backup.  An object that
 * is there already is never written over: it is ours, from a try whose
 * answer was lost, or another host's.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3.h"
#include "proto/form.h"

#define PARTS_MAX	10000
#define PART_BYTES	(8 * 1024 * 1024)
#define MIB		(1024 * 1024)
#define TRIES		3
#define DAY_MS		86400000LL

enum after { AFTER_FIRST, AFTER_EXISTS, AFTER_SENT };

struct put {
	struct s3_state		 base;
	struct s3_request	*r;
	struct s3_hash		*hash;	/* of the whole, when not in parts */
	struct s3_parts		*parts;
	uint64_t		 part_size;
	enum after		 looks;	/* why HEAD is asked */
	int			 bare;	/* without If-None-Match */
	int			 etag_tries;
};

static void	put_object(struct task *);

static void
put_stop(struct task *t)
{
	struct put	*p = t->state;

	s3_request_free(p->r);
	s3_hash_free(p->hash);
	s3_parts_free(p->parts);
	free(p);
}

static struct s3_request *
new_request(struct task *t, enum net_request kind, const char *method,
    const char *key)
{
	struct put	*p = t->state;

	s3_request_free(p->r);
	p->r = s3_request_new(t->remote, kind, method, key);
	p->r->tries = TRIES;
	return (p->r);
}

static void
finish(struct task *t, const struct result *r)
{
	task_finish(t, r, r->outcome == NET_OK ? t->u.upload->key : NULL,
	    t->u.upload->size);
}

/* ---- headers ---- */

void
s3_put_encryption(struct s3_request *r)
{
	const struct m_net_s3	*c = &r->remote->s3->conf;

	if (c->sse[0] == '\0')
		return;
	s3_request_header(r, "x-amz-server-side-encryption", c->sse);
	if (c->sse_key[0] != '\0')
		s3_request_header(r,
		    "x-amz-server-side-encryption-aws-kms-key-id", c->sse_key);
}

void
s3_put_headers(struct s3_request *r, const struct m_net_upload *u,
    int manifest)
{
	const struct m_net_s3	*c = &r->remote->s3->conf;
	char			 until[TIME_TEXT_BYTES];

	s3_put_encryption(r);
	if (c->lock_mode[0] != '\0') {
		util_time_text(until, util_now_ms() +
		    (int64_t)c->retain_days * DAY_MS);
		s3_request_header(r, "x-amz-object-lock-mode", c->lock_mode);
		s3_request_header(r, "x-amz-object-lock-retain-until-date",
		    until);
	}
	if (manifest) {
		s3_request_header(r, "content-type", "application/json");
		return;
	}
	s3_request_header(r, "content-type",
	    form_media_type(form_parse(u->form)));
	s3_request_header(r, "x-amz-meta-sha256", u->sha256);
	/* A manifest is read at once when the catalog is lost: it stays
	 * where nothing has to be thawed. */
	if (c->storage_class[0] != '\0')
		s3_request_header(r, "x-amz-storage-class", c->storage_class);
}

static void
content_md5(struct s3_request *r, const uint8_t md5[MD5_BYTES])
{
	char	text[25];

	sign_base64(text, md5);
	s3_request_header(r, "content-md5", text);
}

/* ---- the manifest, last ---- */

static void
on_manifest(struct s3_request *r, void *arg)
{
	finish(arg, &r->result);
}

static void
put_manifest(struct task *t)
{
	struct s3_request	*r;
	struct result		 done;
	uint8_t			 md5[MD5_BYTES];
	char			*key;

	if (t->manifest == NULL) {
		memset(&done, 0, sizeof(done));
		done.http_status = 200;
		finish(t, &done);
		return;
	}
	key = xasprintf("%s.json", t->u.upload->key);
	r = new_request(t, REQUEST_PUT, "PUT", key);
	free(key);
	s3_put_headers(r, t->u.upload, 1);
	sign_md5(md5, t->manifest->text, t->manifest->size);
	content_md5(r, md5);
	s3_request_body(r, t->manifest->text, t->manifest->size);
	s3_request_start(r, NULL, on_manifest, t);
}

/* ---- what is there ---- */

enum found { FOUND_SAME, FOUND_DAMAGED, FOUND_OTHER };

/* 1 unless the answer shows that the bytes are not those of the file. */
static int
etag_fits(struct s3_request *r, const struct s3_hash *h)
{
	char	etag[S3_ETAG_BYTES], md5[2 * MD5_BYTES + 1];

	s3_request_etag(r, etag);
	/* In parts, or encrypted by a key of the customer's: no MD5. */
	if (h == NULL || strlen(etag) != 2 * MD5_BYTES ||
	    strncmp(s3_request_answer(r, "x-amz-server-side-encryption"),
	    "aws:kms", 7) == 0)
		return (1);
	util_hex(md5, h->md5, MD5_BYTES);
	return (strcasecmp(etag, md5) == 0);
}

static enum found
compare(struct task *t, struct s3_request *r)
{
	const struct m_net_upload	*u = t->u.upload;
	const struct put		*p = t->state;
	const char			*size, *hash;
	char				 want[32];

	(void)snprintf(want, sizeof(want), "%llu",
	    (unsigned long long)u->size);
	size = s3_request_answer(r, "content-length");
	hash = s3_request_answer(r, "x-amz-meta-sha256");
	t->confirmed &= UPLOAD_GONE;
	if (strcmp(size, want) == 0)
		t->confirmed |= CONFIRMED_SIZE;
	if (strcmp(hash, u->sha256) == 0)
		t->confirmed |= CONFIRMED_HASH;
	if ((t->confirmed & (CONFIRMED_SIZE | CONFIRMED_HASH)) !=
	    (CONFIRMED_SIZE | CONFIRMED_HASH))
		return (FOUND_OTHER);
	return (etag_fits(r, p->hash) ? FOUND_SAME : FOUND_DAMAGED);
}

static void
finish_other(struct task *t, struct s3_request *r)
{
	t->confirmed &= UPLOAD_GONE;
	result_set(&r->result, NET_REFUSED, "%s has another object by the "
	    "name %s: another host writes to this prefix; give each host a "
	    "prefix of its own", t->remote->host, t->u.upload->key);
	finish(t, &r->result);
}

static void
found_before(struct task *t, struct s3_request *r)
{
	struct put	*p = t->state;

	switch (compare(t, r)) {
	case FOUND_SAME:
		put_manifest(t);
		break;
	case FOUND_DAMAGED:
		/* Ours by its metadata, and spoilt on its way. */
		p->bare = 1;
		put_object(t);
		break;
	case FOUND_OTHER:
		finish_other(t, r);
	}
}

static void
found_after(struct task *t, struct s3_request *r)
{
	const char	*hash = s3_request_answer(r, "x-amz-meta-sha256");

	(void)compare(t, r);
	/* Both have looked, and then both have put. */
	if (hash[0] != '\0' && !(t->confirmed & CONFIRMED_HASH))
		finish_other(t, r);
	else if (!(t->confirmed & CONFIRMED_SIZE)) {
		result_set(&r->result, NET_GARBAGE, "%s has the object, but "
		    "with another size than was sent", t->remote->host);
		finish(t, &r->result);
	} else
		put_manifest(t);
}

static void
on_looked(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct put	*p = t->state;
	uint32_t	 status = r->result.http_status;

	if (r->result.outcome == NET_OK) {
		if (p->looks == AFTER_SENT)
			found_after(t, r);
		else
			found_before(t, r);
	} else if (status == 404 && p->looks == AFTER_FIRST)
		put_object(t);
	else if (status == 403 && p->looks == AFTER_FIRST)
		/* It may only write; whether it may, PUT tells better. */
		put_object(t);
	else if (status == 403 && p->looks == AFTER_SENT)
		put_manifest(t);
	else {
		if (status == 404)
			result_set(&r->result, NET_AWAY, "%s does not show "
			    "the object that it had confirmed",
			    t->remote->host);
		finish(t, &r->result);
	}
}

static void
look(struct task *t, enum after why)
{
	struct put		*p = t->state;
	struct s3_request	*r;

	p->looks = why;
	r = new_request(t, REQUEST_HEAD, "HEAD", t->u.upload->key);
	s3_request_start(r, NULL, on_looked, t);
}

/* ---- the object ---- */

static void
on_progress(struct s3_request *r, void *arg)
{
	task_progress(arg, r->x->offset);
}

static int
conditional(const struct task *t)
{
	const struct put	*p = t->state;
	const struct s3		*s = t->remote->s3;

	return ((s->conf.flags & S3_CONDITIONAL) && !s->unconditional &&
	    !p->bare);
}

static void
on_put(struct s3_request *r, void *arg)
{
	struct task	*t = arg;
	struct put	*p = t->state;
	uint32_t	 status = r->result.http_status;

	if (r->result.outcome == NET_OK) {
		if (etag_fits(r, p->hash))
			look(t, AFTER_SENT);
		else if (++p->etag_tries < TRIES) {
			p->bare = 1;
			put_object(t);
		} else {
			result_set(&r->result, NET_GARBAGE, "%s answers with "
			    "the checksum of other bytes than were sent",
			    t->remote->host);
			finish(t, &r->result);
		}
	} else if (status == 412)
		look(t, AFTER_EXISTS);
	else if ((status == 501 || status == 400) && conditional(t)) {
		t->remote->s3->unconditional = 1;
		look(t, AFTER_FIRST);
	} else
		finish(t, &r->result);
}

static void
put_whole(struct task *t)
{
	const struct m_net_upload	*u = t->u.upload;
	struct put			*p = t->state;
	struct s3_request		*r;

	r = new_request(t, REQUEST_PUT, "PUT", u->key);
	s3_put_headers(r, u, 0);
	content_md5(r, p->hash->md5);
	if (conditional(t))
		s3_request_header(r, "if-none-match", "*");
	s3_request_file(r, t->fd, 0, u->size, u->sha256);
	r->limit = t->remote->conf.upload_limit;
	s3_request_start(r, on_progress, on_put, t);
}

static void
on_parts(struct task *t, const struct result *r)
{
	if (r->outcome == NET_OK)
		look(t, AFTER_SENT);
	else if (r->http_status == 412)
		look(t, AFTER_EXISTS);
	else
		finish(t, r);
}

static void
put_object(struct task *t)
{
	struct put	*p = t->state;

	if (p->hash != NULL)
		put_whole(t);
	else
		p->parts = s3_parts_start(t, p->part_size, on_parts);
}

/* It goes on, or an earlier try's answer may be lost, or nothing but a
 * look keeps us from writing over another's object. */
static void
begin(struct task *t)
{
	const struct put	*p = t->state;

	if ((t->u.upload->flags & UPLOAD_LOOK_FIRST) || !conditional(t) ||
	    p->hash == NULL)
		look(t, AFTER_FIRST);
	else
		put_object(t);
}

static void
on_hashed(struct s3_hash *h, void *arg)
{
	struct task	*t = arg;

	if (h->error != 0)
		task_finish_with(t, NET_LOCAL, h->error == -1 ?
		    "the backup's file is shorter than recorded" :
		    "cannot read the backup's file");
	else if (strcmp(h->sha256, t->u.upload->sha256) != 0)
		task_finish_with(t, NET_LOCAL, "the backup's file has not the "
		    "checksum that is recorded; it is not sent");
	else
		begin(t);
}

static uint64_t
choose_part_size(const struct task *t)
{
	const struct m_net_upload	*u = t->u.upload;
	uint64_t			 size = t->remote->s3->conf.part_size;

	if (u->upload_id[0] != '\0' && u->part_size >= S3_PART_BYTES_MIN &&
	    (u->size + u->part_size - 1) / u->part_size <= PARTS_MAX)
		return (u->part_size);
	if (size == 0)
		size = PART_BYTES;
	if (u->size / size >= PARTS_MAX)
		size = (u->size / PARTS_MAX / MIB + 1) * MIB;
	return (size);
}

void
s3_put(struct task *t)
{
	const struct m_net_upload	*u = t->u.upload;
	struct stat			 sb;
	struct put			*p;

	if (t->remote->s3->host[0] == '\0' || !s3_key_ok(u->key) ||
	    strlen(u->sha256) != 64 ||
	    u->sha256[strspn(u->sha256, "0123456789abcdef")] != '\0') {
		task_finish_with(t, NET_REFUSED, "this backup has no key or "
		    "checksum by which it can be sent");
		return;
	}
	if (fstat(t->fd, &sb) == -1) {
		task_finish_errno(t, "cannot look at the backup's file");
		return;
	}
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size != u->size) {
		task_finish_with(t, NET_LOCAL, "the backup's file has not the "
		    "size that is recorded");
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->base.stop = put_stop;
	t->state = p;
	p->part_size = choose_part_size(t);
	if (u->size > p->part_size)
		begin(t);
	else
		p->hash = s3_hash_start(t->fd, 0, u->size, on_hashed, t);
}
