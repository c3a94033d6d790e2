/*
 * The front runs this.  It owns the table of calls.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/front/front.h"

static const struct route	routes[] = {
	{ HTTP_POST, "/create", ARG_NONE, ROUTE_BODY | ROUTE_JOB, api_create },
	{ HTTP_GET, "/user", ARG_OPTIONAL, 0, api_list },
	{ HTTP_GET, "/stats", ARG_OPTIONAL, 0, api_stats },
	{ HTTP_GET, "/health", ARG_NONE, 0, api_health },
	{ HTTP_GET, "/download", ARG_NEEDED, ROUTE_JOB, api_download },
	{ HTTP_POST, "/restore", ARG_NEEDED, ROUTE_BODY | ROUTE_JOB,
	    api_restore },
	{ HTTP_GET, "/check-locks", ARG_NONE, 0, api_check_locks },
	{ HTTP_GET, "/check-accessibility", ARG_NONE, 0,
	    api_check_accessibility },
	{ HTTP_GET, "/license-info", ARG_NONE, 0, api_license_info },
	{ HTTP_GET, "/file-info", ARG_NONE, 0, api_file_info },
	{ HTTP_GET, "/jobs", ARG_NEEDED, 0, api_job },
};

/* Open to all, and not under the prefix: for whoever watches the daemon. */
static const struct route	healthz = {
	HTTP_GET, "/healthz", ARG_NONE, 0, api_healthz
};

/* 1 when path is the route's; *arg is its argument or NULL. */
static int
route_matches(const struct route *r, const char *path, const char **arg)
{
	size_t	n = strlen(r->path);

	*arg = NULL;
	if (strncmp(path, r->path, n) != 0)
		return (0);
	path += n;
	/* One slash at the end means the same as none. */
	if (*path == '\0' || strcmp(path, "/") == 0)
		return (r->arg != ARG_NEEDED);
	if (*path != '/' || r->arg == ARG_NONE || strchr(path + 1, '/') != NULL)
		return (0);
	*arg = path + 1;
	return (1);
}

static int
method_fits(const struct route *r, enum http_method m)
{
	return (m == r->method || (m == HTTP_HEAD && r->method == HTTP_GET));
}

static const struct route *
route_lookup(const char *path, const char **arg)
{
	static const char	prefix[] = API_PREFIX;
	size_t			i, n = sizeof(prefix) - 1;

	if (route_matches(&healthz, path, arg))
		return (&healthz);
	if (strncmp(path, prefix, n) != 0)
		return (NULL);
	for (i = 0; i < nitems(routes); i++) {
		if (route_matches(&routes[i], path + n, arg))
			return (&routes[i]);
	}
	return (NULL);
}

int
route_find(struct conn *c)
{
	struct request		*r = c->req;
	const char		*allow;

	if (r->h.method == HTTP_OTHER) {
		reply_error(c, E_NOT_IMPLEMENTED,
		    "The request's method is not known here.");
		return (0);
	}
	if (strcmp(r->path, "*") == 0) {	/* the parser: OPTIONS only */
		reply_field(c, "Allow", "GET, HEAD, POST, OPTIONS");
		reply_whole(c, 204, NULL);
		return (0);
	}
	if ((r->route = route_lookup(r->path, &r->arg)) == NULL) {
		reply_error(c, E_NOT_FOUND, "There is no such call.");
		return (0);
	}
	if (method_fits(r->route, r->h.method))
		return (1);
	allow = r->route->method == HTTP_GET ? "GET, HEAD, OPTIONS" :
	    "POST, OPTIONS";
	reply_field(c, "Allow", "%s", allow);
	if (r->h.method == HTTP_OPTIONS)
		reply_whole(c, 204, NULL);
	else
		reply_error(c, E_METHOD_NOT_ALLOWED,
		    "%s is not allowed here; allowed are %s.",
		    http_method_name(r->h.method), allow);
	return (0);
}
