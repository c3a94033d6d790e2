#!/bin/bash
# The engine has no descriptors left, by a low limit: what wants one fails,
# says so and is tried again; nothing is said of a backup that could not be
# opened; the daemon stays, and all goes on as soon as there are some.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"
[ "$(id -u)" = 0 ] || skip_all "only root can count the engine's descriptors"
command -v prlimit >/dev/null || skip_all "no prlimit"

RPORT=$(port)
umask 077			# the key of hq
for n in a b c; do bank "$D/$n.db" -n 20 init; done
daemon_with "$(database a "$D/a.db" "compress zstd")" \
    "$(database b "$D/b.db")" "remote \"hq\" {" \
    "rest \"http://127.0.0.1:$RPORT\"" "api key \"k1\"" "timeout 1s" \
    "retry from 100ms to 200ms }" \
    "$(database c "$D/c.db" "to \"hq\"")" || finish
taken a; A=$ID
taken b; B=$ID BF=$FILE
taken c; C=$ID
quiet() { ! child worker && ! child looker; }
numbers() { ls "/proc/$DAEMON/fd"; }
wait_for 20 quiet || :
before=$(numbers | wc -l)
most=$(prlimit --pid "$DAEMON" --nofile -o SOFT --noheadings | tr -d ' ')
# spare N: so many are free from here on.
spare() {
	prlimit --pid "$DAEMON" --nofile="$(numbers | awk -v k="$1" '
	    { u[$1] = 1 }
	    END { while (k > 0) if (!(n++ in u)) k--; print n + 0 }')":
}
enough() { prlimit --pid "$DAEMON" --nofile="$most":; }
said() { curl -s -m 30 -X "$1" "$URL$2" | jq -r '.errorCode // "none"'; }

for k in 1 2 4; do
	spare $k
	refused "$k free: a create" b 503 BUSY
	not_restored "$k free: a restore" "$B" 503 BUSY
	not_restored "$k free: one of a compressed backup" "$A" 503 BUSY
	is "$k free: a check" "$(said POST "/verify/$B")" BUSY
	is "$k free: a download of what is compressed" "$(said GET "/download/$A")" BUSY
	is "$k free: a look at the file" "$(said GET '/file-info?database=a')" BUSY
	is "$k free: who holds it" "$(said GET '/check-locks?database=a')" BUSY
	enough
done
like "the client is told why" "$(json .message <<<"$BODY")" "*Too many open files*"
spare 1
is "what cannot be opened is not called unsound" "$(said GET "/download/$B")" BUSY
waits() { log_has "backup [0-9]* cannot be sent to hq now: .*Too many open files"; }
remote_start -k k1
ok "an upload is told that it waits" wait_for 10 waits
is "and is not given up" "$(backup "$C" | jq -r .status)" pending
enough
uploaded() { [ "$(backup "$C" | jq -r .status)" = completed ]; }

# They go while a worker is at work.
for k in 0 1 3; do
	hold "$D/b.db" exclusive 2>/dev/null
	(ANSWER=$T/late; create b; echo "$CODE $ERR" >"$T/end") &
	ok "$k free later: a create is under way" wait_for 5 child worker
	spare $k
	let_go
	[ $k != 0 ] || { sleep 1; enough; }
	wait $!
	like "$k free later: it ends" "$(cat "$T/end")" "[25]0[03]*"
	enough
done
ok "the daemon is there" alive "$DAEMON"
created "with descriptors it goes on" a
restored "a restore, too" "$A"
is "a check" "$(said POST "/verify/$B")" none
ok "and the upload" wait_for 10 uploaded
is "it arrived once" "$(cat "$T/remote"/*.json | jq -r .description | grep -c "\[cloudbackupd:$C@")" 1
as_before() { quiet && [ "$(numbers | wc -l)" -le "$before" ]; }
ok "no descriptor is left" wait_for 20 as_before
is "nor a file" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
is "and the catalog is sound" "$(catalog_sound)" ok

# Found without a catalog, by a daemon that has too few to look at them.
daemon_stop
rm "$BACKUP_DIR"/catalog.sqlite*
files=$(find "$BACKUP_DIR" -name '*.sqlite*' -not -name 'catalog*' | wc -l)
(ulimit -n 20; exec "$BUILD/cloudbackupd" -d -v -f "$CONF" >>"$T/daemon.log" 2>&1 </dev/null) &
DAEMON=$! PIDS="$PIDS $!"
rows() { get /user | jq "[.data[] | select($1)] | length"; }
all_rows() { [ "$(rows "$1")" = "$files" ]; }
ok "nothing can be adopted" wait_for 10 all_rows '.status == "failed"'
is "and nothing is called damaged for it" "$(rows '.verification == "damaged"')" 0
daemon_stop
daemon_start
ok "the next start adopts it" wait_for 10 all_rows '.verification == "sound"'
restored "and it is as good as it was" "$(get '/user?database=b' | jq '[.data[] | select(.verification == "sound")][0].id')"
finish
