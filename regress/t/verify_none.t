#!/bin/bash
# `verify none`: nothing is read back, in no form; what is stored is what
# the programs read all the same, its checksum is that of its bytes, and
# what is damaged shows when somebody wants it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
command -v age >/dev/null && command -v zstd >/dev/null || skip_all "no age, no zstd"

age-keygen -o "$T/id" 2>/dev/null
chmod 600 "$T/id"
PUB=$(age-keygen -y "$T/id")
"$TOOLS/bank" "$T/app.db" -m wal -n 500 -z 1 init
sqlite3 "$T/app.db" "CREATE TABLE soft (t); INSERT INTO soft
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    LIMIT 20000) SELECT printf('%0300d', i) FROM n" >/dev/null
declare -A LINES=([plain]="" [z]="compress zstd 3" [a]="encrypt to \"$PUB\""
    [za]="compress zstd 3 encrypt to \"$PUB\" identity file \"$T/id\"")
declare -A FORM=([plain]=sqlite [z]=sqlite.zst [a]=sqlite.age [za]=sqlite.zst.age)
conf=()
for db in plain z a za; do
	cp "$T/app.db" "$T/$db.db"
	conf+=("database \"$db\" { path \"$T/$db.db\" verify none ${LINES[$db]} }")
done
cp "$T/app.db" "$T/proven.db"
daemon_conf ${SANITIZED:+"sandbox log"} "${conf[@]}" "database \"proven\" { path \"$T/proven.db\" compress zstd 3 }"
daemon_start || finish

sum() { openssl dgst -sha256 -r | cut -d' ' -f1; }
phases() { api GET "/backup/$(field id)" | json '.data.phases | has("unpack_ms"), has("verify_ms")' | xargs; }
field() { json ".data.$1" <<<"${OUT[$db]}"; }
made_of() { case $1 in
	sqlite) cat ;; sqlite.zst) zstd -dqc ;; sqlite.age) age -d -i "$T/id" ;;
	sqlite.zst.age) age -d -i "$T/id" | zstd -dqc ;; esac; }
declare -A OUT
for db in plain z a za; do
	OUT[$db]=$(create "{\"database\":\"$db\"}")
	f=$(field file_path)
	is "$db: complete, in its form" "$(field status) $(field form)" "completed ${FORM[$db]}"
	is "$db: as much of a proof as a plain one" "$(field verification) $(field verified_at)" "$(db=plain; field verification) $(db=plain; field verified_at)"
	is "$db: size and checksum of what is stored" "$(field stored_size) $(field stored_checksum)" "$(stat -c %s "$f") sha256:$(sha256 "$f")"
	is "$db: the programs make the image of it" "sha256:$(made_of "${FORM[$db]}" <"$f" | sum)" "$(field checksum)"
	is "$db: nothing was read back" "$(phases)" "false false"
done
db=proven
OUT[$db]=$(create '{"database":"proven"}')
is "where it is asked for, it was" "$(phases) $(field verification)" "true true sound"

# Whoever wants what is damaged is told.
for db in z za; do
	id=$(field id) f=$(field file_path)
	body=$([ $db = z ] && echo '{}' || jq -cn --arg i "$(cat "$T/id")" '{identity: $i}')
	before=$(sha256 "$T/$db.db")
	is "$db: a drill passes" "$(api POST "/verify/$id" -H 'Content-Type: application/json' -d "$body" | json .data.result)" passed
	cp "$f" "$T/good"
	printf '\125\252' | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc status=none
	is "$db: damaged: a drill fails" "$(api POST "/verify/$id" -H 'Content-Type: application/json' -d "$body" | json .data.result)" failed
	is "$db: a restore is refused" "$(api POST "/restore/$id" -H 'Content-Type: application/json' -d "$body" | json .errorCode)" INVALID_BACKUP
	is "$db: and changes nothing" "$(sha256 "$T/$db.db")" "$before"
	[ $db = za ] || is "$db: a download is refused" "$(api GET "/download/$id" | json .errorCode)" INVALID_BACKUP
	cp "$T/good" "$f"
	is "$db: whole again: restored" "$(api POST "/restore/$id" -H 'Content-Type: application/json' -d "$body" | json .success)" true
done

# kill -9 within: every file its row with its checksum, every row its file.
truth() {
	api GET /user | jq -r '.data[] | select((.locations | index("local")) != null) | [.id, .file_path, .stored_checksum] | @tsv' >"$T/rows"
	while IFS="$(printf '\t')" read -r _id _path _sum; do
		[ "sha256:$(sha256 "$_path" 2>/dev/null)" = "$_sum" ] || echo "$_id: not $_path"
	done <"$T/rows"
	cut -f2 "$T/rows" | sort >"$T/paths"
	find "$BACKUP_DIR" -name '*.sqlite*' ! -name 'catalog*' | sort | comm -13 "$T/paths" - | sed 's/$/: no row/'
	find "$BACKUP_DIR" -name '.tmp-*'
}
WRONG=
for i in 1 2; do
	create '{"database":"z"}' >/dev/null &
	CLIENT=$!
	sleep "0.$((RANDOM % 10 + 5))"
	kill_daemon
	wait $CLIENT
	start_daemon || { result 1 "it starts again"; finish; }
	wait_for 15 settled || WRONG="$WRONG $i: not settled"
	WRONG="$WRONG$(truth)"
done
is "killed within: files and rows agree" "$WRONG" ""
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
