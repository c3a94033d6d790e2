/*
 * The engine runs this: where a backup can be read back from.  It owns
 * only the order.
 */
#include <string.h>

#include "daemon/engine/reading.h"

static size_t
add(struct engine *e, const struct m_backup *b, const struct conf_remote *r,
    struct place *places, size_t n)
{
	struct catalog_copy	copy;
	size_t			i;

	for (i = 0; i < n; i++) {
		if (places[i].remote == r)
			return (n);
	}
	if (r->retired || n == PLACES_MAX ||
	    !catalog_copy_get(e->catalog, b->id, r->name, &copy,
	    places[n].remote_id) ||
	    strcmp(copy.state, "completed") != 0 ||
	    places[n].remote_id[0] == '\0')
		return (n);
	places[n].remote = r;
	return (n + 1);
}

size_t
places_of(struct engine *e, const struct m_backup *b,
    struct place places[PLACES_MAX])
{
	const struct conf_database	*d;
	const struct conf_target	*t;
	const struct conf_remote	*r;
	size_t				 n = 0;

	if (b->id == 0)
		return (0);
	if (b->database[0] != '\0' &&
	    (d = conf_database(e->conf, b->database)) != NULL) {
		TAILQ_FOREACH(t, &d->targets, entry)
			n = add(e, b, t->remote, places, n);
	}
	TAILQ_FOREACH(r, &e->conf->remotes, entry)
		n = add(e, b, r, places, n);
	return (n);
}
