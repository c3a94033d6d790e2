#!/bin/bash
# What is due and cannot begin is told, once; what failed for the moment is
# tried again before its next time, after pauses that grow.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
mkdir "$T/d"
sqlite3 "$T/d/x.db" "CREATE TABLE t(a); INSERT INTO t VALUES (1)"
[ "$(id -u)" != 0 ] || chown -R daemon: "$T/d"
db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
events() { db "SELECT count(*) FROM events WHERE kind = '$1'"; }
one() { [ "$(events "$1")" = "$2" ]; }
completed() { [ "$(db "SELECT count(*) FROM cloud_backups WHERE status = 'completed'")" -ge "$1" ]; }
# hold: somebody has the database for himself, until let_go.
hold() {
	sqlite3 -cmd '.timeout 10000' "$T/d/x.db" "INSERT INTO t VALUES (-$1)"
	mkfifo "$T/hold.$1"
	sqlite3 -cmd '.timeout 10000' "$T/d/x.db" <"$T/hold.$1" >"$T/held.$1" & PIDS="$PIDS $!"
	exec 7>"$T/hold.$1"
	echo "BEGIN EXCLUSIVE; INSERT INTO t VALUES ($1); SELECT 'held';" >&7
	wait_for 15 grep -q held "$T/held.$1"
}
let_go() { echo "COMMIT;" >&7; exec 7>&-; }
conf() { daemon_conf "database \"x\" { path \"$T/d/x.db\" every 1h jitter 0s lock timeout $1 }"; }

# A backup made by hand waits for the lock; the one that is due, behind it.
conf 60s
clock_set "2027-03-26 12:10:00"
start_daemon || finish
wait_for 10 completed 1
hold 1
api POST /create -H 'Prefer: respond-async' >/dev/null
clock_add 3600
queued() { [ "$(api GET /status | jq '[.data.jobs_running, .data.jobs_queued] | add')" = 2 ]; }
ok "the scheduled one waits behind it" wait_for 10 queued
is "that is not late yet" "$(events late)" 0
clock_add 3600
ok "by the time of the next it is" wait_for 10 one late 1
like "the event says of what" "$(db "SELECT database || ': ' || text FROM events WHERE kind = 'late'")" "x: the scheduled backup of x was due*"
clock_add 3600
sleep 0.5
is "it is said once" "$(events late)" 1
let_go
ok "then it runs" wait_for 10 completed 3
daemon_stop

# Locked for longer than it waits: again in a minute, then in two.
conf 1s
start_daemon || finish
hold 2
failed=$(events failed)
clock_add 3600
ok "it fails" wait_for 15 one failed $((failed + 1))
sleep 0.3
is "and is not tried again at once" "$(events failed)" $((failed + 1))
clock_add 61
ok "but in a minute" wait_for 15 one failed $((failed + 2))
clock_add 61
sleep 0.7
is "the next pause is longer" "$(events failed)" $((failed + 2))
before=$(db "SELECT count(*) FROM cloud_backups WHERE status = 'completed'")
let_go
clock_add 61
ok "when it can, it is taken" wait_for 15 completed $((before + 1))
clock_add 600
sleep 0.5
is "and not again before it is due" "$(db "SELECT count(*) FROM cloud_backups WHERE status = 'completed'")" $((before + 1))
daemon_stop
finish
