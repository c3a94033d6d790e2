#!/bin/bash
# A machine that has no more processes: what wants one fails, says so and is
# tried again; the daemon stays, and all goes on as soon as there is one.  By
# a limit of an ordinary user, as root has none.  (descriptors.t is of another
# limit, and counts what is left open, which he may not.)
if [ "$(id -u)" = 0 ]; then
	. "$(dirname "$0")/../lib.sh"
	mkdir "$T/u"; chown www-data: "$T/u"
	TMPDIR=$T/u HOME=$T/u BUILD=$BUILD TOOLS=$TOOLS setpriv --reuid www-data \
	    --regid www-data --clear-groups true || skip_all "no setpriv"
	TMPDIR=$T/u HOME=$T/u BUILD=$BUILD TOOLS=$TOOLS setpriv --reuid www-data --regid www-data --clear-groups bash "$0"
	exit
fi
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"
command -v prlimit >/dev/null || skip_all "no prlimit"

for n in a b; do bank "$D/$n.db" -n 20 init; done
daemon_with "$(database a "$D/a.db" "compress zstd")" "$(database b "$D/b.db")" || exit 1
taken a; FIRST=$ID
quiet() { ! child worker; }
wait_for 5 quiet
most=$(prlimit --pid "$DAEMON" --nproc -o SOFT --noheadings)
none() { prlimit --pid "$DAEMON" --nproc=1:; }
some() { prlimit --pid "$DAEMON" --nproc="$most":; }

none
refused "a create" a 503 BUSY
like "the client is told why" "$(json .message <<<"$BODY")" "*Resource temporarily unavailable*"
not_restored "a restore" "$FIRST" 503 BUSY
is "a look at the file" "$(code GET '/file-info?database=a')" 503
is "who holds it" "$(code GET '/check-locks?database=a')" 503
is "a check" "$(code POST "/verify/$FIRST")" 503
like "the log says why" "$(grep 'cannot start' "$T/daemon.log" | head -1)" "*Resource temporarily unavailable"
# A schedule's look wants a process, too.
daemon_conf "$(database a "$D/a.db")" "$(database b "$D/b.db" "every 1m jitter 0s")"
kill -HUP "$DAEMON"
event() { api GET '/events' | jq -e '.data[] | select(.database == "b" and .event == "failed")'; }
ok "what is due fails, and is told" wait_for 10 event
ok "the daemon is there" alive "$DAEMON"
some
created "with processes it goes on" a
restored "a restore, too" "$FIRST"
wait_for 5 quiet
is "no file is left" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
finish
