#!/bin/bash
# The walls of design.md 2 that the linker keeps: which libraries and which
# symbols each program has.  Read from the binaries, so that no makefile
# can say otherwise.
. "$(dirname "$0")/../lib.sh"
[ -x "$BUILD/cloudbackupd" ] || skip_all "no $BUILD/cloudbackupd"
command -v readelf >/dev/null || skip_all "no readelf"

needed() { LC_ALL=C readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
symbols() { LC_ALL=C readelf -sW "$1" | awk '$1 ~ /^[0-9]+:$/ { print $8 }'; }

# program: libraries (ERE), functions' prefixes (ERE; also catches what is
# linked statically), libraries that may not come in by way of another.
check() {
	p=$BUILD/$1
	is "$1: its libraries" "$(needed "$p" | grep -E "^lib($2)")" ""
	is "$1: its symbols" "$(symbols "$p" | grep -E "^($3)" | head -5)" ""
	is "$1: the libraries' libraries" "$(LC_ALL=C ldd "$p" |
	    awk '{ print $1 }' | grep -E "^lib($4)")" ""
	ok "$1: its libraries are all there" sh -c "! LC_ALL=C ldd '$p' | grep 'not found'"
}
curl='curl'
evhttp='event_extra|event-'	# libevent-2.1 is core and extra in one
json='json-c'
zstd='zstd'
tls='ssl|crypto|gnutls|nettle|event_openssl|event_mbedtls'
sqlite='sqlite3'

check cloudbackupd "$curl|$evhttp|$json|$zstd|$tls" \
    'curl_|evhttp_|evdns_|json_object_|json_tokener_|ZSTD_|SSL_|EVP_' \
    "$curl|$evhttp|$json|$zstd|$tls"
check cloudbackupd-front "$sqlite|$curl|$evhttp" \
    'sqlite3_|curl_|evhttp_|evdns_' "$sqlite|$curl|$evhttp"
check cloudbackupd-network "$sqlite|$evhttp" 'sqlite3_|evhttp_' "$sqlite|$evhttp"
check cloudbackupd-worker "$curl|$evhttp|$json|event_core" \
    'curl_|evhttp_|event_|json_object_|json_tokener_' \
    "$curl|$evhttp|$json|event"
# It may read everything, and so must be able to do next to nothing.
check cloudbackupd-looker "$curl|$evhttp|$json|event_core|$sqlite|$zstd|$tls" \
    'curl_|evhttp_|event_|json_object_|json_tokener_|sqlite3_|ZSTD_|EVP_' \
    "$curl|$evhttp|$json|event|$sqlite|$zstd|$tls"

# The check itself: it must be able to see something.
like "the engine has SQLite" "$(needed "$BUILD/cloudbackupd")" '*libsqlite3*'
like "the network has libcurl" "$(needed "$BUILD/cloudbackupd-network")" '*libcurl*'
like "the front has json-c" "$(symbols "$BUILD/cloudbackupd-front")" '*json_object_*'
like "the worker has SQLite" "$(symbols "$BUILD/cloudbackupd-worker")" '*sqlite3_*'

# What the compiler can do against a corrupted stack or table.
for p in cloudbackupd cloudbackupd-front cloudbackupd-network cloudbackupd-worker cloudbackupd-looker; do
	like "$p: position independent" "$(LC_ALL=C readelf -hW "$BUILD/$p")" '*Type:*DYN*'
	nok "$p: no writable code" sh -c "LC_ALL=C readelf -lW '$BUILD/$p' | grep -E 'GNU_STACK.*RWE|LOAD.*RWE'"
	nok "$p: no text relocations" sh -c "LC_ALL=C readelf -dW '$BUILD/$p' | grep TEXTREL"
done
finish
