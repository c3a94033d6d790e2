#!/bin/bash
# Restore under running applications: ten readers and writers that stay
# connected see the restored content and go on, whatever the journal mode,
# page size and schema; each commit that was acknowledged is in the database
# or in the safety backup (H11).
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

JUMP=1000000		# added to n after the backup: what was replaced
blocks=()
for c in 1 2 3 4 5 6 7; do
	mkdir "$D/$c"; own "$D/$c"
	blocks+=("$(database "c$c" "$D/$c/app.db" "lock timeout 20s")")
done
for c in schema utf long; do
	mkdir "$D/$c"; own "$D/$c"
	blocks+=("$(database $c "$D/$c/app.db" "lock timeout 20s")")
done
daemon_with "${blocks[@]}" || exit 1

# load FILE [BANK OPTIONS]: four writers and six readers.
load() {
	local f=$1
	shift
	rm -f "$f.log"
	SPAWN_OUT=$f.bank spawn_owned "$T/bin/bank" "$f" -w 4 -r 200 -b 30000 -l "$f.log" "$@" run
	BANK=$SPAWNED
	SPAWN_OUT=$f.readers spawn_owned "$T/bin/reader" "$f" -c 6 -p 5
	READERS=$SPAWNED
	wait_for 10 test -s "$f.log" && wait_for 10 readers_at "$f" 1
}
# readers_at FILE VERSION: all six saw that user_version.
readers_at() { [ "$(awk -v v="$2" '$1 == "state" && $6 == v { print $2 }' "$1.readers" | sort -u | wc -l)" = 6 ]; }
writers_back() { awk -v j=$JUMP '$1 < j { n++ } END { exit n < 20 }' "$1.log"; }
unload() {
	kill -TERM "$BANK" "$READERS"
	wait "$BANK"; bank_status=$?
	wait "$READERS"; readers_status=$?
}
# gaps FILE FROM TO: what of the acknowledged n in this range is not there
# once and in a row.
gaps() {
	awk -v a="$2" -v b="$3" '$1 >= a && $1 < b' "$1" | sort -n | awk '
	    NR > 1 && $1 != last + 1 { print last, $1 } { last = $1 }'
}

# under N DESCRIPTION SNAPSHOT-OPTIONS -- LIVE-OPTIONS: the snapshot, then
# another database in its place, load, restore.
under() {
	local c=$1 what=$2 f=$D/$1/app.db snap=() before
	shift 2
	while [ "$1" != -- ]; do snap+=("$1"); shift; done
	shift
	bank "$f" "${snap[@]}" -n 300 init
	sql "$f" "PRAGMA user_version = 77; UPDATE state SET n = 100;
	    CREATE TABLE r(v); INSERT INTO r(rowid, v) VALUES(10, 'a'), (15, 'b'), (20, 'c')" >"$T/out"
	taken "c$c" || return
	rm -f "$f" "$f"-*
	bank "$f" "$@" -n 300 init
	sql "$f" "PRAGMA user_version = 1; UPDATE state SET n = $JUMP" >"$T/out"
	chmod 640 "$f"
	load "$f" || { result 1 "$what: the load starts" "$(cat "$f.bank" "$f.readers")"; return; }
	before="$(who "$f") $(mode "$f")"
	restored "$what" "$ID"
	ok "$what: all readers see it without reopening" wait_for 10 readers_at "$f" 77
	ok "$what: and the writers go on from it" wait_for 20 writers_back "$f"
	unload
	is "$what: no reader saw a torn state, or an error" "$readers_status $(grep -c ^error "$f.readers")" "0 0"
	is "$what: nor did a writer" "$bank_status" 0
	is "$what: the file, its owner and journal mode" "$(who "$f") $(mode "$f")" "$before"
	is "$what: it is sound" "$(sql "$f" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok
	is "$what: rowids are kept" "$(sql "$f" 'SELECT rowid, v FROM r' | tr '\n' ' ')" "10|a 15|b 20|c "
	is "$what: no commit after it is lost" "$(gaps "$f.log" 0 $JUMP) $(field "$f")" " $(awk -v j=$JUMP '$1 < j' "$f.log" | sort -n | tail -1)"
	most=$(sort -n "$f.log" | tail -1)	# also for who called
	like "$what: H11: nor one before it: n=$most is in the safety backup" \
	    "$(gaps "$f.log" $JUMP $((2 * JUMP))) $("$T/bin/bank" "$(artifact "$SAFETY")" check)" " sum=* n=$most integrity=ok"
	like "$what: and that is completed" "$(backup "$SAFETY" | jq -r '"\(.status) \(.backup_type) \(.verification)"')" "completed system sound"
}

under 1 "WAL" -m wal -z 4 -- -m wal -z 4
page() { sql "$D/$1/app.db" "PRAGMA page_size; PRAGMA auto_vacuum" | tr '\n' ' '; }
# Undone: the same again, from what was kept.
first=$SAFETY
restored "the safety backup undoes it" "$first"
is "the old content is back" "$(sql "$D/1/app.db" 'PRAGMA user_version; SELECT sum(balance) FROM accounts')" "1
300000"
is "to the last commit" "$(field "$D/1/app.db")" "$most"
under 2 "DELETE, from a WAL database of pages of 1024, auto_vacuum on" \
    -m wal -s 1024 -a full -z 1 -- -m delete -z 4
is "its page size follows, and auto_vacuum" "$(page 2)" "1024 1 "
under 3 "TRUNCATE, a larger one with pages of 16384" \
    -m delete -s 16384 -a incremental -z 8 -- -m truncate -z 1
is "its page size follows" "$(page 3)" "16384 2 "
under 4 "PERSIST, auto_vacuum off" -m persist -z 2 -- -m persist -a full -z 2
is "auto_vacuum is off" "$(page 4)" "4096 0 "
under 5 "WAL, a smaller one of a DELETE database with pages of 1024" \
    -m delete -s 1024 -z 1 -- -m wal -a full -z 8
is "it was converted" "$(page 5)" "4096 0 "
under 6 "WAL, a larger one with pages of 16384, auto_vacuum on" \
    -m wal -s 16384 -a full -z 8 -- -m wal -z 1
is "it was converted, too" "$(page 6)" "4096 1 "
if [ -n "${CHECK_LONG:-}" ]; then
	for mode in wal delete truncate persist; do
		for size in 512 1024 4096 16384 65536; do
			rm -rf "$D/7"; mkdir "$D/7"; own "$D/7"
			under 7 "long: $mode, $size" -m wal -s $size -z 20 -- -m $mode -z 20
		done
	done
fi

# Another schema: a table is gone, another comes.
f=$D/schema/app.db
bank "$f" -m wal -n 200 init
taken schema; with=$ID
sql "$f" "DROP TABLE accounts; CREATE TABLE other(x); INSERT INTO other VALUES(1)"
taken schema; without=$ID
restored "the tables come back" "$with"
load "$f"
restored "under load, to a schema without the table" "$without"
ok "readers are told" wait_for 10 grep -q '^error .*no such table: accounts' "$f.readers"
wait "$BANK"
restored "and back, while the readers are still there" "$with"
back() { [ "$(tail -6 "$f.readers" | grep -c ^state)" = 6 ]; }
ok "they go on without reopening" wait_for 10 back
kill -TERM "$READERS"; wait "$READERS"
is "and see nothing torn" $? 0
sound "$f" "another schema"

# Another encoding: connections that are open would fail.
f=$D/utf/app.db
bank "$f" -m wal -e UTF-16le -n 200 init
sql "$f" "PRAGMA user_version = 16"
taken utf; sixteen=$ID
rm -f "$f"*; bank "$f" -m wal -n 200 init
shot=$(sha256sum "$f")
not_restored "UTF-16 into UTF-8" "$sixteen" 409 FORCE_REQUIRED
like "says why" "$BODY" '*UTF-16le*UTF-8*'
is "and changes nothing" "$(sha256sum "$f")" "$shot"
restored "with force" "$sixteen" '{"force": true}'
is "it is UTF-16" "$(sql "$f" 'PRAGMA encoding; PRAGMA user_version')" "UTF-16le
16"
sound "$f" "UTF-16"

# A reader in a long transaction keeps its snapshot.
f=$D/long/app.db
bank "$f" -m wal -n 200 -z 12 init
sql "$f" "UPDATE state SET n = 5"
taken long; five=$ID
sql "$f" "UPDATE state SET n = 6"
mkfifo "$T/in"; chmod 666 "$T/in"
SPAWN_OUT=$T/reading spawn_owned sh -c "exec sqlite3 '$f' <'$T/in'"
exec 8>"$T/in"
echo "BEGIN; SELECT 'then', n FROM state;" >&8
ok "a reader is in a transaction" wait_for 10 grep -q 'then|6' "$T/reading"
restored "under it" "$five"
echo "SELECT 'still', n FROM state; SELECT 'sum', sum(balance) FROM accounts; COMMIT; SELECT 'now', n FROM state; UPDATE state SET n = 7 RETURNING 'wrote', n;" >&8
ok "it goes on" wait_for 10 grep -q wrote "$T/reading"
exec 8>&-
is "with its own snapshot, then the restored one" "$(tr '\n' ' ' <"$T/reading")" "then|6 still|6 sum|200000 now|5 wrote|7 "
sound "$f" "long reader"

# A second restore meanwhile is refused, a backup waits, a job tells.
f=$D/long/app.db
hold "$f" immediate
curl -s -m 20 -X POST -H 'Prefer: respond-async' -D "$T/head" "$URL/restore/$five" >"$T/async"
is "a restore is begun, and answered at once" "$(head -1 "$T/head" | tr -d '\r')" "HTTP/1.1 202 Accepted"
job=$(jq -r .data.id "$T/async")
phase() { [ "$(get "/jobs/$job" | jq -r .data.phase)" = "$1" ]; }
ok "its job says that it waits for the lock" wait_for 10 phase lock
not_restored "a second restore meanwhile" "$five" 409 RESTORE_RUNNING
ANSWER=$T/waited create long & waiting=$!
sleep 0.3
ok "a backup waits" test ! -s "$T/waited"
let_go
wait "$waiting"
is "and is taken then" "$(jq -r .data.status "$T/waited")" completed
is "of the restored content" "$("$T/bin/bank" "$(jq -r .data.file_path "$T/waited")" check | grep -o 'n=[0-9]*')" n=5
is "the job is done" "$(get "/jobs/$job" | jq -r '.data | "\(.kind) \(.state) \(.phase) \(.bytes_done == .bytes_total and .bytes_total > 12000000)"')" "restore done done true"
is "nothing unfinished is left" "$(find "$BACKUP_DIR" -name '.tmp-*' -o -path "$BACKUP_DIR/.fetched/*")" ""
finish
