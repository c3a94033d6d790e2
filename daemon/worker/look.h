/*
 * A look at a database before SQLite sees it (H1 to H4, H7, H20, H23):
 * where it really is, whose it is, and whether it may be touched at all.
 */
#ifndef WORKER_LOOK_H
#define WORKER_LOOK_H

#include <sys/stat.h>

#include <stdint.h>

#include "proto/msg.h"
#include "proto/sqlite_format.h"

struct look {
	char		 path[PATH_BYTES];
	const char	*name;		/* the last component, in path */
	int		 dir;		/* O_PATH of its directory; ours */
	struct stat	 st;		/* the file */
	struct stat	 dir_st;
	uint8_t		 header[SQLITE_HEADER_BYTES];
	size_t		 header_bytes;	/* 100, or less when it is short */
	int		 wal_mode;	/* by its header */
	int		 read_only_fs;
	int		 had_wal, had_shm, had_journal;	/* were there */
	off_t		 wal_size;
	uid_t		 uid;		/* whom to become */
	gid_t		 gid;
	int		 unsafe_ok;	/* LOOK_UNSAFE_FILESYSTEM */
};

/*
 * Walks to the file without following links and looks at it.  0, and *l to
 * be given to look_free; or -1 and *e: DATABASE_NOT_FOUND, UNSAFE_PATH,
 * DATABASE_ALIASED, PERMISSION_DENIED.
 */
int	look_open(const struct m_look *, struct look *l, struct m_error *e);

/* Only the walk to its directory, for a database that is not there any
 * more: l->path, name, dir and dir_st are filled. */
int	look_directory(const struct m_look *, struct look *l,
	    struct m_error *e);
void	look_free(struct look *);

/*
 * The journal that a crash may have left beside the database (H1 to H3):
 * 0 when SQLite may look at it (*recover 1 if it will roll it back), or -1
 * and HOT_JOURNAL.  Waits up to timeout_ms for a live writer to end.
 */
int	look_journal(struct look *, uint32_t timeout_ms, int *recover,
	    struct m_error *e);

/*
 * Becomes the owner of the database and confines the process to its
 * directory.  Nothing else can be opened afterwards.  0, or -1 and *e.
 */
int	look_confine(const struct look *, struct m_error *e);

/* Opens a file beside the database ("-wal", "-shm", "-journal", or "" for
 * itself) for reading, without following links or waiting; -1 and errno. */
int	look_beside(const struct look *, const char *suffix, int flags);
int	look_stat_beside(const struct look *, const char *suffix,
	    struct stat *st);

/*
 * signature.c: what the files have now (H9).  Without SIGNATURE_STABLE it
 * says nothing.  Not while SQLite has the database open in this process.
 */
void	signature_take(const struct look *, struct m_signature *s);

#endif
