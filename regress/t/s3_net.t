#!/bin/bash
# The network process against a real S3 server, and against one that makes
# mistakes: objects whole and in parts, resumed, listed, deleted.
. "$(dirname "$0")/../lib.sh"
C=$TOOLS/s3client SERVER=$TOP/regress/s3/server.sh
[ -x "$C" ] || skip_all "no $C"
PORT=$(port)
stop_server() { "$SERVER" stop "$T/swift"; cleanup; }
"$SERVER" start "$T/swift" "$PORT" >"$T/server.log" 2>&1
case $? in
0) trap stop_server EXIT ;;
2) skip_all "no Swift here: $(cat "$T/server.log")" ;;
*) echo "Bail out! $(tail -3 "$T/server.log")"; exit 1 ;;
esac
mkdir "$T/proxy"
perl "$TOP/regress/s3/proxy.pl" 0 "$PORT" "$T/proxy" >"$T/proxy.log" 2>&1 </dev/null &
PIDS="$PIDS $!"
wait_for 5 grep -q listening "$T/proxy.log" || { echo "Bail out! no proxy"; exit 1; }
PROXY=$(awk '{ print $5 }' "$T/proxy.log") LOG=$T/proxy/requests.log

# Swift's own view.
TOKEN=$("$SERVER" token "$T/swift" "$PORT")
swift() { curl -s -f -H "X-Auth-Token: $TOKEN" "$@"; }
SWIFT=http://127.0.0.1:$PORT/v1/AUTH_test
names() { swift "$SWIFT/$1?limit=10000&prefix=${2:-}"; }
segments() { names cbk+segments "h1/$1" | grep -c / ; }
swift -X PUT "$SWIFT/cbk"

# s3 ARGUMENTS: through the proxy; what is printed stays in $T/out.
s3() {
	"$C" -o url="${URL:-http://127.0.0.1:$PROXY}" -o bucket=cbk \
	    -o prefix=h1/ -o region=us-east-1 -o access=test:tester \
	    -o secret="${SECRET:-testing}" "$@" >"$T/out" 2>"$T/network.log"
	_r=$?
	cat "$T/out"
	return $_r
}
out() { cat "$T/out"; }
field() { sed -n "s/^\(.* \)\{0,1\}$1=\([^ ]*\).*/\2/p" "$T/out" | head -1; }
fault() { printf '%s\n' "$@" >"$T/proxy/fault.new"; mv "$T/proxy/fault.new" "$T/proxy/fault"; : >"$LOG"; }
no_fault() { rm -f "$T/proxy/fault"; : >"$LOG"; }
requests() { grep -c "^# $1" "$LOG"; }

head -c 300000 /dev/urandom >"$T/small"
head -c 23000000 /dev/urandom >"$T/large"
manifest() {
	printf '{"version":1,"id":%d,"database":"shop","name":"n\\u00e4chtlich","description":null,"user_id":42,"created_ms":1795000000000,"size":%d,"stored_size":%d,"checksum":"sha256:aa","stored_checksum":"sha256:bb","form":"sqlite","page_size":4096,"mac":"cc"}' \
	    "$1" "$2" "$2"
}
manifest 7 300000 >"$T/manifest"
PART=5242880

# Good, whole.
ok "health" s3 health
like "nothing is asked when nothing is to do" "$(out)" '*costs put=0 get=0 head=1 list=0 delete=0 post=0*'
ok "the whole test of a remote" s3 test
is "all its steps but If-None-Match, which Swift does not know" "$(grep -c '^step .* ok ' "$T/out") $(grep '^step .* no ' "$T/out" | cut -d' ' -f2)" "7 conditional"
is "it leaves nothing behind" "$(names cbk)" ""
ok "an object with its manifest" s3 put shop/a.sqlite "$T/small" "$T/manifest"
like "is confirmed by size and hash" "$(out)" '*flags=3 *id=shop/a.sqlite*'
is "the object has the bytes" "$(swift "$SWIFT/cbk/h1/shop/a.sqlite" | sha256sum)" "$(sha256sum <"$T/small")"
is "so has the manifest" "$(swift "$SWIFT/cbk/h1/shop/a.sqlite.json")" "$(cat "$T/manifest")"
is "the manifest is last" "$(grep '^# PUT' "$LOG" | tail -1 | cut -d' ' -f3)" /cbk/h1/shop/a.sqlite.json
nok "without Expect" grep -qi '^expect' "$LOG"
nok "nor chunks" grep -qi '^transfer-encoding' "$LOG"
ok "it is read" s3 get shop/a.sqlite "$T/back"
ok "with the same bytes" cmp "$T/small" "$T/back"
nok "more than is allowed is refused" s3 -o max=1000 get shop/a.sqlite "$T/back"
ok "sent again after an answer that was lost, it is found" s3 -o look put shop/a.sqlite "$T/small" "$T/manifest"
is "and not sent" "$(grep -c '^# PUT /cbk/h1/shop/a.sqlite ' "$LOG")" 1
nok "another object by that name is not written over" s3 put shop/a.sqlite "$T/back"
like "and the reason is told" "$(out)" '*outcome=3*another host writes to this prefix*'
: >"$T/empty"
ok "an empty object" s3 put shop/empty.sqlite "$T/empty"
ok "comes back empty" sh -c "'$C' -o url=http://127.0.0.1:$PROXY -o bucket=cbk -o prefix=h1/ -o region=us-east-1 -o access=test:tester -o secret=testing get shop/empty.sqlite '$T/e' 2>/dev/null && [ ! -s '$T/e' ]"
K='shop/ä b+c%25&=~(1)'\''".sqlite'
ok "a key of odd characters" s3 put "$K" "$T/small" "$T/manifest"
ok "is read" s3 get "$K" "$T/back"
ok "and deleted" s3 delete "$K" shop/empty.sqlite
is "with its manifest" "$(names cbk | tr '\n' ' ')" "h1/shop/a.sqlite h1/shop/a.sqlite.json "
for k in ../x /x a//b . a/..; do
	nok "no key: $k" s3 get "$k" "$T/back"
done

# In parts.
: >"$LOG"
ok "an object in parts" s3 -o part-size=$PART put shop/b.sqlite "$T/large" "$T/manifest"
like "is confirmed" "$(out)" '*flags=7 *id=shop/b.sqlite*'
is "five of them" "$(requests 'PUT /cbk/h1/shop/b.sqlite?partNumber')" 5
up=$(field up)
ok "bytes on the wire: $up for 23000000" test "$up" -lt 23230000
ok "it is read in one" s3 get shop/b.sqlite "$T/back"
ok "with the same bytes" cmp "$T/large" "$T/back"

# kill -9 while parts are sent, and again.
fault '9 partNumber=[345] delay 2'
s3 -o part-size=$PART -o parallel=2 -o kill-at=9000000 put shop/c.sqlite "$T/large" "$T/manifest" >/dev/null
is "network is killed among the parts" "$?" 9
id=$(field upload-id)
like "the engine knows the upload" "$id" '?*'
is "nothing is there by then" "$(names cbk h1/shop/c)" ""
no_fault
ok "it goes on" s3 -o look -o part-size=$PART -o upload-id="$id" put shop/c.sqlite "$T/large" "$T/manifest"
n=$(requests 'PUT /cbk/h1/shop/c.sqlite?partNumber')
ok "sending only what was missing ($n of 5 parts)" test "$n" -ge 1 -a "$n" -le 4
is "one object, one manifest" "$(names cbk h1/shop/c | wc -l)" 2
is "of the same bytes" "$(swift "$SWIFT/cbk/h1/shop/c.sqlite" | sha256sum)" "$(sha256sum <"$T/large")"
is "and no orphan parts" "$(segments shop/c.sqlite/ | tr -d ' ')" 5
is "nor an upload" "$(names cbk+segments | grep -c "^h1/shop/c.sqlite/$id$")" 0

# The id never reached the engine; an id that the server has forgotten.
fault '9 partNumber=[2345] delay 2'
s3 -o part-size=$PART -o parallel=2 -o kill-at=4000000 put shop/d.sqlite "$T/large" >/dev/null
id=$(field upload-id)
no_fault
ok "an upload that nobody knew is swept" s3 -o look -o part-size=$PART put shop/d.sqlite "$T/large"
is "its parts, too" "$(segments shop/d.sqlite/ | tr -d ' ')" 5
ok "a forgotten id begins anew" s3 -o look -o part-size=$PART -o upload-id="$id" put shop/e.sqlite "$T/large"
fault '9 partNumber=[345] delay 2'
s3 -o part-size=$PART -o parallel=2 -o cancel-at=5000000 put shop/f.sqlite "$T/large" >/dev/null
like "cancelled" "$(out)" '*outcome=6*'
id=$(field upload-id)
no_fault
ok "the engine takes it back" s3 abort shop/f.sqlite "$id"
ok "twice, if need be" s3 abort shop/f.sqlite "$id"
is "no parts stay" "$(segments shop/f.sqlite/ | tr -d ' ')" 0
fault '1 PUT.*shop/g.sqlite\? error 403 AccessDenied'
nok "refused among the parts" s3 -o part-size=$PART put shop/g.sqlite "$T/large"
like "for good" "$(out)" '*flags=4*outcome=3 status=403*s3:PutObject*'
is "is taken back at once" "$(segments shop/g.sqlite/ | tr -d ' ')" 0

# Faults of one request.
try() {				# try DESCRIPTION FAULT: cured by itself
	fault "$2"
	ok "$1" s3 -o part-size=$PART put "shop/$3.sqlite" "$T/${4:-large}" "$T/manifest"
	is "$1: the bytes" "$(swift "$SWIFT/cbk/h1/shop/$3.sqlite" | sha256sum)" "$(sha256sum <"$T/${4:-large}")"
}
try "500 to a part" '1 partNumber=2 error 500 InternalError' f1
try "a reset in a part" '1 partNumber=2 reset 1000000' f2
try "a part's wrong ETag" '1 partNumber=3 etag' f3
try "an object's wrong ETag" '1 PUT.*f4.sqlite$ etag' f4 small
try "the answer to the end is lost" '1 POST.*uploadId lose' f5
try "the answer to an object is lost" '1 PUT.*f6.sqlite$ lose' f6 small
try "500 to the manifest" '1 json error 500 InternalError' f7 small
fault '1 PUT error 503 SlowDown Retry-After: 17'
nok "503 is for later" s3 put shop/x.sqlite "$T/small"
like "as the server says" "$(out)" '*retry-after=17*outcome=1 status=503*fewer requests*'
fault '9 PUT etag'
nok "always another ETag" s3 put shop/y.sqlite "$T/small"
like "is an answer that is none" "$(out)" '*outcome=4*checksum of other bytes*'
fault '3 GET truncate 9000000'
ok "a download that breaks three times" s3 get shop/b.sqlite "$T/back"
ok "has the same bytes" cmp "$T/large" "$T/back"
is "from where it broke" "$(grep -i '^range:' "$LOG" | tr -d '\r' | tr '\n' ' ')" "range: bytes=9000000- range: bytes=18000000- "
is "of the same object" "$(grep -ic '^if-match: "' "$LOG")" 2
fault '99 GET truncate 0'
nok "one that never goes on" s3 get shop/b.sqlite "$T/back"
ok "ends" test "$(requests GET)" -le 6

# Clocks, regions, keys.
fault '9 . clock -7200'
ok "a clock that differs" s3 health
is "is met by one retry" "$(requests HEAD)" 2
ok "and told" grep -q 'clock of .* seconds behind' "$T/network.log"
fault '9 . error 403 RequestTimeTooSkewed Date: Mon, 01 Jan 2024 00:00:00 GMT'
nok "one that never fits" s3 put shop/z.sqlite "$T/small"
like "is told" "$(out)" '*clocks of*differ too much*'
fault '9 . region eu-north-7'
ok "another region" s3 health
is "is met by one retry, too" "$(requests HEAD)" 2
fault '9 . error 301 PermanentRedirect Location: http://127.0.0.1:1/'
nok "another host" s3 get shop/a.sqlite "$T/back"
like "is not followed" "$(out)" '*not of its domain*'
fault '9 . error 307 TemporaryRedirect Location: http://localhost.evil.example/'
nok "nor is another domain" s3 get shop/a.sqlite "$T/back"
no_fault
SECRET=wrong s3 put shop/z.sqlite "$T/small" >/dev/null
like "is told" "$(out)" '*outcome=3 status=403*secret key is not the one*'
nok "it is in no log" grep -rqF "testing" "$T/network.log"
SECRET=wrong s3 test >/dev/null
like "by the test, too" "$(out)" '*step put no status=403*secret key*step get no*not tried*'
URL=http://127.0.0.1:1 s3 health >/dev/null
like "nobody there" "$(out)" '*outcome=1*cannot connect*'

# If-None-Match, with a server that knows it, and what is sent on request.
fault '1 PUT.*c1.sqlite$ header if-none-match 412 PreconditionFailed'
ok "a name that is taken by ourselves" s3 -o conditional put shop/a.sqlite "$T/small"
fault '1 PUT.*a.sqlite$ header if-none-match 412 PreconditionFailed'
nok "by another host" s3 -o conditional put shop/a.sqlite "$T/manifest"
like "is refused" "$(out)" '*outcome=3*another host*'
fault '2 PUT canned stop'
printf 'HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n' >"$T/proxy/stop"
s3 -o token=session -o class=STANDARD_IA -o sse=aws:kms -o sse-key=k1 -o lock=GOVERNANCE -o days=30 put shop/o.sqlite "$T/small" >/dev/null
for h in 'x-amz-security-token: session' 'x-amz-storage-class: STANDARD_IA' 'x-amz-server-side-encryption: aws:kms' \
    'x-amz-server-side-encryption-aws-kms-key-id: k1' 'x-amz-object-lock-mode: GOVERNANCE' "x-amz-meta-sha256: $(sha256sum <"$T/small" | cut -c1-64)"; do
	ok "sent: ${h:0:60}" grep -q "^$h"$'\r' "$LOG"
	ok "and signed" grep -qi "^authorization: .*SignedHeaders=[^,]*${h%%:*}[;,]" "$LOG"
done
is "until 30 days from now" "$(sed -n 's/^x-amz-object-lock-retain-until-date: \(..........\).*/\1/p' "$LOG")" "$(date -u -d '+30 days' +%F)"

# Lists and deletion, over pages of 40.
no_fault
for i in $(seq 100 149); do
	manifest "$i" "$i" >"$T/m$i"
	[ "$i" = 149 ] && sed -i 's/:42/:43/' "$T/m$i"
	printf 'url = "%s/cbk/h1/many/%d.sqlite.json"\nupload-file = "%s"\n' "$SWIFT" "$i" "$T/m$i"
	printf 'url = "%s/cbk/h1/many/%d.sqlite"\nupload-file = "%s"\n' "$SWIFT" "$i" "$T/m$i"
done >"$T/curl"
swift --no-progress-meter --parallel --parallel-max 8 -K "$T/curl" >/dev/null
swift -X DELETE "$SWIFT/cbk/h1/many/120.sqlite"
echo '{"version":"x"' | swift -T - "$SWIFT/cbk/h1/many/bad.sqlite.json"
head -c 9000 /dev/zero | swift -T - "$SWIFT/cbk/h1/many/huge.sqlite.json"
ok "a listing over pages" s3 list many/
is "tells each manifest once" "$(grep '^row key' "$T/out" | sort -u | wc -l) $(field rows) $(field skipped)" "50 50 2"
is "and its object" "$(grep -c '^row .* object=-1 ' "$T/out") $(grep '^row key=many/131.sqlite ' "$T/out")" \
    "1 row key=many/131.sqlite id=131 database=shop name=nächtlich user=2:42 size=131 stored=131 object=$(wc -c <"$T/m131" | tr -d ' ') form=sqlite mac=cc"
ok "as front sees it, of one user" s3 rows 43
is "no others" "$(grep '^row id' "$T/out")" "row id=many/149.sqlite name=nächtlich size=149"
s3 -o no-delete delete many/100.sqlite >/dev/null
like "a host that may not delete" "$(out)" '*refused=1*of=1*may not delete*'
fault '1 POST.*delete= error 403 AccessDenied'
s3 delete many/100.sqlite many/101.sqlite >/dev/null
like "one that the server does not let" "$(out)" '*ok=0*refused=2*s3:DeleteObject*'
no_fault
s3 -o delete-access=test:tester -o delete-secret=wrong delete many/100.sqlite many/101.sqlite >/dev/null
like "deletion has its own key" "$(out)" '*refused=2*secret key*'
fault '1 POST.*delete= error 501 NotImplemented'
ok "a server that does not know to delete many" s3 delete many/100.sqlite many/101.sqlite
is "one by one" "$(requests DELETE)" 4
no_fault
ok "all the others at once" s3 delete $(seq -f 'many/%g.sqlite' 100 149)
like "with one request" "$(out)" '*ok=50*delete=0 post=1*'
is "are gone" "$(names cbk h1/many/ | grep -c '1[0-9][0-9].sqlite')" 0

# Rate and memory.
t0=$(date +%s%N)
ok "slowly" s3 -o limit=300000 put shop/slow.sqlite "$T/small"
ok "is as slow as is wanted" test $((($(date +%s%N) - t0) / 1000000)) -gt 700
if [ -z "${SANITIZED:-}" ]; then
	mb=$([ -n "${CHECK_LONG:-}" ] && echo 1024 || echo 256)
	truncate -s ${mb}M "$T/big"
	t0=$(date +%s%N)
	URL=http://127.0.0.1:$PORT ok "$mb MB" s3 put shop/big.sqlite "$T/big"
	kb=$(field kb)
	echo "# $(((mb << 20) / (($(date +%s%N) - t0) / 1000))) MB/s, $kb kB"
	ok "in $kb kB" test "$kb" -lt 32768
fi
finish
