/*
 * Licences for tests: keys made here and now, and signatures by them.
 */
#ifndef REGRESS_LICENSE_MAKE_H
#define REGRESS_LICENSE_MAKE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* A new key: of EVP_PKEY_RSA with so many bits, of EVP_PKEY_EC on P-256,
 * or of EVP_PKEY_ED25519. */
static inline EVP_PKEY *
make_key(int type, int bits)
{
	EVP_PKEY_CTX	*ctx;
	EVP_PKEY	*key = NULL;

	if ((ctx = EVP_PKEY_CTX_new_id(type, NULL)) == NULL ||
	    EVP_PKEY_keygen_init(ctx) != 1 ||
	    (type == EVP_PKEY_RSA &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1) ||
	    (type == EVP_PKEY_EC && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
	    ctx, NID_X9_62_prime256v1) != 1) ||
	    EVP_PKEY_keygen(ctx, &key) != 1)
		errx(1, "cannot make a key");
	EVP_PKEY_CTX_free(ctx);
	return (key);
}

/* Its public half in PEM; the caller frees. */
static inline char *
make_pem(EVP_PKEY *key)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*p, *pem;
	long	 n;

	if (bio == NULL || PEM_write_bio_PUBKEY(bio, key) != 1 ||
	    (n = BIO_get_mem_data(bio, &p)) <= 0)
		errx(1, "cannot write a key");
	pem = xasprintf("%.*s", (int)n, p);
	BIO_free(bio);
	return (pem);
}

/* The signature of a text, in base64; the caller frees. */
static inline char *
make_signature(EVP_PKEY *key, const char *text)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	unsigned char	 raw[1024];
	char		*b64;
	size_t		 n = sizeof(raw);

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL,
	    EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256(),
	    NULL, key) != 1 || EVP_DigestSign(ctx, raw, &n,
	    (const unsigned char *)text, strlen(text)) != 1)
		errx(1, "cannot sign");
	EVP_MD_CTX_free(ctx);
	b64 = xmalloc(n * 2 + 4);
	EVP_EncodeBlock((unsigned char *)b64, raw, (int)n);
	return (b64);
}

/* A licence whose data, as it shall be signed, is `data`, and as it stands
 * in the file `written` (NULL: the same). */
static inline char *
make_license(EVP_PKEY *key, const char *data, const char *written)
{
	char	*signature = make_signature(key, data), *text;

	text = xasprintf("{\"data\": %s,\n \"signature\": \"%s\"}\n",
	    written == NULL ? data : written, signature);
	free(signature);
	return (text);
}

#endif
