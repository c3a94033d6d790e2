/*
 * The engine runs this: the rules of retention, applied.  It owns the queue
 * of databases to look at and the marks that follow from a decision; which
 * backups stay is retention.c's to say.  It works in small steps between
 * other events of the loop, and reads of a database only what may still
 * go.  Nothing goes while an alarm stands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/forms.h"

#define PAGE_ROWS	500		/* read in one step */
#define BATCH		8		/* deleted in one step */
#define AGAIN_MS	(3600 * 1000)

/* A client waits for it. */
struct ask {
	TAILQ_ENTRY(ask) entry;
	uint64_t	 request;
	int		 dry;
	struct names	 names;
	size_t		 next;		/* of names */
	struct m_expire_end end;
};

/* One database, one place: read, decided, carried out. */
struct run {
	char		 database[DATABASE_BYTES];	/* "": none is begun */
	struct ask	*ask;		/* or NULL */
	uint32_t	 place;		/* 0: local, then the targets */
	int64_t		 before_id;
	int64_t		 undo_id;
	struct retained	*list;
	size_t		 n, room;
	int		 decided;
	size_t		 next;		/* to be carried out */
};

static TAILQ_HEAD(, ask) asks = TAILQ_HEAD_INITIALIZER(asks);
static struct run	 run;
static struct event	*step_timer, *again_timer;
static int64_t		 doomed_before;	/* leftovers looked at; 0: all */

/* ---- what others ask, too ---- */

const struct job *
expire_user(struct engine *e, int64_t backup_id)
{
	const struct job	*j;

	TAILQ_FOREACH(j, &e->jobs, entry) {
		if (j->backup_id == backup_id && backup_id != 0 &&
		    j->state != JOB_DONE && j->state != JOB_FAILED)
			return (j);
	}
	return (NULL);
}

const struct conf_target *
expire_target(const struct conf_database *d, const char *places)
{
	const struct conf_target	*t;
	const char			*p;
	size_t				 n;

	for (p = places; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		TAILQ_FOREACH(t, &d->targets, entry) {
			if (strlen(t->remote->name) == n &&
			    memcmp(t->remote->name, p, n) == 0)
				return (t);
		}
	}
	return (NULL);
}

int64_t
expire_undo_id(struct engine *e, const char *database)
{
	struct catalog_restore	r;

	return (catalog_restore_last(e->catalog, database, &r) ?
	    r.safety_id : 0);
}

/* Will any of these be sent?  A remote that the database does not name any
 * more gets what waits for it all the same. */
static int
is_awaited(const struct engine *e, const char *places)
{
	const struct conf_remote	*r;
	const char			*p;
	size_t				 n;

	for (p = places; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		TAILQ_FOREACH(r, &e->conf->remotes, entry) {
			if (strlen(r->name) == n && memcmp(r->name, p, n) == 0)
				return (1);
		}
	}
	return (0);
}

/* The rest protocol has no word for it (D18). */
int
expire_can_delete(const struct conf_remote *r)
{
	return (r->kind == REMOTE_S3 && r->s3->may_delete);
}

void
expire_retained(struct engine *e, const struct conf_database *d,
    const struct conf_remote *remote, int64_t undo_id,
    const struct catalog_kept *k, struct retained *r)
{
	memset(r, 0, sizeof(*r));
	r->id = k->id;
	r->created_ms = k->created_ms;
	r->size = k->size;
	if (k->completed && k->unjudged)
		r->flags |= RETAIN_UNJUDGED;
	else if (k->completed && !k->damaged)
		r->flags |= RETAIN_PROVEN;	/* or "verify none" */
	if (k->pinned)
		r->flags |= RETAIN_PINNED;
	if (k->named && !d->expire_named)
		r->flags |= RETAIN_NAMED;
	if (k->safety)
		r->flags |= RETAIN_SAFETY;
	if (k->id == undo_id)
		r->flags |= RETAIN_UNDO;
	if (remote == NULL && is_awaited(e, k->waits))
		r->flags |= RETAIN_WAITS;
	if (expire_user(e, k->id) != NULL)
		r->flags |= RETAIN_IN_USE;
}

/* A crash may have come between the file's end and its row's. */
static int
file_is_gone(struct engine *e, const struct catalog_doomed *d,
    const char *place)
{
	char	err[TEXT_BYTES];
	int	fd;

	if (strcmp(place, PLACE_LOCAL) != 0)
		return (0);
	if (d->file_path[0] == '\0')
		return (1);
	fd = store_open_file(e->store, d->file_path, -1, err);
	if (fd != -1)
		close(fd);
	return (fd == -1 && errno == ENOENT);
}

int
expire_may_go(struct engine *e, const struct catalog_doomed *d,
    const char *place)
{
	struct m_backup	b;
	char		why[TEXT_BYTES];
	int		by_hand = strcmp(d->why, EXPIRE_BY_HAND) == 0;

	if (expire_user(e, d->id) != NULL)
		return (0);
	if (file_is_gone(e, d, place))
		return (1);
	if ((catalog_get(e->catalog, d->id, &b) == 1 && b.pinned_ms != 0) ||
	    (!by_hand && !catalog_spare(e->catalog, d->id, place))) {
		catalog_doom_off(e->catalog, d->id, place);
		log_info("backup %lld stays at %s after all: it was pinned, "
		    "or is the last one by now", (long long)d->id, place);
		return (0);
	}
	return (by_hand || !alarm_stands(e, d->database, why));
}

int
expire_delete_local(struct engine *e, const struct catalog_doomed *d)
{
	struct event_about	about = { d->database, PLACE_LOCAL, d->id };
	char			err[TEXT_BYTES], time[TIME_TEXT_BYTES];
	int			gone;

	if (forms_remote_drop(e, d->id, d->database, err) == -1 ||
	    (d->file_path[0] != '\0' &&
	    store_unlink(e->store, d->file_path, err) == -1)) {
		log_warnx("backup %lld stays for now: %s", (long long)d->id,
		    err);
		return (-1);
	}
	gone = catalog_copy_removed(e->catalog, d->id, PLACE_LOCAL);
	util_time_text(time, d->created_ms);
	log_info("backup %lld of %s deleted: bytes=%lld why=\"%s\"",
	    (long long)d->id, d->database, (long long)d->size, d->why);
	events_add(e, EVENT_EXPIRED, &about, "The local copy of backup %lld "
	    "of %s (%lld bytes) was deleted: %s.%s", (long long)d->id, time,
	    (long long)d->size, d->why, gone ? " It was the only one." : "");
	return (0);
}

/* ---- steps ---- */

static void
step_soon(void)
{
	struct timeval	now = { 0, 0 };

	event_add(step_timer, &now);
}

static void
run_free(void)
{
	free(run.list);
	memset(&run, 0, sizeof(run));
}

static void
ask_end(struct engine *e, struct ask *a)
{
	chan_send(e->front.chan, MSG_REP_EXPIRE_END, a->request, &a->end,
	    sizeof(a->end), -1);
	TAILQ_REMOVE(&asks, a, entry);
	free(a->names.list);
	free(a);
}

/* The next database: what a client waits for comes first. */
static int
run_next(struct engine *e)
{
	struct conf_database	*d;
	struct ask		*a;

	while ((a = TAILQ_FIRST(&asks)) != NULL) {
		if (a->next < a->names.n) {
			run.ask = a;
			strlcpy(run.database, a->names.list[a->next++],
			    sizeof(run.database));
			return (1);
		}
		ask_end(e, a);
	}
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (!d->expire_due)
			continue;
		d->expire_due = 0;
		/* A pattern has no backups; what has its name was another
		 * database's. */
		if (d->is_glob)
			continue;
		strlcpy(run.database, d->name, sizeof(run.database));
		return (1);
	}
	return (0);
}

/* The remote of the run's place, its rules in *keep; 0: there is no more. */
static int
run_place(const struct conf_database *d, const struct conf_remote **remote,
    const struct conf_keep **keep)
{
	const struct conf_target	*t;
	uint32_t			 i = 0;

	*remote = NULL;
	*keep = &d->keep;
	if (run.place == 0)
		return (1);
	TAILQ_FOREACH(t, &d->targets, entry) {
		if (++i != run.place)
			continue;
		*remote = t->remote;
		if (t->keep.set)
			*keep = &t->keep;
		return (1);
	}
	return (0);
}

static void
place_begin(struct engine *e)
{
	run.before_id = INT64_MAX;
	run.n = run.next = 0;
	run.decided = 0;
	run.undo_id = expire_undo_id(e, run.database);
}

/* One page more; 1 when that was the last one. */
static int
run_read(struct engine *e, const struct conf_database *d,
    const struct conf_remote *remote, int safeties)
{
	static struct catalog_kept	page[PAGE_ROWS];
	size_t				i, n;

	n = catalog_history(e->catalog, d->name, remote == NULL ?
	    PLACE_LOCAL : remote->name, safeties, run.before_id, page,
	    nitems(page));
	if (run.n + n > run.room) {
		run.room = (run.n + n) * 2;
		run.list = xreallocarray(run.list, run.room,
		    sizeof(*run.list));
	}
	for (i = 0; i < n; i++) {
		run.before_id = page[i].id;
		if (remote == NULL || page[i].completed)
			expire_retained(e, d, remote, run.undo_id, &page[i],
			    &run.list[run.n++]);
	}
	return (n < nitems(page));
}

static void
tell(struct engine *e, const struct retained *r, const char *place)
{
	struct ask		*a = run.ask;
	struct m_expire_row	 m;

	if (a == NULL)
		return;
	a->end.total++;
	a->end.bytes += (uint64_t)r->size;
	if (a->end.rows == EXPIRE_ROWS_MAX)
		return;
	a->end.rows++;
	memset(&m, 0, sizeof(m));
	m.backup_id = r->id;
	m.created_ms = r->created_ms;
	m.size = r->size;
	strlcpy(m.database, run.database, sizeof(m.database));
	strlcpy(m.place, place, sizeof(m.place));
	strlcpy(m.why, retention_text(r->why), sizeof(m.why));
	chan_send(e->front.chan, MSG_REP_EXPIRE_ROW, a->request, &m,
	    sizeof(m), -1);
}

/* Since it was read somebody may have come to need it. */
static int
still_drops(struct engine *e, const struct retained *r)
{
	struct m_backup	b;

	return (catalog_get(e->catalog, r->id, &b) == 1 &&
	    b.pinned_ms == 0 && expire_user(e, r->id) == NULL &&
	    catalog_newest_proven(e->catalog, run.database) != r->id);
}

/* At a place that cannot delete: said once, and not thought of again. */
static void
retire(struct engine *e, const struct retained *r, const char *place)
{
	struct event_about	about = { run.database, place, r->id };

	if (catalog_doom(e->catalog, r->id, place, -1,
	    retention_text(r->why)))
		events_add(e, EVENT_EXPIRED, &about, "Backup %lld need not "
		    "stay at %s any more (%s), but nothing can be deleted "
		    "there from here.", (long long)r->id, place,
		    retention_text(r->why));
}

static void
deleted_locally(struct engine *e, const int64_t *ids, size_t n)
{
	struct catalog_doomed	d;
	size_t			i;

	for (i = 0; i < n; i++) {
		if (catalog_doomed_get(e->catalog, PLACE_LOCAL, ids[i], &d) &&
		    expire_may_go(e, &d, PLACE_LOCAL))
			(void)expire_delete_local(e, &d);
	}
}

/* A few of those that go: marked, in one transaction, then deleted.  1
 * when that were all. */
static int
run_drop(struct engine *e, const struct conf_remote *remote)
{
	const char	*place = remote == NULL ? PLACE_LOCAL : remote->name;
	int64_t		 ids[BATCH];
	struct retained	*r;
	size_t		 n = 0;
	int		 dry = run.ask != NULL && run.ask->dry;

	if (!dry)
		catalog_together(e->catalog);
	for (; run.next < run.n && n < nitems(ids); run.next++) {
		r = &run.list[run.next];
		if (!RETAIN_DROPPED(r->why) || !still_drops(e, r))
			continue;
		tell(e, r, place);
		ids[n++] = r->id;
		if (!dry && (remote == NULL || expire_can_delete(remote)))
			(void)catalog_doom(e->catalog, r->id, place,
			    util_now_ms(), retention_text(r->why));
		else if (!dry)
			retire(e, r, place);
	}
	if (!dry)
		catalog_together_end(e->catalog);
	if (!dry && remote == NULL)
		deleted_locally(e, ids, n);
	else if (!dry && n > 0)
		expire_remotes_kick(e);
	return (run.next == run.n);
}

/* What only says what would go says it all the same. */
static int
frozen(struct engine *e)
{
	char	why[TEXT_BYTES];

	clock_watch(e);
	if (!alarm_stands(e, run.database, why))
		return (0);
	if (run.ask != NULL)
		snprintf(run.ask->end.frozen, sizeof(run.ask->end.frozen),
		    "nothing of %s goes before this alarm is acknowledged: "
		    "%.380s", run.database, why);
	return (run.ask == NULL || !run.ask->dry);
}

static void
run_step(struct engine *e)
{
	const struct conf_database	*d = conf_database(e->conf,
					    run.database);
	const struct conf_remote	*remote;
	const struct conf_keep		*keep;

	if (d == NULL || frozen(e) || !run_place(d, &remote, &keep)) {
		run_free();
		return;
	}
	if (run.before_id == 0)
		place_begin(e);
	if (remote != NULL && !keep->set)
		run.next = run.n;	/* all stay there */
	else if (!run.decided) {
		if (run_read(e, d, remote, !keep->set)) {
			retention_decide(keep, d->keep_safety_ms,
			    util_now_ms(), run.list, run.n);
			run.decided = 1;
		}
		return;
	} else if (!run_drop(e, remote))
		return;
	run.place++;
	place_begin(e);
}

/* What a crash, or a deletion that failed, left marked; the newest first,
 * so that it is the one that stays if it must.  1: there is more. */
static int
leftovers_step(struct engine *e)
{
	struct catalog_doomed	d;
	int			i;

	for (i = 0; i < BATCH && doomed_before != 0; i++) {
		if (!catalog_doomed_next(e->catalog, PLACE_LOCAL,
		    doomed_before, &d))
			doomed_before = 0;
		else {
			doomed_before = d.id;
			if (expire_may_go(e, &d, PLACE_LOCAL))
				(void)expire_delete_local(e, &d);
		}
	}
	return (doomed_before != 0);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;
	int		 more;

	(void)fd;
	(void)what;
	if (e->stopping)
		return;
	if (flow_full(e)) {		/* front reads slower than we tell */
		event_add(step_timer, &(struct timeval){ 0, 50000 });
		return;
	}
	more = leftovers_step(e);
	if (run.database[0] != '\0' || run_next(e)) {
		run_step(e);
		more = 1;
	}
	if (more)
		step_soon();
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;
	struct timeval	 tv;

	(void)fd;
	(void)what;
	expire_all(e);
	clock_wait(&tv, AGAIN_MS);
	event_add(again_timer, &tv);
}

void
expire_all(struct engine *e)
{
	struct conf_database	*d;

	clock_watch(e);
	doomed_before = INT64_MAX;
	expire_remotes_kick(e);
	TAILQ_FOREACH(d, &e->conf->databases, entry)
		d->expire_due = 1;
	step_soon();
}

/* What goes by the old rules stops.  Rows that a dry run has told would be
 * told twice: that goes on, and deletes nothing. */
void
expire_reloaded(struct engine *e)
{
	if (run.database[0] == '\0' || (run.ask != NULL && run.ask->dry))
		return;
	run.place = 0;
	place_begin(e);
}

void
expire_kick(struct engine *e, const char *database)
{
	struct conf_database	*d = conf_database(e->conf, database);

	if (d == NULL || database[0] == '\0' || step_timer == NULL)
		return;
	d->expire_due = 1;
	step_soon();
}

void
expire_request(struct engine *e, uint64_t request, int dry,
    struct names *names)
{
	struct ask	*a;

	a = xcalloc(1, sizeof(*a));
	a->request = request;
	a->dry = dry;
	a->names = *names;
	memset(names, 0, sizeof(*names));
	TAILQ_INSERT_TAIL(&asks, a, entry);
	(void)e;
	step_soon();
}

void
expire_init(struct engine *e)
{
	struct conf_database	*d;

	step_timer = evtimer_new(e->base, on_step, e);
	again_timer = evtimer_new(e->base, on_again, e);
	if (step_timer == NULL || again_timer == NULL)
		fatalx("evtimer_new");
	TAILQ_FOREACH(d, &e->conf->databases, entry)
		(void)spool_admit(e, d, 0, NULL);
	expire_remotes_init(e);
	on_again(-1, 0, e);
}

void
expire_free(struct engine *e)
{
	struct ask	*a;

	(void)e;
	while ((a = TAILQ_FIRST(&asks)) != NULL) {
		TAILQ_REMOVE(&asks, a, entry);
		free(a->names.list);
		free(a);
	}
	run_free();
	expire_remotes_free();
	event_free(step_timer);
	event_free(again_timer);
	step_timer = again_timer = NULL;
}
