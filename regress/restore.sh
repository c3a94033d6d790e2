# Sourced behind lib.sh and capture.sh by the tests of restore and of locks.

[ -x "$TOOLS/reader" ] || skip_all "no $TOOLS/reader"
cp "$TOOLS/reader" "$T/bin"
reader() { owned "$T/bin/reader" "$@"; }

# get PATH: an answer, whatever its status.
get() { curl -s -m 30 "$URL$1"; }
locks() { get "/check-locks?database=$1" | jq -c .data; }

# restore ID [JSON]: $CODE the status, $BODY the answer, $ERR its code,
# $METHOD and $SAFETY what it says.  With $ANSWER the body goes to that
# file, for one in the background.
restore() {
	local answer=${ANSWER:-$T/restored} body=${2-}
	: >"$answer"
	CODE=$(curl -s -m "${WAIT:-60}" -o "$answer" -w '%{http_code}' \
	    -X POST ${body:+-H 'Content-Type: application/json' -d "$body"} \
	    "$URL/restore/$1")
	BODY=$(cat "$answer")
	eval "$(jq -r '@sh "ERR=\(.errorCode // "") METHOD=\(.data.method // "") SAFETY=\(.data.safety_backup_id // "")"' "$answer" 2>/dev/null || echo 'ERR=none METHOD= SAFETY=')"
}
# restored DESCRIPTION ID [JSON [METHOD]]
restored() {
	restore "$2" "${3-}"
	if [ "$CODE $METHOD" = "200 ${4-live}" ]; then
		result 0 "$1"
	else
		result 1 "$1" "wanted: 200 ${4-live}
got:    $CODE $BODY"
	fi
}
# not_restored DESCRIPTION ID STATUS CODE [JSON]
not_restored() {
	restore "$2" "${5-}"
	if [ "$CODE $ERR" = "$3 $4" ]; then
		result 0 "$1"
	else
		result 1 "$1" "wanted: $3 $4
got:    $CODE $BODY"
	fi
}
# backup ID: the row of one.  artifact ID: its file.
backup() { get /user | jq -c --argjson id "$1" '.data[] | select(.id == $id)'; }
artifact() { backup "$1" | jq -r '.file_path // empty'; }
# taken DATABASE: a backup that must work; $ID.
taken() { create "$1"; [ "$CODE" = 200 ] || { result 1 "a backup of $1" "$BODY"; return 1; }; }

# who FILE: what a restore must not change of a live file.
who() { stat -c '%i %U:%G %a %h' "$1"; }
# mode FILE: wal or not, by its header.
mode() { case $(od -An -tu1 -j18 -N2 "$1" | tr -d ' \n') in 22) echo wal ;; 11) echo delete ;; *) echo neither ;; esac; }
sound() { is "${2:-$1}: it is sound" "$(sql "$1" 'PRAGMA integrity_check')" ok; }
field() { sql "$1" "SELECT n FROM state"; }
