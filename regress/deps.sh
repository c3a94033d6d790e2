#!/bin/bash
# Installs what building and testing need (regress/packages) and is not
# there yet.  Quiet unless something must be done or fails.  What has a "+"
# there is for tests that skip without it.
cd "$(dirname "$0")" || exit 1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

packages() { sed -n "s/^$1\([a-z0-9][^[:space:]]*\).*/\1/p" packages; }
mapfile -t wanted < <(packages "")

# Servers that the tests start themselves: the system's own are not wanted.
spare() {
	mapfile -t wanted < <(packages +)
	mapfile -t need < <(missing)
	[ ${#need[@]} = 0 ] && return
	echo "Installing ${need[*]}"
	$as_root sh -c 'p=/usr/sbin/policy-rc.d
	    if [ ! -e $p ]; then
		trap "rm -f $p" EXIT
		printf "#!/bin/sh\nexit 101\n" >$p && chmod 755 $p
	    fi
	    install() {
		apt-get -y -q --no-install-recommends \
		    -o DPkg::Lock::Timeout=300 install "$@"
	    }
	    install "$@" || { apt-get -q update && install "$@"; }' sh \
	    "${need[@]}" >/dev/null 2>&1 </dev/null ||
	    echo "Not installed; some tests are skipped: ${need[*]}" >&2
}

# pkg-config and the like may be provided by another package.
missing() {
	dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' \
	    2>/dev/null | awk -v wanted="${wanted[*]}" '
	    $1 == "installed" {
		gsub(/\([^)]*\)|,/, " ")
		for (i = 2; i <= NF; i++) have[$i] = 1
	    }
	    END {
		n = split(wanted, w, " ")
		for (i = 1; i <= n; i++) if (!(w[i] in have)) print w[i]
	    }'
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "Not a Debian system: install what regress/packages names" \
	    "yourself; going on." >&2
	exit 0
fi
mapfile -t need < <(missing)
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n env DEBIAN_FRONTEND=noninteractive"
if [ ${#need[@]} = 0 ]; then
	if [ -z "$as_root" ] || sudo -n true 2>/dev/null; then
		spare
	fi
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "These packages are missing; have them installed with:" >&2
		echo "    apt-get install ${need[*]}" >&2
		exit 1
	fi
fi
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
install() {
	$as_root apt-get -y -q --no-install-recommends \
	    -o DPkg::Lock::Timeout=300 install "${need[@]}"
}
echo "Installing ${need[*]}"
# Without lists, or with old ones, the first attempt fails.
if ! install >"$log" 2>&1 </dev/null &&
    ! { $as_root apt-get -q update && install; } >>"$log" 2>&1 </dev/null; then
	tail -40 "$log" >&2
	echo "The packages could not be installed; see above." >&2
	exit 1
fi
mapfile -t need < <(missing)
if [ ${#need[@]} = 0 ]; then
	spare
	exit 0
fi
echo "Still missing: ${need[*]}" >&2
exit 1
