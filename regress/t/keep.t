#!/bin/bash
# Which backups stay: rules, dry run, names, pins, deletion by hand, rights,
# undo, and a clock that jumps.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
LIVE=$T/live
mkdir "$LIVE"
bank() { "$TOOLS/bank" "$@" >/dev/null; }
conf() {
	daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" $1 }" \
	    "database \"till\" { path \"$LIVE/till.db\" $1 }"
}
catalog() { sqlite3 -cmd '.timeout 5000' "$BACKUP_DIR/catalog.sqlite" "$@"; }
ids() { api GET "/user?database=${1:-shop}" | jq -r '[.data[].id] | sort | join(" ")'; }
backup() { create "{\"database\":\"${1:-shop}\"${2:+,\"backup_name\":\"$2\"}}" | jq .data.id; }
quiet() { ! child worker; }
err() { api "$@" | jq -r .errorCode; }
for db in shop till; do bank "$LIVE/$db.db" -m wal -n 40 -z 1 init; done

# Twenty that look as if taken every five hours; no. 4 has a name, 6 a pin.
conf ""
daemon_start || finish
for i in $(seq 20); do
	[ "$i" = 4 ] && name="before the update" || name=
	id=$(backup shop "$name")
	[ "$id" = "$i" ] || result 1 "backup $i" "$id"
done
is "all stay without rules" "$(api POST /expire | jq -c '[.total, .data]')" "[0,[]]"
pinned=$(api POST /pin/6 | jq -c '[.success, .data.id, .data.pinned]')
is "a pin" "$pinned" '[true,6,true]'
daemon_stop
now_ms=$(($(date +%s) * 1000))
catalog "UPDATE cloud_backups SET created_ms = $now_ms - (20 - id) * 5 * 3600000;
    INSERT INTO alarms (database, kind, text, raised_ms) VALUES ('shop', 'shrunk', 'It shrank.', 1)"
# The newest of each local day, of three; the newest two; the name, the pin.
wanted() {
	catalog "SELECT id FROM cloud_backups WHERE id IN ($2) OR id > $1 UNION
	    SELECT * FROM (SELECT max(id) FROM cloud_backups GROUP BY
	    date(created_ms / 1000, 'unixepoch', 'localtime')
	    ORDER BY 1 DESC LIMIT 3) ORDER BY 1" | xargs
}
want=$(wanted 18 "4, 6")

conf "keep last 2, 3 daily"
daemon_start || finish
is "nothing goes at the start while an alarm stands" "$(ids | wc -w)" 20
api POST "/expire?dry_run=1" >"$T/dry"
is "the dry run says what would go" \
    "$(jq -r '[.data[].backup_id] | sort | join(" ")' "$T/dry")" \
    "$(comm -23 <(seq 20 | sort) <(tr ' ' '\n' <<<"$want" | sort) | sort -n | xargs)"
like "and why nothing does" "$(jq -r .frozen "$T/dry")" "*acknowledged*It shrank*"
like "each with its reason" "$(jq -c '.data[0]' "$T/dry")" '*"database":"shop","place":"local","created_at":"*","size":*,"why":"no keep rule holds it"}'
api POST /expire >"$T/frozen"
is "nor by hand" "$(jq -c '[.total, .data]' "$T/frozen") $(ids | wc -w)" '[0,[]] 20'
catalog "UPDATE alarms SET acknowledged_ms = 1"
api POST "/expire?database=shop" >"$T/done"
is "then the same goes as the dry run said" "$(jq -c .data "$T/done")" "$(jq -c .data "$T/dry")"
is "and what stays is what the rules say" "$(ids)" "$want"
is "no row without its file, no file without its row" "$(catalog_true)" ""
is "once more, nothing goes" "$(api POST /expire | jq .total)" 0
is "an event tells of each" "$(catalog "SELECT count(*) FROM events WHERE kind = 'expired' AND place = 'local'")" $((20 - $(wc -w <<<"$want")))
like "it is in the audit log" "$(catalog "SELECT who, database, result FROM audit WHERE action = 'expire' ORDER BY id DESC LIMIT 1 OFFSET 1")" "uid *|shop|done"
catalog "UPDATE cloud_backups SET created_ms = created_ms - 7 * 86400000 WHERE id = 6"
api POST /unpin/6 >"$T/out"
is "unpinned" "$(jq -c '[.data.id, .data.pinned]' "$T/out")" '[6,false]'
gone6() { [ "$(code GET /backup/6)" = 404 ]; }
ok "what is unpinned goes by itself" wait_for 5 gone6
id=$(backup)
want=$(wanted 19 4)
as_wanted() { [ "$(ids)" = "$want" ]; }
ok "a backup more, and what it replaces goes" wait_for 5 as_wanted

# One backup: what is known, and its end.
api GET /backup/4 >"$T/out"
is "GET /backup/4" "$(jq -c '.data | [.id, .backup_name, .copies[0].place, .copies[0].state, (.copies[0].size == .stored_size), .copies[0].expiring, .drill]' "$T/out")" \
    '[4,"before the update","local","completed",true,false,null]'
is "the last proven one wants force" "$(err DELETE "/backup/$id") $(code GET "/backup/$id")" "FORCE_REQUIRED 200"
api POST /pin/4 >/dev/null
is "a pinned one is not deleted" "$(err DELETE /backup/4)" BACKUP_PINNED
is "not even with force" "$(err DELETE /backup/4 -H 'Content-Type: application/json' -d '{"force":true}')" BACKUP_PINNED
api POST /unpin/4 >/dev/null
path=$(jq -r .data.file_path "$T/out")
api DELETE /backup/4 >"$T/out"
is "DELETE /backup/4" "$(jq -c .data "$T/out") $(code GET /backup/4)" '{"backup_id":4,"database":"shop","deleted":["local"],"deleting":[],"stays":[]} 404'
nok "its file is gone" test -e "$path"
is "a second time" "$(err DELETE /backup/4)" BACKUP_NOT_FOUND
is "with force, the last one goes" "$(api DELETE "/backup/$id" -H 'Content-Type: application/json' -d '{"force":true}' | jq -c .data.deleted)" '["local"]'
is "an id that is none" "$(err DELETE /backup/xyz) $(err POST /pin/0)" "BACKUP_NOT_FOUND BACKUP_NOT_FOUND"
like "methods of one path" "$(curl -s -i -X POST "$URL/backup/1")" "HTTP/1.1 405*Allow: GET, HEAD, DELETE, OPTIONS*"
like "nor DELETE elsewhere" "$(curl -s -i -X DELETE "$URL/create")" "HTTP/1.1 405*Allow: POST, OPTIONS*"
is "no web page can delete" "$(code DELETE /backup/20 -H 'Origin: http://evil.example')" 403
is "nor by another name" "$(code DELETE /backup/20 -H 'Host: evil.example')" 421
is "dry_run=2" "$(err POST '/expire?dry_run=2')" INVALID_PARAMETER

# Rights: each wants its own.
token() { "$BUILD/cloudbackupd" -f "$CONF" -T "$1" 2>/dev/null; }
read=$(token r:read) take=$(token b:read,backup) del=$(token "d:delete@till")
as() { _t=$1; shift; code "$@" -H "Authorization: Bearer $_t"; }
id=$(backup) till=$(backup till)
is "read may look only" "$(as "$read" GET "/backup/$id") $(as "$read" POST "/pin/$id") $(as "$read" DELETE "/backup/$id") $(as "$read" POST /expire)" "200 403 403 403"
is "backup may pin" "$(as "$take" POST "/pin/$id") $(as "$take" POST "/unpin/$id") $(as "$take" DELETE "/backup/$id") $(as "$take" POST /undo)" "200 403 403 403"
is "delete, of its database" "$(as "$del" POST "/unpin/$till") $(as "$del" DELETE "/backup/$id") $(as "$del" POST '/expire?database=shop') $(as "$del" POST /expire)" "200 403 403 200"

# Undo, and undo of the undo.
n() { sqlite3 "$LIVE/shop.db" 'SELECT n FROM state'; }
sqlite3 "$LIVE/shop.db" 'UPDATE state SET n = 77'
before=$(n)
is "nothing to undo" "$(err POST /undo)" NOTHING_TO_UNDO
api POST "/restore/$id" >"$T/out"
old=$(n)
safety=$(jq .data.safety_backup_id "$T/out")
[ "$old" != "$before" ] || result 1 "the restore" "$(cat "$T/out")"
api POST /undo >"$T/out"
is "undo" "$(jq -c --arg id "$id" '.data | [.backup_id, .undone.backup_id == ($id | tonumber), .method]' "$T/out") $(n)" "[$safety,true,\"live\"] $before"
api POST /undo >"$T/out"
is "undo of the undo" "$(jq -c '.data.undone.backup_id' "$T/out") $(n)" "$safety $old"
is "and again" "$(api POST /undo -H 'Content-Type: application/json' -d '{"database":"shop"}' | jq .success) $(n)" "true $before"
is "not of another database" "$(err POST '/undo?database=till')" NOTHING_TO_UNDO
# Safety backups outlast the rules, but not for ever.
for i in 1 2 3; do backup >/dev/null; done
api POST /expire >/dev/null
is "safety backups do not go by the rules" "$(api GET /user | jq '[.data[] | select(.backup_type == "system")] | length')" 4
catalog "UPDATE cloud_backups SET created_ms = created_ms - 31 * 86400000 WHERE backup_type = 'system'"
is "but by their age, apart from the one that undo needs" "$(api POST /expire | jq -r '[.data[].why] | unique | join(";")') $(api GET /user | jq -c '[.data[] | select(.backup_type == "system")] | length')" 'it is a safety backup, older than "keep safety" 1'
is "which still undoes" "$(api POST /undo | jq .success) $(n)" "true $old"
wait_for 5 quiet
is "the catalog is true" "$(catalog_true)" ""

# H22: a clock that is far ahead of the last one seen.
daemon_stop
catalog "UPDATE meta SET value = '$((now_ms - 365 * 86400000))' WHERE key = 'clock'"
conf "keep last 1"
stay=$(catalog "SELECT count(*) FROM cloud_backups")
daemon_start || finish
backup >/dev/null
api POST /expire >"$T/out"
is "the clock jumped: nothing goes" "$(jq .total "$T/out") $(catalog "SELECT count(*) FROM cloud_backups")" "0 $((stay + 1))"
like "and an alarm says so" "$(catalog "SELECT kind, text FROM alarms WHERE acknowledged_ms = 0")" "clock|The clock shows *"
catalog "UPDATE alarms SET acknowledged_ms = 1 WHERE kind = 'clock'"
is "acknowledged, they go" "$(api POST /expire | jq '.total > 3')" true
daemon_stop
is "the catalog is sound" "$(catalog_sound)" "ok"
finish
