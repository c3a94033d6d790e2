# Sourced by the tests of S3, after regress/lib.sh: a real server, a proxy
# before it that makes mistakes, and one request at a time.
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

# Swift's own view.  Its parts come up one by one.
swift() { curl -s -f -H "X-Auth-Token: $TOKEN" "$@"; }
SWIFT=http://127.0.0.1:$PORT/v1/AUTH_test
bucket() {
	TOKEN=$("$SERVER" token "$T/swift" "$PORT")
	[ -n "$TOKEN" ] && swift -X PUT "$SWIFT/cbk" &&
	    swift -o /dev/null "$SWIFT/cbk"
}
wait_for 20 bucket || { echo "Bail out! no bucket"; exit 1; }
names() { swift "$SWIFT/$1?limit=10000&prefix=${2:-}"; }
segments() { names cbk+segments "h1/$1" | grep -c / ; }

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
