/*
 * The engine runs this, and cloudbackupd -T.  It appends to the audit log:
 * a row of the catalog that nobody changes, and a line of syslog's auth
 * facility (standard error with -d), so that one is left when the other is
 * tampered with.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/audit.h"
#include "daemon/engine/engine.h"

#define LINE_BYTES	1024
#define REFUSED_MAX	200		/* rows a minute, from all together */
#define MINUTE_US	UINT64_C(60000000)

/* Of a name that may have been left out. */
static const char *
database_name(const struct job *j)
{
	return (j->database == NULL ? "" : j->database->name);
}

static void
line_write(int to_stderr, const char *line)
{
	char	safe[LINE_BYTES * 4 + 1];

	if (to_stderr) {
		log_info("audit: %s", line);
		return;
	}
	cb_strvis(safe, sizeof(safe), line);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "audit: %s", safe);
}

void
audit_write(struct catalog *c, int to_stderr, const struct who *who,
    const char *action, const char *database, int64_t backup_id,
    const char *result)
{
	struct catalog_audit	a;
	char			line[LINE_BYTES], backup[40] = "";

	memset(&a, 0, sizeof(a));
	a.at_ms = util_now_ms();
	a.uid = who->uid;
	a.backup_id = backup_id;
	a.who = who->name;
	a.address = who->address;
	a.action = action;
	a.database = database;
	a.result = result;
	catalog_audit(c, &a);
	if (backup_id != 0)
		snprintf(backup, sizeof(backup), " backup=%lld",
		    (long long)backup_id);
	snprintf(line, sizeof(line), "%s who=\"%s\" address=%s%s%s%s "
	    "result=\"%.300s\"", action, who->name, who->address,
	    database[0] == '\0' ? "" : " database=", database, backup,
	    result);
	line_write(to_stderr, line);
}

void
audit_refused(struct engine *e, const struct who *who, const char *action,
    const char *database, int64_t backup_id, const char *result)
{
	static uint64_t		 minute_us;
	static uint32_t		 rows;
	static const struct who	 all = { -1, "many", "many" };
	uint64_t		 now_us = util_monotonic_us();

	if (now_us - minute_us > MINUTE_US) {
		minute_us = now_us;
		rows = 0;
	}
	if (rows > REFUSED_MAX)
		return;
	if (rows++ < REFUSED_MAX)
		audit_write(e->catalog, e->to_stderr, who, action, database,
		    backup_id, result);
	else
		audit_write(e->catalog, e->to_stderr, &all, action, "", 0,
		    "refused: more than are written down in this minute");
}

void
audit_begin(struct job *j, const struct m_asker *a)
{
	struct engine	*e = j->engine;

	rights_who(e, a, &j->who);
	j->audited = 1;
	audit_write(e->catalog, e->to_stderr, &j->who, j->kind,
	    database_name(j), j->backup_id, "begun");
}

void
audit_end(struct job *j, const char *result)
{
	struct engine	*e = j->engine;

	if (!j->audited)
		return;
	audit_write(e->catalog, e->to_stderr, &j->who, j->kind,
	    database_name(j), j->backup_id, result);
}

void
audit_now(struct engine *e, const struct m_asker *a, const char *action,
    const char *database, int64_t backup_id)
{
	struct who	who;

	rights_who(e, a, &who);
	audit_write(e->catalog, e->to_stderr, &who, action, database,
	    backup_id, "done");
}
