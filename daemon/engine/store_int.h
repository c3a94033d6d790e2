/*
 * What the files of the store share, and nobody else includes but their
 * test.
 */
#ifndef ENGINE_STORE_INT_H
#define ENGINE_STORE_INT_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdint.h>

#include "daemon/engine/catalog.h"
#include "daemon/engine/store.h"

#define STORE_PATH_MAX		(ARTIFACT_BYTES - DATABASE_BYTES - 64)
#define STORE_REMOTE		"remote."	/* before the form, in what remotes get */
#define STORE_ID_DIGITS		15	/* a number that JSON can hold */

struct store {
	int		 fd;		/* BACKUP_DIR, locked by flock(2) */
	char		*path;		/* absolute, without links */
	char		 uuid[UUID_BYTES];
	struct catalog	*catalog;
};

/* store.c: the installation's name in the directory dir.  1 and the name,
 * 0 there is none, -1 and a sentence; 0 or -1 and a sentence. */
int	store_uuid_valid(const char *uuid);
int	store_uuid_read(int dir, const char *path, char uuid[UUID_BYTES],
	    char *err);
int	store_uuid_write(int dir, const char *path, const char *uuid,
	    char *err);

/* store_key.c: store_key() of the directory dir. */
int	store_key_get(int dir, uint8_t key[STORE_KEY_BYTES], char *err);

/*
 * store_check.c
 *
 * Opens the directory path, made with the parents that it lacks, and
 * checks it and all above.  resolved has PATH_BYTES.  The descriptor, or
 * -1 and a sentence.
 */
int	store_check_path(const char *path, char *resolved, char *err);

/*
 * Opens the folder of a database; make: makes it when it is not there.
 * The descriptor, or -1 with errno and a sentence.
 */
int	store_check_folder(const struct store *, const char *database,
	    int make, char *err);

/* Proves that leases work in the directory.  0, or -1 and a sentence. */
int	store_check_leases(const struct store *, char *err);

/*
 * Makes a file with a temporary name of ours in the directory dir; name
 * has 64 bytes.  The descriptor for reading and writing, or -1 (errno).
 */
int	store_temporary(int dir, int64_t id, char name[64]);

/*
 * Is name ours: ".tmp-<id>-<16 hex>", "<compact time>-<id>.FORM", or
 * "<compact time>-<id>.remote.FORM"?  form has FORM_BYTES.
 */
int	store_is_temporary(const char *name);
int	store_is_artifact(const char *name, int64_t *id, int64_t *created_ms,
	    char *form);
int	store_is_remote(const char *name);

/* store_artifact.c, for store_remote.c: gives a settled artifact the name
 * that a->name has; and opens a regular file of ours in the folder dir. */
int	store_name(struct store *, struct artifact *a, char *err);
int	store_open_regular(int dir, const char *name, struct stat *, char *err);

/*
 * Calls cb for each name in the directory dir but "." and "..".  0, or -1
 * (errno); cb stops it by returning other than 0, which is returned.
 */
typedef int	store_entry_cb(int dir, const char *name, void *arg);
int	store_each_entry(int dir, store_entry_cb *, void *arg);

/* Counts the artifacts in all folders up to one: 1, 0, or -1 (errno). */
int	store_has_artifacts(const struct store *);

#endif
