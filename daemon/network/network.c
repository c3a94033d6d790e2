/*
 * cloudbackupd-network: all that goes to and comes from remotes.  It runs
 * as a user of its own in a root that holds only the resolver's files, and
 * owns the remotes' credentials and connections.  The bytes of backups
 * pass through it by descriptors that the engine opened; it names no file
 * and sees no database.
 *
 * Started by the engine only: descriptor 3 leads to it, 4 to front.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <event2/event.h>

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/drop.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/try.h"
#include "daemon/network/curl_loop.h"
#include "daemon/network/hook.h"
#include "daemon/network/jail.h"
#include "daemon/network/remote.h"
#include "daemon/network/serve.h"
#include "daemon/network/task.h"

#define ENGINE_FD	3
#define FRONT_FD	4

struct options {
	int		 to_stderr, verbose;
	const char	*user, *root;
	enum sandbox_mode mode;
};

static void
usage(void)
{
	fprintf(stderr, "usage: cloudbackupd-network [-dv] [-s mode] "
	    "[-u user -r dir]\n"
	    "It is started by cloudbackupd.\n");
	exit(1);
}

static void
parse_options(struct options *o, int argc, char *argv[])
{
	int	c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt(argc, argv, "dvs:u:r:" TRY_OPTION)) != -1) {
		switch (c) {
		case 'd':
			o->to_stderr = 1;
			break;
		case 'v':
			o->verbose = 1;
			break;
		case 's':
			if (sandbox_mode_parse(optarg, &o->mode) == -1)
				usage();
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'r':
			o->root = optarg;
			break;
		TRY_CASE
		default:
			usage();
		}
	}
	if (optind != argc || (o->user == NULL) != (o->root == NULL))
		usage();
}

static void
check_descriptors(void)
{
	struct stat	sb;
	int		fd;

	for (fd = ENGINE_FD; fd <= FRONT_FD; fd++) {
		if (fstat(fd, &sb) == -1 || !S_ISSOCK(sb.st_mode))
			usage();
	}
	closefrom(FRONT_FD + 1);
}

/* What libraries read once, while the files are in sight. */
static void
warm_up(void)
{
	struct addrinfo	*ai;

	tzset();
	if (getaddrinfo("localhost", NULL, NULL, &ai) == 0)
		freeaddrinfo(ai);
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		fatalx("curl_global_init");
	jail_load_certificates();
}

static void
ignore_signals(void)
{
	static const int	ignored[] = { SIGPIPE, SIGHUP, SIGINT,
				    SIGTERM };
	struct sigaction	sa;
	size_t			i;

	/* The engine decides when we end: its channel closes. */
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < nitems(ignored); i++) {
		if (sigaction(ignored[i], &sa, NULL) == -1)
			fatal("sigaction");
	}
}

int
main(int argc, char *argv[])
{
	struct options		 o;
	struct event_base	*base;

	parse_options(&o, argc, argv);
	check_descriptors();
	log_init("network", o.to_stderr, o.verbose);
	sandbox_mode_set(o.mode);
	ignore_signals();
	warm_up();
	if (o.user != NULL) {
		jail_prepare(o.root);
		drop_privileges(o.user, o.root);
	} else if (geteuid() == 0)
		fatalx("root must name a user to become");
	drop_harden();
	jail_confine(o.root);

	if ((base = event_base_new()) == NULL)
		fatalx("event_base_new");
	curl_loop_open(base);
	task_open(base);
	serve_open(base, ENGINE_FD, FRONT_FD);
	log_debug("ready");
	if (event_base_dispatch(base) == -1)
		fatalx("event_base_dispatch");
	hook_close();
	task_close();
	curl_loop_close();
	serve_close();
	remote_free_all();
	event_base_free(base);
	return (0);
}
