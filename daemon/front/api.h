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
void	api_job_check(const struct m_job *);

#endif
