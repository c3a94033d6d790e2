/*
 * The body of a request: whether one may come, how much, and its bytes.
 */
#ifndef FRONT_BODY_H
#define FRONT_BODY_H

#include <stdint.h>

#include "proto/errors.h"

struct conn;
struct evbuffer;
struct request;

/* 1 when bytes of a body follow the head. */
int	body_announced(const struct request *);
/* By the head and the route: 0, or -1 with the reason. */
int	body_decide(const struct request *, enum err *, const char **why);
/* Before the first body_read. */
void	body_begin(struct request *);
/* Takes what has come: 1 the body is whole, 0 more is needed, -1 refused. */
int	body_read(struct conn *, struct evbuffer *, enum err *,
	    const char **why);
/* How long to wait for more from now on, in microseconds. */
uint64_t body_wait_us(const struct conn *);

#endif
