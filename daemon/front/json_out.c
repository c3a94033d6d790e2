/*
 * The front runs this.  It owns nothing: values go in, JSON comes out into
 * an evbuffer of the caller's.
 */
#include <event2/buffer.h>

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/json_out.h"

static void
put(struct json *j, const char *bytes, size_t n)
{
	if (evbuffer_add(j->out, bytes, n) == -1)
		fatalx("no memory for an answer");
}

#define PUT(j, literal)	put((j), (literal), sizeof(literal) - 1)

/* What a byte becomes: 0 as it is, else the letter behind a backslash, 'u'
 * for those without one. */
static char
escape_of(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return ((char)c);
	case '\n':
		return ('n');
	case '\r':
		return ('r');
	case '\t':
		return ('t');
	case 0x7f:
		return ('u');
	default:
		return (c < 0x20 ? 'u' : 0);
	}
}

/* Length of the UTF-8 character at s (n bytes left), or 0. */
static size_t
utf8_length(const char *s, size_t n)
{
	unsigned char	c = (unsigned char)*s;
	size_t		len;

	len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return (len <= n && util_utf8_valid(s, len) ? len : 0);
}

static void
put_string(struct json *j, const char *text, size_t n)
{
	char	esc[8];
	size_t	i, start = 0, len;
	char	e;

	PUT(j, "\"");
	for (i = 0; i < n; i += len) {
		len = utf8_length(text + i, n - i);
		e = escape_of((unsigned char)text[i]);
		if (len != 0 && e == 0)
			continue;
		put(j, text + start, i - start);
		if (len == 0) {
			len = 1;
			PUT(j, "\xef\xbf\xbd");	/* U+FFFD */
		} else if (e == 'u') {
			snprintf(esc, sizeof(esc), "\\u%04x",
			    (unsigned char)text[i]);
			put(j, esc, strlen(esc));
		} else {
			esc[0] = '\\';
			esc[1] = e;
			put(j, esc, 2);
		}
		start = i + len;
	}
	put(j, text + start, n - start);
	PUT(j, "\"");
}

/* The comma and the key that come before a value. */
static void
lead(struct json *j, const char *key)
{
	char	name[64];
	size_t	n = 0;

	if (j->members[j->depth]++ > 0)
		PUT(j, ",");
	if (key == NULL)
		return;
	for (; *key != '\0' && n < sizeof(name) - 1; key++) {
		if (j->camel && *key == '_' && n > 0 && key[1] >= 'a' &&
		    key[1] <= 'z') {
			key++;
			name[n++] = (char)(*key - 'a' + 'A');
		} else
			name[n++] = *key;
	}
	put_string(j, name, n);
	PUT(j, ":");
}

void
json_init(struct json *j, struct evbuffer *out, int camel)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
	j->camel = camel;
}

static void
json_open(struct json *j, const char *key, const char *bracket)
{
	lead(j, key);
	put(j, bracket, 1);
	if (++j->depth == JSON_DEPTH)
		fatalx("an answer is nested too deeply");
	j->members[j->depth] = 0;
}

void
json_object(struct json *j, const char *key)
{
	json_open(j, key, "{");
}

void
json_array(struct json *j, const char *key)
{
	json_open(j, key, "[");
}

void
json_close(struct json *j, char bracket)
{
	put(j, &bracket, 1);
	j->depth--;
}

void
json_text(struct json *j, const char *key, const char *text)
{
	lead(j, key);
	put_string(j, text, strlen(text));
}

void
json_text_or_null(struct json *j, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		json_null(j, key);
	else
		json_text(j, key, text);
}

void
json_int(struct json *j, const char *key, int64_t v)
{
	char	text[32];

	lead(j, key);
	snprintf(text, sizeof(text), "%lld", (long long)v);
	put(j, text, strlen(text));
}

void
json_uint(struct json *j, const char *key, uint64_t v)
{
	char	text[32];

	lead(j, key);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	put(j, text, strlen(text));
}

void
json_bool(struct json *j, const char *key, int v)
{
	lead(j, key);
	if (v)
		PUT(j, "true");
	else
		PUT(j, "false");
}

void
json_null(struct json *j, const char *key)
{
	lead(j, key);
	PUT(j, "null");
}

void
json_raw(struct json *j, const char *key, const char *value)
{
	lead(j, key);
	put(j, value, strlen(value));
}

void
json_buffer(struct json *j, const char *key, struct evbuffer *value)
{
	lead(j, key);
	if (evbuffer_add_buffer(j->out, value) == -1)
		fatalx("no memory for an answer");
}

void
json_time(struct json *j, const char *key, int64_t ms)
{
	char	text[TIME_TEXT_BYTES];

	util_time_text(text, ms);
	json_text_or_null(j, key, text);
}

void
json_success(struct json *j, const char *message)
{
	json_object(j, NULL);
	json_bool(j, "success", 1);
	json_text(j, "message", message);
}

void
json_error(struct json *j, enum err code, const char *text, int64_t backup_id)
{
	const struct err_desc	*d = err_desc(code);

	json_object(j, NULL);
	json_bool(j, "success", 0);
	json_text(j, "message", text);
	json_text(j, "error", text);
	json_text(j, "errorCode", d->token);
	json_text(j, "remediation", d->remediation);
	if (backup_id != 0)
		json_int(j, "backup_id", backup_id);
	json_close(j, '}');
}
