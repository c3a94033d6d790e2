/*
 * What the parts of taking a backup share.
 */
#ifndef ENGINE_CREATE_H
#define ENGINE_CREATE_H

#include "daemon/engine/forms.h"

struct create {
	struct m_req_create	request;
	struct artifact		artifact;	/* the image */
	int			has_artifact;
	int64_t			created_ms;
	struct m_w_captured	captured;
	create_cb		*ended;		/* of a scheduled one */
	void			*arg;
	struct m_w_verified	verified;
	struct tables		tables;		/* of the image */
	struct packed		local;	/* what is kept, where that is
					 * another form; size 0: it is not */
	struct packed		remote;	/* what remotes get, likewise */
	int			remote_image;	/* they get the image, */
	char			remote_error[TEXT_BYTES];	/* or nothing:
					 * why */
};

/* ---- create.c ---- */

/* The answer, and the job's end. */
void	create_finish(struct job *);
void	create_fail(struct job *, const struct m_error *, enum verdict,
	    const char *keep_file);
void	create_fail_text(struct job *, enum err, const char *text);
void	create_tell(struct create *, const struct m_error *);
void	create_task_progress(void *job, const struct m_w_progress *);

/* ---- create_publish.c ---- */

/* The image is captured and checked (v): it is brought into the forms that
 * are configured, gets its name, and goes to remotes. */
void	create_publish(struct job *, const struct m_w_verified *v);

/* Files that have no name of their own go. */
void	create_discard(struct job *);

#endif
