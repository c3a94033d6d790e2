# Sourced after lib.sh, before e2e.sh, by tests of what takes days: a build
# whose engine's wall clock is the file $CLOCK_FILE (common/clock.h).

case $BUILD in *-clock) ;; *) BUILD=$BUILD-clock ;; esac
if [ -z "${CLOCK_BUILT:-}" ]; then
	(unset MAKEFLAGS MFLAGS MAKELEVEL
	mkdir -p "$BUILD"; exec 9>"$BUILD/.lock"; flock 9	# two tests, one build
	make -s -C "$TOP" B="$BUILD" CLOCK=1 -j"${JOBS:-2}" all) >"$T/make" 2>&1 ||
	    { cat "$T/make"; result 1 "make CLOCK=1"; finish; }
	export CLOCK_BUILT=1
fi
export CLOCK_FILE=$T/clock

# clock_set TIME [SPEED]: what the clock shows now, as date -d reads it, and
# how fast it runs (1; 0 stands still).  clock_add SECONDS: forward.
# clock_ms: what it shows, in ms.  In place, as the engine reads it by pread.
clock_write() { printf '%-40s\n' "$(date +%s%3N) $1 $2" 1<>"$CLOCK_FILE"; CLOCK_SPEED=$2; }
clock_set() { clock_write "$(date -d "$1" +%s%3N)" "${2:-1}"; }
clock_ms() { awk -v now="$(date +%s%3N)" '{ printf "%.0f\n", $2 + (now - $1) * $3 }' "$CLOCK_FILE"; }
clock_add() { clock_write $(($(clock_ms) + $1 * 1000)) "$CLOCK_SPEED"; }
clock_write "$(date +%s%3N)" 1
