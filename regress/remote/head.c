/*
 * The test server's reading of a request's head: what HTTP/1.1 asks, and
 * no more leniency than a real server has.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/compat.h"
#include "common/util.h"
#include "regress/remote/request.h"

static int
field_length(struct request *r, const char *value)
{
	const char	*error;

	if (r->has_length || value[strspn(value, "0123456789")] != '\0')
		return (400);
	r->length = strtonum(value, 0, INT64_MAX, &error);
	r->has_length = 1;
	return (error == NULL ? 0 : 400);
}

static int
field_expect(struct request *r, const char *value)
{
	if (strcasecmp(value, "100-continue") != 0)
		return (417);
	r->expect = 1;
	return (0);
}

static int
field_connection(struct request *r, const char *value)
{
	if (strcasestr(value, "close") != NULL)
		r->last = 1;
	return (0);
}

static int
field_coding(struct request *r, const char *value)
{
	(void)value;
	r->chunked = 1;
	return (0);
}

static int
field_accept(struct request *r, const char *value)
{
	return (util_copy(r->accept, value) == -1 ? 431 : 0);
}

static int
field_type(struct request *r, const char *value)
{
	return (util_copy(r->type, value) == -1 ? 431 : 0);
}

static int
field_key(struct request *r, const char *value)
{
	return (util_copy(r->api_key, value) == -1 ? 431 : 0);
}

static const struct {
	const char	*name;
	int		(*take)(struct request *, const char *value);
} fields[] = {
	{ "Accept",		field_accept },
	{ "Connection",		field_connection },
	{ "Content-Length",	field_length },
	{ "Content-Type",	field_type },
	{ "Expect",		field_expect },
	{ "Transfer-Encoding",	field_coding },
	{ "x-api-key",		field_key }
};

static int
head_field(struct request *r, char *line)
{
	char	*value, *stop;
	size_t	 i;

	value = strchr(line, ':');
	if (value == NULL || value == line ||
	    strcspn(line, " \t") < (size_t)(value - line))
		return (400);
	*value++ = '\0';
	value += strspn(value, " \t");
	stop = value + strlen(value);
	while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t'))
		*--stop = '\0';
	for (i = 0; i < nitems(fields); i++)
		if (strcasecmp(fields[i].name, line) == 0)
			return (fields[i].take(r, value));
	return (0);
}

static int
head_request_line(struct request *r, char *line)
{
	char	*method, *path;

	method = strsep(&line, " ");
	path = strsep(&line, " ");
	if (path == NULL || line == NULL)
		return (400);
	if (util_copy(r->method, method) == -1)
		return (501);
	if (util_copy(r->path, path) == -1)
		return (414);
	if (*path != '/')
		return (400);
	if (strcmp(line, "HTTP/1.0") == 0)
		r->last = 1;
	else if (strcmp(line, "HTTP/1.1") != 0)
		return (505);
	return (0);
}

int
head_parse(struct request *r, char *head)
{
	char	*p = head, *line;
	size_t	 n;
	int	 status, first = 1;

	while ((line = strsep(&p, "\n")) != NULL) {
		n = strlen(line);
		/* Only the last line has lost its CR to the terminator. */
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		else if (p != NULL)
			return (400);
		status = first ? head_request_line(r, line) :
		    head_field(r, line);
		if (status != 0)
			return (status);
		first = 0;
	}
	return (0);
}
