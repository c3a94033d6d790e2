#!/bin/bash
# Where the time of jobs and backups went: in answers, in the catalog, in
# /metrics and in cloudbackupctl; that the times are true, and which are not
# there because nothing of the kind was done.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

"$TOOLS/bank" "$T/shop.db" -m wal -n 500 -z 1 init
sqlite3 "$T/shop.db" "CREATE TABLE soft (t); INSERT INTO soft WITH RECURSIVE
    n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60000)
    SELECT printf('%0300d', i) FROM n" >/dev/null
"$TOOLS/bank" "$T/till.db" -m delete -n 10 init
remote_start || finish
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 200ms to 400ms }" \
    "database \"shop\" { path \"$T/shop.db\" compress zstd 3 }" \
    "database \"till\" { path \"$T/till.db\" lock timeout 2s }"
daemon_start || finish
CATALOG=$BACKUP_DIR/catalog.sqlite

# job METHOD PATH BODY: begins it, waits for its end, leaves it in $T/job.
job() {
	J=$(api "$1" "$2" -H 'Content-Type: application/json' -H 'Prefer: respond-async' -d "$3" | json .data.id)
	wait_for 15 job_ended
}
job_ended() { api GET "/jobs/$J" >"$T/job"; case $(json .data.state <"$T/job") in done|failed) ;; *) return 1 ;; esac; }
keys() { json '.data.phases | keys_unsorted | join(" ")'; }
phase() { json ".data.phases.$1_ms // 0"; }
# holds EXPRESSION <ANSWER: jq's, of the phases $p and how long all was, $d.
holds() {
	jq -e 'def ms: if . == null then 0 else (.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber) end;
	    .data | .phases as $p | ((.finished_at | ms) - (.started_at | ms) + 2) as $d | '"$1" >/dev/null
}

# A create with everything.
job POST /create '{"database":"shop"}'
echo "# $(jq -c '[.data.started_at, .data.finished_at, .data.phases]' "$T/job")"
is "all that a backup has" "$(keys <"$T/job")" "look_ms lock_wait_ms lock_held_ms read_ms hash_ms compress_ms write_ms fsync_ms unpack_ms verify_ms upload_ms"
ok "none took longer than the job" holds '[$p | to_entries[] | select(.key != "hash_ms") | .value <= $d] | all' <"$T/job"
ok "nor did two threads that hash" holds '$p.hash_ms <= 2 * $d' <"$T/job"
ok "nor what is never done at once" holds '$p.look_ms + $p.lock_wait_ms + $p.lock_held_ms + $p.verify_ms <= $d' <"$T/job"
ok "what is seen is most of it" holds '[$p[]] | add >= $d / 2' <"$T/job"
ok "20 MB are not hashed or compressed in nothing" holds '$p.hash_ms > 2 and $p.compress_ms > 2 and $p.verify_ms > 2' <"$T/job"
ok "they have fractions" grep -qE '"read_ms":[0-9]+\.[0-9]{3}[,}]' "$T/job"

api GET /backup/1 >"$T/backup"
is "the backup has the same" "$(json '.data.phases | tojson' <"$T/backup")" "$(json '.data.phases | tojson' <"$T/job")"
is "the lock's is that of the entry" "$(phase lock_held <"$T/backup" | awk '{ print int($1 + 0.5) }')" "$(json .data.lock_held_ms <"$T/backup")"
is "a copy knows how long it took to send it" "$(json '.data.copies[] | select(.place == "hq") | .upload_ms' <"$T/backup")" "$(phase upload <"$T/backup")"
is "what is here was not sent" "$(json '.data.copies[] | select(.place == "local") | .upload_ms' <"$T/backup")" null
is "and the list of jobs" "$(api GET /jobs | json '.data[0].phases | tojson')" "$(json '.data.phases | tojson' <"$T/job")"
is "the catalog counts in us" "$(sqlite3 "$CATALOG" "SELECT printf('%.3f %.3f %.3f %.3f', read_us / 1000.0, compress_us / 1000.0, sync_us / 1000.0, verify_us / 1000.0) FROM cloud_backups")" \
    "$(jq -r '.data.phases | [.read_ms, .compress_ms, .fsync_ms, .verify_ms][]' "$T/backup" | xargs printf '%.3f %.3f %.3f %.3f')"
curl -s "http://127.0.0.1:$PORT/metrics" >"$T/m"
for p in read hash compress write fsync verify lock_held lock_wait upload; do
	is "/metrics: $p" "$(awk -v p="{phase=\"$p\"}" '$1 == "cloudbackupd_phase_seconds_sum" p { s = $2 } $1 == "cloudbackupd_phase_seconds_count" p { n = $2 } END { printf "%.3f %d", s * 1000, n }' "$T/m")" "$(phase $p <"$T/backup" | xargs printf '%.3f') 1"
done
is "each is told" "$(grep -c '^cloudbackupd_phase_seconds_sum{' "$T/m")" "$(grep -cE '^(BACKUP_)?PHASE\(' "$TOP/proto/phases.def")"
CTL="$BUILD/cloudbackupctl -u http://127.0.0.1:$PORT"
for v in "show 1" "jobs $J"; do
	$CTL $v >"$T/out" 2>&1
	is "cloudbackupctl $v" "$(sed '1,/^where the time went/d' "$T/out" | awk 'NR > 1 { print $1 "_ms" }' | xargs)" "$(keys <"$T/backup")"
	is "its columns are aligned" "$(sed '1,/^where the time went/d' "$T/out" | awk '{ print length($0) }' | sort -u | wc -l)" 1
done
$CTL show 1 | grep -q "^compress  *$(phase compress <"$T/backup" | xargs printf '%.3f')\$"
result $? "with the same figures"

# The lock, held by another for a while.
sqlite3 "$T/till.db" 'BEGIN EXCLUSIVE' '.shell sleep 0.7' COMMIT &
L=$!
sleep 0.15
job POST /create '{"database":"till"}'
wait $L
is "without forms, nothing was packed" "$(json '.data.phases | has("compress_ms"), has("unpack_ms")' <"$T/job" | xargs)" "false false"
ok "the wait for the lock is told" holds '$p.lock_wait_ms > 300 and $p.lock_wait_ms < 700' <"$T/job"
ok "and is no time of the lock itself" holds '$p.lock_held_ms < 300' <"$T/job"

# One that fails tells where its time went, too.
sqlite3 "$T/till.db" 'BEGIN EXCLUSIVE' '.shell sleep 2.6' COMMIT &
L=$!
sleep 0.15
job POST /create '{"database":"till"}'
wait $L
is "locked for too long" "$(json '.data | .state, .error_code' <"$T/job" | xargs)" "failed DATABASE_LOCKED"
ok "it has waited" holds '$p.lock_wait_ms >= 1900 and ($p | has("read_ms") | not)' <"$T/job"
is "its entry says the same" "$(api GET "/backup/$(json .data.backup_id <"$T/job")" | phase lock_wait)" "$(phase lock_wait <"$T/job")"

# The remote is away: it is sent later, and that is then known.
remote_stop
job POST /create '{"database":"till"}'
B=$(json .data.backup_id <"$T/job")
is "not sent: no time of it" "$(json '.data.phases | has("upload_ms")' <"$T/job")" false
remote_start
ok "it is sent" wait_for 10 settled
is "the backup has its time" "$(api GET "/backup/$B" | json '.data | .phases.upload_ms > 0 and .phases.upload_ms == (.copies[] | select(.place == "hq") | .upload_ms)')" true

# A restore.
job POST /restore/1 '{}'
echo "# $(jq -c '[.data.started_at, .data.finished_at, .data.phases]' "$T/job")"
is "it was restored" "$(json .data.state <"$T/job")" "done"
is "what a restore has" "$(json '.data.phases | [has("look_ms", "lock_wait_ms", "lock_held_ms", "unpack_ms", "verify_ms", "safety_ms", "transaction_ms")] | all' <"$T/job")" true
is "and has not" "$(json '.data.phases | [has("upload_ms", "fetch_ms", "compress_ms", "convert_ms")] | any' <"$T/job")" false
ok "the transaction is within the lock, the lock within the job" holds '$p.transaction_ms <= $p.lock_held_ms and $p.lock_held_ms <= $d' <"$T/job"

# From a remote, after a restart.
daemon_stop
daemon_start || finish
is "the catalog has kept it" "$(api GET /backup/1 | json '.data.phases | tojson')" "$(json '.data.phases | tojson' <"$T/backup")"
is "jobs are new" "$(api GET /jobs | json '.data | length')" 0
rm -f "$(json .data.file_path <"$T/backup")"
job POST /restore/1 '{}'
ok "what was fetched took its time" holds '$p.fetch_ms > 0 and $p.fetch_ms <= $d' <"$T/job"
finish
