/*
 * The table of where time goes (phases.def).
 */
#ifndef PROTO_PHASES_H
#define PROTO_PHASES_H

#include <stdint.h>

enum phase {
#define PHASE(token, key, help)			PHASE_##token,
#define BACKUP_PHASE(token, key, column, help)	PHASE_##token,
#include "proto/phases.def"
#undef BACKUP_PHASE
#undef PHASE
	PHASE_COUNT
};

/* Microseconds by phase; 0: it was not reached. */
struct m_phases {
	uint64_t	us[PHASE_COUNT];
};

/* "lock_wait"; phase is one of them.  Static. */
const char	*phase_key(enum phase);

#endif
