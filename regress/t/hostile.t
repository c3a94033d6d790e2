#!/bin/bash
# Hostile siblings: a program in place of front, of network, of a worker
# says everything that none of ours would.  The engine refuses, names who,
# and ends with 1; a worker costs its job and no more.  Database, catalog
# and backups are the same afterwards.  CHECK_LONG=1: every mistake with
# every message; otherwise a third of them, another one each time.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -x "$TOOLS/hostile-front" ] || skip_all "no tools; try: make tools"

# The engine looks for its helpers beside itself in a folder "build".
REAL=$BUILD
H=$T/build
mkdir "$H"
cp "$REAL"/cloudbackupd "$REAL"/cloudbackupd-{front,network,worker,looker} "$H"
BUILD=$H
SAN=${SANITIZED:-}
# A program that still runs cannot be written to.
put() { rm -f "$2" && cp "$1" "$2"; }
real() { for r in front network worker looker; do put "$REAL/cloudbackupd-$r" "$H/cloudbackupd-$r"; done; }
# hostile ROLE WORDS: that one is hostile now.
hostile() {
	real
	[ "$1" = worker ] && put "$REAL/cloudbackupd-worker" "$H/cloudbackupd-worker.real"
	put "$TOOLS/hostile-$1" "$H/cloudbackupd-$1"
	echo "$@" >"$H/scenario"
}

"$TOOLS/bank" "$T/app.db" -m wal -n 200 init
chmod 644 "$T/app.db"
remote_start || exit 1
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 50ms to 100ms }" \
    "database \"app\" { path \"$T/app.db\" to \"hq\" }" \
    "database \"alone\" { path \"$T/app.db\" }" \
    "database \"packed\" { path \"$T/app.db\" compress zstd 3 }"
daemon_start || finish
for i in 1 2 3; do create '{"database":"app"}' >"$T/made"; done
is "backups are taken" "$(json .data.status <"$T/made")" completed
wait_for 10 settled
daemon_stop
bank_sum() { "$TOOLS/bank" "$T/app.db" check 2>&1; sha256 "$T/app.db"; }
BANK=$(bank_sum)
stored() { find "$BACKUP_DIR" -name '2*.sqlite' -exec sha256sum {} + | sort; }
STORED=$(stored)

port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
# dies ROLE WORDS: the engine ends with 1 and names the role; a word if not.
dies() {
	local role=$1 log=$T/case.log st
	hostile "$@"
	# The front of the one before may have the listener for a moment.
	wait_for 5 port_free
	timeout -k 1 ${SAN:+4}8 "$H/cloudbackupd" -d -f "$CONF" >"$log" 2>&1 </dev/null
	st=$?
	[ $st = 1 ] || echo "$*: exit $st: $(tail -2 "$log" | tr '\n' '|')"
	grep -q "engine: .*$role" "$log" ||
	    echo "$*: not named: $(tail -2 "$log" | tr '\n' '|')"
	grep -qE 'Sanitizer|runtime error' "$log" && echo "$*: $(grep -E 'Sanitizer|runtime error' "$log" | head -2)"
}
# unharmed WHAT: with the real ones again.
unharmed() {
	real
	daemon_start || return
	is "$1: the catalog and the backups are true" "$(wait_for 10 settled; catalog_true)" ""
	daemon_stop
	is "$1: the catalog is sound" "$(catalog_sound)" ok
	is "$1: the database is as it was" "$(bank_sum)" "$BANK"
	ok "$1: no backup was touched" test "$(stored | grep -cxF "$STORED")" = "$(wc -l <<<"$STORED")"
	is "$1: no stray file" "$(find "$BACKUP_DIR" "$T/app.db"* \( -name '.tmp-*' -o -name '*-journal' -o -name '*.raw' \))" ""
}

# Every message, by number, with its direction: from the table itself.
messages() { sed -n 's/^MSG(\([A-Z0-9_]*\),[[:space:]]*\([A-Z]*\),[[:space:]]*\([A-Z]*\),.*,[[:space:]]*\([01]\))/\1 \2 \3 \4/p' "$TOP/proto/msg.def" | nl -w1 -s' '; }
turn=$((RANDOM % 3))
mine() { turn=$((turn + 1)); [ -n "${CHECK_LONG:-}" ] || [ $((turn % 3)) = 0 ]; }
table() {	# table ROLE: prints what was not refused
	local n name from to fd how
	while read -r n name from to fd; do
		if [ "$from $to" = "$1 ENGINE" ]; then
			for how in short long empty fd; do
				mine && dies "${1,,}" table "$n" $how
			done
		else
			mine && dies "${1,,}" table "$n" as
		fi
	done < <(messages)
	dies "${1,,}" table 0 as
	dies "${1,,}" table 4711 as
}
ok "the table has $(messages | wc -l) messages" test "$(messages | wc -l)" -gt 60
is "front: every message of the table, every mistake" "$(table FRONT)" ""
each() {	# each ROLE WORD FROM TO
	for i in $(seq "$3" "$4"); do dies "$1" "$2" "$i"; done
}
is "front: texts without an end" "$(each front text 0 17)" ""
is "front: numbers out of range" "$(each front number 0 11)" ""
is "front: connections that are none" "$(each front conn 0 9)" ""
is "front: ids used twice, after their end" "$(each front state 0 4)" ""
is "front: half a message and away" "$(dies front half-close)" ""
is "front: thousands of connections" "$(dies front conns)" ""
is "front: 20 times random messages" "$(each front random 1 20)" ""
unharmed front

is "network: every message of the table, every mistake" "$(table NETWORK)" ""
is "network: answers to nothing" "$(each network value 0 3)" ""
is "network: half a message and away" "$(dies network half-close)" ""
is "network: 20 times random messages" "$(each network random 1 20)" ""
unharmed network

# ---- what the engine has to bear ----

run() {	# run ROLE WORDS: the daemon with it
	hostile "$@"
	: >"$T/daemon.log"
	"$H/cloudbackupd" -d -v -f "$CONF" >>"$T/daemon.log" 2>&1 </dev/null &
	DAEMON=$!
	PIDS="$PIDS $DAEMON"
}
said() { grep -q "$1" "$T/daemon.log"; }
peak_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$DAEMON/status"; }
call() { exec 7<>"/dev/tcp/127.0.0.1/$PORT"; }	# an administrator connects
hang_up() { exec 7>&-; }

run front half-silent
ok "front: half a message" wait_for 10 said 'half is said'
ok "and silence: the engine waits" alive "$DAEMON"
kill "$DAEMON"
daemon_wait
is "and can be stopped" "$RC" 0

if [ "$(id -u)" = 0 ]; then
	run front steal
	ok "front: theft is tried" wait_for 10 said 'theft 3'
	for i in 0 1 2 3; do
		like "theft $i" "$(grep "theft $i" "$T/daemon.log")" '*REP_ERROR this user has no right to do that*'
	done
	daemon_stop
else
	skip "front: theft (front's uid is ours)"
fi

run front flood 7
for i in $(seq 100); do call 2>/dev/null && break; sleep 0.05; done
ok "front: 100,000 messages that could be true" wait_for 200 said 'flood over'
hang_up
like "all are answered" "$(grep 'flood over' "$T/daemon.log")" '*asked=100000 answers=*'
[ -n "$SAN" ] || ok "in bounded memory: $(peak_kib) KiB" test "$(peak_kib)" -lt 65536
ok "the engine lives" alive "$DAEMON"
echo "# $(grep 'flood over' "$T/daemon.log")"
daemon_stop

run front unread
for i in $(seq 100); do call 2>/dev/null && break; sleep 0.05; done
ok "front: requests without reading answers are held back" wait_for 30 said 'held back'
[ -n "$SAN" ] || ok "in bounded memory: $(peak_kib) KiB" test "$(peak_kib)" -lt 65536
ok "and are answered when it reads" wait_for 60 said 'answered [0-9]'
ok "every one" grep -qE 'answered ([0-9]+) of \1$' "$T/daemon.log"
echo "# $(grep -E 'held back' "$T/daemon.log" | head -1)"
hang_up
daemon_stop
unharmed floods

# ---- network: transfers ----

run network progress
ok "network: endless progress" wait_for 20 said 'progress is over'
ok "the engine lives" answers
daemon_stop
fetch() { code GET "/download/rb-nowhere" -m 20; }
run network fetch keep
wait_for 10 answers
is "network: a fetch whose descriptor stays open" "$(fetch)" 500
ok "because somebody can still write" said 'some process can still write'
ok "the engine lives" answers
daemon_stop
for how in outcome text twice; do
	run network fetch $how
	wait_for 10 answers
	fetch >/dev/null
	daemon_wait
is "network: a fetch answered wrongly ($how)" "$RC" 1
	ok "is named" said 'engine: .*network: impossible NET_FETCHED'
done
for how in text id control twice; do
	run network upload $how
	wait_for 10 answers
	create '{"database":"app"}' >/dev/null
	daemon_wait
is "network: an upload answered wrongly ($how)" "$RC" 1
	ok "is named" said 'engine: .*network: impossible NET_UPLOADED'
done
unharmed transfers

# ---- workers ----

# survives WHAT ORDER DEED REQUEST... : the request fails, the daemon goes on.
survives() {
	local words="$1 $2" st
	shift 2
	hostile worker $words
	st=$(code "$@")
	case $st in 4??|5??) ;; *) result 1 "worker $words" "status $st"; return ;; esac
	hostile worker none none
	if [ "$(code GET /stats)" = 200 ]; then
		result 0 "worker $words: $st, and the daemon goes on"
	else
		result 1 "worker $words" "the daemon is gone"
	fi
}
run worker none none
wait_for 10 answers
post_create() { survives "$1" "$2" POST /create -H 'Content-Type: application/json' -d "{\"database\":\"${3:-alone}\"}"; }
for deed in twice thrice full zero other failed-full failed-none safety row phase \
    warnings half gone heir descriptor spent request; do
	post_create capture $deed
done
is "time without end is not believed" "$(api GET /jobs | jq -c '[.data[].phases | .read_ms, .hash_ms] | map(select(. != null)) | max')" 3600000000
ok "who it was is said" said 'capture worker was ended: it answered twice'
ok "and what" said 'answered another order'
for deed in twice full other safety row gone half request; do post_create verify $deed; done
# Another worker packs it meanwhile.
for deed in full zero other gone; do post_create verify $deed packed; done
for deed in twice full other safety half; do
	survives inspect $deed GET '/file-info?database=app'
	survives locks $deed GET '/check-locks?database=app'
done
for deed in twice thrice full zero other safety safety-full row half gone; do
	survives restore $deed POST /restore/1 -H 'Content-Type: application/json' -d '{"database":"alone","force":true}'
done
if [ -z "$SAN" ]; then
	before=$(peak_kib)
	hostile worker locks rows
	like "a million rows" "$(code GET '/check-locks?database=app' -m 40)" '[2345]??'
	ok "are all said" wait_for 20 said 'all rows are told'
	ok "rows without end: the engine's memory, $before then $(peak_kib) KiB" test $(($(peak_kib) - before)) -lt 16384
fi
# It says nothing: others are served, and it is ended.
hostile worker inspect silent
t0=$SECONDS
code GET '/file-info?database=app' -m 30 >"$T/silent" & silent=$!
is "worker inspect silent: others are served" "$(code GET /stats)" 200
wait $silent
is "and its request fails" "$(cat "$T/silent")" 500
ok "after its patience: $((SECONDS - t0)) s" test $((SECONDS - t0)) -le 20
ok "which is said" said 'made no progress for 15 seconds'
# It talks for ever, and does not listen to SIGTERM.
hostile worker capture progress
code POST /create -H 'Content-Type: application/json' -d '{"database":"alone"}' -m 60 >/dev/null & endless=$!
wait_for 10 child worker
is "worker capture progress: others are served" "$(code GET /stats)" 200
left=$(child worker)
kill "$DAEMON"
daemon_wait 15
is "and the daemon can be stopped" "$RC" 0
ok "without leaving it behind" gone 5 "$left"
wait $endless
unharmed workers
finish
