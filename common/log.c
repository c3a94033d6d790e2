/*
 * Every program runs this.  It owns the process's name in the log and the
 * choice between standard error and syslog; nothing else.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"

#define LINE_BYTES	2048

static const char	*log_name = "cloudbackupd";
static int		 log_stderr = 1;
static int		 log_verbose;
static int		 log_journal;	/* stderr goes to systemd's journal */

/* JOURNAL_STREAM=DEVICE:INODE, of the stream that is the journal's. */
static int
is_journal(int fd)
{
	const char		*text = getenv("JOURNAL_STREAM");
	unsigned long long	 dev, ino;
	struct stat		 st;

	return (text != NULL && sscanf(text, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(fd, &st) == 0 && (unsigned long long)st.st_dev == dev &&
	    (unsigned long long)st.st_ino == ino);
}

void
log_init(const char *name, int to_stderr, int verbose)
{
	log_name = name;
	log_stderr = to_stderr;
	log_verbose = verbose;
	log_journal = to_stderr && is_journal(STDERR_FILENO);
	if (to_stderr)
		return;
	openlog("cloudbackupd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	/* syslog(3) writes local time; /etc is soon out of sight. */
	tzset();
}

static void
log_line(int priority, int saved_errno, const char *fmt, va_list ap)
{
	char	raw[LINE_BYTES], safe[LINE_BYTES * 4 + 1];
	size_t	used;
	int	n;

	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	if (n < 0)
		return;
	used = strlen(raw);
	if (saved_errno != 0 && used < sizeof(raw))
		snprintf(raw + used, sizeof(raw) - used, ": %s",
		    strerror(saved_errno));
	/* VIS_NOSLASH: a backslash in a path is shown as it is. */
	cb_strvis(safe, sizeof(safe), raw);
	if (log_journal)
		dprintf(STDERR_FILENO, "<%d>%s: %s\n", priority, log_name,
		    safe);
	else if (log_stderr)
		dprintf(STDERR_FILENO, "%s: %s\n", log_name, safe);
	else
		syslog(priority, "%s: %s", log_name, safe);
}

void
log_set_verbose(int verbose)
{
	log_verbose = verbose;
}

void
log_warn(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	ap;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	log_line(LOG_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, saved, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, 0, fmt, ap);
	va_end(ap);
	exit(1);
}
