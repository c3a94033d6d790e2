/*
 * The front runs this.  It owns nothing: it finds a member's text in a
 * JSON object as it stands in a file, which a parser of values cannot
 * give, and takes the white space out.  The text has been checked.
 */
#include <string.h>

#include "daemon/front/license.h"

static int
is_space(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return (p);
}

/* p is at a string's first quote; behind its last. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return (p < end ? p + 1 : end);
}

static const char *
skip_value(const char *p, const char *end)
{
	int	depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (depth == 0) {	/* a number or a word */
			while (p < end && *p != ',' && *p != '}' &&
			    *p != ']' && !is_space(*p))
				p++;
		} else {
			if (*p == '}' || *p == ']')
				depth--;
			p++;
		}
		if (depth == 0)
			break;
	}
	return (p);
}

int
license_member(const char *text, size_t n, const char *key,
    const char **value, size_t *value_n)
{
	const char	*end = text + n, *p, *name;
	size_t		 name_n, key_n = strlen(key);

	p = skip_space(text, end);
	if (p == end || *p != '{')
		return (0);
	for (p++;; p++) {
		p = skip_space(p, end);
		if (p == end || *p != '"')	/* an empty object */
			return (0);
		name = p + 1;
		p = skip_string(p, end);
		name_n = (size_t)(p - name - 1);
		p = skip_space(p, end);
		if (p == end || *p != ':')
			return (0);
		*value = p = skip_space(p + 1, end);
		p = skip_value(p, end);
		*value_n = (size_t)(p - *value);
		if (name_n == key_n && memcmp(name, key, key_n) == 0)
			return (1);
		p = skip_space(p, end);
		if (p == end || *p != ',')
			return (0);
	}
}

size_t
license_compact(char *dst, const char *src, size_t n)
{
	const char	*end = src + n, *next;
	size_t		 got = 0, len;

	while (src < end) {
		if (is_space(*src)) {
			src++;
			continue;
		}
		next = *src == '"' ? skip_string(src, end) : src + 1;
		len = (size_t)(next - src);
		memmove(dst + got, src, len);
		got += len;
		src = next;
	}
	return (got);
}
