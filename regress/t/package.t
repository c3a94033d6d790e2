#!/bin/bash
# What is installed, and that all of it goes again; the sources as an
# archive that builds; packages, where the tools for them are.  The builds
# only in `make check-long`.
. "$(dirname "$0")/../lib.sh"
[ -x "$BUILD/cloudbackupd" ] || skip_all "no $BUILD/cloudbackupd"
[ -z "${SANITIZED:-}" ] || skip_all "not of a sanitized build"
cd "$TOP" || exit 1
make=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKELEVEL

# ---- make install, uninstall ----
D=$T/root
ok "make install" $make -s B="$BUILD" DESTDIR="$D" install
(cd "$D" && find . ! -type d | sort) >"$T/files"
for f in usr/local/sbin/cloudbackupd usr/local/sbin/cloudbackupctl \
    usr/local/libexec/cloudbackupd/cloudbackupd-{front,network,worker,looker} \
    usr/local/share/man/man{5/cloudbackupd.conf.5,7/cloudbackup-restore.7,8/cloudbackupd.8,8/cloudbackupctl.8} \
    usr/local/share/examples/cloudbackupd/cloudbackupd.conf \
    usr/local/share/bash-completion/completions/cloudbackupctl \
    usr/local/share/zsh/vendor-completions/_cloudbackupctl \
    usr/local/lib/systemd/system/cloudbackupd.service \
    usr/local/lib/sysusers.d/cloudbackupd.conf \
    usr/local/lib/tmpfiles.d/cloudbackupd.conf; do
	ok "/$f is there" grep -qx "./$f" "$T/files"
done
is "nothing is outside the prefix" "$(grep -v '^\./usr/local/' "$T/files")" ""
is "nobody but the owner can write any of it" "$(find "$D" -perm /022 ! -type l)" ""
ok "make uninstall" $make -s B="$BUILD" DESTDIR="$D" uninstall
is "it leaves no file" "$(find "$D" ! -type d)" ""
is "and no directory of ours" "$(find "$D" -type d -name 'cloudbackupd*')" ""
ok "another prefix" $make -s B="$BUILD" DESTDIR="$D" PREFIX=/opt/cb install
is "is everywhere" "$(grep -rl /usr/local "$D/opt" --include='*.service' --include='*.[1-8]' | grep -v conf.5)" ""
$make -s B="$BUILD" DESTDIR="$D" PREFIX=/opt/cb uninstall
is "and goes" "$(find "$D" ! -type d)" ""

# ---- make dist ----
git rev-parse >/dev/null 2>&1 || { skip "make dist: not a git tree"; finish; }
mkdir "$T/b"
tar_gz=$($make -s B="$T/b" dist | tail -1)
ok "make dist" test -s "$tar_gz"
is "it has what git has" "$(tar -tzf "$tar_gz" | sed 's,^[^/]*/,,' | sort | md5sum)" "$(git ls-files | sort | md5sum)"
[ -n "${CHECK_LONG:-}" ] || { skip "packages are built by make check-long"; finish; }

# ---- a Debian package, in the archive's own tree ----
tar -xzf "$tar_gz" -C "$T"
src=$(echo "$T"/cloudbackupd-*)
(cd "$src" && git init -q . && git add -A) || exit 1
if command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null; then
	ok "make deb, with lintian where it is" $make -C "$src" deb
	deb=$(ls "$src"/build/deb/cloudbackupd_*.deb)
	dpkg-deb -c "$deb" | awk '{ print $6 }' >"$T/deb"
	for f in usr/sbin/cloudbackupd usr/sbin/cloudbackupctl \
	    usr/libexec/cloudbackupd/cloudbackupd-{worker,looker} \
	    lib/systemd/system/cloudbackupd.service etc/cloudbackupd.conf \
	    usr/share/man/man8/cloudbackupctl.8.gz \
	    usr/share/bash-completion/completions/cloudbackupctl; do
		ok "the package has /$f" grep -qx "./$f" "$T/deb"
	done
	is "its configuration is one" "$(dpkg-deb -I "$deb" conffiles)" /etc/cloudbackupd.conf
else
	skip "no dpkg-buildpackage, debhelper"
fi
if command -v rpmbuild >/dev/null; then
	ok "make rpm" $make -C "$src" rpm
	rpm=$(find "$src/build/rpm/RPMS" -name 'cloudbackupd-[0-9]*.rpm' | head -1)
	rpm -qlp "$rpm" >"$T/rpm" 2>/dev/null
	for f in /usr/sbin/cloudbackupd /usr/sbin/cloudbackupctl \
	    /usr/libexec/cloudbackupd/cloudbackupd-{worker,looker} \
	    /usr/lib/systemd/system/cloudbackupd.service \
	    /etc/cloudbackupd.conf; do
		ok "the rpm has $f" grep -qx "$f" "$T/rpm"
	done
else
	skip "no rpmbuild"
fi
finish
