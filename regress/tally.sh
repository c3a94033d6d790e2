#!/bin/bash
# tally.sh DIR: sums the TAP that regress/tap.sh kept there, shows what
# failed, and ends with "N passed, N failed" (", N skipped" if any).
shopt -s nullglob
failures=$1/failures
: >"$failures"
awk -v failures="$failures" '
function finish(	bad) {
	if (name == "")
		return
	if (!planned || plan != seen)
		bad = "ended before its plan (" seen " of " plan ")"
	else if (status != 0 && !failed_here)
		bad = "exit status " status
	if (bad != "") {
		failed++
		print name ": " bad >>failures
	}
}
FNR == 1 {
	finish()
	name = FILENAME
	sub(".*/", "", name); sub("\\.tap$", "", name)
	seen = plan = planned = status = failed_here = 0
}
/^ok / {
	seen++
	if (toupper($0) ~ /# *SKIP/) skipped++; else passed++
}
/^not ok / {
	seen++; failed++; failed_here++
	print name ": " $0 >>failures
}
/^# (got|wanted|like|at|log)[: ]/ && failed_here { print "    " $0 >>failures }
/^1\.\.[0-9]+/ {
	planned = 1
	plan = substr($1, 4) + 0
	if (plan == 0) skipped++
}
/^# exit / { status = $3 }
END {
	finish()
	tail = skipped ? ", " skipped " skipped" : ""
	printf "%d passed, %d failed%s\n", passed, failed, tail
}' "$1"/*.tap /dev/null >"$1/total"
if [ -s "$failures" ]; then
	echo
	echo "Failed:"
	sed 's/^/  /' "$failures" | head -200
	for e in "$1"/*.err; do
		[ -s "$e" ] || continue
		n=$(basename "$e" .tap.err)
		grep -q "^$n: " "$failures" || continue
		echo "  $n wrote:"
		tail -15 "$e" | sed 's/^/    /'
	done
	echo
fi
cat "$1/total"
[ ! -s "$failures" ]
