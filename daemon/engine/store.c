/*
 * The backup directory.  Run by the engine.  Owns every name in it: makes,
 * publishes and removes by openat(2) and its kin from one descriptor;
 * must not follow links, nor remove what has an artifact's name.
 */
#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"

#define READ_FLAGS	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define LOCK_STEP_MS	10
#define LOCK_STEPS	100

static void
pause_ms(long ms)
{
	struct timespec	ts;

	ts.tv_sec = ms / 1000;
	ts.tv_nsec = ms % 1000 * 1000000;
	/* Cut short by a signal: the caller only looks sooner. */
	(void)nanosleep(&ts, NULL);
}

/* Two daemons in one directory would sweep each other's files away. */
static int
lock(struct store *s, char *err)
{
	int	i;

	for (i = 0; i < LOCK_STEPS; i++) {
		if (flock(s->fd, LOCK_EX | LOCK_NB) == 0)
			return (0);
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		pause_ms(LOCK_STEP_MS);
	}
	if (errno == EWOULDBLOCK)
		snprintf(err, TEXT_BYTES, "another cloudbackupd uses the "
		    "backup directory %.300s", s->path);
	else
		snprintf(err, TEXT_BYTES, "cannot lock the backup directory "
		    "%.300s: %s", s->path, strerror(errno));
	return (-1);
}

int
store_uuid_valid(const char *uuid)
{
	size_t	i;

	for (i = 0; i < UUID_BYTES - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (uuid[i] != '-')
				return (0);
		} else if (uuid[i] == '\0' ||
		    strchr("0123456789abcdefABCDEF", uuid[i]) == NULL)
			return (0);
	}
	return (uuid[i] == '\0');
}

static void
uuid_make(char uuid[UUID_BYTES])
{
	uint8_t	b[16];
	char	h[33];

	arc4random_buf(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;	/* version 4: random */
	b[8] = (b[8] & 0x3f) | 0x80;
	util_hex(h, b, sizeof(b));
	snprintf(uuid, UUID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8,
	    h + 12, h + 16, h + 20);
}

int
store_uuid_read(int dir, const char *path, char uuid[UUID_BYTES], char *err)
{
	struct stat	sb;
	char		buf[UUID_BYTES + 1];
	ssize_t		n;
	int		fd;

	fd = openat(dir, STORE_ID_FILE, READ_FLAGS);
	if (fd == -1 && errno == ENOENT)
		return (0);
	if (fd == -1 || fstat(fd, &sb) == -1 ||
	    (n = pread(fd, buf, sizeof(buf) - 1, 0)) == -1) {
		snprintf(err, TEXT_BYTES, "cannot read %.300s/%s: %s",
		    path, STORE_ID_FILE, strerror(errno));
		if (fd != -1)
			close(fd);
		return (-1);
	}
	close(fd);
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (!S_ISREG(sb.st_mode) || !store_uuid_valid(buf) ||
	    (sb.st_uid != 0 && sb.st_uid != geteuid()) ||
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(err, TEXT_BYTES, "%.300s/%s must be a file of the "
		    "daemon's user that nobody else can write, with a UUID "
		    "in it", path, STORE_ID_FILE);
		return (-1);
	}
	strlcpy(uuid, buf, UUID_BYTES);
	return (1);
}

int
store_uuid_write(int dir, const char *path, const char *uuid, char *err)
{
	char	line[UUID_BYTES + 1], name[64];
	int	fd, ok;

	snprintf(line, sizeof(line), "%s\n", uuid);
	fd = store_temporary(dir, 0, name);
	ok = fd != -1 && write(fd, line, strlen(line)) ==
	    (ssize_t)strlen(line) && fsync(fd) == 0 &&
	    renameat(dir, name, dir, STORE_ID_FILE) == 0 &&
	    fsync(dir) == 0;
	if (!ok)
		snprintf(err, TEXT_BYTES, "cannot write %.300s/%s: %s",
		    path, STORE_ID_FILE, strerror(errno));
	if (fd != -1)
		close(fd);
	return (ok ? 0 : -1);
}

static int
id_write(struct store *s, char *err)
{
	uuid_make(s->uuid);
	return (store_uuid_write(s->fd, s->path, s->uuid, err));
}

/* 1 there is a catalog with something in it, 0 there is none, -1. */
static int
catalog_exists(struct store *s, char *err)
{
	struct stat	sb;

	if (fstatat(s->fd, CATALOG_NAME, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		return (!S_ISREG(sb.st_mode) || sb.st_size > 0);
	if (errno == ENOENT)
		return (0);
	snprintf(err, TEXT_BYTES, "cannot look at %.300s/%s: %s", s->path,
	    CATALOG_NAME, strerror(errno));
	return (-1);
}

/* A new installation: the directory must be nobody's. */
static int
id_new(struct store *s, char *err)
{
	switch (store_has_artifacts(s)) {
	case 0:
		return (id_write(s, err));
	case 1:
		snprintf(err, TEXT_BYTES, "the backup directory %.150s holds "
		    "backups, but neither a catalog nor %s. If they shall be "
		    "adopted, run: cat /proc/sys/kernel/random/uuid "
		    ">%.150s/%s", s->path, STORE_ID_FILE, s->path,
		    STORE_ID_FILE);
		return (-1);
	default:
		snprintf(err, TEXT_BYTES, "cannot look through %.300s: %s",
		    s->path, strerror(errno));
		return (-1);
	}
}

/*
 * Compares what the file and the catalog say.  The file is always written
 * first, so that a catalog without a UUID was cut short while it was made.
 */
static int
id_match(struct store *s, int have_id, const char *uuid, char *err)
{
	if (uuid[0] == '\0') {
		if (!have_id && id_write(s, err) == -1)
			return (-1);
		catalog_set_uuid(s->catalog, s->uuid);
		return (0);
	}
	if (!have_id) {
		snprintf(err, TEXT_BYTES, "the catalog in %.150s belongs to "
		    "the backups %s, but the directory has no %s. If they "
		    "are these, run: echo %s >%.150s/%s", s->path, uuid,
		    STORE_ID_FILE, uuid, s->path, STORE_ID_FILE);
		return (-1);
	}
	if (strcmp(uuid, s->uuid) != 0) {
		snprintf(err, TEXT_BYTES, "the catalog in %.200s belongs to "
		    "the backups %s, but %s names %s: one of the two came "
		    "from elsewhere. Put the right catalog there, or move it "
		    "away and the backups will be adopted", s->path, uuid,
		    STORE_ID_FILE, s->uuid);
		return (-1);
	}
	return (0);
}

static int
open_catalog(struct store *s, char *err)
{
	char	*path, uuid[UUID_BYTES];
	int	 have_catalog, have_id;

	if ((have_id = store_uuid_read(s->fd, s->path, s->uuid, err)) == -1 ||
	    (have_catalog = catalog_exists(s, err)) == -1)
		return (-1);
	if (!have_id && !have_catalog) {
		if (id_new(s, err) == -1)
			return (-1);
		have_id = 1;
	} else if (!have_catalog)
		log_warnx("the backup directory %s has lost its catalog: its "
		    "backups will be adopted into a new one", s->path);
	path = xasprintf("%s/%s", s->path, CATALOG_NAME);
	s->catalog = catalog_open(path, uuid, err);
	free(path);
	if (s->catalog == NULL || id_match(s, have_id, uuid, err) == -1)
		return (-1);
	catalog_set_directory(s->catalog, s->path);
	return (0);
}

struct store *
store_open(const char *backup_dir, char *err)
{
	struct store	*s;
	char		 resolved[PATH_BYTES];
	int		 fd;

	if ((fd = store_check_path(backup_dir, resolved, err)) == -1)
		return (NULL);
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->path = xstrdup(resolved);
	if (lock(s, err) == -1 || store_check_leases(s, err) == -1 ||
	    open_catalog(s, err) == -1) {
		store_close(s);
		return (NULL);
	}
	return (s);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	catalog_close(s->catalog);
	close(s->fd);
	free(s->path);
	free(s);
}

struct catalog *
store_catalog(struct store *s)
{
	return (s->catalog);
}

const char *
store_uuid(const struct store *s)
{
	return (s->uuid);
}

const char *
store_path(const struct store *s)
{
	return (s->path);
}

void
store_identity(const struct store *s, uint64_t dev[2], uint64_t ino[2])
{
	struct stat	sb[2];
	int		i;

	/* Never by opening it: closing would drop the catalog's locks. */
	if (fstat(s->fd, &sb[0]) == -1 ||
	    fstatat(s->fd, CATALOG_NAME, &sb[1], AT_SYMLINK_NOFOLLOW) == -1)
		fatal("cannot look at the catalog in %s", s->path);
	for (i = 0; i < 2; i++) {
		dev[i] = sb[i].st_dev;
		ino[i] = sb[i].st_ino;
	}
}

uint64_t
store_free_bytes(const struct store *s)
{
	struct statvfs	v;

	if (fstatvfs(s->fd, &v) == -1) {
		log_warn("cannot tell the free space of %s", s->path);
		return (0);
	}
	return ((uint64_t)(geteuid() == 0 ? v.f_bfree : v.f_bavail) *
	    v.f_frsize);
}

int
store_full(const struct store *s)
{
	return (store_free_bytes(s) < STORE_SPARE_BYTES);
}
