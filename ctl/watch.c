/*
 * The verbs that look: status, jobs, locks, events, facts; and those that
 * tell the daemon itself something.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

#define PATH_BYTES_MAX	1024

/* GET path (with the database); 0, or the exit status after the message. */
static int
get(const struct ctl *ctl, const char *what, const char *base,
    struct answer *a)
{
	char	path[PATH_BYTES_MAX];

	strlcpy(path, base, sizeof(path));
	client_query(ctl->client, path, sizeof(path), "database",
	    ctl->database);
	client_call(ctl->client, "GET", path, NULL, 0, a);
	return (a->status == 200 ? CTL_OK : say_failure(what, a));
}

static void
age_cell(struct table *t, const char *time)
{
	char	age[16];

	say_since(age, time);
	table_cell(t, "%s", age);
}

/* ---- status ---- */

/* "3m": how far a time lies ahead, by the daemon's clock. */
static void
next_cell(struct table *t, struct json_object *d, int64_t now_ms)
{
	const char	*next = j_text(d, "next_run_at");
	char		 text[16];
	int64_t		 ms;

	if (j_true(d, "running"))
		strlcpy(text, "runs", sizeof(text));
	else if (util_time_parse(next, &ms) == -1)
		strlcpy(text, "-", sizeof(text));
	else if (ms <= now_ms)
		strlcpy(text, "now", sizeof(text));
	else
		say_age(text, (ms - now_ms) / 1000);
	table_cell(t, "%s", text);
}

/* 1 when a result is a failure: "failed", or that and why. */
static int
has_failed(const char *result)
{
	return (strncmp(result, "failed", 6) == 0);
}

/* A result's first word; why is told below the table. */
static int
result_cell(struct table *t, const char *result)
{
	table_cell(t, "%.*s", result[0] == '\0' ? 1 :
	    (int)strcspn(result, ": "), result[0] == '\0' ? "-" : result);
	table_colour(t, has_failed(result) ? 'r' : 'g');
	return (has_failed(result));
}

static void
queue_cell(struct table *t, struct json_object *queue)
{
	char	bytes[16];

	if (j_int(queue, "pending") == 0) {
		table_cell(t, "-");
		return;
	}
	say_size(bytes, j_int(queue, "bytes"));
	table_cell(t, "%s (%s)", j_text(queue, "pending"), bytes);
	table_colour(t, 'y');
}

/* 1 when something of this database wants attention. */
static int
status_row(struct table *t, struct json_object *d, int64_t now_ms)
{
	size_t	alarms = j_count(d, "alarms");
	int	bad = alarms > 0;

	table_cell(t, "%s%s", j_text(d, "database"), j_true(d, "gone") ?
	    " (gone)" : "");
	age_cell(t, j_text(d, "last_proven_at"));
	if (j_text(d, "last_proven_at")[0] == '\0')
		table_colour(t, 'r');
	age_cell(t, j_text(d, "unchanged_since"));
	bad |= result_cell(t, j_text(d, "last_result"));
	next_cell(t, d, now_ms);
	queue_cell(t, j_get(d, "queue"));
	bad |= result_cell(t, j_text(d, "last_drill_result"));
	table_cell(t, "%zu", alarms);
	table_colour(t, alarms > 0 ? 'r' : 'g');
	return (bad);
}

/* What a table has no room for: alarms, and why something failed. */
static void
findings(struct json_object *d)
{
	struct json_object	*a;
	const char		*name = j_text(d, "database");
	char			 text[1024], who[128];
	size_t			 i;

	say_clean(who, sizeof(who), name[0] == '\0' ? "everything" : name);
	say_clean(text, sizeof(text), j_text(d, "last_result"));
	if (has_failed(text) && strlen(text) > 6)
		printf("%s: the last backup %s\n", who, text);
	say_clean(text, sizeof(text), j_text(d, "last_drill_result"));
	if (has_failed(text) && strlen(text) > 6)
		printf("%s: the last drill %s\n", who, text);
	for (i = 0; i < j_count(d, "alarms"); i++) {
		a = j_at(d, "alarms", i);
		say_clean(text, sizeof(text), j_text(a, "text"));
		printf("%s: alarm %s: %s\n", who, j_text(a, "kind"), text);
	}
}

static void
remotes(const struct ctl *ctl, struct json_object *data)
{
	struct json_object	*r;
	struct table		*t;
	size_t			 i;

	if (j_count(data, "remotes") == 0)
		return;
	printf("\n");
	t = table_new("REMOTE KIND PENDING:r UPLOADING:r ERROR");
	for (i = 0; i < j_count(data, "remotes"); i++) {
		r = j_at(data, "remotes", i);
		table_cell(t, "%s", j_text(r, "name"));
		table_cell(t, "%s", j_text(r, "kind"));
		table_cell(t, "%s", j_text(r, "pending"));
		table_cell(t, "%s", j_text(r, "uploading"));
		table_cell(t, "%s", j_text(r, "last_error"));
	}
	table_print(t, ctl->colour);
}

static int
status_print(const struct ctl *ctl, struct json_object *data, int print)
{
	struct table	*t;
	int64_t		 now_ms;
	size_t		 i;
	int		 bad = j_count(data, "alarms") > 0;

	if (util_time_parse(j_text(data, "now"), &now_ms) == -1)
		now_ms = util_now_ms();
	t = table_new("DATABASE PROVEN:r UNCHANGED:r LAST NEXT:r QUEUE:r "
	    "DRILL ALARMS:r");
	for (i = 0; i < j_count(data, "databases"); i++)
		bad |= status_row(t, j_at(data, "databases", i), now_ms);
	if (!print) {
		table_free(t);
		return (bad);
	}
	table_print(t, ctl->colour);
	remotes(ctl, data);
	findings(data);
	for (i = 0; i < j_count(data, "databases"); i++)
		findings(j_at(data, "databases", i));
	if (j_int(data, "jobs_running") + j_int(data, "jobs_queued") > 0)
		printf("%s running, %s waiting: \"cloudbackupctl jobs\"\n",
		    j_text(data, "jobs_running"),
		    j_text(data, "jobs_queued"));
	return (bad);
}

int
do_status(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer	a;
	int		status;

	(void)argv;
	if (argc != 1)
		return (verb_usage("status"));
	if ((status = get(ctl, "status", "/status", &a)) == CTL_OK)
		status = status_print(ctl, j_data(&a), !say_json(ctl, &a)) ?
		    CTL_ATTENTION : CTL_OK;
	answer_free(&a);
	return (status);
}

/* ---- jobs ---- */

static void
job_row(struct table *t, struct json_object *j)
{
	char		 done[16], total[16], rate[16], left[16];
	const char	*state = j_text(j, "state");

	say_size(done, j_int(j, "bytes_done"));
	say_size(total, j_int(j, "bytes_total"));
	say_size(rate, j_get(j, "rate") == NULL ? -1 : j_int(j, "rate"));
	say_age(left, j_int(j, "eta"));
	table_cell(t, "%s", j_text(j, "id"));
	table_cell(t, "%s", j_text(j, "kind"));
	table_cell(t, "%s", j_text(j, "database"));
	table_cell(t, "%s", state);
	table_colour(t, strcmp(state, "failed") == 0 ? 'r' :
	    strcmp(state, "done") == 0 ? 'g' : 'y');
	table_cell(t, "%s", j_text(j, "phase"));
	table_cell(t, "%s/%s", done, total);
	table_cell(t, "%s", rate);
	table_cell(t, "%s", j_get(j, "eta") == NULL ? "-" : left);
	age_cell(t, j_text(j, "started_at"));
	table_cell(t, "%s", j_text(j, "error"));
}

int
do_jobs(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*data;
	struct answer		 a;
	struct table		*t;
	char			 path[PATH_BYTES_MAX] = "/jobs";
	size_t			 i;
	int			 status;

	if (argc > 2)
		return (verb_usage("jobs"));
	if (argc == 2)
		client_segment(ctl->client, path, sizeof(path), argv[1]);
	if ((status = get(ctl, "jobs", path, &a)) == CTL_OK &&
	    !say_json(ctl, &a)) {
		t = table_new("JOB:r KIND DATABASE STATE PHASE BYTES:r "
		    "RATE:r LEFT:r BEGAN:r ERROR");
		data = j_data(&a);
		if (argc == 2)
			job_row(t, data);
		for (i = 0; i < j_count(a.root, "data"); i++)
			job_row(t, j_at(a.root, "data", i));
		table_print(t, ctl->colour);
		if (argc == 2)
			phases_print(ctl, data);
	}
	answer_free(&a);
	return (status);
}

/* ---- locks, info ---- */

static void
holder_row(struct table *t, struct json_object *p)
{
	char	locks[256] = "", held[16];
	size_t	i;

	for (i = 0; i < j_count(p, "locks"); i++) {
		if (i > 0)
			strlcat(locks, ",", sizeof(locks));
		strlcat(locks, j_text(j_at(p, "locks", i), NULL),
		    sizeof(locks));
	}
	say_age(held, j_int(p, "held_ms") / 1000);
	table_cell(t, "%s", j_text(p, "pid")[0] == '\0' ? "?" :
	    j_text(p, "pid"));
	table_cell(t, "%s", j_text(p, "command"));
	table_cell(t, "%s", j_text(p, "user"));
	table_cell(t, "%s", j_text(p, "mode"));
	table_colour(t, strcmp(j_text(p, "mode"), "open") == 0 ? 'g' : 'y');
	table_cell(t, "%s", locks);
	table_cell(t, "%s", j_get(p, "held_ms") == NULL ? "-" : held);
	table_cell(t, "%s", j_get(p, "frames_pinned") == NULL ? "-" :
	    j_text(p, "frames_pinned"));
}

int
do_locks(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*data;
	struct answer		 a;
	struct table		*t;
	char			 text[1024];
	size_t			 i;
	int			 status;

	(void)argv;
	if (argc != 1)
		return (verb_usage("locks"));
	if ((status = get(ctl, "locks", "/check-locks", &a)) == CTL_OK &&
	    !say_json(ctl, &a)) {
		data = j_data(&a);
		say_clean(text, sizeof(text), j_text(data, "message"));
		printf("%s\n", text);
		if (j_count(data, "processes") > 0) {
			t = table_new("PID:r COMMAND USER MODE LOCKS HELD:r "
			    "FRAMES:r");
			for (i = 0; i < j_count(data, "processes"); i++)
				holder_row(t, j_at(data, "processes", i));
			table_print(t, ctl->colour);
		}
	}
	answer_free(&a);
	return (status);
}

int
do_info(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer	a;
	char		text[1024];
	int		status;

	(void)argv;
	if (argc != 1)
		return (verb_usage("info"));
	if ((status = get(ctl, "info", "/file-info", &a)) == CTL_OK &&
	    !say_json(ctl, &a)) {
		json_object_object_foreach(j_data(&a), key, value) {
			say_clean(text, sizeof(text), value == NULL ? "-" :
			    json_object_get_string(value));
			printf("%-15s %s\n", key, text);
		}
	}
	answer_free(&a);
	return (status);
}

/* ---- events ---- */

static void
event_print(struct json_object *ev)
{
	char	text[1024], at[64], kind[64], database[128];

	say_clean(text, sizeof(text), j_text(ev, "text"));
	say_clean(at, sizeof(at), j_text(ev, "at"));
	say_clean(kind, sizeof(kind), j_text(ev, "event"));
	say_clean(database, sizeof(database), j_text(ev, "database"));
	printf("%s  %-12s %s%s%s\n", at, kind, database,
	    database[0] == '\0' ? "" : ": ", text);
}

struct stream {
	const struct ctl *ctl;
	char		 line[16384];
	size_t		 n;
	int		 progress;	/* this event is one */
};

static void
stream_line(struct stream *s)
{
	struct json_object	*ev;

	if (strncmp(s->line, "event:", 6) == 0)
		s->progress = strstr(s->line, "progress") != NULL;
	else if (strncmp(s->line, "data:", 5) == 0 && !s->progress) {
		if (s->ctl->json)
			printf("%s\n", s->line + 5 + (s->line[5] == ' '));
		else if ((ev = json_tokener_parse(s->line + 5)) != NULL) {
			event_print(ev);
			json_object_put(ev);
		}
		fflush(stdout);
	} else if (s->line[0] == '\0')
		s->progress = 0;
}

static int
on_stream(const char *data, size_t n, void *arg)
{
	struct stream	*s = arg;
	size_t		 i;

	for (i = 0; i < n; i++) {
		if (data[i] == '\n') {
			s->line[s->n] = '\0';
			stream_line(s);
			s->n = 0;
		} else if (data[i] != '\r' && s->n + 1 < sizeof(s->line))
			s->line[s->n++] = data[i];
	}
	return (0);
}

static int
follow(const struct ctl *ctl, const char *path)
{
	struct stream	s;
	struct answer	a;
	int		status;

	memset(&s, 0, sizeof(s));
	s.ctl = ctl;
	client_read(ctl->client, path, "text/event-stream", on_stream, &s,
	    &a);
	status = a.status == 200 ? CTL_OK : say_failure("events", &a);
	answer_free(&a);
	return (status);
}

int
do_events(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer	a;
	char		path[PATH_BYTES_MAX] = "/events";
	size_t		i;
	int		ch, stream = 0, status;

	while ((ch = getopt(argc, argv, "f")) != -1) {
		if (ch != 'f')
			return (verb_usage("events"));
		stream = 1;
	}
	if (argc - optind > 1)
		return (verb_usage("events"));
	client_query(ctl->client, path, sizeof(path), "after",
	    argv[optind]);
	if (stream) {
		client_query(ctl->client, path, sizeof(path), "database",
		    ctl->database);
		return (follow(ctl, path));
	}
	if ((status = get(ctl, "events", path, &a)) == CTL_OK &&
	    !say_json(ctl, &a)) {
		for (i = 0; i < j_count(a.root, "data"); i++)
			event_print(j_at(a.root, "data", i));
		if (j_true(a.root, "more"))
			printf("(there are more: \"cloudbackupctl events "
			    "%s\")\n", j_text(a.root, "next"));
	}
	answer_free(&a);
	return (status);
}

/* ---- what the daemon is told ---- */

static int
tell(const struct ctl *ctl, const char *what, const char *path,
    struct json_object *body)
{
	struct answer	a;
	char		text[1024];
	int		status = CTL_OK;

	client_call(ctl->client, "POST", path, body, 0, &a);
	json_object_put(body);
	if (a.status / 100 != 2)
		status = say_failure(what, &a);
	else if (!say_json(ctl, &a)) {
		say_clean(text, sizeof(text), j_text(a.root, "message"));
		printf("%s\n", text);
	}
	answer_free(&a);
	return (status);
}

int
do_acknowledge(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*body;

	if (argc > 2)
		return (verb_usage("acknowledge"));
	body = json_object_new_object();
	if (ctl->database != NULL)
		json_object_object_add(body, "database",
		    json_object_new_string(ctl->database));
	if (argc == 2)
		json_object_object_add(body, "kind",
		    json_object_new_string(argv[1]));
	return (tell(ctl, "acknowledge", "/acknowledge", body));
}

int
do_reload(const struct ctl *ctl, int argc, char *argv[])
{
	(void)argv;
	return (argc != 1 ? verb_usage("reload") :
	    tell(ctl, "reload", "/reload", NULL));
}

int
do_log(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*body;

	if (argc != 2 || (strcmp(argv[1], "verbose") != 0 &&
	    strcmp(argv[1], "brief") != 0))
		return (verb_usage("log"));
	body = json_object_new_object();
	json_object_object_add(body, "level",
	    json_object_new_string(argv[1]));
	return (tell(ctl, "log", "/log", body));
}
