/*
 * Tests of cloudbackupd-front, the program: what it refuses, and how it
 * treats connections that are many, slow, greedy or gone.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "front_ask.h"
#include "front_malformed.h"

/* ---- refusals ---- */

static void
test_malformed(struct stage *st)
{
	struct answer	a;
	char		fields[256];
	size_t		i;

	for (i = 0; i < nitems(raw_cases); i++) {
		a = client_raw(st, raw_cases[i].text, raw_cases[i].n, 1);
		ok(a.status == raw_cases[i].status && envelope_holds(&a) &&
		    still_answers(st), "malformed %zu: %d (%d)", i,
		    raw_cases[i].status, a.status);
		answer_free(&a);
	}
	for (i = 0; i < nitems(target_cases); i++) {
		a = client(st, target_cases[i].line, NULL, NULL);
		ok(a.status == target_cases[i].status && envelope_holds(&a),
		    "%.60s: %d (%d)", target_cases[i].line,
		    target_cases[i].status, a.status);
		answer_free(&a);
	}
	for (i = 0; i < nitems(body_cases); i++) {
		snprintf(fields, sizeof(fields), "%s", JSON);
		a = client(st, "POST " API "/create", fields,
		    body_cases[i].body);
		ok(a.status == 400 && envelope_holds(&a) && strcmp(at(&a,
		    "errorCode"), body_cases[i].code) == 0,
		    "body %zu: %s (%d %s)", i, body_cases[i].code, a.status,
		    at(&a, "errorCode"));
		answer_free(&a);
	}
	ok(still_answers(st), "after all of them it still answers");
}

/* A request of n filler bytes between two texts. */
static struct answer
filled(struct stage *st, const char *before, size_t n, const char *after)
{
	struct answer	 a;
	size_t		 size = strlen(before) + n + strlen(after);
	char		*p = xmalloc(size + 1);

	strlcpy(p, before, size + 1);
	memset(p + strlen(before), 'a', n);
	strlcpy(p + strlen(before) + n, after, size + 1 - strlen(before) - n);
	a = client_raw(st, p, size, 0);
	free(p);
	return (a);
}

static void
test_large(struct stage *st)
{
	struct answer	 a;
	char		*p, *many;
	size_t		 i;

	a = filled(st, "GET /", 5000, " HTTP/1.1\r\n" HOST "\r\n");
	ok(a.status == 414 && envelope_holds(&a), "a target of 5000 bytes");
	answer_free(&a);
	a = filled(st, "GET /", 5000000, " HTTP/1.1\r\n" HOST "\r\n");
	ok(a.status == 414 && envelope_holds(&a), "a target of 5 MB");
	answer_free(&a);
	a = filled(st, "GET /healthz HTTP/1.1\r\n" HOST "X: ", 20000,
	    "\r\n\r\n");
	ok(a.status == 431 && envelope_holds(&a), "a field of 20000 bytes");
	answer_free(&a);
	a = filled(st, "GET /healthz HTTP/1.1\r\n" HOST
	    "Connection: close\r\nX: ", 15000, "\r\n\r\n");
	ok(a.status == 200, "a field of 15000 bytes is fine");
	answer_free(&a);
	many = xmalloc(100 * 8 + 128);
	p = many + sprintf(many, "GET /healthz HTTP/1.1\r\n" HOST);
	for (i = 0; i < 100; i++)
		p += sprintf(p, "X: y\r\n");
	strcpy(p, "\r\n");
	a = client_raw(st, many, strlen(many), 0);
	ok(a.status == 431 && envelope_holds(&a), "a hundred fields");
	answer_free(&a);
	free(many);
	a = filled(st, "POST " API "/create HTTP/1.1\r\n" HOST JSON
	    "Content-Length: 100000000\r\n\r\n", 10000000, "");
	ok(a.status == 413 && envelope_holds(&a),
	    "a body of 100 MB is refused, and the client can read that");
	answer_free(&a);
	a = filled(st, "POST " API "/create HTTP/1.1\r\n" HOST JSON
	    "Transfer-Encoding: chunked\r\n\r\n20000\r\n", 0x20000, "");
	ok(a.status == 413 && envelope_holds(&a), "128 KiB in a chunk");
	answer_free(&a);
	a = filled(st, "POST " API "/create HTTP/1.1\r\n" HOST JSON
	    "Connection: close\r\nContent-Length: 65536\r\n\r\n{\"x\":\"",
	    65536 - 8, "\"}");
	ok(a.status == 200, "a body of 64 KiB is taken");
	answer_free(&a);
	a = filled(st, "POST " API "/create HTTP/1.1\r\n" HOST JSON
	    "Connection: close\r\nContent-Length: 320\r\n\r\n"
	    "{\"backup_name\":\"", 320 - 18, "\"}");
	ok(a.status == 400 && strstr(at(&a, "error"), "backup_name") != NULL,
	    "a name of 302 bytes, and the answer names the key");
	answer_free(&a);
}

/* ---- connections ---- */

static void
test_keep_alive(struct stage *st)
{
	static const char	req[] = "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
	static const char	two[] = "GET " API "/stats HTTP/1.1\r\n" HOST
				    "\r\nPOST " API "/create HTTP/1.1\r\n" HOST
				    JSON "Content-Length: 2\r\n\r\n{}"
				    "GET /healthz HTTP/1.1\r\n" HOST
				    "Connection: close\r\n\r\n";
	static const char	slow[] = "POST " API "/create HTTP/1.1\r\n"
				    HOST JSON "Connection: close\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n"
				    "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
	static const char	expect[] = "POST " API "/create HTTP/1.1\r\n"
				    HOST JSON "Content-Length: 2\r\n"
				    "Expect: 100-continue\r\n\r\n";
	char			*text;
	size_t			 n, i;
	int			 s, good = 1;

	s = client_connect(st);
	for (i = 0; i < 50; i++) {
		client_send(s, req, sizeof(req) - 1);
		text = client_read(s, 40, &n, 5000);
		good = good && strncmp(text, "HTTP/1.1 200 ", 13) == 0;
		free(text);
		while (recv(s, (char[4096]){ 0 }, 4096, MSG_DONTWAIT) > 0)
			;
		usleep(1000);
		while (recv(s, (char[4096]){ 0 }, 4096, MSG_DONTWAIT) > 0)
			;
	}
	ok(good, "50 requests on a connection");
	close(s);
	s = client_connect(st);
	client_send(s, two, sizeof(two) - 1);
	text = client_read(s, SIZE_MAX, &n, 5000);
	ok(strstr(text, "total_backups") != NULL &&
	    strstr(strstr(text, "total_backups"), "backup_name") != NULL &&
	    strstr(strstr(text, "backup_name"), "The daemon runs") != NULL,
	    "three in one packet are answered in order");
	free(text);
	close(s);
	s = client_connect(st);
	for (i = 0; i < sizeof(slow) - 1; i++) {
		client_send(s, slow + i, 1);
		usleep(500);
	}
	text = client_read(s, SIZE_MAX, &n, 5000);
	ok(strncmp(text, "HTTP/1.1 200 ", 13) == 0, "byte by byte");
	free(text);
	close(s);
	s = client_connect(st);
	client_send(s, expect, sizeof(expect) - 1);
	text = client_read(s, 25, &n, 5000);
	ok(strcmp(text, "HTTP/1.1 100 Continue\r\n\r\n") == 0, "100-continue");
	free(text);
	client_send(s, "{}", 2);
	text = client_read(s, 13, &n, 5000);
	ok(strcmp(text, "HTTP/1.1 200 ") == 0, "and then the answer");
	free(text);
	close(s);
}

/* 200 MB sent while an answer is waited for must stop somewhere. */
static void
test_flood(struct stage *st)
{
	static const char	req[] = "POST " API "/create HTTP/1.1\r\n" HOST
				    JSON "Content-Length: 22\r\n\r\n"
				    "{\"backup_name\":\"hold\"}";
	struct play		*p = st->play;
	char			*buf = xcalloc(1, 1 << 20);
	uint32_t		 closed, given = p->held_given;
	size_t			 sent = 0;
	ssize_t			 n;
	long			 before = front_rss(st), after;
	int			 s, i;

	s = client_connect(st);
	client_send(s, req, sizeof(req) - 1);
	for (i = 0; i < 200; i++) {
		if ((n = send(s, buf, 1 << 20, MSG_DONTWAIT)) > 0)
			sent += (size_t)n;
		else
			usleep(1000);
	}
	after = front_rss(st);
	ok(after - before < 1 << 20, "input while answering: %zu KB taken by "
	    "the kernel, %ld KiB more in the front", sent / 1000,
	    (after - before) / 1024);
	close(s);
	free(buf);
	p->answer_held = 1;		/* the next write notices */
	reached(&p->held_given, given + 1);

	/* A client that hangs up while its job runs. */
	reached(&p->closed, p->opened);
	closed = p->closed;
	s = client_connect(st);
	client_send(s, req, sizeof(req) - 1);
	usleep(100000);
	close(s);
	ok(reached(&p->closed, closed + 1), "a hang-up is noticed");
	p->answer_held = 1;
	ok(reached(&p->held_given, given + 2) && still_answers(st),
	    "an answer that nobody waits for is dropped");
}

static void
test_unix(struct stage *st)
{
	static const char	req[] = "GET /healthz HTTP/1.1\r\n"
				    "Host: any.example\r\n"
				    "Connection: close\r\n\r\n";
	struct sockaddr_un	sun;
	char			*text;
	size_t			 n;
	int			 s;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	util_copy(sun.sun_path, st->socket);
	if ((s = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(s, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "connect");
	client_send(s, req, sizeof(req) - 1);
	text = client_read(s, SIZE_MAX, &n, 5000);
	ok(strncmp(text, "HTTP/1.1 200 ", 13) == 0,
	    "the unix socket takes any host");
	free(text);
	close(s);
}

static double
cpu_seconds(const struct stage *st)
{
	char		path[64];
	unsigned long	user = 0, sys = 0;
	FILE		*f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)st->front);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	if (fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%lu %lu", &user, &sys) != 2)
		user = 0;
	fclose(f);
	return ((double)(user + sys) / (double)sysconf(_SC_CLK_TCK));
}

/* More clients than connections, then than descriptors. */
static void
test_crowd(struct stage *st)
{
	static const char	req[] = "GET /healthz HTTP/1.1\r\n" HOST
				    "Connection: close\r\n\r\n";
	static const char	again[] = "GET /healthz HTTP/1.1\r\n" HOST
				    "\r\n";
	struct play		*p = st->play;
	struct rlimit		 rl;
	double			 cpu;
	char			*text;
	size_t			 i, n;
	int			 s[100];

	reached(&p->closed, p->opened);
	for (i = 0; i < nitems(s); i++)
		s[i] = client_connect(st);
	usleep(300000);
	ok(p->opened - p->closed <= 64, "at most 64 connections (%u)",
	    p->opened - p->closed);
	cpu = cpu_seconds(st);
	usleep(500000);
	ok(cpu_seconds(st) - cpu < 0.1, "and no busy loop");
	for (i = 0; i < 50; i++)
		close(s[i]);
	client_send(s[99], req, sizeof(req) - 1);
	text = client_read(s[99], SIZE_MAX, &n, 5000);
	ok(strncmp(text, "HTTP/1.1 200 ", 13) == 0,
	    "who waited gets his turn");
	free(text);
	for (i = 50; i < nitems(s); i++)
		close(s[i]);
	reached(&p->closed, p->opened);

	/* Idle ones make room. */
	for (i = 0; i < 64; i++) {
		s[i] = client_connect(st);
		client_send(s[i], again, sizeof(again) - 1);
		text = client_read(s[i], 13, &n, 5000);
		free(text);
	}
	ok(still_answers(st), "the idle give way to the new");
	for (i = 0; i < 64; i++)
		close(s[i]);
	reached(&p->closed, p->opened);

	if (prlimit(st->front, RLIMIT_NOFILE, NULL, &rl) == -1)
		err(1, "prlimit");
	rl.rlim_cur = 20;
	if (prlimit(st->front, RLIMIT_NOFILE, &rl, NULL) == -1)
		err(1, "prlimit");
	for (i = 0; i < 60; i++)
		s[i] = client_connect(st);
	usleep(300000);
	cpu = cpu_seconds(st);
	usleep(500000);
	ok(cpu_seconds(st) - cpu < 0.1, "no descriptor left: no busy loop");
	for (i = 0; i < 60; i++)
		close(s[i]);
	rl.rlim_cur = rl.rlim_max;
	if (prlimit(st->front, RLIMIT_NOFILE, &rl, NULL) == -1)
		err(1, "prlimit");
	usleep(300000);
	ok(still_answers(st), "and it goes on afterwards");
}

/* The deadlines that a test has time for: a head in 10 s. */
static void
test_slow_head(struct stage *st)
{
	struct play	*p = st->play;
	char		*text;
	uint64_t	 start_us = util_monotonic_us();
	size_t		 n;
	int		 s, i, silent;

	reached(&p->closed, p->opened);
	p->silent = 1;
	silent = client_connect(st);
	reached(&p->opened, p->closed + 1);
	p->silent = 0;
	client_send(silent, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 42);
	s = client_connect(st);
	client_send(s, "GET / HTTP/1.1\r\nX: ", 19);
	for (i = 0; i < 300; i++) {
		client_send(s, "a", 1);
		usleep(50000);
		if (util_monotonic_us() - start_us > 9500000)
			break;
	}
	text = client_read(s, SIZE_MAX, &n, 5000);
	ok(strncmp(text, "HTTP/1.1 408 ", 13) == 0 &&
	    util_monotonic_us() - start_us < 12600000,
	    "a head that trickles in: 408 after %.1f s",
	    (double)(util_monotonic_us() - start_us) / 1e6);
	free(text);
	close(s);
	text = client_read(silent, SIZE_MAX, &n, 5000);
	ok(n == 0, "whom the engine does not know is not read from");
	free(text);
	close(silent);
}

int
main(int argc, char *argv[])
{
	struct m_front_conf	 conf;
	struct stage		 st;

	(void)argc;
	find_program(argv[0]);
	default_conf(&conf);
	stage_open(&st, program, &conf, play_new());
	test_malformed(&st);
	test_large(&st);
	test_keep_alive(&st);
	test_flood(&st);
	test_unix(&st);
	test_crowd(&st);
	test_slow_head(&st);
	ok(stage_close(&st) == 0, "the front ends with the engine");
	return (tap_end());
}
