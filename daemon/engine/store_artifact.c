/*
 * The life of an artifact: made under a temporary name, settled, given
 * its name, opened again.  Run by the engine.  Must not hand out a
 * descriptor that can write but that of store_create.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/lease.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"
#include "proto/errors.h"
#include "proto/form.h"

#define READ_FLAGS	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define SETTLE_US	1000000
#define SETTLE_STEP_NS	5000000

int
store_starved(void)
{
	return (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
}

static uint32_t
code_of(int error)
{
	errno = error;
	if (store_starved())
		return (E_BUSY);
	return (error == ENOSPC || error == EDQUOT ? E_INSUFFICIENT_SPACE :
	    E_IO_ERROR);
}

int
store_create(struct store *s, const char *database, int64_t id,
    struct artifact *a, uint32_t *code, char *err)
{
	int	dir;

	memset(a, 0, sizeof(*a));
	a->fd = -1;
	*code = E_NONE;
	if ((dir = store_check_folder(s, database, 1, err)) == -1) {
		*code = code_of(errno);
		return (-1);
	}
	(void)util_copy(a->database, database);
	a->fd = store_temporary(dir, id, a->temporary);
	if (a->fd == -1) {
		*code = code_of(errno);
		snprintf(err, TEXT_BYTES, "cannot make a file in %.300s/%s: "
		    "%s", s->path, database, strerror(errno));
		a->temporary[0] = '\0';
	}
	close(dir);
	return (a->fd == -1 ? -1 : 0);
}

/* For reading: name in the folder dir, a regular file.  -1, a sentence, and
 * errno: EINVAL when it is there, and is none of ours. */
int
store_open_regular(int dir, const char *name, struct stat *sb, char *err)
{
	int	fd, saved = EINVAL;

	/* Opening alone has effects on what is no file: look first. */
	fd = -1;
	if (fstatat(dir, name, sb, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (S_ISREG(sb->st_mode) &&
	    (fd = openat(dir, name, READ_FLAGS)) == -1) ||
	    (fd != -1 && (fstat(fd, sb) == -1 ||
	    fcntl(fd, F_SETFL, 0) == -1))) {
		saved = errno;
		snprintf(err, TEXT_BYTES, "cannot open the backup %.300s: %s",
		    name, strerror(errno));
	} else if (!S_ISREG(sb->st_mode))
		snprintf(err, TEXT_BYTES, "the backup %.300s is not a "
		    "regular file", name);
	else if ((sb->st_uid != 0 && sb->st_uid != geteuid()) ||
	    (sb->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		snprintf(err, TEXT_BYTES, "others than the daemon can write "
		    "to the backup %.300s: check it, then chown it to the "
		    "daemon's user and chmod 600 it", name);
	else
		return (fd);
	if (fd != -1)
		close(fd);
	errno = saved;
	return (-1);
}

/* The name that the artifact has now. */
static int
open_artifact(struct store *s, const struct artifact *a, char *err)
{
	struct stat	sb;
	int		dir, fd;

	if ((dir = store_check_folder(s, a->database, 0, err)) == -1)
		return (-1);
	fd = store_open_regular(dir, a->temporary[0] != '\0' ? a->temporary :
	    a->name, &sb, err);
	close(dir);
	return (fd);
}

int
store_settle(struct store *s, struct artifact *a, char *err)
{
	const struct timespec	step = { 0, SETTLE_STEP_NS };
	uint64_t		until;
	int			fd, held;

	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
	if ((fd = open_artifact(s, a, err)) == -1)
		return (-1);
	until = util_monotonic_us() + SETTLE_US;
	while ((held = lease_read_held(fd)) == 0 &&
	    util_monotonic_us() < until)
		(void)nanosleep(&step, NULL);
	if (held == 1)
		return (fd);
	if (held == 0)
		snprintf(err, TEXT_BYTES, "some process can still write to "
		    "the new backup %.64s/%.64s though its work is over, so "
		    "that nothing can be said of it", a->database,
		    a->temporary);
	else
		snprintf(err, TEXT_BYTES, "cannot take a lease on the new "
		    "backup %.64s/%.64s: %s", a->database, a->temporary,
		    strerror(errno));
	close(fd);
	return (-1);
}

int
store_reopen(struct store *s, const struct artifact *a, char *err)
{
	return (open_artifact(s, a, err));
}

static void
final_name(char *dst, size_t size, int64_t id, int64_t created_ms,
    const char *form)
{
	char	time[TIME_TEXT_BYTES];

	util_time_compact(time, created_ms);
	snprintf(dst, size, "%s-%" PRId64 ".%s", time, id, form);
}

void
store_final_path(const struct store *s, const char *database, int64_t id,
    int64_t created_ms, const char *form, char path[ARTIFACT_BYTES])
{
	char	name[sizeof(((struct artifact *)0)->name)];
	int	n;

	final_name(name, sizeof(name), id, created_ms, form);
	n = snprintf(path, ARTIFACT_BYTES, "%s/%s/%s", s->path, database,
	    name);
	/* STORE_PATH_MAX leaves room for any name of ours. */
	if (n < 0 || n >= ARTIFACT_BYTES)
		fatalx("the path of backup %" PRId64 " of %s is too long",
		    id, database);
}

int
store_name(struct store *s, struct artifact *a, char *err)
{
	struct stat	sb;
	const char	*what;
	int		dir, fd;

	if ((dir = store_check_folder(s, a->database, 0, err)) == -1)
		return (-1);
	if ((fd = store_open_regular(dir, a->temporary, &sb, err)) == -1) {
		close(dir);
		return (-1);
	}
	what = NULL;
	if (fsync(fd) == -1)
		what = "sync";
	else if (linkat(dir, a->temporary, dir, a->name, 0) == -1)
		what = "name";
	else {
		if (unlinkat(dir, a->temporary, 0) == -1)
			log_warn("cannot remove %s/%s", a->database,
			    a->temporary);
		a->temporary[0] = '\0';
		if (fsync(dir) == -1)
			what = "sync the folder of";
	}
	if (what != NULL)
		snprintf(err, TEXT_BYTES, "cannot %s the new backup "
		    "%.64s/%.128s: %s", what, a->database, a->name,
		    strerror(errno));
	if (what != NULL && a->temporary[0] != '\0')
		a->name[0] = '\0';
	close(fd);
	close(dir);
	return (what == NULL ? 0 : -1);
}

int
store_publish(struct store *s, struct artifact *a, int64_t id,
    int64_t created_ms, const char *form, char *err)
{
	final_name(a->name, sizeof(a->name), id, created_ms, form);
	return (store_name(s, a, err));
}

int
store_publish_raw(struct store *s, struct artifact *a, int64_t id,
    int64_t created_ms, const char *suffix, char *err)
{
	final_name(a->name, sizeof(a->name), id, created_ms, FORM_PLAIN);
	strlcat(a->name, suffix, sizeof(a->name));
	return (store_name(s, a, err));
}

void
store_discard(struct store *s, struct artifact *a)
{
	char	err[TEXT_BYTES];
	int	dir;

	if (a->fd != -1)
		close(a->fd);
	if (a->temporary[0] != '\0') {
		dir = store_check_folder(s, a->database, 0, err);
		if (dir == -1)
			log_warnx("cannot remove %s: %s", a->temporary, err);
		else {
			if (unlinkat(dir, a->temporary, 0) == -1 &&
			    errno != ENOENT)
				log_warn("cannot remove %s/%s", a->database,
				    a->temporary);
			close(dir);
		}
	}
	memset(a, 0, sizeof(*a));
	a->fd = -1;
}

/* The folder's and the file's name of a path in BACKUP_DIR; 0 or -1. */
static int
split(const struct store *s, const char *path, char *database, size_t size,
    const char **name)
{
	const char	*p, *slash;
	size_t		 n;

	n = strlen(s->path);
	if (strncmp(path, s->path, n) != 0 || path[n] != '/')
		return (-1);
	p = path + n + 1;
	if ((slash = strchr(p, '/')) == NULL || slash == p ||
	    (size_t)(slash - p) >= size || strchr(slash + 1, '/') != NULL ||
	    slash[1] == '\0' || slash[1] == '.')
		return (-1);
	strlcpy(database, p, (size_t)(slash - p) + 1);
	*name = slash + 1;
	return (0);
}

int
store_open_file(struct store *s, const char *file_path, int64_t expect_size,
    char *err)
{
	struct stat	sb;
	char		database[DATABASE_BYTES];
	const char	*name;
	int		dir, fd;

	if (split(s, file_path, database, sizeof(database), &name) == -1) {
		snprintf(err, TEXT_BYTES, "%.300s is not a backup in the "
		    "backup directory", file_path);
		errno = EINVAL;
		return (-1);
	}
	if ((dir = store_check_folder(s, database, 0, err)) == -1)
		return (-1);
	fd = store_open_regular(dir, name, &sb, err);
	close(dir);
	if (fd != -1 && expect_size >= 0 && sb.st_size != expect_size) {
		snprintf(err, TEXT_BYTES, "the backup %.200s has %" PRId64
		    " bytes, but %" PRId64 " were stored", name,
		    (int64_t)sb.st_size, expect_size);
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return (fd);
}

/* One name: 1 it was there, 0 it was not, -1 and a sentence. */
static int
unlink_name(int dir, const char *name, char *err)
{
	struct stat	sb;

	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return (0);
	} else if (!S_ISREG(sb.st_mode)) {
		snprintf(err, TEXT_BYTES, "%.300s is not a regular file: it "
		    "is not deleted", name);
		return (-1);
	} else if (unlinkat(dir, name, 0) == 0)
		return (1);
	snprintf(err, TEXT_BYTES, "cannot delete %.300s: %s", name,
	    strerror(errno));
	return (-1);
}

int
store_unlink(struct store *s, const char *file_path, char *err)
{
	static const char *const	beside[] = { "-wal.raw",
					    "-journal.raw" };
	char				database[DATABASE_BYTES];
	char				raw[ARTIFACT_BYTES];
	char				form[FORM_BYTES];
	const char			*name;
	int64_t				id, created_ms;
	size_t				i;
	int				dir, rv;

	if (split(s, file_path, database, sizeof(database), &name) == -1 ||
	    !store_is_artifact(name, &id, &created_ms, form)) {
		snprintf(err, TEXT_BYTES, "%.300s is not a backup in the "
		    "backup directory: it is not deleted", file_path);
		return (-1);
	}
	if ((dir = store_check_folder(s, database, 0, err)) == -1)
		return (-1);
	/* What stands beside it goes first: it has no row of its own. */
	for (rv = 0, i = 0; rv != -1 && i < nitems(beside); i++) {
		snprintf(raw, sizeof(raw), "%s%s", name, beside[i]);
		rv = unlink_name(dir, raw, err);
	}
	if (rv != -1)
		rv = unlink_name(dir, name, err);
	if (rv != -1 && fsync(dir) == -1) {
		snprintf(err, TEXT_BYTES, "cannot sync the folder %.64s: %s",
		    database, strerror(errno));
		rv = -1;
	}
	close(dir);
	return (rv == -1 ? -1 : 0);
}
