#!/bin/bash
# The form that is kept is made while the image is checked: both at once,
# and only what came of both decides; nothing is left when one fails.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
command -v zstd >/dev/null || skip_all "no zstd"

sqlite3 "$T/app.db" "PRAGMA journal_mode=delete; CREATE TABLE soft (t);
    INSERT INTO soft WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
    SELECT i + 1 FROM n LIMIT 10000) SELECT hex(randomblob(400)) FROM n" >/dev/null
cp "$T/app.db" "$T/slow.db"
cp "$T/app.db" "$T/torn.db"
printf '\377%.0s' {1..100} | dd of="$T/torn.db" bs=4096 seek=300 conv=notrunc status=none
cp "$T/torn.db" "$T/image"
daemon_conf ${SANITIZED:+"sandbox log"} \
    "database \"app\" { path \"$T/app.db\" compress zstd 3 }" \
    "database \"slow\" { path \"$T/slow.db\" compress zstd 19 }" \
    "database \"torn\" { path \"$T/torn.db\" compress zstd 3 }"
daemon_start || finish
left() { find "$BACKUP_DIR" -name '.tmp-*' -o -name '*.sqlite*' ! -name 'catalog*'; }
# The worker that packs, by the log; and the answer of a job's end.
packer() { sed -n 's/.*worker \([0-9]*\) begins: compression.*/\1/p' "$T/daemon.log" | tail -1; }
packs() { local p; p=$(packer); [ -n "$p" ] && [ "$p" != "$LAST" ] && alive "$p"; }
slowly() {	# begins one that takes seconds, and waits until it packs
	LAST=$(packer)
	create '{"database":"slow"}' >"$T/answer" & CLIENT=$!
	wait_for 10 packs
}

out=$(create '{"database":"app"}')
is "sound and complete" "$(json '.data | "\(.status) \(.verification) \(.form)"' <<<"$out")" "completed sound sqlite.zst"
is "the check and the packing begin at once" "$(sed -n 's/.*worker [0-9]* begins: //p' "$T/daemon.log" | sed -n '/^verify$/,$p' | head -2 | xargs -d'\n')" "verify compression or encryption"
rm "$(json .data.file_path <<<"$out")"

out=$(create '{"database":"torn"}')
is "a damaged one is told" "$(json .errorCode <<<"$out")" DATABASE_DAMAGED
f=$(left)
like "and kept in its form" "$f" '*/torn/*.sqlite.zst'
is "as it is" "$(zstd -dqc "$f" | sha256sum)" "$(sha256sum <"$T/image")"
rm "$f"

slowly
kill -KILL "$(packer)"
wait $CLIENT
is "who packs is killed: no backup" "$(json .errorCode <"$T/answer")" WORKER_FAILED
is "nothing is left of it" "$(left)" ""

slowly
daemon_stop
wait $CLIENT
is "the daemon ends meanwhile: nothing is left" "$(left)" ""
daemon_start || finish
is "it is known as failed" "$(api GET /user | jq -r '[.data[] | select(.database == "slow") | .status] | unique | join(" ")')" failed
is "the next one is made" "$(create '{"database":"app"}' | json .data.status)" completed
daemon_stop
finish
