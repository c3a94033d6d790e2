/*
 * Root's powers, in parts: one file per system, caps_SYSTEM.c.  A process
 * of an ordinary user has none, and these do nothing for it.
 */
#ifndef COMMON_CAPS_H
#define COMMON_CAPS_H

#include <sys/types.h>

/*
 * The engine keeps what the table in caps_SYSTEM.c gives a reason for;
 * says in the log what of it this root does not have (a container).
 * Failure is fatal.
 */
void	caps_engine(void);

/*
 * Nothing can be regained later: before root becomes another uid, which
 * takes the rest.  Failure is fatal.
 */
void	caps_last(void);

/*
 * Root becomes uid and gid, and keeps the power to read what others may
 * not, and no other; nothing can be regained.  Where root does not have it
 * he stays root, with nothing but that.  Not root: does nothing.  Failure
 * is fatal.
 */
void	caps_reader(uid_t uid, gid_t gid);

/*
 * What a worker that stays root keeps, for a database of root's.  Failure
 * is fatal.
 */
void	caps_root_owner(void);

#endif
