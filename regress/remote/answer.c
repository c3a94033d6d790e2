/*
 * The test server's answers, right ones and wrong ones.  The log line is
 * written before the last byte goes out, so that a client that has its
 * answer finds the line there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/remote/request.h"
#include "regress/remote/store.h"

#define HUGE_ENTRIES	1000000
#define DEEP_LEVELS	1000000
#define FILL_BYTES	65536

static int	verbose;

void
answer_verbose(int on)
{
	verbose = on;
}

static const char *
reason(int status)
{
	static const struct {
		int		 status;
		const char	*text;
	} reasons[] = {
		{ 200, "OK" }, { 201, "Created" },
		{ 307, "Temporary Redirect" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 411, "Length Required" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 417, "Expectation Failed" }, { 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" }
	};
	size_t	i;

	for (i = 0; i < nitems(reasons); i++)
		if (reasons[i].status == status)
			return (reasons[i].text);
	return ("Whatever");
}

void
answer_log(struct request *r, int status, uint64_t sent)
{
	char	path[4 * REQUEST_PATH_BYTES + 1];
	char	accept[4 * REQUEST_FIELD_BYTES + 1];
	char	line[sizeof(path) + sizeof(accept) + 256];

	if (r->logged)
		return;
	r->logged = 1;
	cb_strvis(path, sizeof(path), r->path);
	cb_strvis(accept, sizeof(accept), *r->accept ? r->accept : "-");
	snprintf(line, sizeof(line), "%s %s status=%d bytes=%llu sent=%llu "
	    "key=%s accept=%s\n", r->method, path, status,
	    (unsigned long long)(r->length - r->c->body_left),
	    (unsigned long long)sent, r->key, accept);
	store_log(line);
	if (verbose) {
		fputs(line, stdout);
		fflush(stdout);
	}
}

static int
send_body(struct request *r, const struct answer *a, uint64_t size)
{
	if (a->data != NULL)
		return (conn_send(r->c, a->data, size));
	return (conn_sendfile(r->c, a->fd, size));
}

static int
send_head(struct request *r, const struct answer *a, uint64_t declared)
{
	char	head[4096];
	int	n;

	n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n"
	    "Content-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
	    a->status, reason(a->status), a->type,
	    (unsigned long long)declared, a->header ? a->header : "",
	    r->last ? "Connection: close\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(head))
		fatalx("a head is too long");
	return (conn_send(r->c, head, n));
}

void
answer_send(struct request *r, const struct answer *a)
{
	enum fault_kind	kind = r->fault.kind;
	uint64_t	declared = a->size, size = a->size;
	int		cut;

	cut = kind == FAULT_TRUNCATE || kind == FAULT_RESET;
	if (cut)
		size /= 2;
	if (kind == FAULT_SHORT_LENGTH)
		declared /= 2;
	if (r->c->body_left != 0 || cut || kind == FAULT_SHORT_LENGTH)
		r->last = 1;
	answer_log(r, a->status, size);
	if (send_head(r, a, declared) == -1 || send_body(r, a, size) == -1)
		return;
	if (kind == FAULT_RESET)
		conn_reset(r->c);
}

static void
answer_text(struct request *r, int status, const char *type,
    const char *header, const char *text)
{
	struct answer	a = { .status = status, .type = type,
	    .header = header, .data = text, .fd = -1 };

	a.size = strlen(text);
	answer_send(r, &a);
}

void
answer_json(struct request *r, int status, const char *text)
{
	answer_text(r, status, "application/json", NULL, text);
}

void
answer_error(struct request *r, int status, const char *text)
{
	struct json_object	*o;

	o = json_object_new_object();
	if (o == NULL || json_object_object_add(o, "success",
	    json_object_new_boolean(0)) != 0 || json_object_object_add(o,
	    "error", json_object_new_string(text)) != 0)
		fatalx("no memory for JSON");
	answer_json(r, status, json_object_to_json_string(o));
	json_object_put(o);
}

/* A valid list of 100 MB, made as it is sent. */
static void
answer_huge(struct request *r)
{
	static const char	first[] = "{\"backups\":[", last[] = "{}]}";
	static const char	entry[] = "{\"backupId\":\"huge-%08d\","
	    "\"backupName\":\"one of a million\",\"size\":4096,"
	    "\"createdAt\":\"2026-01-01T00:00:00Z\"},";
	struct answer		a = { .status = 200,
	    .type = "application/json", .fd = -1 };
	char			piece[sizeof(entry) + 16];
	char			*fill;
	size_t			used = 0;
	int			i, n;

	n = snprintf(piece, sizeof(piece), entry, 0);
	a.size = sizeof(first) - 1 + (uint64_t)n * HUGE_ENTRIES +
	    sizeof(last) - 1;
	answer_log(r, a.status, a.size);
	fill = xmalloc(FILL_BYTES);
	if (send_head(r, &a, a.size) == -1 ||
	    conn_send(r->c, first, sizeof(first) - 1) == -1)
		goto out;
	for (i = 0; i < HUGE_ENTRIES; i++) {
		used += snprintf(fill + used, FILL_BYTES - used, entry, i);
		if (used + sizeof(piece) < FILL_BYTES)
			continue;
		if (conn_send(r->c, fill, used) == -1)
			goto out;
		used = 0;
	}
	if (conn_send(r->c, fill, used) == 0)
		(void)conn_send(r->c, last, sizeof(last) - 1);
out:
	free(fill);
}

/* Arrays in arrays, where the list and the id would be. */
static void
answer_deep(struct request *r)
{
	struct answer	a = { .status = 200, .type = "application/json",
	    .fd = -1 };
	char		*text;
	int		 n;

	text = xmalloc(2 * DEEP_LEVELS + 64);
	n = snprintf(text, 64, "{\"backupId\":\"deep\",\"backups\":");
	memset(text + n, '[', DEEP_LEVELS);
	memset(text + n + DEEP_LEVELS, ']', DEEP_LEVELS);
	a.size = n + 2 * DEEP_LEVELS;
	text[a.size++] = '}';
	a.data = text;
	answer_send(r, &a);
	free(text);
}

static void
answer_status(struct request *r)
{
	const struct fault	*f = &r->fault;
	char			 header[64] = "", text[2 * FAULT_WORD_BYTES];
	struct answer		 a = { .status = f->number,
	    .type = "application/json", .header = header, .data = text,
	    .fd = -1 };

	if (*f->retry_after != '\0')
		snprintf(header, sizeof(header), "Retry-After: %s\r\n",
		    f->retry_after);
	a.size = snprintf(text, sizeof(text),
	    "{\"success\": false, \"error\": \"%s\"}",
	    *f->text != '\0' ? f->text : "as the test ordered");
	answer_send(r, &a);
}

static void
answer_redirect(struct request *r)
{
	char	header[FAULT_WORD_BYTES + 32];

	snprintf(header, sizeof(header), "Location: %s\r\n", r->fault.text);
	answer_text(r, 307, "text/plain", header, "over there\n");
}

int
answer_fault(struct request *r)
{
	switch (r->fault.kind) {
	case FAULT_STATUS:
		answer_status(r);
		return (1);
	case FAULT_REDIRECT:
		answer_redirect(r);
		return (1);
	case FAULT_GARBAGE:
		answer_json(r, 200, "\001\377{\"backupId\": \"rb-1\", [}\n");
		return (1);
	case FAULT_HTML:
		answer_text(r, 200, "text/html; charset=utf-8", NULL,
		    "<!DOCTYPE html><html><body><h1>It works!</h1></body>"
		    "</html>\n");
		return (1);
	case FAULT_EMPTY:
		answer_json(r, 200, "");
		return (1);
	case FAULT_HUGE_JSON:
		answer_huge(r);
		return (1);
	case FAULT_DEEP_JSON:
		answer_deep(r);
		return (1);
	case FAULT_HANG_AFTER_BODY:
		answer_log(r, 0, 0);
		conn_hang(r->c);
		return (1);
	case FAULT_LOST_ANSWER:
		answer_log(r, 0, 0);
		conn_reset(r->c);
		return (1);
	default:
		return (0);
	}
}
