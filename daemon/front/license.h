/*
 * A licence (D14): a JSON text and a public key go in, what it says and
 * whether it is valid come out.  Nothing here knows of connections, so
 * that it can be tested and fuzzed alone.
 */
#ifndef FRONT_LICENSE_H
#define FRONT_LICENSE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define LICENSE_TYPE_BYTES	64

struct license {
	int		valid;
	int		expires;	/* expires_ms holds */
	int64_t		expires_ms;
	struct m_user	user;
	char		device_id[USER_ID_BYTES];	/* "": none */
	char		type[LICENSE_TYPE_BYTES];	/* "": none */
	char		features[LICENSE_BYTES + 1];	/* JSON */
	char		reason[TEXT_BYTES];	/* why not valid, a sentence */
};

/*
 * Reads a licence of n bytes and judges it at the time now_ms (ms since
 * the epoch) by a public key in PEM.  Fills *l; what a licence says stands
 * there also when its signature does not match, but only if all of it
 * makes sense.
 */
void	license_read(const char *text, size_t n, const char *key,
	    size_t key_n, int64_t now_ms, struct license *l);

/* ---- license_json.c: texts that body_check has passed ---- */

/*
 * The value of a member of the object that text is: *value and *value_n
 * into text.  1, or 0 when there is none of exactly that spelling.
 */
int	license_member(const char *text, size_t n, const char *key,
	    const char **value, size_t *value_n);

/* Copies src without the white space outside of strings to dst, which has
 * n bytes and may be src; how many it took. */
size_t	license_compact(char *dst, const char *src, size_t n);

/* ---- license_verify.c ---- */

/*
 * Is signature (base64, n bytes) one of the bytes by the key (PEM, RSA or
 * Ed25519)?  NULL if so, else a static sentence.
 */
const char	*license_verify(const char *key, size_t key_n,
		    const char *bytes, size_t bytes_n,
		    const char *signature, size_t n);

#endif
