/*
 * The verb that fetches a backup.  Owns the temporary file in which it
 * grows: nothing has its name before it is whole and what it should be,
 * and nothing is left of it otherwise, also when a signal ends this.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

struct download {
	const struct ctl *ctl;
	int		 fd;
	int64_t		 done;
	uint64_t	 drawn_us;
	int		 error;		/* errno */
	SHA2_CTX	 hash;
};

static char	temporary[PATH_MAX];	/* for on_signal as well */

static void
on_signal(int sig)
{
	(void)unlink(temporary);
	_exit(128 + sig);
}

static int
temporary_make(const char *file)
{
	struct sigaction	sa;
	int			fd, n;

	n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX",
	    file != NULL ? file : ".cloudbackup");
	if (n < 0 || (size_t)n >= sizeof(temporary)) {
		say_error("the file's name is too long");
		return (-1);
	}
	if ((fd = mkstemp(temporary)) == -1) {
		say_error("%s: %s", temporary, strerror(errno));
		return (-1);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	return (fd);
}

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

/*
 * Is what came what the daemon says it is?  It gives the checksum of its
 * catalog as the ETag; nobody knows that of a backup that only a remote
 * has.  0, or -1 after the message.
 */
static int
compare(struct download *d, const char *id, char sum[80])
{
	char		 text[SHA256_DIGEST_STRING_LENGTH];
	const char	*want = client_etag(d->ctl->client);

	SHA256End(&d->hash, text);
	(void)snprintf(sum, 80, "sha256:%s", text);
	if (want[0] == '\0')
		say_error("download: nobody knows the checksum of backup "
		    "%s; this has %s", id, sum);
	else if (strcmp(want, sum) != 0) {
		say_error("download: what came is not backup %s: its "
		    "checksum differs; nothing was kept", id);
		return (-1);
	}
	return (0);
}

static void
tell(const struct download *d, const char *file, const char *sum)
{
	struct json_object	*o;
	char			 size[16], name[PATH_MAX];

	if (!d->ctl->json) {
		say_size(size, d->done);
		say_clean(name, sizeof(name), file);
		printf("%s: %s, %s\n", name, size, sum);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "size", json_object_new_int64(d->done));
	json_object_object_add(o, "checksum", json_object_new_string(sum));
	printf("%s\n", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* It is whole: under which name, and is it what it should be? */
static int
finish(struct download *d, const char *id, const char *file)
{
	char	sum[80];

	if (file == NULL)
		file = client_filename(d->ctl->client);
	if (file[0] == '\0')
		file = "backup.sqlite";
	if (compare(d, id, sum) == -1)
		return (CTL_FAILED);
	if (fsync(d->fd) == -1 || link(temporary, file) == -1) {
		say_error("%s: %s", file, strerror(errno));
		return (CTL_USAGE);
	}
	tell(d, file, sum);
	return (CTL_OK);
}

static int
fetch(struct download *d, const char *id, int raw, const char *file)
{
	struct client	*client = d->ctl->client;
	struct answer	 a;
	char		 path[1024] = "/download";
	int		 status;

	client_segment(client, path, sizeof(path), id);
	client_query(client, path, sizeof(path), "raw", raw ? "1" : NULL);
	client_query(client, path, sizeof(path), "database",
	    d->ctl->database);
	client_read(client, path, "*/*", on_data, d, &a);
	if (d->drawn_us != 0)
		fprintf(stderr, "\r\033[K");
	if (d->error != 0) {
		say_error("%s: %s", temporary, strerror(d->error));
		status = CTL_USAGE;
	} else if (a.status != 200)
		status = say_failure("download", &a);
	else
		status = finish(d, id, file);
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
	if ((d.fd = temporary_make(file)) == -1)
		return (CTL_USAGE);
	status = fetch(&d, argv[optind], raw, file);
	close(d.fd);
	(void)unlink(temporary);
	return (status);
}
