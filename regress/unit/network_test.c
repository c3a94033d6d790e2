/*
 * Drives cloudbackupd-network as the engine and front do, over its two
 * sockets, against the little remote server with its faults and against
 * answers that no such server gives.  -s MB only measures memory and rate.
 */
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "regress/unit/network_driver.h"
#include "regress/unit/unit.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#elif defined(__has_feature)
#define SANITIZED	__has_feature(address_sanitizer)
#else
#define SANITIZED	0
#endif

static void
test_walls(void)
{
	char	path[64], line[256];
	FILE	*f;
	int	nnp = 0, root = 0, capable = 1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)network_pid);
	if ((f = fopen(path, "r")) == NULL)
		return;		/* no such file on this system */
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "NoNewPrivs:\t1", 13) == 0)
			nnp = 1;
		if ((strncmp(line, "Uid:", 4) == 0 ||
		    strncmp(line, "Gid:", 4) == 0) &&
		    strstr(line, "\t0") != NULL)
			root = 1;
		if (strncmp(line, "CapEff:\t0000000000000000", 24) == 0)
			capable = 0;
	}
	fclose(f);
	ok(nnp, "no new privileges");
	if (geteuid() != 0)
		return;
	ok(!root && !capable, "root is gone, with its capabilities");
	snprintf(path, sizeof(path), "%s/jail/etc/hosts", top);
	ok(access(path, R_OK) == 0, "the resolver's files are in its root");
}

static void
test_good(int fd)
{
	char	id[REMOTE_ID_BYTES];
	int	back, other;

	ok(health_wait(REAL) && got.health.outcome == NET_OK &&
	    got.health.http_status == 200 && got.health.response_us > 0,
	    "health, in %llu us", (unsigned long long)got.health.response_us);
	ok(upload_wait(REAL, fd, 0) && got.uploaded.outcome == NET_OK, "upload: %s",
	    got.uploaded.reason);
	snprintf(id, sizeof(id), "%s", got.uploaded.remote_id);
	ok((other = stored_open(id)) != -1 && file_same(fd, other),
	    "the bytes arrived");
	close(other);
	ok(stored_says(id, "nightly") && stored_says(id, "till-3") &&
	    stored_says(id, "x-sqlite3"), "and what is said of them");
	ok(list_wait(REAL) && got.end.outcome == NET_OK && rows == 1 &&
	    got.end.rows == 1 && strcmp(row.remote_id, id) == 0 &&
	    row.size == FILE_BYTES && row.created_ms > 0 &&
	    strcmp(row.name, "nightly") == 0 &&
	    strcmp(row.description, "before \"it\" " MARK) == 0, "the list");
	back = file_make(FILE_BYTES + 1);	/* to be cut first */
	ok(fetch_wait(REAL, id, back, FILE_BYTES) &&
	    got.fetched.outcome == NET_OK && got.fetched.size == FILE_BYTES &&
	    file_same(fd, back), "fetch: %s", got.fetched.reason);
	ok(fetch_wait(REAL, id, back, FILE_BYTES - 1) &&
	    got.fetched.outcome == NET_GARBAGE, "too large: %s",
	    got.fetched.reason);
	ok(fetch_wait(REAL, "none/../such", back, 1) &&
	    got.fetched.outcome == NET_REFUSED &&
	    got.fetched.http_status == 404, "no such backup: %s",
	    got.fetched.reason);
	ok(fetch_wait(REAL, "..", back, 1) && got.fetched.http_status == 0 &&
	    got.fetched.outcome == NET_REFUSED, "no id: %s",
	    got.fetched.reason);
	close(back);
	back = file_make(0);
	ok(upload_wait(REAL, back, 0) && got.uploaded.outcome == NET_OK &&
	    (other = stored_open(got.uploaded.remote_id)) != -1 &&
	    file_same(back, other), "an empty file: %s", got.uploaded.reason);
	close(other);
	close(back);
}

static void
test_shapes(int fd)
{
	static const char *const	shapes[] = {
		"shape list=top,id=_id,name=name,size=fileSize,ms",
		"shape list=data,id=id,time=uploadedAt",
		"shape list=data.backups,at=data,id=_id",
		"shape at=backup,id=id"
	};
	size_t	i;

	for (i = 0; i < nitems(shapes); i++) {
		fault_set(shapes[i]);
		ok(upload_wait(REAL, fd, 0) && got.uploaded.outcome == NET_OK,
		    "upload, %s", shapes[i]);
		ok(list_wait(REAL) && got.end.outcome == NET_OK && rows == i + 3 &&
		    got.end.skipped == 0 && row.size == FILE_BYTES &&
		    row.created_ms + row.uploaded_ms > 0,
		    "list, %s: %s", shapes[i], got.end.reason);
	}
	fault_none();
}

static void
test_faults(int fd)
{
	static const struct {
		char		 what;	/* Upload, Fetch, List, Health */
		const char	*fault;
		enum net_outcome outcome;
		uint32_t	 status;
		const char	*reason;
	} t[] = {
		{ 'U', "status 503 retry-after 7", NET_AWAY, 503, "*503*" },
		{ 'U', "status 429", NET_AWAY, 429, "*429*" },
		{ 'U', "status 408", NET_AWAY, 408, "*408*" },
		{ 'U', "status 401", NET_REFUSED, 401, "*401*" },
		{ 'U', "status 413 early", NET_REFUSED, 413, "*413*" },
		{ 'U', "redirect http://127.0.0.1:1/x", NET_REFUSED, 307,
		    "*redirect*http://127.0.0.1:1/x" },
		{ 'U', "garbage", NET_GARBAGE, 200, "*is not JSON" },
		{ 'U', "html", NET_GARBAGE, 200, "*is not JSON" },
		{ 'U', "empty", NET_GARBAGE, 200, "*is not JSON" },
		{ 'U', "deep-json", NET_GARBAGE, 200, "*is not JSON" },
		{ 'U', "reset", NET_AWAY, 0, "*broke*" },
		{ 'U', "hang", NET_TIMED_OUT, 0, "*1 seconds" },
		{ 'U', "hang-after-body", NET_TIMED_OUT, 0, "nothing moved*" },
		{ 'U', "id-slash 3", NET_GARBAGE, 200, "*names no id*" },
		{ 'F', "status 500", NET_AWAY, 500, "*500*" },
		{ 'F', "status 404", NET_REFUSED, 404, "*404*" },
		{ 'F', "truncate", NET_AWAY, 200, "*before the end*" },
		{ 'F', "reset", NET_AWAY, 200, "*" },
		{ 'F', "hang", NET_TIMED_OUT, 0, "*" },
		{ 'L', "huge-json", NET_GARBAGE, 200, "*longer than*" },
		{ 'L', "deep-json", NET_GARBAGE, 200, "*is not JSON" },
		{ 'L', "garbage", NET_GARBAGE, 200, "*is not JSON" },
		{ 'L', "truncate", NET_AWAY, 200, "*before the end*" },
		{ 'L', "status 500", NET_AWAY, 500, "*500*" },
		{ 'H', "status 503", NET_AWAY, 503, "*503*" },
		{ 'H', "hang", NET_TIMED_OUT, 0, "*within 10 seconds" }
	};
	enum net_outcome	 outcome;
	const char		*reason;
	uint32_t		 status;
	size_t			 i;
	int			 back = file_make(0), r;

	for (i = 0; i < nitems(t); i++) {
		fault_set(t[i].fault);
		switch (t[i].what) {
		case 'U':
			r = upload_wait(REAL, fd, 0);
			break;
		case 'F':
			r = fetch_wait(REAL, "rb-000001", back, FILE_BYTES);
			break;
		case 'L':
			r = list_wait(REAL);
			break;
		default:
			r = health_wait(REAL);
		}
		/* All answers begin with these two. */
		outcome = (enum net_outcome)got.health.outcome;
		status = got.health.http_status;
		reason = t[i].what == 'U' ? got.uploaded.reason :
		    t[i].what == 'F' ? got.fetched.reason : t[i].what == 'L' ?
		    got.end.reason : got.health.reason;
		ok(r && outcome == t[i].outcome && status == t[i].status &&
		    fnmatch(t[i].reason, reason, 0) == 0 &&
		    strstr(reason, KEY) == NULL, "%c %s: %d %u %s", t[i].what,
		    t[i].fault, outcome, status, reason);
		if (strstr(t[i].fault, "retry-after") != NULL)
			ok(got.uploaded.retry_after_s == 7, "Retry-After");
	}
	close(back);
	fault_set("id-slash");
	ok(list_wait(REAL) && got.end.outcome == NET_OK && got.end.skipped > 0 &&
	    got.end.rows == rows, "hostile ids: %u good, %u skipped", rows,
	    got.end.skipped);
	fault_none();
}

static void
test_lost(void)
{
	int	 fd = file_make(5000), other = file_make(5001);
	uint32_t before;

	list_wait(REAL);
	before = rows;
	/* Others of that user have the same mark, but not the size. */
	fault_set("path /api/user-backup/create lost-answer");
	ok(upload_wait(REAL, fd, 0) && got.uploaded.outcome == NET_AWAY,
	    "the answer is lost: %s", got.uploaded.reason);
	fault_none();
	ok(upload_wait(REAL, fd, UPLOAD_LOOK_FIRST) &&
	    got.uploaded.outcome == NET_OK &&
	    got.uploaded.remote_id[0] != '\0', "but the upload is found");
	ok(list_wait(REAL) && rows == before + 1, "and did not arrive twice");
	ok(upload_wait(REAL, other, UPLOAD_LOOK_FIRST) &&
	    got.uploaded.outcome == NET_OK && list_wait(REAL) &&
	    rows == before + 2, "another is uploaded");
	fault_set("path /api/user-backup/user status 403");
	ok(upload_wait(REAL, fd, UPLOAD_LOOK_FIRST) &&
	    got.uploaded.outcome == NET_AWAY, "no list, no upload: %s",
	    got.uploaded.reason);
	fault_none();
	ok(list_wait(REAL) && rows == before + 2, "none came");
	close(fd);
	close(other);
}

static void
test_not_reached(int fd)
{
	ok(upload_wait(CLOSED, fd, 0) && got.uploaded.outcome == NET_AWAY &&
	    fnmatch("cannot connect to 127.0.0.1 port *: Connection refused",
	    got.uploaded.reason, 0) == 0, "%s", got.uploaded.reason);
	ok(health_wait(NOWHERE) && got.health.outcome == NET_AWAY,
	    "%s", got.health.reason);
	ok(health_wait(BROKEN) && got.health.outcome == NET_REFUSED, "%s",
	    got.health.reason);
	ok(ask_wait(front, question_send(MSG_ASK_LIST, REAL, "")) &&
	    got.end.outcome == NET_REFUSED, "%s", got.end.reason);
	ok(ask_wait(engine, upload_send(REAL, fd, FILE_BYTES - 1, 0)) &&
	    got.uploaded.outcome == NET_LOCAL, "%s", got.uploaded.reason);
}

static void
test_tls(void)
{
	int	i;

	for (i = 0; i < 100 && health_wait(TLS) && got.health.http_status == 0; i++)
		poll(NULL, 0, 50);	/* until the server listens */
	ok(got.health.outcome == NET_OK, "https: %s", got.health.reason);
	ok(health_wait(TLS_NAME) && got.health.outcome == NET_AWAY &&
	    strstr(got.health.reason, "not trusted") != NULL,
	    "https, but for another name: %s", got.health.reason);
}

static void
test_local(void)
{
	int	fd;

	/* A descriptor that cannot be written. */
	if ((fd = open("/dev/null", O_RDONLY)) == -1)
		err(1, "/dev/null");
	ok(fetch_wait(REAL, "rb-000001", fd, FILE_BYTES) &&
	    got.fetched.outcome == NET_LOCAL, "%s", got.fetched.reason);
	close(fd);
}

static void
test_cancel(int fd)
{
	struct m_empty	empty = { 0 };
	uint64_t	id[12], began_us;
	int		i, good = 1, back = file_make(0);

	fault_set("slow 2000000");
	began_us = util_monotonic_us();
	ok(fetch_wait(REAL, "rb-000001", back, FILE_BYTES) &&
	    got.fetched.outcome == NET_OK &&
	    util_monotonic_us() - began_us > 1000000 && progresses >= 3 &&
	    progress_us > 150000, "longer than the time-out, with progress "
	    "(%u times): %s", progresses, got.fetched.reason);
	close(back);
	fault_set("slow 100000");
	for (i = 0; i < 12; i++)
		id[i] = upload_send(REAL, fd, FILE_BYTES, 0);
	ok(health_wait(REAL) && got.health.outcome == NET_OK,
	    "12 uploads do not keep a question waiting");
	for (i = 11; i >= 0; i--) {	/* those that wait first */
		chan_send(engine, MSG_NET_CANCEL, id[i], &empty,
		    sizeof(empty), -1);
		ask_flush(engine);
		good &= ask_wait(engine, id[i]) &&
		    got.uploaded.outcome == NET_CANCELLED;
	}
	ok(good, "all 12 are cancelled");
	chan_send(engine, MSG_NET_CANCEL, id[0], &empty, sizeof(empty), -1);
	fault_none();
	for (i = 0; i < 12; i++)
		id[i] = upload_send(REAL, fd, FILE_BYTES, 0);
	good = 1;
	/* The last is answered last, or nearly so: take them as they come. */
	good &= ask_wait(engine, id[11]) && got.uploaded.outcome == NET_OK;
	ok(good, "12 at once, the last of which comes through");
	id[0] = question_send(MSG_ASK_LIST, NOWHERE, "1");
	chan_send(front, MSG_ASK_CANCEL, id[0], &empty, sizeof(empty), -1);
	ask_flush(front);
	ok(ask_wait(front, id[0]) && got.end.outcome != NET_OK,
	    "a question is cancelled: %s", got.end.reason);
}

static void
test_canned(void)
{
	static const struct {
		const char	*head, *body;
		enum net_outcome outcome;
		const char	*reason;
	} t[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abc",
		    NET_OK, "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "3\r\nabc\r\n0\r\n\r\n", NET_OK, "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "3\r\nabc\r\n", NET_AWAY, "*before the end*" },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "abc",
		    NET_GARBAGE, "*how long*" },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		    "Content-Length: 3\r\n\r\n", "abc", NET_GARBAGE,
		    "*encoding*" },
		{ "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\n",
		    "abc", NET_GARBAGE, "*206*" },
		{ "HTTP/1.1 403 No\r\nContent-Length: 30\r\n\r\n",
		    "{\"error\":\"key " KEY " bad\"}", NET_REFUSED,
		    "*refused with 403" },
		{ "HTTP/1.1 403 No\r\nContent-Length: 24\r\n\r\n",
		    "{\"message\":\"bad\\u001b.\"}", NET_REFUSED,
		    "*refused with 403: bad*" },
		{ "SSH-2.0-OpenSSH\r\n", "", NET_GARBAGE,
		    "*in HTTP" }
	};
	size_t	i;
	pid_t	pid;
	int	back = file_make(0);

	for (i = 0; i < nitems(t); i++) {
		pid = canned_serve(t[i].head, t[i].body, strlen(t[i].body));
		ok(fetch_wait(CANNED, "a", back, 10) &&
		    got.fetched.outcome == t[i].outcome &&
		    fnmatch(t[i].reason, got.fetched.reason, 0) == 0,
		    "%.12s: %s", t[i].head, got.fetched.reason);
		waitpid(pid, NULL, 0);
	}
	close(back);
}

/* The value of a line of /proc/PID/FILE, in kB; 0 where there is none. */
static long
memory_kb(const char *file, const char *what)
{
	char	path[64], line[256];
	FILE	*f;
	long	kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)network_pid, file);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, what, strlen(what)) == 0)
			kb = atol(line + strlen(what));
	}
	fclose(f);
	return (kb);
}

/* A long list, and a front that does not read for a while. */
static void
test_long_list(void)
{
	char		head[128], *body, *p;
	uint64_t	id;
	pid_t		pid;
	size_t		size = 6000000;
	int		i, n = 50000;

	p = body = xmalloc(size);
	*p++ = '[';
	for (i = 0; i < n; i++)
		p += snprintf(p, size - (size_t)(p - body), "{\"_id\":\"id%d\","
		    "\"name\":\"nightly\",\"size\":%d,\"description\":"
		    "\"some text\"}%s", i, i, i < n - 1 ? "," : "]");
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n"
	    "Content-Length: %zu\r\n\r\n", (size_t)(p - body));
	pid = canned_serve(head, body, (size_t)(p - body));
	id = question_send(MSG_ASK_LIST, CANNED, "1");
	waitpid(pid, NULL, 0);
	poll(NULL, 0, 500);
	ok(SANITIZED || memory_kb("status", "VmRSS:") < 40 * 1024,
	    "a front that does not read costs little memory (%ld kB)",
	    memory_kb("status", "VmRSS:"));
	ok(ask_wait(front, id) && got.end.outcome == NET_OK &&
	    rows == (uint32_t)n && got.end.rows == (uint32_t)n &&
	    strcmp(row.remote_id, "id49999") == 0, "all %u rows come", rows);
	free(body);
}

static int
exit_status(void)
{
	int	status;

	if (waitpid(network_pid, &status, 0) == -1 || !WIFEXITED(status))
		return (-1);
	return (WEXITSTATUS(status));
}

static void
restart_network(void)
{
	chan_free(engine);
	chan_free(front);
	network_start();
	network_configure();
}

static void
test_ends(int fd)
{
	struct m_empty	empty = { 0 };
	uint64_t	id;

	fault_set("slow 100000");
	upload_send(REAL, fd, FILE_BYTES, 0);
	health_wait(REAL);
	fault_none();
	chan_free(engine);
	ok(exit_status() == 0, "it ends with the engine, uploads or not");
	engine = NULL;
	restart_network();
	health_wait(REAL);
	chan_free(front);
	ok(exit_status() == 0, "and with front");
	front = NULL;
	restart_network();
	chan_send(engine, MSG_NET_START, 0, &empty, sizeof(empty), -1);
	ask_flush(engine);
	ok(exit_status() == 1, "a second start is an error");
	restart_network();
	id = upload_send(REMOTES, fd, FILE_BYTES, 0);
	ok(id != 0 && exit_status() == 1, "a remote that there is not, too");
	restart_network();
	if (write(chan_socket(front), "GET /healthz HTTP/1.1\r\n\r\n", 25) != 25)
		err(1, "write");
	ok(exit_status() == 1, "so is what is no message");
}

static void
report(const char *what, uint64_t began_us, uint64_t bytes)
{
	double	s = (double)(util_monotonic_us() - began_us) / 1e6;

	printf("# %s: %.2f s, %.0f MB/s, VmHWM %ld kB, Pss %ld kB\n", what, s,
	    (double)bytes / 1e6 / s, memory_kb("status", "VmHWM:"),
	    memory_kb("smaps_rollup", "Pss:"));
}

static int
measure(uint64_t bytes)
{
	uint64_t	began_us;
	int		fd = file_make(bytes), back = file_make(0);

	health_wait(REAL);
	report("idle", util_monotonic_us() - 1, 0);
	began_us = util_monotonic_us();
	ok(upload_wait(REAL, fd, 0) && got.uploaded.outcome == NET_OK, "upload %s",
	    got.uploaded.reason);
	report("upload", began_us, bytes);
	began_us = util_monotonic_us();
	ok(fetch_wait(REAL, got.uploaded.remote_id, back, bytes) &&
	    got.fetched.outcome == NET_OK, "fetch %s", got.fetched.reason);
	report("fetch", began_us, bytes);
	ok(file_same(fd, back), "same bytes");
	return (tap_end());
}

static void
test_all(void)
{
	int	fd = file_make(FILE_BYTES);

	ok(health_wait(REAL), "it serves");
	test_walls();
	test_good(fd);
	test_shapes(fd);
	test_faults(fd);
	test_lost();
	test_not_reached(fd);
	test_tls();
	test_local();
	test_cancel(fd);
	test_canned();
	test_long_list();
	test_ends(fd);
	close(fd);
}

int
main(int argc, char *argv[])
{
	driver_start(argv[0]);
	if (argc == 3 && strcmp(argv[1], "-s") == 0)
		return (measure(strtoull(argv[2], NULL, 10) * 1000000));
	test_all();
	return (tap_end());
}
