/*
 * The network process runs this: what S3's errors mean, in sentences for
 * people, and which of them are worth another try.  It keeps nothing; what
 * it learns of a remote's clock and region goes to its struct s3.
 */
#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/s3.h"
#include "daemon/network/text.h"

#define SKEW_S		300	/* servers refuse 15 minutes at the latest */
#define QUOTE_BYTES	256
#define BUSY_S		1	/* it asked for a pause, but not how long */

/* In the order of enum net_request. */
static const char *const permissions[REQUEST_KINDS] = {
	"s3:PutObject", "s3:GetObject", "s3:GetObject", "s3:ListBucket",
	"s3:DeleteObject", "s3:PutObject"
};

enum also { SAY_NOTHING, SAY_PERMISSION, SAY_BUCKET, SAY_REGION };

static const struct {
	const char	*code;
	enum net_outcome outcome;
	const char	*text;		/* %s: the host, then what also says */
	enum also	 also;
} errors[] = {
	{ "AccessDenied", NET_REFUSED,
	    "%s does not allow it to this access key, which needs %s",
	    SAY_PERMISSION },
	{ "AllAccessDisabled", NET_REFUSED,
	    "%s has shut bucket %s", SAY_BUCKET },
	{ "AuthorizationHeaderMalformed", NET_REFUSED,
	    "%s does not take region \"%s\"; correct the configuration",
	    SAY_REGION },
	{ "BadDigest", NET_AWAY,
	    "%s received other bytes than were sent", SAY_NOTHING },
	{ "ConditionalRequestConflict", NET_AWAY,
	    "%s is busy with another request for the same object",
	    SAY_NOTHING },
	{ "ExpiredToken", NET_REFUSED,
	    "the session token for %s has expired", SAY_NOTHING },
	{ "InternalError", NET_AWAY,
	    "%s failed by itself", SAY_NOTHING },
	{ "InvalidAccessKeyId", NET_REFUSED,
	    "%s does not know this access key", SAY_NOTHING },
	{ "InvalidBucketName", NET_REFUSED,
	    "%s knows no bucket by such a name as %s", SAY_BUCKET },
	{ "NoSuchBucket", NET_REFUSED,
	    "%s has no bucket \"%s\"; create it, or correct the name, or try "
	    "path-style instead of virtual-host", SAY_BUCKET },
	{ "NoSuchKey", NET_REFUSED,
	    "%s does not have this backup", SAY_NOTHING },
	{ "NoSuchUpload", NET_REFUSED,
	    "%s does not know this upload any more", SAY_NOTHING },
	{ "NotImplemented", NET_REFUSED,
	    "%s does not know how to do that", SAY_NOTHING },
	{ "OperationAborted", NET_AWAY,
	    "%s is busy with another request for the same object",
	    SAY_NOTHING },
	{ "PermanentRedirect", NET_REFUSED,
	    "%s says that bucket %s is reached at another address; correct "
	    "endpoint or region", SAY_BUCKET },
	{ "RequestTimeTooSkewed", NET_AWAY,
	    "the clocks of %s and of this machine differ too much; correct "
	    "the one that is wrong", SAY_NOTHING },
	{ "RequestTimeout", NET_AWAY,
	    "%s waited in vain for the rest of the request", SAY_NOTHING },
	{ "ServiceUnavailable", NET_AWAY,
	    "%s is overloaded", SAY_NOTHING },
	{ "SignatureDoesNotMatch", NET_REFUSED,
	    "%s finds the signature wrong: the secret key is not the one of "
	    "this access key", SAY_NOTHING },
	{ "SlowDown", NET_AWAY,
	    "%s asks for fewer requests", SAY_NOTHING }
};

/* A refusal without words, as HEAD gets it. */
static const struct {
	uint32_t	 status;
	const char	*text;		/* %s: the host, then the bucket */
} bare[] = {
	{ 403, "%s refuses: the access key or its secret is wrong, or it may "
	    "not look into bucket %s" },
	{ 404, "%s has nothing by that name in bucket %s" },
	{ 301, "%s says that bucket %s is in another region" }
};

/* ": text", or nothing when there is none or a secret is in it. */
static void
quote(const struct s3_request *r, char buf[QUOTE_BYTES])
{
	const struct m_net_s3	*c = &r->remote->s3->conf;
	const char *const	 secrets[] = { c->secret_key,
				    c->delete_secret_key, c->session_token };
	char			 text[QUOTE_BYTES];
	size_t			 i;

	buf[0] = '\0';
	for (i = 0; i < nitems(secrets); i++) {
		if (secrets[i][0] != '\0' &&
		    strstr(r->error.message, secrets[i]) != NULL)
			return;
	}
	text_clean(text, sizeof(text), r->error.message,
	    strlen(r->error.message));
	i = strlen(text);
	while (i > 0 && text[i - 1] == '.')
		text[--i] = '\0';
	if (r->error.code[0] != '\0')
		(void)snprintf(buf, QUOTE_BYTES, ": %s%s%.160s",
		    r->error.code, text[0] != '\0' ? ", " : "", text);
}

static const char *
also_text(const struct s3_request *r, enum also also)
{
	switch (also) {
	case SAY_PERMISSION:
		return (r->deletes ? "s3:DeleteObject" :
		    permissions[r->kind]);
	case SAY_REGION:
		return (r->remote->s3->region);
	default:
		return (r->remote->s3->conf.bucket);
	}
}

/* 1 when the error's code is a known one. */
static int
judge_code(struct s3_request *r)
{
	char	text[QUOTE_BYTES * 2];
	size_t	i;

	for (i = 0; i < nitems(errors); i++) {
		if (strcmp(errors[i].code, r->error.code) != 0)
			continue;
		(void)snprintf(text, sizeof(text), errors[i].text,
		    r->remote->host, also_text(r, errors[i].also));
		result_set(&r->result, errors[i].outcome, "%s", text);
		return (1);
	}
	return (0);
}

static int
judge_bare(struct s3_request *r)
{
	char	text[QUOTE_BYTES * 2];
	size_t	i;

	for (i = 0; i < nitems(bare) && r->x->text_bytes == 0; i++) {
		if (bare[i].status != r->result.http_status)
			continue;
		(void)snprintf(text, sizeof(text), bare[i].text,
		    r->remote->host, r->remote->s3->conf.bucket);
		result_set(&r->result, NET_REFUSED, "%s", text);
		return (1);
	}
	return (0);
}

void
s3_judge(struct s3_request *r)
{
	uint32_t	status = r->result.http_status;
	char		more[QUOTE_BYTES];

	memset(&r->error, 0, sizeof(r->error));
	/* CompleteMultipartUpload answers 200 first, and then may fail. */
	if (status == 0 || r->x->stopped != 0 || (r->receives &&
	    r->result.outcome == NET_OK) || (!s3_xml_error(r->x->text,
	    r->x->text_bytes, &r->error) && status < 300))
		return;
	if ((r->error.code[0] != '\0' && judge_code(r)) || judge_bare(r)) {
		if (r->result.outcome == NET_AWAY && (status == 503 ||
		    status == 429) && r->result.retry_after_s == 0)
			r->result.retry_after_s = BUSY_S;
		return;
	}
	if (r->error.code[0] == '\0')
		return;			/* outcome.c has said it */
	quote(r, more);
	if ((status >= 500 && status != 501) || status == 408 || status == 429 || status < 300)
		result_set(&r->result, NET_AWAY, "%s answered %u%s",
		    r->remote->host, status, more);
	else
		result_set(&r->result, NET_REFUSED, "%s refused with %u%s",
		    r->remote->host, status, more);
}

int
s3_judge_gone(const struct s3_request *r)
{
	return (r->result.http_status == 404 &&
	    strcmp(r->error.code, "NoSuchBucket") != 0);
}

int
s3_judge_clock(struct s3_request *r, int64_t *ahead_s)
{
	const char	*date = s3_request_answer(r, "date");
	time_t		 theirs;
	int64_t		 off_s;

	if (r->result.http_status != 403 && r->result.http_status != 400)
		return (0);
	if (date[0] == '\0' || (theirs = curl_getdate(date, NULL)) == -1)
		return (0);
	*ahead_s = (int64_t)theirs - util_now_ms() / 1000;
	off_s = llabs(*ahead_s - r->remote->s3->clock_s);
	if (off_s <= 1 || (off_s < SKEW_S &&
	    strcmp(r->error.code, "RequestTimeTooSkewed") != 0))
		return (0);		/* that is not why */
	return (1);
}

/* ---- regions ---- */

static int
region_ok(const char *region)
{
	return (region[0] != '\0' && strlen(region) < REGION_BYTES &&
	    region[strspn(region, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0');
}

/*
 * The domain of the service that an endpoint belongs to: the host less a
 * first label of "s3", "s3-REGION" ..., and a label that is the region.
 * At least two labels stay, so that it is no top-level domain.
 */
static const char *
service_domain(const char *host, const char *region)
{
	const char	*p = host, *dot;
	size_t		 n = strlen(region);

	if (strncmp(p, "s3", 2) == 0 && (dot = strchr(p, '.')) != NULL)
		p = dot + 1;
	if (n > 0 && strncmp(p, region, n) == 0 && p[n] == '.')
		p += n + 1;
	return (strchr(p, '.') != NULL ? p : host);
}

/* 1 when host, which an answer named, is the endpoint or belongs to it. */
static int
same_service(const struct s3 *s, const char *host)
{
	const char	*domain = service_domain(s->host, s->conf.region);
	size_t		 n = strlen(host), m = strlen(domain);

	if (strcasecmp(host, s->host) == 0)
		return (1);
	/* An address has no subdomains. */
	if (s->host[0] == '[' || s->host[strspn(s->host, "0123456789.:")] ==
	    '\0')
		return (0);
	return (n > m && host[n - m - 1] == '.' &&
	    strcasecmp(host + n - m, domain) == 0);
}

/* The host that a redirect names: of Location, or of the error. */
static int
named_host(struct s3_request *r, char host[HOST_BYTES])
{
	const struct s3	*s = r->remote->s3;
	const char	*to = s3_request_answer(r, "location"), *bucket;
	size_t		 n = strlen(s->scheme);

	if (to[0] != '\0') {
		/* https stays https. */
		if (strncasecmp(to, s->scheme, n) != 0 ||
		    strncmp(to + n, "://", 3) != 0)
			return (0);
		to += n + 3;
	} else
		to = r->error.endpoint;
	n = strcspn(to, "/?#");
	if (n == 0 || n >= HOST_BYTES || memchr(to, '@', n) != NULL)
		return (0);
	memcpy(host, to, n);
	host[n] = '\0';
	if (host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] != '\0')
		return (0);
	/* The bucket is put before it, or behind it, by ourselves. */
	bucket = s->conf.bucket;
	n = strlen(bucket);
	if (strncmp(host, bucket, n) == 0 && host[n] == '.')
		memmove(host, host + n + 1, strlen(host + n + 1) + 1);
	return (1);
}

int
s3_judge_region(struct s3_request *r)
{
	struct s3	*s = r->remote->s3;
	uint32_t	 status = r->result.http_status;
	const char	*region;
	char		 host[HOST_BYTES];
	int		 learned = 0, redirect = status >= 300 && status < 400;

	if (!redirect && status != 400 && status != 403)
		return (0);
	region = s3_request_answer(r, "x-amz-bucket-region");
	if (region[0] == '\0')
		region = r->error.region;
	if (redirect && named_host(r, host)) {
		if (!same_service(s, host)) {
			result_set(&r->result, NET_REFUSED, "%s sends us to "
			    "%s, which is not of its domain; configure that "
			    "as the endpoint if it is meant", r->remote->host,
			    host);
			return (0);
		}
		learned = strcasecmp(host, s->host) != 0;
		(void)strlcpy(s->host, host, sizeof(s->host));
	}
	if (region_ok(region) && strcmp(region, s->region) != 0) {
		log_warnx("remote %s is in region %s, not %s; correct the "
		    "configuration", r->remote->conf.name, region, s->region);
		(void)strlcpy(s->region, region, sizeof(s->region));
		learned = 1;
	}
	return (learned);
}
