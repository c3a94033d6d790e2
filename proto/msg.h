/*
 * What crosses a wall between our processes.  Payloads are flat: integers
 * of fixed width, arrays of char that end in a NUL, no pointers, and every
 * byte that is not used is 0.  The receiver checks size, direction and
 * descriptor against the table (chan_get does), then values and state (its
 * handler does).
 */
#ifndef PROTO_MSG_H
#define PROTO_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "proto/phases.h"

enum role {
	ROLE_ENGINE,
	ROLE_FRONT,
	ROLE_NETWORK,
	ROLE_WORKER,
	ROLE_LOOKER
};

/* Sizes of texts in bytes, with their NUL. */
#define DATABASE_BYTES		64	/* the name of a database block */
#define NAME_BYTES		256	/* a backup's name */
#define DESCRIPTION_BYTES	1024
#define USER_ID_BYTES		128
#define REMOTE_NAME_BYTES	64
#define REMOTE_ID_BYTES		256	/* a remote's id of a backup */
#define PATH_BYTES		4096
#define ARTIFACT_BYTES		1024	/* path of an artifact */
#define URL_BYTES		2048
#define SECRET_BYTES		512
#define TEXT_BYTES		512	/* a sentence for a person */
#define CHECKSUM_BYTES		72	/* "sha256:" and 64 digits */
#define WORD_BYTES		16	/* "completed", "delete" */
#define LOCATIONS_BYTES		256	/* "local,hq,offsite" */
#define TOKEN_BYTES		64	/* a bearer token; ours have 47 */
#define ORIGIN_BYTES		272	/* "https://NAME:PORT" */
#define BUCKET_BYTES		256
#define PREFIX_BYTES		512	/* of keys in a bucket */
#define REGION_BYTES		64
#define SESSION_BYTES		4096	/* a session token of S3 */
#define UPLOAD_ID_BYTES		1024	/* of a multipart upload */
#define HEX_BYTES		72	/* SHA-256: 64 digits */
#define MANIFEST_BYTES		8192
#define KEYS_BYTES		12288	/* of keys to delete */
#define DELETE_KEYS_MAX		100

/* How the bytes of a backup are stored; the extension of its file. */
#define FORM_BYTES	16	/* "sqlite", "sqlite.zst", "sqlite.zst.age" */

/* The same as bits: what was done with the image, in this order. */
#define FORM_ZSTD	0x01
#define FORM_AGE	0x02
#define FORM_UNKNOWN	0x80	/* alone: the bytes themselves tell */

#define IDENTITY_BYTES	2048	/* age identities, a line each; a secret */

#define LIST_PAGE_ROWS		100	/* rows in answer to one REQ_LIST */

enum user_kind { USER_NONE, USER_TEXT, USER_NUMBER };

/* A user id as the client gave it: 42 and "42" are the same user, but
 * each is given back in the form that it came in. */
struct m_user {
	uint32_t	kind;		/* enum user_kind */
	char		id[USER_ID_BYTES];
};

struct m_empty {
	uint32_t	zero;
};

struct m_error {
	uint32_t	code;		/* enum err */
	uint32_t	retry_after_s;	/* 0: not said */
	int64_t		backup_id;	/* the row that tells more, or 0 */
	char		text[TEXT_BYTES];
};

enum log_level { LOG_BRIEF, LOG_VERBOSE, LOG_LEVELS };

struct m_log {
	uint32_t	level;		/* enum log_level */
	uint32_t	zero;
};

/* ---- engine -> front ---- */

#define FRONT_COMPAT_NODE	0x01
#define FRONT_S3		0x02	/* a remote is S3: REQ_REFRESH */
#define FRONT_S3_FIRST		0x04	/* so is the first: no ASK_LIST */
#define FRONT_ACCESS_LOG	0x08	/* a line in the log for each request */

struct m_front_conf {
	uint32_t	flags;
	uint32_t	remotes;	/* how many; asked by index */
	uint32_t	connections_max;
	uint32_t	remote;		/* the index of the first */
	struct m_user	user;		/* the configured one */
	char		remote_url[URL_BYTES];	/* of the first, or "" */
	char		remote_name[REMOTE_NAME_BYTES];
};

/* A web page of this origin may ask. */
struct m_front_origin {
	char		origin[ORIGIN_BYTES];
};

enum listen_kind { LISTEN_TCP, LISTEN_UNIX };

#define LISTEN_TLS		0x01	/* FRONT_TLS said with what */

struct m_front_listen {
	uint32_t	kind;		/* enum listen_kind */
	uint32_t	port;
	uint32_t	flags;		/* LISTEN_* */
	uint32_t	zero;
};

/*
 * What a listener speaks TLS with, as PEM: before its FRONT_LISTEN, and
 * again when the files have changed.  The header's id is the listener's
 * number, from 0.  A file comes in as many parts as it takes; TLS_USE,
 * without bytes, is the last, and has the flags.
 */
#define TLS_PART_BYTES		8192
#define TLS_FILE_BYTES		(256 * 1024)	/* the largest file */

enum tls_part { TLS_CERTIFICATE, TLS_KEY, TLS_CLIENT_CA, TLS_USE };

#define TLS_CLIENT_REQUIRED	0x01	/* no client without a certificate */

struct m_front_tls {
	uint32_t	part;		/* enum tls_part */
	uint32_t	flags;
	uint32_t	size;		/* of the bytes that are used */
	uint32_t	zero;
	char		bytes[TLS_PART_BYTES];
};

/* ---- front <-> engine ---- */

/*
 * CONN_OPEN carries the accepted socket; its header's id is the
 * connection's number, made by front, never used twice.  The engine asks
 * the kernel who is at the other end and answers with CONN_RIGHTS.  All
 * later requests name the connection, and the engine looks the rights up.
 */
#define RIGHT_READ		0x01
#define RIGHT_BACKUP		0x02
#define RIGHT_DOWNLOAD		0x04
#define RIGHT_RESTORE		0x08
#define RIGHT_DELETE		0x10

struct m_conn_rights {
	uint32_t	rights;		/* RIGHT_*: only to answer sooner */
	uint32_t	uid;		/* UINT32_MAX: not known */
};

/* Each request: who asks, by the connection and what the request says. */
#define ASKER_FORWARDED		0x01	/* Via, Forwarded, X-Forwarded-* (H24) */
#define ASKER_TOKEN		0x02	/* credentials came; token is "" when
					 * they can be none of ours */

#define CERTIFICATE_BYTES	512	/* names, a line each */

struct m_asker {
	uint64_t	conn;
	uint32_t	flags;
	uint32_t	zero;
	char		token[TOKEN_BYTES];
	char		certificate[CERTIFICATE_BYTES];	/* the client's, that
					 * was verified: its names, or "" */
};

/* May he, of any database?  For what needs no other answer of the engine. */
struct m_req_may {
	struct m_asker	asker;
	uint32_t	right;		/* one RIGHT_* */
	uint32_t	zero;
};

#define CREATE_ASYNC		0x01	/* REP_JOB at once */

struct m_req_create {
	struct m_asker	asker;
	uint32_t	flags;
	uint32_t	zero;
	struct m_user	user;
	char		database[DATABASE_BYTES];	/* "": the first */
	char		name[NAME_BYTES];		/* "": the default */
	char		description[DESCRIPTION_BYTES];
};

/*
 * One page of the local catalog, newest first: rows strictly older than
 * (before_ms, before_id), or from the newest if before_ms is 0.
 */
struct m_req_list {
	struct m_asker	asker;
	struct m_user	user;		/* USER_NONE: all */
	char		database[DATABASE_BYTES];	/* "": all */
	int64_t		before_ms;
	int64_t		before_id;
	uint32_t	limit;		/* 1 to LIST_PAGE_ROWS */
	uint32_t	want_total;	/* 1: count them all for the end */
};

struct m_req_refresh {
	struct m_asker	asker;
	struct m_user	user;		/* USER_NONE: all */
};

struct m_req_remote {
	struct m_asker	asker;
	char		name[REMOTE_NAME_BYTES];
};

struct m_list_end {
	uint32_t	rows;		/* sent in this page */
	uint32_t	more;		/* 1: there are older ones */
	uint64_t	total;		/* if wanted: of all pages */
	uint32_t	whole;		/* 1: he may see every database's */
	uint32_t	empty;		/* 1: so is the whole catalog */
};

/* Does the catalog know this backup of remote number `remote`?  A row
 * whose upload's answer was lost is found by the description's mark. */
struct m_req_known {
	struct m_asker	asker;
	uint32_t	remote;
	uint32_t	seq;		/* comes back in the answer */
	char		remote_id[REMOTE_ID_BYTES];
};

struct m_known {
	uint32_t	seq;
	uint32_t	zero;
	int64_t		local_id;	/* 0: not known */
};

struct m_req_stats {
	struct m_asker	asker;
	struct m_user	user;		/* USER_NONE: all */
	char		database[DATABASE_BYTES];
};

struct m_req_database {
	struct m_asker	asker;
	char		database[DATABASE_BYTES];
};

enum backup_ref { REF_LOCAL, REF_REMOTE };

#define BACKUP_RAW		0x01	/* as it is stored */

struct m_req_backup {
	struct m_asker	asker;
	uint32_t	ref;		/* enum backup_ref */
	uint32_t	flags;		/* BACKUP_RAW */
	int64_t		local_id;
	char		remote_id[REMOTE_ID_BYTES];
	char		database[DATABASE_BYTES];
};

#define RESTORE_FORCE		0x01	/* the client says he knows */
#define RESTORE_ASYNC		0x02	/* REP_JOB at once */

struct m_req_restore {
	struct m_asker	asker;
	uint32_t	flags;
	uint32_t	ref;		/* enum backup_ref */
	int64_t		local_id;
	struct m_user	user;
	char		remote_id[REMOTE_ID_BYTES];
	char		database[DATABASE_BYTES];	/* "": the backup's */
	char		identity[IDENTITY_BYTES];	/* for what is encrypted, */
	char		identity_file[PATH_BYTES];	/* or where it stands; "" */
};

struct m_restored {
	int64_t		backup_id;	/* 0: only the remote has it */
	int64_t		safety_backup_id;	/* 0: there was nothing */
	int64_t		restored_ms;
	uint64_t	size;		/* bytes of the image */
	uint64_t	duration_us;
	uint64_t	lock_held_us;	/* writers waited that long */
	int64_t		undone_id;	/* the backup whose restore was undone */
	int64_t		undone_ms;	/* when it was; 0: this is no undo */
	char		method[WORD_BYTES];	/* live, replace */
	char		checksum[CHECKSUM_BYTES];
	char		remote_id[REMOTE_ID_BYTES];
	char		database[DATABASE_BYTES];
	char		served_by[REMOTE_NAME_BYTES];	/* local, or a remote */
};

/* ---- who has a database, and how (D1) ---- */

#define COMMAND_BYTES		64
#define LOCKS_BYTES		160

enum holder_mode { HOLDER_OPEN, HOLDER_READ, HOLDER_WRITE };

struct m_lock_row {
	int32_t		pid;		/* 0: one that the kernel hides */
	uint32_t	uid;		/* UINT32_MAX: not known */
	uint32_t	mode;		/* enum holder_mode */
	uint32_t	zero;
	int64_t		held_ms;	/* -1: not known */
	int64_t		frames_pinned;	/* of the WAL; -1: none or not known */
	char		command[COMMAND_BYTES];	/* "": not known */
	char		user[COMMAND_BYTES];	/* "": not known */
	char		locks[LOCKS_BYTES];	/* "SHARED,READ1" */
};

#define LOCKS_HELD		0x01	/* something blocks a restore now */
#define LOCKS_INCOMPLETE	0x02	/* some processes can't be looked into */
#define LOCKS_EXISTS		0x04	/* the database is there */
#define LOCKS_ACCESSIBLE	0x08	/* a restore could proceed now */

struct m_locks_end {
	uint32_t	flags;
	uint32_t	rows;		/* sent before this */
	char		text[TEXT_BYTES];	/* why not accessible, or "" */
};

/* Front refused a request by itself (a web page's, one for another host,
 * credentials that are none); the header's id is the connection's. */
struct m_refused {
	uint32_t	code;		/* enum err */
	uint32_t	zero;
};

/* ---- the licence (D14): bytes here, meaning in front ---- */

#define LICENSE_BYTES		8192
#define LICENSE_KEY_BYTES	4096

struct m_license {
	uint32_t	license_size;	/* 0: none is configured */
	uint32_t	key_size;
	char		license[LICENSE_BYTES];
	char		key[LICENSE_KEY_BYTES];	/* PEM */
	char		text[TEXT_BYTES];	/* why it can't be read, or "" */
};

/* What a valid licence says, for databases whose configuration does not. */
struct m_license_ids {
	struct m_user	user;
	char		device_id[USER_ID_BYTES];
};

/* What needs nothing else, and what the administrator may tell us. */
struct m_req_admin {
	struct m_asker	asker;
	uint32_t	level;		/* enum log_level: REQ_LOG */
	uint32_t	zero;
};

#define TOLD_BYTES	2048

struct m_told {
	char		text[TOLD_BYTES];
};

/* A value of what proto/metrics.def names. */
#define METRIC_LABELS		2
#define METRIC_LABEL_BYTES	64

struct m_metric {
	uint32_t	metric;		/* enum metric */
	uint32_t	zero;
	int64_t		value;		/* in the unit of the table */
	char		labels[METRIC_LABELS][METRIC_LABEL_BYTES];
};

struct m_req_job {
	struct m_asker	asker;
	uint64_t	job;
};

struct m_job {
	uint64_t	id;
	uint64_t	bytes_done;
	uint64_t	bytes_total;
	int64_t		backup_id;	/* 0: none yet */
	int64_t		safety_backup_id;	/* restores; 0: none yet */
	int64_t		started_ms;
	int64_t		finished_ms;	/* 0: runs */
	uint32_t	error;		/* enum err */
	uint32_t	zero;
	char		kind[WORD_BYTES];	/* create, restore, fetch */
	char		state[WORD_BYTES];	/* queued, running, done, failed */
	char		phase[WORD_BYTES];	/* copy, verify, upload ... */
	char		database[DATABASE_BYTES];
	char		error_text[TEXT_BYTES];
	uint64_t	rate;		/* bytes per second, of late */
	int64_t		eta_s;		/* of this phase; -1: not known */
	struct m_phases	spent;
};

#include "proto/msg_events.h"

#define BACKUP_NAMED	0x01	/* made by hand, with a name */
#define BACKUP_DOOMED	0x02	/* a copy of it is being deleted */

/* A row of the catalog.  Times are ms since the epoch, 0 where there is
 * none. */
struct m_backup {
	int64_t		id;
	int64_t		file_size;	/* of the SQLite image, bytes */
	int64_t		created_ms;
	int64_t		updated_ms;
	int64_t		uploaded_ms;
	uint64_t	lock_held_us;	/* at capture */
	int64_t		captured_ms;
	int64_t		proven_ms;	/* verified here */
	int64_t		pinned_ms;
	int64_t		stored_size;	/* of the local artifact, bytes */
	uint32_t	flags;		/* BACKUP_* */
	uint32_t	zero;
	struct m_user	user;
	char		database[DATABASE_BYTES];
	char		name[NAME_BYTES];
	char		description[DESCRIPTION_BYTES];
	char		file_path[ARTIFACT_BYTES];
	char		type[WORD_BYTES];	/* manual, auto, system */
	char		status[WORD_BYTES];	/* pending ... failed */
	char		verdict[WORD_BYTES];	/* sound, damaged ... */
	char		remote_id[REMOTE_ID_BYTES];
	char		checksum[CHECKSUM_BYTES];
	char		locations[LOCATIONS_BYTES];
	char		reason[TEXT_BYTES];	/* why not completed, or "" */
	char		form[FORM_BYTES];	/* of the local artifact */
	char		stored_checksum[CHECKSUM_BYTES];
	/* What remotes get, where that is another form; else "". */
	int64_t		remote_size;	/* bytes */
	char		remote_form[FORM_BYTES];
	char		remote_checksum[CHECKSUM_BYTES];
	char		served_by[REMOTE_NAME_BYTES];	/* of a download: which
					 * place gave the bytes */
};

struct m_stats {
	uint64_t	backups;
	uint64_t	bytes;
	uint64_t	completed;
	uint64_t	failed;
	int64_t		last_ms;	/* 0: none */
};

#define FILE_EXISTS		0x01
#define FILE_READABLE		0x02
#define FILE_WRITABLE		0x04
#define FILE_LOCKED		0x08	/* D1: something would block a restore */
#define FILE_ACCESSIBLE		0x10
#define FILE_DATABASE		0x20	/* the fields from page_size on hold */

struct m_file_info {
	uint32_t	flags;
	uint32_t	page_size;	/* bytes */
	uint64_t	size;		/* bytes */
	uint64_t	page_count;
	uint64_t	wal_size;	/* bytes */
	int64_t		modified_ms;
	int64_t		created_ms;	/* 0: the file system does not tell */
	uint32_t	application_id;
	uint32_t	user_version;
	uint32_t	schema_cookie;
	uint32_t	uid;		/* its owner's, if it exists */
	char		journal_mode[WORD_BYTES];	/* wal, delete */
	char		encoding[WORD_BYTES];		/* UTF-8 ... */
	char		path[PATH_BYTES];
};

#include "proto/msg_net.h"

/* ---- front <-> network ---- */

struct m_ask {
	uint32_t	remote;
	uint32_t	zero;
	char		user_id[USER_ID_BYTES];	/* ASK_LIST */
};

struct m_health {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;
	uint64_t	response_us;	/* microseconds */
	char		reason[TEXT_BYTES];
};

/* One entry of a remote's list, as far as it could be understood. */
struct m_remote_row {
	int64_t		size;		/* -1: not told */
	int64_t		created_ms;	/* 0: not told */
	int64_t		uploaded_ms;
	char		remote_id[REMOTE_ID_BYTES];
	char		name[NAME_BYTES];
	char		description[DESCRIPTION_BYTES];
};

struct m_remote_end {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;
	uint32_t	rows;		/* sent before this */
	uint32_t	skipped;	/* entries that made no sense */
	char		reason[TEXT_BYTES];
};

#include "proto/msg_worker.h"
#include "proto/msg_keep.h"
#include "proto/msg_proof.h"
#include "proto/msg_status.h"

/* ---- the table ---- */

#define PROTO_VERSION	1

enum msg_type {
	MSG_NONE,
#define MSG(name, from, to, payload, fd)	MSG_##name,
#include "proto/msg.def"
#undef MSG
	MSG_COUNT
};

struct msg_desc {
	const char	*name;
	enum role	 from, to;
	size_t		 size;		/* of the payload, bytes */
	int		 fd;		/* 1: a descriptor travels with it */
};

/* The description of type, or NULL if there is none.  Static. */
const struct msg_desc	*msg_desc(uint32_t type);

/*
 * May a message of this type, size and descriptor (1 or 0) go from `from`
 * to `to`?  NULL if so, else why not (a static text).
 */
const char	*msg_check(uint32_t type, enum role from, enum role to,
		    size_t size, int fd);

/* "engine", "front" ... */
const char	*role_name(enum role);

/* 1 when the char array has its NUL within its bytes. */
#define msg_text_ok(a)	(memchr((a), '\0', sizeof(a)) != NULL)

#endif
