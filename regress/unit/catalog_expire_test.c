/*
 * Tests of the catalog's part in how backups go: what is looked at, what
 * stays when copies go one by one, restores; and that with very many rows
 * only those are read that may still go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "regress/unit/catalog_lib.h"
#include "unit.h"

#define MANY	200000
#define LIVE	100

static struct m_user	nobody;

static int64_t
backup(struct catalog *c, const char *database, int64_t ms, const char *file)
{
	int64_t	id = begin(c, database, nobody, ms);

	prove(c, id, file, 100);
	catalog_published(c, id);
	return (id);
}

static size_t
history(struct catalog *c, const char *database, const char *place)
{
	struct catalog_kept	list[8];

	return (catalog_history(c, database, place, 0, INT64_MAX, list, 8));
}

static void
test_copies(void)
{
	struct catalog		*c = open_it("copies");
	struct catalog_kept	 list[8], *waiting;
	struct catalog_doomed	 d;
	struct m_backup		 b;
	int64_t			 a, z;
	size_t			 n;

	a = backup(c, "shop", 1000, "/b/shop/a.sqlite");
	z = backup(c, "shop", 2000, "/b/shop/z.sqlite");
	(void)backup(c, "till", 3000, "/b/till/t.sqlite");
	catalog_copy_add(c, a, "hq");
	catalog_copy_add(c, a, "offsite");
	ok(catalog_history(c, "shop", PLACE_LOCAL, 0, INT64_MAX, list, 8) ==
	    2 && list[0].id == z && list[1].id == a && list[1].sound &&
	    list[1].completed && strcmp(list[1].waits, "hq,offsite") == 0 &&
	    list[1].size == 100, "what is here, newest first");
	ok(history(c, "shop", "hq") == 0, "what waits is not there yet");
	n = catalog_waiting(c, "shop", &waiting);
	ok(n == 1 && waiting[0].id == a && !waiting[0].uploading &&
	    waiting[0].size == 100, "what waits");
	free(waiting);
	catalog_copy_begin(c, a, "hq");
	n = catalog_waiting(c, "shop", &waiting);
	ok(n == 1 && waiting[0].uploading, "and is being sent");
	free(waiting);
	catalog_copy_done(c, a, "hq", "r1", 1);
	catalog_copy_failed(c, a, "offsite", "no");
	ok(history(c, "shop", "hq") == 1 && catalog_waiting(c, "shop",
	    &waiting) == 0, "it is there");
	free(waiting);
	ok(catalog_newest_proven(c, "shop") == z, "the newest proven one");

	ok(catalog_doom(c, a, PLACE_LOCAL, 5, "why") == 1 &&
	    catalog_doom(c, a, PLACE_LOCAL, 6, "again") == 0,
	    "marked, once");
	ok(history(c, "shop", PLACE_LOCAL) == 1, "and not looked at again");
	ok(catalog_get(c, a, &b) && (b.flags & BACKUP_DOOMED),
	    "lists say that it goes");
	ok(catalog_doomed_next(c, PLACE_LOCAL, INT64_MAX, &d) && d.id == a &&
	    strcmp(d.file_path, "/b/shop/a.sqlite") == 0 &&
	    strcmp(d.why, "why") == 0 &&
	    !catalog_doomed_next(c, PLACE_LOCAL, a, &d), "it is found");
	ok(catalog_copy_removed(c, a, PLACE_LOCAL) == 0 &&
	    catalog_get(c, a, &b) && b.file_path[0] == '\0' &&
	    strcmp(b.status, "failed") == 0 &&
	    strcmp(b.locations, "hq") == 0, "the row stays for the remote");
	ok(catalog_doom(c, a, "hq", -1, "rule") == 1 &&
	    history(c, "shop", "hq") == 0 && catalog_get(c, a, &b) &&
	    !(b.flags & BACKUP_DOOMED) &&
	    !catalog_doomed_next(c, "hq", INT64_MAX, &d),
	    "where nothing can be deleted it is only not looked at again");
	ok(catalog_copy_removed(c, a, "hq") == 1 && !catalog_get(c, a, &b) &&
	    number(c, "SELECT count(*) FROM copies WHERE backup_id = 1") == 0,
	    "with the last copy the row goes, and what failed");

	ok(catalog_pin(c, z, 77) == 1 && catalog_get(c, z, &b) &&
	    b.pinned_ms == 77 && catalog_pin(c, 999, 1) == 0, "a pin");
	catalog_close(c);
}

/* What is left when one copy goes. */
static void
test_last(void)
{
	struct catalog		*c = open_it("last");
	struct catalog_doomed	 d;
	struct m_backup		 b;
	int64_t			 a, z, f;

	a = backup(c, "shop", 1000, "/b/shop/a.sqlite");
	z = backup(c, "shop", 2000, "/b/shop/z.sqlite");
	(void)backup(c, "till", 3000, "/b/till/t.sqlite");
	ok(catalog_spare(c, a, PLACE_LOCAL) && catalog_spare(c, z,
	    PLACE_LOCAL), "each of two can be spared");
	(void)catalog_doom(c, z, PLACE_LOCAL, 5, "why");
	ok(catalog_newest_proven(c, "shop") == a && !catalog_spare(c, a,
	    PLACE_LOCAL) && catalog_spare(c, z, PLACE_LOCAL),
	    "what is being deleted is not counted on");
	catalog_copy_add(c, a, "hq");
	ok(!catalog_spare(c, a, PLACE_LOCAL), "nor what was not sent yet");
	catalog_copy_done(c, a, "hq", "r1", 1);
	ok(catalog_spare(c, a, PLACE_LOCAL) && catalog_spare(c, a, "hq"),
	    "another copy of the same is one");
	(void)catalog_doom(c, a, "hq", -1, "rule");
	ok(catalog_spare(c, a, PLACE_LOCAL), "one that can't be deleted, too");
	ok(catalog_doom(c, a, "hq", 6, "hand") == 1 &&
	    catalog_doomed_next(c, "hq", INT64_MAX, &d) && d.id == a,
	    "until it can be");
	catalog_doom_off(c, a, "hq");
	catalog_doom_off(c, z, PLACE_LOCAL);
	ok(!catalog_doomed_next(c, "hq", INT64_MAX, &d) && catalog_newest_proven(c,
	    "shop") == z, "a mark is taken back");

	catalog_copy_add(c, z, "hq");
	(void)catalog_copy_removed(c, z, PLACE_LOCAL);
	ok(catalog_get(c, z, &b) == 0, "of what was never sent nothing stays");
	f = begin(c, "shop", nobody, 4000);
	catalog_copy_add(c, f, "hq");
	catalog_failed(c, f, "A reason.", VERDICT_NONE, NULL);
	ok(number(c, "SELECT count(*) FROM copies WHERE state = 'pending'") ==
	    0 && catalog_get(c, f, &b) && strcmp(b.reason, "A reason.") == 0,
	    "and of what failed nothing waits");
	catalog_close(c);
}

static void
test_restores(void)
{
	struct catalog		*c = open_it("restores");
	struct catalog_kept	 list[8];
	struct catalog_restore	 r;
	int64_t			 a, s, id;

	a = backup(c, "shop", 1000, "/b/shop/a.sqlite");
	s = backup(c, "shop", 500, "/b/shop/s.sqlite");
	ok(catalog_restore_last(c, "shop", &r) == 0, "no restore");
	id = catalog_restore_begin(c, "shop", a, s);
	ok(catalog_restore_last(c, "shop", &r) == 0,
	    "one that was only begun does not count");
	catalog_restore_done(c, id, 4000);
	ok(catalog_restore_last(c, "shop", &r) == 1 && r.id == id &&
	    r.backup_id == a && r.safety_id == s && r.at_ms == 4000 &&
	    catalog_restore_last(c, "till", &r) == 0, "the last restore");
	ok(catalog_history(c, "shop", PLACE_LOCAL, 1, INT64_MAX, list, 8) ==
	    2 && list[0].id == s && list[0].safety && list[1].id == a &&
	    !list[1].safety,
	    "safety backups, and the newest proven one to count from");
	(void)catalog_doom(c, s, PLACE_LOCAL, 1, "");
	(void)catalog_copy_removed(c, s, PLACE_LOCAL);
	ok(catalog_restore_last(c, "shop", &r) == 1 && r.safety_id == s,
	    "the last restore is remembered without its safety backup");
	s = backup(c, "shop", 600, "/b/shop/s2.sqlite");
	id = catalog_restore_begin(c, "shop", a, s);
	catalog_restore_done(c, id, 5000);
	id = catalog_restore_begin(c, "shop", s, a);
	catalog_restore_done(c, id, 6000);
	(void)catalog_copy_removed(c, s, PLACE_LOCAL);
	ok(number(c, "SELECT count(*) FROM restores") == 2 &&
	    catalog_restore_last(c, "shop", &r) == 1 && r.safety_id == a,
	    "one before it is forgotten");
	catalog_close(c);
}

static double
ms_since(uint64_t us)
{
	return ((double)(util_monotonic_us() - us) / 1000);
}

/* Many that a remote has, and can't delete; a hundred are looked at. */
static void
test_many(void)
{
	struct catalog		*c = open_it("many");
	struct catalog_kept	 list[LIVE + 1], *waiting;
	struct catalog_doomed	 d;
	uint64_t		 us;
	size_t			 n, w;

	(void)run(c, "DROP TRIGGER copies_insert;"
	    "DROP TRIGGER copies_database; DROP TRIGGER backups_insert;"
	    "CREATE TEMP TABLE digits AS WITH RECURSIVE n(i) AS"
	    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
	    " SELECT i FROM n;"
	    "INSERT INTO cloud_backups (id, backup_name, database, verdict,"
	    " locations, created_at, updated_at, created_ms, updated_ms)"
	    " SELECT i, '', 'shop', 'sound', 'hq', '', '', i * 1000, 0"
	    " FROM digits;"
	    "INSERT INTO copies (backup_id, place, state, created_ms,"
	    " updated_ms, database, doomed_ms) SELECT i, 'hq', 'completed',"
	    " 0, 0, 'shop', CASE WHEN i > 199900 THEN 0 ELSE -1 END"
	    " FROM digits;");
	us = util_monotonic_us();
	n = catalog_history(c, "shop", "hq", 0, INT64_MAX, list, LIVE + 1);
	w = catalog_waiting(c, "shop", &waiting);
	free(waiting);
	ok(n == LIVE && w == 0 && catalog_newest_proven(c, "shop") == MANY &&
	    catalog_history(c, "shop", PLACE_LOCAL, 1, INT64_MAX, list,
	    LIVE) == 1 && !catalog_doomed_next(c, PLACE_LOCAL, INT64_MAX, &d),
	    "of %d rows %zu are looked at", MANY, n);
	printf("# all of that in %.1f ms\n", ms_since(us));
	ok(ms_since(us) < 250, "in no time");
	catalog_close(c);
}

int
main(void)
{
	memset(&nobody, 0, sizeof(nobody));
	dir_make("catalog_expire_test");
	test_copies();
	test_last();
	test_restores();
	test_many();
	dir_remove();
	return (tap_end());
}
