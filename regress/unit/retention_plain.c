/*
 * The plain implementation of retention; see the header.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "regress/unit/retention_plain.h"

static int
newer(const struct retained *a, const struct retained *b)
{
	return (a->created_ms > b->created_ms ||
	    (a->created_ms == b->created_ms && a->id > b->id));
}

static int
from_future(const struct retained *r, int64_t now_ms)
{
	return (r->created_ms - now_ms > RETAIN_FUTURE_MS);
}

static int
candidate(const struct retained *r, int64_t now_ms)
{
	return ((r->flags & RETAIN_PROVEN) && !(r->flags & RETAIN_SAFETY) &&
	    !from_future(r, now_ms));
}

static void
bucket(char dst[32], const char *format, const struct retained *r)
{
	struct tm	tm;
	time_t		t = (time_t)(r->created_ms / 1000);

	localtime_r(&t, &tm);
	strftime(dst, 32, format, &tm);
}

/* How many different buckets have a candidate newer than r's newest one,
 * and is r the newest of its own? */
static int
in_rule(const char *format, uint32_t count, int64_t now_ms,
    const struct retained *list, size_t n, const struct retained *r)
{
	char		mine[32], text[32], (*seen)[32];
	size_t		i, k, nseen = 0;

	if (count == 0)
		return (0);
	seen = calloc(n, sizeof(*seen));
	bucket(mine, format, r);
	for (i = 0; i < n; i++) {
		if (!candidate(&list[i], now_ms) || !newer(&list[i], r))
			continue;
		bucket(text, format, &list[i]);
		if (strcmp(text, mine) == 0) {
			free(seen);
			return (0);
		}
		for (k = 0; k < nseen && strcmp(seen[k], text) != 0; k++)
			;
		if (k == nseen)
			strcpy(seen[nseen++], text);
	}
	free(seen);
	return (nseen < count);
}

static const struct retained *
newest(const struct retained *list, size_t n, int64_t now_ms, int safety_too)
{
	const struct retained	*best = NULL;
	size_t			 i;

	for (i = 0; i < n; i++) {
		if (!(list[i].flags & RETAIN_PROVEN) ||
		    from_future(&list[i], now_ms) ||
		    (!safety_too && (list[i].flags & RETAIN_SAFETY)))
			continue;
		if (best == NULL || newer(&list[i], best))
			best = &list[i];
	}
	return (best);
}

static int
rules_hold(const struct conf_keep *k, int64_t now_ms,
    const struct retained *list, size_t n, const struct retained *r,
    const struct retained *top)
{
	size_t	i, before = 0;

	for (i = 0; i < n; i++)
		before += candidate(&list[i], now_ms) && newer(&list[i], r);
	return (before < k->last ||
	    (k->within_ms > 0 && top->created_ms - r->created_ms <=
	    (int64_t)k->within_ms) ||
	    in_rule("%Y-%m-%d %H", k->hourly, now_ms, list, n, r) ||
	    in_rule("%Y-%m-%d", k->daily, now_ms, list, n, r) ||
	    in_rule("%G-%V", k->weekly, now_ms, list, n, r) ||
	    in_rule("%Y-%m", k->monthly, now_ms, list, n, r) ||
	    in_rule("%Y", k->yearly, now_ms, list, n, r));
}

int
plain_stays(const struct conf_keep *k, uint64_t safety_ms, int64_t now_ms,
    const struct retained *list, size_t n, size_t i)
{
	const struct retained	*r = &list[i];
	const struct retained	*top = newest(list, n, now_ms, 0);
	const struct retained	*any = newest(list, n, now_ms, 1);
	int64_t			 age_ms;

	if (any == NULL || r == top || r == any || from_future(r, now_ms) ||
	    (r->flags & (RETAIN_IN_USE | RETAIN_WAITS | RETAIN_PINNED)))
		return (1);
	age_ms = any->created_ms - r->created_ms;
	if (r->flags & RETAIN_SAFETY)
		return ((r->flags & RETAIN_UNDO) || age_ms <=
		    (int64_t)safety_ms);
	if (r->flags & RETAIN_UNJUDGED)
		return (1);
	if (!(r->flags & RETAIN_PROVEN))
		return (!k->set || age_ms <= RETAIN_FAILED_MS);
	return (!k->set || (r->flags & RETAIN_NAMED) ||
	    rules_hold(k, now_ms, list, n, r, top));
}
