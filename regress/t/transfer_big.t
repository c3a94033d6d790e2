#!/bin/bash
# A GiB to a remote and to a client: no process may grow with it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ "$(df --output=avail -k "$T" | tail -1)" -gt 4500000 ] ||
    skip_all "less than 4.5 GB in $T"
now_ms() { echo $(($(date +%s%N) / 1000000)); }

remote_start -k k1 || finish
"$TOOLS/mkdb" big "$T/big.db" 1
BACKUP_DIR=$T/four daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" api key \"k1\" }" \
    "database \"big\" { path \"$T/big.db\" verify none }"
BACKUP_DIR=$T/four
chmod 600 "$CONF"
daemon_start || finish
sample() {
	max=0
	while kill -0 "$1" 2>/dev/null; do
		k=$(pss_kib "$DAEMON" $(children "$DAEMON"))
		[ "$k" -le "$max" ] || max=$k
		sleep 0.05
	done
	PEAK=$max
}
t0=$(now_ms)
{ curl -s -m 120 -X POST -H 'Content-Type: application/json' -d '{}' "$URL/create" >"$T/made"; curl -s -m 120 -o "$T/big.got" "$URL/download/$(json .data.id <"$T/made")"; } & p=$!
sample $p
echo "# $(($(now_ms) - t0)) ms"
is "a GiB is uploaded" "$(json '"\(.data.status) \(.data.file_size > 1000000000)"' <"$T/made")" "completed true"
is "and downloaded" "sha256:$(sha256 "$T/big.got")" "$(json .data.checksum <"$T/made")"
ok "with all processes in $PEAK KiB" test "$PEAK" -lt 28672

D=$URL/download/$(json .data.id <"$T/made")
is "the connection goes on behind it" "$(curl -s -m 20 -o /dev/null "$D" -o /dev/null "$URL/stats" -w '%{num_connects}:%{http_code} ')" "1:200 0:200 "
# Whoever is slow costs a piece of the output, not the buffer.
f=$(child front)
before=$(pss_kib "$f")
for i in $(seq 50); do
	curl -s -o /dev/null --limit-rate 20k "$D" & PIDS="$PIDS $!"
done
all_there() { [ "$(grep -c "^ *[0-9]*: 0100007F:$(printf %04X "$PORT") 0100007F:[0-9A-F]* 01 " /proc/net/tcp)" -ge 50 ]; }
ok "fifty slow downloads" wait_for 10 all_there
sleep 0.5
after=$(pss_kib "$f")
ok "take $((after - before)) KiB" test $((after - before)) -lt 4096

# A file that becomes shorter under a download: that ends, too, and is told.
exec 9<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /api/cloud-backup/download/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$(json .data.id <"$T/made")" >&9
head -c 100 <&9 >/dev/null
truncate -s 100M "$(json .data.file_path <"$T/made")"
n=$(timeout 20 cat <&9 | wc -c)
ok "what is left comes, $n bytes" test "$n" -gt 50000000 -a "$n" -lt 110000000
ok "and the log says so" wait_for 5 grep -q 'download broken off' "$T/daemon.log"
exec 9>&- 9<&-
finish
