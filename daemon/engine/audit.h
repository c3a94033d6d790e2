/*
 * The audit log: who changed what, and who was refused.  In the catalog's
 * table "audit", and by syslog's facility for such things.
 */
#ifndef ENGINE_AUDIT_H
#define ENGINE_AUDIT_H

#include <stdint.h>

#include "proto/errors.h"
#include "proto/msg.h"

struct catalog;
struct engine;

#define ADDRESS_BYTES	64

/* Somebody, as the log names him. */
struct who {
	int64_t	uid;			/* -1: not known */
	char	name[DATABASE_BYTES + 16];	/* "uid 0", "token NAME" */
	char	address[ADDRESS_BYTES];	/* "127.0.0.1", "unix" */
};

/* One row, and one line of the log; database may be "". */
void	audit_write(struct catalog *, int to_stderr, const struct who *,
	    const char *action, const char *database, int64_t backup_id,
	    const char *result);

/* The same for a refusal, unless this minute had very many. */
void	audit_refused(struct engine *, const struct who *,
	    const char *action, const char *database, int64_t backup_id,
	    const char *result);

#endif
