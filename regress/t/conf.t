#!/bin/bash
# The configuration as -n and -nv see it: golden files of regress/conf, the
# sample, and that what is printed is read back to the same.
#
#	NAME.in		is accepted, and printed as NAME.ok
#	NAME.bad	is refused, with the messages in NAME.err
#	NAME.env	an environment file: printed as NAME.env.ok or refused,
#			with the messages in NAME.env.err, if there are any
. "$(dirname "$0")/../lib.sh"
D=$BUILD/cloudbackupd
case $D in /*) ;; *) D=$PWD/$D ;; esac
[ -x "$D" ] || skip_all "no $D"

# Copies, whatever umask the clone was made with.
umask 077
cp -r "$TOP/regress/conf" "$T/conf"
cp "$TOP/etc/cloudbackupd.conf" "$T/sample.conf"
chmod -R go-rwx "$T/conf" "$T/sample.conf"
cd "$T/conf" || exit 1

# load OPTION FILE: into $OUT, $ERR (messages about the file) and $RC.
load() {
	"$D" -nv "$1" "$2" >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(cat "$T/out")
	ERR=$(grep "^[^ ]*\.\(in\|bad\|env\|inc\|conf\):" "$T/err")
}
# again NAME: is what was printed read back to the same?
again() {
	cp "$T/out" "$T/printed.conf"
	load -f "$T/printed.conf"
	is "$1: printed, read and printed again" "$OUT" \
	    "$(cat "$T/printed.conf")"
}

for f in *.in; do
	load -f "$f"
	is "$f: accepted" "$RC $ERR" "0 "
	is "$f: printed" "$OUT" "$(cat "${f%.in}.ok")"
	again "$f"
done
for f in *.bad; do
	load -f "$f"
	is "$f: refused" "$RC" 1
	is "$f: messages" "$ERR" "$(cat "${f%.bad}.err")"
done
for f in *.env; do
	load -e "$f"
	is "$f: messages" "$ERR" "$(cat "$f.err" 2>/dev/null)"
	if [ -f "$f.ok" ]; then
		is "$f: printed" "$RC $OUT" "0 $(cat "$f.ok")"
		again "$f"
	else
		is "$f: refused" "$RC" 1
	fi
done

# The package's, which names no database yet: that is said, and no error.
cp "$TOP/debian/cloudbackupd.conf" "$T/package.conf"
load -f "$T/package.conf"
like "the package's is accepted, with a warning" "$RC $ERR" \
    "0 *warning: there is no database*"
is "and each line that it leaves out is right" "$(sed 's/^#\([a-z	}]\)/\1/' \
    "$T/package.conf" >"$T/all.conf"; load -f "$T/all.conf"; echo "$RC$ERR")" 0

# The sample as it is, and with all that it leaves out.
load -f "$T/sample.conf"
is "the sample is accepted" "$RC $ERR" "0 "
again "the sample"
for f in hq.key cb.key s3.id s3.secret s3-delete.id s3-delete.secret; do
	echo key >"$T/$f"
done
cat >"$T/age.key" <<EOF
# created: 2026-11-22T12:00:00Z
AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33
EOF
echo certificate >"$T/cb.pem"
sed -E 's/^#([a-z}]|\t)/\1/' "$T/sample.conf" |
    sed -e "s,/etc/cloudbackupd/\([a-z0-9-]*\.\(id\|secret\)\),$T/\1," \
    -e "s,/etc/cloudbackupd/\(hq\|age\)\.key,$T/\1.key," \
    -e "s,/etc/ssl/cb.pem,$T/cb.pem," \
    -e "s,/etc/ssl/private/cb.key,$T/cb.key," >"$T/all.conf"
load -f "$T/all.conf"
is "the sample with every statement is accepted" "$RC $ERR" "0 "
like "and names the key's file" "$OUT" "*api key file \"$T/hq.key\"*"
like "and what TLS is spoken with" "$OUT" \
    "*port 39443 tls certificate \"$T/cb.pem\" key \"$T/cb.key\"*"
again "the sample with every statement"
nok "the key itself is not printed" grep -q '"key"\|\*\*\*' "$T/out"

# Files that others could have written, or read.
chmod 644 "$T/hq.key"
load -f "$T/all.conf"
like "a key file that others can read is refused" "$RC $ERR" \
    "1 *holds a secret*"
chmod 600 "$T/hq.key"
chmod 640 "$T/s3.secret" "$T/age.key" "$T/s3-delete.id"
load -f "$T/all.conf"
is "so are those of S3 and of age" "$RC $(grep -c "holds a secret" "$T/err")" \
    "1 3"
chmod 600 "$T/s3.secret" "$T/age.key" "$T/s3-delete.id"
cp "$T/age.key" "$T/identity"
echo "# no identity" >"$T/age.key"
load -f "$T/all.conf"
like "an identity file without one" "$RC $ERR" \
    "1 *identity file \"$T/age.key\" has no line AGE-SECRET-KEY-1...*"
cp "$T/identity" "$T/age.key"
chmod 666 "$T/all.conf"
load -f "$T/all.conf"
like "a configuration that others can write is refused" "$RC $(cat "$T/err")" \
    "1 *can be written*"
chmod 644 full.in
load -f full.in
like "an inline key in a file that others can read is refused" "$RC $ERR" \
    "1 *everybody can read it*"
chmod 644 env-full.env
load -e env-full.env
like "and in an environment file is warned of" "$RC $ERR" \
    "0 *warning: everybody can read*"

# Defaults.
echo 'database "a" { path "~/a.db" }' >home.in
HOME=/home/nobody load -f home.in
like "~ is the home of who starts it" "$OUT" '*path "/home/nobody/a.db"*'
load -f "$T/nowhere.conf"
like "no file" "$RC $(cat "$T/err")" "1 *nowhere.conf: cannot be opened*"
finish
