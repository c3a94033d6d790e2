#!/bin/bash
# The image of a restore that is large, and was found sound before, is checked
# by two threads, table by table.  What was never checked is left to SQLite:
# `verify none` lets databases into the backups that are damaged in ways that
# no check of one table finds.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
LIVE=$T/live
mkdir "$LIVE"
sql() { sqlite3 -cmd '.timeout 20000' "$@" 2>&1; }
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" }"
sql "$LIVE/shop.db" "PRAGMA journal_mode = wal; CREATE TABLE a(x INTEGER PRIMARY KEY, y); CREATE TABLE b(x, y);
    CREATE INDEX ay ON a(y); CREATE INDEX bx ON b(x); CREATE TABLE state(n); INSERT INTO state VALUES(1);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 12000) INSERT INTO a SELECT i, hex(randomblob(150)) FROM c;
    INSERT INTO b SELECT y, x FROM a; DELETE FROM a WHERE x % 5 = 0" >/dev/null
daemon_start || finish
taken() { create '{"database":"shop"}' | jq .data.id; }
restore() { curl -s -m 60 -X POST -H 'Content-Type: application/json' -d "${2:-{\}}" "$URL/restore/$1"; }
state() { sql "$LIVE/shop.db" 'SELECT n FROM state'; }

SOUND=$(taken)
is "what is to be restored was found sound" "$(curl -s "$URL/user" | jq -r ".data[] | select(.id == $SOUND).verification")" sound
ok "the image is large" test "$(stat -c %s "$LIVE/shop.db")" -gt $((9 << 20))
sql "$LIVE/shop.db" "UPDATE state SET n = 2"
restore "$SOUND" >"$T/answer"
is "a sound image is restored" "$(jq -r .data.method "$T/answer") $(state)" "live 1"
is "and its content is sound" "$(sql "$LIVE/shop.db" 'PRAGMA integrity_check')" ok

# damaged WHAT SQL: each table by itself is well.
damaged() {
	sql "$LIVE/shop.db" "PRAGMA writable_schema = on; $2; UPDATE state SET n = 3"
	is "$1: each table by itself is sound" "$(for t in a b state; do sql "$LIVE/shop.db" "PRAGMA quick_check($t)" | head -1; done | grep -v ok)" ""
	ID=$(taken)
	restore "$ID" >"$T/answer"
	is "$1: it is not restored" "$(jq -r .errorCode "$T/answer")" INVALID_BACKUP
	like "$1: because it is damaged" "$(jq -r .error "$T/answer")" "the backup is damaged: *; nothing was changed"
	restore "$SOUND" '{"force": true}' >"$T/answer"
	is "$1: the sound one is" "$(jq -r .success "$T/answer") $(state)" "true 1"
}
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" verify none }"
is "nothing is checked from now on" "$(curl -s -X POST "$URL/reload" | jq -r .success)" true
damaged "a page that nobody uses" "DELETE FROM sqlite_master WHERE name = 'bx'"
damaged "pages that are used twice" "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'ay') WHERE name = 'bx'"
finish
