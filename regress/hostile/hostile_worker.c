/*
 * In place of a worker.  Scenario: "worker ORDER WHAT": to that order
 * (capture, verify, inspect, locks, restore) it does what the table below
 * has; any other it leaves to the real one, cloudbackupd-worker.real.
 * "real": that one has all.  "stop": it has this one, too, once somebody
 * lets it go on (SIGCONT).
 */
#include <sys/socket.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "proto/errors.h"
#include "regress/hostile/hostile.h"

static struct heard	 order;
static uint64_t		 payload[2048];

static const struct {
	const char	*word;
	uint32_t	 order, result;
} kinds[] = {
	{ "capture",	MSG_W_CAPTURE,	MSG_W_CAPTURED },
	{ "verify",	MSG_W_VERIFY,	MSG_W_VERIFIED },
	{ "inspect",	MSG_W_INSPECT,	MSG_W_INSPECTED },
	{ "locks",	MSG_W_LOCKS,	MSG_W_LOCKED },
	{ "restore",	MSG_W_RESTORE,	MSG_W_RESTORED },
	{ "glob",	MSG_W_GLOB,	MSG_W_GLOBBED },
};
static size_t	kind;

/* A result of that type; all zero, or as full of lies as fits. */
static void
result(uint32_t type, int byte)
{
	memset(payload, byte, sizeof(payload));
	say(type, 0, payload, msg_desc(type)->size, -1);
}

static void
do_twice(void)
{
	result(kinds[kind].result, 0);
	result(kinds[kind].result, 0);
}

static void
do_thrice(void)
{
	do_twice();
	result(kinds[kind].result, 0);
	result(MSG_W_PROGRESS, 0);
}

static void
do_full(void)
{
	result(kinds[kind].result, 'A');
}

static void
do_zero(void)
{
	result(kinds[kind].result, 0);
}

static void
do_other(void)
{
	result(kinds[(kind + 1) % nitems(kinds)].result, 0);
}

static void
do_failed_full(void)
{
	result(MSG_W_FAILED, 'A');
}

static void
do_failed_none(void)
{
	result(MSG_W_FAILED, 0);
}

static void
do_safety(void)
{
	result(MSG_W_SAFETY, 0);
	result(MSG_W_SAFETY, 0);
	linger();
}

static void
do_safety_full(void)
{
	result(MSG_W_SAFETY, 'A');
	linger();
}

static void
do_row(void)
{
	result(MSG_W_LOCK_ROW, 0);
	linger();
}

/* Until it is stopped. */
static void
do_progress(void)
{
	struct m_w_progress	p;

	(void)signal(SIGTERM, SIG_IGN);
	memset(&p, 0, sizeof(p));
	strlcpy(p.phase, "copy", sizeof(p.phase));
	for (;;) {
		p.bytes_done++;
		say(MSG_W_PROGRESS, 0, &p, sizeof(p), -1);
	}
}

static void
do_phase(void)
{
	result(MSG_W_PROGRESS, 'A');
	linger();
}

static void
do_warnings(void)
{
	struct m_error	e;

	memset(&e, 0, sizeof(e));
	memset(e.text, '\n', sizeof(e.text) - 1);
	for (;;)
		say(MSG_W_WARNING, 0, &e, sizeof(e), -1);
}

static void
do_rows(void)
{
	struct m_lock_row	r;
	int			i;

	memset(&r, 0, sizeof(r));
	for (i = 0; i < 1000000; i++) {
		r.pid = i;
		say(MSG_W_LOCK_ROW, 0, &r, sizeof(r), -1);
	}
	log_info("all rows are told");
	result(MSG_W_LOCKED, 0);
}

static void
do_silent(void)
{
	(void)signal(SIGTERM, SIG_IGN);
	linger();
}

static void
do_half(void)
{
	say_half();
	exit(0);
}

static void
do_gone(void)
{
	exit(0);
}

/* A child of it holds the channel, and it is gone. */
static void
do_heir(void)
{
	if (fork() != 0)
		exit(0);
	(void)signal(SIGTERM, SIG_IGN);
	sleep(60);
	exit(0);
}

/* More time than there is, and again. */
static void
do_spent(void)
{
	struct m_w_progress	p;
	int			i;

	memset(&p, 0, sizeof(p));
	strlcpy(p.phase, "copy", sizeof(p.phase));
	for (i = 0; i < 4; i++) {
		memset(&p.spent, i == 0 ? 0xff : 0, sizeof(p.spent));
		if (i > 0)
			p.spent.us[PHASE_READ] = UINT64_C(3600000000000);
		say(MSG_W_PROGRESS, 0, &p, sizeof(p), -1);
	}
}

static void
do_descriptor(void)
{
	struct m_w_progress	p;

	memset(&p, 0, sizeof(p));
	say(MSG_W_PROGRESS, 0, &p, sizeof(p), 0);
	linger();
}

static void
do_request(void)
{
	result(MSG_REQ_RESTORE, 0);
	linger();
}

static const struct {
	const char	*word;
	void		(*run)(void);
} deeds[] = {
	{ "twice",	do_twice },
	{ "thrice",	do_thrice },
	{ "full",	do_full },
	{ "zero",	do_zero },
	{ "other",	do_other },
	{ "failed-full", do_failed_full },
	{ "failed-none", do_failed_none },
	{ "safety",	do_safety },
	{ "safety-full", do_safety_full },
	{ "row",	do_row },
	{ "rows",	do_rows },
	{ "progress",	do_progress },
	{ "phase",	do_phase },
	{ "warnings",	do_warnings },
	{ "silent",	do_silent },
	{ "half",	do_half },
	{ "gone",	do_gone },
	{ "heir",	do_heir },
	{ "descriptor",	do_descriptor },
	{ "spent",	do_spent },
	{ "request",	do_request },
};

static void
real(char *argv[])
{
	char	path[PATH_MAX];
	ssize_t	n;

	if ((n = readlink("/proc/self/exe", path, sizeof(path) - 8)) < 1)
		fatal("/proc/self/exe");
	path[n] = '\0';
	strlcat(path, ".real", sizeof(path));
	execv(path, argv);
	fatal("%s", path);
}

int
main(int argc, char *argv[])
{
	struct wire	w;
	size_t		i;

	hostile_init("hostile-worker", argc, argv);
	for (kind = 0; kind < nitems(kinds) - 1; kind++) {
		if (hostile_is(kinds[kind].word))
			break;
	}
	/* Looked at, not taken: the real one must find it. */
	if (recv(ENGINE, &w, sizeof(w), MSG_PEEK | MSG_WAITALL) != sizeof(w))
		return (1);
	if (w.type != kinds[kind].order && !(w.type == MSG_W_FILE &&
	    kinds[kind].order == MSG_W_RESTORE))
		real(argv);
	if (strcmp(hostile_word(2), "stop") == 0)
		(void)raise(SIGSTOP);
	if (strcmp(hostile_word(2), "stop") == 0 ||
	    strcmp(hostile_word(2), "real") == 0)
		real(argv);
	do
		hear(&order);
	while (order.wire.type != kinds[kind].order);
	for (i = 0; i < nitems(deeds); i++) {
		if (strcmp(deeds[i].word, hostile_word(2)) == 0)
			deeds[i].run();
	}
	return (0);
}
