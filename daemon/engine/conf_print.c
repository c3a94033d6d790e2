/*
 * The engine runs this for -nv.  It writes a configuration in our grammar
 * with every default spelled out; secrets that stood in the file do not
 * leave the process.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/engine/conf_int.h"

struct scale {
	const char	*unit;
	uint64_t	 one;
};

static const struct scale sizes[] = {
	{ "t",	1ULL << 40 },
	{ "g",	1ULL << 30 },
	{ "m",	1ULL << 20 },
	{ "k",	1ULL << 10 },
	{ "",	1 },
};

static const struct scale times[] = {
	{ "d",	24 * 60 * 60 * 1000 },
	{ "h",	60 * 60 * 1000 },
	{ "m",	60 * 1000 },
	{ "s",	1000 },
	{ "ms",	1 },
};

static const char *const verify_names[] = {
	[VERIFY_NONE] = "none",
	[VERIFY_QUICK] = "quick",
	[VERIFY_FULL] = "full",
};

static const char *const sandbox_names[] = {
	[SANDBOX_ON] = "on",
	[SANDBOX_REQUIRED] = "required",
	[SANDBOX_LOG] = "log",
};

/* In the largest unit that loses nothing. */
static void
print_scaled(FILE *f, uint64_t v, const struct scale *s)
{
	if (v != 0)
		while (v % s->one != 0)
			s++;
	fprintf(f, "%" PRIu64 "%s", v / s->one, v == 0 ? "" : s->unit);
}

void
conf_print_text(FILE *f, const char *before, const char *s)
{
	fprintf(f, "%s\"", before);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void
print_line(FILE *f, const char *before, const char *s)
{
	conf_print_text(f, before, s);
	fputc('\n', f);
}

static void
print_time(FILE *f, const char *before, uint64_t ms, const char *after)
{
	fputs(before, f);
	print_scaled(f, ms, times);
	fputs(after, f);
}

static void
print_tls(const struct conf_listen *l, FILE *f)
{
	if (l->plaintext)
		fputs(" plaintext", f);
	if (l->tls_certificate != NULL) {
		conf_print_text(f, " tls certificate ", l->tls_certificate);
		conf_print_text(f, " key ", l->tls_key);
	}
	if (l->tls_client_ca != NULL)
		conf_print_text(f, " client ca ", l->tls_client_ca);
	fputs(l->tls_required ? " required\n" : "\n", f);
}

static void
print_listen(const struct conf_listen *l, FILE *f)
{
	if (l->kind == LISTEN_TCP) {
		fprintf(f, "listen on %s port %u", l->address, l->port);
		print_tls(l, f);
		return;
	}
	conf_print_text(f, "listen on socket ", l->path);
	fprintf(f, " mode 0%o", l->mode);
	if (l->group != NULL)
		conf_print_text(f, " group ", l->group);
	fputc('\n', f);
}

static void
print_remote(const struct conf_remote *r, FILE *f)
{
	conf_print_text(f, "\nremote ", r->name);
	print_line(f, " {\n\trest ", r->url);
	if (r->api_key_file != NULL)
		print_line(f, "\tapi key file ", r->api_key_file);
	else if (r->api_key != NULL)
		print_line(f, "\tapi key ", "***");
	print_time(f, "\ttimeout ", r->timeout_ms, "\n");
	print_time(f, "\tretry from ", r->retry_min_ms, "");
	print_time(f, " to ", r->retry_max_ms, "\n}\n");
}

static void
print_targets(const struct conf_database *db, FILE *f)
{
	const struct conf_target	*t;
	const char			*before = "\tto ";

	if (TAILQ_EMPTY(&db->targets))
		return;
	TAILQ_FOREACH(t, &db->targets, entry) {
		conf_print_text(f, before, t->remote->name);
		before = ", ";
	}
	fputc('\n', f);
}

static void
print_database(const struct conf_database *db, FILE *f)
{
	conf_print_text(f, "\ndatabase ", db->name);
	print_line(f, " {\n\tpath ", db->path);
	if (db->user.kind == USER_TEXT)
		print_line(f, "\tuser id ", db->user.id);
	else if (db->user.kind == USER_NUMBER)
		fprintf(f, "\tuser id %s\n", db->user.id);
	if (db->device_id != NULL)
		print_line(f, "\tdevice id ", db->device_id);
	print_time(f, "\tlock timeout ", db->lock_timeout_ms, "\n");
	print_time(f, "\tlock limit ", db->lock_limit_ms, "\n");
	fputs("\tsize limit ", f);
	print_scaled(f, db->size_limit, sizes);
	fprintf(f, "\n\tverify %s\n\tcapture %s\n", verify_names[db->verify],
	    db->capture == CAPTURE_RAW ? "raw" : "backup");
	print_targets(db, f);
	if (db->unsafe_filesystem)
		fputs("\tunsafe-filesystem\n", f);
	fputs("}\n", f);
}

void
conf_print(const struct conf *conf, FILE *f)
{
	const struct conf_listen	*l;
	const struct conf_remote	*r;
	const struct conf_database	*db;

	TAILQ_FOREACH(l, &conf->listens, entry)
		print_listen(l, f);
	print_line(f, "user front ", conf->user_front);
	print_line(f, "user network ", conf->user_network);
	if (conf->user_verify != NULL)
		print_line(f, "user verify ", conf->user_verify);
	print_line(f, "backup directory ", conf->backup_dir);
	if (conf->license_file != NULL) {
		conf_print_text(f, "license ", conf->license_file);
		print_line(f, " key ", conf->license_key);
	}
	if (conf->compat_node)
		fputs("compat node\n", f);
	fputs("reserve ", f);
	print_scaled(f, conf->reserve, sizes);
	fprintf(f, "\nconnections %u\nsandbox %s\n", conf->connections_max,
	    sandbox_names[conf->sandbox]);
	conf_allow_print(conf, f);
	TAILQ_FOREACH(r, &conf->remotes, entry)
		print_remote(r, f);
	TAILQ_FOREACH(db, &conf->databases, entry)
		print_database(db, f);
}
