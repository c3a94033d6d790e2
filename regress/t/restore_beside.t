#!/bin/bash
# While the image is checked, what the database holds is already copied.
# The check is stopped at its beginning here, so that each test decides
# what happens first: until its word there is no write lock and no change;
# whichever of the two fails, the other ends, nothing is left, and the
# client is told what it would have been told of one after the other.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"
[ -x "$TOOLS/hostile-worker" ] || skip_all "no tools; try: make tools"

# The engine looks for its helpers beside itself in a folder "build".
REAL=$BUILD
BUILD=$T/build
mkdir "$BUILD"
cp "$REAL"/cloudbackupd "$REAL"/cloudbackupd-{front,looker,network} "$BUILD"
cp "$REAL/cloudbackupd-worker" "$BUILD/cloudbackupd-worker.real"
cp "$TOOLS/hostile-worker" "$BUILD/cloudbackupd-worker"
checks() { echo "worker verify $1" >"$BUILD/scenario"; }
checks real

place() { mkdir -p "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }
blocks=()
for n in wal del; do
	F=$(place $n)
	bank "$F" -m $([ $n = wal ] && echo wal || echo delete) -z 2 init
	sql "$F" "UPDATE state SET n = 5"
	blocks+=("$(database $n "$F" 'lock timeout 1s')")
done
g=$(place text); owned sqlite3 "$g" "PRAGMA encoding = 'UTF-16le'; CREATE TABLE a(b); INSERT INTO a VALUES('c')"
daemon_with "${blocks[@]}" "$(database text "$g")" || exit 1
for n in wal del text; do
	taken $n
	eval "ID_$n=$ID FILE_$n='$FILE'"
done

# in_state STATE: the worker that is in it (T: stopped; others: not).
in_state() {
	local c s n
	for c in $(children "$DAEMON"); do
		read -r n <"/proc/$c/comm" || continue
		case $n in cloudbackupd-wo*) ;; *) continue ;; esac
		s=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$c/status")
		[ "$s" != T ] || s=T
		[ "$1$s" = TT ] || { [ "$1" != T ] && [ "$s" != T ]; } || continue
		echo "$c"
		return 0
	done 2>/dev/null
	return 1
}
job() { api GET /jobs | jq -c '[.data[] | select(.kind == "restore")] | max_by(.id)'; }
running() { [ "$(job | jq -r .state)" = running ]; }
alone() { ! in_state S; }	# but for the check
copied() { [ "$(job | jq '.state == "running" and .phases.safety_ms > 0')" = true ]; }
idle() { ! child worker; }
# begin ID [JSON]: the check is stopped; what is there has been copied, or
# (with $UNTIL another condition) that has been met.
begin() {
	checks stop
	ANSWER=$T/answer restore "$1" "${2-}" &
	CLIENT=$!
	wait_for 20 in_state T && wait_for 20 ${UNTIL:-copied} ||
	    result 1 "a restore with a check that is stopped" "$(cat "$T/answer"; job)"
	CHECK=$(in_state T)
	checks real
}
go_on() { kill -CONT "$CHECK"; }
# ends WANTED WHAT: code, and method, of the answer.
ends() {
	wait "$CLIENT"
	is "$2" "$(jq -r '.errorCode // .data.method' "$T/answer")" "$1"
	ok "$2: all workers are gone" wait_for 10 idle
	is "$2: nothing unfinished is left" "$(find "$BACKUP_DIR" -name '.tmp-*'; find "$D" -name '*cloudbackupd*')" ""
}
count() { get /user | jq '.data | length'; }
shot() { BEFORE=$(count); SHOT=$(who "$F"; sql "$F" 'SELECT n FROM state; PRAGMA integrity_check'); }
same() { is "$1: the old content stands" "$(who "$F"; sql "$F" 'SELECT n FROM state; PRAGMA integrity_check')" "$SHOT"; is "$1: and no safety backup" "$(count)" "$BEFORE"; }

for n in wal del; do
	F=$D/$n/app.db
	eval "ID=\$ID_$n FILE=\$FILE_$n"

	# Side by side, and the check is waited for.
	sql "$F" "UPDATE state SET n = 6"
	begin "$ID"
	is "$n: an application writes meanwhile, without waiting" "$(sql -cmd '.timeout 0' "$F" 'UPDATE state SET n = 7 RETURNING n')" 7
	sleep 0.5
	is "$n: the restore still waits" "$(field "$F") $(job | jq -r .state) $(in_state S >/dev/null && echo waits)" "7 running waits"
	is "$n: there is no safety backup yet" "$(get "/user?database=$n" | jq '[.data[] | select(.backup_type == "system")] | length')" 0
	go_on
	ends live "$n: the image is sound"
	is "$n: its content" "$(field "$F") $(sql "$F" 'PRAGMA integrity_check')" "5 ok"
	is "$n: what was written meanwhile is in the safety backup" \
	    "$(sqlite3 "file:$(artifact "$(jq .data.safety_backup_id "$T/answer")")?immutable=1" 'SELECT n FROM state')" 7

	# The image is not what it was.
	sql "$F" "UPDATE state SET n = 8"; shot
	cp "$FILE" "$T/aside"
	printf '\125' | dd of="$FILE" bs=1 seek=700000 conv=notrunc status=none
	begin "$ID"; go_on
	ends INVALID_BACKUP "$n: an image that is not sound"
	same "$n: not sound"
	# That comes first, however the other one ends.
	begin "$ID"; kill -KILL "$(in_state S)"; go_on
	ends INVALID_BACKUP "$n: not sound, and the worker that copies is killed"
	hold "$F" exclusive
	UNTIL=running begin "$ID"; go_on
	ends INVALID_BACKUP "$n: not sound, and the database is locked"
	let_go
	same "$n: not sound, too"
	cat "$T/aside" >"$FILE"

	# Somebody holds the lock, before the image is known to be sound.
	hold "$F" exclusive
	UNTIL=alone begin "$ID"
	go_on
	ends DATABASE_LOCKED "$n: locked"
	! is_root || like "$n: the holder is named" "$(jq -r .error "$T/answer")" "*process $HOLDER (mkdb, user $OWNER) holds *"
	let_go
	same "$n: locked"

	[ $n = wal ] || break

	# One of them dies.
	begin "$ID"; kill -KILL "$CHECK"
	ends WORKER_FAILED "$n: the check is killed"
	same "$n: check killed"
	begin "$ID"; kill -KILL "$(in_state S)"
	sleep 0.3
	ok "$n: the answer waits for the check" test ! -s "$T/answer"
	go_on
	ends WORKER_FAILED "$n: the worker that copies is killed"
	same "$n: copy killed"

	# The daemon is told to end.
	begin "$ID"
	kill -TERM "$DAEMON"
	told() { grep -q '^ShdPnd:.*4[0-9a-f]\{3\}$' "/proc/$CHECK/status"; }
	ok "$n: it tells its workers to end" wait_for 10 told
	go_on
	daemon_wait
	is "$n: it ends in order" "$RC" 0
	wait "$CLIENT"
	is "$n: nothing unfinished is left then" "$(find "$BACKUP_DIR" -name '.tmp-*'; find "$D" -name '*cloudbackupd*')" ""
	DAEMON=
	daemon_start || exit 1
	same "$n: ended"
done

# What the copying finds wrong is told after the check.
F=$D/text/app.db
rm "$F"
bank "$F" -z 1 init
shot
UNTIL=alone begin "$ID_text"
ok "another encoding: the answer waits for the check" test ! -s "$T/answer"
go_on
ends FORCE_REQUIRED "another encoding"
same "another encoding"

# A database that is not there, until an application makes it meanwhile.
F=$D/del/app.db
rm "$F"*
app() {
	coproc APP { owned sqlite3 "$F" 2>&1; }
	echo "PRAGMA journal_mode=wal; CREATE TABLE mine(x); INSERT INTO mine VALUES('kept'); SELECT 'made';" >&"${APP[1]}"
	while read -r line <&"${APP[0]}" && [ "$line" != made ]; do :; done
}
app_ends() { eval "exec ${APP[1]}>&-"; wait "$APP_PID" 2>/dev/null; }
UNTIL=running begin "$ID_del" '{"force": true}'
sleep 0.3
app
go_on
ends BUSY "it is made meanwhile"
is "that is not touched" "$(sql "$F" 'SELECT x FROM mine; PRAGMA integrity_check' | xargs)" "kept ok"
app_ends
is "nor lost when it ends" "$(sql "$F" 'SELECT x FROM mine; PRAGMA integrity_check' | xargs)" "kept ok"

# The same of one that is no database, and is made one.
owned rm "$F"*
garbage() { head -c 20000 /dev/urandom >"$F"; own "$F"; }
garbage
UNTIL=running begin "$ID_del" '{"force": true}'
sleep 0.3
cp "$D/wal/app.db" "$T/other"; cat "$T/other" >"$F"
go_on
ends BUSY "another content in its place"
ok "that is not touched, either" cmp "$T/other" "$F"
garbage
UNTIL=running begin "$ID_del" '{"force": true}'
sleep 0.3
owned rm "$F"; app
go_on
ends BUSY "another one in its place"
is "that is not touched, too" "$(sql "$F" 'SELECT x FROM mine; PRAGMA integrity_check' | xargs)" "kept ok"
app_ends
is "nor lost when it ends" "$(sql "$F" 'SELECT x FROM mine; PRAGMA integrity_check' | xargs)" "kept ok"

# A database that is not there: nothing is put in its place before.
F=$D/del/app.db
rm "$F"*
UNTIL=running begin "$ID_del" '{"force": true}'
sleep 0.5
is "a missing database: nothing is there yet" "$(ls -A "$D/del")" ""
go_on
ends replace "a missing database"
is "its content" "$(field "$F")" 5
finish
