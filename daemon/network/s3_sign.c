/*
 * The network process runs this: Signature Version 4 by libcrypto.  It owns
 * nothing; the keys that it derives are wiped before it returns.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3_sign.h"

#define ALGORITHM	"AWS4-HMAC-SHA256"
#define SHA256_BYTES	32
#define DATE_BYTES	8		/* of the time: "20130524" */

static void
digest(const EVP_MD *type, uint8_t *dst, size_t size, const void *p, size_t n)
{
	uint8_t		md[EVP_MAX_MD_SIZE];
	unsigned int	bytes;

	if (EVP_Digest(p, n, md, &bytes, type, NULL) != 1 || bytes != size)
		fatalx("libcrypto cannot compute a hash");
	memcpy(dst, md, size);
}

void
sign_hash(char dst[SIGN_HASH_BYTES], const void *p, size_t n)
{
	uint8_t	md[SHA256_BYTES];

	digest(EVP_sha256(), md, sizeof(md), p, n);
	util_hex(dst, md, sizeof(md));
}

void
sign_md5(uint8_t dst[MD5_BYTES], const void *p, size_t n)
{
	digest(EVP_md5(), dst, MD5_BYTES, p, n);
}

void
sign_base64(char dst[25], const uint8_t md5[MD5_BYTES])
{
	EVP_EncodeBlock((unsigned char *)dst, md5, MD5_BYTES);
}

static void
hmac(uint8_t dst[SHA256_BYTES], const void *key, size_t n, const char *text)
{
	unsigned int	bytes = SHA256_BYTES;

	if (HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text,
	    strlen(text), dst, &bytes) == NULL || bytes != SHA256_BYTES)
		fatalx("libcrypto cannot compute an HMAC");
}

void
sign_time(char dst[SIGN_TIME_BYTES], int64_t now_s)
{
	time_t		t = (time_t)now_s;
	struct tm	tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(dst, SIGN_TIME_BYTES, "%Y%m%dT%H%M%SZ", &tm) == 0)
		strlcpy(dst, "19700101T000000Z", SIGN_TIME_BYTES);
}

char *
sign_encode(const char *text, int slash)
{
	static const char	plain[] = "-_~.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char	digits[] = "0123456789ABCDEF";
	char			*dst, *d;

	d = dst = xmalloc(strlen(text) * 3 + 1);
	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL || (slash && *text == '/')) {
			*d++ = *text;
			continue;
		}
		*d++ = '%';
		*d++ = digits[(unsigned char)*text >> 4];
		*d++ = digits[(unsigned char)*text & 15];
	}
	*d = '\0';
	return (dst);
}

static int
compare_texts(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* Joins the n texts, each followed by end (but the last, if cut). */
static char *
join(char **texts, size_t n, const char *end, int cut)
{
	size_t	 i, size = 1;
	char	*all;

	for (i = 0; i < n; i++)
		size += strlen(texts[i]) + strlen(end);
	all = xmalloc(size);
	all[0] = '\0';
	for (i = 0; i < n; i++) {
		(void)strlcat(all, texts[i], size);
		if (!cut || i + 1 < n)
			(void)strlcat(all, end, size);
	}
	return (all);
}

static void
free_texts(char **texts, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

/*
 * Names are compared before values, so that "=", which sorts above digits,
 * must not take part: it is put there after the sorting.
 */
char *
sign_query(const struct pair *pairs, size_t n)
{
	char	**texts, *name, *value, *all;
	size_t	  i;

	texts = xcalloc(n + 1, sizeof(*texts));
	for (i = 0; i < n; i++) {
		name = sign_encode(pairs[i].name, 0);
		value = sign_encode(pairs[i].value, 0);
		texts[i] = xasprintf("%s\001%s", name, value);
		free(name);
		free(value);
	}
	qsort(texts, n, sizeof(*texts), compare_texts);
	for (i = 0; i < n; i++)
		texts[i][strcspn(texts[i], "\001")] = '=';
	all = join(texts, n, "&", 1);
	free_texts(texts, n);
	return (all);
}

/* A header's value without white space at its ends, and with one space
 * for every run of it inside. */
static char *
trim(const char *value)
{
	char	*dst, *d;

	d = dst = xmalloc(strlen(value) + 1);
	for (value += strspn(value, " \t"); *value != '\0'; value++) {
		if (*value != ' ' && *value != '\t')
			*d++ = *value;
		else if (value[1 + strspn(value + 1, " \t")] != '\0' &&
		    d[-1] != ' ')
			*d++ = ' ';
	}
	*d = '\0';
	return (dst);
}

/* By their names, which end in a colon here: it must not take part. */
static int
compare_names(const char *a, const char *b)
{
	size_t	m = strcspn(a, ":"), n = strcspn(b, ":");
	int	diff = memcmp(a, b, m < n ? m : n);

	return (diff != 0 ? diff : m < n ? -1 : m > n);
}

/* "name:value" each, sorted; of the same name in the order given. */
static char **
sorted_headers(const struct sign *s)
{
	char	**lines, *value, *line;
	size_t	  i, j;

	lines = xcalloc(s->nheaders + 1, sizeof(*lines));
	for (i = 0; i < s->nheaders; i++) {
		value = trim(s->headers[i].value);
		line = xasprintf("%s:%s", s->headers[i].name, value);
		free(value);
		for (j = i; j > 0 && compare_names(lines[j - 1], line) > 0;
		    j--)
			lines[j] = lines[j - 1];
		lines[j] = line;
	}
	return (lines);
}

static char *
header_names(char **lines, size_t n)
{
	char	**names, *all;
	size_t	  i;

	names = xcalloc(n + 1, sizeof(*names));
	for (i = 0; i < n; i++) {
		names[i] = xstrdup(lines[i]);
		names[i][strcspn(names[i], ":")] = '\0';
	}
	all = join(names, n, ";", 1);
	free_texts(names, n);
	return (all);
}

static void
signing_key(const struct sign *s, const char *date, uint8_t key[SHA256_BYTES])
{
	char	*first;
	uint8_t	 next[SHA256_BYTES];

	first = xasprintf("AWS4%s", s->secret_key);
	hmac(next, first, strlen(first), date);
	freezero(first, strlen(first));
	hmac(key, next, sizeof(next), s->region);
	hmac(next, key, SHA256_BYTES, s->service);
	hmac(key, next, sizeof(next), "aws4_request");
	explicit_bzero(next, sizeof(next));
}

char *
sign_authorization(const struct sign *s)
{
	char	 date[DATE_BYTES + 1], hash[SIGN_HASH_BYTES];
	char	**lines, *headers, *names, *request, *scope, *text, *result;
	uint8_t	 key[SHA256_BYTES], md[SHA256_BYTES];

	(void)strlcpy(date, s->time, sizeof(date));
	lines = sorted_headers(s);
	headers = join(lines, s->nheaders, "\n", 0);
	names = header_names(lines, s->nheaders);
	request = xasprintf("%s\n%s\n%s\n%s\n%s\n%s", s->method, s->path,
	    s->query, headers, names, s->payload);
	sign_hash(hash, request, strlen(request));
	scope = xasprintf("%s/%s/%s/aws4_request", date, s->region,
	    s->service);
	text = xasprintf("%s\n%s\n%s\n%s", ALGORITHM, s->time, scope, hash);
	signing_key(s, date, key);
	hmac(md, key, sizeof(key), text);
	explicit_bzero(key, sizeof(key));
	util_hex(hash, md, sizeof(md));
	result = xasprintf("%s Credential=%s/%s, SignedHeaders=%s, "
	    "Signature=%s", ALGORITHM, s->access_key, scope, names, hash);
	free(text);
	free(scope);
	/* A session token may be among the headers. */
	freezero(request, strlen(request));
	free(names);
	freezero(headers, strlen(headers));
	free_texts(lines, s->nheaders);
	return (result);
}
