/*
 * The engine runs this: what came to a remote is read back from there and
 * compared, where its confirm says so: all of it for "content"; for
 * "sample" one backup in ten, because these protocols give no part of one.
 * It owns the readings that are still to be made; those of a daemon that
 * ends stay unmade, and the copies say so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/reading.h"

#define SAMPLE_OF	10
#define TRIES_MAX	5

struct confirming {
	LIST_ENTRY(confirming) entry;
	struct engine	*engine;
	const struct conf_remote *remote;
	int64_t		 id;
	uint32_t	 tries;
	struct event	*timer;
};
static LIST_HEAD(, confirming) all = LIST_HEAD_INITIALIZER(all);

static void
confirming_free(struct confirming *c)
{
	LIST_REMOVE(c, entry);
	event_free(c->timer);
	free(c);
}

/* c is freed by the list at the end, not by its job. */
static void
release(struct job *j)
{
	(void)j;
}

static void
again(struct confirming *c)
{
	uint64_t	ms = c->remote->retry_min_ms;
	struct timeval	tv;
	uint32_t	i;

	for (i = 0; i < c->tries && ms < c->remote->retry_max_ms; i++)
		ms *= 2;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	event_add(c->timer, &tv);
}

static void
job_end(struct job *j, enum err code, const char *text)
{
	struct m_error	error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	strlcpy(error.text, text, sizeof(error.text));
	job_failed(j, &error);
}

/* It is there, and is not what was sent. */
static void
wrong(struct confirming *c, const char *why)
{
	struct engine		*e = c->engine;
	struct m_backup		 b;
	struct event_about	 about = { b.database, c->remote->name,
				    c->id };
	char			 text[TEXT_BYTES];

	snprintf(text, sizeof(text), "read back from there: %.400s", why);
	catalog_copy_failed(e->catalog, c->id, c->remote->name, text);
	if (catalog_get(e->catalog, c->id, &b) == 1)
		events_add(e, EVENT_FAILED, &about, "Backup %lld at %s is "
		    "not what was sent there: %.400s", (long long)c->id,
		    c->remote->name, why);
}

static void
on_read(void *arg, const struct reading_result *r)
{
	struct job		*j = arg;
	struct confirming	*c = j->data;

	switch (r->code) {
	case E_NONE:
		close(r->fd);
		catalog_copy_confirmed(c->engine->catalog, c->id,
		    c->remote->name, "content");
		log_info("backup %lld at %s was read back, and is what was "
		    "sent", (long long)c->id, c->remote->name);
		confirming_free(c);
		job_done(j);
		return;
	case E_INVALID_BACKUP:
	case E_BACKUP_NOT_FOUND:
	case E_REMOTE_ERROR:
		wrong(c, r->text);
		confirming_free(c);
		break;
	default:
		if (++c->tries < TRIES_MAX)
			again(c);
		else
			confirming_free(c);
	}
	job_end(j, r->code, r->text);
}

static void
run(struct job *j)
{
	struct confirming	*c = j->data;
	struct reading_order	 o;
	struct place		 p;
	struct m_backup		 b;
	struct catalog_copy	 copy;

	memset(&p, 0, sizeof(p));
	p.remote = c->remote;
	if (c->remote->retired ||
	    catalog_get(c->engine->catalog, c->id, &b) != 1 ||
	    !catalog_copy_get(c->engine->catalog, c->id, c->remote->name,
	    &copy, p.remote_id) || strcmp(copy.state, "completed") != 0) {
		confirming_free(c);
		job_end(j, E_BACKUP_NOT_FOUND, "the backup or its remote has "
		    "gone");
		return;
	}
	memset(&o, 0, sizeof(o));
	o.backup = &b;
	o.places = &p;
	o.n = 1;
	o.id = (int64_t)j->id;
	o.done = on_read;
	o.arg = j;
	job_phase(j, "fetch", 0, (uint64_t)b.file_size);
	(void)reading_start(c->engine, &o);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct confirming	*c = arg;
	struct m_backup		 b;
	struct job		*j;

	(void)fd;
	(void)what;
	if (c->engine->stopping || catalog_get(c->engine->catalog, c->id,
	    &b) != 1 || (j = job_new(c->engine, "confirm",
	    conf_database(c->engine->conf, b.database), run, release,
	    c)) == NULL) {
		confirming_free(c);
		return;
	}
	j->background = 1;
	j->backup_id = c->id;
}

void
confirm_uploaded(struct engine *e, const struct conf_remote *remote,
    int64_t id)
{
	struct confirming	*c;
	struct timeval		 now = { 0, 0 };

	if (remote->confirm == CONFIRM_SIZE ||
	    (remote->confirm == CONFIRM_SAMPLE && id % SAMPLE_OF != 0))
		return;
	c = xcalloc(1, sizeof(*c));
	c->engine = e;
	c->remote = remote;
	c->id = id;
	if ((c->timer = evtimer_new(e->base, on_timer, c)) == NULL)
		fatalx("evtimer_new");
	LIST_INSERT_HEAD(&all, c, entry);
	event_add(c->timer, &now);
}

void
confirm_free(void)
{
	struct confirming	*c, *next;

	for (c = LIST_FIRST(&all); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		confirming_free(c);
	}
}
