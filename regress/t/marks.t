#!/bin/bash
# What was marked to be deleted, and must not go any more: an alarm stands,
# somebody pinned it, a job uses it, or it has become the last one.  And
# what is not touched at all: databases that are not configured any more.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
LIVE=$T/live
mkdir "$LIVE"
for db in shop till; do
	"$TOOLS/bank" "$LIVE/$db.db" -m wal -n 10 -z 1 init >/dev/null
done
conf() { daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" "$@"; }
SHOP="database \"shop\" { path \"$LIVE/shop.db\" to \"hq\" keep last 9 }"
catalog() { sqlite3 -cmd '.timeout 5000' "$BACKUP_DIR/catalog.sqlite" "$@"; }
backup() { create "{\"database\":\"${1:-shop}\"}" | jq .data.id; }
doom() { catalog "UPDATE copies SET doomed_ms = 1, doomed_why = '${2:-a rule}' WHERE place = 'local' AND backup_id IN ($1)"; }
here() { catalog "SELECT group_concat(backup_id, ' ') FROM (SELECT backup_id FROM copies WHERE place = 'local' AND state = 'completed' ORDER BY backup_id)"; }
marked() { catalog "SELECT count(*) FROM copies WHERE doomed_ms > 0"; }
is_here() { [ "$(here)" = "$1" ]; }
none_marked() { [ "$(marked)" = 0 ]; }
up() { daemon_start || finish; }
remote_start || finish

# Alone here: no remote has any.
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" keep last 9 }"
up
for i in 1 2 3 4; do backup >/dev/null; done
daemon_stop
doom "1, 2, 3, 4"
up
ok "of four that are all marked the newest stays" wait_for 5 is_here 4
ok "and has no mark any more" wait_for 5 none_marked
ok "with its file" test -f "$(catalog "SELECT file_path FROM cloud_backups WHERE id = 4")"
is "what was marked is not what a forced deletion counts on" "$(api DELETE /backup/4 | jq -r .errorCode)" FORCE_REQUIRED

backup >/dev/null; backup >/dev/null; backup >/dev/null	# 5 6 7
daemon_stop
doom "4, 5"
catalog "INSERT INTO alarms (database, kind, text, raised_ms) VALUES ('shop', 'shrunk', 'It shrank.', 1)"
doom 6 "somebody deleted it by hand"
chmod g+w "$(catalog "SELECT file_path FROM cloud_backups WHERE id = 4")"
up
ok "an alarm holds what was marked, not what somebody deleted" wait_for 5 is_here "4 5 7"
sleep 0.3
is "for as long as it stands" "$(here) $(marked)" "4 5 7 2"
api POST /pin/4 >/dev/null
chmod g-w "$(catalog "SELECT file_path FROM cloud_backups WHERE id = 4")"
is "it is acknowledged" "$(api POST /acknowledge | jq -r .success)" true
ok "then they go, but for what was pinned" wait_for 5 is_here "4 7"
ok "and that is not marked any more" wait_for 5 none_marked
daemon_stop

# Undo never takes back another restore than the last one.
up
api POST /restore/4 >/dev/null
first=$(catalog "SELECT safety_id FROM restores ORDER BY id DESC LIMIT 1")
api POST /restore/7 >/dev/null
last=$(catalog "SELECT safety_id FROM restores ORDER BY id DESC LIMIT 1")
is "two restores" "$((last - first))" 1
api DELETE "/backup/$last" -H 'Content-Type: application/json' -d '{"force":true}' >/dev/null
is "what the last one replaced was deleted: nothing is undone" "$(api POST /undo | jq -r .errorCode)" NOTHING_TO_UNDO

# What waits for a remote that the database does not name any more is sent
# all the same, and stays until then; what waits for none does not.
daemon_stop
remote_stop
conf "$SHOP"
up
w=$(backup)
daemon_stop
conf "database \"shop\" { path \"$LIVE/shop.db\" keep last 1 to \"other\" }" "remote \"other\" { rest \"http://127.0.0.1:$RPORT\" }"
up
n=$(backup); n=$(backup)
api POST /expire >/dev/null
like "what another remote waits for stays" " $(here) " "* $w *"
daemon_stop
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" keep last 1 }"
up
n=$(backup)
gone_from_here() { case " $(here) " in *" $w "*) false ;; esac; }
ok "until it is not configured" wait_for 5 gone_from_here
is "and nothing says that it will be sent" "$(catalog "SELECT count(*) FROM copies WHERE backup_id = $w")" 0
daemon_stop

# Not configured any more, or as a pattern now: nothing of it goes.
before=$(here)
doomed=$(catalog "SELECT count(*) FROM copies WHERE doomed_ms <> 0")
daemon_conf "database \"till\" { path \"$LIVE/till.db\" keep last 1 }" \
    "database \"shop\" { path \"$LIVE/no*.db\" keep last 1 }"
up
like "a pattern of the same name is no database" "$(api POST "/expire?database=shop" | jq -r .errorCode)" DATABASE_UNKNOWN
api POST /expire >/dev/null
backup till >/dev/null
sleep 0.3
like "all that there was of it stays" "$(here) " "$before *"
is "and nothing is marked" "$(catalog "SELECT count(*) FROM copies WHERE doomed_ms <> 0")" "$doomed"
is "the catalog is true" "$(catalog_true)" ""
daemon_stop
is "and sound" "$(catalog_sound)" ok
finish
