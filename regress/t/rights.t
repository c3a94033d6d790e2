#!/bin/bash
# Who may ask (H17, H24, D10): uids, tokens, what is configured, what is
# refused and how often, and what of it is written down.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "only root can be several users"
command -v setpriv >/dev/null || skip_all "no setpriv"
. "$TOP/regress/e2e.sh"

mkdir "$T/shop" "$T/app"
for db in shop app; do "$TOOLS/bank" "$T/$db/$db.db" -m wal -n 100 init; done
chown -R daemon: "$T/shop"
chown -R bin: "$T/app"
SOCK=$T/http.sock
# A server's certificate, and two clients' of one authority.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$T/server.key" -out "$T/server.pem" \
    -subj /CN=server -addext subjectAltName=IP:127.0.0.1 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$T/root.key" -out "$T/root.pem" -subj /CN=root 2>/dev/null
for n in till-3 till-4; do
	openssl req -newkey rsa:2048 -nodes -keyout "$T/$n.key" -subj "/CN=$n" 2>/dev/null |
	    openssl x509 -req -CA "$T/root.pem" -CAkey "$T/root.key" -days 2 -out "$T/$n.pem" 2>/dev/null
done
chmod 600 "$T"/*.key
TPORT=$(port)
daemon_conf "${SANITIZED:+sandbox log}" "listen on socket \"$SOCK\" mode 0666" \
    "allow user \"www-data\" read on \"shop\"" \
    "allow user \"backup\" read, backup" \
    "allow group \"mail\" read on \"app\"" \
    "allow user \"nobody-has-this-name\" all" \
    "listen on 127.0.0.1 port $TPORT tls certificate \"$T/server.pem\" key \"$T/server.key\" client ca \"$T/root.pem\"" \
    "allow certificate \"till-3\" read, backup on \"shop\"" \
    "allow origin \"https://admin.example.org\"" \
    "database \"shop\" { path \"$T/shop/shop.db\" }" \
    "database \"app\" { path \"$T/app/app.db\" }"
daemon_start || finish
C=$BACKUP_DIR/catalog.sqlite
sql() { sqlite3 -cmd '.timeout 5000' "$C" "$1"; }
JSON='Content-Type: application/json'
# token SPEC: one new token; as USER METHOD PATH [CURL OPTIONS]: the status
# over TCP; us: over the unix socket; with TOKEN ...: as root, with a token.
token() { "$BUILD/cloudbackupd" -T "$1" -f "$CONF" 2>>"$T/tokens.err"; }
as() { _u=$1; shift; _m=$1 _p=$2; shift 2
	setpriv --reuid "$_u" --regid "$_u" --clear-groups curl -s -m 30 -o "$T/out" \
	    -w '%{http_code}' -X "$_m" "$@" "$URL$_p"; }
us() { _u=$1; shift; as "$_u" "$@" --unix-socket "$SOCK"; }
with() { _t=$1; shift; code "$@" -H "Authorization: Bearer $_t"; }
: >"$T/out"; chmod 666 "$T/out"
owned() { [ "$(as daemon GET /file-info?database=shop)" = 200 ] && [ "$(as bin GET /file-info?database=app)" = 200 ]; }
ok "the owners are known soon after the start" wait_for 10 owned

SHOP=$(create '{"database":"shop"}' | json .data.id)
APP=$(create '{"database":"app"}' | json .data.id)

# ---- by uid
is "root may" "$(code GET /user)" 200
is "root may by the socket" "$(us root GET /user)" 200
is "a stranger may not" "$(as sys GET /user)" 403
is "a stranger may not by the socket" "$(us sys GET /user)" 403
is "/healthz is open to him" "$(setpriv --reuid sys --clear-groups curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:$PORT/healthz)" 200
for how in as us; do
	is "$how owner: file-info of his" "$($how daemon GET /file-info?database=shop)" 200
	is "$how owner: file-info of another's" "$($how daemon GET /file-info?database=app)" 403
	is "$how owner: takes a backup of his" "$($how daemon POST /create -H "$JSON" -d '{"database":"shop"}')" 200
	is "$how owner: downloads his" "$($how daemon GET /download/$SHOP)" 200
	is "$how owner: not another's" "$($how daemon GET /download/$APP)" 403
	is "$how owner: his list is of his" "$($how daemon GET /user >/dev/null; json '[.data[].database] | unique | join(",")' <"$T/out")" shop
done
is "owner: restores his" "$(as bin POST /restore/$APP -H "$JSON" -d '{}')" 200
is "owner: not into another's" "$(as bin POST /restore/$APP -H "$JSON" -d '{"database":"shop","force":true}')" 403
is "owner: not another's into his" "$(as bin POST /restore/$SHOP -H "$JSON" -d '{"database":"app","force":true}')" 403
is "allow user: reads" "$(as www-data GET /file-info?database=shop)" 200
is "allow user: only that database" "$(as www-data GET /file-info?database=app)" 403
is "allow user: no more than that" "$(as www-data POST /create -H "$JSON" -d '{"database":"shop"}')" 403
is "allow user: his list" "$(as www-data GET /user >/dev/null; json '[.data[].database] | unique | join(",")' <"$T/out")" shop
is "allow user: its total" "$(as www-data GET /user >/dev/null; json .total <"$T/out")" "$(sql "SELECT count(*) FROM cloud_backups WHERE database = 'shop'")"
is "allow user: his totals" "$(as www-data GET /stats >/dev/null; json .data.total_backups <"$T/out")" "$(sql "SELECT count(*) FROM cloud_backups WHERE database = 'shop'")"
is "allow user: another's totals" "$(as www-data GET "/stats?database=app")" 403
is "allow on all: takes a backup" "$(as backup POST /create -H "$JSON" -d '{"database":"app"}')" 200
is "allow on all: no download" "$(as backup GET /download/$APP)" 403
is "allow on all: the whole list" "$(as backup GET /user >/dev/null; json '[.data[].database] | unique | join(",")' <"$T/out")" app,shop
is "allow group: reads" "$(as mail GET /file-info?database=app)" 200
is "allow group: only that" "$(as mail GET /file-info?database=shop)" 403
like "a user who is none is told at start" "$(cat "$T/daemon.log")" '*nobody-has-this-name*no such user*'

# ---- tokens: the whole matrix
like "a token is one line" "$(token 'probe:read' | tee "$T/probe" | wc -lc | xargs)" '1 48'
like "of a form that can be searched for" "$(cat "$T/probe")" 'cbd_???????????????????????????????????????????'
is "the catalog has no token" "$(grep -c "$(cat "$T/probe")" "$C" "$C-wal" | cut -d: -f2 | xargs)" "0 0"
# Restores last, as they change what the others look at.
calls() {
	cat <<-CALLS
	read GET /user
	read GET /user?database=shop
	read GET /stats
	read GET /stats?database=shop
	read GET /health
	read GET /license-info
	read GET /file-info?database=shop
	read GET /check-locks?database=shop
	read GET /check-accessibility?database=shop
	read GET /jobs/1
	download GET /download/$SHOP
	backup POST /create {"database":"shop"}
	restore POST /restore/$SHOP {}
	CALLS
}
call() {				# call TOKEN METHOD PATH BODY
	if [ -n "$4" ]; then with "$1" "$2" "$3" -H "$JSON" -d "$4"
	else with "$1" "$2" "$3"; fi
}
for right in read backup download restore all; do
	for on in "" @shop @app; do
		tok=$(token "m-$right${on/@/-}:$right$on")
		while read -r needs m p body; do
			want=403
			[ "$right" = "$needs" ] || [ "$right" = all ] && want=200
			# What names no database is open to a right on any.
			if [ "$on" = @app ]; then
				case $p in /user|/stats|/health|/license-info) ;; *) want=403 ;; esac
			fi
			is "$right$on: $m $p" "$(call "$tok" "$m" "$p" "$body")" $want
		done < <(calls)
	done
done
both=$(token 'both:restore@shop,restore@app')
is "a right on both: from one into the other" "$(with "$both" POST /restore/$SHOP -H "$JSON" -d '{"database":"app","force":true}')" 200
one=$(token 'one:restore@shop')
is "a right on one: not" "$(with "$one" POST /restore/$SHOP -H "$JSON" -d '{"database":"app","force":true}')" 403
is "nor by the query" "$(with "$one" POST "/restore/$SHOP?database=app" -H "$JSON" -d '{"force":true}')" 403
mixed=$(token 'mixed:read,backup@shop,download@app')
is "mixed rights: backup of the one" "$(with "$mixed" POST /create -H "$JSON" -d '{"database":"shop"}')" 200
is "mixed rights: not of the other" "$(with "$mixed" POST /create -H "$JSON" -d '{"database":"app"}')" 403
is "mixed rights: download of the other" "$(with "$mixed" GET /download/$APP)" 200
is "what is not there is not found" "$(with "$mixed" GET /download/999999)" 404
is "a database that is not configured" "$(with "$mixed" GET /file-info?database=none)" 404
is "a list of two, page by page" "$(n=0 before=; for i in 1 2 3 4 5 6 7 8 9; do
    o=$(api GET "/user?limit=3$before" -H "Authorization: Bearer $mixed"); n=$((n + $(printf %s "$o" | jq '.data | length')))
    b=$(printf %s "$o" | jq -r '.next // empty'); [ -n "$b" ] || break; before="&before=$b"; done; echo $n)" \
    "$(i=$(sql 'SELECT count(*) FROM cloud_backups'); echo $((i < 27 ? i : 27)))"

# ---- tokens: good, bad and ugly
read=$(token 'web:read@shop:1h')
is "a token gives a stranger what it says" "$(as sys GET /file-info?database=shop -H "Authorization: Bearer $read")" 200
is "by the socket, too" "$(us sys GET /file-info?database=shop -H "Authorization: Bearer $read")" 200
is "a token replaces the uid's right" "$(with "$read" GET /file-info?database=app)" 403
is "in any case of the scheme" "$(code GET /user -H "Authorization: bEARER $read")" 200
h=$(curl -s -D - -o /dev/null -H "Authorization: Bearer $read" "$URL/file-info?database=app" | tr -d '\r')
like "403 says what is missing" "$h" '*WWW-Authenticate: Bearer*insufficient_scope*'
bad="${read%?}$([ "${read: -1}" = A ] && echo E || echo A)"
h=$(curl -s -D - -H "Authorization: Bearer $bad" "$URL/user" | tr -d '\r')
like "a wrong one: 401" "$h" 'HTTP/1.1 401*'
like "401 has its challenge" "$h" '*WWW-Authenticate: Bearer*invalid_token*'
like "and its code" "$h" '*"errorCode":*"UNAUTHORIZED"*'
n=0
for t in "${read%?}" "${read}A" "x" "cbd_" "$(head -c 4000 /dev/zero | tr '\0' A)" "${read,,}"; do
	n=$((n + 1))
	is "mangled $n: 401, also for root" "$(with "$t" GET /user)" 401
done
is "two tokens" "$(code GET /user -H "Authorization: Bearer $read" -H "Authorization: Bearer $read")" 400
is "another scheme" "$(code GET /user -H 'Authorization: Basic cm9vdDpyb290')" 401
is "a scheme alone" "$(code GET /user -H 'Authorization: Bearer')" 400
is "a token with spaces" "$(code GET /user -H "Authorization: Bearer $read $read")" 400
is "one in the query is none" "$(as sys GET "/user?access_token=$read")" 403
brief=$(token 'brief:read:1s')
sleep 1.1
is "an expired one" "$(with "$brief" GET /user)" 401
ok "its name can be used again" token 'brief:read:1h'
nok "that of a valid one cannot" token 'brief:read:1h'
is "valid until it is revoked" "$(with "$read" GET /user)" 200
ok "revoked while the daemon runs" token 'web:revoke'
is "it is over at once" "$(with "$read" GET /user)" 401
nok "revoked once" token 'web:revoke'
never=$(token 'ever:all:never')
is "one that never expires" "$(with "$never" GET /user)" 200
ok "and is listed so" grep -q "^ever	all	[^	]*	never	[^	]*	valid$" <(token list)
ok "a year is the rule" grep -q "^mixed	read,backup@shop,download@app	[^	]*	$(date -u -d '+365 days' +%Y-%m-%d)" <(token list)
ok "a revoked one is listed so" grep -q "^web	.*revoked$" <(token list)
ok "the list tells when one was used" test "$(token list | awk -F '\t' '$1 == "ever" { print $5 }')" != never
for s in "" x x: x:write x:read@ x:read@none x:read:0s x:read:forever "x y:read" x:read: ../x:read list:; do
	nok "-T \"$s\" is refused" token "$s"
done
ok "no token is in the log" sh -c "! grep -q 'cbd_' '$T/daemon.log'"
ok "nor on standard error" sh -c "! grep -q 'cbd_' '$T/tokens.err'"

# ---- H24: what was forwarded, and web pages
for f in 'Via: 1.1 proxy' 'Forwarded: for=192.0.2.1' 'X-Forwarded-For: 192.0.2.1' 'x-forwarded-proto: https'; do
	is "H24: root's uid is worth nothing with ${f%%:*}" "$(code GET /user -H "$f")" 403
	is "H24: not for /health either" "$(code GET /health -H "$f")" 403
	is "H24: a token is" "$(with "$never" GET /user -H "$f")" 200
done
is "a foreign page is refused" "$(code GET /user -H 'Origin: https://evil.example')" 403
is "so is no page" "$(code GET /user -H 'Origin: null')" 403
is "and what only begins alike" "$(code GET /user -H 'Origin: https://admin.example.org.evil.example')" 403
is "one that is allowed is not" "$(code GET /user -H 'Origin: https://admin.example.org')" 200
like "and its browser is told" "$(curl -s -D - -o /dev/null -X OPTIONS -H 'Origin: https://admin.example.org' -H 'Access-Control-Request-Method: POST' "$URL/create" | tr -d '\r')" \
    '*204*Access-Control-Allow-Origin: https://admin.example.org*'
is "a foreign name is refused" "$(code GET /user -H 'Host: evil.example')" 421
is "unless a token came with it" "$(with "$never" GET /user -H 'Host: backup.example.org')" 200

# ---- certificates: tls NAME METHOD PATH ...
tls() { _n=$1 _m=$2 _p=$3; shift 3; curl -s -m 30 -o "$T/out" -w '%{http_code}' --cacert "$T/server.pem" \
    ${_n:+--cert "$T/$_n.pem" --key "$T/$_n.key"} -X "$_m" "$@" "https://127.0.0.1:$TPORT/api/cloud-backup$_p"; }
is "a certificate gives what is allowed" "$(tls till-3 GET /file-info?database=shop)" 200
is "a backup, too" "$(tls till-3 POST /create -H "$JSON" -d '{"database":"shop"}')" 200
is "and no more" "$(tls till-3 GET /download/$SHOP)" 403
is "nor on another database" "$(tls till-3 GET /file-info?database=app)" 403
is "another's gives nothing" "$(tls till-4 GET /user)" 403
is "none gives nothing, to root either" "$(tls '' GET /user)" 403
is "a token counts instead" "$(tls till-4 GET /user -H "Authorization: Bearer $never")" 200
is "what was forwarded has none" "$(tls till-3 GET /file-info?database=shop -H 'Via: 1.1 x')" 403

# ---- too often: lp was refused never before
for i in 1 2 3 4 5 6 7 8 9 10; do r=$(as lp GET /user); done
is "the tenth refusal is one like any" "$r" 403
h=$(setpriv --reuid lp --regid lp --clear-groups curl -s -D - "$URL/user" | tr -d '\r')
like "the eleventh is 429" "$h" 'HTTP/1.1 429*'
like "with the time to wait" "$h" '*Retry-After: [1-6]*'
is "by the socket, too" "$(us lp GET /user)" 429
is "a token that is good still is" "$(as lp GET /user -H "Authorization: Bearer $never")" 200
is "one that is not is not looked into" "$(as lp GET /user -H "Authorization: Bearer $bad")" 429
is "others are not held up" "$(as backup GET /user)" 200
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do r=$(with "$bad" GET /user); done
is "root may be refused as often as he likes" "$r" 401
is "and is still root" "$(code GET /user)" 200
refused=$(sql "SELECT count(*) FROM audit WHERE uid = $(id -u lp) AND result GLOB 'refused*'")
is "a flood leaves eleven rows" "$refused" 11

# ---- another's file in the place of the owner's
put() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "cd '$T/shop' && rm -f shop.db* && sqlite3 shop.db 'CREATE TABLE t(x)'"; }
chmod 777 "$T/shop"
put man
is "his file is backed up" "$(create '{"database":"shop"}' | json .data.status)" completed
is "but the backups from before are not his" "$(as man GET /download/$SHOP)" 403
is "nor is it the first one's any more" "$(as daemon GET /download/$SHOP)" 403
put daemon
create '{"database":"shop"}' >/dev/null
is "until he has it again" "$(as daemon GET /download/$SHOP)" 200
put man
create '{"database":"shop"}' >/dev/null
code POST /reload -H "$JSON" -d '{}' >/dev/null
code GET /file-info?database=shop >/dev/null		# a look, which tells
is "the administrator may mean it, and reads the configuration anew" "$(as man GET /download/$SHOP)" 200
put daemon

# ---- the audit log
row() { sql "SELECT count(*) > 0 FROM audit WHERE $1"; }
is "a backup: begun" "$(row "action = 'create' AND database = 'shop' AND who = 'uid 0' AND uid = 0 AND address = '127.0.0.1' AND result = 'begun'")" 1
is "a backup: done" "$(row "action = 'create' AND database = 'shop' AND backup_id = $SHOP AND result = 'done'")" 1
is "a restore" "$(row "action = 'restore' AND database = 'app' AND backup_id = $APP AND who = 'uid $(id -u bin)' AND result = 'done'")" 1
is "by a certificate" "$(row "action = 'create' AND who = 'certificate till-3' AND result = 'done'")" 1
is "by a token" "$(row "action = 'restore' AND who = 'token both' AND result = 'done'")" 1
is "a refusal" "$(row "action = 'restore' AND who = 'token one' AND result GLOB 'refused: FORBIDDEN*'")" 1
is "a refused uid by the socket" "$(row "action = 'list' AND who = 'uid $(id -u sys)' AND address = 'unix' AND result GLOB 'refused: FORBIDDEN*'")" 1
is "an expired token by its name" "$(row "who = 'token brief' AND result = 'refused: UNAUTHORIZED (expired)'")" 1
is "a token made" "$(row "action = 'token-make' AND result = 'done: ever all'")" 1
is "a token revoked" "$(row "action = 'token-revoke' AND result = 'done: web'")" 1
is "what was forwarded" "$(row "address = '127.0.0.1 forwarded' AND result GLOB 'refused*'")" 1
is "times twice" "$(sql "SELECT count(*) FROM audit WHERE strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') <> at")" 0
ok "the log says the same" grep -q 'audit: restore who="token both" address=127.0.0.1 database=app' "$T/daemon.log"
daemon_stop
is "the catalog is sound" "$(catalog_sound)" ok
finish
