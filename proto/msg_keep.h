/*
 * What crosses the wall between front and engine about how long a backup
 * lives: a part of proto/msg.h, which includes it.
 */
#ifndef PROTO_MSG_KEEP_H
#define PROTO_MSG_KEEP_H

/* ---- one backup: where it is, and its end ---- */

#define COPY_EXPIRING	0x01	/* it is being deleted there */
#define COPY_RETIRED	0x02	/* it should go, but the place can't delete */

struct m_copy {
	int64_t		size;		/* of what is stored there; 0: unknown */
	int64_t		completed_ms;
	int64_t		confirmed_ms;
	int64_t		next_attempt_ms;
	uint64_t	upload_us;	/* how long it took; 0: not known */
	uint32_t	attempts;
	uint32_t	flags;		/* COPY_* */
	char		place[REMOTE_NAME_BYTES];
	char		state[WORD_BYTES];	/* pending ... missing */
	char		confirmed[WORD_BYTES];	/* how, or "" */
	char		checksum[CHECKSUM_BYTES];
	char		remote_id[REMOTE_ID_BYTES];
	char		reason[TEXT_BYTES];
};

struct m_detail {
	struct m_backup	backup;
	int64_t		tables;		/* -1: not counted */
	int64_t		drill_ms;	/* the last one's begin; 0: none */
	int64_t		drill_duration_ms;
	struct m_phases	spent;
	char		drill_place[REMOTE_NAME_BYTES];
	char		drill_result[WORD_BYTES];	/* passed ... */
	char		drill_text[TEXT_BYTES];
};

#define CHANGE_FORCE	0x01	/* REQ_DELETE: also the last proven one */
#define CHANGE_PIN	0x02	/* REQ_PIN: else unpin */

struct m_req_change {
	struct m_asker	asker;
	uint32_t	ref;		/* enum backup_ref */
	uint32_t	flags;		/* CHANGE_* */
	int64_t		local_id;
	char		remote_id[REMOTE_ID_BYTES];
};

/* Places as "local,hq". */
struct m_deleted {
	int64_t		backup_id;
	char		database[DATABASE_BYTES];
	char		deleted[LOCATIONS_BYTES];	/* gone there */
	char		deleting[LOCATIONS_BYTES];	/* under way */
	char		stays[LOCATIONS_BYTES];	/* they can't delete */
};

#define EXPIRE_DRY	0x01	/* only say what would go */
#define EXPIRE_ROWS_MAX	10000	/* that are sent; more are counted */
#define EXPIRE_WHY_BYTES	128

struct m_req_expire {
	struct m_asker	asker;
	uint32_t	flags;		/* EXPIRE_* */
	uint32_t	zero;
	char		database[DATABASE_BYTES];	/* "": all */
};

struct m_expire_row {
	int64_t		backup_id;
	int64_t		created_ms;
	int64_t		size;		/* bytes stored there */
	char		database[DATABASE_BYTES];
	char		place[REMOTE_NAME_BYTES];
	char		why[EXPIRE_WHY_BYTES];
};

struct m_expire_end {
	uint32_t	rows;		/* sent before this */
	uint32_t	zero;
	uint64_t	total;
	uint64_t	bytes;		/* of all of them */
	char		frozen[TEXT_BYTES];	/* why some database's expiry
						 * is, or "" */
};

/* Puts back what the last restore of a database replaced. */
struct m_req_undo {
	struct m_asker	asker;
	uint32_t	flags;		/* RESTORE_* */
	uint32_t	zero;
	char		database[DATABASE_BYTES];	/* "": the first */
};

#endif
