#!/bin/bash
# Backups from a remote: what a new installation finds there, and what must
# never pass for a backup.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
R=$T/remote

fault() { printf '%s\n' "$@" >"$R/fault"; }
no_fault() { rm -f "$R/fault"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

"$TOOLS/bank" "$T/app.db" -m wal -n 200 -z 1 init
remote_start -k k1 || finish
conf() {	# conf DIRECTORY: a daemon of the database app
	BACKUP_DIR=$1 daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\"" \
	    "api key \"k1\" timeout 1s retry from 200ms to 2s }" \
	    "database \"app\" { path \"$T/app.db\" user id \"42\" }"
	chmod 600 "$CONF"
	BACKUP_DIR=$1
}
conf "$T/one"
daemon_start || finish
out=$(create '{"backup_name":"away"}')
M=$R/$(json .data.remote_backup_id <<<"$out")
sum=$(json .data.checksum <<<"$out")
cp "$M.sqlite" "$T/saved"
for i in 1 2 3 4; do create >/dev/null; done
daemon_stop

# A new installation, which has only what the remote has.
conf "$T/two"
daemon_start || finish
rb=$(basename "$M")
is "all of the remote is listed" "$(api GET /user/42 | json '"\(.source) \(.total) \(.data | length)"')" "remote $(ls "$R" | grep -c 'json$') $(ls "$R" | grep -c 'json$')"
for list in backups data data.backups top; do for words in id=backupId id=_id,name=name id=id,size=fileSize,ms time=uploadedAt; do
	fault "path /api/user-backup/user shape list=$list,$words"
	is "a list at $list with $words" "$(api GET /user/42 | jq -r --arg id "$rb" '.data[] | select(.id == $id) | "\(.backup_name) \(.file_size) \(.checksum) \(.status) \(.locations | join(",")) \(.uploaded_at // .created_at | test("^20..-..-..T.*Z$"))"')" "away $(stat -c %s "$M.sqlite") null completed remote true"
done; done
no_fault
for ref in "$rb" "remote:$rb"; do
	curl -s -m 20 -D "$T/head" -o "$T/got" "$URL/download/$ref"
	ok "download of $ref" cmp "$T/got" "$M.sqlite"
	like "with its name" "$(cat "$T/head")" "*Content-Disposition: attachment; filename=\"*$rb.sqlite\"*"
	like "and its checksum" "$(cat "$T/head")" "*ETag: \"$sum\"*"
done
is "one that is not there" "$(api GET /download/remote:rb-999999 | json .errorCode)" BACKUP_NOT_FOUND

# Bad images: an error, and never a success.
bad() {	# bad DESCRIPTION CODES: the status is one of CODES, the body ours
	t0=$(now_ms)
	st=$(curl -s -m 20 -o "$T/got" -w '%{http_code}' "$URL/download/$rb")
	ms=$(($(now_ms) - t0))
	like "$1: $st after $ms ms" "$st" "$2"
	is "$1: an error of ours" "$(json .success <"$T/got" 2>&1)" false
	ok "$1: soon" test $ms -lt 6000
}
head -c "$(stat -c %s "$T/saved")" /dev/urandom >"$M.sqlite"; bad "garbage" 422
"$TOOLS/mkdb" damaged "$T/bad.db" && cp "$T/bad.db" "$M.sqlite"; bad "a damaged database" 422
head -c 100000 "$T/saved" >"$M.sqlite"; bad "a part of it" '[45]??'
: >"$M.sqlite"; bad "an empty file" '[45]??'
cp "$T/saved" "$M.sqlite"
D=/api/user-backup/download
for f in truncate reset garbage html empty 'status 500' 'status 404' 'status 403' 'redirect http://127.0.0.1:1/x' hang short-length huge-json; do
	fault "path $D $f"; bad "$f" '[45]??'
done
# Slow is not dead (D12); but a client that gives up is not waited for.
fault "path $D slow 1000000"
is "slowly, beyond the time-out" "$(curl -s -m 20 -o "$T/got" -w '%{http_code}' "$URL/download/$rb")" 200
ok "and whole" cmp "$T/got" "$T/saved"
fault "path $D slow 400000"
is "a client gives up" "$(curl -s -m 1 -o /dev/null "$URL/download/$rb"; echo $?)" 28
no_fault

# Hostile ids in a list.
fault "path /api/user-backup/user id-slash"
api GET /user/42 >"$T/list"
ok "a list with hostile ids is JSON" jq -e .success "$T/list"
jq -r '.data[].id | select(test("^rb-") | not) | @uri' "$T/list" >"$T/ids"
ok "it has some: $(wc -l <"$T/ids")" test -s "$T/ids"
no_fault
while read -r id; do
	st=$(code GET "/download/$id")
	like "download of $(cut -c1-40 <<<"$id"): $st" "$st" '4??'
done <"$T/ids"
no_temporary() { [ -z "$(find "$BACKUP_DIR" -name '.tmp-*')" ]; }
ok "no temporary file is left" wait_for 5 no_temporary
ok "the daemon goes on" answers
daemon_stop

finish
