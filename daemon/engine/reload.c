/*
 * The engine runs this: its configuration is read anew.  The new one is
 * parsed whole and checked whole before anything of the old one changes;
 * an error leaves all as it was.  It owns nothing that outlives a reload.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_merge.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/lookers.h"
#include "daemon/engine/metrics.h"
#include "daemon/engine/reload.h"

struct reload {
	struct engine	*engine;
	struct conf	*next;
	char		 text[TOLD_BYTES];	/* for the answer */
	struct tally	 databases, remotes, listeners;
	int		 rules;		/* something else changed */
	char		 restart[TEXT_BYTES];	/* what wants one */
};

static void
add(char *dst, size_t size, const char *between, const char *text)
{
	if (dst[0] != '\0')
		strlcat(dst, between, size);
	strlcat(dst, text, size);
}

static void
on_line(const char *line, void *arg)
{
	struct reload	*r = arg;

	log_warnx("configuration: %s", line);
	add(r->text, sizeof(r->text), "; ", line);
}

/* ---- read and check ---- */

static int
next_load(struct reload *r)
{
	const struct conf	*c = r->engine->conf;
	char			 why[TEXT_BYTES];
	int			 result = -1;

	conf_messages_to(on_line, r);
	r->next = c->is_env ? conf_load_env(c->source) :
	    conf_load_file(c->source, 1);
	if (r->next != NULL && tls_check(r->next) == 0) {
		result = reload_listen_open(r->engine, r->next, why,
		    sizeof(why));
		if (result == -1)
			conf_error(c->source, 0, "%s", why);
	}
	conf_messages_to(NULL, NULL);
	if (result == -1 && r->next != NULL) {
		conf_free(r->next);
		r->next = NULL;
	}
	return (result);
}

/* ---- what wants a restart ---- */

static int
other(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0);
}

static void
restart_note(struct reload *r)
{
	const struct conf	*a = r->engine->conf, *b = r->next;
	const struct {
		const char	*word;
		int		 differs;
	} words[] = {
		{ "backup directory", other(a->backup_dir, b->backup_dir) },
		{ "user front", other(a->user_front, b->user_front) },
		{ "user network", other(a->user_network, b->user_network) },
		{ "user verify", other(a->user_verify, b->user_verify) },
		{ "sandbox", a->sandbox != b->sandbox },
		{ "compat", a->compat_node != b->compat_node },
		{ "connections, for more than at the start",
		    b->connections_max > r->engine->connections_start },
	};
	size_t			 i;

	for (i = 0; i < nitems(words); i++) {
		if (words[i].differs)
			add(r->restart, sizeof(r->restart), ", ",
			    words[i].word);
	}
}

/* ---- taking it ---- */

static void
count(struct tally *t, enum merge_how how)
{
	t->n[how]++;
}

static void
on_remote(struct conf_remote *c, enum merge_how how, void *arg)
{
	struct reload	*r = arg;

	count(&r->remotes, how);
	remote_changed(r->engine, c);
	log_info("remote %s: %s", c->name, how == MERGE_ADDED ? "added" :
	    how == MERGE_REMOVED ? "removed" : "changed");
}

static void
on_database(struct conf_database *d, enum merge_how how, int other_path,
    void *arg)
{
	struct reload	*r = arg;
	struct engine	*e = r->engine;

	if (d->glob == NULL)
		count(&r->databases, how);
	log_debug("database %s: %s", d->name, how == MERGE_ADDED ? "added" :
	    how == MERGE_REMOVED ? "removed" : "changed");
	if (how != MERGE_REMOVED && d->glob == NULL && !d->is_glob &&
	    (how == MERGE_ADDED || other_path))
		catalog_database_seen(e->catalog, d->name, d->path, "");
	if (d->glob == NULL)
		glob_changed(e, d);
	schedule_database(e, d);
	drills_kick(e);
	if (how != MERGE_REMOVED && !d->is_glob) {
		(void)spool_admit(e, d, 0, NULL);
		expire_kick(e, d->name);
	}
}

static void
swap_text(char **a, char **b)
{
	char	*was = *a;

	*a = *b;
	*b = was;
}

static char *
rules_text(const struct conf *c)
{
	const struct conf_origin	*o;
	char				*text = NULL;
	size_t				 n;
	FILE				*f;

	if ((f = open_memstream(&text, &n)) == NULL)
		fatal("open_memstream");
	conf_allow_print(c, f);
	TAILQ_FOREACH(o, &c->origins, entry)
		fprintf(f, "%s\n", o->origin);
	fprintf(f, "%llu %u %d %s %s\n", (unsigned long long)c->reserve,
	    c->connections_max, c->log_access, c->license_file != NULL ?
	    c->license_file : "", c->license_key != NULL ? c->license_key :
	    "");
	if (fclose(f) != 0)
		fatal("open_memstream");
	return (text);
}

static char *
notify_text(const struct conf *c)
{
	char	*text = NULL;
	size_t	 n;
	FILE	*f;

	if ((f = open_memstream(&text, &n)) == NULL)
		fatal("open_memstream");
	conf_notify_print(c, f);
	if (fclose(f) != 0)
		fatal("open_memstream");
	return (text);
}

/* A hook may be under way: what it goes by stays. */
static void
notifies_take(struct reload *r)
{
	struct conf	*c = r->engine->conf, *n = r->next;
	char		*was = notify_text(c), *now = notify_text(n);

	if (strcmp(was, now) != 0) {
		r->rules = 1;
		TAILQ_CONCAT(&c->retired_notifies, &c->notifies, entry);
		TAILQ_CONCAT(&c->notifies, &n->notifies, entry);
		hooks_changed(r->engine);
	}
	free(was);
	free(now);
}

/* All that nobody has a pointer to. */
static void
rules_take(struct reload *r)
{
	struct conf	*c = r->engine->conf, *n = r->next;
	char		*was = rules_text(c), *now = rules_text(n);

	r->rules = strcmp(was, now) != 0;
	free(was);
	free(now);
	TAILQ_SWAP(&c->allows, &n->allows, conf_allow, entry);
	TAILQ_SWAP(&c->origins, &n->origins, conf_origin, entry);
	c->reserve = n->reserve;
	c->connections_max = n->connections_max;
	c->log_access = n->log_access;
	if (other(c->license_file, n->license_file) ||
	    other(c->license_key, n->license_key))
		memset(&r->engine->license_ids, 0,
		    sizeof(r->engine->license_ids));
	swap_text(&c->license_file, &n->license_file);
	swap_text(&c->license_key, &n->license_key);
	rights_init(r->engine);
	if (c->connections_max > r->engine->connections_top)
		r->engine->connections_top = c->connections_max;
}

static void
next_take(struct reload *r)
{
	struct engine		*e = r->engine;
	struct merge_told	 told = { on_remote, on_database, r };
	char			 note[TEXT_BYTES] = "";

	restart_note(r);
	conf_resolve(r->next);
	rules_take(r);
	notifies_take(r);
	identity_set(r->next, &e->license_ids);
	conf_merge(e->conf, r->next, &told);
	expire_reloaded(e);
	reload_listen_take(e, r->next, &r->listeners, note, sizeof(note));
	if (note[0] != '\0')
		add(r->restart, sizeof(r->restart), ", ", note);
	front_conf_send(e);
	lookers_changed(e);
	owners_look(e);
	remotes_kick(e);
	conf_free(r->next);
	r->next = NULL;
}

/* ---- telling ---- */

static void
tally_tell(char *dst, size_t size, const struct tally *t, const char *one,
    const char *many)
{
	static const char *const	how[] = { "added", "changed",
					    "removed" };
	char				text[96];
	const char			*noun = NULL;
	size_t				i;

	for (i = 0; i < nitems(how); i++) {
		if (t->n[i] == 0)
			continue;
		if (noun == NULL) {
			noun = t->n[i] == 1 ? one : many;
			snprintf(text, sizeof(text), "%u %s %s", t->n[i],
			    noun, how[i]);
			add(dst, size, "; ", text);
		} else {
			snprintf(text, sizeof(text), "%u %s", t->n[i],
			    how[i]);
			add(dst, size, ", ", text);
		}
	}
}

/* "1 database added, 1 changed; sandbox: needs a restart." */
static void
reload_tell(struct reload *r)
{
	char	text[TOLD_BYTES] = "";

	tally_tell(text, sizeof(text), &r->databases, "database",
	    "databases");
	tally_tell(text, sizeof(text), &r->remotes, "remote", "remotes");
	tally_tell(text, sizeof(text), &r->listeners, "listener",
	    "listeners");
	if (r->rules)
		add(text, sizeof(text), "; ", "rules or limits changed");
	if (text[0] == '\0')
		strlcpy(text, "nothing changed", sizeof(text));
	if (r->restart[0] != '\0') {
		add(text, sizeof(text), "; needs a restart: ", r->restart);
		log_warnx("configuration: needs a restart: %s", r->restart);
	}
	log_info("configuration read anew: %s", text);
	if (r->text[0] != '\0')		/* warnings */
		add(text, sizeof(text), "; ", r->text);
	snprintf(r->text, sizeof(r->text), "The configuration was read: "
	    "%.1900s.", text);
}

/* 0, or -1: then nothing has changed; r->text says all either way. */
static int
reload(struct reload *r, struct engine *e)
{
	int	ok;

	memset(r, 0, sizeof(*r));
	r->engine = e;
	manager_reloading();
	if ((ok = next_load(r) == 0)) {
		next_take(r);
		reload_tell(r);
	} else
		log_warnx("configuration: the old one goes on");
	/* Certificates may be others in the same files. */
	tls_reload(e);
	metrics_reloaded(ok);
	manager_reloaded();
	return (ok ? 0 : -1);
}

void
reload_signal(struct engine *e)
{
	struct reload	r;

	if (e->stopping)
		return;
	control_audit(e, NULL, "reload", reload(&r, e) == 0 ? "done" :
	    "failed: CONFIGURATION_ERROR");
}

void
reload_request(struct engine *e, const struct msg *msg)
{
	struct m_req_admin	m;
	struct reload		r;

	if (!control_admin(e, msg, &m))
		return;
	if (e->stopping)
		reply_error(e, msg->id, E_SHUTTING_DOWN, 0,
		    "the daemon is about to end");
	else if (reload(&r, e) == 0) {
		control_audit(e, &m.asker, "reload", "done");
		reply_told(e, msg->id, r.text);
	} else {
		control_audit(e, &m.asker, "reload",
		    "failed: CONFIGURATION_ERROR");
		reply_error(e, msg->id, E_CONFIGURATION_ERROR, 0, r.text);
	}
}
