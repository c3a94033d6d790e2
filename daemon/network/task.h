/*
 * What the engine and front have asked for, until it is answered: exactly
 * one end for each.
 */
#ifndef NETWORK_TASK_H
#define NETWORK_TASK_H

#include <stdint.h>

#include "common/chan.h"
#include "common/compat.h"
#include "daemon/network/exchange.h"
#include "daemon/network/remote.h"
#include "proto/msg.h"

enum task_kind { TASK_UPLOAD, TASK_FETCH, TASK_HEALTH, TASK_LIST };

struct task {
	/* For the remote's functions. */
	enum task_kind	 kind;
	struct remote	*remote;
	int		 fd;		/* -1: none */
	union {
		struct m_net_upload	upload;
		struct m_net_fetch	fetch;
		struct m_ask		ask;
	}		 u;
	void		*state;		/* theirs; freed by ops->stop */

	/* The queue's own. */
	TAILQ_ENTRY(task) entry;
	struct chan	*chan;
	uint64_t	 id;
	int		 running;
	uint64_t	 started_us;
	uint64_t	 told_bytes;	/* by the last progress */
	struct event	*feed;		/* a list that is being handed out */
	struct result	 end;		/* what follows its rows */
	uint32_t	 rows;
};

/*
 * task_add: payload is the message of kind; fd (or -1) becomes the task's.
 * The answers go to c with id, which no other task of c may have.
 */
struct event_base;
void	task_open(struct event_base *);
void	task_close(void);		/* drops all, tells nobody */
void	task_add(enum task_kind, struct chan *c, uint64_t id,
	    struct remote *, const void *payload, int fd);

/* Ends it with NET_CANCELLED; nothing happens when there is none, because
 * its end may have been on the way. */
void	task_cancel(struct chan *, uint64_t id);
int	task_exists(struct chan *, uint64_t id);

/* Called by a remote's functions.  task_finish frees the task, or begins
 * to hand a list out; result is copied, remote_id may be NULL. */
void	task_progress(struct task *, uint64_t bytes);
void	task_finish(struct task *, const struct result *,
	    const char *remote_id, uint64_t bytes);

#endif
