#!/bin/bash
# A hostile looker: whatever it answers costs it its life and one look; the
# daemon goes on, and the next look is that of another process.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -x "$TOOLS/hostile-looker" ] || skip_all "no tools; try: make tools"

# The engine looks for its helpers beside itself in a folder "build".
REAL=$BUILD
H=$T/build
mkdir "$H"
cp "$REAL"/cloudbackupd "$REAL"/cloudbackupd-{front,network,worker,looker} "$H"
BUILD=$H
put() { rm -f "$2" && cp "$1" "$2"; }

"$TOOLS/bank" "$T/app.db" -m delete -n 20 init
chmod 644 "$T/app.db"
daemon_conf "database \"app\" { path \"$T/app.db\" every 1s jitter 0s }"
put "$TOOLS/hostile-looker" "$H/cloudbackupd-looker"
said() { grep -q "$1" "$T/daemon.log"; }

# deed WORD WHAT SENTENCE: a looker does that, and this is said of it.
deed() {
	echo "looker $1" >"$H/scenario"
	: >"$T/daemon.log"
	start_daemon || { result 1 "$2" "the daemon does not start"; return; }
	ok "$2" wait_for 20 said "$3"
	ok "$2: the daemon goes on" answers
	daemon_stop
}
deed twice "an answer too many" 'the looker was ended: it answered what nobody asked'
deed stranger "an answer to another look" 'scheduled backup of app failed: the looker was ended: it answered what nobody asked'
deed worker "what only a worker may say" 'the looker was ended: it .*wrong direction'
deed descriptor "a descriptor" 'the looker was ended: it .*descriptor too many'
deed half "half an answer" 'scheduled backup of app failed: the looker ended without an answer (exit status 0)'
deed gone "none" 'scheduled backup of app failed: the looker ended without an answer (exit status 0)'
deed failed-full "a failure of nonsense" 'scheduled backup of app failed: AAAAAAAAAA'
deed signed-full "a signature of nonsense is a change" 'cloudbackupd-worker started'

put "$REAL/cloudbackupd-looker" "$H/cloudbackupd-looker"
: >"$T/daemon.log"
start_daemon || finish
ok "with the real one again: it is seen that nothing has changed" wait_for 20 said 'app has not changed'
is "the backups are true" "$(wait_for 10 settled; catalog_true)" ""
daemon_stop
finish
