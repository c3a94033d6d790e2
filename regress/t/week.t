#!/bin/bash
# A remote that is away while backups are taken every quarter of an hour,
# with a spool limit; then it is back, slow, and fails every third request.
# What was not given up arrives, once; what was given up, an event told.  The
# limit is never exceeded.  Sixteen simulated hours; CHECK_LONG=1: a week.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
SLOTS=${CHECK_LONG:+672}
SLOTS=${SLOTS:-64}
LIMIT=$((1024 * 1024))
R=$T/remote
LIVE=$T/live
mkdir "$LIVE" "$R"
RPORT=$(port)
sql() { sqlite3 -cmd '.timeout 20000' "$LIVE/shop.db" "$@"; }
sql 'PRAGMA journal_mode = WAL; CREATE TABLE t (n); CREATE TABLE b AS SELECT randomblob(60000) AS x; INSERT INTO t VALUES (0)' >/dev/null
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 1m to 30m }" \
    "database \"shop\" { path \"$LIVE/shop.db\" to \"hq\" every 15m" \
    "jitter 0s keep last 3, 6 hourly, 2 daily spool limit 1m }"
catalog() { sqlite3 -cmd '.timeout 5000' "$BACKUP_DIR/catalog.sqlite" "$@"; }
waiting() { catalog "SELECT $1 FROM cloud_backups b JOIN copies c ON c.backup_id = b.id WHERE c.place = 'hq' AND c.state IN ('pending', 'uploading')${2:+ ORDER BY b.id}"; }
taken() { catalog "SELECT seq FROM sqlite_sequence WHERE name = 'cloud_backups'"; }
enough() { [ "$(taken)" -ge "$1" ]; }
bytes() { find "$BACKUP_DIR/shop" -name '*.sqlite' -printf '%s\n' 2>/dev/null | awk '{ s += $1 } END { print s + 0 }'; }

# The database changes all the time, and somebody looks at the disk.
(while :; do sql 'UPDATE t SET n = n + 1'; sleep 0.02; done) & PIDS="$PIDS $!"
(while :; do waiting 'sum(b.stored_size)'; bytes >>"$T/disk"; sleep 0.05; done >"$T/spool" 2>/dev/null) & PIDS="$PIDS $!"
clock_set "2026-11-02 00:00" 9000
daemon_start || finish
ok "backups go on while the remote is away" wait_for 180 enough "$SLOTS"
clock_set "@$(($(clock_ms) / 1000))" 0
# quiet: the clock stands still, and nothing is being made or sent.
quiet() { ! child worker && [ "$(catalog "SELECT count(*) FROM copies WHERE state = 'uploading' OR (state = 'pending' AND place = 'local')")" = 0 ]; }
wait_for 10 quiet; sleep 0.3; wait_for 10 quiet
size=$(catalog "SELECT max(stored_size) FROM cloud_backups")
want=$(waiting b.id sorted | xargs)
is "not more waits than the limit allows" "$(($(waiting 'sum(b.stored_size)') <= LIMIT))" 1
is "but as much as it allows" "$(($(waiting 'sum(b.stored_size)') + 2 * size > LIMIT))" 1
is "nor did it ever" "$(awk -v l=$LIMIT '$1 > l' "$T/spool" | wc -l)" 0
# What waits, what the rules keep here, and one that is being made.
is "nor did the disk take more" "$(awk -v l=$((LIMIT + 12 * size)) '$1 > l' "$T/disk" | wc -l)" 0
echo "# $(taken) taken, $(wc -w <<<"$want") wait; at most $(sort -n "$T/spool" | tail -1) bytes of $LIMIT, $(sort -n "$T/disk" | tail -1) on disk"
is "an event told of each that was given up" \
    "$(catalog "SELECT DISTINCT backup_id FROM events WHERE kind = 'dropped'" | wc -l)" \
    "$(($(taken) - $(wc -w <<<"$want")))"
like "and what it was" "$(catalog "SELECT place, text FROM events WHERE kind = 'dropped' ORDER BY id LIMIT 1")" "hq|Backup * \"Backup_2026110?_*\" of 2026-11-0?T* bytes, sha256:*will not be sent to hq*"
# Of those before the newest that was given up: three, six and two at most.
older=$(catalog "SELECT count(*) FROM cloud_backups WHERE id IN (${want// /,}) AND id < (SELECT max(backup_id) FROM events WHERE kind = 'dropped')")
ok "what the rules of the remote do not keep goes first" [ "$older" -le 11 ]
# Oldest first would leave the newest fifteen: of four hours, or of more
# where the machine is slow.
is "what they keep waits longest" "$(catalog "SELECT count(DISTINCT created_ms / 3600000) FROM cloud_backups WHERE id IN (${want// /,}) AND created_ms / 3600000 >= (SELECT DISTINCT created_ms / 3600000 AS hour FROM cloud_backups ORDER BY hour DESC LIMIT 1 OFFSET 5)")" 6

# It is back.
remote_start -F "every 3 path /api/user-backup/create status 503" -F "slow 3000000" || finish
clock_set "@$(($(clock_ms) / 1000))" 600
none_waits() { [ -z "$(waiting b.id)" ]; }
# Backups go on, and a slow remote may cost one of the oldest its place still.
given_up() { catalog "SELECT DISTINCT backup_id FROM events WHERE kind = 'dropped'"; }
still() { comm -23 <(xargs -n 1 <<<"$want" | sort) <(given_up | sort) | sort -n; }
all_there() { for i in $(still); do [ -n "$(catalog "SELECT 1 FROM copies WHERE backup_id = $i AND place = 'hq' AND state = 'completed'")" ] || return 1; done; }
ok "everything that waited arrives" wait_for 60 all_there
clock_set "@$(($(clock_ms) / 1000))" 0
wait_for 10 quiet
marks() { cat "$R"/*.json | jq -r .description | sed -n 's/.*\[cloudbackupd:\([0-9]*\)@.*/\1/p'; }
is "once" "$(marks | sort | uniq -d)" ""
catalog "SELECT backup_id FROM copies WHERE place = 'hq' AND state = 'completed' AND backup_id <= ${want##* } ORDER BY completed_ms, backup_id" >"$T/order"
is "in order" "$(xargs <"$T/order")" "$(still | xargs)"
ok "most of what waited" [ "$(still | wc -l)" -gt 9 ]
is "and nothing that was given up" "$(comm -12 <(marks | sort) <(given_up | sort))" ""
# What is here is what the rules keep; the newest may still wait.
settle() { [ "$(find "$BACKUP_DIR/shop" -name '*.sqlite' | wc -l)" -le 13 ]; }
api POST /expire >/dev/null
ok "and here only what the rules keep stays" settle

# H22: the clock of the running daemon jumps.
clock_set "@$(($(clock_ms) / 1000))" 1
before=$(find "$BACKUP_DIR/shop" -name '*.sqlite' | sort)
clock_set "2099-01-01 00:00" 1
api POST /create >/dev/null
api POST /expire >"$T/out"
is "in 2099 nothing goes" "$(jq .total "$T/out") $(comm -23 <(echo "$before") <(find "$BACKUP_DIR/shop" -name '*.sqlite' | sort))" "0 "
like "an alarm says why" "$(jq -r .frozen "$T/out")" "*clock: The clock shows 2099-*"
daemon_stop
finish
