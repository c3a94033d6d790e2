/*
 * The engine runs this for -nv.  The part of conf_print() that tells of a
 * backup's life and of who is told: what conf_set_life.c reads.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"

#define EVERY_DAY	0x7f

static void
print_schedule(const struct conf_schedule *s, FILE *f)
{
	const char	*before = "\ton ";
	uint32_t	 day;

	if (s->every_ms != 0) {
		fputs("\tevery ", f);
		conf_print_time(f, s->every_ms);
		fputc('\n', f);
		return;
	}
	for (day = 0; day < 7 && s->weekdays != EVERY_DAY; day++) {
		if ((s->weekdays & 1U << day) == 0)
			continue;
		fprintf(f, "%s%s", before, conf_day_name(day));
		before = ", ";
	}
	fprintf(f, "%sat %02u:%02u\n", s->weekdays == EVERY_DAY ? "\t" : " ",
	    s->minute / 60, s->minute % 60);
}

static void
print_keep(const struct conf_keep *k, const char *remote, FILE *f)
{
	const struct {
		const char	*before, *after;
		uint32_t	 n;
	} rules[] = {
		{ "last ", "", k->last },
		{ "", " hourly", k->hourly },
		{ "", " daily", k->daily },
		{ "", " weekly", k->weekly },
		{ "", " monthly", k->monthly },
		{ "", " yearly", k->yearly },
	};
	const char	*before = "\tkeep ";
	size_t		 i;

	if (!k->set)
		return;
	for (i = 0; i < nitems(rules); i++) {
		if (rules[i].n == 0)
			continue;
		fprintf(f, "%s%s%u%s", before, rules[i].before, rules[i].n,
		    rules[i].after);
		before = ", ";
	}
	if (k->within_ms != 0) {
		fprintf(f, "%swithin ", before);
		conf_print_time(f, k->within_ms);
	}
	if (remote != NULL)
		conf_print_text(f, " on ", remote);
	fputc('\n', f);
}

static void
print_compress(const struct conf_database *db, FILE *f)
{
	if (db->local.compress != 0 &&
	    db->local.compress == db->remote.compress) {
		fprintf(f, "\tcompress zstd %d\n", db->local.compress);
		return;
	}
	if (db->local.compress != 0)
		fprintf(f, "\tcompress zstd %d local\n", db->local.compress);
	if (db->remote.compress != 0)
		fprintf(f, "\tcompress zstd %d remote\n", db->remote.compress);
}

static void
print_encrypt(const struct conf_database *db, FILE *f)
{
	uint32_t	i;

	for (i = 0; i < db->nrecipients; i++)
		conf_print_text(f, i == 0 ? "\tencrypt to " : ", ",
		    db->recipients[i]);
	if (db->nrecipients > 0)
		fputs(!db->remote.encrypt ? " local\n" : !db->local.encrypt ?
		    " remote\n" : "\n", f);
	if (db->identity_file != NULL) {
		conf_print_text(f, "\tidentity file ", db->identity_file);
		fputc('\n', f);
	}
}

static void
print_span(FILE *f, const char *before, uint64_t ms)
{
	fputs(before, f);
	conf_print_time(f, ms);
	fputc('\n', f);
}

void
conf_life_print(const struct conf_database *db, FILE *f)
{
	const struct conf_target	*t;
	uint32_t			 i;

	for (i = 0; i < db->nschedules; i++)
		print_schedule(&db->schedules[i], f);
	if (db->jitter_ms != CONF_JITTER_DEFAULT)
		print_span(f, "\tjitter ", db->jitter_ms);
	if (db->drill_ms != 0)
		print_span(f, "\tdrill every ", db->drill_ms);
	print_compress(db, f);
	print_encrypt(db, f);
	print_keep(&db->keep, NULL, f);
	TAILQ_FOREACH(t, &db->targets, entry)
		print_keep(&t->keep, t->remote->name, f);
	print_span(f, "\tkeep safety ", db->keep_safety_ms);
	if (db->expire_named)
		fputs("\texpire named\n", f);
	if (db->spool_limit != 0) {
		fputs("\tspool limit ", f);
		conf_print_size(f, db->spool_limit);
		fputc('\n', f);
	}
	if (db->expect_change_ms != 0)
		print_span(f, "\texpect change within ",
		    db->expect_change_ms);
}

void
conf_notify_print(const struct conf *conf, FILE *f)
{
	const struct conf_notify	*n;

	TAILQ_FOREACH(n, &conf->notifies, entry) {
		if (n->events & NOTIFY_HEARTBEAT) {
			conf_print_text(f, "heartbeat ", n->url);
			print_span(f, " every ", n->every_ms);
			continue;
		}
		conf_print_text(f, "notify ", n->url);
		fprintf(f, " on %s%s%s\n",
		    n->events & NOTIFY_FAILURE ? "failure" : "",
		    n->events == (NOTIFY_FAILURE | NOTIFY_SUCCESS) ? ", " : "",
		    n->events & NOTIFY_SUCCESS ? "success" : "");
	}
}
