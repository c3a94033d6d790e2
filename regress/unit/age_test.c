/*
 * Compressed and encrypted forms, there and back, and against the programs
 * age and zstd where they are installed; then everything that is not what
 * was written.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/unpack.h"
#include "daemon/worker/worker.h"
#include "regress/unit/unit.h"

#define ONE	"AGE-SECRET-KEY-18M2DL8TCCY70TGQ8KULMX37S7F5SATCVDR43NTPKQ55" \
		"FV942YMCQ4VRAZ9"
#define ONE_PUB	"age16zvclzdndh09chccah7ye9e39fhfaae8u8wymdywk4sjzus0ys5qcfwpll"
#define TWO	"AGE-SECRET-KEY-1GGCP7DUTCG5UKZ9NLA764NGZJVLARW8QUXAXVQVJXUU" \
		"JS5WEN0CSVE9D8U"
#define TWO_PUB	"age1zgth6xs6j5a94j35fvpd08c95srt8py9v0wkg0cqt4nq75km5qdqysgf0s"

typedef uint8_t	keys_t[AGE_KEY_BYTES];

/* A stage that keeps what comes. */
struct sink {
	struct stream	 stream;
	uint8_t		*bytes;
	size_t		 n, max;
	int		 ended;
};

static char	dir[] = "/tmp/age_test.XXXXXX";

static int
sink_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct sink	*k = (struct sink *)s;

	if (n > k->max - k->n)
		return (fail(e, E_INSUFFICIENT_SPACE, "too much"));
	k->bytes = xreallocarray(k->bytes, k->n + n + 1, 1);
	memcpy(k->bytes + k->n, p, n);
	k->n += n;
	return (0);
}

static int
sink_end(struct stream *s, struct m_error *e)
{
	(void)e;
	((struct sink *)s)->ended = 1;
	return (0);
}

static void
sink_init(struct sink *k)
{
	memset(k, 0, sizeof(*k));
	k->stream.put = sink_put;
	k->stream.end = sink_end;
	k->max = SIZE_MAX / 2;
}

static uint8_t *
content(size_t n)
{
	uint8_t	*p = xmalloc(n + 1);
	size_t	 i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 8) + (i >> 13) * 31);
	return (p);
}

/* In pieces of step bytes, then the end. */
static int
feed(struct stream *s, const uint8_t *p, size_t n, size_t step,
    struct m_error *e)
{
	size_t	part;

	for (; n > 0; p += part, n -= part) {
		part = n < step ? n : step;
		if (s->put(s, p, part, e) == -1)
			return (-1);
	}
	return (s->end(s, e));
}

static void
keys(const char *a, const char *b, keys_t k[2], int secret)
{
	uint8_t	all[AGE_IDENTITIES][AGE_KEY_BYTES];

	if (secret) {
		if (age_identities(a, all) != 1)
			abort();
		memcpy(k[0], all[0], AGE_KEY_BYTES);
		return;
	}
	if (age_recipient(a, k[0]) == -1 ||
	    (b != NULL && age_recipient(b, k[1]) == -1))
		abort();
}

static void
pack(struct sink *to, const uint8_t *p, size_t n, uint32_t form, int two)
{
	struct m_error	 e;
	struct stream	*age = NULL, *zstd = NULL, *s = &to->stream;
	keys_t		 k[2];

	sink_init(to);
	keys(ONE_PUB, TWO_PUB, k, 0);
	if (form & FORM_AGE)
		s = age = age_pack((const keys_t *)k, two ? 2 : 1, s, &e);
	if (s != NULL && (form & FORM_ZSTD))
		s = zstd = zstd_pack(3, n > 1000000 ? 2 : 0, n, s, &e);
	if (s == NULL || feed(s, p, n, 50000, &e) == -1 || !to->ended)
		abort();
	zstd_free(zstd);
	age_free(age);
}

/* E_NONE, or the error's code. */
static uint32_t
unpack(struct sink *to, const uint8_t *p, size_t n, uint32_t form,
    const char *identity, size_t step)
{
	struct m_error	 e;
	struct stream	*s;
	size_t		 max = to->max;
	keys_t		 k[2];

	sink_init(to);
	if (max != 0)
		to->max = max;
	memset(&e, 0, sizeof(e));
	if (identity != NULL)
		keys(identity, NULL, k, 1);
	s = unpack_new(form, (const keys_t *)k, identity != NULL ? 1 : 0,
	    &to->stream);
	if (feed(s, p, n, step, &e) == 0 && (e.code != E_NONE || !to->ended))
		abort();
	unpack_free(s);
	if (e.code != E_NONE && !msg_text_ok(e.text))
		abort();
	return (e.code);
}

static int
same(const struct sink *k, const uint8_t *p, size_t n)
{
	return (k->n == n && (n == 0 || memcmp(k->bytes, p, n) == 0));
}

/* ---- there and back ---- */

static const size_t	sizes[] = { 0, 1, 65535, 65536, 65537, 131072,
			    131073, 3000000 };
static const uint32_t	forms[] = { FORM_ZSTD, FORM_AGE,
			    FORM_ZSTD | FORM_AGE };

static void
test_round(void)
{
	struct sink	 a, b;
	uint8_t		*p;
	size_t		 i, f;
	uint32_t	 code, blind;

	for (i = 0; i < nitems(sizes); i++) for (f = 0; f < nitems(forms);
	    f++) {
		p = content(sizes[i]);
		pack(&a, p, sizes[i], forms[f], 1);
		b.max = 0;
		code = unpack(&b, a.bytes, a.n, forms[f],
		    f & 1 ? TWO : ONE, 4099);
		ok(code == E_NONE && same(&b, p, sizes[i]),
		    "%zu bytes, form %u", sizes[i], forms[f]);
		free(b.bytes);
		b.max = 0;
		blind = unpack(&b, a.bytes, a.n, FORM_UNKNOWN, ONE,
		    a.n < 200000 ? 1 : 100000);
		ok(blind == E_NONE && same(&b, p, sizes[i]),
		    "%zu bytes, form %u by its bytes", sizes[i], forms[f]);
		free(b.bytes);
		free(a.bytes);
		free(p);
	}
}

/* ---- against the programs ---- */

static int
run(const char *command)
{
	int	status = system(command);

	return (status != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0);
}

static void
save(const char *name, const void *p, size_t n)
{
	char	 path[128];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL ||
	    (n > 0 && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
		abort();
}

static uint8_t *
load(const char *name, size_t *n)
{
	char	 path[128];
	uint8_t	*p = xmalloc(4000000);
	FILE	*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "r")) == NULL)
		abort();
	*n = fread(p, 1, 4000000, f);
	(void)fclose(f);
	return (p);
}

/* Ours by theirs, and theirs by ours. */
static void
test_age_program(size_t size)
{
	struct sink	 a, b;
	uint8_t		*p = content(size), *q;
	char		 command[512];
	size_t		 n;
	uint32_t	 code;

	pack(&a, p, size, FORM_AGE, 1);
	save("ours.age", a.bytes, a.n);
	save("plain", p, size);
	snprintf(command, sizeof(command), "cd %s && age -d -i two ours.age "
	    ">theirs && cmp plain theirs", dir);
	ok(run(command), "%zu bytes: age opens what we wrote", size);
	snprintf(command, sizeof(command), "cd %s && rm -f theirs.age && "
	    "age -r %s -r %s -o theirs.age plain", dir, TWO_PUB, ONE_PUB);
	if (!run(command))
		abort();
	q = load("theirs.age", &n);
	b.max = 0;
	code = unpack(&b, q, n, FORM_AGE, ONE, 1000);
	ok(code == E_NONE && same(&b, p, size),
	    "%zu bytes: we open what age wrote", size);
	free(a.bytes);
	free(b.bytes);
	free(p);
	free(q);
}

static void
test_zstd_program(void)
{
	struct sink	 a, b;
	uint8_t		*p = content(3000000), *q;
	char		 command[512];
	size_t		 n;
	uint32_t	 code;

	pack(&a, p, 3000000, FORM_ZSTD, 0);
	save("ours.zst", a.bytes, a.n);
	save("plain", p, 3000000);
	snprintf(command, sizeof(command), "cd %s && zstd -dqf ours.zst -o "
	    "theirs && cmp plain theirs && zstd -lv ours.zst 2>/dev/null | "
	    "grep -q 'Decompressed Size:.*3000000' && "
	    "zstd -lv ours.zst 2>/dev/null | grep -q 'Check: XXH64'", dir);
	ok(run(command), "zstd opens what we wrote: size, checksum");
	snprintf(command, sizeof(command), "cd %s && head -c 1000 plain | "
	    "zstd -q >theirs.zst && tail -c +1001 plain | zstd -q "
	    ">>theirs.zst", dir);
	if (!run(command))
		abort();
	q = load("theirs.zst", &n);
	b.max = 0;
	code = unpack(&b, q, n, FORM_ZSTD, NULL, 777);
	ok(code == E_NONE && same(&b, p, 3000000),
	    "we open two frames of zstd's");
	free(a.bytes);
	free(b.bytes);
	free(p);
	free(q);
}

static void
test_programs(void)
{
	char	command[256];
	size_t	i;

	save("two", TWO "\n", sizeof(TWO));
	if (run("age --version >/dev/null 2>&1"))
		for (i = 0; i < nitems(sizes); i++)
			test_age_program(sizes[i]);
	else
		ok(1, "# SKIP no age");
	if (run("zstd --version >/dev/null 2>&1"))
		test_zstd_program();
	else
		ok(1, "# SKIP no zstd");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if (!run(command))
		abort();
}

/* ---- what is not right ---- */

/* Each byte wrong, one after the other; then cut at each. */
static void
test_tamper(uint32_t form, size_t size)
{
	struct sink	 a, b;
	uint8_t		*p = content(size);
	size_t		 i, bad = 0, cut = 0, step;
	uint32_t	 code;

	pack(&a, p, size, form, 1);
	step = a.n > 2000 ? a.n / 1500 : 1;
	for (i = 0; i < a.n; i += step) {
		a.bytes[i] ^= 1 << i % 8;
		b.max = size + 1;
		code = unpack(&b, a.bytes, a.n, form, ONE, 5000);
		a.bytes[i] ^= 1 << i % 8;
		/* zstd has bits that mean nothing; the same must come. */
		bad += code == E_NONE && !(form == FORM_ZSTD &&
		    same(&b, p, size));
		free(b.bytes);
	}
	ok(bad == 0, "form %u, %zu bytes: no byte can be changed", form,
	    size);
	for (i = 0; i < a.n; i += step) {
		b.max = size + 1;
		cut += unpack(&b, a.bytes, i, form, ONE, 5000) == E_NONE;
		free(b.bytes);
	}
	ok(cut == 0, "form %u, %zu bytes: nor cut off", form, size);
	a.bytes = xreallocarray(a.bytes, a.n + 1, 1);
	a.bytes[a.n] = 'x';
	b.max = 0;
	ok(unpack(&b, a.bytes, a.n + 1, form, ONE, 5000) ==
	    E_INVALID_BACKUP, "form %u, %zu bytes: nor added to", form, size);
	free(b.bytes);
	free(a.bytes);
	free(p);
}

static void
test_identities(void)
{
	struct sink	 a, b;
	uint8_t		*p = content(100);
	uint8_t		 k[AGE_IDENTITIES][AGE_KEY_BYTES];

	pack(&a, p, 100, FORM_AGE, 0);
	b.max = 0;
	ok(unpack(&b, a.bytes, a.n, FORM_AGE, TWO, 10) == E_IDENTITY_WRONG,
	    "another identity");
	free(b.bytes);
	b.max = 0;
	ok(unpack(&b, a.bytes, a.n, FORM_UNKNOWN, NULL, 10) ==
	    E_IDENTITY_NEEDED, "none");
	free(b.bytes);
	ok(age_identities("# made\n\n" ONE "\r\n" TWO, k) == 2,
	    "an identity file with comments");
	ok(age_identities("", k) == -1 && age_identities("# x\n", k) == -1,
	    "a file with none");
	ok(age_identities(ONE_PUB, k) == -1 && age_identities(ONE "x",
	    k) == -1 && age_identities("password", k) == -1 &&
	    age_identities(" " ONE, k) == -1, "what is none");
	free(a.bytes);
	free(p);
}

/* Heads that are not the format, with a whole stanza in them. */
static void
test_heads(void)
{
	static const char *const	heads[] = {
		"", "a", "age-encryption.org/v2\n",
		"age-encryption.org/v1", "age-encryption.org/v1\n",
		"age-encryption.org/v1\n---\n",
		"age-encryption.org/v1\n--- AAAA\n",
		"age-encryption.org/v1\n-> X25519\n\n--- AAAA\n",
		"age-encryption.org/v1\n-> X25519 \nAAAA\n--- AAAA\n",
		"age-encryption.org/v1\n->  X25519 AAAA\nAAAA\n--- AAAA\n",
		"age-encryption.org/v1\n-> X25519 AAAA\nAA==\n--- AAAA\n",
		"age-encryption.org/v1\n-> other thing\nAA\n--- "
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
		"age-encryption.org/v1\n-> X25519 "
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- "
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"age-encryption.org/v1\r\n-> X25519 A\n\n--- A\n",
	};
	struct sink	 b;
	char		*big;
	size_t		 i, wrong = 0;

	for (i = 0; i < nitems(heads); i++) {
		char	text[512];

		snprintf(text, sizeof(text), "%s0123456789abcdef0123456789"
		    "abcdef", heads[i]);
		b.max = 0;
		wrong += unpack(&b, (uint8_t *)text, strlen(text), FORM_AGE,
		    ONE, 3) != E_INVALID_BACKUP;
		free(b.bytes);
	}
	ok(wrong == 0, "%zu heads that are none", nitems(heads));
	big = xmalloc(200000);
	memset(big, '\n', 200000);
	memcpy(big, AGE_MAGIC, strlen(AGE_MAGIC));
	b.max = 0;
	ok(unpack(&b, (uint8_t *)big, 200000, FORM_AGE, ONE, 7) ==
	    E_INVALID_BACKUP, "a head without end");
	free(b.bytes);
	memset(big + strlen(AGE_MAGIC), 'x', 199000);
	b.max = 0;
	ok(unpack(&b, (uint8_t *)big, 200000, FORM_AGE, ONE, 200000) ==
	    E_INVALID_BACKUP, "a line without end");
	free(b.bytes);
	free(big);
}

static void
test_bombs(void)
{
	struct sink	 a, b, c;
	uint8_t		*zero = xcalloc(30000000, 1);
	uint32_t	 code;

	pack(&a, zero, 30000000, FORM_ZSTD, 0);
	b.max = 1000000;
	code = unpack(&b, a.bytes, a.n, FORM_ZSTD, NULL, 4096);
	ok(code == E_INSUFFICIENT_SPACE && b.n <= 1000000,
	    "30 MB out of %zu bytes: stopped", a.n);
	free(b.bytes);
	/* Compressed twice: what comes is what was in it, not more. */
	pack(&c, a.bytes, a.n, FORM_ZSTD, 0);
	b.max = 0;
	ok(unpack(&b, c.bytes, c.n, FORM_UNKNOWN, NULL, 99) == E_NONE &&
	    same(&b, a.bytes, a.n), "one layer only");
	free(b.bytes);
	free(c.bytes);
	/* A window of a gigabyte. */
	{
		uint8_t	frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 1, 0,
			    0 };

		b.max = 0;
		ok(unpack(&b, frame, sizeof(frame), FORM_ZSTD, NULL, 1) ==
		    E_INVALID_BACKUP, "a window that is too large");
		free(b.bytes);
	}
	pack(&c, zero, 100, FORM_AGE, 1);
	free(a.bytes);
	pack(&a, c.bytes, c.n, FORM_AGE, 1);
	b.max = 0;
	ok(unpack(&b, a.bytes, a.n, FORM_UNKNOWN, ONE, 99) ==
	    E_INVALID_BACKUP, "encrypted twice");
	free(b.bytes);
	free(a.bytes);
	free(c.bytes);
	free(zero);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || age_crypto_init() == -1)
		abort();
	test_round();
	test_programs();
	test_tamper(FORM_ZSTD, 1000);
	test_tamper(FORM_AGE, 100);
	test_tamper(FORM_AGE, 131072);
	test_tamper(FORM_ZSTD | FORM_AGE, 140000);
	test_identities();
	test_heads();
	test_bombs();
	return (tap_end());
}
