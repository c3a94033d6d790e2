/*
 * When a database's backups are due: nothing but arithmetic on times that
 * are given (ms since the epoch), in the local time zone of this process.
 *
 * A slot is a time that a schedule names; a run is due a little after its
 * slot, by the jitter, which is always the same for one database of one
 * installation.
 */
#ifndef ENGINE_SCHEDULE_TIME_H
#define ENGINE_SCHEDULE_TIME_H

#include <stdint.h>

#include "daemon/engine/conf.h"

/* The first slot after after_ms; the last one that is not after now_ms. */
int64_t	schedule_next(const struct conf_schedule *, int64_t after_ms);
int64_t	schedule_last(const struct conf_schedule *, int64_t now_ms);

/* How far its slots are apart, at least: an interval, a day, a week. */
int64_t	schedule_interval_ms(const struct conf_schedule *);

/* By how much the runs of this database come after their slots; uuid: of
 * the installation.  Less than the interval. */
int64_t	schedule_jitter_ms(const struct conf_database *,
	    const struct conf_schedule *, const char *uuid);

/*
 * Of all schedules of a database: the slot for which a run is due now, or
 * 0 when it ran for that one already (ran_slot_ms, 0: never) and waits;
 * and *next_ms, when the next run after that is due.
 */
int64_t	schedule_due(const struct conf_database *, const char *uuid,
	    int64_t ran_slot_ms, int64_t now_ms, int64_t *next_ms);

#endif
