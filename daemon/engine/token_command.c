/*
 * cloudbackupd -T runs this, beside a daemon or without one: it makes,
 * revokes and lists tokens.  It opens the catalog and nothing else; the
 * daemon sees at its next request what was changed.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/audit.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/token.h"

#define TIME_SHORT	20		/* "2026-11-22 21:30:00" */

static struct catalog *
catalog_of(const struct conf *conf)
{
	struct catalog	*c;
	struct stat	 st;
	char		 uuid[UUID_BYTES], err[TEXT_BYTES], *path;

	path = xasprintf("%s/" CATALOG_NAME, conf->backup_dir);
	if (lstat(path, &st) == -1)
		fatal("the catalog %s cannot be opened; the daemon makes it "
		    "when it starts for the first time", path);
	if ((c = catalog_open(path, uuid, err)) == NULL)
		fatalx("%s", err);
	free(path);
	return (c);
}

static void
note(struct catalog *c, const char *action, const char *name,
    const char *rights)
{
	struct who	who;
	char		result[TEXT_BYTES];

	memset(&who, 0, sizeof(who));
	who.uid = (int64_t)getuid();
	snprintf(who.name, sizeof(who.name), "uid %u", (unsigned)getuid());
	strlcpy(who.address, "local", sizeof(who.address));
	snprintf(result, sizeof(result), "done: %s%s%.300s", name,
	    rights[0] == '\0' ? "" : " ", rights);
	audit_write(c, 0, &who, action, "", 0, result);
}

static void
time_text(char *dst, int64_t ms, const char *none)
{
	char	text[TIME_TEXT_BYTES];

	if (ms == 0) {
		strlcpy(dst, none, TIME_SHORT);
		return;
	}
	util_time_text(text, ms);
	strlcpy(dst, text, TIME_SHORT);
	dst[strcspn(dst, "T")] = ' ';
}

static int
token_make(struct conf *conf, const char *spec)
{
	struct catalog_token	 t;
	struct catalog		*c;
	char			 why[CONF_WHY_BYTES] = "";
	char			 token[TOKEN_BYTES], until[TIME_SHORT];

	if (token_parse(spec, conf, util_now_ms(), &t, why) == -1) {
		log_warnx("%s", why[0] != '\0' ? why :
		    "the rights are too many");
		return (1);
	}
	c = catalog_of(conf);
	token_new(token);
	token_hash(token, t.hash);
	if (catalog_token_add(c, &t) == -1) {
		log_warnx("there is a token \"%s\"; revoke it first: "
		    "-T %s:revoke", t.name, t.name);
		catalog_close(c);
		explicit_bzero(token, sizeof(token));
		return (1);
	}
	note(c, "token-make", t.name, t.rights);
	catalog_close(c);
	/* What could not be handed over must not stay valid unseen. */
	if (printf("%s\n", token) < 0 || fflush(stdout) == EOF)
		fatal("the token was made but not printed; revoke it: "
		    "-T %s:revoke", t.name);
	explicit_bzero(token, sizeof(token));
	time_text(until, t.expires_ms, "never");
	fprintf(stderr, "token %s: %s, expires %s; it is not shown again\n",
	    t.name, t.rights, until);
	return (0);
}

static int
token_revoke(struct conf *conf, const char *name)
{
	struct catalog	*c = catalog_of(conf);
	int		 found;

	found = catalog_token_revoke(c, name, util_now_ms());
	if (found)
		note(c, "token-revoke", name, "");
	else
		log_warnx("there is no token \"%s\" that could be revoked",
		    name);
	catalog_close(c);
	return (found ? 0 : 1);
}

static void
list_one(const struct catalog_token *t, void *arg)
{
	const int64_t	*now_ms = arg;
	const char	*dead = token_dead(t, *now_ms);
	char		 made[TIME_SHORT], until[TIME_SHORT];
	char		 used[TIME_SHORT];

	time_text(made, t->created_ms, "-");
	time_text(until, t->expires_ms, "never");
	time_text(used, t->last_used_ms, "never");
	printf("%s\t%s\t%s\t%s\t%s\t%s\n", t->name, t->rights, made, until,
	    used, dead == NULL ? "valid" : dead);
}

static int
token_list(struct conf *conf)
{
	struct catalog	*c = catalog_of(conf);
	int64_t		 now_ms = util_now_ms();

	printf("name\trights\tcreated\texpires\tused\tstate\n");
	catalog_tokens(c, list_one, &now_ms);
	catalog_close(c);
	if (fflush(stdout) == EOF)
		fatal("standard output");
	return (0);
}

int
token_command(struct conf *conf, const char *spec)
{
	static const char	 suffix[] = ":revoke";
	char			 name[DATABASE_BYTES];
	size_t			 n = strlen(spec), k = sizeof(suffix) - 1;

	if (strcmp(spec, "list") == 0)
		return (token_list(conf));
	if (n <= k || n - k >= sizeof(name) ||
	    strcmp(spec + n - k, suffix) != 0)
		return (token_make(conf, spec));
	strlcpy(name, spec, n - k + 1);
	return (token_revoke(conf, name));
}
