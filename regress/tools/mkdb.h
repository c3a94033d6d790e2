/*
 * The kinds of awkward database that mkdb makes.
 */
#ifndef REGRESS_TOOLS_MKDB_H
#define REGRESS_TOOLS_MKDB_H

/* argv[0] is FILE; argc was checked against the table in mkdb.c. */
void	mkdb_big(int argc, char **argv);
void	mkdb_hotjournal(int argc, char **argv);
void	mkdb_hotwal(int argc, char **argv);
void	mkdb_superjournal(int argc, char **argv);
void	mkdb_planted(int argc, char **argv);
void	mkdb_locker(int argc, char **argv);
void	mkdb_newsyntax(int argc, char **argv);
void	mkdb_appfunc(int argc, char **argv);
void	mkdb_damaged(int argc, char **argv);
void	mkdb_rotframe(int argc, char **argv);

/* Makes FILE with table t(id, v): rows rows of v = 'old' and padding.
 * Fatal if it is there. */
struct sqlite3;
struct sqlite3 *mkdb_new(const char *file, int rows);

/* Runs fn(argv) in a child that must end by SIGKILL. */
void	mkdb_killed(void (*fn)(char **), char **argv);

/* Ends this process as a power cut would. */
void	mkdb_die(void) __attribute__((__noreturn__));

#endif
