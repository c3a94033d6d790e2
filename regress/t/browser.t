#!/bin/bash
# A web page in a real browser, of somebody who may do everything, tries to
# read, to create and to restore: from another origin, under a name that
# leads here, and under its own name once that leads here (DNS rebinding).
# The one page that the configuration allows can.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
for BROWSER in chromium chromium-browser google-chrome ''; do
	command -v "$BROWSER" >/dev/null 2>&1 && break
done
[ -n "$BROWSER" ] || skip_all "no chromium"
perl -MIO::Socket::INET -e 1 2>/dev/null || skip_all "no perl"

W=$T/site
mkdir "$W"
cp "$TOP/regress/hostile/page.html" "$W/page"
BAD=$(port) GOOD=$(port) REBOUND=$(port)
site() { perl "$TOP/regress/hostile/page.pl" "$1" "$W" >/dev/null 2>&1 </dev/null & PIDS="$PIDS $!"; SITE=$!; }
site "$BAD"
site "$GOOD"
site "$REBOUND"
is_up() { curl -s -o /dev/null -m 2 "http://127.0.0.1:$1/none"; }
for p in $BAD $GOOD $REBOUND; do wait_for 5 is_up "$p" || finish; done

sqlite3 "$T/app.db" "CREATE TABLE t(x); INSERT INTO t VALUES('old')"
daemon_conf "listen on 127.0.0.1 port $REBOUND" \
    "allow origin \"http://127.0.0.1:$GOOD\"" \
    "database \"app\" { path \"$T/app.db\" }"
D=http://127.0.0.1:$PORT R=http://127.0.0.1:$BAD/report

# One page holds the others: each has its own origin.
frame() { printf '<iframe src="%s/page#%s,%s,%s,%s"></iframe>\n' "$1" "$2" "$3" 1 "$R"; }
{ frame "http://127.0.0.1:$BAD" foreign "$D"
  frame "http://evil.test:$BAD" named "$D"
  frame "http://evil.test:$REBOUND" rebound "http://evil.test:$REBOUND"
} >"$W/bad"
frame "http://127.0.0.1:$GOOD" allowed "$D" >"$W/good"
browse() {
	HOME=$T "$BROWSER" --headless --no-sandbox --disable-gpu \
	    --disable-dev-shm-usage --no-first-run --no-proxy-server \
	    --disable-background-networking --user-data-dir="$T/chrome" \
	    --host-resolver-rules='MAP evil.test 127.0.0.1' \
	    --remote-debugging-port=0 "$1" >>"$T/browser.log" 2>&1 </dev/null &
	PIDS="$PIDS $!"
	PAGE=$!
}
reported() { grep -qs "\"who\":\"$1\"" "$W/reports"; }
# A page may have been loaded twice.
went() { grep -s "\"who\":\"$1\"" "$W/reports" | jq -r "$2" | sort -u; }

# The page with the name is loaded from its site, which then gives way.
browse "http://127.0.0.1:$BAD/bad"
wait_for 10 reported foreign >/dev/null	# nobody is there yet
result $? "a browser runs the page" "$(tail -3 "$T/browser.log")"
: >"$W/reports"
kill "$SITE"; gone 5 "$SITE"
daemon_start || finish
create >/dev/null
sqlite3 "$T/app.db" "UPDATE t SET x = 'new'"
now() { sqlite3 "$T/app.db" 'SELECT x FROM t'; }
wait_for 10 reported rebound
ok "its name leads here now" reported rebound
kill "$PAGE"; gone 5 "$PAGE"
browse "http://127.0.0.1:$BAD/bad"
wait_for 10 eval 'reported foreign && reported named'
kill "$PAGE"; gone 5 "$PAGE"

for who in foreign named; do
	is "$who: nothing can be read" "$(went $who '"\(.read) \(.script) \(.image)"')" "blocked blocked blocked"
	is "$who: with a preflight neither" "$(went $who '"\(.create) \(.restore)"')" "blocked blocked"
	# Opaque or blocked before it was sent: as the browser likes.
	is "$who: nothing else is learned" "$(went $who '"\(.readBlind) \(.createBlind) \(.restoreBlind) \(.error)"' | tr ' ' '\n' | grep -vxE 'null|opaque|blocked')" ""
done
is "rebound: each question is refused" "$(went rebound '"\(.read) \(.readBlind) \(.create) \(.restore) \(.script) \(.error)"')" "421 421 403 403 blocked null"
is "not even a picture got an answer" "$(grep -ac 'front: [A-Z]* /api/.* 2..$' "$T/daemon.log")" 1
is "nothing was created" "$(api GET /user | jq -c '[.data[].id]')" '[1]'
is "nothing was restored" "$(now)" new
nok "no job was begun" grep -aqE 'job [2-9]|audit: restore .*(began|done)' "$T/daemon.log"
ok "each attempt is in the audit log" test "$(grep -ac 'audit: request .*refused: \(FORBIDDEN\|MISDIRECTED_REQUEST\) by front' "$T/daemon.log")" -gt 10

browse "http://127.0.0.1:$BAD/good"
wait_for 10 reported allowed
is "the page that is allowed reads" "$(went allowed .read)" "200 read"
is "creates and restores" "$(went allowed '"\(.create) \(.restore)"')" "200 read 200"
is "and only that" "$(went allowed '"\(.script) \(.image) \(.error)"')" "blocked blocked null"
is "the database is as it was" "$(now)" old
finish
