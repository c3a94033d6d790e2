/*
 * Workers run this, confined: how SQLite is opened on an image that may be
 * anybody's.  It owns no descriptor.
 */
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/untrusted.h"
#include "daemon/worker/vfs_fd.h"

#define PROGRESS_OPS	20000		/* virtual machine steps */

static const char *const	pragmas[] = { "quick_check",
				    "integrity_check", "foreign_key_check",
				    "table_xinfo", "index_list",
				    "index_xinfo" };

static int
authorize(void *arg, int action, const char *a, const char *b, const char *c,
    const char *d)
{
	size_t	i;

	(void)arg;
	(void)b;
	(void)c;
	(void)d;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
		return (SQLITE_OK);
	case SQLITE_PRAGMA:
		for (i = 0; i < nitems(pragmas); i++) {
			if (strcmp(a, pragmas[i]) == 0)
				return (SQLITE_OK);
		}
		return (SQLITE_DENY);
	default:
		return (SQLITE_DENY);
	}
}

static const struct {
	int	id, value;
} limits[] = {
	{ SQLITE_LIMIT_LENGTH,		1000000000 },
	{ SQLITE_LIMIT_SQL_LENGTH,	1000000 },
	{ SQLITE_LIMIT_EXPR_DEPTH,	1000 },
	{ SQLITE_LIMIT_ATTACHED,	0 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH,	10 },
	{ SQLITE_LIMIT_WORKER_THREADS,	0 },
};

static const struct {
	int	option, on;
} options[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE,		1 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA,	0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER,	0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW,		0 },
};

int
untrusted_open(int fd, sqlite3 **db, int (*on_progress)(void *), void *arg)
{
	size_t	i;

	if (vfs_fd_open(fd, 0, db) != SQLITE_OK)
		return (-1);
	for (i = 0; i < nitems(limits); i++)
		sqlite3_limit(*db, limits[i].id, limits[i].value);
	for (i = 0; i < nitems(options); i++) {
		if (sqlite3_db_config(*db, options[i].option, options[i].on,
		    NULL) != SQLITE_OK)
			return (-1);
	}
	/* A CHECK that rows do not meet is the application's affair, not
	 * damage of the file. */
	if (sqlite3_exec(*db, "PRAGMA cell_size_check=on;"
	    "PRAGMA mmap_size=0; PRAGMA temp_store=memory;"
	    "PRAGMA ignore_check_constraints=on", NULL, NULL,
	    NULL) != SQLITE_OK)
		return (-1);
	sqlite3_progress_handler(*db, PROGRESS_OPS, on_progress, arg);
	return (sqlite3_set_authorizer(*db, authorize, NULL) == SQLITE_OK ?
	    0 : -1);
}
