/*
 * The looker: a program of its own, made of those parts of the worker that
 * look before SQLite does.  It stays for a while, so that a schedule that
 * finds nothing to copy does not start a process; it answers one look
 * after the other on descriptor 3, and keeps nothing between them.
 *
 * It sees every file, so it must do nothing else: it parses nothing but
 * our own messages and the numbers of a header, is linked with neither
 * SQLite nor any cipher, and can open for reading only.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/caps.h"
#include "common/chan.h"
#include "common/compat.h"
#include "common/drop.h"
#include "common/filesystem.h"
#include "common/log.h"
#include "common/procs.h"
#include "common/sandbox.h"
#include "common/try.h"
#include "daemon/worker/look.h"
#include "daemon/worker/worker.h"

#define CHANNEL_FD	3
#define START_WAIT_MS	10000

/* For good, and for all that is looked at later. */
static void
confine(const struct m_look_start *o)
{
	struct sandbox_path	p;

	p.path = "/";
	p.rights = SANDBOX_READ;
	if ((p.fd = open(p.path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		fatal("/");
	caps_reader(o->uid, o->gid);
	/* Changing the uid reset both. */
	procs_die_with_parent(SIGTERM);
	drop_harden();
	drop_limits(DROP_FORK);
	if (sandbox_enter(SANDBOX_LOOKER, &p, 1, NULL) == -1)
		fatal("cannot confine the looker");
	close(p.fd);
	filesystem_watch();
}

static void
start_take(struct chan *engine)
{
	struct m_look_start	o;
	struct msg		m;
	int			r;

	if ((r = chan_wait(engine, &m, START_WAIT_MS)) == -1)
		fatalx("no order: %s", chan_error(engine));
	if (r == 0 || m.type != MSG_LOOK_START)
		fatalx("no LOOK_START");
	memcpy(&o, m.data, sizeof(o));
	confine(&o);
}

static void
look(struct chan *engine, const struct msg *m)
{
	struct m_look		o;
	struct m_signature	s;
	struct m_error		e;
	struct look		l;

	memcpy(&o, m->data, sizeof(o));
	if (look_open(&o, &l, &e) == -1) {
		chan_send(engine, MSG_LOOK_FAILED, m->id, &e, sizeof(e), -1);
		return;
	}
	signature_take(&l, &s);
	look_free(&l);
	chan_send(engine, MSG_LOOK_SIGNED, m->id, &s, sizeof(s), -1);
}

/* Until the engine lets go of it. */
static void
serve(struct chan *engine)
{
	struct msg	m;

	while (chan_wait(engine, &m, -1) == 1) {
		if (m.type != MSG_LOOK)
			fatalx("%s is not a look", msg_desc(m.type)->name);
		look(engine, &m);
		if (chan_drain(engine) == -1)
			return;
	}
	if (strcmp(chan_error(engine), "closed") != 0)
		fatalx("%s", chan_error(engine));
}

int
main(int argc, char *argv[])
{
	struct chan		*engine;
	enum sandbox_mode	 mode;
	pid_t			 parent = getppid();
	int			 ch, to_stderr = 0, verbose = 0;

	while ((ch = getopt(argc, argv, "dvs:" TRY_OPTION)) != -1) {
		switch (ch) {
		case 'd':
			to_stderr = 1;
			break;
		case 's':
			if (sandbox_mode_parse(optarg, &mode) == -1)
				return (1);
			sandbox_mode_set(mode);
			break;
		case 'v':
			verbose = 1;
			break;
		TRY_CASE
		default:
			return (1);
		}
	}
	closefrom(CHANNEL_FD + 1);
	log_init("looker", to_stderr, verbose);
	procs_die_with_parent(SIGTERM);
	if (getppid() != parent)
		return (1);
	drop_harden();
	engine = chan_new(CHANNEL_FD, ROLE_LOOKER, ROLE_ENGINE);
	start_take(engine);
	serve(engine);
	chan_free(engine);
	return (0);
}
