/*
 * Who is at the other end of an accepted socket, asked of the kernel (H17).
 * One file per system, peer_SYSTEM.c.  Only the engine asks.
 */
#ifndef COMMON_PEER_H
#define COMMON_PEER_H

#include <sys/types.h>

/*
 * The uid of the process that connected: of a unix socket, or of a TCP
 * connection from this machine.  0 and *uid, or -1 when the kernel does
 * not vouch for anybody (another machine, a client that closed already).
 */
int	peer_uid(int sock, uid_t *uid);

#endif
