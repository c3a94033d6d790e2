#!/bin/bash
# Lists of many backups, local ones and those that only the remote has, in
# pages of any size: each once, newest first, the total right.
. "$(dirname "$0")/../lib.sh"
. "$TOP/regress/e2e.sh"

for n in a b; do "$TOOLS/bank" "$T/$n.db" -m wal -n 10 init; done
remote_start || finish
R=$T/remote
# Two installations of one user at one remote: what one makes, the other
# knows from the remote only.
start() {	# start NAME: DAEMON_x, PORT_x, URL_x
	unset PORT
	BACKUP_DIR=$T/$1.backups daemon_conf \
	    "remote \"hq\" { rest \"http://127.0.0.1:$RPORT\" }" \
	    "database \"$1\" { path \"$T/$1.db\" user id \"42\" verify none }"
	daemon_start || finish
}
start b; URL_B=$URL D_B=$DAEMON
start a; URL_A=$URL D_A=$DAEMON
many() {	# many URL N
	seq "$2" | xargs -P 4 -I{} curl -s -m 60 -o /dev/null -w '%{http_code}\n' \
	    -H 'Content-Type: application/json' \
	    -d '{"backup_name":"n{}"}' "$1/create" | grep -vc 200
}
is "110 here" "$(many "$URL_A" 110)" 0
is "20 there" "$(many "$URL_B" 20)" 0
is "110 here" "$(many "$URL_A" 110)" 0
is "20 there" "$(many "$URL_B" 20)" 0
all=$(ls "$R" | grep -c 'json$')
is "the remote has them" "$all" 260

URL=$URL_A
api GET /user/42 >"$T/list"
is "one list: total, source" "$(json '"\(.total) \(.source) \(.next)"' <"$T/list")" "260 merged null"
is "each once" "$(jq -r '.data[] | .remote_backup_id' "$T/list" | sort | uniq | wc -l) $(jq '.data | length' "$T/list")" "260 260"
is "none is missing" "$(jq -r '.data[].remote_backup_id' "$T/list" | sort | comm -3 - <(ls "$R" | sed -n 's/\.json$//p' | sort))" ""
is "newest first" "$(jq '[.data[].created_at] | . == (sort | reverse)' "$T/list")" true
is "what is where" "$(jq -r '.data[] | "\(.id | type) \(.locations | join(","))"' "$T/list" | sort | uniq -c | awk '{ print $1, $2, $3 }' | xargs)" "220 number local,remote 40 string remote"
is "they are mixed" "$(jq -r '.data[].id | type' "$T/list" | uniq | wc -l | awk '{ print ($1 >= 3) }')" 1
jq -r '.data[].id' "$T/list" >"$T/order"
for limit in 1 7 99 100 101 259 260 1000; do
	# One entry each is slow with a remote's list for each page.
	most=$([ $limit = 1 ] && echo 12 || echo 1000)
	: >"$T/paged"; next= pages=0 bad=
	while [ $pages -lt $most ]; do
		api GET "/user/42?limit=$limit${next:+&before=$next}" >"$T/page"
		jq -r '.data[].id' "$T/page" >>"$T/paged"
		pages=$((pages + 1))
		[ "$(json '"\(.total) \(.source)"' <"$T/page")" = "260 merged" ] || bad="$bad $pages"
		next=$(jq -r '.next // empty | @uri' "$T/page")
		[ -n "$next" ] || break
	done
	is "by $limit, $pages pages: the same" "$(diff "$T/paged" <(head -n "$(wc -l <"$T/paged")" "$T/order") | head -3) $([ $limit = 1 ] || wc -l <"$T/paged")" " $([ $limit = 1 ] || echo 260)"
	is "by $limit: total and source on each page" "$bad" ""
done
# What comes meanwhile disturbs no page.
next=$(api GET "/user/42?limit=50" | jq -r '.next | @uri')
create >/dev/null
is "a new one does not move the next page" "$(api GET "/user/42?limit=50&before=$next" | jq -r '.data[].id')" "$(sed -n 51,100p "$T/order")"
is "one database only: the catalog's" "$(api GET '/user/42?database=a' | json '"\(.total) \(.source) \(.data | length)"')" "221 local 221"
is "all users of the catalog, and the configured one's at the remote" "$(api GET /user | json '"\(.total) \(.data | length)"')" "261 261"

# The remote goes away: what is here, and why not more; HEAD; a slow client.
remote_stop
is "without the remote" "$(api GET /user/42 | json '"\(.source) \(.total) \(.data | length) \(.remote_error | length > 10)"')" "local 221 221 true"
is "pages go on without it" "$(api GET "/user/42?limit=50&before=$next" | json '"\(.source) \(.data | length)"')" "local 50"
is "HEAD" "$(curl -s -I -o /dev/null -w '%{http_code}' "$URL/user")" 200
is "a client that reads slowly gets all" "$(curl -s --limit-rate 60k "$URL/user" | jq '.data | length')" 221
is "stats count the catalog" "$(api GET /stats/42 | json '.data | "\(.total_backups) \(.successful_backups)"')" "221 221"

# A remote that lists a hundred thousand and more.
mkdir -p "$T/remote"
remote_start -F 'path /api/user-backup/user huge-json' || finish
t0=$(date +%s%N)
api GET '/user/42?limit=10' >"$T/huge"
echo "# $((($(date +%s%N) - t0) / 1000000)) ms for a list of 100 MB"
is "a list of a million is an error or a part, never a crash" "$(json '"\(.success) \(.data | length)"' <"$T/huge")" "true 10"
like "and it is said" "$(json .remote_error <"$T/huge")" '*longer than is accepted*'
ok "memory comes back: $(pss_kib "$D_A" $(children "$D_A")) KiB" test "$(pss_kib "$D_A" $(children "$D_A"))" -lt 49152
is "the daemon goes on" "$(create | json .success)" true
finish
