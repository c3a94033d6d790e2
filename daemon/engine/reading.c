/*
 * The engine runs this: a backup read back from a remote, or from the next
 * one when that fails.  It owns the scratch file until what is in it was
 * hashed by a worker without rights and is what was sent; whoever restores,
 * downloads or drills gets a descriptor only then.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/reading.h"

struct reading {
	LIST_ENTRY(reading) entry;
	struct engine	*engine;
	struct reading_order order;
	struct m_backup	 backup;
	struct place	 places[PLACES_MAX];
	size_t		 at;		/* the one that is asked */
	uint64_t	 transfer;	/* 0: none runs */
	int		 cancelled;
	struct artifact	 scratch;
	int		 fd;		/* settled */
	struct event	*timer;
	char		 failures[TEXT_BYTES];	/* of those before */
};

static LIST_HEAD(, reading) readings = LIST_HEAD_INITIALIZER(readings);

static void	ask(struct reading *);

static void
reading_free(struct reading *r)
{
	LIST_REMOVE(r, entry);
	store_discard(r->engine->store, &r->scratch);
	event_free(r->timer);
	free(r);
}

static void
finish(struct reading *r, struct reading_result *result)
{
	struct reading_order	o = r->order;

	result->remote = r->places[r->at].remote;
	result->fd = result->code == E_NONE ? r->fd : -1;
	if (result->code != E_NONE && r->fd != -1)
		close(r->fd);
	reading_free(r);
	o.done(o.arg, result);
}

static int
is_away(enum err code)
{
	return (code == E_REMOTE_UNAVAILABLE || code == E_REMOTE_TIMEOUT);
}

/* What can't be mended by asking another. */
static int
is_ours(enum err code)
{
	return (code == E_INSUFFICIENT_SPACE || code == E_SHUTTING_DOWN ||
	    code == E_BUSY || code == E_REQUEST_TIMEOUT);
}

static void
failed(struct reading *r, enum err code, const char *text)
{
	struct reading_result	result;
	char			before[TEXT_BYTES];

	memset(&result, 0, sizeof(result));
	if (r->cancelled)
		code = E_REQUEST_TIMEOUT;
	result.code = code;
	if (r->order.n == 1)
		strlcpy(result.text, text, sizeof(result.text));
	else {
		strlcpy(before, r->failures, sizeof(before));
		snprintf(result.text, sizeof(result.text), "%.300s%s%s: %.200s",
		    before, before[0] == '\0' ? "" : "; ",
		    r->places[r->at].remote->name, text);
	}
	if (r->at + 1 == r->order.n || is_ours(code) ||
	    (r->order.away_only && !is_away(code))) {
		finish(r, &result);
		return;
	}
	log_warnx("backup %lld from %s: %s; the next remote is asked",
	    (long long)r->backup.id, r->places[r->at].remote->name, text);
	strlcpy(r->failures, result.text, sizeof(r->failures));
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
	store_discard(r->engine->store, &r->scratch);
	r->at++;
	ask(r);
}

/* ---- is it what was sent? ---- */

static void
on_hashed(void *arg, const struct task_result *t)
{
	struct reading		*r = arg;
	struct reading_result	 result;
	struct m_w_verified	 v;
	struct m_error		 error;
	struct forms_copy	 c;

	if (verify_result(t, r->fd, &v, &error) == -1) {
		failed(r, error.code, error.text);
		return;
	}
	forms_at_remote(&r->backup, &c);
	if (strcmp(v.checksum, c.checksum) != 0) {
		failed(r, E_INVALID_BACKUP, "what the remote sent is not "
		    "what was uploaded: its checksum differs");
		return;
	}
	memset(&result, 0, sizeof(result));
	finish(r, &result);
}

static void
on_progress(void *arg, const struct m_w_progress *p)
{
	struct reading	*r = arg;

	if (r->order.progress != NULL)
		r->order.progress(r->order.arg, p);
}

static void
hash(struct reading *r)
{
	struct reading_result	result;
	struct forms_copy	c;
	struct m_w_verify	o;

	forms_at_remote(&r->backup, &c);
	if (c.checksum[0] == '\0') {	/* nobody knows: the callee looks */
		memset(&result, 0, sizeof(result));
		finish(r, &result);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.level = VERIFY_NONE;
	if (verify_start(r->engine, &o, task_copy(r->fd), on_progress,
	    on_hashed, r) == -1)
		failed(r, E_BUSY, task_refusal());
}

/* ---- the transfer ---- */

static void
on_fetched(void *arg, const struct fetch_result *f)
{
	struct reading	*r = arg;
	char		 err[TEXT_BYTES];

	r->transfer = 0;
	if (f->code != E_NONE || r->cancelled) {
		failed(r, f->code, f->text);
		return;
	}
	r->fd = store_settle(r->engine->store, &r->scratch, err);
	if (r->fd == -1) {
		failed(r, E_IO_ERROR, err);
		return;
	}
	store_discard(r->engine->store, &r->scratch);	/* r->fd stays */
	hash(r);
}

/* Too small a disk is no fault of the remote. */
static int
room(struct reading *r)
{
	struct engine		*e = r->engine;
	uint64_t		 free_bytes = store_free_bytes(e->store);
	struct forms_copy	 c;
	char			 text[TEXT_BYTES];

	forms_at_remote(&r->backup, &c);
	if (c.size < 0 || (uint64_t)c.size + e->conf->reserve <= free_bytes)
		return (1);
	snprintf(text, sizeof(text), "the backup has %" PRId64 " bytes, and "
	    "%.200s has not that much free beside the reserve", c.size,
	    store_path(e->store));
	failed(r, E_INSUFFICIENT_SPACE, text);
	return (0);
}

static void
ask(struct reading *r)
{
	struct engine	*e = r->engine;
	struct place	*p = &r->places[r->at];
	uint32_t	 code = E_IO_ERROR;
	char		 err[TEXT_BYTES];

	if (p->remote->retired) {
		failed(r, E_REMOTE_UNAVAILABLE, "the remote was taken out of "
		    "the configuration");
		return;
	}
	if (!room(r))
		return;
	if (store_create(e->store, STORE_SCRATCH, r->order.id, &r->scratch,
	    &code, err) == -1) {
		failed(r, code, err);
		return;
	}
	r->transfer = remote_fetch(e, p->remote->index, p->remote_id,
	    r->scratch.fd, &r->backup, on_fetched, r);
	if (r->transfer == 0)
		failed(r, E_BUSY, "this process has no descriptor left for "
		    "what is fetched");
}

static void
on_start(evutil_socket_t fd, short what, void *arg)
{
	struct reading	*r = arg;

	(void)fd;
	(void)what;
	if (r->cancelled)
		failed(r, E_REQUEST_TIMEOUT, "nobody waits for it");
	else
		ask(r);
}

struct reading *
reading_start(struct engine *e, const struct reading_order *o)
{
	struct reading	*r;
	struct timeval	 now = { 0, 0 };

	r = xcalloc(1, sizeof(*r));
	r->engine = e;
	r->order = *o;
	r->backup = *o->backup;
	r->scratch.fd = r->fd = -1;
	memcpy(r->places, o->places, o->n * sizeof(*o->places));
	r->order.places = r->places;
	r->order.backup = &r->backup;
	if ((r->timer = evtimer_new(e->base, on_start, r)) == NULL)
		fatalx("evtimer_new");
	event_add(r->timer, &now);
	LIST_INSERT_HEAD(&readings, r, entry);
	return (r);
}

void
reading_cancel(struct reading *r)
{
	r->cancelled = 1;
	if (r->transfer != 0)
		remote_fetch_cancel(r->engine, r->transfer);
}

void
readings_free(void)
{
	struct reading	*r, *next;

	for (r = LIST_FIRST(&readings); r != NULL; r = next) {
		next = LIST_NEXT(r, entry);
		if (r->fd != -1)
			close(r->fd);
		reading_free(r);
	}
}
