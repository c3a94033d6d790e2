/*
 * The engine runs this: one worker process, from fork to wait.  It owns
 * the worker's channel and the timer that ends a worker without progress
 * (H18: a hung path must not stop the engine).  A worker that breaks the
 * protocol is killed and its job fails; it never stops the engine.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define RESULT_BYTES	16384
#define EVENTS_MAX	4096		/* rows of holders: front's limit */
#define WARNINGS_MAX	64
#define CHANNEL_MS	2000		/* the channel outlives the process */
#define LIFE_US		(24 * 3600 * (uint64_t)1000000)

struct task {
	TAILQ_ENTRY(task) entry;
	struct engine	*engine;
	struct task_order order;	/* data and fd are gone */
	pid_t		 pid;		/* 0: reaped */
	pid_t		 was_pid;	/* for the log */
	struct chan	*chan;		/* NULL: closed */
	struct event	*timer;
	uint64_t	 end_us;	/* progress or not, no worker lives
					 * longer */
	uint32_t	 events, warnings;	/* how many came */
	uint32_t	 waited_ms;	/* what the timer was set to */
	int		 status;	/* of waitpid */
	int		 told;		/* done was called, or must not be */
	int		 has_result;
	uint32_t	 result_type;
	uint64_t	 result[RESULT_BYTES / sizeof(uint64_t)];
	char		 broken[128];	/* how it broke the protocol, or "" */
};

void
task_status_text(int status, char dst[64])
{
	if (WIFSIGNALED(status))
		snprintf(dst, 64, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(dst, 64, "exit status %d", WEXITSTATUS(status));
}

/* What each order may be answered with, W_FAILED aside. */
static const struct {
	enum msg_type	order, result;
} results[] = {
	{ MSG_W_CAPTURE,	MSG_W_CAPTURED },
	{ MSG_W_VERIFY,		MSG_W_VERIFIED },
	{ MSG_W_INSPECT,	MSG_W_INSPECTED },
	{ MSG_W_LOCKS,		MSG_W_LOCKED },
	{ MSG_W_CONVERT,	MSG_W_CONVERTED },
	{ MSG_W_PACK,		MSG_W_PACKED },
	{ MSG_W_UNPACK,		MSG_W_UNPACKED },
	{ MSG_W_GLOB,		MSG_W_GLOBBED },
	{ MSG_W_RESTORE,	MSG_W_RESTORED },
};

static int
is_answer(enum msg_type order, uint32_t result)
{
	size_t	i;

	if (result == MSG_W_FAILED)
		return (1);
	for (i = 0; i < nitems(results); i++) {
		if (results[i].order == order)
			return (results[i].result == result);
	}
	return (0);
}

static void
task_free(struct task *t)
{
	TAILQ_REMOVE(&t->engine->tasks, t, entry);
	chan_free(t->chan);
	event_free(t->timer);
	free(t);
}

static void
tell(struct task *t, const struct task_result *r)
{
	if (t->told)
		return;
	t->told = 1;
	t->order.done(t->order.arg, r);
}

static void
result_failed(struct task *t, struct task_result *r)
{
	char	how[64];

	if (t->engine->stopping && t->broken[0] == '\0' &&
	    WIFSIGNALED(t->status) && WTERMSIG(t->status) == SIGTERM) {
		/* Our own signal, before the worker could catch it. */
		r->error.code = E_SHUTTING_DOWN;
		snprintf(r->error.text, sizeof(r->error.text),
		    "the %s was given up because the daemon ends",
		    t->order.what);
		return;
	}
	r->error.code = E_WORKER_FAILED;
	task_status_text(t->status, how);
	if (t->broken[0] != '\0')
		snprintf(r->error.text, sizeof(r->error.text),
		    "the %s worker was ended: it %s", t->order.what, t->broken);
	else
		snprintf(r->error.text, sizeof(r->error.text),
		    "the %s worker ended without an answer (%s)",
		    t->order.what, how);
	log_warnx("%s (pid %d)", r->error.text, (int)t->was_pid);
}

/* Both the process and its channel have ended. */
static void
finish(struct task *t)
{
	struct engine		*e = t->engine;
	struct task_result	 r;

	memset(&r, 0, sizeof(r));
	if (t->has_result && t->result_type == MSG_W_FAILED) {
		memcpy(&r.error, t->result, sizeof(r.error));
		told_error(&r.error);
	} else if (t->has_result) {
		r.ok = 1;
		r.type = t->result_type;
		r.data = t->result;
	} else if (!t->told)
		result_failed(t, &r);
	tell(t, &r);
	task_free(t);
	engine_stop_check(e);
}

static void
finish_check(struct task *t)
{
	if (t->pid == 0 && t->chan == NULL)
		finish(t);
}

static void
channel_close(struct task *t)
{
	chan_free(t->chan);
	t->chan = NULL;
	finish_check(t);
}

static void
patience(struct task *t, uint32_t ms)
{
	struct timeval	tv;

	t->waited_ms = ms;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	event_add(t->timer, &tv);
}

/* It is none of ours any more: nothing that it says counts. */
static void
task_break(struct task *t, const char *how)
{
	strlcpy(t->broken, how, sizeof(t->broken));
	t->has_result = 0;
	if (t->pid != 0)
		kill(t->pid, SIGKILL);
}

static void
on_progress(struct task *t, const struct msg *m)
{
	struct m_w_progress	p;

	memcpy(&p, m->data, sizeof(p));
	if (!msg_text_ok(p.phase)) {
		task_break(t, "sent a phase without end");
		return;
	}
	if (util_monotonic_us() > t->end_us) {
		task_break(t, "took longer than a day");
		return;
	}
	patience(t, strcmp(p.phase, "look") == 0 ||
	    strcmp(p.phase, "lock") == 0 ? t->order.look_patience_ms :
	    t->order.patience_ms);
	if (!t->told && t->order.progress != NULL)
		t->order.progress(t->order.arg, &p);
}

static void
on_warning(struct task *t, const struct msg *m)
{
	struct m_error	e;

	if (++t->warnings > WARNINGS_MAX) {
		task_break(t, "warned without end");
		return;
	}
	memcpy(&e, m->data, sizeof(e));
	e.text[sizeof(e.text) - 1] = '\0';
	log_warnx("%s", e.text);
}

/* Which orders have something said before their result. */
static int
event_fits(const struct task *t, uint32_t type)
{
	switch (type) {
	case MSG_W_SAFETY:
		return (t->events == 0 && t->order.type == MSG_W_RESTORE);
	case MSG_W_NAMES:
		return (t->order.type == MSG_W_GLOB);
	case MSG_W_TABLE:
		return (t->order.type == MSG_W_VERIFY &&
		    t->events < TABLES_MAX);
	default:
		return (t->order.type == MSG_W_LOCKS);
	}
}

static void
on_event(struct task *t, const struct msg *m)
{
	if (!event_fits(t, m->type)) {
		task_break(t, "said what its order does not ask for");
		return;
	}
	/* Nobody reads more; and endless rows end by its patience. */
	if (t->events >= EVENTS_MAX)
		return;
	t->events++;
	patience(t, t->order.patience_ms);
	if (!t->told && t->order.event != NULL)
		t->order.event(t->order.arg, t, m);
}

/* The first counts; a second is a lie. */
static void
on_result(struct task *t, const struct msg *m)
{
	size_t	size = msg_desc(m->type)->size;

	if (!is_answer(t->order.type, m->type) || size > sizeof(t->result)) {
		task_break(t, "answered another order");
		return;
	}
	memcpy(t->result, m->data, size);
	t->result_type = m->type;
	t->has_result = 1;
}

static void
on_message(struct chan *c, const struct msg *m, void *arg)
{
	struct task	*t = arg;

	if (m == NULL) {
		if (strcmp(chan_error(c), "closed") != 0 &&
		    t->broken[0] == '\0')
			task_break(t, chan_error(c));
		channel_close(t);
		return;
	}
	if (t->broken[0] != '\0')
		return;
	if (t->has_result) {
		task_break(t, m->type == t->result_type ? "answered twice" :
		    "went on after its answer");
		return;
	}
	switch (m->type) {
	case MSG_W_PROGRESS:
		on_progress(t, m);
		break;
	case MSG_W_WARNING:
		on_warning(t, m);
		break;
	case MSG_W_LOCK_ROW:
	case MSG_W_SAFETY:
	case MSG_W_NAMES:
	case MSG_W_TABLE:
		on_event(t, m);
		break;
	default:
		on_result(t, m);
	}
}

/* It hangs.  What waits for it is told now: the process may be stuck in
 * the kernel, and be reaped much later or never. */
static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct task		*t = arg;
	struct task_result	 r;

	(void)fd;
	(void)what;
	if (t->pid == 0) {
		/* It left somebody behind who holds its channel. */
		channel_close(t);
		return;
	}
	kill(t->pid, SIGKILL);
	memset(&r, 0, sizeof(r));
	r.error.code = E_IO_ERROR;
	snprintf(r.error.text, sizeof(r.error.text),
	    "the %s made no progress for %u seconds: a file system may hang",
	    t->order.what, t->waited_ms / 1000);
	log_warnx("%s (pid %d)", r.error.text, (int)t->pid);
	t->has_result = 0;
	tell(t, &r);
}

/* ---- the beginning ---- */

static char	refusal[TEXT_BYTES];

const char *
task_refusal(void)
{
	return (refusal);
}

/* By errno. */
static void
refuse(void)
{
	snprintf(refusal, sizeof(refusal), "no worker can be started: %s",
	    strerror(errno));
}

int
task_copy(int fd)
{
	int	copy;

	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		refuse();
		log_warn("cannot copy a descriptor");
	}
	return (copy);
}

static void
files_close(int *files)
{
	uint32_t	kind;

	for (kind = 0; kind < W_FILE_KINDS; kind++) {
		if (files[kind] != -1)
			close(files[kind]);
	}
}

/* -1: not all of them. */
static int
files_copy(int *copies, const int *files)
{
	uint32_t	kind;

	for (kind = 0; kind < W_FILE_KINDS; kind++)
		copies[kind] = -1;
	for (kind = 0; files != NULL && kind < W_FILE_KINDS; kind++) {
		if (files[kind] != -1 &&
		    (copies[kind] = task_copy(files[kind])) == -1)
			return (-1);
	}
	return (0);
}

static void
files_send(struct task *t, const int *files)
{
	struct m_w_file	m;
	uint32_t	kind;

	memset(&m, 0, sizeof(m));
	for (kind = 0; kind < W_FILE_KINDS; kind++) {
		if (files[kind] == -1)
			continue;
		m.kind = kind;
		chan_send(t->chan, MSG_W_FILE, 0, &m, sizeof(m), files[kind]);
	}
}

/* The process, with one end of a channel in *s; -1. */
static pid_t
worker_start(struct engine *e, int *s)
{
	struct task	*t;
	uint32_t	 n = 0;
	pid_t		 pid;
	int		 sv[2];

	TAILQ_FOREACH(t, &e->tasks, entry)
		n++;
	if (n >= TASKS_MAX) {
		strlcpy(refusal, "too many workers run", sizeof(refusal));
		return (-1);
	}
	if (spawn_spare() == -1 || spawn_pair(sv) == -1) {
		refuse();
		log_warn("cannot start cloudbackupd-worker");
		return (-1);
	}
	pid = spawn_program(e, "cloudbackupd-worker", &sv[1], 1, NULL, NULL);
	if (pid == -1) {
		refuse();
		close(sv[0]);
	}
	close(sv[1]);
	*s = sv[0];
	return (pid);
}

struct task *
task_start(struct engine *e, const struct task_order *o)
{
	struct task	*t;
	pid_t		 pid;
	int		 files[W_FILE_KINDS], s;

	if (files_copy(files, o->files) == -1 ||
	    (pid = worker_start(e, &s)) == -1) {
		files_close(files);
		if (o->fd != -1)
			close(o->fd);
		return (NULL);
	}
	t = xcalloc(1, sizeof(*t));
	t->engine = e;
	t->order = *o;
	t->order.data = NULL;
	t->order.fd = -1;
	t->order.files = NULL;
	t->pid = t->was_pid = pid;
	TAILQ_INSERT_TAIL(&e->tasks, t, entry);
	log_debug("worker %d begins: %s", (int)pid, o->what);
	t->chan = chan_new(s, ROLE_ENGINE, ROLE_WORKER);
	if ((t->timer = evtimer_new(e->base, on_patience, t)) == NULL)
		fatalx("evtimer_new");
	chan_attach(t->chan, e->base, on_message, t);
	t->end_us = util_monotonic_us() + LIFE_US;
	files_send(t, files);
	chan_send(t->chan, o->type, 0, o->data, o->size, o->fd);
	patience(t, o->look_patience_ms);
	return (t);
}

void
task_tell(struct task *t, enum msg_type type)
{
	struct m_empty	none = { 0 };

	if (t->chan != NULL)
		chan_send(t->chan, type, 0, &none, sizeof(none), -1);
}

void
tasks_stop_one(struct task *t)
{
	if (t->pid != 0)
		kill(t->pid, SIGTERM);
}

void
tasks_stop(struct engine *e)
{
	struct task	*t;

	TAILQ_FOREACH(t, &e->tasks, entry)
		tasks_stop_one(t);
}

void
tasks_kill(struct engine *e)
{
	struct task	*t;

	TAILQ_FOREACH(t, &e->tasks, entry) {
		if (t->pid != 0)
			kill(t->pid, SIGKILL);
	}
}

/* Not as exactly as of the others: a worker may hang in the kernel, and
 * exactness would wait for it. */
uint64_t
tasks_memory(struct engine *e)
{
	struct task	*t;
	uint64_t	 bytes, sum = 0;

	TAILQ_FOREACH(t, &e->tasks, entry) {
		if (t->pid != 0 && procs_memory_own(t->pid, &bytes) == 0)
			sum += bytes;
	}
	return (sum);
}

int
task_reaped(struct engine *e, pid_t pid, int status)
{
	struct task	*t;

	TAILQ_FOREACH(t, &e->tasks, entry) {
		if (t->pid == pid)
			break;
	}
	if (t == NULL)
		return (0);
	t->pid = 0;
	t->status = status;
	patience(t, CHANNEL_MS);
	finish_check(t);
	return (1);
}
