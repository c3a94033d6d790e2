/*
 * What the network test stands on: it plays the engine and front, and
 * starts the servers.  It owns the processes, the sockets to them and one
 * folder below /tmp, and takes all of it away when the test exits.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "regress/unit/network_driver.h"

#define WAIT_MS	20000

struct chan		*engine, *front;
pid_t			 network_pid;
union answer		 got;
struct m_remote_row	 row;
uint32_t		 rows, progresses;
uint64_t		 progress_us;
char			 top[] = "/tmp/network-test.XXXXXX";

static char		 build[PATH_MAX];
static char		 store[64];	/* the remote server's folder */
static uint16_t		 real_port, canned_port, tls_port;
static int		 canned_sock;
static pid_t		 driver_pid, real_pid, tls_pid;
static uint64_t		 next_id = 1;

/* ---- the processes ---- */

static uint16_t
bound_port(int s)
{
	struct sockaddr_in	sin;
	socklen_t		len = sizeof(sin);

	if (getsockname(s, (struct sockaddr *)&sin, &len) == -1)
		err(1, "getsockname");
	return (ntohs(sin.sin_port));
}

static int
loopback(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			s;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "bind");
	return (s);
}

static void
start_real(void)
{
	char	 path[PATH_MAX + 32], line[128];
	FILE	*f;
	int	 out[2];

	snprintf(store, sizeof(store), "%s/remote", top);
	if (mkdir(store, 0755) == -1 || pipe(out) == -1)
		err(1, "%s", store);
	snprintf(path, sizeof(path), "%s/regress/remote", build);
	if ((real_pid = fork()) == -1)
		err(1, "fork");
	if (real_pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		closefrom(3);
		execl(path, "remote", "-p", "0", "-d", store, "-k", KEY,
		    (char *)NULL);
		err(1, "%s", path);
	}
	close(out[1]);
	if ((f = fdopen(out[0], "r")) == NULL ||
	    fgets(line, sizeof(line), f) == NULL ||
	    sscanf(line, "listening on 127.0.0.1 port %hu", &real_port) != 1)
		errx(1, "the remote server does not start");
	/* Kept open: the server may write more. */
}

/* A server whose certificate is for 127.0.0.1 only; its own CA. */
static void
start_tls(void)
{
	char	script[512];
	int	s = loopback();

	tls_port = bound_port(s);
	close(s);
	snprintf(script, sizeof(script), "cd %s && openssl req -x509 -newkey "
	    "rsa:2048 -nodes -keyout key -out ca -days 2 -subj /CN=test "
	    "-addext subjectAltName=IP:127.0.0.1 >/dev/null 2>&1 && "
	    "chmod 644 ca && exec openssl s_server -accept 127.0.0.1:%u "
	    "-cert ca -key key -www -quiet >/dev/null 2>&1 </dev/null", top,
	    tls_port);
	if ((tls_pid = fork()) == -1)
		err(1, "fork");
	if (tls_pid == 0) {
		closefrom(3);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		err(1, "sh");
	}
	snprintf(script, sizeof(script), "%s/ca", top);
	for (s = 0; s < 200 && access(script, R_OK) == -1; s++)
		poll(NULL, 0, 50);
	setenv("SSL_CERT_FILE", script, 1);
}

static void
exec_network(int e, int f)
{
	char	path[PATH_MAX + 32], jail[64];

	/* Out of the way of 3 and 4 first. */
	if ((e = fcntl(e, F_DUPFD, 10)) == -1 ||
	    (f = fcntl(f, F_DUPFD, 10)) == -1 ||
	    dup2(e, 3) == -1 || dup2(f, 4) == -1)
		err(1, "dup2");
	closefrom(5);
	snprintf(path, sizeof(path), "%s/cloudbackupd-network", build);
	snprintf(jail, sizeof(jail), "%s/jail", top);
	if (geteuid() == 0)
		execl(path, "network", "-d", "-u", "irc", "-r", jail,
		    (char *)NULL);
	else
		execl(path, "network", "-d", (char *)NULL);
	err(1, "%s", path);
}

void
network_start(void)
{
	int	e[2], f[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, e) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, f) == -1)
		err(1, "socketpair");
	if ((network_pid = fork()) == -1)
		err(1, "fork");
	if (network_pid == 0)
		exec_network(e[1], f[1]);
	close(e[1]);
	close(f[1]);
	engine = chan_new(e[0], ROLE_ENGINE, ROLE_NETWORK);
	front = chan_new(f[0], ROLE_FRONT, ROLE_NETWORK);
}

void
ask_flush(struct chan *c)
{
	int	status = 0;

	if (chan_drain(c) == 0)
		return;
	waitpid(network_pid, &status, 0);
	errx(1, "network has ended, status 0x%x", status);
}

void
network_configure(void)
{
	struct m_net_remote	m;
	struct m_empty		empty = { 0 };
	int			i, s;

	s = loopback();		/* bound, but nobody listens */
	for (i = 0; i < REMOTES; i++) {
		memset(&m, 0, sizeof(m));
		m.index = (uint32_t)i;
		m.kind = REMOTE_REST;
		m.timeout_ms = 1000;
		snprintf(m.name, sizeof(m.name), "remote%d", i);
		snprintf(m.api_key, sizeof(m.api_key), "%s", KEY);
		snprintf(m.url, sizeof(m.url), "http://127.0.0.1:%u/",
		    i == REAL ? real_port : i == CANNED ? canned_port :
		    bound_port(s));
		if (i == NOWHERE)
			snprintf(m.url, sizeof(m.url), "http://nowhere.invalid");
		if (i == TLS || i == TLS_NAME)
			snprintf(m.url, sizeof(m.url), "https://%s:%u",
			    i == TLS ? "127.0.0.1" : "localhost", tls_port);
		if (i == BROKEN)
			snprintf(m.url, sizeof(m.url), "ftp://[");
		chan_send(engine, MSG_NET_REMOTE, 0, &m, sizeof(m), -1);
	}
	chan_send(engine, MSG_NET_START, 0, &empty, sizeof(empty), -1);
	ask_flush(engine);
}

/* One process that gives the same answer to whoever connects, once. */
pid_t
canned_serve(const char *head, const char *body, size_t n)
{
	char	buf[65536];
	pid_t	pid;
	int	c;
	ssize_t	k;

	if ((pid = fork()) != 0)
		return (pid);
	if ((c = accept(canned_sock, NULL, NULL)) == -1)
		_exit(1);
	/* The request's head is enough; these tests send no more. */
	while ((k = read(c, buf, sizeof(buf))) > 0 &&
	    memmem(buf, (size_t)k, "\r\n\r\n", 4) == NULL)
		;
	if (write(c, head, strlen(head)) == -1)
		_exit(1);
	while (n > 0 && (k = write(c, body, n)) > 0) {
		body += k;
		n -= (size_t)k;
	}
	_exit(0);
}

void
fault_set(const char *line)
{
	char	path[128], new[128];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/fault", store);
	snprintf(new, sizeof(new), "%s/fault.new", store);
	if ((f = fopen(new, "w")) == NULL || fprintf(f, "%s\n", line) < 0 ||
	    fclose(f) == EOF || rename(new, path) == -1)
		err(1, "%s", path);
}

void
fault_none(void)
{
	char	path[128];

	snprintf(path, sizeof(path), "%s/fault", store);
	unlink(path);
}

/* ---- files ---- */

int
file_make(size_t bytes)
{
	static char	block[65536];
	char		path[64];
	size_t		n;
	int		fd;

	snprintf(path, sizeof(path), "%s/file.XXXXXX", top);
	if ((fd = mkstemp(path)) == -1)
		err(1, "%s", path);
	unlink(path);
	while (bytes > 0) {
		n = bytes < sizeof(block) ? bytes : sizeof(block);
		arc4random_buf(block, n);
		if (write(fd, block, n) != (ssize_t)n)
			err(1, "write");
		bytes -= n;
	}
	return (fd);
}

int
file_same(int a, int b)
{
	char		x[4096], y[4096];
	off_t		at = 0;
	ssize_t		n;

	do {
		n = pread(a, x, sizeof(x), at);
		if (n < 0 || pread(b, y, sizeof(y), at) != n ||
		    memcmp(x, y, (size_t)n) != 0)
			return (0);
		at += n;
	} while (n > 0);
	return (1);
}

int
stored_open(const char *id)
{
	char	path[400];

	snprintf(path, sizeof(path), "%s/%s.sqlite", store, id);
	return (open(path, O_RDONLY));
}

int
stored_says(const char *id, const char *text)
{
	char	path[400], buf[8192];
	int	fd;
	ssize_t	n;

	snprintf(path, sizeof(path), "%s/%s.json", store, id);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	return (n > 0 && memmem(buf, (size_t)n, text, strlen(text)) != NULL);
}

/* ---- asking ---- */

/* Waits for the end of id on c; 0 when it does not come. */
int
ask_wait(struct chan *c, uint64_t id)
{
	struct msg	m;
	uint64_t	last_us = 0, now_us;

	rows = progresses = 0;
	progress_us = UINT64_MAX;
	memset(&got, 0, sizeof(got));
	while (chan_wait(c, &m, WAIT_MS) == 1) {
		if (m.id != id)
			continue;
		switch (m.type) {
		case MSG_NET_PROGRESS:
			now_us = util_monotonic_us();
			if (progresses++ > 0 && now_us - last_us < progress_us)
				progress_us = now_us - last_us;
			last_us = now_us;
			break;
		case MSG_TELL_ROW:
			memcpy(&row, m.data, sizeof(row));
			rows++;
			break;
		default:
			memcpy(&got, m.data, msg_desc(m.type)->size);
			return (1);
		}
	}
	return (0);
}

uint64_t
upload_send(uint32_t remote, int fd, uint64_t size, uint32_t flags)
{
	struct m_net_upload	m;

	memset(&m, 0, sizeof(m));
	m.remote = remote;
	m.flags = flags;
	m.size = size;
	snprintf(m.form, sizeof(m.form), "sqlite");
	snprintf(m.user_id, sizeof(m.user_id), "42 / x");
	snprintf(m.device_id, sizeof(m.device_id), "till-3");
	snprintf(m.name, sizeof(m.name), "nightly");
	snprintf(m.description, sizeof(m.description), "before \"it\"");
	snprintf(m.mark, sizeof(m.mark), "%s", MARK);
	chan_send(engine, MSG_NET_UPLOAD, next_id, &m, sizeof(m), dup(fd));
	ask_flush(engine);
	return (next_id++);
}

int
upload_wait(uint32_t remote, int fd, uint32_t flags)
{
	struct stat	sb;

	if (fstat(fd, &sb) == -1)
		err(1, "fstat");
	return (ask_wait(engine, upload_send(remote, fd, (uint64_t)sb.st_size,
	    flags)));
}

int
fetch_wait(uint32_t remote, const char *id, int fd, uint64_t size_max)
{
	struct m_net_fetch	m;

	memset(&m, 0, sizeof(m));
	m.remote = remote;
	m.size_max = size_max;
	snprintf(m.remote_id, sizeof(m.remote_id), "%s", id);
	chan_send(engine, MSG_NET_FETCH, next_id, &m, sizeof(m), dup(fd));
	ask_flush(engine);
	return (ask_wait(engine, next_id++));
}

uint64_t
question_send(enum msg_type type, uint32_t remote, const char *user_id)
{
	struct m_ask	m;

	memset(&m, 0, sizeof(m));
	m.remote = remote;
	snprintf(m.user_id, sizeof(m.user_id), "%s", user_id);
	chan_send(front, type, next_id, &m, sizeof(m), -1);
	ask_flush(front);
	return (next_id++);
}

int
list_wait(uint32_t remote)
{
	return (ask_wait(front, question_send(MSG_ASK_LIST, remote, "42 / x")));
}

int
health_wait(uint32_t remote)
{
	return (ask_wait(front, question_send(MSG_ASK_HEALTH, remote, "")));
}

static void
clean_up(void)
{
	char	*argv[] = { "rm", "-rf", top, NULL };
	pid_t	 pid;

	/* Children inherit this. */
	if (getpid() != driver_pid)
		return;
	kill(real_pid, SIGTERM);
	waitpid(real_pid, NULL, 0);
	if (tls_pid > 0) {
		kill(tls_pid, SIGTERM);
		waitpid(tls_pid, NULL, 0);
	}
	if ((pid = fork()) == 0) {
		execvp(argv[0], argv);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

void
driver_start(const char *self)
{
	char	*slash;
	int	 i;

	/* build/regress/network_test: the programs are in build/. */
	if (realpath(self, build) == NULL)
		err(1, "%s", self);
	for (i = 0; i < 2; i++) {
		if ((slash = strrchr(build, '/')) != NULL)
			*slash = '\0';
	}
	if (mkdtemp(top) == NULL || chmod(top, 0755) == -1)
		err(1, "%s", top);
	signal(SIGPIPE, SIG_IGN);
	driver_pid = getpid();
	canned_sock = loopback();
	if (listen(canned_sock, 8) == -1)
		err(1, "listen");
	canned_port = bound_port(canned_sock);
	start_real();
	start_tls();
	if (atexit(clean_up) != 0)
		err(1, "atexit");
	network_start();
	network_configure();
}
