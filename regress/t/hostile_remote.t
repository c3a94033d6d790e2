#!/bin/bash
# A remote that means harm: answers that lie, never end, or point elsewhere,
# and 300 damaged databases to download and to restore with force.  Nothing
# crashes, hangs, fills memory or disk; a worker that looks at such content
# is confined; what the catalog knows must have its checksum.
# CHECK_LONG=1: all of them are restored, too.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -x "$TOOLS/mutate" ] || skip_all "no tools; try: make tools"
perl -MIO::Socket::INET -MCompress::Zlib -e 1 2>/dev/null || skip_all "no perl"
MUTANTS=${MUTANTS:-300}

E=$T/evil
mkdir "$E"
EPORT=$(port) OTHER=$(port)
perl "$TOP/regress/hostile/remote.pl" "$EPORT" "$E" >"$T/evil.log" 2>&1 </dev/null &
PIDS="$PIDS $!"
# Where a redirection would lead: whoever comes is noted.
mkdir "$T/other"
"$TOOLS/remote" -p "$OTHER" -d "$T/other" >/dev/null 2>&1 </dev/null &
PIDS="$PIDS $!"
wait_for 5 curl -s -o /dev/null -m 2 "http://127.0.0.1:$OTHER/health"
rm -f "$T/other/requests.log"

"$TOOLS/bank" "$T/app.db" -m wal -n 100 init
"$TOOLS/bank" "$T/victim.db" -m delete -n 100 init
(umask 077; echo s3cr3t-k3y >"$T/key")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -keyout "$T/tls.key" -out "$T/tls.pem" 2>/dev/null
chmod 600 "$T/tls.key"
while TPORT=$(port); [ "$TPORT" = "$EPORT" -o "$TPORT" = "$OTHER" ]; do :; done
daemon_conf "listen on socket \"$T/http.sock\"" \
    "listen on 127.0.0.1 port $TPORT tls certificate \"$T/tls.pem\" key \"$T/tls.key\"" \
    "remote \"hq\" { rest \"http://127.0.0.1:$EPORT\" api key file \"$T/key\" timeout 1s retry from 1h to 1h }" \
    "database \"victim\" { path \"$T/victim.db\" }" \
    "database \"app\" { path \"$T/app.db\" to \"hq\" }"
daemon_start || finish
ENGINE=$DAEMON NET=$(child network) FRONT=$(child front)
mode() { echo "$@" >"$E/mode"; }
fds() { ls "/proc/$1/fd" | wc -l; }
peak() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
lives() { [ "$(child network)" = "$NET" ] && [ "$(child front)" = "$FRONT" ] && alive "$ENGINE"; }
down() { code GET "/download/${1:-rb-1}" -m "${2:-20}"; }
force() { code POST "/restore/$1" -m 40 -H 'Content-Type: application/json' -d '{"database":"victim","force":true}'; }
strays() { find "$BACKUP_DIR" -name '.tmp-*'; }

mode nothing
down >/dev/null
engine_fds=$(fds $ENGINE) net_fds=$(fds $NET)
disk() { df -k --output=used "$T" | tail -1; }

# ---- answers ----
for m in $(perl "$TOP/regress/hostile/remote.pl" 0 "$E" modes 2>/dev/null || sed -n "s/^	'\([a-z-]*\)' => sub.*/\1/p" "$TOP/regress/hostile/remote.pl"); do
	case $m in
	endless-body|endless-chunks) continue ;;	# below
	esac
	mode "$m" "$OTHER"
	t0=$SECONDS
	st=$(down)
	case $st in
	4??|5??) result 0 "$m: a download is $st after $((SECONDS - t0)) s" ;;
	*) result 1 "$m: a download" "status $st" ;;
	esac
	# A list may take half a minute: once is enough.
	[ "$m" = drip-head ] || st=$(code GET '/user?location=remote' -m 50)
	hs=$(code GET /health -m 20)
	ok "$m: the list is $st, health $hs, and all live" lives
	is "$m: nothing is left" "$(strays)" ""
done
ok "nobody was led elsewhere" test ! -s "$T/other/requests.log"
nok "no file was made where a name pointed" test -e /tmp/evil
ok "the network's memory: $(peak $NET) KiB" test "${SANITIZED:+1}" -o "$(peak $NET)" -lt 131072
mode types
api GET '/user?location=remote' >"$T/list"
ok "a list of wrong types is JSON still" jq -e . "$T/list"
nok "and has no id with a NUL" grep -qF '\\u0000' "$T/list"
mode deep
code POST /create -H 'Content-Type: application/json' -d '{"database":"app"}' >"$T/st"
is "an upload to it: the backup is taken" "$(cat "$T/st")" 200
is "and is not there" "$(api GET '/user?database=app' | jq -r '.data[0].locations | join(",")')" local

# ---- a body without end, and nobody who waits for it ----
mode endless-chunks
given_up() { [ "$(grep -ac 'client went away' "$T/daemon.log")" = "$1" ]; }
net_before=$(fds $NET) engine_before=$(fds $ENGINE)
# Four run at a time, the others are in the queue.
for i in 1 2 3 4 5 6; do down rb-1 1 >/dev/null & gone[$i]=$!; done
wait "${gone[@]}"
ok "six clients went away: nothing is fetched for them any more" wait_for 6 given_up 6
is "and nothing is left" "$(strays)" ""
back() { [ "$(fds $NET)" -le "$net_before" ] && [ "$(fds $ENGINE)" -le "$engine_before" ]; }
ok "nor a descriptor" wait_for 2 back
ticks() { awk '{ print $14 + $15 }' "/proc/$NET/stat"; }
t0=$(ticks)
sleep 0.5
ok "the network process rests" test $(($(ticks) - t0)) -lt 10
# TCP does not tell one who has stopped to send from one who is gone: a
# question is answered, and what takes long is given up.
half_close() {
	perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die; print $s "GET $ARGV[1] HTTP/1.1\r\nHost: localhost\r\n\r\n"; $s->flush; select undef, undef, undef, $ARGV[2]; shutdown $s, 1; local $/; print scalar <$s>' "$PORT" "$1" "$2"
}
like "who sends no more: a question is answered" "$(half_close /healthz 0)" 'HTTP/1.1 200*'
is "a fetch is given up" "$(PORT=$PORT timeout 5 bash -c "$(declare -f half_close); half_close /api/cloud-backup/download/rb-1 0.3"; echo $?)" 0
ok "at once" wait_for 2 given_up 7
curl -s -m 1 -o /dev/null --unix-socket "$T/http.sock" "$URL/download/rb-1"
ok "who was at the socket went away" wait_for 2 given_up 8
token=$("$BUILD/cloudbackupd" -f "$CONF" -T me:download 2>/dev/null)
curl -sk -m 1 -o /dev/null -H "Authorization: Bearer $token" "https://localhost:$TPORT/api/cloud-backup/download/rb-1"
ok "who spoke TLS went away" wait_for 2 given_up 9
# As before when the client stays.
mode nothing
is "the next client is served" "$(down)" 502

# Ids of a client's choice.
mode serve
for id in '..%2f..%2fetc%2fpasswd' 'a%00b' '%2e%2e' '..' "$(printf 'a%.0s' $(seq 300))" '%ff%fe' 'a%0d%0aX:%20y'; do
	st=$(down "$id")
	like "an id like ${id:0:24}" "$st" '4??'
done

# ---- bodies without end: the disk ----
truncate -s 64M "$T/disk"
if [ "$(id -u)" = 0 ] && mkfs.ext4 -q "$T/disk" 2>/dev/null && mkdir "$T/small" && mount -o loop "$T/disk" "$T/small" 2>/dev/null; then
	daemon_stop
	mkdir -m 700 "$T/small/backups"
	kept=$BACKUP_DIR BACKUP_DIR=$T/small/backups
	daemon_conf "reserve 8m" "remote \"hq\" { rest \"http://127.0.0.1:$EPORT\" timeout 1s }" \
	    "database \"victim\" { path \"$T/victim.db\" }"
	if daemon_start; then
		for m in endless-body endless-chunks; do
			mode $m
			like "$m: given up" "$(down rb-1 60)" '5??'
			ok "$m: the reserve is left" test "$(df -k --output=avail "$T/small" | tail -1)" -gt 8000
			is "$m: nothing is left" "$(strays)" ""
		done
		daemon_stop
	fi
	umount "$T/small"
	BACKUP_DIR=$kept
	daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$EPORT\" timeout 5s }" \
	    "database \"victim\" { path \"$T/victim.db\" }" \
	    "database \"app\" { path \"$T/app.db\" }"
	daemon_start || finish
	ENGINE=$DAEMON NET=$(child network) FRONT=$(child front)
	mode nothing
	down >/dev/null
	engine_fds=$(fds $ENGINE) net_fds=$(fds $NET)
else
	skip "bodies without end (no loop device)"
fi

# ---- databases ----
src() { sqlite3 "$E/src-$1" >/dev/null; }
"$TOOLS/bank" "$E/src-0" -m delete -n 40 init
src 1 <<'S'
PRAGMA page_size=512; PRAGMA auto_vacuum=1;
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE, c);
CREATE INDEX i ON t(c) WHERE c > 1;
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300)
INSERT INTO t SELECT x, 'row' || x, x % 3 FROM n;
CREATE VIEW v AS SELECT a FROM t;
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;
S
src 2 <<'S'
PRAGMA page_size=1024; PRAGMA encoding='UTF-16le';
CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO w VALUES('a', zeroblob(30000)), ('b', 1.5);
DELETE FROM w WHERE k = 'a';
CREATE VIRTUAL TABLE f USING fts5(x);
INSERT INTO f VALUES('some words');
S
src 3 <<'S'
CREATE TABLE g(a, b AS (a + 1) STORED CHECK(b > 0));
INSERT INTO g VALUES(1);
CREATE INDEX gi ON g(abs(a));
S
# The schema itself is the attack.
{ echo "PRAGMA page_size=4096; BEGIN;"
  for i in $(seq 5000); do echo "CREATE TABLE t$i(a, b, c DEFAULT (1));"; done
  echo "COMMIT;"; } | sqlite3 "$E/bad-tables"
deep() { perl -e 'print "(" x '"$1"', "a", "+1)" x '"$1"; }
poison() {	# poison NAME SQL: a table whose text is that
	sqlite3 "$E/bad-$1" "CREATE TABLE t(a); INSERT INTO t VALUES(1)"
	printf '%s' "$2" >"$T/sql"
	sqlite3 "$E/bad-$1" "PRAGMA writable_schema=on; UPDATE sqlite_schema SET sql = CAST(readfile('$T/sql') AS TEXT)"
}
poison deep "CREATE TABLE t(a CHECK($(deep 900)))"
poison deeper "CREATE TABLE t(a CHECK($(deep 20000)))"
poison columns "CREATE TABLE t($(seq -s, -f 'c%g' 40000))"
poison default "CREATE TABLE t(a DEFAULT (hex(zeroblob(1000000000))))"
poison generated "CREATE TABLE t(a, b AS (hex(zeroblob(900000000))), CHECK(length(b) > 5))"
poison check "CREATE TABLE t(a CHECK((WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT count(*) FROM n)))"
poison extension "CREATE TABLE t(a CHECK(load_extension('/tmp/evil.so')))"
poison virtual "CREATE VIRTUAL TABLE t USING fts5(a)"
poison long "CREATE TABLE t(a /* $(head -c 3000000 /dev/zero | tr '\0' x) */)"
sqlite3 "$E/bad-view" "CREATE TABLE t(a); CREATE VIEW v AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n; CREATE TRIGGER g AFTER UPDATE ON t BEGIN DELETE FROM t; END"
: >"$E/bad-empty"
head -c 50 "$E/src-0" >"$E/bad-stub"
head -c 200000 /dev/urandom >"$E/bad-noise"

mode serve
# Front has no HTTP answer of 000: that is curl's for none.
try() { st=$(down "$1" 60); case $st in 200|4??|5??) ;; *) echo "$1: download $st" ;; esac; }
retry() { st=$(force "$1"); case $st in 200|4??|5??) ;; *) echo "$1: restore $st" ;; esac; }
bad=$(cd "$E" && ls -d bad-*)
t0=$SECONDS
is "$(wc -w <<<"$bad") databases made to harm: download" "$(for b in $bad; do try "$b"; done)" ""
is "and restore" "$(for b in $bad; do retry "$b"; done)" ""
ok "all live ($((SECONDS - t0)) s)" lives
seed=${SEED:-$RANDOM}
echo "# seed $seed"
for i in $(seq $MUTANTS); do "$TOOLS/mutate" "$E/src-$((i % 4))" "$E/mut-$i" $((seed + i)); done
t0=$SECONDS
half() { for i in $(seq "$1" 2 $MUTANTS); do try "mut-$i"; done; }
half 1 >"$T/half1" & h1=$!
half 2 >"$T/half2"; wait $h1
is "$MUTANTS mutated databases: download ($((SECONDS - t0)) s)" "$(cat "$T/half1" "$T/half2")" ""
t0=$SECONDS
is "and restore with force" "$(for i in $(seq 1 $([ -n "${CHECK_LONG:-}" ] && echo 1 || echo 6) $MUTANTS); do retry "mut-$i"; done)" ""
ok "all live ($((SECONDS - t0)) s)" lives
is "no worker crashed" "$(grep -aE 'ended without an answer|was ended: it|Sanitizer|runtime error' "$T/daemon.log" | head -3)" ""
is "nothing is left" "$(strays)" ""
ok "the engine's descriptors: $engine_fds, then $(fds $ENGINE)" test $(($(fds $ENGINE) - engine_fds)) -le 1
ok "the network's: $net_fds, then $(fds $NET)" test $(($(fds $NET) - net_fds)) -le 2
is "the other database is whole" "$("$TOOLS/bank" "$T/app.db" check >/dev/null && echo whole)" whole
nok "no extension was loaded" grep -q 'evil.so' "$T/evil.log"

# ---- the checksum decides ----
"$TOOLS/bank" "$T/good.db" -m delete -n 50 init
remote_start || finish
daemon_stop
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" timeout 5s retry from 50ms to 100ms }" \
    "database \"app\" { path \"$T/app.db\" to \"hq\" }"
daemon_start || finish
wait_for 10 settled
create '{"database":"app"}' >"$T/made"
is "a backup is at a remote" "$(json '.data.locations | join(",")' <"$T/made")" local,remote
rm -f "$(json .data.file_path <"$T/made")"
rid=$(json .data.remote_backup_id <"$T/made")
cp "$T/good.db" "$T/remote/$rid.sqlite"
before=$(sha256 "$T/app.db")
like "another sound database in its place: download" "$(code GET "/download/$(json .data.id <"$T/made")")" '[45]??'
like "and restore, with force" "$(code POST "/restore/$(json .data.id <"$T/made")" -H 'Content-Type: application/json' -d '{"force":true}')" '[45]??'
ok "because its checksum differs" grep -aq 'checksum differs' "$T/daemon.log"
cat "$T/good.db" "$T/app.db" "$T/app.db" >"$T/remote/$rid.sqlite"
is "more bytes than were uploaded" "$(api GET "/download/$(json .data.id <"$T/made")" | jq -r .error)" "127.0.0.1 port $RPORT sends more bytes than this backup may have"
is "the database is as it was" "$(sha256 "$T/app.db")" "$before"
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
