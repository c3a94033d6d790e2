#!/bin/bash
# A build for tests, in which each process tries what it must not be able to
# do as soon as it has confined itself (common/try.c).  Each try must fail,
# or end the process; as root, and as an ordinary user.
. "$(dirname "$0")/../lib.sh"
NORMAL=$BUILD
case $BUILD in *-try) ;; *) BUILD=$BUILD-try ;; esac
if [ -z "${WALLS_AS_USER:-}" ]; then
	(unset MAKEFLAGS MFLAGS MAKELEVEL
	make -s -C "$TOP" B="$BUILD" TRY=1 -j"${JOBS:-2}" all) >"$T/make" 2>&1 ||
	    { cat "$T/make"; result 1 "make TRY=1"; finish; }
fi
. "$TOP/regress/e2e.sh"
ROOT=$([ "$(id -u)" = 0 ] && echo 1)

mkdir "$T/d"
"$TOOLS/bank" "$T/d/app.db" -m wal -n 100 init
[ -z "$ROOT" ] || chown -R daemon: "$T/d"

# tries STEP:NAME,... [create]: a daemon whose process of that step tries.
tries() {
	rm -rf "$T/backups"; : >"$T/daemon.log"
	daemon_conf "database \"app\" { path \"$T/d/app.db\" ${SCHEDULE:-} }"
	start_daemon -X "$1" -f "$CONF"
	[ -z "${2:-}" ] || create >"$T/made"
	wait_for 5 grep -qE "^try ${1%%:*} ${1##*[:,]}:|signal 31|(work|look)er ended" "$T/daemon.log"
	daemon_stop
}
# refused STEP NAME...: all at once, as nothing ends it.
refused() {
	local step=$1 name; shift
	tries "$step:$(echo "$*" | tr ' ' ,)" \
	    "$([ $step != owner ] && [ $step != check ] || echo create)"
	for name; do
		like "$step: $name is refused" "$(grep "^try $step $name:" "$T/daemon.log")" "*: refused (*"
	done
}
# ends STEP NAME...: each ends it.
ends() {
	local step=$1 name; shift
	for name; do
		tries "$step:$name" "$([ $step != check ] || echo create)"
		is "$step: $name says nothing" "$(grep "^try $step $name:" "$T/daemon.log")" ""
		like "$step: $name ends it" "$(grep 'signal 31' "$T/daemon.log")" "*signal 31 (Bad system call)*"
	done
}

FOREIGN="ptrace memory module bpf uring keyctl userfault handle mount unshare"
KILLED="$FOREIGN exec fork root kill chroot chmod chown"
REFUSED="open others create write tcp udp unix abstract listen packet mmap mprotect"

refused engine $FOREIGN packet
refused front $REFUSED
refused network others create write abstract listen packet exec fork root kill chroot $FOREIGN
refused owner $REFUSED exec fork root kill chroot chmod chown $FOREIGN
is "owner: and its backup is taken" "$(json .data.status <"$T/made")" completed
refused check $REFUSED
is "check: and its verdict comes" "$(json .data.verification <"$T/made")" sound
ends front $KILLED
ends check $KILLED
is "check: the backup says that it was not checked" "$(json .data.status <"$T/made")" null
# One that looks begins by itself when a schedule is due.
SCHEDULE="at 03:30"
refused looker ${REFUSED#open others}
ends looker exec fork root kill ptrace mount handle chmod
SCHEDULE=

[ -n "$ROOT" ] || finish
# Root's own database: the worker stays root, and gains nothing by it.
chown -R root: "$T/d"
refused owner open others create write tcp exec fork kill chroot chmod chown $FOREIGN

# The same as an ordinary user, who has no chroot.
install -d -o backup "$T/u"
WALLS_AS_USER=1 TMPDIR=$T/u BUILD=$NORMAL TOOLS=$TOOLS HOME=$T/u setpriv \
    --reuid backup --regid backup --clear-groups bash "$0" >"$T/user" 2>&1 </dev/null
is "as an ordinary user: the same walls" "$(grep -vE '^(ok|1\.\.)' "$T/user" | head -20)" ""
like "as an ordinary user: all of them" "$(tail -1 "$T/user")" "1..[1-9]*"
finish
