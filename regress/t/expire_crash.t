#!/bin/bash
# kill -9 in every step of a deletion: no file without its row, and no row
# without its file but such as are marked; the next start goes on.
# CHECK_LONG=1: 100 random moments.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
MOMENTS=${CHECK_LONG:+100}
MOMENTS=${MOMENTS:-8}
N_BACKUPS=$((MOMENTS * 10))
LIVE=$T/live
mkdir "$LIVE"
"$TOOLS/bank" "$LIVE/shop.db" -m wal -n 10 -z 1 init >/dev/null
conf() {
	daemon_conf "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
	    "database \"shop\" { path \"$LIVE/shop.db\" to \"hq\" }"
}
catalog() { sqlite3 -cmd '.timeout 5000' "$BACKUP_DIR/catalog.sqlite" "$@"; }
backup() { create "{\"database\":\"$1\"}" | jq .data.id; }
path() { catalog "SELECT file_path FROM cloud_backups WHERE id = $1"; }
marked() { catalog "SELECT count(*) FROM copies WHERE doomed_ms > 0"; }
none_marked() { [ "$(marked)" = 0 ]; }
doom() { catalog "UPDATE copies SET doomed_ms = 1, doomed_why = 'a test' WHERE backup_id = $1 AND place = 'local'"; }

# Each step as a crash leaves it.
remote_start || finish
conf
daemon_start || finish
a=$(backup shop) b=$(backup shop) c=$(backup shop)
wait_for 10 settled
is "they are here and at the remote" "$(api GET "/backup/$a" | jq -c .data.locations)" '["local","remote"]'
daemon_stop
A=$(path "$a") B=$(path "$b")
doom "$a"				# after the mark
doom "$b"; rm "$B"			# after the file
daemon_start || finish
ok "what was marked is gone" wait_for 5 none_marked
nok "with its file" test -e "$A"
is "the remote's copies are still there" "$(for i in $a $b; do api GET "/backup/$i" | jq -c '.data | [.locations, .status, .file_path]'; done | sort -u)" '[["remote"],"completed",null]'
is "and can be downloaded" "sha256:$(curl -s "$URL/download/$a" | sha256sum | cut -d' ' -f1)" "$(api GET "/backup/$a" | jq -r .data.checksum)"
is "nothing is called missing" "$(catalog "SELECT count(*) FROM copies WHERE state = 'missing'")" 0
is "the third is untouched" "$(api GET "/backup/$c" | jq -c .data.locations)" '["local","remote"]'
is "the catalog is true" "$(catalog_true)" ""
# A mark on something that is not ours to delete.
daemon_stop
doom "$c"
C=$(path "$c")
mv "$C" "$C.away"; ln -s "$LIVE/shop.db" "$C"
daemon_start || finish
ok "a link is not followed" wait_for 5 grep -q "not a regular file: it is not deleted" "$T/daemon.log"
ok "nor is what it leads to deleted" test -s "$LIVE/shop.db"
ok "nor the link itself" test -h "$C"
daemon_stop
rm "$C"; mv "$C.away" "$C"
catalog "UPDATE copies SET doomed_ms = 0; UPDATE cloud_backups SET file_path = '/etc/passwd' WHERE id = $c"
doom "$c"
daemon_start || finish
ok "nor a path elsewhere" wait_for 5 grep -q "passwd is not a backup in the backup directory: it is not deleted" "$T/daemon.log"
ok "that is still there" test -s /etc/passwd
daemon_stop
catalog "UPDATE copies SET doomed_ms = 0; UPDATE cloud_backups SET file_path = '$C' WHERE id = $c"

# Random moments: many to delete, killed again and again.
remote_stop
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" }"
daemon_start || finish
for i in $(seq "$N_BACKUPS"); do backup shop >/dev/null; done
daemon_stop
# disagree: the directory and the catalog of a daemon that is dead.
disagree() {
	catalog "SELECT file_path FROM cloud_backups b JOIN copies c ON
	    c.backup_id = b.id AND place = 'local' WHERE c.doomed_ms = 0 AND
	    c.state = 'completed'" | sort >"$T/whole"
	catalog "SELECT file_path FROM cloud_backups WHERE file_path <> ''" |
	    sort >"$T/known"
	find "$BACKUP_DIR/shop" -name '*.sqlite' | sort >"$T/there"
	comm -23 "$T/whole" "$T/there" | sed 's/$/: no file/'
	comm -13 "$T/known" "$T/there" | sed 's/$/: no row/'
	catalog 'PRAGMA quick_check' | grep -v '^ok'
}
files() { find "$BACKUP_DIR/shop" -name '*.sqlite' | wc -l; }
daemon_conf "database \"shop\" { path \"$LIVE/shop.db\" keep last 2 }"
WRONG= KILLED=0 last=$(files) MARKED=0
for i in $(seq "$MOMENTS"); do
	start_daemon || { result 1 "it starts again" "$(tail -5 "$T/daemon.log")"; break; }
	sleep "$(awk -v s="$RANDOM" 'BEGIN { srand(s); printf "%.3f", rand() * 0.03 }')"
	kill_daemon
	WRONG="$WRONG$(disagree)"
	MARKED=$((MARKED + $(marked)))
	now=$(files)
	[ "$now" = "$last" ] || KILLED=$((KILLED + 1))
	last=$now
done
is "killed $MOMENTS times, rows and files agree" "$WRONG" ""
echo "# $KILLED times while it deleted; $MARKED were marked and still there"
start_daemon || finish
two_left() { [ "$(files)" = 2 ]; }
ok "at last all that the rules drop is gone" wait_for 10 two_left
is "the catalog is true" "$(catalog_true)" ""
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
