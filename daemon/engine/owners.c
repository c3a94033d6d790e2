/*
 * The engine runs this: whose each database is, which is what its owner's
 * rights follow from (D10).  Workers tell, whenever one has looked; at
 * start one looks at each, one after the other.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

#define LOOK_PATIENCE_MS	15000

struct looking {
	struct engine		*engine;
	struct conf_database	*database;
	uint32_t		 path_turn;	/* of it, when asked */
};

static void	look_next(struct looking *);

void
owner_told(struct conf_database *d, uint32_t path_turn, uint32_t uid)
{
	if (d->path_turn != path_turn)
		return;
	/*
	 * Whoever may write into the directory can put a file of his own in
	 * the place of another's, and has no right to the backups of that.
	 */
	if (d->owner_known && d->owner != uid && d->owner != 0 &&
	    d->owner != geteuid()) {
		if (!d->owner_other)
			log_warnx("database %s: its owner is uid %u now, was "
			    "uid %u: nobody has an owner's rights until the "
			    "configuration is read anew", d->name, uid,
			    d->owner);
		d->owner_other = 1;
		return;
	}
	if (d->owner_known && d->owner != uid)
		log_info("database %s: its owner is uid %u now, was uid %u",
		    d->name, uid, d->owner);
	d->owner = uid;
	d->owner_known = 1;
	d->owner_other = 0;
}

void
owner_inspected(struct conf_database *d, uint32_t path_turn,
    const struct m_file_info *f)
{
	/* One that is gone stays its owner's, who may want it back. */
	if (f->flags & FILE_EXISTS)
		owner_told(d, path_turn, f->uid);
}

static void
on_looked(void *arg, const struct task_result *r)
{
	struct looking	*l = arg;

	if (r->ok && r->type == MSG_W_INSPECTED)
		owner_inspected(l->database, l->path_turn, r->data);
	else
		log_debug("database %s: its owner is not known: %s",
		    l->database->name, r->error.text);
	l->database = TAILQ_NEXT(l->database, entry);
	look_next(l);
}

static void
look_next(struct looking *l)
{
	struct m_w_inspect	o;
	struct task_order	t;

	/* Who owns what a pattern finds is told with its name. */
	while (l->database != NULL && (l->database->is_glob ||
	    l->database->glob != NULL))
		l->database = TAILQ_NEXT(l->database, entry);
	if (l->database == NULL || l->engine->stopping) {
		free(l);
		return;
	}
	memset(&o, 0, sizeof(o));
	look_fill(l->engine, l->database, &o.look);
	l->path_turn = l->database->path_turn;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_INSPECT;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.what = "inspect";
	t.look_patience_ms = t.patience_ms = LOOK_PATIENCE_MS;
	t.done = on_looked;
	t.arg = l;
	if (task_start(l->engine, &t) == NULL) {
		log_warnx("not every database's owner is known: %s",
		    task_refusal());
		free(l);
	}
}

void
owners_look(struct engine *e)
{
	struct looking	*l;

	l = xcalloc(1, sizeof(*l));
	l->engine = e;
	l->database = TAILQ_FIRST(&e->conf->databases);
	look_next(l);
}
