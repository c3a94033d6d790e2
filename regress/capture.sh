# Sourced by the tests of capture, behind lib.sh: one daemon with a block for
# each database, and what is asked of it again and again.  As root the
# databases belong to an ordinary user, as they do in life.

# The user's clone may lie where that user can't go.
for _t in bank mkdb openers; do
	[ -x "$TOOLS/$_t" ] || skip_all "no $TOOLS/$_t"
done
mkdir "$T/bin" "$T/d"
cp "$TOOLS/bank" "$TOOLS/mkdb" "$TOOLS/openers" "$T/bin"
D=$T/d
OWNER=
if [ "$(id -u)" = 0 ]; then
	OWNER=www-data
	chown "$OWNER:" "$D"
fi
is_root() { [ -n "$OWNER" ]; }
# owned COMMAND...: as the databases' owner.  A script's shell function
# can't be run so.
owned() {
	if is_root; then
		setpriv --reuid "$OWNER" --regid "$OWNER" --init-groups "$@"
	else
		"$@"
	fi
}
bank() { owned "$T/bin/bank" "$@"; }
mkdb() { owned "$T/bin/mkdb" "$@"; }
sql() { owned sqlite3 -cmd '.timeout 5000' "$@" 2>&1; }
# own PATH...: gives files that the test itself made to the owner.
own() { ! is_root || chown -h "$OWNER:" "$@"; }

# spawn COMMAND...: in the background, its pid in $SPAWNED, ended with us;
# what it prints goes to $SPAWN_OUT.  A function runs in a shell of its own,
# so name programs: `spawn owned ...` leaves the program's own pid.
spawn() {
	SPAWN_OUT=${SPAWN_OUT:-/dev/null}
	"$@" >"$SPAWN_OUT" 2>&1 </dev/null &
	SPAWNED=$!
	PIDS="$PIDS $SPAWNED"
}
# The pid of setpriv becomes the program's.
spawn_owned() {
	if is_root; then
		spawn setpriv --reuid "$OWNER" --regid "$OWNER" \
		    --init-groups "$@"
	else
		spawn "$@"
	fi
}
reap() { kill "-${2:-TERM}" "$1" 2>/dev/null; gone 10 "$1"; wait "$1" 2>/dev/null; }
# hold FILE KIND: mkdb's locker, pid in $HOLDER, until let_go.
hold() {
	rm -f "$T/held"
	SPAWN_OUT=$T/held spawn_owned "$T/bin/mkdb" locker "$1" "$2" 300
	HOLDER=$SPAWNED
	wait_for 10 grep -q held "$T/held"
}
let_go() { reap "$HOLDER"; }

# database NAME PATH [LINES]: a block of the configuration, on stdout.
database() {
	printf 'database "%s" {\n\tpath "%s"\n' "$1" "$2"
	shift 2
	[ $# = 0 ] || printf '\t%s\n' "$@"
	echo '}'
}
# daemon_with LINES: (re)starts the daemon with these blocks.
daemon_with() {
	[ -z "${DAEMON:-}" ] || daemon_stop
	daemon_conf "$@"
	daemon_start
}

# create DATABASE: asks for a backup.  $CODE the status, $BODY the answer,
# $ERR its error code, $FILE the artifact, $ID its number.
# With $ANSWER the body goes to that file, for one in the background.
create() {
	local answer=${ANSWER:-$T/body}
	: >"$answer"
	CODE=$(curl -s -m "${WAIT:-60}" -o "$answer" -w '%{http_code}' \
	    -H 'Content-Type: application/json' \
	    -d "{\"database\": \"$1\"}" "$URL/create")
	BODY=$(cat "$answer")
	eval "$(jq -r '@sh "ERR=\(.errorCode // "") FILE=\(.data.file_path // "") ID=\(.data.id // "") VERDICT=\(.data.verification // "")"' "$answer" 2>/dev/null || echo 'ERR=none FILE= ID= VERDICT=')"
}
# refused DESCRIPTION DATABASE STATUS CODE: create fails in that way.
refused() {
	create "$2"
	if [ "$CODE $ERR" = "$3 $4" ]; then
		result 0 "$1"
	else
		result 1 "$1" "wanted: $3 $4
got:    $CODE $BODY"
	fi
}
# created DESCRIPTION DATABASE: create succeeds, and says it is sound.
created() {
	create "$2"
	if [ "$CODE $VERDICT" = "200 ${3-sound}" ]; then
		result 0 "$1"
	else
		result 1 "$1" "wanted: 200 ${3-sound}
got:    $CODE $BODY"
	fi
}
# The newest row of a database, whatever became of it.
newest() { curl -s -m 20 "$URL/user?database=$1&limit=1" | json '.data[0]'; }
download() { curl -s -m 60 -o "$2" "$URL/download/$1"; }

# snap DIR: all that is there: names, kinds, sizes, owners, modes, inodes,
# times and content.  What is large or odd has no content here.
snap() {
	(
		cd "$1" || exit
		find . -printf '%P %y %s %U:%G %m %i %n %l' \
		    \( \( -type f -printf ' %T@\n' \) -o -printf '\n' \) |
		    sort
		find . -type f -size -200M -exec sha256sum {} + | sort
	)
}
# The same without what a WAL's last closer takes away or writes.
snap_main() { stat -c '%n %s %u:%g %a %i' "$1"; }
log_has() { grep -q "$@" "$T/daemon.log"; }
rows() { sqlite3 "file:$1?immutable=1" 'SELECT count(*) FROM t' 2>&1; }
