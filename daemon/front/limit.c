/*
 * The front runs this.  It owns the places: how many connections there
 * may be in all, of one uid, of one address; and who must go when all are
 * taken.  A few are kept for those who have been accepted and not yet
 * looked at, so that whoever floods us never stands between the machine's
 * administrator and the door.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"

#define WAITING_MAX	32		/* accepted, without a place */
#define NONE		1000		/* not to be ended */
#define GRACE_US	500000		/* microseconds: to send a head from
					 * far away */

static size_t	places;			/* in all */
static size_t	places_common;		/* those not kept for the unix socket */
static size_t	places_each;		/* of one peer */
static size_t	waiting_max;
static size_t	placed;

void
limit_init(size_t cap)
{
	waiting_max = cap / 4 > WAITING_MAX ? WAITING_MAX : cap / 4;
	if (waiting_max < 1)
		waiting_max = 1;
	places = cap - waiting_max;
	places_common = places - places / 8;
	places_each = places / 4 < 2 ? places : places / 4;
}

int
limit_may_accept(void)
{
	return (conn_count() - placed < waiting_max);
}

static void
peer_ipv6(struct peer *p, const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		p->kind = PEER_IPV4;
		memcpy(p->bytes, &a->s6_addr[12], 4);
	} else {
		/* Whoever has one address has all of its /64. */
		p->kind = PEER_IPV6;
		p->here = IN6_IS_ADDR_LOOPBACK(a);
		memcpy(p->bytes, a->s6_addr, 8);
	}
}

void
limit_peer(struct peer *p, int fd)
{
	struct sockaddr_storage	ss;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
	socklen_t		n = sizeof(ss);

	memset(p, 0, sizeof(*p));
	p->kind = PEER_UNKNOWN;
	if (getpeername(fd, (struct sockaddr *)&ss, &n) == -1)
		return;
	if (ss.ss_family == AF_INET) {
		memcpy(&in, &ss, sizeof(in));
		p->kind = PEER_IPV4;
		memcpy(p->bytes, &in.sin_addr, 4);
	} else if (ss.ss_family == AF_INET6) {
		memcpy(&in6, &ss, sizeof(in6));
		peer_ipv6(p, &in6.sin6_addr);
	}
	if (p->kind == PEER_IPV4)
		p->here = p->bytes[0] == 127;
}

static int
same_peer(const struct peer *a, const struct peer *b)
{
	return (a->kind == b->kind && a->kind != PEER_UNKNOWN &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
}

/* Who is missed less has the lower number.  Those who ask for nothing, or
 * are slow to say it, may go for their equals; the rest for their betters. */
static int
missed(const struct conn *c, enum rank rank, uint64_t now_us)
{
	int	place;

	switch (c->state) {
	case CONN_LINGER:
		place = 0;
		break;
	case CONN_IDLE:
		place = 1;
		break;
	case CONN_READ_HEAD:
	case CONN_READ_BODY:
		place = 2;
		break;
	default:
		return (c->rank < rank ? 100 + (int)c->rank : NONE);
	}
	if (c->rank > rank || (place > 1 && c->rank == rank &&
	    !c->peer.here && now_us < c->since_us + GRACE_US))
		return (NONE);
	return ((int)c->rank * 10 + place);
}

/* Of this peer only, if there is one. */
static struct conn *
victim(enum rank rank, const struct peer *peer)
{
	struct conn	*c, *worst = NULL;
	uint64_t	 now_us = util_monotonic_us();
	int		 n, least = NONE;

	TAILQ_FOREACH(c, &conns, entry) {
		if (!c->placed ||
		    (peer != NULL && !same_peer(&c->peer, peer)))
			continue;
		n = missed(c, rank, now_us);
		if (n < least || (n == least && n < NONE &&
		    c->since_us < worst->since_us)) {
			worst = c;
			least = n;
		}
	}
	return (worst);
}

static size_t
count_peer(const struct peer *peer)
{
	struct conn	*c;
	size_t		 n = 0;

	TAILQ_FOREACH(c, &conns, entry)
		n += c->placed && same_peer(&c->peer, peer);
	return (n);
}

static size_t
places_for(const struct conn *c)
{
	return (c->kind == LISTEN_UNIX || c->rank > RANK_NOBODY ? places :
	    places_common);
}

/* c takes the place of v, if there is one, before v's is given on. */
static int
take(struct conn *c, struct conn *v)
{
	c->placed = 1;
	placed++;
	if (v != NULL)
		conn_close(v);
	return (1);
}

int
limit_place(struct conn *c)
{
	struct conn	*v;

	if (c->rank < RANK_ADMIN && count_peer(&c->peer) >= places_each) {
		if ((v = victim(c->rank, &c->peer)) == NULL)
			return (-1);
		return (take(c, v));
	}
	if (placed < places_for(c))
		return (take(c, NULL));
	if ((v = victim(c->rank, NULL)) != NULL)
		return (take(c, v));
	return (c->rank > RANK_NOBODY ? 0 : -1);
}

struct conn *
limit_next(void)
{
	struct conn	*c, *best = NULL;

	placed--;
	if (placed >= places)
		return (NULL);
	TAILQ_FOREACH(c, &conns, entry) {
		if (c->known && !c->placed &&
		    (best == NULL || c->rank > best->rank))
			best = c;
	}
	if (best != NULL)
		(void)take(best, NULL);
	return (best);
}

int
limit_evict(void)
{
	struct conn	*v;

	/* For nobody in particular: whoever asks for nothing. */
	if ((v = victim(RANK_ADMIN, NULL)) == NULL ||
	    missed(v, RANK_ADMIN, util_monotonic_us()) >= 100)
		return (0);
	conn_close(v);
	return (1);
}
