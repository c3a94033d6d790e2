/*
 * Included by parse.y alone, whose state it works on: blocks begin and end,
 * and what names a remote or a database that may come later in the file is
 * linked in the end.
 */
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
	if (lex_errors(P->lex) == P->block_errors)
		set_remote_check(P->lex, P->block, P->remote);
	P->remote = NULL;
	P->block = NULL;
}

/* Is this the first address of the remote? */
static int
address(const struct lex_token *tok)
{
	return (once(&P->seen_block, "rest\" or \"s3", tok));
}

static void
secret_text(const struct lex_token *tok, const char *what, char **dst)
{
	if (once(&P->seen_block, what, tok))
		set_secret(P->lex, tok, what, dst);
}

static void
secret_file(const struct lex_token *tok, const char *what, char **file,
    char **dst)
{
	if (once(&P->seen_block, what, tok))
		set_secret_file(P->lex, tok, what, file, dst);
}

static void
s3_style(int virtual_host)
{
	if (once(&P->seen_listen, "path-style\" or \"virtual-host",
	    P->tok) && P->first)
		conf_s3(P->remote)->virtual_host = virtual_host;
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
	if (lex_errors(P->lex) == P->block_errors)
		set_database_check(P->lex, P->block, P->database);
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

/* "compress" for one place, or both. */
static int
once_compress(const struct lex_token *tok)
{
	static const char	*const names[] = { "compress ... local",
				    "compress ... remote" };
	int			 i, result = 1;

	for (i = 0; i < 2; i++)
		if (P->places & 1U << i)
			result &= once(&P->seen_block, names[i], tok);
	return (result);
}

static void
want_keep(const struct lex_token *tok)
{
	struct wanted_keep	*w;

	w = xcalloc(1, sizeof(*w));
	w->database = P->database;
	w->remote = tok;
	w->keep = P->keep;
	STAILQ_INSERT_TAIL(&P->wanted_keeps, w, entry);
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

/* After targets_link(): "keep ... on" is for one that the database has. */
static void
keeps_link(void)
{
	struct conf_target	*t;
	struct wanted_keep	*w;

	while ((w = STAILQ_FIRST(&P->wanted_keeps)) != NULL) {
		STAILQ_REMOVE_HEAD(&P->wanted_keeps, entry);
		conf_targets_default(P->conf, w->database);
		TAILQ_FOREACH(t, &w->database->targets, entry)
			if (strcmp(t->remote->name, w->remote->text) == 0)
				break;
		if (t != NULL)
			set_keep_add(P->lex, w->remote, &t->keep, &w->keep);
		else if (w->remote->text[0] != '\0' &&
		    conf_remote(P->conf, w->remote->text) != NULL)
			lex_error(P->lex, w->remote, "database \"%s\" has no "
			    "backups on remote \"%s\" that could be kept; "
			    "add it to its \"to\"", w->database->name,
			    w->remote->text);
		else
			lex_error(P->lex, w->remote, "there is no remote "
			    "\"%s\"", w->remote->text);
		free(w);
	}
}
