#!/bin/bash
# Webhooks: what happened is POSTed as JSON, in order, each at least once,
# whatever the receiver and the daemon go through; the heartbeat beats as
# long as all is well; no secret is told.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

# The receiver: "PATH EVENT STATUS BODY" to $T/got for each request; the
# status is that of $T/status, 200 without.
HPORT=$(port)
receiver() {
	perl -MIO::Socket::INET -e '
	my ($port, $t) = @ARGV; $SIG{PIPE} = "IGNORE";
	my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 64, ReuseAddr => 1) or die $!;
	$| = 1;
	while (my $c = $l->accept) {
		my ($head, $line, %h) = ("");
		while (defined($line = <$c>) && $line !~ /^\r?\n$/) {
			$head .= $line;
			$h{lc $1} = $2 if $line =~ /^([^:]+):\s*(.*?)\r?\n$/;
		}
		my $body = "";
		read($c, $body, $h{"content-length"} || 0);
		my ($path) = $head =~ m{^POST (\S+)};
		my $status = 200;
		if (open my $f, "<", "$t/status") { chomp($status = <$f>); close $f; }
		open my $g, ">>", "$t/got"; my $e = $h{"x-cloudbackupd-event"} || "-";
		my $a = $h{"authorization"} ? "auth" : "open";
		print $g "$path $e $status $h{\"content-type\"} $h{\"user-agent\"} $a $body\n"; close $g;
		if ($status eq "hang") { push @held, $c; next }
		if ($status eq "endless") { print $c "HTTP/1.1 200 OK\r\n\r\n"; print $c "x" x 65536 for 1 .. 8; close $c; next }
		my $more = $status == 302 ? "Location: http://127.0.0.1:$port/elsewhere\r\n" : "";
		print $c "HTTP/1.1 $status X\r\n${more}Content-Length: 6\r\nConnection: close\r\n\r\nsecret";
		close $c;
	}' "$HPORT" "$T" >>"$T/receiver.log" 2>&1 &
	RECEIVER=$!
	PIDS="$PIDS $RECEIVER"
}
touch "$T/got"
# got PATH [STATUS]: the ids that came there, in order; bodies PATH.
got() { awk -v p="$1" -v s="${2:-200}" '$1 == p && $3 == s' "$T/got" | sed 's/^[^{]*//' | jq -r .id | xargs; }
bodies() { awk -v p="$1" '$1 == p' "$T/got" | sed 's/^[^{]*//'; }
has_got() { [ "$(got "$1")" = "$2" ]; }
some() { [ "$(bodies "$1" | wc -l)" -ge "$2" ]; }

"$TOOLS/bank" "$T/shop.sqlite" -m wal -n 100 init
H=http://127.0.0.1:$HPORT
daemon_conf "notify \"http://127.0.0.1:$HPORT/all?key=sesame\" on failure, success" \
    "notify \"$H/bad\" on failure" \
    "heartbeat \"$H/alive\" every 1s" \
    "database \"shop\" { path \"$T/shop.sqlite\" }"
daemon_start || finish

# ---- nobody is there at first ----
create >/dev/null; create >/dev/null
ok "who is not there is tried again" wait_for 5 grep -q 'did not get to http://127.0.0.1' "$T/daemon.log"
receiver
ok "what happened before he came arrives" wait_for 10 has_got '/all?key=sesame' "1 2"
line=$(grep '^/all' "$T/got" | head -1)
like "as JSON, by name" "$line" '/all?key=sesame completed 200 application/json cloudbackupd/* open {*'
is "all that is said" "$(bodies '/all?key=sesame' | head -1 | jq -c 'keys')" '["at","backup_id","database","event","host","id","installation","remote","text"]'
is "the same as the API says" "$(bodies '/all?key=sesame' | head -1 | jq -Sc 'del(.host, .installation)')" \
    "$(api GET /events | jq -Sc '.data[0]')"
is "whose it is" "$(bodies '/all?key=sesame' | head -1 | jq -r .host)" "$(hostname)"
like "and of which installation" "$(bodies '/all?key=sesame' | head -1 | jq -r .installation)" '????????-????-????-????-????????????'
is "who wants failures only hears nothing of success" "$(got /bad)" ""
ok "the heartbeat beats" wait_for 5 some /alive 2
is "and says so" "$(bodies /alive | head -1 | jq -c '[.event, .id, .database]')" '["heartbeat",0,null]'

# ---- he fails, and the daemon is killed meanwhile ----
echo 500 >"$T/status"
create >/dev/null; create >/dev/null
wait_for 5 sh -c "grep -q '^/all.* 500 ' '$T/got'"
kill_daemon
daemon_start
create >/dev/null
echo 503 >"$T/status"; sleep 0.3
rm "$T/status"
ok "after kill -9 and many failures all arrive" wait_for 15 has_got '/all?key=sesame' "1 2 3 4 5"
is "tried in order, none passed over" "$(got '/all?key=sesame' 500 | tr ' ' '\n' | sort -u | xargs)" 3
echo hang >"$T/status"
create >/dev/null
wait_for 5 sh -c "grep -q '^/all.* hang ' '$T/got'"
kill_daemon
rm "$T/status"
daemon_start
ok "one whose answer was lost comes again" wait_for 10 has_got '/all?key=sesame' "1 2 3 4 5 6"

# ---- answers that are none ----
echo endless >"$T/status"
create >/dev/null
wait_for 5 sh -c "grep -q '^/all.* endless ' '$T/got'"
rm "$T/status"
create >/dev/null
ok "an answer without end counts by its status" wait_for 10 has_got '/all?key=sesame' "1 2 3 4 5 6 8"
echo 302 >"$T/status"
create >/dev/null
ok "a redirect is not followed" wait_for 5 grep -q 'event 9 is not sent to .*redirect' "$T/daemon.log"
nok "nowhere" grep -q ^/elsewhere "$T/got"
echo 410 >"$T/status"
create >/dev/null
ok "what is refused for good is not sent again" wait_for 5 grep -q 'event 10 is not sent to .*410' "$T/daemon.log"
rm "$T/status"
create >/dev/null
ok "and stands in nobody's way" wait_for 10 has_got '/all?key=sesame' "1 2 3 4 5 6 8 11"

# ---- failure ----
mv "$T/shop.sqlite" "$T/gone"
create >/dev/null
ok "a failure is told to both" wait_for 5 has_got /bad 12
like "with a reason" "$(bodies /bad | jq -r '.event + " " + .text')" 'failed the backup of shop failed: *'
n=$(bodies /alive | wc -l)
sleep 2.2
is "the heartbeat stops" "$(($(bodies /alive | wc -l) - n < 2))" 1
mv "$T/gone" "$T/shop.sqlite"
create >/dev/null
n=$(bodies /alive | wc -l)
ok "and goes on when it went well" wait_for 5 some /alive $((n + 1))

# ---- secrets ----
nok "no event has a secret" grep sesame <(api GET '/events?limit=1000'; bodies '/all?key=sesame'; bodies /bad)
nok "nor has the log" grep sesame "$T/daemon.log"
nok "nor what a receiver answered" grep -w secret "$T/daemon.log"
nok "nor has the catalog" grep -a sesame "$BACKUP_DIR"/catalog.sqlite*

# ---- who is away for too long ----
daemon_stop
sqlite3 "$BACKUP_DIR/catalog.sqlite" "UPDATE events SET at_ms = at_ms - 8 * 86400000;
    UPDATE hooks SET last_id = 0"
: >"$T/got"
daemon_start
create >/dev/null
ok "what is older than a week is not sent" wait_for 5 has_got '/all?key=sesame' 14
ok "the log says how much that is" grep -q '13 of them, up to number 13' "$T/daemon.log"
daemon_stop
sqlite3 "$BACKUP_DIR/catalog.sqlite" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10100)
    INSERT INTO events (at_ms, kind, database, text) SELECT 1000 * unixepoch(), 'drilled', 'shop', 'x' FROM n"
: >"$T/got"
daemon_start
ok "of very many the newest ten thousand are" wait_for 5 grep -q '100 of them, up to number 114,' <(sleep 2; cat "$T/daemon.log")
sleep 0.5
is "in order" "$(got '/all?key=sesame' | tr ' ' '\n' | sort -nc 2>&1; got '/all?key=sesame' | cut -d' ' -f1)" 115
daemon_stop

# ---- one that is configured later hears what happens from then on ----
sed -i "s,/bad\",/new\",; s,on failure\$,on success," "$CONF"
: >"$T/got"
daemon_start
create >/dev/null
ok "a new one" wait_for 5 has_got /new "$(api GET /events?after=10100 | jq '.data[-1].id')"
is "those that went are forgotten" "$(sqlite3 "$BACKUP_DIR/catalog.sqlite" 'SELECT count(*) FROM hooks')" 2
finish
