/*
 * The front runs this.  It owns nothing: what the engine and the network
 * process tell, in the words of the API.  The default is snake_case; for
 * clients of the Node server the same keys are written in camelCase, and a
 * backup has that server's names as well.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/front/front.h"
#include "daemon/front/json_out.h"
#include "daemon/front/license.h"
#include "daemon/front/remote_rows.h"
#include "daemon/front/request.h"
#include "proto/form.h"

/* 42 and "42": each in the form that it was given. */
static void
json_user(struct json *j, const struct m_user *user)
{
	struct m_user	same;

	if (user->kind == USER_NONE)
		json_null(j, "user_id");
	else if (user->kind == USER_NUMBER &&
	    request_user(user->id, &same) == 0 && same.kind == USER_NUMBER)
		json_int(j, "user_id", strtoll(user->id, NULL, 10));
	else
		json_text(j, "user_id", user->id);
}

/* "local,hq,offsite" as locations (local, remote) and remotes (names). */
static void
json_places(struct json *j, const char *places)
{
	char	 text[LOCATIONS_BYTES], *p, *name;
	int	 local = 0, remote = 0;

	strlcpy(text, places, sizeof(text));
	for (p = text; (name = strsep(&p, ",")) != NULL; ) {
		if (strcmp(name, "local") == 0)
			local = 1;
		else if (name[0] != '\0')
			remote = 1;
	}
	json_array(j, "locations");
	if (local)
		json_text(j, NULL, "local");
	if (remote)
		json_text(j, NULL, "remote");
	json_close(j, ']');
	strlcpy(text, places, sizeof(text));
	json_array(j, "remotes");
	for (p = text; (name = strsep(&p, ",")) != NULL; ) {
		if (name[0] != '\0' && strcmp(name, "local") != 0)
			json_text(j, NULL, name);
	}
	json_close(j, ']');
}

/* What both kinds of backup share; id_text NULL: the number. */
static void
json_backup_names(struct json *j, int64_t id, const char *id_text,
    const struct m_user *user, const char *name, const char *description)
{
	char	digits[32];

	if (id_text == NULL)
		snprintf(digits, sizeof(digits), "%lld", (long long)id);
	if (j->camel) {			/* a string there, always */
		json_text(j, "_id", id_text != NULL ? id_text : digits);
		json_text(j, "backup_id", id_text != NULL ? id_text : digits);
	} else if (id_text != NULL)
		json_text(j, "id", id_text);
	else
		json_int(j, "id", id);
	json_user(j, user);
	json_text_or_null(j, "backup_name", name);
	json_text_or_null(j, "description", description);
}

/* How many bytes of the image one stored byte stands for. */
static void
json_ratio(struct json *j, int64_t size, int64_t stored_size)
{
	char	text[32];

	if (stored_size <= 0 || size <= 0) {
		json_null(j, "compression_ratio");
		return;
	}
	snprintf(text, sizeof(text), "%.3f", (double)size /
	    (double)stored_size);
	json_raw(j, "compression_ratio", text);
}

void
json_backup(struct json *j, const char *key, const struct m_backup *b)
{
	json_backup_open(j, key, b);
	json_close(j, '}');
}

void
json_backup_open(struct json *j, const char *key, const struct m_backup *b)
{
	char	name[NAME_BYTES];

	json_object(j, key);
	json_backup_names(j, b->id, NULL, &b->user, b->name, b->description);
	if (j->camel) {
		download_name(name, b, FORM_PLAIN);
		json_text(j, "filename", name);
	}
	json_text_or_null(j, "file_path", b->file_path);
	json_int(j, j->camel ? "size" : "file_size", b->file_size);
	json_text_or_null(j, "backup_type", b->type);
	json_text_or_null(j, "status", b->status);
	json_text_or_null(j, "remote_backup_id", b->remote_id);
	json_text_or_null(j, "checksum", b->checksum);
	json_time(j, "created_at", b->created_ms);
	json_time(j, "updated_at", b->updated_ms);
	json_time(j, "uploaded_at", b->uploaded_ms);
	json_text_or_null(j, "database", b->database);
	json_places(j, b->locations);
	json_text_or_null(j, "verification", b->verdict);
	json_uint(j, "lock_held_ms", (b->lock_held_us + 500) / 1000);
	json_time(j, "captured_at", b->captured_ms);
	json_time(j, "verified_at", b->proven_ms);
	json_text_or_null(j, "form", b->stored_size == 0 ? "" : b->form);
	json_int(j, "stored_size", b->stored_size);
	json_text_or_null(j, "stored_checksum", b->stored_checksum);
	json_ratio(j, b->file_size, b->stored_size);
	json_text_or_null(j, "remote_form", b->remote_form);
	json_bool(j, "pinned", b->pinned_ms != 0);
	if (b->flags & BACKUP_DOOMED)
		json_bool(j, "expiring", 1);
	if (b->reason[0] != '\0')
		json_text(j, "error", b->reason);
}

void
json_remote(struct json *j, const struct remote_row *r,
    const struct m_user *user, const char *remote_name)
{
	struct m_backup	b;
	char		name[NAME_BYTES];

	json_object(j, NULL);
	json_backup_names(j, 0, r->remote_id, user, r->name, r->description);
	if (j->camel) {
		memset(&b, 0, sizeof(b));
		b.created_ms = r->created_ms;
		strlcpy(b.remote_id, r->remote_id, sizeof(b.remote_id));
		download_name(name, &b, FORM_PLAIN);
		json_text(j, "filename", name);
	}
	json_null(j, "file_path");
	if (r->size < 0)
		json_null(j, j->camel ? "size" : "file_size");
	else
		json_int(j, j->camel ? "size" : "file_size", r->size);
	json_text(j, "backup_type", "manual");
	json_text(j, "status", "completed");
	json_text(j, "remote_backup_id", r->remote_id);
	json_null(j, "checksum");
	json_time(j, "created_at", r->created_ms);
	json_time(j, "updated_at", r->uploaded_ms != 0 ? r->uploaded_ms :
	    r->created_ms);
	json_time(j, "uploaded_at", r->uploaded_ms);
	json_null(j, "database");
	json_array(j, "locations");
	json_text(j, NULL, "remote");
	json_close(j, ']');
	json_array(j, "remotes");
	json_text(j, NULL, remote_name);
	json_close(j, ']');
	json_null(j, "verification");
	json_null(j, "lock_held_ms");
	json_close(j, '}');
}

void
json_ms(struct json *j, const char *key, uint64_t us)
{
	char	text[32];

	snprintf(text, sizeof(text), "%llu.%03llu",
	    (unsigned long long)us / 1000, (unsigned long long)us % 1000);
	json_raw(j, key, text);
}

void
json_phases(struct json *j, const struct m_phases *m)
{
	char	key[32];
	size_t	i;

	json_object(j, "phases");
	for (i = 0; i < PHASE_COUNT; i++) {
		if (m->us[i] == 0)
			continue;
		snprintf(key, sizeof(key), "%s_ms", phase_key((enum phase)i));
		json_ms(j, key, m->us[i]);
	}
	json_close(j, '}');
}

void
json_job(struct json *j, const char *key, const struct m_job *job)
{
	json_object(j, key);
	json_uint(j, "id", job->id);
	json_text(j, "kind", job->kind);
	json_text_or_null(j, "database", job->database);
	json_text(j, "state", job->state);
	json_text_or_null(j, "phase", job->phase);
	json_uint(j, "bytes_done", job->bytes_done);
	json_uint(j, "bytes_total", job->bytes_total);
	if (job->backup_id == 0)
		json_null(j, "backup_id");
	else
		json_int(j, "backup_id", job->backup_id);
	if (strcmp(job->kind, "restore") == 0) {
		if (job->safety_backup_id == 0)
			json_null(j, "safety_backup_id");
		else
			json_int(j, "safety_backup_id",
			    job->safety_backup_id);
	}
	json_text_or_null(j, "error", job->error_text);
	if (job->error == E_NONE)
		json_null(j, "error_code");
	else
		json_text(j, "error_code", err_desc(job->error)->token);
	json_time(j, "started_at", job->started_ms);
	json_time(j, "finished_at", job->finished_ms);
	json_uint(j, "rate", job->rate);
	if (job->eta_s < 0)
		json_null(j, "eta");
	else
		json_int(j, "eta", job->eta_s);
	json_phases(j, &job->spent);
	json_close(j, '}');
}

void
json_event(struct json *j, const char *key, const struct m_event *ev)
{
	json_object(j, key);
	json_int(j, "id", ev->id);
	json_text(j, "event", ev->kind);
	json_time(j, "at", ev->at_ms);
	json_text_or_null(j, "database", ev->database);
	if (ev->backup_id == 0)
		json_null(j, "backup_id");
	else
		json_int(j, "backup_id", ev->backup_id);
	json_text_or_null(j, "remote", ev->place);
	json_text(j, "text", ev->text);
	json_close(j, '}');
}

void
json_stats(struct json *j, const char *key, const struct m_stats *s)
{
	json_object(j, key);
	json_uint(j, "total_backups", s->backups);
	json_uint(j, "total_size", s->bytes);
	json_time(j, "last_backup", s->last_ms);
	json_uint(j, "successful_backups", s->completed);
	json_uint(j, "failed_backups", s->failed);
	json_uint(j, "average_size", s->backups == 0 ? 0 :
	    s->bytes / s->backups);
	json_close(j, '}');
}

/* The facts that only a readable SQLite file has. */
static void
json_database_facts(struct json *j, const struct m_file_info *f)
{
	static const char *const	keys[] = { "page_size", "page_count",
	    "journal_mode", "wal_size", "application_id", "user_version",
	    "schema_cookie", "encoding" };
	size_t				i;

	if (!(f->flags & FILE_DATABASE)) {
		for (i = 0; i < nitems(keys); i++)
			json_null(j, keys[i]);
		return;
	}
	json_uint(j, "page_size", f->page_size);
	json_uint(j, "page_count", f->page_count);
	json_text_or_null(j, "journal_mode", f->journal_mode);
	json_uint(j, "wal_size", f->wal_size);
	json_int(j, "application_id", (int32_t)f->application_id);
	json_int(j, "user_version", (int32_t)f->user_version);
	json_int(j, "schema_cookie", (int32_t)f->schema_cookie);
	json_text_or_null(j, "encoding", f->encoding);
}

void
json_file_info(struct json *j, const char *key, const struct m_file_info *f)
{
	json_object(j, key);
	json_bool(j, "exists", f->flags & FILE_EXISTS);
	json_text_or_null(j, "path", f->path);
	if (f->flags & FILE_EXISTS)
		json_uint(j, "size", f->size);
	else
		json_null(j, "size");
	json_time(j, "modified", f->modified_ms);
	json_time(j, "created", f->created_ms);
	json_bool(j, "is_readable", f->flags & FILE_READABLE);
	json_bool(j, "is_writable", f->flags & FILE_WRITABLE);
	json_bool(j, "is_locked", f->flags & FILE_LOCKED);
	json_bool(j, "accessible", f->flags & FILE_ACCESSIBLE);
	json_database_facts(j, f);
	json_close(j, '}');
}

/* In the Node shapes ids are strings, always. */
static void
json_backup_id(struct json *j, const char *key, int64_t id)
{
	char	digits[32];

	snprintf(digits, sizeof(digits), "%lld", (long long)id);
	if (j->camel)
		json_text(j, key, digits);
	else
		json_int(j, key, id);
}

void
json_restored(struct json *j, const char *key, const struct m_restored *r)
{
	json_object(j, key);
	if (r->backup_id != 0)
		json_backup_id(j, "backup_id", r->backup_id);
	else
		json_text(j, "backup_id", r->remote_id);
	json_text_or_null(j, "database", r->database);
	json_time(j, "restored_at", r->restored_ms);
	json_uint(j, "size", r->size);
	json_text_or_null(j, "checksum", r->checksum);
	if (r->safety_backup_id != 0)
		json_backup_id(j, "safety_backup_id", r->safety_backup_id);
	else
		json_null(j, "safety_backup_id");
	json_text_or_null(j, "method", r->method);
	json_text_or_null(j, "served_by", r->served_by);
	json_uint(j, "duration_ms", (r->duration_us + 500) / 1000);
	json_uint(j, "lock_held_ms", (r->lock_held_us + 500) / 1000);
	if (r->undone_ms != 0) {
		json_object(j, "undone");
		if (r->undone_id != 0)
			json_backup_id(j, "backup_id", r->undone_id);
		else
			json_null(j, "backup_id");
		json_time(j, "restored_at", r->undone_ms);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void
json_int_or_null(struct json *j, const char *key, int64_t v, int known)
{
	if (known)
		json_int(j, key, v);
	else
		json_null(j, key);
}

void
json_holder(struct json *j, const struct m_lock_row *r)
{
	static const char *const	modes[] = { [HOLDER_OPEN] = "open",
	    [HOLDER_READ] = "read", [HOLDER_WRITE] = "write" };
	char				text[LOCKS_BYTES], *p, *name;

	json_object(j, NULL);
	json_int_or_null(j, "pid", r->pid, r->pid > 0);
	json_text_or_null(j, "command", r->command);
	json_text_or_null(j, "user", r->user);
	json_int_or_null(j, "uid", r->uid, r->uid != UINT32_MAX);
	json_array(j, "locks");
	strlcpy(text, r->locks, sizeof(text));
	for (p = text; (name = strsep(&p, ",")) != NULL; ) {
		if (name[0] != '\0')
			json_text(j, NULL, name);
	}
	json_close(j, ']');
	json_text(j, "mode", modes[r->mode]);
	json_int_or_null(j, "held_ms", r->held_ms, r->held_ms >= 0);
	json_int_or_null(j, "frames_pinned", r->frames_pinned,
	    r->frames_pinned >= 0);
	json_close(j, '}');
}

void
json_license(struct json *j, const char *key, const struct license *l)
{
	json_object(j, key);
	json_bool(j, "has_license", l != NULL);
	if (l != NULL) {
		json_user(j, &l->user);
		json_text_or_null(j, "device_id", l->device_id);
		json_text_or_null(j, "type", l->type);
		json_bool(j, "is_valid", l->valid);
		if (l->expires)
			json_time(j, "expires_at", l->expires_ms);
		else
			json_null(j, "expires_at");
		json_raw(j, "features", l->features);
		if (!l->valid)
			json_text(j, "reason", l->reason);
	}
	json_close(j, '}');
}
