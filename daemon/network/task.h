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

struct task {
	/* For the remote's functions. */
	enum task_kind	 kind;
	struct remote	*remote;
	int		 fd;		/* -1: none */
	union {
		struct m_net_upload	*upload;
		struct m_net_fetch	*fetch;
		struct m_ask		*ask;
		struct m_net_abort	*abort;
		struct m_net_delete	*delete;
		struct m_net_list	*catalog;
		struct m_net_test	*test;
		void			*any;
	}		 u;		/* the message; freed with the task */
	struct m_net_manifest *manifest;	/* TASK_UPLOAD, or NULL */
	struct m_net_deleted *deleted;	/* TASK_DELETE: the answer */
	uint32_t	 confirmed;	/* TASK_UPLOAD: CONFIRMED_* */
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
	uint32_t	 rows;		/* sent */
	uint32_t	 skipped;	/* TASK_CATALOG */
};

/*
 * task_add: payload is the message of kind; fd (or -1) becomes the task's.
 * The answers go to c with id, which no other task of c may have.
 * task_manifest: what goes with an upload just added; copied.
 */
struct event_base;
void	task_open(struct event_base *);
void	task_close(void);		/* drops all, tells nobody */
void	task_add(enum task_kind, struct chan *c, uint64_t id,
	    struct remote *, const void *payload, int fd);

void	task_manifest(struct chan *c, uint64_t id,
	    const struct m_net_manifest *);

/* What was held back of an upload may go; nothing happens when it ended. */
void	task_go(struct chan *, uint64_t id);

/* Ends it with NET_CANCELLED; nothing happens when there is none, because
 * its end may have been on the way. */
void	task_cancel(struct chan *, uint64_t id);
int	task_exists(struct chan *, uint64_t id);

/* Called by a remote's functions.  task_finish frees the task, or begins
 * to hand a list out; result is copied, remote_id may be NULL. */
void	task_progress(struct task *, uint64_t bytes);
void	task_finish(struct task *, const struct result *,
	    const char *remote_id, uint64_t bytes);

/* The same for what needed no exchange. */
void	task_finish_with(struct task *, enum net_outcome, const char *why);
void	task_finish_errno(struct task *, const char *what);

/* Before the end: an upload in parts has begun, a manifest, a step of a
 * test (when it is NET_OK, good says what that means). */
void	task_multipart(struct task *, const char *upload_id,
	    uint64_t part_size);
void	task_manifest_row(struct task *, const struct m_manifest *);
void	task_test_row(struct task *, const char *step, const struct result *,
	    const char *good);

/* 1 while whoever asked has not read enough to be sent more rows. */
int	task_full(const struct task *);

#endif
