#!/bin/bash
# The little remote server itself, with curl: the other tests trust it.
. "$(dirname "$0")/../lib.sh"

API=/api/user-backup
R=$T/remote
FILE=$T/up.sqlite
head -c 3000000 /dev/urandom >"$FILE"

fault() { printf '%s\n' "$@" >"$R/fault"; }
no_fault() { rm -f "$R/fault"; }
# upload [CURL OPTIONS]: prints the body.  code: the status only.
upload() {
	curl -s -m 20 -H 'Accept: application/json' -H 'x-api-key: k1' \
	    -F "databaseFile=@${UP:-$FILE};filename=database.sqlite;type=application/x-sqlite3" \
	    -F userId=42 -F deviceId=till-3 -F backupName=nightly "$@" \
	    "http://127.0.0.1:$RPORT$API/create"
}
get() { curl -s -m 20 -H 'x-api-key: k1' "http://127.0.0.1:$RPORT$@"; }
code() { "$@" -o /dev/null -w '%{http_code}'; }
last_log() { tail -1 "$R/requests.log"; }
stored() { ls "$R" | grep -c 'sqlite$'; }

remote_start -k k1 -S || exit 1

# What it is for.
out=$(upload -F 'description=a "quoted" text')
is "an upload is given an id" "$(json .backupId <<<"$out")" rb-000001
ok "the bytes are the same" cmp "$FILE" "$R/rb-000001.sqlite"
is "its hash is recorded" "$(json .sha256 <"$R/rb-000001.json")" "$(sha256 "$FILE")"
is "so is the description" "$(json .description <"$R/rb-000001.json")" 'a "quoted" text'
is "and the type" "$(json .contentType <"$R/rb-000001.json")" application/x-sqlite3
like "the log says what came" "$(last_log)" 'POST /api/user-backup/create status=200 bytes=3000* key=good accept=application/json'
upload >/dev/null
is "the list has the newest first" "$(get $API/user/42 | json '[.backups[].backupId] | join(",")')" rb-000002,rb-000001
is "another user has none" "$(get $API/user/4%32x | json '.backups | length')" 0
get $API/download/rb-000001 -D "$T/head" -o "$T/down"
ok "a download is what was uploaded" cmp "$FILE" "$T/down"
ok "it has a name" grep -q 'Content-Disposition: attachment; filename="rb-000001.sqlite"' "$T/head"
is "an id that is not there" "$(code get $API/download/rb-999999)" 404
is "an id that is a path" "$(code get $API/download/..%2frequests)" 404
is "health wants no key" "$(curl -s "http://127.0.0.1:$RPORT/health" | json .status)" ok
is "a wrong key" "$(code upload -H 'x-api-key: k2')" 401
like "is logged" "$(last_log)" '* status=401 * key=bad *'
is "no such method" "$(code get $API/create)" 405
is "no such page" "$(code get /nowhere)" 404
is "a connection is kept" "$(curl -s -o /dev/null -o /dev/null -w '%{num_connects}' "http://127.0.0.1:$RPORT/health" "http://127.0.0.1:$RPORT/health")" 10

# What a client must not do.
is "chunked is refused" "$(code upload -H 'Transfer-Encoding: chunked')" 411
is "a strange part is refused" "$(code upload -F x=y)" 400
is "a part twice is refused" "$(code upload -F userId=43)" 400
is "Accept is looked at" "$(code upload -H 'Accept: text/html')" 406
is "a file is needed" "$(code curl -s -H 'x-api-key: k1' -F userId=1 -F deviceId=1 "http://127.0.0.1:$RPORT$API/create")" 400
is "not multipart" "$(code curl -s -H 'x-api-key: k1' -d a=b "http://127.0.0.1:$RPORT$API/create")" 400
is "nothing of that was kept" "$(stored)" 2

# Bodies that come in any pieces: every boundary is split somewhere.
raw() {	# raw BODY PIECE
	exec 9<>"/dev/tcp/127.0.0.1/$RPORT"
	printf 'POST %s/create HTTP/1.1\r\nHost: x\r\nx-api-key: k1\r\nAccept: */*\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary="B1"\r\nContent-Length: %d\r\n\r\n' $API "$(stat -c %s "$1")" >&9
	dd if="$1" bs="$2" status=none >&9
	timeout 10 cat <&9
	exec 9>&- 9<&-
}
printf -- 'preamble\r\n--B1 \r\nContent-Disposition: form-data; name="userId"\r\n\r\n7\r\n--B1\r\nContent-Disposition: form-data; name=deviceId\r\n\r\nd\r\n--B1\r\nContent-Disposition: form-data; name="databaseFile"; filename="a;b.sqlite"\r\n\r\n\r\n--B\r\n--\r\r\n-data\r\n\r\n--B1--\r\nepilogue' >"$T/body"
printf -- '\r\n--B\r\n--\r\r\n-data\r\n' >"$T/want"
for piece in 1 7 4096; do
	id=$(raw "$T/body" $piece | sed -n '$p' | json .backupId)
	ok "a body in pieces of $piece" cmp "$T/want" "$R/$id.sqlite"
done
is "and its file name" "$(json .filename <"$R/$id.json")" 'a;b.sqlite'
head -c 200 "$T/body" >"$T/cut"
like "a body without its end" "$(raw "$T/cut" 4096)" '*400 Bad Request*the body ends within*'

# Faults.
fault 'status 503 retry-after 2'
like "status and retry-after" "$(upload -i)" *'503 Service Unavailable'*'Retry-After: 2'*
fault 'count 2 path /api status 500'
is "count and path, 1" "$(code get $API/user/42)" 500
is "another path is spared" "$(code get /health)" 200
is "count and path, 2" "$(code get $API/user/42)" 500
is "then it is over" "$(code get $API/user/42)" 200
fault 'status 413 early'
is "413 before the body" "$(code upload -H 'Expect: 100-continue')" 413
like "of which nothing was read" "$(last_log)" '*status=413 bytes=0 *'
fault 'status 401'; is "status 401" "$(code upload)" 401
for f in garbage html empty; do
	fault $f
	nok "$f is 200 and no JSON" sh -c "curl -sf 'http://127.0.0.1:$RPORT/health' | jq -e . | grep -q ."
done
fault truncate
get $API/download/rb-000001 -o "$T/cut"; is "truncate" $? 18
is "sends the half" "$(stat -c %s "$T/cut")" 1500000
fault short-length
get $API/download/rb-000001 -o "$T/cut"; is "short-length declares the half" "$(stat -c %s "$T/cut")" 1500000
fault reset
n=$(stored)
upload >/dev/null; rc=$?
ok "reset in the middle of an upload" test $rc = 55 -o $rc = 56
is "keeps nothing" "$(stored)" "$n"
get $API/download/rb-000001 -o /dev/null; is "reset in the middle of a download" $? 56
fault lost-answer
upload >/dev/null; rc=$?
ok "lost-answer" test $rc = 56 -o $rc = 52
is "keeps the upload" "$(stored)" $((n + 1))
like "and is logged" "$(last_log)" '*create status=0 bytes=3000*'
fault hang
upload -m 0.5 >/dev/null; is "hang" $? 28
like "reads nothing of the body" "$(last_log)" '*create status=0 bytes=0 *'
fault hang-after-body
upload -m 1 >/dev/null; is "hang-after-body" $? 28
like "reads all of it" "$(last_log)" '*create status=0 bytes=3000*'
fault 'slow 1000000'
t0=$(date +%s%N); upload >/dev/null; t1=$(date +%s%N)
ok "slow upload: $(((t1 - t0) / 1000000)) ms" test $((t1 - t0)) -gt 2500000000
t0=$(date +%s%N); get $API/download/rb-000001 -o /dev/null; t1=$(date +%s%N)
ok "slow download: $(((t1 - t0) / 1000000)) ms" test $((t1 - t0)) -gt 2500000000
# More than the kernel's buffers hold.
fault 'slow 20000000'
truncate -s 40M "$T/forty"
UP=$T/forty upload -m 0.3 >/dev/null
no_fault
ok "an upload that is given up is logged" wait_for 5 sh -c "tail -1 '$R/requests.log' | grep -q 'create status=0 bytes=[1-9]'"
ok "and leaves nothing" sh -c "! ls '$R' | grep tmp"
fault 'redirect http://127.0.0.1:1/x'
is "redirect" "$(get /health -o /dev/null -w '%{http_code} %{redirect_url}')" "307 http://127.0.0.1:1/x"
fault huge-json
is "huge-json is a list" "$(get $API/user/42 | json '.backups | length')" 1000001
fault deep-json
ok "deep-json" test "$(get $API/user/42 | wc -c)" -gt 2000000
fault id-slash
is "hostile ids in the list" "$(get $API/user/nobody | json '.backups[2].backupId | explode | .[4]')" 0
is "and for an upload" "$(upload | json .backupId)" ../../../etc/passwd
fault 'id-slash 3'
is "of one's choice" "$(upload | json .backupId)" ..
fault 'sttus 500'
like "a misspelt fault shows" "$(get /health)" '*fault file is wrong*'

# Shapes.
fault 'shape list=top,id=_id,name=name,size=fileSize,ms'
is "top-level list" "$(get $API/user/42 | json '.[-1] | "\(._id) \(.name) \(.fileSize) \(.createdAt | type)"')" "rb-000001 nightly 3000000 number"
fault 'shape list=data,id=id,time=uploadedAt'
like "list at data" "$(get $API/user/42 | json '.data[-1] | "\(.id) \(.uploadedAt)"')" 'rb-000001 20*T*Z'
fault 'shape list=data.backups'
is "list at data.backups" "$(get $API/user/42 | json '.data.backups[-1].backupId')" rb-000001
fault 'shape at=data,id=_id'
like "id inside data" "$(upload | json .data._id)" 'rb-0*'
fault 'shape at=backup,id=id' 'slow 100000000'
like "id inside backup" "$(upload | json .backup.id)" 'rb-0*'
no_fault

# Many at once, and a restart.
before=$(stored)
for i in 1 2 3 4 5 6 7 8; do upload >/dev/null & j="$j $!"; done; wait $j
is "eight uploads at once" "$(stored)" $((before + 8))
last=$(ls "$R" | grep 'sqlite$' | tail -1)
remote_stop
: >"$R/rb-000900.sqlite.tmp"
remote_start -k k1 -s list=top,id=id -F 'path /api/user-backup/download status 500' || exit 1
ok "a leftover is removed" test ! -e "$R/rb-000900.sqlite.tmp"
next=$(upload | json .id)
ok "ids go on: ${last%.sqlite}, then $next" test "$next" '>' "${last%.sqlite}"
is "a fault by -F" "$(code get $API/download/rb-000001)" 500

# Size and speed: memory must not follow the body.
peak() { awk '/VmHWM/ { print $2 }' "/proc/$REMOTE/status"; }
truncate -s 2G "$T/large"
before=$(peak)
t0=$(date +%s%N); id=$(UP=$T/large upload | json .id); t1=$(date +%s%N)
is "2 GiB arrive" "$(stat -c %s "$R/$id.sqlite")" 2147483648
echo "# $((2147483648 / ((t1 - t0) / 1000))) MB/s"
after=$(peak)
ok "in constant memory: $before, then $after KiB" test $((after - before)) -lt 8192
finish
