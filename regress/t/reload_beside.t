#!/bin/bash
# A reload while a look, or a create, is under way: what was found out or
# made by the old configuration is not taken for what the new one asks for.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
[ -x "$TOOLS/hostile-worker" ] || skip_all "no tools; try: make tools"
export TZ=Europe/Berlin

# The engine looks for its helpers beside itself in a folder "build".
REAL=$BUILD
BUILD=$T/build
mkdir "$BUILD"
cp "$REAL"/cloudbackupd "$REAL"/cloudbackupd-{front,looker,network} "$BUILD"
cp "$REAL/cloudbackupd-worker" "$BUILD/cloudbackupd-worker.real"
cp "$TOOLS/hostile-worker" "$BUILD/cloudbackupd-worker"
echo "worker verify real" >"$BUILD/scenario"

db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
slot() { db "SELECT slot_ms FROM databases WHERE name = 'shop'"; }
result_of() { db "SELECT result FROM databases WHERE name = 'shop'"; }
later() { [ "$(slot)" -gt "$1" ]; }
stopped() { grep -q '^State:.T' "/proc/$1/status"; }
said() { grep -c "$1" "$T/daemon.log"; }
reload() {
	local n=$(said 'configuration read anew')
	daemon_conf "$@"
	kill -HUP "$DAEMON"
	again() { [ "$(said 'configuration read anew')" -gt "$n" ]; }
	ok "the configuration is read" wait_for 5 again
}

# ---- a look ----
for n in one two; do bank "$D/$n.db" -n 20 init; done
shop() { database shop "$D/$1.db" "every 2m jitter 0s"; }
sleep 2.1				# older than "too recent to tell"
clock_set "2027-03-26 12:00:05" 0
daemon_conf "$(shop one)"
start_daemon || finish
completed() { [ "$(result_of)" = completed ]; }
ok "the first is copied" wait_for 10 completed
s=$(slot); clock_add 120
wait_for 10 later "$s"
is "and unchanged" "$(result_of)" unchanged
L=$(child looker)
kill -STOP "$L"
wait_for 5 stopped "$L"
s=$(slot); clock_add 120
looks() { api GET /status | jq -e '.data.databases[] | select(.database == "shop").running'; }
ok "it is looked at again" wait_for 10 looks
reload "$(shop two)"
kill -CONT "$L"
ok "that ends" wait_for 10 later "$s"
is "which says nothing of the second" "$(result_of)" completed
daemon_stop

# ---- who owns it ----
# begin WHAT COMMAND...: in the background; its workers for that are stopped.
held() {
	HELD=
	for c in $(children "$DAEMON"); do ! stopped "$c" || HELD="$HELD $c"; done 2>/dev/null
	[ -n "$HELD" ]
}
begin() {
	wait_for 5 quiet
	echo "worker $1 stop" >"$BUILD/scenario"; shift
	"$@" & BEGUN=$!
	wait_for 10 held
	result $? "$1 is under way"
	echo "worker verify real" >"$BUILD/scenario"
}
go_on() { held; kill -CONT $HELD; wait $BEGUN; }
may() { owned curl -s -o /dev/null -w '%{http_code}' "$URL/check-locks?database=shop"; }
quiet() { ! child worker; }
! is_root || chown mail: "$D/two.db"
clock_set "2027-03-26 12:20:00" 1
daemon_conf "$(database shop "$D/one.db")"
start_daemon || finish
begin capture create shop
is "the owner has all rights" "$(may)" 200
reload "$(database shop "$D/two.db")"
if is_root; then
	refused_now() { [ "$(may)" = 403 ]; }
	ok "none, when it is another file" wait_for 5 refused_now
	go_on
	is "nor when the create of his has ended" "$(json .success <"$T/body") $(may)" "true 403"
else
	go_on
fi

# ---- a restore ----
. "$TOP/regress/restore.sh"
ID=$(json .data.id <"$T/body")
own "$D/two.db"
before=$(sha256 "$D/two.db")
reload "$(database shop "$D/one.db")"
begin inspect restore "$ID"
reload "$(database shop "$D/two.db")"
go_on
is "it does not go into another file" "$(json .errorCode <"$T/restored")" BUSY
is "which is as it was" "$(sha256 "$D/two.db")" "$before"
restored "asked for again it does" "$ID"

# ---- what goes to remotes ----
R=$T/remote
remote_start || finish
age=age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z
bank "$D/large.db" -z 12 init		# such go while they are checked
to_hq() {
	echo "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }"
	database shop "$D/large.db" 'to "hq"' ${1:+"$1"}
}
# changes BEFORE BEHIND WHAT IS-THERE: a reload while the image is checked.
there() { ls -t "$R"/*.sqlite | head -1; }
changes() {
	reload "$(to_hq "$1")"
	rm -f "$R"/*
	begin verify create shop
	reload "$(to_hq "$2")"
	go_on
	is "$3: complete" "$(json '"\(.data.status) \(.data.locations)"' <"$T/body")" 'completed ["local","remote"]'
	is "$3" "$(head -c 15 "$(there)" | tr -d '\0')" "$4"
}
changes "encrypt to \"$age\" remote" "encrypt to \"$age\"" "encrypted before and behind" age-encryption.
changes "" "encrypt to \"$age\"" "encrypted now" age-encryption.
changes "encrypt to \"$age\"" "" "no longer" "SQLite format 3"
changes "" "compress zstd local" "compressed here" "SQLite format 3"

# ---- what a pattern finds ----
daemon_stop
for d in here there; do
	mkdir "$D/$d"; own "$D/$d"
	for n in both "$d"; do bank "$D/$d/$n.db" -n 20 init; done
done
tenants() { echo "database \"t\" { path \"$D/$1/*.db\" }"; }
echo "worker glob stop" >"$BUILD/scenario"
daemon_conf "$(tenants here)"
start_daemon || finish
wait_for 10 held
result $? "a pattern's files are looked for"
echo "worker verify real" >"$BUILD/scenario"
reload "$(tenants there)"
kill -CONT $HELD
found() { db "SELECT group_concat(name || ' ' || path, ', ') FROM (SELECT * FROM databases WHERE name LIKE 't-%' ORDER BY name)"; }
all_found() { [ "$(found)" = "t-both $D/there/both.db, t-there $D/there/there.db" ]; }
ok "those of the new one are there at once, and no others" wait_for 10 all_found
finish
