/*
 * The catalog's schema and its versions.  Run by the engine.  Owns the
 * file's format; must not change a step that was released.
 *
 * The triggers are here so that nobody, an administrator with the sqlite3
 * shell included, can make a row's status disagree with its copies.
 */
#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/catalog_int.h"

/*
 * Which copy decides over its row, lowest first: 1 the local copy is not
 * proven yet, 2 it failed or is gone and no remote has one, 3 to 5 a
 * remote copy failed, goes on, waits; 6 is all well.
 */
#define DECIDE(id)							\
	"UPDATE cloud_backups SET"					\
	" (status, reason) = (SELECT CASE rank WHEN 1 THEN 'pending'"	\
	"  WHEN 2 THEN 'failed' WHEN 3 THEN 'failed'"			\
	"  WHEN 4 THEN 'uploading' WHEN 5 THEN 'pending'"		\
	"  ELSE 'completed' END,"					\
	"  CASE rank WHEN 6 THEN '' ELSE reason END"			\
	"  FROM (SELECT place, reason, CASE"				\
	"   WHEN place = 'local' THEN CASE"				\
	"    WHEN state IN ('pending', 'uploading') THEN 1"		\
	"    WHEN state = 'completed' OR EXISTS (SELECT 1"		\
	"     FROM copies r WHERE r.backup_id = " id			\
	"     AND r.place <> 'local' AND r.state = 'completed') THEN 6"	\
	"    ELSE 2 END"						\
	"   WHEN state IN ('failed', 'missing') THEN 3"			\
	"   WHEN state = 'uploading' THEN 4"				\
	"   WHEN state = 'pending' THEN 5"				\
	"   ELSE 6 END AS rank FROM copies WHERE backup_id = " id ")"	\
	"  ORDER BY rank, place LIMIT 1),"				\
	" (remote_backup_id, uploaded_ms, uploaded_at) ="		\
	"  (SELECT remote_id, completed_ms, " SQL_TIME("completed_ms")	\
	"  FROM copies WHERE backup_id = " id " AND place <> 'local'"	\
	"  AND state = 'completed' ORDER BY completed_ms, place LIMIT 1),"\
	" locations = (SELECT coalesce(group_concat(place, ','), '')"	\
	"  FROM (SELECT place FROM copies WHERE backup_id = " id	\
	"  AND state = 'completed' ORDER BY place <> 'local', place))"	\
	" WHERE id = " id ";"

#define TOUCH								\
	"UPDATE cloud_backups SET updated_ms = new.updated_ms,"		\
	" updated_at = " SQL_TIME("new.updated_ms")			\
	" WHERE id = new.backup_id AND updated_ms < new.updated_ms;"

#define TOTALS_ADD							\
	"INSERT INTO totals VALUES (new.user_id, new.database, 1,"	\
	" new.file_size, new.status = 'completed',"			\
	" new.status = 'failed')"					\
	" ON CONFLICT (user_id, database) DO UPDATE SET"		\
	" backups = backups + 1, bytes = bytes + excluded.bytes,"	\
	" completed = completed + excluded.completed,"			\
	" failed = failed + excluded.failed;"

#define TOTALS_TAKE							\
	"UPDATE totals SET backups = backups - 1,"			\
	" bytes = bytes - old.file_size,"				\
	" completed = completed - (old.status = 'completed'),"		\
	" failed = failed - (old.status = 'failed')"			\
	" WHERE user_id = old.user_id AND database = old.database;"

/* The sums of totals go with them; d says by how much. */
#define BY_NEW(c)	"new." c
#define BY_OLD(c)	"-old." c
#define BY_BOTH(c)	"new." c " - old." c
#define SUMS_SHIFT(table, d)						\
	"UPDATE " table " SET backups = backups + " d("backups")	\
	", bytes = bytes + " d("bytes")					\
	", completed = completed + " d("completed")			\
	", failed = failed + " d("failed")
#define SUMS(d, row)							\
	SUMS_SHIFT("totals_all", d) ";"					\
	SUMS_SHIFT("totals_databases", d)				\
	" WHERE database = " row ".database;"

static const char schema_1[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"

    "CREATE TABLE cloud_backups ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user_id TEXT NOT NULL DEFAULT '',"
    " backup_name TEXT NOT NULL,"
    " description TEXT NOT NULL DEFAULT '',"
    " file_path TEXT NOT NULL DEFAULT '',"
    " file_size INTEGER NOT NULL DEFAULT 0,"
    " backup_type TEXT NOT NULL DEFAULT 'manual'"
    "  CHECK (backup_type IN ('manual', 'auto', 'system')),"
    " status TEXT NOT NULL DEFAULT 'pending' CHECK"
    "  (status IN ('pending', 'uploading', 'completed', 'failed')),"
    " remote_backup_id TEXT,"
    " checksum TEXT,"
    " created_at TEXT NOT NULL,"
    " updated_at TEXT NOT NULL,"
    " uploaded_at TEXT,"
    " database TEXT NOT NULL,"
    " user_kind INTEGER NOT NULL DEFAULT 0,"
    " file_name TEXT NOT NULL DEFAULT '',"
    " created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " uploaded_ms INTEGER,"
    " locations TEXT NOT NULL DEFAULT '',"
    " reason TEXT NOT NULL DEFAULT '',"
    " verdict TEXT NOT NULL DEFAULT '' CHECK"
    "  (verdict IN ('', 'sound', 'damaged', 'unknown')),"
    " verdict_text TEXT NOT NULL DEFAULT '',"
    " capture_method TEXT, capture_fallback TEXT,"
    " lock_wait_us INTEGER, lock_held_us INTEGER,"
    " sync_us INTEGER, verify_us INTEGER,"
    " page_size INTEGER, page_count INTEGER, change_counter INTEGER,"
    " schema_cookie INTEGER, user_version INTEGER,"
    " application_id INTEGER, journal_mode TEXT, encoding TEXT,"
    " live_uid INTEGER, live_gid INTEGER, live_mode INTEGER,"
    " live_dev INTEGER, live_ino INTEGER, live_mtime_ns INTEGER);"

    /* One for each filter of a list; the id is at the end of each. */
    "CREATE INDEX cloud_backups_time ON cloud_backups (created_ms);"
    "CREATE INDEX cloud_backups_user ON cloud_backups"
    " (user_id, created_ms);"
    "CREATE INDEX cloud_backups_database ON cloud_backups"
    " (database, created_ms);"
    "CREATE INDEX cloud_backups_both ON cloud_backups"
    " (user_id, database, created_ms);"
    "CREATE INDEX cloud_backups_file ON cloud_backups"
    " (database, file_name) WHERE file_name <> '';"

    "CREATE TABLE copies ("
    " backup_id INTEGER NOT NULL"
    "  REFERENCES cloud_backups ON DELETE CASCADE,"
    " place TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN"
    "  ('pending', 'uploading', 'completed', 'failed', 'missing')),"
    " remote_id TEXT,"
    " size INTEGER,"
    " hash TEXT,"
    " created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " completed_ms INTEGER,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " next_attempt_ms INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '',"
    " proven INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (backup_id, place)) WITHOUT ROWID;"
    "CREATE INDEX copies_due ON copies (place, next_attempt_ms)"
    " WHERE state = 'pending';"
    "CREATE INDEX copies_uploading ON copies (place)"
    " WHERE state = 'uploading';"
    "CREATE INDEX copies_remote ON copies (place, remote_id)"
    " WHERE remote_id IS NOT NULL;"

    "CREATE TABLE totals ("
    " user_id TEXT NOT NULL,"
    " database TEXT NOT NULL,"
    " backups INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " completed INTEGER NOT NULL,"
    " failed INTEGER NOT NULL,"
    " PRIMARY KEY (user_id, database)) WITHOUT ROWID;"

    "CREATE TRIGGER copies_insert AFTER INSERT ON copies BEGIN "
    DECIDE("new.backup_id") TOUCH " END;"
    "CREATE TRIGGER copies_update AFTER UPDATE ON copies BEGIN "
    DECIDE("new.backup_id") TOUCH " END;"
    "CREATE TRIGGER copies_delete AFTER DELETE ON copies"
    " WHEN EXISTS (SELECT 1 FROM copies WHERE backup_id = old.backup_id)"
    " BEGIN " DECIDE("old.backup_id") " END;"

    "CREATE TRIGGER backups_insert AFTER INSERT ON cloud_backups BEGIN "
    TOTALS_ADD " END;"
    "CREATE TRIGGER backups_update AFTER UPDATE OF"
    " status, file_size, user_id, database ON cloud_backups"
    " WHEN (old.status, old.file_size, old.user_id, old.database) <>"
    " (new.status, new.file_size, new.user_id, new.database) BEGIN "
    TOTALS_TAKE TOTALS_ADD
    " DELETE FROM totals WHERE user_id = old.user_id"
    " AND database = old.database AND backups = 0; END;"
    "CREATE TRIGGER backups_delete AFTER DELETE ON cloud_backups BEGIN "
    TOTALS_TAKE
    " DELETE FROM totals WHERE user_id = old.user_id"
    " AND database = old.database AND backups = 0; END;";

/* Who may ask, and who did. */
static const char schema_2[] =
    "CREATE TABLE tokens ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " hash BLOB NOT NULL UNIQUE,"
    " rights TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL DEFAULT 0,"
    " revoked_ms INTEGER NOT NULL DEFAULT 0,"
    " last_used_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX tokens_name ON tokens (name)"
    " WHERE revoked_ms = 0;"

    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " at TEXT NOT NULL,"
    " who TEXT NOT NULL,"
    " uid INTEGER,"
    " address TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " database TEXT NOT NULL,"
    " backup_id INTEGER,"
    " result TEXT NOT NULL);";

/* The life of a backup: schedule, forms, proofs, expiry, events. */
static const char schema_3[] =
    "ALTER TABLE cloud_backups ADD COLUMN captured_ms INTEGER"
    " NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud_backups ADD COLUMN proven_ms INTEGER"
    " NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud_backups ADD COLUMN named INTEGER"
    " NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud_backups ADD COLUMN pinned_ms INTEGER"
    " NOT NULL DEFAULT 0;"
    /* What is stored: the image, or that compressed, encrypted, both. */
    "ALTER TABLE cloud_backups ADD COLUMN form TEXT NOT NULL"
    " DEFAULT 'sqlite';"
    "ALTER TABLE cloud_backups ADD COLUMN stored_size INTEGER"
    " NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud_backups ADD COLUMN stored_checksum TEXT"
    " NOT NULL DEFAULT '';"
    /* What goes to remotes, where that is another form ('': the same). */
    "ALTER TABLE cloud_backups ADD COLUMN remote_form TEXT NOT NULL"
    " DEFAULT '';"
    "ALTER TABLE cloud_backups ADD COLUMN remote_file TEXT NOT NULL"
    " DEFAULT '';"
    "ALTER TABLE cloud_backups ADD COLUMN remote_size INTEGER"
    " NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud_backups ADD COLUMN remote_checksum TEXT"
    " NOT NULL DEFAULT '';"
    "ALTER TABLE cloud_backups ADD COLUMN compression_ratio REAL"
    " GENERATED ALWAYS AS (CASE WHEN stored_size > 0 THEN"
    "  round(1.0 * file_size / stored_size, 3) END) VIRTUAL;"
    "ALTER TABLE cloud_backups ADD COLUMN tables INTEGER;"
    /* Where the time went, beside what schema_1 has of it (phases.def). */
    "ALTER TABLE cloud_backups ADD COLUMN look_us INTEGER;"
    "ALTER TABLE cloud_backups ADD COLUMN read_us INTEGER;"
    "ALTER TABLE cloud_backups ADD COLUMN hash_us INTEGER;"
    "ALTER TABLE cloud_backups ADD COLUMN compress_us INTEGER;"
    "ALTER TABLE cloud_backups ADD COLUMN write_us INTEGER;"
    "ALTER TABLE cloud_backups ADD COLUMN unpack_us INTEGER;"
    "UPDATE cloud_backups SET captured_ms = created_ms,"
    " stored_size = file_size, stored_checksum = coalesce(checksum, ''),"
    " proven_ms = CASE verdict WHEN 'sound' THEN updated_ms ELSE 0 END"
    " WHERE checksum IS NOT NULL;"
    /* What somebody named by hand then is kept like what he names now. */
    "UPDATE cloud_backups SET named = 1 WHERE backup_type = 'manual'"
    " AND backup_name NOT GLOB 'Backup_[0-9]*_[0-9]*';"
    "CREATE INDEX cloud_backups_proven ON cloud_backups"
    " (database, created_ms) WHERE verdict = 'sound' AND locations <> '';"

    /* confirmed: how the place was asked, '', size, hash, sample, content;
     * doomed: marked to be deleted there. */
    "ALTER TABLE copies ADD COLUMN confirmed TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE copies ADD COLUMN confirmed_ms INTEGER NOT NULL"
    " DEFAULT 0;"
    "ALTER TABLE copies ADD COLUMN upload_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE copies ADD COLUMN upload_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE copies ADD COLUMN part_size INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE copies ADD COLUMN doomed_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE copies ADD COLUMN doomed_why TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX copies_queue ON copies (place, backup_id)"
    " WHERE state = 'pending';"
    "CREATE INDEX copies_doomed ON copies (place, backup_id)"
    " WHERE doomed_ms > 0;"
    /* Expiry looks at the copies of one database that may still go, and
     * the spool at those that wait: neither at all that ever were. */
    "ALTER TABLE copies ADD COLUMN database TEXT NOT NULL DEFAULT '';"
    "DROP TRIGGER copies_update;"
    "UPDATE copies SET database = (SELECT b.database FROM cloud_backups b"
    " WHERE b.id = backup_id);"
    "CREATE TRIGGER copies_update AFTER UPDATE ON copies BEGIN "
    DECIDE("new.backup_id") TOUCH " END;"
    "CREATE TRIGGER copies_database AFTER INSERT ON copies"
    " WHEN new.database = '' BEGIN UPDATE copies SET database ="
    " (SELECT b.database FROM cloud_backups b WHERE b.id = new.backup_id)"
    " WHERE backup_id = new.backup_id AND place = new.place; END;"
    "CREATE INDEX copies_live ON copies (database, place, backup_id)"
    " WHERE doomed_ms = 0 AND state IN ('completed', 'failed');"
    "CREATE INDEX copies_waiting ON copies (database, backup_id)"
    " WHERE state IN ('pending', 'uploading');"

    /* How many rows each table had at capture. */
    "CREATE TABLE contents ("
    " backup_id INTEGER NOT NULL"
    "  REFERENCES cloud_backups ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " rows INTEGER NOT NULL,"
    " PRIMARY KEY (backup_id, name)) WITHOUT ROWID;"

    /* What is remembered of each database across restarts. */
    "CREATE TABLE databases ("
    " name TEXT PRIMARY KEY,"
    " path TEXT NOT NULL DEFAULT '',"
    " block TEXT NOT NULL DEFAULT '',"	/* whose pattern found it, or '' */
    " slot_ms INTEGER NOT NULL DEFAULT 0,"	/* scheduled for, last run */
    " ran_ms INTEGER NOT NULL DEFAULT 0,"
    " result TEXT NOT NULL DEFAULT '',"	/* of the last run */
    " signature BLOB,"			/* of the files at capture */
    " signature_id INTEGER NOT NULL DEFAULT 0,"
    " unchanged_ms INTEGER NOT NULL DEFAULT 0,"
    " changed_ms INTEGER NOT NULL DEFAULT 0,"
    " drill_ms INTEGER NOT NULL DEFAULT 0,"
    " expect_id INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"	/* data of
			 * backups up to this one is not compared */
    "CREATE INDEX databases_block ON databases (block, path)"
    " WHERE block <> '';"
    /* What waits for a remote, of each database. */
    "CREATE INDEX cloud_backups_waiting ON cloud_backups"
    " (database, created_ms, file_size) WHERE captured_ms > 0"
    " AND status IN ('pending', 'uploading');"

    /* Sums of totals: what is asked most costs one row. */
    "CREATE TABLE totals_databases ("
    " database TEXT PRIMARY KEY,"
    " backups INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " completed INTEGER NOT NULL,"
    " failed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE totals_all ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " backups INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " completed INTEGER NOT NULL,"
    " failed INTEGER NOT NULL);"
    "INSERT INTO totals_databases SELECT database, sum(backups),"
    " sum(bytes), sum(completed), sum(failed) FROM totals"
    " GROUP BY database;"
    "INSERT INTO totals_all SELECT 1, coalesce(sum(backups), 0),"
    " coalesce(sum(bytes), 0), coalesce(sum(completed), 0),"
    " coalesce(sum(failed), 0) FROM totals;"
    "CREATE TRIGGER totals_insert AFTER INSERT ON totals BEGIN"
    " INSERT INTO totals_databases VALUES (new.database, 0, 0, 0, 0)"
    "  ON CONFLICT DO NOTHING; " SUMS(BY_NEW, "new") " END;"
    "CREATE TRIGGER totals_update AFTER UPDATE ON totals BEGIN "
    SUMS(BY_BOTH, "new") " END;"
    "CREATE TRIGGER totals_delete AFTER DELETE ON totals BEGIN "
    SUMS(BY_OLD, "old")
    " DELETE FROM totals_databases WHERE database = old.database"
    "  AND backups = 0; END;"

    "CREATE TABLE drills ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " backup_id INTEGER NOT NULL,"
    " database TEXT NOT NULL,"
    " place TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL,"
    " duration_ms INTEGER NOT NULL,"
    " result TEXT NOT NULL CHECK (result IN"
    "  ('passed', 'failed', 'partial')),"
    " tables INTEGER NOT NULL DEFAULT 0,"
    " rows INTEGER NOT NULL DEFAULT 0,"
    " text TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX drills_database ON drills (database, started_ms);"
    "CREATE INDEX drills_backup ON drills (backup_id);"

    "CREATE TABLE restores ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " database TEXT NOT NULL,"
    " backup_id INTEGER NOT NULL,"
    " safety_id INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " undone_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX restores_database ON restores (database, id);"
    "CREATE INDEX restores_safety ON restores (safety_id);"

    "CREATE TABLE alarms ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " database TEXT NOT NULL,"		/* '': of all */
    " kind TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " raised_ms INTEGER NOT NULL,"
    " acknowledged_ms INTEGER NOT NULL DEFAULT 0,"
    " acknowledged_by TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX alarms_raised ON alarms (database, kind)"
    " WHERE acknowledged_ms = 0;"

    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " database TEXT NOT NULL DEFAULT '',"
    " backup_id INTEGER NOT NULL DEFAULT 0,"
    " place TEXT NOT NULL DEFAULT '',"
    " text TEXT NOT NULL);"

    /* What went wrong and has not gone well since: the heartbeat waits. */
    "CREATE TABLE troubles ("
    " database TEXT NOT NULL,"
    " kind TEXT NOT NULL,"		/* failed, late, dropped ... */
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (database, kind)) WITHOUT ROWID;"
    "CREATE TRIGGER events_bad AFTER INSERT ON events WHEN new.kind IN"
    " ('failed', 'late', 'dropped', 'drill_failed') BEGIN"
    " INSERT OR REPLACE INTO troubles VALUES"
    "  (new.database, new.kind, new.at_ms); END;"
    "CREATE TRIGGER events_good AFTER INSERT ON events WHEN new.kind IN"
    " ('completed', 'restored') BEGIN"
    " DELETE FROM troubles WHERE database = new.database"
    "  AND kind <> 'drill_failed'; END;"
    "CREATE TRIGGER events_drilled AFTER INSERT ON events"
    " WHEN new.kind = 'drilled' BEGIN"
    " DELETE FROM troubles WHERE database = new.database"
    "  AND kind = 'drill_failed'; END;"
    "CREATE TRIGGER alarms_told AFTER INSERT ON alarms BEGIN"
    " INSERT INTO events (at_ms, kind, database, text) VALUES"
    "  (new.raised_ms, 'alarm', new.database,"
    "  new.kind || ': ' || new.text); END;"

    /* How far each webhook is: events up to last_id are no concern of
     * it any more. */
    "CREATE TABLE hooks ("
    " hook TEXT PRIMARY KEY,"
    " last_id INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0,"	/* of the next event */
    " next_attempt_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;";

/* Step n takes version n to n + 1; what was released never changes. */
static const char *const migrations[] = {
	schema_1,
	schema_2,
	schema_3,
};

int
catalog_schema_version(void)
{
	return ((int)nitems(migrations));
}

int
catalog_schema_migrate(sqlite3 *db, int version)
{
	char	*sql;
	int	 rc;

	if (version == (int)nitems(migrations))
		return (SQLITE_OK);
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (; rc == SQLITE_OK && version < (int)nitems(migrations);
	    version++) {
		sql = xasprintf("%s PRAGMA user_version = %d;",
		    migrations[version], version + 1);
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
		free(sql);
	}
	/* Whoever closes it undoes what was not committed. */
	return (rc == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL,
	    NULL) : rc);
}
