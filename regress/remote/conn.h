/*
 * One connection of the test server: a fixed window over what the client
 * sends, and a throttle in both directions.
 */
#ifndef REGRESS_REMOTE_CONN_H
#define REGRESS_REMOTE_CONN_H

#include <stddef.h>
#include <stdint.h>

#define CONN_WINDOW_BYTES	(512 * 1024)
#define CONN_HEAD_BYTES		(16 * 1024)

struct conn {
	int		 s;
	char		*window;	/* CONN_WINDOW_BYTES */
	size_t		 start;		/* first byte not taken yet */
	size_t		 end;		/* behind the last received one */
	uint64_t	 body_left;	/* of this request, not taken yet */
	uint64_t	 body_got;	/* of this request, received */
	uint64_t	 reset_after;	/* RST when this much body came */
	uint64_t	 slow;		/* bytes per second; 0: no limit */
	int		 broken;	/* reset or lost: only to be closed */
};

/* Takes the socket and closes it in conn_free. */
struct conn	*conn_new(int s);
void		 conn_free(struct conn *);

/*
 * Waits for a request's head.  1: *head is its text, terminated in place
 * before the empty line, valid until the next call; 0: the client closed;
 * -1: too long, or the client is gone.
 */
int	conn_head(struct conn *, char **head);

/* The part of the body that lies in the window, size bytes. */
const char *conn_body(const struct conn *, size_t *size);

/* Marks n bytes of the window's body as used. */
void	conn_take(struct conn *, size_t n);

/*
 * Receives more of the body behind what the window holds.  1: more came;
 * 0: the window holds all that is left, or is full; -1: the client is
 * gone, or the reset that was ordered has been done.
 */
int	conn_more(struct conn *);

/* Reads the rest of the body and forgets it; 0, or -1 as above. */
int	conn_discard(struct conn *);

/* Send all; 0, or -1 when the client is gone. */
int	conn_send(struct conn *, const void *, size_t);
int	conn_sendfile(struct conn *, int fd, uint64_t size);

/* Closes with RST. */
void	conn_reset(struct conn *);

/* Waits until the client gives up. */
void	conn_hang(struct conn *);

/* Says that nothing follows, and lets the client read what was said even
 * if it is still sending. */
void	conn_linger(struct conn *);

#endif
