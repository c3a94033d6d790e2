/*
 * The front runs this.  It owns nothing: it finds a token in a request's
 * Authorization field (RFC 6750, 2.1) and looks at its form only.  Whether
 * it is good is the engine's to say; it must never get into a log.
 */
#include <string.h>

#include "daemon/front/front.h"
#include "daemon/front/http_char.h"

/* b64token: what a token may be made of, with "=" at its end only. */
static int
form_ok(const char *s, size_t n)
{
	size_t	i = 0;

	while (i < n && (char_digit((unsigned char)s[i]) ||
	    (char_lower((unsigned char)s[i]) >= 'a' &&
	    char_lower((unsigned char)s[i]) <= 'z') ||
	    (s[i] != '\0' && strchr("-._~+/", s[i]) != NULL)))
		i++;
	if (i == 0)
		return (0);
	while (i < n && s[i] == '=')
		i++;
	return (i == n);
}

int
bearer_token(const struct http_request *h, char *token, const char **why)
{
	const struct http_field	*f = http_field(h, "Authorization");
	struct http_slice	 scheme;
	const char		*p, *end;

	token[0] = '\0';
	if (f == NULL)
		return (0);
	if (http_field_count(h, "Authorization") > 1) {
		*why = "The request has two Authorization fields.";
		return (-1);
	}
	p = f->value.at;
	end = p + f->value.n;
	scheme.at = p;
	while (p < end && *p != ' ')
		p++;
	scheme.n = (size_t)(p - scheme.at);
	/* Another scheme: known nowhere, and so it proves nothing. */
	if (!http_slice_is_nocase(&scheme, "Bearer"))
		return (1);
	while (p < end && *p == ' ')
		p++;
	if (!form_ok(p, (size_t)(end - p))) {
		*why = "The Authorization field has no well-formed token.";
		return (-1);
	}
	if ((size_t)(end - p) < TOKEN_BYTES) {
		memcpy(token, p, (size_t)(end - p));
		token[end - p] = '\0';
	}
	return (1);
}
