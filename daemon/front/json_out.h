/*
 * Writing JSON into an evbuffer, and the shapes of what the API answers.
 */
#ifndef FRONT_JSON_OUT_H
#define FRONT_JSON_OUT_H

#include <stdint.h>

#include "proto/errors.h"
#include "proto/msg.h"

#define JSON_DEPTH	8

struct evbuffer;
struct license;
struct remote_row;

struct json {
	struct evbuffer	*out;
	int		 camel;		/* keys are written in camelCase */
	int		 depth;
	int		 members[JSON_DEPTH];	/* so far, for the commas */
};

void	json_init(struct json *, struct evbuffer *, int camel);

/* Keys are snake_case here; NULL inside an array.  Text that is not UTF-8
 * has its bad bytes replaced. */
void	json_object(struct json *, const char *key);
void	json_array(struct json *, const char *key);
void	json_close(struct json *, char bracket);	/* '}' or ']' */
void	json_text(struct json *, const char *key, const char *);
void	json_text_or_null(struct json *, const char *key, const char *);
void	json_int(struct json *, const char *key, int64_t);
void	json_uint(struct json *, const char *key, uint64_t);
void	json_bool(struct json *, const char *key, int);
void	json_null(struct json *, const char *key);
void	json_time(struct json *, const char *key, int64_t ms);
/* value is JSON already. */
void	json_raw(struct json *, const char *key, const char *value);

/* The same, from a buffer, which is emptied. */
void	json_buffer(struct json *, const char *key, struct evbuffer *);

/*
 * An envelope up to where the data comes: {"success":true,"message":...
 * The caller adds "data" and what stands beside it, and closes it.
 */
void	json_success(struct json *, const char *message);

/* With key as a member, or NULL as an element. */
void	json_backup(struct json *, const char *key, const struct m_backup *);
/* The same, left open for what else is known of it. */
void	json_backup_open(struct json *, const char *key,
	    const struct m_backup *);
/* The same of a backup that only the remote has. */
void	json_remote(struct json *, const struct remote_row *,
	    const struct m_user *, const char *remote_name);
/* Microseconds as milliseconds with a fraction. */
void	json_ms(struct json *, const char *key, uint64_t us);
/* "phases": of what was reached. */
void	json_phases(struct json *, const struct m_phases *);
void	json_job(struct json *, const char *key, const struct m_job *);
void	json_event(struct json *, const char *key, const struct m_event *);
void	json_stats(struct json *, const char *key, const struct m_stats *);
/* An object that stays open, for its alarms. */
void	json_status(struct json *, const struct m_status_database *);
void	json_status_alarm(struct json *, const struct m_status_alarm *);
void	json_status_remote(struct json *, const struct m_status_remote *);
void	json_file_info(struct json *, const char *key,
	    const struct m_file_info *);
void	json_restored(struct json *, const char *key,
	    const struct m_restored *);
/* An element of an array. */
void	json_holder(struct json *, const struct m_lock_row *);
void	json_license(struct json *, const char *key, const struct license *);
void	json_error(struct json *, enum err, const char *text,
	    int64_t backup_id);

#endif
