/*
 * The verbs for backups: taken, listed, shown, pinned, deleted, expired.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "ctl/ctl.h"

#define LIST_ROWS	"20"
#define PATH_MAX_BYTES	2048

static char
status_colour(const char *status)
{
	return (strcmp(status, "completed") == 0 ? 'g' :
	    strcmp(status, "failed") == 0 ? 'r' : 'y');
}

/* "local,hq" */
static void
places(struct json_object *backup, char *dst, size_t size)
{
	size_t	i;

	dst[0] = '\0';
	for (i = 0; i < j_count(backup, "locations"); i++) {
		if (strcmp(j_text(j_at(backup, "locations", i), NULL),
		    "local") == 0)
			strlcpy(dst, "local", size);
	}
	for (i = 0; i < j_count(backup, "remotes"); i++) {
		if (dst[0] != '\0')
			strlcat(dst, ",", size);
		strlcat(dst, j_text(j_at(backup, "remotes", i), NULL), size);
	}
	if (dst[0] == '\0')
		strlcpy(dst, "-", size);
}

static void
row(struct table *t, struct json_object *b)
{
	char		 size[16], age[16], where[256];
	const char	*verdict = j_text(b, "verification");

	say_size(size, j_get(b, "file_size") == NULL ? -1 :
	    j_int(b, "file_size"));
	say_since(age, j_text(b, "created_at"));
	places(b, where, sizeof(where));
	table_cell(t, "%s%s", j_text(b, "id"), j_true(b, "pinned") ? "*" :
	    "");
	table_cell(t, "%s", j_text(b, "database"));
	table_cell(t, "%s", age);
	table_cell(t, "%s", size);
	table_cell(t, "%s", j_text(b, "status"));
	table_colour(t, status_colour(j_text(b, "status")));
	table_cell(t, "%s", verdict[0] == '\0' ? "-" : verdict);
	table_cell(t, "%s", where);
	table_cell(t, "%s", j_text(b, "backup_name"));
}

int
do_list(const struct ctl *ctl, int argc, char *argv[])
{
	const char	*limit = LIST_ROWS;
	struct answer	 a;
	struct table	*t;
	char		 path[PATH_MAX_BYTES] = "/user";
	size_t		 i;
	int		 ch, status;

	while ((ch = getopt(argc, argv, "an:")) != -1) {
		if (ch == 'a')
			limit = NULL;
		else if (ch == 'n')
			limit = optarg;
		else
			return (verb_usage("list"));
	}
	if (optind != argc)
		return (verb_usage("list"));
	client_query(ctl->client, path, sizeof(path), "limit", limit);
	client_query(ctl->client, path, sizeof(path), "database",
	    ctl->database);
	client_call(ctl->client, "GET", path, NULL, 0, &a);
	if (a.status != 200) {
		status = say_failure("list", &a);
		answer_free(&a);
		return (status);
	}
	if (!say_json(ctl, &a)) {
		t = table_new("ID:r DATABASE AGE:r SIZE:r STATUS PROOF WHERE "
		    "NAME");
		for (i = 0; i < j_count(a.root, "data"); i++)
			row(t, j_at(a.root, "data", i));
		table_print(t, ctl->colour);
		if (j_text(a.root, "next")[0] != '\0')
			printf("(there are more: -a shows all)\n");
	}
	answer_free(&a);
	return (CTL_OK);
}

/* One call that gives one answer; -j prints it. */
static int
simple(const struct ctl *ctl, const char *what, const char *method,
    const char *path, struct json_object *body, struct answer *a)
{
	client_call(ctl->client, method, path, body, 0, a);
	json_object_put(body);
	if (a->status / 100 != 2)
		return (say_failure(what, a));
	(void)say_json(ctl, a);
	return (CTL_OK);
}

static int
backup_get(const struct ctl *ctl, const char *what, const char *id,
    struct answer *a)
{
	char	path[PATH_MAX_BYTES] = "/backup";

	client_segment(ctl->client, path, sizeof(path), id);
	client_call(ctl->client, "GET", path, NULL, 0, a);
	return (a->status == 200 ? CTL_OK : say_failure(what, a));
}

static void
field(const char *name, const char *fmt_text)
{
	char	text[2048];

	say_clean(text, sizeof(text), fmt_text);
	if (text[0] != '\0')
		printf("%-12s %s\n", name, text);
}

static const struct {
	const char	*name, *key;
} shown[] = {
	{ "backup", "id" },
	{ "database", "database" },
	{ "name", "backup_name" },
	{ "description", "description" },
	{ "type", "backup_type" },
	{ "status", "status" },
	{ "error", "error" },
	{ "captured", "captured_at" },
	{ "verified", "verified_at" },
	{ "verdict", "verification" },
	{ "checksum", "checksum" },
	{ "file", "file_path" },
	{ "form", "form" },
	{ "lock held ms", "lock_held_ms" },
	{ "pinned", "pinned" },
	{ "tables", "tables" },
};

static void
copies(const struct ctl *ctl, struct json_object *b)
{
	struct table		*t;
	struct json_object	*c;
	char			 size[16], age[16];
	const char		*state;
	size_t			 i;

	if (j_count(b, "copies") == 0)
		return;
	printf("\n");
	t = table_new("PLACE STATE SIZE:r CONFIRMED AGE:r TRIES:r REASON");
	for (i = 0; i < j_count(b, "copies"); i++) {
		c = j_at(b, "copies", i);
		state = j_true(c, "expiring") ? "expiring" :
		    j_text(c, "state");
		say_size(size, j_int(c, "size"));
		say_since(age, j_text(c, "completed_at"));
		table_cell(t, "%s", j_text(c, "place"));
		table_cell(t, "%s", state);
		table_colour(t, status_colour(state));
		table_cell(t, "%s", size);
		table_cell(t, "%s", j_text(c, "confirmed")[0] == '\0' ? "-" :
		    j_text(c, "confirmed"));
		table_cell(t, "%s", age);
		table_cell(t, "%s", j_text(c, "attempts"));
		table_cell(t, "%s", j_text(c, "reason"));
	}
	table_print(t, ctl->colour);
}

static void
show(const struct ctl *ctl, struct json_object *b)
{
	char	size[16], stored[16];
	size_t	i;

	for (i = 0; i < nitems(shown); i++)
		field(shown[i].name, j_text(b, shown[i].key));
	say_size(size, j_int(b, "file_size"));
	say_size(stored, j_int(b, "stored_size"));
	printf("%-12s %s (%lld bytes), stored as %s\n", "size", size,
	    (long long)j_int(b, "file_size"), stored);
	copies(ctl, b);
	phases_print(ctl, b);
}

int
do_show(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer	a;
	int		status;

	if (argc != 2)
		return (verb_usage("show"));
	if ((status = backup_get(ctl, "show", argv[1], &a)) == CTL_OK &&
	    !say_json(ctl, &a))
		show(ctl, j_data(&a));
	answer_free(&a);
	return (status);
}

/* ---- create ---- */

static int
created(const struct ctl *ctl, const char *id)
{
	struct answer		 a;
	struct json_object	*b;
	const char		*status;
	char			 size[16], where[256], reason[1024];
	int			 rv;

	if ((rv = backup_get(ctl, "create", id, &a)) != CTL_OK) {
		answer_free(&a);
		return (rv);
	}
	b = j_data(&a);
	status = j_text(b, "status");
	if (strcmp(status, "failed") == 0)
		rv = CTL_FAILED;
	if (!say_json(ctl, &a)) {
		say_size(size, j_int(b, "file_size"));
		places(b, where, sizeof(where));
		say_clean(reason, sizeof(reason), j_text(b, "error"));
		printf("backup %s of %s: %s, %s, at %s%s%s\n", id,
		    j_text(b, "database"), status, size, where,
		    reason[0] == '\0' ? "" : "; ", reason);
	}
	answer_free(&a);
	return (rv);
}

int
do_create(const struct ctl *ctl, int argc, char *argv[])
{
	struct json_object	*body;
	struct answer		 a, job;
	char			 id[32];
	int			 status;

	if (argc > 3)
		return (verb_usage("create"));
	body = json_object_new_object();
	if (ctl->database != NULL)
		json_object_object_add(body, "database",
		    json_object_new_string(ctl->database));
	if (argc > 1)
		json_object_object_add(body, "backup_name",
		    json_object_new_string(argv[1]));
	if (argc > 2)
		json_object_object_add(body, "description",
		    json_object_new_string(argv[2]));
	client_call(ctl->client, "POST", "/create", body, CALL_ASYNC, &a);
	json_object_put(body);
	if (a.status / 100 != 2) {
		status = say_failure("create", &a);
		answer_free(&a);
		return (status);
	}
	status = job_follow(ctl, "create", &a, &job);
	(void)snprintf(id, sizeof(id), "%lld",
	    (long long)j_int(j_data(&job), "backup_id"));
	answer_free(&a);
	answer_free(&job);
	return (status == CTL_OK ? created(ctl, id) : status);
}

/* ---- pin, unpin, delete, expire ---- */

/* One call for each id; the daemon says what came of it. */
static int
each(const struct ctl *ctl, const char *method, int argc, char *argv[])
{
	struct answer	a;
	char		path[PATH_MAX_BYTES], text[1024];
	int		i, rv = CTL_OK, status;

	for (i = 1; i < argc; i++) {
		(void)snprintf(path, sizeof(path), "/%s",
		    strcmp(method, "DELETE") == 0 ? "backup" : argv[0]);
		client_segment(ctl->client, path, sizeof(path), argv[i]);
		status = simple(ctl, argv[0], method, path, NULL, &a);
		say_clean(text, sizeof(text), j_text(a.root, "message"));
		if (status == CTL_OK && !ctl->json)
			printf("%s: %s\n", argv[i], text);
		if (status != CTL_OK)
			rv = status;
		answer_free(&a);
	}
	return (rv);
}

int
do_pin(const struct ctl *ctl, int argc, char *argv[])
{
	if (argc < 2 || argv[1][0] == '-')
		return (verb_usage(argv[0]));
	return (each(ctl, "POST", argc, argv));
}

int
do_delete(const struct ctl *ctl, int argc, char *argv[])
{
	if (argc < 2 || argv[1][0] == '-')
		return (verb_usage("delete"));
	if (!say_ask(ctl, "Delete %d backup%s, here and at all remotes",
	    argc - 1, argc == 2 ? "" : "s"))
		return (CTL_USAGE);
	return (each(ctl, "DELETE", argc, argv));
}

static void
expired(const struct ctl *ctl, struct json_object *root)
{
	struct json_object	*r;
	struct table		*t;
	char			 size[16], age[16];
	size_t			 i;

	t = table_new("ID:r DATABASE PLACE AGE:r SIZE:r WHY");
	for (i = 0; i < j_count(root, "data"); i++) {
		r = j_at(root, "data", i);
		say_size(size, j_int(r, "size"));
		say_since(age, j_text(r, "created_at"));
		table_cell(t, "%s", j_text(r, "backup_id"));
		table_cell(t, "%s", j_text(r, "database"));
		table_cell(t, "%s", j_text(r, "place"));
		table_cell(t, "%s", age);
		table_cell(t, "%s", size);
		table_cell(t, "%s", j_text(r, "why"));
	}
	table_print(t, ctl->colour);
}

int
do_expire(const struct ctl *ctl, int argc, char *argv[])
{
	struct answer	a;
	char		path[PATH_MAX_BYTES] = "/expire", text[512];
	int		ch, dry = 0, status;

	while ((ch = getopt(argc, argv, "n")) != -1) {
		if (ch != 'n')
			return (verb_usage("expire"));
		dry = 1;
	}
	if (optind != argc)
		return (verb_usage("expire"));
	if (!dry && !say_ask(ctl, "Delete what the rules do not keep of %s "
	    "(-n shows it)", ctl->database == NULL ? "all databases" :
	    ctl->database))
		return (CTL_USAGE);
	client_query(ctl->client, path, sizeof(path), "dry_run",
	    dry ? "1" : NULL);
	client_query(ctl->client, path, sizeof(path), "database",
	    ctl->database);
	status = simple(ctl, "expire", "POST", path, NULL, &a);
	if (status == CTL_OK && !ctl->json) {
		if (j_count(a.root, "data") > 0)
			expired(ctl, a.root);
		say_clean(text, sizeof(text), j_text(a.root, "message"));
		printf("%s\n", text);
	}
	answer_free(&a);
	return (status);
}
