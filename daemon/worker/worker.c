/*
 * The worker: one process for each job that reads or writes a database,
 * forked and executed by the engine, gone when done.  It owns one database
 * or one artifact, as descriptors; it takes one order on descriptor 3,
 * reports progress, and answers once.  It must not open anything that its
 * order does not name, and never talks to anybody but the engine.
 *
 * It starts with the engine's uid, looks at the path it was given, and
 * becomes the owner of the database before SQLite sees a byte of it.
 */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/compat.h"
#include "common/drop.h"
#include "common/log.h"
#include "common/procs.h"
#include "common/sandbox.h"
#include "common/thread.h"
#include "common/try.h"
#include "common/util.h"
#include "daemon/worker/worker.h"

#define CHANNEL_FD	3
#define ORDER_WAIT_MS	10000
#define PROGRESS_US	100000
#define WORD_WAIT_MS	200

static struct chan		*engine;
static volatile sig_atomic_t	 stop;
static int			 files[W_FILE_KINDS];
static struct m_w_progress	 progress;	/* as it was last told */
static _Atomic uint64_t		 spent_us[PHASE_COUNT];

int
worker_stopping(void)
{
	return (stop != 0);
}

void
worker_spent(enum phase phase, uint64_t us)
{
	atomic_fetch_add_explicit(&spent_us[phase], us, memory_order_relaxed);
}

uint64_t
worker_lap(enum phase phase, uint64_t since_us)
{
	uint64_t	now_us = util_monotonic_us();

	worker_spent(phase, now_us - since_us);
	return (now_us);
}

uint64_t
worker_spent_us(enum phase phase)
{
	return (atomic_load_explicit(&spent_us[phase], memory_order_relaxed));
}

/* How far it is, with the time spent since that was last told. */
static void
progress_send(void)
{
	static struct m_phases	told;
	uint64_t		us;
	size_t			i;

	for (i = 0; i < PHASE_COUNT; i++) {
		us = worker_spent_us((enum phase)i);
		progress.spent.us[i] = us - told.us[i];
		told.us[i] = us;
	}
	chan_send(engine, MSG_W_PROGRESS, 0, &progress, sizeof(progress), -1);
}

void
worker_progress(const char *phase, uint64_t done, uint64_t total)
{
	static uint64_t	last_us;
	uint64_t	now_us = util_monotonic_us();

	if (strcmp(phase, progress.phase) == 0 &&
	    now_us - last_us < PROGRESS_US)
		return;
	memset(&progress, 0, sizeof(progress));
	strlcpy(progress.phase, phase, sizeof(progress.phase));
	progress.bytes_done = done;
	progress.bytes_total = total;
	last_us = now_us;
	/* Progress is not worth waiting for a full socket. */
	if (chan_queued(engine) == 0)
		progress_send();
	if (chan_write(engine) == -1)
		stop = 1;
}

void
worker_warn(enum err code, const char *fmt, ...)
{
	struct m_error	e;
	va_list		ap;

	memset(&e, 0, sizeof(e));
	e.code = code;
	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	chan_send(engine, MSG_W_WARNING, 0, &e, sizeof(e), -1);
}

int
worker_file(int kind)
{
	return (files[kind]);
}

void
worker_file_close(int kind)
{
	if (files[kind] != -1)
		close(files[kind]);
	files[kind] = -1;
}

void
worker_lock_row(const struct m_lock_row *row)
{
	chan_send(engine, MSG_W_LOCK_ROW, 0, row, sizeof(*row), -1);
	if (chan_drain(engine) == -1)
		stop = 1;
}

void
worker_names(const struct m_w_names *names)
{
	chan_send(engine, MSG_W_NAMES, 0, names, sizeof(*names), -1);
	if (chan_drain(engine) == -1)
		stop = 1;
}

void
worker_table(const struct m_w_table *row)
{
	chan_send(engine, MSG_W_TABLE, 0, row, sizeof(*row), -1);
	if (chan_drain(engine) == -1)
		stop = 1;
}

/* 0 when it is of that type, 1 when nothing has come yet, or -1. */
static int
word(enum msg_type type)
{
	struct msg	m;
	int		r;

	if ((r = chan_wait(engine, &m, WORD_WAIT_MS)) == 0)
		return (stop ? -1 : 1);
	return (r == 1 && m.type == type ? 0 : -1);
}

int
worker_sound(const char *phase, uint64_t bytes)
{
	int	r;

	while ((r = word(MSG_W_SOUND)) == 1)
		worker_progress(phase, bytes, bytes);
	return (r);
}

int
worker_safety(const struct m_w_captured *c)
{
	int	r;

	chan_send(engine, MSG_W_SAFETY, 0, c, sizeof(*c), -1);
	if (chan_drain(engine) == -1)
		return (-1);
	while ((r = word(MSG_W_GO)) == 1)
		;
	return (r);
}

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void
signals_init(void)
{
	struct sigaction	sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_signal;
	if (sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		fatal("sigaction");
	sa.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &sa, NULL) == -1)
		fatal("sigaction");
}

/* The answer to an order: its result, or what went wrong; and before it
 * where the rest of the time went. */
static void
answer(int result, enum msg_type type, const void *data, size_t size,
    const struct m_error *e)
{
	if (progress.phase[0] != '\0')
		progress_send();
	if (result == 0)
		chan_send(engine, type, 0, data, size, -1);
	else
		chan_send(engine, MSG_W_FAILED, 0, e, sizeof(*e), -1);
}

static void
on_capture(const struct msg *m)
{
	struct m_w_capture	o;
	struct m_w_captured	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(capture_run(&o, m->fd, &r, &e), MSG_W_CAPTURED, &r, sizeof(r),
	    &e);
}

static void
on_verify(const struct msg *m)
{
	struct m_w_verify	o;
	struct m_w_verified	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(verify_run(&o, m->fd, &r, &e), MSG_W_VERIFIED, &r, sizeof(r),
	    &e);
}

static void
on_inspect(const struct msg *m)
{
	struct m_w_inspect	o;
	struct m_file_info	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(inspect_run(&o, &r, &e), MSG_W_INSPECTED, &r, sizeof(r), &e);
}

static void
on_locks(const struct msg *m)
{
	struct m_w_inspect	o;
	struct m_locks_end	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(locks_run(&o, &r, &e), MSG_W_LOCKED, &r, sizeof(r), &e);
}

static void
on_glob(const struct msg *m)
{
	struct m_w_inspect	o;
	struct m_w_globbed	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(glob_run(&o, &r, &e), MSG_W_GLOBBED, &r, sizeof(r), &e);
}

static void
on_convert(const struct msg *m)
{
	struct m_w_convert	o;
	struct m_w_converted	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(convert_run(&o, &r, &e), MSG_W_CONVERTED, &r, sizeof(r), &e);
}

static void
on_pack(const struct msg *m)
{
	struct m_w_pack		o;
	struct m_w_packed	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(pack_run(&o, &r, &e), MSG_W_PACKED, &r, sizeof(r), &e);
}

/* Its identities are a secret. */
static void
on_unpack(const struct msg *m)
{
	struct m_w_unpack	o;
	struct m_w_unpacked	r;
	struct m_error		e;
	int			rv;

	memcpy(&o, m->data, sizeof(o));
	chan_wipe(engine);
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	rv = unpack_run(&o, &r, &e);
	explicit_bzero(&o, sizeof(o));
	answer(rv, MSG_W_UNPACKED, &r, sizeof(r), &e);
}

static void
on_restore(const struct msg *m)
{
	struct m_w_restore	o;
	struct m_w_restored	r;
	struct m_error		e;

	memcpy(&o, m->data, sizeof(o));
	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	answer(restore_run(&o, &r, &e), MSG_W_RESTORED, &r, sizeof(r), &e);
}

static const struct {
	enum msg_type	type;
	void		(*run)(const struct msg *);
} orders[] = {
	{ MSG_W_CAPTURE,	on_capture },
	{ MSG_W_VERIFY,		on_verify },
	{ MSG_W_INSPECT,	on_inspect },
	{ MSG_W_LOCKS,		on_locks },
	{ MSG_W_CONVERT,	on_convert },
	{ MSG_W_PACK,		on_pack },
	{ MSG_W_UNPACK,		on_unpack },
	{ MSG_W_GLOB,		on_glob },
	{ MSG_W_RESTORE,	on_restore },
};

static void
file_take(const struct msg *m)
{
	struct m_w_file	f;

	memcpy(&f, m->data, sizeof(f));
	if (f.kind >= W_FILE_KINDS || files[f.kind] != -1)
		fatalx("impossible W_FILE");
	files[f.kind] = m->fd;
}

static void
order_take(void)
{
	struct msg	m;
	size_t		i;
	int		r;

	for (i = 0; i < W_FILE_KINDS; i++)
		files[i] = -1;
	do {
		if ((r = chan_wait(engine, &m, ORDER_WAIT_MS)) == -1)
			fatalx("no order: %s", chan_error(engine));
		if (r == 0)
			fatalx("no order within %d ms", ORDER_WAIT_MS);
		if (m.type == MSG_W_FILE)
			file_take(&m);
	} while (m.type == MSG_W_FILE);
	for (i = 0; i < nitems(orders); i++) {
		if (orders[i].type == m.type) {
			orders[i].run(&m);
			return;
		}
	}
	fatalx("%s is not an order", msg_desc(m.type)->name);
}

int
main(int argc, char *argv[])
{
	pid_t	parent = getppid();
	int	ch, to_stderr = 0, verbose = 0;
	enum sandbox_mode mode;

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
	/* First, or syslog's descriptor would be closed, its number given
	 * to the database, and a line of the log written there. */
	closefrom(CHANNEL_FD + 1);
	log_init("worker", to_stderr, verbose);
	signals_init();
	procs_die_with_parent(SIGTERM);
	if (getppid() != parent)
		return (1);
	drop_harden();
	thread_long_turns(1);
	engine = chan_new(CHANNEL_FD, ROLE_WORKER, ROLE_ENGINE);
	order_take();
	if (chan_drain(engine) == -1)
		return (1);
	chan_free(engine);
	return (0);
}
