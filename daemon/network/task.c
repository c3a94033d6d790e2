/*
 * The network process runs this.  It owns the queue of tasks and what each
 * holds: its descriptor, its exchange, its turn.  Tasks run in lanes, so
 * that long uploads never keep a question waiting.
 */
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/network/count.h"
#include "daemon/network/task.h"

#define FEED_BYTES	(1024 * 1024)	/* queued to front at most */
#define FEED_MS		10
#define QUESTIONS_MAX	4096		/* that wait: front is not trusted */

static const struct lane {
	uint32_t	 kinds;		/* bits of enum task_kind */
	int		 most;		/* at once */
} lanes[] = {
	{ 1 << TASK_UPLOAD | 1 << TASK_FETCH,	8 },
	{ 1 << TASK_HEALTH,			8 },
	{ 1 << TASK_LIST,			4 },	/* each up to 64 MiB */
	{ 1 << TASK_ABORT | 1 << TASK_DELETE,	2 },
	{ 1 << TASK_CATALOG,			1 },
	{ 1 << TASK_TEST,			2 }
};

static TAILQ_HEAD(, task)	 tasks = TAILQ_HEAD_INITIALIZER(tasks);
static size_t			 ntasks;
static struct event_base	*task_base;
static struct event		*next_event;

static void
tell_uploaded(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_net_uploaded	m;

	(void)bytes;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.retry_after_s = r->retry_after_s;
	m.flags = t->confirmed;
	if (remote_id != NULL)
		(void)strlcpy(m.remote_id, remote_id, sizeof(m.remote_id));
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_NET_UPLOADED, t->id, &m, sizeof(m), -1);
}

static void
tell_fetched(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_net_fetched	m;

	(void)remote_id;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.size = bytes;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_NET_FETCHED, t->id, &m, sizeof(m), -1);
}

static void
tell_health(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_health	m;

	(void)remote_id;
	(void)bytes;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	if (t->running)
		m.response_us = util_monotonic_us() - t->started_us;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_TELL_HEALTH, t->id, &m, sizeof(m), -1);
}

static void
tell_list_end(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_remote_end	m;

	(void)remote_id;
	(void)bytes;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.rows = t->rows;
	if (t->feed != NULL)
		m.skipped = t->remote->ops->skipped(t);
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_TELL_LIST_END, t->id, &m, sizeof(m), -1);
}

static void
tell_done(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_net_done	m;

	(void)remote_id;
	(void)bytes;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.retry_after_s = r->retry_after_s;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, t->kind == TASK_TEST ? MSG_NET_TEST_END :
	    MSG_NET_ABORTED, t->id, &m, sizeof(m), -1);
}

/* Keys of which nothing is known share the task's end. */
static void
tell_deleted(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	struct m_net_deleted	m;
	uint32_t		i;

	(void)remote_id;
	(void)bytes;
	memset(&m, 0, sizeof(m));
	if (t->deleted != NULL)
		m = *t->deleted;
	else {
		m.count = t->u.delete->count;
		for (i = 0; i < m.count; i++)
			m.outcome[i] = r->outcome;
	}
	m.http_status = r->http_status;
	m.retry_after_s = r->retry_after_s;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_NET_DELETED, t->id, &m, sizeof(m), -1);
}

static void
tell_catalog_end(struct task *t, const struct result *r,
    const char *remote_id, uint64_t bytes)
{
	struct m_remote_end	m;

	(void)remote_id;
	(void)bytes;
	memset(&m, 0, sizeof(m));
	m.outcome = r->outcome;
	m.http_status = r->http_status;
	m.rows = t->rows;
	m.skipped = t->skipped;
	(void)strlcpy(m.reason, r->reason, sizeof(m.reason));
	chan_send(t->chan, MSG_NET_LIST_END, t->id, &m, sizeof(m), -1);
}

/* In the order of enum task_kind. */
static const struct {
	const char	*name;
	size_t		 size;		/* of the payload */
	void		(*tell)(struct task *, const struct result *,
			    const char *, uint64_t);
} kinds[] = {
	{ "upload",	sizeof(struct m_net_upload),	tell_uploaded },
	{ "fetch",	sizeof(struct m_net_fetch),	tell_fetched },
	{ "health",	sizeof(struct m_ask),		tell_health },
	{ "list",	sizeof(struct m_ask),		tell_list_end },
	{ "abort",	sizeof(struct m_net_abort),	tell_done },
	{ "delete",	sizeof(struct m_net_delete),	tell_deleted },
	{ "catalog",	sizeof(struct m_net_list),	tell_catalog_end },
	{ "test",	sizeof(struct m_net_test),	tell_done }
};

static void
task_free(struct task *t)
{
	uint32_t	index = t->remote->conf.index;

	TAILQ_REMOVE(&tasks, t, entry);
	ntasks--;
	t->remote->ops->stop(t);
	remote_release(t->remote);
	/* What was cut off has cost something, too. */
	count_tell(index, 0);
	if (t->feed != NULL)
		event_free(t->feed);
	if (t->fd != -1)
		close(t->fd);
	free(t->u.any);
	free(t->manifest);
	free(t->deleted);
	free(t);
	/* Later, from the loop: a start may finish a task at once. */
	event_active(next_event, EV_TIMEOUT, 0);
}

static void
task_end(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	log_debug("%s id=%llu remote=%s outcome=%d status=%u%s%s",
	    kinds[t->kind].name, (unsigned long long)t->id,
	    t->remote->conf.name, (int)r->outcome, r->http_status,
	    r->reason[0] != '\0' ? ": " : "", r->reason);
	count_tell(t->remote->conf.index, 1);
	kinds[t->kind].tell(t, r, remote_id, bytes);
	task_free(t);
}

/* A mouthful of rows; front tells by its channel when it wants more. */
static void
on_feed(evutil_socket_t s, short what, void *arg)
{
	struct task		*t = arg;
	struct m_remote_row	 row;
	struct timeval		 tv = { 0, FEED_MS * 1000 };

	(void)s;
	(void)what;
	while (chan_queued(t->chan) < FEED_BYTES) {
		if (!t->remote->ops->row(t, &row)) {
			task_end(t, &t->end, NULL, 0);
			return;
		}
		chan_send(t->chan, MSG_TELL_ROW, t->id, &row, sizeof(row), -1);
		t->rows++;
	}
	event_add(t->feed, &tv);
}

void
task_progress(struct task *t, uint64_t bytes)
{
	struct m_net_progress	m;

	if (bytes == t->told_bytes ||
	    (t->kind != TASK_UPLOAD && t->kind != TASK_FETCH))
		return;
	t->told_bytes = bytes;
	memset(&m, 0, sizeof(m));
	m.bytes_done = bytes;
	if (t->kind == TASK_UPLOAD)
		m.bytes_total = t->u.upload->size;
	chan_send(t->chan, MSG_NET_PROGRESS, t->id, &m, sizeof(m), -1);
}

void
task_finish(struct task *t, const struct result *r, const char *remote_id,
    uint64_t bytes)
{
	if (t->kind != TASK_LIST || r->outcome != NET_OK) {
		task_end(t, r, remote_id, bytes);
		return;
	}
	t->end = *r;
	if ((t->feed = event_new(task_base, -1, 0, on_feed, t)) == NULL)
		fatalx("event_new");
	event_active(t->feed, EV_TIMEOUT, 0);
}

void
task_finish_with(struct task *t, enum net_outcome outcome, const char *why)
{
	struct result	r;

	memset(&r, 0, sizeof(r));
	result_set(&r, outcome, "%s", why);
	task_finish(t, &r, NULL, 0);
}

void
task_finish_errno(struct task *t, const char *what)
{
	struct result	r;

	memset(&r, 0, sizeof(r));
	result_set(&r, NET_LOCAL, "%s: %s", what, strerror(errno));
	task_finish(t, &r, NULL, 0);
}

void
task_multipart(struct task *t, const char *upload_id, uint64_t part_size)
{
	struct m_net_multipart	m;

	memset(&m, 0, sizeof(m));
	m.part_size = part_size;
	(void)strlcpy(m.upload_id, upload_id, sizeof(m.upload_id));
	chan_send(t->chan, MSG_NET_MULTIPART, t->id, &m, sizeof(m), -1);
}

void
task_manifest_row(struct task *t, const struct m_manifest *m)
{
	chan_send(t->chan, MSG_NET_MANIFEST_ROW, t->id, m, sizeof(*m), -1);
	t->rows++;
}

void
task_test_row(struct task *t, const char *step, const struct result *r,
    const char *good)
{
	struct m_net_test_row	m;

	memset(&m, 0, sizeof(m));
	m.ok = r->outcome == NET_OK;
	m.http_status = r->http_status;
	(void)strlcpy(m.step, step, sizeof(m.step));
	(void)strlcpy(m.text, m.ok ? good : r->reason, sizeof(m.text));
	chan_send(t->chan, MSG_NET_TEST_ROW, t->id, &m, sizeof(m), -1);
}

int
task_full(const struct task *t)
{
	return (chan_queued(t->chan) >= FEED_BYTES);
}

static void
task_start(struct task *t)
{
	const struct remote_ops	*ops = t->remote->ops;
	struct result		 r;

	t->running = 1;
	t->started_us = util_monotonic_us();
	if (t->remote->host[0] == '\0') {
		memset(&r, 0, sizeof(r));
		if (t->remote->conf.name[0] == '\0')
			result_set(&r, NET_REFUSED, "that remote is "
			    "configured no more");
		else
			result_set(&r, NET_REFUSED, "the URL of remote %s "
			    "cannot be used; correct it in the "
			    "configuration", t->remote->conf.name);
		task_end(t, &r, NULL, 0);
		return;
	}
	if (t->remote->conf.kind == REMOTE_S3 && t->remote->s3 == NULL) {
		/* It changes just now: its bucket comes next. */
		memset(&r, 0, sizeof(r));
		result_set(&r, NET_AWAY, "remote %s is being configured; try "
		    "again", t->remote->conf.name);
		task_end(t, &r, NULL, 0);
		return;
	}
	ops->start[t->kind](t);
}

static void
on_next(evutil_socket_t s, short what, void *arg)
{
	const struct lane	*lane;
	struct task		*t, *next;
	int			 running;

	(void)s;
	(void)what;
	(void)arg;
	for (lane = lanes; lane < lanes + nitems(lanes); lane++) {
		running = 0;
		TAILQ_FOREACH(t, &tasks, entry) {
			if (lane->kinds & 1u << t->kind)
				running += t->running;
		}
		for (t = TAILQ_FIRST(&tasks); t != NULL &&
		    running < lane->most; t = next) {
			next = TAILQ_NEXT(t, entry);
			if (!(lane->kinds & 1u << t->kind) || t->running)
				continue;
			running++;
			task_start(t);	/* may free t */
		}
	}
}

void
task_open(struct event_base *base)
{
	task_base = base;
	if ((next_event = event_new(base, -1, 0, on_next, NULL)) == NULL)
		fatalx("event_new");
}

void
task_close(void)
{
	struct task	*t;

	while ((t = TAILQ_FIRST(&tasks)) != NULL)
		task_free(t);
	event_free(next_event);
}

static struct task *
task_find(struct chan *c, uint64_t id)
{
	struct task	*t;

	TAILQ_FOREACH(t, &tasks, entry) {
		if (t->chan == c && t->id == id)
			return (t);
	}
	return (NULL);
}

int
task_exists(struct chan *c, uint64_t id)
{
	return (task_find(c, id) != NULL);
}

void
task_add(enum task_kind kind, struct chan *c, uint64_t id,
    struct remote *remote, const void *payload, int fd)
{
	struct task	*t;
	struct result	 r;

	t = xcalloc(1, sizeof(*t));
	t->kind = kind;
	t->chan = c;
	t->id = id;
	t->remote = remote;
	remote_hold(remote);
	t->fd = fd;
	t->u.any = xmalloc(kinds[kind].size);
	memcpy(t->u.any, payload, kinds[kind].size);
	TAILQ_INSERT_TAIL(&tasks, t, entry);
	if (++ntasks > QUESTIONS_MAX &&
	    (kind == TASK_HEALTH || kind == TASK_LIST)) {
		memset(&r, 0, sizeof(r));
		result_set(&r, NET_LOCAL, "too much is asked at once");
		task_end(t, &r, NULL, 0);
		return;
	}
	event_active(next_event, EV_TIMEOUT, 0);
}

void
task_manifest(struct chan *c, uint64_t id, const struct m_net_manifest *m)
{
	struct task	*t = task_find(c, id);

	if (t == NULL)
		fatalx("a manifest without its upload");
	t->manifest = xmalloc(sizeof(*m));
	memcpy(t->manifest, m, sizeof(*m));
}

void
task_go(struct chan *c, uint64_t id)
{
	struct task	*t = task_find(c, id);

	if (t == NULL || t->kind != TASK_UPLOAD)
		return;
	t->u.upload->flags &= ~(uint32_t)UPLOAD_HOLD;
	if (t->running && t->remote->ops->go != NULL)
		t->remote->ops->go(t);
}

void
task_cancel(struct chan *c, uint64_t id)
{
	struct task	*t;
	struct result	 r;

	if ((t = task_find(c, id)) == NULL)
		return;
	memset(&r, 0, sizeof(r));
	result_set(&r, NET_CANCELLED, "cancelled");
	task_end(t, &r, NULL, 0);
}
