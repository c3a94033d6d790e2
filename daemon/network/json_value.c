/*
 * The network process runs this on what strangers sent.  json-c decodes
 * single strings of bounded length here, and nothing else anywhere.
 */
#include <json-c/json.h>

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/network/json_value.h"

#define STRING_BYTES_MAX	(64 * 1024)
#define NUMBER_BYTES_MAX	40

struct json_object *
json_string(const struct slice *v)
{
	struct json_tokener	*tok;
	struct json_object	*o;

	if (json_kind(v) != '"' || v->n > STRING_BYTES_MAX)
		return (NULL);
	if ((tok = json_tokener_new_ex(1)) == NULL)
		return (NULL);
	o = json_tokener_parse_ex(tok, v->s, (int)v->n);
	json_tokener_free(tok);
	return (o);
}

const char *
json_string_text(struct json_object *o)
{
	const char	*s;

	return (o != NULL && (s = json_object_get_string(o)) != NULL ? s : "");
}

int64_t
json_number(const struct slice *v, int64_t max)
{
	char	 buf[NUMBER_BYTES_MAX], *end;
	size_t	 n = v->n;
	const char *s = v->s;
	double	 d;

	if (json_kind(v) == '"') {
		s++;
		n -= 2;
	} else if (json_kind(v) != '0')
		return (-1);
	if (n == 0 || n >= sizeof(buf))
		return (-1);
	memcpy(buf, s, n);
	buf[n] = '\0';
	if (strspn(buf, "+-.0123456789eE") != n)
		return (-1);
	d = strtod(buf, &end);
	/* Not `d < 0`: that would let a NaN pass. */
	if (*end != '\0' || !(d >= 0 && d <= (double)max))
		return (-1);
	if (strspn(buf, "0123456789") == n)
		return (strtoll(buf, NULL, 10));
	return ((int64_t)d);
}

int
json_text(const struct slice *v, char *dst, size_t size)
{
	struct json_object	*o;
	const char		*s;
	size_t			 n;
	int			 good;

	dst[0] = '\0';
	if ((o = json_string(v)) == NULL)
		return (-1);
	s = json_string_text(o);
	n = (size_t)json_object_get_string_len(o);
	good = strlen(s) == n && n < size && util_utf8_valid(s, n);
	if (good)
		memcpy(dst, s, n + 1);
	json_object_put(o);
	return (good ? 0 : -1);
}
