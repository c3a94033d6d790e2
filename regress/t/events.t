#!/bin/bash
# What happened, as pages and as a stream: ids ascend, a stream goes on
# where it was broken off, nobody sees what he may not, and who reads
# slowly costs no memory.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

"$TOOLS/bank" "$T/shop.sqlite" -m wal -n 100 init
"$TOOLS/bank" "$T/till.sqlite" -m wal -n 100 init
daemon_conf "database \"shop\" { path \"$T/shop.sqlite\" }" \
    "database \"till\" { path \"$T/till.sqlite\" }"
daemon_start || finish
"$BUILD/cloudbackupd" -T reader:read@till -f "$CONF" >"$T/token"
TOKEN=$(cat "$T/token")
as_reader() { "$@" -H "Authorization: Bearer $TOKEN"; }

# stream FILE [PATH] [CURL OPTIONS]: follows, in the background.
stream() {
	_f=$1 _p=${2:-/events}; shift; [ $# -gt 0 ] && shift
	curl -s -N -m 60 -H 'Accept: text/event-stream' "$@" "$URL$_p" >"$_f" 2>&1 &
	S=$!
	PIDS="$PIDS $S"
}
ids() { sed -n 's/^id: //p' "$1" | xargs; }
kinds() { sed -n 's/^event: //p' "$1" | grep -v progress | xargs; }
has() { grep -q "$2" "$1"; }
following() { has "$1" '^: events of cloudbackupd'; }

# ---- pages ----
is "nothing has happened yet" "$(api GET /events | jq -c '[.data, .next, .more]')" '[[],0,false]'
for i in 1 2 3; do create '{"database":"shop"}' >/dev/null; done
create '{"database":"till"}' >/dev/null
out=$(api GET /events)
is "each completed backup is an event" "$(jq -c '[.data[] | [.id, .event, .database, .backup_id]]' <<<"$out")" \
    '[[1,"completed","shop",1],[2,"completed","shop",2],[3,"completed","shop",3],[4,"completed","till",4]]'
is "with a time, a sentence and no remote" "$(jq -r '.data[0] | (.at | test("^20.*Z$")), (.text | test("backup 1 of shop is complete")), .remote' <<<"$out" | xargs)" "true true null"
is "a page" "$(api GET '/events?limit=2' | jq -c '[[.data[].id], .next, .more]')" '[[1,2],2,true]'
is "the next one" "$(api GET '/events?limit=2&after=2' | jq -c '[.data[].id]')" '[3,4]'
is "behind the last there is none" "$(api GET '/events?after=4' | jq -c '[.data, .next, .more]')" '[[],4,false]'
is "of one database" "$(api GET '/events?database=till' | jq -c '[[.data[].id], .next]')" '[[4],4]'
is "a limit that is none" "$(code GET '/events?limit=0')" 400
is "an after that is none" "$(code GET '/events?after=-1')" 400
is "whoever may read one database sees its events" "$(as_reader api GET /events | jq -c '[.data[].id]')" '[4]'
is "and asks for no other's" "$(as_reader code GET '/events?database=shop')" 403
is "nobody sees none" "$(code GET /events -H 'Authorization: Bearer cbd_x')" 401

# ---- jobs ----
out=$(api GET /jobs)
is "the jobs that are known" "$(jq -c '[.data[] | [.id, .kind, .state, .phase, .database]] | length, .[0]' <<<"$out" | xargs)" '4 [1,create,done,done,shop]'
is "each has a rate and a time left" "$(jq -c '.data[0] | [.rate, .eta]' <<<"$out")" '[0,null]'
is "of one database" "$(api GET '/jobs?database=till' | jq -c '[.data[].id]')" '[4]'
is "whoever may read one sees its jobs" "$(as_reader api GET /jobs | jq -c '[.data[].id]')" '[4]'
is "one job, as ever" "$(api GET /jobs/4 | jq -r .data.database)" till

# ---- the stream ----
stream "$T/s1"; S1=$S
ok "a stream begins" wait_for 5 following "$T/s1"
stream "$T/s2" '/events?after=0'
ok "one that names an event gets what came after" wait_for 5 has "$T/s2" '^id: 4'
is "in order" "$(ids "$T/s2")" "1 2 3 4"
stream "$T/s3" /events -H "Authorization: Bearer $TOKEN"
ok "a token's holder follows, too" wait_for 5 following "$T/s3"
create '{"database":"shop"}' >/dev/null
create '{"database":"till"}' >/dev/null
ok "an event arrives at once" wait_for 2 has "$T/s1" '^id: 6'
is "a stream that names none begins with the next" "$(ids "$T/s1")" "5 6"
ok "he who may read one database gets its events" wait_for 2 has "$T/s3" '^id: 6'
is "and no other's" "$(ids "$T/s3") $(sed -n 's/^data: //p' "$T/s3" | jq -r .database | sort -u | xargs)" "6 till"
is "what is sent is what a page has" "$(sed -n '/^id: 6/,/^$/s/^data: //p' "$T/s1" | jq -Sc .)" \
    "$(api GET '/events?after=5' | jq -Sc '.data[0]')"
ok "jobs tell how far they are" wait_for 2 has "$T/s1" '^event: progress'
state6() { grep -A1 '^event: progress' "$T/s1" | sed -n 's/^data: //p' | jq -r 'select(.id == 6).state' | tail -1; }
state6_done() { [ "$(state6)" = done ]; }
ok "to the end" wait_for 2 state6_done
curl -s -m 1 -N -H 'Last-Event-ID: 4' "$URL/events?stream=1" >"$T/s4"
is "Last-Event-ID is honoured" "$(ids "$T/s4")" "5 6"
is "one that is none" "$(code GET '/events?stream=1' -H 'Last-Event-ID: x')" 400
is "the type" "$(curl -s -m 1 -N -o /dev/null -w '%{content_type}' "$URL/events?stream=1")" text/event-stream
is "no right, no stream" "$(code GET '/events?stream=1&database=shop' -H "Authorization: Bearer $TOKEN")" 403
"$BUILD/cloudbackupd" -f "$CONF" -T reader:revoke >/dev/null 2>&1
create '{"database":"till"}' >/dev/null
ok "a stream ends with the right to it" gone 5 "$S"
ok "and says so" has "$T/s3" '^: refused'
nok "without the event" has "$T/s3" '^id: 7'

# ---- too many, and too slow ----
front=$(child front)
before=$(pss_kib "$front")
perl -MIO::Socket::INET -e '
	$n = IO::Socket::INET->new(PeerAddr => "127.0.0.1:'"$PORT"'") or die;
	$n->autoflush(1);
	setsockopt($n, SOL_SOCKET, SO_RCVBUF, pack("i", 4096));
	print $n "GET /api/cloud-backup/events?stream=1&after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	sleep 30' &
SLOW=$!
PIDS="$PIDS $SLOW"
sqlite3 "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO events (at_ms, kind, database, text) SELECT 1, 'expired', 'shop', hex(zeroblob(200)) FROM n"
create '{"database":"shop"}' >/dev/null
newest=$(sqlite3 "$BACKUP_DIR/catalog.sqlite" 'SELECT max(id) FROM events')
ok "20,000 events go to one who reads" wait_for 15 has "$T/s1" "^id: $newest\$"
is "all of them, once" "$(sed -n 's/^id: //p' "$T/s1" | sort -nu | wc -l) $(sed -n 's/^id: //p' "$T/s1" | sort -nc && echo ascending)" "$((newest - 4)) ascending"
grown=$(($(pss_kib "$front") - before))
result "$([ "$grown" -lt 4096 ]; echo $?)" "and none piles up for one who does not: $grown KiB"
for i in $(seq 40); do
	curl -s -N -m 3 -o /dev/null -w '%{http_code}\n' "$URL/events?stream=1" >>"$T/codes" &
	PIDS="$PIDS $!"
done
wait_for 10 sh -c "[ \$(wc -l <'$T/codes') = 40 ]"
is "there are so many at once, no more" "$(sort "$T/codes" | uniq -c | awk '{ print $2 }' | xargs)" "200 503"
is "thirty-two in all, with those that were there" "$(grep -c 200 "$T/codes")" 29
ok "others are served meanwhile" answers

# ---- the end ----
stream "$T/s5"; S5=$S
wait_for 5 following "$T/s5"
daemon_stop
wait "$S5"; rc=$?
is "a stream ends in order with the daemon" "$rc" 0
ok "and says so" has "$T/s5" '^: the daemon ends'
daemon_start
is "ids go on after a restart" "$(create '{"database":"till"}' >/dev/null; api GET "/events?after=$newest" | jq '[.data[].id] | . == sort and .[0] > '"$newest")" true
finish
