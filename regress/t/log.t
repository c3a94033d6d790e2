#!/bin/bash
# The log: its level at run time, in all programs; the access log; and that
# no secret ever gets into either, however much is logged.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

KEY=k3y-of-the-remote-0123456789 PASS=p4ssword-of-somebody
IDENTITY=AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX
"$TOOLS/bank" "$T/shop.db" -m wal -n 10 init
remote_start -k "$KEY" 2>/dev/null || remote_start || finish
conf() {	# conf LINE...
	daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" api key \"$KEY\" retry from 1s to 1s }" \
	    "remote \"bucket\" { s3 bucket \"bucket\" endpoint \"http://127.0.0.1:$RPORT\" path-style
		access key \"ACCESSKEY7777\"
		secret key \"SECRETKEY8888\"
		delete access key \"ACCESSKEY9999\"
		delete secret key \"SECRETKEY6666\" }" \
	    "database \"shop\" { path \"$T/shop.db\" }" "$@"
}
conf "log access"
chmod 600 "$CONF"
"$BUILD/cloudbackupd" -d -f "$CONF" >>"$T/daemon.log" 2>&1 </dev/null &
DAEMON=$!; PIDS="$PIDS $DAEMON"
wait_for 10 answers || { result 1 "it starts"; finish; }
said() { grep -c "$1" "$T/daemon.log"; }
log() { api POST /log -H 'Content-Type: application/json' -d "{\"level\":\"$1\"}"; }

create >/dev/null
is "brief: nothing of workers" "$(said 'worker started')" 0
is "verbose" "$(log verbose | json .message)" "The log is verbose now."
create '{"backup_name":"loud"}' >/dev/null
ok "the engine tells more" [ "$(said 'engine: cloudbackupd-worker started')" -gt 0 ]
ok "the worker does" [ "$(said 'worker: ')" -gt 0 ]
ok "the network does" [ "$(said 'network: upload')" -gt 0 ]
is "the audit log knows" "$(grep -c 'audit: log who=.* result="verbose"' "$T/daemon.log")" 1

# Everything that is a secret goes through everything.
TOKEN=$("$BUILD/cloudbackupd" -f "$CONF" -T all:all 2>/dev/null)
post() { curl -s -m 30 -o /dev/null -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "$2" "$URL$1"; }
post /create '{}'
post /restore/1 "{\"identity\":\"$IDENTITY\",\"force\":true}"
post /log "{\"level\":\"verbose\",\"secret\":\"$PASS\"}"
curl -s -m 9 -o /dev/null -H "Authorization: Bearer $TOKEN" "$URL/user?token=$TOKEN&key=$KEY"
curl -s -m 9 -o /dev/null -H "Authorization: Bearer x$TOKEN" "$URL/health?x=$TOKEN"
curl -s -m 9 -o /dev/null -H "Authorization: Basic $TOKEN" "$URL/stats"
curl -s -m 9 -o /dev/null "$URL/health"
printf 'GET /healthz?%s HTTP/9.1\r\nX: %s\r\n\r\n' "$TOKEN" "$TOKEN" | timeout 2 nc -q 1 127.0.0.1 "$PORT" >/dev/null 2>&1
sleep 1.2
for s in "$TOKEN" "$KEY" "$PASS" "$IDENTITY" ACCESSKEY7777 SECRETKEY8888 ACCESSKEY9999 SECRETKEY6666; do
	is "no ${s:0:9} in the log" "$(said "${s:0:40}")" 0
done
is "nor in the catalog's texts" "$(sqlite3 "$BACKUP_DIR/catalog.sqlite" .dump | grep -c "$TOKEN\|$KEY\|$PASS\|$IDENTITY\|SECRETKEY")" 0

is "brief again" "$(log brief | json .message)" "The log is brief now."
n=$(said 'worker started')
create >/dev/null
is "nothing more of workers" "$(said 'worker started')" "$n"
for b in '{}' '{"level":"loud"}' '{"level":7}'; do
	is "no level: $b" "$(code POST /log -H 'Content-Type: application/json' -d "$b")" 400
done

# The access log: a line each.
# It is written when the answer has gone, which may be after it came.
line() {
	wait_for 3 grep -q "access: .*$1" "$T/daemon.log"
	grep "access: .*$1" "$T/daemon.log" | tail -1
}
api GET '/user?limit=1&x=y' >/dev/null
like "who, what, how" "$(line 'who="uid.*"/api/cloud-backup/user"')" 'front: access: address=127.0.0.1 who="uid *" method=GET path="/api/cloud-backup/user" status=200 bytes=* ms=*'
like "a token is called that" "$(line /restore/1)" '*who="token" method=POST*status=*'
api GET '/jobs/a%22%20status%3D200%5Cx' >/dev/null
is "nobody ends the quotes" "$(line 'jobs/a' | grep -cF 'path="/api/cloud-backup/jobs/a\" status=200\\x" status=404')" 1
printf 'NONSENSE\r\n\r\n' >/dev/tcp/127.0.0.1/"$PORT"
ok "what is no request, too" wait_for 3 grep -q 'access: .*method=- path="" status=400' "$T/daemon.log"
n=$(said 'access: ')
daemon_stop
conf
chmod 600 "$CONF"
daemon_start || finish
api GET /stats >/dev/null
is "none where it is not wanted" "$(said 'access: ')" "$n"
if [ "$(id -u)" = 0 ]; then
	is "not for strangers" "$(setpriv --reuid 65533 --clear-groups curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"level":"brief"}' "$URL/log")" 403
	t=$("$BUILD/cloudbackupd" -f "$CONF" -T some:read,backup,download 2>/dev/null)
	is "nor for a token that may not everything" "$(code POST /log -H "Authorization: Bearer $t" -H 'Content-Type: application/json' -d '{"level":"brief"}')" 403
fi
finish
