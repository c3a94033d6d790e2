/*
 * The engine runs this.  It owns the configuration's memory: made with
 * its defaults, completed, looked up, and wiped when it is freed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"

#define BACKUP_DIR_ROOT	"/var/lib/cloudbackupd"
#define BACKUP_DIR_USER	"~/.cloudbackupd/backups"

struct conf *
conf_new(void)
{
	struct conf	*conf;

	conf = xcalloc(1, sizeof(*conf));
	TAILQ_INIT(&conf->listens);
	TAILQ_INIT(&conf->remotes);
	TAILQ_INIT(&conf->databases);
	TAILQ_INIT(&conf->retired);
	TAILQ_INIT(&conf->retired_remotes);
	TAILQ_INIT(&conf->allows);
	TAILQ_INIT(&conf->origins);
	TAILQ_INIT(&conf->notifies);
	TAILQ_INIT(&conf->retired_notifies);
	conf->user_front = xstrdup("_cloudbackup");
	conf->user_network = xstrdup("_cloudbackupnet");
	conf->reserve = 64ULL << 20;
	conf->connections_max = 256;
	return (conf);
}

struct conf_listen *
conf_listen_new(struct conf *conf, enum listen_kind kind)
{
	struct conf_listen	*l;

	l = xcalloc(1, sizeof(*l));
	l->kind = kind;
	l->fd = -1;
	if (kind == LISTEN_UNIX)
		l->mode = 0660;
	TAILQ_INSERT_TAIL(&conf->listens, l, entry);
	return (l);
}

void
conf_listen_loopback(struct conf *conf, uint16_t port)
{
	static const char	*const addresses[] = { "127.0.0.1", "::1" };
	struct conf_listen	*l;
	size_t			 i;

	for (i = 0; i < nitems(addresses); i++) {
		l = conf_listen_new(conf, LISTEN_TCP);
		l->address = xstrdup(addresses[i]);
		l->port = port;
		l->is_default = 1;
	}
}

struct conf_remote *
conf_remote_new(struct conf *conf, const char *name)
{
	struct conf_remote	*r, *last;

	r = xcalloc(1, sizeof(*r));
	r->name = xstrdup(name);
	r->kind = REMOTE_REST;
	r->timeout_ms = 300 * 1000;
	r->retry_min_ms = 30 * 1000;
	r->retry_max_ms = 3600 * 1000;
	last = TAILQ_LAST(&conf->remotes, conf_remotes);
	r->index = last == NULL ? 0 : last->index + 1;
	conf->next_remote = r->index + 1;
	TAILQ_INSERT_TAIL(&conf->remotes, r, entry);
	return (r);
}

static struct conf_database **
conf_bucket(struct conf *conf, const char *name)
{
	uint32_t	h = 2166136261U;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return (&conf->by_name[h % nitems(conf->by_name)]);
}

/* Of two with one name, which is an error, the first is found first. */
static void
conf_index(struct conf *conf, struct conf_database *db)
{
	struct conf_database	**p;

	for (p = conf_bucket(conf, db->name); *p != NULL; p = &(*p)->same_bucket)
		;
	*p = db;
	db->same_bucket = NULL;
}

void
conf_reindex(struct conf *conf)
{
	struct conf_database	*db;

	memset(conf->by_name, 0, sizeof(conf->by_name));
	TAILQ_FOREACH(db, &conf->databases, entry)
		conf_index(conf, db);
}

struct conf_database *
conf_database_new(struct conf *conf, const char *name)
{
	struct conf_database	*db;

	db = xcalloc(1, sizeof(*db));
	TAILQ_INIT(&db->targets);
	db->name = xstrdup(name);
	db->user.kind = USER_NONE;
	db->lock_timeout_ms = 10 * 1000;
	db->lock_limit_ms = 10 * 1000;
	db->capture = CAPTURE_RAW;
	db->verify = VERIFY_QUICK;
	db->jitter_ms = CONF_JITTER_DEFAULT;
	db->keep_safety_ms = 30ULL * 86400 * 1000;
	TAILQ_INSERT_TAIL(&conf->databases, db, entry);
	conf_index(conf, db);
	return (db);
}

struct conf_database *
conf_database_clone(struct conf *conf, const struct conf_database *from,
    const char *name, const char *path)
{
	struct conf_database	*db;
	struct conf_target	*t, *copy;
	uint32_t		 i;

	db = xmalloc(sizeof(*db));
	*db = *from;
	db->name = xstrdup(name);
	db->path = xstrdup(path);
	db->resolved = xstrdup(path);
	db->exposed = NULL;
	db->device_id = from->device_id == NULL ? NULL :
	    xstrdup(from->device_id);
	db->identity_file = from->identity_file == NULL ? NULL :
	    xstrdup(from->identity_file);
	for (i = 0; i < db->nrecipients; i++)
		db->recipients[i] = xstrdup(from->recipients[i]);
	TAILQ_INIT(&db->targets);
	TAILQ_FOREACH(t, &from->targets, entry) {
		copy = xmalloc(sizeof(*copy));
		*copy = *t;
		TAILQ_INSERT_TAIL(&db->targets, copy, entry);
	}
	TAILQ_INSERT_TAIL(&conf->databases, db, entry);
	conf_index(conf, db);
	return (db);
}

void
conf_target_new(struct conf_database *db, struct conf_remote *r)
{
	struct conf_target	*t;

	t = xcalloc(1, sizeof(*t));
	t->remote = r;
	TAILQ_INSERT_TAIL(&db->targets, t, entry);
}

void
conf_targets_default(struct conf *conf, struct conf_database *db)
{
	struct conf_remote	*r;

	if (TAILQ_EMPTY(&db->targets))
		TAILQ_FOREACH(r, &conf->remotes, entry)
			conf_target_new(db, r);
}

struct conf_s3 *
conf_s3(struct conf_remote *r)
{
	if (r->s3 == NULL) {
		r->s3 = xcalloc(1, sizeof(*r->s3));
		r->s3->prefix = xstrdup("");
		r->s3->region = xstrdup("us-east-1");
		r->s3->may_delete = 1;
		r->s3->parts = 4;
	}
	return (r->s3);
}

void
conf_listen_free(struct conf_listen *l)
{
	if (l->fd != -1)
		(void)close(l->fd);
	free(l->address);
	free(l->path);
	free(l->group);
	free(l->tls_certificate);
	free(l->tls_key);
	free(l->tls_client_ca);
	free(l);
}

static void
s3_free(struct conf_s3 *s)
{
	if (s == NULL)
		return;
	conf_wipe(s->access_key);
	conf_wipe(s->secret_key);
	conf_wipe(s->session_token);
	conf_wipe(s->delete_access_key);
	conf_wipe(s->delete_secret_key);
	free(s->access_key_file);
	free(s->secret_key_file);
	free(s->delete_access_file);
	free(s->delete_secret_file);
	free(s->bucket);
	free(s->prefix);
	free(s->region);
	free(s->storage_class);
	free(s->sse);
	free(s->sse_key_id);
	free(s->lock_mode);
	free(s);
}

static void
remote_free(struct conf_remote *r)
{
	s3_free(r->s3);
	conf_wipe(r->api_key);
	free(r->name);
	free(r->url);
	free(r->api_key_file);
	free(r);
}

static void
database_free(struct conf_database *db)
{
	struct conf_target	*t;
	uint32_t		 i;

	for (i = 0; i < db->nrecipients; i++)
		free(db->recipients[i]);
	free(db->identity_file);
	while ((t = TAILQ_FIRST(&db->targets)) != NULL) {
		TAILQ_REMOVE(&db->targets, t, entry);
		free(t);
	}
	free(db->name);
	free(db->path);
	free(db->resolved);
	free(db->exposed);
	free(db->device_id);
	free(db);
}

void
conf_free(struct conf *conf)
{
	struct conf_listen	*l;
	struct conf_remote	*r;
	struct conf_database	*db;
	struct conf_notify	*n;

	if (conf == NULL)
		return;
	TAILQ_CONCAT(&conf->notifies, &conf->retired_notifies, entry);
	while ((n = TAILQ_FIRST(&conf->notifies)) != NULL) {
		TAILQ_REMOVE(&conf->notifies, n, entry);
		free(n->url);
		free(n);
	}
	while ((l = TAILQ_FIRST(&conf->listens)) != NULL) {
		TAILQ_REMOVE(&conf->listens, l, entry);
		conf_listen_free(l);
	}
	TAILQ_CONCAT(&conf->databases, &conf->retired, entry);
	while ((db = TAILQ_FIRST(&conf->databases)) != NULL) {
		TAILQ_REMOVE(&conf->databases, db, entry);
		database_free(db);
	}
	TAILQ_CONCAT(&conf->remotes, &conf->retired_remotes, entry);
	while ((r = TAILQ_FIRST(&conf->remotes)) != NULL) {
		TAILQ_REMOVE(&conf->remotes, r, entry);
		remote_free(r);
	}
	conf_allow_free(conf);
	free(conf->source);
	free(conf->file);
	free(conf->backup_dir);
	free(conf->user_front);
	free(conf->user_network);
	free(conf->user_verify);
	free(conf->license_file);
	free(conf->license_key);
	free(conf);
}

struct conf_database *
conf_database(struct conf *conf, const char *name)
{
	struct conf_database	*db;

	if (name[0] == '\0') {
		TAILQ_FOREACH(db, &conf->databases, entry) {
			if (!db->is_glob)
				return (db);
		}
		return (NULL);
	}
	for (db = *conf_bucket(conf, name); db != NULL; db = db->same_bucket) {
		if (strcmp(db->name, name) == 0)
			return (db);
	}
	return (NULL);
}

struct conf_remote *
conf_remote(struct conf *conf, const char *name)
{
	struct conf_remote	*r;

	if (name[0] == '\0')
		return (TAILQ_FIRST(&conf->remotes));
	TAILQ_FOREACH(r, &conf->remotes, entry)
		if (strcmp(r->name, name) == 0)
			return (r);
	return (NULL);
}

/* The text of conf, for messages. */
static const char *
conf_where(const struct conf *conf)
{
	return (conf->file != NULL ? conf->file : "configuration");
}

static int
same_listen(const struct conf_listen *a, const struct conf_listen *b)
{
	if (a->kind != b->kind)
		return (0);
	if (a->kind == LISTEN_UNIX)
		return (strcmp(a->path, b->path) == 0);
	return (a->port == b->port && strcmp(a->address, b->address) == 0);
}

static int
loopback(const char *address)
{
	return (strncmp(address, "127.", 4) == 0 ||
	    strcmp(address, "::1") == 0);
}

/* Tokens and backups must not cross a wire in the clear by accident. */
static int
plaintext_finish(const struct conf *conf, const struct conf_listen *l)
{
	if (l->kind == LISTEN_UNIX || l->tls_certificate != NULL ||
	    l->plaintext || loopback(l->address))
		return (0);
	conf_error(conf_where(conf), 0, "listens on %s port %u without TLS, "
	    "which others can read and change; add tls certificate \"PATH\" "
	    "key \"PATH\", or plaintext if that is what you want",
	    l->address, l->port);
	return (1);
}

static int
listens_finish(struct conf *conf)
{
	struct conf_listen	*a, *b;
	int			 errors = 0;

	if (TAILQ_EMPTY(&conf->listens))
		conf_listen_loopback(conf, CONF_PORT_DEFAULT);
	TAILQ_FOREACH(a, &conf->listens, entry) {
		errors += plaintext_finish(conf, a);
		for (b = TAILQ_NEXT(a, entry); b != NULL;
		    b = TAILQ_NEXT(b, entry)) {
			if (!same_listen(a, b))
				continue;
			if (a->kind == LISTEN_UNIX)
				conf_error(conf_where(conf), 0, "listens "
				    "twice on socket \"%s\"", a->path);
			else
				conf_error(conf_where(conf), 0, "listens "
				    "twice on %s port %u", a->address,
				    a->port);
			errors++;
			break;
		}
	}
	return (errors);
}

/* A remote before r that has the same objects: what is deleted at the one
 * would go on being counted on at the other. */
static const struct conf_remote *
same_bucket(const struct conf *conf, const struct conf_remote *r)
{
	const struct conf_remote	*o;

	TAILQ_FOREACH(o, &conf->remotes, entry) {
		if (o == r || r->kind != REMOTE_S3 || r->url == NULL)
			break;
		if (o->kind == REMOTE_S3 && o->url != NULL &&
		    strcmp(o->url, r->url) == 0 &&
		    strcmp(o->s3->bucket, r->s3->bucket) == 0 &&
		    strcmp(o->s3->prefix, r->s3->prefix) == 0)
			return (o);
	}
	return (NULL);
}

static int
remote_finish(struct conf *conf, struct conf_remote *r)
{
	const struct conf_remote	*other;
	const char			*why;
	int				 errors = 0;

	if ((why = conf_why_name(r->name)) != NULL) {
		conf_error(conf_where(conf), 0, "remote \"%s\" %s", r->name,
		    why);
		errors++;
	} else if (conf_remote(conf, r->name) != r) {
		conf_error(conf_where(conf), 0, "there are two remotes "
		    "\"%s\"", r->name);
		errors++;
	}
	if (r->url == NULL) {
		conf_error(conf_where(conf), 0, "remote \"%s\" has no "
		    "address", r->name);
		errors++;
	}
	if ((other = same_bucket(conf, r)) != NULL) {
		conf_error(conf_where(conf), 0, "remotes \"%s\" and \"%s\" "
		    "have one bucket and prefix: give each a prefix of its "
		    "own", other->name, r->name);
		errors++;
	}
	return (errors);
}

/* What says nothing without something else. */
static int
life_finish(const struct conf *conf, const struct conf_database *db)
{
	const struct conf_target	*t;
	int				 errors = 0, keeps = db->keep.set;

	TAILQ_FOREACH(t, &db->targets, entry)
		keeps |= t->keep.set;
	if (db->expire_named && !keeps) {
		conf_error(conf_where(conf), 0, "database \"%s\" lets named "
		    "backups expire, but keeps all; add keep last NUMBER",
		    db->name);
		errors++;
	}
	if (db->spool_limit != 0 && TAILQ_EMPTY(&db->targets)) {
		conf_error(conf_where(conf), 0, "database \"%s\" limits "
		    "what waits for remotes, but has none", db->name);
		errors++;
	}
	return (errors);
}

static int
database_finish(struct conf *conf, struct conf_database *db)
{
	const char	*why;
	int		 errors = 0;

	if ((why = conf_why_name(db->name)) != NULL) {
		conf_error(conf_where(conf), 0, "database \"%s\" %s",
		    db->name, why);
		errors++;
	} else if (conf_database(conf, db->name) != db) {
		conf_error(conf_where(conf), 0, "there are two databases "
		    "\"%s\"", db->name);
		errors++;
	}
	if (db->path == NULL) {
		conf_error(conf_where(conf), 0, "database \"%s\" has no path",
		    db->name);
		errors++;
	} else if (db->path[0] != '/') {
		conf_error(conf_where(conf), 0, "the path \"%s\" of database "
		    "\"%s\" must be absolute", db->path, db->name);
		errors++;
	}
	conf_targets_default(conf, db);
	return (errors + life_finish(conf, db));
}

static int
backup_dir_finish(struct conf *conf)
{
	const char	*why, *text;

	if (conf->backup_dir == NULL) {
		text = geteuid() == 0 ? BACKUP_DIR_ROOT : BACKUP_DIR_USER;
		conf->backup_dir = conf_path_directory(text,
		    CONF_BACKUP_DIR_MAX, &why);
		if (conf->backup_dir == NULL) {
			conf_error(conf_where(conf), 0, "the default backup "
			    "directory \"%s\" %s", text, why);
			return (1);
		}
	}
	if (conf->backup_dir[0] != '/') {
		conf_error(conf_where(conf), 0, "the backup directory \"%s\" "
		    "must be absolute", conf->backup_dir);
		return (1);
	}
	return (0);
}

int
conf_finish(struct conf *conf)
{
	struct conf_remote	*r;
	struct conf_database	*db;
	int			 errors;

	errors = listens_finish(conf) + backup_dir_finish(conf);
	TAILQ_FOREACH(r, &conf->remotes, entry)
		errors += remote_finish(conf, r);
	TAILQ_FOREACH(db, &conf->databases, entry)
		errors += database_finish(conf, db);
	if (TAILQ_EMPTY(&conf->databases))
		conf_warning(conf_where(conf), 0, "there is no database, so "
		    "nothing is backed up; database \"NAME\" { path "
		    "\"PATH\" } adds one");
	return (errors == 0 ? 0 : -1);
}
