/*
 * The engine runs this, before anything is dropped.  Values of a
 * configuration, whichever way it came: sizes, times, names, addresses.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"

struct unit {
	const char	*name;
	uint64_t	 scale;
};

static const struct unit sizes[] = {
	{ "",	1 },
	{ "k",	1ULL << 10 },
	{ "m",	1ULL << 20 },
	{ "g",	1ULL << 30 },
	{ "t",	1ULL << 40 },
};

static const struct unit times[] = {
	{ "ms",	1 },
	{ "s",	1000 },
	{ "m",	60 * 1000 },
	{ "h",	60 * 60 * 1000 },
	{ "d",	24 * 60 * 60 * 1000 },
	{ "w",	7 * 24 * 60 * 60 * 1000 },
};

/* Nothing above INT64_MAX: file offsets and clocks are signed. */
static int
quantity(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t	v = 0;
	size_t		i;

	if (!isdigit((unsigned char)*text))
		return (-1);
	for (; isdigit((unsigned char)*text); text++) {
		if (v > (INT64_MAX - 9) / 10)
			return (-1);
		v = v * 10 + (uint64_t)(*text - '0');
	}
	for (i = 0; i < n; i++)
		if (strcasecmp(text, units[i].name) == 0)
			break;
	if (i == n || v > INT64_MAX / units[i].scale)
		return (-1);
	*out = v * units[i].scale;
	return (0);
}

int
conf_parse_size(const char *text, uint64_t *bytes)
{
	return (quantity(text, sizes, nitems(sizes), bytes));
}

int
conf_parse_time(const char *text, uint64_t *ms)
{
	return (quantity(text, times, nitems(times), ms));
}

static int
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return (1);
	return (0);
}

const char *
conf_why_name(const char *s)
{
	size_t	i;

	if (*s == '\0' || strlen(s) >= DATABASE_BYTES)
		return ("must have 1 to 63 characters");
	if (*s == '.')
		return ("must not start with a dot");
	for (i = 0; s[i] != '\0'; i++)
		if (!isascii((unsigned char)s[i]) ||
		    (!isalnum((unsigned char)s[i]) &&
		    strchr("._-", s[i]) == NULL))
			return ("may only have letters, digits, "
			    "\".\", \"_\" and \"-\"");
	return (NULL);
}

const char *
conf_why_account(const char *s)
{
	if (*s == '\0' || strlen(s) > 63)
		return ("must have 1 to 63 characters");
	if (has_control(s) || strpbrk(s, " :/\"\\") != NULL || *s == '-')
		return ("is not the name of a user or group");
	return (NULL);
}

/* One line for an HTTP header. */
static int
is_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return (0);
	return (1);
}

const char *
conf_why_session(const char *s)
{
	if (strlen(s) >= 4096)
		return ("must not be longer than 4095 bytes");
	return (is_line(s) ? NULL : "must be one line of printable ASCII");
}

const char *
conf_why_key(const char *s)
{
	if (*s == '\0')
		return ("must not be empty");
	if (strlen(s) >= SECRET_BYTES)
		return ("must not be longer than 511 bytes");
	return (is_line(s) ? NULL : "must be one line of printable ASCII");
}

const char *
conf_why_id(const char *s)
{
	if (*s == '\0' || strlen(s) >= USER_ID_BYTES)
		return ("must have 1 to 127 bytes");
	if (has_control(s) || !util_utf8_valid(s, strlen(s)))
		return ("must be UTF-8 without control characters");
	return (NULL);
}

const char *
conf_why_number(const char *s)
{
	size_t	i, n = strlen(s);

	for (i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return ("must be a number of 1 to 18 digits");
	if (n < 1 || n > 18)
		return ("must be a number of 1 to 18 digits");
	if (s[0] == '0' && n > 1)
		return ("must not start with 0, unless in quotes");
	return (NULL);
}

char *
conf_address(const char *text, const char **why)
{
	unsigned char	a[16];
	char		canon[INET6_ADDRSTRLEN];
	int		family;

	family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, a) != 1 ||
	    inet_ntop(family, a, canon, sizeof(canon)) == NULL) {
		*why = "is not a numeric address, as 127.0.0.1 or ::1";
		return (NULL);
	}
	return (xstrdup(canon));
}

/* The host and port that begin p: their length, or 0 and why. */
static size_t
url_authority(const char *p, const char **why)
{
	unsigned char	 a[16];
	char		 host[INET6_ADDRSTRLEN];
	size_t		 n = 0, digits;
	long		 port = 0;

	*why = "has no host, or one that is not well formed";
	if (p[0] == '[') {
		n = strcspn(p + 1, "]/");
		if (p[n + 1] != ']' || n >= sizeof(host))
			return (0);
		memcpy(host, p + 1, n);
		host[n] = '\0';
		if (inet_pton(AF_INET6, host, a) != 1)
			return (0);
		n += 2;
	} else {
		while (isascii((unsigned char)p[n]) &&
		    (isalnum((unsigned char)p[n]) ||
		    (p[n] != '\0' && strchr(".-_", p[n]) != NULL)))
			n++;
		if (n == 0 || n > 253)
			return (0);
	}
	if (p[n] == ':') {
		for (digits = 0, n++; isdigit((unsigned char)p[n]) &&
		    digits < 6; n++, digits++)
			port = port * 10 + (p[n] - '0');
		if (port < 1 || port > 65535) {
			*why = "has a port that is not 1 to 65535";
			return (0);
		}
	}
	if (p[n] != '\0' && p[n] != '/')
		return (0);
	return (n);
}

/* more: characters that are allowed besides those of a path. */
static int
url_path_ok(const char *p, const char *more)
{
	for (; *p != '\0'; p++) {
		if (*p == '%' && (!isxdigit((unsigned char)p[1]) ||
		    !isxdigit((unsigned char)p[2])))
			return (0);
		if (!isascii((unsigned char)*p) ||
		    (!isalnum((unsigned char)*p) &&
		    strchr("/-._~!$&'()*+,;=:@%", *p) == NULL &&
		    strchr(more, *p) == NULL))
			return (0);
	}
	return (1);
}

/* The URL with its scheme in lower case. */
static char *
url_make(const char *text, const char *more, const char **why)
{
	const char	*scheme, *rest, *at;
	size_t		 n;

	if (strncasecmp(text, "http://", 7) == 0)
		scheme = "http://";
	else if (strncasecmp(text, "https://", 8) == 0)
		scheme = "https://";
	else {
		*why = "must begin with http:// or https://";
		return (NULL);
	}
	rest = text + strlen(scheme);
	*why = NULL;
	if (strlen(text) > CONF_URL_MAX)
		*why = "must not be longer than 1023 bytes";
	else if ((at = strchr(rest, '@')) != NULL &&
	    (size_t)(at - rest) < strcspn(rest, "/?#"))
		*why = "must not carry a user or a password";
	else if (strchr(rest, '#') != NULL)
		*why = "must not have a fragment (#)";
	else if (*more == '\0' && strchr(rest, '?') != NULL)
		*why = "must not have a query (?)";
	if (*why != NULL || (n = url_authority(rest, why)) == 0)
		return (NULL);
	if (!url_path_ok(rest + n, more)) {
		*why = "has a path with characters that no URL has";
		return (NULL);
	}
	return (xasprintf("%s%s", scheme, rest));
}

char *
conf_url(const char *text, const char **why)
{
	char	*url;
	size_t	 n;

	if ((url = url_make(text, "", why)) == NULL)
		return (NULL);
	for (n = strlen(url); url[n - 1] == '/'; )
		url[--n] = '\0';
	return (url);
}

char *
conf_url_hook(const char *text, const char **why)
{
	return (url_make(text, "?", why));
}

/* Expands "~", merges slashes; the caller frees. */
static char *
path_make(const char *text, size_t max, const char **why)
{
	const char	*home = "";
	char		*path, *from, *to;

	if (text[0] == '~') {
		if (text[1] != '/' && text[1] != '\0') {
			*why = "must not name another user's home";
			return (NULL);
		}
		if ((home = getenv("HOME")) == NULL || home[0] != '/') {
			*why = "needs HOME to expand \"~\", and it is not set";
			return (NULL);
		}
		text++;
	} else if (text[0] != '/') {
		*why = "must be absolute or begin with \"~/\"";
		return (NULL);
	}
	path = xasprintf("%s%s", home, text);
	for (from = to = path; *from != '\0'; from++)
		if (*from != '/' || from[1] != '/')
			*to++ = *from;
	*to = '\0';
	if (has_control(path))
		*why = "must not have control characters";
	else if (strlen(path) > max)
		*why = "is too long";
	else
		return (path);
	free(path);
	return (NULL);
}

char *
conf_path_directory(const char *text, size_t max, const char **why)
{
	char	*path;
	size_t	 n;

	if ((path = path_make(text, max, why)) == NULL)
		return (NULL);
	n = strlen(path);
	if (n > 1 && path[n - 1] == '/')
		path[n - 1] = '\0';
	return (path);
}

char *
conf_path_file(const char *text, size_t max, const char **why)
{
	const char	*last;
	char		*path;

	if ((path = path_make(text, max, why)) == NULL)
		return (NULL);
	last = strrchr(path, '/') + 1;
	if (*last != '\0' && strcmp(last, ".") != 0 && strcmp(last, "..") != 0)
		return (path);
	*why = "names a directory, not a file";
	free(path);
	return (NULL);
}

char *
conf_path_database(const char *text, int *is_glob, const char **why)
{
	const char	*slash;
	char		*path;
	int		 glob;

	if ((path = conf_path_file(text, PATH_BYTES - 1, why)) == NULL)
		return (NULL);
	slash = strrchr(path, '/');
	glob = strpbrk(slash, "*?[") != NULL;
	if (strcspn(path, "*?[") < (size_t)(slash - path))
		*why = "has a pattern (* ? [) before its last slash; only the "
		    "name behind that may be one";
	else if (glob && is_glob == NULL)
		*why = "is a pattern (* ? [), and one file is expected";
	else {
		if (is_glob != NULL)
			*is_glob = glob;
		return (path);
	}
	free(path);
	return (NULL);
}
