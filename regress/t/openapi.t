#!/bin/bash
# docs/openapi.yaml against the daemon: its calls and error codes are those
# of the code, and real answers of each call are what it says, no field more.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
# Debian's own: another python3 in the path may lack the modules.
PYTHON=python3
[ ! -x /usr/bin/python3 ] || PYTHON=/usr/bin/python3
"$PYTHON" -c 'import jsonschema, yaml' 2>/dev/null ||
    skip_all "no python3-jsonschema, python3-yaml"
API=$TOP/docs/openapi.yaml
check() { "$PYTHON" "$TOP/regress/openapi/check.py" "$1" "$API" "${@:2}"; }
same() {
	_d=$(diff <(printf '%s\n' "$2" | sort) <(printf '%s\n' "$3" | sort) |
	    sed -n 's/^</only in the code:/p; s/^>/only on the page:/p')
	[ -n "$2" ] || _d="nothing found in the code"
	result "$([ -z "$_d" ]; echo $?)" "$1" "$_d"
}
source_of() { perl -0pe 's{/\*.*?\*/}{}gs' "$@"; }

same "calls are those of routes.c" "$(source_of "$TOP/daemon/front/routes.c" |
    perl -0ne 'while (/HTTP_(\w+),\s*"([^"]*)",\s*ARG_(\w+)/g) { print "$1 $2 $3\n" }')" \
    "$(check paths)"
same "error codes are those of errors.def" "$(source_of "$TOP/proto/errors.def" |
    sed -n 's/^ERR(\([A-Z_0-9]*\),.*/\1/p')" "$(check codes)"
same "parameters of queries are those of the code" \
    "$(source_of "$TOP"/daemon/front/*.c | grep -o 'api_query([a-z>-]*, "[a-z_]*"' | cut -d'"' -f2 | sort -u; printf "stream\nafter\n")" \
    "$(check queries)"

# fits STATUS METHOD PATH-OF-THE-PAGE PATH [CURL OPTIONS]: has that status;
# the answer is kept, to be compared with its schema.
B=/api/cloud-backup
fits() {
	local want=$1 method=$2 page=$3 path=$4 got
	shift 4
	ASKED=$((ASKED + 1))
	got=$(curl -s -m 30 -o "$T/answer" -w '%{http_code}' -X "$method" \
	    "$@" "http://127.0.0.1:$PORT$path")
	is "$method $path: status" "$got" "$want"
	cp "$T/answer" "$T/answer.$ASKED"
	echo "$got $method $page $T/answer.$ASKED" >>"$T/asked"
}
ASKED=0
field() { jq -r "$1" "$T/answer"; }
JSON='Content-Type: application/json'
ASYNC='Prefer: respond-async'

"$TOOLS/bank" "$T/shop.db" -m wal -n 100 init
"$TOOLS/bank" "$T/till.db" -m delete -n 100 init
echo "no database" >"$T/odd.db"
remote_start
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"shop\" { path \"$T/shop.db\" lock timeout 200ms }" \
    "database \"till\" { path \"$T/till.db\" lock timeout 200ms compress zstd }" \
    "database \"odd\" { path \"$T/odd.db\" }" \
    "database \"none\" { path \"$T/none.db\" }"
daemon_start || finish

fits 200 GET /healthz /healthz
fits 200 POST $B/create $B/create -H "$JSON" -d '{"backup_name":"a","description":"b","user_id":"42"}'
fits 200 POST $B/create $B/create -H "$JSON" -d '{"database":"till","user_id":7}'
fits 422 POST $B/create $B/create -H "$JSON" -d '{"database":"odd"}'
fits 404 POST $B/create $B/create -H "$JSON" -d '{"database":"none"}'
fits 400 POST $B/create $B/create -H "$JSON" -d '{'
fits 202 POST $B/create $B/create -H "$ASYNC"
J=$(field .data.id)
fits 200 GET $B/jobs/{id} $B/jobs/$J
ended() { [ "$(api GET "/jobs/$J" | jq -r .data.finished_at)" != null ]; }
ok "the job ends" wait_for 10 ended
fits 200 GET $B/jobs/{id} $B/jobs/$J
fits 404 GET $B/jobs/{id} $B/jobs/999
fits 200 GET $B/user "$B/user?limit=2"
fits 200 GET $B/user "$B/user?database=shop"
fits 200 GET $B/user/{user_id} $B/user/42
fits 400 GET $B/user "$B/user?limit=x"
fits 200 GET $B/stats $B/stats
fits 200 GET $B/stats/{user_id} $B/stats/42
fits 200 GET $B/health $B/health
fits 200 GET $B/file-info $B/file-info
fits 200 GET $B/file-info "$B/file-info?database=none"
fits 200 GET $B/file-info "$B/file-info?database=odd"
fits 200 GET $B/license-info $B/license-info
fits 200 GET $B/check-locks $B/check-locks
fits 200 GET $B/check-accessibility $B/check-accessibility
"$TOOLS/mkdb" locker "$T/till.db" immediate 60 >"$T/locker.out" 2>&1 & LOCKER=$!
PIDS="$PIDS $LOCKER"
wait_for 10 test -s "$T/locker.out"
fits 200 GET $B/check-locks "$B/check-locks?database=till"
fits 200 GET $B/check-accessibility "$B/check-accessibility?database=till"
fits 423 POST $B/restore/{backup_id} $B/restore/2
kill "$LOCKER"; wait "$LOCKER" 2>/dev/null
fits 404 POST $B/undo $B/undo
fits 200 POST $B/restore/{backup_id} $B/restore/1
fits 200 POST $B/undo $B/undo -H "$JSON" -d '{"database":"shop"}'
fits 409 POST $B/restore/{backup_id} "$B/restore/2?database=shop"
fits 202 POST $B/restore/{backup_id} $B/restore/1 -H "$ASYNC"
J=$(field .data.id)
ok "the restore ends" wait_for 10 ended
fits 200 GET $B/jobs/{id} $B/jobs/$J
fits 200 GET $B/jobs $B/jobs
fits 200 GET $B/backup/{backup_id} $B/backup/1
fits 200 GET $B/backup/{backup_id} $B/backup/3
fits 404 GET $B/backup/{backup_id} $B/backup/999
fits 404 GET $B/download/{backup_id} $B/download/999
fits 200 POST $B/pin/{backup_id} $B/pin/1
fits 409 DELETE $B/backup/{backup_id} $B/backup/1
fits 200 POST $B/verify/{backup_id} $B/verify/1
fits 202 POST $B/verify/{backup_id} $B/verify/1 -H 'Prefer: respond-async'
fits 404 POST $B/verify/{backup_id} $B/verify/4711
fits 200 POST $B/unpin/{backup_id} $B/unpin/1
fits 200 POST $B/verify/{backup_id} $B/verify/1
fits 404 POST $B/verify/{backup_id} $B/verify/999
fits 200 POST $B/expire "$B/expire?dry_run=1"
fits 200 DELETE $B/backup/{backup_id} $B/backup/1
fits 200 GET $B/status $B/status
fits 200 GET $B/events $B/events
fits 200 GET $B/events "$B/events?limit=1&after=1"
fits 200 POST $B/acknowledge $B/acknowledge
fits 200 POST $B/remote-test/{name} $B/remote-test/hq
fits 404 POST $B/remote-test/{name} $B/remote-test/none
fits 200 POST $B/log $B/log -H "$JSON" -d '{"level":"verbose"}'
fits 400 POST $B/log $B/log -H "$JSON" -d '{"level":"loud"}'
fits 200 POST $B/reload $B/reload
remote_stop
fits 200 GET $B/health $B/health
fits 200 GET $B/user $B/user
fits 200 POST $B/remote-test/{name} $B/remote-test/hq
fits 200 GET $B/status $B/status

# Now all of them against their schemas.
check answers <"$T/asked" >"$T/found" 2>&1
is "each answer was looked at" "$(wc -l <"$T/found")" "$ASKED"
while read -r _status _method _page _file <&3 && IFS= read -r _o <&4; do
	result "$([ -z "$_o" ]; echo $?)" "$_method $_page, $_status: as described" "$_o
$(head -c 600 "$_file")"
done 3<"$T/asked" 4<"$T/found"
finish
