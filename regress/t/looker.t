#!/bin/bash
# The process that stays and looks, so that a schedule that finds nothing to
# do starts none: it is one for all, sees what has changed, and when it hangs
# or dies nobody else waits for it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/clock.sh"
. "$TOP/regress/e2e.sh"
export TZ=Europe/Berlin
ROOT=$([ "$(id -u)" = 0 ] && echo 1)
mkdir "$T/d"
for n in a b c; do "$TOOLS/bank" "$T/d/$n.db" -m delete -n 20 init >/dev/null; done
give() { [ -z "$ROOT" ] || chown -R daemon: "$T/d"; }
give
db() { sqlite3 -readonly "$BACKUP_DIR/catalog.sqlite" ".timeout 5000" "$@"; }
field() { db "SELECT $2 FROM databases WHERE name = '$1'"; }
said() { grep -c "$1" "$T/daemon.log"; }
settle() { sleep 2.1; }			# older than "too recent to tell"
schedules() {
	daemon_conf "database \"a\" { path \"$T/d/a.db\" $1 jitter 0s }
database \"b\" { path \"$T/d/b.db\" $1 jitter 0s }
database \"c\" { path \"$T/d/c.db\" at 12:01 jitter 0s }"
}
later() { [ "$(field "$1" slot_ms)" -gt "$2" ]; }
# due SECONDS|TIME WHAT RESULT: time passes, and both were looked at; how a
# ended.
due() {
	local slot=$(field a slot_ms) other=$(field b slot_ms)
	case $1 in *-*) clock_set "$1" 0 ;; *) clock_add "$1" ;; esac
	wait_for 20 later a "$slot"
	wait_for 20 later b "$other"
	like "$2" "$(field a result)" "$3"
}
write() { sqlite3 "$T/d/a.db" "PRAGMA user_version = $1"; give; settle; }

schedules "every 2m"
settle
clock_set "2027-03-26 12:00:05" 0
start_daemon || finish
for n in a b c; do wait_for 10 eval "[ \"\$(field $n result)\" = completed ]"; done
is "at first all are copied" "$(field a result) $(field b result) $(field c result)" "completed completed completed"
L=$(child looker)
ok "one process has looked" [ "$(said 'looker started')" = 1 ]
is "it is alone" "$(children "$DAEMON" | wc -w)" 3

# What hangs, hangs from here on, beside all that follows.
kill -STOP "$L"
clock_set "2027-03-26 12:01:01" 0
looks() { api GET /status | jq -e '.data.databases[] | select(.database == "c").running'; }
ok "the third is due" wait_for 10 looks
due 60 "while its look hangs, others go on" unchanged
ok "by another process" [ "$(said 'looker started')" -ge 2 ]
# The one that does not hang.
looker() {
	for p in $(children "$DAEMON"); do
		case $(cat "/proc/$p/comm") in cloudbackupd-lo*) [ "$p" = "$L" ] || echo "$p" ;; esac
	done 2>/dev/null
}
# few WHAT: no worker has begun, and of lookers no more than a machine that
# stands still for two seconds would have.
workers=$(said 'worker started') lookers=$(said 'looker started')
few() {
	is "$1: no worker" "$(said 'worker started')" "$workers"
	ok "$1: no new process for each" [ $(($(said 'looker started') - lookers)) -le 2 ]
}
fds() { ls "/proc/$DAEMON/fd" 2>/dev/null | wc -l; }
before=$(fds)
(for i in {1..10}; do due 120 "look $i" unchanged; done) >"$T/looks"
is "ten times nothing was to do" "$(grep -v '^ok' "$T/looks")" ""
few "ten times two looks"
as_before() { [ "$(fds)" = "$before" ]; }
ok "they cost no descriptor" wait_for 5 as_before
[ -z "$ROOT" ] || is "nor one of the looker's" "$(ls "/proc/$(looker | head -1)/fd" | wc -l)" 5

write 7
due 120 "what was written is copied" completed
due 120 "and not again" unchanged
mv "$T/d/a.db" "$T/d/real.db"
ln -s real.db "$T/d/a.db"
due 120 "a link in its place" "failed: *symbolic link*"
rm "$T/d/a.db"
due 120 "nothing in its place" "failed: *does not exist*"
mkfifo "$T/d/a.db"
due 120 "a FIFO in its place" "failed: *not a regular file"
rm "$T/d/a.db"; mv "$T/d/real.db" "$T/d/a.db"
mkfifo "$T/d/a.db-wal"
due 120 "a FIFO in place of its -wal" "failed: *not a regular file"
rm "$T/d/a.db-wal"
ln "$T/d/a.db" "$T/d/second.db"
due 120 "a second name" "failed: *2 names*"
rm "$T/d/second.db"
if [ -n "$ROOT" ]; then
	chown games "$T/d/a.db"
	due 120 "an owner who is refused" "failed: *belongs to uid*"
	chown -R bin: "$T/d"; chmod 600 "$T/d/a.db"; chmod 700 "$T/d"
	due 120 "another owner, whose files nobody else may read: copied" completed
	chmod 755 "$T/d"; give
	settle
	due 120 "and back" completed
	due 120 "which rests" unchanged
else
	settle
	due 120 "put back: as it was, or copied" "[uc][no]*ed"
fi

mkdir -p "$T/lower" "$T/work" "$T/merged"
if [ -n "$ROOT" ] && mount -t overlay overlay -o "lowerdir=$T/lower,upperdir=$T/d,workdir=$T/work" "$T/merged" 2>/dev/null; then
	due 120 "what was mounted since" "failed: *the layer of an overlay*"
	umount "$T/merged"
	due 120 "and is no longer" "[uc][no]*ed"
else
	skip "no overlay can be mounted"
fi
ok "all that by few processes" [ $(($(said 'looker started') - lookers)) -le 4 ]

# The one that hung has had its time.
ok "the look that hung has failed" wait_for 20 grep -q 'made no progress for 15 seconds' "$T/daemon.log"
ok "which ended the process" gone 5 "$L"

kill -KILL $(looker)
ok "killed while it rests: that is noticed" wait_for 5 grep -q 'the looker ended by itself (signal 9' "$T/daemon.log"
due 120 "and the next look begins another" "[uc][no]*ed"
L=$(child looker)
kill -STOP "$L"
slot=$(field a slot_ms) other=$(field b slot_ms)
clock_add 120
waits() { later a "$slot" || later b "$other"; }
ok "killed while it looks: others have another" wait_for 10 waits
kill -KILL "$L"
ok "its look fails" wait_for 5 grep -q 'the looker ended without an answer (signal 9' "$T/daemon.log"
wait_for 20 later a "$slot"
wait_for 20 later b "$other"
due 120 "and the next does not" "[uc][no]*ed"

L=$(child looker)
schedules "every 10m"
kill -HUP "$DAEMON"
ok "a reload ends it" gone 5 "$L"
due "2027-03-26 20:00:05" "the next look begins another" "[uc][no]*ed"
L=$(child looker)
clock_add 170; sleep 0.3
ok "it stays for three minutes" alive "$L"
clock_add 20
ok "and no longer, when nobody asks" gone 5 "$L"
rests() { [ "$(children "$DAEMON" | wc -w)" = 2 ]; }
ok "then nothing of it is left" wait_for 5 rests

due 600 "after that another looks" "[uc][no]*ed"
kill_daemon
is "the daemon was killed: so is the looker" $? 0
start_daemon || finish
due 600 "after a new start" "[uc][no]*ed"
kill -STOP "$(child looker)"
clock_add 600
sleep 0.2
kill "$DAEMON"
daemon_wait 10
is "one that hangs does not hold up the end" "$RC" 0
is "nobody was ended for a call" "$(said 'signal 31')" 0
finish
