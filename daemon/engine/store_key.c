/*
 * The engine runs this, and cloudbackupd -K: the key with which the
 * manifests of backups in buckets are signed (H21), BACKUP_DIR/key.  It is
 * made once and never changed: without it what is in the buckets would be
 * a stranger's.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"

#define READ_FLAGS	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define HEX_KEY		(2 * STORE_KEY_BYTES)

static int
hex_read(const char *text, uint8_t key[STORE_KEY_BYTES])
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*high, *low;
	size_t			 i;

	if (strlen(text) != HEX_KEY)
		return (-1);
	for (i = 0; i < STORE_KEY_BYTES; i++) {
		high = strchr(digits, text[2 * i]);
		low = strchr(digits, text[2 * i + 1]);
		if (high == NULL || low == NULL)
			return (-1);
		key[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return (0);
}

/* 1 and the key, 0 when there is none, -1 and a sentence. */
static int
key_read(int dir, uint8_t key[STORE_KEY_BYTES], char *err)
{
	struct stat	sb;
	char		text[HEX_KEY + 2];
	ssize_t		n = -1;
	int		fd, ok;

	fd = openat(dir, STORE_KEY_FILE, READ_FLAGS);
	if (fd == -1 && errno == ENOENT)
		return (0);
	ok = fd != -1 && fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
	    (sb.st_mode & 077) == 0 &&
	    (sb.st_uid == 0 || sb.st_uid == geteuid()) &&
	    (n = pread(fd, text, sizeof(text) - 1, 0)) != -1;
	if (fd != -1)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	ok = ok && hex_read(text, key) == 0;
	explicit_bzero(text, sizeof(text));
	if (!ok)
		snprintf(err, TEXT_BYTES, "the file %s in the backup "
		    "directory must be the daemon's user's, mode 600, with a "
		    "key of 64 digits", STORE_KEY_FILE);
	return (ok ? 1 : -1);
}

/* By link(2): a key that is there already stays. */
static int
key_write(int dir, const uint8_t key[STORE_KEY_BYTES], char *err)
{
	char	line[HEX_KEY + 2], name[64];
	int	fd, ok;

	util_hex(line, key, STORE_KEY_BYTES);
	strlcat(line, "\n", sizeof(line));
	fd = store_temporary(dir, 0, name);
	ok = fd != -1 && write(fd, line, strlen(line)) ==
	    (ssize_t)strlen(line) && fsync(fd) == 0 &&
	    linkat(dir, name, dir, STORE_KEY_FILE, 0) == 0 &&
	    fsync(dir) == 0;
	explicit_bzero(line, sizeof(line));
	if (!ok)
		snprintf(err, TEXT_BYTES, "cannot write the file %s in the "
		    "backup directory: %s", STORE_KEY_FILE, strerror(errno));
	if (fd != -1) {
		(void)unlinkat(dir, name, 0);
		close(fd);
	}
	return (ok ? 0 : -1);
}

int
store_key_get(int dir, uint8_t key[STORE_KEY_BYTES], char *err)
{
	int	found;

	if ((found = key_read(dir, key, err)) != 0)
		return (found == 1 ? 0 : -1);
	arc4random_buf(key, STORE_KEY_BYTES);
	return (key_write(dir, key, err));
}

int
store_key(const struct store *s, uint8_t key[STORE_KEY_BYTES], char *err)
{
	return (store_key_get(s->fd, key, err));
}

/* "UUID:KEY" apart. */
static int
text_read(const char *text, char uuid[UUID_BYTES],
    uint8_t key[STORE_KEY_BYTES])
{
	if (strlen(text) != UUID_BYTES + HEX_KEY ||
	    text[UUID_BYTES - 1] != ':')
		return (-1);
	strlcpy(uuid, text, UUID_BYTES);
	return (store_uuid_valid(uuid) &&
	    hex_read(text + UUID_BYTES, key) == 0 ? 0 : -1);
}

int
store_key_install(const char *backup_dir, const char *text, char *err)
{
	uint8_t	key[STORE_KEY_BYTES], old[STORE_KEY_BYTES];
	char	resolved[PATH_BYTES], uuid[UUID_BYTES], have[UUID_BYTES];
	int	dir, found, named, result = -1;

	if (text_read(text, uuid, key) == -1) {
		strlcpy(err, "this is no key that cloudbackupd -K has "
		    "printed", TEXT_BYTES);
		return (-1);
	}
	if ((dir = store_check_path(backup_dir, resolved, err)) == -1)
		return (-1);
	if ((found = key_read(dir, old, err)) == -1 ||
	    (named = store_uuid_read(dir, resolved, have, err)) == -1)
		;	/* err says it */
	else if ((found && memcmp(old, key, sizeof(key)) != 0) ||
	    (named && strcmp(have, uuid) != 0))
		snprintf(err, TEXT_BYTES, "the backup directory %.300s has "
		    "another key, or backups of its own; a key is installed "
		    "before the first start, into an empty one", resolved);
	else if ((found || key_write(dir, key, err) == 0) &&
	    (named || store_uuid_write(dir, resolved, uuid, err) == 0))
		result = 0;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(old, sizeof(old));
	close(dir);
	return (result);
}

int
store_key_text(const char *backup_dir, char text[STORE_KEY_TEXT], char *err)
{
	uint8_t	key[STORE_KEY_BYTES];
	char	resolved[PATH_BYTES], uuid[UUID_BYTES];
	int	dir, named, result = -1;

	if ((dir = store_check_path(backup_dir, resolved, err)) == -1)
		return (-1);
	named = store_uuid_read(dir, resolved, uuid, err);
	if (named == 0)
		snprintf(err, TEXT_BYTES, "the backup directory %.300s has no "
		    "key yet; the daemon makes it when it starts for the "
		    "first time", resolved);
	else if (named == 1 && store_key_get(dir, key, err) == 0) {
		snprintf(text, STORE_KEY_TEXT, "%s:", uuid);
		util_hex(text + UUID_BYTES, key, sizeof(key));
		result = 0;
	}
	explicit_bzero(key, sizeof(key));
	close(dir);
	return (result);
}
