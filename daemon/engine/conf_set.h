/*
 * One value of a configuration file each: checked and put where it
 * belongs, or reported at its token.  Used by the grammar only.
 */
#ifndef ENGINE_CONF_SET_H
#define ENGINE_CONF_SET_H

#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_lex.h"

#define TOKEN	const struct lex_token *

/* WHAT "VALUE" WHY, at the value. */
void	set_error(struct lex *, TOKEN, const char *what, const char *why);

/* dst is freed when it holds something, and set to a copy. */
void	set_account(struct lex *, TOKEN, const char *what, char **dst);
void	set_license(struct lex *, struct conf *, TOKEN file, TOKEN key);
void	set_size(struct lex *, TOKEN, const char *what, uint64_t *dst);
/* From 1ms to most, a time in our grammar; dst in milliseconds. */
void	set_time(struct lex *, TOKEN, const char *what, const char *most,
	    uint32_t *dst);

/* The same with another least. */
void	set_span(struct lex *, TOKEN, const char *what, const char *least,
	    const char *most, uint64_t *dst);

void	set_backup_dir(struct lex *, struct conf *, TOKEN);
void	set_connections(struct lex *, struct conf *, TOKEN);
void	set_sandbox(struct lex *, struct conf *, TOKEN);
/* The result is conf's; NULL when address or port is none. */
struct conf_listen *set_listen_tcp(struct lex *, struct conf *,
	    TOKEN address, TOKEN port);
/* The listener may be NULL. */
void	set_listen_tls(struct lex *, struct conf_listen *, TOKEN certificate,
	    TOKEN key);
void	set_listen_ca(struct lex *, struct conf_listen *, TOKEN,
	    int required);
/* The result is conf's. */
struct conf_listen *set_listen_unix(struct lex *, struct conf *, TOKEN path);
void	set_listen_mode(struct lex *, struct conf_listen *, TOKEN);

/* ---- conf_set_remote.c: a remote block ---- */

void	set_url(struct lex *, struct conf_remote *, TOKEN);
/* what: "api key".  A secret that stands here, or in a file; the file's
 * name and the secret are then the remote's, as both pointers are. */
void	set_secret(struct lex *, TOKEN, const char *what, char **dst);
void	set_secret_file(struct lex *, TOKEN, const char *what, char **file,
	    char **dst);
void	set_retry(struct lex *, struct conf_remote *, TOKEN from, TOKEN to);
void	set_confirm(struct lex *, struct conf_remote *, TOKEN);

void	set_s3_bucket(struct lex *, struct conf_remote *, TOKEN);
void	set_s3_prefix(struct lex *, struct conf_remote *, TOKEN);
void	set_s3_region(struct lex *, struct conf_remote *, TOKEN);
void	set_s3_delete(struct lex *, struct conf_remote *, TOKEN);
void	set_s3_class(struct lex *, struct conf_remote *, TOKEN);
/* key may be NULL. */
void	set_s3_encryption(struct lex *, struct conf_remote *, TOKEN,
	    TOKEN key);
void	set_s3_lock(struct lex *, struct conf_remote *, TOKEN mode,
	    TOKEN span);
void	set_s3_parts(struct lex *, struct conf_remote *, TOKEN);
void	set_s3_part_size(struct lex *, struct conf_remote *, TOKEN);

/* What is missing in a block without errors, or does not go together. */
void	set_remote_check(struct lex *, TOKEN block,
	    const struct conf_remote *);

void	set_path(struct lex *, struct conf_database *, TOKEN);
void	set_user(struct lex *, struct conf_database *, TOKEN, enum user_kind);
void	set_device(struct lex *, struct conf_database *, TOKEN);
void	set_verify(struct lex *, struct conf_database *, TOKEN);
void	set_capture(struct lex *, struct conf_database *, TOKEN);

/* ---- conf_set_life.c: a database block ---- */

void	set_every(struct lex *, struct conf_database *, TOKEN);
/* weekdays: bits as in conf_schedule; 0 after an error in them. */
void	set_at(struct lex *, struct conf_database *, TOKEN,
	    uint32_t weekdays);
/* weekdays with one more. */
uint32_t set_day(struct lex *, TOKEN, uint32_t weekdays);

#define PLACE_LOCAL	0x01
#define PLACE_REMOTE	0x02

/* level may be NULL. */
void	set_compress(struct lex *, struct conf_database *, TOKEN level,
	    uint32_t places);
void	set_recipient(struct lex *, struct conf_database *, TOKEN);
void	set_encrypt(struct conf_database *, uint32_t places);
void	set_identity(struct lex *, struct conf_database *, TOKEN);

/* "10 daily" and "last 10": the unit is "daily", "last". */
void	set_keep(struct lex *, struct conf_keep *, TOKEN count, TOKEN unit);
void	set_keep_within(struct lex *, struct conf_keep *, TOKEN);
/* What a statement said is added to what its place has. */
void	set_keep_add(struct lex *, TOKEN, struct conf_keep *,
	    const struct conf_keep *more);

/* What is missing in a block without errors, or does not go together. */
void	set_database_check(struct lex *, TOKEN block,
	    const struct conf_database *);

/* The result is conf's; NULL when it is none. */
struct conf_allow *set_allow(struct lex *, struct conf *, enum allow_kind,
	    TOKEN name);
/* One right more, on all databases; and then the databases that it is cut
 * down to.  a may be NULL. */
void	set_allow_right(struct lex *, struct conf_allow *, TOKEN);
void	set_allow_database(struct lex *, struct conf_allow *, TOKEN,
	    uint32_t rights);
void	set_allow_origin(struct lex *, struct conf *, TOKEN);

/* The result is conf's, also after an error; it has no events yet. */
struct conf_notify *set_notify(struct lex *, struct conf *, TOKEN url);
void	set_notify_event(struct lex *, struct conf_notify *, TOKEN);

#undef TOKEN

#endif
