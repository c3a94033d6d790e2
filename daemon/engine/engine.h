/*
 * What the parts of the engine share: the engine itself, its children, its
 * jobs and tasks.  There is one, made in engine.c.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <event2/event.h>
#include <stdint.h>

#include "common/chan.h"
#include "common/compat.h"
#include "daemon/engine/audit.h"
#include "daemon/engine/catalog.h"
#include "daemon/engine/conf.h"
#include "daemon/engine/rate.h"
#include "daemon/engine/store.h"
#include "proto/errors.h"
#include "proto/msg.h"

struct conn;
struct job;
struct lookers;
struct patterns;
struct remote;
struct scheduler;
struct task;
struct tls_watched;

struct child {			/* front or network */
	const char	*name;
	pid_t		 pid;		/* 0: ended */
	struct chan	*chan;
};

struct engine {
	struct conf		*conf;
	struct store		*store;
	struct catalog		*catalog;	/* the store's */
	struct event_base	*base;
	struct child		 front, network;
	TAILQ_HEAD(conn_list, conn) conns;
	uint32_t		 nconns;
	TAILQ_HEAD(, job)	 jobs;		/* newest last */
	TAILQ_HEAD(, task)	 tasks;
	struct lookers		*lookers;	/* lookers.c's */
	TAILQ_HEAD(, remote)	 remotes;
	struct patterns		*patterns;	/* glob.c's */
	struct scheduler	*scheduler;	/* schedule.c's */
	struct event		*jobs_timer;	/* the next job may begin */
	struct event		*stop_timer;
	struct event		*drills_timer;	/* drills.c's; NULL: not now */
	int			 drilling;
	TAILQ_HEAD(, tls_watched) tls;		/* tls.c's */
	struct event		*tls_timer;
	struct m_look		 look;		/* what every look refuses */
	uint32_t		 verify_uid, verify_gid;
	uint32_t		 jobs_max;	/* that run at once */
	uint64_t		 next_job;
	uint64_t		 next_transfer;	/* ids of NET_* messages */
	int			 to_stderr, verbose;
	struct event		*front_timer;	/* flow.c's */
	int			 front_full;	/* it does not read */
	int64_t			 started_ms;
	int			 watched;	/* watch.c's: front follows */
	struct event		*watch_timer;
	uint64_t		 moves;		/* of all jobs, so far */
	int			 stopping;
	struct m_license_ids	 license_ids;	/* the last that front told */
	uint32_t		 license_ids_due;	/* how often it may */
	uint32_t		 connections_start, connections_top; /* limits */
	int			 failed;	/* a child died: exit with 1 */
};

/* ---- engine.c ---- */

/* Runs until it is told to stop; the exit status. */
int	engine_run(struct conf *, struct store *, int to_stderr, int verbose);

/* Begins to stop, in order; again calls do nothing. */
void	engine_stop(struct engine *);

/* Whose databases these are, where the configuration does not say it: by a
 * licence (D14; all zero: there is none), or by this machine. */
void	identity_set(struct conf *, const struct m_license_ids *);

/* Called when a task or job ended while stopping. */
void	engine_stop_check(struct engine *);

/* ---- manager.c: the service manager ---- */

/* The daemon serves: says so, and from then on that it is not hung. */
void	manager_ready(struct engine *);
void	manager_stopping(void);
void	manager_reloading(void);
void	manager_reloaded(void);
void	manager_free(void);

/* ---- flow.c: front asks faster than it reads ---- */

/*
 * Is so much queued for front that nothing more may be asked or begun?
 * Then front is not read until it has taken most of that; when it does not
 * for a minute, the engine stops.
 */
int	flow_full(struct engine *);
void	flow_free(struct engine *);

/* ---- spawn.c ---- */

/*
 * Forks and executes one of our programs with fds[0..n) as its descriptors
 * 3, 4 ...; they stay open here.  Everything else is closed in it.  user
 * and root (or NULL) become -u and -r.  The pid, or -1 when the system has
 * no process for it (logged, errno says why).
 */
pid_t	spawn_program(const struct engine *, const char *program,
	    const int *fds, size_t n, const char *user, const char *root);

/* A connected pair of stream sockets, close-on-exec; 0, or -1 and errno. */
int	spawn_pair(int sv[2]);

/*
 * Has this process as many free descriptors as a child takes, and what is
 * under way needs to go on?  0, or -1 and errno.
 */
int	spawn_spare(void);

/* Is every program there and executable?  Fatal if not. */
void	spawn_check(void);

/* ---- listen.c ---- */

/* Opens every listener of the configuration; fatal with what is wrong. */
void	listeners_open(struct conf *);

/* Opens one: 0, or -1 and why, which is logged if it is_default. */
int	listener_open(struct conf_listen *, char *why, size_t size);

/* The engine's own descriptors of them; front's stay. */
void	listeners_close(struct conf *);

/* Does the uid at the other end of this connection count?  On a unix
 * socket, and on loopback in plain HTTP; asks the socket, not front. */
int	listeners_uid_counts(const struct conf *, int sock);

/* Did its listener ask the client for a certificate? */
int	listeners_client_ca(const struct conf *, int sock);

/* ---- tls.c: certificates and keys for front ---- */

/* Can they all be read, and by nobody else where they are secret?  -1, and
 * every error is printed, as those of the configuration. */
int	tls_check(const struct conf *);

/* Sends those of one listener, number id in front; fatal with what is
 * wrong.  They are watched from then on. */
void	tls_send(struct engine *, uint64_t id, const struct conf_listen *);
void	tls_watch(struct engine *);
void	tls_forget(struct engine *, const struct conf_listen *);
/* SIGHUP: as if all had changed. */
void	tls_reload(struct engine *);
void	tls_free(struct engine *);

/* ---- front.c: what front is told of the configuration ---- */

void	front_start(struct engine *);
/* FRONT_CONF and the origins. */
void	front_conf_send(struct engine *);
/* A listener that is open; and one that front shall close. */
void	front_listen_send(struct engine *, struct conf_listen *);
void	front_listen_end(struct engine *, struct conf_listen *);

/* ---- rights.c: connections, and who may ask ---- */

void	rights_open(struct engine *, uint64_t conn, int sock);
void	rights_close(struct engine *, uint64_t conn);
/* Front refused a request of this connection by itself. */
void	rights_refused(struct engine *, uint64_t conn, enum err code);
void	rights_free(struct engine *);

/* Looks up whom the configuration allows something. */
void	rights_init(struct engine *);

/*
 * May this asker do what needs `right` (RIGHT_*) on a database (NULL: on
 * all; DATABASE_ANY: on one, no matter which)?  E_NONE; or why not, which
 * has been counted and written to the audit log as `action` then, and
 * *wait_s: how many seconds he has to wait.  A connection that front made
 * up is fatal.
 */
enum err rights_ask(struct engine *, const struct m_asker *, uint32_t right,
	    const char *database, const char *action, int64_t backup_id,
	    uint32_t *wait_s);

/* The same as a question that nobody notices: 1 or 0. */
int	rights_has(struct engine *, const struct m_asker *, uint32_t right,
	    const char *database);

/* Is it root, or the user who runs the daemon, himself: 1 or 0. */
int	rights_daemon_user(struct engine *, const struct m_asker *);

/* Who that is, for the audit log. */
void	rights_who(struct engine *, const struct m_asker *, struct who *);

/* The databases on which he has the right, where that is not all; the
 * caller frees list. */
struct names {
	char		(*list)[DATABASE_BYTES];
	size_t		 n;
	int		 all;		/* every one, and list says nothing */
};
void	rights_names(struct engine *, const struct m_asker *,
	    uint32_t right, struct names *);

/* ---- visible.c: lists and totals of some databases ---- */

/* As catalog_list and catalog_stats, of these. */
uint32_t visible_list(struct engine *, const struct names *,
	    const struct m_req_list *, int *more, catalog_row_cb *,
	    void *arg);
void	visible_stats(struct engine *, const struct names *,
	    const struct m_user *, struct m_stats *);

/* ---- owners.c: whose each database is ---- */

/* Has a worker look at each, in the background. */
void	owners_look(struct engine *);

/* What a worker saw, that was sent there when path_turn was this: otherwise
 * it is of another file. */
void	owner_told(struct conf_database *, uint32_t path_turn, uint32_t uid);
void	owner_inspected(struct conf_database *, uint32_t path_turn,
	    const struct m_file_info *);

/* ---- audit.c; audit.h has more ---- */

/* A job that changes something begins, and how it ended. */
void	audit_begin(struct job *, const struct m_asker *);
void	audit_end(struct job *, const char *result);
/* What is done at once, without a job; backup_id may be 0. */
void	audit_now(struct engine *, const struct m_asker *, const char *action,
	    const char *database, int64_t backup_id);

/* ---- status.c: how everything is ---- */

/* names: the databases that he may see, where that is not all. */
void	status_request(struct engine *, uint64_t request,
	    const struct m_req_status *, const struct names *);

/* ---- requests.c: messages of front ---- */

void	requests_message(struct chan *, const struct msg *, void *engine);

/* May this asker do that on all databases?  1, or 0 after the answer. */
int	request_allowed(struct engine *, const struct msg *,
	    const struct m_asker *, uint32_t right);

/* An error to a request; backup_id is the row that tells more, or 0. */
void	reply_error(struct engine *, uint64_t request, enum err code,
	    int64_t backup_id, const char *text);

/* The same that it is done; text is cut to TOLD_BYTES. */
void	reply_told(struct engine *, uint64_t request, const char *text);

/* May he, on all databases?  1, or 0 after the answer was sent. */
int	request_allowed(struct engine *, const struct msg *,
	    const struct m_asker *, uint32_t right);

/* ---- control.c: what the administrator tells the running daemon ---- */

/* REQ_LOG: all programs, and workers that are started later. */
void	control_log(struct engine *, const struct msg *);
void	control_metrics(struct engine *, const struct msg *);

/* For what only somebody may do who may do everything: 1 and *m, or 0
 * after the answer. */
int	control_admin(struct engine *, const struct msg *,
	    struct m_req_admin *m);

/* Into the audit log, done by an asker or, NULL, by a signal. */
void	control_audit(struct engine *, const struct m_asker *,
	    const char *action, const char *result);

/* ---- task.c: one worker ---- */

/*
 * How it ended.  ok: type and data are the result's message.  Otherwise
 * error says why (E_WORKER_FAILED when the worker died).
 */
struct task_result {
	int		 ok;
	uint32_t	 type;
	const void	*data;		/* until the callback returns */
	struct m_error	 error;
};

struct task_order {
	enum msg_type	 type;
	const void	*data;
	size_t		 size;
	int		 fd;		/* -1, or the task's from now on */
	const char	*what;		/* for the log, static */
	uint32_t	 look_patience_ms;	/* without progress while it
					 * looks or waits for a lock */
	uint32_t	 patience_ms;	/* later; then it is killed */
	const int	*files;		/* by enum w_file_kind, -1: none; or
					 * NULL; the caller's, duplicated */
	void		(*progress)(void *arg, const struct m_w_progress *);
	void		(*event)(void *arg, struct task *,
			    const struct msg *);	/* W_LOCK_ROW, W_SAFETY */
	void		(*done)(void *arg, const struct task_result *);
	void		*arg;
};

#define TASKS_MAX	64

/*
 * Starts a worker.  done is called once, after the process has ended (or
 * could not be ended), never from within task_start.  NULL when too many
 * run, or the system has no process or descriptors for it (fd is closed
 * then): task_refusal says which.
 */
struct task	*task_start(struct engine *, const struct task_order *);

/* A copy of a descriptor, for a task's fd; -1, and task_refusal says why. */
int		 task_copy(int fd);

/* Why there was no last task: a sentence, valid until there is none again. */
const char	*task_refusal(void);

/* W_SOUND or W_GO to a worker that waits for it, or will. */
void		 task_tell(struct task *, enum msg_type);

/* Tells one, or all workers, to give up; their tasks end as usual. */
void		 tasks_stop_one(struct task *);
void		 tasks_stop(struct engine *);

/* The last word to those that did not. */
void		 tasks_kill(struct engine *);

/* Bytes of memory that are the workers' own. */
uint64_t	 tasks_memory(struct engine *);

/* A child ended: 1 when it was a worker's. */
int		 task_reaped(struct engine *, pid_t, int status);

/* "exit status 3", "signal 9 (Killed)"; dst has 64 bytes. */
void		 task_status_text(int status, char dst[64]);

/* ---- told.c: may what a worker says be true? ---- */

/* Each 1 when it may; text without end, numbers out of range: 0.  image is
 * the file it is about, or -1; what was kept is hashed later; hashes:
 * PACK_HASH_* that were asked for. */
int	told_captured(const struct m_w_captured *);
int	told_kept(const struct m_w_captured *);
int	told_verified(const struct m_w_verified *, int image);
int	told_packed(const struct m_w_packed *, int stored,
	    uint32_t hashes);
int	told_unpacked(const struct m_w_unpacked *);	/* of no target */
int	told_checksum(const char checksum[CHECKSUM_BYTES]);
int	told_inspected(const struct m_file_info *);
int	told_lock_row(const struct m_lock_row *);

/* An error that is none becomes an internal one; its text has an end. */
void	told_error(struct m_error *);

/* Has the file fd this size? */
int	told_size(int fd, uint64_t size);

/* ---- verify.c ---- */

/*
 * Starts the check of an artifact: o without uid and gid; fd is the
 * task's from now on.  0, or -1 as task_start; also for fd -1, of a
 * task_copy that failed.
 */
int	verify_start(struct engine *, struct m_w_verify *o, int fd,
	    void (*progress)(void *, const struct m_w_progress *),
	    void (*done)(void *, const struct task_result *), void *arg);

/* The same for a check that counts: an event for each W_TABLE. */
struct verify_told {
	void	(*progress)(void *, const struct m_w_progress *);
	void	(*event)(void *, struct task *, const struct msg *);
	void	(*done)(void *, const struct task_result *);
};
int	verify_counted(struct engine *, struct m_w_verify *o, int fd,
	    const struct verify_told *, void *arg);

/* Adds what a W_TABLE says; the task is ended when that can't be. */
void	verify_table(struct tables *, struct task *, const struct msg *);

/* What it found, believed as told_verified() does: 0 and *v, or -1 and
 * *error. */
int	verify_result(const struct task_result *, int image,
	    struct m_w_verified *v, struct m_error *error);

/* ---- job.c: what clients wait for ---- */

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED };

struct job {
	TAILQ_ENTRY(job) entry;
	struct engine	*engine;
	uint64_t	 id;
	const char	*kind;		/* "create" */
	struct conf_database *database;	/* or NULL */
	enum job_state	 state;
	uint64_t	 request;	/* of front, 0: nobody waits */
	int64_t		 backup_id;
	int64_t		 safety_backup_id;	/* of a restore that ended */
	int64_t		 started_ms, finished_ms;
	uint64_t	 bytes_done, bytes_total;
	uint64_t	 phase_us;	/* when its phase began */
	struct m_phases	 spent;		/* where its time went */
	struct m_error	 error;
	int		 background;	/* one at a time, beside the order of
					 * its database */
	int		 audited;	/* its end is written down, too */
	struct who	 who;		/* asked for it */
	char		 phase[WORD_BYTES];
	uint64_t	 move;		/* its last: a number of all jobs' */
	struct rate	 rate;		/* of the bytes of this phase */
	void		(*run)(struct job *);	/* when its turn comes */
	void		(*release)(struct job *);	/* frees data */
	void		*data;
};

struct job	*job_new(struct engine *, const char *kind,
		    struct conf_database *, void (*run)(struct job *),
		    void (*release)(struct job *), void *data);
struct job	*job_by_id(struct engine *, uint64_t id);
void		 job_phase(struct job *, const char *phase, uint64_t done,
		    uint64_t total);

/* A worker tells how far it is, and what it has spent on the way. */
void		 job_progress(struct job *, const struct m_w_progress *);
/* That only; the job's phase stays. */
void		 job_spent(struct job *, const struct m_phases *);

/* It ended well, or not.  The job stays known for an hour. */
void		 job_done(struct job *);
void		 job_failed(struct job *, const struct m_error *);
void		 job_describe(const struct job *, struct m_job *);
int		 jobs_running(const struct engine *);
void		 jobs_kick(struct engine *);	/* one may begin */
void		 jobs_init(struct engine *);
void		 jobs_free(struct engine *);

/* ---- watch.c: whoever follows what happens ---- */

/* Front follows, or does not any more. */
void	watch_set(struct engine *, int on);
void	watch_event(struct engine *);	/* there is a new event */
void	watch_job(struct job *);	/* it has moved */
void	watch_stop(struct engine *);	/* the daemon is about to end */
void	watch_free(struct engine *);

/* Answers of a page, with what these names may see. */
void	events_request(struct engine *, uint64_t request,
	    const struct m_req_events *, const struct names *);
void	jobs_request(struct engine *, uint64_t request,
	    const struct m_req_jobs *, const struct names *);

/* Somebody has seen the alarms; who: for the audit log. */
void	acknowledge_request(struct engine *, uint64_t request,
	    const struct m_req_acknowledge *, const struct who *);

/* ---- hooks.c: events POSTed to webhooks ---- */

void	hooks_init(struct engine *);
/* The configuration has others now; the memory of the old stays. */
void	hooks_changed(struct engine *);
void	hooks_free(struct engine *);
void	hooks_event(struct engine *);	/* there may be one for a hook */
/* NET_HOOKED: 0 when no hook waits for it. */
int	hooks_message(struct engine *, const struct msg *);

/* ---- create.c ---- */

void	create_request(struct engine *, uint64_t request,
	    const struct m_req_create *, struct conf_database *);

/*
 * A backup that the schedule wants: ended is called once, with NULL as soon
 * as it is proven and published here, or with why it failed.  NULL when
 * the disk is full or too many jobs wait.
 */
typedef void	create_cb(void *arg, const struct m_error *);
struct job *create_scheduled(struct engine *, struct conf_database *,
	    create_cb *ended, void *arg);

/* ---- unchanged.c: need a database be copied? (H9) ---- */

enum unchanged { DATABASE_UNCHANGED, DATABASE_CHANGED, DATABASE_UNSEEN };

/*
 * Has a looker see whether the live files are as in the last backup, and
 * that is still there.  done is called once, with DATABASE_UNSEEN and why
 * where nobody could look.  0, or -1 when too many looks wait or hang.
 */
typedef void	unchanged_cb(void *arg, enum unchanged,
		    const struct m_error *);
int	unchanged_look(struct engine *, struct conf_database *,
	    unchanged_cb *done, void *arg);

/* This backup is of the files as they were with this signature. */
void	unchanged_captured(struct engine *, const struct conf_database *,
	    int64_t backup_id, const struct m_signature *);

/* ---- glob.c: databases that a pattern finds ---- */

void	globs_init(struct engine *);
/* The database came, went, or is another; it may be a pattern, or was. */
void	glob_changed(struct engine *, struct conf_database *);
void	globs_free(struct engine *);

/* ---- schedule.c: backups that nobody asks for ---- */

void	schedule_init(struct engine *);
void	schedule_free(struct engine *);

/* This one came into the configuration, or its file is back or gone. */
void	schedule_database(struct engine *, struct conf_database *);

/* When its next run is due, 0: never; is one under way? */
int64_t	schedule_next_run(const struct conf_database *);
int	schedule_running(const struct conf_database *);

/*
 * E_DATABASE_LOCKED wants the holders: looks who holds the locks, adds
 * them to the sentence, then calls done once (at once when no worker can
 * be had).
 */
typedef void	holders_cb(void *arg, const struct m_error *);
void	holders_add(struct engine *, const struct conf_database *,
	    const struct m_error *, holders_cb *done, void *arg);

/* check-locks and check-accessibility. */
void	locks_request(struct engine *, uint64_t request,
	    const struct conf_database *);

/* A copy of it has arrived: an event, if it was the last one missing. */
void	create_completed(struct engine *, int64_t backup_id);

/* It took us microseconds to bring it to a remote. */
void	create_uploaded(struct engine *, int64_t backup_id, uint64_t us);
/* An attempt to bring a backup to a remote ended. */
void	create_upload_ended(struct engine *, int64_t backup_id);
/* A remote is left alone for a while. */
void	create_remote_away(struct engine *);
void	create_upload_progress(struct engine *, int64_t backup_id,
	    uint64_t done, uint64_t total);

/* ---- locks.c ---- */

/* Fills what every look at a database needs. */
void	look_fill(const struct engine *, const struct conf_database *,
	    struct m_look *);

/* ---- remote.c: uploads to remotes, and fetches from them ---- */

void	remotes_init(struct engine *);
void	remotes_free(struct engine *);
/* It came into the configuration, or is another, or is retired. */
void	remote_changed(struct engine *, struct conf_remote *);
void	remotes_kick(struct engine *);	/* something may be due */

/*
 * remote_early.c: begins to send the image of a backup that is not proven
 * yet, size bytes, to those remotes that have nothing else to do, and says
 * to how many; then all of it may go there, or none.  go: the copies' rows
 * are there.
 */
int	remotes_early(struct engine *, const struct conf_database *,
	    int64_t backup_id, const struct artifact *, uint64_t size);
void	remotes_early_go(struct engine *, const struct conf_database *,
	    int64_t backup_id);
void	remotes_early_drop(struct engine *, int64_t backup_id);

void	remotes_message(struct chan *, const struct msg *, void *engine);

/* Is this remote left alone for a while, so that what is to go there (the
 * backup that is just being sent aside) has to wait? */
int	remote_waits(struct engine *, const char *place, int64_t backup_id);

/* A copy is about to wait for this place: its row says why. */
void	remote_planned(struct engine *, int64_t backup_id,
	    const char *place);

/* The remote to ask for what the catalog does not know; NULL: none. */
const struct conf_remote *remote_of_stranger(const struct engine *,
	    const char *remote_id);

/* How a fetch ended; done is called once. */
struct fetch_result {
	enum err	 code;		/* E_NONE: it is there */
	uint64_t	 size;
	char		 text[TEXT_BYTES];
};
typedef void	fetch_cb(void *arg, const struct fetch_result *);

/*
 * fd stays the caller's; what the remote sends, in the form that it has
 * there, is written to it: no more than leaves the reserve free, nor than
 * the catalog knows was sent.  The number of the transfer; 0 when there is
 * no descriptor for it: then done is not called.
 */
uint64_t remote_fetch(struct engine *, uint32_t remote, const char *remote_id,
	    int fd, const struct m_backup *, fetch_cb *, void *arg);

/* Gives it up, if it still runs; its end is told as any other. */
void	remote_fetch_cancel(struct engine *, uint64_t transfer);

/* ---- sent_check.c: reading back what was sent ---- */

/* A copy has come to this remote: if its confirm wants that, it is read
 * back and compared. */
void	confirm_uploaded(struct engine *, const struct conf_remote *,
	    int64_t backup_id);
void	confirm_free(void);

/* ---- fetch.c: a download of what must be fetched or unpacked ---- */

struct fetch_order {
	uint64_t	 request, conn;	/* the client's connection */
	const struct m_backup *known;	/* its row; or NULL: */
	const struct conf_remote *remote;	/* where it is, */
	const char	*remote_id;	/* by that id */
	int		 fd;		/* it is here: ours from now on; or
					 * -1: at remotes */
	int		 raw;		/* as it is stored */
};

/* Answers with REP_DOWNLOAD, in which form, size and checksum are those of
 * the bytes that are sent. */
void	fetch_request(struct engine *, const struct fetch_order *);

/* The connection has ended: nobody waits for what is fetched for it. */
void	fetch_conn_closed(struct engine *, uint64_t conn);

/* ---- file_info.c ---- */

void	file_info_request(struct engine *, uint64_t request,
	    struct conf_database *);

/* ---- restore.c ---- */

void	restore_request(struct engine *, uint64_t request,
	    const struct m_req_restore *);

/* ---- undo.c ---- */

void	undo_request(struct engine *, uint64_t request,
	    const struct m_req_undo *, const struct conf_database *);

/* ---- key_command.c ---- */

/* cloudbackupd -K: prints this installation's key, or (file not NULL) makes
 * what the file has this installation's.  The exit status. */
int	key_command(const struct conf *, const char *file);

/* ---- license.c ---- */

void	license_request(struct engine *, uint64_t request);

/* ---- adopt.c ---- */

void	adopt_orphan(const struct store_orphan *, void *engine);

#endif
