/*
 * Included by parse.y alone, which has the tokens: the words of the grammar,
 * where each has a meaning, and the form of the statement that it begins.
 */
static const struct keyword keywords[] = {
	{ "listen",	TOP,	LISTEN,	0, "listen on ADDRESS port NUMBER "
	    "[tls certificate \"PATH\" key \"PATH\" [client ca \"PATH\" "
	    "[required]] | plaintext], or listen on socket \"PATH\" "
	    "[mode 0660] [group \"NAME\"]" },
	{ "user",	TOP,	USER,	0, "user front \"NAME\", "
	    "user network \"NAME\" or user verify \"NAME\"" },
	{ "backup",	TOP,	BACKUP,	0, "backup directory \"PATH\"" },
	{ "license",	TOP,	LICENSE, 0, "license \"PATH\" key \"PATH\"" },
	{ "compat",	TOP,	COMPAT,	0, "compat node" },
	{ "reserve",	TOP,	RESERVE, 0, "reserve SIZE, as in reserve 64m" },
	{ "connections", TOP,	CONNECTIONS, 0, "connections NUMBER" },
	{ "sandbox",	TOP,	SANDBOX, 0,
	    "sandbox on, sandbox required or sandbox log" },
	{ "allow",	TOP,	ALLOW,	0, "allow user \"NAME\" RIGHTS "
	    "[on \"DATABASE\", ...], allow group \"NAME\" RIGHTS [on ...], "
	    "allow certificate \"NAME\" RIGHTS [on ...] or allow origin "
	    "\"URL\"; rights are read, backup, download, restore, all" },
	{ "remote",	TOP,	REMOTE,	REMOTE_BLOCK,
	    "remote \"NAME\" { ... }" },
	{ "database",	TOP,	DATABASE, DATABASE_BLOCK,
	    "database \"NAME\" { ... }" },
	/* The lexer reads it; the name is here for lists. */
	{ "include",	TOP,	WORD,	0, "include \"FILE\"" },
	{ "on",		TOP,	ON,	0, NULL },
	{ "socket",	TOP,	SOCKET,	0, NULL },
	{ "port",	TOP,	PORT,	0, NULL },
	{ "mode",	TOP,	MODE,	0, NULL },
	{ "group",	TOP,	GROUP,	0, NULL },
	{ "front",	TOP,	FRONT,	0, NULL },
	{ "network",	TOP,	NETWORK, 0, NULL },
	{ "verify",	TOP,	VERIFY,	0, NULL },
	{ "directory",	TOP,	DIRECTORY, 0, NULL },
	{ "node",	TOP,	NODE,	0, NULL },
	{ "origin",	TOP,	ORIGIN,	0, NULL },
	{ "key",	TOP,	KEY,	0, NULL },
	{ "tls",	TOP,	TLS,	0, NULL },
	{ "certificate", TOP,	CERTIFICATE, 0, NULL },
	{ "client",	TOP,	CLIENT,	0, NULL },
	{ "ca",		TOP,	CA,	0, NULL },
	{ "required",	TOP,	REQUIRED, 0, NULL },
	{ "plaintext",	TOP,	PLAINTEXT, 0, NULL },

	{ "rest",	REMOTE_BLOCK, REST, 0, "rest \"URL\"" },
	{ "api",	REMOTE_BLOCK, API, 0,
	    "api key file \"PATH\" or api key \"KEY\"" },
	{ "timeout",	REMOTE_BLOCK, TIMEOUT, 0,
	    "timeout TIME, as in timeout 300s" },
	{ "retry",	REMOTE_BLOCK, RETRY, 0,
	    "retry from TIME to TIME, as in retry from 30s to 1h" },
	{ "key",	REMOTE_BLOCK, KEY, 0, NULL },
	{ "file",	REMOTE_BLOCK, KEYFILE, 0, NULL },
	{ "from",	REMOTE_BLOCK, FROM, 0, NULL },
	{ "to",		REMOTE_BLOCK, TO, 0, NULL },

	{ "path",	DATABASE_BLOCK, DBPATH, 0, "path \"PATH\"" },
	{ "user",	DATABASE_BLOCK, USER, 0,
	    "user id \"TEXT\" or user id NUMBER" },
	{ "device",	DATABASE_BLOCK, DEVICE, 0, "device id \"TEXT\"" },
	{ "lock",	DATABASE_BLOCK, LOCK, 0,
	    "lock timeout TIME or lock limit TIME" },
	{ "size",	DATABASE_BLOCK, SIZE, 0,
	    "size limit SIZE, as in size limit 20g" },
	{ "verify",	DATABASE_BLOCK, VERIFY, 0,
	    "verify none, verify quick or verify full" },
	{ "capture",	DATABASE_BLOCK, CAPTURE, 0,
	    "capture raw or capture backup" },
	{ "to",		DATABASE_BLOCK, TO, 0, "to \"REMOTE\", ..." },
	{ "unsafe-filesystem", DATABASE_BLOCK, UNSAFE, 0,
	    "unsafe-filesystem" },
	{ "id",		DATABASE_BLOCK, ID, 0, NULL },
	{ "timeout",	DATABASE_BLOCK, TIMEOUT, 0, NULL },
	{ "limit",	DATABASE_BLOCK, LIMIT, 0, NULL },

	{ "notify",	TOP, LATER, 0, NULL },
	{ "s3",		REMOTE_BLOCK, LATER, 0, NULL },
	{ "upload",	REMOTE_BLOCK, LATER, 0, NULL },
	{ "access",	REMOTE_BLOCK, LATER, 0, NULL },
	{ "secret",	REMOTE_BLOCK, LATER, 0, NULL },
	{ "every",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "at",		DATABASE_BLOCK, LATER, 0, NULL },
	{ "on",		DATABASE_BLOCK, LATER, 0, NULL },
	{ "drill",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "compress",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "encrypt",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "keep",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "spool",	DATABASE_BLOCK, LATER, 0, NULL },
	{ "expect",	DATABASE_BLOCK, LATER, 0, NULL },
};

static const char *
block_name(int where)
{
	return (where == REMOTE_BLOCK ? "in a remote block" :
	    where == DATABASE_BLOCK ? "in a database block" :
	    "outside of blocks");
}

/* In a block of this kind, or if where is 0 the first statement anywhere. */
static const struct keyword *
keyword_find(const char *word, int where)
{
	const struct keyword	*k;

	for (k = keywords; k < keywords + nitems(keywords); k++)
		if (strcmp(k->name, word) == 0 && (where == k->where ||
		    (where == 0 && (k->form != NULL || k->token == LATER))))
			return (k);
	return (NULL);
}

/* "listen, user, ...": what may begin a statement here. */
static void
keyword_list(int where, char *dst, size_t size)
{
	const struct keyword	*k;

	dst[0] = '\0';
	for (k = keywords; k < keywords + nitems(keywords); k++) {
		if (k->form == NULL || k->where != where)
			continue;
		if (dst[0] != '\0')
			strlcat(dst, ", ", size);
		strlcat(dst, k->name, size);
	}
}
