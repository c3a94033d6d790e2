/*
 * The engine runs this when the configuration is read anew.  It owns the
 * rule that nobody's pointer to a database or a remote ever dangles: both
 * keep their place as long as the engine lives, also when they are gone
 * from the configuration and come back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_merge.h"

/* What of the list is where now: from's member i is now[i], how[i]. */
struct moved {
	void		*now;
	enum merge_how	 how;
	int		 same, other_path;
};

static int
text_equal(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

static char *
remote_text(const struct conf_remote *r)
{
	char	*text = NULL;
	size_t	 n;
	FILE	*f;

	if ((f = open_memstream(&text, &n)) == NULL)
		return (NULL);
	conf_print_remote(r, f);
	return (fclose(f) == 0 ? text : NULL);
}

static char *
database_text(const struct conf_database *d)
{
	char	*text = NULL;
	size_t	 n;
	FILE	*f;

	if ((f = open_memstream(&text, &n)) == NULL)
		return (NULL);
	conf_print_database(d, f);
	return (fclose(f) == 0 ? text : NULL);
}

/* Both are printed by the same rules; then the texts go. */
static int
texts_same(char *a, char *b)
{
	int	same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return (same);
}

static int
s3_secrets_equal(const struct conf_s3 *a, const struct conf_s3 *b)
{
	if (a == NULL || b == NULL)
		return (a == b);
	return (text_equal(a->access_key, b->access_key) &&
	    text_equal(a->secret_key, b->secret_key) &&
	    text_equal(a->session_token, b->session_token) &&
	    text_equal(a->delete_access_key, b->delete_access_key) &&
	    text_equal(a->delete_secret_key, b->delete_secret_key));
}

static int
remotes_equal(const struct conf_remote *a, const struct conf_remote *b)
{
	return (text_equal(a->api_key, b->api_key) &&
	    s3_secrets_equal(a->s3, b->s3) &&
	    texts_same(remote_text(a), remote_text(b)));
}

/* ---- remotes ---- */

/* May what is at the one be missing at the other? */
static int
other_place(const struct conf_remote *a, const struct conf_remote *b)
{
	return (a->kind != b->kind || !text_equal(a->url, b->url) ||
	    !text_equal(a->api_key, b->api_key) ||
	    (a->kind == REMOTE_S3 &&
	    (!text_equal(a->s3->bucket, b->s3->bucket) ||
	    !text_equal(a->s3->prefix, b->s3->prefix))));
}

/* What it is stays; what it says is exchanged. */
static void
remote_swap(struct conf_remote *to, struct conf_remote *from)
{
	struct conf_remote	was = *to, other = *from;

	*to = other;
	to->place_turn = was.place_turn + (other_place(&was, &other) != 0);
	to->entry = was.entry;
	to->index = was.index;
	to->name = was.name;
	to->retired = 0;
	*from = was;
	from->entry = other.entry;
	from->name = other.name;
}

static struct conf_remote *
remote_named(struct conf_remotes *list, const char *name)
{
	struct conf_remote	*r;

	TAILQ_FOREACH(r, list, entry) {
		if (strcmp(r->name, name) == 0)
			break;
	}
	return (r);
}

static struct moved *
remotes_merge(struct conf *to, struct conf *from, size_t *n)
{
	struct conf_remotes	 old;
	struct conf_remote	*r, *next, *mine;
	struct moved		*moved = NULL, *m;

	TAILQ_INIT(&old);
	TAILQ_CONCAT(&old, &to->remotes, entry);
	*n = 0;
	for (r = TAILQ_FIRST(&from->remotes); r != NULL; r = next) {
		next = TAILQ_NEXT(r, entry);
		moved = xreallocarray(moved, *n + 1, sizeof(*moved));
		m = &moved[(*n)++];
		memset(m, 0, sizeof(*m));
		m->how = MERGE_CHANGED;
		if ((mine = remote_named(&old, r->name)) != NULL) {
			TAILQ_REMOVE(&old, mine, entry);
			m->same = remotes_equal(mine, r);
		} else if ((mine = remote_named(&to->retired_remotes,
		    r->name)) != NULL) {
			TAILQ_REMOVE(&to->retired_remotes, mine, entry);
			m->how = MERGE_ADDED;
		}
		if (mine != NULL)
			remote_swap(mine, r);
		else {
			TAILQ_REMOVE(&from->remotes, r, entry);
			r->index = to->next_remote++;
			m->how = MERGE_ADDED;
			mine = r;
		}
		/* Where those find it who mean from's. */
		r->merged = mine;
		m->now = mine;
		TAILQ_INSERT_TAIL(&to->remotes, mine, entry);
	}
	while ((r = TAILQ_FIRST(&old)) != NULL) {
		TAILQ_REMOVE(&old, r, entry);
		r->retired = 1;
		TAILQ_INSERT_TAIL(&to->retired_remotes, r, entry);
		moved = xreallocarray(moved, *n + 1, sizeof(*moved));
		m = &moved[(*n)++];
		memset(m, 0, sizeof(*m));
		m->now = r;
		m->how = MERGE_REMOVED;
	}
	return (moved);
}

/* ---- databases ---- */

static void
database_swap(struct conf_database *to, struct conf_database *from)
{
	struct conf_targets	ours, theirs;
	struct conf_database	was, other;

	TAILQ_INIT(&ours);
	TAILQ_INIT(&theirs);
	TAILQ_CONCAT(&ours, &to->targets, entry);
	TAILQ_CONCAT(&theirs, &from->targets, entry);
	was = *to;
	other = *from;
	*to = other;
	to->entry = was.entry;
	to->name = was.name;
	to->glob = was.glob;
	to->gone = was.gone;
	to->owner_known = was.owner_known && !was.owner_other;
	to->owner = was.owner;
	to->path_turn = was.path_turn;
	to->jobs_turn = was.jobs_turn;
	to->scheduled = was.scheduled;
	to->retired = 0;
	*from = was;
	from->entry = other.entry;
	from->name = other.name;
	TAILQ_INIT(&to->targets);
	TAILQ_INIT(&from->targets);
	TAILQ_CONCAT(&to->targets, &theirs, entry);
	TAILQ_CONCAT(&from->targets, &ours, entry);
}

static struct conf_database *
database_named(struct conf_databases *list, const char *name)
{
	struct conf_database	*d;

	TAILQ_FOREACH(d, list, entry) {
		if (strcmp(d->name, name) == 0)
			break;
	}
	return (d);
}

/* The remotes that a database of from goes to are our own by now. */
static void
targets_move(struct conf_database *d)
{
	struct conf_target	*t;

	TAILQ_FOREACH(t, &d->targets, entry)
		t->remote = t->remote->merged;
}

struct merge {
	struct conf		*to, *from;
	struct conf_databases	 old;
	struct moved		*moved;
	size_t			 n;
};

static struct moved *
moved_add(struct merge *g, struct conf_database *d, enum merge_how how)
{
	struct moved	*m;

	if ((g->n & (g->n - 1)) == 0)
		g->moved = xreallocarray(g->moved, g->n == 0 ? 1 : g->n * 2,
		    sizeof(*g->moved));
	m = &g->moved[g->n++];
	memset(m, 0, sizeof(*m));
	m->now = d;
	m->how = how;
	return (m);
}

/* next, which is from's, into mine (or NULL); how it was found. */
static void
database_merge(struct merge *g, struct conf_database *mine,
    struct conf_database *next, enum merge_how how)
{
	struct moved	*m;

	m = moved_add(g, mine != NULL ? mine : next, how);
	if (mine == NULL) {
		TAILQ_REMOVE(&g->from->databases, next, entry);
		mine = next;
		mine->glob = NULL;
	} else {
		m->other_path = !text_equal(mine->resolved, next->resolved);
		m->same = how == MERGE_CHANGED && !m->other_path &&
		    texts_same(database_text(mine), database_text(next));
		if (how == MERGE_ADDED)
			mine->gone = 0;
		database_swap(mine, next);
		if (m->other_path) {
			mine->owner_known = 0;
			mine->path_turn++;
		}
	}
	mine->expire_due = 1;
	TAILQ_INSERT_TAIL(&g->to->databases, mine, entry);
}

/* It was in use (then it leaves the list), or is known from before. */
static struct conf_database *
database_take(struct merge *g, const char *name, enum merge_how *how)
{
	struct conf_database	*d;

	*how = MERGE_CHANGED;
	if ((d = conf_database(g->to, name)) != NULL && !d->retired) {
		TAILQ_REMOVE(&g->old, d, entry);
		return (d);
	}
	*how = MERGE_ADDED;
	d = database_named(&g->to->retired, name);
	if (d != NULL)
		TAILQ_REMOVE(&g->to->retired, d, entry);
	return (d);
}

/* What a pattern has found goes by the pattern's block, as it is now. */
static void
members_merge(struct merge *g)
{
	struct conf_database	*d, *next, *like;

	for (d = TAILQ_FIRST(&g->old); d != NULL; d = next) {
		next = TAILQ_NEXT(d, entry);
		if (d->glob == NULL || d->glob->retired ||
		    !d->glob->is_glob)
			continue;
		TAILQ_REMOVE(&g->old, d, entry);
		like = conf_database_clone(g->from, d->glob, d->name,
		    d->path);
		like->is_glob = 0;
		database_merge(g, d, like, MERGE_CHANGED);
	}
}

static void
databases_merge(struct merge *g)
{
	struct conf_database	*d, *next, *mine;
	enum merge_how		 how;

	TAILQ_INIT(&g->old);
	TAILQ_CONCAT(&g->old, &g->to->databases, entry);
	TAILQ_FOREACH(d, &g->from->databases, entry)
		targets_move(d);
	/* Until one is found again. */
	TAILQ_FOREACH(d, &g->old, entry) {
		if (d->glob == NULL)
			d->retired = conf_database(g->from, d->name) == NULL;
	}
	for (d = TAILQ_FIRST(&g->from->databases); d != NULL; d = next) {
		next = TAILQ_NEXT(d, entry);
		mine = database_take(g, d->name, &how);
		if (mine != NULL)
			mine->glob = NULL;
		database_merge(g, mine, d, how);
	}
	members_merge(g);
	while ((d = TAILQ_FIRST(&g->old)) != NULL) {
		TAILQ_REMOVE(&g->old, d, entry);
		d->retired = d->gone = 1;
		TAILQ_INSERT_TAIL(&g->to->retired, d, entry);
		(void)moved_add(g, d, MERGE_REMOVED);
	}
	conf_reindex(g->to);
}

void
conf_merge(struct conf *to, struct conf *from, const struct merge_told *told)
{
	struct merge	 g = { to, from, TAILQ_HEAD_INITIALIZER(g.old), NULL,
			    0 };
	struct moved	*remotes;
	size_t		 i, n;

	remotes = remotes_merge(to, from, &n);
	databases_merge(&g);
	for (i = 0; i < n; i++) {
		if (!remotes[i].same)
			told->remote(remotes[i].now, remotes[i].how,
			    told->arg);
	}
	for (i = 0; i < g.n; i++) {
		if (!g.moved[i].same)
			told->database(g.moved[i].now, g.moved[i].how,
			    g.moved[i].other_path, told->arg);
	}
	free(remotes);
	free(g.moved);
}
