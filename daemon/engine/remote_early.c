/*
 * The engine runs this: a backup goes to its remotes while it is being
 * proven, so that the slower of the two hides the other.  Nothing of that is
 * in the catalog: the end of the file is held back by network, so that no
 * remote has a backup before the proof; then it is an upload as any other
 * (remote.c), or is given up.
 */
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/remote_int.h"
#include "proto/form.h"

#define EARLY_BYTES	(8 * 1024 * 1024)	/* less takes no time */

static struct remote *
remote_named(struct engine *e, const char *name)
{
	struct remote	*r;

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (strcmp(r->conf->name, name) == 0)
			return (r);
	}
	return (NULL);
}

/* Has it nothing else to do?  What is proven goes first. */
static int
is_idle(struct remote *r)
{
	struct catalog_copy	copy;
	int64_t			now_ms = util_now_ms();

	return (r->conf->kind == REMOTE_REST && !r->conf->retired &&
	    r->transfer == 0 && r->resume_ms <= now_ms &&
	    !catalog_copy_head(r->engine->catalog, r->conf->name, now_ms,
	    &copy));
}

static int
early_begin(struct remote *r, const struct m_backup *b, uint64_t size,
    const struct artifact *a)
{
	char	err[TEXT_BYTES];
	int	fd;

	if ((fd = store_reopen(r->engine->store, a, err)) == -1) {
		log_debug("not sent early: %s", err);
		return (0);
	}
	r->backup_id = b->id;
	r->attempts = 1;
	r->early = EARLY_HELD;
	remote_send(r, b, size, FORM_PLAIN, UPLOAD_HOLD, fd);
	return (1);
}

int
remotes_early(struct engine *e, const struct conf_database *d, int64_t id,
    const struct artifact *a, uint64_t size)
{
	const struct conf_target	*t;
	struct remote			*r;
	struct m_backup			 b;
	int				 n = 0;

	if (size < EARLY_BYTES || catalog_get(e->catalog, id, &b) != 1)
		return (0);
	TAILQ_FOREACH(t, &d->targets, entry) {
		r = remote_named(e, t->remote->name);
		if (r != NULL && is_idle(r))
			n += early_begin(r, &b, size, a);
	}
	return (n);
}

void
remotes_early_go(struct engine *e, const struct conf_database *d, int64_t id)
{
	const struct conf_target	*t;
	struct remote			*r;
	struct m_empty			 none = { 0 };

	TAILQ_FOREACH(t, &d->targets, entry) {
		r = remote_named(e, t->remote->name);
		if (r == NULL || r->early != EARLY_HELD || r->backup_id != id)
			continue;
		r->early = EARLY_NONE;
		/* What went beside the check has cost nobody time. */
		r->begun_us = util_monotonic_us();
		catalog_copy_begin(e->catalog, id, r->conf->name);
		chan_send(e->network.chan, MSG_NET_GO, r->transfer, &none,
		    sizeof(none), -1);
	}
}

void
remotes_early_drop(struct engine *e, int64_t id)
{
	struct remote	*r;
	struct m_empty	 none = { 0 };

	TAILQ_FOREACH(r, &e->remotes, entry) {
		if (r->early != EARLY_HELD || r->backup_id != id)
			continue;
		r->early = EARLY_DROPPED;
		chan_send(e->network.chan, MSG_NET_CANCEL, r->transfer, &none,
		    sizeof(none), -1);
	}
}

/* Whatever it was, the upload that follows the proof will see it again. */
void
remote_early_ended(struct remote *r, const struct m_net_uploaded *m)
{
	if (m->outcome == NET_OK)
		fatalx("network: NET_UPLOADED of what was held back");
	log_debug("backup %lld is not on its way to %s any more: %s",
	    (long long)r->backup_id, r->conf->name, m->reason);
	r->early = EARLY_NONE;
	remotes_kick(r->engine);
}
