/*
 * A fuzzer of the front's reader of licences (libFuzzer).  The input is
 * taken as a licence, as data that is signed properly, and, when it begins
 * with a 'K', as a public key.  Beside what the sanitizers see it checks
 * that what was not signed is never valid, that what is told is text and
 * JSON that a client could read, and that white space makes no difference.
 */
#include <stdint.h>

#include "daemon/front/license.h"
#include "daemon/front/request.h"
#include "license_make.h"

#define NOW_MS	INT64_C(1700000000000)

int	LLVMFuzzerInitialize(int *, char ***);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static EVP_PKEY	*key;
static char	*pem;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	key = make_key(EVP_PKEY_ED25519, 0);
	pem = make_pem(key);
	return (0);
}

static void
text_promise(const char *text, size_t size)
{
	size_t	n = strnlen(text, size);

	if (n == size || !util_utf8_valid(text, n))
		abort();
}

static void
promise(const struct license *l)
{
	const char	*why;

	text_promise(l->user.id, sizeof(l->user.id));
	text_promise(l->device_id, sizeof(l->device_id));
	text_promise(l->type, sizeof(l->type));
	text_promise(l->features, sizeof(l->features));
	text_promise(l->reason, sizeof(l->reason));
	if (body_check(l->features, strlen(l->features), BODY_DEPTH, &why) ==
	    -1 || l->user.kind > USER_NUMBER || l->valid == (l->reason[0] !=
	    '\0') || (l->user.kind == USER_NONE) != (l->user.id[0] == '\0'))
		abort();
}

/* Memory that ends where the text does. */
static void
judge(struct license *l, const char *text, size_t n, const char *by,
    size_t by_n)
{
	char	*a = xmalloc(n > 0 ? n : 1), *b = xmalloc(by_n > 0 ? by_n : 1);

	memcpy(a, text, n);
	memcpy(b, by, by_n);
	license_read(a, n, b, by_n, NOW_MS, l);
	promise(l);
	free(a);
	free(b);
}

/* As data, signed for its compact form. */
static void
judge_signed(const char *data, size_t n)
{
	struct license	 plain, same;
	const char	*why;
	char		*compact, *written, *text;

	if (n > LICENSE_BYTES / 2 || memchr(data, '\0', n) != NULL ||
	    body_check(data, n, BODY_DEPTH - 1, &why) == -1)
		return;
	compact = xmalloc(n + 1);
	compact[license_compact(compact, data, n)] = '\0';
	written = xasprintf("%.*s", (int)n, data);
	text = make_license(key, compact, written);
	judge(&plain, text, strlen(text), pem, strlen(pem));
	free(text);
	text = make_license(key, compact, NULL);
	judge(&same, text, strlen(text), pem, strlen(pem));
	if (strcmp(plain.reason, "The signature does not match.") == 0 ||
	    memcmp(&plain, &same, sizeof(same)) != 0)
		abort();
	free(text);
	free(written);
	free(compact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char	good[] = "{\"data\":{\"userId\":1},"
				    "\"signature\":\"AAAA\"}";
	const char		*p = (const char *)bytes;
	struct license		 l;

	if (n > 0 && p[0] == 'K') {
		judge(&l, good, sizeof(good) - 1, p + 1, n - 1);
		return (0);
	}
	judge(&l, p, n, pem, strlen(pem));
	if (l.valid)			/* the key is of this very run */
		abort();
	judge_signed(p, n);
	return (0);
}
