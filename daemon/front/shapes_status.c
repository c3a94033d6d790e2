/*
 * The front runs this.  It owns nothing: the parts of GET /status, in the
 * words of the API.
 */
#include "daemon/front/front.h"
#include "daemon/front/json_out.h"

static void
id_or_null(struct json *j, const char *key, int64_t id)
{
	if (id == 0)
		json_null(j, key);
	else
		json_int(j, key, id);
}

void
json_status(struct json *j, const struct m_status_database *s)
{
	json_object(j, NULL);
	json_text(j, "database", s->database);
	json_text(j, "path", s->path);
	json_bool(j, "gone", (s->flags & STATUS_GONE) != 0);
	id_or_null(j, "last_backup_id", s->last_id);
	json_time(j, "last_backup_at", s->last_ms);
	json_text_or_null(j, "last_result", s->last_result);
	id_or_null(j, "last_proven_id", s->proven_id);
	json_time(j, "last_proven_at", s->proven_ms);
	if (s->proven_id == 0)
		json_null(j, "last_proven_age");
	else
		json_int(j, "last_proven_age", s->proven_age_s);
	json_time(j, "unchanged_since", s->unchanged_ms);
	json_time(j, "next_run_at", s->next_run_ms);
	json_bool(j, "running", (s->flags & STATUS_RUNNING) != 0);
	json_object(j, "queue");
	json_uint(j, "pending", s->pending);
	json_uint(j, "bytes", s->pending_bytes);
	json_time(j, "oldest_at", s->pending_ms);
	json_close(j, '}');
	json_time(j, "last_drill_at", s->drill_ms);
	json_text_or_null(j, "last_drill_result", s->drill_result);
	if (s->drill_ms == 0)
		json_null(j, "last_drill_duration_ms");
	else
		json_int(j, "last_drill_duration_ms", s->drill_duration_ms);
	json_array(j, "alarms");
}

void
json_status_alarm(struct json *j, const struct m_status_alarm *a)
{
	json_object(j, NULL);
	json_text(j, "kind", a->kind);
	json_text(j, "text", a->text);
	json_time(j, "raised_at", a->raised_ms);
	json_close(j, '}');
}

/* By the same words as /metrics. */
static void
json_costs(struct json *j, const struct m_net_costs *c)
{
	static const char *const	kinds[REQUEST_KINDS] = {
		[REQUEST_PUT] = "put",
		[REQUEST_GET] = "get",
		[REQUEST_HEAD] = "head",
		[REQUEST_LIST] = "list",
		[REQUEST_DELETE] = "delete",
		[REQUEST_POST] = "post",
	};
	size_t				i;

	json_object(j, "requests");
	for (i = 0; i < REQUEST_KINDS; i++)
		json_uint(j, kinds[i], c->requests[i]);
	json_close(j, '}');
	json_uint(j, "bytes_sent", c->bytes_up);
	json_uint(j, "bytes_received", c->bytes_down);
}

void
json_status_remote(struct json *j, const struct m_status_remote *r)
{
	json_object(j, NULL);
	json_text(j, "name", r->name);
	json_text(j, "kind", r->kind == REMOTE_S3 ? "s3" : "rest");
	json_uint(j, "pending", r->pending);
	json_uint(j, "uploading", r->uploading);
	json_time(j, "next_attempt_at", r->next_attempt_ms);
	json_text_or_null(j, "last_error", r->last_error);
	json_costs(j, &r->costs);
	json_close(j, '}');
}
