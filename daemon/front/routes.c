/*
 * The front runs this.  It owns the table of calls.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/front/front.h"

#define ALLOW_BYTES	64

static const struct route	routes[] = {
	{ HTTP_POST, "/create", ARG_NONE, ROUTE_BODY | ROUTE_JOB, api_create },
	{ HTTP_GET, "/user", ARG_OPTIONAL, 0, api_list },
	{ HTTP_GET, "/stats", ARG_OPTIONAL, 0, api_stats },
	{ HTTP_GET, "/status", ARG_NONE, 0, api_status },
	{ HTTP_GET, "/health", ARG_NONE, 0, api_health },
	{ HTTP_GET, "/download", ARG_NEEDED, ROUTE_JOB, api_download },
	{ HTTP_POST, "/restore", ARG_NEEDED, ROUTE_BODY | ROUTE_JOB,
	    api_restore },
	{ HTTP_GET, "/check-locks", ARG_NONE, 0, api_check_locks },
	{ HTTP_GET, "/check-accessibility", ARG_NONE, 0,
	    api_check_accessibility },
	{ HTTP_POST, "/remote-test", ARG_NEEDED, ROUTE_JOB, api_remote_test },
	{ HTTP_GET, "/license-info", ARG_NONE, 0, api_license_info },
	{ HTTP_GET, "/file-info", ARG_NONE, 0, api_file_info },
	{ HTTP_POST, "/reload", ARG_NONE, ROUTE_BODY, api_reload },
	{ HTTP_POST, "/log", ARG_NONE, ROUTE_BODY, api_log },
	{ HTTP_GET, "/backup", ARG_NEEDED, 0, api_backup },
	{ HTTP_DELETE, "/backup", ARG_NEEDED, ROUTE_BODY, api_delete },
	{ HTTP_POST, "/pin", ARG_NEEDED, ROUTE_BODY, api_pin },
	{ HTTP_POST, "/unpin", ARG_NEEDED, ROUTE_BODY, api_unpin },
	{ HTTP_POST, "/expire", ARG_NONE, ROUTE_BODY | ROUTE_JOB, api_expire },
	{ HTTP_POST, "/verify", ARG_NEEDED, ROUTE_BODY | ROUTE_JOB,
	    api_verify },
	{ HTTP_POST, "/undo", ARG_NONE, ROUTE_BODY | ROUTE_JOB, api_undo },
	{ HTTP_GET, "/jobs", ARG_OPTIONAL, 0, api_jobs },
	{ HTTP_GET, "/events", ARG_NONE, ROUTE_JOB, api_events },
	{ HTTP_POST, "/acknowledge", ARG_NONE, ROUTE_BODY, api_acknowledge },
};

/* Not under the prefix: for what watches daemons.  The first is open to
 * all. */
static const struct route	watched[] = {
	{ HTTP_GET, "/healthz", ARG_NONE, 0, api_healthz },
	{ HTTP_GET, "/metrics", ARG_NONE, 0, api_metrics },
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

/* The methods that a path takes, for the Allow header. */
static void
allow_add(char *allow, size_t size, const struct route *r)
{
	if (allow[0] != '\0')
		strlcat(allow, ", ", size);
	strlcat(allow, r->method == HTTP_GET ? "GET, HEAD" :
	    http_method_name(r->method), size);
}

/*
 * The route of path and method.  Without one for the method, one of the
 * path's, or NULL; allow has the methods of the path then.
 */
static const struct route *
route_lookup(const char *path, enum http_method method, const char **arg,
    char *allow, size_t size)
{
	static const char	prefix[] = API_PREFIX;
	const struct route	*found = NULL;
	const char		*a;
	size_t			i, n = sizeof(prefix) - 1;

	allow[0] = '\0';
	for (i = 0; i < nitems(watched); i++) {
		if (route_matches(&watched[i], path, arg)) {
			allow_add(allow, size, &watched[i]);
			return (&watched[i]);
		}
	}
	if (strncmp(path, prefix, n) != 0)
		return (NULL);
	for (i = 0; i < nitems(routes); i++) {
		if (!route_matches(&routes[i], path + n, &a))
			continue;
		*arg = a;
		found = &routes[i];
		if (method_fits(found, method))
			return (found);
		allow_add(allow, size, found);
	}
	return (found);
}

int
route_find(struct conn *c)
{
	struct request		*r = c->req;
	char			 allow[ALLOW_BYTES];

	if (r->h.method == HTTP_OTHER) {
		reply_error(c, E_NOT_IMPLEMENTED,
		    "The request's method is not known here.");
		return (0);
	}
	if (strcmp(r->path, "*") == 0) {	/* the parser: OPTIONS only */
		reply_field(c, "Allow", "GET, HEAD, POST, DELETE, OPTIONS");
		reply_whole(c, 204, NULL);
		return (0);
	}
	r->route = route_lookup(r->path, r->h.method, &r->arg, allow,
	    sizeof(allow));
	if (r->route == NULL) {
		reply_error(c, E_NOT_FOUND, "There is no such call.");
		return (0);
	}
	if (method_fits(r->route, r->h.method))
		return (1);
	strlcat(allow, ", OPTIONS", sizeof(allow));
	reply_field(c, "Allow", "%s", allow);
	if (r->h.method == HTTP_OPTIONS)
		reply_whole(c, 204, NULL);
	else
		reply_error(c, E_METHOD_NOT_ALLOWED,
		    "%s is not allowed here; allowed are %s.",
		    http_method_name(r->h.method), allow);
	return (0);
}
