/*
 * The engine runs this, before anything is dropped.  What a remote block
 * says: addresses, keys, and what S3-compatible storage is told with each
 * object.  No message shows a secret or a URL, which may hold one.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_set.h"

#define PREFIX_MAX	400		/* bytes; keys have 1024 in all */
#define DAY_MS		(24ULL * 60 * 60 * 1000)

void
set_url(struct lex *lex, struct conf_remote *r, const struct lex_token *tok)
{
	const char	*why;

	/* What is wrong with it may be that it carries a password. */
	if ((r->url = conf_url(tok->text, &why)) == NULL)
		lex_error(lex, tok, "the URL %s", why);
}

void
set_secret(struct lex *lex, const struct lex_token *tok, const char *what,
    char **dst)
{
	const char	*why;

	if ((why = conf_why_key(tok->text)) != NULL)
		lex_error(lex, tok, "the %s %s", what, why);
	else if (tok->file->others_read || tok->origin->others_read)
		lex_error(lex, tok, "there is %s %s in this file, "
		    "and everybody can read it; chmod o-r \"%s\", or use "
		    "%s file", what[0] == 'a' ? "an" : "a", what,
		    tok->file->others_read ? tok->file->name :
		    tok->origin->name, what);
	else
		*dst = xstrdup(tok->text);
}

void
set_secret_file(struct lex *lex, const struct lex_token *tok,
    const char *what, char **file, char **dst)
{
	const char	*reason;
	char		 why[CONF_WHY_BYTES], name[64];

	(void)snprintf(name, sizeof(name), "%s file", what);
	*file = conf_path_file(tok->text, PATH_BYTES - 1, &reason);
	if (*file == NULL)
		set_error(lex, tok, name, reason);
	else if ((*dst = conf_file_key(*file, why)) == NULL)
		set_error(lex, tok, name, why);
}

void
set_retry(struct lex *lex, struct conf_remote *r, const struct lex_token *from,
    const struct lex_token *to)
{
	set_time(lex, from, "retry from", "7d", &r->retry_min_ms);
	set_time(lex, to, "retry to", "7d", &r->retry_max_ms);
	if (r->retry_max_ms < r->retry_min_ms)
		lex_error(lex, from, "retry from %s to %s: the first must "
		    "not be longer than the last", from->text, to->text);
}

void
set_confirm(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	enum conf_confirm	c;

	for (c = CONFIRM_SIZE; c <= CONFIRM_CONTENT; c++)
		if (strcmp(tok->text, conf_confirm_name(c)) == 0)
			break;
	if (c <= CONFIRM_CONTENT)
		r->confirm = c;
	else
		set_error(lex, tok, "confirm", "is not one of size, sample, "
		    "content");
}

const char *
conf_confirm_name(enum conf_confirm c)
{
	static const char *const	names[] = {
		[CONFIRM_SIZE] = "size",
		[CONFIRM_SAMPLE] = "sample",
		[CONFIRM_CONTENT] = "content",
	};

	return (names[c]);
}

/* ---- S3 ---- */

const char *
conf_why_bucket(const char *s)
{
	size_t	i, n = strlen(s);

	if (n < 3 || n > 255)
		return ("must have 3 to 255 characters");
	for (i = 0; i < n; i++)
		if (!isascii((unsigned char)s[i]) ||
		    (!isalnum((unsigned char)s[i]) &&
		    (i == 0 || strchr(".-_", s[i]) == NULL)))
			return ("may only have letters, digits, \".\", \"-\" "
			    "and \"_\", and begins with a letter or digit");
	return (NULL);
}

/* Every segment of what keys begin with stands for itself. */
static const char *
why_prefix(const char *s)
{
	const char	*p;
	size_t		 n;

	if (strlen(s) > PREFIX_MAX)
		return ("must not be longer than 400 bytes");
	for (p = s; *p != '\0'; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && strncmp(p, "..", 2) == 0))
			return ("must not have empty parts, \".\" or \"..\", "
			    "nor begin with a slash");
	}
	for (p = s; *p != '\0'; p++)
		if (!isascii((unsigned char)*p) ||
		    (!isalnum((unsigned char)*p) &&
		    strchr("/!-_.*'()=+@ ", *p) == NULL))
			return ("may only have letters, digits, blanks and "
			    "/ ! - _ . * ' ( ) = + @");
	return (NULL);
}

char *
conf_prefix(const char *text, const char **why)
{
	size_t	n = strlen(text);

	if ((*why = why_prefix(text)) != NULL)
		return (NULL);
	return (xasprintf("%s%s", text, n > 0 && text[n - 1] != '/' ? "/" :
	    ""));
}

const char *
conf_why_region(const char *s)
{
	const char	*p;

	if (*s == '\0' || strlen(s) >= 64)
		return ("must have 1 to 63 characters");
	for (p = s; *p != '\0'; p++)
		if (!isascii((unsigned char)*p) ||
		    (!isalnum((unsigned char)*p) && strchr("-_", *p) == NULL))
			return ("may only have letters, digits, \"-\" and "
			    "\"_\"");
	return (NULL);
}

void
set_s3_bucket(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	const char	*why;

	r->kind = REMOTE_S3;
	if ((why = conf_why_bucket(tok->text)) != NULL)
		set_error(lex, tok, "bucket", why);
	else
		conf_s3(r)->bucket = xstrdup(tok->text);
}

void
set_s3_prefix(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	struct conf_s3	*s = conf_s3(r);
	const char	*why;
	char		*prefix;

	if ((prefix = conf_prefix(tok->text, &why)) == NULL) {
		set_error(lex, tok, "prefix", why);
		return;
	}
	free(s->prefix);
	s->prefix = prefix;
}

void
set_s3_region(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	struct conf_s3	*s = conf_s3(r);
	const char	*why;

	if ((why = conf_why_region(tok->text)) != NULL) {
		set_error(lex, tok, "region", why);
		return;
	}
	free(s->region);
	s->region = xstrdup(tok->text);
}

void
set_s3_delete(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	if (strcmp(tok->text, "yes") != 0 && strcmp(tok->text, "no") != 0)
		set_error(lex, tok, "delete", "is not one of yes, no, access "
		    "key ..., secret key ...");
	else
		conf_s3(r)->may_delete = tok->text[0] == 'y';
}

void
set_s3_class(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	const char	*why;

	/* The same characters as a region's. */
	if ((why = conf_why_region(tok->text)) != NULL)
		set_error(lex, tok, "storage class", why);
	else
		conf_s3(r)->storage_class = xstrdup(tok->text);
}

void
set_s3_encryption(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok, const struct lex_token *key)
{
	struct conf_s3	*s = conf_s3(r);
	const char	*why;

	if (strcmp(tok->text, "AES256") != 0 &&
	    strcmp(tok->text, "aws:kms") != 0) {
		set_error(lex, tok, "encryption", "is not one of AES256, "
		    "aws:kms");
		return;
	}
	s->sse = xstrdup(tok->text);
	if (key == NULL)
		return;
	if (strcmp(tok->text, "aws:kms") != 0)
		lex_error(lex, key, "only encryption \"aws:kms\" has a key");
	else if ((why = conf_why_key(key->text)) != NULL)
		set_error(lex, key, "key", why);
	else
		s->sse_key_id = xstrdup(key->text);
}

void
set_s3_lock(struct lex *lex, struct conf_remote *r,
    const struct lex_token *mode, const struct lex_token *span)
{
	struct conf_s3	*s = conf_s3(r);
	uint64_t	 ms = 0;

	if (strcmp(mode->text, "governance") == 0)
		s->lock_mode = xstrdup("GOVERNANCE");
	else if (strcmp(mode->text, "compliance") == 0)
		s->lock_mode = xstrdup("COMPLIANCE");
	else
		set_error(lex, mode, "object lock", "is not one of "
		    "governance, compliance");
	set_span(lex, span, "object lock for", "1d", "36500d", &ms);
	if (ms % DAY_MS != 0)
		set_error(lex, span, "object lock for", "is not a number of "
		    "whole days");
	s->lock_days = (uint32_t)(ms / DAY_MS);
}

void
set_s3_parts(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	const char	*why;
	uint32_t	 n;

	n = (uint32_t)strtonum(conf_why_number(tok->text) == NULL ?
	    tok->text : "", 1, S3_PARTS_MAX, &why);
	if (why != NULL)
		set_error(lex, tok, "parts", "is not a number from 1 to 16");
	else
		conf_s3(r)->parts = n;
}

void
set_s3_part_size(struct lex *lex, struct conf_remote *r,
    const struct lex_token *tok)
{
	uint64_t	size = 0;

	if (conf_parse_size(tok->text, &size) == -1 ||
	    (size != 0 && (size < 5ULL << 20 || size > 5ULL << 30)))
		set_error(lex, tok, "part size", "is not a size from 5m to "
		    "5g, nor 0");
	else
		conf_s3(r)->part_size = size;
}

/* ---- the whole block ---- */

static const char *
s3_missing(const struct conf_s3 *s)
{
	if (s->access_key == NULL)
		return ("has no access key; add access key file \"PATH\"");
	if (s->secret_key == NULL)
		return ("has no secret key; add secret key file \"PATH\"");
	if ((s->delete_access_key == NULL) != (s->delete_secret_key == NULL))
		return ("has half a key for deletion; delete access key ... "
		    "and delete secret key ... come together");
	if (s->delete_access_key != NULL && !s->may_delete)
		return ("has a key for deletion, and delete no");
	return (NULL);
}

void
set_remote_check(struct lex *lex, const struct lex_token *block,
    const struct conf_remote *r)
{
	const char	*why = NULL;

	if (r->kind == REMOTE_S3 && r->url == NULL)
		why = "has no endpoint; add endpoint \"URL\" to its s3";
	else if (r->url == NULL)
		why = "has no address; add rest \"URL\" or s3 bucket "
		    "\"NAME\" endpoint \"URL\"";
	else if (r->kind == REMOTE_S3 && r->api_key != NULL)
		why = "is s3, which has no api key but access key and secret "
		    "key";
	else if (r->kind == REMOTE_S3)
		why = s3_missing(r->s3);
	else if (r->s3 != NULL)
		why = "is not s3: access key, secret key, delete, storage "
		    "class, encryption, object lock, parts and part size say "
		    "nothing";
	if (why != NULL)
		lex_error(lex, block, "remote \"%s\" %s", block->text, why);
}
