/*
 * Who has a database, and how.
 */
#ifndef WORKER_LOCKS_H
#define WORKER_LOCKS_H

#include <stddef.h>

#include "daemon/worker/look.h"
#include "proto/msg.h"

struct locks {
	struct m_lock_row *rows;
	size_t		 n, size;
	int		 held;		/* something blocks a restore (D1) */
	int		 incomplete;	/* some processes are hidden from us */
};

/* Looks at the database, its -shm and every process; free the result. */
void	locks_find(const struct look *, struct locks *);
void	locks_free(struct locks *);

#endif
