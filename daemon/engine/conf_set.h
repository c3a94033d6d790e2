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

void	set_url(struct lex *, struct conf_remote *, TOKEN);
void	set_key(struct lex *, struct conf_remote *, TOKEN);
void	set_key_file(struct lex *, struct conf_remote *, TOKEN);
void	set_retry(struct lex *, struct conf_remote *, TOKEN from, TOKEN to);

void	set_path(struct lex *, struct conf_database *, TOKEN);
void	set_user(struct lex *, struct conf_database *, TOKEN, enum user_kind);
void	set_device(struct lex *, struct conf_database *, TOKEN);
void	set_verify(struct lex *, struct conf_database *, TOKEN);
void	set_capture(struct lex *, struct conf_database *, TOKEN);

/* The result is conf's; NULL when it is none. */
struct conf_allow *set_allow(struct lex *, struct conf *, enum allow_kind,
	    TOKEN name);
/* One right more, on all databases; and then the databases that it is cut
 * down to.  a may be NULL. */
void	set_allow_right(struct lex *, struct conf_allow *, TOKEN);
void	set_allow_database(struct lex *, struct conf_allow *, TOKEN,
	    uint32_t rights);
void	set_allow_origin(struct lex *, struct conf *, TOKEN);

#undef TOKEN

#endif
