/*
 * The front process runs this: it takes a request's target apart and
 * decodes it, into buffers of the caller.  It owns nothing.  What comes
 * out is a text that ends in NUL, valid UTF-8 without controls; it must
 * not repair what is wrong.
 */
#include <string.h>

#include "common/util.h"
#include "daemon/front/http.h"
#include "daemon/front/http_char.h"

/*
 * The next byte of *s, percent-decoded; *s advances.  -1 when %XX is cut
 * or wrong, or when the byte is a control character.
 */
static int
decode_byte(struct http_slice *s, int *encoded)
{
	int	high, low, c;
	size_t	n = 1;

	c = (unsigned char)s->at[0];
	*encoded = c == '%';
	if (*encoded) {
		if (s->n < 3 ||
		    (high = char_hex((unsigned char)s->at[1])) == -1 ||
		    (low = char_hex((unsigned char)s->at[2])) == -1)
			return (-1);
		c = high << 4 | low;
		n = 3;
	}
	s->at += n;
	s->n -= n;
	return (char_control((unsigned char)c) ? -1 : c);
}

/* Cuts *s at the first c: what stood before it is in *before, what follows
 * in *s, which is empty when there is no c.  Returns 1 when there was. */
static int
cut_at(struct http_slice *s, char c, struct http_slice *before)
{
	const char	*p = NULL;

	*before = *s;
	if (s->n != 0)
		p = memchr(s->at, c, s->n);
	if (p != NULL)
		before->n = (size_t)(p - s->at);
	s->at += before->n + (p != NULL);
	s->n -= before->n + (p != NULL);
	return (p != NULL);
}

/* Every segment has a name, but the last may be empty: "/a/". */
static int
segments_valid(const char *path)
{
	size_t	n;

	do {
		path++;
		n = strcspn(path, "/");
		if (n == 0 && path[n] != '\0')
			return (0);
		if ((n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return (0);
		path += n;
	} while (*path != '\0');
	return (1);
}

static int
path_decode(struct http_slice s, char *dst, size_t dst_size)
{
	size_t	n = 0;
	int	c, encoded;

	if (s.n == 0 || s.at[0] != '/')
		return (-1);
	while (s.n != 0) {
		c = decode_byte(&s, &encoded);
		if (c == -1 || (encoded && c == '/') || n + 1 >= dst_size)
			return (-1);
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	if (!util_utf8_valid(dst, n) || !segments_valid(dst))
		return (-1);
	return (0);
}

int
http_split_target(const struct http_slice *target, char *dst,
    size_t dst_size, struct http_slice *query)
{
	struct http_slice	path;

	*query = *target;
	cut_at(query, '?', &path);
	if (path_decode(path, dst, dst_size) == 0)
		return (0);
	if (dst_size != 0)
		dst[0] = '\0';
	return (-1);
}

/* As decode_byte, where '+' is a space. */
static int
form_byte(struct http_slice *s)
{
	int	c, encoded;

	c = decode_byte(s, &encoded);
	return (c == '+' && !encoded ? ' ' : c);
}

/* 1 when s decodes to name, 0 when to something else, -1 malformed. */
static int
form_name(struct http_slice s, const char *name)
{
	int	c, same = 1;

	while (s.n != 0) {
		if ((c = form_byte(&s)) == -1)
			return (-1);
		if (same && c == (unsigned char)*name)
			name++;
		else
			same = 0;
	}
	return (same && *name == '\0');
}

/* Decodes to dst, or only checks when dst is NULL. */
static int
form_value(struct http_slice s, char *dst, size_t dst_size)
{
	size_t	n = 0;
	int	c;

	while (s.n != 0) {
		if ((c = form_byte(&s)) == -1)
			return (-1);
		if (dst == NULL)
			continue;
		if (n + 1 >= dst_size)
			return (-1);
		dst[n++] = (char)c;
	}
	if (dst == NULL)
		return (0);
	dst[n] = '\0';
	return (util_utf8_valid(dst, n) ? 0 : -1);
}

static int
query_find(struct http_slice rest, const char *name, char *dst,
    size_t dst_size)
{
	struct http_slice	value, key;
	int			same, found = 0;

	while (rest.n != 0) {
		cut_at(&rest, '&', &value);
		cut_at(&value, '=', &key);
		if ((same = form_name(key, name)) == -1 || (same && found) ||
		    form_value(value, same ? dst : NULL, dst_size) == -1)
			return (-1);
		found |= same;
	}
	return (found);
}

int
http_query(const struct http_slice *query, const char *name, char *dst,
    size_t dst_size)
{
	int	rc;

	if (dst_size == 0)
		return (-1);
	dst[0] = '\0';
	if ((rc = query_find(*query, name, dst, dst_size)) == -1)
		dst[0] = '\0';
	return (rc);
}
