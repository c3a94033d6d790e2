/*
 * Workers run this: the cryptography of age, all of it libcrypto's.  It
 * owns the algorithms that it fetched; keys are the caller's, to be wiped
 * by him.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <string.h>

#include "common/compat.h"
#include "daemon/worker/age_crypto.h"

static struct {
	EVP_KDF		*hkdf;
	EVP_MAC		*hmac;
	EVP_CIPHER	*aead;
	EVP_CIPHER_CTX	*aead_state;
} lib;

int
age_random(void *dst, size_t n)
{
	return (RAND_bytes(dst, (int)n) == 1 ? 0 : -1);
}

int
age_equal(const void *a, const void *b, size_t n)
{
	return (CRYPTO_memcmp(a, b, n) == 0);
}

int
age_hkdf(const void *key, size_t key_n, const void *salt, size_t salt_n,
    const char *info, uint8_t out[AGE_KEY_BYTES])
{
	EVP_KDF_CTX	*c;
	OSSL_PARAM	 p[5];
	char		 digest[] = "SHA256";
	size_t		 n = 0;
	int		 rv;

	p[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    digest, 0);
	p[n++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
	    (void *)(uintptr_t)key, key_n);
	if (salt_n > 0)
		p[n++] = OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, salt_n);
	p[n++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
	    (void *)(uintptr_t)info, strlen(info));
	p[n] = OSSL_PARAM_construct_end();
	if ((c = EVP_KDF_CTX_new(lib.hkdf)) == NULL)
		return (-1);
	rv = EVP_KDF_derive(c, out, AGE_KEY_BYTES, p) == 1 ? 0 : -1;
	EVP_KDF_CTX_free(c);
	return (rv);
}

int
age_hmac(const uint8_t key[AGE_KEY_BYTES], const void *text, size_t n,
    uint8_t mac[AGE_KEY_BYTES])
{
	EVP_MAC_CTX	*c;
	OSSL_PARAM	 p[2];
	char		 digest[] = "SHA256";
	size_t		 got = 0;
	int		 rv;

	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    digest, 0);
	p[1] = OSSL_PARAM_construct_end();
	if ((c = EVP_MAC_CTX_new(lib.hmac)) == NULL)
		return (-1);
	rv = EVP_MAC_init(c, key, AGE_KEY_BYTES, p) == 1 &&
	    EVP_MAC_update(c, text, n) == 1 &&
	    EVP_MAC_final(c, mac, &got, AGE_KEY_BYTES) == 1 &&
	    got == AGE_KEY_BYTES ? 0 : -1;
	EVP_MAC_CTX_free(c);
	return (rv);
}

int
age_public(const uint8_t secret[AGE_KEY_BYTES],
    uint8_t public[AGE_KEY_BYTES])
{
	EVP_PKEY	*own;
	size_t		 n = AGE_KEY_BYTES;
	int		 rv;

	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret,
	    AGE_KEY_BYTES);
	rv = own != NULL && EVP_PKEY_get_raw_public_key(own, public,
	    &n) == 1 ? 0 : -1;
	EVP_PKEY_free(own);
	return (rv);
}

static int
derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t shared[AGE_KEY_BYTES])
{
	EVP_PKEY_CTX	*c;
	size_t		 n = AGE_KEY_BYTES;
	int		 rv;

	if ((c = EVP_PKEY_CTX_new(own, NULL)) == NULL)
		return (-1);
	rv = EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer(c, peer) == 1 &&
	    EVP_PKEY_derive(c, shared, &n) == 1 && n == AGE_KEY_BYTES ?
	    0 : -1;
	EVP_PKEY_CTX_free(c);
	return (rv);
}

int
age_shared(const uint8_t secret[AGE_KEY_BYTES],
    const uint8_t peer[AGE_KEY_BYTES], uint8_t shared[AGE_KEY_BYTES])
{
	static const uint8_t	 zero[AGE_KEY_BYTES];
	EVP_PKEY		*own, *other;
	int			 rv = -1;

	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret,
	    AGE_KEY_BYTES);
	other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer,
	    AGE_KEY_BYTES);
	if (own != NULL && other != NULL)
		rv = derive(own, other, shared);
	EVP_PKEY_free(own);
	EVP_PKEY_free(other);
	/* A point of low order: anybody would know it. */
	if (rv == 0 && age_equal(shared, zero, sizeof(zero)))
		rv = -1;
	return (rv);
}

int
age_seal(const uint8_t key[AGE_KEY_BYTES],
    const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *src, size_t n,
    uint8_t *dst)
{
	EVP_CIPHER_CTX	*c = lib.aead_state;
	int		 len = 0;

	return (EVP_EncryptInit_ex2(c, lib.aead, key, nonce, NULL) == 1 &&
	    (n == 0 || EVP_EncryptUpdate(c, dst, &len, src, (int)n) == 1) &&
	    EVP_EncryptFinal_ex(c, dst + n, &len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AGE_TAG_BYTES,
	    dst + n) == 1 ? 0 : -1);
}

int
age_unseal(const uint8_t key[AGE_KEY_BYTES],
    const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *src, size_t n,
    uint8_t *dst)
{
	EVP_CIPHER_CTX	*c = lib.aead_state;
	uint8_t		 tag[AGE_TAG_BYTES], none[AGE_TAG_BYTES];
	int		 len = 0;

	if (n < AGE_TAG_BYTES)
		return (-1);
	n -= AGE_TAG_BYTES;
	memcpy(tag, src + n, sizeof(tag));
	return (EVP_DecryptInit_ex2(c, lib.aead, key, nonce, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AGE_TAG_BYTES,
	    tag) == 1 &&
	    (n == 0 || EVP_DecryptUpdate(c, dst, &len, src, (int)n) == 1) &&
	    EVP_DecryptFinal_ex(c, none, &len) == 1 ? 0 : -1);
}

/* Everything is used once: what the library loads late is loaded now. */
static int
rehearse(void)
{
	static const uint8_t	nonce[AGE_NONCE_BYTES];
	uint8_t			a[AGE_KEY_BYTES], b[AGE_KEY_BYTES];
	uint8_t			box[AGE_KEY_BYTES + AGE_TAG_BYTES];
	int			rv;

	rv = age_random(a, sizeof(a)) == 0 && age_public(a, b) == 0 &&
	    age_shared(a, b, b) == 0 &&
	    age_hkdf(a, sizeof(a), b, sizeof(b), "", a) == 0 &&
	    age_hmac(a, b, sizeof(b), b) == 0 &&
	    age_seal(a, nonce, b, sizeof(b), box) == 0 &&
	    age_unseal(a, nonce, box, sizeof(box), b) == 0 ? 0 : -1;
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
	return (rv);
}

int
age_crypto_init(void)
{
	if (lib.aead_state != NULL)
		return (0);
	lib.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	lib.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	lib.aead = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	lib.aead_state = EVP_CIPHER_CTX_new();
	if (lib.hkdf == NULL || lib.hmac == NULL || lib.aead == NULL ||
	    lib.aead_state == NULL)
		return (-1);
	return (rehearse());
}
