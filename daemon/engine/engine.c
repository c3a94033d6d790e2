/*
 * The engine: the parent of the other processes, root or the user who
 * starts it.  It owns the configuration, the catalog, the backup directory
 * and the queue of jobs; it reads only our own messages.  It never opens a
 * database, and nothing in its loop waits for one.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/drop.h"
#include "common/log.h"
#include "common/machine.h"
#include "common/sandbox.h"
#include "common/util.h"
#include "daemon/engine/drill.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/expire.h"
#include "daemon/engine/lookers.h"
#include "daemon/engine/metrics.h"
#include "daemon/engine/reload.h"

#define RUN_DIR		"/run/cloudbackupd"
#define FRONT_ROOT	RUN_DIR "/empty"
#define NETWORK_ROOT	RUN_DIR "/network"
#define STOP_SECONDS	8
#define SIGNALS		4
#define UID_NOBODY	65534
#define UID_FIRST	61184		/* nobody's: the range that service */
#define UID_LAST	65519		/* managers use for dynamic users */

/* ---- users ---- */

static struct passwd *
user_lookup(const char *name)
{
	struct passwd	*pw;

	if ((pw = getpwnam(name)) == NULL)
		fatalx("there is no user \"%s\"; make it with: useradd "
		    "--system --user-group --no-create-home --home-dir "
		    "/nonexistent --shell /usr/sbin/nologin %s", name, name);
	if (pw->pw_uid == 0)
		fatalx("user \"%s\" is root", name);
	return (pw);
}

/* A uid that nobody has: content of strangers is parsed under it. */
static uid_t
uid_unused(void)
{
	uid_t	uid;

	for (uid = UID_LAST; uid >= UID_FIRST; uid--) {
		if (getpwuid(uid) == NULL && getgrgid((gid_t)uid) == NULL)
			return (uid);
	}
	fatalx("no uid between %d and %d is free", UID_FIRST, UID_LAST);
}

static void
users_init(struct engine *e)
{
	struct passwd	*pw;

	e->look.uids_refused[0] = e->look.uids_refused[1] =
	    e->look.uids_refused[2] = UID_NONE;
	if (geteuid() != 0)
		return;
	e->look.uids_refused[2] = UID_NOBODY;
	e->look.uids_refused[0] = user_lookup(e->conf->user_front)->pw_uid;
	e->look.uids_refused[1] = user_lookup(e->conf->user_network)->pw_uid;
	if (e->look.uids_refused[0] == e->look.uids_refused[1])
		fatalx("front and network must be two users");
	if (e->conf->user_verify != NULL) {
		pw = user_lookup(e->conf->user_verify);
		e->verify_uid = pw->pw_uid;
		e->verify_gid = pw->pw_gid;
	} else
		e->verify_uid = e->verify_gid = uid_unused();
}

/* Roots for front and network: owned by root, writable by nobody else. */
static void
roots_make(void)
{
	static const char *const	dirs[] = { RUN_DIR, FRONT_ROOT,
					    NETWORK_ROOT };
	struct stat			st;
	size_t				i;

	for (i = 0; i < nitems(dirs); i++) {
		if (mkdir(dirs[i], 0755) == -1 && errno != EEXIST)
			fatal("%s", dirs[i]);
		if (lstat(dirs[i], &st) == -1)
			fatal("%s", dirs[i]);
		if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
		    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
			fatalx("%s must be a directory of root's that nobody "
			    "else may write to", dirs[i]);
	}
}

/*
 * Descriptors enough: one for a connection while it is looked at, and one
 * for a file that is sent.
 */
static void
descriptors_raise(const struct conf *conf)
{
	struct rlimit	lim;
	rlim_t		want = 512 + 2 * (rlim_t)conf->connections_max;

	if (getrlimit(RLIMIT_NOFILE, &lim) == -1)
		fatal("getrlimit");
	if (lim.rlim_max != RLIM_INFINITY && lim.rlim_max < want) {
		log_warnx("this process may have no more than %ju "
		    "descriptors, too few for %u connections",
		    (uintmax_t)lim.rlim_max, conf->connections_max);
		want = lim.rlim_max;
	}
	if (lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur >= want)
		return;
	lim.rlim_cur = want;
	if (setrlimit(RLIMIT_NOFILE, &lim) == -1)
		fatal("setrlimit of descriptors");
}

static void
confine(const struct conf *conf)
{
	descriptors_raise(conf);
	caps_engine();
	drop_harden();
	sandbox_mode_set(conf->sandbox);
	if (sandbox_enter(SANDBOX_ENGINE, NULL, 0, NULL) == -1)
		fatal("cannot confine this process");
}

/* ---- children ---- */

static void
children_start(struct engine *e)
{
	int		 ef[2], en[2], fn[2], fds[2];
	int		 drop = geteuid() == 0;

	if (drop)
		roots_make();
	if (spawn_pair(ef) == -1 ||		/* engine - front */
	    spawn_pair(en) == -1 ||		/* engine - network */
	    spawn_pair(fn) == -1)		/* front - network */
		fatal("socketpair");
	fds[0] = ef[1];
	fds[1] = fn[0];
	e->front.pid = spawn_program(e, "cloudbackupd-front", fds, 2,
	    drop ? e->conf->user_front : NULL, FRONT_ROOT);
	fds[0] = en[1];
	fds[1] = fn[1];
	e->network.pid = spawn_program(e, "cloudbackupd-network", fds, 2,
	    drop ? e->conf->user_network : NULL, NETWORK_ROOT);
	if (e->front.pid == -1 || e->network.pid == -1)
		fatalx("cannot start");
	close(ef[1]);
	close(en[1]);
	close(fn[0]);
	close(fn[1]);
	e->front.name = "front";
	e->network.name = "network";
	e->front.chan = chan_new(ef[0], ROLE_ENGINE, ROLE_FRONT);
	e->network.chan = chan_new(en[0], ROLE_ENGINE, ROLE_NETWORK);
}

/* ---- the end ---- */

/* The network ends when front does, and may be seen to do so first: then
 * front has the first word, as it is the one to blame. */
static void
sibling_look(struct engine *e, const struct child *c)
{
	if (c == &e->network && !e->stopping)
		chan_look(e->front.chan);
}

/*
 * When front dies, network ends by itself, and may be seen first: so that
 * how one ended counts, not whether we are already stopping.
 */
static void
child_reaped(struct engine *e, struct child *c, int status)
{
	char	how[64];

	sibling_look(e, c);
	task_status_text(status, how);
	if (e->stopping && status == 0)
		log_debug("%s ended (%s)", c->name, how);
	else {
		log_warnx("%s (pid %d) died: %s; stopping", c->name,
		    (int)c->pid, how);
		e->failed = 1;
	}
	c->pid = 0;
	engine_stop(e);
}

/*
 * One that sends what none of ours would is none of ours any more; nor is
 * one that closes and lives.  One that died says more by its status.
 */
static void
child_lost(struct engine *e, struct child *c)
{
	struct timespec	pause = { 0, 10000000L };
	int		tries, status;

	if (strcmp(chan_error(c->chan), "closed") != 0)
		fatalx("%s", chan_error(c->chan));
	for (tries = 0; !e->stopping && c->pid != 0 && tries < 20; tries++) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
			child_reaped(e, c, status);
			return;
		}
		nanosleep(&pause, NULL);
	}
	if (!e->stopping) {
		log_warnx("%s closed its channel; stopping", c->name);
		e->failed = 1;
	}
	engine_stop(e);
}

static void
on_front(struct chan *c, const struct msg *m, void *arg)
{
	struct engine	*e = arg;

	if (m == NULL) {
		child_lost(e, &e->front);
		return;
	}
	requests_message(c, m, e);
	(void)flow_full(e);
}

static void
on_network(struct chan *c, const struct msg *m, void *arg)
{
	struct engine	*e = arg;

	if (m == NULL)
		child_lost(e, &e->network);
	else
		remotes_message(c, m, e);
}

static void
on_child(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;
	pid_t		 pid;
	int		 status;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == e->front.pid)
			child_reaped(e, &e->front, status);
		else if (pid == e->network.pid)
			child_reaped(e, &e->network, status);
		else if (!lookers_reaped(e, pid, status))
			(void)task_reaped(e, pid, status);
	}
	engine_stop_check(e);
}

static void
on_terminate(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_info("signal %d, stopping", (int)sig);
	engine_stop(arg);
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	log_warnx("not everything ended within %d seconds", STOP_SECONDS);
	tasks_kill(e);
	lookers_kill(e);
	event_base_loopbreak(e->base);
}

void
engine_stop(struct engine *e)
{
	struct timeval	tv = { STOP_SECONDS, 0 };

	if (e->stopping)
		return;
	e->stopping = 1;
	manager_stopping();
	listeners_close(e->conf);
	event_add(e->stop_timer, &tv);
	watch_stop(e);
	tasks_stop(e);
	lookers_stop(e);
	engine_stop_check(e);
}

void
engine_stop_check(struct engine *e)
{
	if (e->stopping && TAILQ_EMPTY(&e->tasks) && lookers_gone(e))
		event_base_loopexit(e->base, NULL);
}

/* Front and network end when their channels close. */
static void
children_end(struct engine *e)
{
	struct child	*c, *children[] = { &e->front, &e->network };
	struct timespec	 pause = { 0, 10000000L };
	size_t		 i;
	int		 tries, status;

	for (i = 0; i < nitems(children); i++) {
		c = children[i];
		(void)chan_write(c->chan);	/* the last answers */
		chan_free(c->chan);
		c->chan = NULL;
	}
	for (tries = 0; tries < 300; tries++) {
		for (i = 0; i < nitems(children); i++) {
			c = children[i];
			if (c->pid != 0 &&
			    waitpid(c->pid, &status, WNOHANG) == c->pid)
				child_reaped(e, c, status);
		}
		if (e->front.pid == 0 && e->network.pid == 0)
			return;
		nanosleep(&pause, NULL);
	}
	for (i = 0; i < nitems(children); i++) {
		if (children[i]->pid != 0)
			kill(children[i]->pid, SIGKILL);
	}
}

/* ---- the whole ---- */

/* What a valid licence says, if it is known yet, and else this machine. */
static void
identity_say(struct conf_database *d, const struct m_license_ids *ids,
    const char *machine)
{
	if (d->user_default && ids->user.kind != USER_NONE)
		d->user = ids->user;
	else if (d->user_default) {
		memset(&d->user, 0, sizeof(d->user));
		d->user.kind = USER_TEXT;
		strlcpy(d->user.id, machine, sizeof(d->user.id));
	}
	if (!d->device_default)
		return;
	free(d->device_id);
	d->device_id = xstrdup(ids->device_id[0] != '\0' ?
	    ids->device_id : machine);
}

/* Who a database's backups belong to, where the configuration is silent. */
void
identity_set(struct conf *conf, const struct m_license_ids *ids)
{
	struct conf_database	*d;
	char			 id[USER_ID_BYTES];

	machine_id(id, sizeof(id));
	TAILQ_FOREACH(d, &conf->databases, entry) {
		d->user_default |= d->user.kind == USER_NONE;
		d->device_default |= d->device_id == NULL;
		identity_say(d, ids, id);
	}
}

/* Whoever can put another file in the place of a database gets it backed
 * up, and what is restored. */
static void
exposed_warn(const struct conf *conf)
{
	const struct conf_database	*d;

	TAILQ_FOREACH(d, &conf->databases, entry) {
		if (d->exposed != NULL)
			log_warnx("the path of the database %s passes "
			    "through %s, where others than its owner may put "
			    "another in its place", d->name, d->exposed);
	}
}

static void
engine_init(struct engine *e, struct conf *conf, struct store *store)
{
	long	n;

	e->conf = conf;
	e->store = store;
	e->catalog = store_catalog(store);
	e->started_ms = util_now_ms();
	TAILQ_INIT(&e->conns);
	TAILQ_INIT(&e->tasks);
	TAILQ_INIT(&e->remotes);
	TAILQ_INIT(&e->tls);
	users_init(e);
	identity_set(conf, &e->license_ids);
	e->connections_start = e->connections_top = conf->connections_max;
	store_identity(store, e->look.refused_dev, e->look.refused_ino);
	n = sysconf(_SC_NPROCESSORS_ONLN);
	e->jobs_max = n < 2 ? 2 : (uint32_t)n;
	if ((e->base = event_base_new()) == NULL)
		fatalx("event_base_new");
	if ((e->stop_timer = evtimer_new(e->base, on_stop_timer, e)) == NULL)
		fatalx("evtimer_new");
	jobs_init(e);
	lookers_init(e);
	rights_init(e);
}

static void
on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	reload_signal(arg);
}

static void
signals_init(struct engine *e, struct event *events[SIGNALS])
{
	size_t	i;

	(void)signal(SIGPIPE, SIG_IGN);
	events[0] = evsignal_new(e->base, SIGCHLD, on_child, e);
	events[1] = evsignal_new(e->base, SIGTERM, on_terminate, e);
	events[2] = evsignal_new(e->base, SIGINT, on_terminate, e);
	events[3] = evsignal_new(e->base, SIGHUP, on_hangup, e);
	for (i = 0; i < SIGNALS; i++) {
		if (events[i] == NULL || event_add(events[i], NULL) == -1)
			fatalx("evsignal_new");
	}
}

int
engine_run(struct conf *conf, struct store *store, int to_stderr, int verbose)
{
	struct engine	 e;
	struct event	*signals[SIGNALS];
	size_t		 i;

	memset(&e, 0, sizeof(e));
	e.to_stderr = to_stderr;
	e.verbose = verbose;
	engine_init(&e, conf, store);
	listeners_open(conf);
	signals_init(&e, signals);
	confine(conf);
	children_start(&e);
	chan_attach(e.front.chan, e.base, on_front, &e);
	chan_attach(e.network.chan, e.base, on_network, &e);
	store_sweep(store, adopt_orphan, &e);
	remotes_init(&e);
	globs_init(&e);
	hooks_init(&e);
	schedule_init(&e);
	drills_init(&e);
	owners_look(&e);
	expire_init(&e);
	front_start(&e);
	exposed_warn(conf);
	log_info("ready: version=%s configuration=%s backups=%s", VERSION,
	    conf->file, store_path(store));
	metrics_reloaded(1);
	manager_ready(&e);

	if (event_base_dispatch(e.base) == -1)
		fatal("event_base_dispatch");

	children_end(&e);
	globs_free(&e);
	schedule_free(&e);
	drills_free(&e);
	expire_free(&e);
	jobs_free(&e);
	lookers_free(&e);
	remotes_free(&e);
	hooks_free(&e);
	watch_free(&e);
	rights_free(&e);
	tls_free(&e);
	for (i = 0; i < nitems(signals); i++)
		event_free(signals[i]);
	event_free(e.stop_timer);
	manager_free();
	flow_free(&e);
	event_base_free(e.base);
	log_info("stopped");
	return (e.failed);
}
