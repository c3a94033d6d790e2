/*
 * What the catalog's two unit programs share: a directory of their own,
 * and short ways to fill and to ask a catalog.
 */
#ifndef REGRESS_UNIT_CATALOG_LIB_H
#define REGRESS_UNIT_CATALOG_LIB_H

#include "daemon/engine/catalog_int.h"

#define UUID_TEXT	"0f8fad5b-d9cb-469f-a165-70867728950e"

/* Makes the directory, and removes it with all that is in it. */
void		 dir_make(const char *program);
void		 dir_remove(void);
/* A path in it; one of four static buffers. */
const char	*in_dir(const char *name);

/* Opens, or ends the program. */
struct catalog	*open_it(const char *name);
/* The first column of the first row, by the catalog's own connection. */
int64_t		 number(struct catalog *, const char *sql);
/* SQLite's result; what was wrong is printed. */
int		 run(struct catalog *, const char *sql);

struct m_user	 user(uint32_t kind, const char *id);
/* A new row: its id. */
int64_t		 begin(struct catalog *, const char *database, struct m_user,
		    int64_t created_ms);
/* Captured, verified, sound. */
void		 prove(struct catalog *, int64_t id, const char *path,
		    uint64_t size);

#endif
