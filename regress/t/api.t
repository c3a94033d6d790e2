#!/bin/bash
# Every call's answer, field by field, as the older servers' clients know
# it; the curl calls of their manual, word for word, on their environment
# file; and the shapes of API_COMPAT=node.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

# types [FILTER]: the keys of an object and their types, in the order of
# names.  Times are RFC 3339, checksums what they say.
types() {
	jq -cS "${1:-.data}"' | map_values(
	    if type == "string" and test("^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]+)?Z$") then "time"
	    elif type == "string" and test("^sha256:[0-9a-f]{64}$") then "sha256"
	    else type end) | to_entries | sort_by(.key) | map("\(.key)=\(.value)") | join(" ")' -r
}
head_of() { curl -s -m 20 -o /dev/null -D - "$@" | tr -d '\r'; }

# ---- an installation of the older servers: its environment file ----
"$TOOLS/bank" "$T/database.sqlite" -m wal -n 100 init
(exec 3<>/dev/tcp/127.0.0.1/39000) 2>/dev/null || PORT=39000
PORT=${PORT:-$(port)}
URL=http://localhost:$PORT/api/cloud-backup
mkdir "$T/home"
cat >"$T/.env" <<-END
	# Remote Server Configuration
	#REMOTE_SERVER_URL=https://backup.example.org
	#REMOTE_SERVER_API_KEY=your_api_key_here

	# Backup Directory
	BACKUP_DIR=~/.urcash/backups

	# Database Configuration
	DATABASE_URL=sqlite:$T/database.sqlite
	PORT=$PORT
END
if [ "$(id -u)" = 0 ] && ! id _cloudbackup >/dev/null 2>&1; then
	# Root wants users, and an environment file cannot name others.
	out=$(HOME=$T/home "$BUILD/cloudbackupd" -d -e "$T/.env" 2>&1 </dev/null); rc=$?
	is "root without the users: refused" "$rc" 1
	like "with the command that makes them" "$out" '*useradd *_cloudbackup*'
	BACKUP_DIR=$T/home/.urcash/backups daemon_conf \
	    "database \"database\" { path \"$T/database.sqlite\" }"
	set -- -f "$CONF"
else
	set -- -e "$T/.env"
fi
BACKUP_DIR=$T/home/.urcash/backups
URL=http://localhost:$PORT/api/cloud-backup
HOME=$T/home start_daemon "$@" || { result 1 "it starts" "$(tail -5 "$T/daemon.log")"; finish; }
seed() { sed "s/localhost:39000/localhost:$PORT/" | sh 2>/dev/null; }
seed <<-'END' >"$T/out"
	curl -X GET http://localhost:39000/api/cloud-backup/health
END
is "the manual's health check (port $PORT)" "$(json '"\(.success) \(.data.connected)"' <"$T/out")" "true false"
seed <<-'END' >"$T/out"
	curl -X POST http://localhost:39000/api/cloud-backup/create \
	  -H "Content-Type: application/json" \
	  -d '{"backup_name": "test_backup", "description": "test description"}'
END
is "the manual's create" "$(json '"\(.success) \(.data.backup_name) \(.data.description) \(.data.status)"' <"$T/out")" "true test_backup test description completed"
seed <<-'END' >"$T/out"
	curl -X GET http://localhost:39000/api/cloud-backup/check-accessibility
END
is "the manual's accessibility check" "$(json '"\(.success) \(.data.accessible)"' <"$T/out")" "true true"
like "the backup is where they are" "$(ls "$BACKUP_DIR"/database)" '20??????T??????Z-1.sqlite'
ok "and is a plain database" "$TOOLS/bank" "$BACKUP_DIR/database/$(ls "$BACKUP_DIR/database")" check
daemon_stop

# ---- field by field ----
unset PORT
remote_start || finish
conf() {
	daemon_conf "$@" "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
	    "database \"database\" { path \"$T/database.sqlite\" user id 42 device id \"d\" }"
	URL=http://localhost:$PORT/api/cloud-backup
}
BACKUP_DIR=$T/backups
conf
daemon_start || finish
BACKUP='backup_name=string backup_type=string captured_at=time checksum=sha256 compression_ratio=number created_at=time database=string description=%s file_path=string file_size=number form=string id=number locations=array lock_held_ms=number pinned=boolean remote_backup_id=string remote_form=null remotes=array status=string stored_checksum=sha256 stored_size=number updated_at=time uploaded_at=time user_id=number verification=string verified_at=time'

api POST /create >"$T/out"
is "create without a body" "$(types . <"$T/out")" "data=object message=string success=boolean"
is "its data" "$(types <"$T/out")" "$(printf "$BACKUP" null)"
is "what it says" "$(json '.data | "\(.user_id) \(.backup_type) \(.status) \(.database) \(.verification) \(.locations | join(",")) \(.remotes | join(","))"' <"$T/out")" "42 manual completed database sound local,remote hq"
like "the default name" "$(json .data.backup_name <"$T/out")" "Backup_$(date -u +%Y%m%d)_[0-2][0-9][0-5][0-9][0-5][0-9]"
like "the path" "$(json .data.file_path <"$T/out")" "$BACKUP_DIR/database/20??????T??????Z-1.sqlite"
p=$(json .data.file_path <"$T/out")
is "the size and the checksum" "$(json '"\(.data.file_size) \(.data.checksum)"' <"$T/out")" "$(stat -c %s "$p") sha256:$(sha256 "$p")"
is "created, then updated" "$(json '.data | (.created_at <= .uploaded_at and .uploaded_at <= .updated_at)' <"$T/out")" true
create '{"backupName":"two","description":"zwölf\nlines","userId":"7","strange":[1,{}]}' >"$T/out"
is "camelCase, a key nobody knows" "$(types <"$T/out" | sed 's/user_id=string/user_id=number/')" "$(printf "$BACKUP" string)"
is "is taken" "$(json '.data | "\(.backup_name)|\(.description)|\(.user_id | tojson)"' <"$T/out")" 'two|zwölf
lines|"7"'
is "an empty object" "$(create '{}' | json .data.status)" completed
is "an empty body of any type" "$(code POST /create -H 'Content-Type: text/plain')" 200

# A user's id is given back as it came, and both are the same user.
is "a number" "$(create '{"user_id":7}' | json '.data.user_id | tojson')" 7
is "a string" "$(create '{"user_id":"7"}' | json '.data.user_id | tojson')" '"7"'
is "both are in the list of 7" "$(api GET /user/7 | jq -c '[.data[].user_id]')" '["7",7,"7"]'
is "a large number" "$(create '{"user_id":9007199254740993}' | grep -o '"user_id": *9007199254740993')" "$(create '{"user_id":9007199254740993}' | grep -o '"user_id": *[0-9]*')"
is "a negative one" "$(create '{"user_id":-1}' | json '.data.user_id | tojson')" -1
is "any text" "$(create '{"user_id":"a b c%ä"}' | json .data.user_id)" "a b c%ä"
is "and its list" "$(api GET /user/a%20b%20c%25%C3%A4 | json '"\(.total) \(.data[0].user_id)"')" "1 a b c%ä"

api GET /user >"$T/out"
is "the list" "$(types . <"$T/out")" "data=array message=string source=string success=boolean total=number"
is "each entry" "$(jq -r '.data[]' "$T/out" | jq -s 'map(keys | length) | unique | tojson' -r)" "[26]"
is "newest first" "$(jq '[.data[].id] | . == (sort | reverse)' "$T/out")" true
is "where it is from" "$(json .source <"$T/out")" merged
is "a slash at its end" "$(api GET /user/ | json .total)" "$(json .total <"$T/out")"
is "a user who has none" "$(api GET /user/nobody | jq -c '[.success, .total, .data]')" '[true,0,[]]'

api GET /stats >"$T/out"
is "stats" "$(types <"$T/out")" "average_size=number failed_backups=number last_backup=time successful_backups=number total_backups=number total_size=number"
is "its sums" "$(json '.data | "\(.total_backups) \(.successful_backups) \(.failed_backups) \(.total_size == (.average_size * .total_backups))"' <"$T/out")" "$(api GET /user | json '"\(.total) \(.total) 0 true"')"
is "of a user" "$(api GET /stats/7 | json .data.total_backups)" 3
is "of one who has none" "$(api GET /stats/nobody | jq -c '.data | [.total_backups, .total_size, .last_backup, .average_size]')" "[0,0,null,0]"

api GET /health >"$T/out"
is "health" "$(types <"$T/out")" "connected=boolean response_time=number server_url=string status=string timestamp=time"
is "its word" "$(json '.data | "\(.connected) \(.status) \(.server_url)"' <"$T/out")" "true healthy http://127.0.0.1:$RPORT"
api GET /license-info >"$T/out"
is "license-info without one" "$(jq -c .data "$T/out")" '{"has_license":false}'

api GET /file-info >"$T/out"
is "file-info" "$(types <"$T/out")" "accessible=boolean application_id=number created=time encoding=string exists=boolean is_locked=boolean is_readable=boolean is_writable=boolean journal_mode=string modified=time page_count=number page_size=number path=string schema_cookie=number size=number user_version=number wal_size=number"
is "its facts" "$(json '.data | "\(.exists) \(.path) \(.size) \(.is_readable) \(.is_writable) \(.is_locked) \(.accessible) \(.page_size) \(.page_size * .page_count) \(.journal_mode) \(.encoding)"' <"$T/out")" "true $T/database.sqlite $(stat -c %s "$T/database.sqlite") true true false true 4096 $(stat -c %s "$T/database.sqlite") wal UTF-8"
api GET /check-accessibility >"$T/out"
is "check-accessibility" "$(types . <"$T/out") $(json .data.accessible <"$T/out")" "data=object message=string success=boolean true"
api GET /check-locks >"$T/out"
like "check-locks" "$(jq -c . "$T/out")" '*"has_locks":false*"processes":\[\]*'
"$TOOLS/mkdb" locker "$T/database.sqlite" walwrite 20 >"$T/held" & L=$!; PIDS="$PIDS $L"
wait_for 5 grep -q held "$T/held"
api GET /check-locks >"$T/out"
is "a holder" "$(json '.data // . | .has_locks' <"$T/out")" true
is "its fields" "$(types '.processes[0] // .data.processes[0]' <"$T/out" | sed 's/\(held_ms\|frames_pinned\|user\)=null/\1=number/g; s/user=string/user=number/')" "command=string frames_pinned=number held_ms=number locks=array mode=string pid=number uid=number user=number"
is "who it is" "$(json '(.processes[0] // .data.processes[0]) | "\(.pid) \(.mode) \(.locks | index("WRITE") != null)"' <"$T/out")" "$L write true"
kill $L; wait $L 2>/dev/null

api POST /restore/1 >"$T/out"
is "restore" "$(types <"$T/out" | sed 's/ lock_held_ms=number//')" "backup_id=number checksum=sha256 database=string duration_ms=number method=string restored_at=time safety_backup_id=number served_by=string size=number"
is "its word" "$(json '.data | "\(.backup_id) \(.method)"' <"$T/out")" "1 live"
s=$(json .data.safety_backup_id <"$T/out")
is "the safety backup is one of the system's" "$(api GET /user | jq -r --argjson id "$s" '.data[] | select(.id == $id) | "\(.backup_type) \(.status)"')" "system completed"

# Jobs.
head_of -X POST -H 'Prefer: respond-async' "$URL/create" >"$T/head"
like "respond-async: 202, and where to ask" "$(cat "$T/head")" "HTTP/1.1 202 *Location: /api/cloud-backup/jobs/*"
J=$(sed -n 's,^Location: /api/cloud-backup,,p' "$T/head")
finished() { [ "$(api GET "$J" | json .data.finished_at)" != null ]; }
ok "it ends" wait_for 10 finished
api GET "$J" >"$T/out"
is "a job" "$(types <"$T/out")" "backup_id=number bytes_done=number bytes_total=number database=string error=null error_code=null eta=null finished_at=time id=number kind=string phase=string phases=object rate=number started_at=time state=string"
is "what it did" "$(json '.data | "\(.kind) \(.state) \(.phase) \(.bytes_done == .bytes_total)"' <"$T/out")" "create done done true"
is "its backup" "$(code GET "/download/$(json .data.backup_id <"$T/out")")" 200
head_of -X POST -H 'Prefer: respond-async' "$URL/restore/1" >"$T/head"
J=$(sed -n 's,^Location: /api/cloud-backup,,p' "$T/head")
ok "a restore as a job ends" wait_for 10 finished
is "well" "$(api GET "$J" | json '"\(.data.kind) \(.data.state)"')" "restore done"

# Downloads.
p=$(api GET /user | jq -r '.data[] | select(.id == 1) | .file_path')
curl -s -D "$T/head" -o "$T/got" "$URL/download/1"
ok "a download is the file" cmp "$p" "$T/got"
H=$(tr -d '\r' <"$T/head")
like "its type and length" "$H" "*Content-Type: application/x-sqlite3*Content-Length: $(stat -c %s "$p")*"
like "its name" "$H" "*Content-Disposition: attachment; filename=\"database-20??????T??????Z-1.sqlite\"*"
like "its tag is the checksum" "$H" "*ETag: \"sha256:$(sha256 "$p")\"*"

# ---- failures ----
# failure DESCRIPTION STATUS CODE METHOD PATH [CURL OPTIONS]
failure() {
	d=$1 st=$2 ec=$3 m=$4 q=$5; shift 5
	got=$(curl -s -m 20 -o "$T/out" -w '%{http_code} %{content_type}' -X "$m" "$@" "$URL$q")
	is "$d" "$got $(json '"\(.success) \(.errorCode) \(.error == .message) \(.remediation | length > 10)"' <"$T/out")" "$st application/json false $ec true true"
}
j='Content-Type: application/json'
for b in '{' '[]' '"x"' 'null' '1' '{"a":1}x' '{"a":1,"a":2}' '{"user_id":1,"userId":1}' '{a:1}' "{'a':1}" '{"a":01}' '{"a":1,}' '{"backup_name":"a\u0000b"}' "$(printf '{"a":"\377"}')" "{\"a\":$(printf '[%.0s' $(seq 200))}" ' '; do
	failure "body $(cut -c1-30 <<<"$b" | tr -dc ' -~')" 400 INVALID_JSON POST /create -H "$j" --data-binary "$b"
done
for b in '{"backup_name":1}' '{"backup_name":["x"]}' '{"description":{}}' '{"user_id":true}' '{"user_id":1.5}' '{"userId":[]}' '{"user_id":""}' '{"database":1}' '{"backup_name":"a\nb"}' "{\"backup_name\":\"$(printf '%300s' | tr ' ' x)\"}" "{\"description\":\"$(printf '%1100s' | tr ' ' x)\"}"; do
	failure "body $(cut -c1-30 <<<"$b")" 400 INVALID_PARAMETER POST /create -H "$j" -d "$b"
done
failure "restore's force" 400 INVALID_PARAMETER POST /restore/1 -H "$j" -d '{"force":"yes"}'
failure "another type" 415 UNSUPPORTED_MEDIA_TYPE POST /create -H 'Content-Type: text/plain' -d x
failure "a form" 415 UNSUPPORTED_MEDIA_TYPE POST /create -d a=b
failure "no such database" 404 DATABASE_UNKNOWN POST /create -H "$j" -d '{"database":"x"}'
failure "nor in file-info" 404 DATABASE_UNKNOWN GET '/file-info?database=x'
failure "no such backup" 404 BACKUP_NOT_FOUND GET /download/999999
failure "nor to restore" 404 BACKUP_NOT_FOUND POST /restore/999999
failure "nor such a number" 404 BACKUP_NOT_FOUND GET /download/99999999999999999999999
failure "nor at the remote" 404 BACKUP_NOT_FOUND GET /download/nope
failure "no such job" 404 JOB_NOT_FOUND GET /jobs/999999
failure "nor such a word" 404 JOB_NOT_FOUND GET /jobs/x
failure "no such call" 404 NOT_FOUND GET /nope
failure "no argument" 404 NOT_FOUND GET /download
failure "too many" 404 NOT_FOUND GET /user/1/2
for q in limit=0 limit=-1 limit=1001 limit=x limit=1x 'limit=1&limit=2' before=x before=l1 before=lx.1 'limit=%zz'; do
	failure "/user?$q" 400 INVALID_PARAMETER GET "/user?$q"
done
is "errors name no path of ours" "$(api GET /download/999999 | grep -c "$T")" 0
mv "$T/database.sqlite" "$T/gone.sqlite"
failure "a database that is not there" 404 DATABASE_NOT_FOUND POST /create
is "file-info of it" "$(api GET /file-info | jq -c '.data | [.exists, .size, .page_size]')" '[false,null,null]'
echo 'this is no database, and long enough for a header of one hundred bytes, which is what SQLite would look for, is it not' >"$T/database.sqlite"
chown --reference="$T/gone.sqlite" "$T/database.sqlite"
failure "not a database" 422 NOT_A_DATABASE POST /create
is "it is in the list, as failed" "$(api GET /user | json '"\(.data[0].status) \(.data[0].checksum)"')" "failed null"
: >"$T/database.sqlite"
is "a 0-byte database" "$(create | json '"\(.data.status) \(.data.file_size)"')" "completed 0"
id=$(api GET /user | json .data[0].id)
is "can be downloaded" "$(curl -s -o "$T/got" -w '%{http_code} %{size_download}' "$URL/download/$id")" "200 0"
mv "$T/gone.sqlite" "$T/database.sqlite"
chmod 400 "$T/database.sqlite"
is "a read-only database" "$(create | json .data.status)" completed
chmod 600 "$T/database.sqlite"
daemon_stop

# ---- the Node server's shapes ----
unset PORT
BACKUP_DIR=$T/node conf "compat node"
BACKUP_DIR=$T/node
daemon_start || finish
create '{"backup_name":"n"}' >"$T/out"
is "node: create" "$(json '.data | "\(.backupId) \(._id) \(.backupName) \(.size > 0)"' <"$T/out")" "1 1 n true"
api GET /user >"$T/out"
is "node: the list at data.data" "$(json '"\(.success) \(.data.data | type)"' <"$T/out")" "true array"
is "node: an entry" "$(jq -c '.data.data[] | select(._id == "1") | [.backupName, .description, (.size | type), (.createdAt | type), (.uploadedAt | type), (.filename | test("sqlite$"))]' "$T/out")" '["n",null,"number","string","string",true]'
is "node: one of the remote" "$(jq -c '[.data.data[] | select(._id | test("^rb-"))][0] | [(.backupName | type), (.size | type), (.filename | test("sqlite$"))]' "$T/out")" '["string","number",true]'
is "node: stats" "$(api GET /stats | jq -c '.data | [.totalBackups, (.totalSize > 0), (.lastBackup | type)]')" '[1,true,"string"]'
is "node: file-info" "$(api GET /file-info | jq -c '.data | [.isLocked, .exists, .pageSize]')" '[false,true,4096]'
is "node: check-locks" "$(api GET /check-locks | jq -c '(.data // .) | .hasLocks')" false
is "node: health" "$(api GET /health | jq -c '.data | [.connected, .serverUrl]')" "[true,\"http://127.0.0.1:$RPORT\"]"
is "node: no snake_case is left" "$(for q in /user /stats /file-info /health /check-locks /license-info /check-accessibility; do api GET $q; done | jq -r '.. | objects | keys[]' | grep _ | grep -vx _id | sort -u | xargs)" ""
is "node: a download by its id" "$(code GET /download/1)" 200
daemon_stop
finish
