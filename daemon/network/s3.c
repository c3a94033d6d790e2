/*
 * The network process runs this: what is configured of S3 remotes, and the
 * table of what can be done with them.  It owns their credentials, which
 * leave it only as signatures.
 */
#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3.h"
#include "daemon/network/text.h"

#define HEALTH_MS	10000		/* in all */
#define PARALLEL	4

/* ---- configuration ---- */

static int
texts_ok(const struct m_net_s3 *c)
{
	static const struct {
		size_t	at, size;
		int	needed;
	} texts[] = {
#define T(field, needed)						\
	{ offsetof(struct m_net_s3, field),				\
	    sizeof(((struct m_net_s3 *)0)->field), needed }
		T(bucket, 1), T(prefix, 0), T(region, 1), T(access_key, 1),
		T(secret_key, 1), T(session_token, 0),
		T(delete_access_key, 0), T(delete_secret_key, 0),
		T(storage_class, 0), T(sse, 0), T(sse_key, 0),
		T(lock_mode, 0)
#undef T
	};
	const char	*p;
	size_t		 i;

	for (i = 0; i < nitems(texts); i++) {
		p = (const char *)c + texts[i].at;
		/* A line end in it would be another header. */
		if (memchr(p, '\0', texts[i].size) == NULL ||
		    !text_plain(p, strlen(p)) ||
		    (texts[i].needed && p[0] == '\0'))
			return (0);
	}
	return (1);
}

static int
options_ok(const struct m_net_s3 *c)
{
	size_t	n = strlen(c->prefix);

	if (c->flags & ~(uint32_t)(S3_VIRTUAL_HOST | S3_CONDITIONAL |
	    S3_NO_DELETE))
		return (0);
	if (n > 0 && (c->prefix[n - 1] != '/' || c->prefix[0] == '/'))
		return (0);
	if (c->parallel > S3_PARALLEL_MAX || (c->part_size != 0 &&
	    c->part_size < S3_PART_BYTES_MIN))
		return (0);
	if (c->sse[0] != '\0' && strcmp(c->sse, "AES256") != 0 &&
	    strcmp(c->sse, "aws:kms") != 0)
		return (0);
	if ((c->delete_access_key[0] == '\0') !=
	    (c->delete_secret_key[0] == '\0'))
		return (0);
	return (c->lock_mode[0] == '\0' || ((c->retain_days > 0 &&
	    c->retain_days <= 36500) &&
	    (strcmp(c->lock_mode, "GOVERNANCE") == 0 ||
	    strcmp(c->lock_mode, "COMPLIANCE") == 0)));
}

/* The parts of the endpoint's URL, which remote_add has looked at. */
static int
read_endpoint(struct s3 *s, const char *url)
{
	CURLU	*u;
	char	*scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	char	*user = NULL;
	int	 ok;

	if ((u = curl_url()) == NULL)
		fatalx("curl_url");
	ok = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
	if (ok) {
		/* None, when it is the scheme's own. */
		(void)curl_url_get(u, CURLUPART_PORT, &port,
		    CURLU_NO_DEFAULT_PORT);
		path[strcspn(path, "/") + (path[1] == '\0' ? 0 :
		    strlen(path))] = '\0';
		ok = snprintf(s->host, sizeof(s->host), "%s%s%s", host,
		    port != NULL ? ":" : "", port != NULL ? port : "") <
		    (int)sizeof(s->host) &&
		    strlcpy(s->scheme, scheme, sizeof(s->scheme)) <
		    sizeof(s->scheme) &&
		    strlcpy(s->path, path, sizeof(s->path)) < sizeof(s->path);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_free(user);
	curl_url_cleanup(u);
	return (ok);
}

struct s3 *
s3_new(const struct remote *r, const struct m_net_s3 *conf)
{
	struct s3	*s;

	if (!texts_ok(conf) || !options_ok(conf))
		fatalx("remote %s: what it needs for S3 makes no sense",
		    r->conf.name);
	s = xcalloc(1, sizeof(*s));
	s->conf = *conf;
	if (s->conf.parallel == 0)
		s->conf.parallel = PARALLEL;
	(void)strlcpy(s->region, conf->region, sizeof(s->region));
	if (r->host[0] != '\0' && !read_endpoint(s, r->conf.url)) {
		log_warnx("remote %s: its endpoint cannot be used; it must "
		    "not hold a user or password", r->conf.name);
		s->host[0] = '\0';
	}
	return (s);
}

void
s3_free(struct s3 *s)
{
	if (s != NULL)
		freezero(s, sizeof(*s));
}

int
s3_key_ok(const char *key)
{
	const char	*p = key;
	size_t		 n;

	if (key[0] == '\0' || strlen(key) >= REMOTE_ID_BYTES ||
	    !text_plain(key, strlen(key)))
		return (0);
	for (;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return (0);
		if (p[n] == '\0')
			return (1);
	}
}

/* ---- health ---- */

struct health {
	struct s3_state		 base;
	struct s3_request	*r;
};

static void
health_stop(struct task *t)
{
	struct health	*h = t->state;

	s3_request_free(h->r);
	free(h);
}

static void
on_health(struct s3_request *r, void *arg)
{
	task_finish(arg, &r->result, NULL, 0);
}

static void
s3_health(struct task *t)
{
	struct health	*h;

	h = xcalloc(1, sizeof(*h));
	h->base.stop = health_stop;
	t->state = h;
	h->r = s3_request_new(t->remote, REQUEST_HEAD, "HEAD", NULL);
	h->r->total_ms = HEALTH_MS;
	s3_request_start(h->r, NULL, on_health, t);
}

/* ---- the table ---- */

static void
s3_stop(struct task *t)
{
	struct s3_state	*s = t->state;

	if (s != NULL)
		s->stop(t);
	t->state = NULL;
}

/* A list's rows are sent while it is read. */
static int
s3_row(struct task *t, struct m_remote_row *row)
{
	(void)t;
	(void)row;
	return (0);
}

static uint32_t
s3_skipped(struct task *t)
{
	return (t->skipped);
}

const struct remote_ops	s3_ops = {
	.start = {
		[TASK_UPLOAD] = s3_put,
		[TASK_FETCH] = s3_get,
		[TASK_HEALTH] = s3_health,
		[TASK_LIST] = s3_catalog,
		[TASK_ABORT] = s3_abort,
		[TASK_DELETE] = s3_delete,
		[TASK_CATALOG] = s3_catalog,
		[TASK_TEST] = s3_test
	},
	.stop = s3_stop,
	.row = s3_row,
	.skipped = s3_skipped
};
