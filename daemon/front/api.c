/*
 * The front runs this.  It owns the calls that are one question and one
 * answer: each handler asks the engine (or the network), its answer comes
 * back to the function below it.  What the engine answers is checked
 * before it is believed.
 */
#include <event2/buffer.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "daemon/front/json_out.h"
#include "daemon/front/request.h"

int
api_query(struct conn *c, const char *name, char *dst, size_t size)
{
	switch (http_query(&c->req->query, name, dst, size)) {
	case 1:
		return (0);
	case 0:
		dst[0] = '\0';
		return (0);
	default:
		reply_error(c, E_INVALID_PARAMETER, "\"%s\" is malformed, "
		    "given twice or too long.", name);
		return (-1);
	}
}

int
api_user(struct conn *c, const char *text, struct m_user *user)
{
	memset(user, 0, sizeof(*user));
	if (text == NULL || request_user(text, user) == 0)
		return (0);
	reply_error(c, E_INVALID_PARAMETER,
	    "\"user_id\" is too long or not printable.");
	return (-1);
}

void
api_backup_check(const struct m_backup *b)
{
	if (!msg_text_ok(b->user.id) || !msg_text_ok(b->database) ||
	    !msg_text_ok(b->name) || !msg_text_ok(b->description) ||
	    !msg_text_ok(b->file_path) || !msg_text_ok(b->type) ||
	    !msg_text_ok(b->status) || !msg_text_ok(b->verdict) ||
	    !msg_text_ok(b->remote_id) || !msg_text_ok(b->checksum) ||
	    !msg_text_ok(b->locations) || !msg_text_ok(b->reason) ||
	    !msg_text_ok(b->form) || !msg_text_ok(b->stored_checksum) ||
	    !msg_text_ok(b->remote_form) ||
	    !msg_text_ok(b->served_by) || b->stored_size < 0 ||
	    b->id < 0 || b->file_size < 0)
		fatalx("engine sent a backup that is none");
}

struct json *
answer_begin(struct answer *a, const char *message)
{
	if ((a->body = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	json_init(&a->json, a->body, front.compat_node);
	json_success(&a->json, message);
	return (&a->json);
}

void
answer_send(struct answer *a, struct conn *c, int status)
{
	json_close(&a->json, '}');
	reply_whole(c, status, a->body);
	evbuffer_free(a->body);
}

void
api_healthz(struct conn *c)
{
	struct answer	 a;
	struct json	*j = answer_begin(&a, "The daemon runs.");

	json_object(j, "data");
	json_text(j, "status", "ok");
	json_close(j, '}');
	answer_send(&a, c, 200);
}

/* ---- the remote's health ---- */

/* The remote's address as anyone may see it: no name and password. */
static void
public_url(char *dst, size_t size)
{
	const char	*url = front.conf.remote_url, *host, *at;

	strlcpy(dst, url, size);
	if ((host = strstr(url, "://")) == NULL)
		return;
	host += 3;
	at = memchr(host, '@', strcspn(host, "/?#"));
	if (at == NULL)
		return;
	dst[host - url] = '\0';
	strlcat(dst, at + 1, size);
}

static void
health_reply(struct conn *c, const struct m_health *h, const char *reason)
{
	struct answer	 a;
	struct json	*j;
	char		 url[URL_BYTES];
	int		 up = h != NULL && h->outcome == NET_OK;

	public_url(url, sizeof(url));
	j = answer_begin(&a, up ? "The remote server is reachable." : reason);
	json_object(j, "data");
	json_bool(j, "connected", up);
	json_text(j, "status", up ? "healthy" : "unhealthy");
	json_text_or_null(j, "server_url", url);
	if (h != NULL && h->http_status != 0)
		json_uint(j, "response_time", (h->response_us + 999) / 1000);
	else
		json_null(j, "response_time");
	json_time(j, "timestamp", util_now_ms());
	json_close(j, '}');
	answer_send(&a, c, 200);
}

static void
on_health(struct conn *c, const struct msg *m)
{
	const struct m_health	*h = m == NULL ? NULL : m->data;

	health_reply(c, h, h != NULL && h->reason[0] != '\0' ? h->reason :
	    "The remote server cannot be asked.");
}

/* The engine has no other part in this answer than to allow it. */
static void
on_may(struct conn *c, const struct msg *m)
{
	struct m_ask	ask;

	(void)m;
	if (!front_has_remote()) {
		health_reply(c, NULL, front.conf.remotes == 0 ?
		    "No remote server is configured." :
		    "The remote server cannot be asked.");
		return;
	}
	memset(&ask, 0, sizeof(ask));
	ask.remote = front.conf.remote;
	link_network(c, MSG_ASK_HEALTH, &ask, sizeof(ask), MSG_NONE,
	    MSG_TELL_HEALTH, on_health);
}

void
api_health(struct conn *c)
{
	struct m_req_may	req;

	memset(&req, 0, sizeof(req));
	link_asker(c, &req.asker);
	req.right = RIGHT_READ;
	link_engine(c, MSG_REQ_MAY, &req, sizeof(req), MSG_NONE, MSG_REP_MAY,
	    on_may);
}

/* ---- create ---- */

static void
on_created(struct conn *c, const struct msg *m)
{
	const struct m_backup	*b = m->data;
	struct answer		 a;
	struct json		*j;
	char			 text[TEXT_BYTES + 128];

	api_backup_check(b);
	if (strcmp(b->status, "completed") == 0)
		strlcpy(text, "The backup is complete.", sizeof(text));
	else if (strcmp(b->status, "failed") == 0)
		snprintf(text, sizeof(text), "The backup is stored locally; "
		    "the remote refused it: %s", b->reason[0] != '\0' ?
		    b->reason : "it gave no reason.");
	else
		snprintf(text, sizeof(text), "The backup is stored locally; "
		    "its upload is pending%s%s", b->reason[0] != '\0' ? ": " :
		    ".", b->reason);
	j = answer_begin(&a, text);
	json_backup(j, "data", b);
	answer_send(&a, c, 200);
}

void
api_job_begun(struct conn *c, const struct m_job *job, const char *message)
{
	struct answer		 a;
	struct json		*j;

	api_job_check(job);
	reply_field(c, "Location", API_PREFIX "/jobs/%llu",
	    (unsigned long long)job->id);
	reply_field(c, "Preference-Applied", "respond-async");
	j = answer_begin(&a, message);
	json_job(j, "data", job);
	answer_send(&a, c, 202);
}

static void
on_create_job(struct conn *c, const struct msg *m)
{
	api_job_begun(c, m->data, "The backup was begun.");
}

int
api_prefers_async(const struct http_request *h)
{
	size_t	i;

	for (i = 0; i < h->nfields; i++) {
		if (http_slice_is_nocase(&h->fields[i].name, "Prefer") &&
		    http_list_has(&h->fields[i].value, "respond-async"))
			return (1);
	}
	return (0);
}

void
api_create(struct conn *c)
{
	struct m_req_create	req;
	struct refusal		refusal;
	int			async = api_prefers_async(&c->req->h);

	memset(&req, 0, sizeof(req));
	if (request_create(c->req->body, c->req->body_n, &req,
	    &refusal) == -1) {
		reply_error(c, refusal.code, "%s", refusal.text);
		return;
	}
	link_asker(c, &req.asker);
	if (async)
		req.flags |= CREATE_ASYNC;
	link_engine(c, MSG_REQ_CREATE, &req, sizeof(req), MSG_NONE,
	    async ? MSG_REP_JOB : MSG_REP_BACKUP,
	    async ? on_create_job : on_created);
}

/* ---- stats, file-info, jobs ---- */

static void
on_stats(struct conn *c, const struct msg *m)
{
	struct answer	 a;
	struct json	*j = answer_begin(&a, "Totals of the local catalog.");

	json_stats(j, "data", m->data);
	answer_send(&a, c, 200);
}

void
api_stats(struct conn *c)
{
	struct m_req_stats	req;

	memset(&req, 0, sizeof(req));
	if (api_user(c, c->req->arg, &req.user) == -1 ||
	    api_query(c, "database", req.database, sizeof(req.database)) == -1)
		return;
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_STATS, &req, sizeof(req), MSG_NONE,
	    MSG_REP_STATS, on_stats);
}

static void
on_file_info(struct conn *c, const struct msg *m)
{
	const struct m_file_info	*f = m->data;
	struct answer			 a;
	struct json			*j;

	if (!msg_text_ok(f->journal_mode) || !msg_text_ok(f->encoding) ||
	    !msg_text_ok(f->path))
		fatalx("engine sent facts that are none");
	j = answer_begin(&a, f->flags & FILE_EXISTS ?
	    "Facts about the live database." :
	    "The database's file does not exist.");
	json_file_info(j, "data", f);
	answer_send(&a, c, 200);
}

void
api_file_info(struct conn *c)
{
	struct m_req_database	req;

	memset(&req, 0, sizeof(req));
	if (api_query(c, "database", req.database, sizeof(req.database)) == -1)
		return;
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_FILE_INFO, &req, sizeof(req), MSG_NONE,
	    MSG_REP_FILE_INFO, on_file_info);
}

void
api_job_check(const struct m_job *job)
{
	if (!msg_text_ok(job->kind) || !msg_text_ok(job->state) ||
	    !msg_text_ok(job->phase) || !msg_text_ok(job->database) ||
	    !msg_text_ok(job->error_text) || job->error >= E_COUNT ||
	    job->safety_backup_id < 0)
		fatalx("engine sent a job that is none");
}

static void
on_job(struct conn *c, const struct msg *m)
{
	struct answer	 a;
	struct json	*j;

	api_job_check(m->data);
	j = answer_begin(&a, "The job, as it is now.");
	json_job(j, "data", m->data);
	answer_send(&a, c, 200);
}

/* 1 and *v when text is digits only and fits. */
static int
digits_only(const char *text, uint64_t max, uint64_t *v)
{
	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return (0);
	errno = 0;
	*v = strtoull(text, NULL, 10);
	return (errno == 0 && *v <= max);
}

void
api_job(struct conn *c)
{
	struct m_req_job	req;

	memset(&req, 0, sizeof(req));
	if (!digits_only(c->req->arg, UINT64_MAX, &req.job)) {
		reply_error(c, E_JOB_NOT_FOUND, "There is no such job.");
		return;
	}
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_JOB, &req, sizeof(req), MSG_NONE, MSG_REP_JOB,
	    on_job);
}

/* ---- download ---- */

static void
on_download(struct conn *c, const struct msg *m)
{
	api_backup_check(m->data);
	download_start(c, m->data, m->fd);
}

int
api_reference(struct conn *c, uint32_t *ref, int64_t *local_id,
    char remote_id[REMOTE_ID_BYTES])
{
	static const char	prefix[] = "remote:";
	const char		*text = c->req->arg;
	uint64_t		id;

	if (digits_only(text, INT64_MAX, &id)) {
		*ref = REF_LOCAL;
		*local_id = (int64_t)id;
		return (0);
	}
	*ref = REF_REMOTE;
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	else if (text[strspn(text, "0123456789")] == '\0')
		text = "";		/* more digits than any id of ours */
	if (text[0] != '\0' && strlcpy(remote_id, text, REMOTE_ID_BYTES) <
	    REMOTE_ID_BYTES)
		return (0);
	reply_error(c, E_BACKUP_NOT_FOUND, "There is no such backup.");
	return (-1);
}

static int
download_raw(struct conn *c, uint32_t *flags)
{
	char	text[8];

	if (api_query(c, "raw", text, sizeof(text)) == -1)
		return (-1);
	if (strcmp(text, "1") == 0)
		*flags |= BACKUP_RAW;
	else if (text[0] != '\0' && strcmp(text, "0") != 0) {
		reply_error(c, E_INVALID_PARAMETER, "\"raw\" must be 0 or 1.");
		return (-1);
	}
	return (0);
}

void
api_download(struct conn *c)
{
	struct m_req_backup	req;

	memset(&req, 0, sizeof(req));
	if (api_reference(c, &req.ref, &req.local_id, req.remote_id) == -1 ||
	    api_query(c, "database", req.database, sizeof(req.database)) ==
	    -1 || download_raw(c, &req.flags) == -1)
		return;
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_DOWNLOAD, &req, sizeof(req), MSG_NONE,
	    MSG_REP_DOWNLOAD, on_download);
}
