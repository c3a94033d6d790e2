/*
 * The network process runs this: the sentences that people read when a
 * remote fails, and which failures are worth another try.  What the server
 * said is cleaned, and left out when the API key is in it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/network/answer.h"
#include "daemon/network/exchange.h"
#include "daemon/network/outcome.h"
#include "daemon/network/text.h"

#define RETRY_AFTER_MAX_S	86400
#define QUOTE_BYTES		256

static const struct {
	CURLcode	 code;
	enum net_outcome outcome;
	const char	*text;		/* %s: the host */
	int		 detail;	/* libcurl's own words help */
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, NET_AWAY,
	    "cannot find the address of %s", 0 },
	{ CURLE_COULDNT_CONNECT, NET_AWAY, "cannot connect to %s", 1 },
	{ CURLE_OPERATION_TIMEDOUT, NET_TIMED_OUT,
	    "cannot connect to %s: no answer for 10 seconds", 0 },
	{ CURLE_PEER_FAILED_VERIFICATION, NET_AWAY,
	    "the certificate of %s is not trusted", 1 },
	{ CURLE_SSL_CACERT_BADFILE, NET_AWAY,
	    "no certificates to check %s by were found on this machine", 0 },
	{ CURLE_SSL_CONNECT_ERROR, NET_AWAY, "cannot set up TLS with %s", 1 },
	{ CURLE_GOT_NOTHING, NET_AWAY,
	    "%s closed the connection without an answer", 0 },
	{ CURLE_PARTIAL_FILE, NET_AWAY,
	    "%s closed the connection before the end of its answer", 0 },
	{ CURLE_SEND_ERROR, NET_AWAY,
	    "the connection to %s broke while sending", 0 },
	{ CURLE_RECV_ERROR, NET_AWAY,
	    "the connection to %s broke while receiving", 0 },
	{ CURLE_UNSUPPORTED_PROTOCOL, NET_GARBAGE,
	    "%s does not answer in HTTP", 0 },
	{ CURLE_WEIRD_SERVER_REPLY, NET_GARBAGE,
	    "%s does not answer in HTTP", 0 }
};

static const struct {
	enum stop	 stop;
	enum net_outcome outcome;
	const char	*text;		/* %s: the host */
} stops[] = {
	{ STOP_SHORT, NET_LOCAL,
	    "the backup's file is shorter than recorded; %s did not get it" },
	{ STOP_TOO_LONG, NET_GARBAGE,
	    "the answer of %s is longer than is accepted" },
	{ STOP_TOO_LARGE, NET_GARBAGE,
	    "%s sends more bytes than this backup may have" },
	{ STOP_ENCODED, NET_GARBAGE,
	    "%s sends the backup in an encoding that was not asked for" }
};

void
result_set(struct result *r, enum net_outcome outcome, const char *fmt, ...)
{
	char	buf[2 * TEXT_BYTES];
	va_list	ap;

	va_start(ap, fmt);
	if (vsnprintf(buf, sizeof(buf), fmt, ap) < 0)
		buf[0] = '\0';
	va_end(ap);
	r->outcome = outcome;
	text_clean(r->reason, sizeof(r->reason), buf, strlen(buf));
}

/* ": text", or nothing when there is no text or it cannot be shown. */
static const char *
quote(const struct exchange *x, char buf[QUOTE_BYTES], const char *text)
{
	const char	*key = x->remote->conf.api_key;
	size_t		 n;

	buf[0] = '\0';
	if (text == NULL || text[0] == '\0' ||
	    (key[0] != '\0' && strstr(text, key) != NULL))
		return (buf);
	strlcpy(buf, ": ", QUOTE_BYTES);
	text_clean(buf + 2, QUOTE_BYTES - 2, text, strlen(text));
	for (n = strlen(buf); n > 2 && buf[n - 1] == '.'; n--)
		buf[n - 1] = '\0';
	return (buf);
}

static const char *
quote_answer(const struct exchange *x, char buf[QUOTE_BYTES])
{
	/* Whole, so that no part of a key is left when it is cut. */
	char	text[8 * 1024];

	buf[0] = '\0';
	if (x->text_bytes == 0 ||
	    !answer_message(x->text, x->text_bytes, text, sizeof(text)))
		return (buf);
	return (quote(x, buf, text));
}

static void
judge_stop(struct exchange *x)
{
	struct result	*r = &x->result;
	const char	*host = x->remote->host;
	size_t		 i;

	switch (x->stopped) {
	case STOP_LOCAL:
		result_set(r, NET_LOCAL, "cannot %s the backup's file: %s",
		    x->receives ? "write" : "read", strerror(x->local_errno));
		return;
	case STOP_IDLE:
		result_set(r, NET_TIMED_OUT, "nothing moved to or from %s "
		    "for %.0f seconds", host, (double)x->idle_us / 1e6);
		return;
	case STOP_DRIP:
		result_set(r, NET_TIMED_OUT, "less than a kilobyte a second "
		    "moved to or from %s", host);
		return;
	case STOP_TOTAL:
		result_set(r, NET_TIMED_OUT, "%s did not answer within "
		    "%.0f seconds", host, (double)x->total_us / 1e6);
		return;
	}
	for (i = 0; i < nitems(stops); i++) {
		if (stops[i].stop == (enum stop)x->stopped)
			result_set(r, stops[i].outcome, stops[i].text, host);
	}
}

static void
judge_failure(struct exchange *x, CURLcode code)
{
	const char	*host = x->remote->host, *detail;
	char		 text[QUOTE_BYTES], buf[QUOTE_BYTES];
	long		 error = 0;
	size_t		 i;

	curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &error);
	detail = x->error[0] != '\0' ? x->error : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT && error != 0)
		detail = strerror((int)error);
	quote(x, buf, detail);
	for (i = 0; i < nitems(failures); i++) {
		if (failures[i].code != code)
			continue;
		snprintf(text, sizeof(text), failures[i].text, host);
		result_set(&x->result, failures[i].outcome, "%s%s", text,
		    failures[i].detail ? buf : "");
		return;
	}
	result_set(&x->result, NET_AWAY, "the exchange with %s failed%s",
	    host, buf);
}

static uint32_t
retry_after(struct exchange *x)
{
	curl_off_t	s = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &s);
	return (s <= 0 ? 0 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S :
	    (uint32_t)s);
}

/* Any status but 2xx. */
static void
judge_status(struct exchange *x, long status)
{
	struct result	*r = &x->result;
	const char	*host = x->remote->host;
	char		 buf[QUOTE_BYTES], *to = NULL;

	if (status >= 500 || status == 408 || status == 425 ||
	    status == 429) {
		r->retry_after_s = retry_after(x);
		result_set(r, NET_AWAY, "%s answered %ld%s", host, status,
		    quote_answer(x, buf));
	} else if (status >= 400) {
		result_set(r, NET_REFUSED, "%s refused with %ld%s", host,
		    status, quote_answer(x, buf));
	} else if (status >= 300) {
		curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &to);
		if (to != NULL && strchr(to, '@') != NULL)
			to = NULL;	/* our own URL's password */
		result_set(r, NET_REFUSED, "%s answered %ld, a redirect, which "
		    "is not followed; configure the address that it means%s",
		    host, status, quote(x, buf, to));
	} else
		result_set(r, NET_GARBAGE, "%s answered %ld, which is no answer "
		    "to this", host, status);
}

/* The answer came whole; are the bytes in the file all there are? */
static void
judge_file(struct exchange *x)
{
	curl_off_t	length = -1;

	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length < 0 && !x->chunked)
		result_set(&x->result, NET_GARBAGE, "%s did not say how long "
		    "the backup is, so that a part could pass for all of it",
		    x->remote->host);
}

void
outcome_judge(struct exchange *x, CURLcode code)
{
	long	status = 0;
	int	good;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		status = 0;		/* "100 Continue" is no answer */
	memset(&x->result, 0, sizeof(x->result));
	x->result.outcome = NET_OK;
	x->result.http_status = (uint32_t)status;
	good = x->receives ? status == 200 ||
	    (status == 206 && x->from > 0) : status >= 200 && status < 300;
	if (x->stopped != STOP_NONE)
		judge_stop(x);
	else if (code != CURLE_OK && (status == 0 || good))
		judge_failure(x, code);
	else if (!good)
		/* A refusal counts, even if the connection broke then. */
		judge_status(x, status);
	else if (x->receives)
		judge_file(x);
}
