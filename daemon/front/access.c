/*
 * The front runs this.  It owns the counts of answers by their status, and
 * writes the access log where the configuration wants one.  What a query
 * or a header says is never written: there may be a secret in it.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"

#define STATUS_FIRST	100
#define STATUSES	500
#define ADDRESS_BYTES	64
#define WHO_BYTES	160
#define QUOTED_BYTES	(HTTP_PATH_MAX + 256)

static uint64_t	answers[STATUSES];

void
access_each(void (*cb)(int, uint64_t, void *), void *arg)
{
	int	i;

	for (i = 0; i < STATUSES; i++) {
		if (answers[i] > 0)
			cb(STATUS_FIRST + i, answers[i], arg);
	}
}

/* Text to stand between quotes: nobody ends them but we. */
static void
quote(char *dst, size_t size, const char *src)
{
	size_t	n = 0;

	for (; *src != '\0' && n + 2 < size; src++) {
		if (*src == '"' || *src == '\\')
			dst[n++] = '\\';
		dst[n++] = *src;
	}
	dst[n] = '\0';
}

static void
address(const struct conn *c, char dst[ADDRESS_BYTES])
{
	struct sockaddr_storage	ss;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
	socklen_t		n = sizeof(ss);

	strlcpy(dst, c->kind == LISTEN_UNIX ? "unix" : "gone", ADDRESS_BYTES);
	if (c->kind == LISTEN_UNIX ||
	    getpeername(c->fd, (struct sockaddr *)&ss, &n) == -1)
		return;
	memcpy(&in, &ss, sizeof(in));
	memcpy(&in6, &ss, sizeof(in6));
	(void)inet_ntop(ss.ss_family, ss.ss_family == AF_INET6 ?
	    (const void *)&in6.sin6_addr : (const void *)&in.sin_addr, dst,
	    ADDRESS_BYTES);
}

/* As far as front knows: whose token it is only the engine can tell. */
static void
who(const struct conn *c, char dst[WHO_BYTES])
{
	uint32_t	uid;

	if (c->req != NULL && http_field(&c->req->h, "Authorization") != NULL)
		strlcpy(dst, "token", WHO_BYTES);
	else if (c->certificate[0] != '\0')
		snprintf(dst, WHO_BYTES, "certificate %.*s",
		    (int)strcspn(c->certificate, "\n"), c->certificate);
	else if (c->peer.kind == PEER_UID) {
		memcpy(&uid, c->peer.bytes, sizeof(uid));
		snprintf(dst, WHO_BYTES, "uid %u", uid);
	} else
		strlcpy(dst, "nobody", WHO_BYTES);
}

static void
line(const struct conn *c, int whole)
{
	char	from[ADDRESS_BYTES], name[WHO_BYTES], safe[WHO_BYTES * 2];
	char	path[QUOTED_BYTES];

	address(c, from);
	who(c, name);
	quote(safe, sizeof(safe), name);
	quote(path, sizeof(path), c->req != NULL ? c->req->path : "");
	log_info("access: address=%s who=\"%s\" method=%s path=\"%s\" "
	    "status=%d bytes=%llu ms=%llu%s", from, safe, c->req != NULL ?
	    http_method_name(c->req->h.method) : "-", path, c->status,
	    (unsigned long long)c->sent, (unsigned long long)
	    (util_monotonic_us() - c->since_us) / 1000,
	    whole ? "" : " aborted=yes");
}

void
access_note(const struct conn *c, int whole)
{
	int	status = c->status;

	/* Who left before there was an answer has none. */
	if (!whole && c->state != CONN_WRITE)
		status = 0;
	if (status >= STATUS_FIRST && status < STATUS_FIRST + STATUSES)
		answers[status - STATUS_FIRST]++;
	if (front.conf.flags & FRONT_ACCESS_LOG)
		line(c, whole);
	else if (c->req != NULL)
		log_debug("%s %s %d", http_method_name(c->req->h.method),
		    c->req->path, c->status);
}
