/*
 * What the files of the configuration share among themselves: messages,
 * reading of files, checks of values.  Nobody else includes this.
 */
#ifndef ENGINE_CONF_INT_H
#define ENGINE_CONF_INT_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/conf.h"

#define CONF_BYTES_MAX		(1024 * 1024)	/* a file with its includes */
#define CONF_ERRORS_MAX		50		/* then we stop reading */
#define CONF_DATABASES_MAX	1000
#define CONF_REMOTES_MAX	16
#define CONF_ALLOWS_MAX		256
#define CONF_ORIGINS_MAX	16
#define CONF_NOTIFIES_MAX	16
#define CONF_BACKUP_DIR_MAX	700		/* bytes */
#define CONF_URL_MAX		1023		/* bytes */
#define CONF_WHY_BYTES		256

/* Messages go to cb, a line each, instead of standard error; NULL: no
 * more. */
void	 conf_messages_to(void (*cb)(const char *line, void *arg),
	    void *arg);

/* "FILE:LINE: what" to standard error, escaped; line 0 is left out. */
void	 conf_error(const char *file, int line, const char *, ...)
	    __attribute__((__format__ (printf, 3, 4)));
void	 conf_warning(const char *file, int line, const char *, ...)
	    __attribute__((__format__ (printf, 3, 4)));

/*
 * The word of the list (names between anything that is no letter, digit,
 * "-" or "_"; those with a capital letter do not count) that word is most
 * likely a misspelling of.  0 and dst, or -1 when none is near.
 */
int	 conf_nearest(const char *word, const char *list, char *dst,
	    size_t size);

/*
 * A whole regular file in memory, with a NUL behind it.  max: in bytes.
 * 0, or -1 and why it was refused, to be put behind the file's name.
 * conf_text_free wipes it.
 */
struct conf_text {
	char		*data;
	size_t		 size;		/* bytes, without the NUL */
	mode_t		 mode;
	dev_t		 dev;
	ino_t		 ino;
};
#define CONF_FILE_OWNER		0x01	/* root's or ours, only they write */
#define CONF_FILE_SECRET	0x02	/* and only they read */
int	 conf_file_read(const char *path, int flags, size_t max,
	    struct conf_text *, char why[CONF_WHY_BYTES]);
void	 conf_text_free(struct conf_text *);

/* The secret in a key file; free it with conf_wipe.  NULL and why. */
char	*conf_file_key(const char *path, char why[CONF_WHY_BYTES]);

/* Frees a text after wiping it; NULL is fine. */
void	 conf_wipe(char *);

/* NULL when text is one, else a static text to follow "... ": "must ..." */
const char *conf_why_name(const char *);	/* of a database, a remote */
const char *conf_why_account(const char *);	/* of a user, a group */
const char *conf_why_key(const char *);		/* an api key */
const char *conf_why_session(const char *);	/* a session token */
const char *conf_why_id(const char *);		/* a user's, a device's */
const char *conf_why_number(const char *);	/* a user id, as a number */
const char *conf_why_bucket(const char *);
const char *conf_why_region(const char *);	/* of S3 */

/*
 * Checked and brought into the form that we keep; the caller frees the
 * result.  NULL and why (static) when text is not one.
 */
char	*conf_url(const char *text, const char **why);
char	*conf_url_hook(const char *text, const char **why);	/* with ?query */
char	*conf_prefix(const char *text, const char **why);	/* of keys */
char	*conf_address(const char *text, const char **why);
char	*conf_path_directory(const char *text, size_t max, const char **why);
char	*conf_path_file(const char *text, size_t max, const char **why);

/* As conf_path_file.  *is_glob: it is a pattern, which only the last part
 * of a path may be; NULL: none is allowed. */
char	*conf_path_database(const char *text, int *is_glob,
	    const char **why);

/* Names of the grammar: "sun" for day 0, "size". */
const char *conf_day_name(uint32_t day);
const char *conf_confirm_name(enum conf_confirm);

/* What the remote has for S3; made when it has none. */
struct conf_s3 *conf_s3(struct conf_remote *);

#define S3_PARTS_MAX		16

/* Finds by name what is in the list now. */
void	 conf_reindex(struct conf *);
void	 conf_listen_free(struct conf_listen *);
struct conf_listen *conf_listen_new(struct conf *, enum listen_kind);
/* 127.0.0.1 and ::1, both marked is_default. */
void	 conf_listen_loopback(struct conf *, uint16_t port);
void	 conf_target_new(struct conf_database *, struct conf_remote *);
/* A database without "to" has all remotes. */
void	 conf_targets_default(struct conf *, struct conf_database *);
void	 conf_allow_free(struct conf *);
void	 conf_allow_print(const struct conf *, FILE *);

/* What conf_set_life.c reads. */
void	 conf_life_print(const struct conf_database *, FILE *);
void	 conf_notify_print(const struct conf *, FILE *);
void	 conf_print_size(FILE *, uint64_t bytes);
void	 conf_print_time(FILE *, uint64_t ms);

/* One block, as conf_print does. */
void	 conf_print_remote(const struct conf_remote *, FILE *);
void	 conf_print_database(const struct conf_database *, FILE *);
void	 conf_print_listen(const struct conf_listen *, FILE *);

/* Writes before and s in quotes. */
void	 conf_print_text(FILE *, const char *before, const char *s);

/*
 * The two parsers on text in memory; name stands in messages.  As
 * conf_load_file and conf_load_env otherwise.
 */
struct conf *conf_parse_text(const char *name, const char *text, size_t n);
struct conf *conf_parse_env(const char *name, const char *text, size_t n);

#endif
