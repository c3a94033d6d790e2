#!/bin/bash
# TLS on a listener: versions, clients' certificates, renewal without a
# restart, large downloads, and what of keys and addresses is refused.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

# ---- certificates ----

# ca NAME; cert NAME CA SUBJECT EXTENSION [OPTION...]: PEM files NAME.pem, .key.
EC="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ca() {
	openssl req -x509 $EC -days 30 -subj "/CN=$1" -keyout "$1.key" \
	    -out "$1.pem" 2>>openssl.log
}
cert() {
	local name=$1 ca=$2 subject=$3 ext=$4
	shift 4
	openssl req $EC -subj "$subject" -keyout "$name.key" -out "$name.csr" \
	    2>>openssl.log
	printf '%s\n' "$ext" >"$name.ext"
	openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" \
	    -CAcreateserial -extfile "$name.ext" -out "$name.pem" "$@" \
	    2>>openssl.log
	chmod 600 "$name.key"
}
HERE="subjectAltName=IP:127.0.0.1,DNS:localhost"
ca ca
ca other
cert first ca /CN=first "$HERE" -days 5
cert second ca /CN=second "$HERE" -days 5
cert third ca /CN=third "$HERE" -days 5
cert expired ca /CN=expired "$HERE" -days 0
cert client ca /CN=alice "subjectAltName=email:alice@example.org" -days 5
cert admin ca /CN=admin "subjectAltName=DNS:admin.example.org" -days 5
cert stranger other /CN=alice "subjectAltName=email:alice@example.org" -days 5
cert old ca /CN=alice "extendedKeyUsage=clientAuth" -days 0
cert server-only ca /CN=alice "extendedKeyUsage=serverAuth" -days 5

install_as() { cp "$1.pem" new.pem; cp "$1.key" new.key; chmod 600 new.key
	mv new.key cb.key; mv new.pem cb.pem; }
install_as first
cp ca.pem clients.pem

# ---- what is refused before it starts ----

sqlite3 db.sqlite "CREATE TABLE t(x); INSERT INTO t VALUES(randomblob(1000));
    INSERT INTO t SELECT zeroblob(250000000) FROM (VALUES(1),(2),(3),(4));"
check() { "$BUILD/cloudbackupd" -n -f "$CONF" 2>&1; }
TLS="tls certificate \"$T/cb.pem\" key \"$T/cb.key\""
DB="database \"d\" { path \"$T/db.sqlite\" }"
tried() { PORT=1 daemon_conf "$@" "$DB"; check; }

is "a certificate and its key" "$(tried "listen on 192.0.2.7 port 2 $TLS")" \
    "configuration OK"
like "an address of strangers without TLS" \
    "$(tried "listen on 192.0.2.7 port 2")" "*without TLS*plaintext*"
like "all addresses without TLS" "$(tried "listen on :: port 2")" \
    "*without TLS*"
is "unless it says plaintext" "$(tried "listen on 192.0.2.7 port 2 plaintext")" \
    "configuration OK"
chmod 640 cb.key
like "a key that its group may read" "$(tried "listen on ::1 port 2 $TLS")" \
    "*key \"$T/cb.key\" holds a secret*chmod 600*"
chmod 604 cb.key
like "a key that all may read" "$(tried "listen on ::1 port 2 $TLS")" \
    "*holds a secret*"
chmod 600 cb.key
chmod 666 cb.pem
like "a certificate that all may write" "$(tried "listen on ::1 port 2 $TLS")" \
    "*certificate \"$T/cb.pem\" can be written*"
chmod 644 cb.pem
if [ "$(id -u)" = 0 ]; then
	chown 65534 cb.key
	like "somebody else's key" "$(tried "listen on ::1 port 2 $TLS")" \
	    "*must be owned by root*"
	chown 0 cb.key
else
	skip "somebody else's key needs root"
fi
mv cb.key away
like "no key at all" "$(tried "listen on ::1 port 2 $TLS")" \
    "*cb.key\" cannot be opened*"
mv away cb.key

# starts: does a daemon with this as certificate and key?
starts() {
	install_as first
	cp "$1" cb.pem; cp "$2" cb.key; chmod 600 cb.key
	PORT=$(port) daemon_conf "listen on 127.0.0.1 port $(port) $TLS" "$DB"
	timeout 10 "$BUILD/cloudbackupd" -d -f "$CONF" 2>&1
}
like "another certificate's key ends it" "$(starts first.pem second.key)" \
    "*listener 1: the key does not belong to the certificate*"
like "no PEM ends it" "$(starts openssl.log first.key)" \
    "*the certificate file*"
openssl ec -in first.key -aes256 -passout pass:x -out locked.key 2>>openssl.log
like "a key with a passphrase ends it, nobody is asked" \
    "$(starts first.pem locked.key)" "*without a passphrase*"
install_as first

# ---- three listeners ----

unset PORT
TPORT=$(port)
while OPORT=$(port); [ "$OPORT" = "$TPORT" ]; do :; done
while RPORT=$(port); [ "$RPORT" = "$TPORT" ] || [ "$RPORT" = "$OPORT" ]; do :; done
daemon_conf "listen on 127.0.0.1 port $TPORT $TLS" \
    "listen on 127.0.0.1 port $OPORT $TLS client ca \"$T/clients.pem\"" \
    "listen on 127.0.0.1 port $RPORT $TLS client ca \"$T/clients.pem\" required" \
    "$DB" 'allow certificate "alice@example.org" read on "d"' \
    'allow certificate "admin" read, backup, download'
daemon_start || finish
FRONT=$(pgrep -P "$DAEMON" -f cloudbackupd-front)

# get PORT [OPTIONS]: the status of /healthz, 000 when there was none.
get() {
	local p=$1
	shift
	curl -s -o /dev/null -m 10 -w '%{http_code}' --cacert ca.pem "$@" \
	    "https://localhost:$p/healthz"
}
# serves PORT: whose certificate.
serves() {
	openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null |
	    openssl x509 -noout -subject | sed 's/.*CN *= *//'
}
is_serving() { [ "$(serves "$1")" = "$2" ]; }

is "an answer over TLS" "$(get "$TPORT")" 200
is "TLS 1.3" "$(get "$TPORT" --tlsv1.3)" 200
is "TLS 1.2" "$(get "$TPORT" --tls-max 1.2)" 200
is "TLS 1.1 is refused" "$(get "$TPORT" --tls-max 1.1 \
    --ciphers DEFAULT@SECLEVEL=0)" 000
is "a cipher without forward secrecy is refused" \
    "$(get "$TPORT" --tls-max 1.2 --ciphers AES128-GCM-SHA256)" 000
is "one in CBC mode is refused" \
    "$(get "$TPORT" --tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-SHA)" 000
is "a client that does not know the CA says no" \
    "$(curl -s -o /dev/null -w '%{http_code}' "https://localhost:$TPORT/")" 000
is "plain HTTP gets nothing" "$(curl -s -m 5 "http://localhost:$TPORT/healthz"; echo $?)" 56
like "no compression" "$(openssl s_client -connect "127.0.0.1:$TPORT" \
    </dev/null 2>&1)" "*Compression: NONE*"
like "no renegotiation" "$({ echo R; sleep 1; } | openssl s_client -tls1_2 \
    -connect "127.0.0.1:$TPORT" 2>&1)" "*no renegotiation*"
like "browsers stay with https" "$(curl -s -D - -o /dev/null --cacert ca.pem \
    "https://localhost:$TPORT/healthz")" "*Strict-Transport-Security: max-age=*"
is "a uid does not count over TLS" "$(curl -s --cacert ca.pem \
    "https://localhost:$TPORT/api/cloud-backup/stats" | json .success)" false
is "and does in plain HTTP on loopback" "$(curl -s "$URL/stats" |
    json .success)" true

# ---- clients' certificates ----

as() { get "$1" --cert "$2.pem" --key "$2.key"; }
is "required: without one" "$(get "$RPORT")" 000
is "required: with one" "$(as "$RPORT" client)" 200
is "required: of another CA" "$(as "$RPORT" stranger)" 000
is "required: that has expired" "$(as "$RPORT" old)" 000
is "required: for servers only" "$(as "$RPORT" server-only)" 000
is "optional: without one" "$(get "$OPORT")" 200
is "optional: with one" "$(as "$OPORT" client)" 200
is "optional: of another CA is a stranger" "$(as "$OPORT" stranger)" 200

# api OPTIONS PATH: a call by the optional listener.
api() { curl -s -m 60 --cacert ca.pem "${@:1:$#-1}" \
    "https://localhost:$OPORT/api/cloud-backup${*: -1}"; }
ALICE="--cert client.pem --key client.key"
ADMIN="--cert admin.pem --key admin.key"
is "a certificate's rights, by its mail address: read" \
    "$(api $ALICE /user | json .success)" true
is "and no more: backup" "$(api $ALICE -X POST /create | json .errorCode)" \
    FORBIDDEN
is "not one of another CA with the same name" \
    "$(api --cert stranger.pem --key stranger.key /user | json .errorCode)" \
    FORBIDDEN
is "not one that has expired" \
    "$(api --cert old.pem --key old.key /user | json .errorCode)" FORBIDDEN
is "not no certificate" "$(api /user | json .errorCode)" FORBIDDEN
is "another's rights, by its common name: backup" \
    "$(api $ADMIN -X POST /create | json .data.status)" completed

# ---- a large download ----

hwm() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$FRONT/status"; }
id=$(api $ADMIN /user | json '.data[0].id')
before=$(hwm)
api $ADMIN "/download/$id" >got.sqlite
is "1 GB over TLS arrives as it was" \
    "$(sha256 got.sqlite)" "$(api $ADMIN /user | json '.data[0].checksum' |
    sed 's/.*://')"
ok "and is about that large" test "$(stat -c %s got.sqlite)" -gt 1000000000
is "a range of it" "$(api $ADMIN -r 900000000-900000099 "/download/$id" |
    sha256 /dev/stdin)" "$(tail -c +900000001 got.sqlite | head -c 100 |
    sha256 /dev/stdin)"
curl -s -m 3 --limit-rate 1m -o /dev/null --cacert ca.pem $ADMIN \
    "https://localhost:$OPORT/api/cloud-backup/download/$id"
after=$(hwm)
[ -z "${SANITIZED:-}" ] && ok "in constant memory, for slow readers too ($before KiB before, $after at most)" \
    test $((after - before)) -lt 8192
rm -f got.sqlite

# ---- deadlines ----

(
	s=$(date +%s%N)
	exec 6<>"/dev/tcp/127.0.0.1/$TPORT"
	printf '\x16\x03\x01' >&6
	cat <&6 >/dev/null
	echo $((($(date +%s%N) - s) / 1000000)) >"$T/silent"
) &
SILENT=$!

# ---- renewal ----

# A connection that lives through it all.
mkfifo in
openssl s_client -quiet -connect "127.0.0.1:$TPORT" <in >living 2>/dev/null &
LIVING=$!
PIDS="$PIDS $LIVING"
exec 8>in
ask() { printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n' >&8; }
answered() { [ "$(grep -o "HTTP/1.1 200" living | wc -l)" = "$1" ]; }
ask
ok "a connection begins" wait_for 5 answered 1

is "the first certificate" "$(serves "$TPORT")" first
install_as second
kill -HUP "$DAEMON"
ok "SIGHUP: the second" wait_for 5 is_serving "$TPORT" second
is "SIGHUP: on each listener" "$(serves "$OPORT")" second
ask
ok "the connection goes on" wait_for 5 answered 2
exec 8>&-

# said LINES PATTERN: behind that many lines of the log.
said() { tail -n +$(($1 + 1)) daemon.log | grep -q "$2"; }
# bad DESCRIPTION PATTERN: after SIGHUP the old one is served, and why.
bad() {
	n=$(wc -l <daemon.log)
	kill -HUP "$DAEMON"
	ok "$1: it is said" wait_for 5 said "$n" "$2"
	is "$1: the old one is served" "$(serves "$TPORT")" second
}
cp third.pem cb.pem
bad "a new certificate without its key" \
    "the key does not belong to the certificate.*it goes on with the old"
echo rubbish >cb.pem
bad "rubbish" "the certificate file holds none"
: >cb.pem
bad "an empty file" "the certificate file holds none"
install_as expired
bad "an expired one" "the new certificate has expired"
install_as third
chmod 644 cb.key
bad "a key that all may read" "holds a secret.*goes on with what it has"
rm cb.key
bad "no key" "cannot be opened.*goes on with what it has"

install_as third
ok "a renewed one is found without being told" \
    wait_for 40 is_serving "$TPORT" third
is "required: still with the client's" "$(as "$RPORT" client)" 200
# Those who were verified by it, and go on.
mkfifo in2
openssl s_client -quiet -cert client.pem -key client.key \
    -connect "127.0.0.1:$OPORT" <in2 >living 2>/dev/null &
VERIFIED=$!
api -N $ADMIN -H "Accept: text/event-stream" /events >events &
FOLLOWS=$!
PIDS="$PIDS $VERIFIED $FOLLOWS"
exec 8>in2
ask
ok "a verified client's connection" wait_for 5 answered 1
ok "another's stream" wait_for 5 test -s events
install_as second
kill -HUP "$DAEMON"
ok "another certificate of ours" wait_for 5 is_serving "$OPORT" second
ask
ok "is nothing to them" wait_for 5 answered 2
cp other.pem clients.pem
kill -HUP "$DAEMON"
is_refused() { [ "$(as "$RPORT" client)" = 000 ]; }
ok "a CA that is gone takes its clients along" wait_for 5 is_refused
is "and another's are let in" "$(as "$RPORT" stranger)" 200
ok "the connection of one ends" gone 5 "$VERIFIED"
ok "and the stream of one" gone 5 "$FOLLOWS"
exec 8>&-

wait "$SILENT"
t=$(cat silent)
ok "a handshake that is not done in 10 s is ended ($t ms)" \
    test "$t" -ge 9500 -a "$t" -le 12000

# ---- the key stays where it belongs ----

# holds PID TEXT: is it in what the process can write to?
holds() {
	perl -e 'my ($pid, $text) = @ARGV;
	    open(my $maps, "<", "/proc/$pid/maps") or exit 2;
	    open(my $mem, "<:raw", "/proc/$pid/mem") or exit 2;
	    while (<$maps>) {
		/^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
		my ($at, $n) = (hex $1, hex($2) - hex($1));
		sysseek($mem, $at, 0) and sysread($mem, my $bytes, $n) or next;
		exit 0 if index($bytes, $text) >= 0;
	    }
	    exit 1' "$1" "$2"
}
if [ "$(id -u)" = 0 ] && [ -z "${SANITIZED:-}" ] && holds "$DAEMON" "$T/cb.key"; then
	# The middle line, as it stood in the file.
	LINE=$(sed -n 3p third.key)
	holds "$DAEMON" "$LINE"
	is "the engine has wiped the key" $? 1
	holds "$FRONT" "$LINE"
	is "and front what it came in" $? 1
else
	skip "another process's memory cannot be read here"
	skip "another process's memory cannot be read here"
fi
ok "the daemon runs" alive "$DAEMON"
finish
