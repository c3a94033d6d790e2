/*
 * Workers run this: the head of an age file.  It says for whom the file
 * key is wrapped, a stanza each, and is sealed by a MAC with that key.
 * It may come from anybody: what is not exactly the format is refused.
 */
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/worker/age.h"
#include "daemon/worker/worker.h"

#define LABEL		"age-encryption.org/v1/X25519"
#define BODY_COLUMNS	64
#define WRAPPED_BYTES	(AGE_FILE_KEY_BYTES + AGE_TAG_BYTES)
#define B64_KEY_CHARS	43		/* of 32 bytes, unpadded */
#define B64_LINE_BYTES	48		/* in 64 columns */
#define END		"---"

static const uint8_t	first_nonce[AGE_NONCE_BYTES];

/* ---- base64 without padding ---- */

static void
b64_encode(char dst[B64_KEY_CHARS + 2], const uint8_t src[AGE_KEY_BYTES])
{
	(void)EVP_EncodeBlock((unsigned char *)dst, src, AGE_KEY_BYTES);
	dst[B64_KEY_CHARS] = '\0';
}

static int
b64_value(char c)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char		*p;

	p = c == '\0' ? NULL : strchr(digits, c);
	return (p == NULL ? -1 : (int)(p - digits));
}

/* Up to a line of text: how many bytes, or -1 when it is not the only way
 * to write them. */
static int
b64_decode(const char *p, size_t n, uint8_t dst[B64_LINE_BYTES])
{
	uint32_t	bits = 0;
	size_t		i;
	int		v, have = 0, out = 0;

	if (n > BODY_COLUMNS)
		return (-1);
	for (i = 0; i < n; i++) {
		if ((v = b64_value(p[i])) == -1)
			return (-1);
		bits = (bits << 6 | (uint32_t)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			dst[out++] = (uint8_t)(bits >> have);
		}
	}
	return (have >= 6 || (bits & ((1U << have) - 1)) != 0 ? -1 : out);
}

/* ---- making one ---- */

static int
wrap_key(const uint8_t shared[AGE_KEY_BYTES],
    const uint8_t share[AGE_KEY_BYTES], const uint8_t recipient[AGE_KEY_BYTES],
    uint8_t key[AGE_KEY_BYTES])
{
	uint8_t	salt[2 * AGE_KEY_BYTES];

	memcpy(salt, share, AGE_KEY_BYTES);
	memcpy(salt + AGE_KEY_BYTES, recipient, AGE_KEY_BYTES);
	return (age_hkdf(shared, AGE_KEY_BYTES, salt, sizeof(salt), LABEL,
	    key));
}

/* The file key for one recipient; share is the public half of a key that
 * is used once. */
static int
wrap(const uint8_t file_key[AGE_FILE_KEY_BYTES],
    const uint8_t recipient[AGE_KEY_BYTES], uint8_t share[AGE_KEY_BYTES],
    uint8_t body[WRAPPED_BYTES])
{
	uint8_t	once[AGE_KEY_BYTES], shared[AGE_KEY_BYTES];
	uint8_t	key[AGE_KEY_BYTES];
	int	rv;

	rv = age_random(once, sizeof(once)) == 0 &&
	    age_public(once, share) == 0 &&
	    age_shared(once, recipient, shared) == 0 &&
	    wrap_key(shared, share, recipient, key) == 0 &&
	    age_seal(key, first_nonce, file_key, AGE_FILE_KEY_BYTES,
	    body) == 0 ? 0 : -1;
	explicit_bzero(once, sizeof(once));
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(key, sizeof(key));
	return (rv);
}

/* Of the head up to and with its "---". */
static int
header_mac(const uint8_t file_key[AGE_FILE_KEY_BYTES], const char *head,
    size_t n, uint8_t mac[AGE_KEY_BYTES])
{
	uint8_t	key[AGE_KEY_BYTES];
	int	rv;

	rv = age_hkdf(file_key, AGE_FILE_KEY_BYTES, NULL, 0, "header",
	    key) == 0 ? age_hmac(key, head, n, mac) : -1;
	explicit_bzero(key, sizeof(key));
	return (rv);
}

int
age_header_make(const uint8_t file_key[AGE_FILE_KEY_BYTES],
    const uint8_t (*recipients)[AGE_KEY_BYTES], size_t n, char *dst)
{
	uint8_t	share[AGE_KEY_BYTES], body[WRAPPED_BYTES];
	uint8_t	mac[AGE_KEY_BYTES];
	char	a[B64_KEY_CHARS + 2], b[B64_KEY_CHARS + 2];
	size_t	at, i;

	at = strlcpy(dst, AGE_MAGIC, AGE_HEADER_BYTES);
	for (i = 0; i < n; i++) {
		if (wrap(file_key, recipients[i], share, body) == -1)
			return (-1);
		b64_encode(a, share);
		b64_encode(b, body);
		at += (size_t)snprintf(dst + at, AGE_HEADER_BYTES - at,
		    "-> X25519 %s\n%s\n", a, b);
		if (at >= AGE_HEADER_BYTES / 2)
			return (-1);
	}
	at += (size_t)snprintf(dst + at, AGE_HEADER_BYTES - at, END);
	if (header_mac(file_key, dst, at, mac) == -1)
		return (-1);
	b64_encode(a, mac);
	at += (size_t)snprintf(dst + at, AGE_HEADER_BYTES - at, " %s\n", a);
	return ((int)at);
}

/* ---- reading one ---- */

struct parser {
	const char	*p, *end;
	const char	*line;		/* the line last taken, */
	size_t		 n;		/* and its length without newline */
};

static int
line_take(struct parser *h)
{
	const char	*nl;

	if ((nl = memchr(h->p, '\n', (size_t)(h->end - h->p))) == NULL)
		return (-1);
	h->line = h->p;
	h->n = (size_t)(nl - h->p);
	h->p = nl + 1;
	return (0);
}

struct stanza {
	int	is_x25519;
	int	body_n;			/* bytes; only the first are kept */
	uint8_t	share[B64_LINE_BYTES];
	uint8_t	body[B64_LINE_BYTES];
};

/* "-> TYPE ARGUMENT ...": printable words, one blank between them. */
static int
words_ok(const char *p, size_t n)
{
	size_t	i;

	if (n == 0)
		return (0);
	for (i = 0; i < n; i++) {
		if (p[i] == ' ' ? i == 0 || i + 1 == n || p[i - 1] == ' ' :
		    p[i] < '!' || p[i] > '~')
			return (0);
	}
	return (1);
}

static int
stanza_begin(const struct parser *h, struct stanza *s)
{
	static const char	type[] = "X25519 ";
	const char		*p = h->line + 3;
	size_t			 n;

	memset(s, 0, sizeof(*s));
	if (h->n < 3 || memcmp(h->line, "-> ", 3) != 0 ||
	    !words_ok(p, n = h->n - 3))
		return (-1);
	if (n < strlen(type) || memcmp(p, type, strlen(type)) != 0)
		return (n == strlen(type) - 1 &&
		    memcmp(p, type, n) == 0 ? -1 : 0);
	s->is_x25519 = 1;
	return (b64_decode(p + strlen(type), n - strlen(type),
	    s->share) == AGE_KEY_BYTES ? 0 : -1);
}

/* Full lines, then one that is shorter, or empty. */
static int
stanza_body(struct parser *h, struct stanza *s)
{
	uint8_t	line[B64_LINE_BYTES];
	int	n;

	do {
		if (line_take(h) == -1 ||
		    (n = b64_decode(h->line, h->n, line)) == -1)
			return (-1);
		if (s->body_n == 0)
			memcpy(s->body, line, (size_t)n);
		s->body_n += n;
	} while (h->n == BODY_COLUMNS);
	return (s->is_x25519 && s->body_n != WRAPPED_BYTES ? -1 : 0);
}

/* 1 when this identity is one for whom it was wrapped, 0 when not, -1 when
 * nobody could have wrapped it so. */
static int
unwrap(const struct stanza *s, const uint8_t identity[AGE_KEY_BYTES],
    uint8_t file_key[AGE_FILE_KEY_BYTES])
{
	uint8_t	own[AGE_KEY_BYTES], shared[AGE_KEY_BYTES];
	uint8_t	key[AGE_KEY_BYTES];
	int	rv;

	if (age_public(identity, own) == -1 ||
	    age_shared(identity, s->share, shared) == -1)
		return (-1);
	rv = wrap_key(shared, s->share, own, key) == 0 &&
	    age_unseal(key, first_nonce, s->body, WRAPPED_BYTES,
	    file_key) == 0;
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(key, sizeof(key));
	return (rv);
}

/* All stanzas, up to the line that ends the head: 1 the file key was
 * found, 0 it is for others, -1. */
static int
stanzas(struct parser *h, const uint8_t (*identities)[AGE_KEY_BYTES],
    size_t n, uint8_t file_key[AGE_FILE_KEY_BYTES])
{
	struct stanza	s;
	size_t		i;
	int		found = 0, rv, any = 0;

	while ((rv = line_take(h)) == 0 &&
	    !(h->n >= 3 && memcmp(h->line, END, 3) == 0)) {
		if (stanza_begin(h, &s) == -1 || stanza_body(h, &s) == -1)
			return (-1);
		any = 1;
		for (i = 0; s.is_x25519 && !found && i < n; i++) {
			if ((found = unwrap(&s, identities[i],
			    file_key)) == -1)
				return (-1);
		}
	}
	return (rv == -1 || !any ? -1 : found);
}

int
age_header_open(const char *head, size_t n,
    const uint8_t (*identities)[AGE_KEY_BYTES], size_t nidentities,
    uint8_t file_key[AGE_FILE_KEY_BYTES], struct m_error *e)
{
	struct parser	h = { head, head + n, NULL, 0 };
	uint8_t		mac[AGE_KEY_BYTES], told[B64_LINE_BYTES];
	int		found;

	if (line_take(&h) == -1 ||
	    (found = stanzas(&h, identities, nidentities, file_key)) == -1 ||
	    h.n < 4 || h.line[3] != ' ' ||
	    b64_decode(h.line + 4, h.n - 4, told) != AGE_KEY_BYTES)
		return (fail(e, E_INVALID_BACKUP, "the head of the encrypted "
		    "backup is damaged"));
	if (!found)
		return (fail(e, E_IDENTITY_WRONG, "the backup is encrypted "
		    "to others than this identity"));
	if (header_mac(file_key, head, (size_t)(h.line + 3 - head),
	    mac) == -1 || !age_equal(mac, told, AGE_KEY_BYTES))
		return (fail(e, E_INVALID_BACKUP, "the head of the encrypted "
		    "backup was changed: its seal is broken"));
	return (0);
}
