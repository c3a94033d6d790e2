/*
 * The front runs this.  It owns the descriptor of an image that the engine
 * passed, open for reading, and pumps it to the client: within the kernel,
 * where that can be, else through one buffer for all.  What the kernel does
 * not take stays in the file, but for a piece that waits in the connection's
 * output.  So memory is the same for any size and any number of slow
 * clients.
 */
#include <sys/stat.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"
#include "proto/form.h"

#define TURN_BYTES	(1024 * 1024)	/* before others get a turn */
#define WAIT_BYTES	(16 * 1024)	/* in the output, for room */
#define COPY_BYTES	(64 * 1024)	/* all goes through the output */

struct pump {
	int	fd;
	off_t	at, end;		/* the next byte; behind the last */
	int	copies;			/* the kernel does not do it alone */
};

static char	bytes[COPY_BYTES];	/* full only within pump_later */

static void
pump_free(void *arg)
{
	struct pump	*p = arg;

	close(p->fd);
	free(p);
}

static size_t
pump_left(const struct pump *p, size_t most)
{
	off_t	left = p->end - p->at;

	return (left < (off_t)most ? (size_t)left : most);
}

/* What the kernel takes at once.  If it cannot, reading finds out what was
 * wrong with the file, and writing what with the client. */
static void
pump_now(struct conn *c)
{
	struct pump	*p = c->req->api;
	ssize_t		 n;

	if (p->copies)
		return;
	n = output_send_file(c, p->fd, p->at, pump_left(p, TURN_BYTES));
	if (n == -1)
		p->copies = 1;
	else
		p->at += n;
}

/* The next piece waits in the output, so that we are called again when it
 * is out: 0, or -1 when the file cannot be read. */
static int
pump_later(struct conn *c)
{
	struct pump	*p = c->req->api;
	size_t		 want;
	ssize_t		 n;

	want = pump_left(p, p->copies ? COPY_BYTES : WAIT_BYTES);
	do {
		n = pread(p->fd, bytes, want, p->at);
	} while (n == -1 && errno == EINTR);
	if (n <= 0) {
		if (n == 0)
			errno = ENODATA;	/* it has become shorter */
		log_warn("connection %llu: download broken off",
		    (unsigned long long)c->id);
		return (-1);
	}
	if (evbuffer_add(bufferevent_get_output(c->bev), bytes,
	    (size_t)n) == -1)
		fatalx("no memory for an answer");
	p->at += n;
	return (0);
}

static void
pump_more(struct conn *c)
{
	struct pump	*p = c->req->api;

	pump_now(c);
	if (p->at < p->end && pump_later(c) == -1)
		conn_close(c);
	else if (p->at == p->end)
		conn_complete(c);
}

static void
pump_start(struct conn *c, int fd, uint64_t first, uint64_t last)
{
	struct pump	*p;

	p = xcalloc(1, sizeof(*p));
	p->fd = fd;
	p->at = (off_t)first;
	p->end = (off_t)last + 1;
	p->copies = c->tls;
	c->req->api = p;
	c->req->api_free = pump_free;
	c->more = pump_more;
	pump_more(c);
}

static void
safe_append(char *dst, size_t size, const char *src)
{
	size_t	n = strlen(dst);
	int	dots = n == 0;		/* no hidden file, no "..": */

	for (; *src != '\0' && n + 1 < size; src++) {
		if ((*src >= 'a' && *src <= 'z') ||
		    (*src >= 'A' && *src <= 'Z') ||
		    (*src >= '0' && *src <= '9') || *src == '-' ||
		    (*src == '.' && !dots))
			dst[n++] = *src;
		else
			dst[n++] = '_';
		dots = dst[n - 1] == '.';
	}
	dst[n] = '\0';
}

void
download_name(char *dst, const struct m_backup *b, const char *form)
{
	char	text[TIME_TEXT_BYTES];

	dst[0] = '\0';
	safe_append(dst, NAME_BYTES / 4, b->database[0] != '\0' ? b->database :
	    "backup");
	if (b->created_ms > 0) {
		util_time_compact(text, b->created_ms);
		strlcat(dst, "-", NAME_BYTES);
		strlcat(dst, text, NAME_BYTES);
	}
	strlcat(dst, "-", NAME_BYTES);
	if (b->id > 0) {
		snprintf(text, sizeof(text), "%" PRId64, b->id);
		strlcat(dst, text, NAME_BYTES);
	} else
		safe_append(dst, NAME_BYTES / 2, b->remote_id);
	if (form[0] != '\0') {
		strlcat(dst, ".", NAME_BYTES);
		strlcat(dst, form, NAME_BYTES);
	}
}

/* Does If-Range, if there is one, name exactly what we have?  Dates never
 * do: no Last-Modified is ever sent. */
static int
range_holds(const struct http_request *h, const char *etag)
{
	const struct http_field	*f = http_field(h, "If-Range");

	return (f == NULL || (etag[0] != '\0' &&
	    http_slice_is(&f->value, etag)));
}

/* The bytes to send of size; the status for it: 200, 206, 416. */
static int
range_wanted(const struct http_request *h, const char *etag, uint64_t size,
    uint64_t *first, uint64_t *last)
{
	const struct http_field	*f = http_field(h, "Range");

	*first = 0;
	*last = size - 1;		/* nothing reads it when size is 0 */
	if (f == NULL || h->method != HTTP_GET ||
	    http_field_count(h, "Range") != 1 || !range_holds(h, etag))
		return (200);
	switch (http_range(&f->value, size, first, last)) {
	case 1:
		return (206);
	case -1:
		return (416);
	default:
		*first = 0;
		*last = size - 1;
		return (200);
	}
}

static int
etag_known(const struct http_request *h, const char *etag)
{
	const struct http_field	*f = http_field(h, "If-None-Match");

	return (f != NULL && etag[0] != '\0' &&
	    http_etag_listed(&f->value, etag));
}

static void
send_image(struct conn *c, const struct m_backup *b, int fd, uint64_t size)
{
	char		etag[CHECKSUM_BYTES + 2], name[NAME_BYTES];
	uint64_t	first, last;
	int		status;

	etag[0] = '\0';
	if (b->checksum[0] != '\0') {
		snprintf(etag, sizeof(etag), "\"%s\"", b->checksum);
		reply_field(c, "ETag", "%s", etag);
	}
	reply_field(c, "Accept-Ranges", "bytes");
	if (b->served_by[0] != '\0')
		reply_field(c, "X-Served-By", "%s", b->served_by);
	if (etag_known(&c->req->h, etag)) {
		close(fd);
		reply_whole(c, 304, NULL);
		return;
	}
	status = range_wanted(&c->req->h, etag, size, &first, &last);
	if (status == 416) {
		close(fd);
		reply_field(c, "Content-Range", "bytes */%" PRIu64, size);
		reply_error(c, E_RANGE_NOT_SATISFIABLE,
		    "The range begins behind the end.");
		return;
	}
	if (status == 206)
		reply_field(c, "Content-Range", "bytes %" PRIu64 "-%" PRIu64
		    "/%" PRIu64, first, last, size);
	download_name(name, b, b->form);
	reply_field(c, "Content-Disposition", "attachment; filename=\"%s\"",
	    name);
	if (reply_sized(c, status, form_media_type(form_parse(b->form)),
	    size == 0 ? 0 : last - first + 1))
		pump_start(c, fd, first, last);
	else
		close(fd);
}

void
download_start(struct conn *c, const struct m_backup *b, int fd)
{
	struct stat	st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		fatalx("engine passed something that is no file");
	if (b->checksum[0] != '\0' && st.st_size != b->file_size) {
		close(fd);
		reply_error(c, E_INVALID_BACKUP, "The stored file does not "
		    "have the size that was recorded.");
		return;
	}
#ifdef POSIX_FADV_SEQUENTIAL
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
	send_image(c, b, fd, (uint64_t)st.st_size);
}
