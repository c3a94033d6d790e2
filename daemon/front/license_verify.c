/*
 * The front runs this.  It owns nothing: a signature is compared with
 * bytes and a public key by libcrypto, which must open no file for it and
 * ask nobody for a pass phrase.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/front/license.h"

#define RSA_BITS_MIN	2048		/* shorter ones can be forged */

/* 0 to 63, or -1. */
static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '+' ? 62 : c == '/' ? 63 : -1);
}

/* RFC 4648, 4, with its padding.  dst has n bytes; -1: malformed. */
static int
base64_decode(unsigned char *dst, size_t *got, const char *src, size_t n)
{
	uint32_t	bits = 0;
	size_t		i, pad = 0;
	int		digit;

	*got = 0;
	if (n == 0 || n % 4 != 0)
		return (-1);
	while (pad < 2 && src[n - 1 - pad] == '=')
		pad++;
	for (i = 0; i < n - pad; i++) {
		if ((digit = base64_digit(src[i])) == -1)
			return (-1);
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 == 0)
			continue;
		/* Digits 1, 2 and 3 of four complete a byte each. */
		dst[(*got)++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	/* What the padding stands for must be 0: one text for one value. */
	if ((pad == 1 && (bits & 0x03) != 0) ||
	    (pad == 2 && (bits & 0x0f) != 0))
		return (-1);
	return (0);
}

static int
no_pass_phrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return (-1);
}

static EVP_PKEY *
key_read(const char *pem, size_t n)
{
	EVP_PKEY	*key;
	BIO		*bio;

	if (n > INT_MAX)
		return (NULL);
	if ((bio = BIO_new_mem_buf(pem, (int)n)) == NULL)
		fatalx("BIO_new_mem_buf");
	key = PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL);
	BIO_free(bio);
	return (key);
}

static const char *
key_compare(EVP_PKEY *key, const char *bytes, size_t bytes_n,
    const unsigned char *signature, size_t n)
{
	EVP_MD_CTX	*ctx;
	EVP_PKEY_CTX	*how;
	int		 rsa = EVP_PKEY_base_id(key) == EVP_PKEY_RSA, good;

	if (!rsa && EVP_PKEY_base_id(key) != EVP_PKEY_ED25519)
		return ("The public key is neither an RSA nor an Ed25519 "
		    "key.");
	if (rsa && EVP_PKEY_bits(key) < RSA_BITS_MIN)
		return ("The public key is an RSA key of less than 2048 "
		    "bits.");
	if ((ctx = EVP_MD_CTX_new()) == NULL)
		fatalx("EVP_MD_CTX_new");
	good = EVP_DigestVerifyInit(ctx, &how, rsa ? EVP_sha256() : NULL,
	    NULL, key) == 1;
	if (good && rsa)
		good = EVP_PKEY_CTX_set_rsa_padding(how,
		    RSA_PKCS1_PADDING) == 1;
	good = good && EVP_DigestVerify(ctx, signature, n,
	    (const unsigned char *)bytes, bytes_n) == 1;
	EVP_MD_CTX_free(ctx);
	return (good ? NULL : "The signature does not match.");
}

const char *
license_verify(const char *key, size_t key_n, const char *bytes,
    size_t bytes_n, const char *signature, size_t n)
{
	unsigned char	 raw[LICENSE_BYTES];
	const char	*why;
	EVP_PKEY	*k;
	size_t		 raw_n;

	if (n > sizeof(raw) ||
	    base64_decode(raw, &raw_n, signature, n) == -1)
		return ("The signature is not base64.");
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		fatalx("OPENSSL_init_crypto");
	if ((k = key_read(key, key_n)) == NULL)
		why = "The public key is not one in PEM.";
	else
		why = key_compare(k, bytes, bytes_n, raw, raw_n);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return (why);
}
