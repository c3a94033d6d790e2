/*
 * cloudbackupctl: the administrator's tool.  This file owns the options
 * and the table of verbs; everything that prints usage, help or shell
 * completion reads that table.
 */
#include <err.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

const struct verb	verbs[] = {
	{ "acknowledge", "[KIND]", "end alarms of a database, so that its "
	    "backups expire again", do_acknowledge, NULL },
	{ "check", "", "will it work tonight? paths, locks, room, remotes, "
	    "licence", do_check, NULL },
	{ "completion", "bash|zsh", "print the completion of a shell",
	    do_completion, "bash zsh" },
	{ "create", "[NAME [DESCRIPTION]]", "take a backup now", do_create,
	    NULL },
	{ "delete", "ID ...", "delete backups, everywhere", do_delete, "id" },
	{ "download", "[-r] ID [FILE]", "fetch a backup (-r: as it is "
	    "stored)", do_download, "id" },
	{ "events", "[-f] [AFTER]", "what happened (-f: and what happens)",
	    do_events, NULL },
	{ "expire", "[-n]", "delete what the rules do not keep (-n: only "
	    "show it)", do_expire, NULL },
	{ "help", "[VERB]", "explain a verb", do_help, "verb" },
	{ "info", "", "facts about the live database", do_info, NULL },
	{ "jobs", "[ID]", "what runs, and how far it is", do_jobs, NULL },
	{ "list", "[-a] [-n COUNT]", "backups, newest first (-a: all)",
	    do_list, NULL },
	{ "locks", "", "who has the database, and how", do_locks, NULL },
	{ "log", "verbose|brief", "how much the daemon writes to its log",
	    do_log, "verbose brief" },
	{ "pin", "ID ...", "keep backups whatever the rules say", do_pin,
	    "id" },
	{ "reload", "", "read the configuration anew", do_reload, NULL },
	{ "remote", "test NAME", "try everything that is needed of a remote",
	    do_remote, "test" },
	{ "restore", "[-f] [-i FILE] ID", "put a backup back (-f: force, "
	    "-i: the age identity)", do_restore, "id" },
	{ "show", "ID", "everything about one backup", do_show, "id" },
	{ "status", "", "each database, its last proven backup, what is due",
	    do_status, NULL },
	{ "undo", "", "put back what the last restore replaced", do_undo,
	    NULL },
	{ "unpin", "ID ...", "let backups expire again", do_pin, "id" },
	{ "verify", "ID", "restore a backup to scratch and compare it",
	    do_verify, "id" },
	{ NULL, NULL, NULL, NULL, NULL }
};

static void
usage(FILE *f)
{
	fprintf(f, "usage: cloudbackupctl [-jVy] [-d database] [-s socket | "
	    "-u url] [-t file]\n                      verb [argument ...]\n");
}

int
verb_usage(const char *name)
{
	const struct verb	*v;

	for (v = verbs; v->name != NULL; v++) {
		if (strcmp(v->name, name) == 0)
			fprintf(stderr, "usage: cloudbackupctl %s%s%s\n",
			    v->name, v->args[0] == '\0' ? "" : " ", v->args);
	}
	return (CTL_USAGE);
}

/* Levenshtein's distance, for words of up to 31 letters. */
static size_t
distance(const char *a, const char *b)
{
	size_t	row[32], i, j, n = strlen(b), before, keep, best;

	if (n > 31)
		return (n);
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		before = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			keep = row[j];
			best = before + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			before = keep;
		}
	}
	return (row[n]);
}

static void
unknown(const char *name)
{
	const struct verb	*v, *near = NULL;
	size_t			 d, best = 3;

	for (v = verbs; v->name != NULL; v++) {
		if ((d = distance(name, v->name)) < best) {
			best = d;
			near = v;
		}
	}
	if (near != NULL)
		say_error("there is no verb \"%s\"; did you mean \"%s\"?",
		    name, near->name);
	else
		say_error("there is no verb \"%s\"; \"cloudbackupctl help\" "
		    "lists them", name);
}

const struct verb *
verb_find(const char *name)
{
	const struct verb	*v, *found = NULL;
	char			 list[256] = "";
	int			 n = 0;

	for (v = verbs; v->name != NULL; v++) {
		if (strcmp(v->name, name) == 0)
			return (v);
		if (strncmp(v->name, name, strlen(name)) != 0)
			continue;
		found = v;
		if (n++ > 0)
			strlcat(list, ", ", sizeof(list));
		strlcat(list, v->name, sizeof(list));
	}
	if (n == 1 && name[0] != '\0')
		return (found);
	if (n > 1 && name[0] != '\0')
		say_error("\"%s\" may be any of: %s", name, list);
	else
		unknown(name);
	return (NULL);
}

int
do_help(const struct ctl *ctl, int argc, char *argv[])
{
	const struct verb	*v;
	struct table		*t;

	if (argc > 2)
		return (verb_usage("help"));
	if (argc == 2) {
		if ((v = verb_find(argv[1])) == NULL)
			return (CTL_USAGE);
		printf("cloudbackupctl %s%s%s\n    %s\n", v->name,
		    v->args[0] == '\0' ? "" : " ", v->args, v->about);
		return (CTL_OK);
	}
	usage(stdout);
	printf("\n");
	t = table_new("VERB ARGUMENTS MEANING");
	for (v = verbs; v->name != NULL; v++) {
		table_cell(t, "%s", v->name);
		table_cell(t, "%s", v->args);
		table_cell(t, "%s", v->about);
	}
	table_print(t, ctl->colour);
	printf("\ncloudbackupctl(8) tells the rest.\n");
	return (CTL_OK);
}

/* Verbs that ask the daemon nothing. */
static int
is_local(const struct verb *v)
{
	return (v->run == do_help || v->run == do_completion);
}

int
main(int argc, char *argv[])
{
	const char		*socket = NULL, *url = NULL, *token = NULL, *term;
	const struct verb	*v;
	struct ctl		 ctl;
	char			*verb;
	int			 ch, status;

	setlocale(LC_CTYPE, "");
	memset(&ctl, 0, sizeof(ctl));
	/* "+": what follows the verb is the verb's. */
	while ((ch = getopt(argc, argv, "+d:hjs:t:u:Vy")) != -1) {
		switch (ch) {
		case 'd':
			ctl.database = optarg;
			break;
		case 'h':
			usage(stdout);
			return (CTL_OK);
		case 'j':
			ctl.json = 1;
			break;
		case 's':
			socket = optarg;
			break;
		case 't':
			token = optarg;
			break;
		case 'u':
			url = optarg;
			break;
		case 'V':
			printf("cloudbackupctl %s\n", VERSION);
			return (CTL_OK);
		case 'y':
			ctl.yes = 1;
			break;
		default:
			usage(stderr);
			return (CTL_USAGE);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 0 || (socket != NULL && url != NULL)) {
		usage(stderr);
		return (CTL_USAGE);
	}
	if ((v = verb_find(argv[0])) == NULL)
		return (CTL_USAGE);
	term = getenv("TERM");
	ctl.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
	    term != NULL && strcmp(term, "dumb") != 0;
	ctl.terminal = isatty(STDERR_FILENO);
	if (!is_local(v) &&
	    (ctl.client = client_open(socket, url, token)) == NULL)
		return (CTL_USAGE);
	optind = 0;			/* a verb has options, too */
	argv[0] = verb = xstrdup(v->name);	/* whole */
	status = v->run(&ctl, argc, argv);
	free(verb);
	client_close(ctl.client);
	if (fflush(stdout) == EOF || ferror(stdout))
		err(CTL_USAGE, "standard output");
	return (status);
}
