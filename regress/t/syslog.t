#!/bin/bash
# The daemon in the background, with a syslog of our own, which goes away
# and comes back: lines are lost, and nothing else.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "only root can make a /dev/log"
if [ -z "${SYSLOG_INSIDE:-}" ]; then
	unshare -m true 2>/dev/null || skip_all "no mount namespace here"
	cleanup
	SYSLOG_INSIDE=1 exec unshare -m bash "$0"
fi
. "$TOP/regress/e2e.sh"

# A /dev that nobody else sees.
trap 'umount -l /dev "$T/dev"; cleanup' EXIT
mkdir "$T/dev"
mount -t tmpfs none "$T/dev" || skip_all "cannot mount"
for n in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "$T/dev/${n%:*}" c 1 "${n#*:}"
done
mount --bind "$T/dev" /dev || skip_all "cannot mount"
cat >"$T/syslogd.pl" <<'EOF'
use Socket;
$| = 1;
unlink '/dev/log';
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($s, pack_sockaddr_un('/dev/log')) or die "bind: $!";
chmod 0666, '/dev/log';
print "ready\n";
while (defined recv($s, my $m, 4096, 0)) { print "$m\n"; }
EOF
syslogd() {
	perl "$T/syslogd.pl" >"$1" 2>&1 </dev/null & SYSLOGD=$!
	PIDS="$PIDS $SYSLOGD"
	wait_for 5 grep -q ready "$1"
}
sound() { "$TOOLS/bank" "$T/$1.db" check; }

for mode in wal delete; do
	"$TOOLS/bank" "$T/$mode.db" -m $mode -n 100 init
done
daemon_conf "database \"wal\" { path \"$T/wal.db\" }" \
    "database \"delete\" { path \"$T/delete.db\" }"
syslogd "$T/first"
"$BUILD/cloudbackupd" -v -f "$CONF"
is "it starts in the background" $? 0
wait_for 10 answers
DAEMON=$(pgrep -f "cloudbackupd -v -f $CONF" | head -1)
PIDS="$PIDS $DAEMON"

for mode in wal delete; do
	is "$mode: a backup while workers log" "$(create "{\"database\":\"$mode\"}" | json .data.status)" completed
	ok "$mode: the database is sound" sound $mode
done
for p in engine front network worker; do
	like "$p: says in syslog what holds" "$(grep -m 1 "$p: confined: " "$T/first")" "*$p: confined: *"
done

kill "$SYSLOGD"; wait "$SYSLOGD" 2>/dev/null; rm /dev/log
for mode in wal delete; do
	is "$mode: a backup without syslog" "$(create "{\"database\":\"$mode\"}" | json .data.status)" completed
	ok "$mode: the database is sound" sound $mode
done
syslogd "$T/second"
for mode in wal delete; do
	is "$mode: a backup with a new one" "$(create "{\"database\":\"$mode\"}" | json .data.status)" completed
	ok "$mode: the database is sound" sound $mode
done
like "the engine's lines are in it" "$(grep -m 1 'engine: ' "$T/second")" "*engine: *"
ok "the daemon is well" answers
kill -TERM "$DAEMON"
ok "and ends" gone 10 "$DAEMON"
is "the catalog is sound" "$(catalog_sound)" ok
finish
