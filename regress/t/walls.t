#!/bin/bash
# The walls that the kernel keeps, as /proc shows them: who each process is,
# what it can see and what it holds.  Only root's daemon has them all.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "only root's daemon changes uid and root"
. "$TOP/regress/e2e.sh"

"$TOOLS/bank" "$T/app.db" -m wal -n 100 init
SOCK=$T/http.sock
remote_start || exit 1
daemon_conf "listen on socket \"$SOCK\"" \
    "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"app\" { path \"$T/app.db\" }"
daemon_start || finish
declare -A USER_OF=([front]=games [network]=irc)
E=$DAEMON F=$(child front) NET=$(child network)

status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | xargs; }
uids() { u=$(id -u "$1"); echo "$u $u $u $u"; }
gids() { g=$(id -g "$1"); echo "$g $g $g $g"; }
# fds PID: the kinds of its descriptors, each once: what the link says,
# without numbers.
fds() {
	for f in /proc/"$1"/fd/*; do
		readlink "$f" | sed -E 's/\[[0-9]+\]$//'
	done | sort -u | xargs
}

# After it has worked, so that nothing is measured too early.
like "a backup is taken" "$(create | json .data.status)" completed
api GET /health >/dev/null

is "the engine is root" "$(status $E Uid)" "0 0 0 0"
# The table in common/caps_linux.c, less what root does not have here: bits
# 0 1 2 3 5 6 7 8 10 18 19 28.
mine=$(sed -n 's/^CapPrm:[[:space:]]*//p' /proc/self/status)
wanted=$(printf '%016x' $((0x100c05ee & 0x$mine)))
for cap in CapPrm CapEff CapBnd; do
	is "engine: $cap is what it has a reason for" "$(status $E $cap)" "$wanted"
done
is "engine: nothing inheritable, nothing ambient" "$(status $E CapInh) $(status $E CapAmb)" "0000000000000000 0000000000000000"
is "engine: no new privileges" "$(status $E NoNewPrivs)" 1
is "engine: calls are filtered" "$(status $E Seccomp)" 2
limit() { sed -n "s/^Max $2  *\([0-9a-z]*\)  *\([0-9a-z]*\).*/\1 \2/p" "/proc/$1/limits"; }
for p in "engine $E" "front $F" "network $NET"; do
	set -- $p
	is "$1: no core dumps" "$(limit $2 'core file size')" "0 0"
	is "$1: may not be looked into" "$(stat -c %u /proc/$2/mem)" 0
	like "$1: says what holds" "$(grep "^$1: confined: " "$T/daemon.log")" "$1: confined: uid $(id -u "${USER_OF[$1]:-root}"), *no new privileges*seccomp *"
done
is "front: makes no processes" "$(limit $F processes)" "0 0"
is "front: has descriptors for its connections" "$(limit $F 'open files')" "1024 1024"
for p in "front $F games" "network $NET irc"; do
	set -- $p
	is "$1: all its uids" "$(status $2 Uid)" "$(uids $3)"
	is "$1: all its gids" "$(status $2 Gid)" "$(gids $3)"
	is "$1: no other groups" "$(status $2 Groups)" "$(id -g $3)"
	for cap in CapInh CapPrm CapEff CapAmb CapBnd; do
		is "$1: $cap is empty" "$(status $2 $cap)" 0000000000000000
	done
	is "$1: no new privileges" "$(status $2 NoNewPrivs)" 1
	is "$1: calls are filtered, by its own list and the engine's" "$(status $2 Seccomp) $(status $2 Seccomp_filters)" "2 2"
	like "$1: Landlock holds" "$(grep "^$1: confined: " "$T/daemon.log")" "*landlock abi [1-9]*"
	is "$1: may not be traced" "$(stat -c %u /proc/$2/mem)" 0
	is "$1: its directory is its root" "$(readlink /proc/$2/cwd)" "$(readlink /proc/$2/root)"
	is "$1: no environment" "$(tr '\0' '\n' </proc/$2/environ | grep -v '^PATH=')" ""
done
is "front: its root" "$(readlink /proc/$F/root)" /run/cloudbackupd/empty
is "front: nothing is in it" "$(find "/proc/$F/root/" -mindepth 1)" ""
is "network: its root" "$(readlink /proc/$NET/root)" /run/cloudbackupd/network
is "network: the resolver's files are in it, no more" \
    "$(cd "/proc/$NET/root/" && find . -mindepth 1 | grep -vxE './etc(/(resolv.conf|hosts|nsswitch.conf))?')" ""
for r in empty network network/etc; do
	like "$r: root's, and for nobody else to write" "$(stat -c '%u %a' /run/cloudbackupd/$r)" "0 7[05][05]"
done
ok "front and network are two users" test "$(id -u games)" != "$(id -u irc)"

# 0 to 2 are /dev/null or the log; the rest by kind.
log=$T/daemon.log
allowed() {	# allowed PID KIND...
	p=$1; shift
	for k in $(fds "$p"); do
		case " /dev/null $log $* " in *" $k "*) ;; *) echo "$k" ;; esac
	done
}
is "engine: what it holds" "$(allowed $E 'socket:' 'pipe:' 'anon_inode:' \
    'anon_inode:[eventpoll]' "$BACKUP_DIR" "$BACKUP_DIR/catalog.sqlite" \
    "$BACKUP_DIR/catalog.sqlite-wal" "$BACKUP_DIR/catalog.sqlite-shm")" ""
is "front: what it holds" "$(allowed $F 'socket:' 'pipe:' 'anon_inode:[eventpoll]' 'anon_inode:')" ""
is "network: what it holds" "$(allowed $NET 'socket:' 'pipe:' 'anon_inode:[eventpoll]' 'anon_inode:[eventfd]' 'anon_inode:')" ""
# Front: two channels, the listeners, no more when nobody is connected.
# (each once: a spare descriptor for EMFILE is another name of a channel).
socks() { readlink /proc/"$1"/fd/* | grep 'socket:' | sort -u | wc -l; }
is "front: two channels and two listeners" "$(socks $F)" 4
# Two channels, libcurl's own pair, and a connection that it keeps.
ok "network: $(socks $NET) sockets" test "$(socks $NET)" -le 5
listening() { ss -Hltnp 2>/dev/null | grep -c "pid=$1,"; }
# It keeps what it opened and gave to front, for a reload, and accepts nobody.
is "the engine has its one listener" "$(listening $E)" 1
is "and nobody is connected to it" "$(ss -Htnp state established 2>/dev/null | grep -c "pid=$E,")" 0
is "the network does not listen" "$(listening $NET)" 0

# A worker: stopped by a lock, so that there is time to look.
"$TOOLS/bank" "$T/del.db" -m delete -n 100 init
daemon_stop
chown daemon: "$T/del.db"
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"del\" { path \"$T/del.db\" lock timeout 30s }"
daemon_start || finish
"$TOOLS/mkdb" locker "$T/del.db" exclusive 30 >"$T/held" & L=$!; PIDS="$PIDS $L"
wait_for 5 grep -q held "$T/held"
(create >"$T/made") & C=$!
worker_waits() { W=$(worker_of capture) && [ "$(status $W Uid | cut -d' ' -f1)" = "$(id -u daemon)" ] && [ "$(status $W Seccomp_filters)" = 2 ]; }
wait_for 15 worker_waits
is "worker: the owner's uids" "$(status $W Uid)" "$(uids daemon)"
is "worker: the owner's gids" "$(status $W Gid)" "$(gids daemon)"
is "worker: no other groups" "$(status $W Groups)" "$(id -g daemon)"
is "worker: CapEff is empty" "$(status $W CapEff)" 0000000000000000
is "worker: CapPrm is empty" "$(status $W CapPrm)" 0000000000000000
is "worker: CapBnd is empty" "$(status $W CapBnd)" 0000000000000000
is "worker: CapAmb is empty" "$(status $W CapAmb)" 0000000000000000
is "worker: no new privileges" "$(status $W NoNewPrivs)" 1
is "worker: calls are filtered, by its own list and the engine's" "$(status $W Seccomp) $(status $W Seccomp_filters)" "2 2"
like "worker: Landlock holds" "$(grep '^worker: confined: ' "$T/daemon.log" | tail -1)" "worker: confined: uid $(id -u daemon), *landlock abi [1-9]*"
is "worker: may not be traced" "$(stat -c %u /proc/$W/mem)" 0
is "worker: what it holds" "$(allowed $W 'socket:' "$T" "$T/del.db" \
    "$T/del.db-journal" /proc/locks "/proc/$W/locks" | grep -vE "^$BACKUP_DIR/del/\.tmp-|^/proc/" )" ""
is "worker: one socket" "$(socks $W)" 1
kill $L; wait $C
is "and its backup is taken" "$(json .data.status <"$T/made")" completed
daemon_stop

# A worker that stays root: for a database of root's.
"$TOOLS/bank" "$T/root.db" -m delete -n 100 init
daemon_conf "database \"root\" { path \"$T/root.db\" lock timeout 30s }" \
    'sandbox required'
daemon_start || finish
"$TOOLS/mkdb" locker "$T/root.db" exclusive 30 >"$T/held" & L=$!; PIDS="$PIDS $L"
wait_for 5 grep -q held "$T/held"
(create >"$T/made") & C=$!
root_worker_waits() { W=$(worker_of capture) && [ "$(status $W Seccomp_filters)" = 2 ]; }
wait_for 15 root_worker_waits
is "root's worker: one capability" "$(status $W CapPrm) $(status $W CapEff)" "0000000000000002 0000000000000002"
is "root's worker: can regain none" "$(status $W CapBnd)" 0000000000000000
kill $L; wait $C
is "and its backup is taken, with all layers required" "$(json .data.status <"$T/made")" completed
daemon_stop

# The one that parses: of a database large enough to be caught at it.
"$TOOLS/mkdb" big "$T/big.db" 0.3 >/dev/null; chown daemon: "$T/big.db"
daemon_conf "database \"big\" { path \"$T/big.db\" verify full }"
daemon_start || finish
(create >"$T/made") & C=$!
checks() { W=$(worker_of verify) && grep -q '^Max processes  *0 ' "/proc/$W/limits"; }
for i in {1..2000}; do checks && break; sleep 0.01; done 2>/dev/null
kill -STOP "$W"
uid=$(status $W Uid | cut -d' ' -f1)
is "check: a uid that nobody has" "$(getent passwd "$uid")" ""
is "check: all its uids and gids" "$(status $W Uid) $(status $W Gid)" "$uid $uid $uid $uid $uid $uid $uid $uid"
for cap in CapInh CapPrm CapEff CapAmb CapBnd; do
	is "check: $cap is empty" "$(status $W $cap)" 0000000000000000
done
is "check: no new privileges" "$(status $W NoNewPrivs)" 1
is "check: calls are filtered, by its own list and the engine's" "$(status $W Seccomp) $(status $W Seccomp_filters)" "2 2"
is "check: its thread's too" "$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/$W/task/*/status | sort -u)" 2
is "check: what it holds" "$(allowed $W 'socket:' | grep -v "^$BACKUP_DIR/big/")" ""
kill -CONT "$W"; wait $C
is "check: its verdict comes" "$(json .data.verification <"$T/made")" sound
daemon_stop

# The looker: sees every file, and is nobody.
daemon_conf "database \"del\" { path \"$T/del.db\" at 03:30 }" 'sandbox required'
chmod 600 "$T/del.db"
: >"$T/daemon.log"
daemon_start || finish
copied() { [ "$(api GET /user | jq '.data | length')" -ge 1 ]; }
ok "looker: it has looked" wait_for 20 copied
W=$(child looker)
uid=$(status $W Uid | cut -d' ' -f1)
is "looker: a uid that nobody has" "$(getent passwd "$uid")" ""
is "looker: all its uids and gids" "$(status $W Uid) $(status $W Gid)" "$uid $uid $uid $uid $uid $uid $uid $uid"
is "looker: no other groups" "$(status $W Groups)" "$uid"
# Bit 2, CAP_DAC_READ_SEARCH; or bit 1, where root does not have that.
may=$((0x$mine & 4)); [ $may != 0 ] || may=$((0x$mine & 2))
for cap in CapPrm CapEff; do
	is "looker: $cap is to read" "$(status $W $cap)" "$(printf '%016x' $may)"
done
for cap in CapInh CapAmb CapBnd; do
	is "looker: $cap is empty" "$(status $W $cap)" 0000000000000000
done
is "looker: no new privileges" "$(status $W NoNewPrivs)" 1
is "looker: calls are filtered, by its own list and the engine's" "$(status $W Seccomp) $(status $W Seccomp_filters)" "2 2"
like "looker: Landlock holds" "$(grep '^looker: confined: ' "$T/daemon.log")" "looker: confined: uid $uid, *landlock abi [1-9]*kill others*"
is "looker: makes no processes" "$(limit $W processes)" "0 0"
is "looker: may not be traced" "$(stat -c %u /proc/$W/mem)" 0
is "looker: what it holds" "$(allowed $W 'socket:' "/proc/$W/mountinfo")" ""
is "looker: one socket" "$(socks $W)" 1
wait_for 10 settled
daemon_stop

# Names are resolved by what the network's root holds, and no more.
cat >"$T/dns.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.77', LocalPort => 53,
    Proto => 'udp') or die "no socket: $!";
$| = 1; print "ready\n";
while ($s->recv(my $q, 512)) {
	my ($name, $p) = ('', 12);
	$p += 1 + ord substr $q, $p, 1 while ord substr $q, $p, 1;
	my $question = substr $q, 12, $p + 5 - 12;
	my $a = unpack('n', substr $question, -4, 2) == 1;
	$s->send(substr($q, 0, 2) . pack('n5', 0x8180, 1, $a ? 1 : 0, 0, 0) .
	    $question . ($a ? pack('nnnNnC4', 0xc00c, 1, 1, 60, 4, 127, 0, 0,
	    1) : ''));
}
EOF
perl "$T/dns.pl" >"$T/dns" 2>&1 & PIDS="$PIDS $!"
if wait_for 5 grep -q ready "$T/dns" && unshare -m true; then
	echo 'nameserver 127.0.0.77' >"$T/resolv.conf"
	daemon_conf "remote \"hq\" { rest \"http://backup.test:$RPORT\" }" \
	    "database \"app\" { path \"$T/app.db\" to \"hq\" }"
	unshare -m sh -c "mount --bind $T/resolv.conf /etc/resolv.conf && exec $BUILD/cloudbackupd -d -v -f $CONF" >>"$T/daemon.log" 2>&1 </dev/null &
	DAEMON=$!; PIDS="$PIDS $DAEMON"
	wait_for 10 answers
	create >/dev/null
	wait_for 20 settled
	like "network: a name is resolved inside the walls" "$(api GET /user | jq -c '.data[0] | [.status, .locations, .remotes]')" '["completed",*"hq"*'
	daemon_stop
else
	skip "no name server of our own here"
fi
nok "nobody was ended for a call" grep -q 'signal 31' "$T/daemon.log"

nok "an ordinary build knows no -X" "$BUILD/cloudbackupd" -X front:open -n -f "$CONF"
for p in front network worker looker; do
	nok "nor does $p" "$BUILD/cloudbackupd-$p" -X front:open </dev/null
done
finish
