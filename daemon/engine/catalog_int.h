/*
 * What the files of the catalog share, and nobody else includes but
 * their test.
 */
#ifndef ENGINE_CATALOG_INT_H
#define ENGINE_CATALOG_INT_H

#include <sqlite3.h>
#include <stdint.h>

#include "daemon/engine/catalog.h"

#define CATALOG_APPLICATION_ID	0x43426b64	/* "CBkd" */
#define CATALOG_BUSY_MS		5000

/* Statements are prepared when first used and kept. */
enum catalog_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_META_GET,
	SQL_META_SET,
	SQL_MOVED,
	SQL_TAKEN,
	SQL_INSERT,
	SQL_PROVEN,
	SQL_LOCAL_PROVEN,
	SQL_FAILED,
	SQL_LOCAL_ADD,
	SQL_LOCAL_STATE,
	SQL_GET,
	SQL_ORIGIN,
	SQL_BY_FILE,
	SQL_BY_REMOTE,
	SQL_LIST,		/* + FILTER_USER, + FILTER_DATABASE */
	SQL_LIST_USER,
	SQL_LIST_DATABASE,
	SQL_LIST_BOTH,
	SQL_STATS,		/* the same */
	SQL_STATS_USER,
	SQL_STATS_DATABASE,
	SQL_STATS_BOTH,
	SQL_EACH_PENDING,
	SQL_EACH_COMPLETED,
	SQL_COPY_ADD,
	SQL_COPY_BEGIN,
	SQL_COPY_DONE,
	SQL_COPY_RETRY,
	SQL_COPY_FAILED,
	SQL_COPIES_RESET,
	SQL_COPY_DUE,
	SQL_COPY_GET,
	SQL_ATTEMPTED,
	SQL_STORED,
	SQL_STORED_COPY,
	SQL_REMOTE_FORM,
	SQL_REMOTE_FILE,
	SQL_REMOTE_GONE,
	SQL_REMOTE_WAITS,
	SQL_BY_REMOTE_FILE,
	SQL_TOKENS,
	SQL_TOKENS_TIDY,
	SQL_TOKEN_TAKEN,
	SQL_TOKEN_ADD,
	SQL_TOKEN_REVOKE,
	SQL_TOKEN_USED,
	SQL_AUDIT_ADD,
	SQL_AUDIT_TRIM,
	SQL_EVENT_ADD,
	SQL_EVENTS_TRIM,
	SQL_ALARM_RAISE,
	SQL_ALARM_FIRST,
	SQL_DATABASE_GET,
	SQL_DATABASE_SEEN,
	SQL_DATABASE_RAN,
	SQL_DATABASE_UNCHANGED,
	SQL_DATABASE_CAPTURED,
	SQL_DATABASE_CHANGED,
	SQL_DATABASE_SIGNATURE,
	SQL_DATABASE_STANDS,
	SQL_DATABASE_BY_PATH,
	SQL_DATABASES_OF,
	SQL_ACKNOWLEDGED,
	SQL_HISTORY,
	SQL_SAFETIES,
	SQL_NEWEST_PROVEN,
	SQL_DOOM,
	SQL_DOOM_OFF,
	SQL_SPARE,
	SQL_DOOMED,
	SQL_DOOMED_WHY,
	SQL_DOOMED_LATER,
	SQL_COPY_REMOVE,
	SQL_UNSENT_FAIL,
	SQL_FILE_GONE,
	SQL_ROW_REMOVE,
	SQL_RESTORES_TRIM,
	SQL_PIN,
	SQL_COPIES_OF,
	SQL_TABLES,
	SQL_DRILL_LAST,
	SQL_RESTORE_BEGIN,
	SQL_RESTORE_DONE,
	SQL_RESTORE_UNDONE,
	SQL_RESTORE_LAST,
	SQL_WAITING,
	SQL_STATUS_LAST,
	SQL_STATUS_PROVEN,
	SQL_STATUS_WAITING,
	SQL_STATUS_DRILL,
	SQL_STATUS_ALARMS,
	SQL_STATUS_REMOTE,
	SQL_STATUS_REMOTE_ERROR,
	SQL_PARTS_SET,
	SQL_PARTS_GET,
	SQL_COPY_CONFIRMED,
	SQL_FACTS,
	SQL_ANY,
	SQL_RECOVER_ROW,
	SQL_RECOVER_COPY,
	SQL_METRIC_PROVEN,
	SQL_METRIC_LOCK,
	SQL_METRIC_DRILL,
	SQL_METRIC_ALARMS,
	SQL_METRIC_TOTALS,
	SQL_METRIC_QUEUE,
	SQL_EVENTS_AFTER,
	SQL_EVENTS_NEWEST,
	SQL_HOOK_GET,
	SQL_HOOK_SET,
	SQL_HOOK_NAMES,
	SQL_HOOK_DELETE,
	SQL_TROUBLED,
	SQL_TROUBLES_CLEAR,
	SQL_ALARMS,
	SQL_ALARM_ACKNOWLEDGE,
	SQL_TRAITS,
	SQL_TRAITS_BEFORE,
	SQL_TABLES_GONE,
	SQL_EXPECT,
	SQL_CONTENTS_TABLES,
	SQL_CONTENTS_ADD,
	SQL_CONTENTS,
	SQL_DRILL_ADD,
	SQL_DRILL_DATABASE,
	SQL_DRILL_TIME,
	SQL_DRILL_CHOOSE,
	SQL_COPIES_WAIT,
	SQL_COPIES_DUE,
	SQL_COPY_HEAD,
	SQL_COPY_OTHERS,
	SQL_PHASES_SET,
	SQL_PHASES_GET,
	SQL_COUNT
};

#define FILTER_USER	1
#define FILTER_DATABASE	2

/* SQL for a time in ms as RFC 3339, or NULL of NULL. */
#define SQL_TIME(ms)	\
	"strftime('%Y-%m-%dT%H:%M:%fZ', " ms " / 1000.0, 'unixepoch')"

struct catalog {
	sqlite3		*db;
	char		*path;
	sqlite3_stmt	*stmt[SQL_COUNT];
};

/*
 * catalog_schema.c: the version that this program writes; every step from
 * version on, all in one transaction: SQLITE_OK, or what failed, and then it
 * is undone when db is closed.
 */
int	catalog_schema_version(void);
int	catalog_schema_migrate(sqlite3 *, int version);

/*
 * catalog_open.c: the database of a catalog at path, made when it is not
 * there, migrated.  NULL and a sentence in err (TEXT_BYTES).
 */
sqlite3	*catalog_open_database(const char *path, char *err);

/* catalog_sql.c: a statement with nothing bound. */
sqlite3_stmt	*catalog_stmt(struct catalog *, enum catalog_sql);

/* catalog_copies.c: what waits for remotes can't be sent any more. */
void	catalog_unsent_fail(struct catalog *, int64_t id,
	    const char *reason);

/* Bind parameter n. */
void	catalog_int(struct catalog *, sqlite3_stmt *, int n, int64_t);
void	catalog_text(struct catalog *, sqlite3_stmt *, int n, const char *);
void	catalog_blob(struct catalog *, sqlite3_stmt *, int n, const void *,
	    size_t size);

/* 1 there is a row, 0 there is none (any more); failure is fatal. */
int	catalog_row(struct catalog *, sqlite3_stmt *);

/* Runs a statement that writes; how many rows it changed. */
int	catalog_run(struct catalog *, sqlite3_stmt *);

/* The same for what the daemon can do without while the disk is full: -1
 * then, and nothing was changed.  Not within a transaction. */
int	catalog_try(struct catalog *, sqlite3_stmt *);

/* Until it is set again, does a commit wait for the disk?  Without, it may
 * be lost with the power, never by halves.  Not within a transaction. */
void	catalog_set_sync(struct catalog *, int on);

/* Column n as a NUL-terminated text in dst. */
void	catalog_column(char *dst, size_t size, sqlite3_stmt *, int n);

#endif
