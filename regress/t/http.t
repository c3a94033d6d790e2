#!/bin/bash
# HTTP with the whole daemon: methods, ranges and tags, who may ask, what is
# refused, and that no request whatever stops it.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
SOCK=$T/http.sock

"$TOOLS/bank" "$T/app.db" -m wal -n 100 init
daemon_conf "listen on socket \"$SOCK\" mode 0666" \
    "database \"app\" { path \"$T/app.db\" verify none }"
daemon_start || finish
B=http://127.0.0.1:$PORT
# st [CURL OPTIONS] URL: the status; hd: the head; sent LINES: the status of
# a request that is written by hand.
st() { curl -s -m 10 -o /dev/null -w '%{http_code}' "$@"; }
hd() { curl -s -m 10 -o /dev/null -D - "$@" | tr -d '\r'; }
talk() {	# sends its input, prints what comes until the other closes
	exec 9<>"/dev/tcp/127.0.0.1/$PORT"
	cat >&9
	timeout "${1:-5}" cat <&9
	exec 9>&- 9<&-
}
raw() { printf "$@" | talk | head -1 | cut -d' ' -f2; }

id=$(create | json .data.id)
path=$(api GET /user | json .data[0].file_path)
sum=sha256:$(sha256 "$path")
size=$(stat -c %s "$path")
create '{"backup_name":"second"}' >/dev/null

# ---- methods ----
for q in user user/42 stats stats/42 health file-info check-locks \
    check-accessibility license-info jobs/1 download/1; do
	for m in POST PUT DELETE PATCH; do
		h=$(hd -X $m "$URL/$q")
		like "$m $q: 405, and what is allowed" "$h" "HTTP/1.1 405 *Allow: GET, HEAD, OPTIONS*"
	done
	like "OPTIONS $q" "$(hd -X OPTIONS "$URL/$q")" "HTTP/1.1 204 *Allow: GET, HEAD, OPTIONS*"
	h=$(hd "$URL/$q" | sed '/^Date:/d; /^Transfer-Encoding/d; /^Content-Length/d')
	is "HEAD $q: the head of GET" "$(hd -I "$URL/$q" | sed '/^Date:/d; /^Transfer-Encoding/d; /^Content-Length/d')" "$h"
	is "HEAD $q: no body" "$(printf 'HEAD /api/cloud-backup/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' $q | talk | sed '1,/^\r$/d' | wc -c)" 0
done
for q in create restore/1; do
	for m in GET HEAD PUT DELETE; do
		o=; [ $m = HEAD ] && o=-I
		like "$m $q: 405" "$(hd -X $m $o "$URL/$q")" "HTTP/1.1 405 *Allow: POST, OPTIONS*"
	done
	like "OPTIONS $q" "$(hd -X OPTIONS "$URL/$q")" "HTTP/1.1 204 *Allow: POST, OPTIONS*"
done
is "HEAD of what is not there" "$(st -I "$URL/download/99999") $(st -I "$URL/nope")" "404 404"
like "OPTIONS *" "$(hd -X OPTIONS --request-target '*' "$B")" "HTTP/1.1 204 *Allow:*"

# ---- ranges and tags ----
D=$URL/download/$id
h=$(hd "$D")
like "ranges are offered" "$h" "*Accept-Ranges: bytes*"
like "the tag" "$h" "*ETag: \"$sum\"*"
part() { curl -s -m 10 "$@" "$D" | openssl dgst -sha256 -r | cut -d' ' -f1; }
cut_of() { tail -c +$(($1 + 1)) "$path" | head -c "$2" | openssl dgst -sha256 -r | cut -d' ' -f1; }
is "a range" "$(part -r 100-199)" "$(cut_of 100 100)"
like "says which" "$(hd -r 100-199 "$D")" "HTTP/1.1 206 *Content-Range: bytes 100-199/$size*Content-Length: 100*"
is "to the end" "$(part -r 1000-)" "$(cut_of 1000 $((size - 1000)))"
is "the last bytes" "$(part -r -77)" "$(cut_of $((size - 77)) 77)"
is "beyond the end" "$(part -r 4096-99999999)" "$(cut_of 4096 $((size - 4096)))"
like "behind the end: 416" "$(hd -r $size- "$D")" "HTTP/1.1 416 *Content-Range: bytes \*/$size*"
for r in 'bytes=5-2' 'bytes=a-b' 'lines=1-2' 'bytes=-' 'bytes=1-2,5-6'; do
	like "Range: $r" "$(st -H "Range: $r" "$D")" '[24]*'
done
is "If-Range with the tag" "$(st -r 0-9 -H "If-Range: \"$sum\"" "$D")" 206
is "with another" "$(st -r 0-9 -H 'If-Range: "x"' "$D")" 200
is "with a date" "$(st -r 0-9 -H 'If-Range: Sun, 22 Nov 2026 00:00:00 GMT' "$D")" 200
is "If-None-Match" "$(st -H "If-None-Match: \"$sum\"" "$D") $(st -H "If-None-Match: \"x\", W/\"$sum\"" "$D") $(st -H 'If-None-Match: *' "$D") $(st -H 'If-None-Match: "x"' "$D")" "304 304 304 200"
is "304 has no body" "$(curl -s -H "If-None-Match: \"$sum\"" "$D" | wc -c)" 0
head -c 5000 "$path" >"$T/part"
curl -s -C - -o "$T/part" "$D"
ok "a download that broke off goes on" cmp "$T/part" "$path"
is "two at a time, one slow" "$(curl -s --limit-rate 100k -o "$T/slow" "$D" & curl -s "$D" | openssl dgst -sha256 -r | cut -d' ' -f1; wait)" "${sum#*:}"
ok "both whole" cmp "$T/slow" "$path"

# A body that comes late and in pieces, and one that is never finished:
# nobody else waits.
exec 8<>"/dev/tcp/127.0.0.1/$PORT"
printf 'POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n' >&8
exec 9<>"/dev/tcp/127.0.0.1/$PORT"
printf 'POST /api/cloud-backup/nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n' >&9
for piece in '{"a"' ': "b' 'cd"' ' }'; do sleep 0.05; printf '%s' "$piece" >&9; done
is "a body in pieces" "$(timeout 5 head -1 <&9 | cut -d' ' -f2)" 404
is "beside one that does not come" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$URL/stats")" 200
exec 8>&- 8<&- 9>&- 9<&-

# ---- what is refused, by status ----
P=/api/cloud-backup
is "400: no request" "$(raw 'hello\r\n\r\n')" 400
is "400: no Host" "$(raw 'GET /healthz HTTP/1.1\r\n\r\n')" 400
is "400: two Hosts" "$(raw 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n')" 400
is "400: two lengths" "$(raw "POST $P/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")" 400
is "400: a length and chunks" "$(raw "POST $P/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")" 400
is "400: a space before the colon" "$(raw 'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n')" 400
is "400: a folded field" "$(raw 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n')" 400
is "400: a NUL" "$(raw 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n')" 400
is "400: a bare CR" "$(raw 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n')" 400
is "400: a bad escape" "$(st "$B/%zz")" 400
is "400: a body where none belongs" "$(st -X GET -d x "$URL/user")" 400
is "400: bad chunks" "$(raw "POST $P/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")" 400
is "404" "$(st "$B/") $(st "$B/api") $(st "$B$P/../../etc/passwd" --path-as-is) $(st "$B$P//user")" "404 404 400 400"
is "413: a long body" "$(head -c 70000 /dev/zero | tr '\0' ' ' | st -H 'Content-Type: application/json' --data-binary @- "$URL/create")" 413
is "413: in chunks" "$(head -c 70000 /dev/zero | tr '\0' ' ' | st -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' --data-binary @- "$URL/create")" 413
is "413: announced" "$(raw "POST $P/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")" 413
is "414" "$(st "$URL/user/$(printf '%5000s' | tr ' ' x)")" 414
is "415" "$(st -d a=b "$URL/create")" 415
is "417" "$(st -H 'Expect: 200-ok' -X POST "$URL/create")" 417
is "100-continue" "$(st -H 'Expect: 100-continue' -H 'Content-Type: application/json' -d '{}' "$URL/create")" 200
is "421: somebody else's name" "$(st -H 'Host: evil.example' "$URL/user")" 421
is "431: a long field" "$(st -H "X: $(printf '%20000s' | tr ' ' x)" "$URL/user")" 431
set --; for i in $(seq 100); do set -- "$@" -H "X-$i: 1"; done
is "431: many fields" "$(st "$@" "$URL/user")" 431
is "501: a method nobody knows" "$(st -X BREW "$URL/user")" 501
is "501: another coding" "$(raw "POST $P/create HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")" 501
is "505" "$(raw 'GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n')" 505
is "HTTP/1.0 is answered, and closed" "$(printf 'GET /healthz HTTP/1.0\r\n\r\n' | talk | head -1 | tr -d '\r')" "HTTP/1.1 200 OK"
like "a refusal is JSON with its token" "$(printf 'GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n' | talk | tail -1)" '*"errorCode":*"HTTP_VERSION_NOT_SUPPORTED"*'

# ---- connections ----
is "pipelining: in order" "$(printf 'GET %s/jobs/77 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nPOST %s/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET %s/nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' $P $P $P | talk | grep -ao 'HTTP/1.1 [0-9]*' | cut -d' ' -f2 | xargs)" "404 200 200 404"
is "a hundred in one write" "$(for i in $(seq 99); do printf 'GET %s/stats HTTP/1.1\r\nHost: localhost\r\n\r\n' $P; done | cat - <(printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n') | talk 10 | grep -ac 'HTTP/1.1 200')" 100
is "a connection is kept" "$(curl -s -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects}' "$URL/user" "$URL/stats" "$D")" 100
is "byte by byte" "$({ for c in G E T ' ' /healthz ' ' HTTP/1.1 $'\r' $'\n' Host: localhost $'\r\n' 'Connection: close' $'\r\n' $'\r' $'\n'; do printf %s "$c"; sleep 0.01; done; } | talk | head -1 | cut -d' ' -f2)" 200

# ---- who may ask ----
is "nor by a picture or a link" "$(st -H 'Sec-Fetch-Site: cross-site' "$URL/user") $(st -H 'Sec-Fetch-Site: same-origin' "$URL/user") $(st -H 'Sec-Fetch-Site: none' "$URL/user")" "403 403 200"
is "a web page may not" "$(st -H 'Origin: http://evil.example' "$URL/user") $(st -H 'Origin: null' "$URL/user") $(st -H "Origin: http://localhost:$PORT" -X POST "$URL/create")" "403 403 403"
for host in localhost "localhost:$PORT" 127.0.0.1 "127.0.0.1:$PORT" '[::1]' LOCALHOST; do
	is "Host: $host" "$(st -H "Host: $host" "$URL/user")" 200
done
for host in localhost.evil.example evil.example:80 '' 127.0.0.1.nip.io; do
	like "Host: $host" "$(st -H "Host: $host" -H "X: y" "$URL/user")" 4[02][01]
done
for f in 'X-Forwarded-For: 127.0.0.1' 'X-Forwarded-Host: localhost' 'Forwarded: for=127.0.0.1' 'Via: 1.1 proxy'; do
	for q in user stats health file-info check-locks check-accessibility license-info download/1 jobs/1; do
		is "$q with $f" "$(st -H "$f" "$URL/$q")" 403
	done
	is "create with $f" "$(st -H "$f" -X POST "$URL/create")" 403
	is "restore with $f" "$(st -H "$f" -X POST "$URL/restore/1")" 403
	is "healthz with $f" "$(st -H "$f" "$B/healthz")" 200
done
is "by the socket" "$(curl -s --unix-socket "$SOCK" http://localhost$P/user | json .success)" true
is "a create by the socket" "$(curl -s --unix-socket "$SOCK" -X POST http://localhost$P/create | json .data.status)" completed
is "a download by the socket" "sha256:$(curl -s --unix-socket "$SOCK" "http://localhost$P/download/$id" | openssl dgst -sha256 -r | cut -d' ' -f1)" "$sum"
is "its mode" "$(stat -c %a "$SOCK")" 666
if [ "$(id -u)" = 0 ]; then
	# One who is refused too often is told to slow down: several.
	for u in www-data:TCP backup:socket; do
		o=; [ ${u#*:} = socket ] && o="--unix-socket $SOCK"
		u=${u%:*}
		other() { setpriv --reuid=$u --regid=$u --clear-groups curl -s -m 10 -o /dev/null -w '%{http_code}' $o "$@"; }
		for q in user stats file-info check-locks download/1 jobs/1; do
			is "$u${o:+ by the socket}: $q" "$(other "http://localhost:$PORT$P/$q")" 403
		done
		is "$u: create" "$(other -X POST "http://localhost:$PORT$P/create")" 403
		is "$u: restore" "$(other -X POST "http://localhost:$PORT$P/restore/1")" 403
		is "$u: healthz" "$(other "http://localhost:$PORT/healthz")" 200
		for q in user/42 health check-accessibility license-info download/remote:x; do
			like "$u: $q" "$(other "http://localhost:$PORT$P/$q")" 4[02][39]
		done
	done
else
	skip "another user (root only)"
fi
daemon_n=$(api GET /stats | json .data.total_backups)

# ---- three hundred that are wrong ----
# A good request with a byte or two changed, left out or put in; what is
# sent is closed at once or after a moment.  The seed can be given.
SEED=${SEED:-$(($(date +%s) % 100000))}
LC_ALL=C awk -v seed="$SEED" -v p="$P" 'BEGIN {
	srand(seed)
	good[0] = "GET " p "/user?limit=5 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
	good[1] = "POST " p "/nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"backup_name\":\"mut\"}\n"
	good[2] = "GET " p "/download/1 HTTP/1.1\r\nHost: localhost\r\nRange: bytes=1-5,7-\r\nIf-Range: \"x\"\r\n\r\n"
	good[3] = "POST " p "/nope HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n5\r\n{\"a\":\r\n3;x=y\r\n1}\n\r\n0\r\nT: r\r\n\r\n"
	for (i = 0; i < 300; i++) {
		s = good[i % 4]
		for (k = 1 + int(rand() * 3); k > 0; k--) {
			at = 1 + int(rand() * length(s))
			byte = sprintf("%c", 1 + int(rand() * 255))
			what = int(rand() * 4)
			if (what == 0)
				s = substr(s, 1, at - 1) byte substr(s, at + 1)
			else if (what == 1)
				s = substr(s, 1, at - 1) byte substr(s, at)
			else if (what == 2)
				s = substr(s, 1, at - 1) substr(s, at + 1 + int(rand() * 9))
			else
				s = substr(s, 1, at - 1) substr(s, at - 8 > 0 ? at - 8 : 1, 8) substr(s, at)
		}
		gsub(/\\/, "\\134", s); gsub(/%/, "%%", s)
		out = ""
		for (k = 1; k <= length(s); k++) {
			c = substr(s, k, 1)
			out = out (c == "\n" ? "\\n" : c == "\r" ? "\\r" : c)
		}
		print out
	}
}' >"$T/wrong"
n=0
LC_ALL=C	# or read takes a newline for the end of a character
while IFS= read -r line; do
	n=$((n + 1))
	exec 9<>"/dev/tcp/127.0.0.1/$PORT" || { result 1 "request $n (SEED=$SEED): the daemon is gone"; break; }
	printf "$line" >&9 2>/dev/null
	[ $((n % 5)) = 0 ] && timeout 0.05 cat <&9 >/dev/null
	exec 9>&- 9<&-
done <"$T/wrong" 2>/dev/null
is "three hundred wrong requests (SEED=$SEED)" "$n" 300
is "the daemon goes on" "$(api GET /stats | json .success)" true
is "the front did not die" "$(grep -c died "$T/daemon.log")" 0
is "nothing was made by them" "$(api GET /stats | json .data.total_backups)" "$daemon_n"
is "and it works" "$(create | json .data.status)" completed
daemon_stop
daemon_start || finish
is "it starts again, and so does its socket" "$(curl -s --unix-socket "$SOCK" http://localhost$P/user | json .success)" true
finish
