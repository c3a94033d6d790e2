#!/bin/bash
# Compressed and encrypted backups: what is stored is what zstd(1) and age(1)
# make the database of; restored from everywhere; nothing of it believed.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
command -v age >/dev/null && command -v zstd >/dev/null || skip_all "no age, no zstd"
R=$T/remote
JSON='Content-Type: application/json'

for k in one two three; do age-keygen -o "$T/$k" 2>/dev/null; done
pub() { age-keygen -y "$T/$1"; }
secret() { grep -v '^#' "$T/$1"; }
for db in z a za mixed back; do
	"$TOOLS/bank" "$T/$db.db" -m wal -n 500 -z 1 init
	sqlite3 "$T/$db.db" "CREATE TABLE soft (t); INSERT INTO soft
	    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
	    LIMIT 4000) SELECT printf('%0300d', i) FROM n" >/dev/null
done
conf() {
	daemon_conf ${SANITIZED:+"sandbox log"} "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" retry from 300ms to 900ms }" \
	    "database \"z\" { path \"$T/z.db\" to \"hq\"
	compress zstd 3 }" \
	    "database \"a\" { path \"$T/a.db\" to \"hq\"
	encrypt to \"$(pub one)\" }" \
	    "database \"za\" { path \"$T/za.db\" to \"hq\"
	compress zstd 19
	encrypt to \"$(pub one)\", \"$(pub two)\" }" \
	    "database \"mixed\" { path \"$T/mixed.db\" to \"hq\"
	compress zstd remote
	encrypt to \"$(pub one)\" remote }" \
	    "database \"back\" { path \"$T/back.db\" to \"hq\"
	compress zstd local $1 }"
}
remote_start || exit 1
conf
daemon_start || finish

sum() { openssl dgst -sha256 -r | cut -d' ' -f1; }
field() { json ".data.$1" <<<"${OUT[$db]}"; }
there() { echo "$R/$(field remote_backup_id).sqlite"; }
# plain FORM <FILE: what the programs make of it.
plain() { case $1 in
	sqlite) cat ;; sqlite.zst) zstd -dqc ;;
	sqlite.age) age -d -i "$T/${2:-one}" ;;
	sqlite.zst.age) age -d -i "$T/${2:-one}" | zstd -dqc ;; esac; }
# restore ID [JSON] [QUERY]: the answer.
restore() { api POST "/restore/$1" -H "$JSON" -d "${2:-{\}}"; }
identity() { jq -cn --arg i "$(cat "$T/$1")" "${2:-{\}} + {identity: \$i}"; }
count() { sqlite3 "$T/$1.db" 'SELECT count(*) FROM soft'; }
# spoil DB: the live database is another one; whole DB: it is as backed up.
spoil() { sqlite3 "$T/$1.db" 'DELETE FROM soft WHERE rowid > 10'; }
whole() { [ "$(count "$1")" = 4000 ]; }

# Each form, stored here and there.
declare -A OUT LOCAL=([z]=sqlite.zst [a]=sqlite.age [za]=sqlite.zst.age [mixed]=sqlite [back]=sqlite.zst)
declare -A REMOTE=([z]=sqlite.zst [a]=sqlite.age [za]=sqlite.zst.age [mixed]=sqlite.zst.age [back]=sqlite)
for db in z a za mixed back; do
	OUT[$db]=$(create "{\"database\":\"$db\"}")
	f=$(field file_path)
	is "$db: completed, proven" "$(field status) $(field verification)" "completed sound"
	is "$db: the form here" "$(field form) ${f##*Z-[0-9].}" "${LOCAL[$db]} ${LOCAL[$db]}"
	is "$db: size and checksum of what is stored" "$(stat -c %s "$f") sha256:$(sha256 "$f")" "$(field stored_size) $(field stored_checksum)"
	is "$db: the programs make the image of it" "sha256:$(plain "${LOCAL[$db]}" <"$f" | sum)" "$(field checksum)"
	is "$db: the form there" "$(field remote_form)" "$([ ${LOCAL[$db]} = ${REMOTE[$db]} ] && echo null || echo ${REMOTE[$db]})"
	is "$db: and there" "sha256:$(plain "${REMOTE[$db]}" <"$(there)" | sum)" "$(field checksum)"
	is "$db: its name there" "$(json .filename <"${R}/$(field remote_backup_id).json")" "database.${REMOTE[$db]}"
done
ok "it has become smaller" test "$(json '.data.compression_ratio * 100 | floor' <<<"${OUT[z]}")" -gt 150
is "the ratio is in the catalog" "$(sqlite3 "$BACKUP_DIR/catalog.sqlite" "SELECT compression_ratio FROM cloud_backups WHERE id = $(db=z field id)")" "$(db=z field compression_ratio)"
is "encrypted, not compressed: a little larger" "$(json '.data.compression_ratio <= 1' <<<"${OUT[a]}")" true
db=za
is "the second recipient can, too" "sha256:$(plain sqlite.zst.age two <"$(field file_path)" | sum)" "$(field checksum)"
nok "a third cannot" age -d -i "$T/three" -o /dev/null "$(field file_path)"
is "one frame, its size, a checksum" "$(db=z; zstd -lv "$(field file_path)" 2>/dev/null | awk '/^# Zstandard Frames:|^Number of Frames/ { print $NF } /^Decompressed Size:/ { gsub(/[()]/, ""); print $(NF - 1) } /^Check:/ { print $2 }' | xargs)" "1 $(db=z; field file_size) XXH64"
is "nothing waits any more" "$(find "$BACKUP_DIR" -name '*.remote.*' -o -name '.tmp-*')" ""

# Downloads.
db=z id=$(field id)
curl -s -D "$T/head" -o "$T/got" "$URL/download/$id"
is "a download is the image" "sha256:$(sha256 "$T/got")" "$(field checksum)"
like "by its name and type" "$(tr -d '\r' <"$T/head" | grep -i '^content' | xargs)" '*filename=z-*-*.sqlite *x-sqlite3*'
is "a part of it" "$(curl -s -r 100-299 "$URL/download/$id" | sum)" "$(tail -c +101 "$T/got" | head -c 200 | sum)"
curl -s -D "$T/head" -o "$T/got" "$URL/download/$id?raw=1"
ok "raw: what is stored" cmp "$T/got" "$(field file_path)"
like "raw: its name, type and tag" "$(tr -d '\r' <"$T/head" | grep -iE '^(content|etag)' | xargs)" "*$(field stored_checksum)*.sqlite.zst*application/zstd*"
is "raw is 0 or 1" "$(code GET "/download/$id?raw=yes")" 400
db=za id=$(field id)
is "encrypted: not without raw" "$(api GET "/download/$id" | json .errorCode)" IDENTITY_NEEDED
is "encrypted: raw" "$(curl -s "$URL/download/$id?raw=1" | plain sqlite.zst.age | sum)" "$(field checksum | cut -d: -f2)"

# Restores, of what is here and of what is only there.
for where in here there; do
	for db in z a za mixed back; do
		id=$(field id) body={}
		case $where:$db in *:a|*:za|there:mixed) body=$(identity one) ;; esac
		[ $where = there ] && mv "$(field file_path)" "$T/$db.kept"
		spoil $db
		out=$(restore "$id" "$body")
		is "$where: $db is restored" "$(json '"\(.success) \(.data.checksum)"' <<<"$out")" "true $(field checksum)"
		ok "$where: $db is whole" whole $db
		if [ $where = there ]; then
			case $db in a|za|mixed)
				is "there: $db needs an identity" "$(code GET "/download/$id") $(restore "$id" | json .errorCode)" "422 IDENTITY_NEEDED"
				is "there: $db raw" "$(curl -s "$URL/download/$id?raw=1" | sum)" "$(sha256 "$(there)")" ;;
			*) is "there: $db by download" "sha256:$(curl -s "$URL/download/$id" | sum)" "$(field checksum)" ;; esac
			mv "$T/$db.kept" "$(field file_path)"
		fi
	done
done

# Identities.
db=za id=$(field id)
spoil za
is "none: needed" "$(restore "$id" | json .errorCode)" IDENTITY_NEEDED
is "another: wrong" "$(restore "$id" "$(identity three)" | json .errorCode)" IDENTITY_WRONG
is "text that is none" "$(restore "$id" '{"identity":"correct horse"}' | json .errorCode)" IDENTITY_WRONG
is "a recipient is none" "$(restore "$id" "{\"identity\":\"$(pub one)\"}" | json .errorCode)" IDENTITY_WRONG
is "too long" "$(restore "$id" "{\"identity\":\"$(printf '%3000s' | tr ' ' x)\"}" | json .errorCode)" INVALID_PARAMETER
is "nothing has changed" "$(count za)" 10
is "the second recipient's" "$(restore "$id" "{\"identity\":\"$(secret two)\"}" | json .success)" true
ok "is whole" whole za
spoil za
chmod 644 "$T/two"
like "a file that others can read" "$(restore "$id" "{\"identity_file\":\"$T/two\"}" | json '"\(.errorCode) \(.message)"')" 'INVALID_PARAMETER *identity file*'
chmod 600 "$T/two"
is "no path" "$(restore "$id" '{"identity_file":"two"}' | json .errorCode)" INVALID_PARAMETER
is "one that is not there" "$(restore "$id" '{"identity_file":"/nonexistent"}' | json .errorCode)" INVALID_PARAMETER
token=$("$BUILD/cloudbackupd" -T "rest:restore" -f "$CONF" 2>/dev/null | tail -1)
like "a token may restore, but name no file" "$(curl -s -H "Authorization: Bearer $token" -H "$JSON" -d "{\"identity_file\":\"$T/two\"}" "$URL/restore/$id" | json '"\(.errorCode) \(.message)"')" 'FORBIDDEN *identity file*'
is "a file" "$(restore "$id" "{\"identity_file\":\"$T/two\"}" | json .success)" true
ok "is whole" whole za
job=$(api POST "/restore/$id" -H "$JSON" -H 'Prefer: respond-async' -d "$(identity one)" | json .data.id)
ended_job() { case $(api GET "/jobs/$job" | json .data.state) in done|failed) ;; *) false ;; esac; }
wait_for 10 ended_job
is "in the background" "$(api GET "/jobs/$job" | json .data.state)" done
nok "no identity in the job" sh -c "curl -s '$URL/jobs/$job' | grep -i secret-key"
nok "nor in the log, the catalog, the backups" grep -rq "AGE-SECRET-KEY-1[A-Z0-9]" "$T/daemon.log" "$BACKUP_DIR"
# What stays of it in the memory of a process: the middle of the secret.
left() {
	perl -e 'my ($pid, $what) = @ARGV; my $n = 0;
	    open(my $maps, "<", "/proc/$pid/maps") or exit;
	    open(my $mem, "<:raw", "/proc/$pid/mem") or exit;
	    while (<$maps>) {
		my ($a, $b) = /^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
		my $buf;
		sysseek($mem, hex $a, 0);
		sysread($mem, $buf, hex($b) - hex($a)) or next;
		$n += () = $buf =~ /\Q$what/g;
	    }
	    print $n' "$1" "$2"
}
middle=$(secret one | cut -c24-64)
if [ -z "${SANITIZED:-}" ]; then	# its memory is terabytes
	for which in front network; do is "no identity stays in $which" "$(left "$(child $which)" "$middle")" 0; done
	is "nor in the engine" "$(left "$DAEMON" "$middle")" 0
fi
is "a job without identity goes on to fail" "$(restore "$id" | json .errorCode)" IDENTITY_NEEDED

# What was changed, cut off or put there by others.
before=$(sha256 "$T/z.db")
tamper() {	# tamper FILE: as many ways as there are; each is refused
	cp "$1" "$T/good"
	_size=$(stat -c %s "$1")
	for _at in 20 $((_size / 2)) $((_size - 1)); do
		printf '\377' | dd of="$1" bs=1 seek=$_at conv=notrunc status=none
		cmp -s "$1" "$T/good" && printf 'x' | dd of="$1" bs=1 seek=$_at conv=notrunc status=none
		restore "$id" "$2" | json '"\(.success) \(.errorCode)"'
		cp "$T/good" "$1"
	done
	truncate -s $((_size - 5)) "$1"
	restore "$id" "$2" | json '"\(.success) \(.errorCode)"'
	cp "$T/good" "$1"
}
none='false INVALID_BACKUP'
for db in z za; do
	id=$(field id) f=$(field file_path)
	got=$(tamper "$f" "$(identity one)")
	is "$db: changed here: the remote has it whole" \
	    "$(sort -u <<<"$got")" "true null"
	mv "$f" "$T/kept"
	got=$(tamper "$(there)" "$(identity one)" | sort -u)
	is "$db: changed there" "$got" "$none"
	head -c 30000000 /dev/zero | zstd -q >"$T/bomb"
	cp "$(there)" "$T/good"
	if [ $db = z ]; then cp "$T/bomb" "$(there)"
	else age -r "$(pub one)" -o "$T/bomb.age" "$T/bomb"; cp "$T/bomb.age" "$(there)"; fi
	is "$db: a bomb" "$(restore "$id" "$(identity one)" | json .errorCode)" INVALID_BACKUP
	cp "$T/good" "$(there)"
	mv "$T/kept" "$f"
done
ok "z is whole" whole z

# Waiting for the remote: the other form lies beside it, and goes then.
echo 'path /api/user-backup/create status 503' >"$R/fault"
db=mixed
OUT[mixed]=$(create '{"database":"mixed"}')
is "the remote is busy" "$(field status)" pending
w=$(ls "$BACKUP_DIR"/mixed/*.remote.sqlite.zst.age)
ok "what waits is encrypted" grep -q '^age-encryption.org/v1$' "$w"
kill_daemon
start_daemon || finish
ok "it stays across a restart" test -f "$w"
rm "$R/fault"
up() { [ "$(api GET /user | jq -r --argjson i "$(field id)" '.data[] | select(.id == $i) | .status')" = completed ]; }
ok "then it arrives" wait_for 15 up
wait_for 3 test ! -f "$w"
is "and has gone" "$(find "$BACKUP_DIR" -name '*.remote.*')" ""

# kill -9 at any moment of it: every file its row, every row its file.
truth() {
	api GET /user >"$T/list"
	jq -r '.data[] | select((.locations | index("local")) != null) | [.id, .file_path, .stored_checksum] | @tsv' "$T/list" |
	while IFS="$(printf '\t')" read -r _id _path _sum; do
		[ "sha256:$(sha256 "$_path" 2>/dev/null)" = "$_sum" ] || echo "$_id: not $_path"
	done
	jq -r '.data[].file_path // empty' "$T/list" | sort >"$T/rows"
	find "$BACKUP_DIR" -name '*.sqlite*' ! -name 'catalog*' ! -name '*.remote.*' | sort | comm -13 "$T/rows" - | sed 's/$/: no row/'
	find "$BACKUP_DIR" -name '.tmp-*' -o -name '*.remote.*'
}
WRONG=
for i in 1 2 3 4; do
	db=$([ $((i % 2)) = 0 ] && echo back || echo mixed)
	create "{\"database\":\"$db\"}" >/dev/null &
	CLIENT=$!
	sleep "0.$((i * 5 + RANDOM % 5 + 10))"
	kill_daemon
	wait $CLIENT
	start_daemon || { result 1 "it starts again"; finish; }
	wait_for 15 settled || WRONG="$WRONG $i: not settled"
	sleep 0.1
	WRONG="$WRONG$(truth)"
done
is "killed within: files and rows agree" "$WRONG" ""

# The catalog is lost: what can be opened is proven again.
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
rm "$BACKUP_DIR"/catalog.sqlite*
daemon_start || finish
adopted() { [ "$(api GET /user | jq '[.data[] | select(.id != null and (.locations | index("local")) != null)] | length')" -ge "$(find "$BACKUP_DIR" -name '*.sqlite*' ! -name 'catalog*' | wc -l)" ]; }
ok "all are adopted" wait_for 20 adopted
row() { api GET /user | jq -r --argjson i "$(field id)" '.data[] | select(.id == $i) | '"$1"; }
db=z
is "compressed: sound, with both checksums" "$(row '"\(.status) \(.verification) \(.checksum) \(.stored_checksum)"')" "completed sound $(field checksum) $(field stored_checksum)"
db=za
is "encrypted: unknown, with its own" "$(row '"\(.status) \(.verification) \(.checksum) \(.stored_checksum)"')" "completed unknown null $(field stored_checksum)"
spoil za
is "needs an identity" "$(restore "$(field id)" | json .errorCode)" IDENTITY_NEEDED
is "is restored with it" "$(restore "$(field id)" "$(identity two)" | json '"\(.success) \(.data.checksum)"')" "true $(field checksum)"
ok "and whole" whole za
is "raw it comes as it is" "sha256:$(curl -s "$URL/download/$(field id)?raw=1" | sum)" "$(field stored_checksum)"
# Only the remote has it, and nobody knows what it is.
db=za
spoil za
is "unknown at the remote: force" "$(restore "remote:$(field remote_backup_id)" "$(identity one '{database: "za"}')" | json .errorCode)" FORCE_REQUIRED
is "unknown: restored by its bytes" "$(restore "remote:$(field remote_backup_id)" "$(identity one '{database: "za", force: true}')" | json '"\(.success) \(.data.checksum)"')" "true $(field checksum)"
ok "and whole" whole za
is "unknown: no download" "$(api GET "/download/remote:$(field remote_backup_id)" | json .errorCode)" IDENTITY_NEEDED
db=z
is "unknown and compressed: the image" "sha256:$(curl -s "$URL/download/remote:$(field remote_backup_id)" | sum)" "$(field checksum)"
is "or raw" "$(curl -s "$URL/download/remote:$(field remote_backup_id)?raw=1" | sum)" "$(sha256 "$(there)")"
daemon_stop

# A disk that is too small for both forms: said so, and nothing is left.
if [ "$(id -u)" = 0 ] && mkdir -p "$T/small" && mount -t tmpfs -o size=4500k tmpfs "$T/small" 2>/dev/null; then
	trap 'cleanup; umount "$T/small" 2>/dev/null; rm -rf "$T"' EXIT
	chmod 700 "$T/small"
	BACKUP_DIR=$T/small/b daemon_conf ${SANITIZED:+"sandbox log"} "reserve 64k" "database \"a\" { path \"$T/a.db\"
	encrypt to \"$(pub one)\" }"
	BACKUP_DIR=$T/small/b
	daemon_start || finish
	is "no room for the second form" "$(create | json .errorCode)" INSUFFICIENT_SPACE
	is "nothing is left of it" "$(find "$BACKUP_DIR" -name '*.sqlite*' ! -name 'catalog*' -o -name '.tmp*')" ""
	daemon_stop
	umount "$T/small"
else
	skip "no tmpfs"; skip "no tmpfs"
fi
finish
