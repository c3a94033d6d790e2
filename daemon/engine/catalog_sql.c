/*
 * The catalog's statements.  Run by the engine.  Owns every SQL text that
 * runs after the catalog is open, and the answer to failure: none of the
 * callers can go on without the catalog, so it is fatal here.
 */
#include "common/compat.h"
#include "common/log.h"
#include "daemon/engine/catalog_int.h"

/* In the order that row_get() of catalog_query.c reads. */
#define ROW								\
	"SELECT id, file_size, created_ms, updated_ms, uploaded_ms,"	\
	" lock_held_us, user_kind, user_id, database, backup_name,"	\
	" description, file_path, backup_type, status, verdict,"	\
	" remote_backup_id, checksum, locations, reason, captured_ms,"	\
	" proven_ms, pinned_ms, named, form, stored_size,"		\
	" stored_checksum, EXISTS (SELECT 1 FROM copies d WHERE"	\
	"  d.backup_id = cloud_backups.id AND d.doomed_ms > 0),"		\
	" remote_size, remote_form, remote_checksum"			\
	" FROM cloud_backups "

#define LIST(filter)							\
	ROW "WHERE " filter "(created_ms, id) < (?1, ?2)"		\
	" ORDER BY created_ms DESC, id DESC LIMIT ?3"

#define STATS(totals, filter)						\
	"SELECT sum(backups), sum(bytes), sum(completed), sum(failed),"	\
	" (SELECT created_ms FROM cloud_backups" filter			\
	"  ORDER BY created_ms DESC LIMIT 1) FROM " totals filter

#define EACH(condition)							\
	"SELECT c.backup_id, b.database, b.file_path, b.stored_size,"	\
	" c.proven FROM copies c JOIN cloud_backups b"			\
	" ON b.id = c.backup_id WHERE c.place = 'local'"		\
	" AND c.doomed_ms = 0 AND "					\
	condition " AND c.backup_id > ?1 ORDER BY c.backup_id LIMIT ?2"

#define OF_DATABASE	\
	"(SELECT database FROM cloud_backups WHERE id = ?1)"

/* Waits for a remote; as the index copies_waiting has it. */
#define WAITS(c)	c ".state IN ('pending', 'uploading')"

#define USER	"user_id = ?4"
#define DB	"database = ?5"

/* A copy that is there and stays (one that cannot be deleted does). */
#define STAYS(c)	c ".state = 'completed' AND " c ".doomed_ms < 1"

#define NEWEST_PROVEN							\
	"SELECT id FROM (SELECT id FROM cloud_backups p WHERE"		\
	" p.database = ?1 AND p.verdict = 'sound' AND p.locations <> ''"\
	" AND EXISTS (SELECT 1 FROM copies s WHERE s.backup_id = p.id"	\
	"  AND " STAYS("s") ") ORDER BY p.created_ms DESC, p.id DESC"	\
	" LIMIT 1)"

/* Another copy of this verdict, of the database of the backup ?1. */
#define SPARE(verdict)							\
	"EXISTS (SELECT 1 FROM cloud_backups b WHERE b.database = "	\
	OF_DATABASE " AND b.verdict = " verdict " AND b.locations <> ''"\
	" AND EXISTS (SELECT 1 FROM copies s WHERE s.backup_id = b.id"	\
	"  AND " STAYS("s") " AND (s.backup_id, s.place) <> (?1, ?2)))"

static const char *const sql_text[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[SQL_META_SET] = "INSERT INTO meta VALUES (?1, ?2)"
	    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[SQL_MOVED] = "UPDATE cloud_backups SET file_path ="
	    " ?1 || '/' || database || '/' || file_name"
	    " WHERE file_name <> ''",
	[SQL_TAKEN] = "SELECT 1 FROM cloud_backups WHERE id = ?1",
	[SQL_INSERT] = "INSERT INTO cloud_backups (id, user_id, user_kind,"
	    " database, backup_name, description, backup_type, created_ms,"
	    " created_at, updated_ms, updated_at, named) VALUES (?1, ?2, ?3,"
	    " ?4, ?5, ?6, ?7, ?8, " SQL_TIME("?8") ", ?9, " SQL_TIME("?9")
	    ", ?10)",
	[SQL_PROVEN] = "UPDATE cloud_backups SET file_path = ?2,"
	    " file_name = ?3, file_size = ?4, checksum = ?5, verdict = ?6,"
	    " verdict_text = ?7, capture_method = ?8, capture_fallback = ?9,"
	    " lock_wait_us = ?10, lock_held_us = ?11, sync_us = ?12,"
	    " verify_us = ?13, page_size = ?14, page_count = ?15,"
	    " change_counter = ?16, schema_cookie = ?17, user_version = ?18,"
	    " application_id = ?19, journal_mode = ?20, encoding = ?21,"
	    " live_uid = ?22, live_gid = ?23, live_mode = ?24,"
	    " live_dev = ?25, live_ino = ?26, live_mtime_ns = ?27,"
	    " captured_ms = ?28, proven_ms = CASE ?6 WHEN 'sound' THEN ?28"
	    " ELSE 0 END, stored_size = ?4, stored_checksum = ?5"
	    " WHERE id = ?1",
	[SQL_LOCAL_PROVEN] = "UPDATE copies SET proven = ?2, size = ?3,"
	    " hash = ?4, updated_ms = ?5"
	    " WHERE backup_id = ?1 AND place = 'local'",
	[SQL_FAILED] = "UPDATE cloud_backups SET"
	    " verdict = CASE ?2 WHEN '' THEN verdict ELSE ?2 END,"
	    " file_path = ?3, file_name = ?4,"
	    " file_size = CASE ?3 WHEN '' THEN 0 ELSE file_size END,"
	    " stored_size = CASE ?3 WHEN '' THEN 0 ELSE stored_size END"
	    " WHERE id = ?1",
	[SQL_LOCAL_ADD] = "INSERT INTO copies (backup_id, place, state,"
	    " created_ms, updated_ms, database) VALUES (?1, 'local',"
	    " 'pending', ?2, ?2, " OF_DATABASE ")",
	[SQL_LOCAL_STATE] = "UPDATE copies SET state = ?2, reason = ?3,"
	    " updated_ms = ?4, completed_ms = CASE ?2 WHEN 'completed'"
	    " THEN ?4 ELSE completed_ms END"
	    " WHERE backup_id = ?1 AND place = 'local'",
	[SQL_GET] = ROW "WHERE id = ?1",
	[SQL_ORIGIN] = "SELECT live_uid, live_gid, live_mode,"
	    " journal_mode = 'wal' FROM cloud_backups WHERE id = ?1",
	[SQL_BY_FILE] = "SELECT id FROM cloud_backups WHERE database = ?1"
	    " AND file_name = ?2 AND file_name <> '' ORDER BY id LIMIT 1",
	[SQL_BY_REMOTE] = "SELECT backup_id FROM copies WHERE place = ?1"
	    " AND remote_id = ?2 ORDER BY backup_id LIMIT 1",
	[SQL_LIST] = LIST(""),
	[SQL_LIST_USER] = LIST(USER " AND "),
	[SQL_LIST_DATABASE] = LIST(DB " AND "),
	[SQL_LIST_BOTH] = LIST(USER " AND " DB " AND "),
	[SQL_STATS] = STATS("totals_all", ""),
	[SQL_STATS_USER] = STATS("totals", " WHERE " USER),
	[SQL_STATS_DATABASE] = STATS("totals_databases", " WHERE " DB),
	[SQL_STATS_BOTH] = STATS("totals", " WHERE " USER " AND " DB),
	/* A local copy has no next attempt: so the index gives the order. */
	[SQL_EACH_PENDING] = EACH("c.state = 'pending' AND"
	    " c.next_attempt_ms = 0"),
	[SQL_EACH_COMPLETED] = EACH("c.state = 'completed'"),
	/* What failed for good and is asked for again begins anew; its
	 * attempts stay, as an earlier one may have arrived after all. */
	[SQL_COPY_ADD] = "INSERT INTO copies (backup_id, place, state,"
	    " created_ms, updated_ms, next_attempt_ms, database) VALUES"
	    " (?1, ?2, 'pending', ?3, ?3, ?3, " OF_DATABASE ")"
	    " ON CONFLICT (backup_id, place)"
	    " DO UPDATE SET state = 'pending', reason = '', updated_ms = ?3,"
	    " next_attempt_ms = ?3 WHERE state IN ('failed', 'missing')",
	[SQL_COPY_BEGIN] = "UPDATE copies SET state = 'uploading',"
	    " attempts = attempts + 1, updated_ms = ?3"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPY_DONE] = "UPDATE copies SET state = 'completed',"
	    " (size, hash) = (SELECT iif(remote_form = '', stored_size,"
	    "  remote_size), iif(remote_form = '', stored_checksum,"
	    "  remote_checksum) FROM cloud_backups WHERE id = ?1),"
	    " remote_id = nullif(?4, ''), reason = '', completed_ms = ?3,"
	    " updated_ms = ?3, upload_us = ?5"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPY_RETRY] = "UPDATE copies SET state = 'pending',"
	    " reason = ?4, next_attempt_ms = ?5, updated_ms = ?3"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPY_FAILED] = "UPDATE copies SET state = 'failed',"
	    " reason = ?4, updated_ms = ?3"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPIES_RESET] = "UPDATE copies SET state = 'pending',"
	    " next_attempt_ms = ?1, updated_ms = ?1"
	    " WHERE state = 'uploading' AND place <> 'local'",
	[SQL_COPY_DUE] = "SELECT c.backup_id, c.place, c.state, c.attempts,"
	    " c.next_attempt_ms FROM copies c WHERE c.place = ?1"
	    " AND c.state = 'pending' AND EXISTS (SELECT 1 FROM copies l"
	    "  WHERE l.backup_id = c.backup_id AND l.place = 'local'"
	    "  AND l.state = 'completed')"
	    " ORDER BY c.next_attempt_ms, c.backup_id LIMIT 1",
	[SQL_COPY_GET] = "SELECT backup_id, place, state, attempts,"
	    " next_attempt_ms, remote_id FROM copies"
	    " WHERE backup_id = ?1 AND place = ?2",
	/* Where the local copy failed, nothing will ever be tried. */
	[SQL_ATTEMPTED] = "SELECT 1 FROM copies c WHERE backup_id = ?1"
	    " AND (state = 'uploading' AND attempts < 2"
	    " OR state = 'pending' AND attempts = 0"
	    "  AND EXISTS (SELECT 1 FROM copies l WHERE l.backup_id = ?1"
	    "  AND l.place = 'local' AND l.state IN ('pending',"
	    "  'completed'))) LIMIT 1",
	[SQL_STORED] = "UPDATE cloud_backups SET form = ?2,"
	    " stored_size = ?3, stored_checksum = ?4 WHERE id = ?1",
	[SQL_STORED_COPY] = "UPDATE copies SET size = ?3, hash = ?4"
	    " WHERE backup_id = ?1 AND place = 'local'",
	[SQL_REMOTE_FORM] = "UPDATE cloud_backups SET remote_form = ?2,"
	    " remote_size = ?3, remote_checksum = ?4, remote_file = ?5"
	    " WHERE id = ?1",
	[SQL_REMOTE_FILE] = "SELECT remote_file FROM cloud_backups"
	    " WHERE id = ?1",
	[SQL_REMOTE_GONE] = "UPDATE cloud_backups SET remote_file = ''"
	    " WHERE id = ?1",
	[SQL_REMOTE_WAITS] = "SELECT 1 FROM copies c WHERE backup_id = ?1"
	    " AND place <> 'local' AND state IN ('pending', 'uploading')"
	    " AND EXISTS (SELECT 1 FROM copies l WHERE l.backup_id = ?1"
	    "  AND l.place = 'local' AND l.state IN ('pending',"
	    "  'completed')) LIMIT 1",
	[SQL_BY_REMOTE_FILE] = "SELECT id FROM cloud_backups"
	    " WHERE database = ?1 AND remote_file = ?2 AND remote_file <> ''"
	    " ORDER BY id LIMIT 1",
	[SQL_TOKENS] = "SELECT id, name, hash, rights, created_ms,"
	    " expires_ms, revoked_ms, last_used_ms FROM tokens ORDER BY id",
	[SQL_TOKENS_TIDY] = "DELETE FROM tokens WHERE revoked_ms > 0"
	    " AND revoked_ms < ?1",
	[SQL_TOKEN_TAKEN] = "SELECT 1 FROM tokens WHERE name = ?1"
	    " AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > ?2)",
	[SQL_TOKEN_ADD] = "INSERT INTO tokens (name, hash, rights,"
	    " created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_TOKEN_REVOKE] = "UPDATE tokens SET revoked_ms = ?2"
	    " WHERE name = ?1 AND revoked_ms = 0",
	[SQL_TOKEN_USED] = "UPDATE tokens SET last_used_ms = ?2"
	    " WHERE id = ?1",
	[SQL_AUDIT_ADD] = "INSERT INTO audit (at_ms, at, who, uid, address,"
	    " action, database, backup_id, result) VALUES (?1, "
	    SQL_TIME("?1") ", ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_AUDIT_TRIM] = "DELETE FROM audit WHERE id <= ?1"
	    " AND result GLOB 'refused*'",
	[SQL_EVENT_ADD] = "INSERT INTO events (at_ms, kind, database,"
	    " backup_id, place, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_EVENTS_TRIM] = "DELETE FROM events WHERE id <= ?1",
	[SQL_ALARM_RAISE] = "INSERT INTO alarms (database, kind, text,"
	    " raised_ms) VALUES (?1, ?2, ?3, ?4)"
	    " ON CONFLICT (database, kind) WHERE acknowledged_ms = 0"
	    " DO NOTHING",
	[SQL_EVENTS_AFTER] = "SELECT id, at_ms, backup_id, kind, database,"
	    " place, text FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
	[SQL_EVENTS_NEWEST] = "SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'events'",
	[SQL_HOOK_GET] = "SELECT last_id, attempts, next_attempt_ms"
	    " FROM hooks WHERE hook = ?1",
	[SQL_HOOK_SET] = "INSERT INTO hooks VALUES (?1, ?2, ?3, ?4)"
	    " ON CONFLICT (hook) DO UPDATE SET last_id = ?2, attempts = ?3,"
	    " next_attempt_ms = ?4",
	[SQL_HOOK_NAMES] = "SELECT hook FROM hooks WHERE hook > ?1"
	    " ORDER BY hook LIMIT 1",
	[SQL_HOOK_DELETE] = "DELETE FROM hooks WHERE hook = ?1",
	[SQL_TROUBLED] = "SELECT EXISTS (SELECT 1 FROM troubles) OR EXISTS"
	    " (SELECT 1 FROM alarms WHERE acknowledged_ms = 0)",
	[SQL_TROUBLES_CLEAR] = "DELETE FROM troubles WHERE ?1 = ''"
	    " OR database = ?1",
	[SQL_ALARMS] = "SELECT id, database, kind, text, raised_ms"
	    " FROM alarms WHERE acknowledged_ms = 0 AND id > ?1"
	    " AND (?2 = '' OR database = ?2) ORDER BY id LIMIT 1",
	[SQL_ALARM_ACKNOWLEDGE] = "UPDATE alarms SET acknowledged_ms = ?2,"
	    " acknowledged_by = ?3 WHERE id = ?1 AND acknowledged_ms = 0",
	[SQL_TRAITS] = "SELECT id, file_size, live_dev, live_ino,"
	    " application_id, change_counter, verdict,"
	    " CASE WHEN tables = (SELECT count(*) FROM contents WHERE"
	    "  backup_id = b.id) THEN tables ELSE -1 END"
	    " FROM cloud_backups b WHERE id = ?1",
	/* Not a safety backup: what was replaced is no measure. */
	[SQL_TRAITS_BEFORE] = "SELECT id, file_size, live_dev, live_ino,"
	    " application_id, change_counter, verdict,"
	    " CASE WHEN tables = (SELECT count(*) FROM contents WHERE"
	    "  backup_id = b.id) THEN tables ELSE -1 END"
	    " FROM cloud_backups b WHERE database = ?2 AND id < ?1"
	    " AND (created_ms, id) < (SELECT created_ms, id"
	    "  FROM cloud_backups WHERE id = ?1)"
	    " AND id > coalesce((SELECT expect_id FROM databases"
	    "  WHERE name = ?2), 0) AND backup_type <> 'system'"
	    " AND checksum IS NOT NULL AND verdict <> 'damaged'"
	    " ORDER BY created_ms DESC, id DESC LIMIT 1",
	[SQL_TABLES_GONE] = "SELECT count(*), min(name) FROM contents o"
	    " WHERE backup_id = ?1 AND NOT EXISTS (SELECT 1 FROM contents n"
	    "  WHERE n.backup_id = ?2 AND n.name = o.name)",
	[SQL_EXPECT] = "INSERT INTO databases (name, expect_id)"
	    " VALUES (?1, (SELECT seq FROM sqlite_sequence"
	    "  WHERE name = 'cloud_backups'))"
	    " ON CONFLICT (name) DO UPDATE SET expect_id = excluded.expect_id",
	[SQL_ALARM_FIRST] = "SELECT kind, text FROM alarms WHERE"
	    " acknowledged_ms = 0 AND database IN (?1, '')"
	    " ORDER BY id LIMIT 1",
	[SQL_DATABASE_GET] = "SELECT name, path, block, slot_ms, ran_ms,"
	    " result, signature_id, unchanged_ms, changed_ms FROM databases"
	    " WHERE name = ?1",
	[SQL_DATABASE_SEEN] = "INSERT INTO databases (name, path, block)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET"
	    " path = ?2, block = ?3 WHERE (path, block) <> (?2, ?3)",
	[SQL_DATABASE_RAN] = "UPDATE databases SET slot_ms = ?2,"
	    " ran_ms = ?3, result = ?4 WHERE name = ?1",
	[SQL_DATABASE_UNCHANGED] = "UPDATE databases SET slot_ms = ?2,"
	    " ran_ms = ?3, unchanged_ms = ?3, result = 'unchanged'"
	    " WHERE name = ?1",
	[SQL_DATABASE_CAPTURED] = "UPDATE databases SET signature = ?2,"
	    " signature_id = ?3, unchanged_ms = 0, changed_ms ="
	    " CASE WHEN signature = ?2 THEN changed_ms ELSE ?4 END"
	    " WHERE name = ?1",
	[SQL_DATABASE_CHANGED] = "UPDATE databases SET changed_ms = ?2"
	    " WHERE name = ?1",
	[SQL_DATABASE_SIGNATURE] = "SELECT signature, signature_id"
	    " FROM databases WHERE name = ?1 AND signature IS NOT NULL",
	/* Is this backup one that need not be taken again? */
	[SQL_DATABASE_STANDS] = "SELECT 1 FROM cloud_backups b"
	    " WHERE b.id = ?1 AND b.database = ?2 AND b.status <> 'failed'"
	    " AND b.captured_ms > 0 AND (b.verdict IN ('sound', 'unknown')"
	    "  OR (b.verdict = '' AND ?3)) AND EXISTS (SELECT 1"
	    "  FROM copies c WHERE c.backup_id = b.id"
	    "  AND c.state = 'completed' AND c.doomed_ms = 0)",
	[SQL_DATABASE_BY_PATH] = "SELECT name FROM databases"
	    " WHERE block = ?1 AND path = ?2 AND block <> '' ORDER BY name",
	[SQL_DATABASES_OF] = "SELECT name, path FROM databases"
	    " WHERE block = ?1 AND block <> '' AND EXISTS (SELECT 1"
	    "  FROM cloud_backups b WHERE b.database = databases.name)"
	    " ORDER BY path",
	[SQL_STATUS_LAST] = "SELECT id, created_ms, status, reason"
	    " FROM cloud_backups WHERE database = ?1"
	    " ORDER BY created_ms DESC, id DESC LIMIT 1",
	[SQL_STATUS_PROVEN] = "SELECT id, created_ms FROM cloud_backups"
	    " WHERE database = ?1 AND verdict = 'sound' AND locations <> ''"
	    " ORDER BY created_ms DESC LIMIT 1",
	[SQL_STATUS_WAITING] = "SELECT count(*), sum(file_size),"
	    " min(created_ms) FROM cloud_backups WHERE database = ?1"
	    " AND captured_ms > 0 AND status IN ('pending', 'uploading')",
	[SQL_STATUS_DRILL] = "SELECT started_ms, duration_ms, result"
	    " FROM drills WHERE database = ?1"
	    " ORDER BY started_ms DESC LIMIT 1",
	[SQL_STATUS_ALARMS] = "SELECT raised_ms, kind, text FROM alarms"
	    " WHERE database = ?1 AND acknowledged_ms = 0 ORDER BY kind",
	[SQL_STATUS_REMOTE] = "SELECT count(*), min(next_attempt_ms),"
	    " (SELECT count(*) FROM copies WHERE place = ?1"
	    "  AND state = 'uploading') FROM copies WHERE place = ?1"
	    " AND state = 'pending'",
	/* The one that waits longest has been tried last. */
	[SQL_STATUS_REMOTE_ERROR] = "SELECT reason FROM copies"
	    " WHERE place = ?1 AND state = 'pending'"
	    " ORDER BY next_attempt_ms DESC LIMIT 1",
	[SQL_ACKNOWLEDGED] = "SELECT max(acknowledged_ms) FROM alarms"
	    " WHERE database = ?1 AND kind = ?2",
	[SQL_HISTORY] = "SELECT c.backup_id, b.created_ms, b.verdict,"
	    " c.state, b.pinned_ms > 0, b.named, EXISTS (SELECT 1 FROM"
	    "  restores r WHERE r.safety_id = b.id), (SELECT"
	    "  group_concat(w.place) FROM copies w WHERE w.backup_id = b.id"
	    "  AND w.place <> 'local' AND " WAITS("w") "),"
	    " CASE ?2 WHEN 'local' THEN b.stored_size ELSE c.size END"
	    " FROM copies c JOIN cloud_backups b ON b.id = c.backup_id"
	    " WHERE c.database = ?1 AND c.place = ?2 AND c.backup_id < ?3"
	    " AND c.doomed_ms = 0"
	    " AND c.state IN ('completed', 'failed')"
	    " ORDER BY c.backup_id DESC LIMIT ?4",
	/* Of a database whose backups all stay: safety backups alone, and
	 * the newest proven one to count from. */
	[SQL_SAFETIES] = "SELECT b.id, b.created_ms, b.verdict,"
	    " coalesce(c.state, ''), b.pinned_ms > 0, b.named,"
	    " b.id <> (" NEWEST_PROVEN "), '', b.stored_size"
	    " FROM cloud_backups b LEFT JOIN copies c"
	    "  ON c.backup_id = b.id AND c.place = 'local'"
	    " WHERE b.id < ?3 AND coalesce(c.doomed_ms, 0) = 0 AND b.id IN"
	    "  (SELECT safety_id FROM restores WHERE database = ?1"
	    "  UNION ALL " NEWEST_PROVEN ")"
	    " ORDER BY b.id DESC LIMIT ?4",
	[SQL_NEWEST_PROVEN] = NEWEST_PROVEN,
	/* What could not be deleted there may be by now. */
	[SQL_DOOM] = "UPDATE copies SET doomed_ms = ?3, doomed_why = ?4"
	    " WHERE backup_id = ?1 AND place = ?2 AND doomed_ms < 1"
	    " AND doomed_ms <> ?3",
	[SQL_DOOM_OFF] = "UPDATE copies SET doomed_ms = 0, doomed_why = ''"
	    " WHERE backup_id = ?1 AND place = ?2 AND doomed_ms > 0",
	[SQL_SPARE] = "SELECT 1 WHERE " SPARE("'sound'") " OR ((SELECT"
	    " verdict FROM cloud_backups WHERE id = ?1) <> 'sound' AND "
	    SPARE("(SELECT verdict FROM cloud_backups WHERE id = ?1)") ")",
	[SQL_DOOMED] = "SELECT c.backup_id, b.database, b.file_path,"
	    " b.created_ms, b.stored_size, c.doomed_why FROM copies c"
	    " JOIN cloud_backups b ON b.id = c.backup_id"
	    " WHERE c.place = ?1 AND c.doomed_ms > 0 AND c.backup_id < ?2"
	    " AND c.next_attempt_ms - ?3 NOT BETWEEN 1 AND 86400000"
	    " ORDER BY c.backup_id DESC LIMIT 1",
	[SQL_DOOMED_WHY] = "UPDATE copies SET reason = ?3"
	    " WHERE backup_id = ?1 AND place = ?2 AND reason <> ?3",
	[SQL_DOOMED_LATER] = "UPDATE copies SET next_attempt_ms = ?3"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPY_REMOVE] = "DELETE FROM copies WHERE backup_id = ?1"
	    " AND place = ?2",
	[SQL_UNSENT_FAIL] = "UPDATE copies SET state = 'failed',"
	    " reason = ?3, updated_ms = ?2 WHERE backup_id = ?1"
	    " AND place <> 'local' AND state = 'pending'",
	[SQL_FILE_GONE] = "UPDATE cloud_backups SET file_path = '',"
	    " file_name = '', updated_ms = ?2, updated_at = "
	    SQL_TIME("?2") " WHERE id = ?1",
	[SQL_ROW_REMOVE] = "DELETE FROM cloud_backups WHERE id = ?1"
	    " AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.backup_id = ?1"
	    "  AND (c.state = 'completed' OR " WAITS("c") "))"
	    " AND file_name = ''",
	/* The last one is remembered: undo says that it cannot be, and does
	 * not take back the one before instead. */
	[SQL_RESTORES_TRIM] = "DELETE FROM restores WHERE safety_id = ?1"
	    " AND (at_ms = 0 OR EXISTS (SELECT 1 FROM restores n WHERE"
	    "  n.database = restores.database AND n.id > restores.id"
	    "  AND n.at_ms > 0))",
	[SQL_PIN] = "UPDATE cloud_backups SET pinned_ms = ?2,"
	    " updated_ms = ?3, updated_at = " SQL_TIME("?3")
	    " WHERE id = ?1",
	[SQL_COPIES_OF] = "SELECT place, state, size, hash, confirmed,"
	    " confirmed_ms, attempts, next_attempt_ms, reason,"
	    " completed_ms, doomed_ms, remote_id, upload_us FROM copies"
	    " WHERE backup_id = ?1 ORDER BY place <> 'local', place",
	[SQL_TABLES] = "SELECT tables FROM cloud_backups WHERE id = ?1",
	[SQL_DRILL_LAST] = "SELECT started_ms, duration_ms, place, result,"
	    " text FROM drills WHERE backup_id = ?1 ORDER BY id DESC LIMIT 1",
	[SQL_RESTORE_BEGIN] = "INSERT INTO restores (database, backup_id,"
	    " safety_id, at_ms) VALUES (?1, ?2, ?3, 0)",
	[SQL_RESTORE_DONE] = "UPDATE restores SET at_ms = ?2 WHERE id = ?1",
	[SQL_RESTORE_UNDONE] = "UPDATE restores SET undone_ms = ?2"
	    " WHERE id = ?1",
	[SQL_RESTORE_LAST] = "SELECT id, backup_id, safety_id, at_ms"
	    " FROM restores WHERE database = ?1 AND at_ms > 0"
	    " ORDER BY id DESC LIMIT 1",
	[SQL_WAITING] = "SELECT b.id, b.created_ms, b.verdict, 'completed',"
	    " b.pinned_ms > 0, b.named, 0, group_concat(c.place),"
	    " b.stored_size + b.remote_size, max(c.state = 'uploading')"
	    " FROM copies c JOIN cloud_backups b ON b.id = c.backup_id"
	    " WHERE c.database = ?1 AND " WAITS("c") " AND"
	    " c.place <> 'local' GROUP BY c.backup_id ORDER BY c.backup_id",
	[SQL_PARTS_SET] = "UPDATE copies SET upload_id = ?3, part_size = ?4"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_PARTS_GET] = "SELECT upload_id, part_size FROM copies"
	    " WHERE backup_id = ?1 AND place = ?2",
	[SQL_COPY_CONFIRMED] = "UPDATE copies SET confirmed = ?4,"
	    " confirmed_ms = ?3 WHERE backup_id = ?1 AND place = ?2",
	[SQL_FACTS] = "SELECT page_size, page_count, live_uid, live_gid,"
	    " live_mode, application_id, user_version, journal_mode"
	    " FROM cloud_backups WHERE id = ?1",
	[SQL_ANY] = "SELECT 1 FROM cloud_backups LIMIT 1",
	/* It was proven before it was sent, where its manifest says so. */
	[SQL_RECOVER_ROW] = "INSERT INTO cloud_backups (user_id, database,"
	    " backup_name, description, backup_type, checksum, verdict,"
	    " journal_mode, form, stored_checksum, user_kind, created_ms,"
	    " updated_ms, named, file_size, page_size, page_count, live_uid,"
	    " live_gid, live_mode, application_id, user_version, stored_size,"
	    " id, created_at, updated_at, captured_ms, proven_ms) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
	    " ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, "
	    SQL_TIME("?12") ", " SQL_TIME("?13") ", ?12,"
	    " CASE ?7 WHEN 'sound' THEN ?12 ELSE 0 END)",
	[SQL_RECOVER_COPY] = "INSERT INTO copies (backup_id, place, state,"
	    " remote_id, size, hash, created_ms, updated_ms, completed_ms,"
	    " confirmed, confirmed_ms) VALUES (?1, ?2, 'completed', ?4, ?5,"
	    " ?6, ?7, ?3, ?7, 'size', ?3) ON CONFLICT (backup_id, place)"
	    " DO UPDATE SET state = 'completed', remote_id = ?4, size = ?5,"
	    " hash = ?6, updated_ms = ?3, completed_ms = ?7, reason = ''"
	    " WHERE state IN ('failed', 'missing')",
	[SQL_METRIC_PROVEN] = "SELECT created_ms FROM cloud_backups"
	    " WHERE database = ?1 AND verdict = 'sound' AND locations <> ''"
	    " ORDER BY created_ms DESC LIMIT 1",
	[SQL_METRIC_LOCK] = "SELECT lock_held_us FROM cloud_backups"
	    " WHERE database = ?1 AND captured_ms > 0"
	    " ORDER BY created_ms DESC LIMIT 1",
	[SQL_METRIC_DRILL] = "SELECT started_ms, duration_ms,"
	    " result <> 'failed' FROM drills WHERE database = ?1"
	    " ORDER BY started_ms DESC LIMIT 1",
	[SQL_METRIC_ALARMS] = "SELECT count(*) FROM alarms"
	    " WHERE database = ?1 AND acknowledged_ms = 0",
	[SQL_METRIC_TOTALS] = "SELECT database, backups, bytes, failed"
	    " FROM totals_databases",
	/* Two indices: what waits, and what is on its way. */
	[SQL_METRIC_QUEUE] = "SELECT count(*), coalesce(sum(CASE"
	    " WHEN b.remote_form <> '' THEN b.remote_size"
	    " ELSE b.stored_size END), 0), coalesce(min(b.created_ms), 0)"
	    " FROM (SELECT backup_id FROM copies WHERE place = ?1"
	    " AND state = 'pending' UNION ALL SELECT backup_id FROM copies"
	    " WHERE place = ?1 AND state = 'uploading') q"
	    " JOIN cloud_backups b ON b.id = q.backup_id",
	[SQL_CONTENTS_TABLES] = "UPDATE cloud_backups SET tables = ?2"
	    " WHERE id = ?1",
	[SQL_CONTENTS_ADD] = "INSERT INTO contents VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (backup_id, name) DO UPDATE SET"
	    " rows = excluded.rows",
	[SQL_CONTENTS] = "SELECT name, rows FROM contents"
	    " WHERE backup_id = ?1",
	[SQL_DRILL_ADD] = "INSERT INTO drills (backup_id, database, place,"
	    " started_ms, duration_ms, result, tables, rows, text)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_DRILL_DATABASE] = "INSERT INTO databases (name, drill_ms)"
	    " VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET"
	    " drill_ms = excluded.drill_ms",
	[SQL_DRILL_TIME] = "SELECT drill_ms FROM databases WHERE name = ?1",
	/* One at a remote, if the newest thousand have one. */
	[SQL_DRILL_CHOOSE] = "SELECT id FROM (SELECT id, created_ms,"
	    " remote_backup_id FROM cloud_backups"
	    " WHERE database = ?1 AND verdict = 'sound' AND locations <> ''"
	    " ORDER BY created_ms DESC LIMIT 1000)"
	    " ORDER BY remote_backup_id IS NULL, created_ms DESC, id DESC"
	    " LIMIT 1",
	/* Those that have no reason of their own yet. */
	[SQL_COPIES_WAIT] = "UPDATE copies SET reason = ?2 WHERE place = ?1"
	    " AND state = 'pending' AND reason = ''",
	[SQL_COPIES_DUE] = "UPDATE copies SET next_attempt_ms = ?2"
	    " WHERE place = ?1 AND state = 'pending'"
	    " AND next_attempt_ms > ?2",
	[SQL_COPY_OTHERS] = "SELECT 1 FROM copies WHERE place = ?1"
	    " AND state = 'pending' AND backup_id <> ?2 LIMIT 1",
	[SQL_COPY_HEAD] = "SELECT c.backup_id, c.place, c.state, c.attempts,"
	    " c.next_attempt_ms FROM copies c WHERE c.place = ?1"
	    " AND c.state = 'pending' AND c.next_attempt_ms <= ?2"
	    " AND EXISTS (SELECT 1 FROM copies l"
	    "  WHERE l.backup_id = c.backup_id AND l.place = 'local'"
	    "  AND l.state = 'completed')"
	    " ORDER BY c.backup_id LIMIT 1",
	/* Each of the list begins with a comma. */
	[SQL_PHASES_SET] = "UPDATE cloud_backups SET named = named"
#define PHASE(token, key, help)
#define BACKUP_PHASE(token, key, column, help)				\
	    ", " column " = coalesce(nullif(?, 0), " column ")"
#include "proto/phases.def"
#undef BACKUP_PHASE
	    " WHERE id = ?",
	[SQL_PHASES_GET] = "SELECT (SELECT max(upload_us) FROM copies"
	    "  WHERE backup_id = ?1)"
#define BACKUP_PHASE(token, key, column, help)	", " column
#include "proto/phases.def"
#undef BACKUP_PHASE
#undef PHASE
	    " FROM cloud_backups WHERE id = ?1",
};

static void __attribute__((__noreturn__))
die(struct catalog *c, const char *what)
{
	const char	*advice;

	switch (sqlite3_errcode(c->db)) {
	case SQLITE_FULL:
		advice = ": free space on its file system, then start again";
		break;
	case SQLITE_BUSY:
		advice = ": another program kept it locked for 5 seconds";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		advice = ": move it aside (with its -wal) and start again; "
		    "the backups will be adopted into a new catalog";
		break;
	default:
		advice = "";
	}
	fatalx("cannot %s the catalog %s: %s%s", what, c->path,
	    sqlite3_errmsg(c->db), advice);
}

sqlite3_stmt *
catalog_stmt(struct catalog *c, enum catalog_sql which)
{
	if (c->stmt[which] == NULL && sqlite3_prepare_v3(c->db,
	    sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, &c->stmt[which],
	    NULL) != SQLITE_OK)
		die(c, "prepare a statement of");
	/* What reset returns was told by the step before. */
	(void)sqlite3_reset(c->stmt[which]);
	(void)sqlite3_clear_bindings(c->stmt[which]);
	return (c->stmt[which]);
}

void
catalog_int(struct catalog *c, sqlite3_stmt *st, int n, int64_t v)
{
	if (sqlite3_bind_int64(st, n, v) != SQLITE_OK)
		die(c, "bind to");
}

void
catalog_text(struct catalog *c, sqlite3_stmt *st, int n, const char *text)
{
	if (sqlite3_bind_text(st, n, text == NULL ? "" : text, -1,
	    SQLITE_TRANSIENT) != SQLITE_OK)
		die(c, "bind to");
}

void
catalog_blob(struct catalog *c, sqlite3_stmt *st, int n, const void *p,
    size_t size)
{
	if (sqlite3_bind_blob64(st, n, p, size, SQLITE_TRANSIENT) !=
	    SQLITE_OK)
		die(c, "bind to");
}

int
catalog_row(struct catalog *c, sqlite3_stmt *st)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return (1);
	case SQLITE_DONE:
		/* Done or not, a statement that stands holds a snapshot. */
		(void)sqlite3_reset(st);
		return (0);
	default:
		die(c, "read");
	}
}

int
catalog_run(struct catalog *c, sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE)
		die(c, "write");
	(void)sqlite3_reset(st);
	return (sqlite3_changes(c->db));
}

int
catalog_try(struct catalog *c, sqlite3_stmt *st)
{
	int	rc = sqlite3_step(st) & 0xff;

	if (rc != SQLITE_DONE && rc != SQLITE_FULL)
		die(c, "write");
	(void)sqlite3_reset(st);
	return (rc == SQLITE_FULL ? -1 : sqlite3_changes(c->db));
}

void
catalog_set_sync(struct catalog *c, int on)
{
	if (sqlite3_exec(c->db, on ? "PRAGMA synchronous = FULL" :
	    "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != SQLITE_OK)
		die(c, "set up");
}

void
catalog_column(char *dst, size_t size, sqlite3_stmt *st, int n)
{
	const char	*p;

	p = (const char *)sqlite3_column_text(st, n);
	strlcpy(dst, p == NULL ? "" : p, size);
}

void
catalog_begin(struct catalog *c)
{
	(void)catalog_run(c, catalog_stmt(c, SQL_BEGIN));
}

void
catalog_commit(struct catalog *c)
{
	(void)catalog_run(c, catalog_stmt(c, SQL_COMMIT));
}
