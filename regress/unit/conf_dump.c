/*
 * conf_dump [-c] -f FILE | -e FILE: loads a configuration as the engine
 * does and prints it, or exits with 1.  -c checks who owns the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/engine/conf.h"

int
main(int argc, char *argv[])
{
	struct conf	*conf = NULL;
	const char	*file = NULL, *env = NULL;
	int		 ch, check = 0;

	while ((ch = getopt(argc, argv, "ce:f:")) != -1) {
		if (ch == 'c')
			check = 1;
		else if (ch == 'e')
			env = optarg;
		else if (ch == 'f')
			file = optarg;
		else
			return (2);
	}
	log_init("conf_dump", 1, 0);
	if (env != NULL)
		conf = conf_load_env(env);
	else if (file != NULL)
		conf = conf_load_file(file, check);
	if (conf == NULL)
		return (1);
	conf_print(conf, stdout);
	conf_free(conf);
	return (0);
}
