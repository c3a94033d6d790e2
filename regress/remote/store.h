/*
 * What was uploaded: DIR/<id>.sqlite and DIR/<id>.json.
 */
#ifndef REGRESS_REMOTE_STORE_H
#define REGRESS_REMOTE_STORE_H

#include <stddef.h>
#include <stdint.h>

struct json_object;
struct evp_md_ctx_st;

#define STORE_ID_BYTES		32
#define STORE_TEXT_BYTES	2048

/* One upload under way. */
struct upload {
	char			 id[STORE_ID_BYTES];
	int			 fd;		/* -1: no file part yet */
	uint64_t		 size;		/* bytes of the file so far */
	struct evp_md_ctx_st	*md;		/* NULL without -S */
	char			 user[STORE_TEXT_BYTES];
	char			 device[STORE_TEXT_BYTES];
	char			 name[STORE_TEXT_BYTES];
	char			 description[STORE_TEXT_BYTES];
	char			 filename[STORE_TEXT_BYTES];
	char			 type[STORE_TEXT_BYTES];
};

/* Opens dir (kept by the caller), forgets uploads that a former run did
 * not finish, and goes on counting ids.  Fatal on failure. */
void	store_init(const char *dir, int hash);

/*
 * upload_open begins the file; upload_write appends; upload_commit gives
 * it its name and returns the metadata, to be put by the caller;
 * upload_drop undoes everything and may always be called last.  -1 (or
 * NULL) and errno on failure.
 */
void	upload_init(struct upload *);
int	upload_open(struct upload *);
int	upload_write(struct upload *, const void *, size_t);
struct json_object *upload_commit(struct upload *);
void	upload_drop(struct upload *);

/* The metadata of a user's backups, newest first: an array, to be put by
 * the caller. */
struct json_object *store_list(const char *user);

/*
 * Opens a backup for reading: a descriptor for the caller to close, its
 * size and metadata (to be put); -1 when there is none of this id.
 */
int	store_open(const char *id, uint64_t *size, struct json_object **meta);

/* Appends a line to DIR/requests.log in one write. */
void	store_log(const char *line);

#endif
