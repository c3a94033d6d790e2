#!/bin/bash
# Files: BACKUP_DIR and what is in it against who may write there, and
# against links and renames that come between a look and an open.  Paths of
# databases that others may write to are warned about.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
RACE=${CHECK_LONG:+60}
RACE=${RACE:-6}

"$TOOLS/bank" "$T/app.db" -m wal -n 50 init
one="database \"app\" { path \"$T/app.db\" }"
daemon_conf "$one"
daemon_start || finish
for i in 1 2 3; do create >"$T/made"; done
F=$(json .data.file_path <"$T/made")
ID=$(json .data.id <"$T/made")
daemon_stop

# refused WHAT PATTERN: the daemon does not start, and says so.
refused() {
	out=$(timeout 10 "$BUILD/cloudbackupd" -d -f "$CONF" 2>&1)
	is "$1: refused" "$?" 1
	like "and says why" "$out" "$2"
}
chmod g+w "$BACKUP_DIR"
refused "a backup directory for the group" '*others than its owner can write*'
chmod 702 "$BACKUP_DIR"
refused "a backup directory for all" '*others than its owner can write*'
chmod 700 "$BACKUP_DIR"
if [ "$(id -u)" = 0 ]; then
	chown daemon "$BACKUP_DIR"
	refused "another's backup directory" '*belongs to uid*'
	chown root "$BACKUP_DIR"
	chown daemon "$BACKUP_DIR/catalog.sqlite"
	refused "another's catalog" '*written by others*'
	chown root "$BACKUP_DIR/catalog.sqlite"
else
	skip "another's directory"
fi
chmod 666 "$BACKUP_DIR/catalog.sqlite"
refused "a catalog for all" '*written by others*'
chmod 600 "$BACKUP_DIR/catalog.sqlite"
mv "$BACKUP_DIR/catalog.sqlite" "$BACKUP_DIR/elsewhere"
ln -s elsewhere "$BACKUP_DIR/catalog.sqlite"
refused "a link as the catalog" '*not a regular file*'
rm "$BACKUP_DIR/catalog.sqlite"
mv "$BACKUP_DIR/elsewhere" "$BACKUP_DIR/catalog.sqlite"

# A path that others may change.
mkdir -m 777 "$T/open"
mkdir "$T/open/in"
"$TOOLS/bank" "$T/open/in/x.db" -m delete -n 5 init
mkdir -m 1777 "$T/sticky"
"$TOOLS/bank" "$T/sticky/y.db" -m delete -n 5 init
daemon_conf "$one" "database \"x\" { path \"$T/open/in/x.db\" }" \
    "database \"y\" { path \"$T/sticky/y.db\" }"
: >"$T/daemon.log"
daemon_start || finish
like "a path through a directory of all is warned about" "$(grep 'passes through' "$T/daemon.log")" "*database x passes through $T/open, *"
is "just that one" "$(grep -c 'passes through' "$T/daemon.log")" 1

# In the running daemon: each is a refusal, none a leak.
modes() { stat -c %a "$1"; }
is "the directory is the daemon's alone" "$(modes "$BACKUP_DIR")" 700
is "so is the folder" "$(modes "$BACKUP_DIR/app")" 700
is "and all in it" "$(find "$BACKUP_DIR" -type f -perm /077 | head)" ""
echo secret >"$T/secret"
get() { code GET "/download/$ID"; }
is "a download" "$(get)" 200
mv "$F" "$F.away"
ln -s "$T/secret" "$F"
nok "a link to elsewhere is not followed" test "$(get)" = 200
rm "$F"; ln -s "$F.away" "$F"
nok "nor one to itself" test "$(get)" = 200
rm "$F"; mkfifo "$F"
nok "a FIFO is not waited for" test "$(get)" = 200
rm "$F"; mkdir "$F"
nok "a folder" test "$(get)" = 200
rmdir "$F"; mv "$F.away" "$F"
chmod 666 "$F"
nok "a backup that all may write to" test "$(get)" = 200
chmod 600 "$F"
if [ "$(id -u)" = 0 ]; then
	chown daemon "$F"
	nok "another's" test "$(get)" = 200
	chown root "$F"
else
	skip "another's"
fi
is "and again as it was" "$(get)" 200
mv "$BACKUP_DIR/app" "$BACKUP_DIR/app2"; ln -s app2 "$BACKUP_DIR/app"
nok "a link as the folder" test "$(get)" = 200
like "no backup goes through it" "$(create | json .success)" false
rm "$BACKUP_DIR/app"; mv "$BACKUP_DIR/app2" "$BACKUP_DIR/app"
is "and again as it was" "$(get)" 200

# Races: a link and the file take each other's place all the time.
cp "$F" "$T/copy"; SUM=$(sha256 "$F")
(
	trap 'exit 0' TERM
	while :; do
		ln -s "$T/secret" "$F.link" 2>/dev/null
		mv -T "$F.link" "$F"
		cp -p "$T/copy" "$F.new" && mv -T "$F.new" "$F"
	done
) 2>/dev/null & R=$!; PIDS="$PIDS $R"
end=$((SECONDS + RACE)) yes=0 no=0 wrong=0
while [ $SECONDS -lt $end ]; do
	st=$(curl -s -m 10 -o "$T/got" -w '%{http_code}' "$URL/download/$ID")
	if [ "$st" != 200 ]; then no=$((no + 1))
	elif [ "$(sha256 "$T/got")" = "$SUM" ]; then yes=$((yes + 1))
	else wrong=$((wrong + 1)); fi
done
kill $R; wait $R 2>/dev/null
is "a race for the file: $yes given, $no refused, wrong" $wrong 0
ok "the daemon lives" answers
rm -f "$F.link" "$F.new" "$F"; cp -p "$T/copy" "$F"

# The same for the database: a link to what its owner may not read.
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/o"; chown daemon "$T/o"
	"$TOOLS/bank" "$T/o/own.db" -m delete -n 5 init
	"$TOOLS/bank" "$T/roots.db" -m delete -n 7 init
	chmod 600 "$T/roots.db"; chown daemon "$T/o/own.db"
	daemon_stop
	daemon_conf "database \"own\" { path \"$T/o/own.db\" }"
	daemon_start || finish
	(
		trap 'exit 0' TERM
		while :; do
			ln -s "$T/roots.db" "$T/o/l" 2>/dev/null
			mv -T "$T/o/own.db" "$T/o/keep"
			mv -T "$T/o/l" "$T/o/own.db"
			mv -T "$T/o/keep" "$T/o/own.db"
		done
	) 2>/dev/null & R=$!; PIDS="$PIDS $R"
	end=$((SECONDS + RACE)) yes=0 no=0 wrong=0
	while [ $SECONDS -lt $end ]; do
		f=$(create '{"database":"own"}' | json '.data.file_path // empty')
		if [ -z "$f" ] || [ ! -f "$f" ]; then no=$((no + 1))
		elif [ "$(sqlite3 "$f" 'SELECT count(*) FROM accounts')" = 5 ]; then yes=$((yes + 1))
		else wrong=$((wrong + 1)); fi
	done
	kill $R; wait $R 2>/dev/null
	is "a race for the database: $yes taken, $no refused, root's file taken" $wrong 0
	ok "the daemon lives" answers
else
	skip "a race for the database"
fi
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
