#!/bin/bash
# The machine's clock is set back, and a file has the times again that it had
# before a change (a file system may count in whole seconds): the change is
# seen all the same.  The times are set as such a clock would have set them,
# on a file system that nobody has mounted meanwhile: root.
if [ "$(id -u)" != 0 ]; then echo "1..0 # SKIP mounting wants root"; exit 0; fi
if [ -z "${MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || { echo "1..0 # SKIP no mount namespace here"; exit 0; }
	MOUNTS=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
. "$TOP/regress/capture.sh"
command -v debugfs >/dev/null || skip_all "no debugfs"
export TZ=Europe/Berlin
trap 'umount -l "$D/disk" 2>/dev/null; [ -z "$LOOP" ] || losetup -d "$LOOP"; cleanup' EXIT
LOOP=
mkdir "$D/disk"
truncate -s 32M "$T/disk.img"
mkfs.ext4 -q -F "$T/disk.img" >"$T/mkfs" 2>&1 &&
    LOOP=$(losetup -f --show "$T/disk.img" 2>>"$T/mkfs") &&
    mount "$LOOP" "$D/disk" 2>>"$T/mkfs" || skip_all "no loop device here: $(tail -1 "$T/mkfs")"
F=$D/disk/app.db
own "$D/disk"
bank "$F" -m delete -n 20 init
sql "$F" "PRAGMA user_version = 1"

db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
field() { db "SELECT $1 FROM databases WHERE name = 'app'"; }
later() { [ "$(field slot_ms)" -gt "$1" ]; }
due() { local s=$(field slot_ms); clock_add 120; wait_for 10 later "$s"; is "$1" "$(field result)" "$2"; }
times() { stat -c '%i %s %y %z' "$F"; }
# inode N FIELD: what debugfs says of a time, as it takes it.
inode() { debugfs -R "stat <$1>" "$LOOP" 2>/dev/null | sed -n "s/^ *$2: 0x\([0-9a-f]*\):\([0-9a-f]*\) .*/0x\1 0x\2/p"; }
away() { umount "$D/disk"; }
back() { mount "$LOOP" "$D/disk"; }

sleep 2.1				# older than "too recent to tell"
clock_set "2027-03-26 12:00:05" 0
daemon_conf "$(database app "$F" "every 2m jitter 0s")"
start_daemon || finish
completed() { [ "$(field result)" = completed ]; }
ok "it is copied" wait_for 10 completed
due "and rests" unchanged
before=$(times)
i=$(stat -c %i "$F")
away; m=$(inode "$i" mtime) c=$(inode "$i" ctime); back
due "also when its file system was away" unchanged
sql "$F" "PRAGMA user_version = 2"
away
for k in m c; do
	eval "set -- \$$k"
	debugfs -w -R "set_inode_field <$i> ${k}time @$1" "$LOOP" >/dev/null 2>&1
	debugfs -w -R "set_inode_field <$i> ${k}time_extra $2" "$LOOP" >/dev/null 2>&1
done
back
is "a change, with the times of before" "$(times) $(sql "$F" 'PRAGMA user_version')" "$before 2"
due "it is seen" completed
finish
