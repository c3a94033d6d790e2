/*
 * Tokens: a random secret of 256 bits that names no user, of which only a
 * hash is kept.
 */
#ifndef ENGINE_TOKEN_H
#define ENGINE_TOKEN_H

#include <stdint.h>

#include "daemon/engine/catalog.h"

struct conf;

/* "cbd_" and 43 characters of base64url; token has TOKEN_BYTES. */
void	token_new(char *token);
void	token_hash(const char *token, uint8_t hash[TOKEN_HASH_BYTES]);

/* 1 when they are equal; the time it takes does not tell where they
 * differ. */
int	token_same(const uint8_t *, const uint8_t *);

/* The token that was given, if there ever was one: 1 and *t, else 0. */
int	token_find(struct catalog *, const char *token,
	    struct catalog_token *t);

/* Why it holds no more at that time, or NULL: it does. */
const char *token_dead(const struct catalog_token *, int64_t now_ms);

/*
 * "NAME:RIGHTS[:EXPIRY]" into name, rights and expires_ms, for the time
 * now_ms: 0, or -1 and why (CONF_WHY_BYTES).  NULL for conf: databases may
 * have any name.
 */
int	token_parse(const char *spec, struct conf *, int64_t now_ms,
	    struct catalog_token *, char *why);

/* `cloudbackupd -T spec`: makes, revokes or lists; the exit status. */
int	token_command(struct conf *, const char *spec);

#endif
