/*
 * Tests of the rest of the front's HTTP parser: chunked bodies, targets and
 * queries, and the values of fields.  What is parsed lies in memory of
 * exactly its size.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/front/http.h"
#include "unit.h"

#define S(text)		text, sizeof(text) - 1
#define N(table)	(sizeof(table) / sizeof((table)[0]))
#define BODY_MAX	8192

static char *
exact_copy(const char *text, size_t n)
{
	char	*p;

	if ((p = malloc(n != 0 ? n : 1)) == NULL)
		exit(1);
	memcpy(p, text, n);
	return (p);
}

/* ---- chunked ---- */

static const struct {
	const char	*text;
	size_t		 n;
	int		 rc;
	const char	*body;		/* what came out before rc did */
	size_t		 rest;		/* bytes that were not taken */
} bodies[] = {
	{ S("0\r\n\r\n"), 1, "", 0 },
	{ S("5\r\nhello\r\n0\r\n\r\n"), 1, "hello", 0 },
	{ S("5\r\nhello\r\n0\r\n\r\nGET /"), 1, "hello", 5 },
	{ S("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), 1, "abc", 0 },
	{ S("a\r\n0123456789\r\n0\r\n\r\n"), 1, "0123456789", 0 },
	{ S("A\r\n0123456789\r\n0\r\n\r\n"), 1, "0123456789", 0 },
	{ S("005\r\nhello\r\n000\r\n\r\n"), 1, "hello", 0 },
	{ S("000000000000005\r\nhello\r\n0\r\n\r\n"), 1, "hello", 0 },
	{ S("5\r\n\r\n\r\n0\r\n0\r\n\r\n"), 1, "\r\n\r\n0", 0 },
	{ S("0\r\nA: b\r\n\r\n"), 1, "", 0 },
	{ S("0\r\nA:\r\nB-c:\td\xff \r\n\r\nX"), 1, "", 1 },
	{ S("0\r\nContent-Length: 5\r\n\r\nX"), 1, "", 1 },
	{ S(""), 0, "", 0 },
	{ S("5"), 0, "", 0 },
	{ S("5\r"), 0, "", 0 },
	{ S("5\r\n"), 0, "", 0 },
	{ S("5\r\nhell"), 0, "hell", 0 },
	{ S("5\r\nhello"), 0, "hello", 0 },
	{ S("5\r\nhello\r\n"), 0, "hello", 0 },
	{ S("0\r\n"), 0, "", 0 },
	{ S("0\r\n\r"), 0, "", 0 },
	{ S("0\r\nA: b\r\n"), 0, "", 0 },
	{ S("fffffffffffffff\r\nab"), 0, "ab", 0 },
	{ S("0x5\r\nhello\r\n"), -1, "", 11 },
	{ S("0X5\r\nhello\r\n"), -1, "", 11 },
	{ S("+5\r\nhello\r\n"), -1, "", 11 },
	{ S("-5\r\nhello\r\n"), -1, "", 11 },
	{ S("-0\r\n\r\n"), -1, "", 6 },
	{ S(" 5\r\nhello\r\n"), -1, "", 11 },
	{ S("5 \r\nhello\r\n"), -1, "", 10 },
	{ S("\t5\r\n"), -1, "", 4 },
	{ S("\r\n5\r\nhello\r\n"), -1, "", 12 },
	{ S("\r\n"), -1, "", 2 },
	{ S("\n5\r\n"), -1, "", 4 },
	{ S("g\r\n"), -1, "", 3 },
	{ S("5g\r\n"), -1, "", 3 },
	{ S("5,5\r\n"), -1, "", 4 },
	{ S("5_0\r\n"), -1, "", 4 },
	{ S("5.0\r\n"), -1, "", 4 },
	{ S("5h\r\n"), -1, "", 3 },
	{ S("\0\r\n"), -1, "", 3 },
	{ S("5\0\r\n"), -1, "", 3 },
	{ S("\xef\xbc\x95\r\n"), -1, "", 5 },
	{ S("5;a=b\r\nhello\r\n"), -1, "", 13 },
	{ S("5;\r\nhello\r\n"), -1, "", 10 },
	{ S("0;\r\n\r\n"), -1, "", 5 },
	{ S("5;a=\"\r\n\r\n\"\r\nhello"), -1, "", 16 },
	{ S("5\nhello\r\n0\r\n\r\n"), -1, "", 13 },
	{ S("5\n"), -1, "", 1 },
	{ S("5\r\r\nhello"), -1, "", 7 },
	{ S("5\rhello"), -1, "", 5 },
	{ S("5\r\nhello\n0\r\n\r\n"), -1, "hello", 6 },
	{ S("5\r\nhello0\r\n\r\n"), -1, "hello", 5 },
	{ S("5\r\nhelloX\r\n0\r\n\r\n"), -1, "hello", 8 },
	{ S("5\r\nhello\rX"), -1, "hello", 1 },
	{ S("5\r\nhello\r\r\n"), -1, "hello", 2 },
	{ S("5\r\nhello\r\n\r\n0\r\n\r\n"), -1, "hello", 7 },
	{ S("4\r\nhello\r\n0\r\n\r\n"), -1, "hell", 8 },
	{ S("6\r\nhello\r\n0\r\n\r\n"), -1, "hello\r", 6 },
	{ S("0000000000000005\r\nhello"), -1, "", 8 },
	{ S("0000000000000000\r\n\r\n"), -1, "", 5 },
	{ S("ffffffffffffffff\r\n"), -1, "", 3 },
	{ S("10000000000000005\r\nhello"), -1, "", 9 },
	{ S("0\r\n\n"), -1, "", 1 },
	{ S("0\r\n\rX"), -1, "", 1 },
	{ S("0\r\n0\r\n\r\n"), -1, "", 4 },
	{ S("0\r\nA\r\n\r\n"), -1, "", 4 },
	{ S("0\r\nA : b\r\n\r\n"), -1, "", 8 },
	{ S("0\r\n A: b\r\n\r\n"), -1, "", 9 },
	{ S("0\r\n: b\r\n\r\n"), -1, "", 7 },
	{ S("0\r\nA: b\r\n c\r\n\r\n"), -1, "", 6 },
	{ S("0\r\nA: b\n\r\n"), -1, "", 3 },
	{ S("0\r\nA: b\rC: d\r\n\r\n"), -1, "", 8 },
	{ S("0\r\nA: \0\r\n\r\n"), -1, "", 5 },
	{ S("0\r\nA: \x7f\r\n\r\n"), -1, "", 5 },
	{ S("0\r\nGET / HTTP/1.1\r\n\r\n"), -1, "", 15 },
};

/* Feeds in steps of in_step bytes; out has out_step bytes each time. */
static int
decode(const char *text, size_t n, size_t in_step, size_t out_step,
    char *body, size_t *body_n, size_t *rest)
{
	struct http_chunked	 c;
	const char		*in;
	char			*piece, *out;
	size_t			 left, put, k;
	int			 rc = 0;

	memset(&c, 0, sizeof(c));
	*body_n = 0;
	for (*rest = n; rc == 0 && *rest != 0; *rest -= k - left) {
		left = k = *rest < in_step ? *rest : in_step;
		in = piece = exact_copy(text + n - *rest, k);
		if ((out = malloc(out_step)) == NULL)
			exit(1);
		rc = http_chunked_feed(&c, &in, &left, out, out_step, &put);
		memcpy(body + *body_n, out, put);
		*body_n += put;
		free(piece);
		free(out);
	}
	/* What is decided stays so, whatever comes, or nothing. */
	in = "0\r\n\r\n";
	for (k = 0; rc != 0 && k <= 5; k += 5) {
		left = k;
		if (http_chunked_feed(&c, &in, &left, body, 0, &put) != rc ||
		    left != k || put != 0)
			return (-2);
	}
	return (rc);
}

static void
test_chunked(void)
{
	static const size_t	 steps[][2] = {
		{ BODY_MAX, BODY_MAX }, { 1, 1 }, { 2, 3 }, { BODY_MAX, 1 },
		{ 1, BODY_MAX }
	};
	static char		 body[BODY_MAX];
	size_t			 i, k, n, rest, good;

	for (i = 0; i < N(bodies); i++) {
		good = 0;
		for (k = 0; k < N(steps); k++)
			good += decode(bodies[i].text, bodies[i].n, steps[k][0],
			    steps[k][1], body, &n, &rest) == bodies[i].rc &&
			    n == strlen(bodies[i].body) &&
			    memcmp(body, bodies[i].body, n) == 0 &&
			    rest == bodies[i].rest;
		ok(good == N(steps), "chunked %zu: %d", i + 1, bodies[i].rc);
	}
}

static void
test_trailer_limit(void)
{
	static char	text[BODY_MAX], body[BODY_MAX];
	size_t		n, rest, size;
	int		rc;

	for (size = 4094; size <= 4099; size++) {
		memset(text, 'a', sizeof(text));
		memcpy(text, "0\r\nA:", 5);
		memcpy(text + 3 + size - 4, "\r\n\r\n", 4);
		rc = decode(text, 3 + size, 17, 5, body, &n, &rest);
		ok(rc == (size <= 4096 ? 1 : -1), "a trailer of %zu bytes",
		    size);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "0\r\n", 3);
	ok(decode(text, 3 + 4096, 999, 1, body, &n, &rest) == 0,
	    "a trailer without end: 4096 bytes");
	ok(decode(text, 3 + 4097, 999, 1, body, &n, &rest) == -1,
	    "a trailer without end: one more");
}

/* ---- targets ---- */

static const struct {
	const char	*text;
	size_t		 n;
	const char	*path;		/* NULL: refused */
	const char	*query;
} targets[] = {
	{ S("/"), "/", "" },
	{ S("/a"), "/a", "" },
	{ S("/a/"), "/a/", "" },
	{ S("/a/b"), "/a/b", "" },
	{ S("/?"), "/", "" },
	{ S("/a?b=c"), "/a", "b=c" },
	{ S("/a?b?c"), "/a", "b?c" },
	{ S("/a?/../b"), "/a", "/../b" },
	{ S("/a?%zz"), "/a", "%zz" },
	{ S("/a%3Fb?c"), "/a?b", "c" },
	{ S("/%61%7a%5A"), "/azZ", "" },
	{ S("/a%20b+c"), "/a b+c", "" },
	{ S("/%25%32%65"), "/%2e", "" },
	{ S("/%252e%252e"), "/%2e%2e", "" },
	{ S("/%23"), "/#", "" },
	{ S("/a\\b"), "/a\\b", "" },
	{ S("/..."), "/...", "" },
	{ S("/..a/.b/c../d."), "/..a/.b/c../d.", "" },
	{ S("/a;b=c"), "/a;b=c", "" },
	{ S("/caf%C3%A9"), "/caf\xc3\xa9", "" },
	{ S("/%F0%9F%98%80"), "/\xf0\x9f\x98\x80", "" },
	{ S("/%F4%8F%BF%BF"), "/\xf4\x8f\xbf\xbf", "" },
	{ S(""), NULL, "" },
	{ S("a"), NULL, "" },
	{ S("*"), NULL, "" },
	{ S("?a"), NULL, "" },
	{ S("%2f"), NULL, "" },
	{ S("%2fa"), NULL, "" },
	{ S("\\a"), NULL, "" },
	{ S("//"), NULL, "" },
	{ S("//a"), NULL, "" },
	{ S("/a//b"), NULL, "" },
	{ S("/a//"), NULL, "" },
	{ S("/."), NULL, "" },
	{ S("/.."), NULL, "" },
	{ S("/./"), NULL, "" },
	{ S("/../"), NULL, "" },
	{ S("/a/."), NULL, "" },
	{ S("/a/.."), NULL, "" },
	{ S("/a/./b"), NULL, "" },
	{ S("/a/../b"), NULL, "" },
	{ S("/a/..?x"), NULL, "" },
	{ S("/%2e"), NULL, "" },
	{ S("/%2E%2e"), NULL, "" },
	{ S("/.%2e/a"), NULL, "" },
	{ S("/%2e./a"), NULL, "" },
	{ S("/a%2fb"), NULL, "" },
	{ S("/a%2Fb"), NULL, "" },
	{ S("/%2f"), NULL, "" },
	{ S("/..%2f"), NULL, "" },
	{ S("/%00"), NULL, "" },
	{ S("/a%00.db"), NULL, "" },
	{ S("/%0a"), NULL, "" },
	{ S("/%0D"), NULL, "" },
	{ S("/%09"), NULL, "" },
	{ S("/%1b"), NULL, "" },
	{ S("/%7f"), NULL, "" },
	{ S("/\0"), NULL, "" },
	{ S("/\n"), NULL, "" },
	{ S("/%"), NULL, "" },
	{ S("/%4"), NULL, "" },
	{ S("/%4?1"), NULL, "" },
	{ S("/%g0"), NULL, "" },
	{ S("/%0g"), NULL, "" },
	{ S("/% 1"), NULL, "" },
	{ S("/%+1"), NULL, "" },
	{ S("/%-1"), NULL, "" },
	{ S("/%%41"), NULL, "" },
	{ S("/%u0041"), NULL, "" },
	{ S("/%x41"), NULL, "" },
	{ S("/%80"), NULL, "" },
	{ S("/%ff"), NULL, "" },
	{ S("/%C3"), NULL, "" },
	{ S("/%C3a"), NULL, "" },
	{ S("/%C0%AF"), NULL, "" },		/* overlong '/' */
	{ S("/%C0%AE%C0%AE"), NULL, "" },	/* overlong ".." */
	{ S("/%C1%81"), NULL, "" },
	{ S("/%C0%80"), NULL, "" },
	{ S("/%E0%80%AF"), NULL, "" },
	{ S("/%E0%9F%BF"), NULL, "" },
	{ S("/%F0%80%80%AF"), NULL, "" },
	{ S("/%F0%8F%BF%BF"), NULL, "" },
	{ S("/%ED%A0%80"), NULL, "" },		/* a surrogate */
	{ S("/%ED%BF%BF"), NULL, "" },
	{ S("/%F4%90%80%80"), NULL, "" },
	{ S("/%F8%88%80%80%80"), NULL, "" },
	{ S("/%E2%82"), NULL, "" },
};

static int
split(const char *text, size_t n, char *path, size_t size, char *query)
{
	struct http_slice	 target, q;
	char			*copy;
	int			 rc;

	target.at = copy = exact_copy(text, n);
	target.n = n;
	rc = http_split_target(&target, path, size, &q);
	snprintf(query, HTTP_TARGET_MAX, "%.*s", (int)q.n, q.at);
	free(copy);
	return (rc);
}

static void
test_target(void)
{
	static char	text[HTTP_TARGET_MAX], query[HTTP_TARGET_MAX];
	char		path[HTTP_PATH_MAX];
	size_t		i;
	int		rc;

	for (i = 0; i < N(targets); i++) {
		rc = split(targets[i].text, targets[i].n, path, sizeof(path),
		    query);
		if (targets[i].path == NULL)
			ok(rc == -1 && path[0] == '\0',
			    "target %zu is refused", i + 1);
		else
			ok(rc == 0 && strcmp(path, targets[i].path) == 0 &&
			    strcmp(query, targets[i].query) == 0,
			    "target %zu: %s", i + 1, targets[i].text);
	}
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	ok(split(text, HTTP_PATH_MAX - 1, path, sizeof(path), query) == 0 &&
	    strlen(path) == HTTP_PATH_MAX - 1, "a path that just fits");
	ok(split(text, HTTP_PATH_MAX, path, sizeof(path), query) == -1 &&
	    path[0] == '\0', "a path one byte too long");
	ok(split("/", 1, path, 2, query) == 0, "a buffer of two bytes");
	ok(split("/", 1, path, 1, query) == -1, "a buffer of one byte");
	path[0] = 'x';
	ok(split("/", 1, path, 0, query) == -1 && path[0] == 'x',
	    "a buffer of none");
}

/* ---- queries ---- */

static const struct {
	const char	*text;
	size_t		 n;
	const char	*name;
	int		 rc;
	const char	*value;
} queries[] = {
	{ S(""), "a", 0, "" },
	{ S("a"), "a", 1, "" },
	{ S("a="), "a", 1, "" },
	{ S("a=1"), "a", 1, "1" },
	{ S("a=1&b=2"), "b", 1, "2" },
	{ S("a=1&b=2"), "a", 1, "1" },
	{ S("b=2&a=1&"), "a", 1, "1" },
	{ S("&&a=1&&"), "a", 1, "1" },
	{ S("a=b=c"), "a", 1, "b=c" },
	{ S("a=%3D%26"), "a", 1, "=&" },
	{ S("a=x+y%20z%2B"), "a", 1, "x y z+" },
	{ S("%61=1"), "a", 1, "1" },
	{ S("a+b=1"), "a b", 1, "1" },
	{ S("a=caf%c3%A9"), "a", 1, "caf\xc3\xa9" },
	{ S("a=%2F..%2F"), "a", 1, "/../" },
	{ S("a=1;b=2"), "a", 1, "1;b=2" },
	{ S("a=1"), "A", 0, "" },
	{ S("ab=1"), "a", 0, "" },
	{ S("a=1"), "ab", 0, "" },
	{ S("b=a"), "a", 0, "" },
	{ S("=1"), "a", 0, "" },
	{ S("a%20=1"), "a", 0, "" },
	{ S("a[]=1"), "a", 0, "" },
	{ S("a=1&a=2"), "a", -1, "" },
	{ S("a=1&a=1"), "a", -1, "" },
	{ S("a&a"), "a", -1, "" },
	{ S("a=1&%61=2"), "a", -1, "" },
	{ S("b=1&b=2"), "a", 0, "" },
	{ S("a=%"), "a", -1, "" },
	{ S("a=%4"), "a", -1, "" },
	{ S("a=%4&b=1"), "a", -1, "" },
	{ S("a=%zz"), "a", -1, "" },
	{ S("a=1&b=%zz"), "a", -1, "" },
	{ S("a=1&%zz=b"), "a", -1, "" },
	{ S("%zz&a=1"), "a", -1, "" },
	{ S("a=%00"), "a", -1, "" },
	{ S("a=x%00y"), "a", -1, "" },
	{ S("a%00=1"), "a", -1, "" },
	{ S("a=%0a"), "a", -1, "" },
	{ S("a=%0d%0aX:y"), "a", -1, "" },
	{ S("a=%7F"), "a", -1, "" },
	{ S("a=\0"), "a", -1, "" },
	{ S("a=%C0%80"), "a", -1, "" },
	{ S("a=%ff"), "a", -1, "" },
	{ S("a=%ED%A0%80"), "a", -1, "" },
	{ S("a=1234567"), "a", 1, "1234567" },
	{ S("a=12345678"), "a", -1, "" },
	{ S("a=%31%32%33%34%35%36%37"), "a", 1, "1234567" },
	{ S("b=123456789&a=1"), "a", 1, "1" },
};

static void
test_query(void)
{
	struct http_slice	 q;
	char			*copy, value[8];
	size_t			 i;
	int			 rc;

	for (i = 0; i < N(queries); i++) {
		q.at = copy = exact_copy(queries[i].text, queries[i].n);
		q.n = queries[i].n;
		rc = http_query(&q, queries[i].name, value, sizeof(value));
		ok(rc == queries[i].rc && strcmp(value, queries[i].value) == 0,
		    "query %zu: %s in %s", i + 1, queries[i].name,
		    queries[i].text);
		free(copy);
	}
	q.at = "a=1";
	q.n = 3;
	ok(http_query(&q, "a", value, 0) == -1, "a query for no buffer");
}

/* ---- ranges ---- */

static const struct {
	const char	*text;
	uint64_t	 size;
	int		 rc;
	uint64_t	 first, last;
} ranges[] = {
	{ "bytes=0-0", 10, 1, 0, 0 },
	{ "bytes=0-9", 10, 1, 0, 9 },
	{ "bytes=0-10", 10, 1, 0, 9 },
	{ "bytes=9-9", 10, 1, 9, 9 },
	{ "bytes=5-", 10, 1, 5, 9 },
	{ "bytes=0-", 10, 1, 0, 9 },
	{ "bytes=9-", 10, 1, 9, 9 },
	{ "bytes=-5", 10, 1, 5, 9 },
	{ "bytes=-1", 10, 1, 9, 9 },
	{ "bytes=-10", 10, 1, 0, 9 },
	{ "bytes=-11", 10, 1, 0, 9 },
	{ "BYTES=1-2", 10, 1, 1, 2 },
	{ "Bytes=001-002", 10, 1, 1, 2 },
	{ "bytes=0-0", 1, 1, 0, 0 },
	{ "bytes=-1", 1, 1, 0, 0 },
	{ "bytes=1-99999999999999999999999", 10, 1, 1, 9 },
	{ "bytes=-99999999999999999999999", 10, 1, 0, 9 },
	{ "bytes=1-18446744073709551615", 10, 1, 1, 9 },
	{ "bytes=0-18446744073709551616", 10, 1, 0, 9 },
	{ "bytes=5-", UINT64_MAX, 1, 5, UINT64_MAX - 1 },
	{ "bytes=-1", UINT64_MAX, 1, UINT64_MAX - 1, UINT64_MAX - 1 },
	{ "bytes=10-", 10, -1, 0, 0 },
	{ "bytes=10-20", 10, -1, 0, 0 },
	{ "bytes=11-12", 10, -1, 0, 0 },
	{ "bytes=-0", 10, -1, 0, 0 },
	{ "bytes=18446744073709551615-", 10, -1, 0, 0 },
	{ "bytes=18446744073709551616-", 10, -1, 0, 0 },
	{ "bytes=18446744073709551616-", UINT64_MAX, -1, 0, 0 },
	{ "bytes=99999999999999999999-99999999999999999999", 10, -1, 0, 0 },
	{ "bytes=0-", 0, -1, 0, 0 },
	{ "bytes=0-0", 0, -1, 0, 0 },
	{ "bytes=-0", 0, -1, 0, 0 },
	{ "bytes=-5", 0, 0, 0, 0 },
	{ "bytes=5-2", 10, 0, 0, 0 },
	{ "bytes=20-15", 10, 0, 0, 0 },
	{ "bytes=0-1,3-4", 10, 0, 0, 0 },
	{ "bytes=0-1, -1", 10, 0, 0, 0 },
	{ "bytes=0-1,", 10, 0, 0, 0 },
	{ "bytes=,0-1", 10, 0, 0, 0 },
	{ "bytes=", 10, 0, 0, 0 },
	{ "bytes=-", 10, 0, 0, 0 },
	{ "bytes=--1", 10, 0, 0, 0 },
	{ "bytes=0--1", 10, 0, 0, 0 },
	{ "bytes=5", 10, 0, 0, 0 },
	{ "bytes=+1-2", 10, 0, 0, 0 },
	{ "bytes=1-+2", 10, 0, 0, 0 },
	{ "bytes=0x1-2", 10, 0, 0, 0 },
	{ "bytes=1-2x", 10, 0, 0, 0 },
	{ "bytes=a-b", 10, 0, 0, 0 },
	{ "bytes= 1-2", 10, 0, 0, 0 },
	{ "bytes=1 -2", 10, 0, 0, 0 },
	{ "bytes=1- 2", 10, 0, 0, 0 },
	{ "bytes=1-2 ", 10, 0, 0, 0 },
	{ "bytes =1-2", 10, 0, 0, 0 },
	{ "bytes 1-2/10", 10, 0, 0, 0 },
	{ "bytes:1-2", 10, 0, 0, 0 },
	{ "bytes", 10, 0, 0, 0 },
	{ "byte=1-2", 10, 0, 0, 0 },
	{ "bytess=1-2", 10, 0, 0, 0 },
	{ "items=1-2", 10, 0, 0, 0 },
	{ "lines=1-2", 10, 0, 0, 0 },
	{ "none", 10, 0, 0, 0 },
	{ "=1-2", 10, 0, 0, 0 },
	{ "1-2", 10, 0, 0, 0 },
	{ "", 10, 0, 0, 0 },
};

static void
test_range(void)
{
	struct http_slice	 v;
	char			*copy;
	uint64_t		 first, last;
	size_t			 i;
	int			 rc;

	for (i = 0; i < N(ranges); i++) {
		v.n = strlen(ranges[i].text);
		v.at = copy = exact_copy(ranges[i].text, v.n);
		first = last = 0;
		rc = http_range(&v, ranges[i].size, &first, &last);
		ok(rc == ranges[i].rc && first == ranges[i].first &&
		    last == ranges[i].last, "range %zu: %s of %" PRIu64, i + 1,
		    ranges[i].text, ranges[i].size);
		free(copy);
	}
}

/* ---- lists ---- */

static const struct {
	const char	*value, *what;
	int		 found;
} etags[] = {
	{ "\"a\"", "\"a\"", 1 },
	{ "*", "\"a\"", 1 },
	{ "W/\"a\"", "\"a\"", 1 },
	{ "\"a\"", "W/\"a\"", 1 },
	{ "W/\"a\"", "W/\"a\"", 1 },
	{ "\"b\", \"a\"", "\"a\"", 1 },
	{ "\"b\",\"a\",\"c\"", "\"a\"", 1 },
	{ "\"b\"\t,\tW/\"a\"", "\"a\"", 1 },
	{ "\"a,b\"", "\"a,b\"", 1 },
	{ "\"x\", W/\"a,b\" , \"y\"", "\"a,b\"", 1 },
	{ ", ,\"a\",,", "\"a\"", 1 },
	{ "\"\"", "\"\"", 1 },
	{ "\"\\\"", "\"\\\"", 1 },
	{ "\"\xc3\xa9\"", "\"\xc3\xa9\"", 1 },
	{ "\"*\"", "\"*\"", 1 },
	{ "\"sha256:00ff\"", "\"sha256:00ff\"", 1 },
	{ "\"W/\"", "\"W/\"", 1 },
	{ "", "\"a\"", 0 },
	{ ",", "\"a\"", 0 },
	{ "\"A\"", "\"a\"", 0 },
	{ "\"ab\"", "\"a\"", 0 },
	{ "\"a\"", "\"ab\"", 0 },
	{ "\"a,b\"", "\"a\"", 0 },
	{ "\"x,\", \",a\"", "\"a\"", 0 },
	{ "\"x,\"a\",y\"", "\"a\"", 0 },
	{ "\"*\"", "\"a\"", 0 },
	{ "\"a\" \"b\"", "\"a\"", 0 },
	{ "\"a\"\"b\"", "\"a\"", 0 },
	{ "\"a\", *", "\"a\"", 0 },
	{ "*, \"a\"", "\"a\"", 0 },
	{ "**", "\"a\"", 0 },
	{ "a", "\"a\"", 0 },
	{ "a, \"a\"", "\"a\"", 0 },
	{ "\"a\", b", "\"a\"", 0 },
	{ "\"a", "\"a\"", 0 },
	{ "\"a\", \"", "\"a\"", 0 },
	{ "\"a\", W/", "\"a\"", 0 },
	{ "\"a\", W", "\"a\"", 0 },
	{ "w/\"a\"", "\"a\"", 0 },
	{ "W/ \"a\"", "\"a\"", 0 },
	{ "W\"a\"", "\"a\"", 0 },
	{ "W/W/\"a\"", "\"a\"", 0 },
	{ "\"a b\"", "\"a b\"", 0 },
	{ "'a'", "\"a\"", 0 },
	{ "\"", "\"", 0 },
}, tokens[] = {
	{ "close", "close", 1 },
	{ "CLOSE", "close", 1 },
	{ "a,close", "close", 1 },
	{ "a, close ,b", "close", 1 },
	{ "\tclose\t", "close", 1 },
	{ ",,close", "close", 1 },
	{ "gzip;q=1, br ; q=0.5", "br", 1 },
	{ "gzip;q=1, br;q=0.5", "gzip", 1 },
	{ "a;b=\"x,y\", close", "close", 1 },
	{ "a;b=\"\\\"\", close", "close", 1 },
	{ "close;\"", "close", 1 },
	{ "", "close", 0 },
	{ ",", "close", 0 },
	{ " ", "close", 0 },
	{ "closed", "close", 0 },
	{ "clos", "close", 0 },
	{ "not close", "close", 0 },
	{ "close x", "close", 0 },
	{ "a;close", "close", 0 },
	{ "a;b=close", "close", 0 },
	{ "a;b=\"x,close\"", "close", 0 },
	{ "a;b=\"\\\",close\"", "close", 0 },
	{ "\"close\"", "close", 0 },
	{ "a;b=\"\\", "close", 0 },
};

static void
test_lists(void)
{
	struct http_slice	 v;
	char			*copy;
	size_t			 i;

	for (i = 0; i < N(etags); i++) {
		v.n = strlen(etags[i].value);
		v.at = copy = exact_copy(etags[i].value, v.n);
		ok(http_etag_listed(&v, etags[i].what) == etags[i].found,
		    "tags %zu: %s in %s", i + 1, etags[i].what, etags[i].value);
		free(copy);
	}
	for (i = 0; i < N(tokens); i++) {
		v.n = strlen(tokens[i].value);
		v.at = copy = exact_copy(tokens[i].value, v.n);
		ok(http_list_has(&v, tokens[i].what) == tokens[i].found,
		    "list %zu: %s in %s", i + 1, tokens[i].what,
		    tokens[i].value);
		free(copy);
	}
}

static void
test_slices(void)
{
	struct http_slice	none = { NULL, 0 }, abc = { "aBcd", 3 };
	uint64_t		first, last;

	ok(http_slice_is(&none, ""), "an empty slice is the empty text");
	ok(!http_slice_is(&none, "a"), "and no other");
	ok(http_slice_is_nocase(&none, ""), "nor without case");
	ok(!http_slice_is_nocase(&none, "a"), "nor without case any other");
	ok(http_slice_is(&abc, "aBc"), "a slice is its text");
	ok(!http_slice_is(&abc, "abc"), "exactly");
	ok(!http_slice_is(&abc, "aB") && !http_slice_is(&abc, "aBcd"),
	    "of that length");
	ok(http_slice_is_nocase(&abc, "AbC"), "or without case");
	ok(!http_slice_is_nocase(&abc, "ab") &&
	    !http_slice_is_nocase(&abc, "abcd"), "of that length too");
	ok(http_list_has(&none, "a") == 0, "an empty list has nothing");
	ok(http_etag_listed(&none, "\"a\"") == 0, "and no tag");
	ok(http_range(&none, 1, &first, &last) == 0, "and no range");
}

/* ---- what an answer is written with ---- */

static const struct {
	int64_t		 ms;
	const char	*text;
} dates[] = {
	{ 784111777000, "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 784111777999, "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 999, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ -1, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 951782400000, "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 1795383000000, "Sun, 22 Nov 2026 21:30:00 GMT" },
	{ 4102444799000, "Thu, 31 Dec 2099 23:59:59 GMT" },
	{ 253402300799000, "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ 253402300800000, "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static void
test_answer(void)
{
	static const int	statuses[] = {
		/* all of proto/errors.def, and those without an error */
#define ERR(name, status, remedy)	status,
#include "proto/errors.def"
#undef ERR
		100, 200, 202, 206, 304, 412
	};
	char			dst[32];
	size_t			i, known = 0;

	for (i = 0; i < N(dates); i++) {
		http_date(dst, dates[i].ms);
		ok(strcmp(dst, dates[i].text) == 0, "date %zu: %s", i + 1,
		    dates[i].text);
	}
	for (i = 0; i < N(statuses); i++)
		known += statuses[i] == 0 ||
		    strcmp(http_reason(statuses[i]), "Unknown") != 0;
	ok(known == N(statuses), "every status has a reason");
	ok(strcmp(http_reason(404), "Not Found") == 0, "404 is Not Found");
	ok(strcmp(http_reason(299), "Unknown") == 0, "299 is not known");
	ok(strcmp(http_method_name(HTTP_DELETE), "DELETE") == 0 &&
	    strcmp(http_method_name(HTTP_OTHER), "OTHER") == 0,
	    "methods have names");
}

int
main(void)
{
	test_chunked();
	test_trailer_limit();
	test_target();
	test_query();
	test_range();
	test_lists();
	test_slices();
	test_answer();
	return (tap_end());
}
