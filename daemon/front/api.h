/*
 * What the handlers of calls share: an answer that is built in one go, and
 * the checks of what the engine sent (which end the front).
 */
#ifndef FRONT_API_H
#define FRONT_API_H

#include "daemon/front/front.h"
#include "daemon/front/json_out.h"

struct answer {
	struct evbuffer	*body;
	struct json	 json;
};

/* The envelope of a success, open for "data". */
struct json	*answer_begin(struct answer *, const char *message);
/* Closes the envelope and sends it. */
void	answer_send(struct answer *, struct conn *, int status);

void	api_backup_check(const struct m_backup *);
void	api_event_check(const struct m_event *);
void	api_job_check(const struct m_job *);

/* 1: the client wants no answer but the job's number. */
int	api_prefers_async(const struct http_request *);
/* 202 with the job that was begun. */
void	api_job_begun(struct conn *, const struct m_job *,
	    const char *message);

/* The query's database, where the body's is in name (DATABASE_BYTES), or
 * "": 0, or -1 when they differ and the request has been refused. */
int	api_database(struct conn *, char *name);

/*
 * The backup that the path's argument names (D5): digits are a local id,
 * remote:ID and anything else is the remote's.  0, or -1 when the request
 * has been refused for it.
 */
int	api_reference(struct conn *, uint32_t *ref, int64_t *local_id,
	    char remote_id[REMOTE_ID_BYTES]);

#endif
