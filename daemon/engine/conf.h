/*
 * The configuration, whichever way it came: a file in our grammar
 * (conf_load_file) or the environment file of the older servers
 * (conf_load_env).  The engine parses it once, before anything is
 * dropped; other processes get only what they need, by message.
 */
#ifndef ENGINE_CONF_H
#define ENGINE_CONF_H

#include <stdint.h>
#include <stdio.h>

#include "common/compat.h"
#include "common/sandbox.h"
#include "daemon/engine/conf_grants.h"
#include "proto/msg.h"

#define CONF_PORT_DEFAULT	39000
#define CONF_FILE_DEFAULT	"/etc/cloudbackupd.conf"

struct conf_listen {
	TAILQ_ENTRY(conf_listen) entry;
	enum listen_kind kind;
	char		*address;	/* "127.0.0.1", "::1"; numeric */
	uint16_t	 port;
	char		*path;		/* of a unix socket */
	uint32_t	 mode;		/* of a unix socket, 0660 */
	char		*group;		/* of a unix socket, or NULL */
	int		 is_default;	/* nobody asked for it by address */
	char		*tls_certificate;	/* a file, PEM: TLS is spoken; */
	char		*tls_key;	/* its key's; both NULL: plain HTTP */
	char		*tls_client_ca;	/* or NULL: no client certificates */
	int		 tls_required;	/* no client without one */
	int		 plaintext;	/* said so: strangers may listen */
	int		 fd;		/* the engine's; -1: not open */
	int		 sent;		/* front has it, as */
	uint32_t	 slot;		/* this number */
};
TAILQ_HEAD(conf_listens, conf_listen);

/* S3-compatible storage. */
struct conf_s3 {
	char		*bucket;
	char		*prefix;	/* "" or ends in a slash */
	char		*region;	/* "us-east-1" */
	int		 virtual_host;	/* else path style */
	char		*access_key, *secret_key;	/* secrets */
	char		*access_key_file, *secret_key_file;	/* or NULL */
	char		*session_token;	/* of the environment, or NULL */
	int		 may_delete;	/* 1 */
	char		*delete_access_key, *delete_secret_key;	/* or NULL */
	char		*delete_access_file, *delete_secret_file; /* or NULL */
	char		*storage_class;	/* or NULL */
	char		*sse;		/* "AES256", "aws:kms"; or NULL */
	char		*sse_key_id;	/* or NULL */
	char		*lock_mode;	/* "GOVERNANCE", "COMPLIANCE"; or NULL */
	uint32_t	 lock_days;	/* retain until then */
	uint32_t	 parts;		/* at once, 4 */
	uint64_t	 part_size;	/* bytes; 0: by the object's size */
};

/* What a copy must show to count as confirmed by its remote. */
enum conf_confirm { CONFIRM_SIZE, CONFIRM_SAMPLE, CONFIRM_CONTENT };

struct conf_remote {
	TAILQ_ENTRY(conf_remote) entry;
	uint32_t	 index;		/* 0, 1 ... in order of the file */
	char		*name;
	enum remote_kind kind;
	char		*url;		/* http:// or https://, no slash at the end */
	char		*api_key;	/* inline, or read from the file; or NULL */
	char		*api_key_file;	/* or NULL */
	uint32_t	 timeout_ms;	/* 300000 */
	uint32_t	 retry_min_ms;	/* 30000: the first pause */
	uint32_t	 retry_max_ms;	/* 3600000: pauses grow up to this */
	uint64_t	 upload_limit;	/* bytes per second; 0: none */
	enum conf_confirm confirm;	/* CONFIRM_SIZE: and the hash where the
					 * remote tells it */
	struct conf_s3	*s3;		/* of REMOTE_S3, else NULL; url is its
					 * endpoint */
	uint32_t	 place_turn;	/* another after each reload that made
					 * another place of it */
	int		 retired;	/* it is configured no more */
	struct conf_remote *merged;	/* conf_merge.c's */
};
TAILQ_HEAD(conf_remotes, conf_remote);

/* Which backups stay: as many as the newest `last`, and the newest of each
 * of so many hours, days ...; what is within a time of the newest. */
struct conf_keep {
	int		 set;		/* 0: all are kept */
	uint32_t	 last, hourly, daily, weekly, monthly, yearly;
	uint64_t	 within_ms;
};

struct conf_target {			/* "to" of a database */
	TAILQ_ENTRY(conf_target) entry;
	struct conf_remote *remote;	/* not owned */
	struct conf_keep keep;		/* own rules, else the database's */
};
TAILQ_HEAD(conf_targets, conf_target);

/* "every 15m", "at 03:30", "on sun at 04:00" (local time, D16). */
struct conf_schedule {
	uint64_t	 every_ms;	/* 0: at */
	uint32_t	 minute;	/* of the day: 210 is 03:30 */
	uint32_t	 weekdays;	/* bit 0 is Sunday; 0x7f: each day */
};
#define CONF_SCHEDULES_MAX	8
#define CONF_JITTER_DEFAULT	UINT64_MAX	/* a tenth of the interval, at
						 * most 5 minutes */

#define CONF_RECIPIENTS_MAX	8

struct conf_forms {			/* of what is stored somewhere */
	int		 compress;	/* zstd's level, 1 to 19; 0: no */
	int		 encrypt;	/* to the database's recipients */
};

struct conf_database {
	TAILQ_ENTRY(conf_database) entry;
	char		*name;
	char		*path;		/* as configured, "~" expanded */
	char		*resolved;	/* set by conf_resolve: no links in it */
	char		*exposed;	/* by conf_resolve, too: a directory in
					 * it that others may write to; or NULL */
	struct m_user	 user;		/* USER_NONE when not configured */
	char		*device_id;	/* or NULL */
	int		 user_default, device_default;	/* the machine's: the
						 * engine set them */
	uint32_t	 lock_timeout_ms;	/* 10000: waiting for a lock */
	uint32_t	 lock_limit_ms;	/* 10000: holding one */
	uint64_t	 size_limit;	/* bytes, 0: none */
	enum capture_method capture;
	enum verify_level verify;
	int		 unsafe_filesystem;
	struct conf_schedule schedules[CONF_SCHEDULES_MAX];
	uint32_t	 nschedules;
	uint64_t	 jitter_ms;	/* CONF_JITTER_DEFAULT */
	struct conf_keep keep;		/* local; remotes without own, too */
	uint64_t	 keep_safety_ms;	/* 30 days: safety backups */
	int		 expire_named;	/* named backups follow keep, too */
	uint64_t	 drill_ms;	/* every so often; 0: never */
	struct conf_forms local, remote;	/* how it is stored */
	char		*recipients[CONF_RECIPIENTS_MAX];	/* "age1..." */
	uint32_t	 nrecipients;
	char		*identity_file;	/* for drills; or NULL */
	uint64_t	 spool_limit;	/* bytes that wait for remotes; 0: none */
	uint64_t	 expect_change_ms;	/* 0: not expected */
	int		 is_glob;	/* path is a pattern; never backed up
					 * itself */
	struct conf_database *glob;	/* made from this pattern, or NULL */
	int		 gone;		/* its file matches no more */
	int		 retired;	/* it is configured no more */
	struct conf_database *same_bucket;	/* conf.c's */
	struct conf_targets targets;
	int		 expire_due;	/* expire.c's */
	int		 owner_known;	/* the engine's, from its workers: */
	uint32_t	 owner;		/* the live file's uid */
	int		 owner_other;	/* it is somebody else's by now */
	uint32_t	 path_turn;	/* another after each reload that gave
					 * it another path */
	uint64_t	 jobs_turn;	/* job.c's */
	int64_t		 drill_retry_ms;	/* drills.c's */
	uint32_t	 drill_tries;
	struct scheduled *scheduled;	/* schedule.c's, or NULL */
};
TAILQ_HEAD(conf_databases, conf_database);

enum allow_kind { ALLOW_USER, ALLOW_GROUP, ALLOW_CERTIFICATE };

struct conf_allow {
	TAILQ_ENTRY(conf_allow) entry;
	enum allow_kind	 kind;
	char		*name;
	struct grants	 grants;
	int		 known;		/* the engine looked it up: */
	uint32_t	 id;		/* the uid or gid */
};
TAILQ_HEAD(conf_allows, conf_allow);

struct conf_origin {
	TAILQ_ENTRY(conf_origin) entry;
	char		*origin;	/* "https://admin.example.org" */
};
TAILQ_HEAD(conf_origins, conf_origin);

/* Webhooks: which events are POSTed to url. */
#define NOTIFY_FAILURE		0x01	/* failures, alarms, what is late */
#define NOTIFY_SUCCESS		0x02	/* completed, drilled */
#define NOTIFY_HEARTBEAT	0x04	/* as long as all is well */

struct conf_notify {
	TAILQ_ENTRY(conf_notify) entry;
	char		*url;
	uint32_t	 events;	/* NOTIFY_* */
	uint64_t	 every_ms;	/* of the heartbeat, 5 minutes */
};
TAILQ_HEAD(conf_notifies, conf_notify);

struct conf {
	char		*source;	/* the same as an absolute path, or NULL */
	int		 is_env;	/* of the older servers' kind */
	char		*file;		/* where it came from, for messages */
	struct conf_listens listens;
	struct conf_remotes remotes, retired_remotes;
	uint32_t	 next_remote;	/* above all indices */
	struct conf_databases retired;
	struct conf_database *by_name[4096];	/* conf.c's */
	struct conf_databases databases;	/* at least one */
	struct conf_allows allows;
	struct conf_origins origins;	/* of web pages that may ask */
	struct conf_notifies notifies, retired_notifies;
	char		*backup_dir;
	char		*user_front;	/* "_cloudbackup" */
	char		*user_network;	/* "_cloudbackupnet" */
	char		*user_verify;	/* or NULL: a uid nobody has */
	uint64_t	 reserve;	/* bytes to leave free, 64 MiB */
	uint32_t	 connections_max;	/* 256 */
	enum sandbox_mode sandbox;	/* SANDBOX_ON */
	int		 compat_node;
	int		 log_access;	/* each request, in the log */
	char		*license_file;	/* or NULL; then license_key too */
	char		*license_key;	/* the public key's file (PEM) */
};

/*
 * Read a configuration.  All errors are printed to standard error as
 * "FILE:LINE: what, and what was expected" (every one that can be found,
 * not only the first) and the result is NULL.  The caller frees the
 * result with conf_free, which wipes secrets.  check_owner: refuse a file
 * that is not owned by root or the caller, or is writable by others.
 */
struct conf	*conf_load_file(const char *file, int check_owner);
struct conf	*conf_load_env(const char *file);
void		 conf_free(struct conf *);

/* An empty configuration with all defaults, no listener, no database. */
struct conf	*conf_new(void);
struct conf_database *conf_database_new(struct conf *, const char *name);
/* One more that is as `from` in all but name and path; conf's. */
struct conf_database *conf_database_clone(struct conf *,
		    const struct conf_database *from, const char *name,
		    const char *path);
struct conf_remote *conf_remote_new(struct conf *, const char *name);

/*
 * What neither parser can see alone: defaults that depend on others (the
 * two loopback listeners), a database without path, two of one name, a
 * relative path.  Errors as above; 0 or -1.
 */
int		 conf_finish(struct conf *);

/* Prints the configuration in our grammar; inline secrets as "***".  What
 * is printed parses again to the same. */
void		 conf_print(const struct conf *, FILE *);

/*
 * Resolves the links in each database's path, once (D7), in a child
 * process with a deadline: a path on a hung file system must not stop the
 * engine (H18).  What could not be resolved keeps its configured path.
 * Looks, too, whether others than root and the database's owner may change
 * what the path names.
 */
void		 conf_resolve(struct conf *);

/* By name; "" gives the first (database: that is no pattern; by its name
 * a pattern is found, too).  NULL if there is none. */
struct conf_database *conf_database(struct conf *, const char *name);
struct conf_remote *conf_remote(struct conf *, const char *name);

/*
 * Sizes and times in the grammar.  "10g" and "512k" are powers of 1024;
 * times want a unit: 500ms, 10s, 15m, 6h, 7d, 2w.  0, or -1 when text is not
 * one or is too large.
 */
int		 conf_parse_size(const char *text, uint64_t *bytes);
int		 conf_parse_time(const char *text, uint64_t *ms);

#endif
