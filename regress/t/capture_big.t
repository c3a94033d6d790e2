#!/bin/bash
# A database of 5 GiB that is nearly all holes: the copy has the holes, the
# pages beyond the lock page are right, and our memory does not follow.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"
LIMIT_KIB=$((48 * 1024))
WAIT=180

mkdb big "$D/big.db" 5
mkdb big "$D/bigwal.db" 1.01 wal 65536
daemon_with "$(database big "$D/big.db" "lock limit 60s")" \
    "$(database bigwal "$D/bigwal.db" "lock limit 60s")" || exit 1

# All our processes together, by what each has for itself.
pss() {
	local p
	for p in "$DAEMON" $(pgrep -P "$DAEMON"); do
		[ "$p" = "$SAMPLER" ] || cat "/proc/$p/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}
sample() {	# until $T/stop is there: the largest sum into $T/peak
	local n max=0 count=0
	while [ ! -e "$T/stop" ]; do
		n=$(pss)
		count=$((count + 1))
		[ "$n" -le "$max" ] || { max=$n; echo "$max" >"$T/peak"; }
		sleep 0.02
	done
	echo "$count" >"$T/samples"
}
if [ "$(pss)" -gt 0 ] && cat "/proc/$(pgrep -P "$DAEMON" | head -1)/smaps_rollup" >/dev/null 2>&1; then
	sample &
	SAMPLER=$!
	PIDS="$PIDS $SAMPLER"
fi
before=$(stat -c '%s %Y %i %b' "$D/big.db")
created "5 GiB" big
big=$FILE id=$ID
echo "# the lock was held for $(json .data.lock_held_ms <"$T/body") ms"
is "the live file is untouched" "$(stat -c '%s %Y %i %b' "$D/big.db")" "$before"
created "beyond 1 GiB in a log, 64 KiB pages" bigwal
bigwal=$FILE
n=$(curl -s -m 120 -o /dev/null -w '%{size_download}' "$URL/download/$id")
is "all of it is downloaded" "$n" "$(stat -c %s "$D/big.db")"
if [ -n "${SAMPLER:-}" ]; then
	touch "$T/stop"; gone 5 "$SAMPLER"; wait "$SAMPLER"
	ok "memory of all processes together: $(cat "$T/peak") KiB, of $(cat "$T/samples") samples" \
	    test "$(cat "$T/peak")" -lt $LIMIT_KIB
else
	skip "the memory of our processes is not shown to this user"
fi
ok "the copy has the holes: $(stat -c %b "$big") blocks of 512" test "$(stat -c %b "$big")" -lt 200000
is "it has the rows beyond the lock page" "$(sqlite3 "file:$big?immutable=1" 'SELECT v, length(pad) FROM t WHERE id = 2')" 'last|3000000'
is "and so has the other" "$(sqlite3 "file:$bigwal?immutable=1" 'SELECT v, length(pad) FROM t WHERE id = 2; PRAGMA quick_check' | xargs)" 'last|3000000 ok'
finish
