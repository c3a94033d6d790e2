#!/bin/bash
# Hundreds of requests of each kind, those that fail among them: descriptors
# are what they were, and memory as good as.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -z "${SANITIZED:-}" ] || skip_all "sanitizers keep what is freed"
ROUNDS=$([ -n "${CHECK_LONG:-}" ] && echo 3000 || echo 300)
JOBS_N=$((ROUNDS / 10))		# what writes to the disk

"$TOOLS/bank" "$T/app.db" -m wal -n 50 init
remote_start || finish
daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"app\" { path \"$T/app.db\" user id \"42\" to \"hq\" }"
daemon_start || finish
create >/dev/null
create >/dev/null
wait_for 10 settled
rm -f "$(api GET /user | jq -r '.data[] | select(.id == 1).file_path')"
ENGINE=$DAEMON FRONT=$(child front) NET=$(child network)

# many N CURL-OPTIONS... PATH: that often on one connection, and a tenth as
# often each on its own.
many() {
	local n=$1 path=${*: -1} i urls=
	shift
	set -- "${@:1:$#-1}"
	for i in $(seq "$n"); do urls="$urls $URL$path"; done
	curl -s "$@" $urls
	for i in $(seq $((n / 10))); do curl -s "$@" "$URL$path"; done
} >/dev/null
J='Content-Type: application/json'
all() {
	local n=$1 jobs=$2
	for p in /stats /user/42 '/user?limit=2' /download/2 /download/99 \
	    /jobs/1 /license-info /nothing; do many "$n" "$p"; done
	many "$n" -H 'Range: bytes=9-99' /download/2
	many "$n" -H 'Authorization: Bearer cb_nothing' /user
	many "$n" -H 'Origin: http://evil.test' /user
	many "$n" -H "$J" -d '{"database":' /create
	many "$n" -H "$J" -d '{"database":"none"}' /create
	many "$n" -H "$J" -d '{}' /restore/99
	many "$n" -X OPTIONS /user
	many "$jobs" /health
	many "$jobs" '/user?location=remote'
	many "$jobs" /file-info
	many "$jobs" /check-locks
	many "$jobs" /download/1
	many "$jobs" /download/remote:none
	many "$jobs" -H "$J" -d '{}' /create
	many "$((jobs / 3))" -H "$J" -d '{"force":true}' /restore/2
	# Half a request, and gone.
	for i in $(seq "$jobs"); do
		printf 'POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{' \
		    >"/dev/tcp/127.0.0.1/$PORT"
	done
	wait_for 20 settled
}
fds() { for p in $ENGINE $FRONT $NET; do ls "/proc/$p/fd" | wc -l; done | paste -sd ' '; }
pss() { pss_kib "$ENGINE"; pss_kib "$FRONT"; pss_kib "$NET"; }

all 30 6
before=$(fds) memory=$(pss)
all "$ROUNDS" "$JOBS_N"
is "all are alive" "$(child front) $(child network)" "$FRONT $NET"
same() { [ "$(fds)" = "$before" ]; }
ok "descriptors of engine, front, network: $before, then $(fds)" wait_for 5 same
set -- $memory $(pss)
# Jobs of an hour are remembered, and the catalog has a cache.
ok "the engine's memory: $1 KiB, then $4" test $(($4 - $1)) -lt 3000
ok "the front's: $2 KiB, then $5" test $(($5 - $2)) -lt 1000
ok "the network's: $3 KiB, then $6" test $(($6 - $3)) -lt 1500
no_workers() { [ "$(children "$ENGINE" | wc -w)" = 2 ]; }
ok "and no worker is left" wait_for 5 no_workers
is "nor a file" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
finish
