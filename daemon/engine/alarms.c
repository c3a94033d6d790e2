/*
 * The engine runs this: alarms about the data itself.  A backup that was
 * proven may be a perfect copy of the wrong file; so each is compared with
 * the one before it, by what the catalog has of both.
 */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/events.h"

#define NAME_SHOWN	64	/* bytes of a table's name */

/*
 * Another inode is another file.  Devices get other numbers when the
 * machine starts; then only a counter that went back tells.
 */
static int
replaced(const struct catalog_traits *old, const struct catalog_traits *new)
{
	if (old->ino == 0 || new->ino == 0)
		return (0);
	return (old->ino != new->ino || (old->dev != new->dev &&
	    new->change_counter < old->change_counter));
}

static void
compare_file(struct engine *e, const char *database,
    const struct catalog_traits *old, const struct catalog_traits *new)
{
	long long	id = (long long)new->id, before = (long long)old->id;
	char		was[16], is[16];

	if (replaced(old, new))
		alarm_raise(e, ALARM_REPLACED, database, "another file stands "
		    "at the path than when backup %lld was taken, and no "
		    "restore put it there; backup %lld is of the new one",
		    before, id);
	if (old->size > 0 && new->size > 0 &&
	    old->application_id != new->application_id)
		alarm_raise(e, ALARM_APPLICATION, database, "the database is "
		    "of another application: its application id was %u in "
		    "backup %lld and is %u in backup %lld",
		    old->application_id, before, new->application_id, id);
	util_size_text(was, (uint64_t)old->size);
	util_size_text(is, (uint64_t)new->size);
	if (new->size == 0 && old->size > 0)
		alarm_raise(e, ALARM_SHRUNK, database, "the database is "
		    "empty; in backup %lld it had %s", before, was);
	else if (new->size < old->size / 2)
		alarm_raise(e, ALARM_SHRUNK, database, "the database shrank "
		    "by more than half: backup %lld has %s, backup %lld has "
		    "%s", before, was, id, is);
}

static void
compare_tables(struct engine *e, const char *database,
    const struct catalog_traits *old, const struct catalog_traits *new)
{
	char	name[NAME_SHOWN];
	int64_t	gone;

	if (old->tables < 0 || new->tables < 0)
		return;
	gone = catalog_tables_gone(e->catalog, old->id, new->id, name,
	    sizeof(name));
	if (gone > 0)
		alarm_raise(e, ALARM_TABLES, database, "%lld of %lld tables "
		    "of backup %lld are not in backup %lld, \"%s\" among "
		    "them", (long long)gone, (long long)old->tables,
		    (long long)old->id, (long long)new->id, name);
}

void
alarms_compare(struct engine *e, int64_t backup_id, const char *database)
{
	struct catalog_traits	old, new;

	if (!catalog_traits(e->catalog, backup_id, &new))
		return;
	if (strcmp(new.verdict, "unknown") == 0)
		alarm_raise(e, ALARM_UNJUDGED, database, "nobody here can "
		    "judge whether backup %lld is sound: its schema uses what "
		    "this SQLite does not know", (long long)new.id);
	if (!catalog_traits_before(e->catalog, backup_id, database, &old))
		return;
	compare_file(e, database, &old, &new);
	compare_tables(e, database, &old, &new);
}

void
alarms_expect_anew(struct engine *e, const char *database)
{
	catalog_expect_anew(e->catalog, database);
}
