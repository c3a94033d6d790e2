/*
 * Workers run this, before they confine themselves, and the looker:
 * statfs(2) and /proc/self/mountinfo (proc(5)).
 */
#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/filesystem.h"
#include "common/util.h"

#define MOUNTS	"/proc/self/mountinfo"
#define FORGET_BYTES	(4 * 1024 * 1024)

static const struct {
	uint32_t	 magic;
	const char	*what;
} unsafe[] = {
	{ 0x00006969, "NFS, whose locks of other machines are not seen here" },
	{ 0x0000517b, "SMB, whose locks of other machines are not seen here" },
	{ 0xff534d42, "CIFS, whose locks of other machines are not seen here" },
	{ 0xfe534d42, "SMB2, whose locks of other machines are not seen here" },
	{ 0x65735546, "FUSE or virtiofs, whose locks may not be seen here" },
	{ 0x01021997, "9p, whose locks may not be seen here" },
	{ 0x00c36400, "Ceph, whose locks of other machines are not seen here" },
	{ 0x5346414f, "AFS, whose locks of other machines are not seen here" },
	{ 0x6b414653, "AFS, whose locks of other machines are not seen here" },
	{ 0x0bd00bd0, "Lustre, whose locks of other machines are not seen here" },
	{ 0x01161970, "GFS2, whose locks of other machines are not seen here" },
	{ 0x7461636f, "OCFS2, whose locks of other machines are not seen here" },
};

/* Is path in the directory that begins at dir and ends before one of
 * ",:" or white space? */
static int
is_below(const char *path, const char *dir)
{
	size_t	n = strcspn(dir, ",: \n");

	return (n > 1 && strncmp(path, dir, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0'));
}

static int
overlay_has(const char *options, const char *path)
{
	const char	*p;

	if ((p = strstr(options, "upperdir=")) != NULL &&
	    is_below(path, p + strlen("upperdir=")))
		return (1);
	if ((p = strstr(options, "lowerdir=")) == NULL)
		return (0);
	for (p += strlen("lowerdir="); ; p++) {
		if (is_below(path, p))
			return (1);
		p += strcspn(p, ",: \n");
		if (*p != ':')
			return (0);
	}
}

/* What the overlays that are mounted were given. */
static struct {
	FILE	 *file;			/* the table, if it is watched */
	char	**overlays;
	size_t	  n;
} mounts;

static void
overlays_forget(void)
{
	size_t	i;

	for (i = 0; i < mounts.n; i++)
		free(mounts.overlays[i]);
	free(mounts.overlays);
	mounts.overlays = NULL;
	mounts.n = 0;
}

static void
overlays_read(FILE *f)
{
	char	*line = NULL, *options;
	size_t	 size = 0;

	overlays_forget();
	while (getline(&line, &size, f) != -1) {
		if ((options = strstr(line, " - overlay ")) == NULL)
			continue;
		mounts.overlays = xreallocarray(mounts.overlays, mounts.n + 1,
		    sizeof(*mounts.overlays));
		mounts.overlays[mounts.n++] = xstrdup(options);
	}
	free(line);
}

/* The kernel marks an open table when something is mounted, or no longer:
 * before it is read, so that nothing is missed between. */
static int
watched_changed(void)
{
	struct pollfd	p;

	p.fd = fileno(mounts.file);
	p.events = POLLPRI;
	return (poll(&p, 1, 0) != 0);
}

static void
overlays_refresh(void)
{
	FILE	*f;

	if (mounts.file != NULL) {
		if (watched_changed()) {
			rewind(mounts.file);
			overlays_read(mounts.file);
		}
		return;
	}
	overlays_forget();
	if ((f = fopen(MOUNTS, "re")) == NULL)
		return;
	overlays_read(f);
	fclose(f);
}

void
filesystem_watch(void)
{
	if ((mounts.file = fopen(MOUNTS, "re")) != NULL)
		overlays_read(mounts.file);
}

static int
under_overlay(const char *path)
{
	size_t	i;

	overlays_refresh();
	for (i = 0; i < mounts.n; i++) {
		if (overlay_has(mounts.overlays[i], path))
			return (1);
	}
	return (0);
}

const char *
filesystem_unsafe(int fd, const char *path)
{
	struct statfs	fs;
	size_t		i;

	if (fstatfs(fd, &fs) == -1)
		return ("a file system that does not tell what it is");
	for (i = 0; i < nitems(unsafe); i++) {
		if ((uint32_t)fs.f_type == unsafe[i].magic)
			return (unsafe[i].what);
	}
	if (under_overlay(path))
		return ("the layer of an overlay, where the locks of "
		    "containers are not seen");
	return (NULL);
}

int64_t
filesystem_birth_ms(int dir, const char *name)
{
	struct statx	stx;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &stx) == -1 ||
	    (stx.stx_mask & STATX_BTIME) == 0)
		return (0);
	return ((int64_t)stx.stx_btime.tv_sec * 1000 +
	    stx.stx_btime.tv_nsec / 1000000);
}

void
filesystem_write_soon(int fd, uint64_t offset, uint64_t bytes)
{
	(void)sync_file_range(fd, (off_t)offset, (off_t)bytes,
	    SYNC_FILE_RANGE_WRITE);
}

int
filesystem_write_wait(int fd, uint64_t offset, uint64_t bytes)
{
	if (sync_file_range(fd, (off_t)offset, (off_t)bytes,
	    SYNC_FILE_RANGE_WAIT_BEFORE) == 0)
		return (0);
	/* Not here, or not for this kind of file: then nothing was told. */
	return (errno == ENOSYS || errno == EINVAL || errno == ESPIPE ? 0 :
	    errno);
}

/*
 * In pieces: the kernel does a call in one go, and who wakes meanwhile waits
 * for its end.
 */
void
filesystem_forget(int fd, uint64_t offset, uint64_t bytes)
{
	struct stat	sb;
	uint64_t	end = offset + bytes, piece;

	if (bytes == 0 && fstat(fd, &sb) == 0)
		end = (uint64_t)sb.st_size;
	for (; offset < end; offset += piece) {
		piece = FORGET_BYTES - offset % FORGET_BYTES;
		if (piece > end - offset)
			piece = end - offset;
		(void)posix_fadvise(fd, (off_t)offset, (off_t)piece,
		    POSIX_FADV_DONTNEED);
	}
}
