#!/bin/bash
# What a backup leaves in the page cache: what applications read, and
# nothing of its own.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
command -v fincore >/dev/null || skip_all "no fincore"
case $(stat -f -c %T "$T") in tmpfs|overlayfs) skip_all "the files are always in memory" ;; esac
remote_start
mkdir "$T/d"
"$TOOLS/bank" "$T/d/bank.db" -m wal -z 24 init >/dev/null
[ "$(id -u)" != 0 ] || chown -R daemon: "$T/d"
REMOTE_CONF=
cached() { fincore -b -n -o RES "$1" | tr -d ' '; }

# left WHAT [WORDS OF THE DATABASE]
left() {
	daemon_conf "$REMOTE_CONF
database \"bank\" { path \"$T/d/bank.db\" user id \"7\" ${*:2} }"
	daemon_start || finish
	cat "$T/d/bank.db" >/dev/null
	live=$(cached "$T/d/bank.db")
	create >"$T/answer"
	is "$1: the backup is complete" "$(json .data.status <"$T/answer")" completed
	file=$(json .data.file_path <"$T/answer")
	is "$1: nothing of it stays in memory" "$(($(cached "$file") / 65536))" 0
	# The kernel may have wanted a page or two for something else.
	ok "$1: what the application reads stays" test "$(cached "$T/d/bank.db")" -ge $((live * 99 / 100))
	daemon_stop
}
left "only here, checked"
left "only here, not checked" verify none
left "only here, compressed" verify none compress zstd
REMOTE_CONF="remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }"
left "with a remote"
left "with a remote, not checked" verify none
finish
