/*
 * The forms of a backup in the engine: what is stored, and how it is read.
 * Workers do it; the engine names the files and believes nothing that was
 * not read back.
 */
#ifndef ENGINE_FORMS_H
#define ENGINE_FORMS_H

#include "daemon/engine/engine.h"
#include "proto/form.h"

/* ---- forms.c: from the image ---- */

/* The form (FORM_*) that a configuration asks for. */
uint32_t	 forms_of(const struct conf_forms *);

/* What was made: a settled file under a temporary name. */
struct packed {
	struct artifact	 artifact;
	uint32_t	 form;		/* FORM_* */
	uint64_t	 size;		/* of the file, bytes */
	char		 checksum[CHECKSUM_BYTES];	/* of the file */
};

struct pack_order {
	const struct conf_database *database;
	const struct conf_forms *forms;	/* that ask for another form than
					 * the image itself */
	int64_t		 id;		/* for the temporary name */
	int		 image;		/* settled; ours from now on */
	uint64_t	 size;		/* of the image, bytes */
	const char	*checksum;	/* of the image */
	int		 prove;		/* read back what was made */
	int		 sent;		/* a remote gets it next */
	void		(*progress)(void *arg, const struct m_w_progress *);
	/* error: NULL, and *packed is the callee's to publish or discard. */
	void		(*done)(void *arg, const struct packed *,
			    const struct m_error *error);
	void		*arg;
};

/*
 * Makes the file and, if asked to, proves it: what is compressed is
 * decompressed again and must be the image; what is encrypted is read again
 * and must be what was written.  done is called once, perhaps before this returns.
 */
void	pack_start(struct engine *, const struct pack_order *);

/* Opens what a remote gets of this backup, with size and form (FORM_BYTES).
 * A descriptor for reading, or -1 and a sentence. */
int	forms_open_for_remote(struct engine *, const struct m_backup *,
	    uint64_t *size, char *form, char *err);

/* The state of a copy at a remote has changed: the file for remotes goes,
 * when none waits for it. */
void	forms_remote_settle(struct engine *, int64_t backup_id);

/* The local copy goes, and with it what remotes should still get: 0, or -1
 * and a sentence. */
int	forms_remote_drop(struct engine *, int64_t backup_id,
	    const char *database, char *err);

/* What a remote has of this backup: form, size and checksum of the bytes. */
struct forms_copy {
	uint32_t	 form;		/* FORM_UNKNOWN: nobody knows */
	int64_t		 size;		/* bytes; -1: nobody knows */
	const char	*checksum;	/* or "" */
};
void	forms_at_remote(const struct m_backup *, struct forms_copy *);
void	forms_at_local(const struct m_backup *, struct forms_copy *);

/* ---- image.c: back to the image ---- */

struct image_result {
	struct m_error	 error;		/* code E_NONE: */
	int		 fd;		/* the image, settled, for reading;
					 * the callee's to close */
	char		 stored_checksum[CHECKSUM_BYTES];	/* of what was
					 * read; "": it was an image */
};

struct image_order {
	int		 fd;		/* of the stored form, settled; ours
					 * from now on */
	uint32_t	 form;		/* FORM_*, or FORM_UNKNOWN */
	int64_t		 size;		/* of the image; -1: nobody knows */
	int64_t		 id;		/* of the job, for the scratch file */
	const char	*identity;	/* or NULL or ""; it is not kept */
	void		(*progress)(void *arg, const struct m_w_progress *);
	void		(*done)(void *arg, const struct image_result *);
	void		*arg;
};

/*
 * The image of a backup in any form, as a scratch file without name.  A
 * plain one passes through.  done is called once, perhaps before this
 * returns.
 */
void	image_open(struct engine *, const struct image_order *);

/* The form of a file by its first bytes: FORM_AGE says nothing of what is
 * inside. */
uint32_t image_form(int fd);

/* ---- identity.c ---- */

/*
 * Reads the age identities in a file of an administrator, which only the
 * daemon's user can read.  dst has IDENTITY_BYTES; the caller wipes it.
 * 0, or -1 and a sentence.
 */
int	identity_load(const char *path, char *dst, char *err);

#endif
