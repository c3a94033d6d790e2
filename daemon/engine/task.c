/*
 * The engine runs this: one worker process, from fork to wait.  It owns
 * the worker's channel and the timer that ends a worker without progress
 * (H18: a hung path must not stop the engine).  A worker that breaks the
 * protocol is killed and its job fails; it never stops the engine.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define RESULT_BYTES	16384

struct task {
	TAILQ_ENTRY(task) entry;
	struct engine	*engine;
	struct task_order order;	/* data and fd are gone */
	pid_t		 pid;		/* 0: reaped */
	struct chan	*chan;		/* NULL: closed */
	struct event	*timer;
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

	r->error.code = E_WORKER_FAILED;
	task_status_text(t->status, how);
	if (t->broken[0] != '\0')
		snprintf(r->error.text, sizeof(r->error.text),
		    "the %s worker was ended: it %s", t->order.what, t->broken);
	else
		snprintf(r->error.text, sizeof(r->error.text),
		    "the %s worker ended without an answer (%s)",
		    t->order.what, how);
	log_warnx("%s (pid %d)", r->error.text, (int)t->pid);
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
		if (err_desc(r.error.code) == err_desc(0) ||
		    !msg_text_ok(r.error.text))
			r.error.code = E_INTERNAL_ERROR;
		r.error.text[sizeof(r.error.text) - 1] = '\0';
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

static void
on_progress(struct task *t, const struct msg *m)
{
	struct m_w_progress	p;

	memcpy(&p, m->data, sizeof(p));
	if (!msg_text_ok(p.phase)) {
		strlcpy(t->broken, "sent a phase without end",
		    sizeof(t->broken));
		kill(t->pid, SIGKILL);
		return;
	}
	patience(t, strcmp(p.phase, "look") == 0 ||
	    strcmp(p.phase, "lock") == 0 ? t->order.look_patience_ms :
	    t->order.patience_ms);
	if (!t->told && t->order.progress != NULL)
		t->order.progress(t->order.arg, &p);
}

static void
on_message(struct chan *c, const struct msg *m, void *arg)
{
	struct task	*t = arg;
	struct m_error	 e;
	size_t		 size;

	if (m == NULL) {
		if (strcmp(chan_error(c), "closed") != 0) {
			strlcpy(t->broken, chan_error(c), sizeof(t->broken));
			if (t->pid != 0)
				kill(t->pid, SIGKILL);
		}
		channel_close(t);
		return;
	}
	switch (m->type) {
	case MSG_W_PROGRESS:
		on_progress(t, m);
		return;
	case MSG_W_WARNING:
		memcpy(&e, m->data, sizeof(e));
		e.text[sizeof(e.text) - 1] = '\0';
		log_warnx("%s", e.text);
		return;
	case MSG_W_LOCK_ROW:
	case MSG_W_SAFETY:
		patience(t, t->order.patience_ms);
		if (!t->told && t->order.event != NULL)
			t->order.event(t->order.arg, t, m);
		return;
	}
	/* A result: the first counts; a second is a lie. */
	size = msg_desc(m->type)->size;
	if (t->has_result || size > sizeof(t->result)) {
		strlcpy(t->broken, "answered twice", sizeof(t->broken));
		t->has_result = 0;
		kill(t->pid, SIGKILL);
		return;
	}
	memcpy(t->result, m->data, size);
	t->result_type = m->type;
	t->has_result = 1;
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
	if (t->pid != 0)
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

static void
files_send(struct task *t, const int *files)
{
	struct m_w_file	m;
	uint32_t	kind;
	int		fd;

	memset(&m, 0, sizeof(m));
	for (kind = 0; files != NULL && kind < W_FILE_KINDS; kind++) {
		if (files[kind] == -1)
			continue;
		if ((fd = fcntl(files[kind], F_DUPFD_CLOEXEC, 0)) == -1)
			fatal("dup");
		m.kind = kind;
		chan_send(t->chan, MSG_W_FILE, 0, &m, sizeof(m), fd);
	}
}

struct task *
task_start(struct engine *e, const struct task_order *o)
{
	struct task	*t;
	uint32_t	 n = 0;
	int		 sv[2];

	TAILQ_FOREACH(t, &e->tasks, entry)
		n++;
	if (n >= TASKS_MAX) {
		if (o->fd != -1)
			close(o->fd);
		return (NULL);
	}
	t = xcalloc(1, sizeof(*t));
	t->engine = e;
	t->order = *o;
	t->order.data = NULL;
	t->order.fd = -1;
	TAILQ_INSERT_TAIL(&e->tasks, t, entry);
	spawn_pair(sv);
	t->pid = spawn_program(e, "cloudbackupd-worker", &sv[1], 1, NULL,
	    NULL);
	close(sv[1]);
	t->chan = chan_new(sv[0], ROLE_ENGINE, ROLE_WORKER);
	if ((t->timer = evtimer_new(e->base, on_patience, t)) == NULL)
		fatalx("evtimer_new");
	chan_attach(t->chan, e->base, on_message, t);
	files_send(t, o->files);
	t->order.files = NULL;
	chan_send(t->chan, o->type, 0, o->data, o->size, o->fd);
	patience(t, o->look_patience_ms);
	return (t);
}

void
task_go(struct task *t)
{
	struct m_empty	none = { 0 };

	if (t->chan != NULL)
		chan_send(t->chan, MSG_W_GO, 0, &none, sizeof(none), -1);
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
	event_del(t->timer);
	finish_check(t);
	return (1);
}
