/*
 * The engine runs this.  Rights and their names, for the configuration and
 * for tokens alike.  Owns nothing; decides nothing: rights.c does.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/conf_grants.h"
#include "daemon/engine/conf_int.h"

static const struct {
	const char	*word;
	uint32_t	 rights;
} words[] = {
	{ "read",	RIGHT_READ },
	{ "backup",	RIGHT_BACKUP },
	{ "download",	RIGHT_DOWNLOAD },
	{ "restore",	RIGHT_RESTORE },
	{ "delete",	RIGHT_DELETE },
	{ "all",	RIGHTS_ALL },
};

uint32_t
grants_right(const char *word)
{
	size_t	i;

	for (i = 0; i < nitems(words); i++) {
		if (strcmp(words[i].word, word) == 0)
			return (words[i].rights);
	}
	return (0);
}

int
grants_add(struct grants *g, uint32_t rights, const char *database)
{
	size_t	i;

	for (i = 0; i < g->n; i++) {
		if (strcmp(g->list[i].database, database) == 0)
			break;
	}
	if (i == GRANTS_MAX)
		return (-1);
	if (i == g->n) {
		memset(&g->list[i], 0, sizeof(g->list[i]));
		(void)util_copy(g->list[i].database, database);
		g->n++;
	}
	g->list[i].rights |= rights;
	return (0);
}

uint32_t
grants_mask(const struct grants *g, const char *database)
{
	uint32_t	mask = 0;
	size_t		i;

	for (i = 0; i < g->n; i++) {
		if (g->list[i].database[0] == '\0' || (database != NULL &&
		    (strcmp(database, DATABASE_ANY) == 0 ||
		    strcmp(database, g->list[i].database) == 0)))
			mask |= g->list[i].rights;
	}
	return (mask);
}

static int
parse_one(struct grants *g, const char *item, char *why, size_t why_size)
{
	const char	*at = strchr(item, '@'), *database = "", *reason;
	char		 word[16];
	uint32_t	 rights;
	size_t		 n = at == NULL ? strlen(item) : (size_t)(at - item);

	strlcpy(word, item, n + 1 < sizeof(word) ? n + 1 : sizeof(word));
	if (n >= sizeof(word) || (rights = grants_right(word)) == 0) {
		snprintf(why, why_size, "\"%.*s\" is not one of read, "
		    "backup, download, restore, delete, all", (int)n, item);
		return (-1);
	}
	if (at != NULL) {
		database = at + 1;
		if ((reason = conf_why_name(database)) != NULL) {
			snprintf(why, why_size, "the database \"%s\" %s",
			    database, reason);
			return (-1);
		}
	}
	if (grants_add(g, rights, database) == 0)
		return (0);
	snprintf(why, why_size, "more than %d databases are named",
	    GRANTS_MAX);
	return (-1);
}

int
grants_parse(struct grants *g, const char *text, char *why, size_t why_size)
{
	char	 copy[GRANTS_TEXT], *next, *item;

	memset(g, 0, sizeof(*g));
	if (util_copy(copy, text) == -1) {
		snprintf(why, why_size, "the rights are longer than %d bytes",
		    GRANTS_TEXT - 1);
		return (-1);
	}
	next = copy;
	while ((item = strsep(&next, ",")) != NULL) {
		if (parse_one(g, item, why, why_size) == -1)
			return (-1);
	}
	return (0);
}

void
grants_words(uint32_t rights, const char *between, char *dst)
{
	size_t	i;

	dst[0] = '\0';
	if (rights == RIGHTS_ALL) {
		strlcpy(dst, "all", 64);
		return;
	}
	for (i = 0; i < nitems(words) - 1; i++) {
		if (!(rights & words[i].rights))
			continue;
		if (dst[0] != '\0')
			strlcat(dst, between, 64);
		strlcat(dst, words[i].word, 64);
	}
}

int
grants_text(const struct grants *g, char *dst)
{
	size_t	i, k, used = 0;

	dst[0] = '\0';
	for (i = 0; i < g->n; i++) {
		for (k = 0; k < nitems(words); k++) {
			/* "all" stands for all of them, or not at all. */
			if ((g->list[i].rights == RIGHTS_ALL) !=
			    (words[k].rights == RIGHTS_ALL) ||
			    !(g->list[i].rights & words[k].rights))
				continue;
			used += (size_t)snprintf(dst + used,
			    GRANTS_TEXT - used, "%s%s%s%s",
			    used == 0 ? "" : ",", words[k].word,
			    g->list[i].database[0] == '\0' ? "" : "@",
			    g->list[i].database);
			if (used >= GRANTS_TEXT)
				return (-1);
		}
	}
	return (0);
}
