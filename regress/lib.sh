# Sourced by every test in regress/t: TAP, a private directory, one daemon.
#
# A test finds the programs in $BUILD (default: build/ at the top) and its
# scratch space in $T; everything it starts is ended when it exits.

TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
TOOLS=${TOOLS:-$BUILD/regress}
T=$(mktemp -d "${TMPDIR:-/tmp}/cbd-test.XXXXXX")
chmod 755 "$T"
N=0 FAILED=0
PIDS=

cleanup() {
	for p in $PIDS; do kill -TERM "$p" 2>/dev/null; done
	for p in $PIDS; do gone 5 "$p" || kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	[ -n "${KEEP:-}" ] && echo "# kept $T" || rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# result 0|1 DESCRIPTION [OUTPUT]: one TAP line.
result() {
	N=$((N + 1))
	if [ "$1" = 0 ]; then
		echo "ok $N - $2"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $N - $2"
		[ -n "${3:-}" ] && printf '%s\n' "$3" | head -40 | sed 's/^/# /'
		# What the daemon said helps more than anything.
		[ -s "$T/daemon.log" ] && tail -5 "$T/daemon.log" |
		    sed 's/^/# log: /'
	fi
	return 0
}
ok() { _d=$1; shift; if _o=$("$@" 2>&1); then result 0 "$_d"; else result 1 "$_d" "$_o"; fi; }
nok() { _d=$1; shift; if _o=$("$@" 2>&1); then result 1 "$_d" "$_o"; else result 0 "$_d"; fi; }
# is DESCRIPTION GOT WANTED; like DESCRIPTION GOT PATTERN (of case).
is() { if [ "$2" = "$3" ]; then result 0 "$1"; else result 1 "$1" "got:    $2
wanted: $3"; fi; }
like() { case $2 in $3) result 0 "$1" ;; *) result 1 "$1" "got:  $2
like: $3" ;; esac; }
skip_all() { echo "1..0 # SKIP $1"; exit 0; }
skip() { N=$((N + 1)); echo "ok $N # SKIP $1"; }
finish() { echo "1..$N"; [ "$FAILED" = 0 ]; exit; }

# wait_for SECONDS COMMAND...: polls, never a blind sleep.
wait_for() {
	_i=$(($1 * 20)); shift
	until "$@" >/dev/null 2>&1; do
		_i=$((_i - 1)); [ $_i -gt 0 ] || return 1; sleep 0.05
	done
}
# A process that nobody reaped counts as gone.
alive() { case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) in ''|Z*|X*) return 1 ;; esac; }
dead() { ! alive "$1"; }
gone() { wait_for "$1" dead "$2"; }
# worker_of WHAT: the last worker that began it, if it is still there.  The
# daemon has others, that look at a database and are gone.
worker_of() {
	_w=$(sed -n "s/.*worker \([0-9]*\) begins: $1\$/\1/p" "$T/daemon.log" | tail -1)
	[ -n "$_w" ] && alive "$_w" && echo "$_w"
}

# port [N]: a free port below the ephemeral range, the first of N.
port() {
	while :; do
		_p=$(awk -v s="$$$(date +%N)" 'BEGIN{srand(s % 2147483647); print int(20000 + rand() * 12000)}')
		_i=0
		while [ "$_i" -lt "${1:-1}" ]; do
			(exec 3<>"/dev/tcp/127.0.0.1/$((_p + _i))") 2>/dev/null && continue 2
			_i=$((_i + 1))
		done
		echo "$_p"
		return
	done
}

# As root the daemon wants users; these are on every Debian.
users_conf() {
	[ "$(id -u)" = 0 ] || return 0
	echo 'user front "games"'
	echo 'user network "irc"'
}

# daemon_conf [LINES]: writes $CONF with a listener on $PORT, a backup
# directory, and the lines given (databases, remotes).
daemon_conf() {
	PORT=${PORT:-$(port)}
	CONF=$T/cloudbackupd.conf
	URL=http://127.0.0.1:$PORT/api/cloud-backup
	BACKUP_DIR=${BACKUP_DIR:-$T/backups}
	{
		echo "listen on 127.0.0.1 port $PORT"
		users_conf
		echo "backup directory \"$BACKUP_DIR\""
		printf '%s\n' "$@"
	} >"$CONF"
}
answers() { curl -s -o /dev/null -m 2 "http://127.0.0.1:$PORT/healthz"; }
# children PID: its processes; child NAME: the daemon's front, network or
# (one) worker.  A program's name is cut to 15 bytes by the kernel.
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
child() {
	for _c in $(children "$DAEMON"); do
		read -r _n <"/proc/$_c/comm" || continue
		case $_n in cloudbackupd-${1:0:2}*) echo "$_c"; return 0 ;; esac
	done 2>/dev/null
	return 1
}
# Front answers by itself, when the other may just have been forked.
all_started() { [ -n "${VALGRIND:-}" ] || wait_for 5 child network || :; }
daemon_start() {
	"$BUILD/cloudbackupd" -d -v -f "$CONF" >>"$T/daemon.log" 2>&1 </dev/null &
	DAEMON=$!
	PIDS="$PIDS $DAEMON"
	wait_for 10 answers || { result 1 "the daemon starts" "$(tail -5 "$T/daemon.log")"; return 1; }
	all_started
}
daemon_stop() { kill -TERM "$DAEMON" 2>/dev/null; gone 10 "$DAEMON"; wait "$DAEMON" 2>/dev/null; }

# remote_start: the rest server of regress/remote on $RPORT, store in $T/remote.
remote_start() {
	RPORT=${RPORT:-$(port)}
	mkdir -p "$T/remote"
	"$TOOLS/remote" -p "$RPORT" -d "$T/remote" "$@" >>"$T/remote.log" 2>&1 </dev/null &
	REMOTE=$!
	PIDS="$PIDS $REMOTE"
	wait_for 5 curl -s -o /dev/null -m 2 "http://127.0.0.1:$RPORT/health"
}
remote_stop() { kill -TERM "$REMOTE" 2>/dev/null; gone 5 "$REMOTE"; }

# json EXPRESSION: a field of the JSON on standard input, by jq.
json() { jq -r "$1"; }
sha256() { openssl dgst -sha256 -r "$1" | cut -d' ' -f1; }
