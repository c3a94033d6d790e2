/*
 * HTTP to the daemon, by libcurl.  Owns the connection and what the last
 * answer said of its body.  What comes is bounded, unless it goes to a
 * file.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

#define ANSWER_BYTES	(256 * 1024 * 1024)	/* a list of all backups */
#define TOKEN_LINE	256
#define CONNECT_MS	10000L

struct client {
	CURL		*curl;
	char		*base;		/* "http://localhost" */
	char		*socket;	/* or NULL */
	char		*bearer;	/* "Authorization: Bearer ..." or NULL */
	int64_t		 length;
	char		 filename[256];
	char		 etag[128];
};

struct body {
	struct client	*client;
	char		*data;
	size_t		 n, size;
	client_data_cb	*cb;		/* or NULL: keep it */
	void		*arg;
	int		 stopped;	/* cb wanted no more */
};

static int
token_read(struct client *c, const char *file)
{
	char	 line[TOKEN_LINE];
	FILE	*f;

	if ((f = fopen(file, "r")) == NULL ||
	    fgets(line, sizeof(line), f) == NULL) {
		say_error("the token cannot be read from %s", file);
		if (f != NULL)
			fclose(f);
		return (-1);
	}
	fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	c->bearer = xasprintf("Authorization: Bearer %s", line);
	explicit_bzero(line, sizeof(line));
	return (0);
}

struct client *
client_open(const char *socket, const char *url, const char *token_file)
{
	struct client	*c;
	size_t		 n;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		say_error("libcurl does not start");
		return (NULL);
	}
	c = xcalloc(1, sizeof(*c));
	c->base = xstrdup(url == NULL ? "http://localhost" : url);
	for (n = strlen(c->base); n > 0 && c->base[n - 1] == '/'; n--)
		c->base[n - 1] = '\0';
	if (url == NULL)
		c->socket = xstrdup(socket == NULL ? CTL_SOCKET : socket);
	if ((c->curl = curl_easy_init()) == NULL ||
	    (token_file != NULL && token_read(c, token_file) == -1)) {
		client_close(c);
		return (NULL);
	}
	return (c);
}

void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	if (c->curl != NULL)
		curl_easy_cleanup(c->curl);
	if (c->bearer != NULL) {
		explicit_bzero(c->bearer, strlen(c->bearer));
		free(c->bearer);
	}
	free(c->base);
	free(c->socket);
	free(c);
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct body	*b = arg;
	long		 status = 0;

	(void)one;
	curl_easy_getinfo(b->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (b->cb != NULL && status / 100 == 2) {
		if (b->cb(data, n, b->arg) == 0)
			return (n);
		b->stopped = 1;
		return (0);
	}
	if (n > ANSWER_BYTES - b->n)
		return (0);
	if (b->n + n + 1 > b->size) {
		b->size = (b->n + n + 1) * 2;
		b->data = xreallocarray(b->data, b->size, 1);
	}
	memcpy(b->data + b->n, data, n);
	b->n += n;
	b->data[b->n] = '\0';
	return (n);
}

/* Content-Disposition: attachment; filename="NAME" */
static void
take_filename(struct client *c, const char *line, size_t n)
{
	static const char	 mark[] = "filename=\"";
	const char		*p, *end;
	char			 name[sizeof(c->filename)];

	p = memmem(line, n, mark, sizeof(mark) - 1);
	if (p == NULL)
		return;
	p += sizeof(mark) - 1;
	end = memchr(p, '"', n - (size_t)(p - line));
	if (end == NULL || (size_t)(end - p) >= sizeof(c->filename) ||
	    memchr(p, '/', (size_t)(end - p)) != NULL || *p == '.')
		return;
	memcpy(name, p, (size_t)(end - p));
	name[end - p] = '\0';
	say_clean(c->filename, sizeof(c->filename), name);
}

/* ETag: "sha256:..." */
static void
take_etag(struct client *c, const char *line, size_t n)
{
	const char	*p, *end;

	if ((p = memchr(line, '"', n)) == NULL)
		return;
	p++;
	end = memchr(p, '"', n - (size_t)(p - line));
	if (end == NULL || (size_t)(end - p) >= sizeof(c->etag))
		return;
	memcpy(c->etag, p, (size_t)(end - p));
	c->etag[end - p] = '\0';
}

static size_t
on_header(char *line, size_t one, size_t n, void *arg)
{
	struct client	*c = arg;
	long		 status = 0;

	(void)one;
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 != 2)
		return (n);
	if (n > 15 && strncasecmp(line, "Content-Length:", 15) == 0)
		c->length = strtoll(line + 15, NULL, 10);
	else if (n > 5 && strncasecmp(line, "ETag:", 5) == 0)
		take_etag(c, line, n);
	else if (n > 20 && strncasecmp(line, "Content-Disposition:",
	    20) == 0)
		take_filename(c, line, n);
	return (n);
}

static struct curl_slist *
headers(const struct client *c, const char *accept, const char *body,
    int flags)
{
	struct curl_slist	*list = NULL;
	char			 line[128];

	snprintf(line, sizeof(line), "Accept: %s", accept);
	list = curl_slist_append(list, line);
	list = curl_slist_append(list, "Expect:");
	if (c->bearer != NULL)
		list = curl_slist_append(list, c->bearer);
	if (body != NULL)
		list = curl_slist_append(list,
		    "Content-Type: application/json");
	if (flags & CALL_ASYNC)
		list = curl_slist_append(list, "Prefer: respond-async");
	return (list);
}

static void
explain(const struct client *c, CURLcode rc, const char *why,
    struct answer *a)
{
	long	number = 0;

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &number);
	/* libcurl speaks of a port, where there is a socket. */
	if (rc == CURLE_COULDNT_CONNECT && c->socket != NULL)
		snprintf(a->error, sizeof(a->error), "%s: %s", c->socket,
		    number == 0 ? "cannot connect" : strerror((int)number));
	else
		snprintf(a->error, sizeof(a->error), "%.100s: %.120s",
		    c->socket != NULL ? c->socket : c->base, why[0] != '\0' ?
		    why : curl_easy_strerror(rc));
}

static void
perform(struct client *c, const char *method, const char *path,
    const char *accept, const char *body, int flags, struct body *b,
    struct answer *a)
{
	struct curl_slist	*list = headers(c, accept, body, flags);
	char			*url, why[CURL_ERROR_SIZE] = "";
	CURLcode		 rc;

	url = xasprintf("%s" CTL_PREFIX "%s", c->base, path);
	b->client = c;
	c->length = -1;
	c->filename[0] = c->etag[0] = '\0';
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	if (c->socket != NULL)
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH,
		    c->socket);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, b);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
	if (strcmp(method, "POST") == 0 || body != NULL)
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS,
		    body == NULL ? "" : body);
	rc = curl_easy_perform(c->curl);
	if (rc == CURLE_OK || b->stopped)
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE,
		    &a->status);
	else
		explain(c, rc, why, a);
	curl_slist_free_all(list);
	free(url);
}

static void
parse(struct body *b, struct answer *a)
{
	if (a->status != 0 && b->data != NULL &&
	    (a->root = json_tokener_parse(b->data)) == NULL &&
	    a->error[0] == '\0') {
		snprintf(a->error, sizeof(a->error),
		    "the answer (status %ld) is no JSON: is that the "
		    "daemon?", a->status);
		a->status = 0;
	}
	free(b->data);
}

void
client_call(struct client *c, const char *method, const char *path,
    struct json_object *body, int flags, struct answer *a)
{
	struct body	b;

	memset(a, 0, sizeof(*a));
	memset(&b, 0, sizeof(b));
	perform(c, method, path, "application/json", body == NULL ? NULL :
	    json_object_to_json_string(body), flags, &b, a);
	parse(&b, a);
}

void
client_read(struct client *c, const char *path, const char *accept,
    client_data_cb *data, void *arg, struct answer *a)
{
	struct body	b;

	memset(a, 0, sizeof(*a));
	memset(&b, 0, sizeof(b));
	b.cb = data;
	b.arg = arg;
	perform(c, "GET", path, accept, NULL, 0, &b, a);
	parse(&b, a);
}

void
answer_free(struct answer *a)
{
	json_object_put(a->root);
	memset(a, 0, sizeof(*a));
}

int64_t
client_length(const struct client *c)
{
	return (c->length);
}

const char *
client_filename(const struct client *c)
{
	return (c->filename);
}

const char *
client_etag(const struct client *c)
{
	return (c->etag);
}

static void
add_escaped(struct client *c, char *path, size_t size, const char *value)
{
	char	*text;

	if ((text = curl_easy_escape(c->curl, value, 0)) == NULL)
		return;
	strlcat(path, text, size);
	curl_free(text);
}

void
client_query(struct client *c, char *path, size_t size, const char *name,
    const char *value)
{
	if (value == NULL)
		return;
	strlcat(path, strchr(path, '?') == NULL ? "?" : "&", size);
	strlcat(path, name, size);
	strlcat(path, "=", size);
	add_escaped(c, path, size, value);
}

void
client_segment(struct client *c, char *path, size_t size, const char *value)
{
	strlcat(path, "/", size);
	add_escaped(c, path, size, value);
}
