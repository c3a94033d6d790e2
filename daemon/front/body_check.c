/*
 * The front runs this.  It owns nothing: a checker of JSON's grammar (RFC
 * 8259) over a text in memory.  json-c, which builds the values afterwards,
 * accepts more than the standard does, cuts keys at a NUL and keeps only
 * the last of duplicate keys; so what reaches it is checked here first, and
 * the number of members is compared.
 */
#include <string.h>

#include "common/util.h"
#include "daemon/front/request.h"

struct scan {
	const char	*p, *end;
	int		 depth;		/* that may still be opened */
	long		 members;
	const char	*why;
};

static int	scan_value(struct scan *);

static int
scan_refuse(struct scan *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	return (-1);
}

static void
scan_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
	    *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

/* 1 and passed over when c is next. */
static int
scan_is(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return (0);
	s->p++;
	return (1);
}

static int
scan_hex(struct scan *s, unsigned int *value)
{
	int	i, c;

	*value = 0;
	for (i = 0; i < 4; i++) {
		if (s->p == s->end)
			return (scan_refuse(s, "a string does not end"));
		c = (unsigned char)*s->p++;
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return (scan_refuse(s, "\\u without four digits"));
		*value = *value << 4 | (unsigned int)c;
	}
	return (0);
}

static int
scan_unicode(struct scan *s)
{
	unsigned int	u, low;

	if (scan_hex(s, &u) == -1)
		return (-1);
	if (u == 0)
		return (scan_refuse(s, "a string holds a NUL"));
	if (u >= 0xdc00 && u <= 0xdfff)
		return (scan_refuse(s, "half a surrogate pair"));
	if (u < 0xd800 || u > 0xdbff)
		return (0);
	if (!scan_is(s, '\\') || !scan_is(s, 'u') || scan_hex(s, &low) == -1 ||
	    low < 0xdc00 || low > 0xdfff)
		return (scan_refuse(s, "half a surrogate pair"));
	return (0);
}

static int
scan_string(struct scan *s)
{
	unsigned char	c;

	if (!scan_is(s, '"'))
		return (scan_refuse(s, "a key is not a string"));
	while (s->p < s->end) {
		c = (unsigned char)*s->p++;
		if (c == '"')
			return (0);
		if (c < 0x20)
			return (scan_refuse(s,
			    "a control character in a string"));
		if (c != '\\')
			continue;
		if (s->p == s->end)
			break;
		if (*s->p == 'u') {
			s->p++;
			if (scan_unicode(s) == -1)
				return (-1);
		} else if (*s->p != '\0' &&
		    strchr("\"\\/bfnrt", *s->p) != NULL)
			s->p++;
		else
			return (scan_refuse(s, "an unknown escape"));
	}
	return (scan_refuse(s, "a string does not end"));
}

/* At least one digit; how many. */
static size_t
scan_digits(struct scan *s)
{
	const char	*start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return ((size_t)(s->p - start));
}

static int
scan_number(struct scan *s)
{
	(void)scan_is(s, '-');
	if (!scan_is(s, '0') && scan_digits(s) == 0)
		return (scan_refuse(s, "something that is no JSON value"));
	if (scan_is(s, '.') && scan_digits(s) == 0)
		return (scan_refuse(s, "a number that is none"));
	if (scan_is(s, 'e') || scan_is(s, 'E')) {
		if (!scan_is(s, '+'))
			(void)scan_is(s, '-');
		if (scan_digits(s) == 0)
			return (scan_refuse(s, "a number that is none"));
	}
	return (0);
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t	n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return (scan_refuse(s, "something that is no JSON value"));
	s->p += n;
	return (0);
}

/* An array or an object, behind its opening bracket. */
static int
scan_members(struct scan *s, char close)
{
	if (s->depth-- == 0)
		return (scan_refuse(s, "it is nested too deeply"));
	scan_space(s);
	if (scan_is(s, close)) {
		s->depth++;
		return (0);
	}
	do {
		scan_space(s);
		if (close == '}') {
			if (scan_string(s) == -1)
				return (-1);
			scan_space(s);
			if (!scan_is(s, ':'))
				return (scan_refuse(s, "a key without ':'"));
			s->members++;
		}
		if (scan_value(s) == -1)
			return (-1);
		scan_space(s);
	} while (scan_is(s, ','));
	if (!scan_is(s, close))
		return (scan_refuse(s, "a bracket is not closed"));
	s->depth++;
	return (0);
}

static int
scan_value(struct scan *s)
{
	scan_space(s);
	if (s->p == s->end)
		return (scan_refuse(s, "it ends too early"));
	switch (*s->p) {
	case '{':
		s->p++;
		return (scan_members(s, '}'));
	case '[':
		s->p++;
		return (scan_members(s, ']'));
	case '"':
		return (scan_string(s));
	case 't':
		return (scan_word(s, "true"));
	case 'f':
		return (scan_word(s, "false"));
	case 'n':
		return (scan_word(s, "null"));
	default:
		return (scan_number(s));
	}
}

long
body_check(const char *text, size_t n, int depth, const char **why)
{
	struct scan	s;

	memset(&s, 0, sizeof(s));
	s.p = text;
	s.end = text + n;
	s.depth = depth;
	if (!util_utf8_valid(text, n))
		s.why = "it is not UTF-8";
	else if (scan_value(&s) == 0) {
		scan_space(&s);
		if (s.p != s.end)
			s.why = "something follows it";
	}
	*why = s.why;
	return (s.why == NULL ? s.members : -1);
}
