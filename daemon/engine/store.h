/*
 * The backup directory: BACKUP_DIR/<database>/<time>-<id>.FORM, where FORM
 * is one of proto/form.h; beside it, for as long as remotes wait for another
 * form of it, there may be <time>-<id>.remote.FORM.  The engine makes and
 * names every file in it, by openat(2) from one descriptor, without
 * following links; a worker only ever sees descriptors.  An artifact is
 * written under a temporary name (".tmp-<id>-<random>"), settled, and
 * published by link(2).
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include <stdint.h>

#include "proto/msg.h"

#define STORE_ID_FILE	".cloudbackupd-id"
#define STORE_SCRATCH	".fetched"	/* stands for a database's name, and
					 * none can be called so: for what
					 * only stays for a while */

#define STORE_KEY_FILE	"key"
#define STORE_KEY_BYTES	32
#define STORE_KEY_TEXT	104		/* "UUID:64 digits", with its NUL */

struct store;
struct catalog;

/*
 * Opens BACKUP_DIR (made with mode 0700 if it is not there, its parents
 * too), checks that it and every directory above are owned by root or us
 * and not writable by others (a sticky directory above is fine: nobody
 * can move what we own there), that the file system knows leases, opens
 * the catalog in it, and compares the UUID in STORE_ID_FILE with the
 * catalog's (H19):
 *   neither there, and no artifacts: a new installation, both are made;
 *   the file without a catalog (lost, or empty): a new catalog with the
 *   file's UUID, and the artifacts will be adopted;
 *   a catalog that has a UUID without the file, or two that differ, or
 *   artifacts with neither: error, and the sentence says what to do.
 * BACKUP_DIR stays locked (flock) until store_close: a second daemon is
 * refused.  A directory that moved is fine: the rows' paths follow.
 * NULL and a sentence in err (TEXT_BYTES) when it must not be used.
 */
struct store	*store_open(const char *backup_dir, char *err);
void		 store_close(struct store *);
struct catalog	*store_catalog(struct store *);	/* owned by the store */
const char	*store_uuid(const struct store *);
const char	*store_path(const struct store *);	/* absolute */

/* The key that manifests in buckets are signed with (H21); made when there
 * is none.  0, or -1 and a sentence; the caller wipes it. */
int	store_key(const struct store *, uint8_t key[STORE_KEY_BYTES],
	    char *err);

/*
 * Without a store, for -K: this installation's name and key as a text for
 * safe-keeping, and from such a text into a backup directory that has none
 * yet.  0, or -1 and a sentence; the caller wipes the text.
 */
int	store_key_text(const char *backup_dir, char text[STORE_KEY_TEXT],
	    char *err);
int	store_key_install(const char *backup_dir, const char *text,
	    char *err);

/* Device and inode of BACKUP_DIR [0] and of the catalog [1] (H20). */
void	store_identity(const struct store *, uint64_t dev[2], uint64_t ino[2]);

/* Free bytes for us on its file system. */
uint64_t store_free_bytes(const struct store *);

/* Too little is left to write down in the catalog what happens: a job must
 * not begin, because a catalog that can't be written ends the daemon. */
#define STORE_SPARE_BYTES	(4 * 1024 * 1024)
int	store_full(const struct store *);

struct artifact {
	char	database[DATABASE_BYTES];
	char	temporary[64];		/* name within the database's folder */
	char	name[128];		/* final name, set by store_publish */
	int	fd;			/* the writable one, or -1 */
};

/*
 * Makes an empty temporary file, 0600, in the folder of database (made
 * when missing).  0 and a->fd open for reading and writing, or -1 and a
 * sentence in err; *code is an enum err (INSUFFICIENT_SPACE ...).
 */
int	store_create(struct store *, const char *database, int64_t id,
	    struct artifact *a, uint32_t *code, char *err);

/*
 * H14: after the writer has ended.  Closes a->fd, opens the file anew for
 * reading, and proves with a read lease that nobody can write to it any
 * more; tries for up to a second, because a process that was just killed
 * may take that long to go.  The descriptor (the caller closes it), or -1
 * and a sentence.
 */
int	store_settle(struct store *, struct artifact *a, char *err);

/*
 * A second, own open for reading of the same file, for another receiver.
 */
int	store_reopen(struct store *, const struct artifact *a, char *err);

/*
 * Gives a settled artifact its name <compact time>-<id>.FORM ("sqlite.zst"):
 * fsync of the file, link, unlink of the temporary name, fsync of the
 * directory.  store_final_path tells the absolute path beforehand, for the
 * catalog.
 * 0, or -1 and a sentence: then a->temporary is still set (discard it),
 * unless only the last sync failed; the file then keeps its name.
 */
void	store_final_path(const struct store *, const char *database,
	    int64_t id, int64_t created_ms, const char *form,
	    char path[ARTIFACT_BYTES]);
int	store_publish(struct store *, struct artifact *a, int64_t id,
	    int64_t created_ms, const char *form, char *err);

/*
 * The same for what was kept beside an unreadable database (H12): suffix
 * ("-wal.raw") is put behind the name, so that nobody, SQLite least of
 * all, takes it for what belongs to the artifact.
 */
int	store_publish_raw(struct store *, struct artifact *a, int64_t id,
	    int64_t created_ms, const char *suffix, char *err);

/*
 * What remotes get, where that is another form (store_remote.c): it has its
 * name before the artifact beside it has; the catalog knows the name before
 * that.  It is opened by it, with its size, and removed when no remote waits
 * for it.  0, a descriptor for reading, or -1 and a sentence.
 */
void	store_remote_name(char name[NAME_BYTES], int64_t id,
	    int64_t created_ms, const char *form);
int	store_publish_remote(struct store *, struct artifact *a, int64_t id,
	    int64_t created_ms, const char *form, char *err);
int	store_remote_open(struct store *, const char *database,
	    const char *name, int64_t expect_size, char *err);
int	store_remote_remove(struct store *, const char *database,
	    const char *name, char *err);

/*
 * Nothing here could be opened: by errno, is it that this process has no
 * descriptor or memory left?  That says nothing of the file.
 */
int	store_starved(void);

/* Removes the temporary name and closes; a may be used again. */
void	store_discard(struct store *, struct artifact *a);

/*
 * Opens a published artifact of the catalog by its path, which must lie
 * in BACKUP_DIR: no links followed, a regular file, of the expected size
 * (-1: any).  The descriptor for reading, or -1 with errno and a sentence.
 */
int	store_open_file(struct store *, const char *file_path,
	    int64_t expect_size, char *err);

/*
 * Deletes a published artifact of the catalog, with what was kept beside
 * it (".raw"): only a regular file with a name of ours, in a folder of
 * ours; and the folder is on disk when it returns.  0, also when it is not
 * there any more; or -1 and a sentence.
 */
int	store_unlink(struct store *, const char *file_path, char *err);

/*
 * What a crash left (H19): temporary names of ours go; a pending row that
 * was proven and whose file is there is completed, other pending rows
 * fail (and keep their file, if there is one); a completed row without
 * its file becomes missing, and completed again when the file is back; an
 * artifact without a row is told to adopt, which decides (catalog_insert
 * with its id, catalog_proven, catalog_published) and is told again at the
 * next start if it does not.  Never unlinks an artifact; what remotes got
 * goes when its row says so, or the artifact stands beside it.
 */
struct store_orphan {
	char	database[DATABASE_BYTES];
	char	file_path[ARTIFACT_BYTES];
	int64_t	id;			/* from its name */
	int64_t	created_ms;		/* from its name */
	int64_t	size;			/* of the file, bytes */
	char	form[FORM_BYTES];
};
typedef void	store_adopt_cb(const struct store_orphan *, void *arg);
void	store_sweep(struct store *, store_adopt_cb *adopt, void *arg);

#endif
