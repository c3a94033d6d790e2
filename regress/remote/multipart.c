/*
 * The test server's reader of uploads.  Works in the connection's window
 * and keeps nothing of its own, so a body may have any size.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/compat.h"
#include "common/util.h"
#include "regress/remote/multipart.h"

#define PART_HEAD_BYTES	4096

/*
 * Copies a parameter of a header, name="value" or name=value; 0, 1 when
 * it is not there, -1 when it is malformed or too long.
 */
static int
parameter(char *dst, size_t size, const char *header, const char *name)
{
	const char	*p = header;
	size_t		 n = strlen(name), used = 0;

	for (;;) {
		p = strchr(p, ';');
		if (p == NULL)
			return (1);
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, n) == 0 && p[n] == '=')
			break;
		/* A ; inside quotes is not the end of a parameter. */
		for (; *p != ';' && *p != '\0'; p++)
			if (*p == '"') {
				p = strchr(p + 1, '"');
				if (p == NULL)
					return (-1);
			}
	}
	p += n + 1;
	if (*p != '"') {
		n = strcspn(p, "; \t");
		if (n == 0 || n >= size)
			return (-1);
		memcpy(dst, p, n);
		dst[n] = '\0';
		return (0);
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (*p == '\0' || used + 1 >= size)
			return (-1);
		dst[used++] = *p;
	}
	dst[used] = '\0';
	return (0);
}

int
multipart_boundary(char *dst, const char *content_type)
{
	static const char	want[] = "multipart/form-data";

	if (strncasecmp(content_type, want, sizeof(want) - 1) != 0)
		return (-1);
	/* RFC 2046, 5.1.1: 70 at most; the delimiter puts 4 before it. */
	if (parameter(dst, BOUNDARY_BYTES - 8, content_type,
	    "boundary") != 0)
		return (-1);
	return (0);
}

/* Makes n bytes of the body lie in the window; -1 if there are not so
 * many. */
static int
need(struct conn *c, size_t n)
{
	size_t	have;

	while (conn_body(c, &have), have < n)
		if (conn_more(c) != 1)
			return (-1);
	return (0);
}

static const char *
part_head_line(struct part *part, const char *line, int *seen)
{
	static const char	disposition[] = "Content-Disposition:";
	static const char	type[] = "Content-Type:";
	const char		*p;

	if (strncasecmp(line, type, sizeof(type) - 1) == 0) {
		p = line + sizeof(type) - 1;
		if (util_copy(part->type, p + strspn(p, " \t")) == -1)
			return ("a part's Content-Type is too long");
		return (NULL);
	}
	if (strncasecmp(line, disposition, sizeof(disposition) - 1) != 0)
		return (NULL);
	p = line + sizeof(disposition) - 1;
	p += strspn(p, " \t");
	if (strncasecmp(p, "form-data", 9) != 0 ||
	    parameter(part->name, sizeof(part->name), p, "name") != 0 ||
	    parameter(part->filename, sizeof(part->filename), p,
	    "filename") == -1)
		return ("a part's Content-Disposition is malformed");
	(*seen)++;
	return (NULL);
}

/* Reads the headers of a part, up to and with the empty line. */
static const char *
part_head(struct conn *c, struct part *part)
{
	char		 copy[PART_HEAD_BYTES], *p, *line;
	const char	*body, *stop, *error;
	size_t		 have, n;
	int		 seen = 0;

	memset(part, 0, sizeof(*part));
	for (;;) {
		body = conn_body(c, &have);
		n = have < sizeof(copy) ? have : sizeof(copy);
		stop = memmem(body, n, "\r\n\r\n", 4);
		if (stop != NULL)
			break;
		if (n == sizeof(copy))
			return ("a part's headers are too long");
		if (conn_more(c) != 1)
			return ("the body ends within a part's headers");
	}
	n = stop - body;
	memcpy(copy, body, n);
	copy[n] = '\0';
	conn_take(c, n + 4);
	p = copy;
	while ((line = strsep(&p, "\n")) != NULL) {
		line[strcspn(line, "\r")] = '\0';
		error = part_head_line(part, line, &seen);
		if (error != NULL)
			return (error);
	}
	return (seen == 1 ? NULL : "a part has no Content-Disposition");
}

static const char *
hand_over(struct conn *c, size_t n, part_cb *cb, void *arg,
    const struct part *part)
{
	const char	*body, *error = NULL;
	size_t		 have;

	body = conn_body(c, &have);
	if (n > 0 && part != NULL)
		error = cb(arg, part, body, n);
	conn_take(c, n);
	return (error);
}

/*
 * Passes what comes before the delimiter to cb (part NULL: drops it) and
 * takes the delimiter too.
 */
static const char *
part_content(struct conn *c, const char *delimiter, size_t size, part_cb *cb,
    void *arg, const struct part *part)
{
	const char	*body, *p, *error;
	size_t		 have, left;

	for (;;) {
		body = conn_body(c, &have);
		p = body;
		/* Delimiters begin with CR, which memchr finds fastest. */
		while ((p = memchr(p, '\r', have - (p - body))) != NULL) {
			left = have - (p - body);
			if (memcmp(p, delimiter, left < size ? left :
			    size) == 0)
				break;
			p++;
		}
		left = p == NULL ? 0 : have - (p - body);
		error = hand_over(c, have - left, cb, arg, part);
		if (error != NULL)
			return (error);
		if (left >= size) {
			conn_take(c, size);
			return (NULL);
		}
		if (conn_more(c) != 1)
			return ("the body ends within a part");
	}
}

/* Behind a delimiter: 1 another part follows, 0 it was the last, -1. */
static int
delimiter_end(struct conn *c)
{
	const char	*body;
	size_t		 have;

	for (;;) {
		if (need(c, 2) == -1)
			return (-1);
		body = conn_body(c, &have);
		if (memcmp(body, "--", 2) == 0 ||
		    memcmp(body, "\r\n", 2) == 0) {
			conn_take(c, 2);
			return (*body == '\r');
		}
		if (*body != ' ' && *body != '\t')
			return (-1);
		conn_take(c, 1);
	}
}

const char *
multipart_read(struct conn *c, const char *boundary, part_cb *cb, void *arg)
{
	char		 delimiter[BOUNDARY_BYTES + 8];
	const char	*error, *body;
	struct part	 part;
	size_t		 size, have;
	int		 more;

	size = snprintf(delimiter, sizeof(delimiter), "\r\n--%s", boundary);
	if (need(c, size - 2) == -1)
		return ("the body is shorter than its boundary");
	body = conn_body(c, &have);
	/* The first one may stand at the very start. */
	if (memcmp(body, delimiter + 2, size - 2) == 0) {
		conn_take(c, size - 2);
	} else {
		error = part_content(c, delimiter, size, cb, arg, NULL);
		if (error != NULL)
			return ("the boundary is not in the body");
	}
	while ((more = delimiter_end(c)) == 1) {
		error = part_head(c, &part);
		if (error == NULL)
			error = cb(arg, &part, NULL, 0);
		if (error == NULL)
			error = part_content(c, delimiter, size, cb, arg,
			    &part);
		if (error != NULL)
			return (error);
	}
	if (more == -1)
		return ("a boundary is followed by something else");
	if (conn_discard(c) == -1)
		return ("the client is gone");
	return (NULL);
}
