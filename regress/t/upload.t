#!/bin/bash
# Backups to a remote (D3, D12, D18) that does everything wrong: an answer
# is never a lie, an upload arrives once.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
R=$T/remote
C=/api/user-backup/create

fault() { printf '%s\n' "$@" >"$R/fault"; }
no_fault() { rm -f "$R/fault"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
row() { api GET /user | jq -r --argjson id "$1" '.data[] | select(.id == $id) | '"$2"; }
completed() { [ "$(row "$1" .status)" = completed ]; }
# uploads ID: how many the remote has of a local backup.
uploads() { cat "$R"/*.json 2>/dev/null | jq -r .description | grep -c "\[cloudbackupd:$1@"; }
requests() { grep -c "$1" "$R/requests.log"; }

"$TOOLS/bank" "$T/app.db" -m wal -n 200 -z 1 init
conf() {	# conf DIRECTORY KEY: a daemon of the database app
	BACKUP_DIR=$1 daemon_conf "remote \"hq\" {" \
	    "rest \"http://127.0.0.1:$RPORT\"" "api key \"$2\"" "timeout 1s" \
	    "retry from 200ms to 2s }" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" device id \"till-3\" to \"hq\" }"
	chmod 600 "$CONF"
	BACKUP_DIR=$1
}

# No remote.
RPORT=$(port)
daemon_conf "database \"app\" { path \"$T/app.db\" }"
daemon_start || finish
out=$(create)
is "no remote: completed" "$(json '.data | "\(.status) \(.locations | join(","))"' <<<"$out")" "completed local"
is "and nothing is uploaded" "$(json '.data | "\(.uploaded_at) \(.remote_backup_id)"' <<<"$out")" "null null"
is "health says that there is none" "$(api GET /health | json '"\(.success) \(.data.connected) \(.data.status) \(.data.server_url)"')" "true false unhealthy null"
is "the list is local" "$(api GET /user | json .source)" local
daemon_stop

# The remote is away.
conf "$T/one" k1
daemon_start || finish
out=$(create '{"backup_name":"away","description":"of a \"till\"\nin zwölf lines"}')
is "remote away: 200 and pending" "$(json '"\(.success) \(.data.status) \(.data.locations | join(","))"' <<<"$out")" "true pending local"
like "the message says why" "$(json .message <<<"$out")" '*pending*connect*'
A=$(json .data.id <<<"$out")
is "health: the remote is away" "$(api GET /health | json '"\(.data.connected) \(.data.status) \(.data.server_url)"')" "false unhealthy http://127.0.0.1:$RPORT"
like "the list is local, and says why" "$(api GET /user | json '"\(.source) \(.remote_error)"')" 'local *connect*'
sum=$(json .data.checksum <<<"$out")
api GET "/download/$A" >"$T/got"
is "what is pending can be downloaded" "sha256:$(sha256 "$T/got")" "$sum"
daemon_stop
remote_start -k k1 -S || finish
daemon_start || finish
ok "tried again by itself, across a restart" wait_for 10 completed "$A"
is "once" "$(uploads "$A")" 1
is "where it is" "$(row "$A" '"\(.locations | join(",")) \(.remotes | join(","))"')" "local,remote hq"
like "and since when" "$(row "$A" .uploaded_at)" 20??-??-??T??:??:*Z
is "health: the remote is there" "$(api GET /health | json '"\(.data.connected) \(.data.status) \(.data.response_time | type)"')" "true healthy number"

# What the remote was sent.
M=$R/$(row "$A" .remote_backup_id)
is "the bytes" "sha256:$(sha256 "$M.sqlite")" "$sum"
is "name, user, device" "$(json '"\(.backupName) \(.userId) \(.deviceId)"' <"$M.json")" "away 42 till-3"
is "file name and type" "$(json '"\(.filename) \(.contentType)"' <"$M.json")" "database.sqlite application/x-sqlite3"
like "the description, and the mark at its end" "$(json .description <"$M.json" | tr '\n' '|')" "of a \"till\"|in zwölf lines \[cloudbackupd:$A@????????\]*"
is "our own has no mark" "$(row "$A" .description | tr '\n' '|')" 'of a "till"|in zwölf lines|'
like "the key, and what is accepted" "$(grep "POST $C status=200" "$R/requests.log")" '*key=good accept=application/json*'
long=$(printf '%1023s' | tr ' ' x)
id=$(create "{\"description\":\"$long\"}" | json .data.id)
like "the longest description" "$(json .description <"$R/$(row "$id" .remote_backup_id).json")" "*xxx*\[cloudbackupd:$id@????????\]"

# Growing pauses.
fault "path $C status 503"
tail -n 0 -F "$R/requests.log" 2>/dev/null | grep --line-buffered "POST $C" |
    while read -r _; do now_ms; done >"$T/times" & TAIL=$!
PIDS="$PIDS $TAIL"
id=$(create | json .data.id)
six() { [ "$(wc -l <"$T/times")" -ge 6 ]; }
wait_for 15 six
pauses=$(awk 'NR > 1 { printf "%d ", $1 - last } { last = $1 }' "$T/times")
ok "the pauses grow: $pauses ms" awk -v p="$pauses" 'BEGIN {
	split("200 400 800 1600 2000", want); split(p, got)
	for (i = 1; i <= 5; i++)
		if (got[i] < want[i] * 0.75 - 30 || got[i] > want[i] + 700)
			exit 1
}'
like "the entry says why" "$(row "$id" '"\(.status) \(.error)"')" 'pending *503*'
fault "path $C status 429 retry-after 3"
wait_for 5 sh -c "tail -1 '$R/requests.log' | grep -q 'status=429'"
n=$(requests "POST $C"); no_fault
sleep 2
is "Retry-After is kept" "$(requests "POST $C")" "$n"
ok "then it is uploaded" wait_for 5 completed "$id"
kill $TAIL 2>/dev/null; pkill -P $TAIL 2>/dev/null

# Refused for good.
for f in 'status 400' 'status 413 early' 'status 422' 'redirect http://127.0.0.1:1/x'; do
	fault "path $C $f"
	out=$(create)
	id=$(json .data.id <<<"$out")
	is "$f: failed, and 200" "$(json '"\(.success) \(.data.status)"' <<<"$out")" "true failed"
	like "$f: the message says so" "$(json '"\(.message) \(.data.error)"' <<<"$out")" "*stored locally*$(tr -dc 0-9 <<<"${f% http*}")*"
	n=$(requests "POST $C")
done
no_fault
api GET "/download/$id" >"$T/got"
is "the local copy stands" "sha256:$(sha256 "$T/got")" "$(row "$id" .checksum)"
daemon_stop; daemon_start || finish
sleep 1
is "it is not tried again" "$(requests "POST $C") $(row "$id" .status)" "$n failed"

# Everything that may pass: pending, then completed, and exactly once.
for f in 'status 500' 'status 502' 'status 408' reset lost-answer truncate \
    short-length garbage html empty hang hang-after-body huge-json deep-json; do
	fault "count 1 path $C $f"
	t0=$(now_ms)
	out=$(create)
	ms=$(($(now_ms) - t0))
	id=$(json .data.id <<<"$out")
	is "$f: pending" "$(json '"\(.success) \(.data.status)"' <<<"$out")" "true pending"
	ok "$f: within seconds" test $ms -lt 5000
	ok "$f: then completed" wait_for 8 completed "$id"
	is "$f: once" "$(uploads "$id")" 1
	is "$f: the right one" "$(json .sha256 <"$R/$(row "$id" .remote_backup_id).json")" "$(row "$id" .checksum | cut -d: -f2)"
done
# The list by which a lost one is found may itself go wrong.
fault "count 1 path $C lost-answer" "count 2 path /api/user-backup/user garbage"
id=$(create | json .data.id)
ok "a lost answer and lists that are none" wait_for 8 completed "$id"
no_fault
is "still once" "$(uploads "$id")" 1

# Answers as deployed versions give them.
for at in top data backup; do for key in backupId _id id; do
	fault "path $C shape at=$at,id=$key"
	id=$(create | json .data.id)
	newest=$(ls -t "$R" | grep 'json$' | head -1)
	is "an id at $at.$key" "$(row "$id" .remote_backup_id)" "${newest%.json}"
done; done
for k in 0 1 2 3 4 5; do
	fault "count 1 path $C id-slash $k"
	id=$(create '{"backup_name":"hostile"}' | json .data.id)
	ok "hostile id $k of an upload: it ends well" wait_for 8 completed "$id"
	H="$H $id"
done
no_fault
is "the catalog is true" "$(catalog_true)" ""
# Without their files, only the remote could have them, by such ids.
before=$(ls "$R" "$T" | sort)
for id in $H; do
	rm -f "$(row "$id" .file_path)"
	code=$(code GET "/download/$id")
	case $code in 200) is "hostile id: what comes is what was sent" "sha256:$(api GET "/download/$id" | openssl dgst -sha256 -r | cut -d' ' -f1)" "$(row "$id" .checksum)" ;;
	*) like "hostile id: no download" "$code" '[45]0?' ;; esac
done
is "nothing came of them" "$(ls "$R" "$T" | sort)" "$before"

# The file is gone here: from the remote, and only if it is the same.
id=$A
mv "$(row "$id" .file_path)" "$T/kept"
api GET "/download/$id" >"$T/got"
ok "a local backup comes from the remote" cmp "$T/got" "$T/kept"
cp "$M.sqlite" "$T/saved"
printf x | dd of="$M.sqlite" bs=1 seek=100000 conv=notrunc status=none
is "not if its bytes have changed" "$(api GET "/download/$id" | json .errorCode)" INVALID_BACKUP
cp "$T/saved" "$M.sqlite"
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok

# A wrong key.
conf "$T/two" k2
daemon_start || finish
is "a wrong key: failed" "$(create | json .data.status)" failed
like "and it says so" "$(api GET /user | json '.data[0].error')" '*401*'
nok "and not with the key" sh -c "curl -s '$URL/user' | grep -q '\"k2\"\|key.*k2'"
daemon_stop

# A remote that hangs holds up no backup but its own answer.
"$TOOLS/bank" "$T/b.db" -m wal -n 100 init
BACKUP_DIR=$T/five daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" api key \"k1\" timeout 4s retry from 200ms to 1s }" \
    "database \"app\" { path \"$T/app.db\" to \"hq\" }" \
    "database \"b\" { path \"$T/b.db\" to \"hq\" }"
BACKUP_DIR=$T/five
chmod 600 "$CONF"
daemon_start || finish
fault "path $C hang"
for db in app b app b app b; do
	api POST /create -H 'Prefer: respond-async' \
	    -H 'Content-Type: application/json' -d "{\"database\":\"$db\"}" >/dev/null
done
all_upload() { for j in 1 2 3 4 5 6; do [ "$(api GET /jobs/$j | json .data.phase)" = upload ] || return 1; done; }
ok "six backups wait for it at the same time" wait_for 3 all_upload
no_fault
six() { [ "$(api GET "/user" | jq '[.data[] | select(.status == "completed" and .database != null)] | length')" = 6 ]; }
ok "then they are uploaded" wait_for 8 six
daemon_stop

finish
