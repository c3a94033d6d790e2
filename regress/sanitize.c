/*
 * Linked into the programs of a sanitizer build, which take no variables
 * from the environment.  Leaks are looked for by the unit programs: a
 * process that gave up its rights cannot look at itself.
 */
const char	*__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:abort_on_error=1:disable_coredump=1");
}
