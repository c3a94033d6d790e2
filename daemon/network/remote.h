/*
 * The remotes that were configured, and what can be done with one.  The
 * numbers are the engine's.
 */
#ifndef NETWORK_REMOTE_H
#define NETWORK_REMOTE_H

#include <stdint.h>

#include "proto/msg.h"

#define HOST_BYTES	300		/* "backup.example.org port 443" */

struct task;

/* What a remote can be asked for. */
enum task_kind {
	TASK_UPLOAD, TASK_FETCH, TASK_HEALTH, TASK_LIST,
	TASK_ABORT, TASK_DELETE, TASK_CATALOG, TASK_TEST, TASK_KINDS
};

/*
 * A kind of remote is this table.  start begins what the task asks for;
 * the task's end is told by task_finish(), at once or later.  stop ends it
 * early; it must not finish the task, and is also called after
 * task_finish(), to free what the kind keeps in task->state.
 */
struct remote_ops {
	void	(*start[TASK_KINDS])(struct task *);
	void	(*stop)(struct task *);
	/* An upload need not be held back any more; NULL: none ever is. */
	void	(*go)(struct task *);
	/* After a list has come: 1 and the next row, or 0 at the end, and
	 * then the number of entries that made no sense. */
	int	(*row)(struct task *, struct m_remote_row *);
	uint32_t (*skipped)(struct task *);
};

struct s3;

struct remote {
	struct m_net_remote	 conf;	/* texts checked; url without the
					 * slash at its end */
	const struct remote_ops	*ops;
	struct m_net_costs	 costs, costs_told;
	struct s3		*s3;	/* NULL: of another kind */
	char			 host[HOST_BYTES];	/* "": the URL is none */
	uint32_t		 users;	/* tasks that hold it */
	int			 retired;	/* freed with the last of them */
};

extern const struct remote_ops	rest_ops, s3_ops;

/* Adds one, or puts it in the place of what had its number.  What is wrong
 * with the message is fatal, but not a URL that nothing can be asked of. */
void		 remote_add(const struct m_net_remote *);

/* What its NET_S3 says; what is wrong with that is fatal. */
void		 remote_add_s3(const struct m_net_s3 *);

/* All are configured: fatal when an s3 remote lacks its NET_S3. */
void		 remote_start(void);

/* It is configured no more; what runs goes on with it. */
void		 remote_forget(uint32_t index);

/* A task begins and ends with it. */
void		 remote_hold(struct remote *);
void		 remote_release(struct remote *);

/* Calls cb for each. */
void		 remote_each(void (*cb)(const struct remote *, void *),
		    void *arg);

/* For an index that was configured once: one that nothing can be asked
 * of.  NULL if there never was one. */
struct remote	*remote_forgotten(uint32_t index);

/* By the engine's number; NULL if there is none. */
struct remote	*remote_find(uint32_t index);

/* Wipes and frees all of them. */
void		 remote_free_all(void);

#endif
