/*
 * The engine runs this: the body of a webhook's request.  It owns nothing.
 * The engine has no JSON library, and needs none to write nine members.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/hook_body.h"

#define TAIL	2			/* bytes kept: the last quote and } */

struct out {
	char	*p;
	size_t	 n, max;
};

/* All of it or nothing; 1 or 0. */
static int
put(struct out *o, const char *bytes, size_t n)
{
	if (n > o->max - o->n)
		return (0);
	memcpy(o->p + o->n, bytes, n);
	o->n += n;
	return (1);
}

/* Length of the UTF-8 character at s, or 0. */
static size_t
character(const char *s)
{
	unsigned char	c = (unsigned char)*s;
	size_t		n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	return (strnlen(s, n) == n && util_utf8_valid(s, n) ? n : 0);
}

static int
put_character(struct out *o, const char *s, size_t n)
{
	char	esc[8];

	if (n == 0)
		return (put(o, "\xef\xbf\xbd", 3));
	if (*s == '"' || *s == '\\') {
		esc[0] = '\\';
		esc[1] = *s;
		return (put(o, esc, 2));
	}
	if ((unsigned char)*s < 0x20 || *s == 0x7f) {
		snprintf(esc, sizeof(esc), "\\u%04x", (unsigned char)*s);
		return (put(o, esc, 6));
	}
	return (put(o, s, n));
}

static void
put_text(struct out *o, const char *key, const char *text)
{
	size_t	n;

	(void)put(o, o->n == 0 ? "{\"" : ",\"", 2);
	(void)put(o, key, strlen(key));
	if (text[0] == '\0') {
		(void)put(o, "\":null", 6);
		return;
	}
	(void)put(o, "\":\"", 3);
	for (; *text != '\0'; text += n == 0 ? 1 : n) {
		n = character(text);
		if (!put_character(o, text, n))
			break;
	}
	o->max++;
	(void)put(o, "\"", 1);
	o->max--;
}

static void
put_number(struct out *o, const char *key, int64_t v)
{
	char	text[64];
	int	n;

	n = snprintf(text, sizeof(text), "%c\"%s\":%lld",
	    o->n == 0 ? '{' : ',', key, (long long)v);
	(void)put(o, text, (size_t)n);
}

size_t
hook_body(char dst[HOOK_BODY_BYTES], const struct m_event *ev,
    const char *host, const char *installation)
{
	struct out	o = { dst, 0, HOOK_BODY_BYTES - 1 - TAIL };
	char		at[TIME_TEXT_BYTES];

	util_time_text(at, ev->at_ms);
	put_number(&o, "id", ev->id);
	put_text(&o, "event", ev->kind);
	put_text(&o, "at", at);
	put_text(&o, "host", host);
	put_text(&o, "installation", installation);
	put_text(&o, "database", ev->database);
	if (ev->backup_id == 0)
		put_text(&o, "backup_id", "");
	else
		put_number(&o, "backup_id", ev->backup_id);
	put_text(&o, "remote", ev->place);
	/* The only long one, and the last: so it is what is cut. */
	put_text(&o, "text", ev->text);
	o.max += TAIL;
	(void)put(&o, "}", 1);
	dst[o.n] = '\0';
	return (o.n);
}

void
hook_label(char *dst, size_t size, const char *url)
{
	const char	*host = strstr(url, "://"), *p, *end;
	size_t		 scheme;

	strlcpy(dst, "a webhook", size);
	if (host == NULL)
		return;
	host += 3;
	scheme = (size_t)(host - url);
	end = host + strcspn(host, "/?#");
	for (p = host; p < end; p++) {
		if (*p == '@')
			host = p + 1;
	}
	snprintf(dst, size, "%.*s%.*s", (int)scheme, url, (int)(end - host),
	    host);
}
