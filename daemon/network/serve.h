/*
 * What the engine and front send.
 */
#ifndef NETWORK_SERVE_H
#define NETWORK_SERVE_H

struct event_base;

/*
 * Takes over the two sockets and serves until one of the peers ends, which
 * ends the loop.  Front is not heard before the engine has sent NET_START.
 */
void	serve_open(struct event_base *, int engine_socket, int front_socket);
void	serve_close(void);

#endif
