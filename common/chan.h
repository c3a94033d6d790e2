/*
 * A channel: one end of a socketpair between two of our processes, with
 * our framing (proto/msg.md).  A message is a header of 24 bytes and a
 * payload whose size its type fixes; at most one descriptor travels with
 * it.  The reader checks each against the table of proto/msg.def before
 * anybody sees it.
 */
#ifndef COMMON_CHAN_H
#define COMMON_CHAN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

struct chan;
struct event_base;

struct msg {
	uint32_t	 type;		/* enum msg_type, checked */
	uint64_t	 id;		/* what it belongs to */
	int		 fd;		/* -1, or ours to close */
	const void	*data;		/* the payload; valid until the next
					 * chan_get, aligned for any struct */
};

/*
 * chan_new: s is a connected stream socket, made non-blocking; the channel
 * owns it.  me and peer are the roles at the two ends.  Free the result
 * with chan_free, which closes s and every descriptor not yet handed out.
 */
struct chan	*chan_new(int s, enum role me, enum role peer);
void		 chan_free(struct chan *);
int		 chan_socket(const struct chan *);

/*
 * Queues a message.  The payload is copied; fd (or -1) belongs to the
 * channel from now on.  Sending what the table forbids is fatal: a bug of
 * ours.
 */
void	chan_send(struct chan *, enum msg_type, uint64_t id,
	    const void *payload, size_t size, int fd);

/* Bytes queued and not yet taken by the kernel. */
size_t	chan_queued(const struct chan *);

/*
 * chan_write sends what it can: 1 all is sent, 0 the kernel is full, -1
 * the peer is gone or errno says what else.
 * chan_read takes what is there: 1 something came, 0 nothing there, -1 the
 * peer is gone (errno 0) or an error (errno), -2 this process has no free
 * descriptor: wait, or the kernel would drop one in transit.
 */
int	chan_write(struct chan *);
int	chan_read(struct chan *);

/*
 * The next message that is complete: 1 and *m; 0 none; -1 the peer broke
 * the protocol, and chan_error() says how.  A channel that failed once
 * goes on failing.
 */
int		 chan_get(struct chan *, struct msg *m);
const char	*chan_error(const struct chan *);

/* A secret came with the message last got: no copy of it stays. */
void		 chan_wipe(struct chan *);

/*
 * For a process without an event loop (the worker): wait up to timeout_ms
 * (-1: for ever) for the next message; results as chan_get, and 0 also
 * when the time is over.  chan_drain sends all that is queued, blocking;
 * -1 if the peer is gone.
 */
int	chan_wait(struct chan *, struct msg *m, int timeout_ms);
int	chan_drain(struct chan *);

/*
 * For a process with libevent: cb is called for each message, and once
 * with m NULL when the channel is dead (chan_error() tells why; "closed"
 * when the peer ended).  cb must close m->fd or keep it.  cb may free the
 * channel.
 */
typedef void	chan_cb(struct chan *, const struct msg *m, void *arg);
void	chan_attach(struct chan *, struct event_base *, chan_cb *, void *arg);

/* Reads what is there now, as if the loop had seen it: cb is called. */
void	chan_look(struct chan *);

/* Stops and starts reading: back-pressure on the peer. */
void	chan_pause(struct chan *);
void	chan_resume(struct chan *);

/*
 * Calls cb once, as soon as a write leaves no more than low bytes queued:
 * with chan_pause, a peer that asks but does not read is held back.  Not
 * called for a channel that dies before.
 */
typedef void	chan_drained_cb(struct chan *, void *arg);
void	chan_when_drained(struct chan *, size_t low, chan_drained_cb *,
	    void *arg);

/* Between chan.c and chan_event.c only: queued is called when there is
 * something to write, released when the channel is freed. */
struct chan_hooks {
	void	(*queued)(void *);
	void	(*released)(void *);
	void	*arg;
};
void	 chan_hook(struct chan *, const struct chan_hooks *);
void	*chan_hooks_arg(const struct chan *);

#endif
