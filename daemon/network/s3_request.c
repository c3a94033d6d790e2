/*
 * The network process runs this: one request to an S3 server, signed by
 * us, and sent again where that helps: with the server's clock, to the
 * region that it names, or after a pause when the exchange broke.  A
 * request owns its exchange; the credentials stay the remote's.
 */
#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/s3.h"

#define TEXT_MAX	(64 * 1024)
#define PAUSE_MS	250
#define HOPS_MAX	2
#define NO_BODY		"e3b0c44298fc1c149afbf4c8996fb924" \
			"27ae41e4649b934ca495991b7852b855"

static void	attempt(struct s3_request *);

struct s3_request *
s3_request_new(struct remote *remote, enum net_request kind,
    const char *method, const char *key)
{
	struct s3_request	*r;

	r = xcalloc(1, sizeof(*r));
	r->remote = remote;
	r->kind = kind;
	r->method = method;
	r->key = key == NULL ? NULL : xstrdup(key);
	r->fd = -1;
	r->text_max = TEXT_MAX;
	r->tries = 1;
	r->pause_ms = PAUSE_MS;
	(void)strlcpy(r->hash, NO_BODY, sizeof(r->hash));
	return (r);
}

static void
free_pairs(struct pair *p, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		free((void *)(uintptr_t)p[i].name);
		free((void *)(uintptr_t)p[i].value);
	}
}

void
s3_request_free(struct s3_request *r)
{
	if (r == NULL)
		return;
	exchange_free(r->x);
	if (r->pause != NULL)
		event_free(r->pause);
	free_pairs(r->headers, r->nheaders);
	free_pairs(r->query, r->nquery);
	free(r->key);
	free(r->body);
	free(r);
}

void
s3_request_query(struct s3_request *r, const char *name, const char *value)
{
	if (r->nquery == nitems(r->query))
		fatalx("a query of too many parts");
	r->query[r->nquery].name = xstrdup(name);
	r->query[r->nquery++].value = xstrdup(value);
}

void
s3_request_header(struct s3_request *r, const char *name, const char *value)
{
	if (r->nheaders == nitems(r->headers))
		fatalx("a request with too many headers");
	r->headers[r->nheaders].name = xstrdup(name);
	r->headers[r->nheaders++].value = xstrdup(value);
}

void
s3_request_body(struct s3_request *r, const void *p, size_t n)
{
	r->body = xmalloc(n + 1);
	if (n > 0)
		memcpy(r->body, p, n);
	r->size = n;
	sign_hash(r->hash, r->body, n);
}

void
s3_request_file(struct s3_request *r, int fd, uint64_t from, uint64_t size,
    const char *hash)
{
	r->fd = fd;
	r->from = from;
	r->size = size;
	(void)strlcpy(r->hash, hash, sizeof(r->hash));
}

void
s3_request_receive(struct s3_request *r, int fd, uint64_t from,
    uint64_t size_max)
{
	r->fd = fd;
	r->from = from;
	r->size = size_max;
	r->receives = 1;
}

char *
s3_full_key(const struct remote *remote, const char *key)
{
	return (xasprintf("%s%s", remote->s3->conf.prefix, key));
}

const char *
s3_request_answer(struct s3_request *r, const char *name)
{
	const char	*value;

	value = exchange_answer_header(r->x, name);
	return (value != NULL ? value : "");
}

void
s3_request_etag(struct s3_request *r, char dst[S3_ETAG_BYTES])
{
	const char	*etag = s3_request_answer(r, "etag");
	size_t		 n;

	if (etag[0] == '"')
		etag++;
	n = strcspn(etag, "\"");
	if (n >= S3_ETAG_BYTES)
		n = 0;
	memcpy(dst, etag, n);
	dst[n] = '\0';
}

/* ---- one attempt ---- */

/* The path as it is signed and sent, encoded. */
static char *
request_path(const struct s3_request *r)
{
	const struct s3	*s = r->remote->s3;
	char		*key, *bucket, *full, *path;

	full = r->key == NULL ? xstrdup("") : s3_full_key(r->remote, r->key);
	key = sign_encode(full, 1);
	bucket = sign_encode(s->conf.bucket, 0);
	if (s->conf.flags & S3_VIRTUAL_HOST)
		path = xasprintf("%s/%s", s->path, key);
	else
		path = xasprintf("%s/%s%s%s", s->path, bucket,
		    r->key == NULL ? "" : "/", key);
	free(bucket);
	free(key);
	free(full);
	return (path);
}

/* Adds what every request has, signs all, and hands it to the exchange. */
static void
sign_request(struct s3_request *r, const char *host, const char *path,
    const char *query)
{
	const struct m_net_s3	*conf = &r->remote->s3->conf;
	struct pair		 all[S3_HEADERS_MAX + 4];
	char			 when[SIGN_TIME_BYTES], *line, *value;
	struct sign		 s;
	size_t			 i, n = r->nheaders;
	int			 other;

	memcpy(all, r->headers, n * sizeof(*all));
	sign_time(when, util_now_ms() / 1000 + r->remote->s3->clock_s);
	all[n++] = (struct pair){ "host", host };
	all[n++] = (struct pair){ "x-amz-date", when };
	all[n++] = (struct pair){ "x-amz-content-sha256", r->hash };
	other = r->deletes && conf->delete_access_key[0] != '\0';
	if (conf->session_token[0] != '\0' && !other)
		all[n++] = (struct pair){ "x-amz-security-token",
		    conf->session_token };
	memset(&s, 0, sizeof(s));
	s.method = r->method;
	s.path = path;
	s.query = query;
	s.headers = all;
	s.nheaders = n;
	s.payload = r->hash;
	s.time = when;
	s.access_key = other ? conf->delete_access_key : conf->access_key;
	s.secret_key = other ? conf->delete_secret_key : conf->secret_key;
	s.region = r->remote->s3->region;
	s.service = "s3";
	value = sign_authorization(&s);
	for (i = 0; i < n; i++) {
		/* A semicolon is how libcurl is told of an empty one. */
		line = xasprintf("%s%s%s", all[i].name,
		    all[i].value[0] != '\0' ? ": " : ";", all[i].value);
		exchange_header(r->x, line);
		freezero(line, strlen(line));
	}
	line = xasprintf("Authorization: %s", value);
	exchange_header(r->x, line);
	freezero(line, strlen(line));
	free(value);
	/* It would cost a second where servers do not know it, and is not
	 * signed. */
	exchange_header(r->x, "Expect:");
}

static void
on_progress(struct exchange *x, void *arg)
{
	struct s3_request	*r = arg;

	(void)x;
	r->progress(r, r->arg);
}

static void
on_pause(evutil_socket_t s, short what, void *arg)
{
	(void)s;
	(void)what;
	attempt(arg);
}

static void
again_later(struct s3_request *r)
{
	struct timeval	tv;

	tv.tv_sec = r->pause_ms / 1000;
	tv.tv_usec = (suseconds_t)(r->pause_ms % 1000) * 1000;
	r->pause_ms *= 4;
	if (r->pause == NULL && (r->pause = event_new(curl_loop_base(), -1, 0,
	    on_pause, r)) == NULL)
		fatalx("event_new");
	if (event_add(r->pause, &tv) == -1)
		fatalx("event_add");
}

static int
may_pass(const struct result *r)
{
	return ((r->outcome == NET_AWAY || r->outcome == NET_TIMED_OUT ||
	    r->outcome == NET_GARBAGE) && r->retry_after_s == 0 &&
	    r->http_status != 429);
}

static void
on_answer(struct exchange *x, void *arg)
{
	struct s3_request	*r = arg;
	struct s3		*s = r->remote->s3;
	int64_t			 ahead_s;

	r->result = x->result;
	s3_judge(r);
	if (r->result.outcome == NET_OK || r->result.outcome == NET_LOCAL) {
		r->done(r, r->arg);
		return;
	}
	if (!r->skewed && s3_judge_clock(r, &ahead_s)) {
		log_warnx("the clock of %s is %lld seconds %s of this "
		    "machine's; signing by it", r->remote->host,
		    (long long)llabs(ahead_s), ahead_s > 0 ? "ahead" :
		    "behind");
		s->clock_s = ahead_s;
		r->skewed = 1;
		attempt(r);
	} else if (r->hops < HOPS_MAX && s3_judge_region(r)) {
		r->hops++;
		attempt(r);
	} else if (r->tries > 1 && may_pass(&r->result)) {
		log_debug("%s %s: again, because %s", r->method,
		    r->key == NULL ? "" : r->key, r->result.reason);
		r->tries--;
		again_later(r);
	} else
		r->done(r, r->arg);
}

static void
attempt(struct s3_request *r)
{
	const struct s3	*s = r->remote->s3;
	char		*host, *path, *query, *url;

	exchange_free(r->x);
	host = xasprintf("%s%s%s", s->conf.flags & S3_VIRTUAL_HOST ?
	    s->conf.bucket : "", s->conf.flags & S3_VIRTUAL_HOST ? "." : "",
	    s->host);
	path = request_path(r);
	query = sign_query(r->query, r->nquery);
	url = xasprintf("%s://%s%s%s%s", s->scheme, host, path,
	    r->nquery > 0 ? "?" : "", query);
	r->x = exchange_new(r->remote, r->kind, url,
	    r->total_ms != 0 ? 0 : r->remote->conf.timeout_ms, r->total_ms,
	    r->text_max);
	sign_request(r, host, path, query);
	if (strcmp(r->method, "GET") != 0)
		exchange_method(r->x, r->method);
	if (r->receives)
		exchange_receive(r->x, r->fd, r->from, r->size);
	else if (r->fd != -1)
		exchange_send_file(r->x, r->fd, r->from, r->size);
	else if (r->body != NULL)
		exchange_send(r->x, r->body, (size_t)r->size);
	exchange_limit(r->x, r->limit);
	free(url);
	free(query);
	free(path);
	free(host);
	exchange_start(r->x, r->progress != NULL ? on_progress : NULL,
	    on_answer, r);
}

void
s3_request_start(struct s3_request *r, s3_request_cb *progress,
    s3_request_cb *done, void *arg)
{
	r->progress = progress;
	r->done = done;
	r->arg = arg;
	attempt(r);
}
