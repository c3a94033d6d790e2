/*
 * Workers run this: the image of a backup, whatever form it is kept in.
 * The bytes may come from anybody, so that the process has no file system
 * and an unprivileged uid before it looks at the first; how much comes out
 * is bounded.  It owns the identities for as long as it runs.
 */
#include <sys/stat.h>

#include <openssl/evp.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/drop.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/unpack.h"
#include "daemon/worker/verify.h"
#include "daemon/worker/worker.h"

struct unpacking {
	struct stream_file	 file;
	struct stream		*first;
	EVP_MD_CTX		*plain, *stored;	/* plain: only when
						 * nobody gets the image */
	int			 broken;	/* a hash could not go on */
};

static void
hash_plain(void *arg, const uint8_t *p, size_t n)
{
	struct unpacking	*u = arg;

	if (EVP_DigestUpdate(u->plain, p, n) != 1)
		u->broken = 1;
}

static void
hash_stored(void *arg, const uint8_t *p, size_t n)
{
	struct unpacking	*u = arg;

	if (EVP_DigestUpdate(u->stored, p, n) != 1)
		u->broken = 1;
}

static EVP_MD_CTX *
hash_new(void)
{
	EVP_MD_CTX	*md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		fatalx("no memory for a hash");
	return (md);
}

static int
hash_end(EVP_MD_CTX *md, char checksum[CHECKSUM_BYTES])
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	unsigned int	n = 0;

	if (EVP_DigestFinal_ex(md, digest, &n) != 1)
		return (-1);
	strlcpy(checksum, "sha256:", CHECKSUM_BYTES);
	util_hex(checksum + strlen("sha256:"), digest, n);
	return (0);
}

/* The identities are read, and every algorithm is there, before the
 * process loses its file system. */
static int
prepare(struct unpacking *u, const struct m_w_unpack *o, struct m_error *e)
{
	uint8_t	keys[AGE_IDENTITIES][AGE_KEY_BYTES];
	int	n = 0;

	if (!msg_text_ok(o->identity))
		return (fail(e, E_WORKER_FAILED, "an identity without end"));
	if (o->identity[0] != '\0') {
		if ((n = age_identities(o->identity, keys)) == -1) {
			explicit_bzero(keys, sizeof(keys));
			return (fail(e, E_IDENTITY_WRONG, "what was given is "
			    "not an age identity (AGE-SECRET-KEY-1...)"));
		}
		if (age_crypto_init() == -1) {
			explicit_bzero(keys, sizeof(keys));
			return (fail(e, E_WORKER_FAILED, "cannot decrypt: the "
			    "library lacks an algorithm"));
		}
	}
	u->first = unpack_new(o->form, (const uint8_t (*)[AGE_KEY_BYTES])
	    keys, (size_t)n, &u->file.stream);
	explicit_bzero(keys, sizeof(keys));
	u->stored = hash_new();
	if (u->file.fd == -1) {
		u->plain = hash_new();
		u->file.wrote = hash_plain;
		u->file.arg = u;
	}
	return (0);
}

static int
unpack(struct unpacking *u, const struct m_w_unpack *o, int source,
    struct m_w_unpacked *r, struct m_error *e)
{
	struct stat	st;

	if (fstat(source, &st) == -1)
		return (fail(e, E_IO_ERROR, "cannot read the backup: %s",
		    strerror(errno)));
	drop_limits(DROP_FORK);
	if (stream_pump(source, (uint64_t)st.st_size, "unpack",
	    PHASE_UNPACK, u->first, hash_stored, u, e) == -1)
		return (-1);
	if ((o->flags & UNPACK_SIZE) && u->file.size != o->size_max)
		return (fail(e, E_INVALID_BACKUP, "the backup unpacks to %"
		    PRIu64 " bytes, but %" PRIu64 " were stored",
		    u->file.size, o->size_max));
	r->size = u->file.size;
	if (u->broken || hash_end(u->stored, r->stored_checksum) == -1 ||
	    (u->plain != NULL && hash_end(u->plain, r->checksum) == -1))
		return (fail(e, E_WORKER_FAILED, "cannot compute a hash"));
	return (0);
}

int
unpack_run(const struct m_w_unpack *o, struct m_w_unpacked *r,
    struct m_error *e)
{
	struct unpacking	u;
	int			source = worker_file(W_FILE_SOURCE), rv;

	if (source == -1)
		return (fail(e, E_WORKER_FAILED, "a descriptor is missing"));
	memset(&u, 0, sizeof(u));
	stream_file_init(&u.file, worker_file(W_FILE_TARGET));
	u.file.size_max = o->size_max;
	u.file.code = o->flags & UNPACK_SIZE ? E_INVALID_BACKUP :
	    E_INSUFFICIENT_SPACE;
	u.file.what = o->flags & UNPACK_SIZE ? "the backup unpacks to more "
	    "bytes than were stored" : "the backup directory has too little "
	    "space for the unpacked backup";
	rv = prepare(&u, o, e);
	if (rv == 0)
		rv = verify_confine(o->uid, o->gid, e);
	if (rv == 0)
		rv = unpack(&u, o, source, r, e);
	unpack_free(u.first);
	EVP_MD_CTX_free(u.plain);
	EVP_MD_CTX_free(u.stored);
	return (rv);
}
