#!/bin/bash
# verify full finds what integrity_check of the sqlite3 tool finds, and
# nothing else: databases that are damaged in each way that it knows, made
# by changing the schema behind SQLite's back.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../e2e.sh"

mkdir "$T/db"
D=$T/db/app.db
daemon_conf "database \"app\" { path \"$D\" verify full }"

# sql TEXT: with the schema writable.
sql() { sqlite3 "$D" ".dbconfig defensive off" "PRAGMA writable_schema=ON; $1" >/dev/null 2>"$T/err"; }
# fresh [PRAGMAS] [TABLE'S END] [INDEX] [TYPE]: a table with 3000 rows and indexes.
fresh() {
	rm -f "$D" "$D"-*
	sqlite3 "$D" "$1; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c ${4:-NUMERIC}, d BLOB, e TEXT) $2;
	    ${3:-CREATE INDEX tb ON t(b)}; CREATE INDEX tc ON t(c, b DESC);
	    CREATE TABLE u(x TEXT UNIQUE, y REAL); CREATE INDEX uy ON u(y, x COLLATE NOCASE);
	    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
	    INSERT INTO t SELECT i, printf('%05d-%s', i * 7919 % 3000, hex(randomblob(20))),
	    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN i / 7.0 WHEN 3 THEN 'x' || i ELSE randomblob(9) END,
	    randomblob(30), CASE WHEN i % 3 THEN 'Abc' || i END FROM n;
	    INSERT INTO u SELECT b, a / 3.0 FROM t WHERE a % 2" >/dev/null
}
# hidden INDEX SQL: what SQL does without the index being kept in step.
hidden() {
	_row=$(sqlite3 "$D" "SELECT quote(tbl_name) || ',' || rootpage || ',' || quote(sql) FROM sqlite_master WHERE name = '$1'")
	sql "DELETE FROM sqlite_master WHERE name = '$1'"
	sqlite3 "$D" "$2"
	sql "INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql) SELECT 'index', '$1', $_row"
}
# redeclared NAME FROM TO: the schema says something else.
redeclared() { sql "UPDATE sqlite_master SET sql = replace(sql, '$2', '$3') WHERE name = '$1'"; }

# same LABEL sound|damaged: the tool's verdict is that, and so is ours.
same() {
	_tool=sound
	_said=$(sqlite3 "$D" 'PRAGMA ignore_check_constraints=ON; PRAGMA integrity_check' 2>&1 | grep -v '^NULL value in ')
	[ "$_said" = ok ] || [ -z "$_said" ] || _tool=damaged
	_ours=$(create)
	case $_ours in
	'{"success":true,'*) _ours=sound ;;
	*'"DATABASE_DAMAGED"'*) _ours=damaged ;;
	esac
	is "$1: $2" "$_tool $_ours" "$2 $2"
}

fresh
daemon_start || finish

fresh; same "as it should be" sound
fresh; hidden tb "DELETE FROM t WHERE a = 1500"
same "an index entry too many" damaged
fresh; hidden tb "INSERT INTO t(a, b) VALUES(9000, 'new')"
same "an index entry missing" damaged
fresh; hidden tb "UPDATE t SET b = 'other' WHERE a = 77"
same "an index entry of another value" damaged
fresh; hidden tc "UPDATE t SET a = 9001 WHERE a = 78"
same "an index entry of another row" damaged
fresh; redeclared tb 't(b)' 't(b DESC)'
same "an index in another order" damaged
fresh; redeclared tc 'b DESC' 'b'
same "an index in another order of its second column" damaged
fresh; redeclared tb 't(b)' 't(e)'
same "an index of another column" damaged
fresh "PRAGMA encoding='UTF-16le'"
same "UTF-16" sound
hidden tb "UPDATE t SET b = 'other' WHERE a = 77"
same "UTF-16, an index entry of another value" damaged
fresh; sqlite3 "$D" "UPDATE t SET b = 'twice' WHERE a IN (5, 6)"
redeclared tb 'CREATE INDEX' 'CREATE UNIQUE INDEX'
same "a unique index with equal entries" damaged
fresh; sqlite3 "$D" "UPDATE t SET b = NULL WHERE a IN (5, 6)"
redeclared tb 'CREATE INDEX' 'CREATE UNIQUE INDEX'
same "a unique index with NULLs" sound
fresh "" "" "CREATE INDEX tb ON t(e COLLATE NOCASE)"
same "an index in NOCASE" sound
sqlite3 "$D" "UPDATE t SET e = upper(e) WHERE a > 1000"
redeclared tb 'COLLATE NOCASE' ''
same "an index in NOCASE that says it is BINARY" damaged
fresh "" "" "CREATE INDEX tb ON t(b) WHERE a > 100"
same "a partial index" sound
hidden tb "DELETE FROM t WHERE a = 1500"
same "a partial index with an entry too many" damaged
fresh "" "" "CREATE INDEX tb ON t(length(b), b)"
same "an index of an expression" sound
hidden tb "DELETE FROM t WHERE a = 1500"
same "an index of an expression with an entry too many" damaged
fresh "" "" "CREATE INDEX tb ON t(b COLLATE RTRIM)"
same "an index in RTRIM" sound
hidden tb "INSERT INTO t(a, b) VALUES(9000, 'new')"
same "an index in RTRIM with an entry missing" damaged
fresh "" "WITHOUT ROWID"; same "a table without rowids" sound
hidden tb "DELETE FROM t WHERE a = 1500"
same "a table without rowids, an entry too many" damaged
fresh "" "STRICT" "CREATE INDEX tb ON t(d)" ANY
redeclared t 'd BLOB' 'd INT'
same "a value of another type than STRICT allows" damaged
fresh; sqlite3 "$D" 'CREATE TABLE "1 t""t"(rowid, "o""id" UNIQUE); INSERT INTO "1 t""t" VALUES(1, 2), (2, 1)'
same "odd names" sound
fresh; sqlite3 "$D" 'CREATE TABLE r(rowid, oid UNIQUE, _rowid_); INSERT INTO r VALUES(1, 2, 3), (2, 1, 0)'
same "columns with the rowid's names" sound
fresh; sqlite3 "$D" 'CREATE TABLE g(a, b AS (a + 1), c UNIQUE); CREATE INDEX gb ON g(b); INSERT INTO g(a, c) VALUES(1, 2), (2, 1)'
same "generated columns" sound
fresh; sqlite3 "$D" 'CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES(1), (2)'
same "a virtual table" sound
fresh; sqlite3 "$D" 'INSERT INTO u SELECT a, 9007199254740992 + a FROM t; INSERT INTO u VALUES(NULL, 0.0), (NULL, -0.0), ("", 9e999), ("A", -9e999), ("a", -9223372036854775808)'
same "numbers at their limits" sound
fresh; redeclared t 'e TEXT' 'e TEXT NOT NULL'
same "a NULL where there should be none: content" sound

# Structure: what quick_check finds.
fresh; sql "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'tb') WHERE name = 'tc'"
same "a page used twice" damaged
fresh; sql "DELETE FROM sqlite_master WHERE name = 'tc'"
same "pages that are lost" damaged
fresh; sqlite3 "$D" "DROP INDEX tc"; printf '\0\0\0\7' | dd of="$D" bs=1 seek=36 conv=notrunc status=none
same "a freelist that is too short" damaged
fresh; _root=$(sqlite3 "$D" "SELECT rootpage FROM sqlite_master WHERE name = 'tb'")
printf '\377\377' | dd of="$D" bs=1 seek=$((_root * 4096 - 4096 + 3)) conv=notrunc status=none
same "a page whose count of cells is wrong" damaged
# Single bytes of the leaves, one after the other.
for i in 2 3 5 7 8; do
	fresh; _size=$(stat -c %s "$D")
	_at=$((_size * i / 9 / 4096 * 4096 + 4000 - i))
	printf "\\$((i % 7))" | dd of="$D" bs=1 seek=$_at conv=notrunc status=none
	_tool=sound; [ "$(sqlite3 "$D" 'PRAGMA integrity_check' 2>&1)" = ok ] || _tool=damaged
	same "byte $_at" $_tool
done
daemon_stop
finish
