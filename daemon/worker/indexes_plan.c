/*
 * Workers run this: which indexes of an image can be proven in one pass
 * each.  It owns the plan; whatever is unusual makes it leave the table,
 * or all, to SQLite.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/worker/indexes_plan.h"

#define PARTIAL_CHECK	3033000		/* integrity_check of one table */
#define VIRTUAL_CHECK	3044000		/* it looks into virtual ones, too */
#define COLUMNS_MAX	200		/* of a table's sql */

struct making {
	sqlite3		*db;
	struct table	*table;
	const char	*rowid;		/* a name that is no column's */
	sqlite3_str	*rows;		/* the table's sql */
	int		 columns;	/* of it */
	int		 last;		/* cid of an index's last value */
};

static sqlite3_stmt *
query(sqlite3 *db, const char *format, const char *name)
{
	sqlite3_stmt	*st = NULL;
	char		*sql = sqlite3_mprintf(format, name);

	if (sql == NULL ||
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
		sqlite3_finalize(st);
		st = NULL;
	}
	sqlite3_free(sql);
	return (st);
}

static const char *
text(sqlite3_stmt *st, int column)
{
	const char	*p = (const char *)sqlite3_column_text(st, column);

	return (p == NULL ? "" : p);
}

/* ---- one table ---- */

/*
 * Which of the rowid's names is none of a column's, and, as the last of
 * the select list's beginning, the last column: what it takes to find it
 * shows that the whole head of the record can be read.  0, or -1.
 */
static int
columns(struct making *m)
{
	static const char *const	names[] = { "rowid", "oid",
					    "_rowid_" };
	sqlite3_stmt			*st;
	unsigned			 taken = 0;
	char				*last = NULL;
	size_t				 i;
	int				 rc, hidden = 0, key = 0;

	if ((st = query(m->db, "PRAGMA table_xinfo(\"%w\")",
	    m->table->name)) == NULL)
		return (-1);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		hidden |= sqlite3_column_int(st, 6);
		key = sqlite3_column_int(st, 5);
		for (i = 0; i < nitems(names); i++) {
			if (sqlite3_stricmp(text(st, 1), names[i]) == 0)
				taken |= 1U << i;
		}
		sqlite3_free(last);
		last = sqlite3_mprintf("%s", text(st, 1));
	}
	sqlite3_finalize(st);
	for (i = 0; i < nitems(names) && taken & 1U << i; i++)
		;
	/* A key might be the rowid, which is not in the record. */
	if (rc != SQLITE_DONE || hidden || key || last == NULL ||
	    i == nitems(names)) {
		sqlite3_free(last);
		return (-1);
	}
	m->rowid = names[i];
	sqlite3_str_appendf(m->rows, "SELECT typeof(\"%w\")", last);
	m->columns = 1;
	sqlite3_free(last);
	return (0);
}

static void
name_add(sqlite3_str *sql, const char *before, const char *name, int bare)
{
	sqlite3_str_appendf(sql, bare ? "%s %s" : "%s \"%w\"", before, name);
}

/* One value of an index's entries: a row of index_xinfo.  0, or -1. */
static int
value(struct making *m, struct index *x, sqlite3_stmt *st, sqlite3_str *sql)
{
	struct index_order	*o = &x->order;
	int			 cid = sqlite3_column_int(st, 1);
	const char		*name = cid == -1 ? m->rowid : text(st, 2);
	const char		*collation = text(st, 4);

	if (cid < -1 || o->n >= INDEX_VALUES || m->columns >= COLUMNS_MAX)
		return (-1);
	if (sqlite3_stricmp(collation, "NOCASE") == 0)
		o->nocase[o->n] = 1;
	else if (sqlite3_stricmp(collation, "BINARY") != 0)
		return (-1);
	o->descending[o->n] = sqlite3_column_int(st, 3) != 0;
	if (sqlite3_column_int(st, 5)) {
		if (o->nkey != o->n)
			return (-1);
		o->nkey++;
	}
	/* In quotes the rowid of a table without would be a text. */
	name_add(sql, o->n == 0 ? "SELECT" : ",", name, cid == -1);
	name_add(m->rows, ",", name, cid == -1);
	o->n++;
	m->columns++;
	m->last = cid;
	return (cid == -1 && sqlite3_column_int(st, 5) ? -1 : 0);
}

/* Do its values come from it, and from nowhere else? */
static int
is_covering(sqlite3 *db, const char *sql)
{
	sqlite3_stmt	*st;
	const char	*how;
	int		 rv = 0;

	if ((st = query(db, "EXPLAIN QUERY PLAN %s", sql)) == NULL)
		return (0);
	if (sqlite3_step(st) == SQLITE_ROW) {
		how = text(st, 3);
		rv = strncmp(how, "SCAN ", 5) == 0 &&
		    strstr(how, " USING COVERING INDEX ") != NULL &&
		    sqlite3_step(st) == SQLITE_DONE;
	}
	sqlite3_finalize(st);
	return (rv);
}

static int
index_add(struct making *m, const char *name, int unique)
{
	struct table	*t = m->table;
	struct index	*x;
	sqlite3_stmt	*st;
	sqlite3_str	*sql;
	int		 rc, rv = 0;

	x = reallocarray(t->indexes, t->n + 1, sizeof(*x));
	if (x == NULL)
		return (-1);
	t->indexes = x;
	x += t->n++;
	memset(x, 0, sizeof(*x));
	x->first = m->columns;
	x->unique = unique;
	if ((st = query(m->db, "PRAGMA index_xinfo(\"%w\")", name)) == NULL)
		return (-1);
	sql = sqlite3_str_new(m->db);
	while (rv == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		rv = value(m, x, st, sql);
	/* The rowid, and nothing else, behind what is declared. */
	if (rv == 0 && (rc != SQLITE_DONE || x->order.nkey == 0 ||
	    x->order.n != x->order.nkey + 1 || m->last != -1))
		rv = -1;
	sqlite3_finalize(st);
	sqlite3_str_appendf(sql, " FROM \"%w\" INDEXED BY \"%w\"", t->name,
	    name);
	x->sql = sqlite3_str_finish(sql);
	return (rv == -1 || x->sql == NULL ||
	    !is_covering(m->db, x->sql) ? -1 : 0);
}

static int
indexes_add(struct making *m)
{
	sqlite3_stmt	*st;
	int		 rc, rv = 0;

	if ((st = query(m->db, "PRAGMA index_list(\"%w\")",
	    m->table->name)) == NULL)
		return (-1);
	while (rv == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_int(st, 4))		/* partial */
			rv = -1;
		else
			rv = index_add(m, text(st, 1),
			    sqlite3_column_int(st, 2));
	}
	sqlite3_finalize(st);
	return (rv == 0 && rc == SQLITE_DONE ? 0 : -1);
}

static void
table_plan(sqlite3 *db, struct table *t)
{
	struct making	m;

	memset(&m, 0, sizeof(m));
	m.db = db;
	m.table = t;
	m.rows = sqlite3_str_new(db);
	if (columns(&m) == -1 || indexes_add(&m) == -1)
		t->left = 1;
	sqlite3_str_appendf(m.rows, " FROM \"%w\" NOT INDEXED", t->name);
	if ((t->sql = sqlite3_str_finish(m.rows)) == NULL)
		t->left = 1;
}

/* ---- all ---- */

/* The pragma takes what begins like a number for one. */
static int
is_name(const char *s, int size)
{
	return (strlen(s) == (size_t)size && s[0] != '\0' &&
	    strchr("+-0123456789", s[0]) == NULL);
}

static int
table_add(struct plan *p, sqlite3_stmt *st)
{
	struct table	*t;
	const char	*name = text(st, 0);

	if (!is_name(name, sqlite3_column_bytes(st, 0)) ||
	    (sqlite3_column_int(st, 1) == 0 &&
	    sqlite3_libversion_number() >= VIRTUAL_CHECK))
		return (-1);
	t = reallocarray(p->tables, p->n + 1, sizeof(*t));
	if (t == NULL)
		return (-1);
	p->tables = t;
	t += p->n;
	memset(t, 0, sizeof(*t));
	if ((t->name = sqlite3_mprintf("%s", name)) == NULL)
		return (-1);
	p->n++;
	return (0);
}

void
plan_make(struct plan *p, sqlite3 *db)
{
	sqlite3_stmt	*st = NULL;
	size_t		 i;
	int		 rc = SQLITE_ERROR;

	p->whole = sqlite3_libversion_number() < PARTIAL_CHECK;
	if (p->whole || (st = query(db, "SELECT name, rootpage FROM "
	    "sqlite_master WHERE type = '%s'", "table")) == NULL) {
		p->whole = 1;
		return;
	}
	while (!p->whole && (rc = sqlite3_step(st)) == SQLITE_ROW)
		p->whole = table_add(p, st) == -1;
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		p->whole = 1;
	for (i = 0; !p->whole && i < p->n; i++)
		table_plan(db, &p->tables[i]);
}

void
plan_free(struct plan *p)
{
	struct table	*t;
	size_t		 i, j;

	for (i = 0; i < p->n; i++) {
		t = &p->tables[i];
		for (j = 0; j < t->n; j++)
			sqlite3_free(t->indexes[j].sql);
		free(t->indexes);
		sqlite3_free(t->sql);
		sqlite3_free(t->name);
	}
	free(p->tables);
}
