#!/bin/bash
# Every verb of cloudbackupctl against the daemon, over its socket and over
# TCP: what it prints for people and for programs, its exit statuses, and
# what it asks before it destroys something.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
for p in jq script perl; do
	command -v $p >/dev/null || skip_all "no $p"
done
CTL=$BUILD/cloudbackupctl
unset NO_COLOR
export TERM=xterm

# ctl ARGUMENTS: over the socket; output in $OUT, errors in $ERR, status $RC.
run() {
	"$@" >"$T/out" 2>"$T/err" </dev/null; RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
ctl() { run "$CTL" -s "$SOCK" "$@"; }
# wants STATUS DESCRIPTION: of the last one.
wants() { result "$([ "$RC" = "$1" ]; echo $?)" "$2: exit status $1" "status $RC
$OUT
$ERR"; }
# On a terminal, with KEYS typed: all it prints.
tty_ctl() {
	local keys=$1
	shift
	printf '%s\n' "$keys" | timeout 30 script -qec "$CTL -s $SOCK $*" /dev/null \
	    >"$T/tty" 2>&1; RC=$?
	OUT=$(tr -d '\r' <"$T/tty")
}
ESC=$(printf '\033')

SOCK=$T/http.sock
"$TOOLS/bank" "$T/shop.db" -m wal -n 2000 -z 200 init
"$TOOLS/bank" "$T/till.db" -m delete -n 100 init
remote_start
daemon_conf "listen on socket \"$SOCK\" mode 0666" \
    "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"shop\" { path \"$T/shop.db\" lock timeout 1s }" \
    "database \"till\" { path \"$T/till.db\" lock timeout 1s }"

# ---- before there is anybody ----
ctl list
wants 2 "no daemon"
like "no daemon: the socket is named" "$ERR" "*$SOCK: No such file*"
run "$CTL" -u "http://127.0.0.1:$PORT" list
wants 2 "nobody listens"
run "$CTL"; wants 1 "no verb"
run "$CTL" -x list; wants 1 "an unknown option"
run "$CTL" -s a -u b list; wants 1 "both a socket and a URL"
run "$CTL" -V
like "-V" "$OUT" 'cloudbackupctl [0-9]*'
run "$CTL" statsu
wants 1 "a mistyped verb"
like "a suggestion" "$ERR" '*did you mean "status"?'
run "$CTL" re
wants 1 "a beginning of several"
like "all of them are named" "$ERR" '*reload, remote, restore*'
run "$CTL" hel re; wants 1 "help of several"
run "$CTL" he pin
like "a beginning of one" "$OUT" 'cloudbackupctl pin ID ...*'
run "$CTL" frobnicate
like "nothing like it" "$ERR" '*"cloudbackupctl help" lists them'
for v in $("$CTL" help | awk 'on { print $1 } $1 == "VERB" { on = 1 } /^$/ && on { exit }' | grep -v '^cloudbackupctl'); do
	run "$CTL" $v -Z and too many arguments
	wants 1 "$v with nonsense"
	case $v in help|completion) ;; *) like "$v: its usage" "$ERR" "*usage: cloudbackupctl $v*" ;; esac
done

daemon_start

# ---- create, list, show ----
ctl create first "the first one"
wants 0 create
like "create: what came of it" "$OUT" "backup 1 of shop: completed, *, at local,hq"
ok "create: each phase is a line, without a terminal" grep -qxE 'ahead|copy|sync|verify|count|upload|waits' "$T/err"
nok "create: and no bar" grep -q "$ESC" "$T/err"
ctl -d till -j create
wants 0 "create -j"
is "create -j: the backup" "$(jq -r '.data | "\(.id) \(.database) \(.status)"' <"$T/out")" "2 till completed"
ctl -d nothing create
wants 4 "create of an unknown database"
like "with what to do" "$ERR" "*(DATABASE_UNKNOWN)
Use the name of a database block*"
ctl list
wants 0 list
is "list: the columns" "$(sed -n 's/  */ /g; 1p' "$T/out" | sed 's/^ //')" "ID DATABASE AGE SIZE STATUS PROOF WHERE NAME"
like "list: newest first, aligned" "$(sed -n 2p "$T/out")" " 2  till  *completed  sound  local,hq "*
like "list: where and by name" "$(sed -n 3p "$T/out")" "*local,hq  first"
nok "list: no colour into a file" grep -q "$ESC" "$T/out"
ctl -d shop list -n 1
is "list -d: one database" "$(awk 'NR > 1 { print $2 }' "$T/out")" shop
ctl -j li -a
is "list -j: all" "$(jq -c '[.data[].id] | sort' <"$T/out")" "[1,2]"
run "$CTL" -u "http://127.0.0.1:$PORT/" list
wants 0 "over TCP"
is "over TCP: the same" "$(wc -l <"$T/out")" 3
ctl show 1
wants 0 show
like "show: fields" "$OUT" "backup       1*name         first*description  the first one*PLACE*STATE*hq*completed*"
ctl show 99
wants 4 "show of nothing"
ctl -j show 1
is "show -j" "$(jq -r '.data.copies | map(.place) | sort | join(" ")' <"$T/out")" "hq local"

# ---- a terminal ----
tty_ctl '' list
like "list: colour on a terminal" "$OUT" "*$ESC\[32mcompleted$ESC\[0m*"
NO_COLOR=1 tty_ctl '' list
nok "not with NO_COLOR" grep -q "$ESC" "$T/tty"
TERM=dumb tty_ctl '' list
nok "nor on a dumb one" grep -q "$ESC" "$T/tty"
tty_ctl '' create barred
ok "create: a bar on a terminal" grep -q '\[#*\.*\] *[0-9]*%  ' "$T/tty"

# ---- status, info, locks, jobs ----
ctl status
wants 0 status
like "status: shop and till" "$OUT" "DATABASE *shop * completed *till * completed *REMOTE *hq *rest *"
ctl -j status
is "status -j" "$(jq -r '[.data.databases[].database] | join(" ")' <"$T/out")" "shop till"
ctl -d till info
wants 0 info
like "info" "$OUT" "*path            $T/till.db*journal_mode    delete*"
ctl jobs
wants 0 jobs
like "jobs: what was done" "$OUT" "*JOB *create  shop *done *"
ctl -j jobs 1
is "jobs -j" "$(jq -r '.data.state' <"$T/out")" "done"
ctl jobs 77; wants 4 "jobs of nothing"
ctl locks
wants 0 locks
"$TOOLS/mkdb" locker "$T/till.db" immediate 30 >"$T/locker.out" 2>&1 & LOCKER=$!
PIDS="$PIDS $LOCKER"
wait_for 10 test -s "$T/locker.out"
ctl -d till locks
like "locks: who has it" "$OUT" "*PID*COMMAND*$LOCKER  mkdb *write *"
ctl -d till -y restore 2
wants 5 "restore under a lock: again later"
like "restore under a lock: who" "$ERR" "*mkdb*(DATABASE_LOCKED)*"
kill "$LOCKER"; wait "$LOCKER" 2>/dev/null

# ---- restore, undo ----
pages() { sqlite3 "$T/shop.db" 'SELECT count(*) FROM keep' 2>/dev/null || echo none; }
sqlite3 "$T/shop.db" 'CREATE TABLE keep(a); INSERT INTO keep VALUES (1)'
ctl restore 1
wants 1 "restore without a terminal and -y"
like "restore: says why not" "$ERR" "*not without -y*"
is "nothing was done" "$(pages)" 1
tty_ctl n restore 1
wants 1 "restore, n"
like "restore asks" "$OUT" "*Put backup 1 of shop (* old, *) in place of what shop has now (that is kept*\[y/N\] *Nothing was done.*"
is "n: nothing was done" "$(pages)" 1
tty_ctl y restore 1
wants 0 "restore, y"
like "restore: how to take it back" "$OUT" '*shop restored (*); what was there before is backup *: "cloudbackupctl undo" puts it back*'
is "it is restored" "$(pages)" none
ctl undo
wants 1 "undo without -y"
ctl -y undo
wants 0 "undo -y"
is "it is undone" "$(pages)" 1
ctl -y -j restore 1
is "restore -j: the job, with the safety backup" "$(jq -r '.data | "\(.kind) \(.state) \(.safety_backup_id > 1)"' <"$T/out")" "restore done true"
ctl -y restore 99; wants 4 "restore of nothing"
ctl -y restore -i "$T/none" 1; wants 1 "restore with no identity file"
ctl -d till -y restore 1
wants 5 "restore into another database: wants force"
ctl -d till -y restore -f 1
wants 0 "restore -f"

# ---- verify ----
ctl verify 1
wants 0 verify
like "verify: from where, and how long" "$OUT" "backup 1 from hq: passed in * ms, * tables, * rows*"
ctl verify 99; wants 4 "verify of nothing"

# ---- download ----
cd "$T" || exit 1
ctl download 1 copy.sqlite
wants 0 download
is "download: the checksum" "$(ctl -j show 1; jq -r .data.checksum <"$T/out")" "sha256:$(sha256 copy.sqlite)"
ctl download 1 copy.sqlite
wants 1 "download onto a file"
ctl download 1
wants 0 "download without a name"
like "download: the daemon's name" "$OUT" "*.sqlite: *"
ok "and it is there" test -s "${OUT%%: *}"
ctl -j download -r 1 raw.sqlite
is "download -r -j" "$(jq -r '.file + " " + .checksum' <"$T/out")" "raw.sqlite sha256:$(sha256 raw.sqlite)"
ctl download 99 none.sqlite
wants 4 "download of nothing"
# A proxy that changes one byte of what it passes on.
PROXY=$(port)
cat >proxy.pl <<'END'
use Socket;
my ($from, $to) = @ARGV;
socket(my $l, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($l, SOL_SOCKET, SO_REUSEADDR, 1);
bind($l, sockaddr_in($from, INADDR_LOOPBACK)) or die;
listen($l, 8);
while (accept(my $c, $l)) {
	my $q = '';
	while ($q !~ /\r\n\r\n/ && sysread($c, my $b, 4096)) { $q .= $b }
	socket(my $s, PF_INET, SOCK_STREAM, 0);
	connect($s, sockaddr_in($to, INADDR_LOOPBACK)) or die;
	$q =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
	syswrite($s, $q);
	my ($n, $cut) = (0, $q =~ m{download/3 });
	while (sysread($s, my $b, 65536)) {
		$n += length $b;
		substr($b, -1, 1) ^= "\x01" if !$cut && $n > 40000;
		last if $cut && $n > 40000;
		my $at = 0;
		while ($at < length $b) {
			my $w = syswrite($c, $b, length($b) - $at, $at);
			last unless $w;
			$at += $w;
		}
	}
	close $s; close $c;
}
END
perl proxy.pl "$PROXY" "$PORT" 2>"$T/proxy.err" & PIDS="$PIDS $!"
wait_for 5 curl -s -o /dev/null "http://127.0.0.1:$PROXY/healthz"
run "$CTL" -u "http://127.0.0.1:$PROXY" download 1 changed.sqlite
wants 6 "download of other bytes"
like "other bytes: said" "$ERR" "*its checksum differs; nothing was kept"
run "$CTL" -u "http://127.0.0.1:$PROXY" download 3 cut.sqlite
wants 2 "download that ends early"
is "nothing is left of either" "$(ls -A | grep -E 'changed|cut|cloudbackup\.[A-Za-z0-9]{6}$')" ""
cd / || exit 1

# ---- pin, delete, expire ----
ctl pi 1
wants 0 pin
like "pin: said" "$OUT" "1: The backup is pinned*"
ctl list
ok "list: a star" grep -q '^ *1\*  shop' "$T/out"
ctl -y delete 1
wants 5 "delete of a pinned one"
ctl unpin 1
wants 0 unpin
tty_ctl n delete 1
like "delete asks" "$OUT" "*Delete 1 backup, here and at all remotes? \[y/N\]*Nothing was done.*"
ctl delete 3
wants 1 "delete without -y"
ctl -y del 3 99
wants 4 "delete of one that is there and one that is not"
like "delete: where not" "$OUT" "3: The backup was deleted, but not at hq*"
ctl expire; wants 1 "expire without -y"
ctl expire -n
wants 0 "expire -n"
ctl -y -j expire
is "expire -j" "$(jq -r '.success' <"$T/out")" true

# ---- what happened, what is told, what is tried ----
ctl events
wants 0 events
like "events: what happened" "$OUT" "20??-*Z  completed *shop: *restored *"
ctl -j events 1
is "events -j, after one" "$(jq -r '.data[0].id' <"$T/out")" 2
"$CTL" -s "$SOCK" events -f >"$T/follow" 2>&1 </dev/null & FOLLOW=$!
PIDS="$PIDS $FOLLOW"
sleep 0.5
ctl -d till create followed
ok "events -f: what happens" wait_for 10 grep -q 'completed *till: ' "$T/follow"
kill "$FOLLOW"
ctl -d shop acknowledge stale
wants 0 acknowledge
ctl log brief
wants 0 log
ctl reload
wants 0 reload
like "reload: what came of it" "$OUT" "*onfiguration*"
echo nonsense >>"$CONF"
ctl reload
wants 6 "reload of nonsense"
like "reload of nonsense: where" "$ERR" "*cloudbackupd.conf:*nonsense*"
sed -i '$d' "$CONF"
ctl remote test hq
wants 0 "remote test"
like "remote test: its steps" "$OUT" "RESULT  WHAT *ok *remote *hq *remote test: 0 failed, *"
ctl remote test none; wants 7 "test of no remote"
ctl check
wants 0 check
like "check: all of it" "$OUT" "*ok *file *shop *$T/shop.db*ok *restore *till *check: 0 failed, *"
ctl -j check
is "check -j: an array" "$(jq -r '[.[].result] | unique | join(" ")' <"$T/out")" "ok warning"
echo 'status 413' >"$T/remote/fault"
ctl -d till -j create
wants 6 "create -j that the remote refuses"
is "create -j: the backup all the same" "$(jq -r .data.status <"$T/out")" failed
rm -f "$T/remote/fault"
remote_stop
ctl check
wants 7 "check without the remote"

# ---- somebody who only says that he is the daemon ----
cat >"$T/liar.pl" <<'EOL'
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0],
    Listen => 5, ReuseAddr => 1) or die;
my $e = "\\u001b[31m\\u0007";
my %a = (
	events => "{\"data\":[{\"at\":\"$e\",\"event\":\"$e\",\"database\":\"$e\",\"text\":\"$e\"}]}",
	download => "0123456789",
	stats => "{\"errorCode\":\"$e\",\"message\":\"$e\",\"remediation\":\"$e\"}",
);
while (my $c = $l->accept) {
	my $r = <$c>; while (<$c> =~ /\S/) { }
	my ($k) = grep { $r =~ /$_/ } qw(events download); $k //= "stats";
	my $b = $a{$k};
	printf $c "HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n" .
	    "Content-Disposition: attachment; filename=\"x\e[31m\"\r\n\r\n%s",
	    $k eq "stats" ? "404 No" : "200 OK", length $b, $b;
	close $c;
}
EOL
LIAR=$(port)
perl "$T/liar.pl" "$LIAR" 2>/dev/null & PIDS="$PIDS $!"
wait_for 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$LIAR"
mkdir "$T/lies" && cd "$T/lies"
for what in "events" "list" "download 1"; do
	run "$CTL" -u "http://127.0.0.1:$LIAR" $what
	is "of $what no control character comes out" "$(cat "$T/out" "$T/err" | tr -d '\n' | grep -c '[[:cntrl:]]')" 0
done
is "nor does one get into a file's name" "$(ls -A | xargs)" 'x?[31m'
cd "$T"

# ---- somebody else ----
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T"; cp "$CTL" "$T/ctl"
	run setpriv --reuid nobody --regid nogroup --clear-groups "$T/ctl" -s "$SOCK" create
	wants 3 "a stranger"
	like "a stranger: what to do" "$ERR" "*(FORBIDDEN)*"
	"$BUILD/cloudbackupd" -f "$CONF" -T reader:read >"$T/token" 2>/dev/null
	run "$CTL" -t "$T/token" -s "$SOCK" list
	wants 0 "a token that may read"
	run "$CTL" -t "$T/token" -s "$SOCK" create
	wants 3 "a token that may not create"
	run "$CTL" -t "$T/nothing" -s "$SOCK" list
	wants 1 "a token's file that is not there"
fi

# ---- completion ----
"$CTL" completion bash >"$T/bash"
bash_completes() {
	bash -c '. "$1"; PATH=$2:$PATH; shift 2; COMP_WORDS=("$@")
	    COMP_CWORD=$(($# - 1)); _cloudbackupctl
	    printf "%s\n" "${COMPREPLY[@]}"' bash "$T/bash" "$T/bin" "$@"
}
is "bash: a verb" "$(bash_completes cloudbackupctl -d shop sta)" status
is "bash: its words" "$(bash_completes cloudbackupctl log '' | xargs)" "verbose brief"
mkdir "$T/bin"
printf '#!/bin/sh\nexec "%s" -s "%s" "$@"\n' "$CTL" "$SOCK" >"$T/bin/cloudbackupctl"
chmod 755 "$T/bin/cloudbackupctl"
is "bash: a backup" "$(bash_completes cloudbackupctl show 1)" 1
"$CTL" completion zsh >"$T/_cloudbackupctl"
if command -v zsh >/dev/null; then
	ok "zsh reads its own" zsh -n "$T/_cloudbackupctl"
else
	skip "no zsh"
fi
ok "zsh: each verb" diff <("$CTL" help | awk 'on { print $1 } $1 == "VERB" { on = 1 }' | grep -v '^$\|^cloudbackupctl') \
    <(sed -n "s/^	'\([a-z]*\):.*/\1/p" "$T/_cloudbackupctl")

# ---- the manual ----
M=$TOP/man/cloudbackupctl.8
is "SYNOPSIS is usage()" "$(mandoc -Tascii "$M" | col -b |
    tr '\t' ' ' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/s/^ \{1,\}//p' | xargs)" \
    "$("$CTL" 2>&1 | sed 's/^usage: //' | xargs)"
words() { sed 's/[][|]/ /g' | tr A-Z a-z | tr -s ' ' | sed 's/ $//' | sort; }
is "verbs and arguments are those of the manual" \
    "$(sed -n 's/^\.It Cm //p' "$M" |
	sed 's/\b\(Oo\|Oc\|Op\|Ar\|Cm\) \?//g; s/Fl /-/g' | words)" \
    "$(for v in $("$CTL" help | sed -n '/^VERB/,/^$/s/^\([a-z]*\) .*/\1/p'); do
	"$CTL" help $v | sed -n '1s/^cloudbackupctl //p'; done | words)"
finish
