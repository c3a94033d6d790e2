/*
 * The engine runs this: whether a database must be copied, or is what its
 * last backup has (H9).  A looker takes the signature of the live files;
 * here it is compared with that of the last capture.  In doubt it has
 * changed: a copy too many harms nobody.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/lookers.h"

struct looking {
	struct engine		*engine;
	struct conf_database	*database;
	uint32_t		 path_turn;	/* of it, when asked */
	unchanged_cb		*done;
	void			*arg;
};

/* Is it on its way to, or at, every remote that it should be at? */
static int
at_all_targets(struct engine *e, const struct conf_database *d, int64_t id)
{
	const struct conf_target	*t;
	struct catalog_copy		 copy;
	char				 remote_id[REMOTE_ID_BYTES];

	TAILQ_FOREACH(t, &d->targets, entry) {
		if (!catalog_copy_get(e->catalog, id, t->remote->name, &copy,
		    remote_id))
			return (0);
	}
	return (1);
}

/* Somebody may have removed the file of the only copy. */
static int
file_stands(struct engine *e, int64_t id)
{
	struct m_backup	b;
	char		err[TEXT_BYTES];
	int		fd;

	if (catalog_get(e->catalog, id, &b) != 1)
		return (0);
	if (b.file_path[0] == '\0')
		return (1);		/* a remote has it */
	fd = store_open_file(e->store, b.file_path, b.stored_size, err);
	if (fd != -1)
		close(fd);
	return (fd != -1);
}

/*
 * A backup that nobody could judge (H6) would be judged no better by
 * another copy of the same.
 */
static int
still_stands(struct engine *e, const struct conf_database *d, int64_t id)
{
	return (id != 0 && catalog_database_stands(e->catalog, d->name, id,
	    d->verify == VERIFY_NONE) && at_all_targets(e, d, id) &&
	    file_stands(e, id));
}

static int
is_same(const struct m_signature *a, const struct m_signature *b)
{
	return ((a->flags & SIGNATURE_STABLE) != 0 &&
	    memcmp(a, b, sizeof(*a)) == 0);
}

static enum unchanged
compare(struct engine *e, const struct conf_database *d,
    const struct m_signature *now)
{
	struct m_signature	then;
	int64_t			id;

	if (!catalog_database_signature(e->catalog, d->name, &then, &id) ||
	    !is_same(now, &then))
		return (DATABASE_CHANGED);
	return (still_stands(e, d, id) ? DATABASE_UNCHANGED :
	    DATABASE_CHANGED);
}

static void
on_looked(void *arg, const struct look_result *r)
{
	struct looking	*l = arg;

	/* What was seen is of another file. */
	if (l->path_turn != l->database->path_turn && !l->engine->stopping)
		l->done(l->arg, DATABASE_CHANGED, NULL);
	else if (r->ok)
		l->done(l->arg, compare(l->engine, l->database,
		    &r->signature), NULL);
	else
		l->done(l->arg, DATABASE_UNSEEN, &r->error);
	free(l);
}

int
unchanged_look(struct engine *e, struct conf_database *d, unchanged_cb *done,
    void *arg)
{
	struct m_look	 look;
	struct looking	*l;

	l = xcalloc(1, sizeof(*l));
	l->engine = e;
	l->database = d;
	l->path_turn = d->path_turn;
	l->done = done;
	l->arg = arg;
	look_fill(e, d, &look);
	if (lookers_look(e, &look, on_looked, l) == -1) {
		free(l);
		return (-1);
	}
	return (0);
}

void
unchanged_captured(struct engine *e, const struct conf_database *d,
    int64_t backup_id, const struct m_signature *s)
{
	catalog_database_captured(e->catalog, d->name, backup_id,
	    (s->flags & SIGNATURE_STABLE) != 0 &&
	    s->version == SIGNATURE_VERSION ? s : NULL, util_now_ms());
}
