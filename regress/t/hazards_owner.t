#!/bin/bash
# Whose rights a worker has: the files it makes beside a database are ones
# that the application can open (H7), it is the owner and nobody more, and
# it ends with the engine (H23).
if [ "$(id -u)" = 0 ] && [ -z "${MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	MOUNTS=own exec unshare -m --propagation private "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"

blocks=()
db() { blocks+=("$(database "$@")"); }
place() { mkdir -p "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }
shot() { SNAP=$(snap "$D/$1"); }
same() { is "$2: everything is as it was" "$(snap "$D/$1")" "$SNAP"; }
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$WORKER/status" | tr '\t' ' '; }
worker() { WORKER=$(worker_of capture); }

# One that waits for a lock stays as it is for as long as we look.
f=$(place waits); bank "$f" init; db waits "$f" "lock timeout 60s"
f=$(place works); bank "$f" -z 1 init; db works "$f"
if is_root; then
	# A group with members, for us and what we start only.
	groups=
	if [ -n "${MOUNTS:-}" ]; then
		{ cat /etc/group; echo "shops:x:54321:$OWNER,backup"; } >"$T/group"
		mount --bind "$T/group" /etc/group && groups=1
	fi
	if [ -n "$groups" ]; then
		f=$(place shared); bank "$f" -m wal -z 100 init
		chgrp -R shops "$D/shared"; chmod 770 "$D/shared"; chmod 660 "$f"
		db shared "$f" "verify none"
	fi
	f=$(place foreign); bank "$f" -m wal init
	chgrp irc "$f"; chmod 660 "$f"; db foreign "$f"
	f=$(place nogroup); bank "$f" -m wal init
	chgrp irc "$f"; chmod 600 "$f"; db nogroup "$f"
	f=$(place root); "$T/bin/bank" "$f" -m wal init; chown root: "$D/root"; db root "$f"
	for u in nobody games irc; do
		f=$(place $u); bank "$f" init; chown $u: "$f" "$D/$u"; db $u "$f"
	done
fi
daemon_with "${blocks[@]}" || exit 1

# H23: while it works.
hold "$D/waits/app.db" exclusive
WAIT=30 create waits & create=$!
wait_for 10 worker
if is_root; then
	uid=$(id -u $OWNER) gid=$(id -g $OWNER)
	wait_for 5 sh -c "grep -q '^Uid:.$uid' /proc/$WORKER/status"
else
	uid=$(id -u) gid=$(id -g)
fi
is "H23: the worker is the owner, for good" "$(status Uid) $(status Gid)" "$uid $uid $uid $uid $gid $gid $gid $gid"
is "H23: it can't get more" "$(status NoNewPrivs) $(status CapEff)" "1 0000000000000000"
is "H23: nobody can look into it or trace it" "$(stat -c %U "/proc/$WORKER/mem")" root
is "H23: it dumps no core" "$(sed -n 's/^Max core file size *\([0-9]*\) *\([0-9]*\).*/\1 \2/p' "/proc/$WORKER/limits")" "0 0"
let_go
wait $create
# Its descriptors: the channel, the database, the artifact.
hold "$D/waits/app.db" exclusive
WAIT=30 create waits & create=$!
wait_for 10 worker
if is_root; then
	sleep 0.3
	like "H23: it has what it needs open" "$(ls -l "/proc/$WORKER/fd" | grep -c -e "$D/" -e "$BACKUP_DIR/")" '[1-3]'
	is "H23: and nothing else of the daemon" "$(ls -l "/proc/$WORKER/fd" | grep -c -e catalog -e "$CONF")" 0
else
	skip "H23: what it has open is not shown to this user"
fi
front=$(pgrep -P "$DAEMON" -x cloudbackupd-fr)
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
ok "H23: the engine is killed: its worker is gone within a second" gone 1 "$WORKER"
ok "H23: and so is the front" gone 2 "$front"
wait $create
let_go
is "H23: nothing is left beside the database" "$(ls "$D/waits")" app.db
DAEMON=
daemon_with "${blocks[@]}" || exit 1
created "H23: and the next daemon goes on" waits
is "H23: nothing unfinished is left" "$(find "$BACKUP_DIR/waits" -type f | wc -l)" 2

if ! is_root; then
	skip "the rest of it wants root"
	finish
fi
for u in nobody games irc; do
	shot $u
	refused "H23: a worker never becomes $u" $u 422 UNSAFE_PATH
	same $u "H23, $u"
done
created "H23: root's own database" root
is "H23: and leaves nothing" "$(ls "$D/root")" app.db

# H7: a -wal and a -shm that the application can open.
catch() { until [ -s "$D/shared/app.db-shm" ]; do [ $((i += 1)) -lt 100000 ] || return 1; done; worker && kill -STOP "$WORKER"; }
if [ -n "$groups" ]; then
	shot shared
	WAIT=60 create shared & create=$!
	i=0
	catch
	result $? "H7: the worker is caught at work"
	is "H7: its groups" "$(status Gid)" "54321 54321 54321 54321"
	is "H7: what it made" "$(cd "$D/shared" && stat -c '%n %U:%G %a' app.db-*)" \
	    "app.db-shm $OWNER:shops 660
app.db-wal $OWNER:shops 660"
	# Another member of the group comes, and stays.
	mkfifo "$T/in"
	setpriv --reuid backup --regid shops --clear-groups sqlite3 -cmd '.timeout 5000' "$D/shared/app.db" <"$T/in" >"$T/member" 2>&1 &
	member=$!
	PIDS="$PIDS $member"
	exec 8>"$T/in"
	echo "UPDATE state SET n = 99; SELECT 'wrote', n FROM state;" >&8
	ok "H7: a member of the group can write meanwhile" wait_for 10 grep -q 'wrote|99' "$T/member"
	kill -CONT "$WORKER"
	wait $create
	is "H7: the backup is taken" "$(json .success <"$T/body")" true
	is "H7: and what others use stays theirs" "$(cd "$D/shared" && stat -c '%n %U:%G %a' app.db-*)" \
	    "app.db-shm $OWNER:shops 660
app.db-wal $OWNER:shops 660"
	echo "UPDATE state SET n = 100; SELECT 'wrote', n FROM state;" >&8
	ok "H7: the member goes on" wait_for 10 grep -q 'wrote|100' "$T/member"
	exec 8>&-
	gone 5 "$member"; wait "$member"
	is "H7: nothing is left in the end" "$(ls "$D/shared") $(stat -c '%U:%G %a' "$D/shared/app.db")" "app.db $OWNER:shops 660"
	created "H7: alone" shared ""
	is "H7: nothing is left then" "$(ls "$D/shared")" app.db

	# Who may read by that group, on a connection that goes on.
	reread() { _n=$(grep -c 'configuration read anew' "$T/daemon.log"); kill -HUP "$DAEMON"
		is_reread() { [ "$(grep -c 'configuration read anew' "$T/daemon.log")" -gt "$_n" ]; }
		wait_for 5 is_reread; }
	echo 'allow group "shops" read' >>"$CONF"; reread
	mkfifo "$T/asks"
	setpriv --reuid backup --regid backup --clear-groups perl -MIO::Socket::INET -e '$| = 1;
	    my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
	    while (<STDIN>) {
		print $s "GET /api/cloud-backup/stats HTTP/1.1\r\nHost: localhost\r\n\r\n";
		my $n = 0; print "gone\n" unless defined(my $l = <$s>); print $l;
		while (($l = <$s>) =~ /\S/) { $n = $1 if $l =~ /^content-length: (\d+)/i; }
		read($s, $l, $n); }' "$PORT" <"$T/asks" >"$T/told" & PIDS="$PIDS $!"
	exec 8>"$T/asks"
	told() { [ "$(wc -l <"$T/told")" = "$1" ]; }
	echo >&8; wait_for 5 told 1
	like "a member of a group may" "$(tail -1 "$T/told")" "HTTP/1.1 200*"
	{ grep -v ^shops: /etc/group; echo "shops:x:54321:$OWNER"; } >"$T/group.new"
	cat "$T/group.new" >"$T/group"; reread
	echo >&8; wait_for 5 told 2
	like "and not when he is none any more" "$(tail -1 "$T/told")" "HTTP/1.1 403*"
	exec 8>&-
else
	skip "H7: /etc/group can't be another here"
fi
shot foreign
refused "H7: a group of which the owner is no member" foreign 500 PERMISSION_DENIED
same foreign "H7, foreign group"
shot nogroup
created "H7: where the group may do nothing it does not matter" nogroup
same nogroup "H7, powerless group"
finish
