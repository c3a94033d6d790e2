#!/bin/bash
# A disk that takes what is written and loses it: the kernel tells of that
# once, to whoever waits for the bytes first, and a backup that was written
# there is none.  A file system on a loop device whose file has no room for
# a while: root.
if [ "$(id -u)" != 0 ]; then echo "1..0 # SKIP mounting wants root"; exit 0; fi
if [ -z "${MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || { echo "1..0 # SKIP no mount namespace here"; exit 0; }
	MOUNTS=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
trap 'umount -l "$T/backups/shop" "$T/small" 2>/dev/null; cleanup' EXIT

# The disk, and how much it can keep, in MiB; what is lost stays lost.
mkdir -p "$T/small" "$T/backups/shop"
mount -t tmpfs -o size=1g tmpfs "$T/small" || skip_all "no tmpfs here"
truncate -s 900M "$T/small/disk.img"
mkfs.ext4 -q -F -m 0 -O ^has_journal "$T/small/disk.img" >"$T/mkfs" 2>&1 &&
    mount -o loop "$T/small/disk.img" "$T/backups/shop" 2>>"$T/mkfs" || skip_all "no loop device here: $(tail -1 "$T/mkfs")"
rmdir "$T/backups/shop/lost+found"
chmod 700 "$T/backups" "$T/backups/shop"
used() { df -m --output=used "$T/small" | tail -1; }
room() { mount -o "remount,size=$(($(used) + $1))m" "$T/small"; }

mkdir "$D/shop"; own "$D/shop"
bank "$D/shop/app.db" -z 60 init
shop() { daemon_with "$(database shop "$D/shop/app.db" "verify none" "$@")"; }
# stopped WHAT FILES: the worker that does it, when so many unfinished files
# have 4 MiB; 1 when the create is over.
large() { [ "$(stat -c %b "$BACKUP_DIR"/shop/.tmp-* 2>/dev/null | awk '$1 >= 8192 { n++ } END { print n + 0 }')" -ge "$1" ]; }
stopped() {
	until large "$2" && W=$(worker_of "$1") && kill -STOP "$W"; do
		alive "$creating" || return 1
	done 2>/dev/null
}
backups() { curl -s -m 20 "$URL/user?database=shop" | json '[.data[] | select(.status != "failed")] | length'; }
# loses WHAT FILES: what that worker has written by then is lost, the rest is
# not.  It may be too quick to be caught.
loses() {
	local had caught=1
	for i in 1 2 3 4 5 6 7 8; do
		room 300
		sync -f "$T/backups/shop"
		had=$(backups)
		room 1
		create shop & creating=$!
		stopped "$1" "$2" && caught=0 && break
		wait $creating
	done
	result $caught "$1: it is stopped in the middle"
	ok "$1: the disk has lost something" lost
	room 300
	kill -CONT "$W"
	wait $creating
	like "$1: that is no backup" "$(json '"\(.success) \(.errorCode)"' <"$T/body")" "false I[ON]*"
	is "$1: nor is it listed as one" "$(backups)" "$had"
	is "$1: nothing of it is left" "$(find "$BACKUP_DIR/shop" -type f | wc -l)" "$had"
}
lost() { wait_for 5 eval '! sync -f "$T/backups/shop"'; }

shop || exit 1
created "while the disk has room" shop ""
loses capture 1
created "when it has room again" shop ""
shop "compress zstd" || exit 1
loses "compression or encryption" 2
created "that, too" shop ""
finish
