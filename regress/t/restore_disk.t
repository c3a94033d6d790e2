#!/bin/bash
# Disks that are full: of the database, of the backup directory, before a
# restore and while it runs.  What was there stands, the answer names what
# is missing, and space is given back.  Small file systems in files: root.
if [ "$(id -u)" != 0 ]; then echo "1..0 # SKIP mounting wants root"; exit 0; fi
if [ -z "${MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || { echo "1..0 # SKIP no mount namespace here"; exit 0; }
	MOUNTS=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

# disk DIR MIB: a file system of that size.
disk() {
	mkdir -p "$1"
	truncate -s "$2M" "$T/$(basename "$1").img"
	mkfs.ext4 -q -F -m 0 -E lazy_itable_init=1 -O ^has_journal "$T/$(basename "$1").img" >"$T/mkfs" 2>&1 &&
	    mount -o loop "$T/$(basename "$1").img" "$1" 2>>"$T/mkfs" || skip_all "no loop device here: $(tail -1 "$T/mkfs")"
	rm -rf "$1/lost+found"
}
# The file systems go with the mount namespace, after the last process; as
# lazily mounted ones they don't keep the files from being removed.
trap 'umount -l "$T/data" "$T/keep" 2>/dev/null; cleanup' EXIT
# What is free, in KiB; fill DIR KIB: leaves so much.
free() { df -k --output=avail "$1" | tail -1 | tr -d ' '; }
fill() {
	rm -f "$1/filler"
	if [ "$2" = 0 ]; then
		dd if=/dev/zero of="$1/filler" bs=64k status=none 2>/dev/null
	else
		fallocate -l $(($(free "$1") - $2))K "$1/filler"
	fi
}

disk "$T/data" 100
disk "$T/keep" 300
own "$T/data"
BACKUP_DIR=$T/keep/backups
mkdir -m 700 "$BACKUP_DIR"
blocks=("reserve 0")
for n in wal del; do
	mkdir "$T/data/$n"; own "$T/data/$n"
	blocks+=("$(database $n "$T/data/$n/app.db" 'lock timeout 3s')")
done
daemon_conf "${blocks[@]}"
"$BUILD/cloudbackupd" -n -f "$CONF" >/dev/null 2>&1 || { blocks=("${blocks[@]:1}"); }
daemon_with "${blocks[@]}" || exit 1

# made NAME MODE: a database of 12 MB with another one's backup in $ID.
made() {
	F=$T/data/$1/app.db
	bank "$F" -m "$2" -n 100 -z 12 init
	sql "$F" "UPDATE state SET n = 5"
	taken "$1" || return 1
	sql "$F" "UPDATE state SET n = 6; UPDATE ballast SET data = randomblob(15000); PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	sync
}
count() { get /user | jq '.data | length'; }
# stands WHAT: the content of before, sound, and nothing left.
stands() {
	is "$1: the old content stands" "$(field "$F") $(sql "$F" 'PRAGMA integrity_check')" "6 ok"
	is "$1: nothing unfinished is left" "$(find "$BACKUP_DIR" -name '.tmp-*'; find "$T/data" -name '*cloudbackupd*')" ""
}

made wal wal; ID_wal=$ID
made del delete; ID_del=$ID
for n in wal del; do
	F=$T/data/$n/app.db
	ID=$(eval "echo \$ID_$n")

	# Before it starts.
	fill "$T/data" 4000
	before=$(count)
	not_restored "$n: too little on the database's disk" "$ID" 507 INSUFFICIENT_SPACE
	like "$n: says how much is missing" "$(jq -r .error <<<"$BODY")" "*bytes free*[0-9] are missing; nothing was changed"
	missing=$(jq -r .error <<<"$BODY" | sed 's/.*: \([0-9]*\) are missing.*/\1/')
	size=$(stat -c %s "$(artifact "$ID")")
	echo "# $n: $size bytes, $missing missing"
	is "$n: no safety backup was begun" "$(count)" "$before"
	stands "$n, too little"
	fill "$T/data" 0
	not_restored "$n: none at all" "$ID" 507 INSUFFICIENT_SPACE
	rm -f "$T/data/filler"	# or nobody could read it
	stands "$n, none"
	# The figure is true: with that much more it works.
	fill "$T/data" $((4000 + missing / 1024 + 200))
	restored "$n: with what was missing it works" "$ID"
	is "$n: its content" "$(field "$F")" 5
	rm -f "$T/data/filler"
	restored "$n: undone" "$SAFETY"

	# The backup directory's disk.
	fill "$T/keep" 5000
	f0=$(free "$T/keep")
	not_restored "$n: the backup directory is full while the safety copy is made" "$ID" 507 INSUFFICIENT_SPACE
	stands "$n, backup directory full"
	f1=$(free "$T/keep")
	ok "$n: its space is given back: $f0 and $f1 KiB" test "$f1" -ge $((f0 - 64))
	is "$n: no entry claims a file" "$(get "/user?database=$n" | jq -r '.data[] | select(.file_path != null) | .file_path' | while read -r p; do [ -f "$p" ] || echo "$p"; done)" ""
	fill "$T/keep" 0
	not_restored "$n: not one byte is free there" "$ID" 507 INSUFFICIENT_SPACE
	stands "$n, nothing free"
	rm -f "$T/keep/filler"
	restored "$n: with space it works" "$ID"
	restored "$n: undone" "$SAFETY"
done

# An image that must be converted, and no space for that.
F=$T/data/wal/app.db
rm "$F"*
bank "$F" -m wal -s 1024 -n 100 -z 4 init
taken wal; small=$ID
rm "$F"*
bank "$F" -m wal -n 100 -z 1 init
sql "$F" "UPDATE state SET n = 6"
fill "$T/keep" 1500
f0=$(free "$T/keep")
not_restored "no space to convert an image" "$small" 507 INSUFFICIENT_SPACE
stands "conversion"
ok "conversion: space is given back" test "$(free "$T/keep")" -ge $((f0 - 64))
rm -f "$T/keep/filler"
restored "with space it is converted" "$small"

# A competing writer takes the space while it runs: whenever it does, the
# content is the old or the new one, and sound.
made_again() {	# something else into it, n = 6
	sql "$F" "UPDATE state SET n = 6; UPDATE ballast SET data = randomblob(15000)" >/dev/null
}
moments=${CHECK_LONG:+40}
for n in wal del; do
	F=$T/data/$n/app.db
	rm -f "$F"*
	made $n $([ $n = wal ] && echo wal || echo delete)
	full=0 done=0 wrong=
	for i in $(seq "${moments:-8}"); do
		made_again
		fill "$T/data" 30000
		restore "$ID" >/dev/null &
		job=$!
		# Takes what the worker has not taken yet, as fast as it can.
		sleep "0.$(printf '%03d' $((RANDOM % 700)))"
		dd if=/dev/zero of="$T/data/hog" bs=256k count=400 status=none 2>/dev/null
		wait $job
		rm -f "$T/data/hog" "$T/data/filler"
		code=$(jq -r '.errorCode // .data.method' "$T/restored")
		state=$(sql "$F" 'SELECT n FROM state; PRAGMA integrity_check' | tr '\n' ' ')
		case "$code $state" in
		"live 5 ok ") done=$((done + 1)) ;;
		"INSUFFICIENT_SPACE 6 ok ") full=$((full + 1)) ;;
		*) wrong="$wrong
$i: $code $state $(jq -c . "$T/restored")" ;;
		esac
		[ -z "$(find "$BACKUP_DIR" -name '.tmp-*')" ] || wrong="$wrong $i: temporary"
		# Space for the next.
		for s in $(get "/user?database=$n" | jq -r --argjson id "$ID" '.data[] | select(.id != $id and .file_path != null) | .file_path'); do rm -f "$s"; done
	done
	is "$n: the disk fills while it runs" "$wrong" ""
	echo "# $n: $full times full, $done times done"
done
finish
