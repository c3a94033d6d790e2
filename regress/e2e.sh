# Sourced after lib.sh by the tests that run the whole daemon: its catalog
# as the API tells of it, and loads.

[ -x "$BUILD/cloudbackupd" ] || skip_all "no $BUILD/cloudbackupd"
[ -x "$TOOLS/bank" ] || skip_all "no tools; try: make tools"

# start_daemon [OPTIONS]: as daemon_start, with other options or without a
# word when it fails.
start_daemon() {
	"$BUILD/cloudbackupd" -d -v ${@:--f "$CONF"} >>"$T/daemon.log" 2>&1 \
	    </dev/null &
	DAEMON=$!
	PIDS="$PIDS $DAEMON"
	until answers; do
		alive "$DAEMON" || return 1
		sleep 0.02
	done
	all_started
}
# ended PID...: all of them within five seconds.
ended() { for _p; do gone 5 "$_p" || return 1; done; }
# kill_daemon: -9, and all that belongs to it is gone.
kill_daemon() {
	_all="$DAEMON $(children "$DAEMON")"
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	ended $_all
}
# daemon_wait: waits for its end; its exit status, or "hangs", in $RC.
daemon_wait() {
	RC=hangs
	gone "${1:-12}" "$DAEMON" || return
	wait "$DAEMON"; RC=$?
} 2>/dev/null

# api METHOD PATH [CURL OPTIONS]: the body; code METHOD PATH ...: the status.
api() { _m=$1 _p=$2; shift 2; curl -s -m 30 -X "$_m" "$@" "$URL$_p"; }
code() { _m=$1 _p=$2; shift 2; curl -s -m 30 -o /dev/null -w '%{http_code}' -X "$_m" "$@" "$URL$_p"; }
create() { api POST /create -H 'Content-Type: application/json' -d "${1:-{\}}"; }

# settled: no entry waits for anything.
settled() { [ "$(api GET /user | jq '[.data[] | select(.status == "pending" or .status == "uploading")] | length')" = 0 ]; }

# catalog_true: prints what the catalog and the directory disagree about,
# and every completed backup of a bank that does not add up.  What was
# looked at once is not hashed again: it is never written again.
touch "$T/proven"
catalog_true() {
	api GET /user >"$T/list" || { echo "no list"; return; }
	jq -r '.data[] | select((.locations | index("local")) != null) |
	    [.id, .file_path, .checksum, .file_size, .database] | @tsv' \
	    "$T/list" >"$T/local"
	while IFS="$(printf '\t')" read -r _id _path _sum _size _db; do
		grep -qxF "$_path $_sum" "$T/proven" && [ -f "$_path" ] &&
		    continue
		[ -f "$_path" ] || { echo "$_id: no $_path"; continue; }
		[ "$(stat -c %s "$_path")" = "$_size" ] ||
		    echo "$_id: not $_size bytes"
		[ "sha256:$(sha256 "$_path")" = "$_sum" ] ||
		    echo "$_id: another checksum"
		_o=$("$TOOLS/bank" "$_path" check 2>&1) ||
		    echo "$_id: $_o"
		echo "$_path $_sum" >>"$T/proven"
	done <"$T/local"
	jq -r '.data[] | select(.status == "completed" and
	    (.locations | length) == 0) | "\(.id): completed and nowhere"' \
	    "$T/list"
	jq -r '.data[] | select(.status == "pending" or .status == "uploading")
	    | "\(.id): still \(.status)"' "$T/list"
	jq -r '.data[].file_path // empty' "$T/list" | sort >"$T/rows"
	find "$BACKUP_DIR" -name '*.sqlite' ! -path "$BACKUP_DIR/catalog.sqlite" |
	    sort >"$T/files"
	comm -13 "$T/rows" "$T/files" | sed 's/$/: no row/'
	find "$BACKUP_DIR" -name '.tmp-*'
}
# catalog_sound: the daemon is down; SQLite looks at the catalog itself.
catalog_sound() { sqlite3 "$BACKUP_DIR/catalog.sqlite" 'PRAGMA integrity_check; PRAGMA foreign_key_check'; }

# pss_kib PID...: the memory of these in KiB, shared pages divided.  What
# is not readable (another user's, or one that forbids it) counts by what
# is its own.
pss_kib() {
	_sum=0
	for _p; do
		_k=$(awk '/^Pss:/ { print $2 }' "/proc/$_p/smaps_rollup" 2>/dev/null)
		[ -n "$_k" ] || _k=$(awk '/^RssAnon|^RssShmem/ { s += $2 } END { print s + 0 }' "/proc/$_p/status" 2>/dev/null)
		_sum=$((_sum + ${_k:-0}))
	done
	echo $_sum
}
