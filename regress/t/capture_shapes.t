#!/bin/bash
# Databases of every shape, and what is not one: what the artifact is, what
# the answer is, and that nothing beside the database changes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../capture.sh"

blocks=()
db() { blocks+=("$(database "$@")"); }
# Each in a directory of its own, to compare what is in it.
place() { mkdir "$D/$1"; own "$D/$1"; echo "$D/$1/app.db"; }

# Page sizes, with auto_vacuum, encoding and journal mode going round.
SIZES="512 1024 2048 4096 8192 16384 32768 65536"
vacuums=(none full incremental)
encodings=(UTF-8 UTF-16le UTF-16be)
i=0
for size in $SIZES; do
	f=$(place p$size)
	bank "$f" -s $size -a ${vacuums[i % 3]} -e ${encodings[i / 3 % 3]} -n 300 -z 1 init
	db p$size "$f"
	f=$(place w$size)
	bank "$f" -s $size -a ${vacuums[(i + 1) % 3]} -e ${encodings[(i + 2) % 3]} -m wal -n 300 -z 1 init
	db w$size "$f"
	i=$((i + 1))
done

# Odd files.
f=$(place ro); bank "$f" init; chmod 444 "$f"; db ro "$f"
f=$(place rowal); bank "$f" -m wal init; chmod 444 "$f"; db rowal "$f"
f=$(place rolog); mkdb hotwal "$f"; chmod 444 "$f" "$f-wal"; rm "$f-shm"; db rolog "$f"
f=$(place empty); : >"$f"; own "$f"; db empty "$f"
f=$(place text); seq 1 3000 >"$f"; own "$f"; db text "$f"
f=$(place short); echo hello >"$f"; own "$f"; db short "$f"
f=$(place encrypted); head -c 65536 /dev/urandom >"$f"; own "$f"; db encrypted "$f"
f=$(place cut); bank "$f" -z 1 init; truncate -s 600000 "$f"; db cut "$f"
f=$(place named); odd="$D/named/a &b=%41 #'é.db"; bank "$odd" init; db named "$odd"
# Odd paths.
f=$(place link); bank "$D/link/real.db" init; ln -s real.db "$f"; own "$f"; db link "$f"
f=$(place swapped); bank "$f" init; db swapped "$f"
f=$(place dirswap); bank "$f" init; db dirswap "$f"
f=$(place missing); db missing "$f"
f=$(place directory); mkdir "$f"; own "$f"; db directory "$f"
f=$(place fifo); mkfifo "$f"; own "$f"; db fifo "$f"
f=$(place component); : >"$D/component/file"; db component "$D/component/file/app.db"
f=$(place nodir); db nodir "$D/nodir/gone/app.db"
daemon_with "${blocks[@]}" || exit 1

# same NAME: nothing in its directory changed since snap_of was taken.
shot() { SNAP=$(snap "$D/$1"); }
same() { is "${2:-$1}: and its directory is as it was" "$(snap "$D/$1")" "$SNAP"; }
facts() { sqlite3 "file:$1?immutable=1" 'PRAGMA page_size; PRAGMA encoding; PRAGMA auto_vacuum; PRAGMA page_count' | xargs; }

for size in $SIZES; do
	name=p$size
	f=$D/$name/app.db
	shot $name
	created "page size $size" $name
	same $name "page size $size"
	is "page size $size, rollback: the copy is the file" "$(sha256 "$FILE")" "$(sha256 "$f")"
	like "page size $size: and holds all" "$("$T/bin/bank" "$FILE" check)" '*integrity=ok'

	# Rows that are only in the log.
	name=w$size
	f=$D/$name/app.db
	owned sqlite3 "$f" 'PRAGMA wal_autocheckpoint=0' 'UPDATE state SET n = 4711' \
	    'INSERT INTO ballast SELECT NULL, 1, randomblob(5000) FROM accounts' \
	    '.shell kill -9 $PPID' >/dev/null 2>&1
	[ -s "$f-wal" ] || result 1 "page size $size: there is a log"
	before=$(snap_main "$f")
	created "page size $size, wal" $name
	like "page size $size, wal: the rows of the log are in it" \
	    "$("$T/bin/bank" "$FILE" check)" 'sum=300000 expected=300000 n=4711 integrity=ok'
	is "page size $size, wal: facts" "$(facts "$FILE")" "$(facts "$f")"
	is "page size $size, wal: nothing is left" "$(ls "$D/$name")" app.db
	is "page size $size, wal: its bytes 18 and 19" "$(xxd -s 18 -l 2 -p "$FILE")" 0101
	# Same inode, owner and mode; the last closer has written the log back.
	like "page size $size, wal: the same file" "$(snap_main "$f")" "$f * ${before##"$f "[0-9]* }"
	is "page size $size, wal: it is still one" "$(xxd -s 18 -l 2 -p "$f")" 0202
done

for name in ro rowal named; do
	shot $name
	created "$name" $name
	same $name
	like "$name: sound" "$("$T/bin/bank" "$FILE" check)" '*integrity=ok'
done
shot rolog
created "read-only, with a log that a crash left" rolog
is "all rows of the log are in it" "$(rows "$FILE")" 400
same rolog "read-only, with a log"
shot empty
created "an empty file" empty
is "an empty file: its copy" "$(stat -c %s "$FILE") $(json .data.file_size <"$T/body")" "0 0"
is "an empty file: its checksum" "$(json .data.checksum <"$T/body")" "sha256:$(sha256 /dev/null)"
same empty

for name in text short encrypted; do
	shot $name
	refused "$name: no database" $name 422 NOT_A_DATABASE
	same $name
done
shot cut
refused "a database that was cut" cut 422 DATABASE_DAMAGED
same cut

# Links: followed once, when the daemon starts.
shot link
created "a configured link" link
same link
is "a configured link: its target is copied" "$(sha256 "$FILE")" "$(sha256 "$D/link/real.db")"
owned mv "$D/swapped/app.db" "$D/swapped/moved.db"
owned ln -s moved.db "$D/swapped/app.db"
shot swapped
refused "a link that came later" swapped 422 UNSAFE_PATH
same swapped
owned mv "$D/dirswap" "$D/dirmoved"
owned ln -s dirmoved "$D/dirswap"
shot dirmoved
refused "a link in the middle that came later" dirswap 422 UNSAFE_PATH
same dirmoved
refused "that again" dirswap 422 UNSAFE_PATH

for case in "missing 404 DATABASE_NOT_FOUND" "nodir 404 DATABASE_NOT_FOUND" \
    "component 404 DATABASE_NOT_FOUND" "directory 422 UNSAFE_PATH" \
    "fifo 422 UNSAFE_PATH"; do
	set -- $case
	shot $1
	WAIT=5 refused "$1" $1 $2 $3
	same $1
done
is "no artifact without a backup" "$(find "$BACKUP_DIR"/{text,short,encrypted,cut,missing,fifo,swapped} -type f 2>/dev/null)" ""

# File systems that are mounted read-only.
if is_root && mkdir "$D/mnt" && mount -t tmpfs -o size=16m tmpfs "$D/mnt" 2>/dev/null; then
	trap 'umount "$D/mnt" 2>/dev/null; cleanup' EXIT
	for name in rofs rofswal rofslog; do
		mkdir "$D/mnt/$name"; own "$D/mnt/$name"
	done
	bank "$D/mnt/rofs/app.db" init
	bank "$D/mnt/rofswal/app.db" -m wal init
	mkdb hotwal "$D/mnt/rofslog/app.db"
	mount -o remount,ro "$D/mnt"
	daemon_with "$(database rofs "$D/mnt/rofs/app.db")" \
	    "$(database rofswal "$D/mnt/rofswal/app.db")" \
	    "$(database rofslog "$D/mnt/rofslog/app.db")"
	for name in rofs rofswal; do
		shot mnt/$name
		created "$name" $name
		like "$name: sound" "$("$T/bin/bank" "$FILE" check)" '*integrity=ok'
		same mnt/$name
	done
	shot mnt/rofslog
	refused "a log that can't be read on a read-only file system" rofslog 500 PERMISSION_DENIED
	same mnt/rofslog
	daemon_stop
	umount "$D/mnt"
else
	skip "a read-only file system wants root and mount(2)"
fi
finish
