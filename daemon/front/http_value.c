/*
 * The front process runs this: values of header fields (lists, ranges,
 * entity tags), and what an answer's head is written with.  It owns nothing
 * and must not depend on the locale.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/front/http.h"
#include "daemon/front/http_char.h"

int
http_slice_is(const struct http_slice *s, const char *text)
{
	size_t	n = strlen(text);

	return (s->n == n && (n == 0 || memcmp(s->at, text, n) == 0));
}

int
http_slice_is_nocase(const struct http_slice *s, const char *text)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (text[i] == '\0' || char_lower((unsigned char)s->at[i]) !=
		    char_lower((unsigned char)text[i]))
			return (0);
	return (text[i] == '\0');
}

/* How many bytes s has before the end or the next comma; one between
 * quotes is not a comma. */
static size_t
element_bytes(const char *s, size_t n)
{
	size_t	i;
	int	quoted = 0;

	for (i = 0; i < n; i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (quoted && s[i] == '\\' && i + 1 < n)
			i++;
		else if (!quoted && s[i] == ',')
			break;
	}
	return (i);
}

/* What stands before the parameters, without the white space around. */
static struct http_slice
element_name(const char *s, size_t n)
{
	struct http_slice	name;
	const char		*p;

	if (n != 0 && (p = memchr(s, ';', n)) != NULL)
		n = (size_t)(p - s);
	for (; n != 0 && char_blank((unsigned char)*s); s++)
		n--;
	while (n != 0 && char_blank((unsigned char)s[n - 1]))
		n--;
	name.at = s;
	name.n = n;
	return (name);
}

int
http_list_has(const struct http_slice *value, const char *token)
{
	struct http_slice	name;
	size_t			i = 0, n;

	while (i < value->n) {
		n = element_bytes(value->at + i, value->n - i);
		name = element_name(value->at + i, n);
		if (http_slice_is_nocase(&name, token))
			return (1);
		i += n + 1;
	}
	return (0);
}

/*
 * Reads digits at *s up to end; 0 when there are none.  A number that is
 * too large becomes UINT64_MAX: it is beyond any size all the same.
 */
static int
range_number(const char **s, const char *end, uint64_t *v)
{
	const char	*start = *s;
	unsigned int	 digit;

	*v = 0;
	for (; *s < end && char_digit((unsigned char)**s); (*s)++) {
		digit = (unsigned int)(**s - '0');
		*v = *v > (UINT64_MAX - digit) / 10 ? UINT64_MAX :
		    *v * 10 + digit;
	}
	return (*s != start);
}

int
http_range(const struct http_slice *value, uint64_t size, uint64_t *first,
    uint64_t *last)
{
	struct http_slice	 unit;
	const char		*p, *end;
	uint64_t		 a, b;
	int			 has_a, has_b;

	if (value->n < 6 || value->at[5] != '=')
		return (0);
	unit.at = value->at;
	unit.n = 5;
	p = value->at + 6;
	end = value->at + value->n;
	if (!http_slice_is_nocase(&unit, "bytes"))
		return (0);
	has_a = range_number(&p, end, &a);
	if (p == end || *p++ != '-')
		return (0);
	has_b = range_number(&p, end, &b);
	if (p != end || (!has_a && !has_b) || (has_a && has_b && b < a))
		return (0);
	if (has_a ? a >= size : b == 0)
		return (-1);
	/* The last bytes of nothing: no Content-Range can say that. */
	if (size == 0)
		return (0);
	if (has_a) {
		*first = a;
		*last = has_b && b < size ? b : size - 1;
	} else {
		*first = b < size ? size - b : 0;
		*last = size - 1;
	}
	return (1);
}

/* The bytes of an entity tag at s, with its quotes; 0 when it is none. */
static size_t
tag_bytes(const char *s, size_t n)
{
	size_t	i;

	if (n < 2 || s[0] != '"')
		return (0);
	for (i = 1; i < n; i++) {
		if (s[i] == '"')
			return (i + 1);
		if (s[i] == ' ' || char_control((unsigned char)s[i]))
			return (0);
	}
	return (0);
}

int
http_etag_listed(const struct http_slice *value, const char *etag)
{
	struct http_slice	tag;
	size_t			i = 0;
	int			found = 0, between = 1;

	if (http_slice_is(value, "*"))
		return (1);
	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	while (i < value->n) {
		if (value->at[i] == ',' || char_blank(
		    (unsigned char)value->at[i])) {
			between |= value->at[i++] == ',';
			continue;
		}
		if (value->n - i > 2 && memcmp(value->at + i, "W/", 2) == 0)
			i += 2;
		tag.at = value->at + i;
		tag.n = tag_bytes(tag.at, value->n - i);
		/* A list that is wrong somewhere is believed nowhere. */
		if (tag.n == 0 || !between)
			return (0);
		between = 0;
		found |= http_slice_is(&tag, etag);
		i += tag.n;
	}
	return (found);
}

void
http_date(char dst[32], int64_t ms)
{
	static const char	days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char	months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	const int64_t		last_s = 253402300799;	/* of year 9999 */
	struct tm		tm;
	time_t			t;

	t = (time_t)(ms < 0 ? 0 : ms / 1000 > last_s ? last_s : ms / 1000);
	dst[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	snprintf(dst, 32, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	    days[tm.tm_wday], (unsigned int)tm.tm_mday % 100,
	    months[tm.tm_mon], ((unsigned int)tm.tm_year + 1900) % 10000,
	    (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
	    (unsigned int)tm.tm_sec % 100);
}

const char *
http_reason(int status)
{
	static const struct {
		int		 status;
		const char	*text;
	} reasons[] = {
		{ 100, "Continue" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 423, "Locked" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};
	size_t	i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return (reasons[i].text);
	return ("Unknown");
}

const char *
http_method_name(enum http_method m)
{
	static const char *const	names[] = {
		[HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",
		[HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS",
		[HTTP_PATCH] = "PATCH",
		[HTTP_OTHER] = "OTHER",
	};

	return (names[m]);
}
