/*
 * The engine runs this, before anything is dropped.  It reads small files
 * that must be trusted: configurations, what they include, keys.  It must
 * not block on what is no regular file.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"

void
conf_wipe(char *s)
{
	if (s != NULL)
		freezero(s, strlen(s));
}

void
conf_text_free(struct conf_text *t)
{
	if (t->data != NULL)
		freezero(t->data, t->size);
	t->data = NULL;
}

/* 0, or -1 and why. */
static int
file_trusted(const struct stat *st, int flags, char *why)
{
	const char	*reason = NULL;

	if (!S_ISREG(st->st_mode))
		reason = "is not a regular file";
	else if (flags != 0 && st->st_uid != 0 && st->st_uid != geteuid())
		reason = "must be owned by root or by who starts the daemon";
	else if (flags & CONF_FILE_SECRET && st->st_mode & 077)
		reason = "holds a secret: only its owner may have access; "
		    "chmod 600";
	else if (flags & CONF_FILE_OWNER && st->st_mode & 022)
		reason = "can be written by its group or by others; "
		    "chmod go-w";
	if (reason == NULL)
		return (0);
	strlcpy(why, reason, CONF_WHY_BYTES);
	return (-1);
}

static int
file_slurp(int fd, size_t max, struct conf_text *t, char *why)
{
	ssize_t	n;

	t->data = xmalloc(max + 1);
	while (t->size <= max) {
		n = read(fd, t->data + t->size, max + 1 - t->size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			snprintf(why, CONF_WHY_BYTES, "cannot be read: %s",
			    strerror(errno));
			return (-1);
		}
		if (n == 0) {
			t->data[t->size] = '\0';
			return (0);
		}
		t->size += (size_t)n;
	}
	snprintf(why, CONF_WHY_BYTES, "is larger than %zu bytes", max);
	return (-1);
}

int
conf_file_read(const char *path, int flags, size_t max, struct conf_text *t,
    char why[CONF_WHY_BYTES])
{
	struct stat	st;
	int		fd, result = -1;

	memset(t, 0, sizeof(*t));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1)
		snprintf(why, CONF_WHY_BYTES, "cannot be opened: %s",
		    strerror(errno));
	else if (file_trusted(&st, flags, why) == 0) {
		t->mode = st.st_mode;
		t->dev = st.st_dev;
		t->ino = st.st_ino;
		result = file_slurp(fd, max, t, why);
	}
	if (fd != -1)
		(void)close(fd);
	if (result == -1)
		conf_text_free(t);
	return (result);
}

char *
conf_file_key(const char *path, char why[CONF_WHY_BYTES])
{
	struct conf_text	 t;
	const char		*reason = NULL;
	char			*key = NULL;

	/* Two more than a secret may have: the newline at its end. */
	if (conf_file_read(path, CONF_FILE_OWNER | CONF_FILE_SECRET,
	    SECRET_BYTES + 1, &t, why) == -1)
		return (NULL);
	while (t.size > 0 && (t.data[t.size - 1] == '\n' ||
	    t.data[t.size - 1] == '\r'))
		t.data[--t.size] = '\0';
	if (strlen(t.data) != t.size)
		reason = "must not hold NUL bytes";
	else
		reason = conf_why_key(t.data);
	if (reason == NULL)
		key = xstrdup(t.data);
	else
		strlcpy(why, reason, CONF_WHY_BYTES);
	conf_text_free(&t);
	return (key);
}
