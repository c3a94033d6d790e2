/*
 * A request as its head tells it, and the ways to answer one.
 */
#ifndef REGRESS_REMOTE_REQUEST_H
#define REGRESS_REMOTE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "regress/remote/conn.h"
#include "regress/remote/fault.h"

#define REQUEST_PATH_BYTES	4096
#define REQUEST_FIELD_BYTES	512

struct request {
	struct conn	*c;
	struct fault	 fault;
	const char	*key;		/* the state of x-api-key, for the log */
	uint64_t	 length;	/* Content-Length */
	int		 has_length;
	int		 chunked;	/* any Transfer-Encoding */
	int		 expect;	/* 100-continue is awaited */
	int		 last;		/* the connection ends with it */
	int		 logged;
	char		 method[16];
	char		 path[REQUEST_PATH_BYTES];	/* as it came */
	char		 accept[REQUEST_FIELD_BYTES];
	char		 type[REQUEST_FIELD_BYTES];
	char		 api_key[REQUEST_FIELD_BYTES];
};

/* What every thread may read; set once, before the first. */
struct server {
	const char	*api_key;	/* NULL: none is wanted */
	int		 verbose;
};

/*
 * head.c: fills r (all but c, fault and key) from a head, which it cuts
 * up.  0, or the status that says what is wrong.
 */
int	head_parse(struct request *r, char *head);

/* Serves one connection until it ends; does not free it. */
void	request_serve(struct conn *, const struct server *);

/* Answers; what they return is of no interest: a client that is gone has
 * conn->broken set, and the loop sees that. */
struct answer {
	int		 status;
	const char	*type;		/* Content-Type */
	const char	*header;	/* further lines with CRLF, or NULL */
	const char	*data;		/* the body, or NULL */
	int		 fd;		/* the body when data is NULL */
	uint64_t	 size;		/* of the body */
};
void	answer_send(struct request *, const struct answer *);
void	answer_json(struct request *, int status, const char *text);
/* {"success": false, "error": text} */
void	answer_error(struct request *, int status, const char *text);
/* What a fault wants in place of an answer: 1 if it was given. */
int	answer_fault(struct request *);
/* The line in requests.log, once for each request; status 0: none sent. */
void	answer_log(struct request *, int status, uint64_t sent);
void	answer_verbose(int on);

#endif
