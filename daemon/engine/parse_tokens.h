/*
 * Included by parse.y alone, whose state it works on: from the lexer's
 * tokens to the parser's, and what is said of one that stands wrong.
 */
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

static const struct lex_token *
token_next(void)
{
	const struct lex_token	*tok = P->ahead;

	P->ahead = NULL;
	return (tok != NULL ? tok : lex_next(P->lex));
}

static int
word_token(const struct lex_token *tok)
{
	const struct keyword	*k;

	if ((k = keyword_find(tok->text, P->where)) == NULL)
		return (WORD);
	/* "allow user" does not begin another statement. */
	if (k->form != NULL && (P->next == NULL || (P->where != TOP &&
	    !keyword_within(P->next, tok->text))))
		P->next = k;
	if (k->token == ON && P->where == DATABASE_BLOCK) {
		/* on "REMOTE" belongs to a keep before it, on DAY does not. */
		P->ahead = lex_next(P->lex);
		if (P->ahead->kind == LEX_STRING)
			return (ONREMOTE);
	}
	return (k->token);
}

int
yylex(void)
{
	const struct lex_token	*tok = token_next();
	int			 comma;

	while (P->skip && !skip_ends(tok))
		tok = token_next();
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

/* Does a secret stand here, or what is easily taken for one? */
static int
is_secret(void)
{
	static const int	 tokens[] = { API, ACCESS, SECRET, DELETE,
				    ENCRYPT, NOTIFY, HEARTBEAT };
	size_t			 i;

	for (i = 0; P->statement != NULL && i < nitems(tokens); i++)
		if (P->statement->token == tokens[i])
			return (1);
	return (0);
}

/* A secret does not belong into a message. */
static void
describe(const struct lex_token *tok, char *dst, size_t size)
{
	if (tok->kind == LEX_NEWLINE || tok->kind == LEX_END)
		strlcpy(dst, tok->text, size);
	else if (tok->kind == LEX_STRING ||
	    (is_secret() && tok->kind != LEX_MARK))
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

	(void)message;
	if (tok->kind == LEX_BAD)
		;	/* the lexer said it */
	else if (tok->kind == LEX_END && P->block != NULL)
		lex_error(P->lex, tok, "the block of \"%s\" that begins in "
		    "line %d does not end: \"}\" is missing", P->block->text,
		    P->block->line);
	else
		unexpected(tok);
	skip_line();
	return (0);
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
	else if (is_secret())
		lex_error(P->lex, tok, "the text must be in quotes");
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
