#!/bin/bash
# What is written about the program against what the program has: each list
# is taken from the code and from the page, and the two are compared.
. "$(dirname "$0")/../lib.sh"
cd "$TOP" || exit 1
D=$BUILD/cloudbackupd
[ -x "$D" ] || skip_all "no $D"
MAN8=man/cloudbackupd.8 MAN5=man/cloudbackupd.conf.5

# same DESCRIPTION CODE PAGE: two lists, in any order; tells what differs.
same() {
	_d=$(diff <(printf '%s\n' "$2" | sort) <(printf '%s\n' "$3" | sort) |
	    sed -n 's/^</only in the code:/p; s/^>/only on the page:/p')
	[ -n "$2" ] || _d="nothing found in the code"
	result "$([ -z "$_d" ]; echo $?)" "$1" "$_d"
}
# section NAME FILE: the lines of a section of a manual.
section() { awk -v s="$1" '/^\.Sh / { on = $0 == ".Sh " s; next } on' "$2"; }
# The source without its comments.
code() { perl -0pe 's{/\*.*?\*/}{}gs' "$@"; }

# Errors: token, status and remediation.
same "error codes are those of the manual" "$(code proto/errors.def |
    perl -0ne 's/"\s*\n\s*"//g;
	while (/ERR\((\w+),\s*(\d+),\s*"((?:[^"\\]|\\.)*)"\)/g) {
		($t, $s, $r) = ($1, $2, $3); $r =~ s/\\"/"/g; print "$t $s $r\n"
	}')" "$(section 'ERROR CODES' $MAN8 | awk '
    function out() { if (t != "") print t text }
    /^\.It Li / { out(); t = $3 " " $5; text = ""; next }
    /^\.El/ { out(); t = "" }
    !/^\./ { text = text " " $0 }')"

# Calls: method, path, and whether an argument may or must follow.
same "calls are those of the manual" "$(code daemon/front/routes.c |
    perl -0ne 'while (/HTTP_(\w+),\s*"([^"]*)",\s*ARG_(\w+)/g) { print "$1 $2 $3\n" }')" \
    "$(sed -n 's/^\.It Ic \(GET\|POST\|DELETE\|PUT\|PATCH\) /\1 /p' $MAN8 | awk '
    { print $1, $2, / Ns Op \/ Ns Ar/ ? "OPTIONAL" : / Ns \/ Ns Ar/ ? "NEEDED" : "NONE" }')"

# Bodies' keys and queries' parameters are at least named.
for k in $(code daemon/front/request.c | perl -0ne '
    while (/\{\s*"(\w+)",\s*(?:"(\w+)"|NULL),\s*PARAM_/g) { print "$1 ", $2 // "", "\n" }') \
    $(code daemon/front/api*.c | perl -0ne 'while (/api_query\(c, "(\w+)"/g) { print "$1\n" }' | sort -u); do
	ok "the manual names the parameter $k" grep -qE "^\.(Li|Ar|Pq or Li|Pq Li)? ?.*\b$k\b" $MAN8
done
# So are the answers' fields.
for k in $(code daemon/front/shapes.c daemon/front/api*.c | perl -0ne '
    while (/json_(?:text|int|uint|bool|null|time|text_or_null|array)\(j, (?:j->camel \? "\w+" : )?"(\w+)"/g) { print "$1\n" }' |
    grep -vx '_id\|backup_id\|filename' | sort -u); do
	ok "the manual names the field $k" grep -q "\b$k\b" $MAN8
done

same "phases are those of the manual" "$(sed -n 's/^[A-Z_]*PHASE([A-Z_]*, "\([a-z_]*\)".*/\1/p' proto/phases.def)" \
    "$(section 'WHERE THE TIME GOES' $MAN8 | sed -n 's/^\.It Li //p')"
same "and of the API's description" "$(sed -n 's/^[A-Z_]*PHASE([A-Z_]*, "\([a-z_]*\)".*/\1_ms/p' proto/phases.def)" \
    "$(awk '/^    Phases:/ { on = 1; next } /^    [A-Z]/ { on = 0 } on' docs/openapi.yaml | sed -n 's/^ *\([a-z_]*_ms\):.*/\1/p')"

# The synopsis, the environment file.
usage=$("$D" -Z 2>&1 | sed -n 's/^usage: //p; s/^       //p' | xargs)
is "SYNOPSIS is what usage() prints" "$(mandoc -Tascii $MAN8 | col -b |
    sed -n '/^SYNOPSIS/,/^DESCRIPTION/s/^ \{1,\}//p' | xargs)" "$usage"
same "options are those of getopt" "$(code daemon/engine/main.c |
    sed -n 's/.*getopt(argc, argv, "\([a-zA-Z:]*\)".*/\1/p' | tr -d : | grep -o .)" \
    "$(section DESCRIPTION $MAN8 | sed -n 's/^\.It Fl \(.\).*/\1/p')"
same "variables of the environment file are those of the manual" \
    "$(code daemon/engine/conf_env.c | sed -n 's/^	\[[A-Z0-9_]*\] = "\(.*\)",/\1/p')" \
    "$(section 'ENVIRONMENT FILE' $MAN8 | sed -n 's/^\.It Ev //p')"

# Keywords, by the block that they belong to.
keywords() {
	code daemon/engine/parse.y daemon/engine/parse_words.h | perl -0ne '
	    s/"\s*\n\s*"//g; s/\\"/\x27/g;
	    while (/\{\s*"([^"]+)",\s*(\w+),\s*(\w+),\s*\w+,\s*(NULL|"[^"]*")\s*\}/g) {
		print "$2 ", ($4 eq "NULL" ? "inner" : "first"), " $1\n"
	    }'
}
for b in "TOP GLOBAL STATEMENTS" "REMOTE_BLOCK REMOTE BLOCKS" "DATABASE_BLOCK DATABASE BLOCKS"; do
	where=${b%% *} name=${b#* }
	same "$name: statements are those of the grammar" \
	    "$(keywords | sed -n "s/^$where first //p")" \
	    "$(section "$name" $MAN5 | sed -n 's/^\.It Ic \([a-z0-9-]*\).*/\1/p' | sort -u)"
	for k in $(keywords | sed -n "s/^$where inner //p"); do
		ok "$name: \"$k\" is told" grep -qw -- "$k" <(section "$name" $MAN5)
	done
done

# Messages: name, ends, payload, descriptor.
same "messages are those of proto/msg.md" "$(code proto/msg.def | perl -0ne '
    while (/MSG\((\w+),\s*(\w+),\s*(\w+),\s*struct (\w+),\s*(\d)\)/g) {
	print "$1 ", lc $2, " ", lc $3, " $4 ", ($5 ? "yes" : "no"), "\n" }')" \
    "$(awk -F ' *[|] *' '$2 ~ /^[A-Z][A-Z0-9_]+$/ {
	print $2, $3, $4, $5, $6 == "yes" ? "yes" : "no"
	if (length($7) < 5) print $2, "has no purpose" }' proto/msg.md)"
nok "the table counts each message once" grep . <(awk -F ' *[|] *' '$2 ~ /^[A-Z][A-Z0-9_]+$/ { print $2 }' proto/msg.md | sort | uniq -d)
same "the header has the size that is told" \
    "$(code common/chan.c | sed -n '/^struct wire {/,/^};/p' | awk '/uint32/ { n += 4 } /uint64/ { n += 8 } END { print n }')" \
    "$(sed -n 's/^A message is a header of \([0-9]*\) bytes.*/\1/p' proto/msg.md)"

# Examples are read by the program itself.
parses() {
	umask 077
	sed "s,/etc/cloudbackupd/\([a-z0-9]*\.\(key\|id\|secret\)\),$T/\1," >"$T/example.conf"
	for _k in hq.key s3.id s3.secret; do echo key >"$T/$_k"; done
	[ -s "$T/example.conf" ] && "$D" -n -f "$T/example.conf"
}
section EXAMPLES $MAN5 | sed '/^\.Bd/d; /^\.Ed/d; s/\\e/\\/g' >"$T/man.conf"
ok "the example in cloudbackupd.conf(5) is good" parses <"$T/man.conf"
ok "so is the sample" parses <etc/cloudbackupd.conf
for f in *.md; do
	awk -v out="$T/$f" '/^```conf/ { n++; on = 1; next } /^```/ { on = 0 }
	    on { print >(out "." n ".conf") }' "$f"
	for c in "$T/$f".*.conf; do
		[ -f "$c" ] && ok "so is what $f shows" parses <"$c"
	done
done
for f in *.md; do
	# Links to files of ours lead somewhere.
	for l in $(grep -o '](\([A-Za-z0-9_./-]*\))' "$f" | tr -d '()]'); do
		ok "$f: $l is there" test -e "$l"
	done
done

# Manuals, and the source's own rules.
for m in man/*; do
	is "$m: mandoc finds nothing" "$(mandoc -Tlint "$m" 2>&1 |
	    grep -v 'mandoc.db\|referenced manual not found')" ""
done
sources=$(find common daemon proto regress -name '*.[chy]' -o -name '*.sh' \
    -o -name '*.t' -o -name '*.mk' -o -name '*.def')
is "no file has more than 800 lines" "$(wc -l $sources |
    awk '$1 > 800 && $2 != "total"')" ""
is "every .c and .h begins with what it is" "$(for f in $sources; do
    case $f in *.[ch]) head -2 "$f" | perl -0ne 'exit !m{^/\*(\n \* \S| \S)}' ||
    echo "$f" ;; esac; done)" ""
finish
