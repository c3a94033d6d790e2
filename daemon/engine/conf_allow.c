/*
 * The engine runs this, before anything is dropped.  "allow": who else may
 * ask for what, and which web pages may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_set.h"

static const char *const kinds[] = {
	[ALLOW_USER] = "user",
	[ALLOW_GROUP] = "group",
	[ALLOW_CERTIFICATE] = "certificate",
};

struct conf_allow *
set_allow(struct lex *lex, struct conf *conf, enum allow_kind kind,
    const struct lex_token *name)
{
	struct conf_allow	*a;
	const char		*why;
	size_t			 n = 0;

	TAILQ_FOREACH(a, &conf->allows, entry)
		n++;
	why = kind == ALLOW_CERTIFICATE ? conf_why_id(name->text) :
	    conf_why_account(name->text);
	if (why != NULL) {
		set_error(lex, name, kinds[kind], why);
		return (NULL);
	}
	if (n == CONF_ALLOWS_MAX) {
		lex_error(lex, name, "more than %d users, groups and "
		    "certificates are allowed something", CONF_ALLOWS_MAX);
		return (NULL);
	}
	a = xcalloc(1, sizeof(*a));
	a->kind = kind;
	a->name = xstrdup(name->text);
	TAILQ_INSERT_TAIL(&conf->allows, a, entry);
	return (a);
}

void
set_allow_right(struct lex *lex, struct conf_allow *a,
    const struct lex_token *tok)
{
	uint32_t	right = grants_right(tok->text);

	if (right == 0)
		set_error(lex, tok, "the right", "is not one of read, backup, "
		    "download, restore, delete, all");
	else if (a != NULL)
		(void)grants_add(&a->grants, right, "");
}

void
set_allow_database(struct lex *lex, struct conf_allow *a,
    const struct lex_token *tok, uint32_t rights)
{
	const char	*why;

	if ((why = conf_why_name(tok->text)) != NULL)
		set_error(lex, tok, "database", why);
	else if (grants_add(&a->grants, rights, tok->text) == -1)
		lex_error(lex, tok, "more than %d databases in one \"allow\"",
		    GRANTS_MAX);
}

/* As browsers write it (RFC 6454, 6.2): scheme, host, and the port unless
 * it is the scheme's own. */
static const char *
why_origin(const char *s)
{
	static const char	form[] = "is not an origin; expected "
				    "https://NAME or http://NAME:PORT, in "
				    "lower case and without a path";
	const char		*host, *error;
	size_t			 n;

	if (strlen(s) >= ORIGIN_BYTES)
		return ("is too long");
	if (strncmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (strncmp(s, "http://", 7) == 0)
		host = s + 7;
	else
		return (form);
	n = host[0] == '[' ? strspn(host + 1, "0123456789abcdef:.") + 1 :
	    strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
	if (host[0] == '[' && host[n++] != ']')
		return (form);
	if (n == 0 || (host[n] != '\0' && host[n] != ':'))
		return (form);
	if (host[n] == ':') {
		(void)strtonum(conf_why_number(host + n + 1) == NULL ?
		    host + n + 1 : "", 1, 65535, &error);
		if (error != NULL)
			return (form);
	}
	return (NULL);
}

void
set_allow_origin(struct lex *lex, struct conf *conf,
    const struct lex_token *tok)
{
	struct conf_origin	*o;
	const char		*why;
	size_t			 n = 0;

	if ((why = why_origin(tok->text)) != NULL) {
		set_error(lex, tok, "origin", why);
		return;
	}
	TAILQ_FOREACH(o, &conf->origins, entry) {
		n++;
		if (strcmp(o->origin, tok->text) == 0)
			set_error(lex, tok, "origin", "was given already");
	}
	if (n == CONF_ORIGINS_MAX) {
		lex_error(lex, tok, "more than %d origins", CONF_ORIGINS_MAX);
		return;
	}
	o = xcalloc(1, sizeof(*o));
	o->origin = xstrdup(tok->text);
	TAILQ_INSERT_TAIL(&conf->origins, o, entry);
}

void
conf_allow_free(struct conf *conf)
{
	struct conf_allow	*a;
	struct conf_origin	*o;

	while ((a = TAILQ_FIRST(&conf->allows)) != NULL) {
		TAILQ_REMOVE(&conf->allows, a, entry);
		free(a->name);
		free(a);
	}
	while ((o = TAILQ_FIRST(&conf->origins)) != NULL) {
		TAILQ_REMOVE(&conf->origins, o, entry);
		free(o->origin);
		free(o);
	}
}

/* All grants of one "allow" have the same rights. */
static void
print_allow(const struct conf_allow *a, FILE *f)
{
	char	rights[64];
	size_t	i;

	fprintf(f, "allow %s ", kinds[a->kind]);
	conf_print_text(f, "", a->name);
	grants_words(a->grants.list[0].rights, ", ", rights);
	fprintf(f, " %s", rights);
	for (i = 0; i < a->grants.n; i++) {
		if (a->grants.list[i].database[0] != '\0')
			conf_print_text(f, i == 0 ? " on " : ", ",
			    a->grants.list[i].database);
	}
	fputc('\n', f);
}

void
conf_allow_print(const struct conf *conf, FILE *f)
{
	const struct conf_allow		*a;
	const struct conf_origin	*o;

	TAILQ_FOREACH(a, &conf->allows, entry)
		print_allow(a, f);
	TAILQ_FOREACH(o, &conf->origins, entry) {
		conf_print_text(f, "allow origin ", o->origin);
		fputc('\n', f);
	}
}
