/*
 * The front runs this.  It owns nothing: what a licence says, and whether
 * it is valid (D14).  The bytes come from a file that the engine read; the
 * administrator chose it, but who wrote it is what the signature tells.
 */
#include <json-c/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/front/license.h"
#include "daemon/front/request.h"

/* The text of data, and the texts in it. */
struct parts {
	char		 data[LICENSE_BYTES + 1];	/* what is signed */
	size_t		 data_n;
	char		 signature[LICENSE_BYTES];
	char		 expires[64];
};

#define IN(type, m)	offsetof(struct type, m), sizeof(((struct type *)0)->m)

static const struct param	license_params[] = {
	{ "userId", NULL, PARAM_USER, IN(license, user), 0 },
	{ "device_id", NULL, PARAM_LINE, IN(license, device_id), 0 },
	{ "type", NULL, PARAM_LINE, IN(license, type), 0 },
};
static const struct param	part_params[] = {
	{ "expires_at", NULL, PARAM_LINE, IN(parts, expires), 0 },
};
static const struct param	top_params[] = {
	{ "signature", NULL, PARAM_TEXT, IN(parts, signature), 0 },
};

static int	refuse(struct license *, const char *, ...)
		    __attribute__((__format__ (printf, 2, 3)));

static int
refuse(struct license *l, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(l->reason, sizeof(l->reason), fmt, ap);
	va_end(ap);
	return (-1);
}

/* Nothing of a licence that makes no sense is told. */
static void
claims_none(struct license *l)
{
	memset(&l->user, 0, sizeof(l->user));
	l->device_id[0] = l->type[0] = '\0';
	l->expires = 0;
	strlcpy(l->features, "[]", sizeof(l->features));
}

/* The two parts of the file. */
static int
parts_read(const char *text, size_t n, struct parts *p, struct license *l)
{
	struct json_object	*o;
	struct refusal		 refusal;
	const char		*why, *data;
	size_t			 data_n;
	int			 result;

	if (n > LICENSE_BYTES)
		return (refuse(l, "The licence is larger than %d bytes.",
		    LICENSE_BYTES));
	if ((o = body_object(text, n, &why)) == NULL)
		return (refuse(l, "The licence is not one JSON object: %s.",
		    why));
	result = params_take(top_params, nitems(top_params), o, p, &refusal);
	json_object_put(o);
	if (result == -1)
		return (refuse(l, "In the licence: %s", refusal.text));
	if (p->signature[0] == '\0')
		return (refuse(l, "The licence has no \"signature\"."));
	if (!license_member(text, n, "data", &data, &data_n) ||
	    data[0] != '{')
		return (refuse(l, "The licence has no object \"data\"."));
	p->data_n = license_compact(p->data, data, data_n);
	p->data[p->data_n] = '\0';
	return (0);
}

static int
features_read(const struct parts *p, struct license *l)
{
	const char	*value;
	size_t		 n;

	if (!license_member(p->data, p->data_n, "features", &value, &n) ||
	    (n == 4 && memcmp(value, "null", n) == 0))
		return (0);
	if (value[0] != '[' && value[0] != '{')
		return (refuse(l, "In the licence: \"features\" must be an "
		    "array or an object."));
	memcpy(l->features, value, n);
	l->features[n] = '\0';
	return (0);
}

/* What data says. */
static int
claims_read(struct parts *p, struct license *l)
{
	struct json_object	*o;
	struct refusal		 refusal;
	const char		*why;
	int			 result;

	if ((o = body_object(p->data, p->data_n, &why)) == NULL)
		return (refuse(l, "The licence's data is not one JSON "
		    "object: %s.", why));
	result = params_take(license_params, nitems(license_params), o, l,
	    &refusal);
	if (result == 0)
		result = params_take(part_params, nitems(part_params), o, p,
		    &refusal);
	if (result == -1)
		refuse(l, "In the licence: %s", refusal.text);
	else if (p->expires[0] == '\0' &&
	    json_object_object_get(o, "expires_at") != NULL)
		result = refuse(l, "In the licence: \"expires_at\" is empty.");
	json_object_put(o);
	if (result == -1)
		return (-1);
	if (p->expires[0] != '\0') {
		if (util_time_parse(p->expires, &l->expires_ms) == -1)
			return (refuse(l, "In the licence: \"expires_at\" is "
			    "not a time by RFC 3339."));
		l->expires = 1;
	}
	return (features_read(p, l));
}

void
license_read(const char *text, size_t n, const char *key, size_t key_n,
    int64_t now_ms, struct license *l)
{
	struct parts	 p;
	const char	*why;
	char		 when[TIME_TEXT_BYTES];
	int		 sense;

	memset(l, 0, sizeof(*l));
	memset(&p, 0, sizeof(p));
	claims_none(l);
	if (parts_read(text, n, &p, l) == -1)
		return;
	if ((sense = claims_read(&p, l)) == -1)
		claims_none(l);
	/* Who wrote it comes before what it says. */
	why = license_verify(key, key_n, p.data, p.data_n, p.signature,
	    strlen(p.signature));
	if (why != NULL)
		refuse(l, "%s", why);
	else if (sense == 0 && l->expires && l->expires_ms <= now_ms) {
		util_time_text(when, l->expires_ms);
		refuse(l, "It expired at %s.", when);
	} else if (sense == 0)
		l->valid = 1;
}
