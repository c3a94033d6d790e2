#!/bin/bash
# What counts as a change (H9).  The schedule's clock is a file's; time stamps
# of files are real, so that what is written here is made older than the
# margin of "too recent to tell".
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
export TZ=Europe/Berlin
ROOT=$([ "$(id -u)" = 0 ] && echo 1)
mkdir "$T/d"
# bank FILE [MODE]: a database that nobody has open.
bank() { "$TOOLS/bank" "$1" -m "${2:-wal}" -n 20 init >/dev/null; }
give() { [ -z "$ROOT" ] || chown -R daemon: "$T/d"; }
bank "$T/d/shop.db"
bank "$T/d/del.db" delete
give
db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
count() { db "SELECT count(*) FROM cloud_backups WHERE database = '$1'"; }
went() { db "SELECT result FROM databases WHERE name = '$1'"; }
slot() { db "SELECT strftime('%Y-%m-%dT%H:%MZ', slot_ms / 1000, 'unixepoch') FROM databases WHERE name = '$1'"; }
at_slot() { [ "$(slot "$1")" = "$2" ]; }
ran() { at_slot "$1" "$2" && [ "$(went "$1")" = "$3" ]; }
settle() { sleep 2.1; }			# older than the margin

daemon_conf "database \"shop\" { path \"$T/d/shop.db\" at 03:30 jitter 0s }
database \"del\" { path \"$T/d/del.db\" every 15m jitter 0s }"
settle
clock_set "2027-03-26 12:00:00"
start_daemon
wait_for 5 ran shop 2027-03-26T02:30Z completed
wait_for 5 ran del 2027-03-26T11:00Z completed

again() {				# again DATABASE SECONDS RESULT COUNT WHAT
	local before=$(slot $1)
	clock_add $2
	wait_for 5 eval "[ \"\$(slot $1)\" != $before ]"
	is "$5" "$(went $1) $(count $1)" "$3 $4"
}
settle
again del 900 unchanged 1 "rollback journal: nothing written, nothing copied"
size=$(stat -c %s "$T/d/del.db")
touch -d '2020-01-01' "$T/ref"
sqlite3 "$T/d/del.db" "UPDATE accounts SET balance = balance WHERE id = 1" 2>/dev/null ||
    sqlite3 "$T/d/del.db" "PRAGMA user_version = 7"
touch -r "$T/ref" "$T/d/del.db"; settle
is "the size stays" "$(stat -c %s "$T/d/del.db")" "$size"
again del 900 completed 2 "a change whose mtime was put back is seen by the ctime"
again del 900 unchanged 2 "and then rests"
cp "$T/d/del.db" "$T/d/copy"; touch -r "$T/d/del.db" "$T/d/copy"; mv "$T/d/copy" "$T/d/del.db"; give; settle
again del 900 completed 3 "another file of the same content is another"

# WAL: the database's own file stays as it is; somebody has it open.
mkfifo "$T/in"
sqlite3 "$T/d/shop.db" <"$T/in" >/dev/null & SQ=$!; PIDS="$PIDS $SQ"
exec 8>"$T/in"
echo "PRAGMA wal_autocheckpoint = 0; CREATE TABLE w(a); INSERT INTO w VALUES (1);" >&8
wait_for 5 test -s "$T/d/shop.db-wal"; give
sum=$(sha256 "$T/d/shop.db"); settle
again shop 86400 completed 2 "what is only in the -wal is a change"
is "the file itself was not written" "$(sha256 "$T/d/shop.db")" "$sum"
again shop 86400 unchanged 2 "and rests, with the -wal there"
wal=$(stat -c %s "$T/d/shop.db-wal")
echo "INSERT INTO w VALUES (2);" >&8; wait_for 5 eval "[ \$(stat -c %s '$T/d/shop.db-wal') != $wal ]"; settle
again shop 86400 completed 3 "one frame more is a change"
echo "INSERT INTO w VALUES (3);" >&8; sleep 0.2
again shop 86400 completed 4 "what was written just now"
again shop 86400 completed 5 "is too recent to tell: copied once more"
settle
again shop 86400 completed 6 "until the copy was taken of what is old"
again shop 86400 unchanged 6 "then not any more"
echo ".quit" >&8; exec 8>&-; wait $SQ 2>/dev/null

# By hand always; a backup that is gone or failed does not stand for it.
settle
again shop 86400 completed 7 "closing it has changed the files"
create '{"database":"shop"}' >"$T/o"
is "by hand there is always one" "$(count shop)" 8
again shop 86400 unchanged 8 "which counts for the schedule"
db_write() { sqlite3 "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "PRAGMA foreign_keys = ON" "$@"; }
db_write "DELETE FROM cloud_backups WHERE id = (SELECT signature_id FROM databases WHERE name = 'shop')"
again shop 86400 completed 8 "the backup was deleted: another is made"
db_write "UPDATE copies SET state = 'failed' WHERE backup_id = (SELECT signature_id FROM databases WHERE name = 'shop')"
again shop 86400 completed 9 "it failed: another is made"
db_write "UPDATE cloud_backups SET verdict = '' WHERE id = (SELECT signature_id FROM databases WHERE name = 'shop')"
again shop 86400 completed 10 "it is not proven: another is made"
again shop 86400 unchanged 10 "that stands"
rm "$(db "SELECT file_path FROM cloud_backups WHERE id = (SELECT signature_id FROM databases WHERE name = 'shop')")"
again shop 86400 completed 11 "somebody removed its file: another is made"
# A restore of ours changes the file, even to what it was.
id=$(db "SELECT signature_id FROM databases WHERE name = 'shop'")
api POST "/restore/$id" >/dev/null; settle
again shop 86400 completed 13 "restored: another is made"

daemon_stop
finish
