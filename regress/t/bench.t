#!/bin/bash
# What the bench stands on: its tools do what they say, its arithmetic is
# right, and its rows run (on databases that are too small to tell anything).
. "$(dirname "$0")/../lib.sh"
W=$TOOLS/bench
[ -x "$W/pos" ] || skip_all "no tools; try: make tools"
command -v python3 >/dev/null || skip_all "no python3"
export PYTHONPATH=$TOP/regress/bench PYTHONDONTWRITEBYTECODE=1
cd "$T" || exit 1
sql() { sqlite3 "$@" 2>&1; }

# pos
ok "a shop is made" "$W/pos" shop.db 2 wal
ok "and the same again" "$W/pos" again.db 2 wal
is "byte by byte" "$(sha256 shop.db)" "$(sha256 again.db)"
is "it is sound" "$(sql shop.db 'PRAGMA integrity_check; PRAGMA foreign_key_check; PRAGMA journal_mode')" "ok
wal"
size=$(stat -c %s shop.db)
ok "of about that size: $size" test "$size" -ge 2000000 -a "$size" -lt 3000000
"$W/pos" del.db 1 delete
is "the other journal mode" "$(sql del.db 'PRAGMA journal_mode')" delete

# load: count FILE: how many it recorded.
count() { echo $(($(stat -c %s "$1") / 16)); }
ok "paced" "$W/load" -t 1 -r 50 -o paced shop.db write
is "each commit is recorded" "$(count paced)" "$(sql shop.db 'SELECT count(*) FROM ticks')"
n=$(count paced)
ok "at that pace: $n" test "$n" -ge 40 -a "$n" -le 52
ok "read" "$W/load" -t 1 -o read shop.db read
ok "as fast as it goes: $(count read)" test "$(count read)" -gt 200
"$W/load" shop.db open >open.out & opener=$!; PIDS="$PIDS $opener"
wait_for 5 grep -q open open.out
ok "grow" "$W/load" -w 1 -s off shop.db grow
wal=$(stat -c %s shop.db-wal)
ok "leaves a -wal: $wal" test "$wal" -ge 1000000

# lockwatch, of one who holds a read transaction for 0.3 s.
for mode in wal delete; do
	db=$([ $mode = wal ] && echo shop.db || echo del.db)
	"$W/lockwatch" $db $mode >watch.$mode & p=$!; PIDS="$PIDS $p"
	wait_for 5 grep -q watching watch.$mode
	ok "hold, $mode" "$W/load" -m 300 $db hold
	kill -TERM $p; wait $p
	us=$(sed -n '2s/ .*//p' watch.$mode)
	ok "who looks from outside sees it: $us us" test "$us" -ge 200000 -a "$us" -lt 900000
done
kill -TERM $opener; wait $opener

# sink, as curl and as ours ask it; drain.
SINK=$(port)
"$W/sink" "$SINK" & p=$!; PIDS="$PIDS $p"
wait_for 5 curl -s -o /dev/null "http://127.0.0.1:$SINK/health"
out=$(curl -s -F userId=42 -F databaseFile=@again.db "http://127.0.0.1:$SINK/api/user-backup/create")
is "an upload has an id, and its size" "$out" "{\"backupId\":\"up-1\",\"size\":$(stat -c %s again.db)}"
is "it is listed" "$(curl -s "http://127.0.0.1:$SINK/api/user-backup/user/42")" "{\"backups\":[$out]}"
n=$("$W/drain" "$SINK" /api/user-backup/user/42)
is "drain counts what comes" "${n% *}" "$((${#out} + 14))"

# Arithmetic.
py() { python3 -c "$1" 2>&1; }
is "rounds" "$(py '
from pair import in_turn
order = []
pairs = in_turn(3, lambda: order.append("A") or len(order),
                lambda: order.append("B") or len(order))
print("".join(order), pairs)')" "ABABABAB [(3, 4), (5, 6), (7, 8)]"
is "percentiles" "$(py '
from pair import percentile
print(percentile(range(100), 0.99), percentile([3, 1, 2], 0.5), percentile([7], 0.99))')" "99 2 7"
is "a goal, median, least and greatest" "$(py '
from pair import Row
for sense, goal in (("<=", 2), ("<=", 1.9), (">=", 2), (">=", 2.1), ("", None)):
    row = Row("w", "a", sense, goal)
    for v in (5, 1, 2):
        row.add(v, v * 0.5, 0.5)
    c = row.cells()
    print(c[2], c[4], c[5], c[6], row.verdict())')" "1.00 s 2 x 1 – 5 ≤ 2 x yes
1.00 s 2 x 1 – 5 ≤ 1.9 x NO
1.00 s 2 x 1 – 5 ≥ 2 x yes
1.00 s 2 x 1 – 5 ≥ 2.1 x NO
1.00 s 2 x 1 – 5  "
is "only commits that overlap the window count" "$(py '
from rows_writer import during
print(during([(0, 1), (2, 1.5), (3.2, .1), (3.9, 5), (4, 1)], [(3, 4)]))')" "[1.5, 0.1, 5]"
printf 'a\n<!-- make bench writes from here -->\nold\n<!-- to here -->\nb\n' >doc.md
py '
import report
from pair import Row
report.write("doc.md", [Row("w|x", "a").add(1)])'
is "the document keeps what is around the table" "$(sed -n '1p;$p' doc.md; grep -c old doc.md)" "a
b
0"
like "and has it" "$(grep '^| w' doc.md)" '*| w\\|x | a | *'

mkdir drawn
if command -v gnuplot >/dev/null; then
	out=$(BENCH_DIR=$T/dir py '
import plots
from lab import Lab
p = plots.Plot("few", "Title", "x", "y", ["a", "b"])
p.add(10, 1, None)
p.add(1000, 2.5, 3)
lab = Lab("build")
p.draw(lab, "drawn")
lab.close()')
	like "a plot is drawn" "$out $(grep -c '</svg>' drawn/few.svg)" '*wrote drawn/few.svg 1'
else
	skip "no gnuplot"
fi

# The rows themselves.
out=$(BENCH_DIR=$T/dir python3 "$PYTHONPATH/bench.py" -b "$BUILD" -q -m 1 -r 1 create capture zstd lock restore cache 2>&1)
result $? "rows run" "$out"
like "and are compared with their goals" "$out" '* goals reached, in *'
is "none is without figures" "$(grep 'not run' <<<"$out")" ""
is "what they made is gone" "$(find "$T/dir" -name 'work.*')" ""
finish
