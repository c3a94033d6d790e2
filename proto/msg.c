/*
 * Every program runs this.  It owns the table of messages, a constant.
 */
#include <string.h>

#include "proto/msg.h"

static const struct msg_desc	msgs[MSG_COUNT] = {
#define MSG(name, from, to, payload, fd)	\
	[MSG_##name] = { #name, ROLE_##from, ROLE_##to, sizeof(payload), fd },
#include "proto/msg.def"
#undef MSG
};

const struct msg_desc *
msg_desc(uint32_t type)
{
	return (type > MSG_NONE && type < MSG_COUNT ? &msgs[type] : NULL);
}

const char *
msg_check(uint32_t type, enum role from, enum role to, size_t size, int fd)
{
	const struct msg_desc	*d;

	if ((d = msg_desc(type)) == NULL)
		return ("unknown message");
	if (d->from != from || d->to != to)
		return ("message in the wrong direction");
	if (d->size != size)
		return ("message of the wrong length");
	if (d->fd != fd)
		return (fd ? "message with a descriptor too many" :
		    "message without its descriptor");
	return (NULL);
}

const char *
role_name(enum role role)
{
	static const char *const	names[] = {
		[ROLE_ENGINE] = "engine",
		[ROLE_FRONT] = "front",
		[ROLE_NETWORK] = "network",
		[ROLE_WORKER] = "worker",
		[ROLE_LOOKER] = "looker",
	};

	return (names[role]);
}
