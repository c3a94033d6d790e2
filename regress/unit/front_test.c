/*
 * Tests of cloudbackupd-front, the program: what each call answers.  A
 * peer plays the engine and the network process, this process is the
 * client.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>

#include "front_ask.h"

/* ---- calls ---- */

static void
test_create(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;

	a = ask(st, 200, "POST " API "/create", NULL, NULL);
	at_is(&a, "success", "true");
	at_is(&a, "data.id", "7");
	at_is(&a, "data.user_id", "null");
	at_is(&a, "data.status", "completed");
	at_is(&a, "data.locations.1", "remote");
	at_is(&a, "data.locations.2", "null");
	at_is(&a, "data.remotes.1", "offsite");
	at_is(&a, "data.created_at", "2023-11-14T22:13:27.000Z");
	at_is(&a, "data.uploaded_at", "null");
	at_is(&a, "data.verification", "sound");
	ok(strcmp(answer_field(&a, "Content-Type"), "application/json") == 0 &&
	    answer_field(&a, "Date") != NULL &&
	    strcmp(answer_field(&a, "X-Content-Type-Options"), "nosniff") ==
	    0 && strcmp(answer_field(&a, "Cache-Control"), "no-store") == 0,
	    "the fields of every answer");
	ok(p->create.name[0] == '\0' && p->create.user.kind == USER_NONE &&
	    p->create.database[0] == '\0', "an empty body asks for defaults");
	answer_free(&a);

	a = ask(st, 200, "POST " API "/create", JSON, " {\"backupName\": "
	    "\"n\\u00e9\", \"x\": {\"a\": [1, 2.5e3, null]}}");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/create", "Content-Type: "
	    "Application/JSON; charset=utf-8\r\n", "{\"backup_name\": \"n\", "
	    "\"description\":\"d\\n\",\"userId\":42,\"database\":\"shop\"}");
	at_is(&a, "data.user_id", "42");
	ok(strcmp(p->create.name, "n") == 0 && strcmp(p->create.description,
	    "d\n") == 0 && p->create.user.kind == USER_NUMBER &&
	    strcmp(p->create.database, "shop") == 0, "its parameters arrive");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/create", "Transfer-Encoding: "
	    "chunked\r\nX: y\r\n\r\n0\r\n", NULL);
	answer_free(&a);

	a = ask(st, 200, "POST " API "/create", JSON,
	    "{\"backup_name\":\"pending\",\"user_id\":\"42\"}");
	at_is(&a, "data.error", "the remote is away.");
	ok(strstr(at(&a, "message"), "upload is pending: the remote is away")
	    != NULL && p->create.user.kind == USER_TEXT, "pending says so");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/create", JSON,
	    "{\"backup_name\":\"refused\"}");
	ok(strstr(at(&a, "message"), "refused it: 403") != NULL,
	    "refused says so");
	answer_free(&a);
	a = ask(st, 423, "POST " API "/create", JSON,
	    "{\"backup_name\":\"locked\"}");
	at_is(&a, "errorCode", "DATABASE_LOCKED");
	at_is(&a, "backup_id", "7");
	answer_free(&a);

	a = ask(st, 202, "POST " API "/create", "Prefer: wait=1, "
	    "respond-async\r\n", NULL);
	at_is(&a, "data.id", "77");
	at_is(&a, "data.finished_at", "null");
	ok(strcmp(answer_field(&a, "Location"), API "/jobs/77") == 0,
	    "Location");
	ok(strcmp(answer_field(&a, "Preference-Applied"), "respond-async") ==
	    0, "Preference-Applied");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/jobs/77", NULL, NULL);
	at_is(&a, "data.state", "running");
	answer_free(&a);
}

static void
test_facts(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;

	a = ask(st, 200, "GET " API "/stats/42", NULL, NULL);
	at_is(&a, "data.total_backups", "3");
	at_is(&a, "data.average_size", "3");
	at_is(&a, "data.last_backup", "2023-11-14T22:13:20.000Z");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/file-info?database=shop", NULL, NULL);
	at_is(&a, "data.exists", "true");
	at_is(&a, "data.is_locked", "true");
	at_is(&a, "data.created", "null");
	at_is(&a, "data.application_id", "-1");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/health", NULL, NULL);
	at_is(&a, "data.connected", "true");
	at_is(&a, "data.status", "healthy");
	at_is(&a, "data.server_url", "https://backup.example.org/x");
	at_is(&a, "data.response_time", "3");
	answer_free(&a);
	p->remote_outcome = NET_AWAY;
	a = ask(st, 200, "GET " API "/health/", NULL, NULL);
	at_is(&a, "data.connected", "false");
	at_is(&a, "data.response_time", "null");
	at_is(&a, "message", "No route to the remote.");
	answer_free(&a);
	p->remote_outcome = NET_OK;
}

static void
test_methods(struct stage *st)
{
	static const char *const heads[] = { "/healthz", API "/health",
	    API "/stats", API "/file-info", API "/user", API "/jobs/77" };
	struct answer	 a;
	char		*line;
	size_t		 i;

	for (i = 0; i < nitems(heads); i++) {
		line = xasprintf("HEAD %s", heads[i]);
		a = client(st, line, NULL, NULL);
		ok(a.status == 200 && a.body_n == 0, "%s has no body", line);
		answer_free(&a);
		free(line);
	}
	a = client(st, "OPTIONS " API "/create", NULL, NULL);
	ok(a.status == 204 && a.body_n == 0 && strcmp(answer_field(&a,
	    "Allow"), "POST, OPTIONS") == 0, "OPTIONS of create");
	answer_free(&a);
	a = client(st, "OPTIONS *", NULL, NULL);
	ok(a.status == 204 && answer_field(&a, "Allow") != NULL, "OPTIONS *");
	answer_free(&a);
	a = client(st, "DELETE " API "/user", NULL, NULL);
	ok(a.status == 405 && strcmp(answer_field(&a, "Allow"),
	    "GET, HEAD, OPTIONS") == 0, "405 says what is allowed");
	answer_free(&a);
}

static void
test_rights(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;
	uint32_t	 asked;

	p->forbid = 1;
	p->rights = 0;
	a = ask(st, 403, "GET " API "/stats", NULL, NULL);
	at_is(&a, "errorCode", "FORBIDDEN");
	answer_free(&a);
	memset(&p->ask, 0, sizeof(p->ask));
	a = ask(st, 403, "GET " API "/user", NULL, NULL);
	ok(p->ask.user_id[0] == '\0', "the remote was not asked");
	answer_free(&a);
	a = ask(st, 403, "GET " API "/health", NULL, NULL);
	answer_free(&a);
	asked = p->asked;
	a = ask(st, 200, "GET /healthz", NULL, NULL);
	ok(p->asked == asked, "/healthz asks nobody");
	answer_free(&a);
	p->forbid = 0;
	p->rights = RIGHT_READ;
	a = ask(st, 200, "GET " API "/stats", "x-forwarded-FOR: a\r\n", NULL);
	ok(p->flags == ASKER_FORWARDED, "X-Forwarded-For is told");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/stats", "Via: 1.1 x\r\n", NULL);
	ok(p->flags == ASKER_FORWARDED, "Via is told");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/stats", "Forwarded: for=x\r\n", NULL);
	ok(p->flags == ASKER_FORWARDED, "Forwarded is told");
	answer_free(&a);
	a = ask(st, 403, "GET " API "/health", "Forwarded: for=x\r\n", NULL);
	answer_free(&a);
	a = ask(st, 200, "GET " API "/stats", NULL, NULL);
	ok(p->flags == 0, "and nothing when there is nothing to tell");
	answer_free(&a);
}

/* ---- lists ---- */

/* Follows next to the end; how many entries there were, each older. */
static long
walk(struct stage *st, long limit, long *pages)
{
	struct answer	a;
	char		line[700], next[600] = "", first[64], last[64] = "z";
	long		n = 0, got;

	for (*pages = 0; *pages < 1000; (*pages)++) {
		snprintf(line, sizeof(line), "GET " API "/user?limit=%ld%s%s",
		    limit, next[0] == '\0' ? "" : "&before=", next);
		a = client(st, line, NULL, NULL);
		if (a.status != 200 || (got = rows_of(&a)) < 0)
			return (-1);
		strlcpy(first, at(&a, "data.0.created_at"), sizeof(first));
		if (got > 0 && strcmp(first, last) > 0)
			return (-2);
		snprintf(line, sizeof(line), "data.%ld.created_at", got - 1);
		strlcpy(last, at(&a, line), sizeof(last));
		strlcpy(next, at(&a, "next"), sizeof(next));
		n += got;
		answer_free(&a);
		if (strcmp(next, "(none)") == 0)
			break;
	}
	return (n);
}

static void
test_list(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;
	long		 pages;

	p->local_rows = 0;
	p->remote_rows = 0;
	a = ask(st, 200, "GET " API "/user", NULL, NULL);
	ok(rows_of(&a) == 0, "nothing anywhere");
	at_is(&a, "source", "remote");
	at_is(&a, "total", "0");
	answer_free(&a);

	p->local_rows = 5;
	p->remote_rows = 8;	/* 2, 4, 6, 8 are known to the catalog */
	a = ask(st, 200, "GET " API "/user", NULL, NULL);
	ok(rows_of(&a) == 9, "5 local and 4 that only the remote has");
	at_is(&a, "source", "merged");
	at_is(&a, "total", "9");
	at_is(&a, "next", "(none)");
	at_is(&a, "data.0.id", "r000007");
	at_is(&a, "data.0.checksum", "null");
	at_is(&a, "data.0.locations.0", "remote");
	at_is(&a, "data.0.user_id", "42");
	at_is(&a, "data.1.id", "5");
	at_is(&a, "data.2.id", "r000005");
	at_is(&a, "data.8.id", "r000001");
	at_is(&a, "data.8.file_size", "null");
	ok(strcmp(at(&a, "data.1.backup_name"), "Backup \"5\"\n\xc3\xa9\x01")
	    == 0, "a name with quotes and controls comes through");
	ok(strcmp(p->ask.user_id, "42") == 0, "the configured user is asked");
	answer_free(&a);
	ok(walk(st, 1, &pages) == 9 && pages == 8, "one by one: 9");
	ok(walk(st, 2, &pages) == 9 && pages == 4, "two by two: 9");
	ok(walk(st, 9, &pages) == 9 && pages == 0, "nine at once: 9");

	a = ask(st, 200, "GET " API "/user/x%20y", NULL, NULL);
	ok(strcmp(p->ask.user_id, "x y") == 0, "the user of the path is asked");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/user?database=shop", NULL, NULL);
	ok(rows_of(&a) == 5, "a list of one database is the catalog's");
	at_is(&a, "source", "local");
	answer_free(&a);

	p->local_rows = 0;
	a = ask(st, 200, "GET " API "/user", NULL, NULL);
	at_is(&a, "source", "remote");
	ok(rows_of(&a) == 4, "the remote's alone");
	answer_free(&a);
	ok(walk(st, 3, &pages) == 4, "three by three: 4");

	p->local_rows = 250;
	p->remote_outcome = NET_AWAY;
	a = ask(st, 200, "GET " API "/user", NULL, NULL);
	ok(rows_of(&a) == 250, "the remote is away: 250 local ones");
	at_is(&a, "source", "local");
	at_is(&a, "remote_error", "No route to the remote.");
	answer_free(&a);
	p->remote_outcome = NET_OK;
	p->pages = 0;
	p->fail_page = 3;
	a = client(st, "GET " API "/user", NULL, NULL);
	ok(a.status == 200 && !a.whole,
	    "an error in the middle cuts the answer off");
	answer_free(&a);
	p->fail_page = 0;
	ok(walk(st, 1000, &pages) == 254, "254 at once");
	ok(walk(st, 100, &pages) == 254 && pages == 2, "in three pages");

	p->remote_rows = 100050;
	a = ask(st, 200, "GET " API "/user?limit=1000", NULL, NULL);
	ok(strstr(at(&a, "remote_error"), "left out") != NULL,
	    "no more than 100000 of the remote's");
	at_is(&a, "total", "50250");
	at_is(&a, "data.0.id", "r099999");
	answer_free(&a);
	p->remote_rows = 8;
}

/* A client that reads slowly must not make the front hold the list. */
static void
test_list_slow(struct stage *st)
{
	static const char	req[] = "GET " API "/user HTTP/1.0\r\n\r\n";
	struct play		*p = st->play;
	char			*text;
	size_t			 n;
	uint32_t		 pages;
	int			 s;

	p->remote_rows = 0;
	p->local_rows = 50000;
	p->pages = 0;
	s = client_connect(st);
	client_send(s, req, sizeof(req) - 1);
	usleep(700000);
	pages = p->pages;
	ok(pages < 400, "a list waits for its reader (%u of 500 pages)",
	    pages);
	text = client_read(s, SIZE_MAX, &n, 15000);
	ok(strstr(text, "Connection: close") != NULL &&
	    strstr(text, "chunked") == NULL && n > 10000000 &&
	    strcmp(text + n - 2, "]}") != 0 && text[n - 1] == '}' &&
	    strstr(text, "\"total\":50000") != NULL,
	    "HTTP/1.0 gets all of it, up to the end of the connection");
	free(text);
	close(s);
	p->local_rows = 5;
}

/* ---- downloads ---- */

static void
make_file(struct play *p, size_t n)
{
	char	*bytes = xmalloc(n + 1);
	size_t	 i;
	int	 fd;

	for (i = 0; i < n; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	if ((fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    write(fd, bytes, n) != (ssize_t)n || close(fd) == -1)
		err(1, "%s", p->file);
	free(bytes);
}

static int
file_bytes_are(const char *p, size_t from, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		if (p[i] != (char)((from + i) * 7 + (from + i) / 251))
			return (0);
	}
	return (1);
}

static void
test_range(struct stage *st, const char *fields, int status, size_t from,
    size_t n)
{
	struct answer	a = client(st, "GET " API "/download/7", fields, NULL);

	ok(a.status == status && (status == 416 || status == 304 ||
	    (a.whole && a.body_n == n && file_bytes_are(a.body, from, n))),
	    "download with %.*s: %d", (int)strcspn(fields, "\r"), fields,
	    status);
	answer_free(&a);
}

static void
test_download(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;
	size_t		 n = 3000001;

	make_file(p, n);
	util_copy(p->checksum, "sha256:ab");
	a = ask(st, 200, "GET " API "/download/7", NULL, NULL);
	ok(a.body_n == n && file_bytes_are(a.body, 0, n), "all bytes");
	ok(strcmp(answer_field(&a, "ETag"), "\"sha256:ab\"") == 0, "ETag");
	ok(strcmp(answer_field(&a, "Content-Type"),
	    "application/x-sqlite3") == 0, "Content-Type");
	ok(strcmp(answer_field(&a,
	    "Content-Disposition"), "attachment; "
	    "filename=\"_._shop__x___A__b-20231114T221327Z-7.sqlite\"") == 0,
	    "a file name that is safe");
	ok(strcmp(answer_field(&a, "Accept-Ranges"), "bytes") == 0,
	    "Accept-Ranges");
	answer_free(&a);
	a = client(st, "HEAD " API "/download/7", "Range: bytes=0-4\r\n", NULL);
	ok(a.status == 200 && a.body_n == 0 && strcmp(answer_field(&a,
	    "Content-Length"), "3000001") == 0, "HEAD");
	answer_free(&a);
	test_range(st, "Range: bytes=0-0\r\n", 206, 0, 1);
	test_range(st, "Range: bytes=2999999-\r\n", 206, 2999999, 2);
	test_range(st, "Range: bytes=100000-1000000\r\n", 206, 100000, 900001);
	test_range(st, "Range: bytes=-5\r\n", 206, n - 5, 5);
	test_range(st, "Range: bytes=-9999999\r\n", 206, 0, n);
	test_range(st, "Range: bytes=3000001-\r\n", 416, 0, 0);
	test_range(st, "Range: bytes=0-1,5-6\r\n", 200, 0, n);
	test_range(st, "Range: bytes=5-1\r\n", 200, 0, n);
	test_range(st, "Range: lines=1-2\r\n", 200, 0, n);
	test_range(st, "Range: bytes=0-0\r\nIf-Range: \"sha256:ab\"\r\n",
	    206, 0, 1);
	test_range(st, "If-Range: \"x\"\r\nRange: bytes=0-0\r\n", 200, 0, n);
	test_range(st, "If-Range: W/\"sha256:ab\"\r\nRange: bytes=0-0\r\n",
	    200, 0, n);
	test_range(st, "If-None-Match: \"sha256:ab\"\r\n", 304, 0, 0);
	test_range(st, "If-None-Match: \"x\", W/\"sha256:ab\"\r\n", 304, 0, 0);
	test_range(st, "If-None-Match: \"x\"\r\n", 200, 0, n);
	a = client(st, "GET " API "/download/7", "Range: bytes=9999999-\r\n",
	    NULL);
	ok(a.status == 416 && envelope_holds(&a) && strcmp(answer_field(&a,
	    "Content-Range"), "bytes */3000001") == 0, "416 tells the size");
	answer_free(&a);
	a = client(st, "GET " API "/download/7", "Range: bytes=1-2\r\n", NULL);
	ok(a.status == 206 && strcmp(answer_field(&a, "Content-Range"),
	    "bytes 1-2/3000001") == 0, "Content-Range");
	answer_free(&a);
	a = ask(st, 422, "GET " API "/download/13", NULL, NULL);
	at_is(&a, "errorCode", "INVALID_BACKUP");
	answer_free(&a);

	a = ask(st, 200, "GET " API "/download/remote:12%20x", NULL, NULL);
	ok(p->backup.ref == REF_REMOTE && strcmp(p->backup.remote_id,
	    "12 x") == 0, "remote:ID");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/download/abc?database=d", NULL, NULL);
	ok(p->backup.ref == REF_REMOTE && strcmp(p->backup.remote_id,
	    "abc") == 0 && strcmp(p->backup.database, "d") == 0,
	    "a remote's id");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/download/007", NULL, NULL);
	ok(p->backup.ref == REF_LOCAL && p->backup.local_id == 7, "digits");
	answer_free(&a);
	make_file(p, 0);
	a = ask(st, 200, "GET " API "/download/7", NULL, NULL);
	ok(a.body_n == 0, "an empty file");
	answer_free(&a);
}

static void
test_download_memory(struct stage *st)
{
	static const char	req[] = "GET " API "/download/7 HTTP/1.1\r\n"
				    HOST "\r\n";
	struct play		*p = st->play;
	char			*buf = xmalloc(1 << 20);
	size_t			 got = 0, n = 256 << 20;
	ssize_t			 r;
	long			 before, after;
	int			 s, fd;

	if ((fd = open(p->file, O_WRONLY | O_TRUNC)) == -1 ||
	    ftruncate(fd, (off_t)n) == -1)
		err(1, "%s", p->file);
	close(fd);
	before = front_rss(st);
	s = client_connect(st);
	client_send(s, req, sizeof(req) - 1);
	usleep(200000);			/* it must wait for its reader */
	while (got < n && (r = recv(s, buf, 1 << 20, 0)) > 0)
		got += (size_t)r;
	after = front_rss(st);
	ok(got >= n, "256 MiB arrive");
	ok(after - before < 16 << 20, "in %ld KiB more memory",
	    (after - before) / 1024);
	close(s);
	/* A client that leaves in the middle. */
	s = client_connect(st);
	client_send(s, req, sizeof(req) - 1);
	recv(s, buf, 1000, 0);
	close(s);
	ok(reached(&p->closed, p->opened), "a client that leaves is noticed");
	free(buf);
}

/* ---- the other shapes, and broken peers ---- */

static void
test_node(struct stage *st)
{
	struct play	*p = st->play;
	struct answer	 a;

	p->local_rows = 2;
	p->remote_rows = 3;
	a = ask(st, 200, "GET " API "/user", NULL, NULL);
	at_is(&a, "data.data.0._id", "r000003");
	at_is(&a, "data.data.1._id", "2");
	at_is(&a, "data.data.1.size", "8192");
	at_is(&a, "data.data.1.filename", "shop-20231114T221322Z-2.sqlite");
	at_is(&a, "data.data.1.createdAt", "2023-11-14T22:13:22.000Z");
	at_is(&a, "data.total", "4");
	at_is(&a, "total", "4");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/create", JSON, "{\"backupName\":\"n\"}");
	at_is(&a, "data.backupId", "7");
	at_is(&a, "data.backupName", "n");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/stats", NULL, NULL);
	at_is(&a, "data.totalBackups", "3");
	at_is(&a, "data.totalSize", "10");
	at_is(&a, "data.lastBackup", "2023-11-14T22:13:20.000Z");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/file-info", NULL, NULL);
	at_is(&a, "data.isLocked", "true");
	answer_free(&a);
}

static void
test_no_remote(struct stage *st)
{
	struct answer	a;

	st->play->local_rows = 3;
	a = ask(st, 200, "GET " API "/health", NULL, NULL);
	at_is(&a, "data.connected", "false");
	at_is(&a, "data.status", "unhealthy");
	at_is(&a, "data.server_url", "null");
	at_is(&a, "data.response_time", "null");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/user/42?limit=2", NULL, NULL);
	ok(rows_of(&a) == 2, "two of three");
	at_is(&a, "source", "local");
	at_is(&a, "total", "3");
	answer_free(&a);
}

static void
test_broken_peers(struct m_front_conf *conf, struct play *p)
{
	struct stage	st;
	struct answer	a;
	int		status;

	stage_open(&st, program, conf, p);
	p->network_dies = 1;
	usleep(100000);
	p->local_rows = 3;
	a = ask(&st, 200, "GET " API "/user", NULL, NULL);
	ok(rows_of(&a) == 3, "without the network process: the local list");
	answer_free(&a);
	a = ask(&st, 200, "GET " API "/health", NULL, NULL);
	at_is(&a, "data.connected", "false");
	answer_free(&a);
	p->network_dies = 0;
	p->impossible = 1;
	a = client(&st, "GET " API "/file-info", NULL, NULL);
	answer_free(&a);
	status = stage_front_ended(&st);
	ok(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 1,
	    "an impossible answer of the engine is fatal");
	p->impossible = 0;
	stage_close(&st);
}

int
main(int argc, char *argv[])
{
	struct m_front_conf	 conf;
	struct stage		 st;
	struct play		*p = play_new();

	(void)argc;
	find_program(argv[0]);
	snprintf(p->file, sizeof(p->file), "/tmp/front_test.%d.file",
	    (int)getpid());
	default_conf(&conf);
	stage_open(&st, program, &conf, p);
	test_create(&st);
	test_facts(&st);
	test_methods(&st);
	test_rights(&st);
	test_list(&st);
	test_list_slow(&st);
	test_download(&st);
	test_download_memory(&st);
	ok(stage_close(&st) == 0, "the front ends with the engine");
	conf.flags = FRONT_COMPAT_NODE;
	stage_open(&st, program, &conf, p);
	test_node(&st);
	stage_close(&st);
	default_conf(&conf);
	test_broken_peers(&conf, p);
	conf.remotes = 0;
	conf.remote_url[0] = '\0';
	stage_open(&st, program, &conf, p);
	test_no_remote(&st);
	ok(stage_close(&st) == 0, "the front ends with the engine");
	unlink(p->file);
	return (tap_end());
}
