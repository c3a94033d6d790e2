#!/bin/bash
# Restores where nothing is as it should be: no file, a file that is none, a
# file in use that has lost its name (H12, H13, D15).
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

blocks=()
new() { mkdir "$D/$1"; own "$D/$1"; blocks+=("$(database "$1" "$D/$1/app.db" 'lock timeout 2s')"); }
for n in gone walgone stale used garbage walgarbage empty hot secret link cookie; do new $n; done
mkdir "$D/rich"; blocks+=("$(database rich "$D/rich/app.db")")
daemon_with "${blocks[@]}" || exit 1
# made NAME BANK-OPTIONS: a database with n = 5 and a backup of it in $ID,
# then n = 6.
made() {
	F=$D/$1/app.db
	bank "$F" -n 100 "${@:2}" init
	sql "$F" "UPDATE state SET n = 5"
	taken "$1" || return 1
	sql "$F" "UPDATE state SET n = 6"
}
noise() { dd if=/dev/urandom of="$1" bs=512 count=$(($2 / 512)) conv=notrunc status=none; }
tidy() { is "$1: nothing unfinished is left" "$(find "$BACKUP_DIR" -name '.tmp-*'; find "$D" -name '*cloudbackupd*')" ""; }
# kept ID [SUFFIX]: the file of a safety backup, or what stood beside it.
kept() { echo "$(find "$BACKUP_DIR" -name "*-$1.sqlite$2")"; }

# An ordinary user's daemon can't look into all processes, and says so.
needed=
is_root || needed='{"force": true}'

# ---- no file ----
made gone -z 1
chmod 640 "$F"
taken gone
before=$(stat -c '%U:%G %a' "$F")
rm "$F"
restored "a database that is gone" "$ID" "$needed" replace
is "owner, group and mode are those of the backup" "$(stat -c '%U:%G %a' "$F")" "$before"
is "no safety backup: there was nothing" "$SAFETY" ""
is "its content" "$(field "$F") $(mode "$F") $(ls "$D/gone")" "6 delete app.db"
sound "$F" "the database that was gone"
restored "and then a live one again" "$ID"
tidy gone

made walgone -m wal
rm "$F"*
restored "one that was in WAL mode" "$ID" "$needed" replace
is "is in WAL mode again" "$(mode "$F") $(sql "$F" 'PRAGMA journal_mode; SELECT n FROM state' | tr '\n' ' ')" "wal wal 5 "
sound "$F" "the WAL database that was gone"

# As root with another owner, in a directory that is not his.
if is_root; then
	F=$D/rich/app.db
	"$T/bin/bank" "$F" -n 100 init
	chown backup: "$F" "$D/rich"; chmod 604 "$F"
	create rich; rich=$ID
	rm "$F"
	restored "one of another owner" "$rich" "" replace
	is "is his again" "$(stat -c '%U:%G %a' "$F")" "backup:backup 604"
	# H7: a group that he could not have given it himself.
	chown backup:games "$F"
	create rich
	rm "$F"
	not_restored "one of a group of which he is no member" "$ID" 500 PERMISSION_DENIED
	is "nothing is left there" "$(ls -A "$D/rich")" ""
fi

# What a crash left beside the name must not meet the new content.
made stale
rm "$F"
for s in wal shm journal; do head -c 20000 /dev/urandom >"$F-$s"; cp "$F-$s" "$T/stale-$s"; done
own "$F"-*
restored "beside stale -wal, -shm and -journal" "$ID" "$needed" replace
is "they are gone" "$(ls "$D/stale")" app.db
sound "$F" "what came beside them"
is "its content" "$(field "$F")" 5
for s in wal journal; do
	ok "their bytes are kept: -$s" cmp "$T/stale-$s" "$(find "$BACKUP_DIR/stale" -name "*-$s.raw")"
done
is "in an entry that says so" "$(get '/user?database=stale' | jq -r '.data[0] | "\(.status) \(.backup_type) \(.error)"' | grep -c '^failed system .*kept')" 1

# Gone, and still in use.
made used
hold "$F" shared
rm "$F"
not_restored "H13: removed, while a process has it open" "$ID" 409 DATABASE_OPEN
like "names it" "$BODY" "*process $HOLDER *"
not_restored "H13: not even with force" "$ID" 409 DATABASE_OPEN '{"force": true}'
is "nothing appeared there" "$(ls -A "$D/used")" ""
let_go
restore "$ID"
if is_root; then
	is "H13: when it has ended it works" "$CODE $METHOD" "200 replace"
else
	is "H13: an ordinary user can't look into all" "$CODE $ERR" "409 FORCE_REQUIRED"
	restored "H13: with force it works" "$ID" '{"force": true}' replace
fi
tidy used

# ---- a file that is none ----
made garbage
noise "$F" 4096
cp "$F" "$T/noise"
not_restored "H12: garbage, nobody has it open" "$ID" 409 FORCE_REQUIRED
ok "H12: stays as it is" cmp "$F" "$T/noise"
is_root && method=replace || method=live
restored "H12: with force" "$ID" '{"force": true}' $method
ok "H12: what was there is kept to the byte" cmp "$(kept "$SAFETY")" "$T/noise"
is "H12: as what it is" "$(backup "$SAFETY" | jq -r '"\(.status) \(.verification) \(.backup_type)"')" "failed damaged system"
is "H12: the content" "$(field "$F")" 5
sound "$F" "garbage"
tidy garbage

# Somebody has it open, in WAL mode, with commits in the -wal.
F=$D/walgarbage/app.db
bank "$F" -m wal -n 100 init
taken walgarbage
mkfifo "$T/in"; chmod 666 "$T/in"
SPAWN_OUT=$T/reading spawn_owned sh -c "exec sqlite3 '$F' <'$T/in'"
reader=$SPAWNED
exec 8>"$T/in"
echo "PRAGMA wal_autocheckpoint=0; UPDATE state SET n = 5; SELECT 'then', n FROM state;" >&8
wait_for 10 grep -q 'then|5' "$T/reading"
noise "$F" 512
cp "$F" "$T/noise"; cp "$F-wal" "$T/noise-wal"
inode=$(stat -c %i "$F")
not_restored "H12: garbage that somebody has open" "$ID" 409 FORCE_REQUIRED
ok "H12: stays as it is" cmp "$F" "$T/noise"
restored "H12: with force, under him" "$ID" '{"force": true}' live
ok "H12: what was there is kept to the byte" cmp "$(kept "$SAFETY")" "$T/noise"
ok "H12: and its -wal" cmp "$(kept "$SAFETY" -wal.raw)" "$T/noise-wal"
is "H12: the same inode" "$(stat -c %i "$F")" "$inode"
echo "SELECT 'now', n FROM state; UPDATE state SET n = 9 RETURNING 'wrote', n;" >&8
ok "H12: he goes on" wait_for 10 grep -q 'wrote|9' "$T/reading"
is "H12: from the restored content" "$(grep now "$T/reading")" "now|0"
echo .quit >&8; exec 8>&-; gone 5 "$reader"; wait "$reader"
is "H12: and what he wrote is there" "$(field "$F")" 9
sound "$F" "garbage in use"

# The schema cookie is not one that anybody could have cached.
made cookie
cookies=
for i in 1 2; do
	hold "$F" shared; noise "$F" 4096; let_go
	[ $i = 1 ] || spawn_owned sleep 300 <"$F"
	restore "$ID" '{"force": true}'
	cookies="$cookies $(sql "$F" 'PRAGMA schema_version')"
done
set -- $cookies
ok "H12: schema cookies by chance: $*" test "$1" -gt 1 -a "$2" -gt 1 -a "$1" != "$2"

# ---- others ----
made empty
: >"$F"
restored "a live file of 0 bytes" "$ID"
is "its content" "$(field "$F") $(ls "$D/empty")" "5 app.db"
sound "$F" "what was empty"

made hot
good=$ID
rm "$F"; mkdb hotjournal "$F"
inode=$(stat -c %i "$F")
restored "with a hot journal beside it" "$good"
is "it is rolled back first, and that is what is kept" "$(rows "$(kept "$SAFETY")") $(backup "$SAFETY" | jq -r .status)" "2000 completed"
is "then replaced" "$(field "$F") $(ls "$D/hot") $(stat -c %i "$F")" "5 app.db $inode"
sound "$F" "what had a hot journal"

# Encrypted by what we have no key of: no byte is plain.
made secret
openssl enc -aes-256-ctr -pass pass:x -pbkdf2 -nosalt -in "$F" -out "$T/secret"
cat "$T/secret" >"$F"
not_restored "what may be encrypted" "$ID" 409 FORCE_REQUIRED
like "says so" "$BODY" "*encrypted*"
ok "it is not touched" cmp "$F" "$T/secret"
restored "with force" "$ID" '{"force": true}' $method
ok "and what was encrypted is kept" cmp "$(kept "$SAFETY")" "$T/secret"

made link
mv "$F" "$D/link/real.db"
ln -s real.db "$F"; own "$F"
before=$(sha256sum "$D/link/real.db")
not_restored "a symbolic link in its place" "$ID" 422 UNSAFE_PATH
not_restored "not with force either" "$ID" 422 UNSAFE_PATH '{"force": true}'
is "what it points to is not touched" "$(sha256sum "$D/link/real.db") $(readlink "$F")" "$before real.db"
rm "$F"; mv "$D/link" "$D/elsewhere"; ln -s elsewhere "$D/link"; own "$D/link"
not_restored "a link in the place of its directory" "$ID" 422 UNSAFE_PATH '{"force": true}'
is "nothing was put there" "$(ls "$D/elsewhere")" real.db
tidy "all this"

# ---- an ordinary user, who can't look into all processes ----
if is_root; then
	daemon_stop; DAEMON=
	mkdir "$T/his"; own "$T/his"
	PORT=$(port) BACKUP_DIR=$T/his/backups
	mkdir "$D/his"; own "$D/his"
	daemon_conf "$(database his "$D/his/app.db")"
	sed -i '/^user /d' "$CONF"
	SPAWN_OUT=$T/his.log spawn_owned "$BUILD/cloudbackupd" -d -v -f "$CONF"
	DAEMON=$SPAWNED
	wait_for 10 answers || { result 1 "an ordinary user's daemon starts" "$(tail -5 "$T/his.log")"; finish; }
	made his
	# The rights of others: root has none on another's daemon but by uid 0.
	rm "$F"
	not_restored "H13: an ordinary user's daemon, and no file" "$ID" 409 FORCE_REQUIRED
	is "nothing appeared" "$(ls -A "$D/his")" ""
	restored "H13: with force" "$ID" '{"force": true}' replace
	is "it is back" "$(field "$F") $(stat -c %U "$F")" "5 $OWNER"
	noise "$F" 4096
	restored "H13: garbage that others may have open is overwritten in place" "$ID" '{"force": true}' live
	sound "$F" "an ordinary user's"
fi
finish
