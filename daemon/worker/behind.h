/*
 * Writing behind: a thread of the worker has the kernel bring to the disk
 * what was just written to a file, so that whoever writes does not wait for
 * the disk, the fsync(2) at the end is short, and the machine's memory does
 * not fill with what is to be written, which would stall others.  The disk
 * has no more of it to do at a time than it needs to stay busy: others who
 * wait for it wait behind that much, and not behind all of the file.
 *
 * A writer that wants to disturb others even less does without the thread.
 */
#ifndef WORKER_BEHIND_H
#define WORKER_BEHIND_H

#include <stdint.h>

struct behind;

/* fd stays the caller's.  NULL without memory or a thread. */
struct behind	*behind_start(int fd);

/* So many bytes are written now.  Waits while the disk is far behind. */
void		 behind_advance(struct behind *, uint64_t bytes);

/*
 * From here on whoever calls behind_advance brings to the disk himself what
 * he wrote, and waits for it: he writes no faster than the disk, and of two
 * threads one waits for the other.
 */
void		 behind_alone(struct behind *);

/* Ends it, wherever it is, and frees it.  0, or the errno with which the
 * disk did not take something; nobody else is told of that. */
int		 behind_end(struct behind *);

/* What of the first `bytes` is not on the disk yet, by the caller itself;
 * little is left for fsync(2) then.  0, or an errno as of behind_end. */
int		 behind_rest(int fd, uint64_t bytes);

#endif
