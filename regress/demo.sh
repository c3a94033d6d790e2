#!/bin/bash
# The main job, shown: a database that an application writes to all the
# time, a remote server on loopback, and the daemon between them.  All
# output is real; everything ends and goes when this does.
. "$(dirname "$0")/lib.sh"
ROOT=$([ "$(id -u)" = 0 ] && echo 1)
APP=$T/app			# the application's own directory
DB=$APP/shop.sqlite
mkdir "$APP"
cp "$TOOLS/bank" "$TOOLS/mkdb" "$T"	# where any user can run them

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }
indent() { sed "s,$T/app/,,g; s,$T/,,g; s,$BUILD/,,g; s/^/    /"; }
# show TEXT [COMMAND]: the command line, as one would type it, and what it
# really prints.
show() {
	printf '  $ %s\n' "$1"
	eval "${2:-$1}" 2>&1 | indent
	return "${PIPESTATUS[0]}"
}
die() { printf '\nThe demo failed: %s\n' "$*" >&2; tail -20 "$T/daemon.log" >&2; exit 1; }
check() { if [ "$2" = "$3" ]; then echo "    same: $1"; else die "$1: $2 is not $3"; fi; }
# Started by root, the application is www-data, as it would be in life.
AS=()
[ -z "$ROOT" ] || AS=(setpriv --reuid www-data --regid www-data --clear-groups)
sql() { "${AS[@]}" sqlite3 -cmd '.timeout 5000' "$DB" "$1"; }
orders() { sqlite3 -readonly "file:$1?immutable=1" 'SELECT * FROM orders' | sha256 -; }
# The live one is read through its own -wal, as the application reads it.
orders_live() { sql 'SELECT * FROM orders' | sha256 -; }
field() { json "$1" <"$T/answer"; }
# call [CURL-OPTIONS] PATH FILTER: shows the call and its answer.
call() {
	local filter=${*: -1} path=${*: -2:1}
	set -- "${@:1:$#-2}"
	printf '  $ curl -s %s%s\n' "${*:+$* }" "localhost:$PORT/api/cloud-backup$path"
	curl -s -m 60 "$@" "http://localhost:$PORT/api/cloud-backup$path" >"$T/answer" || die "curl $path"
	jq -c "$filter" "$T/answer" | sed 's/^/    /'
}

say "A shop's database in WAL mode, and the shop's application, which moves money in it 200 times a second"
[ -z "$ROOT" ] || chown www-data:www-data "$APP"
"${AS[@]}" "$T/bank" "$DB" -m wal -n 1000 -z 48 init || die "no database"
sql "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total INTEGER);
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 5000)
INSERT INTO orders SELECT n, 'customer ' || n % 700, n * 7919 % 10000 FROM i"
"${AS[@]}" "$T/bank" "$DB" -r 200 run >"$T/bank.out" 2>&1 &
BANK=$!
PIDS="$PIDS $BANK"
cd "$APP" || exit 1
show "sqlite3 shop.sqlite .tables" "sql .tables"
show "ls -s --block-size=M"
show "ps -o user,pid,args" "ps -o user:10,pid,args $BANK"

say "A remote server, and the daemon with this configuration"
remote_start || die "the remote does not start"
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"shop\" { path \"$DB\" lock timeout 3s }"
sed 's/^/    /' "$CONF"
daemon_start >/dev/null || die "the daemon does not start"
show "ps -o user,pid,args" "ps -o user:10,pid,args --ppid $DAEMON --pid $DAEMON"
call /health .data

say "Back it up, while the application goes on"
BEFORE=$(sql 'SELECT n FROM state')
call -X POST /create '.message, (.data | {id, status, file_size, checksum, lock_held_ms, verification, locations})'
AFTER=$(sql 'SELECT n FROM state')
ID=$(field .data.id) SUM=$(field .data.checksum)
[ "$(field .data.status)" = completed ] || die "the backup is not completed"
echo "    The application committed $((AFTER - BEFORE)) transactions meanwhile."

say "What there is"
call /user '{total, source}, (.data[] | {id, backup_name, status, locations})'
call /stats .data

say "The same by the administrator's tool"
ctl() { show "cloudbackupctl $*" "$BUILD/cloudbackupctl -u http://localhost:$PORT $*"; }
ctl list || die "the list"
ctl status || die "the status"

say "Download it, and compare: bytes, b-trees, and what is in it"
show "curl -s -o copy.sqlite localhost:$PORT/api/cloud-backup/download/$ID" || die "the download"
show "sha256sum copy.sqlite remote/*" "sha256sum copy.sqlite $T/remote/*.sqlite"
check "the download's SHA-256 and the checksum of the catalog" "sha256:$(sha256 copy.sqlite)" "$SUM"
check "the remote's copy" "sha256:$(sha256 "$T"/remote/*.sqlite)" "$SUM"
check "the orders in the copy and in the live database" "$(orders "$APP/copy.sqlite")" "$(orders_live)"
show "bank copy.sqlite check      # is all the money there, are the b-trees sound?" \
    "$T/bank copy.sqlite check" || die "the copy is not one state of the database"

if [ "$(curl -s -o /dev/null -w '%{http_code}' "$URL/check-locks")" != 404 ]; then
	say "Somebody forgets a WHERE; restore, while the application goes on"
	GOOD=$(orders "$APP/copy.sqlite")
	OOPS="DELETE FROM orders; UPDATE accounts SET balance = 0"
	show "sqlite3 shop.sqlite '$OOPS'" "sql '$OOPS'" || die "the damage"
	INODE=$(stat -c %i "$DB")
	call -X POST "/restore/$ID" '.message, .data'
	[ "$(field .success)" = true ] || die "the restore"
	check "the orders now and in the backup" "$(orders_live)" "$GOOD"
	check "the file's inode before and after" "$(stat -c %i "$DB")" "$INODE"
	alive "$BANK" || die "the application ended: $(cat "$T/bank.out")"
	BEFORE=$(sql 'SELECT n FROM state'); sleep 0.5; AFTER=$(sql 'SELECT n FROM state')
	[ "$AFTER" -gt "$BEFORE" ] || die "the application does not go on"
	show "bank shop.sqlite sum        # is all the money back?" \
	    '"${AS[@]}" "$T/bank" "$DB" sum' || die "money is missing"
	echo "    The application was not restarted, and has committed $((AFTER - BEFORE)) more in half a second."

	say "A writer holds a lock: who is in the way?"
	"${AS[@]}" "$T/mkdb" locker "$DB" immediate 30 >"$T/locker.out" 2>&1 &
	PIDS="$PIDS $!"
	wait_for 10 test -s "$T/locker.out" || die "no lock"
	call /check-locks '.message, (.data.processes[] | select(.mode == "write"))'
	call -X POST "/restore/$ID" .
	[ "$(field .errorCode)" = DATABASE_LOCKED ] || die "the restore did not say that the database is locked"
fi

say "The application's own view: transactions, how often it was turned away, and the longest it waited"
kill -TERM "$BANK" && gone 5 "$BANK"
indent <"$T/bank.out"

cd /
trap - EXIT
cleanup
say "All is ended and removed: the application, the remote, the daemon, $T"
