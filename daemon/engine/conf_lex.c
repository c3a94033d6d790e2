/*
 * The engine runs this, before anything is dropped.  It cuts a
 * configuration file into tokens, and owns their texts until lex_free: a
 * parser that gives up in the middle leaks nothing, and every secret is
 * wiped in one place.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_lex.h"

#define DEPTH_MAX	16		/* files that include each other */
#define FILES_MAX	256

/* A text that tokens point to. */
struct lex_string {
	STAILQ_ENTRY(lex_string) entry;
	size_t		 size;		/* bytes, without the NUL */
	char		 data[];
};

struct lex_macro {
	STAILQ_ENTRY(lex_macro) entry;
	const char	*name;
	const char	*value;
	const struct lex_file *origin;
	int		 line;
};

/* A file being read. */
struct lex_source {
	struct lex_file	*file;
	const char	*p;
	const char	*end;
	int		 line;
};

struct lex {
	STAILQ_HEAD(, lex_file) files;
	STAILQ_HEAD(, lex_token) tokens;
	STAILQ_HEAD(, lex_string) strings;
	STAILQ_HEAD(, lex_macro) macros;
	struct lex_source stack[DEPTH_MAX];
	int		 depth;		/* of the stack */
	int		 files_count;
	size_t		 bytes;		/* read in all */
	int		 flags;		/* CONF_FILE_* */
	int		 errors;
	int		 line_starts;	/* only blanks so far */
	int		 ended;		/* the last newline was given */
};

static struct lex *
lex_new(int flags)
{
	struct lex	*lex;

	lex = xcalloc(1, sizeof(*lex));
	STAILQ_INIT(&lex->files);
	STAILQ_INIT(&lex->tokens);
	STAILQ_INIT(&lex->strings);
	STAILQ_INIT(&lex->macros);
	lex->flags = flags;
	return (lex);
}

/* Starts reading a text, which is the lexer's from now on. */
static void
source_push(struct lex *lex, const char *name, struct conf_text *t)
{
	struct lex_source	*s = &lex->stack[lex->depth++];
	struct lex_file		*f;

	f = xcalloc(1, sizeof(*f));
	f->name = xstrdup(name);
	f->text = t->data;
	f->size = t->size;
	f->dev = t->dev;
	f->ino = t->ino;
	f->others_read = lex->flags != 0 && (t->mode & 04) != 0;
	STAILQ_INSERT_TAIL(&lex->files, f, entry);
	lex->files_count++;
	lex->bytes += t->size;
	s->file = f;
	s->p = f->text;
	s->end = f->text + f->size;
	s->line = 1;
	if (f->size >= 3 && memcmp(f->text, "\xef\xbb\xbf", 3) == 0)
		s->p += 3;
	lex->line_starts = 1;
}

struct lex *
lex_open(const char *file, int check_owner)
{
	struct conf_text	 t;
	struct lex		*lex;
	char			 why[CONF_WHY_BYTES];
	int			 flags = check_owner ? CONF_FILE_OWNER : 0;

	if (conf_file_read(file, flags, CONF_BYTES_MAX, &t, why) == -1) {
		conf_error(file, 0, "%s", why);
		return (NULL);
	}
	lex = lex_new(flags);
	source_push(lex, file, &t);
	return (lex);
}

struct lex *
lex_memory(const char *name, const char *text, size_t n)
{
	struct conf_text	 t;
	struct lex		*lex;

	memset(&t, 0, sizeof(t));
	t.data = xmalloc(n + 1);
	memcpy(t.data, text, n);
	t.data[n] = '\0';
	t.size = n;
	lex = lex_new(0);
	source_push(lex, name, &t);
	return (lex);
}

void
lex_free(struct lex *lex)
{
	struct lex_file		*f;
	struct lex_token	*tok;
	struct lex_string	*s;
	struct lex_macro	*m;

	if (lex == NULL)
		return;
	while ((f = STAILQ_FIRST(&lex->files)) != NULL) {
		STAILQ_REMOVE_HEAD(&lex->files, entry);
		freezero(f->text, f->size);
		free(f->name);
		free(f);
	}
	while ((tok = STAILQ_FIRST(&lex->tokens)) != NULL) {
		STAILQ_REMOVE_HEAD(&lex->tokens, entry);
		free(tok);
	}
	while ((s = STAILQ_FIRST(&lex->strings)) != NULL) {
		STAILQ_REMOVE_HEAD(&lex->strings, entry);
		freezero(s, sizeof(*s) + s->size);
	}
	while ((m = STAILQ_FIRST(&lex->macros)) != NULL) {
		STAILQ_REMOVE_HEAD(&lex->macros, entry);
		free(m);
	}
	free(lex);
}

int
lex_errors(const struct lex *lex)
{
	return (lex->errors);
}

void
lex_error(struct lex *lex, const struct lex_token *tok, const char *fmt, ...)
{
	char	text[1024];
	va_list	ap;

	if (lex->errors >= CONF_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_error(tok->file->name, tok->line, "%s", text);
	if (++lex->errors == CONF_ERRORS_MAX)
		conf_error(tok->file->name, tok->line,
		    "too many errors, the rest is not read");
}

static struct lex_source *
source(struct lex *lex)
{
	return (&lex->stack[lex->depth - 1]);
}

static struct lex_token *
token_new(struct lex *lex, enum lex_kind kind, const char *text)
{
	struct lex_token	*tok;

	tok = xcalloc(1, sizeof(*tok));
	tok->kind = kind;
	tok->text = text;
	tok->file = tok->origin = source(lex)->file;
	tok->line = source(lex)->line;
	STAILQ_INSERT_TAIL(&lex->tokens, tok, entry);
	return (tok);
}

static struct lex_string *
string_new(struct lex *lex, const char *data, size_t n)
{
	struct lex_string	*s;

	s = xmalloc(sizeof(*s) + n + 1);
	s->size = n;
	memcpy(s->data, data, n);
	s->data[n] = '\0';
	STAILQ_INSERT_TAIL(&lex->strings, s, entry);
	return (s);
}

/* What follows an error in a line would only be misread. */
static struct lex_token *
bad(struct lex *lex, struct lex_token *tok)
{
	struct lex_source	*s = source(lex);

	while (s->p < s->end && *s->p != '\n')
		s->p++;
	tok->kind = LEX_BAD;
	return (tok);
}

/* Bytes of a line's end at p behind a backslash: 1, 2 for CRLF, or 0. */
static int
line_end(const char *p, const char *end)
{
	if (p < end && *p == '\n')
		return (1);
	return (p + 1 < end && p[0] == '\r' && p[1] == '\n' ? 2 : 0);
}

static void
skip_blanks(struct lex *lex)
{
	struct lex_source	*s = source(lex);
	int			 n;

	while (s->p < s->end) {
		if (*s->p == ' ' || *s->p == '\t' || *s->p == '\r')
			s->p++;
		else if (*s->p == '#')
			while (s->p < s->end && *s->p != '\n')
				s->p++;
		else if (*s->p == '\\' &&
		    (n = line_end(s->p + 1, s->end)) != 0) {
			s->p += 1 + n;
			s->line++;
		} else
			return;
	}
}

/* At the quote that begins it. */
static struct lex_token *
lex_string(struct lex *lex)
{
	struct lex_source	*s = source(lex);
	struct lex_token	*tok = token_new(lex, LEX_STRING, "");
	struct lex_string	*str;
	const char		*p, *quote;
	size_t			 n = 0;

	for (quote = s->p + 1; quote < s->end && *quote != '"' &&
	    *quote != '\n'; quote++)
		if (*quote == '\\' && quote + 1 < s->end && quote[1] != '\n')
			quote++;
	if (quote >= s->end || *quote != '"') {
		lex_error(lex, tok, "the quote that begins here does not end "
		    "in this line");
		return (bad(lex, tok));
	}
	str = string_new(lex, s->p + 1, (size_t)(quote - s->p - 1));
	for (p = s->p + 1; p < quote; p++) {
		if (*p == '\\' && p[1] != '"' && p[1] != '\\') {
			lex_error(lex, tok, "in quotes a backslash stands "
			    "only before \" and \\; write \\\\ for itself");
			return (bad(lex, tok));
		}
		if (*p == '\\')
			p++;
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			lex_error(lex, tok, "a control character (0x%02x) in "
			    "quotes", (unsigned char)*p);
			return (bad(lex, tok));
		}
		str->data[n++] = *p;
	}
	str->data[n] = '\0';
	s->p = quote + 1;
	tok->text = str->data;
	return (tok);
}

static int
word_byte(unsigned char c)
{
	return (c > 0x20 && c < 0x7f && strchr("\"{},=#\\$", c) == NULL);
}

static int
name_byte(unsigned char c)
{
	return (c < 0x80 && (isalnum(c) || c == '_'));
}

static struct lex_token *
lex_word(struct lex *lex)
{
	struct lex_source	*s = source(lex);
	struct lex_token	*tok = token_new(lex, LEX_NUMBER, "");
	const char		*start = s->p;

	for (; s->p < s->end && word_byte((unsigned char)*s->p); s->p++)
		if (!isdigit((unsigned char)*s->p))
			tok->kind = LEX_WORD;
	tok->text = string_new(lex, start, (size_t)(s->p - start))->data;
	return (tok);
}

static struct lex_macro *
macro_find(struct lex *lex, const char *name)
{
	struct lex_macro	*m;

	STAILQ_FOREACH(m, &lex->macros, entry)
		if (strcmp(m->name, name) == 0)
			break;
	return (m);
}

/* At the dollar. */
static struct lex_token *
lex_use(struct lex *lex)
{
	struct lex_source	*s = source(lex);
	struct lex_token	*tok = token_new(lex, LEX_STRING, "");
	struct lex_macro	*m;
	const char		*name, *start = ++s->p;

	while (s->p < s->end && name_byte((unsigned char)*s->p))
		s->p++;
	name = string_new(lex, start, (size_t)(s->p - start))->data;
	if ((m = macro_find(lex, name)) == NULL) {
		lex_error(lex, tok, "macro \"$%s\" is not defined; a line "
		    "before this must say %s = \"...\"", name,
		    *name == '\0' ? "name" : name);
		tok->kind = LEX_BAD;
		return (tok);
	}
	tok->text = m->value;
	tok->origin = m->origin;
	return (tok);
}

/* One token as it stands in the file: no includes, no definitions. */
static struct lex_token *
lex_plain(struct lex *lex)
{
	static const char	 marks[] = "{},=";
	struct lex_source	*s = source(lex);
	struct lex_token	*tok;
	const char		*mark;
	unsigned char		 c;

	skip_blanks(lex);
	if (s->p == s->end)
		return (token_new(lex, LEX_END, "end of file"));
	c = (unsigned char)*s->p;
	if (c == '"')
		return (lex_string(lex));
	if (c == '$')
		return (lex_use(lex));
	if (word_byte(c))
		return (lex_word(lex));
	if (c == '\n') {
		tok = token_new(lex, LEX_NEWLINE, "end of line");
		s->p++;
		s->line++;
		return (tok);
	}
	if (c != '\0' && (mark = strchr(marks, c)) != NULL) {
		s->p++;
		tok = token_new(lex, LEX_MARK, NULL);
		tok->text = string_new(lex, mark, 1)->data;
		return (tok);
	}
	tok = token_new(lex, LEX_BAD, "");
	if (c == '\\')
		lex_error(lex, tok, "a backslash outside of quotes stands "
		    "only at the end of a line that goes on");
	else
		lex_error(lex, tok, "a character (0x%02x) that is not "
		    "allowed outside of quotes", c);
	return (bad(lex, tok));
}

static int
at_equals(struct lex *lex)
{
	skip_blanks(lex);
	return (source(lex)->p < source(lex)->end && *source(lex)->p == '=');
}

/* At the "=" behind name.  Leaves the end of the line for the caller. */
static struct lex_token *
lex_define(struct lex *lex, struct lex_token *name)
{
	struct lex_macro	*m;
	struct lex_token	*value;
	const char		*p;

	source(lex)->p++;
	for (p = name->text; name_byte((unsigned char)*p); p++)
		;
	if (*p != '\0' || isdigit((unsigned char)name->text[0])) {
		lex_error(lex, name, "\"%s\" cannot name a macro: letters, "
		    "digits and \"_\", and no digit first", name->text);
		return (bad(lex, name));
	}
	if ((m = macro_find(lex, name->text)) != NULL) {
		lex_error(lex, name, "macro \"%s\" was defined already, in "
		    "%s:%d", name->text, m->origin->name, m->line);
		return (bad(lex, name));
	}
	value = lex_plain(lex);
	if (value->kind != LEX_STRING && value->kind != LEX_WORD &&
	    value->kind != LEX_NUMBER) {
		if (value->kind != LEX_BAD)
			lex_error(lex, name, "macro \"%s\" has no value; "
			    "expected %s = \"value\"", name->text, name->text);
		/* A newline that was taken ends this line just as well. */
		value->kind = value->kind == LEX_NEWLINE ||
		    value->kind == LEX_END ? value->kind : LEX_BAD;
		return (value);
	}
	m = xcalloc(1, sizeof(*m));
	m->name = name->text;
	m->value = value->text;
	m->origin = value->origin;
	m->line = name->line;
	STAILQ_INSERT_TAIL(&lex->macros, m, entry);
	value = lex_plain(lex);
	if (value->kind == LEX_NEWLINE || value->kind == LEX_END ||
	    value->kind == LEX_BAD)
		return (value);
	lex_error(lex, value, "expected the end of the line behind the value "
	    "of \"%s\"; a value of several words stands in quotes",
	    name->text);
	return (bad(lex, value));
}

/* Relative names are looked for beside the file that includes. */
static char *
include_path(const struct lex_file *from, const char *name)
{
	const char	*slash;

	if (name[0] == '/' || (slash = strrchr(from->name, '/')) == NULL)
		return (xstrdup(name));
	return (xasprintf("%.*s/%s", (int)(slash - from->name), from->name,
	    name));
}

/* Is this a file that we are in the middle of? */
static int
is_open(const struct lex *lex, const struct conf_text *t)
{
	const struct lex_file	*f;
	int			 i;

	for (i = 0; i < lex->depth; i++) {
		f = lex->stack[i].file;
		if (f->ino == t->ino && f->dev == t->dev)
			return (1);
	}
	return (0);
}

/* Behind the word.  NULL: go on reading, in the other file. */
static struct lex_token *
lex_include(struct lex *lex, struct lex_token *word)
{
	struct conf_text	 t;
	struct lex_token	*tok = lex_plain(lex);
	char			*path, why[CONF_WHY_BYTES];
	int			 r;

	if (tok->kind != LEX_STRING) {
		if (tok->kind != LEX_BAD)
			lex_error(lex, word, "expected: include \"FILE\"");
		if (tok->kind != LEX_NEWLINE && tok->kind != LEX_END)
			return (bad(lex, tok));
		return (tok);
	}
	if (lex->depth == DEPTH_MAX || lex->files_count >= FILES_MAX) {
		lex_error(lex, tok, "too many files are included");
		return (bad(lex, tok));
	}
	path = include_path(tok->file, tok->text);
	r = conf_file_read(path, lex->flags, CONF_BYTES_MAX - lex->bytes, &t,
	    why);
	if (r == 0 && is_open(lex, &t)) {
		conf_text_free(&t);
		strlcpy(why, "includes itself", sizeof(why));
		r = -1;
	}
	if (r == 0)
		source_push(lex, path, &t);
	else {
		lex_error(lex, tok, "\"%s\" %s", path, why);
		tok = bad(lex, tok);
	}
	free(path);
	return (r == 0 ? NULL : tok);
}

const struct lex_token *
lex_next(struct lex *lex)
{
	struct lex_token	*tok;
	int			 starts;

	for (;;) {
		starts = lex->line_starts;
		lex->line_starts = 0;
		if (lex->errors >= CONF_ERRORS_MAX)
			return (token_new(lex, LEX_END, "end of file"));
		tok = lex_plain(lex);
		if (tok->kind == LEX_WORD && starts && at_equals(lex))
			tok = lex_define(lex, tok);
		else if (tok->kind == LEX_WORD &&
		    strcmp(tok->text, "include") == 0 &&
		    (tok = lex_include(lex, tok)) == NULL)
			continue;
		if (tok->kind == LEX_NEWLINE)
			lex->line_starts = 1;
		if (tok->kind != LEX_END || lex->ended)
			return (tok);
		/* A file may lack its last newline; nobody shall notice. */
		if (lex->depth > 1)
			lex->depth--;
		else
			lex->ended = 1;
		tok->kind = LEX_NEWLINE;
		tok->text = "end of line";
		return (tok);
	}
}
