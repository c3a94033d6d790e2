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

/* A "to", a "keep on", until all remotes are known; a database of an
 * "allow". */
struct wanted {
	STAILQ_ENTRY(wanted) entry;
	struct conf_database *database;
	const struct lex_token *remote;
};
struct wanted_keep {
	STAILQ_ENTRY(wanted_keep) entry;
	struct conf_database *database;
	const struct lex_token *remote;
	struct conf_keep keep;
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
	STAILQ_HEAD(, wanted_keep) wanted_keeps;
	STAILQ_HEAD(, wanted_database) wanted_databases;
	struct conf_allow	*allow;	/* the open one, or NULL */
	uint32_t		 rights;	/* that it has on all so far */
	struct conf_notify	*notify;	/* the open one */
	struct conf_keep	 keep;	/* the open one, or that it is none */
	uint32_t		 weekdays;	/* of the open "on" */
	uint32_t		 places;	/* PLACE_* of what is open */
	int			 first;	/* it was not given already */
	const struct lex_token	*ahead;	/* read and not handed out, or NULL */
};

static struct parse	*P;

int	yylex(void);
int	yyerror(const char *);

static void	not_in_quotes(const struct lex_token *);
static void	unknown_word(const struct lex_token *);
static void	skip_line(void);
static int	kept(void);
static int	once(struct seen *, const char *, const struct lex_token *);
static int	once_compress(const struct lex_token *);
static int	address(const struct lex_token *);
static void	secret_text(const struct lex_token *, const char *, char **);
static void	secret_file(const struct lex_token *, const char *, char **,
		    char **);
static void	s3_style(int);
static void	remote_begin(const struct lex_token *);
static void	remote_end(void);
static void	database_begin(const struct lex_token *);
static void	database_end(void);
static void	want_remote(const struct lex_token *);
static void	want_keep(const struct lex_token *);
static void	allow_begin(enum allow_kind, const struct lex_token *);
static void	allow_database(const struct lex_token *);

#define S3_OF	conf_s3(P->remote)

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
%token SANDBOX LOG
%token REST API KEY KEYFILE TIMEOUT RETRY FROM TO
%token TLS CERTIFICATE CLIENT CA REQUIRED PLAINTEXT
%token DBPATH ID DEVICE LOCK LIMIT SIZE CAPTURE UNSAFE BAD
%token ALLOW ORIGIN NOTIFY HEARTBEAT
%token S3 BUCKET PREFIX REGION ENDPOINT PATHSTYLE VIRTUALHOST ACCESS SECRET
%token DELETE STORAGE CLASS ENCRYPTION OBJECT FOR PARTS PART UPLOAD CONFIRM
%token AT JITTER DRILL COMPRESS ZSTD LOCAL ENCRYPT IDENTITY LAST
%token WITHIN SAFETY EXPIRE NAMED SPOOL EXPECT CHANGE ONREMOTE
%token <tok> WORD NUMBER STRING BACKUP
%token <tok> EVERY KEEP
%type <tok> text value sandbox right level count confirm

%%

top	: /* empty */
	| top '\n'
	| top statement '\n'
	| top WORD		{ unknown_word($2); skip_line(); RECOVER; }
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
	| LOG ACCESS		{
		P->conf->log_access = 1;
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
	| NOTIFY text		{
		P->notify = set_notify(P->lex, P->conf, $2);
	} ON notify_events
	| HEARTBEAT text	{
		P->notify = set_notify(P->lex, P->conf, $2);
		P->notify->events = NOTIFY_HEARTBEAT;
	} heartbeat_every
	| REMOTE text newlines '{'	{ remote_begin($2); }
	    remote_options '}'		{ remote_end(); }
	| DATABASE text newlines '{'	{ database_begin($2); }
	    database_options '}'	{ database_end(); }
	;

notify_events
	: WORD			{ set_notify_event(P->lex, P->notify, $1); }
	| notify_events ',' newlines WORD {
		set_notify_event(P->lex, P->notify, $4);
	}
	;

heartbeat_every
	: /* empty */
	| EVERY value		{
		set_span(P->lex, $2, "every", "1s", "1d",
		    &P->notify->every_ms);
	}
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
	| remote_options error	{ RECOVER; }
	;

remote_option
	: REST text		{
		if (address($2))
			set_url(P->lex, P->remote, $2);
	}
	| S3 BUCKET text	{
		P->first = address($3);
		if (P->first)
			set_s3_bucket(P->lex, P->remote, $3);
		P->seen_listen.count = 0;
	} s3_options
	| API KEY KEYFILE text	{
		if (once(&P->seen_block, "api key", $4))
			set_secret_file(P->lex, $4, "api key",
			    &P->remote->api_key_file, &P->remote->api_key);
	}
	| API KEY text		{
		if (once(&P->seen_block, "api key", $3))
			set_secret(P->lex, $3, "api key",
			    &P->remote->api_key);
	}
	| ACCESS KEY KEYFILE text	{
		secret_file($4, "access key", &S3_OF->access_key_file,
		    &S3_OF->access_key);
	}
	| ACCESS KEY text	{
		secret_text($3, "access key", &S3_OF->access_key);
	}
	| SECRET KEY KEYFILE text	{
		secret_file($4, "secret key", &S3_OF->secret_key_file,
		    &S3_OF->secret_key);
	}
	| SECRET KEY text	{
		secret_text($3, "secret key", &S3_OF->secret_key);
	}
	| DELETE ACCESS KEY KEYFILE text	{
		secret_file($5, "delete access key",
		    &S3_OF->delete_access_file, &S3_OF->delete_access_key);
	}
	| DELETE ACCESS KEY text	{
		secret_text($4, "delete access key",
		    &S3_OF->delete_access_key);
	}
	| DELETE SECRET KEY KEYFILE text	{
		secret_file($5, "delete secret key",
		    &S3_OF->delete_secret_file, &S3_OF->delete_secret_key);
	}
	| DELETE SECRET KEY text	{
		secret_text($4, "delete secret key",
		    &S3_OF->delete_secret_key);
	}
	| DELETE WORD		{
		if (once(&P->seen_block, "delete", $2))
			set_s3_delete(P->lex, P->remote, $2);
	}
	| STORAGE CLASS text	{
		if (once(&P->seen_block, "storage class", $3))
			set_s3_class(P->lex, P->remote, $3);
	}
	| ENCRYPTION text	{
		if (once(&P->seen_block, "encryption", $2))
			set_s3_encryption(P->lex, P->remote, $2, NULL);
	}
	| ENCRYPTION text KEY text	{
		if (once(&P->seen_block, "encryption", $2))
			set_s3_encryption(P->lex, P->remote, $2, $4);
	}
	| OBJECT LOCK WORD FOR value	{
		if (once(&P->seen_block, "object lock", $3))
			set_s3_lock(P->lex, P->remote, $3, $5);
	}
	| PARTS value		{
		if (once(&P->seen_block, "parts", $2))
			set_s3_parts(P->lex, P->remote, $2);
	}
	| PART SIZE value	{
		if (once(&P->seen_block, "part size", $3))
			set_s3_part_size(P->lex, P->remote, $3);
	}
	| UPLOAD LIMIT value	{
		if (once(&P->seen_block, "upload limit", $3))
			set_size(P->lex, $3, "upload limit",
			    &P->remote->upload_limit);
	}
	| CONFIRM confirm	{
		if (once(&P->seen_block, "confirm", $2))
			set_confirm(P->lex, P->remote, $2);
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

s3_options
	: /* empty */
	| s3_options PREFIX text	{
		if (once(&P->seen_listen, "prefix", $3) && P->first)
			set_s3_prefix(P->lex, P->remote, $3);
	}
	| s3_options REGION text	{
		if (once(&P->seen_listen, "region", $3) && P->first)
			set_s3_region(P->lex, P->remote, $3);
	}
	| s3_options ENDPOINT text	{
		if (once(&P->seen_listen, "endpoint", $3) && P->first)
			set_url(P->lex, P->remote, $3);
	}
	| s3_options PATHSTYLE	{ s3_style(0); }
	| s3_options VIRTUALHOST	{ s3_style(1); }
	;

database_options
	: /* empty */
	| database_options '\n'
	| database_options database_option
	| database_options WORD	{ unknown_word($2); skip_line(); RECOVER; }
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
	| EVERY value		{
		if (once(&P->seen_block, "every", $2))
			set_every(P->lex, P->database, $2);
	}
	| AT value		{ set_at(P->lex, P->database, $2, 0x7f); }
	| ON days AT value	{
		set_at(P->lex, P->database, $4, P->weekdays);
	}
	| JITTER value		{
		if (once(&P->seen_block, "jitter", $2))
			set_span(P->lex, $2, "jitter", "0s", "1d",
			    &P->database->jitter_ms);
	}
	| DRILL EVERY value	{
		if (once(&P->seen_block, "drill", $3))
			set_span(P->lex, $3, "drill every", "1s", "3660d",
			    &P->database->drill_ms);
	}
	| COMPRESS ZSTD level place	{
		if (once_compress($<tok>2))
			set_compress(P->lex, P->database, $3, P->places);
	}
	| ENCRYPT TO		{
		P->first = once(&P->seen_block, "encrypt", $<tok>2);
	} recipients place	{
		if (P->first)
			set_encrypt(P->database, P->places);
	}
	| IDENTITY KEYFILE text	{
		if (once(&P->seen_block, "identity file", $3))
			set_identity(P->lex, P->database, $3);
	}
	| KEEP			{ memset(&P->keep, 0, sizeof(P->keep)); }
	    keep_rules keep_place
	| KEEP SAFETY value	{
		if (once(&P->seen_block, "keep safety", $3))
			set_span(P->lex, $3, "keep safety", "1s", "36600d",
			    &P->database->keep_safety_ms);
	}
	| EXPIRE NAMED		{ P->database->expire_named = 1; }
	| SPOOL LIMIT value	{
		if (once(&P->seen_block, "spool limit", $3))
			set_size(P->lex, $3, "spool limit",
			    &P->database->spool_limit);
	}
	| EXPECT CHANGE WITHIN value	{
		if (once(&P->seen_block, "expect change", $4))
			set_span(P->lex, $4, "expect change within", "1s",
			    "3660d", &P->database->expect_change_ms);
	}
	| TO targets
	| UNSAFE		{ P->database->unsafe_filesystem = 1; }
	;

days	: WORD			{ P->weekdays = set_day(P->lex, $1, 0); }
	| days ',' newlines WORD	{
		P->weekdays = set_day(P->lex, $4, P->weekdays);
	}
	;

level	: /* empty */		{ $$ = NULL; }
	| count
	;

count	: NUMBER
	| STRING
	;

place	: /* empty */		{ P->places = PLACE_LOCAL | PLACE_REMOTE; }
	| LOCAL			{ P->places = PLACE_LOCAL; }
	| REMOTE		{ P->places = PLACE_REMOTE; }
	;

recipients
	: text			{
		if (P->first)
			set_recipient(P->lex, P->database, $1);
	}
	| recipients ',' newlines text	{
		if (P->first)
			set_recipient(P->lex, P->database, $4);
	}
	;

keep_rules
	: keep_rule
	| keep_rules ',' newlines keep_rule
	;

keep_rule
	: LAST count	{ set_keep(P->lex, &P->keep, $2, $<tok>1); }
	| count WORD	{ set_keep(P->lex, &P->keep, $1, $2); }
	| WITHIN value	{ set_keep_within(P->lex, &P->keep, $2); }
	;

keep_place
	: /* empty */		{
		set_keep_add(P->lex, P->tok, &P->database->keep, &P->keep);
	}
	| ONREMOTE STRING	{ want_keep($2); }
	;

targets	: text			{ want_remote($1); }
	| targets ',' newlines text	{ want_remote($4); }
	;

/* Keywords elsewhere. */
confirm	: value
	| SIZE			{ $$ = $<tok>1; }
	;

sandbox	: value
	| ON			{ $$ = $<tok>1; }
	| REQUIRED		{ $$ = $<tok>1; }
	| LOG			{ $$ = $<tok>1; }
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
#include "daemon/engine/parse_tokens.h"
#include "daemon/engine/parse_blocks.h"

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
	STAILQ_INIT(&state.wanted_keeps);
	STAILQ_INIT(&state.wanted_databases);
	conf = conf_new();
	conf->file = xstrdup(name);
	state.conf = conf;
	state.lex = lex;
	state.where = TOP;
	P = &state;
	r = yyparse();
	targets_link();
	keeps_link();
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
