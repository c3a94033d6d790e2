/*
 * Workers run this.  The thread owns nothing; `written`, `done` and `end`
 * are shared under the mutex while there is one.
 */
#include <pthread.h>
#include <stdlib.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/thread.h"
#include "common/util.h"
#include "daemon/worker/behind.h"

#define STEP_BYTES	(1024 * 1024)		/* the kernel is busy with a
						 * step and lets nobody in */
#define DEPTH_BYTES	(2 * 1024 * 1024)	/* with the disk at a time:
						 * a step that it works on,
						 * and one that waits */
#define STEPS_ALONE	4			/* at most, in one call */
#define LAG_BYTES	(128 * 1024 * 1024)	/* written and not begun */

struct behind {
	pthread_t	 thread;
	int		 alone;		/* it has ended */
	pthread_mutex_t	 mutex;
	pthread_cond_t	 moved;
	uint64_t	 written;	/* bytes */
	uint64_t	 done;		/* of them handed to the disk */
	int		 end;
	int		 fd;
	int		 error;		/* the thread's, until it has ended */
};

/* Hands a piece to the disk, and waits for one that went before it. */
static int
hand_over(int fd, uint64_t at)
{
	filesystem_write_soon(fd, at, STEP_BYTES);
	if (at < DEPTH_BYTES)
		return (0);
	return (filesystem_write_wait(fd, at - DEPTH_BYTES, STEP_BYTES));
}

static void *
follow(void *arg)
{
	struct behind	*b = arg;
	uint64_t	 at;
	int		 error;

	thread_give_way();
	thread_long_turns(0);		/* it only wakes for a moment */
	pthread_mutex_lock(&b->mutex);
	for (;;) {
		while (!b->end && b->written < b->done + STEP_BYTES)
			pthread_cond_wait(&b->moved, &b->mutex);
		if (b->end)
			break;
		at = b->done;
		pthread_mutex_unlock(&b->mutex);
		if ((error = hand_over(b->fd, at)) != 0)
			b->error = error;
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

static void
stop(struct behind *b)
{
	pthread_mutex_lock(&b->mutex);
	b->end = 1;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->mutex);
	pthread_join(b->thread, NULL);
}

void
behind_alone(struct behind *b)
{
	if (!b->alone)
		stop(b);
	b->alone = 1;
}

/* What the thread left is caught up with little by little: between two
 * calls a slow disk lets the caller see that he is to stop. */
static void
advance_alone(struct behind *b, uint64_t bytes)
{
	int	error, n;

	for (n = 0; n < STEPS_ALONE && bytes >= b->done + STEP_BYTES; n++) {
		if ((error = hand_over(b->fd, b->done)) != 0)
			b->error = error;
		b->done += STEP_BYTES;
	}
}

void
behind_advance(struct behind *b, uint64_t bytes)
{
	if (b->alone) {
		advance_alone(b, bytes);
		return;
	}
	pthread_mutex_lock(&b->mutex);
	b->written = bytes;
	pthread_cond_broadcast(&b->moved);
	while (b->written > b->done + LAG_BYTES)
		pthread_cond_wait(&b->moved, &b->mutex);
	pthread_mutex_unlock(&b->mutex);
}

int
behind_end(struct behind *b)
{
	int	error;

	if (!b->alone)
		stop(b);
	error = b->error;
	behind_free(b);
	return (error);
}

int
behind_rest(int fd, uint64_t bytes)
{
	uint64_t	at;
	int		error = 0;

	for (at = 0; error == 0 && at < bytes; at += STEP_BYTES)
		error = hand_over(fd, at);
	return (error);
}
