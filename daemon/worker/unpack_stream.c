/*
 * Workers run this: which form bytes are in, and the stages that lead back
 * to the image.  It owns these, and the identities.  What is not a form of
 * ours passes through: the check of the image says what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/unpack.h"
#include "daemon/worker/worker.h"

#define LOOK_BYTES	22		/* that tell every form apart */

/*
 * A stage that holds the first bytes back until they tell what they are,
 * and puts the right one behind itself; twice, when what was encrypted was
 * compressed before.
 */
struct unpack {
	struct stream	 stream;	/* first */
	struct stream	*last;
	struct stream	*next;		/* NULL: not known yet */
	struct stream	*age, *zstd;	/* those that were made */
	struct unpack	*inner;		/* behind age */
	uint32_t	 form;
	int		 may_age;	/* age in age is nobody's */
	uint8_t		 keys[AGE_IDENTITIES][AGE_KEY_BYTES];
	size_t		 nkeys;
	uint8_t		 held[LOOK_BYTES];
	size_t		 held_n;
};

static int
is_zstd(const uint8_t *p, size_t n)
{
	return (n >= 4 && ((uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24) == ZSTD_MAGIC);
}

static int
age_begin(struct unpack *u, struct m_error *e)
{
	struct stream	*inner;

	if (!u->may_age)
		return (fail(e, E_INVALID_BACKUP,
		    "the backup is encrypted twice"));
	if (u->nkeys == 0)
		return (fail(e, E_IDENTITY_NEEDED, "the backup is encrypted, "
		    "and no identity came with the request"));
	inner = unpack_new(u->form == FORM_UNKNOWN ? FORM_UNKNOWN :
	    u->form & ~(uint32_t)FORM_AGE, NULL, 0, u->last);
	u->inner = (struct unpack *)inner;
	u->inner->may_age = 0;
	u->next = u->age = age_unpack((const uint8_t (*)[AGE_KEY_BYTES])
	    u->keys, u->nkeys, inner);
	return (0);
}

static int
choose(struct unpack *u, struct m_error *e)
{
	uint32_t	form = u->form;

	if (form == FORM_UNKNOWN)
		form = u->held_n == LOOK_BYTES && memcmp(u->held, AGE_MAGIC,
		    LOOK_BYTES) == 0 ? FORM_AGE :
		    is_zstd(u->held, u->held_n) ? FORM_ZSTD : 0;
	if ((form & FORM_AGE) && age_begin(u, e) == -1)
		return (-1);
	if (u->next == NULL && (form & FORM_ZSTD) &&
	    (u->next = u->zstd = zstd_unpack(u->last, e)) == NULL)
		return (-1);
	if (u->next == NULL)
		u->next = u->last;
	return (u->held_n == 0 ? 0 :
	    u->next->put(u->next, u->held, u->held_n, e));
}

static int
unpack_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct unpack	*u = (struct unpack *)s;
	size_t		 part;

	if (u->next == NULL) {
		part = LOOK_BYTES - u->held_n;
		part = part < n ? part : n;
		memcpy(u->held + u->held_n, p, part);
		u->held_n += part;
		p += part;
		n -= part;
		if (u->held_n < LOOK_BYTES)
			return (0);
		if (choose(u, e) == -1)
			return (-1);
	}
	return (n == 0 ? 0 : u->next->put(u->next, p, n, e));
}

static int
unpack_end(struct stream *s, struct m_error *e)
{
	struct unpack	*u = (struct unpack *)s;

	if (u->next == NULL && choose(u, e) == -1)
		return (-1);
	return (u->next->end(u->next, e));
}

struct stream *
unpack_new(uint32_t form, const uint8_t (*identities)[AGE_KEY_BYTES],
    size_t n, struct stream *last)
{
	struct unpack	*u;

	u = xcalloc(1, sizeof(*u));
	u->stream.put = unpack_put;
	u->stream.end = unpack_end;
	u->last = last;
	u->form = form;
	u->may_age = 1;
	u->nkeys = n;
	if (n > 0)
		memcpy(u->keys, identities, n * AGE_KEY_BYTES);
	return (&u->stream);
}

void
unpack_free(struct stream *s)
{
	struct unpack	*u = (struct unpack *)s;

	if (u == NULL)
		return;
	age_free(u->age);
	zstd_free(u->zstd);
	if (u->inner != NULL)
		unpack_free(&u->inner->stream);
	freezero(u, sizeof(*u));
}
