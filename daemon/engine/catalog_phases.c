/*
 * The engine runs this: where the time of a backup went, as the catalog
 * keeps it: a column for each phase of proto/phases.def that is a backup's,
 * and with each copy how long it took to send it.
 */
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/catalog_int.h"

static const enum phase	kept[] = {
#define PHASE(token, key, help)
#define BACKUP_PHASE(token, key, column, help)	PHASE_##token,
#include "proto/phases.def"
#undef BACKUP_PHASE
#undef PHASE
};

void
catalog_phases_set(struct catalog *c, int64_t id, const struct m_phases *m)
{
	sqlite3_stmt	*st;
	size_t		 i;

	st = catalog_stmt(c, SQL_PHASES_SET);
	for (i = 0; i < nitems(kept); i++)
		catalog_int(c, st, 1 + (int)i, (int64_t)m->us[kept[i]]);
	catalog_int(c, st, 1 + (int)i, id);
	(void)catalog_run(c, st);
}

void
catalog_phases_get(struct catalog *c, int64_t id, struct m_phases *m)
{
	sqlite3_stmt	*st;
	size_t		 i;

	memset(m, 0, sizeof(*m));
	st = catalog_stmt(c, SQL_PHASES_GET);
	catalog_int(c, st, 1, id);
	if (catalog_row(c, st)) {
		m->us[PHASE_UPLOAD] = (uint64_t)sqlite3_column_int64(st, 0);
		for (i = 0; i < nitems(kept); i++)
			m->us[kept[i]] = (uint64_t)sqlite3_column_int64(st,
			    1 + (int)i);
	}
	(void)sqlite3_reset(st);
}
