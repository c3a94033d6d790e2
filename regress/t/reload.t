#!/bin/bash
# The configuration is read anew: everything that may change does, what did
# not change is not touched, and an error leaves all as it was.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

for d in a b c; do "$TOOLS/bank" "$T/$d.db" -m delete -n 10 init; done
remote_start || finish
R1=$RPORT; unset RPORT
mkdir -p "$T/second"; R2=$(port)
"$TOOLS/remote" -p "$R2" -d "$T/second" >/dev/null 2>&1 </dev/null &
PIDS="$PIDS $!"
HQ="remote \"hq\" { rest \"http://127.0.0.1:$R1\" }"
A="database \"a\" { path \"$T/a.db\" to \"hq\" }"
conf() { daemon_conf "$@"; chmod 600 "$CONF"; }
reload() { api POST /reload -H 'Content-Type: application/json' -d '{}'; }
msg() { reload | json .message; }
status() { create "{\"database\":\"$1\"}" | json '.data.status // .errorCode'; }
conf "$HQ" "$A" "database \"c\" { path \"$T/c.db\" }"
perl -MSocket -e '$|=1; socket(my $s, PF_UNIX, SOCK_DGRAM, 0); bind($s, pack_sockaddr_un($ARGV[0]));
    while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\n/ /g; print "$m\n" }' "$T/notify" >"$T/told" &
PIDS="$PIDS $!"
wait_for 5 test -S "$T/notify"
export NOTIFY_SOCKET=$T/notify
daemon_start || finish
unset NOTIFY_SOCKET
F=$(child front) NW=$(child network) P1=$PORT

is "nothing" "$(msg)" "The configuration was read: nothing changed."
ok "the service manager hears it" wait_for 3 grep -q '^RELOADING=1 MONOTONIC_USEC=[0-9]* *$' "$T/told"
ok "and when it is over" wait_for 3 grep -c '^READY=1 *$' "$T/told"

# A connection and a job that go on.
exec 5<>"/dev/tcp/127.0.0.1/$P1"
ask5() {
	printf 'GET /healthz HTTP/1.1\r\nHost: localhost:%s\r\n\r\n' "$P1" >&5
	_n=
	while IFS= read -r -t 5 -u 5 _l; do
		_l=${_l%$'\r'}
		case $_l in HTTP*) echo "$_l" ;; Content-Length:*) _n=${_l#*: } ;; '') break ;; esac
	done
	[ -z "$_n" ] || read -r -t 5 -u 5 -N "$_n" _l
}
is "a connection" "$(ask5)" "HTTP/1.1 200 OK"
exec 7> >(exec sqlite3 "$T/a.db" >/dev/null); LOCKER=$!
echo 'BEGIN EXCLUSIVE; SELECT 1;' >&7
sleep 0.3
job=$(api POST /create -H 'Content-Type: application/json' -H 'Prefer: respond-async' -d '{"database":"a"}' | json .data.id)
wait_for 5 sh -c "curl -s $URL/jobs/$job | grep -q running"
conf "$HQ" "database \"a\" { path \"$T/a.db\" to \"hq\" lock timeout 9s }" "database \"b\" { path \"$T/b.db\" }"
is "one comes, one changes, one goes" "$(msg)" "The configuration was read: 1 database added, 1 changed, 1 removed."
is "the connection is still there" "$(ask5)" "HTTP/1.1 200 OK"
is "the new one is backed up" "$(status b)" completed
is "the one that went is not" "$(status c)" DATABASE_UNKNOWN
echo 'COMMIT;' >&7; exec 7>&-
ended_job() { [ "$(api GET /jobs/$job | json .data.state)" = done ]; }
ok "the job ended well" wait_for 15 ended_job
is "the processes are the same" "$(child front) $(child network)" "$F $NW"

# An error.
conf "$HQ" "$A" "databse \"x\" {}"
line=$(grep -n databse "$CONF" | cut -d: -f1)
reload >"$T/o"
is "an error: its code" "$(json '.errorCode' <"$T/o")" CONFIGURATION_ERROR
like "its place" "$(json .message <"$T/o")" "*cloudbackupd.conf:$line: *databse*"
ok "in the log, too" grep -q "engine: configuration: .*cloudbackupd.conf:$line:" "$T/daemon.log"
is "all is as it was" "$(status b)" completed
kill -HUP "$DAEMON"
ok "by signal as well" wait_for 3 sh -c "[ \$(grep -c 'the old one goes on' '$T/daemon.log') = 2 ]"
conf "$HQ" "$A"; echo "listen on 127.0.0.1 port $R2" >>"$CONF"
like "an address that is taken" "$(reload | json '.errorCode + " " + .message')" "CONFIGURATION_ERROR *listen on 127.0.0.1 port $R2: Address already in use"
is "and nothing else changed" "$(status b)" completed

# By signal; databases that come back; remotes.
conf "$HQ" "remote \"two\" { rest \"http://127.0.0.1:$R2\" }" "$A" "database \"c\" { path \"$T/c.db\" to \"two\" }"
kill -HUP "$DAEMON"
ok "SIGHUP" wait_for 3 grep -q '1 database added, 1 changed, 1 removed; 1 remote added' "$T/daemon.log"
is "the new remote" "$(status c) $(ls "$T/second" | grep -c json)" "completed 1"
conf "remote \"hq\" { rest \"http://127.0.0.1:$R2\" }" "$A"
is "a remote goes, one changes" "$(msg)" "The configuration was read: 1 database removed; 1 remote changed, 1 removed."
is "the old name leads elsewhere" "$(status a) $(ls "$T/second" | grep -c json)" "completed 2"
is "front asks there" "$(api GET /health | json .data.server_url)" "http://127.0.0.1:$R2"
P3=$(port)
conf "remote \"hq\" { rest \"http://127.0.0.1:$P3\" retry from 1h to 1h }" "$A"; msg >/dev/null
is "one that is away" "$(status a)" pending
conf "$A" "$HQ"; msg >/dev/null; sent() { [ "$(api GET /user | jq '[.data[] | select(.status == "pending")] | length')" = 0 ]; }
api POST /create -H 'Content-Type: application/json' -d '{"database":"a"}' >/dev/null
is "there again" "$(status a)" completed
conf "database \"a\" { path \"$T/a.db\" }"
is "no remote at all" "$(msg)" "The configuration was read: 1 database changed; 1 remote removed."
is "backups stay here" "$(status a)" completed
is "the first is the default" "$(create | json .data.database)" a

# A list asks the remote that is the first now, or was when it was asked.
fourtytwo() { conf "remote \"$1\" { rest \"http://127.0.0.1:$R1\" }" "database \"b\" { path \"$T/b.db\" user id \"42\" to \"$1\" }"; msg >/dev/null; }
of_remote() { jq -r '[.data[] | select(.id | type == "string") | .remotes[]] | join(",")' "$T/merged"; }
fourtytwo first
is "one is sent" "$(status b)" completed
fourtytwo then
api GET /user/42 >"$T/merged"
is "the list of another first remote" "$(of_remote)" then
kill -STOP "$REMOTE"
api GET /user/42 >"$T/merged" & PIDS="$PIDS $!" LISTER=$!
asked() { awk -v p=":$(printf %04X "$R1")" 'index($2, p) && $5 !~ /:00000000$/ { n++ } END { exit !n }' /proc/net/tcp; }
ok "it is asked" wait_for 5 asked
conf "$A"; sed -i 's/ to "hq"//' "$CONF"; msg >/dev/null
kill -CONT "$REMOTE"
gone 10 "$LISTER"
is "the list of one that went away meanwhile" "$(of_remote)" then

# Listeners.
P2=$(port) S=$T/http.sock
up() { [ "$(curl -s -m 3 -o /dev/null -w '%{http_code}' "$@")" = 200 ]; }
conf "$A" "$HQ"; printf 'listen on 127.0.0.1 port %s\nlisten on socket "%s" mode 0600\n' "$P2" "$S" >>"$CONF"
is "listeners come" "$(msg)" "The configuration was read: 1 database changed; 1 remote added; 2 listeners added."
ok "a port" up "http://127.0.0.1:$P2/healthz"
ok "a socket" up --unix-socket "$S" http://localhost/healthz
exec 6<>"/dev/tcp/127.0.0.1/$P2"
printf 'GET /healthz HTTP/1.1\r\nHost: localhost:%s\r\n\r\n' "$P2" >&6
read -r -t 5 -u 6 _l; like "a connection to it" "$_l" "HTTP/1.1 200 OK*"
conf "$A" "$HQ"; printf 'listen on socket "%s" mode 0666\n' "$S" >>"$CONF"
is "one goes" "$(msg)" "The configuration was read: 1 listener changed, 1 removed."
nok "nobody listens there" up "http://127.0.0.1:$P2/healthz"
ok "its connection ends" timeout 5 sh -c 'cat <&6 >/dev/null'
exec 6>&-
is "the socket's mode" "$(stat -c %a "$S")" 666
is "the first connection goes on" "$(ask5)" "HTTP/1.1 200 OK"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$T/k.pem" -out "$T/c.pem" 2>/dev/null
chmod 600 "$T/k.pem"
conf "$A" "$HQ"; printf 'listen on 127.0.0.1 port %s tls certificate "%s" key "%s"\n' "$P2" "$T/c.pem" "$T/k.pem" >>"$CONF"
like "TLS comes" "$(msg)" "*: 1 listener added, 1 removed."
ok "it is spoken" up -k "https://localhost:$P2/healthz" --resolve "localhost:$P2:127.0.0.1"
nok "the socket is gone" test -e "$S"
conf "$A" "$HQ"; printf 'listen on 127.0.0.1 port %s\n' "$P2" >>"$CONF"
is "and goes, on the same port" "$(msg)" "The configuration was read: 1 listener changed."
ok "plain now" up "http://127.0.0.1:$P2/healthz"
exec 5>&-

# Rules.
O="Origin: https://admin.example.org"
is "an origin is refused" "$(code GET /stats -H "$O")" 403
conf 'allow origin "https://admin.example.org"' "reserve 65m" "connections 99" "log access" 'sandbox log' "$A" "$HQ"
is "rules; a word that needs a restart" "$(msg)" "The configuration was read: 1 listener removed; rules or limits changed; needs a restart: sandbox."
is "the origin may" "$(code GET /stats -H "$O")" 200
ok "the access log" grep -q 'access: .*path="/api/cloud-backup/stats" status=200' "$T/daemon.log"
conf "$A" "$HQ"; msg >/dev/null
is "and not any more" "$(code GET /stats -H "$O")" 403
if [ "$(id -u)" = 0 ]; then
	G="setpriv --reuid 65533 --clear-groups curl -s -m 5 -o /dev/null -w %{http_code}"
	is "strangers may not" "$($G -H 'Content-Type: application/json' -d '{}' "$URL/reload")" 403
	t=$("$BUILD/cloudbackupd" -f "$CONF" -T some:read,backup,restore 2>/dev/null)
	is "nor a token without all" "$(code POST /reload -H "Authorization: Bearer $t")" 403
	is "reads nothing" "$($G "$URL/stats")" 403
	conf 'allow user "65533" read' "$A" "$HQ"; msg >/dev/null
fi
is "audited" "$(sqlite3 "$BACKUP_DIR/catalog.sqlite" "SELECT count(*) > 3 FROM audit WHERE action = 'reload' AND result = 'done'")" 1

# A pattern comes, finds, and goes.
conf "$A" "$HQ"; msg >/dev/null
mkdir "$T/many"; "$TOOLS/bank" "$T/many/x.db" -m wal -n 10 init
conf "$A" "$HQ" "database \"many\" { path \"$T/many/*.db\" }"
is "a pattern" "$(msg)" "The configuration was read: 1 database added."
found() { [ "$(status many-x)" = completed ]; }
ok "what it finds" wait_for 5 found
conf "$A" "$HQ"; msg >/dev/null
is "goes with it" "$(status many-x)" DATABASE_UNKNOWN

# Nothing is lost by doing it often.
flip() {
	conf "$HQ" "$A"; reload >/dev/null
	conf "$HQ" "remote \"two\" { rest \"http://127.0.0.1:$R2\" }" "$A" "database \"b\" { path \"$T/b.db\" }"
	printf 'listen on 127.0.0.1 port %s\n' "$P2" >>"$CONF"; reload >/dev/null
}
fds() { for _p in $DAEMON $F $NW; do ls "/proc/$_p/fd" | wc -l; done | xargs; }
for i in $(seq 8); do flip; done; wait_for 5 sh -c "[ -z \"\$(pgrep -P $DAEMON -f worker)\" ]"; f=$(fds) m=$(pss_kib $DAEMON $F $NW)
# What the first ones take, and shared pages whose other users end, is not
# meant.
for i in $(seq 25); do flip; done
same_fds() { [ "$(fds)" = "$f" ]; }
ok "50 reloads: as many descriptors ($f)" wait_for 5 same_fds
more=$(($(pss_kib $DAEMON $F $NW) - m))
ok "hardly more memory ($more KiB)" [ "$more" -lt 2500 ]
is "and it works" "$(status b) $(status a)" "completed completed"
is "the processes are still the same" "$(child front) $(child network)" "$F $NW"
daemon_stop

# An environment file, named relative to where the daemon was started.
cd "$T" || exit 1
PORT=$(port) URL=http://127.0.0.1:$PORT/api/cloud-backup
env_file() { (umask 077; printf 'DATABASE_URL=sqlite:%s\nPORT=%s\nBACKUP_DIR=%s\n' "$1" "$PORT" "$T/env" >.env); }
env_file "$T/a.db"
if [ "$(id -u)" = 0 ] && ! getent passwd _cloudbackup >/dev/null; then
	skip "there are no users for an environment file"
else
	start_daemon -e .env || result 1 "it starts with an environment file"
	is "nothing new in it" "$(msg)" "The configuration was read: nothing changed."
	env_file "$T/b.db"
	like "another database" "$("$BUILD/cloudbackupctl" -u "http://127.0.0.1:$PORT" reload)" "The configuration was read: 1 database added, 1 removed.*"
	is "that one is backed up" "$(status b)" completed
	daemon_stop
fi
finish
