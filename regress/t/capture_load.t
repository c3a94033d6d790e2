#!/bin/bash
# Captures under load: a database of 100 MB in every mode, a checkpointer
# that restarts and truncates the log, a log that nobody checkpoints, and
# what a crash leaves in a log.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"
COUNT=3
[ -z "${CHECK_LONG:-}" ] || COUNT=25

# writer DB OPTIONS: a bank at work; writer_end prints its line.
writer() {
	: >"$T/log"; own "$T/log"
	SPAWN_OUT=$T/run spawn_owned "$T/bin/bank" "$1" -l "$T/log" "${@:2}" run
	WRITER=$SPAWNED
	wait_for 10 test -s "$T/log"
}
writer_end() { reap "$WRITER"; RUN=$(cat "$T/run"); }
last() { sort -n "$T/log" | tail -1; }
# good DATABASE: one capture; prints what is wrong with it.
good() {
	local before after n out
	before=$(last)
	create "$1"
	after=$(last)
	[ "$CODE" = 200 ] || { echo "$CODE $BODY"; return; }
	out=$("$T/bin/bank" "$FILE" check) || echo "$out"
	n=${out##*n=}; n=${n%% *}
	[ "$n" -ge "$before" ] && [ "$n" -le $((after + 2)) ] ||
	    echo "n=$n, not in $before to $after"
	HELD=$(json .data.lock_held_ms <"$T/body")
	rm -f "$FILE"
}
goods() { for ((i = 0; i < $2; i++)); do good "$1"; done; }

bank "$D/large.db" -z 100 init
for name in checked grown; do
	bank "$D/$name.db" -m wal -n 200 -z 2 init
done
mkdb hotwal "$D/crash.db" 300
bank "$D/anew.db" -m wal -n 2000 -z 100 init
daemon_with "$(database large "$D/large.db" "verify none")" \
    "$(database checked "$D/checked.db")" \
    "$(database checked-backup "$D/checked.db" "capture backup")" \
    "$(database grown "$D/grown.db")" \
    "$(database anew "$D/anew.db" "verify none")" \
    "$(database crash "$D/crash.db")" || exit 1

# What a copy does while somebody commits it does not do when nobody does.
gently() { grep -c 'commits to large, which was copied by one thread' "$T/daemon.log"; }
is "100 MB that nobody writes to: captured" "$(create large; echo "$CODE"; rm -f "$FILE")" 200
is "by all threads at once" "$(gently)" 0

# A copy of 100 MB takes a moment; a writer with one second of patience
# must not see it.
for mode in wal delete truncate persist; do
	before=$(gently)
	writer "$D/large.db" -m $mode -b 1000 -r 200
	out=$(goods large $COUNT)
	writer_end
	is "100 MB, $mode: $COUNT captures are right" "$out" ""
	like "100 MB, $mode: the writer is never refused" "$RUN" \
	    'tx=[1-9]* busy=0 *'
	ok "100 MB, $mode: somebody was seen to commit" test "$(gently)" -gt "$before"
	echo "# $RUN, the lock was held for $(newest large | json .lock_held_ms) ms"
done

# A checkpointer at work: the log begins anew again and again.
writer "$D/checked.db" -b 5000 -w 2
cat >"$T/checkpointer" <<'E'
while kill -0 $$ 2>/dev/null; do
	echo 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_checkpoint(RESTART);'
	echo 'PRAGMA wal_checkpoint(PASSIVE);'
	sleep 0.01
done | exec stdbuf -oL sqlite3 -cmd '.timeout 1000' "$1"
E
SPAWN_OUT=$T/checkpoints spawn_owned bash "$T/checkpointer" "$D/checked.db"
CHECKPOINTER=$SPAWNED
ok "the checkpointer has truncated the log" wait_for 30 grep -q '^0|0|0' "$T/checkpoints"
is "log truncated and restarted, raw: captures are right" "$(goods checked $((COUNT * 8)))" ""
is "log truncated and restarted, backup: captures are right" "$(goods checked-backup $((COUNT * 8)))" ""
reap "$CHECKPOINTER"
writer_end
# They and the checkpointer are in each other's way, so busy counts nothing.
like "and the writers went on" "$RUN" 'tx=[1-9]* busy=*'
ok "the live database has its sum" bank "$D/checked.db" sum

# A log that only grows.
writer "$D/grown.db" -b 0 -c 0
grown() { [ "$(stat -c %s "$D/grown.db-wal")" -gt 20000000 ]; }
ok "the log grows to 20 MB" wait_for 30 grown
before=$(stat -c %s "$D/grown.db-wal")
is "a large log that nobody checkpoints: captures are right" "$(goods grown 5)" ""
ok "it goes on growing: we checkpoint nothing" test "$(stat -c %s "$D/grown.db-wal")" -gt "$before"
writer_end
like "and the writer, without patience, is never refused" "$RUN" 'tx=[1-9]* busy=0 *'

# A log of which all is in the file already: nothing stops a writer from
# beginning it anew while we copy, and its frames are others then.
mkfifo "$T/in"
if is_root; then
	setpriv --reuid "$OWNER" --regid "$OWNER" --init-groups sqlite3 "$D/anew.db" <"$T/in" >"$T/anew" 2>&1 &
else
	sqlite3 "$D/anew.db" <"$T/in" >"$T/anew" 2>&1 &
fi
app=$!
PIDS="$PIDS $app"
exec 8>"$T/in"
say() { echo "$1; SELECT '$2';" >&8; wait_for 20 grep -q "^$2$" "$T/anew"; }
say "PRAGMA wal_autocheckpoint=0; UPDATE ballast SET k = k + 1 WHERE id > (SELECT max(id) - 300 FROM ballast); PRAGMA wal_checkpoint(PASSIVE)" first
create anew & create=$!
caught() {
	local i f
	for ((i = 0; i < 20000; i++)); do
		for f in "$BACKUP_DIR"/anew/* "$BACKUP_DIR"/anew/.[!.]*; do
			[ -s "$f" ] || continue
			COPIER=$(worker_of capture) && kill -STOP "$COPIER"
			return
		done
	done
	return 1
}
caught
result $? "a copy is stopped in the middle"
say "UPDATE accounts SET balance = balance + 1; UPDATE state SET n = 5, total = total + 2000" second
kill -CONT "$COPIER"
wait $create
FILE=$(json .data.file_path <"$T/body")
like "a log that began anew meanwhile: one committed state" "$("$T/bin/bank" "$FILE" check)" '*n=5 integrity=ok'
exec 8>&-
gone 5 "$app"; wait "$app"

# What a crash left in the log is committed, and part of the backup.
is "the file alone has the old rows" "$(rows "$D/crash.db")" 200
created "a log left by a crash" crash
is "all its rows are in the backup" "$(rows "$FILE")" 500
is "and in the live database" "$(sql "$D/crash.db" 'SELECT count(*) FROM t; PRAGMA integrity_check' | xargs)" "500 ok"
nok "no capture fell back" log_has "by SQLite's backup API"
finish
