/*
 * The engine runs this, before anything is dropped.  What the values in a
 * configuration file mean and which are allowed; an error names the token
 * it is about, and never shows a secret.
 */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_set.h"

void
set_error(struct lex *lex, const struct lex_token *tok, const char *what,
    const char *why)
{
	lex_error(lex, tok, "%s \"%s\" %s", what, tok->text, why);
}

void
set_account(struct lex *lex, const struct lex_token *tok, const char *what,
    char **dst)
{
	const char	*why;

	if ((why = conf_why_account(tok->text)) != NULL) {
		set_error(lex, tok, what, why);
		return;
	}
	free(*dst);
	*dst = xstrdup(tok->text);
}

void
set_backup_dir(struct lex *lex, struct conf *conf, const struct lex_token *tok)
{
	const char	*why;
	char		*path;

	path = conf_path_directory(tok->text, CONF_BACKUP_DIR_MAX, &why);
	if (path == NULL) {
		set_error(lex, tok, "backup directory", why);
		return;
	}
	free(conf->backup_dir);
	conf->backup_dir = path;
}

void
set_license(struct lex *lex, struct conf *conf, const struct lex_token *file,
    const struct lex_token *key)
{
	const char	*why;

	conf->license_file = conf_path_file(file->text, PATH_BYTES, &why);
	if (conf->license_file == NULL)
		set_error(lex, file, "license", why);
	conf->license_key = conf_path_file(key->text, PATH_BYTES, &why);
	if (conf->license_key == NULL)
		set_error(lex, key, "key", why);
}

void
set_size(struct lex *lex, const struct lex_token *tok, const char *what,
    uint64_t *dst)
{
	if (conf_parse_size(tok->text, dst) == -1)
		set_error(lex, tok, what, "is not a size; expected bytes, or a "
		    "number with k, m, g or t, as in 64m");
}

void
set_time(struct lex *lex, const struct lex_token *tok, const char *what,
    const char *most, uint32_t *dst)
{
	uint64_t	ms = 0;

	set_span(lex, tok, what, "1ms", most, &ms);
	if (ms != 0)
		*dst = (uint32_t)ms;
}

void
set_connections(struct lex *lex, struct conf *conf, const struct lex_token *tok)
{
	const char	*why;
	long long	 n;

	n = strtonum(conf_why_number(tok->text) == NULL ? tok->text : "",
	    8, 4096, &why);
	if (why != NULL)
		set_error(lex, tok, "connections", "is not a number from 8 to "
		    "4096");
	else
		conf->connections_max = (uint32_t)n;
}

void
set_sandbox(struct lex *lex, struct conf *conf, const struct lex_token *tok)
{
	if (strcmp(tok->text, "on") == 0)
		conf->sandbox = SANDBOX_ON;
	else if (strcmp(tok->text, "required") == 0)
		conf->sandbox = SANDBOX_REQUIRED;
	else if (strcmp(tok->text, "log") == 0)
		conf->sandbox = SANDBOX_LOG;
	else
		set_error(lex, tok, "sandbox", "is not one of on, required, "
		    "log");
}

void
set_path(struct lex *lex, struct conf_database *db, const struct lex_token *tok)
{
	const char	*why;

	db->path = conf_path_database(tok->text, &db->is_glob, &why);
	if (db->path == NULL)
		set_error(lex, tok, "path", why);
}

void
set_user(struct lex *lex, struct conf_database *db, const struct lex_token *tok,
    enum user_kind kind)
{
	const char	*why;

	why = kind == USER_NUMBER ? conf_why_number(tok->text) :
	    conf_why_id(tok->text);
	if (why != NULL) {
		set_error(lex, tok, "user id", why);
		return;
	}
	db->user.kind = kind;
	(void)util_copy(db->user.id, tok->text);
}

void
set_device(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	const char	*why;

	if ((why = conf_why_id(tok->text)) != NULL)
		set_error(lex, tok, "device id", why);
	else
		db->device_id = xstrdup(tok->text);
}

void
set_verify(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	if (strcmp(tok->text, "none") == 0)
		db->verify = VERIFY_NONE;
	else if (strcmp(tok->text, "quick") == 0)
		db->verify = VERIFY_QUICK;
	else if (strcmp(tok->text, "full") == 0)
		db->verify = VERIFY_FULL;
	else
		set_error(lex, tok, "verify", "is not one of none, quick, "
		    "full");
}

void
set_capture(struct lex *lex, struct conf_database *db,
    const struct lex_token *tok)
{
	if (strcmp(tok->text, "raw") == 0)
		db->capture = CAPTURE_RAW;
	else if (strcmp(tok->text, "backup") == 0)
		db->capture = CAPTURE_BACKUP;
	else
		set_error(lex, tok, "capture", "is not one of raw, backup");
}

struct conf_listen *
set_listen_tcp(struct lex *lex, struct conf *conf,
    const struct lex_token *address, const struct lex_token *port)
{
	struct conf_listen	*l;
	const char		*why;
	char			*canon;
	uint16_t		 n;

	if ((canon = conf_address(address->text, &why)) == NULL)
		set_error(lex, address, "address", why);
	n = (uint16_t)strtonum(conf_why_number(port->text) == NULL ?
	    port->text : "", 1, 65535, &why);
	if (why != NULL)
		set_error(lex, port, "port", "is not a number from 1 to 65535");
	if (canon == NULL || why != NULL) {
		free(canon);
		return (NULL);
	}
	l = conf_listen_new(conf, LISTEN_TCP);
	l->address = canon;
	l->port = n;
	return (l);
}

static void
set_tls_file(struct lex *lex, const struct lex_token *tok, const char *what,
    char **dst)
{
	const char	*why;

	if ((*dst = conf_path_file(tok->text, PATH_BYTES, &why)) == NULL)
		set_error(lex, tok, what, why);
}

void
set_listen_tls(struct lex *lex, struct conf_listen *l,
    const struct lex_token *certificate, const struct lex_token *key)
{
	if (l == NULL)
		return;
	set_tls_file(lex, certificate, "certificate", &l->tls_certificate);
	set_tls_file(lex, key, "key", &l->tls_key);
}

void
set_listen_ca(struct lex *lex, struct conf_listen *l,
    const struct lex_token *ca, int required)
{
	if (l == NULL)
		return;
	set_tls_file(lex, ca, "client ca", &l->tls_client_ca);
	l->tls_required = required;
}

struct conf_listen *
set_listen_unix(struct lex *lex, struct conf *conf,
    const struct lex_token *path)
{
	struct conf_listen	*l;
	const char		*why;

	l = conf_listen_new(conf, LISTEN_UNIX);
	/* The shortest sun_path among our systems is 104 bytes. */
	if ((l->path = conf_path_file(path->text, 103, &why)) == NULL)
		set_error(lex, path, "socket", why);
	return (l);
}

void
set_listen_mode(struct lex *lex, struct conf_listen *l,
    const struct lex_token *tok)
{
	char		*end;
	unsigned long	 mode;

	mode = strtoul(tok->text, &end, 8);
	if (tok->text[0] < '0' || tok->text[0] > '7' || *end != '\0' ||
	    mode > 0777)
		set_error(lex, tok, "mode", "is not an octal number from 0 to "
		    "0777");
	else
		l->mode = (uint32_t)mode;
}


/* ---- who is told ---- */

struct conf_notify *
set_notify(struct lex *lex, struct conf *conf, const struct lex_token *url)
{
	struct conf_notify	*n;
	const char		*why;
	char			*text;
	uint32_t		 count = 0;

	TAILQ_FOREACH(n, &conf->notifies, entry)
		count++;
	/* It is a secret: who knows it can post there. */
	if ((text = conf_url_hook(url->text, &why)) == NULL)
		lex_error(lex, url, "the URL %s", why);
	else if (count == CONF_NOTIFIES_MAX)
		lex_error(lex, url, "more than %d of notify and heartbeat",
		    CONF_NOTIFIES_MAX);
	n = xcalloc(1, sizeof(*n));
	n->url = text;
	n->every_ms = 5 * 60 * 1000;
	TAILQ_INSERT_TAIL(&conf->notifies, n, entry);
	return (n);
}

void
set_notify_event(struct lex *lex, struct conf_notify *n,
    const struct lex_token *tok)
{
	uint32_t	event = 0;

	if (strcmp(tok->text, "failure") == 0)
		event = NOTIFY_FAILURE;
	else if (strcmp(tok->text, "success") == 0)
		event = NOTIFY_SUCCESS;
	if (event == 0)
		set_error(lex, tok, "notify on", "is not one of failure, "
		    "success");
	else if (n->events & event)
		set_error(lex, tok, "notify on", "was given already");
	n->events |= event;
}
