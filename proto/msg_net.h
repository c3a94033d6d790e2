/*
 * What crosses the wall between engine and network.  Part of msg.h, which
 * includes it, and whose rules hold for it.
 */
#ifndef PROTO_MSG_NET_H
#define PROTO_MSG_NET_H

enum remote_kind { REMOTE_REST, REMOTE_S3 };

struct m_net_remote {
	uint32_t	index;
	uint32_t	kind;		/* enum remote_kind */
	uint32_t	timeout_ms;	/* no progress for that long: transfers */
	uint32_t	zero;
	uint64_t	upload_limit;	/* bytes a second; 0: none */
	char		name[REMOTE_NAME_BYTES];
	char		url[URL_BYTES];	/* s3: the endpoint */
	char		api_key[SECRET_BYTES];	/* s3: "" */
};

/* What a remote of kind REMOTE_S3 needs besides; after its NET_REMOTE. */
#define S3_VIRTUAL_HOST		0x01	/* BUCKET.HOST/KEY, not HOST/BUCKET/KEY */
#define S3_CONDITIONAL		0x02	/* If-None-Match: *, where it works */
#define S3_NO_DELETE		0x04	/* this host may not delete there */

#define S3_PARALLEL_MAX		16
#define S3_PART_BYTES_MIN	(5 * 1024 * 1024)

struct m_net_s3 {
	uint32_t	index;
	uint32_t	flags;
	uint32_t	parallel;	/* parts at once; 0: 4 */
	uint32_t	retain_days;	/* with lock_mode */
	uint64_t	part_size;	/* bytes; 0: by the object's size */
	char		bucket[BUCKET_BYTES];
	char		prefix[PREFIX_BYTES];	/* "", or ends in "/" */
	char		region[REGION_BYTES];
	char		access_key[SECRET_BYTES];
	char		secret_key[SECRET_BYTES];
	char		session_token[SESSION_BYTES];	/* "": none */
	char		delete_access_key[SECRET_BYTES];	/* "": the same */
	char		delete_secret_key[SECRET_BYTES];
	char		storage_class[REGION_BYTES];	/* "": the bucket's */
	char		sse[WORD_BYTES];	/* "", AES256, aws:kms */
	char		sse_key[SECRET_BYTES];	/* of aws:kms, or "" */
	char		lock_mode[WORD_BYTES];	/* "", GOVERNANCE, COMPLIANCE */
};

/* The descriptor is read with pread(2) only. */
#define UPLOAD_LOOK_FIRST	0x01	/* the answer to an earlier try may
					 * be lost: list, and find `mark` */
#define UPLOAD_HOLD		0x02	/* not to its end before NET_GO: the
					 * file is being proven; rest only */
struct m_net_upload {
	uint32_t	remote;
	uint32_t	flags;
	uint64_t	size;		/* bytes */
	char		form[FORM_BYTES];	/* of the bytes */
	char		user_id[USER_ID_BYTES];
	char		device_id[USER_ID_BYTES];
	char		name[NAME_BYTES];
	char		description[DESCRIPTION_BYTES];	/* without the mark */
	char		mark[WORD_BYTES * 4];	/* "[cloudbackupd:7@1a2b3c4d]" */
	/* For s3; a rest remote wants them empty. */
	uint64_t	part_size;	/* of upload_id, bytes */
	char		key[REMOTE_ID_BYTES];	/* behind the prefix */
	char		sha256[HEX_BYTES];	/* of the bytes */
	char		upload_id[UPLOAD_ID_BYTES];	/* to go on with, or "" */
};

/* Comes just before the NET_UPLOAD of the same id: what is put beside the
 * object, when that is there, as its key and ".json". */
struct m_net_manifest {
	uint32_t	size;		/* bytes of text */
	uint32_t	zero;
	char		text[MANIFEST_BYTES];	/* JSON; not terminated */
};

/* An upload in parts has begun: with these it can be gone on with. */
struct m_net_multipart {
	uint64_t	part_size;	/* bytes */
	char		upload_id[UPLOAD_ID_BYTES];
};

struct m_net_progress {
	uint64_t	bytes_done;
	uint64_t	bytes_total;
};

enum net_outcome {
	NET_OK,
	NET_AWAY,		/* not reached, 5xx, 429: try again */
	NET_TIMED_OUT,		/* the same, for want of progress */
	NET_REFUSED,		/* 4xx: for good */
	NET_GARBAGE,		/* an answer that is none: try again */
	NET_LOCAL,		/* our own descriptor failed */
	NET_CANCELLED
};

/* What the remote itself said of the backup, after it was sent: its head,
 * or a list.  UPLOAD_GONE: s3 only. */
#define CONFIRMED_SIZE		0x01
#define CONFIRMED_HASH		0x02
#define UPLOAD_GONE		0x04	/* upload_id is of no use any more */

struct m_net_uploaded {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;	/* 0: none came */
	uint32_t	retry_after_s;	/* 0: not said */
	uint32_t	flags;
	char		remote_id[REMOTE_ID_BYTES];
	char		reason[TEXT_BYTES];
};

/* The descriptor is written with pwrite(2) only, from offset 0. */
struct m_net_fetch {
	uint32_t	remote;
	uint32_t	zero;
	uint64_t	size_max;	/* bytes; more is an error */
	char		remote_id[REMOTE_ID_BYTES];
};

struct m_net_fetched {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;
	uint64_t	size;		/* bytes written */
	char		reason[TEXT_BYTES];
};

/* An upload in parts that is given up for good. */
struct m_net_abort {
	uint32_t	remote;
	uint32_t	zero;
	char		key[REMOTE_ID_BYTES];
	char		upload_id[UPLOAD_ID_BYTES];
};

struct m_net_done {
	uint32_t	outcome;	/* enum net_outcome */
	uint32_t	http_status;
	uint32_t	retry_after_s;	/* 0: not said */
	uint32_t	zero;
	char		reason[TEXT_BYTES];
};

/* Each object goes with its manifest. */
struct m_net_delete {
	uint32_t	remote;
	uint32_t	count;		/* 1 to DELETE_KEYS_MAX */
	char		keys[KEYS_BYTES];	/* each ends in a NUL */
};

struct m_net_deleted {
	uint32_t	http_status;
	uint32_t	retry_after_s;	/* 0: not said */
	uint32_t	count;
	uint32_t	zero;
	uint32_t	outcome[DELETE_KEYS_MAX];	/* enum net_outcome */
	char		reason[TEXT_BYTES];	/* of the first not deleted */
};

struct m_net_list {
	uint32_t	remote;
	uint32_t	zero;
	char		prefix[REMOTE_ID_BYTES];	/* behind the remote's */
};

/*
 * What a manifest says, in JSON by the same names (the user as "user_id", a
 * string, a number or null; key and object_size come from the listing).
 * Written by whoever can write to the bucket: true only if the mac is
 * (H21).  Texts are as they stand there, valid UTF-8 and whole, but may
 * hold any character.
 */
struct m_manifest {
	uint32_t	version;
	uint32_t	page_size;	/* bytes */
	int64_t		id;		/* the backup's, where it was made */
	int64_t		created_ms;
	uint64_t	size;		/* of the image, bytes */
	uint64_t	stored_size;	/* of the object */
	uint64_t	page_count;
	int64_t		object_size;	/* in the listing; -1: not there */
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	mode;
	uint32_t	application_id;
	uint32_t	user_version;
	uint32_t	named;		/* by hand */
	struct m_user	user;
	char		key[REMOTE_ID_BYTES];	/* behind the prefix */
	char		database[DATABASE_BYTES];
	char		name[NAME_BYTES];
	char		description[DESCRIPTION_BYTES];
	char		checksum[CHECKSUM_BYTES];	/* of the image */
	char		stored_checksum[CHECKSUM_BYTES];	/* the object's */
	char		form[WORD_BYTES];	/* sqlite, sqlite.zst ... */
	char		journal_mode[WORD_BYTES];
	char		installation[REMOTE_NAME_BYTES];	/* UUID */
	char		tool_version[WORD_BYTES * 2];
	char		type[WORD_BYTES];	/* manual, auto, system */
	char		verdict[WORD_BYTES];	/* sound, unknown, "" */
	char		mac[HEX_BYTES];
};

struct m_net_test {
	uint32_t	remote;
	uint32_t	zero;
	char		user_id[USER_ID_BYTES];	/* rest: whose list */
};

struct m_net_test_row {
	uint32_t	ok;
	uint32_t	http_status;	/* 0: none came */
	char		step[WORD_BYTES];
	char		text[TEXT_BYTES];	/* a verdict */
};

enum net_request {
	REQUEST_PUT, REQUEST_GET, REQUEST_HEAD, REQUEST_LIST,
	REQUEST_DELETE, REQUEST_POST, REQUEST_KINDS
};

/* Since network has started; told before each task's end. */
struct m_net_costs {
	uint32_t	remote;
	uint32_t	zero;
	uint64_t	requests[REQUEST_KINDS];
	uint64_t	bytes_up;	/* with what HTTP adds */
	uint64_t	bytes_down;
};

#endif
