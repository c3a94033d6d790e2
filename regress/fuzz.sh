#!/bin/bash
# fuzz.sh DIR SECONDS: runs the fuzz targets in DIR, SECONDS in all (0:
# until interrupted), and tells in TAP.  What they learn stays in
# DIR/corpus; an input that breaks something is DIR/NAME-crash-...
cd "$(dirname "$0")/.." || exit 1
dir=$1 seconds=$2 n=0 failed=0
targets=("$dir"/fuzz_*)
each=0
[ "$seconds" -gt 0 ] && each=$((seconds / ${#targets[@]}))
[ "$seconds" -gt 0 ] && [ $each -lt 1 ] && each=1
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 1' INT TERM

fuzz() {
	local name=${1##*/fuzz_}
	local corpus=$dir/corpus/$name seeds=regress/fuzz/seeds/$name
	mkdir -p "$corpus"
	[ -d "$seeds" ] || seeds=
	exec "$1" -max_total_time=$each -timeout=25 -rss_limit_mb=2048 \
	    -print_final_stats=1 -artifact_prefix="$dir/$name-" \
	    "$corpus" $seeds >"$dir/$name.log" 2>&1 </dev/null
}
result() {
	local name=${1##*/fuzz_} what runs
	n=$((n + 1))
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name.log")
	what="fuzz $name: ${runs:-no} inputs in $each s"
	if [ "$2" = 0 ] && [ -n "$runs" ]; then
		echo "ok $n - $what"
	else
		failed=1
		echo "not ok $n - $what"
		tail -30 "$dir/$name.log" | sed 's/^/# /'
	fi
}
if [ $each -gt 0 ]; then		# one after the other
	for t in "${targets[@]}"; do
		(fuzz "$t") & wait $!
		result "$t" $?
	done
else					# all at once
	for t in "${targets[@]}"; do (fuzz "$t") & done
	echo "# ${#targets[@]} targets, logs in $dir, until interrupted"
	wait -n
	echo "# one ended; see above and in $dir"
	kill $(jobs -p) 2>/dev/null
	wait
	failed=1
fi
echo "1..$n"
exit $failed
