/*
 * In place of front.  Scenario: "front WHAT ...".
 *
 *	table TYPE MISTAKE	one message of the table, wrong
 *	text N, number N, conn N	row N of a list below
 *	state N			what is right, at the wrong time
 *	half-close, half-silent	half a message
 *	conns			thousands of connections
 *	random SEED		random messages
 *	flood SEED		100,000 that could be true, answers read
 *	unread			requests without reading answers
 *	steal			a restore that no caller has the right to
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/hostile/hostile.h"

#define OURS	1000			/* a connection from ourselves */
#define THEIRS	1001			/* one that a client made */
#define FLOOD	100000

static union {
	uint64_t		words[16384 / sizeof(uint64_t)];
	struct m_asker		asker;	/* first in all but the licence's */
	struct m_license_ids	ids;
	struct m_req_create	create;
	struct m_req_list	list;
	struct m_req_known	known;
	struct m_req_backup	backup;
	struct m_req_restore	restore;
}		 payload;
static int	 listener = -1;

/* Every text of every message, and every number with a range. */
#define TEXT(t, s, f)	{ MSG_##t, offsetof(struct s, f),		\
			    sizeof(((struct s *)0)->f) }
static const struct {
	uint32_t	type;
	size_t		at, size;
} texts[] = {
	TEXT(REQ_CREATE, m_req_create, user.id),
	TEXT(REQ_CREATE, m_req_create, database),
	TEXT(REQ_CREATE, m_req_create, name),
	TEXT(REQ_CREATE, m_req_create, description),
	TEXT(REQ_LIST, m_req_list, user.id),
	TEXT(REQ_LIST, m_req_list, database),
	TEXT(REQ_KNOWN, m_req_known, remote_id),
	TEXT(REQ_STATS, m_req_stats, user.id),
	TEXT(REQ_STATS, m_req_stats, database),
	TEXT(REQ_STATUS, m_req_status, database),
	TEXT(REQ_FILE_INFO, m_req_database, database),
	TEXT(REQ_DOWNLOAD, m_req_backup, remote_id),
	TEXT(REQ_DOWNLOAD, m_req_backup, database),
	TEXT(REQ_RESTORE, m_req_restore, user.id),
	TEXT(REQ_RESTORE, m_req_restore, remote_id),
	TEXT(REQ_RESTORE, m_req_restore, database),
	TEXT(REQ_LOCKS, m_req_database, database),
	TEXT(REQ_BACKUP, m_req_backup, remote_id),
	TEXT(REQ_BACKUP, m_req_backup, database),
	TEXT(REQ_DELETE, m_req_change, remote_id),
	TEXT(REQ_PIN, m_req_change, remote_id),
	TEXT(REQ_EXPIRE, m_req_expire, database),
	TEXT(REQ_UNDO, m_req_undo, database),
	TEXT(LICENSE_IDS, m_license_ids, user.id),
	TEXT(LICENSE_IDS, m_license_ids, device_id),
};
#define NUMBER(t, s, f, v)	{ MSG_##t, offsetof(struct s, f), v }
static const struct {
	uint32_t	type;
	size_t		at;
	uint32_t	value;
} numbers[] = {
	NUMBER(REQ_CREATE, m_req_create, user.kind, 3),
	NUMBER(REQ_LIST, m_req_list, user.kind, UINT32_MAX),
	NUMBER(REQ_LIST, m_req_list, limit, 0),
	NUMBER(REQ_LIST, m_req_list, limit, LIST_PAGE_ROWS + 1),
	NUMBER(REQ_LIST, m_req_list, limit, UINT32_MAX),
	NUMBER(REQ_KNOWN, m_req_known, remote, 77),
	NUMBER(REQ_STATS, m_req_stats, user.kind, 3),
	NUMBER(REQ_DOWNLOAD, m_req_backup, ref, 2),
	NUMBER(REQ_RESTORE, m_req_restore, ref, 2),
	NUMBER(REQ_RESTORE, m_req_restore, user.kind, 4),
	NUMBER(REQ_BACKUP, m_req_backup, ref, 2),
	NUMBER(REQ_DELETE, m_req_change, ref, 2),
	NUMBER(REQ_PIN, m_req_change, ref, 2),
	NUMBER(LICENSE_IDS, m_license_ids, user.kind, USER_NONE),
	NUMBER(LICENSE_IDS, m_license_ids, user.kind, 99),
};

/* Those that name a connection; asker is first in each. */
static const uint32_t	asking[] = {
	MSG_REQ_CREATE, MSG_REQ_LIST, MSG_REQ_KNOWN, MSG_REQ_STATS,
	MSG_REQ_FILE_INFO, MSG_REQ_DOWNLOAD, MSG_REQ_JOB, MSG_REQ_RESTORE,
	MSG_REQ_LOCKS, MSG_REQ_LICENSE, MSG_REQ_BACKUP, MSG_REQ_DELETE,
	MSG_REQ_PIN, MSG_REQ_EXPIRE, MSG_REQ_UNDO,
	MSG_REQ_STATUS,
};

/* A message that is right for this connection, for the engine to answer. */
static void
right(uint32_t type, uint64_t conn)
{
	struct m_asker	a = { .conn = conn };

	memset(&payload, 0, sizeof(payload));
	if (type == MSG_LICENSE_IDS)
		payload.ids.user.kind = USER_TEXT;
	else
		payload.asker = a;
	if (type == MSG_REQ_LIST)
		payload.list.limit = 100;
}

static void
ask(uint32_t type, uint64_t id)
{
	say(type, id, &payload, msg_desc(type)->size, -1);
}

static void
conn_own(uint64_t id)
{
	struct m_empty	none = { 0 };
	int		sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		fatal("socketpair");
	say(MSG_CONN_OPEN, id, &none, sizeof(none), sv[0]);
	close(sv[0]);
	close(sv[1]);
}

/* Somebody who has rights connects. */
static void
conn_theirs(void)
{
	struct m_empty	none = { 0 };
	struct pollfd	p = { listener, POLLIN, 0 };
	int		s;

	if (poll(&p, 1, 10000) != 1 || (s = accept(listener, NULL,
	    NULL)) == -1)
		fatal("nobody connects");
	say(MSG_CONN_OPEN, THEIRS, &none, sizeof(none), s);
}

static void
start(void)
{
	struct heard	h;

	do {
		hear(&h);
		if (h.wire.type == MSG_FRONT_LISTEN)
			listener = h.fd;
	} while (h.wire.type != MSG_FRONT_START);
	conn_own(OURS);
}

static void
do_table(void)
{
	say_mistake(2000);
}

static void
do_text(void)
{
	size_t	n = (size_t)hostile_number(2) % nitems(texts);

	right(texts[n].type, OURS);
	memset((char *)&payload + texts[n].at, 'A', texts[n].size);
	ask(texts[n].type, 2000);
}

static void
do_number(void)
{
	size_t	n = (size_t)hostile_number(2) % nitems(numbers);

	right(numbers[n].type, OURS);
	memcpy((char *)&payload + numbers[n].at, &numbers[n].value, 4);
	ask(numbers[n].type, 2000);
}

static void
do_conn(void)
{
	uint32_t	type = asking[(size_t)hostile_number(2) %
			    nitems(asking)];

	right(type, 4711);
	ask(type, 2000);
}

static void
do_state(void)
{
	struct m_empty	none = { 0 };

	switch (hostile_number(2)) {
	case 0:				/* twice */
		conn_own(OURS);
		break;
	case 1:				/* closed, never opened */
		say(MSG_CONN_CLOSE, 4711, &none, sizeof(none), -1);
		break;
	case 2:				/* closed twice */
		say(MSG_CONN_CLOSE, OURS, &none, sizeof(none), -1);
		say(MSG_CONN_CLOSE, OURS, &none, sizeof(none), -1);
		break;
	case 3:				/* asks after its end */
		say(MSG_CONN_CLOSE, OURS, &none, sizeof(none), -1);
		right(MSG_REQ_LIST, OURS);
		ask(MSG_REQ_LIST, 2000);
		break;
	default:			/* told twice */
		right(MSG_LICENSE_IDS, 0);
		ask(MSG_LICENSE_IDS, 1);
		ask(MSG_LICENSE_IDS, 2);
	}
}

static void
do_half_close(void)
{
	say_half();
	exit(0);
}

static void
do_half_silent(void)
{
	say_half();
	log_info("half is said");
}

static void
do_conns(void)
{
	uint64_t	id;

	for (id = 5000; id < 10000; id++)
		conn_own(id);
	log_info("all connections were taken");
}

static void
do_random(void)
{
	struct wire	w;
	size_t		i, n;
	int		k;

	chance_seed((uint32_t)hostile_number(2));
	for (k = 0; k < FLOOD; k++) {
		for (i = 0; i < nitems(payload.words); i++)
			payload.words[i] = ((uint64_t)chance(UINT32_MAX) << 32) |
			    chance(UINT32_MAX);
		w.magic = chance(4) ? HOSTILE_MAGIC : chance(UINT32_MAX);
		w.type = chance(MSG_COUNT + 2);
		n = msg_desc(w.type) == NULL ? chance(9000) :
		    msg_desc(w.type)->size;
		w.size = (uint32_t)(chance(8) ? n : chance(20000));
		w.flags = chance(8) ? 0 : chance(4);
		w.id = chance(100);
		say_wire(&w, &payload, sizeof(w) + n, -1);
	}
}

/* One that the engine has to answer, whatever is in it. */
static void
plausible(void)
{
	uint32_t		 type = asking[chance(nitems(asking))];
	int			 theirs = type == MSG_REQ_LIST ||
				    type == MSG_REQ_KNOWN ||
				    type == MSG_REQ_STATS ||
				    type == MSG_REQ_JOB ||
				    type == MSG_REQ_LICENSE;

	if ((type == MSG_REQ_LIST && chance(8)) || (type == MSG_REQ_KNOWN))
		type = MSG_REQ_STATS;
	right(type, theirs ? THEIRS : OURS);
	switch (type) {
	case MSG_REQ_CREATE:
		payload.create.user.kind = chance(3);
		fill_text(payload.create.name, sizeof(payload.create.name));
		fill_text(payload.create.description, sizeof(payload.create.description));
		break;
	case MSG_REQ_LIST:
	case MSG_REQ_STATS:
		if (type == MSG_REQ_LIST) {
			payload.list.before_ms = (int64_t)chance(UINT32_MAX) << 32;
			payload.list.before_id = chance(UINT32_MAX);
			payload.list.limit = 1 + chance(LIST_PAGE_ROWS);
		}
		payload.list.user.kind = chance(3);
		fill_text(payload.list.user.id, sizeof(payload.list.user.id));
		break;
	case MSG_REQ_KNOWN:
		fill_text(payload.known.remote_id, sizeof(payload.known.remote_id));
		break;
	case MSG_REQ_DOWNLOAD:
		payload.backup.ref = chance(2);
		payload.backup.local_id = chance(UINT32_MAX);
		fill_text(payload.backup.remote_id, sizeof(payload.backup.remote_id));
		break;
	case MSG_REQ_RESTORE:
		payload.restore.flags = chance(UINT32_MAX);
		payload.restore.ref = chance(2);
		payload.restore.local_id = chance(4);
		fill_text(payload.restore.remote_id, sizeof(payload.restore.remote_id));
		fill_text(payload.restore.database, sizeof(payload.restore.database));
		break;
	}
	ask(type, 10000 + chance(1000000));
}

static void
do_flood(void)
{
	struct heard	h;
	int		i, answers = 0, errors = 0;

	chance_seed((uint32_t)hostile_number(2));
	conn_theirs();
	for (i = 0; i < FLOOD; i++) {
		plausible();
		while (hear_ms(&h, 0)) {
			answers++;
			errors += h.wire.type == MSG_REP_ERROR;
		}
	}
	while (hear_ms(&h, 1000)) {
		answers++;
		errors += h.wire.type == MSG_REP_ERROR;
	}
	log_info("flood over: asked=%d answers=%d errors=%d", i, answers,
	    errors);
}

/* Until the engine takes nothing for a second; then all answers. */
static void
do_unread(void)
{
	struct heard	h;
	struct pollfd	p = { ENGINE, POLLOUT, 0 };
	int		i, ends = 0;

	conn_theirs();
	for (i = 0; i < FLOOD; i++) {
		right(MSG_REQ_LIST, THEIRS);
		if (poll(&p, 1, 1500) != 1)
			break;
		ask(MSG_REQ_LIST, 10000 + (uint64_t)i);
	}
	log_info("held back after %d requests", i);
	sleep(2);
	while (hear_ms(&h, 1000))
		ends += h.wire.type == MSG_REP_LIST_END;
	log_info("answered %d of %d", ends, i);
}

static void
do_steal(void)
{
	struct heard		 h;
	struct m_error		 e;
	int			 i;

	for (i = 0; i < 4; i++) {
		right(i == 3 ? MSG_REQ_CREATE : i == 2 ? MSG_REQ_DOWNLOAD :
		    MSG_REQ_RESTORE, OURS);
		if (i < 2) {
			payload.restore.flags = RESTORE_FORCE;
			payload.restore.local_id = 1;
		}
		if (i == 1)
			strlcpy(payload.restore.database, "../../../etc/passwd",
			    sizeof(payload.restore.database));
		if (i == 2)
			payload.backup.local_id = 1;
		ask(i == 3 ? MSG_REQ_CREATE : i == 2 ? MSG_REQ_DOWNLOAD :
		    MSG_REQ_RESTORE, 2000);
		do {
			hear(&h);
		} while (h.wire.id != 2000);
		memcpy(&e, h.u.bytes, sizeof(e));
		log_info("theft %d: %s %s", i, msg_desc(h.wire.type)->name,
		    h.wire.type == MSG_REP_ERROR ? e.text : "");
	}
}

static const struct {
	const char	*word;
	void		(*run)(void);
} scenarios[] = {
	{ "table",	do_table },
	{ "text",	do_text },
	{ "number",	do_number },
	{ "conn",	do_conn },
	{ "state",	do_state },
	{ "half-close",	do_half_close },
	{ "half-silent", do_half_silent },
	{ "conns",	do_conns },
	{ "random",	do_random },
	{ "flood",	do_flood },
	{ "unread",	do_unread },
	{ "steal",	do_steal },
};

int
main(int argc, char *argv[])
{
	size_t	i;

	hostile_init("hostile-front", argc, argv);
	start();
	for (i = 0; i < nitems(scenarios); i++) {
		if (hostile_is(scenarios[i].word))
			scenarios[i].run();
	}
	linger();
}
