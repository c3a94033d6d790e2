/*
 * The verbs that try before the first night: check, remote test.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

enum grade { GOOD, WARN, BAD };

struct checks {
	const struct ctl	*ctl;
	struct table		*t;
	struct json_object	*list;		/* for -j */
	int			 bad, warned;
};

static void
tell(struct checks *c, enum grade g, const char *what, const char *about,
    const char *text)
{
	static const char *const	words[] = { "ok", "warning", "FAILED" };
	static const char		colours[] = "gyr";
	struct json_object		*o;

	table_cell(c->t, "%s", words[g]);
	table_colour(c->t, colours[g]);
	table_cell(c->t, "%s", what);
	table_cell(c->t, "%s", about);
	table_cell(c->t, "%s", text);
	c->bad += g == BAD;
	c->warned += g == WARN;
	o = json_object_new_object();
	json_object_object_add(o, "result", json_object_new_string(
	    g == GOOD ? "ok" : g == WARN ? "warning" : "failed"));
	json_object_object_add(o, "what", json_object_new_string(what));
	json_object_object_add(o, "about", json_object_new_string(about));
	json_object_object_add(o, "text", json_object_new_string(text));
	json_object_array_add(c->list, o);
}

static void
ask(const struct checks *c, const char *method, const char *base,
    const char *database, struct answer *a)
{
	char	path[1024];

	strlcpy(path, base, sizeof(path));
	client_query(c->ctl->client, path, sizeof(path), "database",
	    database);
	client_call(c->ctl->client, method, path, NULL, 0, a);
}

static const char *
sentence(const struct answer *a)
{
	return (a->status == 0 ? a->error : j_text(a->root, "message"));
}

static void
check_file(struct checks *c, const char *name)
{
	struct answer		 a;
	struct json_object	*d;
	char			 text[512], size[16];

	ask(c, "GET", "/file-info", name, &a);
	d = j_data(&a);
	if (a.status != 200)
		tell(c, BAD, "file", name, sentence(&a));
	else if (!j_true(d, "exists"))
		tell(c, WARN, "file", name, "the file does not exist yet");
	else if (!j_true(d, "is_readable"))
		tell(c, BAD, "file", name, "the file cannot be read");
	else if (j_get(d, "page_size") == NULL)
		tell(c, j_int(d, "size") == 0 ? WARN : BAD, "file", name,
		    j_int(d, "size") == 0 ? "the file is empty" :
		    "the file is no SQLite database");
	else {
		say_size(size, j_int(d, "size"));
		(void)snprintf(text, sizeof(text), "%.300s, %s, journal mode "
		    "%.16s", j_text(d, "path"), size,
		    j_text(d, "journal_mode"));
		tell(c, GOOD, "file", name, text);
	}
	answer_free(&a);
	ask(c, "GET", "/check-accessibility", name, &a);
	tell(c, a.status != 200 ? BAD : j_true(j_data(&a), "accessible") ?
	    GOOD : WARN, "restore", name, sentence(&a));
	answer_free(&a);
}

static void
check_database(struct checks *c, struct json_object *d)
{
	const char	*name = j_text(d, "database");
	const char	*proven = j_text(d, "last_proven_at");
	char		 text[1024], age[16];
	size_t		 i;

	check_file(c, name);
	say_since(age, proven);
	(void)snprintf(text, sizeof(text), proven[0] == '\0' ? "there is no "
	    "proven backup yet" : "the last proven backup is %s old", age);
	tell(c, proven[0] == '\0' ? WARN : GOOD, "backup", name, text);
	if (j_text(d, "next_run_at")[0] == '\0')
		tell(c, WARN, "schedule", name, "no schedule: backups are "
		    "only made by hand");
	for (i = 0; i < j_count(d, "alarms"); i++)
		tell(c, BAD, "alarm", name,
		    j_text(j_at(d, "alarms", i), "text"));
}

/* Each step of a remote's test as a row of its own.  Where the whole is
 * well, a step that is not tells of a safeguard that is missing. */
static void
check_remote(struct checks *c, const char *name)
{
	struct answer		 a;
	struct json_object	*s;
	char			 path[1024] = "/remote-test", what[64];
	size_t			 i;
	int			 good;

	client_segment(c->ctl->client, path, sizeof(path), name);
	client_call(c->ctl->client, "POST", path, NULL, 0, &a);
	good = j_true(j_data(&a), "ok");
	if (a.status != 200)
		tell(c, BAD, "remote", name, sentence(&a));
	for (i = 0; i < j_count(j_data(&a), "steps"); i++) {
		s = j_at(j_data(&a), "steps", i);
		(void)snprintf(what, sizeof(what), "remote %s",
		    j_text(s, "step"));
		tell(c, j_true(s, "ok") ? GOOD : good ? WARN : BAD, what,
		    name, j_text(s, "text"));
	}
	answer_free(&a);
}

static void
check_license(struct checks *c)
{
	struct answer		 a;
	struct json_object	*d;

	client_call(c->ctl->client, "GET", "/license-info", NULL, 0, &a);
	d = j_data(&a);
	if (a.status != 200)
		tell(c, WARN, "licence", "", sentence(&a));
	else if (j_true(d, "has_license"))
		tell(c, j_true(d, "is_valid") ? GOOD : BAD, "licence", "",
		    sentence(&a));
	answer_free(&a);
}

static int
finish(struct checks *c, const char *what)
{
	if (c->ctl->json) {
		printf("%s\n", json_object_to_json_string_ext(c->list,
		    JSON_C_TO_STRING_PRETTY |
		    JSON_C_TO_STRING_NOSLASHESCAPE));
		table_free(c->t);
	} else {
		table_print(c->t, c->ctl->colour);
		printf("%s: %d failed, %d warning%s\n", what, c->bad,
		    c->warned, c->warned == 1 ? "" : "s");
	}
	json_object_put(c->list);
	return (c->bad > 0 ? CTL_ATTENTION : CTL_OK);
}

static void
begin(struct checks *c, const struct ctl *ctl)
{
	memset(c, 0, sizeof(*c));
	c->ctl = ctl;
	c->t = table_new("RESULT WHAT ABOUT FINDING");
	c->list = json_object_new_array();
}

int
do_check(const struct ctl *ctl, int argc, char *argv[])
{
	struct checks		 c;
	struct json_object	*data;
	struct answer		 a;
	size_t			 i;
	int			 status;

	(void)argv;
	if (argc != 1)
		return (verb_usage("check"));
	begin(&c, ctl);
	ask(&c, "GET", "/status", ctl->database, &a);
	if (a.status != 200) {
		status = say_failure("check", &a);
		answer_free(&a);
		table_free(c.t);
		json_object_put(c.list);
		return (status);
	}
	data = j_data(&a);
	for (i = 0; i < j_count(data, "databases"); i++)
		check_database(&c, j_at(data, "databases", i));
	for (i = 0; i < j_count(data, "remotes"); i++)
		check_remote(&c, j_text(j_at(data, "remotes", i), "name"));
	check_license(&c);
	answer_free(&a);
	return (finish(&c, "check"));
}

int
do_remote(const struct ctl *ctl, int argc, char *argv[])
{
	struct checks	c;

	if (argc != 3 || strcmp(argv[1], "test") != 0)
		return (verb_usage("remote"));
	begin(&c, ctl);
	check_remote(&c, argv[2]);
	return (finish(&c, "remote test"));
}
