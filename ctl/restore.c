/*
 * The verbs that put something back, or prove that it could be: restore,
 * undo, verify, download.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

#define IDENTITY_BYTES	4096

/* An age identity file: its first line that is one. */
static int
identity_add(struct json_object *body, const char *file)
{
	static const char	mark[] = "AGE-SECRET-KEY-";
	char			line[IDENTITY_BYTES];
	FILE			*f;
	int			 found = 0;

	if ((f = fopen(file, "r")) == NULL) {
		say_error("%s: %s", file, strerror(errno));
		return (-1);
	}
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, mark, sizeof(mark) - 1) != 0)
			continue;
		json_object_object_add(body, "identity",
		    json_object_new_string(line));
		found = 1;
	}
	explicit_bzero(line, sizeof(line));
	fclose(f);
	if (!found)
		say_error("%s has no age identity (a line that begins with "
		    "%s)", file, mark);
	return (found ? 0 : -1);
}

/* Begins a restore and follows it. */
static int
restore(const struct ctl *ctl, const char *what, const char *path,
    struct json_object *body)
{
	struct answer		 a, job;
	struct json_object	*j;
	char			 size[16];
	int			 status;

	client_call(ctl->client, "POST", path, body, CALL_ASYNC, &a);
	json_object_put(body);
	if (a.status / 100 != 2) {
		status = say_failure(what, &a);
		answer_free(&a);
		return (status);
	}
	status = job_follow(ctl, what, &a, &job);
	if (status == CTL_OK && !say_json(ctl, &job)) {
		j = j_data(&job);
		say_size(size, j_int(j, "bytes_total"));
		printf("%s restored (%s)", j_text(j, "database"), size);
		if (j_int(j, "safety_backup_id") != 0)
			printf("; what was there before is backup %lld: "
			    "\"cloudbackupctl undo\" puts it back",
			    (long long)j_int(j, "safety_backup_id"));
		printf("\n");
	}
	answer_free(&a);
	answer_free(&job);
	return (status);
}

static struct json_object *
body_new(const struct ctl *ctl)
{
	struct json_object	*body = json_object_new_object();

	if (ctl->database != NULL)
		json_object_object_add(body, "database",
		    json_object_new_string(ctl->database));
	return (body);
}

/* What would be overwritten, and with what. */
static int
restore_ask(const struct ctl *ctl, const char *id)
{
	struct answer		 a;
	struct json_object	*b;
	char			 path[1024] = "/backup", age[16], size[16];
	int			 yes;

	if (ctl->yes)
		return (1);
	client_segment(ctl->client, path, sizeof(path), id);
	client_call(ctl->client, "GET", path, NULL, 0, &a);
	b = a.status == 200 ? j_data(&a) : NULL;
	say_since(age, j_text(b, "created_at"));
	say_size(size, b == NULL ? -1 : j_int(b, "file_size"));
	yes = say_ask(ctl, "Put backup %s%s%s (%s old, %s) in place of what "
	    "%s has now (that is kept as a backup of its own)", id,
	    b == NULL ? "" : " of ", b == NULL ? "" : j_text(b, "database"),
	    age, size, ctl->database != NULL ? ctl->database : b == NULL ?
	    "the database" : j_text(b, "database"));
	answer_free(&a);
	return (yes);
}

int
do_restore(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*body = body_new(ctl);
	char			 path[1024] = "/restore";
	int			 ch;

	while ((ch = getopt(argc, argv, "fi:")) != -1) {
		if (ch == 'f')
			json_object_object_add(body, "force",
			    json_object_new_boolean(1));
		else if (ch != 'i' || identity_add(body, optarg) == -1) {
			json_object_put(body);
			return (ch == 'i' ? CTL_USAGE :
			    verb_usage("restore"));
		}
	}
	if (optind + 1 != argc || !restore_ask(ctl, argv[optind])) {
		json_object_put(body);
		return (optind + 1 != argc ? verb_usage("restore") :
		    CTL_USAGE);
	}
	client_segment(ctl->client, path, sizeof(path), argv[optind]);
	return (restore(ctl, "restore", path, body));
}

int
do_undo(const struct ctl *ctl, int argc, char *argv[])
{
	(void)argv;
	if (argc != 1)
		return (verb_usage("undo"));
	if (!say_ask(ctl, "Put back what the last restore of %s replaced",
	    ctl->database == NULL ? "the first database" : ctl->database))
		return (CTL_USAGE);
	return (restore(ctl, "undo", "/undo", body_new(ctl)));
}

int
do_verify(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer		 a;
	struct json_object	*d;
	char			 path[1024] = "/verify", text[1024];
	int			 status = CTL_OK;

	if (argc != 2)
		return (verb_usage("verify"));
	client_segment(ctl->client, path, sizeof(path), argv[1]);
	client_call(ctl->client, "POST", path, NULL, 0, &a);
	if (a.status != 200)
		status = say_failure("verify", &a);
	else {
		d = j_data(&a);
		if (strcmp(j_text(d, "result"), "failed") == 0)
			status = CTL_FAILED;
		say_clean(text, sizeof(text), j_text(d, "text"));
		if (!say_json(ctl, &a))
			printf("backup %s from %s: %s in %lld ms, %lld "
			    "tables, %lld rows%s%s\n", argv[1],
			    j_text(d, "place"), j_text(d, "result"),
			    (long long)j_int(d, "duration_ms"),
			    (long long)j_int(d, "tables"),
			    (long long)j_int(d, "rows"),
			    text[0] == '\0' ? "" : ": ", text);
	}
	answer_free(&a);
	return (status);
}

/* ---- download ---- */

struct download {
	const struct ctl *ctl;
	char		 temporary[PATH_MAX];
	int		 fd;
	int64_t		 done;
	uint64_t	 drawn_us;
	int		 error;		/* errno */
	SHA2_CTX	 hash;
};

static void
draw(struct download *d)
{
	char	done[16], total[16];
	int64_t	length = client_length(d->ctl->client);

	if (!d->ctl->terminal || d->ctl->json ||
	    util_monotonic_us() - d->drawn_us < 200000)
		return;
	d->drawn_us = util_monotonic_us();
	say_size(done, d->done);
	say_size(total, length);
	fprintf(stderr, "\r\033[Kdownload %s/%s  %3d%%", done, total,
	    length > 0 ? (int)(d->done * 100 / length) : 0);
}

static int
on_data(const char *data, size_t n, void *arg)
{
	struct download	*d = arg;
	ssize_t		 w;
	size_t		 at = 0;

	while (at < n) {
		if ((w = write(d->fd, data + at, n - at)) == -1) {
			d->error = errno;
			return (-1);
		}
		at += (size_t)w;
	}
	SHA256Update(&d->hash, (const uint8_t *)data, n);
	d->done += (int64_t)n;
	draw(d);
	return (0);
}

/* Is what came what the catalog has?  0, or -1 after the message. */
static int
compare(const struct ctl *ctl, const char *id, int raw, struct download *d)
{
	struct answer	 a;
	char		 path[1024] = "/backup";
	char		 text[SHA256_DIGEST_STRING_LENGTH];
	const char	*want;
	int		 rv = 0;

	SHA256End(&d->hash, text);
	client_segment(ctl->client, path, sizeof(path), id);
	client_call(ctl->client, "GET", path, NULL, 0, &a);
	want = j_text(j_data(&a), raw ? "stored_checksum" : "checksum");
	if (strncmp(want, "sha256:", 7) == 0 && strcmp(want + 7, text) != 0) {
		say_error("download: what came is not backup %s: its "
		    "checksum differs; nothing was kept", id);
		rv = -1;
	}
	answer_free(&a);
	return (rv);
}

static int
finish(struct download *d, const char *file)
{
	if (fsync(d->fd) == -1 || link(d->temporary, file) == -1) {
		say_error("%s: %s", file, strerror(errno));
		return (CTL_USAGE);
	}
	return (CTL_OK);
}

static int
fetch(const struct ctl *ctl, const char *id, int raw, const char *file,
    struct download *d)
{
	struct answer	a;
	char		path[1024] = "/download", size[16];
	const char	*name;
	int		status;

	client_segment(ctl->client, path, sizeof(path), id);
	client_query(ctl->client, path, sizeof(path), "raw",
	    raw ? "1" : NULL);
	client_read(ctl->client, path, "*/*", on_data, d, &a);
	if (ctl->terminal && d->drawn_us != 0)
		fprintf(stderr, "\r\033[K");
	if (d->error != 0) {
		say_error("%s: %s", d->temporary, strerror(d->error));
		status = CTL_USAGE;
	} else if (a.status != 200)
		status = say_failure("download", &a);
	else {
		name = file != NULL ? file :
		    client_filename(ctl->client)[0] != '\0' ?
		    client_filename(ctl->client) : "backup.sqlite";
		path[0] = '\0';
		strlcpy(path, name, sizeof(path));
		status = compare(ctl, id, raw, d) == -1 ? CTL_FAILED :
		    finish(d, path);
		say_size(size, d->done);
		if (status == CTL_OK && !ctl->json)
			printf("%s: %s\n", path, size);
	}
	answer_free(&a);
	return (status);
}

int
do_download(const struct ctl *ctl, int argc, char *argv[])
{
	struct download	 d;
	struct stat	 st;
	const char	*file;
	int		 ch, raw = 0, status;

	while ((ch = getopt(argc, argv, "r")) != -1) {
		if (ch != 'r')
			return (verb_usage("download"));
		raw = 1;
	}
	if (optind + 1 != argc && optind + 2 != argc)
		return (verb_usage("download"));
	file = optind + 2 == argc ? argv[optind + 1] : NULL;
	if (file != NULL && lstat(file, &st) == 0) {
		say_error("%s is there already", file);
		return (CTL_USAGE);
	}
	memset(&d, 0, sizeof(d));
	d.ctl = ctl;
	SHA256Init(&d.hash);
	(void)snprintf(d.temporary, sizeof(d.temporary), "%s.XXXXXX",
	    file != NULL ? file : ".cloudbackup");
	if ((d.fd = mkstemp(d.temporary)) == -1) {
		say_error("%s: %s", d.temporary, strerror(errno));
		return (CTL_USAGE);
	}
	status = fetch(ctl, argv[optind], raw, file, &d);
	close(d.fd);
	(void)unlink(d.temporary);
	return (status);
}
