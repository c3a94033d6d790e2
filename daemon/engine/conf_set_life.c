/*
 * The engine runs this, before anything is dropped.  What a database block
 * says of a backup's life: when it is made, in which form it is stored, how
 * long it is kept, when it is looked at again.  An error names the token it
 * is about.
 */
#include <stdio.h>
#include <string.h>

#include "common/bech32.h"
#include "common/util.h"
#include "daemon/engine/conf_set.h"

#define DAY_MINUTES	(24 * 60)
#define KEEP_MAX	1000000
#define IDENTITY_MAX	65536		/* bytes of an identity file */

static const char *const days[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat"
};

void
set_span(struct lex *lex, const struct lex_token *tok, const char *what,
    const char *least, const char *most, uint64_t *dst)
{
	uint64_t	ms, least_ms, most_ms;
	char		why[80];

	if (conf_parse_time(tok->text, &ms) == -1) {
		set_error(lex, tok, what, "is not a time; expected a number "
		    "with its unit: 500ms, 10s, 15m, 6h, 7d, 2w");
		return;
	}
	if (conf_parse_time(least, &least_ms) == -1 ||
	    conf_parse_time(most, &most_ms) == -1 ||
	    ms < least_ms || ms > most_ms) {
		(void)snprintf(why, sizeof(why), "is not from %s to %s",
		    least, most);
		set_error(lex, tok, what, why);
		return;
	}
	*dst = ms;
}

/* ---- when ---- */

static struct conf_schedule *
schedule_new(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	if (db->nschedules == CONF_SCHEDULES_MAX) {
		lex_error(lex, tok, "more than %d times in one database",
		    CONF_SCHEDULES_MAX);
		return (NULL);
	}
	return (&db->schedules[db->nschedules++]);
}

void
set_every(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	struct conf_schedule	*s;
	uint64_t		 ms = 0;

	set_span(lex, tok, "every", "1s", "366d", &ms);
	if (ms != 0 && (s = schedule_new(lex, db, tok)) != NULL)
		s->every_ms = ms;
}

static int
two_digits(const char *s)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return (-1);
	return ((s[0] - '0') * 10 + s[1] - '0');
}

void
set_at(struct lex *lex, struct conf_database *db, const struct lex_token *tok,
    uint32_t weekdays)
{
	struct conf_schedule	*s;
	int			 hour = -1, minute = -1;
	uint32_t		 i;

	if (strlen(tok->text) == 5 && tok->text[2] == ':') {
		hour = two_digits(tok->text);
		minute = two_digits(tok->text + 3);
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
		set_error(lex, tok, "at", "is not a time of the day, from "
		    "00:00 to 23:59");
		return;
	}
	minute += hour * 60;
	for (i = 0; i < db->nschedules; i++) {
		s = &db->schedules[i];
		if (s->every_ms == 0 && s->minute == (uint32_t)minute &&
		    (s->weekdays & weekdays) != 0) {
			set_error(lex, tok, "at", "was given already for such "
			    "a day");
			return;
		}
	}
	if (weekdays == 0 || (s = schedule_new(lex, db, tok)) == NULL)
		return;
	s->minute = (uint32_t)minute;
	s->weekdays = weekdays;
}

uint32_t
set_day(struct lex *lex, const struct lex_token *tok, uint32_t weekdays)
{
	uint32_t	i;

	for (i = 0; i < nitems(days); i++)
		if (strcmp(tok->text, days[i]) == 0)
			break;
	if (i == nitems(days))
		set_error(lex, tok, "the day", "is not one of sun, mon, tue, "
		    "wed, thu, fri, sat");
	else if (weekdays & 1U << i)
		set_error(lex, tok, "the day", "was given already");
	return (i == nitems(days) ? weekdays : weekdays | 1U << i);
}

const char *
conf_day_name(uint32_t day)
{
	return (days[day]);
}

/* ---- in which form ---- */

void
set_compress(struct lex *lex, struct conf_database *db,
    const struct lex_token *level, uint32_t places)
{
	const char	*why;
	int		 n = 3;

	if (level != NULL) {
		n = (int)strtonum(conf_why_number(level->text) == NULL ?
		    level->text : "", 1, 19, &why);
		if (why != NULL) {
			set_error(lex, level, "the level", "is not a number "
			    "from 1 to 19");
			return;
		}
	}
	if (places & PLACE_LOCAL)
		db->local.compress = n;
	if (places & PLACE_REMOTE)
		db->remote.compress = n;
}

/* A secret key in its place must not get into a message. */
void
set_recipient(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	uint8_t		key[BECH32_KEY_BYTES];
	uint32_t	i;

	if (strncasecmp(tok->text, "AGE-SECRET-KEY-", 15) == 0) {
		lex_error(lex, tok, "that is a secret key: whoever has it can "
		    "read the backups; expected the public one that belongs "
		    "to it, \"age1...\"");
		return;
	}
	if (bech32_decode(tok->text, "age", key, sizeof(key)) == -1 ||
	    strncmp(tok->text, "age1", 4) != 0) {
		set_error(lex, tok, "the recipient", "is not one that age "
		    "knows: \"age1\" and 58 letters and digits, of which one "
		    "is wrong or missing");
		return;
	}
	for (i = 0; i < db->nrecipients; i++) {
		if (strcmp(db->recipients[i], tok->text) != 0)
			continue;
		set_error(lex, tok, "the recipient", "was given already");
		return;
	}
	if (db->nrecipients == CONF_RECIPIENTS_MAX)
		lex_error(lex, tok, "more than %d recipients",
		    CONF_RECIPIENTS_MAX);
	else
		db->recipients[db->nrecipients++] = xstrdup(tok->text);
}

void
set_encrypt(struct conf_database *db, uint32_t places)
{
	db->local.encrypt = (places & PLACE_LOCAL) != 0;
	db->remote.encrypt = (places & PLACE_REMOTE) != 0;
}

/* Has one of the lines, which are cut apart, an identity? */
static int
has_identity(char *text)
{
	uint8_t	 key[BECH32_KEY_BYTES];
	char	*line;
	int	 found = 0;

	while (!found && (line = strsep(&text, "\n")) != NULL) {
		line[strcspn(line, " \t\r")] = '\0';
		found = bech32_decode(line, "age-secret-key-", key,
		    sizeof(key)) == 0;
	}
	explicit_bzero(key, sizeof(key));
	return (found);
}

void
set_identity(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	struct conf_text	 t;
	const char		*reason;
	char			 why[CONF_WHY_BYTES];

	db->identity_file = conf_path_file(tok->text, PATH_BYTES - 1, &reason);
	if (db->identity_file == NULL) {
		set_error(lex, tok, "identity file", reason);
		return;
	}
	if (conf_file_read(db->identity_file, CONF_FILE_OWNER |
	    CONF_FILE_SECRET, IDENTITY_MAX, &t, why) == -1) {
		set_error(lex, tok, "identity file", why);
		return;
	}
	if (!has_identity(t.data))
		set_error(lex, tok, "identity file", "has no line "
		    "AGE-SECRET-KEY-1...");
	conf_text_free(&t);
}

/* ---- how long ---- */

#define KEEP_FIELDS	6

static uint32_t *
keep_field(struct conf_keep *k, size_t i, const char **name)
{
	static const char *const names[KEEP_FIELDS] = { "last", "hourly", "daily",
	    "weekly", "monthly", "yearly" };
	uint32_t *const		 fields[KEEP_FIELDS] = { &k->last, &k->hourly, &k->daily,
	    &k->weekly, &k->monthly, &k->yearly };

	*name = names[i];
	return (fields[i]);
}

void
set_keep(struct lex *lex, struct conf_keep *k, const struct lex_token *count,
    const struct lex_token *unit)
{
	const char	*name = NULL, *why;
	uint32_t	*field = NULL;
	size_t		 i;
	long long	 n;

	for (i = 0; i < KEEP_FIELDS; i++) {
		field = keep_field(k, i, &name);
		if (strcmp(unit->text, name) == 0)
			break;
	}
	n = strtonum(conf_why_number(count->text) == NULL ? count->text : "",
	    1, KEEP_MAX, &why);
	if (i == KEEP_FIELDS)
		set_error(lex, unit, "the unit", "is not one of hourly, "
		    "daily, weekly, monthly, yearly");
	else if (why != NULL)
		set_error(lex, count, "keep", "is not a number from 1 to "
		    "1000000");
	else if (*field != 0)
		lex_error(lex, count, "keep: \"%s\" was given already",
		    name);
	else {
		*field = (uint32_t)n;
		k->set = 1;
	}
}

void
set_keep_within(struct lex *lex, struct conf_keep *k,
    const struct lex_token *tok)
{
	uint64_t	ms = 0;

	set_span(lex, tok, "within", "1s", "36600d", &ms);
	if (k->within_ms != 0)
		lex_error(lex, tok, "keep: \"within\" was given already");
	else if (ms != 0) {
		k->within_ms = ms;
		k->set = 1;
	}
}

void
set_keep_add(struct lex *lex, const struct lex_token *tok,
    struct conf_keep *dst, const struct conf_keep *more)
{
	struct conf_keep	 add = *more;
	const char		*name = NULL;
	uint32_t		*to, *from;
	size_t			 i;

	for (i = 0; i < KEEP_FIELDS; i++) {
		to = keep_field(dst, i, &name);
		from = keep_field(&add, i, &name);
		if (*to != 0 && *from != 0)
			lex_error(lex, tok, "keep: \"%s\" was given already "
			    "for this place", name);
		else if (*from != 0)
			*to = *from;
	}
	if (dst->within_ms != 0 && add.within_ms != 0)
		lex_error(lex, tok, "keep: \"within\" was given already for "
		    "this place");
	else if (add.within_ms != 0)
		dst->within_ms = add.within_ms;
	dst->set |= add.set;
}

/* ---- the whole block ---- */

void
set_database_check(struct lex *lex, const struct lex_token *block,
    const struct conf_database *db)
{
	if (db->path == NULL)
		lex_error(lex, block, "database \"%s\" has no path; "
		    "add path \"PATH\"", block->text);
	if (db->jitter_ms != CONF_JITTER_DEFAULT && db->nschedules == 0)
		lex_error(lex, block, "database \"%s\" has a jitter but no "
		    "times that it could shift; add every TIME or at HH:MM",
		    block->text);
	if (db->identity_file != NULL && db->nrecipients == 0)
		lex_error(lex, block, "database \"%s\" has an identity file "
		    "but is not encrypted; add encrypt to \"age1...\"",
		    block->text);
}
