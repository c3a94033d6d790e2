/*
 * What gathers the writes of a -wal, over a VFS that writes down all that
 * others could see, and fails where it is told to: the -wal is the same,
 * byte for byte, whenever SQLite does more than append to it; and an error
 * is never lost.
 */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "daemon/worker/gather.h"
#include "regress/unit/unit.h"

#define LIVE		"live.db"
#define PAGE_BYTES	4096
#define EVENTS		20000

/* ---- the VFS below ---- */

struct file {
	sqlite3_file	 base;
	sqlite3_file	*real;
};

struct seen {
	int		what, a, b, c;
	int64_t		size;		/* of the -wal then */
	uint64_t	hash;
};

static sqlite3_vfs	*unix_vfs;
static sqlite3_file	*wal;		/* that of unix_vfs */
static struct seen	 seen[2][EVENTS], *now;
static int		 nseen;
static int		 writes, fail_at, fail_often, syncs, sync_fail_at;
static int		 failed;	/* so often */
static const char	*synchronous = "full";

static sqlite3_file *
real(sqlite3_file *f)
{
	return (((struct file *)f)->real);
}

static uint64_t
hash_of(const uint8_t *p, size_t n, uint64_t h)
{
	while (n-- > 0)
		h = (h ^ *p++) * UINT64_C(1099511628211);
	return (h);
}

/* That it happens, and what the -wal is then. */
static void
note(int what, int a, int b, int c)
{
	static uint8_t	 buf[65536];
	struct seen	*s;
	sqlite3_int64	 size, off;
	int		 n;

	if (now == NULL || nseen == EVENTS)
		return;
	s = &now[nseen++];
	memset(s, 0, sizeof(*s));
	s->what = what;
	s->a = a;
	s->b = b;
	s->c = c;
	s->hash = UINT64_C(14695981039346656037);
	if (what == 'r' || wal == NULL ||
	    wal->pMethods->xFileSize(wal, &size) != SQLITE_OK)
		return;
	s->size = size;
	for (off = 0; off < size; off += n) {
		n = size - off < (int)sizeof(buf) ? (int)(size - off) :
		    (int)sizeof(buf);
		(void)wal->pMethods->xRead(wal, buf, n, off);
		s->hash = hash_of(buf, (size_t)n, s->hash);
	}
}

static int
l_close(sqlite3_file *f)
{
	if (real(f) == wal)
		wal = NULL;
	return (real(f)->pMethods->xClose(real(f)));
}

static int
l_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
	int	rc = real(f)->pMethods->xRead(real(f), buf, n, off);

	if (real(f) == wal && now != NULL && nseen < EVENTS) {
		note('r', (int)off, n, rc);
		now[nseen - 1].hash = hash_of(buf, (size_t)n, 1);
	}
	return (rc);
}

/* A disk that becomes full takes a part of it. */
static int
l_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
	if (real(f) == wal && ++writes >= fail_at && fail_at != 0 &&
	    writes < fail_at + fail_often) {
		failed++;
		(void)real(f)->pMethods->xWrite(real(f), buf, n / 2, off);
		return (SQLITE_FULL);
	}
	return (real(f)->pMethods->xWrite(real(f), buf, n, off));
}

static int
l_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (real(f) == wal)
		note('t', (int)size, 0, 0);
	return (real(f)->pMethods->xTruncate(real(f), size));
}

static int
l_sync(sqlite3_file *f, int flags)
{
	if (real(f) == wal) {
		note('s', flags, 0, 0);
		if (++syncs == sync_fail_at) {
			failed++;
			return (SQLITE_IOERR_FSYNC);
		}
	}
	return (SQLITE_OK);	/* no power fails here */
}

static int
l_size(sqlite3_file *f, sqlite3_int64 *size)
{
	if (real(f) == wal)
		note('z', 0, 0, 0);
	return (real(f)->pMethods->xFileSize(real(f), size));
}

static int
l_lock(sqlite3_file *f, int level)
{
	return (real(f)->pMethods->xLock(real(f), level));
}

static int
l_unlock(sqlite3_file *f, int level)
{
	return (real(f)->pMethods->xUnlock(real(f), level));
}

static int
l_reserved(sqlite3_file *f, int *result)
{
	return (real(f)->pMethods->xCheckReservedLock(real(f), result));
}

static int
l_control(sqlite3_file *f, int op, void *arg)
{
	return (real(f)->pMethods->xFileControl(real(f), op, arg));
}

static int
l_sector(sqlite3_file *f)
{
	return (real(f)->pMethods->xSectorSize(real(f)));
}

static int
l_device(sqlite3_file *f)
{
	return (real(f)->pMethods->xDeviceCharacteristics(real(f)));
}

static int
l_shm_map(sqlite3_file *f, int region, int size, int extend,
    void volatile **p)
{
	note('m', region, size, extend);
	return (real(f)->pMethods->xShmMap(real(f), region, size, extend, p));
}

static int
l_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	note('l', at, n, flags);
	return (real(f)->pMethods->xShmLock(real(f), at, n, flags));
}

static void
l_shm_barrier(sqlite3_file *f)
{
	note('b', 0, 0, 0);
	real(f)->pMethods->xShmBarrier(real(f));
}

static int
l_shm_unmap(sqlite3_file *f, int delete)
{
	note('u', delete, 0, 0);
	return (real(f)->pMethods->xShmUnmap(real(f), delete));
}

static const sqlite3_io_methods	methods = {
	2, l_close, l_read, l_write, l_truncate, l_sync, l_size, l_lock,
	l_unlock, l_reserved, l_control, l_sector, l_device, l_shm_map,
	l_shm_lock, l_shm_barrier, l_shm_unmap, NULL, NULL
};

static int
l_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	struct file	*file = (struct file *)f;
	int		 rc;

	(void)vfs;
	f->pMethods = NULL;
	file->real = (sqlite3_file *)(file + 1);
	rc = unix_vfs->xOpen(unix_vfs, name, file->real, flags, out);
	if (rc != SQLITE_OK)
		return (rc);
	f->pMethods = &methods;
	if (flags & SQLITE_OPEN_WAL)
		wal = file->real;
	return (SQLITE_OK);
}

/* So that two -wal files can be the same. */
static int
l_random(sqlite3_vfs *vfs, int n, char *p)
{
	(void)vfs;
	memset(p, 0, (size_t)n);
	return (n);
}

static void
lower_register(void)
{
	static sqlite3_vfs	vfs;

	unix_vfs = sqlite3_vfs_find("unix");
	vfs = *unix_vfs;
	vfs.pNext = NULL;
	vfs.zName = "lower";
	vfs.szOsFile += (int)sizeof(struct file);
	vfs.xOpen = l_open;
	vfs.xRandomness = l_random;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK ||
	    gather_register("lower") != SQLITE_OK)
		exit(1);
}

/* ---- databases ---- */

static sqlite3 *
opened(const char *path, const char *vfs)
{
	sqlite3	*db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, vfs) != SQLITE_OK ||
	    sqlite3_wal_autocheckpoint(db, 0) != SQLITE_OK)
		exit(1);
	sqlite3_busy_timeout(db, 1000);
	(void)sqlite3_exec(db, "PRAGMA synchronous=off", NULL, NULL, NULL);
	return (db);
}

static int
sql(sqlite3 *db, const char *fmt, ...)
{
	va_list	 ap;
	char	*text;
	int	 rc;

	va_start(ap, fmt);
	text = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	sqlite3_free(text);
	return (rc);
}

/* The first value of the first row. */
static int
value(const char *path, const char *query)
{
	sqlite3		*db = opened(path, "unix");
	sqlite3_stmt	*st = NULL;
	int		 n = -1;

	if (sqlite3_prepare_v2(db, query, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return (n);
}

/* version: in each row, and the user_version. */
static void
made(const char *path, int rows, int version, const char *mode)
{
	sqlite3	*db;

	(void)unlink(path);
	db = opened(path, "unix");
	if (sql(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER "
	    "PRIMARY KEY, v, b); CREATE INDEX i ON t(b); WITH RECURSIVE "
	    "c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %d) "
	    "INSERT INTO t SELECT x, %d, hex(zeroblob(x %% 700)) || (x * "
	    "2654435761 %% 100003) FROM c; PRAGMA user_version=%d", mode,
	    rows, version, version) != SQLITE_OK)
		exit(1);
	sqlite3_close(db);
}

static void
copied(const char *from, const char *to)
{
	char	buf[512];

	snprintf(buf, sizeof(buf), "cp %s %s && rm -f %s-wal %s-shm", from,
	    to, to, to);
	if (system(buf) != 0)
		exit(1);
}

/* The whole of version, or something else. */
static int
holds(const char *path, int version)
{
	char	query[128];

	snprintf(query, sizeof(query), "SELECT count(*) = 0 FROM t WHERE "
	    "v <> %d", version);
	return (value(path, "SELECT integrity_check = 'ok' FROM "
	    "pragma_integrity_check") == 1 &&
	    value(path, "PRAGMA user_version") == version &&
	    value(path, query) == 1);
}

/* ---- what is done ---- */

static int	told, told_wrong;

/* What is told of is in the file. */
static void
on_written(void *arg, uint64_t bytes)
{
	sqlite3_int64	size = 0;

	(void)wal->pMethods->xFileSize(wal, &size);
	told_wrong += arg != &told || bytes > (uint64_t)size;
	told++;
}

/* Puts image over it, as a restore does; stop: gives up after so many
 * steps, with gather_end left to the caller; 0: never.  The code at the
 * end. */
static int
restored(sqlite3 *db, const char *image, int gathered, int stop)
{
	sqlite3		*from = opened(image, "unix");
	sqlite3_backup	*b;
	int		 rc, end, i = 0;

	b = sqlite3_backup_init(db, "main", from, "main");
	rc = sqlite3_backup_step(b, 0);
	if (gathered && gather_begin(PAGE_BYTES) == -1)
		exit(1);
	while (rc == SQLITE_OK && (stop == 0 || i++ < stop))
		rc = sqlite3_backup_step(b, 7);
	end = sqlite3_backup_finish(b);
	if (stop == 0)
		gather_end();
	sqlite3_close(from);
	return (rc == SQLITE_DONE ? end : rc);
}

/* A transaction that writes the same pages again and again, and takes a
 * part of it back. */
static int
changed(sqlite3 *db, int gathered)
{
	int	i, rc;

	rc = sql(db, "BEGIN IMMEDIATE");
	if (gathered && gather_begin(PAGE_BYTES) == -1)
		exit(1);
	for (i = 0; rc == SQLITE_OK && i < 6; i++)
		rc = sql(db, "UPDATE t SET b = b || 'x', v = %d WHERE a %% 3 "
		    "= %d", i + 2, i % 3);
	if (rc == SQLITE_OK)
		rc = sql(db, "SAVEPOINT s; UPDATE t SET b = 'gone' || a; "
		    "ROLLBACK TO s; UPDATE t SET v = 2; PRAGMA "
		    "user_version=2; COMMIT");
	if (!sqlite3_get_autocommit(db))
		(void)sql(db, "ROLLBACK");
	gather_end();
	return (rc);
}

static int
done(sqlite3 *db, const char *image, int gathered)
{
	return (image != NULL ? restored(db, image, gathered, 0) :
	    changed(db, gathered));
}

/* A reader that stays, a log that has frames already, a small cache. */
static sqlite3 *
begun(const char *live, int gathered, int frames, sqlite3 **reader)
{
	sqlite3	*db;

	copied(live, LIVE);
	sqlite3_randomness(0, NULL);
	*reader = opened(LIVE, "unix");
	if (frames)
		(void)sql(*reader, "UPDATE t SET b = b || 'y' WHERE a %% 9 "
		    "= 1");
	(void)sql(*reader, "BEGIN; SELECT count(*) FROM t");
	db = opened(LIVE, gathered ? GATHER_VFS : "lower");
	(void)sql(db, "PRAGMA cache_size=10; PRAGMA synchronous=%s",
	    synchronous);
	nseen = writes = syncs = failed = 0;
	return (db);
}

static void
ended(sqlite3 *db, sqlite3 *reader)
{
	now = NULL;
	fail_at = sync_fail_at = 0;
	sqlite3_close(db);
	sqlite3_close(reader);
}

static void
compare(const char *live, const char *image, int frames, const char *what)
{
	sqlite3	*db, *reader;
	int	 g, n[2], w[2], first = -1, i, rc[2];

	for (g = 0; g < 2; g++) {
		db = begun(live, g, frames, &reader);
		now = seen[g];
		rc[g] = done(db, image, g);
		n[g] = nseen;
		w[g] = writes;
		ended(db, reader);
		ok(rc[g] == SQLITE_OK && holds(LIVE, 2), "%s: it is done%s",
		    what, g ? ", gathered" : "");
	}
	for (i = 0; i < n[0] && i < n[1] && first == -1; i++) {
		if (memcmp(&seen[0][i], &seen[1][i], sizeof(seen[0][i])) != 0)
			first = i;
	}
	if (first != -1)
		printf("# event %d: %c %d %d %d size %lld, gathered %c %d %d "
		    "%d size %lld\n", first, seen[0][first].what,
		    seen[0][first].a, seen[0][first].b, seen[0][first].c,
		    (long long)seen[0][first].size, seen[1][first].what,
		    seen[1][first].a, seen[1][first].b, seen[1][first].c,
		    (long long)seen[1][first].size);
	ok(n[0] == n[1] && n[0] > 10 && n[0] < EVENTS && first == -1,
	    "%s: what others see is the same, %d and %d events", what, n[0],
	    n[1]);
	ok(image == NULL ? w[1] < w[0] : w[1] * 4 < w[0],
	    "%s: by fewer writes, %d for %d", what, w[1], w[0]);
}

/* Who watches hears of what is written, until he watches no more. */
static void
watched(const char *live, const char *image)
{
	sqlite3	*db, *reader;
	int	 rc;

	db = begun(live, 1, 1, &reader);
	gather_watch(on_written, &told);
	rc = restored(db, image, 1, 0);
	ok(rc == SQLITE_OK && told > 0 && told <= writes && told_wrong == 0,
	    "who watches is told, %d times (%d wrong)", told, told_wrong);
	gather_watch(NULL, NULL);
	told = 0;
	rc = restored(db, image, 1, 0);
	ended(db, reader);
	ok(rc == SQLITE_OK && told == 0 && holds(LIVE, 2),
	    "and then no more");
}

/* The k-th write, or sync, fails, for each of them. */
static void
faults(const char *live, const char *image, int often, int sync,
    const char *what)
{
	sqlite3	*db, *reader;
	int	 k, n = 0, rc, wrong = 0, other = 0;

	/* Of many writes not each is tried. */
	for (k = 1;; k += image == NULL && k < 140 ? 5 : 1, n++) {
		db = begun(live, 1, often == 1, &reader);
		*(sync ? &sync_fail_at : &fail_at) = k;
		fail_often = often;
		rc = done(db, image, 1);
		fail_at = sync_fail_at = 0;
		if (failed == 0) {
			ended(db, reader);
			break;
		}
		if (rc == SQLITE_OK || !holds(LIVE, 1))
			wrong++;
		if (!sync && (rc & 0xff) != SQLITE_FULL)
			other++;
		/* What was not written then is not written later. */
		(void)sql(reader, "COMMIT");
		if (sql(reader, "UPDATE t SET v = 3; PRAGMA user_version=3") !=
		    SQLITE_OK)
			wrong++;
		ended(db, reader);
		if (!holds(LIVE, 3))
			wrong++;
	}
	ok(n > 0 && wrong == 0 && rc == SQLITE_OK && holds(LIVE, 2),
	    "%s: each of %d fails, and the old content stands (%d not)",
	    what, n, wrong);
	ok(other == 0, "%s: and says that the disk is full", what);
}

static void
given_up(const char *live, const char *image)
{
	sqlite3	*db, *reader;
	int	 stop, wrong = 0;

	for (stop = 1; stop < 12; stop++) {
		db = begun(live, 1, stop % 2, &reader);
		(void)restored(db, image, 1, stop);
		(void)sql(reader, "COMMIT");
		if (sql(reader, "UPDATE t SET v = 3; PRAGMA "
		    "user_version=3") != SQLITE_OK ||
		    sql(db, "SELECT count(*) FROM t") != SQLITE_OK ||
		    !holds(LIVE, 3))
			wrong++;
		gather_end();
		if (restored(db, image, 1, 0) != SQLITE_OK || !holds(LIVE, 2))
			wrong++;
		ended(db, reader);
		if (!holds(LIVE, 2))
			wrong++;
	}
	ok(wrong == 0, "given up in the middle: others write, and it can be "
	    "done again (%d not)", wrong);
}

int
main(void)
{
	char	dir[] = "/tmp/gather_test.XXXXXX", cmd[64];

	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (1);
	lower_register();
	made("small", 150, 1, "wal");
	made("large", 600, 1, "wal");
	made("few", 100, 2, "delete");
	made("many", 700, 2, "delete");

	compare("small", "many", 0, "a larger image");
	compare("large", "few", 0, "a smaller image");
	compare("large", "many", 1, "a log with frames");
	compare("small", NULL, 0, "a transaction of SQL");
	compare("large", NULL, 1, "a larger one");
	faults("small", "many", 1, 0, "a write fails once");
	faults("large", "many", 1 << 30, 0, "the disk stays full");
	faults("small", NULL, 1, 0, "a write of SQL fails once");
	faults("small", "many", 1, 1, "a sync fails");
	given_up("large", "many");
	watched("large", "many");
	/* Then no sync comes before others see the commit. */
	synchronous = "normal";
	compare("small", "many", 0, "synchronous=normal");
	compare("large", NULL, 1, "synchronous=normal, SQL");
	faults("small", "many", 1, 0, "synchronous=normal, a write fails");
	faults("small", NULL, 1 << 30, 0, "the same, of SQL");

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (chdir("/") == -1 || system(cmd) != 0)
		return (1);
	return (tap_end());
}
