/*
 * Workers run this.  The thread owns nothing; `written`, `done` and `end`
 * are shared under the mutex.
 */
#include <pthread.h>
#include <stdlib.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/thread.h"
#include "common/util.h"
#include "daemon/worker/behind.h"

#define STEP_BYTES	(8 * 1024 * 1024)
#define LAG_BYTES	(128 * 1024 * 1024)	/* written and not begun */

struct behind {
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 moved;
	uint64_t	 written;	/* bytes */
	uint64_t	 done;		/* of them handed to the disk */
	int		 end;
	int		 fd;
};

static void *
follow(void *arg)
{
	struct behind	*b = arg;
	uint64_t	 at;

	thread_give_way();
	pthread_mutex_lock(&b->mutex);
	for (;;) {
		while (!b->end && b->written < b->done + STEP_BYTES)
			pthread_cond_wait(&b->moved, &b->mutex);
		if (b->end)
			break;
		at = b->done;
		pthread_mutex_unlock(&b->mutex);
		filesystem_write_soon(b->fd, at, STEP_BYTES);
		pthread_mutex_lock(&b->mutex);
		b->done = at + STEP_BYTES;
		pthread_cond_broadcast(&b->moved);
	}
	pthread_mutex_unlock(&b->mutex);
	return (NULL);
}

static void
behind_free(struct behind *b)
{
	pthread_mutex_destroy(&b->mutex);
	pthread_cond_destroy(&b->moved);
	free(b);
}

struct behind *
behind_start(int fd)
{
	struct behind	*b;

	b = xcalloc(1, sizeof(*b));
	b->fd = fd;
	if (pthread_mutex_init(&b->mutex, NULL) != 0 ||
	    pthread_cond_init(&b->moved, NULL) != 0 ||
	    pthread_create(&b->thread, NULL, follow, b) != 0) {
		behind_free(b);
		return (NULL);
	}
	return (b);
}

void
behind_advance(struct behind *b, uint64_t bytes)
{
	pthread_mutex_lock(&b->mutex);
	b->written = bytes;
	pthread_cond_broadcast(&b->moved);
	while (b->written > b->done + LAG_BYTES)
		pthread_cond_wait(&b->moved, &b->mutex);
	pthread_mutex_unlock(&b->mutex);
}

void
behind_end(struct behind *b)
{
	pthread_mutex_lock(&b->mutex);
	b->end = 1;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->mutex);
	pthread_join(b->thread, NULL);
	behind_free(b);
}
