#!/bin/bash
# Backups in a bucket, against a server that verifies signatures: made,
# listed, restored; found again on a new machine with nothing but the
# configuration and the key; strangers' manifests are not believed (H21);
# an upload in parts that was cut off by kill -9 arrives once.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
S3PORT=$(port 5)
S3=$("$TOP/regress/s3/server.sh" start "$T/swift" "$S3PORT" 2>"$T/s3.err")
case $? in 0) ;; 2) skip_all "$(cat "$T/s3.err")" ;; *) cat "$T/s3.err"; exit 1 ;; esac
trap '"$TOP/regress/s3/server.sh" stop "$T/swift"; cleanup' EXIT
read -r S3URL S3ID S3SECRET S3REGION <<<"$S3"
token=$("$TOP/regress/s3/server.sh" token "$T/swift" "$S3PORT")
# swift METHOD PATH [CURL OPTIONS]: the same data by Swift's own protocol.
swift() { _m=$1 _p=$2; shift 2; curl -s -m 20 -X "$_m" -H "X-Auth-Token: $token" "$@" "http://127.0.0.1:$S3PORT/v1/AUTH_test$_p"; }
objects() { swift GET "/backups?limit=1000"; }
bucket() { swift PUT /backups -f; }
ok "a bucket is made" wait_for 20 bucket
umask 077
echo "$S3ID" >"$T/id"
echo "$S3SECRET" >"$T/secret"

"$TOOLS/bank" "$T/app.db" -m wal -n 200 -z 1 init
"$TOOLS/bank" "$T/zip.db" -m wal -n 200 -z 1 init
conf() {	# conf DIRECTORY [LINES]: of the database app
	_dir=$1; shift
	BACKUP_DIR=$_dir daemon_conf "remote \"off\" {" \
	    "s3 bucket \"backups\" prefix \"host1/\" region \"$S3REGION\" endpoint \"${VIA:-$S3URL}\"" \
	    "access key file \"$T/id\"" "secret key file \"$T/secret\"" \
	    "timeout 5s retry from 200ms to 2s part size 5m parts 2" "}" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" }" \
	    "database \"zip\" { path \"$T/zip.db\" user id \"42\" compress zstd remote }" "$@"
	BACKUP_DIR=$_dir
}
row() { api GET /user | jq -r --argjson id "$1" '.data[] | select(.id == $id) | '"$2"; }
completed() { [ "$(row "$1" .status)" = completed ]; }
column() { sqlite3 "$BACKUP_DIR/catalog.sqlite" "$1"; }

# Made.
conf "$T/one"
daemon_start || finish
out=$(create '{"backup_name":"first","description":"of a \"till\", zwölf"}')
is "create: here and in the bucket" "$(json '.data | "\(.status) \(.locations | join(","))"' <<<"$out")" "completed local,remote"
A=$(json .data.id <<<"$out")
KEY=app/$(basename "$(json .data.file_path <<<"$out")")
is "its id there is its key in one piece" "$(json .data.remote_backup_id <<<"$out")" "${KEY/\//:}"
is "an object and its manifest, and nothing else" "$(objects)" "host1/$KEY
host1/$KEY.json"
swift GET "/backups/host1/$KEY" >"$T/object"
is "the object is the backup" "sha256:$(sha256 "$T/object")" "$(json .data.checksum <<<"$out")"
swift GET "/backups/host1/$KEY.json" >"$T/manifest"
is "the manifest says what it is" "$(json '"\(.database) \(.name) \(.description) \(.user_id) \(.form) \(.size) \(.page_size) \(.journal_mode) \(.type)"' <"$T/manifest")" \
    "app first of a \"till\", zwölf 42 sqlite $(stat -c %s "$T/object") 4096 wal manual"
like "and how to restore it by hand" "$(json .restore_by_hand <"$T/manifest")" '*zstd -d*'
is "the server has confirmed its hash" "$(column "SELECT confirmed FROM copies WHERE place = 'off'")" hash
is "a list asks the bucket nothing" "$(api GET /user | json '"\(.source) \(.data | length) \(.remote_error)"')" "local 1 null"
is "tokens and keys stay out of the log" "$(grep -c "$S3SECRET" "$T/daemon.log")" 0

# Compressed there.
out=$(create '{"database":"zip"}')
Z=$(json .data.id <<<"$out") ZSUM=$(json .data.checksum <<<"$out") ZID=$(json .data.remote_backup_id <<<"$out")
like "what is compressed has a name that says so" "$ZID" 'zip:*.sqlite.zst'
swift GET "/backups/host1/${ZID/://}" | zstd -dqc >"$T/unzipped"
is "and zstd -d gives the backup" "sha256:$(sha256 "$T/unzipped")" "$ZSUM"

# A test of the remote.
out=$(api POST /remote-test/off)
is "remote test: all is good but what this server does not know" "$(json '"\(.data.ok) \([.data.steps[] | select(.ok | not) | .step] | join(" ")) \(.data.steps | length > 5)"' <<<"$out")" "true conditional true"
is "a remote that is none" "$(code POST /remote-test/nowhere)" 404
is "it leaves nothing behind" "$(objects | grep -vc '^host1/[az]')" 0

# By hand, with another client.
if command -v s3cmd >/dev/null; then
	s3cmd -q --no-ssl --host="127.0.0.1:$S3PORT" --host-bucket= \
	    --access_key="$S3ID" --secret_key="$S3SECRET" --region="$S3REGION" \
	    --no-check-md5 get "s3://backups/host1/$KEY" "$T/hand.db" >"$T/s3cmd.log" 2>&1
	is "another client fetches it, and it is the bank" "$("$TOOLS/bank" "$T/hand.db" check >/dev/null 2>&1; echo $?)" 0
else
	skip "no s3cmd"
fi

# Kill -9 within an upload in parts.
sqlite3 "$T/app.db" "CREATE TABLE big (x); WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 22) INSERT INTO big SELECT randomblob(1048576) FROM c"
sed -i 's/parts 2/parts 2 upload limit 8m/' "$CONF"
daemon_stop
daemon_start || finish
api POST /create -H 'Prefer: respond-async' >/dev/null
begun() { [ -n "$(column "SELECT upload_id FROM copies WHERE upload_id <> ''")" ]; }
ok "an upload in parts is written down" wait_for 15 begun
B=$(column "SELECT backup_id FROM copies WHERE upload_id <> ''")
some_parts() { swift GET "/backups+segments?limit=100" | grep -q .; }
ok "some of it is there" wait_for 10 some_parts
kill_daemon
sed -i 's/ upload limit 8m//' "$CONF"
daemon_start || finish
ok "after kill -9 it goes on by itself" wait_for 20 completed "$B"
is "there is one object of it, with its manifest" "$(objects | grep -c -- "-$B\.sqlite")" 2
is "no upload in parts is left" "$(column "SELECT count(*) FROM copies WHERE upload_id <> ''")" 0
is "each of its parts was used" "$(swift GET "/backups+segments?limit=100" | grep -c .)" \
    "$(( ($(row "$B" .file_size) + 5242879) / 5242880 ))"

# An upload in parts that is given up takes its parts back.
sed -i 's/parts 2/parts 2 upload limit 4m/' "$CONF"
daemon_stop
daemon_start || finish
n=$(swift GET "/backups+segments?limit=100" | grep -c .)
api POST /create -H 'Prefer: respond-async' >/dev/null
ok "another begins" wait_for 15 begun
G=$(column "SELECT backup_id FROM copies WHERE upload_id <> ''")
more_parts() { [ "$(swift GET "/backups+segments?limit=100" | grep -c .)" -gt "$n" ]; }
ok "with its first parts" wait_for 10 more_parts
daemon_stop
sed -i 's,endpoint ".*",endpoint "http://127.0.0.1:1",' "$CONF"
daemon_start || finish
pending() { [ "$(row "$G" .status)" = pending ]; }
ok "the bucket is away" wait_for 10 pending
daemon_stop
sed -i "s,endpoint \".*\",endpoint \"$S3URL\",; s/retry from 200ms/retry from 1h/; s/to 2s/to 1h/" "$CONF"
column "UPDATE copies SET next_attempt_ms = next_attempt_ms + 3600000 WHERE backup_id = $G AND place = 'off'"
daemon_start || finish
api DELETE "/backup/$G" -H 'Content-Type: application/json' -d '{"force":true}' >"$T/out"
few_parts() { ! more_parts; }
ok "deleted before it was sent: no part is left" wait_for 10 few_parts
daemon_stop
sed -i "s/retry from 1h to 1h/retry from 200ms to 2s/; s/ upload limit 4m//" "$CONF"
daemon_start || finish

# A new machine, with the key.
"$BUILD/cloudbackupd" -K -f "$CONF" >"$T/kept" 2>"$T/kept.err"
like "-K prints the key" "$(cat "$T/kept")" '????????-????-????-????-????????????:????????????????????????????????????????????????????????????????'
list=$(api GET /user | jq -S '[.data[] | {id, backup_name, description, user_id, checksum, file_size, created_at}]')
sum=$(row "$B" .checksum)
daemon_stop
conf "$T/two"
is "-K FILE installs it" "$("$BUILD/cloudbackupd" -K -f "$CONF" "$T/kept" 2>&1)" "the key is installed"
# Somebody else's manifests: a changed one, one of another key.
forge() { swift PUT "/backups/host1/$1" --data-binary @- >/dev/null; }
F=app/20260101T000000Z-77.sqlite
forge "$F" <"$T/object"
jq -c '.id = 77 | .created_ms = 1767225600000 | .name = "../../etc/evil"' "$T/manifest" | forge "$F.json"
echo '{"version":1' | forge app/20260101T000001Z-78.sqlite.json
cp "$T/app.db" "$T/before.db"
daemon_start || finish
full() { [ "$(api GET /user | jq '.data | length')" = 3 ]; }
ok "a new machine knows its backups" wait_for 10 full
is "each as it was" "$(api GET /user | jq -S '[.data[] | {id, backup_name, description, user_id, checksum, file_size, created_at}]')" "$list"
is "they are in the bucket only" "$(api GET /user | jq -r '[.data[] | .locations | join(",")] | unique | join(" ")')" remote
api GET "/download/$B" >"$T/got"
is "a download has the bytes" "sha256:$(sha256 "$T/got")" "$sum"
api GET "/download/$Z" >"$T/got"
is "so has one of what was compressed" "sha256:$(sha256 "$T/got")" "$ZSUM"
rm -f "$T"/app.db*
out=$(api POST "/restore/$A" -H 'Content-Type: application/json' -d '{}')
is "and a restore works" "$(json .success <<<"$out") $("$TOOLS/bank" "$T/app.db" check >/dev/null 2>&1; echo $?)" "true 0"

# Strangers.
out=$(api GET "/user?refresh=1")
is "refresh shows the forged one as unknown" "$(jq -r '[.data[] | select(.id | type == "string") | .id] | join(" ")' <<<"$out")" "${F/\//:}"
is "its name is text and no path" "$(find "$T" -name '*evil*')" ""
is "nothing was believed of it" "$(column "SELECT count(*) FROM cloud_backups WHERE id = 77 OR backup_name LIKE '%evil%'")" 0
is "its restore wants force" "$(api POST "/restore/remote:${F/\//:}" -H 'Content-Type: application/json' -d '{}' | json .errorCode)" FORCE_REQUIRED
is "a second refresh changes nothing" "$(api GET '/user?refresh=1' | jq '.data | length')" "$(jq '.data | length' <<<"$out")"

# Deleted: its own objects go, nobody else's.
before=$(objects | grep -v -- "-$Z\.sqlite")
is "a backup is deleted" "$(api DELETE "/backup/$Z" -H 'Content-Type: application/json' -d '{"force":true}' | json .success)" true
no_z() { ! objects | grep -q -- "-$Z\.sqlite"; }
ok "its object and manifest go" wait_for 10 no_z
is "and nothing else" "$(objects)" "$before"

# Without the key.
daemon_stop
conf "$T/three"
daemon_start || finish
out=$(api GET "/user?refresh=1")
is "without the key all are strangers'" "$(jq -r '[.data[].id | type] | unique | join(" ") ' <<<"$out") $(jq '.data | length' <<<"$out")" "string 3"
like "the key cannot be installed any more" "$("$BUILD/cloudbackupd" -K -f "$CONF" "$T/kept" 2>&1)" '*another key*'
daemon_stop
is "the bucket has what it had" "$(objects | grep -c '\.sqlite$')" 3
finish
