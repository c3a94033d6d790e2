/*
 * What crosses the wall between engine and a worker or looker.  Part of msg.h, which
 * includes it, and whose rules hold for it.
 */
#ifndef PROTO_MSG_WORKER_H
#define PROTO_MSG_WORKER_H

/* What a worker must know to look at a database's path. */
#define LOOK_UNSAFE_FILESYSTEM	0x01	/* H3's and H4's refusals are off */

#define UID_NONE	UINT32_MAX	/* the daemon is not root's */

struct m_look {
	char		path[PATH_BYTES];
	uint32_t	flags;
	uint32_t	uids_refused[3];	/* front's, network's, nobody's;
					 * or UID_NONE */
	uint64_t	refused_dev[2];	/* BACKUP_DIR's, the catalog's (H20) */
	uint64_t	refused_ino[2];
};

/* The first that a looker hears. */
struct m_look_start {
	uint32_t	uid;		/* to become, when root */
	uint32_t	gid;
};

/*
 * W_GLOB: look.path is a pattern.  Regular files that match, of a directory
 * that is not refused; no links, and nothing that SQLite puts beside a
 * database.
 */
#define GLOB_MAX	10000		/* names of one pattern */
#define FILE_NAME_BYTES	256
#define NAMES_MAX	30		/* of one message */

struct m_w_names {
	uint32_t	n;
	uint32_t	uid[NAMES_MAX];	/* of each file's owner */
	char		name[NAMES_MAX][FILE_NAME_BYTES];	/* no directory */
};

struct m_w_globbed {
	uint32_t	names;		/* sent before this */
	uint32_t	more;		/* 1: there are others, beyond GLOB_MAX */
};

/*
 * What tells two states of a database's files apart without reading them
 * (H9): where they are, how long, when they changed, how often (which says
 * nothing in WAL mode), and the header of the -wal and of its last frame.
 * Equal and SIGNATURE_STABLE: nothing was written in between.
 */
#define SIGNATURE_VERSION	2
#define SIGNATURE_STABLE	0x01	/* nothing changed so recently that
					 * a time stamp may hide it */
#define SIGNATURE_HEADER	32	/* of a -wal, bytes */
#define SIGNATURE_FRAME		24	/* of a frame */

struct m_signature {
	uint32_t	version;
	uint32_t	flags;
	uint64_t	dev;
	uint64_t	ino;
	uint64_t	size;		/* bytes */
	uint32_t	change_counter;	/* of the header, 0: none */
	uint32_t	zero;
	int64_t		mtime_ns;
	int64_t		ctime_ns;
	uint64_t	wal_ino;	/* 0: there is none */
	uint64_t	wal_size;	/* bytes */
	int64_t		wal_mtime_ns;
	int64_t		wal_ctime_ns;
	uint8_t		wal_header[SIGNATURE_HEADER];
	uint8_t		wal_frame[SIGNATURE_FRAME];
};

enum capture_method { CAPTURE_RAW, CAPTURE_BACKUP };

#define CAPTURE_FORGET		0x01	/* nobody reads it soon after this */
#define CAPTURE_SCRATCH		0x02	/* it is not kept: need not be synced */

/* W_CAPTURE carries the artifact, open for reading and writing, empty. */
struct m_w_capture {
	struct m_look	look;
	uint32_t	method;		/* enum capture_method */
	uint32_t	lock_timeout_ms;	/* waiting for a lock */
	uint32_t	lock_limit_ms;	/* holding one */
	uint32_t	flags;		/* CAPTURE_* */
	uint64_t	size_limit;	/* bytes; 0: none */
	uint64_t	reserve;	/* bytes to leave free */
};

enum verify_level { VERIFY_NONE, VERIFY_QUICK, VERIFY_FULL };

#define VERIFY_EXPECT		0x01	/* the expect_* fields hold */
#define VERIFY_ROWS		0x02	/* count: a W_TABLE for each table */
#define VERIFY_REFERENCES	0x04	/* count broken foreign keys */
#define VERIFY_LOW		0x08	/* others first */
#define VERIFY_FORGET		0x10	/* nobody reads it soon after this */
#define VERIFY_SHARED		0x20	/* somebody waits: two threads */

/* W_VERIFY carries the artifact, open for reading only. */
struct m_w_verify {
	uint32_t	level;		/* enum verify_level */
	uint32_t	flags;
	uint32_t	uid;		/* to become, when root */
	uint32_t	gid;
	uint64_t	expect_size;	/* bytes */
	uint64_t	expect_pages;
	uint32_t	expect_change_counter;
	uint32_t	deadline_s;	/* of the check; 0: none */
	uint32_t	count_s;	/* of what is counted */
	uint32_t	zero;
};

struct m_w_inspect {
	struct m_look	look;
};

struct m_w_progress {
	uint64_t	bytes_done;
	uint64_t	bytes_total;
	struct m_phases	spent;		/* since the one before */
	char		phase[WORD_BYTES];
};

struct m_w_captured {
	uint64_t	size;		/* bytes of the image */
	uint64_t	page_count;
	uint64_t	lock_wait_us;
	uint64_t	lock_held_us;
	uint64_t	sync_us;
	uint64_t	wal_frames;	/* overlaid */
	uint64_t	dev;		/* the live file's */
	uint64_t	ino;
	int64_t		mtime_ns;
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	mode;
	uint32_t	page_size;	/* bytes; 0 for an empty file */
	uint32_t	change_counter;
	uint32_t	schema_cookie;
	uint32_t	user_version;
	uint32_t	application_id;
	uint32_t	method;		/* enum capture_method: that used */
	uint32_t	restarts;	/* how often the copy began again */
	uint32_t	gentle;		/* somebody committed: copied by
					 * one thread at a time */
	struct m_signature signature;	/* taken before the lock */
	char		journal_mode[WORD_BYTES];
	char		encoding[WORD_BYTES];
	char		checksum[CHECKSUM_BYTES];	/* while it was written */
	char		fallback[TEXT_BYTES];	/* why not raw, or "" */
};

/* Descriptors that an order needs, sent before it. */
enum w_file_kind {
	W_FILE_SOURCE,			/* the image; reading only */
	W_FILE_SAFETY,			/* empty: what is there now goes here */
	W_FILE_RAW_WAL,			/* empty: an unreadable database's -wal */
	W_FILE_RAW_JOURNAL,		/* empty: its -journal */
	W_FILE_TARGET,			/* empty: the converted image */
	W_FILE_KINDS
};

struct m_w_file {
	uint32_t	kind;		/* enum w_file_kind */
	uint32_t	zero;
};

/* The image of W_FILE_SOURCE with another page size to W_FILE_TARGET. */
struct m_w_convert {
	uint32_t	uid;		/* to become, when root */
	uint32_t	gid;
	uint32_t	page_size;	/* bytes */
	uint32_t	zero;
};

struct m_w_converted {
	uint64_t	size;		/* bytes */
};

/* The image of W_FILE_SOURCE, in another form, to W_FILE_TARGET. */
#define PACK_RECIPIENTS		8
#define RECIPIENT_BYTES		72	/* "age1..." */

#define PACK_HASH_IMAGE		0x01
#define PACK_HASH_STORED	0x02
#define PACK_FORGET		0x04	/* nobody reads the target soon */

struct m_w_pack {
	uint32_t	uid;		/* to become, when root */
	uint32_t	gid;
	uint32_t	form;		/* FORM_* */
	uint32_t	level;		/* of zstd */
	uint32_t	threads;	/* for it; 0: this one */
	uint32_t	nrecipients;
	uint32_t	flags;		/* PACK_* */
	uint32_t	zero;
	uint64_t	size_max;	/* bytes that may be written */
	char		recipients[PACK_RECIPIENTS][RECIPIENT_BYTES];
};

struct m_w_packed {			/* checksums: as it was asked to */
	uint64_t	size;		/* bytes of the image */
	uint64_t	stored_size;	/* bytes written */
	char		checksum[CHECKSUM_BYTES];	/* of the image read */
	char		stored_checksum[CHECKSUM_BYTES];	/* as written */
};

/* The image in W_FILE_SOURCE, in any form, to W_FILE_TARGET if there. */
#define UNPACK_SIZE		0x01	/* the image has exactly size_max */
#define UNPACK_FORGET		0x02	/* nobody reads the source soon */

struct m_w_unpack {
	uint32_t	uid;		/* to become, when root */
	uint32_t	gid;
	uint32_t	form;		/* FORM_*, or FORM_UNKNOWN */
	uint32_t	flags;		/* UNPACK_* */
	uint64_t	size_max;	/* bytes of the image, at most */
	char		identity[IDENTITY_BYTES];	/* or "" */
};

struct m_w_unpacked {
	uint64_t	size;		/* bytes of the image */
	char		checksum[CHECKSUM_BYTES];	/* of the image */
	char		stored_checksum[CHECKSUM_BYTES];	/* of the source */
};

#define W_RESTORE_FORCE		0x01
#define W_RESTORE_WAL		0x02	/* a new file begins in WAL mode */

/*
 * Needs W_FILE_SOURCE, _SAFETY, _RAW_WAL and _RAW_JOURNAL.  The worker takes
 * the write lock, or writes where the database is, only after W_SOUND.  When
 * what is there now has been kept, it sends W_SAFETY and waits for W_GO.
 * uid, gid and mode are for a database that does not exist any more (D15).
 */
struct m_w_restore {
	struct m_look	look;
	uint32_t	flags;
	uint32_t	lock_timeout_ms;
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	mode;
	uint32_t	zero;
	uint64_t	reserve;	/* bytes to leave free */
};

enum restore_method { RESTORE_LIVE, RESTORE_REPLACE };

struct m_w_restored {
	uint32_t	method;		/* enum restore_method */
	uint32_t	zero;
	uint64_t	lock_wait_us;
	uint64_t	lock_held_us;
	uint64_t	size;		/* bytes of the database now */
};

enum verdict { VERDICT_NONE, VERDICT_SOUND, VERDICT_DAMAGED, VERDICT_UNKNOWN };

#define VERIFIED_PARTIAL	0x01	/* not every table was counted */

struct m_w_verified {
	uint32_t	verdict;	/* enum verdict */
	uint32_t	flags;		/* VERIFIED_* */
	uint32_t	tables;		/* counted: W_TABLE came for each */
	uint32_t	zero;
	int64_t		broken;		/* foreign keys; -1: not looked at */
	uint64_t	size;		/* bytes read */
	uint64_t	check_us;
	char		checksum[CHECKSUM_BYTES];	/* of what was read back */
	char		text[TEXT_BYTES];	/* why not sound */
};

#endif
