/*
 * Logging for all programs.  One line an event: what, then where it
 * helps "key=value".  Text that came from outside is escaped with vis(3)
 * before it is written, so that nobody can forge a line.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>

/*
 * log_init: name is this process's name in each line ("engine", "front").
 * to_stderr: write to standard error; otherwise to syslog's daemon facility.
 * Lines to systemd's journal (JOURNAL_STREAM) begin with their priority.
 * verbose: 0 leaves log_debug() lines out.
 */
void	log_init(const char *name, int to_stderr, int verbose);

/* From now on. */
void	log_set_verbose(int verbose);

void	log_warn(const char *, ...)	/* adds ": strerror(errno)" */
	    __attribute__((__format__ (printf, 1, 2)));
void	log_warnx(const char *, ...)
	    __attribute__((__format__ (printf, 1, 2)));
void	log_info(const char *, ...)
	    __attribute__((__format__ (printf, 1, 2)));
void	log_debug(const char *, ...)
	    __attribute__((__format__ (printf, 1, 2)));

/* fatal adds ": strerror(errno)", fatalx does not.  Both exit with 1. */
void	fatal(const char *, ...)
	    __attribute__((__noreturn__, __format__ (printf, 1, 2)));
void	fatalx(const char *, ...)
	    __attribute__((__noreturn__, __format__ (printf, 1, 2)));

#endif
