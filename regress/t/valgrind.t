#!/bin/bash
# Engine, front, network and workers under valgrind, through what they do
# all day: nothing is read that was not written, nothing out of bounds, no
# memory lost, no descriptor left.  The sandbox logs only: valgrind makes
# system calls of its own.  It takes its time: `make valgrind` runs it, and
# `make check-long`.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"
[ -n "${VALGRIND:-}${CHECK_LONG:-}" ] || skip_all "make valgrind runs it"
command -v valgrind >/dev/null || skip_all "no valgrind"
[ -z "${SANITIZED:-}" ] || skip_all "a sanitizer is there already"

V=$T/valgrind
mkdir -m 755 "$V" "$T/bin"
# It wants the limit on descriptors left alone: one below what would be set.
cat >"$T/bin/cloudbackupd" <<S
#!/bin/sh
ulimit -n 250
exec valgrind -q --vgdb=no --trace-children=yes --child-silent-after-fork=yes \\
    --leak-check=full --show-leak-kinds=definite,possible \\
    --errors-for-leak-kinds=definite \\
    --log-file="$V/%p" "$BUILD/cloudbackupd" "\$@"
S
chmod 755 "$T/bin/cloudbackupd"
BUILD=$T/bin

# valgrind does not know Landlock, without which root's databases are refused.
mkdir "$T/data"
"$TOOLS/bank" "$T/data/app.db" -m wal -n 100 init
"$TOOLS/bank" "$T/data/old.db" -m delete -n 100 init
[ "$(id -u)" != 0 ] || chown -R 12345 "$T/data"
remote_start || finish
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=localhost -keyout "$T/tls.key" -out "$T/tls.pem" 2>/dev/null
chmod 600 "$T/tls.key"
while TPORT=$(port); [ "$TPORT" = "$RPORT" ]; do :; done
daemon_conf "sandbox log" \
    "listen on 127.0.0.1 port $TPORT tls certificate \"$T/tls.pem\" key \"$T/tls.key\"" \
    "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
    "database \"app\" { path \"$T/data/app.db\" user id \"42\" to \"hq\" }" \
    "database \"old\" { path \"$T/data/old.db\" }"
daemon_start || finish
post() { code POST "$@" -H 'Content-Type: application/json'; }

is "create" "$(post /create -d '{"database":"app"}')" 200
is "create of another" "$(post /create -d '{"database":"old","backup_name":"b"}')" 200
api GET /user >"$T/list"
is "list" "$(json '.data | length' <"$T/list")" 2
is "stats, file-info, health" "$(code GET /stats) $(code GET /file-info) $(code GET /health)" "200 200 200"
is "list of the remote" "$(code GET '/user/42?location=remote')" 200
is "locks" "$(code GET /check-locks) $(code GET /check-accessibility)" "200 200"
is "download" "$(code GET /download/1) $(code GET /download/1 -r 5-100) $(code GET /download/1 -r 999999999-)" "200 206 416"
rm -f "$(json '.data[] | select(.id == 1).file_path' <"$T/list")"
is "download from the remote" "$(code GET /download/1)" 200
is "restore" "$(post /restore/2 -d '{}') $(post /restore/1 -d '{"force":true}')" "200 200"
token=$("$BUILD/cloudbackupd" -f "$CONF" -T me:read 2>/dev/null)
is "a token, by TLS" "$(curl -sk -m 20 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "https://localhost:$TPORT/api/cloud-backup/user")" 200
is "refusals" "$(post /create -d '{') $(post /create -d '{"database":"x"}') $(code GET /download/99) $(code GET /user -H 'Authorization: Bearer x') $(code GET /nothing)" "400 404 404 401 404"
kill -TERM "$DAEMON"
ok "ends when it is told to" gone 20 "$DAEMON"
seen=$(ls "$V" | wc -l)
ok "valgrind saw $seen processes" test "$seen" -gt 18
# It does not know Landlock's calls and seccomp's, and says so.
said() { cat "$V"/* | sed '/unhandled amd64-linux syscall: \(317\|44[456]\)$/,+4d'; }
is "and had nothing to say" "$(said | head -60)" ""
finish
