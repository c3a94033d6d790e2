/*
 * The engine runs this: SO_PEERCRED (unix(7)) and sock_diag(7).  It owns
 * one netlink socket.
 *
 * A client that has closed already shows as uid 0: only a connection that
 * is established and has an inode is believed (facts section 5).
 */
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/peer.h"

struct query {
	struct nlmsghdr		header;
	struct inet_diag_req_v2	request;
};

union answer {
	struct nlmsghdr	header;
	char		bytes[8192];
};

struct endpoints {
	struct sockaddr_storage	peer, own;
};

/* ::ffff:a.b.c.d is a.b.c.d to the kernel's table. */
static void
unmap(struct sockaddr_storage *ss)
{
	struct sockaddr_in6	in6;
	struct sockaddr_in	in;

	if (ss->ss_family != AF_INET6)
		return;
	memcpy(&in6, ss, sizeof(in6));
	if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	memset(&in, 0, sizeof(in));
	in.sin_family = AF_INET;
	in.sin_port = in6.sin6_port;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], 4);
	memset(ss, 0, sizeof(*ss));
	memcpy(ss, &in, sizeof(in));
}

static int
endpoints_of(int sock, struct endpoints *e)
{
	socklen_t	n = sizeof(e->peer);

	memset(e, 0, sizeof(*e));
	if (getpeername(sock, (struct sockaddr *)&e->peer, &n) == -1)
		return (-1);
	n = sizeof(e->own);
	if (getsockname(sock, (struct sockaddr *)&e->own, &n) == -1)
		return (-1);
	unmap(&e->peer);
	unmap(&e->own);
	return (e->peer.ss_family == e->own.ss_family ? 0 : -1);
}

/* The client's socket has our peer as its own address. */
static int
query_make(const struct endpoints *e, uint32_t seq, struct query *q)
{
	struct inet_diag_sockid	*id = &q->request.id;
	struct sockaddr_in	 a, b;
	struct sockaddr_in6	 a6, b6;

	memset(q, 0, sizeof(*q));
	q->header.nlmsg_len = sizeof(*q);
	q->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->header.nlmsg_flags = NLM_F_REQUEST;
	q->header.nlmsg_seq = seq;
	q->request.sdiag_family = (uint8_t)e->peer.ss_family;
	q->request.sdiag_protocol = IPPROTO_TCP;
	q->request.idiag_states = UINT32_MAX;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	switch (e->peer.ss_family) {
	case AF_INET:
		memcpy(&a, &e->peer, sizeof(a));
		memcpy(&b, &e->own, sizeof(b));
		id->idiag_sport = a.sin_port;
		id->idiag_dport = b.sin_port;
		memcpy(id->idiag_src, &a.sin_addr, 4);
		memcpy(id->idiag_dst, &b.sin_addr, 4);
		return (0);
	case AF_INET6:
		memcpy(&a6, &e->peer, sizeof(a6));
		memcpy(&b6, &e->own, sizeof(b6));
		id->idiag_sport = a6.sin6_port;
		id->idiag_dport = b6.sin6_port;
		memcpy(id->idiag_src, &a6.sin6_addr, 16);
		memcpy(id->idiag_dst, &b6.sin6_addr, 16);
		return (0);
	}
	return (-1);
}

static int
answer_uid(const union answer *a, ssize_t n, const struct query *q,
    uid_t *uid)
{
	struct inet_diag_msg	m;

	if (n < (ssize_t)NLMSG_LENGTH(sizeof(m)) ||
	    a->header.nlmsg_seq != q->header.nlmsg_seq ||
	    a->header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return (-1);
	memcpy(&m, NLMSG_DATA(&a->header), sizeof(m));
	/* A listener can match instead: the ports tell. */
	if (m.idiag_state != TCP_ESTABLISHED || m.idiag_inode == 0 ||
	    m.id.idiag_sport != q->request.id.idiag_sport ||
	    m.id.idiag_dport != q->request.id.idiag_dport ||
	    memcmp(m.id.idiag_src, q->request.id.idiag_src, 16) != 0 ||
	    memcmp(m.id.idiag_dst, q->request.id.idiag_dst, 16) != 0)
		return (-1);
	*uid = m.idiag_uid;
	return (0);
}

static int
tcp_uid(int sock, uid_t *uid)
{
	static int	 netlink = -1;
	static uint32_t	 seq;
	struct endpoints e;
	struct query	 q;
	union answer	 a;
	ssize_t		 n;

	if (netlink == -1 && (netlink = socket(AF_NETLINK,
	    SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) == -1)
		return (-1);
	if (endpoints_of(sock, &e) == -1 || query_make(&e, ++seq, &q) == -1)
		return (-1);
	if (send(netlink, &q, sizeof(q), 0) != sizeof(q) ||
	    (n = recv(netlink, &a, sizeof(a), 0)) == -1)
		return (-1);
	return (answer_uid(&a, n, &q, uid));
}

int
peer_uid(int sock, uid_t *uid)
{
	struct sockaddr_storage	 ss;
	struct ucred		 cred = { 0, (uid_t)-1, (gid_t)-1 };
	socklen_t		 n = sizeof(ss);

	if (getsockname(sock, (struct sockaddr *)&ss, &n) == -1)
		return (-1);
	if (ss.ss_family != AF_UNIX)
		return (tcp_uid(sock, uid));
	n = sizeof(cred);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1 ||
	    cred.uid == (uid_t)-1)
		return (-1);
	*uid = cred.uid;
	return (0);
}
