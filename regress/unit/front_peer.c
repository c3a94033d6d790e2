/*
 * The other end of the front's two channels, in a process of its own that
 * plays engine and network as struct play says, and a client of plain
 * sockets that says exactly what it is told.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/util.h"
#include "front_peer.h"
#include "proto/errors.h"

static struct play	*play;
static struct chan	*to_front, *to_front_net;
static uint64_t		 held_id;

/* ---- the engine ---- */

static void
say(enum msg_type type, uint64_t id, const void *p, size_t n, int fd)
{
	chan_send(to_front, type, id, p, n, fd);
}

void
peer_say(enum msg_type type, uint64_t id, const void *p, size_t n)
{
	say(type, id, p, n, -1);
}

void
peer_say_error(uint64_t id, enum err code, int64_t backup_id, const char *text)
{
	struct m_error	e;

	memset(&e, 0, sizeof(e));
	e.code = code;
	e.backup_id = backup_id;
	util_copy(e.text, text);
	say(MSG_REP_ERROR, id, &e, sizeof(e), -1);
}

static void
row(struct m_backup *b, int64_t id)
{
	memset(b, 0, sizeof(*b));
	b->id = id;
	b->file_size = 4096 * id;
	b->created_ms = PEER_BASE_MS + id * 1000;
	b->updated_ms = b->created_ms + 1;
	b->lock_held_us = 1500;
	b->user.kind = id % 2 ? USER_NUMBER : USER_TEXT;
	util_copy(b->user.id, "42");
	util_copy(b->database, "shop");
	snprintf(b->name, sizeof(b->name), "Backup \"%lld\"\n\xc3\xa9\x01",
	    (long long)id);
	util_copy(b->type, "manual");
	util_copy(b->status, "completed");
	util_copy(b->form, "sqlite");
	util_copy(b->verdict, "sound");
	util_copy(b->locations, "local,hq,offsite");
	util_copy(b->checksum, "sha256:00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff");
}

void
peer_say_job(uint64_t id, uint64_t job)
{
	struct m_job	j;

	memset(&j, 0, sizeof(j));
	j.id = job;
	util_copy(j.kind, "create");
	util_copy(j.state, "running");
	util_copy(j.phase, "copy");
	util_copy(j.database, "shop");
	j.started_ms = PEER_BASE_MS;
	say(MSG_REP_JOB, id, &j, sizeof(j), -1);
}

static void
play_create(const struct msg *m)
{
	const struct m_req_create	*r = m->data;
	struct m_backup			 b;

	play->create = *r;
	row(&b, 7);
	b.user = r->user;
	util_copy(b.name, r->name);
	util_copy(b.description, r->description);
	if (r->flags & CREATE_ASYNC) {
		peer_say_job(m->id, 77);
		return;
	}
	if (strcmp(r->name, "hold") == 0) {
		held_id = m->id;
		return;
	}
	if (strcmp(r->name, "locked") == 0) {
		peer_say_error(m->id, E_DATABASE_LOCKED, 7, "The database is "
		    "locked by pid 1.");
		return;
	}
	if (strcmp(r->name, "pending") == 0) {
		util_copy(b.status, "pending");
		util_copy(b.reason, "the remote is away.");
	} else if (strcmp(r->name, "refused") == 0) {
		util_copy(b.status, "failed");
		util_copy(b.reason, "403 from the remote.");
	}
	say(MSG_REP_BACKUP, m->id, &b, sizeof(b), -1);
}

/* Rows have the ids local_rows ... 1. */
static void
play_list(const struct msg *m)
{
	const struct m_req_list	*r = m->data;
	struct m_list_end	 end;
	struct m_backup		 b;
	int64_t			 id = play->local_rows;

	memset(&end, 0, sizeof(end));
	play->pages++;
	if (play->fail_page != 0 && play->pages == play->fail_page) {
		peer_say_error(m->id, E_INTERNAL_ERROR, 0, "It broke.");
		return;
	}
	for (; id > 0; id--) {
		row(&b, id);
		if (r->before_ms != 0 && !(b.created_ms < r->before_ms ||
		    (b.created_ms == r->before_ms && id < r->before_id)))
			continue;
		if (end.rows == r->limit) {
			end.more = 1;
			break;
		}
		say(MSG_REP_LIST_ROW, m->id, &b, sizeof(b), -1);
		end.rows++;
	}
	if (r->want_total)
		end.total = play->local_rows;
	end.whole = 1;
	say(MSG_REP_LIST_END, m->id, &end, sizeof(end), -1);
}

static void
play_known(const struct msg *m)
{
	const struct m_req_known	*r = m->data;
	struct m_known			 k;

	memset(&k, 0, sizeof(k));
	k.seq = r->seq;
	play->known++;
	/* The catalog knows those with an even number. */
	if ((r->remote_id[strlen(r->remote_id) - 1] - '0') % 2 == 0)
		k.local_id = 1;
	say(MSG_REP_KNOWN, m->id, &k, sizeof(k), -1);
}

static void
play_file_info(const struct msg *m)
{
	struct m_file_info	f;
	struct m_stats		s;

	memset(&f, 0, sizeof(f));
	memset(&s, 0, sizeof(s));
	if (play->impossible) {
		say(MSG_REP_STATS, m->id, &s, sizeof(s), -1);
		return;
	}
	f.flags = FILE_EXISTS | FILE_READABLE | FILE_DATABASE | FILE_LOCKED;
	f.size = 8192;
	f.page_size = 4096;
	f.page_count = 2;
	f.modified_ms = PEER_BASE_MS;
	f.application_id = 0xffffffff;
	util_copy(f.journal_mode, "wal");
	util_copy(f.encoding, "UTF-8");
	util_copy(f.path, "/srv/shop.sqlite");
	say(MSG_REP_FILE_INFO, m->id, &f, sizeof(f), -1);
}

static void
play_stats(const struct msg *m)
{
	struct m_stats	s;

	memset(&s, 0, sizeof(s));
	s.backups = 3;
	s.bytes = 10;
	s.completed = 2;
	s.failed = 1;
	s.last_ms = PEER_BASE_MS;
	say(MSG_REP_STATS, m->id, &s, sizeof(s), -1);
}

static void
play_download(const struct msg *m)
{
	const struct m_req_backup	*r = m->data;
	struct m_backup			 b;
	int				 fd;

	play->backup = *r;
	if (r->ref == REF_LOCAL && r->local_id == 404) {
		peer_say_error(m->id, E_BACKUP_NOT_FOUND, 0, "No such backup.");
		return;
	}
	row(&b, 7);
	if ((fd = open(play->file, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", play->file);
	b.file_size = lseek(fd, 0, SEEK_END);
	memcpy(b.checksum, play->checksum, sizeof(b.checksum));
	if (r->ref == REF_LOCAL && r->local_id == 13)
		b.file_size++;
	util_copy(b.database, "../shop \"x\"\r\nA: b");
	say(MSG_REP_DOWNLOAD, m->id, &b, sizeof(b), fd);
}

static void
play_request(const struct msg *m)
{
	const struct m_asker	*asker = m->data;
	const struct m_req_job	*job = m->data;
	struct m_empty		 may;

	play->asked++;
	play->flags = asker->flags;
	if (play->forbid || (m->type == MSG_REQ_MAY &&
	    (asker->flags & ASKER_FORWARDED))) {
		peer_say_error(m->id, E_FORBIDDEN, 0, "You may not.");
		return;
	}
	switch (m->type) {
	case MSG_REQ_CREATE:
		play_create(m);
		break;
	case MSG_REQ_MAY:
		memset(&may, 0, sizeof(may));
		say(MSG_REP_MAY, m->id, &may, sizeof(may), -1);
		break;
	case MSG_REQ_LIST:
		play_list(m);
		break;
	case MSG_REQ_KNOWN:
		play_known(m);
		break;
	case MSG_REQ_STATS:
		play_stats(m);
		break;
	case MSG_REQ_FILE_INFO:
		play_file_info(m);
		break;
	case MSG_REQ_DOWNLOAD:
		play_download(m);
		break;
	case MSG_REQ_JOB:
		if (job->job == 77)
			peer_say_job(m->id, 77);
		else
			peer_say_error(m->id, E_JOB_NOT_FOUND, 0,
			    "No such job.");
		break;
	}
}

static void
play_engine(const struct msg *m)
{
	struct m_conn_rights	rights;
	struct m_license	none;

	if (play->more != NULL && play->more(m))
		return;
	if (m->type == MSG_REQ_LICENSE) {
		memset(&none, 0, sizeof(none));
		say(MSG_REP_LICENSE, m->id, &none, sizeof(none), -1);
	} else if (m->type == MSG_CONN_OPEN) {
		close(m->fd);
		memset(&rights, 0, sizeof(rights));
		rights.rights = play->rights;
		if (!play->silent)
			say(MSG_CONN_RIGHTS, m->id, &rights, sizeof(rights),
			    -1);
		play->opened++;
	} else if (m->type == MSG_CONN_CLOSE)
		play->closed++;
	else
		play_request(m);
}

/* ---- the network ---- */

static void
play_remote_list(uint64_t id)
{
	struct m_remote_row	r;
	struct m_remote_end	end;
	uint32_t		i;

	for (i = 1; i <= play->remote_rows; i++) {
		memset(&r, 0, sizeof(r));
		r.size = i == 1 ? -1 : (int64_t)i;
		r.created_ms = PEER_BASE_MS + (int64_t)i * 1000;
		snprintf(r.remote_id, sizeof(r.remote_id), "r%06u", i);
		util_copy(r.name, "far");
		chan_send(to_front_net, MSG_TELL_ROW, id, &r, sizeof(r), -1);
	}
	memset(&end, 0, sizeof(end));
	end.rows = play->remote_rows;
	end.outcome = play->remote_outcome;
	if (end.outcome != NET_OK)
		util_copy(end.reason, "No route to the remote.");
	chan_send(to_front_net, MSG_TELL_LIST_END, id, &end, sizeof(end), -1);
}

static void
play_network(const struct msg *m)
{
	struct m_health	h;

	if (m->type == MSG_ASK_CANCEL) {
		play->cancelled++;
		return;
	}
	play->ask = *(const struct m_ask *)m->data;
	if (m->type == MSG_ASK_LIST) {
		play_remote_list(m->id);
		return;
	}
	memset(&h, 0, sizeof(h));
	h.outcome = play->remote_outcome;
	h.http_status = h.outcome == NET_OK ? 200 : 0;
	h.response_us = 2500;
	if (h.outcome != NET_OK)
		util_copy(h.reason, "No route to the remote.");
	chan_send(to_front_net, MSG_TELL_HEALTH, m->id, &h, sizeof(h), -1);
}

static void
peer_turn(struct chan *c, void (*cb)(const struct msg *))
{
	struct msg	m;

	if (c == NULL)
		return;
	if (chan_read(c) == -1)
		_exit(0);
	while (chan_get(c, &m) == 1)
		cb(&m);
	if (chan_write(c) == -1)
		_exit(0);
}

static void
peer_main(void)
{
	struct pollfd	pfd[2];
	struct m_backup	b;

	for (;;) {
		if (play->answer_held && held_id != 0) {
			row(&b, 7);
			say(MSG_REP_BACKUP, held_id, &b, sizeof(b), -1);
			held_id = 0;
			play->answer_held = 0;
			play->held_given++;
		}
		if (play->network_dies && to_front_net != NULL) {
			chan_free(to_front_net);
			to_front_net = NULL;
		}
		pfd[0].fd = chan_socket(to_front);
		pfd[0].events = (short)(POLLIN |
		    (chan_queued(to_front) > 0 ? POLLOUT : 0));
		pfd[1].fd = to_front_net == NULL ? -1 :
		    chan_socket(to_front_net);
		pfd[1].events = (short)(POLLIN | (to_front_net != NULL &&
		    chan_queued(to_front_net) > 0 ? POLLOUT : 0));
		if (poll(pfd, 2, 20) == -1 && errno != EINTR)
			err(1, "poll");
		peer_turn(to_front, play_engine);
		peer_turn(to_front_net, play_network);
	}
}

/* ---- the stage ---- */

struct play *
play_new(void)
{
	struct play	*p;

	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	p->rights = RIGHT_READ | RIGHT_BACKUP | RIGHT_DOWNLOAD;
	return (p);
}

static int
listen_tcp(int *port)
{
	struct sockaddr_in	sin;
	socklen_t		n = sizeof(sin);
	int			s;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&sin, &n) == -1)
		err(1, "listen");
	*port = ntohs(sin.sin_port);
	return (s);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un	sun;
	int			s;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	util_copy(sun.sun_path, path);
	unlink(path);
	if ((s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(s, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(s, 128) == -1)
		err(1, "%s", path);
	return (s);
}

static void
say_listen(enum listen_kind kind, int port, int fd)
{
	static uint64_t		id;
	struct m_front_listen	l;

	memset(&l, 0, sizeof(l));
	l.kind = kind;
	l.port = (uint32_t)port;
	say(MSG_FRONT_LISTEN, id++, &l, sizeof(l), fd);
}

static void
front_exec(const char *program, int engine, int network)
{
	/* Above both targets first, so that neither is overwritten. */
	if ((engine = fcntl(engine, F_DUPFD, 10)) == -1 ||
	    (network = fcntl(network, F_DUPFD, 10)) == -1 ||
	    dup2(engine, 3) == -1 || dup2(network, 4) == -1)
		err(1, "dup2");
	execl(program, program, "-d", (char *)NULL);
	err(1, "%s", program);
}

void
stage_open(struct stage *st, const char *program,
    const struct m_front_conf *conf, struct play *p)
{
	struct m_empty	none;
	int		eng[2], net[2], tcp, un;

	memset(&none, 0, sizeof(none));
	st->play = play = p;
	snprintf(st->socket, sizeof(st->socket), "/tmp/front_test.%d.sock",
	    (int)getpid());
	tcp = listen_tcp(&st->port);
	un = listen_unix(st->socket);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, eng) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, net) == -1)
		err(1, "socketpair");
	fflush(stdout);
	if ((st->front = fork()) == -1)
		err(1, "fork");
	if (st->front == 0)
		front_exec(program, eng[1], net[1]);
	close(eng[1]);
	close(net[1]);
	if ((st->peer = fork()) == -1)
		err(1, "fork");
	if (st->peer == 0) {
		signal(SIGPIPE, SIG_IGN);
		to_front = chan_new(eng[0], ROLE_ENGINE, ROLE_FRONT);
		to_front_net = chan_new(net[0], ROLE_NETWORK, ROLE_FRONT);
		say(MSG_FRONT_CONF, 0, conf, sizeof(*conf), -1);
		say_listen(LISTEN_TCP, st->port, tcp);
		say_listen(LISTEN_UNIX, 0, un);
		say(MSG_FRONT_START, 0, &none, sizeof(none), -1);
		peer_main();
	}
	close(eng[0]);
	close(net[0]);
	close(tcp);
	close(un);
}

int
stage_close(struct stage *st)
{
	int	status = -1;

	kill(st->peer, SIGKILL);
	waitpid(st->peer, NULL, 0);
	if (st->front != -1)
		status = stage_front_ended(st);
	unlink(st->socket);
	return (status);
}

int
stage_front_ended(struct stage *st)
{
	int	i, status;

	for (i = 0; i < 500; i++) {
		if (waitpid(st->front, &status, WNOHANG) == st->front) {
			st->front = -1;
			return (status);
		}
		usleep(10000);
	}
	return (-1);
}

int
reached(volatile uint32_t *counter, uint32_t value)
{
	int	i;

	for (i = 0; i < 500 && *counter < value; i++)
		usleep(10000);
	return (*counter >= value);
}

/* ---- the client ---- */

int
client_connect(const struct stage *st)
{
	struct sockaddr_in	sin;
	int			s;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)st->port);
	if ((s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(s, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
	return (s);
}

/* The front may have answered and closed already: that is no failure. */
void
client_send(int s, const char *p, size_t n)
{
	ssize_t	sent;

	for (; n > 0; p += sent, n -= (size_t)sent) {
		if ((sent = send(s, p, n, MSG_NOSIGNAL)) == -1)
			return;
	}
}

char *
client_read(int s, size_t until, size_t *n, int timeout_ms)
{
	struct pollfd	pfd = { s, POLLIN, 0 };
	size_t		size = 65536;
	ssize_t		got;
	char		*p = xmalloc(size + 1);

	for (*n = 0; *n < until; *n += (size_t)got) {
		if (*n == size)
			p = xreallocarray(p, (size *= 2) + 1, 1);
		if (poll(&pfd, 1, timeout_ms) != 1)
			break;
		got = recv(s, p + *n, (size < until ? size : until) - *n, 0);
		if (got <= 0)
			break;
	}
	p[*n] = '\0';
	return (p);
}

static void
answer_dechunk(struct answer *a)
{
	char	*in = a->body, *out = a->body, *line;
	size_t	 n;

	for (;;) {
		n = strtoul(in, &line, 16);
		if (line == in || strncmp(line, "\r\n", 2) != 0 ||
		    line + 2 + n + 2 > a->text + a->n)
			break;
		in = line + 2;
		memmove(out, in, n);
		out += n;
		in += n;
		if (strncmp(in, "\r\n", 2) != 0)
			break;
		in += 2;
		if (n == 0) {
			a->whole = 1;
			break;
		}
	}
	*out = '\0';
	a->body_n = (size_t)(out - a->body);
}

static void
answer_parse(struct answer *a)
{
	const char	*f;

	a->status = -1;
	a->body = a->text + a->n;
	a->body_n = 0;
	while (strncmp(a->text, "HTTP/1.1 100 ", 13) == 0 &&
	    (f = strstr(a->text, "\r\n\r\n")) != NULL) {
		a->n -= (size_t)(f + 4 - a->text);
		memmove(a->text, f + 4, a->n + 1);
	}
	if (sscanf(a->text, "HTTP/1.1 %d ", &a->status) != 1 ||
	    (a->body = strstr(a->text, "\r\n\r\n")) == NULL) {
		a->body = a->text + a->n;
		return;
	}
	a->body += 4;
	a->body_n = a->n - (size_t)(a->body - a->text);
	if (answer_field(a, "Transfer-Encoding") != NULL)
		answer_dechunk(a);
	else if ((f = answer_field(a, "Content-Length")) != NULL)
		a->whole = strtoull(f, NULL, 10) == a->body_n;
}

struct answer
client_raw(struct stage *st, const char *p, size_t n, int half)
{
	struct answer	a;
	int		s = client_connect(st);

	memset(&a, 0, sizeof(a));
	client_send(s, p, n);
	if (half)
		shutdown(s, SHUT_WR);
	a.text = client_read(s, SIZE_MAX, &a.n, 15000);
	close(s);
	answer_parse(&a);
	return (a);
}

struct answer
client(struct stage *st, const char *line, const char *fields,
    const char *body)
{
	struct answer	 a;
	char		*text, length[64] = "";

	if (body != NULL)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
		    strlen(body));
	text = xasprintf("%s HTTP/1.1\r\nHost: localhost:%d\r\n"
	    "Connection: close\r\n%s%s\r\n%s", line, st->port, length,
	    fields == NULL ? "" : fields, body == NULL ? "" : body);
	a = client_raw(st, text, strlen(text), 0);
	free(text);
	return (a);
}

void
answer_free(struct answer *a)
{
	free(a->text);
	a->text = NULL;
}

const char *
answer_field(const struct answer *a, const char *name)
{
	static char	 value[512];
	const char	*p = a->text, *end;
	size_t		 n = strlen(name);

	while ((p = strstr(p, "\r\n")) != NULL && p + 2 < a->body) {
		p += 2;
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1 + strspn(p + n + 1, " ");
		if ((end = strstr(p, "\r\n")) == NULL)
			return (NULL);
		snprintf(value, sizeof(value), "%.*s", (int)(end - p), p);
		return (value);
	}
	return (NULL);
}
