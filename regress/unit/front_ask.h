/*
 * What the tests of the front share: asking, and looking into the JSON
 * that comes back.
 */
#ifndef REGRESS_FRONT_ASK_H
#define REGRESS_FRONT_ASK_H

#include <json-c/json.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "front_peer.h"
#include "unit.h"

#define API	"/api/cloud-backup"
#define JSON	"Content-Type: application/json\r\n"
#define HOST	"Host: localhost\r\n"

static char	program[4096];		/* the front */

static inline void
default_conf(struct m_front_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->remotes = 1;
	conf->connections_max = 64;
	conf->user.kind = USER_NUMBER;
	util_copy(conf->user.id, "42");
	util_copy(conf->remote_url, "https://me:secret@backup.example.org/x");
	util_copy(conf->remote_name, "hq");
}

/* The value at a path of keys and indices ("data.0.id") as text, static;
 * "(none)" when there is none. */
static inline const char *
at(const struct answer *a, const char *path)
{
	static char		 text[2048];
	struct json_object	*o, *v;
	char			 copy[128], *p = copy, *key;

	strlcpy(copy, path, sizeof(copy));
	strlcpy(text, "(none)", sizeof(text));
	if ((o = json_tokener_parse(a->body)) == NULL)
		return ("(no JSON)");
	v = o;
	while (v != NULL && (key = strsep(&p, ".")) != NULL) {
		if (json_object_is_type(v, json_type_array)) {
			v = json_object_array_get_idx(v,
			    strtoul(key, NULL, 10));
		} else if (!json_object_object_get_ex(v, key, &v))
			goto out;
	}
	strlcpy(text, v == NULL ? "null" : json_object_get_string(v),
	    sizeof(text));
out:
	json_object_put(o);
	return (text);
}

static inline long
rows_of(const struct answer *a)
{
	struct json_object	*o, *v;
	long			 n = -1;

	if ((o = json_tokener_parse(a->body)) == NULL)
		return (-1);
	if (json_object_object_get_ex(o, "data", &v) &&
	    json_object_is_type(v, json_type_array))
		n = (long)json_object_array_length(v);
	json_object_put(o);
	return (n);
}

#define at_is(a, path, want) do {					\
	const char	*at_ = at((a), (path));				\
									\
	ok(strcmp(at_, (want)) == 0, "  %s is %s", (path), (want));	\
	if (strcmp(at_, (want)) != 0)					\
		printf("# got %s\n", at_);				\
} while (0)

static inline int
envelope_holds(const struct answer *a)
{
	return (a->whole && strcmp(at(a, "success"), "false") == 0 &&
	    strcmp(at(a, "errorCode"), "(none)") != 0 &&
	    strcmp(at(a, "remediation"), "(none)") != 0 &&
	    strlen(at(a, "error")) > 8 && strcmp(at(a, "message"), "null") != 0);
}

static inline int
still_answers(struct stage *st)
{
	struct answer	a = client(st, "GET /healthz", NULL, NULL);
	int		good = a.status == 200;

	answer_free(&a);
	return (good);
}

/* Asks, and checks the status. */
static inline struct answer
ask(struct stage *st, int status, const char *line, const char *fields,
    const char *body)
{
	struct answer	a = client(st, line, fields, body);

	ok(a.status == status && a.whole, "%s: %d", line, status);
	if (a.status != status || !a.whole)
		printf("# got %d: %.300s\n", a.status, a.text);
	return (a);
}

/* Memory in use by the front, bytes. */
static inline long
front_rss(const struct stage *st)
{
	char	path[64];
	long	size, rss = -1;
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)st->front);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	if (fscanf(f, "%ld %ld", &size, &rss) != 2)
		rss = -1;
	fclose(f);
	return (rss * sysconf(_SC_PAGESIZE));
}

/* The program lies beside the directory of this one. */
static inline void
find_program(const char *self)
{
	char	*slash;

	strlcpy(program, self, sizeof(program));
	if ((slash = strrchr(program, '/')) == NULL)
		errx(1, "run me by a path");
	*slash = '\0';
	strlcat(program, "/../cloudbackupd-front", sizeof(program));
}

#endif
