/*
 * Workers run this.  The thread owns the digest, its buffer and the marks;
 * `limit`, `claimed`, `rewind`, `state` and nothing else is shared, under
 * the mutex.
 */
#include <openssl/evp.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/thread.h"
#include "common/util.h"
#include "daemon/worker/hasher.h"
#include "daemon/worker/worker.h"

#define BUFFER_BYTES	(256 * 1024)
#define ALIGN_BYTES	4096		/* the kernel copies faster to it */
#define MARKS		64
#define MARK_BYTES	(16 * 1024 * 1024)	/* between two, at first */

/* The digest of the first `offset` bytes, to go back to. */
struct mark {
	EVP_MD_CTX	*md;
	uint64_t	 offset;
};

struct hasher {
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 moved;
	uint64_t	 limit;		/* bytes that may be read */
	uint64_t	 claimed;	/* those that were, or just are */
	uint64_t	 rewind;	/* changed from here on; or UINT64_MAX */
	enum { HASHING, LAST, ABANDONED } state;
	int		 fd;
	int		 error;		/* errno of the thread */
	uint64_t	 busy_us;	/* that it did not wait */
	EVP_MD_CTX	*md;
	uint64_t	 done;		/* bytes in it */
	unsigned char	*buffer;
	struct mark	 marks[MARKS];	/* by offset */
	unsigned int	 nmarks;
	uint64_t	 mark_bytes;	/* between two of them */
};

enum turn { TURN_READ, TURN_REWIND, TURN_END };

/* Waits for what to do next; TURN_READ: up to *limit. */
static enum turn
wait_turn(struct hasher *h, uint64_t *limit)
{
	enum turn	turn = TURN_READ;

	pthread_mutex_lock(&h->mutex);
	while (h->state == HASHING && h->rewind == UINT64_MAX &&
	    h->limit < h->done + BUFFER_BYTES)
		pthread_cond_wait(&h->moved, &h->mutex);
	if (h->state == ABANDONED)
		turn = TURN_END;
	else if (h->rewind != UINT64_MAX) {
		turn = TURN_REWIND;
		*limit = h->claimed = h->rewind;
		h->rewind = UINT64_MAX;
	} else if (h->done < h->limit) {
		*limit = h->limit - h->done < BUFFER_BYTES ? h->limit :
		    h->done + BUFFER_BYTES;
		h->claimed = *limit;
	} else
		turn = TURN_END;
	pthread_mutex_unlock(&h->mutex);
	return (turn);
}

/* Every other one goes: a file of any size has marks enough. */
static void
marks_thin(struct hasher *h)
{
	unsigned int	i;

	for (i = 0; i < MARKS; i++) {
		if (i % 2 == 0)
			EVP_MD_CTX_free(h->marks[i].md);
		else
			h->marks[i / 2] = h->marks[i];
	}
	h->nmarks = MARKS / 2;
	h->mark_bytes *= 2;
}

static int
mark(struct hasher *h)
{
	struct mark	*m;

	if (h->done % h->mark_bytes != 0)
		return (0);
	if (h->nmarks == MARKS) {
		marks_thin(h);
		if (h->done % h->mark_bytes != 0)
			return (0);
	}
	m = &h->marks[h->nmarks];
	if ((m->md = EVP_MD_CTX_new()) == NULL ||
	    EVP_MD_CTX_copy_ex(m->md, h->md) != 1)
		return (-1);
	m->offset = h->done;
	h->nmarks++;
	return (0);
}

static int
rewind_to(struct hasher *h, uint64_t offset)
{
	while (h->nmarks > 0 && h->marks[h->nmarks - 1].offset > offset)
		EVP_MD_CTX_free(h->marks[--h->nmarks].md);
	if (h->done <= offset)
		return (0);
	if (h->nmarks == 0) {
		h->done = 0;
		return (EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) == 1 ?
		    0 : -1);
	}
	h->done = h->marks[h->nmarks - 1].offset;
	return (EVP_MD_CTX_copy_ex(h->md, h->marks[h->nmarks - 1].md) == 1 ?
	    0 : -1);
}

static int
hash_to(struct hasher *h, uint64_t limit)
{
	ssize_t	n;

	while (h->done < limit) {
		n = pread(h->fd, h->buffer, (size_t)(limit - h->done),
		    (off_t)h->done);
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return (-1);
		}
		errno = EIO;
		if (EVP_DigestUpdate(h->md, h->buffer, (size_t)n) != 1)
			return (-1);
		h->done += (uint64_t)n;
	}
	errno = ENOMEM;
	return (mark(h));
}

static void *
hash(void *arg)
{
	struct hasher	*h = arg;
	uint64_t	 limit, start_us;
	enum turn	 turn;

	thread_give_way();
	while ((turn = wait_turn(h, &limit)) != TURN_END) {
		start_us = util_monotonic_us();
		errno = EIO;
		if ((turn == TURN_READ ? hash_to(h, limit) :
		    rewind_to(h, limit)) == -1) {
			h->error = errno;
			break;
		}
		h->busy_us += util_monotonic_us() - start_us;
	}
	return (NULL);
}

static void
hasher_free(struct hasher *h)
{
	while (h->nmarks > 0)
		EVP_MD_CTX_free(h->marks[--h->nmarks].md);
	EVP_MD_CTX_free(h->md);
	free(h->buffer);
	pthread_mutex_destroy(&h->mutex);
	pthread_cond_destroy(&h->moved);
	free(h);
}

struct hasher *
hasher_start(int fd)
{
	struct hasher	*h;

	h = xcalloc(1, sizeof(*h));
	h->fd = fd;
	h->rewind = UINT64_MAX;
	h->mark_bytes = MARK_BYTES;
	h->buffer = aligned_alloc(ALIGN_BYTES, BUFFER_BYTES);
	h->md = EVP_MD_CTX_new();
	if (pthread_mutex_init(&h->mutex, NULL) != 0 ||
	    pthread_cond_init(&h->moved, NULL) != 0 || h->md == NULL ||
	    h->buffer == NULL ||
	    EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) != 1 ||
	    pthread_create(&h->thread, NULL, hash, h) != 0) {
		hasher_free(h);
		return (NULL);
	}
	return (h);
}

void
hasher_advance(struct hasher *h, uint64_t bytes)
{
	pthread_mutex_lock(&h->mutex);
	if (bytes > h->limit)
		h->limit = bytes;
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->mutex);
}

void
hasher_changed(struct hasher *h, uint64_t offset)
{
	pthread_mutex_lock(&h->mutex);
	if (h->claimed > offset && offset < h->rewind) {
		h->rewind = offset;
		pthread_cond_signal(&h->moved);
	}
	pthread_mutex_unlock(&h->mutex);
}

static void
end(struct hasher *h, int state, uint64_t bytes)
{
	pthread_mutex_lock(&h->mutex);
	h->limit = bytes;
	if (h->claimed > bytes && bytes < h->rewind)
		h->rewind = bytes;	/* it has become shorter */
	h->state = state;
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	worker_spent(PHASE_HASH, h->busy_us);
}

int
hasher_finish(struct hasher *h, uint64_t bytes, char checksum[CHECKSUM_BYTES])
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	unsigned int	n = 0;
	int		error;

	end(h, LAST, bytes);
	error = h->error;
	if (error == 0 && EVP_DigestFinal_ex(h->md, digest, &n) != 1)
		error = EIO;
	if (error == 0) {
		strlcpy(checksum, "sha256:", CHECKSUM_BYTES);
		util_hex(checksum + strlen("sha256:"), digest, n);
	}
	hasher_free(h);
	errno = error;
	return (error == 0 ? 0 : -1);
}

void
hasher_abandon(struct hasher *h)
{
	if (h == NULL)
		return;
	end(h, ABANDONED, 0);
	hasher_free(h);
}
