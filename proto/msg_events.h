/*
 * What happens, as messages: events, how far jobs are, alarms that were
 * seen, webhooks.  A part of proto/msg.h, which includes it.
 */
#ifndef PROTO_MSG_EVENTS_H
#define PROTO_MSG_EVENTS_H

#define EVENTS_NEWEST	0x01	/* none of them: only where the next begin */

/* A page of events, oldest first, whose ids are greater than `after`. */
struct m_req_events {
	struct m_asker	asker;
	char		database[DATABASE_BYTES];	/* "": all */
	int64_t		after;
	uint32_t	limit;		/* 1 to LIST_PAGE_ROWS */
	uint32_t	flags;		/* EVENTS_* */
};

struct m_event {
	int64_t		id;
	int64_t		at_ms;
	int64_t		backup_id;	/* 0: none */
	char		kind[WORD_BYTES];	/* completed, alarm ... */
	char		database[DATABASE_BYTES];	/* "": of none alone */
	char		place[REMOTE_NAME_BYTES];	/* a remote's, or "" */
	char		text[TEXT_BYTES];
};

struct m_events_end {
	int64_t		last;		/* go on after this one */
	uint32_t	rows;
	uint32_t	more;		/* 1: there may be newer ones */
};

#define JOBS_MOVED	0x01	/* `after` is a move's number, not a job's:
				 * those that moved since */
#define JOBS_UNENDED	0x02	/* none that has ended */

/* A page of the jobs that are known, in order of what `after` counts. */
struct m_req_jobs {
	struct m_asker	asker;
	char		database[DATABASE_BYTES];	/* "": all */
	uint64_t	after;
	uint32_t	flags;		/* JOBS_* */
	uint32_t	zero;
};

struct m_jobs_end {
	uint64_t	last;		/* go on after this one */
	uint32_t	rows;
	uint32_t	more;		/* 1: there are more */
};

/* Front has somebody who follows events, or nobody any more. */
struct m_watch {
	uint32_t	on;
	uint32_t	zero;
};

#define TOLD_EVENTS	0x01	/* there is a new one */
#define TOLD_JOBS	0x02	/* some have moved */
#define TOLD_STOP	0x04	/* the daemon is about to end */

struct m_news {
	uint32_t	what;		/* TOLD_* */
	uint32_t	zero;
};

/* Somebody has seen the alarms. */
struct m_req_acknowledge {
	struct m_asker	asker;
	char		database[DATABASE_BYTES];	/* "": of all */
	char		kind[WORD_BYTES];	/* "": of every kind */
};

struct m_acknowledged {
	uint32_t	alarms;		/* that stood */
	uint32_t	failures;	/* that held the heartbeat back */
};

/* ---- engine <-> network ---- */

#define HOOK_BODY_BYTES	4096

/* POST to a webhook; the answer counts by its status alone. */
struct m_net_hook {
	uint32_t	timeout_ms;	/* in all */
	uint32_t	size;		/* of the body, bytes */
	char		url[URL_BYTES];
	char		event[WORD_BYTES];
	char		body[HOOK_BODY_BYTES];	/* JSON */
};

struct m_net_hooked {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;	/* 0: none came */
	uint32_t	retry_after_s;	/* 0: not said */
	uint32_t	zero;
	char		reason[TEXT_BYTES];	/* names the host, no more */
};

#endif
