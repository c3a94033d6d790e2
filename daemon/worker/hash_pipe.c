/*
 * Workers run this.  Two buffers: the caller owns the one that fills, the
 * thread the one that is `full` bytes full, if that is not 0.  The mutex
 * guards `full`, `hashing` and `last`.
 */
#include <openssl/evp.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/hash_pipe.h"
#include "daemon/worker/worker.h"

#define BUFFER_BYTES	(512 * 1024)

struct hash_pipe {
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 moved;
	uint8_t		*buffer[2];
	unsigned int	 hashing;	/* which of them is the thread's */
	size_t		 full;		/* bytes in that; 0: it may be had */
	size_t		 filled;	/* in the caller's */
	int		 last;
	int		 failed;	/* the thread's; read when it ended */
	EVP_MD_CTX	*md;
};

/* Waits for bytes: how many, 0 at the end. */
static size_t
wait_full(struct hash_pipe *p)
{
	size_t	n;

	pthread_mutex_lock(&p->mutex);
	while (p->full == 0 && !p->last)
		pthread_cond_wait(&p->moved, &p->mutex);
	n = p->full;
	pthread_mutex_unlock(&p->mutex);
	return (n);
}

static void
wait_empty(struct hash_pipe *p)
{
	while (p->full != 0)
		pthread_cond_wait(&p->moved, &p->mutex);
}

static void *
hash(void *arg)
{
	struct hash_pipe	*p = arg;
	uint64_t		 start_us;
	size_t			 n;

	while ((n = wait_full(p)) > 0) {
		start_us = util_monotonic_us();
		if (EVP_DigestUpdate(p->md, p->buffer[p->hashing], n) != 1)
			p->failed = 1;
		(void)worker_lap(PHASE_HASH, start_us);
		pthread_mutex_lock(&p->mutex);
		p->full = 0;
		pthread_cond_signal(&p->moved);
		pthread_mutex_unlock(&p->mutex);
	}
	return (NULL);
}

static void
pipe_free(struct hash_pipe *p)
{
	EVP_MD_CTX_free(p->md);
	freezero(p->buffer[0], BUFFER_BYTES);
	freezero(p->buffer[1], BUFFER_BYTES);
	pthread_mutex_destroy(&p->mutex);
	pthread_cond_destroy(&p->moved);
	free(p);
}

struct hash_pipe *
hash_pipe_start(void)
{
	struct hash_pipe	*p;

	p = xcalloc(1, sizeof(*p));
	p->buffer[0] = xmalloc(BUFFER_BYTES);
	p->buffer[1] = xmalloc(BUFFER_BYTES);
	p->md = EVP_MD_CTX_new();
	if (pthread_mutex_init(&p->mutex, NULL) != 0 ||
	    pthread_cond_init(&p->moved, NULL) != 0 || p->md == NULL ||
	    EVP_DigestInit_ex(p->md, EVP_sha256(), NULL) != 1 ||
	    pthread_create(&p->thread, NULL, hash, p) != 0) {
		pipe_free(p);
		return (NULL);
	}
	return (p);
}

/* Hands over what is filled, if anything. */
static void
pass(struct hash_pipe *p, int last)
{
	pthread_mutex_lock(&p->mutex);
	wait_empty(p);
	p->hashing = !p->hashing;
	p->full = p->filled;
	p->last = last;
	pthread_cond_signal(&p->moved);
	pthread_mutex_unlock(&p->mutex);
	p->filled = 0;
}

void
hash_pipe_put(struct hash_pipe *p, const uint8_t *bytes, size_t n)
{
	size_t	part;

	for (; n > 0; bytes += part, n -= part) {
		part = BUFFER_BYTES - p->filled;
		if (part > n)
			part = n;
		memcpy(p->buffer[!p->hashing] + p->filled, bytes, part);
		p->filled += part;
		if (p->filled == BUFFER_BYTES)
			pass(p, 0);
	}
}

int
hash_pipe_finish(struct hash_pipe *p, char checksum[CHECKSUM_BYTES])
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	unsigned int	n = 0;
	int		rv;

	pass(p, 1);
	pthread_join(p->thread, NULL);
	rv = p->failed || EVP_DigestFinal_ex(p->md, digest, &n) != 1 ? -1 : 0;
	if (rv == 0) {
		strlcpy(checksum, "sha256:", CHECKSUM_BYTES);
		util_hex(checksum + strlen("sha256:"), digest, n);
	}
	pipe_free(p);
	return (rv);
}

void
hash_pipe_abandon(struct hash_pipe *p)
{
	if (p == NULL)
		return;
	p->filled = 0;
	pass(p, 1);
	pthread_join(p->thread, NULL);
	pipe_free(p);
}
