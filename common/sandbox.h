/*
 * Confinement by the kernel: which files a process can name, which system
 * calls it can make.  The rules of a system are in its file,
 * sandbox_SYSTEM.c; sandbox_none.c is for those that have none.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stddef.h>

/* Who confines itself, and for what. */
enum sandbox_step {
	SANDBOX_ENGINE,
	SANDBOX_FRONT,
	SANDBOX_NETWORK,
	SANDBOX_OWNER,		/* a worker, at work on a live database */
	SANDBOX_CHECK,		/* a worker that parses what nobody vouches
				 * for */
	SANDBOX_LOOKER,		/* sees every file, and does nothing else */
	SANDBOX_STEPS
};

enum sandbox_mode {
	SANDBOX_ON,		/* all that this system has */
	SANDBOX_REQUIRED,	/* a layer that is missing is an error */
	SANDBOX_LOG		/* forbidden calls are logged by the kernel,
				 * and work: for porting */
};

/* Layers: what holds, as sandbox_enter gives it. */
#define SANDBOX_FILES	0x01		/* files that can be named */
#define SANDBOX_CALLS	0x02		/* system calls */

#define SANDBOX_READ	0x01		/* read files */
#define SANDBOX_WRITE	0x02		/* write, make and remove files */

struct sandbox_path {
	int		 fd;		/* of a file or directory; O_PATH will
					 * do */
	const char	*path;		/* the same, for systems that go by
					 * names */
	int		 rights;	/* SANDBOX_* */
};

/* "on", "required", "log"; -1 when name is none of them. */
int		 sandbox_mode_parse(const char *name, enum sandbox_mode *);
const char	*sandbox_mode_name(enum sandbox_mode);

/* What this process's sandbox_enter goes by; SANDBOX_ON until then. */
void		 sandbox_mode_set(enum sandbox_mode);

/*
 * From here on this process can name only files below the n paths, with
 * their rights, and can make only the calls of its step; descriptors that
 * are open stay usable.  There is no way back.  Logs one line that says
 * what holds (workers: when verbose), with root, the directory that was
 * made the file system's, or NULL.  Returns the layers in force, or -1
 * with errno: ENOTSUP when one is missing that the mode requires.
 */
int		 sandbox_enter(enum sandbox_step,
		    const struct sandbox_path *paths, size_t n,
		    const char *root);

/* ---- one file per system ---- */

struct sandbox_state {
	int	layers, wanted;
	char	text[160];		/* ", this, and that" */
};

/* 0 and *state, or -1 with errno. */
int		 sandbox_system(enum sandbox_step, int log_only,
		    const struct sandbox_path *, size_t n,
		    struct sandbox_state *state);

/* Adds to state->text. */
void		 sandbox_tell(struct sandbox_state *, const char *, ...)
		    __attribute__((__format__ (printf, 2, 3)));

#endif
