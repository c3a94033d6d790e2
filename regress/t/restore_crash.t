#!/bin/bash
# kill -9 of each process at random moments of a restore, with and without
# somebody connected: the live database then holds exactly what it held
# before or exactly the backup, the catalog is true, and what was named as a
# safety backup stays.  CHECK_LONG=1: 50 moments of each kind.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -x "$TOOLS/reader" ] || skip_all "no $TOOLS/reader"
MOMENTS=${CHECK_LONG:+50}
MOMENTS=${MOMENTS:-12}
LIVE=$T/live
mkdir "$LIVE"
bank() { "$TOOLS/bank" "$@"; }
sql() { sqlite3 -cmd '.timeout 20000' "$@" 2>&1; }

# n tells which content it is: 1000 the backup's, 1 to 999 what a test put
# there.  Both differ in their blobs, too.
remote_start || exit 1
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 100ms to 500ms }" \
    "database \"wal\" { path \"$LIVE/wal.db\" lock timeout 10s }" \
    "database \"del\" { path \"$LIVE/del.db\" lock timeout 10s }"
for db in wal del; do
	bank "$LIVE/$db.db" -m $([ $db = wal ] && echo wal || echo delete) -n 300 -z 6 init
	sql "$LIVE/$db.db" "UPDATE state SET n = 1000; PRAGMA user_version = 7"
done
chmod 640 "$LIVE"/*.db
facts() { stat -c '%n %i %u %g %a %h' "$LIVE"/*.db; }
before=$(facts)
daemon_start || finish
for db in wal del; do
	eval "ID_$db=$(create "{\"database\":\"$db\"}" | jq .data.id)"
done
# content FILE: a number for what is in it, apart from n.
content() { sql "$1" "SELECT total(length(data)), sum(k % 1000003) FROM ballast"; }
for db in wal del; do
	eval "THEN_$db='$(content "$LIVE/$db.db")'"
	sql "$LIVE/$db.db" "UPDATE ballast SET data = randomblob(9000), k = random() WHERE id % 3 = 0; DELETE FROM ballast WHERE id % 7 = 0; UPDATE state SET n = 1"
done

now_ms() { echo $(($(date +%s%N) / 1000000)); }
restore() { eval "_id=\$ID_$1"; curl -s -m 60 -X POST "$URL/restore/$_id"; }
t0=$(now_ms)
for db in wal del; do
	restore $db >"$T/first"
	[ "$(jq -r .data.method "$T/first")" = live ] || result 1 "a restore of $db" "$(cat "$T/first")"
done
ONE_MS=$((($(now_ms) - t0) / 2))
echo "# a restore takes $ONE_MS ms"
moment() { sleep "$(awk -v ms="$ONE_MS" -v s="$RANDOM" 'BEGIN { srand(s); printf "%.3f", rand() * ms * 1.2 / 1000 }')"; }

wrong() { [ -z "$1" ] || WRONG="$WRONG
$i: $1"; }
n=0
# begin: something else into one and then the other, every second time with
# readers that stay connected, and its restore in the background.
begin() {
	n=$((n + 1))
	db=$([ $((n % 2)) = 0 ] && echo wal || echo del)
	f=$LIVE/$db.db
	sql "$f" "BEGIN; UPDATE ballast SET data = randomblob(8000 + $n), k = random() WHERE id % 3 = 0; UPDATE state SET n = $n; COMMIT"
	THEN=$(eval "echo \"\$THEN_$db\"")
	NOW=$(content "$f")
	READERS=
	if [ $((n / 2 % 2)) = 0 ]; then
		"$TOOLS/reader" "$f" -c 2 >"$T/readers" 2>&1 &
		READERS=$!
		wait_for 5 grep -q "^state .* $n " "$T/readers"
	fi
	restore $db >"$T/answer" &
	CLIENT=$!
}
# old_or_new: the content is one of the two, and sound; what the client was
# told and what readers saw agrees.
OLD=0 NEW=0 HIT=0 REPLACED=
old_or_new() {
	case "$(sql "$f" 'PRAGMA integrity_check; SELECT n FROM state' | tr '\n' ' ') $(content "$f")" in
	"ok $n  $NOW")
		OLD=$((OLD + 1))
		[ "$(jq -r .success "$T/answer" 2>/dev/null)" != true ] ||
		    wrong "the client was told that it is restored" ;;
	"ok 1000  $THEN") NEW=$((NEW + 1)); REPLACED="$REPLACED $n" ;;
	*) wrong "neither the old nor the new: $(sql "$f" 'PRAGMA integrity_check; SELECT n FROM state' | head -3)" ;;
	esac
	if [ -n "$READERS" ]; then
		kill -TERM "$READERS"
		wait "$READERS" || wrong "a reader saw a torn state"
		wrong "$(grep ^error "$T/readers" | head -2)"
		wrong "$(awk -v n=$n '$1 == "state" && $5 != n && $5 != 1000' "$T/readers" | head -2)"
	fi
	[ "$(facts)" = "$before" ] || wrong "another file: $(facts)"
	wrong "$(ls "$LIVE" | grep -vxE '(wal|del)\.db(-wal|-shm|-journal)?')"
}
again() {
	start_daemon || { result 1 "it starts again" "$(tail -5 "$T/daemon.log")"; finish; exit 1; }
	wait_for 30 settled || wrong "entries that do not end"
	wait_for 5 quiet
	wrong "$(catalog_true)"
}
# What is adopted is checked first.
quiet() { ! child worker; }
counted() { echo "# $1: $OLD times the old, $NEW times the new content"; }

WRONG=
for i in $(seq "$MOMENTS"); do
	begin; moment
	kill_daemon || wrong "processes stay"
	wait $CLIENT
	[ $((i % 3)) = 0 ] || old_or_new	# before the daemon sees it,
	again
	[ $((i % 3)) != 0 ] || old_or_new	# or after
done
is "the engine, killed $MOMENTS times" "$WRONG" ""
counted engine

for which in front network; do
	WRONG= OLD=0 NEW=0
	for i in $(seq "$MOMENTS"); do
		pid=$(child $which)
		all=$(children "$DAEMON")
		begin; moment
		kill -KILL "$pid"
		daemon_wait; rc=$RC
		wait $CLIENT
		[ "$rc" = 1 ] || wrong "exit status $rc"
		ended $all || wrong "processes stay"
		old_or_new
		again
	done
	is "the $which, killed $MOMENTS times" "$WRONG" ""
	counted $which
done

# A worker: its job fails, the daemon goes on, and so do the readers.
WRONG= OLD=0 NEW=0
pid=$DAEMON
for i in $(seq "$MOMENTS"); do
	begin
	until w=$(child worker); do kill -0 $CLIENT 2>/dev/null || break; done
	moment
	w=$(child worker) && kill -KILL "$w" 2>/dev/null
	wait $CLIENT
	case $(jq -r '"\(.success) \(.errorCode)"' "$T/answer") in
	"false WORKER_FAILED") HIT=$((HIT + 1)) ;;
	"true null") ;;
	*) wrong "$(cat "$T/answer")" ;;
	esac
	old_or_new
	alive "$pid" || { wrong "the daemon is gone"; break; }
	wait_for 5 quiet
	wrong "$(catalog_true)"
done
is "a worker, killed $MOMENTS times" "$WRONG" ""
counted worker
ok "$HIT of these failed their job" test "$HIT" -gt 0

# SIGTERM: a restore that runs ends with the old or the new content, in order.
WRONG= OLD=0 NEW=0
for i in 1 2 3 4; do
	begin; moment
	t0=$(now_ms)
	kill -TERM "$DAEMON"
	daemon_wait; rc=$RC
	ms=$(($(now_ms) - t0))
	wait $CLIENT
	[ "$rc" = 0 ] && [ $ms -lt 8000 ] || wrong "exit status $rc after $ms ms"
	old_or_new
	[ -z "$(find "$BACKUP_DIR" -name '.tmp-*')" ] || wrong "a temporary file is left"
	again
done
is "SIGTERM during a restore" "$WRONG" ""
counted SIGTERM

# Each state that was replaced is in a safety backup, by whatever way it
# came to be in the catalog.
get() { api GET /user; }
ok "safety backups were kept" test "$(get | jq '[.data[] | select(.backup_type == "system" and .file_path != null)] | length')" -gt 0
is "each of them is restorable" "$(get | jq -r '.data[] | select(.backup_type == "system" and .file_path != null and .status != "completed") | "\(.id) \(.status) \(.error)"')" ""
lost=
get | jq -r '.data[] | select(.status == "completed" and .file_path != null) | .file_path' |
    while read -r f; do sqlite3 "file:$f?immutable=1" "SELECT n FROM state"; done >"$T/safe"
for i in $REPLACED; do grep -qx "$i" "$T/safe" || lost="$lost $i"; done
is "and none of the $(echo $REPLACED | wc -w) states that were replaced is lost" "$lost" ""
for db in wal del; do
	is "$db: a restore still works" "$(restore $db | jq -r .data.method) $(sql "$LIVE/$db.db" 'SELECT n FROM state; PRAGMA integrity_check' | tr '\n' ' ')" "live 1000 ok "
	is "$db: its journal mode" "$(sql "$LIVE/$db.db" 'PRAGMA journal_mode')" "$([ $db = wal ] && echo wal || echo delete)"
done
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
