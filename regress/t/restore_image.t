#!/bin/bash
# What is restored, and when it is not: only an image that is proven to be
# what was stored, of this database, and only when the lock is to be had in
# time.  Whatever is refused leaves the database as it was.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

place() { mkdir -p "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }
# shot NAME; same NAME WHAT: the files of a database, and its backups.
# A -shm or an empty -wal may come and go with those who have it open.
shot() { SHOT=$(cd "$D/$1" && sha256sum app.db; who "$D/$1/app.db"; ls "$D/$1" | grep -v -e -shm -e -wal); }
same() {
	is "$2: nothing was changed" "$(cd "$D/$1" && sha256sum app.db; who "$D/$1/app.db"; ls "$D/$1" | grep -v -e -shm -e -wal)" "$SHOT"
	is "$2: nothing unfinished is left" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
}
count() { get /user | jq '.data | length'; }
flip() { printf '\125' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# ---- the image ----

remote_start || exit 1
f=$(place app); bank "$f" -m wal -z 2 init
g=$(place other); bank "$g" init
h=$(place hurt); mkdb damaged "$h"
l=$(place lock); bank "$l" -z 1 init
w=$(place wlock); bank "$w" -m wal -z 1 init
conf() {
	daemon_with "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
	    "$(database app "$f" 'to "hq"')" "$(database other "$g")" \
	    "$(database hurt "$h")" "$(database lock "$l" 'lock timeout 1s')" \
	    "$(database wlock "$w" 'lock timeout 1s')" || exit 1
}
conf
sql "$f" "UPDATE state SET n = 11"
taken app; first=$ID file=$FILE
remote_id=$(jq -r .data.remote_backup_id <<<"$BODY")
sql "$f" "UPDATE state SET n = 12"
restored "a backup, by its number" "$first"
is "it is back" "$(field "$f")" 11
like "the answer says what was restored" "$(jq -r '.data | "\(.backup_id) \(.size) \(.checksum) \(.restored_at) \(.duration_ms)"' <<<"$BODY")" \
    "$first $(stat -c %s "$file") sha256:$(sha256 "$file") 20*Z [0-9]*"
sql "$f" "UPDATE state SET n = 12"
restored "with an empty object as the body" "$first" '{}'
restored "with the force that it does not need" "$first" '{"force": true, "user_id": 7}'
not_restored "a number that there is none of" 4711 404 BACKUP_NOT_FOUND
not_restored "a database that is not configured" "$first" 404 DATABASE_UNKNOWN '{"database": "nix"}'
not_restored "a force that is none" "$first" 400 INVALID_PARAMETER '{"force": "yes"}'

# By the remote's id: known, with and without the local file.
sql "$f" "UPDATE state SET n = 13"
restored "by the remote's id" "$remote_id"
is "it is back, too" "$(field "$f") $(jq .data.backup_id <<<"$BODY")" "11 $first"
mv "$file" "$T/aside"
sql "$f" "UPDATE state SET n = 14"
restored "when the local file is gone: from the remote" "$first"
is "it came from there" "$(field "$f") $(grep -c "GET .*download/$remote_id" "$T/remote/requests.log")" "11 1"
restored "by remote: and the remote's id" "remote:$remote_id"
cp "$T/remote/$remote_id.sqlite" "$T/sent"
flip "$T/remote/$remote_id.sqlite" 700000
sql "$f" "UPDATE state SET n = 15"; shot app
not_restored "the remote gives other bytes than it was given" "$first" 422 INVALID_BACKUP
same app "other bytes"
cp "$T/sent" "$T/remote/$remote_id.sqlite"
remote_stop
not_restored "the remote is away, and there is no local file" "$first" 502 REMOTE_UNAVAILABLE
same app "no remote"
mv "$T/aside" "$file"
restored "with the local file it works" "$first"
remote_start

# To a daemon whose catalog is empty it is a stranger's.
daemon_stop; DAEMON=
BACKUP_DIR=$T/second
conf
sql "$f" "UPDATE state SET n = 16"; shot app
not_restored "the remote's id, unknown to the catalog" "$remote_id" 409 FORCE_REQUIRED
like "says so" "$BODY" '*unauthenticated*'
same app "unknown"
restored "with force" "$remote_id" '{"force": true}'
is "it is there" "$(field "$f") $(jq -c '[.data.backup_id, .data.safety_backup_id > 0]' <<<"$BODY")" "11 [\"$remote_id\",true]"
cp "$h" "$T/remote/$remote_id.sqlite"
shot app
printf 'no database at all' >"$T/remote/$remote_id.sqlite"
not_restored "what is no database, even with force" "$remote_id" 422 INVALID_BACKUP '{"force": true}'
same app "no database"
cp "$T/sent" "$T/remote/$remote_id.sqlite"
daemon_stop; DAEMON=
BACKUP_DIR=$T/backups
conf

# The local bytes.
flip "$file" 700000
sql "$f" "UPDATE state SET n = 17"
restored "one byte of the artifact is another: the remote is asked" "$first"
is "and it says so" "$(jq -r .data.served_by <<<"$BODY") $(field "$f")" "hq 11"
mv "$T/remote/$remote_id.sqlite" "$T/sent"
sql "$f" "UPDATE state SET n = 17"; shot app
before=$(count)
not_restored "nor has the remote what it was" "$first" 404 BACKUP_NOT_FOUND
same app "another byte"
not_restored "nor with force" "$first" 404 BACKUP_NOT_FOUND '{"force": true}'
is "no safety backup was made of it" "$(count)" "$before"
mv "$T/sent" "$T/remote/$remote_id.sqlite"
truncate -s -4096 "$file"
restored "a file that is too short is not used: the remote has it" "$first"

# A backup of a damaged database is kept, and restored only with force.
create hurt
is "a damaged database" "$CODE $ERR" "422 DATABASE_DAMAGED"
damaged=$(jq .backup_id "$T/body")
shot hurt
not_restored "its backup" "$damaged" 422 INVALID_BACKUP
like "says that it is damaged" "$BODY" '*is damaged*'
same hurt "a damaged backup"
restored "with force" "$damaged" '{"force": true}'
is "what was replaced was damaged, and is kept as that" "$(backup "$SAFETY" | jq -r '"\(.status) \(.verification) \(.file_path != null)"')" "failed damaged true"

# Backups that never were.
hold "$l" exclusive
create lock
is "a backup that fails" "$CODE $ERR" "423 DATABASE_LOCKED"
let_go
shot lock
not_restored "has nothing to restore" "$(get '/user?database=lock' | jq '.data[0].id')" 422 INVALID_BACKUP
same lock "a failed backup"
hold "$l" exclusive
ANSWER=$T/late create lock & late=$!
running() { [ "$(get '/user?database=lock' | jq -r '.data[0].status')" = pending ]; }
wait_for 5 running
not_restored "nor has one that is not completed yet" "$(get '/user?database=lock' | jq '.data[0].id')" 422 INVALID_BACKUP
like "says that" "$BODY" '*not completed yet*'
let_go
wait $late

# Of another database.
taken other; stranger=$ID
shot app
not_restored "a backup of another database" "$stranger" 409 FORCE_REQUIRED '{"database": "app"}'
same app "another database's"
restored "with force" "$stranger" '{"database": "app", "force": true}'
is "the database is the other's content" "$(sql "$f" 'SELECT count(*) FROM ballast')" "$(sql "$g" 'SELECT count(*) FROM ballast')"
is "and stays in WAL mode" "$(mode "$f")" wal
restored "undone" "$SAFETY"
sound "$f" "after all that"

# ---- the lock ----

# locked NAME KIND LOCK WHAT: 423 in time, naming who holds what.
locked() {
	local f=$D/$1/app.db t0 ms before
	before=$(count)
	shot "$1"
	hold "$f" "$2"
	t0=$(date +%s%N)
	not_restored "$4" "$ID" 423 DATABASE_LOCKED
	ms=$((($(date +%s%N) - t0) / 1000000))
	ok "$4: within its time: $ms ms" test $ms -ge 900 -a $ms -lt 4000
	if [ "$(id -u)" = 0 ] || [ "$3" != - ]; then
		like "$4: names who and what" "$(jq -r .error <<<"$BODY")" "*process $HOLDER (mkdb, user $(id -un $OWNER)) holds *$3*"
	fi
	let_go
	same "$1" "$4"
	is "$4: no safety backup was made" "$(count)" "$before"
}
# What -wal there was is one that a restore needs not touch: none.
taken lock
sql "$l" "UPDATE state SET n = 3"
locked lock immediate RESERVED "a writer"
locked lock exclusive EXCLUSIVE "an exclusive transaction"
locked lock shared SHARED "a reader, in rollback mode"
restored "when nobody is in the way it works" "$ID"
taken wlock
sql "$w" "UPDATE state SET n = 3"
locked wlock walwrite WRITE "a writer, in WAL mode"
locked wlock exclusive EXCLUSIVE "locking_mode=EXCLUSIVE, in WAL mode"
hold "$w" walread
restored "a reader in WAL mode is not in the way" "$ID"
let_go
sound "$w" "WAL mode"

# Time waited counts, not only the limit: a lock that goes is waited for.
hold "$l" immediate
taken=$(get '/user?database=lock' | jq '[.data[] | select(.status == "completed" and .backup_type == "manual")][0].id')
ANSWER=$T/patient restore "$taken" & patient=$!
sleep 0.5
let_go
wait $patient
is "a lock that is let go in time" "$(jq -r .data.method "$T/patient")" live
finish
