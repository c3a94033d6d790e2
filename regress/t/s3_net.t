#!/bin/bash
# The network process against a real S3 server: objects whole and in parts,
# gone on with after a kill, listed, deleted.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/s3/lib.sh"

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
"$C" -o url=http://127.0.0.1:$PROXY -o bucket=nobucket -o region=us-east-1 -o access=test:tester -o secret=testing delete a b >"$T/out" 2>/dev/null
like "deleted from a bucket that is not there" "$(out)" '*ok=0*refused=2*no bucket*'
"$C" -o url=http://127.0.0.1:$PROXY -o bucket=nobucket -o region=us-east-1 -o access=test:tester -o secret=testing test >"$T/out" 2>/dev/null
is "each step says so" "$(grep -c 'no bucket' "$T/out") $(grep -c '^step .* ok' "$T/out")" "5 0"
for k in ../x /x a//b . a/..; do
	nok "no key: $k" s3 get "$k" "$T/back"
done

# The bucket in the host's name, which this server knows of localhost.
: >"$LOG"
URL=http://localhost:$PROXY
ok "virtual host" s3 -o virtual put shop/v.sqlite "$T/small" "$T/manifest"
ok "the bucket is in the host" grep -qi "^host: cbk.localhost:$PROXY"$'\r' "$LOG"
is "and not in the path" "$(requests 'PUT /h1/shop/v.sqlite') $(requests 'PUT /cbk')" "$(requests PUT) 0"
ok "it is read" s3 -o virtual get shop/v.sqlite "$T/back"
ok "with the same bytes" cmp "$T/small" "$T/back"
ok "and deleted with its manifest" s3 -o virtual delete shop/v.sqlite
nok "it is gone" grep -q v.sqlite <<<"$(names cbk)"
unset URL

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
finish
