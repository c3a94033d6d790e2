#!/bin/bash
# No file may grow beyond a limit (LimitFSIZE, ulimit -f): what does not fit
# fails as on a full disk, whoever of the daemon writes it, and nobody is
# ended by the signal that comes with it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

umask 077			# the key of hq
bank "$D/big.db" -n 2000 -z 3 init
bank "$D/small.db" -n 20 init
remote_start -k k1 || finish
daemon_conf "remote \"hq\" {" "rest \"http://127.0.0.1:$RPORT\"" \
    "api key \"k1\" }" "$(database big "$D/big.db" "to \"hq\"")" \
    "$(database small "$D/small.db" "to \"hq\"")"
daemon_start || finish
taken big; B=$ID BF=$FILE
ok "a backup from before" wait_for 10 settled
daemon_stop
ulimit -S -f 2000		# KiB
daemon_start || finish
ulimit -S -f unlimited
children="$(child front) $(child network)"

was=$(snap_main "$D/big.db")
refused "a create that does not fit" big 507 INSUFFICIENT_SPACE
created "one that does" small
not_restored "a restore whose safety backup does not" "$B" 507 INSUFFICIENT_SPACE
is "has changed nothing" "$(snap_main "$D/big.db")" "$was"
mv "$BF" "$T/kept"
is "nor is there room for what is fetched" \
    "$(api GET "/download/$B" | jq -r .errorCode)" INSUFFICIENT_SPACE
mv "$T/kept" "$BF"
is "from here it can be had" "$(code GET "/download/$B")" 200
is "front and network are there" "$(for p in $children; do alive "$p" || echo "$p"; done)" ""
is "nothing is left" "$(find "$BACKUP_DIR" -name '.tmp-*')" ""
nok "nor was anybody ended by the signal" log_has 'signal 25'

# Without its catalog it cannot go on; it ends by itself.
prlimit --pid "$DAEMON" --fsize=4096:
create small
daemon_wait
is "the catalog has no room: it ends, and by no signal" "$RC" 1
finish
