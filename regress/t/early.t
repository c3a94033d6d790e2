#!/bin/bash
# A backup is sent while it is being proven, and arrives only when it is.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
R=$T/remote
MB=$((1024 * 1024))
mkdir "$T/d"

# The engine looks for its helpers beside itself in a folder "build".  A
# worker after the first waits for as long as there is $T/hold.
REAL=$BUILD
BUILD=$T/build
mkdir "$BUILD"
cp "$REAL"/cloudbackupd "$REAL"/cloudbackupd-{front,network,looker} "$BUILD"
cat >"$BUILD/cloudbackupd-worker" <<W
#!/bin/bash
echo >>"$T/started"
[ \$(wc -l <"$T/started") = 1 ] || while [ -e "$T/hold" ]; do sleep 0.05; done
exec "$REAL/cloudbackupd-worker" "\$@"
W
chmod 755 "$BUILD/cloudbackupd-worker"
go() { rm "$T/hold"; }
"$TOOLS/bank" "$T/d/app.db" -m wal -z 12 init >/dev/null
give() { [ "$(id -u)" != 0 ] || chown -R daemon: "$T/d"; }
give
SIZE=$(stat -c %s "$T/d/app.db")
remote_start
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" timeout 3s retry from 200ms to 1s }
database \"app\" { path \"$T/d/app.db\" user id \"7\" to \"hq\" }"
start_daemon || finish
row() { api GET /user | jq -r --argjson id "$1" '.data[] | select(.id == $id) | '"$2"; }
completed() { [ "$(row "$1" .status)" = completed ]; }
arrived() { ls "$R"/*.json 2>/dev/null | wc -l; }
sent() { stat -c %s "$R"/*.sqlite.tmp 2>/dev/null || echo 0; }
nearly() { [ "$(sent)" -ge $((SIZE - MB - 300000)) ]; }

# held: a create whose check does not begin before go; its ID.
held() {
	sleep 0.3		# the daemon looks at its databases at start
	wait_for 10 eval '! child worker'
	rm -f "$T/started"
	touch "$T/hold"
	JOB=$(api POST /create -H 'Prefer: respond-async' | json .data.id)
	wait_for 10 eval '[ "$(api GET "/jobs/$JOB" | json .data.phase)" = verify ]'
	ID=$(api GET "/jobs/$JOB" | json .data.backup_id)
}

held
ok "while it is checked, nearly all of it is sent" wait_for 10 nearly
s=$(sent)
ok "and not its end" [ "$s" -lt "$SIZE" ]
is "it is not on its way, as the catalog says" "$(row "$ID" .status) $(row "$ID" '.locations | length')" "pending 0"
sleep 3.5		# longer than the remote may be silent
is "the remote has no backup" "$(arrived)" 0
is "what waits for us is no fault of the remote" "$(grep -c "nothing moved" "$T/daemon.log")" 0
go
ok "the proof lets it go" wait_for 10 completed "$ID"
is "once, and whole" "$(arrived) $(sha256 "$R"/*.sqlite)" "1 $(sha256 "$(row "$ID" .file_path)")"
is "in one attempt" "$(api GET "/backup/$ID" | json '.data.copies[] | select(.place == "hq") | .attempts')" 1

# The remote goes away meanwhile.
held
wait_for 10 nearly
kill -KILL "$REMOTE"
wait "$REMOTE" 2>/dev/null
go
ok "a remote that goes away meanwhile fails nothing" wait_for 10 eval '[ "$(row "$ID" .locations[0])" = local ]'
rm -f "$R"/*.tmp
remote_start
ok "and gets it later" wait_for 15 completed "$ID"
is "once" "$(arrived)" 2

# So do we.
held
wait_for 10 nearly
kill_daemon
go
start_daemon || finish
n=$(row "$ID" .status)
is "after kill -9 the remote has what the catalog says" "$(arrived)" "$([ "$n" = completed ] && echo 3 || echo 2)"

# A damaged database is no backup, there neither.
n=$(arrived)
kill -TERM "$DAEMON"; daemon_wait
dd if=/dev/urandom of="$T/d/app.db" bs=4096 seek=1 count=3 conv=notrunc status=none
rm -f "$R"/*.tmp
start_daemon || finish
held
wait_for 5 nearly
go
ok "a damaged database: it fails" wait_for 10 eval '[ "$(row "$ID" .status)" = failed ]'
ok "what was sent of it is dropped" wait_for 5 eval '[ -z "$(ls "$R"/*.tmp 2>/dev/null)" ]'
is "and the remote has nothing of it" "$(arrived)" "$n"
is "the next may go there" "$(api GET /status | jq -r '[.data.remotes[]?.uploading // 0] | add // 0')" 0
finish
