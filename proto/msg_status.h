/*
 * Front and engine: how everything is (GET /status).  Included by
 * proto/msg.h only.
 */
#ifndef PROTO_MSG_STATUS_H
#define PROTO_MSG_STATUS_H

/*
 * How everything is: a page of databases from the one at place `first`, each
 * followed by its alarms; with the last page the alarms of the whole
 * installation and the remotes.
 */
#define STATUS_PAGE_DATABASES	100

struct m_req_status {
	struct m_asker	asker;
	uint32_t	first;
	uint32_t	zero;
	char		database[DATABASE_BYTES];	/* "": all */
};

#define STATUS_RUNNING		0x01	/* a scheduled run is under way */
#define STATUS_GONE		0x02	/* no file of this pattern any more */

struct m_status_database {
	uint32_t	flags;		/* STATUS_* */
	uint32_t	zero;
	int64_t		last_id;	/* the newest backup; 0: none */
	int64_t		last_ms;
	int64_t		proven_id;	/* the newest proven one; 0: none */
	int64_t		proven_ms;
	int64_t		proven_age_s;	/* by the engine's clock */
	int64_t		unchanged_ms;	/* 0: not looked at since */
	int64_t		next_run_ms;	/* 0: no schedule */
	uint64_t	pending;	/* backups that wait for a remote */
	uint64_t	pending_bytes;
	int64_t		pending_ms;	/* since when the oldest does; 0 */
	int64_t		drill_ms;	/* 0: none yet */
	int64_t		drill_duration_ms;
	char		drill_result[WORD_BYTES];
	char		database[DATABASE_BYTES];
	char		path[PATH_BYTES];
	char		last_result[TEXT_BYTES];	/* completed, unchanged,
					 * failed: WHY */
};

struct m_status_alarm {
	int64_t		raised_ms;
	char		kind[WORD_BYTES];
	char		text[TEXT_BYTES];
};

struct m_status_remote {
	uint32_t	kind;		/* enum remote_kind */
	uint32_t	zero;
	uint64_t	pending;	/* copies that wait */
	uint64_t	uploading;
	int64_t		next_attempt_ms;	/* 0: none waits */
	struct m_net_costs costs;
	char		name[REMOTE_NAME_BYTES];
	char		last_error[TEXT_BYTES];
};

enum status_row {
	STATUS_DATABASE,
	STATUS_ALARM,			/* of the database before it */
	STATUS_ALARM_OF_ALL,
	STATUS_REMOTE,
	STATUS_ROWS
};

struct m_status_row {
	uint32_t	kind;		/* enum status_row */
	uint32_t	zero;
	union {
		struct m_status_database	database;
		struct m_status_alarm		alarm;
		struct m_status_remote		remote;
	} u;
};

struct m_status_end {
	uint32_t	next;		/* first of the next page; 0: none */
	uint32_t	jobs_running;
	uint32_t	jobs_queued;
	uint32_t	zero;
	int64_t		started_ms;
	int64_t		now_ms;
};

#endif
