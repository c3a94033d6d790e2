/*
 * One HTTP exchange with a remote: a request, its answer, and what to say
 * about it.  Whoever makes it frees it.
 */
#ifndef NETWORK_EXCHANGE_H
#define NETWORK_EXCHANGE_H

#include <curl/curl.h>

#include <stddef.h>
#include <stdint.h>

#include "daemon/network/remote.h"
#include "proto/msg.h"

struct exchange;
struct event;

/* How something ended: what the engine and front are told. */
struct result {
	enum net_outcome outcome;
	uint32_t	 http_status;	/* 0: none came */
	uint32_t	 retry_after_s;	/* 0: not said */
	char		 reason[TEXT_BYTES];	/* "" for NET_OK */
};

typedef void	exchange_cb(struct exchange *, void *arg);

struct exchange {
	/* For the maker. */
	struct result	 result;	/* complete when done is called */
	char		*text;		/* the answer, for done; not
					 * terminated; the exchange owns it */
	size_t		 text_bytes;
	uint64_t	 offset;	/* of the body: bytes gone by */

	/* The exchange's own. */
	struct remote	*remote;
	CURL		*easy;
	struct curl_loop_job *job;
	struct curl_slist *headers;
	curl_mime	*mime;
	struct event	*tick;
	exchange_cb	*progress, *done;
	void		*arg;
	uint64_t	 idle_us;	/* no progress for that long */
	uint64_t	 total_us;	/* of all, 0: no limit */
	uint64_t	 started_us, moved_us, moved;
	size_t		 text_max, text_alloc, header_bytes;
	uint64_t	 dropped;	/* of a refusal's body, bytes */
	int		 fd;		/* not owned; -1: none */
	const void	*body;		/* not owned; to send instead of fd */
	enum net_request kind;		/* for the costs */
	int		 counted;
	int		 receives;	/* the answer goes to fd */
	uint64_t	 from;		/* where in the file it begins */
	uint64_t	 size;		/* to send, or the most to receive */
	uint64_t	 held;		/* of that: not to be sent yet */
	uint64_t	 fed_us;	/* when some of it last was */
	int		 stopped;	/* enum stop: why a callback failed */
	int		 local_errno;
	int		 chunked;	/* the answer is in chunks */
	int		 encoded;	/* and not the bytes themselves */
	char		 error[CURL_ERROR_SIZE];
};

/*
 * path is put behind the remote's URL, already encoded; one that begins
 * with "http" is a URL of its own.  kind is what it costs.  idle_ms and
 * total_ms as above (0: none).  The answer may have text_max bytes.
 * progress (may be NULL) is called at most every 200 ms, done once.
 */
struct exchange	*exchange_new(struct remote *, enum net_request,
		    const char *path, uint32_t idle_ms, uint32_t total_ms,
		    size_t text_max);
void		 exchange_free(struct exchange *);	/* ends it, too */

/* Before the start: a header; parts of a form; where the body goes. */
void	exchange_header(struct exchange *, const char *line);
void	exchange_part(struct exchange *, const char *name, const char *text);
void	exchange_part_file(struct exchange *, const char *name,
	    const char *filename, const char *type, int fd, uint64_t size);
void	exchange_receive(struct exchange *, int fd, uint64_t from,
	    uint64_t size_max);

/*
 * Another method than GET, without or with a body: of size bytes in memory,
 * which stays the caller's until the end, or of a file from an offset on.
 * exchange_limit: send no more bytes a second.
 */
void	exchange_method(struct exchange *, const char *method);
void	exchange_send(struct exchange *, const void *, size_t size);
void	exchange_send_file(struct exchange *, int fd, uint64_t from,
	    uint64_t size);
void	exchange_limit(struct exchange *, uint64_t bytes_s);

/*
 * Before the start: the end of the file is held back until exchange_go.
 * Some bytes go all the while, lest the server takes us for dead.
 */
void	exchange_hold(struct exchange *);
void	exchange_go(struct exchange *);

/* A header of the final answer, or NULL; valid as long as the exchange. */
const char	*exchange_answer_header(struct exchange *, const char *name);

/*
 * Never send it twice.  libcurl repeats by itself, even a POST, when a
 * connection that was used before ends without an answer; so it is given
 * a new one.
 */
void	exchange_once(struct exchange *);

void	exchange_start(struct exchange *, exchange_cb *progress,
	    exchange_cb *done, void *arg);

/* Percent-encodes text as one segment of a path; the caller frees it. */
char	*exchange_segment(const char *text);

/* What holds for whatever we ask of anybody, and the URL: TLS verified, no
 * redirect, no proxy, no file. */
void	exchange_secure(CURL *, const char *url);

/* The certificates to believe in: PEM, kept by the caller for good. */
void	exchange_trust(const void *pem, size_t bytes);

/* Fills a result; the text is cleaned and cut. */
void	result_set(struct result *, enum net_outcome, const char *, ...)
	    __attribute__((__format__ (printf, 3, 4)));

#endif
