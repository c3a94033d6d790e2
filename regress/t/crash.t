#!/bin/bash
# kill -9 of each process at random moments of a backup, with writers at
# work: what the catalog says afterwards is true, every time, and the live
# databases never noticed.  CHECK_LONG=1: 50 moments of each kind.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
MOMENTS=${CHECK_LONG:+50}
MOMENTS=${MOMENTS:-12}
LIVE=$T/live
mkdir "$LIVE"

bank() { "$TOOLS/bank" "$@"; }
bank "$LIVE/wal.db" -m wal -n 500 -z 12 init
bank "$LIVE/del.db" -m delete -n 500 -z 12 init
chmod 640 "$LIVE"/*.db
facts() { stat -c '%n %i %u %g %a %h' "$LIVE"/*.db; }
before=$(facts)
for m in wal del; do
	"$TOOLS/bank" "$LIVE/$m.db" -r 40 -b 20000 -l "$T/$m.log" run >"$T/$m.out" 2>&1 &
	PIDS="$PIDS $!" writers="$writers $!"
done
remote_start || exit 1
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 100ms to 500ms }" \
    "database \"wal\" { path \"$LIVE/wal.db\" to \"hq\" lock timeout 20s }" \
    "database \"del\" { path \"$LIVE/del.db\" to \"hq\" lock timeout 20s }"
daemon_start || finish

# How long a backup takes here.
now_ms() { echo $(($(date +%s%N) / 1000000)); }
t0=$(now_ms)
for db in wal del wal del; do create "{\"database\":\"$db\"}" >/dev/null; done
ONE_MS=$((($(now_ms) - t0) / 4))
echo "# a backup takes $ONE_MS ms"
[ -n "$CHECK_LONG" ] || [ "$ONE_MS" -lt 250 ] || MOMENTS=6	# a busy machine

# Some time within a backup, or a little after it.
moment() { sleep "$(awk -v ms="$ONE_MS" -v s="$RANDOM" 'BEGIN { srand(s); printf "%.3f", rand() * ms * 1.2 / 1000 }')"; }
n=0
begin() {	# a backup in the background, of one and then of the other
	n=$((n + 1))
	db=$([ $((n % 2)) = 0 ] && echo wal || echo del)
	create "{\"database\":\"$db\",\"backup_name\":\"n$n\"}" >"$T/made.$n" &
	CLIENT=$!
}
# wrong WHAT: adds to what a loop found; an empty WHAT adds nothing.
wrong() { [ -z "$1" ] || WRONG="$WRONG
$i: $1"; }
# again: a new daemon, which must find or make the truth.
again() {
	start_daemon || { result 1 "it starts again" "$(tail -5 "$T/daemon.log")"; finish; exit 1; }
	wait_for 30 settled || wrong "entries that do not end"
	wrong "$(catalog_true)"
}

# The engine.
WRONG=
for i in $(seq "$MOMENTS"); do
	begin; moment
	kill_daemon || wrong "processes stay"
	wait $CLIENT
	again
done
is "the engine, killed $MOMENTS times" "$WRONG" ""

# The client may believe what it was told, whoever was killed then.
told() {
	for f in "$T"/made.*; do
		jq -r 'select(.success == true) | .data | select(.id != null) |
		    "\(.id) \(.checksum)"' "$f" 2>/dev/null
	done | sort -u >"$T/told"
	api GET /user | jq -r '.data[] | select((.locations | index("local"))
	    != null) | "\(.id) \(.checksum)"' | sort -u >"$T/have"
	comm -23 "$T/told" "$T/have"
}
is "no client was told of a backup that is not there" "$(told)" ""

# Front, network: the engine says who and why, stops in order, exits 1.
for which in front network; do
	WRONG=
	for i in $(seq "$MOMENTS"); do
		: >"$T/daemon.log"
		pid=$(child $which)
		all=$(children "$DAEMON")
		begin; moment
		kill -KILL "$pid"
		daemon_wait; rc=$RC
		wait $CLIENT
		[ "$rc" = 1 ] || wrong "exit status $rc"
		ended $all || wrong "processes stay"
		grep -q "$which (pid $pid) died: signal 9" "$T/daemon.log" ||
		    wrong "no word of who died: $(grep engine: "$T/daemon.log" | tail -3)"
		grep -q 'engine: stopped$' "$T/daemon.log" || wrong "not in order"
		again
	done
	is "the $which, killed $MOMENTS times" "$WRONG" ""
done
is "still nobody was told a lie" "$(told)" ""

# A worker: its job fails, the daemon goes on.
WRONG= hit=0
pid=$DAEMON
for i in $(seq "$MOMENTS"); do
	begin
	# Not before it is there; some capture, some verify.
	until w=$(child worker); do kill -0 $CLIENT 2>/dev/null || break; done
	[ $((i % 3)) = 0 ] || moment
	w=$(child worker) && kill -KILL "$w" 2>/dev/null
	wait $CLIENT
	case $(jq -r '"\(.success) \(.errorCode) \(.data.status)"' "$T/made.$n") in
	"false WORKER_FAILED null") hit=$((hit + 1)) ;;
	"true null completed") ;;
	*) wrong "$(cat "$T/made.$n")" ;;
	esac
	alive "$pid" || { wrong "the daemon is gone"; break; }
done
wait_for 30 settled
wrong "$(catalog_true)"
is "a worker, killed $MOMENTS times" "$WRONG" ""
ok "$hit of these failed their job" test "$hit" -gt 0
is "one that failed is in the list" "$(api GET /user | jq '[.data[] | select(.status == "failed" and .file_path == null)] | length > 0')" true
like "and says why" "$(api GET /user | jq -r '[.data[] | select(.status == "failed") | .error] | first')" '?*'

# SIGTERM during a backup.
WRONG=
for i in 1 2 3 4 5 6; do
	begin; moment
	t0=$(now_ms)
	# A service manager may tell all processes at once.
	all=; [ $((i % 2)) = 0 ] && all=$(children "$DAEMON")
	kill -TERM "$DAEMON" $all
	daemon_wait; rc=$RC
	ms=$(($(now_ms) - t0))
	wait $CLIENT
	[ "$rc" = 0 ] && [ $ms -lt 8000 ] || wrong "exit status $rc after $ms ms"
	[ -z "$(find "$BACKUP_DIR" -name '.tmp-*')" ] || wrong "a temporary file is left"
	again
done
is "SIGTERM during a backup" "$WRONG" ""

# A client that hangs up does not stop its job.
name=hungup-$$
curl -s -m 0.05 -H 'Content-Type: application/json' \
    -d "{\"database\":\"wal\",\"backup_name\":\"$name\"}" "$URL/create" >/dev/null
is "the client hung up" $? 28
there() { [ "$(api GET /user | jq -r --arg n "$name" '.data[] | select(.backup_name == $n) | .status')" = completed ]; }
ok "and its backup is completed" wait_for 30 there

# Two daemons and one directory.
sed "s/^listen.*/listen on 127.0.0.1 port $(port)/" "$CONF" >"$T/second.conf"
out=$("$BUILD/cloudbackupd" -d -f "$T/second.conf" 2>&1 </dev/null); rc=$?
is "a second daemon on the same directory exits" $rc 1
like "and says why" "$out" "*$BACKUP_DIR*"
sed "s,^backup directory.*,backup directory \"$T/other\"," "$CONF" >"$T/third.conf"
out=$("$BUILD/cloudbackupd" -d -f "$T/third.conf" 2>&1 </dev/null); rc=$?
is "one on the same port exits" $rc 1
like "and says why" "$out" "*$PORT*"
ok "the first goes on" answers

# What all this did to the live databases: nothing.
is "the live files are the same" "$(facts)" "$before"
is "and no others are there" "$(ls "$LIVE" | grep -vxE '(wal|del)\.db(-wal|-shm|-journal)?')" ""
for w in $writers; do ok "a writer never noticed" alive "$w"; done
kill -TERM $writers; wait $writers 2>/dev/null
for m in wal del; do
	echo "# $m: $(cat "$T/$m.out")"
	out=$(bank "$LIVE/$m.db" sum)
	like "$m: no money is lost: $out" "$out" 'sum=500000 expected=500000 *'
	ok "$m: nor any commit" test "${out##*n=}" -ge "$(sort -n "$T/$m.log" | tail -1)"
	is "$m: it is sound" "$(sqlite3 "$LIVE/$m.db" 'PRAGMA integrity_check')" ok
	is "$m: its journal mode" "$(sqlite3 "$LIVE/$m.db" 'PRAGMA journal_mode')" \
	    "$([ $m = wal ] && echo wal || echo delete)"
done
like "the writers did work" "$(cat "$T/wal.out")" 'tx=[1-9]*'

# Each backup is once at the remote, whatever died during its upload (D18).
is "no upload twice" "$(cat "$T"/remote/*.json | jq -r .description |
    grep -o '\[cloudbackupd:.*\]' | sort | uniq -d)" ""
is "and none is missing there" "$(api GET /user | jq -r '[.data[] |
    select(.status == "completed" and .remote_backup_id == null)] | length')" 0
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
