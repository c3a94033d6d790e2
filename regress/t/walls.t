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
for p in "front $F games" "network $NET irc"; do
	set -- $p
	is "$1: all its uids" "$(status $2 Uid)" "$(uids $3)"
	is "$1: all its gids" "$(status $2 Gid)" "$(gids $3)"
	is "$1: no other groups" "$(status $2 Groups)" "$(id -g $3)"
	for cap in CapInh CapPrm CapEff CapAmb; do
		is "$1: $cap is empty" "$(status $2 $cap)" 0000000000000000
	done
	is "$1: no new privileges" "$(status $2 NoNewPrivs)" 1
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
is "the engine does not listen" "$(listening $E)" 0
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
worker_waits() { W=$(child worker) && [ "$(status $W Uid | cut -d' ' -f1)" = "$(id -u daemon)" ]; }
wait_for 5 worker_waits
is "worker: the owner's uids" "$(status $W Uid)" "$(uids daemon)"
is "worker: the owner's gids" "$(status $W Gid)" "$(gids daemon)"
is "worker: no other groups" "$(status $W Groups)" "$(id -g daemon)"
is "worker: CapEff is empty" "$(status $W CapEff)" 0000000000000000
is "worker: CapPrm is empty" "$(status $W CapPrm)" 0000000000000000
is "worker: no new privileges" "$(status $W NoNewPrivs)" 1
is "worker: may not be traced" "$(stat -c %u /proc/$W/mem)" 0
is "worker: what it holds" "$(allowed $W 'socket:' "$T" "$T/del.db" \
    "$T/del.db-journal" /proc/locks "/proc/$W/locks" | grep -vE "^$BACKUP_DIR/del/\.tmp-|^/proc/" )" ""
is "worker: one socket" "$(socks $W)" 1
kill $L; wait $C
is "and its backup is taken" "$(json .data.status <"$T/made")" completed
finish
