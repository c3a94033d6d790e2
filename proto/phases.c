/*
 * Engine and front run this: the names of where time goes.
 */
#include "proto/phases.h"

static const char *const	keys[] = {
#define PHASE(token, key, help)			key,
#define BACKUP_PHASE(token, key, column, help)	key,
#include "proto/phases.def"
#undef BACKUP_PHASE
#undef PHASE
};

const char *
phase_key(enum phase phase)
{
	return (keys[phase]);
}
