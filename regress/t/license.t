#!/bin/bash
# The licence (D14): made here with openssl, valid, expired, tampered with
# and missing; what a valid one says is what remotes are told when the
# configuration does not say.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/capture.sh"
. "$TOP/regress/restore.sh"

L=$T/license.json
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$T/rsa.key" 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$T/ed.key"
openssl genpkey -algorithm ED25519 -out "$T/foreign.key"
for k in rsa ed foreign; do openssl pkey -in "$T/$k.key" -pubout -out "$T/$k.pub"; done

# sign KEY DATA [AS WRITTEN]: the licence.  D14: signed is the text of data
# without the white space outside of strings.
sign() {
	printf '%s' "$2" >"$T/data"
	case $1 in
	rsa) openssl dgst -sha256 -sign "$T/rsa.key" -out "$T/sig" "$T/data" ;;
	*) openssl pkeyutl -sign -rawin -inkey "$T/$1.key" -in "$T/data" -out "$T/sig" ;;
	esac
	printf '{\n  "data": %s,\n  "signature": "%s"\n}\n' "${3:-$2}" "$(base64 -w0 "$T/sig")" >"$L"
}
info() { get /license-info | jq -c '.data'; }
says() { get /license-info | jq -r .message; }
code() { curl -s -m 10 -o /dev/null -w '%{http_code}' "$URL/license-info"; }

f=$D/app.db; bank "$f" init
g=$D/named.db; bank "$g" init
remote_start || exit 1
conf() {	# conf KEY
	daemon_with "license \"$L\" key \"$T/$1.pub\"" \
	    "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
	    "$(database app "$f" 'to "hq"')" \
	    "$(database named "$g" 'to "hq"' 'user id "7"' 'device id "till-7"')" || exit 1
}
# sent: what the remote was told with the newest upload.
sent() { jq -c '[.userId, .deviceId]' "$(ls -t "$T"/remote/rb-*.json | head -1)"; }

DATA='{"userId":42,"device_id":"till 3","type":"business","features":["backup","a b"],"expires_at":"2099-01-01T00:00:00Z"}'
WRITTEN='{
	"userId" : 42, "device_id": "till 3",
	"type":"business" , "features": [ "backup", "a b" ],
	"expires_at": "2099-01-01T00:00:00Z"
  }'
VALID='{"has_license":true,"user_id":42,"device_id":"till 3","type":"business","is_valid":true,"expires_at":"2099-01-01T00:00:00.000Z","features":["backup","a b"]}'
for key in rsa ed; do
	sign $key "$DATA" "$WRITTEN"
	conf $key
	is "$key: a valid licence" "$(info)" "$VALID"
	is "$key: in words" "$(says)" "The licence is valid."
	create app
	is "$key: its ids go to the remote" "$CODE $(sent)" '200 ["42","till 3"]'
	create named
	is "$key: what is configured goes before" "$CODE $(sent)" '200 ["7","till-7"]'
	is "$key: the list knows whose it is" "$(get /user/42 | jq -c '[.data[] | select(.database == "app")] | length')" $([ $key = rsa ] && echo 1 || echo 2)

	# The file is read anew each time.
	sed 's/business/unlimited/' "$L" >"$T/x" && cat "$T/x" >"$L"
	is "$key: tampered with" "$(info | jq -c '[.has_license, .is_valid]')" "[true,false]"
	like "$key: says why" "$(says)" "*signature does not match*"
	sed 's/a b/a  b/' "$L" >"$T/x"
	sign $key "$DATA" "${WRITTEN/a b/a  b}"
	is "$key: white space in a string counts" "$(info | jq .is_valid)" false
	sign $key "${DATA/2099/2001}"
	is "$key: expired" "$(info | jq -c '[.has_license, .is_valid, .expires_at, .type]')" '[true,false,"2001-01-01T00:00:00.000Z","business"]'
	like "$key: says when" "$(says)" "*expired at 2001-01-01*"
	sign foreign "$DATA"
	is "$key: signed by another key" "$(info | jq .is_valid)" false
	jq -c 'del(.signature)' "$L" >"$T/x" && cat "$T/x" >"$L"
	is "$key: not signed at all" "$(info | jq .is_valid)" false
done
sign ed "${DATA/,\"expires_at\":\"2099-01-01T00:00:00Z\"/}"
is "without an end it is valid for ever" "$(info | jq -c '[.is_valid, .expires_at]')" '[true,null]'
sign ed '{"userId":"anna","type":"home"}'
is "a user that is a text stays one" "$(info | jq -c '[.is_valid, .user_id, .device_id, .features]')" '[true,"anna",null,[]]'
for bad in '' '{' '[]' 'no json' '{"data": 1, "signature": "AA=="}' "$(printf '{"data":%9000s}' 1)"; do
	printf '%s' "$bad" >"$L"
	is "no licence: ${bad:0:30}" "$(code) $(info | jq -c '[.has_license, .is_valid]')" "200 [true,false]"
done
rm "$L"
is "the file is gone" "$(code) $(info | jq -c '[.has_license, .is_valid, .user_id]')" "200 [true,false,null]"
mkfifo "$L"
is "a FIFO in its place stops nobody" "$(code) $(info | jq .is_valid)" "200 false"
rm "$L"
nok "no key is in any answer" grep -q 'BEGIN PUBLIC\|PRIVATE' <<<"$(get /license-info)"

# What is not valid when the daemon starts gives no ids.
sign foreign "$DATA"
conf ed
create app
is "ids of a licence that is not valid are not used" "$CODE $(sent | grep -c 'till 3')" "200 0"
ok "the log says that it is not" wait_for 5 log_has "the licence is not valid"
rm "$L"
conf ed
is "the daemon starts without its file" "$(info | jq .is_valid)" false
daemon_with "$(database app "$f")"
is "none is configured" "$(info)" '{"has_license":false}'

# The environment of an installation that has no configuration.
daemon_stop; DAEMON=
sign rsa "$DATA"
cat >"$T/.env" <<END
DATABASE_URL=sqlite:$f
BACKUP_DIR=$T/fromenv
PORT=$PORT
LICENSE_FILE=$L
LICENSE_PUBLIC_KEY=$T/rsa.pub
END
if is_root && ! getent passwd _cloudbackup >/dev/null; then
	skip "root, and no user _cloudbackup: no daemon by a .env file"
else
	SPAWN_OUT=$T/env.log spawn "$BUILD/cloudbackupd" -d -e "$T/.env"
	DAEMON=$SPAWNED
	wait_for 10 answers
	is "LICENSE_FILE and LICENSE_PUBLIC_KEY" "$(info)" "$VALID"
fi
finish
