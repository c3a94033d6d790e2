/*
 * The front under test, with a peer that plays engine and network, and a
 * plain HTTP client.
 */
#ifndef REGRESS_FRONT_PEER_H
#define REGRESS_FRONT_PEER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"
#include "proto/errors.h"
#include "proto/msg.h"

#define PEER_BASE_MS	INT64_C(1700000000000)

/* What test and peer share: the test says how to play, the peer counts. */
struct play {
	/* Sees each message to the engine first, in the peer's process; 1:
	 * it was dealt with. */
	int		 (*more)(const struct msg *);
	volatile uint32_t rights;
	volatile uint32_t forbid;	/* every request: FORBIDDEN */
	volatile uint32_t silent;	/* CONN_OPEN gets no answer */
	volatile uint32_t impossible;	/* a wrong answer to REQ_FILE_INFO */
	volatile uint32_t local_rows, remote_rows;
	volatile uint32_t remote_outcome;	/* enum net_outcome */
	volatile uint32_t network_dies;	/* at the next question */
	volatile uint32_t fail_page;	/* the n-th page is an error */
	volatile uint32_t opened, closed, asked, cancelled, known, pages;
	volatile uint32_t answer_held;	/* give the held answer now */
	volatile uint32_t held_given;
	volatile uint32_t flags;	/* of the last asker */
	struct m_req_create create;	/* the last */
	struct m_req_backup backup;
	struct m_ask	 ask;
	char		 file[256];	/* what a download gives */
	char		 checksum[CHECKSUM_BYTES];
};

/* For play->more: what the engine says. */
void	peer_say(enum msg_type, uint64_t id, const void *, size_t);
void	peer_say_error(uint64_t id, enum err, int64_t backup_id,
	    const char *text);
void	peer_say_job(uint64_t id, uint64_t job);

struct stage {
	struct play	*play;
	pid_t		 front, peer;
	int		 port;
	char		 socket[128];	/* the unix listener's path */
};

/* Starts the program (its path) and the peer; conf is FRONT_CONF's. */
void	stage_open(struct stage *, const char *program,
	    const struct m_front_conf *conf, struct play *);
/* Ends both; the front's exit status as waitpid(2) gives it. */
int	stage_close(struct stage *);
/* The front's status if it ends within 5 s, else -1. */
int	stage_front_ended(struct stage *);
struct play *play_new(void);

struct answer {
	int		 status;	/* -1: none came */
	char		*text;		/* all that came, with a NUL */
	size_t		 n;
	char		*body;		/* into text; chunks undone */
	size_t		 body_n;
	int		 whole;		/* the end of the body was seen */
};

/* Sends n bytes, then reads until the front closes or 15 s pass; with
 * half: closes the sending side first. */
struct answer	client_raw(struct stage *, const char *, size_t n, int half);
/* A request built from a line ("GET /x"), fields ("A: b\r\n") and a body;
 * Host and Connection: close are added. */
struct answer	client(struct stage *, const char *line, const char *fields,
		    const char *body);
int	client_connect(const struct stage *);
void	client_send(int s, const char *, size_t);
/* What comes until EOF, `until` bytes, or timeout_ms; allocates. */
char	*client_read(int s, size_t until, size_t *n, int timeout_ms);
void	answer_free(struct answer *);
/* The value of a header field, or NULL; static. */
const char	*answer_field(const struct answer *, const char *name);

/* Polls until the counter has the value, at most 5 s. */
int	reached(volatile uint32_t *, uint32_t);

#endif
