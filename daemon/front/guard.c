/*
 * The front runs this.  It owns nothing: it refuses what a web page may
 * have talked a browser into, by Origin and by Host (CSRF, DNS rebinding),
 * and tells a request that was forwarded for somebody else.
 */
#include <sys/socket.h>

#include <arpa/inet.h>

#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "daemon/front/front.h"

#define HOST_BYTES	64		/* any literal, or localhost */
#define ORIGINS_MAX	16

static struct m_front_origin	origins[ORIGINS_MAX];
static size_t			norigins;

void
guard_origins_forget(void)
{
	norigins = 0;
}

void
guard_origin_add(const struct m_front_origin *o)
{
	if (!msg_text_ok(o->origin) || norigins == ORIGINS_MAX)
		fatalx("engine sent an origin that is none");
	origins[norigins++] = *o;
}

/* Is it a web page that the configuration knows?  Then its browser is told
 * so, which else would keep the answer from it. */
static int
origin_allowed(struct conn *c, const struct http_field *origin)
{
	size_t	i;

	for (i = 0; i < norigins; i++) {
		if (http_slice_is(&origin->value, origins[i].origin))
			break;
	}
	if (i == norigins || http_field_count(&c->req->h, "Origin") != 1)
		return (0);
	reply_field(c, "Access-Control-Allow-Origin", "%s",
	    origins[i].origin);
	reply_field(c, "Vary", "Origin");
	if (c->req->h.method == HTTP_OPTIONS) {
		reply_field(c, "Access-Control-Allow-Methods",
		    "GET, HEAD, POST, DELETE");
		reply_field(c, "Access-Control-Allow-Headers",
		    "Authorization, Content-Type, Prefer, Range, If-Range, "
		    "If-None-Match");
	} else
		reply_field(c, "Access-Control-Expose-Headers",
		    "Content-Disposition, ETag, Location, Retry-After");
	return (1);
}

/*
 * Pictures, scripts and links need no Origin; they learn nothing, but they
 * ask.  Browsers say of each request which page is behind it: "none" when
 * it is the person.
 */
static int
page_behind(const struct http_request *h)
{
	const struct http_field	*f = http_field(h, "Sec-Fetch-Site");

	return (f != NULL && !http_slice_is(&f->value, "none"));
}

static int
port_valid(const char *p, size_t n)
{
	size_t	i;

	if (n < 1 || n > 5)
		return (0);
	for (i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return (0);
	}
	return (1);
}

/* Is it localhost or an address, with or without a port?  A name that
 * somebody else's DNS answers for is none of these. */
static int
host_is_ours(const struct http_slice *host)
{
	unsigned char	 address[16];
	char		 name[HOST_BYTES];
	const char	*p = host->at, *end = p + host->n, *name_end;
	int		 six = host->n > 0 && *p == '[';

	if (six)
		p++;
	name_end = memchr(p, six ? ']' : ':', (size_t)(end - p));
	if (name_end == NULL && six)
		return (0);
	if (name_end == NULL)
		name_end = end;
	if ((size_t)(name_end - p) >= sizeof(name))
		return (0);
	memcpy(name, p, (size_t)(name_end - p));
	name[name_end - p] = '\0';
	p = six ? name_end + 1 : name_end;
	if (p != end && (*p != ':' ||
	    !port_valid(p + 1, (size_t)(end - p - 1))))
		return (0);
	if (six)
		return (inet_pton(AF_INET6, name, address) == 1);
	return (strcasecmp(name, "localhost") == 0 ||
	    inet_pton(AF_INET, name, address) == 1);
}

/* The engine counts it and writes it down. */
static void
refused(struct conn *c, enum err code)
{
	struct m_refused	m;

	memset(&m, 0, sizeof(m));
	m.code = code;
	chan_send(front.engine, MSG_REFUSED, c->id, &m, sizeof(m), -1);
}

int
guard_check(struct conn *c)
{
	const struct http_request	*h = &c->req->h;
	const struct http_field		*origin = http_field(h, "Origin");
	const char			*why = NULL;
	char				 token[TOKEN_BYTES];
	int				 has_token;

	if (origin != NULL ? !origin_allowed(c, origin) : page_behind(h)) {
		refused(c, E_FORBIDDEN);
		reply_error(c, E_FORBIDDEN,
		    "Requests that a web page makes are refused.");
		return (0);
	}
	if ((has_token = bearer_token(h, token, &why)) == -1) {
		refused(c, E_BAD_REQUEST);
		reply_error(c, E_BAD_REQUEST, "%s", why);
		return (0);
	}
	explicit_bzero(token, sizeof(token));
	/* Another name leads to us through a proxy, or through somebody's
	 * DNS and a browser; but no browser adds a token by itself. */
	if (c->kind == LISTEN_UNIX || has_token)
		return (1);
	/* No web page has a certificate for the name it was made for. */
	if (c->tls)
		return (1);
	if ((http_field(h, "Host") != NULL && !host_is_ours(&h->host)) ||
	    (h->authority.n > 0 && !host_is_ours(&h->authority))) {
		refused(c, E_MISDIRECTED_REQUEST);
		reply_error(c, E_MISDIRECTED_REQUEST,
		    "The Host field names somebody else.");
		return (0);
	}
	return (1);
}

int
guard_forwarded(const struct http_request *h)
{
	static const char	prefix[] = "X-Forwarded-";
	size_t			i, n = sizeof(prefix) - 1;

	if (http_field(h, "Via") != NULL || http_field(h, "Forwarded") != NULL)
		return (1);
	for (i = 0; i < h->nfields; i++) {
		if (h->fields[i].name.n >= n &&
		    strncasecmp(h->fields[i].name.at, prefix, n) == 0)
			return (1);
	}
	return (0);
}
