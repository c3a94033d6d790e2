/*
 * cloudbackupd-front: speaks HTTP with clients.  It runs as an
 * unprivileged user in an empty directory and is not trusted by the
 * engine: it owns listening sockets that the engine opened and the
 * connections it accepts, can name no file, and passes every connection to
 * the engine, which asks the kernel who is there.  Descriptor 3 is the
 * channel to the engine, 4 the one to the network process.
 */
#include <event2/event.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/drop.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/try.h"
#include "common/util.h"
#include "daemon/front/front.h"

#define FD_ENGINE	3
#define FD_NETWORK	4

struct front	front;

static enum { WANT_CONF, WANT_LISTEN, RUNNING }	phase;

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr, "usage: cloudbackupd-front [-dv] [-s mode] "
	    "[-u user -r dir]\n"
	    "cloudbackupd starts this program; it is of no use alone.\n");
	exit(1);
}

int
front_has_remote(void)
{
	return (front.conf.remotes > 0 && front.network != NULL);
}

static void
take_conf(const struct m_front_conf *conf)
{
	if (!msg_text_ok(conf->user.id) || !msg_text_ok(conf->remote_url) ||
	    !msg_text_ok(conf->remote_name))
		fatalx("engine sent a configuration that is none");
	front.conf = *conf;
	front.compat_node = (conf->flags & FRONT_COMPAT_NODE) != 0;
	guard_origins_forget();
}

/* Messages that come once, at start. */
static void
take_start(const struct msg *m)
{
	if (m->type == MSG_FRONT_CONF && phase == WANT_CONF) {
		take_conf(m->data);
		phase = WANT_LISTEN;
	} else if (m->type == MSG_FRONT_TLS && phase == WANT_LISTEN)
		tls_take(m->id, m->data);
	else if (m->type == MSG_FRONT_LISTEN && phase == WANT_LISTEN)
		server_listen(m->id, m->data, m->fd);
	else if (m->type == MSG_FRONT_ORIGIN && phase == WANT_LISTEN)
		guard_origin_add(m->data);
	else if (m->type == MSG_FRONT_START && phase == WANT_LISTEN) {
		phase = RUNNING;
		front.running = 1;
		server_start(front.conf.connections_max);
		api_license_start();
	} else
		fatalx("engine sent %s at the wrong time",
		    msg_desc(m->type)->name);
}

static void
take_log(const struct m_log *m)
{
	if (m->level >= LOG_LEVELS)
		fatalx("engine sent a level of the log that is none");
	log_set_verbose(m->level == LOG_VERBOSE);
}

/* What may come again while we serve: 1 it was that. */
static int
take_change(const struct msg *m)
{
	switch (m->type) {
	case MSG_FRONT_CONF:
		take_conf(m->data);
		server_limit(front.conf.connections_max);
		api_license_start();
		break;
	case MSG_FRONT_ORIGIN:
		guard_origin_add(m->data);
		break;
	case MSG_FRONT_TLS:
		tls_take(m->id, m->data);
		break;
	case MSG_FRONT_LISTEN:
		server_listen(m->id, m->data, m->fd);
		break;
	case MSG_FRONT_UNLISTEN:
		server_unlisten(m->id);
		break;
	case MSG_FRONT_LOG:
		take_log(m->data);
		break;
	default:
		return (0);
	}
	return (1);
}

static void
on_engine(struct chan *chan, const struct msg *m, void *arg)
{
	/* For the last words to who reads them. */
	const struct timeval	last = { 0, 100000 };

	(void)arg;
	if (m == NULL) {
		/* Nothing can be answered without it. */
		if (strcmp(chan_error(chan), "closed") != 0)
			fatalx("engine: %s", chan_error(chan));
		log_debug("the engine has ended");
		if (!output_waiting())
			exit(0);
		if (event_base_loopexit(front.base, &last) == -1)
			fatalx("event_base_loopexit");
		return;
	}
	if (phase != RUNNING || m->type == MSG_FRONT_START)
		take_start(m);
	else if (m->type == MSG_CONN_RIGHTS)
		conn_rights(m->id, m->data);
	else if (m->type == MSG_EVENT)
		stream_told(m->data);
	else if (!take_change(m))
		link_from_engine(m);
}

/* It parses what strangers send: when it breaks, local backups go on. */
static void
network_lost(const char *why)
{
	log_info("the network process: %s", why);
	chan_free(front.network);
	front.network = NULL;
	link_network_lost();
}

static void
on_network(struct chan *chan, const struct msg *m, void *arg)
{
	const char	*why;

	(void)arg;
	if (m == NULL)
		network_lost(chan_error(chan));
	else if (link_from_network(m, &why) == -1)
		network_lost(why);
}

static void
signals_init(void)
{
	/* The terminal and the service manager tell the engine too, which
	 * ends us in order, by closing its channel. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGHUP, SIG_IGN) == SIG_ERR ||
	    signal(SIGINT, SIG_IGN) == SIG_ERR ||
	    signal(SIGTERM, SIG_IGN) == SIG_ERR)
		fatal("signal");
}

/* The last thing before a stranger's byte is read. */
static void
confine(const char *root)
{
	drop_harden();
	drop_limits(DROP_FORK | DROP_FILES);
	if (sandbox_enter(SANDBOX_FRONT, NULL, 0, root) == -1)
		fatal("cannot confine this process");
}

static void
set_mode(const char *name)
{
	enum sandbox_mode	mode;

	if (sandbox_mode_parse(name, &mode) == -1)
		usage();
	sandbox_mode_set(mode);
}

int
main(int argc, char *argv[])
{
	const char	*user = NULL, *root = NULL;
	int		 ch, debug = 0, verbose = 0;

	while ((ch = getopt(argc, argv, "dr:s:u:v" TRY_OPTION)) != -1) {
		switch (ch) {
		case 'd':
			debug = 1;
			break;
		case 'r':
			root = optarg;
			break;
		case 's':
			set_mode(optarg);
			break;
		case 'u':
			user = optarg;
			break;
		case 'v':
			verbose = 1;
			break;
		TRY_CASE
		default:
			usage();
		}
	}
	if (optind != argc || (user == NULL) != (root == NULL))
		usage();
	closefrom(FD_NETWORK + 1);
	log_init("front", debug, verbose);
	tls_init();
	if (user != NULL)
		drop_privileges(user, root);
	if ((front.base = event_base_new()) == NULL)
		fatalx("event_base_new");
	signals_init();
	front.engine = chan_new(FD_ENGINE, ROLE_FRONT, ROLE_ENGINE);
	chan_attach(front.engine, front.base, on_engine, NULL);
	front.network = chan_new(FD_NETWORK, ROLE_FRONT, ROLE_NETWORK);
	chan_attach(front.network, front.base, on_network, NULL);
	confine(root);
	if (event_base_dispatch(front.base) == -1)
		fatalx("event_base_dispatch");
	return (0);
}
