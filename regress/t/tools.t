#!/bin/bash
# The tools that make databases, load and locks: what they promise.
. "$(dirname "$0")/../lib.sh"

bank() { "$TOOLS/bank" "$@"; }
mkdb() { "$TOOLS/mkdb" "$@"; }
sql() { sqlite3 "$@" 2>&1; }
cd "$T" || exit 1

# bank
for mode in wal delete truncate persist; do
	ok "bank init, $mode" bank $mode.db -m $mode -n 100 -z 2 init
	out=$(bank $mode.db -m $mode -t 1 -w 2 -l $mode.log run)
	like "bank run, $mode: $out" "$out" 'tx=[1-9]* busy=* p50_us=* p99_us=* max_us=*'
	out=$(bank $mode.db sum)
	is "n is what was acknowledged" "${out##*n=}" "$(sort -n $mode.log | tail -1)"
	is "each once" "$(sort -n $mode.log | uniq -d | wc -l)" 0
	like "bank check" "$(bank $mode.db check)" 'sum=100000 expected=100000 n=* integrity=ok'
done
bank odd.db -s 512 -e UTF-16be -a full -n 50 init
is "page size, encoding, auto_vacuum" "$(sql odd.db 'PRAGMA page_size; PRAGMA encoding; PRAGMA auto_vacuum' | xargs)" '512 UTF-16be 1'
out=$(bank odd.db -t 1 -r 50 run)
tx=${out#tx=}; tx=${tx%% *}
ok "a rate is kept: $tx" test "$tx" -ge 35 -a "$tx" -le 55
"$TOOLS/bank" odd.db -w 2 run >odd.out & p=$!; PIDS="$PIDS $p"
wait_for 5 test -e odd.db-journal; kill -TERM $p; wait $p
like "SIGTERM ends it with its line" "$(cat odd.out)" 'tx=[1-9]*'
sql odd.db 'UPDATE accounts SET balance = balance + 1 WHERE id = 7'
nok "missing money shows" bank odd.db check
"$TOOLS/mkdb" locker wal.db walwrite 30 >held & p=$!; PIDS="$PIDS $p"
wait_for 5 grep -q held held
like "busy is counted" "$(bank wal.db -b 10 -t 1 run)" 'tx=0 busy=[1-9]*'
kill $p; wait $p 2>/dev/null

# Awkward databases.
ok "big" mkdb big big.db 5
is "is sound" "$(sql big.db 'PRAGMA integrity_check')" ok
ok "of 5 GiB" test "$(stat -c %s big.db)" -gt 5368709120
ok "and takes little" test "$(stat -c %b big.db)" -lt 100000
is "with rows beyond the lock page" "$(sql big.db 'SELECT v, length(pad) FROM t WHERE id = 2')" 'last|3000000'
rm big.db
ok "big, wal, 64 KiB pages" mkdb big big.db 1.01 wal 65536
is "is sound too" "$(sql big.db 'PRAGMA integrity_check; PRAGMA journal_mode' | xargs)" 'ok wal'

ok "hotjournal" mkdb hotjournal hot.db
cp hot.db torn.db
nok "the file alone is torn" test "$(sql torn.db 'SELECT count(*) FROM t WHERE v = "old"; PRAGMA integrity_check')" = "2000
ok"
is "SQLite rolls it back" "$(sql hot.db 'SELECT count(*) FROM t WHERE v = "old"; PRAGMA integrity_check' | xargs)" '2000 ok'
ok "and the journal is gone" test ! -e hot.db-journal

ok "hotwal" mkdb hotwal wal2.db
is "the file alone has the old rows" "$(sql 'file:wal2.db?immutable=1' 'SELECT count(*) FROM t')" 200
cp wal2.db rot.db; cp wal2.db-wal rot.db-wal
ok "rotframe" mkdb rotframe rot.db 100
is "SQLite recovers all" "$(sql wal2.db 'SELECT count(*) FROM t')" 400
n=$(sql rot.db 'SELECT count(*) FROM t; PRAGMA integrity_check' | xargs)
ok "but not behind a rotten frame: $n" test "${n% ok}" -lt 400 -a "${n% ok}" -gt 200

for when in before after; do
	ok "superjournal $when" mkdb superjournal one-$when.db two-$when.db $when
	want=$(test $when = before && echo 'old old' || echo 'new new')
	is "the super-journal" "$(ls | grep -c "one-$when.db-mj")" "$(test $when = before && echo 1 || echo 0)"
	is "both sides agree: $want" "$(for d in one two; do sql $d-$when.db 'SELECT v FROM t LIMIT 1'; done | xargs)" "$want"
done

echo precious >target
ok "planted" mkdb planted plant.db "$T/target"
sql plant.db 'SELECT count(*) FROM t' >/dev/null
ok "SQLite itself falls for it" test ! -e target
ok "newsyntax" mkdb newsyntax new.db
like "cannot be parsed" "$(sql new.db 'SELECT * FROM t LIMIT 1')" '*malformed database schema*'
for which in function collation; do
	ok "appfunc, $which" mkdb appfunc app-$which.db $which
	like "is unknown to others" "$(sql app-$which.db 'PRAGMA integrity_check')" '*app_*'
done
ok "damaged" mkdb damaged bad.db
nok "is not sound" test "$(sql bad.db 'PRAGMA quick_check')" = ok

# Locks, as a second process meets them.
try() { sql -cmd '.timeout 50' "$@" | tail -1; }
with_lock() {	# with_lock DB KIND SQL
	rm -f held; "$TOOLS/mkdb" locker "$1" "$2" 30 >held & p=$!; PIDS="$PIDS $p"
	wait_for 5 grep -q held held; try "$1" "$3"; kill $p; wait $p 2>/dev/null
}
like "exclusive stops readers" "$(with_lock delete.db exclusive 'SELECT n FROM state')" '*locked*'
like "immediate stops writers" "$(with_lock delete.db immediate 'BEGIN IMMEDIATE')" '*locked*'
like "but not readers" "$(with_lock delete.db immediate 'SELECT 1 FROM state')" 1
like "shared stops a commit" "$(with_lock delete.db shared 'UPDATE state SET n = n + 1')" '*locked*'
like "exclusive stops readers of a WAL" "$(with_lock wal.db exclusive 'SELECT n FROM state')" '*locked*'
like "walwrite stops writers" "$(with_lock wal.db walwrite 'BEGIN IMMEDIATE')" '*locked*'
is "walread keeps the log from its reset" "$(with_lock wal.db walread 'UPDATE state SET n = n + 1; PRAGMA wal_checkpoint(TRUNCATE)' | cut -c1)" 1
nok "walread wants a WAL" mkdb locker delete.db walread 1

# openers
for kind in posix ofd; do
	rm -f held; "$TOOLS/openers" delete.db 20 30 $kind >held & p=$!; PIDS="$PIDS $p"
	wait_for 5 grep -q held held
	is "openers, $kind" "$(wc -w <held)" 21
	like "they hold it" "$(try delete.db 'UPDATE state SET n = n + 1')" '*locked*'
	one=$(cut -d' ' -f2 held)
	kill $p; wait $p 2>/dev/null
	ok "and leave together" gone 5 "$one"
done
finish
