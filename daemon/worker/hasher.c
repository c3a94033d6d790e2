/*
 * Workers run this.  The thread owns the digest and its buffer; `limit`,
 * `state` and nothing else is shared, under the mutex.
 */
#include <openssl/evp.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/hasher.h"

#define BUFFER_BYTES	(256 * 1024)

struct hasher {
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 moved;
	uint64_t	 limit;		/* bytes that may be read */
	enum { HASHING, LAST, ABANDONED } state;
	int		 fd;
	int		 error;		/* errno of the thread */
	EVP_MD_CTX	*md;
	unsigned char	*buffer;
};

/* Waits until more than done may be read, or the end is known. */
static uint64_t
wait_limit(struct hasher *h, uint64_t done, int *last)
{
	uint64_t	limit;

	pthread_mutex_lock(&h->mutex);
	while (h->state == HASHING && h->limit < done + BUFFER_BYTES)
		pthread_cond_wait(&h->moved, &h->mutex);
	limit = h->state == ABANDONED ? done : h->limit;
	*last = h->state != HASHING;
	pthread_mutex_unlock(&h->mutex);
	return (limit);
}

static void *
hash(void *arg)
{
	struct hasher	*h = arg;
	uint64_t	 done = 0, limit;
	ssize_t		 n;
	size_t		 want;
	int		 last;

	do {
		limit = wait_limit(h, done, &last);
		while (done < limit) {
			want = limit - done < BUFFER_BYTES ?
			    (size_t)(limit - done) : BUFFER_BYTES;
			n = pread(h->fd, h->buffer, want, (off_t)done);
			if (n <= 0) {
				h->error = n == 0 ? EIO : errno;
				return (NULL);
			}
			if (EVP_DigestUpdate(h->md, h->buffer,
			    (size_t)n) != 1) {
				h->error = EIO;
				return (NULL);
			}
			done += (uint64_t)n;
		}
	} while (!last);
	return (NULL);
}

static void
hasher_free(struct hasher *h)
{
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
	h->buffer = xmalloc(BUFFER_BYTES);
	h->md = EVP_MD_CTX_new();
	if (pthread_mutex_init(&h->mutex, NULL) != 0 ||
	    pthread_cond_init(&h->moved, NULL) != 0 || h->md == NULL ||
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
	h->limit = bytes;
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->mutex);
}

static void
end(struct hasher *h, int state, uint64_t bytes)
{
	pthread_mutex_lock(&h->mutex);
	h->limit = bytes;
	h->state = state;
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
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
