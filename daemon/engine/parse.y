/*
 * The engine runs this, before anything is dropped.  The grammar of
 * cloudbackupd.conf.  Which words are keywords depends on the block, and
 * newlines end statements only at the top; an error is reported and the
 * rest of its line is skipped, so that all errors are shown at once.
 */
%{
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_lex.h"
#include "daemon/engine/conf_set.h"

#define TOP		0x01
#define REMOTE_BLOCK	0x02
#define DATABASE_BLOCK	0x04

#define SEEN_MAX	32

struct keyword {
	const char	*name;
	int		 where;		/* TOP ... */
	int		 token;
	int		 block;		/* what its braces open */
	const char	*form;		/* of the statement it begins */
};

/* What a statement or block was given already. */
struct seen {
	const char	*what[SEEN_MAX];
	int		 line[SEEN_MAX];
	int		 count;
};

/* A "to" until all remotes are known, and a database of an "allow". */
struct wanted {
	STAILQ_ENTRY(wanted) entry;
	struct conf_database *database;
	const struct lex_token *remote;
};
struct wanted_database {
	STAILQ_ENTRY(wanted_database) entry;
	const struct lex_token *name;
};

struct parse {
	struct conf		*conf;
	struct lex		*lex;
	const struct lex_token	*tok;	/* handed out last */
	int			 where;	/* of tok */
	int			 depth;	/* of braces */
	int			 skip;	/* hand out nothing of this line */
	int			 skip_depth;	/* of braces, therein */
	const struct keyword	*statement;	/* that tok stands in */
	const struct keyword	*next;	/* that what follows stands in */
	const struct lex_token	*block;	/* the name of the open block */
	int			 block_errors;	/* before the block */
	struct conf_remote	*remote;	/* the open one */
	struct conf_database	*database;
	struct conf_listen	*listen;	/* whose options come */
	struct seen		 seen_top, seen_block, seen_listen;
	STAILQ_HEAD(, wanted)	 wanted;
	STAILQ_HEAD(, wanted_database) wanted_databases;
	struct conf_allow	*allow;	/* the open one, or NULL */
	uint32_t		 rights;	/* that it has on all so far */
};

static struct parse	*P;

int	yylex(void);
int	yyerror(const char *);

static void	not_in_quotes(const struct lex_token *);
static void	unknown_word(const struct lex_token *);
static void	later_word(const struct lex_token *);
static void	skip_line(void);
static int	kept(void);
static int	once(struct seen *, const char *, const struct lex_token *);
static void	remote_begin(const struct lex_token *);
static void	remote_end(void);
static void	database_begin(const struct lex_token *);
static void	database_end(void);
static void	want_remote(const struct lex_token *);
static void	allow_begin(enum allow_kind, const struct lex_token *);
static void	allow_database(const struct lex_token *);

/* After an error: on from what ends the statement. */
#define RECOVER do {							\
	if (P->tok->kind == LEX_END)					\
		YYABORT;						\
	if (!kept())							\
		yyclearin;						\
	yyerrok;							\
} while (0)
%}

%union {
	const struct lex_token	*tok;
}

%token LISTEN ON SOCKET PORT MODE GROUP USER FRONT NETWORK VERIFY
%token DIRECTORY LICENSE COMPAT NODE RESERVE CONNECTIONS REMOTE DATABASE
%token SANDBOX
%token REST API KEY KEYFILE TIMEOUT RETRY FROM TO
%token TLS CERTIFICATE CLIENT CA REQUIRED PLAINTEXT
%token DBPATH ID DEVICE LOCK LIMIT SIZE CAPTURE UNSAFE BAD
%token ALLOW ORIGIN
%token <tok> WORD NUMBER STRING LATER BACKUP
%type <tok> text value sandbox right

%%

top	: /* empty */
	| top '\n'
	| top statement '\n'
	| top WORD		{ unknown_word($2); skip_line(); RECOVER; }
	| top LATER		{ later_word($2); skip_line(); RECOVER; }
	| top error		{ RECOVER; }
	;

statement
	: LISTEN ON value PORT value	{
		P->listen = set_listen_tcp(P->lex, P->conf, $3, $5);
	} listen_wire
	| LISTEN ON SOCKET text		{
		P->listen = set_listen_unix(P->lex, P->conf, $4);
		P->seen_listen.count = 0;
	} listen_options
	| USER FRONT text	{
		if (once(&P->seen_top, "user front", $3))
			set_account(P->lex, $3, "user front",
			    &P->conf->user_front);
	}
	| USER NETWORK text	{
		if (once(&P->seen_top, "user network", $3))
			set_account(P->lex, $3, "user network",
			    &P->conf->user_network);
	}
	| USER VERIFY text	{
		if (once(&P->seen_top, "user verify", $3))
			set_account(P->lex, $3, "user verify",
			    &P->conf->user_verify);
	}
	| BACKUP DIRECTORY text	{
		if (once(&P->seen_top, "backup directory", $3))
			set_backup_dir(P->lex, P->conf, $3);
	}
	| LICENSE text KEY text	{
		if (once(&P->seen_top, "license", $2))
			set_license(P->lex, P->conf, $2, $4);
	}
	| COMPAT NODE		{
		P->conf->compat_node = 1;
	}
	| RESERVE value		{
		if (once(&P->seen_top, "reserve", $2))
			set_size(P->lex, $2, "reserve", &P->conf->reserve);
	}
	| CONNECTIONS value	{
		if (once(&P->seen_top, "connections", $2))
			set_connections(P->lex, P->conf, $2);
	}
	| SANDBOX sandbox	{
		if (once(&P->seen_top, "sandbox", $2))
			set_sandbox(P->lex, P->conf, $2);
	}
	| ALLOW ORIGIN text	{ set_allow_origin(P->lex, P->conf, $3); }
	| ALLOW USER text	{ allow_begin(ALLOW_USER, $3); }
	    rights allow_databases
	| ALLOW GROUP text	{ allow_begin(ALLOW_GROUP, $3); }
	    rights allow_databases
	| ALLOW CERTIFICATE text	{ allow_begin(ALLOW_CERTIFICATE, $3); }
	    rights allow_databases
	| REMOTE text newlines '{'	{ remote_begin($2); }
	    remote_options '}'		{ remote_end(); }
	| DATABASE text newlines '{'	{ database_begin($2); }
	    database_options '}'	{ database_end(); }
	;

rights	: right			{ set_allow_right(P->lex, P->allow, $1); }
	| rights ',' newlines right {
		set_allow_right(P->lex, P->allow, $4);
	}
	;

right	: WORD
	| BACKUP
	;

allow_databases
	: /* empty */
	| ON allow_list
	;

allow_list
	: text			{ allow_database($1); }
	| allow_list ',' newlines text	{ allow_database($4); }
	;

listen_wire
	: /* empty */
	| PLAINTEXT		{
		if (P->listen != NULL)
			P->listen->plaintext = 1;
	}
	| TLS CERTIFICATE text KEY text	{
		set_listen_tls(P->lex, P->listen, $3, $5);
	} listen_clients
	;

listen_clients
	: /* empty */
	| CLIENT CA text	{
		set_listen_ca(P->lex, P->listen, $3, 0);
	}
	| CLIENT CA text REQUIRED {
		set_listen_ca(P->lex, P->listen, $3, 1);
	}
	;

listen_options
	: /* empty */
	| listen_options MODE value	{
		if (once(&P->seen_listen, "mode", $3))
			set_listen_mode(P->lex, P->listen, $3);
	}
	| listen_options GROUP text	{
		if (once(&P->seen_listen, "group", $3))
			set_account(P->lex, $3, "group",
			    &P->listen->group);
	}
	;

remote_options
	: /* empty */
	| remote_options '\n'
	| remote_options remote_option
	| remote_options WORD	{ unknown_word($2); skip_line(); RECOVER; }
	| remote_options LATER	{ later_word($2); skip_line(); RECOVER; }
	| remote_options error	{ RECOVER; }
	;

remote_option
	: REST text		{
		if (once(&P->seen_block, "rest", $2))
			set_url(P->lex, P->remote, $2);
	}
	| API KEY KEYFILE text	{
		if (once(&P->seen_block, "api key", $4))
			set_key_file(P->lex, P->remote, $4);
	}
	| API KEY text		{
		if (once(&P->seen_block, "api key", $3))
			set_key(P->lex, P->remote, $3);
	}
	| TIMEOUT value		{
		if (once(&P->seen_block, "timeout", $2))
			set_time(P->lex, $2, "timeout", "1d",
			    &P->remote->timeout_ms);
	}
	| RETRY FROM value TO value	{
		if (once(&P->seen_block, "retry", $3))
			set_retry(P->lex, P->remote, $3, $5);
	}
	;

database_options
	: /* empty */
	| database_options '\n'
	| database_options database_option
	| database_options WORD	{ unknown_word($2); skip_line(); RECOVER; }
	| database_options LATER { later_word($2); skip_line(); RECOVER; }
	| database_options error { RECOVER; }
	;

database_option
	: DBPATH text		{
		if (once(&P->seen_block, "path", $2))
			set_path(P->lex, P->database, $2);
	}
	| USER ID text		{
		if (once(&P->seen_block, "user id", $3))
			set_user(P->lex, P->database, $3, USER_TEXT);
	}
	| USER ID NUMBER	{
		if (once(&P->seen_block, "user id", $3))
			set_user(P->lex, P->database, $3, USER_NUMBER);
	}
	| DEVICE ID text	{
		if (once(&P->seen_block, "device id", $3))
			set_device(P->lex, P->database, $3);
	}
	| LOCK TIMEOUT value	{
		if (once(&P->seen_block, "lock timeout", $3))
			set_time(P->lex, $3, "lock timeout", "1h",
			    &P->database->lock_timeout_ms);
	}
	| LOCK LIMIT value	{
		if (once(&P->seen_block, "lock limit", $3))
			set_time(P->lex, $3, "lock limit", "1h",
			    &P->database->lock_limit_ms);
	}
	| SIZE LIMIT value	{
		if (once(&P->seen_block, "size limit", $3))
			set_size(P->lex, $3, "size limit",
			    &P->database->size_limit);
	}
	| VERIFY value		{
		if (once(&P->seen_block, "verify", $2))
			set_verify(P->lex, P->database, $2);
	}
	| CAPTURE value		{
		if (once(&P->seen_block, "capture", $2))
			set_capture(P->lex, P->database, $2);
	}
	| TO targets
	| UNSAFE		{ P->database->unsafe_filesystem = 1; }
	;

targets	: text			{ want_remote($1); }
	| targets ',' newlines text	{ want_remote($4); }
	;

/* Keywords elsewhere. */
sandbox	: value
	| ON			{ $$ = $<tok>1; }
	| REQUIRED		{ $$ = $<tok>1; }
	;

newlines
	: /* empty */
	| newlines '\n'
	;

text	: STRING
	| WORD			{ not_in_quotes($1); }
	;

value	: WORD
	| NUMBER
	| STRING
	;

%%

#include "daemon/engine/parse_words.h"

/* ---- tokens ---- */

/* Is tok what a skipped line ends with?  Counts the braces therein. */
static int
skip_ends(const struct lex_token *tok)
{
	if (tok->kind == LEX_END)
		return (1);
	if (tok->kind == LEX_NEWLINE)
		return (P->skip_depth == 0);
	if (tok->kind != LEX_MARK)
		return (0);
	if (tok->text[0] == '{')
		P->skip_depth++;
	else if (tok->text[0] == '}') {
		if (P->skip_depth == 0)
			return (P->depth > 0);
		P->skip_depth--;
	}
	return (0);
}

static int
mark_token(int c)
{
	if (c == '{') {
		P->where = P->statement == NULL ||
		    P->statement->block == 0 ? P->where :
		    P->statement->block;
		P->depth++;
		P->next = NULL;
	} else if (c == '}') {
		if (P->depth > 0 && --P->depth == 0)
			P->where = TOP;
		P->next = NULL;
	}
	return (c);
}

static int
word_token(const struct lex_token *tok)
{
	const struct keyword	*k;

	if ((k = keyword_find(tok->text, P->where)) == NULL)
		return (WORD);
	/* "allow user" does not begin another statement. */
	if (k->form != NULL && (P->next == NULL || P->where != TOP))
		P->next = k;
	return (k->token);
}

int
yylex(void)
{
	const struct lex_token	*tok = lex_next(P->lex);
	int			 comma;

	while (P->skip && !skip_ends(tok))
		tok = lex_next(P->lex);
	P->skip = P->skip_depth = 0;
	comma = P->tok != NULL && P->tok->kind == LEX_MARK &&
	    P->tok->text[0] == ',';
	P->tok = yylval.tok = tok;
	P->statement = P->next;
	switch (tok->kind) {
	case LEX_WORD:
		return (word_token(tok));
	case LEX_NUMBER:
		return (NUMBER);
	case LEX_STRING:
		return (STRING);
	case LEX_MARK:
		return (mark_token(tok->text[0]));
	case LEX_NEWLINE:
		/* A block's brace, or a list, may go on in the next line. */
		if (!comma && (P->next == NULL || P->next->block == 0))
			P->next = NULL;
		return ('\n');
	case LEX_BAD:
		return (BAD);
	case LEX_END:
		break;
	}
	return (0);
}

/* ---- errors ---- */

/* Is the token at which the error was found one that ends a statement, so
 * that the parser must see it? */
static int
kept(void)
{
	return (P->skip == 0 && P->skip_depth == 0);
}

/* From the token handed out last on, it included. */
static void
skip_line(void)
{
	const struct lex_token	*tok = P->tok;

	P->skip = P->skip_depth = 0;
	if (tok->kind == LEX_NEWLINE || tok->kind == LEX_END)
		return;
	if (tok->kind == LEX_MARK && tok->text[0] == '}' && P->block != NULL)
		return;
	P->skip = 1;
	if (tok->kind == LEX_MARK && tok->text[0] == '{') {
		/* Nobody has entered the block that it would have opened. */
		P->skip_depth = 1;
		if (--P->depth == 0)
			P->where = TOP;
	}
	P->next = NULL;
}

/* A secret does not belong into a message. */
static void
describe(const struct lex_token *tok, char *dst, size_t size)
{
	if (tok->kind == LEX_NEWLINE || tok->kind == LEX_END)
		strlcpy(dst, tok->text, size);
	else if (tok->kind == LEX_STRING || (P->statement != NULL &&
	    P->statement->token == API && tok->kind != LEX_MARK))
		strlcpy(dst, tok->kind == LEX_STRING ? "text in quotes" :
		    "word", size);
	else
		(void)snprintf(dst, size, "\"%s\"", tok->text);
}

static void
unexpected(const struct lex_token *tok)
{
	char	what[128], near[64], list[512];

	describe(tok, what, sizeof(what));
	if (tok->kind == LEX_MARK && tok->text[0] == '}' && P->block == NULL)
		lex_error(P->lex, tok, "\"}\" ends no block: \"{\" is missing "
		    "before it");
	else if (P->statement == NULL) {
		keyword_list(P->where, list, sizeof(list));
		lex_error(P->lex, tok, "unexpected %s, expected one of: %s",
		    what, list);
	} else if (tok->kind == LEX_WORD && conf_nearest(tok->text,
	    P->statement->form, near, sizeof(near)) == 0 &&
	    strcmp(near, tok->text) != 0)
		lex_error(P->lex, tok, "unexpected %s in \"%s\", did you "
		    "mean \"%s\"? expected: %s", what, P->statement->name,
		    near, P->statement->form);
	else
		lex_error(P->lex, tok, "unexpected %s in \"%s\", expected: "
		    "%s", what, P->statement->name, P->statement->form);
}

int
yyerror(const char *message)
{
	const struct lex_token	*tok = P->tok;
	const struct keyword	*k;

	(void)message;
	k = tok->kind == LEX_WORD ? keyword_find(tok->text, P->where) : NULL;
	if (tok->kind == LEX_BAD)
		;	/* the lexer said it */
	else if (tok->kind == LEX_END && P->block != NULL)
		lex_error(P->lex, tok, "the block of \"%s\" that begins in "
		    "line %d does not end: \"}\" is missing", P->block->text,
		    P->block->line);
	else if (k != NULL && k->token == LATER)
		later_word(tok);
	else
		unexpected(tok);
	skip_line();
	return (0);
}

static void
later_word(const struct lex_token *tok)
{
	lex_error(P->lex, tok, "\"%s\" is not yet known in this version",
	    tok->text);
}

static void
unknown_word(const struct lex_token *tok)
{
	const struct keyword	*k = keyword_find(tok->text, 0);
	char			 list[512], near[64];

	if (k != NULL && k->where != P->where) {
		lex_error(P->lex, tok, "\"%s\" belongs %s", tok->text,
		    block_name(k->where));
		return;
	}
	keyword_list(P->where, list, sizeof(list));
	if (conf_nearest(tok->text, list, near, sizeof(near)) == 0)
		lex_error(P->lex, tok, "unknown keyword \"%s\", did you mean "
		    "\"%s\"? expected one of: %s", tok->text, near, list);
	else
		lex_error(P->lex, tok, "unknown keyword \"%s\", expected one "
		    "of: %s", tok->text, list);
}

static void
not_in_quotes(const struct lex_token *tok)
{
	/* It may be a key, or a URL with a password. */
	if (P->remote != NULL)
		lex_error(P->lex, tok, "text in a remote block must be in "
		    "quotes");
	else
		lex_error(P->lex, tok, "\"%s\" must be in quotes", tok->text);
}

/* 1 the first time that s is given it. */
static int
once(struct seen *s, const char *what, const struct lex_token *tok)
{
	int	i;

	for (i = 0; i < s->count; i++) {
		if (strcmp(s->what[i], what) != 0)
			continue;
		lex_error(P->lex, tok, "\"%s\" was given already, in line %d",
		    what, s->line[i]);
		return (0);
	}
	if (s->count < SEEN_MAX) {
		s->what[s->count] = what;
		s->line[s->count++] = tok->line;
	}
	return (1);
}

/* ---- statements at the top ---- */

/* ---- remotes ---- */

static void
block_begin(const struct lex_token *name, const char *what, int known,
    uint32_t count, uint32_t most)
{
	const char	*why;

	P->block = name;
	P->block_errors = lex_errors(P->lex);
	P->seen_block.count = 0;
	if ((why = conf_why_name(name->text)) != NULL)
		set_error(P->lex, name, what, why);
	else if (known)
		set_error(P->lex, name, what, "was given already");
	if (count == most)
		lex_error(P->lex, name, "more than %u %ss", most, what);
}

static void
remote_begin(const struct lex_token *name)
{
	struct conf_remote	*r;
	uint32_t		 n = 0;

	TAILQ_FOREACH(r, &P->conf->remotes, entry)
		n++;
	block_begin(name, "remote", conf_remote(P->conf, name->text) != NULL,
	    n, CONF_REMOTES_MAX);
	P->remote = conf_remote_new(P->conf, name->text);
}

static void
remote_end(void)
{
	if (P->remote->url == NULL && lex_errors(P->lex) == P->block_errors)
		lex_error(P->lex, P->block, "remote \"%s\" has no address; "
		    "add rest \"URL\"", P->block->text);
	P->remote = NULL;
	P->block = NULL;
}

/* ---- databases ---- */

static void
database_begin(const struct lex_token *name)
{
	struct conf_database	*db;
	uint32_t		 n = 0;

	TAILQ_FOREACH(db, &P->conf->databases, entry)
		n++;
	block_begin(name, "database", *name->text != '\0' &&
	    conf_database(P->conf, name->text) != NULL, n,
	    CONF_DATABASES_MAX);
	P->database = conf_database_new(P->conf, name->text);
}

static void
database_end(void)
{
	if (P->database->path == NULL &&
	    lex_errors(P->lex) == P->block_errors)
		lex_error(P->lex, P->block, "database \"%s\" has no path; "
		    "add path \"PATH\"", P->block->text);
	P->database = NULL;
	P->block = NULL;
}

static void
want_remote(const struct lex_token *tok)
{
	struct wanted	*w;

	STAILQ_FOREACH(w, &P->wanted, entry) {
		if (w->database != P->database ||
		    strcmp(w->remote->text, tok->text) != 0)
			continue;
		lex_error(P->lex, tok, "remote \"%s\" was given already for "
		    "this database", tok->text);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->database = P->database;
	w->remote = tok;
	STAILQ_INSERT_TAIL(&P->wanted, w, entry);
}

/* ---- who is allowed what ---- */

static void
allow_begin(enum allow_kind kind, const struct lex_token *name)
{
	P->allow = set_allow(P->lex, P->conf, kind, name);
	P->rights = 0;
}

/* The first one cuts what was allowed on all down to itself. */
static void
allow_database(const struct lex_token *tok)
{
	struct wanted_database	*w;

	if (P->allow == NULL)
		return;
	if (P->rights == 0) {
		P->rights = grants_mask(&P->allow->grants, NULL);
		P->allow->grants.n = 0;
	}
	set_allow_database(P->lex, P->allow, tok, P->rights);
	w = xcalloc(1, sizeof(*w));
	w->name = tok;
	STAILQ_INSERT_TAIL(&P->wanted_databases, w, entry);
}

static void
allows_link(void)
{
	struct wanted_database	*w;

	while ((w = STAILQ_FIRST(&P->wanted_databases)) != NULL) {
		STAILQ_REMOVE_HEAD(&P->wanted_databases, entry);
		if (w->name->text[0] == '\0' ||
		    conf_database(P->conf, w->name->text) == NULL)
			lex_error(P->lex, w->name, "there is no database "
			    "\"%s\"", w->name->text);
		free(w);
	}
}

static void
targets_link(void)
{
	struct conf_remote	*r;
	struct wanted		*w;

	while ((w = STAILQ_FIRST(&P->wanted)) != NULL) {
		STAILQ_REMOVE_HEAD(&P->wanted, entry);
		r = w->remote->text[0] == '\0' ? NULL :
		    conf_remote(P->conf, w->remote->text);
		if (r != NULL)
			conf_target_new(w->database, r);
		else
			lex_error(P->lex, w->remote, "there is no remote "
			    "\"%s\"", w->remote->text);
		free(w);
	}
}

/* ---- the whole ---- */

static struct conf *
parse_all(const char *name, struct lex *lex)
{
	struct parse	 state;
	struct conf	*conf;
	int		 r;

	if (lex == NULL)
		return (NULL);
	memset(&state, 0, sizeof(state));
	STAILQ_INIT(&state.wanted);
	STAILQ_INIT(&state.wanted_databases);
	conf = conf_new();
	conf->file = xstrdup(name);
	state.conf = conf;
	state.lex = lex;
	state.where = TOP;
	P = &state;
	r = yyparse();
	targets_link();
	allows_link();
	P = NULL;
	if (lex_errors(lex) > 0 || r != 0 || conf_finish(conf) == -1) {
		conf_free(conf);
		conf = NULL;
	}
	lex_free(lex);
	return (conf);
}

struct conf *
conf_load_file(const char *file, int check_owner)
{
	return (parse_all(file, lex_open(file, check_owner)));
}

struct conf *
conf_parse_text(const char *name, const char *text, size_t n)
{
	return (parse_all(name, lex_memory(name, text, n)));
}
