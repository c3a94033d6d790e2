/*
 * The engine runs this: lists and totals for somebody who may read some
 * databases and not others.  What he may not read is not there: it is not
 * counted and takes no place on a page.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/engine.h"

/* The next row of one database. */
struct cursor {
	struct m_backup	row;
	int		has;
};

static void
cursor_take(const struct m_backup *b, void *arg)
{
	struct cursor	*c = arg;

	c->row = *b;
	c->has = 1;
}

/* The newest of this database that is older than the given. */
static void
cursor_next(struct engine *e, const struct m_user *user, const char *database,
    int64_t before_ms, int64_t before_id, struct cursor *c)
{
	int	more;

	c->has = 0;
	(void)catalog_list(e->catalog, user, database, before_ms, before_id,
	    1, &more, cursor_take, c);
}

static size_t
newest(const struct cursor *c, size_t n)
{
	size_t	i, best = n;

	for (i = 0; i < n; i++) {
		if (c[i].has && (best == n ||
		    c[i].row.created_ms > c[best].row.created_ms ||
		    (c[i].row.created_ms == c[best].row.created_ms &&
		    c[i].row.id > c[best].row.id)))
			best = i;
	}
	return (best);
}

uint32_t
visible_list(struct engine *e, const struct names *names,
    const struct m_req_list *m, int *more, catalog_row_cb *cb, void *arg)
{
	struct cursor	*c;
	uint32_t	 given;
	size_t		 i;

	*more = 0;
	if (names->n == 1)
		return (catalog_list(e->catalog, &m->user, names->list[0],
		    m->before_ms, m->before_id, m->limit, more, cb, arg));
	c = xcalloc(names->n + 1, sizeof(*c));
	for (i = 0; i < names->n; i++)
		cursor_next(e, &m->user, names->list[i], m->before_ms,
		    m->before_id, &c[i]);
	for (given = 0; (i = newest(c, names->n)) < names->n; given++) {
		if (given == m->limit) {
			*more = 1;
			break;
		}
		cb(&c[i].row, arg);
		cursor_next(e, &m->user, names->list[i],
		    c[i].row.created_ms, c[i].row.id, &c[i]);
	}
	free(c);
	return (given);
}

void
visible_stats(struct engine *e, const struct names *names,
    const struct m_user *user, struct m_stats *sum)
{
	struct m_stats	s;
	size_t		i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < names->n; i++) {
		catalog_stats(e->catalog, user, names->list[i], &s);
		sum->backups += s.backups;
		sum->bytes += s.bytes;
		sum->completed += s.completed;
		sum->failed += s.failed;
		if (s.last_ms > sum->last_ms)
			sum->last_ms = s.last_ms;
	}
}
