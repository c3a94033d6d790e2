#!/bin/bash
# The life of backups in a bucket, against a server that verifies
# signatures: what it costs, expiry there, undo, a bucket from which nothing
# may be deleted, backups that got other numbers on a new machine, two
# hosts with one prefix.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
S3PORT=$(port 5)
S3=$("$TOP/regress/s3/server.sh" start "$T/swift" "$S3PORT" 2>"$T/s3.err")
case $? in 0) ;; 2) skip_all "$(cat "$T/s3.err")" ;; *) cat "$T/s3.err"; exit 1 ;; esac
trap '"$TOP/regress/s3/server.sh" stop "$T/swift"; cleanup' EXIT
read -r S3URL S3ID S3SECRET S3REGION <<<"$S3"
token=$("$TOP/regress/s3/server.sh" token "$T/swift" "$S3PORT")
swift() { _m=$1 _p=$2; shift 2; curl -s -m 20 -X "$_m" -H "X-Auth-Token: $token" "$@" "http://127.0.0.1:$S3PORT/v1/AUTH_test$_p"; }
objects() { swift GET "/backups?limit=1000&prefix=${1:-}"; }
bucket() { swift PUT /backups -f; }
ok "a bucket is made" wait_for 20 bucket
umask 077
echo "$S3ID" >"$T/id"
echo "$S3SECRET" >"$T/secret"
echo wrong >"$T/wrong"

"$TOOLS/bank" "$T/app.db" -m wal -n 50 -z 1 init
conf() {	# conf DIRECTORY [LINES FOR THE REMOTE]
	_dir=$1; shift
	BACKUP_DIR=$_dir daemon_conf "remote \"off\" {" \
	    "s3 bucket \"backups\" prefix \"host1/\" region \"$S3REGION\" endpoint \"${VIA:-$S3URL}\"" \
	    "access key file \"$T/id\"" "secret key file \"$T/secret\"" \
	    "timeout 5s retry from 200ms to 2s" "$@" "}" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" ${KEPT:-} }"
	BACKUP_DIR=$_dir
}
column() { sqlite3 "$BACKUP_DIR/catalog.sqlite" "$1"; }
backups() { objects | grep -c '\.sqlite$'; }
costs() { api GET /status | jq -c '.data.remotes[0] | [.requests, .bytes_sent, .bytes_received]'; }
count() { api GET /status | jq ".data.remotes[0].requests.$1"; }
state() { column "SELECT state FROM copies WHERE backup_id = $1 AND place = 'off'"; }
in_state() { [ "$(state "$1")" = "$2" ]; }
events() { api GET "/events?limit=1000" | jq "[.data[] | select(.text | test(\"$1\"))] | length"; }

# What it costs.
conf "$T/one"
daemon_start || finish
is "a bucket that nobody needed has cost one listing: the catalog was empty" "$(sleep 0.5; count list) $(count put)" "1 0"
create '{}' >/dev/null		# this server refuses If-None-Match once
all() { api GET /status | jq -r '.data.remotes[0] | "\(.requests | map(tostring) | join(" ")) \(.bytes_sent)"'; }
read -r put get head lists delete post sent <<<"$(all)"
A=$(create '{}' | json .data.id)
read -r put2 get2 head2 lists2 delete2 post2 sent2 <<<"$(all)"
is "a backup costs two PUT, and two HEAD where no PUT is conditional" "$((put2 - put)) $((get2 - get)) $((head2 - head)) $((lists2 - lists)) $((delete2 - delete)) $((post2 - post))" "2 0 2 0 0 0"
up=$((sent2 - sent)) size=$(api GET "/backup/$A" | json .data.file_size)
ok "$up bytes sent for $size" test "$up" -gt "$size" -a "$up" -lt $((size + 16384))
curl -s "http://127.0.0.1:$PORT/metrics" >"$T/metrics"
told=$(api GET /status | jq -r '.data.remotes[0] | (.requests | to_entries[] | "\(.key) \(.value)"), "sent \(.bytes_sent)", "received \(.bytes_received)"')
metric=$(sed -n 's/^cloudbackupd_remote_\(requests\|bytes\)_total{.*="\([a-z]*\)"} \([0-9]*\)$/\2 \3/p' "$T/metrics")
is "metrics tell the same" "$metric" "$told"
before=$(costs)
for i in 1 2 3; do api GET /user; api GET /user/nobody; api GET "/backup/$A"; sleep 0.4; done >/dev/null
is "lists, also an unknown user's, and being idle cost nothing" "$(costs)" "$before"
api GET '/user?refresh=1' >/dev/null
is "a refresh costs a listing and its manifests" "$(count list) $(count get)" "2 2"

# Expiry there.
daemon_stop
KEPT='keep last 2' conf "$T/one"
daemon_start || finish
for i in 1 2 3; do
	"$TOOLS/bank" "$T/app.db" -n 50 -t 1 load >/dev/null 2>&1
	L=$(create '{}' | json .data.id)
done
two() { [ "$(backups)" = 2 ] && [ "$(objects | wc -l)" = 4 ]; }
ok "keep last 2: two objects stay, with their manifests" wait_for 15 two
like "the newest is one of them" "$(objects)" "*-$L.sqlite*"
is "the catalog has no more either" "$(column "SELECT count(*) FROM copies WHERE place = 'off'")" 2
ok "deletions are counted, too" test "$(( $(count delete) + $(count post) ))" -gt 0

# Restored from the bucket alone, and undone.
sum() { sqlite3 "$T/app.db" "SELECT count(*) FROM extra" 2>/dev/null; }
sqlite3 "$T/app.db" "CREATE TABLE extra (x); INSERT INTO extra VALUES (1)"
RID=$(column "SELECT remote_id FROM copies WHERE place = 'off' AND backup_id = $L")
out=$(api POST "/restore/remote:$RID" -H 'Content-Type: application/json' -d '{}')
is "a restore from the bucket" "$(json .success <<<"$out") $(sum)" "true "
is "its undo" "$(api POST /undo -H 'Content-Type: application/json' -d '{}' | json .success) $(sum)" "true 1"

# A drill of what only the bucket has.
get=$(count get)
out=$(api POST "/verify/$L" -H 'Content-Type: application/json' -d '{}')
is "a drill from the bucket" "$(json '"\(.data.place) \(.data.result) \(.data.rows > 0)"' <<<"$out")" "off passed true"
ok "has fetched it" test "$(count get)" -gt "$get"

# A host that may not delete.
daemon_stop
KEPT='keep last 1' conf "$T/one" "delete no"
daemon_start || finish
n=$(objects)
create '{}' >"$T/out"
reported() { [ "$(events 'nothing can be deleted there')" -ge 1 ]; }
ok "delete no: expiry reports" wait_for 10 reported
is "and nothing goes" "$(objects | grep -cF "$n")" 4
n=$(events 'nothing can be deleted there')
api POST /expire >/dev/null
is "it is said once" "$(events 'nothing can be deleted there')" "$n"

# Credentials that may not delete.
daemon_stop
KEPT='keep last 1' conf "$T/one" "delete access key file \"$T/id\"" "delete secret key file \"$T/wrong\""
daemon_start || finish
for i in 1 2; do create '{}' >"$T/out"; done
refused() { [ "$(column "SELECT count(*) FROM copies WHERE place = 'off' AND doomed_ms > 0 AND reason <> ''")" -ge 2 ]; }
ok "refused: the copies stay marked, with the reason" wait_for 10 refused
is "told once" "$(events 'is refused')" 1
n=$(costs)
api POST /expire >/dev/null
sleep 0.5
is "and not asked for again all the time" "$(costs)" "$n"
L=$(create '{}' | json .data.id)
is "backups go on" "$(state "$L")" completed
daemon_stop
column "UPDATE copies SET next_attempt_ms = 0 WHERE doomed_ms > 0"
KEPT='keep last 1' conf "$T/one"
daemon_start || finish
marked() { [ "$(column "SELECT count(*) FROM copies WHERE doomed_ms > 0")" = 0 ]; }
ok "with other credentials they go" wait_for 10 marked

# On a new machine that has the numbers already: other ones, deleted all
# the same.
"$BUILD/cloudbackupd" -K -f "$CONF" >"$T/kept" 2>/dev/null
daemon_stop
n=$(backups)
VIA=http://127.0.0.1:1 conf "$T/two"
"$BUILD/cloudbackupd" -K -f "$CONF" "$T/kept" >"$T/out" 2>&1
daemon_start || finish
for i in $(seq "$L"); do api POST /create -H 'Prefer: respond-async' >/dev/null; done
many() { [ "$(column "SELECT count(*) FROM cloud_backups WHERE status = 'pending'")" = "$L" ]; }
ok "$L numbers are taken" wait_for 20 many
daemon_stop
conf "$T/two"
column "DELETE FROM copies WHERE place = 'off'"
daemon_start || finish
api GET '/user?refresh=1' >/dev/null
is "those of the bucket got other ones" "$(column "SELECT count(*), min(backup_id) > $L FROM copies WHERE place = 'off'")" "$n|1"
X=$(column "SELECT backup_id FROM copies WHERE place = 'off' AND remote_id LIKE '%-$L.sqlite'")
is "one is deleted" "$(api DELETE "/backup/$X" -H 'Content-Type: application/json' -d '{"force":true}' | json .success)" true
went() { ! objects | grep -q -- "-$L\.sqlite"; }
ok "by the name that it has there" wait_for 10 went
is "and no other" "$(backups)" $((n - 1))

# Two hosts, one prefix: another database of the same name, by the same
# number, in the same second.
daemon_stop
conf "$T/three"
daemon_start || finish
ONE=$URL
PORT=
"$TOOLS/bank" "$T/other.db" -m wal -n 60 -z 1 init
VIA=http://127.0.0.1:1 conf "$T/four"
sed -i 's,/app\.db,/other.db,' "$CONF"
daemon_start || finish
file() { sqlite3 "$T/$1/catalog.sqlite" "SELECT database || '/' || file_name FROM cloud_backups ORDER BY id DESC LIMIT 1"; }
for i in 1 2 3 4 5 6; do
	sleep "0.$(printf %03d $((999 - 10#$(date +%3N))))"	# to a second's start
	curl -s -m 60 -X POST "$ONE/create" >"$T/ones" &
	create '{}' >/dev/null
	wait $!
	KEY=$(file four)
	[ "$(file three)" = "$KEY" ] && break
done
is "two hosts have made a backup of one name" "$(file three)" "$KEY"
is "the first one's is in the bucket" "$(json .data.status <"$T/ones")" completed
n=$(swift GET "/backups/host1/$KEY.json" | jq -c '[.checksum, .mac]')
is "with its manifest" "$(jq .[0] <<<"$n")" "$(jq .data.checksum "$T/ones")"
H=$(column "SELECT max(id) FROM cloud_backups")
daemon_stop
sed -i "s,http://127.0.0.1:1\",$S3URL\"," "$CONF"
daemon_start || finish
ok "the second one's is refused" wait_for 10 in_state "$H" failed
like "and why" "$(column "SELECT reason FROM copies WHERE place = 'off' AND backup_id = $H")" '*another host writes to this prefix*'
is "the first one's is as it was" "sha256:$(swift GET "/backups/host1/$KEY" | sha256sum | cut -d' ' -f1) $(swift GET "/backups/host1/$KEY.json" | jq -c '[.checksum, .mac]')" "$(json .data.checksum <"$T/ones") $n"

# A reload makes another place of it while parts are sent: they are no part
# of what the new place gets.
daemon_stop
remote_start || finish
"$TOOLS/bank" "$T/app.db" -z 12 init
conf "$T/places" "part size 5m"
start_daemon || finish
NETWORK=$(child network)
kill -STOP "$NETWORK"
api POST /create -H 'Prefer: respond-async' >/dev/null
sent() { [ "$(state 1)" = uploading ]; }
ok "an upload is under way" wait_for 10 sent
n=$(grep -c 'read anew' "$T/daemon.log")
BACKUP_DIR=$T/places daemon_conf "remote \"off\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"app\" { path \"$T/app.db\" user id \"42\" }"
BACKUP_DIR=$T/places
kill -HUP "$DAEMON"
again() { [ "$(grep -c 'read anew' "$T/daemon.log")" -gt "$n" ]; }
ok "another server, of another kind" wait_for 10 again
kill -CONT "$NETWORK"
ok "has it in the end" wait_for 15 in_state 1 completed
is "under an id of its own" "$(column "SELECT remote_id FROM copies WHERE place = 'off'").sqlite" "$(ls "$T/remote" | grep '\.sqlite$')"
daemon_stop

# A pin that comes too late is not promised.
late() {
	BACKUP_DIR=$T/late daemon_conf "remote \"off\" {" \
	    "s3 bucket \"backups\" prefix \"late/\" region \"$S3REGION\" endpoint \"$S3URL\"" \
	    "access key file \"$T/id\"" "secret key file \"$T/secret\"" "}" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" $1 }"
	BACKUP_DIR=$T/late
}
late
start_daemon || finish
create '{}' >/dev/null; create '{}' >/dev/null
ok "two are there" wait_for 15 in_state 2 completed
NETWORK=$(child network)
kill -STOP "$NETWORK"
late "keep last 1"
kill -HUP "$DAEMON"
asked() { [ "$(column "SELECT count(*) FROM copies WHERE backup_id = 1 AND place = 'local' OR doomed_ms > 0")" = 1 ] && [ "$(column "SELECT doomed_ms > 0 FROM copies WHERE backup_id = 1")" = 1 ]; }
ok "one goes" wait_for 10 asked
is "what is being deleted is not pinned" "$(sleep 0.3; api POST /pin/1 | json .errorCode)" BACKUP_IN_USE
is "another is" "$(api POST /pin/2 | json .success)" true
kill -CONT "$NETWORK"
no_first() { [ "$(code GET /backup/1)" = 404 ]; }
ok "and is gone" wait_for 10 no_first
daemon_stop
finish
