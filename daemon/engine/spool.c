/*
 * The engine runs this: the room that backups may take while they wait for
 * remotes.  It owns the choice of what is given up when that is all used:
 * what retention at the remote would drop first, oldest first, then the
 * oldest.  Nothing is given up without an event that says what it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/remote_s3.h"
#include "daemon/engine/forms.h"

#define PAGE_ROWS	500

struct waiting {
	struct catalog_kept	*list;
	size_t			 n;
	int			*given_up;	/* for each */
	int			*local;		/* its local copy goes, too */
	uint64_t		 bytes;		/* of those that still wait */
};

static void
waiting_read(struct engine *e, const struct conf_database *d,
    struct waiting *w)
{
	size_t	i, n = 0, all;

	memset(w, 0, sizeof(*w));
	all = catalog_waiting(e->catalog, d->name, &w->list);
	for (i = 0; i < all; i++) {
		/* A remote that is not configured gets nothing. */
		if (expire_target(d, w->list[i].waits) == NULL)
			continue;
		w->list[n++] = w->list[i];
		w->bytes += (uint64_t)w->list[i].size;
	}
	w->n = n;
	w->given_up = xcalloc(n + 1, sizeof(*w->given_up));
	w->local = xcalloc(n + 1, sizeof(*w->local));
}

static void
waiting_free(struct waiting *w)
{
	free(w->list);
	free(w->given_up);
	free(w->local);
}

/* In which round a backup is given up: 0, 1, 2; -1: never. */
static int
round_of(struct engine *e, const struct catalog_kept *k,
    const struct retained *list, size_t n)
{
	size_t	i;

	if (k->uploading || expire_user(e, k->id) != NULL)
		return (-1);
	if (k->pinned)
		return (2);
	for (i = 0; i < n; i++) {
		if (list[i].id == k->id)
			return (RETAIN_DROPPED(list[i].why) ? 0 : 1);
	}
	return (1);
}

/* What the remotes' own rules would make of those that wait. */
static struct retained *
as_if_sent(struct engine *e, const struct conf_database *d,
    const struct waiting *w)
{
	const struct conf_target	*t;
	const struct conf_keep		*keep = &d->keep;
	struct retained			*list;
	size_t				 i;

	list = xcalloc(w->n + 1, sizeof(*list));
	for (i = 0; i < w->n; i++) {
		t = expire_target(d, w->list[i].waits);
		if (t->keep.set)
			keep = &t->keep;
		expire_retained(e, d, t->remote, 0, &w->list[i], &list[i]);
	}
	retention_decide(keep, d->keep_safety_ms, util_now_ms(), list, w->n);
	return (list);
}

static void
choose(struct engine *e, const struct conf_database *d, struct waiting *w,
    uint64_t room)
{
	struct retained	*list = as_if_sent(e, d, w);
	size_t		 i;
	int		 round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < w->n && w->bytes > room; i++) {
			if (w->given_up[i] ||
			    round_of(e, &w->list[i], list, w->n) != round)
				continue;
			w->given_up[i] = 1;
			w->bytes -= (uint64_t)w->list[i].size;
		}
	}
	free(list);
}

static int
is_given_up(const struct waiting *w, int64_t id, size_t *which)
{
	for (*which = 0; *which < w->n; (*which)++) {
		if (w->list[*which].id == id)
			return (w->given_up[*which]);
	}
	return (0);
}

/* Which of those are not wanted here either, now that no remote waits. */
static void
local_decide(struct engine *e, const struct conf_database *d,
    struct waiting *w)
{
	struct catalog_kept	*page;
	struct retained		*list = NULL;
	int64_t			 before_id = INT64_MAX, undo_id;
	char			 why[TEXT_BYTES];
	size_t			 i, k, n = 0, got;

	if (!d->keep.set || alarm_stands(e, d->name, why))
		return;
	undo_id = expire_undo_id(e, d->name);
	page = xcalloc(PAGE_ROWS, sizeof(*page));
	do {
		got = catalog_history(e->catalog, d->name, PLACE_LOCAL, 0,
		    before_id, page, PAGE_ROWS);
		list = xreallocarray(list, n + got + 1, sizeof(*list));
		for (i = 0; i < got; i++, n++) {
			before_id = page[i].id;
			expire_retained(e, d, NULL, undo_id, &page[i],
			    &list[n]);
			if (is_given_up(w, page[i].id, &k))
				list[n].flags &= ~(uint32_t)RETAIN_WAITS;
		}
	} while (got == PAGE_ROWS);
	retention_decide(&d->keep, d->keep_safety_ms, util_now_ms(), list, n);
	for (i = 0; i < n; i++) {
		if (RETAIN_DROPPED(list[i].why) &&
		    is_given_up(w, list[i].id, &k) &&
		    catalog_newest_proven(e->catalog, d->name) != list[i].id)
			w->local[k] = 1;
	}
	free(page);
	free(list);
}

/* At each remote that waits for it, in one transaction with the mark. */
static void
give_up(struct engine *e, const struct conf_database *d,
    const struct catalog_kept *k, int local)
{
	const struct conf_remote *remote;
	struct event_about	about = { d->name, k->waits, k->id };
	struct m_backup		b;
	char			reason[TEXT_BYTES], time[TIME_TEXT_BYTES];
	char			places[LOCATIONS_BYTES], *next, *place;

	if (catalog_get(e->catalog, k->id, &b) != 1)
		return;
	snprintf(reason, sizeof(reason), "given up before it was sent: the "
	    "spool limit of %llu bytes was reached",
	    (unsigned long long)d->spool_limit);
	strlcpy(places, k->waits, sizeof(places));
	catalog_together(e->catalog);
	for (next = places; (place = strsep(&next, ",")) != NULL; ) {
		if ((remote = conf_remote(e->conf, place)) != NULL &&
		    remote->kind == REMOTE_S3)
			s3_give_up(e, remote, &b);
		catalog_copy_failed(e->catalog, k->id, place, reason);
	}
	if (local)
		(void)catalog_doom(e->catalog, k->id, PLACE_LOCAL,
		    util_now_ms(), "no keep rule holds it, and it was given "
		    "up for its remotes");
	catalog_together_end(e->catalog);
	util_time_text(time, b.created_ms);
	log_warnx("backup %lld of %s (%lld bytes) was given up for %s: its "
	    "spool limit was reached", (long long)b.id, d->name,
	    (long long)b.stored_size, k->waits);
	events_add(e, EVENT_DROPPED, &about, "Backup %lld \"%.100s\" of %s "
	    "(%lld bytes, %.71s) will not be sent to %.100s, as the spool "
	    "limit was reached; %s.", (long long)b.id, b.name, time,
	    (long long)b.stored_size, b.checksum, k->waits, local ?
	    "no rule keeps it here either, so that it is lost" :
	    "the local copy stays");
	forms_remote_settle(e, b.id);
	create_upload_ended(e, b.id);
}

static void
delete_given_up(struct engine *e, const struct waiting *w)
{
	struct catalog_doomed	d;
	size_t			i;

	for (i = 0; i < w->n; i++) {
		if (w->given_up[i] && w->local[i] &&
		    catalog_doomed_get(e->catalog, PLACE_LOCAL,
		    w->list[i].id, &d))
			(void)expire_delete_local(e, &d);
	}
}

int
spool_admit(struct engine *e, const struct conf_database *d, uint64_t size,
    char *err)
{
	struct waiting	w;
	size_t		i;
	int		over;

	if (d->spool_limit == 0 || TAILQ_EMPTY(&d->targets))
		return (0);
	if (size > d->spool_limit) {
		snprintf(err, TEXT_BYTES, "the backup of %s has %llu bytes, "
		    "more than its whole spool limit of %llu: it could never "
		    "wait for a remote", d->name, (unsigned long long)size,
		    (unsigned long long)d->spool_limit);
		return (-1);
	}
	waiting_read(e, d, &w);
	if (w.bytes + size > d->spool_limit) {
		choose(e, d, &w, d->spool_limit - size);
		local_decide(e, d, &w);
		for (i = 0; i < w.n; i++) {
			if (w.given_up[i])
				give_up(e, d, &w.list[i], w.local[i]);
		}
		delete_given_up(e, &w);
	}
	over = w.bytes + size > d->spool_limit;
	waiting_free(&w);
	return (over);
}

void
spool_make_room(struct engine *e, const struct conf_database *d)
{
	struct m_backup	b;
	uint64_t	size = 0;

	if (d->spool_limit == 0)
		return;
	if (catalog_get(e->catalog, catalog_newest_proven(e->catalog,
	    d->name), &b) == 1)
		size = (uint64_t)b.stored_size;
	(void)spool_admit(e, d, size < d->spool_limit ? size :
	    d->spool_limit, NULL);
}

void
spool_refused(struct engine *e, const struct conf_database *d, int64_t id)
{
	struct event_about	 about = { d->name, "", id };
	struct conf_target	*t;

	TAILQ_FOREACH(t, &d->targets, entry) {
		about.place = t->remote->name;
		events_add(e, EVENT_DROPPED, &about, "Backup %lld will not "
		    "be sent to %s: what is being sent uses up the spool "
		    "limit; the local copy stays.", (long long)id,
		    t->remote->name);
	}
}
