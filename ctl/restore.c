/*
 * The verbs that put something back, or prove that it could be: restore,
 * undo, verify.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

#define IDENTITY_BYTES	4096

/* An age identity file: its first line that is one. */
static int
identity_add(struct json_object *body, const char *file)
{
	static const char	mark[] = "AGE-SECRET-KEY-";
	char			line[IDENTITY_BYTES];
	FILE			*f;
	int			 found = 0;

	if ((f = fopen(file, "r")) == NULL) {
		say_error("%s: %s", file, strerror(errno));
		return (-1);
	}
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, mark, sizeof(mark) - 1) != 0)
			continue;
		json_object_object_add(body, "identity",
		    json_object_new_string(line));
		found = 1;
	}
	explicit_bzero(line, sizeof(line));
	fclose(f);
	if (!found)
		say_error("%s has no age identity (a line that begins with "
		    "%s)", file, mark);
	return (found ? 0 : -1);
}

/* Begins a restore and follows it. */
static int
restore(const struct ctl *ctl, const char *what, const char *path,
    struct json_object *body)
{
	struct answer		 a, job;
	struct json_object	*j;
	char			 size[16];
	int			 status;

	client_call(ctl->client, "POST", path, body, CALL_ASYNC, &a);
	json_object_put(body);
	if (a.status / 100 != 2) {
		status = say_failure(what, &a);
		answer_free(&a);
		return (status);
	}
	status = job_follow(ctl, what, &a, &job);
	if (status == CTL_OK && !say_json(ctl, &job)) {
		j = j_data(&job);
		say_size(size, j_int(j, "bytes_total"));
		printf("%s restored (%s)", j_text(j, "database"), size);
		if (j_int(j, "safety_backup_id") != 0)
			printf("; what was there before is backup %lld: "
			    "\"cloudbackupctl undo\" puts it back",
			    (long long)j_int(j, "safety_backup_id"));
		printf("\n");
	}
	answer_free(&a);
	answer_free(&job);
	return (status);
}

static struct json_object *
body_new(const struct ctl *ctl)
{
	struct json_object	*body = json_object_new_object();

	if (ctl->database != NULL)
		json_object_object_add(body, "database",
		    json_object_new_string(ctl->database));
	return (body);
}

/* What would be overwritten, and with what. */
static int
restore_ask(const struct ctl *ctl, const char *id)
{
	struct answer		 a;
	struct json_object	*b;
	char			 path[1024] = "/backup", age[16], size[16];
	int			 yes;

	if (ctl->yes)
		return (1);
	client_segment(ctl->client, path, sizeof(path), id);
	client_call(ctl->client, "GET", path, NULL, 0, &a);
	b = a.status == 200 ? j_data(&a) : NULL;
	say_since(age, j_text(b, "created_at"));
	say_size(size, b == NULL ? -1 : j_int(b, "file_size"));
	yes = say_ask(ctl, "Put backup %s%s%s (%s old, %s) in place of what "
	    "%s has now (that is kept as a backup of its own)", id,
	    b == NULL ? "" : " of ", b == NULL ? "" : j_text(b, "database"),
	    age, size, ctl->database != NULL ? ctl->database : b == NULL ?
	    "the database" : j_text(b, "database"));
	answer_free(&a);
	return (yes);
}

int
do_restore(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*body = body_new(ctl);
	char			 path[1024] = "/restore";
	int			 ch;

	while ((ch = getopt(argc, argv, "fi:")) != -1) {
		if (ch == 'f')
			json_object_object_add(body, "force",
			    json_object_new_boolean(1));
		else if (ch != 'i' || identity_add(body, optarg) == -1) {
			json_object_put(body);
			return (ch == 'i' ? CTL_USAGE :
			    verb_usage("restore"));
		}
	}
	if (optind + 1 != argc || !restore_ask(ctl, argv[optind])) {
		json_object_put(body);
		return (optind + 1 != argc ? verb_usage("restore") :
		    CTL_USAGE);
	}
	client_segment(ctl->client, path, sizeof(path), argv[optind]);
	return (restore(ctl, "restore", path, body));
}

int
do_undo(const struct ctl *ctl, int argc, char *argv[])
{
	(void)argv;
	if (argc != 1)
		return (verb_usage("undo"));
	if (!say_ask(ctl, "Put back what the last restore of %s replaced",
	    ctl->database == NULL ? "the first database" : ctl->database))
		return (CTL_USAGE);
	return (restore(ctl, "undo", "/undo", body_new(ctl)));
}

int
do_verify(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer		 a;
	struct json_object	*d;
	char			 path[1024] = "/verify", text[1024];
	int			 status = CTL_OK;

	if (argc != 2)
		return (verb_usage("verify"));
	client_segment(ctl->client, path, sizeof(path), argv[1]);
	client_call(ctl->client, "POST", path, NULL, 0, &a);
	if (a.status != 200)
		status = say_failure("verify", &a);
	else {
		d = j_data(&a);
		if (strcmp(j_text(d, "result"), "failed") == 0)
			status = CTL_FAILED;
		say_clean(text, sizeof(text), j_text(d, "text"));
		if (!say_json(ctl, &a))
			printf("backup %s from %s: %s in %lld ms, %lld "
			    "tables, %lld rows%s%s\n", argv[1],
			    j_text(d, "place"), j_text(d, "result"),
			    (long long)j_int(d, "duration_ms"),
			    (long long)j_int(d, "tables"),
			    (long long)j_int(d, "rows"),
			    text[0] == '\0' ? "" : ": ", text);
	}
	answer_free(&a);
	return (status);
}
