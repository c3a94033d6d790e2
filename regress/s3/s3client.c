/*
 * Plays the engine for one request to an S3 remote: starts the network
 * process, configures the remote by -o NAME=VALUE, asks, prints what comes,
 * a line each, and ends.  The exit status is 0 when the outcome is NET_OK.
 *
 *	put KEY FILE [MANIFEST]		get KEY FILE		delete KEY ...
 *	abort KEY UPLOAD-ID		list [PREFIX]		test
 *	health				rows [USER] (as front asks)
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <openssl/evp.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/util.h"
#include "proto/msg.h"

#define WAIT_MS		60000
#define REMOTE		3		/* its number */

static struct m_net_remote	 remote;
static struct m_net_s3		 s3;
static struct m_net_upload	 upload;
static struct m_net_costs	 cost;
static int			 cost_told;
static uint64_t			 kill_at, cancel_at, part_size;
static uint64_t			 size_max = INT64_MAX;
static struct chan		*engine, *front;
static pid_t			 network_pid;
static char			 build[PATH_MAX], jail[64];

/* ---- options ---- */

enum kind { TEXT, NUMBER32, NUMBER64, FLAG };

static const struct option {
	const char	*name;
	enum kind	 kind;
	void		*to;
	size_t		 size;		/* of a text; a flag's bit */
} options[] = {
#define T(name, a)	{ name, TEXT, a, sizeof(a) }
	T("url", remote.url), T("bucket", s3.bucket),
	T("prefix", s3.prefix), T("region", s3.region),
	T("access", s3.access_key), T("secret", s3.secret_key),
	T("token", s3.session_token),
	T("delete-access", s3.delete_access_key),
	T("delete-secret", s3.delete_secret_key),
	T("class", s3.storage_class), T("sse", s3.sse),
	T("sse-key", s3.sse_key), T("lock", s3.lock_mode),
	T("upload-id", upload.upload_id), T("form", upload.form),
#undef T
	{ "days", NUMBER32, &s3.retain_days, 0 },
	{ "parallel", NUMBER32, &s3.parallel, 0 },
	{ "timeout", NUMBER32, &remote.timeout_ms, 0 },
	{ "part-size", NUMBER64, &part_size, 0 },
	{ "limit", NUMBER64, &remote.upload_limit, 0 },
	{ "kill-at", NUMBER64, &kill_at, 0 },
	{ "cancel-at", NUMBER64, &cancel_at, 0 },
	{ "max", NUMBER64, &size_max, 0 },
	{ "virtual", FLAG, &s3.flags, S3_VIRTUAL_HOST },
	{ "conditional", FLAG, &s3.flags, S3_CONDITIONAL },
	{ "no-delete", FLAG, &s3.flags, S3_NO_DELETE },
	{ "look", FLAG, &upload.flags, UPLOAD_LOOK_FIRST }
};

static void
option(const char *arg)
{
	const struct option	*o;
	const char		*value = arg + strcspn(arg, "=");
	size_t			 n = (size_t)(value - arg);

	for (o = options; o < options + nitems(options); o++) {
		if (strlen(o->name) != n || memcmp(o->name, arg, n) != 0)
			continue;
		value += *value == '=';
		if (o->kind == TEXT &&
		    strlcpy(o->to, value, o->size) >= o->size)
			errx(1, "too long: %s", arg);
		if (o->kind == NUMBER32)
			*(uint32_t *)o->to = (uint32_t)strtoul(value, NULL,
			    10);
		if (o->kind == NUMBER64)
			*(uint64_t *)o->to = strtoull(value, NULL, 10);
		if (o->kind == FLAG)
			*(uint32_t *)o->to |= (uint32_t)o->size;
		return;
	}
	errx(1, "no such option: %s", arg);
}

/* ---- the process ---- */

static void
exec_network(int e, int f)
{
	char	path[PATH_MAX + 32];

	/* Out of the way of 3 and 4 first. */
	if ((e = fcntl(e, F_DUPFD, 10)) == -1 ||
	    (f = fcntl(f, F_DUPFD, 10)) == -1 ||
	    dup2(e, 3) == -1 || dup2(f, 4) == -1)
		err(1, "dup2");
	closefrom(5);
	snprintf(path, sizeof(path), "%s/cloudbackupd-network", build);
	if (geteuid() == 0)
		execl(path, "network", "-dv", "-u", "irc", "-r", jail,
		    (char *)NULL);
	else
		execl(path, "network", "-dv", (char *)NULL);
	err(1, "%s", path);
}

static void
remove_jail(void)
{
	static const char *const	files[] = { "/etc/hosts",
					    "/etc/resolv.conf",
					    "/etc/nsswitch.conf", "/etc", "" };
	char				path[128];
	size_t				i;

	for (i = 0; i < nitems(files); i++) {
		snprintf(path, sizeof(path), "%s%s", jail, files[i]);
		(void)remove(path);
	}
}

static void
start(void)
{
	struct m_empty	empty = { 0 };
	int		e[2], f[2];

	snprintf(jail, sizeof(jail), "/tmp/s3client.%d", (int)getpid());
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
	remote.index = s3.index = REMOTE;
	remote.kind = REMOTE_S3;
	snprintf(remote.name, sizeof(remote.name), "bucket");
	s3.part_size = part_size;
	chan_send(engine, MSG_NET_REMOTE, 0, &remote, sizeof(remote), -1);
	chan_send(engine, MSG_NET_S3, 0, &s3, sizeof(s3), -1);
	chan_send(engine, MSG_NET_START, 0, &empty, sizeof(empty), -1);
}

/* ---- what comes ---- */

static void
print_end(const char *what, uint32_t outcome, uint32_t status,
    const char *reason)
{
	printf("%s outcome=%u status=%u %s\n", what, outcome, status, reason);
}

static void
print_manifest(const struct m_manifest *m)
{
	printf("row key=%s id=%lld database=%s name=%s user=%u:%s size=%llu "
	    "stored=%llu object=%lld form=%s mac=%s\n", m->key,
	    (long long)m->id, m->database, m->name, m->user.kind, m->user.id,
	    (unsigned long long)m->size, (unsigned long long)m->stored_size,
	    (long long)m->object_size, m->form, m->mac);
}

static void
print_deleted(const struct m_net_deleted *d)
{
	uint32_t	i, count[NET_CANCELLED + 1] = { 0 };

	for (i = 0; i < d->count; i++)
		count[d->outcome[i]]++;
	printf("deleted ok=%u away=%u refused=%u garbage=%u of=%u status=%u "
	    "%s\n", count[NET_OK], count[NET_AWAY], count[NET_REFUSED],
	    count[NET_GARBAGE], d->count, d->http_status, d->reason);
}

static void
progress(const struct m_net_progress *p, uint64_t id)
{
	struct m_empty	empty = { 0 };

	if (kill_at != 0 && p->bytes_done >= kill_at) {
		kill(network_pid, SIGKILL);
		printf("killed at=%llu\n", (unsigned long long)p->bytes_done);
		exit(9);
	}
	if (cancel_at != 0 && p->bytes_done >= cancel_at) {
		cancel_at = 0;
		chan_send(engine, MSG_NET_CANCEL, id, &empty, sizeof(empty),
		    -1);
		(void)chan_drain(engine);
	}
}

/* A line for a message; its outcome, or -1 when it is not the end. */
static int
print_message(const struct msg *m)
{
	const struct m_net_uploaded	*u = m->data;
	const struct m_net_fetched	*f = m->data;
	const struct m_net_done		*d = m->data;
	const struct m_remote_end	*e = m->data;
	const struct m_net_multipart	*p = m->data;
	const struct m_net_test_row	*t = m->data;
	const struct m_net_deleted	*x = m->data;
	const struct m_remote_row	*r = m->data;
	const struct m_health		*h = m->data;

	switch (m->type) {
	case MSG_NET_PROGRESS:
		progress(m->data, m->id);
		return (-1);
	case MSG_NET_COSTS:
		memcpy(&cost, m->data, sizeof(cost));
		cost_told = 1;
		return (-1);
	case MSG_NET_MULTIPART:
		printf("multipart part-size=%llu upload-id=%s\n",
		    (unsigned long long)p->part_size, p->upload_id);
		return (-1);
	case MSG_NET_MANIFEST_ROW:
		print_manifest(m->data);
		return (-1);
	case MSG_TELL_ROW:
		printf("row id=%s name=%s size=%lld\n", r->remote_id, r->name,
		    (long long)r->size);
		return (-1);
	case MSG_NET_TEST_ROW:
		printf("step %s %s status=%u %s\n", t->step, t->ok ? "ok" :
		    "no", t->http_status, t->text);
		return (-1);
	case MSG_NET_UPLOADED:
		printf("flags=%u retry-after=%u id=%s\n", u->flags,
		    u->retry_after_s, u->remote_id);
		print_end("uploaded", u->outcome, u->http_status, u->reason);
		return ((int)u->outcome);
	case MSG_NET_FETCHED:
		printf("size=%llu\n", (unsigned long long)f->size);
		print_end("fetched", f->outcome, f->http_status, f->reason);
		return ((int)f->outcome);
	case MSG_NET_DELETED:
		print_deleted(x);
		return ((int)x->outcome[0]);
	case MSG_TELL_HEALTH:
		print_end("health", h->outcome, h->http_status, h->reason);
		return ((int)h->outcome);
	case MSG_NET_LIST_END:
	case MSG_TELL_LIST_END:
		printf("rows=%u skipped=%u\n", e->rows, e->skipped);
		print_end("listed", e->outcome, e->http_status, e->reason);
		return ((int)e->outcome);
	default:
		print_end(msg_desc(m->type)->name, d->outcome, d->http_status,
		    d->reason);
		return ((int)d->outcome);
	}
}

static void
costs(void)
{
	const struct m_net_costs	*c = &cost;
	struct msg			 m;

	/* Told to the engine before the end that front was told. */
	if (!cost_told && (chan_wait(engine, &m, WAIT_MS) != 1 ||
	    print_message(&m) != -1 || !cost_told))
		errx(1, "no costs");
	printf("costs put=%llu get=%llu head=%llu list=%llu delete=%llu "
	    "post=%llu up=%llu down=%llu\n",
	    (unsigned long long)c->requests[REQUEST_PUT],
	    (unsigned long long)c->requests[REQUEST_GET],
	    (unsigned long long)c->requests[REQUEST_HEAD],
	    (unsigned long long)c->requests[REQUEST_LIST],
	    (unsigned long long)c->requests[REQUEST_DELETE],
	    (unsigned long long)c->requests[REQUEST_POST],
	    (unsigned long long)c->bytes_up,
	    (unsigned long long)c->bytes_down);
}

static void
memory(void)
{
	char	path[64], line[256];
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)network_pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			printf("memory kb=%ld\n", atol(line + 6));
	}
	fclose(f);
}

/* ---- what is asked ---- */

static void
hash_file(int fd, char hex[HEX_BYTES])
{
	static uint8_t	 buf[1 << 20];
	uint8_t		 md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX	*ctx;
	off_t		 at = 0;
	ssize_t		 n;

	if ((ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		errx(1, "EVP_DigestInit_ex");
	for (; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n)
		EVP_DigestUpdate(ctx, buf, (size_t)n);
	EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	util_hex(hex, md, 32);
}

static void
send_manifest(const char *file)
{
	struct m_net_manifest	m;
	ssize_t			n;
	int			fd;

	memset(&m, 0, sizeof(m));
	if ((fd = open(file, O_RDONLY)) == -1 ||
	    (n = read(fd, m.text, sizeof(m.text))) == -1)
		err(1, "%s", file);
	close(fd);
	m.size = (uint32_t)n;
	chan_send(engine, MSG_NET_MANIFEST, 1, &m, sizeof(m), -1);
}

static void
send_put(char **argv)
{
	struct stat	sb;
	int		fd;

	if ((fd = open(argv[1], O_RDONLY)) == -1 || fstat(fd, &sb) == -1)
		err(1, "%s", argv[1]);
	upload.remote = REMOTE;
	upload.size = (uint64_t)sb.st_size;
	upload.part_size = upload.upload_id[0] != '\0' ? part_size : 0;
	if (upload.form[0] == '\0')
		(void)strlcpy(upload.form, "sqlite", sizeof(upload.form));
	snprintf(upload.key, sizeof(upload.key), "%s", argv[0]);
	hash_file(fd, upload.sha256);
	if (argv[2] != NULL)
		send_manifest(argv[2]);
	chan_send(engine, MSG_NET_UPLOAD, 1, &upload, sizeof(upload), fd);
}

static void
send_get(char **argv)
{
	struct m_net_fetch	m;
	int			fd;

	memset(&m, 0, sizeof(m));
	if ((fd = open(argv[1], O_RDWR | O_CREAT, 0600)) == -1)
		err(1, "%s", argv[1]);
	m.remote = REMOTE;
	m.size_max = size_max;
	snprintf(m.remote_id, sizeof(m.remote_id), "%s", argv[0]);
	chan_send(engine, MSG_NET_FETCH, 1, &m, sizeof(m), fd);
}

static void
send_delete(char **argv)
{
	struct m_net_delete	m;
	size_t			used = 0;

	memset(&m, 0, sizeof(m));
	m.remote = REMOTE;
	for (; *argv != NULL; argv++, m.count++) {
		if (strlcpy(m.keys + used, *argv, sizeof(m.keys) - used) >=
		    sizeof(m.keys) - used)
			errx(1, "too many keys");
		used += strlen(*argv) + 1;
	}
	chan_send(engine, MSG_NET_DELETE, 1, &m, sizeof(m), -1);
}

static void
send_abort(char **argv)
{
	struct m_net_abort	m;

	memset(&m, 0, sizeof(m));
	m.remote = REMOTE;
	snprintf(m.key, sizeof(m.key), "%s", argv[0]);
	snprintf(m.upload_id, sizeof(m.upload_id), "%s", argv[1]);
	chan_send(engine, MSG_NET_ABORT, 1, &m, sizeof(m), -1);
}

static void
send_list(char **argv)
{
	struct m_net_list	m;

	memset(&m, 0, sizeof(m));
	m.remote = REMOTE;
	if (argv[0] != NULL)
		snprintf(m.prefix, sizeof(m.prefix), "%s", argv[0]);
	chan_send(engine, MSG_NET_LIST, 1, &m, sizeof(m), -1);
}

static void
send_test(char **argv)
{
	struct m_net_test	m;

	(void)argv;
	memset(&m, 0, sizeof(m));
	m.remote = REMOTE;
	chan_send(engine, MSG_NET_TEST, 1, &m, sizeof(m), -1);
}

static void
send_ask(enum msg_type type, const char *user)
{
	struct m_ask	m;

	memset(&m, 0, sizeof(m));
	m.remote = REMOTE;
	if (user != NULL)
		snprintf(m.user_id, sizeof(m.user_id), "%s", user);
	chan_send(front, type, 1, &m, sizeof(m), -1);
}

static void
send_health(char **argv)
{
	(void)argv;
	send_ask(MSG_ASK_HEALTH, NULL);
}

static void
send_rows(char **argv)
{
	send_ask(MSG_ASK_LIST, argv[0]);
}

static const struct {
	const char	*name;
	int		 least;		/* arguments */
	int		 fronts;
	void		(*send)(char **);
} commands[] = {
	{ "put", 2, 0, send_put }, { "get", 2, 0, send_get },
	{ "delete", 1, 0, send_delete }, { "abort", 2, 0, send_abort },
	{ "list", 0, 0, send_list }, { "test", 0, 0, send_test },
	{ "health", 0, 1, send_health }, { "rows", 0, 1, send_rows }
};

static int
ask(int argc, char **argv)
{
	struct chan	*c;
	struct msg	 m;
	size_t		 i;
	int		 outcome = -1;

	for (i = 0; i < nitems(commands); i++) {
		if (strcmp(commands[i].name, argv[0]) == 0)
			break;
	}
	if (i == nitems(commands) || argc - 1 < commands[i].least)
		errx(1, "no such command: %s", argv[0]);
	start();
	commands[i].send(argv + 1);
	if (chan_drain(engine) == -1 || chan_drain(front) == -1)
		errx(1, "network has ended");
	c = commands[i].fronts ? front : engine;
	while (outcome == -1) {
		if (chan_wait(c, &m, WAIT_MS) != 1)
			errx(1, "no answer: %s", chan_error(c));
		outcome = print_message(&m);
		fflush(stdout);
	}
	return (outcome);
}

int
main(int argc, char *argv[])
{
	char	*slash;
	int	 c, i, outcome;

	if (realpath(argv[0], build) == NULL)
		err(1, "%s", argv[0]);
	for (i = 0; i < 2; i++) {
		if ((slash = strrchr(build, '/')) != NULL)
			*slash = '\0';
	}
	signal(SIGPIPE, SIG_IGN);
	remote.timeout_ms = 5000;
	while ((c = getopt(argc, argv, "+o:")) != -1) {
		if (c != 'o')
			errx(1, "usage: s3client [-o NAME=VALUE] COMMAND ...");
		option(optarg);
	}
	if (optind == argc)
		errx(1, "usage: s3client [-o NAME=VALUE] COMMAND ...");
	if (atexit(remove_jail) != 0)
		err(1, "atexit");
	outcome = ask(argc - optind, argv + optind);
	costs();
	memory();
	chan_free(engine);
	chan_free(front);
	if (waitpid(network_pid, &c, 0) == -1 || !WIFEXITED(c) ||
	    WEXITSTATUS(c) != 0)
		errx(1, "network has ended with status 0x%x", c);
	return (outcome == NET_OK ? 0 : 1);
}
