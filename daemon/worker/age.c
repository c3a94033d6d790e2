/*
 * Workers run this: age as a stage of a stream.  It owns the keys of one
 * file, and wipes them.  The payload is pieces of 64 KiB, each sealed with
 * its number and whether it is the last: so one piece is always held back.
 */
#include <stdlib.h>
#include <string.h>

#include "common/bech32.h"
#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/age.h"
#include "daemon/worker/worker.h"

#define PIECE_BYTES	65536
#define SEALED_BYTES	(PIECE_BYTES + AGE_TAG_BYTES)
#define SALT_BYTES	16		/* of the payload's key */

struct age {
	struct stream	 stream;	/* first */
	struct stream	*next;
	uint8_t		 keys[AGE_IDENTITIES][AGE_KEY_BYTES];
	size_t		 nkeys;		/* identities */
	uint8_t		 key[AGE_KEY_BYTES];	/* of the payload */
	uint64_t	 pieces;	/* that were passed on */
	int		 begun;		/* the head is through */
	size_t		 line;		/* where its last line begins */
	size_t		 head;		/* its bytes; 0: not known yet */
	uint8_t		 held[AGE_HEADER_BYTES + SALT_BYTES + AGE_TAG_BYTES];
	size_t		 held_n;
	uint8_t		 out[SEALED_BYTES];
};

/* ---- keys ---- */

int
age_recipient(const char *text, uint8_t key[AGE_KEY_BYTES])
{
	return (bech32_decode(text, "age", key, AGE_KEY_BYTES));
}

static int
identity(const char *p, size_t n, uint8_t key[AGE_KEY_BYTES])
{
	char	text[128];
	int	rv;

	if (n >= sizeof(text))
		return (-1);
	memcpy(text, p, n);
	text[n] = '\0';
	rv = bech32_decode(text, "age-secret-key-", key, AGE_KEY_BYTES);
	explicit_bzero(text, sizeof(text));
	return (rv);
}

int
age_identities(const char *text, uint8_t keys[AGE_IDENTITIES][AGE_KEY_BYTES])
{
	size_t	n, whole;
	int	found = 0;

	for (; *text != '\0'; text += whole + (text[whole] != '\0')) {
		n = whole = strcspn(text, "\n");
		if (n > 0 && text[n - 1] == '\r')
			n--;
		if (n == 0 || text[0] == '#')
			continue;
		if (found == AGE_IDENTITIES ||
		    identity(text, n, keys[found++]) == -1)
			return (-1);
	}
	return (found > 0 ? found : -1);
}

static void
nonce_make(const struct age *a, int last, uint8_t nonce[AGE_NONCE_BYTES])
{
	int	i;

	memset(nonce, 0, AGE_NONCE_BYTES);
	for (i = 0; i < 8; i++)
		nonce[10 - i] = (uint8_t)(a->pieces >> (8 * i));
	nonce[11] = (uint8_t)last;
}

static struct age *
age_new(struct stream *next)
{
	struct age	*a;

	a = xcalloc(1, sizeof(*a));
	a->next = next;
	return (a);
}

void
age_free(struct stream *s)
{
	if (s != NULL)
		freezero(s, sizeof(struct age));
}

/* ---- encryption ---- */

static int
seal(struct age *a, int last, struct m_error *e)
{
	uint8_t	nonce[AGE_NONCE_BYTES];
	size_t	n = a->held_n;

	nonce_make(a, last, nonce);
	if (age_seal(a->key, nonce, a->held, n, a->out) == -1)
		return (fail(e, E_WORKER_FAILED, "cannot encrypt"));
	a->pieces++;
	a->held_n = 0;
	return (a->next->put(a->next, a->out, n + AGE_TAG_BYTES, e));
}

static int
pack_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct age	*a = (struct age *)s;
	size_t		 part;

	for (; n > 0; p += part, n -= part) {
		if (a->held_n == PIECE_BYTES && seal(a, 0, e) == -1)
			return (-1);
		part = PIECE_BYTES - a->held_n;
		if (part > n)
			part = n;
		memcpy(a->held + a->held_n, p, part);
		a->held_n += part;
	}
	return (0);
}

static int
pack_end(struct stream *s, struct m_error *e)
{
	struct age	*a = (struct age *)s;

	if (seal(a, 1, e) == -1)
		return (-1);
	return (a->next->end(a->next, e));
}

/* The head, the payload's salt, and from both its key. */
static int
pack_begin(struct age *a, const uint8_t (*recipients)[AGE_KEY_BYTES],
    size_t n)
{
	uint8_t	file_key[AGE_FILE_KEY_BYTES], salt[SALT_BYTES];
	int	head = -1;

	if (age_random(file_key, sizeof(file_key)) == 0 &&
	    age_random(salt, sizeof(salt)) == 0 &&
	    age_hkdf(file_key, sizeof(file_key), salt, sizeof(salt),
	    "payload", a->key) == 0)
		head = age_header_make(file_key, recipients, n,
		    (char *)a->held);
	explicit_bzero(file_key, sizeof(file_key));
	if (head == -1)
		return (-1);
	memcpy(a->held + head, salt, sizeof(salt));
	return (head + SALT_BYTES);
}

struct stream *
age_pack(const uint8_t (*recipients)[AGE_KEY_BYTES], size_t n,
    struct stream *next, struct m_error *e)
{
	struct age	*a = age_new(next);
	int		 head;

	a->stream.put = pack_put;
	a->stream.end = pack_end;
	if ((head = pack_begin(a, recipients, n)) == -1) {
		(void)fail(e, E_WORKER_FAILED, "cannot encrypt");
		age_free(&a->stream);
		return (NULL);
	}
	if (next->put(next, a->held, (size_t)head, e) == -1) {
		age_free(&a->stream);
		return (NULL);
	}
	return (&a->stream);
}

/* ---- decryption ---- */

static int
unseal(struct age *a, int last, struct m_error *e)
{
	uint8_t	nonce[AGE_NONCE_BYTES];
	size_t	n = a->held_n;

	nonce_make(a, last, nonce);
	/* An empty piece is the only one of an empty file. */
	if (n < AGE_TAG_BYTES || (n == AGE_TAG_BYTES && a->pieces > 0) ||
	    age_unseal(a->key, nonce, a->held, n, a->out) == -1)
		return (fail(e, E_INVALID_BACKUP, "the encrypted backup is "
		    "damaged, or its end is missing"));
	a->pieces++;
	a->held_n = 0;
	return (n == AGE_TAG_BYTES ? 0 :
	    a->next->put(a->next, a->out, n - AGE_TAG_BYTES, e));
}

/* The head is held; its key, and the payload's once its salt is here. */
static int
unpack_begin(struct age *a, struct m_error *e)
{
	uint8_t	file_key[AGE_FILE_KEY_BYTES];
	int	rv;

	rv = age_header_open((char *)a->held, a->head,
	    (const uint8_t (*)[AGE_KEY_BYTES])a->keys, a->nkeys, file_key, e);
	if (rv == 0 && age_hkdf(file_key, sizeof(file_key), a->held + a->head,
	    SALT_BYTES, "payload", a->key) == -1)
		rv = fail(e, E_WORKER_FAILED, "cannot decrypt");
	explicit_bzero(file_key, sizeof(file_key));
	a->begun = 1;
	a->held_n = 0;
	return (rv);
}

/* A line of the head is held whole: is it the last one? */
static void
head_line(struct age *a)
{
	const char	*line = (const char *)a->held + a->line;

	if (a->line > 0 && strncmp(line, "---", 3) == 0)
		a->head = a->held_n;
	a->line = a->held_n;
}

/*
 * Takes bytes until head and salt are here: how many were taken, or -1.
 * Line by line, so that nothing behind them is taken, too.
 */
static ssize_t
unpack_head(struct age *a, const uint8_t *p, size_t n, struct m_error *e)
{
	const uint8_t	*nl = NULL;
	size_t		 magic = strlen(AGE_MAGIC), part = n;

	if (a->head > 0 && part > a->head + SALT_BYTES - a->held_n)
		part = a->head + SALT_BYTES - a->held_n;
	else if (a->head == 0 && (nl = memchr(p, '\n', n)) != NULL)
		part = (size_t)(nl + 1 - p);
	if (a->held_n + part > (a->head > 0 ? sizeof(a->held) :
	    AGE_HEADER_BYTES))
		return (fail(e, E_INVALID_BACKUP, "the head of the encrypted "
		    "backup has no end"));
	memcpy(a->held + a->held_n, p, part);
	a->held_n += part;
	if (memcmp(a->held, AGE_MAGIC, a->held_n < magic ? a->held_n :
	    magic) != 0)
		return (fail(e, E_INVALID_BACKUP, "the encrypted backup is "
		    "not a file of age, version 1"));
	if (nl != NULL)
		head_line(a);
	if (a->head > 0 && a->held_n == a->head + SALT_BYTES &&
	    unpack_begin(a, e) == -1)
		return (-1);
	return ((ssize_t)part);
}

static int
unpack_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct age	*a = (struct age *)s;
	ssize_t		 taken;
	size_t		 part;

	for (; n > 0 && !a->begun; p += taken, n -= (size_t)taken) {
		if ((taken = unpack_head(a, p, n, e)) == -1)
			return (-1);
	}
	for (; n > 0; p += part, n -= part) {
		if (a->held_n == SEALED_BYTES && unseal(a, 0, e) == -1)
			return (-1);
		part = SEALED_BYTES - a->held_n;
		if (part > n)
			part = n;
		memcpy(a->held + a->held_n, p, part);
		a->held_n += part;
	}
	return (0);
}

static int
unpack_end(struct stream *s, struct m_error *e)
{
	struct age	*a = (struct age *)s;

	if (!a->begun)
		return (fail(e, E_INVALID_BACKUP, "the encrypted backup ends "
		    "within its head"));
	if (unseal(a, 1, e) == -1)
		return (-1);
	return (a->next->end(a->next, e));
}

struct stream *
age_unpack(const uint8_t (*identities)[AGE_KEY_BYTES], size_t n,
    struct stream *next)
{
	struct age	*a = age_new(next);

	a->stream.put = unpack_put;
	a->stream.end = unpack_end;
	a->nkeys = n < AGE_IDENTITIES ? n : AGE_IDENTITIES;
	memcpy(a->keys, identities, a->nkeys * AGE_KEY_BYTES);
	return (&a->stream);
}
