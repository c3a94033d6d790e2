#!/bin/bash
# Captures of databases that are being written to: every artifact is one
# state that was committed, not older than the request, and the writer never
# notices.  Long: 100 captures of each kind with CHECK_LONG=1.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"
COUNT=25
[ -z "${CHECK_LONG:-}" ] || COUNT=100
MODES=${MODES:-wal delete}	# the others: capture_live_more.t

acknowledged() { tail -n "${WRITERS:-1}" "$1" 2>/dev/null | sort -n | tail -1; }

# captures DATABASE COUNT LOG: a line for each that is wrong, and $HELD_MAX.
captures() {
	local i before after out n held
	for ((i = 0; i < $2; i++)); do
		before=$(acknowledged "$3")
		create "$1"
		after=$(acknowledged "$3")
		[ "$CODE $VERDICT" = "200 sound" ] ||
		    { echo "capture $i: $CODE $BODY"; continue; }
		out=$("$T/bin/bank" "$FILE" check) || echo "capture $i: $out"
		n=${out##*n=}; n=${n%% *}
		# What is committed is acknowledged a moment later.
		[ "$n" -ge "$before" ] && [ "$n" -le $((after + ${WRITERS:-1})) ] ||
		    echo "capture $i: n=$n, not in $before to $after"
		rm -f "$FILE"
	done
}
# during DESCRIPTION DATABASE LOG [BANK OPTIONS]: a writer runs meanwhile.
during() {
	local what=$1 name=$2 log=$T/$2.log out writer db=$D/$3.db
	shift 3
	: >"$log"; own "$log"
	SPAWN_OUT=$T/$name.run spawn_owned "$T/bin/bank" "$db" -l "$log" "$@" run
	writer=$SPAWNED
	wait_for 10 test -s "$log"
	out=$(captures "$name" "$COUNT" "$log")
	alive "$writer" || out="$out
the writer ended early"
	reap "$writer"
	RUN=$(cat "$T/$name.run")
	is "$what: $COUNT captures, each one committed state" "$out" ""
	echo "# $RUN"
	out=$(bank "$db" sum) && result 0 "$what: the live database has its sum" ||
	    result 1 "$what: the live database has its sum" "$out"
}

blocks=()
for mode in $MODES; do
	bank "$D/$mode.db" -m $mode -n 200 -z 1 init
	for method in raw backup; do
		blocks+=("$(database $mode-$method "$D/$mode.db" "capture $method")")
	done
done
daemon_with "${blocks[@]}" || exit 1

for mode in $MODES; do
	for method in raw backup; do
		busy=1000
		[ $mode != wal ] || busy=0
		during "$mode, $method" $mode-$method $mode -m $mode -b $busy
		like "$mode, $method: the writer (busy timeout $busy) is never refused" \
		    "$RUN" 'tx=[1-9]* busy=0 *'
	done
done
nok "no capture fell back" log_has "by SQLite's backup API"
is "nothing is left beside the databases but what is theirs" \
    "$(cd "$D"; ls | grep -v '^[a-z]*\.db$' | grep -v "^\(truncate\|persist\).db-journal\$" | tr '\n' ' ')" ""
finish
