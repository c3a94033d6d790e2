/*
 * A fuzzer of the front's HTTP parser (libFuzzer).  The first byte of an
 * input says what the rest is: h a head, c a chunked body, t a target, q a
 * query, r a Range, e a list of entity tags.  Beside what the sanitizers
 * see, it checks what the header promises, and ends with abort(3).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/front/http.h"

#define STEP_ALL_BYTES	1024	/* heads up to here are fed byte by byte */

#define CHECK(e) do {							\
	if (!(e)) {							\
		fprintf(stderr, "%s:%d: broken: %s\n", __FILE__,	\
		    __LINE__, #e);					\
		abort();						\
	}								\
} while (0)

struct verdict {
	int		 rc;
	int		 status;
	const char	*why;
};

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A copy that ends where the memory does: reading on is seen. */
static char *
exact_copy(const void *data, size_t n)
{
	char	*p;

	CHECK((p = malloc(n != 0 ? n : 1)) != NULL);
	if (n != 0)
		memcpy(p, data, n);
	return (p);
}

static struct verdict
head_verdict(const char *buf, size_t n, struct http_request *r)
{
	struct verdict	v = { 0, 0, NULL };

	v.rc = http_parse_head(buf, n, r, &v.status, &v.why);
	CHECK(v.rc >= -1 && v.rc <= 1);
	CHECK((v.rc == -1) == (v.status != 0));
	CHECK((v.rc == -1) == (v.why != NULL));
	return (v);
}

static void
slice_inside(const struct http_slice *s, const char *buf, size_t n)
{
	if (s->n == 0)
		return;
	CHECK(s->at >= buf && s->at < buf + n);
	CHECK(s->n <= (size_t)(buf + n - s->at));
	CHECK(memchr(s->at, '\0', s->n) == NULL);
	CHECK(memchr(s->at, '\r', s->n) == NULL);
	CHECK(memchr(s->at, '\n', s->n) == NULL);
}

static void
head_promises(const char *buf, const struct http_request *r)
{
	size_t	i, n = r->head_bytes;

	CHECK(n >= 4 && n <= HTTP_HEAD_MAX);
	CHECK(memcmp(buf + n - 4, "\r\n\r\n", 4) == 0);
	CHECK(r->minor == 0 || r->minor == 1);
	CHECK(r->nfields <= HTTP_FIELDS_MAX);
	CHECK(r->target.n != 0 && r->target.n <= HTTP_TARGET_MAX);
	CHECK(r->target.at[0] == '/' || r->target.at[0] == '*');
	CHECK(memchr(r->target.at, ' ', r->target.n) == NULL);
	CHECK(http_field_count(r, "host") <= 1);
	CHECK(http_field_count(r, "HOST") == 1 || r->minor == 0);
	CHECK(http_field_count(r, "content-length") +
	    http_field_count(r, "transfer-encoding") <= 1);
	CHECK((r->content_length >= 0) ==
	    (http_field(r, "Content-Length") != NULL));
	CHECK(r->chunked == (http_field(r, "Transfer-Encoding") != NULL));
	CHECK(!r->chunked || r->minor == 1);
	slice_inside(&r->target, buf, n);
	slice_inside(&r->authority, buf, n);
	slice_inside(&r->host, buf, n);
	for (i = 0; i < r->nfields; i++) {
		CHECK(r->fields[i].name.n != 0);
		slice_inside(&r->fields[i].name, buf, n);
		slice_inside(&r->fields[i].value, buf, n);
	}
}

static void
fuzz_head(const uint8_t *data, size_t n)
{
	struct http_request	 r, again;
	struct verdict		 whole, part;
	char			*buf, *cut;
	size_t			 k, step;

	buf = exact_copy(data, n);
	whole = head_verdict(buf, n, &r);
	if (whole.rc == 1)
		head_promises(buf, &r);
	step = n <= STEP_ALL_BYTES ? 1 : 61;
	for (k = 0; k < n; k += step) {
		cut = exact_copy(buf, k);
		part = head_verdict(cut, k, &again);
		if (part.rc != 0) {
			CHECK(part.rc == whole.rc);
			CHECK(part.status == whole.status);
			CHECK(part.why == whole.why);
		}
		if (part.rc == 1) {
			CHECK(again.head_bytes == r.head_bytes);
			CHECK(again.nfields == r.nfields);
			CHECK(again.content_length == r.content_length);
			CHECK(again.keep_alive == r.keep_alive);
			CHECK(k >= r.head_bytes);
		} else if (whole.rc == 1)
			CHECK(k < r.head_bytes);
		free(cut);
	}
	free(buf);
}

/*
 * Decodes data in pieces of in_step bytes to out_step bytes at a time.
 * Gives what the decoder last said, how much it took and put out.
 */
static int
chunked_run(const uint8_t *data, size_t n, size_t in_step, size_t out_step,
    char *out, size_t *taken, size_t *out_n)
{
	struct http_chunked	 c;
	const char		*in;
	char			*piece, *room;
	size_t			 left, put, k;
	int			 rc = 0;

	memset(&c, 0, sizeof(c));
	*taken = *out_n = 0;
	while (rc == 0 && *taken < n) {
		k = n - *taken < in_step ? n - *taken : in_step;
		piece = exact_copy(data + *taken, k);
		CHECK((room = malloc(out_step)) != NULL);
		in = piece;
		left = k;
		rc = http_chunked_feed(&c, &in, &left, room, out_step, &put);
		CHECK(rc >= -1 && rc <= 1);
		CHECK(put <= out_step && left <= k && in == piece + k - left);
		CHECK(rc != 0 || left == 0 || put == out_step);
		memcpy(out + *out_n, room, put);
		*out_n += put;
		*taken += k - left;
		free(piece);
		free(room);
	}
	if (rc != 0) {
		left = 0;
		in = "";
		CHECK(http_chunked_feed(&c, &in, &left, out, 0, &put) == rc);
	}
	return (rc);
}

/* Whatever is put into chunks comes out of them. */
static void
chunked_round(const uint8_t *data, size_t n)
{
	uint8_t	*coded;
	char	*out;
	size_t	 i, k, len = 0, taken, out_n;

	CHECK((coded = malloc(8 * n + 64)) != NULL);
	CHECK((out = malloc(n + 1)) != NULL);
	for (i = 0; i < n; i += k) {
		k = (size_t)data[i] % 7 + 1;
		if (k > n - i)
			k = n - i;
		len += (size_t)sprintf((char *)coded + len, "%zx\r\n", k);
		memcpy(coded + len, data + i, k);
		len += k;
		coded[len++] = '\r';
		coded[len++] = '\n';
	}
	len += (size_t)sprintf((char *)coded + len, "0\r\nA: b\r\n\r\n");
	CHECK(chunked_run(coded, len, len, n + 1, out, &taken, &out_n) == 1);
	CHECK(taken == len && out_n == n && memcmp(out, data, n) == 0);
	free(coded);
	free(out);
}

static void
fuzz_chunked(const uint8_t *data, size_t n)
{
	static const size_t	 steps[][2] = { { 1, 1 }, { 3, 2 }, { 7, 64 } };
	char			*out, *again;
	size_t			 i, taken, out_n, taken2, out_n2;
	int			 rc;

	CHECK((out = malloc(n + 1)) != NULL);
	CHECK((again = malloc(n + 1)) != NULL);
	rc = chunked_run(data, n, n + 1, n + 1, out, &taken, &out_n);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CHECK(chunked_run(data, n, steps[i][0], steps[i][1], again,
		    &taken2, &out_n2) == rc);
		CHECK(out_n2 == out_n && memcmp(out, again, out_n) == 0);
		CHECK(rc == -1 || taken2 == taken);
	}
	if (n != 0)
		chunked_round(data, n);
	free(out);
	free(again);
}

static void
text_promises(const char *dst, size_t size)
{
	const char	*p;

	CHECK(memchr(dst, '\0', size) != NULL);
	CHECK(util_utf8_valid(dst, strlen(dst)));
	for (p = dst; *p != '\0'; p++)
		CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void
fuzz_target(const uint8_t *data, size_t n)
{
	static const size_t	 sizes[] = { 0, 1, 2, 9, HTTP_PATH_MAX };
	struct http_slice	 target, query;
	char			*buf, *dst;
	size_t			 i;
	int			 rc;

	buf = exact_copy(data, n);
	target.at = buf;
	target.n = n;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK((dst = malloc(sizes[i] != 0 ? sizes[i] : 1)) != NULL);
		rc = http_split_target(&target, dst, sizes[i], &query);
		CHECK(rc == 0 || rc == -1);
		CHECK(query.n <= n && query.at >= buf &&
		    query.at + query.n == buf + n);
		if (sizes[i] != 0)
			text_promises(dst, sizes[i]);
		if (rc == 0) {
			CHECK(dst[0] == '/');
			CHECK(strstr(dst, "//") == NULL);
			CHECK(strstr(dst, "/../") == NULL);
			CHECK(strstr(dst, "/./") == NULL);
		} else if (sizes[i] != 0)
			CHECK(dst[0] == '\0');
		free(dst);
	}
	free(buf);
}

/* A value with every byte escaped is given back as it was. */
static void
query_round(const uint8_t *data, size_t n)
{
	struct http_slice	 query;
	char			*text, *dst;
	size_t			 i;
	int			 clean = 1;

	CHECK((text = malloc(3 * n + 8)) != NULL);
	CHECK((dst = malloc(n + 1)) != NULL);
	memcpy(text, "x=1&a=", 7);
	for (i = 0; i < n; i++) {
		sprintf(text + 6 + 3 * i, "%%%02x", data[i]);
		clean &= data[i] >= 0x20 && data[i] != 0x7f;
	}
	clean &= util_utf8_valid((const char *)data, n);
	query.at = text;
	query.n = 6 + 3 * n;
	CHECK(http_query(&query, "a", dst, n + 1) == (clean ? 1 : -1));
	CHECK(!clean || (strlen(dst) == n && memcmp(dst, data, n) == 0));
	CHECK(http_query(&query, "a", dst, n) == -1);
	free(text);
	free(dst);
}

static void
fuzz_query(const uint8_t *data, size_t n)
{
	static const char *const	 names[] = { "", "a", "id", "user_id" };
	struct http_slice		 query;
	char				*buf, *dst;
	size_t				 i, size;
	int				 rc;

	buf = exact_copy(data, n);
	query.at = buf;
	query.n = n;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size = 1; size < 300; size = size * 4 + 1) {
			CHECK((dst = malloc(size)) != NULL);
			rc = http_query(&query, names[i], dst, size);
			CHECK(rc >= -1 && rc <= 1);
			text_promises(dst, size);
			CHECK(rc == 1 || dst[0] == '\0');
			free(dst);
		}
	}
	query_round(data, n);
	free(buf);
}

static void
fuzz_range(const uint8_t *data, size_t n)
{
	static const uint64_t	 sizes[] = { 0, 1, 5, 4096, UINT64_MAX };
	struct http_slice	 value;
	char			*buf, date[32];
	uint64_t		 first, last;
	int64_t			 ms = 0;
	size_t			 i;
	int			 rc;

	buf = exact_copy(data, n);
	value.at = buf;
	value.n = n;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rc = http_range(&value, sizes[i], &first, &last);
		CHECK(rc >= -1 && rc <= 1);
		if (rc == 1)
			CHECK(first <= last && last < sizes[i]);
		if (rc != 0)
			CHECK(memchr(buf, ',', n) == NULL);
	}
	memcpy(&ms, buf, n < sizeof(ms) ? n : sizeof(ms));
	http_date(date, ms);
	CHECK(strlen(date) == 29 && strcmp(date + 25, " GMT") == 0);
	free(buf);
}

static void
fuzz_etag(const uint8_t *data, size_t n)
{
	static const char	*const tags[] = { "\"a\"", "W/\"a,b\"", "\"\"" };
	struct http_slice	 value;
	char			*buf, *own;
	size_t			 i;
	int			 clean = 1, rc;

	buf = exact_copy(data, n);
	value.at = buf;
	value.n = n;
	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		rc = http_etag_listed(&value, tags[i]);
		CHECK(rc == 0 || rc == 1);
		rc = http_list_has(&value, "close");
		CHECK(rc == 0 || rc == 1);
	}
	free(buf);
	/* As a tag of its own, behind another one. */
	for (i = 0; i < n; i++)
		clean &= data[i] > 0x20 && data[i] != 0x7f && data[i] != '"';
	CHECK((own = malloc(n + 16)) != NULL);
	memcpy(own, "\"x,\", W/\"", 9);
	if (n != 0)
		memcpy(own + 9, data, n);
	memcpy(own + 9 + n, "\"", 2);
	value.at = own;
	value.n = n + 10;
	if (clean)
		CHECK(http_etag_listed(&value, own + 8) == 1);
	free(own);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct {
		uint8_t	  letter;
		void	(*run)(const uint8_t *, size_t);
	} parts[] = {
		{ 'h', fuzz_head },
		{ 'c', fuzz_chunked },
		{ 't', fuzz_target },
		{ 'q', fuzz_query },
		{ 'r', fuzz_range },
		{ 'e', fuzz_etag },
	};
	size_t	i;

	if (n == 0)
		return (0);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].letter == data[0])
			parts[i].run(data + 1, n - 1);
	return (0);
}
