#!/bin/bash
# Alarms about the data itself: a backup may be perfect, and of the wrong
# file.  Each kind is raised once, told, stands until somebody has seen it;
# what a restore of ours does is no alarm.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

L=$T/live
D=$L/shop.sqlite
mkdir "$L"
sql() { sqlite3 "$D" "$1"; }
# fill FILE ROWS [APPLICATION ID]: a database of ours.
fill() {
	rm -f "$1" "$1-wal" "$1-shm"
	sqlite3 "$1" "PRAGMA application_id = ${3:-7}; CREATE TABLE a (x); CREATE TABLE b (y);
	    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
	    INSERT INTO a SELECT hex(randomblob(100)) FROM n"
}
# standing: the kinds that stand; alarms: all that were told.
standing() { sqlite3 "$BACKUP_DIR/catalog.sqlite" 'SELECT group_concat(kind) FROM (SELECT kind FROM alarms WHERE acknowledged_ms = 0 ORDER BY kind)'; }
told() { api GET "/events?limit=1000&after=${1:-0}" | jq -r '[.data[] | select(.event == "alarm") | .text | split(":")[0]] | sort | join(",")'; }
newest() { api GET '/events?limit=1000' | jq .next; }
ack() { api POST /acknowledge -H 'Content-Type: application/json' -d "${1:-{\}}"; }
back() { create '{"database":"shop"}' | json .data.id; }

fill "$D" 2000
"$TOOLS/bank" "$T/till.sqlite" -m wal -n 10 init
daemon_conf "database \"shop\" { path \"$D\" }" "database \"till\" { path \"$T/till.sqlite\" }"
daemon_start || finish
first=$(back)
sql "INSERT INTO a VALUES (1)"
back >/dev/null
is "the same file, changed: no alarm" "$(told)" ""

# ---- another file ----
at=$(newest)
cp "$D" "$T/copy" && mv "$T/copy" "$D"
back >/dev/null
is "another file at the path" "$(standing)" replaced
like "the event says which backups" "$(api GET "/events?after=$at" | jq -r '.data[] | select(.event == "alarm") | .text')" \
    'replaced: another file stands at the path than when backup 2 was taken*'
is "of its database" "$(api GET "/events?after=$at" | jq -r '.data[] | select(.event == "alarm") | .database')" shop
cp "$D" "$T/copy" && mv "$T/copy" "$D"
back >/dev/null
is "once, while it stands" "$(told "$at")" replaced
is "the API tells who it is for" "$(ack '{"database":"till"}' | jq -c .data)" '{"alarms":0,"failures":0}'
is "a kind that is none" "$(code POST /acknowledge -H 'Content-Type: application/json' -d '{"kind":"x"}')" 400
is "another kind is not meant" "$(ack '{"database":"shop","kind":"shrunk"}' | jq -c .data.alarms)" 0
is "it stands" "$(standing)" replaced
is "acknowledged" "$(ack '{"database":"shop","kind":"replaced"}' | jq -c .data.alarms)" 1
is "it stands no more" "$(standing)" ""
is "that is an event, too" "$(api GET "/events?after=$at" | jq -r '.data[-1].event')" acknowledged
is "and in the audit log" "$(sqlite3 "$BACKUP_DIR/catalog.sqlite" "SELECT who || ' ' || database FROM audit WHERE action = 'acknowledge' ORDER BY id DESC LIMIT 1")" "uid 0 shop"
back >/dev/null
is "the file that is there now is the one that is expected" "$(standing)" ""

# ---- an empty one, as a wrong path gives ----
at=$(newest)
: >"$T/empty" && mv "$T/empty" "$D"
id=$(back)
is "a perfect backup" "$(api GET /user | jq -r ".data[] | select(.id == $id).status")" completed
is "of an empty file" "$(standing)" replaced,shrunk,tables
like "which is said" "$(api GET "/events?after=$at" | jq -r '.data[] | select(.text | test("^shrunk")).text')" '*is empty*'
ack >/dev/null

# ---- the application, the size, the tables ----
fill "$D" 2000 8
back >/dev/null; ack >/dev/null
at=$(newest)
sql "PRAGMA application_id = 9"
back >/dev/null
is "another application" "$(told "$at")" application
ack >/dev/null
at=$(newest)
sql "DELETE FROM a WHERE rowid > 1100; VACUUM"
back >/dev/null
is "a database that shrank to its half is none" "$(told "$at")" ""
sql "DELETE FROM a WHERE rowid > 100; VACUUM"
back >/dev/null
is "one that shrank by more is" "$(told "$at")" shrunk
ack >/dev/null
at=$(newest)
sql "DROP TABLE b"
back >/dev/null
is "a table that vanished" "$(told "$at")" tables
like "by its name" "$(api GET "/events?after=$at" | jq -r '.data[] | select(.event == "alarm").text')" '*"b"*'
ack >/dev/null

# ---- what nobody can judge ----
at=$(newest)
rm -f "$D" "$D-wal" "$D-shm"
"$TOOLS/mkdb" newsyntax "$D" >/dev/null
back >/dev/null
ok "one that nobody here can judge" grep -q unjudged <(told "$at")
ack >/dev/null

# ---- our own restores ----
fill "$D" 50
back >/dev/null; ack >/dev/null
at=$(newest)
is "a restore of ours" "$(code POST "/restore/$first" -H 'Content-Type: application/json' -d '{"force":true}')" 200
back >/dev/null
is "is no alarm, whatever it changed" "$(told "$at")" ""
is "but an event" "$(api GET "/events?after=$at" | jq -r '[.data[] | select(.event == "restored") | .backup_id] | join(",")')" "$first"
rm -f "$D" "$D-wal" "$D-shm"
is "a restore of what is gone" "$(code POST "/restore/$first" -H 'Content-Type: application/json' -d '{"force":true}')" 200
back >/dev/null
is "is none either" "$(told "$at")" ""
cp "$D" "$T/copy" && mv "$T/copy" "$D"
back >/dev/null
is "what comes after it is compared again" "$(told "$at")" replaced
daemon_stop; daemon_start
is "an alarm outlives a restart" "$(standing)" replaced
is "all are acknowledged at once" "$(ack | jq -c .data.alarms) $(standing)" "1 "
finish
