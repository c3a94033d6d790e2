/*
 * Plays the engine and front for the network test.  What fails here ends
 * the test.
 */
#ifndef REGRESS_NETWORK_DRIVER_H
#define REGRESS_NETWORK_DRIVER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"
#include "proto/msg.h"

#define KEY		"s3cr3t-k3y"	/* of all remotes */
#define MARK		"[cloudbackupd:7@1a2b3c4d]"
#define FILE_BYTES	3000000

/* The remotes that network_configure configures: the little server, the
 * canned answers, a port without listener, a name without address, a URL
 * that is none, https, and https under another name. */
enum { REAL, CANNED, CLOSED, NOWHERE, BROKEN, TLS, TLS_NAME, REMOTES };

/* All begin with outcome and http_status. */
union answer {
	struct m_net_uploaded	uploaded;
	struct m_net_fetched	fetched;
	struct m_health		health;
	struct m_remote_end	end;
};

extern struct chan		*engine, *front;
extern pid_t			 network_pid;
extern char			 top[];		/* our folder */

/* Set by ask_wait: the answer, the last row, how many rows and messages
 * of progress came before it, and the least time between two of these. */
extern union answer		 got;
extern struct m_remote_row	 row;
extern uint32_t			 rows, progresses;
extern uint64_t			 progress_us;

/* Starts everything; self is argv[0].  All ends at exit. */
void	 driver_start(const char *self);

/* The network process again, after it has ended. */
void	 network_start(void);
void	 network_configure(void);

/* A process that answers whoever connects first with head and body. */
pid_t	 canned_serve(const char *head, const char *body, size_t n);

/* What the little server does wrong from now on; one line of its own. */
void	 fault_set(const char *line);
void	 fault_none(void);

/* A file of random bytes without a name. */
int	 file_make(size_t bytes);
int	 file_same(int, int);

/* What the little server keeps under an id: the bytes, or -1; and does
 * text stand in what it keeps about them? */
int	 stored_open(const char *id);
int	 stored_says(const char *id, const char *text);

/* Asking, which gives the id, and waiting for the answer: 0 when none
 * comes.  The _wait functions do both. */
void	 ask_flush(struct chan *);
int	 ask_wait(struct chan *, uint64_t id);
uint64_t upload_send(uint32_t remote, int fd, uint64_t size, uint32_t flags);
uint64_t question_send(enum msg_type, uint32_t remote, const char *user_id);
int	 upload_wait(uint32_t remote, int fd, uint32_t flags);
int	 fetch_wait(uint32_t remote, const char *id, int fd, uint64_t size_max);
int	 list_wait(uint32_t remote);
int	 health_wait(uint32_t remote);

#endif
