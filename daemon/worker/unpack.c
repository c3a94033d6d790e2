/*
 * Workers run this: the image of a backup, whatever form it is kept in.
 * The bytes may come from anybody, so that the process has no file system
 * and an unprivileged uid before it looks at the first; how much comes out
 * is bounded.  It owns the identities for as long as it runs.
 */
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/drop.h"
#include "common/filesystem.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/hash_pipe.h"
#include "daemon/worker/hasher.h"
#include "daemon/worker/unpack.h"
#include "daemon/worker/verify.h"
#include "daemon/worker/worker.h"

struct unpacking {
	struct stream_file	 file;
	struct stream		*first;
	struct hash_pipe	*plain;		/* only when nobody gets the
						 * image */
	struct hasher		*stored;
};

static void
on_plain(void *arg, const uint8_t *p, size_t n)
{
	struct unpacking	*u = arg;

	hash_pipe_put(u->plain, p, n);
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
	return (0);
}

static int
hashes_start(struct unpacking *u, int source, uint64_t size,
    struct m_error *e)
{
	if ((u->stored = hasher_start(source)) == NULL ||
	    (u->file.fd == -1 && (u->plain = hash_pipe_start()) == NULL))
		return (fail(e, E_WORKER_FAILED, "cannot start a thread"));
	hasher_advance(u->stored, size);
	if (u->plain != NULL) {
		u->file.wrote = on_plain;
		u->file.arg = u;
	}
	return (0);
}

static int
hashes_end(struct unpacking *u, uint64_t size, struct m_w_unpacked *r,
    struct m_error *e)
{
	struct hasher		*stored = u->stored;
	struct hash_pipe	*plain = u->plain;

	u->stored = NULL;
	if (hasher_finish(stored, size, r->stored_checksum) == -1)
		return (fail(e, E_IO_ERROR, "cannot read the backup: %s",
		    strerror(errno)));
	u->plain = NULL;
	if (plain != NULL && hash_pipe_finish(plain, r->checksum) == -1)
		return (fail(e, E_WORKER_FAILED, "cannot compute a hash"));
	return (0);
}

static int
unpack(struct unpacking *u, const struct m_w_unpack *o, int source,
    struct m_w_unpacked *r, struct m_error *e)
{
	struct stat	st;
	uint64_t	size;

	if (fstat(source, &st) == -1)
		return (fail(e, E_IO_ERROR, "cannot read the backup: %s",
		    strerror(errno)));
	size = (uint64_t)st.st_size;
	if (hashes_start(u, source, size, e) == -1)
		return (-1);
	drop_limits(DROP_FORK);		/* those were the last */
	if (stream_pump(source, size, "unpack", PHASE_UNPACK, u->first,
	    e) == -1)
		return (-1);
	if ((o->flags & UNPACK_SIZE) && u->file.size != o->size_max)
		return (fail(e, E_INVALID_BACKUP, "the backup unpacks to %"
		    PRIu64 " bytes, but %" PRIu64 " were stored",
		    u->file.size, o->size_max));
	r->size = u->file.size;
	return (hashes_end(u, size, r, e));
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
	if (rv == 0 && (o->flags & UNPACK_FORGET))
		filesystem_forget(source, 0, 0);
	unpack_free(u.first);
	hash_pipe_abandon(u.plain);
	hasher_abandon(u.stored);
	return (rv);
}
