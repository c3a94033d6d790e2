/*
 * The age file format, version 1 (age-encryption.org/v1), for X25519
 * recipients: as stages of a stream.  age_crypto_init() comes first.
 */
#ifndef WORKER_AGE_H
#define WORKER_AGE_H

#include "daemon/worker/age_crypto.h"
#include "daemon/worker/stream.h"

#define AGE_MAGIC	"age-encryption.org/v1\n"
#define AGE_IDENTITIES	16

/* A recipient "age1...", an identity "AGE-SECRET-KEY-1..."; 0 or -1. */
int	age_recipient(const char *text, uint8_t key[AGE_KEY_BYTES]);

/*
 * All identities in a text of lines, as age-keygen writes them: empty ones
 * and those that begin with '#' do not count.  How many, or -1 when another
 * line is there, or none, or more than AGE_IDENTITIES.
 */
int	age_identities(const char *text,
	    uint8_t keys[AGE_IDENTITIES][AGE_KEY_BYTES]);

/*
 * Encrypts to n recipients (public keys): the head is written with the
 * first bytes.  NULL and *e.  Freed with age_free, which wipes.
 */
struct stream	*age_pack(const uint8_t (*recipients)[AGE_KEY_BYTES],
		    size_t n, struct stream *next, struct m_error *e);

/*
 * Decrypts with one of n identities, which are copied.  What comes out is
 * genuine piece by piece; that it is whole is known when end succeeds.
 * Errors: E_IDENTITY_WRONG, E_INVALID_BACKUP.
 */
struct stream	*age_unpack(const uint8_t (*identities)[AGE_KEY_BYTES],
		    size_t n, struct stream *next);
void		 age_free(struct stream *);	/* NULL is fine */

/* ---- age_header.c: the part in front ---- */

#define AGE_FILE_KEY_BYTES	16
#define AGE_HEADER_BYTES	(64 * 1024)	/* longer ones are refused */

/* Writes a head for the file key; its length, or -1. dst has
 * AGE_HEADER_BYTES. */
int	age_header_make(const uint8_t file_key[AGE_FILE_KEY_BYTES],
	    const uint8_t (*recipients)[AGE_KEY_BYTES], size_t n, char *dst);

/* Finds the file key in a whole head.  0, or -1 and *e. */
int	age_header_open(const char *head, size_t n,
	    const uint8_t (*identities)[AGE_KEY_BYTES], size_t nidentities,
	    uint8_t file_key[AGE_FILE_KEY_BYTES], struct m_error *e);

#endif
