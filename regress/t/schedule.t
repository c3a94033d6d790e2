#!/bin/bash
# Backups by schedule: when, and what a restart or a clock does to that;
# databases that a pattern finds, and does not (H20).
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
export TZ=Europe/Berlin
ROOT=$([ "$(id -u)" = 0 ] && echo 1)
mkdir "$T/d" "$T/tenants"
# bank FILE [MODE]: a database that nobody has open.
bank() { "$TOOLS/bank" "$1" -m "${2:-wal}" -n 20 init >/dev/null; }
give() { [ -z "$ROOT" ] || chown -R daemon: "$T/d" "$T/tenants"; }
bank "$T/d/shop.db"
bank "$T/d/del.db" delete
give
db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
count() { db "SELECT count(*) FROM cloud_backups WHERE database = '$1'"; }
went() { db "SELECT result FROM databases WHERE name = '$1'"; }
slot() { db "SELECT strftime('%Y-%m-%dT%H:%MZ', slot_ms / 1000, 'unixepoch') FROM databases WHERE name = '$1'"; }
at_slot() { [ "$(slot "$1")" = "$2" ]; }
ran() { at_slot "$1" "$2" && [ "$(went "$1")" = "$3" ]; }
status() { api GET "/status?database=$1" | jq -r ".data.databases[0]$2"; }
settle() { sleep 2.1; }			# older than the margin

daemon_conf "database \"shop\" { path \"$T/d/shop.db\" at 03:30 jitter 0s }
database \"del\" { path \"$T/d/del.db\" every 15m jitter 0s expect change within 2d }
database \"gone\" { path \"$T/d/none.db\" on sun at 04:00 jitter 0s }
database \"hand\" { path \"$T/d/shop.db\" }"
settle
clock_set "2027-03-26 12:00:00"
start_daemon
ok "what never ran runs at start" wait_for 5 ran shop 2027-03-26T02:30Z completed
ok "the other, too" wait_for 5 ran del 2027-03-26T11:00Z completed
is "its type is auto" "$(db "SELECT DISTINCT backup_type FROM cloud_backups")" auto
ok "a missing file fails" wait_for 5 at_slot gone 2027-03-21T03:00Z
like "and says so" "$(went gone)" "failed: *does not exist*"
is "as an event" "$(db "SELECT count(*) FROM events WHERE kind = 'failed' AND database = 'gone'")" 1
is "the next run is told" "$(status shop .next_run_at)" 2027-03-27T02:30:00.000Z
is "and that of the interval" "$(status del .next_run_at)" 2027-03-26T11:15:00.000Z
is "what has no schedule has none" "$(status hand .next_run_at)" null
is "the last proven backup" "$(status shop .last_proven_id)" "$(db "SELECT id FROM cloud_backups WHERE database = 'shop'")"

# The change of clocks: 02:30 UTC on the 27th, 01:30 UTC on the 28th.
clock_add 60000
ok "the next day at 03:30" wait_for 5 ran shop 2027-03-27T02:30Z unchanged
is "nothing was copied" "$(count shop)" 1
clock_set "2027-03-28 12:00:00"
ok "03:30 is another time when clocks have changed" wait_for 5 ran shop 2027-03-28T01:30Z unchanged
ok "when it was seen unchanged is told" test "$(status shop .unchanged_since)" != null
like "and the age counts" "$(status shop .last_proven_age)" "16[0-9][0-9][0-9][0-9]"

# Nobody writes to it any more.
clock_add $((3 * 86400))
ok "what should change and does not raises an alarm" wait_for 5 eval '[ "$(db "SELECT kind FROM alarms WHERE database = '"'del'"'")" = stale ]'
is "which the status tells" "$(status del '.alarms[0].kind')" stale

# Off for a month; in between nothing is lost, and nothing runs twice.
daemon_stop
n=$(count shop); at=$(slot shop)
start_daemon
sleep 0.5
is "a restart repeats nothing" "$(count shop) $(slot shop)" "$n $at"
daemon_stop
sqlite3 "$T/d/shop.db" "CREATE TABLE w(a)"; settle
clock_add $((30 * 86400))
start_daemon
wait_for 5 eval '[ "$(count shop)" != '$n' ]'; sleep 0.5
is "what was missed runs once" "$(count shop)" $((n + 1))
kill_daemon
clock_add 86400
sqlite3 "$T/d/shop.db" "INSERT INTO w VALUES (10)"; settle
start_daemon
ok "after a kill -9, too" wait_for 5 eval '[ "$(count shop)" = '$((n + 2))' ]'
clock_set "2099-01-01 00:00:00"
wait_for 5 eval '[ "$(slot shop | cut -c1-4)" = 2098 ]'
clock_set "2027-09-01 12:00:00"; sqlite3 "$T/d/shop.db" "INSERT INTO w VALUES (11)"
wait_for 1 false
daemon_stop; start_daemon
clock_add 86400
ok "a clock that was ahead stops nothing" wait_for 5 eval '[ "$(slot shop | cut -c1-7)" = 2027-09 ]'
daemon_stop

# ---- patterns ----
for n in a b "c d"; do bank "$T/tenants/$n.sqlite"; done
mkdir "$T/tenants/dir.sqlite"
bank "$T/d/elsewhere.db"; ln -s "$T/d/elsewhere.db" "$T/tenants/link.sqlite"
mkfifo "$T/tenants/fifo.sqlite"
: >"$T/tenants/x-wal"; : >"$T/tenants/.hidden.sqlite"; give
rm -rf "$BACKUP_DIR" "$CLOCK_FILE"; clock_set "2027-03-26 12:00:00"
daemon_conf "database \"t\" { path \"$T/tenants/*\" at 03:30 jitter 0s }
database \"self\" { path \"$BACKUP_DIR/*\" every 1h jitter 0s }
database \"deep\" { path \"$BACKUP_DIR/t-a/*.sqlite\" every 1h jitter 0s }"
start_daemon
names() { api GET /status | jq -r '[.data.databases[] | .database + (if .gone then "-" else "" end)] | sort | join(" ")'; }
named() { [ "$(names)" = "$1" ]; }
ok "each file is a database; no link, FIFO, folder, -wal" wait_for 5 named "t-a t-b t-c_d"
ok "which is backed up" wait_for 5 ran t-c_d 2027-03-26T02:30Z completed
is "under its own name" "$(ls "$BACKUP_DIR" | grep -c '^t-')" 3
ok "nothing in the backup directory is (H20)" grep -q "self can.t be looked for: .*a backup is not backed up" "$T/daemon.log"
ok "nor below it" grep -q "deep can.t be looked for: .*a backup is not backed up" "$T/daemon.log"
is "and none of it was" "$(db "SELECT count(*) FROM databases WHERE block IN ('self', 'deep')")" 0
is "each can be named" "$(create '{"database":"t-b"}' | jq -r .data.database)" t-b
is "the pattern itself is none" "$(create '{"database":"t"}' | jq -r .errorCode)" DATABASE_UNKNOWN
bank "$T/tenants/new.sqlite"; bank "$T/tenants/a.db"; rm "$T/tenants/b.sqlite"*; give
clock_add 61
come() { [[ $(names) =~ ^t-a\ t-a-[0-9a-f]+\ t-b-\ t-c_d\ t-new$ ]]; }
ok "files come and go within a minute" wait_for 5 come
ok "what is new is backed up" wait_for 5 eval '[ "$(count t-new)" = 1 ]'
clock_add 86400
ok "the rest by schedule" wait_for 5 at_slot t-a 2027-03-27T02:30Z
is "what is gone is left alone" "$(slot t-b) $(count t-b)" "2027-03-26T02:30Z 2"
is "its backups stay" "$(api GET '/user?database=t-b' | jq .total)" 2
is "and can be had" "$(code GET "/download/$(api GET '/user?database=t-b' | jq '.data[0].id')")" 200
all=$(names); daemon_stop; start_daemon
ok "after a restart they have the same names" wait_for 5 named "$all"
is "and it is put back by its name" "$(api POST "/restore/$(api GET '/user?database=t-b' | jq '.data[0].id')" | jq -r .data.method)" replace
clock_add 61
ok "then it is there again" wait_for 5 named "$(echo "$all" | sed 's/t-b-/t-b/')"
daemon_stop
finish
