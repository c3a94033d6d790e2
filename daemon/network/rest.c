/*
 * The network process runs this: remotes that speak the protocol of the
 * user-backup servers.  A task's state is its exchange, and for a list the
 * place in it.  What a server says is judged by outcome.c and answer.c;
 * this file knows the requests.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/network/answer.h"
#include "daemon/network/exchange.h"
#include "daemon/network/task.h"
#include "daemon/network/text.h"
#include "proto/form.h"

#define PATH_CREATE	"/api/user-backup/create"
#define PATH_LIST	"/api/user-backup/user/"
#define PATH_DOWNLOAD	"/api/user-backup/download/"
#define PATH_HEALTH	"/health"
#define HEALTH_MS	10000		/* in all */
#define LIST_MS		30000		/* without progress */
#define MARK_START	"[cloudbackupd:"

struct rest {
	struct exchange		*x;
	struct answer_list	*list;
	char			 id[REMOTE_ID_BYTES];	/* of an upload, */
	uint32_t		 status;	/* and its answer's */
};

static struct rest *
state(struct task *t)
{
	if (t->state == NULL)
		t->state = xcalloc(1, sizeof(struct rest));
	return (t->state);
}

static void
rest_stop(struct task *t)
{
	struct rest	*s = t->state;

	if (s == NULL)
		return;
	answer_list_free(s->list);	/* points into the exchange */
	exchange_free(s->x);
	free(s);
	t->state = NULL;
}

/* A 2xx whose body is not what it should be. */
static void
not_an_answer(struct exchange *x, const char *why)
{
	result_set(&x->result, NET_GARBAGE, "%s answered %u, but the answer %s",
	    x->remote->host, x->result.http_status, why);
}

static void
on_progress(struct exchange *x, void *arg)
{
	task_progress(arg, x->offset);
}

/* ---- health ---- */

static void
on_health(struct exchange *x, void *arg)
{
	task_finish(arg, &x->result, NULL, 0);
}

static void
start_health(struct task *t, exchange_cb *done)
{
	struct rest	*s = state(t);

	s->x = exchange_new(t->remote, REQUEST_GET, PATH_HEALTH, 0, HEALTH_MS,
	    ANSWER_BYTES_MAX);
	exchange_header(s->x, "Accept: application/json");
	exchange_start(s->x, NULL, done, t);
}

static void
rest_health(struct task *t)
{
	start_health(t, on_health);
}

/* ---- list ---- */

/* 0, or -1 when a user's list cannot be asked for. */
static int
start_list(struct task *t, const char *user_id, exchange_cb *done)
{
	struct rest	*s = state(t);
	char		*segment, *path;

	if (user_id[0] == '\0')
		return (-1);
	segment = exchange_segment(user_id);
	path = xasprintf("%s%s", PATH_LIST, segment);
	s->x = exchange_new(t->remote, REQUEST_LIST, path, LIST_MS, 0,
	    ANSWER_LIST_BYTES_MAX);
	exchange_header(s->x, "Accept: application/json");
	exchange_start(s->x, NULL, done, t);
	free(path);
	free(segment);
	return (0);
}

/* Opens the list that came; changes the result when it is none. */
static void
open_list(struct rest *s)
{
	const char	*why;

	if (s->x->result.outcome != NET_OK)
		return;
	s->list = answer_list_open(s->x->text, s->x->text_bytes, &why);
	if (s->list == NULL)
		not_an_answer(s->x, why);
}

static void
on_list(struct exchange *x, void *arg)
{
	struct task	*t = arg;

	open_list(t->state);
	task_finish(t, &x->result, NULL, 0);
}

static void
rest_list(struct task *t)
{
	if (start_list(t, t->u.ask->user_id, on_list) == -1)
		task_finish_with(t, NET_REFUSED, "the remote lists backups by user id, and "
		    "none is given or configured");
}

/* The mark at the end outlives a cut: the catalog is found by it. */
static void
copy_description(char dst[DESCRIPTION_BYTES], const char *text)
{
	size_t		 n = strlen(text), tail;
	const char	*mark;

	mark = n > 0 && text[n - 1] == ']' ? strrchr(text, '[') : NULL;
	if (n < DESCRIPTION_BYTES || mark == NULL ||
	    strncmp(mark, MARK_START, sizeof(MARK_START) - 1) != 0 ||
	    (tail = strlen(mark)) >= DESCRIPTION_BYTES) {
		text_clean(dst, DESCRIPTION_BYTES, text, n);
		return;
	}
	text_clean(dst, DESCRIPTION_BYTES - tail, text, n - tail);
	n = strlen(dst);
	text_clean(dst + n, DESCRIPTION_BYTES - n, mark, tail);
}

static int
rest_row(struct task *t, struct m_remote_row *row)
{
	struct rest		*s = t->state;
	struct answer_row	 a;

	if (!answer_list_next(s->list, &a))
		return (0);
	memset(row, 0, sizeof(*row));
	row->size = a.size;
	row->created_ms = a.created_ms;
	row->uploaded_ms = a.uploaded_ms;
	(void)strlcpy(row->remote_id, a.id, sizeof(row->remote_id));
	text_clean(row->name, sizeof(row->name), a.name, strlen(a.name));
	copy_description(row->description, a.description);
	return (1);
}

static uint32_t
rest_skipped(struct task *t)
{
	struct rest	*s = t->state;

	return (answer_list_skipped(s->list));
}

/* ---- upload ---- */

/*
 * What came of asking for it does not undo the upload: at worst it is not
 * confirmed.  But a list with another size for it says that it did not
 * arrive whole.
 */
static void
on_confirmed(struct exchange *x, void *arg)
{
	struct task		*t = arg;
	struct rest		*s = t->state;
	struct answer_row	 a;
	struct result		 r;

	open_list(s);
	memset(&r, 0, sizeof(r));
	r.http_status = s->status;
	while (s->list != NULL && answer_list_next(s->list, &a)) {
		if (strcmp(a.id, s->id) != 0 || a.size == -1)
			continue;
		if ((uint64_t)a.size == t->u.upload->size)
			t->confirmed |= CONFIRMED_SIZE;
		else
			result_set(&r, NET_GARBAGE, "%s lists the backup "
			    "with %lld bytes, and %llu were sent",
			    x->remote->host, (long long)a.size,
			    (unsigned long long)t->u.upload->size);
		break;
	}
	task_finish(t, &r, r.outcome == NET_OK ? s->id : NULL,
	    t->u.upload->size);
}

static void
on_uploaded(struct exchange *x, void *arg)
{
	struct task	*t = arg;
	struct rest	*s = t->state;
	struct result	 r;
	const char	*why = NULL;

	if (x->result.outcome == NET_OK) {
		if (x->offset < t->u.upload->size)
			why = "came before all of the backup was sent";
		else
			why = answer_id(x->text, x->text_bytes, s->id);
		if (why != NULL)
			not_an_answer(x, why);
	}
	if (x->result.outcome != NET_OK) {
		task_finish(t, &x->result, NULL, x->offset);
		return;
	}
	r = x->result;
	s->status = r.http_status;
	exchange_free(s->x);
	s->x = NULL;
	if (start_list(t, t->u.upload->user_id, on_confirmed) == -1)
		task_finish(t, &r, s->id, t->u.upload->size);
}

static void
send_backup(struct task *t)
{
	const struct m_net_upload	*u = t->u.upload;
	struct rest			*s = state(t);
	char				*text, name[FORM_BYTES + 16];

	s->x = exchange_new(t->remote, REQUEST_POST, PATH_CREATE,
	    t->remote->conf.timeout_ms, 0, ANSWER_BYTES_MAX);
	exchange_header(s->x, "Accept: application/json");
	exchange_part(s->x, "userId", u->user_id);
	exchange_part(s->x, "deviceId", u->device_id);
	if (u->name[0] != '\0')
		exchange_part(s->x, "backupName", u->name);
	text = xasprintf("%s%s%s", u->description,
	    u->description[0] != '\0' && u->mark[0] != '\0' ? " " : "",
	    u->mark);
	if (text[0] != '\0')
		exchange_part(s->x, "description", text);
	free(text);
	/* Last: a server that reads in order has then seen whose it is. */
	snprintf(name, sizeof(name), "database.%s", u->form);
	exchange_part_file(s->x, "databaseFile", name,
	    form_media_type(form_parse(u->form)), t->fd, u->size);
	exchange_limit(s->x, t->remote->conf.upload_limit);
	exchange_once(s->x);
	if (u->flags & UPLOAD_HOLD)
		exchange_hold(s->x);
	exchange_start(s->x, on_progress, on_uploaded, t);
}

static void
rest_go(struct task *t)
{
	struct rest	*s = t->state;

	if (s != NULL && s->x != NULL)
		exchange_go(s->x);
}

/* Did this backup arrive in an earlier try? */
static int
same_backup(const struct m_net_upload *u, const struct answer_row *a)
{
	if (!text_ends(a->description, u->mark))
		return (0);
	if (a->size != -1 && (uint64_t)a->size != u->size)
		return (0);
	return (a->name[0] == '\0' || u->name[0] == '\0' ||
	    strcmp(a->name, u->name) == 0);
}

static void
on_looked(struct exchange *x, void *arg)
{
	struct task		*t = arg;
	struct rest		*s = t->state;
	struct answer_row	 a;
	char			 reason[TEXT_BYTES];

	open_list(s);
	/* Some servers know no user before his first backup. */
	if (s->list == NULL && x->result.http_status == 404) {
		rest_stop(t);
		send_backup(t);
		return;
	}
	if (s->list == NULL) {
		(void)strlcpy(reason, x->result.reason, sizeof(reason));
		result_set(&x->result, NET_AWAY, "cannot see whether an "
		    "earlier try has arrived: %s", reason);
		task_finish(t, &x->result, NULL, 0);
		return;
	}
	while (answer_list_next(s->list, &a)) {
		if (same_backup(t->u.upload, &a)) {
			if (a.size != -1)
				t->confirmed |= CONFIRMED_SIZE;
			task_finish(t, &x->result, a.id, t->u.upload->size);
			return;
		}
	}
	rest_stop(t);
	send_backup(t);
}

static void
rest_put(struct task *t)
{
	const struct m_net_upload	*u = t->u.upload;
	struct stat			 sb;

	if (fstat(t->fd, &sb) == -1)
		task_finish_errno(t, "cannot look at the backup's file");
	else if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size != u->size)
		task_finish_with(t, NET_LOCAL, "the backup's file has not the size "
		    "that is recorded");
	else if (!(u->flags & UPLOAD_LOOK_FIRST))
		send_backup(t);
	else if (start_list(t, u->user_id, on_looked) == -1)
		task_finish_with(t, NET_REFUSED, "the remote keeps backups by user id, and "
		    "none is configured");
}

/* ---- fetch ---- */

static void
on_fetched(struct exchange *x, void *arg)
{
	task_finish(arg, &x->result, NULL, x->offset);
}

static void
rest_get(struct task *t)
{
	const struct m_net_fetch	*f = t->u.fetch;
	struct rest			*s;
	char				*segment, *path;

	if (!answer_id_ok(f->remote_id)) {
		task_finish_with(t, NET_REFUSED, "this is no id that a remote's backup has");
		return;
	}
	if (ftruncate(t->fd, 0) == -1) {
		task_finish_errno(t, "cannot write the backup's file");
		return;
	}
	s = state(t);
	segment = exchange_segment(f->remote_id);
	path = xasprintf("%s%s", PATH_DOWNLOAD, segment);
	s->x = exchange_new(t->remote, REQUEST_GET, path,
	    t->remote->conf.timeout_ms, 0, ANSWER_BYTES_MAX);
	exchange_receive(s->x, t->fd, 0, f->size_max);
	exchange_start(s->x, on_progress, on_fetched, t);
	free(path);
	free(segment);
}

/* ---- test ---- */

static void
on_test_list(struct exchange *x, void *arg)
{
	struct task	*t = arg;
	struct rest	*s = t->state;
	struct result	 r;

	open_list(s);
	/* Some servers know no user before his first backup. */
	if (s->list == NULL && x->result.http_status == 404)
		result_set(&x->result, NET_OK, "%s", "");
	task_test_row(t, "list", &x->result, "the list of backups can be read");
	r = x->result;
	task_finish(t, &r, NULL, 0);
}

static void
on_test_health(struct exchange *x, void *arg)
{
	struct task	*t = arg;
	struct result	 r = x->result;

	task_test_row(t, "health", &r, "the remote is there and answers");
	rest_stop(t);
	if (r.outcome != NET_OK)
		task_finish(t, &r, NULL, 0);
	else if (start_list(t, t->u.test->user_id, on_test_list) == -1)
		task_finish_with(t, NET_REFUSED, "the remote lists backups by "
		    "user id, and none is given or configured");
}

static void
rest_test(struct task *t)
{
	start_health(t, on_test_health);
}

/* ---- what the protocol does not have ---- */

static void
rest_without(struct task *t)
{
	task_finish_with(t, NET_REFUSED, "the protocol of this remote has "
	    "nothing by which to do that");
}

const struct remote_ops	rest_ops = {
	.start = {
		[TASK_UPLOAD] = rest_put,
		[TASK_FETCH] = rest_get,
		[TASK_HEALTH] = rest_health,
		[TASK_LIST] = rest_list,
		[TASK_ABORT] = rest_without,
		[TASK_DELETE] = rest_without,
		[TASK_CATALOG] = rest_without,
		[TASK_TEST] = rest_test
	},
	.stop = rest_stop,
	.go = rest_go,
	.row = rest_row,
	.skipped = rest_skipped
};
