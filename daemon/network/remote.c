/*
 * The network process runs this.  It owns the list of remotes, and with it
 * their API keys, which leave it only in a request to their own server.
 */
#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/remote.h"
#include "daemon/network/s3.h"
#include "daemon/network/text.h"

#define REMOTES_MAX	1024

static struct remote	**remotes;
static size_t		 nremotes;
static uint32_t		 next_index;	/* above all that ever were */

static const struct {
	enum remote_kind	 kind;
	const struct remote_ops	*ops;
} kinds[] = {
	{ REMOTE_REST,	&rest_ops },
	{ REMOTE_S3,	&s3_ops }
};

static const struct remote_ops *
kind_ops(uint32_t kind)
{
	size_t	i;

	for (i = 0; i < nitems(kinds); i++) {
		if (kinds[i].kind == kind)
			return (kinds[i].ops);
	}
	return (NULL);
}

/* "HOST port PORT" for sentences, and 1 if url is one to ask. */
static int
url_host(const char *url, char host[HOST_BYTES])
{
	CURLU	*u;
	char	*scheme = NULL, *name = NULL, *port = NULL;
	int	 ok = 0;

	if ((u = curl_url()) == NULL)
		fatalx("curl_url");
	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
	    CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
	    /* Paths are put behind it. */
	    strpbrk(url, "?#") == NULL && text_plain(name, strlen(name)))
		ok = snprintf(host, HOST_BYTES, "%s port %s", name, port) <
		    HOST_BYTES;
	if (!ok)
		host[0] = '\0';
	curl_free(scheme);
	curl_free(name);
	curl_free(port);
	curl_url_cleanup(u);
	return (ok);
}

static void
remote_free(struct remote *r)
{
	s3_free(r->s3);
	freezero(r, sizeof(*r));
}

/* What it has cost is counted on. */
static void
costs_move(struct remote *to, struct remote *from)
{
	size_t	i;

	for (i = 0; i < REQUEST_KINDS; i++)
		to->costs.requests[i] += from->costs.requests[i];
	to->costs.bytes_up += from->costs.bytes_up;
	to->costs.bytes_down += from->costs.bytes_down;
	memset(&from->costs, 0, sizeof(from->costs));
}

static void
remote_retire(size_t at)
{
	struct remote	*r = remotes[at];

	remotes[at] = remotes[--nremotes];
	r->retired = 1;
	if (r->users == 0)
		remote_free(r);
}

void
remote_forget(uint32_t index)
{
	size_t	i;

	for (i = 0; i < nremotes; i++) {
		if (remotes[i]->conf.index == index) {
			remote_retire(i);
			return;
		}
	}
	fatalx("engine forgets remote number %u, which is none", index);
}

void
remote_hold(struct remote *r)
{
	r->users++;
}

void
remote_release(struct remote *r)
{
	struct remote	*next;

	if (--r->users > 0 || !r->retired)
		return;
	if ((next = remote_find(r->conf.index)) != NULL)
		costs_move(next, r);
	remote_free(r);
}

void
remote_each(void (*cb)(const struct remote *, void *), void *arg)
{
	size_t	i;

	for (i = 0; i < nremotes; i++)
		cb(remotes[i], arg);
}

struct remote *
remote_forgotten(uint32_t index)
{
	static struct remote	gone;

	gone.ops = &rest_ops;
	return (index < next_index ? &gone : NULL);
}

void
remote_add(const struct m_net_remote *conf)
{
	struct remote	*r, *old;
	size_t		 n;

	if (!msg_text_ok(conf->name) || !msg_text_ok(conf->url) ||
	    !msg_text_ok(conf->api_key) || conf->timeout_ms == 0)
		fatalx("engine sent a remote that makes no sense");
	/* A line end in it would be another header. */
	if (!text_plain(conf->api_key, strlen(conf->api_key)))
		fatalx("remote %s: the API key holds a control character",
		    conf->name);
	if (nremotes == REMOTES_MAX)
		fatalx("engine sent more than %d remotes", REMOTES_MAX);
	if (conf->index >= next_index)
		next_index = conf->index + 1;
	r = xcalloc(1, sizeof(*r));
	r->conf = *conf;
	if ((r->ops = kind_ops(conf->kind)) == NULL)
		fatalx("remote %s: kind %u is not known here", conf->name,
		    conf->kind);
	for (n = strlen(r->conf.url); n > 0 && r->conf.url[n - 1] == '/'; n--)
		r->conf.url[n - 1] = '\0';
	if (!url_host(r->conf.url, r->host))
		log_warnx("remote %s: its URL cannot be used; it must begin "
		    "with http:// or https://, and have neither ? nor #",
		    conf->name);
	else
		log_debug("remote %s is %s", conf->name, r->host);
	if ((old = remote_find(conf->index)) != NULL) {
		costs_move(r, old);
		remote_forget(conf->index);
	}
	remotes = xreallocarray(remotes, nremotes + 1, sizeof(*remotes));
	remotes[nremotes++] = r;
}

void
remote_add_s3(const struct m_net_s3 *conf)
{
	struct remote	*r = remote_find(conf->index);

	if (r == NULL || r->conf.kind != REMOTE_S3 || r->s3 != NULL)
		fatalx("engine sent NET_S3 for remote number %u, which wants "
		    "none", conf->index);
	r->s3 = s3_new(r, conf);
}

void
remote_start(void)
{
	size_t	i;

	for (i = 0; i < nremotes; i++) {
		if (remotes[i]->conf.kind == REMOTE_S3 &&
		    remotes[i]->s3 == NULL)
			fatalx("remote %s has no bucket",
			    remotes[i]->conf.name);
	}
}

struct remote *
remote_find(uint32_t index)
{
	size_t	i;

	for (i = 0; i < nremotes; i++) {
		if (remotes[i]->conf.index == index)
			return (remotes[i]);
	}
	return (NULL);
}

void
remote_free_all(void)
{
	size_t	i;

	for (i = 0; i < nremotes; i++)
		remote_free(remotes[i]);
	free(remotes);
	remotes = NULL;
	nremotes = 0;
}
