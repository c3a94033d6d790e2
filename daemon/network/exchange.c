/*
 * The network process runs this.  An exchange owns its curl handle, the
 * form and headers that go with it and the text that came; never the file
 * descriptor, which is its task's.  Files are read with pread(2) and
 * written with pwrite(2): others may share the description's offset.
 */
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/exchange.h"
#include "daemon/network/outcome.h"

#define TICK_MS			200
#define CONNECT_MS		10000
#define EXPECT_MS		200
#define BUFFER_BYTES		(256 * 1024)
#define BUFFER_BYTES_MIN	(16 * 1024)
#define HOLD_BYTES		(1024 * 1024)
#define FEED_BYTES		4096	/* of those, now and then */
#define FEED_US			5000000
#define FORGET_BYTES		(8 * 1024 * 1024)
#define HEADER_BYTES_MAX	(256 * 1024)
#define REFUSAL_BYTES_MAX	(64 * 1024)	/* of an error's body */
#define DROPPED_BYTES_MAX	(1024 * 1024)	/* of the rest of it */
#define BYTES_PER_S_MIN		1024	/* less is a way to hold us */

static struct curl_blob	trusted;

#define set(x, option, value) do {					\
	if (curl_easy_setopt((x)->easy, (option), (value)) != CURLE_OK)	\
		fatalx("curl_easy_setopt %s", #option);			\
} while (0)

void
exchange_trust(const void *pem, size_t bytes)
{
	trusted.data = (void *)(uintptr_t)pem;
	trusted.len = bytes;
	trusted.flags = CURL_BLOB_NOCOPY;
}

static long
status_of(struct exchange *x)
{
	long	status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return (status);
}

/* Every byte that moved, in whichever direction. */
static uint64_t
moved_bytes(struct exchange *x)
{
	curl_off_t	up = 0, down = 0;

	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return ((uint64_t)up + (uint64_t)down + x->header_bytes);
}

/* What was sent is in nobody's way any more; but what is still being
 * proven is read by others. */
static void
forget(struct exchange *x, uint64_t before)
{
	uint64_t	from = before / FORGET_BYTES * FORGET_BYTES;

	if (x->held > 0)
		return;
	if (x->offset == x->size || x->offset - from >= FORGET_BYTES)
		filesystem_forget(x->fd, x->from + from, x->offset - from);
}

static size_t
on_read(char *p, size_t size, size_t n, void *arg)
{
	struct exchange	*x = arg;
	ssize_t		 got;

	n *= size;
	if (x->held > 0 && x->offset >= x->size - x->held)
		return (CURL_READFUNC_PAUSE);
	if (n > x->size - x->held - x->offset)
		n = (size_t)(x->size - x->held - x->offset);
	if (n == 0)
		return (0);
	if (x->body != NULL) {
		memcpy(p, (const char *)x->body + x->offset, n);
		x->offset += n;
		return (n);
	}
	do {
		got = pread(x->fd, p, n, (off_t)(x->from + x->offset));
	} while (got == -1 && errno == EINTR);
	if (got <= 0) {
		x->stopped = got == 0 ? STOP_SHORT : STOP_LOCAL;
		x->local_errno = errno;
		return (CURL_READFUNC_ABORT);
	}
	x->offset += (uint64_t)got;
	forget(x, x->offset - (uint64_t)got);
	return ((size_t)got);
}

static int
on_seek(void *arg, curl_off_t offset, int whence)
{
	struct exchange	*x = arg;

	if (whence != SEEK_SET || offset < 0 || (uint64_t)offset > x->size)
		return (CURL_SEEKFUNC_FAIL);
	x->offset = (uint64_t)offset;
	return (CURL_SEEKFUNC_OK);
}

static int
write_all(struct exchange *x, const char *p, size_t n)
{
	ssize_t	done;

	while (n > 0) {
		if ((done = pwrite(x->fd, p, n,
		    (off_t)(x->from + x->offset))) == -1) {
			if (errno == EINTR)
				continue;
			x->stopped = STOP_LOCAL;
			x->local_errno = errno;
			return (-1);
		}
		p += done;
		n -= (size_t)done;
		x->offset += (uint64_t)done;
	}
	return (0);
}

static int
to_file(struct exchange *x, const char *p, size_t n)
{
	curl_off_t	length = -1;

	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	/* Asked for the rest, and given all of it. */
	if (x->from > 0 && status_of(x) == 200)
		x->from = 0;
	if (x->encoded)
		x->stopped = STOP_ENCODED;
	else if (n > x->size - x->from - x->offset || (length > 0 &&
	    (uint64_t)length > x->size - x->from))
		x->stopped = STOP_TOO_LARGE;
	else
		return (write_all(x, p, n));
	return (-1);
}

static int
to_text(struct exchange *x, const char *p, size_t n)
{
	size_t	max = x->text_max;

	if (status_of(x) >= 300) {
		/* Only its message is wanted: what is more is dropped. */
		max = REFUSAL_BYTES_MAX;
		if (n > max - x->text_bytes) {
			x->dropped += n - (max - x->text_bytes);
			n = max - x->text_bytes;
		}
		if (x->dropped > DROPPED_BYTES_MAX) {
			x->stopped = STOP_TOO_LONG;
			return (-1);
		}
	} else if (n > max - x->text_bytes) {
		x->stopped = STOP_TOO_LONG;
		return (-1);
	}
	if (x->text_bytes + n > x->text_alloc) {
		x->text_alloc = (x->text_bytes + n) * 2;
		if (x->text_alloc > max)
			x->text_alloc = max;
		x->text = xreallocarray(x->text, x->text_alloc, 1);
	}
	memcpy(x->text + x->text_bytes, p, n);
	x->text_bytes += n;
	return (0);
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange	*x = arg;
	int		 r;

	n *= size;
	if (n == 0)
		return (0);
	r = x->receives && (status_of(x) == 200 ||
	    (status_of(x) == 206 && x->from > 0)) ? to_file(x, p, n) :
	    to_text(x, p, n);
	return (r == -1 ? 0 : n);
}

static int
header_is(const char *p, size_t n, const char *name)
{
	size_t	len = strlen(name);

	return (n > len && p[len] == ':' && strncasecmp(p, name, len) == 0);
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange	*x = arg;

	n *= size;
	/* libcurl keeps them all, without a limit of its own. */
	if ((x->header_bytes += n) > HEADER_BYTES_MAX) {
		x->stopped = STOP_TOO_LONG;
		return (0);
	}
	if (n > 5 && memcmp(p, "HTTP/", 5) == 0)
		x->chunked = x->encoded = 0;
	else if (header_is(p, n, "transfer-encoding"))
		x->chunked = 1;
	else if (header_is(p, n, "content-encoding"))
		x->encoded = 1;
	return (n);
}

#define safe(easy, option, value) do {					\
	if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK)	\
		fatalx("curl_easy_setopt %s", #option);			\
} while (0)

void
exchange_secure(CURL *easy, const char *url)
{
	safe(easy, CURLOPT_URL, url);
	safe(easy, CURLOPT_NOSIGNAL, 1L);
	safe(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	safe(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	safe(easy, CURLOPT_FOLLOWLOCATION, 0L);
	safe(easy, CURLOPT_PROXY, "");
	safe(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	safe(easy, CURLOPT_PATH_AS_IS, 1L);
	safe(easy, CURLOPT_USERAGENT, "cloudbackupd/" VERSION);
	safe(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	safe(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	safe(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* libcurl copies it, 200 KB and more, for each connection that it
	 * keeps, also where nothing is encrypted. */
	if (trusted.len > 0 && strncasecmp(url, "http:", 5) != 0)
		safe(easy, CURLOPT_CAINFO_BLOB, &trusted);
	safe(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	/* Else ending an exchange waits for the resolver's thread. */
	safe(easy, CURLOPT_QUICK_EXIT, 1L);
}

static void
set_options(struct exchange *x, const char *url)
{
	exchange_secure(x->easy, url);
	set(x, CURLOPT_ERRORBUFFER, x->error);
	set(x, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)EXPECT_MS);
	set(x, CURLOPT_TCP_KEEPALIVE, 1L);
	set(x, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	set(x, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	set(x, CURLOPT_WRITEFUNCTION, on_body);
	set(x, CURLOPT_WRITEDATA, x);
	set(x, CURLOPT_HEADERFUNCTION, on_header);
	set(x, CURLOPT_HEADERDATA, x);
}

static void
set_api_key(struct exchange *x)
{
	char	*line;

	if (x->remote->conf.api_key[0] == '\0')
		return;
	line = xasprintf("x-api-key: %s", x->remote->conf.api_key);
	exchange_header(x, line);
	freezero(line, strlen(line));
}

struct exchange *
exchange_new(struct remote *r, enum net_request kind, const char *path,
    uint32_t idle_ms, uint32_t total_ms, size_t text_max)
{
	struct exchange	*x;
	char		*url;

	x = xcalloc(1, sizeof(*x));
	x->remote = r;
	x->kind = kind;
	x->fd = -1;
	x->idle_us = (uint64_t)idle_ms * 1000;
	x->total_us = (uint64_t)total_ms * 1000;
	x->text_max = text_max;
	if ((x->easy = curl_easy_init()) == NULL)
		fatalx("curl_easy_init");
	url = xasprintf("%s%s", strncmp(path, "http", 4) == 0 ? "" :
	    r->conf.url, path);
	set_options(x, url);
	freezero(url, strlen(url));	/* may hold a password */
	set_api_key(x);
	return (x);
}

void
exchange_header(struct exchange *x, const char *line)
{
	struct curl_slist	*l;

	if ((l = curl_slist_append(x->headers, line)) == NULL)
		fatalx("curl_slist_append");
	x->headers = l;
}

static curl_mimepart *
add_part(struct exchange *x, const char *name)
{
	curl_mimepart	*part;

	if (x->mime == NULL && (x->mime = curl_mime_init(x->easy)) == NULL)
		fatalx("curl_mime_init");
	if ((part = curl_mime_addpart(x->mime)) == NULL ||
	    curl_mime_name(part, name) != CURLE_OK)
		fatalx("curl_mime_addpart");
	return (part);
}

void
exchange_part(struct exchange *x, const char *name, const char *text)
{
	if (curl_mime_data(add_part(x, name), text, CURL_ZERO_TERMINATED) !=
	    CURLE_OK)
		fatalx("curl_mime_data");
}

void
exchange_part_file(struct exchange *x, const char *name,
    const char *filename, const char *type, int fd, uint64_t size)
{
	curl_mimepart	*part = add_part(x, name);

	x->fd = fd;
	x->size = size;
	if (curl_mime_filename(part, filename) != CURLE_OK ||
	    curl_mime_type(part, type) != CURLE_OK ||
	    curl_mime_data_cb(part, (curl_off_t)size, on_read, on_seek, NULL,
	    x) != CURLE_OK)
		fatalx("curl_mime_data_cb");
}

void
exchange_receive(struct exchange *x, int fd, uint64_t from,
    uint64_t size_max)
{
	x->fd = fd;
	x->from = from;
	x->size = size_max;
	x->receives = 1;
}

void
exchange_method(struct exchange *x, const char *method)
{
	if (strcmp(method, "HEAD") == 0)
		set(x, CURLOPT_NOBODY, 1L);
	else
		set(x, CURLOPT_CUSTOMREQUEST, method);
}

static void
send_body(struct exchange *x)
{
	set(x, CURLOPT_UPLOAD, 1L);
	set(x, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->size);
	set(x, CURLOPT_READFUNCTION, on_read);
	set(x, CURLOPT_READDATA, x);
	set(x, CURLOPT_SEEKFUNCTION, on_seek);
	set(x, CURLOPT_SEEKDATA, x);
}

void
exchange_send(struct exchange *x, const void *body, size_t size)
{
	x->body = body;
	x->size = size;
	send_body(x);
}

void
exchange_send_file(struct exchange *x, int fd, uint64_t from, uint64_t size)
{
	x->fd = fd;
	x->from = from;
	x->size = size;
	send_body(x);
}

/* Small mouthfuls, or the pauses between them would look like a remote
 * that does not answer. */
void
exchange_limit(struct exchange *x, uint64_t bytes_s)
{
	uint64_t	buffer = bytes_s / 4;

	if (bytes_s == 0)
		return;
	set(x, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)bytes_s);
	if (buffer < BUFFER_BYTES)
		set(x, CURLOPT_UPLOAD_BUFFERSIZE,
		    buffer < BUFFER_BYTES_MIN ? (long)BUFFER_BYTES_MIN :
		    (long)buffer);
}

const char *
exchange_answer_header(struct exchange *x, const char *name)
{
	struct curl_header	*h;

	if (curl_easy_header(x->easy, name, 0, CURLH_HEADER, -1, &h) !=
	    CURLHE_OK)
		return (NULL);
	return (h->value);
}

/* Once for each exchange that has begun, however it ends. */
static void
count(struct exchange *x)
{
	curl_off_t	up = 0, down = 0;
	long		request = 0, header = 0;

	if (x->counted || x->started_us == 0)
		return;
	x->counted = 1;
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request);
	curl_easy_getinfo(x->easy, CURLINFO_HEADER_SIZE, &header);
	x->remote->costs.requests[x->kind]++;
	x->remote->costs.bytes_up += (uint64_t)up + (uint64_t)request;
	x->remote->costs.bytes_down += (uint64_t)down + (uint64_t)header;
}

void
exchange_once(struct exchange *x)
{
	set(x, CURLOPT_FRESH_CONNECT, 1L);
}

static void
finish(struct exchange *x, CURLcode code)
{
	event_del(x->tick);
	count(x);
	outcome_judge(x, code);
	x->done(x, x->arg);		/* may free x */
}

static void
on_done(CURL *easy, CURLcode code, void *arg)
{
	struct exchange	*x = arg;

	(void)easy;
	x->job = NULL;
	finish(x, code);
}

void
exchange_hold(struct exchange *x)
{
	x->held = x->size < HOLD_BYTES ? x->size : HOLD_BYTES;
}

/* No time limit counts what was waited for. */
static void
unpause(struct exchange *x, uint64_t now_us)
{
	x->started_us = x->moved_us = x->fed_us = now_us;
	if (x->job != NULL &&
	    curl_easy_pause(x->easy, CURLPAUSE_CONT) != CURLE_OK)
		log_debug("%s: an upload does not go on", x->remote->host);
}

void
exchange_go(struct exchange *x)
{
	if (x->held == 0)
		return;
	x->held = 0;
	unpause(x, util_monotonic_us());
}

/* It waits for us, and not we for the server. */
static void
feed(struct exchange *x, uint64_t now_us)
{
	x->started_us = x->moved_us = now_us;
	if (now_us - x->fed_us < FEED_US || x->held <= FEED_BYTES)
		return;
	x->held -= FEED_BYTES;
	unpause(x, now_us);
}

static void
on_tick(evutil_socket_t s, short what, void *arg)
{
	struct exchange	*x = arg;
	uint64_t	 now_us = util_monotonic_us(), moved = moved_bytes(x);

	(void)s;
	(void)what;
	if (x->held > 0 && x->offset >= x->size - x->held)
		feed(x, now_us);
	if (moved != x->moved) {
		x->moved = moved;
		x->moved_us = now_us;
	}
	if (x->idle_us > 0 && now_us - x->moved_us >= x->idle_us)
		x->stopped = STOP_IDLE;
	else if (x->total_us > 0 && now_us - x->started_us >= x->total_us)
		x->stopped = STOP_TOTAL;
	else if (x->idle_us > 0 && now_us - x->started_us > x->idle_us +
	    moved / BYTES_PER_S_MIN * 1000000)
		x->stopped = STOP_DRIP;
	if (x->stopped == STOP_IDLE || x->stopped == STOP_TOTAL ||
	    x->stopped == STOP_DRIP) {
		curl_loop_stop(x->job);
		x->job = NULL;
		finish(x, CURLE_OPERATION_TIMEDOUT);
	} else if (x->progress != NULL)
		x->progress(x, x->arg);
}

void
exchange_start(struct exchange *x, exchange_cb *progress, exchange_cb *done,
    void *arg)
{
	struct timeval	tv = { 0, TICK_MS * 1000 };

	x->progress = progress;
	x->done = done;
	x->arg = arg;
	if (x->headers != NULL)
		set(x, CURLOPT_HTTPHEADER, x->headers);
	if (x->mime != NULL)
		set(x, CURLOPT_MIMEPOST, x->mime);
	x->started_us = x->moved_us = x->fed_us = util_monotonic_us();
	if ((x->tick = event_new(curl_loop_base(), -1, EV_PERSIST, on_tick,
	    x)) == NULL || event_add(x->tick, &tv) == -1)
		fatalx("event_new");
	x->job = curl_loop_start(x->easy, on_done, x);
}

static void
wipe_headers(struct curl_slist *l)
{
	struct curl_slist	*h;

	for (h = l; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(l);
}

void
exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	count(x);
	if (x->job != NULL)
		curl_loop_stop(x->job);
	if (x->tick != NULL)
		event_free(x->tick);
	curl_easy_cleanup(x->easy);
	curl_mime_free(x->mime);
	wipe_headers(x->headers);
	free(x->text);
	free(x);
}

char *
exchange_segment(const char *text)
{
	static const char	plain[] = "-_~.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t			i, used = 0, n = strlen(text);
	int			dots = strspn(text, ".") == n;
	char			*path;

	path = xmalloc(n * 3 + 1);
	for (i = 0; i < n; i++) {
		/* A segment of dots would name another place. */
		if (strchr(plain, text[i]) != NULL && !dots) {
			path[used++] = text[i];
			continue;
		}
		path[used++] = '%';
		util_hex(path + used, (const uint8_t *)text + i, 1);
		used += 2;
	}
	path[used] = '\0';
	return (path);
}
