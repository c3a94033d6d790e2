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
	uint32_t		path_turn;	/* of the database, then */
	struct m_w_captured	captured;
	create_cb		*ended;		/* of a scheduled one */
	void			*arg;
	struct m_w_verified	verified;
	int			checking;	/* the image, and */
	int			packing;	/* the local form: at once */
	struct m_error		check_error;	/* E_NONE: none */
	struct m_error		pack_error;
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

/* ---- create_publish.c ---- */

/* The image is captured: it is brought into the form that is kept here, if
 * that is another, also while it is still checked. */
void	create_pack(struct job *);

/* When neither is at work any more: what came of them decides whether it is
 * brought into the form for remotes, gets its name, and goes to them. */
void	create_publish(struct job *);

/* Files that have no name of their own go. */
void	create_discard(struct job *);

#endif
