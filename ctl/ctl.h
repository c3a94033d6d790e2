/*
 * What the parts of cloudbackupctl share.  It is a client like any other:
 * it speaks HTTP to the daemon's unix socket, or to a URL, with the
 * rights of whoever runs it, and owns nothing of the daemon's.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CTL_SOCKET	"/run/cloudbackupd/http.sock"
#define CTL_PREFIX	"/api/cloud-backup"

/* Exit statuses; the manual has the same list. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_USAGE = 1,			/* and what is wrong on this side */
	CTL_UNREACHABLE = 2,		/* no daemon answers */
	CTL_REFUSED = 3,		/* no right: 401, 403, 429 */
	CTL_UNKNOWN = 4,		/* no such thing: 404 */
	CTL_AGAIN = 5,			/* in the way now: 409, 423, 503 */
	CTL_FAILED = 6,			/* everything else that failed */
	CTL_ATTENTION = 7		/* status, check: something is wrong */
};

struct client;

struct ctl {
	struct client	*client;
	const char	*database;	/* -d, or NULL */
	int		 json;		/* -j */
	int		 yes;		/* -y */
	int		 colour;	/* standard output is a terminal that
					 * may have it */
	int		 terminal;	/* standard error is one: a bar */
};

/* ---- client.c ---- */

/* An answer: status 0 when none came, and why in error. */
struct answer {
	long			 status;
	struct json_object	*root;	/* or NULL; freed by answer_free */
	char			 error[256];
};

/* socket or url may be NULL; token_file too.  NULL after the message. */
struct client	*client_open(const char *socket, const char *url,
		    const char *token_file);
void		 client_close(struct client *);

/* flags of a call */
#define CALL_ASYNC	0x01		/* Prefer: respond-async */

/* method on the prefix and path; body may be NULL (not freed here). */
void	client_call(struct client *, const char *method, const char *path,
	    struct json_object *body, int flags, struct answer *);
void	answer_free(struct answer *);

/* A body that is no envelope, in pieces; data returns 0 to go on.  a has
 * the error's envelope when the status is none of 2xx. */
typedef int	client_data_cb(const char *data, size_t n, void *arg);
void	client_read(struct client *, const char *path, const char *accept,
	    client_data_cb *data, void *arg, struct answer *a);

/* Of the last client_read: how many bytes were promised; -1: not known. */
int64_t	client_length(const struct client *);
/* And the name that the daemon gave it, or ""; without directories. */
const char *client_filename(const struct client *);
/* And its ETag without the quotes, the checksum, or "". */
const char *client_etag(const struct client *);

/* path with "?name=value" (or "&") added, escaped; value NULL: unchanged.
 * path has size bytes. */
void	client_query(struct client *, char *path, size_t size,
	    const char *name, const char *value);
/* path with "/value" added, escaped. */
void	client_segment(struct client *, char *path, size_t size,
	    const char *value);

/* ---- say.c: what is printed ---- */

/* "what: sentence (CODE)" and the remediation to standard error; the exit
 * status of that answer. */
int	say_failure(const char *what, const struct answer *);
/* The exit status of an HTTP status that is a failure. */
int	say_exit(long status);
void	say_error(const char *, ...)
	    __attribute__((__format__ (printf, 1, 2)));

/* The answer as it came, when -j was given: 1, else 0. */
int	say_json(const struct ctl *, const struct answer *);

/* Asks on the terminal; 1: yes.  0 too when there is none and -y was not
 * given, after saying so. */
int	say_ask(const struct ctl *, const char *, ...)
	    __attribute__((__format__ (printf, 2, 3)));

/* "1.4G"; "3h" since or until; dst has 16 bytes. */
void	say_size(char dst[16], int64_t bytes);
void	say_age(char dst[16], int64_t seconds);
/* Age of an RFC 3339 time, "-" where there is none. */
void	say_since(char dst[16], const char *time);

/* What came from elsewhere, safe for a terminal. */
void	say_clean(char *dst, size_t size, const char *src);

/* ---- table.c ---- */

struct table;

/* columns: "ID:r BACKUP DATABASE SIZE:r"; :r aligns to the right. */
struct table	*table_new(const char *columns);
void		 table_cell(struct table *, const char *, ...)
		    __attribute__((__format__ (printf, 2, 3)));
/* The colour of the last cell: 'g', 'y', 'r'. */
void		 table_colour(struct table *, char);
void		 table_print(struct table *, int colour);	/* and frees */
void		 table_free(struct table *);

/* ---- phases.c ---- */

/* The table of "phases" of a backup or a job; nothing without any. */
void	phases_print(const struct ctl *, struct json_object *of);

/* ---- json.c: fields of answers; defaults where there is none ---- */

struct json_object	*j_data(const struct answer *);
struct json_object	*j_get(struct json_object *, const char *key);
const char		*j_text(struct json_object *, const char *key);
int64_t			 j_int(struct json_object *, const char *key);
int			 j_true(struct json_object *, const char *key);
size_t			 j_count(struct json_object *, const char *key);
struct json_object	*j_at(struct json_object *, const char *key,
			    size_t i);

/* ---- job.c ---- */

/* Follows the job that an asynchronous call began until it has ended; the
 * exit status.  *job: its last description, the caller frees it with
 * answer_free. */
int	job_follow(const struct ctl *, const char *what,
	    const struct answer *begun, struct answer *job);

/* ---- the verbs; argv[0] is the verb ---- */

struct verb {
	const char	*name;
	const char	*args;		/* for usage */
	const char	*about;
	int		(*run)(const struct ctl *, int argc, char *argv[]);
	const char	*complete;	/* what an argument is: "id", "verb",
					 * "file", words or NULL */
};

extern const struct verb	verbs[];	/* ends with a NULL name */

/* The verb or its unambiguous beginning; NULL after the message. */
const struct verb	*verb_find(const char *name);
int	verb_usage(const char *name);	/* returns CTL_USAGE */

int	do_acknowledge(const struct ctl *, int, char *[]);
int	do_check(const struct ctl *, int, char *[]);
int	do_completion(const struct ctl *, int, char *[]);
int	do_create(const struct ctl *, int, char *[]);
int	do_delete(const struct ctl *, int, char *[]);
int	do_download(const struct ctl *, int, char *[]);
int	do_events(const struct ctl *, int, char *[]);
int	do_expire(const struct ctl *, int, char *[]);
int	do_help(const struct ctl *, int, char *[]);
int	do_info(const struct ctl *, int, char *[]);
int	do_jobs(const struct ctl *, int, char *[]);
int	do_list(const struct ctl *, int, char *[]);
int	do_locks(const struct ctl *, int, char *[]);
int	do_log(const struct ctl *, int, char *[]);
int	do_pin(const struct ctl *, int, char *[]);
int	do_reload(const struct ctl *, int, char *[]);
int	do_remote(const struct ctl *, int, char *[]);
int	do_restore(const struct ctl *, int, char *[]);
int	do_show(const struct ctl *, int, char *[]);
int	do_status(const struct ctl *, int, char *[]);
int	do_undo(const struct ctl *, int, char *[]);
int	do_verify(const struct ctl *, int, char *[]);

#endif
