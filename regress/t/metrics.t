#!/bin/bash
# GET /metrics: the format by promtool, every metric of the table, values
# that are true, who may ask; and that the sample alerts and the dashboard
# name nothing that is not there.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

"$TOOLS/bank" "$T/shop.db" -m wal -n 10 init
"$TOOLS/bank" "$T/till.db" -m delete -n 10 init
remote_start || finish
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"shop\" { path \"$T/shop.db\" }" \
    "database \"till\" { path \"$T/till.db\" compress zstd 3 }"
daemon_start || finish
M=http://127.0.0.1:$PORT/metrics
scrape() { curl -s -m 10 "$@" "$M" >"$T/m"; }
# value METRIC{LABELS}: without the prefix; "none" when it is not there.
value() { awk -v n="cloudbackupd_$1" '$1 == n { print $2; f = 1 } END { if (!f) print "none" }' "$T/m"; }
names() { sed -n 's/^# TYPE cloudbackupd_\([a-z_]*\) .*/\1/p' "$T/m"; }
check() { promtool check metrics <"$T/m" 2>&1; }

scrape
is "no age without a backup" "$(value 'last_proven_backup_age_seconds{database="shop"}')" none
is "nor a drill" "$(value 'drill_success{database="shop"}')" none
is "the version" "$(value "build_info{version=\"$(sed -n "s/^VERSION =[[:space:]]*//p" "$TOP/Makefile")\"}")" 1

for d in shop shop till; do
	is "a backup of $d" "$(create "{\"database\":\"$d\"}" | json .data.status)" completed
done
before=$(date +%s)
scrape
is "backups are counted" "$(value 'backups{database="shop"}') $(value 'backups{database="till"}')" "2 1"
is "bytes are those of the images" "$(value 'backup_bytes{database="till"}')" "$(stat -c %s "$T/till.db")"
ok "the age is that of the last" awk -v a="$(value 'last_proven_backup_age_seconds{database="till"}')" 'BEGIN { exit !(a >= 0 && a < 20) }'
ok "so is the time" awk -v a="$(value 'last_proven_backup_timestamp_seconds{database="till"}')" -v n="$before" 'BEGIN { exit !(n - a < 20 && a - n < 2) }'
ok "the lock's time is that of the entry" awk -v a="$(value 'lock_held_seconds{database="till"}')" 'BEGIN { exit !(a > 0 && a < 5) }'
is "nothing waits" "$(value 'queue_pending{remote="hq"}') $(value 'queue_bytes{remote="hq"}') $(value 'queue_oldest_seconds{remote="hq"}')" "0 0 0.000"
is "three captures, three uploads" "$(value 'phase_seconds_count{phase="lock_held"}') $(value 'phase_seconds_count{phase="upload"}')" "3 3"
is "one was packed" "$(value 'phase_seconds_count{phase="compress"}')" 1
ok "that took time" awk -v a="$(value 'phase_seconds_sum{phase="compress"}')" 'BEGIN { exit !(a > 0 && a < 10) }'
ok "the network counted its requests" [ "$(value 'remote_requests_total{remote="hq",kind="post"}')" -ge 3 ]
ok "and bytes" [ "$(value 'remote_bytes_total{remote="hq",direction="sent"}')" -gt 10000 ]
is "no alarm" "$(value 'alarms{database="shop"}') $(value 'alarms{database=""}')" "0 0"
for p in engine front network; do
	ok "memory of $p" [ "$(value "process_pss_bytes{process=\"$p\"}")" -gt 100000 ]
done
n=$(value 'http_requests_total{code="200"}')
code GET /nothing >/dev/null; api GET /stats >/dev/null; scrape
is "requests are counted by status" "$(value 'http_requests_total{code="200"}') $(value 'http_requests_total{code="404"}')" "$((n + 2)) 1"
like "connections" "$(value http_connections)" "[1-9]*"

remote_stop
is "the remote is away" "$(create '{"database":"shop"}' | json .data.status)" pending
scrape
is "one waits" "$(value 'queue_pending{remote="hq"}') $(value 'queue_bytes{remote="hq"}')" "1 $(stat -c %s "$T/shop.db")"

# What cannot be had so fast comes into the catalog by hand.
daemon_stop
sqlite3 "$BACKUP_DIR/catalog.sqlite" "INSERT INTO drills (backup_id, database, place, started_ms, duration_ms, result) VALUES (1, 'shop', 'hq', 1700000000000, 1500, 'passed'), (1, 'till', 'hq', 1700000000000, 2500, 'failed');
INSERT INTO alarms (database, kind, text, raised_ms) VALUES ('till', 'drill', 'x', 1700000000000);"
daemon_start || finish
scrape
is "drills" "$(value 'drill_success{database="shop"}') $(value 'drill_success{database="till"}') $(value 'drill_duration_seconds{database="till"}') $(value 'drill_timestamp_seconds{database="till"}')" "1 0 2.500 1700000000.000"
is "an alarm" "$(value 'alarms{database="till"}')" 1
create '{"database":"shop"}' >/dev/null
api GET /health >/dev/null
scrape
is "every metric of the table is told" "$(names | sort)" \
    "$(perl -0ne 's{/\*.*?\*/}{}gs; while (/METRIC\(\w+,\s*\w+,\s*"(\w+)",\s*"(\w+)"/g) { print $1 =~ s/_sum$//r, "\n" }' "$TOP/proto/metrics.def" | sort)"
if command -v promtool >/dev/null; then
	is "promtool finds nothing" "$(check)" ""
	ok "the alerts are good" promtool check rules "$TOP/etc/prometheus-alerts.yml"
else
	skip "no promtool"
	skip "no promtool"
fi
# Of a summary, its sum and its count are used.
used() { grep -oh 'cloudbackupd_[a-z_]*' "$1" | sort -u | sed 's/^cloudbackupd_//; s/^\(phase_seconds\)_\(sum\|count\)$/\1/'; }
for f in prometheus-alerts.yml grafana-dashboard.json; do
	ok "$f names some" [ "$(used "$TOP/etc/$f" | wc -l)" -gt 5 ]
	is "$f names what is there" "$(used "$TOP/etc/$f" | grep -vxFf <(names))" ""
done
ok "the dashboard is JSON" jq -e '.panels | length > 5' "$TOP/etc/grafana-dashboard.json"

is "HEAD" "$(curl -s -I -m 5 "$M" | tr -d '\r' | sed -n '1p; s/^Content-Type: //p' | xargs)" "HTTP/1.1 200 OK text/plain; version=0.0.4; charset=utf-8"
is "POST is refused" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -X POST "$M")" 405
if [ "$(id -u)" = 0 ]; then
	is "a stranger is refused" "$(setpriv --reuid 65533 --clear-groups curl -s -m 5 -o /dev/null -w '%{http_code}' "$M")" 403
	token=$("$BUILD/cloudbackupd" -f "$CONF" -T prom:read 2>/dev/null)
	one=$("$BUILD/cloudbackupd" -f "$CONF" -T one:read@shop 2>/dev/null)
	is "a token that reads all may" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$M")" 200
	is "one that reads one may not" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $one" "$M")" 403
else
	skip "not root"
fi
finish
