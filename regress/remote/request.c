/*
 * The test server's routes: create, list, download and health,
 * in whatever shape the test
 * wants.  One thread serves one connection.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/remote/multipart.h"
#include "regress/remote/request.h"
#include "regress/remote/store.h"

/* Ids that a client must not make a path, a URL or a C string of. */
static const struct {
	const char	*text;
	int		 size;		/* -1: to the NUL */
} hostile_ids[] = {
	{ "../../../etc/passwd", -1 },
	{ "a/b", -1 },
	{ "rb-1\0.sqlite", 12 },
	{ "..", -1 },
	{ "", -1 },
	{ "%2e%2e%2fup", -1 },
	{ "two words?x=1#y", -1 },
	{ "line\r\nX-Injected: 1", -1 },
	{ "back\\slash\"quote", -1 }
};

static void
add(struct json_object *o, const char *key, struct json_object *value)
{
	if (value == NULL || json_object_object_add(o, key, value) != 0)
		fatalx("no memory for JSON");
}

static struct json_object *
object(void)
{
	struct json_object	*o;

	o = json_object_new_object();
	if (o == NULL)
		fatalx("no memory for JSON");
	return (o);
}

/* Gives o's field another name, or leaves o alone. */
static void
rename_field(struct json_object *o, const char *from, const char *to)
{
	struct json_object	*value;

	if (strcmp(from, to) == 0 ||
	    !json_object_object_get_ex(o, from, &value))
		return;
	add(o, to, json_object_get(value));
	json_object_object_del(o, from);
}

/* Turns stored metadata into an entry of the wanted shape. */
static void
shape_entry(struct json_object *o, const struct shape *s)
{
	struct json_object	*value;
	char			 text[TIME_TEXT_BYTES];
	int64_t			 ms = 0;

	if (json_object_object_get_ex(o, "createdMs", &value))
		ms = json_object_get_int64(value);
	json_object_object_del(o, "createdMs");
	util_time_text(text, ms);
	add(o, s->time, s->ms ? json_object_new_int64(ms) :
	    json_object_new_string(text));
	rename_field(o, "id", s->id);
	rename_field(o, "backupName", s->name);
	rename_field(o, "size", s->size);
}

/* Takes array; the caller puts the result. */
static struct json_object *
shape_list(struct json_object *array, const struct shape *s)
{
	struct json_object	*o, *data;

	if (s->list == LIST_TOP)
		return (array);
	o = object();
	add(o, "success", json_object_new_boolean(1));
	if (s->list == LIST_DATA_BACKUPS) {
		data = object();
		add(data, "backups", array);
		add(o, "data", data);
	} else
		add(o, s->list == LIST_DATA ? "data" : "backups", array);
	return (o);
}

static struct json_object *
hostile_id(size_t i)
{
	i %= nitems(hostile_ids);
	return (json_object_new_string_len(hostile_ids[i].text,
	    hostile_ids[i].size == -1 ? (int)strlen(hostile_ids[i].text) :
	    hostile_ids[i].size));
}

static void
hostile_list(struct json_object *array, const struct shape *s)
{
	struct json_object	*o;
	size_t			 i;

	for (i = 0; i < nitems(hostile_ids); i++) {
		o = object();
		add(o, "id", hostile_id(i));
		add(o, "backupName", hostile_id(i));
		add(o, "filename", hostile_id(i));
		add(o, "size", json_object_new_int64(4096));
		add(o, "createdMs", json_object_new_int64(1000));
		shape_entry(o, s);
		json_object_array_add(array, o);
	}
}

static void
get_health(struct request *r, const char *rest)
{
	if (*rest != '\0') {
		answer_error(r, 404, "There is no such page.");
		return;
	}
	answer_json(r, 200, "{\"status\": \"ok\"}");
}

/* %41 becomes A; 0, or -1 for bad escapes, NUL and what does not fit. */
static int
percent_decode(char *dst, size_t size, const char *src)
{
	char	hex[3] = "";
	size_t	n = 0;

	for (; *src != '\0' && *src != '?'; src++) {
		if (n + 1 >= size)
			return (-1);
		dst[n] = *src;
		if (*src == '%') {
			if (!isxdigit((unsigned char)src[1]) ||
			    !isxdigit((unsigned char)src[2]))
				return (-1);
			memcpy(hex, src + 1, 2);
			dst[n] = (char)strtol(hex, NULL, 16);
			src += 2;
		}
		if (dst[n++] == '\0')
			return (-1);
	}
	dst[n] = '\0';
	return (0);
}

static void
get_list(struct request *r, const char *rest)
{
	struct json_object	*array;
	char			 user[STORE_TEXT_BYTES];
	size_t			 i, n;

	if (percent_decode(user, sizeof(user), rest) == -1 || *user == '\0' ||
	    strchr(rest, '/') != NULL) {
		answer_error(r, 400, "The path names no user.");
		return;
	}
	array = store_list(user);
	n = json_object_array_length(array);
	for (i = 0; i < n; i++)
		shape_entry(json_object_array_get_idx(array, i),
		    &r->fault.shape);
	if (r->fault.kind == FAULT_ID_SLASH)
		hostile_list(array, &r->fault.shape);
	array = shape_list(array, &r->fault.shape);
	answer_json(r, 200, json_object_to_json_string_ext(array,
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
}

static void
get_download(struct request *r, const char *rest)
{
	struct answer		 a = { .status = 200,
	    .type = "application/x-sqlite3" };
	struct json_object	*meta;
	char			 id[STORE_ID_BYTES], header[128];

	if (percent_decode(id, sizeof(id), rest) == -1 ||
	    (a.fd = store_open(id, &a.size, &meta)) == -1) {
		answer_error(r, 404, "There is no backup of this id.");
		return;
	}
	snprintf(header, sizeof(header),
	    "Content-Disposition: attachment; filename=\"%s.sqlite\"\r\n",
	    id);
	a.header = header;
	answer_send(r, &a);
	json_object_put(meta);
	close(a.fd);
}

/* The text parts of an upload, and where each goes. */
static const struct {
	const char	*name;
	size_t		 offset;
} text_parts[] = {
	{ "backupName",		offsetof(struct upload, name) },
	{ "description",	offsetof(struct upload, description) },
	{ "deviceId",		offsetof(struct upload, device) },
	{ "userId",		offsetof(struct upload, user) }
};

static const char *
file_part(struct upload *u, const struct part *part, const char *data,
    size_t size)
{
	if (data != NULL) {
		if (upload_write(u, data, size) == -1)
			return ("The server's disk does not take it.");
		return (NULL);
	}
	if (*part->filename == '\0')
		return ("databaseFile is not a file.");
	if (u->fd != -1)
		return ("databaseFile is there twice.");
	(void)util_copy(u->filename, part->filename);
	(void)util_copy(u->type, part->type);
	if (upload_open(u) == -1)
		return ("The server cannot make a file.");
	return (NULL);
}

static const char *
take_part(void *arg, const struct part *part, const char *data, size_t size)
{
	struct upload	*u = arg;
	char		*dst;
	size_t		 i, used;

	if (strcmp(part->name, "databaseFile") == 0)
		return (file_part(u, part, data, size));
	for (i = 0; i < nitems(text_parts); i++)
		if (strcmp(part->name, text_parts[i].name) == 0)
			break;
	if (i == nitems(text_parts))
		return ("There is a part that nobody asked for.");
	dst = (char *)u + text_parts[i].offset;
	used = strlen(dst);
	if (data == NULL)
		return (used == 0 ? NULL : "A part is there twice.");
	if (used + size >= STORE_TEXT_BYTES)
		return ("A text is too long.");
	if (memchr(data, '\0', size) != NULL)
		return ("A text has a NUL in it.");
	memcpy(dst + used, data, size);
	dst[used + size] = '\0';
	return (NULL);
}

/* Takes meta. */
static void
answer_created(struct request *r, struct json_object *meta)
{
	const struct shape	*s = &r->fault.shape;
	struct json_object	*o, *at;

	if (r->fault.kind == FAULT_ID_SLASH) {
		json_object_object_del(meta, "id");
		add(meta, "id", hostile_id(r->fault.number));
	}
	shape_entry(meta, s);
	o = object();
	add(o, "success", json_object_new_boolean(1));
	at = o;
	if (s->at != AT_TOP) {
		at = object();
		add(o, s->at == AT_DATA ? "data" : "backup", at);
	}
	json_object_object_foreach(meta, key, value)
		add(at, key, json_object_get(value));
	json_object_put(meta);
	answer_json(r, 200, json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void
create_finish(struct request *r, struct upload *u)
{
	struct json_object	*meta;

	if (u->fd == -1 || *u->user == '\0' || *u->device == '\0') {
		answer_error(r, 400,
		    "databaseFile, userId and deviceId are needed.");
		return;
	}
	meta = upload_commit(u);
	if (meta == NULL) {
		answer_error(r, 500, strerror(errno));
		return;
	}
	/* It is kept, but the client never hears of it. */
	if (r->fault.kind == FAULT_HANG_AFTER_BODY ||
	    r->fault.kind == FAULT_LOST_ANSWER) {
		json_object_put(meta);
		(void)answer_fault(r);
		return;
	}
	answer_created(r, meta);
}

static int
accepts_json(const char *accept)
{
	return (strstr(accept, "application/json") != NULL ||
	    strstr(accept, "application/*") != NULL ||
	    strstr(accept, "*/*") != NULL);
}

static void
post_create(struct request *r, const char *rest)
{
	struct upload	*u;
	const char	*error;
	char		 boundary[BOUNDARY_BYTES];

	if (*rest != '\0')
		answer_error(r, 404, "There is no such page.");
	else if (!r->has_length)
		answer_error(r, 411, "Content-Length is missing.");
	else if (!accepts_json(r->accept))
		answer_error(r, 406, "Accept leaves out application/json.");
	else if (multipart_boundary(boundary, r->type) == -1)
		answer_error(r, 400, "This is not multipart/form-data.");
	if (r->logged)
		return;
	if (r->expect && r->c->body_left > 0 &&
	    conn_send(r->c, "HTTP/1.1 100 Continue\r\n\r\n", 25) == -1)
		return;
	u = xmalloc(sizeof(*u));
	upload_init(u);
	error = multipart_read(r->c, boundary, take_part, u);
	if (error == NULL)
		create_finish(r, u);
	else if (!r->c->broken)
		answer_error(r, 400, error);
	upload_drop(u);
	free(u);
}

static const struct route {
	const char	*method;
	const char	*prefix;	/* what follows goes to serve() */
	int		 open;		/* no API key is wanted */
	void		(*serve)(struct request *, const char *rest);
} routes[] = {
	{ "GET",  "/health",			1, get_health },
	{ "GET",  "/api/user-backup/user/",	0, get_list },
	{ "GET",  "/api/user-backup/download/",	0, get_download },
	{ "POST", "/api/user-backup/create",	0, post_create }
};

static void
route(struct request *r, const struct server *srv)
{
	const struct route	*ro = NULL;
	const char		*error = "There is no such page.";
	int			 status = 404;
	size_t			 i, n;

	for (i = 0; i < nitems(routes); i++) {
		n = strlen(routes[i].prefix);
		if (strncmp(r->path, routes[i].prefix, n) != 0)
			continue;
		status = 405;
		error = "This page has another method.";
		if (strcmp(r->method, routes[i].method) == 0)
			ro = &routes[i];
	}
	if (ro == NULL)
		answer_error(r, status, error);
	else if (srv->api_key != NULL && !ro->open &&
	    strcmp(r->key, "good") != 0)
		answer_error(r, 401, "The API key is wrong or missing.");
	else
		ro->serve(r, r->path + strlen(ro->prefix));
}

/* Faults that come before any route: 1 when the request is done with. */
static int
fault_before(struct request *r)
{
	enum fault_kind	kind = r->fault.kind;
	int		store;

	if (kind == FAULT_HANG) {
		answer_log(r, 0, 0);
		conn_hang(r->c);
		return (1);
	}
	if (kind == FAULT_RESET && r->length > 0) {
		r->c->reset_after = r->length / 2 + 1;
		return (0);
	}
	/* These leave an upload to its route, which stores it first. */
	store = r->length > 0 && strcmp(r->method, "POST") == 0;
	if (kind == FAULT_NONE || kind == FAULT_RESET ||
	    ((kind == FAULT_HANG_AFTER_BODY || kind == FAULT_LOST_ANSWER) &&
	    store))
		return (0);
	if (kind == FAULT_ID_SLASH || kind == FAULT_TRUNCATE ||
	    kind == FAULT_SHORT_LENGTH)
		return (0);
	if (!r->fault.early && r->length > 0) {
		if (r->expect && conn_send(r->c,
		    "HTTP/1.1 100 Continue\r\n\r\n", 25) == -1)
			return (1);
		if (conn_discard(r->c) == -1)
			return (1);
	}
	return (answer_fault(r));
}

static void
request_one(struct request *r, const struct server *srv, char *head)
{
	int	status;

	r->key = "none";
	status = head_parse(r, head);
	r->c->body_left = r->length;
	if (*r->api_key != '\0')
		r->key = srv->api_key != NULL &&
		    strcmp(srv->api_key, r->api_key) != 0 ? "bad" : "good";
	if (r->chunked && status == 0)
		status = 411;
	if (status != 0) {
		r->last = 1;
		answer_error(r, status, "The head of the request is wrong.");
		return;
	}
	fault_find(r->path, &r->fault);
	r->c->slow = r->fault.slow;
	if (!fault_before(r))
		route(r, srv);
	/* Nothing was answered: the client left, or was thrown out. */
	answer_log(r, 0, 0);
	if (r->c->body_left > 0)
		r->last = 1;
}

void
request_serve(struct conn *c, const struct server *srv)
{
	struct request	*r;
	char		*head;

	r = xmalloc(sizeof(*r));
	while (!c->broken && conn_head(c, &head) == 1) {
		memset(r, 0, sizeof(*r));
		r->c = c;
		request_one(r, srv, head);
		if (r->last && !c->broken)
			conn_linger(c);
	}
	free(r);
}
