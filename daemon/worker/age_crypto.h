/*
 * What the age format is made of: X25519, HKDF and HMAC with SHA-256,
 * ChaCha20-Poly1305.  Each gives 0, or -1 when the library failed or, where
 * it says so, when what came is not genuine.
 */
#ifndef WORKER_AGE_CRYPTO_H
#define WORKER_AGE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#define AGE_KEY_BYTES	32
#define AGE_NONCE_BYTES	12
#define AGE_TAG_BYTES	16

/* Fetches all of them, once, while files can still be opened. */
int	age_crypto_init(void);

int	age_random(void *dst, size_t n);
int	age_hkdf(const void *key, size_t key_n, const void *salt,
	    size_t salt_n, const char *info, uint8_t out[AGE_KEY_BYTES]);
int	age_hmac(const uint8_t key[AGE_KEY_BYTES], const void *text, size_t n,
	    uint8_t mac[AGE_KEY_BYTES]);
int	age_equal(const void *a, const void *b, size_t n);	/* 1 or 0 */

/* The public key of a secret one. */
int	age_public(const uint8_t secret[AGE_KEY_BYTES],
	    uint8_t public[AGE_KEY_BYTES]);
/* What both sides know; -1 also for a peer that leaves no secret. */
int	age_shared(const uint8_t secret[AGE_KEY_BYTES],
	    const uint8_t peer[AGE_KEY_BYTES], uint8_t shared[AGE_KEY_BYTES]);

/* dst gets n + AGE_TAG_BYTES. */
int	age_seal(const uint8_t key[AGE_KEY_BYTES],
	    const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *src, size_t n,
	    uint8_t *dst);
/* src has n bytes with the tag; dst gets n - AGE_TAG_BYTES.  -1 when it is
 * not what was sealed. */
int	age_unseal(const uint8_t key[AGE_KEY_BYTES],
	    const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *src, size_t n,
	    uint8_t *dst);

#endif
