#!/bin/bash
# The network process against an S3 server that makes mistakes, and what it
# sends on request; how fast, and in how much memory.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/s3/lib.sh"

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
ok "an object to read" s3 -o part-size=$PART put shop/b.sqlite "$T/large"
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
nok "another host" s3 get shop/b.sqlite "$T/back"
like "is not followed" "$(out)" '*not of its domain*'
fault '9 . error 307 TemporaryRedirect Location: http://localhost.evil.example/'
nok "nor is another domain" s3 get shop/b.sqlite "$T/back"
no_fault
SECRET=wrong s3 put shop/z.sqlite "$T/small" >/dev/null
like "is told" "$(out)" '*outcome=3 status=403*secret key is not the one*'
nok "it is in no log" grep -rqF "testing" "$T/network.log"
SECRET=wrong s3 test >/dev/null
like "by the test, too" "$(out)" '*step put no status=403*secret key*step get no*not tried*'
URL=http://127.0.0.1:1 s3 health >/dev/null
like "nobody there" "$(out)" '*outcome=1*cannot connect*'

# If-None-Match, with a server that knows it, and what is sent on request.
s3 put shop/a.sqlite "$T/small" >/dev/null
fault '1 PUT.*a.sqlite$ header if-none-match 412 PreconditionFailed'
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

# Rate and memory.
no_fault
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
