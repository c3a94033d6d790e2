/*
 * Remotes that speak the plain core of the S3 protocol: what is known of
 * one, and what its parts (s3_*.c) share.
 */
#ifndef NETWORK_S3_H
#define NETWORK_S3_H

#include <stdint.h>

#include "daemon/network/exchange.h"
#include "daemon/network/remote.h"
#include "daemon/network/s3_sign.h"
#include "daemon/network/s3_xml.h"
#include "daemon/network/task.h"
#include "proto/msg.h"

#define S3_URL_BYTES	4096

struct s3 {
	struct m_net_s3	 conf;		/* texts checked */
	char		 scheme[8];
	char		 host[HOST_BYTES];	/* of the endpoint, for Host:
					 * with a port that is not usual */
	char		 path[URL_BYTES];	/* of the endpoint, or "" */
	/* What the servers taught us since. */
	char		 region[REGION_BYTES];
	int64_t		 clock_s;	/* to add to our own clock */
	int		 unconditional;	/* no If-None-Match there */
};

/* ---- s3.c ---- */

/* conf makes sense or the process ends; free the result with s3_free,
 * which wipes it. */
struct s3	*s3_new(const struct remote *, const struct m_net_s3 *conf);
void		 s3_free(struct s3 *);

/* May this be a key behind the prefix?  Plain text, no empty segment, "."
 * or "..", which servers and proxies read as another place. */
int	s3_key_ok(const char *key);

/* ---- s3_request.c: a signed request, until its final answer ---- */

struct s3_request;
typedef void	s3_request_cb(struct s3_request *, void *arg);

#define S3_HEADERS_MAX	16
#define S3_QUERY_MAX	6

struct s3_request {
	/* When done is called. */
	struct result	 result;
	struct s3_error	 error;		/* "" where there is none */
	struct exchange	*x;		/* text, headers; NULL before */

	/* The request's own. */
	struct remote	*remote;
	enum net_request kind;
	const char	*method;
	char		*key;		/* NULL: the bucket itself */
	struct pair	 headers[S3_HEADERS_MAX];	/* own copies */
	struct pair	 query[S3_QUERY_MAX];
	size_t		 nheaders, nquery;
	char		*body;		/* in memory, or NULL */
	uint64_t	 size;
	int		 fd;		/* -1: none */
	int		 receives;
	uint64_t	 from;
	char		 hash[SIGN_HASH_BYTES];
	uint64_t	 limit;		/* bytes a second, 0: none */
	uint32_t	 total_ms;
	size_t		 text_max;
	int		 deletes;	/* by the credentials for that */
	int		 tries;		/* left, of those that may help */
	int		 skewed, hops;
	struct event	*pause;
	uint32_t	 pause_ms;
	s3_request_cb	*progress, *done;
	void		*arg;
};

/*
 * key is behind the remote's prefix; NULL is the bucket.  Everything that
 * is added is copied, but what is sent from or received to a file.  Until
 * it is started, fields below `limit' may be set, too.  done is called
 * once and may free the request.
 */
struct s3_request *s3_request_new(struct remote *, enum net_request,
	    const char *method, const char *key);
void	s3_request_free(struct s3_request *);	/* ends it, too */
void	s3_request_query(struct s3_request *, const char *name,
	    const char *value);
void	s3_request_header(struct s3_request *, const char *name,
	    const char *value);		/* name in lower case; signed */
void	s3_request_body(struct s3_request *, const void *, size_t);
void	s3_request_file(struct s3_request *, int fd, uint64_t from,
	    uint64_t size, const char *hash);
void	s3_request_receive(struct s3_request *, int fd, uint64_t from,
	    uint64_t size_max);
void	s3_request_start(struct s3_request *, s3_request_cb *progress,
	    s3_request_cb *done, void *arg);

/* A header of the answer, or ""; an ETag's value without quotes. */
const char *s3_request_answer(struct s3_request *, const char *name);
void	s3_request_etag(struct s3_request *, char dst[S3_ETAG_BYTES]);

/* The whole key of a request: prefix and key; the caller frees it. */
char	*s3_full_key(const struct remote *, const char *key);

/* ---- s3_judge.c: what to make of an answer ---- */

/* Reads the error, if it is one, and says it in the result. */
void	s3_judge(struct s3_request *);

/* What was to be deleted is not there any more; the bucket is. */
int	s3_judge_gone(const struct s3_request *);

/* The answer's clock, if that may be why it was refused: 1 and how far it
 * is ahead of ours in seconds. */
int	s3_judge_clock(struct s3_request *, int64_t *ahead_s);

/* The answer sends us to another region or host of the same service: 1
 * when that was learned and the request is worth another try. */
int	s3_judge_region(struct s3_request *);

/* ---- s3_hash.c: the hashes of a part of a file, slice by slice ---- */

struct s3_hash;
typedef void	s3_hash_cb(struct s3_hash *, void *arg);

struct s3_hash {
	char		 sha256[SIGN_HASH_BYTES];
	uint8_t		 md5[MD5_BYTES];
	int		 error;		/* errno; -1: the file is too short */

	int		 fd;
	uint64_t	 at, end;
	void		*sha256_state, *md5_state;
	char		*buffer;
	struct event	*next;
	s3_hash_cb	*done;
	void		*arg;
};

/* done is called from the loop, and may free the result. */
struct s3_hash	*s3_hash_start(int fd, uint64_t from, uint64_t size,
		    s3_hash_cb *done, void *arg);
void		 s3_hash_free(struct s3_hash *);

/* ---- an object's way to its place ---- */

/* What a task keeps; stop frees it. */
struct s3_state {
	void	(*stop)(struct task *);	/* of the file that made it */
};

/* s3_put.c; the object is sent in parts by s3_parts.c. */
void	s3_put(struct task *);

struct s3_parts;
typedef void	s3_parts_cb(struct task *, const struct result *);

/* Sends it; done is told how that ended, and that the object is there if
 * it is NET_OK.  A condition that failed is NET_REFUSED with 412. */
struct s3_parts	*s3_parts_start(struct task *, uint64_t part_size,
		    s3_parts_cb *done);
void		 s3_parts_free(struct s3_parts *);

/* Headers of an object that is made: encryption, and if all, metadata,
 * storage class and object lock. */
void	s3_put_headers(struct s3_request *, const struct m_net_upload *,
	    int manifest);
void	s3_put_encryption(struct s3_request *);

/* ---- the rest of the table ---- */

void	s3_get(struct task *);		/* s3_get.c */
void	s3_delete(struct task *);	/* s3_delete.c */
void	s3_abort(struct task *);
void	s3_catalog(struct task *);	/* s3_list.c */
void	s3_test(struct task *);		/* s3_test.c */

/* s3_manifest.c: what a manifest says, but for key and object_size; 0, or
 * -1 when it is none. */
int	s3_manifest_parse(const char *text, size_t n, struct m_manifest *);

#endif
