/*
 * The engine runs this: the processes that look whether a database has
 * changed.  It owns the lookers, each with its channel and a timer, and the
 * line of looks that wait.  One looker is enough as long as paths answer;
 * behind one that is slow others begin, so that a path that hangs holds
 * nobody else up (H18).
 *
 * A looker that does not answer, or says what it must not, is killed: its
 * look fails, and the next one begins another.  One that was not needed for
 * a while ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/procs.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/lookers.h"

#define LOOKERS_MAX	16		/* those that hang for good included */
#define WAITING_MAX	1024
#define SLOW_MS		2000		/* then who waits gets another */
#define PATIENCE_MS	15000
#define QUIET_MS	(3 * 60 * 1000)
#define END_MS		2000		/* to end when it is told */

struct wish {				/* a look that is asked for */
	TAILQ_ENTRY(wish) entry;
	struct m_look	 look;
	uint64_t	 id;
	looked_cb	*done;
	void		*arg;
};
TAILQ_HEAD(wishes, wish);

struct looker {
	TAILQ_ENTRY(looker) entry;
	struct engine	*engine;
	pid_t		 pid;		/* 0: reaped */
	pid_t		 was_pid;	/* for the log */
	struct chan	*chan;		/* NULL: closed */
	struct event	*timer;
	struct wish	*wish;		/* it looks at; NULL: at nothing */
	int64_t		 idle_ms;	/* since then */
	int		 slow;		/* at this look */
	int		 last;		/* it gets no other look */
	int		 status;	/* of waitpid */
	char		 broken[128];	/* how it broke the protocol, or "" */
};

struct lookers {
	TAILQ_HEAD(, looker) all;
	struct wishes	 line;
	uint32_t	 n;		/* lookers */
	uint32_t	 waiting;	/* in the line */
	uint64_t	 next_id;
};

static void	line_run(struct engine *);
static int	line_stuck(const struct engine *);
static void	line_look_after(struct engine *);

/* ---- what was asked for ---- */

static void
wish_tell(struct wish *w, const struct look_result *r)
{
	w->done(w->arg, r);
	free(w);
}

static void
wish_fail(struct wish *w, enum err code, const char *text)
{
	struct look_result	r;

	memset(&r, 0, sizeof(r));
	r.error.code = code;
	strlcpy(r.error.text, text, sizeof(r.error.text));
	wish_tell(w, &r);
}

/* All that wait; who is told may ask again. */
static void
line_fail(struct engine *e, enum err code, const char *text)
{
	struct wishes	 line;
	struct wish	*w;

	TAILQ_INIT(&line);
	TAILQ_CONCAT(&line, &e->lookers->line, entry);
	e->lookers->waiting = 0;
	while ((w = TAILQ_FIRST(&line)) != NULL) {
		TAILQ_REMOVE(&line, w, entry);
		wish_fail(w, code, text);
	}
}

/* ---- one looker ---- */

static void
wait_ms(struct looker *l, uint32_t ms)
{
	struct timeval	tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	event_add(l->timer, &tv);
}

static void
looker_kill(struct looker *l)
{
	if (l->pid != 0)
		kill(l->pid, SIGKILL);
}

static void
channel_close(struct looker *l)
{
	chan_free(l->chan);
	l->chan = NULL;
}

/* It ends when its channel does. */
static void
looker_leave(struct looker *l)
{
	l->last = 1;
	channel_close(l);
	wait_ms(l, END_MS);
}

static void
give(struct looker *l, struct wish *w)
{
	l->wish = w;
	l->slow = 0;
	chan_send(l->chan, MSG_LOOK, w->id, &w->look, sizeof(w->look), -1);
	wait_ms(l, SLOW_MS);
}

/* It has nothing to do: the first of them stays for a while. */
static void
rest(struct looker *l)
{
	struct looker	*other;
	struct timeval	 tv;

	TAILQ_FOREACH(other, &l->engine->lookers->all, entry) {
		if (other != l && !other->last && other->chan != NULL &&
		    other->wish == NULL)
			l->last = 1;
	}
	if (l->last) {
		looker_leave(l);
		return;
	}
	l->idle_ms = util_now_ms();
	clock_wait(&tv, QUIET_MS);
	event_add(l->timer, &tv);
}

/* It is none of ours any more: nothing that it says counts. */
static void
looker_break(struct looker *l, const char *how)
{
	strlcpy(l->broken, how, sizeof(l->broken));
	l->last = 1;
	looker_kill(l);
}

/* Why it is not there any more. */
static void
end_text(const struct looker *l, char text[TEXT_BYTES])
{
	char	how[64];

	task_status_text(l->status, how);
	if (l->broken[0] != '\0')
		snprintf(text, TEXT_BYTES, "the looker was ended: it %s",
		    l->broken);
	else
		snprintf(text, TEXT_BYTES, "the looker ended %s (%s)",
		    l->wish != NULL ? "without an answer" : "by itself", how);
}

/* Both the process and its channel have ended. */
static void
finish(struct looker *l)
{
	struct engine	*e = l->engine;
	struct wish	*w = l->wish;
	char		 text[TEXT_BYTES];

	end_text(l, text);
	if (w != NULL || !l->last || l->broken[0] != '\0')
		log_warnx("%s (pid %d)", text, (int)l->was_pid);
	TAILQ_REMOVE(&e->lookers->all, l, entry);
	e->lookers->n--;
	event_free(l->timer);
	free(l);
	if (w != NULL)
		wish_fail(w, E_WORKER_FAILED, text);
	line_run(e);
	line_look_after(e);
	engine_stop_check(e);
}

static void
finish_check(struct looker *l)
{
	if (l->pid == 0 && l->chan == NULL)
		finish(l);
}

/* What it was asked for; the answer is copied, as the channel may go. */
static void
on_answer(struct looker *l, const struct msg *m)
{
	struct engine		*e = l->engine;
	struct look_result	 r;
	struct wish		*w = l->wish;

	memset(&r, 0, sizeof(r));
	if (m->type == MSG_LOOK_SIGNED) {
		r.ok = 1;
		memcpy(&r.signature, m->data, sizeof(r.signature));
	} else {
		memcpy(&r.error, m->data, sizeof(r.error));
		told_error(&r.error);
	}
	l->wish = NULL;
	line_run(e);
	if (l->wish == NULL)
		rest(l);
	wish_tell(w, &r);
}

static void
on_message(struct chan *c, const struct msg *m, void *arg)
{
	struct looker	*l = arg;

	if (m == NULL) {
		if (strcmp(chan_error(c), "closed") != 0 &&
		    l->broken[0] == '\0')
			looker_break(l, chan_error(c));
		channel_close(l);
		if (l->wish == NULL)
			wait_ms(l, END_MS);
		finish_check(l);
		return;
	}
	if (l->broken[0] != '\0')
		return;
	if (l->wish == NULL || m->id != l->wish->id)
		looker_break(l, "answered what nobody asked");
	else
		on_answer(l, m);
}

/* It hangs, and may do so in the kernel for good: who waits is told now. */
static void
hangs(struct looker *l)
{
	struct engine	*e = l->engine;
	struct wish	*w = l->wish;
	char		 text[TEXT_BYTES];

	looker_kill(l);
	l->wish = NULL;
	looker_leave(l);
	snprintf(text, sizeof(text), "the look made no progress for %d "
	    "seconds: a file system may hang", PATIENCE_MS / 1000);
	log_warnx("%s (pid %d)", text, (int)l->was_pid);
	line_run(e);
	if (line_stuck(e))
		line_fail(e, E_IO_ERROR, text);
	wish_fail(w, E_IO_ERROR, text);
}

/* Nobody has asked for long; in a test, time may jump, and stand still. */
static void
quiet(struct looker *l)
{
	int64_t		left_ms = QUIET_MS - (util_now_ms() - l->idle_ms);
	struct timeval	tv;

	if (left_ms <= 0 || left_ms > QUIET_MS) {
		log_debug("the looker has nothing to do (pid %d)",
		    (int)l->was_pid);
		looker_leave(l);
		return;
	}
	clock_wait(&tv, left_ms);
	event_add(l->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct looker	*l = arg;

	(void)fd;
	(void)what;
	if (l->pid == 0) {
		channel_close(l);
		finish_check(l);
	} else if (l->wish != NULL && !l->slow) {
		l->slow = 1;
		wait_ms(l, PATIENCE_MS - SLOW_MS);
		line_run(l->engine);
	} else if (l->wish != NULL)
		hangs(l);
	else if (l->chan != NULL && !l->last)
		quiet(l);
	else
		looker_kill(l);
}

/* NULL when the system has no process or descriptors for it. */
static struct looker *
looker_new(struct engine *e)
{
	struct m_look_start	 o = { e->verify_uid, e->verify_gid };
	struct looker		*l;
	int			 sv[2];

	if (spawn_spare() == -1 || spawn_pair(sv) == -1) {
		log_warn("cannot start cloudbackupd-looker");
		return (NULL);
	}
	l = xcalloc(1, sizeof(*l));
	l->engine = e;
	l->pid = l->was_pid = spawn_program(e, "cloudbackupd-looker", &sv[1],
	    1, NULL, NULL);
	close(sv[1]);
	if (l->pid == -1) {
		close(sv[0]);
		free(l);
		return (NULL);
	}
	l->chan = chan_new(sv[0], ROLE_ENGINE, ROLE_LOOKER);
	if ((l->timer = evtimer_new(e->base, on_timer, l)) == NULL)
		fatalx("evtimer_new");
	chan_attach(l->chan, e->base, on_message, l);
	chan_send(l->chan, MSG_LOOK_START, 0, &o, sizeof(o), -1);
	TAILQ_INSERT_TAIL(&e->lookers->all, l, entry);
	e->lookers->n++;
	return (l);
}

/* ---- all of them ---- */

/*
 * One that can have a look now: it rests, or is begun because all others
 * are slow.  NULL: the look waits for one that is not.
 */
static struct looker *
looker_for(struct engine *e)
{
	struct looker	*l;
	int		 busy = 0;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if (l->last || l->chan == NULL)
			continue;
		if (l->wish == NULL)
			return (l);
		busy |= !l->slow;
	}
	if (busy || e->lookers->n >= LOOKERS_MAX)
		return (NULL);
	return (looker_new(e));
}

/* After line_run: does somebody wait, and nobody will have another look?
 * As many hang as there may be, or none can be started. */
static int
line_stuck(const struct engine *e)
{
	const struct looker	*l;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if (!l->last && l->chan != NULL)
			return (0);
	}
	return (!TAILQ_EMPTY(&e->lookers->line));
}

static void
line_run(struct engine *e)
{
	struct lookers	*ls = e->lookers;
	struct looker	*l;
	struct wish	*w;

	while (!e->stopping && (w = TAILQ_FIRST(&ls->line)) != NULL) {
		if ((l = looker_for(e)) == NULL)
			return;
		TAILQ_REMOVE(&ls->line, w, entry);
		ls->waiting--;
		give(l, w);
	}
}

static void
line_look_after(struct engine *e)
{
	if (line_stuck(e))
		line_fail(e, E_BUSY, "no process can be started to look");
}

int
lookers_look(struct engine *e, const struct m_look *look, looked_cb *done,
    void *arg)
{
	struct lookers	*ls = e->lookers;
	struct wish	*w;

	if (e->stopping || ls->waiting >= WAITING_MAX)
		return (-1);
	w = xcalloc(1, sizeof(*w));
	w->look = *look;
	w->id = ++ls->next_id;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&ls->line, w, entry);
	ls->waiting++;
	line_run(e);
	if (!line_stuck(e))
		return (0);
	TAILQ_REMOVE(&ls->line, w, entry);
	ls->waiting--;
	free(w);
	return (-1);
}

void
lookers_init(struct engine *e)
{
	e->lookers = xcalloc(1, sizeof(*e->lookers));
	TAILQ_INIT(&e->lookers->all);
	TAILQ_INIT(&e->lookers->line);
}

void
lookers_free(struct engine *e)
{
	struct looker	*l;

	while ((l = TAILQ_FIRST(&e->lookers->all)) != NULL) {
		TAILQ_REMOVE(&e->lookers->all, l, entry);
		chan_free(l->chan);
		event_free(l->timer);
		free(l);
	}
	free(e->lookers);
	e->lookers = NULL;
}

void
lookers_changed(struct engine *e)
{
	struct looker	*l;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if (l->last || l->chan == NULL)
			continue;
		l->last = 1;
		if (l->wish == NULL)
			looker_leave(l);
	}
	line_run(e);
	line_look_after(e);
}

void
lookers_stop(struct engine *e)
{
	static const char	 why[] =
				    "the look was given up because the daemon "
				    "ends";
	struct looker		*l;
	struct wish		*w;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if ((w = l->wish) != NULL)
			looker_kill(l);
		l->wish = NULL;
		looker_leave(l);
		if (w != NULL)
			wish_fail(w, E_SHUTTING_DOWN, why);
	}
	line_fail(e, E_SHUTTING_DOWN, why);
}

void
lookers_kill(struct engine *e)
{
	struct looker	*l;

	TAILQ_FOREACH(l, &e->lookers->all, entry)
		looker_kill(l);
}

int
lookers_gone(const struct engine *e)
{
	return (TAILQ_EMPTY(&e->lookers->all));
}

uint64_t
lookers_memory(const struct engine *e)
{
	const struct looker	*l;
	uint64_t		 bytes, sum = 0;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if (l->pid != 0 && procs_memory_own(l->pid, &bytes) == 0)
			sum += bytes;
	}
	return (sum);
}

int
lookers_reaped(struct engine *e, pid_t pid, int status)
{
	struct looker	*l;

	TAILQ_FOREACH(l, &e->lookers->all, entry) {
		if (l->pid == pid)
			break;
	}
	if (l == NULL)
		return (0);
	l->pid = 0;
	l->status = status;
	/* What it said before is still in its channel. */
	wait_ms(l, END_MS);
	finish_check(l);
	return (1);
}
