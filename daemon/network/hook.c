/*
 * The network process runs this: requests to webhooks.  It owns those that
 * run.  A hook's URL is often the secret itself, so that nothing of it but
 * the host is told to anybody, and nothing of what is answered.
 */
#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/exchange.h"
#include "daemon/network/hook.h"
#include "daemon/network/text.h"

#define ANSWER_MAX	(64 * 1024)	/* bytes taken of an answer's body */
#define HEADERS_MAX	(64 * 1024)
#define RETRY_AFTER_MAX_S	86400

struct hook {
	TAILQ_ENTRY(hook) entry;
	struct chan	*chan;
	uint64_t	 id;
	CURL		*easy;
	struct curl_slist *headers;
	struct curl_loop_job *job;
	size_t		 bytes;		/* of the answer, that were dropped */
	char		 host[HOST_BYTES];
};
static TAILQ_HEAD(, hook) hooks = TAILQ_HEAD_INITIALIZER(hooks);

#define set(h, option, value) do {					\
	if (curl_easy_setopt((h)->easy, (option), (value)) != CURLE_OK)	\
		fatalx("curl_easy_setopt %s", #option);			\
} while (0)

static void
hook_free(struct hook *h)
{
	TAILQ_REMOVE(&hooks, h, entry);
	if (h->job != NULL)
		curl_loop_stop(h->job);
	curl_easy_cleanup(h->easy);
	curl_slist_free_all(h->headers);
	free(h);
}

static void
tell(struct hook *h, const struct result *r)
{
	struct m_net_hooked	m;

	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.retry_after_s = r->retry_after_s;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(h->chan, MSG_NET_HOOKED, h->id, &m, sizeof(m), -1);
}

/* ---- judging ---- */

/* Without libcurl's own words: they may have the URL in them. */
static const char *
failure(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return ("its address cannot be found");
	case CURLE_COULDNT_CONNECT:
		return ("nobody answers there");
	case CURLE_OPERATION_TIMEDOUT:
		return ("no answer came in time");
	case CURLE_PEER_FAILED_VERIFICATION:
		return ("its certificate is not trusted");
	case CURLE_SSL_CACERT_BADFILE:
		return ("no certificates to check it by were found on this "
		    "machine");
	case CURLE_SSL_CONNECT_ERROR:
		return ("TLS cannot be set up");
	default:
		return ("the connection broke");
	}
}

static uint32_t
retry_after(struct hook *h)
{
	curl_off_t	s = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &s);
	return (s <= 0 ? 0 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S :
	    (uint32_t)s);
}

static void
judge(struct hook *h, CURLcode code, struct result *r)
{
	long	status = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	memset(r, 0, sizeof(*r));
	r->http_status = status < 200 ? 0 : (uint32_t)status;
	if (r->http_status == 0)
		result_set(r, NET_AWAY, "%s: %s", h->host, failure(code));
	else if (status < 300)
		result_set(r, NET_OK, "%s", "");
	else if (status < 400)
		result_set(r, NET_REFUSED, "%s answered %ld, a redirect, "
		    "which is not followed", h->host, status);
	else if (status >= 500 || status == 408 || status == 425 ||
	    status == 429) {
		r->retry_after_s = retry_after(h);
		result_set(r, NET_AWAY, "%s answered %ld", h->host, status);
	} else
		result_set(r, NET_REFUSED, "%s refused with %ld", h->host,
		    status);
}

static void
on_done(CURL *easy, CURLcode code, void *arg)
{
	struct hook	*h = arg;
	struct result	 r;

	(void)easy;
	h->job = NULL;
	judge(h, code, &r);
	log_debug("hook id=%llu host=%s status=%u", (unsigned long long)h->id,
	    h->host, r.http_status);
	tell(h, &r);
	hook_free(h);
}

/* ---- asking ---- */

/* Dropped, but not without end. */
static size_t
on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct hook	*h = arg;

	(void)p;
	n *= size;
	h->bytes += n;
	return (h->bytes > ANSWER_MAX ? 0 : n);
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct hook	*h = arg;

	(void)p;
	n *= size;
	h->bytes += n;
	return (h->bytes > HEADERS_MAX ? 0 : n);
}

/* "HOST port PORT" for sentences; 0 when there is none. */
static int
host_of(const char *url, char host[HOST_BYTES])
{
	CURLU	*u;
	char	*name = NULL, *port = NULL;
	int	 ok;

	if ((u = curl_url()) == NULL)
		fatalx("curl_url");
	ok = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
	    CURLUE_OK && text_plain(name, strlen(name)) &&
	    snprintf(host, HOST_BYTES, "%s port %s", name, port) < HOST_BYTES;
	curl_free(name);
	curl_free(port);
	curl_url_cleanup(u);
	return (ok);
}

static void
header(struct hook *h, const char *line)
{
	struct curl_slist	*l;

	if ((l = curl_slist_append(h->headers, line)) == NULL)
		fatalx("curl_slist_append");
	h->headers = l;
}

static void
prepare(struct hook *h, const struct m_net_hook *m)
{
	char	line[64];

	exchange_secure(h->easy, m->url);
	set(h, CURLOPT_TIMEOUT_MS, (long)m->timeout_ms);
	set(h, CURLOPT_POSTFIELDSIZE, (long)m->size);
	set(h, CURLOPT_COPYPOSTFIELDS, m->body);
	/* libcurl would send it again by itself on another connection. */
	set(h, CURLOPT_FRESH_CONNECT, 1L);
	set(h, CURLOPT_FORBID_REUSE, 1L);
	set(h, CURLOPT_WRITEFUNCTION, on_answer);
	set(h, CURLOPT_WRITEDATA, h);
	set(h, CURLOPT_HEADERFUNCTION, on_header);
	set(h, CURLOPT_HEADERDATA, h);
	header(h, "Content-Type: application/json");
	header(h, "Expect:");
	snprintf(line, sizeof(line), "X-Cloudbackupd-Event: %s", m->event);
	header(h, line);
	set(h, CURLOPT_HTTPHEADER, h->headers);
}

void
hook_post(struct chan *c, uint64_t id, const struct m_net_hook *m)
{
	struct hook	*h;
	struct result	 r;

	h = xcalloc(1, sizeof(*h));
	h->chan = c;
	h->id = id;
	if ((h->easy = curl_easy_init()) == NULL)
		fatalx("curl_easy_init");
	TAILQ_INSERT_TAIL(&hooks, h, entry);
	if (!host_of(m->url, h->host)) {
		memset(&r, 0, sizeof(r));
		result_set(&r, NET_REFUSED, "the webhook's URL cannot be "
		    "used; correct it in the configuration");
		tell(h, &r);
		hook_free(h);
		return;
	}
	prepare(h, m);
	h->job = curl_loop_start(h->easy, on_done, h);
}

int
hook_exists(uint64_t id)
{
	const struct hook	*h;

	TAILQ_FOREACH(h, &hooks, entry) {
		if (h->id == id)
			return (1);
	}
	return (0);
}

void
hook_close(void)
{
	struct hook	*h;

	while ((h = TAILQ_FIRST(&hooks)) != NULL)
		hook_free(h);
}
