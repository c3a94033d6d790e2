/*
 * What the engine tells the service manager that started it: the protocol
 * of sd_notify(3), a datagram to the socket of NOTIFY_SOCKET.  All of it
 * does nothing where there is none.
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdint.h>

/* Before anything is dropped: opens the socket. */
void	service_init(void);

/* "READY=1", "STOPPING=1", "WATCHDOG=1"; several are lines. */
void	service_tell(const char *state);

/* The manager wants WATCHDOG=1 at least this often (milliseconds), or
 * takes this process for hung; 0: it does not. */
uint64_t service_watchdog_ms(void);

#endif
