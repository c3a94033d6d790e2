/*
 * What the files of the front share: a connection with the request it is
 * at, the table of routes, the questions under way, and the writer of
 * answers.  One event loop, one thread; nothing here is shared with
 * another process.
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"
#include "common/compat.h"
#include "daemon/front/http.h"
#include "proto/errors.h"
#include "proto/msg.h"

#define API_PREFIX	"/api/cloud-backup"
#define BODY_MAX	(64 * 1024)	/* bytes of a request's body */
#define STREAM_LOW	(32 * 1024)	/* bytes: a list goes on below this */

struct event;
struct event_base;
struct evbuffer;
struct bufferevent;
struct conn;
struct request;

/* ---- front.c: this process's one state ---- */

struct front {
	struct event_base	*base;
	struct chan		*engine;
	struct chan		*network;	/* NULL when it is gone */
	struct m_front_conf	 conf;
	int			 compat_node;
	int			 running;	/* FRONT_START came */
};

extern struct front	front;

/* Asks of the remote are possible: one is configured and the network
 * process is there. */
int	front_has_remote(void);

/* ---- server.c: listeners ---- */

#define LISTENERS_MAX	16

/* fd is a listening socket and ours from now on; id is its number. */
void	server_listen(uint64_t id, const struct m_front_listen *, int fd);
/* Closes it; its connections end when they are idle. */
void	server_unlisten(uint64_t id);
/* Another number of connections at most. */
void	server_limit(uint32_t connections_max);
/* Begins to accept; connections_max as FRONT_CONF said. */
void	server_start(uint32_t connections_max);
/* A connection ended, or has its place: there may be room for another. */
void	server_room(void);

/* ---- limit.c: who gets a place ---- */

/* Who stands behind a connection, as far as places go. */
enum rank { RANK_NOBODY, RANK_SOMEBODY, RANK_ADMIN };

enum peer_kind { PEER_UID, PEER_IPV4, PEER_IPV6, PEER_UNKNOWN };

/* Connections with the same are one peer's. */
struct peer {
	enum peer_kind	 kind;
	int		 here;		/* on this machine */
	unsigned char	 bytes[8];	/* the uid, the /32, the /64 */
};

/* cap: connections at once, those included that wait for a place. */
void	limit_init(size_t cap);
/* May one more be accepted, to find out who it is? */
int	limit_may_accept(void);
/* Who is at the other end of fd: by address. */
void	limit_peer(struct peer *, int fd);
/*
 * Asks for a place for c, whose rights are known: 1, and it has one
 * (somebody less important may have lost his); 0: it must wait; -1: it is
 * refused.
 */
int	limit_place(struct conn *);
/* A connection that had a place is gone: the next that waits, or NULL. */
struct conn *limit_next(void);
/* Ends the connection that is missed least; 0 if there is none. */
int	limit_evict(void);

/* ---- tls.c: what listeners speak TLS with ---- */

/* Before the process loses sight of files. */
void	tls_init(void);
/* FRONT_TLS: the listener's number and a part. */
void	tls_take(uint64_t listener, const struct m_front_tls *);
int	tls_ready(size_t listener);
/* That listener is no more; connections keep what they have. */
void	tls_forget(size_t listener);
/* An accepted connection; the bufferevent closes fd when it is freed.
 * NULL if there is no memory, and fd stays the caller's. */
struct bufferevent *tls_accept(size_t listener, int fd);
/* The names in the client's certificate that holds, a line each; "" if
 * there is none. */
void	tls_names(struct bufferevent *, char *dst, size_t size);
/* Says to the client that the end is the end. */
void	tls_goodbye(struct bufferevent *);
/* What went wrong, static, or NULL. */
const char *tls_failure(struct bufferevent *);

/* ---- conn.c: a connection ---- */

enum conn_state {
	CONN_RIGHTS,		/* the engine has not said who this is */
	CONN_IDLE,		/* between two requests */
	CONN_READ_HEAD,
	CONN_READ_BODY,
	CONN_WORK,		/* waiting for an answer */
	CONN_WRITE,		/* the answer is under way */
	CONN_LINGER,		/* answered; what still comes is dropped */
	CONN_DEAD		/* freed when the loop comes round */
};

struct pending;
LIST_HEAD(pending_list, pending);

struct conn {
	TAILQ_ENTRY(conn) entry;
	LIST_ENTRY(conn) hash;
	TAILQ_ENTRY(conn) flush;
	int		 flushing;	/* is in that list */
	uint64_t	 id;
	size_t		 listener;
	enum listen_kind kind;
	int		 tls;
	enum conn_state	 state;
	uint32_t	 rights;	/* RIGHT_*: a hint, the engine decides */
	enum rank	 rank;
	struct peer	 peer;
	int		 known;		/* the engine has said who it is */
	int		 placed;	/* counts as one of the cap */
	uint64_t	 since_us;	/* at this request, or idle */
	char		 certificate[CERTIFICATE_BYTES];
	int		 fd;		/* the bufferevent's, once it has one */
	struct bufferevent *bev;	/* NULL until it has a place */
	struct event	*timer;
	uint64_t	 deadline_us;	/* of the state, absolute; 0: none */
	uint64_t	 timer_us;	/* when the timer looks; 0: never */
	uint64_t	 progress_us;	/* when enough bytes last moved */
	size_t		 moved;		/* bytes since then */
	int		 eof;		/* the client sends no more */
	int		 follows;	/* the answer ends when he goes */
	struct request	*req;		/* NULL between requests */
	struct pending_list pending;

	/* The answer, reply.c's. */
	struct evbuffer	*fields;	/* more header fields, or NULL */
	int		 status;
	int		 close_after;
	int		 leaving;	/* its listener is closed */
	uint64_t	 sent;		/* bytes of the answer, with its head */
	int		 linger;	/* input may be unread */
	int		 chunked;	/* of the answer */
	int		 complete;	/* all of it is in the buffer */
	void		(*more)(struct conn *);	/* room in the buffer */
};

struct request {
	char		*head;		/* what h points into */
	struct http_request h;
	char		 path[HTTP_PATH_MAX];
	struct http_slice query;
	const struct route *route;
	const char	*arg;		/* the path's last part, or NULL */
	char		*body;		/* NULL: none */
	size_t		 body_n;
	struct http_chunked chunked;
	uint64_t	 body_end_us;	/* when all of it must be here */
	/* What a handler keeps until the request ends. */
	void		*api;
	void		(*api_free)(void *);
};

TAILQ_HEAD(conn_list, conn);

/* All that are alive, oldest first. */
extern struct conn_list	conns;

/* fd is an accepted socket, non-blocking, and ours from now on. */
void	conn_new(int fd, enum listen_kind, size_t listener, int tls);
size_t	conn_count(void);
/* The engine's answer to CONN_OPEN. */
void	conn_rights(uint64_t id, const struct m_conn_rights *);
/* The listener is gone: these end as soon as they are idle. */
void	conn_unlisten(size_t listener);
/* Who vouches for its clients is another now: they have to come again. */
void	conn_unvouch(size_t listener);
/* Ends a connection at once; whatever it waits for is forgotten. */
void	conn_close(struct conn *);
/* reply.c tells that the whole answer is in the output buffer. */
void	conn_complete(struct conn *);
/* The answer began: the time-outs of writing hold from now on. */
void	conn_writing(struct conn *);
/* output.c tells that the kernel has taken all of a complete answer. */
void	conn_answered(struct conn *);
/* Is the answer's body left out? */
int	conn_head_only(const struct conn *);

/* ---- output.c: bytes to the client ---- */

/* The connection has its bufferevent: nothing to write yet. */
void	output_init(struct conn *);
/* There is something in the output, or all of an answer is: it is looked
 * after when the handlers have returned. */
void	output_soon(struct conn *);
/* Now, if that is due: a handler of c has returned, c may be dead. */
void	output_push(struct conn *);
/*
 * Bytes of a file, from `at` on, past the output: how many the kernel took,
 * 0 where they have to wait behind what is in the output, or for room; -1
 * when it cannot, or the client is gone.  Not with TLS.
 */
ssize_t	output_send_file(struct conn *, int fd, off_t at, size_t);
/* The answer is out; and: the connection ends. */
void	output_idle(struct conn *);
void	output_forget(struct conn *);
/* Does any answer wait to be taken by the kernel? */
int	output_waiting(void);

/* ---- link.c: questions to the engine and the network ---- */

/*
 * An answer to a question of this connection's.  cb owns m->fd.  The
 * question is forgotten before cb is called with its last answer.
 */
typedef void	answer_cb(struct conn *, const struct msg *m);

/*
 * Sends a question whose answer is one message `last`, after any number of
 * messages `row` (MSG_NONE: no such).  The engine may answer REP_ERROR,
 * which ends the question, and the request with that error.  Of a type
 * `row` alone (last MSG_NONE) any number come until link_forget.  The
 * connection may be NULL: front itself asks, and errors are cb's.
 */
uint64_t link_engine(struct conn *, enum msg_type, const void *, size_t,
	    enum msg_type row, enum msg_type last, answer_cb *);
/* REP_ERROR is given to cb, instead of to the client. */
void	 link_errors(uint64_t id);
void	 link_engine_again(uint64_t id, enum msg_type, const void *, size_t);
uint64_t link_network(struct conn *, enum msg_type, const void *, size_t,
	    enum msg_type row, enum msg_type last, answer_cb *);
void	 link_forget(struct conn *, uint64_t id);
void	 link_forget_all(struct conn *);	/* the client is gone */
void	 link_from_engine(const struct msg *);
/* 0, or -1: an answer that is none, *why says so. */
int	 link_from_network(const struct msg *, const char **why);
/* The network process is gone: its questions get NULL for an answer. */
void	 link_network_lost(void);
/* Who asks, for the engine. */
void	 link_asker(const struct conn *, struct m_asker *);

/* ---- reply.c: answers ---- */

#define REPLY_JSON	"application/json"

/* One more header field of the answer to come. */
void	reply_field(struct conn *, const char *name, const char *fmt, ...)
	    __attribute__((__format__ (printf, 3, 4)));
/* The whole answer; body is emptied, NULL: no body at all (204, 304). */
void	reply_whole(struct conn *, int status, struct evbuffer *body);
/* The error envelope; fmt is a sentence. */
void	reply_error(struct conn *, enum err, const char *fmt, ...)
	    __attribute__((__format__ (printf, 3, 4)));
/* What the engine said went wrong. */
void	reply_engine_error(struct conn *, const struct m_error *);
/* A head for a body of size bytes that the caller puts into the output
 * buffer himself, and says conn_complete.  1: send the body; 0: none is
 * wanted, and the answer is complete. */
int	reply_sized(struct conn *, int status, const char *type, uint64_t size);
/* A body of unknown length: begin (result as reply_sized's), any number of
 * parts (which are emptied), end. */
int	reply_stream(struct conn *, int status, const char *type);
void	reply_part(struct conn *, struct evbuffer *);
void	reply_end(struct conn *);

/* ---- routes.c ---- */

#define ROUTE_BODY	0x01	/* takes a JSON body */
#define ROUTE_JOB	0x02	/* may wait long: a hang-up ends the wait */

struct route {
	enum http_method method;
	const char	*path;		/* "/stats" */
	int		 arg;		/* enum route_arg */
	int		 flags;
	void		(*handler)(struct conn *);
};

enum route_arg { ARG_NONE, ARG_OPTIONAL, ARG_NEEDED };

/*
 * Finds the route of req's method and path and sets route and arg.  1
 * found; 0 not, and the connection has been answered (404, 405, OPTIONS).
 */
int	route_find(struct conn *);

/* ---- guard.c: what a browser may have been talked into ---- */

/* 1 when the request may be served; else it was answered. */
int	guard_check(struct conn *);
/* 1: the request says that it was forwarded (H24). */
int	guard_forwarded(const struct http_request *);
/* Web pages of this origin may ask. */
void	guard_origin_add(const struct m_front_origin *);
void	guard_origins_forget(void);

/* ---- access.c: what was asked, and how it was answered ---- */

/* A request of c ended: whole, or broken off in its answer. */
void	access_note(const struct conn *c, int whole);
/* Calls cb for each status that was ever answered, in order. */
void	access_each(void (*cb)(int status, uint64_t requests, void *arg),
	    void *arg);

/* ---- bearer.c: a request's credentials ---- */

/*
 * 0: there are none; 1: there are, in token (TOKEN_BYTES), which is ""
 * when they can be none of ours; -1: malformed, *why (static) says how.
 */
int	bearer_token(const struct http_request *, char *token,
	    const char **why);

/* ---- download.c ---- */

/* Sends the image, or what is stored, that fd (now ours) holds: the
 * backup's form, size and checksum are of these bytes. */
void	download_start(struct conn *, const struct m_backup *, int fd);
/* A file name for it in this form that is safe anywhere; dst has
 * NAME_BYTES. */
void	download_name(char *dst, const struct m_backup *, const char *form);

/* ---- stream.c: streams of events ---- */

void	stream_start(struct conn *);
/* The engine tells that there is something new. */
void	stream_told(const struct m_news *);

/* ---- api_*.c: one handler for each route ---- */

void	api_healthz(struct conn *);
void	api_health(struct conn *);
void	api_create(struct conn *);
void	api_list(struct conn *);
void	api_stats(struct conn *);
void	api_status(struct conn *);
void	api_file_info(struct conn *);
void	api_download(struct conn *);
void	api_job(struct conn *);
void	api_jobs(struct conn *);
void	api_events(struct conn *);
void	api_acknowledge(struct conn *);
void	api_restore(struct conn *);
void	api_remote_test(struct conn *);
void	api_check_locks(struct conn *);
void	api_check_accessibility(struct conn *);
void	api_license_info(struct conn *);
void	api_backup(struct conn *);
void	api_delete(struct conn *);
void	api_pin(struct conn *);
void	api_unpin(struct conn *);
void	api_expire(struct conn *);
void	api_undo(struct conn *);
void	api_reload(struct conn *);
void	api_log(struct conn *);
void	api_metrics(struct conn *);
void	api_verify(struct conn *);

/* At start, and when the configuration has changed: what the licence says
 * of user and device goes to the engine, if it is valid. */
void	api_license_start(void);

/*
 * A parameter of the query into dst (""  when it is not there).  0, or -1
 * when the request has been refused for it.
 */
int	api_query(struct conn *, const char *name, char *dst, size_t size);
/* A number of the query into *v: 1; 0 and *v as it was, when it is not
 * there; or -1 as above. */
int	api_number(struct conn *, const char *name, int64_t least,
	    int64_t most, int64_t *v);
/* A user id from a path. */
int	api_user(struct conn *, const char *text, struct m_user *);

#endif
