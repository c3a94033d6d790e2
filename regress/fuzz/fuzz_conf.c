/*
 * Configurations from memory.  The first byte says which kind: "E" is an
 * environment file, anything else a file in our grammar.  What was
 * accepted must print as something that is read back to the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/conf_int.h"

int	LLVMFuzzerInitialize(int *, char ***);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* Our messages only: sanitizers write to the descriptor. */
	if ((stderr = fopen("/dev/null", "w")) == NULL ||
	    setenv("HOME", "/home/fuzz", 1) == -1)
		abort();
	return (0);
}

static char *
print(struct conf *conf, size_t *n)
{
	FILE	*f;
	char	*text = NULL;

	if ((f = open_memstream(&text, n)) == NULL)
		abort();
	conf_print(conf, f);
	if (fclose(f) != 0)
		abort();
	conf_free(conf);
	return (text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf	*conf;
	const char	*text = (const char *)data;
	char		*once, *twice;
	size_t		 once_n, twice_n;

	if (size == 0)
		return (0);
	/* It includes files and reads keys: not the kernel's. */
	if (memmem(data, size, "/proc", 5) != NULL ||
	    memmem(data, size, "/sys", 4) != NULL ||
	    memmem(data, size, "/dev", 4) != NULL)
		return (0);
	if (text[0] == 'E')
		conf = conf_parse_env("fuzz", text + 1, size - 1);
	else
		conf = conf_parse_text("fuzz", text + 1, size - 1);
	if (conf == NULL)
		return (0);
	once = print(conf, &once_n);
	if ((conf = conf_parse_text("printed", once, once_n)) == NULL)
		abort();
	twice = print(conf, &twice_n);
	if (once_n != twice_n || memcmp(once, twice, once_n) != 0)
		abort();
	free(once);
	free(twice);
	return (0);
}
