/*
 * Tests of cloudbackupd-front, the program: restore, who has the database,
 * the licence.  As front_test.c; what the engine says to these calls is
 * played here.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "front_ask.h"
#include "license_make.h"

/* Shared with the peer, whose process calls on_engine. */
static struct shared {
	struct m_req_restore	 restore;	/* the last question */
	struct m_req_database	 locks, license_asked;
	struct m_license_ids	 ids;
	volatile uint32_t	 ids_told, own_asked;
	volatile uint32_t	 error;		/* enum err: instead */
	struct m_restored	 restored;
	struct m_lock_row	 rows[3];
	volatile uint32_t	 nrows;		/* the last is said again */
	struct m_locks_end	 end;
	struct m_license	 license;
}	*sh;

/* ---- the engine ---- */

static void
say_locks(uint64_t id)
{
	uint32_t	i;

	for (i = 0; i < sh->nrows; i++) {
		peer_say(MSG_REP_LOCK_ROW, id, &sh->rows[i < nitems(sh->rows) ?
		    i : nitems(sh->rows) - 1], sizeof(sh->rows[0]));
	}
	if (sh->error != E_NONE)
		peer_say_error(id, (enum err)sh->error, 0,
		    "it could not be looked into");
	else
		peer_say(MSG_REP_LOCKS_END, id, &sh->end, sizeof(sh->end));
}

static void
on_restore(const struct msg *m)
{
	sh->restore = *(const struct m_req_restore *)m->data;
	if (sh->error != E_NONE)
		peer_say_error(m->id, (enum err)sh->error, 9,
		    "the restore failed");
	else if (sh->restore.flags & RESTORE_ASYNC)
		peer_say_job(m->id, 88);
	else
		peer_say(MSG_REP_RESTORED, m->id, &sh->restored,
		    sizeof(sh->restored));
}

static void
on_license(const struct msg *m)
{
	const struct m_req_database	*r = m->data;

	if (r->asker.conn == 0)
		sh->own_asked++;
	else
		sh->license_asked = *r;
	if (sh->error != E_NONE)
		peer_say_error(m->id, (enum err)sh->error, 0, "not now");
	else
		peer_say(MSG_REP_LICENSE, m->id, &sh->license,
		    sizeof(sh->license));
}

static int
on_engine(const struct msg *m)
{
	switch (m->type) {
	case MSG_REQ_RESTORE:
		on_restore(m);
		return (1);
	case MSG_REQ_LOCKS:
		sh->locks = *(const struct m_req_database *)m->data;
		say_locks(m->id);
		return (1);
	case MSG_REQ_LICENSE:
		on_license(m);
		return (1);
	case MSG_LICENSE_IDS:
		sh->ids = *(const struct m_license_ids *)m->data;
		sh->ids_told++;
		return (1);
	default:
		return (0);
	}
}

/* ---- restore ---- */

static void
restored_play(void)
{
	struct m_restored	*r = &sh->restored;

	memset(r, 0, sizeof(*r));
	r->backup_id = 7;
	r->safety_backup_id = 8;
	r->restored_ms = PEER_BASE_MS;
	r->size = 8192;
	r->duration_us = 1234567;
	r->lock_held_us = 1499;
	util_copy(r->method, "live");
	util_copy(r->checksum, "sha256:ab");
	util_copy(r->database, "shop");
}

static void
test_restore(struct stage *st)
{
	struct answer	a;

	restored_play();
	a = ask(st, 200, "POST " API "/restore/7", NULL, NULL);
	at_is(&a, "success", "true");
	at_is(&a, "data.backup_id", "7");
	at_is(&a, "data.safety_backup_id", "8");
	at_is(&a, "data.restored_at", "2023-11-14T22:13:20.000Z");
	at_is(&a, "data.size", "8192");
	at_is(&a, "data.checksum", "sha256:ab");
	at_is(&a, "data.method", "live");
	at_is(&a, "data.duration_ms", "1235");
	at_is(&a, "data.lock_held_ms", "1");
	at_is(&a, "data.database", "shop");
	at_is(&a, "message", "The backup was restored under the applications "
	    "that have the database open. What was there before is kept as "
	    "backup 8.");
	ok(sh->restore.ref == REF_LOCAL && sh->restore.local_id == 7 &&
	    sh->restore.flags == 0 && sh->restore.asker.conn != 0 &&
	    sh->restore.user.kind == USER_NONE &&
	    sh->restore.database[0] == '\0', "an empty body asks for defaults");
	answer_free(&a);

	sh->restored.backup_id = sh->restored.safety_backup_id = 0;
	util_copy(sh->restored.remote_id, "abc");
	util_copy(sh->restored.method, "replace");
	sh->restored.checksum[0] = '\0';
	a = ask(st, 200, "POST " API "/restore/remote:12", JSON,
	    "{\"userId\":\"u\",\"force\":true,\"database\":\"till\"}");
	at_is(&a, "data.backup_id", "abc");
	at_is(&a, "data.safety_backup_id", "null");
	at_is(&a, "data.checksum", "null");
	at_is(&a, "data.method", "replace");
	at_is(&a, "message", "The backup was restored as a new database file. "
	    "There was nothing before that could be kept.");
	ok(sh->restore.ref == REF_REMOTE && strcmp(sh->restore.remote_id,
	    "12") == 0 && sh->restore.flags == RESTORE_FORCE &&
	    sh->restore.user.kind == USER_TEXT && strcmp(
	    sh->restore.database, "till") == 0, "its parameters arrive");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/restore/a%20b?database=shop", JSON,
	    "{\"user_id\":42,\"force\":false,\"x\":{}}");
	ok(sh->restore.ref == REF_REMOTE && strcmp(sh->restore.remote_id,
	    "a b") == 0 && sh->restore.flags == 0 &&
	    sh->restore.user.kind == USER_NUMBER && strcmp(
	    sh->restore.database, "shop") == 0, "a remote's id, no force, "
	    "the database in the query");
	answer_free(&a);
	a = ask(st, 200, "POST " API "/restore/7?database=shop", JSON,
	    "{\"database\":\"shop\",\"force\":null}");
	answer_free(&a);

	sh->restore.local_id = 0;
	a = ask(st, 202, "POST " API "/restore/7", "Prefer: respond-async\r\n"
	    JSON, "{\"force\":true}");
	at_is(&a, "data.id", "88");
	at_is(&a, "message", "The restore was begun.");
	ok(strcmp(answer_field(&a, "Location"), API "/jobs/88") == 0 &&
	    strcmp(answer_field(&a, "Preference-Applied"), "respond-async")
	    == 0, "Location and Preference-Applied");
	ok(sh->restore.flags == (RESTORE_FORCE | RESTORE_ASYNC) &&
	    sh->restore.local_id == 7, "asked so");
	answer_free(&a);
}

static void
test_restore_refused(struct stage *st)
{
	static const struct {
		int		 status;
		const char	*path, *fields, *body, *code;
	} cases[] = {
		{ 400, "/restore/7", JSON, "{\"force\":1}",
		    "INVALID_PARAMETER" },
		{ 400, "/restore/7", JSON, "{\"force\":\"true\"}",
		    "INVALID_PARAMETER" },
		{ 400, "/restore/7", JSON, "{\"force\":true,\"force\":false}",
		    "INVALID_JSON" },
		{ 400, "/restore/7", JSON, "{\"user_id\":1,\"userId\":1}",
		    "INVALID_JSON" },
		{ 400, "/restore/7", JSON, "[true]", "INVALID_JSON" },
		{ 400, "/restore/7", JSON, "{\"force\":true", "INVALID_JSON" },
		{ 400, "/restore/7", JSON, "{\"database\":7}",
		    "INVALID_PARAMETER" },
		{ 400, "/restore/7?database=a", JSON, "{\"database\":\"b\"}",
		    "INVALID_PARAMETER" },
		{ 400, "/restore/7?database=a&database=a", NULL, NULL,
		    "INVALID_PARAMETER" },
		{ 415, "/restore/7", NULL, "{\"force\":true}",
		    "UNSUPPORTED_MEDIA_TYPE" },
		{ 404, "/restore/99999999999999999999", NULL, NULL,
		    "BACKUP_NOT_FOUND" },
		{ 404, "/restore/remote:", NULL, NULL, "BACKUP_NOT_FOUND" },
		{ 404, "/restore", NULL, NULL, "NOT_FOUND" },
		{ 404, "/restore/7/8", NULL, NULL, "NOT_FOUND" },
	};
	static const struct {
		enum err	 code;
		int		 status;
	} errors[] = {
		{ E_FORBIDDEN, 403 }, { E_BACKUP_NOT_FOUND, 404 },
		{ E_RESTORE_RUNNING, 409 }, { E_FORCE_REQUIRED, 409 },
		{ E_DATABASE_OPEN, 409 }, { E_INVALID_BACKUP, 422 },
		{ E_DATABASE_LOCKED, 423 }, { E_INSUFFICIENT_SPACE, 507 },
	};
	struct answer	 a;
	char		*line;
	size_t		 i;

	memset(&sh->restore, 0, sizeof(sh->restore));
	for (i = 0; i < nitems(cases); i++) {
		line = xasprintf("POST " API "%s", cases[i].path);
		a = ask(st, cases[i].status, line, cases[i].fields,
		    cases[i].body);
		at_is(&a, "errorCode", cases[i].code);
		answer_free(&a);
		free(line);
	}
	ok(sh->restore.asker.conn == 0, "the engine was not asked");
	for (i = 0; i < nitems(errors); i++) {
		sh->error = errors[i].code;
		a = ask(st, errors[i].status, "POST " API "/restore/7", NULL,
		    NULL);
		ok(envelope_holds(&a), "the envelope of %s",
		    err_desc(errors[i].code)->token);
		at_is(&a, "errorCode", err_desc(errors[i].code)->token);
		at_is(&a, "backup_id", "9");
		answer_free(&a);
	}
	sh->error = E_NONE;
	a = ask(st, 200, "POST " API "/restore/7", "Via: 1.1 x\r\n", NULL);
	ok(sh->restore.asker.flags == ASKER_FORWARDED, "Via is told");
	answer_free(&a);
}

/* ---- who has the database ---- */

static void
locks_play(void)
{
	struct m_lock_row	*r = sh->rows;

	memset(sh->rows, 0, sizeof(sh->rows));
	memset(&sh->end, 0, sizeof(sh->end));
	r[0].pid = 11;
	r[0].uid = 33;
	r[0].mode = HOLDER_OPEN;
	r[0].held_ms = r[0].frames_pinned = -1;
	util_copy(r[0].command, "sh\"op\xff");
	util_copy(r[0].user, "www");
	util_copy(r[0].locks, "SHARED,DMS");
	r[1].pid = 12;
	r[1].mode = HOLDER_WRITE;
	r[1].held_ms = 1500;
	r[1].frames_pinned = 3;
	util_copy(r[1].command, "python3");
	util_copy(r[1].user, "root");
	util_copy(r[1].locks, "SHARED,DMS,WRITE");
	r[2].uid = UINT32_MAX;
	r[2].mode = HOLDER_READ;
	r[2].held_ms = r[2].frames_pinned = -1;
	sh->nrows = 3;
	sh->end.rows = 3;
	sh->end.flags = LOCKS_EXISTS | LOCKS_HELD | LOCKS_INCOMPLETE;
	util_copy(sh->end.text, "/srv/shop is locked by process 12");
}

static void
test_locks(struct stage *st)
{
	struct answer	a;

	locks_play();
	a = ask(st, 200, "GET " API "/check-locks?database=sh%2Bop", NULL,
	    NULL);
	ok(strcmp(sh->locks.database, "sh+op") == 0, "the database asked for");
	at_is(&a, "data.has_locks", "true");
	at_is(&a, "data.complete", "false");
	at_is(&a, "data.message", "The database is locked: process 12 "
	    "(python3, user root) holds SHARED,DMS,WRITE, and 1 more hold "
	    "locks. Not all processes could be looked into.");
	ok(strncmp(at(&a, "message"), "The database is locked: process 12",
	    34) == 0, "the same message twice");
	at_is(&a, "data.processes.0.pid", "11");
	at_is(&a, "data.processes.0.command", "sh\"op\xef\xbf\xbd");
	at_is(&a, "data.processes.0.user", "www");
	at_is(&a, "data.processes.0.uid", "33");
	at_is(&a, "data.processes.0.locks.0", "SHARED");
	at_is(&a, "data.processes.0.locks.1", "DMS");
	at_is(&a, "data.processes.0.mode", "open");
	at_is(&a, "data.processes.0.held_ms", "null");
	at_is(&a, "data.processes.0.frames_pinned", "null");
	at_is(&a, "data.processes.1.uid", "0");
	at_is(&a, "data.processes.1.mode", "write");
	at_is(&a, "data.processes.1.held_ms", "1500");
	at_is(&a, "data.processes.1.frames_pinned", "3");
	at_is(&a, "data.processes.2.pid", "null");
	at_is(&a, "data.processes.2.command", "null");
	at_is(&a, "data.processes.2.user", "null");
	at_is(&a, "data.processes.2.uid", "null");
	at_is(&a, "data.processes.2.mode", "read");
	at_is(&a, "data.processes.2.locks", "[ ]");
	answer_free(&a);

	sh->end.flags = LOCKS_EXISTS | LOCKS_ACCESSIBLE;
	sh->nrows = 1;
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.has_locks", "false");
	at_is(&a, "data.complete", "true");
	at_is(&a, "data.message", "No lock is in the way of a restore; 1 "
	    "process has the database open.");
	answer_free(&a);
	sh->nrows = 0;
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.message", "Nobody has the database open.");
	at_is(&a, "data.processes", "[ ]");
	answer_free(&a);
	sh->end.flags = LOCKS_EXISTS | LOCKS_HELD;
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.has_locks", "true");
	at_is(&a, "data.message", "The database is locked.");
	answer_free(&a);
	sh->end.flags = 0;
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.has_locks", "false");
	at_is(&a, "data.message", "The database's file does not exist.");
	answer_free(&a);
	locks_play();
	sh->nrows = 5000;
	sh->end.flags = LOCKS_EXISTS | LOCKS_HELD;
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.processes.4095.mode", "read");
	at_is(&a, "data.processes.4096", "null");
	at_is(&a, "data.complete", "false");
	answer_free(&a);
	sh->nrows = 2;
	sh->error = E_NOT_A_DATABASE;
	a = ask(st, 422, "GET " API "/check-locks", NULL, NULL);
	answer_free(&a);
	sh->error = E_DATABASE_UNKNOWN;
	a = ask(st, 404, "GET " API "/check-locks?database=x", NULL, NULL);
	answer_free(&a);
	sh->error = E_NONE;
	a = ask(st, 400, "GET " API "/check-locks?database=%zz", NULL, NULL);
	answer_free(&a);
}

static void
test_accessibility(struct stage *st)
{
	static const enum err	faults[] = { E_NOT_A_DATABASE, E_UNSAFE_PATH,
	    E_WORKER_FAILED, E_BUSY, E_SHUTTING_DOWN, E_PERMISSION_DENIED };
	static const struct {
		enum err	 code;
		int		 status;
	} asker[] = { { E_FORBIDDEN, 403 }, { E_DATABASE_UNKNOWN, 404 } };
	struct answer		a;
	size_t			i;

	locks_play();
	a = ask(st, 200, "GET " API "/check-accessibility?database=shop",
	    NULL, NULL);
	at_is(&a, "data.accessible", "false");
	at_is(&a, "data.database", "shop");
	at_is(&a, "data.message", "No restore could proceed now: /srv/shop is "
	    "locked by process 12");
	at_is(&a, "data.processes.0.pid", "12");
	at_is(&a, "data.processes.1.mode", "read");
	at_is(&a, "data.processes.2", "null");
	answer_free(&a);
	sh->end.text[0] = '\0';
	a = ask(st, 200, "GET " API "/check-accessibility", NULL, NULL);
	at_is(&a, "data.database", "null");
	at_is(&a, "message",
	    "No restore could proceed now: the database is locked.");
	answer_free(&a);
	sh->end.flags = LOCKS_EXISTS;
	a = ask(st, 200, "GET " API "/check-accessibility", NULL, NULL);
	at_is(&a, "message",
	    "No restore could proceed now: the database cannot be written to.");
	at_is(&a, "data.processes", "[ ]");
	answer_free(&a);
	sh->end.flags = 0;
	a = ask(st, 200, "GET " API "/check-accessibility", NULL, NULL);
	at_is(&a, "message",
	    "No restore could proceed now: the database does not exist.");
	answer_free(&a);
	sh->end.flags = LOCKS_EXISTS | LOCKS_ACCESSIBLE;
	a = ask(st, 200, "GET " API "/check-accessibility", NULL, NULL);
	at_is(&a, "data.accessible", "true");
	at_is(&a, "message", "A restore could proceed now.");
	at_is(&a, "data.processes", "[ ]");
	answer_free(&a);
	for (i = 0; i < nitems(faults); i++) {
		sh->error = faults[i];
		a = ask(st, 200, "GET " API "/check-accessibility", NULL,
		    NULL);
		at_is(&a, "data.accessible", "false");
		at_is(&a, "data.message", "No restore could proceed now: it "
		    "could not be looked into");
		at_is(&a, "data.processes", "[ ]");
		answer_free(&a);
	}
	for (i = 0; i < nitems(asker); i++) {
		sh->error = asker[i].code;
		a = ask(st, asker[i].status, "GET " API
		    "/check-accessibility", NULL, NULL);
		ok(envelope_holds(&a), "its envelope");
		answer_free(&a);
	}
	sh->error = E_NONE;
}

/* ---- the licence ---- */

static EVP_PKEY	*key;
static char	*pem;

static void
license_play(const char *data)
{
	char	*text = make_license(key, data, NULL);

	memset(&sh->license, 0, sizeof(sh->license));
	sh->license.license_size = (uint32_t)strlen(text);
	memcpy(sh->license.license, text, strlen(text));
	sh->license.key_size = (uint32_t)strlen(pem);
	memcpy(sh->license.key, pem, strlen(pem));
	free(text);
}

static void
test_license(struct stage *st)
{
	struct answer	a;

	memset(&sh->license, 0, sizeof(sh->license));
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.has_license", "false");
	at_is(&a, "data.is_valid", "(none)");
	at_is(&a, "message", "No licence is configured.");
	ok(sh->license_asked.asker.conn != 0, "asked for the connection");
	answer_free(&a);

	license_play("{\"userId\":42,\"device_id\":\"till-3\",\"type\":"
	    "\"pro\",\"features\":[\"s3\"],\"expires_at\":"
	    "\"2099-01-01T00:00:00+01:00\"}");
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "message", "The licence is valid.");
	at_is(&a, "data.has_license", "true");
	at_is(&a, "data.user_id", "42");
	at_is(&a, "data.device_id", "till-3");
	at_is(&a, "data.type", "pro");
	at_is(&a, "data.is_valid", "true");
	at_is(&a, "data.expires_at", "2098-12-31T23:00:00.000Z");
	at_is(&a, "data.features.0", "s3");
	at_is(&a, "data.reason", "(none)");
	ok(strstr(a.body, "BEGIN PUBLIC") == NULL && strstr(a.body,
	    "signature") == NULL, "neither key nor signature");
	answer_free(&a);
	license_play("{\"userId\":\"u\",\"features\":{\"n\":1}}");
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.user_id", "u");
	at_is(&a, "data.device_id", "null");
	at_is(&a, "data.type", "null");
	at_is(&a, "data.expires_at", "null");
	at_is(&a, "data.features.n", "1");
	at_is(&a, "data.is_valid", "true");
	answer_free(&a);
	license_play("{\"expires_at\":\"2020-01-01T00:00:00Z\"}");
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.is_valid", "false");
	at_is(&a, "data.reason", "It expired at 2020-01-01T00:00:00.000Z.");
	at_is(&a, "message", "The licence is not valid. It expired at "
	    "2020-01-01T00:00:00.000Z.");
	answer_free(&a);
	sh->license.key_size = 0;
	util_copy(sh->license.text, "no such file");
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.has_license", "true");
	at_is(&a, "data.is_valid", "false");
	at_is(&a, "data.user_id", "null");
	at_is(&a, "data.features", "[ ]");
	at_is(&a, "data.reason",
	    "The public key cannot be read: no such file.");
	answer_free(&a);
	sh->license.license_size = 0;
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.has_license", "true");
	at_is(&a, "data.reason", "The licence cannot be read: no such file.");
	answer_free(&a);
	sh->error = E_FORBIDDEN;
	a = ask(st, 403, "GET " API "/license-info", NULL, NULL);
	answer_free(&a);
	sh->error = E_NONE;
	ok(sh->own_asked == 1 && sh->ids_told == 0,
	    "front itself asked once, and told nothing");
}

/* What front tells the engine at its start. */
static void
test_ids(struct m_front_conf *conf, struct play *p, const char *data,
    int told, enum user_kind kind, const char *user, const char *device)
{
	struct stage	st;

	sh->own_asked = sh->ids_told = 0;
	if (data != NULL)
		license_play(data);
	stage_open(&st, program, conf, p);
	ok(reached(&sh->own_asked, 1), "front asks for the licence");
	if (told)
		ok(reached(&sh->ids_told, 1) && sh->ids.user.kind == kind &&
		    strcmp(sh->ids.user.id, user) == 0 &&
		    strcmp(sh->ids.device_id, device) == 0,
		    "and tells user %s, device %s", user, device);
	else {
		ok(still_answers(&st), "it answers");
		usleep(100000);
		ok(sh->ids_told == 0, "and tells nothing");
	}
	stage_close(&st);
}

static void
test_start(struct m_front_conf *conf, struct play *p)
{
	test_ids(conf, p, "{\"userId\":42,\"device_id\":\"d\"}", 1,
	    USER_NUMBER, "42", "d");
	test_ids(conf, p, "{\"userId\":\"42\"}", 1, USER_TEXT, "42", "");
	test_ids(conf, p, "{\"device_id\":\"d\"}", 0, USER_NONE, "", "");
	test_ids(conf, p, "{\"userId\":42,\"expires_at\":"
	    "\"2020-01-01T00:00:00Z\"}", 0, USER_NONE, "", "");
	license_play("{\"userId\":42}");
	sh->license.license[14] ^= 1;
	test_ids(conf, p, NULL, 0, USER_NONE, "", "");
	sh->error = E_INTERNAL_ERROR;
	test_ids(conf, p, "{\"userId\":42}", 0, USER_NONE, "", "");
	sh->error = E_NONE;
}

/* ---- methods, the other shapes, a broken engine ---- */

static void
test_methods(struct stage *st)
{
	static const char *const	gets[] = { "/check-locks",
	    "/check-accessibility", "/license-info" };
	struct answer	 a;
	char		*line;
	size_t		 i;

	for (i = 0; i < nitems(gets); i++) {
		line = xasprintf("HEAD " API "%s", gets[i]);
		a = client(st, line, NULL, NULL);
		ok(a.status == 200 && a.body_n == 0 && strtoul(answer_field(&a,
		    "Content-Length"), NULL, 10) > 40, "%s", line);
		answer_free(&a);
		free(line);
		line = xasprintf("POST " API "%s", gets[i]);
		a = ask(st, 405, line, NULL, NULL);
		ok(strcmp(answer_field(&a, "Allow"), "GET, HEAD, OPTIONS") ==
		    0, "what is allowed");
		answer_free(&a);
		free(line);
		line = xasprintf("GET " API "%s/x", gets[i]);
		a = ask(st, 404, line, NULL, NULL);
		answer_free(&a);
		free(line);
	}
	a = ask(st, 405, "GET " API "/restore/7", NULL, NULL);
	ok(strcmp(answer_field(&a, "Allow"), "POST, OPTIONS") == 0,
	    "restore is POST");
	answer_free(&a);
}

static void
test_node(struct stage *st)
{
	struct answer	a;

	restored_play();
	a = ask(st, 200, "POST " API "/restore/7", NULL, NULL);
	ok(strstr(a.body, "\"backupId\":\"7\"") != NULL &&
	    strstr(a.body, "\"safetyBackupId\":\"8\"") != NULL,
	    "ids are strings");
	at_is(&a, "data.restoredAt", "2023-11-14T22:13:20.000Z");
	at_is(&a, "data.durationMs", "1235");
	at_is(&a, "data.lockHeldMs", "1");
	answer_free(&a);
	locks_play();
	a = ask(st, 200, "GET " API "/check-locks", NULL, NULL);
	at_is(&a, "data.hasLocks", "true");
	at_is(&a, "data.processes.1.heldMs", "1500");
	at_is(&a, "data.processes.1.framesPinned", "3");
	answer_free(&a);
	a = ask(st, 200, "GET " API "/check-accessibility", NULL, NULL);
	at_is(&a, "data.accessible", "false");
	answer_free(&a);
	license_play("{\"userId\":42,\"features\":{\"a_b\":1}}");
	a = ask(st, 200, "GET " API "/license-info", NULL, NULL);
	at_is(&a, "data.hasLicense", "true");
	at_is(&a, "data.isValid", "true");
	at_is(&a, "data.userId", "42");
	at_is(&a, "data.deviceId", "null");
	at_is(&a, "data.expiresAt", "null");
	at_is(&a, "data.features.a_b", "1");
	answer_free(&a);
}

static void
dies(struct m_front_conf *conf, struct play *p, const char *line,
    const char *what)
{
	struct stage	st;
	struct answer	a;
	int		status;

	stage_open(&st, program, conf, p);
	a = client(&st, line, NULL, NULL);
	answer_free(&a);
	status = stage_front_ended(&st);
	ok(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 1,
	    "%s is fatal", what);
	stage_close(&st);
}

static void
test_impossible(struct m_front_conf *conf, struct play *p)
{
	restored_play();
	memset(sh->restored.method, 'x', sizeof(sh->restored.method));
	dies(conf, p, "POST " API "/restore/7", "a method without an end");
	locks_play();
	sh->rows[0].mode = HOLDER_WRITE + 1;
	dies(conf, p, "GET " API "/check-locks", "a mode that is none");
	locks_play();
	memset(sh->rows[1].locks, 'x', sizeof(sh->rows[1].locks));
	dies(conf, p, "GET " API "/check-locks", "locks without an end");
	locks_play();
	memset(sh->end.text, 'x', sizeof(sh->end.text));
	dies(conf, p, "GET " API "/check-accessibility",
	    "a reason without an end");
	sh->license.license_size = LICENSE_BYTES + 1;
	dies(conf, p, "GET /healthz", "a licence that is too large");
	memset(&sh->license, 0, sizeof(sh->license));
}

int
main(int argc, char *argv[])
{
	struct m_front_conf	 conf;
	struct stage		 st;
	struct play		*p = play_new();

	(void)argc;
	find_program(argv[0]);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		err(1, "mmap");
	p->more = on_engine;
	key = make_key(EVP_PKEY_ED25519, 0);
	pem = make_pem(key);
	default_conf(&conf);
	stage_open(&st, program, &conf, p);
	test_restore(&st);
	test_restore_refused(&st);
	test_locks(&st);
	test_accessibility(&st);
	test_license(&st);
	test_methods(&st);
	ok(stage_close(&st) == 0, "the front ends with the engine");
	conf.flags = FRONT_COMPAT_NODE;
	stage_open(&st, program, &conf, p);
	test_node(&st);
	stage_close(&st);
	default_conf(&conf);
	test_start(&conf, p);
	test_impossible(&conf, p);
	free(pem);
	EVP_PKEY_free(key);
	return (tap_end());
}
