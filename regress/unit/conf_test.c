/*
 * The configuration: its lexer, its values, who may own its files, links,
 * and what is completed in the end.  The grammar and its messages are
 * compared in regress/t/conf.t.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/conf_lex.h"
#include "regress/unit/unit.h"

static char	dir[] = "/tmp/conf_test.XXXXXX";

static const char *
at(const char *name)
{
	static char	path[4][PATH_BYTES];
	static int	turn;

	turn = (turn + 1) % 4;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return (path[turn]);
}

static void
put(const char *name, const char *text, size_t n, mode_t mode)
{
	int	fd;

	(void)unlink(at(name));
	fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, text, n) != (ssize_t)n ||
	    fchmod(fd, mode) == -1 || close(fd) == -1)
		fatal("cannot make %s", at(name));
}

/* Standard error goes to a file meanwhile; the result is its text. */
static int	saved_stderr;

static void
quiet(void)
{
	int	fd;

	(void)fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	fd = open(at("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (saved_stderr == -1 || fd == -1 || dup2(fd, STDERR_FILENO) == -1)
		fatal("cannot redirect");
	(void)close(fd);
}

static const char *
loud(void)
{
	static char	text[8192];
	ssize_t		n;

	(void)fflush(stderr);
	n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	if (dup2(saved_stderr, STDERR_FILENO) == -1)
		fatal("cannot redirect back");
	(void)close(saved_stderr);
	return (text);
}

/* The tokens of a text in one line: "w:word s:string". */
static const char *
tokens(const char *text, size_t n)
{
	static const char	 kinds[] = "enwdsmb";
	static const enum lex_kind order[] = { LEX_END, LEX_NEWLINE, LEX_WORD,
	    LEX_NUMBER, LEX_STRING, LEX_MARK, LEX_BAD };
	static char		 out[4096];
	const struct lex_token	*tok;
	struct lex		*lex;
	size_t			 i;
	char			 line[16];

	out[0] = '\0';
	lex = lex_memory("test", text, n);
	do {
		tok = lex_next(lex);
		for (i = 0; order[i] != tok->kind; i++)
			;
		(void)snprintf(line, sizeof(line), "%s%c%d", out[0] == '\0' ?
		    "" : " ", kinds[i], tok->line);
		strlcat(out, line, sizeof(out));
		if (tok->kind == LEX_NEWLINE || tok->kind == LEX_END ||
		    tok->kind == LEX_BAD)
			continue;
		strlcat(out, ":", sizeof(out));
		strlcat(out, tok->text, sizeof(out));
	} while (tok->kind != LEX_END);
	if (lex_next(lex)->kind != LEX_END)
		strlcat(out, " goes on", sizeof(out));
	lex_free(lex);
	return (out);
}

struct lex_case {
	const char	*text;
	const char	*tokens;	/* kind, line, text */
};

static const struct lex_case lex_cases[] = {
	{ "", "n1 e1" },
	{ "\n", "n1 n2 e2" },
	{ "a b12 127.0.0.1 ::1 10s 42 007", "w1:a w1:b12 w1:127.0.0.1 "
	    "w1:::1 w1:10s d1:42 d1:007 n1 e1" },
	{ "a # b { \"\nc", "w1:a n1 w2:c n2 e2" },
	{ "a#b", "w1:a n1 e1" },
	{ "a\\\nb\\\r\nc", "w1:a w2:b w3:c n3 e3" },
	{ "a\r\n\tb", "w1:a n1 w2:b n2 e2" },
	{ "\"a b\" \"\" \"\\\"\\\\\" \"#{$\"", "s1:a b s1: s1:\"\\ s1:#{$ "
	    "n1 e1" },
	{ "a{b}c,\"d\"=", "w1:a m1:{ w1:b m1:} w1:c m1:, s1:d m1:= n1 e1" },
	{ "x = \"y z\"\n$x$x", "n1 s2:y z s2:y z n2 e2" },
	{ "x=1\ny=$x\na $y", "n1 n2 w3:a s3:1 n3 e3" },
	{ "a x = 1", "w1:a w1:x m1:= d1:1 n1 e1" },
	{ "x = \\\n 1\n$x", "n2 s3:1 n3 e3" },
	{ "\xef\xbb\xbf" "a", "w1:a n1 e1" },
	{ "\"\xc3\xa4\"", "s1:\xc3\xa4 n1 e1" },
	/* errors end their line, and nothing else */
	{ "\"a\nb", "b1 n1 w2:b n2 e2" },
	{ "\"a\\", "b1 n1 e1" },
	{ "\"a\\nb\" c\nd", "b1 n1 w2:d n2 e2" },
	{ "\"a\x01\" c\nd", "b1 n1 w2:d n2 e2" },
	{ "\x7f" "a\nb", "b1 n1 w2:b n2 e2" },
	{ "\xc3\xa4", "b1 n1 e1" },
	{ "a\\b c", "w1:a b1 n1 e1" },
	{ "$no a", "b1 w1:a n1 e1" },
	{ "x =\na", "n1 w2:a n2 e2" },
	{ "x = {\na", "b1 n1 w2:a n2 e2" },
	{ "x = 1 2\na", "b1 n1 w2:a n2 e2" },
	{ "x = 1\nx = 2\n$x", "n1 b2 n2 s3:1 n3 e3" },
	{ "include\na", "n1 w2:a n2 e2" },
	{ "include x y\na", "b1 n1 w2:a n2 e2" },
	{ "include \"/nowhere\" y\na", "b1 n1 w2:a n2 e2" },
};

static void
test_lex(void)
{
	const char	*got;
	size_t		 i;

	for (i = 0; i < nitems(lex_cases); i++) {
		quiet();
		got = tokens(lex_cases[i].text, strlen(lex_cases[i].text));
		(void)loud();
		ok(strcmp(got, lex_cases[i].tokens) == 0, "lexer case %zu",
		    i);
		if (strcmp(got, lex_cases[i].tokens) != 0)
			printf("# got    %s\n# wanted %s\n", got,
			    lex_cases[i].tokens);
	}
	quiet();
	got = tokens("a\0b", 3);
	ok(strcmp(got, "w1:a b1 n1 e1") == 0, "a NUL byte is an error");
	ok(strstr(loud(), "test:1: a character (0x00)") != NULL,
	    "and is named");
}

static void
test_quantities(void)
{
	static const char *const bad_sizes[] = { "", "k", "-1", "+1", " 1",
	    "1 ", "1x", "1kk", "1kb", "9223372036854775808",
	    "9007199254740992k", "8388608t" };
	static const char *const bad_times[] = { "", "0", "10", "s", "10x",
	    "-1s", "1.5s", "10 s", "99999999999999999999ms",
	    "9223372036854775807d" };
	uint64_t	v;
	size_t		i;

	ok(conf_parse_size("0", &v) == 0 && v == 0, "size 0");
	ok(conf_parse_size("10g", &v) == 0 && v == 10ULL << 30, "size 10g");
	ok(conf_parse_size("512K", &v) == 0 && v == 512 << 10, "size 512K");
	ok(conf_parse_size("8388607t", &v) == 0 && v == 8388607ULL << 40,
	    "the largest size in t");
	for (i = 0; i < nitems(bad_sizes); i++)
		ok(conf_parse_size(bad_sizes[i], &v) == -1,
		    "\"%s\" is no size", bad_sizes[i]);
	ok(conf_parse_time("500ms", &v) == 0 && v == 500, "time 500ms");
	ok(conf_parse_time("15m", &v) == 0 && v == 900000, "time 15m");
	ok(conf_parse_time("7d", &v) == 0 && v == 604800000, "time 7d");
	for (i = 0; i < nitems(bad_times); i++)
		ok(conf_parse_time(bad_times[i], &v) == -1,
		    "\"%s\" is no time", bad_times[i]);
}

static void
url_is(const char *text, const char *wanted)
{
	const char	*why = NULL;
	char		*url;

	url = conf_url(text, &why);
	if (wanted == NULL)
		ok(url == NULL && why != NULL, "no URL: %s", text);
	else
		ok(url != NULL && strcmp(url, wanted) == 0, "URL %s", text);
	free(url);
}

static void
test_urls(void)
{
	char	longest[CONF_URL_MAX + 2];

	url_is("http://h", "http://h");
	url_is("https://h.example.org:8443/a/b//", "https://h.example.org:"
	    "8443/a/b");
	url_is("HTTP://h_1/", "http://h_1");
	url_is("http://[::1]:1/", "http://[::1]:1");
	url_is("http://h/a%20b@c", "http://h/a%20b@c");
	url_is("", NULL);
	url_is("http://", NULL);
	url_is("http:///a", NULL);
	url_is("ftp://h", NULL);
	url_is("http://u@h", NULL);
	url_is("http://u:p@h/", NULL);
	url_is("http://h?q", NULL);
	url_is("http://h/#f", NULL);
	url_is("http://h:", NULL);
	url_is("http://h:0", NULL);
	url_is("http://h:65536", NULL);
	url_is("http://h:80x", NULL);
	url_is("http://[::1", NULL);
	url_is("http://[x]", NULL);
	url_is("http://h\\a", NULL);
	url_is("http://h/a b", NULL);
	url_is("http://h/%2", NULL);
	url_is("http://h/\r\nX: y", NULL);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "http://h/", 9);
	longest[CONF_URL_MAX] = '\0';
	url_is(longest, longest);
	longest[CONF_URL_MAX] = 'a';
	longest[CONF_URL_MAX + 1] = '\0';
	url_is(longest, NULL);
}

static void
test_hooks(void)
{
	static const struct {
		const char	*text, *wanted;
	} cases[] = {
		{ "HTTPS://h/x?a=b&c=%20", "https://h/x?a=b&c=%20" },
		{ "https://h/x/", "https://h/x/" },
		{ "https://h/x?a#b", NULL },
		{ "https://u:p@h/x?a", NULL },
		{ "https://h/?a=u:p@h", "https://h/?a=u:p@h" },
		{ "https://h/?a b", NULL },
	};
	const char	*why;
	char		*url;
	size_t		 i;

	for (i = 0; i < nitems(cases); i++) {
		why = NULL;
		url = conf_url_hook(cases[i].text, &why);
		ok(cases[i].wanted == NULL ? url == NULL && why != NULL :
		    url != NULL && strcmp(url, cases[i].wanted) == 0,
		    "a hook's URL: %s", cases[i].text);
		free(url);
	}
}

static void
path_is(const char *text, const char *wanted, int directory)
{
	const char	*why = NULL;
	char		*path;

	path = directory ? conf_path_directory(text, CONF_BACKUP_DIR_MAX,
	    &why) : conf_path_database(text, NULL, &why);
	if (wanted == NULL)
		ok(path == NULL && why != NULL, "no path: %.40s", text);
	else
		ok(path != NULL && strcmp(path, wanted) == 0, "path %.40s",
		    text);
	free(path);
}

static void
test_paths(void)
{
	char	longest[CONF_BACKUP_DIR_MAX + 2];

	(void)setenv("HOME", "/home/me/", 1);
	path_is("/a//b", "/a/b", 0);
	path_is("~/b", "/home/me/b", 0);
	path_is("~", "/home/me", 1);
	path_is("/a/", "/a", 1);
	path_is("/", "/", 1);
	path_is("", NULL, 0);
	path_is("a", NULL, 0);
	path_is("./a", NULL, 0);
	path_is("~root/a", NULL, 0);
	path_is("~", NULL, 0);
	path_is("/a/", NULL, 0);
	path_is("/a/..", NULL, 0);
	path_is("/a/*.db", NULL, 0);
	path_is("/a?/x.db", NULL, 0);
	path_is("/a\nb", NULL, 0);
	(void)setenv("HOME", "relative", 1);
	path_is("~/b", NULL, 0);
	(void)unsetenv("HOME");
	path_is("~/b", NULL, 1);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[CONF_BACKUP_DIR_MAX] = '\0';
	path_is(longest, longest, 1);
	longest[CONF_BACKUP_DIR_MAX] = 'a';
	longest[CONF_BACKUP_DIR_MAX + 1] = '\0';
	path_is(longest, NULL, 1);
	(void)setenv("HOME", dir, 1);
}

static void
test_nearest(void)
{
	static const char	list[] = "listen, user, compat, to, API_KEY";
	char			near[64];

	ok(conf_nearest("lisen", list, near, sizeof(near)) == 0 &&
	    strcmp(near, "listen") == 0, "lisen is listen");
	ok(conf_nearest("uesr", list, near, sizeof(near)) == 0 &&
	    strcmp(near, "user") == 0, "letters that changed places");
	ok(conf_nearest("API_KEYS", list, near, sizeof(near)) == 0 &&
	    strcmp(near, "API_KEY") == 0, "capital letters");
	ok(conf_nearest("ot", list, near, sizeof(near)) == -1,
	    "two letters have no neighbour");
	ok(conf_nearest("sandbox", list, near, sizeof(near)) == -1,
	    "nothing is near");
}

static void
key_is(const char *text, size_t n, mode_t mode, const char *wanted)
{
	char	*key, why[CONF_WHY_BYTES] = "";

	put("key", text, n, mode);
	key = conf_file_key(at("key"), why);
	if (wanted == NULL)
		ok(key == NULL && why[0] != '\0', "key file of %zu bytes, "
		    "mode %o, is refused: it %s", n, (unsigned)mode, why);
	else
		ok(key != NULL && strcmp(key, wanted) == 0, "key file of %zu "
		    "bytes, mode %o", n, (unsigned)mode);
	conf_wipe(key);
}

static void
test_keys(void)
{
	char	*key, text[SECRET_BYTES + 16], why[CONF_WHY_BYTES];

	key_is("secret\n", 7, 0600, "secret");
	key_is("secret\r\n", 8, 0400, "secret");
	key_is("secret", 6, 0640, NULL);
	key_is("secret", 6, 0604, NULL);
	key_is("secret", 6, 0620, NULL);
	key_is("", 0, 0600, NULL);
	key_is("\n", 1, 0600, NULL);
	key_is("a\nb", 3, 0600, NULL);
	key_is("a\0b", 3, 0600, NULL);
	memset(text, 'k', sizeof(text));
	text[511] = '\n';
	put("key", text, 512, 0600);
	key = conf_file_key(at("key"), why);
	ok(key != NULL && strlen(key) == 511, "a key of 511 bytes");
	conf_wipe(key);
	text[511] = 'k';
	key_is(text, 512, 0600, NULL);
	key_is(text, 514, 0600, NULL);
	ok(conf_file_key(dir, why) == NULL, "a directory is no key");
	(void)mkfifo(at("fifo"), 0600);
	ok(conf_file_key(at("fifo"), why) == NULL,
	    "a FIFO is no key, and nobody waits for it");
	if (geteuid() == 0) {
		put("key", "k", 1, 0600);
		ok(chown(at("key"), 12345, 0) == 0 &&
		    conf_file_key(at("key"), why) == NULL,
		    "another user's key is refused");
	}
}

/* 1 if the file is accepted, without and with the check of its owner. */
static int
accepted(const char *name, int check_owner, const char *said)
{
	struct conf	*conf;
	int		 result;

	quiet();
	conf = conf_load_file(at(name), check_owner);
	result = conf != NULL;
	conf_free(conf);
	if (strstr(loud(), said) == NULL)
		return (-1);
	return (result);
}

static void
test_owner(void)
{
	static const char	plain[] = "database \"a\" { path \"/a\" }\n";
	static const char	keyed[] = "remote \"r\" { rest \"http://h\" "
	    "api key \"k\" }\ndatabase \"a\" { path \"/a\" }\n";
	static const char	includes[] = "include \"plain\"\n";
	static const char	macro[] = "include \"secret\"\nremote \"r\" {"
	    " rest \"http://h\" api key $k }\n"
	    "database \"a\" { path \"/a\" }\n";

	put("plain", plain, strlen(plain), 0644);
	ok(accepted("plain", 1, "") == 1, "0644 is fine");
	put("plain", plain, strlen(plain), 0664);
	ok(accepted("plain", 1, "chmod go-w") == 0, "0664 is refused");
	ok(accepted("plain", 0, "") == 1, "0664 without the check");
	put("outer", includes, strlen(includes), 0644);
	ok(accepted("outer", 1, "chmod go-w") == 0,
	    "an include of mode 0664 is refused");
	put("plain", plain, strlen(plain), 0644);
	ok(accepted("outer", 1, "") == 1, "an include of mode 0644");
	if (geteuid() == 0) {
		ok(chown(at("plain"), 12345, 0) == 0 &&
		    accepted("plain", 1, "must be owned") == 0,
		    "another user's file is refused");
	}
	put("keyed", keyed, strlen(keyed), 0644);
	ok(accepted("keyed", 1, "everybody can read it") == 0,
	    "0644 with an api key is refused");
	put("keyed", keyed, strlen(keyed), 0640);
	ok(accepted("keyed", 1, "") == 1, "0640 with an api key");
	put("secret", "k = \"x\"\n", 8, 0644);
	put("macro", macro, strlen(macro), 0600);
	ok(accepted("macro", 1, "everybody can read it") == 0,
	    "an api key by a macro from a file that all can read");
	put("secret", "k = \"x\"\n", 8, 0600);
	ok(accepted("macro", 1, "") == 1, "an api key by a macro");
	ok(accepted("nowhere", 1, "cannot be opened") == 0, "no file");
	ok(accepted("", 1, "not a regular file") == 0, "a directory");
	put("large", "", 0, 0644);
	ok(truncate(at("large"), CONF_BYTES_MAX + 1) == 0 &&
	    accepted("large", 1, "larger than") == 0, "a file too large");
}

static void
test_resolve(void)
{
	struct conf	*conf;
	char		 real[PATH_BYTES];

	(void)mkdir(at("data"), 0700);
	put("data/a.db", "", 0, 0600);
	ok(symlink("data", at("link")) == 0 &&
	    symlink("a.db", at("data/b.db")) == 0, "links are made");
	conf = conf_new();
	conf_database_new(conf, "a")->path = xstrdup(at("link/b.db"));
	conf_database_new(conf, "m")->path = xstrdup(at("link/missing.db"));
	conf_database_new(conf, "n")->path = xstrdup(at("no/where/x.db"));
	conf_database_new(conf, "r")->path = xstrdup("/conf-test-missing");
	conf_resolve(conf);
	if (realpath(dir, real) == NULL)
		fatal("realpath");
	strlcat(real, "/data/a.db", sizeof(real));
	ok(strcmp(conf_database(conf, "a")->resolved, real) == 0,
	    "both links are followed");
	strlcpy(strrchr(real, '/'), "/missing.db", 16);
	ok(strcmp(conf_database(conf, "m")->resolved, real) == 0,
	    "a missing file in a linked directory");
	ok(strcmp(conf_database(conf, "n")->resolved,
	    at("no/where/x.db")) == 0, "a missing directory stays");
	ok(strcmp(conf_database(conf, "r")->resolved,
	    "/conf-test-missing") == 0, "a missing file in /");
	conf_free(conf);
}

static struct conf *
parse(const char *text)
{
	return (conf_parse_text("test", text, strlen(text)));
}

static void
test_finish(void)
{
	struct conf_listen	*l;
	struct conf		*conf;

	conf = conf_new();
	quiet();
	ok(conf_finish(conf) == 0, "no database is no error");
	ok(strstr(loud(), "warning: there is no database") != NULL,
	    "but is said");
	conf_database_new(conf, "a")->path = xstrdup("/a");
	ok(conf_finish(conf) == 0, "one database is enough");
	l = TAILQ_FIRST(&conf->listens);
	ok(l != NULL && l->is_default && l->port == CONF_PORT_DEFAULT &&
	    strcmp(l->address, "127.0.0.1") == 0 &&
	    (l = TAILQ_NEXT(l, entry)) != NULL && l->is_default &&
	    strcmp(l->address, "::1") == 0 && TAILQ_NEXT(l, entry) == NULL,
	    "two listeners by default");
	ok(conf->backup_dir != NULL && conf->backup_dir[0] == '/',
	    "a backup directory by default: %s", conf->backup_dir);
	conf_database_new(conf, "a")->path = xstrdup("a");
	conf_database_new(conf, "b");
	quiet();
	ok(conf_finish(conf) == -1, "twice the same name");
	ok(strstr(loud(), "two databases \"a\"") != NULL, "and is said");
	conf_free(conf);

	conf = parse("remote \"x\" { rest \"http://x\" }\n"
	    "remote \"y\" { rest \"http://y\" }\n"
	    "database \"a\" { path \"/a\" }\n"
	    "database \"b\" { path \"/b\" to \"y\" }\n"
	    "listen on ::1 port 1\n");
	ok(conf != NULL && conf_remote(conf, "y")->index == 1 &&
	    conf_remote(conf, "")->index == 0 &&
	    conf_remote(conf, "z") == NULL &&
	    strcmp(conf_database(conf, "")->name, "a") == 0 &&
	    conf_database(conf, "c") == NULL, "names are found");
	ok(conf != NULL && TAILQ_FIRST(&conf_database(conf, "a")->targets)->
	    remote->index == 0 && TAILQ_FIRST(&conf_database(conf, "b")->
	    targets)->remote->index == 1, "targets are linked");
	ok(conf != NULL && !TAILQ_FIRST(&conf->listens)->is_default,
	    "a listener that was asked for is no default");
	conf_free(conf);
}

/* What a listener speaks, printed and read again. */
static void
test_listen(void)
{
	static const char	text[] =
	    "listen on 192.0.2.7 port 1 tls certificate \"/c \\\"x\" key "
	    "\"/k\"\n"
	    "listen on 192.0.2.7 port 2 tls certificate \"/c\" key \"/k\" "
	    "client ca \"/ca\"\n"
	    "listen on ::1 port 3 tls certificate \"/c\" key \"/k\" client "
	    "ca \"/ca\" required\n"
	    "listen on 0.0.0.0 port 4 plaintext\n"
	    "listen on 127.8.0.1 port 5\n";
	struct conf_listen	*l;
	struct conf		*conf;
	char			*all = NULL, *out = NULL;
	FILE			*f;
	size_t			 n;

	if (asprintf(&all, "%sdatabase \"a\" { path \"/a\" }\n", text) == -1 ||
	    (f = open_memstream(&out, &n)) == NULL)
		fatalx("memory");
	conf = parse(all);
	ok(conf != NULL, "what listeners may speak");
	if (conf != NULL)
		conf_print(conf, f);
	fclose(f);
	ok(strncmp(out, text, strlen(text)) == 0, "and printed the same");
	l = conf == NULL ? NULL : TAILQ_FIRST(&conf->listens);
	ok(l != NULL && strcmp(l->tls_certificate, "/c \"x") == 0 &&
	    l->tls_client_ca == NULL && !l->tls_required && !l->plaintext,
	    "a certificate and a key");
	l = l == NULL ? NULL : TAILQ_NEXT(TAILQ_NEXT(l, entry), entry);
	ok(l != NULL && strcmp(l->tls_client_ca, "/ca") == 0 &&
	    l->tls_required, "clients must show one");
	conf_free(conf);
	free(all);
	free(out);
}

#define RECIPIENT	"age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp86" \
			"6cnql7dp2z"

/* Times, forms and retention as the engine finds them. */
static void
test_life(void)
{
	struct conf_database	*a, *b;
	struct conf_target	*x, *y;
	struct conf		*conf;

	conf = parse("remote \"x\" { rest \"http://x\" }\n"
	    "remote \"y\" { rest \"http://y\" confirm sample upload limit "
	    "1m }\n"
	    "database \"a\" { path \"/a\" every 15m on sun, sat at 04:05\n"
	    "compress zstd 7 remote encrypt to \"" RECIPIENT "\" local\n"
	    "keep last 3, within 2w keep 4 daily on \"y\" keep 5 yearly\n"
	    "drill every 1w expect change within 3d spool limit 1g }\n"
	    "database \"b\" { path \"/b/*.db\" at 00:00 compress zstd }\n");
	ok(conf != NULL, "a database's life is read");
	if (conf == NULL)
		return;
	a = conf_database(conf, "a");
	b = conf_database(conf, "b");
	ok(a->nschedules == 2 && a->schedules[0].every_ms == 900000 &&
	    a->schedules[1].every_ms == 0 && a->schedules[1].minute == 245 &&
	    a->schedules[1].weekdays == 0x41 &&
	    a->jitter_ms == CONF_JITTER_DEFAULT, "every, and on two days");
	ok(b->nschedules == 1 && b->schedules[0].minute == 0 &&
	    b->schedules[0].weekdays == 0x7f, "at, on each day");
	ok(!a->is_glob && b->is_glob, "one path is a pattern");
	ok(a->local.compress == 0 && a->local.encrypt &&
	    a->remote.compress == 7 && !a->remote.encrypt &&
	    a->nrecipients == 1 && b->local.compress == 3 &&
	    b->remote.compress == 3 && !b->local.encrypt, "forms by place");
	x = TAILQ_FIRST(&a->targets);
	y = TAILQ_NEXT(x, entry);
	ok(a->keep.set && a->keep.last == 3 && a->keep.yearly == 5 &&
	    a->keep.daily == 0 && a->keep.within_ms == 14 * 86400000ULL &&
	    !x->keep.set && y->keep.set && y->keep.daily == 4 &&
	    y->keep.last == 0, "retention by place");
	ok(!b->keep.set && b->keep_safety_ms == 30 * 86400000ULL &&
	    !b->expire_named, "by default all is kept");
	ok(a->drill_ms == 7 * 86400000ULL &&
	    a->expect_change_ms == 3 * 86400000ULL &&
	    a->spool_limit == 1ULL << 30, "a drill, a change, a spool");
	ok(conf_remote(conf, "x")->confirm == CONFIRM_SIZE &&
	    conf_remote(conf, "y")->confirm == CONFIRM_SAMPLE &&
	    conf_remote(conf, "y")->upload_limit == 1 << 20,
	    "what a remote confirms, and its limit");
	conf_free(conf);
}

static void
test_s3(void)
{
	static const char	env[] = "DATABASE_URL=/x.db\nS3_BUCKET=buck\n"
	    "AWS_ACCESS_KEY_ID=i\nAWS_SECRET_ACCESS_KEY=s\n"
	    "AWS_SESSION_TOKEN=t\nAWS_ENDPOINT_URL=http://other\n"
	    "AWS_ENDPOINT_URL_S3=http://h:1/\n";
	struct conf		*conf;
	struct conf_remote	*r;

	conf = parse("remote \"s\" { s3 bucket \"buck\" prefix \"p/q\" "
	    "endpoint \"https://h/\" virtual-host\n"
	    "access key \"i\" secret key \"s\" delete no parts 3\n"
	    "part size 6m object lock compliance for 2w }\n"
	    "database \"a\" { path \"/a\" }\n");
	r = conf == NULL ? NULL : conf_remote(conf, "s");
	ok(r != NULL && r->kind == REMOTE_S3 && r->s3 != NULL &&
	    strcmp(r->url, "https://h") == 0 &&
	    strcmp(r->s3->prefix, "p/q/") == 0 && r->s3->virtual_host &&
	    strcmp(r->s3->region, "us-east-1") == 0 && !r->s3->may_delete &&
	    strcmp(r->s3->access_key, "i") == 0 &&
	    strcmp(r->s3->secret_key, "s") == 0, "a bucket");
	ok(r != NULL && r->s3->parts == 3 && r->s3->part_size == 6 << 20 &&
	    r->s3->lock_days == 14 &&
	    strcmp(r->s3->lock_mode, "COMPLIANCE") == 0,
	    "its parts and its lock");
	conf_free(conf);
	conf = conf_parse_env("env", env, strlen(env));
	r = conf == NULL ? NULL : conf_remote(conf, "s3");
	ok(r != NULL && r->kind == REMOTE_S3 &&
	    strcmp(r->url, "http://h:1") == 0 &&
	    strcmp(r->s3->session_token, "t") == 0 &&
	    strcmp(r->s3->secret_key, "s") == 0,
	    "a bucket of the environment file");
	conf_free(conf);
}

static void
test_parse(void)
{
	struct conf	*conf;

	conf = parse("database \"a\" { path \"/a\" user id 42 }\n");
	ok(conf != NULL && conf_database(conf, "a")->user.kind ==
	    USER_NUMBER && strcmp(conf_database(conf, "a")->user.id, "42") ==
	    0, "a user id that is a number");
	conf_free(conf);
	conf = parse("database \"a\" { path \"/a\" user id \"42\" }\n");
	ok(conf != NULL && conf_database(conf, "a")->user.kind == USER_TEXT,
	    "a user id that is text");
	conf_free(conf);
	conf = parse("database \"a\" { path \"/a\" }\nremote \"r\" { rest "
	    "\"http://h\" api key \"secret\" }\n");
	ok(conf != NULL && strcmp(conf_remote(conf, "r")->api_key,
	    "secret") == 0, "an inline key is kept");
	conf_free(conf);
	conf = conf_parse_env("env", "DATABASE_URL=~/x.db\nPORT=8", 26);
	ok(conf != NULL && strcmp(conf_database(conf, "x")->path,
	    at("x.db")) == 0, "a path below HOME from an environment file");
	ok(conf != NULL && TAILQ_FIRST(&conf->listens)->is_default &&
	    TAILQ_FIRST(&conf->listens)->port == 8,
	    "PORT names no address: still the default ones");
	conf_free(conf);
	quiet();
	conf = conf_parse_env("env", "A=\0B", 4);
	ok(conf == NULL && strstr(loud(), "NUL") != NULL,
	    "an environment file with a NUL byte");
	quiet();
	conf = parse("remote \"r\" { rest \"http://h\"\napi key s3cret\n"
	    "api s3cret\napi key \"s3cret\" \"s3cret\"\n"
	    "rest https://u:s3cret@h\nrest \"https://u:s3cret@h\"\n"
	    "secret key s3cret\naccess s3cret\ndelete secret key s3cret }\n"
	    "notify s3cret on failure\nheartbeat \"http://u:s3cret@h\"\n"
	    "database \"x\" { encrypt to \"AGE-SECRET-KEY-1s3cret\" }\n");
	ok(conf == NULL && strstr(loud(), "s3cret") == NULL,
	    "messages do not show secrets");
}

int
main(void)
{
	char	command[64];

	log_init("conf_test", 1, 0);
	if (mkdtemp(dir) == NULL)
		fatal("mkdtemp");
	(void)umask(022);
	(void)setenv("HOME", dir, 1);
	test_lex();
	test_quantities();
	test_urls();
	test_hooks();
	test_paths();
	test_nearest();
	test_keys();
	test_owner();
	test_resolve();
	test_finish();
	test_listen();
	test_parse();
	test_life();
	test_s3();
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		printf("# %s is left behind\n", dir);
	return (tap_end());
}
