#!/bin/bash
# A reload that changes what is kept, or where a remote is, while backups
# are being deleted or sent: nothing more goes by the old rules, and what
# got to the old place is not taken for being at the new one.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
catalog() { sqlite3 -cmd '.timeout 5000' "$BACKUP_DIR/catalog.sqlite" "$@"; }
said() { grep -c "$1" "$T/daemon.log"; }
stopped() { grep -q '^State:.T' "/proc/$1/status"; }
reload() {
	_n=$(said 'configuration read anew')
	daemon_conf "$@"
	kill -HUP "$DAEMON"
	again() { [ "$(said 'configuration read anew')" -gt "$_n" ]; }
	ok "the configuration is read" wait_for 10 again
}
"$TOOLS/bank" "$T/app.db" -m wal -n 20 -z 1 init
app() { echo "database \"app\" { path \"$T/app.db\" $* }"; }

# ---- rules ----
daemon_conf "$(app)"
start_daemon || finish
create >/dev/null
catalog "CREATE TEMP TABLE b AS SELECT b.* FROM cloud_backups b,
	(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n);
    ALTER TABLE b DROP COLUMN compression_ratio;
    CREATE TEMP TABLE c AS SELECT c.* FROM b, copies c;
    UPDATE b SET id = 10 + rowid, created_ms = created_ms - rowid * 60000, file_path = '', file_name = '';
    UPDATE c SET backup_id = 10 + rowid;
    BEGIN; INSERT INTO cloud_backups SELECT * FROM b; INSERT INTO copies SELECT * FROM c; COMMIT"
left() { catalog "SELECT count(*) FROM cloud_backups"; }
is "so many backups" "$(left)" 1501
reload "$(app keep last 1)"
some_gone() { [ "$(left)" -lt 1490 ]; }
ok "most of them go" wait_for 10 some_gone
reload "$(app keep last 2000)"
n=$(left)
ok "of $n that are left" [ "$n" -gt 100 ]
sleep 0.5
is "none goes any more" "$(left)" "$n"
daemon_stop

# ---- a remote ----
mkdir "$T/second"
remote_start || finish
FIRST=$RPORT
RPORT=$(port 7)
remote_start -d "$T/second" || finish
to() { echo "remote \"hq\" { rest \"http://127.0.0.1:$1\" }"; app 'user id "7" to "hq"'; }
BACKUP_DIR=$T/two
daemon_conf "$(to "$FIRST")"
start_daemon || finish
NETWORK=$(child network)
kill -STOP "$NETWORK"
wait_for 5 stopped "$NETWORK"
api POST /create -H 'Prefer: respond-async' >/dev/null
ok "an upload is under way" wait_for 10 grep -q 'to hq: attempt 1' "$T/daemon.log"
reload "$(to "$RPORT")"
kill -CONT "$NETWORK"
ok "that ends" wait_for 10 settled
is "it is where the remote is now" "$(ls "$T/second" | grep -c '\.sqlite$')" 1
is "whose id of it is written down" "$(catalog "SELECT remote_id FROM copies WHERE place = 'hq'").sqlite" "$(ls "$T/second" | grep '\.sqlite$')"
daemon_stop
finish
