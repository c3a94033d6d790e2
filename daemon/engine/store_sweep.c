/*
 * What a crash left, put in order at start (H19).  Run by the engine
 * before it answers anybody.  Unlinks temporary names of ours and nothing
 * else, ever: a lost or older catalog must not cost a backup.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/store_int.h"

struct sweep {
	struct store	*s;
	store_adopt_cb	*adopt;
	void		*arg;
	const char	*database;	/* of the folder that is walked */
	int64_t		 last_id;
	int		 folder;	/* of the rows that are walked, or -1 */
	char		 folder_name[DATABASE_BYTES];
};

static void
remove_temporary(int dir, const char *name)
{
	struct stat	sb;

	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(sb.st_mode))
		return;
	if (unlinkat(dir, name, 0) == -1)
		log_warn("cannot remove %s", name);
	else
		log_info("removed %s, which a crash left", name);
}

static int
sweep_temporary(int dir, const char *name, void *arg)
{
	(void)arg;
	if (store_is_temporary(name))
		remove_temporary(dir, name);
	return (0);
}

/* The folder of a row's file; the last one is kept open. */
static int
row_folder(struct sweep *w, const char *database)
{
	struct stat	sb;
	char		err[TEXT_BYTES];

	if (w->folder != -1 && strcmp(w->folder_name, database) == 0)
		return (w->folder);
	if (w->folder != -1)
		close(w->folder);
	(void)util_copy(w->folder_name, database);
	w->folder = store_check_folder(w->s, database, 0, err);
	if (w->folder == -1 && fstatat(w->s->fd, database, &sb,
	    AT_SYMLINK_NOFOLLOW) == -1)
		/* Gone, rather than not ours to open. */
		errno = ENOENT;
	else if (w->folder == -1) {
		log_warnx("%s", err);
		errno = EACCES;
	}
	return (w->folder);
}

/* The size of a row's file; -1 it is not there, -2 nobody can tell. */
static int64_t
row_file(struct sweep *w, const char *database, const char *file_path)
{
	struct stat	 sb;
	const char	*name;
	int		 dir;

	if ((name = strrchr(file_path, '/')) == NULL || name[1] == '\0')
		return (-1);
	if ((dir = row_folder(w, database)) == -1)
		return (errno == ENOENT ? -1 : -2);
	if (fstatat(dir, name + 1, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		return (S_ISREG(sb.st_mode) ? sb.st_size : -1);
	if (errno == ENOENT)
		return (-1);
	log_warn("cannot look at %s", file_path);
	return (-2);
}

static void
sweep_pending(int64_t id, const char *database, const char *file_path,
    int64_t stored_size, int proven, void *arg)
{
	struct sweep	*w = arg;
	struct catalog	*c = w->s->catalog;
	int64_t		 size;

	w->last_id = id;
	size = row_file(w, database, file_path);
	if (size == -2)
		/* Left pending: the next start may be able to tell. */
		return;
	if (size >= 0 && size == stored_size && proven) {
		catalog_published(c, id);
		log_info("completed backup %" PRId64 ", which a crash cut "
		    "short", id);
		return;
	}
	catalog_failed(c, id, "The daemon was stopped before this backup "
	    "was complete.", VERDICT_NONE, size >= 0 ? file_path : NULL);
	log_info("backup %" PRId64 " failed: a crash cut it short", id);
}

static void
sweep_completed(int64_t id, const char *database, const char *file_path,
    int64_t stored_size, int proven, void *arg)
{
	struct sweep	*w = arg;

	(void)stored_size;
	(void)proven;
	w->last_id = id;
	if (row_file(w, database, file_path) != -1)
		return;
	catalog_missing(w->s->catalog, id);
	log_warnx("the file of backup %" PRId64 " is gone: %s", id,
	    file_path);
}

static void
sweep_rows(struct sweep *w, int completed, catalog_local_cb *cb)
{
	w->last_id = 0;
	while (catalog_each_local(w->s->catalog, completed, w->last_id, cb,
	    w) > 0)
		;
}

/* A file whose row said missing is back, as when a disk is mounted. */
static void
file_back(struct sweep *w, int64_t id, const char *name, int64_t size)
{
	struct catalog_copy	copy;
	struct m_backup		b;
	char			remote_id[REMOTE_ID_BYTES];

	if (!catalog_copy_get(w->s->catalog, id, PLACE_LOCAL, &copy,
	    remote_id) || strcmp(copy.state, "missing") != 0 ||
	    !catalog_get(w->s->catalog, id, &b))
		return;
	if (b.stored_size != size) {
		log_warnx("%s/%s is back, but has %" PRId64 " bytes instead "
		    "of %" PRId64, w->database, name, size, b.stored_size);
		return;
	}
	catalog_published(w->s->catalog, id);
	log_info("the file of backup %" PRId64 " is back", id);
}

struct sibling {
	const char	*name;
	int		 found;
};

/* Is that the artifact beside it: the same up to the form? */
static int
is_sibling(int dir, const char *name, void *arg)
{
	struct sibling	*s = arg;
	char		 form[FORM_BYTES];
	int64_t		 id, created_ms;
	size_t		 n = strcspn(s->name, ".") + 1;

	(void)dir;
	s->found = strncmp(name, s->name, n) == 0 &&
	    store_is_artifact(name, &id, &created_ms, form);
	return (s->found);
}

/*
 * What remotes should get.  Of a backup that no remote waits for it goes;
 * of none at all, too, but only where the artifact stands beside it: alone
 * it may be all that there is.
 */
static void
sweep_remote(struct sweep *w, int dir, const char *name)
{
	struct sibling	 s = { name, 0 };
	char		 err[TEXT_BYTES];
	int64_t		 id;

	id = catalog_by_remote_file(w->s->catalog, w->database, name);
	if (id != 0 && catalog_remote_waits(w->s->catalog, id))
		return;
	if (id == 0 && (store_each_entry(dir, is_sibling, &s) == -1 ||
	    !s.found)) {
		log_warnx("%s/%s belongs to no backup; it is left alone",
		    w->database, name);
		return;
	}
	if (store_remote_remove(w->s, w->database, name, err) == -1) {
		log_warnx("%s", err);
		return;
	}
	if (id != 0)
		catalog_remote_gone(w->s->catalog, id);
	log_info("removed %s/%s, which no remote waits for", w->database,
	    name);
}

static int
sweep_artifact(int dir, const char *name, void *arg)
{
	struct store_orphan	 o;
	struct sweep		*w = arg;
	struct stat		 sb;
	int64_t			 id;

	memset(&o, 0, sizeof(o));
	if (store_is_remote(name))
		sweep_remote(w, dir, name);
	if (!store_is_artifact(name, &o.id, &o.created_ms, o.form))
		return (0);
	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(sb.st_mode))
		return (0);
	id = catalog_by_file(w->s->catalog, w->database, name);
	if (id != 0) {
		file_back(w, id, name, sb.st_size);
		return (0);
	}
	o.size = sb.st_size;
	(void)util_copy(o.database, w->database);
	snprintf(o.file_path, sizeof(o.file_path), "%s/%s/%s", w->s->path,
	    w->database, name);
	w->adopt(&o, w->arg);
	return (0);
}

static int
sweep_folder(int dir, const char *name, store_entry_cb *cb, struct sweep *w)
{
	struct stat	sb;
	char		err[TEXT_BYTES];
	int		fd;

	if ((name[0] == '.' && strcmp(name, STORE_SCRATCH) != 0) ||
	    strlen(name) >= DATABASE_BYTES ||
	    fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISDIR(sb.st_mode))
		return (0);
	if ((fd = store_check_folder(w->s, name, 0, err)) == -1) {
		log_warnx("%s", err);
		return (0);
	}
	w->database = name;
	if (store_each_entry(fd, cb, w) == -1)
		log_warn("cannot look through %s/%s", w->s->path, name);
	close(fd);
	return (0);
}

static int
folder_temporaries(int dir, const char *name, void *arg)
{
	if (store_is_temporary(name)) {
		remove_temporary(dir, name);
		return (0);
	}
	return (sweep_folder(dir, name, sweep_temporary, arg));
}

static int
folder_artifacts(int dir, const char *name, void *arg)
{
	return (sweep_folder(dir, name, sweep_artifact, arg));
}

void
store_sweep(struct store *s, store_adopt_cb *adopt, void *arg)
{
	struct sweep	w;

	memset(&w, 0, sizeof(w));
	w.s = s;
	w.adopt = adopt;
	w.arg = arg;
	w.folder = -1;
	if (store_each_entry(s->fd, folder_temporaries, &w) == -1)
		log_warn("cannot look through %s", s->path);
	sweep_rows(&w, 0, sweep_pending);
	sweep_rows(&w, 1, sweep_completed);
	if (w.folder != -1)
		close(w.folder);
	/* The rows are in order: what has none now is nobody's. */
	if (store_each_entry(s->fd, folder_artifacts, &w) == -1)
		log_warn("cannot look through %s", s->path);
}
