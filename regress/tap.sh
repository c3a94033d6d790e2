#!/bin/bash
# prove runs each test by this.  The TAP goes on to prove and is kept in
# $TAP_DIR for regress/tally.sh; a test that hangs is ended.
out=$TAP_DIR/${TAP_PREFIX:-}$(basename "$1").tap
case $1 in *.t) set -- bash "$1" ;; esac
set -o pipefail
timeout -k 15 "${TEST_SECONDS:-300}" "$@" 2>"$out.err" </dev/null | tee "$out"
status=$?
echo "# exit $status" >>"$out"
exit $status
