/*
 * The engine runs this: databases that a pattern finds.  A worker reads the
 * directory, once a minute and when a backup is due; here its names become
 * databases of the configuration, and those whose file is gone are left
 * alone.  What was found once keeps its name for good (the catalog knows
 * it), so that a file is never taken for another's history.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/schedule_time.h"

#define PATIENCE_MS	15000
#define LOOK_MS		(60 * 1000)
#define HASH_DIGITS	8

struct found {
	char		*path;
	uint32_t	 uid;
	int		 known;		/* a database has it */
};

struct pattern {
	TAILQ_ENTRY(pattern) entry;
	struct engine	*engine;
	struct conf_database *block;
	struct event	*timer;
	struct found	*found;		/* of the look under way */
	uint32_t	 path_turn;	/* of block, when that began */
	size_t		 n;
	int		 looking, failed, too_many;	/* the latter two were
							 * said */
};
TAILQ_HEAD(patterns, pattern);

/* ---- names ---- */

/* Eight digits that depend on the whole path. */
static void
path_hash(const char *path, char dst[HASH_DIGITS + 1])
{
	uint64_t	h = 0xcbf29ce484222325ULL;

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3ULL;
	snprintf(dst, HASH_DIGITS + 1, "%08x", (unsigned)(h ^ (h >> 32)));
}

/* "<block>-<stem>", what no name may have as "_". */
static void
name_plain(const struct conf_database *block, const char *path,
    char name[2 * FILE_NAME_BYTES])
{
	static const char	good[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char		*base = strrchr(path, '/') + 1;
	const char		*dot = strrchr(base, '.');
	size_t			 n, i;

	n = dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);
	snprintf(name, 2 * FILE_NAME_BYTES, "%s-%.*s", block->name, (int)n,
	    base);
	for (i = strlen(block->name); name[i] != '\0'; i++) {
		if (strchr(good, name[i]) == NULL)
			name[i] = '_';
	}
}

static int
name_taken(struct engine *e, const char *name)
{
	struct catalog_database	c;

	return (conf_database(e->conf, name) != NULL ||
	    catalog_database(e->catalog, name, &c));
}

/* Two files may want one name, and a name may be too long. */
static void
name_make(struct pattern *p, const char *path, char name[DATABASE_BYTES])
{
	char	plain[2 * FILE_NAME_BYTES], hash[HASH_DIGITS + 1];
	int	room;

	if (catalog_database_by_path(p->engine->catalog, p->block->name,
	    path, name))
		return;
	name_plain(p->block, path, plain);
	if (strlen(plain) < DATABASE_BYTES && !name_taken(p->engine, plain)) {
		strlcpy(name, plain, DATABASE_BYTES);
		return;
	}
	path_hash(path, hash);
	room = DATABASE_BYTES - 2 - HASH_DIGITS;
	snprintf(name, DATABASE_BYTES, "%.*s-%s", room, plain, hash);
}

/* ---- databases ---- */

static struct conf_database *
database_add(struct pattern *p, const char *name, const char *path)
{
	struct conf_database	*d;

	d = conf_database_clone(p->engine->conf, p->block, name, path);
	d->is_glob = 0;
	d->glob = p->block;
	d->owner_known = 0;
	d->jobs_turn = 0;
	d->scheduled = NULL;
	return (d);
}

static void
database_new(struct pattern *p, const struct found *f)
{
	struct conf_database	*d;
	char			 name[DATABASE_BYTES];

	name_make(p, f->path, name);
	if (conf_database(p->engine->conf, name) != NULL) {
		log_warnx("%s: its name, %s, is another database's; it is "
		    "not backed up", f->path, name);
		return;
	}
	d = database_add(p, name, f->path);
	owner_told(d, d->path_turn, f->uid);
	catalog_database_seen(p->engine->catalog, name, f->path,
	    p->block->name);
	log_info("database %s: %s, found by %s", name, f->path,
	    p->block->name);
}

static int
found_compare(const void *a, const void *b)
{
	const struct found	*x = a, *y = b;

	return (strcmp(x->path, y->path));
}

static struct found *
found_find(struct pattern *p, const char *path)
{
	struct found	key = { (char *)(uintptr_t)path, 0, 0 };

	return (p->n == 0 ? NULL : bsearch(&key, p->found, p->n,
	    sizeof(*p->found), found_compare));
}

static void
database_there(struct pattern *p, struct conf_database *d,
    const struct found *f)
{
	int	gone = f == NULL;

	if (f != NULL)
		owner_told(d, d->path_turn, f->uid);
	if (d->gone == gone)
		return;
	d->gone = gone;
	log_info("database %s: its file is %s", d->name,
	    gone ? "gone; its backups stay" : "there again");
	schedule_database(p->engine, d);
}

/* Each file that was found is a database, and no other. */
static void
reconcile(struct pattern *p)
{
	struct engine		*e = p->engine;
	struct conf_database	*d, *last;
	struct found		*f;
	size_t			 i;

	if (p->n > 0)
		qsort(p->found, p->n, sizeof(*p->found), found_compare);
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (d->is_glob)
			continue;
		f = found_find(p, d->resolved != NULL ? d->resolved :
		    d->path);
		if (f != NULL)
			f->known = 1;
		if (d->glob == p->block)
			database_there(p, d, f);
	}
	last = TAILQ_LAST(&e->conf->databases, conf_databases);
	catalog_begin(e->catalog);
	for (i = 0; i < p->n; i++) {
		if (!p->found[i].known)
			database_new(p, &p->found[i]);
	}
	catalog_commit(e->catalog);
	while ((last = TAILQ_NEXT(last, entry)) != NULL)
		schedule_database(e, last);
}

/* Its block may have left the configuration, or name one file now. */
static int
in_use(const struct pattern *p)
{
	return (!p->block->retired && p->block->is_glob);
}

/* ---- looking ---- */

static void
found_clear(struct pattern *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		free(p->found[i].path);
	free(p->found);
	p->found = NULL;
	p->n = 0;
}

/* Once a minute, and when the block's own schedule says so. */
static void
sleep_until_next(struct pattern *p)
{
	struct timeval	tv;
	int64_t		now_ms = util_now_ms(), next_ms, wait_ms = LOOK_MS;

	(void)schedule_due(p->block, store_uuid(p->engine->store), 0, now_ms,
	    &next_ms);
	if (next_ms - now_ms < wait_ms)
		wait_ms = next_ms - now_ms < 1000 ? 1000 : next_ms - now_ms;
	clock_wait(&tv, wait_ms);
	event_add(p->timer, &tv);
}

static void
look_failed(struct pattern *p, const struct m_error *error)
{
	if (!p->failed)
		log_warnx("the files of %s can't be looked for: %s",
		    p->block->name, error->text);
	p->failed = 1;
}

static void
on_looked(void *arg, const struct task_result *r)
{
	struct pattern		*p = arg;
	struct m_w_globbed	 m;

	p->looking = 0;
	if (!r->ok || r->type != MSG_W_GLOBBED)
		look_failed(p, &r->error);
	else if (!p->engine->stopping && in_use(p) &&
	    p->path_turn == p->block->path_turn) {
		memcpy(&m, r->data, sizeof(m));
		p->failed = 0;
		if (m.more && !p->too_many)
			log_warnx("%s: more than %d files match; those beyond "
			    "are not backed up", p->block->name, GLOB_MAX);
		p->too_many = m.more != 0;
		if (m.names == p->n)	/* else some were none */
			reconcile(p);
	}
	found_clear(p);
	if (p->engine->stopping || !in_use(p))
		return;
	if (p->path_turn == p->block->path_turn)
		sleep_until_next(p);
	else				/* those were of another directory */
		event_active(p->timer, 0, 0);
}

static int
name_ok(const char name[FILE_NAME_BYTES])
{
	return (memchr(name, '\0', FILE_NAME_BYTES) != NULL &&
	    name[0] != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

/* The pattern's directory, with the slash. */
static int
directory_length(const struct conf_database *block)
{
	const char	*path = block->resolved;

	return ((int)(strrchr(path, '/') + 1 - path));
}

static void
on_names(void *arg, struct task *t, const struct msg *msg)
{
	struct pattern		*p = arg;
	const struct m_w_names	*m = msg->data;
	const char		*path = p->block->resolved;
	uint32_t		 i;

	(void)t;
	for (i = 0; i < m->n && i < NAMES_MAX && p->n < GLOB_MAX; i++) {
		if (!name_ok(m->name[i]) || (size_t)directory_length(p->block)
		    + strlen(m->name[i]) >= PATH_BYTES)
			continue;
		if ((p->n & (p->n - 1)) == 0)
			p->found = xreallocarray(p->found, p->n == 0 ? 1 :
			    p->n * 2, sizeof(*p->found));
		p->found[p->n].path = xasprintf("%.*s%s",
		    directory_length(p->block), path, m->name[i]);
		p->found[p->n].uid = m->uid[i];
		p->found[p->n++].known = 0;
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pattern		*p = arg;
	struct m_w_inspect	 o;
	struct task_order	 t;

	(void)fd;
	(void)what;
	if (p->looking || p->engine->stopping || !in_use(p))
		return;
	memset(&o, 0, sizeof(o));
	look_fill(p->engine, p->block, &o.look);
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_GLOB;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.what = "search";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.event = on_names;
	t.done = on_looked;
	t.arg = p;
	p->path_turn = p->block->path_turn;
	if (task_start(p->engine, &t) == NULL)
		sleep_until_next(p);
	else
		p->looking = 1;
}

/* ---- begin and end ---- */

static void
remembered(const char *name, const char *path, void *arg)
{
	struct pattern		*p = arg;
	struct conf_database	*d;

	if (conf_database(p->engine->conf, name) != NULL)
		return;
	/* Until the first look says otherwise. */
	d = database_add(p, name, path);
	d->gone = 1;
}

static void
pattern_new(struct engine *e, struct conf_database *block)
{
	struct pattern	*p;
	struct timeval	 now = { 0, 0 };

	p = xcalloc(1, sizeof(*p));
	p->engine = e;
	p->block = block;
	if ((p->timer = evtimer_new(e->base, on_timer, p)) == NULL)
		fatalx("evtimer_new");
	TAILQ_INSERT_TAIL(e->patterns, p, entry);
	catalog_databases_of(e->catalog, block->name, remembered, p);
	event_add(p->timer, &now);
}

void
globs_init(struct engine *e)
{
	struct conf_database	*d;

	e->patterns = xcalloc(1, sizeof(*e->patterns));
	TAILQ_INIT(e->patterns);
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (d->is_glob)
			pattern_new(e, d);
	}
}

void
glob_changed(struct engine *e, struct conf_database *d)
{
	struct pattern	*p;
	struct timeval	 now = { 0, 0 };

	TAILQ_FOREACH(p, e->patterns, entry) {
		if (p->block == d)
			break;
	}
	if (d->retired || !d->is_glob) {
		if (p != NULL)
			event_del(p->timer);
	} else if (p == NULL)
		pattern_new(e, d);
	else {
		catalog_databases_of(e->catalog, d->name, remembered, p);
		if (!p->looking)
			event_add(p->timer, &now);
	}
}

void
globs_free(struct engine *e)
{
	struct pattern	*p;

	while ((p = TAILQ_FIRST(e->patterns)) != NULL) {
		TAILQ_REMOVE(e->patterns, p, entry);
		event_free(p->timer);
		found_clear(p);
		free(p);
	}
	free(e->patterns);
	e->patterns = NULL;
}
