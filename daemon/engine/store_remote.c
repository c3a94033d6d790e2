/*
 * What remotes get, where that is another form than the one kept here: a
 * second file beside the artifact, for as long as it waits.  Run by the
 * engine.  It holds nothing that the artifact does not: so, unlike that, it
 * is removed.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"

void
store_remote_name(char name[NAME_BYTES], int64_t id, int64_t created_ms,
    const char *form)
{
	char	time[TIME_TEXT_BYTES];

	util_time_compact(time, created_ms);
	snprintf(name, NAME_BYTES, "%s-%" PRId64 "." STORE_REMOTE "%s", time,
	    id, form);
}

int
store_publish_remote(struct store *s, struct artifact *a, int64_t id,
    int64_t created_ms, const char *form, char *err)
{
	char	name[NAME_BYTES];

	store_remote_name(name, id, created_ms, form);
	strlcpy(a->name, name, sizeof(a->name));
	return (store_name(s, a, err));
}

int
store_remote_open(struct store *s, const char *database, const char *name,
    int64_t expect_size, char *err)
{
	struct stat	sb;
	int		dir, fd;

	if (!store_is_remote(name)) {
		snprintf(err, TEXT_BYTES, "%.200s is not the name of a file "
		    "for remotes", name);
		errno = EINVAL;
		return (-1);
	}
	if ((dir = store_check_folder(s, database, 0, err)) == -1)
		return (-1);
	fd = store_open_regular(dir, name, &sb, err);
	close(dir);
	if (fd != -1 && sb.st_size != expect_size) {
		snprintf(err, TEXT_BYTES, "%.200s has %" PRId64 " bytes, but "
		    "%" PRId64 " were stored", name, (int64_t)sb.st_size,
		    expect_size);
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return (fd);
}

int
store_remote_remove(struct store *s, const char *database, const char *name,
    char *err)
{
	int	dir, rv = 0;

	if (!store_is_remote(name)) {
		snprintf(err, TEXT_BYTES, "%.200s is not the name of a file "
		    "for remotes", name);
		return (-1);
	}
	if ((dir = store_check_folder(s, database, 0, err)) == -1)
		return (-1);
	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT) {
		snprintf(err, TEXT_BYTES, "cannot remove %.64s/%.200s: %s",
		    database, name, strerror(errno));
		rv = -1;
	}
	close(dir);
	return (rv);
}
