/*
 * Workers run this: an image in the form in which it is kept, compressed,
 * encrypted, or both.  The process has no file system and an unprivileged
 * uid: the image may be of anybody's making, and zstd reads all of it.  It
 * owns neither file.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "common/drop.h"
#include "common/filesystem.h"
#include "common/thread.h"
#include "daemon/worker/age.h"
#include "daemon/worker/behind.h"
#include "daemon/worker/hasher.h"
#include "daemon/worker/verify.h"
#include "daemon/worker/worker.h"

struct pack {
	const struct m_w_pack	*order;
	struct m_w_packed	*result;
	uint8_t			 recipients[PACK_RECIPIENTS][AGE_KEY_BYTES];
	struct stream_file	 file;
	struct stream		*age, *zstd;	/* or NULL */
	struct hasher		*plain, *stored;	/* or NULL */
	struct behind		*behind;
};

static int
recipients_read(struct pack *p, struct m_error *e)
{
	const struct m_w_pack	*o = p->order;
	uint32_t		 i;

	if (!(o->form & FORM_AGE))
		return (0);
	if (o->nrecipients < 1 || o->nrecipients > PACK_RECIPIENTS)
		return (fail(e, E_WORKER_FAILED, "no recipients"));
	for (i = 0; i < o->nrecipients; i++) {
		if (!msg_text_ok(o->recipients[i]) ||
		    age_recipient(o->recipients[i], p->recipients[i]) == -1)
			return (fail(e, E_WORKER_FAILED, "recipient %u is "
			    "none of age's", i + 1));
	}
	if (age_crypto_init() == -1)
		return (fail(e, E_WORKER_FAILED, "cannot encrypt: the "
		    "library lacks an algorithm"));
	return (0);
}

/* The disk and the hash follow what is written. */
static void
on_wrote(void *arg, const uint8_t *bytes, size_t n)
{
	struct pack	*p = arg;

	(void)bytes;
	(void)n;
	behind_advance(p->behind, p->file.size);
	if (p->stored != NULL)
		hasher_advance(p->stored, p->file.size);
}

/* Only what nobody else hashes is hashed here. */
static int
threads_start(struct pack *p, int source, uint64_t size, struct m_error *e)
{
	uint32_t	flags = p->order->flags;

	if ((p->behind = behind_start(p->file.fd)) == NULL ||
	    ((flags & PACK_HASH_IMAGE) &&
	    (p->plain = hasher_start(source)) == NULL) ||
	    ((flags & PACK_HASH_STORED) &&
	    (p->stored = hasher_start(p->file.fd)) == NULL))
		return (fail(e, E_WORKER_FAILED, "cannot start a thread"));
	if (p->plain != NULL)
		hasher_advance(p->plain, size);
	return (0);
}

/* The threads, then the stages, from the last to the first. */
static struct stream *
stages(struct pack *p, int source, uint64_t size, struct m_error *e)
{
	const struct m_w_pack	*o = p->order;
	struct stream		*s = &p->file.stream;

	if (threads_start(p, source, size, e) == -1)
		return (NULL);
	if (o->form & FORM_AGE)
		s = p->age = age_pack((const uint8_t (*)[AGE_KEY_BYTES])
		    p->recipients, o->nrecipients, s, e);
	if (s != NULL && (o->form & FORM_ZSTD))
		s = p->zstd = zstd_pack((int)o->level, (int)o->threads, size,
		    s, e);
	return (s);
}

static int
hash_end(struct hasher **hasher, uint64_t size, char *checksum,
    struct m_error *e)
{
	struct hasher	*h = *hasher;

	*hasher = NULL;
	if (h != NULL && hasher_finish(h, size, checksum) == -1)
		return (fail(e, E_IO_ERROR, "cannot read the backup: %s",
		    strerror(errno)));
	return (0);
}

static int
pack(struct pack *p, int source, uint64_t size, struct m_error *e)
{
	struct stream	*s;

	if ((s = stages(p, source, size, e)) == NULL)
		return (-1);
	drop_limits(DROP_FORK);		/* those were the last */
	if (stream_pump(source, size, "pack", PHASE_COMPRESS, s, e) == -1 ||
	    hash_end(&p->plain, size, p->result->checksum, e) == -1 ||
	    hash_end(&p->stored, p->file.size, p->result->stored_checksum,
	    e) == -1)
		return (-1);
	if (p->order->flags & PACK_FORGET)
		filesystem_forget(p->file.fd, 0, 0);
	p->result->size = size;
	p->result->stored_size = p->file.size;
	return (0);
}

int
pack_run(const struct m_w_pack *o, struct m_w_packed *r, struct m_error *e)
{
	struct pack	p;
	struct stat	st;
	int		source = worker_file(W_FILE_SOURCE);
	int		target = worker_file(W_FILE_TARGET), rv, error;

	thread_give_way();		/* and those that it starts */
	if (source == -1 || target == -1 || fstat(source, &st) == -1)
		return (fail(e, E_WORKER_FAILED, "a descriptor is missing"));
	memset(&p, 0, sizeof(p));
	p.order = o;
	p.result = r;
	if (recipients_read(&p, e) == -1 ||
	    verify_confine(o->uid, o->gid, e) == -1)
		return (-1);
	stream_file_init(&p.file, target);
	p.file.size_max = o->size_max;
	p.file.code = E_INSUFFICIENT_SPACE;
	p.file.what = "the backup directory has too little space for the "
	    "compressed or encrypted backup: the reserve would be used up";
	p.file.wrote = on_wrote;
	p.file.arg = &p;
	rv = pack(&p, source, (uint64_t)st.st_size, e);
	if (p.behind != NULL && (error = behind_end(p.behind)) != 0 &&
	    rv == 0)
		rv = fail(e, error == ENOSPC || error == EDQUOT ?
		    E_INSUFFICIENT_SPACE : E_IO_ERROR, "cannot write to the "
		    "backup directory: %s", strerror(error));
	hasher_abandon(p.plain);
	hasher_abandon(p.stored);
	zstd_free(p.zstd);
	age_free(p.age);
	return (rv);
}
