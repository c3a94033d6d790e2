/*
 * The network process runs this on what strangers sent.  It owns nothing
 * and allocates nothing.
 */
#include <string.h>

#include "daemon/network/json.h"

static const char	*skip_value(const char *, const char *, int);

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return (p);
}

static int
is_digit(const char *p, const char *end)
{
	return (p < end && *p >= '0' && *p <= '9');
}

static int
is_hex4(const char *p, const char *end)
{
	int	i;

	if (end - p < 4)
		return (0);
	for (i = 0; i < 4; i++) {
		if (p[i] == '\0' || strchr("0123456789abcdefABCDEF", p[i]) == NULL)
			return (0);
	}
	return (1);
}

/* Each skip_ function gives the place behind, or NULL on bad syntax. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return (p + 1);
		if ((unsigned char)*p < 0x20)
			return (NULL);
		if (*p != '\\')
			continue;
		if (++p == end)
			return (NULL);
		if (*p == 'u') {
			if (!is_hex4(p + 1, end))
				return (NULL);
			p += 4;
		} else if (*p == '\0' || strchr("\"\\/bfnrt", *p) == NULL)
			return (NULL);
	}
	return (NULL);
}

static const char *
skip_digits(const char *p, const char *end)
{
	if (!is_digit(p, end))
		return (NULL);
	while (is_digit(p, end))
		p++;
	return (p);
}

static const char *
skip_number(const char *p, const char *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = skip_digits(p, end)) == NULL)
		return (NULL);
	if (p < end && *p == '.' && (p = skip_digits(p + 1, end)) == NULL)
		return (NULL);
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return (p);
}

static const char *
skip_word(const char *p, const char *end)
{
	static const char *const	words[] = { "true", "false", "null" };
	size_t				i, n;

	for (i = 0; i < 3; i++) {
		n = strlen(words[i]);
		if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
			return (p + n);
	}
	return (NULL);
}

/* A member's name and its colon. */
static const char *
skip_name(const char *p, const char *end)
{
	if (p == end || *p != '"' || (p = skip_string(p, end)) == NULL)
		return (NULL);
	p = skip_space(p, end);
	if (p == end || *p != ':')
		return (NULL);
	return (skip_space(p + 1, end));
}

static const char *
skip_container(const char *p, const char *end, int depth)
{
	char	object = *p == '{', close = object ? '}' : ']';

	if (depth == 0)
		return (NULL);
	p = skip_space(p + 1, end);
	if (p < end && *p == close)
		return (p + 1);
	for (;;) {
		if (object && (p = skip_name(p, end)) == NULL)
			return (NULL);
		if ((p = skip_value(p, end, depth - 1)) == NULL)
			return (NULL);
		p = skip_space(p, end);
		if (p == end)
			return (NULL);
		if (*p == close)
			return (p + 1);
		if (*p != ',')
			return (NULL);
		p = skip_space(p + 1, end);
	}
}

static const char *
skip_value(const char *p, const char *end, int depth)
{
	if (p == end)
		return (NULL);
	switch (*p) {
	case '{':
	case '[':
		return (skip_container(p, end, depth));
	case '"':
		return (skip_string(p, end));
	case 't':
	case 'f':
	case 'n':
		return (skip_word(p, end));
	default:
		return (skip_number(p, end));
	}
}

int
json_check(const char *text, size_t n, struct slice *value)
{
	const char	*p = text, *end = text + n, *behind;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	p = skip_space(p, end);
	if ((behind = skip_value(p, end, JSON_DEPTH_MAX)) == NULL ||
	    skip_space(behind, end) != end)
		return (-1);
	value->s = p;
	value->n = (size_t)(behind - p);
	return (0);
}

int
json_kind(const struct slice *v)
{
	if (v->s == NULL || v->n == 0)
		return (0);
	if (*v->s == '-' || is_digit(v->s, v->s + v->n))
		return ('0');
	return (*v->s);
}

void
json_members(const struct slice *object, const char *const *names,
    struct slice *found, size_t n)
{
	const char	*p, *end, *name, *value;
	size_t		 i, len;

	memset(found, 0, n * sizeof(*found));
	if (json_kind(object) != '{')
		return;
	end = object->s + object->n;
	p = skip_space(object->s + 1, end);
	while (p != NULL && p < end && *p == '"') {
		name = p + 1;
		if ((p = skip_string(p, end)) == NULL)
			return;
		len = (size_t)(p - 1 - name);
		if ((value = skip_name(name - 1, end)) == NULL ||
		    (p = skip_value(value, end, JSON_DEPTH_MAX)) == NULL)
			return;
		for (i = 0; i < n; i++) {
			if (found[i].s == NULL && strlen(names[i]) == len &&
			    memcmp(names[i], name, len) == 0) {
				found[i].s = value;
				found[i].n = (size_t)(p - value);
			}
		}
		p = skip_space(p, end);
		if (p < end && *p == ',')
			p = skip_space(p + 1, end);
	}
}

int
json_next(struct slice *rest, struct slice *element)
{
	const char	*p, *end = rest->s + rest->n, *behind;

	if (rest->n == 0)
		return (0);
	/* Behind the bracket or a comma; each lies before an element. */
	p = skip_space(rest->s + 1, end);
	if ((behind = skip_value(p, end, JSON_DEPTH_MAX)) == NULL) {
		rest->n = 0;
		return (0);
	}
	element->s = p;
	element->n = (size_t)(behind - p);
	rest->s = skip_space(behind, end);
	rest->n = rest->s < end && *rest->s == ',' ?
	    (size_t)(end - rest->s) : 0;
	return (1);
}
