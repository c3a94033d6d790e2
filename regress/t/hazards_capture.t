#!/bin/bash
# What could lose data or let somebody in while a backup is taken: journals
# (H1 to H3), two names of one file (H4), logs and schemas that are not what
# they should be (H5, H6), checkpoints (H8).
if [ "$(id -u)" = 0 ] && [ -z "${MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	MOUNTS=own exec unshare -m --propagation private "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"
may_mount() { is_root && [ -n "${MOUNTS:-}" ]; }

blocks=()
db() { blocks+=("$(database "$@" "lock timeout 400ms")"); }
place() { mkdir -p "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }
shot() { SNAP=$(snap "$D/$1"); }
same() { is "$2: everything is as it was" "$(snap "$D/$1")" "$SNAP"; }
old() { sqlite3 "file:$1?immutable=1" "SELECT count(*) FROM t WHERE v = 'old'; PRAGMA integrity_check" | xargs; }
# An application: sqlite3 that reads what it does from descriptor 8.
app_start() {
	mkfifo "$T/app.in"
	SPAWN_OUT=$T/app.out
	if is_root; then
		setpriv --reuid $OWNER --regid $OWNER --init-groups sqlite3 -cmd '.timeout 5000' "$1" <"$T/app.in" >"$SPAWN_OUT" 2>&1 &
	else
		sqlite3 -cmd '.timeout 5000' "$1" <"$T/app.in" >"$SPAWN_OUT" 2>&1 &
	fi
	APP=$!
	PIDS="$PIDS $APP"
	exec 8>"$T/app.in"
	rm "$T/app.in"
}
app() { printf '%s;\nSELECT "done %d";\n' "$1" $((++STEP)) >&8; wait_for 10 grep -q "^done $STEP$" "$T/app.out"; }
app_end() { exec 8>&-; gone 5 "$APP"; wait "$APP" 2>/dev/null; }
STEP=0

mkdir "$D/outside"; own "$D/outside"
for f in near far super; do echo "$f" >"$D/outside/$f"; done
cp "$D/outside/super" "$D/outside/super-mj0A1B2C9F0"
own "$D"/outside/*

# H1
f=$(place planted); mkdb planted "$f" "$D/outside/far"; db planted "$f"
f=$(place beside); echo near >"$D/beside/near"; own "$D/beside/near"
mkdb planted "$f" "$D/beside/near"; db beside "$f"
f=$(place named); mkdb planted "$f" "$D/outside/super-mj0A1B2C9F0"; db named "$f"
f=$(place rooted); "$T/bin/mkdb" planted "$f" "$D/outside/super-mj0A1B2C9F0"; db rooted "$f"
# H2
for d in kept lost ended; do
	f=$(place $d)
	mkdb superjournal "$D/$d/one.db" "$D/$d/two.db" $([ $d != ended ] || echo after)
	db $d-one "$D/$d/one.db"; db $d-two "$D/$d/two.db"
done
rm "$D"/lost/one.db-mj*
place far-one >/dev/null; place far-two >/dev/null
mkdb superjournal "$D/far-one/one.db" "$D/far-two/two.db"
db far-two "$D/far-two/two.db"
# H3
for d in hot opened dotlock; do f=$(place $d); mkdb hotjournal "$f"; db $d "$f"; done
f=$(place soon); mkdb hotjournal "$f"; blocks+=("$(database soon "$f" "lock timeout 1ms")")
f=$(place long); mkdb hotjournal "$f"; sql "$f" 'SELECT count(*) FROM t' >/dev/null; db long "$f"
# H4
f=$(place linked); mkdb hotwal "$f"; ln "$f" "$D/linked/other.db"; db linked "$f"
f=$(place bound); mkdb hotwal "$f"; sql "$f" 'SELECT count(*) FROM t' >/dev/null; db bound "$f"
mkdir "$D/alias"; : >"$D/alias/alias.db"; own "$D/alias" "$D/alias/alias.db"; db alias "$D/alias/alias.db"
# H5, H6, H8, damage
for d in rot idle; do f=$(place $d); mkdb hotwal "$f"; sql "$f" 'SELECT count(*) FROM t' >/dev/null; db $d "$f"; done
f=$(place newsyntax); mkdb newsyntax "$f"; db newsyntax "$f"
for d in function collation; do f=$(place $d); mkdb appfunc "$f" $d; db $d "$f"; done
f=$(place damaged); mkdb damaged "$f"; db damaged "$f"
overlay=
if may_mount; then
	mkdir "$D"/ov "$D"/ov/{upper,work,lower,merged}
	bank "$D/bank.db" init
	mv "$D/bank.db" "$D/ov/upper/app.db"
	if mount -t overlay overlay -o "lowerdir=$D/ov/lower,upperdir=$D/ov/upper,workdir=$D/ov/work" "$D/ov/merged" 2>/dev/null; then
		overlay=1
		db upper "$D/ov/upper/app.db"
		blocks+=("$(database upper-anyway "$D/ov/upper/app.db" unsafe-filesystem)")
	fi
fi
daemon_with "${blocks[@]}" || exit 1

# H1: a journal that names a file which is to be deleted.
outside=$(snap "$D/outside")
for d in planted beside named; do
	shot $d
	refused "H1: a planted journal, $d" $d 409 HOT_JOURNAL
	same $d "H1, $d"
done
if is_root; then
	chown root: "$D"/rooted/*; chown backup: "$D/rooted"
	shot rooted
	refused "H1: a journal that names a file elsewhere, beside a database of root's, in another's directory" rooted 409 HOT_JOURNAL
	same rooted "H1, root's database"
fi
is "H1: what the journals named survives" "$(snap "$D/outside") $(cat "$D/beside/near")" "$outside near"

# H2: a transaction over two databases that was cut short.
for n in one two; do
	created "H2: the super-journal is there: $n is rolled back" kept-$n
	is "H2: $n is wholly old" "$(old "$FILE")" "50 ok"
done
is "H2: and all journals are gone" "$(ls "$D/kept" | xargs)" "one.db two.db"
for d in lost ended; do
	shot $d
	refused "H2: no super-journal ($d), one" $d-one 409 HOT_JOURNAL
	refused "H2: no super-journal ($d), two" $d-two 409 HOT_JOURNAL
	same $d "H2, $d"
done
shot far-two
refused "H2: a super-journal in another directory" far-two 409 HOT_JOURNAL
same far-two "H2, another directory"
is "H2: the application can still roll it back" "$(sql "$D/far-two/two.db" 'SELECT DISTINCT v FROM t')" old

# H3: a hot journal is rolled back only if nobody can be at it.
created "H3: a hot journal that nobody has" hot
is "H3: is rolled back" "$(old "$FILE")" "2000 ok"
is "H3: the live database as well" "$(ls "$D/hot") $(old "$D/hot/app.db")" "app.db 2000 ok"
created "H3: however little patience there is" soon
sleep 300 <"$D/opened/app.db" &
OPENER=$!
PIDS="$PIDS $OPENER"
shot opened
refused "H3: somebody has the database open" opened 409 HOT_JOURNAL
like "H3: and is named" "$(json .message <"$T/body")" "*process $OPENER *"
same opened "H3, open"
reap "$OPENER"
sleep 300 <"$D/opened/app.db-journal" &
OPENER=$!
PIDS="$PIDS $OPENER"
refused "H3: somebody has the journal open" opened 409 HOT_JOURNAL
same opened "H3, journal open"
reap "$OPENER"
created "H3: when he is gone" opened
mkdir "$D/dotlock/app.db.lock"
shot dotlock
refused "H3: a dotfile lock" dotlock 409 HOT_JOURNAL
same dotlock "H3, dotfile lock"
app_start "$D/long/app.db"
app "BEGIN; UPDATE t SET v = 'mid' WHERE id = 7"
ok "H3: a writer has a journal" test -s "$D/long/app.db-journal"
shot long
created "H3: beside a live writer" long
is "H3: has what was committed" "$(old "$FILE")" "2000 ok"
same long "H3, live writer"
app "COMMIT"
is "H3: the writer commits" "$(sql "$D/long/app.db" "SELECT v FROM t WHERE id = 7; PRAGMA integrity_check" | xargs)" "mid ok"
app_end
if [ -n "$overlay" ]; then
	shot ov/upper
	refused "H3: the upper directory of an overlay" upper 422 UNSAFE_PATH
	same ov/upper "H3, overlay"
	created "H3: unless the configuration says so" upper-anyway
	umount "$D/ov/merged"
	created "H3: or the overlay is gone" upper
else
	skip "H3: no overlay can be mounted"
fi

# H4: one file under two names.
shot linked
refused "H4: a hard link" linked 409 DATABASE_ALIASED
same linked "H4, hard link"
rm "$D/linked/other.db"
created "H4: after it was removed" linked
if may_mount && mount --bind "$D/bound/app.db" "$D/alias/alias.db" 2>/dev/null; then
	app_start "$D/alias/alias.db"
	app "PRAGMA wal_autocheckpoint=0; INSERT INTO t(v) VALUES('alias')"
	ok "H4: the other name has its own log" test -s "$D/alias/alias.db-wal"
	refused "H4: a bind mount that is written to" bound 409 DATABASE_ALIASED
	is "H4: leaves no log of ours" "$(ls "$D/bound")" app.db
	created "H4: by the name that is used" alias
	is "H4: all rows are there" "$(rows "$FILE")" 401
	app_end
	created "H4: when nobody uses it" bound
	is "H4: all rows are there too" "$(rows "$FILE")" 401
	umount "$D/alias/alias.db"
else
	skip "H4: no bind mount"
fi

# H5: a rotten frame that no reader sees, in the middle of a live log.
app_start "$D/rot/app.db"
app "PRAGMA wal_autocheckpoint=0; INSERT INTO t(v) VALUES('live')"
for i in 1 2 3 4 5 6 7 8 9; do app "UPDATE t SET v = '$i' WHERE id = 1"; done
for i in 1 2 3 4 5 6 7 8 9; do app "INSERT INTO t SELECT NULL, 'live', randomblob(400) FROM t LIMIT 20"; done
hold "$D/rot/app.db" walread
created "H5: before" rot
is "H5: by the raw copy" "$(grep -c 'backup of rot by' "$T/daemon.log") $(rows "$FILE")" "0 581"
mkdb rotframe "$D/rot/app.db" 8
shot rot
created "H5: a frame in the middle of the log is rotten" rot
is "H5: all rows are there" "$(rows "$FILE") $(sqlite3 "$FILE" 'SELECT v FROM t WHERE id = 1')" "581 9"
ok "H5: the log says why" log_has "backup of rot by SQLite's backup API: the checksums of the WAL"
is "H5: log and file are as they were" "$(sha256 "$D/rot/app.db") $(sha256 "$D/rot/app.db-wal")" \
    "$(sed -n 's, \+\./app.db$,,p' <<<"$SNAP") $(sed -n 's, \+\./app.db-wal$,,p' <<<"$SNAP")"
let_go
app_end

# H6: what this SQLite does not understand is no damage.
for d in newsyntax function collation; do
	shot $d
	create $d
	case $CODE,$VERDICT in
	200,unknown) result 0 "H6: $d is kept, unjudged" ;;
	200,sound) [ $d != newsyntax ]; result $? "H6: $d is kept, sound by what can be judged" "$BODY" ;;
	*) result 1 "H6: $d is kept" "$CODE $BODY" ;;
	esac
	is "H6: $d: the copy is the file" "$(sha256 "$FILE")" "$(sha256 "$D/$d/app.db")"
	download "$ID" "$T/down"
	is "H6: $d: and can be downloaded" "$(sha256 "$T/down")" "$(sha256 "$D/$d/app.db")"
	same $d "H6, $d"
done

# Damage: said, and the copy is kept.
shot damaged
refused "damaged" damaged 422 DATABASE_DAMAGED
same damaged damaged
row=$(newest damaged)
is "damaged: its row" "$(json '"\(.status) \(.verification)"' <<<"$row")" "failed damaged"
is "damaged: the copy is kept as it is" "$(sha256 "$(json .file_path <<<"$row")")" "$(sha256 "$D/damaged/app.db")"

# H8: no checkpoint while somebody else is connected.
app_start "$D/idle/app.db"
app "PRAGMA wal_autocheckpoint=0; INSERT INTO t SELECT NULL, 'live', randomblob(400) FROM t"
shot idle
created "H8: beside an idle connection" idle
is "H8: all rows are there" "$(rows "$FILE")" 800
is "H8: log and file are as they were" "$(snap "$D/idle" | grep -v -- -shm)" "$(grep -v -- -shm <<<"$SNAP")"
app "INSERT INTO t(v) VALUES('more')"
is "H8: the application goes on" "$(sql "$D/idle/app.db" 'SELECT count(*) FROM t')" 801
app_end
finish
