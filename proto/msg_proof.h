/*
 * What crosses the wall between front and engine about the proof of a
 * backup, and what workers tell for it: a part of proto/msg.h, which
 * includes it.
 */
#ifndef PROTO_MSG_PROOF_H
#define PROTO_MSG_PROOF_H

#define VERIFY_ASYNC	0x01	/* REP_JOB at once */

struct m_req_verify {
	struct m_asker	asker;
	uint32_t	ref;		/* enum backup_ref */
	uint32_t	flags;		/* VERIFY_ASYNC */
	int64_t		local_id;
	char		remote_id[REMOTE_ID_BYTES];
};

struct m_drilled {
	int64_t		backup_id;
	int64_t		started_ms;
	int64_t		duration_ms;
	int64_t		tables;		/* whose rows were counted */
	int64_t		rows;		/* in all of them */
	char		database[DATABASE_BYTES];
	char		place[REMOTE_NAME_BYTES];	/* local, or a remote */
	char		result[WORD_BYTES];	/* passed, failed, partial */
	char		text[TEXT_BYTES];	/* a sentence */
};

/* ---- worker -> engine ---- */

/* How many rows an ordinary table of the image has. */
#define TABLE_BYTES		512	/* of its name */
#define TABLES_MAX		2000

struct m_w_table {
	int64_t		rows;
	char		name[TABLE_BYTES];
};

#endif
