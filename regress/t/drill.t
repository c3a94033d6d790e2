#!/bin/bash
# Drills: a backup is had again from where it would be after the loss of
# this machine, and compared with what was captured; and what was sent is
# read back.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
command -v age-keygen >/dev/null || skip_all "no age-keygen"
R=$T/remote

verify() { api POST "/verify/$1" "${@:2}"; }
detail() { api GET "/backup/$1" | jq -r "$2"; }
row() { sqlite3 "$BACKUP_DIR/catalog.sqlite" "$1"; }
events() { row "SELECT count(*) FROM events WHERE kind = '$1'"; }
object() { echo "$R/$(detail "$1" .data.remote_backup_id).sqlite"; }

DB=$T/app.db
"$TOOLS/bank" "$DB" -m wal -n 200 -z 1 init
sqlite3 "$DB" "CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (p REFERENCES parent); INSERT INTO child VALUES (7);
    CREATE TABLE \"odd \"\"name\" (a PRIMARY KEY, b) WITHOUT ROWID;
    INSERT INTO \"odd \"\"name\" VALUES (1, 2), (3, 4);
    CREATE VIRTUAL TABLE words USING fts5(t);
    INSERT INTO words VALUES ('one two'); CREATE VIEW v AS SELECT 1;" >/dev/null
remote_start -k k1 || finish
age-keygen -o "$T/id" 2>"$T/pub"; chmod 600 "$T/id"
pub=$(sed -n 's/.*key: //p' "$T/pub")
conf() {	# conf "LINES OF app" "LINES OF hq"
	daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\"" \
	    "api key \"k1\" timeout 2s retry from 100ms to 300ms ${2-} }" \
	    "database \"app\" { path \"$DB\" user id \"42\" to \"hq\" ${1-} }" \
	    "database \"loc\" { path \"$T/loc.db\" }" \
	    "database \"enc\" { path \"$DB\" user id \"42\" to \"hq\" encrypt to \"$pub\" }"
	chmod 600 "$CONF"
}
conf
daemon_start || finish

# What is counted at capture, and a drill by hand.
out=$(create '{"database":"app"}')
A=$(json .data.id <<<"$out")
is "the rows of each table are counted at capture" \
    "$(row "SELECT rows FROM contents WHERE backup_id = $A AND name IN ('child', 'parent', 'odd \"name') ORDER BY name" | tr '\n' ' ')" "1 2 0 "
is "a virtual table and a view are none" "$(row "SELECT count(*) FROM contents WHERE name IN ('words', 'v')")" 0
tables=$(sqlite3 "$DB" "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
is "all of them" "$(detail "$A" .data.tables)" "$tables"
is "captured, proven, uploaded, confirmed: each has its time" "$(detail "$A" '.data | [.captured_at, .verified_at, .uploaded_at, (.copies[] | select(.place == "hq").confirmed_at)] | map(test("^20.*Z$")) | all')" true
is "the remote was asked, and told the size" "$(detail "$A" '.data.copies[] | select(.place == "hq").confirmed')" size
out=$(verify "$A")
is "a drill by hand passes, from the remote" "$(jq -r '.data | "\(.result) \(.place) \(.backup_id) \(.tables)"' <<<"$out")" "passed hq $A $tables"
rows=$(row "SELECT sum(rows) FROM contents WHERE backup_id = $A")
is "with its figures" "$(jq -r '.data | "\(.rows) \(.duration_ms > 0)"' <<<"$out")" "$rows true"
like "broken foreign keys are told, not held against it" "$(jq -r .data.text <<<"$out")" '*1 foreign keys lead nowhere*'
ok "it was fetched" grep -q "GET .*download" "$R/requests.log"
is "it is written down" "$(detail "$A" '.data.drill | "\(.result) \(.place)"')" "passed hq"
is "and an event" "$(events drilled)" 1
job=$(verify "$A" -H 'Prefer: respond-async' | json .data.id)
done_() { [ "$(api GET "/jobs/$job" | json .data.state)" = done ]; }
ok "one in the background" wait_for 5 done_
is "its kind" "$(api GET "/jobs/$job" | json '"\(.data.kind) \(.data.database)"')" "drill app"
is "of none" "$(verify 4711 | json .errorCode)" BACKUP_NOT_FOUND
is "by GET" "$(code GET "/verify/$A")" 405

cp "$DB" "$T/loc.db"
L=$(create '{"database":"loc"}' | json .data.id)

# Encrypted: nobody here can open it, but it is what was sent.
E=$(create '{"database":"enc"}' | json .data.id)
is "encrypted, without an identity: a part" "$(verify "$E" | json '.data | "\(.result) \(.place) \(.tables)"')" "partial hq 0"

# Another count than at capture.
row "UPDATE contents SET rows = 99 WHERE backup_id = $L AND name = 'child'"
out=$(verify "$L")
is "another number of rows: failed" "$(json .data.result <<<"$out")" failed
like "it says which" "$(json .data.text <<<"$out")" '*"child" has 1 rows, and had 99 at capture*'

# Damaged at the remote, and sound here.
M=$(object "$A"); cp "$M" "$T/kept"
printf x | dd of="$M" bs=1 seek=50000 conv=notrunc status=none
before=$(events drill_failed)
out=$(verify "$A")
is "damaged at the remote: failed" "$(json '.data | "\(.result) \(.place)"' <<<"$out")" "failed hq"
like "it says why" "$(json .data.text <<<"$out")" '*checksum differs*'
is "an event" "$(($(events drill_failed) - before))" 1
is "an alarm" "$(row "SELECT count(*) FROM alarms WHERE kind = 'drill' AND database = 'app' AND acknowledged_ms = 0")" 1
like "which freezes expiry" "$(api POST "/expire?dry_run=1&database=app" -H 'Content-Length: 0' | jq -c .)" '*drill*'
cp "$T/kept" "$M"
rm "$M"
is "gone at the remote: failed" "$(verify "$A" | json .data.result)" failed
cp "$T/kept" "$M"
n=$(row "SELECT count(*) FROM drills")
remote_stop
is "the remote is away: no verdict" "$(verify "$A" | json .errorCode)" REMOTE_UNAVAILABLE
is "none is written down" "$(row "SELECT count(*) FROM drills")" "$n"
remote_start -k k1
daemon_stop

# By the clock, across a restart.
row "DELETE FROM drills; UPDATE databases SET drill_ms = 0"
conf "drill every 1h"
daemon_start || finish
drilled() { [ "$(row "SELECT count(*) FROM drills WHERE database = 'app'")" -ge "${1:-1}" ]; }
ok "one is due: it is made" wait_for 8 drilled
is "of the newest that is at the remote" "$(row "SELECT backup_id || ' ' || place || ' ' || result FROM drills")" "$A hq passed"
daemon_stop; daemon_start || finish
sleep 1
is "not again after a restart" "$(row "SELECT count(*) FROM drills")" 1
daemon_stop
row "UPDATE databases SET drill_ms = drill_ms - 3600000"
remote_stop
daemon_start || finish
late() { [ "$(events late)" = 1 ]; }
ok "due, and the remote is away: late" wait_for 8 late
is "and no alarm more" "$(row "SELECT count(*) FROM alarms WHERE kind = 'drill'")" 2
daemon_stop

# Reading back what was sent.
remote_start -k k1
conf "" "confirm content"
daemon_start || finish
C=$(create '{"database":"app"}' | json .data.id)
content() { [ "$(detail "$1" '.data.copies[] | select(.place == "hq").confirmed')" = content ]; }
ok "confirm content: read back" wait_for 8 content "$C"
echo "path /api/user-backup/download garbage" >"$R/fault"
D=$(create '{"database":"app"}' | json .data.id)
failed() { [ "$(detail "$1" '.data.copies[] | select(.place == "hq").state')" = failed ]; }
ok "what comes back is not what was sent: failed" wait_for 8 failed "$D"
like "with its reason" "$(detail "$D" '.data.copies[] | select(.place == "hq").reason')" 'read back*'
rm "$R/fault"
daemon_stop

# Without a remote: what is here.
daemon_conf "database \"loc\" { path \"$T/loc.db\" }"
daemon_start || finish
L=$(create | json .data.id)
is "a local drill" "$(verify "$L" | json '.data | "\(.result) \(.place)"')" "passed local"
printf x | dd of="$(detail "$L" .data.file_path)" bs=1 seek=50000 conv=notrunc status=none
is "and one of what was damaged here" "$(verify "$L" | json '.data | "\(.result) \(.place)"')" "failed local"
daemon_stop
is "no scratch file is left" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
is "the catalog is sound" "$(catalog_sound)" ok
finish
