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

/*
 * A kind of remote is this table.  Each of the first four starts what the
 * task asks for; the task's end is told by task_finish(), at once or
 * later.  stop ends it early; it must not finish the task, and is also
 * called after task_finish(), to free what the kind keeps in task->state.
 */
struct remote_ops {
	void	(*health)(struct task *);
	void	(*put)(struct task *);
	void	(*get)(struct task *);
	void	(*list)(struct task *);
	void	(*stop)(struct task *);
	/* After a list has come: 1 and the next row, or 0 at the end, and
	 * then the number of entries that made no sense. */
	int	(*row)(struct task *, struct m_remote_row *);
	uint32_t (*skipped)(struct task *);
};

struct remote {
	struct m_net_remote	 conf;	/* texts checked; url without the
					 * slash at its end */
	const struct remote_ops	*ops;
	char			 host[HOST_BYTES];	/* "": the URL is none */
};

extern const struct remote_ops	rest_ops;

/* Adds one; what is wrong with the message is fatal, but not a URL that
 * nothing can be asked of. */
void		 remote_add(const struct m_net_remote *);

/* By the engine's number; NULL if there is none. */
struct remote	*remote_find(uint32_t index);

/* Wipes and frees all of them. */
void		 remote_free_all(void);

#endif
