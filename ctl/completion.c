/*
 * Shell completion, made from the table of verbs.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static void
print_names(const char *between)
{
	const struct verb	*v;

	for (v = verbs; v->name != NULL; v++)
		printf("%s%s", v == verbs ? "" : between, v->name);
}

/* What may follow a verb: words, "id" or "verb". */
static void
print_words(const struct verb *v)
{
	if (strcmp(v->complete, "verb") == 0)
		print_names(" ");
	else if (strcmp(v->complete, "id") == 0)
		printf("$(cloudbackupctl list -n 50 2>/dev/null | "
		    "awk 'NR > 1 { sub(/[*]$/, \"\", $1); print $1 }')");
	else
		printf("%s", v->complete);
}

static void
bash(void)
{
	const struct verb	*v;

	printf("# bash completion of cloudbackupctl(8)\n"
	    "_cloudbackupctl()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb= i=1\n"
	    "\twhile [ $i -lt $COMP_CWORD ]; do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t-[dstu]) i=$((i + 1)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
	    "\t\tesac\n\t\ti=$((i + 1))\n\tdone\n"
	    "\tcase $verb in\n\t'')\tset -- ");
	print_names(" ");
	printf(" ;;\n");
	for (v = verbs; v->name != NULL; v++) {
		if (v->complete == NULL)
			continue;
		printf("\t%s)\tset -- ", v->name);
		print_words(v);
		printf(" ;;\n");
	}
	printf("\t*)\tset -- ;;\n\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$*\" -- \"$cur\"))\n"
	    "\t[ \"$verb\" = download ] && "
	    "COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	    "\treturn 0\n}\ncomplete -F _cloudbackupctl cloudbackupctl\n");
}

static void
zsh(void)
{
	const struct verb	*v;

	printf("#compdef cloudbackupctl\n"
	    "local -a verbs\nverbs=(\n");
	for (v = verbs; v->name != NULL; v++)
		printf("\t'%s:%s'\n", v->name, v->about);
	printf(")\n_arguments -C '-d[database]:database:' "
	    "'-j[print JSON]' '-s[socket]:socket:_files' "
	    "'-t[token file]:file:_files' '-u[address]:url:' "
	    "'-V[version]' '-y[do not ask]' '1:verb:->verb' "
	    "'*::argument:->argument'\n"
	    "case $state in\nverb)\t_describe verb verbs ;;\n"
	    "argument)\n\tcase $words[1] in\n");
	for (v = verbs; v->name != NULL; v++) {
		if (v->complete == NULL)
			continue;
		printf("\t%s)\tcompadd -- ", v->name);
		print_words(v);
		printf(" ;;\n");
	}
	printf("\tesac ;;\nesac\n");
}

int
do_completion(const struct ctl *ctl, int argc, char *argv[])
{
	(void)ctl;
	if (argc != 2)
		return (verb_usage("completion"));
	if (strcmp(argv[1], "bash") == 0)
		bash();
	else if (strcmp(argv[1], "zsh") == 0)
		zsh();
	else
		return (verb_usage("completion"));
	return (CTL_OK);
}
