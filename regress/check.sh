#!/bin/bash
# All tests, by `make check`: builds with both compilers, unit programs,
# regress/t, the same under sanitizers, fuzzing.  The last line is the
# total.
#
#	BUILD		build folder; the others are BUILD-clang, BUILD-san
#	CHECK_LONG=1	tests do more, fuzzing takes longer
#	FUZZ_SECONDS	for all fuzz targets together (60; long: 3600)
#	JOBS		what runs at once (number of processors)
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
BUILD=${BUILD:-$PWD/build}
JOBS=${JOBS:-$(nproc)}
FUZZ_SECONDS=${FUZZ_SECONDS:-$([ -n "${CHECK_LONG:-}" ] && echo 3600 || echo 60)}
export TEST_SECONDS=${TEST_SECONDS:-$([ -n "${CHECK_LONG:-}" ] && echo 3600 || echo 300)}
SAN="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
# Under sanitizers: what parses and what works end to end, but not what
# measures time or looks at how a program is linked.
SAN_TESTS="conf api http fetch rights license restore_image tls"
# Tests that measure how quick something is have the machine to themselves.
ALONE="flood capture_load locks"
START=$SECONDS
make=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKELEVEL	# each build below is its own

export TAP_DIR=$BUILD/check
rm -rf "$TAP_DIR"
mkdir -p "$TAP_DIR" || exit 1
: >"$TAP_DIR/builds.tap"
trap 'exit 1' INT TERM

stage() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - START)); }
n_builds=0
# build DESCRIPTION MAKE-ARGUMENTS...: a test of its own, quiet if it works.
build() {
	local what=$1 log=$TAP_DIR/build.log ok=
	shift
	n_builds=$((n_builds + 1))
	if ! $make -s -j"$JOBS" "$@" >"$log" 2>&1 </dev/null; then
		tail -60 "$log"
		ok="not "
	fi
	echo "${ok}ok $n_builds - $what" | tee -a "$TAP_DIR/builds.tap"
	[ -z "$ok" ]
}
run() {					# run JOBS TEST...
	local jobs=$1
	shift
	prove -m --timer -j "$jobs" --exec regress/tap.sh "$@" || :
}
units() { $make -s B="$1" print-units; }

stage "Build"
build "gcc builds all, without a warning" B="$BUILD" CC="${CC:-gcc}" \
    all tools units
built=$?
build "clang builds all, without a warning" B="$BUILD-clang" CC=clang \
    all tools units
build "lint finds nothing in what has changed" lint-quick
if [ $built = 0 ]; then
	export BUILD TOOLS=$BUILD/regress
	stage "Unit programs"
	run "$JOBS" $(units "$BUILD")
	stage "The daemon, from outside"
	run "$JOBS" $(ls regress/t/*.t | grep -vE "/(${ALONE// /|})\.t$")
	run 1 $(printf 'regress/t/%s.t\n' $ALONE)
fi

stage "Under sanitizers"
if build "builds with ASan and UBSan" B="$BUILD-san" CC="${CC:-gcc}" \
    OPT="-O1 -g" SAN="$SAN" all tools units; then
	# The daemon's are in regress/sanitize.c.
	export ASAN_OPTIONS=abort_on_error=1:disable_coredump=1
	export UBSAN_OPTIONS=print_stacktrace=1
	san=$BUILD-san
	TAP_PREFIX=san- BUILD=$san TOOLS=$san/regress SANITIZED=1 \
	    run "$JOBS" $(units "$san") \
	    $(printf 'regress/t/%s.t\n' $SAN_TESTS)
	unset ASAN_OPTIONS UBSAN_OPTIONS
fi

stage "Fuzzing, $FUZZ_SECONDS s in all"
if ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -fsanitize=fuzzer,address -x c - -o "$TAP_DIR/a.out" 2>/dev/null; then
	echo "1..0 # SKIP clang has no libFuzzer here" |
	    tee "$TAP_DIR/fuzz.tap"
elif build "fuzz targets build" B="$BUILD" fuzzers; then
	regress/fuzz.sh "$BUILD/fuzz" "$FUZZ_SECONDS" | tee "$TAP_DIR/fuzz.tap"
fi

echo "1..$n_builds" >>"$TAP_DIR/builds.tap"
printf '\n%d s in all\n' $((SECONDS - START))
exec regress/tally.sh "$TAP_DIR"
