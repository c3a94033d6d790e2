/*
 * The network process runs this: hashes of parts of files, a slice at a
 * time, so that the loop goes on meanwhile.
 */
#include <event2/event.h>
#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/s3.h"

#define SLICE_BYTES	(512 * 1024)

static void
finish(struct s3_hash *h)
{
	uint8_t	md[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(h->sha256_state, md, NULL) != 1 ||
	    EVP_DigestFinal_ex(h->md5_state, h->md5, NULL) != 1)
		fatalx("libcrypto cannot compute a hash");
	util_hex(h->sha256, md, 32);
	h->done(h, h->arg);
}

/* By the timer, which lets the others have their turn first. */
static void
next_slice(struct s3_hash *h)
{
	struct timeval	now = { 0, 0 };

	if (event_add(h->next, &now) == -1)
		fatalx("event_add");
}

static void
on_slice(evutil_socket_t s, short what, void *arg)
{
	struct s3_hash	*h = arg;
	uint64_t	 left = h->end - h->at;
	ssize_t		 n;

	(void)s;
	(void)what;
	if (left == 0) {
		finish(h);
		return;
	}
	do {
		n = pread(h->fd, h->buffer, left < SLICE_BYTES ? (size_t)left :
		    SLICE_BYTES, (off_t)h->at);
	} while (n == -1 && errno == EINTR);
	if (n <= 0) {
		h->error = n == 0 ? -1 : errno;
		h->done(h, h->arg);
		return;
	}
	if (EVP_DigestUpdate(h->sha256_state, h->buffer, (size_t)n) != 1 ||
	    EVP_DigestUpdate(h->md5_state, h->buffer, (size_t)n) != 1)
		fatalx("libcrypto cannot compute a hash");
	h->at += (uint64_t)n;
	next_slice(h);
}

static void *
digest_new(const EVP_MD *type)
{
	EVP_MD_CTX	*ctx;

	if ((ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(ctx, type, NULL) != 1)
		fatalx("libcrypto cannot compute a hash");
	return (ctx);
}

struct s3_hash *
s3_hash_start(int fd, uint64_t from, uint64_t size, s3_hash_cb *done,
    void *arg)
{
	struct s3_hash	*h;

	h = xcalloc(1, sizeof(*h));
	h->fd = fd;
	h->at = from;
	h->end = from + size;
	h->done = done;
	h->arg = arg;
	h->sha256_state = digest_new(EVP_sha256());
	h->md5_state = digest_new(EVP_md5());
	h->buffer = xmalloc(SLICE_BYTES);
	if ((h->next = event_new(curl_loop_base(), -1, 0, on_slice, h)) ==
	    NULL)
		fatalx("event_new");
	next_slice(h);
	return (h);
}

void
s3_hash_free(struct s3_hash *h)
{
	if (h == NULL)
		return;
	event_free(h->next);
	EVP_MD_CTX_free(h->sha256_state);
	EVP_MD_CTX_free(h->md5_state);
	free(h->buffer);
	free(h);
}
