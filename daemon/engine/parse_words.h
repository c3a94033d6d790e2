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
	{ "log",	TOP,	LOG,	0, "log access" },
	{ "reserve",	TOP,	RESERVE, 0, "reserve SIZE, as in reserve 64m" },
	{ "connections", TOP,	CONNECTIONS, 0, "connections NUMBER" },
	{ "sandbox",	TOP,	SANDBOX, 0,
	    "sandbox on, sandbox required or sandbox log" },
	{ "allow",	TOP,	ALLOW,	0, "allow user \"NAME\" RIGHTS "
	    "[on \"DATABASE\", ...], allow group \"NAME\" RIGHTS [on ...], "
	    "allow certificate \"NAME\" RIGHTS [on ...] or allow origin "
	    "\"URL\"; rights are read, backup, download, "
	    "restore, delete, all" },
	{ "notify",	TOP,	NOTIFY, 0,
	    "notify \"URL\" on failure[, success]" },
	{ "heartbeat",	TOP,	HEARTBEAT, 0,
	    "heartbeat \"URL\" [every TIME]" },
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
	{ "access",	TOP,	ACCESS,	0, NULL },
	{ "origin",	TOP,	ORIGIN,	0, NULL },
	{ "key",	TOP,	KEY,	0, NULL },
	{ "tls",	TOP,	TLS,	0, NULL },
	{ "certificate", TOP,	CERTIFICATE, 0, NULL },
	{ "client",	TOP,	CLIENT,	0, NULL },
	{ "ca",		TOP,	CA,	0, NULL },
	{ "required",	TOP,	REQUIRED, 0, NULL },
	{ "plaintext",	TOP,	PLAINTEXT, 0, NULL },
	{ "every",	TOP,	EVERY,	0, NULL },

	{ "rest",	REMOTE_BLOCK, REST, 0, "rest \"URL\"" },
	{ "s3",		REMOTE_BLOCK, S3, 0,
	    "s3 bucket \"NAME\" [prefix \"PREFIX\"] [region \"REGION\"] "
	    "endpoint \"URL\" [path-style | virtual-host]" },
	{ "api",	REMOTE_BLOCK, API, 0,
	    "api key file \"PATH\" or api key \"KEY\"" },
	{ "access",	REMOTE_BLOCK, ACCESS, 0,
	    "access key file \"PATH\" or access key \"KEY\"" },
	{ "secret",	REMOTE_BLOCK, SECRET, 0,
	    "secret key file \"PATH\" or secret key \"KEY\"" },
	{ "delete",	REMOTE_BLOCK, DELETE, 0,
	    "delete yes, delete no, delete access key [file] \"TEXT\" or "
	    "delete secret key [file] \"TEXT\"" },
	{ "storage",	REMOTE_BLOCK, STORAGE, 0,
	    "storage class \"CLASS\"" },
	{ "encryption",	REMOTE_BLOCK, ENCRYPTION, 0,
	    "encryption \"AES256\" or encryption \"aws:kms\" "
	    "[key \"ID\"]" },
	{ "object",	REMOTE_BLOCK, OBJECT, 0,
	    "object lock governance for TIME or object lock compliance for "
	    "TIME, as in object lock governance for 30d" },
	{ "parts",	REMOTE_BLOCK, PARTS, 0, "parts NUMBER" },
	{ "part",	REMOTE_BLOCK, PART, 0,
	    "part size SIZE, as in part size 16m" },
	{ "timeout",	REMOTE_BLOCK, TIMEOUT, 0,
	    "timeout TIME, as in timeout 300s" },
	{ "retry",	REMOTE_BLOCK, RETRY, 0,
	    "retry from TIME to TIME, as in retry from 30s to 1h" },
	{ "upload",	REMOTE_BLOCK, UPLOAD, 0,
	    "upload limit SIZE, as in upload limit 5m" },
	{ "confirm",	REMOTE_BLOCK, CONFIRM, 0,
	    "confirm size, confirm sample or confirm content" },
	{ "key",	REMOTE_BLOCK, KEY, 0, NULL },
	{ "file",	REMOTE_BLOCK, KEYFILE, 0, NULL },
	{ "from",	REMOTE_BLOCK, FROM, 0, NULL },
	{ "to",		REMOTE_BLOCK, TO, 0, NULL },
	{ "limit",	REMOTE_BLOCK, LIMIT, 0, NULL },
	{ "bucket",	REMOTE_BLOCK, BUCKET, 0, NULL },
	{ "prefix",	REMOTE_BLOCK, PREFIX, 0, NULL },
	{ "region",	REMOTE_BLOCK, REGION, 0, NULL },
	{ "endpoint",	REMOTE_BLOCK, ENDPOINT, 0, NULL },
	{ "path-style",	REMOTE_BLOCK, PATHSTYLE, 0, NULL },
	{ "virtual-host", REMOTE_BLOCK, VIRTUALHOST, 0, NULL },
	{ "class",	REMOTE_BLOCK, CLASS, 0, NULL },
	{ "lock",	REMOTE_BLOCK, LOCK, 0, NULL },
	{ "for",	REMOTE_BLOCK, FOR, 0, NULL },
	{ "size",	REMOTE_BLOCK, SIZE, 0, NULL },

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
	{ "every",	DATABASE_BLOCK, EVERY, 0,
	    "every TIME, as in every 15m" },
	{ "at",		DATABASE_BLOCK, AT, 0, "at HH:MM, as in at 03:30" },
	{ "on",		DATABASE_BLOCK, ON, 0,
	    "on DAY[, DAY ...] at HH:MM, as in on sun at 04:00" },
	{ "jitter",	DATABASE_BLOCK, JITTER, 0,
	    "jitter TIME, as in jitter 30s" },
	{ "drill",	DATABASE_BLOCK, DRILL, 0,
	    "drill every TIME, as in drill every 7d" },
	{ "compress",	DATABASE_BLOCK, COMPRESS, 0,
	    "compress zstd [LEVEL] [local | remote]" },
	{ "encrypt",	DATABASE_BLOCK, ENCRYPT, 0,
	    "encrypt to \"age1...\", ... [local | remote]" },
	{ "identity",	DATABASE_BLOCK, IDENTITY, 0,
	    "identity file \"PATH\"" },
	{ "keep",	DATABASE_BLOCK, KEEP, 0,
	    "keep last NUMBER, NUMBER hourly, NUMBER daily, NUMBER weekly, "
	    "NUMBER monthly, NUMBER yearly, within TIME [on \"REMOTE\"], or "
	    "keep safety TIME" },
	{ "expire",	DATABASE_BLOCK, EXPIRE, 0, "expire named" },
	{ "spool",	DATABASE_BLOCK, SPOOL, 0,
	    "spool limit SIZE, as in spool limit 10g" },
	{ "expect",	DATABASE_BLOCK, EXPECT, 0,
	    "expect change within TIME, as in expect change within 7d" },
	{ "to",		DATABASE_BLOCK, TO, 0, "to \"REMOTE\", ..." },
	{ "unsafe-filesystem", DATABASE_BLOCK, UNSAFE, 0,
	    "unsafe-filesystem" },
	{ "id",		DATABASE_BLOCK, ID, 0, NULL },
	{ "timeout",	DATABASE_BLOCK, TIMEOUT, 0, NULL },
	{ "limit",	DATABASE_BLOCK, LIMIT, 0, NULL },
	{ "zstd",	DATABASE_BLOCK, ZSTD, 0, NULL },
	{ "local",	DATABASE_BLOCK, LOCAL, 0, NULL },
	{ "remote",	DATABASE_BLOCK, REMOTE, 0, NULL },
	{ "file",	DATABASE_BLOCK, KEYFILE, 0, NULL },
	{ "last",	DATABASE_BLOCK, LAST, 0, NULL },
	{ "within",	DATABASE_BLOCK, WITHIN, 0, NULL },
	{ "safety",	DATABASE_BLOCK, SAFETY, 0, NULL },
	{ "named",	DATABASE_BLOCK, NAMED, 0, NULL },
	{ "change",	DATABASE_BLOCK, CHANGE, 0, NULL },
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
		    (where == 0 && k->form != NULL)))
			return (k);
	return (NULL);
}

/* Does a statement go on with this word, which begins others? */
static int
keyword_within(const struct keyword *statement, const char *word)
{
	const char	*p;
	size_t		 n = strlen(word);

	if (statement == NULL || statement->form == NULL)
		return (0);
	for (p = statement->form; (p = strstr(p, word)) != NULL; p += n)
		if (p > statement->form && (p[-1] == ' ' || p[-1] == '[') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return (1);
	return (0);
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
