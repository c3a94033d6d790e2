/*
 * The catalog: a SQLite database of our own, BACKUP_DIR/catalog.sqlite, in
 * WAL mode, opened by the engine alone and never closed while it runs.
 * cloud_backups has a row for each backup; copies says where each is and
 * in which state there (D4).  status, uploaded_at, remote_backup_id and
 * locations of a row follow from its copies: triggers keep them, nobody
 * sets them.  Any failure of the catalog itself is fatal: a daemon that
 * can't write down what it did must not go on.  (An administrator's
 * sqlite3 may read and write meanwhile; a lock of more than 5 s is such a
 * failure.)
 */
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include <stdint.h>

#include "daemon/engine/conf_grants.h"
#include "daemon/engine/events.h"
#include "daemon/engine/tables.h"
#include "proto/msg.h"

#define CATALOG_NAME		"catalog.sqlite"
#define PLACE_LOCAL		"local"
#define UUID_BYTES		37	/* with its NUL */

struct catalog;

/*
 * Opens or makes the catalog at path; runs the migrations that its
 * version wants.  uuid: UUID_BYTES; what the catalog has, or "" when it
 * was just made (then catalog_set_uuid must follow).  NULL, with a
 * sentence in err (TEXT_BYTES), when it is not ours, newer than this
 * program, or damaged: nothing is changed then.
 */
struct catalog	*catalog_open(const char *path, char *uuid, char *err);
void		 catalog_set_uuid(struct catalog *, const char *uuid);

/* BACKUP_DIR's absolute path: when it is another one than last time, each
 * row's file_path is written anew. */
void		 catalog_set_directory(struct catalog *, const char *dir);
void		 catalog_close(struct catalog *);

/* The wall clock as it was last seen, ms; 0: never. */
int64_t	catalog_clock(struct catalog *);
void	catalog_clock_set(struct catalog *, int64_t now_ms);

/* A row that begins: status pending, its local copy pending. */
struct catalog_new {
	const char	*database;
	const char	*name;		/* "": Backup_YYYYMMDD_HHMMSS */
	const char	*description;
	const char	*type;		/* manual, auto, system */
	struct m_user	 user;
	int64_t		 created_ms;
	int64_t		 id;		/* 0: the next one; else this one, as
					 * when an artifact is adopted, if no
					 * row has it yet */
};

/* The id that it got. */
int64_t	catalog_insert(struct catalog *, const struct catalog_new *);

/*
 * What was captured and proven, before the artifact gets its name: from
 * here on a crash is completed, not undone, if the file is there (unless
 * the verdict is damaged: then the row fails and the file is kept).  spent
 * is as catalog_phases_set has it, or NULL.
 */
void	catalog_proven(struct catalog *, int64_t id, const char *file_path,
	    const struct m_w_captured *, const struct m_w_verified *,
	    const struct m_phases *spent);

/*
 * How its bytes are kept, where that is not as an image: between
 * catalog_proven and catalog_published.  And what remotes get instead of
 * that; file: the name of it in the backup's folder.  Sizes in bytes,
 * checksums of the bytes as they are stored.
 */
struct catalog_stored {
	const char	*form;		/* "sqlite.zst" */
	uint64_t	 size;
	const char	*checksum;
};
void	catalog_stored(struct catalog *, int64_t id,
	    const struct catalog_stored *);
void	catalog_remote_form(struct catalog *, int64_t id,
	    const struct catalog_stored *, const char *file);

/* Is there such a file, and its name (name has NAME_BYTES)?  1 or 0. */
int	catalog_remote_file(struct catalog *, int64_t id, char *name);
/* The file is gone; form, size and checksum stay known. */
void	catalog_remote_gone(struct catalog *, int64_t id);
/* Does a remote wait for its copy? */
int	catalog_remote_waits(struct catalog *, int64_t id);
/* The backup that has that file, or 0. */
int64_t	catalog_by_remote_file(struct catalog *, const char *database,
	    const char *name);

/* The artifact has its name: the local copy is completed. */
void	catalog_published(struct catalog *, int64_t id);

/* The local copy failed (reason: a sentence).  VERDICT_NONE leaves an
 * earlier verdict.  keep_file: the artifact stays (a damaged source;
 * catalog_proven told its size and checksum); file_path then says where.
 * NULL: there is none, and the row's size becomes 0. */
void	catalog_failed(struct catalog *, int64_t id, const char *reason,
	    enum verdict, const char *keep_file);

/* The local file is gone though the catalog knows it: copy state
 * missing; the row failed unless a remote has it. */
void	catalog_missing(struct catalog *, int64_t id);

/* 1 found, 0 not. */
int	catalog_get(struct catalog *, int64_t id, struct m_backup *);

/* What was captured beside the content (D15); 1 found, 0 not. */
struct catalog_origin {
	uint32_t	uid, gid, mode;	/* of the live file; mode 0: unknown */
	int		wal;		/* it was in WAL mode */
};
int	catalog_origin(struct catalog *, int64_t id,
	    struct catalog_origin *);

/* The row of a file name (last component of file_path) of a database, or
 * 0. */
int64_t	catalog_by_file(struct catalog *, const char *database,
	    const char *file_name);

/* The local id of what `place` (a remote's name) calls remote_id, or 0. */
int64_t	catalog_by_remote(struct catalog *, const char *place,
	    const char *remote_id);

/*
 * Rows newest first: those strictly older than (before_ms, before_id), or
 * all when before_ms is 0; of the user (USER_NONE: any; 42 and "42" are
 * one) and database ("": any).  cb is called for at most limit rows.
 * Returns how many; *more is 1 when older ones remain.
 */
typedef void	catalog_row_cb(const struct m_backup *, void *arg);
uint32_t catalog_list(struct catalog *, const struct m_user *,
	    const char *database, int64_t before_ms, int64_t before_id,
	    uint32_t limit, int *more, catalog_row_cb *, void *arg);

/* Totals, in constant time however many rows there are. */
void	catalog_stats(struct catalog *, const struct m_user *,
	    const char *database, struct m_stats *);

/*
 * Rows whose local copy is pending (what a crash left), or completed
 * (has_file: to look for their files).  Ids ascending from after_id, at
 * most 500 a call: returns how many were given to cb, which may change
 * the catalog.
 */
typedef void	catalog_local_cb(int64_t id, const char *database,
	    const char *file_path, int64_t stored_size, int proven,
	    void *arg);
int	catalog_each_local(struct catalog *, int completed, int64_t after_id,
	    catalog_local_cb *, void *arg);

/* ---- copies at remotes ---- */

struct catalog_copy {
	int64_t		backup_id;
	char		place[REMOTE_NAME_BYTES];
	char		state[WORD_BYTES];	/* pending, uploading, completed,
						 * failed */
	uint32_t	attempts;
	int64_t		next_attempt_ms;
};

/* Adds a pending copy, due now; one that failed begins anew, with its
 * attempts kept. */
void	catalog_copy_add(struct catalog *, int64_t id, const char *place);

/* An attempt begins (state uploading, attempts + 1). */
void	catalog_copy_begin(struct catalog *, int64_t id, const char *place);

/* It ended; upload_us: how long it took to send it. */
void	catalog_copy_done(struct catalog *, int64_t id, const char *place,
	    const char *remote_id, uint64_t upload_us);
void	catalog_copy_retry(struct catalog *, int64_t id, const char *place,
	    int64_t next_attempt_ms, const char *reason);
void	catalog_copy_failed(struct catalog *, int64_t id, const char *place,
	    const char *reason);

/* At start: what was uploading when we died is pending again, due now,
 * its attempts kept (so that the next one looks first, D18). */
void	catalog_copies_reset(struct catalog *);

/* The oldest due pending copy of a place (its local copy completed):
 * 1 and *copy, or 0 and the time at which the next will be due in
 * copy->next_attempt_ms (0: there is none). */
int	catalog_copy_due(struct catalog *, const char *place, int64_t now_ms,
	    struct catalog_copy *copy);

/* The copy of a backup at a place: 1 found. remote_id has REMOTE_ID_BYTES. */
int	catalog_copy_get(struct catalog *, int64_t id, const char *place,
	    struct catalog_copy *copy, char *remote_id);

/* Are all copies of the backup settled (none pending or uploading whose
 * first attempt has not ended)?  For a create that waits.  1 also where
 * the local copy failed: then nothing is tried. */
int	catalog_attempted(struct catalog *, int64_t id);

/* ---- how backups go (catalog_expire.c) ---- */

/* A copy of a backup, as retention looks at it. */
struct catalog_kept {
	int64_t		id;
	int64_t		created_ms;
	int64_t		size;		/* bytes stored */
	int		sound, unjudged, damaged;	/* the verdict; none of
						 * them: it was not checked */
	int		completed;	/* the copy, not failed or missing */
	int		pinned, named;
	int		safety;		/* what a restore replaced */
	int		uploading;	/* catalog_waiting: one of them is */
	char		waits[LOCATIONS_BYTES];	/* places that wait for it */
};

/*
 * A page of the copies of a database at a place that have not begun to go,
 * ids descending from before_id (INT64_MAX: from the newest); at most max.
 * safeties: only safety backups, and the newest proven one.
 */
size_t	catalog_history(struct catalog *, const char *database,
	    const char *place, int safeties, int64_t before_id,
	    struct catalog_kept *, size_t max);

/* Those that wait for any remote, oldest first; the caller frees *list. */
size_t	catalog_waiting(struct catalog *, const char *database,
	    struct catalog_kept **list);

/* The newest proven backup of a database, or 0. */
int64_t	catalog_newest_proven(struct catalog *, const char *database);

/* The mark, before anything is deleted there.  doomed_ms -1: it should go,
 * and the place cannot delete.  1, or 0 when it has one already. */
int	catalog_doom(struct catalog *, int64_t id, const char *place,
	    int64_t doomed_ms, const char *why);

/* The mark is taken back: it stays there. */
void	catalog_doom_off(struct catalog *, int64_t id, const char *place);

/* Would a copy that is worth as much be left without this one, of the same
 * backup or of another one of its database?  1 or 0. */
int	catalog_spare(struct catalog *, int64_t id, const char *place);

struct catalog_doomed {
	int64_t		id;
	int64_t		created_ms;
	int64_t		size;
	char		database[DATABASE_BYTES];
	char		file_path[ARTIFACT_BYTES];
	char		why[EXPIRE_WHY_BYTES];
};

/* The next marked copy of a place with an id below before_id (INT64_MAX:
 * the newest) that was not refused within a day; 1 or 0. */
int	catalog_doomed_next(struct catalog *, const char *place,
	    int64_t before_id, struct catalog_doomed *);

/* That of one backup; 1, or 0: it has no mark there. */
int	catalog_doomed_get(struct catalog *, const char *place, int64_t id,
	    struct catalog_doomed *);

/* The place does not let it go: it stays marked.  1: it had not said so
 * before. */
int	catalog_doomed_refused(struct catalog *, int64_t id,
	    const char *place, const char *why);

/* It is gone there; so is the row when that was the last one (1). */
int	catalog_copy_removed(struct catalog *, int64_t id, const char *place);

/* 1, or 0: there is no such backup.  pinned_ms 0: not any more. */
int	catalog_pin(struct catalog *, int64_t id, int64_t pinned_ms);

/* Every copy of a backup, the local one first. */
typedef void	catalog_copy_cb(const struct m_copy *, void *arg);
void	catalog_copies_of(struct catalog *, int64_t id, catalog_copy_cb *,
	    void *arg);

/* Where its time went: what is 0 stays as it is.  Of what was sent to
 * several remotes, the slowest counts. */
void	catalog_phases_set(struct catalog *, int64_t id,
	    const struct m_phases *);
void	catalog_phases_get(struct catalog *, int64_t id, struct m_phases *);

/* What m_detail has beside the backup itself. */
void	catalog_detail(struct catalog *, int64_t id, struct m_detail *);

/* Several changes in one transaction. */
void	catalog_together(struct catalog *);
void	catalog_together_end(struct catalog *);

/* ---- restores, for undo ---- */

struct catalog_restore {
	int64_t		id;
	int64_t		backup_id;	/* 0: it was a remote's only */
	int64_t		safety_id;	/* 0: there was nothing before */
	int64_t		at_ms;
};

/* A restore is about to write; its row.  It counts for undo only once it
 * is done. */
int64_t	catalog_restore_begin(struct catalog *, const char *database,
	    int64_t backup_id, int64_t safety_id);
void	catalog_restore_done(struct catalog *, int64_t restore,
	    int64_t at_ms);
void	catalog_restore_undone(struct catalog *, int64_t restore,
	    int64_t at_ms);

/* The last one of a database: 1 or 0. */
int	catalog_restore_last(struct catalog *, const char *database,
	    struct catalog_restore *);
/*
 * The oldest due one of a place (its local copy completed), by the age of
 * the backup; as catalog_copy_due otherwise.
 */
int	catalog_copy_head(struct catalog *, const char *place,
	    int64_t now_ms, struct catalog_copy *copy);

/* Do others wait for a place than this backup? */
int	catalog_copy_others(struct catalog *, int64_t id, const char *place);

/* The remote is away: those that wait for it say why, and none is due
 * later than it is tried again. */
void	catalog_copies_wait(struct catalog *, const char *place,
	    const char *reason, int64_t next_attempt_ms);

/* ---- contents and drills ---- */

/* How many rows each table had at capture; whole: these are all there
 * are, which is not known otherwise. */
void	catalog_contents_set(struct catalog *, int64_t id,
	    const struct tables *, int whole);
typedef void	catalog_table_cb(const char *name, int64_t rows, void *arg);
void	catalog_contents(struct catalog *, int64_t id, catalog_table_cb *,
	    void *arg);

struct catalog_drill {
	int64_t		 backup_id;
	const char	*database;
	const char	*place;
	int64_t		 started_ms;
	int64_t		 duration_ms;
	const char	*result;	/* passed, failed, partial */
	int64_t		 tables, rows;
	const char	*text;		/* a sentence */
};
void	catalog_drill_add(struct catalog *, const struct catalog_drill *);

/* When the last one of a database began; 0: never. */
int64_t	catalog_drill_last(struct catalog *, const char *database);

/* The newest proven backup of a database, of those that a remote has if
 * there are such; 0: there is none. */
int64_t	catalog_drill_choose(struct catalog *, const char *database);

/* ---- backups in buckets (catalog_s3.c) ---- */

/* An upload in parts, to go on with; "" and 0: there is none. */
void	catalog_parts_set(struct catalog *, int64_t id, const char *place,
	    const char *upload_id, uint64_t part_size);
void	catalog_parts_get(struct catalog *, int64_t id, const char *place,
	    char upload_id[UPLOAD_ID_BYTES], uint64_t *part_size);

/* The place itself said so: how is "size", "hash", "sample", "content". */
void	catalog_copy_confirmed(struct catalog *, int64_t id,
	    const char *place, const char *how);

/* Page size and what else only a manifest wants of a row; 1 found. */
int	catalog_facts(struct catalog *, int64_t id, struct m_manifest *);

int	catalog_is_empty(struct catalog *);

/*
 * A manifest that is ours: its backup gets a row (with its id, if that is
 * free) when it has none, and a completed copy at the place, where it is
 * called remote_id.  The row's id, or 0 when all that was known.
 */
int64_t	catalog_recover(struct catalog *, const struct m_manifest *,
	    const char *place, const char *remote_id);

/* ---- tokens ---- */

#define TOKEN_HASH_BYTES	32

struct catalog_token {
	int64_t		id;
	char		name[DATABASE_BYTES];
	uint8_t		hash[TOKEN_HASH_BYTES];	/* SHA-256 of the token */
	int		broken;		/* the row's hash is none */
	char		rights[GRANTS_TEXT];	/* as grants_parse reads it */
	int64_t		created_ms;
	int64_t		expires_ms;	/* 0: never */
	int64_t		revoked_ms;	/* 0: it is not */
	int64_t		last_used_ms;	/* within a minute; 0: never */
};

/* Each that is known, also what is revoked or expired.  cb must not touch
 * the catalog. */
typedef void	catalog_token_cb(const struct catalog_token *, void *arg);
void	catalog_tokens(struct catalog *, catalog_token_cb *, void *arg);

/* name, hash, rights, created_ms, expires_ms.  0, or -1 when a valid token
 * has that name. */
int	catalog_token_add(struct catalog *, const struct catalog_token *);

/* 1, or 0 when no token that is not yet revoked has that name. */
int	catalog_token_revoke(struct catalog *, const char *name,
	    int64_t now_ms);

void	catalog_token_used(struct catalog *, const struct catalog_token *,
	    int64_t now_ms);

/* ---- the audit log: rows are only ever added, but the oldest of those
 * whose result begins with "refused" go when there are very many ---- */

struct catalog_audit {
	int64_t		 at_ms;
	int64_t		 uid;		/* -1: not known */
	int64_t		 backup_id;	/* 0: none */
	const char	*who;		/* "uid 1000", "token NAME" */
	const char	*address;	/* of the other end */
	const char	*action;	/* "restore" */
	const char	*database;	/* or "" */
	const char	*result;	/* "done", "refused: FORBIDDEN" */
};

void	catalog_audit(struct catalog *, const struct catalog_audit *);

/* Many writes at once: what is between these is one transaction. */
void	catalog_begin(struct catalog *);
void	catalog_commit(struct catalog *);

/* ---- what is remembered of each database ---- */

struct catalog_database {
	char		name[DATABASE_BYTES];
	char		path[PATH_BYTES];
	char		block[DATABASE_BYTES];	/* whose pattern found it */
	char		result[TEXT_BYTES];	/* of its last run: completed,
						 * unchanged, failed: WHY */
	int64_t		slot_ms;	/* for which that run was due */
	int64_t		ran_ms;
	int64_t		signature_id;	/* backup that has what the signature
					 * stands for; 0: none */
	int64_t		unchanged_ms;	/* when last seen as in that; 0 */
	int64_t		changed_ms;	/* when last seen to be another */
};

/* 1 found, 0 not. */
int	catalog_database(struct catalog *, const char *name,
	    struct catalog_database *);

/* It is configured, or found by the pattern of block ("": neither). */
void	catalog_database_seen(struct catalog *, const char *name,
	    const char *path, const char *block);

/* How a scheduled run for the slot ended. */
void	catalog_database_ran(struct catalog *, const char *name,
	    int64_t slot_ms, int64_t now_ms, const char *result);
/* It may be lost with the power, or when the disk is full. */
void	catalog_database_unchanged(struct catalog *, const char *name,
	    int64_t slot_ms, int64_t now_ms);

/* The backup has what the live files held when they had this signature;
 * NULL: what they had can't be told. */
void	catalog_database_captured(struct catalog *, const char *name,
	    int64_t backup_id, const struct m_signature *, int64_t now_ms);
void	catalog_database_changed(struct catalog *, const char *name,
	    int64_t now_ms);

/* The last such signature: 1 and its backup, 0 when there is none. */
int	catalog_database_signature(struct catalog *, const char *name,
	    struct m_signature *, int64_t *backup_id);

/* Is this backup there, not about to go, and as proven as it can be? */
int	catalog_database_stands(struct catalog *, const char *name,
	    int64_t backup_id, int unverified_counts);

/* The name under which the pattern of block knows a path: 1, or 0.  name
 * has DATABASE_BYTES. */
int	catalog_database_by_path(struct catalog *, const char *block,
	    const char *path, char *name);

/* Each that the pattern of block ever found and that has backups; cb must
 * not touch the catalog. */
typedef void	catalog_database_cb(const char *name, const char *path,
	    void *arg);
void	catalog_databases_of(struct catalog *, const char *block,
	    catalog_database_cb *, void *arg);

/* When an alarm of this kind was last acknowledged; 0: never. */
int64_t	catalog_acknowledged(struct catalog *, const char *database,
	    const char *kind);

/* ---- how everything is: in constant time for each database ---- */

/* All of s that the catalog knows of the database. */
void	catalog_status_database(struct catalog *, const char *name,
	    struct m_status_database *s);
/* pending, uploading, next_attempt_ms and last_error of the remote. */
void	catalog_status_remote(struct catalog *, const char *place,
	    struct m_status_remote *s);
/* Each alarm that stands for the database ("": for all).  cb must not touch
 * the catalog. */
typedef void	catalog_alarm_cb(const struct m_status_alarm *, void *arg);
void	catalog_status_alarms(struct catalog *, const char *database,
	    catalog_alarm_cb *, void *arg);
/* ---- for GET /metrics ---- */

struct catalog_metrics {
	char		database[DATABASE_BYTES];
	int64_t		proven_ms;	/* newest proven backup; 0: none */
	int64_t		lock_held_us;	/* by the last capture */
	int64_t		drill_ms;	/* the last; 0: none */
	int64_t		drill_duration_ms;
	int		drill_passed;	/* it did not fail */
	int64_t		alarms;		/* not acknowledged */
	struct m_stats	totals;		/* the caller's */
};

struct catalog_queue {
	int64_t	pending, bytes, oldest_ms;	/* 0: there is none */
};

/* Fills all but totals for the database it names. */
void	catalog_metrics(struct catalog *, struct catalog_metrics *);

/* backups, bytes and failed of each; cb must not touch the catalog. */
void	catalog_metrics_totals(struct catalog *, void (*cb)(const char *name,
	    const struct m_stats *, void *arg), void *arg);

/* What waits for a remote. */
void	catalog_metrics_queue(struct catalog *, const char *place,
	    struct catalog_queue *);

/* ---- events and alarms (events.h says what they are) ---- */

struct catalog_event {
	int64_t			 at_ms;
	const char		*kind;		/* event_kind_name */
	struct event_about	 about;
	const char		*text;
};

/* Its id, or 0 when the disk is too full for it.  Only the newest hundred
 * thousand stay. */
int64_t	catalog_event_add(struct catalog *, const struct catalog_event *);

/*
 * At most limit events whose ids are greater than after, oldest first; cb
 * must not touch the catalog.  The last one's id, or after.
 */
typedef void	catalog_event_cb(const struct m_event *, void *arg);
int64_t	catalog_events(struct catalog *, int64_t after, uint32_t limit,
	    catalog_event_cb *, void *arg);

/* The id of the newest there ever was, or 0. */
int64_t	catalog_events_newest(struct catalog *);

/* How far a webhook is: events up to last_id are done with. */
struct catalog_hook {
	int64_t		last_id;
	uint32_t	attempts;	/* of the next one */
	int64_t		next_attempt_ms;
};

/* 1 and *h, or 0: it is not known yet.  Set: 0, or -1 while the disk is
 * full. */
int	catalog_hook_get(struct catalog *, const char *hook,
	    struct catalog_hook *h);
int	catalog_hook_set(struct catalog *, const char *hook,
	    const struct catalog_hook *);

/* The next one by name after `after`: 1 and hook (size bytes), or 0. */
int	catalog_hook_next(struct catalog *, const char *after, char *hook,
	    size_t size);
void	catalog_hook_delete(struct catalog *, const char *hook);

/* Does an alarm stand, or is there a failure after which nothing has gone
 * well yet? */
int	catalog_troubled(struct catalog *);

/* Forgets such failures of a database, "": of all.  How many. */
int	catalog_troubles_clear(struct catalog *, const char *database);

/* 1, or 0 when the same alarm stands already, or the disk is full.  The
 * catalog adds the event that tells of it. */
int	catalog_alarm_raise(struct catalog *, const char *database,
	    const char *kind, const char *text, int64_t now_ms);

/* Does one stand for this database, or for all?  1 and why (TEXT_BYTES). */
int	catalog_alarm_first(struct catalog *, const char *database,
	    char *why);

struct catalog_alarm {
	int64_t		id;
	int64_t		raised_ms;
	char		database[DATABASE_BYTES];	/* "": of all */
	char		kind[WORD_BYTES];
	char		text[TEXT_BYTES];
};

/* The next that stands after the id `after`, of one database or ("") any:
 * 1 and *a, or 0. */
int	catalog_alarm_next(struct catalog *, const char *database,
	    int64_t after, struct catalog_alarm *a);

/* Calls cb for each that stands, oldest first; cb may change the catalog. */
typedef void	catalog_standing_cb(const struct catalog_alarm *, void *arg);
void	catalog_alarms_each(struct catalog *, const char *database,
	    catalog_standing_cb *, void *arg);

/* 1, or 0 when it stood no more. */
int	catalog_alarm_acknowledge(struct catalog *, int64_t id,
	    const char *by, int64_t now_ms);

/* ---- what one backup's data shows beside another's ---- */

struct catalog_traits {
	int64_t		id;
	int64_t		size;		/* of the image, bytes */
	uint64_t	dev, ino;	/* the live file's, 0: not known */
	uint32_t	application_id, change_counter;
	int64_t		tables;		/* -1: their names are not known */
	char		verdict[WORD_BYTES];
};

/* Of a backup; of the one that it is to be compared with: the newest of
 * its database before it, none from before the last restore.  1 found. */
int	catalog_traits(struct catalog *, int64_t id, struct catalog_traits *);
int	catalog_traits_before(struct catalog *, int64_t id,
	    const char *database, struct catalog_traits *);

/* How many tables of the old backup the new one lacks, and the name of one
 * (size bytes). */
int64_t	catalog_tables_gone(struct catalog *, int64_t old_id,
	    int64_t new_id, char *name, size_t size);

/* What this database holds from now on is not what it held. */
void	catalog_expect_anew(struct catalog *, const char *database);

#endif
