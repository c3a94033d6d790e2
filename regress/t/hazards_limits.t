#!/bin/bash
# Limits of time and space (H10), files that make whoever opens them wait
# (H18), and our own files (H20).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"

blocks=()
db() { blocks+=("$(database "$@")"); }
place() { mkdir -p "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }
shot() { SNAP=$(snap "$D/$1"); }
same() { is "$2: everything is as it was" "$(snap "$D/$1")" "$SNAP"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
artifacts() { find "$BACKUP_DIR/$1" -type f 2>/dev/null; }

bank "$D/big.db" -z 100 init
bank "$D/bigwal.db" -z 100 -m wal init
db limit "$D/big.db" "lock limit 1ms"
db limitwal "$D/bigwal.db" "lock limit 1ms" "capture backup"
db sized "$D/big.db" "size limit 1m"
db sizedwal "$D/bigwal.db" "size limit 1m" "capture backup"
f=$(place held); bank "$f" init; db held "$f" "lock timeout 500ms"
f=$(place heldwal); bank "$f" -m wal init; db heldwal "$f" "lock timeout 500ms"
f=$(place free); bank "$f" init; db free "$f"
f=$(place holes); mkdb big "$f" 0.5; db holes "$f"
for s in journal wal shm; do
	f=$(place fifo-$s); bank "$f" -m wal init; mkfifo "$f-$s"; own "$f-$s"; db fifo-$s "$f"
done
f=$(place lease); bank "$f" init; db lease "$f"
db itself "$T/backups/catalog.sqlite"
db within "$T/backups/free/any.sqlite"
db beside "$T/backups/beside.db"
db behind "$T/behind/free/any.sqlite"
ln -s backups "$T/behind"
daemon_with "${blocks[@]}" || exit 1

# H10: the time that a lock is held.
for n in limit limitwal; do
	refused "H10: a lock limit of 1 ms ($n)" $n 423 LOCK_LIMIT
	is "H10: leaves no artifact" "$(artifacts $n)" ""
done
ok "H10: the lock is released" sql "$D/big.db" 'BEGIN EXCLUSIVE; COMMIT'
is "H10: and the log can be reset" "$(sql "$D/bigwal.db" 'PRAGMA wal_checkpoint(TRUNCATE)')" "0|0|0"
for n in sized sizedwal; do
	refused "H10: a size limit ($n)" $n 507 SIZE_LIMIT
	is "H10: leaves no artifact" "$(artifacts $n)" ""
done
created "H10: holes" holes
ok "H10: stay holes: $(stat -c %b "$FILE") of $(($(stat -c %s "$FILE") / 512)) blocks" \
    test "$(stat -c %b "$FILE")" -lt 60000

# D2: waiting for a lock.
for n in held heldwal; do
	hold "$D/$n/app.db" exclusive
	shot $n
	t0=$(now_ms)
	refused "EXCLUSIVE is held ($n)" $n 423 DATABASE_LOCKED
	t=$(($(now_ms) - t0))
	ok "after the lock timeout of 500 ms: $t" test $t -ge 450 -a $t -lt 3000
	is "the file is as it was" "$(snap "$D/$n" | grep -v -- -shm)" "$(grep -v -- -shm <<<"$SNAP")"
	ANSWER=$T/waited WAIT=20 create $n & create=$!
	sleep 0.2
	let_go
	wait $create
	is "it is released in time ($n)" "$(json .success <"$T/waited")" true
done

# H18: what blocks whoever opens it.
for s in journal wal shm; do
	shot fifo-$s
	t0=$(now_ms)
	WAIT=10 refused "H18: a FIFO as -$s" fifo-$s 422 UNSAFE_PATH
	ok "H18: at once" test $(($(now_ms) - t0)) -lt 3000
	same fifo-$s "H18, -$s"
done
if perl -e 'use Fcntl' 2>/dev/null; then
	cat >"$T/lease.pl" <<'E'
use Fcntl;
$SIG{IO} = "IGNORE";
open(my $f, "+<", $ARGV[0]) or die;
fcntl($f, 1024, F_WRLCK) or die "F_SETLEASE: $!";
$| = 1;
print "held\n";
sleep(300);
E
	SPAWN_OUT=$T/held.lease spawn_owned perl "$T/lease.pl" "$D/lease/app.db"
	holder=$SPAWNED
	wait_for 5 grep -q held "$T/held.lease"
	cat "$T/held.lease" | sed 's/^/# lease: /'
	t0=$(now_ms)
	ANSWER=$T/leased WAIT=50 create lease & create=$!
	sleep 0.1
	ok "H18: a lease: the daemon answers meanwhile" curl -s -f -m 2 -o /dev/null "http://127.0.0.1:$PORT/healthz"
	created "H18: a lease: so do other backups" free
	wait $create
	t=$(($(now_ms) - t0))
	ok "H18: a lease: the backup ends in time: $t ms, $(json .message <"$T/leased")" test $t -lt 45000
	reap "$holder"
	created "H18: a lease: and works when it is gone" lease
else
	skip "H18: no perl to take a lease"
fi

# H20: ourselves.
refused "H20: the catalog" itself 422 UNSAFE_PATH
refused "H20: in the backup directory" beside 422 UNSAFE_PATH
refused "H20: deeper in it" within 422 UNSAFE_PATH
refused "H20: by way of a link" behind 422 UNSAFE_PATH
# A worker that opened and closed it would not drop the engine's locks; the
# engine itself would.
ok "H20: the engine still has its locks on the catalog" \
    grep -q " $DAEMON [0-9a-f]*:[0-9a-f]*:$(stat -c %i "$T/backups/catalog.sqlite") " /proc/locks

# The reserve counts where the live database is.
blocks=("reserve 900t" "$(database free "$D/free/app.db")")
daemon_with "${blocks[@]}" || exit 1
n=$(artifacts free)
refused "H10: a reserve larger than what is free" free 507 INSUFFICIENT_SPACE
is "H10: leaves no artifact" "$(artifacts free)" "$n"
finish
