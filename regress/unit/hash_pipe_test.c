/*
 * Hashing beside whoever makes the bytes: pieces of all sizes, none, and
 * an end before the end.
 */
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/worker/hash_pipe.h"
#include "daemon/worker/worker.h"
#include "regress/unit/unit.h"

#define BYTES	(5 * 1024 * 1024 + 3)

static uint8_t	bytes[BYTES];

uint64_t
worker_lap(enum phase phase, uint64_t since_us)
{
	(void)phase;
	return (since_us);
}

static struct hash_pipe *
start(void)
{
	struct hash_pipe	*p;

	if ((p = hash_pipe_start()) == NULL)
		fatalx("no thread");
	return (p);
}

static void
try(size_t size, size_t piece)
{
	struct hash_pipe	*p = start();
	unsigned char		 digest[EVP_MAX_MD_SIZE];
	unsigned int		 len = 0;
	char			 wanted[CHECKSUM_BYTES] = "sha256:";
	char			 got[CHECKSUM_BYTES] = "";
	size_t			 at, n;

	for (at = 0; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		hash_pipe_put(p, bytes + at, n);
	}
	if (EVP_Digest(bytes, size, digest, &len, EVP_sha256(), NULL) != 1)
		fatalx("no SHA-256");
	util_hex(wanted + strlen(wanted), digest, len);
	ok(hash_pipe_finish(p, got) == 0 && strcmp(got, wanted) == 0,
	    "%zu bytes in pieces of %zu", size, piece);
}

int
main(void)
{
	static const size_t	pieces[] = { 1000, 131072, 524288, 524289,
				    BYTES };
	struct hash_pipe	*p;
	size_t			 i;

	arc4random_buf(bytes, sizeof(bytes));
	for (i = 0; i < nitems(pieces); i++)
		try(sizeof(bytes), pieces[i]);
	try(524288, 524288);
	try(1048576, 1000);
	try(1, 1);
	try(0, 1);
	p = start();
	hash_pipe_put(p, bytes, 700000);
	hash_pipe_abandon(p);
	hash_pipe_abandon(NULL);
	ok(1, "given up");
	return (tap_end());
}
