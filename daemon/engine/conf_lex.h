/*
 * Words of a configuration file.  Macros and includes are dealt with here:
 * who reads tokens never sees them.
 */
#ifndef ENGINE_CONF_LEX_H
#define ENGINE_CONF_LEX_H

#include <sys/types.h>
#include <stddef.h>

#include "common/compat.h"

struct lex;

enum lex_kind {
	LEX_END,		/* for ever after the last one */
	LEX_NEWLINE,		/* also at the end of every file */
	LEX_WORD,		/* without quotes */
	LEX_NUMBER,		/* a word of digits */
	LEX_STRING,		/* in quotes, or a macro's value */
	LEX_MARK,		/* one of { } , = */
	LEX_BAD			/* the error has been printed */
};

struct lex_file {
	STAILQ_ENTRY(lex_file) entry;
	char		*name;
	char		*text;
	size_t		 size;		/* bytes */
	dev_t		 dev;
	ino_t		 ino;
	int		 others_read;	/* anybody can read it */
};

struct lex_token {
	STAILQ_ENTRY(lex_token) entry;
	enum lex_kind	 kind;
	const char	*text;		/* of the string, what it means */
	const struct lex_file *file;
	const struct lex_file *origin;	/* where a macro was defined */
	int		 line;
};

/*
 * lex_open reads a file, lex_memory a text of n bytes (copied); name
 * stands in messages.  NULL after printing why.  check_owner also holds
 * for what is included: see conf_load_file.
 */
struct lex	*lex_open(const char *file, int check_owner);
struct lex	*lex_memory(const char *name, const char *text, size_t n);

/* Wipes and frees everything, tokens and their texts too. */
void		 lex_free(struct lex *);

/* The next token; it lives as long as the lexer. */
const struct lex_token *lex_next(struct lex *);

/* Prints an error at a token and counts it.  After too many, lex_next
 * gives LEX_END. */
void		 lex_error(struct lex *, const struct lex_token *,
		    const char *, ...)
		    __attribute__((__format__ (printf, 3, 4)));
int		 lex_errors(const struct lex *);

#endif
