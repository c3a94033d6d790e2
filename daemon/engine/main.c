/*
 * cloudbackupd: options, configuration, and into the background.  What can
 * fail for a reason that the administrator must see fails here, before the
 * terminal is let go.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/service.h"
#include "common/try.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/token.h"

struct options {
	const char	*conf_file, *env_file, *token, *key_file;
	int		 foreground, check_only, verbose, key;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: cloudbackupd [-dnv] [-e file | -f file] [-T token]\n"
	    "       cloudbackupd -K [-e file | -f file] [keyfile]\n");
	exit(1);
}

static void
options_parse(struct options *o, int argc, char *argv[])
{
	int	ch;

	memset(o, 0, sizeof(*o));
	while ((ch = getopt(argc, argv, "de:f:KnT:v" TRY_OPTION)) != -1) {
		switch (ch) {
		case 'd':
			o->foreground = 1;
			break;
		case 'e':
			o->env_file = optarg;
			break;
		case 'f':
			o->conf_file = optarg;
			break;
		case 'K':
			o->key = 1;
			break;
		case 'n':
			o->check_only = 1;
			break;
		case 'T':
			o->token = optarg;
			break;
		case 'v':
			o->verbose = 1;
			break;
		TRY_CASE
		default:
			usage();
		}
	}
	if (o->key && argc - optind == 1)
		o->key_file = argv[optind++];
	if (argc != optind || (o->key && (o->token != NULL ||
	    o->check_only || o->foreground)) ||
	    (o->conf_file != NULL && o->env_file != NULL) ||
	    (o->token != NULL && (o->check_only || o->foreground)))
		usage();
}

static struct conf *
configuration(const struct options *o)
{
	const char	*file = o->conf_file != NULL ? o->conf_file :
			    CONF_FILE_DEFAULT;
	struct conf	*conf;

	if (o->env_file != NULL)
		file = o->env_file;
	conf = o->env_file != NULL ? conf_load_env(file) :
	    conf_load_file(file, 1);
	if (conf == NULL)
		return (NULL);
	conf->is_env = o->env_file != NULL;
	/* Absolute, to be read again; but links in it are followed anew. */
	conf->source = file[0] == '/' ? xstrdup(file) : realpath(file, NULL);
	if (conf->source == NULL)
		fatal("%s", file);
	return (conf);
}

/* Descriptors 0 to 2 must be there, or a database would get their place. */
static void
descriptors_sane(void)
{
	int	fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			fatal("/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
	closefrom(STDERR_FILENO + 1);
}

int
main(int argc, char *argv[])
{
	struct options	 o;
	struct conf	*conf;
	struct store	*store;
	char		 err[TEXT_BYTES];
	int		 status;

	descriptors_sane();
	/* A file that may grow no more is an error, which is told. */
	(void)signal(SIGXFSZ, SIG_IGN);
	options_parse(&o, argc, argv);
	log_init("engine", 1, o.verbose);
	if ((conf = configuration(&o)) == NULL)
		return (1);
	if (tls_check(conf) == -1) {
		conf_free(conf);
		return (1);
	}
	if (o.check_only) {
		if (o.verbose)
			conf_print(conf, stdout);
		else
			printf("configuration OK\n");
		conf_free(conf);
		return (0);
	}
	umask(0077);
	service_init();
	if (o.token != NULL) {
		status = token_command(conf, o.token);
		conf_free(conf);
		return (status);
	}
	if (o.key) {
		status = key_command(conf, o.key_file);
		conf_free(conf);
		return (status);
	}
	spawn_check();
	conf_resolve(conf);
	if ((store = store_open(conf->backup_dir, err)) == NULL)
		fatalx("%s", err);
	if (!o.foreground) {
		if (daemon(0, 0) == -1)
			fatal("daemon");
		log_init("engine", 0, o.verbose);
	}
	status = engine_run(conf, store, o.foreground, o.verbose);
	store_close(store);
	conf_free(conf);
	return (status);
}
