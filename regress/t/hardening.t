#!/bin/bash
# What compiler and linker do against the abuse of a bug, read from the
# binaries: a flag that got lost in the makefile is missed here.
. "$(dirname "$0")/../lib.sh"
[ -x "$BUILD/cloudbackupd" ] || skip_all "no $BUILD/cloudbackupd"
command -v readelf >/dev/null || skip_all "no readelf"
export LC_ALL=C

dynamic() { readelf -dW "$1"; }
symbols() { readelf -sW "$1" | awk '{ print $8 }' | sed 's/@.*//'; }

for p in cloudbackupd cloudbackupd-front cloudbackupd-network cloudbackupd-worker cloudbackupd-looker; do
	f=$BUILD/$p
	like "$p: position independent" "$(dynamic "$f" | grep FLAGS_1)" '*PIE*'
	like "$p: its tables are bound at start" "$(dynamic "$f" | grep -E 'FLAGS')" '*NOW*'
	like "$p: and read-only then" "$(readelf -lW "$f")" '*GNU_RELRO*'
	like "$p: no executable stack" "$(readelf -lW "$f" | grep GNU_STACK)" '*RW *'
	ok "$p: stack protector" grep -qx __stack_chk_fail <(symbols "$f")
	nok "$p: no path to look for libraries" grep -E 'RPATH|RUNPATH' <(dynamic "$f")
	if [ -n "${SANITIZED:-}" ]; then
		skip "$p: FORTIFY (the sanitizers do that)"
	else
		ok "$p: FORTIFY" grep -qE '^__(snprintf|vsnprintf|memcpy|read|pread|fprintf)_chk$' <(symbols "$f")
	fi
	# Debian's C library has no CET, so that the program is not marked
	# as a whole; every function that is called by pointer is.
	if [ "$(uname -m)" = x86_64 ]; then
		ok "$p: CET" test "$(objdump -d "$f" | grep -c endbr64)" -gt 20
	fi
done
finish
