/*
 * How backups go: by the rules, by hand, or for want of room.  Each goes in
 * three steps, and a crash between two of them is continued at the next
 * start: the mark in the catalog, the deletion, the row.
 */
#ifndef ENGINE_EXPIRE_H
#define ENGINE_EXPIRE_H

#include "daemon/engine/engine.h"
#include "daemon/engine/retention.h"

/* ---- expire.c: by the rules ---- */

void	expire_init(struct engine *);
void	expire_free(struct engine *);

/* A backup of this database was completed, unpinned, drilled: the rules
 * are applied soon.  Unknown names are ignored. */
void	expire_kick(struct engine *, const char *database);

/* The same of all, and what was marked and could not go yet: an alarm may
 * have held it. */
void	expire_all(struct engine *);

/* Rules, or the remotes that they are for, may be others now. */
void	expire_reloaded(struct engine *);

/* REQ_EXPIRE of somebody with the right on these databases; names->list
 * goes over to it. */
void	expire_request(struct engine *, uint64_t request, int dry,
	    struct names *);

/* The job that uses a backup, or NULL. */
const struct job *expire_user(struct engine *, int64_t backup_id);

/* Deletes the file of a marked local copy, then its row.  0, or -1: it
 * stays marked, and is tried again. */
int	expire_delete_local(struct engine *, const struct catalog_doomed *);

/*
 * A copy was marked, maybe days ago: may it go now?  Not while a job uses
 * it or, unless somebody deleted it by hand, an alarm stands.  The mark is
 * taken back from what was pinned since, or became the last one.
 */
int	expire_may_go(struct engine *, const struct catalog_doomed *,
	    const char *place);
#define EXPIRE_BY_HAND	"somebody deleted it by hand"

/* May, and can, copies at this remote be deleted? */
int	expire_can_delete(const struct conf_remote *);

/* How the rules see it; remote NULL: the local copy. */
void	expire_retained(struct engine *, const struct conf_database *,
	    const struct conf_remote *, int64_t undo_id,
	    const struct catalog_kept *, struct retained *);

/* The safety backup that undo would need now, or 0. */
int64_t	expire_undo_id(struct engine *, const char *database);

/* Is place one of the database's remotes, or of a "local,hq" kind of list
 * any of them? */
const struct conf_target *expire_target(const struct conf_database *,
	    const char *place);

/* ---- expire_remote.c: at remotes that can delete ---- */

/* Has a remote been asked to delete this backup, and not answered? */
int	expire_remote_deletes(int64_t backup_id);

void	expire_remote_changed(struct engine *, const struct conf_remote *);
void	expire_remotes_init(struct engine *);
void	expire_remotes_free(void);

/* Copies were marked: they are deleted, unless a deletion that failed has
 * still to wait. */
void	expire_remotes_kick(struct engine *);

/* NET_DELETED. */
void	expire_deleted(struct engine *, const struct msg *);

/* ---- delete.c: by hand, and what else changes one backup ---- */

void	detail_request(struct engine *, uint64_t request,
	    const struct m_backup *);
void	delete_request(struct engine *, uint64_t request,
	    const struct m_backup *, const struct m_asker *, int force);
void	pin_request(struct engine *, uint64_t request,
	    const struct m_backup *, const struct m_asker *, int pin);

/* ---- spool.c: for want of room ---- */

/*
 * A new artifact of size bytes wants to wait for the database's remotes:
 * makes room below its spool limit.  0; 1 when what is being sent leaves
 * none; or -1 and a sentence when it is larger than the limit.  Size 0:
 * only looks whether the limit holds.
 */
int	spool_admit(struct engine *, const struct conf_database *,
	    uint64_t size, char *err);

/* Before a capture: room for as much as the last one took. */
void	spool_make_room(struct engine *, const struct conf_database *);

/* A backup that found none stays here, and is not queued: the events. */
void	spool_refused(struct engine *, const struct conf_database *,
	    int64_t backup_id);

/* ---- clock_watch.c (H22) ---- */

/* Has the clock jumped ahead?  Then the alarm is raised that stops all
 * expiry.  Called before each decision, and from time to time. */
void	clock_watch(struct engine *);

#endif
