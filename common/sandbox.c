/*
 * Every process runs this when it has done all that needs rights.  It owns
 * the process's mode and the line of the log that says what holds; the
 * rules are those of sandbox_SYSTEM.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/try.h"

#ifndef __has_feature
#define __has_feature(x)	0
#endif

/* The address sanitizer makes calls of its own. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZED	1
#else
#define SANITIZED	0
#endif

static const char *const	mode_names[] = {
	[SANDBOX_ON] = "on",
	[SANDBOX_REQUIRED] = "required",
	[SANDBOX_LOG] = "log",
};

static enum sandbox_mode	mode;

int
sandbox_mode_parse(const char *name, enum sandbox_mode *m)
{
	size_t	i;

	for (i = 0; i < nitems(mode_names); i++) {
		if (strcmp(mode_names[i], name) == 0) {
			*m = (enum sandbox_mode)i;
			return (0);
		}
	}
	return (-1);
}

const char *
sandbox_mode_name(enum sandbox_mode m)
{
	return (mode_names[m]);
}

void
sandbox_mode_set(enum sandbox_mode m)
{
	mode = m;
}

void
sandbox_tell(struct sandbox_state *s, const char *fmt, ...)
{
	size_t	used = strlen(s->text);
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(s->text + used, sizeof(s->text) - used, fmt, ap);
	va_end(ap);
}

static void
report(enum sandbox_step step, const struct sandbox_state *s,
    const char *root)
{
	int	missing = s->wanted & ~s->layers;

	/* The engine has said for all what this system does not have. */
	if (step == SANDBOX_OWNER || step == SANDBOX_CHECK ||
	    step == SANDBOX_LOOKER) {
		log_debug("confined: uid %u%s", (unsigned int)geteuid(),
		    s->text);
		return;
	}
	log_info("confined: uid %u%s%s%s", (unsigned int)geteuid(),
	    root != NULL ? ", root " : "", root != NULL ? root : "", s->text);
	if (missing & SANDBOX_FILES)
		log_warnx("this system cannot confine which files a process "
		    "names");
	if (missing & SANDBOX_CALLS)
		log_warnx("this system cannot confine which calls a process "
		    "makes");
}

int
sandbox_enter(enum sandbox_step step, const struct sandbox_path *paths,
    size_t n, const char *root)
{
	struct sandbox_state	s;

	memset(&s, 0, sizeof(s));
	if (sandbox_system(step, SANITIZED || mode == SANDBOX_LOG, paths, n,
	    &s) == -1)
		return (-1);
	report(step, &s, root);
	if (mode == SANDBOX_REQUIRED && (s.wanted & ~s.layers) != 0) {
		errno = ENOTSUP;
		return (-1);
	}
#ifdef TRY_WALLS
	try_walls(step);
#endif
	return (s.layers);
}
