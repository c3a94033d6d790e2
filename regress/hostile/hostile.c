/*
 * The hostile programs run this: framing by hand, since the channel would
 * not send what the table forbids.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/hostile/hostile.h"

#define WORDS_MAX	8

static char	*words[WORDS_MAX];
static uint32_t	 state = 1;

static void
scenario_read(void)
{
	static char	 text[512];
	char		 path[PATH_MAX], *p, *w;
	ssize_t		 n;
	int		 fd, i = 0;

	if ((n = readlink("/proc/self/exe", path, sizeof(path) - 16)) < 1)
		fatal("/proc/self/exe");
	path[n] = '\0';
	if ((p = strrchr(path, '/')) == NULL)
		fatalx("%s", path);
	strlcpy(p, "/scenario", 16);
	if ((fd = open(path, O_RDONLY)) == -1)
		fatal("%s", path);
	if ((n = read(fd, text, sizeof(text) - 1)) < 0)
		fatal("%s", path);
	close(fd);
	p = text;
	while (i < WORDS_MAX && (w = strsep(&p, " \n")) != NULL) {
		if (w[0] != '\0')
			words[i++] = w;
	}
}

/* As ours would: the engine must not see root at the other end. */
static void
become(const char *name)
{
	struct passwd	*pw;

	if ((pw = getpwnam(name)) == NULL)
		fatalx("no user %s", name);
	if (setgroups(1, &pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal("become %s", name);
}

void
hostile_init(const char *name, int argc, char *argv[])
{
	int	ch;

	log_init(name, 1, 1);
	scenario_read();
	while ((ch = getopt(argc, argv, "du:r:v")) != -1) {
		if (ch == 'u')
			become(optarg);
	}
	(void)fcntl(ENGINE, F_SETFL, 0);
}

const char *
hostile_word(int n)
{
	return (n < WORDS_MAX && words[n] != NULL ? words[n] : "");
}

long
hostile_number(int n)
{
	return (strtol(hostile_word(n), NULL, 10));
}

int
hostile_is(const char *word)
{
	return (strcmp(hostile_word(1), word) == 0);
}

uint32_t
chance(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (state % n);
}

void
chance_seed(uint32_t seed)
{
	state = seed * 2654435761u + 1;
}

void
fill_text(char *dst, size_t size)
{
	size_t	i, n = chance((uint32_t)size);

	for (i = 0; i < n; i++)
		dst[i] = (char)(1 + chance(255));
	dst[n] = '\0';
}

static void
put(struct iovec *iov, int niov, int fd)
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct msghdr	 m;
	struct cmsghdr	*h;
	ssize_t		 n;

	memset(&m, 0, sizeof(m));
	m.msg_iov = iov;
	m.msg_iovlen = (size_t)niov;
	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	while ((n = sendmsg(ENGINE, &m, MSG_NOSIGNAL)) > 0) {
		m.msg_control = NULL;
		m.msg_controllen = 0;
		while (m.msg_iovlen > 0 && (size_t)n >= m.msg_iov->iov_len) {
			n -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen == 0)
			return;
		m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + n;
		m.msg_iov->iov_len -= (size_t)n;
	}
	exit(0);			/* the engine let go of us */
}

void
say_wire(const struct wire *w, const void *payload, size_t n, int fd)
{
	struct iovec	iov[2];
	size_t		head = n < sizeof(*w) ? n : sizeof(*w);

	iov[0].iov_base = (void *)(uintptr_t)w;
	iov[0].iov_len = head;
	iov[1].iov_base = (void *)(uintptr_t)payload;
	iov[1].iov_len = n - head;
	put(iov, n > head ? 2 : 1, fd);
}

void
say(uint32_t type, uint64_t id, const void *payload, size_t size, int fd)
{
	struct wire	w = { HOSTILE_MAGIC, type, (uint32_t)size,
			    fd == -1 ? 0 : HOSTILE_FD, id };

	say_wire(&w, payload, sizeof(w) + size, fd);
}

static void
take(void *dst, size_t n, int *fd)
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct iovec	 iov = { dst, n };
	struct msghdr	 m;
	struct cmsghdr	*h;
	ssize_t		 got;

	while (iov.iov_len > 0) {
		memset(&m, 0, sizeof(m));
		m.msg_iov = &iov;
		m.msg_iovlen = 1;
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		if ((got = recvmsg(ENGINE, &m, MSG_CMSG_CLOEXEC)) < 1)
			exit(0);
		h = CMSG_FIRSTHDR(&m);
		if (h != NULL && h->cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(h), sizeof(int));
		iov.iov_base = (char *)iov.iov_base + got;
		iov.iov_len -= (size_t)got;
	}
}

void
hear(struct heard *h)
{
	h->fd = -1;
	take(&h->wire, sizeof(h->wire), &h->fd);
	if (h->wire.size > sizeof(h->u.bytes))
		fatalx("the engine says too much");
	take(h->u.bytes, h->wire.size, &h->fd);
}

int
hear_ms(struct heard *h, int timeout_ms)
{
	struct pollfd	p = { ENGINE, POLLIN, 0 };

	if (poll(&p, 1, timeout_ms) < 1)
		return (0);
	hear(h);
	return (1);
}

void
say_mistake(uint64_t id)
{
	static uint64_t		 payload[16384 / sizeof(uint64_t) + 1];
	uint32_t		 type = (uint32_t)hostile_number(2);
	const struct msg_desc	*d = msg_desc(type);
	const char		*how = hostile_word(3);
	size_t			 size = d == NULL ? 16 : d->size;
	int			 fd = d != NULL && d->fd;

	if (strcmp(how, "short") == 0)
		size--;
	else if (strcmp(how, "long") == 0)
		size++;
	else if (strcmp(how, "empty") == 0)
		size = 0;
	else if (strcmp(how, "fd") == 0)
		fd = !fd;
	say(type, id, payload, size, fd ? 0 : -1);
}

void
say_half(void)
{
	uint64_t	payload[8] = { 0 };
	struct wire	w = { HOSTILE_MAGIC, MSG_REQ_CREATE,
			    (uint32_t)sizeof(struct m_req_create), 0, 1 };

	if (strcmp(hostile_word(0), "network") == 0) {
		w.type = MSG_NET_FETCHED;
		w.size = sizeof(struct m_net_fetched);
	} else if (strcmp(hostile_word(0), "worker") == 0) {
		w.type = MSG_W_FAILED;
		w.size = sizeof(struct m_error);
	}
	say_wire(&w, payload, sizeof(w) + 10, -1);
}

void
linger(void)
{
	struct heard	h;

	for (;;) {
		hear(&h);
		if (h.fd != -1)
			close(h.fd);
	}
}
