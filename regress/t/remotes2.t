#!/bin/bash
# Two remotes, each with its own state and queue: one is away, one refuses;
# what is restored comes from whichever has it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
C=/api/user-backup/create

"$TOOLS/bank" "$T/app.db" -m delete -n 100 -z 1 init
mkdir "$T/one" "$T/two"
P1=$(port); P2=$(port)
start() {	# start DIRECTORY PORT: its pid in $REMOTE
	"$TOOLS/remote" -p "$2" -d "$1" -k k1 >>"$T/remote.log" 2>&1 </dev/null &
	REMOTE=$!
	PIDS="$PIDS $REMOTE"
	wait_for 5 curl -s -o /dev/null -m 2 "http://127.0.0.1:$2/health"
}
stop() { kill -TERM "$1" 2>/dev/null; gone 5 "$1"; }
fault() { printf '%s\n' "${@:2}" >"$T/$1/fault"; }
no_fault() { rm -f "$T/$1/fault"; }
copy() { api GET "/backup/$1" | jq -r --arg p "$2" '.data.copies[] | select(.place == $p) | '"$3"; }
at() { [ "$(copy "$1" "$2" .state)" = completed ]; }
field() { api GET "/backup/$1" | jq -r ".data.$2"; }
# once DIRECTORY ID: how many of it are there.
once() { cat "$T/$1"/*.json 2>/dev/null | jq -r .description | grep -c "\[cloudbackupd:$2@"; }
conf() {
	daemon_conf \
	    "remote \"one\" { rest \"http://127.0.0.1:$P1\" api key \"k1\" timeout 2s ${1-retry from 200ms to 1s} }" \
	    "remote \"two\" { rest \"http://127.0.0.1:$P2\" api key \"k1\" timeout 2s ${1-retry from 200ms to 1s} ${2-} }" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" to \"two\", \"one\" }"
	chmod 600 "$CONF"
}
start "$T/one" "$P1" || finish; ONE=$REMOTE
start "$T/two" "$P2" || finish; TWO=$REMOTE
conf
daemon_start || finish
A=$(create | json .data.id)
is "it is at both" "$(field "$A" 'status') $(copy "$A" one .state) $(copy "$A" two .state)" "completed completed completed"
is "each with its own id" "$(field "$A" 'remotes | join(",")')" one,two

# One away, one refusing.
stop "$ONE"
fault two "path $C status 422"
B=$(create | json .data.id)
is "one away, one refuses: failed, as the refusal decides" "$(field "$B" status)" failed
is "each has its own state" "$(copy "$B" one .state) $(copy "$B" two .state)" "pending failed"
like "and its own reason" "$(copy "$B" one .reason) / $(copy "$B" two .reason)" '*connect* / *422*'
like "and tries, and the next" "$(copy "$B" one '"\(.attempts) \(.next_attempt_at)"')" '[1-9]* 20*Z'
no_fault two

# Together: those that wait for what is away are told at once.
daemon_stop; conf "retry from 20s to 20s"; daemon_start || finish
create >/dev/null
t0=$(date +%s%N)
out=$(create)
ms=$((($(date +%s%N) - t0) / 1000000))
ok "one that is away holds up nobody: $ms ms" test $ms -lt 1500
is "pending, and why" "$(json '"\(.data.status) \(.message | test("connect|left alone"))"' <<<"$out")" "pending true"
D=$(json .data.id <<<"$out")
is "the other has it" "$(copy "$D" two .state)" completed
daemon_stop
conf
start "$T/one" "$P1"; ONE=$REMOTE
daemon_start || finish
ok "back again: it has it, too" wait_for 15 at "$D" one
ok "and what came before" wait_for 5 at "$B" one
is "the oldest first" "$(cat "$T"/one/rb-*.json | jq -r .description | grep -o 'cloudbackupd:[0-9]*' | cut -d: -f2 | tr '\n' ' ')" \
    "$(cat "$T"/one/rb-*.json | jq -r .description | grep -o 'cloudbackupd:[0-9]*' | cut -d: -f2 | sort -n | tr '\n' ' ')"
is "once" "$(once one "$D") $(once one "$B")" "1 1"

# Served by: here, then the remotes in their order, then the next.
restore() { api POST "/restore/$1" "${@:2}"; }
is "restored from here" "$(restore "$A" | json .data.served_by)" local
served() { curl -s -m 20 -D - -o "$T/got" "$URL/download/$1" | tr -d '\r' | sed -n 's/^X-Served-By: //p'; }
is "a download, too" "$(served "$A")" local
mv "$(field "$A" file_path)" "$T/aside"
is "from the first of \"to\"" "$(restore "$A" | json .data.served_by)" two
is "a download, too" "$(served "$A")" two
M=$T/two/$(copy "$A" two .remote_id 2>/dev/null); [ -f "$M.sqlite" ] || M=$T/two/rb-000001
cp "$M.sqlite" "$T/sound"
printf x | dd of="$M.sqlite" bs=1 seek=9000 conv=notrunc status=none
is "damaged there: from the next" "$(restore "$A" | json .data.served_by)" one
is "a download, too" "$(served "$A") sha256:$(sha256 "$T/got")" "one $(field "$A" checksum)"
stop "$TWO"
is "away: from the next" "$(restore "$A" | json .data.served_by)" one
stop "$ONE"
like "neither: both say why" "$(restore "$A" | json '"\(.errorCode) \(.message)"')" 'REMOTE_UNAVAILABLE two: *; one: *'
start "$T/one" "$P1"; ONE=$REMOTE
start "$T/two" "$P2"; TWO=$REMOTE
cp "$T/sound" "$M.sqlite"; mv "$T/aside" "$(field "$A" file_path)"

# One backup that fails again and again lets the others pass.
daemon_stop; conf "retry from 100ms to 400ms"; daemon_start || finish
wait_for 5 settled
fault two "count 3 path $C status 500"
E=$(create '{"backup_name":"poison"}' | json .data.id)
F=$(create | json .data.id)
ok "three failures, then both are there" wait_for 10 at "$F" two
ok "the one that failed, too" wait_for 10 at "$E" two
is "once" "$(once two "$E") $(once two "$F")" "1 1"

# 425 is for later; a Retry-After is for the whole remote.
fault two "count 1 path $C status 425"
is "425: again later" "$(create | json .data.status)" pending
wait_for 5 settled
fault two "count 1 path $C status 503 retry-after 2"
G=$(create | json .data.id)
n=$(grep -c "POST $C" "$T/two/requests.log")
H=$(create | json .data.id)
sleep 1
is "Retry-After: nothing of others, either" "$(grep -c "POST $C" "$T/two/requests.log")" "$n"
ok "then all" wait_for 6 at "$H" two
ok "in order" at "$G" two

# Answers that are lost: exactly once (D18).
for i in 1 2 3; do
	fault two "count 1 path $C lost-answer"
	id=$(create | json .data.id)
	wait_for 8 at "$id" two
	is "a lost answer, $i" "$(once two "$id") $(copy "$id" two .confirmed)" "1 size"
done
no_fault two

# The list has another size for it: it did not arrive whole.
daemon_stop
conf "" "upload limit 400k"
daemon_start || finish
size=$(stat -c %s "$T/app.db")
t0=$(date +%s%N)
create >/dev/null
ms=$((($(date +%s%N) - t0) / 1000000))
ok "upload limit: $size bytes in $ms ms" test $ms -ge $((size * 1000 / 409600 / 2))
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
