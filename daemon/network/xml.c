/*
 * The network process runs this on what strangers sent.  It owns nothing
 * and allocates nothing.
 */
#include <string.h>

#include "daemon/network/xml.h"

enum tag { TAG_OPEN, TAG_CLOSE, TAG_EMPTY, TAG_OTHER, TAG_BAD };

struct tag_found {
	enum tag	 kind;
	const char	*name;		/* whole, with its prefix */
	size_t		 name_bytes;
	const char	*end;		/* behind it */
};

static int
is_space(char c)
{
	return (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

static int
is_name(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
	    c == ':' || (c & 0x80));
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return (p);
}

static const char *
skip_name(const char *p, const char *end)
{
	while (p < end && is_name(*p))
		p++;
	return (p);
}

static int
starts(const char *p, const char *end, const char *with)
{
	size_t	n = strlen(with);

	return ((size_t)(end - p) >= n && memcmp(p, with, n) == 0);
}

/* Behind the first `what`, or NULL. */
static const char *
skip_to(const char *p, const char *end, const char *what)
{
	const char	*found;

	found = memmem(p, (size_t)(end - p), what, strlen(what));
	return (found == NULL ? NULL : found + strlen(what));
}

/* name="value", any number; gives the place behind, or NULL. */
static const char *
skip_attributes(const char *p, const char *end)
{
	const char	*q;
	char		 quote;

	for (;;) {
		q = skip_space(p, end);
		if (q == end || !is_name(*q))
			return (q);
		if (q == p)
			return (NULL);	/* no space before it */
		q = skip_space(skip_name(q, end), end);
		if (q == end || *q++ != '=')
			return (NULL);
		q = skip_space(q, end);
		if (q == end || (*q != '"' && *q != '\''))
			return (NULL);
		quote = *q++;
		while (q < end && *q != quote && *q != '<')
			q++;
		if (q == end || *q != quote)
			return (NULL);
		p = q + 1;
	}
}

/* p stands on "<". */
static void
read_tag(const char *p, const char *end, struct tag_found *t)
{
	const char	*q = NULL;

	t->kind = TAG_BAD;
	if (starts(p, end, "<!--"))
		q = skip_to(p + 4, end, "-->");
	else if (starts(p, end, "<?"))
		q = skip_to(p + 2, end, "?>");
	else if (starts(p, end, "<!"))
		return;			/* DOCTYPE, CDATA */
	if (q != NULL || starts(p, end, "<!--") || starts(p, end, "<?")) {
		t->end = q;
		t->kind = q != NULL ? TAG_OTHER : TAG_BAD;
		return;
	}
	t->kind = starts(p, end, "</") ? TAG_CLOSE : TAG_OPEN;
	t->name = p + (t->kind == TAG_CLOSE ? 2 : 1);
	q = skip_name(t->name, end);
	t->name_bytes = (size_t)(q - t->name);
	q = t->kind == TAG_CLOSE ? skip_space(q, end) :
	    skip_attributes(q, end);
	if (q != NULL && t->kind == TAG_OPEN && starts(q, end, "/")) {
		t->kind = TAG_EMPTY;
		q++;
	}
	if (t->name_bytes == 0 || q == NULL || q == end || *q != '>')
		t->kind = TAG_BAD;
	else
		t->end = q + 1;
}

/*
 * Reads the element whose tag begins at p: the place behind it and what it
 * holds, or NULL when tags do not match.
 */
static const char *
read_element(const char *p, const char *end, struct xml *x)
{
	struct tag_found	 open[XML_DEPTH_MAX], t;
	const char		*colon;
	int			 depth = 0;

	memset(x, 0, sizeof(*x));
	do {
		if (p == NULL || p == end)
			return (NULL);
		read_tag(p, end, &t);
		if (t.kind == TAG_BAD || (t.kind == TAG_OPEN &&
		    depth == XML_DEPTH_MAX))
			return (NULL);
		if (t.kind == TAG_OPEN)
			open[depth++] = t;
		else if (t.kind == TAG_CLOSE) {
			if (depth == 0)
				return (NULL);
			depth--;
			if (open[depth].name_bytes != t.name_bytes ||
			    memcmp(open[depth].name, t.name,
			    t.name_bytes) != 0)
				return (NULL);
			if (depth == 0)
				x->n = (size_t)(p - open[0].end);
		} else if (depth == 0 && t.kind == TAG_OTHER)
			return (NULL);
		if (depth == 0 && t.kind == TAG_EMPTY)
			open[0] = t;
		p = t.end;
		if (depth > 0)
			p = memchr(p, '<', (size_t)(end - p));
	} while (depth > 0);
	x->s = open[0].end;
	x->name = open[0].name;
	x->name_bytes = open[0].name_bytes;
	if ((colon = memchr(x->name, ':', x->name_bytes)) != NULL) {
		x->name_bytes -= (size_t)(colon + 1 - x->name);
		x->name = colon + 1;
	}
	return (t.end);
}

/* White space, comments and instructions; NULL when one does not end. */
static const char *
skip_misc(const char *p, const char *end)
{
	struct tag_found	t;

	for (;;) {
		p = skip_space(p, end);
		if (!starts(p, end, "<?") && !starts(p, end, "<!--"))
			return (p);
		read_tag(p, end, &t);
		if (t.kind != TAG_OTHER)
			return (NULL);
		p = t.end;
	}
}

int
xml_check(const char *text, size_t n, struct xml *root)
{
	const char	*p = text, *end = text + n;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	if ((p = skip_misc(p, end)) == NULL || p == end || *p != '<' ||
	    (p = read_element(p, end, root)) == NULL ||
	    (p = skip_misc(p, end)) == NULL || p != end)
		return (-1);
	return (0);
}

int
xml_is(const struct xml *x, const char *name)
{
	return (x->name_bytes == strlen(name) &&
	    memcmp(x->name, name, x->name_bytes) == 0);
}

int
xml_next(struct xml *rest, struct xml *element)
{
	const char		*p = rest->s, *end = rest->s + rest->n;
	struct tag_found	 t;

	while (p != end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		read_tag(p, end, &t);
		if (t.kind == TAG_BAD)
			break;
		if (t.kind == TAG_OTHER) {
			p = t.end;
			continue;
		}
		if ((p = read_element(p, end, element)) == NULL)
			break;
		rest->n = (size_t)(end - p);
		rest->s = p;
		return (1);
	}
	rest->n = 0;
	return (0);
}

int
xml_child(const struct xml *parent, const char *name, struct xml *child)
{
	struct xml	rest = *parent;

	while (xml_next(&rest, child)) {
		if (xml_is(child, name))
			return (1);
	}
	return (0);
}

static size_t
put_utf8(unsigned long c, char dst[4])
{
	if (c < 0x80) {
		dst[0] = (char)c;
		return (1);
	}
	if (c < 0x800) {
		dst[0] = (char)(0xc0 | c >> 6);
		dst[1] = (char)(0x80 | (c & 63));
		return (2);
	}
	if (c < 0x10000) {
		dst[0] = (char)(0xe0 | c >> 12);
		dst[1] = (char)(0x80 | (c >> 6 & 63));
		dst[2] = (char)(0x80 | (c & 63));
		return (3);
	}
	dst[0] = (char)(0xf0 | c >> 18);
	dst[1] = (char)(0x80 | (c >> 12 & 63));
	dst[2] = (char)(0x80 | (c >> 6 & 63));
	dst[3] = (char)(0x80 | (c & 63));
	return (4);
}

/* "&#65;" or "&#x41;": the number's digits up to ";"; 0 is none. */
static unsigned long
read_number(const char *p, const char *end)
{
	static const char	digits[] = "0123456789abcdef";
	const char		*d;
	unsigned long		 c = 0, base = 10;

	if (p < end && *p == 'x') {
		base = 16;
		p++;
	}
	for (; p < end; p++) {
		d = memchr(digits, *p >= 'A' && *p <= 'F' ? *p + 32 : *p,
		    base);
		if (d == NULL || (c = c * base +
		    (unsigned long)(d - digits)) > 0x10ffff)
			return (0);
	}
	return (c);
}

/* What stands between "&" and ";"; how many bytes it means, or 0. */
static size_t
decode_entity(const char *p, const char *end, char dst[4])
{
	static const struct {
		const char	*name;
		char		 c;
	} entities[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' }
	};
	unsigned long	c;
	size_t		i, n = (size_t)(end - p);

	if (n > 1 && *p == '#')
		return ((c = read_number(p + 1, end)) == 0 ? 0 :
		    put_utf8(c, dst));
	for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (strlen(entities[i].name) == n &&
		    memcmp(entities[i].name, p, n) == 0) {
			dst[0] = entities[i].c;
			return (1);
		}
	}
	return (0);
}

int
xml_text(const struct xml *x, char *dst, size_t size)
{
	const char	*p, *end = x->s + x->n, *semicolon;
	char		 c[4];
	size_t		 n, used = 0;

	dst[0] = '\0';
	for (p = x->s; p < end; p++) {
		n = 1;
		c[0] = *p;
		if (*p == '&') {
			semicolon = memchr(p, ';', (size_t)(end - p));
			if (semicolon == NULL || semicolon - p > 12 ||
			    (n = decode_entity(p + 1, semicolon, c)) == 0)
				goto bad;
			p = semicolon;
		} else if (*p == '<' || *p == '\0')
			goto bad;
		if (n >= size - used)
			goto bad;
		memcpy(dst + used, c, n);
		used += n;
	}
	dst[used] = '\0';
	return (0);
bad:
	dst[0] = '\0';
	return (-1);
}

int
xml_child_text(const struct xml *parent, const char *name, char *dst,
    size_t size)
{
	struct xml	child;

	dst[0] = '\0';
	if (!xml_child(parent, name, &child))
		return (-1);
	return (xml_text(&child, dst, size));
}
