/*
 * Signature Version 4 (AWS4-HMAC-SHA256), and the hashes that go with it.
 * Pure: the same input gives the same output, and nothing is kept.
 */
#ifndef NETWORK_S3_SIGN_H
#define NETWORK_S3_SIGN_H

#include <stddef.h>
#include <stdint.h>

#define SIGN_HASH_BYTES		65	/* SHA-256 in hex, with its NUL */
#define SIGN_TIME_BYTES		17	/* "20130524T000000Z" */
#define MD5_BYTES		16

struct pair {
	const char	*name;
	const char	*value;
};

struct sign {
	const char	*method;
	const char	*path;		/* as sent: sign_encode()d */
	const char	*query;		/* as sent: sign_query()'s */
	const struct pair *headers;	/* names in lower case, any order;
					 * host and x-amz-date among them */
	size_t		 nheaders;
	const char	*payload;	/* the body's hash, hex */
	const char	*time;		/* sign_time()'s */
	const char	*access_key, *secret_key;
	const char	*region, *service;
};

/* The value of the Authorization header; the caller frees it. */
char	*sign_authorization(const struct sign *);

/* Seconds since the epoch, as x-amz-date has it. */
void	sign_time(char dst[SIGN_TIME_BYTES], int64_t now_s);

/*
 * Percent-encodes every byte but unreserved ones (RFC 3986), and "/" when
 * slash is set.  The caller frees the result.
 */
char	*sign_encode(const char *text, int slash);

/* A query in canonical form: encoded, sorted, "name=value" joined by "&",
 * to be sent as it is.  The caller frees it. */
char	*sign_query(const struct pair *, size_t n);

/* A hash in one go, in hex; MD5 as bytes, and in base64 (25 bytes). */
void	sign_hash(char dst[SIGN_HASH_BYTES], const void *, size_t n);
void	sign_md5(uint8_t dst[MD5_BYTES], const void *, size_t n);
void	sign_base64(char dst[25], const uint8_t md5[MD5_BYTES]);

#endif
