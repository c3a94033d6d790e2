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
conf_print_size(FILE *f, uint64_t bytes)
{
	print_scaled(f, bytes, sizes);
}

/* "0s": a time has a unit, also none. */
void
conf_print_time(FILE *f, uint64_t ms)
{
	print_scaled(f, ms, times);
	if (ms == 0)
		fputc('s', f);
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
	conf_print_time(f, ms);
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

void
conf_print_listen(const struct conf_listen *l, FILE *f)
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

/* A secret's file, or that there is one. */
static void
print_secret(FILE *f, const char *what, const char *file, const char *secret)
{
	if (file != NULL) {
		fprintf(f, "\t%s file", what);
		print_line(f, " ", file);
	} else if (secret != NULL)
		fprintf(f, "\t%s \"***\"\n", what);
}

static void
print_s3(const struct conf_remote *r, FILE *f)
{
	const struct conf_s3	*s = r->s3;

	conf_print_text(f, " {\n\ts3 bucket ", s->bucket);
	if (s->prefix[0] != '\0')
		conf_print_text(f, " prefix ", s->prefix);
	conf_print_text(f, " region ", s->region);
	conf_print_text(f, " endpoint ", r->url);
	fputs(s->virtual_host ? " virtual-host\n" : " path-style\n", f);
	print_secret(f, "access key", s->access_key_file, s->access_key);
	print_secret(f, "secret key", s->secret_key_file, s->secret_key);
	if (s->delete_access_key == NULL)
		fprintf(f, "\tdelete %s\n", s->may_delete ? "yes" : "no");
	print_secret(f, "delete access key", s->delete_access_file,
	    s->delete_access_key);
	print_secret(f, "delete secret key", s->delete_secret_file,
	    s->delete_secret_key);
	if (s->storage_class != NULL)
		print_line(f, "\tstorage class ", s->storage_class);
	if (s->sse != NULL)
		conf_print_text(f, "\tencryption ", s->sse);
	if (s->sse_key_id != NULL)
		conf_print_text(f, " key ", s->sse_key_id);
	fputs(s->sse != NULL ? "\n" : "", f);
	if (s->lock_mode != NULL)
		fprintf(f, "\tobject lock %s for %ud\n",
		    s->lock_mode[0] == 'G' ? "governance" : "compliance",
		    s->lock_days);
	fprintf(f, "\tparts %u\n\tpart size ", s->parts);
	print_scaled(f, s->part_size, sizes);
	fputc('\n', f);
}

void
conf_print_remote(const struct conf_remote *r, FILE *f)
{
	conf_print_text(f, "\nremote ", r->name);
	if (r->kind == REMOTE_S3)
		print_s3(r, f);
	else {
		print_line(f, " {\n\trest ", r->url);
		print_secret(f, "api key", r->api_key_file, r->api_key);
	}
	print_time(f, "\ttimeout ", r->timeout_ms, "\n");
	print_time(f, "\tretry from ", r->retry_min_ms, "");
	print_time(f, " to ", r->retry_max_ms, "\n");
	fputs("\tupload limit ", f);
	print_scaled(f, r->upload_limit, sizes);
	fprintf(f, "\n\tconfirm %s\n}\n", conf_confirm_name(r->confirm));
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

void
conf_print_database(const struct conf_database *db, FILE *f)
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
	conf_life_print(db, f);
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
		conf_print_listen(l, f);
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
	if (conf->log_access)
		fputs("log access\n", f);
	fputs("reserve ", f);
	print_scaled(f, conf->reserve, sizes);
	fprintf(f, "\nconnections %u\nsandbox %s\n", conf->connections_max,
	    sandbox_names[conf->sandbox]);
	conf_allow_print(conf, f);
	conf_notify_print(conf, f);
	TAILQ_FOREACH(r, &conf->remotes, entry)
		conf_print_remote(r, f);
	TAILQ_FOREACH(db, &conf->databases, entry)
		conf_print_database(db, f);
}
