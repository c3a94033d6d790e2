#!/bin/bash
# What the service manager is told, on a socket of the test's own, as systemd
# gives it by NOTIFY_SOCKET; priorities for the journal; and what systemd
# itself thinks of the unit.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

cat >"$T/manager.pl" <<'END'
use Socket;
use Time::HiRes 'time';
$| = 1;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($s, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
chmod 0666, $ARGV[0];
while (defined recv($s, my $m, 4096, 0)) {
	printf "%.3f %s\n", time, join ' ', split /\n/, $m;
}
END
manager() {				# SOCKET
	: >"$T/told"
	perl "$T/manager.pl" "$1" >"$T/told" 2>"$T/manager.err" </dev/null & MANAGER=$!
	PIDS="$PIDS $MANAGER"
	sleep 0.2
}
told() { grep -q "$1" "$T/told"; }

"$TOOLS/bank" "$T/shop.db" -m wal -n 100 init
daemon_conf "database \"shop\" { path \"$T/shop.db\" }"
manager "$T/notify"
wait_for 5 test -S "$T/notify"
# The journal reads standard error: lines carry their priority then.
: >"$T/daemon.log"
export JOURNAL_STREAM=$(stat -c %d:%i "$T/daemon.log")
export NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=900000
start_daemon; is "it starts" $? 0
ok "READY, once it serves" wait_for 10 told ' READY=1'
is "READY comes once" "$(grep -c ' READY=1' "$T/told")" 1
ok "WATCHDOG comes" wait_for 10 told 'WATCHDOG=1'
beats() { [ "$(grep -c 'WATCHDOG=1' "$T/told")" -ge 8 ]; }
ok "and again" wait_for 10 beats
# 300 ms apart; a machine under load may be late, but it is never too early.
is "at a third of what is wanted" "$(awk '/WATCHDOG=1/ { if (t) { d[n++] = $1 - t } t = $1 }
    END { for (i = 0; i < n; i++) if (d[i] > 0.24 && d[i] < 0.6) good++
	print (good >= n / 2 ? "yes" : "no: " good " of " n) }' "$T/told")" yes
is "a backup is taken meanwhile" "$(create | json .data.status)" completed
kill -HUP "$DAEMON"
ok "RELOADING, with the time" wait_for 10 told 'RELOADING=1 MONOTONIC_USEC=[0-9]'
again() { [ "$(grep -c ' READY=1' "$T/told")" = 2 ]; }
ok "READY again" wait_for 10 again
is "the time is the machine's, in microseconds" "$(awk -v up="$(cut -d' ' -f1 /proc/uptime)" '
    match($0, /MONOTONIC_USEC=[0-9]+/) {
	t = substr($0, RSTART + 15, RLENGTH - 15) / 1e6
	print (t <= up + 1 && t > up - 60 ? "yes" : t " of " up); exit }' "$T/told")" yes
kill -STOP "$DAEMON"
sleep 0.4
n=$(grep -c WATCHDOG=1 "$T/told")
sleep 1
is "one that hangs does not say that it lives" "$(grep -c WATCHDOG=1 "$T/told")" "$n"
kill -CONT "$DAEMON"
daemon_stop
like "STOPPING is the last word" "$(grep -v WATCHDOG "$T/told" | tail -1)" '* STOPPING=1*'

is "each line has a priority for the journal" "$(grep -vc '^<[0-7]>[a-z]*: ' "$T/daemon.log")" 0
for p in engine front network worker; do
	ok "$p: so do its lines" grep -q "^<[67]>$p: " "$T/daemon.log"
done
like "a warning has its own" "$(echo nonsense >"$T/bad.conf"; "$BUILD/cloudbackupd" -d -f "$T/bad.conf" 2>>"$T/daemon.log"; grep bad.conf "$T/daemon.log" | tail -1)" "*bad.conf:1: *"

# ---- an abstract socket, none, and one that nobody has ----
kill "$MANAGER"; wait "$MANAGER" 2>/dev/null
unset JOURNAL_STREAM WATCHDOG_USEC
NOTIFY_SOCKET=$T/nobody start_daemon
is "a manager who is away: it serves all the same" $? 0
daemon_stop
nok "without JOURNAL_STREAM there are no priorities" grep -q '^<' <(tail -1 "$T/daemon.log")
unset NOTIFY_SOCKET

# ---- the unit ----
if command -v systemd-analyze >/dev/null; then
	# Where the programs are in this build, as verify looks for them.
	mkdir "$T/unit"
	sed "s,/usr/local/sbin,$BUILD," "$TOP/systemd/cloudbackupd.service" \
	    >"$T/unit/cloudbackupd.service"
	is "systemd-analyze verify finds nothing" \
	    "$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$T/unit/cloudbackupd.service" 2>&1 | grep cloudbackupd)" ""
	level=$(systemd-analyze security --offline=true "$T/unit/cloudbackupd.service" 2>/dev/null |
	    sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
	ok "its exposure is 3.0 or less: $level" awk -v l="${level:-10}" 'BEGIN { exit !(l <= 3.0) }'
else
	skip "no systemd-analyze"
fi
finish
