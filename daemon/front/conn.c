/*
 * The front runs this.  It owns the connections of clients: one state
 * machine each, one timer with an absolute deadline for every state, and
 * bounded buffers.  Nothing is read before the engine has seen the socket;
 * the next request is not looked at before the last one is answered, and
 * what a client sends meanwhile stops at the input's high mark.
 *
 * Timers are not moved by each request: one that is too early looks again.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/body.h"
#include "daemon/front/front.h"

#define SECOND		UINT64_C(1000000)	/* in microseconds */
#define RIGHTS_US	(10 * SECOND)
#define HEAD_US		(10 * SECOND)	/* a handshake of TLS included */
#define IDLE_US		(30 * SECOND)
#define WRITE_US	(60 * SECOND)	/* without progress */
#define LINGER_US	(2 * SECOND)

#define INPUT_MAX	(HTTP_HEAD_MAX + 1024)	/* bytes */
#define UNSENT_BYTES	(128 * 1024)	/* that the kernel takes ahead */
#define BUCKETS		1024		/* a power of two */

LIST_HEAD(conn_bucket, conn);

struct conn_list		conns = TAILQ_HEAD_INITIALIZER(conns);
static struct conn_list		dead = TAILQ_HEAD_INITIALIZER(dead);
static struct conn_bucket	bucket[BUCKETS];
static size_t			count;
static uint64_t			next_id = 1;
static struct event		*reaper;

static void	conn_begin(struct conn *);
static void	conn_next(struct conn *);
static void	conn_head(struct conn *);

/* The dead are freed here, where none of their callbacks is under way. */
static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct conn	*c;

	(void)fd;
	(void)what;
	(void)arg;
	while ((c = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, c, entry);
		free(c);
	}
}

static void
conn_deadline(struct conn *c, uint64_t in_us)
{
	struct timeval	tv;

	c->deadline_us = util_monotonic_us() + in_us;
	if (c->timer_us != 0 && c->timer_us <= c->deadline_us)
		return;			/* it will look again */
	c->timer_us = c->deadline_us;
	tv.tv_sec = (time_t)(in_us / SECOND);
	tv.tv_usec = (suseconds_t)(in_us % SECOND);
	if (event_add(c->timer, &tv) == -1)
		fatalx("event_add");
}

static void
conn_no_deadline(struct conn *c)
{
	c->deadline_us = 0;
}

static void
request_free(struct conn *c)
{
	struct request	*r = c->req;

	if (r == NULL)
		return;
	c->req = NULL;
	if (r->api_free != NULL)
		r->api_free(r->api);
	free(r->head);
	freezero(r->body, r->body_n);	/* a restore's may hold a secret */
	free(r);
}

size_t
conn_count(void)
{
	return (count);
}

int
conn_head_only(const struct conn *c)
{
	return (c->req != NULL && c->req->h.method == HTTP_HEAD);
}

void
conn_close(struct conn *c)
{
	struct conn	*next;
	struct m_empty	 none;

	if (c->state == CONN_DEAD)
		return;
	if (c->tls && (c->state == CONN_IDLE || c->complete) &&
	    evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		tls_goodbye(c->bev);
	if (c->state == CONN_WRITE || c->state == CONN_WORK)
		access_note(c, 0);
	c->state = CONN_DEAD;
	output_forget(c);
	link_forget_all(c);
	request_free(c);
	if (c->fields != NULL)
		evbuffer_free(c->fields);
	event_free(c->timer);
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	else
		close(c->fd);
	LIST_REMOVE(c, hash);
	TAILQ_REMOVE(&conns, c, entry);
	TAILQ_INSERT_TAIL(&dead, c, entry);
	event_active(reaper, EV_TIMEOUT, 1);
	memset(&none, 0, sizeof(none));
	chan_send(front.engine, MSG_CONN_CLOSE, c->id, &none, sizeof(none),
	    -1);
	count--;
	if (c->placed && (next = limit_next()) != NULL)
		conn_begin(next);
	server_room();
}

/* Sends the rest of the answer's last packet, drops what still comes, and
 * closes: an early close(2) would reset what the client has not read. */
static void
conn_linger(struct conn *c)
{
	if (c->tls)
		tls_goodbye(c->bev);
	if (!c->linger || c->eof ||
	    shutdown(bufferevent_getfd(c->bev), SHUT_WR) == -1) {
		conn_close(c);
		return;
	}
	c->state = CONN_LINGER;
	evbuffer_drain(bufferevent_get_input(c->bev),
	    evbuffer_get_length(bufferevent_get_input(c->bev)));
	conn_deadline(c, LINGER_US);
}

void
conn_answered(struct conn *c)
{
	access_note(c, 1);
	request_free(c);
	output_idle(c);
	c->sent = 0;
	c->complete = 0;
	c->chunked = 0;
	c->follows = 0;
	if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
		c->linger = 1;
	if (c->close_after)
		conn_linger(c);
	else
		conn_next(c);
}

static void
conn_next(struct conn *c)
{
	c->state = CONN_IDLE;
	c->since_us = util_monotonic_us();
	c->linger = 0;
	conn_deadline(c, IDLE_US);
	conn_head(c);
}

void
conn_writing(struct conn *c)
{
	c->state = CONN_WRITE;
	c->progress_us = util_monotonic_us();
	c->moved = 0;
	bufferevent_setwatermark(c->bev, EV_WRITE, STREAM_LOW, 0);
	conn_deadline(c, WRITE_US);
	output_soon(c);
}

void
conn_complete(struct conn *c)
{
	c->complete = 1;
	c->more = NULL;
	link_forget_all(c);
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	output_soon(c);
}

/* Refused before there is a request to speak of, or in the middle of one:
 * where the next would begin is not known. */
static void
conn_refuse(struct conn *c, enum err code, const char *why)
{
	c->close_after = 1;
	c->linger = 1;
	reply_error(c, code, "%s", why);
}

static enum err
parser_error(int status)
{
	static const enum err	known[] = { E_BAD_REQUEST, E_LENGTH_REQUIRED,
	    E_PAYLOAD_TOO_LARGE, E_URI_TOO_LONG, E_EXPECTATION_FAILED,
	    E_HEADERS_TOO_LARGE, E_NOT_IMPLEMENTED,
	    E_HTTP_VERSION_NOT_SUPPORTED };
	size_t			i;

	for (i = 0; i < nitems(known); i++) {
		if (err_desc(known[i])->status == status)
			return (known[i]);
	}
	return (E_BAD_REQUEST);
}

/* The body is here, or there is none. */
static void
conn_dispatch(struct conn *c)
{
	c->state = CONN_WORK;
	conn_no_deadline(c);
	c->req->route->handler(c);
}

static void
conn_body(struct conn *c)
{
	const char	*why;
	enum err	 code;

	switch (body_read(c, bufferevent_get_input(c->bev), &code, &why)) {
	case 1:
		conn_dispatch(c);
		break;
	case 0:
		if (c->eof)
			conn_refuse(c, E_BAD_REQUEST,
			    "The body ends before its length.");
		else
			conn_deadline(c, body_wait_us(c));
		break;
	default:
		conn_refuse(c, code, why);
	}
}

/* The head is here and is a request; decide before reading a body. */
static void
conn_request(struct conn *c)
{
	struct request	*r = c->req;
	const char	*why;
	enum err	 code;

	c->state = CONN_WORK;
	conn_no_deadline(c);
	if (!r->h.keep_alive || c->leaving)
		c->close_after = 1;
	/* Whoever is refused now may still send a body. */
	if (body_announced(r)) {
		c->linger = 1;
		c->close_after = 1;
	}
	if (http_slice_is(&r->h.target, "*"))
		strlcpy(r->path, "*", sizeof(r->path));
	else if (http_split_target(&r->h.target, r->path, sizeof(r->path),
	    &r->query) == -1) {
		conn_refuse(c, E_BAD_REQUEST, "The request's path is malformed.");
		return;
	}
	if (!guard_check(c) || !route_find(c))
		return;
	if (body_decide(r, &code, &why) == -1) {
		conn_refuse(c, code, why);
		return;
	}
	if (!body_announced(r)) {
		conn_dispatch(c);
		return;
	}
	c->linger = 0;
	c->close_after = !r->h.keep_alive || c->leaving;
	if (r->h.expect_continue && evbuffer_get_length(
	    bufferevent_get_input(c->bev)) == 0) {
		evbuffer_add_printf(bufferevent_get_output(c->bev),
		    "HTTP/1.1 100 Continue\r\n\r\n");
		output_soon(c);
	}
	c->state = CONN_READ_BODY;
	body_begin(r);
	conn_body(c);
}

/* A copy of the head, which outlives the input buffer. */
static void
request_new(struct conn *c, const char *head, size_t n)
{
	struct request	*r;
	const char	*why;
	int		 status;

	r = xcalloc(1, sizeof(*r));
	r->head = xmalloc(n);
	memcpy(r->head, head, n);
	if (http_parse_head(r->head, n, &r->h, &status, &why) != 1)
		fatalx("a head is parsed in two ways");
	c->req = r;
}

static void
conn_head(struct conn *c)
{
	struct evbuffer		*in = bufferevent_get_input(c->bev);
	struct http_request	 h;
	const char		*head, *why;
	size_t			 n = evbuffer_get_length(in);
	int			 status;

	if (n == 0) {
		if (c->eof)
			conn_close(c);
		return;
	}
	if (c->state == CONN_IDLE) {
		c->state = CONN_READ_HEAD;
		c->since_us = util_monotonic_us();
		conn_deadline(c, HEAD_US);
	}
	if ((head = (const char *)evbuffer_pullup(in, -1)) == NULL)
		fatalx("no memory for a request");
	switch (http_parse_head(head, n, &h, &status, &why)) {
	case 1:
		request_new(c, head, h.head_bytes);
		evbuffer_drain(in, h.head_bytes);
		conn_request(c);
		break;
	case 0:
		if (n >= HTTP_HEAD_MAX)
			conn_refuse(c, E_HEADERS_TOO_LARGE,
			    "The request's head is too large.");
		else if (c->eof)
			conn_refuse(c, E_BAD_REQUEST,
			    "The request ends in the middle of its head.");
		break;
	default:
		conn_refuse(c, parser_error(status), why);
	}
}

static void
on_input(struct bufferevent *bev, void *arg)
{
	struct conn	*c = arg;
	struct evbuffer	*in = bufferevent_get_input(bev);

	switch (c->state) {
	case CONN_IDLE:
	case CONN_READ_HEAD:
		conn_head(c);
		break;
	case CONN_READ_BODY:
		conn_body(c);
		break;
	case CONN_LINGER:
		evbuffer_drain(in, evbuffer_get_length(in));
		break;
	default:
		break;			/* kept, up to the high mark */
	}
	output_push(c);
}

static void
on_room(struct bufferevent *bev, void *arg)
{
	struct conn	*c = arg;

	if (c->state != CONN_WRITE)
		return;
	if (c->more != NULL)
		c->more(c);
	else if (c->complete &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		conn_answered(c);
}

static void
conn_eof(struct conn *c)
{
	c->eof = 1;
	switch (c->state) {
	case CONN_IDLE:
	case CONN_READ_HEAD:
		conn_head(c);
		break;
	case CONN_READ_BODY:
		conn_body(c);
		break;
	case CONN_WORK:
		/* Half a close looks like a whole one.  A short question is
		 * answered all the same; nobody waits for a job like that. */
		if (c->req->route->flags & ROUTE_JOB)
			conn_close(c);
		break;
	case CONN_WRITE:
		if (c->follows)		/* for ever, or till he goes */
			conn_close(c);
		break;
	default:
		conn_close(c);
	}
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn	*c = arg;

	const char	*why;

	if (what & BEV_EVENT_CONNECTED) {
		tls_names(bev, c->certificate, sizeof(c->certificate));
		if (c->certificate[0] != '\0')
			c->rank = RANK_SOMEBODY;
	} else if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING)) {
		/* TLS stops both ways; ours may still have to say much. */
		if (c->tls && bufferevent_enable(bev, EV_WRITE) == -1)
			conn_close(c);
		else
			conn_eof(c);
	} else {
		if (c->tls && (why = tls_failure(bev)) != NULL)
			log_debug("connection %llu: TLS: %s",
			    (unsigned long long)c->id, why);
		conn_close(c);
	}
}

/* While an answer is written the deadline moves with what is taken. */
static void
conn_writing_late(struct conn *c, uint64_t now_us)
{
	uint64_t	end_us = c->progress_us + WRITE_US;

	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		conn_deadline(c, WRITE_US);	/* it is we who are slow */
	else if (now_us < end_us)
		conn_deadline(c, end_us - now_us);
	else
		conn_close(c);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn	*c = arg;
	uint64_t	 now_us = util_monotonic_us();

	(void)fd;
	(void)what;
	c->timer_us = 0;
	if (c->deadline_us == 0)
		return;
	if (now_us < c->deadline_us) {	/* the two clocks may differ a bit */
		conn_deadline(c, c->deadline_us - now_us + 1000);
		return;
	}
	switch (c->state) {
	case CONN_READ_HEAD:
		if (evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
			conn_close(c);
		else
			conn_refuse(c, E_REQUEST_TIMEOUT,
			    "The request did not arrive in time.");
		break;
	case CONN_READ_BODY:
		conn_refuse(c, E_REQUEST_TIMEOUT,
		    "The request's body did not arrive in time.");
		break;
	case CONN_WRITE:
		conn_writing_late(c, now_us);
		break;
	default:
		conn_close(c);
	}
}

/* No request more than those that are here; reading: nor what has begun to
 * come.  Whoever follows events would never be idle. */
static void
conns_leave(size_t listener, int reading)
{
	struct conn	*c;

again:
	TAILQ_FOREACH(c, &conns, entry) {
		if (c->listener != listener || c->bev == NULL)
			continue;
		c->leaving = 1;
		c->close_after = 1;
		if (c->state == CONN_IDLE || c->follows ||
		    (reading && c->state == CONN_READ_HEAD)) {
			conn_close(c);
			goto again;	/* its place may be another's */
		}
	}
}

void
conn_unlisten(size_t listener)
{
	struct conn	*c, *next;

	/* Those first whom another's end would begin. */
	for (c = TAILQ_FIRST(&conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->listener == listener && c->bev == NULL)
			conn_close(c);
	}
	conns_leave(listener, 0);
}

void
conn_unvouch(size_t listener)
{
	conns_leave(listener, 1);
}

static struct conn *
conn_find(uint64_t id)
{
	struct conn	*c;

	LIST_FOREACH(c, &bucket[id & (BUCKETS - 1)], hash) {
		if (c->id == id)
			return (c);
	}
	return (NULL);
}

/* From here on it is read from. */
static void
conn_begin(struct conn *c)
{
	int	on = 1, unsent = UNSENT_BYTES;

	if (c->kind == LISTEN_TCP && setsockopt(c->fd, IPPROTO_TCP,
	    TCP_NODELAY, &on, sizeof(on)) == -1)
		log_debug("setsockopt TCP_NODELAY failed");
#ifdef TCP_NOTSENT_LOWAT
	/* Else the kernel keeps megabytes for a client that is slow. */
	if (c->kind == LISTEN_TCP && setsockopt(c->fd, IPPROTO_TCP,
	    TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent)) == -1)
		log_debug("setsockopt TCP_NOTSENT_LOWAT failed");
#endif
	if (c->tls)
		c->bev = tls_accept(c->listener, c->fd);
	else
		c->bev = bufferevent_socket_new(front.base, c->fd,
		    BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL)
		fatalx("no memory for a connection");
	bufferevent_setcb(c->bev, on_input, on_room, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
	output_init(c);
	c->state = CONN_READ_HEAD;
	c->since_us = util_monotonic_us();
	conn_deadline(c, HEAD_US);
	if (bufferevent_enable(c->bev, EV_READ) == -1)
		conn_close(c);
}

static void
conn_who(struct conn *c, const struct m_conn_rights *m)
{
	c->rights = m->rights;
	if (m->rights == 0)
		c->rank = RANK_NOBODY;
	else if (m->uid == 0 || m->uid == geteuid())
		c->rank = RANK_ADMIN;
	else
		c->rank = RANK_SOMEBODY;
	if (m->uid == UINT32_MAX) {
		limit_peer(&c->peer, c->fd);
		return;
	}
	memset(&c->peer, 0, sizeof(c->peer));
	c->peer.kind = PEER_UID;
	c->peer.here = 1;
	memcpy(c->peer.bytes, &m->uid, sizeof(m->uid));
}

/* All places are taken.  A word, if the kernel has room for it. */
static void
conn_turn_away(struct conn *c)
{
	static const char	busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				    "Retry-After: 1\r\nContent-Length: 0\r\n"
				    "Connection: close\r\n\r\n";
	static uint64_t		said_us, turned_away;
	uint64_t		now_us = util_monotonic_us();

	turned_away++;
	if (said_us == 0 || now_us - said_us > 60 * SECOND) {
		log_warnx("too many connections: %llu turned away so far",
		    (unsigned long long)turned_away);
		said_us = now_us;
	}
	if (!c->tls)
		(void)send(c->fd, busy, sizeof(busy) - 1, MSG_DONTWAIT |
		    MSG_NOSIGNAL);
	conn_close(c);
}

void
conn_rights(uint64_t id, const struct m_conn_rights *rights)
{
	struct conn	*c;

	if (id == 0 || id >= next_id)
		fatalx("engine speaks of connection %llu, which never was",
		    (unsigned long long)id);
	if ((c = conn_find(id)) == NULL)
		return;			/* closed meanwhile */
	if (c->known)
		fatalx("engine gave rights to a connection twice");
	c->known = 1;
	conn_who(c, rights);
	switch (limit_place(c)) {
	case 1:
		conn_begin(c);
		break;
	case 0:
		break;
	default:
		conn_turn_away(c);
	}
	server_room();
}

void
conn_new(int fd, enum listen_kind kind, size_t listener, int tls)
{
	struct conn	*c;
	struct m_empty	 none;
	int		 copy;

	if (reaper == NULL &&
	    (reaper = event_new(front.base, -1, 0, on_reap, NULL)) == NULL)
		fatalx("event_new");
	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		close(fd);		/* better none than one unseen */
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->id = next_id++;
	c->fd = fd;
	c->kind = kind;
	c->listener = listener;
	c->tls = tls;
	c->state = CONN_RIGHTS;
	LIST_INIT(&c->pending);
	if ((c->timer = event_new(front.base, -1, 0, on_deadline, c)) == NULL)
		fatalx("no memory for a connection");
	TAILQ_INSERT_TAIL(&conns, c, entry);
	LIST_INSERT_HEAD(&bucket[c->id & (BUCKETS - 1)], c, hash);
	count++;
	conn_deadline(c, RIGHTS_US);
	memset(&none, 0, sizeof(none));
	chan_send(front.engine, MSG_CONN_OPEN, c->id, &none, sizeof(none),
	    copy);
}
