/*
 * The front process runs this: it reads the head of a request, bytes of a
 * stranger, and says what they are or why not.  It owns nothing, allocates
 * nothing and must not guess: whatever two readers could understand in two
 * ways is refused.
 *
 * It goes from left to right and stops at the first offence, so that the
 * verdict on a head does not depend on the pieces in which it came.
 */
#include <string.h>

#include "daemon/front/http.h"
#include "daemon/front/http_char.h"

struct head {
	const char		*buf;
	size_t			 n;
	size_t			 pos;	/* where the next line begins */
	struct http_request	*r;
	int			*status;
	const char		**why;
};

enum line_end {
	LINE_WHOLE,
	LINE_CUT,			/* the rest has not come yet */
	LINE_BAD			/* *end is the offending byte */
};

static int
refuse(const struct head *h, int status, const char *why)
{
	*h->status = status;
	*h->why = why;
	return (-1);
}

static struct http_slice
slice(const char *at, size_t n)
{
	struct http_slice	s;

	s.at = at;
	s.n = n;
	return (s);
}

static int
slice_is_token(const struct http_slice *s)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (!char_token((unsigned char)s->at[i]))
			return (0);
	return (s->n != 0);
}

/* Finds the end of the line at h->pos, CR LF; *end is where its text ends. */
static enum line_end
line_scan(const struct head *h, size_t *end)
{
	unsigned char	c;
	size_t		i;

	for (i = h->pos; i < h->n; i++) {
		c = (unsigned char)h->buf[i];
		if (!char_control(c) || c == '\t')
			continue;
		*end = i;
		if (c != '\r')
			return (LINE_BAD);
		if (i + 1 == h->n)
			return (LINE_CUT);
		return (h->buf[i + 1] == '\n' ? LINE_WHOLE : LINE_BAD);
	}
	*end = i;
	return (LINE_CUT);
}

/* What to say of a line that line_scan did not find whole. */
static int
line_not_whole(const struct head *h, enum line_end kind, size_t end)
{
	if (kind == LINE_CUT)
		return (0);
	if (h->buf[end] == '\r' || h->buf[end] == '\n')
		return (refuse(h, 400,
		    "A line of the request must end in CR and LF."));
	return (refuse(h, 400,
	    "The request's head has a control character."));
}

/* Cuts what stands before the first space off *rest; -1 without one. */
static int
cut_word(struct http_slice *rest, struct http_slice *word)
{
	const char	*space;

	if (rest->n == 0 || (space = memchr(rest->at, ' ', rest->n)) == NULL)
		return (-1);
	*word = slice(rest->at, (size_t)(space - rest->at));
	*rest = slice(space + 1, rest->n - word->n - 1);
	return (0);
}

/* Also of a line that is not whole yet: nobody shall send on and on. */
static int
target_too_long(struct http_slice line)
{
	struct http_slice	word;

	if (cut_word(&line, &word) == -1)
		return (0);
	if (cut_word(&line, &word) == 0)
		return (word.n > HTTP_TARGET_MAX);
	return (line.n > HTTP_TARGET_MAX);
}

static enum http_method
method_find(const struct http_slice *s)
{
	enum http_method	m;

	for (m = HTTP_GET; m != HTTP_OTHER; m++)
		if (http_slice_is(s, http_method_name(m)))
			break;
	return (m);
}

static int
version_parse(const struct head *h, const struct http_slice *s)
{
	if (s->n != 8 || memcmp(s->at, "HTTP/", 5) != 0 ||
	    !char_digit((unsigned char)s->at[5]) || s->at[6] != '.' ||
	    !char_digit((unsigned char)s->at[7]))
		return (refuse(h, 400,
		    "The request line must end in a space and HTTP/1.1."));
	if (s->at[5] != '1' || s->at[7] > '1')
		return (refuse(h, 505,
		    "Only HTTP/1.1 and HTTP/1.0 are spoken here."));
	h->r->minor = s->at[7] - '0';
	return (0);
}

/* What is in brackets: enough that no reader takes it for two things. */
static int
literal_valid(const char *s, size_t n)
{
	size_t	i, colons = 0;

	for (i = 0; i < n; i++) {
		if (s[i] == ':')
			colons++;
		else if (s[i] != '.' && char_hex((unsigned char)s[i]) == -1)
			return (0);
	}
	return (colons >= 2);
}

static int
port_valid(const char *s, size_t n)
{
	size_t		i;
	unsigned int	port = 0;

	if (n == 0 || n > 5)
		return (0);
	for (i = 0; i < n; i++) {
		if (!char_digit((unsigned char)s[i]))
			return (0);
		port = port * 10 + (unsigned int)(s[i] - '0');
	}
	return (port <= 65535);
}

/* host [ ":" port ]: a name, an IPv4 address or an IPv6 one in brackets. */
static int
authority_valid(const struct http_slice *s)
{
	const char	*close;
	size_t		 i = 0;

	if (s->n != 0 && s->at[0] == '[') {
		if ((close = memchr(s->at, ']', s->n)) == NULL)
			return (0);
		i = (size_t)(close - s->at) + 1;
		if (!literal_valid(s->at + 1, i - 2))
			return (0);
	} else {
		while (i < s->n && (char_alnum((unsigned char)s->at[i]) ||
		    s->at[i] == '-' || s->at[i] == '.' || s->at[i] == '_'))
			i++;
		if (i == 0)
			return (0);
	}
	if (i == s->n)
		return (1);
	return (s->at[i] == ':' && port_valid(s->at + i + 1, s->n - i - 1));
}

/* "http://authority/path": takes it apart into r->authority and r->target. */
static int
target_absolute(const struct head *h, const struct http_slice *t)
{
	static const char	 scheme[] = "http://";
	struct http_slice	 start, *a = &h->r->authority;
	size_t			 n = sizeof(scheme) - 1, end;

	start = slice(t->at, t->n < n ? t->n : n);
	if (!http_slice_is_nocase(&start, scheme))
		return (refuse(h, 400, "The request's target must begin "
		    "with a slash, or be a URL that begins with http://."));
	for (end = n; end < t->n; end++)
		if (t->at[end] == '/' || t->at[end] == '?')
			break;
	*a = slice(t->at + n, end - n);
	if (!authority_valid(a))
		return (refuse(h, 400,
		    "The URL in the request line has no valid host."));
	if (end < t->n && t->at[end] == '?')
		return (refuse(h, 400,
		    "The URL in the request line has no path."));
	/* An empty path means "/": the scheme has one to point to. */
	h->r->target = end == t->n ? slice(t->at + n - 1, 1) :
	    slice(t->at + end, t->n - end);
	return (0);
}

static int
target_parse(const struct head *h, const struct http_slice *t)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (t->at[i] <= ' ' || t->at[i] >= 0x7f || t->at[i] == '#')
			return (refuse(h, 400, "The request's target has a "
			    "character that must be percent-encoded."));
	if (t->n != 0 && t->at[0] == '/')
		h->r->target = *t;
	else if (http_slice_is(t, "*") && h->r->method == HTTP_OPTIONS)
		h->r->target = *t;
	else
		return (target_absolute(h, t));
	return (0);
}

static int
request_line(struct head *h)
{
	struct http_slice	line, method, target;
	enum line_end		kind;
	size_t			end;

	kind = line_scan(h, &end);
	line = slice(h->buf + h->pos, end - h->pos);
	if (target_too_long(line))
		return (refuse(h, 414, "The request's target is too long."));
	if (kind != LINE_WHOLE)
		return (line_not_whole(h, kind, end));
	h->pos = end + 2;
	if (cut_word(&line, &method) == -1 || !slice_is_token(&method) ||
	    cut_word(&line, &target) == -1)
		return (refuse(h, 400, "The request line must be a method, "
		    "a target and a version, with one space between."));
	h->r->method = method_find(&method);
	if (version_parse(h, &line) == -1 || target_parse(h, &target) == -1)
		return (-1);
	return (1);
}

static int
field_parse(struct head *h, const struct http_slice *line)
{
	struct http_field	*f;
	const char		*colon, *p, *end;

	if (char_blank((unsigned char)line->at[0]))
		return (refuse(h, 400, "A header field must stand on one "
		    "line, without white space before its name."));
	if ((colon = memchr(line->at, ':', line->n)) == NULL)
		return (refuse(h, 400, "A header field has no colon."));
	if (h->r->nfields == HTTP_FIELDS_MAX)
		return (refuse(h, 431,
		    "The request has too many header fields."));
	f = &h->r->fields[h->r->nfields];
	f->name = slice(line->at, (size_t)(colon - line->at));
	if (!slice_is_token(&f->name))
		return (refuse(h, 400, "The name of a header field is empty, "
		    "or has a character that it must not have."));
	end = line->at + line->n;
	for (p = colon + 1; p < end && char_blank((unsigned char)*p); p++)
		;
	while (end > p && char_blank((unsigned char)end[-1]))
		end--;
	f->value = slice(p, (size_t)(end - p));
	h->r->nfields++;
	return (0);
}

/* 1 when the empty line was read, else as http_parse_head. */
static int
field_lines(struct head *h)
{
	struct http_slice	line;
	enum line_end		kind;
	size_t			end;

	for (;;) {
		kind = line_scan(h, &end);
		if (kind != LINE_WHOLE)
			return (line_not_whole(h, kind, end));
		line = slice(h->buf + h->pos, end - h->pos);
		h->pos = end + 2;
		if (line.n == 0)
			return (1);
		if (field_parse(h, &line) == -1)
			return (-1);
	}
}

static int
check_host(const struct head *h)
{
	const struct http_field	*f;
	struct http_request	*r = h->r;
	size_t			 i;

	if (http_field_count(r, "Host") > 1)
		return (refuse(h, 400, "The request has two Host fields."));
	if ((f = http_field(r, "Host")) == NULL) {
		if (r->minor == 0)
			return (0);
		return (refuse(h, 400, "The request has no Host field."));
	}
	r->host = f->value;
	if (!authority_valid(&r->host))
		return (refuse(h, 400, "The Host field names no valid host."));
	if (r->authority.n == 0)
		return (0);
	if (r->authority.n == r->host.n) {
		for (i = 0; i < r->host.n; i++)
			if (char_lower((unsigned char)r->host.at[i]) !=
			    char_lower((unsigned char)r->authority.at[i]))
				break;
		if (i == r->host.n)
			return (0);
	}
	return (refuse(h, 400, "The Host field and the URL in the request "
	    "line name different hosts."));
}

/* Where the body ends: the field of all smuggling. */
static int
check_framing(const struct head *h)
{
	const struct http_field	*length, *coding;
	struct http_request	*r = h->r;
	size_t			 i;
	int			 digit;

	length = http_field(r, "Content-Length");
	coding = http_field(r, "Transfer-Encoding");
	if (length != NULL && coding != NULL)
		return (refuse(h, 400, "The request has both Content-Length "
		    "and Transfer-Encoding."));
	if (coding != NULL) {
		if (r->minor == 0)
			return (refuse(h, 400,
			    "HTTP/1.0 has no Transfer-Encoding."));
		if (http_field_count(r, "Transfer-Encoding") != 1 ||
		    !http_slice_is_nocase(&coding->value, "chunked"))
			return (refuse(h, 501, "The only transfer coding "
			    "understood here is chunked."));
		r->chunked = 1;
	}
	if (length == NULL)
		return (0);
	if (http_field_count(r, "Content-Length") != 1)
		return (refuse(h, 400,
		    "The request has two Content-Length fields."));
	if (length->value.n == 0)
		return (refuse(h, 400, "The Content-Length is empty."));
	r->content_length = 0;
	for (i = 0; i < length->value.n; i++) {
		digit = length->value.at[i] - '0';
		if (digit < 0 || digit > 9 ||
		    r->content_length > (INT64_MAX - digit) / 10)
			return (refuse(h, 400,
			    "The Content-Length is not a sensible number."));
		r->content_length = r->content_length * 10 + digit;
	}
	return (0);
}

static int
check_connection(const struct head *h)
{
	struct http_request	*r = h->r;
	size_t			 i;
	int			 stay, leave = 0;

	stay = r->minor == 1;
	for (i = 0; i < r->nfields; i++) {
		if (!http_slice_is_nocase(&r->fields[i].name, "Connection"))
			continue;
		stay |= http_list_has(&r->fields[i].value, "keep-alive");
		leave |= http_list_has(&r->fields[i].value, "close");
	}
	r->keep_alive = stay && !leave;
	return (0);
}

static int
check_expect(const struct head *h)
{
	struct http_request	*r = h->r;
	size_t			 i;

	for (i = 0; i < r->nfields; i++) {
		if (!http_slice_is_nocase(&r->fields[i].name, "Expect"))
			continue;
		if (!http_slice_is_nocase(&r->fields[i].value, "100-continue"))
			return (refuse(h, 417, "The only expectation "
			    "understood here is 100-continue."));
		/* HTTP/1.0 does not know it (RFC 9110, 10.1.1). */
		r->expect_continue = r->minor == 1 &&
		    (r->chunked || r->content_length > 0);
	}
	return (0);
}

static int
head_parse(struct head *h)
{
	static int (*const checks[])(const struct head *) = {
		check_host, check_framing, check_connection, check_expect
	};
	size_t	i;
	int	rc;

	if (h->n >= 2 && memcmp(h->buf, "\r\n", 2) == 0)
		h->pos = 2;
	if ((rc = request_line(h)) != 1 || (rc = field_lines(h)) != 1)
		return (rc);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](h) == -1)
			return (-1);
	h->r->head_bytes = h->pos;
	return (1);
}

int
http_parse_head(const char *buf, size_t n, struct http_request *r,
    int *status, const char **why)
{
	struct head	h;
	int		rc;

	memset(r, 0, sizeof(*r));
	r->content_length = -1;
	memset(&h, 0, sizeof(h));
	h.buf = buf;
	h.n = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;
	h.r = r;
	h.status = status;
	h.why = why;
	rc = head_parse(&h);
	if (rc == 0 && n >= HTTP_HEAD_MAX)
		return (refuse(&h, 431, "The request's head is too long."));
	return (rc);
}

const struct http_field *
http_field(const struct http_request *r, const char *name)
{
	size_t	i;

	for (i = 0; i < r->nfields; i++)
		if (http_slice_is_nocase(&r->fields[i].name, name))
			return (&r->fields[i]);
	return (NULL);
}

size_t
http_field_count(const struct http_request *r, const char *name)
{
	size_t	i, count = 0;

	for (i = 0; i < r->nfields; i++)
		if (http_slice_is_nocase(&r->fields[i].name, name))
			count++;
	return (count);
}
