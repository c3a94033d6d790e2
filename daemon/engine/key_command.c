/*
 * cloudbackupd -K runs this, beside a daemon or without one: the key that
 * makes backups in buckets ours (H21) is printed for safe-keeping, or
 * brought to a new machine before its first start.
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/engine.h"

static int
key_print(const struct conf *conf)
{
	char	text[STORE_KEY_TEXT], err[TEXT_BYTES];

	if (store_key_text(conf->backup_dir, text, err) == -1) {
		log_warnx("%s", err);
		return (1);
	}
	if (printf("%s\n", text) < 0 || fflush(stdout) == EOF)
		fatal("standard output");
	explicit_bzero(text, sizeof(text));
	fprintf(stderr, "keep this in a safe place: without it nothing proves "
	    "on a new machine that\nbackups in a bucket are yours\n");
	return (0);
}

int
key_command(const struct conf *conf, const char *file)
{
	char	*text, why[CONF_WHY_BYTES], err[TEXT_BYTES];
	int	 r;

	if (file == NULL)
		return (key_print(conf));
	if ((text = conf_file_key(file, why)) == NULL) {
		log_warnx("%s %s", file, why);
		return (1);
	}
	r = store_key_install(conf->backup_dir, text, err);
	conf_wipe(text);
	if (r == -1) {
		log_warnx("%s", err);
		return (1);
	}
	printf("the key is installed\n");
	return (0);
}
