/*
 * The engine runs this: tokens, made and compared.  A token has 256 random
 * bits, so that a plain SHA-256 of it cannot be turned back; the catalog
 * has that, and nobody has the token but who was given it.  What is here
 * must never log or keep one.
 */
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/token.h"

#define PREFIX		"cbd_"
#define SECRET_BITS	256
#define EXPIRY_DEFAULT	"365d"
#define EXPIRY_MAX_MS	(UINT64_C(3650) * 24 * 3600 * 1000)

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
token_new(char *token)
{
	uint8_t	secret[SECRET_BITS / 8 + 1] = { 0 };
	size_t	bit, at;
	char	*p;

	arc4random_buf(secret, SECRET_BITS / 8);
	p = token + strlcpy(token, PREFIX, TOKEN_BYTES);
	for (bit = 0; bit < SECRET_BITS; bit += 6) {
		at = (size_t)(secret[bit / 8] << 8 | secret[bit / 8 + 1]);
		*p++ = alphabet[at >> (10 - bit % 8) & 0x3f];
	}
	*p = '\0';
	explicit_bzero(secret, sizeof(secret));
}

void
token_hash(const char *token, uint8_t hash[TOKEN_HASH_BYTES])
{
	SHA2_CTX	ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)token, strlen(token));
	SHA256Final(hash, &ctx);
	explicit_bzero(&ctx, sizeof(ctx));
}

int
token_same(const uint8_t *a, const uint8_t *b)
{
	volatile uint8_t	differ = 0;
	size_t			i;

	for (i = 0; i < TOKEN_HASH_BYTES; i++)
		differ |= a[i] ^ b[i];
	return (differ == 0);
}

struct finding {
	uint8_t			 hash[TOKEN_HASH_BYTES];
	struct catalog_token	*token;
	int			 found;
};

static void
find_one(const struct catalog_token *t, void *arg)
{
	struct finding	*f = arg;

	if (!t->broken && token_same(t->hash, f->hash)) {
		*f->token = *t;
		f->found = 1;
	}
}

int
token_find(struct catalog *c, const char *token, struct catalog_token *t)
{
	struct finding	f;

	memset(&f, 0, sizeof(f));
	f.token = t;
	token_hash(token, f.hash);
	catalog_tokens(c, find_one, &f);
	return (f.found);
}

const char *
token_dead(const struct catalog_token *t, int64_t now_ms)
{
	if (t->revoked_ms != 0)
		return ("revoked");
	if (t->expires_ms != 0 && t->expires_ms <= now_ms)
		return ("expired");
	return (NULL);
}

static int
expiry_parse(const char *text, int64_t now_ms, int64_t *expires_ms, char *why)
{
	uint64_t	ms;

	*expires_ms = 0;
	if (strcmp(text, "never") == 0)
		return (0);
	if (conf_parse_time(text, &ms) == -1 || ms == 0 ||
	    ms > EXPIRY_MAX_MS) {
		snprintf(why, CONF_WHY_BYTES, "\"%.60s\" is no time from now: "
		    "expected 12h, 30d and the like, at most 3650d, or never",
		    text);
		return (-1);
	}
	*expires_ms = now_ms + (int64_t)ms;
	return (0);
}

/* A right on what is not there is a slip of the pen. */
static int
databases_known(struct conf *conf, const struct grants *g, char *why)
{
	size_t	i;

	for (i = 0; i < g->n; i++) {
		if (g->list[i].database[0] == '\0' ||
		    conf_database(conf, g->list[i].database) != NULL)
			continue;
		snprintf(why, CONF_WHY_BYTES, "no database \"%s\" is "
		    "configured", g->list[i].database);
		return (-1);
	}
	return (0);
}

int
token_parse(const char *spec, struct conf *conf, int64_t now_ms,
    struct catalog_token *t, char *why)
{
	struct grants	 g;
	const char	*rights, *expiry, *reason;
	char		 text[GRANTS_TEXT];
	size_t		 n = strcspn(spec, ":");

	memset(t, 0, sizeof(*t));
	strlcpy(t->name, spec, n < sizeof(t->name) ? n + 1 :
	    sizeof(t->name));
	reason = n >= sizeof(t->name) ? "is longer than 63 characters" :
	    conf_why_name(t->name);
	if (reason != NULL || spec[n] == '\0') {
		snprintf(why, CONF_WHY_BYTES, "the name \"%.80s\" %s",
		    t->name, reason != NULL ? reason :
		    "stands alone: expected NAME:RIGHTS, NAME:RIGHTS:EXPIRY, "
		    "NAME:revoke or list");
		return (-1);
	}
	rights = spec + n + 1;
	n = strcspn(rights, ":");
	expiry = rights[n] == ':' ? rights + n + 1 : EXPIRY_DEFAULT;
	strlcpy(text, rights, n < sizeof(text) ? n + 1 : sizeof(text));
	t->created_ms = now_ms;
	if (n >= sizeof(text)) {
		snprintf(why, CONF_WHY_BYTES, "the rights are longer than %d "
		    "bytes", GRANTS_TEXT - 1);
		return (-1);
	}
	if (grants_parse(&g, text, why, CONF_WHY_BYTES) == -1 ||
	    (conf != NULL && databases_known(conf, &g, why) == -1) ||
	    expiry_parse(expiry, now_ms, &t->expires_ms, why) == -1)
		return (-1);
	/* Rights said twice are shorter once they are added up. */
	return (grants_text(&g, t->rights));
}
