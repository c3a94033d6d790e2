/*
 * Makes databases that are awkward to back up, each as it would come to be
 * in life: a process that dies in the middle is really killed.
 *
 *	mkdb big FILE SIZE_GIB [wal] [PAGE_SIZE]
 *	mkdb hotjournal FILE
 *	mkdb hotwal FILE [ROWS]
 *	mkdb superjournal FILE1 FILE2 [before|after]
 *	mkdb planted FILE TARGET
 *	mkdb locker FILE exclusive|immediate|shared|walread|walwrite SECONDS
 *	mkdb newsyntax FILE
 *	mkdb appfunc FILE [function|collation]
 *	mkdb damaged FILE
 *	mkdb rotframe FILE N
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/tools/mkdb.h"
#include "regress/tools/tool.h"

static const struct {
	const char	*kind;
	int		 least;		/* arguments, FILE among them */
	int		 most;
	void		(*make)(int argc, char **argv);
} kinds[] = {
	{ "appfunc",		1, 2, mkdb_appfunc },
	{ "big",		2, 4, mkdb_big },
	{ "damaged",		1, 1, mkdb_damaged },
	{ "hotjournal",		1, 1, mkdb_hotjournal },
	{ "hotwal",		1, 2, mkdb_hotwal },
	{ "locker",		3, 3, mkdb_locker },
	{ "newsyntax",		1, 1, mkdb_newsyntax },
	{ "planted",		2, 2, mkdb_planted },
	{ "rotframe",		2, 2, mkdb_rotframe },
	{ "superjournal",	2, 3, mkdb_superjournal }
};

sqlite3 *
mkdb_new(const char *file, int rows)
{
	sqlite3	*db;

	if (access(file, F_OK) == 0)
		fatalx("%s is there already", file);
	db = tool_open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	tool_exec(db, "BEGIN;"
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, pad BLOB);"
	    "CREATE INDEX t_v ON t(v, id)");
	tool_exec(db, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL"
	    " SELECT n + 1 FROM i WHERE n < %d)"
	    " INSERT INTO t SELECT n, 'old', randomblob(400) FROM i;"
	    "COMMIT", rows);
	return (db);
}

void
mkdb_die(void)
{
	raise(SIGKILL);
	fatalx("survived SIGKILL");
}

void
mkdb_killed(void (*fn)(char **), char **argv)
{
	pid_t	pid;
	int	status;

	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid == 0) {
		fn(argv);
		fatalx("the child was to die");
	}
	if (waitpid(pid, &status, 0) == -1)
		fatal("wait");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fatalx("the child did not die by SIGKILL");
}

int
main(int argc, char **argv)
{
	size_t	i;

	log_init("mkdb", 1, 0);
	for (i = 0; argc >= 2 && i < nitems(kinds); i++) {
		if (strcmp(kinds[i].kind, argv[1]) != 0)
			continue;
		if (argc - 2 < kinds[i].least || argc - 2 > kinds[i].most)
			break;
		kinds[i].make(argc - 2, argv + 2);
		return (0);
	}
	fprintf(stderr, "usage: mkdb kind file [argument...]; "
	    "the kinds are in mkdb.c\n");
	return (1);
}
