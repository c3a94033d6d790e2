#!/bin/bash
# Hundreds of databases, all due at once: of those only what has changed is
# copied, fairly, and neither memory nor descriptors grow with their number.
# CHECK_LONG: a thousand, of 1 MB each, and proven.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
N_DB=300
mkdir "$T/d"
if [ -n "${CHECK_LONG:-}" ]; then
	N_DB=1000 VERIFY=quick WAIT=300
	sqlite3 "$T/one" "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(1000000))"
else
	VERIFY=none WAIT=60
	sqlite3 "$T/one" "CREATE TABLE t(a); INSERT INTO t VALUES (1)"
fi
for i in $(seq $N_DB); do
	cp "$T/one" "$T/d/$i.db"
	echo "database \"d$i\" { path \"$T/d/$i.db\" every 1h jitter 0s verify $VERIFY }"
done >"$T/blocks"
[ "$(id -u)" != 0 ] || chown -R daemon: "$T/d"
daemon_conf "$(cat "$T/blocks")"
sleep 2.1

db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
through() { [ "$(db "SELECT count(*) FROM databases WHERE slot_ms = (SELECT max(slot_ms) FROM databases)$1")" = $N_DB ]; }
backups() { db "SELECT count(*) FROM cloud_backups"; }
ms() { date +%s%3N; }
fds() { ls "/proc/$DAEMON/fd" | wc -l; }
kids() { children "$DAEMON" | wc -w; }
watch_it() {				# the most children at once
	most=0
	while ! through "$1"; do
		k=$(kids); [ "$k" -le $most ] || most=$k
		[ $(($(ms) - t0)) -lt $((WAIT * 1000)) ] || return 1
		sleep 0.1
	done
}

clock_set "2027-03-26 12:10:00"
t0=$(ms)
start_daemon
t1=$(ms)
ok "$N_DB databases start in seconds ($((t1 - t0)) ms)" test $((t1 - t0)) -lt 3000
watch_it " AND result = 'completed'"
is "each gets its first backup" "$(backups)" $N_DB
echo "# $N_DB first backups in $(($(ms) - t0)) ms, $(kids) processes idle, $most at most"
cpus=$(nproc); [ "$cpus" -ge 2 ] || cpus=2
ok "no more at once than jobs ($most processes)" test "$most" -le $((3 + 2 * cpus))
sleep 0.3
is "no worker when idle" "$(child worker)" ""
ok "and one process at most that looks" [ "$(kids)" -le 3 ]
before=$(fds)
ok "no descriptor for each ($before)" test "$before" -lt 64
kib=$(pss_kib "$DAEMON")
echo "# engine: $kib KiB, $before descriptors"
[ -n "${SAN:-}" ] || ok "and little memory" test "$kib" -lt 40000

for i in $(seq 30 30 300); do
	sqlite3 "$T/d/$i.db" "INSERT INTO t VALUES (2)"
done
sleep 2.1
t0=$(ms)
clock_add 3600
wait_for 5 eval '[ "$(db "SELECT count(DISTINCT slot_ms) FROM databases")" = 2 ]'
watch_it ""
echo "# all looked at, 10 copied, in $(($(ms) - t0)) ms"
is "ten have changed: ten backups" "$(backups)" $((N_DB + 10))
is "of those that have" "$(db "SELECT group_concat(database) FROM (SELECT database FROM cloud_backups WHERE id > $N_DB ORDER BY CAST(substr(database, 2) AS int))")" \
    d30,d60,d90,d120,d150,d180,d210,d240,d270,d300
sleep 0.3
is "as many descriptors as before" "$(fds)" "$before"
t0=$(ms)
is "the status tells of all" "$(api GET /status | jq '[.data.databases[] | select(.last_proven_age != null or .last_backup_id != null)] | length')" $N_DB
echo "# GET /status of $N_DB in $(($(ms) - t0)) ms, with curl and jq"
is "nothing is left to do" "$(api GET /status?database=d1 | jq -r '[.data.jobs_running, .data.jobs_queued, .data.databases[0].last_result] | @csv')" '0,0,"unchanged"'
daemon_stop
finish
