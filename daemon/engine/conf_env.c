/*
 * The engine runs this, before anything is dropped.  The environment file
 * of the older servers.  It is shared with the application, whose own
 * variables are none of our business; the process's environment is not
 * looked at.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"

enum variable {
	REMOTE_URL,
	REMOTE_KEY,
	BACKUP_DIR,
	DATABASE_URL,
	PORT,
	API_COMPAT,
	LICENSE_FILE,
	LICENSE_KEY,
	S3_BUCKET,
	S3_PREFIX,
	AWS_ENDPOINT_S3,
	AWS_ENDPOINT,
	AWS_REGION,
	AWS_REGION_DEFAULT,
	AWS_ACCESS_KEY,
	AWS_SECRET_KEY,
	AWS_SESSION_TOKEN,
	VARIABLES
};

static const char *const names[VARIABLES] = {
	[REMOTE_URL] = "REMOTE_SERVER_URL",
	[REMOTE_KEY] = "REMOTE_SERVER_API_KEY",
	[BACKUP_DIR] = "BACKUP_DIR",
	[DATABASE_URL] = "DATABASE_URL",
	[PORT] = "PORT",
	[API_COMPAT] = "API_COMPAT",
	[LICENSE_FILE] = "LICENSE_FILE",
	[LICENSE_KEY] = "LICENSE_PUBLIC_KEY",
	[S3_BUCKET] = "S3_BUCKET",
	[S3_PREFIX] = "S3_PREFIX",
	[AWS_ENDPOINT_S3] = "AWS_ENDPOINT_URL_S3",
	[AWS_ENDPOINT] = "AWS_ENDPOINT_URL",
	[AWS_REGION] = "AWS_REGION",
	[AWS_REGION_DEFAULT] = "AWS_DEFAULT_REGION",
	[AWS_ACCESS_KEY] = "AWS_ACCESS_KEY_ID",
	[AWS_SECRET_KEY] = "AWS_SECRET_ACCESS_KEY",
	[AWS_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
};

struct env {
	const char	*file;
	const char	*p;		/* where we read */
	const char	*end;
	int		 line;
	int		 errors;
	char		*value[VARIABLES];	/* NULL: not set, or empty */
	int		 at[VARIABLES];	/* the line, 0: not seen */
};

/* A name's bytes at p. */
static size_t
name_length(const char *p, const char *end)
{
	const char	*start = p;

	while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
		p++;
	return (isdigit((unsigned char)*start) ? 0 : (size_t)(p - start));
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return (p);
}

static const char *
find_newline(const char *p, const char *end)
{
	const char	*newline;

	newline = memchr(p, '\n', (size_t)(end - p));
	return (newline != NULL ? newline : end);
}

/* The quote that ends the one at p, or NULL. */
static const char *
find_quote(const char *p, const char *end)
{
	char	quote = *p++;

	for (; p < end && *p != quote; p++)
		if (*p == '\\' && quote == '"' && p + 1 < end)
			p++;
	return (p < end ? p : NULL);
}

/* The text within double quotes without its escapes; the caller wipes. */
static char *
unescape(const char *p, const char *end)
{
	char	*value, *to;

	value = to = xmalloc((size_t)(end - p) + 1);
	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end && strchr("\"\\$", p[1]) != NULL)
			p++;
		*to++ = *p;
	}
	*to = '\0';
	return (value);
}

static char *
copy(const char *p, const char *end)
{
	char	*value;
	size_t	 n = (size_t)(end - p);

	value = xmalloc(n + 1);
	memcpy(value, p, n);
	value[n] = '\0';
	return (value);
}

/*
 * The value that begins at env->p; leaves env->p behind its line, or behind
 * the last of its lines if it is in quotes.  NULL and why when it is not
 * well formed.
 */
static char *
read_value(struct env *env, const char **why)
{
	const char	*p = env->p, *end = find_newline(p, env->end), *q;

	if (p < end && strchr("\"'`", *p) != NULL) {
		if ((q = find_quote(p, env->end)) == NULL) {
			env->p = end;
			*why = "begins with a quote that does not end";
			return (NULL);
		}
		env->p = find_newline(q, env->end);
		end = skip_blanks(q + 1, env->p);
		if (end < env->p && *end != '#') {
			*why = "has text behind its closing quote";
			return (NULL);
		}
		return (*p == '"' ? unescape(p + 1, q) : copy(p + 1, q));
	}
	env->p = end;
	for (q = p; q < end; q++)
		if (*q == '#' && (q == p || isblank((unsigned char)q[-1])))
			break;
	while (q > p && isspace((unsigned char)q[-1]))
		q--;
	return (copy(p, q));
}

static void
unknown_name(struct env *env, const char *name)
{
	char	list[512], near[64];
	int	i;

	if (strncmp(name, "BACKUP_", 7) != 0 &&
	    strncmp(name, "REMOTE_SERVER_", 14) != 0)
		return;
	list[0] = '\0';
	for (i = 0; i < S3_BUCKET; i++) {
		strlcat(list, i == 0 ? "" : ", ", sizeof(list));
		strlcat(list, names[i], sizeof(list));
	}
	if (conf_nearest(name, list, near, sizeof(near)) == 0)
		conf_warning(env->file, env->line, "%s is ignored, did you "
		    "mean %s?", name, near);
	else
		conf_warning(env->file, env->line, "%s is ignored; known are "
		    "%s", name, list);
}

static void
env_error(struct env *env, enum variable v, const char *why)
{
	conf_error(env->file, env->at[v], "%s %s", names[v], why);
	env->errors++;
}

/* Takes the value. */
static void
set_variable(struct env *env, enum variable v, char *value)
{
	char	why[80];

	/* Older servers differ in whether the first or the last counts. */
	if (env->at[v] != 0 && strcmp(value, env->value[v] == NULL ? "" :
	    env->value[v]) != 0) {
		(void)snprintf(why, sizeof(why), "was set already, in line "
		    "%d, to another value", env->at[v]);
		env->at[v] = env->line;
		env_error(env, v, why);
	}
	conf_wipe(env->value[v]);
	env->value[v] = NULL;
	env->at[v] = env->line;
	if (*value != '\0')
		env->value[v] = value;
	else
		conf_wipe(value);
}

static int
variable_find(const char *name, size_t n)
{
	int	i;

	for (i = 0; i < VARIABLES; i++)
		if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
			return (i);
	return (-1);
}

/* One variable, in one or more lines; env->p is at its newline then. */
static void
read_variable(struct env *env)
{
	const char	*p, *end = find_newline(env->p, env->end);
	const char	*equals, *why = NULL;
	char		*value, name[64];
	size_t		 n;
	int		 v;

	p = skip_blanks(env->p, end);
	env->p = end;
	if (p == end || *p == '#')
		return;
	if (end - p > 7 && memcmp(p, "export", 6) == 0 &&
	    isblank((unsigned char)p[6]))
		p = skip_blanks(p + 6, end);
	n = name_length(p, end);
	equals = skip_blanks(p + n, end);
	if (n == 0 || equals == end || *equals != '=') {
		conf_warning(env->file, env->line, "this line is ignored, "
		    "expected NAME=value");
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
	env->p = skip_blanks(equals + 1, end);
	value = read_value(env, &why);
	if ((v = variable_find(p, n)) == -1) {
		unknown_name(env, name);
		conf_wipe(value);
	} else if (value == NULL) {
		env->at[v] = env->line;
		env_error(env, v, why);
	} else
		set_variable(env, v, value);
}

static void
read_all(struct env *env)
{
	const char	*start;

	if (env->end - env->p >= 3 && memcmp(env->p, "\xef\xbb\xbf", 3) == 0)
		env->p += 3;
	while (env->p < env->end) {
		start = env->p;
		read_variable(env);
		for (; start < env->p; start++)
			env->line += *start == '\n';
		if (env->p < env->end) {
			env->p++;
			env->line++;
		}
	}
}

static int
hex_digit(char c)
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*at;

	at = c == '\0' ? NULL :
	    strchr(digits, tolower((unsigned char)c));
	return (at == NULL ? -1 : (int)(at - digits));
}

/* In place; -1 when it is not well formed. */
static int
percent_decode(char *s)
{
	char	*to = s;
	int	 high, low;

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			*to++ = *s;
			continue;
		}
		if ((high = hex_digit(s[1])) == -1 ||
		    (low = hex_digit(s[2])) == -1 || high + low == 0)
			return (-1);
		*to++ = (char)(high * 16 + low);
		s += 2;
	}
	*to = '\0';
	return (0);
}

/* The path that a DATABASE_URL names; the caller frees.  NULL and why. */
static char *
database_path(const char *url, const char **why)
{
	char	*path, *colon, *result = NULL;
	int	 is_url;

	is_url = strncasecmp(url, "sqlite:", 7) == 0;
	path = xstrdup(is_url ? url + 7 : url);
	path[strcspn(path, "?")] = '\0';
	colon = strchr(path, ':');
	if (is_url && strncmp(path, "//", 2) == 0)
		memmove(path, path + 2, strlen(path + 2) + 1);
	if (!is_url && colon != NULL && strcspn(path, "/~") > 0)
		*why = "is not the URL of an SQLite database; expected "
		    "sqlite:/PATH";
	else if (is_url && percent_decode(path) == -1)
		*why = "has a % that is not followed by two digits of a byte";
	else
		result = conf_path_database(path, NULL, why);
	/* A URL of another kind of database may hold a password. */
	conf_wipe(path);
	return (result);
}

/* The name that a block for this path would have; the caller frees. */
static char *
database_name(const char *path)
{
	const char	*base = strrchr(path, '/') + 1, *dot;
	char		*name;
	size_t		 i, n = strlen(base);

	if ((dot = strrchr(base, '.')) != NULL && dot != base)
		n = (size_t)(dot - base);
	if (n >= DATABASE_BYTES)
		n = DATABASE_BYTES - 1;
	name = copy(base, base + n);
	for (i = 0; i < n; i++)
		if (!isascii((unsigned char)name[i]) ||
		    (!isalnum((unsigned char)name[i]) &&
		    strchr("._-", name[i]) == NULL) ||
		    (i == 0 && name[i] == '.'))
			name[i] = '_';
	return (name);
}

static void
make_remote(struct env *env, struct conf *conf)
{
	struct conf_remote	*r;
	const char		*why;

	if (env->value[REMOTE_URL] == NULL) {
		if (env->value[REMOTE_KEY] != NULL)
			conf_warning(env->file, env->at[REMOTE_KEY], "%s is "
			    "of no use without %s: backups stay here",
			    names[REMOTE_KEY], names[REMOTE_URL]);
		return;
	}
	r = conf_remote_new(conf, "remote");
	if ((r->url = conf_url(env->value[REMOTE_URL], &why)) == NULL)
		env_error(env, REMOTE_URL, why);
	if (env->value[REMOTE_KEY] == NULL)
		return;
	if ((why = conf_why_key(env->value[REMOTE_KEY])) != NULL)
		env_error(env, REMOTE_KEY, why);
	else
		r->api_key = xstrdup(env->value[REMOTE_KEY]);
}

/* The first of two variables that is set; NULL. */
static const char *
either(const struct env *env, enum variable *v, enum variable other)
{
	if (env->value[*v] == NULL)
		*v = other;
	return (env->value[*v]);
}

static void
make_s3_place(struct env *env, struct conf_remote *r)
{
	enum variable	 v = AWS_REGION;
	struct conf_s3	*s = conf_s3(r);
	const char	*text, *why;

	if ((why = conf_why_bucket(env->value[S3_BUCKET])) != NULL)
		env_error(env, S3_BUCKET, why);
	s->bucket = xstrdup(env->value[S3_BUCKET]);
	if (env->value[S3_PREFIX] != NULL) {
		free(s->prefix);
		s->prefix = conf_prefix(env->value[S3_PREFIX], &why);
		if (s->prefix == NULL)
			env_error(env, S3_PREFIX, why);
	}
	if ((text = either(env, &v, AWS_REGION_DEFAULT)) != NULL) {
		if ((why = conf_why_region(text)) != NULL)
			env_error(env, v, why);
		free(s->region);
		s->region = xstrdup(text);
	}
	v = AWS_ENDPOINT_S3;
	if ((text = either(env, &v, AWS_ENDPOINT)) == NULL)
		r->url = xasprintf("https://s3.%s.amazonaws.com", s->region);
	else if ((r->url = conf_url(text, &why)) == NULL)
		env_error(env, v, why);
}

/*
 * The application's own variables look the same, so all of them must be
 * there: a bucket and both keys.
 */
static void
make_s3(struct env *env, struct conf *conf)
{
	static const enum variable	 secrets[] = { AWS_ACCESS_KEY,
					    AWS_SECRET_KEY, AWS_SESSION_TOKEN };
	struct conf_remote		*r;
	struct conf_s3			*s;
	const char			*why;
	size_t				 i;

	if (env->value[S3_BUCKET] == NULL)
		return;
	if (env->value[AWS_ACCESS_KEY] == NULL ||
	    env->value[AWS_SECRET_KEY] == NULL) {
		conf_warning(env->file, env->at[S3_BUCKET], "%s is of no use "
		    "without %s and %s: nothing is sent there",
		    names[S3_BUCKET], names[AWS_ACCESS_KEY],
		    names[AWS_SECRET_KEY]);
		return;
	}
	r = conf_remote_new(conf, "s3");
	r->kind = REMOTE_S3;
	make_s3_place(env, r);
	for (i = 0; i < nitems(secrets); i++)
		if (env->value[secrets[i]] != NULL && (why = i == 2 ?
		    conf_why_session(env->value[secrets[i]]) :
		    conf_why_key(env->value[secrets[i]])) != NULL)
			env_error(env, secrets[i], why);
	s = conf_s3(r);
	s->access_key = xstrdup(env->value[AWS_ACCESS_KEY]);
	s->secret_key = xstrdup(env->value[AWS_SECRET_KEY]);
	if (env->value[AWS_SESSION_TOKEN] != NULL)
		s->session_token = xstrdup(env->value[AWS_SESSION_TOKEN]);
}

static void
make_database(struct env *env, struct conf *conf)
{
	const char	*why;
	char		*path, *name;

	if (env->value[DATABASE_URL] == NULL) {
		if (env->at[DATABASE_URL] == 0 || env->errors == 0)
			env_error(env, DATABASE_URL, "is not set; expected "
			    "DATABASE_URL=sqlite:/PATH");
		return;
	}
	path = database_path(env->value[DATABASE_URL], &why);
	if (path == NULL) {
		env_error(env, DATABASE_URL, why);
		return;
	}
	name = database_name(path);
	conf_database_new(conf, name)->path = path;
	free(name);
}

/* One without the other can say nothing. */
static void
make_license(struct env *env, struct conf *conf)
{
	const char	*why;

	if (env->value[LICENSE_FILE] == NULL &&
	    env->value[LICENSE_KEY] == NULL)
		return;
	if (env->value[LICENSE_FILE] == NULL ||
	    env->value[LICENSE_KEY] == NULL) {
		conf_warning(env->file, env->at[env->value[LICENSE_FILE] ==
		    NULL ? LICENSE_KEY : LICENSE_FILE], "%s is of no use "
		    "without %s: there is no licence",
		    names[env->value[LICENSE_FILE] == NULL ? LICENSE_KEY :
		    LICENSE_FILE], names[env->value[LICENSE_FILE] == NULL ?
		    LICENSE_FILE : LICENSE_KEY]);
		return;
	}
	conf->license_file = conf_path_file(env->value[LICENSE_FILE],
	    PATH_BYTES, &why);
	if (conf->license_file == NULL)
		env_error(env, LICENSE_FILE, why);
	conf->license_key = conf_path_file(env->value[LICENSE_KEY],
	    PATH_BYTES, &why);
	if (conf->license_key == NULL)
		env_error(env, LICENSE_KEY, why);
}

static void
make_rest(struct env *env, struct conf *conf)
{
	const char	*why, *port = env->value[PORT];
	long long	 n = CONF_PORT_DEFAULT;

	if (port != NULL) {
		n = strtonum(conf_why_number(port) == NULL ? port : "", 1,
		    65535, &why);
		if (why != NULL)
			env_error(env, PORT, "is not a number from 1 to "
			    "65535");
	}
	conf_listen_loopback(conf, (uint16_t)n);
	if (env->value[BACKUP_DIR] != NULL) {
		conf->backup_dir = conf_path_directory(env->value[BACKUP_DIR],
		    CONF_BACKUP_DIR_MAX, &why);
		if (conf->backup_dir == NULL)
			env_error(env, BACKUP_DIR, why);
	}
	if (env->value[API_COMPAT] == NULL)
		return;
	if (strcmp(env->value[API_COMPAT], "node") == 0)
		conf->compat_node = 1;
	else
		env_error(env, API_COMPAT, "must be \"node\" or empty");
}

/* others_read: the file is open to everybody. */
static struct conf *
parse_env(const char *name, const char *text, size_t n, int others_read)
{
	struct env	 env;
	struct conf	*conf;
	int		 i;

	memset(&env, 0, sizeof(env));
	env.file = name;
	env.p = text;
	env.end = text + n;
	env.line = 1;
	conf = conf_new();
	conf->file = xstrdup(name);
	if (memchr(text, '\0', n) != NULL) {
		conf_error(name, 0, "has NUL bytes: is it a text?");
		env.errors++;
	} else {
		read_all(&env);
		make_remote(&env, conf);
		make_s3(&env, conf);
		make_database(&env, conf);
		make_license(&env, conf);
		make_rest(&env, conf);
	}
	if (others_read && env.value[REMOTE_KEY] != NULL)
		conf_warning(name, env.at[REMOTE_KEY], "everybody can read "
		    "this file, and there is an API key in it; chmod o-r");
	if (others_read && env.value[AWS_SECRET_KEY] != NULL)
		conf_warning(name, env.at[AWS_SECRET_KEY], "everybody can "
		    "read this file, and there is a secret key in it; chmod "
		    "o-r");
	for (i = 0; i < VARIABLES; i++)
		conf_wipe(env.value[i]);
	if (env.errors == 0 && conf_finish(conf) == 0)
		return (conf);
	conf_free(conf);
	return (NULL);
}

struct conf *
conf_load_env(const char *file)
{
	struct conf_text	 t;
	struct conf		*conf;
	char			 why[CONF_WHY_BYTES];

	if (conf_file_read(file, 0, CONF_BYTES_MAX, &t, why) == -1) {
		conf_error(file, 0, "%s", why);
		return (NULL);
	}
	conf = parse_env(file, t.data, t.size, (t.mode & 04) != 0);
	conf_text_free(&t);
	return (conf);
}

struct conf *
conf_parse_env(const char *name, const char *text, size_t n)
{
	return (parse_env(name, text, n, 0));
}
